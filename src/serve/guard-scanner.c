/*
 * The scanner: takes files from the guardian, hands each to a worker, and says what that said. It reads no file and
 * waits for nobody but its descriptors: finds are dealt with by responders. When it dies the guardian starts another
 * and asks again, so it keeps nothing that matters.
 */
#include "serve/guard-private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS_MAX       4
#define WORKER_FILES_MAX  64    /* then it is replaced: one that was taken over lies no longer than that */
#define WORKER_MS         30000 /* for one file */
#define ASKED_MAX         1024  /* files at hand; the guardian hands over fewer */
#define RESPONDERS_MAX    64
#define PROBLEMS_A_MINUTE 60 /* reports of what was not looked at in full; more are counted */

struct asked {
        struct guard_ask ask;
        int fd, pidfd;
        bool is_wanted; /* somebody waits for it */
        bool is_late, was_allowed;
        struct asked *next;
};

struct scan_worker {
        struct servant servant;
        struct asked *at; /* NULL: idle */
        unsigned files;
        int64_t since_ns;
};

struct scanner {
        const struct guard_config *config;
        int guardian;
        struct servant_work work;
        struct scan_worker workers[WORKERS_MAX];
        size_t n_workers;
        struct asked *first, **last; /* waiting for a worker */
        size_t n_asked;
        size_t n_responders;
        struct reporter reporter;
        struct quarantine store; /* to ask what was cleared; dir < 0: there is none */
        int64_t minute_ns;
        unsigned problems;
};

static void say(struct scanner *s, const struct guard_said *said)
{
        struct pollfd p = { .fd = s->guardian, .events = POLLOUT };
        while (message_send(s->guardian, said, sizeof(*said), NULL, 0) == -EAGAIN)
                (void)poll(&p, 1, 1000); /* the guardian always reads */
}

static void forget(struct scanner *s, struct asked *a)
{
        close_fd(a->fd);
        close_fd(a->pidfd);
        free(a);
        s->n_asked--;
}

static void end_of(struct scanner *s, struct asked *a, enum verdict verdict)
{
        say(s, &(struct guard_said){ .job = a->ask.job, .kind = SAID_VERDICT, .verdict = verdict });
        forget(s, a);
}

/* --- what was found --- */

/*
 * Who waits for an answer is there; who has written may have ended, and only his descriptor knows. What the walker met
 * has a name below the storage that it walked through.
 */
static void take_scene(const struct scanner *s, struct guard_scene *scene, const struct asked *a)
{
        bool waits = a->ask.mask & (FAN_OPEN_EXEC_PERM | FAN_OPEN_PERM);
        guard_scene_take(scene, a->fd, waits || a->pidfd >= 0 ? a->ask.pid : 0, a->pidfd);
        if (a->ask.storage) {
                const char *storage = s->config->o.storages[a->ask.storage - 1];
                scene->name = arena_printf(&scene->arena, "%s%.*s", strcmp(storage, "/") == 0 ? "" : storage,
                                           STR_FMT(scene->name));
        }
}

/* What is told, and nothing is done about. finding: NULL if it is not about one. */
static void report_problem(struct scanner *s, const struct asked *a, const char *event,
                           const struct guard_finding *finding, struct str code, struct str detail)
{
        static const struct fact_malware none;
        const struct fact_malware *m = finding ? &finding->malware : &none;
        struct guard_scene scene;
        int64_t now = guard_now_ns(CLOCK_MONOTONIC);
        if (now - s->minute_ns > 60 * 1000 * MS_NS) {
                s->minute_ns = now;
                s->problems = 0;
        }
        if (s->problems++ >= PROBLEMS_A_MINUTE) {
                s->reporter.lost++;
                return;
        }
        take_scene(s, &scene, a);
        struct fact_guarded f = { .event = str_of(event),
                                  .access = str_of(guard_access_name(a->ask.mask)),
                                  .path = scene.name,
                                  .size = (uint64_t)scene.st.st_size,
                                  .sha256 = finding ? str_span(finding->sha256, 32) : STR_NONE,
                                  .engine = m->engine,
                                  .rule = m->rule,
                                  .family = m->family,
                                  .description = m->description,
                                  .members = m->members,
                                  .tags = m->tags,
                                  .pid = (uint64_t)MAX(a->ask.pid, 0),
                                  .process = scene.comm,
                                  .exe = scene.exe,
                                  .chain = scene.chain,
                                  .detail = arena_printf(&scene.arena, "%.*s%s%.*s", STR_FMT(code),
                                                         code.n && detail.n ? ": " : "", STR_FMT(detail)) };
        report_send(&s->reporter, &f);
        guard_scene_done(&scene);
}

static void reap_responders(struct scanner *s)
{
        /* Servants are reaped by their numbers, before their place is free: what else has ended is a responder. */
        siginfo_t info = { .si_pid = 0 };
        while (s->n_responders && waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid) {
                for (size_t i = 0; i < s->n_workers; i++)
                        if (s->workers[i].servant.pid == info.si_pid)
                                return; /* its socket says so too: next time */
                (void)waitpid(info.si_pid, NULL, 0);
                s->n_responders--;
                info.si_pid = 0;
        }
}

static void start_responder(struct scanner *s, const struct guard_detection *d)
{
        pid_t pid = s->n_responders < RESPONDERS_MAX ? fork() : -1;
        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0); /* it ends what it began */
                close(s->guardian);
                for (size_t i = 0; i < s->n_workers; i++)
                        if (s->workers[i].servant.pid)
                                close(s->workers[i].servant.fd);
                guard_respond(d, s->reporter.fd);
                _exit(0);
        }
        if (pid > 0) {
                s->n_responders++;
                return;
        }
        struct fact_guarded f = { .event = STR("malware"),
                                  .access = str_of(guard_access_name(d->mask)),
                                  .path = d->scene->name,
                                  .sha256 = str_span(d->finding->sha256, 32),
                                  .rule = d->finding->malware.rule,
                                  .pid = (uint64_t)MAX(d->scene->pid, 0),
                                  .process = d->scene->comm,
                                  .detail = STR("denied, and nothing else done: too many finds at once") };
        report_send(&s->reporter, &f);
}

/* True if it is to be taken for clean after all: a person has restored this content. */
static bool is_cleared(struct scanner *s, const struct asked *a, const struct guard_finding *finding)
{
        if (s->store.dir < 0 && *s->config->o.quarantine)
                (void)quarantine_open(s->config->o.quarantine, false, &s->store, NULL);
        if (s->store.dir < 0 || !quarantine_is_cleared(&s->store, str_span(finding->sha256, 32)))
                return false;
        report_problem(s, a, "cleared", finding, STR_NONE, STR("it was restored out of the quarantine"));
        return true;
}

static void on_malware(struct scanner *s, struct asked *a, struct guard_finding *finding)
{
        struct guard_scene scene;
        take_scene(s, &scene, a);
        guard_scene_take_container(&scene);
        struct guard_detection d = { .config = s->config,
                                     .finding = finding,
                                     .scene = &scene,
                                     .fd = a->fd,
                                     .mask = a->ask.mask,
                                     .was_allowed = a->is_late && a->was_allowed };
        start_responder(s, &d);
        guard_scene_done(&scene);
        end_of(s, a, VERDICT_MALWARE);
}

static void on_finding(struct scanner *s, struct asked *a, struct guard_finding *finding)
{
        bool is_found = finding->verdict == VERDICT_MALWARE, is_sure = str_is(finding->malware.confidence, "high");
        if (is_found && is_sure && !is_cleared(s, a, finding)) {
                on_malware(s, a, finding);
                return;
        }
        if (is_found && !is_sure) /* it may have an honest reason */
                report_problem(s, a, "suspicious", finding, STR_NONE, STR("allowed: its rule is not sure"));
        if (finding->code.n)
                report_problem(s, a, "incomplete", NULL, finding->code, finding->detail);
        end_of(s, a, finding->code.n ? VERDICT_INCOMPLETE : VERDICT_CLEAN);
}

/* --- workers --- */

static void end_worker(struct scan_worker *w, char words[static SERVANT_WORDS_MAX])
{
        servant_end(&w->servant, words);
        w->files = 0;
}

static void give_up(struct scanner *s, struct scan_worker *w, const char *code, const char *why)
{
        char words[SERVANT_WORDS_MAX];
        struct asked *a = w->at;
        w->at = NULL;
        end_worker(w, words);
        if (!a)
                return;
        report_problem(s, a, "incomplete", NULL, str_of(code), str_of(why ? why : words));
        end_of(s, a, VERDICT_INCOMPLETE);
}

static void take_reply(struct scanner *s, struct scan_worker *w)
{
        struct buf reply = BUF_INIT(MESSAGE_MAX);
        struct arena arena = ARENA_INIT;
        struct guard_finding finding;
        int r = servant_take(&w->servant, &reply);
        if (r < 0) {
                give_up(s, w, "crashed", NULL);
        } else if (r > 0 && (!w->at || !guard_finding_decode(buf_str(&reply), &arena, &finding))) {
                give_up(s, w, "crashed", "the worker's answer is none: it is not trusted");
        } else if (r > 0) {
                struct asked *a = w->at;
                char words[SERVANT_WORDS_MAX];
                w->at = NULL;
                if (++w->files >= WORKER_FILES_MAX)
                        end_worker(w, words);
                on_finding(s, a, &finding);
        }
        buf_done(&reply);
        arena_done(&arena);
}

static struct scan_worker *idle_worker(struct scanner *s)
{
        struct scan_worker *found = NULL;
        for (size_t i = 0; i < s->n_workers; i++)
                if (!s->workers[i].at && (!found || s->workers[i].servant.pid))
                        found = &s->workers[i];
        return found;
}

/* Those that somebody waits for go before the others. */
static struct asked *next_asked(struct scanner *s)
{
        struct asked **at = &s->first;
        for (struct asked **a = &s->first; *a; a = &(*a)->next)
                if ((*a)->is_wanted) {
                        at = a;
                        break;
                }
        struct asked *a = *at;
        if (!a)
                return NULL;
        *at = a->next;
        if (!a->next) /* it was the last one */
                s->last = at;
        return a;
}

static void hand_out(struct scanner *s)
{
        struct scan_worker *w;
        while (s->first && (w = idle_worker(s))) {
                struct asked *a = next_asked(s);
                struct error err = ERROR_NONE;
                char path[64], name[4096];
                snprintf(path, sizeof(path), "/proc/self/fd/%d", a->fd);
                ssize_t n = readlink(path, name, sizeof(name));
                struct str question = n > 1 ? str_span(name + 1, (size_t)n - 1) : STR("?");
                w->at = a;
                w->since_ns = guard_now_ns(CLOCK_MONOTONIC);
                if (!w->servant.pid && servant_start(&s->work, &w->servant, &err) < 0)
                        give_up(s, w, "crashed", err.text);
                else if (servant_ask(&w->servant, question, &a->fd, 1) < 0)
                        give_up(s, w, "crashed", NULL);
        }
}

static void look_at_clock(struct scanner *s)
{
        int64_t now = guard_now_ns(CLOCK_MONOTONIC);
        for (size_t i = 0; i < s->n_workers; i++)
                if (s->workers[i].at && now - s->workers[i].since_ns > WORKER_MS * MS_NS)
                        give_up(s, &s->workers[i], "timeout", "it took longer than 30 s");
}

/* --- the guardian --- */

static void take_ask(struct scanner *s, const struct guard_ask *ask, const int fds[static MESSAGE_FDS_MAX])
{
        struct asked *a = xcalloc(1, sizeof(*a));
        *a = (struct asked){ .ask = *ask,
                             .fd = fds[0],
                             .pidfd = ask->has_pidfd ? fds[1] : -1,
                             .is_wanted = ask->mask & (FAN_OPEN_EXEC_PERM | FAN_OPEN_PERM) };
        *s->last = a;
        s->last = &a->next;
        s->n_asked++;
        if (a->fd < 0 || s->n_asked > ASKED_MAX) { /* no descriptor came: there are too many in this process */
                struct asked **at = &s->first;
                while (*at != a)
                        at = &(*at)->next;
                *at = NULL;
                s->last = at;
                end_of(s, a, VERDICT_INCOMPLETE);
        }
}

static void note_late(struct scanner *s, const struct guard_ask *ask)
{
        for (struct asked *a = s->first; a; a = a->next)
                if (a->ask.job == ask->job) {
                        a->is_late = true;
                        a->was_allowed = ask->allowed;
                }
        for (size_t i = 0; i < s->n_workers; i++)
                if (s->workers[i].at && s->workers[i].at->ask.job == ask->job) {
                        s->workers[i].at->is_late = true;
                        s->workers[i].at->was_allowed = ask->allowed;
                }
}

static void note_wanted(struct scanner *s, uint64_t job)
{
        for (struct asked *a = s->first; a; a = a->next)
                a->is_wanted |= a->ask.job == job;
}

static void take_asks(struct scanner *s)
{
        struct guard_ask ask;
        int fds[MESSAGE_FDS_MAX];
        ssize_t n;
        while ((n = message_take(s->guardian, &ask, sizeof(ask), fds)) > 0) {
                if (n == sizeof(ask) && ask.kind == ASK_SCAN) {
                        take_ask(s, &ask, fds);
                        continue;
                }
                for (size_t i = 0; i < MESSAGE_FDS_MAX; i++)
                        close_fd(fds[i]);
                if (n == sizeof(ask) && ask.kind == ASK_EXPIRED)
                        note_late(s, &ask);
                else if (n == sizeof(ask) && ask.kind == ASK_WANTED)
                        note_wanted(s, ask.job);
                else if (n == sizeof(ask) && ask.kind == ASK_PING)
                        say(s, &(struct guard_said){ .kind = SAID_PONG });
        }
        if (n == 0 || (n < 0 && n != -EAGAIN))
                _exit(0); /* the guardian is gone; workers die with us */
}

static void loop(struct scanner *s)
{
        for (;;) {
                struct pollfd fds[2 + WORKERS_MAX] = {
                        { .fd = s->guardian, .events = POLLIN },
                        { .fd = report_wants_to_write(&s->reporter) ? s->reporter.fd : -1, .events = POLLOUT },
                };
                for (size_t i = 0; i < s->n_workers; i++)
                        fds[2 + i] = (struct pollfd){ .fd = s->workers[i].servant.pid ? s->workers[i].servant.fd : -1,
                                                      .events = POLLIN };
                (void)poll(fds, 2 + s->n_workers, 1000);
                if (fds[0].revents)
                        take_asks(s);
                for (size_t i = 0; i < s->n_workers; i++)
                        if (fds[2 + i].revents)
                                take_reply(s, &s->workers[i]);
                look_at_clock(s);
                hand_out(s);
                report_flush(&s->reporter);
                reap_responders(s);
        }
}

void scanner_run(void *start, int guardian_fd)
{
        const struct scanner_start *from = start;
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        struct scanner s = { .config = from->config,
                             .guardian = guardian_fd,
                             .work = { .begin = guard_worker_begin,
                                       .answer = guard_worker_answer,
                                       .arg = (void *)from->config,
                                       .memory_max = GUARD_WORKER_MEMORY },
                             .n_workers = (size_t)(cores < WORKERS_MIN   ? WORKERS_MIN
                                                   : cores > WORKERS_MAX ? WORKERS_MAX
                                                                         : cores),
                             .reporter = { .fd = from->report_fd },
                             .store = { .dir = -1, .objects = -1, .items = -1, .cleared = -1 } };
        s.last = &s.first;
        (void)fcntl(guardian_fd, F_SETFL, O_NONBLOCK);
        (void)prctl(PR_SET_NAME, "sekisho-scanner");
        loop(&s);
}
