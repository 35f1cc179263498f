/*
 * What a system call and a new program cost, for `./dev bench agent`:
 *
 *         syscalls getppid|open|connect|send [BATCHES]      nanoseconds of one call
 *         syscalls spawn SECONDS                            programs begun (posix_spawn, exec of itself, exit, wait):
 *                                                           nanoseconds of one, and their number in a second
 *
 * connect and send are those of a datagram socket, to the same port of loopback each time.
 *
 * The least of many batches is what the call costs; everything above it is what else the machine did.
 */
#include "base/str.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CALLS   2000
#define BATCHES 200
#define SPAWNS  10 /* of a batch */

extern char **environ;

static double now(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void call_getppid(void) { (void)syscall(SYS_getppid); }

static void call_open(void)
{
        int fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
        if (fd >= 0)
                close(fd);
}

static int datagrams = -1;
static struct sockaddr_in nobody = { .sin_family = AF_INET };

static void open_socket(void)
{
        datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        nobody.sin_port = htons(9);
        nobody.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

static void call_connect(void) { (void)connect(datagrams, (struct sockaddr *)&nobody, sizeof(nobody)); }

static void call_send(void)
{
        (void)sendto(datagrams, "", 1, MSG_DONTWAIT, (struct sockaddr *)&nobody, sizeof(nobody));
}

static double least(void (*call)(void), unsigned batches)
{
        double best = 1e9;
        for (unsigned i = 0; i < batches; i++) {
                double start = now();
                for (unsigned k = 0; k < CALLS; k++)
                        call();
                best = MIN(best, (now() - start) / CALLS);
        }
        return best * 1e9;
}

/* Programs begun and ended for so long: *ret_rate in a second, and the least nanoseconds that one of a batch took. */
static double spawn_for(const char *self, double seconds, double *ret_rate)
{
        char *argv[] = { (char *)self, (char *)"nothing", NULL };
        double start = now(), best = 1e9;
        unsigned n = 0;
        while (now() - start < seconds) {
                double batch = now();
                for (unsigned i = 0; i < SPAWNS; i++, n++) {
                        pid_t pid;
                        if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ) != 0)
                                exit(1);
                        waitpid(pid, NULL, 0);
                }
                best = MIN(best, (now() - batch) / SPAWNS);
        }
        *ret_rate = n / (now() - start);
        return best * 1e9;
}

static const struct {
        const char *name;
        void (*call)(void);
} calls[] = {
        { "getppid", call_getppid },
        { "open", call_open },
        { "connect", call_connect },
        { "send", call_send },
};

int main(int argc, char **argv)
{
        struct str what = str_of(argc > 1 ? argv[1] : "");
        uint64_t n = 0;
        if (argc > 2 && !str_u64(str_of(argv[2]), &n))
                return 2;
        if (str_is(what, "nothing"))
                return 0;
        for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
                if (str_is(what, calls[i].name)) {
                        open_socket();
                        printf("%.1f\n", least(calls[i].call, n ? (unsigned)n : BATCHES));
                        return 0;
                }
        if (str_is(what, "spawn") && n) {
                double rate, least_ns = spawn_for(argv[0], (double)n, &rate);
                printf("%.1f %.1f\n", least_ns, rate);
        } else {
                return 2;
        }
        return 0;
}
