/*
 * Incidents: what belongs to one attack. An alert joins an incident that is open, or opens one.
 *
 * - Alerts of one container belong together while less than INCIDENT_IDLE_NS lies between two of them.
 * - On the host, where everybody's programs run, an alert joins only where its process, or an ancestor of it, had an
 *   alert of the incident, or where it is of the same session.
 *
 * The agent keeps of an incident what it needs in order to join further alerts, and no story: the story is what was
 * written down (serve/incident-log.h), and the table is made anew out of that after a restart. Everything is bounded;
 * what finds no room displaces what was quiet for longest.
 */
#ifndef SEKISHO_SERVE_INCIDENT_H
#define SEKISHO_SERVE_INCIDENT_H

#include "base/vec.h"
#include "fact/fact.h"
#include "rule/rule.h"

#define INCIDENT_IDLE_NS      (INT64_C(600) * 1000000000)
#define INCIDENTS_OPEN_MAX    256u
#define INCIDENT_ENTRIES_MAX  256u /* alerts of one that are written down one by one; the others are counted */
#define INCIDENT_MEMBERS_MAX  64u  /* processes that had alerts; past it the eldest are forgotten */
#define INCIDENT_SESSIONS_MAX 16u
#define INCIDENT_LINEAGE_MAX  8u /* the process and its ancestors */
#define INCIDENT_ID_BYTES     65u

/* A process as an alert saw it; with the time of its start a name that is never used again (until the next boot). */
struct incident_process {
        uint32_t pid, session;
        uint64_t started_ns;
        struct str program, command; /* path; arguments, joined with spaces */
};

/* One alert of an incident, or the number of those that are not written down one by one. */
struct incident_entry {
        uint64_t incident; /* 0: not known yet */
        int64_t time_ns;   /* since 1970 */
        struct str boot;   /* the kernel's boot_id: what processes are compared within */
        enum rule_priority priority;
        struct str rule, output, action;
        struct str_list tags;
        struct str container_id, container_name, image; /* empty: the host */
        const struct incident_process *lineage;         /* [0] is the process itself */
        size_t n_lineage;
        uint64_t more; /* > 0: no alert, but the number of further ones; rule, output, lineage are empty */
};

struct incident_member {
        uint32_t pid;
        uint64_t started_ns;
};

struct incident {
        uint64_t number;
        char container[INCIDENT_ID_BYTES]; /* "": the host */
        enum rule_priority priority;       /* the most urgent so far */
        int64_t first_ns, last_ns;
        uint64_t alerts;
        uint64_t more;                       /* of them, counted and not yet told by an entry */
        VEC(struct incident_member) members; /* of the host's only; a container's are told by its id */
        uint32_t sessions[INCIDENT_SESSIONS_MAX];
        size_t n_members, n_sessions; /* ever put; the places are used in turn */
};

/* In one piece: one by one they would lie, for ten minutes, between what a burst of containers gives back. */
struct incident_table {
        struct incident open[INCIDENTS_OPEN_MAX];
        size_t n;
        uint64_t last_number;
        void (*on_end)(void *arg, struct incident *i); /* is shown each before it is forgotten */
        void *arg;
};

void incident_table_init(struct incident_table *t, void (*on_end)(void *arg, struct incident *i), void *arg);
void incident_table_done(struct incident_table *t);

/*
 * The incident that an alert belongs to, opened if there is none; the alert is counted in it. Valid until the next
 * call. NULL: it opens none, because it is less urgent than a warning, or nobody's doing.
 */
struct incident *incident_join(struct incident_table *t, const struct incident_entry *e);

/* Takes an entry as it was written down: its incident is open from now on, with what the entry says. */
void incident_replay(struct incident_table *t, const struct incident_entry *e);

/* Ends those that were quiet for INCIDENT_IDLE_NS. */
void incident_end_idle(struct incident_table *t, int64_t now_ns);

/* The number of open incidents of a container ("": of the host). */
size_t incident_open_in(const struct incident_table *t, struct str container);

#endif
