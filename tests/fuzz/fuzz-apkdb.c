/* apk's database of installed packages, through its analyzer. */
#include "analyze/analyzer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct analyzer analyzer_apk_installed;

static void put_nothing(struct sink *s, enum fact_kind kind, const void *fact) { (void)kind; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena arena = ARENA_INIT;
        struct sink sink = { put_nothing };
        struct analyzer_input in = { STR("lib/apk/db/installed"), str_span(data, size), &arena };
        analyzer_apk_installed.run(&in, &sink);
        arena_done(&arena);
        return 0;
}
