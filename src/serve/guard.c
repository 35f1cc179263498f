/*
 * The guard's side in the agent: sets everything up that can fail, starts the guardian, and starts it anew when it
 * dies. The agent holds the group too: without a guardian events wait, for the few milliseconds until the next one has
 * taken over, instead of being allowed.
 */
#include "serve/guard-agent.h"

#include "base/fs.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEAVE_EXTRA_MS 3000 /* beyond the deadline, for the guardian to end */
#define YOUNG_NS       (1000 * MS_NS)

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

/* ------------------------------------------------------------------------------------------------------ guardian ----
 */

static void on_guardian_end(void *arg);

static void on_reports(void *arg) { guard_reports(arg); }

static int start_guardian(struct guard *g, struct error *err)
{
        struct guardian_process *p = g->guardian;
        int keep[COMPANION_KEEPS] = { g->config.group, -1 };
        int r = companion_start(guardian_run, &g->config, keep, false, &p->report_fd, &p->pid, err);
        if (r < 0) {
                p->pid = 0;
                return r;
        }
        p->born_ns = agent_now_ns(CLOCK_MONOTONIC);
        p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
        if (p->pidfd < 0 || agent_add_source(g->agent, p->report_fd, on_reports, p) < 0 ||
            agent_add_source(g->agent, p->pidfd, on_guardian_end, p) < 0)
                return error_set(err, -E2BIG, "the agent has no room for the guard");
        return 0;
}

void guard_forget(struct guardian_process *p)
{
        guard_reports(p);
        agent_remove_source(p->guard->agent, p->report_fd);
        agent_remove_source(p->guard->agent, p->pidfd);
        while (p->pid && waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
                ;
        p->pid = 0;
        p->report_fd = close_fd(p->report_fd);
        p->pidfd = close_fd(p->pidfd);
}

static void take_set(struct guard *g, struct guard_set *set)
{
        guard_set_done(&g->set);
        g->set = *set;
        *set = (struct guard_set){ .malware = NULL };
        g->config.malware = g->set.malware;
        g->config.plan = g->set.plan;
}

void guard_start_next(struct guard *g, enum takeover from)
{
        struct error err = ERROR_NONE;
        bool is_other_set = g->next.malware;
        if (from == TAKES_OVER_HANDED)
                g->guardian = &g->guardians[g->guardian == &g->guardians[0]];
        if (is_other_set) {
                take_set(g, &g->next);
                g->reload = RELOAD_NONE;
        }
        g->config.takes_over = from;
        if (start_guardian(g, &err) < 0)
                agent_tell(g->agent, "guard: no guardian can be started, containers wait: %s", err.text);
        else if (is_other_set)
                agent_tell(g->agent,
                           "guard: the rules for malware are others now: %zu, and %zu digests; all is looked at anew",
                           malware_rules_total(g->set.malware), malware_hashes_total(g->set.malware));
}

static void on_guardian_end(void *arg)
{
        struct guardian_process *p = arg;
        struct guard *g = p->guard;
        bool is_young = agent_now_ns(CLOCK_MONOTONIC) - p->born_ns < YOUNG_NS;
        guard_forget(p);
        if (p != g->guardian) /* it had handed over */
                return;
        agent_tell(g->agent, "guard: the guardian died; another one takes over");
        if (!is_young) /* else with the next tick: no faster than that */
                guard_start_next(g, TAKES_OVER_DEAD);
}

static void guard_tick(void *state, int64_t now_ns)
{
        struct guard *g = state;
        if (!g->guardian->pid)
                guard_start_next(g, TAKES_OVER_DEAD);
        guard_reload_tick(g, now_ns);
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

static int load_set(struct guard *g, struct error *err)
{
        struct guard_set set;
        int r = guard_set_load(&g->config.o.malware, &set, err);
        if (r == 0)
                take_set(g, &set);
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

/* It sees that, takes the marks away, and answers what is left. */
static void end_guardian(struct guard *g)
{
        struct guardian_process *p = g->guardian;
        (void)shutdown(p->report_fd, SHUT_WR);
        int64_t end = agent_now_ns(CLOCK_MONOTONIC) + (g->config.deadline_ms + LEAVE_EXTRA_MS) * MS_NS;
        struct pollfd fds[] = { { .fd = p->pidfd, .events = POLLIN }, { .fd = p->report_fd, .events = POLLIN } };
        while (!fds[0].revents && agent_now_ns(CLOCK_MONOTONIC) < end) {
                (void)poll(fds, ARRAY_SIZE(fds), 100);
                if (fds[1].revents & POLLHUP)
                        fds[1].fd = -1;
                guard_reports(p);
        }
}

static void guard_stop(void *state)
{
        struct guard *g = state;
        g->reload = RELOAD_NONE;
        guard_reload_end(g);
        if (g->guardian->pid)
                end_guardian(g);
        for (size_t i = 0; i < ARRAY_SIZE(g->guardians); i++)
                if (g->guardians[i].pid) {
                        (void)kill(g->guardians[i].pid, SIGKILL); /* ended already, if all is well */
                        guard_forget(&g->guardians[i]);
                }
        close_fd(g->config.group);
        fanotify_desk_free(g->config.desk);
        guard_set_done(&g->set);
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
        *g = (struct guard){ .agent = a, .guardian = &g->guardians[0], .trial_fd = -1 };
        for (size_t i = 0; i < ARRAY_SIZE(g->guardians); i++)
                g->guardians[i] = (struct guardian_process){ .guard = g, .report_fd = -1, .pidfd = -1 };
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
        g->config.desk = fanotify_desk_new();
        int r = look_at_kernel(g, &can, err);
        if (r == 0)
                r = load_set(g, err);
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
                   guard_level_names[o->mode], malware_rules_total(g->set.malware), g->config.deadline_ms,
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
        if (!g->guardian->pid || !is_guarded(g, c))
                return NULL;
        return g->config.o.dry_run ? "malware (dry run)" : "malware";
}

const struct agent_part part_guard = {
        .name = "guard",
        .start = guard_start,
        .protects = guard_protects,
        .on_reload = guard_reload,
        .tick = guard_tick,
        .stop = guard_stop,
};
