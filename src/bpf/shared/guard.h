/*
 * What the programs of bpf/guard are told and what they tell: which files may run in a container, what else its
 * processes may not do, and the record of each thing that was found or stopped. The decisions are plain functions that
 * the host compiles and tests too.
 *
 * A container is known by its cgroup and by the file system of its root. A file is known by its inode there; an overlay
 * shows the numbers of the layer below, so that all containers of an image share one list.
 */
#ifndef SEKISHO_BPF_SHARED_GUARD_H
#define SEKISHO_BPF_SHARED_GUARD_H

#include "bpf/shared/exe.h"

#include <linux/types.h>

#define GUARD_CONTAINERS_MAX 16384 /* entries of "policies" */
#define GUARD_IMAGES_MAX     1024  /* entries of "images": lists in use at once */
#define GUARD_FILES_MAX      65536 /* entries of one list */
#define GUARD_FOLDERS_MAX    4096  /* entries of "folders" */
#define GUARD_DEPTH_MAX      32    /* cgroups above each other that are looked at, outermost first */
#define GUARD_SCRIPT_MAX     64    /* of a script's name, with its NUL */
#define GUARD_ARGS_MAX       1024  /* bytes of arguments in which a script is looked for */

enum guard_mode {
        GUARD_OFF,
        GUARD_LOG,     /* told as information */
        GUARD_ALERT,   /* told as a warning */
        GUARD_ENFORCE, /* denied, or killed where nothing can deny */
};

/* Bits of guard_policy.flags: what the processes of a container may not do. Needs BPF LSM. */
enum {
        GUARD_NO_CONNECT = 1, /* but to loopback, and to sockets with a name in the file system */
        GUARD_NO_PTRACE = 2,
        GUARD_NO_BPF = 4,
        GUARD_APPEND_ONLY = 8, /* what lies below the container's folders (map "folders") only grows */
        GUARD_NEW = 16,        /* made by the kernel's side at a container's first exec; nobody looked at it yet */
};

/* Map "policies": by cgroup. */
struct guard_policy {
        __u32 mode; /* of drift: enum guard_mode */
        __u32 flags;
        __u32 root_dev; /* file system of the container's root, as the kernel has it: major << 20 | minor; 0: unknown */
        __u32 image;    /* key of "images"; 0: no list. Then what the root's lower layers hold may run */
};

/* A list of "images": inode -> what it was like when its content was compared with the manifest. */
struct guard_file {
        __u64 size;
        __u64 ctime_ns; /* since 1970; nobody can set it, and each change of content or attributes does */
};

/* Map "folders". */
struct guard_folder {
        __u64 ino;
        __u32 dev;
        __u32 pad;
};

/* Map "interpreters": by the name on disk. Letters are bits: a-z are 0 to 25, A-Z 26 to 51. */
struct guard_interpreter {
        __u64 no_file;    /* options after which no file is run */
        __u64 takes;      /* options whose word, the next or the rest, is theirs */
        __u64 attached;   /* options whose rest of the word is theirs */
        __u64 file;       /* options whose next word is the file */
        __u8 is_shell;    /* options begin with + too, and letters with words stand among others */
        __u8 is_by_title; /* a program of many names: its title says which one it is (busybox) */
        __u8 pad[6];
};

/* The one entry of "guard_settings". */
struct guard_settings {
        __u32 unknown_mode; /* of a container whose first program runs before anybody looked: enum guard_mode */
        __u32 pad;
};

enum guard_verdict {
        GUARD_FINE,
        GUARD_DROPPED,   /* in the container's own layer, under no number that the image has */
        GUARD_CHANGED,   /* a file of the image, but not as it was: copied up, or changed below */
        GUARD_MEMFD,     /* an anonymous file in memory */
        GUARD_TMPFS,     /* a file system in memory */
        GUARD_MOUNTED,   /* on another file system than the container's root: a volume */
        GUARD_DELETED,   /* no name leads to it any more */
        GUARD_UNLISTED,  /* in the image's layers, but not in its manifest */
        GUARD_FORBIDDEN, /* not a file: what the container's flags forbid */
        GUARD_VERDICTS
};

/* What a process was about to do. */
enum guard_act {
        GUARD_EXEC,
        GUARD_MAP,    /* mmap or mprotect with PROT_EXEC: libraries, what ld.so is given */
        GUARD_SCRIPT, /* an interpreter opens the file that its arguments name */
        GUARD_CONNECT,
        GUARD_PTRACE,
        GUARD_BPF,
        GUARD_REMOVE, /* of a file that only grows: unlink */
        GUARD_RENAME,
        GUARD_LINK,
        GUARD_TRUNCATE,
        GUARD_OVERWRITE, /* opened for writing other than at its end */
        GUARD_ACTS
};

enum guard_answer { GUARD_TOLD, GUARD_KILLED, GUARD_KILL_FAILED, GUARD_DENIED };

/* A record of the ring; the path follows as in observe.h: names, the last one first. */
struct guard_event {
        __u64 time_ns;          /* since boot */
        __u64 started;          /* of the process */
        __u64 cgroup_id;        /* of the process */
        __u64 policy_cgroup_id; /* whose policy it was; 0: of no container that is known yet */
        __u64 ino;
        __u32 pid, uid;
        __u32 act, verdict, answer, mode;
        __u32 dev, root_dev; /* of the file, of the process's root */
        __u32 image;
        __u32 text_size;
        __u16 family, port; /* of a connection */
        __u8 is_cut;        /* the path is longer */
        __u8 pad[3];
        __u8 address[16];
        char comm[16];
};

#define GUARD_RING_BYTES (1u << 20)

/* ---------------------------------------------------------------------------------------------- which file may run
 * ---- */

/* `listed`: its entry in the policy's list, or NULL; `seen`: what the file is like now. */
static inline enum guard_verdict guard_judge(const struct exe_facts *f, __u32 dev, const struct guard_policy *policy,
                                             const struct guard_file *listed, const struct guard_file *seen)
{
        enum exe_layer layer = exe_layer(f);
        int is_on_root = policy->root_dev ? dev == policy->root_dev : f->is_on_root;
        if (layer == EXE_LAYER_MEMFD)
                return GUARD_MEMFD;
        if (layer == EXE_LAYER_TMPFS && !is_on_root)
                return GUARD_TMPFS;
        if (!is_on_root)
                return GUARD_MOUNTED;
        if (layer == EXE_LAYER_UPPER)
                return listed ? GUARD_CHANGED : GUARD_DROPPED;
        if (f->is_deleted)
                return GUARD_DELETED;
        if (policy->image == 0)
                return GUARD_FINE;
        if (!listed)
                return GUARD_UNLISTED;
        return listed->size == seen->size && listed->ctime_ns == seen->ctime_ns ? GUARD_FINE : GUARD_CHANGED;
}

/* ------------------------------------------------------------------------------------ which word names a script ----
 */

/* Finds the file among an interpreter's arguments, fed byte by byte, argv[0] left out. Zeroed but for the letters. */
struct script_search {
        __u64 no_file, takes, attached, file; /* as of guard_interpreter */
        __u32 name;                           /* where the last name of this word begins */
        __u32 n;                              /* bytes of this word so far */
        __u8 is_shell;
        __u8 kind, next; /* of this word and of the one after it: enum script_word */
        __u8 is_over;    /* nothing more to find */
        __u8 is_found;   /* the name of the file stands at `name`, ended by NUL */
        __u8 pad[3];
};

enum script_word { SCRIPT_UNKNOWN, SCRIPT_LETTERS, SCRIPT_REST, SCRIPT_SKIP, SCRIPT_FILE };

static inline __u64 script_letter(char c)
{
        if (c >= 'a' && c <= 'z')
                return 1ull << (c - 'a');
        if (c >= 'A' && c <= 'Z')
                return 1ull << (26 + (c - 'A'));
        return 0;
}

/* One letter of "-euo": what it says of the words behind it. */
static inline void script_option(struct script_search *s, char c)
{
        __u64 letter = script_letter(c);
        if (c == '-' && s->n == 1) {
                s->kind = SCRIPT_REST;
        } else if (letter & s->no_file) {
                s->is_over = 1;
        } else if (letter & s->file) {
                s->next = SCRIPT_FILE;
        } else if (letter & s->attached) {
                s->kind = SCRIPT_REST;
        } else if (letter & s->takes) {
                s->next = SCRIPT_SKIP;
                if (!s->is_shell)
                        s->kind = SCRIPT_REST;
        }
}

/*
 * The byte at `at`. Long options are taken to have no word of their own, and "-" to be an option: what is missed so is
 * found by slower means.
 */
static inline void script_step(struct script_search *s, __u32 at, char c)
{
        if (c == 0) {
                s->is_found = s->is_over = s->kind == SCRIPT_FILE;
                s->kind = s->next;
                s->next = SCRIPT_UNKNOWN;
                s->n = 0;
                return;
        }
        if (s->n == 0) {
                s->name = at;
                if (s->kind == SCRIPT_UNKNOWN)
                        s->kind = c == '-' || (s->is_shell && c == '+') ? SCRIPT_LETTERS : SCRIPT_FILE;
        } else if (s->kind == SCRIPT_LETTERS) {
                script_option(s, c);
        } else if (s->kind == SCRIPT_REST && s->next == SCRIPT_SKIP) {
                s->next = SCRIPT_UNKNOWN; /* -Wignore: the rest of the word is what it takes */
        }
        if (c == '/')
                s->name = at + 1;
        s->n++;
}

#endif
