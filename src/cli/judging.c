/* See judging.h. */
#include "cli/judging.h"

#include "base/date.h"
#include "flow/register.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DAY INT64_C(86400)

int judging_option(struct judging *j, const struct option_spec *o, const char *value, struct error *err)
{
        struct policy_choice *c = &j->choice;
        if (strcmp(o->name, "policy") == 0)
                return option_append(c->names, &c->n_names, POLICY_NAMES_MAX, value, err);
        if (strcmp(o->name, "waivers") == 0)
                return option_append(c->waivers, &c->n_waivers, WAIVER_FILES_MAX, value, err);
        if (strcmp(o->name, "fail-on") == 0) {
                _cleanup_(buf_done) struct buf text = BUF_INIT(4096);
                int r = policy_fail_on(str_of(value), &text, err);
                return r < 0 ? r : option_append(c->fail_on, &c->n_fail_on, POLICY_NAMES_MAX, value, err);
        }
        if (strcmp(o->name, "control") == 0) {
                if (j->n_controls == CONTROLS_MAX)
                        return error_set(err, -EINVAL, "given more than %d times", CONTROLS_MAX);
                j->controls[j->n_controls++] = str_of(value);
                return 0;
        }
        if (strcmp(o->name, "stage") == 0) {
                j->stage = stage_parse(str_of(value));
                return j->stage & STAGES_POLICY
                               ? 0
                               : error_set(err, -EINVAL, "\"%s\" is not one of build, scan, admit, run", value);
        }
        if (strcmp(o->name, "today") == 0) {
                if (!date_parse(str_of(value), &j->today))
                        return error_set(err, -EINVAL, "\"%s\" is not a date like 2026-11-20", value);
                j->today -= j->today % DAY;
                return 0;
        }
        return OPTION_OTHER;
}

/* No ledger is no error: nobody has written one yet. */
static int read_register(const char *path, struct judgement *j, struct policy_choice *c, struct error *err)
{
        struct waiver *waivers = NULL;
        _cleanup_(book_closep) struct book *book = NULL; /* closed again before workers are forked */
        int r = book_open(path, BOOK_READ, &book, err);
        if (r == 0)
                r = register_read(book, &j->arena, &waivers, &c->n_more, err);
        c->more = waivers;
        return r == -ENOENT ? 0 : r;
}

static void print_problems(const struct problems *p)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT((size_t)4 << 20);
        for (size_t i = 0; i < p->n; i++) {
                problem_print(&p->v[i], &text);
                buf_putc(&text, '\n');
        }
        if (p->n_dropped)
                buf_printf(&text, "... and %zu more\n", p->n_dropped);
        if (text.n)
                fwrite(text.p, 1, text.n, stderr);
}

int judging_open(const struct judging *j, struct judgement *ret)
{
        struct error err = ERROR_NONE;
        struct policy_choice choice = j->choice;
        struct problems problems = { 0 };
        *ret = (struct judgement){ .stage = j->stage ? j->stage : STAGE_SCAN, .today = j->today ? j->today : today() };
        ret->controls.v = arena_array(&ret->arena, j->n_controls, sizeof(struct str));
        for (size_t i = 0; i < j->n_controls; i++)
                ret->controls.v[ret->controls.n++] = j->controls[i];
        if (!j->without_ledger && read_register(j->ledger, ret, &choice, &err) < 0) {
                if (!j->may_miss) {
                        judgement_done(ret);
                        return fail(EXIT_INCOMPLETE, &err);
                }
                fprintf(stderr, "sekisho: none of its waivers counts: %s\n", err.text);
        }
        int r = policy_load(&choice, &ret->arena, &ret->policy, &problems, &err);
        print_problems(&problems);
        if (r == RULES_WRONG)
                (void)error_set(&err, r, "the policy or its waivers cannot be used: %zu error%s, see above",
                                problems.n_errors, problems.n_errors == 1 ? "" : "s");
        problems_done(&problems);
        if (r == 0)
                return 0;
        judgement_done(ret);
        return fail(EXIT_USAGE, &err);
}

void judgement_done(struct judgement *j)
{
        policy_free(j->policy);
        arena_done(&j->arena);
        *j = (struct judgement){ 0 };
}
