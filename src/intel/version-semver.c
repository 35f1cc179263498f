/*
 * Semantic Versioning 2.0.0 section 11, with what npm, Go and crates.io feeds hold beside it: a leading "v", one or two
 * numbers, more than three numbers (missing ones are 0), a pre-release without its hyphen ("1.2rc1"). What follows "+"
 * does not count.
 */
#include "intel/version-parts.h"
#include "intel/version-schemes.h"

static int semver_compare(struct str a, struct str b) { return part_compare_semver(a, b, false); }

static bool semver_is_valid(struct str s) { return part_is_semver(s, 3, 3); }

const struct version_scheme version_scheme_semver = {
        .name = "semver",
        .summary = "Semantic Versioning 2.0.0",
        .ecosystems = (const char *const[]){ "npm", "Go", "crates.io", "SwiftURL", "Bitnami", "Kubernetes",
                                             "GitHub Actions", "Julia", "ConanCenter", "VSCode", NULL },
        .aliases = (const char *const[]){ "node", "golang", "cargo", "crates", "rust", NULL },
        .compare = semver_compare,
        .is_valid = semver_is_valid,
};
