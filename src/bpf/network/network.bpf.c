/*
 * Lean mode's other half: what the kernel does for a process, told without touching system calls. Connections,
 * datagrams and ports by the hooks of cgroups (which io_uring passes too), listening and accepted connections by TCP's
 * states, what packets.h says of packets, capabilities when they are first used, operations of io_uring, and names of
 * the kernel's own threads, or of well-known servers, that a process takes.
 *
 * Each thing is told the first time only, for a process and a destination, or for a cgroup: pools of connections and
 * busy servers do not flood the ring. What was forgotten (the maps keep what was seen last) is told again.
 *
 * Needs BTF and the ring buffer (5.8); packets 5.17, capabilities 6.14, io_uring 5.1 and its tracepoint of 6.0. The
 * loader leaves out what the kernel does not have.
 */
#include "bpf/facts.h"
#include "bpf/kernel.h"
#include "bpf/shared/observe.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define INET  2
#define INET6 10
#define PASS  1 /* a hook's answer: nothing is refused here */

#define SOCKET_MODE   0140777
#define ADDRESS4_SIZE 16 /* struct sockaddr_in, sockaddr_in6 */
#define ADDRESS6_SIZE 28

enum { ESTABLISHED = 1, SYN_RECV = 3, LISTEN = 10 };

/* Set by the loader: the namespaces of the host. */
const volatile __u32 host_mounts, host_pids;

struct {
        __uint(type, BPF_MAP_TYPE_RINGBUF);
        __uint(max_entries, 1 << 20);
} ring SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, __u64);
} drops SEC(".maps");

/* Who did what with whom. */
struct deed {
        __u64 cgroup, started;
        __u32 pid;
        __u16 call, port;
        __u8 address[16];
};

struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 16384);
        __type(key, struct deed);
        __type(value, __u8);
} seen SEC(".maps");

/* Of a cgroup: which capabilities it has used, which operations of io_uring it has asked for. */
struct used {
        __u64 capabilities, operations;
};

struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 16384);
        __type(key, __u64);
        __type(value, struct used);
} used SEC(".maps");

struct record {
        struct observe_call call;
        __u8 data[ADDRESS6_SIZE];
};

static __always_inline void count_drop(void)
{
        __u32 zero = 0;
        __u64 *n = bpf_map_lookup_elem(&drops, &zero);
        if (n)
                (*n)++;
}

/* The process that asks; `is_own` false: a packet brought it about, and nobody knows which process it will be for. */
static __always_inline void begin(struct observe_call *c, __u16 call, int is_own, __u64 cgroup)
{
        __builtin_memset(c, 0, sizeof(*c));
        c->head.kind = OBSERVE_CALL;
        c->head.time_ns = bpf_ktime_get_boot_ns();
        c->call = call;
        c->flags = OBSERVE_CALL_HOOK;
        c->cgroup_id = cgroup;
        if (!is_own)
                return;
        struct task_struct *task = (void *)bpf_get_current_task(), *leader = BPF_CORE_READ(task, group_leader);
        __u32 namespace = 0;
        (void)own_pid(leader, &namespace);
        c->head.pid = (__u32)BPF_CORE_READ(task, tgid);
        c->head.started = BPF_CORE_READ(leader, start_boottime);
        c->thread = (__u32)BPF_CORE_READ(task, pid);
        c->uid = BPF_CORE_READ(task, cred, uid.val);
        c->euid = BPF_CORE_READ(task, cred, euid.val);
        c->gid = BPF_CORE_READ(task, cred, gid.val);
        c->flags |= BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum) != host_mounts ? OBSERVE_CALL_OTHER_MOUNTS : 0;
        c->flags |= namespace != host_pids ? OBSERVE_CALL_OTHER_PIDS : 0;
        BPF_CORE_READ_INTO(&c->comm, leader, comm);
}

/* The process that asks, in a deed. No more than that: most deeds were seen before, and nothing else is asked then. */
static __always_inline void sign(struct deed *d)
{
        struct task_struct *task = (void *)bpf_get_current_task();
        d->cgroup = bpf_get_current_cgroup_id();
        d->started = BPF_CORE_READ(task, group_leader, start_boottime);
        d->pid = (__u32)BPF_CORE_READ(task, tgid);
}

/* True the first time. Looking is cheaper than an update that fails, which takes a lock and an entry first. */
static __always_inline int is_new(const struct deed *d)
{
        __u8 one = 1;
        return !bpf_map_lookup_elem(&seen, d) && bpf_map_update_elem(&seen, d, &one, BPF_NOEXIST) == 0;
}

#include "bpf/network/packets.h"

/* ------------------------------------------------------------------------------------------------- addresses ---- */

static __always_inline int tell_address(struct bpf_sock_addr *a, __u16 call, int is_six)
{
        __u16 port = (__u16)a->user_port, family = is_six ? INET6 : INET;
        struct deed deed = { .call = call, .port = port };
        if (is_six) {
                __u32 words[4] = { a->user_ip6[0], a->user_ip6[1], a->user_ip6[2], a->user_ip6[3] };
                __builtin_memcpy(deed.address, words, sizeof(words));
        } else {
                __u32 word = a->user_ip4;
                __builtin_memcpy(deed.address, &word, sizeof(word));
        }
        sign(&deed);
        if (!is_new(&deed))
                return PASS;
        struct record r = {};
        begin(&r.call, call, 1, deed.cgroup);
        if (is_six)
                __builtin_memcpy(r.data + 8, deed.address, 16);
        else
                __builtin_memcpy(r.data + 4, deed.address, 4);
        __builtin_memcpy(r.data, &family, sizeof(family));
        __builtin_memcpy(r.data + 2, &port, sizeof(port));
        r.call.args[0] = (__u64)-1; /* which descriptor is not known here */
        r.call.fd.mode = SOCKET_MODE;
        r.call.fd.family = family;
        r.call.fd.type = (__u16)a->type;
        r.call.fd.protocol = (__u16)a->protocol;
        __u8 *end = call == CALL_bind ? r.call.fd.local : r.call.fd.remote;
        __builtin_memcpy(end, deed.address, sizeof(deed.address));
        if (call == CALL_bind)
                r.call.fd.local_port = bpf_ntohs(port);
        else
                r.call.fd.remote_port = bpf_ntohs(port);
        __u16 size = is_six ? ADDRESS6_SIZE : ADDRESS4_SIZE;
        r.call.text_size[OBSERVE_CALL_DATA] = size;
        if (bpf_ringbuf_output(&ring, &r, sizeof(r.call) + size, 0) < 0)
                count_drop();
        return PASS;
}

SEC("cgroup/connect4")
int on_connect4(struct bpf_sock_addr *a) { return tell_address(a, CALL_connect, 0); }

SEC("cgroup/connect6")
int on_connect6(struct bpf_sock_addr *a) { return tell_address(a, CALL_connect, 1); }

SEC("cgroup/sendmsg4")
int on_sendmsg4(struct bpf_sock_addr *a) { return tell_address(a, CALL_sendto, 0); }

SEC("cgroup/sendmsg6")
int on_sendmsg6(struct bpf_sock_addr *a) { return tell_address(a, CALL_sendto, 1); }

SEC("cgroup/bind4")
int on_bind4(struct bpf_sock_addr *a) { return tell_address(a, CALL_bind, 0); }

SEC("cgroup/bind6")
int on_bind6(struct bpf_sock_addr *a) { return tell_address(a, CALL_bind, 1); }

/* ------------------------------------------------------------------------------------------------------- TCP ---- */

static __always_inline void read_ends(const struct sock *sk, struct observe_fd *fd)
{
        fd->mode = SOCKET_MODE;
        fd->family = BPF_CORE_READ(sk, __sk_common.skc_family);
        fd->type = BPF_CORE_READ(sk, sk_type);
        fd->protocol = BPF_CORE_READ(sk, sk_protocol);
        fd->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
        fd->remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
        if (fd->family == INET) {
                BPF_CORE_READ_INTO((__u32 *)fd->remote, sk, __sk_common.skc_daddr);
                BPF_CORE_READ_INTO((__u32 *)fd->local, sk, __sk_common.skc_rcv_saddr);
        } else if (fd->family == INET6) {
                BPF_CORE_READ_INTO(&fd->remote, sk, __sk_common.skc_v6_daddr);
                BPF_CORE_READ_INTO(&fd->local, sk, __sk_common.skc_v6_rcv_saddr);
        }
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, const struct sock *sk, int before, int now)
{
        int is_listen = now == LISTEN;
        if (!is_listen && !(before == SYN_RECV && now == ESTABLISHED))
                return 0;
        struct observe_fd fd = {};
        struct deed deed = { .call = is_listen ? CALL_listen : CALL_accept };
        read_ends(sk, &fd);
        deed.port = fd.local_port;
        __builtin_memcpy(deed.address, fd.remote, sizeof(deed.address));
        if (is_listen)
                sign(&deed);
        else /* whoever runs here was interrupted by a packet */
                deed.cgroup = BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id);
        if (!is_new(&deed))
                return 0;
        struct observe_call c;
        begin(&c, deed.call, is_listen, deed.cgroup);
        c.args[0] = (__u64)-1;
        c.fd = fd;
        if (bpf_ringbuf_output(&ring, &c, sizeof(c), 0) < 0)
                count_drop();
        return 0;
}

/* ------------------------------------------------------------------------------------------------ first uses ---- */

/* The bit of a cgroup, set from now on: true if it was not. `which`: 0 capabilities, 1 operations. */
static __always_inline int is_first(__u64 cgroup, __u32 bit, int which)
{
        __u64 mask = 1ull << (bit & 63);
        struct used *u = bpf_map_lookup_elem(&used, &cgroup);
        if (!u) {
                struct used none = {};
                bpf_map_update_elem(&used, &cgroup, &none, BPF_NOEXIST);
                u = bpf_map_lookup_elem(&used, &cgroup);
                if (!u)
                        return 0;
        }
        __u64 *bits = which ? &u->operations : &u->capabilities;
        if (*bits & mask)
                return 0;
        return !(__sync_fetch_and_or(bits, mask) & mask);
}

static __always_inline void tell_use(__u16 call, __u32 what)
{
        struct observe_call c;
        begin(&c, call, 1, bpf_get_current_cgroup_id());
        c.args[0] = what;
        if (bpf_ringbuf_output(&ring, &c, sizeof(c), 0) < 0)
                count_drop();
}

SEC("tp_btf/cap_capable")
int BPF_PROG(on_capability, const struct cred *cred, void *wanted_in, void *has_in, int capability, int r)
{
        if (r == 0 && is_first(bpf_get_current_cgroup_id(), (__u32)capability, 0))
                tell_use(CALL_capability, (__u32)capability);
        return 0;
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(on_io_uring, struct io_kiocb *request)
{
        __u32 operation = BPF_CORE_READ(request, opcode);
        if (is_first(bpf_get_current_cgroup_id(), operation, 1))
                tell_use(CALL_io_uring, operation);
        return 0;
}

/* ---------------------------------------------------------------------------------------------------- titles ---- */

/* How threads of the kernel are called, up to eight characters: those that no program of users is called like. */
static const char thread_names[][8] = { "[",        "kworker",  "kthreadd", "ksoftirq", "kswapd",   "kcompact",
                                        "khugepag", "kdevtmpf", "kauditd",  "khungtas", "kblockd",  "kintegri",
                                        "rcu_",     "cpuhp/",   "irq/",     "jbd2/",    "scsi_eh_", "oom_reap" };

static __always_inline int is_thread_name(const char *name)
{
        for (__u32 i = 0; i < sizeof(thread_names) / sizeof(thread_names[0]); i++) {
                __u32 n = 0;
                while (n < sizeof(thread_names[0]) && thread_names[i][n] && thread_names[i][n] == name[n])
                        n++;
                if (n == sizeof(thread_names[0]) || !thread_names[i][n])
                        return 1;
        }
        return 0;
}

/* Servers that others like to be taken for. */
static const char server_names[][16] = { "nginx",   "apache2",    "httpd",   "sshd",     "cron",
                                         "crond",   "postgres",   "mysqld",  "rsyslogd", "dbus-daemon",
                                         "dockerd", "containerd", "kubelet", "systemd",  "systemd-logind" };

static __always_inline int is_server_name(const char *name)
{
        for (__u32 i = 0; i < sizeof(server_names) / sizeof(server_names[0]); i++) {
                __u32 n = 0;
                while (n < sizeof(server_names[0]) - 1 && server_names[i][n] && server_names[i][n] == name[n])
                        n++;
                if (server_names[i][n] == name[n])
                        return 1;
        }
        return 0;
}

/* The name of a program that begins is its own: who it is says the exec. */
static __always_inline int is_begun(struct task_struct *task)
{
        return bpf_core_field_exists(task->in_execve) && BPF_CORE_READ_BITFIELD_PROBED(task, in_execve);
}

/*
 * By prctl, by /proc/PID/comm; of threads of the kernel also by the name of a program that begins. They themselves have
 * no memory.
 */
SEC("tp_btf/task_rename")
int BPF_PROG(on_rename, struct task_struct *task, const char *name)
{
        struct deed deed = { .call = CALL_title };
        char text[sizeof(task->comm)] = {};
        if (bpf_probe_read_kernel_str(text, sizeof(text), name) < 0 || !BPF_CORE_READ(task, mm) ||
            (!is_thread_name(text) && (is_begun(task) || !is_server_name(text))))
                return 0;
        __builtin_memcpy(deed.address, text, sizeof(text));
        sign(&deed);
        if (!is_new(&deed))
                return 0;
        struct record r = {};
        begin(&r.call, CALL_title, 1, deed.cgroup);
        __builtin_memcpy(r.data, text, sizeof(text));
        r.call.text_size[OBSERVE_CALL_DATA] = sizeof(text);
        if (bpf_ringbuf_output(&ring, &r, sizeof(r.call) + sizeof(text), 0) < 0)
                count_drop();
        return 0;
}
