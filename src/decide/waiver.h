/*
 * Waivers: somebody accepts a finding, with a reason, for a time, and answers for it. A waiver is a record in a YAML
 * file (docs/format/waivers.md) or in the ledger; here it is a plain struct, and the file's text.
 */
#ifndef SEKISHO_DECIDE_WAIVER_H
#define SEKISHO_DECIDE_WAIVER_H

#include "rule/rule.h"

#define WAIVERS_MAX        10000u /* of one file */
#define WAIVER_TEXT_MAX    8192u  /* bytes of one text */
#define WAIVER_ID_TEXT_MAX 64u
#define WAIVER_EPSS_ONE    100000u

struct waiver_scope {          /* each empty: any. All that are given must fit. */
        struct str digest;     /* of the manifest or of the configuration */
        struct str repository; /* "shop/web", "ghcr.io/shop/web" */
        struct str package;    /* an installed package, or the source package */
        struct str path;       /* the file; with "/" at its end: everything below */
};

struct waiver_end {        /* what ends it before its time */
        bool fix;          /* somebody publishes a fix */
        bool kev;          /* CISA lists it as exploited */
        bool control_gone; /* the control is not live */
        bool exposed;      /* the image becomes reachable from outside */
        uint64_t epss;     /* EPSS reaches this many hundred-thousandths; 0: does not end it */
};

struct waiver {
        struct str id;
        struct str finding;   /* id or alias of the finding; may be empty if there is a condition */
        struct str condition; /* in the rule language; may be empty if there is a finding. Both must be true. */
        struct str owner, requester, approver, reason;
        struct str response; /* update, replace, mitigate, accept */
        struct str control;  /* the mitigating control, which must be live */
        struct waiver_scope scope;
        struct waiver_end ends_on;
        int64_t created;                     /* 0: not known */
        int64_t expires;                     /* the first second at which it does not hold any more */
        bool is_pending;                     /* asked for, not approved yet */
        struct place place, condition_place; /* file, or "ledger" */
        bool is_from_file;
};

/*
 * Reads a file of waivers. Everything that is wrong with it comes as problems, with place and words; a waiver with an
 * error is not among the results. Texts are views into the arena.
 */
void waivers_read(struct str name, struct str bytes, struct arena *arena, struct waiver **ret, size_t *ret_n,
                  struct problems *problems);

/* Appends the waiver as an item of such a file. Reading it back gives the same waiver. */
void waiver_print(const struct waiver *w, struct buf *to);

/* Reads what ends a waiver: words separated by commas: fix, kev, control, exposed, epss=0.5, none. */
bool waiver_end_parse(struct str words, struct waiver_end *ret);
void waiver_end_print(const struct waiver_end *e, struct buf *to); /* "fix,kev"; "none" */

/* Reads "repo:shop/web", "digest:...", "package:...", "path:..." and adds it to the scope. */
bool waiver_scope_parse(struct str words, struct waiver_scope *ret);
void waiver_scope_print(const struct waiver_scope *s, struct buf *to); /* "repo:shop/web package:openssl"; "" */
bool waiver_scope_is_empty(const struct waiver_scope *s);

/*
 * Reads the last day of a waiver, "2026-12-31", which is wholly in it, or an instant, "2026-12-31T10:00:00Z", at which
 * it ends. Gives the first second without it.
 */
bool waiver_until_parse(struct str s, int64_t *ret_expires);

#define WAIVER_UNTIL_TEXT_MAX 32
const char *waiver_until_print(int64_t expires, char text[static WAIVER_UNTIL_TEXT_MAX]);

/* What is missing or wrong in a waiver, as a sentence that says what to do; NULL: nothing. For all sources of them. */
const char *waiver_flaw(const struct waiver *w);

#endif
