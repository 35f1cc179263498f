/*
 * xz streams (The .xz File Format 1.1.0) with liblzma, which verifies the checks of blocks and index. Streams may be
 * padded with zeros, a multiple of four (section 2.2).
 */
#include "read/stream-codec.h"
#include "read/stream.h"

#include "base/arena.h"

#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

/* What liblzma needs beside the dictionary. */
#define MEMORY_BESIDE (16u << 20)

static void *xz_new(void) { return xcalloc(1, sizeof(lzma_stream)); /* all zeros is LZMA_STREAM_INIT */ }

static void xz_free(void *state)
{
        lzma_end(state);
        free(state);
}

static void xz_begin(void *state)
{
        if (lzma_stream_decoder(state, STREAM_WINDOW_MAX + MEMORY_BESIDE, 0) != LZMA_OK)
                abort(); /* only memory can fail here */
}

static int xz_step(void *state, struct codec_io *io, struct error *err)
{
        lzma_stream *z = state;
        z->next_in = io->in;
        z->avail_in = io->in_n;
        z->next_out = io->out;
        z->avail_out = io->out_n;
        lzma_ret r = lzma_code(z, LZMA_RUN);
        io->in = z->next_in;
        io->in_n = z->avail_in;
        io->out = z->next_out;
        io->out_n = z->avail_out;
        switch (r) {
        case LZMA_OK:
        case LZMA_BUF_ERROR: /* no progress was possible: stream.c knows whether more comes */
                return CODEC_MORE;
        case LZMA_STREAM_END:
                return CODEC_MEMBER_END;
        case LZMA_MEM_ERROR:
                abort();
        case LZMA_MEMLIMIT_ERROR:
                return error_set(err, -EBADMSG, "xz: the dictionary is larger than %u MiB", STREAM_WINDOW_MAX >> 20);
        case LZMA_OPTIONS_ERROR:
                return error_set(err, -EBADMSG, "xz: a filter or option that liblzma does not know");
        default:
                return error_set(err, -EBADMSG, "xz: corrupt data");
        }
}

const struct codec codec_xz = { .new = xz_new, .free = xz_free, .begin = xz_begin, .step = xz_step, .padding = 4 };
