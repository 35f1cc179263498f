/*
 * What engines and runtimes say of how a container runs, as "key=value" texts, for store.c:
 *
 *         privileged=true          every capability, and nothing of /proc masked
 *         host_pid=true            and host_network, host_ipc: it shares them with the host
 *         mount=SOURCE:DESTINATION:MODE:true|false:PROPAGATION      of each bind mount; true: writable
 *         healthcheck=COMMAND
 *         ip=ADDRESS
 *
 * A text that is not there is not known, of flags it is false.
 */
#ifndef SEKISHO_READ_STORE_SETTINGS_H
#define SEKISHO_READ_STORE_SETTINGS_H

#include "read/json.h"

#define STORE_SETTINGS_MAX 512u

struct json_list settings_of_docker(const json_t *config, struct arena *arena); /* config.v2.json */
struct json_list settings_of_bundle(const json_t *config, struct arena *arena); /* config.json */
struct json_list settings_of_runtime(const json_t *state, struct arena *arena); /* runc's state.json */

#endif
