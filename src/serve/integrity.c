/*
 * The part `integrity`: files that must not change, on the host and in containers. At the start they are compared with
 * the baseline (what changed while nobody looked), then every event of a watched file is looked into (who changed
 * what), and now and then all of them are looked at again, for what no event told. Each change is told once; the
 * baseline stays as it was approved: `sekisho integrity baseline` approves.
 *
 * A container has a baseline from when the agent first meets it until it ends.
 *
 * Whole scopes and large files are looked at by a child, one after the other (integrity-looks.c); what an event tells
 * of a scope before its first look is over waits for it.
 */
#include "serve/integrity-private.h"

#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EVERY      (600 * INTEGRITY_SECOND) /* between two looks at everything */
#define ALERTS_MAX 200u                     /* of one look; the rest is told as a number */
#define DIFFS_MAX  20u                      /* of one look; each is waited for */
#define INLINE_MAX ((off_t)1 << 20)         /* bytes of a file that is digested between two events */

int integrity_open_root(struct integrity *g, struct str scope)
{
        char path[64];
        struct stat st;
        if (str_is(scope, INTEGRITY_HOST))
                return open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        for (size_t i = 0; i < g->v.n; i++) {
                const struct checked_container *c = &g->v.v[i];
                if (!str_is(scope, c->id))
                        continue;
                snprintf(path, sizeof(path), "/proc/%u/root", c->pid);
                int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (fd >= 0 && (fstat(fd, &st) < 0 || st.st_dev != c->root_dev || st.st_ino != c->root_ino))
                        fd = close_fd(fd);
                return fd;
        }
        return -1;
}

static struct checked_container *find(struct integrity *g, uint64_t cgroup_id)
{
        for (size_t i = 0; i < g->v.n; i++)
                if (g->v.v[i].cgroup_id == cgroup_id)
                        return &g->v.v[i];
        return NULL;
}

/* ----------------------------------------------------------------------------------------------------- telling ---- */

static const struct container_entry *container_of(struct integrity *g, struct str scope)
{
        for (size_t i = 0; i < g->v.n; i++)
                if (str_is(scope, g->v.v[i].id))
                        return container_known(&g->a->containers, g->v.v[i].cgroup_id);
        return NULL;
}

/* The diff of a change of content, or why there is none. */
static void diff(struct integrity *g, struct str scope, const struct integrity_change *x, struct arena *arena,
                 struct str *ret_diff, const char **ret_why)
{
        *ret_diff = STR_NONE;
        *ret_why = NULL;
        if (!x->before || !x->after)
                return;
        _cleanup_(closep) int root = integrity_open_root(g, scope);
        if (g->told > DIFFS_MAX)
                *ret_why = "too many files changed at once";
        else
                integrity_diff(&g->differ, &g->contents, root, x->before, x->after, arena, ret_diff, ret_why);
}

static struct str words_of(const struct integrity_who *who, struct arena *arena)
{
        return who->is_known ? arena_printf(arena, "by %.*s, pid %u, uid %u", STR_FMT(who->exe), who->pid, who->uid)
               : who->pid    ? arena_printf(arena, "by pid %u, which is not known", who->pid)
                             : arena_printf(arena, "%s", who->when);
}

void integrity_tell(struct integrity *g, struct str scope, const struct integrity_change *x,
                    const struct integrity_who *who)
{
        static const char *const tags[] = { "integrity", "T1565.001", "NIST-800-190:4.4.4", NULL };
        struct str path = x->after ? x->after->path : x->before->path, text;
        const char *why;
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        if (g->told++ >= ALERTS_MAX) {
                g->silent++;
                return;
        }
        diff(g, scope, x, &arena, &text, &why);
        const struct alert_field extras[] = {
                { "fd.name", value_string(path) },
                { "integrity.change", value_string(x->words) },
                { "integrity.diff", value_string_or_absent(text) },
                { "integrity.no_diff", why ? value_string(str_of(why)) : value_absent() },
                { "container.id", value_string(scope) },
                { "proc.pid", who->pid ? value_number(who->pid) : value_absent() },
                { "proc.exepath", value_string_or_absent(who->exe) },
                { "user.uid", who->is_known ? value_number(who->uid) : value_absent() },
        };
        agent_emit(g->a, &(struct alert){ .rule_name = "File changed",
                                          .tags = tags,
                                          .priority = PRIORITY_WARNING,
                                          .source = "syscall",
                                          .time_ns = who->time_ns,
                                          .output = arena_printf(&arena, "%.*s: %.*s (%.*s) container=%.*s",
                                                                 STR_FMT(path), STR_FMT(x->words),
                                                                 STR_FMT(words_of(who, &arena)), STR_FMT(scope)),
                                          .extras = extras,
                                          .n_extras = ARRAY_SIZE(extras),
                                          .process = who->process,
                                          .container = container_of(g, scope) });
}

void integrity_end_of_look(struct integrity *g, struct str scope)
{
        if (g->silent)
                agent_tell(g->a, "%zu more files of %.*s have changed: sekisho integrity check", g->silent,
                           STR_FMT(scope));
        g->told = g->silent = 0;
}

/* ------------------------------------------------------------------------------------------------------ events ---- */

bool integrity_has_rules_for(const struct integrity *g, bool in_containers)
{
        for (size_t i = 0; i < g->config.rules.n; i++)
                if (g->config.rules.v[i].in_containers == in_containers)
                        return true;
        return false;
}

static void on_container(void *state, struct container_entry *e)
{
        struct integrity *g = state;
        struct stat st;
        char path[64];
        snprintf(path, sizeof(path), "/proc/%llu/root", (unsigned long long)e->facts.pid);
        if (!integrity_has_rules_for(g, true) || find(g, e->cgroup_id))
                return;
        if (e->facts.pid == 0 || e->facts.pid > INT32_MAX || stat(path, &st) < 0) {
                agent_tell(g->a, "integrity of container %.*s is not checked: its first process is not known",
                           STR_FMT(e->id));
                return;
        }
        *vec_push(&g->v) = (struct checked_container){ e->cgroup_id, str_dup(e->id), (uint32_t)e->facts.pid, st.st_dev,
                                                       st.st_ino };
        integrity_look_later(g, e->id, LOOK_FIRST);
}

static void on_container_end(void *state, uint64_t cgroup_id)
{
        struct integrity *g = state;
        struct checked_container *c = find(g, cgroup_id);
        if (!c)
                return;
        integrity_forget_looks(g, str_of(c->id));
        integrity_remove_scope(&g->current, str_of(c->id));
        integrity_remove_scope(&g->approved, str_of(c->id));
        integrity_look_later(g, STR_NONE, LOOK_SAVE);
        free(c->id);
        *c = g->v.v[--g->v.n];
}

void integrity_found(struct integrity *g, struct str scope, struct str path, const struct integrity_entry *now,
                     const struct integrity_who *who)
{
        const struct integrity_rule *rule = integrity_rule_of(&g->config, path, !str_is(scope, INTEGRITY_HOST));
        const struct integrity_entry *before = integrity_find(&g->current, scope, path);
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        if (!rule)
                return;
        struct integrity_change x = { before, now, STR_NONE };
        x.words = now && before ? integrity_difference(rule, before, now, &arena)
                  : now         ? STR("added")
                  : before      ? STR("removed")
                                : STR_NONE;
        bool is_directory = (now && S_ISDIR(now->mode)) || (before && S_ISDIR(before->mode));
        if (x.words.n)
                integrity_tell(g, scope, &x, who);
        if (now)
                integrity_put(&g->current, now);
        else if (before)
                integrity_remove(&g->current, scope, path);
        if (is_directory)
                g->next_ns = 0; /* all that is below it went or came with it */
        g->told = g->silent = 0;
}

static bool is_large(int root, struct str path)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        _cleanup_(closep) int fd = open_in_root(root, arena_cstr(&arena, path), O_PATH | O_NOFOLLOW);
        struct stat st;
        return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > INLINE_MAX;
}

/* What became of one path by this event. */
static void look_into(struct integrity *g, struct str scope, int root, struct str path, const struct integrity_who *who)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct integrity_entry now;
        if (!integrity_rule_of(&g->config, path, !str_is(scope, INTEGRITY_HOST)))
                return;
        if (integrity_is_waiting(g, scope) || is_large(root, path)) {
                integrity_look_at_later(g, scope, path, who);
                return;
        }
        integrity_touched(g, scope, path);
        bool is_there = integrity_look_at(&g->config, scope, root, path, &arena, &now);
        integrity_found(g, scope, path, is_there ? &now : NULL, who);
}

static struct integrity_who who_did(const struct event_record *r)
{
        const struct process *p = r->process;
        return (struct integrity_who){ .is_known = p,
                                       .pid = r->event->head.pid,
                                       .uid = p ? p->uid : 0,
                                       .exe = p ? p->program->exe_path : STR_NONE,
                                       .time_ns = r->boot_ns + (int64_t)r->event->head.time_ns,
                                       .process = p };
}

/* Of file events the paths are those of the host, or of the container's root, whole. */
static void on_event(void *state, const struct event_record *r)
{
        struct integrity *g = state;
        const struct event *e = r->event;
        if (e->kind != OBSERVE_CALL || !(e->call.flags & OBSERVE_CALL_HOOK))
                return;
        struct checked_container *c = r->container ? find(g, r->container->cgroup_id) : NULL;
        if (r->container && !c)
                return;
        struct str scope = c ? str_of(c->id) : STR(INTEGRITY_HOST);
        struct integrity_who who = who_did(r);
        _cleanup_(closep) int root = integrity_open_root(g, scope);
        for (size_t i = 0; i < ARRAY_SIZE(e->path) && root >= 0; i++)
                if (e->path[i].n && e->path[i].p[0] == '/')
                        look_into(g, scope, root, e->path[i], &who);
}

static void tick(void *state, int64_t now_ns)
{
        struct integrity *g = state;
        integrity_next_look(g);
        if (now_ns < g->next_ns && g->losses == g->a->file_losses)
                return;
        g->losses = g->a->file_losses;
        g->next_ns = now_ns + EVERY;
        if (integrity_has_rules_for(g, false))
                integrity_look_later(g, STR(INTEGRITY_HOST), LOOK_AGAIN);
        for (size_t i = 0; i < g->v.n; i++)
                integrity_look_later(g, str_of(g->v.v[i].id), LOOK_AGAIN);
}

/* -------------------------------------------------------------------------------------------------------- part ---- */

static void stop(void *state)
{
        struct integrity *g = state;
        integrity_end_looks(g);
        for (size_t i = 0; i < g->v.n; i++)
                free(g->v.v[i].id);
        vec_done(&g->v);
        integrity_differ_end(&g->differ);
        integrity_contents_close(&g->contents);
        integrity_config_done(&g->config);
        integrity_set_done(&g->approved);
        integrity_set_done(&g->current);
        free(g);
}

static int watch_all(struct integrity *g, struct error *err)
{
        int r = 0;
        for (size_t i = 0; i < g->config.rules.n && r == 0; i++) {
                const struct integrity_rule *rule = &g->config.rules.v[i];
                _cleanup_(arena_done) struct arena arena = ARENA_INIT;
                struct str text = arena_printf(&arena, "%s%.*s", rule->in_containers ? "container:" : "",
                                               STR_FMT(rule->path.n ? rule->path : STR("/")));
                r = watch_paths_add(&g->a->watched, text.p, err);
        }
        return r;
}

/* Without a place for them there are no diffs, and all else goes on. */
static void open_contents(struct integrity *g)
{
        const struct integrity_set *approved = &g->approved;
        struct error err = ERROR_NONE;
        if (integrity_contents_open(&g->contents, g->path, &err) < 0)
                agent_tell(g->a, "alerts of changed files have no diffs: %s", err.text);
        else
                integrity_contents_prune(&g->contents, &approved, 1);
        if (integrity_differ_start(&g->differ, &err) < 0)
                agent_tell(g->a, "alerts of changed files have no diffs: %s", err.text);
        g->config.keep = &g->contents;
}

static int start(struct agent *a, void **ret, struct error *err)
{
        const struct files_options *o = &a->o->files;
        if (!o->integrity)
                return 0;
        struct integrity *g = xcalloc(1, sizeof(*g));
        *g = (struct integrity){
                .a = a, .path = o->baseline ? o->baseline : INTEGRITY_BASELINE, .contents.dir = -1, .child.fd = -1
        };
        *ret = g;
        int r = integrity_config_read(&g->config, o->integrity, err);
        if (r == 0)
                r = watch_all(g, err);
        if (r == 0) {
                r = integrity_set_read(&g->approved, g->path, err);
                r = r == -ENOENT ? 0 : r;
        }
        if (r < 0)
                return error_prefix(err, r, "--integrity");
        open_contents(g);
        if (integrity_has_rules_for(g, false))
                integrity_look_later(g, STR(INTEGRITY_HOST), LOOK_FIRST);
        g->next_ns = agent_now_ns(CLOCK_MONOTONIC) + EVERY;
        return 0;
}

const struct agent_part part_integrity = {
        .name = "integrity",
        .start = start,
        .on_event = on_event,
        .on_container = on_container,
        .on_container_end = on_container_end,
        .tick = tick,
        .stop = stop,
};
