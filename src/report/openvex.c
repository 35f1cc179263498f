/*
 * OpenVEX 0.2.0 (github.com/openvex/spec): a statement for each vulnerability that was found, about the artefact as the
 * product and the packages as its subcomponents; of an artefact without a digest, about the packages. The words are
 * those of whoever decided (analysis.h). No clock and no random id: the time is the day against which the report
 * judged, the id follows from what is stated. Statements keep the times of those that they pass on.
 *
 * An OpenVEX document has at least one statement; where nothing was found, it has none, and other tools may refuse it.
 */
#include "report/analysis.h"
#include "report/document.h"
#include "report/report.h"
#include "report/text.h"
#include "report/view.h"

#include <ctype.h>

static struct str sha256_of(const struct report *r)
{
        struct str digest = r->digest.n ? r->digest : r->image_id;
        uint8_t bytes[32];
        bool good = str_starts(digest, STR("sha256:")) && str_hex(str_from(digest, 7), sizeof(bytes), bytes);
        return good ? str_from(digest, 7) : STR_NONE;
}

/* pkg:oci/nginx-app@sha256%3A3f1c...: by the image's own name, if it has one; else the digest. */
static struct str artefact_id(const struct report *r, struct arena *a, struct str sha256)
{
        struct str name = r->tags.n ? r->tags.v[0] : STR_NONE;
        name = str_from(name, (size_t)(str_rfind_char(name, '/') + 1));
        name = str_cut(&name, ':');
        for (size_t i = 0; i < name.n; i++)
                if (!islower((unsigned char)name.p[i]) && !isdigit((unsigned char)name.p[i]) && name.p[i] != '-' &&
                    name.p[i] != '.' && name.p[i] != '_')
                        name = STR_NONE;
        return name.n ? arena_printf(a, "pkg:oci/%.*s@sha256%%3A%.*s", STR_FMT(name), STR_FMT(sha256))
                      : arena_printf(a, "sha256:%.*s", STR_FMT(sha256));
}

static json_t *packages(const struct report *r, const struct finding *f)
{
        json_t *array = doc_array();
        for (size_t i = 0; i < f->n_packages; i++) {
                const struct report_package *p = &r->packages[f->packages[i]];
                json_t *o = doc_object();
                doc_set(o, "@id", doc_text(p->purl.n ? p->purl : p->p.name));
                doc_add(array, o);
        }
        return array;
}

static json_t *products(const struct report *r, struct arena *a, const struct finding *f)
{
        struct str sha256 = sha256_of(r);
        if (!sha256.n)
                return packages(r, f);
        json_t *array = doc_array(), *product = doc_object(), *hashes = doc_object();
        doc_set(product, "@id", doc_text(artefact_id(r, a, sha256)));
        doc_set(hashes, "sha-256", doc_text(sha256));
        doc_set(product, "hashes", hashes);
        doc_set(product, "subcomponents", packages(r, f));
        doc_add(array, product);
        return array;
}

static json_t *vulnerability(struct arena *a, const struct finding *f)
{
        json_t *o = doc_object();
        struct str url = advisory_url(a, f->id);
        if (url.n)
                doc_set(o, "@id", doc_text(url));
        doc_set(o, "name", doc_text(f->id));
        if (f->vulnerability && f->vulnerability->aliases.n)
                doc_set(o, "aliases", doc_list(f->vulnerability->aliases));
        return o;
}

static void set_text(json_t *o, const char *key, struct str text)
{
        if (text.n)
                doc_set(o, key, doc_text(text));
}

static json_t *statement(const struct report *r, struct arena *a, const struct finding *f)
{
        struct analysis x = finding_analysis(r, a, f);
        json_t *o = doc_object();
        /* OpenVEX demands a reason; CycloneDX, where this one came from, does not. */
        if (strcmp(x.status, "not_affected") == 0 && !x.justification.n && !x.impact.n)
                x.impact = x.notes.n ? x.notes : STR("stated without a reason");
        doc_set(o, "vulnerability", vulnerability(a, f));
        if (x.timestamp)
                doc_set(o, "timestamp", doc_time(x.timestamp));
        doc_set(o, "products", products(r, a, f));
        doc_set(o, "status", doc_cstr(x.status));
        set_text(o, "status_notes", x.notes);
        set_text(o, "justification", x.justification);
        set_text(o, "impact_statement", x.impact);
        set_text(o, "action_statement", x.action);
        return o;
}

static int openvex_write(const struct report *r, const struct report_options *o, FILE *to)
{
        struct arena arena = ARENA_INIT, *a = &arena, one = ARENA_INIT;
        struct str author = vex_author(o);
        struct doc_stream s = { to };
        doc_open(&s, NULL, '{');
        doc_put(&s, "@context", doc_cstr("https://openvex.dev/ns/v0.2.0"));
        doc_put(&s, "@id", doc_text(arena_printf(a, "urn:uuid:%.*s", STR_FMT(vex_uuid(r, a, "openvex", author)))));
        doc_put(&s, "author", doc_text(author));
        doc_put(&s, "timestamp", doc_time(r->today));
        doc_put(&s, "version", doc_number(1));
        doc_put(&s, "tooling", doc_text(arena_printf(a, "sekisho %.*s", STR_FMT(r->tool_version))));
        doc_open(&s, "statements", '[');
        for (size_t i = 0; i < r->n_findings; i++, arena_done(&one))
                if (r->findings[i].kind == FINDING_VULNERABILITY && r->findings[i].n_packages)
                        doc_put(&s, NULL, statement(r, &one, &r->findings[i]));
        doc_close(&s, ']');
        doc_close(&s, '}');
        arena_done(a);
        return doc_end(&s);
}

const struct reporter reporter_openvex = {
        .name = "openvex",
        .summary = "OpenVEX 0.2.0, what was decided and what is open",
        .file_name = "vex.openvex.json",
        .write = openvex_write,
};
