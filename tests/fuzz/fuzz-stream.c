/* Decodes a stream in two ways of cutting input and output; both must give the same bytes. At most 1 MiB of output. */
#include "read/stream.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUTPUT_MAX (1u << 20)

struct input {
        struct str rest;
        size_t piece, stored;
};

static ssize_t pull(void *arg, const void **ret_p)
{
        struct input *in = arg;
        size_t n = MIN(in->rest.n, in->piece);
        *ret_p = in->rest.p;
        in->rest = str_from(in->rest, n);
        return (ssize_t)n;
}

static void on_stored(void *arg, const void *p, size_t n) { ((struct input *)arg)->stored += n; }

/* The bytes, and -1 if an error ended them. */
static int decode(struct str bytes, size_t piece, size_t step, uint8_t *to, size_t *ret_n)
{
        struct input in = { bytes, piece, 0 };
        struct stream_source from = {
                .fd = -1, .size = UINT64_MAX, .pull = pull, .pull_arg = &in, .on_stored = on_stored, .arg = &in
        };
        _cleanup_(stream_freep) struct stream *s = stream_new(&from);
        struct error err;
        ssize_t r = 1;
        *ret_n = 0;
        while (*ret_n < OUTPUT_MAX && (r = stream_read(s, to + *ret_n, MIN(step, OUTPUT_MAX - *ret_n), &err)) > 0)
                *ret_n += (size_t)r;
        if (r <= 0 && in.stored != bytes.n)
                abort();
        return r < 0 ? -1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static uint8_t a[OUTPUT_MAX], b[OUTPUT_MAX];
        size_t a_n, b_n;
        int a_r = decode(str_span(data, size), 1u << 20, OUTPUT_MAX, a, &a_n);
        int b_r = decode(str_span(data, size), 13, 1000, b, &b_n);
        if (a_r == 0 && b_r == 0 && (a_n != b_n || memcmp(a, b, a_n) != 0))
                abort();
        if (a_n < OUTPUT_MAX && b_n < OUTPUT_MAX && a_r != b_r)
                abort();
        return 0;
}
