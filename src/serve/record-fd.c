/*
 * What rules ask of the descriptor that a system call works on, or returns: fd.*. It is read from the kernel's own
 * table of open files, so that a file has the path that it really has, with links, ".." and mounts resolved. Only what
 * could not be opened has the name that was asked for.
 */
#include "base/buf.h"
#include "serve/arguments.h"
#include "serve/record-private.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>

#define ANONYMOUS_MAGIC 0x09041934u /* ANON_INODE_FS_MAGIC */

struct ends {
        uint16_t family; /* 0: no internet socket */
        uint8_t local[16], remote[16];
        uint16_t local_port, remote_port;
};

static void read_address(struct str data, struct ends *to)
{
        struct sockaddr_in four;
        struct sockaddr_in6 six;
        uint16_t family = 0;
        if (data.n >= sizeof(family))
                memcpy(&family, data.p, sizeof(family));
        if (family == AF_INET && data.n >= offsetof(struct sockaddr_in, sin_zero)) {
                memcpy(&four, data.p, offsetof(struct sockaddr_in, sin_zero));
                memcpy(to->remote, &four.sin_addr, 4);
                to->remote_port = ntohs(four.sin_port);
                to->family = family;
        } else if (family == AF_INET6 && data.n >= offsetof(struct sockaddr_in6, sin6_scope_id)) {
                memcpy(&six, data.p, offsetof(struct sockaddr_in6, sin6_scope_id));
                memcpy(to->remote, &six.sin6_addr, 16);
                to->remote_port = ntohs(six.sin6_port);
                to->family = family;
        }
}

/* An IPv4 address in IPv6's clothes is an IPv4 address. */
static void unmap(struct ends *e)
{
        static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
        bool is_remote = memcmp(e->remote, mapped, sizeof(mapped)) == 0;
        bool is_local = memcmp(e->local, mapped, sizeof(mapped)) == 0;
        if (e->family != AF_INET6 || !(is_remote || (is_local && e->remote_port == 0)))
                return;
        e->family = AF_INET;
        memmove(e->remote, e->remote + 12, 4);
        memmove(e->local, e->local + 12, 4);
}

static bool names_remote(const struct observe_call *c) { return c->call == CALL_connect || c->call == CALL_sendto; }

static struct ends ends_of(const struct event *e)
{
        const struct observe_fd *fd = &e->call.fd;
        struct ends ends = { 0 };
        if (fd->family == AF_INET || fd->family == AF_INET6) {
                ends.family = fd->family;
                memcpy(ends.local, fd->local, sizeof(ends.local));
                memcpy(ends.remote, fd->remote, sizeof(ends.remote));
                ends.local_port = fd->local_port;
                ends.remote_port = fd->remote_port;
        }
        if (names_remote(&e->call))
                read_address(e->data, &ends);
        unmap(&ends);
        return ends;
}

struct str address_text(struct str data, struct arena *arena)
{
        char text[INET6_ADDRSTRLEN];
        struct ends ends = { 0 };
        uint16_t family = 0;
        if (data.n >= sizeof(family))
                memcpy(&family, data.p, sizeof(family));
        read_address(data, &ends);
        if (ends.family && inet_ntop(ends.family, ends.remote, text, sizeof(text)))
                return arena_printf(arena, "%s:%u", text, ends.remote_port);
        if (family == AF_UNIX && data.n > sizeof(family)) { /* an abstract name begins with NUL, shown as @ */
                struct str path = str_from(data, sizeof(family));
                bool is_abstract = path.p[0] == '\0';
                path = str_from(path, is_abstract);
                return arena_printf(arena, "%s%.*s", is_abstract ? "@" : "", (int)strnlen(path.p, path.n), path.p);
        }
        return STR_NONE;
}

/* The process's end is the server's: it accepts, listens, or has the lower port of two. */
static bool is_server(const struct observe_call *c, const struct ends *ends)
{
        switch (c->call) {
        case CALL_accept:
        case CALL_accept4:
        case CALL_listen:
        case CALL_bind:
                return true;
        case CALL_connect:
        case CALL_lookup:
        case CALL_mining:
                return false;
        default:
                return ends->remote_port == 0 || (ends->local_port != 0 && ends->local_port < ends->remote_port);
        }
}

/* ----------------------------------------------------------------------------------------------------- type ---- */

static const struct {
        const char *type, *letter;
} type_letters[] = {
        { "file", "f" },     { "directory", "d" }, { "ipv4", "4" },        { "ipv6", "6" },    { "unix", "u" },
        { "pipe", "p" },     { "netlink", "n" },   { "memfd", "m" },       { "event", "e" },   { "eventfd", "e" },
        { "signalfd", "s" }, { "eventpoll", "l" }, { "inotify", "i" },     { "timerfd", "t" }, { "bpf", "b" },
        { "io_uring", "r" }, { "pidfd", "o" },     { "userfaultfd", "u" }, { "unknown", "o" },
};

/* Anonymous inodes have only a name: "[eventpoll]". */
static const char *anonymous_type(struct str file)
{
        static const struct {
                const char *name, *type;
        } names[] = {
                { "eventpoll", "eventpoll" }, { "eventfd", "eventfd" },         { "signalfd", "signalfd" },
                { "timerfd", "timerfd" },     { "inotify", "inotify" },         { "io_uring", "io_uring" },
                { "pidfd", "pidfd" },         { "userfaultfd", "userfaultfd" }, { "bpf", "bpf" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (str_find(file, str_of(names[i].name)) >= 0)
                        return names[i].type;
        return "unknown";
}

static const char *type_of(const struct event *e)
{
        const struct observe_fd *fd = &e->call.fd;
        uint64_t flags, mode;
        if (fd->mode == 0) /* what could not be opened is called a file */
                return call_open_flags(e, &flags, &mode) ? "file" : NULL;
        if (S_ISSOCK(fd->mode)) {
                struct ends ends = ends_of(e);
                return ends.family == AF_INET     ? "ipv4"
                       : ends.family == AF_INET6  ? "ipv6"
                       : fd->family == AF_UNIX    ? "unix"
                       : fd->family == AF_NETLINK ? "netlink"
                                                  : "unknown";
        }
        if (e->call.file_magic == ANONYMOUS_MAGIC)
                return anonymous_type(e->file);
        if (S_ISFIFO(fd->mode))
                return "pipe";
        if (S_ISDIR(fd->mode))
                return "directory";
        return e->layer == EXE_LAYER_MEMFD && S_ISREG(fd->mode) ? "memfd" : (fd->mode & S_IFMT) ? "file" : "unknown";
}

static const char *protocol_of(const struct observe_fd *fd)
{
        bool is_internet = fd->family == AF_INET || fd->family == AF_INET6;
        if (!is_internet)
                return NULL;
        if (fd->type == SOCK_RAW)
                return "raw";
        if (fd->protocol == IPPROTO_ICMP || fd->protocol == IPPROTO_ICMPV6)
                return "icmp";
        return fd->type == SOCK_STREAM ? "tcp" : fd->type == SOCK_DGRAM ? "udp" : NULL;
}

/* ----------------------------------------------------------------------------------------------------- names ---- */

static struct str connection_name(const struct event *e, const struct ends *ends, struct arena *arena)
{
        char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN];
        if (!inet_ntop(ends->family, ends->local, local, sizeof(local)) ||
            !inet_ntop(ends->family, ends->remote, remote, sizeof(remote)))
                return STR_NONE;
        if (ends->remote_port == 0 && e->call.call != CALL_connect)
                return arena_printf(arena, "%s:%u", local, ends->local_port);
        return is_server(&e->call, ends)
                       ? arena_printf(arena, "%s:%u->%s:%u", remote, ends->remote_port, local, ends->local_port)
                       : arena_printf(arena, "%s:%u->%s:%u", local, ends->local_port, remote, ends->remote_port);
}

static struct str name_of(struct event_record *r)
{
        const struct event *e = r->event;
        struct ends ends = ends_of(e);
        uint64_t flags, mode;
        if (ends.family)
                return connection_name(e, &ends, r->arena);
        if (e->call.fd.mode == 0)
                return call_open_flags(e, &flags, &mode) ? call_path(r, 0) : STR_NONE;
        if (S_ISSOCK(e->call.fd.mode))
                return address_text(e->data, r->arena);
        if (e->layer == EXE_LAYER_MEMFD && e->file.n > 1) /* a name in no tree */
                return str_from(e->file, 1);
        return e->file;
}

static bool has_directory(const char *type)
{
        return type && (strcmp(type, "file") == 0 || strcmp(type, "directory") == 0);
}

static struct str directory_of(struct str name)
{
        ptrdiff_t slash = str_rfind_char(name, '/');
        return slash < 0 ? STR_NONE : slash == 0 ? STR("/") : str_upto(name, (size_t)slash);
}

static struct str in_container(const struct event_record *r, struct str what)
{
        struct str id = r->container ? str_upto(r->container->id, CONTAINER_ID_SHORT) : STR("host");
        return what.n ? arena_printf(r->arena, "%.*s:%.*s", STR_FMT(id), STR_FMT(what)) : STR_NONE;
}

/* -------------------------------------------------------------------------------------------------- getters ---- */

int64_t fd_number(const struct event *e)
{
        int column = call_columns[e->call.call].fd;
        if (column == AT_RESULT)
                return e->call.result < 0 || e->call.flags & OBSERVE_CALL_ASKED ? -1 : e->call.result;
        return column == AT_NONE ? -1 : (int32_t)e->call.args[column];
}

/* As stat() shows it to programs: the kernel's own form has the minor number in its lower 20 bits. */
int64_t call_device(const struct event *e)
{
        uint32_t major = e->call.file_dev >> 20, minor = e->call.file_dev & 0xfffff;
        return (int64_t)((minor & 0xff) | major << 8 | (minor & ~0xffu) << 12);
}

/* "/proc/12/environ", of process 12 as that /proc counts: as its own namespace does, or as the host. */
static bool is_own_proc(const struct event_record *r, struct str name)
{
        ptrdiff_t at = str_find(name, STR("/proc/"));
        struct str rest = str_from(name, (size_t)at + strlen("/proc/")), number = str_cut(&rest, '/');
        uint64_t pid;
        return at >= 0 && r->process && str_u64(number, &pid) && (pid == r->process->vpid || pid == r->process->pid);
}

static void get_file_fact(struct event_record *r, enum field_id id, struct value *ret)
{
        const struct event *e = r->event;
        bool is_file = e->call.fd.mode != 0 && !S_ISSOCK(e->call.fd.mode) && !S_ISFIFO(e->call.fd.mode);
        if (!is_file)
                return;
        switch (id) {
        case FIELD_fd_dev:
                *ret = value_number(call_device(e));
                break;
        case FIELD_fd_dev_major:
                *ret = value_number(e->call.file_dev >> 20);
                break;
        case FIELD_fd_dev_minor:
                *ret = value_number(e->call.file_dev & 0xfffff);
                break;
        case FIELD_fd_ino:
                *ret = value_number((int64_t)e->call.fd.ino);
                break;
        case FIELD_fd_is_upper_layer:
                *ret = value_flag(e->layer == EXE_LAYER_UPPER);
                break;
        case FIELD_fd_is_lower_layer:
                *ret = value_flag(e->layer == EXE_LAYER_LOWER);
                break;
        case FIELD_fd_layer:
                *ret = text_or_absent(event_layer_name(e->layer));
                break;
        case FIELD_fd_is_own_proc:
                *ret = value_flag(is_own_proc(r, e->file));
                break;
        case FIELD_fd_deleted:
                *ret = value_flag(e->facts.is_deleted);
                break;
        case FIELD_fd_is_new:
                *ret = value_flag(e->call.fd.is_made);
                break;
        case FIELD_fd_is_block_device:
                *ret = value_flag(S_ISBLK(e->call.fd.mode));
                break;
        default: /* fd.owner */
                *ret = value_number(e->call.file_uid);
        }
}

static struct ip ip_of(const struct ends *ends, const uint8_t *bytes)
{
        struct ip ip = { .family = ends->family == AF_INET ? 4 : 6, .prefix = ends->family == AF_INET ? 32 : 128 };
        memcpy(ip.bytes, bytes, ip.family == 4 ? 4 : 16);
        return ip;
}

enum end { END_EITHER, END_CLIENT, END_SERVER, END_LOCAL, END_REMOTE };

static enum end end_for(enum field_id id)
{
        static const struct {
                enum field_id field;
                enum end end;
        } ends[] = {
                { FIELD_fd_ip, END_EITHER },  { FIELD_fd_port, END_EITHER },  { FIELD_fd_net, END_EITHER },
                { FIELD_fd_cip, END_CLIENT }, { FIELD_fd_cport, END_CLIENT }, { FIELD_fd_cnet, END_CLIENT },
                { FIELD_fd_sip, END_SERVER }, { FIELD_fd_sport, END_SERVER }, { FIELD_fd_snet, END_SERVER },
                { FIELD_fd_lip, END_LOCAL },  { FIELD_fd_lport, END_LOCAL },  { FIELD_fd_lnet, END_LOCAL },
                { FIELD_fd_rip, END_REMOTE }, { FIELD_fd_rport, END_REMOTE }, { FIELD_fd_rnet, END_REMOTE },
        };
        size_t i = 0;
        while (ends[i].field != id)
                i++;
        return ends[i].end;
}

static struct value end_value(enum value_type type, const struct ends *ends, bool is_local)
{
        struct value v = { .type = type };
        if (type == VALUE_NUMBER)
                v.number = is_local ? ends->local_port : ends->remote_port;
        else
                v.ip = ip_of(ends, is_local ? ends->local : ends->remote);
        return v;
}

/* A hook sees a connection begin: most have no address of their own then, which is not the same as to have 0.0.0.0. */
static bool knows_local(const struct observe_call *c, const struct ends *ends)
{
        static const uint8_t none[sizeof(ends->local)];
        return !(c->flags & OBSERVE_CALL_HOOK) || !names_remote(c) || ends->local_port != 0 ||
               memcmp(ends->local, none, sizeof(none)) != 0;
}

void get_fd_end(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        const struct observe_call *c = call_of(r);
        struct ends ends = c ? ends_of(r->event) : (struct ends){ 0 };
        if (!ends.family)
                return;
        enum end end = end_for(ref->field->id);
        bool serves = is_server(c, &ends), has_remote = ends.remote_port != 0 || c->call == CALL_connect;
        bool has_local = knows_local(c, &ends);
        enum value_type type = ref->field->type;
        if (end == END_EITHER) {
                struct value *v = arena_array(r->arena, 2, sizeof(*v));
                size_t n = 0;
                if (has_local)
                        v[n++] = end_value(type, &ends, true);
                if (has_remote)
                        v[n++] = end_value(type, &ends, false);
                *ret = value_list(v, n);
                return;
        }
        bool is_local = end == END_LOCAL || (end == END_SERVER && serves) || (end == END_CLIENT && !serves);
        if (is_local ? has_local : has_remote)
                *ret = end_value(type, &ends, is_local);
}

/* No name is ever looked up. The one that rules ask for is that of Kubernetes' API. */
void get_fd_server_name(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        struct field_ref server = { .field = &fields[FIELD_fd_sip] };
        struct value ip = value_absent();
        struct ip api;
        (void)ref;
        get_fd_end(r, &server, &ip);
        if (ip.type == VALUE_IP && ip_parse(environment_variable(r, "KUBERNETES_SERVICE_HOST"), &api) &&
            ip_in(&ip.ip, &api))
                *ret = value_string(STR("kubernetes.default.svc.cluster.local"));
}

void fd_value(struct event_record *r, enum field_id id, struct value *ret)
{
        const struct event *e = r->event;
        const struct observe_call *c = &e->call;
        const struct call_columns *columns = &call_columns[c->call];
        const char *type = type_of(e);
        bool is_socket = S_ISSOCK(c->fd.mode);
        struct ends ends;
        struct str name;
        switch (id) {
        case FIELD_fd_num:
                if (columns->fd != AT_NONE)
                        *ret = value_number(fd_number(e));
                break;
        case FIELD_fd_type:
                *ret = text_or_absent(type);
                break;
        case FIELD_fd_typechar:
                for (size_t i = 0; type && i < ARRAY_SIZE(type_letters); i++)
                        if (strcmp(type_letters[i].type, type) == 0)
                                *ret = value_string(str_of(type_letters[i].letter));
                break;
        case FIELD_fd_name:
                *ret = value_string_or_absent(name_of(r));
                break;
        case FIELD_fd_directory:
                if (has_directory(type))
                        *ret = value_string_or_absent(directory_of(name_of(r)));
                break;
        case FIELD_fd_filename:
                name = name_of(r);
                if (has_directory(type))
                        *ret = value_string_or_absent(str_from(name, (size_t)(str_rfind_char(name, '/') + 1)));
                break;
        case FIELD_fd_nameraw:
                *ret = value_string_or_absent(call_forms[c->call].traits & CALL_OPENS ? e->path[0] : name_of(r));
                break;
        case FIELD_fd_containername:
                *ret = value_string_or_absent(in_container(r, name_of(r)));
                break;
        case FIELD_fd_containerdirectory:
                if (has_directory(type))
                        *ret = value_string_or_absent(in_container(r, directory_of(name_of(r))));
                break;
        case FIELD_fd_uid:
                if (columns->fd != AT_NONE)
                        *ret = value_string(arena_printf(r->arena, "%u%lld", c->thread, (long long)fd_number(e)));
                break;
        case FIELD_fd_l4proto:
                *ret = is_socket ? text_or_absent(protocol_of(&c->fd)) : value_absent();
                break;
        case FIELD_fd_sockfamily:
                if (is_socket && c->fd.family == AF_UNIX)
                        *ret = value_string(STR("unix"));
                else if (is_socket && (c->fd.family == AF_INET || c->fd.family == AF_INET6))
                        *ret = value_string(STR("ip"));
                break;
        case FIELD_fd_is_server:
                ends = ends_of(e);
                if (ends.family)
                        *ret = value_flag(is_server(c, &ends));
                break;
        case FIELD_fd_connected:
                if (is_socket)
                        *ret = value_flag(c->call == CALL_connect ? c->result == 0 : c->fd.remote_port != 0);
                break;
        case FIELD_fd_name_changed:
                if (is_socket)
                        *ret = value_flag(names_remote(c) && e->data.n > 0);
                break;
        default:
                get_file_fact(r, id, ret);
        }
}

void get_fd_value(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        if (call_of(r))
                fd_value(r, ref->field->id, ret);
}
