/* What gives itself away by its name or number: variables that hold secrets, ports that are for maintenance. */
#ifndef SEKISHO_ANALYZE_EXPOSURE_H
#define SEKISHO_ANALYZE_EXPOSURE_H

#include "base/str.h"

/* Whether a variable of this name holds a secret: not where one lies (_FILE), how long it lives (_TTL), what it is
 * called. */
bool is_secret_name(struct str name);

/* What listens on one of these ports for maintenance ("SSH", "the kubelet"), or NULL. */
const char *maintenance_port(uint64_t first, uint64_t last);

#endif
