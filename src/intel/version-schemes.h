/* The list of the version orders, each from its own file version-<name>.c. Private to intel/version*.c. */
#ifndef SEKISHO_INTEL_VERSION_SCHEMES_H
#define SEKISHO_INTEL_VERSION_SCHEMES_H

#include "intel/version.h"

extern const struct version_scheme version_scheme_alpine, version_scheme_cran, version_scheme_debian,
        version_scheme_hackage, version_scheme_hex, version_scheme_maven, version_scheme_nuget,
        version_scheme_packagist, version_scheme_pub, version_scheme_pypi, version_scheme_redhat,
        version_scheme_rubygems, version_scheme_semver;

#endif
