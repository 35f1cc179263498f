/*
 * The agent's two modes: a part that switches between them, tells which rules sleep in lean mode, and counts what full
 * mode loses. See agent-private.h.
 */
#include "serve/agent-private.h"

#include "serve/calls-compile.h"

#include <stdlib.h>

#define NAMED_MAX 20u /* rules that are named when they sleep; the others are counted */

struct calls_part {
        struct agent *agent;
        uint64_t lost[CALL_CLASSES];
};

static const char *const class_names[CALL_CLASSES] = { "lost.file", "lost.net", "lost.process", "lost.other" };

/* Into a mode, or on in it by the rules of now. */
static int go(struct agent *a, bool is_full, struct error *err)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct sensor_recipes *recipes = arena_new(&arena, struct sensor_recipes);
        calls_compile(a->rules.set, &arena, recipes);
        return is_full ? sensor_go_full(a->sensor, recipes, err) : sensor_go_lean(a->sensor, recipes, err);
}

static void go_lean(struct agent *a)
{
        struct error err = ERROR_NONE;
        if (go(a, false, &err) < 0)
                agent_tell(a, "no calls that ask for a right in lean mode: %s", err.text);
}

/* The rules that lean mode cannot decide, or not for all of their events. */
static void tell_sleeping(struct agent *a, enum calls_need need, const char *words)
{
        _cleanup_(buf_done) struct buf names = BUF_INIT(700);
        unsigned has = (a->watched.v.n > 0 ? CALLS_HAS_FILES : 0) | (a->hears_reads ? CALLS_HAS_READS : 0) |
                       (sensor_hears_rights(a->sensor) ? CALLS_HAS_RIGHTS : 0) |
                       (a->hears_mappings ? CALLS_HAS_CODE : 0);
        size_t n = 0;
        for (size_t i = 0; i < rule_set_n(a->rules.set); i++) {
                const struct rule *rule = rule_set_rule(a->rules.set, i);
                if (!rule->enabled || rule->unsupported || !(rule->stages & STAGE_SYSCALL) ||
                    calls_need_of(&a->needs[i], has) != need)
                        continue;
                if (n++ < NAMED_MAX)
                        buf_printf(&names, "%s\"%.*s\"", n > 1 ? ", " : "", STR_FMT(str_upto(rule->name, 60)));
        }
        if (n > NAMED_MAX)
                buf_printf(&names, " and %zu more", n - NAMED_MAX);
        if (n > 0)
                agent_tell(a, "%zu rules %s: %.*s", n, words, STR_FMT(buf_str(&names)));
}

static void tell_all_sleeping(struct agent *a)
{
        tell_sleeping(a, CALLS_ALL, "need --mode full and sleep in lean mode");
        tell_sleeping(a, CALLS_PARTLY,
                      a->watched.v.n > 0
                              ? "need --mode full for some of their events, of files for what is read or written "
                                "where nobody watches"
                              : "need --mode full for some of their events");
}

int agent_set_mode(struct agent *a, bool is_full, struct error *err)
{
        if (is_full) {
                int r = go(a, true, err);
                if (r < 0) {
                        if (!sensor_is_full(a->sensor))
                                go_lean(a);
                        return r;
                }
        } else {
                go_lean(a);
        }
        agent_tell(a, "%s mode", is_full ? "full" : "lean");
        if (!is_full)
                tell_all_sleeping(a);
        return 0;
}

static int start(struct agent *a, void **ret, struct error *err)
{
        if (a->o->is_full && go(a, true, err) < 0)
                agent_tell(a, "no full mode, lean mode goes on: %s", err->text);
        if (!sensor_is_full(a->sensor)) {
                go_lean(a);
                tell_all_sleeping(a);
        }
        struct calls_part *p = xcalloc(1, sizeof(*p));
        p->agent = a;
        *ret = p;
        return 0;
}

static void on_rules(void *state)
{
        struct calls_part *p = state;
        struct error err = ERROR_NONE;
        if (!sensor_is_full(p->agent->sensor)) {
                go_lean(p->agent);
                tell_all_sleeping(p->agent);
        } else if (go(p->agent, true, &err) < 0)
                agent_tell(p->agent, "the kernel goes on sending the calls of the old rules: %s", err.text);
}

static void look_for_loss(struct calls_part *p)
{
        struct agent *a = p->agent;
        struct alert_field extras[CALL_CLASSES];
        uint64_t drops[CALL_CLASSES], lost[CALL_CLASSES], sum = 0;
        sensor_call_drops(a->sensor, drops);
        for (size_t i = 0; i < CALL_CLASSES; i++) {
                lost[i] = drops[i] - p->lost[i];
                p->lost[i] = drops[i];
                sum += lost[i];
                extras[i] = (struct alert_field){ class_names[i], value_number((int64_t)lost[i]) };
        }
        if (sum == 0)
                return;
        struct str words =
                arena_printf(&a->arena,
                             "the ring of system calls was full: %llu of files, %llu of the network, %llu of "
                             "processes and %llu others were lost",
                             (unsigned long long)lost[CALL_CLASS_FILE], (unsigned long long)lost[CALL_CLASS_NET],
                             (unsigned long long)lost[CALL_CLASS_PROCESS], (unsigned long long)lost[CALL_CLASS_OTHER]);
        agent_emit(a, &(struct alert){ .rule_name = "System calls lost",
                                       .priority = PRIORITY_WARNING,
                                       .source = "internal",
                                       .output = words,
                                       .extras = extras,
                                       .n_extras = CALL_CLASSES });
        arena_done(&a->arena);
}

static void tick(void *state, int64_t now_ns) { look_for_loss(state); }

static void stop(void *state)
{
        look_for_loss(state);
        free(state);
}

const struct agent_part part_calls = {
        .name = "calls",
        .start = start,
        .on_rules = on_rules,
        .tick = tick,
        .stop = stop,
};
