/*
 * A reader of deb822 stanzas (deb822(5), Debian Policy 5.1), as dpkg's status file and the control files of packages
 * hold them: "Name: value" lines, continuation lines that start with a space or a tab, and empty lines between stanzas.
 *
 * Values are views into the input. A line of blanks only continues its field, as apt reads it. What is malformed is
 * an outcome of its stanza, which still holds the fields that could be read; the next stanza is not touched by it.
 */
#ifndef SEKISHO_READ_DEB822_H
#define SEKISHO_READ_DEB822_H

#include "base/str.h"

#define DEB822_STANZA_MAX (1u << 20) /* bytes; a longer one is malformed and its rest is skipped */
#define DEB822_FIELDS_MAX 256u       /* of a stanza; more is malformed */

enum { DEB822_END = 0, DEB822_STANZA = 1, DEB822_MALFORMED = 2 };

struct deb822_field {
        struct str name;  /* as written */
        struct str value; /* without blanks at both ends; continuation lines with their newline and indentation */
        uint64_t line;    /* from 1 */
};

struct deb822_stanza {
        struct deb822_field fields[DEB822_FIELDS_MAX];
        size_t n;
        uint64_t line;     /* of its first line, from 1 */
        size_t offset;     /* of its first byte */
        const char *why;   /* DEB822_MALFORMED: the first defect, in words */
        uint64_t why_line; /* and its line */
        bool is_cut;       /* the input ends inside its last line */
};

struct deb822 {
        struct str all;
        size_t offset; /* of the next line */
        uint64_t line; /* its number */
};

struct deb822 deb822_from(struct str bytes);

/* The next stanza: DEB822_STANZA, DEB822_MALFORMED, or DEB822_END (then ret holds nothing). */
int deb822_next(struct deb822 *d, struct deb822_stanza *ret);

/* The value of the first field of that name, in any case; STR_NONE with p == NULL if there is none. */
struct str deb822_get(const struct deb822_stanza *s, const char *name);

/* True if a field of that name, in any case, stands in the stanza more than once. */
bool deb822_is_repeated(const struct deb822_stanza *s, const char *name);

#endif
