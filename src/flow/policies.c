/* See policies.h. */
#include "flow/policies.h"

#include "base/fs.h"

#include <errno.h>

static int read_text(const char *path, size_t max, struct arena *arena, struct str *ret, struct error *err)
{
        _cleanup_(buf_done) struct buf bytes = BUF_INIT(max);
        int r = read_file(path, &bytes, err);
        if (r == 0)
                *ret = arena_str(arena, buf_str(&bytes));
        return r;
}

static int no_policy(const char *name, struct error *err)
{
        _cleanup_(buf_done) struct buf names = BUF_INIT(512);
        for (size_t i = 0; i < n_profiles; i++)
                buf_printf(&names, "%s%s", i ? ", " : "", profiles[i].name);
        return error_set(err, -ENOENT, "no policy is called \"%s\"; there are %s, and any file by its path", name,
                         names.p);
}

int policy_read(const char *name, struct arena *arena, struct policy_file *ret, struct error *err)
{
        const struct profile *p = profile_find(str_of(name));
        if (p) {
                *ret = (struct policy_file){ arena_printf(arena, "%s.yaml", p->name), p->text };
                return 0;
        }
        ret->name = arena_str(arena, str_of(name));
        int r = read_text(name, POLICY_BYTES_MAX, arena, &ret->text, err);
        if (r == -ENOENT && !strchr(name, '/') && !strchr(name, '.'))
                return no_policy(name, err);
        return r;
}

/* --- the parts --- */

struct loading {
        const struct policy_choice *c;
        struct arena *arena;
        struct policy_file files[2 * POLICY_NAMES_MAX];
        size_t n_files;
        struct buf name;
        struct waiver *waivers;
        size_t n_waivers;
};

static int load_policies(struct loading *l, struct error *err)
{
        const struct policy_choice *c = l->c;
        static const char *const default_names[] = { "default" };
        bool is_default = !c->n_names && !c->n_fail_on;
        const char *const *names = is_default ? default_names : c->names;
        size_t n = is_default ? 1 : c->n_names;
        for (size_t i = 0; i < n; i++) {
                int r = policy_read(names[i], l->arena, &l->files[l->n_files++], err);
                if (r < 0)
                        return r;
                buf_printf(&l->name, "%s%s", i ? " + " : "", names[i]);
        }
        return 0;
}

static int load_fail_on(struct loading *l, struct error *err)
{
        for (size_t i = 0; i < l->c->n_fail_on; i++) {
                _cleanup_(buf_done) struct buf text = BUF_INIT(4096);
                struct str words = str_of(l->c->fail_on[i]);
                int r = policy_fail_on(words, &text, err);
                if (r < 0)
                        return error_prefix(err, r, POLICY_FAIL_ON);
                l->files[l->n_files++] =
                        (struct policy_file){ STR(POLICY_FAIL_ON), arena_str(l->arena, buf_str(&text)) };
                buf_printf(&l->name, "%s" POLICY_FAIL_ON " %.*s", l->name.n ? " " : "", STR_FMT(words));
        }
        return 0;
}

static bool is_taken(const struct loading *l, const struct waiver *w, size_t before)
{
        for (size_t i = 0; i < before; i++)
                if (str_eq_nocase(l->waivers[i].id, w->id))
                        return true;
        return false;
}

static int load_waivers(struct loading *l, struct problems *problems, struct error *err)
{
        struct waiver *v[WAIVER_FILES_MAX] = { NULL };
        size_t n[WAIVER_FILES_MAX] = { 0 }, all = l->c->n_more;
        for (size_t i = 0; i < l->c->n_waivers; i++) {
                struct str text;
                int r = read_text(l->c->waivers[i], WAIVER_BYTES_MAX, l->arena, &text, err);
                if (r < 0)
                        return r;
                waivers_read(str_of(l->c->waivers[i]), text, l->arena, &v[i], &n[i], problems);
                all += n[i];
        }
        l->waivers = arena_array(l->arena, all, sizeof(*l->waivers));
        for (size_t i = 0; i < l->c->n_waivers; i++) {
                size_t before = l->n_waivers;
                for (size_t k = 0; k < n[i]; k++) {
                        struct waiver *w = &v[i][k];
                        if (is_taken(l, w, before))
                                problems_add(problems,
                                             &(struct problem){ .level = PROBLEM_ERROR,
                                                                .code = "duplicate-id",
                                                                .place = w->place,
                                                                .about = w->id,
                                                                .words = STR("another file has a waiver of this id") });
                        l->waivers[l->n_waivers++] = *w;
                }
        }
        for (size_t i = 0; i < l->c->n_more; i++)
                l->waivers[l->n_waivers++] = l->c->more[i];
        return problems->n_errors ? RULES_WRONG : 0;
}

int policy_load(const struct policy_choice *c, struct arena *arena, struct policy **ret, struct problems *ret_problems,
                struct error *err)
{
        struct loading l = { .c = c, .arena = arena, .name = BUF_INIT(64 << 10) };
        *ret_problems = (struct problems){ 0 };
        int r = load_policies(&l, err);
        if (r == 0)
                r = load_fail_on(&l, err);
        if (r == 0)
                r = load_waivers(&l, ret_problems, err);
        if (r == 0) {
                struct policy_input in = { buf_str(&l.name), l.files, l.n_files, l.waivers, l.n_waivers };
                problems_done(ret_problems);
                r = policy_compile(&in, ret, ret_problems);
        }
        buf_done(&l.name);
        return r;
}
