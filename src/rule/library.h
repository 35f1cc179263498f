/*
 * What rule files define, before it is compiled: lists, macros and rules by name, in the order and with the visibility
 * that Falco gives them. A later definition of a name replaces an earlier one in its place; "append" and "override"
 * change it. Each change gets a number: a list or macro may use those that were first defined before its own last
 * change.
 */
#ifndef SEKISHO_RULE_LIBRARY_H
#define SEKISHO_RULE_LIBRARY_H

#include "read/yaml.h"
#include "rule/graph.h"

struct source_file {
        struct str name, bytes;
        struct yaml yaml;
        const uint32_t *lines; /* offset of each line's first byte */
        size_t n_lines;
};

/*
 * A part of a condition, and how to find a place in it: in a YAML scalar, in a text that begins at `place`, or, of what
 * was made up (exceptions), always `place` itself.
 */
enum piece_kind { PIECE_SCALAR, PIECE_TEXT, PIECE_MADE };

struct piece {
        enum piece_kind kind;
        struct str text;
        struct place place;
        const struct source_file *file; /* of SCALAR */
        const struct yaml_node *node;   /* of SCALAR */
        uint32_t start;                 /* of this part in the whole text */
};

VEC_TYPE(piece_vec, struct piece);

struct list_item {
        struct str text;
        struct place place;
};

VEC_TYPE(list_item_vec, struct list_item);

enum resolve_state { RESOLVE_NEW, RESOLVE_BUSY, RESOLVE_DONE };

struct list_def {
        struct str name;
        struct place place;
        struct list_item_vec items;
        uint32_t index, visibility;
        bool used;
        enum resolve_state state;
        const struct constant *constants; /* once done: with the lists in it */
        size_t n;
};

struct macro_def {
        struct str name;
        struct place place;
        struct piece_vec pieces;
        uint32_t index, visibility;
        bool used;
        uint32_t depth; /* of its tree, with the macros in it */
        enum resolve_state state;
        struct str text;
        struct node *tree; /* NULL if it does not parse */
        uint32_t gate;
};

struct exception_def {
        struct str name;
        struct place place;
        const struct source_file *file;
        const struct yaml_node *fields, *comps; /* NULL if not given */
        VEC(const struct yaml_node *) values;
};

VEC_TYPE(exception_vec, struct exception_def *);

struct rule_def {
        struct rule rule;
        struct piece_vec pieces;
        struct exception_vec exceptions;
        bool skip_if_unknown, no_event_warning, is_condition;
        const struct source_file *output_file;
        const struct yaml_node *output_node;
        struct str text;
        struct node *tree;
        uint32_t gate;
};

VEC_TYPE(list_vec, struct list_def *);
VEC_TYPE(macro_vec, struct macro_def *);
VEC_TYPE(rule_def_vec, struct rule_def *);

struct library {
        struct arena *arena;
        struct list_vec lists;
        struct macro_vec macros;
        struct rule_def_vec rules;
        struct map_str list_by_name, macro_by_name, rule_by_name;
        uint32_t n_changes;
        uint32_t n_constants; /* expanded so far, of RULE_CONSTANTS_MAX */
        size_t n_files;
};

void library_done(struct library *l);

struct list_def *library_list(const struct library *l, struct str name);
struct macro_def *library_macro(const struct library *l, struct str name);
struct rule_def *library_rule(const struct library *l, struct str name);

/* One text out of the parts, with a blank between them; sets where each starts. */
struct str pieces_join(struct piece_vec *pieces, struct arena *arena);

/*
 * The place of an offset of the joined text. Exact in plain, quoted and block scalars; in double-quoted ones with
 * escapes that change their length (\u) near; that of the scalar itself when it is an alias.
 */
struct place pieces_place(const struct piece_vec *pieces, uint32_t offset);

/* The place of a node. */
struct place node_place(const struct source_file *file, const struct yaml_node *node);

#endif
