/*
 * The fields of the kernel's structs that our programs read, and no others. Each struct is relocated by name when it is
 * loaded (CO-RE), so the order and what is left out do not matter. A name behind "___" is an older shape of a struct.
 */
#ifndef SEKISHO_BPF_KERNEL_H
#define SEKISHO_BPF_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>

#define KERNEL __attribute__((preserve_access_index))

enum { PIDTYPE_TGID = 1, PIDTYPE_PGID = 2, PIDTYPE_SID = 3 };

struct qstr {
        const unsigned char *name;
} KERNEL;

struct super_block {
        __u32 s_dev;
        unsigned long s_magic;
} KERNEL;

struct kuid {
        __u32 val;
};

struct timespec64 {
        __s64 tv_sec;
        long tv_nsec;
} KERNEL;

struct inode {
        unsigned short i_mode;
        struct kuid i_uid, i_gid;
        struct super_block *i_sb;
        unsigned long i_ino;
        unsigned int i_nlink;
        __u32 i_rdev;
        __s64 i_size;
        __s64 i_ctime_sec, i_mtime_sec; /* 6.11 */
        __u32 i_ctime_nsec, i_mtime_nsec;
} KERNEL;

struct inode___timespec { /* 6.6, 6.7 */
        struct timespec64 __i_ctime, __i_mtime;
} KERNEL;

struct inode___old {
        struct timespec64 i_ctime, i_mtime;
} KERNEL;

struct hlist_bl_node {
        struct hlist_bl_node **pprev;
} KERNEL;

struct dentry {
        struct inode *d_inode;
        struct hlist_bl_node d_hash;
        struct dentry *d_parent;
        struct qstr d_name;
        struct super_block *d_sb;
} KERNEL;

struct vfsmount {
        struct dentry *mnt_root;
} KERNEL;

struct mount {
        struct mount *mnt_parent;
        struct dentry *mnt_mountpoint;
        struct vfsmount mnt;
} KERNEL;

struct path {
        struct vfsmount *mnt;
        struct dentry *dentry;
} KERNEL;

struct file {
        struct path f_path;
        struct inode *f_inode;
        void *private_data;
        unsigned int f_mode, f_flags;
} KERNEL;

struct backing_file {
        struct path user_path;
} KERNEL;

struct vm_area_struct {
        struct file *vm_file;
} KERNEL;

struct fs_struct {
        struct path root, pwd;
} KERNEL;

struct fdtable {
        unsigned int max_fds;
        struct file **fd;
} KERNEL;

struct files_struct {
        struct fdtable *fdt;
} KERNEL;

struct in6_addr {
        __u8 bytes[16];
};

struct sock_common {
        unsigned short skc_family;
        __u16 skc_num;
        __u16 skc_dport;
        __u32 skc_daddr, skc_rcv_saddr;
        struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
} KERNEL;

struct sock_cgroup_data {
        struct cgroup *cgroup;
} KERNEL;

struct sock {
        struct sock_common __sk_common;
        __u16 sk_type, sk_protocol;
        struct sock_cgroup_data sk_cgrp_data;
} KERNEL;

struct socket {
        struct sock *sk;
} KERNEL;

struct kernel_cap { /* 64 bits, before 6.3 as two of 32 */
        __u64 val;
};

struct cred {
        struct kuid uid, euid, gid;
        struct kernel_cap cap_effective, cap_permitted, cap_inheritable;
} KERNEL;

struct ns_common {
        unsigned int inum;
} KERNEL;

struct mnt_namespace {
        struct ns_common ns;
} KERNEL;

struct pid_namespace {
        struct ns_common ns;
        struct task_struct *child_reaper;
} KERNEL;

struct nsproxy {
        struct mnt_namespace *mnt_ns;
} KERNEL;

struct upid {
        int nr;
        struct pid_namespace *ns;
} KERNEL;

struct pid {
        unsigned int level;
        struct upid numbers[1];
} KERNEL;

struct tty_driver {
        int major, minor_start;
} KERNEL;

struct tty_struct {
        struct tty_driver *driver;
        int index;
} KERNEL;

struct atomic {
        int counter;
};

struct signal_struct {
        struct atomic live;
        struct pid *pids[4];
        struct tty_struct *tty;
        int group_exit_code;
} KERNEL;

struct kernfs_node {
        struct kernfs_node *__parent; /* 6.15 */
        const char *name;
        __u64 id;
} KERNEL;

struct kernfs_node___parent {
        struct kernfs_node *parent;
} KERNEL;

struct cgroup {
        int level;
        struct kernfs_node *kn;
} KERNEL;

struct css_set {
        struct cgroup *dfl_cgrp;
} KERNEL;

struct thread_info {
        unsigned long flags;
        __u32 status; /* x86 */
} KERNEL;

struct pt_regs { /* x86-64 */
        unsigned long bp, bx, r10, r9, r8, cx, dx, si, di, orig_ax;
} KERNEL;

struct pt_regs___arm64 {
        __u64 regs[31], orig_x0;
        __s32 syscallno;
} KERNEL;

struct mm_struct {
        unsigned long arg_start, arg_end, env_start, env_end, task_size;
} KERNEL;

struct task_struct {
        struct thread_info thread_info;
        struct mm_struct *mm;
        int pid, tgid, exit_code;
        struct task_struct *real_parent, *group_leader;
        struct pid *thread_pid;
        __u64 start_boottime;
        const struct cred *cred;
        char comm[16];
        struct fs_struct *fs;
        struct files_struct *files;
        struct nsproxy *nsproxy;
        struct signal_struct *signal;
        struct css_set *cgroups;
        struct kuid loginuid;
        unsigned int in_execve : 1;
} KERNEL;

struct io_kiocb {
        __u8 opcode;
} KERNEL;

struct linux_binprm {
        struct file *file;
        const char *filename, *interp, *fdpath;
        char buf[256]; /* how the file begins */
} KERNEL;

#endif
