/* See history-store.h. Chains of deltas are followed downwards first and then applied upwards: nothing recurses. */
#include "analyze/history-store.h"

#include <errno.h>
#include <stdlib.h>

void git_store_done(struct git_store *s)
{
        for (size_t i = 0; i < STORE_SLOTS; i++)
                free(s->slots[i].p);
        vec_done(&s->loose);
        vec_done(&s->objects);
        map64_done(&s->by_id);
        arena_done(&s->arena);
}

static uint64_t id_key(const struct git_id *id) { return hash_str(str_span(id->bytes, sizeof(id->bytes))); }

static uint64_t place_key(uint32_t pack, uint64_t offset)
{
        return ((uint64_t)pack + 1) << 44 | (offset & 0xfffffffffff);
}

size_t store_find(const struct git_store *s, const struct git_id *id)
{
        const uint64_t *at = map64_get(&s->by_id, id_key(id));
        if (!at || memcmp(&s->objects.v[*at - 1].id, id, sizeof(*id)) != 0)
                return SIZE_MAX;
        return (size_t)*at - 1;
}

bool git_store_add(struct git_store *s, const struct stored_object *o)
{
        bool is_new;
        if (s->objects.n >= HISTORY_OBJECTS_MAX)
                return false;
        uint64_t *at = map64_put(&s->by_id, id_key(&o->id), &is_new);
        if (is_new) {
                *vec_push(&s->objects) = *o;
                *at = s->objects.n;
        }
        return is_new;
}

/* --- contents that were needed before --- */

static struct git_store_slot *slot_of(struct git_store *s, uint64_t key)
{
        return &s->slots[(key * UINT64_C(0x9e3779b97f4a7c15)) >> 52];
}

static void remember(struct git_store *s, uint64_t key, enum git_type type, struct str content)
{
        struct git_store_slot *slot = slot_of(s, key);
        if (content.n > STORE_CACHE_MAX / 8)
                return;
        s->cached -= slot->n;
        free(slot->p);
        *slot = (struct git_store_slot){ 0 };
        if (s->cached + content.n > STORE_CACHE_MAX)
                return;
        *slot = (struct git_store_slot){
                .key = key, .type = (uint8_t)type, .p = xmalloc(content.n + 1), .n = content.n
        };
        if (content.n)
                memcpy(slot->p, content.p, content.n);
        s->cached += content.n;
}

/* --- packed objects --- */

VEC_TYPE(chain, struct git_packed);

/* Where a delta's base lies. Of another pack, or loose: -ENOENT until it is known. */
static int base_of(struct git_store *s, const struct git_packed *p, uint32_t *pack, uint64_t *offset)
{
        if (p->type == GIT_OFFSET_DELTA) {
                *offset = p->base_offset;
                return 0;
        }
        size_t i = store_find(s, &p->base);
        if (i == SIZE_MAX)
                return -ENOENT;
        *pack = s->objects.v[i].pack;
        *offset = s->objects.v[i].offset;
        return 0;
}

static int read_loose(struct git_store *s, uint64_t index, enum git_type *ret_type, struct buf *to)
{
        return git_loose(s->loose.v[index], ret_type, to);
}

struct walk_down {
        struct chain deltas;
        VEC(uint32_t) packs; /* of each of the deltas */
        VEC(uint64_t) keys;
};

/* Down to something whole, whose content is then in *to. */
static int find_bottom(struct git_store *s, uint32_t pack, uint64_t offset, struct walk_down *w,
                       enum git_type *ret_type, struct buf *to)
{
        for (;;) {
                size_t used;
                if (pack == STORE_LOOSE)
                        return read_loose(s, offset, ret_type, to);
                uint64_t key = place_key(pack, offset);
                const struct git_store_slot *slot = slot_of(s, key);
                if (slot->key == key) {
                        *to = (struct buf){ .p = to->p, .size = to->size, .max = slot->n + 1 };
                        buf_add(to, slot->p, slot->n);
                        *ret_type = (enum git_type)slot->type;
                        return 0;
                }
                struct git_packed p;
                struct str bytes = s->packs[pack].bytes;
                if (!git_packed_at(bytes, s->hash, offset, &p))
                        return -EBADMSG;
                if (p.type <= GIT_TAG) {
                        int r = git_inflate(str_from(bytes, (size_t)p.data), p.size, to, &used);
                        *ret_type = p.type;
                        if (r == 0)
                                remember(s, key, p.type, buf_str(to));
                        return r;
                }
                if (w->deltas.n >= HISTORY_CHAIN_MAX)
                        return -EBADMSG;
                *vec_push(&w->deltas) = p;
                *vec_push(&w->packs) = pack;
                *vec_push(&w->keys) = key;
                int r = base_of(s, &p, &pack, &offset);
                if (r < 0)
                        return r;
        }
}

int git_store_packed(struct git_store *s, uint32_t pack, uint64_t offset, enum git_type *ret_type, struct buf *to)
{
        struct walk_down w = { 0 };
        struct buf delta = { 0 }, next = { 0 };
        int r = find_bottom(s, pack, offset, &w, ret_type, to);
        for (size_t i = w.deltas.n; i-- > 0 && r == 0;) {
                size_t used;
                r = git_inflate(str_from(s->packs[w.packs.v[i]].bytes, (size_t)w.deltas.v[i].data), w.deltas.v[i].size,
                                &delta, &used);
                if (r == 0)
                        r = git_delta(buf_str(to), buf_str(&delta), &next);
                struct buf swap = *to;
                *to = next;
                next = swap;
                if (r == 0)
                        remember(s, w.keys.v[i], *ret_type, buf_str(to));
        }
        buf_done(&delta);
        buf_done(&next);
        vec_done(&w.deltas);
        vec_done(&w.packs);
        vec_done(&w.keys);
        return r;
}

int git_store_read(struct git_store *s, size_t object, struct buf *to)
{
        const struct stored_object *o = &s->objects.v[object];
        enum git_type type;
        if (o->pack == STORE_LOOSE)
                return read_loose(s, o->offset, &type, to);
        return git_store_packed(s, o->pack, o->offset, &type, to);
}
