/* `sekisho incident`: what belonged to one attack, as the agent wrote it down. */
#include "cli/book.h"
#include "cli/command.h"
#include "intel/framework.h"
#include "report/document.h"
#include "report/text.h"
#include "serve/incident-story.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)

struct incident_command {
        const char *file;
        bool is_json;
};

extern const struct command command_incident;

static const struct option_spec options[] = {
        { "file", 0, "FILE", "log of incidents (default: " INCIDENT_LOG_DEFAULT ")" },
        { "output", 'o', "FORMAT", "table (the default) or json" },
        { NULL, 0, NULL, NULL },
};

static int incident_option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct incident_command *c = state;
        if (strcmp(o->name, "file") == 0) {
                c->file = value;
                return 0;
        }
        return option_format(value, "table", &c->is_json, err);
}

/* --------------------------------------------------------------------------------------------------- words ---- */

enum time_form { TIME_OF_DAY, TIME_AND_DAY, TIME_WITH_ZONE };

static struct str local_time(struct arena *a, int64_t ns, enum time_form form)
{
        char text[64];
        struct tm tm;
        time_t t = (time_t)(ns / SECOND_NS);
        localtime_r(&t, &tm);
        size_t n = form == TIME_OF_DAY    ? strftime(text, sizeof(text), "%H:%M:%S", &tm)
                   : form == TIME_AND_DAY ? strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm)
                                          : strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %Z", &tm);
        return arena_str(a, str_span(text, n));
}

static struct str base_name(struct str path)
{
        ptrdiff_t slash = str_rfind_char(path, '/');
        return slash < 0 ? path : str_from(path, (size_t)slash + 1);
}

static struct str name_of(struct arena *a, const struct incident_process *p)
{
        return p->program.n > 0 ? text_clean(a, base_name(p->program)) : STR("?");
}

static struct str container_of(struct arena *a, const struct story *s)
{
        if (s->container_id.n == 0)
                return STR("host");
        return text_clean(a, s->container_name.n > 0 ? s->container_name : s->container_id);
}

static bool is_over(const struct story *s) { return now_seconds() * SECOND_NS - s->last_ns >= INCIDENT_IDLE_NS; }

static struct str elapsed(struct arena *a, const struct story *s)
{
        return text_elapsed(a, (uint64_t)(s->last_ns - s->first_ns) / 1000000);
}

static enum paint paint_of(enum rule_priority p) { return p <= PRIORITY_ERROR ? PAINT_BAD : PAINT_WARN; }

/* --------------------------------------------------------------------------------------------------- list ---- */

static int list(struct screen *s, const struct stories *all)
{
        struct grid g = { .columns = 7, .flexible = 5 };
        static const char *const heads[] = {
                "INCIDENT", "BEGAN", "LASTED", "PRIORITY", "CONTAINER", "IMAGE", "ALERTS"
        };
        if (all->n == 0) {
                screen_printf(s, PAINT_GOOD, "No incident");
                screen_newline(s);
                return EXIT_CLEAN;
        }
        for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
                grid_add(s, &g, PAINT_FAINT, str_of(heads[i]));
        for (size_t i = all->n; i-- > 0;) { /* the newest first */
                const struct story *one = &all->v[i];
                grid_add(s, &g, PAINT_STRONG, arena_printf(s->arena, "%llu", (unsigned long long)one->number));
                grid_add(s, &g, PAINT_PLAIN, local_time(s->arena, one->first_ns, TIME_AND_DAY));
                grid_add(s, &g, PAINT_PLAIN, is_over(one) ? elapsed(s->arena, one) : STR("goes on"));
                grid_add(s, &g, paint_of(one->priority), str_of(rule_priority_names[one->priority]));
                grid_add(s, &g, PAINT_NAME, container_of(s->arena, one));
                grid_add(s, &g, PAINT_PLAIN, text_clean(s->arena, one->image));
                grid_add(s, &g, PAINT_PLAIN,
                         one->enforced > 0
                                 ? arena_printf(s->arena, "%llu, %llu enforced", (unsigned long long)one->alerts,
                                                (unsigned long long)one->enforced)
                                 : arena_printf(s->arena, "%llu", (unsigned long long)one->alerts));
        }
        grid_print(s, &g);
        if (all->left_out > 0) {
                screen_printf(s, PAINT_FAINT, "%llu older ones are left out; sekisho incident show NUMBER finds them",
                              (unsigned long long)all->left_out);
                screen_newline(s);
        }
        return EXIT_CLEAN;
}

/* --------------------------------------------------------------------------------------------------- show ---- */

/* What was done, in words that cannot be missed. */
static struct str done_words(struct arena *a, struct str action)
{
        static const struct {
                const char *action, *words;
        } table[] = {
                { "killed", "KILLED before its first instruction" },
                { "killed-after", "KILLED with its descendants, after the event" },
                { "kill-failed", "NOT KILLED: the kernel could not" },
                { "action-failed", "NOT DONE: the action failed" },
                { "already", "nothing more to do: it was done before" },
                { "would-act", "nothing done: a dry run" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (str_is(action, table[i].action))
                        return str_of(table[i].words);
        return action.n == 0 || str_is(action, "none") ? STR_NONE : text_clean(a, action);
}

static struct str techniques_of(struct arena *a, const struct incident_entry *e)
{
        struct str all = STR_NONE;
        for (size_t i = 0; i < e->tags.n; i++) {
                const struct technique *t = framework_tag_parse(e->tags.v[i]).technique;
                if (t)
                        all = arena_printf(a, "%.*s%s%s", STR_FMT(all), all.n > 0 ? " " : "", t->id);
        }
        return all;
}

/* "nginx (pid 311) → sh -c x (pid 400)" */
static struct str doing(struct arena *a, const struct incident_entry *e)
{
        if (e->n_lineage == 0)
                return text_clean(a, e->output);
        const struct incident_process *p = &e->lineage[0];
        struct str command = p->command.n > 0 ? text_clean(a, p->command) : name_of(a, p);
        if (e->n_lineage == 1)
                return arena_printf(a, "%.*s (pid %u)", STR_FMT(command), p->pid);
        return arena_printf(a, "%.*s (pid %u) → %.*s (pid %u)", STR_FMT(name_of(a, p + 1)), p[1].pid, STR_FMT(command),
                            p->pid);
}

static void head(struct screen *s, const struct story *one)
{
        struct str image = text_clean(s->arena, one->image);
        screen_printf(s, paint_of(one->priority), "Incident %llu", (unsigned long long)one->number);
        screen_printf(s, PAINT_PLAIN, "  %.*s%s%.*s%s  %s, %.*s in %.*s%s  ", STR_FMT(container_of(s->arena, one)),
                      image.n > 0 ? " (" : "", STR_FMT(image), image.n > 0 ? ")" : "",
                      rule_priority_names[one->priority], STR_FMT(text_count(s->arena, one->alerts, "alert", "alerts")),
                      STR_FMT(elapsed(s->arena, one)), is_over(one) ? "" : ", goes on");
        screen_put(s, PAINT_FAINT, local_time(s->arena, one->first_ns, TIME_WITH_ZONE));
        screen_newline(s);
}

static void timeline(struct screen *s, const struct story *one)
{
        struct grid g = { .columns = 5, .flexible = 1 };
        for (size_t i = 0; i < one->n_entries; i++) {
                const struct incident_entry *e = &one->entries[i];
                struct str done = done_words(s->arena, e->action);
                grid_add(s, &g, PAINT_FAINT, local_time(s->arena, e->time_ns, TIME_OF_DAY));
                grid_add(s, &g, PAINT_PLAIN, doing(s->arena, e));
                grid_add(s, &g, paint_of(e->priority), text_clean(s->arena, e->rule));
                grid_add(s, &g, story_action_is_done(e->action) ? PAINT_GOOD : PAINT_BAD, done);
                grid_add(s, &g, PAINT_FAINT, techniques_of(s->arena, e));
        }
        grid_print(s, &g);
        if (one->alerts > one->n_entries) {
                screen_printf(s, PAINT_FAINT, "and %.*s that were only counted",
                              STR_FMT(text_count(s->arena, one->alerts - one->n_entries, "alert", "alerts")));
                screen_newline(s);
        }
}

static void processes(struct screen *s, const struct story *one)
{
        struct grid g = { .columns = 3, .indent = 2, .flexible = 2 };
        if (one->n_processes == 0)
                return;
        screen_newline(s);
        screen_put(s, PAINT_STRONG, STR("Processes"));
        screen_newline(s);
        for (size_t i = 0; i < one->n_processes; i++) {
                const struct story_process *p = &one->processes[i];
                grid_add(s, &g, PAINT_NAME,
                         arena_printf(s->arena, "%*s%.*s", (int)MIN(2 * p->depth, 32u), "",
                                      STR_FMT(name_of(s->arena, p->process))));
                grid_add(s, &g, PAINT_PLAIN, arena_printf(s->arena, "pid %u", p->process->pid));
                grid_add(s, &g, PAINT_FAINT, text_clean(s->arena, p->process->command));
        }
        grid_print(s, &g);
}

static void attack(struct screen *s, const struct story *one)
{
        struct grid g = { .columns = 3, .indent = 2, .flexible = 2 };
        const struct tactic *last = NULL;
        if (one->n_techniques == 0)
                return;
        screen_newline(s);
        screen_put(s, PAINT_STRONG, STR("ATT&CK"));
        screen_newline(s);
        for (size_t i = 0; i < one->n_techniques; i++) {
                const struct story_technique *t = &one->techniques[i];
                grid_add(s, &g, PAINT_PLAIN, t->tactic && t->tactic != last ? str_of(t->tactic->name) : STR_NONE);
                grid_add(s, &g, PAINT_PLAIN, str_of(t->technique->id));
                grid_add(s, &g, PAINT_PLAIN, str_of(t->technique->name));
                last = t->tactic;
        }
        grid_print(s, &g);
}

static void what_to_do(struct screen *s, const struct story *one)
{
        screen_newline(s);
        screen_put(s, PAINT_STRONG, STR("What to do"));
        screen_newline(s);
        if (one->enforced == 0)
                screen_printf(s, PAINT_BAD, "  nothing was stopped: ");
        else
                screen_printf(s, PAINT_GOOD, "  %.*s stopped: ",
                              STR_FMT(text_count(s->arena, one->enforced, "action was", "actions were")));
        if (one->container_id.n > 0)
                screen_printf(s, PAINT_PLAIN,
                              "see what the container holds, and the way in:  sekisho scan container:%.*s",
                              STR_FMT(text_shell(s->arena, container_of(s->arena, one))));
        else
                screen_printf(s, PAINT_PLAIN, "look at the session and its processes on the host, as above");
        screen_newline(s);
}

static int show(struct screen *s, const struct story *one)
{
        head(s, one);
        screen_newline(s);
        timeline(s, one);
        processes(s, one);
        attack(s, one);
        what_to_do(s, one);
        return EXIT_CLEAN;
}

/* ---------------------------------------------------------------------------------------------------- run ---- */

static int print_json(const struct stories *all, uint64_t only)
{
        json_t *o;
        if (only > 0) {
                o = story_json(&all->v[0]);
        } else {
                json_t *list = doc_array();
                o = doc_object();
                for (size_t i = 0; i < all->n; i++)
                        doc_add(list, story_json(&all->v[i]));
                doc_set(o, "incidents", list);
                doc_set(o, "left_out", doc_number(all->left_out));
                doc_set(o, "malformed_lines", doc_number(all->flaws.malformed));
                doc_set(o, "chain_breaks", doc_number(all->flaws.breaks));
        }
        json_dumpf(o, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        putchar('\n');
        json_decref(o);
        return EXIT_CLEAN;
}

static int print(const struct incident_command *c, uint64_t only)
{
        const char *path = c->file ? c->file : INCIDENT_LOG_DEFAULT;
        struct stories all;
        struct error err = ERROR_NONE;
        int r = stories_read(path, only, &all, &err);
        if (r == -ENOENT)
                error_set(&err, r, "%s: there is no log of incidents; the agent writes one with --incidents FILE",
                          path);
        if (r < 0)
                return fail(EXIT_INCOMPLETE, &err);
        struct screen s = screen_on_stdout(&all.arena);
        int code = EXIT_USAGE;
        if (only > 0 && all.n == 0)
                fprintf(stderr, "sekisho: there is no incident %llu in %s\nTry: sekisho incident list\n",
                        (unsigned long long)only, path);
        else if (c->is_json)
                code = print_json(&all, only);
        else
                code = only > 0 ? show(&s, &all.v[0]) : list(&s, &all);
        if (all.flaws.first > 0) {
                fprintf(stderr,
                        "sekisho: %s: %llu lines are malformed and %llu do not follow the line before them, the first "
                        "in line %llu: what it says may not be all\n",
                        path, (unsigned long long)all.flaws.malformed, (unsigned long long)all.flaws.breaks,
                        (unsigned long long)all.flaws.first);
                code = code == EXIT_CLEAN ? EXIT_INCOMPLETE : code;
        }
        stories_done(&all);
        return code;
}

/* "list", nothing (the same), "show 42", "42". */
static int incident_main(void *state, int argc, char **argv)
{
        uint64_t only = 0;
        bool is_show = argc > 0 && strcmp(argv[0], "show") == 0;
        if (argc == 0 || (argc == 1 && strcmp(argv[0], "list") == 0))
                return print(state, 0);
        if (argc != 1 + is_show || !str_u64(str_of(argv[is_show]), &only) || only == 0)
                return fail_usage(&command_incident, "takes list, or show and the number of an incident");
        return print(state, only);
}

const struct command command_incident = {
        .name = "incident",
        .usage = "incident [list | show NUMBER]",
        .summary = "What belonged to one attack: its timeline, its processes, its techniques",
        .help = "The agent joins alerts into incidents (sekisho agent --incidents FILE): those of one container, or on "
                "the "
                "host of one session or descent, with less than ten minutes between them. Exit status 3: parts of the "
                "log are malformed or do not follow each other.\n",
        .examples = "  sekisho incident list\n"
                    "  sekisho incident show 42 -o json\n",
        .options = options,
        .option = incident_option,
        .state_size = sizeof(struct incident_command),
        .run = incident_main,
};
