/* NuGet: up to four numbers, then Semantic Versioning 2.0.0 with pre-releases in any case. */
#include "intel/version-parts.h"
#include "intel/version-schemes.h"

static int nuget_compare(struct str a, struct str b) { return part_compare_semver(a, b, true); }

static bool nuget_is_valid(struct str s) { return part_is_semver(s, 1, 4); }

const struct version_scheme version_scheme_nuget = {
        .name = "nuget",
        .summary = "NuGet package versions (NuGet.Versioning)",
        .ecosystems = (const char *const[]){ "NuGet", NULL },
        .aliases = (const char *const[]){ "dotnet", NULL },
        .compare = nuget_compare,
        .is_valid = nuget_is_valid,
};
