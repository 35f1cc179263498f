/* Haskell's Data.Version: numbers between dots; "1.0" is above "1". */
#include "intel/version-parts.h"
#include "intel/version-schemes.h"

static int hackage_compare(struct str a, struct str b) { return part_compare_sequences(a, b, "."); }

static bool hackage_is_valid(struct str s) { return part_is_sequence(s, "."); }

const struct version_scheme version_scheme_hackage = {
        .name = "hackage",
        .summary = "Haskell's Data.Version",
        .ecosystems = (const char *const[]){ "Hackage", "GHC", NULL },
        .aliases = (const char *const[]){ "haskell", NULL },
        .compare = hackage_compare,
        .is_valid = hackage_is_valid,
};
