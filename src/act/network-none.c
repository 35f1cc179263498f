/* See network.h. What stands in where clang, bpftool or libbpf were missing when the program was built. */
#include "act/network.h"

#include <errno.h>

#define WORDS "built without BPF (clang, bpftool and libbpf were not there)"

int act_cut(const struct act_target *t, unsigned what, const char *pins, struct error *err)
{
        return error_set(err, -EOPNOTSUPP, WORDS);
}

int act_rejoin(const struct act_target *t, const char *pins, struct error *err)
{
        return error_set(err, -EOPNOTSUPP, WORDS);
}

unsigned act_cuts(uint64_t cgroup_id, const char *pins) { return 0; }

int act_cut_each(const char *pins, void (*each)(void *arg, uint64_t cgroup_id, const char *path, unsigned what),
                 void *arg)
{
        return 0;
}

int act_cut_probe(struct error *err) { return error_set(err, -EOPNOTSUPP, WORDS); }
