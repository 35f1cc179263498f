/*
 * The looks that a child takes, one after the other, and what follows from what it found. The loop goes on meanwhile:
 * a path that an event tells of while its scope is looked at again is left to the event.
 */
#include "serve/integrity-private.h"

#include "base/fs.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#define SAVE_MS   5000
#define LOOKS_MAX 4096u /* that wait; what an event tells beyond is found by looking at everything again */

bool integrity_is_waiting(const struct integrity *g, struct str scope)
{
        for (size_t i = 0; i < g->looks.n; i++)
                if (g->looks.v[i].kind == LOOK_FIRST && str_is(scope, g->looks.v[i].scope))
                        return true;
        return false;
}

static void look_done(struct look *l)
{
        free(l->scope);
        free(l->path);
        free(l->exe);
}

void integrity_look_later(struct integrity *g, struct str scope, enum look_kind kind)
{
        for (size_t i = g->child.pid ? 1 : 0; i < g->looks.n; i++)
                if (g->looks.v[i].kind == kind && str_is(scope, g->looks.v[i].scope))
                        return;
        *vec_push(&g->looks) = (struct look){ .kind = kind, .scope = str_dup(scope) };
}

void integrity_look_at_later(struct integrity *g, struct str scope, struct str path, const struct integrity_who *who)
{
        if (g->looks.n >= LOOKS_MAX) {
                g->next_ns = 0;
                return;
        }
        struct look *l = vec_push(&g->looks);
        *l = (struct look){ LOOK_ONE,          str_dup(scope), str_dup(path),
                            str_dup(who->exe), *who,           integrity_is_waiting(g, scope) };
        l->who.exe = str_of(l->exe);
        l->who.process = NULL; /* who knows whether it is there then */
}

static uint64_t key_of(struct str scope, struct str path) { return hash_str_more(hash_str(scope), path); }

void integrity_touched(struct integrity *g, struct str scope, struct str path)
{
        if (g->child.pid)
                (void)set64_add(&g->touched, key_of(scope, path));
}

/* ----------------------------------------------------------------------------------------- what follows of one ---- */

static bool has_scope(const struct integrity_set *s, struct str scope)
{
        for (size_t i = 0; i < s->v.n; i++)
                if (s->v.v[i].path.n && str_eq(s->v.v[i].scope, scope))
                        return true;
        return false;
}

/* What is there now is right: of a container that nobody has seen before, or where there was no baseline. */
static size_t approve(struct integrity *g, struct str scope)
{
        size_t n = 0;
        (void)set64_add(&g->fresh, hash_str(scope));
        g->approved.made = agent_now_ns(CLOCK_REALTIME) / INTEGRITY_SECOND;
        for (size_t i = 0; i < g->current.v.n; i++)
                if (g->current.v.v[i].path.n && str_eq(g->current.v.v[i].scope, scope)) {
                        integrity_put(&g->approved, &g->current.v.v[i]);
                        n++;
                }
        integrity_look_later(g, STR_NONE, LOOK_SAVE);
        return n;
}

/* What events told of meanwhile is as they told it. */
static void keep_touched(struct integrity *g, struct str scope, struct integrity_set *found)
{
        for (size_t i = 0; i < found->v.n; i++) {
                struct str path = found->v.v[i].path;
                if (path.n && set64_has(&g->touched, key_of(scope, path)) && !integrity_find(&g->current, scope, path))
                        integrity_remove(found, scope, path);
        }
        for (size_t i = 0; i < g->current.v.n; i++) {
                const struct integrity_entry *e = &g->current.v.v[i];
                if (e->path.n && str_eq(e->scope, scope) && set64_has(&g->touched, key_of(scope, e->path)))
                        integrity_put(found, e);
        }
}

static size_t tell_changes(struct integrity *g, struct str scope, const struct integrity_set *before,
                           const struct integrity_set *found, const char *when)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct integrity_change *changes;
        const struct integrity_who nobody = { .when = when };
        size_t n = integrity_compare(&g->config, scope, before, found, &arena, &changes);
        for (size_t i = 0; i < n; i++)
                integrity_tell(g, scope, &changes[i], &nobody);
        integrity_end_of_look(g, scope);
        return n;
}

static void take_all(struct integrity *g, const struct look *l, struct integrity_set *found)
{
        struct str scope = str_of(l->scope);
        bool is_first = l->kind == LOOK_FIRST, is_new = is_first && !has_scope(&g->approved, scope);
        size_t n = 0;
        if (!is_first)
                keep_touched(g, scope, found);
        if (!is_new)
                n = tell_changes(g, scope, is_first ? &g->approved : &g->current, found,
                                 is_first ? "changed since the baseline, nobody saw by whom"
                                          : "found by looking, nobody saw by whom");
        integrity_remove_scope(&g->current, scope);
        for (size_t i = 0; i < found->v.n; i++)
                if (found->v.v[i].path.n)
                        integrity_put(&g->current, &found->v.v[i]);
        if (is_new)
                agent_tell(g->a, "integrity: baseline of %.*s taken: %zu files", STR_FMT(scope), approve(g, scope));
        else if (is_first)
                agent_tell(g->a, "integrity: %.*s compared with its baseline: %zu changes", STR_FMT(scope), n);
}

/* What an event told of while the baseline was taken stands in it as it is now, or not at all. */
static bool is_in_baseline(const struct integrity *g, const struct look *l, const struct integrity_entry *before,
                           const struct integrity_entry *now)
{
        if (!l->is_held || !set64_has(&g->fresh, hash_str(str_of(l->scope))))
                return false;
        if (!now || !before)
                return !now && !before;
        bool is_changed = now->ctime_ns >= l->who.time_ns - INTEGRITY_SECOND; /* and not only opened for writing */
        return S_ISREG(now->mode) && is_changed && before->ctime_ns == now->ctime_ns;
}

static void take_one(struct integrity *g, const struct look *l, const struct integrity_entry *now)
{
        struct str scope = str_of(l->scope), path = str_of(l->path);
        const struct integrity_entry *before = integrity_find(&g->current, scope, path);
        struct integrity_who who = l->who;
        const struct process *p = process_find(&g->a->processes, who.pid);
        who.process = p && str_eq(p->program->exe_path, who.exe) ? p : NULL;
        if (is_in_baseline(g, l, before, now)) {
                const struct integrity_entry gone = { .scope = scope, .path = path };
                struct integrity_change x = { .after = now ? now : &gone,
                                              .words = now ? STR("changed while its baseline was taken")
                                                           : STR("removed while its baseline was taken") };
                integrity_tell(g, scope, &x, &who);
                g->told = g->silent = 0;
                return;
        }
        integrity_found(g, scope, path, now, &who);
}

static void take(struct integrity *g, const struct look *l)
{
        struct integrity_set *found = &g->child.found;
        if (l->kind == LOOK_SAVE) {
                if (g->child.failure.text[0] && !g->has_failed)
                        agent_tell(g->a, "the baseline is not kept: %s", g->child.failure.text);
                g->has_failed = g->child.failure.text[0];
        } else if (l->kind == LOOK_ONE) {
                take_one(g, l, found->v.n ? &found->v.v[0] : NULL);
        } else {
                take_all(g, l, found);
        }
}

/* -------------------------------------------------------------------------------------------------- one by one ---- */

static void forget_first(struct integrity *g)
{
        if (g->child.pid)
                agent_remove_source(g->a, g->child.fd);
        integrity_child_end(&g->child);
        set64_done(&g->touched);
        look_done(&g->looks.v[0]);
        memmove(g->looks.v, g->looks.v + 1, --g->looks.n * sizeof(*g->looks.v));
}

static void ready(void *arg)
{
        struct integrity *g = arg;
        struct error err = ERROR_NONE;
        int r = integrity_child_take(&g->child, &err);
        if (r == 0)
                return;
        const struct look first = g->looks.v[0]; /* what follows may put more into the row */
        if (r > 0)
                take(g, &first);
        else
                agent_tell(g->a, "integrity of %s: %s", g->looks.v[0].scope, err.text);
        forget_first(g);
        integrity_next_look(g);
}

static int begin(struct integrity *g, const struct look *l, struct error *err)
{
        struct integrity_task task = { .config = &g->config,
                                       .scope = str_of(l->scope),
                                       .path = str_of(l->path),
                                       .root_fd = -1,
                                       .known = l->kind == LOOK_AGAIN ? &g->current : NULL };
        _cleanup_(closep) int root = l->kind == LOOK_SAVE ? -1 : integrity_open_root(g, task.scope);
        if (l->kind == LOOK_SAVE) {
                task.set = &g->approved;
                task.to = g->path;
        } else if (root < 0) {
                return error_set(err, -ESRCH, "its root is gone");
        }
        task.root_fd = root;
        int r = integrity_child_start(&g->child, &task, err);
        if (r == 0 && (r = agent_add_source(g->a, g->child.fd, ready, g)) < 0) {
                integrity_child_end(&g->child);
                return error_set(err, r, "too many descriptors are watched");
        }
        return r;
}

void integrity_next_look(struct integrity *g)
{
        while (!g->child.pid && g->looks.n) {
                struct error err = ERROR_NONE;
                const struct look *l = &g->looks.v[0];
                if (begin(g, l, &err) == 0)
                        return;
                if (l->kind != LOOK_ONE) /* of a container that has just ended, most of the time */
                        agent_tell(g->a, "integrity of %s: %s", l->kind == LOOK_SAVE ? g->path : l->scope, err.text);
                forget_first(g);
        }
}

void integrity_forget_looks(struct integrity *g, struct str scope)
{
        for (size_t i = 0; i < g->looks.n;) {
                if (!str_is(scope, g->looks.v[i].scope)) {
                        i++;
                } else if (i == 0) {
                        forget_first(g);
                } else {
                        look_done(&g->looks.v[i]);
                        memmove(g->looks.v + i, g->looks.v + i + 1, (--g->looks.n - i) * sizeof(*g->looks.v));
                }
        }
}

/* A child that writes is not killed half way. */
static void wait_for_save(struct integrity *g)
{
        struct pollfd p = { .fd = g->child.fd, .events = POLLIN };
        while (g->child.pid && g->looks.v[0].kind == LOOK_SAVE && poll(&p, 1, SAVE_MS) > 0)
                if (integrity_child_take(&g->child, NULL) != 0)
                        forget_first(g);
}

void integrity_end_looks(struct integrity *g)
{
        bool is_dirty = false;
        struct error err = ERROR_NONE;
        wait_for_save(g);
        while (g->looks.n) {
                is_dirty = is_dirty || g->looks.v[0].kind == LOOK_SAVE;
                forget_first(g);
        }
        vec_done(&g->looks);
        set64_done(&g->fresh);
        if (is_dirty && integrity_set_write(&g->approved, g->path, &err) < 0)
                agent_tell(g->a, "the baseline is not kept: %s", err.text);
}
