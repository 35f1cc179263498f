/* Our own table of what is known of CVEs (docs/format/facts-tsv.md): CVSS or a vendor's word, EPSS, KEV. */
#include "base/date.h"
#include "intel/import-kinds.h"
#include "intel/import-tsv.h"

#define COLUMNS "cve cvss_vector severity severity_source epss epss_percentile kev_date kev_ransomware"

static void take_row(struct import *in, const struct str *row)
{
        struct fact_score fact = { .cve = row[0], .cvss = row[1], .vendor = row[3] };
        if ((row[2].n && !severity_parse(row[2], &fact.severity)) ||
            (row[4].n && !fraction_parse(row[4], &fact.epss)) ||
            (row[5].n && !fraction_parse(row[5], &fact.epss_percentile)) ||
            (row[6].n && !date_parse(row[6], &fact.kev))) {
                import_malformed(in, "%.*s: a severity, fraction or date that is none", STR_FMT(row[0]));
                return;
        }
        fact.ransomware = str_eq_nocase(row[7], STR("known"));
        in->records++;
        sink_put(in->out, FACT_score, &fact);
}

static int scores_run(struct import *in, struct error *err)
{
        struct str row[TSV_MAX_COLUMNS];
        int r;
        while ((r = tsv_row(in, COLUMNS, 8, row, err)) > 0)
                take_row(in, row);
        return r;
}

static bool scores_sniff(struct str first) { return str_find(first, STR("# columns: " COLUMNS)) >= 0; }

const struct importer importer_scores = {
        .name = "scores",
        .summary = "our own table of scores of CVEs (.tsv)",
        .sniff = scores_sniff,
        .run = scores_run,
};
