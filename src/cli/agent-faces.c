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
                return option_append(f->sinks, &f->n_sinks, FACES_SINKS_MAX, value, err);
        } else {
                return OPTION_OTHER;
        }
        return 0;
}
