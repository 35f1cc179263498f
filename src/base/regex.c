/* See regex.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/regex.h"

#include "base/arena.h"

#include <errno.h>
#include <pcre2.h>
#include <stdlib.h>

struct regex {
        pcre2_code *code;
        size_t groups;
};

struct regex_matcher {
        pcre2_match_data *data;
        pcre2_match_context *context;
};

static const struct {
        unsigned ours;
        uint32_t pcre2;
} options_of[] = {
        { REGEX_NOCASE, PCRE2_CASELESS },
        { REGEX_ANCHORED, PCRE2_ANCHORED },
        { REGEX_MULTILINE, PCRE2_MULTILINE },
        { REGEX_DOTALL, PCRE2_DOTALL },
};

int regex_new(struct str pattern, unsigned options, struct regex **ret, struct error *err)
{
        uint32_t flags = PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP;
        int code;
        size_t where;
        if (pattern.n > REGEX_PATTERN_MAX)
                return error_set(err, -E2BIG, "a pattern of %zu bytes; at most %u are taken", pattern.n,
                                 REGEX_PATTERN_MAX);
        if (str_find(pattern, STR("(?C")) >= 0)
                return error_set(err, -EINVAL, "callouts are not taken");
        for (size_t i = 0; i < ARRAY_SIZE(options_of); i++)
                if (options & options_of[i].ours)
                        flags |= options_of[i].pcre2;
        pcre2_code *compiled =
                pcre2_compile((PCRE2_SPTR)(pattern.p ? pattern.p : ""), pattern.n, flags, &code, &where, NULL);
        if (!compiled) {
                PCRE2_UCHAR words[200] = { 0 };
                pcre2_get_error_message(code, words, sizeof(words));
                return error_set(err, -EINVAL, "%s at byte %zu of the pattern", (const char *)words, where);
        }
        uint32_t groups = 0;
        pcre2_pattern_info(compiled, PCRE2_INFO_CAPTURECOUNT, &groups);
        struct regex *r = xmalloc(sizeof(*r));
        *r = (struct regex){ compiled, groups };
        *ret = r;
        return 0;
}

void regex_free(struct regex *r)
{
        if (!r)
                return;
        pcre2_code_free(r->code);
        free(r);
}

size_t regex_groups(const struct regex *r) { return r->groups; }

struct regex_matcher *regex_matcher_new(void)
{
        struct regex_matcher *m = xmalloc(sizeof(*m));
        m->data = pcre2_match_data_create(REGEX_GROUPS_MAX, NULL);
        m->context = pcre2_match_context_create(NULL);
        if (!m->data || !m->context)
                abort();
        pcre2_set_match_limit(m->context, REGEX_STEPS_MAX);
        pcre2_set_heap_limit(m->context, REGEX_MEMORY_KIB);
        return m;
}

void regex_matcher_free(struct regex_matcher *m)
{
        if (!m)
                return;
        pcre2_match_data_free(m->data);
        pcre2_match_context_free(m->context);
        free(m);
}

int regex_find(struct regex_matcher *m, const struct regex *r, struct str text, size_t from, struct str *groups,
               size_t n)
{
        if (from > text.n)
                return 0;
        int e = pcre2_match(r->code, (PCRE2_SPTR)(text.p ? text.p : ""), text.n, from, PCRE2_NO_JIT, m->data,
                            m->context);
        if (e == PCRE2_ERROR_NOMATCH)
                return 0;
        if (e < 0)
                return REGEX_LIMIT;
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(m->data);
        size_t known = MIN(e ? (size_t)e : REGEX_GROUPS_MAX, (size_t)REGEX_GROUPS_MAX);
        for (size_t i = 0; i < n; i++) {
                bool took_part = i < known && at[2 * i] != PCRE2_UNSET && at[2 * i] <= at[2 * i + 1];
                groups[i] = took_part ? str_span(text.p + at[2 * i], at[2 * i + 1] - at[2 * i]) : STR_NONE;
        }
        return 1;
}
