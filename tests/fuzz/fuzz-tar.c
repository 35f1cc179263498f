/* Walks an archive in pieces of two sizes, reading the first bytes of each content; both walks must see the same. */
#include "read/tar.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
        struct str rest;
        size_t piece;
};

static ssize_t pull(void *arg, const void **ret_p)
{
        struct input *in = arg;
        size_t n = MIN(in->rest.n, in->piece);
        *ret_p = in->rest.p;
        in->rest = str_from(in->rest, n);
        return (ssize_t)n;
}

static uint64_t mix(uint64_t h, const void *p, size_t n)
{
        for (size_t i = 0; i < n; i++)
                h = (h ^ ((const uint8_t *)p)[i]) * 0x100000001b3;
        return h;
}

static uint64_t walk(struct str bytes, size_t piece)
{
        struct input in = { bytes, piece };
        _cleanup_(tar_freep) struct tar *t = tar_new_pieces(pull, &in);
        struct tar_entry e;
        uint64_t seen = 0;
        int r;
        while ((r = tar_next(t, &e)) == TAR_ENTRY) {
                uint64_t left = MIN(e.size, (uint64_t)100000);
                seen = mix(seen, e.name.p, e.name.n);
                seen = mix(seen, e.link.p, e.link.n);
                seen = mix(seen, e.opaque_xattr.p, e.opaque_xattr.n);
                seen = mix(seen, &e.size, sizeof(e.size));
                while (left > 0) {
                        char p[4096];
                        ssize_t n = tar_read(t, p, (size_t)MIN(left, (uint64_t)sizeof(p)));
                        if (n <= 0)
                                break;
                        seen = mix(seen, p, (size_t)n);
                        left -= (uint64_t)n;
                }
        }
        if (tar_offset(t) > bytes.n)
                abort();
        return mix(seen, &r, sizeof(r));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (walk(str_span(data, size), 1u << 20) != walk(str_span(data, size), 500))
                abort();
        return 0;
}
