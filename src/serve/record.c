/* See record.h. One getter a shape of field; the table at the end says which field has which. */
#include "serve/record-private.h"

#include <time.h>

#define SECOND_NS INT64_C(1000000000)

static const char *const call_names[OBSERVE_CALLS] = {
#define CALL(name, x86_64, i386, arm64, fd, dir1, path1, dir2, path2, data) #name,
#include "bpf/shared/calls.def"
#undef CALL
};

const char *event_call_name(enum observe_call_id call) { return call_names[call]; }

const char *event_type_name(const struct event *e)
{
        switch (e->kind) {
        case OBSERVE_EXEC:
                return e->exec.flags & OBSERVE_BY_DESCRIPTOR ? "execveat" : "execve";
        case OBSERVE_FORK:
                return "clone";
        case OBSERVE_CALL:
                return call_names[e->call.call];
        case OBSERVE_EXIT:
        case OBSERVE_KINDS:
                break;
        }
        return "procexit";
}

const char *event_layer_name(enum exe_layer layer)
{
        static const char *const names[EXE_LAYERS] = { "lower", "upper", "memfd", "tmpfs", "root", "mount" };
        return layer < EXE_LAYERS ? names[layer] : NULL;
}

/* ---------------------------------------------------------------------------------------------------- event ---- */

static int64_t event_ns(const struct event_record *r) { return r->boot_ns + (int64_t)r->event->head.time_ns; }

enum time_form { TIME_OF_DAY, DATE_AND_TIME, ISO_UTC };

static struct value time_value(const struct event_record *r, enum time_form form, bool with_ns)
{
        char text[64];
        struct tm tm;
        int64_t ns = event_ns(r);
        time_t seconds = (time_t)(ns / SECOND_NS);
        if (!(form == ISO_UTC ? gmtime_r(&seconds, &tm) : localtime_r(&seconds, &tm)))
                return value_absent();
        size_t n = strftime(text, sizeof(text),
                            form == TIME_OF_DAY     ? "%H:%M:%S"
                            : form == DATE_AND_TIME ? "%Y-%m-%d %H:%M:%S"
                                                    : "%Y-%m-%dT%H:%M:%S",
                            &tm);
        struct str whole = { text, n };
        return value_string(with_ns ? arena_printf(r->arena, "%.*s.%09lld%s", STR_FMT(whole),
                                                   (long long)(ns % SECOND_NS), form == ISO_UTC ? "Z" : "")
                                    : arena_str(r->arena, whole));
}

static void get_event(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        const char *type = event_type_name(r->event);
        int64_t ns = event_ns(r);
        switch (ref->field->id) {
        case FIELD_evt_num:
                *ret = value_number((int64_t)r->number);
                break;
        case FIELD_evt_type:
                *ret = value_string(str_of(type));
                break;
        case FIELD_syscall_type: /* an exit has more than one cause */
                *ret = r->event->kind == OBSERVE_EXIT ? value_absent() : value_string(str_of(type));
                break;
        case FIELD_evt_type_is:
                *ret = value_number(str_is(ref->key, type));
                break;
        case FIELD_evt_category:
                *ret = value_string(STR("process"));
                break;
        case FIELD_evt_source:
                *ret = value_string(STR("syscall"));
                break;
        case FIELD_evt_dir:
                *ret = value_string(STR("<"));
                break;
        case FIELD_evt_hostname:
                *ret = text_or_absent(r->hostname);
                break;
        case FIELD_evt_rawtime:
                *ret = (struct value){ VALUE_TIME, { .number = ns } };
                break;
        case FIELD_evt_rawtime_s:
                *ret = value_number(ns / SECOND_NS);
                break;
        case FIELD_evt_rawtime_ns:
                *ret = value_number(ns % SECOND_NS);
                break;
        case FIELD_evt_time:
                *ret = time_value(r, TIME_OF_DAY, true);
                break;
        case FIELD_evt_time_s:
                *ret = time_value(r, TIME_OF_DAY, false);
                break;
        case FIELD_evt_time_iso8601:
                *ret = time_value(r, ISO_UTC, true);
                break;
        case FIELD_evt_datetime:
                *ret = time_value(r, DATE_AND_TIME, true);
                break;
        case FIELD_evt_datetime_s:
                *ret = time_value(r, DATE_AND_TIME, false);
                break;
        case FIELD_evt_res:
                *ret = r->event->kind == OBSERVE_EXIT ? value_absent() : value_string(STR("SUCCESS"));
                break;
        case FIELD_evt_rawres:
                *ret = r->event->kind == OBSERVE_EXEC   ? value_number(0)
                       : r->event->kind == OBSERVE_FORK ? value_number(r->event->head.pid)
                                                        : value_absent();
                break;
        case FIELD_evt_count:
                *ret = value_number(1);
                break;
        case FIELD_evt_outputtime:
                *ret = time_value(r, TIME_OF_DAY, true);
                break;
        case FIELD_evt_count_exit: /* every event is told when it is over */
                *ret = value_number(1);
                break;
        default: /* evt.failed, evt.is_io and the like: nothing failed, nothing was read or written */
                *ret = value_flag(false);
        }
}

/* What a call may say otherwise than events of processes do. */
static void get_outcome(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        if (r->event->kind == OBSERVE_CALL)
                get_call(r, ref, ret);
        else
                get_event(r, ref, ret);
}

/* What no system call has. */
static void get_nothing(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        (void)r;
        (void)ref;
        *ret = value_absent();
}

static void get_burst(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        static const struct {
                enum field_id field;
                enum burst burst;
        } bursts[] = {
                { FIELD_burst_ports, BURST_PORTS },
                { FIELD_burst_hosts, BURST_HOSTS },
                { FIELD_burst_removed, BURST_REMOVED },
                { FIELD_burst_suffixed, BURST_SUFFIXED },
        };
        for (size_t i = 0; r->bursts && i < ARRAY_SIZE(bursts); i++)
                if (bursts[i].field == ref->field->id && r->bursts->now[bursts[i].burst])
                        *ret = value_number(r->bursts->now[bursts[i].burst]);
}

/* ----------------------------------------------------------------------------------------------------- table ---- */

#define EVENT(id)     [FIELD_evt_##id] = get_event
#define OUTCOME(id)   [FIELD_evt_##id] = get_outcome
#define CALLED(id)    [FIELD_evt_##id] = get_call
#define FD(id)        [FIELD_fd_##id] = get_fd_value
#define FD_END(id)    [FIELD_fd_##id] = get_fd_end
#define PATH(id)      [FIELD_fs_path_##id] = get_path
#define KEPT(id)      [FIELD_proc_##id] = get_kept
#define PROC(id)      [FIELD_proc_##id] = get_from_proc
#define NOW(id)       [FIELD_thread_##id] = get_from_proc
#define PROCESS(id)   [FIELD_proc_##id] = get_process
#define CONTAINER(id) [FIELD_container_##id] = get_container

static getter *const getters[FIELDS] = {
        EVENT(num),
        EVENT(type),
        EVENT(type_is),
        OUTCOME(category),
        EVENT(source),
        EVENT(dir),
        EVENT(hostname),
        EVENT(rawtime),
        EVENT(rawtime_s),
        EVENT(rawtime_ns),
        EVENT(time),
        EVENT(time_s),
        EVENT(time_iso8601),
        EVENT(datetime),
        EVENT(datetime_s),
        OUTCOME(res),
        OUTCOME(rawres),
        OUTCOME(failed),
        OUTCOME(is_io),
        OUTCOME(is_io_read),
        OUTCOME(is_io_write),
        OUTCOME(is_wait),
        EVENT(is_async),
        OUTCOME(is_syslog),
        EVENT(count),
        OUTCOME(is_open_read),
        OUTCOME(is_open_write),
        OUTCOME(is_open_exec),
        OUTCOME(is_open_create),
        [FIELD_syscall_type] = get_event,
        EVENT(outputtime),
        EVENT(count_exit),
        [FIELD_evt_pluginname] = get_nothing,
        [FIELD_evt_plugininfo] = get_nothing,
        [FIELD_evt_asynctype] = get_nothing,
        [FIELD_evt_arg] = get_argument,
        [FIELD_evt_rawarg] = get_argument,
        [FIELD_evt_args] = get_arguments,
        [FIELD_evt_info] = get_arguments,
        CALLED(io_dir),
        CALLED(buffer),
        CALLED(buflen),
        CALLED(abspath),
        CALLED(count_error),
        CALLED(count_error_file),
        CALLED(count_error_net),
        CALLED(count_error_memory),
        CALLED(count_error_other),
        CALLED(is_32bit),
        CALLED(is_32bit_mixed),
        [FIELD_user_euid] = get_process,
        [FIELD_proc_start_euid] = get_process,

        FD(num),
        FD(type),
        FD(typechar),
        FD(name),
        FD(directory),
        FD(filename),
        FD(nameraw),
        FD(containername),
        FD(containerdirectory),
        FD(uid),
        FD(l4proto),
        FD(sockfamily),
        FD(is_server),
        FD(connected),
        FD(name_changed),
        FD(dev),
        FD(dev_major),
        FD(dev_minor),
        FD(ino),
        FD(is_upper_layer),
        FD(is_lower_layer),
        FD(layer),
        FD(deleted),
        FD(is_new),
        [FIELD_fd_sip_name] = get_fd_server_name,
        FD(is_block_device),
        FD(owner),
        FD(is_own_proc),
        FD_END(ip),
        FD_END(cip),
        FD_END(sip),
        FD_END(lip),
        FD_END(rip),
        FD_END(port),
        FD_END(cport),
        FD_END(sport),
        FD_END(lport),
        FD_END(rport),
        FD_END(net),
        FD_END(cnet),
        FD_END(snet),
        FD_END(lnet),
        FD_END(rnet),
        PATH(name),
        PATH(nameraw),
        PATH(real),
        PATH(source),
        PATH(sourceraw),
        PATH(source_real),
        PATH(target),
        PATH(targetraw),
        PATH(target_real),
        [FIELD_fs_attributes] = get_attributes,
        [FIELD_burst_ports] = get_burst,
        [FIELD_burst_hosts] = get_burst,
        [FIELD_burst_removed] = get_burst,
        [FIELD_burst_suffixed] = get_burst,

        KEPT(is_exe_writable),
        KEPT(vpgid),
        KEPT(is_vpgid_leader),
        KEPT(vpgid_name),
        KEPT(vpgid_exe),
        KEPT(vpgid_exepath),
        KEPT(loginshellid),
        KEPT(pidns_init_start_ts),
        KEPT(exe_ino_ctime),
        KEPT(exe_ino_mtime),
        KEPT(exe_ino_ctime_duration_proc_start),
        KEPT(exe_ino_ctime_duration_pidns_start),
        [FIELD_thread_nametid] = get_kept,
        [FIELD_proc_env] = get_environment,
        [FIELD_proc_aenv] = get_ancestor_environment,
        PROC(fdopencount),
        PROC(fdlimit),
        PROC(fdusage),
        PROC(vmsize),
        PROC(vmrss),
        PROC(vmswap),
        PROC(nthreads),
        PROC(nchilds),
        NOW(pfmajor),
        NOW(pfminor),
        NOW(vmsize),
        NOW(vmrss),
        [FIELD_user_name] = get_user,
        [FIELD_user_homedir] = get_user,
        [FIELD_user_shell] = get_user,
        [FIELD_user_loginname] = get_user,
        [FIELD_group_name] = get_user,

        [FIELD_proc_name] = get_own,
        [FIELD_proc_exe] = get_own,
        [FIELD_proc_exepath] = get_own,
        [FIELD_proc_args] = get_own,
        [FIELD_proc_cmdline] = get_own,
        [FIELD_proc_exeline] = get_own,
        [FIELD_proc_pid] = get_own,
        [FIELD_proc_vpid] = get_own,
        [FIELD_proc_pid_ts] = get_own,
        [FIELD_proc_duration] = get_own,
        [FIELD_proc_pname] = get_parent,
        [FIELD_proc_pexe] = get_parent,
        [FIELD_proc_pexepath] = get_parent,
        [FIELD_proc_pcmdline] = get_parent,
        [FIELD_proc_pvpid] = get_parent,
        [FIELD_proc_ppid_ts] = get_parent,
        [FIELD_proc_ppid_duration] = get_parent,
        [FIELD_proc_aname] = get_ancestor,
        [FIELD_proc_aexe] = get_ancestor,
        [FIELD_proc_atitle] = get_ancestor,
        [FIELD_proc_aexepath] = get_ancestor,
        [FIELD_proc_aargs] = get_ancestor,
        [FIELD_proc_acmdline] = get_ancestor,
        [FIELD_proc_apid] = get_ancestor,
        [FIELD_proc_sname] = get_session,
        [FIELD_proc_sid_exe] = get_session,
        [FIELD_proc_sid_exepath] = get_session,
        [FIELD_proc_pgid_name] = get_group,
        [FIELD_proc_pgid_exe] = get_group,
        [FIELD_proc_pgid_exepath] = get_group,

        PROCESS(ppid),
        PROCESS(sid),
        PROCESS(pgid),
        PROCESS(is_sid_leader),
        PROCESS(is_of_init),
        PROCESS(is_pgid_leader),
        PROCESS(tty),
        PROCESS(cwd),
        PROCESS(cmdnargs),
        PROCESS(cmdlenargs),
        PROCESS(is_exe_upper_layer),
        PROCESS(is_exe_lower_layer),
        PROCESS(is_exe_from_memfd),
        PROCESS(exe_layer),
        PROCESS(exe_deleted),
        PROCESS(exe_ino),
        [FIELD_thread_tid] = get_process,
        [FIELD_thread_vtid] = get_process,
        [FIELD_thread_ismain] = get_process,
        [FIELD_user_uid] = get_process,
        [FIELD_user_loginuid] = get_process,
        [FIELD_group_gid] = get_process,

        [FIELD_proc_in_container] = get_exec,
        [FIELD_proc_exe_others_may_write] = get_exec,
        [FIELD_proc_exe_uid] = get_exec,
        [FIELD_proc_exec_path] = get_exec,
        [FIELD_proc_cgroup] = get_exec,
        [FIELD_proc_script_path] = get_exec,
        [FIELD_proc_script_layer] = get_exec,
        [FIELD_proc_script_is_new] = get_exec,
        [FIELD_thread_cap_effective] = get_capabilities,
        [FIELD_thread_cap_permitted] = get_capabilities,
        [FIELD_thread_cap_inheritable] = get_capabilities,
        [FIELD_proc_stdin_type] = get_fd,
        [FIELD_proc_stdout_type] = get_fd,
        [FIELD_proc_stderr_type] = get_fd,
        [FIELD_proc_stdin_name] = get_fd,
        [FIELD_proc_stdout_name] = get_fd,
        [FIELD_proc_stderr_name] = get_fd,
        [FIELD_proc_stdin_is_socket] = get_fd,
        [FIELD_proc_stdout_is_socket] = get_fd,
        [FIELD_proc_stderr_is_socket] = get_fd,
        [FIELD_proc_stdin_remote_ip] = get_fd,
        [FIELD_proc_stdout_remote_ip] = get_fd,
        [FIELD_proc_stderr_remote_ip] = get_fd,
        [FIELD_proc_stdin_remote_port] = get_fd,
        [FIELD_proc_stdout_remote_port] = get_fd,
        [FIELD_proc_stderr_remote_port] = get_fd,

        [FIELD_capability_name] = get_hook,
        [FIELD_io_uring_op] = get_hook,
        [FIELD_burst_lookups] = get_hook,

        CONTAINER(id),
        CONTAINER(full_id),
        CONTAINER(name),
        CONTAINER(image),
        CONTAINER(image_id),
        CONTAINER(image_repository),
        CONTAINER(image_tag),
        CONTAINER(image_digest),
        CONTAINER(type),
        CONTAINER(label),
        CONTAINER(labels),
        CONTAINER(info),
        [FIELD_container_is_build] = get_setting,
        [FIELD_container_privileged] = get_setting,
        [FIELD_container_mounts] = get_setting,
        [FIELD_container_mount] = get_mount,
        [FIELD_container_mount_source] = get_mount,
        [FIELD_container_mount_dest] = get_mount,
        [FIELD_container_mount_mode] = get_mount,
        [FIELD_container_mount_rdwr] = get_mount,
        [FIELD_container_mount_propagation] = get_mount,
        [FIELD_container_healthcheck] = get_setting,
        [FIELD_container_ip] = get_setting,
        [FIELD_container_host_pid] = get_setting,
        [FIELD_container_host_network] = get_setting,
        [FIELD_container_host_ipc] = get_setting,
        [FIELD_container_start_ts] = get_setting,
        [FIELD_container_duration] = get_setting,
        [FIELD_proc_is_container_healthcheck] = get_setting,
        [FIELD_k8s_pod_sandbox_id] = get_setting,
        [FIELD_k8s_pod_full_sandbox_id] = get_setting,
        [FIELD_k8s_pod_ip] = get_setting,
        [FIELD_k8s_pod_name] = get_container,
        [FIELD_k8s_ns_name] = get_container,
        [FIELD_k8s_pod_uid] = get_container,
        [FIELD_k8s_pod_id] = get_container,
};

bool event_delivers(enum field_id id) { return getters[id] != NULL; }

void event_get(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        getter *g = getters[ref->field->id];
        *ret = value_absent();
        if (g)
                g(r, ref, ret);
}

static void get(void *ctx, const struct field_ref *ref, struct value *ret) { event_get(ctx, ref, ret); }

struct record event_record(struct event_record *r) { return (struct record){ get, r }; }
