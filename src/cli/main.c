/*
 * The program: finds the command, parses its options out of its table, runs it. Knows no command by itself.
 */
#include "base/fs.h"
#include "cli/command.h"
#include "cli/help.h"
#include "proc/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

extern const struct command command_help, command_version, command_scan, command_explain, command_doctor;
extern const struct command command_agent, command_check, command_contain, command_coverage, command_db;
extern const struct command command_pod_security;
extern const struct command command_rule, command_vercmp;
extern const struct command command_history, command_inventory, command_ledger, command_rematch;
extern const struct command command_events, command_incident, command_ps, command_top;
extern const struct command command_accept, command_plan, command_policy, command_risk;
extern const struct command command_integrity;
extern const struct command command_quarantine;

const struct command *const commands[] = {
        &command_scan,         &command_explain,   &command_plan,     &command_accept,
        &command_risk,         &command_policy,    &command_rule,     &command_check,
        &command_pod_security, &command_agent,     &command_incident, &command_ps,
        &command_top,          &command_events,    &command_contain,  &command_integrity,
        &command_quarantine,   &command_inventory, &command_history,  &command_rematch,
        &command_ledger,       &command_coverage,  &command_db,       &command_doctor,
        &command_vercmp,       &command_help,      &command_version,  NULL,
};

static const struct command *command_find(const char *name)
{
        for (size_t i = 0; commands[i]; i++)
                if (strcmp(commands[i]->name, name) == 0)
                        return commands[i];
        return NULL;
}

static const struct option_spec *option_find(const struct command *c, const char *name, size_t n, char letter)
{
        for (const struct option_spec *o = c->options; o && o->name; o++)
                if (letter ? o->letter == letter : strlen(o->name) == n && memcmp(o->name, name, n) == 0)
                        return o;
        return NULL;
}

static int unknown_option(const struct command *c, const char *word)
{
        const char *names[64] = { 0 };
        size_t n = 0;
        names[n++] = "help";
        for (const struct option_spec *o = c->options; o && o->name && n + 1 < ARRAY_SIZE(names); o++)
                names[n++] = o->name;
        const char *near = word[1] == '-' ? nearest(word + 2, names) : NULL;
        if (near)
                return fail_usage(c, "unknown option %s; did you mean --%s?", word, near);
        return fail_usage(c, "unknown option %s", word);
}

/* What of a command line is left when its options were taken. */
struct rest {
        char **words;
        const char **used; /* names of the options, as many as words can be */
        int n;
        size_t n_used;
};

/* Options may stand anywhere; "--" ends them. < 0: go on; else the exit code. */
static int parse(const struct command *c, void *state, int argc, char **argv, struct rest *ret)
{
        bool only_words = false;
        for (int i = 0; i < argc; i++) {
                char *word = argv[i];
                if (only_words || word[0] != '-' || !word[1]) {
                        ret->words[ret->n++] = word;
                        continue;
                }
                if (strcmp(word, "--") == 0) {
                        only_words = true;
                        continue;
                }
                if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
                        help_command(c, stdout);
                        return EXIT_CLEAN;
                }
                const struct option_spec *o;
                const char *value = NULL;
                if (word[1] == '-') {
                        const char *equals = strchr(word, '=');
                        o = option_find(c, word + 2, equals ? (size_t)(equals - word - 2) : strlen(word + 2), 0);
                        value = equals ? equals + 1 : NULL;
                } else {
                        o = option_find(c, NULL, 0, word[1]);
                        value = word[2] ? word + 2 : NULL;
                }
                if (!o && strcmp(word, "--json") == 0) { /* wherever there are formats, the same as -o json */
                        o = option_find(c, "output", strlen("output"), 0);
                        value = "json";
                }
                if (!o)
                        return unknown_option(c, word);
                if (!o->argument && value)
                        return fail_usage(c, "--%s takes no value", o->name);
                if (o->argument && !value) {
                        if (i + 1 >= argc)
                                return fail_usage(c, "--%s needs a value: %s", o->name, o->argument);
                        value = argv[++i];
                }
                struct error err = ERROR_NONE;
                if (c->option(state, o, value, &err) < 0)
                        return fail_usage(c, "--%s: %s", o->name, err.text);
                ret->used[ret->n_used++] = o->name;
        }
        return -1;
}

static bool takes(const struct verb *v, const char *name)
{
        struct str rest = v->options ? str_of(v->options) : STR_NONE;
        while (rest.p)
                if (str_is(str_cut(&rest, ' '), name))
                        return true;
        return false;
}

/* "build, update or status". */
static void list_verbs(const struct command *c, struct buf *to)
{
        for (const struct verb *v = c->verbs; v->name; v++)
                buf_printf(to, "%s%s", v == c->verbs ? "" : v[1].name ? ", " : " or ", v->name);
}

static int run_verb(const struct command *c, void *state, const struct rest *rest)
{
        const char *names[16] = { 0 };
        _cleanup_(buf_done) struct buf all = BUF_INIT(512);
        list_verbs(c, &all);
        if (rest->n == 0)
                return fail_usage(c, "what should it do? %s", all.p);
        for (size_t i = 0; c->verbs[i].name; i++) {
                const struct verb *v = &c->verbs[i];
                if (i + 1 < ARRAY_SIZE(names))
                        names[i] = v->name;
                if (strcmp(v->name, rest->words[0]) != 0)
                        continue;
                for (size_t k = 0; k < rest->n_used; k++)
                        if (!takes(v, rest->used[k]))
                                return fail_usage(c, "%s %s has no option --%s", c->name, v->name, rest->used[k]);
                return v->run(state, rest->n - 1, rest->words + 1);
        }
        const char *near = nearest(rest->words[0], names);
        if (near)
                return fail_usage(c, "there is no \"%s %s\"; did you mean \"%s %s\"?", c->name, rest->words[0], c->name,
                                  near);
        return fail_usage(c, "there is no \"%s %s\": %s", c->name, rest->words[0], all.p);
}

int option_format(const char *value, const char *words, bool *ret_is_json, struct error *err)
{
        *ret_is_json = strcmp(value, "json") == 0;
        if (*ret_is_json || strcmp(value, words) == 0)
                return 0;
        return error_set(err, -EINVAL, "no format \"%s\"; there are %s and json", value, words);
}

int option_append(const char **values, size_t *n, size_t most, const char *value, struct error *err)
{
        if (*n == most)
                return error_set(err, -EINVAL, "given more than %zu times", most);
        values[(*n)++] = value;
        return 0;
}

static void interrupted(int signal_number)
{
        if (workers_interrupted()) { /* the second one: now */
                output_abort_all();
                signal(signal_number, SIG_DFL);
                raise(signal_number);
        }
        workers_interrupt();
}

static void watch_signals(void)
{
        /* The first Ctrl-C lets the command tidy up; a second one ends the program at once, and leaves no temporaries.
         */
        struct sigaction stop = { .sa_handler = interrupted };
        sigaction(SIGINT, &stop, NULL);
        sigaction(SIGTERM, &stop, NULL);
        sigaction(SIGHUP, &stop, NULL);
        signal(SIGPIPE, SIG_IGN);
}

#define DESCRIPTORS 65536

/* Each long list of a layer's files is a descriptor: as many as we may have. */
static void allow_descriptors(void)
{
        struct rlimit r;
        if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < DESCRIPTORS) {
                r.rlim_cur = MIN(r.rlim_max, (rlim_t)DESCRIPTORS);
                (void)setrlimit(RLIMIT_NOFILE, &r);
        }
}

int main(int argc, char **argv)
{
        if (argc < 2) {
                help_overview(stderr);
                return EXIT_USAGE;
        }
        const char *name = argv[1];
        if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
                name = "help";
        else if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
                name = "version";
        const struct command *c = command_find(name);
        if (!c) {
                const char *names[64] = { 0 };
                for (size_t i = 0; commands[i] && i + 1 < ARRAY_SIZE(names); i++)
                        names[i] = commands[i]->name;
                const char *near = nearest(name, names);
                fprintf(stderr, "sekisho: unknown command \"%s\"%s%s%s\nTry: sekisho help\n", name,
                        near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
                return EXIT_USAGE;
        }
        _cleanup_(freep) void *state = calloc(1, c->state_size ? c->state_size : 1);
        _cleanup_(freep) char **words = calloc((size_t)argc + 1, sizeof(*words));
        _cleanup_(freep) const char **used = calloc((size_t)argc + 1, sizeof(*used));
        if (!state || !words || !used)
                return EXIT_INCOMPLETE;
        struct rest rest = { words, used, 0, 0 };
        int code = parse(c, state, argc - 2, argv + 2, &rest);
        if (code >= 0)
                return code;
        watch_signals();
        allow_descriptors();
        code = c->verbs ? run_verb(c, state, &rest) : c->run(state, rest.n, rest.words);
        if (workers_interrupted()) {
                output_abort_all();
                fprintf(stderr, "sekisho: interrupted\n");
                return EXIT_INCOMPLETE;
        }
        if (fflush(stdout) != 0 && code == EXIT_CLEAN) {
                fprintf(stderr, "sekisho: cannot write to standard output: %s\n", strerror(errno));
                return EXIT_INCOMPLETE;
        }
        return code;
}
