/* See container.h. */
#include "sense/container.h"

#include "base/vec.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define BUCKETS       1024u /* a power of two */
#define ID_DIGITS     64u
#define NAMES_MAX     32u /* of a cgroup's path that are looked at */
#define NAME_MAX_SIZE 255u

void container_table_init(struct container_table *t)
{
        *t = (struct container_table){ .buckets = xcalloc(BUCKETS, sizeof(struct container_entry *)) };
}

static struct container_entry **bucket_of(const struct container_table *t, uint64_t cgroup_id)
{
        return &t->buckets[cgroup_id & (BUCKETS - 1)];
}

static void forget(struct container_table *t, struct container_entry **at)
{
        struct container_entry *e = *at;
        if (e->id.n && t->mark)
                t->mark(t->mark_arg, e->cgroup_id, false);
        *at = e->next;
        t->n--;
        arena_done(&e->arena);
        free(e);
}

static void forget_all(struct container_table *t)
{
        for (size_t i = 0; t->buckets && i < BUCKETS; i++)
                while (t->buckets[i])
                        forget(t, &t->buckets[i]);
}

void container_table_done(struct container_table *t)
{
        forget_all(t);
        free(t->buckets);
        *t = (struct container_table){ 0 };
}

static struct container_entry *find(const struct container_table *t, uint64_t cgroup_id)
{
        struct container_entry *e = *bucket_of(t, cgroup_id);
        while (e && e->cgroup_id != cgroup_id)
                e = e->next;
        return e;
}

struct container_entry *container_known(const struct container_table *t, uint64_t cgroup_id)
{
        struct container_entry *e = find(t, cgroup_id);
        return e && e->id.n ? e : NULL;
}

/* ------------------------------------------------------------------------------------------------------ ids ---- */

static bool is_hex(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!strchr("0123456789abcdef", s.p[i]))
                        return false;
        return s.n > 0;
}

struct str container_id_in(struct str name, bool *ret_is_sure)
{
        static const char *const helpers[] = { "conmon-", "crio-conmon-", "libpod-conmon-" };
        *ret_is_sure = false;
        for (size_t i = 0; i < ARRAY_SIZE(helpers); i++) /* an engine's process beside the container, not in it */
                if (str_starts(name, str_of(helpers[i])))
                        return STR_NONE;
        if (str_ends(name, STR(".scope")))
                name.n -= strlen(".scope");
        struct str end = str_from(name, name.n > ID_DIGITS ? name.n - ID_DIGITS : 0);
        if (end.n == ID_DIGITS && is_hex(end) && (name.n == ID_DIGITS || name.p[name.n - ID_DIGITS - 1] == '-')) {
                *ret_is_sure = true;
                return end;
        }
        if (name.n == 0 || name.n > NAME_MAX_SIZE || name.p[0] == '.' || str_ends(name, STR(".slice")) ||
            str_ends(name, STR(".service")))
                return STR_NONE;
        return name;
}

/* -------------------------------------------------------------------------------------------------- describing ---- */

struct str container_label(const struct container_entry *e, struct str key)
{
        for (size_t i = 0; i < e->facts.labels.n; i++) {
                struct str value = e->facts.labels.v[i], name = str_cut(&value, '=');
                if (str_eq(name, key))
                        return value;
        }
        return STR_NONE;
}

struct str container_setting(const struct container_entry *e, const char *key, size_t n)
{
        for (size_t i = 0; i < e->facts.settings.n; i++) {
                struct str value = e->facts.settings.v[i], name = str_cut(&value, '=');
                if (str_is(name, key) && n-- == 0)
                        return value;
        }
        return STR_NONE;
}

static struct str first_label(const struct container_entry *e, const char *const *keys)
{
        for (; *keys; keys++) {
                struct str value = container_label(e, str_of(*keys));
                if (value.n)
                        return value;
        }
        return STR_NONE;
}

/* Kubernetes' names as containerd's CRI plugin, CRI-O and dockershim (as labels) write them. */
static void find_pod(struct container_entry *e)
{
        static const char *const names[] = { "io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name", NULL };
        static const char *const namespaces[] = { "io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace",
                                                  NULL };
        static const char *const uids[] = { "io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid", NULL };
        e->pod = first_label(e, names);
        e->pod_namespace = first_label(e, namespaces);
        e->pod_uid = first_label(e, uids);
}

static bool ask(struct container_table *t, struct container_entry *e, struct str id, struct container_facts *ret)
{
        *ret = (struct container_facts){ 0 };
        return id.n > 0 && t->lookup && t->lookup(t->lookup_arg, id, &e->arena, ret);
}

static void become(struct container_table *t, struct container_entry *e, struct str id,
                   const struct container_facts *facts)
{
        if (e->id.n == 0 && t->mark)
                t->mark(t->mark_arg, e->cgroup_id, true);
        e->id = id;
        if (facts) {
                e->is_described = true;
                e->facts = *facts;
                find_pod(e);
        }
}

/*
 * From the outermost name inwards, the first that is an id, or that a runtime knows. Not the other way round: names
 * further in may be a container's own doing, and must not make another container of it.
 */
static void identify(struct container_table *t, struct container_entry *e)
{
        struct str path = e->cgroup;
        e->tries++;
        for (size_t i = 0; i < NAMES_MAX && path.p; i++) {
                bool is_sure;
                struct container_facts facts;
                struct str name = str_cut(&path, '/'), id = container_id_in(name, &is_sure);
                bool is_found = ask(t, e, id, &facts);
                if (!is_found && !is_sure && str_ends(name, STR(".scope"))) { /* runc by systemd: runc-<id>.scope */
                        ptrdiff_t dash = str_find_char(id, '-');
                        id = dash < 0 ? STR_NONE : str_from(id, (size_t)dash + 1);
                        is_found = ask(t, e, id, &facts);
                }
                if (is_found || is_sure) {
                        become(t, e, id, is_found ? &facts : NULL);
                        return;
                }
        }
}

static bool is_of_systemd(struct str cgroup)
{
        static const char *const endings[] = { ".slice", ".scope", ".service" };
        str_cut(&cgroup, '/');
        struct str first = str_cut(&cgroup, '/');
        for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
                if (str_ends(first, str_of(endings[i])))
                        return true;
        return first.n == 0;
}

static struct container_entry *add(struct container_table *t, uint64_t cgroup_id, struct str cgroup)
{
        if (t->n >= CONTAINER_CGROUPS_MAX)
                forget_all(t);
        struct container_entry *e = xcalloc(1, sizeof(*e)), **bucket = bucket_of(t, cgroup_id);
        *e = (struct container_entry){ .cgroup_id = cgroup_id, .arena = ARENA_INIT, .next = *bucket };
        e->cgroup = arena_str(&e->arena, cgroup);
        *bucket = e;
        t->n++;
        return e;
}

/* An engine knows a container before its runtime has started the first process. */
static bool is_incomplete(const struct container_entry *e)
{
        return (!e->is_described || e->facts.pid == 0) && e->tries < CONTAINER_TRIES_MAX;
}

struct container_entry *container_of_cgroup(struct container_table *t, uint64_t cgroup_id, struct str cgroup,
                                            enum container_hint hint)
{
        struct container_entry *e = find(t, cgroup_id);
        bool is_new = !e;
        if (is_new)
                e = add(t, cgroup_id, cgroup);
        bool is_worth_it = e->id.n || hint != CONTAINER_UNLIKELY;
        if (is_new || (is_incomplete(e) && is_worth_it))
                identify(t, e);
        if (e->id.n == 0 && hint == CONTAINER_SURE && !is_of_systemd(e->cgroup))
                become(t, e, str_from(e->cgroup, 1), NULL);
        return e->id.n ? e : NULL;
}

void container_look_again(struct container_table *t)
{
        for (size_t i = 0; i < BUCKETS; i++)
                for (struct container_entry *e = t->buckets[i]; e; e = e->next)
                        if (e->id.n && is_incomplete(e))
                                identify(t, e);
}

void container_each(const struct container_table *t, void (*each)(void *arg, struct container_entry *e), void *arg)
{
        for (size_t i = 0; t->buckets && i < BUCKETS; i++)
                for (struct container_entry *e = t->buckets[i]; e; e = e->next)
                        if (e->id.n)
                                each(arg, e);
}

void container_forget_gone(struct container_table *t, const char *mounted_at)
{
        for (size_t i = 0; i < BUCKETS; i++)
                for (struct container_entry **at = &t->buckets[i]; *at;) {
                        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
                        struct stat st;
                        struct str path = arena_printf(&arena, "%s%.*s", mounted_at, STR_FMT((*at)->cgroup));
                        if (stat(path.p, &st) == 0 && st.st_ino == (*at)->cgroup_id)
                                at = &(*at)->next;
                        else
                                forget(t, at);
                }
}

/* --------------------------------------------------------------------------------------------------- mounts ---- */

/* mountinfo writes blank, tab, newline and backslash as \040 and so on. */
static struct str unescape(struct str s, struct arena *arena)
{
        char *p = arena_alloc(arena, s.n + 1);
        size_t n = 0;
        for (size_t i = 0; i < s.n; i++) {
                unsigned c = (unsigned char)s.p[i];
                if (c == '\\' && i + 3 < s.n && s.p[i + 1] >= '0' && s.p[i + 1] <= '3') {
                        c = (unsigned)(s.p[i + 1] - '0') << 6 | (unsigned)(s.p[i + 2] - '0') << 3 |
                            (unsigned)(s.p[i + 3] - '0');
                        i += 3;
                }
                p[n++] = (char)c;
        }
        return str_span(p, n);
}

static struct str option(struct str options, struct str name)
{
        while (options.p) {
                struct str word = str_cut(&options, ',');
                if (str_starts(word, name))
                        return str_from(word, name.n);
        }
        return STR_NONE;
}

/* "36 35 98:0 /root /point options... - type source superoptions", proc_pid_mountinfo(5). */
static bool parse_mount(struct str line, struct arena *arena, struct container_mount *ret)
{
        struct str words[5], rest = line;
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                words[i] = str_cut(&rest, ' ');
        ptrdiff_t dash = str_find(rest, STR(" - "));
        if (words[4].n == 0 || dash < 0)
                return false;
        ret->device = arena_str(arena, words[2]);
        ret->dir = unescape(words[3], arena);
        ret->point = unescape(words[4], arena);
        rest = str_from(rest, (size_t)dash + 3);
        ret->type = arena_str(arena, str_cut(&rest, ' '));
        str_cut(&rest, ' ');
        bool is_overlay = str_is(ret->type, "overlay");
        ret->upper = is_overlay ? unescape(option(rest, STR("upperdir=")), arena) : STR_NONE;
        ret->lower = is_overlay ? unescape(option(rest, STR("lowerdir=")), arena) : STR_NONE;
        return true;
}

static size_t count_lines(struct str text)
{
        size_t n = 0;
        for (; text.n; n++)
                str_line(&text);
        return n;
}

void container_parse_mounts(struct container_entry *e, struct str mountinfo)
{
        size_t n = MIN(count_lines(mountinfo), (size_t)CONTAINER_MOUNTS_MAX);
        e->mounts = arena_array(&e->arena, n, sizeof(*e->mounts));
        e->n_mounts = 0;
        while (mountinfo.n && e->n_mounts < n)
                if (parse_mount(str_line(&mountinfo), &e->arena, &e->mounts[e->n_mounts]))
                        e->n_mounts++;
        e->has_mounts = e->n_mounts > 0;
}

const struct container_mount *container_mount_of(const struct container_entry *e, struct str path)
{
        const struct container_mount *best = NULL;
        for (size_t i = 0; i < e->n_mounts; i++) {
                const struct container_mount *m = &e->mounts[i];
                bool is_root = str_is(m->point, "/");
                if (!is_root && (!str_starts(path, m->point) || (path.n > m->point.n && path.p[m->point.n] != '/')))
                        continue;
                if (!best || m->point.n >= best->point.n) /* of two at one place the later covers the other */
                        best = m;
        }
        return best;
}
