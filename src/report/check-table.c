/*
 * The findings of checks for a person: FILE:LINE:COLUMN, id, severity, title, and in the lines below what was found and
 * what to do. What is waived is one line; the answer stands at the end, where a terminal shows it.
 */
#include "report/check.h"
#include "report/screen.h"
#include "report/text.h"

#include "base/date.h"
#include "base/vec.h"

struct check_table {
        struct screen s;
        const struct check_report *r;
        struct arena arena; /* of one finding */
};

static enum paint severity_paint(enum severity s)
{
        return s >= SEVERITY_HIGH ? PAINT_BAD : s == SEVERITY_MEDIUM ? PAINT_WARN : PAINT_PLAIN;
}

static struct str place(struct check_table *t, const struct fact_check *f)
{
        struct str file = text_clean(&t->arena, f->file);
        if (!f->line)
                return file;
        if (!f->column)
                return arena_printf(&t->arena, "%.*s:%llu", STR_FMT(file), (unsigned long long)f->line);
        return arena_printf(&t->arena, "%.*s:%llu:%llu", STR_FMT(file), (unsigned long long)f->line,
                            (unsigned long long)f->column);
}

static void indented(struct check_table *t, const char *label, struct str text)
{
        if (!text.n)
                return;
        fprintf(t->s.to, "    ");
        screen_put(&t->s, PAINT_FAINT, str_of(label));
        unsigned at = 4 + (unsigned)strlen(label);
        VEC(struct cell) words = { 0 };
        struct str rest = text;
        while (rest.p)
                *vec_push(&words) = (struct cell){ str_cut(&rest, ' '), PAINT_PLAIN };
        screen_flow(&t->s, words.v, words.n, " ", at, at);
        vec_done(&words);
}

static void finding(struct check_table *t, const struct fact_check *f)
{
        struct cell head[] = {
                { place(t, f), PAINT_STRONG },
                { f->id, PAINT_NAME },
                { str_of(severity_name(f->severity)), severity_paint(f->severity) },
                { f->title, PAINT_PLAIN },
        };
        screen_flow(&t->s, head, ARRAY_SIZE(head), "  ", 0, 4);
        indented(t, "found  ", text_clean(&t->arena, f->detail));
        indented(t, "do     ",
                 f->fixable ? arena_printf(&t->arena, "%.*s (--fix does it)", STR_FMT(f->remedy)) : f->remedy);
}

static void waived(struct check_table *t, const struct fact_check *f)
{
        struct arena *a = &t->arena;
        char day[DATE_TEXT_MAX];
        struct str reason = text_clean(a, f->reason);
        struct cell cells[] = {
                { place(t, f), PAINT_PLAIN },
                { f->id, PAINT_PLAIN },
                { arena_printf(a, "waived by line %llu%s%s", (unsigned long long)f->waived_line,
                               f->until ? " until " : "", date_day(f->until, day)),
                  PAINT_FAINT },
                { reason.n ? reason : STR("no reason given"), PAINT_FAINT },
        };
        screen_flow(&t->s, cells, ARRAY_SIZE(cells), "  ", 0, 4);
}

static void answer(struct check_table *t)
{
        const struct check_report *r = t->r;
        struct arena *a = &t->arena;
        size_t counts[SEVERITY_CRITICAL + 1], n_waived = check_report_counts(r, counts), total = 0;
        struct cell cells[SEVERITY_CRITICAL + 3];
        size_t n = 0;
        for (size_t s = SEVERITY_CRITICAL + 1; s-- > 0;) {
                total += counts[s];
                if (counts[s])
                        cells[n++] =
                                (struct cell){ arena_printf(a, "%zu %s", counts[s], severity_name((enum severity)s)),
                                               severity_paint((enum severity)s) };
        }
        if (!total)
                cells[n++] = (struct cell){ STR("nothing found"), PAINT_PLAIN };
        if (n_waived)
                cells[n++] = (struct cell){ arena_printf(a, "%zu waived", n_waived), PAINT_FAINT };
        if (r->n_findings)
                screen_newline(&t->s);
        bool is_passed = !r->denied && r->complete;
        struct str word = r->denied ? STR("DENIED") : is_passed ? STR("PASSED") : STR("UNDECIDED");
        screen_put(&t->s, is_passed ? PAINT_GOOD : PAINT_BAD, word);
        struct str files = arena_printf(a, " (fails on %s or worse), %.*s: ", severity_name(r->fail_on),
                                        STR_FMT(text_count(a, r->n_files, "file", "files")));
        screen_put(&t->s, PAINT_PLAIN, files);
        screen_flow(&t->s, cells, n, ", ", text_width(word) + text_width(files), 4);
        if (!r->complete) {
                screen_put(&t->s, PAINT_WARN, STR("INCOMPLETE"));
                screen_put(&t->s, PAINT_PLAIN, STR(": what is \"not read\" above was not judged"));
                screen_newline(&t->s);
        }
}

static int write_table(const struct check_report *r, const struct report_options *o, FILE *to)
{
        struct check_table t = { .r = r };
        t.s = (struct screen){ .to = to, .arena = &t.arena, .colour = o->colour, .width = o->width };
        for (size_t i = 0; i < r->n_findings; i++, arena_done(&t.arena))
                if (r->findings[i].waived)
                        waived(&t, &r->findings[i]);
                else
                        finding(&t, &r->findings[i]);
        for (size_t i = 0; i < r->n_unread; i++, arena_done(&t.arena)) {
                const struct fact_unread *u = &r->unread[i];
                struct cell cells[] = { { text_clean(&t.arena, u->path), PAINT_STRONG },
                                        { str_is(u->code, "skipped") ? STR("passed over") : STR("not read"),
                                          PAINT_WARN },
                                        { text_clean(&t.arena, u->detail), PAINT_PLAIN } };
                screen_flow(&t.s, cells, ARRAY_SIZE(cells), "  ", 0, 4);
        }
        answer(&t);
        arena_done(&t.arena);
        return stream_result(to);
}

const struct check_reporter check_reporter_table = {
        .name = "table",
        .summary = "for a person: place, rule, what was found, what to do",
        .write = write_table,
};
