/*
 * Reports of the guard's processes become alerts, or words for the operator. Input: messages of our own processes, some
 * of which have read what containers wrote: decoded with bounds, and what does not decode is dropped.
 */
#include "serve/guard-agent.h"

#include "base/fs.h"

#define WORDS_MAX 2048

static const struct kind {
        const char *event, *rule;
        enum rule_priority priority;
        const char *words;
} kinds[] = {
        { "malware", "Malware on access", PRIORITY_CRITICAL, "malware" },
        { "suspicious", "Suspicious file on access", PRIORITY_WARNING, "a suspicious file" },
        { "late", "File not looked at in time", PRIORITY_WARNING, "a file was wanted before it could be looked at" },
        { "writer", "Program executed while it can be written", PRIORITY_WARNING,
          "a program was executed while somebody had it open for writing" },
        { "incomplete", "File not wholly looked at", PRIORITY_NOTICE, "a file could not be looked at in full" },
        { "cleared", "Restored file used", PRIORITY_NOTICE, "a file that was restored was found again, and let be" },
        { "restarted", "Guard restarted", PRIORITY_ERROR, "part of the guard died" },
        { "unanswered", "Files denied without a look", PRIORITY_WARNING, "files were denied without a look" },
        { "unleased", "Files looked at each time", PRIORITY_NOTICE, "a file cannot be remembered as clean" },
        { "dropped", "Files not looked at", PRIORITY_WARNING, "files were not looked at" },
};

static const struct kind *kind_of(struct str event)
{
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (str_is(event, kinds[i].event))
                        return &kinds[i];
        return NULL;
}

static bool has(const struct str_list *l, const char *word)
{
        for (size_t i = 0; i < l->n; i++)
                if (str_is(l->v[i], word))
                        return true;
        return false;
}

static enum alert_action action_of(const struct str_list *actions)
{
        static const struct {
                const char *name;
                enum alert_action action;
        } table[] = { { "killed", ALERT_KILLED },          { "frozen", ALERT_FROZEN },
                      { "denied", ALERT_DENIED },          { "quarantined", ALERT_QUARANTINED },
                      { "would-deny", ALERT_WOULD_ACT },   { "would-kill", ALERT_WOULD_ACT },
                      { "would-freeze", ALERT_WOULD_ACT }, { "would-quarantine", ALERT_WOULD_ACT } };
        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (has(actions, table[i].name))
                        return table[i].action;
        return ALERT_NOTHING;
}

static struct str joined(struct arena *arena, const struct str_list *l, const char *between)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(WORDS_MAX);
        for (size_t i = 0; i < l->n; i++)
                buf_printf(&b, "%s%.*s", i ? between : "", STR_FMT(l->v[i]));
        return arena_str(arena, buf_str(&b));
}

static struct str output_of(struct arena *arena, const struct kind *kind, const struct fact_guarded *f)
{
        struct buf b = BUF_INIT((size_t)WORDS_MAX * 8);
        buf_puts(&b, kind->words);
        if (f->rule.n)
                buf_printf(&b, " %.*s", STR_FMT(f->rule));
        if (f->path.n)
                buf_printf(&b, ": %.*s%s%.*s", STR_FMT(f->path), f->members.n ? "!" : "", STR_FMT(f->members));
        if (f->access.n)
                buf_printf(&b, " (%.*s", STR_FMT(f->access));
        if (f->process.n)
                buf_printf(&b, " by %.*s, pid %llu", STR_FMT(f->process), (unsigned long long)f->pid);
        if (f->access.n)
                buf_putc(&b, ')');
        if (f->container_name.n || f->container_id.n)
                buf_printf(&b, " in container %.*s",
                           STR_FMT(f->container_name.n ? f->container_name : f->container_id));
        if (f->actions.n)
                buf_printf(&b, ": %.*s", STR_FMT(joined(arena, &f->actions, ", ")));
        if (f->quarantine.n)
                buf_printf(&b, " as %.*s", STR_FMT(f->quarantine));
        if (f->detail.n)
                buf_printf(&b, "; %.*s", STR_FMT(f->detail));
        struct str s = arena_str(arena, buf_str(&b));
        buf_done(&b);
        return s;
}

/* 0: not known. */
static void add_number(struct alert_fields *e, const char *name, uint64_t n)
{
        if (n)
                alert_add_number(e, name, n);
}

static void fill_extras(struct alert_fields *e, const struct fact_guarded *f, struct arena *arena)
{
        char digest[QUARANTINE_DIGEST] = "";
        if (f->sha256.n == 32)
                quarantine_hex(f->sha256, digest);
        alert_add_text(e, "guard.event", f->event);
        alert_add_text(e, "guard.access", f->access);
        alert_add_text(e, "guard.actions", joined(arena, &f->actions, " "));
        alert_add_text(e, "fd.name", f->path);
        alert_add_text(e, "file.host_path", f->host_path);
        alert_add_text(e, "file.sha256", arena_str(arena, str_of(digest)));
        add_number(e, "file.size", f->size);
        alert_add_text(e, "malware.engine", f->engine);
        alert_add_text(e, "malware.rule", f->rule);
        alert_add_text(e, "malware.family", f->family);
        alert_add_text(e, "malware.description", f->description);
        alert_add_text(e, "malware.members", f->members);
        alert_add_text(e, "malware.tags", joined(arena, &f->tags, " "));
        add_number(e, "proc.pid", f->pid);
        alert_add_text(e, "proc.name", f->process);
        alert_add_text(e, "proc.exepath", f->exe);
        alert_add_text(e, "proc.cmdline", f->cmdline);
        alert_add_text(e, "proc.chain", joined(arena, &f->chain, " <- "));
        alert_add_text(e, "container.id", f->container_id);
        alert_add_text(e, "container.name", f->container_name);
        alert_add_text(e, "container.image", f->image);
        alert_add_text(e, "container.engine", f->container_engine);
        alert_add_text(e, "guard.quarantine", f->quarantine);
        add_number(e, "guard.count", f->count);
        alert_add_text(e, "guard.detail", f->detail);
}

/* The agent has seen the container begin: where no file speaks of it any more, it may know it. */
static void complete(struct guard *g, struct fact_guarded *f, struct alert *alert)
{
        alert->process = f->pid && f->pid <= UINT32_MAX ? process_find(&g->agent->processes, (uint32_t)f->pid) : NULL;
        if (!alert->process)
                return;
        const struct container_entry *c = container_known(&g->agent->containers, alert->process->cgroup_id);
        alert->container = c;
        if (!c || f->container_name.n)
                return;
        f->container_id = c->id;
        f->container_name = c->facts.name;
        f->image = c->facts.image;
}

static void alert_of(struct guard *g, const struct kind *kind, struct fact_guarded *f, struct arena *arena)
{
        static const char *const tags[] = { "NIST-800-190:4.4.4", NULL };
        struct alert_fields extras = { .n = 0 };
        struct alert alert = { .rule_name = kind->rule,
                               .tags = tags,
                               .priority = kind->priority,
                               .source = "guard",
                               .action = action_of(&f->actions) };
        complete(g, f, &alert);
        fill_extras(&extras, f, arena);
        alert.output = output_of(arena, kind, f);
        alert.extras = extras.v;
        alert.n_extras = extras.n;
        agent_emit(g->agent, &alert);
}

/* What is no alert. */
static void take_word(struct guardian_process *p, const struct fact_guarded *f)
{
        struct guard *g = p->guard;
        if (str_is(f->event, "ahead")) {
                agent_tell(g->agent, "guard: looked ahead at %llu files %.*s", (unsigned long long)f->count,
                           STR_FMT(f->detail));
                *g->n_walks += 1;
                *g->n_ahead += f->count;
        } else if (str_is(f->event, "ended")) {
                agent_tell(g->agent, "guard: ended, after %llu looks at files", (unsigned long long)f->count);
        } else if (str_is(f->event, "handed-over") && p == g->guardian) {
                guard_handed_over(g);
        }
}

static void on_report(struct guardian_process *p, struct str bytes)
{
        struct arena arena = ARENA_INIT;
        struct fact_guarded f;
        struct cursor c = cursor_from(bytes);
        if (fact_decode(FACT_guarded, &c, &arena, &f) && cursor_at_end(&c)) {
                const struct kind *kind = kind_of(f.event);
                if (kind)
                        alert_of(p->guard, kind, &f, &arena);
                else
                        take_word(p, &f);
        }
        arena_done(&arena);
}

void guard_reports(struct guardian_process *p)
{
        char bytes[MESSAGE_MAX];
        int fds[MESSAGE_FDS_MAX];
        ssize_t n = -1;
        while (p->report_fd >= 0 && (n = message_take(p->report_fd, bytes, sizeof(bytes), fds)) > 0)
                on_report(p, str_span(bytes, (size_t)n));
        if (p->report_fd >= 0 && n == 0) /* all who could report have ended; the guardian's end is another source */
                agent_remove_source(p->guard->agent, p->report_fd);
}
