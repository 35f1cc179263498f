/* See actions.h. */
#include "act/actions.h"

#include "act/freeze.h"
#include "act/journal.h"
#include "act/network.h"
#include "act/terminate.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

static bool is_frozen(const struct act_target *t, const struct act_order *o) { return act_is_frozen(t); }

static bool is_thawed(const struct act_target *t, const struct act_order *o) { return !act_is_frozen(t); }

static int freeze(const struct act_target *t, const struct act_order *o, struct error *err)
{
        return act_freeze(t, o->is_hasty, err);
}

static int thaw(const struct act_target *t, const struct act_order *o, struct error *err) { return act_thaw(t, err); }

static bool cuts(const struct act_target *t, const struct act_order *o, unsigned what)
{
        return (act_cuts(t->cgroup_id, o->pins) & what) == what;
}

static bool is_isolated(const struct act_target *t, const struct act_order *o) { return cuts(t, o, ACT_CUT_ALL); }

static bool has_rejoined(const struct act_target *t, const struct act_order *o)
{
        char dir[ACT_PATH_MAX];
        struct stat st;
        snprintf(dir, sizeof(dir), "%s/%llu", o->pins, (unsigned long long)t->cgroup_id);
        return stat(dir, &st) < 0 && errno == ENOENT;
}

static bool may_not_connect(const struct act_target *t, const struct act_order *o)
{
        return cuts(t, o, ACT_CUT_CONNECT);
}

static bool may_not_bind(const struct act_target *t, const struct act_order *o) { return cuts(t, o, ACT_CUT_BIND); }

static bool may_not_send(const struct act_target *t, const struct act_order *o) { return cuts(t, o, ACT_CUT_SEND); }

static int isolate(const struct act_target *t, const struct act_order *o, struct error *err)
{
        return act_cut(t, ACT_CUT_ALL, o->pins, err);
}

static int rejoin(const struct act_target *t, const struct act_order *o, struct error *err)
{
        return act_rejoin(t, o->pins, err);
}

static int deny_connect(const struct act_target *t, const struct act_order *o, struct error *err)
{
        return act_cut(t, ACT_CUT_CONNECT, o->pins, err);
}

static int deny_bind(const struct act_target *t, const struct act_order *o, struct error *err)
{
        return act_cut(t, ACT_CUT_BIND, o->pins, err);
}

static int deny_send(const struct act_target *t, const struct act_order *o, struct error *err)
{
        return act_cut(t, ACT_CUT_SEND, o->pins, err);
}

/* Not so of a v1 hierarchy alone: it is tried then, which costs nothing. */
static bool has_ended(const struct act_target *t, const struct act_order *o)
{
        return t->unified[0] && act_cgroup_is(t->unified, "cgroup.events", "populated 0");
}

static int terminate(const struct act_target *t, const struct act_order *o, struct error *err)
{
        return act_terminate(t, o->is_hasty, err);
}

const struct act_action act_actions[] = {
        { "freeze", "stop all its processes where they stand", "frozen", "cgroup.freeze, or the v1 freezer", "thaw",
          act_freeze_probe, is_frozen, freeze },
        { "thaw", "let a frozen one go on", "thawed", "the same", NULL, NULL, is_thawed, thaw },
        { "isolate", "cut it off from the network, open connections and loopback too", "isolated",
          "BPF programs at its cgroup", "rejoin", act_cut_probe, is_isolated, isolate },
        { "rejoin", "let it back to the network, whatever of it was denied", "rejoined", "the same", NULL, NULL,
          has_rejoined, rejoin },
        { "deny-connect", "refuse connections that it opens", "denied to connect", "BPF programs at its cgroup",
          "rejoin", act_cut_probe, may_not_connect, deny_connect },
        { "deny-bind", "refuse ports that it takes", "denied to bind", "BPF programs at its cgroup", "rejoin",
          act_cut_probe, may_not_bind, deny_bind },
        { "deny-send", "refuse datagrams that it addresses", "denied to send", "BPF programs at its cgroup", "rejoin",
          act_cut_probe, may_not_send, deny_send },
        { "terminate", "kill all its processes at once; there is no undo", "terminated", "cgroup.kill, or signals",
          NULL, act_freeze_probe, has_ended, terminate },
        { NULL },
};

const struct act_action *act_find(const char *name)
{
        for (const struct act_action *a = act_actions; a->name; a++)
                if (strcmp(a->name, name) == 0)
                        return a;
        return NULL;
}

int act_do(const struct act_action *a, const struct act_target *t, const struct act_order *o, bool *ret_unwritten,
           struct error *err)
{
        struct error failure = ERROR_NONE;
        int r = a->is_done(t, o) ? ACT_ALREADY : o->is_dry_run ? ACT_WOULD : a->run(t, o, &failure);
        *ret_unwritten = act_journal(a, t, o, r, failure.text, err) < 0;
        return r < 0 ? error_set(err, r, "%s", failure.text) : r;
}
