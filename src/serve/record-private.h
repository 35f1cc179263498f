/* The getters of the event record, in the files that they fill: record.c, record-process.c, record-exec.c. */
#ifndef SEKISHO_SERVE_RECORD_PRIVATE_H
#define SEKISHO_SERVE_RECORD_PRIVATE_H

#include "serve/record.h"

typedef void getter(struct event_record *r, const struct field_ref *ref, struct value *ret);

/* record-process.c: of the process itself (out of the table), its parent, any ancestor, its session's and group's
 * leader. */
getter get_own, get_parent, get_ancestor, get_session, get_group, get_process;

/* record-exec.c: what only an exec tells; descriptors 0 to 2. */
getter get_exec, get_fd;

static inline struct value text_or_absent(const char *s) { return s ? value_string(str_of(s)) : value_absent(); }

#endif
