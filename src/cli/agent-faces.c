/* See agent-faces.h. */
#include "cli/agent-faces.h"

#include <errno.h>
#include <string.h>

int agent_faces_option(struct faces_options *f, const struct option_spec *o, const char *value, struct error *err)
{
        if (strcmp(o->name, "socket") == 0) {
                f->socket = value;
        } else if (strcmp(o->name, "metrics") == 0) {
                f->metrics = value;
        } else if (strcmp(o->name, "metrics-anywhere") == 0) {
                f->is_metrics_anywhere = true;
        } else if (strcmp(o->name, "sink") == 0) {
                if (f->n_sinks == FACES_SINKS_MAX)
                        return error_set(err, -EINVAL, "more than %u of them", FACES_SINKS_MAX);
                f->sinks[f->n_sinks++] = value;
        } else {
                return NOT_FACES;
        }
        return 0;
}
