/*
 * The part that hears of code that is mapped, in lean mode: libraries that containers' processes load, and memory that
 * they make executable, without a tracepoint on system calls (sense/mappings.h). Told as `mmap`, with the protection,
 * the file and its layer, so that the rules about mmap and mprotect hold. It has happened; by which call is not known.
 *
 * What a program that begins consists of is told as that: its first mappings come between the record that says that
 * another program takes the process over, and the sensor's event of it.
 */
#include "serve/agent-private.h"

#include "base/map.h"
#include "sense/mappings.h"
#include "serve/script-layer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define BEGINNINGS_MAX 65536u
#define BEGINNING_NS   UINT64_C(1000000000) /* what is mapped later is no part of how a program begins */
#define TOLD_MAX       65536u
#define DELETED        " (deleted)"
#define MEMFD          "/memfd:"

struct mapped_code {
        struct agent *a;
        struct mappings *mappings;
        uint32_t memory_dev;     /* of what memfd_create(2) makes */
        struct map64 taken_over; /* process -> when another program took it over */
        struct map64 begun;      /* process -> when the sensor told of that */
        struct set64 told;       /* process, file and protection, since the last tick */
        uint64_t lost;
        bool is_nested; /* in the middle of another event */
};

/* ---------------------------------------------------------------------------------------------------- judging ---- */

static bool wants(void *arg, uint32_t pid)
{
        const struct mapped_code *s = arg;
        const struct process *p = process_find(&s->a->processes, pid);
        return !p || container_known(&s->a->containers, p->cgroup_id);
}

static bool is_beginning(const struct mapped_code *s, const struct mapping *m)
{
        const uint64_t *taken = map64_get(&s->taken_over, m->pid), *begun = map64_get(&s->begun, m->pid);
        return taken && *taken <= m->time_ns && m->time_ns - *taken < BEGINNING_NS &&
               !(begun && *begun >= *taken && m->time_ns > *begun);
}

static void put(struct map64 *m, uint64_t pid, uint64_t time_ns)
{
        bool is_new;
        if (m->n >= BEGINNINGS_MAX)
                map64_done(m);
        *map64_put(m, pid, &is_new) = time_ns;
}

static bool is_memfd(const struct mapped_code *s, const struct mapping *m)
{
        return m->dev == s->memory_dev && str_starts(m->path, STR(MEMFD)) && str_ends(m->path, STR(DELETED));
}

/* The file's name and layer. Memory that is no file has neither, nor has what processes share without one. */
static void describe(const struct mapped_code *s, const struct container_entry *c, const struct mapping *m,
                     struct event *e)
{
        struct str path = m->path;
        e->layer = EXE_LAYERS;
        if (path.n == 0 || path.p[0] != '/' || str_starts(path, STR("//")) ||
            (m->dev == s->memory_dev && !is_memfd(s, m)))
                return;
        if (str_ends(path, STR(DELETED)))
                path.n -= strlen(DELETED);
        if (is_memfd(s, m)) {
                e->layer = EXE_LAYER_MEMFD;
                path = str_from(path, 1);
        } else {
                e->layer = (enum exe_layer)script_layer(c, m->pid, path, NULL);
        }
        e->file = path;
        e->call.fd.mode = S_IFREG;
        e->call.fd.ino = m->ino;
        e->call.file_dev = m->dev;
}

static void judge(struct mapped_code *s, const struct process *p, const struct container_entry *c,
                  const struct mapping *m)
{
        struct event e = { .kind = OBSERVE_CALL };
        e.head = (struct observe_head){
                .kind = OBSERVE_CALL, .pid = m->pid, .time_ns = m->time_ns, .started = p->started_ns
        };
        e.call = (struct observe_call){ .head = e.head,
                                        .thread = m->pid,
                                        .call = CALL_mmap,
                                        .flags = OBSERVE_CALL_HOOK | OBSERVE_CALL_CONTAINER_CGROUP,
                                        .result = (int64_t)m->address,
                                        .args = { m->address, 0, m->prot, m->flags, (uint64_t)-1 },
                                        .cgroup_id = p->cgroup_id,
                                        .uid = p->uid,
                                        .euid = p->euid,
                                        .gid = p->gid };
        memcpy(e.call.comm, p->comm, sizeof(e.call.comm));
        e.facts.in_container_cgroup = e.in_container = true;
        describe(s, c, m, &e);
        s->a->counts.events++;
        agent_judge(s->a, &e, p, c);
        if (!s->is_nested)
                arena_done(&s->a->arena);
}

static void on_mapping(void *arg, const struct mapping *m)
{
        struct mapped_code *s = arg;
        struct agent *a = s->a;
        if (m->is_exec) {
                put(&s->taken_over, m->pid, m->time_ns);
                return;
        }
        const struct process *p = process_find(&a->processes, m->pid);
        const struct container_entry *c = p ? container_known(&a->containers, p->cgroup_id) : NULL;
        uint64_t key = hash_str_more(hash_str(m->path), str_span(&m->pid, sizeof(m->pid)));
        key = hash_str_more(key, str_span(&m->prot, sizeof(m->prot)));
        if (c && !sensor_is_full(a->sensor) && !is_beginning(s, m) && set64_add(&s->told, key))
                judge(s, p, c, m);
}

/* ------------------------------------------------------------------------------------------------------- part ---- */

static void read_until(struct mapped_code *s, uint64_t time_ns)
{
        mappings_until(s->mappings, time_ns, wants, on_mapping, s);
        if (s->told.n > TOLD_MAX)
                set64_done(&s->told);
}

/* Programs first: a mapping is judged with its own. */
static void on_ready(void *arg)
{
        struct mapped_code *s = arg;
        uint64_t now_ns = (uint64_t)agent_now_ns(CLOCK_BOOTTIME);
        agent_drain(s->a);
        read_until(s, now_ns);
}

static void on_event(void *state, const struct event_record *r)
{
        struct mapped_code *s = state;
        if (r->event->kind == OBSERVE_EXEC && r->container)
                put(&s->begun, r->event->head.pid, r->event->head.time_ns);
        if (r->event->kind != OBSERVE_EXIT)
                return;
        if (r->container) { /* what it did comes before it is forgotten */
                s->is_nested = true;
                read_until(s, r->event->head.time_ns);
                s->is_nested = false;
        }
        map64_remove(&s->taken_over, r->event->head.pid);
        map64_remove(&s->begun, r->event->head.pid);
}

static void look_for_loss(struct mapped_code *s)
{
        uint64_t lost = mappings_lost(s->mappings) - s->lost;
        if (lost == 0)
                return;
        s->lost += lost;
        agent_emit_loss(s->a, "Mappings lost", "lost.mapped", lost,
                        "the kernel's rings of what is mapped were full: some are lost");
}

static void tick(void *state, int64_t now_ns)
{
        struct mapped_code *s = state;
        on_ready(s); /* a few wake nobody */
        look_for_loss(s);
        set64_done(&s->told);
}

static uint32_t memory_device(void)
{
        struct stat st = { 0 };
        int fd = memfd_create("sekisho", MFD_CLOEXEC);
        if (fd < 0)
                return 0;
        (void)fstat(fd, &st);
        close(fd);
        return major(st.st_dev) << 20 | minor(st.st_dev);
}

/* The agent has no right to begin with it later, when it has other rules. */
static bool is_asked_for(const struct agent *a)
{
        for (size_t i = 0; i < rule_set_n(a->rules.set); i++) {
                const struct rule *rule = rule_set_rule(a->rules.set, i);
                for (size_t k = 0; rule->enabled && !rule->unsupported && k < a->needs[i].n_events; k++)
                        if (strcmp(a->needs[i].events[k], "mmap") == 0 && !a->needs[i].all_events)
                                return true;
        }
        return false;
}

static void stop(void *state)
{
        struct mapped_code *s = state;
        on_ready(s); /* what happened before the signal */
        look_for_loss(s);
        agent_remove_source(s->a, mappings_fd(s->mappings));
        mappings_free(s->mappings);
        map64_done(&s->taken_over);
        map64_done(&s->begun);
        set64_done(&s->told);
        free(s);
}

static int start(struct agent *a, void **ret, struct error *err)
{
        struct mappings *mappings;
        struct error words = ERROR_NONE;
        if (!is_asked_for(a))
                return 0;
        if (mappings_new(&mappings, &words) < 0) {
                agent_tell(a, "code that is mapped is not seen in lean mode: %s", words.text);
                return 0;
        }
        struct mapped_code *s = xcalloc(1, sizeof(*s));
        *s = (struct mapped_code){ .a = a, .mappings = mappings, .memory_dev = memory_device() };
        int r = agent_add_source(a, mappings_fd(mappings), on_ready, s);
        if (r < 0) {
                mappings_free(mappings);
                free(s);
                return error_errno(err, r, "too many sources of events");
        }
        a->hears_mappings = true;
        *ret = s;
        return 0;
}

const struct agent_part part_mapped_code = {
        .name = "mapped-code",
        .start = start,
        .on_event = on_event,
        .tick = tick,
        .stop = stop,
};
