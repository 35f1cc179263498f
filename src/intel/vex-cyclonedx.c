/*
 * CycloneDX VEX (ECMA-424; 1.4 to 1.6): vulnerabilities[].analysis, and affects[].ref, which leads to a component of
 * the same document by its bom-ref, or by a BOM-Link ("urn:cdx:SERIAL/VERSION#BOM-REF") to one of another. A component
 * is a part of the product that metadata.component is; alone, where there is none. Of another document only a bom-ref
 * that is a purl tells something.
 *
 * A vulnerability without an analysis states nothing that a scan does not know, and is passed over: a bill of materials
 * with vulnerabilities may be given as it is.
 */
#include "intel/json.h"
#include "intel/purl.h"
#include "intel/vex-readers.h"

#include "base/map.h"

#define DEPTH_MAX 32 /* of components in components */

struct bom {
        struct vex_reading *r;
        struct map_str components; /* bom-ref -> its json_t */
        struct str serial;         /* UUID */
        const json_t *product;     /* metadata.component, or NULL */
        struct str_list product_names;
};

static bool cyclonedx_recognises(const json_t *document)
{
        return str_is(json_member(document, "bomFormat"), "CycloneDX") &&
               json_is_array(json_object_get(document, "vulnerabilities"));
}

static void index_components(struct bom *b, const json_t *components, unsigned depth)
{
        for (size_t i = 0; i < json_array_size(components); i++) {
                json_t *c = json_array_get(components, i);
                struct str ref = json_member(c, "bom-ref");
                if (ref.n)
                        *map_str_put(&b->components, ref, NULL) = c;
                if (depth < DEPTH_MAX)
                        index_components(b, json_object_get(c, "components"), depth + 1);
        }
}

static struct str_list names_of(struct bom *b, const json_t *component)
{
        struct vex_names names = { 0 };
        const json_t *hashes = json_object_get(component, "hashes");
        struct str name = json_member(component, "name"), version = json_member(component, "version");
        bool is_image = str_is(json_member(component, "type"), "container");
        vex_name(b->r, &names, json_member(component, "purl"));
        for (size_t i = 0; i < json_array_size(hashes); i++)
                vex_hash(b->r, &names, json_member(json_array_get(hashes, i), "alg"),
                         json_member(json_array_get(hashes, i), "content"));
        if (is_image && str_starts(version, STR("sha256:")))
                vex_hash(b->r, &names, STR("sha256"), str_from(version, 7));
        vex_name(b->r, &names, json_member(component, "cpe"));
        if (!names.list.n && name.n)
                vex_name(b->r, &names,
                         is_image && version.n && str_find_char(name, ':') < 0
                                 ? arena_printf(&b->r->arena, "%.*s:%.*s", STR_FMT(name), STR_FMT(version))
                                 : name);
        return names.list;
}

/* --- what a vulnerability states --- */

static const struct {
        const char *state;
        enum vex_status status;
} states[] = {
        { "resolved", VEX_FIXED },
        { "resolved_with_pedigree", VEX_FIXED },
        { "exploitable", VEX_AFFECTED },
        { "in_triage", VEX_UNDER_INVESTIGATION },
        { "false_positive", VEX_NOT_AFFECTED },
        { "not_affected", VEX_NOT_AFFECTED },
};

/* A list; CycloneDX's own first example has a text. */
static struct str_list responses_of(struct vex_reading *r, const json_t *response)
{
        struct vex_names one = { 0 };
        if (json_is_array(response))
                return json_strings(response, &r->arena);
        vex_name(r, &one, json_str(response));
        return one.list;
}

static bool take_analysis(struct vex_reading *r, const json_t *vulnerability, enum vex_status *ret)
{
        const json_t *analysis = json_object_get(vulnerability, "analysis");
        struct str state = json_member(analysis, "state"), detail = json_member(analysis, "detail");
        struct fact_vex *f = &r->now;
        bool known = false;
        for (size_t i = 0; i < ARRAY_SIZE(states) && !known; i++)
                if (str_is(state, states[i].state)) {
                        *ret = states[i].status;
                        known = true;
                }
        if (!known) {
                vex_unread(r, f->position, "its state \"%.*s\" is none of CycloneDX", STR_FMT(str_upto(state, 80)));
                return false;
        }
        f->status = str_of(vex_status_name(*ret));
        f->justification_word = json_member(analysis, "justification");
        f->justification = vex_justification(f->justification_word);
        if (f->justification_word.n && !f->justification.n) {
                vex_unread(r, f->position, "its justification \"%.*s\" is none of CycloneDX",
                           STR_FMT(str_upto(f->justification_word, 80)));
                return false;
        }
        f->impact = *ret == VEX_NOT_AFFECTED ? detail : STR_NONE;
        f->detail = *ret == VEX_NOT_AFFECTED ? STR_NONE : detail;
        f->action = json_member(vulnerability, "recommendation");
        if (!f->action.n)
                f->action = json_member(vulnerability, "workaround");
        f->responses = responses_of(r, json_object_get(analysis, "response"));
        int64_t updated = json_date(analysis, "lastUpdated"), issued = json_date(analysis, "firstIssued");
        if (updated || issued)
                f->timestamp = MAX(updated, issued);
        return true;
}

static void take_ids(struct vex_reading *r, const json_t *vulnerability)
{
        const json_t *references = json_object_get(vulnerability, "references");
        struct vex_names aliases = { 0 };
        r->now.vulnerability = json_member(vulnerability, "id");
        for (size_t i = 0; i < json_array_size(references); i++)
                vex_name(r, &aliases, json_member(json_array_get(references, i), "id"));
        r->now.aliases = aliases.list;
}

/* --- to what it applies --- */

/* Whether what is said of a version goes with the analysis: a version that is unaffected is none that is exploitable.
 */
static bool goes_with(struct str version_status, enum vex_status status)
{
        if (str_is(version_status, "unaffected"))
                return status == VEX_NOT_AFFECTED || status == VEX_FIXED;
        return !version_status.n || str_is(version_status, "affected");
}

/* The names with this version in the place of theirs. rpm's epoch may stand in one and not in the other. */
static struct str_list with_version(struct bom *b, struct str_list names, struct str version)
{
        struct vex_names with = { 0 };
        for (size_t i = 0; i < names.n; i++) {
                struct purl p, q;
                struct str name = names.v[i];
                if (purl_parse(name, &b->r->arena, &p)) {
                        struct str other = purl_with_version(name, version, &b->r->arena);
                        bool same = purl_parse(other, &b->r->arena, &q) && str_eq(p.version, q.version);
                        vex_name(b->r, &with, same ? name : other);
                }
        }
        return with.list;
}

static void put(struct bom *b, struct str_list part)
{
        if (b->product)
                vex_put(b->r, b->product_names, part);
        else
                vex_put(b->r, part, (struct str_list){ 0 });
}

static void put_versions(struct bom *b, struct str_list names, const json_t *versions, enum vex_status status)
{
        for (size_t i = 0; i < json_array_size(versions); i++) {
                const json_t *v = json_array_get(versions, i);
                struct str version = json_member(v, "version");
                if (!goes_with(json_member(v, "status"), status))
                        continue;
                b->r->now.vague = version.n ? STR_NONE : STR("it names a range of versions, which is not evaluated");
                struct str_list with = version.n ? with_version(b, names, version) : names;
                if (!with.n) {
                        b->r->now.vague = STR("it names a version of something that has no purl");
                        with = names;
                }
                put(b, with);
        }
        b->r->now.vague = STR_NONE;
}

/* The bom-ref that a BOM-Link leads to, decoded; *ret_is_here if it leads into this document. */
static struct str follow_link(struct bom *b, struct str link, bool *ret_is_here)
{
        struct str ref = str_from(link, strlen("urn:cdx:"));
        struct str document = str_cut(&ref, '#');
        struct str decoded = arena_str(&b->r->arena, ref);
        char *to = (char *)decoded.p;
        size_t n = 0;
        for (size_t i = 0; i < ref.n; i++) {
                uint8_t byte;
                bool escaped = ref.p[i] == '%' && str_hex(str_upto(str_from(ref, i + 1), 2), 1, &byte);
                to[n++] = escaped ? (char)byte : ref.p[i];
                i += escaped ? 2 : 0;
        }
        struct str serial = str_cut(&document, '/');
        *ret_is_here = b->serial.n && str_eq_nocase(serial, b->serial);
        /* A purl in a link is often left as it is, with percent signs of its own. */
        return is_purl(ref) ? ref : str_upto(decoded, n);
}

static void put_affected(struct bom *b, const json_t *affected, enum vex_status status)
{
        const json_t *versions = json_object_get(affected, "versions");
        struct str ref = json_member(affected, "ref");
        bool is_link = str_starts(ref, STR("urn:cdx:")), is_here = !is_link;
        struct str target = is_link ? follow_link(b, ref, &is_here) : ref;
        const json_t *component = is_here ? map_str_get(&b->components, target) : NULL;
        if (is_link && is_here && !component)
                component = map_str_get(&b->components, ref);
        if (component && component == b->product) {
                if (json_array_size(versions) == 0)
                        vex_put(b->r, b->product_names, (struct str_list){ 0 });
                else
                        put_versions(&(struct bom){ .r = b->r }, b->product_names, versions, status);
                return;
        }
        struct vex_names outside = { 0 };
        if (!component && is_purl(target))
                vex_name(b->r, &outside, target);
        struct str_list names = component ? names_of(b, component) : outside.list;
        if (!names.n) {
                vex_unread(b->r, b->r->now.position, "\"%.*s\" leads to no component and is no purl",
                           STR_FMT(str_upto(ref, 200)));
                return;
        }
        /* What another document calls so is a part of that document's product, not of this one's. */
        struct bom elsewhere = { .r = b->r };
        struct bom *in = is_here ? b : &elsewhere;
        if (json_array_size(versions))
                put_versions(in, names, versions, status);
        else
                put(in, names);
}

static void read_vulnerability(struct bom *b, const json_t *vulnerability, int64_t timestamp)
{
        const json_t *affects = json_object_get(vulnerability, "affects");
        enum vex_status status;
        if (!json_is_object(json_object_get(vulnerability, "analysis")))
                return;
        b->r->now.timestamp = timestamp;
        b->r->now.vague = STR_NONE;
        take_ids(b->r, vulnerability);
        if (!b->r->now.vulnerability.n) {
                vex_unread(b->r, b->r->now.position, "it names no vulnerability");
                return;
        }
        if (!take_analysis(b->r, vulnerability, &status))
                return;
        if (!json_array_size(affects))
                vex_unread(b->r, b->r->now.position, "it affects no component");
        for (size_t i = 0; i < json_array_size(affects) && !b->r->over; i++)
                put_affected(b, json_array_get(affects, i), status);
}

/* Who made the document: its authors, or its supplier or manufacturer. */
static struct str author_of(struct vex_reading *r, const json_t *metadata)
{
        static const char *const makers[] = { "manufacturer", "manufacture", "supplier" };
        const json_t *authors = json_object_get(metadata, "authors");
        struct str author = STR_NONE;
        for (size_t i = 0; i < MIN(json_array_size(authors), (size_t)16); i++) {
                const json_t *one = json_array_get(authors, i);
                struct str name = json_member(one, "name");
                name = name.n ? name : json_member(one, "email");
                if (name.n)
                        author =
                                author.n ? arena_printf(&r->arena, "%.*s, %.*s", STR_FMT(author), STR_FMT(name)) : name;
        }
        for (size_t i = 0; !author.n && i < ARRAY_SIZE(makers); i++)
                author = json_member(json_object_get(metadata, makers[i]), "name");
        return author;
}

static void cyclonedx_read(struct vex_reading *r, const json_t *document)
{
        const json_t *metadata = json_object_get(document, "metadata");
        const json_t *vulnerabilities = json_object_get(document, "vulnerabilities");
        struct bom b = { .r = r, .product = json_object_get(metadata, "component") };
        int64_t timestamp = json_date(metadata, "timestamp");
        struct str serial = json_member(document, "serialNumber");
        r->now.document = serial;
        r->now.author = author_of(r, metadata);
        b.serial = str_starts(serial, STR("urn:uuid:")) ? str_from(serial, 9) : STR_NONE;
        index_components(&b, json_object_get(document, "components"), 0);
        if (b.product) {
                struct str ref = json_member(b.product, "bom-ref");
                b.product_names = names_of(&b, b.product);
                index_components(&b, json_object_get(b.product, "components"), 0);
                if (ref.n)
                        *map_str_put(&b.components, ref, NULL) = (void *)b.product;
        }
        for (size_t i = 0; i < json_array_size(vulnerabilities) && !r->over; i++) {
                r->now.position = i + 1;
                read_vulnerability(&b, json_array_get(vulnerabilities, i), timestamp);
        }
        map_str_done(&b.components);
}

const struct vex_reader vex_cyclonedx = {
        .name = "cyclonedx",
        .summary = "CycloneDX 1.4 to 1.6 with analyses, alone or in a bill of materials",
        .recognises = cyclonedx_recognises,
        .read = cyclonedx_read,
};
