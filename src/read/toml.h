/*
 * TOML 1.0.0 (toml.io/en/v1.0.0), whole: configuration files and lock files out of untrusted bytes become a tree in an
 * arena. A document is taken whole or not at all; the words say in which line it fails.
 *
 * Order is kept: entries of a table and items of an array are in the order of the document.
 */
#ifndef SEKISHO_READ_TOML_H
#define SEKISHO_READ_TOML_H

#include "base/arena.h"
#include "base/error.h"

#define TOML_BYTES_MAX  (32u << 20)
#define TOML_VALUES_MAX 2000000u
#define TOML_DEPTH_MAX  64 /* arrays and inline tables in each other; parts of a dotted key */

enum toml_type { TOML_STRING, TOML_INTEGER, TOML_FLOAT, TOML_BOOLEAN, TOML_DATETIME, TOML_ARRAY, TOML_TABLE };

struct toml_entry;

struct toml {
        enum toml_type type;
        uint32_t line;                     /* where it begins, from 1 */
        uint8_t origin;                    /* private to the reader: how a table or array came to be */
        bool boolean;                      /* TOML_BOOLEAN */
        int64_t integer;                   /* TOML_INTEGER */
        double real;                       /* TOML_FLOAT */
        struct str text;                   /* TOML_STRING: its characters, UTF-8; TOML_DATETIME: as it stands there */
        struct toml_entry *entries, *last; /* TOML_TABLE; the values of TOML_ARRAY with empty keys */
        size_t n;                          /* how many */
};

struct toml_entry {
        struct str key;
        struct toml *value;
        struct toml_entry *next;
};

/* 0 with a table that lives in the arena (its text too), or -EBADMSG, -EFBIG with words. */
int toml_parse(struct str bytes, struct arena *arena, struct toml **ret, struct error *err);

/* Getters take NULL and values of another type as "not there". */
const struct toml *toml_get(const struct toml *table, const char *key); /* linear */
struct str toml_text(const struct toml *table, const char *key);        /* STR_NONE unless it is a string */
const struct toml *toml_array(const struct toml *table, const char *key);
const struct toml *toml_table(const struct toml *table, const char *key);

#endif
