/*
 * What conditions become: one graph of gates over checks over expressions, shared by all rules of a set. Equal parts
 * are one node (found by their canonical text or their parts), so that a macro that fifty rules use is looked at once.
 */
#ifndef SEKISHO_RULE_GRAPH_H
#define SEKISHO_RULE_GRAPH_H

#include "base/map.h"
#include "base/vec.h"
#include "rule/match.h"
#include "rule/rule.h"

enum expr_kind { EXPR_FIELD, EXPR_CONSTANT, EXPR_CALL };

/* A value that is made of a record: a field, or transformers over fields. */
struct expr {
        enum expr_kind kind;
        uint32_t id;
        struct str text; /* canonical */
        enum value_type type;
        unsigned traits; /* FIELD_LIST, FIELD_EITHER, FIELD_MANY, FIELD_VARIANT: what the value can be */
        unsigned stages; /* in which it exists */
        struct field_ref ref;
        struct value constant;
        const struct transformer *call;
        const struct expr *arguments[16];
        size_t n_arguments;
};

struct check {
        uint32_t id;
        struct str text; /* canonical, lists expanded */
        const struct operator* op;
        enum quantifier quantifier;
        const struct expr *left, *right; /* right: NULL if it is compared with constants */
        const struct value *constants;
        size_t n;
        struct matcher *matcher; /* NULL: exists, or a right side */
};

enum gate_kind { GATE_FALSE, GATE_TRUE, GATE_ALL, GATE_ANY, GATE_NOT, GATE_CHECK };

struct gate {
        enum gate_kind kind;
        uint32_t check;           /* of CHECK */
        const uint32_t *children; /* of ALL, ANY, NOT */
        uint32_t n;
        uint16_t depth;
        bool is_shared; /* more than one gate or rule leads here: its truth is worth remembering */
};

#define GATE_ID_FALSE  0u
#define GATE_ID_TRUE   1u
#define GATE_DEPTH_MAX 4000u /* evaluation recurses that deep */

VEC_TYPE(gate_vec, struct gate);
VEC_TYPE(id_list, uint32_t);
VEC_TYPE(check_vec, struct check *);
VEC_TYPE(expr_vec, struct expr *);

struct graph {
        struct arena *arena;
        struct gate_vec gates;
        struct check_vec checks;
        struct expr_vec exprs;
        struct map_str expr_by_text, check_by_text;
        struct map64 gate_by_hash; /* to gate id; of two with one hash the second is not shared */
        size_t edges;
        bool too_large; /* past RULE_NODES_MAX or GATE_DEPTH_MAX: what is made then is GATE_FALSE */
};

void graph_init(struct graph *g, struct arena *arena);
void graph_done(struct graph *g); /* the maps; what else there is lives in the arena, but for the three vectors */

/* An expression with that text, or NULL; or a new one to be filled in, with text (copied) and id set. */
struct expr *graph_find_expr(struct graph *g, struct str text);
struct expr *graph_add_expr(struct graph *g, struct str text);
struct check *graph_find_check(struct graph *g, struct str text);
struct check *graph_add_check(struct graph *g, struct str text);

uint32_t graph_check(struct graph *g, const struct check *c);

/*
 * ALL or ANY of gates (which are copied): parts of the same kind are joined, what is there twice counts once, true and
 * false are folded, x and not x too. One part alone is itself; none is TRUE (ALL) or FALSE (ANY).
 */
uint32_t graph_gate(struct graph *g, enum gate_kind kind, const uint32_t *children, size_t n);
uint32_t graph_not(struct graph *g, uint32_t gate);

#endif
