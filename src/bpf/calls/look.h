/*
 * What is known of a system call under inspection, where what it is given stands, and the maps of full mode. Part of
 * calls.bpf.c.
 */
#ifndef SEKISHO_BPF_CALLS_LOOK_H
#define SEKISHO_BPF_CALLS_LOOK_H

#include "bpf/fd.h"
#include "bpf/kernel.h"
#include "bpf/shared/filter.h"
#include "bpf/shared/observe.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <linux/capability.h>

#define RAW_BYTES 256u /* of a path as it was given that are searched */

/* Set by the loader: the namespaces of the host, and our own process, which is not watched. */
const volatile __u32 host_mounts, host_pids, own_process;

/* By number of the system call, native and i386: the call's id + 1, or 0 if nobody asks for it. */
__u16 numbers[2][CALL_NUMBERS];
__u16 socket_subs[32]; /* of socketcall */

/* While the filters are exchanged: paths and names are not asked. */
__u32 is_changing;

struct {
        __uint(type, BPF_MAP_TYPE_RINGBUF);
        __uint(max_entries, 4 << 20); /* the loader may set another size */
} calls SEC(".maps");

/* Records that found no room in the ring, by class. */
struct {
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, CALL_CLASSES);
        __type(key, __u32);
        __type(value, __u64);
} call_drops SEC(".maps");

/* That of observe.bpf.c, shared. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, OBSERVE_CONTAINERS_MAX);
        __type(key, __u64);
        __type(value, __u8);
} containers SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, OBSERVE_CALLS);
        __type(key, __u32);
        __type(value, struct call_filter);
} filters SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_LPM_TRIE);
        __uint(max_entries, CALL_PREFIXES_MAX);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, struct call_prefix);
        __type(value, __u64);
} prefixes SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, CALL_SUFFIXES_MAX);
        __type(key, __u32);
        __type(value, __u64);
} suffixes SEC(".maps");

struct comm {
        char text[16];
};

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, CALL_COMMS_MAX);
        __type(key, struct comm);
        __type(value, __u64);
} comms SEC(".maps");

/* What a thread has told of when it asked for a right: the call's numbers, so that it tells once though it asks twice.
 */
struct asked {
        __u64 args[6], time_ns;
        __u32 id, is_refused;
};

struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 4096);
        __type(key, __u32); /* thread */
        __type(value, struct asked);
} asking SEC(".maps");

#define STEPS 16u /* names of a path that is compared; a deeper one counts as like all */

/* A call under construction (path.h says why the text has slack). */
struct scratch {
        struct observe_call call;
        char text[OBSERVE_TEXT_MAX + OBSERVE_PATH_MAX];
        __u64 args[CALL_TEST_SOURCES]; /* and what else tests look at */
        const void *names[STEPS];
        struct call_prefix prefix;
        __u64 raw[RAW_BYTES / 8];

        /* Atoms: those that were computed, and which of them are true. Here and not in a variable, where the verifier
         * would go through every combination of them. */
        __u64 known, atoms;
};

#include "bpf/scratch.h"

#include "bpf/path.h"

/* -------------------------------------------------------------------------------------------------- recipes ---- */

#define NONE   (-1)
#define RESULT 6

struct recipe {
        __s8 fd, dir1, path1, dir2, path2, data;
};

/* Room for a power of two, which an index is kept within. */
#define CALLS_ROOM 256u
_Static_assert(OBSERVE_CALLS <= CALLS_ROOM, "more calls than there is room for");

static const volatile struct recipe recipes[CALLS_ROOM] = {
#define CALL(name, x86_64, i386, arm64, fd, dir1, path1, dir2, path2, data)                                            \
        [CALL_##name] = { fd, dir1, path1, dir2, path2, data },
#include "bpf/shared/calls.def"
#undef CALL
};

/* How long the data of a call is: an argument says it (1 to 6 for arguments 0 to 5), or the result, or it is so many
 * BYTES. The others are texts, as long as they are. Not a byte more than the kernel takes itself: behind it there may
 * be none. */
#define BYTES       0x80u
#define RESULT_SAYS (RESULT + 1u)
static const volatile __u8 data_sizes[CALLS_ROOM] = {
        [CALL_openat2] = 4,
        [CALL_connect] = 3,
        [CALL_bind] = 3,
        [CALL_sendto] = 6,
        [CALL_sethostname] = 2,
        [CALL_setdomainname] = 2,
        [CALL_clone3] = 2,
        [CALL_utimensat] = BYTES | 32,
        [CALL_ioctl] = BYTES | 4,
        [CALL_file_setattr] = BYTES | 8,
        [CALL_read] = RESULT_SAYS,
        [CALL_write] = RESULT_SAYS,
        [CALL_recvfrom] = RESULT_SAYS,
        [CALL_recvmsg] = RESULT_SAYS,
};

/* The capabilities that decide a call, as a set; 0: none does. */
static const volatile __u64 rights[CALLS_ROOM] = {
#define RIGHT(name, when, capabilities) [CALL_##name] = capabilities,
#include "bpf/shared/calls-rights.def"
#undef RIGHT
};

/* Keeps an index within what it is an index of, visibly to the verifier. */
#define WITHIN(n, size)                                                                                                \
        ({                                                                                                             \
                __u32 _i = (__u32)(n);                                                                                 \
                asm volatile("%0 &= %1" : "+r"(_i) : "i"((size)-1));                                                   \
                _i;                                                                                                    \
        })

/* What is being looked at. */
struct look {
        struct task_struct *task;
        struct scratch *s;
        const struct call_filter *filter;
        struct file *file; /* of the descriptor, or NULL */
        struct recipe recipe;
        __u32 id, is_i386;
        __u32 is_asked; /* it has not returned: the result says what it may do, not what it did */
        long result;
};

static __always_inline __u64 argument(const struct look *l, int n) { return l->s->args[WITHIN(n, CALL_TEST_SOURCES)]; }

/* As a number: functions of their own take no pointers to the kernel's objects. */
static __always_inline __u64 fs_of(const struct look *l)
{
        struct task_struct *task = l->task;
        return (__u64)BPF_CORE_READ(task, fs);
}

static __always_inline struct fdtable *table_of(const struct look *l)
{
        struct task_struct *task = l->task;
        return BPF_CORE_READ(task, files, fdt);
}

static __always_inline int is_known_open(__u32 id)
{
        return id == CALL_open || id == CALL_openat || id == CALL_openat2 || id == CALL_creat ||
               id == CALL_open_by_handle_at;
}

static __always_inline __u64 open_flags(const struct look *l)
{
        __u64 flags = 0;
        if (l->id == CALL_open)
                return l->s->args[1];
        if (l->id == CALL_creat)
                return 0x241; /* O_WRONLY | O_CREAT | O_TRUNC */
        if (l->id == CALL_openat2)
                bpf_probe_read_user(&flags, sizeof(flags), (void *)l->s->args[2]);
        else
                flags = l->s->args[2];
        return flags;
}

#endif
