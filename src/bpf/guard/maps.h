/* The maps of the guard, and its scratch: what shared/guard.h describes, and the host fills. Included once. */
#ifndef SEKISHO_BPF_GUARD_MAPS_H
#define SEKISHO_BPF_GUARD_MAPS_H

#include "bpf/shared/guard.h"
#include "bpf/shared/observe.h"

#include <bpf/bpf_helpers.h>

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, GUARD_CONTAINERS_MAX);
        __type(key, __u64);
        __type(value, struct guard_policy);
} policies SEC(".maps");

/* One list an image, shared by all of its containers. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
        __uint(max_entries, GUARD_IMAGES_MAX);
        __type(key, __u32);
        __array(
                values, struct {
                        __uint(type, BPF_MAP_TYPE_HASH);
                        __uint(max_entries, 1);
                        __uint(key_size, sizeof(__u64));
                        __uint(value_size, sizeof(struct guard_file));
                });
} images SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, GUARD_FOLDERS_MAX);
        __type(key, struct guard_folder);
        __type(value, __u8);
} folders SEC(".maps");

struct interpreter_name {
        char text[16];
};

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, 256);
        __type(key, struct interpreter_name);
        __type(value, struct guard_interpreter);
} interpreters SEC(".maps");

/* What an interpreter was started to run: by process, until it opened it. */
struct script_name {
        char text[GUARD_SCRIPT_MAX];
};

struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 8192);
        __type(key, __u32);
        __type(value, struct script_name);
} scripts SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct guard_settings);
} guard_settings SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_RINGBUF);
        __uint(max_entries, GUARD_RING_BYTES);
} findings SEC(".maps");

/* Records that found no room, by act. */
struct {
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, GUARD_ACTS);
        __type(key, __u32);
        __type(value, __u64);
} unheard SEC(".maps");

/*
 * A walk over words. Not on the stack: kernels before 6.7 verify the function of a bpf_loop as if it ran once, take
 * what stood on the stack before for what always stands there, and throw away the code for everything else.
 */
struct words {
        struct script_search search;
        __u32 at, size; /* in the scratch's text */
        __u32 name;     /* where the last name of the word begins */
};

struct scratch {
        struct words words;
        struct guard_event event; /* sent with the text behind it */
        char text[OBSERVE_TEXT_MAX + OBSERVE_PATH_MAX];
};

#include "bpf/scratch.h"

#endif
