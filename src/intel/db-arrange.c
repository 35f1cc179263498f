/*
 * Puts what a builder collected into the file's order. Every order here is total and made of the feeds' own words, so
 * that the bytes do not depend on a hash table.
 *
 * Groups: advisories that name each other as aliases are one vulnerability. A feed that aliases everything with
 * everything would hide findings, so a group takes in no further advisory's names past GROUP_MAX_NAMES.
 */
#include "intel/db-build-private.h"
#include "intel/ecosystem.h"

#include <stdlib.h>

#define GROUP_MAX_NAMES 64

static int order_of_texts(const struct db_builder *b, uint32_t x, uint32_t y)
{
        return x == y ? 0 : str_cmp(builder_text(b, x), builder_text(b, y));
}

static int order_of_numbers(uint64_t x, uint64_t y) { return (x > y) - (x < y); }

static int order_of_advisories(const void *px, const void *py, void *arg)
{
        const struct db_builder *b = arg;
        uint32_t x = *(const uint32_t *)px, y = *(const uint32_t *)py;
        int order = order_of_texts(b, b->advisories.v[x].id, b->advisories.v[y].id);
        return order ? order : order_of_numbers(b->advisories.v[x].feed, b->advisories.v[y].feed);
}

static int order_of_ecosystems(const void *px, const void *py, void *arg)
{
        const struct db_builder *b = arg;
        struct str x = builder_text(b, b->ecosystems.v[*(const uint32_t *)px].name);
        struct str y = builder_text(b, b->ecosystems.v[*(const uint32_t *)py].name);
        for (size_t i = 0; i < x.n && i < y.n; i++) {
                int order = order_of_numbers((unsigned char)(x.p[i] >= 'A' && x.p[i] <= 'Z' ? x.p[i] + 32 : x.p[i]),
                                             (unsigned char)(y.p[i] >= 'A' && y.p[i] <= 'Z' ? y.p[i] + 32 : y.p[i]));
                if (order)
                        return order;
        }
        return order_of_numbers(x.n, y.n);
}

/* `ecosystem` holds positions, not indices, by the time this is called. */
static int order_of_affected(const void *px, const void *py, void *arg)
{
        const struct db_builder *b = arg;
        uint32_t x = *(const uint32_t *)px, y = *(const uint32_t *)py;
        const struct build_affected *a = &b->affected.v[x], *c = &b->affected.v[y];
        int order = order_of_numbers(a->ecosystem, c->ecosystem);
        if (!order)
                order = order_of_texts(b, a->name, c->name);
        if (!order)
                order = order_of_numbers(b->advisories.v[a->advisory].rank, b->advisories.v[c->advisory].rank);
        return order ? order : order_of_numbers(x, y);
}

static bool counts(const struct db_builder *b, const struct build_affected *a)
{
        return a->edition == b->advisories.v[a->advisory].edition;
}

static void arrange_ecosystems(struct db_builder *b)
{
        for (uint32_t i = 0; i < b->ecosystems.n; i++)
                *vec_push(&b->ecosystem_order) = i;
        if (b->ecosystem_order.n)
                qsort_r(b->ecosystem_order.v, b->ecosystem_order.n, sizeof(uint32_t), order_of_ecosystems, b);
        uint32_t *position = xcalloc(b->ecosystems.n + 1, sizeof(*position));
        for (uint32_t i = 0; i < b->ecosystem_order.n; i++)
                position[b->ecosystem_order.v[i]] = i;
        for (size_t i = 0; i < b->affected.n; i++)
                b->affected.v[i].ecosystem = position[b->affected.v[i].ecosystem];
        free(position);
}

static void arrange_advisories(struct db_builder *b)
{
        for (size_t i = 0; i < b->advisories.n; i++)
                b->advisories.v[i].rank = DB_NONE;
        for (size_t i = 0; i < b->affected.n; i++)
                if (counts(b, &b->affected.v[i]))
                        b->advisories.v[b->affected.v[i].advisory].rank = 0;
        for (uint32_t i = 0; i < b->advisories.n; i++)
                if (b->advisories.v[i].rank != DB_NONE)
                        *vec_push(&b->advisory_order) = i;
        if (b->advisory_order.n)
                qsort_r(b->advisory_order.v, b->advisory_order.n, sizeof(uint32_t), order_of_advisories, b);
        for (uint32_t i = 0; i < b->advisory_order.n; i++)
                b->advisories.v[b->advisory_order.v[i]].rank = i;
}

static void arrange_affected(struct db_builder *b)
{
        for (uint32_t i = 0; i < b->affected.n; i++)
                if (counts(b, &b->affected.v[i]))
                        *vec_push(&b->affected_order) = i;
        if (b->affected_order.n)
                qsort_r(b->affected_order.v, b->affected_order.n, sizeof(uint32_t), order_of_affected, b);
}

/* Sets of names, as a forest: a name's set is the root of its tree. */
struct name_set {
        uint32_t parent, n;
        uint32_t cve; /* text of its lowest CVE id, or 0 */
};

struct grouping {
        struct db_builder *b;
        struct map64 by_text; /* text -> index in sets */
        VEC(struct name_set) sets;
};

static bool is_lower_cve(const struct db_builder *b, uint32_t x, uint32_t than)
{
        uint32_t year[2], number[2];
        if (!x || !cve_parse(builder_text(b, x), &year[0], &number[0]))
                return false;
        if (!than || !cve_parse(builder_text(b, than), &year[1], &number[1]))
                return true;
        return year[0] != year[1] ? year[0] < year[1] : number[0] < number[1];
}

static uint32_t root_of(struct grouping *g, uint32_t i)
{
        while (g->sets.v[i].parent != i) {
                g->sets.v[i].parent = g->sets.v[g->sets.v[i].parent].parent;
                i = g->sets.v[i].parent;
        }
        return i;
}

static uint32_t set_of(struct grouping *g, uint32_t text)
{
        bool is_new;
        uint64_t *known = map64_put(&g->by_text, text, &is_new);
        if (!is_new)
                return root_of(g, (uint32_t)*known);
        uint32_t i = (uint32_t)g->sets.n;
        *known = i;
        *vec_push(&g->sets) = (struct name_set){ i, 1, is_lower_cve(g->b, text, 0) ? text : 0 };
        return i;
}

/* The set that survives is the one met first, so that the numbers do not depend on sizes. */
static void unite(struct grouping *g, uint32_t x, uint32_t y)
{
        if (x == y || g->sets.v[x].n + g->sets.v[y].n > GROUP_MAX_NAMES)
                return;
        struct name_set *to = &g->sets.v[MIN(x, y)], *from = &g->sets.v[MAX(x, y)];
        to->n += from->n;
        if (is_lower_cve(g->b, from->cve, to->cve))
                to->cve = from->cve;
        from->parent = MIN(x, y);
}

static uint32_t lowest_own_cve(const struct db_builder *b, const struct build_advisory *a)
{
        uint32_t best = is_lower_cve(b, a->id, 0) ? a->id : 0;
        for (uint32_t i = 0; i < a->aliases.n; i++)
                if (is_lower_cve(b, b->names.v[a->aliases.first + i], best))
                        best = b->names.v[a->aliases.first + i];
        return best;
}

static int order_of_cves(const void *px, const void *py, void *arg)
{
        uint32_t x = *(const uint32_t *)px, y = *(const uint32_t *)py;
        return x == y ? 0 : is_lower_cve(arg, x, y) ? -1 : 1;
}

/* The CVEs that an erratum repairs, in order. */
static void upstream_cves(struct db_builder *b, const struct build_advisory *a, struct build_words *to)
{
        vec_clear(to);
        for (uint32_t i = 0; i < a->upstream.n; i++)
                if (is_lower_cve(b, b->names.v[a->upstream.first + i], 0))
                        *vec_push(to) = b->names.v[a->upstream.first + i];
        if (to->n > 1)
                qsort_r(to->v, to->n, sizeof(*to->v), order_of_cves, b);
}

/* One vulnerability of an advisory; of an erratum one for each CVE that it repairs. */
static void arrange_vulns(struct db_builder *b)
{
        struct grouping g = { .b = b };
        struct build_words cves = { 0 };
        for (uint32_t rank = 0; rank < b->advisory_order.n; rank++) {
                const struct build_advisory *a = &b->advisories.v[b->advisory_order.v[rank]];
                uint32_t own = set_of(&g, a->id);
                for (uint32_t i = 0; i < a->aliases.n; i++) {
                        unite(&g, own, set_of(&g, b->names.v[a->aliases.first + i]));
                        own = root_of(&g, own);
                }
        }
        for (uint32_t rank = 0; rank < b->advisory_order.n; rank++) {
                const struct build_advisory *a = &b->advisories.v[b->advisory_order.v[rank]];
                uint32_t own_cve = lowest_own_cve(b, a), own = set_of(&g, a->id);
                upstream_cves(b, a, &cves);
                if (own_cve || !cves.n) {
                        if (!own_cve)
                                own_cve = g.sets.v[own].cve;
                        *vec_push(&b->vulns) = (struct build_vuln){ rank, own_cve, own };
                        continue;
                }
                for (size_t i = 0; i < cves.n; i++)
                        if (i == 0 || cves.v[i] != cves.v[i - 1])
                                *vec_push(&b->vulns) = (struct build_vuln){ rank, cves.v[i], set_of(&g, cves.v[i]) };
        }
        map64_done(&g.by_text);
        vec_done(&g.sets);
        vec_done(&cves);
}

/* CVEs of which no feed of scores knows a CVSS, or a severity at all, get it from the first advisory about them alone.
 */
static void lend_scores(struct db_builder *b)
{
        for (size_t i = 0; i < b->vulns.n; i++) {
                const struct build_vuln *v = &b->vulns.v[i];
                const struct build_advisory *a = &b->advisories.v[b->advisory_order.v[v->advisory]];
                bool is_alone = (i == 0 || v[-1].advisory != v->advisory) &&
                                (i + 1 == b->vulns.n || v[1].advisory != v->advisory);
                uint32_t word = RATING_WORD_SEVERITY(a->rating);
                if (!is_alone || !v->cve || (!a->cvss && !word))
                        continue;
                struct build_score *s = builder_score(b, builder_text(b, v->cve));
                if (!s)
                        continue;
                if (a->cvss && !s->cvss) {
                        s->cvss = a->cvss;
                        s->rating = (s->rating & ~0x00ff0fffu) | (a->rating & 0x00ff0fffu);
                }
                if (word && !RATING_WORD_SEVERITY(s->rating)) {
                        s->vendor = a->vendor;
                        s->rating |= word << 12;
                }
        }
}

static int order_of_scores(const void *px, const void *py)
{
        const struct build_score *x = px, *y = py;
        return order_of_numbers((uint64_t)x->year << 32 | x->number, (uint64_t)y->year << 32 | y->number);
}

void builder_arrange(struct db_builder *b)
{
        arrange_ecosystems(b);
        arrange_advisories(b);
        arrange_affected(b);
        arrange_vulns(b);
        lend_scores(b);
        if (b->scores.n)
                qsort(b->scores.v, b->scores.n, sizeof(*b->scores.v), order_of_scores);
}
