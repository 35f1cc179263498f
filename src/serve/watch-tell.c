/* What became of a file, as the calls that rules know. See watch.c. */
#include "base/fs.h"
#include "sense/overlay-origin.h"
#include "serve/watch-private.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define AGAIN_MAX         WATCH_BATCH_MAX /* files that are looked at again at a tick */
#define LONG_PAST_SECONDS 60

#define DOWNLOAD_ANCESTORS 3u /* processes that are asked for a connection: who writes, and those that began him */

void watch_judge(struct watch *w, const struct waiting *x, enum observe_call_id call, struct event *e)
{
        struct agent *a = w->a;
        const struct process *p = watch_find_process(w, x->e.pid);
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

void watch_describe(struct event *e, const struct stat *st)
{
        e->call.fd.mode = st->st_mode;
        e->call.fd.ino = st->st_ino;
        e->call.file_dev = major(st->st_dev) << 20 | minor(st->st_dev);
        e->call.file_uid = st->st_uid;
        e->call.file_nlink = (uint32_t)st->st_nlink;
}

static uint64_t key_of(uint64_t cgroup_id, struct str path)
{
        return hash_str_more(hash_str(path), str_span(&cgroup_id, sizeof(cgroup_id)));
}

static void remember_name(struct watch *w, uint64_t cgroup_id, struct str path, const struct stat *st)
{
        if (S_ISREG(st->st_mode) && watch_paths_has(&w->a->watched, path, cgroup_id != 0))
                watched_names_put(&w->names, cgroup_id, st, path);
}

/* The watched name of a file that has several, if it is not this one; or nothing. */
static struct str watched_name(const struct watch *w, const struct waiting *x, struct str path)
{
        char host[PATH_MAX];
        struct stat st, its;
        if (w->names.v.n == 0 || !look_at(x, path, &st, host) || !S_ISREG(st.st_mode) || st.st_nlink < 2)
                return STR_NONE;
        struct str name = watched_names_find(&w->names, x->cgroup_id, &st);
        bool is_it = name.n && !str_eq(name, path) && look_at(x, name, &its, host) && its.st_dev == st.st_dev &&
                     its.st_ino == st.st_ino; /* numbers of inodes are used again */
        return is_it ? name : STR_NONE;
}

void watch_remember(struct watch *w, uint64_t cgroup_id, struct str path, const struct stat *st)
{
        struct known_file before;
        remember_name(w, cgroup_id, path, st);
        (void)known_files_remember(&w->known, key_of(cgroup_id, path), cgroup_id, st, &before);
        known_files_mode_told(&w->known, key_of(cgroup_id, path), true);
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
        ret->told_mode = ret->mode;
        return true;
}

/* Remembers how the file is now. True, and how it was, if it was known, or the image tells. */
static bool remember(struct watch *w, const struct waiting *x, struct str path, const struct stat *st,
                     struct known_file *ret_before)
{
        remember_name(w, x->cgroup_id, path, st);
        uint64_t key = key_of(x->cgroup_id, path);
        if (known_files_remember(&w->known, key, x->cgroup_id, st, ret_before))
                return true;
        if (!image_has(w, x, path, ret_before))
                return false;
        if (ret_before->mode == st->st_mode)
                known_files_mode_told(&w->known, key, true);
        return true;
}

/* flags: beside O_WRONLY. */
static void judge_written(struct watch *w, const struct waiting *x, struct str path, const struct stat *st, int flags)
{
        struct event e = { .file = path };
        watch_describe(&e, st);
        e.call.args[0] = (uint64_t)AT_FDCWD;
        e.call.args[2] = (uint64_t)(O_WRONLY | flags);
        e.call.args[3] = st->st_mode & 07777;
        e.path[0] = path;
        watch_judge(w, x, CALL_openat, &e);
}

static uint64_t opened_key(const struct waiting *x, struct str path)
{
        return hash_str_more(key_of(x->cgroup_id, path), str_span(&x->e.pid, sizeof(x->e.pid)));
}

/* Its attributes were told of. */
static uint64_t attributes_key(const struct waiting *x, struct str path)
{
        return hash_str_more(key_of(x->cgroup_id, path), STR("attributes"));
}

/*
 * To be looked at again at the tick, once: what the parts have seen may have changed since, and a file that was copied
 * up may have been written before its directory was known, by who does not close it.
 */
static void tell_again(struct watch *w, const struct waiting *x, struct str path)
{
        if (!watch_paths_has(&w->a->watched, path, x->cgroup_id != 0) ||
            !set64_add(&w->opened, hash_str_more(opened_key(x, path), STR("again"))))
                return;
        if (w->again.n >= AGAIN_MAX) {
                w->a->file_losses++; /* all is looked at then */
                return;
        }
        struct waiting *to = vec_push(&w->again);
        *to = *x;
        to->root = arena_str(&w->again_arena, x->root);
        to->path = arena_str(&w->again_arena, path);
}

/* Opened for writing: told once for each process and file between two ticks, for writing and closing are events of
 * their own. */
static void tell_written(struct watch *w, const struct waiting *x, struct str path, const struct stat *st, int flags)
{
        (void)set64_add(&w->opened, key_of(x->cgroup_id, path)); /* by whomever */
        if (set64_add(&w->opened, opened_key(x, path)))
                judge_written(w, x, path, st, flags);
        else
                tell_again(w, x, path);
}

static void tell_simple(struct watch *w, const struct waiting *x, enum observe_call_id call, struct str path,
                        uint64_t argument)
{
        struct event e = { .path = { path, STR_NONE } };
        e.call.args[0] = (uint64_t)AT_FDCWD;
        e.call.args[2] = argument;
        watch_judge(w, x, call, &e);
}

static void tell_link(struct watch *w, const struct waiting *x, struct str path, const char *host)
{
        char target[PATH_MAX];
        ssize_t n = readlink(host, target, sizeof(target));
        struct event e = { .path = { str_span(target, n > 0 ? (size_t)n : 0), path } };
        e.call.args[1] = (uint64_t)AT_FDCWD;
        watch_judge(w, x, CALL_symlinkat, &e);
}

/* A time that is far from when it was set was given. */
static bool has_given_time(const struct stat *st)
{
        return llabs((long long)(st->st_mtim.tv_sec - st->st_ctim.tv_sec)) > LONG_PAST_SECONDS;
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
                remember_name(w, x->cgroup_id, path, &st);
                tell_again(w, x, path);
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
                known_files_mode_told(&w->known, key_of(x->cgroup_id, path), false);
                tell_written(w, x, path, &st, O_CREAT);
                if (x->e.what & FILE_ATTRIBUTES && has_given_time(&st))
                        tell_simple(w, x, CALL_utimensat, path, 1);
        } else {
                tell_simple(w, x, CALL_mknodat, path, st.st_mode);
        }
        return true;
}

static bool has_other_time(const struct stat *st, const struct known_file *before)
{
        return before->mtime_s != st->st_mtim.tv_sec || before->mtime_ns != st->st_mtim.tv_nsec;
}

/*
 * Written: and if it is shorter than it was, or empty now, truncated. What has grown is taken to be appended to; so is
 * what was opened only, and what is not known.
 */
static void tell_modified(struct watch *w, const struct waiting *x, struct str path)
{
        char host[PATH_MAX];
        struct stat st;
        struct known_file before;
        if (!look_at(x, path, &st, host) || !S_ISREG(st.st_mode))
                return;
        bool was_known = remember(w, x, path, &st, &before);
        bool is_cut = was_known ? st.st_size < before.size : x->e.what & FILE_MODIFIED && st.st_size == 0;
        if (is_cut) {
                struct event e = { .path = { path, STR_NONE } };
                watch_describe(&e, &st);
                e.call.args[1] = (uint64_t)st.st_size;
                watch_judge(w, x, CALL_truncate, &e);
        }
        bool is_over = was_known && st.st_size <= before.size && has_other_time(&st, &before);
        tell_written(w, x, path, &st, is_cut && st.st_size == 0 ? O_TRUNC : is_over ? 0 : O_APPEND);
}

/*
 * Mode, owner or times: by what differs. Where nothing does (the file was not looked at before, or was looked at too
 * late), times long past are taken for times that were set, and all else for a change of mode; unless this very mode
 * was told of before: then it is something else that was set, or nothing has changed.
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
        bool is_time = was_known && before.size == st.st_size && has_other_time(&st, &before);
        if (!is_mode && !is_owner && !is_time) {
                is_time = was_known && st.st_mtim.tv_sec < st.st_ctim.tv_sec - LONG_PAST_SECONDS;
                is_mode = !is_time && !(was_known && before.told_mode == st.st_mode);
        }
        if (is_mode) {
                tell_simple(w, x, CALL_fchmodat, path, st.st_mode & 07777);
                known_files_mode_told(&w->known, key_of(x->cgroup_id, path), true);
        }
        if (is_owner)
                tell_simple(w, x, CALL_fchownat, path, st.st_uid);
        if (is_time) /* NULL for its times: now */
                tell_simple(w, x, CALL_utimensat, path, has_given_time(&st));
        (void)set64_add(&w->opened, attributes_key(x, path));
}

static bool is_wanted(const struct watch *w, const struct waiting *x, struct str path)
{
        const struct watch_paths *watched = &w->a->watched;
        bool in_container = x->cgroup_id != 0;
        if (!path.n)
                return false;
        if (in_container && watched->all_names && !sensor_is_full(w->a->sensor)) /* rules see calls there */
                return true;
        return x->e.what & FILE_IS_DIRECTORY ? watch_paths_may_be_in(watched, path, in_container)
                                             : watch_paths_has(watched, path, in_container);
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
                watch_judge(w, x, CALL_renameat2, &e);
                if (is_there)
                        (void)remember(w, x, x->to_path, &st, &before);
        } else if (to) {
                (void)tell_appeared(w, x, x->to_path);
        }
}

/* Whether the process, or one that it descends from closely, has a connection: `exec 3<>/dev/tcp/...; cat <&3 >x`. */
static bool may_download(const struct watch *w, uint32_t pid)
{
        const struct process *p = watch_find_process(w, pid);
        uint64_t cgroup = p ? p->cgroup_id : 0; /* whoever begins programs in a container from outside does not count */
        for (unsigned i = 0; p && p->cgroup_id == cgroup && i < DOWNLOAD_ANCESTORS; i++) {
                if (downloads_has(&w->downloads, p))
                        return true;
                p = watch_find_process(w, p->ppid);
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
        if (!format || !set64_add(&w->opened, hash_str_more(key_of(x->cgroup_id, path), str_of(format))))
                return;
        struct event e = { .file = path, .data = str_of(format) };
        watch_describe(&e, &st);
        watch_judge(w, x, CALL_download, &e);
}

/* A second name of a watched file: that it was given, and what is done by it, is told of the watched one. */
static void tell_other_name(struct watch *w, const struct waiting *x)
{
        struct str name = x->e.what & FILE_IS_DIRECTORY ? STR_NONE : watched_name(w, x, x->path);
        if (name.n && x->e.what & FILE_CREATED) {
                struct event e = { .path = { name, x->path } };
                e.call.args[0] = e.call.args[2] = (uint64_t)AT_FDCWD;
                watch_judge(w, x, CALL_linkat, &e);
        }
        if (name.n && x->e.what & (FILE_MODIFIED | FILE_WRITTEN))
                tell_modified(w, x, name);
}

void watch_tell(struct watch *w, const struct waiting *x)
{
        unsigned what = x->e.what;
        bool is_new = false;
        if (x->cgroup_id && what & (FILE_WRITTEN | FILE_RENAMED) && !(what & FILE_IS_DIRECTORY))
                tell_download(w, x, what & FILE_RENAMED ? x->to_path : x->path);
        if (what & FILE_CREATED)
                watch_reads_appeared(w, x->cgroup_id, x->path);
        if (what & FILE_RENAMED) {
                tell_renamed(w, x);
                watch_reads_appeared(w, x->cgroup_id, x->to_path);
        }
        if (x->path.n && what & (FILE_CREATED | FILE_MODIFIED | FILE_WRITTEN))
                tell_other_name(w, x);
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

/* Was a copy written, and nobody has told of it? Its time alone may have been set as well. */
static bool is_written_copy(const struct watch *w, const struct waiting *x, const struct stat *st)
{
        struct known_file before;
        if (set64_has(&w->opened, key_of(x->cgroup_id, x->path)) || !image_has(w, x, x->path, &before))
                return false;
        return before.size != st->st_size ||
               (has_other_time(st, &before) && !set64_has(&w->opened, attributes_key(x, x->path)));
}

void watch_tell_again(struct watch *w)
{
        char host[PATH_MAX];
        struct stat st;
        for (size_t i = 0; i < w->again.n; i++) {
                struct waiting *x = &w->again.v[i];
                if (!look_at(x, x->path, &st, host) || !S_ISREG(st.st_mode))
                        continue;
                x->is_again = set64_has(&w->opened, opened_key(x, x->path)) || !is_written_copy(w, x, &st);
                if (x->is_again)
                        judge_written(w, x, x->path, &st, 0);
                else
                        tell_modified(w, x, x->path);
        }
        w->again.n = 0;
        arena_done(&w->again_arena);
}
