/* See agent.h. */
#include "serve/agent.h"

#include "base/fs.h"
#include "sense/sensor.h"
#include "serve/limit.h"
#include "serve/record.h"
#include "serve/rules.h"
#include "source/container-find.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define BATCH          2048u /* records between two looks at signals */
#define LOOK_MS        500   /* between two looks at the counters of what was lost */
#define FORGET_SECONDS 30    /* between two looks for containers that ended */
#define MOUNTINFO_MAX  ((size_t)1 << 20)
#define SECOND_NS      INT64_C(1000000000)
#define TELL_BYTES     1024

struct agent {
        const struct agent_options *o;
        struct agent_rules rules;
        struct sensor *sensor;
        struct process_table processes;
        struct container_table containers;
        struct alert_sink sink;
        struct limiter limiter;
        struct agent_counts counts;
        struct arena arena; /* of one event */
        char hostname[256];
        int64_t boot_ns;
        struct str cgroup_mount;
        struct arena kept;
        int64_t next_forget_ns;
        bool is_stopping;
        struct rule_needs *needs; /* of each rule */
        struct arena needs_arena;
};

static int64_t now_ns(clockid_t clock)
{
        struct timespec t;
        clock_gettime(clock, &t);
        return t.tv_sec * SECOND_NS + t.tv_nsec;
}

static void tell(struct agent *a, const char *fmt, ...) _printf_(2, 3);

static void tell(struct agent *a, const char *fmt, ...)
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
        struct container c;
        (void)arg;
        if (container_find_id("", id, arena, &c) < 0)
                return false;
        *ret = (struct container_facts){ .name = c.name,
                                         .image = c.image,
                                         .image_id = c.image_id,
                                         .engine = c.engine,
                                         .pid = c.pid,
                                         .labels = c.labels };
        return true;
}

static void mark(void *arg, uint64_t cgroup_id, bool is_container)
{
        struct agent *a = arg;
        (void)sensor_mark_container(a->sensor, cgroup_id, is_container);
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
static size_t fill_processes(struct agent *a)
{
        struct process_source from = {
                .proc = "/proc", .cgroups = a->cgroup_mount.p, .on_cgroup = on_cgroup, .arg = a
        };
        return process_fill(&a->processes, &from);
}

static struct container_entry *find_container(struct agent *a, const struct event *e)
{
        bool mounts = e->facts.in_other_mounts, pids = e->facts.in_other_pids;
        enum container_hint hint = mounts && pids   ? CONTAINER_SURE
                                   : mounts || pids ? CONTAINER_LIKELY
                                                    : CONTAINER_UNLIKELY;
        struct container_entry *c = container_of_cgroup(&a->containers, e->exec.cgroup_id, e->cgroup, hint);
        if (c && !c->has_mounts && e->facts.in_other_mounts) {
                char path[64];
                _cleanup_(buf_done) struct buf b = BUF_INIT(MOUNTINFO_MAX);
                snprintf(path, sizeof(path), "/proc/%u/mountinfo", e->head.pid);
                if (read_file(path, &b, NULL) == 0)
                        container_parse_mounts(c, buf_str(&b));
        }
        return c;
}

/* ---------------------------------------------------------------------------------------------------- alerts ---- */

static void send_alert(struct agent *a, const struct alert *alert)
{
        if (alert->priority > a->o->least)
                return;
        a->counts.alerts++;
        alert_write(&a->sink, alert);
}

/* What was held back since: told once it has gone quiet, or with `all` at once. */
static void tell_held(struct agent *a, bool all)
{
        static const char *const names[] = { "held", NULL };
        const struct limit_pair *p;
        uint64_t held;
        while ((p = limiter_take_held(&a->limiter, now_ns(CLOCK_MONOTONIC), all, &held))) {
                const struct rule *rule = rule_set_rule(a->rules.set, p->rule);
                struct str words =
                        arena_printf(&a->arena, "%llu more alerts of rule \"%.*s\" in container %s were held back",
                                     (unsigned long long)held, STR_FMT(rule->name), p->container);
                send_alert(a, &(struct alert){ .rule_name = "Alerts held back",
                                               .priority = rule->priority,
                                               .source = "internal",
                                               .hostname = a->hostname,
                                               .time_ns = now_ns(CLOCK_REALTIME),
                                               .output = words,
                                               .counter_names = names,
                                               .counters = &held });
                arena_done(&a->arena);
        }
}

/* A kill is told each time; of anything else so many of a rule and a container. */
static bool may_pass(struct agent *a, size_t rule, const struct event_record *r, unsigned flags)
{
        if (flags & (OBSERVE_KILLED | OBSERVE_KILL_FAILED))
                return true;
        struct str id = r->container ? r->container->id : STR("host");
        bool passes = limiter_pass(&a->limiter, rule, id, now_ns(CLOCK_MONOTONIC));
        a->counts.held += !passes;
        return passes;
}

static void on_hit(struct agent *a, size_t rule, const struct event_record *r, const struct record *record)
{
        const struct rule *hit = rule_set_rule(a->rules.set, rule);
        unsigned flags = r->event->kind == OBSERVE_EXEC ? r->event->exec.flags : 0;
        _cleanup_(buf_done) struct buf output = BUF_INIT(RULE_OUTPUT_BYTES_MAX);
        if (hit->priority > a->o->least || !may_pass(a, rule, r, flags))
                return;
        rule_render(a->rules.eval, rule, record, &output);
        struct alert alert = { .rule = hit,
                               .priority = hit->priority,
                               .source = "syscall",
                               .hostname = a->hostname,
                               .time_ns = r->boot_ns + (int64_t)r->event->head.time_ns,
                               .output = buf_str(&output),
                               .fields = a->needs[rule].fields,
                               .n_fields = a->needs[rule].n_fields,
                               .record = record };
        if (hit->action == ACTION_KILL)
                alert.action = flags & OBSERVE_KILLED        ? ALERT_KILLED
                               : flags & OBSERVE_KILL_FAILED ? ALERT_KILL_FAILED
                                                             : ALERT_NOTHING;
        send_alert(a, &alert);
}

static void judge(struct agent *a, const struct event *e, const struct process *p, const struct container_entry *c)
{
        struct event_record r = { .event = e,
                                  .process = p,
                                  .processes = &a->processes,
                                  .container = c,
                                  .hostname = a->hostname,
                                  .number = a->counts.events,
                                  .boot_ns = a->boot_ns,
                                  .arena = &a->arena };
        struct record record = event_record(&r);
        const uint32_t *hits;
        size_t n = rule_eval(a->rules.eval, &record, STAGE_SYSCALL, &hits);
        if (n == 0)
                return;
        uint32_t *kept = arena_array(&a->arena, n, sizeof(*kept)); /* rendering may ask again */
        memcpy(kept, hits, n * sizeof(*kept));
        for (size_t i = 0; i < n; i++)
                on_hit(a, kept[i], &r, &record);
}

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
                tell_held(a, true);
                limiter_clear(&a->limiter);
        }
        a->counts.events++;
        const struct container_entry *c = NULL;
        const struct process *p;
        if (e.kind == OBSERVE_EXIT) { /* judged while it is still known */
                p = process_find(&a->processes, e.head.pid);
                c = p ? container_known(&a->containers, p->cgroup_id) : NULL;
                judge(a, &e, p, c);
                process_apply(&a->processes, &e);
        } else {
                if (e.kind == OBSERVE_EXEC) {
                        c = find_container(a, &e);
                        a->counts.killed += !!(e.exec.flags & OBSERVE_KILLED);
                } else {
                        c = container_known(&a->containers, e.fork.cgroup_id);
                }
                p = process_apply(&a->processes, &e);
                judge(a, &e, p, c);
        }
        arena_done(&a->arena);
}

/* ------------------------------------------------------------------------------------------------------ loss ---- */

/* Something was lost: say so, and learn from /proc what there is now. */
static void look_for_loss(struct agent *a)
{
        static const char *const names[] = { "lost.exec", "lost.fork", "lost.exit", NULL };
        uint64_t drops[OBSERVE_KINDS], lost[OBSERVE_KINDS], sum = 0;
        sensor_drops(a->sensor, drops);
        for (size_t i = 0; i < OBSERVE_KINDS; i++) {
                lost[i] = drops[i] - a->counts.lost[i];
                a->counts.lost[i] = drops[i];
                sum += lost[i];
        }
        if (sum == 0)
                return;
        size_t n = fill_processes(a);
        struct str words = arena_printf(&a->arena,
                                        "the ring was full: %llu exec, %llu fork and %llu exit events were lost; the "
                                        "process table was read anew (%zu processes)",
                                        (unsigned long long)lost[OBSERVE_EXEC], (unsigned long long)lost[OBSERVE_FORK],
                                        (unsigned long long)lost[OBSERVE_EXIT], n);
        send_alert(a, &(struct alert){ .rule_name = "Events lost",
                                       .priority = PRIORITY_WARNING,
                                       .source = "internal",
                                       .hostname = a->hostname,
                                       .time_ns = now_ns(CLOCK_REALTIME),
                                       .output = words,
                                       .counter_names = names,
                                       .counters = lost });
        arena_done(&a->arena);
}

/* ----------------------------------------------------------------------------------------------------- rules ---- */

static void take_rules(struct agent *a, const struct agent_rules *rules)
{
        if (a->rules.set) /* the limiter counts by the old set's numbers */
                tell_held(a, true);
        limiter_clear(&a->limiter);
        agent_rules_done(&a->rules);
        arena_done(&a->needs_arena);
        a->rules = *rules;
        size_t n = rule_set_n(rules->set);
        a->needs = arena_array(&a->needs_arena, n, sizeof(*a->needs));
        for (size_t i = 0; i < n; i++)
                rule_set_needs(rules->set, i, &a->needs_arena, &a->needs[i]);
}

/* 0, RULES_WRONG or < 0 with words. Rules that do not load leave those that are there. */
static int load_rules(struct agent *a, struct error *err)
{
        struct agent_rules rules;
        struct problems problems = { 0 };
        int r = agent_rules_load(a->o->rules, a->o->n_rules, &rules, &problems, err);
        if (r >= 0 && a->o->tell_problems)
                a->o->tell_problems(a->o->arg, &problems);
        if (r >= 0)
                problems_done(&problems);
        if (r == 0)
                take_rules(a, &rules);
        return r;
}

static int apply_kill(struct agent *a, struct error *err)
{
        int r = sensor_set_kill(a->sensor, a->rules.kill_mask);
        return r < 0 ? error_errno(err, r, "the kernel does not take the kill rules") : 0;
}

static void reload(struct agent *a)
{
        struct error err = ERROR_NONE;
        int r = load_rules(a, &err);
        if (r == 0)
                r = apply_kill(a, &err);
        if (r == 0)
                tell(a, "rules loaded anew: %zu, %zu of them kill", rule_set_n(a->rules.set), a->rules.n_kill);
        else
                tell(a, "rules not loaded anew, the old ones stay%s%s", err.text[0] ? ": " : "", err.text);
        if (alert_open(&a->sink, &err) < 0)
                tell(a, "alerts go on into the file that was open: %s", err.text);
}

/* ------------------------------------------------------------------------------------------------------ loop ---- */

static void take_signals(struct agent *a, int fd)
{
        struct signalfd_siginfo s;
        while (read(fd, &s, sizeof(s)) == sizeof(s)) {
                if (s.ssi_signo == SIGHUP)
                        reload(a);
                else
                        a->is_stopping = true;
        }
}

static void loop(struct agent *a, int signal_fd)
{
        int64_t next_look = 0;
        while (!a->is_stopping) {
                struct pollfd fds[] = { { .fd = sensor_fd(a->sensor), .events = POLLIN },
                                        { .fd = signal_fd, .events = POLLIN } };
                (void)poll(fds, ARRAY_SIZE(fds), LOOK_MS);
                int64_t now = now_ns(CLOCK_MONOTONIC);
                a->boot_ns = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_BOOTTIME);
                (void)sensor_read(a->sensor, BATCH, on_record, a);
                if (fds[1].revents)
                        take_signals(a, signal_fd);
                if (now >= next_look) {
                        next_look = now + LOOK_MS * (SECOND_NS / 1000);
                        look_for_loss(a);
                        tell_held(a, false);
                }
                if (now >= a->next_forget_ns) {
                        a->next_forget_ns = now + FORGET_SECONDS * SECOND_NS;
                        container_forget_gone(&a->containers, a->cgroup_mount.p);
                }
        }
        while (sensor_read(a->sensor, BATCH, on_record, a) == BATCH) /* what happened before the signal */
                ;
        look_for_loss(a);
        tell_held(a, true);
}

/* The signals that the loop reads are blocked for everybody that it starts too; workers die by SIGKILL alone. */
static int watch_signals(struct error *err)
{
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGHUP);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        sigprocmask(SIG_BLOCK, &set, NULL);
        int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
        return fd < 0 ? error_errno(err, -errno, "signals cannot be watched") : fd;
}

static int start(struct agent *a, struct error *err)
{
        limiter_init(&a->limiter);
        int r = alert_open(&a->sink, err);
        if (r == 0)
                r = load_rules(a, err);
        if (r == 0)
                r = sensor_open(a->o->ring_bytes, &a->sensor, err);
        if (r == 0)
                r = apply_kill(a, err);
        if (r != 0)
                return r;
        process_table_init(&a->processes);
        container_table_init(&a->containers);
        a->containers.lookup = look_up;
        a->containers.mark = mark;
        a->containers.mark_arg = a;
        a->cgroup_mount = find_cgroup_mount(&a->kept);
        size_t n = fill_processes(a);
        if (!sensor_sees_host())
                tell(a, "this is not the host's process namespace: ancestry, users and containers of programs will be "
                        "missing; start "
                        "it with the host's process ids (--pid=host)");
        tell(a, "watching: %zu rules, %zu of them kill; %zu processes run already", rule_set_n(a->rules.set),
             a->rules.n_kill, n);
        return 0;
}

int agent_run(const struct agent_options *o, struct agent_counts *ret, struct error *err)
{
        struct agent a = { .o = o,
                           .sink = { .path = o->alerts, .fd = -1, .stream = o->stream, .is_json = o->is_json } };
        if (gethostname(a.hostname, sizeof(a.hostname) - 1) < 0)
                a.hostname[0] = '\0';
        _cleanup_(closep) int signal_fd = watch_signals(err);
        int r = signal_fd < 0 ? signal_fd : start(&a, err);
        if (r == 0)
                loop(&a, signal_fd);
        if (a.containers.buckets)
                container_table_done(&a.containers);
        process_table_done(&a.processes);
        sensor_close(a.sensor);
        agent_rules_done(&a.rules);
        limiter_done(&a.limiter);
        a.counts.unwritten = a.sink.failed;
        alert_close(&a.sink);
        arena_done(&a.arena);
        arena_done(&a.kept);
        arena_done(&a.needs_arena);
        *ret = a.counts;
        return r;
}
