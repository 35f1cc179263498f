/*
 * Paths by walking up from the kernel's own entries: through directories and out of mounts, to the root of the process.
 * Names go into the scratch of the program that includes this file, one after the other, the last one of the path
 * first, each ended by NUL. That file has defined before:
 *
 *         struct scratch { ...; char text[OBSERVE_TEXT_MAX + OBSERVE_PATH_MAX]; }
 *         struct scratch *get_scratch(void)
 *
 * The slack behind the text takes the last piece, whose length is only known once written.
 */
#ifndef SEKISHO_BPF_PATH_H
#define SEKISHO_BPF_PATH_H

#include "bpf/kernel.h"
#include "bpf/shared/observe.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* Keeps the compiler from undoing a mask that the verifier needs to see where the value is used. */
#define BOUNDED(n)                                                                                                     \
        ({                                                                                                             \
                __u32 _n = (n);                                                                                        \
                asm volatile("%0 &= %1" : "+r"(_n) : "i"(OBSERVE_TEXT_MAX - 1));                                       \
                _n;                                                                                                    \
        })

struct walk {
        struct dentry *dentry, *root_dentry;
        struct vfsmount *mount, *root_mount;
        struct kernfs_node *node; /* of a cgroup, instead of a dentry */
        __u32 start, n;           /* where the text begins, and where it ends so far */
        __u32 is_done;
};

/* Appends one name. False when there is no more room for this path. */
static __always_inline int add_name(struct walk *w, const void *name)
{
        struct scratch *s = get_scratch();
        if (!s || w->n - w->start > OBSERVE_PATH_MAX - OBSERVE_NAME_MAX)
                return 0;
        long r = bpf_probe_read_kernel_str(&s->text[BOUNDED(w->n)], OBSERVE_NAME_MAX, name);
        if (r <= 0)
                return 0;
        w->n += (__u32)r;
        return 1;
}

/* One step towards the root: out of a mount, or to the parent directory. 1 ends the loop. */
static long step_up(__u32 index, struct walk *w)
{
        struct dentry *dentry = w->dentry;
        struct vfsmount *vfs = w->mount;
        if (dentry == w->root_dentry && vfs == w->root_mount) {
                w->is_done = 1;
                return 1;
        }
        if (dentry == BPF_CORE_READ(vfs, mnt_root)) {
                struct mount *m = (void *)vfs - bpf_core_field_offset(struct mount, mnt);
                struct mount *parent = BPF_CORE_READ(m, mnt_parent);
                if (m == parent) {
                        w->is_done = 1;
                        if (w->n == w->start) /* a file that stands in no tree has a name all the same */
                                add_name(w, BPF_CORE_READ(dentry, d_name.name));
                        return 1;
                }
                w->dentry = BPF_CORE_READ(m, mnt_mountpoint);
                w->mount = (void *)parent + bpf_core_field_offset(struct mount, mnt);
                return 0;
        }
        if (!add_name(w, BPF_CORE_READ(dentry, d_name.name)))
                return 1;
        struct dentry *above = BPF_CORE_READ(dentry, d_parent);
        if (above == dentry) {
                w->is_done = 1;
                return 1;
        }
        w->dentry = above;
        return 0;
}

static __always_inline __u32 add_path(struct dentry *dentry, struct vfsmount *mount, struct fs_struct *fs, __u32 n,
                                      __u32 *ret_is_cut)
{
        struct walk w = { .dentry = dentry,
                          .mount = mount,
                          .root_dentry = BPF_CORE_READ(fs, root.dentry),
                          .root_mount = BPF_CORE_READ(fs, root.mnt),
                          .start = n,
                          .n = n };
        bpf_loop(OBSERVE_PATH_NAMES, step_up, &w, 0);
        *ret_is_cut = !w.is_done;
        return w.n;
}

static struct kernfs_node *kernfs_above(struct kernfs_node *node)
{
        if (bpf_core_field_exists(node->__parent))
                return BPF_CORE_READ(node, __parent);
        return BPF_CORE_READ((struct kernfs_node___parent *)node, parent);
}

static long step_cgroup(__u32 index, struct walk *w)
{
        struct kernfs_node *node = w->node, *above = kernfs_above(node);
        if (!above) /* the root, whose name is empty */
                return 1;
        if (!add_name(w, BPF_CORE_READ(node, name)))
                return 1;
        w->node = above;
        return 0;
}

static __always_inline __u32 add_cgroup(struct task_struct *task, __u32 n)
{
        struct walk w = { .node = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn), .start = n, .n = n };
        if (w.node)
                bpf_loop(OBSERVE_PATH_NAMES, step_cgroup, &w, 0);
        return w.n;
}

#endif
