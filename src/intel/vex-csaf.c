/*
 * CSAF 2.0 (OASIS), profile VEX: a product tree, in which products get ids, and vulnerabilities[] with product_status
 * lists of such ids. Flags and threats say why a product is not affected, remediations what to do. A product that a
 * relationship makes ("openssl as a component of RHEL 9") is a part of the product that it relates to.
 *
 * Of the statuses, first_affected, known_affected and last_affected are `affected`; fixed and first_fixed are `fixed`;
 * recommended ("versions for fixing the vulnerability", section 3.2.3.9.7) is too, where nothing else is said of the
 * product. A product with two statuses that contradict each other (test 6.1.6) is named and has none.
 */
#include "intel/json.h"
#include "intel/vex-readers.h"

#include "base/map.h"

#define RELATIONS_MAX 8          /* of relationships that relate to relationships */
#define LOOKUPS_MAX   (1u << 23) /* product ids in all lists of a document, those of groups each time they are named */

struct product {
        struct str_list names;
        const char *vague;
        struct str part, whole; /* of a relationship: product_reference, relates_to_product_reference */
};

struct tree {
        struct vex_reading *r;
        struct map_str products; /* product_id -> struct product */
        struct map_str groups;   /* group_id -> its product_ids */
        uint64_t lookups;
};

/* What a vulnerability says of a product. */
struct said {
        struct str id;
        enum vex_status status;
        bool has_status, contradicts, is_recommended;
        struct str flag, impact, action;
        unsigned action_rank; /* of the kind of remediation, lower is better */
};

static bool csaf_recognises(const json_t *document)
{
        const json_t *head = json_object_get(document, "document");
        return json_member(head, "csaf_version").n && json_is_object(json_object_get(head, "tracking"));
}

/* --- the product tree --- */

static struct str_list names_of(struct tree *t, const json_t *product)
{
        struct vex_names names = { 0 };
        const json_t *helper = json_object_get(product, "product_identification_helper");
        const json_t *purls = json_object_get(helper, "purls"), *hashes = json_object_get(helper, "hashes");
        vex_name(t->r, &names, json_member(helper, "purl"));
        for (size_t i = 0; i < json_array_size(purls); i++)
                vex_name(t->r, &names, json_str(json_array_get(purls, i)));
        vex_name(t->r, &names, json_member(helper, "cpe"));
        for (size_t i = 0; i < json_array_size(hashes); i++) {
                const json_t *files = json_object_get(json_array_get(hashes, i), "file_hashes");
                for (size_t k = 0; k < json_array_size(files); k++)
                        vex_hash(t->r, &names, json_member(json_array_get(files, k), "algorithm"),
                                 json_member(json_array_get(files, k), "value"));
        }
        if (!names.list.n)
                vex_name(t->r, &names, json_member(product, "name"));
        return names.list;
}

static struct product *add_product(struct tree *t, const json_t *product)
{
        struct str id = json_member(product, "product_id");
        bool is_new;
        if (!id.n)
                return NULL;
        void **slot = map_str_put(&t->products, id, &is_new);
        struct product *p = is_new ? arena_new(&t->r->arena, struct product) : *slot;
        *slot = p;
        if (is_new)
                p->names = names_of(t, product);
        else
                p->vague = "its product id is given twice";
        return p;
}

/* Recursion is bounded by the document's depth, JSON_DEPTH_MAX. */
static void add_branches(struct tree *t, const json_t *branches, bool in_range)
{
        for (size_t i = 0; i < json_array_size(branches); i++) {
                const json_t *branch = json_array_get(branches, i), *leaf = json_object_get(branch, "product");
                bool range = in_range || str_is(json_member(branch, "category"), "product_version_range");
                struct product *p = leaf ? add_product(t, leaf) : NULL;
                if (p && range)
                        p->vague = "it names a range of versions, which is not evaluated";
                add_branches(t, json_object_get(branch, "branches"), range);
        }
}

static void add_tree(struct tree *t, const json_t *tree)
{
        const json_t *names = json_object_get(tree, "full_product_names");
        const json_t *relationships = json_object_get(tree, "relationships");
        const json_t *groups = json_object_get(tree, "product_groups");
        add_branches(t, json_object_get(tree, "branches"), false);
        for (size_t i = 0; i < json_array_size(names); i++)
                (void)add_product(t, json_array_get(names, i));
        for (size_t i = 0; i < json_array_size(relationships); i++) {
                const json_t *relation = json_array_get(relationships, i);
                struct product *p = add_product(t, json_object_get(relation, "full_product_name"));
                if (!p)
                        continue;
                p->part = json_member(relation, "product_reference");
                p->whole = json_member(relation, "relates_to_product_reference");
        }
        for (size_t i = 0; i < json_array_size(groups); i++) {
                const json_t *group = json_array_get(groups, i);
                struct str id = json_member(group, "group_id");
                if (id.n)
                        *map_str_put(&t->groups, id, NULL) = json_object_get(group, "product_ids");
        }
}

/* The end of a chain of relationships: of the parts, or of the wholes. NULL: it leads nowhere, or in a circle. */
static const struct product *resolve(const struct tree *t, struct str id, bool to_part)
{
        for (unsigned i = 0; i <= RELATIONS_MAX; i++) {
                const struct product *p = map_str_get(&t->products, id);
                if (!p || !p->whole.n)
                        return p;
                id = to_part ? p->part : p->whole;
        }
        return NULL;
}

/* --- a vulnerability --- */

typedef void said_fn(struct tree *t, struct map_str *all, struct str product, const void *what);

static struct said *said_of(struct tree *t, struct map_str *all, struct str product)
{
        bool is_new;
        void **slot = map_str_put(all, product, &is_new);
        if (is_new) {
                struct said *s = arena_new(&t->r->arena, struct said);
                *s = (struct said){ .id = product, .action_rank = UINT32_MAX };
                *slot = s;
        }
        return *slot;
}

/* Calls each for the ids in a list, or the ids of the groups in it. */
static void each_id(struct tree *t, struct map_str *all, const json_t *ids, said_fn *each, const void *what)
{
        for (size_t i = 0; i < json_array_size(ids) && !t->r->over; i++) {
                struct str id = json_str(json_array_get(ids, i));
                if (t->lookups++ == LOOKUPS_MAX)
                        t->r->over = "it lists more products than are read";
                else if (id.n)
                        each(t, all, id, what);
        }
}

/* The same for "product_ids" and "group_ids" of a flag, threat or remediation. False if it has neither. */
static bool each_product(struct tree *t, struct map_str *all, const json_t *holder, said_fn *each, const void *what)
{
        const json_t *ids = json_object_get(holder, "product_ids"), *groups = json_object_get(holder, "group_ids");
        each_id(t, all, ids, each, what);
        for (size_t i = 0; i < json_array_size(groups) && !t->r->over; i++)
                each_id(t, all, map_str_get(&t->groups, json_str(json_array_get(groups, i))), each, what);
        return ids || groups;
}

static void say_status(struct tree *t, struct map_str *all, struct str product, const void *what)
{
        struct said *s = said_of(t, all, product);
        enum vex_status status = *(const enum vex_status *)what;
        s->contradicts |= s->has_status && s->status != status;
        s->status = status;
        s->has_status = true;
}

static void say_recommended(struct tree *t, struct map_str *all, struct str product, const void *what)
{
        said_of(t, all, product)->is_recommended = true;
}

/* Of products without a status nothing else matters: that the maps hold only those of one vulnerability bounds them. */
static void say_flag(struct tree *t, struct map_str *all, struct str product, const void *what)
{
        struct said *s = map_str_get(all, product);
        if (s && !s->flag.n)
                s->flag = *(const struct str *)what;
}

static void say_impact(struct tree *t, struct map_str *all, struct str product, const void *what)
{
        struct said *s = map_str_get(all, product);
        if (s && !s->impact.n)
                s->impact = *(const struct str *)what;
}

struct remedy {
        struct str words;
        unsigned rank;
};

static void say_action(struct tree *t, struct map_str *all, struct str product, const void *what)
{
        struct said *s = map_str_get(all, product);
        const struct remedy *remedy = what;
        if (s && remedy->rank < s->action_rank) {
                s->action = remedy->words;
                s->action_rank = remedy->rank;
        }
}

static void take_statuses(struct tree *t, struct map_str *all, const json_t *statuses)
{
        static const struct {
                const char *key;
                enum vex_status status;
        } keys[] = {
                { "known_not_affected", VEX_NOT_AFFECTED },
                { "fixed", VEX_FIXED },
                { "first_fixed", VEX_FIXED },
                { "known_affected", VEX_AFFECTED },
                { "first_affected", VEX_AFFECTED },
                { "last_affected", VEX_AFFECTED },
                { "under_investigation", VEX_UNDER_INVESTIGATION },
        };
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                each_id(t, all, json_object_get(statuses, keys[i].key), say_status, &keys[i].status);
        each_id(t, all, json_object_get(statuses, "recommended"), say_recommended, NULL);
}

static void take_reasons(struct tree *t, struct map_str *all, const json_t *vulnerability)
{
        const json_t *flags = json_object_get(vulnerability, "flags");
        const json_t *threats = json_object_get(vulnerability, "threats");
        for (size_t i = 0; i < json_array_size(flags); i++) {
                struct str label = json_member(json_array_get(flags, i), "label");
                if (!vex_justification(label).n)
                        vex_unread(t->r, t->r->now.position, "a flag \"%.*s\" that CSAF does not know",
                                   STR_FMT(str_upto(label, 80)));
                else if (!each_product(t, all, json_array_get(flags, i), say_flag, &label))
                        vex_unread(t->r, t->r->now.position, "a flag that names no product");
        }
        for (size_t i = 0; i < json_array_size(threats); i++) {
                const json_t *threat = json_array_get(threats, i);
                struct str details = json_member(threat, "details");
                if (str_is(json_member(threat, "category"), "impact") && details.n)
                        (void)each_product(t, all, threat, say_impact, &details);
        }
}

static void take_remedies(struct tree *t, struct map_str *all, const json_t *remediations)
{
        static const char *const ranks[] = { "vendor_fix",  "mitigation",     "workaround",
                                             "fix_planned", "no_fix_planned", "none_available" };
        for (size_t i = 0; i < json_array_size(remediations); i++) {
                const json_t *one = json_array_get(remediations, i);
                struct str category = json_member(one, "category");
                struct remedy remedy = { json_member(one, "details"), ARRAY_SIZE(ranks) };
                for (unsigned k = 0; k < ARRAY_SIZE(ranks); k++)
                        if (str_is(category, ranks[k]))
                                remedy.rank = k;
                if (remedy.words.n)
                        (void)each_product(t, all, one, say_action, &remedy);
        }
}

static void put_said(struct tree *t, const struct said *s)
{
        const struct product *own = map_str_get(&t->products, s->id);
        const struct product *part = resolve(t, s->id, true), *whole = resolve(t, s->id, false);
        struct fact_vex *f = &t->r->now;
        if (!own || !part || !whole || !part->names.n || !whole->names.n) {
                vex_unread(t->r, f->position, "the product \"%.*s\" is not in the product tree",
                           STR_FMT(str_upto(s->id, 200)));
                return;
        }
        if (s->contradicts) {
                vex_unread(t->r, f->position, "the product \"%.*s\" has two statuses that contradict each other",
                           STR_FMT(str_upto(s->id, 200)));
                return;
        }
        enum vex_status status = s->has_status ? s->status : VEX_FIXED;
        if (status == VEX_NOT_AFFECTED && !s->flag.n && !s->impact.n) {
                vex_unread(t->r, f->position, "the product \"%.*s\" is not affected without a flag or an impact",
                           STR_FMT(str_upto(s->id, 200)));
                return;
        }
        f->status = str_of(vex_status_name(status));
        f->justification_word = status == VEX_NOT_AFFECTED ? s->flag : STR_NONE;
        f->justification = vex_justification(f->justification_word);
        f->impact = s->impact;
        f->action = s->action;
        f->vague = str_of(own->vague ? own->vague : part->vague ? part->vague : whole->vague);
        if (part == whole)
                vex_put(t->r, whole->names, (struct str_list){ 0 });
        else
                vex_put(t->r, whole->names, part->names);
}

static void take_ids(struct vex_reading *r, const json_t *vulnerability)
{
        const json_t *ids = json_object_get(vulnerability, "ids");
        struct vex_names names = { 0 };
        vex_name(r, &names, json_member(vulnerability, "cve"));
        for (size_t i = 0; i < json_array_size(ids); i++)
                vex_name(r, &names, json_member(json_array_get(ids, i), "text"));
        r->now.vulnerability = names.list.n ? names.list.v[0] : STR_NONE;
        r->now.aliases =
                (struct str_list){ names.list.n ? names.list.v + 1 : NULL, names.list.n ? names.list.n - 1 : 0 };
}

/* In the order of the lists, so that the same document gives the same facts in the same order. */
static void put_all(struct tree *t, const struct map_str *all, const json_t *statuses)
{
        static const char *const keys[] = { "known_not_affected",  "fixed",          "first_fixed",
                                            "known_affected",      "first_affected", "last_affected",
                                            "under_investigation", "recommended" };
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                const json_t *ids = json_object_get(statuses, keys[i]);
                for (size_t k = 0; k < json_array_size(ids) && !t->r->over; k++) {
                        struct said *s = map_str_get(all, json_str(json_array_get(ids, k)));
                        if (!s || (!s->has_status && !s->is_recommended))
                                continue;
                        put_said(t, s);
                        s->has_status = s->is_recommended = false; /* once is enough */
                }
        }
}

static void read_vulnerability(struct tree *t, const json_t *vulnerability)
{
        const json_t *statuses = json_object_get(vulnerability, "product_status");
        struct map_str all = { 0 };
        t->r->now.vague = STR_NONE;
        take_ids(t->r, vulnerability);
        if (!t->r->now.vulnerability.n) {
                vex_unread(t->r, t->r->now.position, "it has neither a CVE nor another id");
                return;
        }
        take_statuses(t, &all, statuses);
        take_reasons(t, &all, vulnerability);
        take_remedies(t, &all, json_object_get(vulnerability, "remediations"));
        put_all(t, &all, statuses);
        map_str_done(&all);
}

static void csaf_read(struct vex_reading *r, const json_t *document)
{
        const json_t *head = json_object_get(document, "document"), *tracking = json_object_get(head, "tracking");
        const json_t *vulnerabilities = json_object_get(document, "vulnerabilities");
        struct tree t = { .r = r };
        r->now.document = json_member(tracking, "id");
        r->now.author = json_member(json_object_get(head, "publisher"), "name");
        r->now.timestamp = json_date(tracking, "current_release_date");
        add_tree(&t, json_object_get(document, "product_tree"));
        for (size_t i = 0; i < json_array_size(vulnerabilities) && !r->over; i++) {
                r->now.position = i + 1;
                read_vulnerability(&t, json_array_get(vulnerabilities, i));
        }
        map_str_done(&t.products);
        map_str_done(&t.groups);
}

const struct vex_reader vex_csaf = {
        .name = "csaf",
        .summary = "CSAF 2.0, profile VEX and security advisories",
        .recognises = csaf_recognises,
        .read = csaf_read,
};
