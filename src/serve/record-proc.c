/*
 * What rules ask of processes that nobody keeps: environment, memory, descriptors, limits, out of /proc when they ask;
 * a process that is gone by then has none. Of an exec the environment comes with the event. Also what the table knows
 * since the exec: times of the program, its process group and namespace.
 */
#include "base/buf.h"
#include "serve/record-private.h"

#include <dirent.h>
#include <stdio.h>

#define STATUS_MAX      ((size_t)64 << 10)
#define ENVIRONMENT_MAX ((size_t)64 << 10)
#define FDS_MAX         100000u /* counted, at most */

static int64_t since(int64_t later, int64_t earlier) { return later > earlier ? later - earlier : 0; }

static void get_program_time(struct event_record *r, const struct process *p, enum field_id id, struct value *ret)
{
        const struct program *program = p->program;
        int64_t start = r->boot_ns + (int64_t)p->started_ns;
        int64_t init = p->init_started_ns ? r->boot_ns + (int64_t)p->init_started_ns : 0;
        bool is_mtime = id == FIELD_proc_exe_ino_mtime;
        int64_t time = (int64_t)(is_mtime ? program->mtime_ns : program->ctime_ns);
        if (time == 0)
                return;
        if (id == FIELD_proc_exe_ino_ctime || is_mtime)
                *ret = (struct value){ VALUE_TIME, { .number = time } };
        else if (id == FIELD_proc_exe_ino_ctime_duration_proc_start)
                *ret = value_duration(since(start, time));
        else if (init)
                *ret = value_duration(since(time, init));
}

/* The oldest of the line of shells above it without a gap, itself included; as Falco counts. */
static uint32_t login_shell(const struct event_record *r)
{
        static const char *const shells[] = {
                "ash", "bash", "csh", "dash", "fish", "ksh", "mksh", "sh", "tcsh", "zsh"
        };
        uint32_t found = 0;
        for (const struct process *p = r->process; p; p = process_ancestor(r->processes, p, 1)) {
                struct str name = event_comm(p->comm);
                for (size_t i = 0; i < ARRAY_SIZE(shells); i++)
                        if (str_is(name, shells[i]))
                                found = p->pid;
                if (p->ppid == p->pid)
                        break;
        }
        return found;
}

/* Of the same namespace, the process whose number there is its group's. */
static const struct process *group_leader(const struct event_record *r, const struct process *p)
{
        const struct process *leader = process_find(r->processes, p->pgid);
        return leader && leader->vpid == p->vpgid ? leader : NULL;
}

static void get_group_leader(struct event_record *r, const struct process *p, enum field_id id, struct value *ret)
{
        const struct process *leader = group_leader(r, p);
        if (!leader)
                return;
        struct str title = leader->program->args;
        switch (id) {
        case FIELD_proc_vpgid_name:
                *ret = value_string_or_absent(event_comm(leader->comm));
                break;
        case FIELD_proc_vpgid_exe:
                *ret = value_string_or_absent(str_cut(&title, '\0'));
                break;
        default: /* proc.vpgid.exepath */
                *ret = value_string_or_absent(leader->program->exe_path);
        }
}

void get_kept(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        const struct process *p = r->process;
        uint32_t shell;
        if (!p)
                return;
        switch (ref->field->id) {
        case FIELD_proc_is_exe_writable:
                if (p->program->mtime_ns) /* seen by an exec */
                        *ret = value_flag(p->program->is_writable);
                break;
        case FIELD_proc_vpgid:
                *ret = p->vpgid ? value_number(p->vpgid) : value_absent();
                break;
        case FIELD_proc_is_vpgid_leader:
                *ret = p->vpgid ? value_flag(p->vpgid == p->vpid) : value_absent();
                break;
        case FIELD_proc_vpgid_name:
        case FIELD_proc_vpgid_exe:
        case FIELD_proc_vpgid_exepath:
                get_group_leader(r, p, ref->field->id, ret);
                break;
        case FIELD_proc_loginshellid:
                shell = login_shell(r);
                *ret = shell ? value_number(shell) : value_absent();
                break;
        case FIELD_proc_pidns_init_start_ts:
                if (p->init_started_ns)
                        *ret = (struct value){ VALUE_TIME, { .number = r->boot_ns + (int64_t)p->init_started_ns } };
                break;
        case FIELD_thread_nametid:
                *ret = value_string(arena_printf(r->arena, "%.*s%u", STR_FMT(event_comm(p->comm)),
                                                 call_of(r) ? call_of(r)->thread : p->pid));
                break;
        default:
                get_program_time(r, p, ref->field->id, ret);
        }
}

/* ---------------------------------------------------------------------------------------------- environment ---- */

static struct str environment_of(struct event_record *r, const struct process *p)
{
        if (p == r->process && r->event->kind == OBSERVE_EXEC && r->event->env.n)
                return r->event->env;
        return process_read(p, "environ", ENVIRONMENT_MAX, r->arena);
}

/* p is NULL if it is not there. */
static struct str variable_of(struct event_record *r, const struct process *p, struct str name)
{
        struct str value;
        if (p == r->process && r->event->kind == OBSERVE_EXEC && r->event->env.n)
                return environment_find(r->event->env, name);
        if (process_variable(r->processes, p, name, &value))
                return value;
        return environment_find(environment_of(r, p), name);
}

static struct str with_blanks(struct str s, struct arena *arena)
{
        char *copy = arena_cstr(arena, s);
        size_t n = s.n;
        while (n > 0 && copy[n - 1] == '\0')
                n--;
        for (size_t i = 0; i < n; i++)
                if (copy[i] == '\0')
                        copy[i] = ' ';
        return str_span(copy, n);
}

void get_environment(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        if (!r->process)
                return;
        if (ref->key.n) {
                struct str value = variable_of(r, r->process, ref->key);
                *ret = value.p ? value_string(value) : value_absent();
        } else {
                *ret = value_string_or_absent(with_blanks(environment_of(r, r->process), r->arena));
        }
}

struct str environment_variable(struct event_record *r, const char *name)
{
        return r->process ? variable_of(r, r->process, str_of(name)) : STR_NONE;
}

static struct value nearest_variable(struct event_record *r, struct str name)
{
        const struct process *p = r->process;
        for (size_t i = 0; i < PROCESS_ANCESTORS && (p = process_ancestor(r->processes, p, 1)); i++) {
                struct str value = variable_of(r, p, name);
                if (value.p)
                        return value_string(value);
        }
        return value_absent();
}

/* Of the ancestors: of all, of one level, or the nearest value of a variable. */
void get_ancestor_environment(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        const struct process *p = r->process;
        if (ref->has_index) {
                p = process_ancestor(r->processes, p, ref->index);
                if (p)
                        *ret = value_string_or_absent(with_blanks(environment_of(r, p), r->arena));
                return;
        }
        if (ref->key.n) {
                *ret = nearest_variable(r, ref->key);
                return;
        }
        struct value *v = arena_array(r->arena, PROCESS_ANCESTORS, sizeof(*v));
        size_t n = 0;
        while (n < PROCESS_ANCESTORS && (p = process_ancestor(r->processes, p, 1))) {
                struct str text = with_blanks(environment_of(r, p), r->arena);
                if (text.n)
                        v[n++] = value_string(text);
        }
        if (n)
                *ret = value_list(v, n);
}

/* ------------------------------------------------------------------------------------------------------ /proc ---- */

static int64_t count_descriptors(const struct process *p)
{
        char path[64];
        int64_t n = 0;
        snprintf(path, sizeof(path), "/proc/%u/fd", p->pid);
        DIR *dir = opendir(path);
        if (!dir)
                return -1;
        for (struct dirent *d; n < FDS_MAX && (d = readdir(dir));)
                n += d->d_name[0] != '.';
        closedir(dir);
        return n;
}

/* limits: "Max open files            1024                 1048576              files". */
static int64_t descriptor_limit(struct str limits)
{
        uint64_t n;
        while (limits.n) {
                struct str line = str_line(&limits);
                if (!str_starts(line, STR("Max open files")))
                        continue;
                line = str_trim(str_from(line, strlen("Max open files")));
                return str_u64(str_cut(&line, ' '), &n) && n <= INT64_MAX ? (int64_t)n : -1;
        }
        return -1;
}

static void get_descriptors(struct event_record *r, enum field_id id, struct value *ret)
{
        struct str limits = process_read(r->process, "limits", STATUS_MAX, r->arena);
        int64_t most = descriptor_limit(limits), n = limits.n ? count_descriptors(r->process) : -1;
        if (id == FIELD_proc_fdlimit && most >= 0)
                *ret = value_number(most);
        else if (id == FIELD_proc_fdopencount && n >= 0)
                *ret = value_number(n);
        else if (id == FIELD_proc_fdusage && n >= 0 && most > 0)
                *ret = value_decimal(n * 100 * VALUE_DECIMAL_ONE / most);
}

/* stat: minflt is the 10th word, majflt the 12th; the second is in parentheses. */
static void get_faults(struct event_record *r, enum field_id id, struct value *ret)
{
        struct str stat = process_read(r->process, "stat", 4096, r->arena);
        ptrdiff_t close = str_rfind_char(stat, ')');
        uint64_t n;
        if (close < 0)
                return;
        stat = str_trim(str_from(stat, (size_t)close + 1));
        for (unsigned i = id == FIELD_thread_pfminor ? 7 : 9; i > 0; i--)
                str_cut(&stat, ' ');
        if (str_u64(str_cut(&stat, ' '), &n))
                *ret = value_number((int64_t)n);
}

void get_from_proc(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        static const struct {
                enum field_id field;
                const char *name;
        } numbers[] = {
                { FIELD_proc_vmsize, "VmSize:" },   { FIELD_proc_vmrss, "VmRSS:" },
                { FIELD_proc_vmswap, "VmSwap:" },   { FIELD_thread_vmsize, "VmSize:" },
                { FIELD_thread_vmrss, "VmRSS:" },   { FIELD_proc_nthreads, "Threads:" },
                { FIELD_proc_nchilds, "Threads:" },
        };
        enum field_id id = ref->field->id;
        if (!r->process)
                return;
        if (id == FIELD_proc_fdopencount || id == FIELD_proc_fdlimit || id == FIELD_proc_fdusage) {
                get_descriptors(r, id, ret);
                return;
        }
        if (id == FIELD_thread_pfmajor || id == FIELD_thread_pfminor) {
                get_faults(r, id, ret);
                return;
        }
        struct str status = process_read(r->process, "status", STATUS_MAX, r->arena);
        for (size_t i = 0; status.n && i < ARRAY_SIZE(numbers); i++)
                if (numbers[i].field == id)
                        *ret = value_number((int64_t)process_status_number(status, numbers[i].name) -
                                            (id == FIELD_proc_nchilds));
}

/* Those with which the program began, as for Falco: what a call has added since is not counted. */
void get_capabilities(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        const struct process *p = r->process;
        const struct observe_exec *e = r->event->kind == OBSERVE_EXEC ? &r->event->exec : NULL;
        uint64_t set;
        if (!p && !e)
                return;
        switch (ref->field->id) {
        case FIELD_thread_cap_effective:
                set = e ? e->cap_effective : p->cap_effective;
                break;
        case FIELD_thread_cap_permitted:
                set = e ? e->cap_permitted : p->cap_permitted;
                break;
        default: /* thread.cap_inheritable */
                set = e ? e->cap_inheritable : p->cap_inheritable;
        }
        *ret = value_string(capability_names(set, r->arena));
}
