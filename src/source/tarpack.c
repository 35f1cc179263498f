/* See tarpack.h. */
#include "source/tarpack.h"

#include "base/arena.h"
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BLOCK       512
#define PAX_MAX     (64u << 20) /* a map of extents may be long; names are at most some KiB */
#define SPLICE_FROM (64u << 10) /* smaller parts are copied: fewer system calls */

struct ustar {
        char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6],
                version[2];
        char uname[32], gname[32], dev_major[8], dev_minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct ustar) == BLOCK, "a tar header is one block");

void tarpack_init(struct tarpack *t, int fd)
{
        *t = (struct tarpack){ .fd = fd, .pax = BUF_INIT(PAX_MAX), .buffer = xmalloc(TARPACK_BUFFER) };
}

void tarpack_done(struct tarpack *t)
{
        buf_done(&t->pax);
        free(t->buffer);
        t->buffer = NULL;
}

static void flush(struct tarpack *t)
{
        if (t->r == 0 && t->n)
                t->r = write_all(t->fd, t->buffer, t->n);
        t->n = 0;
}

void tarpack_bytes(struct tarpack *t, const void *p, size_t n)
{
        const char *at = p;
        while (n && t->r == 0) {
                size_t part = MIN(n, TARPACK_BUFFER - t->n);
                memcpy(t->buffer + t->n, at, part);
                t->n += part;
                at += part;
                n -= part;
                if (t->n == TARPACK_BUFFER)
                        flush(t);
        }
}

void tarpack_zeros(struct tarpack *t, uint64_t n)
{
        static const char zeros[16 << 10];
        while (n && t->r == 0) {
                size_t part = (size_t)MIN(n, sizeof(zeros));
                tarpack_bytes(t, zeros, part);
                n -= part;
        }
}

void tarpack_pad(struct tarpack *t, uint64_t content_bytes)
{
        tarpack_zeros(t, (BLOCK - content_bytes % BLOCK) % BLOCK);
}

/* --- headers --- */

static bool fits_octal(uint64_t v, size_t size) { return v < UINT64_C(1) << 3 * (size - 1); }

/* Digits fill the field but its last byte, which is NUL. What does not fit stands in the pax header, and here as 0. */
static void put_octal(char *field, size_t size, uint64_t v)
{
        if (!fits_octal(v, size))
                v = 0;
        for (size_t i = size - 1; i-- > 0; v >>= 3)
                field[i] = (char)('0' + (v & 7));
}

static void put_text(char *field, size_t size, struct str s)
{
        if (s.n)
                memcpy(field, s.p, MIN(s.n, size));
}

static void put_block(struct tarpack *t, const struct tarpack_entry *e, struct str name, uint64_t size)
{
        struct ustar h = { .type = e->type, .magic = "ustar", .version = { '0', '0' } };
        put_text(h.name, sizeof(h.name), name);
        put_text(h.link, sizeof(h.link), e->link);
        put_octal(h.mode, sizeof(h.mode), e->mode & 07777);
        put_octal(h.uid, sizeof(h.uid), e->uid);
        put_octal(h.gid, sizeof(h.gid), e->gid);
        put_octal(h.size, sizeof(h.size), size);
        put_octal(h.mtime, sizeof(h.mtime), e->mtime < 0 ? 0 : (uint64_t)e->mtime);
        put_octal(h.dev_major, sizeof(h.dev_major), e->dev_major);
        put_octal(h.dev_minor, sizeof(h.dev_minor), e->dev_minor);
        memset(h.checksum, ' ', sizeof(h.checksum));
        unsigned sum = 0;
        for (size_t i = 0; i < sizeof(h); i++)
                sum += ((const unsigned char *)&h)[i];
        put_octal(h.checksum, 7, sum); /* six digits, NUL, space */
        tarpack_bytes(t, &h, sizeof(h));
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts itself. */
static void pax_add(struct tarpack *t, const char *key, struct str value)
{
        size_t rest = strlen(key) + value.n + 3, n = rest + 1;
        for (size_t digits = 1, limit = 10; n >= limit; limit *= 10)
                n = rest + ++digits;
        buf_printf(&t->pax, "%zu %s=", n, key);
        buf_add_str(&t->pax, value);
        buf_putc(&t->pax, '\n');
}

static void pax_add_number(struct tarpack *t, const char *key, int64_t v)
{
        char text[32];
        snprintf(text, sizeof(text), "%lld", (long long)v);
        pax_add(t, key, str_of(text));
}

static void collect_pax(struct tarpack *t, const struct tarpack_entry *e, uint64_t stored)
{
        buf_clear(&t->pax);
        if (e->extents) {
                pax_add_number(t, "GNU.sparse.major", 1);
                pax_add_number(t, "GNU.sparse.minor", 0);
                pax_add(t, "GNU.sparse.name", e->name);
                pax_add_number(t, "GNU.sparse.realsize", (int64_t)e->size);
        } else if (e->name.n > sizeof(((struct ustar *)0)->name)) {
                pax_add(t, "path", e->name);
        }
        if (e->link.n > sizeof(((struct ustar *)0)->link))
                pax_add(t, "linkpath", e->link);
        if (!fits_octal(stored, 12))
                pax_add_number(t, "size", (int64_t)stored);
        if (!fits_octal(e->uid, 8))
                pax_add_number(t, "uid", e->uid);
        if (!fits_octal(e->gid, 8))
                pax_add_number(t, "gid", e->gid);
        if (e->mtime < 0 || !fits_octal((uint64_t)e->mtime, 12))
                pax_add_number(t, "mtime", e->mtime);
        if (e->is_literal)
                pax_add(t, "SEKISHO.literal", STR("1"));
        if (e->unread.n)
                pax_add(t, "SEKISHO.unread", e->unread);
}

/* GNU sparse 1.0: how many parts, then offset and size of each, in decimal lines, padded to a block. */
static void sparse_map(const struct tarpack_entry *e, struct buf *map)
{
        buf_printf(map, "%zu\n", e->n_extents);
        for (size_t i = 0; i < e->n_extents; i++)
                buf_printf(map, "%llu\n%llu\n", (unsigned long long)e->extents[i].offset,
                           (unsigned long long)e->extents[i].size);
        while (map->n % BLOCK)
                buf_putc(map, 0);
}

void tarpack_header(struct tarpack *t, const struct tarpack_entry *e)
{
        _cleanup_(buf_done) struct buf map = BUF_INIT(PAX_MAX);
        uint64_t stored = e->size;
        if (e->extents) {
                sparse_map(e, &map);
                stored = map.n;
                for (size_t i = 0; i < e->n_extents; i++)
                        stored += e->extents[i].size;
        }
        collect_pax(t, e, stored);
        if (t->pax.n) {
                struct tarpack_entry x = { .type = 'x', .mode = 0644 };
                put_block(t, &x, STR("pax"), t->pax.n);
                tarpack_bytes(t, t->pax.p, t->pax.n);
                tarpack_pad(t, t->pax.n);
        }
        put_block(t, e, e->name, stored);
        tarpack_bytes(t, map.p, map.n);
}

/* --- content --- */

static uint64_t copy_file(struct tarpack *t, int fd, uint64_t offset, uint64_t n)
{
        uint64_t done = 0;
        while (done < n && t->r == 0) {
                if (t->n == TARPACK_BUFFER)
                        flush(t);
                ssize_t got = pread(fd, t->buffer + t->n, (size_t)MIN(n - done, TARPACK_BUFFER - t->n),
                                    (off_t)(offset + done));
                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0)
                        break;
                t->n += (size_t)got;
                done += (uint64_t)got;
        }
        return done;
}

uint64_t tarpack_file(struct tarpack *t, int fd, uint64_t offset, uint64_t n)
{
        uint64_t done = 0;
        if (n >= SPLICE_FROM && !t->is_no_splice)
                flush(t);
        while (n - done >= SPLICE_FROM && !t->is_no_splice && t->r == 0) {
                off_t at = (off_t)(offset + done);
                ssize_t moved = splice(fd, &at, t->fd, NULL, (size_t)MIN(n - done, UINT64_C(1) << 30), SPLICE_F_MORE);
                if (moved < 0 && errno == EINTR)
                        continue;
                if (moved < 0 && errno == EPIPE)
                        t->r = -EPIPE;
                if (moved < 0)
                        t->is_no_splice = errno == EINVAL; /* not a pipe, or a file system that cannot: copy */
                if (moved <= 0)
                        break;
                done += (uint64_t)moved;
        }
        return done + copy_file(t, fd, offset + done, n - done);
}

int tarpack_end(struct tarpack *t)
{
        tarpack_zeros(t, 2 * BLOCK);
        flush(t);
        return t->r;
}
