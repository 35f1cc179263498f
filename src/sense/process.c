/*
 * See process.h. A hash table with chains: processes come and go all day long, and pointers to them stay. It has as
 * many buckets as there are processes, and gives them back when a burst of them is over.
 */
#include "sense/process.h"

#include "base/buf.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <sys/stat.h>

#define BUCKETS_MIN 64u /* a power of two, as all their numbers */

static const struct program nothing = { .layer = EXE_LAYERS }; /* of a process that was never seen to run anything */

void process_table_init(struct process_table *t) { *t = (struct process_table){ 0 }; }

static void program_release(struct program *p)
{
        if (p && --p->refs == 0)
                free(p);
}

static void process_free(struct process *p)
{
        program_release(p->program);
        free(p);
}

void process_table_done(struct process_table *t)
{
        for (size_t i = 0; i < t->n_buckets; i++)
                for (struct process *p = t->buckets[i], *next; p; p = next) {
                        next = p->next;
                        process_free(p);
                }
        free(t->buckets);
        *t = (struct process_table){ 0 };
}

static struct process **bucket_of(const struct process_table *t, uint32_t pid)
{
        return &t->buckets[pid & (t->n_buckets - 1)];
}

static void resize(struct process_table *t, size_t n_buckets)
{
        struct process_table to = { .buckets = xcalloc(n_buckets, sizeof(*to.buckets)), .n_buckets = n_buckets };
        for (size_t i = 0; i < t->n_buckets; i++)
                for (struct process *p = t->buckets[i], *next; p; p = next) {
                        struct process **bucket = bucket_of(&to, p->pid);
                        next = p->next;
                        p->next = *bucket;
                        *bucket = p;
                }
        free(t->buckets);
        t->buckets = to.buckets;
        t->n_buckets = n_buckets;
}

static void shrink(struct process_table *t)
{
        while (t->n_buckets > BUCKETS_MIN && t->n < t->n_buckets / 8)
                resize(t, t->n_buckets / 2);
}

struct process *process_find(const struct process_table *t, uint32_t pid)
{
        struct process *p = t->n_buckets ? *bucket_of(t, pid) : NULL;
        while (p && p->pid != pid)
                p = p->next;
        return p;
}

void process_each(const struct process_table *t, void (*each)(void *arg, const struct process *p), void *arg)
{
        for (size_t i = 0; i < t->n_buckets; i++)
                for (const struct process *p = t->buckets[i]; p; p = p->next)
                        each(arg, p);
}

struct process *process_get(struct process_table *t, uint32_t pid)
{
        struct process *p = process_find(t, pid);
        if (p)
                return p;
        if (t->n >= PROCESSES_MAX) {
                t->refused++;
                return NULL;
        }
        if (t->n == t->n_buckets)
                resize(t, t->n_buckets ? t->n_buckets * 2 : BUCKETS_MIN);
        struct process **bucket = bucket_of(t, pid);
        p = xcalloc(1, sizeof(*p));
        *p = (struct process){ .next = *bucket, .pid = pid, .loginuid = UINT32_MAX, .round = t->round };
        *bucket = p;
        t->n++;
        process_set_program(p, &nothing);
        return p;
}

static void process_forget(struct process_table *t, uint32_t pid)
{
        for (struct process **at = bucket_of(t, pid); *at; at = &(*at)->next)
                if ((*at)->pid == pid) {
                        struct process *p = *at;
                        *at = p->next;
                        t->n--;
                        process_free(p);
                        shrink(t);
                        return;
                }
}

void process_forget_unseen(struct process_table *t)
{
        for (size_t i = 0; i < t->n_buckets; i++)
                for (struct process **at = &t->buckets[i]; *at;) {
                        struct process *p = *at;
                        if (p->round == t->round) {
                                at = &p->next;
                                continue;
                        }
                        *at = p->next;
                        t->n--;
                        process_free(p);
                }
        shrink(t);
}

struct process *process_ancestor(const struct process_table *t, const struct process *p, uint32_t n)
{
        if (n > PROCESS_ANCESTORS)
                return NULL;
        for (; p && n > 0; n--)
                p = p->ppid && p->ppid != p->pid ? process_find(t, p->ppid) : NULL;
        return (struct process *)p;
}

void process_become(struct process *p, const struct process *other)
{
        struct process *next = p->next;
        other->program->refs++;
        program_release(p->program);
        *p = *other;
        p->next = next;
}

static struct str copy_text(char **at, struct str s)
{
        struct str copy = { *at, s.n };
        if (s.n)
                memcpy(*at, s.p, s.n);
        *at += s.n;
        return copy;
}

void process_set_program(struct process *p, const struct program *program)
{
        struct program *copy =
                xmalloc(sizeof(*copy) + program->exe_path.n + program->args.n + program->cwd.n + program->variables.n);
        char *at = (char *)(copy + 1);
        *copy = *program;
        copy->refs = 1;
        copy->exe_path = copy_text(&at, program->exe_path);
        copy->args = copy_text(&at, program->args);
        copy->cwd = copy_text(&at, program->cwd);
        copy->variables = copy_text(&at, program->variables);
        program_release(p->program);
        p->program = copy;
}

/* ---------------------------------------------------------------------------------------------- environment ---- */

void process_keep_variables(struct process_table *t, const struct str *names, size_t n)
{
        t->variables = names;
        t->n_variables = n;
        t->variables_round++;
}

struct str environment_find(struct str environment, struct str name)
{
        while (environment.n) {
                struct str value = str_cut(&environment, '\0');
                struct str key = str_cut(&value, '=');
                if (str_eq(key, name))
                        return value.p ? value : STR("");
        }
        return STR_NONE;
}

static bool is_kept(const struct process_table *t, struct str name)
{
        for (size_t i = 0; i < t->n_variables; i++)
                if (str_eq(t->variables[i], name))
                        return true;
        return false;
}

bool process_variable(const struct process_table *t, const struct process *p, struct str name, struct str *ret)
{
        if (p->program->variables_round != t->variables_round || !is_kept(t, name))
                return false;
        *ret = environment_find(p->program->variables, name);
        return true;
}

static void keep_variables(const struct process_table *t, struct str environment, struct buf *kept)
{
        for (size_t i = 0; i < t->n_variables; i++) {
                struct str value = environment_find(environment, t->variables[i]);
                if (!value.p)
                        continue;
                buf_printf(kept, "%.*s=%.*s", STR_FMT(t->variables[i]), STR_FMT(value));
                buf_putc(kept, '\0');
        }
}

/* ---------------------------------------------------------------------------------------------------- events ---- */

/* As the kernel's permission check has it, without ACLs. */
static bool may_write(const struct observe_exec *x)
{
        unsigned bit = x->euid == x->exe_uid ? S_IWUSR : x->gid == x->exe_gid ? S_IWGRP : S_IWOTH;
        return x->exe_mode & bit || x->euid == x->exe_uid || x->cap_effective >> CAP_DAC_OVERRIDE & 1;
}

static struct process *apply_exec(struct process_table *t, const struct event *e)
{
        const struct observe_exec *x = &e->exec;
        struct process *p = process_get(t, e->head.pid);
        if (!p)
                return NULL;
        _cleanup_(buf_done) struct buf kept = BUF_INIT(OBSERVE_ENV_MAX);
        keep_variables(t, e->env, &kept);
        p->round = t->round;
        p->ppid = x->ppid;
        p->vpid = x->vpid;
        p->sid = x->sid;
        p->pgid = x->pgid;
        p->vpgid = x->vpgid;
        p->tty = x->tty;
        p->uid = x->uid;
        p->euid = x->euid;
        p->gid = x->gid;
        p->loginuid = x->loginuid;
        p->started_ns = e->head.started;
        p->init_started_ns = x->init_started;
        p->cap_effective = x->cap_effective;
        p->cap_permitted = x->cap_permitted;
        p->cap_inheritable = x->cap_inheritable;
        p->cgroup_id = x->cgroup_id;
        memcpy(p->comm, x->comm, sizeof(p->comm));
        process_set_program(p, &(struct program){ .is_known = true,
                                                  .layer = e->layer,
                                                  .is_deleted = e->facts.is_deleted,
                                                  .is_outside = !e->facts.in_other_mounts,
                                                  .is_writable = may_write(x),
                                                  .ino = x->exe_ino,
                                                  .ctime_ns = x->exe_ctime_ns,
                                                  .mtime_ns = x->exe_mtime_ns,
                                                  .dev = x->exe_dev,
                                                  .exe_path = e->exe_path,
                                                  .args = e->args,
                                                  .cwd = e->cwd,
                                                  .variables = buf_str(&kept),
                                                  .variables_round = e->env.n ? t->variables_round : 0 });
        return p;
}

static struct process *apply_fork(struct process_table *t, const struct event *e)
{
        const struct observe_fork *f = &e->fork;
        const struct process *parent = process_find(t, f->ppid);
        struct process *p = process_get(t, e->head.pid);
        if (!p)
                return NULL;
        if (parent && parent != p) {
                struct program *shared = parent->program;
                shared->refs++;
                program_release(p->program);
                p->program = shared;
                p->sid = parent->sid;
                p->pgid = parent->pgid;
                p->vpgid = parent->vpgid;
                p->init_started_ns = parent->init_started_ns;
                p->cap_effective = parent->cap_effective;
                p->cap_permitted = parent->cap_permitted;
                p->cap_inheritable = parent->cap_inheritable;
                p->tty = parent->tty;
                p->euid = parent->euid;
                p->loginuid = parent->loginuid;
        }
        p->ppid = f->ppid;
        p->vpid = f->vpid;
        p->uid = f->uid;
        p->gid = f->gid;
        p->started_ns = e->head.started;
        p->cgroup_id = f->cgroup_id;
        memcpy(p->comm, f->comm, sizeof(p->comm));
        return p;
}

bool process_is_same_start(uint64_t a, uint64_t b) { return (a > b ? a - b : b - a) < UINT64_C(20000000); }

struct process *process_apply(struct process_table *t, const struct event *e)
{
        struct process *known = process_find(t, e->head.pid);
        switch (e->kind) {
        case OBSERVE_EXEC:
                return apply_exec(t, e);
        case OBSERVE_FORK:
                /* The filling saw it already, and perhaps what it has run since. */
                if (known && process_is_same_start(known->started_ns, e->head.started))
                        return known;
                return apply_fork(t, e);
        case OBSERVE_EXIT:
                if (known && process_is_same_start(known->started_ns, e->head.started))
                        process_forget(t, e->head.pid);
                return NULL;
        case OBSERVE_CALL: /* the name may be another by now; filters compare the one of the event */
                if (known && !(e->call.flags & OBSERVE_CALL_HOOK))
                        memcpy(known->comm, e->call.comm, sizeof(known->comm));
                return known;
        case OBSERVE_KINDS:
                break;
        }
        return NULL;
}
