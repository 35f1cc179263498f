/* Hex (Erlang, Elixir): Elixir's Version, which is Semantic Versioning 2.0.0. */
#include "intel/version-parts.h"
#include "intel/version-schemes.h"

static int hex_compare(struct str a, struct str b) { return part_compare_semver(a, b, false); }

static bool hex_is_valid(struct str s) { return part_is_semver(s, 3, 3); }

const struct version_scheme version_scheme_hex = {
        .name = "hex",
        .summary = "Elixir's Version (Semantic Versioning 2.0.0)",
        .ecosystems = (const char *const[]){ "Hex", NULL },
        .aliases = (const char *const[]){ "elixir", "erlang", NULL },
        .compare = hex_compare,
        .is_valid = hex_is_valid,
};
