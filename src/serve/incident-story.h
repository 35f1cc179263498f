/*
 * Incidents as people read them: the log of incidents (serve/incident-log.h) gathered by number, each with its
 * timeline, its processes as a tree, and its ATT&CK techniques in the order of the tactics. Nothing here trusts the
 * file: numbers of everything are bounded, texts are cleaned by who prints them.
 */
#ifndef SEKISHO_SERVE_INCIDENT_STORY_H
#define SEKISHO_SERVE_INCIDENT_STORY_H

#include "serve/incident-log.h"

#include <jansson.h>

#define STORIES_MAX          10000u /* of a file, the newest; older ones are left out and counted */
#define STORY_PROCESSES_MAX  512u
#define STORY_TECHNIQUES_MAX 64u

struct story_process {
        const struct incident_process *process;
        size_t parent; /* index, SIZE_MAX: none that is known */
        unsigned depth;
        struct str boot;
};

struct technique;
struct tactic;

struct story_technique {
        const struct tactic *tactic; /* the first one of the technique's */
        const struct technique *technique;
};

struct story {
        uint64_t number;
        int64_t first_ns, last_ns;
        enum rule_priority priority;
        struct str container_id, container_name, image; /* empty: the host */
        uint64_t alerts;                                /* of them n_entries one by one */
        uint64_t enforced; /* entries that say that something was done: killed, denied, frozen... */

        /* Of a story that was asked for alone. */
        struct incident_entry *entries; /* by time */
        size_t n_entries;
        struct story_process *processes; /* parents before their children, each followed by those below it */
        size_t n_processes;
        struct story_technique *techniques; /* by tactic, then id */
        size_t n_techniques;
};

struct stories {
        struct arena arena;
        struct story *v; /* by number */
        size_t n;
        uint64_t left_out;
        struct incident_flaws flaws;
};

/* All stories of the file (only == 0), or that of one number with everything (n == 0: there is none). */
int stories_read(const char *path, uint64_t only, struct stories *ret, struct error *err);
void stories_done(struct stories *s);

/* True of an action that changed the world. */
bool story_action_is_done(struct str action);

/* The story as docs/format/incidents.md has it; what it was not asked for is left out. */
json_t *story_json(const struct story *s);

#endif
