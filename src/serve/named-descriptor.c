/* See named-descriptor.h. */
#include "serve/named-descriptor.h"

#include <fcntl.h>
#include <stdio.h>

/* "3" of /dev/fd/3; STR_NONE if it is no descriptor of its own. */
static struct str own_number(struct str path)
{
        static const char *const places[] = { "/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/" };
        for (size_t i = 0; i < ARRAY_SIZE(places); i++)
                if (str_starts(path, str_of(places[i])))
                        return str_from(path, strlen(places[i]));
        return STR_NONE;
}

int open_named_descriptor(uint32_t pid, struct str path)
{
        char name[64];
        int n = -1;
        uint64_t process, fd;
        struct str rest, own = own_number(path);
        if (own.n) {
                if (str_u64(own, &fd))
                        n = snprintf(name, sizeof(name), "/proc/%u/fd/%.*s", pid, STR_FMT(own));
        } else if (str_starts(path, STR("/proc/"))) {
                rest = str_from(path, strlen("/proc/"));
                if (str_u64(str_cut(&rest, '/'), &process) && str_starts(rest, STR("fd/")) &&
                    str_u64(str_from(rest, 3), &fd))
                        n = snprintf(name, sizeof(name), "/proc/%u/root%.*s", pid, STR_FMT(path));
        }
        return n > 0 && n < (int)sizeof(name) ? open(name, O_PATH | O_CLOEXEC) : -1;
}
