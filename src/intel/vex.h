/*
 * VEX documents: what somebody states about vulnerabilities in products. One file vex-<format>.c for each format, one
 * table. vex_read turns one document into facts of the kind `vex`: one for each statement and each product, or part of
 * a product, that it names. Facts of one statement have the same position.
 *
 * Documents are hostile: read them in a worker. What a reader cannot use (a statement without a status, a product that
 * leads nowhere) is an `unread` fact and the rest goes on; at most VEX_UNREAD_MAX are told one by one.
 */
#ifndef SEKISHO_INTEL_VEX_H
#define SEKISHO_INTEL_VEX_H

#include "base/error.h"
#include "fact/sink.h"

#include <jansson.h>

#define VEX_DOCUMENT_MAX_BYTES (32u << 20)
#define VEX_FACTS_MAX          (1u << 18)   /* statements times products of one document */
#define VEX_TEXT_MAX_BYTES     (128u << 20) /* of all facts of one document: texts are repeated for each product */
#define VEX_UNREAD_MAX         20
#define VEX_NAMES_MAX          256 /* of one product, part or vulnerability; more make the statement vague */

enum vex_status { VEX_NOT_AFFECTED, VEX_AFFECTED, VEX_FIXED, VEX_UNDER_INVESTIGATION, VEX_STATUSES };

const char *vex_status_name(enum vex_status s); /* "not_affected", ... */
bool vex_status_parse(struct str s, enum vex_status *ret);

/* The justification in OpenVEX's words, for its own and for CycloneDX's; STR_NONE for a word that is neither. */
struct str vex_justification(struct str word);

struct vex_reading {
        struct sink *out;
        struct arena arena;  /* of the document */
        struct fact_vex now; /* format, document, author, timestamp: what all facts of the document share */
        uint64_t facts, text_bytes, unread;
        const char *over; /* the limit that was passed: nothing more is put, and the document is not to be used */
};

struct vex_reader {
        const char *name, *summary; /* "openvex", "OpenVEX 0.0 and 0.2" */
        bool (*recognises)(const json_t *document);
        void (*read)(struct vex_reading *r, const json_t *document);
};

extern const struct vex_reader *const vex_readers[]; /* NULL-terminated */

/*
 * Reads one document with this reader; NULL: the one that recognises it. 0; -EBADMSG: malformed JSON; -ENOMSG: no VEX
 * document of a kind that is known; -EFBIG: past a limit. Words in err. What was put before a failure must not be used:
 * what comes later in a document may take back what stands before it.
 */
int vex_read(const struct vex_reader *reader, struct str bytes, struct sink *out, struct error *err);

/* --- for readers --- */

/* Puts r->now as a fact, with these names. */
void vex_put(struct vex_reading *r, struct str_list product, struct str_list subcomponent);

/* The statement at `position` cannot be used. */
void vex_unread(struct vex_reading *r, uint64_t position, const char *fmt, ...) _printf_(3, 4);

/* A growing list of names in the arena, without the empty ones and without repetitions. */
struct vex_names {
        struct str_list list;
        size_t size;
};

void vex_name(struct vex_reading *r, struct vex_names *names, struct str name);

/* "sha256:..." of an algorithm as a format spells it ("sha-256", "SHA-256", "sha256") and its hexadecimal digits; other
 * algorithms are not kept. */
void vex_hash(struct vex_reading *r, struct vex_names *names, struct str algorithm, struct str hex);

#endif
