/*
 * See hash-list.h. Of a digest its first 8 bytes are kept in a sorted table of 16 bytes an entry, searched by halving;
 * the rest of the digest, its size and its name stand in one block of bytes, so that a line takes some 50 bytes and its
 * name.
 */
#include "intel/hash-list.h"

#include "base/arena.h"
#include "base/fs.h"
#include "base/vec.h"
#include "intel/hash-map.h"

#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_ 255
#define SIZE_BITS 18 /* of a bitmap of sizes: 32 KiB, an eighth full with 30,000 of them */

const size_t hash_lengths[HASH_KINDS] = { [HASH_MD5] = 16, [HASH_SHA1] = 20, [HASH_SHA256] = 32 };

struct entry {
        uint64_t first; /* 8 bytes of the digest, big-endian: sorts as the digest does */
        uint64_t at;    /* of its record: the rest of the digest, size (8 bytes), length of the name, name */
};

struct table {
        VEC(struct entry) entries;
        bool has_any_size;                    /* an entry of a file of whatever size */
        uint8_t sizes[(1u << SIZE_BITS) / 8]; /* by size_bit: of the others */
};

struct hash_list {
        struct table tables[HASH_KINDS];
        struct buf records;
        size_t n;
        VEC(struct hash_map *) maps;
};

struct hash_list *hash_list_new(void)
{
        struct hash_list *l = xcalloc(1, sizeof(*l));
        l->records = BUF_INIT((size_t)16 << 30);
        return l;
}

void hash_list_free(struct hash_list *l)
{
        if (!l)
                return;
        for (size_t k = 0; k < HASH_KINDS; k++)
                vec_done(&l->tables[k].entries);
        for (size_t i = 0; i < l->maps.n; i++)
                hash_map_close(l->maps.v[i]);
        vec_done(&l->maps);
        buf_done(&l->records);
        free(l);
}

static uint64_t load_be64(const void *p)
{
        uint64_t v;
        memcpy(&v, p, sizeof(v));
        return be64toh(v);
}

static uint32_t size_bit(uint64_t size) { return (uint32_t)(size * UINT64_C(0x9e3779b97f4a7c15) >> (64 - SIZE_BITS)); }

static void note_size(struct table *t, uint64_t size)
{
        if (size == HASH_ANY_SIZE)
                t->has_any_size = true;
        else
                t->sizes[size_bit(size) / 8] |= (uint8_t)(1u << size_bit(size) % 8);
}

static void add(struct hash_list *l, enum hash_kind kind, const uint8_t *digest, uint64_t size, struct str name)
{
        *vec_push(&l->tables[kind].entries) = (struct entry){ load_be64(digest), l->records.n };
        note_size(&l->tables[kind], size);
        name = str_upto(name, NAME_MAX_);
        buf_add(&l->records, digest + 8, hash_lengths[kind] - 8);
        buf_le64(&l->records, size);
        buf_u8(&l->records, (uint8_t)name.n);
        buf_add_str(&l->records, name);
        l->n++;
}

static bool kind_of(size_t digits, enum hash_kind *ret)
{
        for (size_t k = 0; k < HASH_KINDS; k++) {
                if (digits == 2 * hash_lengths[k]) {
                        *ret = (enum hash_kind)k;
                        return true;
                }
        }
        return false;
}

/* What follows the digest: ":SIZE:NAME[:...]", blanks and a name, or nothing. */
static bool read_rest(struct str rest, uint64_t *ret_size, struct str *ret_name)
{
        *ret_size = HASH_ANY_SIZE;
        *ret_name = STR_NONE;
        if (rest.n && rest.p[0] == ':') {
                rest = str_from(rest, 1);
                struct str size = str_cut(&rest, ':');
                *ret_name = str_trim(str_cut(&rest, ':'));
                return str_is(size, "*") || str_u64(size, ret_size);
        }
        *ret_name = str_trim(rest);
        if (ret_name->n && ret_name->p[0] == '*')
                *ret_name = str_from(*ret_name, 1);
        return !rest.n || isspace((unsigned char)rest.p[0]);
}

static bool add_line(struct hash_list *l, struct str line)
{
        uint8_t digest[32];
        enum hash_kind kind;
        uint64_t size;
        struct str name;
        size_t n = 0;
        while (n < line.n && isxdigit((unsigned char)line.p[n]))
                n++;
        if (!kind_of(n, &kind) || !str_hex(str_upto(line, n), hash_lengths[kind], digest) ||
            !read_rest(str_from(line, n), &size, &name))
                return false;
        add(l, kind, digest, size, name);
        return true;
}

int hash_list_add(struct hash_list *l, struct str text, const char *name, struct error *err)
{
        for (size_t number = 1; text.n; number++) {
                struct str line = str_trim(str_line(&text));
                if (!line.n || line.p[0] == '#')
                        continue;
                if (l->n == HASH_LIST_MAX)
                        return error_set(err, -E2BIG, "%s:%zu: more than %d digests", name, number, HASH_LIST_MAX);
                if (!add_line(l, line))
                        return error_set(err, -EINVAL,
                                         "%s:%zu: no digest: a line is a SHA-256, SHA-1 or MD5 in hexadecimal, alone, "
                                         "with a name, "
                                         "or as DIGEST:SIZE:NAME",
                                         name, number);
        }
        return 0;
}

/* Only of regular files: from a pipe nothing is to be taken away. */
static bool is_compiled(const char *path)
{
        char start[sizeof(HASH_MAP_MAGIC)];
        struct stat st;
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
               read(fd, start, sizeof(start)) == (ssize_t)sizeof(start) && hash_map_is(str_span(start, sizeof(start)));
}

int hash_list_add_file(struct hash_list *l, const char *path, struct error *err)
{
        if (is_compiled(path)) {
                struct hash_map *m;
                int r = hash_map_open(path, &m, err);
                if (r == 0)
                        *vec_push(&l->maps) = m;
                return r;
        }
        _cleanup_(buf_done) struct buf text = BUF_INIT(HASH_LIST_BYTES_MAX);
        int r = read_file(path, &text, err);
        return r < 0 ? r : hash_list_add(l, buf_str(&text), path, err);
}

bool hash_list_is_compiled(const struct hash_list *l) { return l->maps.n > 0; }

/* The digests are spread evenly, so most are told apart by their first 8 bytes; records keep the order of the rest. */
static int by_first(const void *a, const void *b)
{
        const struct entry *x = a, *y = b;
        if (x->first != y->first)
                return x->first < y->first ? -1 : 1;
        return (x->at > y->at) - (x->at < y->at);
}

void hash_list_seal(struct hash_list *l)
{
        for (size_t k = 0; k < HASH_KINDS; k++)
                if (l->tables[k].entries.n > 1)
                        qsort(l->tables[k].entries.v, l->tables[k].entries.n, sizeof(struct entry), by_first);
}

void hash_list_digest(const struct hash_list *l, struct digest *d)
{
        for (size_t k = 0; k < HASH_KINDS; k++) {
                uint64_t entries = l->tables[k].entries.n;
                digest_add(d, &entries, sizeof(entries));
                if (entries)
                        digest_add(d, l->tables[k].entries.v, entries * sizeof(struct entry));
        }
        uint64_t n = l->records.n;
        digest_add(d, &n, sizeof(n));
        if (n)
                digest_add(d, l->records.p, n);
        for (size_t i = 0; i < l->maps.n; i++)
                hash_map_digest(l->maps.v[i], d);
}

size_t hash_list_count(const struct hash_list *l, enum hash_kind kind)
{
        size_t n = l->tables[kind].entries.n;
        for (size_t i = 0; i < l->maps.n; i++)
                n += (size_t)hash_map_count(l->maps.v[i], kind);
        return n;
}

bool hash_list_may_have(const struct hash_list *l, enum hash_kind kind, uint64_t size)
{
        const struct table *t = &l->tables[kind];
        for (size_t i = 0; i < l->maps.n; i++)
                if (hash_map_count(l->maps.v[i], kind))
                        return true;
        return t->entries.n && (t->has_any_size || t->sizes[size_bit(size) / 8] >> size_bit(size) % 8 & 1);
}

/* The first entry whose value is not below first. */
static size_t lower_bound(const struct table *t, uint64_t first)
{
        size_t low = 0, high = t->entries.n;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (t->entries.v[middle].first < first)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

struct line {
        uint8_t digest[32];
        uint64_t size, at; /* at: of its record: the order in which they were added */
        struct str name;
};

static struct line line_of(const struct hash_list *l, enum hash_kind kind, const struct entry *e)
{
        struct line line = { .at = e->at };
        size_t rest = hash_lengths[kind] - 8;
        const uint8_t *record = (const uint8_t *)l->records.p + e->at;
        uint64_t first = htobe64(e->first);
        memcpy(line.digest, &first, 8);
        memcpy(line.digest + 8, record, rest);
        memcpy(&line.size, record + rest, sizeof(line.size));
        line.size = le64toh(line.size);
        line.name = str_span(record + rest + 9, record[rest + 8]);
        return line;
}

static bool is_in_texts(const struct hash_list *l, enum hash_kind kind, struct str digest, uint64_t size,
                        struct str *ret_name)
{
        const struct table *t = &l->tables[kind];
        uint64_t first = load_be64(digest.p);
        for (size_t i = lower_bound(t, first); i < t->entries.n && t->entries.v[i].first == first; i++) {
                struct line line = line_of(l, kind, &t->entries.v[i]);
                if (memcmp(line.digest, digest.p, digest.n) != 0 || (line.size != HASH_ANY_SIZE && line.size != size))
                        continue;
                *ret_name = line.name;
                return true;
        }
        return false;
}

int hash_list_find(const struct hash_list *l, enum hash_kind kind, struct str digest, uint64_t size,
                   struct str *ret_name)
{
        int damaged = 0;
        if (digest.n != hash_lengths[kind])
                return 0;
        if (is_in_texts(l, kind, digest, size, ret_name))
                return 1;
        for (size_t i = 0; i < l->maps.n; i++) {
                int r = hash_map_find(l->maps.v[i], kind, digest, size, ret_name);
                if (r > 0)
                        return r;
                if (r < 0)
                        damaged = r;
        }
        return damaged;
}

/* --- the compiled form --- */

static int by_digest(const void *a, const void *b)
{
        const struct line *x = a, *y = b;
        int r = memcmp(x->digest, y->digest, sizeof(x->digest)); /* what is beyond the kind's length is zero */
        return r ? r : (x->at > y->at) - (x->at < y->at);
}

/* Where the next name stands among the names; they begin with an empty one, which all lines without a name share. */
static void write_row(const struct line *line, size_t length, uint64_t *name_at, FILE *out)
{
        uint64_t size = htole64(line->size);
        uint32_t name = htole32(line->name.n ? (uint32_t)*name_at : 0);
        *name_at += line->name.n ? line->name.n + 1 : 0;
        fwrite(line->digest, 1, length, out);
        fwrite(&size, 1, sizeof(size), out);
        fwrite(&name, 1, sizeof(name), out);
}

struct lines {
        VEC(struct line) v;
        uint64_t counts[HASH_KINDS], names; /* names: bytes of them */
};

/* All of one kind, sorted by the whole digest. */
static void take_lines(const struct hash_list *l, enum hash_kind kind, struct lines *ret)
{
        const struct table *t = &l->tables[kind];
        ret->counts[kind] = t->entries.n;
        for (size_t i = 0; i < t->entries.n; i++) {
                struct line *line = vec_push(&ret->v);
                *line = line_of(l, kind, &t->entries.v[i]);
                ret->names += line->name.n ? line->name.n + 1 : 0;
        }
        if (t->entries.n > 1)
                qsort(ret->v.v + ret->v.n - t->entries.n, t->entries.n, sizeof(struct line), by_digest);
}

int hash_list_write(const struct hash_list *l, FILE *out, struct error *err)
{
        struct lines lines = { .names = 1 };
        uint64_t name_at = 1;
        size_t i = 0;
        _cleanup_(buf_done) struct buf header = BUF_INIT(HASH_MAP_HEADER + 1);
        for (size_t k = 0; k < HASH_KINDS; k++)
                take_lines(l, (enum hash_kind)k, &lines);
        if (lines.names > UINT32_MAX) {
                vec_done(&lines.v);
                return error_set(err, -E2BIG, "more than %u bytes of names", UINT32_MAX);
        }
        hash_map_header(lines.counts, lines.names, &header);
        fwrite(header.p, 1, header.n, out);
        for (size_t k = 0; k < HASH_KINDS; k++)
                for (uint64_t n = 0; n < lines.counts[k]; n++, i++)
                        write_row(&lines.v.v[i], hash_lengths[k], &name_at, out);
        putc(0, out);
        for (i = 0; i < lines.v.n; i++) {
                if (!lines.v.v[i].name.n)
                        continue;
                putc((int)lines.v.v[i].name.n, out);
                fwrite(lines.v.v[i].name.p, 1, lines.v.v[i].name.n, out);
        }
        vec_done(&lines.v);
        return ferror(out) ? error_set(err, -EIO, "cannot write the list") : 0;
}
