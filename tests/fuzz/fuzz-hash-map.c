/* A compiled list of hashes, perhaps damaged: it opens or does not, and look-ups stay in it. */
#include "intel/hash-map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const uint8_t digests[][32] = { { 0 }, { 0x90, 0x01, 0x50, 0x98 }, { 0xba, 0x78 }, { 0xff, 0xff } };
        struct hash_map *m;
        struct str name;
        if (hash_map_open_memory(str_span(data, size), &m, NULL) < 0)
                return 0;
        for (size_t k = 0; k < HASH_KINDS; k++) {
                uint64_t n = hash_map_count(m, (enum hash_kind)k);
                for (size_t i = 0; i < ARRAY_SIZE(digests); i++)
                        (void)hash_map_find(m, (enum hash_kind)k, str_span(digests[i], hash_lengths[k]), n, &name);
        }
        /* and the first row that is there */
        for (size_t k = 0; k < HASH_KINDS && size >= HASH_MAP_HEADER + 32; k++)
                (void)hash_map_find(m, (enum hash_kind)k, str_span(data + HASH_MAP_HEADER, hash_lengths[k]), 3, &name);
        hash_map_close(m);
        return 0;
}
