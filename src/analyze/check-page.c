/*
 * The findings of one file and the comments that waive some of them; see check.h. Nothing is dropped: what a comment
 * hides is put as a waived fact, and a comment that hides nothing, is out of date or makes no sense is a finding.
 */
#include "analyze/check.h"

#include "base/date.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY         INT64_C(86400)
#define RULES_MAX   64u /* of one ignore */
#define WHOLE_FILE  UINT32_MAX
#define COMMENT_MAX 2000u

void check_page_begin(struct check_page *p, struct str file, const struct check_settings *s, struct arena *arena)
{
        *p = (struct check_page){ .file = file, .settings = s, .arena = arena };
}

/* --- ignores --- */

/* Takes the word off s's start, with the blanks around it. */
static struct str next_word(struct str *s)
{
        *s = str_trim(*s);
        size_t n = 0;
        while (n < s->n && s->p[n] != ' ' && s->p[n] != '\t')
                n++;
        struct str word = str_upto(*s, n);
        *s = str_trim(str_from(*s, n));
        return word;
}

/* The reason, without an until=DATE among its words. False: that is no date. */
static bool read_reason(struct check_page *p, struct str rest, struct check_ignore *i)
{
        struct buf reason = BUF_INIT(COMMENT_MAX);
        bool good = true;
        while (rest.n) {
                struct str word = next_word(&rest);
                if (str_starts(word, STR("until="))) {
                        good = date_parse(str_from(word, 6), &i->until) && i->until > 0;
                        continue;
                }
                if (reason.n)
                        buf_putc(&reason, ' ');
                buf_add_str(&reason, word);
        }
        i->reason = arena_str(p->arena, buf_str(&reason));
        buf_done(&reason);
        return good;
}

/* Rules separated by commas, with blanks around them or not: the last one is followed by no comma. */
static struct str cut_rules(struct str *rest)
{
        struct str s = str_trim(*rest);
        size_t n = 0;
        for (;;) {
                while (n < s.n && s.p[n] != ',' && s.p[n] != ' ' && s.p[n] != '\t')
                        n++;
                size_t k = n;
                while (k < s.n && (s.p[k] == ' ' || s.p[k] == '\t'))
                        k++;
                if (k == s.n || s.p[k] != ',')
                        break;
                n = k + 1;
                while (n < s.n && (s.p[n] == ' ' || s.p[n] == '\t'))
                        n++;
        }
        *rest = str_from(s, n);
        return str_upto(s, n);
}

bool check_page_comment(struct check_page *p, struct str comment, uint32_t line, uint32_t from, uint32_t to)
{
        struct str rest = str_trim(str_upto(comment, COMMENT_MAX));
        while (str_starts(rest, STR("#")))
                rest = str_from(rest, 1);
        rest = str_trim(rest);
        struct check_ignore i = { .line = line, .from = from, .to = to };
        bool is_global = false, is_hadolint = str_starts(rest, STR("hadolint"));
        if (is_hadolint) {
                struct str word = (next_word(&rest), rest);
                is_global = str_starts(word, STR("global"));
                if (is_global)
                        (void)next_word(&rest);
                if (!str_starts(rest, STR("ignore")))
                        return false;
                rest = str_trim(str_from(rest, 6));
                if (!str_starts(rest, STR("=")))
                        return false;
                rest = str_from(rest, 1);
        } else if (str_starts(rest, STR("sekisho:ignore"))) {
                struct str word = next_word(&rest);
                is_global = str_is(word, "sekisho:ignore-file");
                if (!is_global && !str_is(word, "sekisho:ignore"))
                        return false;
        } else {
                return false;
        }
        if (is_global) {
                i.from = 0;
                i.to = WHOLE_FILE;
        }
        i.rules = cut_rules(&rest);
        bool is_good = read_reason(p, rest, &i) && i.rules.n;
        if (p->ignores.n == CHECK_IGNORES_MAX) {
                p->is_flooded = true;
        } else if (!is_good) {
                (void)check_page_add(p, &check_malformed, line, 1, line, "%s",
                                     i.rules.n ? "until= is not followed by a date" : "it names no rule");
        } else {
                *vec_push(&p->ignores) = i;
        }
        return true;
}

static bool is_expired(const struct check_page *p, const struct check_ignore *i)
{
        return i->until && i->until + DAY <= p->settings->today;
}

/* The number of the rule of the ignore that means this check, or -1. */
static int rule_of(const struct check_ignore *i, const struct check *c)
{
        struct str rest = i->rules;
        for (unsigned n = 0; rest.p && n < RULES_MAX; n++)
                if (check_has_name(c, str_trim(str_cut(&rest, ','))))
                        return (int)n;
        return -1;
}

static void waive(struct check_page *p, struct check_finding *f)
{
        for (size_t k = 0; k < p->ignores.n; k++) {
                struct check_ignore *i = &p->ignores.v[k];
                bool overlaps = f->line <= i->to && MAX(f->end_line, f->line) >= i->from;
                int rule = overlaps ? rule_of(i, f->check) : -1;
                if (rule < 0)
                        continue;
                i->used |= UINT64_C(1) << rule;
                if (!is_expired(p, i) && !f->waiver)
                        f->waiver = i;
        }
}

/* What is to say of an ignore itself. */
static void judge_ignore(struct check_page *p, const struct check_ignore *i)
{
        char day[DATE_TEXT_MAX];
        struct str rest = i->rules;
        if (is_expired(p, i))
                (void)check_page_add(p, &check_expired, i->line, 1, i->line, "%.*s: it held until %s",
                                     STR_FMT(str_upto(i->rules, 100)), date_day(i->until, day));
        for (unsigned n = 0; rest.p && n < RULES_MAX; n++) {
                struct str rule = str_trim(str_cut(&rest, ','));
                bool is_shell = rule.n > 2 && str_eq_nocase(str_upto(rule, 2), STR("SC"));
                if (!rule.n || (i->used >> n & 1))
                        continue;
                (void)check_page_add(p, &check_unused, i->line, 1, i->line, "%.*s%s", STR_FMT(str_upto(rule, 60)),
                                     check_find(rule) ? ""
                                     : is_shell       ? " is a rule of ShellCheck, which does not run here"
                                                      : " is no rule that is known here");
        }
}

/* --- findings --- */

bool check_page_add(struct check_page *p, const struct check *c, uint32_t line, uint32_t column, uint32_t end_line,
                    const char *fmt, ...)
{
        char text[CHECK_DETAIL_MAX + 1];
        va_list ap;
        if (!check_is_enabled(c, p->settings))
                return false;
        if (p->findings.n == CHECK_FINDINGS_MAX) {
                p->is_flooded = true;
                return false;
        }
        va_start(ap, fmt);
        int n = vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        *vec_push(&p->findings) = (struct check_finding){
                .check = c,
                .line = line,
                .column = column,
                .end_line = end_line,
                .detail = arena_str(p->arena, str_span(text, n < 0 ? 0 : MIN((size_t)n, sizeof(text) - 1))),
                .edits = p->edits.n,
        };
        return true;
}

void check_page_edit(struct check_page *p, size_t offset, size_t length, struct str text)
{
        if (!p->findings.n)
                return;
        *vec_push(&p->edits) = (struct fact_edit){
                .file = p->file, .offset = offset, .length = length, .text = arena_str(p->arena, text)
        };
        p->findings.v[p->findings.n - 1].n_edits++;
}

static int by_place(const void *a, const void *b)
{
        const struct check_finding *x = a, *y = b;
        if (x->line != y->line)
                return x->line < y->line ? -1 : 1;
        if (x->column != y->column)
                return x->column < y->column ? -1 : 1;
        int r = strcmp(x->check->id, y->check->id);
        return r ? r : str_cmp(x->detail, y->detail);
}

static void put(const struct check_page *p, const struct check_finding *f, struct sink *out)
{
        struct fact_check fact = { .id = str_of(f->check->id),
                                   .file = p->file,
                                   .line = f->line,
                                   .column = f->column,
                                   .end_line = MAX(f->end_line, f->line),
                                   .detail = f->detail,
                                   .fixable = f->n_edits > 0 };
        if (f->waiver) {
                fact.waived = true;
                fact.waived_line = f->waiver->line;
                fact.reason = f->waiver->reason;
                fact.until = f->waiver->until;
        }
        sink_put(out, FACT_check, &fact);
        for (size_t i = 0; i < f->n_edits; i++)
                sink_put(out, FACT_edit, &p->edits.v[f->edits + i]);
}

void check_page_end(struct check_page *p, struct sink *out)
{
        size_t n = p->findings.n; /* the findings about the ignores are not waived by them */
        for (size_t i = 0; i < n; i++)
                waive(p, &p->findings.v[i]);
        for (size_t i = 0; i < p->ignores.n; i++)
                judge_ignore(p, &p->ignores.v[i]);
        if (p->findings.n)
                qsort(p->findings.v, p->findings.n, sizeof(*p->findings.v), by_place);
        for (size_t i = 0; i < p->findings.n; i++)
                put(p, &p->findings.v[i], out);
        if (p->is_flooded)
                sink_unread(out, p->file, "limit", "more than %u findings or %u ignores: the rest is not listed",
                            CHECK_FINDINGS_MAX, CHECK_IGNORES_MAX);
        vec_done(&p->findings);
        vec_done(&p->ignores);
        vec_done(&p->edits);
}
