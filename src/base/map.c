/* See map.h. Linear probing over powers of two; what is removed leaves no tombstone, those behind it move up. */
#include "base/map.h"

#include "base/arena.h"

#include <stdlib.h>
#include <sys/random.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#define SLOTS_MIN 16u

static uint64_t seed(void)
{
        static uint64_t value;
        if (!value) {
                if (getrandom(&value, sizeof(value), GRND_NONBLOCK) != sizeof(value))
                        value = (uintptr_t)&value; /* ASLR is better than nothing */
                value |= 1;
        }
        return value;
}

uint64_t hash_str(struct str s) { return XXH3_64bits_withSeed(s.n ? s.p : "", s.n, seed()); }

uint64_t hash_str_more(uint64_t h, struct str s) { return XXH3_64bits_withSeed(s.n ? s.p : "", s.n, h ^ seed()); }

void hash_directories(struct str path, void (*each)(void *arg, uint64_t hash), void *arg)
{
        XXH3_state_t state;
        XXH3_INITSTATE(&state);
        (void)XXH3_64bits_reset_withSeed(&state, seed());
        each(arg, hash_str(STR("")));
        for (size_t done = 0, i = 0; i < path.n; i++) {
                if (path.p[i] != '/' || i == 0)
                        continue;
                (void)XXH3_64bits_update(&state, path.p + done, i - done);
                done = i;
                each(arg, XXH3_64bits_digest(&state));
        }
}

static size_t grown(size_t size) { return size ? size * 2 : SLOTS_MIN; }

static bool is_crowded(size_t n, size_t size) { return n + 1 > size / 8 * 7; }

/* Keys may be small integers: spread them. */
static size_t spread(uint64_t key, size_t size) { return (size_t)((key * 0x9e3779b97f4a7c15u) >> 20) & (size - 1); }

void map64_done(struct map64 *m)
{
        free(m->slots);
        *m = (struct map64){ 0 };
}

uint64_t *map64_get(const struct map64 *m, uint64_t key)
{
        if (key == 0)
                return m->has_zero ? (uint64_t *)&m->zero_value : NULL;
        if (!m->size)
                return NULL;
        for (size_t i = spread(key, m->size);; i = (i + 1) & (m->size - 1)) {
                if (m->slots[i].key == key)
                        return &m->slots[i].value;
                if (m->slots[i].key == 0)
                        return NULL;
        }
}

static struct map64_slot *map64_free_slot(struct map64_slot *slots, size_t size, uint64_t key)
{
        size_t i = spread(key, size);
        while (slots[i].key)
                i = (i + 1) & (size - 1);
        return &slots[i];
}

static void map64_resize(struct map64 *m, size_t size)
{
        struct map64_slot *slots = xcalloc(size, sizeof(*slots));
        for (size_t i = 0; i < m->size; i++)
                if (m->slots[i].key)
                        *map64_free_slot(slots, size, m->slots[i].key) = m->slots[i];
        free(m->slots);
        m->slots = slots;
        m->size = size;
}

uint64_t *map64_put(struct map64 *m, uint64_t key, bool *ret_is_new)
{
        uint64_t *found = map64_get(m, key);
        if (ret_is_new)
                *ret_is_new = !found;
        if (found)
                return found;
        if (key == 0) {
                m->has_zero = true;
                return &m->zero_value;
        }
        if (is_crowded(m->n, m->size))
                map64_resize(m, grown(m->size));
        struct map64_slot *slot = map64_free_slot(m->slots, m->size, key);
        slot->key = key;
        m->n++;
        return &slot->value;
}

/* Those behind the gap, up to the next free slot, move into it where it lies between them and where they belong. */
static void map64_close_gap(struct map64 *m, size_t gap)
{
        size_t mask = m->size - 1;
        for (size_t i = (gap + 1) & mask; m->slots[i].key; i = (i + 1) & mask) {
                size_t home = spread(m->slots[i].key, m->size);
                if (((i - home) & mask) < ((i - gap) & mask))
                        continue;
                m->slots[gap] = m->slots[i];
                gap = i;
        }
        m->slots[gap] = (struct map64_slot){ 0 };
}

bool map64_remove(struct map64 *m, uint64_t key)
{
        const uint64_t *value = map64_get(m, key);
        if (!value)
                return false;
        if (key == 0) {
                m->has_zero = false;
                m->zero_value = 0;
                return true;
        }
        size_t i = spread(key, m->size);
        while (m->slots[i].key != key)
                i = (i + 1) & (m->size - 1);
        map64_close_gap(m, i);
        m->n--;
        if (m->size > SLOTS_MIN && m->n < m->size / 8)
                map64_resize(m, m->size / 2);
        return true;
}

void map64_take_out(struct map64 *m, uint64_t key, uint64_t at, uint64_t last)
{
        map64_remove(m, key);
        if (last != key)
                *map64_get(m, last) = at;
}

void set64_done(struct set64 *s)
{
        free(s->slots);
        *s = (struct set64){ 0 };
}

static bool set64_find(const uint64_t *slots, size_t size, uint64_t key, size_t *ret_at)
{
        size_t i = spread(key, size);
        while (slots[i] && slots[i] != key)
                i = (i + 1) & (size - 1);
        *ret_at = i;
        return slots[i] == key;
}

bool set64_has(const struct set64 *s, uint64_t key)
{
        size_t at;
        if (key == 0)
                return s->has_zero;
        return s->size && set64_find(s->slots, s->size, key, &at);
}

static void set64_resize(struct set64 *s, size_t size)
{
        size_t at;
        uint64_t *slots = xcalloc(size, sizeof(*slots));
        for (size_t i = 0; i < s->size; i++)
                if (s->slots[i] && !set64_find(slots, size, s->slots[i], &at))
                        slots[at] = s->slots[i];
        free(s->slots);
        s->slots = slots;
        s->size = size;
}

void set64_reserve(struct set64 *s, size_t n)
{
        size_t size = MAX(s->size, (size_t)16);
        while (is_crowded(n, size))
                size = grown(size);
        if (size > s->size)
                set64_resize(s, size);
}

bool set64_add(struct set64 *s, uint64_t key)
{
        size_t at;
        if (set64_has(s, key))
                return false;
        if (key == 0) {
                s->has_zero = true;
                return true;
        }
        if (is_crowded(s->n, s->size))
                set64_resize(s, grown(s->size));
        (void)set64_find(s->slots, s->size, key, &at);
        s->slots[at] = key;
        s->n++;
        return true;
}

void map_str_done(struct map_str *m)
{
        free(m->slots);
        *m = (struct map_str){ 0 };
}

static struct map_str_slot *map_str_slot(struct map_str_slot *slots, size_t size, struct str key)
{
        size_t i = (size_t)hash_str(key) & (size - 1);
        while (slots[i].key.p && !str_eq(slots[i].key, key))
                i = (i + 1) & (size - 1);
        return &slots[i];
}

void *map_str_get(const struct map_str *m, struct str key)
{
        return m->size ? map_str_slot(m->slots, m->size, key)->value : NULL;
}

void **map_str_put(struct map_str *m, struct str key, bool *ret_is_new)
{
        if (!key.p)
                key.p = "";
        if (is_crowded(m->n, m->size)) {
                size_t size = grown(m->size);
                struct map_str_slot *slots = xcalloc(size, sizeof(*slots));
                for (size_t i = 0; i < m->size; i++)
                        if (m->slots[i].key.p)
                                *map_str_slot(slots, size, m->slots[i].key) = m->slots[i];
                free(m->slots);
                m->slots = slots;
                m->size = size;
        }
        struct map_str_slot *slot = map_str_slot(m->slots, m->size, key);
        if (ret_is_new)
                *ret_is_new = !slot->key.p;
        if (!slot->key.p) {
                slot->key = key;
                m->n++;
        }
        return &slot->value;
}
