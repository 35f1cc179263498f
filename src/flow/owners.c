/* See owners.h. */
#include "flow/owners.h"

void owners_init(struct owners *o) { *o = (struct owners){ .arena = ARENA_INIT, .digests = BUF_INIT(UINT32_MAX) }; }

void owners_done(struct owners *o)
{
        arena_done(&o->arena);
        map64_done(&o->by_path);
        vec_done(&o->list);
        vec_done(&o->aliases);
        buf_done(&o->digests);
}

void owners_alias(struct owners *o, const struct fact_file *link)
{
        struct str to = link->link;
        if (link->type != FILE_SYMLINK || str_find_char(link->path, '/') >= 0 || o->aliases.n >= OWNERS_ALIASES_MAX)
                return;
        while (to.n && to.p[0] == '/')
                to = str_from(to, 1);
        while (to.n && to.p[to.n - 1] == '/')
                to.n--;
        if (to.n == 0 || str_find(to, STR("..")) >= 0)
                return;
        *vec_push(&o->aliases) = (struct owner_alias){ arena_str(&o->arena, link->path), arena_str(&o->arena, to) };
}

static uint64_t real_hash(const struct owners *o, struct str path)
{
        struct str rest = path;
        struct str first = str_cut(&rest, '/');
        for (size_t i = 0; rest.p && i < o->aliases.n; i++) {
                if (!str_eq(first, o->aliases.v[i].from))
                        continue;
                _cleanup_(buf_done) struct buf real = BUF_INIT(SIZE_MAX);
                buf_add_str(&real, o->aliases.v[i].to);
                buf_putc(&real, '/');
                buf_add_str(&real, rest);
                return hash_str(buf_str(&real));
        }
        return hash_str(path);
}

void owners_add(struct owners *o, const struct fact_owned *claim, uint32_t package)
{
        uint64_t *at = map64_put(&o->by_path, real_hash(o, claim->path), NULL);
        if (!*at) {
                vec_push(&o->list)->package = package;
                *at = o->list.n;
        }
        struct owner *owner = &o->list.v[*at - 1];
        owner->is_config = owner->is_config || claim->config;
        if (claim->digest.n && claim->digest.n <= 32 && !owner->digest_bytes) {
                owner->package = package;
                owner->digest = (uint32_t)o->digests.n;
                owner->digest_bytes = (uint8_t)claim->digest.n;
                buf_add_str(&o->digests, claim->digest);
        }
}

struct owner *owners_find(struct owners *o, uint64_t path_hash)
{
        const uint64_t *at = map64_get(&o->by_path, path_hash);
        return at ? &o->list.v[*at - 1] : NULL;
}

struct owner *owners_find_path(struct owners *o, struct str path) { return owners_find(o, real_hash(o, path)); }

struct str owner_digest(const struct owners *o, const struct owner *owner)
{
        return str_upto(str_from(buf_str(&o->digests), owner->digest), owner->digest_bytes);
}
