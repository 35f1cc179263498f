/* CISA's catalogue of Known Exploited Vulnerabilities: one JSON document. */
#include "intel/ecosystem.h"
#include "intel/import-kinds.h"
#include "intel/json.h"

static void take_entry(struct import *in, const json_t *entry)
{
        struct fact_score fact = { .cve = json_member(entry, "cveID"), .kev = json_date(entry, "dateAdded") };
        uint32_t year, number;
        in->record++;
        if (!cve_parse(fact.cve, &year, &number) || !fact.kev) {
                import_malformed(in, "an entry without a CVE or the date when it was added");
                return;
        }
        fact.ransomware = str_eq_nocase(json_member(entry, "knownRansomwareCampaignUse"), STR("known"));
        in->records++;
        sink_put(in->out, FACT_score, &fact);
}

static int kev_run(struct import *in, struct error *err)
{
        struct str text;
        int r = import_all(in, &text, err);
        if (r <= 0)
                return r;
        struct error why = ERROR_NONE;
        _cleanup_(json_freep) json_t *j = json_parse(text, &why);
        const json_t *entries = json_object_get(j, "vulnerabilities");
        if (!json_is_array(entries)) {
                import_malformed(in, "%s", j ? "no list \"vulnerabilities\"" : why.text);
                return 0;
        }
        import_date(in, json_date(j, "dateReleased"));
        in->record = 0;
        for (size_t i = 0; i < json_array_size(entries); i++)
                take_entry(in, json_array_get(entries, i));
        return 0;
}

static bool kev_sniff(struct str first)
{
        return str_find(first, STR("\"catalogVersion\"")) >= 0 || str_find(first, STR("\"cveID\"")) >= 0;
}

const struct importer importer_kev = {
        .name = "kev",
        .summary = "CISA's Known Exploited Vulnerabilities (.json)",
        .sniff = kev_sniff,
        .run = kev_run,
};
