/* See barrier.h. What stands in where clang, bpftool or libbpf were missing when the program was built. */
#include "sense/barrier.h"

#include <errno.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#define WORDS "built without BPF (clang, bpftool and libbpf were not there)"

int barrier_open(struct barrier **ret, struct error *err) { return error_set(err, -EOPNOTSUPP, WORDS); }

void barrier_close(struct barrier *b) {}

bool barrier_can_deny(const struct barrier *b, enum guard_act act) { return false; }

int barrier_fd(const struct barrier *b) { return -1; }

size_t barrier_read(struct barrier *b, size_t most, void (*each)(void *arg, struct str record), void *arg) { return 0; }

uint64_t barrier_unheard(const struct barrier *b) { return 0; }

int barrier_set_unknown(struct barrier *b, enum guard_mode mode) { return -EOPNOTSUPP; }

int barrier_policy(const struct barrier *b, uint64_t cgroup_id, struct guard_policy *ret) { return -EOPNOTSUPP; }

int barrier_set_policy(struct barrier *b, uint64_t cgroup_id, const struct guard_policy *p) { return -EOPNOTSUPP; }

int barrier_forget_policy(struct barrier *b, uint64_t cgroup_id) { return -EOPNOTSUPP; }

int barrier_list_new(size_t n_max) { return -EOPNOTSUPP; }

int barrier_list_add(int list, const struct barrier_file *files, size_t n) { return -EOPNOTSUPP; }

int barrier_set_list(struct barrier *b, uint32_t image, int list) { return -EOPNOTSUPP; }

int barrier_forget_list(struct barrier *b, uint32_t image) { return -EOPNOTSUPP; }

int barrier_strike(struct barrier *b, uint32_t image, uint64_t ino) { return -EOPNOTSUPP; }

int barrier_set_folder(struct barrier *b, uint32_t dev, uint64_t ino, bool only_grows) { return -EOPNOTSUPP; }

int barrier_set_interpreter(struct barrier *b, struct str name, const struct guard_interpreter *in)
{
        return -EOPNOTSUPP;
}

uint32_t barrier_dev(uint64_t st_dev) { return major(st_dev) << 20 | minor(st_dev); }

void barrier_probe(struct barrier_probe ret[BARRIER_PROBES])
{
        static const char *const gives[BARRIER_PROBES] = { "kill by manifest", "deny by BPF LSM" };
        for (size_t i = 0; i < BARRIER_PROBES; i++) {
                ret[i] = (struct barrier_probe){ .gives = gives[i], .r = -EOPNOTSUPP };
                snprintf(ret[i].words, sizeof(ret[i].words), "%s", WORDS);
        }
}
