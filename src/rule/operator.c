/* See operator.h. */
#include "rule/operator.h"

#define ANY_TYPE (TYPES(VALUE_TYPES) - 1)
#define EQUAL    (ANY_TYPE & ~TYPES(VALUE_ABSENT) & ~TYPES(VALUE_LIST))
#define TEXT     TYPES(VALUE_STRING)
#define BYTES    TYPES(VALUE_BYTES)

const struct operator operators[OPERATORS] = {
        { "exists", OP_EXISTS, RIGHT_NOTHING, ANY_TYPE, true, "the record has the field" },
        { "=", OP_EQ, RIGHT_ONE, EQUAL, false, "equal; == is the same; a network holds the address" },
        { "!=", OP_NE, RIGHT_ONE, EQUAL, false, "not equal, of a field that is there" },
        { "<", OP_LT, RIGHT_ONE, TYPES_ORDERED, false, "less, earlier, shorter, lower" },
        { "<=", OP_LE, RIGHT_ONE, TYPES_ORDERED, false, "less or equal" },
        { ">", OP_GT, RIGHT_ONE, TYPES_ORDERED, false, "greater" },
        { ">=", OP_GE, RIGHT_ONE, TYPES_ORDERED, false, "greater or equal" },
        { "in", OP_IN, RIGHT_SET, EQUAL, true, "equal to one of the set; of a list: all its values are" },
        { "intersects", OP_INTERSECTS, RIGHT_SET, EQUAL, true,
          "equal to one of the set; of a list: one of its values is" },
        { "pmatch", OP_PMATCH, RIGHT_SET, TEXT, false,
          "the path is one of the set or below it, component by component; * ? [ ] match within a component" },
        { "contains", OP_CONTAINS, RIGHT_ONE, TEXT | BYTES, false, "has the text in it" },
        { "icontains", OP_ICONTAINS, RIGHT_ONE, TEXT, false, "the same in any case (ASCII)" },
        { "bcontains", OP_BCONTAINS, RIGHT_ONE, BYTES, false, "has the bytes in it, given in hexadecimal" },
        { "startswith", OP_STARTSWITH, RIGHT_ONE, TEXT | BYTES, false, "begins with the text" },
        { "bstartswith", OP_BSTARTSWITH, RIGHT_ONE, BYTES, false, "begins with the bytes, given in hexadecimal" },
        { "endswith", OP_ENDSWITH, RIGHT_ONE, TEXT | BYTES, false, "ends with the text" },
        { "glob", OP_GLOB, RIGHT_ONE, TEXT, false, "matches the pattern as a whole: * ? [ ], which match a slash too" },
        { "iglob", OP_IGLOB, RIGHT_ONE, TEXT, false, "the same in any case (ASCII)" },
        { "regex", OP_REGEX, RIGHT_ONE, TEXT, false, "matches the POSIX extended regular expression as a whole" },
};

const char *const operator_words[] = {
        "exists",     "in",          "intersects", "pmatch", "contains", "icontains", "bcontains",
        "startswith", "bstartswith", "endswith",   "glob",   "iglob",    "regex",     NULL,
};

const struct operator* operator_find(struct str name)
{
        if (str_is(name, "=="))
                return &operators[OP_EQ];
        for (size_t i = 0; i < OPERATORS; i++)
                if (str_is(name, operators[i].name))
                        return &operators[i];
        return NULL;
}

const struct transformer transformers[TRANSFORMERS] = {
        { "tolower", TO_LOWER, TEXT, 1, 1, "field", "in lower case (ASCII)" },
        { "toupper", TO_UPPER, TEXT, 1, 1, "field", "in upper case (ASCII)" },
        { "b64", TO_B64, TEXT | BYTES, 1, 1, "field", "decoded from base64; absent if it is none" },
        { "basename", TO_BASENAME, TEXT, 1, 1, "field", "what stands behind the last slash" },
        { "len", TO_LEN, TEXT | BYTES, 1, 1, "field", "its bytes; of a list, the number of its values" },
        { "val", TO_VAL, ANY_TYPE, 1, 1, "field", "the field itself, on the right of an operator" },
        { "join", TO_JOIN, TEXT, 2, 2, "separator, list", "the values of a list as one text" },
        { "concat", TO_CONCAT, TEXT, 2, 16, "text, text...", "the texts one after the other" },
};

const char *const transformer_words[] = {
        "tolower", "toupper", "b64", "basename", "len", "val", "join", "concat", NULL
};

const struct transformer *transformer_find(struct str name)
{
        for (size_t i = 0; i < TRANSFORMERS; i++)
                if (str_is(name, transformers[i].name))
                        return &transformers[i];
        return NULL;
}
