/* The agent's answers as `ps` and `top` show them: a line about the host, and a grid of containers. */
#ifndef SEKISHO_CLI_AGENT_VIEW_H
#define SEKISHO_CLI_AGENT_VIEW_H

#include "report/screen.h"

#include <jansson.h>

/* "HOST web-1  agent 0.3 % cpu, 41 MB ..."; cpu_percent < 0: not known yet. */
void view_host(struct screen *s, const json_t *status, size_t n_containers, double cpu_percent);

/* One row a container; at most `rows` of them (0: all), the busiest incidents first; the rest is counted. */
void view_containers(struct screen *s, const json_t *containers, size_t rows);

#endif
