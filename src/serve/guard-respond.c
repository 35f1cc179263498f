/*
 * The answer to malware, in a process of its own: it may wait for disks, runtimes' files and the agent, and nothing
 * waits for it. What it needs of the process that wanted the file was taken down before that was answered. The order is
 * by urgency: processes, then the file, then words. Everything that could not be done is said.
 */
#include "serve/guard-private.h"

#include "act/freeze.h"
#include "act/process-tree.h"
#include "sense/container.h"
#include "source/container-find.h"

#include <errno.h>
#include <stdio.h>

#define PATIENCE_MS 10000 /* for the agent to read */
#define ACTIONS_MAX 6
#define DETAIL_MAX  1024

struct responding {
        const struct guard_detection *d;
        struct arena arena;
        struct str actions[ACTIONS_MAX];
        struct fact_guarded fact;
        struct buf detail;
        uint64_t first_pid; /* of the container; 0: not known */
        uint64_t n_killed;
        struct guard_scene runner; /* the first process in a container that runs the file; pid 0: none */
};

#define IS_ASKING (FAN_OPEN_EXEC_PERM | FAN_OPEN_PERM)

static void did(struct responding *r, const char *what)
{
        r->actions[r->fact.actions.n++] = str_of(what);
        r->fact.actions.v = r->actions;
}

static void add_detail(struct responding *r, const char *words)
{
        buf_printf(&r->detail, "%s%s", r->detail.n ? "; " : "", words);
}

/* The container by the names in its cgroup's path, the innermost first. */
static void find_container(struct responding *r)
{
        struct str path = r->d->scene->cgroup;
        while (r->d->scene->is_in_container && path.n) {
                ptrdiff_t slash = str_rfind_char(path, '/');
                struct str name = str_from(path, (size_t)(slash + 1));
                bool is_sure;
                struct container c;
                struct str id = container_id_in(name, &is_sure);
                path = str_upto(path, slash < 0 ? 0 : (size_t)slash);
                if (id.n && container_find_id("", id, &r->arena, &c) == 0) {
                        r->fact.container_id = c.id;
                        r->fact.container_name = c.name;
                        r->fact.image = c.image;
                        r->fact.container_engine = str_of(c.engine);
                        r->first_pid = c.pid;
                        return;
                }
                if (id.n && !r->fact.container_id.n)
                        r->fact.container_id = id; /* no file of a runtime speaks of it any more */
        }
}

/* The process, its descendants, and whoever in the container has started it, but for the container's first process. */
static void kill_processes(struct responding *r)
{
        const struct guard_scene *s = r->d->scene;
        struct error err = ERROR_NONE;
        bool is_runner = s->pid == r->runner.pid; /* was killed */
        int n = is_runner ? 0 : act_kill_tree((uint32_t)s->pid, s->started_ns, &err);
        if (n >= 0 && s->top != s->pid) {
                int more = act_kill_tree((uint32_t)s->top, s->top_started_ns, &err);
                n = more < 0 ? more : n + more;
        }
        if (n < 0)
                add_detail(r, err.text);
        r->n_killed += n > 0 ? (uint64_t)n : n == -E2BIG ? ACT_TREE_MAX : 0;
        r->fact.count = r->n_killed;
        if (r->n_killed)
                did(r, "killed");
}

/* A process that runs it already. The first one in a container is whose the find is, if nobody else's. */
static bool on_runner(void *arg, struct guard_scene *there)
{
        struct responding *r = arg;
        struct error err = ERROR_NONE;
        char words[DETAIL_MAX];
        if (!there->is_in_container) {
                snprintf(words, sizeof(words), "process %d of the host runs it and was left alone", there->pid);
                add_detail(r, words);
                return false;
        }
        bool is_first = !r->runner.pid;
        if (is_first) {
                guard_scene_take_arguments(there);
                guard_scene_take_container(there);
                there->top = there->pid; /* who has started it did so before anybody knew */
                r->runner = *there;
        }
        if (r->d->config->o.response == GUARD_KILL && !r->d->config->o.dry_run) {
                int n = act_kill_tree((uint32_t)there->pid, there->started_ns, &err);
                r->n_killed += n > 0 ? (uint64_t)n : 0;
                if (n < 0)
                        add_detail(r, err.text);
        }
        return is_first;
}

/* Of a file that nobody has asked for just now: it may have been let run before it was known. */
static void find_runners(struct responding *r)
{
        struct guard_scene *s = r->d->scene;
        if (r->d->mask & IS_ASKING)
                return;
        size_t n = guard_scene_runners(s, on_runner, r);
        if (n > 1) {
                char words[DETAIL_MAX];
                snprintf(words, sizeof(words), "%zu processes ran it", n);
                add_detail(r, words);
        }
        if (r->runner.pid && s->pid <= 0) {
                guard_scene_done(s);
                *s = r->runner;
        } else if (r->runner.pid) {
                guard_scene_done(&r->runner);
        }
}

static void freeze_container(struct responding *r)
{
        struct act_target target;
        struct error err = ERROR_NONE;
        struct act_subject who = { .id = r->fact.container_id,
                                   .name = r->fact.container_name,
                                   .image = r->fact.image,
                                   .pid = r->first_pid ? r->first_pid : (uint64_t)r->d->scene->top,
                                   .cgroup = r->d->scene->cgroup };
        int e = act_target_find(&who, &target, &err);
        if (e == 0)
                e = act_freeze(&target, true, &err);
        if (e == 0)
                did(r, "frozen");
        add_detail(r, e < 0 ? err.text : "sekisho contain thaw lets it go on");
}

static void stop_processes(struct responding *r)
{
        const struct guard_options *o = &r->d->config->o;
        if (r->d->scene->pid <= 0 || !r->d->scene->started_ns)
                return;
        if (!r->d->scene->is_in_container)
                add_detail(r, "the process is the host's: it was left alone");
        else if (o->dry_run)
                did(r, o->response == GUARD_KILL ? "would-kill" : "would-freeze");
        else if (o->response == GUARD_KILL)
                kill_processes(r);
        else
                freeze_container(r);
}

static void describe(struct responding *r, struct fact_quarantined *q)
{
        const struct fact_guarded *f = &r->fact;
        *q = (struct fact_quarantined){ .path = f->path,
                                        .host_path = f->host_path,
                                        .container_id = f->container_id,
                                        .container_name = f->container_name,
                                        .image = f->image,
                                        .engine = f->container_engine,
                                        .rule = f->rule,
                                        .family = f->family,
                                        .description = f->description,
                                        .pid = f->pid,
                                        .process = f->process,
                                        .taken = guard_now_ns(CLOCK_REALTIME) / (1000 * MS_NS) };
        if (!q->path.n)
                q->path = r->d->scene->name;
}

/* Through the container's own mounts only: a layer's directory may not be changed beneath them. */
static int remove_file(struct responding *r, struct error *err)
{
        const struct guard_scene *s = r->d->scene;
        if (!s->is_in_container)
                return error_set(err, -EPERM, "it was reached from the host, not from within a container");
        if (s->root_fd < 0 || !r->fact.path.n)
                return error_set(err, -ENOENT, "its place in the container is not known (any more)");
        return quarantine_remove(s->root_fd, arena_cstr(&r->arena, r->fact.path), &s->st, err);
}

static void quarantine_file(struct responding *r)
{
        const struct guard_options *o = &r->d->config->o;
        char words[DETAIL_MAX];
        struct quarantine store;
        struct fact_quarantined item;
        struct error err = ERROR_NONE;
        if (!*o->quarantine)
                return;
        if (o->dry_run) {
                did(r, "would-quarantine");
                return;
        }
        describe(r, &item);
        int e = quarantine_open(o->quarantine, true, &store, &err);
        if (e == 0 && (e = quarantine_put(&store, r->d->fd, &item, &r->arena, &err)) < 0)
                quarantine_close(&store);
        if (e < 0) { /* what could not be kept is not taken away: it stays denied */
                snprintf(words, sizeof(words), "not quarantined: %.900s", err.text);
                add_detail(r, words);
                return;
        }
        r->fact.quarantine = item.id;
        did(r, "quarantined");
        e = remove_file(r, &err);
        item.removed = e == 0;
        if (e < 0) {
                item.not_removed = arena_str(&r->arena, str_of(err.text));
                snprintf(words, sizeof(words), "not removed: %.900s", err.text);
                add_detail(r, words);
        } else {
                did(r, "removed");
        }
        if (quarantine_update(&store, &item, &err) < 0)
                add_detail(r, err.text);
        quarantine_close(&store);
}

static void begin(struct responding *r, const struct guard_detection *d)
{
        const struct fact_malware *m = &d->finding->malware;
        struct str path, host_path;
        *r = (struct responding){ .d = d, .arena = ARENA_INIT, .detail = BUF_INIT(4 * DETAIL_MAX) };
        guard_scene_take_arguments(d->scene);
        find_runners(r);
        guard_scene_places(d->scene, &path, &host_path);
        if (d->scene->root_fd < 0 || (d->scene->is_in_container && !path.n)) {
                guard_scene_search(d->scene);
                guard_scene_places(d->scene, &path, &host_path);
        }
        r->fact = (struct fact_guarded){ .event = STR("malware"),
                                         .access = str_of(guard_access_name(d->mask)),
                                         .sha256 = str_span(d->finding->sha256, 32),
                                         .size = (uint64_t)d->scene->st.st_size,
                                         .engine = m->engine,
                                         .rule = m->rule,
                                         .family = m->family,
                                         .description = m->description,
                                         .members = m->members,
                                         .tags = m->tags,
                                         .pid = (uint64_t)MAX(d->scene->pid, 0),
                                         .process = d->scene->comm,
                                         .exe = d->scene->exe,
                                         .cmdline = d->scene->cmdline,
                                         .chain = d->scene->chain,
                                         .path = path,
                                         .host_path = host_path };
}

void guard_respond(const struct guard_detection *d, int report_fd)
{
        struct responding r;
        struct reporter out = { .fd = report_fd };
        begin(&r, d);
        bool dry = d->config->o.dry_run;
        if (d->mask & IS_ASKING)
                did(&r, d->was_allowed ? "allowed" : dry ? "would-deny" : "denied");
        if (d->was_allowed)
                add_detail(&r, "it was allowed when its deadline passed");
        if (d->config->o.response == GUARD_KILL)
                stop_processes(&r);
        find_container(&r);
        if (d->config->o.response == GUARD_FREEZE)
                stop_processes(&r);
        quarantine_file(&r);
        if (!r.fact.path.n)
                r.fact.path = d->scene->name;
        r.fact.detail = buf_str(&r.detail);
        report_send(&out, &r.fact);
        report_finish(&out, PATIENCE_MS);
        buf_done(&r.detail);
        arena_done(&r.arena);
}
