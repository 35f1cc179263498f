/* See watch-paths.h. */
#include "serve/watch-paths.h"

#include <errno.h>

const char *const watch_defaults[] = {
        "container:/var/log",
        "container:/etc/passwd",
        "container:/etc/shadow",
        "container:/etc/group",
        "container:/etc/gshadow",
        "container:/etc/sudoers",
        "container:/etc/sudoers.d",
        "container:/etc/pam.d",
        "container:/etc/ld.so.preload",
        "container:/etc/ld.so.conf",
        "container:/etc/ld.so.conf.d",
        "container:/etc/cron*",
        "container:/etc/anacrontab",
        "container:/var/spool/cron",
        "container:/etc/profile",
        "container:/etc/profile.d",
        "container:/etc/bash.bashrc",
        "container:/etc/zsh",
        "container:/etc/environment",
        "container:/etc/init.d",
        "container:/etc/rc.local",
        "container:/etc/systemd/system",
        "container:/root/.*",
        "container:/home/*/.*",
        "container:/bin",
        "container:/sbin",
        "container:/lib*",
        "container:/usr/bin",
        "container:/usr/sbin",
        "container:/usr/lib*",
        "container:/usr/local/bin",
        "container:/usr/local/sbin",
        NULL,
};

#define IN_CONTAINERS "container:"

void watch_paths_done(struct watch_paths *w)
{
        arena_done(&w->arena);
        vec_done(&w->v);
        *w = (struct watch_paths){ 0 };
}

static bool is_normal(struct str path)
{
        while (path.p) {
                struct str name = str_cut(&path, '/');
                if (name.n == 0 || str_is(name, ".") || str_is(name, ".."))
                        return false;
        }
        return true;
}

static int add_one(struct watch_paths *w, const char *text, struct error *err)
{
        struct str path = str_of(text);
        bool in_containers = str_starts(path, STR(IN_CONTAINERS));
        if (in_containers)
                path = str_from(path, strlen(IN_CONTAINERS));
        while (path.n > 1 && path.p[path.n - 1] == '/')
                path.n--;
        if (path.n == 0 || path.p[0] != '/' || path.n > WATCH_PATH_BYTES ||
            (path.n > 1 && !is_normal(str_from(path, 1))))
                return error_set(err, -EINVAL,
                                 "\"%s\" is no absolute path without \".\" and \"..\": /etc/cron.d, "
                                 "container:/var/log, default",
                                 text);
        if (path.n == 1)
                path.n = 0;
        for (size_t i = 0; i < w->v.n; i++)
                if (w->v.v[i].in_containers == in_containers && str_eq(w->v.v[i].path, path))
                        return 0;
        if (w->v.n == WATCH_PATHS_MAX)
                return error_set(err, -E2BIG, "more than %u paths to watch", WATCH_PATHS_MAX);
        *vec_push(&w->v) = (struct watch_path){ arena_str(&w->arena, path), in_containers };
        return 0;
}

int watch_paths_add(struct watch_paths *w, const char *text, struct error *err)
{
        if (!str_is(str_of(text), "default"))
                return add_one(w, text, err);
        w->all_names = true;
        for (size_t i = 0; watch_defaults[i]; i++) {
                int r = add_one(w, watch_defaults[i], err);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Each star takes as little as it can, and gives way to the last one seen. */
bool watch_name_fits(struct str pattern, struct str name)
{
        size_t p = 0, n = 0, star = SIZE_MAX, resume = 0;
        while (n < name.n) {
                if (p < pattern.n && pattern.p[p] == '*') {
                        star = p++;
                        resume = n;
                } else if (p < pattern.n && pattern.p[p] == name.p[n]) {
                        p++;
                        n++;
                } else if (star != SIZE_MAX) {
                        p = star + 1;
                        n = ++resume;
                } else {
                        return false;
                }
        }
        while (p < pattern.n && pattern.p[p] == '*')
                p++;
        return p == pattern.n;
}

/* How path and pattern stand to each other, name by name. */
enum relation { ELSEWHERE, ABOVE, AT_OR_BELOW };

static enum relation relate(struct str path, struct str pattern)
{
        str_cut(&path, '/'); /* what stands before the first slash is empty */
        str_cut(&pattern, '/');
        while (pattern.p && path.p) {
                struct str wanted = str_cut(&pattern, '/'), name = str_cut(&path, '/');
                if (name.n == 0 && !path.p) /* "/" */
                        return ABOVE;
                if (!watch_name_fits(wanted, name))
                        return ELSEWHERE;
        }
        return pattern.p ? ABOVE : AT_OR_BELOW;
}

static bool is_any(const struct watch_paths *w, struct str path, bool in_container, bool above_too)
{
        for (size_t i = 0; i < w->v.n; i++) {
                if (w->v.v[i].in_containers != in_container)
                        continue;
                enum relation r = relate(path, w->v.v[i].path);
                if (r == AT_OR_BELOW || (r == ABOVE && above_too))
                        return true;
        }
        return false;
}

bool watch_paths_has(const struct watch_paths *w, struct str path, bool in_container)
{
        return is_any(w, path, in_container, false);
}

bool watch_paths_may_be_in(const struct watch_paths *w, struct str dir, bool in_container)
{
        return is_any(w, dir, in_container, true);
}

bool watch_paths_any(const struct watch_paths *w, bool in_container)
{
        for (size_t i = 0; i < w->v.n; i++)
                if (w->v.v[i].in_containers == in_container)
                        return true;
        return false;
}
