/* Cleanup helpers behind the macros of macros.h. */
#include "base/macros.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

void freep(void *p) { free(*(void **)p); }

int close_fd(int fd)
{
        if (fd >= 0) {
                int saved = errno;
                close(fd);
                errno = saved;
        }
        return -1;
}

void closep(int *fd) { *fd = close_fd(*fd); }
