/*
 * See pathset.h. Empty components ("//") do not count, as in Falco. With patterns a component can go on in more than
 * one place: all of them are tried, which takes at most PATTERN_STEPS_MAX steps.
 */
#include "rule/pathset.h"

#include "base/map.h"
#include "rule/match.h"

#define COMPONENTS_MAX    256   /* of a path; what is deeper is not looked at */
#define PATTERN_STEPS_MAX 10000 /* of one question */

struct branch {
        struct str component;
        bool is_pattern;
        struct pathset *below; /* NULL: one of the set ends here, and everything below matches */
        struct branch *next;
};

struct pathset {
        struct branch *branches, *patterns;
        struct branch **table; /* of plain branches, by hash */
        size_t n, table_size;
        bool holds_all; /* "/" itself is in the set */
};

static bool next_component(struct str *path, struct str *ret)
{
        do {
                if (path->n == 0)
                        return false;
                *ret = str_cut(path, '/');
        } while (ret->n == 0);
        return true;
}

static bool has_pattern(struct str s)
{
        return str_find_char(s, '*') >= 0 || str_find_char(s, '?') >= 0 || str_find_char(s, '[') >= 0;
}

static void grow(struct arena *arena, struct pathset *s)
{
        s->table_size = s->table_size ? s->table_size * 2 : 4;
        s->table = arena_array(arena, s->table_size, sizeof(struct branch *));
        for (struct branch *b = s->branches; b; b = b->next) {
                size_t at = hash_str(b->component) & (s->table_size - 1);
                while (s->table[at])
                        at = (at + 1) & (s->table_size - 1);
                s->table[at] = b;
        }
}

static struct branch *find_plain(const struct pathset *s, struct str component)
{
        if (s->table_size == 0)
                return NULL;
        for (size_t at = hash_str(component) & (s->table_size - 1); s->table[at]; at = (at + 1) & (s->table_size - 1))
                if (str_eq(s->table[at]->component, component))
                        return s->table[at];
        return NULL;
}

static struct branch *find_or_add(struct arena *arena, struct pathset *s, struct str component, bool *ret_is_new)
{
        bool pattern = has_pattern(component);
        struct branch *b = pattern ? s->patterns : find_plain(s, component);
        while (pattern && b && !str_eq(b->component, component))
                b = b->next;
        *ret_is_new = !b;
        if (b)
                return b;
        b = arena_new(arena, struct branch);
        b->component = component;
        b->is_pattern = pattern;
        struct branch **list = pattern ? &s->patterns : &s->branches;
        b->next = *list;
        *list = b;
        if (!pattern && ++s->n * 2 > s->table_size) {
                grow(arena, s);
        } else if (!pattern) {
                size_t at = hash_str(component) & (s->table_size - 1);
                while (s->table[at])
                        at = (at + 1) & (s->table_size - 1);
                s->table[at] = b;
        }
        return b;
}

static void add(struct arena *arena, struct pathset *s, struct str path)
{
        struct str component, following;
        if (!next_component(&path, &component)) {
                s->holds_all = true;
                return;
        }
        for (size_t depth = 1;; depth++) {
                bool is_new, is_last = !next_component(&path, &following) || depth == COMPONENTS_MAX;
                struct branch *b = find_or_add(arena, s, component, &is_new);
                if (!is_new && !b->below)
                        return; /* a directory above it is in the set already */
                if (is_last) {
                        b->below = NULL;
                        return;
                }
                if (!b->below)
                        b->below = arena_new(arena, struct pathset);
                s = b->below;
                component = following;
        }
}

struct pathset *pathset_new(struct arena *arena, const struct value *paths, size_t n)
{
        struct pathset *s = arena_new(arena, struct pathset);
        for (size_t i = 0; i < n; i++)
                add(arena, s, paths[i].text);
        return s;
}

static bool match_from(const struct pathset *s, struct str path, unsigned *steps)
{
        struct str component;
        while (next_component(&path, &component)) {
                for (const struct branch *b = s->patterns; b; b = b->next) {
                        if (++*steps > PATTERN_STEPS_MAX)
                                return false;
                        if (glob_match(b->component, component, false) &&
                            (!b->below || match_from(b->below, path, steps)))
                                return true;
                }
                const struct branch *b = find_plain(s, component);
                if (!b || !b->below)
                        return b != NULL;
                s = b->below;
        }
        return false;
}

bool pathset_match(const struct pathset *s, struct str path)
{
        unsigned steps = 0;
        return s->holds_all || match_from(s, path, &steps);
}
