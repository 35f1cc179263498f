/* See incident-story.h. */
#include "serve/incident-story.h"

#include "base/map.h"
#include "base/vec.h"
#include "intel/framework.h"
#include "report/document.h"
#include "serve/alert.h"

#include <stdlib.h>

struct gathering {
        uint64_t only;
        struct stories *to;
        struct map64 index; /* number -> place in v + 1 */
        VEC(struct story) v;
        VEC(struct incident_entry) entries; /* of the only one */
};

bool story_action_is_done(struct str action)
{
        static const enum alert_action done[] = { ALERT_KILLED,   ALERT_DENIED,     ALERT_FROZEN,
                                                  ALERT_ISOLATED, ALERT_TERMINATED, ALERT_QUARANTINED };
        for (size_t i = 0; i < ARRAY_SIZE(done); i++)
                if (str_is(action, alert_action_names[done[i]]))
                        return true;
        return false;
}

/* ------------------------------------------------------------------------------------------------- gathering ---- */

static struct incident_entry copy_entry(struct arena *arena, const struct incident_entry *e)
{
        struct incident_entry c = *e;
        struct str *texts[] = { &c.boot, &c.rule, &c.output, &c.action, &c.container_id, &c.container_name, &c.image };
        struct incident_process *lineage = arena_array(arena, e->n_lineage, sizeof(*lineage));
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                *texts[i] = arena_str(arena, *texts[i]);
        c.tags.v = arena_array(arena, e->tags.n, sizeof(*c.tags.v));
        for (size_t i = 0; i < e->tags.n; i++)
                c.tags.v[i] = arena_str(arena, e->tags.v[i]);
        for (size_t i = 0; i < e->n_lineage; i++) {
                lineage[i] = e->lineage[i];
                lineage[i].program = arena_str(arena, e->lineage[i].program);
                lineage[i].command = arena_str(arena, e->lineage[i].command);
        }
        c.lineage = lineage;
        return c;
}

/* A place for a new story. Where there is none left, the eldest give way, half of them at once. */
static struct story *new_story(struct gathering *g)
{
        if (g->v.n == STORIES_MAX) {
                size_t gone = STORIES_MAX / 2;
                memmove(g->v.v, g->v.v + gone, (g->v.n - gone) * sizeof(*g->v.v));
                g->v.n -= gone;
                g->to->left_out += gone;
                map64_done(&g->index);
                for (size_t i = 0; i < g->v.n; i++)
                        *map64_put(&g->index, g->v.v[i].number, NULL) = i + 1;
        }
        return vec_push(&g->v);
}

static void gather(void *arg, const struct incident_entry *e)
{
        struct gathering *g = arg;
        struct arena *arena = &g->to->arena;
        if (g->only > 0 && e->incident != g->only)
                return;
        uint64_t *at = map64_get(&g->index, e->incident);
        struct story *s = at ? &g->v.v[*at - 1] : new_story(g);
        if (!at) {
                *map64_put(&g->index, e->incident, NULL) = g->v.n;
                *s = (struct story){ .number = e->incident,
                                     .first_ns = e->time_ns,
                                     .last_ns = e->time_ns,
                                     .priority = e->priority,
                                     .container_id = arena_str(arena, e->container_id),
                                     .container_name = arena_str(arena, e->container_name),
                                     .image = arena_str(arena, e->image) };
        }
        s->first_ns = MIN(s->first_ns, e->time_ns);
        s->last_ns = MAX(s->last_ns, e->time_ns);
        s->priority = MIN(s->priority, e->priority);
        s->alerts += e->more > 0 ? e->more : 1;
        s->enforced += story_action_is_done(e->action);
        if (g->only > 0 && e->more == 0 && g->entries.n < INCIDENT_ENTRIES_MAX)
                *vec_push(&g->entries) = copy_entry(arena, e);
}

/* ----------------------------------------------------------------------------------------------- the processes ---- */

static size_t find_process(const struct story *s, struct str boot, const struct incident_process *p)
{
        for (size_t i = 0; i < s->n_processes; i++)
                if (s->processes[i].process->pid == p->pid && s->processes[i].process->started_ns == p->started_ns &&
                    str_eq(s->processes[i].boot, boot))
                        return i;
        return SIZE_MAX;
}

/* The eldest first, so that each finds its parent there. A process shows what it ran last. */
static void add_lineage(struct story *s, const struct incident_entry *e)
{
        size_t parent = SIZE_MAX;
        for (size_t k = e->n_lineage; k-- > 0;) {
                size_t at = find_process(s, e->boot, &e->lineage[k]);
                if (at == SIZE_MAX && s->n_processes < STORY_PROCESSES_MAX) {
                        at = s->n_processes++;
                        s->processes[at] = (struct story_process){ .parent = parent, .boot = e->boot };
                }
                if (at == SIZE_MAX)
                        return;
                s->processes[at].process = &e->lineage[k];
                if (s->processes[at].parent == SIZE_MAX && parent < at)
                        s->processes[at].parent = parent;
                parent = at;
        }
}

/* Each followed by those below it. Parents stand before their children already, so depth is finite. */
static void arrange(struct arena *arena, struct story *s)
{
        size_t n = s->n_processes, n_sorted = 0;
        struct story_process *sorted = arena_array(arena, n, sizeof(*sorted));
        size_t *place = arena_array(arena, n, sizeof(*place)), *stack = arena_array(arena, n, sizeof(*stack));
        for (size_t root = 0; root < n; root++) {
                size_t depth = 0;
                if (s->processes[root].parent != SIZE_MAX)
                        continue;
                stack[depth++] = root;
                while (depth > 0) {
                        size_t at = stack[--depth], parent = s->processes[at].parent;
                        struct story_process *p = &sorted[n_sorted];
                        *p = s->processes[at];
                        p->parent = parent == SIZE_MAX ? SIZE_MAX : place[parent];
                        p->depth = parent == SIZE_MAX ? 0 : sorted[p->parent].depth + 1;
                        place[at] = n_sorted++;
                        for (size_t child = n; child-- > at + 1;)
                                if (s->processes[child].parent == at)
                                        stack[depth++] = child;
                }
        }
        s->processes = sorted;
}

/* ----------------------------------------------------------------------------------------------- techniques ---- */

static const struct tactic *first_tactic(const struct technique *t)
{
        for (size_t i = 0; i < n_tactics; i++)
                if (technique_is(t, tactics[i].name))
                        return &tactics[i];
        return NULL;
}

static int by_tactic(const void *a, const void *b)
{
        const struct story_technique *x = a, *y = b;
        if (x->tactic != y->tactic) /* both in one table, those of none first */
                return x->tactic < y->tactic ? -1 : 1;
        return strcmp(x->technique->id, y->technique->id);
}

static void add_techniques(struct story *s, const struct incident_entry *e)
{
        for (size_t i = 0; i < e->tags.n && s->n_techniques < STORY_TECHNIQUES_MAX; i++) {
                const struct technique *t = framework_tag_parse(e->tags.v[i]).technique;
                size_t k = 0;
                while (k < s->n_techniques && s->techniques[k].technique != t)
                        k++;
                if (t && k == s->n_techniques)
                        s->techniques[s->n_techniques++] = (struct story_technique){ first_tactic(t), t };
        }
}

static int by_time(const void *a, const void *b)
{
        const struct incident_entry *x = a, *y = b;
        return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

static void tell_whole(struct gathering *g, struct story *s)
{
        struct arena *arena = &g->to->arena;
        s->n_entries = g->entries.n;
        s->entries = arena_array(arena, s->n_entries, sizeof(*s->entries));
        memcpy(s->entries, g->entries.v, s->n_entries * sizeof(*s->entries));
        qsort(s->entries, s->n_entries, sizeof(*s->entries), by_time);
        s->processes = arena_array(arena, STORY_PROCESSES_MAX, sizeof(*s->processes));
        s->techniques = arena_array(arena, STORY_TECHNIQUES_MAX, sizeof(*s->techniques));
        for (size_t i = 0; i < s->n_entries; i++) {
                add_lineage(s, &s->entries[i]);
                add_techniques(s, &s->entries[i]);
        }
        arrange(arena, s);
        qsort(s->techniques, s->n_techniques, sizeof(*s->techniques), by_tactic);
}

static int by_number(const void *a, const void *b)
{
        const struct story *x = a, *y = b;
        return (x->number > y->number) - (x->number < y->number);
}

int stories_read(const char *path, uint64_t only, struct stories *ret, struct error *err)
{
        struct gathering g = { .only = only, .to = ret };
        char digest[INCIDENT_DIGEST_BYTES];
        *ret = (struct stories){ .arena = ARENA_INIT };
        int r = incident_read(path, gather, &g, &ret->flaws, digest, err);
        if (r == 0 && g.v.n > 0) {
                ret->n = g.v.n;
                ret->v = arena_array(&ret->arena, g.v.n, sizeof(*ret->v));
                memcpy(ret->v, g.v.v, g.v.n * sizeof(*ret->v));
                qsort(ret->v, ret->n, sizeof(*ret->v), by_number);
                if (only > 0)
                        tell_whole(&g, &ret->v[0]);
        }
        map64_done(&g.index);
        vec_done(&g.v);
        vec_done(&g.entries);
        if (r < 0)
                stories_done(ret);
        return r;
}

void stories_done(struct stories *s) { arena_done(&s->arena); }

/* ----------------------------------------------------------------------------------------------------- JSON ---- */

static json_t *entry_json(const struct incident_entry *e)
{
        char time[ALERT_TIME_BYTES];
        json_t *o = doc_object();
        doc_set(o, "time", doc_text(alert_time(e->time_ns, time)));
        doc_set(o, "rule", doc_text(e->rule));
        doc_set(o, "priority", doc_cstr(rule_priority_names[e->priority]));
        doc_set(o, "action", doc_text(e->action));
        doc_set(o, "tags", doc_list(e->tags));
        doc_set(o, "output", doc_text(e->output));
        doc_set(o, "pid", e->n_lineage > 0 ? doc_number(e->lineage[0].pid) : doc_null());
        return o;
}

static json_t *process_json(const struct story *s, const struct story_process *p)
{
        json_t *o = doc_object();
        doc_set(o, "pid", doc_number(p->process->pid));
        doc_set(o, "parent", p->parent == SIZE_MAX ? doc_null() : doc_number(s->processes[p->parent].process->pid));
        doc_set(o, "program", doc_str(p->process->program));
        doc_set(o, "command", doc_str(p->process->command));
        return o;
}

static json_t *technique_json(const struct story_technique *t)
{
        json_t *o = doc_object();
        doc_set(o, "id", doc_cstr(t->technique->id));
        doc_set(o, "name", doc_cstr(t->technique->name));
        doc_set(o, "tactic", t->tactic ? doc_cstr(t->tactic->name) : doc_null());
        return o;
}

json_t *story_json(const struct story *s)
{
        char time[ALERT_TIME_BYTES];
        json_t *o = doc_object(), *entries = doc_array(), *processes = doc_array(), *techniques = doc_array();
        doc_set(o, "incident", doc_number(s->number));
        doc_set(o, "priority", doc_cstr(rule_priority_names[s->priority]));
        doc_set(o, "first", doc_text(alert_time(s->first_ns, time)));
        doc_set(o, "last", doc_text(alert_time(s->last_ns, time)));
        doc_set(o, "container_id", doc_str(s->container_id));
        doc_set(o, "container", doc_str(s->container_name));
        doc_set(o, "image", doc_str(s->image));
        doc_set(o, "alerts", doc_number(s->alerts));
        doc_set(o, "enforced", doc_number(s->enforced));
        for (size_t i = 0; i < s->n_entries; i++)
                doc_add(entries, entry_json(&s->entries[i]));
        for (size_t i = 0; i < s->n_processes; i++)
                doc_add(processes, process_json(s, &s->processes[i]));
        for (size_t i = 0; i < s->n_techniques; i++)
                doc_add(techniques, technique_json(&s->techniques[i]));
        if (s->entries) {
                doc_set(o, "techniques", techniques);
                doc_set(o, "timeline", entries);
                doc_set(o, "processes", processes);
        } else {
                json_decref(techniques);
                json_decref(entries);
                json_decref(processes);
        }
        return o;
}
