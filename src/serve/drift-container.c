/* One container's policy: which manifest is of its image, which mode is its, and all of that into the kernel's maps. */
#include "base/fs.h"
#include "serve/drift-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOUNTINFO_BYTES       ((size_t)1 << 20)
#define PRESENT_LEAST_PERCENT 50u /* of a manifest's files; with fewer it is of another image */

struct drift_container *drift_find(const struct drift *d, uint64_t cgroup_id)
{
        struct drift_container *g = d->containers[cgroup_id & (DRIFT_BUCKETS - 1)];
        while (g && g->cgroup_id != cgroup_id)
                g = g->next;
        return g;
}

/* ----------------------------------------------------------------------------------------------------- lists ---- */

static struct drift_list *shared_list(const struct drift *d, const struct manifest *m, const struct container_entry *c)
{
        for (struct drift_list *l = d->lists; l; l = l->next)
                if (drift_list_fits(l, m, c))
                        return l;
        return NULL;
}

static struct drift_list *make_list(struct drift *d, const struct manifest *m, const struct container_entry *c,
                                    uint32_t pid, const struct event *exec)
{
        bool is_low = exec && exec->layer == EXE_LAYER_LOWER;
        struct drift_list *l =
                drift_list_new(m, c, pid, is_low ? exec->exe_path : STR_NONE, is_low ? exec->exec.exe_ino : 0);
        l->next = d->lists;
        d->lists = l;
        return l;
}

static void give_back(struct drift *d, struct drift_list *l)
{
        if (!l || --l->refs > 0)
                return;
        if (l->image)
                (void)barrier_forget_list(d->barrier, l->image);
        drift_looks_forget(d, l);
        for (struct drift_list **at = &d->lists; *at; at = &(*at)->next)
                if (*at == l) {
                        *at = l->next;
                        break;
                }
        drift_list_free(l);
}

static struct str name_of(const struct container_entry *c) { return c->facts.name.n ? c->facts.name : c->id; }

/* The list of the manifest that is of the container's image, which may have to be looked for; NULL: there is none. */
static struct drift_list *list_of(struct drift *d, const struct container_entry *c, uint32_t pid,
                                  const struct event *exec)
{
        const struct drift_manifest *m = drift_manifest_of(d, c);
        struct drift_list *l = m ? shared_list(d, &m->m, c) : NULL;
        if (m && !l)
                l = make_list(d, &m->m, c, pid, exec);
        if (l)
                l->refs++;
        return l;
}

static void tell_protection(struct drift *d, const struct drift_container *g, const struct container_entry *c)
{
        struct str name = name_of(c);
        const char *mode = guard_mode_names[g->policy.mode];
        if (g->policy.mode == GUARD_OFF)
                return;
        if (g->list)
                agent_tell(d->agent,
                           "container %.*s: drift %s, by the manifest of %.*s: %zu of its %zu files are there%s",
                           STR_FMT(name), mode, STR_FMT(g->list->manifest->name), g->list->present,
                           g->list->manifest->n_files,
                           g->list->layers.n ? "" : " (looked up in the container's root: its layers cannot be had)");
        else if (g->has_layers)
                agent_tell(d->agent, "container %.*s: drift %s, by its layers: no manifest is of its image",
                           STR_FMT(name), mode);
        else
                agent_tell(d->agent,
                           "container %.*s: drift %s of memory and mounts only: its root is no overlay and no manifest "
                           "is of its image, so nothing tells what is new in it",
                           STR_FMT(name), mode);
}

/* --------------------------------------------------------------------------------------------------- folders ---- */

/* Directories below which files only grow, by their numbers. One that is not there is told: it is not guarded. */
static void add_folders(struct drift *d, struct drift_container *g, const struct container_entry *c, uint32_t pid)
{
        char path[64];
        snprintf(path, sizeof(path), "/proc/%u/root/", pid);
        _cleanup_(closep) int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        for (size_t i = 0; i < d->o->n_append_only; i++) {
                _cleanup_(arena_done) struct arena arena = ARENA_INIT;
                struct drift_word w = drift_word(d->o->append_only[i]);
                struct stat st;
                if (!drift_is_meant(c, w.pattern))
                        continue;
                _cleanup_(closep) int fd =
                        root < 0 ? -1 : open_in_root(root, arena_cstr(&arena, w.value), O_PATH | O_DIRECTORY);
                struct guard_folder f = { 0 };
                int r = fd < 0 || fstat(fd, &st) < 0 ? -ENOENT : 0;
                if (r == 0) {
                        f = (struct guard_folder){ .ino = st.st_ino, .dev = barrier_dev(st.st_dev) };
                        r = barrier_set_folder(d->barrier, f.dev, f.ino, true);
                }
                if (r == 0)
                        *vec_push(&g->folders) = f;
                else
                        agent_tell(d->agent, "container %.*s: %.*s is not guarded: %s", STR_FMT(name_of(c)),
                                   STR_FMT(w.value), strerror(-r));
        }
}

/* -------------------------------------------------------------------------------------------------- policies ---- */

bool drift_with_mounts(const struct container_entry *c, uint32_t pid, struct container_entry *ret)
{
        char path[64];
        _cleanup_(buf_done) struct buf b = BUF_INIT(MOUNTINFO_BYTES);
        snprintf(path, sizeof(path), "/proc/%u/mountinfo", pid);
        if (read_file(path, &b, NULL) < 0)
                return false;
        *ret = *c;
        ret->arena = ARENA_INIT;
        container_parse_mounts(ret, buf_str(&b));
        return true;
}

/*
 * The file system of the root, as the kernel means it. The first program of a container lies on it; else the kernel
 * noted it. Of one that ran before us it is asked for now; numbers of stat are the kernel's there for overlays.
 */
static uint32_t root_dev(const struct drift *d, const struct drift_container *g, const struct container_entry *c,
                         uint32_t pid, const struct event *exec)
{
        struct guard_policy old;
        struct stat st;
        char path[64];
        if (barrier_policy(d->barrier, g->cgroup_id, &old) == 0 && old.root_dev)
                return old.root_dev;
        if (exec && exec->facts.is_on_root)
                return exec->exec.exe_dev;
        snprintf(path, sizeof(path), "/proc/%u/root/", pid);
        return g->has_layers && stat(path, &st) == 0 ? barrier_dev(st.st_dev) : 0;
}

struct drift_container *drift_guard(struct drift *d, const struct container_entry *c, uint64_t cgroup_id, uint32_t pid,
                                    const struct event *exec)
{
        const struct container_mount *root = container_mount_of(c, STR("/"));
        struct drift_container *g = xcalloc(1, sizeof(*g));
        g->cgroup_id = cgroup_id;
        g->has_layers = root && str_is(root->type, "overlay");
        g->policy = (struct guard_policy){ .mode = drift_mode_of(d->o, c), .flags = drift_flags_of(d->o, c) };
        g->policy.root_dev = root_dev(d, g, c, pid, exec);
        struct drift_list *l = g->policy.mode != GUARD_OFF ? list_of(d, c, pid, exec) : NULL;
        if (l && l->image)
                g->list = l;
        else
                g->wanted = l;
        g->policy.image = g->list ? g->list->image : 0;
        if (g->policy.flags & GUARD_APPEND_ONLY)
                add_folders(d, g, c, pid);
        int r = barrier_set_policy(d->barrier, cgroup_id, &g->policy);
        if (r < 0)
                agent_tell(d->agent, "container %.*s is not protected: the kernel does not take its policy: %s",
                           STR_FMT(name_of(c)), strerror(-r));
        else if (!g->wanted)
                tell_protection(d, g, c);
        struct drift_container **bucket = &d->containers[cgroup_id & (DRIFT_BUCKETS - 1)];
        g->next = *bucket;
        *bucket = g;
        drift_look(d);
        return g;
}

/*
 * The new list (NULL: none any more) is in the kernel before the policy names it, and the old one goes after that: at
 * no moment there is none.
 */
static void put_in_force(struct drift *d, struct drift_container *g, struct drift_list *l,
                         const struct container_entry *c)
{
        struct drift_list *old = g->list;
        struct guard_policy policy = g->policy;
        policy.image = l ? l->image : 0;
        int r = barrier_set_policy(d->barrier, g->cgroup_id, &policy);
        if (r < 0) {
                agent_tell(
                        d->agent,
                        "container %.*s stays with the manifest that it had: the kernel does not take its policy: %s",
                        STR_FMT(name_of(c)), strerror(-r));
                give_back(d, l);
                return;
        }
        g->policy = policy;
        g->list = l;
        drift_judge_began(d, g);
        give_back(d, old);
        tell_protection(d, g, c);
}

static void tell_unlisted(struct drift *d, const struct drift_container *g, const struct container_entry *c,
                          const struct error *err)
{
        if (g->list)
                agent_tell(d->agent, "container %.*s stays with the manifest that it had: %s", STR_FMT(name_of(c)),
                           err->text);
        else
                agent_tell(d->agent, "container %.*s: no manifest protects it: %s", STR_FMT(name_of(c)), err->text);
}

/* What this list came to, in one of those that wait for it. One that turned out to be another's alone is looked for
 * again. */
static void settle(struct drift *d, struct drift_container *g, struct drift_list *l, const struct error *err)
{
        static const struct container_entry gone = { .id = { "(gone)", 6 } };
        const struct container_entry *c = container_known(&d->agent->containers, g->cgroup_id);
        g->wanted = NULL;
        if (l->image > 0 && (!l->is_own || l->cgroup_id == g->cgroup_id)) {
                put_in_force(d, g, l, c ? c : &gone);
                return;
        }
        if (l->image > 0)
                drift_look_again(d, g);
        else if (c)
                tell_unlisted(d, g, c, err);
        give_back(d, l);
}

static int enter(struct drift *d, struct drift_list *l, struct error *err)
{
        size_t n = l->manifest->n_files;
        if (l->present * 100 < n * PRESENT_LEAST_PERCENT)
                return error_set(err, -ESTALE, "%.*s is of another image: of its %zu files %zu are there",
                                 STR_FMT(l->manifest->name), n, l->present);
        l->image = ++d->last_image;
        int r = drift_list_enter(l, d->barrier);
        if (r < 0)
                l->image = 0;
        return r < 0 ? error_errno(err, r, "the kernel does not take its list") : 0;
}

void drift_list_ready(struct drift *d, struct drift_list *l, const struct error *failure)
{
        struct error err = *failure;
        l->refs++; /* until all that wait for it have been gone through */
        if (!err.text[0])
                (void)enter(d, l, &err);
        for (size_t i = 0; i < DRIFT_BUCKETS; i++)
                for (struct drift_container *g = d->containers[i]; g; g = g->next)
                        if (g->wanted == l)
                                settle(d, g, l, &err);
        give_back(d, l);
}

void drift_relist(struct drift *d, struct drift_container *g, const struct container_entry *c, uint32_t pid)
{
        const struct drift_list *now = g->wanted ? g->wanted : g->list;
        const struct drift_manifest *m = drift_manifest_of(d, c);
        if (now ? m && now->manifest == &m->m : !m)
                return;
        give_back(d, g->wanted);
        g->wanted = NULL;
        struct drift_list *l = list_of(d, c, pid, NULL);
        if (!l || l->image > 0) {
                put_in_force(d, g, l, c);
                return;
        }
        g->wanted = l;
        drift_look(d);
}

void drift_unguard(struct drift *d, uint64_t cgroup_id)
{
        struct drift_container **at = &d->containers[cgroup_id & (DRIFT_BUCKETS - 1)], *g = drift_find(d, cgroup_id);
        (void)barrier_forget_policy(d->barrier, cgroup_id);
        if (!g)
                return;
        while (*at != g)
                at = &(*at)->next;
        *at = g->next;
        for (size_t i = 0; i < g->folders.n; i++)
                (void)barrier_set_folder(d->barrier, g->folders.v[i].dev, g->folders.v[i].ino, false);
        vec_done(&g->folders);
        drift_forget_began(d, cgroup_id);
        give_back(d, g->list);
        give_back(d, g->wanted);
        free(g);
}
