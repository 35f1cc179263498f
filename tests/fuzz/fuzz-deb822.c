/* dpkg's files: the first byte chooses the analyzer and the path, the rest is the content. */
#include "analyze/analyzer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct analyzer analyzer_dpkg_files, analyzer_dpkg_status;

static void put_nothing(struct sink *s, enum fact_kind kind, const void *fact) { (void)kind; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct {
                const struct analyzer *analyzer;
                const char *path;
        } targets[] = {
                { &analyzer_dpkg_status, "var/lib/dpkg/status" },
                { &analyzer_dpkg_status, "var/lib/dpkg/status.d/x" },
                { &analyzer_dpkg_files, "var/lib/dpkg/info/x:y.list" },
                { &analyzer_dpkg_files, "var/lib/dpkg/info/x.md5sums" },
        };
        if (size == 0)
                return 0;
        size_t i = data[0] % ARRAY_SIZE(targets);
        struct arena arena = ARENA_INIT;
        struct sink sink = { put_nothing };
        struct analyzer_input in = { str_of(targets[i].path), str_span(data + 1, size - 1), &arena };
        targets[i].analyzer->run(&in, &sink);
        arena_done(&arena);
        return 0;
}
