/* See file-events.h. */
#include "sense/file-events.h"

#include "base/map.h"
#include "base/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

/* Since 5.17; older headers do not have them. */
#ifndef FAN_RENAME
#define FAN_RENAME 0x10000000
#endif
#ifndef FAN_REPORT_TARGET_FID
#define FAN_REPORT_TARGET_FID 0x1000
#endif
#ifndef FAN_EVENT_INFO_TYPE_OLD_DFID_NAME
#define FAN_EVENT_INFO_TYPE_OLD_DFID_NAME 10
#define FAN_EVENT_INFO_TYPE_NEW_DFID_NAME 12
#endif

#define READ_BYTES    ((size_t)64 << 10)
#define HANDLE_BYTES  128u /* MAX_HANDLE_SZ, include/linux/exportfs.h */
#define BEFORE_HANDLE (offsetof(struct fanotify_event_info_fid, handle) + sizeof(struct file_handle))
#define SYSTEM_MASK   (FAN_CREATE | FAN_ATTRIB | FAN_DELETE | FAN_RENAME | FAN_CLOSE_WRITE | FAN_ONDIR)
#define DIR_MASK      (FAN_MODIFY | FAN_EVENT_ON_CHILD)

/*
 * A file system, and where it is mounted: handles are opened by a descriptor on it. None is kept open: it would keep
 * the file system from being unmounted.
 */
struct marked {
        uint64_t id; /* fsid */
        char *point;
};

struct known_dir {
        struct file_dir dir;
        enum file_interest interest;
};

struct file_events {
        int fd;
        file_events_filter *filter;
        void *arg;
        struct marked systems[FILE_EVENTS_SYSTEMS_MAX];
        size_t n_systems;
        struct map64 by_handle;       /* hash of file system and handle -> 1 + index in dirs */
        VEC(struct known_dir *) dirs; /* in the arena, so that they stay where they are */
        struct arena arena;
        struct file_events_counts counts;
        char *buffer;
        bool must_forget; /* after this event: a directory was moved, and paths below it are others; or it is full */
};

int file_events_new(file_events_filter *filter, void *arg, struct file_events **ret, struct error *err)
{
        unsigned flags = FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_DFID_NAME | FAN_REPORT_FID |
                         FAN_REPORT_TARGET_FID;
        int fd = fanotify_init(flags | FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS, O_RDONLY | O_CLOEXEC);
        if (fd < 0 && errno == EPERM)
                fd = fanotify_init(flags, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return error_errno(err, -errno, "the kernel gives no file events with names (fanotify, Linux 5.17)");
        struct file_events *f = xcalloc(1, sizeof(*f));
        *f = (struct file_events){ .fd = fd, .filter = filter, .arg = arg, .buffer = xmalloc(READ_BYTES) };
        *ret = f;
        return 0;
}

void file_events_forget(struct file_events *f)
{
        map64_done(&f->by_handle);
        vec_done(&f->dirs);
        arena_done(&f->arena);
        f->must_forget = false;
}

void file_events_free(struct file_events *f)
{
        if (!f)
                return;
        file_events_forget(f);
        for (size_t i = 0; i < f->n_systems; i++)
                free(f->systems[i].point);
        close(f->fd);
        free(f->buffer);
        free(f);
}

void file_events_freep(struct file_events **f) { file_events_free(*f); }

int file_events_fd(const struct file_events *f) { return f->fd; }

void file_events_counts(const struct file_events *f, struct file_events_counts *ret) { *ret = f->counts; }

static uint64_t id_of(const void *fsid)
{
        uint64_t id;
        memcpy(&id, fsid, sizeof(id));
        return id;
}

static const struct marked *find_system(const struct file_events *f, uint64_t id)
{
        for (size_t i = 0; i < f->n_systems; i++)
                if (f->systems[i].id == id)
                        return &f->systems[i];
        return NULL;
}

/* The highest directory on the way up that is on the same device. */
static char *mount_point_of(const char *dir)
{
        char *point = xstrdup(dir);
        struct stat st, up;
        size_t n = strlen(point);
        if (stat(point, &st) < 0)
                return point;
        while (n > 1) {
                size_t shorter = n;
                while (shorter > 1 && point[shorter - 1] != '/')
                        shorter--;
                shorter = shorter > 1 ? shorter - 1 : 1;
                char kept = point[shorter];
                point[shorter] = '\0';
                if (stat(point, &up) < 0 || up.st_dev != st.st_dev) {
                        point[shorter] = kept;
                        break;
                }
                n = shorter;
        }
        return point;
}

/* Marks end with their file system. */
static void forget_unmounted(struct file_events *f)
{
        for (size_t i = f->n_systems; i-- > 0;) {
                struct statfs st;
                if (statfs(f->systems[i].point, &st) == 0 && id_of(&st.f_fsid) == f->systems[i].id)
                        continue;
                free(f->systems[i].point);
                f->systems[i] = f->systems[--f->n_systems];
        }
}

int file_events_watch(struct file_events *f, const char *dir, struct error *err)
{
        struct statfs st;
        if (statfs(dir, &st) < 0)
                return error_errno(err, -errno, "cannot watch %s", dir);
        uint64_t id = id_of(&st.f_fsid);
        if (find_system(f, id))
                return 0;
        if (f->n_systems == FILE_EVENTS_SYSTEMS_MAX)
                forget_unmounted(f);
        if (f->n_systems == FILE_EVENTS_SYSTEMS_MAX)
                return error_set(err, -E2BIG, "cannot watch %s: more than %u file systems", dir,
                                 FILE_EVENTS_SYSTEMS_MAX);
        if (fanotify_mark(f->fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, SYSTEM_MASK, AT_FDCWD, dir) < 0) {
                int r = -errno;
                return error_errno(err, r, "cannot watch the file system of %s%s", dir,
                                   r == -EOPNOTSUPP || r == -ENODEV || r == -EXDEV ? " (of a type without handles)"
                                                                                   : "");
        }
        f->systems[f->n_systems++] = (struct marked){ id, mount_point_of(dir) };
        return 0;
}

/* ------------------------------------------------------------------------------------------------ directories ---- */

static uint64_t key_of(uint64_t system, const struct file_handle *h)
{
        uint64_t key = hash_str(str_span(&system, sizeof(system)));
        key = hash_str_more(key, str_span(&h->handle_type, sizeof(h->handle_type)));
        return hash_str_more(key, str_span(h->f_handle, h->handle_bytes));
}

static struct known_dir *add_dir(struct file_events *f, uint64_t key)
{
        f->must_forget = f->must_forget || f->dirs.n >= FILE_EVENTS_DIRS_MAX; /* after this event, which may use them */
        struct known_dir *d = arena_new(&f->arena, struct known_dir);
        *vec_push(&f->dirs) = d;
        *map64_put(&f->by_handle, key, NULL) = f->dirs.n;
        return d;
}

/* Each writing to files in it is told from now on. */
static void mark_dir(struct file_events *f, struct str path)
{
        char text[PATH_MAX];
        int n = snprintf(text, sizeof(text), "%.*s", STR_FMT(path));
        if (n >= (int)sizeof(text) ||
            (fanotify_mark(f->fd, FAN_MARK_ADD, DIR_MASK, AT_FDCWD, text) < 0 && errno != ENOENT))
                f->counts.unmarked++;
}

static const struct known_dir *remember(struct file_events *f, uint64_t key, struct str path)
{
        struct known_dir *d = add_dir(f, key);
        d->interest = f->filter(f->arg, path, &d->dir);
        if (d->interest != FILE_INTEREST_NONE)
                d->dir.path = arena_str(&f->arena, d->dir.path);
        if (d->interest == FILE_INTEREST_ALL)
                mark_dir(f, path);
        return d;
}

static const struct known_dir *find_known(const struct file_events *f, uint64_t key)
{
        const uint64_t *at = map64_get(&f->by_handle, key);
        return at ? f->dirs.v[*at - 1] : NULL;
}

/* The path on the host, as this process sees it. */
static struct str path_of(const struct marked *on, struct file_handle *h, char to[PATH_MAX])
{
        char link[64];
        _cleanup_(closep) int mount_fd = open(on->point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closep) int fd = open_by_handle_at(mount_fd, h, O_PATH | O_CLOEXEC);
        if (fd < 0)
                return STR_NONE;
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, to, PATH_MAX);
        struct str path = str_span(to, n > 0 ? (size_t)n : 0);
        return str_starts(path, STR("/")) && !str_ends(path, STR(" (deleted)")) ? path : STR_NONE;
}

/* NULL: it is of no interest, or nobody can tell what it is. */
static const struct file_dir *find_dir(struct file_events *f, const void *fsid, struct file_handle *h, unsigned what)
{
        char path[PATH_MAX];
        uint64_t system = id_of(fsid), key = key_of(system, h);
        const struct known_dir *d = find_known(f, key);
        if (!d) {
                const struct marked *on = find_system(f, system);
                struct str p = on ? path_of(on, h, path) : STR_NONE;
                if (!p.n) {
                        f->counts.unresolved++;
                        return NULL;
                }
                d = remember(f, key, p);
        }
        bool is_wanted = d->interest >= FILE_INTEREST_NAMES ||
                         (d->interest == FILE_INTEREST_WRITTEN && what & (FILE_WRITTEN | FILE_RENAMED));
        return is_wanted ? &d->dir : NULL;
}

void file_events_learn(struct file_events *f, const char *dir)
{
        char space[sizeof(struct file_handle) + HANDLE_BYTES] __attribute__((aligned(8)));
        void *start = space;
        struct file_handle *h = start;
        struct statfs st;
        int mount;
        h->handle_bytes = HANDLE_BYTES;
        if (statfs(dir, &st) < 0 || name_to_handle_at(AT_FDCWD, dir, h, &mount, 0) < 0)
                return;
        uint64_t key = key_of(id_of(&st.f_fsid), h);
        if (!find_known(f, key))
                (void)remember(f, key, str_of(dir));
}

/*
 * A directory that was made in one that is known: who reads of it may come too late to find it, if it is removed again
 * at once.
 */
static void learn_child(struct file_events *f, const void *fsid, struct file_handle *h, const struct file_event *e)
{
        char path[PATH_MAX];
        uint64_t system = id_of(fsid), key = key_of(system, h);
        if (!e->dir || find_known(f, key))
                return;
        const struct marked *on = find_system(f, system);
        struct str host = on ? path_of(on, h, path) : STR_NONE;
        if (host.n) {
                (void)remember(f, key, host);
                return;
        }
        struct known_dir *d = add_dir(f, key);
        d->interest = FILE_INTEREST_ALL;
        d->dir.owner = e->dir->owner;
        d->dir.path = arena_printf(&f->arena, "%.*s/%.*s", STR_FMT(e->dir->path.n == 1 ? STR_NONE : e->dir->path),
                                   STR_FMT(e->name));
}

/* ----------------------------------------------------------------------------------------------------- events ---- */

/* A record of type FID: the header, the file system, and a handle. */
static struct file_handle *parse_handle(struct fanotify_event_info_fid *fid, size_t n)
{
        void *at = fid->handle;
        struct file_handle *h = at;
        return n >= BEFORE_HANDLE && h->handle_bytes <= HANDLE_BYTES && n - BEFORE_HANDLE >= h->handle_bytes ? h : NULL;
}

/*
 * One of type DFID_NAME: behind the handle stands a name that ends with NUL. They come from the kernel; lengths are
 * checked all the same.
 */
static bool parse_name(struct fanotify_event_info_fid *fid, size_t n, struct file_handle **ret_handle,
                       struct str *ret_name)
{
        struct file_handle *h = parse_handle(fid, n);
        if (!h)
                return false;
        struct str rest = str_from(str_span(fid, n), BEFORE_HANDLE + h->handle_bytes);
        *ret_handle = h;
        *ret_name = str_cut(&rest, '\0');
        return rest.p != NULL;
}

static const struct {
        uint64_t bit;
        unsigned what;
} bits[] = {
        { FAN_CREATE, FILE_CREATED },     { FAN_MODIFY, FILE_MODIFIED }, { FAN_ATTRIB, FILE_ATTRIBUTES },
        { FAN_DELETE, FILE_DELETED },     { FAN_RENAME, FILE_RENAMED },  { FAN_CLOSE_WRITE, FILE_WRITTEN },
        { FAN_ONDIR, FILE_IS_DIRECTORY },
};

static bool parse_event(struct file_events *f, char *p, const struct fanotify_event_metadata *m, struct file_event *ret)
{
        *ret = (struct file_event){ .pid = m->pid > 0 ? (uint32_t)m->pid : 0 };
        for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
                ret->what |= m->mask & bits[i].bit ? bits[i].what : 0;
        for (size_t at = m->metadata_len; at < m->event_len;) {
                void *info = p + at;
                struct fanotify_event_info_fid *fid = info;
                const struct fanotify_event_info_header *h = info;
                struct file_handle *handle;
                struct str name;
                if (m->event_len - at < sizeof(*h) || h->len < sizeof(*h) || h->len > m->event_len - at)
                        return false;
                bool is_new = h->info_type == FAN_EVENT_INFO_TYPE_NEW_DFID_NAME;
                if (is_new || h->info_type == FAN_EVENT_INFO_TYPE_DFID_NAME ||
                    h->info_type == FAN_EVENT_INFO_TYPE_OLD_DFID_NAME) {
                        if (!parse_name(fid, h->len, &handle, &name))
                                return false;
                        *(is_new ? &ret->to_dir : &ret->dir) = find_dir(f, &fid->fsid, handle, ret->what);
                        *(is_new ? &ret->to_name : &ret->name) = name;
                }
                if (h->info_type == FAN_EVENT_INFO_TYPE_FID && ret->what & FILE_CREATED &&
                    ret->what & FILE_IS_DIRECTORY) { /* comes behind the name */
                        struct file_handle *child = parse_handle(fid, h->len);
                        if (!child)
                                return false;
                        learn_child(f, &fid->fsid, child, ret);
                }
                at += h->len;
        }
        return true;
}

static void take(struct file_events *f, char *p, const struct fanotify_event_metadata *m,
                 void (*each)(void *arg, const struct file_event *e), void *arg)
{
        struct file_event e;
        f->counts.events++;
        if (m->mask & FAN_Q_OVERFLOW)
                f->counts.overflows++;
        else if (!parse_event(f, p, m, &e))
                f->counts.malformed++;
        else if (e.dir || e.to_dir)
                each(arg, &e);
        else
                f->counts.ignored++;
        if ((m->mask & (FAN_RENAME | FAN_ONDIR)) == (FAN_RENAME | FAN_ONDIR))
                f->must_forget = true;
        if (m->fd >= 0) /* never with names; should a kernel think otherwise, nothing leaks */
                close(m->fd);
}

size_t file_events_read(struct file_events *f, size_t max, void (*each)(void *arg, const struct file_event *e),
                        void *arg)
{
        size_t taken = 0;
        while (taken < max) {
                ssize_t n = read(f->fd, f->buffer, READ_BYTES);
                if (n <= 0)
                        return taken;
                for (size_t at = 0; (size_t)n - at >= sizeof(struct fanotify_event_metadata); taken++) {
                        struct fanotify_event_metadata m; /* events begin at multiples of 4, it wants 8 */
                        memcpy(&m, f->buffer + at, sizeof(m));
                        if (m.event_len < sizeof(m) || m.event_len > (size_t)n - at ||
                            m.vers != FANOTIFY_METADATA_VERSION) {
                                f->counts.malformed++;
                                break;
                        }
                        take(f, f->buffer + at, &m, each, arg);
                        at += m.event_len;
                        if (f->must_forget) /* between two events: those before knew the old paths */
                                file_events_forget(f);
                }
        }
        return taken;
}
