/* See check.h. The comments of a file are found once, before its checker runs, in the order of their lines. */
#include "analyze/check.h"

#include "base/date.h"
#include "base/vec.h"

#include <stdarg.h>
#include <stdio.h>

#define MARK        "sekisho:ignore"
#define IGNORES_MAX 1000u /* of a file; what comes after has no effect, and that is told */
#define DETAIL_MAX  512

struct ignore {
        uint32_t line, column; /* where it stands */
        uint32_t target;       /* the line that it speaks of */
        struct str checks;     /* with commas */
        struct str reason;
        bool is_invalid, is_expired; /* has no effect */
};

struct check_ignores {
        VEC(struct ignore) v;
        bool is_cut;
};

const struct check check_ignore_invalid = {
        .id = "ignore-invalid",
        .severity = SEVERITY_MEDIUM,
        .title = "Comment to ignore that has no effect",
        .why = "Whoever wrote it believes that a finding is accepted, and nobody can tell why.",
        .fix = "Write: # " MARK " CHECK REASON [until=YYYY-MM-DD]",
        .tags = CHECK_TAGS("NIST-800-190:4.1.2"),
};

const struct check check_ignore_expired = {
        .id = "ignore-expired",
        .severity = SEVERITY_MEDIUM,
        .title = "Comment to ignore whose day has passed",
        .why = "The finding was accepted until that day only; it counts again.",
        .fix = "Mend what it speaks of and remove the comment, or decide anew and give a later day.",
        .tags = CHECK_TAGS("NIST-800-190:4.1.2"),
};

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

/* What follows the mark: the checks, then the reason, then the day, if there is one. */
static void parse_ignore(struct ignore *c, struct str rest, int64_t today)
{
        static const struct str until = { "until=", 6 };
        c->checks = next_word(&rest);
        c->reason = rest;
        ptrdiff_t space = str_rfind_char(rest, ' ');
        struct str last = str_from(rest, (size_t)(space + 1));
        if (str_starts(last, until)) {
                int64_t day;
                c->reason = str_trim(str_upto(rest, (size_t)(space + 1)));
                if (date_parse(str_from(last, until.n), &day))
                        c->is_expired = today > day;
                else
                        c->is_invalid = true;
        }
        c->is_invalid = c->is_invalid || !c->checks.n || !c->reason.n;
}

static void find_ignores(struct check_ignores *list, struct str bytes, int64_t today)
{
        size_t waiting = 0; /* comments on lines of their own, for the next line that is none */
        uint32_t number = 0;
        while (bytes.n) {
                struct str line = str_line(&bytes), text = str_trim(line);
                bool is_comment = text.n && text.p[0] == '#';
                number++;
                if (text.n && !is_comment)
                        for (; waiting; waiting--)
                                list->v.v[list->v.n - waiting].target = number;
                ptrdiff_t mark = str_find(line, STR(MARK));
                ptrdiff_t hash = mark < 0 ? -1 : str_rfind_char(str_upto(line, (size_t)mark), '#');
                if (hash < 0 || str_trim(str_upto(str_from(line, (size_t)hash + 1), (size_t)(mark - hash) - 1)).n)
                        continue;
                list->is_cut = list->v.n == IGNORES_MAX;
                if (list->is_cut)
                        return;
                struct ignore *c = vec_push(&list->v);
                *c = (struct ignore){ .line = number, .column = (uint32_t)mark + 1, .target = number };
                parse_ignore(c, str_from(line, (size_t)mark + sizeof(MARK) - 1), today);
                waiting += is_comment;
        }
}

static bool names_check(struct str checks, const char *id)
{
        while (checks.p)
                if (str_is(str_cut(&checks, ','), id))
                        return true;
        return false;
}

static struct str reason_to_ignore(const struct check_ignores *list, const struct check *c, uint32_t line)
{
        size_t low = 0, high = list ? list->v.n : 0; /* targets ascend */
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (list->v.v[middle].target < line)
                        low = middle + 1;
                else
                        high = middle;
        }
        for (; list && low < list->v.n && list->v.v[low].target == line; low++) {
                const struct ignore *i = &list->v.v[low];
                if (!i->is_invalid && !i->is_expired && names_check(i->checks, c->id))
                        return i->reason;
        }
        return STR_NONE;
}

static struct str_list list_of(const char *const *tags, struct arena *arena)
{
        size_t n = 0;
        while (tags[n])
                n++;
        struct str_list list = { arena_array(arena, n, sizeof(struct str)), n };
        for (size_t i = 0; i < n; i++)
                list.v[i] = str_of(tags[i]);
        return list;
}

void check_put(const struct check_input *in, const struct check *c, uint32_t line, uint32_t column, struct str object,
               const char *fmt, ...)
{
        char detail[DETAIL_MAX];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(detail, sizeof(detail), fmt, ap);
        va_end(ap);
        struct fact_misconfiguration f = {
                .check = str_of(c->id),
                .severity = c->severity,
                .path = in->path,
                .line = line,
                .column = column,
                .object = object,
                .title = str_of(c->title),
                .detail = str_of(detail),
                .why = str_of(c->why),
                .fix = str_of(c->fix),
                .tags = list_of(c->tags, in->arena),
                .ignored = reason_to_ignore(in->ignores, c, line),
        };
        sink_put(in->out, FACT_misconfiguration, &f);
}

static void put_useless(const struct check_input *in)
{
        for (size_t i = 0; i < in->ignores->v.n; i++) {
                const struct ignore *c = &in->ignores->v.v[i];
                if (c->is_invalid)
                        check_put(in, &check_ignore_invalid, c->line, c->column, STR_NONE,
                                  "a comment to ignore must name checks and a reason, and its day must be one");
                else if (c->is_expired)
                        check_put(in, &check_ignore_expired, c->line, c->column, STR_NONE,
                                  "the day of this comment has passed: %.*s", STR_FMT(c->checks));
        }
        if (in->ignores->is_cut)
                check_put(in, &check_ignore_invalid, 0, 0, STR_NONE,
                          "more than %u comments to ignore: those after them have no effect", IGNORES_MAX);
}

void check_file(const struct check_input *given)
{
        struct check_input in = *given;
        struct check_ignores ignores = { 0 };
        struct fact_checked end = { .language = STR("") };
        for (size_t i = 0; checkers[i] && !end.language.n; i++) {
                if (!checkers[i]->knows(&in))
                        continue;
                end.language = str_of(checkers[i]->language);
                find_ignores(&ignores, in.bytes, in.today);
                in.ignores = &ignores;
                end.objects = checkers[i]->run(&in);
                put_useless(&in);
        }
        sink_put(in.out, FACT_checked, &end);
        vec_done(&ignores.v);
}
