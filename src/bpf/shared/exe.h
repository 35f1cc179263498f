/*
 * Where the file that a process runs comes from, and whether the process dies for it: plain decisions over what the
 * kernel's objects say. Both sides include this file: the programs in bpf/ decide with it before the first instruction,
 * the host compiles kill rules into masks for it, and one unit test holds the cases of both.
 *
 * No libc, no pointers into the kernel: numbers in, numbers out.
 */
#ifndef SEKISHO_BPF_SHARED_EXE_H
#define SEKISHO_BPF_SHARED_EXE_H

#include <linux/types.h>

#define EXE_MAGIC_OVERLAY   0x794c7630u
#define EXE_MAGIC_TMPFS     0x01021994u
#define EXE_MAGIC_RAMFS     0x858458f6u
#define EXE_MAGIC_HUGETLBFS 0x958458f6u

enum exe_layer {
        EXE_LAYER_LOWER, /* an overlay's read-only layers: the image */
        EXE_LAYER_UPPER, /* an overlay's own layer: made, changed or copied up since the container was made */
        EXE_LAYER_MEMFD, /* an anonymous file in memory: it has no place in any tree */
        EXE_LAYER_TMPFS, /* a file in memory that has one: /dev/shm, /run, an emptyDir of medium Memory */
        EXE_LAYER_ROOT,  /* the process's root file system, which is no overlay: nothing tells image from container */
        EXE_LAYER_MOUNT, /* any other mount: a volume, a bind mount from the host */
        EXE_LAYERS
};

/* What the kernel knows of a file that is about to run. */
struct exe_facts {
        __u32 magic;              /* of its file system */
        __u8 has_upper;           /* overlay: the inode has a file in the upper layer */
        __u8 is_rootless;         /* its directory entry is its own parent: it stands in no tree */
        __u8 is_on_root;          /* on the same file system as the root directory of the process */
        __u8 is_deleted;          /* no name leads to it any more */
        __u8 in_other_mounts;     /* the process has other mounts than the host */
        __u8 in_other_pids;       /* ...and other process ids */
        __u8 in_container_cgroup; /* its cgroup is one that user space knows as a container's */
};

static inline enum exe_layer exe_layer(const struct exe_facts *f)
{
        int in_memory = f->magic == EXE_MAGIC_TMPFS || f->magic == EXE_MAGIC_RAMFS || f->magic == EXE_MAGIC_HUGETLBFS;
        if (in_memory)
                return f->is_rootless ? EXE_LAYER_MEMFD : EXE_LAYER_TMPFS;
        if (f->magic == EXE_MAGIC_OVERLAY)
                return f->has_upper ? EXE_LAYER_UPPER : EXE_LAYER_LOWER;
        return f->is_on_root ? EXE_LAYER_ROOT : EXE_LAYER_MOUNT;
}

/*
 * Inside of a container: not with the host's mounts (so a runtime that is on its way in, and runs a copy of itself out
 * of memory, is not), and with process ids of its own or in a cgroup that is known as a container's.
 */
static inline int exe_in_container(const struct exe_facts *f)
{
        return f->in_other_mounts && (f->in_other_pids || f->in_container_cgroup);
}

/* Every answer to what the kernel can decide has one number; a set of rules is a mask over them. */
#define EXE_CASES (EXE_LAYERS * 4)

static inline __u32 exe_case(enum exe_layer layer, int is_deleted, int in_container)
{
        return (__u32)layer * 4 + (is_deleted ? 2 : 0) + (in_container ? 1 : 0);
}

static inline int exe_must_die(__u32 mask, const struct exe_facts *f)
{
        return (int)(mask >> exe_case(exe_layer(f), f->is_deleted, exe_in_container(f)) & 1);
}

#endif
