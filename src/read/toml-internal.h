/* What the two files of the TOML reader share. */
#ifndef SEKISHO_READ_TOML_INTERNAL_H
#define SEKISHO_READ_TOML_INTERNAL_H

#include "base/budget.h"
#include "base/buf.h"
#include "read/toml.h"

struct toml_reader {
        struct str text;
        size_t at;
        uint32_t line;
        unsigned depth;
        struct arena *arena;
        struct budget budget;
        struct error *err;
};

static inline bool toml_at_end(const struct toml_reader *r) { return r->at >= r->text.n; }

/* The byte at hand; 0 at the end (a NUL in the text is refused wherever it may stand). */
static inline char toml_peek(const struct toml_reader *r) { return toml_at_end(r) ? 0 : r->text.p[r->at]; }

bool toml_take(struct toml_reader *r, const char *what); /* past it, if it is what comes next */
void toml_skip_blank(struct toml_reader *r);             /* spaces and tabs */
int toml_fail(struct toml_reader *r, const char *fmt, ...) _printf_(2, 3);

int toml_basic_string(struct toml_reader *r, struct str *ret);   /* at its quote; one line */
int toml_literal_string(struct toml_reader *r, struct str *ret); /* at its apostrophe; one line */
int toml_scalar(struct toml_reader *r, struct toml *to);         /* string, number, boolean, date */

#endif
