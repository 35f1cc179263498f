/* See barrier.h. The skeleton comes from bpf/guard (made by the build). */
#include "sense/barrier.h"

#include "sense/bpf-words.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <guard.skel.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* The programs that deny, and what each of them is for. */
static const struct lsm_program {
        const char *program, *hook;
        uint32_t acts; /* bits of enum guard_act */
} lsm_programs[] = {
        { "deny_exec", "bprm_check_security", 1u << GUARD_EXEC },
        { "deny_map", "mmap_file", 1u << GUARD_MAP },
        { "deny_protect", "file_mprotect", 0 },
        { "deny_open", "file_open", 1u << GUARD_SCRIPT | 1u << GUARD_OVERWRITE },
        { "deny_unlink", "path_unlink", 1u << GUARD_REMOVE },
        { "deny_rename", "path_rename", 1u << GUARD_RENAME },
        { "deny_link", "path_link", 1u << GUARD_LINK },
        { "deny_truncate", "path_truncate", 1u << GUARD_TRUNCATE },
        { "deny_file_truncate", "file_truncate", 0 }, /* 6.2: before, path_truncate hears of it */
        { "deny_fcntl", "file_fcntl", 0 },
        { "deny_connect", "socket_connect", 1u << GUARD_CONNECT },
        { "deny_ptrace", "ptrace_access_check", 1u << GUARD_PTRACE },
        { "deny_bpf", "bpf", 1u << GUARD_BPF },
};

struct barrier {
        struct guard_bpf *bpf;
        struct ring_buffer *ring;
        int cpus;
        uint32_t denies; /* bits of enum guard_act */

        /* During barrier_read. */
        void (*each)(void *arg, struct str record);
        void *arg;
        size_t n, most;
};

uint32_t barrier_dev(uint64_t st_dev) { return major(st_dev) << 20 | minor(st_dev); }

static struct guard_bpf *open_programs(struct error *err)
{
        struct stat st;
        bpf_words_begin();
        struct guard_bpf *bpf = guard_bpf__open();
        if (!bpf) {
                bpf_refused(err, -errno, "the BPF programs cannot be opened");
                return NULL;
        }
        bpf->rodata->host_mounts = bpf_host_namespace("mnt");
        bpf->rodata->host_pids = bpf_host_namespace("pid");
        if (stat("/proc/1/root/", &st) == 0)
                bpf->rodata->host_root_dev = barrier_dev(st.st_dev);
        return bpf;
}

static struct bpf_program *find(struct guard_bpf *bpf, const char *name)
{
        return bpf_object__find_program_by_name(bpf->obj, name);
}

static void only(struct guard_bpf *bpf, const char *name)
{
        struct bpf_program *p;
        bpf_object__for_each_program(p, bpf->obj) bpf_program__set_autoload(p, strcmp(bpf_program__name(p), name) == 0);
}

/* Loads and attaches one program alone. */
static int try_program(const char *name, uint32_t probe_pid, struct guard_bpf **ret_bpf, struct bpf_link **ret_link,
                       struct error *err)
{
        struct guard_bpf *bpf = open_programs(err);
        if (!bpf)
                return -EOPNOTSUPP;
        only(bpf, name);
        bpf->rodata->probe_pid = probe_pid;
        int r = guard_bpf__load(bpf);
        struct bpf_link *link = r == 0 ? bpf_program__attach(find(bpf, name)) : NULL;
        if (r == 0 && !link)
                r = -errno;
        if (r < 0) {
                if (r == -EPERM && geteuid() == 0)
                        (void)error_set(err, r, "the kernel refuses to load such programs (EPERM)");
                else
                        (void)bpf_refused(err, r, "the kernel refuses it");
                guard_bpf__destroy(bpf);
                return r;
        }
        *ret_bpf = bpf;
        *ret_link = link;
        return 0;
}

/*
 * Does the kernel call LSM programs? Without "bpf" among its LSMs it takes them and never does. So one is loaded that
 * denies something to us, and we ask for that.
 */
static int try_lsm(struct error *err)
{
        struct guard_bpf *bpf;
        struct bpf_link *link;
        uint32_t id;
        int r = try_program("deny_bpf", (uint32_t)getpid(), &bpf, &link, err);
        if (r < 0)
                return r;
        bool is_called = bpf_map_get_next_id(0, &id) < 0 && errno == EPERM;
        bpf_link__destroy(link);
        guard_bpf__destroy(bpf);
        return is_called ? 0
                         : error_set(err, -EOPNOTSUPP,
                                     "the kernel takes the programs and never calls them: it was started without "
                                     "\"bpf\" in lsm=");
}

/* Leaves out what this kernel does not take: all that is LSM, or the hooks that it does not have. */
static uint32_t choose_programs(struct guard_bpf *bpf, bool has_lsm)
{
        uint32_t denies = 0;
        for (size_t i = 0; i < ARRAY_SIZE(lsm_programs); i++) {
                const struct lsm_program *p = &lsm_programs[i];
                bool is_there = has_lsm && libbpf_find_vmlinux_btf_id(p->hook, BPF_LSM_MAC) > 0;
                bpf_program__set_autoload(find(bpf, p->program), is_there);
                denies |= is_there ? p->acts : 0;
        }
        return denies;
}

static int take_record(void *ctx, void *data, size_t size)
{
        struct barrier *b = ctx;
        b->each(b->arg, str_span(data, size));
        return ++b->n < b->most ? 0 : -EAGAIN; /* stops here; the record counts as read */
}

int barrier_open(struct barrier **ret, struct error *err)
{
        struct error why = ERROR_NONE;
        bool has_lsm = try_lsm(&why) == 0;
        struct guard_bpf *bpf = open_programs(err);
        if (!bpf)
                return -EOPNOTSUPP;
        struct barrier *b = xcalloc(1, sizeof(*b));
        *b = (struct barrier){ .bpf = bpf, .cpus = libbpf_num_possible_cpus() };
        b->denies = choose_programs(bpf, has_lsm);
        int r = guard_bpf__load(bpf);
        if (r == 0)
                r = guard_bpf__attach(bpf);
        if (r == 0) {
                b->ring = ring_buffer__new(bpf_map__fd(bpf->maps.findings), take_record, b, NULL);
                r = b->ring ? 0 : -errno;
        }
        if (r < 0) {
                (void)bpf_refused(err, r, "the kernel does not take the guard");
                barrier_close(b);
                return r;
        }
        *ret = b;
        return 0;
}

void barrier_close(struct barrier *b)
{
        if (!b)
                return;
        ring_buffer__free(b->ring);
        guard_bpf__destroy(b->bpf);
        free(b);
}

bool barrier_can_deny(const struct barrier *b, enum guard_act act) { return b->denies >> act & 1; }

int barrier_fd(const struct barrier *b) { return ring_buffer__epoll_fd(b->ring); }

size_t barrier_read(struct barrier *b, size_t most, void (*each)(void *arg, struct str record), void *arg)
{
        b->each = each;
        b->arg = arg;
        b->most = most;
        b->n = 0;
        (void)ring_buffer__consume(b->ring);
        return b->n;
}

uint64_t barrier_unheard(const struct barrier *b)
{
        uint64_t sum = 0, *values = xcalloc((size_t)b->cpus, sizeof(*values));
        for (uint32_t act = 0; act < GUARD_ACTS; act++) {
                if (bpf_map_lookup_elem(bpf_map__fd(b->bpf->maps.unheard), &act, values) < 0)
                        continue;
                for (int i = 0; i < b->cpus; i++)
                        sum += values[i];
        }
        free(values);
        return sum;
}

/* ------------------------------------------------------------------------------------------------------ maps ---- */

static int put(struct bpf_map *map, const void *key, const void *value)
{
        return bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY) < 0 ? -errno : 0;
}

static int drop(struct bpf_map *map, const void *key)
{
        return bpf_map_delete_elem(bpf_map__fd(map), key) < 0 ? -errno : 0;
}

int barrier_set_unknown(struct barrier *b, enum guard_mode mode)
{
        uint32_t zero = 0;
        struct guard_settings s = { .unknown_mode = mode };
        return put(b->bpf->maps.guard_settings, &zero, &s);
}

int barrier_policy(const struct barrier *b, uint64_t cgroup_id, struct guard_policy *ret)
{
        return bpf_map_lookup_elem(bpf_map__fd(b->bpf->maps.policies), &cgroup_id, ret) < 0 ? -errno : 0;
}

int barrier_set_policy(struct barrier *b, uint64_t cgroup_id, const struct guard_policy *p)
{
        return put(b->bpf->maps.policies, &cgroup_id, p);
}

int barrier_forget_policy(struct barrier *b, uint64_t cgroup_id) { return drop(b->bpf->maps.policies, &cgroup_id); }

int barrier_list_new(size_t n_max)
{
        if (n_max > GUARD_FILES_MAX)
                return -E2BIG;
        int list = bpf_map_create(BPF_MAP_TYPE_HASH, "guard_list", sizeof(uint64_t), sizeof(struct guard_file),
                                  n_max ? (uint32_t)n_max : 1, NULL);
        return list < 0 ? -errno : list;
}

int barrier_list_add(int list, const struct barrier_file *files, size_t n)
{
        uint64_t *keys = xcalloc(n, sizeof(*keys));
        struct guard_file *values = xcalloc(n, sizeof(*values));
        uint32_t count = (uint32_t)n;
        for (size_t i = 0; i < n; i++) {
                keys[i] = files[i].ino;
                values[i] = files[i].file;
        }
        int r = n > 0 && bpf_map_update_batch(list, keys, values, &count, NULL) < 0 ? -errno : 0;
        free(keys);
        free(values);
        return r;
}

int barrier_set_list(struct barrier *b, uint32_t image, int list) { return put(b->bpf->maps.images, &image, &list); }

int barrier_forget_list(struct barrier *b, uint32_t image) { return drop(b->bpf->maps.images, &image); }

int barrier_strike(struct barrier *b, uint32_t image, uint64_t ino)
{
        uint32_t id;
        if (bpf_map_lookup_elem(bpf_map__fd(b->bpf->maps.images), &image, &id) < 0)
                return -errno;
        int fd = bpf_map_get_fd_by_id(id);
        int r = fd < 0 || bpf_map_delete_elem(fd, &ino) < 0 ? -errno : 0;
        if (fd >= 0)
                close(fd);
        return r;
}

int barrier_set_folder(struct barrier *b, uint32_t dev, uint64_t ino, bool only_grows)
{
        struct guard_folder key = { .ino = ino, .dev = dev };
        uint8_t one = 1;
        return only_grows ? put(b->bpf->maps.folders, &key, &one) : drop(b->bpf->maps.folders, &key);
}

int barrier_set_interpreter(struct barrier *b, struct str name, const struct guard_interpreter *in)
{
        char key[16] = { 0 };
        memcpy(key, name.p, MIN(name.n, sizeof(key) - 1));
        return put(b->bpf->maps.interpreters, key, in);
}

/* ----------------------------------------------------------------------------------------------------- probe ---- */

void barrier_probe(struct barrier_probe ret[BARRIER_PROBES])
{
        struct guard_bpf *bpf;
        struct bpf_link *link;
        struct error err = ERROR_NONE, lsm = ERROR_NONE;
        ret[0] = (struct barrier_probe){ .gives = "kill by manifest" };
        ret[0].r = try_program("guard_exec", 0, &bpf, &link, &err);
        if (ret[0].r == 0) {
                bpf_link__destroy(link);
                guard_bpf__destroy(bpf);
        }
        snprintf(ret[0].words, sizeof(ret[0].words), "%.190s",
                 ret[0].r == 0 ? "what the image does not contain dies before its first instruction (--drift-mode)"
                               : err.text);
        ret[1] = (struct barrier_probe){ .gives = "deny by BPF LSM" };
        ret[1].r = try_lsm(&lsm);
        snprintf(ret[1].words, sizeof(ret[1].words), "%.190s",
                 ret[1].r == 0 ? "exec, code, scripts, connect, ptrace, bpf, logs that only grow" : lsm.text);
}
