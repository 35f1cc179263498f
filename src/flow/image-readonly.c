/*
 * Whether an image can run with a read-only root, and with which mounts; see image-checks.h. An estimate before the
 * first run: volumes say what the author lets containers write, the owners of directories what the program writes as
 * its user, and of well-known servers it is known.
 */
#include "flow/image-checks.h"

#define MOUNTS_MAX 12u /* more are no advice any more */

static const struct {
        const char *program, *paths; /* by the file name of the program */
} known_writers[] = {
        { "nginx", "/var/cache/nginx /run" },
        { "apache2", "/run/apache2 /var/lock/apache2 /var/log/apache2" },
        { "apache2-foreground", "/run/apache2 /var/lock/apache2" },
        { "httpd", "/usr/local/apache2/logs /run" },
        { "httpd-foreground", "/usr/local/apache2/logs" },
        { "postgres", "/var/lib/postgresql/data /run/postgresql" },
        { "mysqld", "/var/lib/mysql /run/mysqld /tmp" },
        { "mariadbd", "/var/lib/mysql /run/mysqld /tmp" },
        { "mongod", "/data/db /tmp" },
        { "redis-server", "/data" },
        { "rabbitmq-server", "/var/lib/rabbitmq /var/log/rabbitmq" },
        { "java", "/tmp" },
        { "php-fpm", "/run /tmp" },
        { "haproxy", "/run" },
        { "memcached", "/tmp" },
};

/* What manages a whole system writes to more of it than mounts can name. */
static const char *const systems[] = {
        "systemd", "init", "supervisord", "s6-svscan", "runsvdir", "openrc-init", "sshd"
};

struct mounts {
        struct str v[MOUNTS_MAX];
        size_t n, more;
};

static bool is_below(struct str path, struct str directory)
{
        return str_starts(path, directory) && (path.n == directory.n || path.p[directory.n] == '/');
}

static void mount_add(struct mounts *m, struct str path)
{
        while (path.n > 1 && path.p[path.n - 1] == '/')
                path.n--;
        if (str_starts(path, STR("/var/run")) && (path.n == 8 || path.p[8] == '/'))
                path = str_from(path, 4); /* a link to /run */
        if (path.n < 2 || path.p[0] != '/')
                return;
        for (size_t i = 0; i < m->n; i++)
                if (is_below(path, m->v[i]))
                        return;
        if (m->n == MOUNTS_MAX)
                m->more++;
        else
                m->v[m->n++] = path;
}

static struct str base_name(struct str path) { return str_from(path, (size_t)(str_rfind_char(path, '/') + 1)); }

/* The program: past what only waits for it (tini --), and past a script that starts it. */
static struct str program_of(const struct fact_image *image, struct str *ret_script)
{
        struct str program = STR_NONE;
        const struct str_list *lists[] = { &image->entrypoint, &image->cmd };
        for (size_t k = 0; k < ARRAY_SIZE(lists); k++)
                for (size_t i = 0; i < lists[k]->n; i++) {
                        struct str name = base_name(lists[k]->v[i]);
                        bool waits = str_is(name, "tini") || str_is(name, "dumb-init") || str_is(name, "catatonit");
                        if (waits || str_starts(name, STR("-")))
                                continue;
                        if (str_ends(name, STR(".sh")) || str_is(name, "docker-entrypoint") || str_is(name, "sh") ||
                            str_is(name, "bash")) {
                                *ret_script = ret_script->n ? *ret_script : name;
                                continue;
                        }
                        program = program.n ? program : name;
                }
        return program;
}

static bool writes_below(struct str path) /* where a directory of a user's means that the program writes there */
{
        static const char *const roots[] = {
                "/var", "/run", "/data", "/srv", "/opt", "/home", "/app", "/tmp", "/config"
        };
        for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
                if (is_below(path, str_of(roots[i])))
                        return true;
        return false;
}

static void find_mounts(const struct report *r, const struct image_files *f, struct str program, struct arena *arena,
                        struct mounts *m)
{
        for (size_t i = 0; i < r->image.volumes.n; i++)
                mount_add(m, r->image.volumes.v[i]);
        for (size_t i = 0; i < ARRAY_SIZE(known_writers); i++) {
                struct str rest = str_of(known_writers[i].paths);
                while (str_is(program, known_writers[i].program) && rest.p)
                        mount_add(m, str_cut(&rest, ' '));
        }
        if (f->has_run)
                mount_add(m, STR("/run"));
        if (f->has_tmp)
                mount_add(m, STR("/tmp"));
        for (size_t i = 0; i < f->in_order.n; i++) {
                struct str path = arena_printf(arena, "/%.*s", STR_FMT(f->in_order.v[i]->path));
                if (f->in_order.v[i]->uid && writes_below(path))
                        mount_add(m, path);
        }
}

bool image_read_only_advice(const struct report *r, const struct image_files *f, struct arena *arena, struct str *ret)
{
        struct str script = STR_NONE, program = program_of(&r->image, &script);
        struct mounts m = { .n = 0 };
        if (!program.n && !script.n)
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(systems); i++)
                if (str_is(program, systems[i])) {
                        *ret = arena_printf(arena, "not likely: %.*s manages a system and writes all over it",
                                            STR_FMT(program));
                        return true;
                }
        find_mounts(r, f, program, arena, &m);
        if (m.more) {
                *ret = arena_printf(arena, "not likely: it seems to write to %zu places", m.n + m.more);
                return true;
        }
        struct buf b = BUF_INIT(64 << 10);
        buf_printf(&b, "can run read-only with %zu mount%s", m.n, m.n == 1 ? "" : "s");
        for (size_t i = 0; i < m.n; i++)
                buf_printf(&b, "%s%.*s", i ? ", " : ": ", STR_FMT(str_upto(m.v[i], 200)));
        if (script.n)
                buf_printf(&b, "; %.*s may write elsewhere: try it", STR_FMT(str_upto(script, 100)));
        *ret = arena_str(arena, buf_str(&b));
        buf_done(&b);
        return true;
}
