/*
 * A feeder turns bytes that are pushed into bytes that are pulled: readers of archives pull, the content pass pushes.
 * What pulls runs in a thread of its own, and exactly one of the two sides runs at any time: they share data without
 * further locks. Content that is in memory whole needs no thread: feeder_over is then the same with one piece.
 */
#ifndef SEKISHO_ANALYZE_FEEDER_H
#define SEKISHO_ANALYZE_FEEDER_H

#include "base/str.h"

#include <sys/types.h>

struct feeder;

/* Starts `run` in a thread, which begins to work with the first bytes. NULL if no thread can be had. */
struct feeder *feeder_new(void (*run)(void *arg, struct feeder *f), void *arg);

/* Gives bytes; returns when run has used them or has returned. */
void feeder_give(struct feeder *f, struct str bytes);

/* run has returned: it wants no more bytes. */
bool feeder_is_done(const struct feeder *f);

/* No more bytes: lets run come to its end, and frees. is_whole: what was given is all there is (see feeder_is_cut). */
void feeder_end(struct feeder *f, bool is_whole);

/* Calls run with a feeder over bytes that are all there, in this thread. */
void feeder_over(struct str bytes, void (*run)(void *arg, struct feeder *f), void *arg);

/* For run: the next piece (a piece_pull), valid until the next pull; 0 at the end. Never fails. */
ssize_t feeder_pull(void *feeder, const void **ret_p);

/* For run, at the end: the content broke off, so that what is missing is nobody's fault here. */
bool feeder_is_cut(const struct feeder *f);

/* For run: the piece pulled last is known to be the last one. */
bool feeder_is_last(const struct feeder *f);

#endif
