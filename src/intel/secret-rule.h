/*
 * Kinds of secrets, as data. A rule names literals (keywords) that are found by the one search over all content; where
 * one is found, the rule's pattern is tried there and nowhere else, so a rule costs nothing where its keyword is not.
 *
 * The tables stand in secret-rules-<family>.c. The patterns were written from what the issuers and formats document,
 * and each has a generated example in tests/unit/test-secrets.c.
 */
#ifndef SEKISHO_INTEL_SECRET_RULE_H
#define SEKISHO_INTEL_SECRET_RULE_H

#include "base/str.h"
#include "fact/fact.h"

enum secret_confidence { CONFIDENCE_LOW, CONFIDENCE_MEDIUM, CONFIDENCE_HIGH };
enum secret_validity {
        VALIDITY_UNCHECKED, /* the format has nothing that can be checked without its issuer */
        VALIDITY_VALID,     /* a checksum is right, or an encoding holds what it must */
        VALIDITY_FAILED,    /* it has a checksum and that is wrong: a truncated or invented one */
};

const char *secret_confidence_name(enum secret_confidence c); /* low, medium, high */
const char *secret_validity_name(enum secret_validity v);     /* unchecked, valid, failed */
bool secret_confidence_parse(struct str s, enum secret_confidence *ret);

#define SECRET_DETAIL_MAX 160

/* What a check may look at and say. */
struct secret_match {
        struct str text;  /* from the match's first byte to the end of what is at hand */
        struct str match; /* the whole match */
        struct str value; /* the secret in it; a check may widen it within text */
        enum secret_validity validity;
        uint8_t public_key[32]; /* SHA-256 of a private key's or certificate's public half */
        bool has_public_key;
        bool is_certificate; /* no secret: `detail` is its subject */
        bool is_none;        /* the check says that it is no secret at all (an encrypted or empty form) */
        bool is_lesser;      /* needs a passphrase or the like: one step less severe, and less certain to be usable */
        char detail[SECRET_DETAIL_MAX]; /* for a person, without the secret: "AWS account 123456789012" */
};

typedef void secret_check(struct secret_match *m);

enum secret_flags {
        SECRET_NEAR = 1,     /* keywords match in either case, and may stand within a longer name */
        SECRET_PASSWORD = 2, /* a value that people choose: short, guessable; nothing of it is shown */
        SECRET_PROVES = 4,   /* a check that succeeds is proof: the confidence stays high whatever the path says */
        SECRET_LOOSE = 8,    /* neither end has to be the end of a word */
        SECRET_PLAIN = 16,   /* no placeholder words are looked for in the value: a hash, a block */
        SECRET_START = 64,   /* the match begins the file: keys for tests lie in programs */
        SECRET_PRIVATE = 32, /* a file that holds one is its owner's alone: others who can read it are said */
};

struct secret_rule {
        const char *id, *title;
        enum severity severity;
        enum secret_confidence confidence;
        const char *keywords; /* separated by '|' */
        const char *regex;    /* matches where a keyword begins; group 1, if there is one, is the secret */
        secret_check *check;  /* or NULL */
        uint8_t flags;
        uint8_t entropy;                    /* at least so many tenths of a bit a byte */
        uint8_t back;                       /* the match begins so many bytes before the keyword */
        const struct secret_custom *custom; /* of a user's rule (secret-gitleaks.h), which has no regex here */
};

struct secret_table {
        const struct secret_rule *rules;
        size_t n;
};

extern const struct secret_table secret_rules_cloud, secret_rules_code, secret_rules_services, secret_rules_money,
        secret_rules_keys, secret_rules_files;

/* All of them, in one order that never depends on anything: 0..secret_rules_count(). */
size_t secret_rules_count(void);
const struct secret_rule *secret_rule_at(size_t i);

/* Shannon's entropy of the bytes, in tenths of a bit a byte. */
unsigned secret_entropy(struct str s);

/*
 * Text that stands where a secret would: EXAMPLE, changeme, your-token, xxxx, ${VARIABLE}, <token>, one character over
 * and over, a row of the alphabet.
 */
bool secret_is_placeholder(struct str value);

/*
 * Whose it is, if the value with this fingerprint (analyze/secrets.h) is public: a key that a program's own tests use
 * and that lies in every copy of it. NULL if it is not known.
 */
const char *secret_known(struct str fingerprint);

/* --- how tables are written --- */

/* A token whose prefix tells its kind: high confidence. */
#define SECRET_TOKEN(i, t, s, k, r)                                                                                    \
        {                                                                                                              \
                .id = (i), .title = (t), .severity = SEVERITY_##s, .confidence = CONFIDENCE_HIGH, .keywords = (k),     \
                .regex = (r), .entropy = 28                                                                            \
        }
/* The same with a check. */
#define SECRET_CHECKED(i, t, s, k, r, c)                                                                               \
        {                                                                                                              \
                .id = (i), .title = (t), .severity = SEVERITY_##s, .confidence = CONFIDENCE_HIGH, .keywords = (k),     \
                .regex = (r), .check = (c), .entropy = 28                                                              \
        }
/* With a checksum of its own. */
#define SECRET_PROVEN(i, t, s, k, r, c)                                                                                \
        {                                                                                                              \
                .id = (i), .title = (t), .severity = SEVERITY_##s, .confidence = CONFIDENCE_HIGH, .keywords = (k),     \
                .regex = (r), .check = (c), .flags = SECRET_PROVES, .entropy = 28                                      \
        }
/* A value without a mark of its own, assigned to a name that holds one of the words: medium confidence. */
#define SECRET_NAMED(i, t, s, k, shape)                                                                                \
        {                                                                                                              \
                .id = (i), .title = (t), .severity = SEVERITY_##s, .confidence = CONFIDENCE_MEDIUM, .keywords = (k),   \
                .regex = "(?i:" k ")" SECRET_ASSIGNED "(" shape ")", .flags = SECRET_NEAR, .entropy = 28               \
        }

/* From a name's first word to the value: the rest of the name, what assigns, an opening quote. */
#define SECRET_ASSIGNED "[\\w .\\-\\[\\]]{0,32}?[\"'`]?\\s{0,3}(?:=>|:=|[=:,>(])[\\s\"'`=(\\[]{0,8}"

#define S_B62  "[A-Za-z0-9]"
#define S_HEX  "[0-9a-f]"
#define S_URL  "[A-Za-z0-9_-]"
#define S_B64  "[A-Za-z0-9+/]"
#define S_UUID "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

/* --- checks (secret-check*.c) --- */

secret_check secret_check_base62_crc;  /* prefix_ + text + CRC-32 of the text in 6 digits of base 62: GitHub, npm */
secret_check secret_check_grafana;     /* glsa_ + 32 + _ + CRC-32 of what precedes, little-endian hexadecimal */
secret_check secret_check_aws_id;      /* base 32: the account's number */
secret_check secret_check_macaroon;    /* PyPI: a serialised macaroon whose location is the index */
secret_check secret_check_jwt;         /* three parts, the first two JSON */
secret_check secret_check_base64_json; /* what follows the prefix is JSON in base64 */
secret_check secret_check_base64_32;   /* 32, 64 bytes in base64 */
secret_check secret_check_base64_64;
secret_check secret_check_user_colon;  /* base64 of "user:password" */
secret_check secret_check_base64_pem;  /* base64 of a private key in PEM */
secret_check secret_check_base64_text; /* base64 of text */
secret_check secret_check_discord;     /* its first part is a number in base64 */
secret_check secret_check_bech32;      /* age: BIP 173 checksum */
secret_check secret_check_base58;      /* extended keys: base58check */
secret_check secret_check_der;         /* a private key in DER: parsed */
secret_check secret_check_key_store;   /* PKCS #12, Java's key stores: not opened */
secret_check secret_check_pem;         /* a private key in PEM: parsed; encrypted or not */
secret_check secret_check_certificate; /* of a pseudo rule: what certificates are at hand */
secret_check secret_check_putty;
secret_check secret_check_url_password; /* user:password of an URL: not a variable, not the word password */
secret_check secret_check_assigned;     /* generic assignment: text, not code */

#endif
