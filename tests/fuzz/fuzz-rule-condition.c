/*
 * Conditions and records over any bytes: up to the first NUL the condition, behind it what the record's fields hold.
 * What loads must print as a text that loads and prints as itself, the explanation must say what the evaluation says,
 * and the printed condition must mean the same of the record.
 */
#include "rule/rule.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
        struct str rest;
        struct value list[4];
};

/* A value of the field's type out of the bytes; which ones depends on the field only. */
static struct value make(const struct bytes *b, const struct field *f, size_t salt)
{
        struct str s = str_from(b->rest, ((size_t)f->id * 7 + salt) % (b->rest.n + 1));
        struct str text = str_upto(s, s.n > 0 ? (unsigned char)s.p[0] % 16u : 0);
        int64_t number = s.n > 1 ? (int64_t)(signed char)s.p[1] : 0;
        switch (f->type) {
        case VALUE_STRING:
                return value_string(text);
        case VALUE_BYTES:
                return value_bytes(text);
        case VALUE_VERSION:
                return value_version(text, NULL);
        case VALUE_SEVERITY:
                return value_severity((enum severity)((uint64_t)number % 6));
        case VALUE_FLAG:
                return value_flag(number & 1);
        case VALUE_IP:
        case VALUE_NET: {
                struct ip ip = { { 10, 0, 0, (uint8_t)number }, 4, 32 };
                return (struct value){ f->type, { .ip = ip } };
        }
        default:
                return (struct value){ f->type, { .number = number } };
        }
}

static void get(void *ctx, const struct field_ref *ref, struct value *ret)
{
        struct bytes *b = ctx;
        size_t kind = b->rest.n > 0 ? (unsigned char)b->rest.p[ref->field->id % b->rest.n] % 4u : 0;
        if (kind == 0)
                return;
        *ret = make(b, ref->field, ref->index);
        if (kind == 1 && ref->field->traits & (FIELD_LIST | FIELD_EITHER | FIELD_MANY)) {
                static struct value lists[FIELDS][4];
                for (size_t i = 0; i < 4; i++)
                        lists[ref->field->id][i] = make(b, ref->field, i);
                *ret = value_list(lists[ref->field->id], 4);
        }
}

static struct rule_set *load(struct str condition, unsigned stages)
{
        struct rule_loader *l = rule_loader_new(NULL);
        struct rule_set *s = NULL;
        struct problems p;
        rule_loader_add_condition(l, STR("fuzz"), condition, (struct place){ STR("fuzz"), 1, 1 }, stages);
        if ((rule_loader_finish(l, &s, &p) == 0) != (p.n_errors == 0))
                abort();
        problems_done(&p);
        rule_loader_free(l);
        return s;
}

static bool hits(const struct rule_set *s, const struct record *record, enum stage stage)
{
        struct rule_eval *e = rule_eval_new(s);
        struct arena arena = ARENA_INIT;
        struct buf output = BUF_INIT(1 << 16);
        const struct rule_step *steps;
        const uint32_t *hit;
        size_t n = rule_eval(e, record, stage, &hit);
        if (rule_explain(e, 0, record, &arena, &steps) > 0 && steps[0].is_true != (n == 1))
                abort();
        rule_render(e, 0, record, &output);
        buf_done(&output);
        arena_done(&arena);
        rule_eval_free(e);
        return n == 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct bytes bytes = { 0 };
        bytes.rest = str_span(data, size);
        struct str condition = str_cut(&bytes.rest, '\0');
        static const struct {
                unsigned stages;
                enum stage stage;
        } kinds[] = { { STAGE_SYSCALL, STAGE_SYSCALL }, { STAGES_POLICY, STAGE_SCAN } };
        struct record record = { get, &bytes };
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                struct rule_set *s = load(condition, kinds[i].stages);
                if (!s)
                        continue;
                bool truth = hits(s, &record, kinds[i].stage);
                for (int expand = 0; expand < 2; expand++) {
                        struct buf once = BUF_INIT(RULE_PRINT_BYTES_MAX), twice = BUF_INIT(RULE_PRINT_BYTES_MAX);
                        rule_print_condition(s, 0, expand, &once);
                        struct rule_set *again = buf_is_full(&once) ? NULL : load(buf_str(&once), kinds[i].stages);
                        if (again) {
                                rule_print_condition(again, 0, expand, &twice);
                                if (!str_eq(buf_str(&once), buf_str(&twice)) ||
                                    hits(again, &record, kinds[i].stage) != truth)
                                        abort();
                        } else if (!buf_is_full(&once)) {
                                abort();
                        }
                        rule_set_free(again);
                        buf_done(&once);
                        buf_done(&twice);
                }
                rule_set_free(s);
        }
        return 0;
}
