/*
 * What stream.c asks of a codec: to decode one member (gzip member, zstd frame, xz or bzip2 stream) step by step.
 * Members, padding, truncation and reading are stream.c's. Only the stream-*.c files include this.
 */
#ifndef SEKISHO_READ_STREAM_CODEC_H
#define SEKISHO_READ_STREAM_CODEC_H

#include "base/error.h"

/* A step takes bytes off `in` and puts bytes into `out`, and moves both on. */
struct codec_io {
        const uint8_t *in;
        size_t in_n;
        uint8_t *out;
        size_t out_n;
};

enum { CODEC_MORE = 0, CODEC_MEMBER_END = 1 };

struct codec {
        void *(*new)(void); /* ends the process when memory is out */
        void (*free)(void *state);
        void (*begin)(void *state); /* a member starts: its magic is the next input */
        /* CODEC_MORE: wants input or output room; CODEC_MEMBER_END: `in` is behind the member; -EBADMSG: corrupt. */
        int (*step)(void *state, struct codec_io *io, struct error *err);
        size_t padding; /* > 1: another member may follow after zeros, a multiple of so many; else zeros end the stream
                         */
};

extern const struct codec codec_gzip, codec_zstd, codec_xz, codec_bzip2;

#endif
