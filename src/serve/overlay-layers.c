/* See overlay-layers.h. fsopen(2) and its like are called by number: glibc has no names for them before 2.36. */
#include "serve/overlay-layers.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_absolute(struct str lower)
{
        for (struct str rest = lower; rest.p;) {
                struct str one = str_cut(&rest, ':');
                if (one.n == 0 || one.p[0] != '/')
                        return false;
        }
        return lower.n > 0;
}

static int configure(int context, unsigned command, const char *key, const char *value)
{
        return (int)syscall(SYS_fsconfig, context, command, key, value, 0);
}

int overlay_layers_open(struct str lower, struct error *err)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        if (!is_absolute(lower))
                return error_set(err, -EINVAL, "the overlay's layers have no absolute paths");
        const char *directories = arena_cstr(&arena, lower);
        if (str_find_char(lower, ':') < 0) { /* an overlay needs two */
                int fd = open(directories, O_PATH | O_DIRECTORY | O_CLOEXEC);
                return fd < 0 ? error_errno(err, -errno, "%s", directories) : fd;
        }
        int context = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
        if (context < 0)
                return error_errno(err, -errno, "no overlay can be made");
        int fd = -1;
        if (configure(context, FSCONFIG_SET_STRING, "lowerdir", directories) == 0 &&
            configure(context, FSCONFIG_SET_FLAG, "ro", NULL) == 0 &&
            configure(context, FSCONFIG_CMD_CREATE, NULL, NULL) == 0)
                fd = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC);
        int r = fd < 0 ? error_errno(err, -errno, "the overlay's layers cannot be mounted") : fd;
        close(context);
        return r;
}
