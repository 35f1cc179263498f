/* See calls-compile.h. */
#include "serve/calls-compile.h"

#include "serve/record.h"

/* What is told by lean mode already: a program or a child that begins, a process that ends; what its hooks tell of. */
static const char *const lean_events[] = { "execve", "execveat", "clone",  "procexit",   "connect",
                                           "bind",   "listen",   "accept", "capability", "io_uring" };

static bool is_lean(const char *event)
{
        for (size_t i = 0; i < ARRAY_SIZE(lean_events); i++)
                if (strcmp(lean_events[i], event) == 0)
                        return true;
        return false;
}

enum calls_need calls_need_of(const struct rule_needs *needs)
{
        size_t n_lean = 0;
        bool has_some = false;
        for (size_t i = 0; i < needs->n_events; i++) {
                n_lean += is_lean(needs->events[i]);
                has_some |= strcmp(needs->events[i], "sendto") == 0; /* datagrams with an address, and no others */
        }
        if (needs->all_events || n_lean == needs->n_events)
                return CALLS_NOT_NEEDED;
        return n_lean || has_some ? CALLS_PARTLY : CALLS_ALL;
}

void calls_compile(const struct rule_set *set, struct arena *arena, struct sensor_recipes *ret)
{
        *ret = (struct sensor_recipes){ 0 };
        for (size_t i = 0; i < rule_set_n(set); i++) {
                struct rule_needs needs;
                const struct rule *rule = rule_set_rule(set, i);
                if (!rule->enabled || rule->unsupported || !(rule->stages & STAGE_SYSCALL))
                        continue;
                rule_set_needs(set, i, arena, &needs);
                for (size_t k = 0; !needs.all_events && k < needs.n_events; k++)
                        for (size_t call = 0; call < OBSERVE_CALLS; call++)
                                if (strcmp(event_call_name((enum observe_call_id)call), needs.events[k]) == 0) {
                                        ret->wanted[call] = true;
                                        ret->filters[call].n_clauses = 1;
                                }
        }
        ret->wanted[CALL_execve] = ret->wanted[CALL_execveat] = false;
        ret->wanted[CALL_clone] = false;
}
