/*
 * Checks: what is wrong with a configuration, as data. A check is a row (id, severity, why, how to fix, tags); a
 * checker reads one kind of file and reports which checks its lines fail, as `check` facts. Files are hostile: checkers
 * run in a worker (flow/check.h).
 *
 * Add a checker: a file analyze/<name>.c that ends in one `const struct checker`, and a line in checkers[] of check.c.
 * Findings go through a struct check_page, which knows about comments that say to ignore them.
 */
#ifndef SEKISHO_ANALYZE_CHECK_H
#define SEKISHO_ANALYZE_CHECK_H

#include "base/arena.h"
#include "base/vec.h"
#include "fact/sink.h"

#define CHECK_FILE_MAX     (4u << 20) /* bytes of one file */
#define CHECK_FINDINGS_MAX 2000u      /* of one file; what is beyond is an `unread` fact (limit) */
#define CHECK_IGNORES_MAX  1000u      /* comments of one file that say to ignore something */
#define CHECK_DETAIL_MAX   300u       /* bytes of a detail */

struct check {
        const char *id;      /* "DL3006", "SK-DOCKER-101": it is shown, and comments name it */
        const char *aliases; /* other ids, separated by spaces, which comments may name too; may be NULL */
        enum severity severity;
        const char *title; /* what is wrong, one line without a full stop */
        const char *why;   /* a sentence or two */
        const char *fix;   /* what to do, without a full stop */
        const char *tags;  /* "NIST-800-190:4.1.2 CWE-250 T1611", separated by spaces; may be NULL */
        bool is_quiet;     /* reported only where the settings enable it */
};

struct check_settings { /* what the command line says, the same for all files */
        int64_t today;
        struct str_list enabled;    /* ids of quiet checks; "all" */
        struct str_list registries; /* trusted ones; none: all are */
        struct str_list labels;     /* NAME:TYPE that images must carry */
        bool strict_labels;         /* and no others */
};

struct check_file {
        struct str path, bytes;
        bool is_named; /* by the user, and not found in a directory: it must be of some checker */
};

struct checker {
        const char *name, *summary;
        bool (*wants)(struct str name); /* whether a directory's file of that name (no path) is worth reading */
        bool (*recognises)(struct str path,
                           struct str bytes); /* whether a file is this checker's; the first one has it */
        /* All files that are its. Puts `check`, `edit` and `unread` facts, through a page for each file. */
        void (*run)(const struct check_file *files, size_t n, const struct check_settings *s, struct sink *out);
        const struct check *(*check)(size_t i); /* its i-th check; NULL past the last */
};

extern const struct checker *const checkers[]; /* NULL-terminated */

/* Checks that every checker may report: ignores that are expired, unused, or cannot be understood. */
extern const struct check check_expired, check_unused, check_malformed;

/* The check of that id or alias, of all checkers; or NULL. */
const struct check *check_find(struct str id);

/* The i-th check of all checkers, the common ones first; NULL past the last. */
const struct check *check_at(size_t i);

bool check_has_name(const struct check *c, struct str id); /* is it its id or an alias, in any case */
bool check_is_enabled(const struct check *c, const struct check_settings *s);

/* Fills in what a fact says of its check: aliases, severity, title, why, remedy, tags. Lists live in the arena. */
void check_describe(const struct check *c, struct arena *arena, struct fact_check *f);

/* --- a page: the findings of one file, and the comments that waive some of them --- */

struct check_ignore {
        struct str rules, reason; /* as written; "" for all rules of a malformed one */
        int64_t until;            /* 0: for good */
        uint32_t line;            /* of the comment */
        uint32_t from, to;        /* lines for which it holds */
        uint64_t used;            /* bit i: its i-th rule waived something */
};

struct check_finding {
        const struct check *check;
        uint32_t line, column, end_line;
        struct str detail;
        const struct check_ignore *waiver; /* or NULL */
        size_t edits;                      /* index of its first edit, and how many there are */
        size_t n_edits;
};

struct check_page {
        struct str file;
        const struct check_settings *settings;
        struct arena *arena;
        VEC(struct check_finding) findings;
        VEC(struct check_ignore) ignores;
        VEC(struct fact_edit) edits;
        bool is_flooded;
};

void check_page_begin(struct check_page *p, struct str file, const struct check_settings *s, struct arena *arena);

/*
 * A comment of the file, from its "#" on, which stands on `line`; where it says to ignore something it holds for the
 * lines from..to. The spellings:
 *
 *         # sekisho:ignore RULE[,RULE...] [reason] [until=2027-01-31]
 *         # sekisho:ignore-file RULE[,RULE...] ...          for the whole file
 *         # hadolint ignore=RULE[,RULE...]                  "# hadolint global ignore=": for the whole file
 *
 * True if it is one of them. Until is the last day on which it holds.
 */
bool check_page_comment(struct check_page *p, struct str comment, uint32_t line, uint32_t from, uint32_t to);

/* A finding on these lines. False if the check is quiet, or the page full: then no edits may follow. */
bool check_page_add(struct check_page *p, const struct check *c, uint32_t line, uint32_t column, uint32_t end_line,
                    const char *fmt, ...) _printf_(6, 7);

/* A change that repairs the finding added last, together with its other edits. The text is copied. */
void check_page_edit(struct check_page *p, size_t offset, size_t length, struct str text);

/* Applies the ignores, adds what is to say of them, puts everything sorted by place, and frees. */
void check_page_end(struct check_page *p, struct sink *out);

#endif
