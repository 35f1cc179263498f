/*
 * From what rule files define to a rule set: names are resolved, types checked, constants read, conditions joined into
 * the graph. Everything that is wrong is reported, and the rest goes on as if it were right.
 */
#ifndef SEKISHO_RULE_COMPILE_H
#define SEKISHO_RULE_COMPILE_H

#include "rule/library.h"
#include "rule/output.h"

struct compiler {
        struct library *library;
        struct graph *graph;
        struct arena *arena;
        struct problems *problems;
        const struct rule_options *options;

        /* What is being compiled: for the places and words of problems. */
        const struct piece_vec *pieces;
        const char *about_kind; /* "rule", "macro", "list", "condition" */
        struct str about_name;
        uint32_t visibility;        /* only what was defined before that change can be used */
        enum problem_level unknown; /* what an unknown field or event type is */
        bool has_unknown;           /* there was one */
        uint32_t depth, deepest;    /* of nodes in each other, macros expanded: now, and since the macro began */
};

/* Reports at an offset of the text that is being compiled. suggestion may be empty. */
void compile_problem(struct compiler *c, enum problem_level level, const char *code, uint32_t at,
                     const char *suggestion, const char *fmt, ...) _printf_(6, 7);

/* The same at a place. */
void compile_problem_at(struct compiler *c, enum problem_level level, const char *code, struct place place,
                        const char *suggestion, const char *fmt, ...) _printf_(6, 7);

/* A field or transformers over fields as an expression; NULL (and a problem) if it is none. */
const struct expr *compile_term(struct compiler *c, const struct term *t);

/* A comparison; NULL and a problem if it cannot be made. */
const struct check *compile_check(struct compiler *c, struct node *n);

/* A whole tree as a gate; GATE_ID_FALSE for what is wrong with a problem. Sets `resolved` in its nodes. */
uint32_t compile_node(struct compiler *c, struct node *n);

/* The constants of a list with the lists in it. */
void compile_list(struct compiler *c, struct list_def *l);

/* All of a library: rules get their gates, and outputs[i] that of rule i. */
void compile_library(struct compiler *c, struct output_template **outputs);

/*
 * Why a gate (ALL or ANY) of which no part is false (true) by itself can never be true (false), in words; or false.
 */
bool gate_is_contradiction(const struct graph *g, uint32_t gate, char words[200]);

#endif
