/*
 * Rule files over any bytes, split at the first NUL into two: whatever they hold, they load or there are errors; places
 * lie in the files; everything that can be asked of a set has an answer.
 */
#include "rule/rule.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void nothing(void *ctx, const struct field_ref *ref, struct value *ret)
{
        if (ref->field->id == FIELD_evt_type)
                *ret = value_string(STR("execve"));
        else if (ref->field->type == VALUE_STRING)
                *ret = value_string(STR("sh"));
}

static void ask(const struct rule_set *s)
{
        struct record record = { nothing, NULL };
        struct rule_eval *e = rule_eval_new(s);
        struct arena arena = ARENA_INIT;
        const uint32_t *hits;
        for (unsigned bit = 1; bit <= STAGE_LAST; bit <<= 1)
                rule_eval(e, &record, (enum stage)bit, &hits);
        for (size_t i = 0; i < rule_set_n(s) && i < 20; i++) {
                struct buf b = BUF_INIT(1 << 16);
                struct rule_needs needs;
                rule_render(e, i, &record, &b);
                rule_print_condition(s, i, true, &b);
                rule_set_needs(s, i, &arena, &needs);
                buf_done(&b);
        }
        arena_done(&arena);
        rule_eval_free(e);
}

static void check_place(const struct problem *p, struct str text)
{
        if (p->place.line > text.n + 2 || p->place.column > text.n + 2 || p->words.n == 0)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str second = str_span(data, size), first = str_cut(&second, '\0');
        struct rule_options options = { .warn_unused = size & 1, .stages = size & 2 ? STAGES_POLICY : 0 };
        struct rule_loader *l = rule_loader_new(&options);
        struct rule_set *s = NULL;
        struct problems p;
        rule_loader_add_file(l, STR("first"), first);
        if (second.p)
                rule_loader_add_file(l, STR("second"), second);
        if ((rule_loader_finish(l, &s, &p) == 0) != (p.n_errors == 0))
                abort();
        for (size_t i = 0; i < p.n; i++) {
                struct buf b = BUF_INIT(1 << 16);
                problem_print(&p.v[i], &b);
                check_place(&p.v[i], str_is(p.v[i].place.file, "first") ? first : second);
                buf_done(&b);
        }
        if (s)
                ask(s);
        rule_set_free(s);
        problems_done(&p);
        rule_loader_free(l);
        return 0;
}
