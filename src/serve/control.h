/*
 * The agent's control socket: one request a connection, a line of JSON, and the answer, lines of JSON
 * (docs/format/control.md). Requests are a table; what is not in it is refused, and so is a member that a request does
 * not have. Who connects must be root or the agent's own user, whatever the mode of the socket's file says.
 *
 * Everything is bounded, and nobody can make the agent wait: a client that does not read is cut, and told if it ever
 * reads on.
 */
#ifndef SEKISHO_SERVE_CONTROL_H
#define SEKISHO_SERVE_CONTROL_H

#include "base/arena.h"
#include "base/error.h"

#define CONTROL_SOCKET_DEFAULT "/run/sekisho/agent.sock"

#define CONTROL_REQUEST_MAX 8192u        /* bytes of a request */
#define CONTROL_ANSWER_MAX  (16u << 20)  /* bytes of an answer */
#define CONTROL_STREAM_MAX  (256u << 10) /* bytes that wait for the reader of a stream */
#define CONTROL_CLIENTS_MAX 16u
#define CONTROL_STREAMS_MAX 4u  /* of them */
#define CONTROL_PATIENCE_S  10u /* for a request, and for an answer to be read */
#define CONTROL_FILTER_MAX  4096u

enum control_verb {
        CONTROL_STATUS,
        CONTROL_PS,
        CONTROL_TOP,
        CONTROL_EVENTS,
        CONTROL_METRICS,
        CONTROL_RELOAD,
        CONTROL_MODE,
        CONTROL_VERBS
};

/* Members that a request may have. */
enum { CONTROL_TAKES_FILTER = 1, CONTROL_TAKES_CONTAINER = 2, CONTROL_TAKES_MODE = 4 };

struct control_verb_row {
        const char *name;
        unsigned takes;
        const char *doc; /* a sentence */
};

extern const struct control_verb_row control_verbs[CONTROL_VERBS];

struct control_request {
        enum control_verb verb;
        struct str filter, container, mode; /* empty: not given */
};

/* A line without its end. Texts live in the arena. 0, or -EBADMSG with words. */
int control_parse(struct str line, struct arena *arena, struct control_request *ret, struct error *err);

#endif
