/*
 * The guard's side in the agent: sets everything up that can fail, starts the guardian, and starts it anew when it
 * dies; makes alerts out of reports. The agent holds the group too: without a guardian events wait, for the few
 * milliseconds until the next one has taken over, instead of being allowed.
 */
#include "serve/guard-private.h"

#include "analyze/unpack.h"
#include "base/fs.h"
#include "serve/agent-private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEAVE_EXTRA_MS 3000 /* beyond the deadline, for the guardian to end */
#define YOUNG_NS       (1000 * MS_NS)
#define WORDS_MAX      2048
#define EXTRAS_MAX     32

const char *const guard_level_names[GUARD_MODES] = { "balanced", "light", "strict" };
const char *const guard_response_names[GUARD_RESPONSES] = { "kill", "freeze", "none" };

static const struct {
        uint64_t mask;
        unsigned deadline_ms;
        bool late_allows;
} modes[GUARD_MODES] = {
        [GUARD_BALANCED] = { FAN_OPEN_EXEC_PERM | FAN_CLOSE_WRITE, 1000, true },
        [GUARD_LIGHT] = { FAN_OPEN_EXEC_PERM | FAN_CLOSE_WRITE, 250, true },
        [GUARD_STRICT] = { FAN_OPEN_EXEC_PERM | FAN_OPEN_PERM | FAN_CLOSE_WRITE, 2000, false },
};

struct guard {
        struct agent *agent;
        struct guard_config config;
        struct malware *malware;
        struct content_plan *plan;
        pid_t guardian; /* 0: none runs */
        int report_fd, pidfd;
        int64_t born_ns;
        uint64_t *n_walks, *n_ahead;        /* of the walker */
        char *storages[GUARD_STORAGES_MAX]; /* as they are called after all links */
        dev_t marked[GUARD_STORAGES_MAX];   /* superblocks */
        size_t n_marked;
};

/* ------------------------------------------------------------------------------------------------------- reports ----
 */

static const struct kind {
        const char *event, *rule;
        enum rule_priority priority;
        const char *words;
} kinds[] = {
        { "malware", "Malware on access", PRIORITY_CRITICAL, "malware" },
        { "suspicious", "Suspicious file on access", PRIORITY_WARNING, "a suspicious file" },
        { "late", "File not looked at in time", PRIORITY_WARNING, "a file was wanted before it could be looked at" },
        { "writer", "Program executed while it can be written", PRIORITY_WARNING,
          "a program was executed while somebody had it open for writing" },
        { "incomplete", "File not wholly looked at", PRIORITY_NOTICE, "a file could not be looked at in full" },
        { "cleared", "Restored file used", PRIORITY_NOTICE, "a file that was restored was found again, and let be" },
        { "restarted", "Guard restarted", PRIORITY_ERROR, "part of the guard died" },
        { "unanswered", "Files denied without a look", PRIORITY_WARNING, "files were denied without a look" },
        { "dropped", "Files not looked at", PRIORITY_WARNING, "files were not looked at" },
};

static const struct kind *kind_of(struct str event)
{
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (str_is(event, kinds[i].event))
                        return &kinds[i];
        return NULL;
}

static bool has(const struct str_list *l, const char *word)
{
        for (size_t i = 0; i < l->n; i++)
                if (str_is(l->v[i], word))
                        return true;
        return false;
}

static enum alert_action action_of(const struct str_list *actions)
{
        static const struct {
                const char *name;
                enum alert_action action;
        } table[] = { { "killed", ALERT_KILLED },          { "frozen", ALERT_FROZEN },
                      { "denied", ALERT_DENIED },          { "quarantined", ALERT_QUARANTINED },
                      { "would-deny", ALERT_WOULD_ACT },   { "would-kill", ALERT_WOULD_ACT },
                      { "would-freeze", ALERT_WOULD_ACT }, { "would-quarantine", ALERT_WOULD_ACT } };
        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (has(actions, table[i].name))
                        return table[i].action;
        return ALERT_NOTHING;
}

static struct str joined(struct arena *arena, const struct str_list *l, const char *between)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(WORDS_MAX);
        for (size_t i = 0; i < l->n; i++)
                buf_printf(&b, "%s%.*s", i ? between : "", STR_FMT(l->v[i]));
        return arena_str(arena, buf_str(&b));
}

static struct str output_of(struct arena *arena, const struct kind *kind, const struct fact_guarded *f)
{
        struct buf b = BUF_INIT((size_t)WORDS_MAX * 8);
        buf_puts(&b, kind->words);
        if (f->rule.n)
                buf_printf(&b, " %.*s", STR_FMT(f->rule));
        if (f->path.n)
                buf_printf(&b, ": %.*s%s%.*s", STR_FMT(f->path), f->members.n ? "!" : "", STR_FMT(f->members));
        if (f->access.n)
                buf_printf(&b, " (%.*s", STR_FMT(f->access));
        if (f->process.n)
                buf_printf(&b, " by %.*s, pid %llu", STR_FMT(f->process), (unsigned long long)f->pid);
        if (f->access.n)
                buf_putc(&b, ')');
        if (f->container_name.n || f->container_id.n)
                buf_printf(&b, " in container %.*s",
                           STR_FMT(f->container_name.n ? f->container_name : f->container_id));
        if (f->actions.n)
                buf_printf(&b, ": %.*s", STR_FMT(joined(arena, &f->actions, ", ")));
        if (f->quarantine.n)
                buf_printf(&b, " as %.*s", STR_FMT(f->quarantine));
        if (f->detail.n)
                buf_printf(&b, "; %.*s", STR_FMT(f->detail));
        struct str s = arena_str(arena, buf_str(&b));
        buf_done(&b);
        return s;
}

struct extras {
        struct alert_field v[EXTRAS_MAX];
        size_t n;
};

static void add_text(struct extras *e, const char *name, struct str s)
{
        if (s.n && e->n < EXTRAS_MAX)
                e->v[e->n++] = (struct alert_field){ name, value_string(s) };
}

static void add_number(struct extras *e, const char *name, uint64_t n)
{
        if (n && e->n < EXTRAS_MAX)
                e->v[e->n++] = (struct alert_field){ name, value_number((int64_t)n) };
}

static void fill_extras(struct extras *e, const struct fact_guarded *f, struct arena *arena)
{
        char digest[QUARANTINE_DIGEST] = "";
        if (f->sha256.n == 32)
                quarantine_hex(f->sha256, digest);
        add_text(e, "guard.event", f->event);
        add_text(e, "guard.access", f->access);
        add_text(e, "guard.actions", joined(arena, &f->actions, " "));
        add_text(e, "fd.name", f->path);
        add_text(e, "file.host_path", f->host_path);
        add_text(e, "file.sha256", arena_str(arena, str_of(digest)));
        add_number(e, "file.size", f->size);
        add_text(e, "malware.engine", f->engine);
        add_text(e, "malware.rule", f->rule);
        add_text(e, "malware.family", f->family);
        add_text(e, "malware.description", f->description);
        add_text(e, "malware.members", f->members);
        add_text(e, "malware.tags", joined(arena, &f->tags, " "));
        add_number(e, "proc.pid", f->pid);
        add_text(e, "proc.name", f->process);
        add_text(e, "proc.exepath", f->exe);
        add_text(e, "proc.cmdline", f->cmdline);
        add_text(e, "proc.chain", joined(arena, &f->chain, " <- "));
        add_text(e, "container.id", f->container_id);
        add_text(e, "container.name", f->container_name);
        add_text(e, "container.image", f->image);
        add_text(e, "container.engine", f->container_engine);
        add_text(e, "guard.quarantine", f->quarantine);
        add_number(e, "guard.count", f->count);
        add_text(e, "guard.detail", f->detail);
}

/* The agent has seen the container begin: where no file speaks of it any more, it may know it. */
static void complete(struct guard *g, struct fact_guarded *f, struct alert *alert)
{
        alert->process = f->pid && f->pid <= UINT32_MAX ? process_find(&g->agent->processes, (uint32_t)f->pid) : NULL;
        if (!alert->process)
                return;
        const struct container_entry *c = container_known(&g->agent->containers, alert->process->cgroup_id);
        alert->container = c;
        if (!c || f->container_name.n)
                return;
        f->container_id = c->id;
        f->container_name = c->facts.name;
        f->image = c->facts.image;
}

static void on_report(struct guard *g, struct str bytes)
{
        static const char *const tags[] = { "NIST-800-190:4.4.4", NULL };
        struct arena arena = ARENA_INIT;
        struct fact_guarded f;
        struct cursor c = cursor_from(bytes);
        bool is_good = fact_decode(FACT_guarded, &c, &arena, &f) && cursor_at_end(&c);
        const struct kind *kind = is_good ? kind_of(f.event) : NULL;
        if (is_good && str_is(f.event, "ahead")) {
                agent_tell(g->agent, "guard: looked ahead at %llu files %.*s", (unsigned long long)f.count,
                           STR_FMT(f.detail));
                *g->n_walks += 1;
                *g->n_ahead += f.count;
        }
        if (is_good && str_is(f.event, "ended"))
                agent_tell(g->agent, "guard: ended, after %llu looks at files", (unsigned long long)f.count);
        if (kind) {
                struct extras extras = { .n = 0 };
                struct alert alert = { .rule_name = kind->rule,
                                       .tags = tags,
                                       .priority = kind->priority,
                                       .source = "guard",
                                       .action = action_of(&f.actions) };
                complete(g, &f, &alert);
                fill_extras(&extras, &f, &arena);
                alert.output = output_of(&arena, kind, &f);
                alert.extras = extras.v;
                alert.n_extras = extras.n;
                agent_emit(g->agent, &alert);
        }
        arena_done(&arena);
}

static void on_reports(void *arg)
{
        struct guard *g = arg;
        char bytes[MESSAGE_MAX];
        int fds[MESSAGE_FDS_MAX];
        ssize_t n = -1;
        while (g->report_fd >= 0 && (n = message_take(g->report_fd, bytes, sizeof(bytes), fds)) > 0)
                on_report(g, str_span(bytes, (size_t)n));
        if (g->report_fd >= 0 && n == 0) /* all who could report have ended; the guardian's end is another source */
                agent_remove_source(g->agent, g->report_fd);
}

/* ------------------------------------------------------------------------------------------------------ guardian ----
 */

static void on_guardian_end(void *arg);

static int start_guardian(struct guard *g, struct error *err)
{
        int keep[COMPANION_KEEPS] = { g->config.group, -1 };
        int r = companion_start(guardian_run, &g->config, keep, false, &g->report_fd, &g->guardian, err);
        if (r < 0) {
                g->guardian = 0;
                return r;
        }
        g->born_ns = agent_now_ns(CLOCK_MONOTONIC);
        g->pidfd = (int)syscall(SYS_pidfd_open, g->guardian, 0);
        if (g->pidfd < 0 || agent_add_source(g->agent, g->report_fd, on_reports, g) < 0 ||
            agent_add_source(g->agent, g->pidfd, on_guardian_end, g) < 0)
                return error_set(err, -E2BIG, "the agent has no room for the guard");
        return 0;
}

/* What it had reported is read; then its descriptors are closed. */
static void forget_guardian(struct guard *g)
{
        on_reports(g);
        agent_remove_source(g->agent, g->report_fd);
        agent_remove_source(g->agent, g->pidfd);
        while (g->guardian && waitpid(g->guardian, NULL, 0) < 0 && errno == EINTR)
                ;
        g->guardian = 0;
        g->report_fd = close_fd(g->report_fd);
        g->pidfd = close_fd(g->pidfd);
}

static void start_another(struct guard *g)
{
        struct error err = ERROR_NONE;
        g->config.takes_over = true;
        if (start_guardian(g, &err) < 0)
                agent_tell(g->agent, "guard: no guardian can be started, containers wait: %s", err.text);
}

static void on_guardian_end(void *arg)
{
        struct guard *g = arg;
        bool is_young = agent_now_ns(CLOCK_MONOTONIC) - g->born_ns < YOUNG_NS;
        forget_guardian(g);
        agent_tell(g->agent, "guard: the guardian died; another one takes over");
        if (!is_young) /* else with the next tick: no faster than that */
                start_another(g);
}

static void guard_tick(void *state, int64_t now_ns)
{
        struct guard *g = state;
        (void)now_ns;
        if (!g->guardian)
                start_another(g);
}

/* --------------------------------------------------------------------------------------------------------- start ----
 */

static int look_at_kernel(struct guard *g, struct fanotify_can *can, struct error *err)
{
        fanotify_probe(can);
        if (!can->permission || !can->filesystem || !can->ignore || !can->lease)
                return error_errno(err, can->r < 0 ? can->r : -EOPNOTSUPP, "this kernel cannot guard files: %s",
                                   !can->permission   ? "no fanotify permission events"
                                   : !can->filesystem ? "no fanotify marks on file systems"
                                   : !can->ignore     ? "no ignore marks"
                                                      : "no leases");
        if (!can->overlay)
                agent_tell(g->agent, "guard: this kernel raises no events below overlays (Linux 6.5 does): give each "
                                     "container's merged directory with --guard, or their files are not seen");
        if (!can->pidfd)
                agent_tell(g->agent,
                           "guard: this kernel names processes by number only (Linux 5.15 has better): whoever "
                           "wrote a file is not known");
        return 0;
}

static int plan(struct guard *g, struct error *err)
{
        const struct content_engine *engines[CONTENT_ENGINES_MAX];
        int r = malware_new(&g->config.o.malware, &g->malware, err);
        if (r < 0)
                return r;
        size_t n = malware_engines(g->malware, engines);
        engines[n++] = &unpack_engine;
        r = content_plan_new(engines, n, &g->plan, err);
        g->config.malware = g->malware;
        g->config.plan = g->plan;
        return r;
}

/* Tried before anything is marked: what cannot be kept would stay where it is. */
static int try_quarantine(const struct guard_options *o, struct error *err)
{
        struct quarantine q;
        if (!*o->quarantine || o->dry_run)
                return 0;
        int r = quarantine_open(o->quarantine, true, &q, err);
        if (r == 0)
                quarantine_close(&q);
        return r;
}

/* What is met in a storage is told by its whole name, and looked for by it in layers of containers. */
static void resolve_storages(struct guard *g)
{
        struct guard_options *o = &g->config.o;
        for (size_t i = 0; i < o->n_storages; i++)
                if ((g->storages[i] = realpath(o->storages[i], NULL)))
                        o->storages[i] = g->storages[i];
}

static int mark_storages(struct guard *g, struct error *err)
{
        const struct guard_options *o = &g->config.o;
        for (size_t i = 0; i < o->n_storages; i++) {
                int r = fanotify_mark_storage(g->config.group, o->storages[i], modes[o->mode].mask, o->may_be_root,
                                              g->marked, &g->n_marked, GUARD_STORAGES_MAX, err);
                if (r < 0 && r != -EEXIST)
                        return r;
        }
        return (int)g->n_marked;
}

static void guard_stop(void *state)
{
        struct guard *g = state;
        if (g->guardian) {
                /* It sees that, takes the marks away, and answers what is left. */
                (void)shutdown(g->report_fd, SHUT_WR);
                int64_t end = agent_now_ns(CLOCK_MONOTONIC) + (g->config.deadline_ms + LEAVE_EXTRA_MS) * MS_NS;
                struct pollfd p[] = { { .fd = g->pidfd, .events = POLLIN }, { .fd = g->report_fd, .events = POLLIN } };
                while (!p[0].revents && agent_now_ns(CLOCK_MONOTONIC) < end) {
                        (void)poll(p, ARRAY_SIZE(p), 100);
                        if (p[1].revents & POLLHUP)
                                p[1].fd = -1;
                        on_reports(g);
                }
                (void)kill(g->guardian, SIGKILL); /* ended already, if all is well */
                forget_guardian(g);
        }
        close_fd(g->config.group);
        content_plan_free(g->plan);
        malware_free(g->malware);
        for (size_t i = 0; i < GUARD_STORAGES_MAX; i++)
                free(g->storages[i]);
        free(g);
}

static int guard_start(struct agent *a, void **ret, struct error *err)
{
        struct fanotify_can can;
        *ret = NULL;
        if (!a->o->guard.n_storages)
                return 0;
        struct guard *g = xcalloc(1, sizeof(*g));
        *g = (struct guard){ .agent = a, .report_fd = -1, .pidfd = -1 };
        g->config = (struct guard_config){ .o = a->o->guard, .group = -1, .agent = getpid() };
        struct guard_options *o = &g->config.o;
        if (!o->quarantine)
                o->quarantine = QUARANTINE_DIRECTORY;
        resolve_storages(g);
        g->n_walks = agent_counter(a, STATS_COUNTER, "sekisho_guard_walks_total",
                                   "Walks through the guarded storages that have ended.", "");
        g->n_ahead = agent_counter(a, STATS_COUNTER, "sekisho_guard_ahead_files_total",
                                   "Files that were met in them before anybody asked for them.", "");
        g->config.deadline_ms = o->deadline_ms ? o->deadline_ms : modes[o->mode].deadline_ms;
        g->config.late_allows = o->late == GUARD_USUAL ? modes[o->mode].late_allows : o->late == GUARD_ALLOW;
        int r = look_at_kernel(g, &can, err);
        if (r == 0)
                r = plan(g, err);
        if (r == 0)
                r = try_quarantine(o, err);
        if (r == 0)
                r = fanotify_group(&can, &g->config.group, err);
        if (r == 0)
                r = start_guardian(g, err); /* before the marks: from then on somebody answers */
        if (r == 0)
                r = mark_storages(g, err);
        if (r < 0) {
                guard_stop(g);
                return error_prefix(err, r, "guard");
        }
        agent_tell(a, "guard: %d file systems, mode %s, %zu malware rules, deadline %u ms (then %s)%s", r,
                   guard_level_names[o->mode], malware_rules_total(g->malware), g->config.deadline_ms,
                   g->config.late_allows ? "allowed" : "denied", o->dry_run ? "; dry run: nothing is denied" : "");
        *ret = g;
        return 0;
}

static bool is_marked(const struct guard *g, const char *directory)
{
        struct stat st;
        if (stat(directory, &st) < 0)
                return false;
        for (size_t i = 0; i < g->n_marked; i++)
                if (g->marked[i] == st.st_dev)
                        return true;
        return false;
}

/* All that its root shows lies on superblocks that are marked: the root's own, or those of its layers. */
static bool is_guarded(const struct guard *g, const struct container_entry *c)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        const struct container_mount *root = container_mount_of(c, STR("/"));
        if (c->facts.pid &&
            is_marked(g, arena_cstr(&arena, arena_printf(&arena, "/proc/%llu/root", (unsigned long long)c->facts.pid))))
                return true;
        if (!root || !root->upper.n || !is_marked(g, arena_cstr(&arena, root->upper)))
                return false;
        for (struct str left = root->lower; left.p;)
                if (!is_marked(g, arena_cstr(&arena, str_cut(&left, ':'))))
                        return false;
        return true;
}

static const char *guard_protects(void *state, const struct container_entry *c)
{
        const struct guard *g = state;
        if (!g->guardian || !is_guarded(g, c))
                return NULL;
        return g->config.o.dry_run ? "malware (dry run)" : "malware";
}

const struct agent_part part_guard = {
        .name = "guard",
        .start = guard_start,
        .protects = guard_protects,
        .tick = guard_tick,
        .stop = guard_stop,
};
