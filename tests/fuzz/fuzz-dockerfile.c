/* Dockerfiles: read, every span held against the source, then judged by all rules. */
#include "analyze/check.h"
#include "read/dockerfile.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct checker checker_dockerfile;

static void check_fact(struct sink *s, enum fact_kind kind, const void *fact)
{
        const size_t *size = (const size_t *)(s + 1);
        const struct fact_edit *e = fact;
        if (kind == FACT_edit && (e->offset > *size || e->length > *size - e->offset))
                abort();
}

/* Instructions follow each other, words stand inside of theirs, and what is between is comments and blank lines. */
static void check_spans(const struct dockerfile *d)
{
        size_t before = 0;
        for (size_t i = 0; i < d->n_instructions; i++) {
                const struct dockerfile_instruction *x = &d->instructions[i];
                if (x->offset < before || x->end < x->offset || x->end > d->bytes.n || x->end_line < x->line)
                        abort();
                struct str gap = str_from(str_upto(d->bytes, x->offset), before);
                while (gap.n) {
                        struct str line = str_trim(str_line(&gap));
                        bool is_mark = line.n == 1 && line.p[0] == d->escape;
                        if (line.n && line.p[0] != '#' && !is_mark && !str_starts(line, STR("\xef\xbb\xbf")))
                                abort();
                }
                for (size_t k = 0; k < x->n_words; k++)
                        if (x->words[k].offset < x->offset || x->words[k].end > x->end ||
                            x->words[k].end < x->words[k].offset)
                                abort();
                before = x->end;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena arena = ARENA_INIT;
        struct dockerfile d;
        struct str text = str_span(data, size), all = STR("all");
        struct check_settings settings = { .today = 1, .enabled = { &all, 1 } };
        struct check_file file = { STR("Dockerfile"), text };
        struct {
                struct sink sink;
                size_t size;
        } sink = { { check_fact }, size };
        dockerfile_read(text, &arena, &d);
        check_spans(&d);
        checker_dockerfile.run(&file, 1, &settings, &sink.sink);
        arena_done(&arena);
        return 0;
}
