/* Asking the agent that runs: they print, and return the exit code. socket NULL: the default. */
#ifndef SEKISHO_CLI_AGENT_STATUS_H
#define SEKISHO_CLI_AGENT_STATUS_H

#include <stdbool.h>

int agent_status(const char *socket, bool is_json);
int agent_tell_reload(const char *socket);
int agent_print_metrics(const char *socket); /* the text format of Prometheus */

#endif
