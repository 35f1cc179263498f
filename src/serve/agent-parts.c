/* The parts of the agent, in the order that they start and hear of things. See agent-private.h. */
#include "serve/agent-private.h"

extern const struct agent_part guard_part;

const struct agent_part *const agent_parts[] = {
        &guard_part,
        NULL,
};
