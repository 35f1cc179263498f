/*
 * Secrets in content: the kinds of intel/secret-rule.h, and those of users, tried where their keywords were found. Text
 * and binaries, 8-bit and UTF-16; any path. What a value was never leaves the process: what is told of it is where it
 * stands, how long it is, at most its first four and last two characters, and a fingerprint.
 */
#ifndef SEKISHO_ANALYZE_SECRETS_H
#define SEKISHO_ANALYZE_SECRETS_H

#include "analyze/content.h"
#include "base/regex.h"
#include "intel/secret-gitleaks.h"

#define SECRETS_TEXT_MAX   (16u << 10) /* bytes from a keyword on that a rule may look at */
#define SECRETS_LIMITS_MAX 16          /* patterns given up in one file before its search ends */
#define SECRETS_FILE_MAX   200         /* secrets told of one file; more are counted */

#define SECRET_FINGERPRINT_MAX 33
#define SECRET_REDACTED_MAX    48

/* --- parent: the set, immutable --- */

struct secret_set {
        const struct secret_rule **rules;
        size_t n_rules, first_custom; /* rules from there on are a user's */
        struct literal *literals;
        uint32_t *owners; /* of each literal: index of its rule, times two, plus one if it is the UTF-16 form */
        size_t n_literals;
        const struct secret_config *config; /* NULL: none */
        struct arena arena;
};

/* Our own rules and, if config is not NULL, a user's (which must outlive the set). */
struct secret_set *secret_set_new(const struct secret_config *config);
void secret_set_free(struct secret_set *s);

/* --- worker --- */

struct secret_scanner; /* compiles a rule's pattern when its keyword is found for the first time */

struct secret_scanner *secret_scanner_new(const struct secret_set *s);
void secret_scanner_free(struct secret_scanner *s);

/* A certificate that was come across (at most SECRETS_CERTIFICATES_MAX of a file). */
#define SECRETS_CERTIFICATES_MAX 3 /* a file with more is a bundle: none of it is told */

struct secret_certificate {
        uint8_t public_key[32];
        char subject[SECRET_DETAIL_MAX];
};

/* What is kept of a file from window to window. Zeroed before the first, but for its path. */
struct secret_file {
        struct str path;                       /* set by the caller, and whether */
        bool is_decoded;                       /* it was spelled in a text, whose own kinds tell what it is */
        uint8_t custom[SECRET_CUSTOM_MAX / 8]; /* users' rules of which a keyword was found in this file */
        uint64_t lines;                        /* line ends before the end of the window before */
        uint64_t found, limits;
        bool is_binary; /* lines mean nothing in it */
        struct secret_certificate certificates[SECRETS_CERTIFICATES_MAX];
        size_t n_certificates; /* may be more than are kept */
        bool has_given_up;     /* SECRETS_LIMITS_MAX reached */
};

struct secret_found {
        const struct secret_rule *rule;
        enum severity severity;
        enum secret_confidence confidence; /* of the rule and the check; the path is not looked at */
        enum secret_validity validity;
        uint64_t offset;       /* of the value in the content */
        uint64_t line, column; /* from 1; 0 where they mean nothing. Columns count bytes */
        struct str value;      /* valid during the call; must not be kept */
        const char *detail;    /* "" or words for a person */
        struct str public_key; /* binary; empty if not known */
        char fingerprint[SECRET_FINGERPRINT_MAX];
};

typedef void (*secret_emit)(void *arg, const struct secret_found *found);

/* Looks at one window's hits, in order; each secret is told once. */
void secrets_scan(struct secret_scanner *s, struct secret_file *f, const struct content_window *w, secret_emit emit,
                  void *arg);

/* --- the engine of the content pass (secrets-engine.c) --- */

/* Fills *ret; the set must outlive the plan that it becomes part of. Emits `secret` facts. */
void secrets_engine_init(struct content_engine *ret, const struct secret_set *s);

/* --- text that is no file: environments, commands of a history, labels --- */

/*
 * Looks at one short text and emits `secret` facts with this path; in the process that calls it, so the text must be
 * one that the caller may look at. Makes its own search of literals. False: it was given up (SECRETS_FILE_MAX,
 * SECRETS_LIMITS_MAX, CONTENT_HITS_MAX), and there may be more.
 */
struct secret_texts;
struct secret_texts *secret_texts_new(const struct secret_set *s);
void secret_texts_free(struct secret_texts *t);
bool secret_texts_look(struct secret_texts *t, struct str path, struct str text, struct sink *out);

/* The fact about a find, with views into found, file names and the buffers: valid as long as those. */
struct secret_words {
        char redacted[SECRET_REDACTED_MAX], detail[SECRET_DETAIL_MAX + 64];
};
struct fact_secret secret_fact(const struct secret_found *found, struct str path, struct str members, uint32_t mode,
                               struct secret_words *words);

/* --- what may be said of a value --- */

/* "ghp_…9z (40 characters)"; of a password, or a value of fewer than 16 bytes: its length alone. */
void secret_redact(const struct secret_rule *rule, struct str value, char ret[static SECRET_REDACTED_MAX]);

/*
 * Tells whether two findings are about the same value: SHA-256 over a prefix of ours, the rule's id and the value, in
 * hexadecimal; 128 bits of it for values that machines made. A password could be found from that with a list of
 * passwords, so of those it is 16 bits: enough to tell most apart, and a list of a million leaves 15 candidates.
 */
void secret_fingerprint(const struct secret_rule *rule, struct str value, char ret[static SECRET_FINGERPRINT_MAX]);

/*
 * Whether the path is one where examples, tests and documentation live. Nothing is skipped for it: its confidence is
 * one step less, that of passwords, which nothing tells from made-up ones, low.
 */
bool secret_path_doubt(struct str path);

#endif
