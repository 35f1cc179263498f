/*
 * Looks for secrets in the files whose names come in on standard input, one a line, and prints one line for each find:
 * rule, confidence, validity, redacted value, file and line, detail, fingerprint. What docs/accuracy.md was measured
 * with; nothing of it is in the program. Files beyond 64 MiB are named as skipped.
 */
#include "../unit/secret-scan.h"

#include "base/buf.h"
#include "base/fs.h"

#define FILE_MAX (64u << 20)

struct output_to {
        const char *path;
};

static void print_found(void *arg, const struct secret_found *f)
{
        const struct output_to *o = arg;
        struct secret_words words;
        struct fact_secret s = secret_fact(f, str_of(o->path), STR_NONE, 0, &words);
        printf("%s\t%.*s\t%.*s\t%s\t%s:%llu\t%s\t%s\n", f->rule->id, STR_FMT(s.confidence), STR_FMT(s.validity),
               words.redacted, o->path, (unsigned long long)f->line, words.detail, f->fingerprint);
}

int main(void)
{
        struct scan_bench bench;
        char path[8192];
        scan_bench_init(&bench);
        while (fgets(path, sizeof(path), stdin)) {
                path[strcspn(path, "\n")] = 0;
                struct buf b = BUF_INIT(FILE_MAX);
                struct error err = ERROR_NONE;
                struct output_to o = { path };
                if (read_file(path, &b, &err) < 0)
                        printf("skipped\t%s\n", err.text);
                else
                        scan_bench_run(&bench, str_of(path), buf_str(&b), print_found, &o);
                buf_done(&b);
        }
        scan_bench_done(&bench);
        return 0;
}
