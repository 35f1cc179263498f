/*
 * Version orders: how each ecosystem compares its versions. One file version-<scheme>.c for each scheme, one table.
 * A version that the scheme does not define is still ordered (deterministically, and documented in that scheme's file):
 * comparison never fails, so that a hostile version cannot stop a scan. Total order: antisymmetric and transitive.
 */
#ifndef SEKISHO_INTEL_VERSION_H
#define SEKISHO_INTEL_VERSION_H

#include "base/str.h"

struct version_scheme {
        const char *name;              /* as `sekisho vercmp` takes it: debian, alpine, semver, pypi, maven, ... */
        const char *summary;           /* the specification it follows */
        const char *const *ecosystems; /* OSV ecosystem names without suffix that use it, NULL-terminated */
        const char *const *aliases;    /* further names for `sekisho vercmp`; NULL-terminated, may be NULL */
        int (*compare)(struct str a, struct str b); /* < 0, 0, > 0 */
        /* True if s is a well-formed version of the scheme; callers may say so when it is not. */
        bool (*is_valid)(struct str s);
};

extern const struct version_scheme *const version_schemes[]; /* NULL-terminated, by name */

/* By scheme name ("debian") or by OSV ecosystem name in any case, with or without suffix ("Debian:12", "npm"). */
const struct version_scheme *version_scheme_find(struct str name);

/* a > b in the order of the ecosystem; in byte order where that is not known. */
bool version_is_later(struct str ecosystem, struct str a, struct str b);

#endif
