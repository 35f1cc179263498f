/*
 * See hash-list.h. Of a digest its first 8 bytes are kept in a sorted table of 16 bytes an entry, searched by halving;
 * the rest of the digest, its size and its name stand in one block of bytes, so that a line takes some 50 bytes and its
 * name.
 */
#include "intel/hash-list.h"

#include "base/arena.h"
#include "base/fs.h"
#include "base/vec.h"

#include <ctype.h>
#include <endian.h>
#include <errno.h>

#define ANY_SIZE  UINT64_MAX
#define NAME_MAX_ 255

static const size_t lengths[HASH_KINDS] = { [HASH_MD5] = 16, [HASH_SHA1] = 20, [HASH_SHA256] = 32 };

struct entry {
        uint64_t first; /* 8 bytes of the digest, big-endian: sorts as the digest does */
        uint64_t at;    /* of its record: the rest of the digest, size (8 bytes), length of the name, name */
};

struct table {
        VEC(struct entry) entries;
};

struct hash_list {
        struct table tables[HASH_KINDS];
        struct buf records;
        size_t n;
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
        buf_done(&l->records);
        free(l);
}

static uint64_t load_be64(const void *p)
{
        uint64_t v;
        memcpy(&v, p, sizeof(v));
        return be64toh(v);
}

static void add(struct hash_list *l, enum hash_kind kind, const uint8_t *digest, uint64_t size, struct str name)
{
        *vec_push(&l->tables[kind].entries) = (struct entry){ load_be64(digest), l->records.n };
        name = str_upto(name, NAME_MAX_);
        buf_add(&l->records, digest + 8, lengths[kind] - 8);
        buf_le64(&l->records, size);
        buf_u8(&l->records, (uint8_t)name.n);
        buf_add_str(&l->records, name);
        l->n++;
}

static bool kind_of(size_t digits, enum hash_kind *ret)
{
        for (size_t k = 0; k < HASH_KINDS; k++) {
                if (digits == 2 * lengths[k]) {
                        *ret = (enum hash_kind)k;
                        return true;
                }
        }
        return false;
}

/* What follows the digest: ":SIZE:NAME[:...]", blanks and a name, or nothing. */
static bool read_rest(struct str rest, uint64_t *ret_size, struct str *ret_name)
{
        *ret_size = ANY_SIZE;
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
        if (!kind_of(n, &kind) || !str_hex(str_upto(line, n), lengths[kind], digest) ||
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

int hash_list_add_file(struct hash_list *l, const char *path, struct error *err)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(HASH_LIST_BYTES_MAX);
        int r = read_file(path, &text, err);
        return r < 0 ? r : hash_list_add(l, buf_str(&text), path, err);
}

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

size_t hash_list_count(const struct hash_list *l, enum hash_kind kind) { return l->tables[kind].entries.n; }

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

bool hash_list_has(const struct hash_list *l, enum hash_kind kind, struct str digest, uint64_t size,
                   struct str *ret_name)
{
        const struct table *t = &l->tables[kind];
        if (digest.n != lengths[kind])
                return false;
        uint64_t first = load_be64(digest.p);
        for (size_t i = lower_bound(t, first); i < t->entries.n && t->entries.v[i].first == first; i++) {
                const uint8_t *record = (const uint8_t *)l->records.p + t->entries.v[i].at;
                size_t rest = lengths[kind] - 8;
                uint64_t listed;
                memcpy(&listed, record + rest, sizeof(listed));
                listed = le64toh(listed);
                if (memcmp(record, digest.p + 8, rest) != 0 || (listed != ANY_SIZE && listed != size))
                        continue;
                *ret_name = str_span(record + rest + 9, record[rest + 8]);
                return true;
        }
        return false;
}
