/*
 * Cuts one large JSON object of objects, {"a": {"b": VALUE, ...}, ...}, into its VALUEs without holding more than one.
 * It checks the structure around them; each VALUE is for a real parser. No recursion, whatever the nesting.
 */
#ifndef SEKISHO_INTEL_JSON_SPLIT_H
#define SEKISHO_INTEL_JSON_SPLIT_H

#include "base/buf.h"

#define JSON_SPLIT_KEY_MAX_BYTES 1024

struct json_split {
        /* Gets each value with its two keys, as they are written between the quotes. is_too_long: value is empty. */
        void (*member)(void *arg, struct str outer, struct str inner, struct str value, bool is_too_long);
        void *arg;
        struct buf keys[2], value; /* value.max: the longest value */
        unsigned depth;            /* 0: before the document, 1: in it, 2: in an inner object, 3: after the document */
        enum { SPLIT_KEY, SPLIT_IN_KEY, SPLIT_COLON, SPLIT_VALUE, SPLIT_IN_VALUE, SPLIT_COMMA } state;
        uint64_t nesting; /* in a value */
        bool in_string, is_escaped, may_end;
        uint64_t at; /* bytes taken */
};

void json_split_init(struct json_split *s, size_t value_max_bytes,
                     void (*member)(void *arg, struct str outer, struct str inner, struct str value, bool is_too_long),
                     void *arg);
void json_split_done(struct json_split *s);

/* Takes the next bytes. False, and s->at says where, if this is no object of objects. */
bool json_split_take(struct json_split *s, struct str bytes);
bool json_split_is_complete(const struct json_split *s);

#endif
