/* `sekisho agent status`, `reload` and `metrics`: asking the agent that runs. */
#include "cli/agent-status.h"
#include "cli/agent-client.h"
#include "cli/agent-view.h"
#include "cli/book.h"
#include "intel/json.h"
#include "report/text.h"

#include <errno.h>
#include <string.h>

static uint64_t number(const json_t *o, const char *name)
{
        return (uint64_t)json_integer_value(json_object_get(o, name));
}

static void print_status(struct screen *s, const json_t *o)
{
        uint64_t uptime = number(o, "uptime_ms");
        double cpu = uptime > 0 ? 100.0 * (double)number(o, "cpu_ms") / (double)uptime : -1;
        const json_t *part;
        size_t i;
        screen_printf(s, PAINT_GOOD, "An agent runs");
        screen_printf(s, PAINT_PLAIN, ": version %.*s, pid %llu, for %.*s, mode %.*s",
                      STR_FMT(text_clean(s->arena, json_member(o, "version"))), (unsigned long long)number(o, "pid"),
                      STR_FMT(text_elapsed(s->arena, uptime)), STR_FMT(text_clean(s->arena, json_member(o, "mode"))));
        screen_newline(s);
        view_host(s, o, number(o, "containers"), cpu);
        screen_printf(s, PAINT_PLAIN, "%.*s seen, %.*s, %llu held back as repetition; %.*s known",
                      STR_FMT(text_count(s->arena, number(o, "events"), "event", "events")),
                      STR_FMT(text_count(s->arena, number(o, "alerts"), "alert", "alerts")),
                      (unsigned long long)number(o, "held"),
                      STR_FMT(text_count(s->arena, number(o, "processes"), "process", "processes")));
        screen_newline(s);
        screen_printf(s, PAINT_FAINT, "parts");
        json_array_foreach(json_object_get(o, "parts"), i, part)
                screen_printf(s, PAINT_PLAIN, " %.*s", STR_FMT(text_clean(s->arena, json_str(part))));
        screen_newline(s);
}

int agent_status(const char *socket, bool is_json)
{
        struct arena arena = ARENA_INIT;
        struct error err = ERROR_NONE;
        json_t *o;
        if (agent_ask(socket, "status", &o, &err) < 0)
                return fail(EXIT_INCOMPLETE, &err);
        if (is_json)
                return put_document(o, EXIT_CLEAN);
        struct screen s = screen_on_stdout(&arena);
        print_status(&s, json_object_get(o, "status"));
        json_decref(o);
        arena_done(&arena);
        return EXIT_CLEAN;
}

int agent_tell_reload(const char *socket)
{
        struct error err = ERROR_NONE;
        json_t *o;
        if (agent_ask(socket, "reload", &o, &err) < 0)
                return fail(EXIT_INCOMPLETE, &err);
        bool is_done = json_is_true(json_object_get(o, "reloaded"));
        if (is_done)
                printf("%llu rules are loaded anew\n", (unsigned long long)number(o, "rules"));
        else
                fprintf(stderr, "sekisho: the rules do not load, the old ones stay; the agent's own log says why\n");
        json_decref(o);
        return is_done ? EXIT_CLEAN : EXIT_INCOMPLETE;
}

int agent_print_metrics(const char *socket)
{
        struct error err = ERROR_NONE;
        json_t *o;
        if (agent_ask(socket, "metrics", &o, &err) < 0)
                return fail(EXIT_INCOMPLETE, &err);
        struct str text = json_member(o, "metrics");
        fwrite(text.p ? text.p : "", 1, text.n, stdout);
        json_decref(o);
        return EXIT_CLEAN;
}
