/*
 * The part that joins alerts into incidents, numbers them, and keeps their log (serve/incident-log.h). It hears of an
 * alert before it is written anywhere, so that the number stands in it. A line that cannot be written is counted and
 * told; the alert goes its way.
 */
#include "base/buf.h"
#include "base/fs.h"
#include "serve/agent-private.h"
#include "serve/incident-log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMMAND_BYTES_MAX 256u
#define BOOT_ID_MAX       64u
#define TELL_MORE_NS      (INT64_C(10) * 1000000000) /* between two entries for what is only counted */

struct incidents {
        struct agent *agent;
        struct incident_table table;
        int fd; /* -1: no log */
        bool is_failing;
        uint64_t failed; /* lines */
        char digest[INCIDENT_DIGEST_BYTES];
        char boot[BOOT_ID_MAX];
        int64_t next_more_ns;
        uint64_t *n_total, *n_open; /* counters of the agent's */
};

/* -------------------------------------------------------------------------------------------------- the log ---- */

static void append(struct incidents *s, const struct incident_entry *e)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(INCIDENT_LINE_MAX);
        char digest[INCIDENT_DIGEST_BYTES];
        if (s->fd < 0)
                return;
        incident_line(e, s->digest, &b);
        incident_digest(buf_str(&b), digest);
        buf_putc(&b, '\n');
        int r = buf_is_full(&b) ? -EFBIG : write_all(s->fd, b.p, b.n);
        if (r == 0)
                memcpy(s->digest, digest, sizeof(digest));
        else
                s->failed++;
        if (r < 0 && !s->is_failing)
                agent_tell(s->agent, "%s: an incident cannot be written down: %s", s->agent->o->incidents,
                           strerror(-r));
        s->is_failing = r < 0;
}

/* What was counted since the last time becomes an entry. */
static void tell_more(struct incidents *s, struct incident *i)
{
        if (i->more == 0)
                return;
        append(s, &(struct incident_entry){ .incident = i->number,
                                            .time_ns = i->last_ns,
                                            .boot = str_of(s->boot),
                                            .priority = i->priority,
                                            .container_id = str_of(i->container),
                                            .more = i->more });
        i->more = 0;
}

static void on_end(void *arg, struct incident *i) { tell_more(arg, i); }

static void on_old(void *arg, const struct incident_entry *e)
{
        struct incidents *s = arg;
        if (str_is(e->boot, s->boot))
                incident_replay(&s->table, e);
        else
                s->table.last_number = MAX(s->table.last_number, e->incident);
}

/* The digest goes on after what a write left half done, behind an end of line of its own. */
static int open_log(struct incidents *s, const char *path, struct error *err)
{
        struct incident_flaws flaws;
        struct stat st;
        char last = '\n';
        int r = incident_read(path, on_old, s, &flaws, s->digest, err);
        if (r < 0 && r != -ENOENT)
                return r;
        if (r == 0 && flaws.first > 0)
                agent_tell(s->agent,
                           "%s: %llu lines are malformed and %llu do not follow the line before them, the "
                           "first in line %llu",
                           path, (unsigned long long)flaws.malformed, (unsigned long long)flaws.breaks,
                           (unsigned long long)flaws.first);
        s->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
        if (s->fd < 0)
                return error_errno(err, -errno, "%s", path);
        if (fstat(s->fd, &st) == 0 && st.st_size > 0 && pread(s->fd, &last, 1, st.st_size - 1) == 1 && last != '\n')
                (void)write_all(s->fd, "\n", 1);
        return 0;
}

/* ------------------------------------------------------------------------------------------------- an alert ---- */

/* argv, each ended by NUL, as a line. */
static struct str command_of(const struct process *p, struct arena *arena)
{
        struct str args = str_upto(p->program->args, COMMAND_BYTES_MAX);
        char *line = arena_cstr(arena, args);
        while (args.n > 0 && line[args.n - 1] == '\0')
                args.n--;
        for (size_t i = 0; i < args.n; i++)
                if (line[i] == '\0')
                        line[i] = ' ';
        return str_span(line, args.n);
}

/* Up to where the line leaves the container: its runtime did nothing. */
static void take_lineage(struct incidents *s, const struct alert *alert, struct arena *arena, struct incident_entry *e)
{
        const struct agent *a = s->agent;
        struct incident_process *v = arena_array(arena, INCIDENT_LINEAGE_MAX, sizeof(*v));
        const struct process *p = alert->process;
        for (; p && e->n_lineage < INCIDENT_LINEAGE_MAX; p = process_ancestor(&a->processes, p, 1)) {
                const struct container_entry *c = container_known(&a->containers, p->cgroup_id);
                if (alert->container && e->n_lineage > 0 && (!c || !str_eq(c->id, alert->container->id)))
                        break;
                v[e->n_lineage++] =
                        (struct incident_process){ .pid = p->pid,
                                                   .session = p->sid,
                                                   .started_ns = p->started_ns,
                                                   .program = str_upto(p->program->exe_path, COMMAND_BYTES_MAX),
                                                   .command = command_of(p, arena) };
        }
        e->lineage = v;
}

static struct str_list tags_of(const struct alert *alert, struct arena *arena)
{
        struct str_list l = { 0 };
        if (alert->rule)
                return alert->rule->tags;
        while (alert->tags && alert->tags[l.n])
                l.n++;
        l.v = arena_array(arena, l.n, sizeof(*l.v));
        for (size_t i = 0; i < l.n; i++)
                l.v[i] = str_of(alert->tags[i]);
        return l;
}

/* Alerts that were held back are those of their container's incident, if there is one. */
static void count_held(struct incidents *s, struct alert *alert)
{
        struct incident_entry e = { .time_ns = alert->time_ns,
                                    .priority = PRIORITY_DEBUG, /* opens none */
                                    .container_id = alert->held_container,
                                    .more = alert->stands_for };
        struct incident *i = incident_join(&s->table, &e);
        if (!i)
                return;
        i->more += alert->stands_for;
        alert->incident = i->number;
}

static void before_alert(void *state, struct alert *alert)
{
        struct incidents *s = state;
        struct arena arena = ARENA_INIT;
        struct incident_entry e = { .time_ns = alert->time_ns, .boot = str_of(s->boot), .priority = alert->priority };
        if (alert->stands_for > 0) {
                count_held(s, alert);
                return;
        }
        if (alert->container) {
                e.container_id = alert->container->id;
                e.container_name = alert->container->facts.name.n > 0 ? alert->container->facts.name : e.container_id;
                e.image = alert->container->facts.image;
        }
        take_lineage(s, alert, &arena, &e);
        uint64_t last = s->table.last_number;
        struct incident *i = incident_join(&s->table, &e);
        *s->n_total += s->table.last_number - last;
        *s->n_open = s->table.n;
        if (i) {
                alert->incident = e.incident = i->number;
                e.rule = alert->rule ? alert->rule->name : str_of(alert->rule_name);
                e.output = alert->output;
                e.action = str_of(alert_action_names[alert->action]);
                e.tags = tags_of(alert, &arena);
                if (i->alerts > INCIDENT_ENTRIES_MAX)
                        i->more++;
                else
                        append(s, &e);
        }
        arena_done(&arena);
}

/* ------------------------------------------------------------------------------------------------- the part ---- */

static void tick(void *state, int64_t now_ns)
{
        struct incidents *s = state;
        incident_end_idle(&s->table, agent_now_ns(CLOCK_REALTIME));
        *s->n_open = s->table.n;
        if (now_ns < s->next_more_ns)
                return;
        s->next_more_ns = now_ns + TELL_MORE_NS;
        for (size_t i = 0; i < s->table.n; i++)
                tell_more(s, &s->table.open[i]);
}

static void stop(void *state)
{
        struct incidents *s = state;
        for (size_t i = 0; i < s->table.n; i++)
                tell_more(s, &s->table.open[i]);
        if (s->failed > 0)
                agent_tell(s->agent, "%llu entries of incidents were not written", (unsigned long long)s->failed);
        incident_table_done(&s->table);
        close_fd(s->fd);
        free(s);
}

static int start(struct agent *a, void **ret, struct error *err)
{
        struct incidents *s = xcalloc(1, sizeof(*s));
        _cleanup_(buf_done) struct buf boot = BUF_INIT(BOOT_ID_MAX - 1);
        *s = (struct incidents){ .agent = a, .fd = -1 };
        s->n_total = agent_counter(a, STATS_COUNTER, "sekisho_agent_incidents_total", "Incidents opened.", "");
        s->n_open = agent_counter(a, STATS_GAUGE, "sekisho_agent_incidents_open", "Incidents that are not over.", "");
        incident_table_init(&s->table, on_end, s);
        if (read_file("/proc/sys/kernel/random/boot_id", &boot, NULL) == 0) {
                struct str id = str_trim(buf_str(&boot));
                memcpy(s->boot, id.p, id.n);
        }
        *ret = s;
        return a->o->incidents ? open_log(s, a->o->incidents, err) : 0;
}

const struct agent_part part_incidents = {
        .name = "incidents", .start = start, .before_alert = before_alert, .tick = tick, .stop = stop
};
