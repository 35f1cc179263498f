/*
 * Whether a VEX statement applies to what was found: pure comparisons, without guessing. A statement that leaves open
 * to what it applies is vague, which is no match; the reason is told, so that its author can be asked.
 *
 * - Names of a product that are digests decide alone: they are the artefact's, or the statement is about another.
 * - A purl of type oci or docker is an image, by its digest, else by repository and tag. Any other purl is a package.
 * - A CPE is the operating system's (vendor, product and version; OpenVEX and CSAF name platforms so).
 * - A plain name is an image if it is one of the artefact's own names, else it is vague.
 * - A product with a part: the product must be the artefact (or its system) and the part the package. A product alone:
 *   the package, or the artefact with all that is in it.
 * - `fixed` of something without a version is vague: it cannot say that this version is the fixed one.
 */
#ifndef SEKISHO_INTEL_VEX_MATCH_H
#define SEKISHO_INTEL_VEX_MATCH_H

#include "fact/fact.h"
#include "intel/purl.h"

struct vex_artefact {
        struct str_list digests;    /* "sha256:...": of the manifest, of the configuration */
        struct str_list references; /* "nginx:1.27", "registry.example/web:2": its names and tags */
        struct str arch;            /* of the image, as OCI spells it */
        struct str os_cpe;          /* CPE_NAME of os-release */
};

struct vex_package {
        struct str purl;
        struct str source, source_version; /* what it was built from; may be empty */
};

/* A vulnerability, by all its names. */
struct vex_vulnerability {
        struct str id, cve;
        struct str_list aliases;
};

/*
 * The same vulnerability: the statement's id is one of its names, or one of the statement's aliases is. Two CVE ids
 * that differ are two vulnerabilities, whatever alias they share; an erratum (DLA-1-1) among the aliases, which stands
 * for many vulnerabilities, proves nothing.
 */
bool vex_same_vulnerability(const struct fact_vex *s, const struct vex_vulnerability *v);

enum vex_match { VEX_NO_MATCH, VEX_VAGUE, VEX_MATCH };

/* VEX_VAGUE: *ret_why says why it was not applied. (Whose vulnerability it is about is not looked at.) */
enum vex_match vex_applies(const struct fact_vex *s, const struct vex_artefact *a, const struct vex_package *p,
                           struct str *ret_why);

/* Whether a finding with this statement is set aside: not_affected or fixed. */
bool vex_sets_aside(const struct fact_vex *s);

#endif
