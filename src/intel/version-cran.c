/* R's package_version: numbers between "." and "-", which mean the same; "1.0" is above "1". */
#include "intel/version-parts.h"
#include "intel/version-schemes.h"

static int cran_compare(struct str a, struct str b) { return part_compare_sequences(a, b, ".-"); }

static bool cran_is_valid(struct str s) { return part_is_sequence(s, ".-"); }

const struct version_scheme version_scheme_cran = {
        .name = "cran",
        .summary = "R's package_version",
        .ecosystems = (const char *const[]){ "CRAN", "Bioconductor", NULL },
        .aliases = (const char *const[]){ "r", NULL },
        .compare = cran_compare,
        .is_valid = cran_is_valid,
};
