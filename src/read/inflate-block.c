/* See inflate-block.h. */
#include "read/inflate-block.h"

#include <errno.h>
#include <isa-l.h>
#include <lz4.h>
#include <lzma.h>
#include <zstd.h>

#define XZ_MEMORY_MAX (16u << 20) /* dictionaries are no larger than the blocks they are for */

static ptrdiff_t inflate_isal(uint32_t flag, struct str from, void *to, size_t n)
{
        struct inflate_state s;
        isal_inflate_init(&s);
        s.crc_flag = flag;
        s.next_in = (uint8_t *)from.p;
        s.avail_in = (uint32_t)from.n;
        s.next_out = to;
        s.avail_out = (uint32_t)n;
        int r = isal_inflate_stateless(&s);
        return r == ISAL_DECOMP_OK || r == ISAL_OUT_OVERFLOW ? (ptrdiff_t)(n - s.avail_out) : -EBADMSG;
}

static ptrdiff_t inflate_xz(struct str from, void *to, size_t n)
{
        uint64_t memory = XZ_MEMORY_MAX;
        size_t in = 0, out = 0;
        lzma_ret r = lzma_stream_buffer_decode(&memory, 0, NULL, (const uint8_t *)from.p, &in, from.n, to, &out, n);
        return r == LZMA_OK ? (ptrdiff_t)out : -EBADMSG;
}

static ptrdiff_t inflate_zstd(struct str from, void *to, size_t n)
{
        ZSTD_DCtx *d = ZSTD_createDCtx();
        ZSTD_inBuffer in = { from.p, from.n, 0 };
        ZSTD_outBuffer out = { to, n, 0 };
        size_t r = d ? 1 : 0, before;
        while (r && !ZSTD_isError(r) && out.pos < n) { /* r == 0: the end of a frame */
                before = in.pos + out.pos;
                r = ZSTD_decompressStream(d, &out, &in);
                if (in.pos + out.pos == before)
                        break;
        }
        ZSTD_freeDCtx(d);
        return d && !ZSTD_isError(r) ? (ptrdiff_t)out.pos : -EBADMSG;
}

ptrdiff_t inflate_block(enum block_codec codec, struct str from, void *to, size_t n)
{
        int r;
        if (from.n > INT32_MAX || n > INT32_MAX)
                return -EBADMSG;
        switch (codec) {
        case BLOCK_ZLIB:
                return inflate_isal(ISAL_ZLIB, from, to, n);
        case BLOCK_DEFLATE:
                return inflate_isal(ISAL_DEFLATE, from, to, n);
        case BLOCK_XZ:
                return inflate_xz(from, to, n);
        case BLOCK_ZSTD:
                return inflate_zstd(from, to, n);
        case BLOCK_LZ4:
                r = LZ4_decompress_safe(from.p, to, (int)from.n, (int)n);
                return r >= 0 ? r : -EBADMSG;
        }
        return -EBADMSG;
}
