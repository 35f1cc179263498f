/* Operators and transformers of the language: two tables, from which the parser, the checks and the docs are made. */
#ifndef SEKISHO_RULE_OPERATOR_H
#define SEKISHO_RULE_OPERATOR_H

#include "fact/value.h"

enum operator_id {
        OP_EXISTS,
        OP_EQ,
        OP_NE,
        OP_LT,
        OP_LE,
        OP_GT,
        OP_GE,
        OP_IN,
        OP_INTERSECTS,
        OP_PMATCH,
        OP_CONTAINS,
        OP_ICONTAINS,
        OP_BCONTAINS,
        OP_STARTSWITH,
        OP_BSTARTSWITH,
        OP_ENDSWITH,
        OP_GLOB,
        OP_IGLOB,
        OP_REGEX,
        OPERATORS
};

enum operator_right { RIGHT_NOTHING, RIGHT_ONE, RIGHT_SET };

#define TYPES(t) (1u << (t))
#define TYPES_ORDERED                                                                                                  \
        (TYPES(VALUE_STRING) | TYPES(VALUE_NUMBER) | TYPES(VALUE_DECIMAL) | TYPES(VALUE_TIME) |                        \
         TYPES(VALUE_DURATION) | TYPES(VALUE_VERSION) | TYPES(VALUE_SEVERITY))

struct operator
{
        const char *name; /* as canonical text writes it */
        enum operator_id id;
        enum operator_right right;
        unsigned types; /* of enum value_type, as bits: what may stand on the left */
        bool of_lists;  /* a left side with several values may be compared */
        const char *doc;
};

extern const struct operator operators[OPERATORS]; /* by id */
extern const char *const operator_words[];         /* all names, NULL-terminated, for "did you mean" */

const struct operator* operator_find(struct str name); /* "==" too; NULL */

enum transformer_id { TO_LOWER, TO_UPPER, TO_B64, TO_BASENAME, TO_LEN, TO_VAL, TO_JOIN, TO_CONCAT, TRANSFORMERS };

struct transformer {
        const char *name;
        enum transformer_id id;
        unsigned types;        /* of its argument, as bits */
        size_t least, most;    /* number of arguments */
        const char *arguments; /* for the docs */
        const char *doc;
};

extern const struct transformer transformers[TRANSFORMERS];
extern const char *const transformer_words[];

const struct transformer *transformer_find(struct str name);

#endif
