/* See calls-compile.h. What checks are worth is in calls-atoms.c. */
#include "serve/calls-private.h"
#include "serve/record.h"

#include <stdlib.h>

/* What is told by lean mode already: a program or a child that begins, a process that ends. */
static const char *const lean_events[] = { "execve", "execveat", "clone", "procexit" };

/* What hooks tell of in lean mode (sense/hooks.h); in full mode the calls themselves do. */
static const char *const hook_events[] = { "connect",  "bind",  "listen", "accept", "capability",
                                           "io_uring", "title", "lookup", "mining", "download" };

/* What the part `watch` tells of files in lean mode. */
static const char *const file_events[] = { "openat",  "truncate", "unlinkat", "renameat2", "symlinkat", "linkat",
                                           "mkdirat", "mknodat",  "fchmodat", "fchownat",  "utimensat" };

static bool is_one_of(const char *const *events, size_t n, const char *event)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(events[i], event) == 0)
                        return true;
        return false;
}

static bool is_lean(const char *event) { return is_one_of(lean_events, ARRAY_SIZE(lean_events), event); }

static bool is_hook(const char *event) { return is_one_of(hook_events, ARRAY_SIZE(hook_events), event); }

static bool asks(const struct rule_needs *needs, const char *field)
{
        for (size_t i = 0; i < needs->n_fields; i++)
                if (strcmp(needs->fields[i]->field->name, field) == 0)
                        return true;
        return false;
}

static enum sensor_asks asking(const char *event)
{
        for (enum observe_call_id call = 0; call < OBSERVE_CALLS; call++)
                if (strcmp(event_call_name(call), event) == 0)
                        return sensor_call_asks(call);
        return SENSOR_ASKS_NEVER;
}

enum calls_need calls_need_of(const struct rule_needs *needs, unsigned has)
{
        size_t n_lean = 0;
        bool has_some = false, only_reads = asks(needs, "evt.is_open_read") && !asks(needs, "evt.is_open_write");
        bool has_files = has & (only_reads ? CALLS_HAS_READS : CALLS_HAS_FILES);
        for (size_t i = 0; i < needs->n_events; i++) {
                const char *event = needs->events[i];
                enum sensor_asks asks_right = has & CALLS_HAS_RIGHTS ? asking(event) : SENSOR_ASKS_NEVER;
                n_lean += is_lean(event) || is_hook(event) || asks_right == SENSOR_ASKS_ALWAYS;
                has_some |= asks_right == SENSOR_ASKS_SOMETIMES;
                has_some |= has & CALLS_HAS_CODE && strcmp(event, "mmap") == 0;
                has_some |= strcmp(event, "sendto") == 0; /* datagrams with an address, and no others */
                has_some |= has_files && is_one_of(file_events, ARRAY_SIZE(file_events), event);
        }
        if (needs->all_events || n_lean == needs->n_events)
                return CALLS_NOT_NEEDED;
        return n_lean || has_some ? CALLS_PARTLY : CALLS_ALL;
}

/* ---------------------------------------------------------------------------------------------------- rules ---- */

/* What a rule asks of a call, into the call's filter. */
static void add_rule(struct calls_compiling *c, size_t rule, const char *event, struct rule_clauses *to)
{
        struct rule_clauses own;
        c->asks_result = c->counts = false;
        rule_set_clauses(c->set, rule, str_of(event), calls_necessary, c, &own);
        if (is_lean(event) && !c->asks_result) /* told as a program or a child that begins */
                return;
        for (size_t i = 0; i < own.n; i++)
                rule_clauses_add(to, c->counts ? own.v[i] & ATOM_CONTAINER : own.v[i]);
}

static void compile_call(struct calls_compiling *c, const struct rule_needs *needs)
{
        struct call_filter *f = &c->to->filters[c->call];
        struct rule_clauses clauses = { 0 };
        const char *event = event_call_name(c->call);
        for (size_t i = 0; i < rule_set_n(c->set); i++)
                for (size_t k = 0; !needs[i].all_events && k < needs[i].n_events; k++)
                        if (strcmp(needs[i].events[k], event) == 0)
                                add_rule(c, i, event, &clauses);
        c->to->wanted[c->call] = clauses.n > 0;
        f->n_clauses = (uint32_t)clauses.n;
        _Static_assert(RULE_CLAUSES_MAX <= CALL_CLAUSES_MAX, "a filter holds what a rule set needs");
        for (size_t i = 0; i < clauses.n; i++) {
                f->clauses[i] = clauses.v[i];
                f->uses |= clauses.v[i];
        }
}

/* ---------------------------------------------------------------------------------------------------- texts ---- */

static int compare_texts(const void *a, const void *b)
{
        return str_cmp(((const struct sensor_text *)a)->text, ((const struct sensor_text *)b)->text);
}

/* The kernel finds the longest beginning of a path: each has the atoms of the shorter ones that it begins with. */
static void pass_on(struct sensor_text *v, size_t n)
{
        VEC(size_t) open = { 0 }; /* each begins with the one before */
        if (n > 1)
                qsort(v, n, sizeof(*v), compare_texts);
        for (size_t i = 0; i < n; i++) {
                while (open.n && !str_starts(v[i].text, v[open.v[open.n - 1]].text))
                        open.n--;
                if (open.n)
                        v[i].atoms |= v[open.v[open.n - 1]].atoms;
                *vec_push(&open) = i;
        }
        vec_done(&open);
}

static struct sensor_text *take_texts(struct calls_compiling *c, struct call_dictionary *d, size_t *ret_n)
{
        struct sensor_text *all = arena_array(c->arena, d->texts.n, sizeof(*all));
        if (d->texts.n)
                memcpy(all, d->texts.v, d->texts.n * sizeof(*all));
        *ret_n = d->texts.n;
        map_str_done(&d->index);
        vec_done(&d->texts);
        return all;
}

void calls_compile(const struct rule_set *set, struct arena *arena, struct sensor_recipes *ret)
{
        struct calls_compiling c = {
                .set = set,
                .arena = arena,
                .to = ret,
                .prefixes = { .most = CALL_PREFIXES_MAX, .first = CALL_PREFIX_FIRST, .n = CALL_PREFIXES },
                .suffixes = { .most = CALL_SUFFIXES_MAX, .first = CALL_SUFFIX_FIRST, .n = CALL_SUFFIXES },
                .comms = { .most = CALL_COMMS_MAX, .first = CALL_COMM_FIRST, .n = CALL_COMMS },
        };
        struct rule_needs *needs = arena_array(arena, rule_set_n(set), sizeof(*needs));
        *ret = (struct sensor_recipes){ 0 };
        for (size_t i = 0; i < rule_set_n(set); i++) {
                const struct rule *rule = rule_set_rule(set, i);
                if (rule->enabled && !rule->unsupported && rule->stages & STAGE_SYSCALL)
                        rule_set_needs(set, i, arena, &needs[i]);
        }
        for (unsigned call = 0; call < OBSERVE_CALLS; call++) {
                c.call = (enum observe_call_id)call;
                compile_call(&c, needs);
        }
        struct sensor_text *prefixes = take_texts(&c, &c.prefixes, &ret->n_prefixes);
        pass_on(prefixes, ret->n_prefixes);
        ret->prefixes = prefixes;
        ret->suffixes = take_texts(&c, &c.suffixes, &ret->n_suffixes);
        ret->comms = take_texts(&c, &c.comms, &ret->n_comms);
        map64_done(&c.atoms);
}
