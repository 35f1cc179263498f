/* See quarantine.h. Input: files of containers, through descriptors; the store, which only root can write. */
#include "act/quarantine.h"

#include "act/quarantine-private.h"
#include "base/fs.h"
#include "base/vec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ITEM_NAME    32
#define XATTR_BYTES  (64u << 10)
#define OVERLAY_NAME "trusted.overlay."

/* ------------------------------------------------------------------------------------------------- the directory -- */

static int open_part(int dir, const char *name, bool create, int *ret, struct error *err)
{
        if (create && mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
                return error_errno(err, -errno, "%s cannot be made", name);
        *ret = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return *ret < 0 ? error_errno(err, -errno, "%s", name) : 0;
}

static int read_key(struct quarantine *q, struct error *err)
{
        _cleanup_(closep) int fd = openat(q->dir, "key", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (pread(fd, q->key, sizeof(q->key), 0) != sizeof(q->key))
                return error_set(err, -EBADMSG, "key: not 32 bytes long: nothing that lies there can be opened");
        return 0;
}

/* Two that begin at once: the first key that has its name stays. */
static int make_key(struct quarantine *q, struct error *err)
{
        char name[TEMPORARY_NAME];
        temporary_name(name);
        if (getrandom(q->key, sizeof(q->key), 0) != sizeof(q->key))
                return error_errno(err, -errno, "no random bytes for a key");
        _cleanup_(closep) int fd = openat(q->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        int r = fd < 0 ? -errno : write_all(fd, q->key, sizeof(q->key));
        if (r == 0 && fsync(fd) < 0)
                r = -errno;
        if (r == 0 && linkat(q->dir, name, q->dir, "key", 0) < 0 && errno != EEXIST)
                r = -errno;
        if (fd >= 0)
                (void)unlinkat(q->dir, name, 0);
        return r < 0 ? error_errno(err, r, "key cannot be written") : read_key(q, err);
}

int quarantine_open(const char *directory, bool create, struct quarantine *ret, struct error *err)
{
        struct quarantine q = { .dir = -1, .objects = -1, .items = -1, .cleared = -1 };
        struct stat st;
        int r = create ? make_dirs(directory, 0700) : 0;
        q.dir = r < 0 ? -1 : open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (q.dir < 0)
                return error_errno(err, r < 0 ? r : -errno, "quarantine %s", directory);
        if (fstat(q.dir, &st) == 0 && (st.st_mode & 0077) && fchmod(q.dir, 0700) < 0)
                r = error_errno(err, -errno, "others can look into it");
        if (r == 0)
                r = open_part(q.dir, "objects", create, &q.objects, err);
        if (r == 0)
                r = open_part(q.dir, "items", create, &q.items, err);
        if (r == 0)
                r = open_part(q.dir, "cleared", create, &q.cleared, err);
        if (r == 0)
                r = read_key(&q, err);
        if (r == -ENOENT && create && q.cleared >= 0)
                r = make_key(&q, err);
        if (r < 0) {
                quarantine_close(&q);
                return error_prefix(err, r, "quarantine %s", directory);
        }
        *ret = q;
        return 0;
}

void quarantine_close(struct quarantine *q)
{
        q->dir = close_fd(q->dir);
        q->objects = close_fd(q->objects);
        q->items = close_fd(q->items);
        q->cleared = close_fd(q->cleared);
}

/* The lock of the store, until it is closed. */
static int lock(const struct quarantine *q)
{
        int fd = openat(q->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        while (fd >= 0 && flock(fd, LOCK_EX) < 0)
                if (errno != EINTR)
                        return close_fd(fd);
        return fd;
}

/* Calls each with the names in a directory; stops when that is < 0. */
static int each_name(int dir, int (*each)(void *arg, const char *name), void *arg)
{
        int r = 0, fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        if (!d) {
                r = -errno;
                close_fd(fd);
                return r;
        }
        for (const struct dirent *e; r >= 0 && (e = readdir(d));)
                if (e->d_name[0] != '.')
                        r = each(arg, e->d_name);
        closedir(d);
        return r;
}

/* The number of "q-N.json" (extension) or "q-N"; 0: it is none. */
static uint64_t item_number(struct str name, bool has_extension)
{
        uint64_t n;
        if (has_extension && !str_ends(name, STR(".json")))
                return 0;
        if (has_extension)
                name.n -= 5;
        if (!str_starts(name, STR("q-")) || name.n >= QUARANTINE_ID_MAX || !str_u64(str_from(name, 2), &n))
                return 0;
        char canonical[QUARANTINE_ID_MAX + 8];
        snprintf(canonical, sizeof(canonical), "q-%llu", (unsigned long long)n);
        return str_is(name, canonical) ? n : 0;
}

/* ----------------------------------------------------------------------------------------------------- putting ---- */

static void keep_xattrs(int fd, struct fact_quarantined *about, struct arena *arena)
{
        ssize_t n = flistxattr(fd, NULL, 0);
        char *names = n > 0 && n <= (ssize_t)XATTR_BYTES ? arena_alloc(arena, (size_t)n + 1) : NULL;
        n = names ? flistxattr(fd, names, (size_t)n) : 0;
        about->xattrs.v = arena_array(arena, QUARANTINE_XATTRS_MAX, sizeof(*about->xattrs.v));
        for (char *name = names; name && name < names + n && about->xattrs.n < QUARANTINE_XATTRS_MAX;
             name += strlen(name) + 1) {
                if (str_starts(str_of(name), STR(OVERLAY_NAME)))
                        continue;
                char *value = arena_alloc(arena, XATTR_BYTES);
                ssize_t size = fgetxattr(fd, name, value, XATTR_BYTES);
                if (size < 0)
                        continue;
                char *text = arena_alloc(arena, strlen(name) + 2 + 2 * (size_t)size);
                size_t at = (size_t)snprintf(text, strlen(name) + 2, "%s=", name);
                quarantine_hex(str_span(value, (size_t)size), text + at);
                about->xattrs.v[about->xattrs.n++] = str_of(text);
        }
}

struct object_sum {
        int dir;
        uint64_t bytes;
};

static int add_object(void *arg, const char *name)
{
        struct object_sum *sum = arg;
        struct stat st;
        if (fstatat(sum->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
                sum->bytes += (uint64_t)st.st_size;
        return 0;
}

static int room_left(const struct quarantine *q, uint64_t *ret, struct error *err)
{
        struct object_sum sum = { q->objects, 0 };
        int r = each_name(q->objects, add_object, &sum);
        if (r < 0)
                return error_errno(err, r, "objects cannot be listed");
        if (sum.bytes >= QUARANTINE_BYTES_MAX)
                return error_set(err, -EDQUOT, "the quarantine holds its most, %llu bytes: delete items",
                                 (unsigned long long)QUARANTINE_BYTES_MAX);
        *ret = QUARANTINE_BYTES_MAX - sum.bytes;
        return 0;
}

/* Seals the content under its digest, unless it is there already. */
static int put_object(const struct quarantine *q, int fd, uint8_t ret_sha256[static 32], uint64_t *ret_size,
                      struct error *err)
{
        char name[TEMPORARY_NAME], digest[QUARANTINE_DIGEST];
        uint64_t room = 0;
        int r = room_left(q, &room, err);
        if (r < 0)
                return r;
        temporary_name(name);
        _cleanup_(closep) int to = openat(q->objects, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (to < 0)
                return error_errno(err, -errno, "objects: no file can be made");
        r = seal_content(q->key, fd, to, room, ret_sha256, ret_size, err);
        if (r == 0 && fsync(to) < 0)
                r = error_errno(err, -errno, "objects: cannot be written");
        quarantine_hex(str_span(ret_sha256, 32), digest);
        if (r == 0 && renameat(q->objects, name, q->objects, digest) < 0)
                r = error_errno(err, -errno, "objects: cannot be renamed");
        if (r < 0)
                (void)unlinkat(q->objects, name, 0);
        return r;
}

struct counting {
        uint64_t highest, n;
};

static int count_item(void *arg, const char *name)
{
        struct counting *c = arg;
        uint64_t number = item_number(str_of(name), true);
        c->highest = MAX(c->highest, number);
        c->n += number != 0;
        return 0;
}

static int write_item(const struct quarantine *q, const struct fact_quarantined *item, struct error *err)
{
        char temporary[TEMPORARY_NAME], name[ITEM_NAME];
        _cleanup_(freep) char *text = quarantine_item_print(item);
        temporary_name(temporary);
        snprintf(name, sizeof(name), "%.*s.json", STR_FMT(item->id));
        if (!text || strlen(text) > QUARANTINE_ITEM_BYTES)
                return error_set(err, -EFBIG, "its description is longer than %u bytes", QUARANTINE_ITEM_BYTES);
        _cleanup_(closep) int fd = openat(q->items, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        int r = fd < 0 ? -errno : write_all(fd, text, strlen(text));
        if (r == 0 && (fsync(fd) < 0 || renameat(q->items, temporary, q->items, name) < 0 || fsync(q->items) < 0))
                r = -errno;
        if (r < 0 && fd >= 0)
                (void)unlinkat(q->items, temporary, 0);
        return r < 0 ? error_errno(err, r, "items/%s cannot be written", name) : 0;
}

int quarantine_put(const struct quarantine *q, int fd, struct fact_quarantined *about, struct arena *arena,
                   struct error *err)
{
        struct stat st;
        struct counting items = { 0 };
        uint8_t *sha256 = arena_alloc(arena, 32);
        _cleanup_(closep) int locked = lock(q);
        if (locked < 0 || fstat(fd, &st) < 0)
                return error_errno(err, -errno, "quarantine");
        int r = each_name(q->items, count_item, &items);
        if (r < 0)
                return error_errno(err, r, "quarantine: items cannot be listed");
        if (items.n >= QUARANTINE_ITEMS_MAX)
                return error_set(err, -EDQUOT, "quarantine: it holds its most, %u items: delete some",
                                 QUARANTINE_ITEMS_MAX);
        r = put_object(q, fd, sha256, &about->size, err);
        if (r < 0)
                return error_prefix(err, r, "quarantine");
        about->sha256 = str_span(sha256, 32);
        about->mode = st.st_mode & 07777;
        about->uid = st.st_uid;
        about->gid = st.st_gid;
        about->mtime = st.st_mtim.tv_sec;
        about->mtime_ns = (uint64_t)st.st_mtim.tv_nsec;
        about->atime = st.st_atim.tv_sec;
        about->atime_ns = (uint64_t)st.st_atim.tv_nsec;
        keep_xattrs(fd, about, arena);
        about->id = arena_printf(arena, "q-%llu", (unsigned long long)items.highest + 1);
        r = write_item(q, about, err);
        return r < 0 ? error_prefix(err, r, "quarantine") : 0;
}

int quarantine_update(const struct quarantine *q, const struct fact_quarantined *item, struct error *err)
{
        _cleanup_(closep) int locked = lock(q);
        int r = locked < 0 ? error_errno(err, -errno, "lock") : write_item(q, item, err);
        return r < 0 ? error_prefix(err, r, "quarantine") : 0;
}

/* ----------------------------------------------------------------------------------------------------- reading ---- */

static int read_item(const struct quarantine *q, uint64_t number, struct arena *arena, struct fact_quarantined *ret,
                     struct error *err)
{
        char name[ITEM_NAME];
        _cleanup_(buf_done) struct buf text = BUF_INIT(QUARANTINE_ITEM_BYTES);
        snprintf(name, sizeof(name), "q-%llu.json", (unsigned long long)number);
        _cleanup_(closep) int fd = openat(q->items, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        int r = fd < 0 ? -errno : read_all(fd, &text);
        if (r < 0)
                return error_errno(err, r, "items/%s", name);
        r = quarantine_item_parse(buf_str(&text), arena, ret, err);
        if (r < 0)
                return error_prefix(err, r, "items/%s", name);
        ret->id = arena_printf(arena, "q-%llu", (unsigned long long)number); /* its name is what it is called */
        return 0;
}

int quarantine_get(const struct quarantine *q, struct str id, struct arena *arena, struct fact_quarantined *ret,
                   struct error *err)
{
        uint64_t number = item_number(id, false);
        int r = number ? read_item(q, number, arena, ret, err) : -ENOENT;
        if (r == -ENOENT)
                return error_set(err, r, "no item is called \"%.*s\"; sekisho quarantine list tells which there are",
                                 STR_FMT(id));
        return r;
}

VEC_TYPE(numbers, uint64_t);

static int keep_number(void *arg, const char *name)
{
        struct numbers *all = arg;
        uint64_t number = item_number(str_of(name), true);
        if (number && all->n < QUARANTINE_ITEMS_MAX)
                *vec_push(all) = number;
        return 0;
}

static int by_number(const void *a, const void *b)
{
        const uint64_t *x = a, *y = b;
        return (*x > *y) - (*x < *y);
}

int quarantine_list(const struct quarantine *q, struct arena *arena, struct fact_quarantined **ret, size_t *ret_n,
                    struct str_list *ret_bad, struct error *err)
{
        struct numbers all = { 0 };
        int r = each_name(q->items, keep_number, &all);
        if (r < 0) {
                vec_done(&all);
                return error_errno(err, r, "items cannot be listed");
        }
        if (all.n)
                qsort(all.v, all.n, sizeof(*all.v), by_number);
        struct fact_quarantined *items = arena_array(arena, all.n, sizeof(*items));
        struct str_list bad = { .v = arena_array(arena, all.n, sizeof(struct str)) };
        size_t n = 0;
        for (size_t i = 0; i < all.n; i++) {
                struct error why = ERROR_NONE;
                r = read_item(q, all.v[i], arena, &items[n], &why);
                if (r == 0)
                        n++;
                else if (r != -ENOENT) /* deleted meanwhile */
                        bad.v[bad.n++] = arena_str(arena, str_of(why.text));
        }
        vec_done(&all);
        *ret = items;
        *ret_n = n;
        *ret_bad = bad;
        return 0;
}

/* ---------------------------------------------------------------------------------------------------- deleting ---- */

int quarantine_delete(const struct quarantine *q, struct str id, struct error *err)
{
        struct arena arena = ARENA_INIT;
        struct fact_quarantined item, *all;
        struct str_list bad;
        size_t n = 0, same = 0;
        char name[ITEM_NAME], digest[QUARANTINE_DIGEST];
        _cleanup_(closep) int locked = lock(q);
        int r = locked < 0 ? error_errno(err, -errno, "lock") : quarantine_get(q, id, &arena, &item, err);
        if (r == 0)
                r = quarantine_list(q, &arena, &all, &n, &bad, err);
        for (size_t i = 0; i < n; i++)
                same += str_eq(all[i].sha256, item.sha256);
        if (r == 0) {
                snprintf(name, sizeof(name), "%.*s.json", STR_FMT(id));
                quarantine_hex(item.sha256, digest);
                if (unlinkat(q->items, name, 0) < 0)
                        r = error_errno(err, -errno, "items/%s cannot be deleted", name);
                else if (same <= 1 && unlinkat(q->objects, digest, 0) < 0 && errno != ENOENT)
                        r = error_errno(err, -errno, "objects/%s cannot be deleted", digest);
        }
        arena_done(&arena);
        return r;
}

int quarantine_clear(const struct quarantine *q, struct str sha256, struct error *err)
{
        char digest[QUARANTINE_DIGEST];
        if (sha256.n != 32)
                return error_set(err, -EINVAL, "no digest");
        quarantine_hex(sha256, digest);
        _cleanup_(closep) int fd = openat(q->cleared, digest, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        return fd < 0 ? error_errno(err, -errno, "cleared/%s cannot be written", digest) : 0;
}

bool quarantine_is_cleared(const struct quarantine *q, struct str sha256)
{
        char digest[QUARANTINE_DIGEST];
        struct stat st;
        if (sha256.n != 32)
                return false;
        quarantine_hex(sha256, digest);
        return fstatat(q->cleared, digest, &st, AT_SYMLINK_NOFOLLOW) == 0;
}
