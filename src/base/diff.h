/*
 * What differs between two texts, line by line, as a unified diff (diff(1), -u, three lines of context). Pure, and
 * bounded: of texts that differ in more than DIFF_EDITS_MAX lines the whole middle counts as exchanged, which is a diff
 * too, only not the shortest.
 */
#ifndef SEKISHO_BASE_DIFF_H
#define SEKISHO_BASE_DIFF_H

#include "base/buf.h"

#define DIFF_EDITS_MAX 256
#define DIFF_CONTEXT   3u

/* A text, and how it is shown: another text of as many lines (its secrets redacted), or the same. */
struct diff_text {
        struct str text, shown;
};

/*
 * Appends the hunks that make `after` of `before`, without heads of files. What does not fit into ret's maximum is left
 * out from a whole line on, and false is returned.
 */
bool diff_unified(struct diff_text before, struct diff_text after, struct buf *ret);

#endif
