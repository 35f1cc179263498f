/*
 * What opening a file and executing one cost, for `./dev bench guard`:
 *
 *         guard open FILE TIMES [PAUSE]       nanoseconds of open and close: the median, and the longest
 *         guard exec FILE TIMES [PAUSE]       of posix_spawn and wait
 *         guard first PREFIX TIMES [PAUSE]    the same of the files PREFIX0, PREFIX1, ..., each once
 *
 * PAUSE: microseconds between two of them.
 */
#include "base/str.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIMES_MAX 100000u
#define PAUSE_MAX 100000u

static double now_ns(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void open_once(const char *path)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                exit(1);
        close(fd);
}

static void exec_once(const char *path)
{
        char *const args[] = { (char *)path, NULL }, *const none[] = { NULL };
        pid_t pid;
        if (posix_spawn(&pid, path, NULL, NULL, args, none) != 0 || waitpid(pid, NULL, 0) < 0)
                exit(1);
}

static int by_value(const void *a, const void *b)
{
        const double *x = a, *y = b;
        return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
        static double took[TIMES_MAX];
        uint64_t times = 0, pause_us = 0;
        if (argc < 4 || argc > 5 || !str_u64(str_of(argv[3]), &times) || times == 0 || times > TIMES_MAX ||
            (argc == 5 && (!str_u64(str_of(argv[4]), &pause_us) || pause_us > PAUSE_MAX)))
                return 2;
        bool is_open = str_is(str_of(argv[1]), "open"), is_first = str_is(str_of(argv[1]), "first");
        for (uint64_t i = 0; i < times; i++) {
                char path[4096];
                snprintf(path, sizeof(path), is_first ? "%s%llu" : "%s", argv[2], (unsigned long long)i);
                double start = now_ns();
                (is_open ? open_once : exec_once)(path);
                took[i] = now_ns() - start;
                if (pause_us)
                        usleep((useconds_t)pause_us);
        }
        qsort(took, times, sizeof(*took), by_value);
        printf("%.0f %.0f\n", took[times / 2], took[times - 1]);
        return 0;
}
