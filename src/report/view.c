/* See view.h. */
#include "report/view.h"

#include "report/text.h"

#include <ctype.h>

#define STEP_WIDTH 40 /* of a build step within a sentence */

struct counts report_counts(const struct report *r)
{
        struct counts c = { 0 };
        for (size_t i = 0; i < r->n_findings; i++) {
                const struct finding *f = &r->findings[i];
                c.secrets += f->kind == FINDING_SECRET;
                if (f->kind != FINDING_VULNERABILITY)
                        continue;
                if (f->set_aside) {
                        c.set_aside[f->set_aside]++;
                        continue;
                }
                c.vulnerabilities++;
                c.by_severity[MIN(f->severity, SEVERITY_CRITICAL)]++;
                c.exploited += f->vulnerability && f->vulnerability->kev;
                c.fixable += f->vulnerability && f->vulnerability->fixed.n;
                c.loaded += finding_use(r, f) == USE_LOADED;
        }
        return c;
}

void report_leftovers(const struct report *r, struct arena *a, struct leftover ret[static RESPONSES])
{
        bool *closed = arena_array(a, r->n_findings + 1, sizeof(*closed));
        for (size_t i = 0; i < r->n_moves; i++)
                if (r->moves[i].response == RESPONSE_UPDATE || r->moves[i].response == RESPONSE_REPLACE)
                        for (size_t j = 0; j < r->moves[i].n_findings; j++)
                                closed[r->moves[i].findings[j]] = true;
        for (size_t response = 0; response < RESPONSES; response++)
                ret[response] = (struct leftover){ arena_array(a, r->n_findings + 1, sizeof(size_t)), 0 };
        for (size_t i = 0; i < r->n_findings; i++) {
                const struct finding *f = &r->findings[i];
                if (f->kind == FINDING_VULNERABILITY && !closed[i] && !f->set_aside)
                        ret[f->response].findings[ret[f->response].n++] = i;
        }
}

size_t packages_concerned(const struct report *r, const size_t *findings, size_t n)
{
        struct arena a = ARENA_INIT;
        bool *seen = arena_array(&a, r->n_packages + 1, sizeof(*seen));
        size_t packages = 0;
        for (size_t i = 0; i < n; i++) {
                const struct finding *f = &r->findings[findings[i]];
                for (size_t j = 0; j < f->n_packages; j++) {
                        packages += !seen[f->packages[j]];
                        seen[f->packages[j]] = true;
                }
        }
        arena_done(&a);
        return packages;
}

struct str finding_subject(const struct report *r, struct arena *a, const struct finding *f)
{
        if (f->vulnerability && f->vulnerability->matched_name.n)
                return text_clean(a, f->vulnerability->matched_name);
        return f->n_packages ? text_clean(a, r->packages[f->packages[0]].p.name) : STR_NONE;
}

struct str finding_version(const struct report *r, struct arena *a, const struct finding *f)
{
        if (f->vulnerability && f->vulnerability->installed.n)
                return text_clean(a, f->vulnerability->installed);
        return f->n_packages ? text_clean(a, r->packages[f->packages[0]].p.version) : STR_NONE;
}

struct str finding_packages(const struct report *r, struct arena *a, const struct finding *f)
{
        struct buf b = BUF_INIT((size_t)1 << 20);
        for (size_t i = 0; i < f->n_packages; i++) {
                if (i)
                        buf_puts(&b, ", ");
                buf_add_str(&b, text_clean(a, r->packages[f->packages[i]].p.name));
        }
        return text_take(a, &b);
}

struct str move_subject(struct arena *a, const struct move *m, unsigned width)
{
        struct str name = text_clean(a, m->name), packages = text_clean(a, m->packages);
        struct buf b = BUF_INIT((size_t)1 << 20);
        size_t others = 0;
        buf_add_str(&b, name);
        while (packages.p) {
                struct str one = str_cut(&packages, ' ');
                if (!one.n || str_eq(one, name))
                        continue;
                buf_putc(&b, ' ');
                buf_add_str(&b, one);
                others++;
        }
        if (!width || text_width(buf_str(&b)) <= width || !others)
                return text_take(a, &b);
        buf_done(&b);
        return arena_printf(a, "%.*s +%zu", STR_FMT(name), others);
}

static bool closes_end_of_life(const struct report *r, const struct move *m)
{
        for (size_t i = 0; i < m->n_findings; i++)
                if (r->findings[m->findings[i]].kind == FINDING_END_OF_LIFE)
                        return true;
        return false;
}

struct str move_effect(const struct report *r, struct arena *a, const struct move *m, bool brief)
{
        if (m->response == RESPONSE_REPLACE) {
                bool eol = closes_end_of_life(r, m);
                struct str closed = text_number(a, m->n_findings - eol);
                if (m->n_findings == eol)
                        return brief ? STR("closes the EOL") : STR("closes the end of life");
                return arena_printf(a, "closes %.*s of %.*s%s", STR_FMT(closed),
                                    STR_FMT(text_number(a, report_counts(r).vulnerabilities)),
                                    !eol    ? ""
                                    : brief ? " + EOL"
                                            : ", and the end of life");
        }
        struct str findings = text_count(a, m->n_findings, "finding", "findings");
        if (!m->n_kev)
                return findings;
        return arena_printf(a, "%.*s, %.*s %sexploited", STR_FMT(findings), STR_FMT(text_number(a, m->n_kev)),
                            brief ? "" : "known ");
}

struct str layer_name(const struct report *r, struct arena *a, size_t layer)
{
        if (layer == NONE || layer >= r->n_layers)
                return STR_NONE;
        return arena_printf(a, "layer %zu", layer + 1);
}

struct str platform_words(const struct report *r, struct arena *a)
{
        if (!r->has_image || !r->image.os.n)
                return STR_NONE;
        struct str variant = text_clean(a, r->image.variant);
        return arena_printf(a, "%.*s/%.*s%s%.*s", STR_FMT(text_clean(a, r->image.os)),
                            STR_FMT(text_clean(a, r->image.arch)), variant.n ? "/" : "", STR_FMT(variant));
}

struct str os_words(const struct report *r, struct arena *a)
{
        if (!r->has_os)
                return STR("No operating system recognised");
        if (r->os_release.n)
                return text_clean(a, r->os_release);
        if (r->os.name.n)
                return text_clean(a, r->os.name);
        return text_clean(a, arena_printf(a, "%.*s %.*s", STR_FMT(r->os.id), STR_FMT(r->os.version)));
}

bool is_past_eol(const struct report *r) { return r->eol && r->eol < r->today; }

struct str eol_words(const struct report *r, struct arena *a)
{
        if (!r->has_os)
                return STR_NONE;
        if (!r->eol)
                return STR("end of life not known");
        return arena_printf(a, "%s %.*s", is_past_eol(r) ? "end of life since" : "supported until",
                            STR_FMT(text_day(a, r->eol, "")));
}

size_t vulnerability_items(const struct report *r, struct arena *a, struct str ret[static VULNERABILITY_ITEMS])
{
        struct counts c = report_counts(r);
        size_t n = 0;
        if (!c.vulnerabilities)
                ret[n++] = c.set_aside[SET_ASIDE_BY_VEX] || c.set_aside[SET_ASIDE_BY_WAIVER] ? STR("none left")
                                                                                             : nothing_words(r, a);
        for (size_t s = ARRAY_SIZE(c.by_severity); s-- > 0;)
                if (c.by_severity[s])
                        ret[n++] = arena_printf(a, "%.*s %s", STR_FMT(text_number(a, c.by_severity[s])),
                                                severity_name((enum severity)s));
        if (c.exploited)
                ret[n++] = arena_printf(a, "%.*s known exploited", STR_FMT(text_number(a, c.exploited)));
        if (c.vulnerabilities)
                ret[n++] = arena_printf(a, "%.*s of %.*s with a fix", STR_FMT(text_number(a, c.fixable)),
                                        STR_FMT(text_number(a, c.vulnerabilities)));
        if (c.vulnerabilities && r->has_use)
                ret[n++] = arena_printf(a, "%.*s loaded by its %.*s", STR_FMT(text_number(a, c.loaded)),
                                        STR_FMT(text_count(a, r->use_processes, "process", "processes")));
        for (enum set_aside by = SET_ASIDE_BY_VEX; by < SET_ASIDES; by++)
                if (c.set_aside[by])
                        ret[n++] = arena_printf(a, "set aside %.*s", STR_FMT(set_aside_count(a, by, c.set_aside[by])));
        return n;
}

bool is_any_set_aside(const struct report *r)
{
        for (size_t i = 0; i < r->n_findings; i++)
                if (r->findings[i].set_aside)
                        return true;
        return false;
}

struct str set_aside_count(struct arena *a, enum set_aside by, size_t n)
{
        return arena_printf(a, "%s: %.*s", by == SET_ASIDE_BY_WAIVER ? "by waivers" : "by VEX",
                            STR_FMT(text_number(a, n)));
}

struct str vex_origin(struct arena *a, const struct fact_vex *s)
{
        struct str author = text_clean(a, s->author), when = text_day(a, s->timestamp, "");
        struct str justification = text_clean(a, s->justification);
        return arena_printf(a, "%.*s%s%.*s%s%s%.*s in %.*s, statement %llu%s%.*s", STR_FMT(text_clean(a, s->status)),
                            justification.n ? " (" : "", STR_FMT(justification), justification.n ? ")" : "",
                            author.n ? ", says " : ", stands", STR_FMT(author), STR_FMT(text_clean(a, s->file)),
                            (unsigned long long)s->position, when.n ? ", " : "", STR_FMT(when));
}

struct str vex_words(struct arena *a, const struct fact_vex *s)
{
        return text_clean(a, s->impact.n ? s->impact : s->action.n ? s->action : s->detail);
}

struct str vex_file_words(struct arena *a, const struct report_vex *v)
{
        struct buf b = BUF_INIT(4096);
        const struct {
                uint64_t n;
                const char *words;
        } parts[] = { { v->matched, "applied" },
                      { v->vague, "too vague to be applied" },
                      { v->unmatched, "about nothing that was found" },
                      { v->skipped, "not usable" } };
        if (v->why.n)
                return arena_printf(a, "not used: %.*s", STR_FMT(text_clean(a, v->why)));
        buf_add_str(&b, text_count(a, v->statements, "statement", "statements"));
        bool any = false;
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                if (parts[i].n) {
                        buf_printf(&b, "%s%.*s %s", any ? ", " : ": ", STR_FMT(text_number(a, parts[i].n)),
                                   parts[i].words);
                        any = true;
                }
        return text_take(a, &b);
}

bool is_blind(const struct report *r)
{
        for (size_t i = 0; i < r->n_findings; i++)
                if (r->findings[i].kind == FINDING_UNSUPPORTED)
                        return true;
        return !r->n_feeds || !r->n_packages;
}

bool has_no_system(const struct report *r) { return !r->has_os && !r->n_packages; }

struct str search_words(const struct report *r, struct arena *a)
{
        const struct report_search *s = &r->search;
        if (!s->rules)
                return STR("not looked for, nor secrets, nor files in files (--packages-only)");
        struct buf b = BUF_INIT(4096);
        buf_add_str(&b, s->found ? text_count(a, s->found, "finding", "findings") : STR("none found"));
        buf_printf(&b, " by %.*s", STR_FMT(text_count(a, s->rules, "rule", "rules")));
        if (s->hashes)
                buf_printf(&b, " and %.*s", STR_FMT(text_count(a, s->hashes, "hash", "hashes")));
        if (s->clamd)
                buf_puts(&b, " and clamd");
        buf_printf(&b, ", in %.*s", STR_FMT(text_count(a, s->files, "file", "files")));
        if (s->members)
                buf_printf(&b, " and %.*s", STR_FMT(text_count(a, s->members, "member", "members of them")));
        if (s->incomplete)
                buf_printf(&b, ", %.*s not fully read", STR_FMT(text_number(a, s->incomplete)));
        if (!s->clamd)
                buf_puts(&b, "; clamd not configured");
        return text_take(a, &b);
}

struct str deleted_words(const struct report *r, struct arena *a, const struct finding *f)
{
        if (f->kind != FINDING_MALWARE || f->deleted_by == NONE)
                return STR_NONE;
        return arena_printf(a, "deleted in %.*s, but still pullable", STR_FMT(layer_name(r, a, f->deleted_by)));
}

struct str nothing_words(const struct report *r, struct arena *a)
{
        if (!r->n_feeds)
                return STR("not known, for want of advisories");
        if (!r->n_packages)
                return STR("not known, no installed package was found");
        if (is_blind(r))
                return STR("not known, these advisories do not cover the system");
        return arena_printf(a, "none known in %.*s", STR_FMT(text_count(a, r->n_packages, "package", "packages")));
}

struct str verdict_words(const struct report *r, struct arena *a) { return r->denied ? STR("DENIED") : STR("ALLOWED"); }

struct str policy_words(const struct report *r, struct arena *a)
{
        size_t denying = 0;
        for (size_t i = 0; i < r->n_rules; i++)
                denying += r->rules[i].denies;
        struct str policy = text_clean(a, r->policy);
        struct str by = str_starts(policy, STR("-")) ? arena_printf(a, "by %.*s", STR_FMT(policy))
                                                     : arena_printf(a, "by policy \"%.*s\"", STR_FMT(policy));
        if (r->denied)
                return arena_printf(a, "%.*s: %zu of %.*s", STR_FMT(by), denying,
                                    STR_FMT(text_count(a, r->n_rules_total, "rule", "rules")));
        if (r->n_rules)
                return arena_printf(a, "%.*s: no rule denies, %zu %s", STR_FMT(by), r->n_rules,
                                    r->n_rules == 1 ? "warns" : "warn");
        return arena_printf(a, "%.*s: no rule denies", STR_FMT(by));
}

struct str rule_effect(const struct report *r, struct arena *a, const struct rule_hit *h)
{
        struct str findings = text_count(a, h->n_findings, "finding", "findings");
        size_t packages = packages_concerned(r, h->findings, h->n_findings);
        if (!packages)
                return findings;
        return arena_printf(a, "%.*s in %.*s", STR_FMT(findings),
                            STR_FMT(text_count(a, packages, "package", "packages")));
}

struct str finding_item(const struct report *r, struct arena *a, const struct finding *f)
{
        static const char *const use[PACKAGE_USES] = { "", ", its files are gone", ", not loaded", ", loaded" };
        struct str subject = finding_subject(r, a, f);
        return arena_printf(a, "%.*s (%.*s%s%s severity%s)", STR_FMT(text_clean(a, f->id)), STR_FMT(subject),
                            subject.n ? ", " : "", severity_name(f->severity), use[finding_use(r, f)]);
}

/* Where there is nothing to update to, and no check that knows better. */
static const char *const advice[FINDING_KINDS] = {
        [FINDING_VULNERABILITY] = "no fixed version is known: mitigate, replace or accept it",
        [FINDING_END_OF_LIFE] = "move to a system that is supported",
        [FINDING_UNSUPPORTED] = "get advisories for it (sekisho db update), or find out by hand what is in it",
        [FINDING_UNREAD] = "find out why; until then nobody knows what is in there",
        [FINDING_MODIFIED] = "find out who changed it, and install the package again",
        [FINDING_STALE_DATA] = "sekisho db update",
        [FINDING_MISMATCH] = "get the image again; do not use it while it is not what it should be",
};

struct str finding_advice(const struct report *r, struct arena *a, const struct finding *f)
{
        struct str fix = text_clean(a, f->fix), subject = finding_subject(r, a, f);
        if (f->check)
                return f->check->remedy;
        if (f->kind == FINDING_SECRET)
                return STR("revoke it where it was issued, and give its successor when the container starts");
        if (f->response == RESPONSE_UPDATE && fix.n && subject.n)
                return arena_printf(a, "update %.*s to %.*s", STR_FMT(subject), STR_FMT(fix));
        if (f->response == RESPONSE_REPLACE && fix.n)
                return arena_printf(a, "replace by %.*s", STR_FMT(fix));
        if (fix.n)
                return arena_printf(a, "%s: %.*s", response_name(f->response), STR_FMT(fix));
        if (f->kind == FINDING_MALWARE)
                return f->deleted_by == NONE ? STR("remove the file, and find out how it came there")
                                             : STR("build the image without the layer that brought it");
        if (f->kind == FINDING_VULNERABILITY)
                return STR("no fixed version is known: mitigate, replace or accept it");
        if (f->rule && f->rule->fix.n)
                return text_clean(a, f->rule->fix);
        if (f->response == RESPONSE_DECIDE && f->kind < FINDING_KINDS && advice[f->kind])
                return str_of(advice[f->kind]);
        return str_of(response_name(f->response));
}

struct str secret_words(const struct report *r, struct arena *a, const struct finding *f)
{
        struct str layer = layer_name(r, a, f->layer), step = STR_NONE;
        if (layer.n && r->layers[f->layer].created_by.n)
                step = text_cut(a, str_trim(text_clean(a, r->layers[f->layer].created_by)), STEP_WIDTH);
        return arena_printf(a, "%.*s%s%.*s%s%.*s%s", STR_FMT(text_clean(a, f->title)), layer.n ? ", " : "",
                            STR_FMT(layer), step.n ? " (" : "", STR_FMT(step), step.n ? ")" : "");
}

bool secret_is_likely(const struct finding *f) { return f->secret && !str_is(f->secret->confidence, "low"); }

#define SHOWN_PATH_WIDTH 200 /* a hostile image has paths of 64 KiB; JSON and --ledger have them whole */

struct str shown_path(struct arena *a, struct str path)
{
        struct str clean = text_cut(a, text_clean(a, path), SHOWN_PATH_WIDTH);
        if (!clean.n || clean.p[0] == '/' || str_find_char(clean, '/') < 0)
                return clean;
        return arena_printf(a, "/%.*s", STR_FMT(clean));
}

struct str malware_item(const struct report *r, struct arena *a, const struct finding *f)
{
        struct str layer = layer_name(r, a, f->layer), deleted = deleted_words(r, a, f);
        return arena_printf(a, "%.*s (%.*s%s%.*s%s%.*s)", STR_FMT(shown_path(a, f->path)),
                            STR_FMT(text_clean(a, f->id)), layer.n ? ", " : "", STR_FMT(layer), deleted.n ? ", " : "",
                            STR_FMT(deleted));
}

struct str unread_item(struct arena *a, const struct fact_unread *u)
{
        return arena_printf(a, "%.*s (%.*s)", STR_FMT(shown_path(a, u->path)), STR_FMT(text_clean(a, u->code)));
}

struct str file_item(const struct report *r, struct arena *a, const struct report_file *f)
{
        struct str package = text_clean(a, f->package), layer = layer_name(r, a, f->layer);
        const char *format = file_format_name(f->format);
        struct str what = package.n ? package : *format ? str_of(format) : STR_NONE;
        struct str path = shown_path(a, f->path);
        if (!what.n && !layer.n)
                return path;
        return arena_printf(a, "%.*s (%.*s%s%.*s)", STR_FMT(path), STR_FMT(what), what.n && layer.n ? ", " : "",
                            STR_FMT(layer));
}

size_t coverage_items(const struct report *r, struct arena *a, struct str ret[static FILE_STATES])
{
        static const char *const words[FILE_STATES] = {
                [STATE_VERIFIED] = "verified", [STATE_OWNED] = "owned without a digest",
                [STATE_MODIFIED] = "modified", [STATE_DATABASE] = "of package databases",
                [STATE_UNKNOWN] = "unknown",   [STATE_SKIPPED] = "not read",
        };
        size_t n = 0;
        for (size_t s = 0; s < FILE_STATES; s++)
                if (r->coverage.files[s])
                        ret[n++] = arena_printf(a, "%.*s %s", STR_FMT(text_number(a, r->coverage.files[s])), words[s]);
        return n;
}

struct str leftover_words(struct arena *a, enum response response, size_t n)
{
        static const char *const words[RESPONSES] = {
                [RESPONSE_UPDATE] = "more with a fix",   [RESPONSE_REPLACE] = "need another base or product",
                [RESPONSE_MITIGATE] = "to be mitigated", [RESPONSE_ACCEPT] = "accepted",
                [RESPONSE_DECIDE] = "without a fix",
        };
        return arena_printf(a, "%.*s %s", STR_FMT(text_number(a, n)), words[response]);
}

const char *file_format_name(enum file_format f)
{
        switch (f) {
        case FORMAT_ELF:
                return "ELF";
        case FORMAT_SCRIPT:
                return "script";
        case FORMAT_PE:
                return "PE";
        case FORMAT_EMPTY:
                return "empty";
        case FORMAT_OTHER:
                break;
        }
        return "";
}

struct str advisory_url(struct arena *a, struct str id)
{
        static const struct {
                const char *prefix, *before, *after;
        } pages[] = {
                { "CVE-", "https://www.cve.org/CVERecord?id=", "" },
                { "GHSA-", "https://github.com/advisories/", "" },
                { "DSA-", "https://security-tracker.debian.org/tracker/", "" },
                { "DLA-", "https://security-tracker.debian.org/tracker/", "" },
                { "GO-", "https://pkg.go.dev/vuln/", "" },
                { "RUSTSEC-", "https://rustsec.org/advisories/", ".html" },
                { "PYSEC-", "https://osv.dev/vulnerability/", "" },
                { "MAL-", "https://osv.dev/vulnerability/", "" },
        };
        for (size_t i = 0; i < id.n; i++)
                if (!isalnum((unsigned char)id.p[i]) && id.p[i] != '-' && id.p[i] != '_' && id.p[i] != '.')
                        return STR_NONE;
        for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
                if (str_starts(id, str_of(pages[i].prefix)))
                        return arena_printf(a, "%s%.*s%s", pages[i].before, STR_FMT(id), pages[i].after);
        return STR_NONE;
}

struct str other_name(const struct report *r)
{
        size_t before = r->target.n - r->name.n; /* a prefix with its colon, or nothing */
        bool is_said = str_ends(r->target, r->name) && (before == 0 || r->target.p[before - 1] == ':');
        return is_said ? STR_NONE : r->name;
}
