/*
 * What rules ask of processes: of the one that the event is of, its ancestors and leaders, out of the process table;
 * and the titles that they show now, out of /proc.
 */
#include "serve/record-private.h"

#define TITLE_MAX 4096u

/* Text out of the arguments: all behind the first joined by blanks. */
static struct str joined(struct str args, struct arena *arena)
{
        ptrdiff_t end = str_find_char(args, '\0');
        if (end < 0 || (size_t)end + 1 >= args.n)
                return STR("");
        args = str_from(args, (size_t)end + 1);
        if (args.p[args.n - 1] == '\0')
                args.n--;
        char *copy = arena_cstr(arena, args);
        for (size_t i = 0; i < args.n; i++)
                if (copy[i] == '\0')
                        copy[i] = ' ';
        return str_span(copy, args.n);
}

static struct str title(struct str args) { return str_cut(&args, '\0'); }

static struct str line_of(struct str first, struct str args, struct arena *arena)
{
        struct str rest = joined(args, arena);
        return rest.n ? arena_printf(arena, "%.*s %.*s", STR_FMT(first), STR_FMT(rest)) : first;
}

/* What fields say of a process, themselves or of their parent, ancestors, leaders. */
enum aspect { NAME, TITLE, TITLE_NOW, EXE_PATH, ARGS, COMMAND_LINE, TITLE_LINE, PID, VPID, STARTED, DURATION };

static struct value aspect_of(const struct event_record *r, const struct process *p, enum aspect what)
{
        const struct program *program = p->program;
        switch (what) {
        case NAME:
                return value_string_or_absent(event_comm(p->comm));
        case TITLE:
                return value_string_or_absent(title(program->args));
        case TITLE_NOW:
                return value_string_or_absent(title(process_read(p, "cmdline", TITLE_MAX, r->arena)));
        case EXE_PATH:
                return value_string_or_absent(program->exe_path);
        case ARGS:
                return program->is_known ? value_string(joined(program->args, r->arena)) : value_absent();
        case COMMAND_LINE:
                return value_string(line_of(event_comm(p->comm), program->args, r->arena));
        case TITLE_LINE:
                return value_string(line_of(title(program->args), program->args, r->arena));
        case PID:
                return value_number(p->pid);
        case VPID:
                return value_number(p->vpid);
        case STARTED:
                return (struct value){ VALUE_TIME, { .number = r->boot_ns + (int64_t)p->started_ns } };
        case DURATION:
                return value_duration((int64_t)(r->event->head.time_ns - MIN(p->started_ns, r->event->head.time_ns)));
        }
        return value_absent();
}

static const struct {
        enum field_id field;
        enum aspect aspect;
} aspects[] = {
        { FIELD_proc_name, NAME },
        { FIELD_proc_pname, NAME },
        { FIELD_proc_aname, NAME },
        { FIELD_proc_sname, NAME },
        { FIELD_proc_pgid_name, NAME },
        { FIELD_proc_exe, TITLE },
        { FIELD_proc_pexe, TITLE },
        { FIELD_proc_aexe, TITLE },
        { FIELD_proc_atitle, TITLE_NOW },
        { FIELD_proc_sid_exe, TITLE },
        { FIELD_proc_pgid_exe, TITLE },
        { FIELD_proc_exepath, EXE_PATH },
        { FIELD_proc_pexepath, EXE_PATH },
        { FIELD_proc_aexepath, EXE_PATH },
        { FIELD_proc_sid_exepath, EXE_PATH },
        { FIELD_proc_pgid_exepath, EXE_PATH },
        { FIELD_proc_args, ARGS },
        { FIELD_proc_aargs, ARGS },
        { FIELD_proc_cmdline, COMMAND_LINE },
        { FIELD_proc_pcmdline, COMMAND_LINE },
        { FIELD_proc_acmdline, COMMAND_LINE },
        { FIELD_proc_exeline, TITLE_LINE },
        { FIELD_proc_pid, PID },
        { FIELD_proc_apid, PID },
        { FIELD_proc_vpid, VPID },
        { FIELD_proc_pvpid, VPID },
        { FIELD_proc_pid_ts, STARTED },
        { FIELD_proc_ppid_ts, STARTED },
        { FIELD_proc_duration, DURATION },
        { FIELD_proc_ppid_duration, DURATION },
};

static enum aspect aspect_for(enum field_id id)
{
        size_t i = 0;
        while (aspects[i].field != id)
                i++;
        return aspects[i].aspect;
}

void get_own(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        if (r->process)
                *ret = aspect_of(r, r->process, aspect_for(ref->field->id));
}

static void get_of(struct event_record *r, const struct process *p, const struct field_ref *ref, struct value *ret)
{
        if (p)
                *ret = aspect_of(r, p, aspect_for(ref->field->id));
}

void get_parent(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        get_of(r, process_ancestor(r->processes, r->process, 1), ref, ret);
}

void get_session(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        get_of(r, r->process ? process_find(r->processes, r->process->sid) : NULL, ref, ret);
}

void get_group(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        get_of(r, r->process ? process_find(r->processes, r->process->pgid) : NULL, ref, ret);
}

/* [n]: 0 is the process itself, 1 its parent; without a number all of them from the parent on. */
void get_ancestor(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        if (ref->has_index) {
                get_of(r, process_ancestor(r->processes, r->process, ref->index), ref, ret);
                return;
        }
        struct value *v = arena_array(r->arena, PROCESS_ANCESTORS, sizeof(*v));
        size_t n = 0;
        const struct process *p = r->process;
        while (n < PROCESS_ANCESTORS && (p = process_ancestor(r->processes, p, 1))) {
                v[n] = aspect_of(r, p, aspect_for(ref->field->id));
                n += v[n].type != VALUE_ABSENT;
        }
        if (n > 0)
                *ret = value_list(v, n);
}

/* The line of parents of who was put in leads out of the namespace, to the first process of another one. */
static bool is_of_init(const struct event_record *r)
{
        const struct process *p = r->process;
        for (size_t n = 0; p && p->vpid != 1 && n < PROCESS_ANCESTORS; n++)
                p = process_ancestor(r->processes, p, 1);
        return p && p->vpid == 1 && p->init_started_ns == r->process->init_started_ns;
}

void get_process(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        const struct process *p = r->process;
        const struct program *program = p ? p->program : NULL;
        const struct observe_call *call = call_of(r);
        if (!p)
                return;
        struct str rest;
        size_t n = 0;
        switch (ref->field->id) {
        case FIELD_proc_ppid:
                *ret = value_number(p->ppid);
                break;
        case FIELD_proc_sid:
                *ret = value_number(p->sid);
                break;
        case FIELD_proc_pgid:
                *ret = value_number(p->pgid);
                break;
        case FIELD_proc_is_sid_leader:
                *ret = value_flag(p->sid == p->pid);
                break;
        case FIELD_proc_is_of_init:
                *ret = value_flag(is_of_init(r));
                break;
        case FIELD_proc_is_pgid_leader:
                *ret = value_flag(p->pgid == p->pid);
                break;
        case FIELD_proc_tty:
                *ret = value_number(p->tty);
                break;
        case FIELD_thread_tid: /* events that are no call are told of the main thread */
                *ret = value_number(call ? call->thread : p->pid);
                break;
        case FIELD_thread_vtid:
                *ret = value_number(p->vpid);
                break;
        case FIELD_thread_ismain:
                *ret = value_flag(!call || call->thread == p->pid);
                break;
        case FIELD_user_uid: /* a call tells what they are when it is over */
                *ret = value_number(call ? call->uid : p->uid);
                break;
        case FIELD_user_euid:
                *ret = value_number(call ? call->euid : p->euid);
                break;
        case FIELD_proc_start_euid:
                *ret = program->is_known ? value_number(p->euid) : value_absent();
                break;
        case FIELD_group_gid:
                *ret = value_number(call ? call->gid : p->gid);
                break;
        case FIELD_user_loginuid:
                *ret = value_number(p->loginuid == UINT32_MAX ? -1 : (int64_t)p->loginuid);
                break;
        case FIELD_proc_cwd:
                if (program->cwd.n)
                        *ret = value_string(program->cwd.n == 1
                                                    ? program->cwd
                                                    : arena_printf(r->arena, "%.*s/", STR_FMT(program->cwd)));
                break;
        case FIELD_proc_cmdnargs:
        case FIELD_proc_cmdlenargs:
                rest = program->args;
                if (rest.n && rest.p[rest.n - 1] == '\0')
                        rest.n--;
                size_t bytes = 0;
                for (str_cut(&rest, '\0'); rest.p; n++)
                        bytes += str_cut(&rest, '\0').n;
                *ret = value_number((int64_t)(ref->field->id == FIELD_proc_cmdnargs ? n : bytes));
                break;
        case FIELD_proc_is_exe_upper_layer:
                *ret = program->layer == EXE_LAYERS ? value_absent() : value_flag(program->layer == EXE_LAYER_UPPER);
                break;
        case FIELD_proc_is_exe_lower_layer:
                *ret = program->layer == EXE_LAYERS ? value_absent() : value_flag(program->layer == EXE_LAYER_LOWER);
                break;
        case FIELD_proc_is_exe_from_memfd:
                *ret = program->layer == EXE_LAYERS ? value_absent() : value_flag(program->layer == EXE_LAYER_MEMFD);
                break;
        case FIELD_proc_exe_layer:
                *ret = text_or_absent(event_layer_name(program->layer));
                break;
        case FIELD_proc_exe_deleted:
                *ret = program->is_known ? value_flag(program->is_deleted) : value_absent();
                break;
        case FIELD_proc_exe_ino:
                *ret = program->ino ? value_number((int64_t)program->ino) : value_absent();
                break;
        default:
                break;
        }
}
