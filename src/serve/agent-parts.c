/* The parts of the agent, in the order that they start and hear of things. See agent-private.h. */
#include "serve/agent-private.h"

extern const struct agent_part agent_calls;

const struct agent_part *const agent_parts[] = {
        &agent_calls,
        NULL,
};
