/* Ecosystems as OSV names them: "npm", "Debian:11", and how each spells the names of its packages. */
#ifndef SEKISHO_INTEL_ECOSYSTEM_H
#define SEKISHO_INTEL_ECOSYSTEM_H

#include "base/arena.h"

/* "Debian" of "Debian:11"; all of it where there is no suffix. */
struct str ecosystem_base(struct str ecosystem);

/*
 * The one spelling under which a package is stored and looked up: PEP 503 for PyPI, lower case where the registry
 * does not tell cases apart (Packagist, NuGet, GitHub Actions, VSCode), elsewhere the name as it is. The result is
 * `name` itself or lives in the arena.
 */
struct str ecosystem_normalise_name(struct str ecosystem, struct str name, struct arena *arena);

/*
 * Whether ids of this prefix are errata ("ALSA-2025:1", "DSA-5000-1", "USN-1-1"): one announcement for many
 * vulnerabilities, whose CVE ids stand in `related` or `upstream` and not in `aliases`.
 */
bool is_erratum_id(struct str id);

/* "CVE-2024-5535": the year and the number. False if it is not a CVE id. */
bool cve_parse(struct str id, uint32_t *ret_year, uint32_t *ret_number);

#endif
