/*
 * What the programs of bpf/observe send through the lifecycle ring, and what they are told. Fixed heads of plain
 * integers, little-endian as the machine is; texts follow the head of an exec one after the other, their lengths stand
 * in it. The reader (sense/decode.c) checks each of them all the same.
 *
 * A path is a list of NUL-terminated names, the last one first: the kernel finds it by walking up from the file.
 */
#ifndef SEKISHO_BPF_SHARED_OBSERVE_H
#define SEKISHO_BPF_SHARED_OBSERVE_H

#include <linux/types.h>

enum observe_kind { OBSERVE_EXEC, OBSERVE_FORK, OBSERVE_EXIT, OBSERVE_CALL, OBSERVE_KINDS };

#define OBSERVE_NAME_MAX     256  /* of one name of a path, with its NUL */
#define OBSERVE_PATH_NAMES   64   /* names of a path; deeper ones are cut, and say so */
#define OBSERVE_PATH_MAX     2048 /* bytes of one path */
#define OBSERVE_FILENAME_MAX 1024
#define OBSERVE_ARGS_MAX     2048
#define OBSERVE_ENV_MAX      4096  /* bytes of the environment, which may be cut anywhere */
#define OBSERVE_TEXT_MAX     16384 /* of an exec, all texts: a power of two */
#define OBSERVE_FDS          3

/* Bits of observe_exec.flags. */
enum {
        OBSERVE_EXE_UPPER = 1,
        OBSERVE_EXE_ROOTLESS = 2,
        OBSERVE_EXE_ON_ROOT = 4,
        OBSERVE_EXE_DELETED = 8,
        OBSERVE_OTHER_MOUNTS = 16,
        OBSERVE_OTHER_PIDS = 32,
        OBSERVE_CONTAINER_CGROUP = 64,
        OBSERVE_EXE_PATH_CUT = 128,
        OBSERVE_CWD_CUT = 256,
        OBSERVE_ARGS_CUT = 512,
        OBSERVE_BY_DESCRIPTOR = 1024, /* execveat with a descriptor */
        OBSERVE_KILLED = 2048,        /* signal 9 is under way: not one instruction of the program runs */
        OBSERVE_KILL_FAILED = 4096,
        OBSERVE_SCRIPT = 8192, /* the file that was asked for names its interpreter (#!), which runs */
};

struct observe_head {
        __u32 kind;
        __u32 pid;     /* of the process (thread group), as the host counts */
        __u64 time_ns; /* since boot */
        __u64 started; /* of the process, nanoseconds since boot: with pid a name that is never used again */
};

/* Texts of an exec, in this order. */
enum observe_text {
        OBSERVE_EXE,
        OBSERVE_CWD,
        OBSERVE_CGROUP,
        OBSERVE_FILENAME,
        OBSERVE_ARGS,
        OBSERVE_ENV, /* only if the settings want it */
        OBSERVE_TEXTS
};

struct observe_fd {
        __u32 mode; /* of the inode; 0: the descriptor is not open */
        __u32 rdev; /* of a device */
        __u64 ino;
        __u16 family; /* of a socket, else 0 */
        __u16 type, protocol;
        __u16 local_port, remote_port;
        __u16 is_made; /* the open that it comes from made the file */
        __u16 pad[2];
        __u8 local[16], remote[16]; /* addresses; IPv4 in the first four bytes */
};

struct observe_exec {
        struct observe_head head;
        __u32 ppid, vpid, sid, pgid;
        __u32 uid, euid, gid, loginuid;
        __u32 tty; /* major << 8 | minor, 0: none */
        __u32 flags;
        __u32 exe_magic, exe_mode, exe_uid, exe_dev, exe_nlink, thread; /* exe_dev: major << 20 | minor */
        __u32 exe_gid, vpgid;
        __u64 exe_ino;
        __u64 exe_ctime_ns, exe_mtime_ns; /* since 1970 */
        __u64 init_started;               /* of the first process of its pid namespace, nanoseconds since boot */
        __u64 cgroup_id;
        __u64 cap_effective, cap_permitted, cap_inheritable;
        struct observe_fd fds[OBSERVE_FDS];
        char comm[16];
        __u16 text_size[OBSERVE_TEXTS];
        __u16 pad[2];
};

struct observe_fork {
        struct observe_head head; /* of the child */
        __u32 ppid, vpid, uid, gid;
        __u64 cgroup_id;
        char comm[16];
};

struct observe_exit {
        struct observe_head head;
        __u32 status; /* as wait() gives it */
        __u32 pad;
};

/* The system calls by a number of our own, the same on every machine. */
enum observe_call_id {
#define CALL(name, x86_64, i386, arm64, fd, dir1, path1, dir2, path2, data) CALL_##name,
#include "bpf/shared/calls.def"
#undef CALL
        OBSERVE_CALLS
};

/* Bits of observe_call.flags. */
enum {
        OBSERVE_CALL_HOOK = 1,   /* not the call was seen but what it did: by a hook of the network (lean mode) */
        OBSERVE_CALL_I386 = 2,   /* a 32-bit call of an x86-64 kernel */
        OBSERVE_CALL_DENIED = 4, /* refused by us */
        OBSERVE_FILE_UPPER = 8,  /* fd: exe_facts of its file */
        OBSERVE_FILE_ROOTLESS = 16,
        OBSERVE_FILE_ON_ROOT = 32,
        OBSERVE_FILE_DELETED = 64,
        OBSERVE_FILE_PATH_CUT = 128,
        OBSERVE_DIR1_CUT = 256,
        OBSERVE_DIR2_CUT = 512,
        OBSERVE_CALL_OTHER_MOUNTS = 1024,
        OBSERVE_CALL_OTHER_PIDS = 2048,
        OBSERVE_CALL_CONTAINER_CGROUP = 4096,
        OBSERVE_CALL_MIXED = 8192,  /* a 32-bit call of a 64-bit program */
        OBSERVE_CALL_ASKED = 16384, /* seen while it asks for a right (lean mode): what becomes of it is not known */
};

/*
 * Texts of a call, in this order. FILE: the real path of the descriptor, names as of an exec's paths. PATH1, PATH2: as
 * the process gave them, which it may have changed since. DIR1, DIR2: what they are relative to, names; empty of an
 * absolute path. DATA: an address as the kernel takes it (struct sockaddr), or a name.
 */
enum observe_call_text {
        OBSERVE_CALL_FILE,
        OBSERVE_CALL_DIR1,
        OBSERVE_CALL_PATH1,
        OBSERVE_CALL_DIR2,
        OBSERVE_CALL_PATH2,
        OBSERVE_CALL_DATA,
        OBSERVE_CALL_TEXTS
};

#define OBSERVE_CALL_DATA_MAX 128 /* bytes of DATA */

/* What is counted apart when it finds no room. calls.def lists the calls of a class behind one another. */
enum observe_call_class { CALL_CLASS_FILE, CALL_CLASS_NET, CALL_CLASS_PROCESS, CALL_CLASS_OTHER, CALL_CLASSES };

static inline enum observe_call_class observe_call_class(__u32 call)
{
        if (call < CALL_socket)
                return CALL_CLASS_FILE;
        if (call < CALL_setuid)
                return CALL_CLASS_NET;
        if (call < CALL_bpf || (call >= CALL_execve && call <= CALL_vfork))
                return CALL_CLASS_PROCESS;
        return call >= CALL_access && call <= CALL_getdents64 ? CALL_CLASS_FILE : CALL_CLASS_OTHER;
}

/*
 * A system call that has returned; of the hooks, and of calls that ask for a right, the attempt. `close` and `reboot`
 * are told when they begin, because what they name is gone afterwards. A program that begins is an exec and no call; a
 * child that begins a fork: only the parent's side of clone is a call, and an execve that failed.
 */
struct observe_call {
        struct observe_head head;
        __u32 thread;
        __u16 call; /* enum observe_call_id */
        __u16 flags;
        __s64 result;  /* -errno; of a hook 0 or what we answered; of one that asks: 0, or -EPERM if it is refused */
        __u64 args[6]; /* as the kernel got them */
        __u64 cgroup_id;
        __u32 uid, euid, gid, pad;
        __u32 file_magic, file_dev; /* dev: major << 20 | minor */
        __u32 file_uid, file_nlink;
        struct observe_fd fd; /* mode 0: the call has no descriptor */
        char comm[16];        /* of the process (its first thread) */
        __u16 text_size[OBSERVE_CALL_TEXTS];
        __u16 pad2[2];
};

/* The one entry of the map "settings", changed while the programs run. */
struct observe_settings {
        __u32 kill_mask; /* exe_must_die() */
        __u32 wants_env; /* a rule asks for environments */
};

#define OBSERVE_CONTAINERS_MAX 16384 /* entries of the map "containers": cgroup id -> 1 */

#endif
