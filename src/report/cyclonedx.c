/*
 * CycloneDX 1.6 as JSON: the artefact as the component that the document is about, its operating system and packages as
 * components, vulnerabilities that point to them. Every component's bom-ref is its purl, made unique where a hostile
 * database lists one twice. The document has no time stamp, and its serial number follows from what was scanned and
 * with which advisories, so that the same scan gives the same bytes. A vulnerability has an analysis where a VEX
 * document or a waiver gave one.
 *
 * As VEX (cyclonedx-vex) the document has only the components that have vulnerabilities, an analysis for each of those,
 * an author, the day of the report as its time, and a serial number that follows from what is stated.
 */
#include "report/analysis.h"
#include "report/document.h"
#include "report/identity.h"
#include "report/report.h"
#include "report/text.h"
#include "report/view.h"

#include "base/map.h"

#include <ctype.h>

#define ARTEFACT_REF "artefact"
#define OS_REF       "operating-system"
#define VERSION_MAX  1024 /* of a version, in the specification */

/* The bom-refs of the packages, by their index; all different from each other and from the two above. */
static struct str *package_references(const struct report *r, struct arena *a)
{
        struct str *refs = arena_array(a, r->n_packages + 1, sizeof(*refs));
        struct map_str taken = { 0 };
        *map_str_put(&taken, STR(ARTEFACT_REF), NULL) = refs;
        *map_str_put(&taken, STR(OS_REF), NULL) = refs;
        for (size_t i = 0; i < r->n_packages; i++) {
                const struct report_package *p = &r->packages[i];
                bool is_new;
                refs[i] = p->purl.n ? text_utf8(a, p->purl) : arena_printf(a, "package-%zu", i + 1);
                *map_str_put(&taken, refs[i], &is_new) = refs;
                if (!is_new) {
                        refs[i] = arena_printf(a, "%.*s#%zu", STR_FMT(refs[i]), i + 1);
                        *map_str_put(&taken, refs[i], NULL) = refs;
                }
        }
        map_str_done(&taken);
        return refs;
}

static bool is_sha256(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!isxdigit((unsigned char)s.p[i]))
                        return false;
        return s.n == 64;
}

static void set_version(json_t *component, struct str version)
{
        if (version.n && version.n <= VERSION_MAX)
                doc_set(component, "version", doc_text(version));
}

static json_t *artefact(const struct report *r, struct arena *a)
{
        json_t *o = doc_object(), *properties = doc_array();
        struct str digest = r->digest.n ? r->digest : r->image_id, hex = digest;
        bool has_hash = str_starts(digest, STR("sha256:")) && is_sha256(hex = str_from(digest, 7));
        doc_set(o, "type", doc_cstr(r->has_image || r->n_layers || r->container.n ? "container" : "file"));
        doc_set(o, "bom-ref", doc_cstr(ARTEFACT_REF));
        doc_set(o, "name", doc_text(r->name.n ? r->name : r->target));
        set_version(o, digest);
        if (has_hash) {
                json_t *hashes = doc_array(), *hash = doc_object();
                doc_set(hash, "alg", doc_cstr("SHA-256"));
                doc_set(hash, "content", doc_text(hex));
                doc_add(hashes, hash);
                doc_set(o, "hashes", hashes);
        }
        doc_add_property(properties, "sekisho:target", r->target);
        doc_add_property(properties, "sekisho:kind", r->kind);
        doc_add_property(properties, "sekisho:image-id", r->image_id);
        doc_add_property(properties, "sekisho:container", r->container);
        doc_add_property(properties, "sekisho:platform", platform_words(r, a));
        for (size_t i = 0; i < r->tags.n; i++)
                doc_add_property(properties, "sekisho:tag", r->tags.v[i]);
        for (size_t i = 0; i < r->n_layers; i++)
                doc_add_property(properties, "sekisho:layer",
                                 r->layers[i].digest.n ? r->layers[i].digest : r->layers[i].diff_id);
        doc_set(o, "properties", properties);
        return o;
}

/* author: of a VEX document; empty in a bill of materials. */
static json_t *metadata(const struct report *r, struct arena *a, struct str author)
{
        json_t *o = doc_object(), *tools = doc_object(), *components = doc_array(), *tool = doc_object(),
               *properties = doc_array();
        if (author.n) {
                json_t *authors = doc_array(), *one = doc_object();
                doc_set(one, "name", doc_text(author));
                doc_add(authors, one);
                doc_set(o, "timestamp", doc_time(r->today));
                doc_set(o, "authors", authors);
        }
        doc_set(tool, "type", doc_cstr("application"));
        doc_set(tool, "name", doc_cstr("sekisho"));
        set_version(tool, r->tool_version);
        doc_add(components, tool);
        doc_set(tools, "components", components);
        doc_set(o, "tools", tools);
        doc_set(o, "component", artefact(r, a));
        doc_add_property(properties, "sekisho:advisories", r->data_source);
        doc_add_property(properties, "sekisho:advisories:digest", r->data_digest);
        doc_add_property(properties, "sekisho:advisories:date", text_day(a, r->data_date, ""));
        doc_add_property(properties, "sekisho:policy", r->policy);
        doc_add_property(properties, "sekisho:decision", str_of(r->denied ? "deny" : "allow"));
        doc_set(o, "properties", properties);
        return o;
}

static json_t *operating_system(const struct report *r, struct arena *a)
{
        json_t *o = doc_object(), *properties = doc_array();
        doc_set(o, "type", doc_cstr("operating-system"));
        doc_set(o, "bom-ref", doc_cstr(OS_REF));
        doc_set(o, "name", doc_text(r->os.id.n ? r->os.id : STR("unknown")));
        set_version(o, r->os.version);
        if (r->os.name.n)
                doc_set(o, "description", doc_text(r->os.name));
        doc_add_property(properties, "sekisho:end-of-life", text_day(a, r->eol, ""));
        doc_add_property(properties, "sekisho:path", r->os.path);
        doc_set(o, "properties", properties);
        return o;
}

static json_t *package(const struct report *r, struct arena *a, const struct report_package *p, struct str ref)
{
        json_t *o = doc_object(), *properties = doc_array();
        struct str licence = p->licence.n ? p->licence : p->p.licence;
        doc_set(o, "type", doc_cstr("library"));
        doc_set(o, "bom-ref", doc_text(ref));
        doc_set(o, "name", doc_text(p->p.name.n ? p->p.name : STR("unknown")));
        set_version(o, p->p.version);
        if (licence.n) {
                json_t *licences = doc_array(), *choice = doc_object(), *named = doc_object();
                doc_set(named, "name", doc_text(licence));
                doc_set(choice, "license", named);
                doc_add(licences, choice);
                doc_set(o, "licenses", licences);
        }
        if (p->purl.n)
                doc_set(o, "purl", doc_text(p->purl));
        if (p->p.database.n) {
                json_t *evidence = doc_object(), *occurrences = doc_array(), *occurrence = doc_object();
                doc_set(occurrence, "location", doc_text(p->p.database));
                if (p->p.line)
                        doc_set(occurrence, "line", doc_number(p->p.line));
                doc_add(occurrences, occurrence);
                doc_set(evidence, "occurrences", occurrences);
                doc_set(o, "evidence", evidence);
        }
        doc_add_property(properties, "sekisho:arch", p->p.arch);
        doc_add_property(properties, "sekisho:source", p->p.source);
        doc_add_property(properties, "sekisho:source-version", p->p.source_version);
        if (p->layer != NONE && p->layer < r->n_layers) {
                doc_add_property(properties, "sekisho:layer", text_number(a, p->layer + 1));
                doc_add_property(properties, "sekisho:layer:digest", r->layers[p->layer].digest);
                doc_add_property(properties, "sekisho:layer:diff-id", r->layers[p->layer].diff_id);
        }
        doc_set(o, "properties", properties);
        return o;
}

static const char *rating_method(struct str vector)
{
        return str_starts(vector, STR("CVSS:4."))    ? "CVSSv4"
               : str_starts(vector, STR("CVSS:3.1")) ? "CVSSv31"
               : str_starts(vector, STR("CVSS:3.0")) ? "CVSSv3"
               : str_starts(vector, STR("AV:"))      ? "CVSSv2"
                                                     : "other";
}

static json_t *ratings(const struct finding *f)
{
        const struct fact_vulnerability *v = f->vulnerability;
        json_t *array = doc_array(), *o = doc_object();
        if (v && v->severity_source.n) {
                json_t *source = doc_object();
                doc_set(source, "name", doc_text(v->severity_source));
                doc_set(o, "source", source);
        }
        if (v && v->cvss_score)
                doc_set(o, "score", doc_real((double)v->cvss_score / 10));
        doc_set(o, "severity", doc_cstr(severity_name(f->severity)));
        doc_set(o, "method", doc_cstr(v ? rating_method(v->cvss_vector) : "other"));
        if (v && v->cvss_vector.n)
                doc_set(o, "vector", doc_text(v->cvss_vector));
        doc_add(array, o);
        return array;
}

static json_t *references(struct arena *a, const struct finding *f)
{
        json_t *array = doc_array();
        const struct fact_vulnerability *v = f->vulnerability;
        for (size_t i = 0; v && i < v->aliases.n; i++) {
                json_t *o = doc_object(), *source = doc_object();
                struct str url = advisory_url(a, v->aliases.v[i]);
                doc_set(o, "id", doc_text(v->aliases.v[i]));
                if (url.n)
                        doc_set(source, "url", doc_text(url));
                else
                        doc_set(source, "name", doc_text(v->feed));
                doc_set(o, "source", source);
                doc_add(array, o);
        }
        return array;
}

static json_t *affects(const struct report *r, const struct finding *f, const struct str *refs)
{
        json_t *array = doc_array();
        for (size_t i = 0; i < f->n_packages; i++) {
                const struct report_package *p = &r->packages[f->packages[i]];
                json_t *o = doc_object();
                doc_set(o, "ref", doc_text(refs[f->packages[i]]));
                if (p->p.version.n && p->p.version.n <= VERSION_MAX) {
                        json_t *versions = doc_array(), *version = doc_object();
                        doc_set(version, "version", doc_text(p->p.version));
                        doc_set(version, "status", doc_cstr("affected"));
                        doc_add(versions, version);
                        doc_set(o, "versions", versions);
                }
                doc_add(array, o);
        }
        if (!f->n_packages) {
                json_t *o = doc_object();
                doc_set(o, "ref", doc_cstr(ARTEFACT_REF));
                doc_add(array, o);
        }
        return array;
}

/* What its author says is to be done comes before what we would say. */
static struct str recommendation(const struct report *r, struct arena *a, const struct finding *f)
{
        struct analysis x = finding_analysis(r, a, f);
        return x.is_decided && x.action.n ? x.action : text_capital(a, finding_advice(r, a, f));
}

static json_t *affects_artefact(void)
{
        json_t *array = doc_array(), *o = doc_object();
        doc_set(o, "ref", doc_cstr(ARTEFACT_REF));
        doc_add(array, o);
        return array;
}

static json_t *weaknesses(const struct fact_check *c)
{
        json_t *array = doc_array();
        for (size_t i = 0; i < c->tags.n; i++) {
                uint64_t n;
                if (str_starts(c->tags.v[i], STR("CWE-")) && str_u64(str_from(c->tags.v[i], 4), &n))
                        doc_add(array, doc_number(n));
        }
        return array;
}

static json_t *vulnerability(const struct report *r, struct arena *a, const struct finding *f, const struct str *refs,
                             bool is_vex)
{
        const struct fact_vulnerability *v = f->vulnerability;
        json_t *o = doc_object(), *source = doc_object(), *properties = doc_array();
        struct str url = advisory_url(a, f->id);
        doc_set(o, "bom-ref", doc_text(finding_fingerprint(r, a, f)));
        doc_set(o, "id", doc_text(f->id));
        doc_set(source, "name", doc_text(v && v->feed.n ? v->feed : STR("sekisho")));
        if (url.n)
                doc_set(source, "url", doc_text(url));
        doc_set(o, "source", source);
        doc_set(o, "references", references(a, f));
        doc_set(o, "ratings", ratings(f));
        if (v && v->summary.n)
                doc_set(o, "description", doc_text(v->summary));
        if (f->check) {
                doc_set(o, "description", doc_text(f->title));
                doc_set(o, "detail", doc_text(f->check->why));
                doc_set(o, "cwes", weaknesses(f->check));
        }
        if (f->malware) {
                doc_set(o, "description", doc_text(f->title));
                doc_add_property(properties, "sekisho:malware", f->malware->family);
                doc_add_property(properties, "sekisho:path", f->path);
        }
        if (f->secret) {
                json_t *weakness = doc_array();
                doc_add(weakness, doc_number(798)); /* CWE-798: use of hard-coded credentials */
                doc_set(o, "cwes", weakness);
                doc_set(o, "description", doc_text(f->title));
                doc_add_property(properties, "sekisho:secret", f->secret->redacted);
                doc_add_property(properties, "sekisho:confidence", f->secret->confidence);
                doc_add_property(properties, "sekisho:path", f->path);
        }
        doc_set(o, "recommendation", doc_text(recommendation(r, a, f)));
        if (v && v->published)
                doc_set(o, "published", doc_time(v->published));
        if (is_vex || f->vex || f->set_aside)
                doc_set(o, "analysis", cyclonedx_analysis(r, a, f));
        doc_set(o, "affects", f->check ? affects_artefact() : affects(r, f, refs));
        if (v) {
                doc_add_property(properties, "sekisho:advisory", v->id);
                doc_add_property(properties, "sekisho:ecosystem", v->ecosystem);
                doc_add_property(properties, "sekisho:comparison", v->comparison);
                doc_add_property(properties, "sekisho:kev", text_day(a, v->kev, ""));
                if (v->epss)
                        doc_add_property(properties, "sekisho:epss",
                                         arena_printf(a, "%llu.%05llu", (unsigned long long)(v->epss / 100000),
                                                      (unsigned long long)(v->epss % 100000)));
                if (v->malicious)
                        doc_add_property(properties, "sekisho:malicious", STR("true"));
        }
        doc_add_property(properties, "sekisho:response", str_of(response_name(f->response)));
        doc_add_property(properties, "sekisho:set-aside", str_of(set_aside_name(f->set_aside)));
        doc_add_property(properties, "sekisho:set-aside:by", f->set_aside_by);
        doc_add_property(properties, "sekisho:vex:doubt", f->vex_doubt);
        doc_set(o, "properties", properties);
        return o;
}

/* Says openly when a part of the artefact could not be read. */
static json_t *compositions(const struct report *r)
{
        json_t *array = doc_array(), *o = doc_object(), *assemblies = doc_array();
        doc_set(o, "aggregate", doc_cstr(r->complete && !r->coverage.n_unread ? "unknown" : "incomplete"));
        doc_add(assemblies, doc_cstr(ARTEFACT_REF));
        doc_set(o, "assemblies", assemblies);
        doc_add(array, o);
        return array;
}

static bool *packages_with_findings(const struct report *r, struct arena *a)
{
        bool *has = arena_array(a, r->n_packages + 1, sizeof(*has));
        for (size_t i = 0; i < r->n_findings; i++)
                for (size_t k = 0; r->findings[i].kind == FINDING_VULNERABILITY && k < r->findings[i].n_packages; k++)
                        has[r->findings[i].packages[k]] = true;
        return has;
}

static void put_components(struct doc_stream *s, const struct report *r, struct arena *a, const struct str *refs,
                           bool is_vex)
{
        struct arena one = ARENA_INIT;
        const bool *has = packages_with_findings(r, a);
        doc_open(s, "components", '[');
        if (r->has_os && !is_vex)
                doc_put(s, NULL, operating_system(r, a));
        for (size_t i = 0; i < r->n_packages; i++, arena_done(&one))
                if (!is_vex || has[i])
                        doc_put(s, NULL, package(r, &one, &r->packages[i], refs[i]));
        doc_close(s, ']');
}

static bool is_stated(const struct report *r)
{
        for (size_t i = 0; i < r->n_findings; i++)
                if (r->findings[i].vex || r->findings[i].set_aside)
                        return true;
        return false;
}

static int write_document(const struct report *r, bool is_vex, struct str author, FILE *to)
{
        struct arena arena = ARENA_INIT, *a = &arena, one = ARENA_INIT;
        struct str *refs = package_references(r, a);
        /* A bill of materials with analyses is another document than one without. */
        struct str uuid = is_vex         ? vex_uuid(r, a, "cyclonedx-vex", author)
                          : is_stated(r) ? vex_uuid(r, a, "cyclonedx", STR_NONE)
                                         : report_uuid(r, a);
        struct doc_stream s = { to };
        doc_open(&s, NULL, '{');
        doc_put(&s, "$schema", doc_cstr("http://cyclonedx.org/schema/bom-1.6.schema.json"));
        doc_put(&s, "bomFormat", doc_cstr("CycloneDX"));
        doc_put(&s, "specVersion", doc_cstr("1.6"));
        doc_put(&s, "serialNumber", doc_text(arena_printf(a, "urn:uuid:%.*s", STR_FMT(uuid))));
        doc_put(&s, "version", doc_number(1));
        doc_put(&s, "metadata", metadata(r, a, author));
        put_components(&s, r, a, refs, is_vex);
        if (!is_vex)
                doc_put(&s, "compositions", compositions(r));
        doc_open(&s, "vulnerabilities", '[');
        for (size_t i = 0; i < r->n_findings; i++, arena_done(&one))
                if (r->findings[i].kind == FINDING_VULNERABILITY ||
                    (!is_vex && (r->findings[i].check || r->findings[i].malware || r->findings[i].secret)))
                        doc_put(&s, NULL, vulnerability(r, &one, &r->findings[i], refs, is_vex));
        doc_close(&s, ']');
        doc_close(&s, '}');
        arena_done(a);
        return doc_end(&s);
}

static int cyclonedx_write(const struct report *r, const struct report_options *o, FILE *to)
{
        return write_document(r, false, STR_NONE, to);
}

static int cyclonedx_vex_write(const struct report *r, const struct report_options *o, FILE *to)
{
        return write_document(r, true, vex_author(o), to);
}

const struct reporter reporter_cyclonedx = {
        .name = "cyclonedx",
        .summary = "CycloneDX 1.6, the bill of materials with its vulnerabilities",
        .file_name = "bom.cdx.json",
        .write = cyclonedx_write,
};

const struct reporter reporter_cyclonedx_vex = {
        .name = "cyclonedx-vex",
        .summary = "CycloneDX 1.6 VEX, what was decided and what is open",
        .file_name = "vex.cdx.json",
        .write = cyclonedx_vex_write,
};
