/* See target.h. */
#include "act/target.h"

#include "base/fs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PROC_FILE_MAX ((size_t)1 << 20)
#define PROCESSES_MAX 4096u /* of a cgroup that are looked at */

/* ----------------------------------------------------------------------------------------------------- text ---- */

static bool has_word(struct str list, const char *word)
{
        while (list.p)
                if (str_is(str_cut(&list, ','), word))
                        return true;
        return false;
}

struct str act_cgroup_line(struct str text, const char *controller)
{
        while (text.n) {
                struct str path = str_line(&text), number = str_cut(&path, ':');
                struct str controllers = str_cut(&path, ':');
                if (controller ? has_word(controllers, controller) : str_is(number, "0") && controllers.n == 0)
                        return path;
        }
        return STR_NONE;
}

/* "ID", "docker-ID", "cri-containerd-ID.scope": nothing may follow the id but systemd's suffix. */
static bool is_name_of(struct str name, struct str id)
{
        if (str_ends(name, STR(".scope")) && !str_eq(name, id))
                name = str_upto(name, name.n - strlen(".scope"));
        return str_eq(name, id) || (name.n > id.n && str_ends(name, id) && name.p[name.n - id.n - 1] == '-');
}

struct str act_cgroup_of_id(struct str path, struct str id)
{
        const char *start = path.p;
        while (id.n && path.p) {
                struct str name = str_cut(&path, '/');
                if (is_name_of(name, id))
                        return str_span(start, (size_t)(name.p + name.n - start));
        }
        return STR_NONE;
}

const char *act_cgroup_refusal(struct str path)
{
        ptrdiff_t slash = str_rfind_char(path, '/');
        struct str last = str_from(path, (size_t)(slash + 1));
        if (last.n == 0)
                return "it is the root of all cgroups";
        if (str_ends(last, STR(".slice")))
                return "it is a slice, which may hold any services";
        if (str_ends(last, STR(".service")))
                return "it is a service of the host";
        return str_is(last, "init.scope") ? "it is that of the host's process 1" : NULL;
}

bool act_cgroup_holds(struct str outer, struct str inner)
{
        return str_starts(inner, outer) && (inner.n == outer.n || inner.p[outer.n] == '/' || str_is(outer, "/"));
}

/* ----------------------------------------------------------------------------------------------------- host ---- */

bool act_cgroup_mount(const char *controller, char ret[ACT_PATH_MAX])
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(PROC_FILE_MAX);
        if (read_file("/proc/self/mounts", &b, NULL) < 0)
                return false;
        for (struct str rest = buf_str(&b); rest.n;) {
                struct str line = str_line(&rest);
                str_cut(&line, ' ');
                struct str point = str_cut(&line, ' '), type = str_cut(&line, ' '), flags = str_cut(&line, ' ');
                if (point.n >= ACT_PATH_MAX ||
                    !(controller ? str_is(type, "cgroup") && has_word(flags, controller) : str_is(type, "cgroup2")))
                        continue;
                snprintf(ret, ACT_PATH_MAX, "%.*s", STR_FMT(point));
                return true;
        }
        return false;
}

static int read_cgroups(const char *who, struct buf *b)
{
        char path[64];
        snprintf(path, sizeof(path), "/proc/%s/cgroup", who);
        return read_file(path, b, NULL);
}

/* Would it stop us, or process 1? */
static const char *holds_us(struct str cgroup)
{
        static const char *const processes[] = { "self", "1" };
        for (size_t i = 0; i < ARRAY_SIZE(processes); i++) {
                _cleanup_(buf_done) struct buf b = BUF_INIT(PROC_FILE_MAX);
                if (read_cgroups(processes[i], &b) == 0 && act_cgroup_holds(cgroup, act_cgroup_line(buf_str(&b), NULL)))
                        return i == 0 ? "sekisho itself runs in it" : "the host's process 1 runs in it";
        }
        return NULL;
}

static bool same_mounts(const char *a, const char *b)
{
        char path[64];
        struct stat x, y;
        snprintf(path, sizeof(path), "/proc/%s/ns/mnt", a);
        if (stat(path, &x) < 0)
                return false;
        snprintf(path, sizeof(path), "/proc/%s/ns/mnt", b);
        return stat(path, &y) == 0 && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

/* Does a program with the host's mounts run in it? Asked where the cgroup's name does not say that it is the container.
 */
static bool holds_host_programs(const char *dir)
{
        char path[ACT_PATH_MAX + 32], pid[24];
        _cleanup_(buf_done) struct buf b = BUF_INIT(PROC_FILE_MAX);
        snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
        if (read_file(path, &b, NULL) < 0)
                return true;
        struct str rest = buf_str(&b);
        for (size_t i = 0; rest.n; i++) {
                snprintf(pid, sizeof(pid), "%.*s", STR_FMT(str_line(&rest)));
                if (i == PROCESSES_MAX || same_mounts(pid, "1"))
                        return true;
        }
        return false;
}

/* The directory of a path in a hierarchy, "" if it is not there. */
static void find_dir(const char *controller, struct str path, char ret[ACT_PATH_MAX])
{
        char mount[ACT_PATH_MAX];
        struct stat st;
        ret[0] = '\0';
        if (path.n < 2 || !act_cgroup_mount(controller, mount))
                return;
        int n = snprintf(ret, ACT_PATH_MAX, "%s%.*s", mount, STR_FMT(path));
        if (n < 0 || (size_t)n >= ACT_PATH_MAX || stat(ret, &st) < 0)
                ret[0] = '\0';
}

static void copy(char to[ACT_NAME_MAX], struct str s) { snprintf(to, ACT_NAME_MAX, "%.*s", STR_FMT(s)); }

/* The container's own cgroup out of that of one of its processes. */
static struct str own_cgroup(struct str path, struct str id, bool *ret_is_named)
{
        struct str own = act_cgroup_of_id(path, id);
        *ret_is_named = own.n > 0;
        return own.n ? own : path;
}

int act_target_find(const struct act_subject *who, struct act_target *ret, struct error *err)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(PROC_FILE_MAX);
        struct str unified = who->cgroup, freezer = who->cgroup;
        bool is_named, is_named_v1;
        *ret = (struct act_target){ 0 };
        copy(ret->id, who->id);
        copy(ret->name, who->name.n ? who->name : who->id);
        copy(ret->image, who->image);
        if (who->pid) {
                char pid[24];
                snprintf(pid, sizeof(pid), "%llu", (unsigned long long)who->pid);
                if (read_cgroups(pid, &b) < 0)
                        return error_set(err, -ESRCH, "container %s does not run", ret->name);
                unified = act_cgroup_line(buf_str(&b), NULL);
                freezer = act_cgroup_line(buf_str(&b), "freezer");
        } else if (who->cgroup.n == 0) {
                return error_set(err, -ESRCH, "container %s does not run", ret->name);
        }
        unified = own_cgroup(unified, who->id, &is_named);
        freezer = own_cgroup(freezer, who->id, &is_named_v1);
        if (unified.n >= ACT_PATH_MAX)
                return error_set(err, -ENAMETOOLONG, "container %s: the path of its cgroup is too long", ret->name);
        find_dir(NULL, unified, ret->unified);
        if (is_named_v1 || who->pid)
                find_dir("freezer", freezer, ret->freezer);
        struct str of = ret->unified[0] ? unified : freezer;
        const char *dir = ret->unified[0] ? ret->unified : ret->freezer;
        snprintf(ret->cgroup, sizeof(ret->cgroup), "%.*s", STR_FMT(of));
        const char *refusal = act_cgroup_refusal(of);
        if (!refusal)
                refusal = holds_us(of);
        if (!refusal && dir[0] && !(ret->unified[0] ? is_named : is_named_v1) && holds_host_programs(dir))
                refusal = "programs of the host run in it too";
        if (refusal)
                return error_set(err, -EPERM, "container %s: nothing is done to its cgroup %s: %s", ret->name,
                                 ret->cgroup[0] ? ret->cgroup : "/", refusal);
        struct stat st;
        if (!dir[0] || stat(dir, &st) < 0)
                return error_set(err, -ESRCH, "container %s does not run: its cgroup %s is gone", ret->name,
                                 ret->cgroup);
        ret->cgroup_id = ret->unified[0] ? st.st_ino : 0;
        return 0;
}
