/* bzip2 streams with libbz2, which verifies the CRCs of blocks and stream. */
#include "read/stream-codec.h"

#include "base/arena.h"

#include <bzlib.h>
#include <errno.h>
#include <stdlib.h>

struct bzip2 {
        bz_stream z;
        bool is_open;
};

static void *bzip2_new(void) { return xcalloc(1, sizeof(struct bzip2)); }

static void bzip2_close(struct bzip2 *b)
{
        if (b->is_open)
                BZ2_bzDecompressEnd(&b->z);
        b->is_open = false;
}

static void bzip2_free(void *state)
{
        bzip2_close(state);
        free(state);
}

static void bzip2_begin(void *state)
{
        struct bzip2 *b = state;
        bzip2_close(b);
        b->z = (bz_stream){ 0 };
        if (BZ2_bzDecompressInit(&b->z, 0, 0) != BZ_OK)
                abort(); /* only memory can fail here */
        b->is_open = true;
}

static int bzip2_step(void *state, struct codec_io *io, struct error *err)
{
        bz_stream *z = &((struct bzip2 *)state)->z;
        unsigned in_n = (unsigned)MIN(io->in_n, (size_t)1 << 30), out_n = (unsigned)MIN(io->out_n, (size_t)1 << 30);
        z->next_in = (char *)io->in;
        z->avail_in = in_n;
        z->next_out = (char *)io->out;
        z->avail_out = out_n;
        int r = BZ2_bzDecompress(z);
        io->in += in_n - z->avail_in;
        io->in_n -= in_n - z->avail_in;
        io->out += out_n - z->avail_out;
        io->out_n -= out_n - z->avail_out;
        switch (r) {
        case BZ_OK:
                return CODEC_MORE;
        case BZ_STREAM_END:
                return CODEC_MEMBER_END;
        case BZ_MEM_ERROR:
                abort();
        default:
                return error_set(err, -EBADMSG, "bzip2: corrupt data");
        }
}

const struct codec codec_bzip2 = { .new = bzip2_new, .free = bzip2_free, .begin = bzip2_begin, .step = bzip2_step };
