/*
 * The part `integrity`: files that must not change, on the host and in containers. At the start they are compared with
 * the baseline (what changed while nobody looked), then every event of a watched file is looked into (who changed
 * what), and now and then all of them are looked at again, for what no event told. Each change is told once; the
 * baseline stays as it was approved: `sekisho integrity baseline` approves.
 *
 * A container has a baseline from when the agent first meets it until it ends.
 */
#include "flow/integrity.h"

#include "base/fs.h"
#include "serve/agent-private.h"
#include "serve/record-private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECOND     INT64_C(1000000000)
#define EVERY      (600 * SECOND) /* between two looks at everything */
#define ALERTS_MAX 200u           /* of one look; the rest is told as a number */

struct checked_container {
        uint64_t cgroup_id;
        char *id;
        uint32_t pid; /* that has its root */
        dev_t root_dev;
        ino_t root_ino;
};

struct integrity {
        struct agent *a;
        const char *path; /* of the baseline */
        struct integrity_config config;
        struct integrity_set approved, current;
        VEC(struct checked_container) v;
        int64_t next_ns;
        unsigned losses;     /* that were followed by a look at everything */
        size_t told, silent; /* of one look */
};

static int open_host(void) { return open("/", O_PATH | O_DIRECTORY | O_CLOEXEC); }

static int open_container(const struct checked_container *c)
{
        char path[64];
        struct stat st;
        snprintf(path, sizeof(path), "/proc/%u/root", c->pid);
        int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0 && (fstat(fd, &st) < 0 || st.st_dev != c->root_dev || st.st_ino != c->root_ino))
                fd = close_fd(fd);
        return fd;
}

static struct checked_container *find(struct integrity *g, uint64_t cgroup_id)
{
        for (size_t i = 0; i < g->v.n; i++)
                if (g->v.v[i].cgroup_id == cgroup_id)
                        return &g->v.v[i];
        return NULL;
}

/* ----------------------------------------------------------------------------------------------------- telling ---- */

/* r NULL: nobody saw who did it. */
static void tell(struct integrity *g, struct str scope, const struct container_entry *container, struct str path,
                 struct str words, const char *when, const struct event_record *r)
{
        static const char *const tags[] = { "integrity", "T1565.001", "NIST-800-190:4.4.4", NULL };
        const struct process *p = r ? r->process : NULL;
        struct str exe = p ? p->program->exe_path : STR_NONE;
        const struct alert_field extras[] = {
                { "fd.name", value_string(path) },
                { "integrity.change", value_string(words) },
                { "container.id", value_string(scope) },
                { "proc.pid", r ? value_number(r->event->head.pid) : value_absent() },
                { "proc.exepath", value_string_or_absent(exe) },
                { "user.uid", p ? value_number(p->uid) : value_absent() },
        };
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct str who = r && p ? arena_printf(&arena, "by %.*s, pid %u, uid %u", STR_FMT(exe), p->pid, p->uid)
                         : r    ? arena_printf(&arena, "by pid %u, which is not known", r->event->head.pid)
                                : arena_printf(&arena, "%s", when);
        if (g->told++ >= ALERTS_MAX) {
                g->silent++;
                return;
        }
        agent_emit(g->a,
                   &(struct alert){ .rule_name = "File changed",
                                    .tags = tags,
                                    .priority = PRIORITY_WARNING,
                                    .source = "syscall",
                                    .time_ns = r ? r->boot_ns + (int64_t)r->event->head.time_ns : 0,
                                    .output = arena_printf(&arena, "%.*s: %.*s (%.*s) container=%.*s", STR_FMT(path),
                                                           STR_FMT(words), STR_FMT(who), STR_FMT(scope)),
                                    .extras = extras,
                                    .n_extras = ARRAY_SIZE(extras),
                                    .process = p,
                                    .container = container });
}

static void end_of_look(struct integrity *g, struct str scope)
{
        if (g->silent)
                agent_tell(g->a, "%zu more files of %.*s have changed: sekisho integrity check", g->silent,
                           STR_FMT(scope));
        g->told = g->silent = 0;
}

/* Looks at all of a scope, tells how it differs from `before`, and keeps what it is now. */
static void look(struct integrity *g, struct str scope, const struct container_entry *c, int root,
                 const struct integrity_set *before, const char *when)
{
        struct integrity_set fresh = { 0 };
        struct integrity_change *changes;
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        integrity_look(&g->config, scope, root, &g->current, &fresh);
        size_t n = before ? integrity_compare(&g->config, scope, before, &fresh, &arena, &changes) : 0;
        for (size_t i = 0; i < n; i++)
                tell(g, scope, c, changes[i].after ? changes[i].after->path : changes[i].before->path, changes[i].words,
                     when, NULL);
        end_of_look(g, scope);
        integrity_remove_scope(&g->current, scope);
        for (size_t i = 0; i < fresh.v.n; i++)
                integrity_put(&g->current, &fresh.v.v[i]);
        integrity_set_done(&fresh);
}

static void save(struct integrity *g)
{
        struct error err = ERROR_NONE;
        if (integrity_set_write(&g->approved, g->path, &err) < 0)
                agent_tell(g->a, "the baseline is not kept: %s", err.text);
}

/* What is there now is right: of a container that nobody has seen before, or where there was no baseline. */
static size_t approve(struct integrity *g, struct str scope)
{
        size_t n = 0;
        integrity_remove_scope(&g->approved, scope);
        g->approved.made = agent_now_ns(CLOCK_REALTIME) / SECOND;
        for (size_t i = 0; i < g->current.v.n; i++)
                if (g->current.v.v[i].path.n && str_eq(g->current.v.v[i].scope, scope)) {
                        integrity_put(&g->approved, &g->current.v.v[i]);
                        n++;
                }
        save(g);
        return n;
}

static bool has_scope(const struct integrity_set *s, struct str scope)
{
        for (size_t i = 0; i < s->v.n; i++)
                if (s->v.v[i].path.n && str_eq(s->v.v[i].scope, scope))
                        return true;
        return false;
}

static void begin(struct integrity *g, struct str scope, const struct container_entry *c, int root)
{
        bool is_known = has_scope(&g->approved, scope);
        look(g, scope, c, root, is_known ? &g->approved : NULL, "changed since the baseline, nobody saw by whom");
        if (!is_known)
                agent_tell(g->a, "integrity: baseline of %.*s taken: %zu files", STR_FMT(scope), approve(g, scope));
}

/* ------------------------------------------------------------------------------------------------------ events ---- */

static bool has_rules_for(const struct integrity *g, bool in_containers)
{
        for (size_t i = 0; i < g->config.rules.n; i++)
                if (g->config.rules.v[i].in_containers == in_containers)
                        return true;
        return false;
}

static void integrity_on_container(void *state, struct container_entry *e)
{
        struct integrity *g = state;
        struct stat st;
        char path[64];
        snprintf(path, sizeof(path), "/proc/%llu/root", (unsigned long long)e->facts.pid);
        if (!has_rules_for(g, true) || find(g, e->cgroup_id))
                return;
        if (e->facts.pid == 0 || e->facts.pid > INT32_MAX || stat(path, &st) < 0) {
                agent_tell(g->a, "integrity of container %.*s is not checked: its first process is not known",
                           STR_FMT(e->id));
                return;
        }
        struct checked_container *c = vec_push(&g->v);
        *c = (struct checked_container){ e->cgroup_id, str_dup(e->id), (uint32_t)e->facts.pid, st.st_dev, st.st_ino };
        _cleanup_(closep) int root = open_container(c);
        if (root >= 0)
                begin(g, str_of(c->id), e, root);
}

static void integrity_on_container_end(void *state, uint64_t cgroup_id)
{
        struct integrity *g = state;
        struct checked_container *c = find(g, cgroup_id);
        if (!c)
                return;
        integrity_remove_scope(&g->current, str_of(c->id));
        integrity_remove_scope(&g->approved, str_of(c->id));
        save(g);
        free(c->id);
        *c = g->v.v[--g->v.n];
}

/* What became of one path by this event. */
static void look_into(struct integrity *g, struct str scope, int root, struct str path, const struct event_record *r)
{
        bool in_container = r->container != NULL;
        const struct integrity_rule *rule = integrity_rule_of(&g->config, path, in_container);
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct integrity_entry now;
        if (!rule)
                return;
        const struct integrity_entry *before = integrity_find(&g->current, scope, path);
        bool is_there = integrity_look_at(&g->config, scope, root, path, &arena, &now);
        struct str words = is_there && before ? integrity_difference(rule, before, &now, &arena)
                           : is_there         ? STR("added")
                           : before           ? STR("removed")
                                              : STR_NONE;
        if (words.n)
                tell(g, scope, r->container, path, words, "", r);
        if (is_there)
                integrity_put(&g->current, &now);
        else if (before)
                integrity_remove(&g->current, scope, path);
        if ((is_there && S_ISDIR(now.mode)) || (before && S_ISDIR(before->mode)))
                g->next_ns = 0; /* all that is below it went or came with it */
        g->told = g->silent = 0;
}

/* Of file events the paths are those of the host, or of the container's root, whole. */
static void integrity_on_event(void *state, const struct event_record *r)
{
        struct integrity *g = state;
        const struct event *e = r->event;
        if (e->kind != OBSERVE_CALL || !(e->call.flags & OBSERVE_CALL_HOOK))
                return;
        struct checked_container *c = r->container ? find(g, r->container->cgroup_id) : NULL;
        if (r->container && !c)
                return;
        _cleanup_(closep) int root = c ? open_container(c) : open_host();
        for (size_t i = 0; i < ARRAY_SIZE(e->path) && root >= 0; i++)
                if (e->path[i].n && e->path[i].p[0] == '/')
                        look_into(g, c ? str_of(c->id) : STR(INTEGRITY_HOST), root, e->path[i], r);
}

static void look_at_all(struct integrity *g)
{
        static const char when[] = "found by looking, nobody saw by whom";
        if (has_rules_for(g, false)) {
                _cleanup_(closep) int root = open_host();
                look(g, STR(INTEGRITY_HOST), NULL, root, &g->current, when);
        }
        for (size_t i = 0; i < g->v.n; i++) {
                _cleanup_(closep) int root = open_container(&g->v.v[i]);
                if (root >= 0)
                        look(g, str_of(g->v.v[i].id), container_known(&g->a->containers, g->v.v[i].cgroup_id), root,
                             &g->current, when);
        }
}

static void integrity_tick(void *state, int64_t now_ns)
{
        struct integrity *g = state;
        if (now_ns < g->next_ns && g->losses == g->a->file_losses)
                return;
        g->losses = g->a->file_losses;
        g->next_ns = now_ns + EVERY;
        look_at_all(g);
}

/* -------------------------------------------------------------------------------------------------------- part ---- */

static void integrity_stop(void *state)
{
        struct integrity *g = state;
        for (size_t i = 0; i < g->v.n; i++)
                free(g->v.v[i].id);
        vec_done(&g->v);
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

static int integrity_start(struct agent *a, void **ret, struct error *err)
{
        const struct files_options *o = &a->o->files;
        if (!o->integrity)
                return 0;
        struct integrity *g = xcalloc(1, sizeof(*g));
        *g = (struct integrity){ .a = a, .path = o->baseline ? o->baseline : INTEGRITY_BASELINE };
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
        if (has_rules_for(g, false)) {
                _cleanup_(closep) int root = open_host();
                begin(g, STR(INTEGRITY_HOST), NULL, root);
        }
        g->next_ns = agent_now_ns(CLOCK_MONOTONIC) + EVERY;
        return 0;
}

const struct agent_part part_integrity = {
        .name = "integrity",
        .start = integrity_start,
        .on_event = integrity_on_event,
        .on_container = integrity_on_container,
        .on_container_end = integrity_on_container_end,
        .tick = integrity_tick,
        .stop = integrity_stop,
};
