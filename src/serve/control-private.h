/* What the files of the control socket share: its answers (control-answer.c) and its streams (control-stream.c). */
#ifndef SEKISHO_SERVE_CONTROL_PRIVATE_H
#define SEKISHO_SERVE_CONTROL_PRIVATE_H

#include "serve/agent-private.h"
#include "serve/control.h"

#include <jansson.h>

/* The answer to a request that is answered at once; never NULL. */
json_t *control_answer(struct agent *a, const struct control_request *r);

/* The answer to a reload, when it has ended. */
json_t *control_reloaded(const struct agent *a, bool is_loaded);

json_t *control_refusal(const char *words); /* {"error": words} */

/* Which events a client wants to see. */
struct event_stream;

/* Compiles the filter. 0, or -EBADMSG and words. */
int event_stream_new(const struct control_request *r, struct event_stream **ret, struct error *err);
void event_stream_free(struct event_stream *s); /* NULL is fine */

/* The event as a line, with its end, or nothing if it is not wanted. */
void event_stream_show(struct event_stream *s, const struct event_record *r, struct buf *to);

/* All metrics: gauges are brought up to date first (metrics.c). */
void agent_metrics(struct agent *a, struct buf *to);

#endif
