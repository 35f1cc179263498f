/* What the-sample is: which file, who writes it, which specification it follows; and what becomes of it here. */
#include "analyze/analyzer.h"

#define PACKAGES_MAX 100000u

static void sample_run(const struct analyzer_input *in, struct sink *out)
{
        struct str rest = in->bytes;
        uint64_t line = 0;
        while (rest.n && line < PACKAGES_MAX) {
                struct str version = str_trim(str_line(&rest)), name = str_cut(&version, ' ');
                line++;
                if (!name.n)
                        continue;
                if (!version.n) {
                        sink_unread(out, in->path, "corrupt", "line %llu: no version", (unsigned long long)line);
                        continue;
                }
                struct fact_package package = {
                        .type = STR("the-sample"), .name = name, .version = version, .database = in->path, .line = line
                };
                sink_put(out, FACT_package, &package);
        }
        if (rest.n)
                sink_unread(out, in->path, "limit", "more than %u lines", PACKAGES_MAX);
}

static const char *const wants[] = { "etc/the-sample.list", NULL };

const struct analyzer analyzer_sample = {
        .name = "the-sample",
        .summary = "packages that the-sample lists",
        .wants = wants,
        .max_bytes = 16u << 20,
        .run = sample_run,
};
