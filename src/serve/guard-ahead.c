/*
 * Looking ahead, the guardian's side: files that the walker (guard-walker.c) hands over become jobs that nobody waits
 * for, so that their first execution finds an ignore mark. Nothing that is asked for is delayed by it: the walker is
 * not listened to while anything else waits for the scanner, and has a few jobs at a time; and it never gets more than
 * half of the descriptors that verdicts may hold: the others are of what is executed.
 */
#include "serve/guard-guardian.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS_AHEAD_MAX 8
#define REAP_MS        5
#define SECOND_NS      INT64_C(1000000000)
#define WORDS_MAX      256

void ahead_init(struct guardian *g)
{
        const struct guard_options *o = &g->c->o;
        g->ahead = (struct ahead){ .fd = -1, .state = AHEAD_TOLD, .due_ns = INT64_MAX };
        if (!o->no_ahead)
                g->ahead.due_ns = 0;
        else if (o->rescan_s)
                g->ahead.due_ns = guard_now_ns(CLOCK_MONOTONIC) + o->rescan_s * SECOND_NS;
}

/* The walker is through with it, or has to be. */
static void stop(struct guardian *g, enum ahead_state state)
{
        g->ahead.fd = close_fd(g->ahead.fd);
        g->ahead.state = state;
        if (g->ahead.pid)
                kill(g->ahead.pid, SIGKILL); /* reaped later: it may be waiting for a disk */
}

void ahead_end(struct guardian *g)
{
        stop(g, AHEAD_TOLD);
        g->ahead.due_ns = INT64_MAX;
}

static void start(struct guardian *g, int64_t now)
{
        static const int keep[COMPANION_KEEPS] = { -1, -1 };
        struct ahead *a = &g->ahead;
        const struct guard_options *o = &g->c->o;
        *a = (struct ahead){ .fd = -1,
                             .state = AHEAD_WALKING,
                             .began_ns = now,
                             .n_jobs = a->n_jobs,
                             .due_ns = o->rescan_s ? now + o->rescan_s * SECOND_NS : INT64_MAX };
        if (companion_start(walker_run, (void *)g->c, keep, true, &a->fd, &a->pid, NULL) < 0) {
                a->pid = 0;
                a->state = AHEAD_DIED;
        }
}

static void tell(struct guardian *g)
{
        static const char *const words[] = {
                [AHEAD_THROUGH] = "",
                [AHEAD_FULL] = "; the rest when it is executed: no more descriptors may be held for it",
                [AHEAD_DIED] = "; its walker died: the rest when it is executed",
        };
        struct ahead *a = &g->ahead;
        char detail[WORDS_MAX], unread[WORDS_MAX / 2] = "";
        int64_t ms = (guard_now_ns(CLOCK_MONOTONIC) - a->began_ns) / MS_NS;
        if (a->unread)
                snprintf(unread, sizeof(unread), ", %llu could not be opened", (unsigned long long)a->unread);
        snprintf(detail, sizeof(detail), "in %lld.%03lld s, %llu of them were not known%s%s", (long long)(ms / 1000),
                 (long long)(ms % 1000), (unsigned long long)a->looked, unread, words[a->state]);
        report_send(&g->reporter,
                    &(struct fact_guarded){ .event = STR("ahead"), .count = a->files, .detail = str_of(detail) });
        a->state = AHEAD_TOLD;
}

bool ahead_listens(const struct guardian *g)
{
        return g->ahead.fd >= 0 && g->ahead.n_jobs < JOBS_AHEAD_MAX && !g->wanted.first && g->scanner &&
               jobs_have_room(g);
}

/* What the walker has said, as much as there is room for. */
void ahead_hear(struct guardian *g)
{
        struct guard_walked said;
        int fds[MESSAGE_FDS_MAX];
        ssize_t n = -EAGAIN;
        while (ahead_listens(g) && (n = message_take(g->ahead.fd, &said, sizeof(said), fds)) > 0) {
                close_fd(fds[1]);
                if (n == sizeof(said) && fds[0] >= 0 && said.storage) {
                        g->ahead.files++;
                        g->ahead.looked += job_ahead(g, fds[0], said.storage);
                        if (verdicts_held(g->verdicts) >= g->held_max / 2)
                                stop(g, AHEAD_FULL);
                } else {
                        close_fd(fds[0]);
                        g->ahead.unread = said.unread;
                        stop(g, AHEAD_THROUGH);
                }
        }
        if (g->ahead.fd >= 0 && (n == 0 || (n < 0 && n != -EAGAIN)))
                stop(g, AHEAD_DIED);
}

int ahead_look(struct guardian *g)
{
        struct ahead *a = &g->ahead;
        int64_t now = guard_now_ns(CLOCK_MONOTONIC);
        if (a->pid && a->fd < 0 && waitpid(a->pid, NULL, WNOHANG) != 0)
                a->pid = 0;
        if (a->state != AHEAD_TOLD && a->fd < 0 && a->n_jobs == 0)
                tell(g);
        if (now >= a->due_ns && a->state == AHEAD_TOLD && !a->pid && !g->is_leaving)
                start(g, now);
        if (a->pid && a->fd < 0)
                return REAP_MS;
        return a->due_ns == INT64_MAX || a->due_ns <= now ? -1 : (int)MIN((a->due_ns - now) / MS_NS + 1, INT64_C(1000));
}
