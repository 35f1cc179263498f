/*
 * Cutting a container off: programs that refuse, and nothing else. act/network.c attaches those that are wanted to the
 * container's own cgroup, so the kernel itself knows whom they are for: its cgroup and all below it, by the cgroup that
 * a socket was made in. Nobody else's sockets run them, and they hold no state that could be wrong.
 *
 * The hooks of addresses stand in the protocols, behind connect(2), sendto(2) and bind(2) as behind io_uring. The two
 * of packets cut connections that are open already, through the loopback interface too.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define REFUSE 0 /* the caller gets EPERM, a packet is dropped */

SEC("cgroup/connect4")
int deny_connect4(struct bpf_sock_addr *address) { return REFUSE; }

SEC("cgroup/connect6")
int deny_connect6(struct bpf_sock_addr *address) { return REFUSE; }

SEC("cgroup/sendmsg4")
int deny_sendmsg4(struct bpf_sock_addr *address) { return REFUSE; }

SEC("cgroup/sendmsg6")
int deny_sendmsg6(struct bpf_sock_addr *address) { return REFUSE; }

SEC("cgroup/bind4")
int deny_bind4(struct bpf_sock_addr *address) { return REFUSE; }

SEC("cgroup/bind6")
int deny_bind6(struct bpf_sock_addr *address) { return REFUSE; }

SEC("cgroup_skb/ingress")
int cut_ingress(struct __sk_buff *packet) { return REFUSE; }

SEC("cgroup_skb/egress")
int cut_egress(struct __sk_buff *packet) { return REFUSE; }
