/* A list of hashes, as a user may download one. */
#include "intel/hash-list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char digest[32] = "\x90\x01\x50\x98\x3c\xd2\x4f\xb0\xd6\x96\x3f\x7d\x28\xe1\x7f\x72";
        struct hash_list *l = hash_list_new();
        struct str name;
        (void)hash_list_add(l, str_span(data, size), "fuzz", NULL);
        hash_list_seal(l);
        (void)hash_list_find(l, HASH_MD5, str_span(digest, 16), 3, &name);
        (void)hash_list_find(l, HASH_SHA256, str_span(digest, 32), 3, &name);
        hash_list_free(l);
        return 0;
}
