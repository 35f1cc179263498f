/* Asking the agent that runs: both print, and return the exit code. socket NULL: the default. */
#ifndef SEKISHO_CLI_AGENT_STATUS_H
#define SEKISHO_CLI_AGENT_STATUS_H

#include <stdbool.h>

int agent_status(const char *socket, bool is_json);
int agent_tell_reload(const char *socket);

#endif
