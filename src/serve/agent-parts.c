/* The parts of the agent, in the order that they start and hear of things. See agent-private.h. */
#include "serve/agent-private.h"

extern const struct agent_part part_drift, part_watch;
extern const struct agent_part part_calls, part_hooks, part_incidents, part_respond;

const struct agent_part *const agent_parts[] = {
        &part_calls, &part_hooks, &part_incidents, &part_watch, &part_drift, &part_respond, NULL,
};
