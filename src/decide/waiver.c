/* See waiver.h: what a waiver must have, and its parts as text. */
#include "decide/waiver.h"

#include "base/date.h"

#include <ctype.h>
#include <stdio.h>

#define DAY INT64_C(86400)

static bool is_word(struct str s, const char *more)
{
        for (size_t i = 0; i < s.n; i++)
                if (!isalnum((unsigned char)s.p[i]) && !strchr(more, s.p[i]))
                        return false;
        return s.n && !memchr(s.p, 0, s.n);
}

static bool is_response(struct str s)
{
        for (enum rule_response r = RULE_RESPONSE_NONE + 1; r < RULE_RESPONSES; r++)
                if (str_is(s, rule_response_names[r]))
                        return true;
        return false;
}

const char *waiver_flaw(const struct waiver *w)
{
        if (!is_word(w->id, "._-") || w->id.n > WAIVER_ID_TEXT_MAX)
                return "needs an id of letters, digits, \".\", \"_\" and \"-\", like W-2026-1";
        if (!w->finding.n && !w->condition.n)
                return "says nothing about what it waives: give finding, like CVE-2024-5535, or condition";
        if (w->finding.n && !is_word(w->finding, "._-:/+@~"))
                return "names no finding: an id like CVE-2024-5535 has no spaces and no quotes";
        if (!w->owner.n)
                return "has no owner: who answers for it?";
        if (!w->reason.n)
                return "has no reason: why may this be accepted?";
        if (!w->expires)
                return "has no end: give until, the last day on which it holds, like 2026-12-31";
        if (w->created && w->expires <= w->created)
                return "ends before it begins: until is before created";
        if (!is_response(w->response))
                return "has a response that is none of update, replace, mitigate, accept";
        if (str_is(w->response, "mitigate") && !w->control.n)
                return "mitigates by nothing: give control, the one that must be live, like waf:9301";
        if (w->ends_on.control_gone && !w->control.n)
                return "ends when its control is gone, but names none: give control";
        return NULL;
}

/* --- what ends it --- */

/* "0.5", "1", ".05": in hundred-thousandths, more digits are cut. */
static bool parse_probability(struct str s, uint64_t *ret)
{
        struct str rest = s, whole = str_cut(&rest, '.');
        uint64_t n = 0, unit = WAIVER_EPSS_ONE;
        if ((!whole.n && !rest.n) || (whole.n && !str_u64(whole, &n)) || n > 1)
                return false;
        n *= unit;
        for (size_t i = 0; i < rest.n; i++) {
                if (!isdigit((unsigned char)rest.p[i]))
                        return false;
                unit /= 10;
                n += unit * (uint64_t)(rest.p[i] - '0');
        }
        *ret = n;
        return n > 0 && n <= WAIVER_EPSS_ONE;
}

bool waiver_end_parse(struct str words, struct waiver_end *ret)
{
        struct waiver_end e = { 0 };
        if (!words.n)
                return false;
        if (str_is(words, "none")) {
                *ret = e;
                return true;
        }
        while (words.p) {
                struct str value = str_trim(str_cut(&words, ',')), word = str_cut(&value, '=');
                bool *flag = str_is(word, "fix")       ? &e.fix
                             : str_is(word, "kev")     ? &e.kev
                             : str_is(word, "control") ? &e.control_gone
                             : str_is(word, "exposed") ? &e.exposed
                                                       : NULL;
                if (flag && !value.p)
                        *flag = true;
                else if (!str_is(word, "epss") || !parse_probability(value, &e.epss))
                        return false;
        }
        *ret = e;
        return true;
}

void waiver_end_print(const struct waiver_end *e, struct buf *to)
{
        const char *words[] = { e->fix ? "fix" : NULL, e->kev ? "kev" : NULL, e->control_gone ? "control" : NULL,
                                e->exposed ? "exposed" : NULL };
        const char *between = "";
        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
                if (!words[i])
                        continue;
                buf_printf(to, "%s%s", between, words[i]);
                between = ",";
        }
        if (e->epss) {
                buf_printf(to, "%sepss=%u.%05u", between, (unsigned)(e->epss / WAIVER_EPSS_ONE),
                           (unsigned)(e->epss % WAIVER_EPSS_ONE));
                between = ",";
        }
        if (!*between)
                buf_puts(to, "none");
}

/* --- scope --- */

static struct str *part_of(struct waiver_scope *s, struct str name)
{
        return str_is(name, "repo") || str_is(name, "repository") ? &s->repository
               : str_is(name, "digest")                           ? &s->digest
               : str_is(name, "package")                          ? &s->package
               : str_is(name, "path")                             ? &s->path
                                                                  : NULL;
}

bool waiver_scope_parse(struct str words, struct waiver_scope *ret)
{
        struct str value = words, name = str_cut(&value, ':'), *part = part_of(ret, name);
        if (!part || part->n || !value.n)
                return false;
        *part = value;
        return true;
}

void waiver_scope_print(const struct waiver_scope *s, struct buf *to)
{
        const struct {
                const char *name;
                struct str value;
        } parts[] = {
                { "digest", s->digest }, { "repo", s->repository }, { "package", s->package }, { "path", s->path }
        };
        const char *between = "";
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
                if (!parts[i].value.n)
                        continue;
                buf_printf(to, "%s%s:%.*s", between, parts[i].name, STR_FMT(parts[i].value));
                between = " ";
        }
}

bool waiver_scope_is_empty(const struct waiver_scope *s)
{
        return !s->digest.n && !s->repository.n && !s->package.n && !s->path.n;
}

/* --- time --- */

bool waiver_until_parse(struct str s, int64_t *ret_expires)
{
        bool is_day = s.n == strlen("2026-12-31");
        if (!date_parse(s, ret_expires))
                return false;
        if (is_day)
                *ret_expires += DAY;
        return *ret_expires > 0;
}

const char *waiver_until_print(int64_t expires, char text[static WAIVER_UNTIL_TEXT_MAX])
{
        _Static_assert(WAIVER_UNTIL_TEXT_MAX == DATE_TEXT_MAX, "a date's text");
        if (expires % DAY == 0 && expires > DAY)
                return date_day(expires - DAY, text);
        return date_iso(expires, text);
}
