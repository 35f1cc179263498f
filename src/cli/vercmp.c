/* `sekisho vercmp`: compares versions by an ecosystem's order, from the command line or line by line. */
#include "cli/command.h"
#include "intel/version.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct command command_vercmp;

static char sign(int r) { return r < 0 ? '<' : r > 0 ? '>' : '='; }

static struct str next_word(struct str *s)
{
        *s = str_trim(*s);
        size_t n = 0;
        while (n < s->n && s->p[n] != ' ' && (s->p[n] < '\t' || s->p[n] > '\r'))
                n++;
        struct str word = str_upto(*s, n);
        *s = str_from(*s, n);
        return word;
}

static int compare_lines(const struct version_scheme *scheme)
{
        _cleanup_(freep) char *line = NULL;
        size_t size = 0;
        int code = EXIT_CLEAN;
        ssize_t n;
        for (unsigned long number = 1; (n = getline(&line, &size, stdin)) >= 0; number++) {
                struct str rest = str_span(line, (size_t)n);
                struct str a = next_word(&rest), b = next_word(&rest);
                if (!b.n || str_trim(rest).n) {
                        fprintf(stderr, "sekisho vercmp: line %lu: not two versions with white space between them\n",
                                number);
                        putchar('?');
                        code = EXIT_USAGE;
                } else {
                        putchar(sign(scheme->compare(a, b)));
                }
                putchar('\n');
        }
        if (ferror(stdin)) {
                fprintf(stderr, "sekisho vercmp: cannot read standard input: %s\n", strerror(errno));
                return EXIT_INCOMPLETE;
        }
        return code;
}

static int unknown_scheme(const char *name)
{
        const char *names[256] = { 0 };
        size_t n = 0;
        for (size_t i = 0; version_schemes[i]; i++) {
                const struct version_scheme *s = version_schemes[i];
                if (n + 1 < ARRAY_SIZE(names))
                        names[n++] = s->name;
                for (const char *const *e = s->ecosystems; *e && n + 1 < ARRAY_SIZE(names); e++)
                        names[n++] = *e;
                for (const char *const *e = s->aliases; e && *e && n + 1 < ARRAY_SIZE(names); e++)
                        names[n++] = *e;
        }
        const char *near = nearest(name, names);
        fprintf(stderr, "sekisho vercmp: unknown ecosystem \"%s\"%s%s%s\nKnown:", name, near ? "; did you mean \"" : "",
                near ? near : "", near ? "\"?" : "");
        for (size_t i = 0; version_schemes[i]; i++)
                fprintf(stderr, " %s", version_schemes[i]->name);
        fprintf(stderr, " (and OSV ecosystem names)\n");
        return EXIT_USAGE;
}

static int vercmp_run(void *state, int argc, char **argv)
{
        (void)state;
        bool from_input = argc == 2 && strcmp(argv[1], "-") == 0;
        if (argc != 3 && !from_input)
                return fail_usage(&command_vercmp, "needs an ecosystem and two versions, or an ecosystem and -");
        const struct version_scheme *scheme = version_scheme_find(str_of(argv[0]));
        if (!scheme)
                return unknown_scheme(argv[0]);
        if (from_input)
                return compare_lines(scheme);
        printf("%c\n", sign(scheme->compare(str_of(argv[1]), str_of(argv[2]))));
        return EXIT_CLEAN;
}

const struct command command_vercmp = {
        .name = "vercmp",
        .usage = "vercmp ECOSYSTEM A B | vercmp ECOSYSTEM -",
        .summary = "Compare two versions by an ecosystem's order",
        .help = "Prints <, = or >. With - it reads lines \"A B\" from standard input and prints one answer a line; for "
                "a line that is not two versions it prints ? and exits with 2 at the end.\n\nECOSYSTEM: alpine, cran, "
                "debian, hackage, hex, maven, nuget, packagist, pub, pypi, redhat, rubygems, semver, or a name that "
                "means one of them: deb, rpm, apk, npm, go, crates.io, gem, \"Debian:12\", ...\n",
        .examples = "  sekisho vercmp debian 1.0~rc1-1 1.0-1\n"
                    "  printf '1.0a1 1.0\\n1!0 2.0\\n' | sekisho vercmp pypi -\n",
        .run = vercmp_run,
};
