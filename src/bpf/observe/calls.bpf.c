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
 * Needs BTF, the ring buffer (5.8) and bpf_loop (5.17).
 */
#include "bpf/shared/observe.h"
#include "bpf/facts.h"
#include "bpf/fd.h"
#include "bpf/kernel.h"
#include "bpf/shared/exe.h"
#include "bpf/shared/filter.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define AT_FDCWD  (-100)
#define TS_COMPAT 2u          /* thread_info.status: a 32-bit call */
#define X32_BIT   0x40000000u /* of the number of a call of x32 */
#define EINPROGRESS 115
#define RAW_BYTES 256u

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

struct {
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct scratch);
} scratch SEC(".maps");

static __always_inline struct scratch *get_scratch(void)
{
        __u32 zero = 0;
        return bpf_map_lookup_elem(&scratch, &zero);
}

#include "bpf/path.h"

/* -------------------------------------------------------------------------------------------------- recipes ---- */

#define NONE   (-1)
#define RESULT 6

struct recipe {
        __s8 fd, dir1, path1, dir2, path2, data;
};

static const volatile struct recipe recipes[OBSERVE_CALLS] = {
#define CALL(name, x86_64, i386, arm64, fd, dir1, path1, dir2, path2, data)                                            \
        [CALL_##name] = { fd, dir1, path1, dir2, path2, data },
#include "bpf/shared/calls.def"
#undef CALL
};

/* How long the data of a call is: an argument says it (1 to 6 for arguments 0 to 5), or it is so many bytes. The others
 * are texts, as long as they are. */
static const volatile __u8 data_sizes[OBSERVE_CALLS] = {
        [CALL_openat2] = 4,     [CALL_connect] = 3,       [CALL_bind] = 3,        [CALL_sendto] = 6,
        [CALL_sethostname] = 2, [CALL_setdomainname] = 2, [CALL_clone3] = 2,      [CALL_utimensat] = 32,
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
        long result;
};

static __always_inline __u64 argument(const struct look *l, int n)
{
        return l->s->args[WITHIN(n, CALL_TEST_SOURCES)];
}

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

/* --------------------------------------------------------------------------------------------------- filter ---- */

/*
 * Functions that are not static are verified once and by themselves, with any argument. Inlined where they are used they
 * would be gone through once for each way that leads there, and loading would take seconds.
 */
#define SEPARATE __attribute__((noinline))

/* Can it still be that the call is wanted, with what is known so far? */
SEPARATE int may_pass(__u32 id)
{
        struct scratch *s = get_scratch();
        const struct call_filter *f = bpf_map_lookup_elem(&filters, &id);
        return s && f && call_filter_passes(f, s->atoms | ~s->known);
}

static __always_inline void know(struct scratch *s, __u64 which, __u64 atoms)
{
        s->known |= which;
        s->atoms |= atoms & which;
}

SEPARATE int run_tests(__u32 id)
{
        struct scratch *s = get_scratch();
        const struct call_filter *f = bpf_map_lookup_elem(&filters, &id);
        if (!s || !f)
                return 0;
        s->known |= ATOMS_TESTS;
        for (__u32 i = 0; i < CALL_TESTS_MAX && i < f->n_tests; i++)
                if (call_test_holds(&f->tests[i], s->args[WITHIN(f->tests[i].source, CALL_TEST_SOURCES)]))
                        s->atoms |= CALL_ATOM(CALL_TEST_FIRST + i);
        return 0;
}

static __always_inline void know_tests(struct look *l)
{
        know(l->s, ATOM_SUCCESS | ATOM_FAILURE, l->result >= 0 ? ATOM_SUCCESS : ATOM_FAILURE);
        if (!(l->filter->uses & ATOMS_TESTS))
                return;
        if (is_known_open(l->id))
                l->s->args[CALL_TEST_OPEN_FLAGS] = open_flags(l);
        run_tests(l->id);
}

static __always_inline void know_container(struct look *l)
{
        if (!(l->filter->uses & ATOM_CONTAINER))
                return;
        int is_inside = l->task->nsproxy->mnt_ns->ns.inum != host_mounts;
        if (!is_inside) {
                __u64 cgroup = bpf_get_current_cgroup_id();
                is_inside = bpf_map_lookup_elem(&containers, &cgroup) != NULL;
        }
        know(l->s, ATOM_CONTAINER, is_inside ? ATOM_CONTAINER : 0);
}

static __always_inline void know_comm(struct look *l)
{
        struct comm key = { 0 };
        if (!(l->filter->uses & ATOMS_COMMS) || is_changing)
                return;
        if (bpf_probe_read_kernel_str(key.text, sizeof(key.text), l->task->group_leader->comm) < 0)
                return;
        const __u64 *atoms = bpf_map_lookup_elem(&comms, &key);
        know(l->s, ATOMS_COMMS, atoms ? *atoms : 0);
}

static __always_inline void know_fd(struct look *l)
{
        /* A connection that failed may name another family than its socket has: nothing is said of it. */
        if (!(l->filter->uses & ATOMS_FD) || !l->file || (l->result < 0 && l->result != -EINPROGRESS))
                return;
        struct file *file = l->file; /* CO-RE takes a field of ours for one of the kernel's */
        __u64 atoms = ATOM_FD_PLAIN | ATOM_FD_NO_TCP;
        if (is_socket_mode(BPF_CORE_READ(file, f_inode, i_mode))) {
                struct socket *socket = BPF_CORE_READ(file, private_data);
                struct sock *sk = BPF_CORE_READ(socket, sk);
                __u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
                int is_ip = family == 2 || family == 10;
                int is_tcp = is_ip && BPF_CORE_READ(sk, sk_protocol) == 6;
                atoms = (is_ip ? ATOM_FD_IP : ATOM_FD_UNIX) | (is_tcp ? 0 : ATOM_FD_NO_TCP);
        }
        know(l->s, ATOMS_FD, atoms);
}

/* Bytes of a word that are dots, each as its highest bit. */
static __always_inline __u64 dots_of(__u64 word)
{
        __u64 x = word ^ 0x2e2e2e2e2e2e2e2eull;
        return ~(((x & 0x7f7f7f7f7f7f7f7full) + 0x7f7f7f7f7f7f7f7full) | x) & 0x8080808080808080ull;
}

SEPARATE int find_raw_dots(__u64 path)
{
        struct scratch *s = get_scratch();
        if (!s)
                return 0;
        long n = bpf_probe_read_user_str(s->raw, RAW_BYTES, (void *)path);
        if (n <= 0 || n >= RAW_BYTES)
                return 0;
        __u64 found = 0, before = 0;
        for (__u32 i = 0; i < RAW_BYTES / 8 && i * 8 < n; i++) {
                __u64 dots = dots_of(s->raw[i]);
                found |= dots & (dots << 8 | before);
                before = dots >> 56;
        }
        know(s, ATOM_RAW_DOTS, found ? ATOM_RAW_DOTS : 0);
        return 0;
}

static __always_inline void know_raw_dots(struct look *l)
{
        if (l->filter->uses & ATOM_RAW_DOTS && l->recipe.path1 != NONE)
                find_raw_dots(argument(l, l->recipe.path1));
}

/* A path under comparison: its names, the last one first. */
struct climb {
        struct dentry *dentry, *root_dentry;
        struct vfsmount *mount, *root_mount;
        __u32 n, is_done;
};

static long climb_step(__u32 index, struct climb *c)
{
        struct scratch *s = get_scratch();
        struct dentry *dentry = c->dentry;
        struct vfsmount *mount = c->mount;
        if (!s || (dentry == c->root_dentry && mount == c->root_mount)) {
                c->is_done = s != NULL;
                return 1;
        }
        if (dentry == BPF_CORE_READ(mount, mnt_root)) {
                struct mount *m = (void *)mount - bpf_core_field_offset(struct mount, mnt);
                struct mount *parent = BPF_CORE_READ(m, mnt_parent);
                if (m == parent) /* in no tree, or outside of the process's root */
                        return 1;
                c->dentry = BPF_CORE_READ(m, mnt_mountpoint);
                c->mount = (void *)parent + bpf_core_field_offset(struct mount, mnt);
                return 0;
        }
        if (c->n >= STEPS)
                return 1;
        s->names[WITHIN(c->n, STEPS)] = BPF_CORE_READ(dentry, d_name.name);
        c->n++;
        struct dentry *above = BPF_CORE_READ(dentry, d_parent);
        if (above == dentry)
                return 1;
        c->dentry = above;
        return 0;
}

/* The last bytes of the last name, which stands at `at` and has n bytes. */
static __always_inline __u64 suffix_atoms(struct scratch *s, __u32 at, __u32 n)
{
        __u32 key = 0;
        if (n >= CALL_SUFFIX_BYTES)
                at += n - CALL_SUFFIX_BYTES;
        __builtin_memcpy(&key, &s->prefix.data[WITHIN(at, CALL_PREFIX_BYTES)], sizeof(key));
        if (n < CALL_SUFFIX_BYTES)
                key &= (1u << n * 8) - 1;
        const __u64 *atoms = bpf_map_lookup_elem(&suffixes, &key);
        return atoms ? *atoms : 0;
}

static __always_inline void know_suffix(struct scratch *s)
{
        long n = bpf_probe_read_kernel_str(s->prefix.data, CALL_PREFIX_BYTES, s->names[0]);
        if (n > 1 && n < CALL_PREFIX_BYTES)
                know(s, ATOMS_SUFFIXES, suffix_atoms(s, 0, (__u32)n - 1));
}

static __always_inline void know_prefix(struct scratch *s, __u32 n_names)
{
        __u32 n = 0;
        for (__u32 i = 0; i < STEPS && i < n_names && n < CALL_PREFIX_BYTES; i++) {
                s->prefix.data[WITHIN(n, 2 * CALL_PREFIX_BYTES)] = '/';
                long got = bpf_probe_read_kernel_str(&s->prefix.data[WITHIN(n + 1, CALL_PREFIX_BYTES)], CALL_PREFIX_BYTES,
                                                     s->names[WITHIN(n_names - 1 - i, STEPS)]);
                if (got <= 0)
                        return;
                n += (__u32)got;
        }
        if (n_names == 0) {
                s->prefix.data[0] = '/';
                n = 1;
        }
        if (n < CALL_PREFIX_BYTES)
                s->prefix.data[WITHIN(n, CALL_PREFIX_BYTES)] = '\0';
        s->prefix.bits = (n < CALL_PREFIX_BYTES ? n + 1 : CALL_PREFIX_BYTES) * 8;
        const __u64 *atoms = bpf_map_lookup_elem(&prefixes, &s->prefix);
        know(s, ATOMS_PREFIXES, atoms ? *atoms : 0);
}

/* Compares the path of a file. */
SEPARATE int compare_path(__u64 file_address, __u64 fs_address, __u64 uses)
{
        struct file *file = (void *)file_address;
        struct fs_struct *fs = (void *)fs_address;
        struct scratch *s = get_scratch();
        struct climb c = { .dentry = BPF_CORE_READ(file, f_path.dentry),
                           .mount = BPF_CORE_READ(file, f_path.mnt),
                           .root_dentry = BPF_CORE_READ(fs, root.dentry),
                           .root_mount = BPF_CORE_READ(fs, root.mnt) };
        bpf_loop(STEPS * 2, climb_step, &c, 0);
        if (!s || !c.is_done)
                return 0;
        if (uses & ATOMS_SUFFIXES && c.n > 0)
                know_suffix(s);
        if (uses & ATOMS_PREFIXES)
                know_prefix(s, c.n);
        return 0;
}

static __always_inline void know_path(struct look *l)
{
        if (l->filter->uses & ATOMS_PATH && !is_changing && l->file && l->result >= 0)
                compare_path((__u64)l->file, fs_of(l), l->filter->uses);
}

/* The cheap questions first. */
static __always_inline int is_wanted(struct look *l)
{
        know_tests(l);
        know_container(l);
        if (!may_pass(l->id))
                return 0;
        __s32 fd = l->recipe.fd == RESULT ? (__s32)l->result : l->recipe.fd == NONE ? -1 : (__s32)argument(l, l->recipe.fd);
        if (fd >= 0)
                l->file = file_of(table_of(l), (__u32)fd);
        if (!(l->filter->uses & ~l->s->known))
                return 1;
        know_fd(l);
        know_comm(l);
        know_raw_dots(l);
        if (!may_pass(l->id))
                return 0;
        know_path(l);
        return may_pass(l->id);
}

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

static __always_inline __u16 flags_of(const struct look *l, const struct exe_facts *f)
{
        return (l->is_i386 ? OBSERVE_CALL_I386 : 0) | (f->has_upper ? OBSERVE_FILE_UPPER : 0) |
               (f->is_rootless ? OBSERVE_FILE_ROOTLESS : 0) | (f->is_on_root ? OBSERVE_FILE_ON_ROOT : 0) |
               (f->is_deleted ? OBSERVE_FILE_DELETED : 0) | (f->in_other_mounts ? OBSERVE_CALL_OTHER_MOUNTS : 0) |
               (f->in_other_pids ? OBSERVE_CALL_OTHER_PIDS : 0) |
               (f->in_container_cgroup ? OBSERVE_CALL_CONTAINER_CGROUP : 0);
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
                return add_file_path(l, BPF_CORE_READ(fs, pwd.dentry), BPF_CORE_READ(fs, pwd.mnt), n, OBSERVE_FILE_PATH_CUT);
        if (!file || is_socket_mode(l->s->call.fd.mode))
                return n;
        return add_file_path(l, BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt), n,
                             OBSERVE_FILE_PATH_CUT);
}

/* What a relative path begins at: a directory's descriptor, or the working directory, unless the call has changed it. */
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
                int is_changed = (l->id == CALL_chdir || l->id == CALL_chroot || l->id == CALL_pivot_root) && l->result == 0;
                return is_changed ? n : add_file_path(l, BPF_CORE_READ(fs, pwd.dentry), BPF_CORE_READ(fs, pwd.mnt), n, cut_flag);
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

static __always_inline __u32 add_data(struct look *l, __u32 n)
{
        if (l->recipe.data == NONE)
                return n;
        const void *from = (void *)argument(l, l->recipe.data);
        __u32 how = data_sizes[l->id];
        __u64 size = how == 32 ? 32 : argument(l, (int)how - 1);
        if (l->id == CALL_sendmsg)
                from = message_address(l, from, &size);
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

static __always_inline void tell(struct look *l)
{
        struct exe_facts facts = { 0 };
        fill_head(l, &facts);
        if (l->file)
                fill_file(l, &facts);
        l->s->call.flags = flags_of(l, &facts);
        __u32 n = add_texts(l);
        if (n > OBSERVE_TEXT_MAX)
                n = OBSERVE_TEXT_MAX;
        if (bpf_ringbuf_output(&calls, l->s, sizeof(l->s->call) + n, 0) == 0)
                return;
        __u32 class = observe_call_class(l->id);
        __u64 *lost = bpf_map_lookup_elem(&call_drops, &class);
        if (lost)
                (*lost)++;
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
        return l->result == 0 && l->id >= CALL_execve && l->id <= CALL_vfork;
}

static __always_inline void look(struct task_struct *task, struct pt_regs *regs, __u32 id, __u32 is_i386, long result)
{
        struct look l = { .task = task, .s = get_scratch(), .id = id, .is_i386 = is_i386, .result = result };
        if (!l.s || (__u32)task->tgid == own_process)
                return;
        l.s->known = l.s->atoms = 0;
        read_arguments(&l, regs);
        if (id == CALL_SOCKETCALL - 1 && !unfold_socketcall(&l))
                return;
        l.filter = bpf_map_lookup_elem(&filters, &l.id);
        if (!l.filter || l.id >= OBSERVE_CALLS || is_lifecycle(&l))
                return;
        l.recipe.fd = recipes[l.id].fd;
        l.recipe.dir1 = recipes[l.id].dir1;
        l.recipe.path1 = recipes[l.id].path1;
        l.recipe.dir2 = recipes[l.id].dir2;
        l.recipe.path2 = recipes[l.id].path2;
        l.recipe.data = recipes[l.id].data;
        if (is_wanted(&l))
                tell(&l);
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
        look(task, regs, id - 1, is_i386, result);
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
                look(task, regs, id - 1, is_i386, 0);
        return 0;
}
