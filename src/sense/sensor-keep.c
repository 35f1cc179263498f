/*
 * Programs that outlive the agent: their links and maps are pinned in a directory of a BPF file system. The ring goes
 * on filling and what must die dies, while nobody reads; the next agent takes the maps over, attaches programs of its
 * own beside the old ones, and puts their links in the place of the old links. For that moment both are attached: an
 * event may come twice, none is missed.
 */
#include "sense/sensor-private.h"

#include "base/fs.h"
#include "sense/bpf-words.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LAYOUT   1      /* of records and maps: what was pinned by another one is not taken over */
#define NEW_LINK "-new" /* a BPF file system takes no dots */

static const char *const map_names[] = { "lifecycle", "drops", "settings", "containers" };
static const char *const link_names[] = { "on_exec", "on_fork", "on_exit" };

static bool is_kept_map(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(map_names); i++)
                if (strcmp(name, map_names[i]) == 0)
                        return true;
        return false;
}

/* Is the file one that an agent of any layout keeps? "on_exec-1", "on_exec-1-new". */
static bool is_ours(const char *file, const char *const *names, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                size_t length = strlen(names[i]);
                if (strncmp(file, names[i], length) == 0 && file[length] == '-')
                        return true;
        }
        return false;
}

static void pin_path(char path[static SENSOR_PATH_MAX], const char *pins, const char *name, const char *suffix)
{
        snprintf(path, SENSOR_PATH_MAX, "%s/%s-%u%s", pins, name, LAYOUT, suffix);
}

static int make_directory(const char *pins, struct error *err)
{
        struct statfs fs;
        int r = strlen(pins) >= SENSOR_PATH_MAX - 64 ? -ENAMETOOLONG : make_dirs(pins, 0700);
        if (r < 0)
                return error_errno(err, r, "%s cannot be made", pins);
        if (statfs(pins, &fs) < 0 || fs.f_type != BPF_FS_MAGIC)
                return error_set(err, -EMEDIUMTYPE,
                                 "%s is not on a BPF file system: mount -t bpf bpf /sys/fs/bpf, and name a directory "
                                 "below it",
                                 pins);
        return 0;
}

int sensor_keep_maps(struct observe *bpf, const char *pins, struct error *err)
{
        char path[SENSOR_PATH_MAX];
        struct bpf_map *map;
        int r = make_directory(pins, err);
        bpf_object__for_each_map(map, bpf->obj)
        {
                if (r < 0 || !is_kept_map(bpf_map__name(map)))
                        continue;
                pin_path(path, pins, bpf_map__name(map), "");
                r = bpf_map__set_pin_path(map, path);
                if (r < 0)
                        (void)bpf_refused(err, r, "a map cannot be kept");
        }
        return r;
}

bool sensor_is_kept(const char *pins)
{
        char path[SENSOR_PATH_MAX];
        pin_path(path, pins, "lifecycle", "");
        return access(path, F_OK) == 0;
}

int sensor_keep_links(struct observe *bpf, const char *pins, struct error *err)
{
        struct bpf_link *const links[] = { bpf->links.on_exec, bpf->links.on_fork, bpf->links.on_exit };
        char path[SENSOR_PATH_MAX], new_path[SENSOR_PATH_MAX];
        for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
                pin_path(path, pins, link_names[i], "");
                pin_path(new_path, pins, link_names[i], NEW_LINK);
                (void)unlink(new_path); /* of one that was killed just here */
                int r = bpf_link__pin(links[i], new_path);
                if (r == 0 && rename(new_path, path) < 0)
                        r = -errno;
                if (r < 0)
                        return bpf_refused(err, r, "a program cannot be kept");
        }
        return 0;
}

int sensor_forget(const char *pins, struct error *err)
{
        struct statfs fs;
        _cleanup_(closep) int fd = open(pins, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : error_errno(err, -errno, "%s", pins);
        if (fstatfs(fd, &fs) < 0 || fs.f_type != BPF_FS_MAGIC)
                return error_set(err, -EMEDIUMTYPE, "%s is not on a BPF file system", pins);
        DIR *d = opendir(pins);
        int r = d ? 0 : -errno;
        for (struct dirent *e; d && (e = readdir(d));) {
                bool is_kept = is_ours(e->d_name, map_names, ARRAY_SIZE(map_names)) ||
                               is_ours(e->d_name, link_names, ARRAY_SIZE(link_names));
                if (is_kept && unlinkat(fd, e->d_name, 0) < 0)
                        r = -errno;
        }
        if (d)
                closedir(d);
        if (r == 0 && rmdir(pins) < 0 && errno != ENOTEMPTY && errno != EBUSY) /* others keep things there too */
                r = -errno;
        return r < 0 ? error_errno(err, r, "%s cannot be removed", pins) : 0;
}
