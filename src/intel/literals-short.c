/*
 * What is built for literals of 2 to 6 bytes, which are tried at every position of the text. They are sorted into 8 or
 * 16 heaps; a table for each of the first four places says which heaps have a literal with a byte there. Where the four
 * bytes at a position have a heap in common is a candidate, and that takes a few vector instructions for 64 positions
 * at once. Heaps are made so that few positions of ordinary files pass: literals of alike bytes come together.
 *
 * A candidate is tried in a bitmap by its first three bytes, then with the literals that have those: each is one masked
 * comparison of 8 bytes.
 */
#include "intel/literals-private.h"

#include "base/arena.h"

#include <stdlib.h>

static bool is_letter(uint8_t c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

/* --- heaps --- */

#define BYTES 128 /* that are told apart */

/* About how many of 10,000 bytes of files are this one. */
static double share_of(uint8_t byte)
{
        if (byte == 0)
                return 2000;
        if (strchr("acdeilnorst", (int)byte))
                return 350;
        if (byte >= 'a' && byte <= 'z')
                return 200;
        if ((byte >= '0' && byte <= '9') || strchr(" \"-./_", (int)byte))
                return 120;
        return byte >= 'A' && byte <= 'Z' ? 80 : 20;
}

struct heap {
        bool has[SHORT_PLACES][BYTES];
        double shares[SHORT_PLACES]; /* of the bytes that it has */
};

/* The bytes that may stand at a place of the literal: 1 or 2, or 0 if it is shorter, so that all may. */
static size_t bytes_at(const struct literals *l, const struct literal_info *info, size_t place, uint8_t ret[static 2])
{
        if (place >= info->n)
                return 0;
        uint8_t c = l->bytes[info->at + place];
        ret[0] = c % BYTES;
        ret[1] = ret[0] ^ 0x20;
        return info->nocase && is_letter(c) ? 2 : 1;
}

/* What a heap costs: the share of positions of a text that pass it. */
static double cost_of(const double shares[static SHORT_PLACES])
{
        double cost = 1;
        for (size_t i = 0; i < SHORT_PLACES; i++)
                cost *= shares[i] / 1e4;
        return cost;
}

static void shares_with(const struct literals *l, const struct heap *h, const struct literal_info *info,
                        double ret[static SHORT_PLACES])
{
        for (size_t i = 0; i < SHORT_PLACES; i++) {
                uint8_t bytes[2];
                size_t n = bytes_at(l, info, i, bytes);
                ret[i] = n ? h->shares[i] : 1e4;
                for (size_t k = 0; k < n; k++)
                        ret[i] += h->has[i][bytes[k]] ? 0 : share_of(bytes[k]);
        }
}

static void heap_add(const struct literals *l, struct heap *h, const struct literal_info *info)
{
        shares_with(l, h, info, h->shares);
        for (size_t i = 0; i < SHORT_PLACES; i++) {
                uint8_t bytes[2];
                size_t n = bytes_at(l, info, i, bytes);
                for (size_t k = 0; k < n; k++)
                        h->has[i][bytes[k]] = true;
                if (!n)
                        memset(h->has[i], true, sizeof(h->has[i]));
        }
}

/* The heap that it makes least more expensive. */
static struct heap *best_heap(const struct literals *l, struct heap *heaps, size_t n, const struct literal_info *info)
{
        struct heap *best = heaps;
        double least = 1e9;
        for (size_t i = 0; i < n; i++) {
                double shares[SHORT_PLACES];
                shares_with(l, &heaps[i], info, shares);
                double more = cost_of(shares) - cost_of(heaps[i].shares);
                if (more < least) {
                        least = more;
                        best = &heaps[i];
                }
        }
        return best;
}

static void fill_table(struct short_table *t, size_t bit, const bool has[static BYTES])
{
        for (size_t byte = 0; byte < BYTES; byte++) {
                if (!has[byte])
                        continue;
                t->by_byte[byte] |= (uint8_t)(1u << bit);
                t->by_low[byte % 16] |= (uint8_t)(1u << bit);
                t->by_high[byte / 16] |= (uint8_t)(1u << bit);
                t->by_high[byte / 16 + 8] |= (uint8_t)(1u << bit);
        }
}

/* --- the set --- */

struct ordered {
        uint32_t literal;
        double cost; /* of a heap with this one only */
};

/* The most common first: the others find their heap among them. */
static int by_cost(const void *a, const void *b)
{
        const struct ordered *x = a, *y = b;
        if (x->cost != y->cost)
                return x->cost > y->cost ? -1 : 1;
        return (x->literal > y->literal) - (x->literal < y->literal);
}

static void build_tables(const struct literals *l, struct short_set *s)
{
        static const struct heap empty;
        struct ordered *order = xcalloc(s->n, sizeof(*order));
        size_t n_heaps = s->groups * SHORT_HEAPS;
        struct heap *heaps = xcalloc(n_heaps, sizeof(*heaps));
        for (size_t i = 0; i < s->n; i++) {
                double shares[SHORT_PLACES];
                shares_with(l, &empty, &l->info[s->ones[i].literal], shares);
                order[i] = (struct ordered){ s->ones[i].literal, cost_of(shares) };
        }
        qsort(order, s->n, sizeof(*order), by_cost);
        for (size_t i = 0; i < s->n; i++) {
                const struct literal_info *info = &l->info[order[i].literal];
                heap_add(l, best_heap(l, heaps, n_heaps, info), info);
        }
        for (size_t k = 0; k < n_heaps; k++)
                for (size_t i = 0; i < SHORT_PLACES; i++)
                        fill_table(&s->tables[k / SHORT_HEAPS][i], k % SHORT_HEAPS, heaps[k].has[i]);
        free(order);
        free(heaps);
}

static void add_beginning(struct short_set *s, const uint8_t *bytes, size_t n)
{
        uint32_t first = load16(bytes);
        for (uint32_t third = 0; third < (n < 3 ? 256 : 1); third++)
                bitmap_set(s->beginnings, beginning_hash(first | (n < 3 ? third : bytes[2]) << 16));
}

/* A letter that matches in either case is compared without the bit in which the cases differ. */
static struct short_one one_of(const struct literals *l, uint32_t literal)
{
        const struct literal_info *info = &l->info[literal];
        uint8_t bytes[8] = { 0 }, mask[8] = { 0 };
        for (size_t i = 0; i < info->n; i++) {
                uint8_t c = l->bytes[info->at + i];
                mask[i] = info->nocase && is_letter(c) ? 0xdf : 0xff;
                bytes[i] = c & mask[i];
        }
        return (struct short_one){ load64(bytes), load64(mask), literal, info->n };
}

static uint32_t list_of(const struct literals *l, const struct literal_info *info)
{
        uint8_t bytes[4] = { 0 };
        memcpy(bytes, l->bytes + info->at, MIN(info->n, (size_t)3));
        return list_hash(load32(bytes), MIN(info->n, (size_t)3));
}

struct short_set *short_set_new(const struct literals *l)
{
        size_t n = 0;
        for (size_t i = 0; i < l->n; i++)
                n += l->info[i].n < WINDOW;
        if (!n)
                return NULL;
        struct short_set *s = xcalloc(1, sizeof(*s));
        uint32_t *next = xcalloc(ARRAY_SIZE(s->first), sizeof(*next));
        s->n = n;
        s->groups = n <= SHORT_ONE_MAX ? 1 : SHORT_GROUPS;
        s->ones = xcalloc(n, sizeof(*s->ones));
        for (size_t i = 0; i < l->n; i++)
                if (l->info[i].n < WINDOW)
                        s->first[list_of(l, &l->info[i]) + 1]++;
        for (size_t h = 1; h < ARRAY_SIZE(s->first); h++)
                s->first[h] += s->first[h - 1];
        memcpy(next, s->first, sizeof(s->first));
        for (size_t i = 0; i < l->n; i++) {
                const struct literal_info *info = &l->info[i];
                if (info->n >= WINDOW)
                        continue;
                s->ones[next[list_of(l, info)]++] = one_of(l, (uint32_t)i);
                add_beginning(s, l->bytes + info->at, info->n);
                s->has_pairs |= info->n == 2;
        }
        free(next);
        build_tables(l, s);
        return s;
}

void short_set_free(struct short_set *s)
{
        if (!s)
                return;
        free(s->ones);
        free(s);
}

size_t short_set_memory(const struct short_set *s) { return s ? sizeof(*s) + s->n * sizeof(*s->ones) : 0; }
