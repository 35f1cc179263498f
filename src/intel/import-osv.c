/*
 * OSV records (the OSV schema, 1.7): one a file, or one a line. Input: JSON of strangers. A record that names its
 * ranges by git commits only cannot be matched offline and is counted; so are withdrawn ones.
 */
#include "intel/ecosystem.h"
#include "intel/import-kinds.h"
#include "intel/json.h"
#include "intel/version.h"

/* {"type": "Ubuntu", "score": "medium"} in the place of a vector. */
static bool take_word(const json_t *severities, enum severity *ret)
{
        for (size_t i = 0; i < json_array_size(severities); i++) {
                const json_t *one = json_array_get(severities, i);
                if (str_is(json_member(one, "type"), "Ubuntu") && severity_parse(json_member(one, "score"), ret))
                        return true;
        }
        return false;
}

/* How serious a vendor finds it, in a word: it stands in one of four places. */
static enum severity severity_of(const json_t *record, struct str summary)
{
        enum severity s = SEVERITY_UNKNOWN;
        const json_t *affected = json_object_get(record, "affected");
        if (take_word(json_object_get(record, "severity"), &s))
                return s;
        for (size_t i = 0; i < json_array_size(affected); i++)
                if (take_word(json_object_get(json_array_get(affected, i), "severity"), &s))
                        return s;
        if (severity_parse(json_member(json_object_get(record, "database_specific"), "severity"), &s))
                return s;
        ptrdiff_t colon = str_find_char(summary, ':');
        if (is_erratum_id(json_member(record, "id")) && colon > 0)
                (void)severity_parse(str_upto(summary, (size_t)colon), &s);
        return s;
}

static struct str vendor_of(struct str id, const char *feed)
{
        static const struct {
                const char *prefix, *vendor;
        } vendors[] = {
                { "GHSA-", "GitHub" },       { "BIT-", "Bitnami" },    { "ALSA-", "AlmaLinux" },
                { "ALBA-", "AlmaLinux" },    { "ALEA-", "AlmaLinux" }, { "RLSA-", "Rocky Linux" },
                { "RXSA-", "Rocky Linux" },  { "RH", "Red Hat" },      { "SUSE-", "SUSE" },
                { "openSUSE-", "openSUSE" }, { "UBUNTU-", "Ubuntu" },  { "USN-", "Ubuntu" },
                { "DSA-", "Debian" },        { "DLA-", "Debian" },     { "DEBIAN-", "Debian" },
                { "ELSA-", "Oracle" },       { "GO-", "Go" },          { "PYSEC-", "PyPA" },
                { "RUSTSEC-", "RustSec" },   { "OESA-", "openEuler" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(vendors); i++)
                if (str_starts(id, str_of(vendors[i].prefix)))
                        return str_of(vendors[i].vendor);
        return str_of(feed);
}

static void add_vectors(const json_t *severities, struct str_list *to)
{
        for (size_t i = 0; i < json_array_size(severities); i++) {
                struct str vector = json_member(json_array_get(severities, i), "score");
                if (vector.n)
                        to->v[to->n++] = vector;
        }
}

/* Of the record; where it has none, of its packages. */
static struct str_list vectors_of(const json_t *record, struct arena *arena)
{
        const json_t *own = json_object_get(record, "severity"), *affected = json_object_get(record, "affected");
        struct str_list list = { 0 };
        size_t n = json_array_size(own);
        for (size_t i = 0; i < json_array_size(affected); i++)
                n += json_array_size(json_object_get(json_array_get(affected, i), "severity"));
        list.v = arena_array(arena, n, sizeof(*list.v));
        add_vectors(own, &list);
        for (size_t i = 0; !list.n && i < json_array_size(affected); i++)
                add_vectors(json_object_get(json_array_get(affected, i), "severity"), &list);
        return list;
}

/* The vulnerabilities that an erratum repairs: `upstream`, and `related` where the vendor writes them there. */
static struct str_list upstream_of(const json_t *record, struct str id, struct arena *arena)
{
        struct str_list upstream = json_strings(json_object_get(record, "upstream"), arena);
        if (!is_erratum_id(id))
                return upstream;
        struct str_list related = json_strings(json_object_get(record, "related"), arena);
        struct str *v = arena_array(arena, upstream.n + related.n, sizeof(*v));
        size_t n = 0;
        for (size_t i = 0; i < upstream.n; i++)
                v[n++] = upstream.v[i];
        for (size_t i = 0; i < related.n; i++)
                v[n++] = related.v[i];
        return (struct str_list){ v, n };
}

static struct str_list events_of(const json_t *range, struct arena *arena)
{
        static const char *const kinds[] = { "introduced", "fixed", "last_affected", "limit" };
        const json_t *events = json_object_get(range, "events");
        struct str_list list = { 0 };
        list.v = arena_array(arena, json_array_size(events) * ARRAY_SIZE(kinds), sizeof(*list.v));
        for (size_t i = 0; i < json_array_size(events); i++)
                for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
                        struct str version = json_member(json_array_get(events, i), kinds[k]);
                        if (version.n)
                                list.v[list.n++] = arena_printf(arena, "%s %.*s", kinds[k], STR_FMT(version));
                }
        return list;
}

/* What an affected package offers to match by. */
struct usable {
        bool has_package, has_versions, has_ranges, has_git, has_order;
};

static struct usable usable_of(const json_t *affected)
{
        const json_t *package = json_object_get(affected, "package"), *ranges = json_object_get(affected, "ranges");
        struct str ecosystem = json_member(package, "ecosystem");
        struct usable u = { .has_package = ecosystem.n && json_member(package, "name").n };
        u.has_versions = json_array_size(json_object_get(affected, "versions")) > 0;
        u.has_order = u.has_package && version_scheme_find(ecosystem);
        for (size_t i = 0; i < json_array_size(ranges); i++) {
                bool is_git = str_is(json_member(json_array_get(ranges, i), "type"), "GIT");
                u.has_git |= is_git;
                u.has_ranges |= !is_git;
        }
        return u;
}

static bool is_usable(const struct usable *u)
{
        return u->has_package && (u->has_versions || (u->has_ranges && u->has_order));
}

static void put_affected(struct import *in, const json_t *affected)
{
        const json_t *package = json_object_get(affected, "package"), *ranges = json_object_get(affected, "ranges");
        struct fact_affected fact = { .ecosystem = json_member(package, "ecosystem"),
                                      .name = json_member(package, "name") };
        fact.versions = json_strings(json_object_get(affected, "versions"), &in->arena);
        for (size_t i = 0; i < json_array_size(ranges); i++) {
                const json_t *range = json_array_get(ranges, i);
                if (str_is(json_member(range, "type"), "GIT"))
                        continue;
                fact.events = events_of(range, &in->arena);
                sink_put(in->out, FACT_affected, &fact);
                fact.versions = (struct str_list){ 0 };
        }
        fact.events = (struct str_list){ 0 };
        if (fact.versions.n)
                sink_put(in->out, FACT_affected, &fact);
}

/* False, and the record is counted, if nothing in it can be matched. */
static bool check_usable(struct import *in, const json_t *affected)
{
        struct usable all = { 0 };
        for (size_t i = 0; i < json_array_size(affected); i++) {
                struct usable u = usable_of(json_array_get(affected, i));
                if (is_usable(&u))
                        return true;
                all.has_package |= u.has_package;
                all.has_ranges |= u.has_ranges;
                all.has_git |= u.has_git;
        }
        import_skip(in, all.has_package && all.has_ranges ? SKIP_NO_ORDER : all.has_git ? SKIP_GIT : SKIP_EMPTY);
        return false;
}

static void take_record(struct import *in, const json_t *record)
{
        const json_t *affected = json_object_get(record, "affected");
        struct fact_advisory fact = { .id = json_member(record, "id"), .modified = json_date(record, "modified") };
        if (!json_is_object(record) || !fact.id.n || (affected && !json_is_array(affected))) {
                import_malformed(in, "not an OSV record: %s",
                                 !json_is_object(record) ? "not an object"
                                 : !fact.id.n            ? "without an id"
                                                         : "\"affected\" is not a list");
                return;
        }
        fact.published = json_date(record, "published");
        /* `modified` is not to be trusted for the feed's age: some feeds have none, some have it in the future. */
        import_date(in, fact.published ? fact.published : fact.modified);
        if (json_member(record, "withdrawn").n) {
                import_skip(in, SKIP_WITHDRAWN);
                return;
        }
        if (!check_usable(in, affected))
                return;
        fact.aliases = json_strings(json_object_get(record, "aliases"), &in->arena);
        fact.upstream = upstream_of(record, fact.id, &in->arena);
        fact.cvss = vectors_of(record, &in->arena);
        fact.summary = json_member(record, "summary");
        fact.severity = severity_of(record, fact.summary);
        fact.vendor = vendor_of(fact.id, in->name);
        fact.malicious = str_starts(fact.id, STR("MAL-"));
        in->records++;
        sink_put(in->out, FACT_advisory, &fact);
        for (size_t i = 0; i < json_array_size(affected); i++) {
                struct usable u = usable_of(json_array_get(affected, i));
                if (is_usable(&u))
                        put_affected(in, json_array_get(affected, i));
        }
}

static void take_text(struct import *in, struct str text)
{
        struct error why = ERROR_NONE;
        _cleanup_(json_freep) json_t *j = json_parse(text, &why);
        if (!j)
                import_malformed(in, "%s", why.text);
        else
                take_record(in, j);
}

/*
 * One record a line, or one record in all? The second line of a record that is spread over lines does not start with
 * a brace at its very beginning; a second record does.
 */
static bool is_by_line(struct str first)
{
        (void)str_line(&first);
        while (first.n && (first.p[0] == '\n' || first.p[0] == '\r'))
                (void)str_line(&first);
        return str_starts(first, STR("{"));
}

static int osv_run(struct import *in, struct error *err)
{
        struct str text;
        /* A first line longer than this belongs to neither form of ours that has more lines, or is alone. */
        int r = import_peek(in, 64u << 10, &text, err);
        bool by_line = r == 0 && (is_by_line(text) || str_find_char(text, '\n') < 0);
        while (r >= 0 && (r = by_line ? import_line(in, &text, err) : import_all(in, &text, err)) > 0)
                if (str_trim(text).n)
                        take_text(in, text);
        return r;
}

static bool osv_sniff(struct str first)
{
        first = str_trim(first);
        static const char *const words[] = { "\"id\"", "\"modified\"", "\"affected\"", "\"schema_version\"" };
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (str_starts(first, STR("{")) && str_find(first, str_of(words[i])) >= 0)
                        return true;
        return false;
}

const struct importer importer_osv = {
        .name = "osv",
        .summary = "records of the OSV schema: .json, .jsonl, in directories, tar and zip, compressed or not",
        .sniff = osv_sniff,
        .run = osv_run,
};
