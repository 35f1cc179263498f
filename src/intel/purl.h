/*
 * Package URLs: "pkg:deb/debian/openssl@1.1.1w-0?arch=amd64", taken apart and compared by the purl specification
 * (github.com/package-url/purl-spec). Input is hostile: what is not a purl is refused, never repaired.
 */
#ifndef SEKISHO_INTEL_PURL_H
#define SEKISHO_INTEL_PURL_H

#include "base/arena.h"

#define PURL_QUALIFIERS_MAX 32

struct purl_qualifier {
        struct str key, value; /* key in lower case, value decoded and never empty */
};

/* All parts decoded and spelled as the rules of the type say, so that equal packages have equal parts. */
struct purl {
        struct str type, namespace, name; /* namespace: segments joined by "/", may be empty */
        struct str version;               /* may be empty; rpm: without an epoch, which is a qualifier */
        struct str subpath;
        struct purl_qualifier qualifiers[PURL_QUALIFIERS_MAX]; /* sorted by key, each key once */
        size_t n_qualifiers;
};

static inline bool is_purl(struct str s) { return str_starts(s, STR("pkg:")); }

/* False if s is no purl: no type or name, a bad percent sign, a key twice, too many qualifiers. */
bool purl_parse(struct str s, struct arena *arena, struct purl *ret);

/* The value of a qualifier, or STR_NONE. */
struct str purl_qualifier(const struct purl *p, const char *key);

/*
 * Whether everything that `wanted` says is true of `found`: the same type, namespace and name; the same version,
 * subpath and each qualifier where wanted has them. What wanted leaves out may be anything.
 */
bool purl_covers(const struct purl *wanted, const struct purl *found);

/*
 * The purl `s` with another version in the place of its own, or behind its name where it has none. Only text: s must
 * be a purl.
 */
struct str purl_with_version(struct str s, struct str version, struct arena *arena);

#endif
