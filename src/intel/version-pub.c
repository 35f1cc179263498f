/*
 * Pub (Dart, Flutter): Semantic Versioning 2.0.0, but what follows "+" counts, last: none below any, and two of them
 * identifier by identifier (package pub_semver).
 */
#include "intel/version-parts.h"
#include "intel/version-schemes.h"

static int pub_compare(struct str a, struct str b)
{
        int r = part_compare_semver(a, b, false);
        if (r)
                return r;
        (void)str_cut(&a, '+');
        (void)str_cut(&b, '+');
        return part_compare_identifiers(a, b, false);
}

static bool pub_is_valid(struct str s) { return part_is_semver(s, 3, 3); }

const struct version_scheme version_scheme_pub = {
        .name = "pub",
        .summary = "Dart's pub_semver",
        .ecosystems = (const char *const[]){ "Pub", NULL },
        .aliases = (const char *const[]){ "dart", "flutter", NULL },
        .compare = pub_compare,
        .is_valid = pub_is_valid,
};
