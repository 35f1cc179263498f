/*
 * Findings: what is wrong, from everything that was seen. A vulnerability is one finding for each advisory and each
 * thing that its feed knows by name (the source package of Debian and Alpine), with all installed packages made of it.
 */
#include "flow/scan.h"
#include "flow/secrets.h"

#include "base/date.h"
#include "base/map.h"
#include "intel/eol.h"
#include "intel/match.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY          INT64_C(86400)
#define FINDINGS_MAX 200000 /* vulnerabilities; an image can list one package in any number of versions */

VEC_TYPE(finding_vec, struct finding);

struct finder {
        struct scan *s;
        const struct scan_options *o;
        struct finding_vec found;
        /* of the group of packages that is being matched */
        size_t *packages, n_packages;
        bool has_ecosystem, has_all; /* advisories for the packages' ecosystem; not only of what is exploited */
        size_t dropped;              /* vulnerabilities beyond FINDINGS_MAX */
};

static struct finding *add(struct finder *f, enum finding_kind kind, enum severity severity)
{
        struct finding *x = vec_push(&f->found);
        *x = (struct finding){ .kind = kind,
                               .id = str_of(finding_kind_name(kind)),
                               .severity = severity,
                               .layer = NONE,
                               .deleted_by = NONE,
                               .response = RESPONSE_DECIDE };
        return x;
}

/* --- vulnerabilities --- */

static void on_vulnerability(void *arg, const struct fact_vulnerability *found)
{
        struct finder *f = arg;
        struct arena *arena = &f->s->arena;
        if (f->found.n == FINDINGS_MAX) {
                f->dropped++;
                return;
        }
        struct fact_vulnerability *v = arena_new(arena, struct fact_vulnerability);
        fact_copy(FACT_vulnerability, arena, found, v);
        const struct report_package *p = &f->s->report.packages[f->packages[0]];
        struct finding *x = add(f, FINDING_VULNERABILITY, v->severity);
        x->id = v->cve.n ? v->cve : v->id;
        x->title = arena_printf(
                arena, "%.*s %.*s: %.*s", STR_FMT(v->matched_name), STR_FMT(v->installed),
                STR_FMT(v->summary.n ? v->summary
                                     : arena_printf(arena, v->fixed.n ? "fixed in %.*s" : "no fix is known%.*s",
                                                    STR_FMT(v->fixed))));
        x->vulnerability = v;
        x->packages = f->packages;
        x->n_packages = f->n_packages;
        x->layer = p->layer;
        x->path = p->p.database;
        x->line = p->p.line;
        x->proof = v->comparison;
        x->fix = v->fixed;
        x->response = v->fixed.n ? RESPONSE_UPDATE : RESPONSE_DECIDE;
}

struct group {
        struct db_query query;
        size_t package;
};

static int by_query(const void *a, const void *b)
{
        const struct group *x = a, *y = b;
        int r = str_cmp(x->query.ecosystem, y->query.ecosystem);
        if (r == 0)
                r = str_cmp(x->query.name, y->query.name);
        if (r == 0)
                r = str_cmp(x->query.version, y->query.version);
        return r ? r : (x->package > y->package) - (x->package < y->package);
}

static bool same_query(const struct db_query *a, const struct db_query *b)
{
        return str_eq(a->ecosystem, b->ecosystem) && str_eq(a->name, b->name) && str_eq(a->version, b->version);
}

static int find_vulnerabilities(struct finder *f, struct error *err)
{
        struct report *r = &f->s->report;
        VEC(struct group) groups = { 0 };
        int e = 0;
        for (size_t i = 0; i < r->n_packages; i++) {
                struct group g = { .package = i };
                if (package_query(&r->os, &r->packages[i].p, &f->s->arena, &g.query))
                        *vec_push(&groups) = g;
        }
        if (groups.n)
                qsort(groups.v, groups.n, sizeof(*groups.v), by_query);
        size_t *packages = arena_array(&f->s->arena, groups.n, sizeof(*packages));
        for (size_t i = 0, end; i < groups.n && e >= 0; i = end) {
                f->packages = packages + i;
                for (end = i; end < groups.n && same_query(&groups.v[i].query, &groups.v[end].query); end++)
                        packages[end] = groups.v[end].package;
                f->n_packages = end - i;
                f->has_ecosystem = f->has_ecosystem || db_knows_ecosystem(f->o->db, groups.v[i].query.ecosystem);
                f->has_all = f->has_all ||
                             (f->has_ecosystem && !db_knows_only_exploited(f->o->db, groups.v[i].query.ecosystem));
                e = db_match(f->o->db, &groups.v[i].query, &f->s->arena, on_vulnerability, f);
        }
        vec_done(&groups);
        return e < 0 ? error_set(
                               err, e,
                               "the advisory database %.*s is damaged: build or update it again, or use --db embedded",
                               STR_FMT(f->o->db_source))
                     : 0;
}

static void find_dropped(struct finder *f)
{
        if (!f->dropped)
                return;
        struct finding *x = add(f, FINDING_UNREAD, SEVERITY_HIGH);
        x->title = arena_printf(&f->s->arena, "%zu more vulnerabilities are not listed: the limit is %d", f->dropped,
                                FINDINGS_MAX);
        x->proof = STR("limit");
        f->s->report.complete = false;
}

/* --- malware --- */

/*
 * What a member holds in plain bytes, the file around it holds too: an archive without compression would tell the same
 * twice. The member's is the better one. Keys are hashes of layer, path and what was found.
 */
static uint64_t seen_key(size_t layer, struct str path, struct str what)
{
        return hash_str_more(hash_str_more(hash_str(path), what), str_span(&layer, sizeof(layer)));
}

static void find_malware(struct finder *f)
{
        struct arena *arena = &f->s->arena;
        const struct view *v = &f->s->view;
        struct set64 in_members = { 0 };
        for (size_t i = 0; i < v->n_malware; i++)
                if (v->malware[i].fact.members.n)
                        set64_add(&in_members,
                                  seen_key(v->malware[i].layer, v->malware[i].fact.path, v->malware[i].fact.rule));
        for (size_t i = 0; i < v->n_malware; i++) {
                const struct view_malware *m = &v->malware[i];
                if (!m->fact.members.n && set64_has(&in_members, seen_key(m->layer, m->fact.path, m->fact.rule)))
                        continue;
                struct finding *x = add(f, FINDING_MALWARE, m->fact.severity);
                f->s->report.search.found++;
                x->malware = &m->fact;
                x->id = m->fact.rule;
                x->path = m->fact.members.n
                                  ? arena_printf(arena, "%.*s!%.*s", STR_FMT(m->fact.path), STR_FMT(m->fact.members))
                                  : m->fact.path;
                x->title = arena_printf(arena, "%.*s in /%.*s", STR_FMT(m->fact.description), STR_FMT(x->path));
                x->layer = m->layer;
                x->deleted_by = m->deleted_by;
                x->proof = arena_printf(arena, "%.*s: %.*s, first found at byte %llu", STR_FMT(m->fact.engine),
                                        STR_FMT(m->fact.rule), (unsigned long long)m->fact.offset);
        }
        set64_done(&in_members);
}

/* --- the system --- */

static void find_end_of_life(struct finder *f)
{
        struct report *r = &f->s->report;
        struct arena *arena = &f->s->arena;
        char day[DATE_TEXT_MAX];
        struct eol eol;
        if (!r->has_os)
                return;
        if (!eol_find(&r->os, &eol)) {
                struct finding *x = add(f, FINDING_END_OF_LIFE, SEVERITY_UNKNOWN);
                x->title = arena_printf(arena, "how long %.*s is supported is not known",
                                        STR_FMT(r->os.name.n ? r->os.name : r->os.id));
                x->path = r->os.path;
                x->layer = f->s->view.os_layer;
                x->proof = STR("not in the table of releases");
                return;
        }
        r->os_release = arena_str(arena, eol.release);
        r->eol = eol.ends;
        if (!eol.ends || eol.ends >= r->today + EOL_SOON_DAYS * DAY)
                return;
        bool over = eol.ends < r->today;
        struct finding *x = add(f, FINDING_END_OF_LIFE, over ? SEVERITY_HIGH : SEVERITY_LOW);
        x->title = arena_printf(arena, "support of %.*s %s on %s", STR_FMT(eol.release), over ? "ended" : "ends",
                                date_day(eol.ends, day));
        x->path = r->os.path;
        x->layer = f->s->view.os_layer;
        char today_text[DATE_TEXT_MAX];
        x->proof = arena_printf(arena, "%s %s %s", day, over ? "is before" : "is near", date_day(r->today, today_text));
        x->response = RESPONSE_REPLACE;
        x->fix = arena_str(arena, eol.successor);
}

static void find_blindness(struct finder *f)
{
        struct report *r = &f->s->report;
        struct arena *arena = &f->s->arena;
        struct str title = STR_NONE;
        struct str system = r->os.name.n ? r->os.name : r->os.id;
        struct str packages = r->n_packages == 1 ? STR("its 1 package was")
                                                 : arena_printf(arena, "its %zu packages were", r->n_packages);
        if (!r->n_packages && !r->has_os)
                title = STR("no operating system and no package database found: there is nothing to compare with "
                            "advisories");
        else if (!r->n_packages)
                title = arena_printf(
                        arena, "%.*s, but no package database could be read: nothing was compared with advisories",
                        STR_FMT(system));
        else if (!f->has_ecosystem)
                title = arena_printf(arena, "no advisories for %.*s in this data: %.*s compared with nothing",
                                     STR_FMT(system.n ? system : STR("this system")), STR_FMT(packages));
        else if (!f->has_all)
                title = arena_printf(arena,
                                     "for %.*s this data has only vulnerabilities known to be exploited: %.*s compared "
                                     "with no others",
                                     STR_FMT(system.n ? system : STR("this system")), STR_FMT(packages));
        if (!title.n)
                return;
        /* Of sources nobody expects a system: then it is said, but it is no fault. */
        bool is_system = r->n_packages || r->has_os || !(str_is(r->kind, "dir") || str_is(r->kind, "repo"));
        struct finding *x = add(f, FINDING_UNSUPPORTED, is_system ? SEVERITY_HIGH : SEVERITY_LOW);
        x->title = title;
        x->path = r->os.path;
        x->layer = f->s->view.os_layer;
        x->proof = arena_printf(arena, "advisories: %.*s", STR_FMT(r->data_source));
}

static void find_stale_data(struct finder *f)
{
        struct report *r = &f->s->report;
        char day[DATE_TEXT_MAX];
        if (r->data_date && r->data_date >= r->today - STALE_DATA_DAYS * DAY)
                return;
        struct finding *x = add(f, FINDING_STALE_DATA, SEVERITY_LOW);
        x->title = r->data_date ? arena_printf(&f->s->arena, "the advisories are %lld days old (%s): sekisho db update",
                                               (long long)((r->today - (r->data_date - r->data_date % DAY)) / DAY),
                                               date_day(r->data_date, day))
                                : STR("nobody knows how old the advisories are: sekisho db update");
        x->proof = r->data_source;
}

/* --- files and layers --- */

static void find_modified(struct finder *f)
{
        const struct coverage *c = &f->s->report.coverage;
        for (size_t i = 0; i < c->n_modified; i++) {
                const struct report_file *m = &c->modified[i];
                bool executable = m->format == FORMAT_ELF || m->format == FORMAT_SCRIPT || m->format == FORMAT_PE;
                struct finding *x = add(f, FINDING_MODIFIED, executable ? SEVERITY_MEDIUM : SEVERITY_LOW);
                x->file = m;
                x->title = arena_printf(&f->s->arena, "/%.*s is not what %.*s shipped", STR_FMT(m->path),
                                        STR_FMT(m->package));
                x->path = m->path;
                x->layer = m->layer;
                x->proof = m->why;
        }
}

static size_t layer_named(const struct report *r, struct str path) /* "layer 3" -> 2 */
{
        uint64_t n;
        bool is_one = str_starts(path, STR("layer ")) && str_u64(str_from(path, 6), &n) && n && n <= r->n_layers;
        return is_one ? (size_t)n - 1 : NONE;
}

static void find_unread(struct finder *f)
{
        const struct coverage *c = &f->s->report.coverage;
        for (size_t i = 0; i < c->n_unread; i++) {
                const struct fact_unread *u = &c->unread[i];
                size_t layer = layer_named(&f->s->report, u->path);
                bool is_loss = layer != NONE || is_package_list(u->path);
                struct finding *x = add(f, FINDING_UNREAD, is_loss ? SEVERITY_HIGH : SEVERITY_LOW);
                x->title = arena_printf(&f->s->arena, "%.*s: %.*s", STR_FMT(u->path), STR_FMT(u->detail));
                x->path = u->path;
                x->layer = layer;
                x->proof = arena_printf(&f->s->arena, "%.*s: %.*s", STR_FMT(u->code), STR_FMT(u->detail));
        }
}

static void find_mismatch(struct finder *f, size_t layer, const char *what, struct str promised, struct str found)
{
        if (!promised.n || !found.n || str_eq(promised, found))
                return;
        if (!str_starts(promised, STR("sha256:"))) {
                struct finding *x = add(f, FINDING_UNREAD, SEVERITY_LOW);
                x->title = arena_printf(&f->s->arena, "layer %zu was not verified: its promised %s is no sha256",
                                        layer + 1, what);
                x->path = arena_str(&f->s->arena, str_upto(promised, 200));
                x->layer = layer;
                x->proof = STR("unsupported");
                return;
        }
        struct finding *x = add(f, FINDING_MISMATCH, SEVERITY_CRITICAL);
        x->title = arena_printf(&f->s->arena, "layer %zu is not what was promised: its %s differs", layer + 1, what);
        x->path = promised;
        x->layer = layer;
        x->proof = arena_printf(&f->s->arena, "%s %.*s, not %.*s", what, STR_FMT(found), STR_FMT(promised));
}

static void find_mismatches(struct finder *f, const struct layers *l)
{
        const struct artefact *a = &f->s->artefact;
        for (size_t i = 0; i < l->n; i++) {
                if (a->layers[i].is_packed || !l->v[i].has_end || l->v[i].is_broken)
                        continue; /* broken: what came so far is no reason to accuse what was promised */
                struct fact_layer end;
                fact_copy(FACT_layer, &f->s->arena, &l->v[i].end, &end);
                find_mismatch(f, i, "digest", a->layers[i].digest, end.digest);
                find_mismatch(f, i, "diff_id", a->layers[i].diff_id, end.diff_id);
        }
}

static void find_misconfigurations(struct finder *f)
{
        size_t n;
        const struct fact_check *checks = image_checks(&f->s->report, &f->s->files, &f->s->arena, &n);
        for (size_t i = 0; i < n; i++) {
                const struct fact_check *c = &checks[i];
                struct finding *x = add(f, FINDING_MISCONFIG, c->severity);
                x->id = c->id;
                x->check = c;
                x->title = arena_printf(&f->s->arena, "%.*s%s%.*s", STR_FMT(c->title), c->detail.n ? ": " : "",
                                        STR_FMT(c->detail));
                x->path = c->file;
                x->proof = c->detail;
        }
}

/* --- secrets --- */

static void find_secrets(struct finder *f)
{
        const struct view *v = &f->s->view;
        struct set64 in_members = { 0 };
        for (size_t i = 0; i < v->n_secrets; i++)
                if (v->secrets[i].secret.members.n)
                        set64_add(&in_members, seen_key(v->secrets[i].layer, v->secrets[i].secret.path,
                                                        v->secrets[i].secret.fingerprint));
        for (size_t i = 0; i < v->n_secrets; i++) {
                const struct fact_secret *x = &v->secrets[i].secret;
                if (!x->members.n && set64_has(&in_members, seen_key(v->secrets[i].layer, x->path, x->fingerprint)))
                        continue;
                secret_describe(&f->s->arena, &v->secrets[i], add(f, FINDING_SECRET, x->severity));
        }
        set64_done(&in_members);
}

int scan_findings(struct scan *s, const struct scan_options *o, const struct layers *l, struct error *err)
{
        struct finder f = { .s = s, .o = o };
        int r = find_vulnerabilities(&f, err);
        if (r == 0) {
                find_malware(&f);
                find_dropped(&f);
                find_end_of_life(&f);
                find_blindness(&f);
                find_stale_data(&f);
                find_modified(&f);
                find_unread(&f);
                find_mismatches(&f, l);
                find_misconfigurations(&f);
                find_secrets(&f);
                if (o->vex)
                        vex_apply(o->vex, &s->report, &s->arena, f.found.v, f.found.n);
                scan_judge(s, o, f.found.v, f.found.n);
        }
        vec_done(&f.found);
        return r;
}

int scan_rematch(struct scan *s, const struct scan_options *o, const struct finding *kept, size_t n_kept,
                 struct error *err)
{
        struct finder f = { .s = s, .o = o };
        int r = find_vulnerabilities(&f, err);
        if (r == 0) {
                for (size_t i = 0; i < n_kept; i++)
                        *vec_push(&f.found) = kept[i];
                find_dropped(&f);
                if (o->vex)
                        vex_apply(o->vex, &s->report, &s->arena, f.found.v, f.found.n);
                scan_judge(s, o, f.found.v, f.found.n);
        }
        vec_done(&f.found);
        return r;
}
