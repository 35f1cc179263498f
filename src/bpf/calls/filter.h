/*
 * Is a system call wanted? Computes the atoms (shared/filter.h) that its filter asks for, the cheap ones first, and
 * stops as soon as no clause can hold. What cannot be computed stays unknown, and counts as true. Part of calls.bpf.c.
 */
#ifndef SEKISHO_BPF_CALLS_FILTER_H
#define SEKISHO_BPF_CALLS_FILTER_H

#include "bpf/calls/look.h"

#define EAGAIN      11
#define EINPROGRESS 115

/*
 * Functions that are not static are verified once and by themselves, with any argument. Inlined where they are used
 * they would be gone through once for each way that leads there, and loading would take seconds.
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
        /* What failed may have named another family than the socket has: nothing is said of it. */
        int has_failed = l->result < 0 && l->result != -EINPROGRESS && l->result != -EAGAIN;
        if (!(l->filter->uses & ATOMS_FD) || !l->file || has_failed)
                return;
        struct file *file = l->file; /* CO-RE takes a field of ours for one of the kernel's */
        __u64 atoms = ATOM_FD_PLAIN | ATOM_FD_NO_TCP;
        if (is_socket_mode(BPF_CORE_READ(file, f_inode, i_mode))) {
                struct socket *socket = BPF_CORE_READ(file, private_data);
                struct sock *sk = BPF_CORE_READ(socket, sk);
                __u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
                int is_ip = family == 2 || family == 10;
                int is_tcp = is_ip && BPF_CORE_READ(sk, sk_type) == 1 /* SOCK_STREAM */;
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
                long got = bpf_probe_read_kernel_str(&s->prefix.data[WITHIN(n + 1, CALL_PREFIX_BYTES)],
                                                     CALL_PREFIX_BYTES, s->names[WITHIN(n_names - 1 - i, STEPS)]);
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
        __s32 fd = l->recipe.fd == RESULT ? (l->is_asked ? -1 : (__s32)l->result)
                   : l->recipe.fd == NONE ? -1
                                          : (__s32)argument(l, l->recipe.fd);
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

#endif
