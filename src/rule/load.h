/*
 * Rule files to a library: YAML items to lists, macros and rules, with all that Falco lets one change later (append,
 * override, enabled). load.c walks a file; load-rule.c reads a rule; exception.c makes conditions of exceptions.
 */
#ifndef SEKISHO_RULE_LOAD_H
#define SEKISHO_RULE_LOAD_H

#include "rule/library.h"

/* The engine version of Falco whose language this is: 0.MINOR.0, also written MINOR. */
#define FALCO_ENGINE_MINOR 63

struct loading {
        struct library *library;
        struct arena *arena;
        struct problems *problems;
        const struct rule_options *options;
        const struct source_file *file;
        struct str about; /* rule "x", while it is read */
};

void load_problem(struct loading *l, enum problem_level level, const char *code, const struct yaml_node *node,
                  const char *suggestion, const char *fmt, ...) _printf_(6, 7);

/* Reads a whole file. */
void load_file(struct loading *l);

void load_rule(struct loading *l, const struct yaml_node *item);

/* The value of a key as a non-empty text; false (and a problem if it is there but is none, or if it is required). */
bool load_text(struct loading *l, const struct yaml_node *item, const char *key, bool required, struct str *ret);

bool load_flag(struct loading *l, const struct yaml_node *item, const char *key, bool *ret);

/* Texts of a sequence, or of a single scalar. */
bool load_texts(struct loading *l, const struct yaml_node *item, const char *key, struct str_list *ret);

/* The part of a condition that a key's value is. */
struct piece load_piece(struct loading *l, const struct yaml_node *node);

/* Warns of keys that are not among these NULL-terminated ones. */
void load_check_keys(struct loading *l, const struct yaml_node *item, const char *const *keys);

/*
 * What "append" and "override" say of an item: for each key, how it changes what was there. False: they contradict.
 */
enum change { CHANGE_NONE, CHANGE_APPEND, CHANGE_REPLACE };

#define CHANGEABLE_MAX 24 /* keys of an item that others can change */

struct changes {
        bool any;         /* there are some: the item changes an earlier one */
        bool append_flag; /* append: true, the old way */
        enum change by_key[CHANGEABLE_MAX];
};

struct changeable {
        const char *key;
        bool append, replace;
};

bool load_changes(struct loading *l, const struct yaml_node *item, const struct changeable *keys, struct changes *ret);

/* Reads the exceptions of a rule item into it; `change` says whether they are added, or replace those that are there.
 */
void load_exceptions(struct loading *l, const struct yaml_node *item, struct rule_def *r, enum change change);

/* Puts the exceptions of a rule behind its condition: "( condition ) and not ( ... )". */
void exceptions_apply(struct loading *l, struct rule_def *r);

#endif
