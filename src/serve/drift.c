/*
 * Drift: only what an image contains may run in its containers. The kernel's side decides at each exec (and, where BPF
 * LSM can be had, at each mapping of code); this part gives it each container's policy, when its first program has
 * begun, has the listed files compared with the manifest's digests, and makes alerts of what the kernel tells.
 *
 * What an interpreter or ld.so is given to run is a matter of arguments. Where nothing in the kernel denies it, it is
 * looked for here, after the program has begun: the kill that follows can come too late.
 */
#include "base/fs.h"
#include "sense/script.h"
#include "serve/drift-private.h"
#include "serve/script-layer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH       256u
#define PENDING_MAX 256u
#define PENDING_NS  (INT64_C(1) * 1000000000) /* after which a finding is told without its container's name */

/* ---------------------------------------------------------------------------------------- what the kernel told ---- */

static struct str address_text(const struct guard_event *e, struct arena *arena)
{
        char text[INET6_ADDRSTRLEN];
        bool is_v6 = e->family == AF_INET6;
        if (!e->family || !inet_ntop(e->family, e->address, text, sizeof(text)))
                return STR_NONE;
        return arena_printf(arena, is_v6 ? "[%s]:%u" : "%s:%u", text, e->port);
}

/* The kernel judged by the policy that it had; a container that turned out to be stricter is killed here. */
static void told(struct drift *d, const struct guard_event *e, struct str path)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        const struct drift_container *g = drift_find(d, e->policy_cgroup_id);
        struct finding f = { .act = e->act,
                             .verdict = e->verdict,
                             .answer = e->answer,
                             .mode = g ? g->policy.mode : e->mode,
                             .cgroup_id = e->policy_cgroup_id,
                             .started = e->started,
                             .time_ns = e->time_ns,
                             .ino = e->ino,
                             .pid = e->pid,
                             .uid = e->uid,
                             .path = path,
                             .program = event_comm(e->comm),
                             .address = address_text(e, &arena) };
        if (f.mode == GUARD_OFF && f.verdict != GUARD_FORBIDDEN)
                return;
        f.is_late = f.answer == GUARD_TOLD && f.mode == GUARD_ENFORCE;
        if (f.is_late)
                f.answer = drift_kill(f.pid, f.started, &d->agent->processes);
        d->agent->counts.killed += f.answer == GUARD_KILLED;
        drift_report(d, &f, container_known(&d->agent->containers, e->policy_cgroup_id), g);
}

static void tell_pending(struct drift *d, uint64_t cgroup_id, int64_t before_ns)
{
        size_t kept = 0;
        for (size_t i = 0; i < d->pending.n; i++) {
                struct drift_pending p = d->pending.v[i];
                if (p.event.policy_cgroup_id != cgroup_id && p.since_ns >= before_ns) {
                        d->pending.v[kept++] = p;
                        continue;
                }
                told(d, &p.event, p.path);
                free((char *)p.path.p);
        }
        d->pending.n = kept;
}

static void on_finding(void *arg, struct str record)
{
        struct drift *d = arg;
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct guard_event e;
        if (record.n < sizeof(e)) {
                d->agent->counts.malformed++;
                return;
        }
        memcpy(&e, record.p, sizeof(e));
        struct str names = str_from(record, sizeof(e));
        if (e.act >= GUARD_ACTS || e.verdict >= GUARD_VERDICTS || e.answer > GUARD_DENIED || e.mode > GUARD_ENFORCE ||
            e.text_size != names.n) {
                d->agent->counts.malformed++;
                return;
        }
        struct str path = names.n ? event_path(names, e.is_cut, &arena) : STR_NONE;
        if (e.verdict == GUARD_MEMFD)
                path = str_from(path, 1);
        if (drift_find(d, e.policy_cgroup_id) || d->pending.n == PENDING_MAX)
                told(d, &e, path);
        else
                *vec_push(&d->pending) = (struct drift_pending){ .event = e,
                                                                 .path = str_of(str_dup(path)),
                                                                 .since_ns = agent_now_ns(CLOCK_MONOTONIC) };
}

static void ready(void *arg)
{
        struct drift *d = arg;
        while (barrier_read(d->barrier, BATCH, on_finding, d) == BATCH)
                ;
}

/* -------------------------------------------------------------------------------------------- what is seen here ----
 */

struct finding drift_finding_of(const struct drift_container *g, const struct event *e, enum guard_act act,
                                enum guard_verdict verdict, struct str path)
{
        return (struct finding){ .act = act,
                                 .verdict = verdict,
                                 .answer = GUARD_TOLD,
                                 .mode = g->policy.mode,
                                 .cgroup_id = g->cgroup_id,
                                 .started = e->head.started,
                                 .time_ns = e->head.time_ns,
                                 .ino = e->exec.exe_ino,
                                 .pid = e->head.pid,
                                 .uid = e->exec.uid,
                                 .path = path,
                                 .program = event_comm(e->exec.comm) };
}

void drift_act_on(struct drift *d, struct finding *f, const struct container_entry *c, const struct drift_container *g)
{
        f->is_late = f->mode == GUARD_ENFORCE;
        if (f->is_late)
                f->answer = drift_kill(f->pid, f->started, &d->agent->processes);
        d->agent->counts.killed += f->answer == GUARD_KILLED;
        drift_report(d, f, c, g);
}

static enum guard_verdict verdict_of_layer(int layer)
{
        static const enum guard_verdict verdicts[] = {
                [EXE_LAYER_LOWER] = GUARD_FINE,  [EXE_LAYER_UPPER] = GUARD_DROPPED, [EXE_LAYER_MEMFD] = GUARD_MEMFD,
                [EXE_LAYER_TMPFS] = GUARD_TMPFS, [EXE_LAYER_ROOT] = GUARD_FINE,     [EXE_LAYER_MOUNT] = GUARD_MOUNTED,
                [EXE_LAYERS] = GUARD_FINE
        };
        return verdicts[layer];
}

/* The kernel knows a script by the name that it was given: not if that is a link. */
static bool is_link(uint32_t pid, struct str path)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        char root[64];
        struct stat st;
        snprintf(root, sizeof(root), "/proc/%u/root/", pid);
        _cleanup_(closep) int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closep) int fd = dir < 0 ? -1 : open_in_root(dir, arena_cstr(&arena, path), O_PATH | O_NOFOLLOW);
        return fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
}

/* A program of the image that was given something that is not: sh x, python3 x, ld.so x, #! of x. */
static void check_script(struct drift *d, const struct drift_container *g, const struct event_record *r)
{
        const struct event *e = r->event;
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        bool is_hashbang = e->exec.flags & OBSERVE_SCRIPT;
        struct str given = is_hashbang ? e->filename : script_of(e->exe_path, e->args);
        if (given.n == 0)
                return;
        struct str path = script_absolute(given, e->cwd, &arena);
        if (barrier_can_deny(d->barrier, GUARD_SCRIPT) && !is_link(e->head.pid, path))
                return;
        enum guard_verdict verdict = verdict_of_layer(script_layer(r->container, e->head.pid, path, NULL));
        if (verdict == GUARD_FINE)
                return;
        struct finding f = drift_finding_of(g, e, GUARD_SCRIPT, verdict, path);
        f.ino = 0;
        drift_act_on(d, &f, r->container, g);
}

/*
 * The first program ran before the kernel had a policy, or by that of an unknown container. The kernel tells of the
 * second kind itself.
 */
static void check_first(struct drift *d, const struct drift_container *g, const struct event_record *r)
{
        const struct event *e = r->event;
        struct guard_file same = { 0 };
        struct guard_policy by_layers = g->policy;
        if (d->unknown_mode != GUARD_OFF && g->has_layers)
                return;
        by_layers.image = 0;
        enum guard_verdict verdict = guard_judge(&e->facts, e->exec.exe_dev, &by_layers, NULL, &same);
        if (verdict == GUARD_FINE)
                return;
        struct finding f = drift_finding_of(g, e, GUARD_EXEC, verdict, e->exe_path);
        drift_act_on(d, &f, r->container, g);
}

/* Processes in namespaces of their own that are no container's: a sandbox of the host. The kernel shall let it be. */
static void let_be(struct drift *d, uint64_t cgroup_id)
{
        struct guard_policy p;
        if (barrier_policy(d->barrier, cgroup_id, &p) == 0 && p.flags & GUARD_NEW) {
                p.mode = GUARD_OFF;
                p.flags = 0;
                (void)barrier_set_policy(d->barrier, cgroup_id, &p);
        }
}

static void on_event(void *state, const struct event_record *r)
{
        struct drift *d = state;
        const struct event *e = r->event;
        if (e->kind != OBSERVE_EXEC || !e->facts.in_other_mounts)
                return;
        if (!r->container) {
                let_be(d, e->exec.cgroup_id);
                return;
        }
        struct drift_container *g = drift_find(d, e->exec.cgroup_id);
        bool is_first = !g;
        if (is_first)
                g = drift_guard(d, r->container, e->exec.cgroup_id, e->head.pid, e);
        if (g->policy.mode != GUARD_OFF) {
                if (is_first)
                        check_first(d, g, r);
                drift_began(d, g, e, is_first);
                check_script(d, g, r);
        }
        tell_pending(d, e->exec.cgroup_id, INT64_MIN);
}

static void on_container_end(void *state, uint64_t cgroup_id) { drift_unguard(state, cgroup_id); }

static void on_reload(void *state) { drift_manifests_reload(state); }

/* ------------------------------------------------------------------------------------------------------- ticks ---- */

/* Containers that ran before us, and have not begun a program since: by their first process, if the runtime says it. */
static void guard_old(void *arg, struct container_entry *c)
{
        struct drift *d = arg;
        struct container_entry copy; /* the table's own entry learns its mounts from its next program */
        if (c->facts.pid == 0 || c->facts.pid > UINT32_MAX || drift_find(d, c->cgroup_id))
                return;
        const struct process *p = process_find(&d->agent->processes, (uint32_t)c->facts.pid);
        if (!p || p->cgroup_id != c->cgroup_id || !drift_with_mounts(c, (uint32_t)c->facts.pid, &copy))
                return;
        (void)drift_guard(d, &copy, c->cgroup_id, (uint32_t)c->facts.pid, NULL);
        arena_done(&copy.arena);
}

static void tick(void *state, int64_t now_ns)
{
        struct drift *d = state;
        uint64_t unheard = barrier_unheard(d->barrier);
        container_each(&d->agent->containers, guard_old, d);
        drift_looks_tick(d);
        drift_manifests_forget(d);
        if (d->n_unchecked > 0)
                agent_tell(d->agent,
                           "%llu programs began while more than %u waited to be judged: they were not compared with "
                           "their manifest",
                           (unsigned long long)d->n_unchecked, DRIFT_BEGAN_MAX);
        d->n_unchecked = 0;
        tell_pending(d, 0, now_ns - PENDING_NS);
        drift_report_held(d, false);
        if (unheard != d->unheard)
                agent_tell(d->agent, "%llu findings of drift could not be told for want of room; they were acted on",
                           (unsigned long long)(unheard - d->unheard));
        d->unheard = unheard;
}

/* ------------------------------------------------------------------------------------------------------- start ---- */

static uint64_t letters(const char *s)
{
        uint64_t bits = 0;
        for (; *s; s++)
                bits |= script_letter(*s);
        return bits;
}

static void add_interpreter(void *arg, struct str name, const struct script_letters *l)
{
        struct guard_interpreter in = { .no_file = letters(l->no_file),
                                        .takes = letters(l->takes),
                                        .attached = letters(l->attached),
                                        .file = letters(l->file),
                                        .is_shell = l->is_shell };
        (void)barrier_set_interpreter(arg, name, &in);
}

static void stop(void *state)
{
        struct drift *d = state;
        ready(d);
        tell_pending(d, 0, INT64_MAX);
        drift_report_held(d, true);
        for (size_t i = 0; i < DRIFT_BUCKETS; i++)
                while (d->containers[i])
                        drift_unguard(d, d->containers[i]->cgroup_id);
        drift_looks_done(d);
        drift_began_done(d);
        barrier_close(d->barrier);
        limiter_done(&d->limiter);
        vec_done(&d->pending);
        drift_manifests_done(d);
        free(d);
}

static int prepare(struct drift *d, struct error *err)
{
        int r = drift_options_check(d->o, err);
        if (r == 0)
                r = drift_manifests_read(d, err);
        if (r == 0)
                r = barrier_open(&d->barrier, err);
        if (r < 0)
                return r;
        script_interpreters(add_interpreter, d->barrier);
        (void)barrier_set_interpreter(d->barrier, STR("busybox"), &(struct guard_interpreter){ .is_by_title = 1 });
        d->unknown_mode = drift_mode_of_unknown(d->o);
        r = barrier_set_unknown(d->barrier, d->unknown_mode);
        if (r == 0)
                r = agent_add_source(d->agent, barrier_fd(d->barrier), ready, d);
        return r < 0 ? error_errno(err, r, "drift cannot be watched") : 0;
}

static int start(struct agent *a, void **ret, struct error *err)
{
        *ret = NULL;
        if (!drift_is_asked_for(&a->o->drift))
                return 0;
        struct drift *d = xcalloc(1, sizeof(*d));
        d->agent = a;
        d->o = &a->o->drift;
        drift_looks_init(d);
        int r = prepare(d, err);
        if (r < 0) {
                barrier_close(d->barrier);
                limiter_done(&d->limiter);
                drift_manifests_done(d);
                free(d);
                return r;
        }
        bool can_deny = barrier_can_deny(d->barrier, GUARD_EXEC);
        agent_tell(a, "drift: %zu manifests; %s", d->n_manifests,
                   can_deny
                           ? "what may not run is denied (BPF LSM)"
                           : "what may not run is killed at exec; no BPF LSM here: libraries are not seen, scripts are "
                             "killed after they began");
        if (!can_deny && (d->o->n_forbidden || d->o->n_append_only))
                agent_tell(a, "--forbid and --append-only need BPF LSM: nothing of it is in force");
        *ret = d;
        return 0;
}

static const char *protects(void *state, const struct container_entry *c)
{
        static const char *const words[] = { [GUARD_ALERT] = "drift (alert)", [GUARD_ENFORCE] = "drift" };
        const struct drift_container *guarded = drift_find(state, c->cgroup_id);
        return guarded && guarded->policy.mode < ARRAY_SIZE(words) ? words[guarded->policy.mode] : NULL;
}

const struct agent_part part_drift = {
        .name = "drift",
        .start = start,
        .on_event = on_event,
        .protects = protects,
        .on_container_end = on_container_end,
        .on_reload = on_reload,
        .tick = tick,
        .stop = stop,
};
