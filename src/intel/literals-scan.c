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

/* Whether the literal stands there; it must fit. */
static bool stands(const struct literals *l, uint32_t index, const uint8_t *text)
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

static uint64_t load_head(const struct scan *s, size_t at)
{
        if (s->n - at >= 8)
                return load64(s->text + at) | FOLD8;
        uint8_t head[8] = { 0 };
        memcpy(head, s->text + at, s->n - at);
        return load64(head) | FOLD8;
}

static void compare(const struct scan *s, const struct place *p, size_t at)
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

static void look_up(const struct scan *s, size_t at)
{
        const struct literals *l = s->l;
        uint32_t gram = load32(s->text + at) | FOLD;
        uint32_t mask = (UINT32_C(1) << l->slot_bits) - 1, i = gram_hash(gram, l->slot_bits);
        for (; l->slots[i].gram; i = (i + 1) & mask) {
                if (l->slots[i].gram == gram) {
                        compare(s, &l->places[l->slots[i].first], at);
                        return;
                }
        }
}

/* Bytes that are not there count as 0: that only lets more through. */
static uint8_t byte_at(const struct scan *s, size_t at) { return at < s->n ? s->text[at] : 0; }

/* Keeps the offsets whose gram is in the second bitmap, with the byte after it or the one before. */
static size_t thin_out(const struct scan *s, size_t block, uint32_t *hit, size_t n)
{
        const uint32_t *longer = s->l->longer;
        size_t kept = 0;
        for (size_t i = 0; i < n; i++) {
                size_t at = block + hit[i];
                uint32_t gram = load32(s->text + at) | FOLD;
                hit[kept] = hit[i];
                kept += bitmap_has(longer, longer_hash(gram, byte_at(s, at + 4), false)) |
                        bitmap_has(longer, longer_hash(gram, byte_at(s, at - 1), true));
        }
        return kept;
}

/* --- the others --- */

static void look_up_small(const struct scan *s, size_t start, bool two, bool more)
{
        const struct literals *l = s->l;
        if (!counts(s, start, LITERAL_BYTES_MIN))
                return;
        uint32_t hash = pair_hash(s->text[start], s->text[start + 1]);
        for (uint32_t i = l->small_first[hash]; i < l->small_first[hash + 1]; i++) {
                size_t n = l->info[l->small[i]].n;
                if ((n == 2 ? two : more) && s->n - start >= n && stands(l, l->small[i], s->text + start))
                        s->found(s->arg, l->small[i], start);
        }
}

static uint32_t may_begin(const struct scan *s, size_t at)
{
        return bitmap_has(s->l->beginnings,
                          beginning_hash(byte_at(s, at), byte_at(s, at + 1), byte_at(s, at + 2)));
}

/* The starts that allow_literal (literals.c) provides for, each from one gram only: nothing is found twice. */
static void try_around(const struct scan *s, size_t at)
{
        if (may_begin(s, at - 2))
                look_up_small(s, at - 2, false, true);
        if (may_begin(s, at - 1))
                look_up_small(s, at - 1, true, true);
        if (may_begin(s, at))
                look_up_small(s, at, true, true);
        if (may_begin(s, at + 1))
                look_up_small(s, at + 1, true, true);
        if (s->l->has_two && may_begin(s, at + 2))
                look_up_small(s, at + 2, true, false);
}

/* --- both --- */

static void scan_block(const struct scan *s, prober probe, size_t block, size_t n)
{
        struct probed probed;
        probe(s->l, s->text + block, n, &probed);
        size_t kept = s->l->longer ? thin_out(s, block, probed.gram, probed.n_gram) : 0;
        for (size_t i = 0; i < kept; i++)
                look_up(s, block + probed.gram[i]);
        for (size_t i = 0; i < probed.n_pair; i++)
                try_around(s, block + probed.pair[i]);
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
                try_around(&s, end);
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
