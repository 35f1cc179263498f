/*
 * What containers send, looked at as it leaves (cgroup_skb/egress), whatever call or ring sent it: questions to DNS as
 * long as only tunnels ask them, and the greeting of a miner to its pool. Nothing of what is sent is told, only that it
 * is so. Part of network.bpf.c.
 *
 * A packet that is neither UDP to port 53 nor one of the first of a TCP connection costs a few comparisons.
 *
 * RFC 1035 4.1.1 (header), Stratum's JSON lines: https://en.bitcoin.it/wiki/Stratum_mining_protocol and XMRig's proxy.
 */
#ifndef SEKISHO_BPF_NETWORK_PACKETS_H
#define SEKISHO_BPF_NETWORK_PACKETS_H

#define ETH_IP   0x0800
#define ETH_IPV6 0x86dd
#define TCP      6
#define UDP      17

#define DNS_PORT        53
#define DNS_HEADER      12
#define DNS_ANSWER      0x80 /* of the header's third byte */
#define DNS_TXT         16   /* types of questions whose answers carry what one likes */
#define DNS_NULL        10
#define LOOKUP_LONG     120u /* bytes of a question that hardly any name of a host needs */
#define LABEL_LONG      40   /* ...and of one label of it: names of services in a cluster stay below */
#define LABEL_LONG_TXT  20   /* ...if it asks for text */
#define LABELS_LOOKED   8u
#define LOOKUP_WINDOW   10000000000ull
#define LOOKUPS_TOLD    256u /* of a window; what comes after is not told of */
#define GREETING_BYTES  256u /* of a line that are searched */
#define GREETING_WITHIN 4u   /* packets with data, from the beginning of a connection */

struct packet {
        __u16 family, local_port, remote_port;
        __u8 protocol;
        __u32 data; /* where the data begins */
        __u8 local[16], remote[16];
};

/* False: it is cut, or of no interest. Extension headers of IPv6 are not followed. */
static __always_inline int read_packet(struct __sk_buff *skb, struct packet *p)
{
        __u8 head[40];
        __u16 ports[2];
        if (skb->protocol == bpf_htons(ETH_IP)) {
                if (bpf_skb_load_bytes(skb, 0, head, 20) < 0)
                        return 0;
                p->family = INET;
                p->protocol = head[9];
                p->data = (__u32)(head[0] & 15) * 4;
                __builtin_memcpy(p->local, head + 12, 4);
                __builtin_memcpy(p->remote, head + 16, 4);
        } else if (skb->protocol == bpf_htons(ETH_IPV6)) {
                if (bpf_skb_load_bytes(skb, 0, head, 40) < 0)
                        return 0;
                p->family = INET6;
                p->protocol = head[6];
                p->data = 40;
                __builtin_memcpy(p->local, head + 8, 16);
                __builtin_memcpy(p->remote, head + 24, 16);
        } else {
                return 0;
        }
        if ((p->protocol != TCP && p->protocol != UDP) || bpf_skb_load_bytes(skb, p->data, ports, sizeof(ports)) < 0)
                return 0;
        p->local_port = bpf_ntohs(ports[0]);
        p->remote_port = bpf_ntohs(ports[1]);
        return 1;
}

/* The process that sends, if it is of the cgroup that the socket is of: packets also leave when others run. */
static __always_inline void begin_packet(struct observe_call *c, __u16 call, struct __sk_buff *skb,
                                         const struct packet *p)
{
        __u64 cgroup = bpf_skb_cgroup_id(skb);
        struct task_struct *task = (void *)bpf_get_current_task();
        begin(c, call, BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id) == cgroup, cgroup);
        c->args[0] = (__u64)-1;
        c->fd.mode = SOCKET_MODE;
        c->fd.family = p->family;
        c->fd.type = p->protocol == TCP ? 1 : 2; /* SOCK_STREAM, SOCK_DGRAM */
        c->fd.protocol = p->protocol;
        c->fd.local_port = p->local_port;
        c->fd.remote_port = p->remote_port;
        __builtin_memcpy(c->fd.local, p->local, sizeof(p->local));
        __builtin_memcpy(c->fd.remote, p->remote, sizeof(p->remote));
}

static __always_inline void send_packet(const struct observe_call *c)
{
        if (bpf_ringbuf_output(&ring, (void *)c, sizeof(*c), 0) < 0)
                count_drop();
}

/* ------------------------------------------------------------------------------------------------- questions ---- */

struct asker {
        __u64 cgroup;
        __u8 resolver[16];
};

struct asked {
        __u64 begun, n;
};

struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 4096);
        __type(key, struct asker);
        __type(value, struct asked);
} askers SEC(".maps");

/* Which question of its window it is; 0: so many are not counted. */
static __always_inline __u64 count_question(__u64 cgroup, const struct packet *p)
{
        struct asker key = { .cgroup = cgroup };
        struct asked first = { .begun = bpf_ktime_get_boot_ns(), .n = 1 };
        __builtin_memcpy(key.resolver, p->remote, sizeof(key.resolver));
        struct asked *a = bpf_map_lookup_elem(&askers, &key);
        if (!a || first.begun - a->begun > LOOKUP_WINDOW) {
                bpf_map_update_elem(&askers, &key, &first, BPF_ANY);
                return 1;
        }
        __u64 n = __sync_fetch_and_add(&a->n, 1) + 1;
        return n <= LOOKUPS_TOLD ? n : 0;
}

/* Could the question that begins at `at` carry data? Its longest label says so, among the first ones. */
static __always_inline int carries_data(struct __sk_buff *skb, __u32 at)
{
        __u8 length = 0, longest = 0;
        __u16 type = 0;
        for (__u32 i = 0; i < LABELS_LOOKED; i++) {
                if (bpf_skb_load_bytes(skb, at, &length, 1) < 0 || length == 0)
                        break;
                if (length > longest)
                        longest = length;
                at += (__u32)length + 1;
        }
        if (longest < LABEL_LONG_TXT || longest >= LABEL_LONG)
                return longest >= LABEL_LONG;
        if (length != 0 || bpf_skb_load_bytes(skb, at + 1, &type, sizeof(type)) < 0)
                return 0;
        return type == bpf_htons(DNS_TXT) || type == bpf_htons(DNS_NULL);
}

static __always_inline void look_at_question(struct __sk_buff *skb, const struct packet *p)
{
        __u8 flags = 0;
        __u32 data = p->data + 8, size = skb->len > data ? skb->len - data : 0;
        if (bpf_skb_load_bytes(skb, data + 2, &flags, 1) < 0 || flags & DNS_ANSWER ||
            (size < LOOKUP_LONG && !carries_data(skb, data + DNS_HEADER)))
                return;
        __u64 n = count_question(bpf_skb_cgroup_id(skb), p);
        if (n == 0)
                return;
        struct observe_call c;
        begin_packet(&c, CALL_lookup, skb, p);
        c.args[0] = n;
        c.args[1] = size;
        send_packet(&c);
}

/* -------------------------------------------------------------------------------------------------- greeting ---- */

/* Under search. Not on the stack, where the verifier would tell every step from all others. */
struct greeting {
        __u64 last; /* eight characters */
        __u32 sees;
        __u8 text[GREETING_BYTES];
};

struct {
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct greeting);
} greetings SEC(".maps");

/* Eight characters as the number that they are in memory. */
#define EIGHT(a, b, c, d, e, f, g, h)                                                                                  \
        ((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 | (__u64)(e) << 32 | (__u64)(f) << 40 |    \
         (__u64)(g) << 48 | (__u64)(h) << 56)

enum { SEES_MINING = 1, SEES_LOGIN = 2, SEES_PASS = 4 };

static __always_inline struct greeting *get_greeting(void)
{
        __u32 zero = 0;
        return bpf_map_lookup_elem(&greetings, &zero);
}

static __always_inline int is_found(__u32 sees)
{
        return sees & SEES_MINING || (sees & SEES_LOGIN && sees & SEES_PASS);
}

/* "mining.subscribe"; eth_submitLogin, eth_login; "method":"login" together with "pass": no name of it stands alone. */
static long search_step(__u32 i, void *unused)
{
        struct greeting *g = get_greeting();
        if (!g || i >= GREETING_BYTES)
                return 1;
        __u64 last = g->last >> 8 | (__u64)g->text[i] << 56;
        g->last = last;
        if (last == EIGHT('"', 'm', 'i', 'n', 'i', 'n', 'g', '.') ||
            last == EIGHT('e', 't', 'h', '_', 's', 'u', 'b', 'm') ||
            last == EIGHT('e', 't', 'h', '_', 'l', 'o', 'g', 'i'))
                g->sees |= SEES_MINING;
        else if (last == EIGHT('"', ':', '"', 'l', 'o', 'g', 'i', 'n') ||
                 last == EIGHT(':', ' ', '"', 'l', 'o', 'g', 'i', 'n'))
                g->sees |= SEES_LOGIN;
        else if (last >> 8 == EIGHT('"', 'p', 'a', 's', 's', '"', ':', 0))
                g->sees |= SEES_PASS;
        return is_found(g->sees);
}

static __always_inline int is_greeting(struct __sk_buff *skb, __u32 data)
{
        __u32 size = skb->len > data ? skb->len - data : 0;
        struct greeting *g = get_greeting();
        if (size > GREETING_BYTES)
                size = GREETING_BYTES;
        if (!g || size < 16 || bpf_skb_load_bytes(skb, data, g->text, 1) < 0 || g->text[0] != '{')
                return 0;
        /* Not a zero, visibly to verifiers that forget what they knew of a number once it lay on the stack (6.1). */
        asm volatile("" : "+r"(size));
        size = ((size - 1) & (GREETING_BYTES - 1)) + 1;
        if (bpf_skb_load_bytes(skb, data, g->text, size) < 0)
                return 0;
        g->last = g->sees = 0;
        bpf_loop(size, search_step, NULL, 0);
        return is_found(g->sees);
}

static __always_inline void look_at_beginning(struct __sk_buff *skb, const struct packet *p)
{
        __u8 size = 0;
        struct observe_call c;
        struct deed deed = { .call = CALL_mining, .port = p->remote_port };
        if (bpf_skb_load_bytes(skb, p->data + 12, &size, 1) < 0 || !is_greeting(skb, p->data + (size >> 4) * 4))
                return;
        begin_packet(&c, CALL_mining, skb, p);
        deed.cgroup = c.cgroup_id;
        deed.started = c.head.started;
        deed.pid = c.head.pid;
        __builtin_memcpy(deed.address, p->remote, sizeof(deed.address));
        if (is_new(&deed))
                send_packet(&c);
}

/* Is it one of the first packets with data that the connection has sent? */
static __always_inline int is_at_beginning(struct bpf_sock *sk)
{
        const struct bpf_tcp_sock *tcp = bpf_tcp_sock(sk);
        return tcp && tcp->data_segs_out > 0 && tcp->data_segs_out <= GREETING_WITHIN;
}

SEC("cgroup_skb/egress")
int on_packet(struct __sk_buff *skb)
{
        struct packet p = {};
        struct bpf_sock *sk = skb->sk;
        sk = sk ? bpf_sk_fullsock(sk) : NULL;
        if (!sk || (sk->protocol == TCP ? !is_at_beginning(sk) : sk->protocol != UDP) || !read_packet(skb, &p))
                return PASS;
        if (p.protocol == TCP)
                look_at_beginning(skb, &p);
        else if (p.remote_port == DNS_PORT)
                look_at_question(skb, &p);
        return PASS;
}

#endif
