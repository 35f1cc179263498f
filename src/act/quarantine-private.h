/* What the files of the quarantine share with each other and nobody else. */
#ifndef SEKISHO_ACT_QUARANTINE_PRIVATE_H
#define SEKISHO_ACT_QUARANTINE_PRIVATE_H

#include "act/quarantine.h"

/*
 * Encrypts what the open file holds into `to`; its digest and size come back. -EFBIG: it is longer than max. The file's
 * own position is not used.
 */
int seal_content(const uint8_t key[static 32], int from, int to, uint64_t max, uint8_t ret_sha256[static 32],
                 uint64_t *ret_size, struct error *err);

/* And back. -EBADMSG: it is not sealed, or not the content of this digest. What was written by then is of no use. */
int unseal_content(const uint8_t key[static 32], int from, int to, const uint8_t sha256[static 32], struct error *err);

/* A temporary name in a directory: ".new-" and random digits. */
#define TEMPORARY_NAME 32
void temporary_name(char text[static TEMPORARY_NAME]);

#endif
