/* Asking the agent of this host, through its control socket (serve/control.h). */
#ifndef SEKISHO_CLI_AGENT_CLIENT_H
#define SEKISHO_CLI_AGENT_CLIENT_H

#include "cli/command.h"
#include "serve/control.h"

#include <jansson.h>
#include <stdio.h>

#define SOCKET_OPTION                                                                                                  \
        {                                                                                                              \
                "socket", 0, "PATH", "of the agent (default: " CONTROL_SOCKET_DEFAULT ")"                              \
        }

#define AGENT_PATIENCE_S 10 /* for an answer */

/*
 * Connects; path NULL: the default. 0 and a descriptor; -ENOENT: no agent runs here (there is no socket, or nobody
 * answers); < 0 with words.
 */
int agent_connect(const char *path, int *ret_fd, struct error *err);

/* Sends a request (taken over). 0 or -errno with words. */
int agent_send(int fd, json_t *request, struct error *err);

/*
 * Asks and waits for the one answer. 0: *ret is the caller's. -ENOENT as above; -EBADMSG: it refused, in its words, or
 * what it said is no answer.
 */
int agent_ask(const char *path, const char *verb, json_t **ret, struct error *err);

/* The next line of a descriptor's stream as JSON: NULL at its end, or if it is none. */
json_t *agent_next(FILE *from);

#endif
