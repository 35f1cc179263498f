/*
 * Moves: the lines of "What to do". All findings that one update of one source package closes are one move, to the
 * highest of the versions that fix them; what has no fix is one move for each package that somebody must decide on.
 * What was set aside needs no move.
 */
#include "flow/scan.h"

#include "base/map.h"
#include "intel/version.h"

#include <stdlib.h>

/* The names of installed packages, each once. */
static struct str names_of(const struct report *r, const size_t *packages, size_t n, struct arena *arena)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(64 << 10);
        for (size_t i = 0; i < n; i++) {
                struct str name = r->packages[packages[i]].p.name;
                if (i && str_eq(name, r->packages[packages[i - 1]].p.name))
                        continue; /* the same package for another architecture */
                if (b.n)
                        buf_putc(&b, ' ');
                buf_add_str(&b, name);
        }
        return arena_str(arena, buf_str(&b));
}

/* Another base image comes first: it closes what no update can. Then updates, then what somebody must decide. */
static int most_urgent_first(const void *a, const void *b)
{
        const struct move *x = a, *y = b;
        if ((x->response == RESPONSE_REPLACE) != (y->response == RESPONSE_REPLACE))
                return x->response == RESPONSE_REPLACE ? -1 : 1;
        if (x->response != y->response)
                return x->response < y->response ? -1 : 1;
        if (x->n_kev != y->n_kev)
                return x->n_kev > y->n_kev ? -1 : 1;
        if (x->worst != y->worst)
                return x->worst > y->worst ? -1 : 1;
        if (x->n_findings != y->n_findings)
                return x->n_findings > y->n_findings ? -1 : 1;
        int r = str_cmp(x->name, y->name);
        if (r == 0)
                r = str_cmp(x->from, y->from);
        return r ? r : (x->findings[0] > y->findings[0]) - (x->findings[0] < y->findings[0]);
}

/* The move that which[] closes: n findings of one product and one response. */
static struct move move_of(struct scan *s, const size_t *which, size_t n)
{
        const struct report *r = &s->report;
        const struct finding *f = &r->findings[which[0]];
        struct move m = { .response = f->response, .to = f->fix, .findings = which };
        for (size_t i = 0; i < n; i++) {
                const struct finding *x = &r->findings[which[i]];
                m.worst = MAX(m.worst, x->severity);
                m.n_kev += x->vulnerability && x->vulnerability->kev;
                if (x->vulnerability && x->fix.n && version_is_later(x->vulnerability->ecosystem, x->fix, m.to))
                        m.to = x->fix;
        }
        m.n_findings = n;
        if (f->vulnerability) {
                m.name = f->vulnerability->matched_name;
                m.from = f->vulnerability->installed;
                m.packages = names_of(r, f->packages, f->n_packages, &s->arena);
        } else {
                m.name = arena_printf(&s->arena, "base image %.*s", STR_FMT(r->os_release));
        }
        return m;
}

/* Findings with the same key are closed by one move. Groups of packages are disjoint: the first one names the group. */
static uint64_t key_of(const struct finding *f, size_t i)
{
        return f->vulnerability ? ((uint64_t)f->packages[0] * RESPONSES + f->response) << 1 : (uint64_t)i << 1 | 1;
}

void scan_moves(struct scan *s)
{
        struct report *r = &s->report;
        struct map64 numbers = { 0 }; /* key -> number of the move, from 1 */
        size_t *number = xcalloc(r->n_findings, sizeof(*number)), n = 0;
        size_t *at = xcalloc(r->n_findings + 2, sizeof(*at)); /* [k]: where the findings of move k stand in which[] */
        size_t *which = arena_array(&s->arena, r->n_findings, sizeof(*which));
        for (size_t i = 0; i < r->n_findings; i++) {
                const struct finding *f = &r->findings[i];
                if (f->set_aside || (!f->vulnerability && f->response != RESPONSE_REPLACE))
                        continue;
                uint64_t *known = map64_put(&numbers, key_of(f, i), NULL);
                if (!*known)
                        *known = ++n;
                number[i] = *known;
                at[number[i] + 1]++;
        }
        for (size_t k = 1; k <= n; k++)
                at[k + 1] += at[k];
        for (size_t i = 0; i < r->n_findings; i++)
                if (number[i])
                        which[at[number[i]]++] = i; /* at[k] becomes the end of move k */
        struct move *moves = arena_array(&s->arena, n, sizeof(*moves));
        for (size_t k = 1; k <= n; k++)
                moves[k - 1] = move_of(s, which + at[k - 1], at[k] - at[k - 1]);
        if (n)
                qsort(moves, n, sizeof(*moves), most_urgent_first);
        r->moves = moves;
        r->n_moves = n;
        map64_done(&numbers);
        free(number);
        free(at);
}
