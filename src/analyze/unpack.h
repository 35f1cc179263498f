/*
 * Unpacking: the engine of the content pass that looks for files in files, to any depth, and feeds each member back to
 * the pass. Archives, compressed files, packages, disk images and documents are told by their first bytes; what is
 * appended to something else, by magic numbers inside; text that hides other content (base64, hexadecimal escapes,
 * reversed, UTF-16, XOR with one byte), by its shape.
 *
 * Nothing is written to disk. Formats that can be read from front to end are streamed, whatever their size; those that
 * must be seen whole (see unpack_format.is_whole) are read into memory up to UNPACK_WHOLE_MAX.
 *
 * Whatever is not looked at is said (content_incomplete): encrypted, too-deep, too-large, corrupt, unsupported, budget.
 */
#ifndef SEKISHO_ANALYZE_UNPACK_H
#define SEKISHO_ANALYZE_UNPACK_H

#include "analyze/content.h"

#define UNPACK_WHOLE_MAX      (12u << 20)      /* of all that lies in memory whole at one time, of a worker */
#define UNPACK_MEMBERS_MAX    UINT64_C(300000) /* in one file of the layer, at all depths together; of a small one */
#define UNPACK_MEMBERS_FREE   UINT64_C(10000)  /* so many, and */
#define UNPACK_MEMBERS_A_BYTE UINT64_C(2)      /* so many for each of its bytes: a tar of empty files has hardly more */
#define UNPACK_BYTES_FREE     (UINT64_C(1) << 30) /* that a file of the layer may unpack to, whatever its size, and */
#define UNPACK_RATIO_MAX      UINT64_C(20)        /* so many times its size more */
#define UNPACK_CARVES_MAX     16384u              /* beginnings of something appended that are tried in one file */

extern const struct content_engine unpack_engine;

#endif
