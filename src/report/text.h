/*
 * Text for reports. What an image says (names, paths, commands) is hostile: it may hold escape sequences, text that
 * turns direction, markup, bytes that are no UTF-8. Whatever reaches a person passes text_clean() first, whatever
 * reaches JSON passes text_utf8(). A byte that is no UTF-8 is written as the four characters \xNN in every format.
 *
 * Everything returned lives in the arena, or is a view into its argument.
 */
#ifndef SEKISHO_REPORT_TEXT_H
#define SEKISHO_REPORT_TEXT_H

#include "base/arena.h"
#include "base/buf.h"

/* Valid UTF-8 and nothing else: controls stay. s itself where nothing had to be changed. */
struct str text_utf8(struct arena *a, struct str s);

/*
 * One line that is safe on a terminal and on a page: also every control, line break, invisible character and mark that
 * turns the direction of text becomes "?". s itself where nothing had to be changed.
 */
struct str text_clean(struct arena *a, struct str s);

/* Columns that clean text takes on a terminal: wide characters two, combining marks none. */
unsigned text_width(struct str s);

/* s, or as much of its start as fits into width columns with "…" at the end. */
struct str text_cut(struct arena *a, struct str s, unsigned width);

/*
 * Where to break a line of this width: the length of the longest start of s that fits and is followed by a space; of
 * the first word where not even that fits; all of s where all of it fits.
 */
size_t text_break(struct str s, unsigned width);

/* "9,412" / "1 finding", "2,000 findings" / "283 MB" (powers of 1000) / "0.41 s", "1 min 12 s". */
struct str text_number(struct arena *a, uint64_t n);
struct str text_count(struct arena *a, uint64_t n, const char *one, const char *many);
struct str text_size(struct arena *a, uint64_t bytes);
struct str text_elapsed(struct arena *a, uint64_t ms);

/* "2026-11-20", or the fallback for 0 / the same and its age on that day: "2026-11-20 (3 days old)". */
struct str text_day(struct arena *a, int64_t t, const char *fallback);
struct str text_age(struct arena *a, int64_t t, int64_t today);

/* A part of hundred-thousandths as people write it, rounded to "0.12", "<0.01"; 94123 of them: "94 %". */
struct str text_probability(struct arena *a, uint64_t hundred_thousandths);
struct str text_percent(struct arena *a, uint64_t hundred_thousandths);

/* sha256:3f1c29a0b4de… out of a whole digest; s itself if it is none. */
struct str text_short_digest(struct arena *a, struct str s);

/* The bytes as an URI path (RFC 3986), everything but unreserved characters and "/" as %NN; exact for any bytes. */
struct str text_uri_path(struct arena *a, struct str path);

/* An argument as a shell reads it back: as it is, or in single quotes. */
struct str text_shell(struct arena *a, struct str s);

/* With the first letter (ASCII) in upper case. */
struct str text_capital(struct arena *a, struct str s);

/* The buffer's text, copied into the arena; the buffer is emptied. */
struct str text_take(struct arena *a, struct buf *b);

#endif
