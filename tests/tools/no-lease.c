/* For LD_PRELOAD: files whose name holds "unleased" give no lease, as on a file system that has none (fcntl(2):
 * EINVAL). */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int is_unleased(int fd)
{
        char path[64], name[4096];
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(path, name, sizeof(name) - 1);
        name[n < 0 ? 0 : n] = '\0';
        return strstr(name, "unleased") != NULL;
}

int fcntl64(int fd, int command, ...)
{
        static int (*next)(int fd, int command, ...);
        va_list args;
        va_start(args, command);
        void *argument = va_arg(args, void *);
        va_end(args);
        if (!next)
                *(void **)&next = dlsym(RTLD_NEXT, "fcntl64");
        if (command == F_SETLEASE && is_unleased(fd)) {
                errno = EINVAL;
                return -1;
        }
        return next(fd, command, argument);
}
