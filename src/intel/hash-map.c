/* See hash-map.h. */
#include "intel/hash-map.h"

#include "base/arena.h"
#include "base/cursor.h"
#include "base/fs.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct hash_map {
        const uint8_t *tables[HASH_KINDS]; /* each of counts rows */
        uint64_t counts[HASH_KINDS];
        struct str names;
        struct str bytes; /* all of them */
        void *mapped;     /* NULL: the bytes are somebody else's */
};

static size_t row_size(enum hash_kind kind) { return hash_lengths[kind] + HASH_MAP_ROW; }

bool hash_map_is(struct str start) { return str_starts(start, str_span(HASH_MAP_MAGIC, sizeof(HASH_MAP_MAGIC))); }

void hash_map_header(const uint64_t counts[static HASH_KINDS], uint64_t names, struct buf *ret)
{
        buf_add(ret, HASH_MAP_MAGIC, sizeof(HASH_MAP_MAGIC));
        buf_le32(ret, HASH_MAP_VERSION);
        buf_le32(ret, 0);
        for (size_t k = 0; k < HASH_KINDS; k++)
                buf_le64(ret, counts[k]);
        buf_le64(ret, names);
}

/* The tables and the names follow the header without a gap: the counts must give the file's size to the byte. */
static int read_header(struct hash_map *m, struct str bytes, struct error *err)
{
        struct cursor c = cursor_from(bytes);
        struct str magic = cursor_bytes(&c, sizeof(HASH_MAP_MAGIC));
        uint32_t version = cursor_le32(&c), zero = cursor_le32(&c);
        if (!hash_map_is(magic))
                return error_set(err, -EBADMSG, "not a compiled list of hashes");
        if (!cursor_ok(&c) || version != HASH_MAP_VERSION)
                return error_set(err, -EPROTO,
                                 "made for another version of sekisho (format %u, this one reads %u): make it again "
                                 "with sekisho db hashes",
                                 version, HASH_MAP_VERSION);
        uint64_t size = HASH_MAP_HEADER, part, names;
        bool fits = true;
        for (size_t k = 0; k < HASH_KINDS; k++) {
                m->counts[k] = cursor_le64(&c);
                m->tables[k] = (const uint8_t *)bytes.p + (fits ? size : 0);
                fits = fits && !__builtin_mul_overflow(m->counts[k], row_size((enum hash_kind)k), &part) &&
                       !__builtin_add_overflow(size, part, &size) && size <= bytes.n;
        }
        names = cursor_le64(&c);
        if (!cursor_ok(&c) || zero || !fits || names != bytes.n - size)
                return error_set(err, -EBADMSG, "damaged: %zu bytes are not what its header tells", bytes.n);
        m->names = str_from(bytes, (size_t)size);
        return 0;
}

int hash_map_open_memory(struct str bytes, struct hash_map **ret, struct error *err)
{
        struct hash_map *m = xcalloc(1, sizeof(*m));
        int r = read_header(m, bytes, err);
        if (r < 0) {
                free(m);
                return r;
        }
        m->bytes = bytes;
        *ret = m;
        return 0;
}

int hash_map_open(const char *path, struct hash_map **ret, struct error *err)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        struct stat st;
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_errno(err, -errno, "cannot open %s", path);
        if (!S_ISREG(st.st_mode) || st.st_size < HASH_MAP_HEADER)
                return error_set(err, -EBADMSG, "%s: not a compiled list of hashes", path);
        size_t size = (size_t)st.st_size;
        void *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
                return error_errno(err, -errno, "cannot map %s", path);
        int r = hash_map_open_memory(str_span(p, size), ret, err);
        if (r < 0) {
                munmap(p, size);
                return error_prefix(err, r, "%s", path);
        }
        (void)madvise(p, size, MADV_RANDOM);
        (*ret)->mapped = p;
        return 0;
}

void hash_map_close(struct hash_map *m)
{
        if (!m)
                return;
        if (m->mapped)
                munmap(m->mapped, m->bytes.n);
        free(m);
}

void hash_map_digest(const struct hash_map *m, struct digest *d)
{
        if (m->mapped)
                (void)madvise(m->mapped, m->bytes.n, MADV_SEQUENTIAL);
        digest_add(d, m->bytes.p, m->bytes.n);
        if (m->mapped)
                (void)madvise(m->mapped, m->bytes.n, MADV_RANDOM);
}

uint64_t hash_map_count(const struct hash_map *m, enum hash_kind kind) { return m->counts[kind]; }

static const uint8_t *row_at(const struct hash_map *m, enum hash_kind kind, uint64_t i)
{
        return m->tables[kind] + i * row_size(kind);
}

static uint64_t first_bytes(const uint8_t *digest)
{
        uint64_t v;
        memcpy(&v, digest, sizeof(v));
        return be64toh(v);
}

/*
 * The first row that is not below the digest. Digests are spread evenly, so every other step looks where it should be;
 * the others halve, so that no file takes more than twice as many steps as halving does. False: out of order.
 */
static bool lower_bound(const struct hash_map *m, enum hash_kind kind, const uint8_t *digest, uint64_t *ret)
{
        uint64_t low = 0, high = m->counts[kind], low_value = 0, high_value = UINT64_MAX;
        uint64_t wanted = first_bytes(digest);
        for (unsigned step = 0; low < high; step++) {
                uint64_t at = (high - low) / 2;
                if (step % 2 == 0 && low_value < high_value) {
                        double place = (double)(wanted - low_value) / (double)(high_value - low_value);
                        at = MIN((uint64_t)(place * (double)(high - low - 1)), high - low - 1);
                }
                const uint8_t *row = row_at(m, kind, low + at);
                uint64_t value = first_bytes(row);
                if (value < low_value || value > high_value)
                        return false;
                if (memcmp(row, digest, hash_lengths[kind]) < 0) {
                        low = low + at + 1;
                        low_value = value;
                } else {
                        high = low + at;
                        high_value = value;
                }
        }
        *ret = low;
        return true;
}

/* What follows the digest in a row. An empty name where it does not lie among the names. */
static uint64_t read_row(const struct hash_map *m, enum hash_kind kind, const uint8_t *row, struct str *ret_name)
{
        struct cursor c = cursor_from(str_span(row + hash_lengths[kind], HASH_MAP_ROW));
        uint64_t size = cursor_le64(&c);
        struct cursor name = cursor_from(m->names);
        cursor_seek(&name, cursor_le32(&c));
        *ret_name = cursor_bytes(&name, cursor_u8(&name));
        return size;
}

int hash_map_find(const struct hash_map *m, enum hash_kind kind, struct str digest, uint64_t size, struct str *ret_name)
{
        const uint8_t *wanted = (const uint8_t *)digest.p, *last = NULL;
        uint64_t i;
        if (digest.n != hash_lengths[kind])
                return 0;
        if (!lower_bound(m, kind, wanted, &i))
                return -EBADMSG;
        for (; i < m->counts[kind]; i++) {
                const uint8_t *row = row_at(m, kind, i);
                if (last && memcmp(last, row, digest.n) > 0)
                        return -EBADMSG;
                if (last && memcmp(last, wanted, digest.n) != 0)
                        break; /* one row past those of this digest was looked at, for their order */
                last = row;
                struct str name;
                uint64_t listed = read_row(m, kind, row, &name);
                if (memcmp(row, wanted, digest.n) == 0 && (listed == HASH_ANY_SIZE || listed == size)) {
                        *ret_name = name;
                        return 1;
                }
        }
        return 0;
}
