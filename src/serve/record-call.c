/*
 * What rules ask of a system call: its arguments, result and paths. Arguments are what the kernel got; texts in the
 * memory of the process (paths, names) it may have changed since, so that rules had better ask for what a descriptor is
 * (record-fd.c).
 */
#include "base/buf.h"
#include "base/fs.h"
#include "sense/script.h"
#include "serve/arguments.h"
#include "serve/named-descriptor.h"
#include "serve/record-private.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define OWN_ROOT "/proc/self/root"

const struct observe_call *call_of(const struct event_record *r)
{
        return r->event->kind == OBSERVE_CALL ? &r->event->call : NULL;
}

/* ---------------------------------------------------------------------------------------------------- paths ---- */

/* Calls without a path work on their descriptor's file: ftruncate, and utimensat without a name, whose descriptor
 * stands where the directory's would. */
static bool has_path(const struct event *e, unsigned i)
{
        return call_columns[e->call.call].path[i] != AT_NONE && e->path[i].n > 0;
}

struct str call_path(struct event_record *r, unsigned i)
{
        const struct event *e = r->event;
        if (!has_path(e, i))
                return i == 1 ? STR_NONE : e->file.n ? e->file : e->dir[0];
        struct str dir = e->dir[i];
        if (dir.n == 0 && r->process)
                dir = r->process->program->cwd;
        if (e->path[i].p[0] != '/' && dir.n == 0)
                return e->path[i]; /* relative to nobody knows what */
        return script_absolute(e->path[i], dir, r->arena);
}

/* The path with the links of its directories resolved, and its own too if the call follows it, as they are now. */
static struct str real_path(struct event_record *r, struct str path, bool follows)
{
        char name[64], real[PATH_MAX];
        if (path.n == 0 || path.p[0] != '/' || path.n >= PATH_MAX)
                return path;
        snprintf(name, sizeof(name), "/proc/%u/root", r->event->head.pid);
        _cleanup_(closep) int root = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        while (str_starts(path, STR(OWN_ROOT "/")))
                path = str_from(path, strlen(OWN_ROOT));
        ptrdiff_t slash = str_rfind_char(path, '/');
        struct str last = STR_NONE;
        int fd = follows ? open_named_descriptor(r->event->head.pid, path) : -1;
        if (fd < 0 && root >= 0 && follows)
                fd = open_in_root(root, arena_cstr(r->arena, path), O_PATH);
        if (fd < 0 && root >= 0 && slash >= 0) {
                struct str dir = slash == 0 ? STR("/") : str_upto(path, (size_t)slash);
                last = str_from(path, (size_t)slash);
                fd = open_in_root(root, arena_cstr(r->arena, dir), O_PATH | O_DIRECTORY);
        }
        if (fd < 0)
                return path;
        snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(name, real, sizeof(real));
        close_fd(fd);
        if (n <= 0 || real[0] != '/')
                return path;
        return arena_printf(r->arena, "%.*s%.*s", n == 1 && last.n ? 0 : (int)n, real, STR_FMT(last));
}

/* Of a connect to a unix socket: the socket's file, however it was named. */
static struct str socket_path(struct event_record *r)
{
        struct str path = call_of(r)->call == CALL_connect && call_of(r)->fd.family == AF_UNIX
                                  ? address_text(r->event->data, r->arena)
                                  : STR_NONE;
        if (path.n == 0 || path.p[0] == '@')
                return path;
        struct str cwd = r->process ? r->process->program->cwd : STR_NONE;
        return path.p[0] == '/' || cwd.n ? real_path(r, script_absolute(path, cwd, r->arena), true) : path;
}

/* Which of the call's paths a field means; -1: none, the call has not that many. */
static int path_for(const struct call_form *form, enum field_id id)
{
        switch (id) {
        case FIELD_fs_path_source:
        case FIELD_fs_path_sourceraw:
        case FIELD_fs_path_source_real:
                return form->traits & CALL_TWO_PATHS ? 0 : -1;
        case FIELD_fs_path_target:
        case FIELD_fs_path_targetraw:
        case FIELD_fs_path_target_real:
                return form->traits & CALL_TWO_PATHS ? 1 : -1;
        default:
                return form->traits & CALL_TWO_PATHS ? -1 : 0;
        }
}

void get_path(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        const struct observe_call *c = call_of(r);
        const struct call_form *form = c ? &call_forms[c->call] : NULL;
        int i = form ? path_for(form, ref->field->id) : -1;
        if (i < 0)
                return;
        bool is_text = i == 0 && form->traits & CALL_TARGET_IS_TEXT;
        if (ref->field->id == FIELD_fs_path_real && c->call == CALL_connect) {
                *ret = value_string_or_absent(socket_path(r));
                return;
        }
        switch (ref->field->id) {
        case FIELD_fs_path_nameraw:
        case FIELD_fs_path_sourceraw:
        case FIELD_fs_path_targetraw:
                *ret = value_string_or_absent(r->event->path[i]);
                break;
        case FIELD_fs_path_real:
        case FIELD_fs_path_source_real:
        case FIELD_fs_path_target_real:
                *ret = value_string_or_absent(
                        has_path(r->event, (unsigned)i) && !is_text
                                ? real_path(r, call_path(r, (unsigned)i), form->traits & CALL_FOLLOWS)
                                : call_path(r, (unsigned)i));
                break;
        default:
                *ret = value_string_or_absent(is_text ? r->event->path[0] : call_path(r, (unsigned)i));
        }
}

/* ------------------------------------------------------------------------------------------------- arguments ---- */

const char *error_name(int64_t result)
{
        const char *name = result < 0 && result >= -4095 ? strerrorname_np((int)-result) : NULL;
        return result >= 0 ? "SUCCESS" : name ? name : "UNKNOWN";
}

/* Arguments are 32 bits wide where the call takes an int; the upper half is what was left in the register. */
static int64_t number_of(const struct event *e, const struct argument *a)
{
        uint64_t flags = 0, mode = 0, first = 0;
        switch (a->from) {
        case FROM_RESULT:
                return e->call.result;
        case FROM_FLAGS:
        case FROM_MODE:
                call_open_flags(e, &flags, &mode);
                return (int64_t)(a->from == FROM_FLAGS ? flags : mode);
        case FROM_RESOLVE:
                if (e->data.n >= sizeof(struct open_how))
                        memcpy(&first, e->data.p + offsetof(struct open_how, resolve), sizeof(first));
                return (int64_t)first;
        case FROM_DATA:
                if (e->data.n >= sizeof(first))
                        memcpy(&first, e->data.p, sizeof(first));
                return (int64_t)first;
        case FROM_DEVICE:
                return call_device(e);
        case FROM_INODE:
                return (int64_t)e->call.fd.ino;
        default:
                break;
        }
        if (a->from > FROM_5)
                return 0;
        uint64_t raw = e->call.args[a->from];
        bool is_int = a->form == FORM_FD || a->form == FORM_DIR || a->form == FORM_SIGNAL || a->form == FORM_UID ||
                      a->form == FORM_GID || a->form == FORM_WORD;
        return is_int ? (int32_t)raw : (int64_t)raw;
}

static bool is_number(const struct argument *a)
{
        return a->form != FORM_PATH && a->form != FORM_TEXT && a->form != FORM_ADDRESS && a->form != FORM_TUPLE;
}

/* "3", "-2", "0644", "0x7f00": as evt.args begins each. */
static struct str plain_text(const struct event *e, const struct argument *a, struct arena *arena)
{
        int64_t n = number_of(e, a);
        switch (a->form) {
        case FORM_OCTAL:
                return arena_printf(arena, "%#llo", (unsigned long long)n & 07777);
        case FORM_HEX:
                return arena_printf(arena, "%#llx", (unsigned long long)n);
        case FORM_UNSIGNED:
        case FORM_FLAGS:
                return arena_printf(arena, "%llu", (unsigned long long)n);
        default:
                return arena_printf(arena, "%lld", (long long)n);
        }
}

static struct str descriptor_text(struct event_record *r, const struct argument *a)
{
        const struct event *e = r->event;
        const struct call_columns *columns = &call_columns[e->call.call];
        int64_t n = number_of(e, a);
        if (a->form == FORM_DIR) {
                if (n == AT_FDCWD)
                        return STR("AT_FDCWD");
                for (unsigned i = 0; i < 2; i++)
                        if (columns->dir[i] == (int)a->from && e->dir[i].n)
                                return arena_printf(r->arena, "<d>%.*s", STR_FMT(e->dir[i]));
                return STR_NONE;
        }
        if (n < 0 && !(e->call.flags & OBSERVE_CALL_HOOK)) /* hooks do not know the number */
                return str_of(error_name(n));
        bool is_it = columns->fd == (a->from == FROM_RESULT ? AT_RESULT : (int)a->from);
        struct value type = value_absent(), name = value_absent();
        if (!is_it || e->call.fd.mode == 0)
                return STR_NONE;
        fd_value(r, FIELD_fd_typechar, &type);
        fd_value(r, FIELD_fd_name, &name);
        return arena_printf(r->arena, "<%.*s>%.*s", STR_FMT(type.text), STR_FMT(name.text));
}

static struct str signal_text(int64_t n, struct arena *arena)
{
        const char *name = n > 0 && n < 65 ? sigabbrev_np((int)n) : NULL;
        return name ? arena_printf(arena, "SIG%s", name) : STR_NONE;
}

/* What evt.arg says: the words if there are any, else the plain text. STR_NONE: only the plain text. */
static struct str spoken_text(struct event_record *r, const struct argument *a)
{
        const struct event *e = r->event;
        struct value v = value_absent();
        switch (a->form) {
        case FORM_ERROR:
                return e->call.result > 0 ? STR_NONE : str_of(error_name(e->call.result));
        case FORM_FD:
        case FORM_DIR:
                return descriptor_text(r, a);
        case FORM_PATH:
                return call_path(r, a->from - FROM_PATH1);
        case FORM_TEXT:
                return a->from == FROM_DATA ? str_upto(e->data, strnlen(e->data.p ? e->data.p : "", e->data.n))
                                            : e->path[a->from - FROM_PATH1];
        case FORM_FLAGS:
        case FORM_WORD:
                return argument_words(a->words,
                                      (uint64_t)number_of(e, a) & (a->from == FROM_DATA ? UINT64_MAX : UINT32_MAX),
                                      a->form == FORM_WORD, r->arena);
        case FORM_UID:
        case FORM_GID:
                return user_text(r, (uint32_t)number_of(e, a), a->form == FORM_GID);
        case FORM_SIGNAL:
                return signal_text(number_of(e, a), r->arena);
        case FORM_ADDRESS:
                return address_text(e->data, r->arena);
        case FORM_TUPLE:
                fd_value(r, FIELD_fd_name, &v);
                return v.type == VALUE_STRING ? v.text : STR_NONE;
        default:
                return STR_NONE;
        }
}

static struct str whole_text(struct event_record *r, const struct argument *a)
{
        struct str spoken = spoken_text(r, a);
        return spoken.p || !is_number(a) ? spoken : plain_text(r->event, a, r->arena);
}

static const struct argument *find_argument(const struct call_form *form, const struct field_ref *ref)
{
        uint64_t index = ref->index;
        bool is_index = ref->has_index || str_u64(ref->key, &index);
        for (size_t i = 0; form->arguments[i].name; i++)
                if (is_index ? i == index : str_is(ref->key, form->arguments[i].name))
                        return &form->arguments[i];
        /* What Falco calls the result, whatever the call returns. */
        bool is_result = !is_index && (str_is(ref->key, "res") || str_is(ref->key, "res_or_fd"));
        return is_result && form->arguments[0].from == FROM_RESULT ? &form->arguments[0] : NULL;
}

static struct str all_arguments(struct event_record *r, const struct call_form *form)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(64 << 10);
        for (const struct argument *a = form->arguments; a->name; a++) {
                struct str spoken = spoken_text(r, a);
                buf_printf(&b, "%s%s=", b.n ? " " : "", a->name);
                if (!is_number(a))
                        buf_printf(&b, "%.*s", STR_FMT(spoken));
                else if (spoken.n && a->form != FORM_ERROR)
                        buf_printf(&b, "%.*s(%.*s)", STR_FMT(plain_text(r->event, a, r->arena)), STR_FMT(spoken));
                else
                        buf_printf(&b, "%.*s", STR_FMT(plain_text(r->event, a, r->arena)));
        }
        return arena_str(r->arena, buf_str(&b));
}

/* The arguments that Falco gives to the events of processes, as the fields that say the same. */
static const struct {
        const char *name;
        enum field_id field;
} process_arguments[] = {
        { "exe", FIELD_proc_exe },
        { "args", FIELD_proc_args },
        { "tid", FIELD_thread_tid },
        { "pid", FIELD_proc_pid },
        { "ptid", FIELD_proc_ppid },
        { "cwd", FIELD_proc_cwd },
        { "comm", FIELD_proc_name },
        { "env", FIELD_proc_env },
        { "tty", FIELD_proc_tty },
        { "loginuid", FIELD_user_loginuid },
        { "uid", FIELD_user_uid },
        { "gid", FIELD_group_gid },
        { "pgid", FIELD_proc_pgid },
        { "vpgid", FIELD_proc_vpgid },
        { "vpid", FIELD_proc_vpid },
        { "vtid", FIELD_thread_vtid },
        { "exe_ino", FIELD_proc_exe_ino },
        { "filename", FIELD_proc_exec_path },
        { "trusted_exepath", FIELD_proc_exepath },
        { "cap_permitted", FIELD_thread_cap_permitted },
        { "cap_effective", FIELD_thread_cap_effective },
        { "cap_inheritable", FIELD_thread_cap_inheritable },
};

static void get_process_argument(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        for (size_t i = 0; i < ARRAY_SIZE(process_arguments); i++) {
                struct value v = value_absent();
                if (!str_is(ref->key, process_arguments[i].name))
                        continue;
                struct field_ref other = { .field = &fields[process_arguments[i].field] };
                event_get(r, &other, &v);
                _cleanup_(buf_done) struct buf b = BUF_INIT(64 << 10);
                value_print(&v, &b);
                if (v.type != VALUE_ABSENT)
                        *ret = value_string(arena_str(r->arena, buf_str(&b)));
                return;
        }
}

void get_argument(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        const struct observe_call *c = call_of(r);
        const struct argument *a = c ? find_argument(&call_forms[c->call], ref) : NULL;
        if (!c)
                get_process_argument(r, ref, ret);
        if (!a)
                return;
        if (ref->field->id == FIELD_evt_arg)
                *ret = value_string(whole_text(r, a));
        else if (is_number(a))
                *ret = value_number(number_of(r->event, a));
        else if (a->form == FORM_PATH)
                *ret = value_string_or_absent(r->event->path[a->from - FROM_PATH1]);
        else
                *ret = value_string_or_absent(whole_text(r, a));
}

void get_arguments(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        const struct observe_call *c = call_of(r);
        if (c)
                *ret = value_string(all_arguments(r, &call_forms[c->call]));
}

void event_count(struct event_record *r, struct bursts *b)
{
        bool is_call = r->event->kind == OBSERVE_CALL;
        struct str paths[2] = { is_call ? call_path(r, 0) : STR_NONE, is_call ? call_path(r, 1) : STR_NONE };
        bursts_note(b, r->event, r->process, paths);
}

/* ---------------------------------------------------------------------------------------------------- result ---- */

static bool is_io(enum call_class class)
{
        return class == CLASS_IO_READ || class == CLASS_IO_WRITE || class == CLASS_IO_OTHER;
}

/* What an open asks for. Whether O_CREAT made the file, the kernel does not say. */
static bool opens_for(enum field_id id, uint64_t flags, uint64_t mode)
{
        bool creates = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
        uint64_t access = flags & O_ACCMODE;
        switch (id) {
        case FIELD_evt_is_open_read:
                return access == O_RDONLY || access == O_RDWR;
        case FIELD_evt_is_open_write:
                return access == O_WRONLY || access == O_RDWR;
        case FIELD_evt_is_open_exec:
                return creates && mode & (S_IXUSR | S_IXGRP | S_IXOTH);
        default: /* evt.is_open_create */
                return creates;
        }
}

static struct value count_of_error(const struct observe_call *c, enum field_id id)
{
        enum call_class class = call_forms[c->call].class;
        bool is_file = class == CLASS_FILE, is_net = class == CLASS_NET, is_memory = class == CLASS_MEMORY;
        bool fits = id == FIELD_evt_count_error          ? true
                    : id == FIELD_evt_count_error_file   ? is_file
                    : id == FIELD_evt_count_error_net    ? is_net
                    : id == FIELD_evt_count_error_memory ? is_memory
                                                         : !is_file && !is_net && !is_memory;
        return fits && c->result < 0 ? value_number(1) : value_absent();
}

/* Whose data are what was read or written (bpf/shared/calls.def). */
static bool has_buffer(uint32_t call)
{
        return call == CALL_read || call == CALL_write || call == CALL_recvfrom || call == CALL_recvmsg;
}

static void get_abspath(struct event_record *r, const struct field_ref *ref, const struct observe_call *c,
                        struct value *ret)
{
        const struct call_form *form = &call_forms[c->call];
        bool has_two = form->traits & CALL_TWO_PATHS, has_dir = call_columns[c->call].dir[0] != AT_NONE;
        if (ref->key.n == 0 && !has_two && has_dir)
                *ret = value_string_or_absent(call_path(r, 0));
        else if (has_two && str_is(ref->key, "src"))
                *ret = value_string_or_absent(call_path(r, 0));
        else if (has_two && str_is(ref->key, "dst"))
                *ret = value_string_or_absent(call_path(r, 1));
}

void get_call(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        const struct observe_call *c = call_of(r);
        if (!c)
                return;
        enum call_class class = call_forms[c->call].class;
        uint64_t flags, mode;
        switch (ref->field->id) {
        case FIELD_evt_res:
                *ret = value_string(str_of(error_name(c->result)));
                break;
        case FIELD_evt_rawres:
                *ret = value_number(c->result);
                break;
        case FIELD_evt_failed:
                *ret = value_flag(c->result < 0);
                break;
        case FIELD_evt_category:
                *ret = value_string(str_of(call_class_names[class]));
                break;
        case FIELD_evt_is_io:
                *ret = value_flag(is_io(class));
                break;
        case FIELD_evt_is_io_read:
                *ret = value_flag(class == CLASS_IO_READ);
                break;
        case FIELD_evt_is_io_write:
                *ret = value_flag(class == CLASS_IO_WRITE);
                break;
        case FIELD_evt_io_dir:
                if (class == CLASS_IO_READ || class == CLASS_IO_WRITE)
                        *ret = value_string(class == CLASS_IO_READ ? STR("r") : STR("w"));
                break;
        case FIELD_evt_buflen:
                if ((class == CLASS_IO_READ || class == CLASS_IO_WRITE) && c->result >= 0)
                        *ret = value_number(c->result);
                break;
        case FIELD_evt_buffer:
                if (has_buffer(c->call) && c->result >= 0)
                        *ret = value_bytes(r->event->data);
                break;
        case FIELD_evt_abspath:
                get_abspath(r, ref, c, ret);
                break;
        case FIELD_evt_count_error:
        case FIELD_evt_count_error_file:
        case FIELD_evt_count_error_net:
        case FIELD_evt_count_error_memory:
        case FIELD_evt_count_error_other:
                *ret = count_of_error(c, ref->field->id);
                break;
        case FIELD_evt_is_32bit:
                *ret = value_flag(c->flags & OBSERVE_CALL_I386);
                break;
        case FIELD_evt_is_32bit_mixed:
                *ret = value_flag(c->flags & OBSERVE_CALL_MIXED);
                break;
        default: /* evt.is_open_*; evt.is_wait and evt.is_syslog are false of all that is delivered */
                if (call_open_flags(r->event, &flags, &mode))
                        *ret = value_flag(opens_for(ref->field->id, flags, mode));
                else
                        *ret = value_flag(false);
        }
}
