/*
 * Hash tables with open addressing. Keys that input controls are hashed with a seed drawn at start, so that nobody can
 * choose names that collide; nothing that is printed may depend on the order of a table.
 */
#ifndef SEKISHO_BASE_MAP_H
#define SEKISHO_BASE_MAP_H

#include "base/str.h"

/* 64 bits of s under this process's random seed (XXH3). The same in a process and all it forks after first use. */
uint64_t hash_str(struct str s);
uint64_t hash_str_more(uint64_t h, struct str s); /* chained: of several parts in order */

/* Calls each with hash_str of the root "" and of every directory of the path a/b/c: a, a/b. In linear time. */
void hash_directories(struct str path, void (*each)(void *arg, uint64_t hash), void *arg);

/* From 64-bit keys (any value; 0 too) to 64-bit values. 16 bytes a slot, at most 7/8 full. */
struct map64 {
        struct map64_slot *slots;
        size_t size, n;
        bool has_zero;
        uint64_t zero_value;
};

struct map64_slot {
        uint64_t key, value;
};

void map64_done(struct map64 *m);
uint64_t *map64_get(const struct map64 *m, uint64_t key);             /* NULL if absent; valid until the next put */
uint64_t *map64_put(struct map64 *m, uint64_t key, bool *ret_is_new); /* finds or adds (value 0); ret may be NULL */
bool map64_remove(struct map64 *m, uint64_t key); /* true if it was there; a table that is mostly empty shrinks */

/*
 * Of a map that says where in a list each thing stands: the one of `key`, at place `at`, goes out of the list, and the
 * last one, of key `last` (which may be the same), takes its place.
 */
void map64_take_out(struct map64 *m, uint64_t key, uint64_t at, uint64_t last);

/* A set of 64-bit keys, 8 bytes a slot: for paths of large layers. */
struct set64 {
        uint64_t *slots;
        size_t size, n;
        bool has_zero;
};

void set64_done(struct set64 *s);
void set64_reserve(struct set64 *s, size_t n); /* room for n keys at once, so that no growing needs both sizes */
bool set64_has(const struct set64 *s, uint64_t key);
bool set64_add(struct set64 *s, uint64_t key); /* true if it was not there */

/* From strings (not copied: they must outlive the map) to pointers. */
struct map_str {
        struct map_str_slot *slots;
        size_t size, n;
};

struct map_str_slot {
        struct str key; /* key.p == NULL: free */
        void *value;
};

void map_str_done(struct map_str *m);
void *map_str_get(const struct map_str *m, struct str key);              /* NULL if absent */
void **map_str_put(struct map_str *m, struct str key, bool *ret_is_new); /* finds or adds (value NULL) */

#endif
