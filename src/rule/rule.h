/*
 * The one rule language: rule files in, a rule set out, that says of a record which of its rules hit.
 *
 *         struct rule_loader *l = rule_loader_new(&options);
 *         rule_loader_add_file(l, STR("default.yaml"), bytes);                for each file, in order
 *         r = rule_loader_finish(l, &set, &problems);                          all mistakes in one go
 *         struct rule_eval *e = rule_eval_new(set);
 *         size_t n = rule_eval(e, &record, STAGE_SCAN, &hits);                 for each record
 *
 * The language is that of Falco's rule files (docs/format/rules.md has it whole), typed against fact/field.h. A loaded
 * set is immutable and can be used from several threads, each with a rule_eval of its own. Nothing here does I/O, reads
 * a clock, or fails on account of a record.
 *
 * Absent values: a comparison with an absent field is false, whatever the operator, so "vuln.severity != high" is false
 * of a record without vuln.severity, and "not vuln.severity = high" is true. "exists" is the question itself. (So does
 * Falco.)
 */
#ifndef SEKISHO_RULE_RULE_H
#define SEKISHO_RULE_RULE_H

#include "base/error.h"
#include "fact/field.h"

/* Limits. What passes one is an error of its place, with the limit's name. */
#define RULE_FILE_BYTES_MAX      (16u << 20)
#define RULE_CONDITION_BYTES_MAX (1u << 20)
#define RULE_DEPTH_MAX           1000u    /* parentheses in each other */
#define RULE_EXPANDED_DEPTH_MAX  2500u    /* the same with macros expanded */
#define RULE_NODES_MAX           1000000u /* of the shared graph of all conditions of a set */
#define RULE_LIST_ITEMS_MAX      1000000u /* of one list, with the lists in it */
#define RULE_CONSTANTS_MAX       4000000u /* of all lists and conditions together, lists expanded */
#define RULE_RULES_MAX           100000u
#define RULE_TAGS_MAX            1000u      /* of one rule, once any are appended */
#define RULE_PROBLEMS_MAX        1000u      /* more are counted, not kept */
#define RULE_PRINT_BYTES_MAX     (1u << 20) /* of a printed condition, macros expanded */
#define RULE_OUTPUT_BYTES_MAX    (64u << 10)
#define RULE_REGEX_BYTES_MAX     4096u
#define RULE_REGEX_STATES_MAX    20000u

/* A place in a file. line and column count from 1; 0: not known. Columns count bytes. */
struct place {
        struct str file;
        uint32_t line, column;
};

/* ------------------------------------------------------------------------------------------------ problems ---- */

enum problem_level { PROBLEM_WARNING, PROBLEM_ERROR };

struct problem {
        enum problem_level level;
        const char *code; /* one word for machines: "unknown-field", "wrong-type", "never-true"... */
        struct place place;
        struct str about;      /* the rule, macro or list that it is in; may be empty */
        struct str words;      /* "unknown field proc.nmae" */
        struct str suggestion; /* "did you mean proc.name?"; may be empty */
};

struct problems {
        struct problem *v; /* by file (in the order given), line, column */
        size_t n;
        size_t n_errors, n_warnings; /* of all, the dropped too */
        size_t n_dropped;            /* beyond RULE_PROBLEMS_MAX */
        struct arena arena;
};

void problems_done(struct problems *p);

/* "file:line:column: error: in rule "x": words; did you mean y?" without an end of line. */
void problem_print(const struct problem *p, struct buf *to);

/* Appends one; keeps the order of problems with equal places. The texts are copied. For callers with further checks. */
void problems_add(struct problems *p, const struct problem *problem);

/* ---------------------------------------------------------------------------------------------------- rules ---- */

enum rule_priority { /* Falco's, most urgent first */
                     PRIORITY_EMERGENCY,
                     PRIORITY_ALERT,
                     PRIORITY_CRITICAL,
                     PRIORITY_ERROR,
                     PRIORITY_WARNING,
                     PRIORITY_NOTICE,
                     PRIORITY_INFORMATIONAL,
                     PRIORITY_DEBUG,
                     PRIORITIES
};

enum rule_action { /* key "action"; none: the rule only speaks (a Falco rule) */
                   ACTION_NONE,
                   ACTION_ALLOW,
                   ACTION_WARN,
                   ACTION_DENY,
                   ACTION_KILL,
                   ACTION_FREEZE,
                   ACTION_QUARANTINE,
                   ACTION_ISOLATE,
                   ACTION_TERMINATE,
                   ACTIONS
};

enum rule_response { /* key "response" */
                     RULE_RESPONSE_NONE,
                     RULE_RESPONSE_UPDATE,
                     RULE_RESPONSE_REPLACE,
                     RULE_RESPONSE_MITIGATE,
                     RULE_RESPONSE_ACCEPT,
                     RULE_RESPONSES
};

extern const char *const rule_priority_names[PRIORITIES]; /* "Emergency"... as Falco prints them */
extern const char *const rule_action_names[ACTIONS];      /* "none", "allow"... */
extern const char *const rule_response_names[RULE_RESPONSES];

/* A rule as loaded. Every text lives as long as the set. */
struct rule {
        struct str name, desc, output, why, fix;
        struct str condition; /* as written, exceptions and appended parts included */
        struct place place;   /* of the item that defined it first */
        struct place condition_place;
        unsigned stages;   /* of enum stage */
        struct str source; /* "syscall", or what the file says; "" of a rule with stages of its own */
        enum rule_priority priority;
        enum severity severity; /* key "severity", of checks; SEVERITY_UNKNOWN without it */
        enum rule_action action;
        bool acts_after; /* key "when: after": kill once the event has been seen, not before the program runs */
        enum rule_response response;
        struct str_list tags;
        bool enabled;
        bool unsupported; /* loaded but never true: its source has no field table yet; a warning says so */
        size_t n_exceptions;
};

struct rule_set;

/* The rules in the order of their first definition; hits are indexes into them. Disabled rules never hit. */
size_t rule_set_n(const struct rule_set *s);
const struct rule *rule_set_rule(const struct rule_set *s, size_t index);
size_t rule_set_find(const struct rule_set *s, struct str name); /* SIZE_MAX if there is none */
void rule_set_free(struct rule_set *s);                          /* NULL is fine */

struct rule_counts {
        size_t files, rules, macros, lists;
};
struct rule_counts rule_set_counts(const struct rule_set *s);

/* -------------------------------------------------------------------------------------------------- loading ---- */

struct rule_options {
        unsigned stages;  /* of rules that name neither stage nor source; 0: STAGE_SYSCALL, as Falco */
        bool warn_unused; /* lists and macros that nothing uses are warnings (not wanted of a shared library) */
};

struct rule_loader;

struct rule_loader *rule_loader_new(const struct rule_options *o); /* NULL: defaults */
void rule_loader_free(struct rule_loader *l);                      /* NULL is fine */

/*
 * Adds a rule file. Later files see what earlier ones defined, and may append to or override it, as in Falco. Name and
 * bytes are copied. Mistakes wait for rule_loader_finish.
 */
void rule_loader_add_file(struct rule_loader *l, struct str name, struct str bytes);

/*
 * Adds a condition that stands elsewhere (a waiver's `when`, --fail-on) as a rule of its own, enabled, without action.
 * Macros and lists of the files are known to it. The place is where the text begins. Name need not be unique among
 * conditions; it must not be that of a rule. Returns its index in the set to be.
 */
size_t rule_loader_add_condition(struct rule_loader *l, struct str name, struct str condition, struct place place,
                                 unsigned stages);

/*
 * Checks and compiles everything. 0: *ret is the set (there may be warnings). RULES_WRONG: there are errors in the
 * problems, and no set. The loader is spent either way and must be freed. problems_done() is the caller's.
 */
enum { RULES_WRONG = 1 };
int rule_loader_finish(struct rule_loader *l, struct rule_set **ret, struct problems *ret_problems);

/* ----------------------------------------------------------------------------------------------- evaluation ---- */

/* A field with its argument, as conditions and outputs name it. Each distinct one of a set has one struct. */
struct field_ref {
        const struct field *field;
        bool has_index;
        uint32_t index;  /* proc.aname[2] */
        struct str key;  /* evt.arg.flags; STR_NONE without one */
        struct str text; /* as written canonically: "proc.aname[2]" */
        uint32_t slot;   /* 0 .. rule_set_n_refs - 1: a place of its own in each set, for tables of getters */
};

/*
 * What is asked about: get() fills *ret (absent on entry) and is called at most once for a field_ref and a record, and
 * only when an answer is needed. What it returns must stay valid until the next rule_eval with the same rule_eval.
 */
struct record {
        void (*get)(void *ctx, const struct field_ref *ref, struct value *ret);
        void *ctx;
};

size_t rule_set_n_refs(const struct rule_set *s);
const struct field_ref *rule_set_ref(const struct rule_set *s, size_t slot);

struct rule_eval; /* the memory that evaluating needs; one for each thread */

struct rule_eval *rule_eval_new(const struct rule_set *s);
void rule_eval_free(struct rule_eval *e); /* NULL is fine */

/*
 * Which rules of that stage hit, as ascending indexes in *ret_hits, valid until the next call. The record is forgotten
 * on the next call. Deterministic, linear in the size of what is looked at.
 */
size_t rule_eval(struct rule_eval *e, const struct record *r, enum stage stage, const uint32_t **ret_hits);

/* The output of a rule for the record of the last rule_eval; "%%" and fields as Falco's, absent ones "<NA>". */
void rule_render(struct rule_eval *e, size_t rule, const struct record *r, struct buf *to);

/* One line of an explanation, in the order of the condition; depth says what belongs to what. */
struct rule_step {
        enum { STEP_ALL, STEP_ANY, STEP_NOT, STEP_MACRO, STEP_CHECK } kind;
        unsigned depth;
        bool is_true;
        struct str text; /* of a check: canonical text; of a macro: its name */
        struct str seen; /* of a check: the value that the field had; "<NA>" if absent */
};

#define RULE_STEPS_MAX 10000u

/*
 * Why a rule hits the record of the last rule_eval or does not: every part of the condition, also those that
 * rule_eval had no need to look at. Steps and texts live in the arena; at most RULE_STEPS_MAX of them.
 */
size_t rule_explain(struct rule_eval *e, size_t rule, const struct record *r, struct arena *arena,
                    const struct rule_step **ret_steps);

/* ----------------------------------------------------------------------------------------------- about sets ---- */

/* The canonical text of a rule's condition: lists and macros expanded, or kept by name. Parses to the same condition.
 */
void rule_print_condition(const struct rule_set *s, size_t rule, bool expand, struct buf *to);

/* What rules need in order to be decided: of one rule, or of all enabled ones (SIZE_MAX). Views into the set. */
struct rule_needs {
        const struct field_ref *const *fields; /* of conditions and outputs, by name */
        size_t n_fields;
        const struct field_ref *const *missing; /* those that are not delivered yet */
        size_t n_missing;
        const char *const *events; /* names of evt.type, sorted; */
        size_t n_events;
        bool all_events;            /* the rule does not say which: any event can make it true */
        const struct str *prefixes; /* paths that the rule's prefixes of fd.name and the like ask for, sorted */
        size_t n_prefixes;
};
void rule_set_needs(const struct rule_set *s, size_t rule, struct arena *arena, struct rule_needs *ret);

/* ----------------------------------------------------------------------------------------------- weakening ---- */

/* A check as somebody sees it who wants to decide beforehand which records are worth asking about. */
struct rule_check {
        uint32_t id;                 /* of equal checks of a set the same */
        const struct field_ref *ref; /* NULL: more than a field compared with constants */
        const struct operator* op;   /* rule/operator.h */
        const struct value *constants;
        size_t n;
        bool is_negated; /* it must be false: it is so of an absent field, too */
};

/* Which of the caller's bits are sure to be set if the check is true (or with is_negated false); 0: nothing is sure. */
typedef uint64_t rule_necessary(void *arg, const struct rule_check *check);

#define RULE_CLAUSES_MAX 24u

/* One of them must have all of its bits set, or the rule cannot hit. None: it cannot at all. */
struct rule_clauses {
        uint64_t v[RULE_CLAUSES_MAX];
        size_t n;
};

/*
 * What must be true of an event with that evt.type for the rule to hit: sound, and weaker where the clauses would be
 * too many. `necessary` is asked once for each check and sign of it that counts.
 */
void rule_set_clauses(const struct rule_set *s, size_t rule, struct str event, rule_necessary *necessary, void *arg,
                      struct rule_clauses *ret);

/* Adds one; what is implied by others goes, and past the room for them the two nearest become what they share. */
void rule_clauses_add(struct rule_clauses *c, uint64_t clause);

#endif
