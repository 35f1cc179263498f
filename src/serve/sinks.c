/*
 * The part that hands alerts to the sinks' children. What a child's socket does not take at once is lost to that sink,
 * counted and told; the file of alerts has it.
 */
#include "serve/agent-private.h"
#include "serve/child.h"
#include "serve/sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

extern const struct sink_kind sink_falcosidekick, sink_ocsf_findings, sink_syslog, sink_webhook;

const struct sink_kind *const sinks[] = { &sink_falcosidekick, &sink_ocsf_findings, &sink_syslog, &sink_webhook, NULL };

void sink_print(json_t *o, struct buf *to)
{
        char *text = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
        json_decref(o);
        buf_puts(to, text ? text : "{}");
        free(text);
}

struct one {
        struct sinks *all;
        struct sink_job job;
        char *target;
        char name[300]; /* kind and target, without secrets */
        struct child child;
        uint64_t *delivered, *lost, *refused; /* the agent's counters */
        bool is_losing;
};

struct sinks {
        struct agent *agent;
        struct one v[FACES_SINKS_MAX];
        size_t n;
};

/* ---------------------------------------------------------------------------------------------- what comes back ----
 */

static void take_report(void *arg, struct str message)
{
        struct one *s = arg;
        struct sink_report r;
        if (message.n != sizeof(r))
                return;
        memcpy(&r, message.p, sizeof(r));
        r.words[sizeof(r.words) - 1] = '\0';
        *s->delivered += r.delivered;
        *s->lost += r.lost;
        *s->refused += r.refused;
        if (r.words[0])
                agent_tell(s->all->agent, "sink %s: %s", s->name, r.words);
        if (r.lost > 0)
                agent_tell(s->all->agent, "sink %s: %llu alerts are lost to it: its queue is full", s->name,
                           (unsigned long long)r.lost);
}

static void on_ended(struct one *s)
{
        agent_remove_source(s->all->agent, s->child.fd);
        child_end(&s->child, NULL, NULL);
        s->child.fd = -1;
        agent_tell(s->all->agent, "sink %s: its process ended; no alert reaches it any more", s->name);
}

static void on_message(void *arg)
{
        struct one *s = arg;
        char message[sizeof(struct sink_report) + 1];
        ssize_t n = recv(s->child.fd, message, sizeof(message), MSG_DONTWAIT);
        if (n > 0)
                take_report(s, str_span(message, (size_t)n));
        else if (n == 0)
                on_ended(s);
}

/* ----------------------------------------------------------------------------------------------- what goes out ---- */

static void hand_over(struct one *s, struct str line)
{
        bool is_taken = s->child.fd >= 0 && line.n <= CHILD_MESSAGE_MAX &&
                        send(s->child.fd, line.p, line.n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)line.n;
        *s->lost += !is_taken;
        if (!is_taken && !s->is_losing && s->child.fd >= 0)
                agent_tell(s->all->agent, "sink %s: alerts are lost to it: it does not keep up", s->name);
        s->is_losing = !is_taken;
}

static void on_alert(void *state, const struct alert *alert)
{
        struct sinks *all = state;
        _cleanup_(buf_done) struct buf line = BUF_INIT(ALERT_LINE_MAX);
        alert_line(alert, &line);
        for (size_t i = 0; i < all->n; i++)
                hand_over(&all->v[i], buf_str(&line));
}

/* ------------------------------------------------------------------------------------------------- the part ---- */

static const struct sink_kind *find_kind(struct str kind)
{
        size_t i = 0;
        while (sinks[i] && !str_is(kind, sinks[i]->kind))
                i++;
        return sinks[i];
}

static int start_one(struct one *s, const char *spec, struct error *err)
{
        struct agent *a = s->all->agent;
        struct str rest = str_of(spec), kind = str_cut(&rest, '=');
        char name[256] = "", label[256];
        s->job.kind = find_kind(kind);
        if (!s->job.kind)
                return error_set(err, -EINVAL,
                                 "--sink: no sink is called \"%.*s\": falcosidekick, ocsf, syslog or webhook",
                                 STR_FMT(kind));
        s->target = rest.p ? xstrdup(rest.p) : NULL;
        s->job.target = s->target;
        int r = s->job.kind->open(s->target, &s->job.fd, name, err);
        if (r < 0)
                return error_prefix(err, r, "--sink %s", s->job.kind->kind);
        snprintf(s->name, sizeof(s->name), "%s (%s)", s->job.kind->kind, name);
        r = child_start("sekisho-sink", sink_run, &s->job, s->job.fd, &s->child, err);
        close_fd(s->job.fd);
        if (r == 0 && agent_add_source(a, s->child.fd, on_message, s) < 0)
                r = error_set(err, -E2BIG, "no more descriptors can be watched");
        stats_label("sink", str_of(s->name), label);
        s->delivered =
                agent_counter(a, STATS_COUNTER, "sekisho_sink_delivered_total", "Alerts that a sink took.", label);
        s->lost = agent_counter(a, STATS_COUNTER, "sekisho_sink_lost_total", "Alerts that a sink had no room for.",
                                label);
        s->refused = agent_counter(a, STATS_COUNTER, "sekisho_sink_refused_total",
                                   "Alerts that a sink's target refused for good.", label);
        return r;
}

static void stop(void *state)
{
        struct sinks *all = state;
        for (size_t i = 0; i < all->n; i++) { /* all of them drain at the same time */
                if (all->v[i].child.pid > 0)
                        (void)shutdown(all->v[i].child.fd, SHUT_WR);
        }
        for (size_t i = 0; i < all->n; i++) {
                struct one *s = &all->v[i];
                if (s->child.pid > 0)
                        agent_remove_source(all->agent, s->child.fd);
                child_end(&s->child, take_report, s);
                if (s->delivered && *s->lost + *s->refused > 0)
                        agent_tell(all->agent, "sink %s: %llu alerts delivered, %llu lost, %llu refused", s->name,
                                   (unsigned long long)*s->delivered, (unsigned long long)*s->lost,
                                   (unsigned long long)*s->refused);
                free(s->target);
        }
        free(all);
}

static int start(struct agent *a, void **ret, struct error *err)
{
        if (a->o->faces.n_sinks == 0)
                return 0;
        struct sinks *all = xcalloc(1, sizeof(*all));
        all->agent = a;
        *ret = all;
        if (a->o->faces.n_sinks > FACES_SINKS_MAX)
                return error_set(err, -E2BIG, "--sink: more than %u", FACES_SINKS_MAX);
        for (size_t i = 0; i < a->o->faces.n_sinks; i++) {
                struct one *s = &all->v[all->n++];
                *s = (struct one){ .all = all, .job = { .fd = -1 }, .child = { .fd = -1 } };
                int r = start_one(s, a->o->faces.sinks[i], err);
                if (r < 0)
                        return r;
        }
        return 0;
}

const struct agent_part part_sinks = {
        .name = "sinks", .is_early = true, .start = start, .on_alert = on_alert, .stop = stop
};
