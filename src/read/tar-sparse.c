/*
 * Sparse files: the map of data parts, in the old GNU form (type S, blocks of 24-byte pairs behind the header) and in
 * GNU.sparse 1.0 (decimal lines before the data). GNU.sparse 0.0 and 0.1 stand in the pax header: tar-pax.c.
 * Specification: GNU tar manual, "Storing Sparse Files". Parts must be ordered, disjoint, and add up to what is stored.
 */
#include "read/tar-internal.h"

#define PAIR_BYTES 24 /* offset and length, 12 bytes each */

const char *tar_extent_add(struct tar_extents *map, uint64_t offset, uint64_t length)
{
        if (map->n >= TAR_EXTENTS_MAX)
                return "sparse map with too many parts";
        *vec_push(map) = (struct tar_extent){ offset, length };
        return NULL;
}

const char *tar_sparse_check(const struct tar *t, uint64_t real_size, uint64_t stored)
{
        uint64_t end = 0, sum = 0;
        if (real_size > TAR_SIZE_MAX)
                return "sparse file that is too large";
        for (size_t i = 0; i < t->extents.n; i++) {
                const struct tar_extent *e = &t->extents.v[i];
                if (e->offset < end)
                        return "sparse map that goes backwards";
                if (e->offset > real_size || e->length > real_size - e->offset)
                        return "sparse map that leaves the file";
                end = e->offset + e->length;
                sum += e->length;
        }
        if (sum != stored)
                return "sparse map that does not fit the stored size";
        return NULL;
}

/* The pairs of one header or extension block; an empty pair ends them. */
static const char *old_pairs(struct tar_extents *map, struct str pairs)
{
        for (; pairs.n >= PAIR_BYTES; pairs = str_from(pairs, PAIR_BYTES)) {
                int64_t offset, length;
                if (pairs.p[0] == 0 || pairs.p[PAIR_BYTES / 2] == 0)
                        break;
                if (!tar_number(str_upto(pairs, PAIR_BYTES / 2), &offset) || offset < 0 ||
                    !tar_number(str_from(str_upto(pairs, PAIR_BYTES), PAIR_BYTES / 2), &length) || length < 0)
                        return "sparse map that is not a list of numbers";
                const char *why = tar_extent_add(map, (uint64_t)offset, (uint64_t)length);
                if (why)
                        return why;
        }
        return NULL;
}

int tar_sparse_old(struct tar *t, const uint8_t *block, uint64_t *ret_real_size)
{
        int64_t real_size;
        t->extents.n = 0;
        if (!tar_number(str_span(block + 483, 12), &real_size) || real_size < 0)
                return tar_malformed(t, "sparse file without a size");
        const char *why = old_pairs(&t->extents, str_span(block + 386, 4 * PAIR_BYTES));
        bool is_extended = block[482];
        while (!why && is_extended) {
                int r = tar_block(t, &block);
                if (r < 0 || r == TAR_MALFORMED)
                        return r;
                if (r == TAR_END)
                        return tar_malformed(t, "truncated in a sparse map");
                why = old_pairs(&t->extents, str_span(block, 21 * PAIR_BYTES));
                is_extended = block[504];
        }
        if (why)
                return tar_malformed(t, why);
        *ret_real_size = (uint64_t)real_size;
        return TAR_ENTRY;
}

/* The decimal lines of a 1.0 map, which lie in blocks. */
struct lines {
        struct tar *t;
        const uint8_t *block;
        unsigned at;
        uint64_t *stored; /* what the blocks are taken off */
};

/* One decimal number and its newline. TAR_ENTRY, TAR_MALFORMED or < 0. */
static int next_line(struct lines *l, uint64_t *ret)
{
        char digits[20];
        size_t n = 0;
        for (;;) {
                if (l->at == TAR_BLOCK_BYTES) {
                        if (*l->stored < TAR_BLOCK_BYTES)
                                return tar_malformed(l->t, "sparse map that ends too early");
                        int r = tar_block(l->t, &l->block);
                        if (r < 0 || r == TAR_MALFORMED)
                                return r;
                        if (r == TAR_END)
                                return tar_malformed(l->t, "truncated in a sparse map");
                        *l->stored -= TAR_BLOCK_BYTES;
                        l->at = 0;
                }
                uint8_t c = l->block[l->at++];
                if (c == '\n')
                        break;
                if (n == sizeof(digits))
                        return tar_malformed(l->t, "sparse map with a number that is too long");
                digits[n++] = (char)c;
        }
        if (!str_u64(str_span(digits, n), ret))
                return tar_malformed(l->t, "sparse map that is not a list of numbers");
        return TAR_ENTRY;
}

int tar_sparse_1_0(struct tar *t, uint64_t *stored)
{
        struct lines l = { .t = t, .at = TAR_BLOCK_BYTES, .stored = stored };
        uint64_t n, offset, length;
        t->extents.n = 0;
        int r = next_line(&l, &n);
        if (r == TAR_ENTRY && n > TAR_EXTENTS_MAX)
                return tar_malformed(t, "sparse map with too many parts");
        for (uint64_t i = 0; r == TAR_ENTRY && i < n; i++) {
                r = next_line(&l, &offset);
                if (r == TAR_ENTRY)
                        r = next_line(&l, &length);
                if (r == TAR_ENTRY)
                        *vec_push(&t->extents) = (struct tar_extent){ offset, length };
        }
        return r;
}
