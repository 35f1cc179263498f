/*
 * Kinds of secrets in the format of gitleaks' configuration (its README, section "Configuration"; TOML): [[rules]] with
 * id, description, regex, secretGroup, entropy, keywords, path, tags, [rules.allowlist] and [[rules.allowlists]]; a
 * global [allowlist] or [[allowlists]]; [extend] disabledRules. The patterns are RE2's, of which PCRE2 understands all
 * that has a meaning on bytes.
 *
 * They add to our own rules, which [extend] disabledRules can turn off by id (useDefault says nothing that is not so
 * already). [extend] path and url are refused: nothing but the given file is read.
 */
#ifndef SEKISHO_INTEL_SECRET_GITLEAKS_H
#define SEKISHO_INTEL_SECRET_GITLEAKS_H

#include "base/error.h"
#include "base/regex.h"
#include "intel/secret-rule.h"

#define SECRET_CONFIG_BYTES_MAX (4u << 20)
#define SECRET_CUSTOM_MAX       1024 /* rules */
#define SECRET_PROBLEMS_MAX     100

enum secret_target { TARGET_SECRET, TARGET_MATCH, TARGET_LINE };

struct regex_list {
        struct regex **v;
        size_t n;
};

/* What makes a find none. */
struct secret_allow {
        struct regex_list regexes, paths;
        struct str_list stopwords; /* in lower case; part of the secret */
        enum secret_target target; /* what the patterns look at */
        bool all;                  /* every one that is given must agree, not any */
};

struct secret_allows {
        struct secret_allow *v;
        size_t n;
};

/* What a user's rule has beside a rule of ours. */
struct secret_custom {
        struct regex *regex, *path; /* NULL: every path; a rule without regex is about the path alone */
        uint32_t index;             /* 0.. of the custom rules */
        unsigned group;             /* that is the secret; 0: the first that took part, or the whole match */
        bool has_entropy;
        double entropy; /* more than this */
        struct secret_allows allows;
};

struct secret_config {
        struct arena arena;
        struct secret_rule *rules; /* each with its custom part */
        size_t n_rules;
        struct secret_allows allows; /* for all rules, ours too */
        struct str_list disabled;    /* ids of rules of ours */
        struct str_list problems;    /* "line 12: rule x: ..."; if there is one, the configuration is not to be used */
};

/*
 * 0 with a configuration to free, whose problems the caller must look at; or -EBADMSG, -EFBIG and words if it is no
 * TOML.
 */
int secret_config_parse(struct str text, struct secret_config **ret, struct error *err);
void secret_config_free(struct secret_config *c); /* NULL is fine */

/* Whether one of the lists allows a find. The line is the one that the match begins in. */
bool secret_is_allowed(const struct secret_allows *a, struct regex_matcher *m, struct str path, struct str secret,
                       struct str match, struct str line);

#endif
