/* See standing.h. */
#include "act/standing.h"

#include "act/network.h"
#include "base/fs.h"
#include "base/vec.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#define DEPTH_MAX 16u
#define FILE_MAX  ((size_t)4096)

struct walk {
        const char *mount, *file; /* of the hierarchy; the file that says whether it is frozen */
        bool is_v1;
        size_t seen;
        struct arena *arena;
        VEC(struct act_standing) all;
};

static struct act_standing *standing_of(struct walk *w, const char *path)
{
        for (size_t i = 0; i < w->all.n; i++)
                if (str_is(w->all.v[i].cgroup, path))
                        return &w->all.v[i];
        struct act_standing *s = vec_push(&w->all);
        s->cgroup = arena_str(w->arena, str_of(path));
        return s;
}

/* Does it ask to be frozen itself, not one above it? */
static bool is_frozen(const char *dir, const char *file)
{
        char path[ACT_PATH_MAX + 32];
        _cleanup_(buf_done) struct buf b = BUF_INIT(FILE_MAX);
        snprintf(path, sizeof(path), "%s/%s", dir, file);
        return read_file(path, &b, NULL) == 0 && str_is(str_trim(buf_str(&b)), "1");
}

static void look_at(struct walk *w, const char *dir)
{
        struct stat st;
        if (!is_frozen(dir, w->file))
                return;
        struct act_standing *s = standing_of(w, dir + strlen(w->mount));
        if (w->is_v1)
                s->is_paused = true;
        else
                s->is_frozen = true;
        if (!w->is_v1 && stat(dir, &st) == 0)
                s->cgroup_id = st.st_ino;
}

static void walk(struct walk *w, const char *dir, unsigned depth)
{
        char path[ACT_PATH_MAX];
        DIR *d = depth < DEPTH_MAX ? opendir(dir) : NULL;
        for (struct dirent *e; d && w->seen < ACT_CGROUPS_MAX && (e = readdir(d));) {
                if (e->d_type != DT_DIR || strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
                        continue;
                int n = snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
                if (n < 0 || (size_t)n >= sizeof(path))
                        continue;
                w->seen++;
                look_at(w, path);
                walk(w, path, depth + 1);
        }
        if (d)
                closedir(d);
}

static void on_cut(void *arg, uint64_t cgroup_id, const char *path, unsigned what)
{
        struct act_standing *s = standing_of(arg, path);
        s->cgroup_id = cgroup_id;
        s->cuts = what;
}

static int by_path(const void *a, const void *b)
{
        const struct act_standing *x = a, *y = b;
        return str_cmp(x->cgroup, y->cgroup);
}

size_t act_standing_list(const char *pins, struct arena *arena, struct act_standing **ret)
{
        static const struct {
                const char *controller, *file;
        } hierarchies[] = { { NULL, "cgroup.freeze" }, { "freezer", "freezer.self_freezing" } };
        struct walk w = { .arena = arena };
        for (size_t i = 0; i < ARRAY_SIZE(hierarchies); i++) {
                char mount[ACT_PATH_MAX];
                if (!act_cgroup_mount(hierarchies[i].controller, mount))
                        continue;
                w.mount = mount;
                w.file = hierarchies[i].file;
                w.is_v1 = i > 0;
                w.seen = 0;
                walk(&w, mount, 0);
        }
        (void)act_cut_each(pins, on_cut, &w);
        *ret = arena_array(arena, w.all.n, sizeof(**ret));
        if (w.all.n)
                memcpy(*ret, w.all.v, w.all.n * sizeof(**ret));
        qsort(*ret, w.all.n, sizeof(**ret), by_path);
        size_t n = w.all.n;
        vec_done(&w.all);
        return n;
}
