/* Evaluating from inside: for eval.c and explain.c. */
#ifndef SEKISHO_RULE_EVAL_H
#define SEKISHO_RULE_EVAL_H

#include "rule/set.h"

struct cached_value {
        uint32_t generation; /* of the record that it is of */
        struct value value;
};

struct rule_eval {
        const struct rule_set *set;
        const struct record *record;
        uint32_t generation;         /* of the record; 1 .. INT32_MAX */
        struct cached_value *values; /* by expression */
        uint32_t *gates;             /* by gate: generation << 1 | truth */
        struct buf *texts;           /* by expression: what transformers made */
        struct value **elements;     /* by expression: of a transformed list, ELEMENTS_MAX; NULL until needed */
        void *scratch;
        struct id_list hits;
};

/* The value of an expression for the record. */
const struct value *eval_expr(struct rule_eval *e, const struct expr *x);

bool eval_check(struct rule_eval *e, const struct check *c);
bool eval_gate(struct rule_eval *e, uint32_t gate);

/* Transformers: of one value. False: absent. The text is made in `text`, which is cleared first. */
bool transform(const struct transformer *t, const struct value *v, struct buf *text, struct value *ret);

#endif
