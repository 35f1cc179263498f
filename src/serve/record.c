/* See record.h. One getter a shape of field; the table at the end says which field has which. */
#include "serve/record-private.h"

#include <time.h>

#define SECOND_NS INT64_C(1000000000)

static const char *const call_names[OBSERVE_CALLS] = {
#define CALL(name, x86_64, i386, arm64, fd, dir1, path1, dir2, path2, data) #name,
#include "bpf/shared/calls.def"
#undef CALL
};

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
        default: /* evt.failed, evt.is_io and the like: nothing failed, nothing was read or written */
                *ret = value_flag(false);
        }
}

/* -------------------------------------------------------------------------------------------------- container ---- */

#define ID_SHORT 12u /* characters, as every engine shows them */

/* registry:5000/name:tag@digest taken apart; the colon of a port is no tag's. */
static struct str image_part(struct str image, enum field_id id)
{
        ptrdiff_t at = str_find_char(image, '@');
        struct str digest = at < 0 ? STR_NONE : str_from(image, (size_t)at + 1);
        image = at < 0 ? image : str_upto(image, (size_t)at);
        ptrdiff_t colon = str_rfind_char(image, ':'), slash = str_rfind_char(image, '/');
        bool has_tag = colon > slash;
        if (id == FIELD_container_image_digest)
                return digest;
        if (id == FIELD_container_image_tag)
                return has_tag ? str_from(image, (size_t)colon + 1) : STR_NONE;
        return has_tag ? str_upto(image, (size_t)colon) : image;
}

static struct str all_labels(const struct container_entry *c, struct arena *arena)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(64 << 10);
        for (size_t i = 0; i < c->facts.labels.n; i++) {
                struct str value = c->facts.labels.v[i], key = str_cut(&value, '=');
                buf_printf(&b, "%s%.*s:%.*s", i ? "," : "", STR_FMT(key), STR_FMT(value));
        }
        return arena_str(arena, buf_str(&b));
}

static void get_container(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        const struct container_entry *c = r->container;
        if (!c) { /* what Falco says of the host */
                bool says_host = ref->field->id == FIELD_container_id || ref->field->id == FIELD_container_name ||
                                 ref->field->id == FIELD_container_type || ref->field->id == FIELD_container_info;
                if (says_host)
                        *ret = value_string(STR("host"));
                return;
        }
        switch (ref->field->id) {
        case FIELD_container_id:
                *ret = value_string(str_upto(c->id, ID_SHORT));
                break;
        case FIELD_container_full_id:
                *ret = value_string(c->id);
                break;
        case FIELD_container_name: /* runc knows no other name than the id */
                *ret = value_string(c->facts.name.n ? c->facts.name : c->id);
                break;
        case FIELD_container_image:
                *ret = value_string_or_absent(c->facts.image);
                break;
        case FIELD_container_image_id:
                *ret = value_string_or_absent(c->facts.image_id);
                break;
        case FIELD_container_image_repository:
        case FIELD_container_image_tag:
        case FIELD_container_image_digest:
                *ret = value_string_or_absent(image_part(c->facts.image, ref->field->id));
                break;
        case FIELD_container_type:
                *ret = text_or_absent(c->facts.engine);
                break;
        case FIELD_container_label:
                *ret = value_string_or_absent(container_label(c, ref->key));
                break;
        case FIELD_container_labels:
                *ret = value_string_or_absent(all_labels(c, r->arena));
                break;
        case FIELD_container_info:
                *ret = value_string(arena_printf(r->arena, "container_id=%.*s container_name=%.*s",
                                                 STR_FMT(str_upto(c->id, ID_SHORT)),
                                                 STR_FMT(c->facts.name.n ? c->facts.name : c->id)));
                break;
        case FIELD_k8s_pod_name:
                *ret = value_string_or_absent(c->pod);
                break;
        case FIELD_k8s_ns_name:
                *ret = value_string_or_absent(c->pod_namespace);
                break;
        default: /* k8s.pod.uid, and its older name */
                *ret = value_string_or_absent(c->pod_uid);
        }
}

/* ----------------------------------------------------------------------------------------------------- table ---- */

#define EVENT(id)     [FIELD_evt_##id] = get_event
#define PROCESS(id)   [FIELD_proc_##id] = get_process
#define CONTAINER(id) [FIELD_container_##id] = get_container

static getter *const getters[FIELDS] = {
        EVENT(num),
        EVENT(type),
        EVENT(type_is),
        EVENT(category),
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
        EVENT(res),
        EVENT(rawres),
        EVENT(failed),
        EVENT(is_io),
        EVENT(is_io_read),
        EVENT(is_io_write),
        EVENT(is_wait),
        EVENT(is_async),
        EVENT(is_syslog),
        EVENT(count),
        EVENT(is_open_read),
        EVENT(is_open_write),
        EVENT(is_open_exec),
        EVENT(is_open_create),
        [FIELD_syscall_type] = get_event,

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
        [FIELD_thread_cap_effective] = get_exec,
        [FIELD_thread_cap_permitted] = get_exec,
        [FIELD_thread_cap_inheritable] = get_exec,
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
        [FIELD_k8s_pod_name] = get_container,
        [FIELD_k8s_ns_name] = get_container,
        [FIELD_k8s_pod_uid] = get_container,
        [FIELD_k8s_pod_id] = get_container,
};

bool event_delivers(enum field_id id) { return getters[id] != NULL; }

static void get(void *ctx, const struct field_ref *ref, struct value *ret)
{
        getter *g = getters[ref->field->id];
        *ret = value_absent();
        if (g)
                g(ctx, ref, ret);
}

struct record event_record(struct event_record *r) { return (struct record){ get, r }; }
