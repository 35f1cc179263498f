/* Dockerfiles: the checker. Recognises them, reads them and runs the rules of the tables over what was read. */
#include "read/dockerfile.h"
#include "analyze/check.h"

static bool wants(struct str name)
{
        return str_is(name, "Dockerfile") || str_is(name, "Containerfile") || str_starts(name, STR("Dockerfile.")) ||
               str_starts(name, STR("Containerfile.")) || str_ends(name, STR(".Dockerfile")) ||
               str_ends(name, STR(".dockerfile")) || str_ends(name, STR(".Containerfile"));
}

static bool recognises(struct str path, struct str bytes)
{
        ptrdiff_t slash = str_rfind_char(path, '/');
        return wants(str_from(path, (size_t)(slash + 1)));
}

static const struct check check_syntax = {
        .id = "SK-DOCKER-100",
        .severity = SEVERITY_HIGH,
        .title = "A Dockerfile that cannot be read as one",
        .why = "The build fails here, or does something else than what is written.",
        .fix = "Correct the line",
};

static void run(const struct check_file *files, size_t n, const struct check_settings *s, struct sink *out)
{
        for (size_t i = 0; i < n; i++) {
                struct arena arena = ARENA_INIT;
                struct check_page page;
                struct dockerfile d;
                check_page_begin(&page, files[i].path, s, &arena);
                dockerfile_read(files[i].bytes, &arena, &d);
                for (size_t k = 0; k < d.n_problems; k++) {
                        uint32_t line, column;
                        dockerfile_place(&d, d.problems[k].offset, &line, &column);
                        (void)check_page_add(&page, &check_syntax, line, column, line, "%s", d.problems[k].why);
                }
                check_page_end(&page, out);
                arena_done(&arena);
        }
}

static const struct check *check(size_t i) { return i == 0 ? &check_syntax : NULL; }

const struct checker checker_dockerfile = {
        .name = "dockerfile",
        .summary = "Dockerfiles and Containerfiles",
        .wants = wants,
        .recognises = recognises,
        .run = run,
        .check = check,
};
