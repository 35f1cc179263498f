/* A finding of drift as an alert: what was about to run, what it is to the image, and what was done. */
#include "serve/drift-private.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const execution_tags[] = { "T1204", "NIST-800-190:4.4.4", NULL };
static const char *const library_tags[] = { "T1574.006", "T1129", "NIST-800-190:4.4.4", NULL };
static const char *const script_tags[] = { "T1059", "NIST-800-190:4.4.4", NULL };
static const char *const connect_tags[] = { "T1071", "NIST-800-190:4.4.2", NULL };
static const char *const ptrace_tags[] = { "T1055.008", "NIST-800-190:4.4.4", NULL };
static const char *const bpf_tags[] = { "T1014", "NIST-800-190:4.4.4", NULL };
static const char *const log_tags[] = { "T1070.002", "NIST-800-190:4.4.4", NULL };

static const struct {
        const char *name, *rule;
        const char *const *tags;
} acts[GUARD_ACTS] = {
        [GUARD_EXEC] = { "exec", "Drift: program is not of the image", execution_tags },
        [GUARD_MAP] = { "map", "Drift: code is not of the image", library_tags },
        [GUARD_SCRIPT] = { "script", "Drift: script is not of the image", script_tags },
        [GUARD_CONNECT] = { "connect", "Connection forbidden", connect_tags },
        [GUARD_PTRACE] = { "ptrace", "Tracing forbidden", ptrace_tags },
        [GUARD_BPF] = { "bpf", "BPF forbidden", bpf_tags },
        [GUARD_REMOVE] = { "remove", "Guarded log tampered with", log_tags },
        [GUARD_RENAME] = { "rename", "Guarded log tampered with", log_tags },
        [GUARD_LINK] = { "link", "Guarded log tampered with", log_tags },
        [GUARD_TRUNCATE] = { "truncate", "Guarded log tampered with", log_tags },
        [GUARD_OVERWRITE] = { "overwrite", "Guarded log tampered with", log_tags },
};

static const char *const verdict_names[GUARD_VERDICTS] = {
        [GUARD_FINE] = "fine",       [GUARD_DROPPED] = "dropped",   [GUARD_CHANGED] = "changed",
        [GUARD_MEMFD] = "memfd",     [GUARD_TMPFS] = "tmpfs",       [GUARD_MOUNTED] = "mounted",
        [GUARD_DELETED] = "deleted", [GUARD_UNLISTED] = "unlisted", [GUARD_FORBIDDEN] = "forbidden",
};

static const char *const verdict_words[GUARD_VERDICTS] = {
        [GUARD_FINE] = "is of the image",
        [GUARD_DROPPED] = "is not in the image: it was made since the container was",
        [GUARD_CHANGED] = "was changed since the scan",
        [GUARD_MEMFD] = "is an anonymous file in memory",
        [GUARD_TMPFS] = "is in a file system in memory",
        [GUARD_MOUNTED] = "is on a volume or another mount, not in the image",
        [GUARD_DELETED] = "was deleted",
        [GUARD_UNLISTED] = "is not in the manifest",
        [GUARD_FORBIDDEN] = "is forbidden here",
};

static const char *const answer_words[] = {
        [GUARD_TOLD] = "it ran",
        [GUARD_KILLED] = "the process was killed",
        [GUARD_KILL_FAILED] = "the process could not be killed",
        [GUARD_DENIED] = "it was denied",
};

static enum rule_priority priority_of(const struct finding *f)
{
        if (f->answer == GUARD_KILLED || f->answer == GUARD_KILL_FAILED || f->answer == GUARD_DENIED)
                return PRIORITY_CRITICAL;
        return f->mode == GUARD_LOG ? PRIORITY_INFORMATIONAL : PRIORITY_WARNING;
}

static enum alert_action action_of(enum guard_answer answer, bool is_late)
{
        return answer == GUARD_KILLED        ? (is_late ? ALERT_KILLED_AFTER : ALERT_KILLED)
               : answer == GUARD_KILL_FAILED ? ALERT_KILL_FAILED
               : answer == GUARD_DENIED      ? ALERT_DENIED
                                             : ALERT_NOTHING;
}

/* What the manifest knows of the file, by its number or by where it stands; NULL: nothing. */
static const struct manifest_file *listed(const struct finding *f, const struct drift_container *g)
{
        if (!g || !g->list || f->verdict == GUARD_FORBIDDEN)
                return NULL;
        size_t i = f->verdict == GUARD_CHANGED ? drift_list_by_ino(g->list, f->ino) : SIZE_MAX;
        if (i == SIZE_MAX && (f->verdict == GUARD_CHANGED || f->verdict == GUARD_DROPPED))
                i = drift_list_by_path(g->list, f->path);
        return i == SIZE_MAX ? NULL : &g->list->manifest->files[i];
}

static const char *protection_of(const struct drift_container *g)
{
        return !g ? "layers" : g->list ? "manifest" : g->has_layers ? "layers" : "mounts";
}

static struct str words_of(const struct finding *f, const struct container_entry *c, const struct manifest_file *m,
                           struct arena *arena)
{
        struct buf b = BUF_INIT(8192);
        struct str container = c ? (c->facts.name.n ? c->facts.name : c->id) : STR("(not known yet)");
        if (f->act == GUARD_CONNECT)
                buf_printf(&b, "connection to %.*s %s", STR_FMT(f->address), verdict_words[f->verdict]);
        else if (f->act == GUARD_PTRACE || f->act == GUARD_BPF)
                buf_printf(&b, "%s %s", acts[f->act].name, verdict_words[f->verdict]);
        else if (f->verdict == GUARD_FORBIDDEN)
                buf_printf(&b, "%s of %.*s, which may only grow", acts[f->act].name, STR_FMT(f->path));
        else if (m && f->verdict == GUARD_DROPPED)
                buf_printf(&b, "%.*s stands in the place of a file", STR_FMT(f->path));
        else
                buf_printf(&b, "%.*s %s", STR_FMT(f->path), verdict_words[f->verdict]);
        if (m && m->package.n)
                buf_printf(&b, ", of package %.*s in layer %llu", STR_FMT(m->package), (unsigned long long)m->layer);
        else if (m)
                buf_printf(&b, ", of layer %llu", (unsigned long long)m->layer);
        buf_printf(&b, "; %s%s (program %.*s, pid %u, container %.*s%s%.*s)",
                   f->answer == GUARD_TOLD && f->act > GUARD_SCRIPT ? "told" : answer_words[f->answer],
                   f->answer == GUARD_KILLED && f->is_late ? " after it had begun" : "", STR_FMT(f->program), f->pid,
                   STR_FMT(container), c && c->facts.image.n ? ", image " : "", STR_FMT(c ? c->facts.image : STR_NONE));
        struct str ret = arena_str(arena, buf_str(&b));
        buf_done(&b);
        return ret;
}

static struct str hex(const uint8_t *p, size_t n, struct arena *arena)
{
        char *to = arena_alloc(arena, 2 * n + 1);
        for (size_t i = 0; i < n; i++)
                snprintf(to + 2 * i, 3, "%02x", p[i]);
        return str_span(to, 2 * n);
}

static void emit(struct drift *d, const struct finding *f, const struct container_entry *c,
                 const struct drift_container *g)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        const struct manifest_file *m = listed(f, g);
        const struct process *p = process_find(&d->agent->processes, f->pid);
        struct alert_fields list = { .n = 0 };
        alert_add_text(&list, "drift.act", str_of(acts[f->act].name));
        alert_add_text(&list, "drift.verdict", str_of(verdict_names[f->verdict]));
        alert_add_text(&list, "drift.mode", str_of(guard_mode_names[f->mode]));
        if (f->verdict != GUARD_FORBIDDEN)
                alert_add_text(&list, "drift.protection", str_of(protection_of(g)));
        alert_add_text(&list, "drift.file", f->path);
        if (m) {
                alert_add_text(&list, "drift.package", m->package);
                alert_add_number(&list, "drift.layer", m->layer);
                alert_add_text(&list, "drift.sha256", hex(m->sha256, sizeof(m->sha256), &arena));
        }
        alert_add_text(&list, "fd.rip", f->address);
        alert_add_text(&list, "proc.name", f->program);
        alert_add_number(&list, "proc.pid", f->pid);
        if (p && p->started_ns == f->started && p->program)
                alert_add_text(&list, "proc.exepath", p->program->exe_path);
        alert_add_number(&list, "user.uid", f->uid);
        if (c) {
                alert_add_text(&list, "container.id", c->id);
                alert_add_text(&list, "container.name", c->facts.name);
                alert_add_text(&list, "container.image", c->facts.image);
        }
        agent_emit(d->agent, &(struct alert){ .rule_name = acts[f->act].rule,
                                              .tags = acts[f->act].tags,
                                              .priority = priority_of(f),
                                              .source = "drift",
                                              .time_ns = d->agent->boot_ns + (int64_t)f->time_ns,
                                              .output = words_of(f, c, m, &arena),
                                              .action = action_of(f->answer, f->is_late),
                                              .extras = list.v,
                                              .n_extras = list.n,
                                              .process = p && p->started_ns == f->started ? p : NULL,
                                              .container = c });
}

/* What was enforced is told each time. */
void drift_report(struct drift *d, const struct finding *f, const struct container_entry *c,
                  const struct drift_container *guarded)
{
        if (limiter_is_full(&d->limiter)) {
                drift_report_held(d, true);
                limiter_clear(&d->limiter);
        }
        if (f->answer == GUARD_TOLD &&
            !limiter_pass(&d->limiter, f->act, c ? c->id : STR("?"), agent_now_ns(CLOCK_MONOTONIC))) {
                d->agent->counts.held++;
                return;
        }
        emit(d, f, c, guarded);
}

void drift_report_held(struct drift *d, bool all)
{
        const struct limit_pair *p;
        uint64_t held;
        while ((p = limiter_take_held(&d->limiter, agent_now_ns(CLOCK_MONOTONIC), all, &held))) {
                _cleanup_(arena_done) struct arena arena = ARENA_INIT;
                struct str words = arena_printf(&arena, "%llu more of \"%s\" in container %s were held back",
                                                (unsigned long long)held, acts[p->rule].rule, p->container);
                struct alert_field field = { "held", value_number((int64_t)held) };
                agent_emit(d->agent, &(struct alert){ .rule_name = "Alerts held back",
                                                      .priority = PRIORITY_WARNING,
                                                      .source = "internal",
                                                      .output = words,
                                                      .extras = &field,
                                                      .n_extras = 1 });
        }
}

enum guard_answer drift_kill(uint32_t pid, uint64_t started, const struct process_table *processes)
{
        int fd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (fd < 0)
                return errno == ESRCH ? GUARD_TOLD : GUARD_KILL_FAILED;
        const struct process *p = process_find(processes, pid);
        bool is_it = !p || p->started_ns == started;
        int r = is_it ? (int)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) : 0;
        close(fd);
        return !is_it ? GUARD_TOLD : r == 0 ? GUARD_KILLED : GUARD_KILL_FAILED;
}
