/*
 * The scan of literals.h, with the tables of literals.c. The text is probed in blocks; the few positions that hit are
 * thinned out by a second test without a branch, and what is left is looked up.
 */
#include "intel/literals-private.h"

#include <assert.h>

struct scan {
        const struct literals *l;
        const uint8_t *text;
        size_t n;
        size_t from, to; /* of starts that count */
        literals_found found;
        void *arg;
};

/* Whether the literal stands there; it must fit. */
static inline bool stands(const struct literals *l, uint32_t index, const uint8_t *text)
{
        const struct literal_info *info = &l->info[index];
        const uint8_t *bytes = l->bytes + info->at;
        if (!info->nocase)
                return memcmp(bytes, text, info->n) == 0;
        for (size_t i = 0; i < info->n; i++)
                if (ascii_lower(text[i]) != bytes[i])
                        return false;
        return true;
}

/* A start before the text is huge, and so out of range too. */
static bool counts(const struct scan *s, size_t start, size_t n)
{
        return start >= s->from && start < s->to && s->n - start >= n;
}

/* --- literals of WINDOW bytes and more --- */

static inline uint64_t load_head(const struct scan *s, size_t at)
{
        if (s->n - at >= 8)
                return load64(s->text + at) | FOLD8;
        uint8_t head[8] = { 0 };
        memcpy(head, s->text + at, s->n - at);
        return load64(head) | FOLD8;
}

static inline void compare(const struct scan *s, const struct place *p, size_t at)
{
        for (;; p++) {
                size_t start = at - p->back, n = s->l->info[p->literal].n;
                if (counts(s, start, n)) {
                        uint64_t head = load_head(s, start);
                        if ((head == p->head || (n < 8 && (head & UINT64_MAX >> 8) == p->head)) &&
                            stands(s->l, p->literal, s->text + start))
                                s->found(s->arg, p->literal, start);
                }
                if (p->is_last)
                        return;
        }
}

static inline void look_up(const struct scan *s, uint32_t key, size_t at)
{
        const struct literals *l = s->l;
        uint32_t mask = (UINT32_C(1) << l->slot_bits) - 1, i = key >> (32 - l->slot_bits);
        for (; l->slots[i].key; i = (i + 1) & mask) {
                if (l->slots[i].key == key) {
                        compare(s, &l->places[l->slots[i].first], at);
                        return;
                }
        }
}

/* The gram with two bytes before and after, folded. What the text does not have counts as 0, and as any of a literal's.
 */
static inline uint64_t around_of(const struct scan *s, size_t at)
{
        if (at >= 2 && s->n - at >= 6)
                return load64(s->text + at - 2) | FOLD8;
        uint8_t bytes[8] = { 0 };
        size_t before = MIN(at, (size_t)2);
        memcpy(bytes + 2 - before, s->text + at - before, before + MIN(s->n - at, (size_t)6));
        return load64(bytes) | FOLD8;
}

/* Positions are multiples of STRIDE: the low bits say which of the two keys is in the second bitmap. */
enum { IS_AFTER = 1, IS_BEFORE = 2 };

static size_t thin_out(const struct scan *s, size_t block, uint32_t *hit, size_t n)
{
        const uint32_t *longer = s->l->longer;
        size_t kept = 0;
        for (size_t i = 0; i < n; i++) {
                uint64_t around = around_of(s, block + hit[i]);
                uint32_t after = bitmap_has(longer, longer_bit(key_after(around)));
                uint32_t before = bitmap_has(longer, longer_bit(key_before(around)));
                hit[kept] = hit[i] | after * IS_AFTER | before * IS_BEFORE;
                kept += after | before;
        }
        return kept;
}

static void look_up_all(const struct scan *s, size_t block, const uint32_t *hit, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                size_t at = block + (hit[i] & ~(uint32_t)(STRIDE - 1));
                uint64_t around = around_of(s, at);
                if (hit[i] & IS_AFTER)
                        look_up(s, key_after(around), at);
                if (hit[i] & IS_BEFORE)
                        look_up(s, key_before(around), at);
        }
}

/* --- the others --- */

/* The literals that begin at start, which lies `from` bytes behind a gram that tells of them. */
static inline void look_up_small(const struct scan *s, size_t start, int from)
{
        const struct literals *l = s->l;
        if (!counts(s, start, LITERAL_BYTES_MIN))
                return;
        uint32_t hash = pair_hash(s->text[start], s->text[start + 1]);
        for (uint32_t i = l->small_first[hash]; i < l->small_first[hash + 1]; i++) {
                size_t n = l->info[l->small[i]].n;
                int least = small_start(n);
                if (from >= least && from < least + STRIDE && s->n - start >= n &&
                    stands(l, l->small[i], s->text + start))
                        s->found(s->arg, l->small[i], start);
        }
}

/* Starts are bits, from START_MIN on. Each comes from one gram only for each length, so nothing is found twice. */
#define ALL_STARTS ((1u << STARTS) - 1)

static void try_starts(const struct scan *s, size_t at, uint32_t starts)
{
        for (; starts; starts &= starts - 1) {
                int start = __builtin_ctz(starts) + START_MIN;
                look_up_small(s, at + (size_t)(ptrdiff_t)start, start);
        }
}

static inline uint32_t begins(const struct scan *s, uint64_t bytes)
{
        return bitmap_has(s->l->beginnings, beginning_hash((uint32_t)bytes));
}

/* Which of the starts are in the bitmap of beginnings. Near the ends of the text: all of them. Written out, as it is
 * hot. */
static inline uint32_t possible_starts(const struct scan *s, size_t at)
{
        if (at < 3 || s->n - at < 6)
                return ALL_STARTS;
        uint64_t around = load64(s->text + at - 3) | FOLD8;
        uint32_t last = load32(s->text + at + 2) | FOLD;
        static_assert(STARTS == 6, "one term for each start");
        return begins(s, around) | begins(s, around >> 8) << 1 | begins(s, around >> 16) << 2 |
               begins(s, around >> 24) << 3 | begins(s, around >> 32) << 4 | begins(s, last) << 5;
}

static size_t thin_out_small(const struct scan *s, size_t block, uint32_t *hit, size_t n)
{
        size_t kept = 0;
        for (size_t i = 0; i < n; i++) {
                uint32_t starts = possible_starts(s, block + hit[i]);
                hit[kept] = hit[i] | starts << 16;
                kept += starts != 0;
        }
        return kept;
}

/* --- both --- */

static void scan_block(const struct scan *s, prober probe, size_t block, size_t n)
{
        struct probed probed;
        probe(s->l, s->text + block, n, &probed);
        if (probed.n_gram)
                look_up_all(s, block, probed.gram, thin_out(s, block, probed.gram, probed.n_gram));
        if (!probed.n_pair)
                return;
        size_t kept = thin_out_small(s, block, probed.pair, probed.n_pair);
        for (size_t i = 0; i < kept; i++)
                try_starts(s, block + (probed.pair[i] & 0xffff), probed.pair[i] >> 16);
}

/*
 * The text is probed from the last multiple of 4 that may tell of a start in range, and to where a literal that begins
 * in range ends. The gram that the end of the text cuts is tried in any case, if it can matter to a small literal.
 */
static void run(const struct literals *l, struct str text, size_t from, size_t to, literals_found found, void *arg,
                prober probe)
{
        struct scan s = { .l = l,
                          .text = (const uint8_t *)text.p,
                          .n = text.n,
                          .from = from,
                          .to = MIN(to, text.n),
                          .found = found,
                          .arg = arg };
        if (s.from >= s.to)
                return;
        size_t at = s.from & ~(size_t)(STRIDE - 1), reach = MIN(s.n, s.to + l->longest + STRIDE);
        size_t end = reach & ~(size_t)(STRIDE - 1);
        at -= MIN(at, (size_t)STRIDE);
        for (size_t n; at < end; at += n) {
                n = MIN(end - at, (size_t)BLOCK_BYTES);
                scan_block(&s, probe, at, n);
        }
        if (l->pairs)
                try_starts(&s, end, ALL_STARTS);
}

void literals_scan(const struct literals *l, struct str text, size_t from, size_t to, literals_found found, void *arg)
{
        run(l, text, from, to, found, arg, probe_fastest());
}

void literals_scan_portable(const struct literals *l, struct str text, size_t from, size_t to, literals_found found,
                            void *arg)
{
        run(l, text, from, to, found, arg, probe_portable);
}
