/* Requests of the control socket: their table, and their reader. See control.h. */
#include "intel/json.h"
#include "serve/control.h"

#include <errno.h>

const struct control_verb_row control_verbs[CONTROL_VERBS] = {
        [CONTROL_STATUS] = { "status", 0, "The agent: version, rules, numbers of events and alerts." },
        [CONTROL_PS] = { "ps", 0, "The containers, and what protects each." },
        [CONTROL_TOP] = { "top", 0, "Both at once." },
        [CONTROL_EVENTS] = { "events", CONTROL_TAKES_FILTER | CONTROL_TAKES_CONTAINER,
                             "Each event as it comes, until the connection is closed." },
        [CONTROL_METRICS] = { "metrics", 0, "All counters, in the text format of Prometheus." },
        [CONTROL_RELOAD] = { "reload", 0, "Loads the rules anew, as SIGHUP does." },
        [CONTROL_MODE] = { "mode", CONTROL_TAKES_MODE, "Switches what the sensor sees." },
};

static int take_verb(struct str name, enum control_verb *ret, struct error *err)
{
        for (unsigned i = 0; i < CONTROL_VERBS; i++)
                if (str_is(name, control_verbs[i].name)) {
                        *ret = (enum control_verb)i;
                        return 0;
                }
        return error_set(err, -EBADMSG, "there is no such request");
}

int control_parse(struct str line, struct arena *arena, struct control_request *ret, struct error *err)
{
        struct control_request r = { 0 };
        const struct {
                const char *name;
                unsigned bit;
                struct str *to;
        } members[] = {
                { "filter", CONTROL_TAKES_FILTER, &r.filter },
                { "container", CONTROL_TAKES_CONTAINER, &r.container },
                { "mode", CONTROL_TAKES_MODE, &r.mode },
        };
        _cleanup_(json_freep) json_t *o = line.n <= CONTROL_REQUEST_MAX ? json_parse(line, NULL) : NULL;
        const char *name;
        json_t *value;
        if (!json_is_object(o))
                return error_set(err, -EBADMSG, "a request is one line of JSON, an object of at most %u bytes",
                                 CONTROL_REQUEST_MAX);
        if (take_verb(json_member(o, "request"), &r.verb, err) < 0)
                return -EBADMSG;
        json_object_foreach(o, name, value)
        {
                size_t i = 0;
                while (i < ARRAY_SIZE(members) && !str_is(str_of(name), members[i].name))
                        i++;
                if (str_is(str_of(name), "request"))
                        continue;
                if (i == ARRAY_SIZE(members) || !(control_verbs[r.verb].takes & members[i].bit) ||
                    !json_is_string(value))
                        return error_set(err, -EBADMSG, "request %s does not take a member of that name or type",
                                         control_verbs[r.verb].name);
                *members[i].to = arena_str(arena, json_str(value));
        }
        if (r.filter.n > CONTROL_FILTER_MAX)
                return error_set(err, -EBADMSG, "a filter has at most %u bytes", CONTROL_FILTER_MAX);
        *ret = r;
        return 0;
}
