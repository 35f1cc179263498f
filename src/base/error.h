/*
 * An error that a person can act on: what, where and what to do, built from the innermost cause outwards.
 *
 * Functions that can fail return a negative errno and take a `struct error *err` last, which may be NULL when the
 * caller does not want words. The first failing function sets it; callers on the way up prefix their context:
 *
 *         return error_set(err, -EBADMSG, "manifest has no layers");
 *         ...
 *         if (r < 0)
 *                 return error_prefix(err, r, "image %s", name);      gives "image x: manifest has no layers"
 *
 * Malformed input is a fact where the analysis can go on; it is an error only where nothing can follow.
 */
#ifndef SEKISHO_BASE_ERROR_H
#define SEKISHO_BASE_ERROR_H

#include "base/macros.h"

#define ERROR_TEXT_MAX 1024

struct error {
        char text[ERROR_TEXT_MAX]; /* "" while nothing failed; cut at the end when too long */
};

#define ERROR_NONE ((struct error){ .text = "" })

/* Sets the text and returns r, so that a failing function ends in one line. err may be NULL. */
int error_set(struct error *err, int r, const char *fmt, ...) _printf_(3, 4);

/* Like error_set, with ": " and strerror(-r) at the end. */
int error_errno(struct error *err, int r, const char *fmt, ...) _printf_(3, 4);

/* Puts "context: " before the text and returns r. Sets the text from r where there is none yet. err may be NULL. */
int error_prefix(struct error *err, int r, const char *fmt, ...) _printf_(3, 4);

#endif
