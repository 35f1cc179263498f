/*
 * See yara-cache.h. A file: MAGIC, the key, the SHA-256 of what follows, and what yr_rules_save_stream wrote. It is
 * opened, checked and read through one descriptor, so what was checked is what is loaded.
 */
#include "analyze/yara-cache.h"

#include "base/buf.h"
#include "base/fs.h"
#include "read/digest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC      "sekisho yara 01\n"
#define ENDING     ".yarc"
#define NAME_BYTES (2 * YARA_CACHE_KEY + sizeof(ENDING))
#define HEAD_BYTES (sizeof(MAGIC) - 1 + YARA_CACHE_KEY + 32)

static void name_of(const uint8_t key[static YARA_CACHE_KEY], char ret[static NAME_BYTES])
{
        for (size_t i = 0; i < YARA_CACHE_KEY; i++)
                snprintf(ret + 2 * i, 3, "%02x", key[i]);
        snprintf(ret + 2 * YARA_CACHE_KEY, sizeof(ENDING), ENDING);
}

/* Whether nobody but this user, and root, can have written it. */
static bool is_mine(const struct stat *st) { return st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH)); }

/* A descriptor, or -errno and words. */
static int open_directory(const char *path, struct error *err)
{
        struct stat st;
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_errno(err, -errno, "cannot open %s", path);
        if (!is_mine(&st))
                return error_set(err, -EPERM, "%s is another user's, or others may write to it", path);
        int ret = fd;
        fd = -1;
        return ret;
}

/* --- loading --- */

static int read_mine(int directory, const char *name, struct buf *ret, struct error *err)
{
        struct stat st;
        _cleanup_(closep) int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_errno(err, -errno, "cannot open %s", name);
        if (!S_ISREG(st.st_mode) || !is_mine(&st) || st.st_nlink != 1)
                return error_set(err, -EPERM, "%s is another user's, or others may write to it", name);
        int r = read_all(fd, ret);
        if (r < 0)
                return error_errno(err, r, "cannot read %s", name);
        (void)futimens(fd, NULL); /* it was used: others are removed first */
        return 0;
}

/* The compiled rules in a file, if it is whole and of this key. */
static bool take_body(struct str file, const uint8_t key[static YARA_CACHE_KEY], struct str *ret)
{
        uint8_t sum[DIGEST_MAX];
        struct str body = str_from(file, HEAD_BYTES), rest = str_from(file, sizeof(MAGIC) - 1);
        if (file.n <= HEAD_BYTES || !str_starts(file, STR(MAGIC)) || memcmp(rest.p, key, YARA_CACHE_KEY) != 0)
                return false;
        digest_of(DIGEST_SHA256, body, sum);
        *ret = body;
        return memcmp(rest.p + YARA_CACHE_KEY, sum, sizeof(sum)) == 0;
}

/* A YR_STREAM_READ_FUNC over what is left of a text. */
static size_t read_body(void *to, size_t size, size_t count, void *arg)
{
        struct str *left = arg;
        count = size ? MIN(count, left->n / size) : 0;
        if (count)
                memcpy(to, left->p, size * count);
        *left = str_from(*left, size * count);
        return count;
}

int yara_cache_load(const char *directory, const uint8_t key[static YARA_CACHE_KEY], YR_RULES **ret, struct error *err)
{
        char name[NAME_BYTES];
        struct str body;
        _cleanup_(closep) int fd = open_directory(directory, err);
        _cleanup_(buf_done) struct buf file = BUF_INIT(YARA_CACHE_BYTES_MAX);
        if (fd < 0)
                return fd;
        name_of(key, name);
        int r = read_mine(fd, name, &file, err);
        if (r < 0)
                return r;
        if (!take_body(buf_str(&file), key, &body))
                return error_set(err, -EBADMSG, "%s/%s is damaged", directory, name);
        YR_STREAM from = { .user_data = &body, .read = read_body };
        r = yr_rules_load_stream(&from, ret);
        return r == ERROR_SUCCESS
                       ? 0
                       : error_set(err, -EBADMSG, "libyara does not take %s/%s (error %d)", directory, name, r);
}

/* --- saving --- */

/* A YR_STREAM_WRITE_FUNC. */
static size_t write_body(const void *from, size_t size, size_t count, void *arg)
{
        struct buf *to = arg;
        buf_add(to, from, size * count);
        return buf_is_full(to) ? 0 : count;
}

/* All of the file. */
static int make_file(const uint8_t key[static YARA_CACHE_KEY], YR_RULES *rules, struct buf *ret)
{
        uint8_t sum[DIGEST_MAX] = { 0 };
        YR_STREAM to = { .user_data = ret, .write = write_body };
        buf_puts(ret, MAGIC);
        buf_add(ret, key, YARA_CACHE_KEY);
        buf_add(ret, sum, sizeof(sum));
        if (yr_rules_save_stream(rules, &to) != ERROR_SUCCESS || buf_is_full(ret))
                return -EFBIG;
        digest_of(DIGEST_SHA256, str_from(buf_str(ret), HEAD_BYTES), sum);
        memcpy(ret->p + HEAD_BYTES - sizeof(sum), sum, sizeof(sum));
        return 0;
}

static int write_file(int directory, const char *name, struct str content)
{
        char temporary[NAME_BYTES + 16];
        snprintf(temporary, sizeof(temporary), "%s.%d", name, (int)getpid());
        (void)unlinkat(directory, temporary, 0); /* of a process that had this number and was killed */
        _cleanup_(closep) int fd =
                openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
        if (fd < 0)
                return -errno;
        int r = write_all(fd, content.p, content.n);
        if (r == 0 && renameat(directory, temporary, directory, name) < 0)
                r = -errno;
        if (r < 0)
                (void)unlinkat(directory, temporary, 0);
        return r;
}

/* Removes what was used the longest ago, until no more than YARA_CACHE_FILES are left. */
static void remove_old(int directory)
{
        for (size_t n = YARA_CACHE_FILES + 1; n > YARA_CACHE_FILES;) {
                struct timespec oldest = { 0 };
                char name[NAME_MAX + 1] = "";
                int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                DIR *d = fd < 0 ? NULL : fdopendir(fd);
                if (!d) {
                        (void)close_fd(fd);
                        return;
                }
                n = 0;
                for (const struct dirent *e; (e = readdir(d));) {
                        struct stat st;
                        if (!strstr(e->d_name, ENDING) || fstatat(directory, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                                continue;
                        bool is_older = st.st_mtim.tv_sec < oldest.tv_sec ||
                                        (st.st_mtim.tv_sec == oldest.tv_sec && st.st_mtim.tv_nsec < oldest.tv_nsec);
                        if (n++ == 0 || is_older) {
                                oldest = st.st_mtim;
                                snprintf(name, sizeof(name), "%s", e->d_name);
                        }
                }
                closedir(d);
                if (n > YARA_CACHE_FILES && unlinkat(directory, name, 0) < 0)
                        return;
        }
}

int yara_cache_save(const char *directory, const uint8_t key[static YARA_CACHE_KEY], YR_RULES *rules, struct error *err)
{
        char name[NAME_BYTES];
        _cleanup_(buf_done) struct buf file = BUF_INIT(YARA_CACHE_BYTES_MAX);
        int r = make_dirs(directory, S_IRWXU);
        if (r < 0)
                return error_errno(err, r, "cannot make %s", directory);
        _cleanup_(closep) int fd = open_directory(directory, err);
        if (fd < 0)
                return fd;
        r = make_file(key, rules, &file);
        if (r < 0)
                return error_set(err, r, "the compiled rules have more than %u bytes", YARA_CACHE_BYTES_MAX);
        name_of(key, name);
        r = write_file(fd, name, buf_str(&file));
        if (r < 0)
                return error_errno(err, r, "cannot write %s/%s", directory, name);
        remove_old(fd);
        return 0;
}
