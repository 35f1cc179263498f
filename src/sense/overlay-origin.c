/* See overlay-origin.h. */
#include "sense/overlay-origin.h"

#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ORIGIN "trusted.overlay.origin"

/* struct ovl_fb, up to its file handle. */
enum { FB_VERSION, FB_MAGIC, FB_LEN, FB_FLAGS, FB_TYPE, FB_UUID, FB_HANDLE = FB_UUID + 16 };
#define VERSION      0
#define MAGIC        0xfb
#define ATTR_MAX     512
#define HANDLE_BYTES 128 /* MAX_HANDLE_SZ */

bool overlay_is_copy(const char *path) { return lgetxattr(path, ORIGIN, NULL, 0) > 0; }

int overlay_origin_stat(const char *upper, const char *path, struct stat *ret)
{
        uint8_t fb[ATTR_MAX];
        char space[sizeof(struct file_handle) + HANDLE_BYTES] __attribute__((aligned(8)));
        void *start = space;
        struct file_handle *h = start;
        ssize_t n = lgetxattr(path, ORIGIN, fb, sizeof(fb));
        if (n <= 0)
                return n < 0 ? -errno : -ENODATA;
        if (n <= FB_HANDLE || fb[FB_VERSION] != VERSION || fb[FB_MAGIC] != MAGIC || fb[FB_LEN] != n ||
            n - FB_HANDLE > HANDLE_BYTES)
                return -EINVAL;
        h->handle_bytes = (unsigned)(n - FB_HANDLE);
        h->handle_type = fb[FB_TYPE];
        memcpy(h->f_handle, fb + FB_HANDLE, h->handle_bytes);
        _cleanup_(closep) int mount_fd = open(upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closep) int fd = mount_fd < 0 ? -1 : open_by_handle_at(mount_fd, h, O_PATH | O_CLOEXEC);
        return fd < 0 || fstat(fd, ret) < 0 ? -errno : 0;
}
