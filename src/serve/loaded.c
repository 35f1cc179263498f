/*
 * The part `loaded`: what the processes of each container run, map and have open, as it was seen since the agent
 * watches, in a file for each container that `sekisho scan container:ID` joins with the packages. A process is looked
 * at a second after it began, when its libraries are mapped; all of a container every minute, for what is loaded later.
 */
#include "base/fs.h"
#include "sense/mapped-file.h"
#include "serve/agent-private.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND        INT64_C(1000000000)
#define LOOK_AFTER    SECOND
#define LOOK_EVERY    (60 * SECOND)
#define WAITING_MAX   4096u /* processes that are to be looked at; what finds no room waits for the minute */
#define LOOKS_AT_ONCE 64u   /* processes that are looked at in one tick */

struct loaded_container {
        uint64_t cgroup_id;
        char *id;
        uint32_t pid;
        struct mapped mapped;
        int64_t since, next_look_ns;
        size_t written; /* files that its file has */
        bool is_changed;
};

struct waiting_process {
        uint64_t cgroup_id;
        uint32_t pid;
        int64_t due_ns;
};

struct loaded_part {
        struct agent *a;
        const char *dir;
        VEC(struct loaded_container *) v;
        struct waiting_process waiting[WAITING_MAX]; /* a ring, in order of time */
        size_t first, n_waiting;
        bool has_failed; /* to write: told once */
};

static struct loaded_container *find(const struct loaded_part *l, uint64_t cgroup_id)
{
        for (size_t i = 0; i < l->v.n; i++)
                if (l->v.v[i]->cgroup_id == cgroup_id)
                        return l->v.v[i];
        return NULL;
}

static bool path_of(const struct loaded_part *l, const struct loaded_container *c, char to[static PATH_MAX])
{
        int n = snprintf(to, PATH_MAX, "%s/%s", l->dir, c->id);
        return n > 0 && n < PATH_MAX && !strchr(c->id, '/') && c->id[0] != '.';
}

static void loaded_on_container(void *state, struct container_entry *e)
{
        struct loaded_part *l = state;
        if (find(l, e->cgroup_id) || e->facts.pid == 0 || e->facts.pid > INT32_MAX)
                return;
        struct loaded_container *c = xcalloc(1, sizeof(*c));
        *c = (struct loaded_container){ .cgroup_id = e->cgroup_id,
                                        .id = str_dup(e->id),
                                        .pid = (uint32_t)e->facts.pid,
                                        .since = agent_now_ns(CLOCK_REALTIME) / SECOND,
                                        .next_look_ns = agent_now_ns(CLOCK_MONOTONIC) + LOOK_AFTER };
        mapped_init(&c->mapped);
        *vec_push(&l->v) = c;
}

/* The file goes with the container, or with the agent: nobody goes on watching then. */
static void forget(struct loaded_part *l, size_t i)
{
        struct loaded_container *c = l->v.v[i];
        char path[PATH_MAX];
        if (path_of(l, c, path))
                unlink(path);
        mapped_done(&c->mapped);
        free(c->id);
        free(c);
        l->v.v[i] = l->v.v[--l->v.n];
}

static void loaded_on_container_end(void *state, uint64_t cgroup_id)
{
        struct loaded_part *l = state;
        for (size_t i = 0; i < l->v.n; i++)
                if (l->v.v[i]->cgroup_id == cgroup_id) {
                        forget(l, i);
                        return;
                }
}

static void loaded_on_event(void *state, const struct event_record *r)
{
        struct loaded_part *l = state;
        const struct event *e = r->event;
        struct loaded_container *c = e->kind == OBSERVE_EXEC && r->container ? find(l, r->container->cgroup_id) : NULL;
        if (!c)
                return;
        if (e->exe_path.n > 1 && e->exe_path.p[0] == '/' && e->layer != EXE_LAYER_MOUNT) { /* short-lived ones too */
                size_t before = c->mapped.files.n;
                mapped_add(&c->mapped, &(struct mapped_file){ .path = str_from(e->exe_path, 1),
                                                              .how = MAPPED_RUN,
                                                              .pid = e->head.pid,
                                                              .comm = event_comm(e->exec.comm) });
                c->is_changed = c->is_changed || c->mapped.files.n != before;
        }
        if (l->n_waiting < WAITING_MAX)
                l->waiting[(l->first + l->n_waiting++) % WAITING_MAX] =
                        (struct waiting_process){ c->cgroup_id, e->head.pid,
                                                  agent_now_ns(CLOCK_MONOTONIC) + LOOK_AFTER };
}

static void look_at_processes(struct loaded_part *l, int64_t now)
{
        for (unsigned n = 0; n < LOOKS_AT_ONCE && l->n_waiting && l->waiting[l->first].due_ns <= now; n++) {
                const struct waiting_process *w = &l->waiting[l->first];
                struct loaded_container *c = find(l, w->cgroup_id);
                const struct process *p = process_find(&l->a->processes, w->pid);
                l->first = (l->first + 1) % WAITING_MAX;
                l->n_waiting--;
                if (!c || !p || p->cgroup_id != c->cgroup_id)
                        continue;
                size_t before = c->mapped.files.n;
                (void)mapped_read_process(&c->mapped, "/proc", w->pid);
                c->is_changed = c->is_changed || c->mapped.files.n != before;
        }
}

static void save(struct loaded_part *l, struct loaded_container *c)
{
        char path[PATH_MAX];
        struct error err = ERROR_NONE;
        if (!path_of(l, c, path))
                return;
        c->is_changed = mapped_write(&c->mapped, c->since, path, &err) < 0;
        if (c->is_changed && !l->has_failed)
                agent_tell(l->a, "what containers have loaded is not kept: %s", err.text);
        l->has_failed = l->has_failed || c->is_changed;
}

static void loaded_tick(void *state, int64_t now_ns)
{
        struct loaded_part *l = state;
        bool has_looked = false; /* one container a tick: each is a walk over /proc */
        look_at_processes(l, now_ns);
        for (size_t i = 0; i < l->v.n; i++) {
                struct loaded_container *c = l->v.v[i];
                if (!has_looked && now_ns >= c->next_look_ns) {
                        size_t before = c->mapped.files.n;
                        c->next_look_ns = now_ns + LOOK_EVERY;
                        c->mapped.processes = 0;
                        (void)mapped_read_container(&c->mapped, "/proc", c->pid);
                        c->is_changed = c->is_changed || c->mapped.files.n != before;
                        has_looked = true;
                }
                if (c->is_changed)
                        save(l, c);
        }
}

static void loaded_stop(void *state)
{
        struct loaded_part *l = state;
        while (l->v.n)
                forget(l, l->v.n - 1);
        vec_done(&l->v);
        free(l);
}

static int loaded_start(struct agent *a, void **ret, struct error *err)
{
        const char *dir = a->o->files.loaded;
        if (!dir)
                return 0;
        int r = make_dirs(dir, 0700);
        if (r < 0)
                return error_errno(err, r, "--loaded %s", dir);
        struct loaded_part *l = xcalloc(1, sizeof(*l));
        l->a = a;
        l->dir = dir;
        *ret = l;
        return 0;
}

const struct agent_part part_loaded = {
        .name = "loaded",
        .start = loaded_start,
        .on_event = loaded_on_event,
        .on_container = loaded_on_container,
        .on_container_end = loaded_on_container_end,
        .tick = loaded_tick,
        .stop = loaded_stop,
};
