/* The parts of the agent, in the order that they start and hear of things. See agent-private.h. */
#include "serve/agent-private.h"

const struct agent_part *const agent_parts[] = {
        NULL,
};
