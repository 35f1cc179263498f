/* See network.h. The skeleton comes from bpf/network (made by the build). */
#include "act/network.h"

#include "base/fs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <contain.skel.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define HANDLE_KERNFS 0xfe /* a file handle that is the 64-bit id of a kernfs node: a cgroup's */
#define BPFFS_DEFAULT "/sys/fs/bpf"

/* The programs, and what each of them is a part of. Its name is that of its pin. */
static const struct part {
        const char *program;
        unsigned what;
} parts[] = {
        { "deny_connect4", ACT_CUT_CONNECT }, { "deny_connect6", ACT_CUT_CONNECT }, { "deny_sendmsg4", ACT_CUT_SEND },
        { "deny_sendmsg6", ACT_CUT_SEND },    { "deny_bind4", ACT_CUT_BIND },       { "deny_bind6", ACT_CUT_BIND },
        { "cut_ingress", ACT_CUT_PACKETS },   { "cut_egress", ACT_CUT_PACKETS },
};

static int _printf_(2, 0) be_quiet(enum libbpf_print_level level, const char *format, va_list args) { return 0; }

static void dir_of(char ret[ACT_PATH_MAX], const char *pins, uint64_t cgroup_id)
{
        snprintf(ret, ACT_PATH_MAX, "%s/%llu", pins, (unsigned long long)cgroup_id);
}

static void pin_of(char ret[ACT_PATH_MAX], const char *dir, const char *program)
{
        snprintf(ret, ACT_PATH_MAX, "%.*s/%s", (int)(ACT_PATH_MAX - 64), dir, program);
}

static bool is_bpffs(const char *path)
{
        struct statfs fs;
        return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

/* The directory for a container's pins. systemd mounts the file system; elsewhere it is done here, in its usual place.
 */
static int make_dir(const char *pins, const char *dir, struct error *err)
{
        if (strncmp(pins, BPFFS_DEFAULT "/", strlen(BPFFS_DEFAULT "/")) == 0 && !is_bpffs(BPFFS_DEFAULT) &&
            mount("bpf", BPFFS_DEFAULT, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
                return error_errno(err, -errno, "no BPF file system can be mounted on %s", BPFFS_DEFAULT);
        int r = make_dirs(dir, 0700);
        if (r < 0)
                return error_errno(err, r, "%s", dir);
        if (is_bpffs(dir))
                return 0;
        rmdir(dir);
        return error_set(err, -EINVAL, "%s is not on a BPF file system (mount -t bpf bpf DIR)", pins);
}

/* Attached, and kept by its name. */
static int attach_one(struct bpf_program *p, int cgroup, const char *pin)
{
        struct bpf_link *link = bpf_program__attach_cgroup(p, cgroup);
        if (!link)
                return -errno;
        int r = pin ? bpf_link__pin(link, pin) : 0;
        bpf_link__destroy(link); /* what is pinned stays */
        return r;
}

/* Attaches those of `what` that are not pinned in `dir` yet; dir NULL: all, for a moment. *ret_new: bits of parts[]. */
static int attach(const char *unified, unsigned what, const char *dir, unsigned *ret_new)
{
        char pin[ACT_PATH_MAX];
        _cleanup_(closep) int cgroup = open(unified, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (cgroup < 0)
                return -errno;
        struct contain *bpf = contain__open_and_load();
        int r = bpf ? 0 : -errno;
        for (size_t i = 0; i < ARRAY_SIZE(parts) && r == 0; i++) {
                if (dir)
                        pin_of(pin, dir, parts[i].program);
                if (!(parts[i].what & what) || (dir && access(pin, F_OK) == 0))
                        continue;
                r = attach_one(bpf_object__find_program_by_name(bpf->obj, parts[i].program), cgroup, dir ? pin : NULL);
                if (r == 0)
                        *ret_new |= 1u << i;
        }
        contain__destroy(bpf);
        return r;
}

static int refused(struct error *err, int r, const char *name)
{
        if (r == -EPERM && geteuid() != 0)
                return error_set(err, r,
                                 "container %s cannot be cut off: root is needed (or CAP_BPF and CAP_NET_ADMIN)", name);
        return error_errno(err, r, "container %s cannot be cut off", name);
}

int act_cut(const struct act_target *t, unsigned what, const char *pins, struct error *err)
{
        char dir[ACT_PATH_MAX], pin[ACT_PATH_MAX];
        unsigned attached = 0;
        if (!t->unified[0])
                return error_set(
                        err, -EOPNOTSUPP,
                        "container %s cannot be cut off: its processes stand in the root of cgroup v2, where no "
                        "program can tell them from the host's",
                        t->name);
        dir_of(dir, pins, t->cgroup_id);
        int r = make_dir(pins, dir, err);
        if (r < 0)
                return error_prefix(err, r, "container %s cannot be cut off", t->name);
        libbpf_print_fn_t before = libbpf_set_print(be_quiet);
        r = attach(t->unified, what, dir, &attached);
        libbpf_set_print(before);
        if (r == 0)
                return 0;
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                if (attached & 1u << i) {
                        pin_of(pin, dir, parts[i].program);
                        unlink(pin);
                }
        rmdir(dir);
        return refused(err, r, t->name);
}

static int take_away(const char *pins, uint64_t cgroup_id)
{
        char dir[ACT_PATH_MAX], pin[ACT_PATH_MAX];
        dir_of(dir, pins, cgroup_id);
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
                pin_of(pin, dir, parts[i].program);
                if (unlink(pin) < 0 && errno != ENOENT)
                        return -errno;
        }
        if (rmdir(dir) < 0 && errno != ENOENT)
                return -errno;
        rmdir(pins); /* the last one takes the directory with it */
        return 0;
}

int act_rejoin(const struct act_target *t, const char *pins, struct error *err)
{
        int r = take_away(pins, t->cgroup_id);
        return r < 0 ? error_errno(err, r, "container %s cannot rejoin the network", t->name) : 0;
}

unsigned act_cuts(uint64_t cgroup_id, const char *pins)
{
        char dir[ACT_PATH_MAX], pin[ACT_PATH_MAX];
        unsigned missing = 0;
        dir_of(dir, pins, cgroup_id);
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
                pin_of(pin, dir, parts[i].program);
                if (access(pin, F_OK) < 0)
                        missing |= parts[i].what;
        }
        return ACT_CUT_ALL & ~missing;
}

/* The path of a cgroup by its id, in the v2 hierarchy. -ESTALE: it is gone. */
static int path_of_id(int mount_fd, const char *mount, uint64_t id, char ret[ACT_PATH_MAX])
{
        struct {
                struct file_handle head;
                uint64_t id;
        } handle = { { sizeof(handle.id), HANDLE_KERNFS }, id };
        char link[64], whole[ACT_PATH_MAX];
        _cleanup_(closep) int fd = open_by_handle_at(mount_fd, &handle.head, O_PATH | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, whole, sizeof(whole) - 1);
        if (n < 0)
                return -errno;
        whole[n] = '\0';
        struct str path = str_span(whole, (size_t)n);
        if (str_ends(path, STR(" (deleted)")))
                return -ESTALE;
        snprintf(ret, ACT_PATH_MAX, "%.*s", STR_FMT(str_from(path, strlen(mount))));
        return 0;
}

int act_cut_each(const char *pins, void (*each)(void *arg, uint64_t cgroup_id, const char *path, unsigned what),
                 void *arg)
{
        char mount[ACT_PATH_MAX], path[ACT_PATH_MAX];
        if (!act_cgroup_mount(NULL, mount))
                return -EOPNOTSUPP;
        _cleanup_(closep) int mount_fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = opendir(pins);
        if (!d)
                return errno == ENOENT ? 0 : -errno;
        for (struct dirent *e; (e = readdir(d));) {
                uint64_t id;
                if (!str_u64(str_of(e->d_name), &id))
                        continue;
                int r = path_of_id(mount_fd, mount, id, path);
                if (r == 0)
                        each(arg, id, path, act_cuts(id, pins));
                else if (r == -ESTALE || r == -ENOENT)
                        (void)take_away(pins, id);
        }
        closedir(d);
        return 0;
}

int act_cut_probe(struct error *err)
{
        char mount[ACT_PATH_MAX], dir[ACT_PATH_MAX + 64];
        unsigned attached = 0;
        if (!act_cgroup_mount(NULL, mount))
                return error_set(err, -EOPNOTSUPP, "no cgroup v2 hierarchy is mounted");
        snprintf(dir, sizeof(dir), "%s/sekisho-probe-%d", mount, getpid());
        if (mkdir(dir, 0755) < 0)
                return error_errno(err, -errno, "no cgroup can be made to try it on");
        libbpf_print_fn_t before = libbpf_set_print(be_quiet);
        int r = attach(dir, ACT_CUT_ALL, NULL, &attached);
        libbpf_set_print(before);
        rmdir(dir);
        return r < 0 ? error_errno(err, r, "the kernel does not take the programs") : 0;
}
