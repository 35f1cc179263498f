/* Digests as images name their blobs: "sha256:<64 hex digits>" or "sha512:<128>" (image-spec, descriptor.md). */
#ifndef SEKISHO_SOURCE_DIGEST_H
#define SEKISHO_SOURCE_DIGEST_H

#include "base/error.h"
#include "base/str.h"

/* True for a registered algorithm and as many lower-case hex digits as it has. Only such a digest names a file. */
bool digest_is_valid(struct str digest);

/* The parts: "sha256" and the hex digits. Of a valid digest only. */
struct str digest_algorithm(struct str digest);
struct str digest_hex(struct str digest);

/* 0 if the bytes have this digest; -EBADMSG with words if not; -EINVAL if it is no valid digest. */
int digest_check(struct str digest, struct str bytes, struct error *err);

/* "sha256:..." of the bytes, with a NUL. */
#define DIGEST_TEXT_MAX 136
void digest_sha256(struct str bytes, char ret[static DIGEST_TEXT_MAX]);

#endif
