/* `sekisho risk`: the register of risks that somebody has accepted: the waivers of the ledger. */
#include "cli/book.h"
#include "decide/waiver.h"
#include "flow/policies.h"
#include "flow/register.h"
#include "report/document.h"
#include "report/screen.h"
#include "report/text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct option_spec options[] = {
        LEDGER_OPTION,
        { "all", 'a', NULL, "list: also those that have ended or expired" },
        { "reason", 0, "WORDS", "end: why (needed)" },
        { "policy", 0, "NAME|FILE", "approve: by whose settings (default: default)" },
        { "output", 'o', "table|json", "list, show: how to write it (default: table)" },
        { NULL, 0, NULL, NULL },
};

struct risk_state {
        bool all, as_json;
        const char *reason, *policy, *ledger;
};

extern const struct command command_risk;

static int risk_option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct risk_state *s = state;
        if (strcmp(o->name, "all") == 0)
                s->all = true;
        else if (strcmp(o->name, "reason") == 0)
                s->reason = value;
        else if (strcmp(o->name, "policy") == 0)
                s->policy = value;
        else if (strcmp(o->name, "ledger") == 0)
                s->ledger = value;
        else
                return option_format(value, "table", &s->as_json, err);
        return 0;
}

struct risk {
        const struct risk_state *state;
        struct book *book;
        struct arena arena;
        struct screen s;
};

/* "active", "requested", "ended: fix: ...", "expired". */
static struct str state_of(struct risk *k, const struct book_waiver *w)
{
        if (w->state == WAIVER_ENDED)
                return w->ended_why.n ? arena_printf(&k->arena, "ended: %.*s", STR_FMT(w->ended_why)) : STR("ended");
        return w->expires <= today() ? STR("expired") : str_of(waiver_state_name(w->state));
}

static bool is_over(const struct book_waiver *w) { return w->state == WAIVER_ENDED || w->expires <= today(); }

static struct str until_of(struct risk *k, const struct book_waiver *w)
{
        char text[WAIVER_UNTIL_TEXT_MAX];
        return arena_str(&k->arena, str_of(waiver_until_print(w->expires, text)));
}

static struct str scope_of(struct risk *k, const struct book_waiver *w)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(1 << 20);
        struct waiver x = waiver_of_book(w);
        waiver_scope_print(&x.scope, &b);
        return arena_str(&k->arena, buf_str(&b));
}

static struct str ends_of(struct risk *k, const struct book_waiver *w)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(256);
        struct waiver x = waiver_of_book(w);
        waiver_end_print(&x.ends_on, &b);
        return arena_str(&k->arena, buf_str(&b));
}

static json_t *object_of(struct risk *k, const struct book_waiver *w)
{
        json_t *o = doc_object();
        doc_set(o, "id", doc_str(w->id));
        doc_set(o, "state", doc_cstr(w->state != WAIVER_ENDED && is_over(w) ? "expired" : waiver_state_name(w->state)));
        doc_set(o, "finding", doc_str(w->finding));
        doc_set(o, "condition", doc_str(w->condition));
        doc_set(o, "scope", doc_str(scope_of(k, w)));
        doc_set(o, "owner", doc_str(w->owner));
        doc_set(o, "requester", doc_str(w->requester));
        doc_set(o, "approver", doc_str(w->approver));
        doc_set(o, "reason", doc_str(w->reason));
        doc_set(o, "response", doc_str(w->response));
        doc_set(o, "control", doc_str(w->control));
        doc_set(o, "ends_on", doc_str(ends_of(k, w)));
        doc_set(o, "created", doc_time(w->created));
        doc_set(o, "approved", doc_time(w->approved));
        doc_set(o, "until", doc_str(until_of(k, w)));
        doc_set(o, "ended", doc_time(w->ended));
        doc_set(o, "ended_by", doc_str(w->ended_by));
        doc_set(o, "ended_why", doc_str(w->ended_why));
        return o;
}

static int list(struct risk *k, const char *id, struct error *err)
{
        struct book_waiver_list all;
        int r = book_waivers(k->book, &k->arena, &all, err);
        size_t shown = 0;
        struct grid g = { .columns = 6, .flexible = 5 };
        json_t *array = doc_array();
        for (size_t i = 0; r == 0 && i < all.n; i++) {
                const struct book_waiver *w = &all.v[i];
                if (is_over(w) && !k->state->all)
                        continue;
                shown++;
                doc_add(array, object_of(k, w));
                grid_add(&k->s, &g, PAINT_STRONG, text_clean(&k->arena, w->id));
                grid_add(&k->s, &g, PAINT_PLAIN, text_clean(&k->arena, w->finding.n ? w->finding : w->condition));
                grid_add(&k->s, &g, w->state == WAIVER_ACTIVE ? PAINT_PLAIN : PAINT_WARN,
                         text_clean(&k->arena, state_of(k, w)));
                grid_add(&k->s, &g, PAINT_PLAIN, arena_printf(&k->arena, "until %.*s", STR_FMT(until_of(k, w))));
                grid_add(&k->s, &g, PAINT_PLAIN, text_clean(&k->arena, w->owner));
                grid_add(&k->s, &g, PAINT_FAINT, text_clean(&k->arena, w->reason));
        }
        if (r == 0 && k->state->as_json) {
                struct doc_stream s = { k->s.to };
                doc_put(&s, NULL, array);
                return doc_end(&s);
        }
        json_decref(array);
        if (r == 0 && shown)
                grid_print(&k->s, &g);
        if (r == 0 && !shown)
                printf("No risk is accepted here%s.\n", all.n ? " today (-a lists those that have ended)" : "");
        return r;
}

static void line(struct risk *k, const char *label, struct str text)
{
        if (text.n)
                printf("  %-10s %.*s\n", label, STR_FMT(text_clean(&k->arena, text)));
}

static int show(struct risk *k, const char *id, struct error *err)
{
        struct book_waiver w;
        char day[32];
        int r = book_waiver_get(k->book, str_of(id), &k->arena, &w, err);
        if (r < 0)
                return r;
        if (k->state->as_json) {
                struct doc_stream s = { k->s.to };
                doc_put(&s, NULL, object_of(k, &w));
                return doc_end(&s);
        }
        printf("%.*s  %.*s\n", STR_FMT(text_clean(&k->arena, w.id)), STR_FMT(text_clean(&k->arena, state_of(k, &w))));
        line(k, "waives", w.finding);
        line(k, "if", w.condition);
        line(k, "scope", scope_of(k, &w));
        line(k, "reason", w.reason);
        line(k, "owner", w.owner);
        line(k, "asked by",
             arena_printf(&k->arena, "%.*s on %s", STR_FMT(w.requester),
                          waiver_until_print(w.created - w.created % 86400 + 86400, day)));
        line(k, "approved", w.approver);
        line(k, "response", w.response);
        line(k, "control", w.control);
        line(k, "until", until_of(k, &w));
        line(k, "ends on", ends_of(k, &w));
        line(k, "ended by", w.ended_by);
        return 0;
}

/* Whether the policy wants two persons. */
static int wants_two(struct risk *k, bool *ret, struct error *err)
{
        struct policy_choice c = { 0 };
        struct problems problems;
        _cleanup_(policy_freep) struct policy *p = NULL;
        if (k->state->policy)
                c.names[c.n_names++] = k->state->policy;
        int r = policy_load(&c, &k->arena, &p, &problems, err);
        problems_done(&problems);
        if (r == RULES_WRONG)
                return error_set(err, -EINVAL, "%s has mistakes: sekisho rule check", k->state->policy);
        if (r == 0)
                *ret = policy_settings(p)->four_eyes;
        return r;
}

static int approve(struct risk *k, const char *id, struct error *err)
{
        bool must_differ = false;
        int r = wants_two(k, &must_differ, err);
        const struct book_stamp stamp = stamp_now(&k->arena);
        if (r == 0)
                r = book_waiver_approve(k->book, &stamp, str_of(id), must_differ, err);
        if (r == 0)
                printf("%s is approved by %.*s\n", id, STR_FMT(stamp.actor));
        return r;
}

static int end(struct risk *k, const char *id, struct error *err)
{
        const struct book_stamp stamp = stamp_now(&k->arena);
        if (!k->state->reason)
                return error_set(err, -EINVAL, "why does it end? sekisho risk end %s --reason WORDS", id);
        struct str why = arena_printf(&k->arena, "withdrawn: %s", k->state->reason);
        int r = book_waiver_end(k->book, &stamp, str_of(id), why, err);
        if (r == 0)
                printf("%s has ended\n", id);
        return r;
}

/* Opens the ledger for a verb that names `n` waivers (0 or 1), and runs it. */
static int with_ledger(void *state, int argc, char **argv, int n, enum book_mode mode,
                       int (*run)(struct risk *k, const char *id, struct error *err))
{
        struct risk k = { .state = state };
        struct error err = ERROR_NONE;
        if (argc != n)
                return fail_usage(&command_risk, n ? "needs the id of a waiver, like W-7" : "list takes no argument");
        k.s = (struct screen){ stdout, &k.arena, may_colour(STDOUT_FILENO), terminal_width(STDOUT_FILENO) };
        int r = book_open(k.state->ledger, mode, &k.book, &err);
        if (r == 0)
                r = run(&k, argv[0], &err);
        else if (r == -ENOENT && run == list) {
                printf("No risk is accepted here: there is no ledger yet.\n");
                r = 0;
        }
        book_close(k.book);
        arena_done(&k.arena);
        return r == 0 ? EXIT_CLEAN : fail(r == -EINVAL || r == -ENOENT ? EXIT_USAGE : EXIT_INCOMPLETE, &err);
}

static int run_list(void *state, int argc, char **argv) { return with_ledger(state, argc, argv, 0, BOOK_READ, list); }

static int run_show(void *state, int argc, char **argv) { return with_ledger(state, argc, argv, 1, BOOK_READ, show); }

static int run_approve(void *state, int argc, char **argv)
{
        return with_ledger(state, argc, argv, 1, BOOK_WRITE, approve);
}

static int run_end(void *state, int argc, char **argv) { return with_ledger(state, argc, argv, 1, BOOK_WRITE, end); }

static const struct verb verbs[] = {
        { "list", run_list, "all output ledger" },
        { "show", run_show, "output ledger" },
        { "approve", run_approve, "policy ledger" },
        { "end", run_end, "reason ledger" },
        { NULL, NULL, NULL },
};

const struct command command_risk = {
        .name = "risk",
        .usage = "risk list | show ID | approve ID | end ID --reason WORDS",
        .summary = "Look after the risks that were accepted",
        .help = "The register is the ledger's ($SEKISHO_LEDGER). Whoever approves is who runs this, or "
                "$SEKISHO_ACTOR.\n",
        .examples = "  sekisho risk list\n"
                    "  sekisho risk end W-7 --reason 'the update is in'\n",
        .options = options,
        .option = risk_option,
        .state_size = sizeof(struct risk_state),
        .verbs = verbs,
};
