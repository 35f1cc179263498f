/*
 * zstd frames (RFC 8878), skippable ones too, with libzstd. Content checksums are verified by the library. A frame that
 * wants a window above STREAM_WINDOW_MAX is refused.
 */
#include "read/stream-codec.h"
#include "read/stream.h"

#include "base/arena.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define WINDOW_LOG_MAX 27

_Static_assert(1u << WINDOW_LOG_MAX == STREAM_WINDOW_MAX, "one limit for all codecs");

static void *zstd_new(void)
{
        ZSTD_DCtx *z = ZSTD_createDCtx();
        if (!z)
                abort();
        ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
        return z;
}

static void zstd_free(void *state) { ZSTD_freeDCtx(state); }

static void zstd_begin(void *state) { ZSTD_DCtx_reset(state, ZSTD_reset_session_only); }

static int zstd_step(void *state, struct codec_io *io, struct error *err)
{
        ZSTD_inBuffer in = { .src = io->in, .size = io->in_n };
        ZSTD_outBuffer out = { .dst = io->out, .size = io->out_n };
        size_t r = ZSTD_decompressStream(state, &out, &in);
        io->in += in.pos;
        io->in_n -= in.pos;
        io->out += out.pos;
        io->out_n -= out.pos;
        if (!ZSTD_isError(r))
                return r == 0 ? CODEC_MEMBER_END : CODEC_MORE;
        if (ZSTD_getErrorCode(r) == ZSTD_error_memory_allocation)
                abort();
        if (ZSTD_getErrorCode(r) == ZSTD_error_frameParameter_windowTooLarge)
                return error_set(err, -EBADMSG, "zstd: the window is larger than %u MiB", STREAM_WINDOW_MAX >> 20);
        return error_set(err, -EBADMSG, "zstd: %s", ZSTD_getErrorName(r));
}

const struct codec codec_zstd = { .new = zstd_new, .free = zstd_free, .begin = zstd_begin, .step = zstd_step };
