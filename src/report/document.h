/*
 * JSON documents: small helpers over jansson that know how we write them. Text becomes valid UTF-8 (text_utf8), what is
 * not known becomes null, times are ISO 8601 in UTC, numbers beyond 2^63-1 stop there. The document is pure ASCII, so
 * it can be shown on a terminal without harm, and its keys keep the order in which they were set.
 *
 * Without memory the process ends, as everywhere (base/arena.h).
 */
#ifndef SEKISHO_REPORT_DOCUMENT_H
#define SEKISHO_REPORT_DOCUMENT_H

#include "fact/fact.h"

#include <jansson.h>
#include <stdio.h>

/* Each returns a new reference, never NULL. */
json_t *doc_object(void);
json_t *doc_array(void);
json_t *doc_text(struct str s);  /* always a string */
json_t *doc_str(struct str s);   /* null where s is empty */
json_t *doc_cstr(const char *s); /* null where s is NULL or empty */
json_t *doc_list(struct str_list l);
json_t *doc_number(uint64_t n);
json_t *doc_real(double d);
json_t *doc_bool(bool b);
json_t *doc_null(void);
json_t *doc_time(int64_t t); /* "2026-11-20T10:00:00Z"; null for 0 */
json_t *doc_day(int64_t t);  /* "2026-11-20"; null for 0 */

/* A fact as an object: every field by its name in fact/kinds.def. */
json_t *doc_fact(enum fact_kind kind, const void *fact);

/* Take the value over. */
void doc_set(json_t *object, const char *key, json_t *value);
void doc_add(json_t *array, json_t *value);

/* {"name": name, "value": value}, as CycloneDX has its properties; nothing where the value is empty. */
void doc_add_property(json_t *array, const char *name, struct str value);

/*
 * A document on its way out. Its outer objects and arrays are opened and closed on the stream, and what stands in them
 * is freed once it is written: the memory for a report does not grow with the number of findings. Indented by two.
 */
struct doc_stream {
        FILE *to;
        unsigned depth;
        bool has_members; /* the innermost open object or array has */
};

/* key: NULL in an array and for the whole document. bracket: '{' or '[' / '}' or ']'. put takes the value over. */
void doc_open(struct doc_stream *s, const char *key, char bracket);
void doc_close(struct doc_stream *s, char bracket);
void doc_put(struct doc_stream *s, const char *key, json_t *value);

/* Ends the document. 0 or -errno of the stream. */
int doc_end(struct doc_stream *s);

#endif
