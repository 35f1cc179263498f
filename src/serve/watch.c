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
#include "base/fs.h"
#include "base/map.h"
#include "base/vec.h"
#include "sense/overlay-origin.h"
#include "serve/agent-private.h"
#include "serve/downloads.h"
#include "serve/ended.h"
#include "serve/known-files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define BATCH_MAX  512u                      /* events between two looks at the ring: some ms */
#define ENDED_NS   (INT64_C(3) * 1000000000) /* for which a generation takes them in */
#define OPENED_MAX 65536u
#define AGAIN_MAX  BATCH_MAX /* files that are looked at again at a tick */
#define LEARN_MAX  1000u     /* directories of one container that are looked at before anything happens */
#define LEARN_DEEP 4u

#define LONG_PAST_SECONDS 60

#define DOWNLOAD_ANCESTORS 3u /* processes that are asked for a connection: who writes, and those that began him */

/* Where a container's own layer lies. */
struct watched_place {
        uint64_t cgroup_id;
        char *upper; /* on the host, without a slash at its end; of a root that is no overlay, the root itself */
};

/* An event that waits. Texts live in the batch's arena. */
struct waiting {
        struct file_event e;
        uint64_t cgroup_id; /* 0: on the host */
        struct str root;    /* what stands before its paths, on the host */
        struct str path, to_path;
        bool is_again; /* rules have seen it */
};

struct watch {
        struct agent *a;
        struct file_events *events;
        VEC(struct watched_place *) places;
        struct ended ended;
        int64_t next_turn_ns;
        bool is_behind; /* the kernel has more events than were read the last time */
        struct known_files known;
        bool has_gone;       /* a container of which files may be known */
        struct set64 opened; /* process and path whose opening was told since the last tick */
        VEC(struct waiting) batch, again;
        struct arena arena, again_arena; /* of the batch, of what is shown again */
        struct file_events_counts told;
        struct downloads downloads;
};

/* ----------------------------------------------------------------------------------------------------- places ---- */

static bool is_in(struct str path, struct str dir, struct str *ret_inside)
{
        if (!str_starts(path, dir) || (path.n > dir.n && path.p[dir.n] != '/'))
                return false;
        *ret_inside = path.n == dir.n ? STR("/") : str_from(path, dir.n);
        return true;
}

/* In containers, of other directories too: what is written may have been downloaded. */
static enum file_interest filter(void *arg, struct str dir, struct file_dir *ret)
{
        struct watch *w = arg;
        for (size_t i = 0; i < w->places.n; i++)
                if (is_in(dir, str_of(w->places.v[i]->upper), &ret->path)) {
                        ret->owner = w->places.v[i];
                        return watch_paths_may_be_in(&w->a->watched, ret->path, true) ? FILE_INTEREST_ALL
                                                                                      : FILE_INTEREST_WRITTEN;
                }
        ret->path = dir;
        ret->owner = NULL;
        return watch_paths_may_be_in(&w->a->watched, dir, false) ? FILE_INTEREST_ALL : FILE_INTEREST_NONE;
}

/* Directories that may be watched, from the top down: only those in which something can be of interest are entered. */
static void learn(struct watch *w, struct str dir, struct str inside, unsigned depth, size_t *left)
{
        char path[PATH_MAX], name[PATH_MAX];
        if (*left == 0 || dir.n + NAME_MAX + 2 > sizeof(path) || !watch_paths_may_be_in(&w->a->watched, inside, true))
                return;
        --*left;
        snprintf(path, sizeof(path), "%.*s", STR_FMT(dir));
        file_events_learn(w->events, path);
        DIR *d = depth < LEARN_DEEP ? opendir(path) : NULL;
        for (struct dirent *e; d && (e = readdir(d));) {
                if (e->d_type != DT_DIR || e->d_name[0] == '.')
                        continue;
                snprintf(path, sizeof(path), "%.*s/%.255s", STR_FMT(dir), e->d_name);
                snprintf(name, sizeof(name), "%.*s/%.255s", STR_FMT(inside.n == 1 ? STR_NONE : inside), e->d_name);
                learn(w, str_of(path), str_of(name), depth + 1, left);
        }
        if (d)
                closedir(d);
}

static void watch_on_container(void *state, struct container_entry *c)
{
        struct watch *w = state;
        struct error err = ERROR_NONE;
        const struct container_mount *m = container_mount_of(c, STR("/"));
        size_t left = LEARN_MAX;
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
        if (file_events_watch(w->events, p->upper, &err) < 0)
                agent_tell(w->a, "the files of container %.*s are not watched: %s", STR_FMT(c->id), err.text);
        else
                learn(w, dir, STR("/"), 0, &left);
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

static const struct process *find_process(const struct watch *w, uint32_t pid)
{
        const struct process *p = process_find(&w->a->processes, pid);
        return p ? p : ended_find(&w->ended, pid);
}

/* ------------------------------------------------------------------------------------------------------ calls ---- */

static void judge(struct watch *w, const struct waiting *x, enum observe_call_id call, struct event *e)
{
        struct agent *a = w->a;
        const struct process *p = find_process(w, x->e.pid);
        const struct container_entry *c = x->cgroup_id ? container_known(&a->containers, x->cgroup_id) : NULL;
        if (x->cgroup_id && !c) /* it ended meanwhile */
                return;
        e->kind = OBSERVE_CALL;
        e->head = (struct observe_head){ .kind = OBSERVE_CALL,
                                         .pid = x->e.pid,
                                         .time_ns = (uint64_t)agent_now_ns(CLOCK_BOOTTIME),
                                         .started = p ? p->started_ns : 0 };
        e->call.head = e->head;
        e->call.thread = x->e.pid;
        e->call.call = (uint16_t)call;
        e->call.flags = OBSERVE_CALL_HOOK | (c ? OBSERVE_CALL_CONTAINER_CGROUP : 0);
        e->call.cgroup_id = x->cgroup_id ? x->cgroup_id : p ? p->cgroup_id : 0;
        e->layer = c ? EXE_LAYER_UPPER : EXE_LAYER_ROOT;
        e->facts.in_container_cgroup = e->in_container = c != NULL;
        if (p) {
                e->call.uid = p->uid;
                e->call.euid = p->euid;
                e->call.gid = p->gid;
                memcpy(e->call.comm, p->comm, sizeof(e->call.comm));
        }
        a->counts.events++;
        /* In full mode rules see the calls themselves. */
        if (x->is_again || (c && call < CALL_capability && sensor_is_full(a->sensor)))
                agent_show(a, e, p, c);
        else
                agent_judge(a, e, p, c);
        arena_done(&a->arena);
}

/* The file as it is now, on the host. False: it is not there any more. */
static bool look_at(const struct waiting *x, struct str path, struct stat *ret, char host[static PATH_MAX])
{
        int n = snprintf(host, PATH_MAX, "%.*s%.*s", STR_FMT(x->root), STR_FMT(path));
        return n > 0 && n < PATH_MAX && lstat(host, ret) == 0;
}

static void describe(struct event *e, const struct stat *st)
{
        e->call.fd.mode = st->st_mode;
        e->call.fd.ino = st->st_ino;
        e->call.file_dev = major(st->st_dev) << 20 | minor(st->st_dev);
        e->call.file_uid = st->st_uid;
        e->call.file_nlink = (uint32_t)st->st_nlink;
}

static uint64_t key_of(const struct waiting *x, struct str path)
{
        return hash_str_more(hash_str(path), str_span(&x->cgroup_id, sizeof(x->cgroup_id)));
}

/* Where the layers below lie on another file system than the upper one, by their paths, if those are whole. */
static bool layers_have(const struct watch *w, const struct waiting *x, struct str path, struct stat *ret)
{
        const struct container_entry *c = container_known(&w->a->containers, x->cgroup_id);
        const struct container_mount *root = c ? container_mount_of(c, STR("/")) : NULL;
        for (struct str left = root ? root->lower : STR_NONE; left.p;) {
                char host[PATH_MAX];
                struct str layer = str_cut(&left, ':');
                int n = snprintf(host, sizeof(host), "%.*s%.*s", STR_FMT(layer), STR_FMT(path));
                if (host[0] == '/' && n < (int)sizeof(host) && lstat(host, ret) == 0)
                        return true;
        }
        return false;
}

/* How the image has a container's file that was copied up from it. */
static bool image_has(const struct watch *w, const struct waiting *x, struct str path, struct known_file *ret)
{
        char upper[PATH_MAX], host[PATH_MAX];
        struct stat st;
        int n = snprintf(host, sizeof(host), "%.*s%.*s", STR_FMT(x->root), STR_FMT(path));
        if (x->cgroup_id == 0 || n >= (int)sizeof(host) || !overlay_is_copy(host))
                return false;
        snprintf(upper, sizeof(upper), "%.*s", STR_FMT(x->root));
        if (overlay_origin_stat(upper, host, &st) < 0 && !layers_have(w, x, path, &st))
                return false;
        *ret = known_file_of(&st);
        return true;
}

/* Remembers how the file is now. True, and how it was, if it was known, or the image tells. */
static bool remember(struct watch *w, const struct waiting *x, struct str path, const struct stat *st,
                     struct known_file *ret_before)
{
        return known_files_remember(&w->known, key_of(x, path), x->cgroup_id, st, ret_before) ||
               image_has(w, x, path, ret_before);
}

static void judge_written(struct watch *w, const struct waiting *x, struct str path, const struct stat *st, bool is_new)
{
        struct event e = { .file = path };
        describe(&e, st);
        e.call.args[0] = (uint64_t)AT_FDCWD;
        e.call.args[2] = O_WRONLY | (is_new ? O_CREAT : 0);
        e.call.args[3] = st->st_mode & 07777;
        e.path[0] = path;
        judge(w, x, CALL_openat, &e);
}

/*
 * Opened for writing: told once for each process and file between two ticks, for writing and closing are events of
 * their own. What the parts looked at then may have changed since: they are shown it again at the tick.
 */
static void tell_again(struct watch *w, const struct waiting *x, struct str path)
{
        if (w->again.n >= AGAIN_MAX) {
                w->a->file_losses++; /* all is looked at then */
                return;
        }
        struct waiting *to = vec_push(&w->again);
        *to = *x;
        to->root = arena_str(&w->again_arena, x->root);
        to->path = arena_str(&w->again_arena, path);
}

static void tell_written(struct watch *w, const struct waiting *x, struct str path, const struct stat *st, bool is_new)
{
        uint64_t key = hash_str_more(key_of(x, path), str_span(&x->e.pid, sizeof(x->e.pid)));
        if (!set64_add(&w->opened, key)) {
                if (set64_add(&w->opened, hash_str_more(key, STR("again"))))
                        tell_again(w, x, path);
                return;
        }
        judge_written(w, x, path, st, is_new);
}

static void tell_simple(struct watch *w, const struct waiting *x, enum observe_call_id call, struct str path,
                        uint64_t argument)
{
        struct event e = { .path = { path, STR_NONE } };
        e.call.args[0] = (uint64_t)AT_FDCWD;
        e.call.args[2] = argument;
        judge(w, x, call, &e);
}

static void tell_link(struct watch *w, const struct waiting *x, struct str path, const char *host)
{
        char target[PATH_MAX];
        ssize_t n = readlink(host, target, sizeof(target));
        struct event e = { .path = { str_span(target, n > 0 ? (size_t)n : 0), path } };
        e.call.args[1] = (uint64_t)AT_FDCWD;
        judge(w, x, CALL_symlinkat, &e);
}

/*
 * A name that is there now and was not before: what it is tells how it came. False of the image's own file, which was
 * copied up in order to be changed: how, other events tell.
 */
static bool tell_appeared(struct watch *w, const struct waiting *x, struct str path)
{
        char host[PATH_MAX];
        struct stat st;
        struct known_file before;
        if (!look_at(x, path, &st, host)) { /* it came and went: that it went is told by an event of its own */
                st = (struct stat){ .st_mode = x->e.what & FILE_IS_DIRECTORY ? S_IFDIR : S_IFREG };
                host[0] = '\0';
        } else if (x->cgroup_id && overlay_is_copy(host)) {
                return false;
        }
        if (S_ISCHR(st.st_mode) && st.st_rdev == 0) {
                tell_simple(w, x, CALL_unlinkat, path, 0);
        } else if (S_ISDIR(st.st_mode)) {
                tell_simple(w, x, CALL_mkdirat, path, st.st_mode & 07777);
                if (host[0])
                        file_events_learn(w->events, host);
        } else if (S_ISLNK(st.st_mode)) {
                tell_link(w, x, path, host);
        } else if (S_ISREG(st.st_mode)) {
                (void)remember(w, x, path, &st, &before);
                tell_written(w, x, path, &st, true);
        } else {
                tell_simple(w, x, CALL_mknodat, path, st.st_mode);
        }
        return true;
}

/* Written: and if it is shorter than it was, or empty now, truncated. */
static void tell_modified(struct watch *w, const struct waiting *x, struct str path)
{
        char host[PATH_MAX];
        struct stat st;
        struct known_file before;
        if (!look_at(x, path, &st, host) || !S_ISREG(st.st_mode))
                return;
        bool was_known = remember(w, x, path, &st, &before);
        if (was_known ? st.st_size < before.size : x->e.what & FILE_MODIFIED && st.st_size == 0) {
                struct event e = { .path = { path, STR_NONE } };
                describe(&e, &st);
                e.call.args[1] = (uint64_t)st.st_size;
                judge(w, x, CALL_truncate, &e);
        }
        tell_written(w, x, path, &st, false);
}

/*
 * Mode, owner or times: by what differs. Where nothing does (the file was not looked at before, or was looked at too
 * late), times long past are taken for times that were set, and all else for a change of mode.
 */
static void tell_attributes(struct watch *w, const struct waiting *x, struct str path)
{
        char host[PATH_MAX];
        struct stat st;
        struct known_file before;
        if (!look_at(x, path, &st, host))
                return;
        bool was_known = remember(w, x, path, &st, &before);
        bool is_mode = was_known && before.mode != st.st_mode;
        bool is_owner = was_known && (before.uid != st.st_uid || before.gid != st.st_gid);
        bool is_time = was_known && before.size == st.st_size &&
                       (before.mtime_s != st.st_mtim.tv_sec || before.mtime_ns != st.st_mtim.tv_nsec);
        if (!is_mode && !is_owner && !is_time) {
                is_time = was_known && st.st_mtim.tv_sec < st.st_ctim.tv_sec - LONG_PAST_SECONDS;
                is_mode = !is_time;
        }
        if (is_mode)
                tell_simple(w, x, CALL_fchmodat, path, st.st_mode & 07777);
        if (is_owner)
                tell_simple(w, x, CALL_fchownat, path, st.st_uid);
        if (is_time)
                tell_simple(w, x, CALL_utimensat, path, 0);
}

static bool is_wanted(const struct watch *w, const struct waiting *x, struct str path)
{
        bool in_container = x->cgroup_id != 0;
        if (!path.n)
                return false;
        return x->e.what & FILE_IS_DIRECTORY ? watch_paths_may_be_in(&w->a->watched, path, in_container)
                                             : watch_paths_has(&w->a->watched, path, in_container);
}

static void tell_renamed(struct watch *w, const struct waiting *x)
{
        char host[PATH_MAX];
        struct stat st;
        struct known_file before;
        bool from = is_wanted(w, x, x->path), to = is_wanted(w, x, x->to_path);
        bool is_there = to && look_at(x, x->to_path, &st, host);
        if (from) {
                struct event e = { .path = { x->path, x->to_path.n ? x->to_path : x->e.to_name } };
                e.call.args[0] = e.call.args[2] = (uint64_t)AT_FDCWD;
                judge(w, x, CALL_renameat2, &e);
                if (is_there)
                        (void)remember(w, x, x->to_path, &st, &before);
        } else if (to) {
                (void)tell_appeared(w, x, x->to_path);
        }
}

/* Whether the process, or one that it descends from closely, has a connection: `exec 3<>/dev/tcp/...; cat <&3 >x`. */
static bool may_download(const struct watch *w, uint32_t pid)
{
        const struct process *p = find_process(w, pid);
        uint64_t cgroup = p ? p->cgroup_id : 0; /* whoever begins programs in a container from outside does not count */
        for (unsigned i = 0; p && p->cgroup_id == cgroup && i < DOWNLOAD_ANCESTORS; i++) {
                if (downloads_has(&w->downloads, p))
                        return true;
                p = find_process(w, p->ppid);
        }
        return false;
}

/*
 * A program or script that was written by who has a connection; once between two ticks, as above. What was moved before
 * it could be looked at is found where it was moved to.
 */
static void tell_download(struct watch *w, const struct waiting *x, struct str path)
{
        uint8_t head[DOWNLOAD_HEAD];
        struct stat st;
        if (!path.n || !may_download(w, x->e.pid))
                return;
        const char *format = download_format(head, download_head(x->root, path, &st, head));
        if (!format || !set64_add(&w->opened, hash_str_more(key_of(x, path), str_of(format))))
                return;
        struct event e = { .file = path, .data = str_of(format) };
        describe(&e, &st);
        judge(w, x, CALL_download, &e);
}

static void tell(struct watch *w, const struct waiting *x)
{
        unsigned what = x->e.what;
        bool is_new = false;
        if (x->cgroup_id && what & (FILE_WRITTEN | FILE_RENAMED) && !(what & FILE_IS_DIRECTORY))
                tell_download(w, x, what & FILE_RENAMED ? x->to_path : x->path);
        if (what & FILE_RENAMED)
                tell_renamed(w, x);
        if (!is_wanted(w, x, x->path))
                return;
        if (what & FILE_CREATED)
                is_new = tell_appeared(w, x, x->path);
        if (what & (FILE_MODIFIED | FILE_WRITTEN) && !(what & FILE_IS_DIRECTORY))
                tell_modified(w, x, x->path);
        /* Of directories the overlay changes attributes all the time, for itself. */
        if (what & FILE_ATTRIBUTES && !is_new && !(what & FILE_IS_DIRECTORY))
                tell_attributes(w, x, x->path);
        if (what & FILE_DELETED)
                tell_simple(w, x, CALL_unlinkat, x->path, what & FILE_IS_DIRECTORY ? AT_REMOVEDIR : 0);
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
        const struct process *p = find_process(w, x->e.pid);
        for (size_t i = 0; p && i < w->places.n; i++)
                if (w->places.v[i]->cgroup_id == p->cgroup_id && str_is(x->root, w->places.v[i]->upper))
                        x->cgroup_id = p->cgroup_id;
}

static void on_ready(void *arg)
{
        struct watch *w = arg;
        agent_drain(w->a); /* containers that are new */
        w->is_behind = file_events_read(w->events, BATCH_MAX, wait_for_ring, w) >= BATCH_MAX;
        agent_drain(w->a); /* programs that are new */
        for (size_t i = 0; i < w->batch.n; i++) {
                choose_container(w, &w->batch.v[i]);
                tell(w, &w->batch.v[i]);
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

/* See tell_again(). Rules have seen them. */
static void show_again(struct watch *w)
{
        char host[PATH_MAX];
        struct stat st;
        for (size_t i = 0; i < w->again.n; i++) {
                struct waiting *x = &w->again.v[i];
                x->is_again = true;
                if (look_at(x, x->path, &st, host) && S_ISREG(st.st_mode))
                        judge_written(w, x, x->path, &st, false);
        }
        w->again.n = 0;
        arena_done(&w->again_arena);
}

static void watch_tick(void *state, int64_t now_ns)
{
        struct watch *w = state;
        struct file_events_counts c;
        set64_done(&w->opened);
        show_again(w);
        forget_ended(w, now_ns);
        if (w->has_gone)
                known_files_forget(&w->known, is_container, w);
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
        file_events_free(w->events);
        ended_done(&w->ended);
        known_files_done(&w->known);
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
