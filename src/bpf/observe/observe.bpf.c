/*
 * Lean mode: the life of processes (fork, exec, exit) from the scheduler's tracepoints. No system call is slowed down.
 * Everything that an exec tells is read from the kernel's own objects while the new program has not run yet, except its
 * arguments, which are the process's to change. What the host asks to be killed for where its program comes from
 * (shared/exe.h) gets its signal here, before the first instruction.
 *
 * Needs BTF, the ring buffer (5.8) and bpf_loop (5.17).
 */
#include "bpf/shared/observe.h"
#include "bpf/facts.h"
#include "bpf/fd.h"
#include "bpf/kernel.h"
#include "bpf/shared/exe.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Set by the loader: the namespaces of the host. */
const volatile __u32 host_mounts, host_pids;

struct {
        __uint(type, BPF_MAP_TYPE_RINGBUF);
        __uint(max_entries, 4 << 20); /* the loader may set another size */
} lifecycle SEC(".maps");

/* Records that found no room in the ring, by kind. */
struct {
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, OBSERVE_KINDS);
        __type(key, __u32);
        __type(value, __u64);
} drops SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct observe_settings);
} settings SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, OBSERVE_CONTAINERS_MAX);
        __type(key, __u64);
        __type(value, __u8);
} containers SEC(".maps");

/* An exec under construction (path.h says why the text has slack). */
struct scratch {
        struct observe_exec exec;
        char text[OBSERVE_TEXT_MAX + OBSERVE_ENV_MAX];
};

#include "bpf/scratch.h"

#include "bpf/path.h"

static __always_inline void send(void *record, __u64 size, __u32 kind)
{
        if (bpf_ringbuf_output(&lifecycle, record, size, 0) == 0)
                return;
        __u64 *n = bpf_map_lookup_elem(&drops, &kind);
        if (n)
                (*n)++;
}

/* ---------------------------------------------------------------------------------------------------- facts ---- */

static __always_inline __u32 tty_of(struct signal_struct *signal)
{
        struct tty_struct *tty = BPF_CORE_READ(signal, tty);
        if (!tty)
                return 0;
        __u32 major = (__u32)BPF_CORE_READ(tty, driver, major);
        __u32 minor = (__u32)(BPF_CORE_READ(tty, driver, minor_start) + BPF_CORE_READ(tty, index));
        return major << 8 | (minor & 0xff);
}

/* Of a ctime the highest bit of the nanoseconds says whether it was asked for since (I_CTIME_QUERIED, 6.13). */
#define NS(sec, nsec) ((__u64)(sec)*1000000000 + ((__u64)(nsec)&0x7fffffff))

static __always_inline void read_times(struct inode *inode, struct observe_exec *e)
{
        struct inode___timespec *between = (void *)inode;
        struct inode___old *old = (void *)inode;
        if (bpf_core_field_exists(inode->i_ctime_sec)) {
                e->exe_ctime_ns = NS(BPF_CORE_READ(inode, i_ctime_sec), BPF_CORE_READ(inode, i_ctime_nsec));
                e->exe_mtime_ns = NS(BPF_CORE_READ(inode, i_mtime_sec), BPF_CORE_READ(inode, i_mtime_nsec));
                return;
        }
        if (bpf_core_field_exists(old->i_ctime))
                e->exe_ctime_ns = NS(BPF_CORE_READ(old, i_ctime.tv_sec), BPF_CORE_READ(old, i_ctime.tv_nsec));
        else
                e->exe_ctime_ns =
                        NS(BPF_CORE_READ(between, __i_ctime.tv_sec), BPF_CORE_READ(between, __i_ctime.tv_nsec));
        if (bpf_core_field_exists(old->i_mtime))
                e->exe_mtime_ns = NS(BPF_CORE_READ(old, i_mtime.tv_sec), BPF_CORE_READ(old, i_mtime.tv_nsec));
        else
                e->exe_mtime_ns =
                        NS(BPF_CORE_READ(between, __i_mtime.tv_sec), BPF_CORE_READ(between, __i_mtime.tv_nsec));
}

static __always_inline void read_exe(struct file *file, struct fs_struct *fs, struct observe_exec *e,
                                     struct exe_facts *facts)
{
        struct inode *inode = BPF_CORE_READ(file, f_inode);
        struct super_block *sb = BPF_CORE_READ(inode, i_sb);
        e->exe_magic = (__u32)BPF_CORE_READ(sb, s_magic);
        e->exe_dev = BPF_CORE_READ(sb, s_dev);
        e->exe_ino = BPF_CORE_READ(inode, i_ino);
        e->exe_mode = BPF_CORE_READ(inode, i_mode);
        e->exe_uid = BPF_CORE_READ(inode, i_uid.val);
        e->exe_gid = BPF_CORE_READ(inode, i_gid.val);
        read_times(inode, e);
        e->exe_nlink = BPF_CORE_READ(inode, i_nlink);
        read_file_facts(file, fs, facts);
}

static __always_inline __u32 flags_of(const struct exe_facts *f)
{
        return (f->has_upper ? OBSERVE_EXE_UPPER : 0) | (f->is_rootless ? OBSERVE_EXE_ROOTLESS : 0) |
               (f->is_on_root ? OBSERVE_EXE_ON_ROOT : 0) | (f->is_deleted ? OBSERVE_EXE_DELETED : 0) |
               (f->in_other_mounts ? OBSERVE_OTHER_MOUNTS : 0) | (f->in_other_pids ? OBSERVE_OTHER_PIDS : 0) |
               (f->in_container_cgroup ? OBSERVE_CONTAINER_CGROUP : 0);
}

static __always_inline void read_task(struct task_struct *task, struct observe_exec *e)
{
        struct signal_struct *signal = BPF_CORE_READ(task, signal);
        const struct cred *cred = BPF_CORE_READ(task, cred);
        const struct upid *group = own_number(BPF_CORE_READ(signal, pids[PIDTYPE_PGID]));
        const struct upid *own = own_number(BPF_CORE_READ(task, thread_pid));
        e->head.kind = OBSERVE_EXEC;
        e->head.pid = (__u32)BPF_CORE_READ(task, tgid);
        e->head.time_ns = bpf_ktime_get_boot_ns();
        e->head.started = BPF_CORE_READ(task, group_leader, start_boottime);
        e->thread = (__u32)BPF_CORE_READ(task, pid);
        e->ppid = (__u32)BPF_CORE_READ(task, real_parent, tgid);
        e->sid = pid_of(BPF_CORE_READ(signal, pids[PIDTYPE_SID]));
        e->pgid = pid_of(BPF_CORE_READ(signal, pids[PIDTYPE_PGID]));
        e->vpgid = (__u32)BPF_CORE_READ(group, nr);
        e->init_started = BPF_CORE_READ(own, ns, child_reaper, start_boottime);
        e->tty = tty_of(signal);
        e->uid = BPF_CORE_READ(cred, uid.val);
        e->euid = BPF_CORE_READ(cred, euid.val);
        e->gid = BPF_CORE_READ(cred, gid.val);
        BPF_CORE_READ_INTO(&e->cap_effective, cred, cap_effective);
        BPF_CORE_READ_INTO(&e->cap_permitted, cred, cap_permitted);
        BPF_CORE_READ_INTO(&e->cap_inheritable, cred, cap_inheritable);
        e->loginuid = bpf_core_field_exists(task->loginuid) ? BPF_CORE_READ(task, loginuid.val) : (__u32)-1;
        e->cgroup_id = bpf_get_current_cgroup_id();
        BPF_CORE_READ_INTO(&e->comm, task, comm);
}

static __always_inline __u32 add_args(struct task_struct *task, struct scratch *s, __u32 n)
{
        unsigned long start = BPF_CORE_READ(task, mm, arg_start);
        unsigned long size = BPF_CORE_READ(task, mm, arg_end) - start;
        if (size > OBSERVE_ARGS_MAX) {
                size = OBSERVE_ARGS_MAX;
                s->exec.flags |= OBSERVE_ARGS_CUT;
        }
        if (bpf_probe_read_user(&s->text[BOUNDED(n)], (__u32)size, (void *)start))
                return n;
        return n + (__u32)size;
}

static __always_inline __u32 add_env(struct task_struct *task, struct scratch *s, __u32 n)
{
        __u32 zero = 0;
        struct observe_settings *wanted = bpf_map_lookup_elem(&settings, &zero);
        unsigned long start = BPF_CORE_READ(task, mm, env_start);
        unsigned long size = BPF_CORE_READ(task, mm, env_end) - start;
        if (!wanted || !wanted->wants_env)
                return n;
        if (size > OBSERVE_ENV_MAX)
                size = OBSERVE_ENV_MAX;
        if (bpf_probe_read_user(&s->text[BOUNDED(n)], (__u32)size, (void *)start))
                return n;
        return n + (__u32)size;
}

static __always_inline __u32 add_filename(struct linux_binprm *bprm, struct scratch *s, __u32 n)
{
        long r = bpf_probe_read_kernel_str(&s->text[BOUNDED(n)], OBSERVE_FILENAME_MAX, BPF_CORE_READ(bprm, filename));
        return r > 0 ? n + (__u32)r : n;
}

static __always_inline void add_texts(struct task_struct *task, struct linux_binprm *bprm, struct fs_struct *fs,
                                      struct scratch *s, __u32 *ret_n)
{
        __u32 ends[OBSERVE_TEXTS], is_cut = 0, n = 0;
        struct file *file = BPF_CORE_READ(bprm, file);
        ends[OBSERVE_EXE] = n =
                add_path(BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt), fs, n, &is_cut);
        s->exec.flags |= is_cut ? OBSERVE_EXE_PATH_CUT : 0;
        ends[OBSERVE_CWD] = n = add_path(BPF_CORE_READ(fs, pwd.dentry), BPF_CORE_READ(fs, pwd.mnt), fs, n, &is_cut);
        s->exec.flags |= is_cut ? OBSERVE_CWD_CUT : 0;
        ends[OBSERVE_CGROUP] = n = add_cgroup(task, n);
        ends[OBSERVE_FILENAME] = n = add_filename(bprm, s, n);
        ends[OBSERVE_ARGS] = n = add_args(task, s, n);
        ends[OBSERVE_ENV] = n = add_env(task, s, n);
        s->exec.text_size[OBSERVE_EXE] = (__u16)ends[OBSERVE_EXE];
#pragma unroll
        for (int i = 1; i < OBSERVE_TEXTS; i++)
                s->exec.text_size[i] = (__u16)(ends[i] - ends[i - 1]);
        *ret_n = n;
}

static __always_inline void kill_if_asked(const struct exe_facts *facts, struct observe_exec *e)
{
        __u32 zero = 0;
        struct observe_settings *s = bpf_map_lookup_elem(&settings, &zero);
        if (s && exe_must_die(s->kill_mask, facts))
                e->flags |= bpf_send_signal(9) == 0 ? OBSERVE_KILLED : OBSERVE_KILL_FAILED;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
        struct scratch *s = get_scratch();
        struct exe_facts facts = { 0 };
        if (!s)
                return 0;
        struct observe_exec *e = &s->exec;
        struct fs_struct *fs = BPF_CORE_READ(task, fs);
        struct fdtable *table = BPF_CORE_READ(task, files, fdt);
        __u32 namespace = 0, n = 0;
        read_task(task, e);
        e->vpid = own_pid(BPF_CORE_READ(task, group_leader), &namespace);
        facts.in_other_mounts = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum) != host_mounts;
        facts.in_other_pids = namespace != host_pids;
        facts.in_container_cgroup = bpf_map_lookup_elem(&containers, &e->cgroup_id) != NULL;
        read_exe(BPF_CORE_READ(bprm, file), fs, e, &facts);
        e->flags = flags_of(&facts);
        kill_if_asked(&facts, e);
        if (BPF_CORE_READ(bprm, fdpath))
                e->flags |= OBSERVE_BY_DESCRIPTOR;
        if (BPF_CORE_READ(bprm, interp) != BPF_CORE_READ(bprm, filename))
                e->flags |= OBSERVE_SCRIPT;
#pragma unroll
        for (__u32 i = 0; i < OBSERVE_FDS; i++)
                read_fd(table, i, &e->fds[i]);
        add_texts(task, bprm, fs, s, &n);
        if (n > OBSERVE_TEXT_MAX)
                n = OBSERVE_TEXT_MAX;
        send(s, sizeof(s->exec) + n, OBSERVE_EXEC);
        return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
        __u32 namespace;
        if (BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid)) /* a thread */
                return 0;
        struct observe_fork f = { .head = { .kind = OBSERVE_FORK,
                                            .pid = (__u32)BPF_CORE_READ(child, tgid),
                                            .time_ns = bpf_ktime_get_boot_ns(),
                                            .started = BPF_CORE_READ(child, start_boottime) },
                                  .ppid = (__u32)BPF_CORE_READ(child, real_parent, tgid),
                                  .vpid = own_pid(child, &namespace),
                                  .uid = BPF_CORE_READ(child, cred, uid.val),
                                  .gid = BPF_CORE_READ(child, cred, gid.val),
                                  .cgroup_id = bpf_get_current_cgroup_id() };
        BPF_CORE_READ_INTO(&f.comm, child, comm);
        send(&f, sizeof(f), OBSERVE_FORK);
        return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
        if (BPF_CORE_READ(task, signal, live.counter) != 0) /* other threads go on */
                return 0;
        struct observe_exit x = { .head = { .kind = OBSERVE_EXIT,
                                            .pid = (__u32)BPF_CORE_READ(task, tgid),
                                            .time_ns = bpf_ktime_get_boot_ns(),
                                            .started = BPF_CORE_READ(task, group_leader, start_boottime) },
                                  .status = (__u32)BPF_CORE_READ(task, exit_code) };
        send(&x, sizeof(x), OBSERVE_EXIT);
        return 0;
}
