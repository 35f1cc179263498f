/* The parts of the agent, in the order that they start and hear of things. See agent-private.h. */
#include "serve/agent-private.h"

extern const struct agent_part part_calls;
extern const struct agent_part part_control;
extern const struct agent_part part_drift;
extern const struct agent_part part_guard;
extern const struct agent_part part_hooks;
extern const struct agent_part part_incidents;
extern const struct agent_part part_integrity;
extern const struct agent_part part_loaded;
extern const struct agent_part part_log_guard;
extern const struct agent_part part_mapped_code;
extern const struct agent_part part_metrics;
extern const struct agent_part part_respond;
extern const struct agent_part part_sinks;
extern const struct agent_part part_watch;

/* clang-format off */
const struct agent_part *const agent_parts[] = {
        &part_hooks,
        &part_incidents,
        &part_drift,
        &part_respond,
        &part_integrity,
        &part_loaded,
        &part_log_guard,
        &part_guard,
        &part_watch, /* behind those that add to what is watched */
        &part_mapped_code,
        &part_calls, /* behind what tells of calls in lean mode */
        &part_sinks,
        &part_metrics,
        &part_control,
        NULL,
};
/* clang-format on */
