/*
 * The part `watch`: what happens to files that somebody wants to know of, in containers and on the host, without a
 * tracepoint on system calls. A container's files are found by its upper directory, so it does not matter which process
 * did it: one inside, or `docker cp`. An event becomes one of the system calls that rules know (unlinkat, renameat2,
 * truncate, fchmodat, openat for writing...) with the mark OBSERVE_CALL_HOOK, so that the same rules hold as where
 * system calls are seen; it says what became of the file, not which call it was.
 *
 * Order: the kernel's two queues know nothing of each other. What is read here waits until the ring was read once more,
 * so that the program that did it is known; and processes that ended are kept until what they did has been read, which
 * the kernel queues until some time after it has told of their end (it closes their files later).
 *
 * What overlays do for themselves is undone: a device 0/0 is a deletion, a file that appears out of the work directory
 * has come by a write (its copy was made).
 */
#include "serve/watch-private.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDED_NS   (INT64_C(3) * 1000000000) /* for which a generation takes them in */
#define OPENED_MAX 65536u

/* Of one container, or of the host, before anything happens. */
#define LEARN_DIRS_MAX  1000u
#define LEARN_FILES_MAX 8192u
#define LEARN_DEEP      4u

/* ----------------------------------------------------------------------------------------------------- places ---- */

static bool is_in(struct str path, struct str dir, struct str *ret_inside)
{
        if (!str_starts(path, dir) || (path.n > dir.n && path.p[dir.n] != '/'))
                return false;
        *ret_inside = path.n == dir.n ? STR("/") : str_from(path, dir.n);
        return true;
}

/* In containers, of other directories too: by their names, or at least what is written, which may have been downloaded.
 */
static enum file_interest filter(void *arg, struct str dir, struct file_dir *ret)
{
        struct watch *w = arg;
        for (size_t i = 0; i < w->places.n; i++)
                if (is_in(dir, str_of(w->places.v[i]->upper), &ret->path)) {
                        ret->owner = w->places.v[i];
                        return watch_paths_may_be_in(&w->a->watched, ret->path, true) ? FILE_INTEREST_ALL
                               : w->a->watched.all_names                              ? FILE_INTEREST_NAMES
                                                                                      : FILE_INTEREST_WRITTEN;
                }
        ret->path = dir;
        ret->owner = NULL;
        return watch_paths_may_be_in(&w->a->watched, dir, false) ? FILE_INTEREST_ALL : FILE_INTEREST_NONE;
}

struct learning {
        struct watch *w;
        uint64_t cgroup_id; /* 0: on the host */
        struct str root;    /* what stands before its paths on the host */
        size_t dirs_left, files_left;
};

static struct learning learning_of(struct watch *w, uint64_t cgroup_id, struct str root)
{
        return (struct learning){ w, cgroup_id, root, LEARN_DIRS_MAX, LEARN_FILES_MAX };
}

static void learn_file(struct learning *l, struct str path)
{
        char host[PATH_MAX];
        struct stat st;
        int n = snprintf(host, sizeof(host), "%.*s%.*s", STR_FMT(l->root), STR_FMT(path));
        if (l->files_left == 0 || n >= (int)sizeof(host) ||
            !watch_paths_has(&l->w->a->watched, path, l->cgroup_id != 0) || lstat(host, &st) < 0)
                return;
        l->files_left--;
        watch_remember(l->w, l->cgroup_id, path, &st);
}

/*
 * What may be watched, from the top down: directories are marked, of files it is kept how they are. Only those in which
 * something can be of interest are entered.
 */
static void learn(struct learning *l, struct str dir, unsigned depth)
{
        char path[PATH_MAX];
        if (l->dirs_left == 0 || l->root.n + dir.n + NAME_MAX + 2 > sizeof(path) ||
            !watch_paths_may_be_in(&l->w->a->watched, dir, l->cgroup_id != 0))
                return;
        l->dirs_left--;
        snprintf(path, sizeof(path), "%.*s%.*s", STR_FMT(l->root), STR_FMT(dir));
        file_events_learn(l->w->events, path);
        DIR *d = depth < LEARN_DEEP ? opendir(path) : NULL;
        for (struct dirent *e; d && (e = readdir(d));) {
                struct str name = str_of(e->d_name);
                if (str_is(name, ".") || str_is(name, ".."))
                        continue;
                snprintf(path, sizeof(path), "%.*s/%.255s", STR_FMT(dir.n == 1 ? STR_NONE : dir), e->d_name);
                if (e->d_type == DT_DIR)
                        learn(l, str_of(path), depth + 1);
                else if (e->d_type == DT_REG)
                        learn_file(l, str_of(path));
        }
        if (d)
                closedir(d);
}

static void watch_on_container(void *state, struct container_entry *c)
{
        struct watch *w = state;
        struct error err = ERROR_NONE;
        const struct container_mount *m = container_mount_of(c, STR("/"));
        if (!watch_paths_any(&w->a->watched, true) || !m)
                return;
        struct str dir = m->upper.n ? m->upper : c->root;
        if (dir.n == 0) {
                agent_tell(w->a, "the files of container %.*s are not watched: its root is no overlay but %.*s",
                           STR_FMT(c->id), STR_FMT(m->type));
                return;
        }
        for (size_t i = 0; i < w->places.n; i++)
                if (w->places.v[i]->cgroup_id == c->cgroup_id)
                        return;
        struct watched_place *p = xmalloc(sizeof(*p));
        *p = (struct watched_place){ c->cgroup_id, str_dup(dir) };
        *vec_push(&w->places) = p;
        file_events_forget(w->events); /* what was nobody's is somebody's now */
        struct learning l = learning_of(w, c->cgroup_id, dir);
        if (file_events_watch(w->events, p->upper, &err) < 0)
                agent_tell(w->a, "the files of container %.*s are not watched: %s", STR_FMT(c->id), err.text);
        else
                learn(&l, STR("/"), 0);
        watch_reads_learn(w, c);
}

static void watch_on_container_end(void *state, uint64_t cgroup_id)
{
        struct watch *w = state;
        w->has_gone = true;
        for (size_t i = 0; i < w->places.n; i++)
                if (w->places.v[i]->cgroup_id == cgroup_id) {
                        file_events_forget(w->events);
                        free(w->places.v[i]->upper);
                        free(w->places.v[i]);
                        w->places.v[i] = w->places.v[--w->places.n];
                        return;
                }
}

/* -------------------------------------------------------------------------------------------------- processes ---- */

static void watch_on_event(void *state, const struct event_record *r)
{
        struct watch *w = state;
        downloads_on_event(&w->downloads, r);
        if (r->event->kind != OBSERVE_EXIT || !r->process)
                return;
        ended_keep(&w->ended, r->process);
}

static void forget_ended(struct watch *w, int64_t now_ns)
{
        if (now_ns < w->next_turn_ns || w->is_behind)
                return;
        ended_turn(&w->ended);
        w->next_turn_ns = now_ns + ENDED_NS;
}

const struct process *watch_find_process(const struct watch *w, uint32_t pid)
{
        const struct process *p = process_find(&w->a->processes, pid);
        return p ? p : ended_find(&w->ended, pid);
}

/* ---------------------------------------------------------------------------------------------------- reading ---- */

static struct str join(const struct file_dir *dir, struct str name, struct arena *arena)
{
        if (!dir)
                return STR_NONE;
        if (str_is(name, "."))
                return arena_str(arena, dir->path);
        return arena_printf(arena, "%.*s/%.*s", STR_FMT(dir->path.n == 1 ? STR_NONE : dir->path), STR_FMT(name));
}

static void wait_for_ring(void *arg, const struct file_event *e)
{
        struct watch *w = arg;
        const struct file_dir *dir = e->dir ? e->dir : e->to_dir;
        const struct watched_place *place = dir->owner;
        if (e->pid == (uint32_t)getpid()) /* what we do ourselves to protect something */
                return;
        struct waiting x = { .e = *e };
        x.cgroup_id = place ? place->cgroup_id : 0;
        x.root = place ? arena_str(&w->arena, str_of(place->upper)) : STR_NONE;
        x.path = join(e->dir, e->name, &w->arena);
        if (e->to_dir && e->to_dir->owner == dir->owner)
                x.to_path = join(e->to_dir, e->to_name, &w->arena);
        x.e.name = STR_NONE;
        x.e.to_name = arena_str(&w->arena, e->to_name);
        *vec_push(&w->batch) = x;
}

/* Containers may share a root that is no overlay, one after the other or at once: it is the one that the process is of.
 */
static void choose_container(const struct watch *w, struct waiting *x)
{
        const struct process *p = watch_find_process(w, x->e.pid);
        for (size_t i = 0; p && i < w->places.n; i++)
                if (w->places.v[i]->cgroup_id == p->cgroup_id && str_is(x->root, w->places.v[i]->upper))
                        x->cgroup_id = p->cgroup_id;
}

static void on_ready(void *arg)
{
        struct watch *w = arg;
        agent_drain(w->a); /* containers that are new */
        w->is_behind = file_events_read(w->events, WATCH_BATCH_MAX, wait_for_ring, w) >= WATCH_BATCH_MAX;
        agent_drain(w->a); /* programs that are new */
        for (size_t i = 0; i < w->batch.n; i++) {
                choose_container(w, &w->batch.v[i]);
                watch_tell(w, &w->batch.v[i]);
        }
        w->batch.n = 0;
        arena_done(&w->arena);
        if (w->opened.n > OPENED_MAX)
                set64_done(&w->opened);
}

static bool is_container(const void *arg, uint64_t cgroup_id)
{
        const struct watch *w = arg;
        return container_known(&w->a->containers, cgroup_id);
}

static void watch_tick(void *state, int64_t now_ns)
{
        struct watch *w = state;
        struct file_events_counts c;
        watch_tell_again(w);
        watch_reads_tick(w);
        set64_done(&w->opened);
        forget_ended(w, now_ns);
        if (w->has_gone) {
                known_files_forget(&w->known, is_container, w);
                watched_names_forget(&w->names, is_container, w);
                watched_names_forget(&w->reads.names, is_container, w);
        }
        w->has_gone = false;
        file_events_counts(w->events, &c);
        if (c.overflows != w->told.overflows || c.malformed != w->told.malformed) {
                const struct alert_field extras[] = {
                        { "lost.file_queue", value_number((int64_t)(c.overflows - w->told.overflows)) },
                        { "lost.file_malformed", value_number((int64_t)(c.malformed - w->told.malformed)) },
                };
                w->a->file_losses++;
                agent_emit(w->a, &(struct alert){ .rule_name = "File events lost",
                                                  .priority = PRIORITY_WARNING,
                                                  .source = "internal",
                                                  .output = STR("the kernel's queue of file events was full: some are "
                                                                "lost; integrity is checked anew"),
                                                  .extras = extras,
                                                  .n_extras = ARRAY_SIZE(extras) });
        }
        if (c.unmarked != w->told.unmarked)
                agent_tell(
                        w->a,
                        "in %llu watched directories writing is seen only when a file is closed: they cannot be marked",
                        (unsigned long long)(c.unmarked - w->told.unmarked));
        w->told = c;
}

/* ------------------------------------------------------------------------------------------------------- part ---- */

/* The file systems of what is watched on the host; of containers when they are seen. */
static int watch_host(struct watch *w, struct error *err)
{
        int r = 0;
        struct learning l = learning_of(w, 0, STR_NONE);
        for (size_t i = 0; i < w->a->watched.v.n && r == 0; i++) {
                const struct watch_path *p = &w->a->watched.v.v[i];
                char path[WATCH_PATH_BYTES + 2];
                struct stat st;
                if (p->in_containers)
                        continue;
                /* The nearest directory above that is there: what is watched may come later. */
                struct str at = p->path;
                do {
                        snprintf(path, sizeof(path), "%.*s%s", STR_FMT(at), at.n ? "" : "/");
                        ptrdiff_t slash = str_rfind_char(at, '/');
                        at = str_upto(at, slash > 0 ? (size_t)slash : 0);
                } while (path[1] && (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)));
                r = file_events_watch(w->events, path, err);
                if (r == 0)
                        learn(&l, str_of(path), 0);
        }
        return r;
}

static void watch_stop(void *state)
{
        struct watch *w = state;
        struct file_events_counts c;
        if (w->events) {
                file_events_counts(w->events, &c);
                agent_tell(w->a,
                           "file events: %llu, %llu of no interest, %llu in directories that are gone, lost %llu times",
                           (unsigned long long)c.events, (unsigned long long)c.ignored,
                           (unsigned long long)c.unresolved, (unsigned long long)c.overflows);
                agent_remove_source(w->a, file_events_fd(w->events));
        }
        while (w->places.n)
                watch_on_container_end(w, w->places.v[0]->cgroup_id);
        vec_done(&w->places);
        watch_reads_stop(w);
        file_events_free(w->events);
        ended_done(&w->ended);
        known_files_done(&w->known);
        watched_names_done(&w->names);
        set64_done(&w->opened);
        vec_done(&w->batch);
        vec_done(&w->again);
        arena_done(&w->arena);
        arena_done(&w->again_arena);
        downloads_done(&w->downloads);
        watch_paths_done(&w->a->watched);
        free(w);
}

static int watch_start(struct agent *a, void **ret, struct error *err)
{
        const struct files_options *o = &a->o->files;
        bool is_none = o->n_watch == 1 && strcmp(o->watch[0], "none") == 0, is_asked = o->n_watch || a->watched.v.n;
        int r = o->n_watch ? 0 : watch_paths_add(&a->watched, "default", err);
        for (size_t i = 0; i < o->n_watch && r == 0 && !is_none; i++)
                r = watch_paths_add(&a->watched, o->watch[i], err);
        if (r < 0 || a->watched.v.n == 0)
                return r < 0 ? error_prefix(err, r, "--watch") : 0;
        struct watch *w = xcalloc(1, sizeof(*w));
        w->a = a;
        r = file_events_new(filter, w, &w->events, err);
        if (r == 0)
                r = watch_host(w, err);
        if (r == 0)
                r = agent_add_source(a, file_events_fd(w->events), on_ready, w);
        if (r == 0 && a->watched.all_names)
                r = watch_reads_start(w, err);
        if (r < 0) {
                watch_stop(w);
                if (is_asked)
                        return r;
                agent_tell(a, "what happens to containers' files is not seen in lean mode: %s", err->text);
                return 0;
        }
        *ret = w;
        return 0;
}

const struct agent_part part_watch = {
        .name = "watch",
        .start = watch_start,
        .on_event = watch_on_event,
        .on_container = watch_on_container,
        .on_container_end = watch_on_container_end,
        .tick = watch_tick,
        .stop = watch_stop,
};
