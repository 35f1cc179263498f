/* The search for secrets: any bytes as one file. Neither may a find lie outside of them nor be told in full. */
#include "../unit/secret-scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t file_bytes;

static void on_found(void *arg, const struct secret_found *found)
{
        struct secret_words words;
        struct fact_secret f = secret_fact(found, STR("x"), STR_NONE, 0644, &words);
        if (found->offset >= file_bytes || !f.redacted.n || f.redacted.n >= SECRET_REDACTED_MAX)
                __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct scan_bench bench;
        if (!bench.set)
                scan_bench_init(&bench);
        file_bytes = size;
        scan_bench_run(&bench, STR("app/x"), str_span(data, size), on_found, NULL);
        return 0;
}
