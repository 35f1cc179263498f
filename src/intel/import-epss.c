/* EPSS scores as FIRST publishes them: a comment line with the date, a header line, then `cve,epss,percentile`. */
#include "base/date.h"
#include "intel/ecosystem.h"
#include "intel/import-kinds.h"
#include "intel/import-tsv.h"

static void take_comment(struct import *in, struct str line)
{
        int64_t date;
        ptrdiff_t at = str_find(line, STR("score_date:"));
        if (at >= 0 && date_parse(str_upto(str_from(line, (size_t)at + 11), 10), &date))
                import_date(in, date);
}

static int epss_run(struct import *in, struct error *err)
{
        struct str line;
        int r;
        while ((r = import_line(in, &line, err)) > 0) {
                struct fact_score fact = { 0 };
                uint32_t year, number;
                if (!line.n || str_starts(line, STR("cve,")))
                        continue;
                if (line.p[0] == '#') {
                        take_comment(in, line);
                        continue;
                }
                fact.cve = str_cut(&line, ',');
                if (!cve_parse(fact.cve, &year, &number) || !fraction_parse(str_cut(&line, ','), &fact.epss) ||
                    !fraction_parse(line, &fact.epss_percentile)) {
                        import_malformed(in, "not of the form CVE,EPSS,PERCENTILE");
                        continue;
                }
                in->records++;
                sink_put(in->out, FACT_score, &fact);
        }
        return r;
}

static bool epss_sniff(struct str first)
{
        return str_starts(first, STR("#model_version:")) || str_starts(first, STR("cve,epss"));
}

const struct importer importer_epss = {
        .name = "epss",
        .summary = "EPSS scores (.csv, .csv.gz)",
        .sniff = epss_sniff,
        .run = epss_run,
};
