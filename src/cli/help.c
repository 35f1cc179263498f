/* `sekisho help [COMMAND|TOPIC]`, `sekisho version`, and the words that follow a usage error. */
#include "cli/help.h"

#include "decide/decide.h"
#include "intel/import.h"
#include "intel/vex.h"
#include "report/report.h"
#include "source/source.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void print_exit_codes(FILE *to)
{
        fprintf(to, "  0  clean by the policy\n"
                    "  1  denied by the policy\n"
                    "  2  the command line cannot be understood\n"
                    "  3  the work could not be completed (what could not be read is in the report)\n");
}

static void print_sources(FILE *to)
{
        fprintf(to, "A target is recognised by what it is. A prefix forces the kind:\n\n");
        for (size_t i = 0; sources[i]; i++)
                fprintf(to, "  %-16s %s\n  %-16s   sekisho scan %s\n", sources[i]->prefix, sources[i]->summary, "",
                        sources[i]->example);
}

static void print_formats(FILE *to)
{
        fprintf(to, "-o FORMAT writes to standard output, -o FORMAT=FILE to a file; several at once are fine:\n\n");
        for (size_t i = 0; reporters[i]; i++)
                fprintf(to, "  %-13s %s\n", reporters[i]->name, reporters[i]->summary);
}

static void print_policy(FILE *to)
{
        fprintf(to, "The default policy. The first rule that denies a finding counts, else the first that warns of "
                    "it:\n\n");
        for (size_t i = 0; i < policy_default.n_rules; i++)
                fprintf(to, "  %2zu  %-5s  %s\n", i + 1, policy_default.rules[i].denies ? "deny" : "warn",
                        policy_default.rules[i].name);
        fprintf(to, "\n--fail-on replaces it. Each of its words narrows: a severity (critical, high, medium, low: that "
                    "or worse;\n"
                    "any: unknown too), fixable, kev. Given several times, any of them denies:\n\n"
                    "  sekisho scan --fail-on high,fixable --fail-on kev image.tar\n");
}

static void print_feeds(FILE *to)
{
        fprintf(to,
                "db build takes files and directories of these kinds, and recognises them; KIND:PATH forces one:\n\n");
        for (size_t i = 0; importers[i]; i++)
                fprintf(to, "  %-15s %s\n", importers[i]->name, importers[i]->summary);
        fprintf(to, "\nAny of them may be packed: .gz, .xz, .zst, .bz2, .tar, .zip.\n\n"
                    "db update reads a list of feeds, one a line, NAME KIND URL [max-mib=N] [plain-http]: --config "
                    "FILE, else\n"
                    "~/.config/sekisho/feeds.conf, else /etc/sekisho/feeds.conf, else the one that sekisho db feeds "
                    "prints.\n");
}

static void print_recording(FILE *to)
{
        fputs("The ledger is what sekisho remembers: each scan, sighting, decision and waiver is a record in it that "
              "is never\n"
              "changed, chained to the one before it by its hash.\n\n"
              "  where    --ledger FILE (scan: --ledger-db FILE), else $SEKISHO_LEDGER, else "
              "/var/lib/sekisho/ledger.db for\n"
              "           root, else $XDG_STATE_HOME/sekisho/ledger.db, else ~/.local/state/sekisho/ledger.db\n"
              "  begin    sekisho scan --record TARGET makes it. From then on every scan is recorded, with --record "
              "or\n"
              "           without; --no-record leaves one out\n"
              "  ask      sekisho inventory, sekisho history NAME, sekisho rematch\n"
              "  trust    sekisho ledger verify names the first record that does not fit. Who can write the file can "
              "write\n"
              "           all of it anew: keep the checkpoint that sekisho ledger status prints on another machine\n"
              "  who      $SEKISHO_ACTOR, else who called sudo, else the user: the ledger records what it is told\n"
              "  backup   sqlite3 LEDGER \".backup FILE\", or copy it while nothing runs\n\n"
              "(scan --ledger FILE is another thing: it lists every file of every layer.)\n",
              to);
}

static void print_vex(FILE *to)
{
        fprintf(to, "--vex FILE takes what somebody states about vulnerabilities, in any of these formats:\n\n");
        for (size_t i = 0; vex_readers[i]; i++)
                fprintf(to, "  %-13s %s\n", vex_readers[i]->name, vex_readers[i]->summary);
        fprintf(to,
                "\nA finding whose newest statement says not_affected or fixed is set aside: it stays in every report, "
                "with "
                "who\nsays so and why, and no rule judges it. affected and under_investigation are shown. A statement "
                "that leaves\nopen to what it applies (a product named in words, a range of versions, fixed without a "
                "version) is not\napplied, and that is said. docs/format/vex.md has the rules.\n\n"
                "-o openvex and -o cyclonedx-vex write what was decided, in its author's words, and what is open:\n\n"
                "  sekisho scan --vex vendor.json -o openvex=vex.json --author \"Web team\" image.tar\n");
}

const struct help_topic help_topics[] = {
        { "sources", "what can be scanned", print_sources },
        { "formats", "what a report can be written as", print_formats },
        { "vex", "what others state about findings", print_vex },
        { "feeds", "of what the advisory database is made", print_feeds },
        { "policy", "what denies an image", print_policy },
        { "recording", "what sekisho remembers, and where", print_recording },
        { "exit-codes", "what the exit status says", print_exit_codes },
        { NULL, NULL, NULL },
};

void help_overview(FILE *to)
{
        fprintf(to, "sekisho: the checkpoint for containers\n\nUsage: sekisho COMMAND [OPTIONS] [ARGUMENTS]\n\n");
        for (size_t i = 0; commands[i]; i++)
                fprintf(to, "  %-13s %s\n", commands[i]->name, commands[i]->summary);
        fprintf(to, "\nExamples:\n"
                    "  sekisho scan nginx-app.tar\n"
                    "  sekisho scan registry:localhost:5000/web:1.2 -o table -o html=report.html\n\n"
                    "sekisho help COMMAND goes deeper; topics:");
        for (size_t i = 0; help_topics[i].name; i++)
                fprintf(to, " %s", help_topics[i].name);
        fprintf(to, "\n");
}

void help_command(const struct command *c, FILE *to)
{
        fprintf(to, "sekisho %s: %s\n\nUsage: sekisho %s\n", c->name, c->summary, c->usage);
        if (c->help)
                fprintf(to, "\n%s", c->help);
        if (c->options)
                fprintf(to, "\nOptions:\n");
        for (const struct option_spec *o = c->options; o && o->name; o++) {
                char left[64];
                int n = o->letter ? snprintf(left, sizeof(left), "-%c, --%s", o->letter, o->name)
                                  : snprintf(left, sizeof(left), "    --%s", o->name);
                if (o->argument)
                        snprintf(left + n, sizeof(left) - (size_t)n, " %s", o->argument);
                fprintf(to, "  %-28s %s\n", left, o->help);
        }
        if (c->examples)
                fprintf(to, "\nExamples:\n%s", c->examples);
}

int fail(int exit_code, const struct error *err)
{
        fprintf(stderr, "sekisho: %s\n", err->text[0] ? err->text : "failed, and nobody said why: please report this");
        return exit_code;
}

int fail_usage(const struct command *c, const char *fmt, ...)
{
        va_list ap;
        fprintf(stderr, "sekisho %s: ", c->name);
        va_start(ap, fmt);
        vfprintf(stderr, fmt, ap);
        va_end(ap);
        fprintf(stderr, "\nUsage: sekisho %s\nTry: sekisho %s --help\n", c->usage, c->name);
        return EXIT_USAGE;
}

/* Edit distance of Levenshtein with transpositions, bounded to short words. */
static size_t distance(const char *a, const char *b)
{
        enum { MAX_WORD = 24 };
        size_t n = strlen(a), m = strlen(b), d[MAX_WORD + 1][MAX_WORD + 1];
        if (n > MAX_WORD || m > MAX_WORD)
                return SIZE_MAX;
        for (size_t i = 0; i <= n; i++)
                d[i][0] = i;
        for (size_t k = 0; k <= m; k++)
                d[0][k] = k;
        for (size_t i = 1; i <= n; i++)
                for (size_t k = 1; k <= m; k++) {
                        size_t best = d[i - 1][k - 1] + (a[i - 1] != b[k - 1]);
                        best = MIN(best, MIN(d[i - 1][k], d[i][k - 1]) + 1);
                        if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                                best = MIN(best, d[i - 2][k - 2] + 1);
                        d[i][k] = best;
                }
        return d[n][m];
}

const char *nearest(const char *word, const char *const *candidates)
{
        const char *best = NULL;
        size_t best_distance = strlen(word) / 3 + 2;
        for (; *candidates; candidates++) {
                size_t d = distance(word, *candidates);
                if (d < best_distance) {
                        best = *candidates;
                        best_distance = d;
                }
        }
        return best;
}

static int help_run(void *state, int argc, char **argv)
{
        if (argc == 0) {
                help_overview(stdout);
                return EXIT_CLEAN;
        }
        const char *names[128] = { 0 };
        size_t n = 0;
        for (size_t i = 0; commands[i] && n + 1 < ARRAY_SIZE(names); i++) {
                if (strcmp(commands[i]->name, argv[0]) == 0) {
                        help_command(commands[i], stdout);
                        return EXIT_CLEAN;
                }
                names[n++] = commands[i]->name;
        }
        for (size_t i = 0; help_topics[i].name && n + 1 < ARRAY_SIZE(names); i++) {
                if (strcmp(help_topics[i].name, argv[0]) == 0) {
                        printf("%s: %s\n\n", help_topics[i].name, help_topics[i].summary);
                        help_topics[i].print(stdout);
                        return EXIT_CLEAN;
                }
                names[n++] = help_topics[i].name;
        }
        const char *near = nearest(argv[0], names);
        fprintf(stderr, "sekisho: no command or topic \"%s\"%s%s%s\n", argv[0], near ? "; did you mean \"" : "",
                near ? near : "", near ? "\"?" : "");
        return EXIT_USAGE;
}

const struct command command_help = {
        .name = "help",
        .usage = "help [COMMAND|TOPIC]",
        .summary = "Explain a command or a topic",
        .run = help_run,
};

static int version_run(void *state, int argc, char **argv)
{
        printf("sekisho %s\n", SEKISHO_VERSION);
        return EXIT_CLEAN;
}

const struct command command_version = {
        .name = "version",
        .usage = "version",
        .summary = "Print the program's version",
        .run = version_run,
};
