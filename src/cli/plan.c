/* `sekisho plan`: the smallest set of moves that makes the verdict pass, and the proof. */
#include "flow/plan.h"
#include "cli/session.h"
#include "report/document.h"
#include "report/screen.h"
#include "report/text.h"
#include "report/view.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct option_spec options[] = {
        { "output", 'o', "table|json", "how to write it (default: table)" },
        JUDGING_OPTIONS,
        { "vex", 0, "FILE", "set findings aside that this OpenVEX, CycloneDX or CSAF document answers; repeatable" },
        ADVISORIES_OPTION,
        SESSION_SOURCE_OPTIONS,
        { "quiet", 'q', NULL, "no progress" },
        { NULL, 0, NULL, NULL },
};

#define LEFT_SHOWN 20

static const char unknown_base[] =
        "what the new base brings is not known before it is built: scan the image again then";

/* --- for a person --- */

struct page {
        struct screen s;
        const struct plan *plan;
        struct arena arena;
        struct str target; /* as a shell reads it */
};

static void heading(struct page *p, const char *words)
{
        screen_newline(&p->s);
        screen_put(&p->s, PAINT_STRONG, str_of(words));
        screen_newline(&p->s);
}

static void text_line(struct page *p, enum paint paint, struct str text)
{
        fputs("  ", p->s.to);
        screen_put(&p->s, paint, text);
        screen_newline(&p->s);
}

static size_t denied(const struct report *r)
{
        size_t n = 0;
        for (size_t i = 0; i < r->n_rules; i++)
                n += r->rules[i].denies ? r->rules[i].n_findings : 0;
        return n;
}

static void verdict(struct page *p, const struct report *r)
{
        screen_put(&p->s, r->denied ? PAINT_BAD : PAINT_GOOD, verdict_words(r, &p->arena));
        screen_printf(&p->s, PAINT_PLAIN, " %.*s", STR_FMT(policy_words(r, &p->arena)));
        if (r->denied)
                screen_printf(&p->s, PAINT_PLAIN, ", %.*s",
                              STR_FMT(text_count(&p->arena, denied(r), "finding", "findings")));
}

static struct str closes(struct page *p, const struct plan_update *u)
{
        struct arena *a = &p->arena;
        struct str others =
                u->n_others ? arena_printf(a, ", and %.*s more", STR_FMT(text_number(a, u->n_others))) : STR_NONE;
        return arena_printf(a, "closes %.*s%.*s",
                            STR_FMT(text_count(a, u->n_denied, "denied finding", "denied findings")), STR_FMT(others));
}

static void moves(struct page *p)
{
        const struct plan *plan = p->plan;
        struct arena *a = &p->arena;
        struct grid g = { .columns = 4, .indent = 2, .flexible = 1 };
        if (!plan->n_updates && !plan->replaces_base)
                return;
        heading(p, "Moves");
        if (plan->replaces_base) {
                grid_add(&p->s, &g, PAINT_NAME, STR("replace"));
                grid_add(&p->s, &g, PAINT_STRONG,
                         arena_printf(a, "base image %.*s", STR_FMT(text_clean(a, plan->base_from))));
                grid_add(&p->s, &g, PAINT_PLAIN,
                         plan->base_to.n ? arena_printf(a, "→ %.*s", STR_FMT(text_clean(a, plan->base_to)))
                                         : STR("by one that is supported"));
                grid_add(&p->s, &g, PAINT_PLAIN, STR("closes the end of life"));
        }
        for (size_t i = 0; i < plan->n_updates; i++) {
                const struct plan_update *u = &plan->updates[i];
                grid_add(&p->s, &g, PAINT_NAME, STR("update"));
                grid_add(&p->s, &g, PAINT_STRONG, text_clean(a, u->name));
                grid_add(
                        &p->s, &g, PAINT_PLAIN,
                        arena_printf(a, "%.*s → %.*s", STR_FMT(text_clean(a, u->from)), STR_FMT(text_clean(a, u->to))));
                grid_add(&p->s, &g, PAINT_PLAIN, closes(p, u));
        }
        grid_print(&p->s, &g);
        if (plan->replaces_base)
                text_line(p, PAINT_FAINT, str_of(unknown_base));
}

static void command_lines(struct page *p)
{
        bool any = false;
        for (size_t i = 0; plan_types[i]; i++) {
                struct str command = plan_command(p->plan, plan_types[i], &p->arena);
                if (!command.n)
                        continue;
                if (!any)
                        heading(p, "Commands, for the build");
                any = true;
                text_line(p, PAINT_PLAIN, text_clean(&p->arena, command));
        }
        if (any)
                text_line(p, PAINT_FAINT, STR("Where an archive has only a later version, that one does as well."));
}

static struct str accept_line(struct page *p, const struct finding *f)
{
        return arena_printf(&p->arena, "sekisho accept %.*s %.*s --reason … --until …",
                            STR_FMT(text_clean(&p->arena, text_shell(&p->arena, f->id))), STR_FMT(p->target));
}

static void left(struct page *p)
{
        const struct plan *plan = p->plan;
        if (!plan->n_left)
                return;
        heading(p, "To decide: no update closes these");
        for (size_t i = 0; i < MIN(plan->n_left, (size_t)LEFT_SHOWN); i++) {
                const struct finding *f = plan->left[i];
                text_line(p, PAINT_PLAIN,
                          arena_printf(&p->arena, "%.*s: %.*s", STR_FMT(text_clean(&p->arena, f->id)),
                                       STR_FMT(text_clean(&p->arena, f->title))));
                if (f->rule->fix.n)
                        text_line(p, PAINT_FAINT,
                                  arena_printf(&p->arena, "  %.*s", STR_FMT(text_clean(&p->arena, f->rule->fix))));
                text_line(p, PAINT_NAME, arena_printf(&p->arena, "  %.*s", STR_FMT(accept_line(p, f))));
        }
        if (plan->n_left > LEFT_SHOWN)
                text_line(p, PAINT_FAINT,
                          arena_printf(&p->arena, "…%zu more: -o json has all", plan->n_left - LEFT_SHOWN));
}

static void proof(struct page *p)
{
        const struct plan *plan = p->plan;
        const struct report *after = &plan->after.report;
        heading(p, "Proof: the planned state, matched and judged again");
        fputs("  after these moves: ", p->s.to);
        verdict(p, after);
        screen_newline(&p->s);
        text_line(p, PAINT_PLAIN,
                  arena_printf(&p->arena, "findings: %zu before, %zu after", plan->before->report.n_findings,
                               after->n_findings));
        if (plan->replaces_base)
                text_line(p, PAINT_WARN,
                          STR("not proved: the new base image, which only a scan of the result can tell"));
}

static void print(struct page *p)
{
        const struct report *r = &p->plan->before->report;
        screen_put(&p->s, PAINT_STRONG, text_clean(&p->arena, r->target));
        fputs(": ", p->s.to);
        verdict(p, r);
        screen_newline(&p->s);
        if (!r->denied) {
                screen_put(&p->s, PAINT_PLAIN, STR("Nothing needs to be done."));
                screen_newline(&p->s);
                return;
        }
        moves(p);
        command_lines(p);
        left(p);
        proof(p);
}

/* --- for a program: docs/format/policy.md --- */

static json_t *update_object(const struct plan *plan, const struct plan_update *u)
{
        json_t *o = doc_object(), *packages = doc_array();
        doc_set(o, "name", doc_text(u->name));
        doc_set(o, "ecosystem", doc_str(u->ecosystem));
        doc_set(o, "from", doc_str(u->from));
        doc_set(o, "to", doc_str(u->to));
        doc_set(o, "closes_denied", doc_number(u->n_denied));
        doc_set(o, "closes_others", doc_number(u->n_others));
        for (size_t i = 0; i < u->n_packages; i++) {
                const struct fact_package *q = &plan->before->report.packages[u->packages[i].package].p;
                json_t *x = doc_object();
                doc_set(x, "type", doc_str(q->type));
                doc_set(x, "name", doc_str(q->name));
                doc_set(x, "arch", doc_str(q->arch));
                doc_set(x, "from", doc_str(q->version));
                doc_set(x, "to", doc_str(u->packages[i].to));
                doc_add(packages, x);
        }
        doc_set(o, "packages", packages);
        return o;
}

static json_t *verdict_object(const struct report *r)
{
        json_t *o = doc_object(), *rules = doc_array();
        for (size_t i = 0; i < r->n_rules; i++)
                if (r->rules[i].denies)
                        doc_add(rules, doc_text(r->rules[i].name));
        doc_set(o, "decision", doc_cstr(r->denied ? "deny" : "allow"));
        doc_set(o, "policy", doc_str(r->policy));
        doc_set(o, "denied_findings", doc_number(denied(r)));
        doc_set(o, "findings", doc_number(r->n_findings));
        doc_set(o, "denying_rules", rules);
        return o;
}

static json_t *left_objects(struct page *p)
{
        json_t *array = doc_array();
        for (size_t i = 0; i < p->plan->n_left; i++) {
                const struct finding *f = p->plan->left[i];
                json_t *o = doc_object();
                doc_set(o, "id", doc_str(f->id));
                doc_set(o, "kind", doc_cstr(finding_kind_name(f->kind)));
                doc_set(o, "severity", doc_cstr(severity_name(f->severity)));
                doc_set(o, "title", doc_str(f->title));
                doc_set(o, "rule", doc_str(f->rule->name));
                doc_set(o, "to_accept", doc_str(accept_line(p, f)));
                doc_add(array, o);
        }
        return array;
}

static int print_json(struct page *p)
{
        const struct plan *plan = p->plan;
        struct doc_stream s = { p->s.to };
        json_t *updates = doc_array(), *lines = doc_array(), *base = doc_null();
        for (size_t i = 0; i < plan->n_updates; i++)
                doc_add(updates, update_object(plan, &plan->updates[i]));
        for (size_t i = 0; plan_types[i]; i++) {
                struct str command = plan_command(plan, plan_types[i], &p->arena);
                if (command.n)
                        doc_add(lines, doc_text(command));
        }
        if (plan->replaces_base) {
                base = doc_object();
                doc_set(base, "from", doc_str(plan->base_from));
                doc_set(base, "to", doc_str(plan->base_to));
                doc_set(base, "unknown", doc_cstr(unknown_base));
        }
        doc_open(&s, NULL, '{');
        doc_put(&s, "schema", doc_cstr("sekisho.plan/1"));
        doc_put(&s, "target", doc_text(plan->before->report.target));
        doc_put(&s, "digest", doc_str(plan->before->report.digest));
        doc_put(&s, "today", doc_day(plan->before->report.today));
        doc_put(&s, "before", verdict_object(&plan->before->report));
        doc_put(&s, "base", base);
        doc_put(&s, "updates", updates);
        doc_put(&s, "commands", lines);
        doc_put(&s, "left", left_objects(p));
        doc_put(&s, "after", verdict_object(&plan->after.report));
        doc_put(&s, "is_proved", doc_bool(!plan->replaces_base && plan->passes));
        doc_close(&s, '}');
        return doc_end(&s);
}

/* --- the command --- */

extern const struct command command_plan;

struct plan_state {
        struct session_settings session; /* first: session_option takes it */
        bool as_json;
};

static int plan_option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct plan_state *s = state;
        if (strcmp(o->name, "output") != 0)
                return session_option(&s->session, o, value, err);
        return option_format(value, "table", &s->as_json, err);
}

static int plan_main(void *state, int argc, char **argv)
{
        const struct plan_state *s = state;
        struct session session;
        struct error err = ERROR_NONE;
        struct plan plan;
        if (argc != 1)
                return fail_usage(&command_plan, "needs one target");
        int code = session_run(&s->session, argv[0], &session);
        if (code != 0)
                return code;
        int r = plan_make(&session.scan, &session.options, &plan, &err);
        if (r == 0) {
                struct page p = { .plan = &plan };
                p.s = (struct screen){ stdout, &p.arena, may_colour(STDOUT_FILENO), terminal_width(STDOUT_FILENO) };
                p.target = text_clean(&p.arena, text_shell(&p.arena, str_of(argv[0])));
                if (s->as_json)
                        r = print_json(&p);
                else
                        print(&p);
                if (r == 0 && stream_result(stdout) < 0)
                        r = error_set(&err, -EIO, "cannot write the plan");
                code = plan.passes ? EXIT_CLEAN : EXIT_DENIED;
                if (plan.passes && !session.scan.report.complete)
                        code = EXIT_INCOMPLETE;
                arena_done(&p.arena);
                plan_done(&plan);
        }
        session_done(&session);
        return r < 0 ? fail(EXIT_INCOMPLETE, &err) : code;
}

const struct command command_plan = {
        .name = "plan",
        .usage = "plan [OPTIONS] TARGET",
        .summary = "Tell the smallest set of moves that makes the verdict pass",
        .help = "Only what the policy denies is moved: each source package to the lowest version without a denied "
                "finding. The planned state is matched and judged again. Exit status: 0 it would pass, 1 something is "
                "left to decide.\n",
        .examples = "  sekisho plan nginx-app.tar\n"
                    "  sekisho plan --policy strict -o json registry:localhost:5000/web:1.2\n",
        .options = options,
        .option = plan_option,
        .state_size = sizeof(struct plan_state),
        .run = plan_main,
};
