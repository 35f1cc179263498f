/* See hooks.h. What stands in where clang, bpftool or libbpf were missing when the program was built. */
#include "sense/hooks.h"

#include <errno.h>

int hooks_open(struct hooks **ret, struct error *err)
{
        return error_set(err, -EOPNOTSUPP, "built without BPF (clang, bpftool and libbpf were not there)");
}

void hooks_close(struct hooks *h) {}

struct str hooks_missing(const struct hooks *h) { return STR_NONE; }

int hooks_fd(const struct hooks *h) { return -1; }

void hooks_read(struct hooks *h, uint64_t until_ns, void (*each)(void *arg, struct str record), void *arg) {}

uint64_t hooks_drops(const struct hooks *h) { return 0; }
