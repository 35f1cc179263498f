/* See agent-files.h. */
#include "cli/agent-files.h"

#include <errno.h>
#include <string.h>

static int add(const char **v, size_t *n, const char *value, struct error *err)
{
        if (*n == WATCH_OPTIONS_MAX)
                return error_set(err, -EINVAL, "given more than %u times", WATCH_OPTIONS_MAX);
        v[(*n)++] = value;
        return 0;
}

int agent_files_option(struct files_options *f, const struct option_spec *o, const char *value, struct error *err)
{
        if (strcmp(o->name, "watch") == 0)
                return add(f->watch, &f->n_watch, value, err);
        if (strcmp(o->name, "guard-logs") == 0)
                return add(f->guard_logs, &f->n_guard_logs, value, err);
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
                return NOT_FILES;
        return 0;
}
