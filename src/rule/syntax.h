/*
 * The syntax of a condition: text to tree and back. The grammar is Falco's (falcosecurity/libs, filter/parser.h):
 *
 *         any     := all { "or" all }
 *         all     := not { "and" not }
 *         not     := { "not" } ( "(" any ")" | check | NAME )
 *         check   := term ( "exists" | operator [ quantifier ] right )
 *         term    := FIELD [ "[" argument "]" ] | TRANSFORMER "(" term { "," term } ")"
 *         right   := constant | "(" [ constant { "," constant } ] ")" | NAME | "val(" FIELD ")" | TRANSFORMER...
 *         quantifier := "anyof" | "allof" | "oneof"                    before a list, for operators with one constant
 *
 * What we take beyond it: constants of any kind behind < <= > >=, escapes \xHH, and blanks where Falco wants one space.
 */
#ifndef SEKISHO_RULE_SYNTAX_H
#define SEKISHO_RULE_SYNTAX_H

#include "base/error.h"
#include "rule/operator.h"

struct constant {
        struct str text; /* without quotes and escapes */
        uint32_t at;     /* offset in the condition's text */
        bool is_quoted;  /* then it is no list's name */
};

enum term_kind { TERM_FIELD, TERM_CONSTANT, TERM_CALL };

struct term {
        enum term_kind kind;
        uint32_t at;
        struct str name; /* of a field; or the constant's text */
        bool has_argument;
        struct str argument; /* of a field, in brackets */
        const struct transformer *call;
        struct term **arguments;
        size_t n_arguments;
};

enum node_kind { NODE_ALL, NODE_ANY, NODE_NOT, NODE_NAME, NODE_CHECK };
enum quantifier { QUANTIFIER_NONE, QUANTIFIER_ANYOF, QUANTIFIER_ALLOF, QUANTIFIER_ONEOF };

struct node {
        enum node_kind kind;
        uint32_t at;
        struct node **children; /* of ALL, ANY (at least two), NOT (one) */
        size_t n_children;
        struct str name; /* of NAME: a macro */
        const struct operator* op;
        enum quantifier quantifier;
        struct term *left, *right; /* right: of a check with a field there */
        struct constant *constants;
        size_t n_constants;
        bool is_empty_list; /* "in ()" stands there in so many words */
        void *resolved;     /* for check.c: what the check or the macro became */
};

struct syntax_error {
        uint32_t at;
        char words[160];
        char suggestion[160]; /* may be empty */
};

/* Parses all of the text. The tree lives in the arena, its texts too. 0, or -EINVAL and *err. */
int condition_parse(struct arena *arena, struct str text, struct node **ret, struct syntax_error *err);

/* Parses one list item as Falco does when it puts it into a condition: a quoted or bare constant, or several. */
int constants_parse(struct arena *arena, struct str text, struct constant **ret, size_t *ret_n,
                    struct syntax_error *err);

/* True if the text is a constant that needs no quotes. */
bool constant_is_bare(struct str text);

/* Writes a constant, in quotes if it needs them or `quote` says so. */
void constant_print(struct str text, bool quote, struct buf *to);

void term_print(const struct term *t, struct buf *to);

/* A name of the language: a letter, then letters, digits, underscores. */
bool is_identifier(struct str s);

extern const char *const quantifier_names[]; /* by enum quantifier; "" for none */

#endif
