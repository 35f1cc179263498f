/* Blocks that are inflated whole, into memory of a size that is known: what file system images are made of. */
#ifndef SEKISHO_READ_INFLATE_BLOCK_H
#define SEKISHO_READ_INFLATE_BLOCK_H

#include "base/str.h"

enum block_codec { BLOCK_ZLIB, BLOCK_DEFLATE, BLOCK_XZ, BLOCK_ZSTD, BLOCK_LZ4 };

/*
 * Inflates `from` into to[0..n). The bytes that came out, at most n, or -EBADMSG. Bytes of `from` behind the end of the
 * compressed data are ignored, as are those that would not fit.
 */
ptrdiff_t inflate_block(enum block_codec codec, struct str from, void *to, size_t n);

#endif
