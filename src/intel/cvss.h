/* CVSS base scores out of vectors: 2.0, 3.0, 3.1 and 4.0 (FIRST's specifications). */
#ifndef SEKISHO_INTEL_CVSS_H
#define SEKISHO_INTEL_CVSS_H

#include "fact/fact.h"

struct cvss {
        unsigned major, minor;  /* 2.0, 3.0, 3.1, 4.0 */
        unsigned score;         /* base score times ten, 0..100 */
        enum severity severity; /* by the specification's table; v2 by NVD's */
};

/* False if the vector is not a whole, well-formed one of a known version ("AV:N/AC:L/Au:N/..." is 2.0). */
bool cvss_parse(struct str vector, struct cvss *ret);

#endif
