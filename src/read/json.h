/*
 * JSON documents out of untrusted bytes, read with jansson: one whole document of bounded size and depth, no key twice
 * in an object. (RFC 8259; section 4 leaves the meaning of repeated keys open, and readers that disagree about them are
 * how one manifest becomes two images. So a repeated key is malformed.)
 *
 * The getters take NULL and values of another type as "not there", so that a reader can go down a path without asking
 * at each step. Text is copied into the arena; the json_t can be dropped afterwards.
 */
#ifndef SEKISHO_READ_JSON_H
#define SEKISHO_READ_JSON_H

#include "base/arena.h"
#include "base/error.h"

#include <jansson.h>

#define JSON_DEPTH_MAX 64

struct json_list {
        struct str *v;
        size_t n;
};

/*
 * To be called in a process before it enters the sandbox: jansson draws its hash seed from /dev/urandom at its first
 * use. Later calls do nothing.
 */
void json_prepare(void);

/* 0 with a new reference, or -EBADMSG (words in err: what and in which line), -EFBIG (more than max_bytes). */
int json_document(struct str bytes, size_t max_bytes, json_t **ret, struct error *err);

void json_dropp(json_t **j); /* for _cleanup_ */

struct str json_text(const json_t *j, struct arena *arena); /* STR_NONE if it is no string */
struct str json_text_of(const json_t *object, const char *key, struct arena *arena);
uint64_t json_number_of(const json_t *object, const char *key); /* 0 if it is none, or negative */

/* The texts of an array / the keys of an object, sorted; at most max, of which *ret_cut tells if there were more. */
struct json_list json_texts(const json_t *array, struct arena *arena, size_t max, bool *ret_cut);
struct json_list json_keys(const json_t *object, struct arena *arena, size_t max, bool *ret_cut);

#endif
