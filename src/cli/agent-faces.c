/* See agent-faces.h. */
#include "cli/agent-faces.h"

#include <string.h>

int agent_faces_option(struct faces_options *f, const struct option_spec *o, const char *value, struct error *err)
{
        if (strcmp(o->name, "socket") != 0)
                return NOT_FACES;
        f->socket = value;
        return 0;
}
