/*
 * Records for the tests of rules, written as text: "proc.name=sh; fd.port=80|443; proc.args=" is a record of three
 * fields, one of them a list and one an empty text. A backslash makes the next character a plain one.
 */
#ifndef SEKISHO_TESTS_RULE_CASE_H
#define SEKISHO_TESTS_RULE_CASE_H

#include "rule/rule.h"

#include <stdio.h>
#include <stdlib.h>

#define CASE_FIELDS_MAX 16
#define CASE_VALUES_MAX 8

struct case_field {
        char name[64], texts[CASE_VALUES_MAX][128];
        size_t n_texts;
        struct value values[CASE_VALUES_MAX];
        unsigned asked; /* how often get() was called for it */
};

struct case_record {
        struct case_field fields[CASE_FIELDS_MAX];
        size_t n;
        unsigned asked_absent;
};

static inline void case_parse(const char *text, struct case_record *r)
{
        *r = (struct case_record){ 0 };
        while (*text) {
                struct case_field *f = &r->fields[r->n++];
                size_t n = 0;
                while (*text == ' ')
                        text++;
                while (*text && *text != '=')
                        f->name[n++] = *text++;
                text += *text == '=';
                f->n_texts = 1;
                for (n = 0; *text && *text != ';'; text++) {
                        if (*text == '|') {
                                n = 0;
                                f->n_texts++;
                                continue;
                        }
                        if (*text == '\\' && text[1])
                                text++;
                        f->texts[f->n_texts - 1][n++] = *text;
                }
                text += *text == ';';
        }
}

static inline void case_get(void *ctx, const struct field_ref *ref, struct value *ret)
{
        struct case_record *r = ctx;
        for (size_t i = 0; i < r->n; i++) {
                struct case_field *f = &r->fields[i];
                if (!str_is(ref->text, f->name))
                        continue;
                f->asked++;
                for (size_t k = 0; k < f->n_texts; k++) {
                        enum value_type type = ref->field->type;
                        struct value number;
                        if (ref->field->traits & FIELD_VARIANT &&
                            value_parse(VALUE_NUMBER, str_of(f->texts[k]), &number))
                                type = VALUE_NUMBER;
                        if (!value_parse(type, str_of(f->texts[k]), &f->values[k])) {
                                fprintf(stderr, "bad value \"%s\" of %s\n", f->texts[k], f->name);
                                abort();
                        }
                }
                *ret = f->n_texts == 1 ? f->values[0] : value_list(f->values, f->n_texts);
                return;
        }
        r->asked_absent++;
}

/* A set of one condition; NULL if it has errors, which are printed when `loud`. */
static inline struct rule_set *case_set(const char *condition, unsigned stages, bool loud)
{
        struct rule_loader *l = rule_loader_new(NULL);
        struct rule_set *s = NULL;
        struct problems p;
        rule_loader_add_condition(l, STR("case"), str_of(condition), (struct place){ STR("case"), 1, 1 }, stages);
        rule_loader_finish(l, &s, &p);
        for (size_t i = 0; loud && i < p.n; i++) {
                if (p.v[i].level == PROBLEM_WARNING)
                        continue;
                struct buf b = BUF_INIT(4096);
                problem_print(&p.v[i], &b);
                fprintf(stderr, "# %s\n", b.p);
                buf_done(&b);
        }
        problems_done(&p);
        rule_loader_free(l);
        return s;
}

static inline bool case_hits(const struct rule_set *s, const char *record, enum stage stage)
{
        struct case_record r;
        const uint32_t *hits;
        case_parse(record, &r);
        struct record rec = { case_get, &r };
        struct rule_eval *e = rule_eval_new(s);
        size_t n = rule_eval(e, &rec, stage, &hits);
        for (size_t i = 0; i < r.n; i++)
                if (r.fields[i].asked > 1) {
                        fprintf(stderr, "%s was asked for %u times\n", r.fields[i].name, r.fields[i].asked);
                        abort();
                }
        rule_eval_free(e);
        return n == 1;
}

#endif
