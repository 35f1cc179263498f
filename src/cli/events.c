/* `sekisho events`: what the agent sees, as it happens. */
#include "base/buf.h"
#include "base/utf8.h"
#include "cli/agent-client.h"
#include "cli/rule.h"
#include "intel/json.h"
#include "proc/worker.h"
#include "report/document.h"
#include "rule/rule.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

struct events_command {
        const char *socket, *container;
        uint64_t count;
        bool is_json;
};

extern const struct command command_events;

static const struct option_spec options[] = {
        { "container", 'c', "NAME", "only this one: its name, its id or the beginning of it; \"host\"" },
        { "count", 'n', "NUMBER", "end after so many events" },
        { "output", 'o', "FORMAT", "text (the default) or json: a line each" },
        SOCKET_OPTION,
        { NULL, 0, NULL, NULL },
};

static int events_option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct events_command *c = state;
        if (strcmp(o->name, "container") == 0) {
                c->container = value;
        } else if (strcmp(o->name, "socket") == 0) {
                c->socket = value;
        } else if (strcmp(o->name, "count") == 0) {
                if (!str_u64(str_of(value), &c->count) || c->count == 0)
                        return error_set(err, -EINVAL, "takes a number from 1 on, not \"%s\"", value);
        } else {
                return option_format(value, "text", &c->is_json, err);
        }
        return 0;
}

/* Here first, where every mistake can be shown with its place. True if it compiles. */
static bool check_filter(const char *filter)
{
        struct problems problems = { 0 };
        struct rule_set *set = NULL;
        struct rule_loader *l = rule_loader_new(NULL);
        rule_loader_add_condition(l, STR("filter"), str_of(filter), (struct place){ STR("filter"), 1, 1 },
                                  STAGE_SYSCALL);
        bool is_good = rule_loader_finish(l, &set, &problems) == 0;
        rule_print_problems(&problems, true);
        problems_done(&problems);
        rule_loader_free(l);
        rule_set_free(set);
        return is_good;
}

static void print_member(const json_t *o, const char *name, const char *before)
{
        const json_t *j = json_object_get(o, name);
        if (json_is_string(j) && json_string_length(j) > 0) {
                fputs(before, stdout);
                utf8_print(stdout, json_str(j));
        } else if (json_is_integer(j)) {
                printf("%s%lld", before, (long long)json_integer_value(j));
        }
}

/* "12:24:31.123456  execve  shop  nginx[311]  /usr/sbin/nginx -g daemon off;  (upper)" */
static void print_event(const json_t *o)
{
        struct str time = json_member(o, "time");
        ptrdiff_t t = str_find_char(time, 'T');
        utf8_print(stdout, str_upto(str_from(time, (size_t)(t + 1)), 15));
        print_member(o, "type", "  ");
        print_member(o, "container.name", "  ");
        print_member(o, "proc.name", "  ");
        print_member(o, "proc.pid", "[");
        putchar(']');
        print_member(o, "proc.exepath", "  ");
        print_member(o, "proc.cmdline", "  ");
        print_member(o, "fd.name", "  ");
        print_member(o, "evt.args", "  ");
        print_member(o, "evt.res", "  ");
        print_member(o, "proc.exe.layer", "  ");
        putchar('\n');
}

/* Until the agent ends, or we are to. */
static int follow(const struct events_command *c, FILE *from)
{
        uint64_t n = 0;
        json_t *o;
        while ((o = agent_next(from))) {
                struct str refusal = json_member(o, "error");
                if (refusal.n > 0) {
                        fprintf(stderr, "sekisho: the agent: ");
                        utf8_print(stderr, refusal);
                        fputc('\n', stderr);
                        json_decref(o);
                        return EXIT_INCOMPLETE;
                }
                bool is_event = !json_object_get(o, "streaming");
                if (is_event && c->is_json) {
                        json_dumpf(o, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
                        putchar('\n');
                } else if (is_event) {
                        print_event(o);
                }
                fflush(stdout);
                json_decref(o);
                n += is_event;
                if ((c->count > 0 && n == c->count) || ferror(stdout))
                        return EXIT_CLEAN;
        }
        if (workers_interrupted())
                return EXIT_CLEAN;
        fprintf(stderr, "sekisho: the agent ended\n");
        return EXIT_INCOMPLETE;
}

static int events_main(void *state, int argc, char **argv)
{
        const struct events_command *c = state;
        struct error err = ERROR_NONE;
        int fd;
        if (argc > 1)
                return fail_usage(&command_events, "takes one condition, in quotes");
        if (argc == 1 && !check_filter(argv[0]))
                return EXIT_USAGE;
        if (agent_connect(c->socket, &fd, &err) < 0)
                return fail(EXIT_INCOMPLETE, &err);
        json_t *request = doc_object();
        doc_set(request, "request", doc_cstr("events"));
        if (argc == 1)
                doc_set(request, "filter", doc_cstr(argv[0]));
        if (c->container)
                doc_set(request, "container", doc_cstr(c->container));
        FILE *from = fdopen(fd, "r");
        int code = agent_send(fd, request, &err) < 0 ? fail(EXIT_INCOMPLETE, &err) : follow(c, from);
        fclose(from);
        return code;
}

const struct command command_events = {
        .name = "events",
        .usage = "events [OPTIONS] [CONDITION]",
        .summary = "What the agent sees, as it happens",
        .help = "With a condition of the rule language (sekisho rule fields) only what it is true of. A reader that is "
                "too "
                "slow is cut off, and told.\n",
        .examples = "  sekisho events 'proc.exe.layer = upper'\n"
                    "  sekisho events -c shop -o json 'evt.type in (execve, execveat)'\n",
        .options = options,
        .option = events_option,
        .state_size = sizeof(struct events_command),
        .run = events_main,
};
