/*
 * See literals.h. A literal of 7 bytes or more holds, wherever it stands in the text, one piece of 4 bytes that begins
 * at a multiple of 4, whichever 7 bytes of it are looked at. So of each literal the 7 bytes are taken whose four
 * pieces ("grams") are the rarest in ordinary files; all four go into a bitmap, and only every 4th position of the text
 * is probed against it. A probe that hits is tried in a second bitmap with the two bytes after it or before it, then
 * looked up in a hash table from those 6 bytes to the literals that have them, whose first 8 bytes are compared before
 * the whole is.
 *
 * Literals of 2 to 6 bytes hold no such piece everywhere: every position is tried for them, see literals-short.c.
 *
 * Upper and lower case are the same to these tables: bit 5 of every byte is set first. That lets literals that match in
 * any case share them; the comparison at the end is exact.
 */
#include "intel/literals-private.h"

#include "base/arena.h"
#include "intel/grams.h"

#include <errno.h>
#include <stdlib.h>

#define GRAM_BITS_MIN   10 /* of the words of grams: 4 KiB */
#define GRAM_BITS_MAX   17 /* 512 KiB: what second-level caches hold */
#define SPARSITY        32 /* bits of the bitmap of longer pieces for each of them */
#define LONGER_BITS_MIN 15
#define LONGER_BITS_MAX 21
#define SHARED_BITS     18

struct chosen { /* a gram of a literal, before places are sorted */
        uint32_t gram, key, literal;
        uint8_t back;
};

struct builder {
        struct literals *l;
        struct chosen *chosen; /* STRIDE a literal */
        size_t n_chosen;
        uint32_t *shared; /* how many chose a gram, by hash: collisions only make the choice more careful */
};

static uint32_t gram_at(const uint8_t *bytes, size_t i) { return load32(bytes + i) | FOLD; }

/* --- literals of WINDOW bytes and more --- */

/* What it costs to look for this gram: how often it will be met, times how many are compared then. */
static uint64_t gram_cost(const struct builder *b, uint32_t gram)
{
        uint64_t shared = b->shared[gram_hash(gram, SHARED_BITS)];
        uint64_t cost = (uint64_t)gram_frequency(gram) * (1 + shared / 4) + shared;
        return shared >= LITERALS_SHARE_MAX ? cost + (UINT64_C(1) << 40) : cost;
}

/* Of the gram at i, with what the literal has of the two bytes before it and the two after. */
static uint32_t key_of(const uint8_t *bytes, size_t n, size_t i)
{
        uint64_t before = i >= 2 ? load16(bytes + i - 2) : 0, after = i + 6 <= n ? load16(bytes + i + 4) : 0;
        uint64_t around = (before | (uint64_t)gram_at(bytes, i) << 16 | after << 48) | FOLD8;
        return i < 2 ? key_after(around) : i + 6 > n ? key_before(around) : key_both(around);
}

static void choose_grams(struct builder *b, uint32_t literal)
{
        const struct literal_info *info = &b->l->info[literal];
        const uint8_t *bytes = b->l->bytes + info->at;
        uint64_t costs[LITERAL_BYTES_MAX], least = UINT64_MAX;
        size_t best = 0;
        for (size_t i = 0; i + 4 <= info->n; i++)
                costs[i] = gram_cost(b, gram_at(bytes, i));
        for (size_t i = 0; i + WINDOW <= info->n; i++) {
                uint64_t cost = costs[i] + costs[i + 1] + costs[i + 2] + costs[i + 3];
                if (cost < least) {
                        least = cost;
                        best = i;
                }
        }
        for (size_t i = best; i < best + STRIDE; i++) {
                uint32_t gram = gram_at(bytes, i);
                uint32_t key = key_of(bytes, info->n, i);
                b->chosen[b->n_chosen++] =
                        (struct chosen){ .gram = gram, .key = key, .literal = literal, .back = (uint8_t)i };
                b->shared[gram_hash(gram, SHARED_BITS)]++;
        }
}

static int by_key(const void *a, const void *b)
{
        const struct chosen *x = a, *y = b;
        if (x->key != y->key)
                return x->key < y->key ? -1 : 1;
        if (x->back != y->back) /* those of one place in a row, for the scan */
                return x->back - y->back;
        return (x->literal > y->literal) - (x->literal < y->literal);
}

static void add_slot(struct literals *l, uint32_t key, uint32_t first)
{
        uint32_t mask = (UINT32_C(1) << l->slot_bits) - 1, i = key >> (32 - l->slot_bits);
        while (l->slots[i].key)
                i = (i + 1) & mask;
        l->slots[i] = (struct slot){ key, first };
}

static struct place place_of(const struct literals *l, const struct chosen *c)
{
        const struct literal_info *info = &l->info[c->literal];
        uint8_t head[8] = { 0 };
        memcpy(head, l->bytes + info->at, MIN(info->n, sizeof(head)));
        uint64_t folded = load64(head) | FOLD8;
        if (info->n < sizeof(head))
                folded &= UINT64_MAX >> 8;
        return (struct place){ .head = folded, .literal = c->literal, .n = info->n, .back = c->back };
}

static unsigned bits_for(size_t n, unsigned least, unsigned most)
{
        unsigned bits = least;
        while (bits < most && (UINT64_C(1) << bits) < n)
                bits++;
        return bits;
}

static void build_grams(struct builder *b)
{
        struct literals *l = b->l;
        l->n_places = b->n_chosen;
        if (!b->n_chosen)
                return;
        qsort(b->chosen, b->n_chosen, sizeof(*b->chosen), by_key);
        l->gram_bits = bits_for(b->n_chosen, GRAM_BITS_MIN, GRAM_BITS_MAX);
        l->grams = xcalloc((size_t)1 << l->gram_bits, sizeof(*l->grams));
        l->longer_bits = bits_for(b->n_chosen * SPARSITY, LONGER_BITS_MIN, LONGER_BITS_MAX);
        l->longer = xcalloc((size_t)1 << (l->longer_bits - 5), sizeof(*l->longer));
        l->slot_bits = bits_for(b->n_chosen * 2, 4, 31);
        l->slots = xcalloc((size_t)1 << l->slot_bits, sizeof(*l->slots));
        l->places = xcalloc(b->n_chosen, sizeof(*l->places));
        for (size_t i = 0; i < b->n_chosen; i++) {
                const struct chosen *c = &b->chosen[i];
                l->places[i] = place_of(l, c);
                l->places[i].is_last = i + 1 == b->n_chosen || c[1].key != c->key;
                l->grams[gram_hash(c->gram, l->gram_bits)] |= gram_mask(c->gram, l->gram_bits);
                if (i && c[-1].key == c->key)
                        continue;
                bitmap_set(l->longer, longer_bit(l, c->key));
                add_slot(l, c->key, (uint32_t)i);
        }
}

/* --- all --- */

static int check(const struct literal *v, size_t n, size_t *ret_bytes, struct error *err)
{
        if (n > LITERALS_MAX)
                return error_set(err, -E2BIG, "%zu literals: at most %u are taken", n, LITERALS_MAX);
        for (size_t i = 0; i < n; i++) {
                if (v[i].bytes.n < LITERAL_BYTES_MIN || v[i].bytes.n > LITERAL_BYTES_MAX)
                        return error_set(err, -EINVAL, "literal %zu has %zu bytes: %d to %d are taken", i, v[i].bytes.n,
                                         LITERAL_BYTES_MIN, LITERAL_BYTES_MAX);
                *ret_bytes += v[i].bytes.n;
        }
        if (*ret_bytes > LITERALS_BYTES_MAX)
                return error_set(err, -E2BIG, "literals of %zu bytes together: at most %u are taken", *ret_bytes,
                                 LITERALS_BYTES_MAX);
        return 0;
}

static void copy_literals(struct literals *l, const struct literal *v)
{
        size_t at = 0;
        for (size_t i = 0; i < l->n; i++) {
                size_t n = v[i].bytes.n;
                l->info[i] = (struct literal_info){ .at = (uint32_t)at, .n = (uint16_t)n, .nocase = v[i].nocase };
                for (size_t k = 0; k < n; k++) {
                        uint8_t c = (uint8_t)v[i].bytes.p[k];
                        l->bytes[at + k] = v[i].nocase ? ascii_lower(c) : c;
                }
                at += n;
                l->longest = MAX(l->longest, n);
        }
}

int literals_new(const struct literal *v, size_t n, struct literals **ret, struct error *err)
{
        size_t bytes = 0;
        int r = check(v, n, &bytes, err);
        if (r < 0)
                return r;
        struct literals *l = xcalloc(1, sizeof(*l));
        l->n = n;
        l->n_bytes = bytes;
        l->info = xcalloc(n + 1, sizeof(*l->info));
        l->bytes = xmalloc(bytes + 1);
        copy_literals(l, v);
        struct builder b = { .l = l,
                             .chosen = xcalloc(n + 1, STRIDE * sizeof(*b.chosen)),
                             .shared = xcalloc((size_t)1 << SHARED_BITS, sizeof(*b.shared)) };
        for (size_t i = 0; i < n; i++)
                if (l->info[i].n >= WINDOW)
                        choose_grams(&b, (uint32_t)i);
        build_grams(&b);
        l->shorts = short_set_new(l);
        free(b.chosen);
        free(b.shared);
        *ret = l;
        return 0;
}

void literals_free(struct literals *l)
{
        if (!l)
                return;
        free(l->info);
        free(l->bytes);
        free(l->grams);
        free(l->longer);
        free(l->slots);
        free(l->places);
        short_set_free(l->shorts);
        free(l);
}

size_t literals_longest(const struct literals *l) { return l->longest; }

size_t literals_memory(const struct literals *l)
{
        size_t n = sizeof(*l) + l->n * sizeof(*l->info) + l->n_bytes + l->n_places * sizeof(*l->places);
        if (l->grams)
                n += (sizeof(*l->grams) << l->gram_bits) + ((size_t)1 << (l->longer_bits - 3)) +
                     (sizeof(*l->slots) << l->slot_bits);
        return n + short_set_memory(l->shorts);
}
