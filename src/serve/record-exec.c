/* What rules ask of the beginning of a program, as the kernel saw it: descriptors, the program's file, its script. */
#include "sense/script.h"
#include "serve/record-private.h"
#include "serve/script-layer.h"

#include <arpa/inet.h>
#include <sys/stat.h>

static const struct observe_exec *exec_of(const struct event_record *r)
{
        return r->event->kind == OBSERVE_EXEC ? &r->event->exec : NULL;
}

static const struct observe_fd *fd_for(const struct observe_exec *e, enum field_id id)
{
        static const struct {
                enum field_id field;
                unsigned fd;
        } fds[] = {
                { FIELD_proc_stdin_type, 0 },         { FIELD_proc_stdout_type, 1 },
                { FIELD_proc_stderr_type, 2 },        { FIELD_proc_stdin_name, 0 },
                { FIELD_proc_stdout_name, 1 },        { FIELD_proc_stderr_name, 2 },
                { FIELD_proc_stdin_is_socket, 0 },    { FIELD_proc_stdout_is_socket, 1 },
                { FIELD_proc_stderr_is_socket, 2 },   { FIELD_proc_stdin_remote_ip, 0 },
                { FIELD_proc_stdout_remote_ip, 1 },   { FIELD_proc_stderr_remote_ip, 2 },
                { FIELD_proc_stdin_remote_port, 0 },  { FIELD_proc_stdout_remote_port, 1 },
                { FIELD_proc_stderr_remote_port, 2 },
        };
        size_t i = 0;
        while (fds[i].field != id)
                i++;
        return &e->fds[fds[i].fd];
}

static bool is_internet(const struct observe_fd *fd) { return fd->family == AF_INET || fd->family == AF_INET6; }

static const char *fd_type(const struct observe_fd *fd)
{
        if (S_ISSOCK(fd->mode))
                return fd->family == AF_INET      ? "ipv4"
                       : fd->family == AF_INET6   ? "ipv6"
                       : fd->family == AF_UNIX    ? "unix"
                       : fd->family == AF_NETLINK ? "netlink"
                                                  : "unknown";
        return S_ISFIFO(fd->mode)                                            ? "pipe"
               : S_ISDIR(fd->mode)                                           ? "directory"
               : S_ISREG(fd->mode) || S_ISCHR(fd->mode) || S_ISBLK(fd->mode) ? "file"
                                                                             : "unknown";
}

/* "10.0.0.1:43210->10.0.0.2:80"; of what has no addresses its number. */
static struct str fd_name(const struct observe_fd *fd, struct arena *arena)
{
        char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN];
        if (S_ISFIFO(fd->mode))
                return arena_printf(arena, "pipe:[%llu]", (unsigned long long)fd->ino);
        if (!is_internet(fd) || !inet_ntop(fd->family, fd->local, local, sizeof(local)) ||
            !inet_ntop(fd->family, fd->remote, remote, sizeof(remote)))
                return STR_NONE;
        return arena_printf(arena, "%s:%u->%s:%u", local, fd->local_port, remote, fd->remote_port);
}

void get_fd(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        const struct observe_exec *e = exec_of(r);
        const struct observe_fd *fd = e ? fd_for(e, ref->field->id) : NULL;
        if (!fd || fd->mode == 0)
                return;
        bool is_six = fd->family == AF_INET6;
        struct ip ip = { .family = is_six ? 6 : 4, .prefix = is_six ? 128 : 32 };
        memcpy(ip.bytes, fd->remote, is_six ? 16 : 4);
        switch (ref->field->id) {
        case FIELD_proc_stdin_type:
        case FIELD_proc_stdout_type:
        case FIELD_proc_stderr_type:
                *ret = value_string(str_of(fd_type(fd)));
                break;
        case FIELD_proc_stdin_name:
        case FIELD_proc_stdout_name:
        case FIELD_proc_stderr_name:
                *ret = value_string_or_absent(fd_name(fd, r->arena));
                break;
        case FIELD_proc_stdin_is_socket:
        case FIELD_proc_stdout_is_socket:
        case FIELD_proc_stderr_is_socket:
                *ret = value_flag(S_ISSOCK(fd->mode));
                break;
        case FIELD_proc_stdin_remote_ip:
        case FIELD_proc_stdout_remote_ip:
        case FIELD_proc_stderr_remote_ip:
                *ret = is_internet(fd) && fd->remote_port ? value_ip(ip) : value_absent();
                break;
        default:
                *ret = is_internet(fd) && fd->remote_port ? value_number(fd->remote_port) : value_absent();
        }
}

static void find_script(struct event_record *r)
{
        if (r->has_script)
                return;
        r->has_script = true;
        struct str path = r->event->exec.flags & OBSERVE_SCRIPT ? r->event->filename
                                                                : script_of(r->event->exe_path, r->event->args);
        if (path.n == 0)
                return;
        r->script_path = script_absolute(path, r->event->cwd, r->arena);
        int layer = r->container ? script_layer(r->container, r->event->head.pid, r->script_path, &r->script_ctime_ns)
                                 : EXE_LAYERS;
        if (layer != EXE_LAYERS)
                r->script_layer = str_of(event_layer_name((enum exe_layer)layer));
}

struct str capability_names(uint64_t set, struct arena *arena)
{
        static const char *const names[] = {
                "CHOWN",
                "DAC_OVERRIDE",
                "DAC_READ_SEARCH",
                "FOWNER",
                "FSETID",
                "KILL",
                "SETGID",
                "SETUID",
                "SETPCAP",
                "LINUX_IMMUTABLE",
                "NET_BIND_SERVICE",
                "NET_BROADCAST",
                "NET_ADMIN",
                "NET_RAW",
                "IPC_LOCK",
                "IPC_OWNER",
                "SYS_MODULE",
                "SYS_RAWIO",
                "SYS_CHROOT",
                "SYS_PTRACE",
                "SYS_PACCT",
                "SYS_ADMIN",
                "SYS_BOOT",
                "SYS_NICE",
                "SYS_RESOURCE",
                "SYS_TIME",
                "SYS_TTY_CONFIG",
                "MKNOD",
                "LEASE",
                "AUDIT_WRITE",
                "AUDIT_CONTROL",
                "SETFCAP",
                "MAC_OVERRIDE",
                "MAC_ADMIN",
                "SYSLOG",
                "WAKE_ALARM",
                "BLOCK_SUSPEND",
                "AUDIT_READ",
                "PERFMON",
                "BPF",
                "CHECKPOINT_RESTORE",
        };
        _cleanup_(buf_done) struct buf b = BUF_INIT(4096);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (set >> i & 1)
                        buf_printf(&b, "%sCAP_%s", b.n ? " " : "", names[i]);
        return arena_str(arena, buf_str(&b));
}

void get_exec(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        const struct observe_exec *e = exec_of(r);
        if (ref->field->id == FIELD_proc_in_container && (e || call_of(r)))
                *ret = value_flag(r->event->in_container &&
                                  !(call_of(r) && r->process && r->process->program->is_outside));
        if (!e)
                return;
        switch (ref->field->id) {
        case FIELD_proc_exe_others_may_write:
                *ret = value_flag(e->exe_mode & S_IWOTH);
                break;
        case FIELD_proc_exe_uid:
                *ret = value_number(e->exe_uid);
                break;
        case FIELD_proc_exec_path:
                *ret = value_string(r->event->filename);
                break;
        case FIELD_proc_cgroup:
                *ret = value_string(r->event->cgroup);
                break;
        case FIELD_proc_script_path:
                find_script(r);
                *ret = value_string_or_absent(r->script_path);
                break;
        case FIELD_proc_script_is_new:
                find_script(r);
                if (r->script_ctime_ns && r->process && r->process->init_started_ns)
                        *ret = value_flag(r->script_ctime_ns > r->boot_ns + (int64_t)r->process->init_started_ns);
                break;
        case FIELD_proc_script_layer:
                find_script(r);
                *ret = value_string_or_absent(r->script_layer);
                break;
        default:
                break;
        }
}
