/*
 * Alpine's secdb, and those of distributions that took over its form: for each package the versions that fixed
 * something, and the ids of what they fixed. Version "0" says that the package was never affected.
 */
#include "intel/ecosystem.h"
#include "intel/import-kinds.h"
#include "intel/json.h"

static struct str ecosystem_of(const json_t *document, struct arena *arena)
{
        struct str prefix = json_member(document, "urlprefix"), version = json_member(document, "distroversion");
        if (str_find(prefix, STR("wolfi")) >= 0)
                return STR("Wolfi");
        if (str_find(prefix, STR("chainguard")) >= 0 || str_find(prefix, STR("cgr.dev")) >= 0)
                return STR("Chainguard");
        return version.n ? arena_printf(arena, "Alpine:%.*s", STR_FMT(version)) : STR_NONE;
}

static void put_id(struct import *in, struct str id, const struct fact_affected *affected)
{
        struct fact_advisory fact = { .id = id };
        sink_put(in->out, FACT_advisory, &fact);
        sink_put(in->out, FACT_affected, affected);
        in->records++;
}

/* "CVE-2017-2616 (+ regression fix)", "CVE-2019-1 XSA-2": all the CVEs, or else the first word. */
static void put_ids(struct import *in, struct str words, const struct fact_affected *affected)
{
        struct str rest = words;
        bool has_cve = false;
        while (rest.p) {
                struct str word = str_cut(&rest, ' ');
                uint32_t year, number;
                if (cve_parse(word, &year, &number)) {
                        put_id(in, word, affected);
                        has_cve = true;
                }
        }
        rest = str_trim(words);
        struct str first = str_cut(&rest, ' ');
        if (!has_cve && first.n)
                put_id(in, first, affected);
}

static void take_package(struct import *in, const json_t *package, struct str ecosystem)
{
        const json_t *secfixes = json_object_get(package, "secfixes"), *ids;
        struct fact_affected affected = { .ecosystem = ecosystem, .name = json_member(package, "name") };
        const char *version;
        in->record++;
        if (!affected.name.n || (secfixes && !json_is_object(secfixes))) {
                import_malformed(in, "a package without a name or with \"secfixes\" that are none");
                return;
        }
        json_object_foreach((json_t *)secfixes, version, ids)
        {
                if (strcmp(version, "0") == 0 || !*version)
                        continue;
                struct str events[] = { STR("introduced 0"), arena_printf(&in->arena, "fixed %s", version) };
                affected.events = (struct str_list){ events, 2 };
                for (size_t i = 0; i < json_array_size(ids); i++)
                        put_ids(in, json_str(json_array_get(ids, i)), &affected);
        }
}

static int alpine_run(struct import *in, struct error *err)
{
        struct str text;
        int r = import_all(in, &text, err);
        if (r <= 0)
                return r;
        struct error why = ERROR_NONE;
        _cleanup_(json_freep) json_t *j = json_parse(text, &why);
        const json_t *packages = json_object_get(j, "packages");
        struct str ecosystem = ecosystem_of(j, &in->arena);
        if (!json_is_array(packages) || !ecosystem.n) {
                import_malformed(in, "%s", !j ? why.text : "without a list \"packages\" or a \"distroversion\"");
                return 0;
        }
        in->record = 0;
        for (size_t i = 0; i < json_array_size(packages); i++)
                take_package(in, json_object_get(json_array_get(packages, i), "pkg"), ecosystem);
        return 0;
}

static bool alpine_sniff(struct str first)
{
        return str_find(first, STR("\"secfixes\"")) >= 0 || str_find(first, STR("\"reponame\"")) >= 0;
}

const struct importer importer_alpine = {
        .name = "alpine-secdb",
        .summary = "Alpine's secdb, also Wolfi's and Chainguard's (.json)",
        .sniff = alpine_sniff,
        .run = alpine_run,
};
