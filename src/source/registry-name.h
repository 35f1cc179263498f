/*
 * Names of images: [HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST], by the grammar of the distribution project's package
 * "reference", with docker's short names: what has no host lies on docker.io, and there "nginx" means "library/nginx".
 *
 * Everything is copied into fixed arrays, whose sizes are the grammar's own limits.
 */
#ifndef SEKISHO_SOURCE_REGISTRY_H
#define SEKISHO_SOURCE_REGISTRY_H

#include "base/error.h"
#include "base/str.h"

#define REGISTRY_NAME_MAX 255 /* host, slash and repository together, as the grammar has it */
#define REGISTRY_TAG_MAX  128
#define REGISTRY_TEXT_MAX 800 /* of the whole, printed */

struct registry_name {
        char host[REGISTRY_NAME_MAX + 1];       /* "docker.io", "localhost:5000", "[::1]:5000" */
        char repository[REGISTRY_NAME_MAX + 1]; /* "library/nginx" */
        char tag[REGISTRY_TAG_MAX + 1];         /* "" only if there is a digest */
        char digest[136];                       /* "sha256:..." or "sha512:...", or "" */
};

/* Parses all of text. Without tag and digest the tag is "latest". -EINVAL with words if it is not a reference. */
int registry_name_parse(struct str text, struct registry_name *ret, struct error *err);

/* True if the text names its host itself: its first part has a dot or a colon, or is "localhost", and "/" follows. */
bool registry_name_has_host(struct str text);

/* "HOST/REPOSITORY:TAG@DIGEST", with what it has. Returns text. */
const char *registry_name_print(const struct registry_name *ref, char text[static REGISTRY_TEXT_MAX]);

/* True if the host (with or without port) is written as a loopback address, "localhost" or a name below it. */
bool host_is_loopback(struct str host);

#endif
