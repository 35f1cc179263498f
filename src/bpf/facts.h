/* What more than one program asks of the kernel's objects: numbers of processes, and where a file comes from. */
#ifndef SEKISHO_BPF_FACTS_H
#define SEKISHO_BPF_FACTS_H

#include "bpf/kernel.h"
#include "bpf/shared/exe.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

static __always_inline __u32 pid_of(struct pid *pid) { return (__u32)BPF_CORE_READ(pid, numbers[0].nr); }

/* The place of a number in its own namespace. */
static __always_inline const struct upid *own_number(struct pid *pid)
{
        __u32 level = BPF_CORE_READ(pid, level);
        const void *numbers = __builtin_preserve_access_index(&pid->numbers[0]);
        __u32 size = bpf_core_type_size(struct upid);
        if (level > 32)
                level = 0;
        return numbers + level * size;
}

/* The number that the process has in its own namespace, and which namespace that is. */
static __always_inline __u32 own_pid(struct task_struct *leader, __u32 *ret_namespace)
{
        const struct upid *at = own_number(BPF_CORE_READ(leader, thread_pid));
        *ret_namespace = BPF_CORE_READ(at, ns, ns.inum);
        return (__u32)BPF_CORE_READ(at, nr);
}

/* All of the facts that are the file's own: of its inode, and of the entry that led to it. */
static __always_inline void read_entry_facts(struct inode *inode, struct dentry *dentry, struct fs_struct *fs,
                                             struct exe_facts *facts)
{
        struct super_block *sb = BPF_CORE_READ(inode, i_sb);
        facts->magic = (__u32)BPF_CORE_READ(sb, s_magic);
        facts->is_rootless = BPF_CORE_READ(dentry, d_parent) == dentry;
        facts->is_deleted = BPF_CORE_READ(inode, i_nlink) == 0 || !BPF_CORE_READ(dentry, d_hash.pprev);
        facts->is_on_root = BPF_CORE_READ(fs, root.dentry, d_sb) == sb;
        if (facts->magic == EXE_MAGIC_OVERLAY) {
                /* struct ovl_inode is the inode, then the dentry of its file in the upper layer. */
                void *upper = NULL;
                bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
                facts->has_upper = upper != NULL;
        }
}

static __always_inline void read_file_facts(struct file *file, struct fs_struct *fs, struct exe_facts *facts)
{
        read_entry_facts(BPF_CORE_READ(file, f_inode), BPF_CORE_READ(file, f_path.dentry), fs, facts);
}

#endif
