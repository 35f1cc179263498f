/* See agent-files.h. */
#include "cli/agent-files.h"

#include <errno.h>
#include <string.h>

int agent_files_option(struct files_options *f, const struct option_spec *o, const char *value, struct error *err)
{
        if (strcmp(o->name, "watch") == 0) {
                if (f->n_watch == WATCH_OPTIONS_MAX)
                        return error_set(err, -EINVAL, "given more than %u times", WATCH_OPTIONS_MAX);
                f->watch[f->n_watch++] = value;
                return 0;
        }
        return NOT_FILES;
}
