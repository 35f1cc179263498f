/* The format the-sample: for whom it is, which specification it follows, what it leaves out. */
#include "report/report.h"
#include "report/text.h"

#include <errno.h>

static int sample_write(const struct report *r, const struct report_options *o, FILE *to)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        fprintf(to, "%.*s\t%s\n", STR_FMT(text_clean(&arena, r->name)), r->denied ? "denied" : "allowed");
        for (size_t i = 0; i < r->n_findings; i++) {
                const struct finding *f = &r->findings[i];
                fprintf(to, "%.*s\t%s\n", STR_FMT(text_clean(&arena, f->id)), response_name(f->response));
        }
        return ferror(to) ? -EIO : 0;
}

const struct reporter reporter_sample = {
        .name = "the-sample",
        .summary = "one line for each finding",
        .file_name = "report.the-sample",
        .write = sample_write,
};
