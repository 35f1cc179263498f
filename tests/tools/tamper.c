/*
 * Does one thing to a file, each by another system call: for tests of file events and of guarded logs. Static, so that
 * it runs in any container. tamper VERB PATH; exit 0 if it was done, 1 if the kernel refused.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int with_descriptor(const char *verb, const char *path)
{
        struct stat st;
        int fd = open(path, O_RDWR);
        if (fd < 0 || fstat(fd, &st) < 0)
                return 1;
        if (strcmp(verb, "ftruncate") == 0)
                return ftruncate(fd, 0) < 0;
        if (strcmp(verb, "punch") == 0)
                return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, st.st_size) < 0;
        if (strcmp(verb, "overwrite") == 0)
                return pwrite(fd, "XXXX", 4, 0) != 4;
        if (strcmp(verb, "map") == 0) {
                char *p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
                if (p == MAP_FAILED)
                        return 1;
                memset(p, 0, (size_t)st.st_size);
                return munmap(p, (size_t)st.st_size) < 0;
        }
        return 2;
}

/* Renames it, as what rotates logs does, as soon as it may: within so many tenths of a second. */
static int rotate(const char *path, int tenths)
{
        char other[4096];
        snprintf(other, sizeof(other), "%s.1", path);
        for (; tenths > 0; tenths--) {
                if (rename(path, other) == 0)
                        return 0;
                usleep(100000);
        }
        return 1;
}

int main(int argc, char **argv)
{
        if (argc < 3)
                return 2;
        const char *verb = argv[1], *path = argv[2];
        if (strcmp(verb, "truncate") == 0)
                return truncate(path, 0) < 0;
        if (strcmp(verb, "create") == 0) /* O_TRUNC */
                return open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644) < 0;
        if (strcmp(verb, "unlink") == 0)
                return unlink(path) < 0;
        if (strcmp(verb, "rotate") == 0)
                return rotate(path, argc > 3 ? (int)strtol(argv[3], NULL, 10) : 1);
        if (strcmp(verb, "append") == 0) {
                int fd = open(path, O_WRONLY | O_APPEND);
                return fd < 0 || write(fd, "more\n", 5) != 5;
        }
        if (strcmp(verb, "exchange") == 0) {
                char other[4096];
                snprintf(other, sizeof(other), "%s.other", path);
                int fd = open(other, O_WRONLY | O_CREAT, 0644);
                return fd < 0 || syscall(SYS_renameat2, AT_FDCWD, other, AT_FDCWD, path, 2 /* RENAME_EXCHANGE */) < 0;
        }
        return with_descriptor(verb, path);
}
