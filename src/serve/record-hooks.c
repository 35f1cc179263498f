/* What rules ask of the events that are no system calls: which capability was used, what io_uring was asked to do, how
 * many long questions a resolver got. */
#include "serve/record-private.h"

/* enum io_uring_op, include/uapi/linux/io_uring.h. */
static const char *const operations[] = {
        "NOP",
        "READV",
        "WRITEV",
        "FSYNC",
        "READ_FIXED",
        "WRITE_FIXED",
        "POLL_ADD",
        "POLL_REMOVE",
        "SYNC_FILE_RANGE",
        "SENDMSG",
        "RECVMSG",
        "TIMEOUT",
        "TIMEOUT_REMOVE",
        "ACCEPT",
        "ASYNC_CANCEL",
        "LINK_TIMEOUT",
        "CONNECT",
        "FALLOCATE",
        "OPENAT",
        "CLOSE",
        "FILES_UPDATE",
        "STATX",
        "READ",
        "WRITE",
        "FADVISE",
        "MADVISE",
        "SEND",
        "RECV",
        "OPENAT2",
        "EPOLL_CTL",
        "SPLICE",
        "PROVIDE_BUFFERS",
        "REMOVE_BUFFERS",
        "TEE",
        "SHUTDOWN",
        "RENAMEAT",
        "UNLINKAT",
        "MKDIRAT",
        "SYMLINKAT",
        "LINKAT",
        "MSG_RING",
        "FSETXATTR",
        "SETXATTR",
        "FGETXATTR",
        "GETXATTR",
        "SOCKET",
        "URING_CMD",
        "SEND_ZC",
        "SENDMSG_ZC",
        "READ_MULTISHOT",
        "WAITID",
        "FUTEX_WAIT",
        "FUTEX_WAKE",
        "FUTEX_WAITV",
        "FIXED_FD_INSTALL",
        "FTRUNCATE",
        "BIND",
        "LISTEN",
        "RECV_ZC",
        "EPOLL_WAIT",
        "READV_FIXED",
        "WRITEV_FIXED",
        "PIPE",
};

static struct value operation(uint64_t number, struct arena *arena)
{
        return value_string(number < ARRAY_SIZE(operations) ? str_of(operations[number])
                                                            : arena_printf(arena, "%llu", (unsigned long long)number));
}

void get_hook(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        const struct observe_call *c = call_of(r);
        enum field_id id = ref->field->id;
        if (!c)
                return;
        uint64_t number = c->args[0];
        if (id == FIELD_capability_name && c->call == CALL_capability && number < 64)
                *ret = value_string(capability_names(UINT64_C(1) << number, r->arena));
        else if (id == FIELD_io_uring_op && c->call == CALL_io_uring)
                *ret = operation(number, r->arena);
        else if (id == FIELD_burst_lookups && c->call == CALL_lookup)
                *ret = value_number((int64_t)number);
}
