/*
 * Until when an operating system's release is supported. The table is data/eol.tsv, made from Debian's distro-info-data
 * and a list for the others with its sources; it is compiled in.
 */
#ifndef SEKISHO_INTEL_EOL_H
#define SEKISHO_INTEL_EOL_H

#include "fact/fact.h"

struct eol {
        struct str release;    /* "Debian 11 (bullseye)" */
        int64_t released;      /* 0: not known */
        int64_t ends;          /* last day of the vendor's free support (Debian: LTS); 0: none announced */
        int64_t ends_standard; /* last day of the regular security team's support, where that ends earlier; else = ends
                                */
        int64_t ends_paid;     /* last day of paid or extended support (ELTS, ESM, ELS); 0: none known */
        struct str successor;  /* the newest supported release of the line, to move to: "Debian 13"; may be empty */
};

/* False if the release is not in the table, which is a finding of its own. */
bool eol_find(const struct fact_os *os, struct eol *ret);
int64_t eol_table_date(void);       /* the day the table was made */
const char *eol_table_source(void); /* of what: "distro-info-data 0.58+deb12u7 and data/eol-other.tsv" */

#endif
