/*
 * See container-find.h. First only directories are listed and podman's one list is read, for ids; the files of each
 * container are read for the one that is meant, or for all where nobody has such an id and the name is looked for.
 */
#include "source/container-find.h"

#include "base/fs.h"
#include "base/map.h"
#include "base/vec.h"
#include "source/file.h"
#include "source/podman.h"
#include "source/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONTAINERS_MAX 10000u

/* What is known of a container, and the files that may tell more. */
struct known {
        struct container c;
        const char *docker_file, *bundle, *state_file, *pid_file;
        bool is_described;
};

struct finding {
        struct arena *arena;
        const char *host;                 /* what stands before every path: "" */
        const char *only;                 /* NULL, or the one id that is looked for: nothing is listed for it */
        struct document_servant *servant; /* NULL: a worker reads each file */
        VEC(struct known *) all;
        struct map_str by_id;
};

static struct known *know(struct finding *f, struct str id, const char *engine)
{
        bool is_new;
        void **at = map_str_put(&f->by_id, arena_str(f->arena, id), &is_new);
        if (!is_new)
                return *at;
        struct known *k = arena_new(f->arena, struct known);
        k->c.id = arena_str(f->arena, id);
        k->c.engine = engine;
        *at = k;
        *vec_push(&f->all) = k;
        return k;
}

/* --- listing --- */

/* Calls one() for each entry of a directory whose name may be that of a container. */
static void each_in(struct finding *f, const char *path, const char *engine,
                    void (*one)(struct finding *, const char *path, const char *id, const char *engine))
{
        if (f->only) {
                if (faccessat(AT_FDCWD, arena_printf(f->arena, "%s/%s", path, f->only).p, F_OK, 0) == 0)
                        one(f, path, f->only, engine);
                return;
        }
        DIR *dir = opendir(path);
        for (struct dirent *d; dir && f->all.n < CONTAINERS_MAX && (d = readdir(dir));)
                if (d->d_name[0] != '.')
                        one(f, path, d->d_name, engine);
        if (dir)
                closedir(dir);
}

static const char *path_of(struct finding *f, const char *dir, const char *name, const char *file)
{
        return arena_printf(f->arena, "%s/%s/%s", dir, name, file).p;
}

static void add_docker(struct finding *f, const char *path, const char *id, const char *engine)
{
        if (!store_is_id(str_of(id)))
                return;
        struct known *k = know(f, str_of(id), engine);
        k->c.engine = engine;
        k->docker_file = path_of(f, path, id, "config.v2.json");
}

static void add_task(struct finding *f, const char *path, const char *id, const char *engine)
{
        struct known *k = know(f, str_of(id), engine);
        k->bundle = path_of(f, path, id, "config.json");
        k->pid_file = path_of(f, path, id, "init.pid");
}

static void add_state(struct finding *f, const char *path, const char *id, const char *engine)
{
        know(f, str_of(id), engine)->state_file =
                path_of(f, path, id, strcmp(engine, "crun") == 0 ? "status" : "state.json");
}

static void add_namespace_of_tasks(struct finding *f, const char *path, const char *name, const char *engine)
{
        each_in(f, arena_printf(f->arena, "%s/%s", path, name).p, engine, add_task);
}

static void add_namespace_of_states(struct finding *f, const char *path, const char *name, const char *engine)
{
        each_in(f, arena_printf(f->arena, "%s/%s", path, name).p, engine, add_state);
}

static const char *on_host(struct finding *f, const char *path)
{
        return f->host[0] ? arena_printf(f->arena, "%s%s", f->host, path).p : path;
}

/* The namespaces of a runtime are listed even if only one id is looked for. */
static void each_namespace(struct finding *f, const char *path,
                           void (*one)(struct finding *, const char *path, const char *id, const char *engine))
{
        DIR *dir = opendir(path);
        for (struct dirent *d; dir && f->all.n < CONTAINERS_MAX && (d = readdir(dir));)
                if (d->d_name[0] != '.')
                        one(f, path, d->d_name, "containerd");
        if (dir)
                closedir(dir);
}

static void list_runtimes(struct finding *f)
{
        static const char *const tasks[] = { "/run/containerd/io.containerd.runtime.v2.task",
                                             "/run/k3s/containerd/io.containerd.runtime.v2.task",
                                             "/run/docker/containerd/daemon/io.containerd.runtime.v2.task" };
        static const char *const states[] = { "/run/containerd/runc", "/run/k3s/containerd/runc",
                                              "/run/docker/runtime-runc" };
        for (size_t i = 0; i < ARRAY_SIZE(tasks); i++)
                each_namespace(f, on_host(f, tasks[i]), add_namespace_of_tasks);
        for (size_t i = 0; i < ARRAY_SIZE(states); i++)
                each_namespace(f, on_host(f, states[i]), add_namespace_of_states);
        each_in(f, on_host(f, "/run/runc"), "runc", add_state);
        each_in(f, on_host(f, "/run/crun"), "crun", add_state);
        const char *own = env_or("XDG_RUNTIME_DIR", NULL);
        if (own && !f->host[0]) {
                each_in(f, arena_printf(f->arena, "%s/runc", own).p, "runc", add_state);
                each_in(f, arena_printf(f->arena, "%s/crun", own).p, "crun", add_state);
        }
}

/*
 * The one entry of a file, or the one with that id. Only what is too long for the servant's messages is left to a
 * worker: a file that the servant did not survive, or did not read in time, is asked for again by who needs it.
 */
static int read_stored(struct finding *f, int dir_fd, const char *path, enum document_kind kind, struct str id,
                       struct fact_stored *ret)
{
        struct document d;
        if (f->servant) {
                _cleanup_(closep) int fd = open_regular(dir_fd, path, NULL);
                int r = fd < 0 ? fd : document_ask(f->servant, kind, id, fd, f->arena, ret);
                if (r != -EMSGSIZE)
                        return r;
        }
        int r = store_document(dir_fd, path, kind, f->arena, &d, NULL);
        if (r < 0 || (id.n == 0 && d.n_stored != 1))
                return r < 0 ? r : -ENOENT;
        for (size_t i = 0; i < d.n_stored; i++)
                if (id.n == 0 || str_eq(d.stored[i].id, id)) {
                        *ret = d.stored[i];
                        return 0;
                }
        return -ENOENT;
}

/* Where a driver of containers/storage keeps what runs, and what it says of a container. */
static void add_podman(struct finding *f, const struct fact_stored *s, const char *root, const char *run)
{
        if (!store_is_id(s->id))
                return;
        struct known *k = know(f, s->id, "podman");
        k->c.engine = "podman";
        k->c.root = root;
        k->c.name = s->names.n ? s->names.v[0] : STR_NONE;
        k->c.image = s->image;
        k->c.image_id = s->parent;
        if (!k->pid_file)
                k->pid_file = arena_printf(f->arena, "%s/%.*s/userdata/pidfile", run, STR_FMT(s->id)).p;
        if (!k->bundle) /* CRI-O's annotations */
                k->bundle = arena_printf(f->arena, "%s/%.*s/userdata/config.json", run, STR_FMT(s->id)).p;
}

static void list_podman(struct finding *f, const char *root)
{
        static const char *const drivers[] = { "overlay", "vfs" };
        const char *own = env_or("XDG_RUNTIME_DIR", NULL);
        const char *run = own && !f->host[0] && strncmp(root, "/var/lib/", 9) != 0
                                  ? arena_printf(f->arena, "%s/containers", own).p
                                  : on_host(f, "/run/containers/storage");
        _cleanup_(closep) int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        for (size_t d = 0; fd >= 0 && d < ARRAY_SIZE(drivers); d++) {
                const char *running = arena_printf(f->arena, "%s/%s-containers", run, drivers[d]).p;
                struct document list;
                struct fact_stored one;
                char path[64];
                snprintf(path, sizeof(path), "%s-containers/containers.json", drivers[d]);
                if (f->only) {
                        if (read_stored(f, fd, path, DOCUMENT_PODMAN_CONTAINERS, str_of(f->only), &one) == 0)
                                add_podman(f, &one, root, running);
                        continue;
                }
                if (store_document(fd, path, DOCUMENT_PODMAN_CONTAINERS, f->arena, &list, NULL) < 0)
                        continue;
                for (size_t i = 0; i < list.n_stored && f->all.n < CONTAINERS_MAX; i++)
                        add_podman(f, &list.stored[i], root, running);
        }
}

/* --- describing --- */

static uint64_t read_pid(const char *path)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(64);
        uint64_t pid = 0;
        return read_file(path, &text, NULL) == 0 && str_u64(str_trim(buf_str(&text)), &pid) ? pid : 0;
}

static bool read_one(struct finding *f, const char *path, enum document_kind kind, struct fact_stored *ret)
{
        return path && read_stored(f, AT_FDCWD, path, kind, STR_NONE, ret) == 0;
}

/* What the files say together: a bundle knows the mounts, Docker the health check. */
static void add_settings(struct finding *f, struct known *k, struct str_list more)
{
        struct str_list both = { .v = arena_array(f->arena, k->c.settings.n + more.n, sizeof(struct str)),
                                 .n = k->c.settings.n + more.n };
        if (both.n == 0)
                return;
        for (size_t i = 0; i < k->c.settings.n; i++)
                both.v[i] = k->c.settings.v[i];
        for (size_t i = 0; i < more.n; i++)
                both.v[k->c.settings.n + i] = more.v[i];
        k->c.settings = both;
}

static void describe(struct finding *f, struct known *k)
{
        struct fact_stored s;
        if (k->is_described)
                return;
        k->is_described = true;
        if (read_one(f, k->docker_file, DOCUMENT_DOCKER_CONTAINER, &s)) {
                k->c.name = s.names.n ? s.names.v[0] : STR_NONE;
                k->c.image = s.image;
                k->c.image_id = str_without(s.parent, STR("sha256:"));
                k->c.pid = s.pid;
                k->c.labels = s.labels;
                add_settings(f, k, s.settings);
        }
        if (read_one(f, k->bundle, DOCUMENT_BUNDLE, &s)) {
                k->c.name = k->c.name.n || !s.names.n ? k->c.name : s.names.v[0];
                k->c.image = k->c.image.n ? k->c.image : s.image;
                k->c.labels = k->c.labels.n ? k->c.labels : s.labels;
                add_settings(f, k, s.settings);
        }
        if (read_one(f, k->state_file, DOCUMENT_RUNTIME_STATE, &s)) {
                k->c.pid = s.pid;
                k->c.started = s.started;
                if (!k->bundle) /* which says the same */
                        add_settings(f, k, s.settings);
        }
        if (!k->c.pid && k->pid_file)
                k->c.pid = read_pid(k->pid_file);
}

/* --- choosing --- */

static bool has_id(const struct known *k, struct str asked)
{
        return str_eq(k->c.id, asked) || store_is_id_prefix(asked, k->c.id);
}

static bool has_name(const struct known *k, struct str asked) { return str_eq(k->c.name, asked); }

static int choose(struct finding *f, struct str asked, bool (*fits)(const struct known *, struct str),
                  struct known **ret, struct error *err)
{
        struct known *found = NULL;
        for (size_t i = 0; i < f->all.n; i++) {
                struct known *k = f->all.v[i];
                if (!fits(k, asked))
                        continue;
                if (found)
                        return error_set(err, -EINVAL, "several containers fit \"%.*s\": %.*s, %.*s", STR_FMT(asked),
                                         STR_FMT(found->c.id), STR_FMT(k->c.id));
                found = k;
        }
        *ret = found;
        return found ? 0 : -ENOENT;
}

static int find(struct finding *f, struct str asked, struct known **ret, struct error *err)
{
        int r = choose(f, asked, has_id, ret, err);
        if (r != -ENOENT)
                return r;
        r = choose(f, asked, has_name, ret, err);
        if (r != -ENOENT)
                return r;
        for (size_t i = 0; i < f->all.n; i++)
                describe(f, f->all.v[i]);
        return choose(f, asked, has_name, ret, err);
}

int container_ask_id(struct document_servant *servant, const char *host, struct str id, struct arena *arena,
                     struct container *ret)
{
        struct finding f = { .arena = arena, .host = host, .only = arena_cstr(arena, id), .servant = servant };
        struct podman_roots roots;
        if (id.n == 0 || id.p[0] == '.' || str_find_char(id, '/') >= 0 || str_find_char(id, '\0') >= 0)
                return -ENOENT;
        if (store_is_id(id)) {
                podman_find_roots(host[0] ? on_host(&f, "/var/lib/containers/storage") : NULL, arena, &roots);
                for (size_t i = 0; i < roots.n; i++)
                        list_podman(&f, roots.v[i]);
                each_in(&f, on_host(&f, "/var/lib/docker/containers"), "docker", add_docker);
        }
        list_runtimes(&f);
        struct known *k = map_str_get(&f.by_id, id);
        if (k) {
                describe(&f, k);
                *ret = k->c;
        }
        vec_done(&f.all);
        map_str_done(&f.by_id);
        return k ? 0 : -ENOENT;
}

int container_find_id(const char *host, struct str id, struct arena *arena, struct container *ret)
{
        return container_ask_id(NULL, host, id, arena, ret);
}

static void list_all(struct finding *f, const char *root, const char *docker)
{
        struct podman_roots roots;
        podman_find_roots(root, f->arena, &roots);
        for (size_t i = 0; i < roots.n; i++)
                list_podman(f, roots.v[i]);
        each_in(f, arena_printf(f->arena, "%s/containers", docker).p, "docker", add_docker);
        list_runtimes(f);
}

size_t container_list_running(struct arena *arena, struct container **ret)
{
        struct finding f = { .arena = arena, .host = "" };
        size_t n = 0;
        list_all(&f, NULL, "/var/lib/docker");
        *ret = arena_array(arena, f.all.n, sizeof(**ret));
        for (size_t i = 0; i < f.all.n; i++) {
                struct known *k = f.all.v[i];
                char path[64];
                describe(&f, k);
                snprintf(path, sizeof(path), "/proc/%llu", (unsigned long long)k->c.pid);
                if (k->c.pid > 0 && access(path, F_OK) == 0)
                        (*ret)[n++] = k->c;
        }
        vec_done(&f.all);
        map_str_done(&f.by_id);
        return n;
}

int container_find(const char *asked, const char *root, struct arena *arena, struct container *ret, struct error *err)
{
        struct finding f = { .arena = arena, .host = "" };
        const char *docker = root ? root : "/var/lib/docker";
        list_all(&f, root, docker);
        struct known *k = NULL;
        int r = find(&f, str_of(asked), &k, err);
        if (r == 0) {
                describe(&f, k);
                *ret = k->c;
                if (k->docker_file)
                        ret->root = docker;
        } else if (r == -ENOENT) {
                r = error_set(err, r,
                              "no container is called \"%s\": among %zu of podman, docker, containerd, runc and crun",
                              asked, f.all.n);
        }
        vec_done(&f.all);
        map_str_done(&f.by_id);
        return r;
}
