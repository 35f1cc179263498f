/*
 * Programs that began before they could be judged: while the files of their container's list were looked for, or before
 * the content of their own file had been compared. They run meanwhile (by the container's layers, as without a
 * manifest), and are judged as soon as it can be told; who may not run is killed then, if he still runs, and told of.
 */
#include "serve/drift-private.h"

#include <stdlib.h>

static void add(struct drift *d, const struct drift_container *g, const struct event *e, struct drift_list *l,
                size_t file)
{
        if (d->began.n == DRIFT_BEGAN_MAX) {
                d->n_unchecked++;
                return;
        }
        struct drift_began *b = vec_push(&d->began);
        *b = (struct drift_began){ .cgroup_id = g->cgroup_id,
                                   .list = l,
                                   .file = file,
                                   .facts = e->facts,
                                   .dev = e->exec.exe_dev,
                                   .f = drift_finding_of(g, e, GUARD_EXEC, GUARD_FINE, STR_NONE) };
        memcpy(b->comm, e->exec.comm, sizeof(b->comm));
        b->f.program = STR_NONE; /* the vector moves: it is taken from comm when it is told */
        b->f.path = str_of(str_dup(e->exe_path));
}

static void drop(struct drift *d, size_t i)
{
        free((char *)d->began.v[i].f.path.p);
        d->began.n--;
        memmove(d->began.v + i, d->began.v + i + 1, (d->began.n - i) * sizeof(*d->began.v));
}

void drift_began(struct drift *d, const struct drift_container *g, const struct event *e, bool is_first)
{
        if (!g->list && !g->wanted)
                return;
        if (!g->list || is_first) {
                add(d, g, e, NULL, 0);
                drift_judge_began(d, g);
                drift_look(d);
                return;
        }
        size_t i = drift_list_by_ino(g->list, e->exec.exe_ino);
        if (i == SIZE_MAX || e->layer == EXE_LAYER_UPPER || g->list->files[i].state != DRIFT_UNVERIFIED)
                return;
        add(d, g, e, g->list, i);
        drift_look(d);
}

static void act(struct drift *d, struct drift_began *b, enum guard_verdict verdict, const struct drift_container *g)
{
        b->f.program = event_comm(b->comm);
        b->f.verdict = verdict;
        b->f.mode = g->policy.mode;
        drift_act_on(d, &b->f, container_known(&d->agent->containers, g->cgroup_id), g);
}

/* What the list says of it beyond what the layers said, which the kernel has told already. */
static enum guard_verdict judge(const struct drift_container *g, struct drift_began *b)
{
        struct guard_file same = { 0 };
        struct guard_policy by_layers = g->policy;
        by_layers.image = 0;
        b->file = SIZE_MAX;
        if (guard_judge(&b->facts, b->dev, &by_layers, NULL, &same) != GUARD_FINE)
                return GUARD_FINE;
        b->file = drift_list_by_ino(g->list, b->f.ino);
        if (b->file != SIZE_MAX && g->list->files[b->file].state == DRIFT_DIFFERENT)
                return GUARD_CHANGED;
        return guard_judge(&b->facts, b->dev, &g->policy, b->file == SIZE_MAX ? NULL : &same, &same);
}

void drift_judge_began(struct drift *d, const struct drift_container *g)
{
        for (size_t i = 0; g->list && i < d->began.n;) {
                struct drift_began *b = &d->began.v[i];
                if (b->cgroup_id != g->cgroup_id || b->list == g->list) {
                        i++;
                        continue;
                }
                enum guard_verdict verdict = judge(g, b);
                if (verdict != GUARD_FINE)
                        act(d, b, verdict, g);
                if (verdict == GUARD_FINE && b->file != SIZE_MAX && g->list->files[b->file].state == DRIFT_UNVERIFIED) {
                        b->list = g->list;
                        i++;
                } else {
                        drop(d, i);
                }
        }
}

void drift_compared(struct drift *d, struct drift_list *l, size_t file, enum drift_state state)
{
        const struct manifest_file *m = &l->manifest->files[file];
        if (state == DRIFT_DIFFERENT) {
                (void)barrier_strike(d->barrier, l->image, l->files[file].ino);
                agent_tell(d->agent, "%.*s: /%.*s is not what the scan saw: it may not run any more",
                           STR_FMT(l->manifest->name), STR_FMT(m->path));
        }
        for (size_t i = 0; i < d->began.n;) {
                struct drift_began *b = &d->began.v[i];
                const struct drift_container *g = drift_find(d, b->cgroup_id);
                if (b->list != l || b->file != file) {
                        i++;
                        continue;
                }
                if (state == DRIFT_DIFFERENT && g)
                        act(d, b, GUARD_CHANGED, g);
                drop(d, i);
        }
}

void drift_forget_began(struct drift *d, uint64_t cgroup_id)
{
        for (size_t i = d->began.n; i-- > 0;)
                if (d->began.v[i].cgroup_id == cgroup_id)
                        drop(d, i);
}

void drift_began_done(struct drift *d)
{
        while (d->began.n)
                drop(d, d->began.n - 1);
        vec_done(&d->began);
}
