/*
 * See guard-guardian.h. What makes a cached verdict sound is the order of steps here: the lease is taken before content
 * is looked at, and held; the ignore mark is made while it is held; and then it is looked whether a writer waits. A
 * writer's open() returns only after the mark was taken away and the lease after it.
 */
#include "serve/guard-guardian.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IS_ASKING (FAN_OPEN_EXEC_PERM | FAN_OPEN_PERM)

/* ------------------------------------------------------------------------------------------------- small things ----
 */

void jobs_init(struct guardian *g)
{
        for (size_t i = JOBS_MAX; i-- > 0;) {
                g->jobs[i] = (struct job){ .fd = -1, .pidfd = -1, .next = g->free_jobs };
                g->free_jobs = &g->jobs[i];
        }
        for (size_t i = WAITERS_MAX; i-- > 0;) {
                g->waiters[i].next = g->free_waiters;
                g->free_waiters = &g->waiters[i];
        }
        g->wanted.last = &g->wanted.first;
        g->written.last = &g->written.first;
}

bool jobs_have_room(const struct guardian *g)
{
        return g->n_jobs + FANOTIFY_EVENTS_MAX <= JOBS_MAX && g->n_waiters + FANOTIFY_EVENTS_MAX <= WAITERS_MAX;
}

static void push(struct job_queue *q, struct job *j)
{
        j->next = NULL;
        *q->last = j;
        q->last = &j->next;
}

static bool take_out(struct job_queue *q, struct job *j)
{
        struct job **at = &q->first;
        while (*at && *at != j)
                at = &(*at)->next;
        if (!*at)
                return false;
        *at = j->next;
        if (!j->next)
                q->last = at;
        return true;
}

static void answer(struct guardian *g, int fd, bool allow)
{
        (void)fanotify_answer(g->group, g->c->desk, fd,
                              allow || g->c->o.dry_run); /* nobody waits any more: killed meanwhile */
}

static bool looks_at_opens(const struct guardian *g) { return g->c->o.mode == GUARD_BALANCED; }

static void index_fd(struct guardian *g, int fd, uint32_t to)
{
        if (fd >= g->job_of_fd_n) {
                int n = MAX(fd + 1, 2 * g->job_of_fd_n);
                g->job_of_fd = xreallocarray(g->job_of_fd, (size_t)n, sizeof(*g->job_of_fd));
                while (g->job_of_fd_n < n)
                        g->job_of_fd[g->job_of_fd_n++] = 0;
        }
        g->job_of_fd[fd] = to;
}

static void give_lease_back(struct guardian *g, struct job *j)
{
        if (!j->has_lease)
                return;
        index_fd(g, j->fd, 0);
        lease_drop(j->fd);
        j->has_lease = false;
}

/* Once: it is so for all of a file system. */
static void tell_unleased(struct guardian *g, int fd, int r)
{
        struct guard_scene scene;
        char detail[128];
        if (g->is_unleased_told)
                return;
        g->is_unleased_told = true;
        guard_scene_take(&scene, fd, 0, -1);
        snprintf(detail, sizeof(detail),
                 "it gives no lease (%s): what is like it is looked at each time that it is wanted", strerror(-r));
        report_send(&g->reporter,
                    &(struct fact_guarded){ .event = STR("unleased"), .path = scene.name, .detail = str_of(detail) });
        guard_scene_done(&scene);
}

/* The key is read with the lease held, where there is one: it is that of what will be looked at. */
static void begin_round(struct guardian *g, struct job *j)
{
        struct stat st;
        int r = j->has_lease ? 0 : lease_take(j->fd, LEASE_SIGNAL);
        if (r == 0 && !j->has_lease) {
                j->has_lease = true;
                index_fd(g, j->fd, 1 + (uint32_t)(j - g->jobs));
        }
        j->is_unleased = r < 0 && r != -EAGAIN;
        if (j->is_unleased)
                tell_unleased(g, j->fd, r);
        if (fstat(j->fd, &st) == 0)
                j->key = file_key_of(&st);
        j->looked_ns = guard_now_ns(CLOCK_REALTIME);
        j->rounds++;
}

static struct job *job_new(struct guardian *g, int fd, uint64_t mask)
{
        struct job *j = g->free_jobs;
        g->free_jobs = j->next;
        g->n_jobs++;
        g->last_id += JOBS_MAX;
        *j = (struct job){ .id = g->last_id + (uint64_t)(j - g->jobs), .fd = fd, .pidfd = -1 };
        j->is_written = !(mask & IS_ASKING);
        g->n_written += j->is_written;
        begin_round(g, j);
        return j;
}

static struct job *job_by_id(struct guardian *g, uint64_t id)
{
        struct job *j = &g->jobs[id % JOBS_MAX];
        return id && j->id == id ? j : NULL;
}

static void leave_ahead(struct guardian *g, struct job *j)
{
        g->ahead.n_jobs -= j->is_ahead;
        j->is_ahead = false;
}

/* Somebody waits for it now: it is no longer one of those that can wait. */
static void make_wanted(struct guardian *g, struct job *j)
{
        if (!j->is_written)
                return;
        j->is_written = false;
        g->n_written--;
        leave_ahead(g, j);
        if (j->is_sent) {
                struct guard_ask ask = { .job = j->id, .kind = ASK_WANTED };
                g->n_sent_written--;
                (void)message_send(g->scanner_fd, &ask, sizeof(ask), NULL, 0); /* it has it at hand anyway */
        }
        if (take_out(&g->written, j))
                push(&g->wanted, j);
}

static void job_end(struct guardian *g, struct job *j)
{
        leave_ahead(g, j);
        give_lease_back(g, j);
        close_fd(j->fd);
        close_fd(j->pidfd);
        g->n_written -= j->is_written;
        g->n_jobs--;
        *j = (struct job){ .fd = -1, .pidfd = -1, .next = g->free_jobs };
        g->free_jobs = j;
}

static void waiter_end(struct guardian *g, struct waiter *w, int but_not)
{
        if (w->fd != but_not)
                close_fd(w->fd);
        close_fd(w->pidfd);
        w->next = g->free_waiters;
        g->free_waiters = w;
        g->n_waiters--;
}

static void answer_all(struct guardian *g, struct job *j, bool allow)
{
        for (struct waiter *w; (w = j->waiters);) {
                j->waiters = w->next;
                answer(g, w->fd, allow);
                waiter_end(g, w, j->fd);
        }
}

static void report(struct guardian *g, const char *event, const struct waiter *w, bool allowed, const char *detail)
{
        struct guard_scene scene;
        struct str action = allowed ? STR("allowed") : g->c->o.dry_run ? STR("would-deny") : STR("denied");
        guard_scene_take(&scene, w->fd, w->pid, w->pidfd);
        struct fact_guarded f = { .event = str_of(event),
                                  .access = str_of(guard_access_name(w->mask)),
                                  .actions = { &action, 1 },
                                  .path = scene.name,
                                  .size = (uint64_t)scene.st.st_size,
                                  .pid = (uint64_t)MAX(w->pid, 0),
                                  .process = scene.comm,
                                  .exe = scene.exe,
                                  .chain = scene.chain,
                                  .detail = str_of(detail) };
        report_send(&g->reporter, &f);
        guard_scene_done(&scene);
}

/* ------------------------------------------------------------------------------------------------------ verdicts ----
 */

enum outcome { KEPT, NOT_KEPT, WRITABLE };

/*
 * KEPT: the kernel answers for this file from now on. WRITABLE: somebody has it open for writing, or is about to; what
 * was looked at may have changed since. Where a file system has no leases nobody can tell: what was looked at counts,
 * for this once.
 */
static enum outcome remember(struct guardian *g, struct job *j, enum verdict verdict)
{
        if (!j->has_lease)
                return j->is_unleased ? NOT_KEPT : WRITABLE;
        bool is_ignored = !g->handover && fanotify_ignore(g->group, j->fd) == 0;
        if (lease_is_breaking(j->fd)) {
                (void)fanotify_heed(g->group, j->fd);
                return WRITABLE;
        }
        if (looks_at_opens(g))
                (void)fanotify_unwatch(g->group, j->fd);
        if (!is_ignored)
                return NOT_KEPT;
        index_fd(g, j->fd, 0);
        j->has_lease = false; /* it goes on with the row */
        verdicts_put(g->verdicts, &j->key, verdict, j->fd, j->looked_ns);
        return KEPT;
}

/* The lease that was not to be had before. False: it still is not. */
static bool has_another_round(struct guardian *g, struct job *j)
{
        if (j->rounds >= JOB_ROUNDS_MAX)
                return false;
        give_lease_back(g, j);
        begin_round(g, j);
        return j->has_lease;
}

static bool wants_exec(const struct job *j)
{
        for (const struct waiter *w = j->waiters; w; w = w->next)
                if (w->mask & FAN_OPEN_EXEC_PERM)
                        return true;
        return false;
}

/* Executing what somebody can write at the same time: other file systems say ETXTBSY, an overlay lets it run. */
static void settle_writable(struct guardian *g, struct job *j)
{
        bool allow = g->c->o.writable == GUARD_ALLOW;
        for (struct waiter *w; (w = j->waiters);) {
                bool is_exec = w->mask & FAN_OPEN_EXEC_PERM;
                j->waiters = w->next;
                if (is_exec)
                        report(g, "writer", w, allow,
                               "it is open for writing: what runs could differ from what was looked at");
                answer(g, w->fd, allow || !is_exec);
                waiter_end(g, w, j->fd);
        }
        if (looks_at_opens(g))
                (void)fanotify_watch(g->group, j->fd); /* until it was looked at without a writer */
        job_end(g, j);
}

static void settle_good(struct guardian *g, struct job *j, enum verdict verdict)
{
        if (verdict == VERDICT_INCOMPLETE && g->c->o.incomplete == GUARD_DENY) {
                answer_all(g, j, false);
                job_end(g, j);
                return;
        }
        enum outcome outcome = remember(g, j, verdict);
        if (outcome == WRITABLE && wants_exec(j) && has_another_round(g, j)) {
                push(&g->wanted, j); /* its writer is gone: what did he leave? */
        } else if (outcome == WRITABLE && j->is_ahead) {
                job_end(g, j);
        } else if (outcome == WRITABLE) {
                settle_writable(g, j);
        } else {
                answer_all(g, j, true);
                if (outcome == KEPT)
                        j->fd = -1; /* the row's */
                job_end(g, j);
        }
}

static void wanted_until(struct guardian *g, const struct fanotify_event *e, int64_t deadline_ns);

/* The first waiter is who the scanner was asked about; the others are looked at as themselves. */
static void settle_malware(struct guardian *g, struct job *j)
{
        verdicts_put(g->verdicts, &j->key, VERDICT_MALWARE, -1, j->looked_ns);
        if (g->c->o.mode != GUARD_STRICT)
                (void)fanotify_watch(g->group, j->fd);
        struct waiter *others = NULL;
        for (struct waiter *w; (w = j->waiters);) {
                j->waiters = w->next;
                if (w->pid == j->ask.pid) {
                        answer(g, w->fd, false);
                        waiter_end(g, w, j->fd);
                } else {
                        w->next = others;
                        others = w;
                }
        }
        int fd = j->fd;
        bool is_shared = false;
        for (struct waiter *w = others; w; w = w->next)
                is_shared |= w->fd == fd;
        give_lease_back(g, j);
        if (is_shared)
                j->fd = -1;
        job_end(g, j);
        for (struct waiter *w; (w = others);) {
                others = w->next;
                struct fanotify_event e = { .mask = w->mask, .fd = w->fd, .pidfd = w->pidfd, .pid = w->pid };
                int64_t deadline_ns = w->deadline_ns;
                w->pidfd = -1;
                waiter_end(g, w, w->fd);
                wanted_until(g, &e, deadline_ns);
        }
}

void job_verdict(struct guardian *g, uint64_t id, enum verdict verdict)
{
        struct job *j = job_by_id(g, id);
        if (!j || !j->is_sent) /* a late word of a scanner that is gone */
                return;
        j->is_sent = false;
        g->n_sent--;
        g->n_sent_written -= j->is_written;
        if (verdict == VERDICT_MALWARE)
                settle_malware(g, j);
        else
                settle_good(g, j, verdict == VERDICT_CLEAN ? VERDICT_CLEAN : VERDICT_INCOMPLETE);
}

/* -------------------------------------------------------------------------------------------------------- events ----
 */

static bool is_ours(const struct guardian *g, pid_t pid)
{
        return pid == getpid() || pid == g->c->agent || (g->scanner && pid == g->scanner) ||
               (g->ahead.pid && pid == g->ahead.pid);
}

static void drop_event(struct guardian *g, const struct fanotify_event *e, bool allow)
{
        if (e->mask & IS_ASKING)
                answer(g, e->fd, allow);
        close_fd(e->fd);
        close_fd(e->pidfd);
}

/* A job on the same inode whose content cannot change meanwhile. */
static struct job *find_job(struct guardian *g, const struct file_key *key)
{
        for (size_t i = 0, left = g->n_jobs; left && i < JOBS_MAX; i++) {
                struct job *j = &g->jobs[i];
                if (!j->id)
                        continue;
                left--;
                if (j->has_lease && j->key.ino == key->ino && j->key.dev == key->dev)
                        return j;
        }
        return NULL;
}

static void add_waiter(struct guardian *g, struct job *j, const struct fanotify_event *e, int64_t deadline_ns)
{
        struct waiter *w = g->free_waiters;
        g->free_waiters = w->next;
        g->n_waiters++;
        *w = (struct waiter){ .fd = e->fd,
                              .pidfd = e->pidfd,
                              .pid = e->pid,
                              .mask = e->mask,
                              .deadline_ns = deadline_ns,
                              .next = j->waiters };
        j->waiters = w;
        make_wanted(g, j);
        if (!j->is_sent && j->pidfd < 0) { /* who it is asked for */
                j->ask = (struct guard_ask){ .job = j->id, .mask = e->mask, .pid = e->pid };
                j->pidfd = e->pidfd < 0 ? -1 : fcntl(e->pidfd, F_DUPFD_CLOEXEC, 0);
        }
}

/* True if what is known answers it. */
static bool is_known(struct guardian *g, struct job *j)
{
        struct verdict_row *r = verdicts_find(g->verdicts, j->key.dev, j->key.ino);
        if (!r || !verdicts_fits(r, &j->key, j->has_lease))
                return false;
        verdicts_use(g->verdicts, r);
        if (r->verdict == VERDICT_MALWARE) {
                if (g->scanner) /* it does not take long, and then somebody deals with whoever wants it */
                        return false;
                settle_malware(g, j);
                return true;
        }
        settle_good(g, j, r->verdict);
        return true;
}

static void wanted_until(struct guardian *g, const struct fanotify_event *e, int64_t deadline_ns)
{
        struct stat st;
        if (is_ours(g, e->pid) || fstat(e->fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0) {
                drop_event(g, e, true);
                return;
        }
        struct file_key key = file_key_of(&st);
        struct verdict_row *r = verdicts_find(g->verdicts, key.dev, key.ino);
        if (r && r->fd >= 0)
                lease_broken(g, r->fd); /* if a writer waits */
        r = verdicts_find(g->verdicts, key.dev, key.ino);
        if (r && r->fd >= 0) { /* it was asked before its mark was there */
                verdicts_use(g->verdicts, r);
                drop_event(g, e, true);
                return;
        }
        struct job *j = find_job(g, &key);
        bool is_new = !j;
        if (is_new)
                j = job_new(g, e->fd, e->mask);
        add_waiter(g, j, e, deadline_ns);
        if (is_new && !is_known(g, j))
                push(&g->wanted, j);
}

void job_wanted(struct guardian *g, const struct fanotify_event *e)
{
        wanted_until(g, e, guard_now_ns(CLOCK_MONOTONIC) + g->c->deadline_ms * MS_NS);
}

void job_written(struct guardian *g, const struct fanotify_event *e)
{
        struct stat st;
        if (is_ours(g, e->pid) || fstat(e->fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0) {
                drop_event(g, e, true);
                return;
        }
        struct file_key key = file_key_of(&st);
        struct verdict_row *r = verdicts_find(g->verdicts, key.dev, key.ino);
        if ((r && r->fd >= 0) || find_job(g, &key)) { /* it has no writer since, and is or was looked at */
                drop_event(g, e, true);
                return;
        }
        if (looks_at_opens(g))
                (void)fanotify_watch(g->group, e->fd);
        if (g->n_written >= JOBS_WRITTEN_MAX) {
                g->dropped += !looks_at_opens(g); /* what is watched is looked at when it is opened */
                drop_event(g, e, true);
                return;
        }
        struct job *j = job_new(g, e->fd, e->mask);
        j->ask = (struct guard_ask){ .job = j->id, .mask = e->mask, .pid = e->pid };
        j->pidfd = e->pidfd;
        r = verdicts_find(g->verdicts, j->key.dev, j->key.ino);
        if (r && r->verdict != VERDICT_MALWARE && verdicts_fits(r, &j->key, j->has_lease))
                settle_good(g, j, r->verdict);
        else
                push(&g->written, j);
}

/*
 * What somebody has open for writing is left alone: it is looked at when he closes it, and until then each of its opens
 * would have to be.
 */
bool job_ahead(struct guardian *g, int fd, uint32_t storage)
{
        struct stat st;
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0) {
                close(fd);
                return false;
        }
        struct file_key key = file_key_of(&st);
        struct verdict_row *r = verdicts_find(g->verdicts, key.dev, key.ino);
        if ((r && r->fd >= 0) || find_job(g, &key)) {
                close(fd);
                return false;
        }
        struct job *j = job_new(g, fd, ACCESS_AHEAD);
        j->is_ahead = true;
        g->ahead.n_jobs++;
        j->ask = (struct guard_ask){ .job = j->id, .mask = ACCESS_AHEAD, .storage = storage };
        r = verdicts_find(g->verdicts, j->key.dev, j->key.ino);
        bool is_known = r && verdicts_fits(r, &j->key, j->has_lease);
        if ((!j->has_lease && !j->is_unleased) ||
            (is_known && r->verdict == VERDICT_MALWARE)) /* the latter was told and dealt with */
                job_end(g, j);
        else if (is_known)
                settle_good(g, j, r->verdict);
        else
                push(&g->written, j);
        return j->id && !is_known;
}

/* ------------------------------------------------------------------------------------------------- to the scanner ----
 */

static bool send_one(struct guardian *g, struct job_queue *q)
{
        struct job *j = q->first;
        int fds[MESSAGE_FDS_MAX] = { j->fd, j->pidfd };
        j->ask.job = j->id;
        j->ask.has_pidfd = j->pidfd >= 0;
        if (message_send(g->scanner_fd, &j->ask, sizeof(j->ask), fds, j->pidfd >= 0 ? 2 : 1) < 0)
                return false; /* later, or to the next scanner */
        (void)take_out(q, j);
        j->is_sent = true;
        g->looks++;
        g->n_sent++;
        g->n_sent_written += j->is_written;
        return true;
}

void jobs_send(struct guardian *g)
{
        if (!g->scanner)
                return;
        while (g->wanted.first && g->n_sent < SENT_MAX && send_one(g, &g->wanted))
                ;
        while (g->written.first && g->n_sent < SENT_MAX && g->n_sent_written < SENT_WRITTEN_MAX &&
               send_one(g, &g->written))
                ;
}

/* ----------------------------------------------------------------------------------------------------- deadlines ----
 */

static void tell_late(struct guardian *g, struct job *j, const struct waiter *w)
{
        bool allow = g->c->late_allows;
        report(g, "late", w, allow,
               allow ? "it was not looked at in time, and allowed; it still is looked at"
                     : "it was not looked at in time, and denied; it still is looked at");
        if (j->is_sent && w->pid == j->ask.pid) {
                struct guard_ask ask = { .job = j->id, .kind = ASK_EXPIRED, .allowed = allow };
                (void)message_send(g->scanner_fd, &ask, sizeof(ask), NULL, 0);
        }
}

/* It is over for its waiters, as the operator has chosen for what was not looked at; nothing is remembered. */
static void give_up(struct guardian *g, struct job *j)
{
        for (struct waiter *w; (w = j->waiters);) {
                j->waiters = w->next;
                tell_late(g, j, w);
                answer(g, w->fd, g->c->late_allows);
                waiter_end(g, w, j->fd);
        }
        job_end(g, j);
}

void jobs_unsend(struct guardian *g)
{
        for (size_t i = 0; i < JOBS_MAX; i++) {
                struct job *j = &g->jobs[i];
                if (!j->id || !j->is_sent)
                        continue;
                j->is_sent = false;
                if (++j->deaths >= DEADLY_MAX)
                        give_up(g, j);
                else
                        push(j->is_written ? &g->written : &g->wanted, j);
        }
        g->n_sent = g->n_sent_written = 0;
}

int jobs_expire(struct guardian *g)
{
        int64_t now = guard_now_ns(CLOCK_MONOTONIC), next = INT64_MAX;
        for (size_t i = 0, left = g->n_jobs; left && i < JOBS_MAX; i++) {
                struct job *j = &g->jobs[i];
                if (!j->id)
                        continue;
                left--;
                for (struct waiter **at = &j->waiters; *at;) {
                        struct waiter *w = *at;
                        if (w->deadline_ns > now) {
                                next = MIN(next, w->deadline_ns);
                                at = &w->next;
                                continue;
                        }
                        tell_late(g, j, w);
                        answer(g, w->fd, g->c->late_allows);
                        *at = w->next;
                        waiter_end(g, w, j->fd);
                }
        }
        return next == INT64_MAX ? -1 : (int)MIN((next - now) / MS_NS + 1, INT64_C(1000));
}

/* -------------------------------------------------------------------------------------------------------- leases ----
 */

static void end_now(int fd)
{
        lease_drop(fd);
        close(fd);
}

void lease_end(void *guardian, int fd)
{
        struct guardian *g = guardian;
        struct stat st;
        bool is_breaking = lease_is_breaking(fd);
        (void)fanotify_heed(g->group, fd);
        if (is_breaking && looks_at_opens(g))
                (void)fanotify_watch(g->group, fd); /* it is about to be written */
        if (is_breaking && g->n_ending < ENDING_MAX && fstat(fd, &st) == 0 && (st.st_mode & 0111))
                g->ending[g->n_ending++] =
                        (struct ending_lease){ fd, guard_now_ns(CLOCK_MONOTONIC) + WRITER_WAITS_MS * MS_NS };
        else
                end_now(fd);
}

int leases_end(struct guardian *g)
{
        int64_t now = guard_now_ns(CLOCK_MONOTONIC);
        size_t n = 0;
        while (n < g->n_ending && g->ending[n].end_ns <= now) /* they lie in their order */
                end_now(g->ending[n++].fd);
        g->n_ending -= n;
        memmove(g->ending, g->ending + n, g->n_ending * sizeof(*g->ending));
        return g->n_ending ? (int)((g->ending[0].end_ns - now) / MS_NS) + 1 : -1;
}

void lease_broken(struct guardian *g, int fd)
{
        struct verdict_row *r = verdicts_holding(g->verdicts, fd);
        if (r && lease_is_breaking(fd)) {
                verdicts_drop(g->verdicts, r);
        } else if (fd < g->job_of_fd_n && g->job_of_fd[fd]) {
                struct job *j = &g->jobs[g->job_of_fd[fd] - 1];
                if (lease_is_breaking(fd))
                        give_lease_back(g, j);
        }
}

static void look_at_row(void *arg, struct verdict_row *r) { lease_broken(arg, r->fd); }

void leases_look(struct guardian *g)
{
        verdicts_visit(g->verdicts, verdicts_held(g->verdicts), look_at_row, g);
        for (size_t i = 0; i < JOBS_MAX; i++)
                if (g->jobs[i].id && g->jobs[i].has_lease)
                        lease_broken(g, g->jobs[i].fd);
}
