/*
 * OpenVEX (github.com/openvex/spec, OPENVEX-SPEC.md): 0.2.0, the drafts 0.0.x before it, in which vulnerabilities and
 * products were plain text, and both as the predicate of an in-toto statement, which binds them to its subjects.
 * Authors and times of the document hold for statements that have none of their own.
 */
#include "intel/json.h"
#include "intel/vex-readers.h"

#define CONTEXT   STR("https://openvex.dev/ns")
#define PREDICATE "predicate"

static const json_t *predicate_of(const json_t *document)
{
        return str_starts(json_member(document, "predicateType"), CONTEXT) ? json_object_get(document, PREDICATE)
                                                                           : document;
}

static bool openvex_recognises(const json_t *document)
{
        const json_t *predicate = predicate_of(document), *context = json_object_get(predicate, "@context");
        return predicate != document || str_starts(json_str(context), CONTEXT) ||
               str_starts(json_str(json_array_get(context, 0)), CONTEXT);
}

/* What an id of ours stands in: "sha256:..." or "name@sha256:..." is a digest, and more exact than the name. */
static void add_id(struct vex_reading *r, struct vex_names *names, struct str id)
{
        ptrdiff_t at = str_starts(id, STR("pkg:")) ? -1 : str_find(id, STR("@sha256:"));
        vex_name(r, names, at >= 0 ? str_from(id, (size_t)at + 1) : id);
}

/* A component: text in 0.0.x, else an object with @id, identifiers and hashes. */
static struct str_list names_of(struct vex_reading *r, const json_t *component)
{
        static const char *const kinds[] = { "purl", "cpe23", "cpe22", "@cpe23",
                                             "@cpe22" }; /* text and schema differ */
        struct vex_names names = { 0 };
        const json_t *identifiers = json_object_get(component, "identifiers");
        add_id(r, &names, json_is_string(component) ? json_str(component) : json_member(component, "@id"));
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                vex_name(r, &names, json_member(identifiers, kinds[i]));
        const char *algorithm;
        json_t *hex;
        json_object_foreach(json_object_get(component, "hashes"), algorithm, hex)
                vex_hash(r, &names, str_of(algorithm), json_str(hex));
        return names.list;
}

/* "CVE-2024-1" of a page about it. */
static struct str id_of_url(struct str url) { return str_from(url, (size_t)(str_rfind_char(url, '/') + 1)); }

static bool take_vulnerability(struct vex_reading *r, const json_t *statement)
{
        const json_t *v = json_object_get(statement, "vulnerability");
        struct vex_names aliases = { 0 };
        struct str name = json_is_string(v) ? json_str(v) : json_member(v, "name");
        r->now.vulnerability = str_trim(name.n ? name : id_of_url(json_member(v, "@id")));
        for (size_t i = 0; i < json_array_size(json_object_get(v, "aliases")); i++)
                vex_name(r, &aliases, json_str(json_array_get(json_object_get(v, "aliases"), i)));
        r->now.aliases = aliases.list;
        return r->now.vulnerability.n;
}

/* False, and told, if what the specification demands of a statement is not there. */
static bool take_statement(struct vex_reading *r, const json_t *statement)
{
        enum vex_status status;
        struct fact_vex *f = &r->now;
        struct str word = json_member(statement, "status");
        if (!take_vulnerability(r, statement)) {
                vex_unread(r, f->position, "it names no vulnerability");
                return false;
        }
        if (!vex_status_parse(word, &status)) {
                vex_unread(r, f->position, "its status \"%.*s\" is none of OpenVEX", STR_FMT(str_upto(word, 80)));
                return false;
        }
        f->status = word;
        f->justification_word = json_member(statement, "justification");
        f->justification = vex_justification(f->justification_word);
        f->impact = json_member(statement, "impact_statement");
        f->action = json_member(statement, "action_statement");
        f->detail = json_member(statement, "status_notes");
        if (f->justification_word.n && !f->justification.n) {
                vex_unread(r, f->position, "its justification \"%.*s\" is none of OpenVEX",
                           STR_FMT(str_upto(f->justification_word, 80)));
                return false;
        }
        if (status == VEX_NOT_AFFECTED && !f->justification.n && !f->impact.n) {
                vex_unread(r, f->position, "not_affected without a justification or an impact statement");
                return false;
        }
        return true;
}

static void put_product(struct vex_reading *r, const json_t *product, const json_t *subcomponents)
{
        struct str_list names = names_of(r, product);
        if (!names.n) {
                vex_unread(r, r->now.position, "a product without a name");
                return;
        }
        for (size_t i = 0; i < json_array_size(subcomponents); i++) {
                struct str_list part = names_of(r, json_array_get(subcomponents, i));
                if (part.n)
                        vex_put(r, names, part);
                else
                        vex_unread(r, r->now.position, "a subcomponent without a name");
        }
        if (!json_array_size(subcomponents))
                vex_put(r, names, (struct str_list){ 0 });
}

static void read_statement(struct vex_reading *r, const json_t *statement)
{
        const json_t *products = json_object_get(statement, "products");
        const json_t *shared = json_object_get(statement, "subcomponents"); /* 0.0.x has them beside the products */
        r->now.vague = STR_NONE;
        if (!take_statement(r, statement))
                return;
        for (size_t i = 0; i < json_array_size(products); i++) {
                const json_t *product = json_array_get(products, i), *own = json_object_get(product, "subcomponents");
                put_product(r, product, own ? own : shared);
        }
        /* An attestation's own subjects are the products of statements that name none. */
        if (!json_array_size(products) && r->now.subjects.n)
                vex_put(r, r->now.subjects, (struct str_list){ 0 });
        else if (!json_array_size(products))
                vex_unread(r, r->now.position, "it names no product");
}

/* False, and told, if the attestation is bound to nothing that could be compared. */
static bool take_subjects(struct vex_reading *r, const json_t *document)
{
        const json_t *subjects = json_object_get(document, "subject");
        struct vex_names names = { 0 };
        for (size_t i = 0; i < json_array_size(subjects); i++)
                vex_hash(r, &names, STR("sha256"),
                         json_member(json_object_get(json_array_get(subjects, i), "digest"), "sha256"));
        if (!names.list.n)
                vex_unread(r, 0, "the attestation names no subject by a sha256");
        r->now.subjects = names.list;
        return names.list.n;
}

static void openvex_read(struct vex_reading *r, const json_t *document)
{
        const json_t *predicate = predicate_of(document), *statements = json_object_get(predicate, "statements");
        struct fact_vex *f = &r->now;
        if (predicate != document && !take_subjects(r, document))
                return;
        f->document = json_member(predicate, "@id");
        f->author = json_member(predicate, "author");
        int64_t timestamp = json_date(predicate, "timestamp");
        if (!json_is_array(statements))
                vex_unread(r, 0, "\"statements\" is no list");
        for (size_t i = 0; i < json_array_size(statements) && !r->over; i++) {
                const json_t *statement = json_array_get(statements, i);
                int64_t own = json_date(statement, "timestamp");
                f->position = i + 1;
                f->timestamp = MAX(own ? own : timestamp, json_date(statement, "last_updated"));
                read_statement(r, statement);
        }
}

const struct vex_reader vex_openvex = {
        .name = "openvex",
        .summary = "OpenVEX 0.2.0 and 0.0.x, also as an in-toto statement",
        .recognises = openvex_recognises,
        .read = openvex_read,
};
