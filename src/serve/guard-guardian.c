/*
 * The guardian: the only process that reads events and answers them. It opens no file but some of /proc, parses
 * nothing, waits for nobody, and its memory is locked: an answer never depends on a disk or on another process. When
 * the scanner dies or does not speak, it is killed and started anew, by fork alone.
 *
 * When the agent ends, or dies, the guardian takes the marks away, answers what is still asked, and ends. When another
 * guardian is to follow, it hands over (guard-reload.c says how).
 */
#include "serve/guard-guardian.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_MS          1000
#define LEAVING_MS       20 /* without an event, after the marks are gone: there are none left */
#define PING_MS          1000
#define SCANNER_SILENCE  5000  /* ms without a word, although it was asked */
#define SCANNER_YOUNG_MS 50    /* one that died younger is followed by the next after this pause */
#define LOOKS_A_TICK     512   /* descriptors of rows that are looked at for deleted files */
#define FDS_OTHER        64u   /* descriptors that are neither rows nor jobs */
#define ROWS_A_ROUND     1024  /* that are let go before events are looked for again */
#define LINGER_MS        60000 /* for looking at what was written, after handing over */

static void tell(struct guardian *g, const char *event, uint64_t count, const char *detail)
{
        report_send(&g->reporter,
                    &(struct fact_guarded){ .event = str_of(event), .count = count, .detail = str_of(detail) });
}

/* --------------------------------------------------------------------------------------------------- the scanner ----
 */

static void start_scanner(struct guardian *g)
{
        int keep[COMPANION_KEEPS] = { g->report_fd, -1 };
        struct error err = ERROR_NONE;
        g->born_ns = g->heard_ns = guard_now_ns(CLOCK_MONOTONIC);
        g->pinged_ns = 0;
        g->start = (struct scanner_start){ .config = g->c, .report_fd = g->report_fd };
        if (companion_start(scanner_run, &g->start, keep, true, &g->scanner_fd, &g->scanner, &err) < 0) {
                g->scanner = 0;
                tell(g, "restarted", 0, err.text);
                return;
        }
        g->scanner_pidfd = (int)syscall(SYS_pidfd_open, g->scanner, 0);
}

static void end_scanner(struct guardian *g)
{
        if (!g->scanner)
                return;
        kill(g->scanner, SIGKILL);
        while (waitpid(g->scanner, NULL, 0) < 0 && errno == EINTR)
                ;
        g->scanner = 0;
        g->scanner_fd = close_fd(g->scanner_fd);
        g->scanner_pidfd = close_fd(g->scanner_pidfd);
        jobs_unsend(g);
}

static void hear_scanner(struct guardian *g)
{
        struct guard_said said;
        int fds[MESSAGE_FDS_MAX];
        ssize_t n;
        while ((n = message_take(g->scanner_fd, &said, sizeof(said), fds)) > 0) {
                for (size_t i = 0; i < MESSAGE_FDS_MAX; i++)
                        close_fd(fds[i]);
                g->heard_ns = guard_now_ns(CLOCK_MONOTONIC);
                if (n == sizeof(said) && said.kind == SAID_VERDICT)
                        job_verdict(g, said.job, said.verdict);
        }
}

/* One that is dead or silent is replaced. */
static void look_after_scanner(struct guardian *g, bool has_ended)
{
        int64_t now = guard_now_ns(CLOCK_MONOTONIC);
        bool is_silent = g->pinged_ns > g->heard_ns && now - g->pinged_ns > SCANNER_SILENCE * MS_NS;
        if (g->scanner && (has_ended || is_silent)) {
                end_scanner(g);
                tell(g, "restarted", 1,
                     has_ended ? "the scanner died; another goes on with what it had"
                               : "the scanner said nothing for 5 s and was killed; another goes on with what it had");
        }
        if (!g->scanner && now - g->born_ns > SCANNER_YOUNG_MS * MS_NS)
                start_scanner(g);
        if (g->scanner && g->pinged_ns <= g->heard_ns && now - g->heard_ns > PING_MS * MS_NS) {
                struct guard_ask ping = { .kind = ASK_PING };
                if (message_send(g->scanner_fd, &ping, sizeof(ping), NULL, 0) == 0 || g->n_sent)
                        g->pinged_ns = now;
        }
}

/* -------------------------------------------------------------------------------------------------------- events ----
 */

static bool reads_events(const struct guardian *g) { return g->handover < HANDOVER_ANSWERS && jobs_have_room(g); }

static void take_events(struct guardian *g)
{
        struct fanotify_event events[FANOTIFY_EVENTS_MAX];
        int n = reads_events(g) ? fanotify_take(g->group, g->c->desk, events) : 0;
        for (int i = 0; i < n; i++) {
                if (events[i].fd < 0)
                        close_fd(events[i].pidfd);
                else if (events[i].mask & (FAN_OPEN_EXEC_PERM | FAN_OPEN_PERM))
                        job_wanted(g, &events[i]);
                else
                        job_written(g, &events[i]);
        }
        if (n == -EMFILE || n == -ENFILE)
                tell(g, "dropped", 1, "there was no descriptor left: the kernel denied an event by itself");
}

static void take_signals(struct guardian *g)
{
        struct signalfd_siginfo s[64];
        ssize_t n;
        while ((n = read(g->signals, s, sizeof(s))) > 0)
                for (size_t i = 0; i < (size_t)n / sizeof(*s); i++) {
                        if (s[i].ssi_signo == (uint32_t)SIGIO) /* real-time signals did not fit into their queue */
                                leases_look(g);
                        else
                                lease_broken(g, s[i].ssi_fd);
                }
}

static void look_at_row(void *guardian, struct verdict_row *r)
{
        struct guardian *g = guardian;
        struct stat st;
        if (fstat(r->fd, &st) < 0 || st.st_nlink == 0) /* deleted: its space is kept by us alone */
                verdicts_drop(g->verdicts, r);
}

static void tick(struct guardian *g)
{
        verdicts_visit(g->verdicts, LOOKS_A_TICK, look_at_row, g);
        if (g->dropped) {
                tell(g, "dropped", g->dropped,
                     "written files were not looked at, there were too many; they are when executed");
                g->dropped = 0;
        }
}

/* ---------------------------------------------------------------------------------------------------------- loop ----
 */

static void leave(struct guardian *g)
{
        g->is_leaving = true;
        ahead_end(g);
        (void)fanotify_mark(g->group, FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM, 0, AT_FDCWD, "/");
        (void)fanotify_forget_inodes(g->group);
}

static void let_go(void *guardian, struct verdict_row *r)
{
        struct guardian *g = guardian;
        verdicts_drop(g->verdicts, r);
}

static void hand_over(struct guardian *g)
{
        if (g->handover == HANDOVER_LETS_GO) {
                verdicts_visit(g->verdicts, ROWS_A_ROUND, let_go, g);
                if (verdicts_held(g->verdicts) == 0)
                        g->handover = HANDOVER_ANSWERS;
        }
        if (g->handover == HANDOVER_ANSWERS && g->n_waiters == 0) {
                g->handover = HANDOVER_ENDS;
                g->handed_ns = guard_now_ns(CLOCK_MONOTONIC);
                tell(g, "handed-over", 0, "");
        }
}

/* What was written is looked at to the end, unless that takes too long. */
static bool is_handed_over(struct guardian *g)
{
        if (g->handover != HANDOVER_ENDS)
                return false;
        if (g->n_jobs && guard_now_ns(CLOCK_MONOTONIC) - g->handed_ns > LINGER_MS * MS_NS) {
                tell(g, "dropped", g->n_jobs,
                     "written files were not looked at, rules were loaded meanwhile; they are when executed");
                return true;
        }
        return !g->n_jobs && !g->n_ending;
}

static void hear_agent(struct guardian *g)
{
        struct guard_command command;
        int fds[MESSAGE_FDS_MAX];
        if (message_take(g->report_fd, &command, sizeof(command), fds) != sizeof(command))
                return; /* its end: POLLRDHUP says so too */
        for (size_t i = 0; i < MESSAGE_FDS_MAX; i++)
                close_fd(fds[i]);
        if (command.kind == GUARD_HAND_OVER && !g->handover && !g->is_leaving) {
                g->handover = HANDOVER_LETS_GO;
                ahead_end(g);
        }
}

static int sooner(int a, int b) { return a < 0 ? b : b < 0 ? a : MIN(a, b); }

/* False: it is time to go. */
static bool round_of_loop(struct guardian *g, int64_t *next_tick)
{
        int wait = sooner(sooner(jobs_expire(g), leases_end(g)), g->is_leaving ? LEAVING_MS : TICK_MS);
        wait = g->handover == HANDOVER_LETS_GO ? 0 : sooner(wait, ahead_look(g));
        if (!g->scanner)
                wait = sooner(wait, SCANNER_YOUNG_MS / 5);
        struct pollfd fds[] = {
                { .fd = reads_events(g) ? g->group : -1, .events = POLLIN },
                { .fd = g->signals, .events = POLLIN },
                { .fd = g->scanner ? g->scanner_fd : -1, .events = POLLIN },
                { .fd = g->scanner ? g->scanner_pidfd : -1, .events = POLLIN },
                { .fd = g->is_leaving ? -1 : g->report_fd,
                  .events = (short)(POLLIN | POLLRDHUP | (report_wants_to_write(&g->reporter) ? POLLOUT : 0)) },
                { .fd = ahead_listens(g) ? g->ahead.fd : -1, .events = POLLIN },
        };
        (void)poll(fds, ARRAY_SIZE(fds), wait);
        take_signals(g); /* before anything is answered */
        if (fds[2].revents & POLLIN)
                hear_scanner(g);
        look_after_scanner(g, fds[3].revents);
        if (fds[0].revents)
                take_events(g);
        if (fds[5].revents)
                ahead_hear(g);
        jobs_send(g);
        hand_over(g);
        report_flush(&g->reporter);
        if (fds[4].revents & POLLIN)
                hear_agent(g);
        if (fds[4].revents & (POLLHUP | POLLRDHUP | POLLERR))
                leave(g);
        int64_t now = guard_now_ns(CLOCK_MONOTONIC);
        if (now >= *next_tick) {
                *next_tick = now + TICK_MS * MS_NS;
                tick(g);
        }
        return g->is_leaving ? fds[0].revents || g->n_waiters : !is_handed_over(g);
}

static bool watch_signals(struct guardian *g)
{
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, LEASE_SIGNAL);
        sigaddset(&set, SIGIO);
        sigprocmask(SIG_BLOCK, &set, NULL);
        g->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
        return g->signals >= 0;
}

/* Descriptors that rows may hold: what is left of the limit after the jobs', which have two for each waiter. */
static size_t rows_held_max(void)
{
        struct rlimit r;
        rlim_t used = FDS_OTHER + 2 * JOBS_MAX + 2 * WAITERS_MAX;
        if (getrlimit(RLIMIT_NOFILE, &r) < 0)
                return 64;
        r.rlim_cur = r.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &r);
        return r.rlim_cur > used + 64 ? (size_t)MIN(r.rlim_cur - used, (rlim_t)VERDICTS_ROWS_MAX) : 64;
}

void guardian_run(void *config, int report_fd)
{
        struct guardian *g = xcalloc(1, sizeof(*g));
        int64_t next_tick = 0;
        g->c = config;
        g->group = g->c->group;
        g->report_fd = report_fd;
        g->scanner_fd = g->scanner_pidfd = -1;
        g->reporter.fd = report_fd;
        (void)prctl(PR_SET_NAME, "sekisho-guard");
        (void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
        jobs_init(g);
        g->held_max = rows_held_max();
        g->verdicts = verdicts_new(g->held_max, lease_end, g);
        ahead_init(g);
        if (!watch_signals(g))
                _exit(1);
        if (g->c->takes_over == TAKES_OVER_DEAD) {
                struct rlimit r = { .rlim_cur = 65536 };
                (void)getrlimit(RLIMIT_NOFILE, &r);
                (void)fanotify_forget_inodes(g->group); /* no lease anchors them any more */
                size_t n = fanotify_answer_orphans(g->group, g->c->desk, (int)MIN(r.rlim_cur, (rlim_t)1 << 20),
                                                   g->c->o.dry_run);
                tell(g, "restarted", 1, "the guardian died; another has taken over");
                if (n)
                        tell(g, "unanswered", n, "what the guardian before had not answered was denied");
        }
        start_scanner(g);
        while (round_of_loop(g, &next_tick))
                ;
        end_scanner(g);
        tell(g, "ended", g->looks, "");
        report_finish(&g->reporter, 1000);
        _exit(0);
}
