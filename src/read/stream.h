/*
 * A stream of bytes out of a descriptor: plain, gzip (igzip; several members), zstd (several frames, skippable frames),
 * xz or bzip2, told by its first bytes. Constant memory; windows above 128 MiB are refused. The compressed bytes can be
 * hashed on the way.
 *
 * Checksums are verified: CRC-32 and length of each gzip member, the header CRC where there is one, zstd's content
 * checksum, the checks of xz and bzip2. After the last member only zeros may follow; other bytes are trailing garbage.
 *
 * read/ opens no files: the descriptor is the caller's.
 */
#ifndef SEKISHO_READ_STREAM_H
#define SEKISHO_READ_STREAM_H

#include "base/error.h"
#include "base/str.h"
#include "read/piece.h"

#include <sys/types.h>

#define STREAM_WINDOW_MAX (128u << 20) /* of zstd and xz; streams that need more are refused */

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD, COMPRESSION_XZ, COMPRESSION_BZIP2 };

const char *compression_name(enum compression c);           /* "none", "gzip", ... */
enum compression compression_sniff(struct str first_bytes); /* by magic; 8 bytes are enough */

struct stream;

struct stream_source {
        int fd; /* read from its position (pipes too), or with pread from `offset` where is_seekable */
        bool is_seekable;
        bool is_raw;        /* give the stored bytes as they are, even if they look compressed */
        bool is_one_member; /* the end of the first member is the end: what follows is not looked at */
        uint64_t offset;    /* where is_seekable; of the stream's first byte, also when that one lies in `ahead` */
        uint64_t size;      /* stored bytes that belong to the stream, `ahead` too; UINT64_MAX: until end of file */
        struct str ahead;   /* bytes already taken off the descriptor, to be read first (a view that stays valid) */
        /* Where the bytes come from if not NULL; fd, is_seekable and offset are then not used: a stream in a stream. */
        piece_pull pull;
        void *pull_arg;
        /*
         * Is shown each stored byte once, in order, as it is read; also those after the end of the compressed data or
         * after the place where it is corrupt, so that a digest is the digest of the whole blob in any case.
         */
        void (*on_stored)(void *arg, const void *p, size_t n);
        void *arg;
};

struct stream *stream_new(const struct stream_source *from);
void stream_free(struct stream *s);
void stream_freep(struct stream **s);

enum compression stream_compression(const struct stream *s); /* known after the first read */
uint64_t stream_stored_bytes(const struct stream *s);        /* taken from the descriptor so far */

/*
 * Fills p with up to n bytes of content. > 0: that many (n, unless the end is near); 0: the end, and every stored byte
 * was seen; -EBADMSG: corrupt or truncated, words in err (what had come before was good); other: read error. An error
 * is final. Give 256 KiB or more at a time: small reads are slow.
 */
ssize_t stream_read(struct stream *s, void *p, size_t n, struct error *err);

/*
 * Whether an error was for what follows the last member: all members were good. stream_rest (a piece_pull) then gives
 * those stored bytes, if nobody was shown them by on_stored.
 */
bool stream_is_whole(const struct stream *s);
ssize_t stream_rest(void *stream, const void **ret_p);

#endif
