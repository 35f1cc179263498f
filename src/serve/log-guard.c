/*
 * The part `log-guard`: guards the logs of containers that the agent meets, and those that appear in them later, and
 * says who was refused. See log-guard.h.
 *
 * logrotate has to rename and truncate: while a program of the exception list runs that comes from the image (not one
 * that was dropped or changed), its container's logs are not guarded. That is told.
 *
 * Not guarded: files whose owners write them in place (lastlog, faillog, the journal), volumes, links. What begins
 * before the agent meets the container, and what fails because of the guard, is the kernel's to say: attempts are seen
 * in full mode only, as the EPERM of a system call.
 */
#include "serve/log-guard.h"

#include "base/fs.h"
#include "base/map.h"
#include "serve/agent-private.h"
#include "serve/record-private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_OF_ONE_MAX 4096u /* files of one container */
#define DEEP_MAX         8u
#define DEFAULT_PATH     "/var/log"

/* Written in place, not appended to. Beginnings and ends of names. */
static const char *const in_place[] = { "lastlog", "faillog", "tallylog" };
#define JOURNAL_SUFFIX ".journal"

/* May do as they like while they run, if the image brought them. */
static const char *const rotators[] = { "/usr/sbin/logrotate", "/usr/bin/savelog", "/sbin/logrotate" };

/* A container whose logs are guarded. */
struct guarded {
        uint64_t cgroup_id;
        struct str id, upper;
        struct arena arena;
        uint32_t pid; /* that has its root */
        dev_t root_dev;
        ino_t root_ino;
        VEC(uint32_t) rotators; /* that run: process ids */
};

struct log_guard {
        struct agent *a;
        struct watch_paths paths;
        struct guard_journal journal;
        VEC(struct guarded *) v;
        size_t n_set;
};

static struct guarded *find(const struct log_guard *g, uint64_t cgroup_id)
{
        for (size_t i = 0; i < g->v.n; i++)
                if (g->v.v[i]->cgroup_id == cgroup_id)
                        return g->v.v[i];
        return NULL;
}

/* -1 if the process is gone, or its number is another's: no descriptor is kept, it would keep the mount. */
static int open_root(const struct guarded *c)
{
        char path[64];
        struct stat st;
        snprintf(path, sizeof(path), "/proc/%u/root", c->pid);
        int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0 && (fstat(fd, &st) < 0 || st.st_dev != c->root_dev || st.st_ino != c->root_ino))
                fd = close_fd(fd);
        return fd;
}

static bool is_log(struct str name)
{
        for (size_t i = 0; i < ARRAY_SIZE(in_place); i++)
                if (str_starts(name, str_of(in_place[i])))
                        return false;
        return !str_ends(name, STR(JOURNAL_SUFFIX)) && !str_ends(name, STR(JOURNAL_SUFFIX "~"));
}

static struct str base_name(struct str path) { return str_from(path, (size_t)(str_rfind_char(path, '/') + 1)); }

/* ----------------------------------------------------------------------------------------------------- setting ---- */

/* Guards files[0..n) of the container: first they are in the journal, then they are set. */
static void guard(struct log_guard *g, struct guarded *c, int root, const struct str *files, size_t n)
{
        struct error err = ERROR_NONE;
        size_t failed = 0, before = g->journal.v.n;
        int why = 0;
        for (size_t i = 0; i < n && g->journal.v.n < LOG_GUARD_FILES_MAX; i++)
                if (!guard_is_set(root, files[i])) /* what somebody else set stays theirs */
                        guard_journal_add(&g->journal, c->id, c->upper, files[i]);
        if (g->journal.v.n > before && guard_journal_write(&g->journal, &err) < 0) {
                g->journal.v.n = before;
                agent_tell(g->a, "logs of container %.*s are not guarded: %s", STR_FMT(c->id), err.text);
                return;
        }
        for (size_t i = 0; i < n; i++) {
                int r = guard_set(root, files[i], true);
                g->n_set += r > 0;
                failed += r < 0;
                why = r < 0 ? r : why;
        }
        if (failed)
                agent_tell(g->a, "%zu of %zu logs of container %.*s are not guarded: %s", failed, n, STR_FMT(c->id),
                           strerror(-why));
}

/* The logs below a directory, without following links. */
static void collect(struct log_guard *g, int dir_fd, struct str inside, unsigned depth, struct arena *arena,
                    struct str *files, size_t *n)
{
        DIR *d = fdopendir(dir_fd);
        for (struct dirent *e; d && *n < FILES_OF_ONE_MAX && (e = readdir(d));) {
                struct stat st;
                if (str_is(str_of(e->d_name), ".") || str_is(str_of(e->d_name), "..") ||
                    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                struct str path = arena_printf(arena, "%.*s/%s", STR_FMT(inside.n == 1 ? STR_NONE : inside), e->d_name);
                if (S_ISREG(st.st_mode) && is_log(str_of(e->d_name)) && watch_paths_has(&g->paths, path, true)) {
                        files[(*n)++] = path;
                } else if (S_ISDIR(st.st_mode) && depth < DEEP_MAX && watch_paths_may_be_in(&g->paths, path, true)) {
                        int fd = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                        if (fd >= 0)
                                collect(g, fd, path, depth + 1, arena, files, n);
                }
        }
        if (d)
                closedir(d);
        else
                close(dir_fd);
}

static void guard_all(struct log_guard *g, struct guarded *c)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        _cleanup_(closep) int root = open_root(c);
        int top = root < 0 ? -1 : open_beneath(root, ".", O_RDONLY | O_DIRECTORY);
        struct str *files = arena_array(&arena, FILES_OF_ONE_MAX, sizeof(*files));
        size_t n = 0;
        if (top < 0)
                return;
        collect(g, top, STR("/"), 0, &arena, files, &n);
        if (n == FILES_OF_ONE_MAX)
                agent_tell(g->a, "container %.*s has more than %u logs: the others are not guarded", STR_FMT(c->id),
                           FILES_OF_ONE_MAX);
        guard(g, c, root, files, n);
}

/* Takes the guard from all logs of the container; what runs no more is undone on its upper directory. */
static void release(struct log_guard *g, struct guarded *c, bool forget)
{
        _cleanup_(closep) int root = open_root(c);
        size_t left = 0;
        for (size_t i = 0; i < g->journal.v.n; i++) {
                struct guarded_file *f = &g->journal.v.v[i];
                bool is_its = str_eq(f->id, c->id);
                int r = !is_its ? 0 : root >= 0 ? guard_set(root, f->inside, false) : guard_clear_upper(f);
                if (is_its && r < 0)
                        agent_tell(g->a, "%.*s of container %.*s is still guarded: %s", STR_FMT(f->inside),
                                   STR_FMT(f->id), strerror(-r));
                if (!is_its || r < 0 || !forget)
                        g->journal.v.v[left++] = *f;
        }
        g->journal.v.n = left;
}

/* ------------------------------------------------------------------------------------------------------ events ---- */

static void log_guard_on_container(void *state, struct container_entry *c)
{
        struct log_guard *g = state;
        const struct container_mount *m = container_mount_of(c, STR("/"));
        char path[64];
        struct stat st;
        if (!m || !m->upper.n || find(g, c->cgroup_id))
                return;
        uint32_t pid = (uint32_t)c->facts.pid;
        snprintf(path, sizeof(path), "/proc/%u/root", pid);
        if (pid == 0 || stat(path, &st) < 0) {
                agent_tell(g->a, "logs of container %.*s are not guarded: its first process is not known",
                           STR_FMT(c->id));
                return;
        }
        struct guarded *n = xcalloc(1, sizeof(*n));
        *n = (struct guarded){ .cgroup_id = c->cgroup_id, .pid = pid, .root_dev = st.st_dev, .root_ino = st.st_ino };
        n->id = arena_str(&n->arena, c->id);
        n->upper = arena_str(&n->arena, m->upper);
        *vec_push(&g->v) = n;
        guard_all(g, n);
}

static void guarded_free(struct guarded *c)
{
        arena_done(&c->arena);
        vec_done(&c->rotators);
        free(c);
}

static void log_guard_on_container_end(void *state, uint64_t cgroup_id)
{
        struct log_guard *g = state;
        struct error err = ERROR_NONE;
        for (size_t i = 0; i < g->v.n; i++) {
                if (g->v.v[i]->cgroup_id != cgroup_id)
                        continue;
                release(g, g->v.v[i], true);
                guarded_free(g->v.v[i]);
                g->v.v[i] = g->v.v[--g->v.n];
                if (guard_journal_write(&g->journal, &err) < 0)
                        agent_tell(g->a, "the journal of guarded logs is behind: %s", err.text);
                return;
        }
}

static void tell(struct log_guard *g, const struct event_record *r, const char *rule, enum rule_priority priority,
                 enum alert_action action, struct str path, const char *what)
{
        static const char *const tags[] = { "container", "logs", "T1070.002", "NIST-800-190:4.4.4", NULL };
        const struct event *e = r->event;
        const struct alert_field extras[] = {
                { "fd.name", value_string(path) },
                { "evt.type", value_string(str_of(event_type_name(e))) },
                { "proc.pid", value_number(e->head.pid) },
                { "proc.exepath", value_string_or_absent(r->process ? r->process->program->exe_path : STR_NONE) },
                { "container.id", value_string(r->container->id) },
        };
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        agent_emit(g->a, &(struct alert){ .rule_name = rule,
                                          .tags = tags,
                                          .priority = priority,
                                          .source = "syscall",
                                          .time_ns = r->boot_ns + (int64_t)e->head.time_ns,
                                          .output = arena_printf(&arena, "%s (file=%.*s call=%s pid=%u container=%.*s)",
                                                                 what, STR_FMT(path), event_type_name(e), e->head.pid,
                                                                 STR_FMT(r->container->id)),
                                          .action = action,
                                          .extras = extras,
                                          .n_extras = ARRAY_SIZE(extras),
                                          .process = r->process,
                                          .container = r->container });
}

static bool is_rotator(const struct event *e)
{
        if (e->layer != EXE_LAYER_LOWER)
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(rotators); i++)
                if (str_is(e->exe_path, rotators[i]))
                        return true;
        return false;
}

static void on_exec(struct log_guard *g, struct guarded *c, const struct event_record *r)
{
        if (!is_rotator(r->event))
                return;
        if (c->rotators.n == 0)
                release(g, c, false);
        *vec_push(&c->rotators) = r->event->head.pid;
        tell(g, r, "Guard of logs lifted", PRIORITY_NOTICE, ALERT_NOTHING, r->event->exe_path,
             "a program of the image that rotates logs runs: they are not guarded until it ends");
}

static void on_end(struct log_guard *g, struct guarded *c, uint32_t pid)
{
        for (size_t i = 0; i < c->rotators.n; i++)
                if (c->rotators.v[i] == pid) {
                        c->rotators.v[i] = c->rotators.v[--c->rotators.n];
                        if (c->rotators.n == 0)
                                guard_all(g, c);
                        return;
                }
}

/* A call of a process of the container that the guard refused, or a file event of a log that is new. */
static void on_call(struct log_guard *g, struct guarded *c, const struct event_record *r)
{
        const struct event *e = r->event;
        struct str path = call_path((struct event_record *)r, 0);
        if (!path.n || !watch_paths_has(&g->paths, path, true) || !is_log(base_name(path)))
                return;
        if (e->call.flags & OBSERVE_CALL_HOOK) {
                if (e->call.call != CALL_openat && e->call.call != CALL_renameat2)
                        return;
                _cleanup_(closep) int root = c->rotators.n ? -1 : open_root(c);
                struct str file = e->call.call == CALL_renameat2 ? e->path[1] : path;
                if (root >= 0 && file.n && file.p[0] == '/')
                        guard(g, c, root, &file, 1);
        } else if (e->call.result == -EPERM) {
                tell(g, r, "Log tampering prevented", PRIORITY_CRITICAL, ALERT_DENIED, path,
                     "a guarded log was to be changed other than by appending");
        }
}

static void log_guard_on_event(void *state, const struct event_record *r)
{
        struct log_guard *g = state;
        struct guarded *c = r->container ? find(g, r->container->cgroup_id) : NULL;
        if (!c)
                return;
        if (r->event->kind == OBSERVE_CALL)
                on_call(g, c, r);
        else if (r->event->kind == OBSERVE_EXEC)
                on_exec(g, c, r);
        else if (r->event->kind == OBSERVE_EXIT)
                on_end(g, c, r->event->head.pid);
}

/* -------------------------------------------------------------------------------------------------------- part ---- */

static void log_guard_stop(void *state)
{
        struct log_guard *g = state;
        struct error err = ERROR_NONE;
        for (size_t i = 0; i < g->v.n; i++) {
                release(g, g->v.v[i], true);
                guarded_free(g->v.v[i]);
        }
        if (guard_journal_write(&g->journal, &err) < 0)
                agent_tell(g->a, "the journal of guarded logs is behind: %s", err.text);
        agent_tell(g->a, "logs guarded: %zu; still guarded: %zu%s", g->n_set, g->journal.v.n,
                   g->journal.v.n ? ": sekisho agent --undo" : "");
        vec_done(&g->v);
        guard_journal_done(&g->journal);
        watch_paths_done(&g->paths);
        free(g);
}

/* Files below the guarded paths are watched too: new ones are to be guarded. */
static int add_path(struct log_guard *g, const char *path, struct error *err)
{
        char text[WATCH_PATH_BYTES + 16];
        int n = snprintf(text, sizeof(text), "container:%s", strcmp(path, "default") == 0 ? DEFAULT_PATH : path);
        if (n < 0 || (size_t)n >= sizeof(text))
                return error_set(err, -EINVAL, "--guard-logs: the path is too long");
        int r = watch_paths_add(&g->paths, text, err);
        if (r == 0)
                r = watch_paths_add(&g->a->watched, text, err);
        return r < 0 ? error_prefix(err, r, "--guard-logs") : 0;
}

static int log_guard_start(struct agent *a, void **ret, struct error *err)
{
        const struct files_options *o = &a->o->files;
        const char *journal = o->guard_journal ? o->guard_journal : LOG_GUARD_JOURNAL;
        if (o->n_guard_logs == 0)
                return 0;
        int r = guard_undo(journal, err); /* what an agent left that was killed */
        if (r < 0)
                return error_prefix(err, r, "logs of an earlier run");
        if (r > 0)
                agent_tell(a, "%d logs were guarded still by an agent that did not end by itself", r);
        struct log_guard *g = xcalloc(1, sizeof(*g));
        g->a = a;
        r = guard_journal_read(&g->journal, journal, err);
        for (size_t i = 0; i < o->n_guard_logs && r == 0; i++)
                r = add_path(g, o->guard_logs[i], err);
        if (r == 0)
                r = guard_journal_write(&g->journal, err); /* rather now than when it is needed */
        *ret = g;
        return r;
}

static const char *log_guard_protects(void *state, const struct container_entry *c)
{
        const struct guarded *g = find(state, c->cgroup_id);
        return g ? "logs" : NULL;
}

const struct agent_part part_log_guard = {
        .name = "log-guard",
        .protects = log_guard_protects,
        .start = log_guard_start,
        .on_event = log_guard_on_event,
        .on_container = log_guard_on_container,
        .on_container_end = log_guard_on_container_end,
        .stop = log_guard_stop,
};
