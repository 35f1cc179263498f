/* See again.h. What is made of packages and of the policy is forgotten and made anew; all else is kept as it was found.
 */
#include "flow/again.h"

#include <stdlib.h>

/* Made anew: vulnerabilities by matching, the artefact's own findings and those about waivers by the policy. */
static bool is_kept(const struct finding *f, const struct scan_change *c)
{
        return f->kind != FINDING_VULNERABILITY && f->kind != FINDING_WAIVER && f->kind != FINDING_ARTEFACT &&
               !(f->kind == FINDING_END_OF_LIFE && c->without_end_of_life);
}

/* As it was before it was judged. */
static struct finding unjudged(const struct finding *f)
{
        struct finding x = *f;
        x.rule = NULL;
        x.waiver = x.doubtful = NULL;
        x.reasons = NULL;
        x.n_reasons = 0;
        x.doubt = STR_NONE;
        if (x.set_aside == SET_ASIDE_BY_WAIVER) {
                x.set_aside = SET_ASIDE_NOT;
                x.set_aside_by = x.set_aside_why = STR_NONE;
        }
        if (x.response != RESPONSE_UPDATE && !(x.response == RESPONSE_REPLACE && !x.vulnerability))
                x.response = RESPONSE_DECIDE;
        return x;
}

static void forget_verdict(struct report *r)
{
        r->findings = NULL;
        r->rules = NULL;
        r->moves = NULL;
        r->waivers = NULL;
        r->n_findings = r->n_rules = r->n_moves = r->n_waivers = 0;
        r->denied = false;
}

int scan_again(const struct scan *from, const struct scan_options *o, const struct scan_change *change,
               struct scan *ret, struct error *err)
{
        const struct report *before = &from->report;
        size_t n = 0;
        *ret = *from;
        ret->arena = ARENA_INIT;
        forget_verdict(&ret->report);
        if (change->packages)
                ret->report.packages = change->packages;
        struct finding *kept = arena_array(&ret->arena, before->n_findings, sizeof(*kept));
        for (size_t i = 0; i < before->n_findings; i++)
                if (is_kept(&before->findings[i], change))
                        kept[n++] = unjudged(&before->findings[i]);
        int r = scan_rematch(ret, o, kept, n, err);
        if (r == 0)
                scan_moves(ret);
        else
                scan_again_done(ret);
        return r;
}

void scan_again_done(struct scan *s) { arena_done(&s->arena); }
