/*
 * A running container, looked at from the host: its root through /proc/PID/root, opened once and never left, packed on
 * the way as one layer. Nothing runs inside. What is mounted into it (/proc, volumes, /etc/hosts) is noted, not read.
 */
#include "base/fs.h"
#include "source/container-find.h"
#include "source/packed.h"
#include "source/reference.h"
#include "source/sources.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct state {
        int process_fd; /* /proc/PID: reads fail with ESRCH once the process is gone, whoever gets its number */
        int root_fd;
        uint64_t pid;
};

static int container_recognise(const char *target)
{
        size_t n = strlen(target);
        for (size_t i = 0; i < n; i++)
                if (!isalnum((unsigned char)target[i]) && !strchr("_.-", target[i]))
                        return 0;
        return n && n < 256 && isalnum((unsigned char)target[0]) ? 30 : 0;
}

static int read_of_process(int process_fd, const char *file, struct buf *ret)
{
        _cleanup_(closep) int fd = openat(process_fd, file, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : read_all(fd, ret);
}

/* Field 22 of /proc/PID/stat (proc(5)), after the command's name in parentheses, which may hold anything. */
static uint64_t start_of_process(int process_fd)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(4096);
        if (read_of_process(process_fd, "stat", &text) < 0)
                return 0;
        struct str rest = buf_str(&text);
        rest = str_from(rest, (size_t)(str_rfind_char(rest, ')') + 1));
        uint64_t v = 0;
        for (int field = 2; field < 22; field++) {
                rest = str_trim(rest);
                struct str one = str_cut(&rest, ' ');
                if (field == 21)
                        (void)str_u64(one, &v);
        }
        return v;
}

static bool names_other_id(struct str cgroups, struct str id)
{
        size_t run = 0;
        if (str_find(cgroups, id) >= 0)
                return false;
        for (size_t i = 0; i < cgroups.n; i++) {
                run = isxdigit((unsigned char)cgroups.p[i]) ? run + 1 : 0;
                if (run == 64)
                        return true;
        }
        return false;
}

/* Process ids are used again. This one is the container's if it began when the runtime says, or by its control groups.
 */
static bool is_its_process(const struct container *c, int process_fd)
{
        struct stat own, its;
        if (stat("/", &own) == 0 && fstatat(process_fd, "root/.", &its, 0) == 0 && own.st_dev == its.st_dev &&
            own.st_ino == its.st_ino)
                return false; /* the host's own root: no container */
        if (c->started)
                return start_of_process(process_fd) == c->started;
        _cleanup_(buf_done) struct buf cgroups = BUF_INIT(64u << 10);
        return read_of_process(process_fd, "cgroup", &cgroups) < 0 || !names_other_id(buf_str(&cgroups), c->id);
}

static int enter(const struct container *c, struct state *s, struct error *err)
{
        char path[64];
        struct str name = c->name.n ? c->name : c->id;
        if (!c->pid)
                return error_set(err, -ESRCH, "container %.*s is not running%s%.*s", STR_FMT(name),
                                 c->image.n ? "; its image can be scanned: " : "", STR_FMT(c->image));
        s->pid = c->pid;
        snprintf(path, sizeof(path), "/proc/%llu", (unsigned long long)c->pid);
        s->process_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        s->root_fd = s->process_fd < 0 ? -1 : openat(s->process_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        int r = s->root_fd < 0 ? -errno : 0;
        if (r == -ENOENT || r == -ESRCH || (r == 0 && !is_its_process(c, s->process_fd)))
                return error_set(err, -ESRCH, "container %.*s has ended: its process %llu is gone", STR_FMT(name),
                                 (unsigned long long)c->pid);
        if (r < 0)
                return error_errno(err, r, "cannot look into container %.*s (its process is %llu; this needs root)",
                                   STR_FMT(name), (unsigned long long)c->pid);
        return 0;
}

static void leave(struct state *s)
{
        s->process_fd = close_fd(s->process_fd);
        s->root_fd = close_fd(s->root_fd);
}

/* The configuration, tags and digest of its image, if the engine's store still has it. */
static void add_image(struct artefact *a, const struct container *c, const struct source_options *o)
{
        const struct source *store = strcmp(c->engine, "podman") == 0   ? &source_podman
                                     : strcmp(c->engine, "docker") == 0 ? &source_docker
                                                                        : NULL;
        if (c->image.n) {
                a->tags = (struct str_list){ .v = arena_new(&a->arena, struct str), .n = 1 };
                a->tags.v[0] = c->image;
        }
        if (c->image_id.n)
                a->image_id = arena_printf(&a->arena, "sha256:%.*s", STR_FMT(c->image_id));
        if (!store || !c->image_id.n)
                return;
        struct source_options options = *o;
        options.root = c->root;
        struct artefact image = { .source = store };
        if (store->open(arena_cstr(&image.arena, c->image_id), &options, &image, NULL) < 0) {
                arena_done(&image.arena);
                return;
        }
        a->digest = arena_str(&a->arena, image.digest);
        if (image.has_config) {
                a->has_config = true;
                fact_copy(FACT_image, &a->arena, &image.config, &a->config);
        }
        artefact_close(&image);
}

static int container_open(const char *target, const struct source_options *o, struct artefact *ret, struct error *err)
{
        struct container c;
        int r = container_find(target, o->root, &ret->arena, &c, err);
        if (r < 0)
                return r;
        struct state *s = arena_new(&ret->arena, struct state);
        s->process_fd = s->root_fd = -1;
        r = enter(&c, s, err);
        if (r < 0) {
                leave(s);
                return r;
        }
        ret->state = s;
        ret->container = c.id;
        ret->container_pid = c.pid;
        ret->name = c.name.n ? c.name : c.id;
        add_image(ret, &c, o);
        packed_single_layer(ret, arena_printf(&ret->arena, "/proc/%llu/root", (unsigned long long)c.pid));
        return 0;
}

static int container_open_layer(struct artefact *a, size_t i, struct layer_input *ret, struct error *err)
{
        const struct state *s = a->state;
        if (faccessat(s->process_fd, "root/.", F_OK, 0) < 0)
                return error_set(err, -ESRCH, "container %.*s has ended: its process %llu is gone", STR_FMT(a->name),
                                 (unsigned long long)s->pid);
        struct treepack what = {
                .root_fd = s->root_fd, .below_fd = -1, .mode = TREEPACK_PLAIN, .process_fd = s->process_fd
        };
        return packed_open(&what, ret, err);
}

static int container_open_environment(struct artefact *a)
{
        const struct state *s = a->state;
        int fd = openat(s->process_fd, "environ", O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static void container_close(struct artefact *a) { leave(a->state); }

const struct source source_container = {
        .name = "container",
        .prefix = "container:",
        .summary = "running container of podman, docker, containerd, CRI-O, runc or crun",
        .example = "container:web-1",
        .recognise = container_recognise,
        .open = container_open,
        .open_layer = container_open_layer,
        .close = container_close,
        .open_environment = container_open_environment,
};
