/* The getters of the event record, in the files that they fill: record.c, record-*.c. */
#ifndef SEKISHO_SERVE_RECORD_PRIVATE_H
#define SEKISHO_SERVE_RECORD_PRIVATE_H

#include "serve/record.h"

typedef void getter(struct event_record *r, const struct field_ref *ref, struct value *ret);

/* record-process.c: of the process itself (out of the table), its parent, any ancestor, its session's and group's
 * leader. */
getter get_own, get_parent, get_ancestor, get_session, get_group, get_process;

/* record-exec.c: what only an exec tells; descriptors 0 to 2. */
getter get_exec, get_fd;
struct str capability_names(uint64_t set, struct arena *arena);

/* record-call.c: of a system call its result, arguments and paths. The call itself, NULL of any other event. */
getter get_call, get_argument, get_arguments, get_path;
const struct observe_call *call_of(const struct event_record *r);
const char *error_name(int64_t result); /* "SUCCESS", "ENOENT" */

/* The call's path, absolute by name; of a call without one, for i == 0, its descriptor's file. */
struct str call_path(struct event_record *r, unsigned i);

/* record-fd.c: of its descriptor. fd_value and the next two only of a system call. */
getter get_fd_value, get_fd_end, get_fd_server_name;
void fd_value(struct event_record *r, enum field_id id, struct value *ret);
int64_t fd_number(const struct event *e);
int64_t call_device(const struct event *e);
struct str address_text(struct str data, struct arena *arena); /* of a sockaddr: "10.0.0.1:80", "/run/x.sock" */

/* record-attributes.c: what a call sets that works as chattr does. */
getter get_attributes;

/* record-user.c: names of users and groups. The name, or else the number as text. */
getter get_user;
struct str user_text(struct event_record *r, uint32_t id, bool is_group);

/* record-proc.c: of processes what /proc says now, and what the table keeps of them. */
getter get_kept, get_environment, get_ancestor_environment, get_from_proc, get_capabilities;
struct str environment_variable(struct event_record *r, const char *name);

/* record-container.c: of the container and its pod. */
getter get_container, get_setting, get_mount;

/* record-hooks.c: of what is no system call. */
getter get_hook;

/* record.c: any field, for those that say what another says. */
void event_get(struct event_record *r, const struct field_ref *ref, struct value *ret);

#define CONTAINER_ID_SHORT 12u /* characters, as every engine shows them */

static inline struct value text_or_absent(const char *s) { return s ? value_string(str_of(s)) : value_absent(); }

#endif
