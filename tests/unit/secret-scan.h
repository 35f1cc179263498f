/* Secrets searched for in text, as the content pass would: for the tests and the fuzzer of analyze/secrets.h. */
#ifndef SEKISHO_TESTS_SECRET_SCAN_H
#define SEKISHO_TESTS_SECRET_SCAN_H

#include "analyze/secrets.h"
#include "base/vec.h"

#include <stdio.h>
#include <stdlib.h>

struct scan_bench {
        struct secret_set *set;
        struct secret_scanner *scanner;
        struct literals *literals;
        VEC(struct content_hit) hits;
};

static void scan_bench_init_with(struct scan_bench *b, const struct secret_config *config)
{
        struct error err = ERROR_NONE;
        *b = (struct scan_bench){ .set = secret_set_new(config) };
        b->scanner = secret_scanner_new(b->set);
        if (literals_new(b->set->literals, b->set->n_literals, &b->literals, &err) < 0) {
                fprintf(stderr, "%s\n", err.text);
                abort();
        }
}

_unused_ static void scan_bench_init(struct scan_bench *b) { scan_bench_init_with(b, NULL); }

_unused_ static void scan_bench_done(struct scan_bench *b)
{
        secret_scanner_free(b->scanner);
        literals_free(b->literals);
        secret_set_free(b->set);
        vec_done(&b->hits);
}

static void scan_bench_hit(void *arg, uint32_t index, size_t start)
{
        struct scan_bench *b = arg;
        *vec_push(&b->hits) = (struct content_hit){ index, (uint32_t)start };
}

static int scan_bench_order(const void *a, const void *b)
{
        const struct content_hit *x = a, *y = b;
        if (x->start != y->start)
                return x->start < y->start ? -1 : 1;
        return (x->literal > y->literal) - (x->literal < y->literal);
}

/* The text as one whole file. */
static void scan_bench_run(struct scan_bench *b, struct str path, struct str text, secret_emit emit, void *arg)
{
        struct secret_file file = { .path = path };
        vec_clear(&b->hits);
        literals_scan(b->literals, text, 0, text.n, scan_bench_hit, b);
        if (b->hits.n)
                qsort(b->hits.v, b->hits.n, sizeof(*b->hits.v), scan_bench_order);
        struct content_window w = {
                .bytes = text, .is_first = true, .is_last = true, .hits = b->hits.v, .n_hits = b->hits.n
        };
        secrets_scan(b->scanner, &file, &w, emit, arg);
}

#endif
