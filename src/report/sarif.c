/*
 * SARIF 2.1.0 (OASIS): one run, one rule for each id, one result for each finding. Locations are files inside the
 * artefact, as URIs relative to its root; a fingerprint that does not depend on order makes a finding the same finding
 * in the next scan. Code scanning services sort by properties.security-severity, a CVSS score.
 */
#include "report/document.h"
#include "report/identity.h"
#include "report/report.h"
#include "report/text.h"
#include "report/view.h"

#include "base/map.h"

#define SCHEMA "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#define ROOT   "ARTEFACT"

static const char *level(enum severity s)
{
        return s >= SEVERITY_HIGH ? "error" : s == SEVERITY_MEDIUM ? "warning" : "note";
}

/* A score for what has none, in the middle of its band, as code scanning services draw the bands. */
static struct str security_severity(struct arena *a, const struct finding *f)
{
        static const char *const bands[] = {
                [SEVERITY_UNKNOWN] = "0.0", [SEVERITY_NONE] = "0.0", [SEVERITY_LOW] = "2.0",
                [SEVERITY_MEDIUM] = "5.5",  [SEVERITY_HIGH] = "8.0", [SEVERITY_CRITICAL] = "9.5",
        };
        if (f->vulnerability && f->vulnerability->cvss_score)
                return arena_printf(a, "%u.%u", (unsigned)(f->vulnerability->cvss_score / 10),
                                    (unsigned)(f->vulnerability->cvss_score % 10));
        return str_of(bands[MIN(f->severity, SEVERITY_CRITICAL)]);
}

static json_t *message(struct str text)
{
        json_t *o = doc_object();
        doc_set(o, "text", doc_text(text));
        return o;
}

static json_t *tags(const struct finding *f)
{
        json_t *array = doc_array();
        doc_add(array, doc_cstr("security"));
        doc_add(array, doc_cstr(finding_kind_name(f->kind)));
        for (size_t i = 0; f->check && i < f->check->tags.n; i++)
                doc_add(array, doc_text(f->check->tags.v[i]));
        if (f->vulnerability && f->vulnerability->kev)
                doc_add(array, doc_cstr("known-exploited"));
        if (f->vulnerability && f->vulnerability->malicious)
                doc_add(array, doc_cstr("malicious"));
        for (size_t i = 0; f->secret && i < f->secret->tags.n; i++)
                doc_add(array, doc_text(f->secret->tags.v[i]));
        for (size_t i = 0; f->malware && i < f->malware->tags.n; i++)
                doc_add(array, doc_text(f->malware->tags.v[i]));
        return array;
}

/* What the rule is about. One rule stands for all findings of a kind that is no vulnerability. */
static struct str rule_words(struct arena *a, const struct finding *f)
{
        static const char *const kinds[FINDING_KINDS] = {
                [FINDING_END_OF_LIFE] = "The operating system is no longer supported, or soon not",
                [FINDING_UNSUPPORTED] = "There are no advisories for this system: its vulnerabilities are not known",
                [FINDING_UNREAD] = "Something could not be read, or was not looked at",
                [FINDING_MODIFIED] = "A file of a package is not what the package shipped",
                [FINDING_STALE_DATA] = "The advisories are old",
                [FINDING_MISMATCH] = "A digest or size is not what the manifest promised",
                [FINDING_WAIVER] = "A waiver has expired, covers nothing, or covers too much",
        };
        if (f->check)
                return f->check->title;
        if (f->secret)
                return arena_printf(a, "A secret: %.*s", STR_FMT(text_clean(a, f->secret->title)));
        if (f->kind < FINDING_KINDS && kinds[f->kind])
                return str_of(kinds[f->kind]);
        if (f->kind == FINDING_ARTEFACT)
                return text_clean(a, f->title);
        if (f->malware)
                return text_clean(a, f->malware->description);
        if (f->vulnerability && f->vulnerability->summary.n)
                return text_clean(a, f->vulnerability->summary);
        return arena_printf(a, "%.*s: a known vulnerability", STR_FMT(text_clean(a, f->id)));
}

/* How likely findings of the rule are what they say. */
static struct str precision(const struct finding *f)
{
        if (f->secret)
                return f->secret->confidence;
        return f->malware && str_is(f->malware->confidence, "medium") ? STR("medium") : STR("very-high");
}

static json_t *rule(const struct report *r, struct arena *a, const struct finding *f)
{
        const struct fact_vulnerability *v = f->vulnerability;
        json_t *o = doc_object(), *properties = doc_object(), *configuration = doc_object();
        struct str url = advisory_url(a, f->id), words = rule_words(a, f);
        doc_set(o, "id", doc_text(f->id));
        doc_set(o, "shortDescription", message(words));
        doc_set(o, "fullDescription", message(f->check ? f->check->why : words));
        if (url.n)
                doc_set(o, "helpUri", doc_text(url));
        doc_set(o, "help",
                message(f->kind == FINDING_VULNERABILITY || f->check ? text_capital(a, finding_advice(r, a, f))
                                                                     : words));
        doc_set(configuration, "level", doc_cstr(level(f->severity)));
        doc_set(o, "defaultConfiguration", configuration);
        doc_set(properties, "tags", tags(f));
        doc_set(properties, "precision", doc_str(precision(f)));
        doc_set(properties, "security-severity", doc_text(security_severity(a, f)));
        if (v && v->cvss_vector.n)
                doc_set(properties, "cvss", doc_text(v->cvss_vector));
        if (v && v->aliases.n)
                doc_set(properties, "aliases", doc_list(v->aliases));
        doc_set(o, "properties", properties);
        return o;
}

static json_t *logical_location(const char *kind, struct str name, struct str full_name)
{
        json_t *o = doc_object();
        doc_set(o, "kind", doc_cstr(kind));
        doc_set(o, "name", doc_text(name));
        if (full_name.n)
                doc_set(o, "fullyQualifiedName", doc_text(full_name));
        return o;
}

/* The file on disk, and the members in it after '!' each, which stands for nothing else. */
static struct str malware_uri(struct arena *a, const struct fact_malware *m)
{
        struct str uri = text_uri_path(a, m->path), left = m->members;
        while (left.n) {
                struct str member = str_cut(&left, '!');
                uri = arena_printf(a, "%.*s!%.*s", STR_FMT(uri), STR_FMT(text_uri_path(a, member)));
        }
        return uri;
}

/* Where it stands: a file of the artefact, and the package and layer that it is about. */
static json_t *location(const struct report *r, struct arena *a, struct str uri, uint64_t line, size_t layer,
                        const struct report_package *p)
{
        json_t *o = doc_object(), *logical = doc_array();
        if (uri.n) {
                json_t *artifact = doc_object(), *physical = doc_object();
                doc_set(artifact, "uri", doc_text(uri));
                doc_set(artifact, "uriBaseId", doc_cstr(ROOT));
                doc_set(physical, "artifactLocation", artifact);
                if (line) {
                        json_t *region = doc_object();
                        doc_set(region, "startLine", doc_number(line));
                        doc_set(physical, "region", region);
                }
                doc_set(o, "physicalLocation", physical);
        }
        if (p)
                doc_add(logical, logical_location("package", p->p.name, p->purl));
        if (layer != NONE && layer < r->n_layers)
                doc_add(logical, logical_location("layer", layer_name(r, a, layer), r->layers[layer].digest));
        if (json_array_size(logical))
                doc_set(o, "logicalLocations", logical);
        else
                json_decref(logical);
        return o;
}

static json_t *locations(const struct report *r, struct arena *a, const struct finding *f)
{
        json_t *array = doc_array();
        if (f->kind == FINDING_VULNERABILITY)
                for (size_t i = 0; i < f->n_packages; i++) {
                        const struct report_package *p = &r->packages[f->packages[i]];
                        doc_add(array, location(r, a, text_uri_path(a, p->p.database), p->p.line, p->layer, p));
                }
        struct str uri = f->malware ? malware_uri(a, f->malware) : text_uri_path(a, f->path);
        if (!json_array_size(array))
                doc_add(array,
                        location(r, a, uri, f->line, f->layer, f->n_packages ? &r->packages[f->packages[0]] : NULL));
        return array;
}

static struct str result_words(const struct report *r, struct arena *a, const struct finding *f)
{
        const struct fact_vulnerability *v = f->vulnerability;
        struct str what = text_clean(a, f->title), proof = text_clean(a, f->proof);
        if (f->kind == FINDING_VULNERABILITY) {
                what = arena_printf(a, "%.*s in %.*s %.*s", STR_FMT(text_clean(a, f->id)),
                                    STR_FMT(finding_subject(r, a, f)), STR_FMT(finding_version(r, a, f)));
                proof = v ? text_clean(a, v->comparison) : proof;
        }
        return arena_printf(a, "%.*s%s%.*s%s; %.*s.", STR_FMT(what), proof.n ? " (" : "", STR_FMT(proof),
                            proof.n ? ")" : "", STR_FMT(finding_advice(r, a, f)));
}

/* Empty: it was looked at and is not suppressed (3.27.23); so all results have the property, or none. */
static json_t *suppressions(struct arena *a, const struct finding *f)
{
        json_t *array = doc_array();
        if (!f->set_aside)
                return array;
        json_t *o = doc_object(), *properties = doc_object();
        struct str reason = f->vex ? vex_origin(a, f->vex) : text_clean(a, f->set_aside_by);
        struct str words = text_clean(a, f->set_aside_why);
        doc_set(o, "kind", doc_cstr("external"));
        doc_set(o, "status", doc_cstr("accepted"));
        doc_set(o, "justification",
                doc_text(words.n ? arena_printf(a, "%.*s (%.*s)", STR_FMT(words), STR_FMT(reason)) : reason));
        doc_set(properties, "by", doc_cstr(set_aside_name(f->set_aside)));
        doc_set(o, "properties", properties);
        doc_add(array, o);
        return array;
}

static json_t *result(const struct report *r, struct arena *a, const struct finding *f, size_t rule_index,
                      bool has_suppressions)
{
        const struct fact_vulnerability *v = f->vulnerability;
        json_t *o = doc_object(), *fingerprints = doc_object(), *properties = doc_object();
        doc_set(o, "ruleId", doc_text(f->id));
        doc_set(o, "ruleIndex", doc_number(rule_index));
        doc_set(o, "level", doc_cstr(level(f->severity)));
        doc_set(o, "message", message(result_words(r, a, f)));
        doc_set(o, "locations", locations(r, a, f));
        doc_set(fingerprints, "sekishoFinding/v1", doc_text(finding_fingerprint(r, a, f)));
        doc_set(o, "partialFingerprints", fingerprints);
        if (has_suppressions)
                doc_set(o, "suppressions", suppressions(a, f));
        doc_set(properties, "kind", doc_cstr(finding_kind_name(f->kind)));
        doc_set(properties, "severity", doc_cstr(severity_name(f->severity)));
        doc_set(properties, "security-severity", doc_text(security_severity(a, f)));
        doc_set(properties, "response", doc_cstr(response_name(f->response)));
        if (f->fix.n)
                doc_set(properties, "fix", doc_text(f->fix));
        if (f->rule)
                doc_set(properties, f->rule->denies ? "deniedBy" : "warnedBy", doc_text(f->rule->name));
        if (f->waiver)
                doc_set(properties, "waiver", doc_text(f->waiver->id));
        if (f->vex)
                doc_set(properties, "vex", doc_fact(FACT_vex, f->vex));
        if (f->vex_doubt.n)
                doc_set(properties, "vexDoubt", doc_text(f->vex_doubt));
        if (f->secret) {
                doc_set(properties, "confidence", doc_text(f->secret->confidence));
                doc_set(properties, "validity", doc_text(f->secret->validity));
                doc_set(properties, "redacted", doc_text(f->secret->redacted));
                doc_set(properties, "secretFingerprint", doc_text(f->secret->fingerprint));
                if (f->deleted_by != NONE)
                        doc_set(properties, "deletedByLayer", doc_number(f->deleted_by + 1));
        }
        if (v) {
                doc_set(properties, "advisory", doc_text(v->id));
                doc_set(properties, "feed", doc_text(v->feed));
                doc_set(properties, "comparison", doc_text(v->comparison));
                doc_set(properties, "knownExploited", doc_bool(v->kev));
                if (v->epss)
                        doc_set(properties, "epss", doc_real((double)v->epss / 100000));
        }
        if (f->malware) {
                doc_set(properties, "engine", doc_text(f->malware->engine));
                doc_set(properties, "family", doc_text(f->malware->family));
                doc_set(properties, "offset", doc_number(f->malware->offset));
                doc_set(properties, "deletedByLayer",
                        f->deleted_by == NONE ? doc_null() : doc_number(f->deleted_by + 1));
        }
        doc_set(o, "properties", properties);
        return o;
}

static json_t *notification(struct arena *a, const struct fact_unread *u)
{
        json_t *o = doc_object(), *descriptor = doc_object();
        doc_set(descriptor, "id", doc_text(u->code.n ? u->code : STR("unread")));
        doc_set(o, "descriptor", descriptor);
        doc_set(o, "level", doc_cstr("warning"));
        doc_set(o, "message",
                message(arena_printf(a, "not read: %.*s: %.*s", STR_FMT(text_clean(a, u->path)),
                                     STR_FMT(text_clean(a, u->detail)))));
        return o;
}

/* One rule for each id, of its first and so worst finding. Returns for each finding the index of its rule. */
static size_t *put_rules(struct doc_stream *s, const struct report *r, struct arena *a)
{
        struct arena one = ARENA_INIT;
        struct map_str known = { 0 };
        size_t *rules = arena_array(a, r->n_findings + 1, sizeof(*rules)), n = 0;
        doc_open(s, "rules", '[');
        for (size_t i = 0; i < r->n_findings; i++, arena_done(&one)) {
                bool is_new;
                void **slot = map_str_put(&known, r->findings[i].id, &is_new);
                if (is_new) {
                        rules[i] = n++;
                        *slot = &rules[i];
                        doc_put(s, NULL, rule(r, &one, &r->findings[i]));
                }
                rules[i] = *(const size_t *)*slot;
        }
        doc_close(s, ']');
        map_str_done(&known);
        return rules;
}

static json_t *invocations(const struct report *r, struct arena *a)
{
        json_t *array = doc_array(), *o = doc_object(), *notifications = doc_array();
        for (size_t i = 0; i < r->coverage.n_unread; i++)
                doc_add(notifications, notification(a, &r->coverage.unread[i]));
        doc_set(o, "executionSuccessful", doc_bool(r->complete));
        doc_set(o, "toolExecutionNotifications", notifications);
        doc_add(array, o);
        return array;
}

static json_t *bases(const struct report *r, struct arena *a)
{
        json_t *o = doc_object(), *base = doc_object();
        doc_set(base, "description", message(arena_printf(a, "the root of %.*s", STR_FMT(text_clean(a, r->target)))));
        doc_set(o, ROOT, base);
        return o;
}

static json_t *run_properties(const struct report *r)
{
        json_t *o = doc_object();
        doc_set(o, "target", doc_text(r->target));
        doc_set(o, "digest", doc_str(r->digest));
        doc_set(o, "imageId", doc_str(r->image_id));
        doc_set(o, "decision", doc_cstr(r->denied ? "deny" : "allow"));
        doc_set(o, "policy", doc_str(r->policy));
        doc_set(o, "today", doc_day(r->today));
        doc_set(o, "advisories", doc_str(r->data_source));
        doc_set(o, "advisoriesDigest", doc_str(r->data_digest));
        doc_set(o, "advisoriesDate", doc_day(r->data_date));
        return o;
}

static int sarif_write(const struct report *r, const struct report_options *o, FILE *to)
{
        struct arena arena = ARENA_INIT, one = ARENA_INIT;
        struct doc_stream s = { to };
        doc_open(&s, NULL, '{');
        doc_put(&s, "$schema", doc_cstr(SCHEMA));
        doc_put(&s, "version", doc_cstr("2.1.0"));
        doc_open(&s, "runs", '[');
        doc_open(&s, NULL, '{');
        doc_open(&s, "tool", '{');
        doc_open(&s, "driver", '{');
        doc_put(&s, "name", doc_cstr("sekisho"));
        if (r->tool_version.n) {
                doc_put(&s, "version", doc_text(r->tool_version));
                doc_put(&s, "semanticVersion", doc_text(r->tool_version));
        }
        const size_t *rules = put_rules(&s, r, &arena);
        doc_close(&s, '}');
        doc_close(&s, '}');
        doc_put(&s, "invocations", invocations(r, &arena));
        doc_put(&s, "originalUriBaseIds", bases(r, &arena));
        doc_put(&s, "columnKind", doc_cstr("unicodeCodePoints"));
        bool has_suppressions = is_any_set_aside(r);
        doc_open(&s, "results", '[');
        for (size_t i = 0; i < r->n_findings; i++, arena_done(&one))
                doc_put(&s, NULL, result(r, &one, &r->findings[i], rules[i], has_suppressions));
        doc_close(&s, ']');
        doc_put(&s, "properties", run_properties(r));
        doc_close(&s, '}');
        doc_close(&s, ']');
        doc_close(&s, '}');
        arena_done(&arena);
        return doc_end(&s);
}

const struct reporter reporter_sarif = {
        .name = "sarif",
        .summary = "SARIF 2.1.0, for code scanning services",
        .file_name = "report.sarif",
        .write = sarif_write,
};
