/* What an open descriptor is: its inode, and of a socket its ends. */
#ifndef SEKISHO_BPF_FD_H
#define SEKISHO_BPF_FD_H

#include "bpf/kernel.h"
#include "bpf/shared/observe.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

static __always_inline void read_socket(struct file *file, struct observe_fd *fd)
{
        struct socket *socket = BPF_CORE_READ(file, private_data);
        struct sock *sk = BPF_CORE_READ(socket, sk);
        if (!sk)
                return;
        fd->family = BPF_CORE_READ(sk, __sk_common.skc_family);
        fd->type = BPF_CORE_READ(sk, sk_type);
        fd->protocol = BPF_CORE_READ(sk, sk_protocol);
        fd->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
        fd->remote_port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
        if (fd->family == 2 /* AF_INET */) {
                BPF_CORE_READ_INTO((__u32 *)fd->remote, sk, __sk_common.skc_daddr);
                BPF_CORE_READ_INTO((__u32 *)fd->local, sk, __sk_common.skc_rcv_saddr);
        } else if (fd->family == 10 /* AF_INET6 */) {
                BPF_CORE_READ_INTO(&fd->remote, sk, __sk_common.skc_v6_daddr);
                BPF_CORE_READ_INTO(&fd->local, sk, __sk_common.skc_v6_rcv_saddr);
        }
}

static __always_inline int is_socket_mode(__u32 mode) { return (mode & 0170000) == 0140000; }

/* The file of a descriptor, or NULL. */
static __always_inline struct file *file_of(struct fdtable *table, __u32 i)
{
        struct file **files = BPF_CORE_READ(table, fd), *file = NULL;
        if (i >= BPF_CORE_READ(table, max_fds) || bpf_probe_read_kernel(&file, sizeof(file), files + i))
                return NULL;
        return file;
}

#define FMODE_CREATED 0x100000 /* 4.19 */

static __always_inline void read_file_fd(struct file *file, struct observe_fd *fd)
{
        struct inode *inode = BPF_CORE_READ(file, f_inode);
        fd->mode = BPF_CORE_READ(inode, i_mode);
        fd->rdev = BPF_CORE_READ(inode, i_rdev);
        fd->ino = BPF_CORE_READ(inode, i_ino);
        fd->is_made = !!(BPF_CORE_READ(file, f_mode) & FMODE_CREATED);
        if (is_socket_mode(fd->mode))
                read_socket(file, fd);
}

static __always_inline void read_fd(struct fdtable *table, __u32 i, struct observe_fd *fd)
{
        struct file *file = file_of(table, i);
        __builtin_memset(fd, 0, sizeof(*fd));
        if (file)
                read_file_fd(file, fd);
}

#endif
