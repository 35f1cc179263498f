/* The unpacking engine on any bytes, as a file of a layer: what is in them, what hides in text, what is appended. */
#include "analyze/unpack.h"
#include "fact/sink.h"

#define PIECE_BYTES 3000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_fact(struct sink *s, enum fact_kind kind, const void *fact) {}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const struct content_engine *const engines[] = { &unpack_engine };
        struct content_plan *plan;
        struct sink sink = { on_fact };
        if (content_plan_new(engines, ARRAY_SIZE(engines), &plan, NULL) < 0)
                return 0;
        struct content *c = content_new(plan, &sink);
        for (unsigned piecewise = 0; piecewise < 2; piecewise++) {
                struct content_file f = { .path = STR("x.br"), .size = size };
                struct content_open *o = content_begin(c, NULL, &f);
                for (size_t i = 0; i < size; i += piecewise ? PIECE_BYTES : size)
                        content_add(o, (const char *)data + i, MIN(size - i, piecewise ? (size_t)PIECE_BYTES : size));
                content_end(o, NULL, true);
        }
        content_free(c);
        content_plan_free(plan);
        return 0;
}
