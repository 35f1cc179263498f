/*
 * What rules may ask of an event of the host: the getters of fact/fields-syscall.def for the events that sense/
 * delivers (execve, execveat, clone, procexit, system calls). A field without a getter is marked there as not
 * delivered; a unit test holds the two together.
 */
#ifndef SEKISHO_SERVE_RECORD_H
#define SEKISHO_SERVE_RECORD_H

#include "rule/rule.h"
#include "sense/container.h"
#include "sense/decode.h"
#include "sense/process.h"
#include "serve/bursts.h"
#include "serve/users.h"

struct event_record {
        const struct event *event;
        const struct process *process; /* may be NULL: nothing is known of it */
        const struct process_table *processes;
        const struct container_entry *container; /* NULL: the host */
        const char *hostname;
        uint64_t number;
        int64_t boot_ns;             /* nanoseconds since 1970 when the machine's clock began */
        struct users *users;         /* NULL: names of users are not known */
        const struct bursts *bursts; /* NULL: nothing is counted */
        struct arena *arena;

        /* Found when somebody asks. */
        bool has_script;
        struct str script_path, script_layer;
        int64_t script_ctime_ns; /* since 1970; 0: not known */
};

/* The record; r must outlive it. */
struct record event_record(struct event_record *r);

/* Counts it among its kind; before it is judged, for rules that ask for numbers. */
void event_count(struct event_record *r, struct bursts *b);

bool event_delivers(enum field_id id);

/* "execve", "execveat", "clone", "procexit", or the name of the system call. */
const char *event_type_name(const struct event *e);

/* The evt.type of a system call. */
const char *event_call_name(enum observe_call_id call);

/* "lower", "upper"...; NULL where it is not known. */
const char *event_layer_name(enum exe_layer layer);

#endif
