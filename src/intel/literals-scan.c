/*
 * The scan of literals.h, with the tables of literals.c. The text is probed in blocks; the few positions that hit are
 * thinned out by a second test without a branch, and what is left is looked up.
 */
#include "intel/literals-private.h"

struct scan {
        const struct literals *l;
        const uint8_t *text;
        size_t n;
        size_t from, to; /* of starts that count */
        literals_found found;
        void *arg;
};

/* Whether the literal, of n bytes, stands there; it must fit. */
static inline bool stands(const struct literals *l, uint32_t index, size_t n, const uint8_t *text)
{
        const struct literal_info *info = &l->info[index];
        const uint8_t *bytes = l->bytes + info->at;
        if (info->nocase) {
                for (size_t i = 0; i < n; i++)
                        if (ascii_lower(text[i]) != bytes[i])
                                return false;
                return true;
        }
        if (n < 8 || n > 16)
                return memcmp(bytes, text, n) == 0;
        return load64(bytes) == load64(text) && load64(bytes + n - 8) == load64(text + n - 8);
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

/* The places of one key: those at one distance from the gram stand in a row, so that a head is loaded once for them. */
static inline void compare(const struct scan *s, const struct place *p, size_t at)
{
        for (;;) {
                size_t start = at - p->back;
                uint8_t back = p->back;
                bool is_in_range = start >= s->from && start < s->to;
                uint64_t head = is_in_range ? load_head(s, start) : 0;
                for (; p->back == back; p++) {
                        uint64_t differs = head ^ p->head;
                        if (is_in_range && (!differs || (p->n < 8 && !(differs & UINT64_MAX >> 8))) &&
                            s->n - start >= p->n && stands(s->l, p->literal, p->n, s->text + start))
                                s->found(s->arg, p->literal, start);
                        if (p->is_last)
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

/* A hit on its way through the tables. Each step is taken for all hits of a block before the next, so that the
 * processor fetches what the next one needs for many of them at once. */
struct lookup {
        uint32_t key;
        uint32_t at;    /* of the gram, in the block */
        uint32_t place; /* the first */
};

static inline uint32_t slot_of(const struct literals *l, uint32_t key) { return key >> (32 - l->slot_bits); }

/* Tries each hit with the bytes around it, in the three ways that there are. No branch hangs on the text. */
static size_t thin_out(const struct scan *s, size_t block, const uint32_t *hit, size_t n, struct lookup *ret)
{
        const struct literals *l = s->l;
        size_t kept = 0;
        for (size_t i = 0; i < n; i++) {
                uint64_t around = around_of(s, block + hit[i]);
                uint32_t both = key_both(around), after = key_after(around), before = key_before(around);
                ret[kept] = (struct lookup){ .key = both, .at = hit[i] };
                kept += bitmap_has(l->longer, longer_bit(l, both));
                ret[kept] = (struct lookup){ .key = after, .at = hit[i] };
                kept += bitmap_has(l->longer, longer_bit(l, after));
                ret[kept] = (struct lookup){ .key = before, .at = hit[i] };
                kept += bitmap_has(l->longer, longer_bit(l, before));
        }
        for (size_t i = 0; i < kept; i++)
                __builtin_prefetch(&l->slots[slot_of(l, ret[i].key)]);
        return kept;
}

/* Keeps the lookups whose keys literals have. */
static size_t find_places(const struct literals *l, struct lookup *v, size_t n)
{
        const uint32_t mask = (UINT32_C(1) << l->slot_bits) - 1;
        size_t kept = 0;
        for (size_t i = 0; i < n; i++) {
                uint32_t at = slot_of(l, v[i].key);
                while (l->slots[at].key && l->slots[at].key != v[i].key)
                        at = (at + 1) & mask;
                if (!l->slots[at].key)
                        continue;
                v[kept] = v[i];
                v[kept].place = l->slots[at].first;
                __builtin_prefetch(&l->places[v[kept++].place]);
        }
        return kept;
}

/* --- the others --- */

static inline void try_list(const struct scan *s, size_t start, uint64_t bytes, uint32_t hash)
{
        const struct short_set *shorts = s->l->shorts;
        const struct short_one *one = shorts->ones + shorts->first[hash], *end = shorts->ones + shorts->first[hash + 1];
        for (; one < end; one++)
                if (!((bytes ^ one->bytes) & one->mask) && s->n - start >= one->n)
                        s->found(s->arg, one->literal, start);
}

/* The two lists may be the same one by chance. */
static inline void look_up_short(const struct scan *s, size_t start, uint64_t bytes)
{
        uint32_t of_three = list_hash((uint32_t)bytes, 3), of_two = list_hash((uint32_t)bytes, 2);
        try_list(s, start, bytes, of_three);
        if (s->l->shorts->has_pairs && of_two != of_three)
                try_list(s, start, bytes, of_two);
}

static inline uint64_t load_start(const struct scan *s, size_t at)
{
        uint8_t bytes[8] = { 0 };
        if (s->n - at >= 8)
                return load64(s->text + at);
        memcpy(bytes, s->text + at, s->n - at);
        return load64(bytes);
}

/* The hits with whose three bytes a literal begins are kept first, without a branch that hangs on the text. */
static void look_up_shorts(const struct scan *s, size_t block, uint32_t *hit, size_t n)
{
        size_t kept = 0;
        for (size_t i = 0; i < n; i++) {
                uint32_t at = hit[i];
                uint64_t bytes = load_start(s, block + at);
                hit[kept] = at;
                kept += bitmap_has(s->l->shorts->beginnings, beginning_hash((uint32_t)bytes));
        }
        for (size_t i = 0; i < kept; i++)
                look_up_short(s, block + hit[i], load_start(s, block + hit[i]));
}

/* --- both --- */

/* Both go through the text a block at a time, so that the second finds it in the processor's nearest cache. */
struct rooms {
        uint32_t hit[BLOCK_BYTES + HIT_SLACK];
        struct lookup lookups[3 * BLOCK_BYTES / STRIDE + 1];
};

static void scan_grams(const struct scan *s, gram_prober probe, size_t at, size_t n, struct rooms *r)
{
        size_t hits = probe(s->l, s->text + at, n, r->hit);
        size_t found = find_places(s->l, r->lookups, thin_out(s, at, r->hit, hits, r->lookups));
        for (size_t i = 0; i < found; i++)
                compare(s, &s->l->places[r->lookups[i].place], at + r->lookups[i].at);
}

/* The last few starts of a text are tried without a probe, which would look beyond it. */
static void scan_shorts(const struct scan *s, short_prober probe, size_t at, size_t end, struct rooms *r)
{
        size_t probed = MIN(end, s->n - MIN(s->n, (size_t)SHORT_PLACES - 1));
        if (at < probed) {
                look_up_shorts(s, at, r->hit, probe(s->l->shorts, s->text + at, probed - at, r->hit));
                at = probed;
        }
        for (; at < end; at++)
                look_up_short(s, at, load_start(s, at));
}

/*
 * The text is probed from the last multiple of 4 that may tell of a start in range, and to where a literal that begins
 * in range ends.
 */
static void run(const struct literals *l, struct str text, size_t from, size_t to, literals_found found, void *arg,
                struct probers probers)
{
        struct scan s = { .l = l,
                          .text = (const uint8_t *)text.p,
                          .n = text.n,
                          .from = from,
                          .to = MIN(to, text.n),
                          .found = found,
                          .arg = arg };
        struct rooms rooms;
        if (s.from >= s.to)
                return;
        size_t first = s.from & ~(size_t)(STRIDE - 1), last = MIN(s.n, s.to + l->longest + STRIDE);
        size_t end = last & ~(size_t)(STRIDE - 1); /* of whole grams */
        first -= MIN(first, (size_t)STRIDE);
        for (size_t at = first; at < last; at += BLOCK_BYTES) {
                size_t next = at + BLOCK_BYTES;
                if (l->grams && at < end)
                        scan_grams(&s, probers.grams, at, MIN(end, next) - at, &rooms);
                if (l->shorts)
                        scan_shorts(&s, probers.shorts, MAX(at, s.from), MIN(s.to, next), &rooms);
        }
}

void literals_scan(const struct literals *l, struct str text, size_t from, size_t to, literals_found found, void *arg)
{
        run(l, text, from, to, found, arg, probers_fastest());
}

void literals_scan_portable(const struct literals *l, struct str text, size_t from, size_t to, literals_found found,
                            void *arg)
{
        run(l, text, from, to, found, arg, probers_portable());
}
