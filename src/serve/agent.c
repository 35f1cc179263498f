/* See agent.h. */
#include "base/fs.h"
#include "sense/container-root.h"
#include "serve/agent-private.h"
#include "serve/rights.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BATCH          2048u       /* records between two looks at signals */
#define FORGET_SECONDS 30          /* between two looks for containers that ended */
#define MMAP_BYTES     (128 << 10) /* what is larger goes back to the kernel when it is freed; glibc would learn not to */
#define MOUNTINFO_MAX  ((size_t)1 << 20)
#define SECOND_NS      INT64_C(1000000000)
#define TELL_BYTES     1024

int64_t agent_now_ns(clockid_t clock)
{
        struct timespec t;
        clock_gettime(clock, &t);
        return t.tv_sec * SECOND_NS + t.tv_nsec;
}

void agent_tell(struct agent *a, const char *fmt, ...)
{
        char text[TELL_BYTES];
        va_list args;
        va_start(args, fmt);
        vsnprintf(text, sizeof(text), fmt, args);
        va_end(args);
        a->o->tell(a->o->arg, text);
}

/* ------------------------------------------------------------------------------------------------ containers ---- */

static bool look_up(void *arg, struct str id, struct arena *arena, struct container_facts *ret)
{
        struct agent *a = arg;
        struct container c;
        if (container_ask_id(&a->documents, "", id, arena, &c) < 0)
                return false;
        *ret = (struct container_facts){ .name = c.name,
                                         .image = c.image,
                                         .image_id = c.image_id,
                                         .engine = c.engine,
                                         .pid = c.pid,
                                         .labels = c.labels,
                                         .settings = c.settings };
        return true;
}

static void mark(void *arg, uint64_t cgroup_id, bool is_container)
{
        struct agent *a = arg;
        (void)sensor_mark_container(a->sensor, cgroup_id, is_container);
        const struct container_entry *c = is_container ? NULL : container_known(&a->containers, cgroup_id);
        if (c)
                stats_forget(&a->stats, c->id);
        if (!is_container)
                users_forget(&a->users, cgroup_id);
        for (size_t i = 0; !is_container && agent_parts[i]; i++)
                if (a->part_states[i] && agent_parts[i]->on_container_end)
                        agent_parts[i]->on_container_end(a->part_states[i], cgroup_id);
}

/* Where the v2 hierarchy is mounted: /sys/fs/cgroup, or beside the old ones. */
static struct str find_cgroup_mount(struct arena *arena)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(MOUNTINFO_MAX);
        if (read_file("/proc/self/mounts", &b, NULL) < 0)
                return STR("/sys/fs/cgroup");
        for (struct str rest = buf_str(&b); rest.n;) {
                struct str line = str_line(&rest);
                str_cut(&line, ' ');
                struct str point = str_cut(&line, ' ');
                if (str_is(str_cut(&line, ' '), "cgroup2"))
                        return arena_str(arena, point);
        }
        return STR("/sys/fs/cgroup");
}

static void on_cgroup(void *arg, uint64_t id, struct str path)
{
        struct agent *a = arg;
        (void)container_of_cgroup(&a->containers, id, path, CONTAINER_UNLIKELY);
}

/* All that runs, and the containers that it runs in. */
size_t agent_fill_processes(struct agent *a)
{
        struct process_source from = {
                .proc = "/proc", .cgroups = a->cgroup_mount.p, .on_cgroup = on_cgroup, .arg = a
        };
        return process_fill(&a->processes, &from);
}

/* Its first program has begun, and its files and mounts have been read. */
static void tell_of_container(struct agent *a, struct container_entry *c)
{
        for (size_t i = 0; agent_parts[i]; i++)
                if (a->part_states[i] && agent_parts[i]->on_container)
                        agent_parts[i]->on_container(a->part_states[i], c);
}

static void meet_container(struct agent *a, struct container_entry *c, uint32_t pid)
{
        char path[64];
        _cleanup_(buf_done) struct buf b = BUF_INIT(MOUNTINFO_MAX);
        snprintf(path, sizeof(path), "/proc/%u/mountinfo", pid);
        if (read_file(path, &b, NULL) == 0)
                container_parse_mounts(c, buf_str(&b));
        if (!container_root(c, pid, &c->arena, &c->root))
                c->root = STR_NONE;
        tell_of_container(a, c);
}

static struct container_entry *find_container(struct agent *a, const struct event *e)
{
        bool mounts = e->facts.in_other_mounts, pids = e->facts.in_other_pids;
        enum container_hint hint = mounts && pids   ? CONTAINER_SURE
                                   : mounts || pids ? CONTAINER_LIKELY
                                                    : CONTAINER_UNLIKELY;
        struct container_entry *c = container_of_cgroup(&a->containers, e->exec.cgroup_id, e->cgroup, hint);
        if (c && c->facts.pid == 0 && mounts && pids && e->exec.vpid == 1) /* its files could not be read in time */
                c->facts.pid = e->head.pid;
        if (c && !c->has_mounts && mounts)
                meet_container(a, c, e->head.pid);
        return c;
}

/* A container that ran before we did is met through any process that has its mounts. */
static void meet_by_process(void *arg, const struct process *p)
{
        struct agent *a = arg;
        struct container_entry *c = container_known(&a->containers, p->cgroup_id);
        char path[64];
        struct stat own, its;
        snprintf(path, sizeof(path), "/proc/%u/ns/mnt", p->pid);
        if (c && !c->has_mounts && stat(path, &its) == 0 && stat("/proc/self/ns/mnt", &own) == 0 &&
            its.st_ino != own.st_ino)
                meet_container(a, c, p->pid);
}

/* ---------------------------------------------------------------------------------------------------- events ---- */

static void on_record(void *arg, struct str bytes)
{
        struct agent *a = arg;
        struct event e;
        if (!event_decode(bytes, &a->arena, &e)) {
                a->counts.malformed++;
                arena_done(&a->arena);
                return;
        }
        if (limiter_is_full(&a->limiter)) {
                agent_tell_held(a, true);
                limiter_clear(&a->limiter);
        }
        a->counts.events++;
        const struct container_entry *c = NULL;
        const struct process *p;
        if (e.kind == OBSERVE_EXIT) { /* judged while it is still known */
                p = process_find(&a->processes, e.head.pid);
                c = p ? container_known(&a->containers, p->cgroup_id) : NULL;
                agent_judge(a, &e, p, c);
                process_apply(&a->processes, &e);
        } else if (e.kind == OBSERVE_CALL) {
                p = process_apply(&a->processes, &e);
                agent_judge(a, &e, p, container_known(&a->containers, e.call.cgroup_id));
        } else {
                if (e.kind == OBSERVE_EXEC) {
                        c = find_container(a, &e);
                        a->counts.killed += !!(e.exec.flags & OBSERVE_KILLED);
                } else {
                        c = container_known(&a->containers, e.fork.cgroup_id);
                }
                p = process_apply(&a->processes, &e);
                agent_judge(a, &e, p, c);
        }
        arena_done(&a->arena);
}

void agent_drain(struct agent *a) { (void)sensor_read(a->sensor, BATCH, on_record, a); }

/* ------------------------------------------------------------------------------------------------------ loss ---- */

/* Something was lost: say so, and learn from /proc what there is now. */
static void look_for_loss(struct agent *a)
{
        static const char *const names[] = { "lost.exec", "lost.fork", "lost.exit" };
        struct alert_field extras[ARRAY_SIZE(names)];
        uint64_t drops[OBSERVE_KINDS], lost[ARRAY_SIZE(names)], sum = 0;
        sensor_drops(a->sensor, drops);
        a->counts.lost[OBSERVE_CALL] = drops[OBSERVE_CALL];
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                lost[i] = drops[i] - a->counts.lost[i];
                a->counts.lost[i] = drops[i];
                extras[i] = (struct alert_field){ names[i], value_number((int64_t)lost[i]) };
                sum += lost[i];
        }
        if (sum == 0)
                return;
        size_t n = agent_fill_processes(a);
        struct str words = arena_printf(&a->arena,
                                        "the ring was full: %llu exec, %llu fork and %llu exit events were "
                                        "lost; the process table was read anew (%zu processes)",
                                        (unsigned long long)lost[OBSERVE_EXEC], (unsigned long long)lost[OBSERVE_FORK],
                                        (unsigned long long)lost[OBSERVE_EXIT], n);
        agent_emit(a, &(struct alert){ .rule_name = "Events lost",
                                       .priority = PRIORITY_WARNING,
                                       .source = "internal",
                                       .output = words,
                                       .extras = extras,
                                       .n_extras = ARRAY_SIZE(extras) });
        arena_done(&a->arena);
}

/* ------------------------------------------------------------------------------------------------------ loop ---- */

static void take_signals(struct agent *a, int fd)
{
        struct signalfd_siginfo s;
        while (read(fd, &s, sizeof(s)) == sizeof(s)) {
                struct error err = ERROR_NONE;
                if (s.ssi_signo == SIGHUP)
                        agent_reload(a);
                else if (s.ssi_signo != SIGUSR1 && s.ssi_signo != SIGUSR2)
                        a->is_stopping = true;
                else if (agent_set_mode(a, s.ssi_signo == SIGUSR1, &err) < 0)
                        agent_tell(a, "the mode stays as it was: %s", err.text);
        }
}

int agent_add_source(struct agent *a, int fd, void (*ready)(void *arg), void *arg)
{
        if (a->n_sources == AGENT_SOURCES_MAX)
                return -E2BIG;
        a->sources[a->n_sources++] = (struct agent_source){ fd, POLLIN, ready, arg };
        return 0;
}

void agent_watch_source(struct agent *a, int fd, bool is_for_writing)
{
        for (size_t i = 0; i < a->n_sources; i++)
                if (a->sources[i].fd == fd)
                        a->sources[i].events = is_for_writing ? POLLIN | POLLOUT : POLLIN;
}

void agent_remove_source(struct agent *a, int fd)
{
        for (size_t i = 0; i < a->n_sources; i++)
                if (a->sources[i].fd == fd) {
                        a->sources[i] = a->sources[--a->n_sources];
                        return;
                }
}

/* Is it still there? One whose owner was freed meanwhile must not be called. */
static bool has_source(const struct agent *a, const struct agent_source *wanted)
{
        for (size_t i = 0; i < a->n_sources; i++)
                if (a->sources[i].fd == wanted->fd && a->sources[i].arg == wanted->arg)
                        return true;
        return false;
}

/* Waits for the ring, signals and the parts' descriptors; calls those parts. True if there are signals. */
static bool wait_for_anything(struct agent *a, int signal_fd)
{
        struct pollfd fds[2 + AGENT_SOURCES_MAX] = { { .fd = sensor_fd(a->sensor), .events = POLLIN },
                                                     { .fd = signal_fd, .events = POLLIN } };
        struct agent_source sources[AGENT_SOURCES_MAX]; /* what one of them does may take another away, or bring more */
        size_t n = a->n_sources;
        memcpy(sources, a->sources, n * sizeof(*sources));
        for (size_t i = 0; i < n; i++)
                fds[2 + i] = (struct pollfd){ .fd = sources[i].fd, .events = sources[i].events };
        int ready = poll(fds, 2 + n, AGENT_TICK_MS);
        a->boot_ns = agent_now_ns(CLOCK_REALTIME) - agent_now_ns(CLOCK_BOOTTIME);
        if (ready <= 0)
                return false;
        for (size_t i = 0; i < n; i++)
                if (fds[2 + i].revents && has_source(a, &sources[i]))
                        sources[i].ready(sources[i].arg);
        return fds[1].revents;
}

static void tick_parts(struct agent *a, int64_t now)
{
        for (size_t i = 0; agent_parts[i]; i++)
                if (a->part_states[i] && agent_parts[i]->tick)
                        agent_parts[i]->tick(a->part_states[i], now);
}

/* What nobody has needed for a while is given back: after a burst the agent is as small as before it. */
static void rest(struct agent *a, int64_t now)
{
        limiter_rest(&a->limiter, now);
        bursts_rest(&a->bursts, (uint64_t)agent_now_ns(CLOCK_BOOTTIME));
        document_servant_end(&a->documents); /* it keeps copies of what the agent had when it was forked */
        malloc_trim(0);
}

static void loop(struct agent *a, int signal_fd)
{
        int64_t next_look = 0;
        a->boot_ns = agent_now_ns(CLOCK_REALTIME) - agent_now_ns(CLOCK_BOOTTIME);
        while (!a->is_stopping) {
                bool has_signals = wait_for_anything(a, signal_fd);
                int64_t now = agent_now_ns(CLOCK_MONOTONIC);
                (void)sensor_read(a->sensor, BATCH, on_record, a);
                if (has_signals)
                        take_signals(a, signal_fd);
                if (now >= next_look) {
                        next_look = now + AGENT_TICK_MS * (SECOND_NS / 1000);
                        look_for_loss(a);
                        container_look_again(&a->containers);
                        agent_tell_held(a, false);
                        stats_look(&a->stats, now);
                        agent_reload_look(a);
                        tick_parts(a, now);
                }
                if (now >= a->next_forget_ns) {
                        a->next_forget_ns = now + FORGET_SECONDS * SECOND_NS;
                        container_forget_gone(&a->containers, a->cgroup_mount.p);
                        rest(a, now);
                }
        }
        while (sensor_read(a->sensor, BATCH, on_record, a) == BATCH) /* what happened before the signal */
                ;
        look_for_loss(a);
        agent_tell_held(a, true);
}

/* The signals that the loop reads are blocked for everybody that it starts too; workers die by SIGKILL alone. */
static int watch_signals(struct error *err)
{
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGHUP);
        sigaddset(&set, SIGUSR1);
        sigaddset(&set, SIGUSR2);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        sigprocmask(SIG_BLOCK, &set, NULL);
        int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
        return fd < 0 ? error_errno(err, -errno, "signals cannot be watched") : fd;
}

static int start_parts(struct agent *a, bool early, struct error *err)
{
        for (size_t i = 0; agent_parts[i]; i++) {
                if (agent_parts[i]->is_early != early)
                        continue;
                int r = agent_parts[i]->start(a, &a->part_states[i], err);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The last one first: a part may stand on those before it. */
static void stop_parts(struct agent *a)
{
        size_t n = 0;
        while (agent_parts[n])
                n++;
        while (n-- > 0) {
                if (a->part_states[n] && agent_parts[n]->stop)
                        agent_parts[n]->stop(a->part_states[n]);
                a->part_states[n] = NULL; /* what is taken apart after it has nobody to tell */
        }
}

static int open_sensor(struct agent *a, struct error *err)
{
        bool is_taken_over = false;
        if (!a->o->keep)
                return sensor_open(a->o->ring_bytes, &a->sensor, err);
        int r = sensor_open_kept(a->o->ring_bytes, a->o->keep, &a->sensor, &is_taken_over, err);
        if (r == 0 && is_taken_over)
                agent_tell(a, "taken over from %s: what happened meanwhile comes first", a->o->keep);
        return r;
}

static int settle(struct agent *a, struct error *err)
{
        int r = rights_settle(a->o, err);
        if (r == RIGHTS_UNFILTERED)
                agent_tell(a, "goes on without a filter of its own system calls: %s", err->text);
        return MIN(r, 0);
}

static int start(struct agent *a, struct error *err)
{
        mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
        stats_init(&a->stats);
        process_table_init(&a->processes); /* before the rules, which say what it keeps */
        int r = rights_begin(a->o, err);
        if (r == 0)
                r = alert_open(&a->sink, err);
        if (r == 0)
                r = document_servant_start(&a->documents, err); /* while there is nothing of the sensor to inherit */
        if (r == 0)
                r = start_parts(a, true, err);
        if (r == 0)
                r = agent_load_rules(a, err);
        if (r == 0)
                r = open_sensor(a, err);
        if (r == 0)
                r = agent_apply_rules(a, err);
        if (r != 0)
                return r;
        container_table_init(&a->containers);
        a->containers.lookup = look_up;
        a->containers.lookup_arg = a;
        a->containers.mark = mark;
        a->containers.mark_arg = a;
        a->cgroup_mount = find_cgroup_mount(&a->kept);
        r = start_parts(a, false, err);
        if (r >= 0)
                r = settle(a, err);
        if (r < 0)
                return r;
        size_t n = agent_fill_processes(a);
        process_each(&a->processes, meet_by_process, a);
        if (!sensor_sees_host())
                agent_tell(
                        a,
                        "this is not the host's process namespace: ancestry, users and containers of programs will be "
                        "missing; start "
                        "it with the host's process ids (--pid=host)");
        agent_tell(a, "watching: %zu rules, %zu of them kill; %zu processes run already; %s mode",
                   rule_set_n(a->rules.set), a->rules.n_kill, n, sensor_is_full(a->sensor) ? "full" : "lean");
        return 0;
}

int agent_run(const struct agent_options *o, struct agent_counts *ret, struct error *err)
{
        struct agent a = { .o = o,
                           .started_ns = agent_now_ns(CLOCK_MONOTONIC),
                           .sink = { .path = o->alerts, .fd = -1, .stream = o->stream, .is_json = o->is_json } };
        if (gethostname(a.hostname, sizeof(a.hostname) - 1) < 0)
                a.hostname[0] = '\0';
        _cleanup_(closep) int signal_fd = watch_signals(err);
        int r = signal_fd < 0 ? signal_fd : start(&a, err);
        if (r == 0)
                loop(&a, signal_fd);
        agent_reload_end(&a);
        stop_parts(&a);
        if (a.containers.buckets)
                container_table_done(&a.containers);
        process_table_done(&a.processes);
        document_servant_end(&a.documents);
        users_done(&a.users);
        bursts_done(&a.bursts);
        sensor_close(a.sensor);
        agent_rules_done(&a.rules);
        respond_modes_done(&a.modes);
        limiter_done(&a.limiter);
        stats_done(&a.stats);
        a.counts.unwritten = a.sink.failed;
        alert_close(&a.sink);
        arena_done(&a.arena);
        arena_done(&a.kept);
        arena_done(&a.needs_arena);
        *ret = a.counts;
        return r;
}
