/*
 * How a reader is fed without copies: it pulls the next piece of a stream, and looks at it where it lies. A file's
 * chunk (read/pump.h), a member of an archive (tar_peek) and a buffer in memory all give pieces, so readers nest.
 */
#ifndef SEKISHO_READ_PIECE_H
#define SEKISHO_READ_PIECE_H

#include <sys/types.h>

/*
 * > 0: the length of the next piece, and *ret_p points to it until the next call; 0: the end; < 0: an errno. Pieces of
 * some 100 KiB are fast; any size works.
 */
typedef ssize_t (*piece_pull)(void *arg, const void **ret_p);

#endif
