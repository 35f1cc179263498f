/*
 * Regular expressions over bytes that nobody vouches for: PCRE2 without its compiler to machine code (workers may not
 * have memory that is both written and run), with limits on steps and memory. A pattern that would explode ends with
 * REGEX_LIMIT, which the caller must say: it is no answer.
 *
 * The syntax is Perl's (pcre2pattern(3)), on bytes; $ is the very end, as in RE2. No pattern may call out, look at \C
 * or set options at its start that lift limits.
 */
#ifndef SEKISHO_BASE_REGEX_H
#define SEKISHO_BASE_REGEX_H

#include "base/error.h"
#include "base/str.h"

#define REGEX_PATTERN_MAX (64u << 10) /* bytes of a pattern */
#define REGEX_GROUPS_MAX  32          /* that regex_find tells of, the whole match being the first */
#define REGEX_STEPS_MAX   20000u      /* from one place of the text */
#define REGEX_MEMORY_KIB  1024u       /* of backtracking */

struct regex;         /* a compiled pattern; immutable, for any number of threads and forks */
struct regex_matcher; /* what one thread needs to match */

enum regex_options {
        REGEX_NOCASE = 1,
        REGEX_ANCHORED = 2,  /* matches where the search begins or nowhere */
        REGEX_MULTILINE = 4, /* ^ and $ at line ends too */
        REGEX_DOTALL = 8,    /* . is also a line end */
};

/* 0, or -EINVAL with the reason and its place in the pattern, or -E2BIG. */
int regex_new(struct str pattern, unsigned options, struct regex **ret, struct error *err);
void regex_free(struct regex *r);           /* NULL is fine */
size_t regex_groups(const struct regex *r); /* how many, the whole match not counted */

struct regex_matcher *regex_matcher_new(void);
void regex_matcher_free(struct regex_matcher *m);

/*
 * The first match in text at `from` or after it (what precedes it can be looked back at): 1 and groups[0..n), the whole
 * match first; groups that took no part are STR_NONE. 0: none. REGEX_LIMIT: given up.
 */
#define REGEX_LIMIT 2
int regex_find(struct regex_matcher *m, const struct regex *r, struct str text, size_t from, struct str *groups,
               size_t n);

#endif
