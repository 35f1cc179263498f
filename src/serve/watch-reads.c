/* See watch-reads.h. */
#include "serve/watch-reads.h"

#include "base/fs.h"
#include "serve/watch-private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define DEEP      3u     /* directories below one that is marked as a whole */
#define LOOKS_MAX 16384u /* names of one container that are looked at */

#define HOME(path) "container:/root/" path, "container:/home/*/" path

/* What the rules of reading ask for, ours and Falco's: password hashes, who may become whom, keys, credentials, the
 * kernel's memory. */
static const char *const secrets[] = {
        "container:/etc/shadow*",
        "container:/etc/gshadow*",
        "container:/etc/sudoers",
        "container:/etc/sudoers.d",
        "container:/etc/security/opasswd",
        "container:/etc/security/pwquality.conf",
        "container:/etc/pam.conf",
        "container:/etc/pam.d",
        "container:/etc/krb5.keytab",
        "container:/etc/ssh/ssh_host_*_key",
        "container:/run/secrets/kubernetes.io/serviceaccount",
        "container:/var/run/secrets/kubernetes.io/serviceaccount",
        "container:/proc/kcore",
        "container:/proc/1/environ", /* of the others' nobody is told: they come and go */
        HOME(".ssh"),
        HOME(".aws/credentials"),
        HOME(".docker/config.json"),
        HOME(".kube/config"),
        HOME(".config/gcloud/credentials.db"),
        HOME(".config/gcloud/application_default_credentials.json"),
        HOME(".azure/accessTokens.json"),
        HOME(".git-credentials"),
        HOME(".netrc"),
};

/* The kernel's own file systems, by which it is told to do things. */
static const char *const kernel_types[] = { "proc", "sysfs", "cgroup", "cgroup2", "binfmt_misc", "debugfs", "tracefs" };

/* ---------------------------------------------------------------------------------------------------- marking ---- */

struct marking {
        struct watch *w;
        const struct container_entry *c;
        int root; /* the container's */
        size_t left, looks_left;
        size_t refused; /* by the kernel; why: the last one, -errno */
        int why;
};

static void mark(struct marking *m, int fd, enum file_reads_mark what)
{
        if (m->left == 0)
                return;
        m->left--;
        int r = file_reads_mark(m->w->reads.reads, fd, what);
        if (r < 0) {
                m->refused++;
                m->why = r;
        }
}

/* A directory or file of the container; -1 also where whoever serves its file system may never answer. */
static int open_inside(const struct marking *m, const char *path, int flags)
{
        static const char *const served[] = { "fuse", "nfs", "cifs", "smb", "9p", "ceph", "afs", "lustre", "virtiofs" };
        const struct container_mount *mount = container_mount_of(m->c, str_of(path));
        for (size_t i = 0; mount && i < ARRAY_SIZE(served); i++)
                if (str_starts(mount->type, str_of(served[i])))
                        return -1;
        return open_in_root(m->root, path, flags);
}

/* The next name of a directory, but for "." and "..", as long as there is room. */
static const char *next_name(struct marking *m, DIR *d)
{
        struct dirent *e = NULL;
        do
                e = d && m->left && m->looks_left ? readdir(d) : NULL;
        while (e && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0));
        m->looks_left -= e != NULL;
        return e ? e->d_name : NULL;
}

/* A file, or those of a directory. */
static void mark_secret(struct marking *m, const char *path, unsigned depth)
{
        struct stat st;
        _cleanup_(closep) int fd = open_inside(m, path, O_PATH);
        if (fd < 0 || fstat(fd, &st) < 0)
                return;
        if (S_ISREG(st.st_mode)) {
                mark(m, fd, FILE_READS_READ);
                watched_names_put(&m->w->reads.names, m->c->cgroup_id, &st, str_of(path));
        }
        if (!S_ISDIR(st.st_mode) || depth == DEEP)
                return;
        int listed = open_inside(m, path, O_RDONLY | O_DIRECTORY);
        DIR *d = listed < 0 ? NULL : fdopendir(listed);
        for (const char *name; (name = next_name(m, d));) {
                char below[PATH_MAX];
                if (snprintf(below, sizeof(below), "%s/%s", path, name) < (int)sizeof(below))
                        mark_secret(m, below, depth + 1);
        }
        if (d)
                closedir(d);
}

/* What of the pattern's rest is there below a directory. */
static void mark_pattern(struct marking *m, struct str dir, struct str rest)
{
        char path[PATH_MAX];
        ptrdiff_t star = str_find_char(rest, '*');
        if (star < 0) {
                if (snprintf(path, sizeof(path), "%.*s%.*s", STR_FMT(dir), STR_FMT(rest)) < (int)sizeof(path))
                        mark_secret(m, path, 0);
                return;
        }
        ptrdiff_t slash = str_rfind_char(str_upto(rest, (size_t)star), '/');
        struct str above = str_upto(rest, (size_t)slash), after = str_from(rest, (size_t)slash + 1);
        ptrdiff_t end = str_find_char(after, '/');
        struct str pattern = end < 0 ? after : str_upto(after, (size_t)end);
        if (snprintf(path, sizeof(path), "%.*s%.*s", STR_FMT(dir), STR_FMT(above)) >= (int)sizeof(path))
                return;
        int listed = open_inside(m, path[0] ? path : "/", O_RDONLY | O_DIRECTORY);
        DIR *d = listed < 0 ? NULL : fdopendir(listed);
        for (const char *name; (name = next_name(m, d));) {
                char below[PATH_MAX];
                if (watch_name_fits(pattern, str_of(name)) &&
                    snprintf(below, sizeof(below), "%s/%s", path, name) < (int)sizeof(below))
                        mark_pattern(m, str_of(below), str_from(after, pattern.n));
        }
        if (d)
                closedir(d);
}

static void mark_mounts(struct marking *m)
{
        const struct container_entry *c = m->c;
        for (size_t i = 0; i < c->n_mounts; i++) {
                bool is_kernels = false;
                char path[PATH_MAX];
                for (size_t k = 0; k < ARRAY_SIZE(kernel_types); k++)
                        is_kernels |= str_is(c->mounts[i].type, kernel_types[k]);
                if (!is_kernels ||
                    snprintf(path, sizeof(path), "%.*s", STR_FMT(c->mounts[i].point)) >= (int)sizeof(path))
                        continue;
                _cleanup_(closep) int fd = open_in_root(m->root, path, O_PATH);
                if (fd >= 0)
                        mark(m, fd, FILE_READS_WRITTEN);
        }
}

/* -1: its first process is not known, or has no root of its own. */
static int open_root(const struct container_entry *c)
{
        char path[64];
        struct stat st, host;
        snprintf(path, sizeof(path), "/proc/%llu/root", (unsigned long long)c->facts.pid);
        int fd = c->facts.pid == 0 ? -1 : open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        bool is_hosts = fd >= 0 && fstat(fd, &st) == 0 && stat("/", &host) == 0 && st.st_dev == host.st_dev &&
                        st.st_ino == host.st_ino;
        return is_hosts ? close_fd(fd) : fd;
}

void watch_reads_learn(struct watch *w, const struct container_entry *c)
{
        struct marking m = { .w = w, .c = c, .left = WATCH_READS_MARKS_MAX, .looks_left = LOOKS_MAX };
        if (!w->reads.reads)
                return;
        _cleanup_(closep) int root = m.root = open_root(c);
        if (root < 0) {
                if (c->facts.pid == 0) /* else it has ended already */
                        agent_tell(w->a,
                                   "who reads secrets of container %.*s is not seen in lean mode: its first process is "
                                   "not known",
                                   STR_FMT(c->id));
                return;
        }
        mark_mounts(&m);
        for (size_t i = 0; i < w->reads.paths.v.n; i++)
                mark_pattern(&m, STR_NONE, w->reads.paths.v.v[i].path);
        if (m.left == 0 || m.looks_left == 0)
                agent_tell(w->a,
                           "container %.*s has more than %u secrets, or %u names where they may be: who reads the "
                           "others is not seen in lean mode",
                           STR_FMT(c->id), WATCH_READS_MARKS_MAX, LOOKS_MAX);
        if (m.refused)
                agent_tell(w->a, "of container %.*s %zu secrets or mounts are not seen in lean mode: %s",
                           STR_FMT(c->id), m.refused, strerror(-m.why));
}

void watch_reads_appeared(struct watch *w, uint64_t cgroup_id, struct str path)
{
        const struct container_entry *c = cgroup_id ? container_known(&w->a->containers, cgroup_id) : NULL;
        char text[PATH_MAX];
        if (!w->reads.reads || !c || !watch_paths_has(&w->reads.paths, path, true) ||
            snprintf(text, sizeof(text), "%.*s", STR_FMT(path)) >= (int)sizeof(text))
                return;
        _cleanup_(closep) int root = open_root(c);
        struct marking m = { .w = w, .c = c, .root = root, .left = 1, .looks_left = 1 };
        const struct process *first = process_find(&w->a->processes, (uint32_t)c->facts.pid);
        if (root >= 0 && first && first->cgroup_id == cgroup_id) /* its number may be another's by now */
                mark_secret(&m, text, DEEP);
}

/* ---------------------------------------------------------------------------------------------------- reading ---- */

static void wait_for_ring(void *arg, const struct file_read *e)
{
        struct watch *w = arg;
        char link[32], path[PATH_MAX];
        struct watched_read x = { .pid = e->pid, .is_written = e->is_written };
        snprintf(link, sizeof(link), "/proc/self/fd/%d", e->fd);
        ssize_t n = e->pid == (uint32_t)getpid() || fstat(e->fd, &x.st) < 0 ? -1 : readlink(link, path, sizeof(path));
        if (n <= 0 || n == (ssize_t)sizeof(path))
                return;
        x.path = str_span(path, (size_t)n);
        if (x.st.st_nlink == 0 && str_ends(x.path, STR(" (deleted)")))
                x.path.n -= strlen(" (deleted)");
        x.path = arena_str(&w->reads.arena, x.path);
        *vec_push(&w->reads.batch) = x;
}

/* The path below the root that the container's processes have; of most, what changed its root with pivot_root, it is
 * that already. */
static struct str inside(const struct container_entry *c, struct str path)
{
        char link[64], root[PATH_MAX];
        snprintf(link, sizeof(link), "/proc/%llu/root", (unsigned long long)c->facts.pid);
        ssize_t n = readlink(link, root, sizeof(root));
        struct str prefix = str_span(root, n > 1 ? (size_t)n : 0);
        return prefix.n && str_starts(path, prefix) && path.n > prefix.n && path.p[prefix.n] == '/'
                       ? str_from(path, prefix.n)
                       : path;
}

/* What the file is known as: a secret by another name is that secret. */
static struct str name_of(const struct watch *w, const struct container_entry *c, const struct watched_read *x)
{
        struct str path = inside(c, x->path);
        struct str marked = x->is_written || watch_paths_has(&w->reads.paths, path, true)
                                    ? STR_NONE
                                    : watched_names_find(&w->reads.names, c->cgroup_id, &x->st);
        return marked.n ? marked : path;
}

static void tell(struct watch *w, const struct watched_read *x)
{
        const struct process *p = watch_find_process(w, x->pid);
        const struct container_entry *c = p ? container_known(&w->a->containers, p->cgroup_id) : NULL;
        uint64_t key = hash_str_more(hash_str(x->path), str_span(&x->pid, sizeof(x->pid)));
        key = hash_str_more(key, x->is_written ? STR("written") : STR("read"));
        if (!c || sensor_is_full(w->a->sensor) || !set64_add(&w->opened, key))
                return;
        struct waiting of = { .e = { .pid = x->pid }, .cgroup_id = p->cgroup_id };
        struct event e = { .file = name_of(w, c, x) };
        e.call.args[0] = (uint64_t)AT_FDCWD;
        e.call.args[2] = x->is_written ? O_WRONLY : O_RDONLY;
        watch_describe(&e, &x->st);
        watch_judge(w, &of, CALL_openat, &e);
}

static void on_ready(void *arg)
{
        struct watch *w = arg;
        agent_drain(w->a); /* containers that are new */
        (void)file_reads_read(w->reads.reads, WATCH_BATCH_MAX, wait_for_ring, w);
        agent_drain(w->a); /* programs that are new */
        for (size_t i = 0; i < w->reads.batch.n; i++)
                tell(w, &w->reads.batch.v[i]);
        w->reads.batch.n = 0;
        arena_done(&w->reads.arena);
}

/* ------------------------------------------------------------------------------------------------------- part ---- */

int watch_reads_start(struct watch *w, struct error *err)
{
        struct watch_reads *r = &w->reads;
        int result = 0;
        for (size_t i = 0; i < ARRAY_SIZE(secrets) && result == 0; i++)
                result = watch_paths_add(&r->paths, secrets[i], err);
        if (result < 0)
                return result;
        if (file_reads_new(&r->reads, err) < 0) {
                agent_tell(w->a, "who reads secrets is not seen in lean mode: %s", err->text);
                return 0;
        }
        result = agent_add_source(w->a, file_reads_fd(r->reads), on_ready, w);
        w->a->hears_reads = result == 0;
        return result;
}

void watch_reads_stop(struct watch *w)
{
        struct watch_reads *r = &w->reads;
        struct file_reads_counts c;
        if (r->reads) {
                file_reads_counts(r->reads, &c);
                agent_tell(w->a, "reading of secrets: %llu events, %llu of files that were gone, lost %llu times",
                           (unsigned long long)c.events, (unsigned long long)c.nameless,
                           (unsigned long long)c.overflows);
                agent_remove_source(w->a, file_reads_fd(r->reads));
        }
        file_reads_free(r->reads);
        watch_paths_done(&r->paths);
        watched_names_done(&r->names);
        vec_done(&r->batch);
        arena_done(&r->arena);
}

void watch_reads_tick(struct watch *w)
{
        struct watch_reads *r = &w->reads;
        struct file_reads_counts now;
        if (!r->reads)
                return;
        file_reads_counts(r->reads, &now);
        if (now.overflows != r->told.overflows)
                agent_emit_loss(w->a, "File events lost", "lost.read_queue", now.overflows - r->told.overflows,
                                "the kernel's queue of what is read was full: some events are lost");
        r->told = now;
}
