/*
 * Records of the lifecycle ring, decoded. They come from our own programs in the kernel, but names, arguments and paths
 * in them are the processes': every length is checked, no text is taken to be terminated, to be UTF-8 or to mean what
 * it says.
 */
#ifndef SEKISHO_SENSE_DECODE_H
#define SEKISHO_SENSE_DECODE_H

#include "base/arena.h"
#include "bpf/shared/exe.h"
#include "bpf/shared/observe.h"

struct event {
        enum observe_kind kind;
        struct observe_head head;
        union {
                struct observe_exec exec;
                struct observe_fork fork;
                struct observe_exit exit;
                struct observe_call call;
        };

        /* Of an exec, in the arena. Paths as the process's own root sees them; one that was cut begins with "...". */
        struct str exe_path; /* of a file in no tree its name: "memfd:x" */
        struct str cwd, cgroup;
        struct str filename; /* as it was asked for; of a script the script */
        struct str args;     /* argv, each text ended by NUL (the last one perhaps not) */
        struct str env;      /* the same of the environment, if it was asked for */
        struct exe_facts facts;
        enum exe_layer layer;
        bool in_container; /* exe_in_container() */

        /* Of a call, in the arena: the real path of its descriptor, what its paths are relative to (empty of an
         * absolute one), the paths as they were given, and its data. facts, layer and in_container are those of the
         * descriptor's file and of the process. */
        struct str file, dir[2], path[2], data;
};

/* False if the record is none. Texts live in the arena and do not need the record any more. */
bool event_decode(struct str record, struct arena *arena, struct event *ret);

/* A text of fixed size in a record: up to its NUL, or all of it. */
struct str event_comm(const char comm[16]);

/* Names, each ended by NUL, the last one first, as a path from the root; exported for its test. */
struct str event_path(struct str names, bool is_cut, struct arena *arena);

#endif
