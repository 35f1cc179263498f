/*
 * See plan.h. An update is forced: a denied vulnerability with a fix goes away only at its fixed version or later. At
 * that version others may be denied (their range begins there), which forces it further, until nothing does: the lowest
 * version that clears. Updates of different source packages do not touch each other, so what is forced for each is the
 * smallest for all.
 */
#include "flow/plan.h"

#include "flow/again.h"
#include "intel/version.h"

#include <stdlib.h>

#define ROUNDS_MAX 50 /* versions that a package is forced through */

struct target {                   /* of each package of the report */
        struct str to, ecosystem; /* to: empty while it stays as it is */
};

struct planning {
        const struct scan *s;
        const struct scan_options *o;
        struct plan *plan;
        struct arena *arena;
        struct target *targets;
};

static bool is_denied(const struct finding *f) { return f->rule && f->rule->denies && !f->set_aside; }

/* --- what is forced --- */

/* True if a target moved. */
static bool force(struct planning *p, const struct report *r)
{
        bool moved = false;
        for (size_t i = 0; i < r->n_findings; i++) {
                const struct finding *f = &r->findings[i];
                if (!is_denied(f) || !f->vulnerability || !f->fix.n || f->vulnerability->malicious)
                        continue;
                for (size_t k = 0; k < f->n_packages; k++) {
                        struct target *t = &p->targets[f->packages[k]];
                        if (t->to.n && !version_is_later(f->vulnerability->ecosystem, f->fix, t->to))
                                continue;
                        *t = (struct target){ arena_str(p->arena, f->fix),
                                              arena_str(p->arena, f->vulnerability->ecosystem) };
                        moved = true;
                }
        }
        return moved;
}

/* Debian's signed kernels have the version of the unsigned one with the last "-" as "+" (see intel/match.c). */
static struct str as_signed(struct arena *a, const struct fact_package *p, struct str version)
{
        ptrdiff_t dash = str_rfind_char(version, '-');
        if (!str_starts(p->source, STR("linux-signed-")) || dash < 0)
                return version;
        return arena_printf(a, "%.*s+%.*s", STR_FMT(str_upto(version, (size_t)dash)),
                            STR_FMT(str_from(version, (size_t)dash + 1)));
}

/* The version of a binary package is that of its source, but for rebuilds ("+b1"), or something of its own. */
static bool follows_source(const struct fact_package *p)
{
        if (!p->source_version.n || str_eq(p->version, p->source_version))
                return true;
        return str_starts(p->version, p->source_version) &&
               str_starts(str_from(p->version, p->source_version.n), STR("+b"));
}

static struct report_package *planned_packages(struct planning *p)
{
        const struct report *r = &p->s->report;
        struct report_package *packages = arena_array(p->arena, r->n_packages, sizeof(*packages));
        for (size_t i = 0; i < r->n_packages; i++) {
                struct fact_package *to = &packages[i].p;
                packages[i] = r->packages[i];
                if (!p->targets[i].to.n)
                        continue;
                struct str version = as_signed(p->arena, to, p->targets[i].to);
                if (follows_source(to))
                        to->version = version;
                if (to->source_version.n)
                        to->source_version = version;
        }
        return packages;
}

static int settle(struct planning *p, struct error *err)
{
        struct plan *plan = p->plan;
        struct scan_change change = { .without_end_of_life = plan->replaces_base };
        bool moved = force(p, &p->s->report);
        for (unsigned round = 0;; round++) {
                change.packages = planned_packages(p);
                int r = scan_again(p->s, p->o, &change, &plan->after, err);
                moved = r == 0 && round < ROUNDS_MAX && force(p, &plan->after.report);
                if (!moved)
                        return r;
                scan_again_done(&plan->after);
        }
}

/* --- telling it --- */

static const struct finding *denied_end_of_life(const struct report *r)
{
        for (size_t i = 0; i < r->n_findings; i++)
                if (r->findings[i].kind == FINDING_END_OF_LIFE && is_denied(&r->findings[i]))
                        return &r->findings[i];
        return NULL;
}

static struct str source_of(const struct fact_package *p) { return p->source.n ? p->source : p->name; }

static struct str version_of(const struct fact_package *p)
{
        return p->source_version.n ? p->source_version : p->version;
}

struct numbered {
        size_t package;
        const struct planning *p;
};

/* Packages of one source and version stand together; those of one update. */
static int by_source(const void *a, const void *b)
{
        const struct numbered *x = a, *y = b;
        const struct fact_package *p = &x->p->s->report.packages[x->package].p,
                                  *q = &y->p->s->report.packages[y->package].p;
        int r = str_cmp(source_of(p), source_of(q));
        if (r == 0)
                r = str_cmp(version_of(p), version_of(q));
        if (r == 0)
                r = str_cmp(x->p->targets[x->package].to, y->p->targets[y->package].to);
        return r ? r : (x->package > y->package) - (x->package < y->package);
}

static bool concerns(const struct finding *f, const struct plan_update *u)
{
        for (size_t i = 0; i < f->n_packages; i++)
                for (size_t k = 0; k < u->n_packages; k++)
                        if (f->packages[i] == u->packages[k].package)
                                return true;
        return false;
}

/* What an update closes: findings of its packages that the planned state does not have. */
static void count_closed(const struct planning *p, struct plan_update *u)
{
        const struct report *before = &p->s->report;
        for (size_t i = 0; i < before->n_findings; i++) {
                const struct finding *f = &before->findings[i];
                if (!f->vulnerability || !f->fix.n || f->set_aside || version_is_later(u->ecosystem, f->fix, u->to) ||
                    !concerns(f, u))
                        continue;
                *(is_denied(f) ? &u->n_denied : &u->n_others) += 1;
        }
}

static void put_updates(struct planning *p)
{
        const struct report *r = &p->s->report;
        struct plan *plan = p->plan;
        struct numbered *moved = arena_array(p->arena, r->n_packages, sizeof(*moved));
        struct plan_package *packages = arena_array(p->arena, r->n_packages, sizeof(*packages));
        struct plan_update *updates = arena_array(p->arena, r->n_packages, sizeof(*updates));
        size_t n = 0;
        for (size_t i = 0; i < r->n_packages; i++)
                if (p->targets[i].to.n)
                        moved[n++] = (struct numbered){ i, p };
        if (n)
                qsort(moved, n, sizeof(*moved), by_source);
        for (size_t i = 0; i < n; i++) {
                const struct fact_package *q = &r->packages[moved[i].package].p;
                const struct target *t = &p->targets[moved[i].package];
                struct plan_update *u = plan->n_updates ? &updates[plan->n_updates - 1] : NULL;
                packages[i] = (struct plan_package){ moved[i].package,
                                                     follows_source(q) ? as_signed(p->arena, q, t->to) : STR_NONE };
                if (u && str_eq(u->name, source_of(q)) && str_eq(u->from, version_of(q)) && str_eq(u->to, t->to)) {
                        u->n_packages++;
                        continue;
                }
                updates[plan->n_updates++] = (struct plan_update){ .name = source_of(q),
                                                                   .from = version_of(q),
                                                                   .to = t->to,
                                                                   .ecosystem = t->ecosystem,
                                                                   .packages = packages + i,
                                                                   .n_packages = 1 };
        }
        for (size_t i = 0; i < plan->n_updates; i++)
                count_closed(p, &updates[i]);
        plan->updates = updates;
}

static void put_left(struct planning *p)
{
        const struct report *r = &p->plan->after.report;
        const struct finding **left = arena_array(p->arena, r->n_findings, sizeof(const struct finding *));
        for (size_t i = 0; i < r->n_findings; i++)
                if (is_denied(&r->findings[i]))
                        left[p->plan->n_left++] = &r->findings[i];
        p->plan->left = left;
        p->plan->passes = !r->denied;
}

int plan_make(const struct scan *s, const struct scan_options *o, struct plan *ret, struct error *err)
{
        struct arena arena = ARENA_INIT;
        const struct finding *eol = denied_end_of_life(&s->report);
        struct planning p = { .s = s, .o = o, .plan = ret, .arena = &arena };
        *ret = (struct plan){ .before = s };
        if (eol) {
                ret->replaces_base = true;
                ret->base_from = s->report.os_release;
                ret->base_to = eol->fix;
        }
        p.targets = arena_array(&arena, s->report.n_packages, sizeof(*p.targets));
        int r = settle(&p, err);
        if (r < 0) {
                arena_done(&arena);
                return r;
        }
        put_updates(&p);
        put_left(&p);
        ret->arena = arena; /* last: what was allocated is in it */
        return 0;
}

void plan_done(struct plan *p)
{
        scan_again_done(&p->after);
        arena_done(&p->arena);
}

/* --- commands --- */

static const struct {
        const char *type, *before, *between; /* between a package's name and its version */
        bool is_quoted;
} managers[] = {
        { "deb", "apt-get update && apt-get install -y --only-upgrade", "=", false },
        { "apk", "apk update && apk add --upgrade", ">=", true }, /* repositories keep only the newest of a branch */
        { "rpm", "dnf upgrade -y", "-", false },
};

const char *const plan_types[] = { "deb", "apk", "rpm", NULL };

static bool is_plain(struct str s) /* nothing that a shell would take for its own */
{
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-:~_^";
        for (size_t i = 0; i < s.n; i++)
                if (!memchr(plain, s.p[i], sizeof(plain) - 1))
                        return false;
        return s.n && s.p[0] != '-';
}

struct str plan_command(const struct plan *p, const char *type, struct arena *arena)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT((size_t)1 << 20);
        size_t m = 0;
        struct str last = STR_NONE;
        while (m < ARRAY_SIZE(managers) && strcmp(managers[m].type, type) != 0)
                m++;
        for (size_t i = 0; m < ARRAY_SIZE(managers) && i < p->n_updates; i++) {
                for (size_t k = 0; k < p->updates[i].n_packages; k++) {
                        const struct plan_package *x = &p->updates[i].packages[k];
                        const struct fact_package *q = &p->before->report.packages[x->package].p;
                        bool is_again = str_eq(q->name, last); /* for another architecture */
                        if (!str_is(q->type, type) || is_again || !is_plain(q->name) || (x->to.n && !is_plain(x->to)))
                                continue;
                        const char *quote = managers[m].is_quoted && x->to.n ? "'" : "";
                        buf_printf(&b, "%s %s%.*s%s%.*s%s", b.n ? "" : managers[m].before, quote, STR_FMT(q->name),
                                   x->to.n ? managers[m].between : "", STR_FMT(x->to), quote);
                        last = q->name;
                }
        }
        return b.n ? arena_str(arena, buf_str(&b)) : STR_NONE;
}
