/* See agent-files.h. */
#include "cli/agent-files.h"

#include <errno.h>
#include <string.h>

int agent_files_option(struct files_options *f, const struct option_spec *o, const char *value, struct error *err)
{
        if (strcmp(o->name, "watch") == 0)
                return option_append(f->watch, &f->n_watch, WATCH_OPTIONS_MAX, value, err);
        if (strcmp(o->name, "guard-logs") == 0)
                return option_append(f->guard_logs, &f->n_guard_logs, WATCH_OPTIONS_MAX, value, err);
        if (strcmp(o->name, "guard-journal") == 0)
                f->guard_journal = value;
        else if (strcmp(o->name, "loaded") == 0)
                f->loaded = value;
        else if (strcmp(o->name, "integrity") == 0)
                f->integrity = value;
        else if (strcmp(o->name, "baseline") == 0)
                f->baseline = value;
        else if (strcmp(o->name, "undo") == 0)
                f->undo = true;
        else
                return OPTION_OTHER;
        return 0;
}
