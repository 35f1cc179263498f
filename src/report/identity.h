/*
 * Names for findings and documents that stay the same from scan to scan, made of what they are about and never of
 * order, clock or chance.
 */
#ifndef SEKISHO_REPORT_IDENTITY_H
#define SEKISHO_REPORT_IDENTITY_H

#include "base/arena.h"
#include "base/buf.h"
#include "report/report.h"

/*
 * 32 hexadecimal digits: the start of SHA-256 over the kind, the id, the advisory and its ecosystem, the type, name and
 * version of what was compared, and the path that proves it.
 */
struct str finding_fingerprint(const struct report *r, struct arena *a, const struct finding *f);

/*
 * An UUID of version 5 (RFC 4122) over the artefact's digest and the digest of the advisories; where the artefact has
 * no digest, over its name and the purls of its packages. Without braces or prefix.
 */
struct str report_uuid(const struct report *r, struct arena *a);

/* An UUID of version 5 over a list of parts, which are kept apart by their lengths. identity_uuid ends the list. */
struct identity_parts {
        struct buf b;
};

void identity_begin(struct identity_parts *p);
void identity_add(struct identity_parts *p, struct str s);
struct str identity_uuid(struct identity_parts *p, struct arena *a);

#endif
