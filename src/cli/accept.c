/*
 * `sekisho accept`: a waiver for one finding of one artefact. It is tried on the artefact before it is written down: a
 * waiver that would not hold is refused, with the reason.
 */
#include "cli/book.h"
#include "cli/session.h"
#include "flow/again.h"
#include "flow/register.h"
#include "report/text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct option_spec options[] = {
        { "reason", 0, "WORDS", "why it may be accepted (needed)" },
        { "until", 0, "DATE", "the last day on which it holds (needed)" },
        { "owner", 0, "NAME", "who answers for it (default: you)" },
        { "approver", 0, "NAME", "who has approved it; where the policy wants two persons, another one than you" },
        { "scope", 0, "PART:VALUE", "repo:..., digest:..., package:..., path:...; repeatable (default: this digest)" },
        { "response", 0, "WORD", "accept, mitigate, replace or update (default: accept; with --control mitigate)" },
        { "control", 0, "NAME", "the control that mitigates, like waf:9301; counts only while it is live" },
        { "ends-on", 0, "WORDS",
          "fix, kev, epss=0.5, control, exposed, none (default: what is not so today of the first two)" },
        { "to", 0, "FILE", "write it to a file of waivers instead of the ledger" },
        LEDGER_OPTION,
        { "policy", 0, "NAME|FILE", "try it by this policy; repeatable (default: default)" },
        ADVISORIES_OPTION,
        { "today", 0, "DATE", "try it as on that day" },
        SESSION_SOURCE_OPTIONS,
        { "quiet", 'q', NULL, "no progress" },
        { NULL, 0, NULL, NULL },
};

struct accepting {
        struct session_settings session; /* first: session_option takes it */
        struct waiver waiver;
        bool has_end;
        const char *to, *ledger;
};

extern const struct command command_accept;

static int accept_option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct accepting *a = state;
        struct waiver *w = &a->waiver;
        const struct {
                const char *name;
                struct str *to;
        } texts[] = { { "reason", &w->reason },
                      { "owner", &w->owner },
                      { "approver", &w->approver },
                      { "response", &w->response },
                      { "control", &w->control } };
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                if (strcmp(o->name, texts[i].name) != 0)
                        continue;
                *texts[i].to = str_trim(str_of(value));
                for (const char *p = value; *p; p++)
                        if ((unsigned char)*p < 0x20 || *p == 0x7f)
                                return error_set(err, -EINVAL, "is more than one line of text");
                return texts[i].to->n && texts[i].to->n <= WAIVER_TEXT_MAX
                               ? 0
                               : error_set(err, -EINVAL, "needs from 1 to %u bytes of text", WAIVER_TEXT_MAX);
        }
        if (strcmp(o->name, "until") == 0)
                return waiver_until_parse(str_of(value), &w->expires)
                               ? 0
                               : error_set(err, -EINVAL, "\"%s\" is not a date like 2026-12-31", value);
        if (strcmp(o->name, "scope") == 0)
                return waiver_scope_parse(str_of(value), &w->scope)
                               ? 0
                               : error_set(err, -EINVAL,
                                           "\"%s\" is not repo:NAME, digest:sha256:..., package:NAME or path:PATH, "
                                           "each once",
                                           value);
        if (strcmp(o->name, "ends-on") == 0) {
                a->has_end = true;
                return waiver_end_parse(str_of(value), &w->ends_on)
                               ? 0
                               : error_set(err, -EINVAL,
                                           "\"%s\" is not made of fix, kev, epss=0.5, control, exposed, or none",
                                           value);
        }
        if (strcmp(o->name, "to") == 0) {
                a->to = value;
                return 0;
        }
        if (strcmp(o->name, "ledger") == 0) {
                a->ledger = a->session.ledger_db = value;
                return 0;
        }
        return session_option(&a->session, o, value, err);
}

/* --- the waiver --- */

static const struct finding *find(const struct report *r, struct str id)
{
        for (size_t i = 0; i < r->n_findings; i++)
                if (finding_is_named(&r->findings[i], id) && r->findings[i].kind != FINDING_WAIVER)
                        return &r->findings[i];
        return NULL;
}

/* What ends it unless somebody says otherwise: a fix and KEV, as far as neither is there today; its control. */
static struct waiver_end default_end(const struct report *r, const struct waiver *w)
{
        struct waiver_end e = { .fix = true, .kev = true, .control_gone = w->control.n != 0 };
        for (size_t i = 0; i < r->n_findings; i++) {
                const struct finding *f = &r->findings[i];
                if (!finding_is_named(f, w->finding))
                        continue;
                e.fix = e.fix && !f->fix.n;
                e.kev = e.kev && f->vulnerability && !f->vulnerability->kev;
        }
        return e;
}

static int complete(struct accepting *a, const struct session *s, struct str actor, struct error *err)
{
        struct waiver *w = &a->waiver;
        const struct report *r = &s->scan.report;
        w->requester = actor;
        if (!w->owner.n)
                w->owner = actor;
        if (!w->response.n)
                w->response = w->control.n ? STR("mitigate") : STR("accept");
        if (!a->has_end)
                w->ends_on = default_end(r, w);
        if (waiver_scope_is_empty(&w->scope)) {
                w->scope.digest = r->digest.n ? r->digest : r->image_id;
                if (!w->scope.digest.n)
                        return error_set(
                                err, -EINVAL,
                                "%.*s has no digest that would say what the waiver is for: give --scope package:NAME "
                                "or --scope path:PATH",
                                STR_FMT(r->target));
        }
        w->created = s->options.today;
        return 0;
}

/* The session's scan judged by its policy with this waiver, which must cover something. */
static int try(const struct accepting *a, const struct session *s, size_t *ret_covered, struct error *err)
{
        struct judging judging = a->session.judging;
        struct judgement j;
        struct waiver w = a->waiver;
        struct scan again;
        const struct scan_change change = { 0 };
        if (a->waiver.control.n && judging.n_controls < CONTROLS_MAX)
                judging.controls[judging.n_controls++] = a->waiver.control; /* is it live? That is asked at each scan */
        judging.without_ledger = true;
        judging.choice.more = &w;
        judging.choice.n_more = 1;
        if (!a->to && !w.approver.n)
                w.approver = STR("somebody else"); /* the ledger asks for the approval; here only the rest is tried */
        if (judging_open(&judging, &j) != 0)
                return error_set(err, -EINVAL, "the waiver was not tried");
        struct scan_options o = s->options;
        o.policy = j.policy;
        o.controls = j.controls;
        int r = scan_again(&s->scan, &o, &change, &again, err);
        if (r == 0) {
                const struct report_waiver *used = again.report.n_waivers ? &again.report.waivers[0] : NULL;
                *ret_covered = used ? used->n_covered : 0;
                if (!*ret_covered)
                        r = error_set(err, -EINVAL, "%.*s would not be covered: %.*s", STR_FMT(w.finding),
                                      STR_FMT(used ? used->doubt : STR("the scope does not fit it")));
                scan_again_done(&again);
        }
        judgement_done(&j);
        return r;
}

/* --- writing it down --- */

static bool wants_two(const struct session *s) { return policy_settings(s->options.policy)->four_eyes; }

static int write_ledger(const struct accepting *a, const struct session *s, struct arena *arena, struct error *err)
{
        struct book_waiver w = book_of_waiver(&a->waiver);
        const struct book_stamp stamp = stamp_now(arena);
        struct str approver = a->waiver.approver;
        char id[WAIVER_ID_MAX];
        _cleanup_(book_closep) struct book *book = NULL;
        int r = book_open(a->ledger, BOOK_CREATE, &book, err);
        if (r < 0)
                return r;
        bool is_pending = wants_two(s) && !approver.n;
        r = approver.n || is_pending ? book_waiver_request(book, &stamp, &w, id, err)
                                     : book_waiver_accept(book, &stamp, &w, id, err);
        if (r == 0 && approver.n) {
                const struct book_stamp theirs = { stamp.now, approver };
                r = book_waiver_approve(book, &theirs, str_of(id), wants_two(s), err);
        }
        if (r < 0)
                return r;
        char until[WAIVER_UNTIL_TEXT_MAX];
        printf("%s until %s, in %s\n", id, waiver_until_print(a->waiver.expires, until), book_path(book));
        if (is_pending)
                printf("It does not hold yet: another person must approve it: sekisho risk approve %s\n", id);
        return 0;
}

/* The first id of the form W-DAY-N that the file does not have. */
static struct str next_id(const struct waiver *v, size_t n, int64_t today, struct arena *arena)
{
        char day[WAIVER_UNTIL_TEXT_MAX];
        waiver_until_print(today + 86400, day);
        for (size_t i = 1;; i++) {
                struct str id = arena_printf(arena, "W-%s-%zu", day, i);
                bool is_taken = false;
                for (size_t k = 0; k < n && !is_taken; k++)
                        is_taken = str_eq_nocase(v[k].id, id);
                if (!is_taken)
                        return id;
        }
}

static int write_file(const struct accepting *a, const struct session *s, struct arena *arena, struct error *err)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(WAIVER_BYTES_MAX);
        struct problems problems = { 0 };
        struct waiver *v = NULL, w = a->waiver;
        struct output out;
        size_t n = 0;
        int r = read_file(a->to, &text, err);
        if (r < 0 && r != -ENOENT)
                return r;
        if (r == 0)
                waivers_read(str_of(a->to), buf_str(&text), arena, &v, &n, &problems);
        size_t n_errors = problems.n_errors;
        problems_done(&problems);
        if (n_errors)
                return error_set(err, -EINVAL, "%s has %zu mistakes: sekisho scan --waivers %s tells which", a->to,
                                 n_errors, a->to);
        w.id = next_id(v, n, s->options.today, arena);
        if (text.n && text.p[text.n - 1] != '\n')
                buf_putc(&text, '\n');
        waiver_print(&w, &text);
        if (buf_is_full(&text))
                return error_set(err, -EFBIG, "%s would be larger than %u bytes", a->to, WAIVER_BYTES_MAX);
        r = output_open(&out, a->to, err);
        if (r < 0)
                return r;
        fwrite(text.p, 1, text.n, out.stream);
        r = output_commit(&out, err);
        char until[WAIVER_UNTIL_TEXT_MAX];
        if (r == 0)
                printf("%.*s until %s, in %s\n", STR_FMT(w.id), waiver_until_print(w.expires, until), a->to);
        return r;
}

static int accept_run(struct accepting *a, const struct session *s, struct arena *arena, struct error *err)
{
        const struct report *r = &s->scan.report;
        struct str actor = stamp_now(arena).actor;
        size_t covered = 0;
        if (!find(r, a->waiver.finding))
                return error_set(err, -ENOENT, "%.*s is not among the %zu findings of %.*s: sekisho scan -v lists them",
                                 STR_FMT(a->waiver.finding), r->n_findings, STR_FMT(r->target));
        int e = complete(a, s, actor, err);
        if (e == 0)
                e = try(a, s, &covered, err);
        if (e == 0)
                e = a->to ? write_file(a, s, arena, err) : write_ledger(a, s, arena, err);
        if (e == 0) {
                _cleanup_(buf_done) struct buf words = BUF_INIT(4 * WAIVER_TEXT_MAX);
                waiver_scope_print(&a->waiver.scope, &words);
                printf("covers %zu finding%s here; scope %.*s; ", covered, covered == 1 ? "" : "s",
                       STR_FMT(text_clean(arena, buf_str(&words))));
                buf_clear(&words);
                waiver_end_print(&a->waiver.ends_on, &words);
                printf("ends early on %s\n", words.p);
        }
        return e;
}

static int accept_main(void *state, int argc, char **argv)
{
        struct accepting *a = state;
        struct session session;
        struct error err = ERROR_NONE;
        struct arena arena = ARENA_INIT;
        if (argc != 2)
                return fail_usage(&command_accept, "needs the id of a finding and the target it was found in");
        a->waiver.finding = str_of(argv[0]);
        a->waiver.id = STR("new");
        a->waiver.place = a->waiver.condition_place = (struct place){ .file = STR("sekisho accept") };
        if (!a->waiver.reason.n)
                return fail_usage(&command_accept, "why may it be accepted? --reason \"not reachable: ...\"");
        if (!a->waiver.expires)
                return fail_usage(&command_accept, "until when? --until 2026-12-31");
        int code = session_run(&a->session, argv[1], &session);
        if (code != 0)
                return code;
        int r = accept_run(a, &session, &arena, &err);
        arena_done(&arena);
        session_done(&session);
        if (r == 0)
                return EXIT_CLEAN;
        return fail(r == -EINVAL || r == -ENOENT ? EXIT_USAGE : EXIT_INCOMPLETE, &err);
}

const struct command command_accept = {
        .name = "accept",
        .usage = "accept FINDING TARGET --reason WORDS --until DATE [OPTIONS]",
        .summary = "Accept a finding for a time, with a reason and a name under it",
        .help = "FINDING is an id as scan prints it. The waiver goes to the ledger (sekisho risk list), or with --to "
                "to a file that scan --waivers reads. The finding stays in every report, with its waiver.\n",
        .examples =
                "  sekisho accept CVE-2024-5535 nginx-app.tar --reason 'TLS is ended by the proxy' --until 2026-12-31\n"
                "  sekisho accept CVE-2024-5535 nginx-app.tar --scope repo:shop/web --scope package:openssl --control "
                "waf:9301 \\\n"
                "      --ends-on fix,kev,epss=0.5 --reason 'virtual patch' --until 2026-12-31 --to waivers.yaml\n",
        .options = options,
        .option = accept_option,
        .state_size = sizeof(struct accepting),
        .run = accept_main,
};
