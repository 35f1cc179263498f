/*
 * A pump: a thread that runs a stream (reading, inflating, hashing what is stored) ahead of its consumer, through a
 * ring of PUMP_CHUNKS chunks, so that inflating has one core and walking and hashing the content another. Chunks are
 * handed over without a copy. Nothing is allocated after the start, and the thread needs no more than futex and what
 * the stream reads with, so it runs in the workers' sandbox.
 */
#ifndef SEKISHO_READ_PUMP_H
#define SEKISHO_READ_PUMP_H

#include "base/error.h"
#include "read/stream.h"

#define PUMP_CHUNK_BYTES (512u << 10)
#define PUMP_CHUNKS      4

struct pump;

/*
 * Starts to run s, which stays the caller's and must not be touched until pump_stop. on_stored of the stream is called
 * in the thread. Where no thread can be had, the pump works without one: pump_pull then does what the thread would do.
 */
struct pump *pump_start(struct stream *s);

/*
 * The next piece of the content, a piece_pull with the pump as its argument: > 0; 0 at the end; < 0 as stream_read,
 * once all that came before was given. The piece is valid until the next call.
 */
ssize_t pump_pull(void *pump, const void **ret_p);

/* After pump_pull gave < 0: copies its words to err and returns the errno. 0 if there was none. */
int pump_error(const struct pump *p, struct error *err);

/*
 * Ends the thread and frees. Waits for a read that is under way: a pipe that nobody writes to or closes holds it up.
 * After that the stream is the caller's again; its stored bytes are complete only if the end or an error was reached.
 */
void pump_stop(struct pump *p);
void pump_stopp(struct pump **p);

#endif
