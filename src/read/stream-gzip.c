/*
 * gzip members (RFC 1952) with isa-l's igzip. The header is parsed here, byte by byte, so that it may lie in any pieces
 * and be of any length in constant memory; isa-l inflates and verifies CRC-32 and ISIZE of the trailer.
 */
#include "read/stream-codec.h"

#include "base/arena.h"

#include <errno.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>

/* The bits of FLG. FTEXT (1) means nothing to a reader. */
enum { FLAG_HCRC = 2, FLAG_EXTRA = 4, FLAG_NAME = 8, FLAG_COMMENT = 16, FLAGS_RESERVED = 0xe0 };

enum part { FIXED, EXTRA_LENGTH, EXTRA, NAME, COMMENT, HEADER_CRC, DEFLATE };

#define FIXED_BYTES 10

struct gzip {
        enum part part;
        unsigned at; /* bytes of this part seen */
        unsigned flags, extra_length;
        uint16_t header_crc;
        uint32_t crc; /* of the header so far */
        struct inflate_state inflate;
};

static void *gzip_new(void) { return xcalloc(1, sizeof(struct gzip)); }

static void gzip_begin(void *state)
{
        struct gzip *g = state;
        g->part = FIXED;
        g->at = 0;
        g->crc = 0;
        isal_inflate_init(&g->inflate);
        g->inflate.crc_flag = ISAL_GZIP_NO_HDR_VER;
}

static void enter(struct gzip *g, enum part part)
{
        g->part = part;
        g->at = 0;
}

/* Enters the first part from `part` on that the flags say is there. */
static void enter_present(struct gzip *g, enum part part)
{
        if (part == EXTRA_LENGTH && !(g->flags & FLAG_EXTRA))
                part = NAME;
        if (part == EXTRA && g->extra_length == 0)
                part = NAME;
        if (part == NAME && !(g->flags & FLAG_NAME))
                part = COMMENT;
        if (part == COMMENT && !(g->flags & FLAG_COMMENT))
                part = HEADER_CRC;
        if (part == HEADER_CRC && !(g->flags & FLAG_HCRC))
                part = DEFLATE;
        enter(g, part);
}

static int fixed_byte(struct gzip *g, uint8_t b, struct error *err)
{
        if (g->at == 2 && b != 8)
                return error_set(err, -EBADMSG, "gzip: compression method %u instead of deflate", b);
        if (g->at == 3) {
                if (b & FLAGS_RESERVED)
                        return error_set(err, -EBADMSG, "gzip: reserved flags 0x%02x in the header",
                                         b & FLAGS_RESERVED);
                g->flags = b;
        }
        if (++g->at == FIXED_BYTES)
                enter_present(g, EXTRA_LENGTH);
        return 0;
}

static int header_byte(struct gzip *g, uint8_t b, struct error *err)
{
        uint32_t crc_before = g->crc;
        g->crc = crc32_gzip_refl(g->crc, &b, 1);
        switch (g->part) {
        case FIXED:
                return fixed_byte(g, b, err);
        case EXTRA_LENGTH:
                g->extra_length = g->at == 0 ? b : g->extra_length | (unsigned)b << 8;
                if (++g->at == 2)
                        enter_present(g, EXTRA);
                return 0;
        case EXTRA:
                if (++g->at == g->extra_length)
                        enter_present(g, NAME);
                return 0;
        case NAME:
        case COMMENT:
                if (b == 0)
                        enter_present(g, g->part == NAME ? COMMENT : HEADER_CRC);
                return 0;
        case HEADER_CRC:
                g->crc = crc_before;
                g->header_crc = g->at == 0 ? b : (uint16_t)(g->header_crc | b << 8);
                if (++g->at < 2)
                        return 0;
                if (g->header_crc != (uint16_t)g->crc)
                        return error_set(err, -EBADMSG, "gzip: wrong checksum of the header");
                enter(g, DEFLATE);
                return 0;
        case DEFLATE:
                break;
        }
        return 0;
}

static const char *inflate_words(int r)
{
        switch (r) {
        case ISAL_INVALID_BLOCK:
                return "invalid block";
        case ISAL_INVALID_SYMBOL:
                return "invalid symbol";
        case ISAL_INVALID_LOOKBACK:
                return "reference to before the start";
        case ISAL_INCORRECT_CHECKSUM:
                return "wrong checksum or length in the trailer";
        default:
                return "corrupt data";
        }
}

static int gzip_step(void *state, struct codec_io *io, struct error *err)
{
        struct gzip *g = state;
        while (g->part != DEFLATE) {
                if (io->in_n == 0)
                        return CODEC_MORE;
                int r = header_byte(g, *io->in, err);
                if (r < 0)
                        return r;
                io->in++;
                io->in_n--;
        }

        /* isa-l counts in 32 bits. */
        uint32_t in_n = (uint32_t)MIN(io->in_n, (size_t)1 << 30), out_n = (uint32_t)MIN(io->out_n, (size_t)1 << 30);
        struct inflate_state *i = &g->inflate;
        i->next_in = (uint8_t *)io->in;
        i->avail_in = in_n;
        i->next_out = io->out;
        i->avail_out = out_n;
        int r = isal_inflate(i);
        io->in += in_n - i->avail_in;
        io->in_n -= in_n - i->avail_in;
        io->out += out_n - i->avail_out;
        io->out_n -= out_n - i->avail_out;
        if (r != ISAL_DECOMP_OK)
                return error_set(err, -EBADMSG, "gzip: %s", inflate_words(r));
        return i->block_state == ISAL_BLOCK_FINISH ? CODEC_MEMBER_END : CODEC_MORE;
}

const struct codec codec_gzip = { .new = gzip_new, .free = free, .begin = gzip_begin, .step = gzip_step };
