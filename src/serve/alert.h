/*
 * Alerts on their way out: one JSON object a line (docs/format/alerts.md), appended to a file by one write each, and
 * the same or a line of text on a stream. Bytes that are no UTF-8 become U+FFFD; control characters are escaped.
 */
#ifndef SEKISHO_SERVE_ALERT_H
#define SEKISHO_SERVE_ALERT_H

#include "base/buf.h"
#include "rule/rule.h"

#include <jansson.h>
#include <stdio.h>

struct alert_sink {
        const char *path; /* NULL: no file */
        int fd;           /* -1: not open */
        FILE *stream;     /* NULL: no stream */
        bool is_json;     /* on the stream */
        uint64_t written; /* alerts */
        uint64_t failed;  /* that could not be written to the file: the disk is full, the file is gone */
};

/* Opens the file (append, mode 0600 if it is made), or opens it anew: a log rotation moved it. 0 or -errno, words. */
int alert_open(struct alert_sink *s, struct error *err);
void alert_close(struct alert_sink *s);

/* What was done about it: "action" of the alert. */
enum alert_action {
        ALERT_NOTHING,
        ALERT_KILLED,
        ALERT_KILL_FAILED,
        ALERT_DENIED,
        ALERT_FROZEN,
        ALERT_ISOLATED,
        ALERT_TERMINATED,
        ALERT_QUARANTINED,
        ALERT_WOULD_ACT, /* a dry run: the output says what */
        ALERT_ACTION_FAILED,
        ALERT_ALREADY,      /* it was done before */
        ALERT_KILLED_AFTER, /* the process and its descendants, once the event was seen */
        ALERT_ACTIONS
};

extern const char *const alert_action_names[ALERT_ACTIONS];

/* Was something done, so that it is told in any case? Not of what is said again and again. */
bool alert_is_deed(enum alert_action action);

struct alert_field {
        const char *name;
        struct value value;
};

#define ALERT_FIELDS_MAX 32u

/* More output_fields of an alert, one after the other; what is empty is left out. */
struct alert_fields {
        struct alert_field v[ALERT_FIELDS_MAX];
        size_t n;
};

void alert_add_text(struct alert_fields *f, const char *name, struct str s);
void alert_add_number(struct alert_fields *f, const char *name, uint64_t n);

struct process;
struct container_entry;

struct alert {
        const char *rule_name;   /* of an alert of the agent itself; else rule says it */
        const char *const *tags; /* of such an alert: NULL-terminated, or NULL */
        const struct rule *rule;
        enum rule_priority priority;
        const char *source; /* syscall, internal */
        const char *hostname;
        int64_t time_ns; /* since 1970 */
        struct str output;
        enum alert_action action;
        uint64_t incident;                     /* 0: it belongs to none */
        uint64_t stands_for;                   /* > 0: it tells of so many alerts that were held back */
        struct str held_container;             /* of those: the id, or "host" */
        const struct field_ref *const *fields; /* output_fields */
        size_t n_fields;
        const struct record *record;      /* answers for them */
        const struct alert_field *extras; /* more output_fields */
        size_t n_extras;
        const struct process *process;           /* whose doing it is; NULL: nobody's */
        const struct container_entry *container; /* NULL: the host */
};

#define ALERT_LINE_MAX   (16u << 20)
#define ALERT_TIME_BYTES 64

/* The alert as one line of JSON, with its end. */
void alert_line(const struct alert *a, struct buf *to);

/* A value as output_fields has it: a new reference. */
json_t *alert_value(const struct value *v);

/* "2026-11-20T10:00:00.123456789Z". */
struct str alert_time(int64_t ns, char text[static ALERT_TIME_BYTES]);

void alert_write(struct alert_sink *s, const struct alert *a);

#endif
