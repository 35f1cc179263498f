/*
 * The part that hears of the network, of capabilities, io_uring and titles by hooks, in both modes: their records
 * become events as system calls do, for the same rules. In full mode a call that rules see itself is shown to the parts
 * only. A connection that is accepted belongs to a cgroup and to no process yet.
 */
#include "sense/hooks.h"

#include "serve/agent-private.h"

#include <stdlib.h>

struct hooks_part {
        struct agent *agent;
        struct hooks *hooks;
        bool is_nested; /* an event of the other ring is being judged, and its memory is in use */
        uint64_t lost;
};

static void release(struct hooks_part *s)
{
        if (!s->is_nested)
                arena_done(&s->agent->arena);
}

static void on_record(void *arg, struct str bytes)
{
        struct hooks_part *s = arg;
        struct agent *a = s->agent;
        struct event e;
        if (!event_decode(bytes, &a->arena, &e) || e.kind != OBSERVE_CALL) {
                a->counts.malformed++;
                release(s);
                return;
        }
        const struct process *p = e.head.pid ? process_find(&a->processes, e.head.pid) : NULL;
        const struct container_entry *c = container_known(&a->containers, e.call.cgroup_id);
        bool is_call = e.call.call < CALL_capability; /* calls.def: what follows has no call */
        e.facts.in_container_cgroup = c != NULL;
        e.in_container |= c != NULL;
        a->counts.events++;
        if (is_call && sensor_is_full(a->sensor))
                agent_show(a, &e, p, c);
        else
                agent_judge(a, &e, p, c);
        release(s);
}

/*
 * The processes first: an event is judged with its own. What comes while they are read is left for the next time, since
 * its program may have begun meanwhile too.
 */
static void on_ready(void *arg)
{
        struct hooks_part *s = arg;
        uint64_t now_ns = (uint64_t)agent_now_ns(CLOCK_BOOTTIME);
        agent_drain(s->agent);
        hooks_read(s->hooks, now_ns, on_record, s);
}

/* A process ends: what it did comes before it is forgotten. */
static void on_event(void *state, const struct event_record *r)
{
        struct hooks_part *s = state;
        if (r->event->kind != OBSERVE_EXIT || s->is_nested)
                return;
        s->is_nested = true;
        hooks_read(s->hooks, r->event->head.time_ns, on_record, s);
        s->is_nested = false;
}

static void look_for_loss(struct hooks_part *s)
{
        uint64_t drops = hooks_drops(s->hooks), lost = drops - s->lost;
        if (lost == 0)
                return;
        s->lost = drops;
        agent_emit_loss(s->agent, "Network events lost", "lost.hook", lost,
                        "the ring of the network's hooks was full: some events are lost");
}

static void tick(void *state, int64_t now_ns)
{
        on_ready(state); /* one that was left wakes nobody */
        look_for_loss(state);
}

static void stop(void *state)
{
        struct hooks_part *s = state;
        on_ready(s); /* what happened before the signal */
        look_for_loss(s);
        agent_remove_source(s->agent, hooks_fd(s->hooks));
        hooks_close(s->hooks);
        free(s);
}

static int start(struct agent *a, void **ret, struct error *err)
{
        struct error words = ERROR_NONE;
        struct hooks *hooks;
        if (hooks_open(&hooks, &words) < 0) {
                agent_tell(a, "no events of the network, of capabilities and of io_uring in lean mode: %s", words.text);
                return 0;
        }
        struct str missing = hooks_missing(hooks);
        if (missing.n)
                agent_tell(a, "this kernel does not tell of %.*s", STR_FMT(missing));
        struct hooks_part *s = xcalloc(1, sizeof(*s));
        *s = (struct hooks_part){ .agent = a, .hooks = hooks };
        int r = agent_add_source(a, hooks_fd(hooks), on_ready, s);
        if (r < 0) {
                hooks_close(hooks);
                free(s);
                return error_errno(err, r, "too many sources of events");
        }
        *ret = s;
        return 0;
}

const struct agent_part part_hooks = {
        .name = "hooks",
        .start = start,
        .on_event = on_event,
        .tick = tick,
        .stop = stop,
};
