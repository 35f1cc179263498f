/*
 * Room for what does not fit on the 512 bytes of a program's stack: one `struct scratch`, which the file defines before
 * it includes this, for each processor. NULL for the verifier's sake alone.
 */
#ifndef SEKISHO_BPF_SCRATCH_H
#define SEKISHO_BPF_SCRATCH_H

struct {
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct scratch);
} scratch SEC(".maps");

static __always_inline struct scratch *get_scratch(void)
{
        __u32 zero = 0;
        return bpf_map_lookup_elem(&scratch, &zero);
}

#endif
