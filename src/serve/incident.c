/* See incident.h. */
#include "serve/incident.h"

#include "base/arena.h"

#include <stdlib.h>

void incident_table_init(struct incident_table *t, void (*on_end)(void *arg, struct incident *i), void *arg)
{
        *t = (struct incident_table){ .on_end = on_end, .arg = arg };
}

void incident_table_done(struct incident_table *t)
{
        for (size_t i = 0; i < t->n; i++)
                vec_done(&t->open[i].members);
        t->n = 0;
}

static struct str id_of(const struct incident_entry *e) { return str_upto(e->container_id, INCIDENT_ID_BYTES - 1); }

/* ------------------------------------------------------------------------------------------------ belonging ---- */

static bool has_member(const struct incident *i, const struct incident_process *p)
{
        for (size_t k = 0; k < i->members.n; k++)
                if (i->members.v[k].pid == p->pid && i->members.v[k].started_ns == p->started_ns)
                        return true;
        return false;
}

static bool has_session(const struct incident *i, uint32_t session)
{
        size_t n = MIN(i->n_sessions, (size_t)INCIDENT_SESSIONS_MAX);
        for (size_t k = 0; k < n && session > 0; k++)
                if (i->sessions[k] == session)
                        return true;
        return false;
}

static bool belongs(const struct incident *i, const struct incident_entry *e)
{
        if (!str_is(id_of(e), i->container) || e->time_ns - i->last_ns >= INCIDENT_IDLE_NS)
                return false;
        if (i->container[0])
                return true;
        for (size_t k = 0; k < e->n_lineage; k++)
                if (has_member(i, &e->lineage[k]))
                        return true;
        return e->n_lineage > 0 && has_session(i, e->lineage[0].session);
}

static void add_member(struct incident *i, const struct incident_process *p)
{
        struct incident_member *at = i->members.n < INCIDENT_MEMBERS_MAX
                                             ? vec_push(&i->members)
                                             : &i->members.v[i->n_members % INCIDENT_MEMBERS_MAX];
        *at = (struct incident_member){ p->pid, p->started_ns };
        i->n_members++;
}

static void count_in(struct incident *i, const struct incident_entry *e)
{
        i->priority = MIN(i->priority, e->priority);
        i->last_ns = MAX(i->last_ns, e->time_ns);
        i->alerts += e->more ? e->more : 1;
        if (i->container[0] || e->n_lineage == 0)
                return;
        const struct incident_process *p = &e->lineage[0];
        if (!has_member(i, p))
                add_member(i, p);
        if (p->session > 0 && !has_session(i, p->session))
                i->sessions[i->n_sessions++ % INCIDENT_SESSIONS_MAX] = p->session;
}

/* -------------------------------------------------------------------------------------------------- the table ---- */

static size_t quietest(const struct incident_table *t)
{
        size_t found = 0;
        for (size_t i = 1; i < t->n; i++)
                if (t->open[i].last_ns < t->open[found].last_ns)
                        found = i;
        return found;
}

static struct incident *open_one(struct incident_table *t, uint64_t number, const struct incident_entry *e)
{
        size_t at = t->n < INCIDENTS_OPEN_MAX ? t->n++ : quietest(t);
        struct str id = id_of(e);
        struct incident *i = &t->open[at];
        if (i->number)
                t->on_end(t->arg, i); /* the quietest gives way */
        vec_done(&i->members);
        *i = (struct incident){
                .number = number, .priority = e->priority, .first_ns = e->time_ns, .last_ns = e->time_ns
        };
        memcpy(i->container, id.p ? id.p : "", id.n);
        t->last_number = MAX(t->last_number, number);
        return i;
}

struct incident *incident_join(struct incident_table *t, const struct incident_entry *e)
{
        struct incident *found = NULL;
        if (e->n_lineage == 0 && e->container_id.n == 0)
                return NULL;
        for (size_t i = 0; i < t->n; i++)
                if (belongs(&t->open[i], e) && (!found || t->open[i].last_ns > found->last_ns))
                        found = &t->open[i];
        if (!found && e->priority > PRIORITY_WARNING)
                return NULL;
        if (!found)
                found = open_one(t, t->last_number + 1, e);
        count_in(found, e);
        return found;
}

void incident_replay(struct incident_table *t, const struct incident_entry *e)
{
        for (size_t i = 0; i < t->n; i++)
                if (t->open[i].number == e->incident) {
                        count_in(&t->open[i], e);
                        return;
                }
        count_in(open_one(t, e->incident, e), e);
}

void incident_end_idle(struct incident_table *t, int64_t now_ns)
{
        for (size_t i = t->n; i-- > 0;) {
                struct incident *one = &t->open[i];
                if (now_ns - one->last_ns < INCIDENT_IDLE_NS)
                        continue;
                t->on_end(t->arg, one);
                vec_done(&one->members);
                *one = t->open[--t->n];
                t->open[t->n] = (struct incident){ 0 };
        }
}

size_t incident_open_in(const struct incident_table *t, struct str container)
{
        size_t n = 0;
        for (size_t i = 0; i < t->n; i++)
                n += str_is(str_upto(container, INCIDENT_ID_BYTES - 1), t->open[i].container);
        return n;
}
