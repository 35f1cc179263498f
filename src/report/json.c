/*
 * The whole report as JSON: docs/format/report.md says what the fields mean, docs/format/report.schema.json what they
 * look like. Within "sekisho.report/1" fields are only added.
 */
#include "report/document.h"
#include "report/identity.h"
#include "report/report.h"
#include "report/view.h"

#include <errno.h>

static json_t *indexes(const size_t *v, size_t n)
{
        json_t *array = doc_array();
        for (size_t i = 0; i < n; i++)
                doc_add(array, doc_number(v[i]));
        return array;
}

static json_t *layer_reference(const struct report *r, size_t layer)
{
        if (layer == NONE || layer >= r->n_layers)
                return doc_null();
        json_t *o = doc_object();
        doc_set(o, "number", doc_number(layer + 1));
        doc_set(o, "digest", doc_str(r->layers[layer].digest));
        doc_set(o, "diff_id", doc_str(r->layers[layer].diff_id));
        return o;
}

static json_t *target(const struct report *r)
{
        json_t *o = doc_object();
        doc_set(o, "given", doc_text(r->target));
        doc_set(o, "kind", doc_str(r->kind));
        doc_set(o, "name", doc_str(r->name));
        doc_set(o, "digest", doc_str(r->digest));
        doc_set(o, "image_id", doc_str(r->image_id));
        doc_set(o, "container", doc_str(r->container));
        doc_set(o, "processes", r->has_use ? doc_number(r->use_processes) : doc_null());
        doc_set(o, "watched_since", doc_time(r->use_since));
        doc_set(o, "tags", doc_list(r->tags));
        return o;
}

static json_t *verdict(const struct report *r)
{
        json_t *o = doc_object(), *rules = doc_array();
        for (size_t i = 0; i < r->n_rules; i++) {
                const struct rule_hit *h = &r->rules[i];
                json_t *rule = doc_object();
                doc_set(rule, "name", doc_text(h->name));
                doc_set(rule, "place", doc_str(h->place));
                doc_set(rule, "action", h->action.n ? doc_str(h->action) : doc_cstr(h->denies ? "deny" : "warn"));
                doc_set(rule, "denies", doc_bool(h->denies));
                doc_set(rule, "response", doc_str(h->response));
                doc_set(rule, "why", doc_str(h->why));
                doc_set(rule, "fix", doc_str(h->fix));
                doc_set(rule, "tags", doc_list(h->tags));
                doc_set(rule, "findings", indexes(h->findings, h->n_findings));
                doc_add(rules, rule);
        }
        doc_set(o, "decision", doc_cstr(r->denied ? "deny" : "allow"));
        doc_set(o, "complete", doc_bool(r->complete));
        doc_set(o, "policy", doc_str(r->policy));
        doc_set(o, "stage", doc_str(r->stage));
        doc_set(o, "rules_total", doc_number(r->n_rules_total));
        doc_set(o, "rules", rules);
        return o;
}

static json_t *counts(const struct report *r)
{
        struct counts c = report_counts(r);
        json_t *o = doc_object(), *severities = doc_object();
        for (size_t s = SEVERITY_CRITICAL + 1; s-- > 0;)
                doc_set(severities, severity_name((enum severity)s), doc_number(c.by_severity[s]));
        doc_set(o, "findings", doc_number(r->n_findings));
        doc_set(o, "secrets", doc_number(c.secrets));
        doc_set(o, "vulnerabilities", doc_number(c.vulnerabilities));
        doc_set(o, "by_severity", severities);
        doc_set(o, "known_exploited", doc_number(c.exploited));
        doc_set(o, "with_a_fix", doc_number(c.fixable));
        doc_set(o, "loaded", r->has_use ? doc_number(c.loaded) : doc_null());
        doc_set(o, "packages", doc_number(r->n_packages));
        json_t *aside = doc_object();
        for (enum set_aside by = SET_ASIDE_BY_VEX; by < SET_ASIDES; by++)
                doc_set(aside, set_aside_name(by), doc_number(c.set_aside[by]));
        doc_set(o, "set_aside", aside);
        return o;
}

static json_t *operating_system(const struct report *r)
{
        if (!r->has_os)
                return doc_null();
        json_t *o = doc_fact(FACT_os, &r->os);
        doc_set(o, "release", doc_str(r->os_release));
        doc_set(o, "end_of_life", doc_day(r->eol));
        doc_set(o, "is_past_end_of_life", r->eol ? doc_bool(is_past_eol(r)) : doc_null());
        return o;
}

static json_t *moves(const struct report *r)
{
        json_t *array = doc_array();
        for (size_t i = 0; i < r->n_moves; i++) {
                const struct move *m = &r->moves[i];
                json_t *o = doc_object(), *packages = doc_array();
                struct str left = m->packages;
                while (left.p) {
                        struct str name = str_cut(&left, ' ');
                        if (name.n)
                                doc_add(packages, doc_text(name));
                }
                doc_set(o, "response", doc_cstr(response_name(m->response)));
                doc_set(o, "name", doc_text(m->name));
                doc_set(o, "packages", packages);
                doc_set(o, "from", doc_str(m->from));
                doc_set(o, "to", doc_str(m->to));
                doc_set(o, "findings", indexes(m->findings, m->n_findings));
                doc_set(o, "known_exploited", doc_number(m->n_kev));
                doc_set(o, "worst", doc_cstr(severity_name(m->worst)));
                doc_add(array, o);
        }
        return array;
}

static json_t *score(uint64_t n, unsigned scale) { return n ? doc_real((double)n / scale) : doc_null(); }

static json_t *vulnerability(const struct fact_vulnerability *v)
{
        if (!v)
                return doc_null();
        struct arena a = ARENA_INIT;
        json_t *o = doc_object();
        doc_set(o, "id", doc_str(v->id));
        doc_set(o, "cve", doc_str(v->cve));
        doc_set(o, "aliases", doc_list(v->aliases));
        doc_set(o, "summary", doc_str(v->summary));
        doc_set(o, "url", doc_str(advisory_url(&a, v->cve.n ? v->cve : v->id)));
        doc_set(o, "severity", doc_cstr(severity_name(v->severity)));
        doc_set(o, "severity_source", doc_str(v->severity_source));
        doc_set(o, "cvss_score", score(v->cvss_score, 10));
        doc_set(o, "cvss_vector", doc_str(v->cvss_vector));
        doc_set(o, "epss", score(v->epss, 100000));
        doc_set(o, "epss_percentile", score(v->epss_percentile, 100000));
        doc_set(o, "known_exploited", doc_bool(v->kev));
        doc_set(o, "known_exploited_since", doc_day(v->kev));
        doc_set(o, "ransomware", doc_bool(v->ransomware));
        doc_set(o, "malicious", doc_bool(v->malicious));
        doc_set(o, "published", doc_time(v->published));
        doc_set(o, "ecosystem", doc_str(v->ecosystem));
        doc_set(o, "name", doc_str(v->matched_name));
        doc_set(o, "installed", doc_str(v->installed));
        doc_set(o, "introduced", doc_str(v->introduced));
        doc_set(o, "fixed", doc_str(v->fixed));
        doc_set(o, "last_affected", doc_str(v->last_affected));
        arena_done(&a);
        return o;
}

static json_t *secret(const struct report *r, const struct finding *f)
{
        if (!f->secret)
                return doc_null();
        json_t *o = doc_fact(FACT_secret, f->secret);
        doc_set(o, "deleted_by", layer_reference(r, f->deleted_by));
        return o;
}

static json_t *malware(const struct report *r, const struct finding *f)
{
        if (!f->malware)
                return doc_null();
        json_t *o = doc_fact(FACT_malware, f->malware);
        doc_set(o, "deleted_by", layer_reference(r, f->deleted_by));
        return o;
}

static json_t *proof(const struct report *r, const struct finding *f)
{
        const struct fact_vulnerability *v = f->vulnerability;
        json_t *o = doc_object();
        doc_set(o, "layer", layer_reference(r, f->layer));
        doc_set(o, "path", doc_str(f->path));
        doc_set(o, "line", f->line ? doc_number(f->line) : doc_null());
        doc_set(o, "advisory", v ? doc_str(v->id) : doc_null());
        doc_set(o, "feed", v ? doc_str(v->feed) : doc_null());
        doc_set(o, "comparison", v ? doc_str(v->comparison) : doc_null());
        doc_set(o, "words", doc_str(f->proof));
        return o;
}

/* Every rule that hits it. */
static json_t *reasons(const struct finding *f)
{
        json_t *array = doc_array();
        for (size_t i = 0; i < f->n_reasons; i++) {
                json_t *o = doc_object();
                doc_set(o, "rule", doc_text(f->reasons[i].name));
                doc_set(o, "place", doc_str(f->reasons[i].place));
                doc_set(o, "action", doc_str(f->reasons[i].action));
                doc_set(o, "decides", doc_bool(f->reasons[i].decides));
                doc_add(array, o);
        }
        return array;
}

static json_t *waivers(const struct report *r)
{
        json_t *array = doc_array();
        for (size_t i = 0; i < r->n_waivers; i++) {
                const struct report_waiver *w = &r->waivers[i];
                json_t *o = doc_object();
                doc_set(o, "id", doc_text(w->id));
                doc_set(o, "place", doc_str(w->place));
                doc_set(o, "waives", doc_str(w->covers));
                doc_set(o, "scope", doc_str(w->scope));
                doc_set(o, "owner", doc_str(w->owner));
                doc_set(o, "approver", doc_str(w->approver));
                doc_set(o, "reason", doc_str(w->reason));
                doc_set(o, "response", doc_str(w->response));
                doc_set(o, "control", doc_str(w->control));
                doc_set(o, "until", doc_str(w->until));
                doc_set(o, "covers", doc_number(w->n_covered));
                doc_set(o, "does_not_cover", doc_number(w->n_doubtful));
                doc_set(o, "because", doc_str(w->doubt));
                doc_set(o, "ended_by", doc_str(w->ended_by));
                doc_add(array, o);
        }
        return array;
}

static json_t *check(const struct fact_check *c)
{
        if (!c)
                return doc_null();
        json_t *o = doc_object();
        doc_set(o, "id", doc_str(c->id));
        doc_set(o, "aliases", doc_list(c->aliases));
        doc_set(o, "title", doc_str(c->title));
        doc_set(o, "why", doc_str(c->why));
        doc_set(o, "remedy", doc_str(c->remedy));
        doc_set(o, "tags", doc_list(c->tags));
        doc_set(o, "detail", doc_str(c->detail));
        return o;
}

static json_t *finding(const struct report *r, const struct finding *f)
{
        struct arena a = ARENA_INIT;
        json_t *o = doc_object(), *packages = doc_array();
        for (size_t j = 0; j < f->n_packages; j++) {
                const struct report_package *p = &r->packages[f->packages[j]];
                json_t *package = doc_object();
                doc_set(package, "index", doc_number(f->packages[j]));
                doc_set(package, "name", doc_text(p->p.name));
                doc_set(package, "version", doc_text(p->p.version));
                doc_set(package, "purl", doc_str(p->purl));
                doc_add(packages, package);
        }
        doc_set(o, "kind", doc_cstr(finding_kind_name(f->kind)));
        doc_set(o, "id", doc_text(f->id));
        doc_set(o, "fingerprint", doc_text(finding_fingerprint(r, &a, f)));
        doc_set(o, "title", doc_str(f->title));
        doc_set(o, "severity", doc_cstr(severity_name(f->severity)));
        doc_set(o, "packages", packages);
        doc_set(o, "use", doc_str(str_of(package_use_name(finding_use(r, f)))));
        doc_set(o, "response", doc_cstr(response_name(f->response)));
        doc_set(o, "fix", doc_str(f->fix));
        doc_set(o, "rule", f->rule ? doc_str(f->rule->name) : doc_null());
        doc_set(o, "reasons", reasons(f));
        doc_set(o, "waiver", f->waiver ? doc_str(f->waiver->id) : doc_null());
        doc_set(o, "waiver_in_doubt", f->doubtful ? doc_str(f->doubtful->id) : doc_null());
        doc_set(o, "waiver_doubt", doc_str(f->doubt));
        doc_set(o, "set_aside", doc_cstr(set_aside_name(f->set_aside)));
        doc_set(o, "set_aside_by", doc_str(f->set_aside_by));
        doc_set(o, "set_aside_why", doc_str(f->set_aside_why));
        doc_set(o, "vex", f->vex ? doc_fact(FACT_vex, f->vex) : doc_null());
        doc_set(o, "vex_doubt", doc_str(f->vex_doubt));
        doc_set(o, "vulnerability", vulnerability(f->vulnerability));
        doc_set(o, "check", check(f->check));
        doc_set(o, "secret", secret(r, f));
        doc_set(o, "malware", malware(r, f));
        doc_set(o, "proof", proof(r, f));
        arena_done(&a);
        return o;
}

static json_t *package(const struct report *r, const struct report_package *p)
{
        json_t *o = doc_fact(FACT_package, &p->p), *files = doc_object();
        doc_set(o, "licence", doc_str(p->licence.n ? p->licence : p->p.licence));
        doc_set(files, "claimed", doc_number(p->files));
        doc_set(files, "missing", doc_number(p->files_missing));
        doc_set(files, "modified", doc_number(p->files_modified));
        doc_set(o, "purl", doc_str(p->purl));
        doc_set(o, "layer", layer_reference(r, p->layer));
        doc_set(o, "files", files);
        doc_set(o, "use", doc_str(str_of(package_use_name(p->use))));
        doc_set(o, "use_proof", doc_str(p->use_why));
        return o;
}

static json_t *layers(const struct report *r)
{
        json_t *array = doc_array();
        for (size_t i = 0; i < r->n_layers; i++) {
                const struct report_layer *l = &r->layers[i];
                json_t *o = doc_object();
                doc_set(o, "number", doc_number(i + 1));
                doc_set(o, "digest", doc_str(l->digest));
                doc_set(o, "diff_id", doc_str(l->diff_id));
                doc_set(o, "media_type", doc_str(l->media_type));
                doc_set(o, "created", doc_time(l->created));
                doc_set(o, "created_by", doc_str(l->created_by));
                doc_set(o, "stored_size", doc_number(l->stored_size));
                doc_set(o, "size", doc_number(l->size));
                doc_set(o, "entries", doc_number(l->files));
                doc_set(o, "complete", doc_bool(l->complete));
                doc_add(array, o);
        }
        return array;
}

static json_t *files(const struct report *r, const struct report_file *v, size_t n)
{
        json_t *array = doc_array();
        for (size_t i = 0; i < n; i++) {
                const struct report_file *f = &v[i];
                json_t *o = doc_object();
                doc_set(o, "path", doc_text(f->path));
                doc_set(o, "layer", layer_reference(r, f->layer));
                doc_set(o, "state", doc_cstr(file_state_name(f->state)));
                doc_set(o, "size", doc_number(f->size));
                doc_set(o, "format", doc_cstr(file_format_name(f->format)));
                doc_set(o, "sha256", doc_str(f->sha256));
                doc_set(o, "package", doc_str(f->package));
                doc_set(o, "why", doc_str(f->why));
                doc_add(array, o);
        }
        return array;
}

static json_t *search(const struct report_search *s)
{
        json_t *o = doc_object();
        doc_set(o, "rules", doc_number(s->rules));
        doc_set(o, "hashes", doc_number(s->hashes));
        doc_set(o, "clamd", doc_cstr(s->clamd ? "asked" : "not configured"));
        doc_set(o, "files", doc_number(s->files));
        doc_set(o, "members", doc_number(s->members));
        doc_set(o, "incomplete", doc_number(s->incomplete));
        doc_set(o, "found", doc_number(s->found));
        return o;
}

static json_t *coverage(const struct report *r)
{
        const struct coverage *c = &r->coverage;
        json_t *o = doc_object(), *states = doc_object(), *unread = doc_array();
        for (size_t s = 0; s < FILE_STATES; s++)
                doc_set(states, file_state_name((enum file_state)s), doc_number(c->files[s]));
        for (size_t i = 0; i < c->n_unread; i++)
                doc_add(unread, doc_fact(FACT_unread, &c->unread[i]));
        doc_set(o, "files", doc_number(c->total));
        doc_set(o, "by_state", states);
        doc_set(o, "deleted", doc_number(c->deleted));
        doc_set(o, "modified_total", doc_number(c->total_modified));
        doc_set(o, "modified", files(r, c->modified, c->n_modified));
        doc_set(o, "unknown_executables_total", doc_number(c->total_unknown_executables));
        doc_set(o, "unknown_executables", files(r, c->unknown_executables, c->n_unknown_executables));
        doc_set(o, "unread", unread);
        doc_set(o, "malware_search", search(&r->search));
        return o;
}

static json_t *advisories(const struct report *r)
{
        json_t *o = doc_object(), *feeds = doc_array();
        for (size_t i = 0; i < r->n_feeds; i++) {
                json_t *feed = doc_object();
                doc_set(feed, "name", doc_text(r->feeds[i].name));
                doc_set(feed, "source", doc_str(r->feeds[i].source));
                doc_set(feed, "date", doc_day(r->feeds[i].date));
                doc_set(feed, "records", doc_number(r->feeds[i].records));
                doc_add(feeds, feed);
        }
        doc_set(o, "source", doc_str(r->data_source));
        doc_set(o, "digest", doc_str(r->data_digest));
        doc_set(o, "date", doc_day(r->data_date));
        doc_set(o, "feeds", feeds);
        return o;
}

static json_t *vex(const struct report *r)
{
        json_t *array = doc_array();
        for (size_t i = 0; i < r->n_vex; i++) {
                const struct report_vex *v = &r->vex[i];
                json_t *o = doc_object();
                doc_set(o, "file", doc_text(v->path));
                doc_set(o, "format", doc_str(v->format));
                doc_set(o, "document", doc_str(v->document));
                doc_set(o, "author", doc_str(v->author));
                doc_set(o, "timestamp", doc_time(v->timestamp));
                doc_set(o, "statements", doc_number(v->statements));
                doc_set(o, "applied", doc_number(v->matched));
                doc_set(o, "vague", doc_number(v->vague));
                doc_set(o, "unmatched", doc_number(v->unmatched));
                doc_set(o, "skipped", doc_number(v->skipped));
                doc_set(o, "not_used_because", doc_str(v->why));
                doc_add(array, o);
        }
        return array;
}

static int json_write(const struct report *r, const struct report_options *o, FILE *to)
{
        struct doc_stream s = { to };
        json_t *tool = doc_object();
        doc_set(tool, "name", doc_cstr("sekisho"));
        doc_set(tool, "version", doc_str(r->tool_version));
        doc_open(&s, NULL, '{');
        doc_put(&s, "schema", doc_cstr("sekisho.report/1"));
        doc_put(&s, "tool", tool);
        doc_put(&s, "today", doc_day(r->today));
        doc_put(&s, "target", target(r));
        doc_put(&s, "verdict", verdict(r));
        doc_put(&s, "counts", counts(r));
        doc_put(&s, "os", operating_system(r));
        doc_put(&s, "image", r->has_image ? doc_fact(FACT_image, &r->image) : doc_null());
        doc_put(&s, "moves", moves(r));
        doc_open(&s, "findings", '[');
        for (size_t i = 0; i < r->n_findings; i++)
                doc_put(&s, NULL, finding(r, &r->findings[i]));
        doc_close(&s, ']');
        doc_open(&s, "packages", '[');
        for (size_t i = 0; i < r->n_packages; i++)
                doc_put(&s, NULL, package(r, &r->packages[i]));
        doc_close(&s, ']');
        doc_put(&s, "layers", layers(r));
        doc_put(&s, "coverage", coverage(r));
        doc_put(&s, "advisories", advisories(r));
        doc_put(&s, "vex", vex(r));
        doc_put(&s, "waivers", waivers(r));
        doc_close(&s, '}');
        return doc_end(&s);
}

int report_explain_json(const struct report *r, struct str id, FILE *to)
{
        struct doc_stream s = { to };
        size_t found = 0;
        for (size_t i = 0; id.n && i < r->n_findings; i++) {
                if (!finding_answers_to(&r->findings[i], id))
                        continue;
                if (found++ == 0)
                        doc_open(&s, NULL, '[');
                doc_put(&s, NULL, finding(r, &r->findings[i]));
        }
        if (found == 0)
                return -ENOENT;
        doc_close(&s, ']');
        return doc_end(&s);
}

const struct reporter reporter_json = {
        .name = "json",
        .summary = "everything, for programs (docs/format/report.md)",
        .file_name = "report.json",
        .write = json_write,
};
