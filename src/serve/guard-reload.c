/*
 * Another set of rules for malware, when the agent is told to reload.
 *
 * It is loaded in a process of its own first: what crashes, hangs or does not load there costs nothing, and the old set
 * stays. If it says the same as the old one, nothing is done. If not, the agent loads it too, since guardians, scanners
 * and workers get it by fork, and those that follow one that died need it at once.
 *
 * Then a new guardian takes over. Two cannot read events at the same time: an event is answered by the number of its
 * descriptor, which two processes would use for two files. So the old one takes its ignore marks away, a part at a
 * time, while it goes on answering, and remembers nothing more; then it reads no more events, answers those that it
 * has, and says so. Only then is the new one forked. The marks on the file systems stay, and the agent holds the group:
 * what is executed meanwhile waits in the kernel's queue, for no longer than the slowest of the answers that are still
 * due (at most a deadline) and a fork; nothing is let through unlooked-at. Marks that watch what was written stay too,
 * and the old guardian looks at what it had been shown of that before it ends. The new one's walk goes through
 * everything that is there, by the new rules; what runs and is malware by them is ended by the responder.
 *
 * An old one that does not hand over in time is killed, which is what it would be had it died: see guard-guardian.c.
 */
#include "serve/guard-agent.h"

#include "base/fs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND_NS     INT64_C(1000000000)
#define TRIAL_SECONDS 120
#define HANDOVER_MS   5000 /* beyond the deadline of events */

struct trial_said {
        int r; /* < 0: words say why */
        uint8_t digest[SET_DIGEST];
        char words[ERROR_TEXT_MAX];
};

/* --- the trial --- */

static void try_set(void *guard, int fd)
{
        const struct guard *g = guard;
        struct trial_said said = { .r = 0 };
        struct guard_set set;
        struct error err = ERROR_NONE;
        (void)prctl(PR_SET_NAME, "sekisho-rules");
        said.r = guard_set_load(&g->config.o.malware, &set, &err);
        if (said.r < 0)
                snprintf(said.words, sizeof(said.words), "%s", err.text);
        else
                memcpy(said.digest, set.digest, SET_DIGEST);
        _exit(message_send(fd, &said, sizeof(said), NULL, 0) < 0);
}

static void end_trial(struct guard *g)
{
        if (!g->trial)
                return;
        agent_remove_source(g->agent, g->trial_fd);
        g->trial_fd = close_fd(g->trial_fd);
        (void)kill(g->trial, SIGKILL);
        while (waitpid(g->trial, NULL, 0) < 0 && errno == EINTR)
                ;
        g->trial = 0;
}

static void keep_old(struct guard *g, const char *why)
{
        g->reload = RELOAD_NONE;
        agent_tell(g->agent, "guard: the rules for malware are not loaded anew, the old ones stay: %s", why);
}

/* The set is there: the guardian that runs is asked to hand over; one that does not run has nothing to. */
static void ask_for_handover(struct guard *g)
{
        static const struct guard_command command = { .kind = GUARD_HAND_OVER };
        g->reload = RELOAD_HANDING_OVER;
        g->reload_ns = agent_now_ns(CLOCK_MONOTONIC);
        if (g->guardian->pid && message_send(g->guardian->report_fd, &command, sizeof(command), NULL, 0) < 0)
                (void)kill(g->guardian->pid, SIGKILL);
}

static void on_trial(void *guard)
{
        struct guard *g = guard;
        struct trial_said said;
        struct error err = ERROR_NONE;
        int fds[MESSAGE_FDS_MAX];
        ssize_t n = message_take(g->trial_fd, &said, sizeof(said), fds);
        if (n == -EAGAIN)
                return;
        end_trial(g);
        said.words[sizeof(said.words) - 1] = '\0';
        if (n != sizeof(said)) {
                keep_old(g, "the process that tried to load them died");
        } else if (said.r < 0) {
                keep_old(g, said.words);
        } else if (memcmp(said.digest, g->set.digest, SET_DIGEST) == 0) {
                g->reload = RELOAD_NONE;
                agent_tell(g->agent, "guard: the rules for malware are the same as before");
        } else if (guard_set_load(&g->config.o.malware, &g->next, &err) < 0) {
                keep_old(g, err.text);
        } else {
                ask_for_handover(g);
        }
}

void guard_reload(void *guard)
{
        struct guard *g = guard;
        struct error err = ERROR_NONE;
        static const int keep[COMPANION_KEEPS] = { -1, -1 };
        struct guardian_process *other = &g->guardians[g->guardian == &g->guardians[0]];
        g->is_asked_again = g->reload != RELOAD_NONE || other->pid;
        if (g->is_asked_again)
                return;
        if (companion_start(try_set, g, keep, true, &g->trial_fd, &g->trial, &err) < 0) {
                g->trial = 0;
                keep_old(g, err.text);
                return;
        }
        g->reload = RELOAD_TRYING;
        g->reload_ns = agent_now_ns(CLOCK_MONOTONIC);
        if (agent_add_source(g->agent, g->trial_fd, on_trial, g) < 0) {
                end_trial(g);
                keep_old(g, "the agent has no room for it");
        }
}

/* --- the handover --- */

void guard_handed_over(struct guard *g)
{
        if (g->reload == RELOAD_HANDING_OVER)
                guard_start_next(g, TAKES_OVER_HANDED);
}

void guard_reload_tick(struct guard *g, int64_t now_ns)
{
        int64_t patience =
                g->reload == RELOAD_TRYING ? TRIAL_SECONDS * SECOND_NS : (g->config.deadline_ms + HANDOVER_MS) * MS_NS;
        bool is_late = g->reload != RELOAD_NONE && now_ns - g->reload_ns > patience;
        if (is_late && g->trial) {
                end_trial(g);
                keep_old(g, "they were not loaded within 120 s");
        } else if (is_late && g->guardian->pid) {
                (void)kill(g->guardian->pid, SIGKILL);
        } else if (g->is_asked_again) {
                guard_reload(g);
        }
}

void guard_reload_end(struct guard *g)
{
        end_trial(g);
        guard_set_done(&g->next);
}
