/*
 * Full mode: system calls as they return (shared/calls.def), those that the filters ask for (shared/filter.h) and no
 * others. One tracepoint of all calls with a table of numbers, so that a call that nobody asks for costs a few
 * instructions. Loaded and attached in full mode only.
 *
 * What a call worked on is read from the kernel's own objects: the file of a descriptor with its path, a socket with
 * both of its ends. Paths and data of the process's memory are told as what they are: the process can change them until
 * we look. Arguments are those that the call got; the kernel keeps them until it returns.
 *
 * `close` and `reboot` are seen when they begin, by a second tracepoint that is attached only if a filter asks for one.
 *
 * In lean mode, where no tracepoint of calls is attached, those calls tell of themselves that ask for a right before
 * they do anything (shared/calls-rights.def), attach to a process or set up a ring: the tracepoint of what they ask
 * for knows the thread, and with it which call it is in and with what arguments. Other calls pay nothing for that.
 *
 * Needs BTF, the ring buffer (5.8) and bpf_loop (5.17); for rights cap_capable (6.14).
 */
#include "bpf/calls/filter.h"
#include "bpf/calls/look.h"
#include "bpf/facts.h"
#include "bpf/fd.h"
#include "bpf/kernel.h"
#include "bpf/shared/exe.h"
#include "bpf/shared/filter.h"
#include "bpf/shared/observe.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define AT_FDCWD  (-100)
#define SIGSTOP   19
#define TS_COMPAT 2u          /* thread_info.status: a 32-bit call */
#define X32_BIT   0x40000000u /* of the number of a call of x32 */

/* --------------------------------------------------------------------------------------------------- record ---- */

static __always_inline void fill_head(struct look *l, struct exe_facts *facts)
{
        struct observe_call *e = &l->s->call;
        struct task_struct *task = l->task;
        const struct cred *cred = task->cred;
        __u32 namespace = 0;
        __builtin_memset(e, 0, sizeof(*e));
        e->head.kind = OBSERVE_CALL;
        e->head.pid = (__u32)task->tgid;
        e->head.time_ns = bpf_ktime_get_boot_ns();
        e->head.started = BPF_CORE_READ(task, group_leader, start_boottime);
        e->thread = (__u32)task->pid;
        e->call = (__u16)l->id;
        e->result = l->result;
        __builtin_memcpy(e->args, l->s->args, sizeof(e->args));
        e->cgroup_id = bpf_get_current_cgroup_id();
        e->uid = BPF_CORE_READ(cred, uid.val);
        e->euid = BPF_CORE_READ(cred, euid.val);
        e->gid = BPF_CORE_READ(cred, gid.val);
        BPF_CORE_READ_INTO(&e->comm, task, group_leader, comm);
        own_pid(task->group_leader, &namespace);
        facts->in_other_mounts = task->nsproxy->mnt_ns->ns.inum != host_mounts;
        facts->in_other_pids = namespace != host_pids;
        facts->in_container_cgroup = bpf_map_lookup_elem(&containers, &e->cgroup_id) != NULL;
}

#define TASK_SIZE_32 (1ull << 32) /* a 32-bit program's memory ends here or before */

/* A 32-bit call out of a program that is none: the kernel takes them from everybody. */
static __always_inline int is_mixed(const struct look *l)
{
        struct task_struct *task = l->task;
        return l->is_i386 && BPF_CORE_READ(task, mm, task_size) > TASK_SIZE_32;
}

static __always_inline __u16 flags_of(const struct look *l, const struct exe_facts *f)
{
        return (l->is_i386 ? OBSERVE_CALL_I386 : 0) | (is_mixed(l) ? OBSERVE_CALL_MIXED : 0) |
               (f->has_upper ? OBSERVE_FILE_UPPER : 0) | (f->is_rootless ? OBSERVE_FILE_ROOTLESS : 0) |
               (f->is_on_root ? OBSERVE_FILE_ON_ROOT : 0) | (f->is_deleted ? OBSERVE_FILE_DELETED : 0) |
               (f->in_other_mounts ? OBSERVE_CALL_OTHER_MOUNTS : 0) | (f->in_other_pids ? OBSERVE_CALL_OTHER_PIDS : 0) |
               (f->in_container_cgroup ? OBSERVE_CALL_CONTAINER_CGROUP : 0) | (l->is_asked ? OBSERVE_CALL_ASKED : 0);
}

static __always_inline void fill_file(struct look *l, struct exe_facts *facts)
{
        struct observe_call *e = &l->s->call;
        struct file *file = l->file;
        struct inode *inode = BPF_CORE_READ(file, f_inode);
        read_file_fd(file, &e->fd);
        read_file_facts(file, (void *)fs_of(l), facts);
        e->file_magic = facts->magic;
        e->file_dev = BPF_CORE_READ(inode, i_sb, s_dev);
        e->file_uid = BPF_CORE_READ(inode, i_uid.val);
        e->file_nlink = BPF_CORE_READ(inode, i_nlink);
}

#define WAS_CUT 0x80000000u

/* Where the path's text ends, and whether it was cut. */
SEPARATE __u32 walk(__u64 dentry, __u64 mount, __u64 fs, __u32 n)
{
        __u32 is_cut = 0;
        n = add_path((void *)dentry, (void *)mount, (void *)fs, n, &is_cut);
        return is_cut ? n | WAS_CUT : n;
}

static __always_inline __u32 add_file_path(struct look *l, struct dentry *dentry, struct vfsmount *mount, __u32 n,
                                           __u16 cut_flag)
{
        __u32 end = walk((__u64)dentry, (__u64)mount, fs_of(l), n);
        if (end & WAS_CUT)
                l->s->call.flags |= cut_flag;
        return end & ~WAS_CUT;
}

/* The real path of the descriptor's file; after a change of directory that of the new one. */
static __always_inline __u32 add_file(struct look *l, __u32 n)
{
        struct fs_struct *fs = (void *)fs_of(l);
        struct file *file = l->file;
        if ((l->id == CALL_chdir || l->id == CALL_fchdir) && l->result == 0)
                return add_file_path(l, BPF_CORE_READ(fs, pwd.dentry), BPF_CORE_READ(fs, pwd.mnt), n,
                                     OBSERVE_FILE_PATH_CUT);
        if (!file || is_socket_mode(l->s->call.fd.mode))
                return n;
        return add_file_path(l, BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt), n,
                             OBSERVE_FILE_PATH_CUT);
}

/* What a relative path begins at: a directory's descriptor, or the working directory, unless the call has changed it.
 */
static __always_inline __u32 add_directory(struct look *l, __s8 dir, __s8 path, __u32 n, __u16 cut_flag)
{
        struct fs_struct *fs = (void *)fs_of(l);
        char first = 0;
        if (path == NONE)
                return n;
        if (bpf_probe_read_user(&first, 1, (void *)argument(l, path)) == 0 && first == '/')
                return n;
        __s32 fd = dir == NONE ? AT_FDCWD : (__s32)argument(l, dir);
        if (fd == AT_FDCWD) {
                int is_changed = (l->id == CALL_chdir || l->id == CALL_chroot || l->id == CALL_pivot_root) &&
                                 l->result == 0 && !l->is_asked;
                return is_changed ? n
                                  : add_file_path(l, BPF_CORE_READ(fs, pwd.dentry), BPF_CORE_READ(fs, pwd.mnt), n,
                                                  cut_flag);
        }
        struct file *file = fd >= 0 ? file_of(table_of(l), (__u32)fd) : NULL;
        if (!file)
                return n;
        return add_file_path(l, BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt), n, cut_flag);
}

static __always_inline __u32 add_user_text(struct look *l, const void *from, __u32 n, __u32 most)
{
        long r = bpf_probe_read_user_str(&l->s->text[BOUNDED(n)], most, from);
        return r > 0 ? n + (__u32)r : n;
}

static __always_inline __u32 add_user_path(struct look *l, __s8 path, __u32 n)
{
        return path == NONE ? n : add_user_text(l, (void *)argument(l, path), n, OBSERVE_FILENAME_MAX);
}

/* The address of a message: where it stands, and its size. */
static __always_inline const void *message_address(struct look *l, const void *header, __u64 *ret_size)
{
        struct {
                __u64 name;
                __u32 size;
        } native = { 0 };
        struct {
                __u32 name, size;
        } compat = { 0 };
        if (l->is_i386) {
                bpf_probe_read_user(&compat, sizeof(compat), header);
                *ret_size = compat.size;
                return (void *)(__u64)compat.name;
        }
        bpf_probe_read_user(&native, sizeof(native), header);
        *ret_size = native.size;
        return (void *)native.name;
}

/* The first piece of a message (struct msghdr, struct iovec): where it stands, and the smaller of its size and the
 * given one. */
static __always_inline const void *message_piece(struct look *l, const void *header, __u64 *size)
{
        struct {
                __u64 base, bytes;
        } native = { 0 };
        struct {
                __u32 base, bytes;
        } compat = { 0 };
        __u64 pieces = 0;
        if (l->is_i386) {
                bpf_probe_read_user(&pieces, 4, header + 8);
                bpf_probe_read_user(&compat, sizeof(compat), (void *)pieces);
                native.base = compat.base;
                native.bytes = compat.bytes;
        } else {
                bpf_probe_read_user(&pieces, 8, header + 16);
                bpf_probe_read_user(&native, sizeof(native), (void *)pieces);
        }
        if (*size > native.bytes)
                *size = native.bytes;
        return (void *)native.base;
}

static __always_inline __u32 add_data(struct look *l, __u32 n)
{
        if (l->recipe.data == NONE)
                return n;
        const void *from = (void *)argument(l, l->recipe.data);
        __u32 how = data_sizes[WITHIN(l->id, CALLS_ROOM)];
        __u64 size = how & BYTES ? how & ~BYTES : argument(l, (int)how - 1);
        if (how == RESULT_SAYS && l->result < 0)
                return n;
        if (l->id == CALL_sendmsg)
                from = message_address(l, from, &size);
        else if (l->id == CALL_recvmsg)
                from = message_piece(l, from, &size);
        else if (how == 0)
                return add_user_text(l, from, n, OBSERVE_CALL_DATA_MAX);
        if (size > OBSERVE_CALL_DATA_MAX)
                size = OBSERVE_CALL_DATA_MAX;
        if (!from || size == 0 || bpf_probe_read_user(&l->s->text[BOUNDED(n)], (__u32)size, from))
                return n;
        return n + (__u32)size;
}

static __always_inline __u32 add_texts(struct look *l)
{
        __u32 ends[OBSERVE_CALL_TEXTS], n = 0;
        ends[OBSERVE_CALL_FILE] = n = add_file(l, n);
        ends[OBSERVE_CALL_DIR1] = n = add_directory(l, l->recipe.dir1, l->recipe.path1, n, OBSERVE_DIR1_CUT);
        ends[OBSERVE_CALL_PATH1] = n = add_user_path(l, l->recipe.path1, n);
        ends[OBSERVE_CALL_DIR2] = n = add_directory(l, l->recipe.dir2, l->recipe.path2, n, OBSERVE_DIR2_CUT);
        ends[OBSERVE_CALL_PATH2] = n = add_user_path(l, l->recipe.path2, n);
        ends[OBSERVE_CALL_DATA] = n = add_data(l, n);
        l->s->call.text_size[0] = (__u16)ends[0];
#pragma unroll
        for (int i = 1; i < OBSERVE_CALL_TEXTS; i++)
                l->s->call.text_size[i] = (__u16)(ends[i] - ends[i - 1]);
        return n;
}

/* Of the call with this id, now: without a file and what it is compared by. */
static __always_inline struct look look_of(struct task_struct *task, __u32 id, __u32 is_i386, __u32 is_asked,
                                           long result)
{
        const volatile struct recipe *recipe = &recipes[WITHIN(id, CALLS_ROOM)];
        return (struct look){ .task = task,
                              .s = get_scratch(),
                              .id = id,
                              .is_i386 = is_i386,
                              .is_asked = is_asked,
                              .result = result,
                              .recipe = { .fd = recipe->fd,
                                          .dir1 = recipe->dir1,
                                          .path1 = recipe->path1,
                                          .dir2 = recipe->dir2,
                                          .path2 = recipe->path2,
                                          .data = recipe->data } };
}

/* By itself (SEPARATE), since many ways lead here. */
SEPARATE int tell(__u64 file, __u32 id, __u32 is_i386, __u32 is_asked, __s64 result)
{
        struct look look = look_of(bpf_get_current_task_btf(), id, is_i386, is_asked, result), *l = &look;
        struct exe_facts facts = { 0 };
        if (!l->s)
                return 0;
        l->file = (void *)file;
        fill_head(l, &facts);
        if (l->file)
                fill_file(l, &facts);
        l->s->call.flags = flags_of(l, &facts);
        __u32 n = add_texts(l);
        if (n > OBSERVE_TEXT_MAX)
                n = OBSERVE_TEXT_MAX;
        if (bpf_ringbuf_output(&calls, l->s, sizeof(l->s->call) + n, 0) == 0)
                return 0;
        __u32 class = observe_call_class(l->id);
        __u64 *lost = bpf_map_lookup_elem(&call_drops, &class);
        if (lost)
                (*lost)++;
        return 0;
}

/* -------------------------------------------------------------------------------------------------- programs ---- */

static __always_inline void read_arguments(struct look *l, struct pt_regs *regs)
{
        __u64 *a = l->s->args;
        if (!bpf_core_field_exists(regs->orig_ax)) {
                struct pt_regs___arm64 *arm = (void *)regs;
                a[0] = BPF_CORE_READ(arm, orig_x0);
                bpf_probe_read_kernel(a + 1, 5 * sizeof(*a), __builtin_preserve_access_index(&arm->regs[1]));
        } else if (l->is_i386) {
                a[0] = (__u32)regs->bx;
                a[1] = (__u32)regs->cx;
                a[2] = (__u32)regs->dx;
                a[3] = (__u32)regs->si;
                a[4] = (__u32)regs->di;
                a[5] = (__u32)regs->bp;
        } else {
                a[0] = regs->di;
                a[1] = regs->si;
                a[2] = regs->dx;
                a[3] = regs->r10;
                a[4] = regs->r8;
                a[5] = regs->r9;
        }
        a[CALL_TEST_RESULT] = (__u64)l->result;
        a[CALL_TEST_OPEN_FLAGS] = 0;
}

/* i386 has one call for all of sockets: which one, and where the arguments stand, are its arguments. */
static __always_inline int unfold_socketcall(struct look *l)
{
        __u32 given[6] = { 0 }, which = (__u32)l->s->args[0];
        if (which >= CALL_SOCKET_SUB)
                return 0;
        __u32 id = socket_subs[WITHIN(which, 32)];
        if (id == 0)
                return 0;
        bpf_probe_read_user(given, sizeof(given), (void *)l->s->args[1]);
#pragma unroll
        for (int i = 0; i < 6; i++)
                l->s->args[i] = given[i];
        l->id = id - 1;
        return 1;
}

/* What is told as something else: a program or a child that begins. */
static __always_inline int is_lifecycle(const struct look *l)
{
        return l->result == 0 && l->id >= CALL_execve && l->id <= CALL_vfork && !l->is_asked;
}

#define ONE_CALL_NS 20000000u /* a call that asks again asks again soon */

/* Has this thread told of this call already? Remembers it, if not. */
SEPARATE int has_told(__u32 id, __u32 is_refused)
{
        struct task_struct *task = bpf_get_current_task_btf();
        struct scratch *s = get_scratch();
        __u32 thread = (__u32)task->pid;
        const struct asked *before = bpf_map_lookup_elem(&asking, &thread);
        struct asked now = { .id = id, .is_refused = is_refused, .time_ns = bpf_ktime_get_ns() };
        if (!s)
                return 1;
        __builtin_memcpy(now.args, s->args, sizeof(now.args));
        if (before && now.time_ns - before->time_ns < ONE_CALL_NS && before->id == id &&
            before->is_refused == is_refused &&
            !((before->args[0] ^ now.args[0]) | (before->args[1] ^ now.args[1]) | (before->args[2] ^ now.args[2]) |
              (before->args[3] ^ now.args[3]) | (before->args[4] ^ now.args[4]) | (before->args[5] ^ now.args[5])))
                return 1;
        bpf_map_update_elem(&asking, &thread, &now, BPF_ANY);
        return 0;
}

static __always_inline void look(struct task_struct *task, struct pt_regs *regs, __u32 id, __u32 is_i386,
                                 __u32 is_asked, long result)
{
        struct look l = look_of(task, id, is_i386, is_asked, result);
        if (!l.s || (__u32)task->tgid == own_process)
                return;
        l.s->known = l.s->atoms = 0;
        read_arguments(&l, regs);
        if (id == CALL_SOCKETCALL - 1) {
                if (!unfold_socketcall(&l))
                        return;
                l.recipe = look_of(task, l.id, is_i386, is_asked, result).recipe;
        }
        l.filter = bpf_map_lookup_elem(&filters, &l.id);
        if (!l.filter || l.id >= OBSERVE_CALLS || is_lifecycle(&l))
                return;
        if (is_wanted(&l) && !(is_asked && has_told(l.id, result < 0)))
                tell((__u64)l.file, l.id, is_i386, is_asked, result);
}

static __always_inline __u32 is_compat(struct task_struct *task)
{
        return bpf_core_field_exists(task->thread_info.status) && task->thread_info.status & TS_COMPAT;
}

static __always_inline __u32 number_of(struct pt_regs *regs)
{
        if (!bpf_core_field_exists(regs->orig_ax))
                return (__u32)BPF_CORE_READ((struct pt_regs___arm64 *)regs, syscallno);
        return (__u32)regs->orig_ax & ~X32_BIT;
}

static __always_inline int is_told_at_entry(__u32 id) { return id == CALL_close || id == CALL_reboot; }

SEC("tp_btf/sys_exit")
int BPF_PROG(on_return, struct pt_regs *regs, long result)
{
        struct task_struct *task = bpf_get_current_task_btf();
        __u32 number = number_of(regs), is_i386 = is_compat(task);
        if (number >= CALL_NUMBERS)
                return 0;
        __u32 id = numbers[is_i386][number];
        if (id == 0 || is_told_at_entry(id - 1))
                return 0;
        look(task, regs, id - 1, is_i386, 0, result);
        return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_begin, struct pt_regs *regs, long number)
{
        struct task_struct *task = bpf_get_current_task_btf();
        __u32 n = number_of(regs), is_i386 = is_compat(task);
        if (n >= CALL_NUMBERS)
                return 0;
        __u32 id = numbers[is_i386][n];
        if (id != 0 && is_told_at_entry(id - 1))
                look(task, regs, id - 1, is_i386, 0, 0);
        return 0;
}

/* --------------------------------------------------------------------------------------------------- rights ---- */

/* By itself, see SEPARATE: what this thread is in the middle of. */
SEPARATE int look_at_asking(__u32 id, __u32 is_i386, int result)
{
        struct task_struct *task = bpf_get_current_task_btf();
        look(task, (struct pt_regs *)bpf_task_pt_regs(task), id, is_i386, 1, result);
        return 0;
}

/* The call that this thread is in, if somebody wants it: its id + 1, or 0. */
static __always_inline __u32 call_of(struct task_struct *task, __u32 *ret_is_i386)
{
        __u32 number = number_of((struct pt_regs *)bpf_task_pt_regs(task));
        *ret_is_i386 = is_compat(task);
        return number < CALL_NUMBERS ? numbers[*ret_is_i386][number] : 0;
}

SEC("tp_btf/cap_capable")
int BPF_PROG(on_right, const struct cred *cred, void *wanted_in, void *has_in, int capability, int r)
{
        __u32 is_i386, id = call_of(bpf_get_current_task_btf(), &is_i386);
        if (id != 0 && rights[WITHIN(id - 1, CALLS_ROOM)] >> (capability & 63) & 1)
                look_at_asking(id - 1, is_i386, r);
        return 0;
}

/* Who attaches to a process that it may attach to anyway asks for nothing, but stops it. */
SEC("tp_btf/signal_generate")
int BPF_PROG(on_signal, int signal, void *info, struct task_struct *to, int is_group, int r)
{
        __u32 is_i386, id;
        if (signal != SIGSTOP)
                return 0;
        id = call_of(bpf_get_current_task_btf(), &is_i386);
        if (id == CALL_ptrace + 1)
                look_at_asking(CALL_ptrace, is_i386, 0);
        return 0;
}

SEC("tp_btf/io_uring_create")
int BPF_PROG(on_ring, int fd, void *ring, __u32 submissions, __u32 completions, __u32 flags)
{
        __u32 is_i386, id = call_of(bpf_get_current_task_btf(), &is_i386);
        if (id == CALL_io_uring_setup + 1)
                look_at_asking(CALL_io_uring_setup, is_i386, 0);
        return 0;
}
