/* See secret-rule.h: the tables joined, and what is asked of every value. */
#include "intel/secret-rule.h"

#include <math.h>

static const struct secret_table *const tables[] = {
        &secret_rules_cloud, &secret_rules_code, &secret_rules_services,
        &secret_rules_money, &secret_rules_keys, &secret_rules_files,
};

static const char *const confidences[] = { "low", "medium", "high" };
static const char *const validities[] = { "unchecked", "valid", "failed" };

const char *secret_confidence_name(enum secret_confidence c) { return confidences[c]; }
const char *secret_validity_name(enum secret_validity v) { return validities[v]; }

bool secret_confidence_parse(struct str s, enum secret_confidence *ret)
{
        for (size_t i = 0; i < ARRAY_SIZE(confidences); i++)
                if (str_is(s, confidences[i])) {
                        *ret = (enum secret_confidence)i;
                        return true;
                }
        return false;
}

size_t secret_rules_count(void)
{
        size_t n = 0;
        for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
                n += tables[t]->n;
        return n;
}

const struct secret_rule *secret_rule_at(size_t i)
{
        for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
                if (i < tables[t]->n)
                        return &tables[t]->rules[i];
                i -= tables[t]->n;
        }
        return NULL;
}

unsigned secret_entropy(struct str s)
{
        size_t counts[256] = { 0 };
        double bits = 0;
        for (size_t i = 0; i < s.n; i++)
                counts[(unsigned char)s.p[i]]++;
        for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
                if (counts[i])
                        bits -= (double)counts[i] * log2((double)counts[i] / (double)s.n);
        return s.n ? (unsigned)(bits * 10 / (double)s.n + 1e-9) : 0;
}

/* --- placeholders --- */

#define LOOKED_AT 200 /* bytes of a value in which placeholders are looked for */
#define RUN_MAX   8   /* of one character */
#define ROW_MAX   7   /* characters that follow each other: abcdefg, 1234567 */

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static bool holds_word(struct str value)
{
        static const char *const words[] = {
                "example",  "changeme",  "change_me", "change-me",  "placeholder", "your_",
                "your-",    "yourtoken", "yourkey",   "yoursecret", "xxxx",        "dummy",
                "redacted", "replace",   "deadbeef",  "foobar",     "notreal",     "fake"
        };
        char copy[LOOKED_AT];
        size_t n = MIN(value.n, sizeof(copy));
        for (size_t i = 0; i < n; i++)
                copy[i] = lower(value.p[i]);
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (str_find(str_span(copy, n), str_of(words[i])) >= 0)
                        return true;
        return false;
}

/* One character over and over, or a row of the alphabet or of digits. */
static bool holds_run(struct str value)
{
        size_t run = 1, row = 1;
        for (size_t i = 1; i < MIN(value.n, (size_t)LOOKED_AT); i++) {
                int step = lower(value.p[i]) - lower(value.p[i - 1]);
                run = step == 0 ? run + 1 : 1;
                row = step == 1 || (value.p[i - 1] == '9' && value.p[i] == '0') ? row + 1 : 1;
                if (run >= RUN_MAX || row >= ROW_MAX)
                        return true;
        }
        return false;
}

bool secret_is_placeholder(struct str value)
{
        if (value.n >= 2 && ((value.p[0] == '<' && value.p[value.n - 1] == '>') || value.p[0] == '$' ||
                             value.p[0] == '%' || (value.p[0] == '{' && value.p[1] == '{')))
                return true;
        return holds_word(value) || holds_run(value);
}
