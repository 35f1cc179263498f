/*
 * The manifests of drift: which is of a container's image, and reading them anew. A list rests on the manifest that it
 * was made of, so one that was exchanged stays until its last list has gone.
 */
#include "base/fs.h"
#include "base/map.h"
#include "serve/drift-private.h"

#include <stdio.h>
#include <stdlib.h>

/* --------------------------------------------------------------------------------- which is of a container ---- */

/* "localhost/web:1" is what an engine calls "web:1". */
static bool is_same_name(struct str a, struct str b)
{
        if (a.n < b.n) {
                struct str c = a;
                a = b;
                b = c;
        }
        return b.n && str_ends(a, b) && (a.n == b.n || a.p[a.n - b.n - 1] == '/');
}

/* By the image's id; by name only where the engine tells no id: names are moved from image to image. */
static bool is_of(const struct manifest *m, const struct container_entry *c)
{
        struct str id = str_without(c->facts.image_id, STR("sha256:"));
        if (id.n && (m->image_id.n || m->digest.n))
                return str_eq(id, str_without(m->image_id, STR("sha256:"))) ||
                       str_eq(id, str_without(m->digest, STR("sha256:")));
        if (is_same_name(c->facts.image, m->name))
                return true;
        for (size_t i = 0; i < m->n_tags; i++)
                if (is_same_name(c->facts.image, m->tags[i]))
                        return true;
        return false;
}

const struct drift_manifest *drift_manifest_of(const struct drift *d, const struct container_entry *c)
{
        for (size_t i = 0; i < d->n_manifests; i++)
                if (d->manifests[i]->pattern.n && drift_is_meant(c, d->manifests[i]->pattern))
                        return d->manifests[i];
        for (size_t i = 0; i < d->n_manifests; i++)
                if (d->manifests[i]->pattern.n == 0 && is_of(&d->manifests[i]->m, c))
                        return d->manifests[i];
        return NULL;
}

/* --------------------------------------------------------------------------------------------------- reading ---- */

static void manifest_free(struct drift_manifest *m)
{
        arena_done(&m->arena);
        free(m);
}

/* The file behind one of the options; the manifest that is there already (it may be NULL) if it is the same. */
static int read_one(const char *text, struct drift_manifest *known, struct drift_manifest **ret, struct error *err)
{
        struct drift_word w = drift_word(text);
        _cleanup_(buf_done) struct buf b = BUF_INIT(MANIFEST_BYTES_MAX);
        int r = read_file(w.value.p, &b, err);
        if (r < 0)
                return r;
        uint64_t sum = hash_str(buf_str(&b));
        if (known && known->sum == sum) {
                *ret = known;
                return 0;
        }
        struct drift_manifest *m = xcalloc(1, sizeof(*m));
        *m = (struct drift_manifest){ .pattern = w.pattern, .path = w.value.p, .sum = sum };
        r = manifest_parse(buf_str(&b), &m->arena, &m->m, err);
        if (r < 0) {
                manifest_free(m);
                return error_prefix(err, r, "--drift %s", w.value.p);
        }
        *ret = m;
        return 0;
}

int drift_manifests_read(struct drift *d, struct error *err)
{
        int r = 0;
        for (size_t i = 0; i < d->o->n_manifests && r == 0; i++) {
                r = read_one(d->o->manifests[i], NULL, &d->manifests[i], err);
                d->n_manifests += r == 0;
        }
        return r;
}

static bool is_in_use(const struct drift *d, const struct drift_manifest *m)
{
        for (const struct drift_list *l = d->lists; l; l = l->next)
                if (l->manifest == &m->m)
                        return true;
        return false;
}

void drift_manifests_forget(struct drift *d)
{
        size_t kept = 0;
        for (size_t i = 0; i < d->retired.n; i++)
                if (is_in_use(d, d->retired.v[i]))
                        d->retired.v[kept++] = d->retired.v[i];
                else
                        manifest_free(d->retired.v[i]);
        d->retired.n = kept;
}

void drift_manifests_done(struct drift *d)
{
        for (size_t i = 0; i < d->n_manifests; i++)
                manifest_free(d->manifests[i]);
        for (size_t i = 0; i < d->retired.n; i++)
                manifest_free(d->retired.v[i]);
        vec_done(&d->retired);
        d->n_manifests = 0;
}

/* ------------------------------------------------------------------------------------------- those that changed ----
 */

struct search {
        uint64_t cgroup_id;
        uint32_t pid;
};

static void look_for_process(void *arg, const struct process *p)
{
        struct search *s = arg;
        if (p->cgroup_id == s->cgroup_id && (s->pid == 0 || p->pid < s->pid))
                s->pid = p->pid;
}

void drift_look_again(struct drift *d, struct drift_container *g)
{
        const struct container_entry *c = container_known(&d->agent->containers, g->cgroup_id);
        struct search s = { .cgroup_id = g->cgroup_id };
        struct container_entry copy;
        if (!c || g->policy.mode == GUARD_OFF)
                return;
        process_each(&d->agent->processes, look_for_process, &s);
        if (s.pid == 0 || !drift_with_mounts(c, s.pid, &copy))
                return; /* it ends: nothing runs in it */
        drift_relist(d, g, &copy, s.pid);
        arena_done(&copy.arena);
}

void drift_manifests_reload(struct drift *d)
{
        size_t n_changed = 0;
        for (size_t i = 0; i < d->n_manifests; i++) {
                struct drift_manifest *m;
                struct error err = ERROR_NONE;
                if (read_one(d->o->manifests[i], d->manifests[i], &m, &err) < 0) {
                        agent_tell(d->agent, "the manifest that was there stays: %s", err.text);
                } else if (m != d->manifests[i]) {
                        *vec_push(&d->retired) = d->manifests[i];
                        d->manifests[i] = m;
                        n_changed++;
                }
        }
        if (n_changed == 0)
                return;
        agent_tell(d->agent, "drift: %zu of %zu manifests are others", n_changed, d->n_manifests);
        for (size_t i = 0; i < DRIFT_BUCKETS; i++)
                for (struct drift_container *g = d->containers[i]; g; g = g->next)
                        drift_look_again(d, g);
        drift_manifests_forget(d);
}
