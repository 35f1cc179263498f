/*
 * Guards of containers. Without BPF LSM: what may not run is killed at exec, before its first instruction. With it: the
 * exec itself is denied, and so is mapping the file as code (ld.so, dlopen, LD_PRELOAD), opening it as an interpreter's
 * script, connecting, tracing, loading BPF, and shortening or removing what only grows.
 *
 * Every program that a kernel may refuse stands alone: the loader leaves out those that it refuses. All of them answer
 * for processes with other mounts than the host only, and look at that first, because some run at each open and each
 * mapping of the machine.
 */
#include "bpf/shared/guard.h"
#include "bpf/facts.h"
#include "bpf/kernel.h"
#include "bpf/shared/observe.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define EPERM             1
#define FILE_TYPE         0170000
#define FILE_REGULAR      0100000
#define FMODE_WRITE       2
#define FMODE_BACKING     0x2000000 /* 6.5 */
#define O_APPEND          02000
#define PROT_EXEC         4
#define PTRACE_ATTACH     2 /* PTRACE_MODE_ATTACH */
#define F_SETFL           4
#define AF_INET           2
#define AF_INET6          10
#define CTIME_NSEC_MASK   0x7fffffffu /* the top bit says that somebody asked (multigrain timestamps) */
#define FOLDERS_ABOVE_MAX 24

/* Set by the loader. */
const volatile __u32 host_mounts, host_pids, host_root_dev;
const volatile __u32 probe_pid; /* not 0: deny_bpf denies this process, to see whether it is called at all */

#include "bpf/guard/maps.h"

#include "bpf/path.h"

/* ------------------------------------------------------------------------------------------------------ policies ----
 */

static __always_inline int is_host(struct task_struct *task)
{
        return BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum) == host_mounts;
}

/*
 * The policy of the outermost cgroup that has one: what a container makes below its own is still the container's, and
 * it cannot get below this look by depth.
 */
static __always_inline struct guard_policy *find_policy(struct task_struct *task, __u64 *ret_cgroup)
{
        int level = BPF_CORE_READ(task, cgroups, dfl_cgrp, level);
        for (int i = 1; i <= GUARD_DEPTH_MAX && i <= level; i++) {
                __u64 id = bpf_get_current_ancestor_cgroup_id(i);
                struct guard_policy *p = bpf_map_lookup_elem(&policies, &id);
                if (p) {
                        *ret_cgroup = id;
                        return p;
                }
        }
        return NULL;
}

/*
 * The first program of a container that nobody has looked at: runtimes start it when the root is in its place, so
 * that is noted here, where the container cannot have changed it yet. Only where the root is an overlay is there
 * anything to go by.
 */
static __always_inline struct guard_policy *first_policy(struct task_struct *task, struct fs_struct *fs,
                                                         __u64 *ret_cgroup)
{
        __u32 zero = 0, namespace = 0;
        __u64 id = bpf_get_current_cgroup_id();
        struct super_block *sb = BPF_CORE_READ(fs, root.dentry, d_sb);
        struct guard_settings *s = bpf_map_lookup_elem(&guard_settings, &zero);
        own_pid(BPF_CORE_READ(task, group_leader), &namespace);
        if (!s || s->unknown_mode == GUARD_OFF || namespace == host_pids || id <= 1 ||
            BPF_CORE_READ(sb, s_magic) != EXE_MAGIC_OVERLAY || BPF_CORE_READ(sb, s_dev) == host_root_dev)
                return NULL;
        struct guard_policy p = { .mode = s->unknown_mode, .flags = GUARD_NEW, .root_dev = BPF_CORE_READ(sb, s_dev) };
        bpf_map_update_elem(&policies, &id, &p, BPF_NOEXIST);
        *ret_cgroup = id;
        return bpf_map_lookup_elem(&policies, &id);
}

/* --------------------------------------------------------------------------------------------------------- files ----
 */

static __always_inline void read_attributes(struct inode *inode, struct guard_file *ret)
{
        __u64 seconds, ns;
        ret->size = (__u64)BPF_CORE_READ(inode, i_size);
        if (bpf_core_field_exists(inode->i_ctime_sec)) {
                seconds = (__u64)BPF_CORE_READ(inode, i_ctime_sec);
                ns = BPF_CORE_READ(inode, i_ctime_nsec) & CTIME_NSEC_MASK;
        } else if (bpf_core_field_exists(((struct inode___timespec *)inode)->__i_ctime)) {
                seconds = (__u64)BPF_CORE_READ((struct inode___timespec *)inode, __i_ctime.tv_sec);
                ns = (__u64)BPF_CORE_READ((struct inode___timespec *)inode, __i_ctime.tv_nsec) & CTIME_NSEC_MASK;
        } else {
                seconds = (__u64)BPF_CORE_READ((struct inode___old *)inode, i_ctime.tv_sec);
                ns = (__u64)BPF_CORE_READ((struct inode___old *)inode, i_ctime.tv_nsec);
        }
        ret->ctime_ns = seconds * 1000000000ull + ns;
}

/*
 * An overlay's inode has copies of what the file below is like, made when it was first looked up; the file below is
 * what can change behind them. It hangs at the open file: directly, or (6.13) as the first member of a struct of the
 * overlay's, which may be a module whose types nobody knows here. The one whose inode has the same number is it.
 */
static __always_inline struct inode *inode_below(struct file *file, struct inode *inode)
{
        void *direct = BPF_CORE_READ(file, private_data), *first = NULL;
        if (!direct)
                return inode;
        struct inode *below = BPF_CORE_READ((struct file *)direct, f_inode);
        if (below && BPF_CORE_READ(below, i_ino) == BPF_CORE_READ(inode, i_ino))
                return below;
        bpf_probe_read_kernel(&first, sizeof(first), direct);
        below = first ? BPF_CORE_READ((struct file *)first, f_inode) : NULL;
        return below && BPF_CORE_READ(below, i_ino) == BPF_CORE_READ(inode, i_ino) ? below : inode;
}

struct judged {
        __u64 ino;
        __u32 dev;
        __u32 verdict;
};

/*
 * The entry that a process means by a file. What is mapped of an overlay's file hangs at a file of the layer below that
 * remembers the entry: by its path (before 6.5), or beside it.
 */
static __always_inline struct dentry *entry_of(struct file *file)
{
        if (BPF_CORE_READ(file, f_mode) & FMODE_BACKING && bpf_core_type_exists(struct backing_file))
                return BPF_CORE_READ((struct backing_file *)file, user_path.dentry);
        return BPF_CORE_READ(file, f_path.dentry);
}

static __always_inline void judge(struct file *file, struct fs_struct *fs, const struct guard_policy *policy,
                                  struct judged *ret)
{
        struct exe_facts facts = { 0 };
        struct guard_file seen = { 0 }, *listed = NULL;
        struct dentry *dentry = entry_of(file);
        struct inode *inode = BPF_CORE_READ(dentry, d_inode);
        __u32 image = policy->image;
        read_entry_facts(inode, dentry, fs, &facts);
        ret->ino = BPF_CORE_READ(inode, i_ino);
        ret->dev = BPF_CORE_READ(inode, i_sb, s_dev);
        void *list = image ? bpf_map_lookup_elem(&images, &image) : NULL;
        if (list)
                listed = bpf_map_lookup_elem(list, &ret->ino);
        if (listed)
                read_attributes(facts.magic == EXE_MAGIC_OVERLAY ? inode_below(file, inode) : inode, &seen);
        ret->verdict = guard_judge(&facts, ret->dev, policy, listed, &seen);
}

/* ------------------------------------------------------------------------------------------------------- records ----
 */

static __always_inline struct guard_event *begin(struct task_struct *task, const struct guard_policy *policy,
                                                 __u64 cgroup, __u32 act, const struct judged *judged)
{
        struct scratch *s = get_scratch();
        if (!s)
                return NULL;
        struct guard_event *e = &s->event;
        __builtin_memset(e, 0, sizeof(*e));
        e->time_ns = bpf_ktime_get_boot_ns();
        e->started = BPF_CORE_READ(task, group_leader, start_boottime);
        e->cgroup_id = bpf_get_current_cgroup_id();
        e->policy_cgroup_id = cgroup;
        e->pid = (__u32)BPF_CORE_READ(task, tgid);
        e->uid = BPF_CORE_READ(task, cred, uid.val);
        e->act = act;
        e->verdict = judged->verdict;
        e->mode = policy->mode;
        e->ino = judged->ino;
        e->dev = judged->dev;
        e->root_dev = policy->root_dev;
        e->image = policy->image;
        BPF_CORE_READ_INTO(&e->comm, task, comm);
        return e;
}

static __always_inline void tell(struct guard_event *e, struct task_struct *task, struct dentry *dentry,
                                 struct vfsmount *mount)
{
        __u32 n = 0, is_cut = 0, act = e->act;
        struct scratch *s = get_scratch();
        if (!s)
                return;
        if (dentry)
                n = add_path(dentry, mount, BPF_CORE_READ(task, fs), 0, &is_cut);
        if (n > OBSERVE_PATH_MAX)
                n = OBSERVE_PATH_MAX;
        s->event.text_size = n;
        s->event.is_cut = (__u8)is_cut;
        if (bpf_ringbuf_output(&findings, &s->event, sizeof(s->event) + n, 0) == 0)
                return;
        __u64 *count = bpf_map_lookup_elem(&unheard, &act);
        if (count)
                (*count)++;
}

/* For the LSM programs: tells of a file, and says whether it is denied. */
static __always_inline int answer(struct task_struct *task, struct file *file, const struct guard_policy *policy,
                                  __u64 cgroup, __u32 act, const struct judged *judged)
{
        int denies = policy->mode == GUARD_ENFORCE;
        struct guard_event *e = begin(task, policy, cgroup, act, judged);
        if (e) {
                e->answer = denies ? GUARD_DENIED : GUARD_TOLD;
                tell(e, task, BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt));
        }
        return denies ? -EPERM : 0;
}

#include "bpf/guard/scripts.h"

/* ------------------------------------------------------------------------------------------------ without LSM ---- */

SEC("tp_btf/sched_process_exec")
int BPF_PROG(guard_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
        __u64 cgroup = 0;
        if (is_host(task))
                return 0;
        struct fs_struct *fs = BPF_CORE_READ(task, fs);
        struct file *file = BPF_CORE_READ(bprm, file);
        struct guard_policy *policy = find_policy(task, &cgroup);
        if (!policy)
                policy = first_policy(task, fs, &cgroup);
        if (!policy || policy->mode == GUARD_OFF)
                return 0;
        struct judged judged;
        judge(file, fs, policy, &judged);
        __u32 pid = (__u32)BPF_CORE_READ(task, tgid);
        bpf_map_delete_elem(&scripts, &pid); /* of the program before */
        if (judged.verdict == GUARD_FINE) {
                note_script(task, file, pid);
                return 0;
        }
        __u32 mode = policy->mode;
        int is_killed = mode == GUARD_ENFORCE && bpf_send_signal(9) == 0;
        struct guard_event *e = begin(task, policy, cgroup, GUARD_EXEC, &judged);
        if (!e)
                return 0;
        e->answer = mode != GUARD_ENFORCE ? GUARD_TOLD : is_killed ? GUARD_KILLED : GUARD_KILL_FAILED;
        tell(e, task, BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt));
        return 0;
}

/* --------------------------------------------------------------------------------------------------- with LSM ---- */

/* The policy of the process at hand, if it is a container's. */
static __always_inline struct guard_policy *own_policy(struct task_struct *task, __u64 *ret_cgroup)
{
        return is_host(task) ? NULL : find_policy(task, ret_cgroup);
}

/* A file that is about to become code or its text. 0 or -EPERM. */
static __always_inline int guard_file_use(struct file *file, __u32 act)
{
        struct task_struct *task = bpf_get_current_task_btf();
        struct judged judged;
        __u64 cgroup = 0;
        struct guard_policy *policy = own_policy(task, &cgroup);
        if (!file || !policy || policy->mode == GUARD_OFF)
                return 0;
        judge(file, BPF_CORE_READ(task, fs), policy, &judged);
        return judged.verdict == GUARD_FINE ? 0 : answer(task, file, policy, cgroup, act, &judged);
}

/*
 * Each file of the chain: a script, then what it names. Where nothing is denied, the tracepoint tells of the program
 * that runs in the end, and this one only of the scripts before it.
 */
SEC("lsm/bprm_check_security")
int BPF_PROG(deny_exec, struct linux_binprm *bprm)
{
        struct task_struct *task = bpf_get_current_task_btf();
        __u64 cgroup = 0;
        char begins[2] = { 0 };
        struct guard_policy *policy = own_policy(task, &cgroup);
        if (!is_host(task) && !policy)
                policy = first_policy(task, BPF_CORE_READ(task, fs), &cgroup);
        if (!policy || policy->mode == GUARD_OFF)
                return 0;
        bpf_probe_read_kernel(begins, sizeof(begins), bprm->buf);
        if (policy->mode != GUARD_ENFORCE && !(begins[0] == '#' && begins[1] == '!'))
                return 0;
        return guard_file_use(bprm->file, GUARD_EXEC);
}

SEC("lsm/mmap_file")
int BPF_PROG(deny_map, struct file *file, unsigned long asked, unsigned long protection)
{
        return protection & PROT_EXEC ? guard_file_use(file, GUARD_MAP) : 0;
}

SEC("lsm/file_mprotect")
int BPF_PROG(deny_protect, struct vm_area_struct *area, unsigned long asked, unsigned long protection)
{
        return protection & PROT_EXEC ? guard_file_use(BPF_CORE_READ(area, vm_file), GUARD_MAP) : 0;
}

static __always_inline int is_named(struct file *file, const struct script_name *wanted)
{
        struct script_name name = { 0 };
        bpf_probe_read_kernel_str(name.text, sizeof(name.text), BPF_CORE_READ(file, f_path.dentry, d_name.name));
        for (int i = 0; i < GUARD_SCRIPT_MAX; i++)
                if (name.text[i] != wanted->text[i])
                        return 0;
        return 1;
}

/* -------------------------------------------------------------------------------------------- what only grows ---- */

struct ascent {
        struct dentry *dentry;
        __u32 is_below;
};

static long step_folder(__u32 i, struct ascent *a)
{
        struct dentry *dentry = a->dentry, *above = BPF_CORE_READ(dentry, d_parent);
        struct inode *inode = BPF_CORE_READ(above, d_inode);
        struct guard_folder key = { .ino = BPF_CORE_READ(inode, i_ino), .dev = BPF_CORE_READ(inode, i_sb, s_dev) };
        if (bpf_map_lookup_elem(&folders, &key)) {
                a->is_below = 1;
                return 1;
        }
        a->dentry = above;
        return above == dentry;
}

static __always_inline int grows_only(struct dentry *dentry)
{
        struct ascent a = { .dentry = dentry };
        bpf_loop(FOLDERS_ABOVE_MAX, step_folder, &a, 0);
        return a.is_below;
}

static __always_inline int forbid(struct task_struct *task, const struct guard_policy *policy, __u64 cgroup, __u32 act,
                                  struct dentry *dentry, struct vfsmount *mount)
{
        struct judged judged = { .verdict = GUARD_FORBIDDEN };
        struct guard_event *e = begin(task, policy, cgroup, act, &judged);
        if (e) {
                e->answer = GUARD_DENIED;
                tell(e, task, dentry, mount);
        }
        return -EPERM;
}

static __always_inline int guard_growing(struct dentry *dentry, struct vfsmount *mount, __u32 act)
{
        struct task_struct *task = bpf_get_current_task_btf();
        __u64 cgroup = 0;
        struct guard_policy *policy = own_policy(task, &cgroup);
        if (!policy || !(policy->flags & GUARD_APPEND_ONLY) || !grows_only(dentry))
                return 0;
        return forbid(task, policy, cgroup, act, dentry, mount);
}

SEC("lsm/path_unlink")
int BPF_PROG(deny_unlink, struct path *dir, struct dentry *dentry)
{
        return guard_growing(dentry, BPF_CORE_READ(dir, mnt), GUARD_REMOVE);
}

SEC("lsm/path_rename")
int BPF_PROG(deny_rename, struct path *old_dir, struct dentry *old, struct path *new_dir, struct dentry *new)
{
        int r = guard_growing(old, BPF_CORE_READ(old_dir, mnt), GUARD_RENAME);
        return r ? r : guard_growing(new, BPF_CORE_READ(new_dir, mnt), GUARD_RENAME);
}

/* A second name, elsewhere, would be a way around all of this. */
SEC("lsm/path_link")
int BPF_PROG(deny_link, struct dentry *old, struct path *new_dir, struct dentry *new)
{
        return guard_growing(old, BPF_CORE_READ(new_dir, mnt), GUARD_LINK);
}

SEC("lsm/path_truncate")
int BPF_PROG(deny_truncate, struct path *path)
{
        return guard_growing(BPF_CORE_READ(path, dentry), BPF_CORE_READ(path, mnt), GUARD_TRUNCATE);
}

SEC("lsm/file_truncate")
int BPF_PROG(deny_file_truncate, struct file *file)
{
        return guard_growing(BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt), GUARD_TRUNCATE);
}

/* Without O_APPEND again, a descriptor writes anywhere. */
SEC("lsm/file_fcntl")
int BPF_PROG(deny_fcntl, struct file *file, unsigned int command, unsigned long argument)
{
        if (command != F_SETFL || argument & O_APPEND || !(BPF_CORE_READ(file, f_flags) & O_APPEND))
                return 0;
        return guard_growing(BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt), GUARD_OVERWRITE);
}

/* Two questions at one open: is it the script that an interpreter was given, and may it be written other than at its
 * end? An empty file may: nothing of it is lost. */
SEC("lsm/file_open")
int BPF_PROG(deny_open, struct file *file)
{
        struct task_struct *task = bpf_get_current_task_btf();
        __u64 cgroup = 0;
        __u32 pid = (__u32)BPF_CORE_READ(task, tgid);
        struct inode *inode = BPF_CORE_READ(file, f_inode);
        struct guard_policy *policy = own_policy(task, &cgroup);
        if (!policy || (BPF_CORE_READ(inode, i_mode) & FILE_TYPE) != FILE_REGULAR)
                return 0;
        if (policy->flags & GUARD_APPEND_ONLY && BPF_CORE_READ(file, f_mode) & FMODE_WRITE &&
            !(BPF_CORE_READ(file, f_flags) & O_APPEND) && BPF_CORE_READ(inode, i_size) > 0 &&
            grows_only(BPF_CORE_READ(file, f_path.dentry)))
                return forbid(task, policy, cgroup, GUARD_OVERWRITE, BPF_CORE_READ(file, f_path.dentry),
                              BPF_CORE_READ(file, f_path.mnt));
        struct script_name *wanted = bpf_map_lookup_elem(&scripts, &pid);
        if (!wanted || policy->mode == GUARD_OFF || !is_named(file, wanted))
                return 0;
        struct judged judged;
        judge(file, BPF_CORE_READ(task, fs), policy, &judged);
        if (judged.verdict == GUARD_FINE || judged.verdict == GUARD_UNLISTED) { /* scripts need no x bit to be listed */
                bpf_map_delete_elem(&scripts, &pid);
                return 0;
        }
        return answer(task, file, policy, cgroup, GUARD_SCRIPT, &judged);
}

/* ----------------------------------------------------------------------------------------- what flags forbid ---- */

static __always_inline int is_loopback(__u16 family, const __u8 *a)
{
        if (family == AF_INET)
                return a[0] == 127;
        for (int i = 0; i < 10; i++)
                if (a[i])
                        return 0;
        if (a[10] == 0xff && a[11] == 0xff) /* IPv4 in the clothes of IPv6 */
                return a[12] == 127;
        return !a[10] && !a[11] && !a[12] && !a[13] && !a[14] && a[15] == 1;
}

SEC("lsm/socket_connect")
int BPF_PROG(deny_connect, struct socket *socket, void *address, int length)
{
        struct task_struct *task = bpf_get_current_task_btf();
        struct judged judged = { .verdict = GUARD_FORBIDDEN };
        __u64 cgroup = 0;
        __u16 family = 0, port = 0;
        __u8 to[16] = { 0 };
        struct guard_policy *policy = own_policy(task, &cgroup);
        if (!policy || !(policy->flags & GUARD_NO_CONNECT))
                return 0;
        bpf_probe_read_kernel(&family, sizeof(family), address);
        bpf_probe_read_kernel(&port, sizeof(port), address + 2);
        if (family == AF_INET)
                bpf_probe_read_kernel(to, 4, address + 4);
        else if (family == AF_INET6)
                bpf_probe_read_kernel(to, 16, address + 8);
        else
                return 0;
        if (is_loopback(family, to))
                return 0;
        struct guard_event *e = begin(task, policy, cgroup, GUARD_CONNECT, &judged);
        if (e) {
                e->answer = GUARD_DENIED;
                e->family = family;
                e->port = __builtin_bswap16(port);
                __builtin_memcpy(e->address, to, sizeof(to));
                tell(e, task, NULL, NULL);
        }
        return -EPERM;
}

static __always_inline int guard_flag(__u32 flag, __u32 act)
{
        struct task_struct *task = bpf_get_current_task_btf();
        __u64 cgroup = 0;
        struct guard_policy *policy = own_policy(task, &cgroup);
        return policy && policy->flags & flag ? forbid(task, policy, cgroup, act, NULL, NULL) : 0;
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(deny_ptrace, struct task_struct *child, unsigned int mode)
{
        return mode & PTRACE_ATTACH ? guard_flag(GUARD_NO_PTRACE, GUARD_PTRACE) : 0;
}

SEC("lsm/bpf")
int BPF_PROG(deny_bpf, int command)
{
        if (probe_pid && probe_pid == (__u32)(bpf_get_current_pid_tgid() >> 32))
                return -EPERM;
        return guard_flag(GUARD_NO_BPF, GUARD_BPF);
}
