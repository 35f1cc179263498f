/* Names of images as engines write them: "[HOST[:PORT]/]PATH[:TAG][@DIGEST]". */
#ifndef SEKISHO_SOURCE_REFERENCE_H
#define SEKISHO_SOURCE_REFERENCE_H

#include "base/arena.h"

/* The name without tag and digest, the tag, the digest: each may be empty. Views into ref. */
void reference_split(struct str ref, struct str *ret_name, struct str *ret_tag, struct str *ret_digest);

/* Could this be the name of an image? Only characters that a reference may have, no empty path part, no "..". */
bool reference_is_plausible(struct str ref);

/*
 * Does `asked`, as a person types it, mean `stored`, as an engine keeps it? A missing tag means "latest"; short names
 * mean the ones that engines make of them: "web" is "docker.io/library/web", "localhost/web" and "a.example/b/web".
 */
bool reference_matches(struct str asked, struct str stored);

#endif
