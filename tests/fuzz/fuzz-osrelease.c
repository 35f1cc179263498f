/* os-release and the files that stand in for it: the first byte chooses the path, the rest is the content. */
#include "analyze/analyzer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct analyzer analyzer_os_release;

static void put_nothing(struct sink *s, enum fact_kind kind, const void *fact) { (void)kind; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char *const paths[] = { "etc/os-release", "etc/debian_version", "etc/alpine-release",
                                             "etc/redhat-release" };
        if (size == 0)
                return 0;
        struct arena arena = ARENA_INIT;
        struct sink sink = { put_nothing };
        struct analyzer_input in = { str_of(paths[data[0] % ARRAY_SIZE(paths)]), str_span(data + 1, size - 1), &arena };
        analyzer_os_release.run(&in, &sink);
        arena_done(&arena);
        return 0;
}
