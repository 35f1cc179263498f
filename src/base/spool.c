/* See spool.h. A record is its length as 32 bits and its bytes; records do not straddle the file and the memory. */
#include "base/spool.h"

#include "base/arena.h"
#include "base/cursor.h"
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WINDOW_BYTES (256u << 10)

void spool_init(struct spool *s, size_t memory_max)
{
        *s = (struct spool){ .memory = BUF_INIT(SIZE_MAX), .memory_max = memory_max, .fd = -1 };
}

void spool_done(struct spool *s)
{
        buf_done(&s->memory);
        s->fd = close_fd(s->fd);
}

static int temporary_file(void)
{
        const char *dir = env_or("TMPDIR", "/var/tmp");
        int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (fd >= 0)
                return fd;
        _cleanup_(freep) char *path = NULL;
        if (asprintf(&path, "%s/sekisho-XXXXXX", dir) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        fd = mkostemp(path, O_CLOEXEC);
        if (fd < 0)
                return -errno;
        unlink(path);
        return fd;
}

static int spill(struct spool *s)
{
        if (s->fd < 0) {
                s->fd = temporary_file();
                if (s->fd < 0) {
                        s->no_file = true;
                        return 0;
                }
        }
        int r = write_all(s->fd, s->memory.p, s->memory.n);
        if (r < 0)
                return r;
        s->in_file += s->memory.n;
        buf_clear(&s->memory);
        return 0;
}

int spool_add(struct spool *s, struct str record)
{
        if (record.n > SPOOL_RECORD_MAX)
                return -EMSGSIZE;
        if (s->memory.n + record.n + 4 > s->memory_max && s->memory.n && !s->no_file) {
                int r = spill(s);
                if (r < 0)
                        return r;
        }
        if (s->no_file && s->memory.n > SPOOL_MEMORY_MAX)
                return -ENOSPC;
        buf_le32(&s->memory, (uint32_t)record.n);
        buf_add_str(&s->memory, record);
        s->records++;
        return 0;
}

void spool_read_init(struct spool_reader *r, struct spool *s)
{
        *r = (struct spool_reader){ .spool = s, .window = BUF_INIT(WINDOW_BYTES + SPOOL_RECORD_MAX + 4) };
}

void spool_read_done(struct spool_reader *r) { buf_done(&r->window); }

static bool is_in_window(const struct spool_reader *r, size_t n)
{
        uint64_t end = r->window_at + r->window.n;
        return r->at >= r->window_at && r->at <= end && end - r->at >= n;
}

/* Makes the window hold n bytes from r->at on. */
static int fill(struct spool_reader *r, size_t n)
{
        char chunk[WINDOW_BYTES / 4];
        buf_clear(&r->window);
        r->window_at = r->at;
        size_t want = MAX(n, (size_t)WINDOW_BYTES);
        while (r->window.n < want) {
                size_t part = MIN(want - r->window.n, sizeof(chunk));
                ssize_t got = pread(r->spool->fd, chunk, part, (off_t)(r->window_at + r->window.n));
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                if (got == 0)
                        break;
                buf_add(&r->window, chunk, (size_t)got);
        }
        return r->window.n >= n ? 0 : -EIO;
}

/* n bytes from r->at on, wherever they are. */
static int view(struct spool_reader *r, size_t n, struct str *ret)
{
        struct spool *s = r->spool;
        if (r->at >= s->in_file) {
                *ret = str_upto(str_from(buf_str(&s->memory), (size_t)(r->at - s->in_file)), n);
                return ret->n == n ? 0 : -EIO;
        }
        int e = is_in_window(r, n) ? 0 : fill(r, n);
        if (e < 0)
                return e;
        *ret = str_upto(str_from(buf_str(&r->window), (size_t)(r->at - r->window_at)), n);
        return 0;
}

int spool_read(struct spool_reader *r, struct str *ret)
{
        if (r->at >= r->spool->in_file + r->spool->memory.n)
                return 0;
        struct str head;
        int e = view(r, 4, &head);
        if (e < 0)
                return e;
        struct cursor c = cursor_from(head);
        uint32_t n = cursor_le32(&c);
        r->at += 4;
        if (n > SPOOL_RECORD_MAX)
                return -EIO;
        e = view(r, n, ret);
        if (e < 0)
                return e;
        r->at += n;
        return 1;
}
