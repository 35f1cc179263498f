/*
 * System calls that a test wants to see done, by name: `actor do NAME ARGS...`. Part of actor.c. Each one is done and
 * its result is the exit code, 0 or the error's number; what may be refused is done all the same.
 */
#include <errno.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

/* Paths for 32-bit calls: a static program lies below 4 GiB, its stack does not. */
static char low[2][4096];

static long low_address(int i, const char *text)
{
        snprintf(low[i], sizeof(low[i]), "%s", text);
        return (long)low[i];
}

/* A 32-bit call out of a 64-bit program. */
static long call32(long number, long a, long b, long c)
{
        long result = -ENOSYS;
#if defined(__x86_64__)
        __asm__ volatile("int $0x80"
                         : "=a"(result)
                         : "a"(number), "b"(a), "c"(b), "d"(c)
                         : "memory", "r8", "r9", "r10", "r11");
#endif
        if (result < 0) {
                errno = (int)-result;
                return -1;
        }
        return result;
}

static int opened(const char *path, int flags) { return open(path, flags, 0600); }

static long do_open(char **a) { return syscall(SYS_open, a[0], O_RDONLY); }
static long do_openat(char **a) { return openat(opened(a[0], O_RDONLY | O_DIRECTORY), a[1], O_RDONLY); }
static long do_open_write(char **a) { return opened(a[0], O_WRONLY | O_CREAT | O_TRUNC); }
static long do_creat(char **a) { return creat(a[0], 0600); }
static long do_unlink(char **a) { return unlink(a[0]); }
static long do_unlinkat(char **a) { return unlinkat(opened(a[0], O_RDONLY | O_DIRECTORY), a[1], 0); }
static long do_rename(char **a) { return rename(a[0], a[1]); }
static long do_renameat2(char **a) { return syscall(SYS_renameat2, AT_FDCWD, a[0], AT_FDCWD, a[1], 0); }
static long do_link(char **a) { return link(a[0], a[1]); }
static long do_symlink(char **a) { return symlink(a[0], a[1]); }
static long do_chmod(char **a) { return chmod(a[0], (mode_t)strtoul(a[1], NULL, 8)); }
static long do_fchmodat2(char **a) { return syscall(SYS_fchmodat2, AT_FDCWD, a[0], strtoul(a[1], NULL, 8), 0); }
static long do_truncate(char **a) { return truncate(a[0], 0); }
static long do_ftruncate(char **a) { return ftruncate(opened(a[0], O_WRONLY), 0); }
static long do_chdir(char **a) { return chdir(a[0]); }
static long do_close(char **a) { return close(opened(a[0], O_RDONLY)); }
static long do_memfd_create(char **a) { return memfd_create(a[0], 0); }
static long do_ptrace(char **a) { return ptrace(PTRACE_ATTACH, (pid_t)strtol(a[0], NULL, 10), NULL, NULL); }
static long do_unshare(char **a) { return unshare(CLONE_NEWUSER); }
static long do_setns(char **a) { return setns(opened("/proc/self/ns/uts", O_RDONLY), CLONE_NEWUTS); }
static long do_mount(char **a) { return mount("none", a[0], "tmpfs", 0, NULL); }
static long do_io_uring_setup(char **a) { return syscall(SYS_io_uring_setup, 4, low[0]); }
static long do_bpf(char **a) { return syscall(SYS_bpf, 0, NULL, 0); }
static long do_execve(char **a) { return execv(a[0], a); }
static long do_open32(char **a) { return call32(5, low_address(0, a[0]), O_RDONLY, 0); }
static long do_unlink32(char **a) { return call32(10, low_address(0, a[0]), 0, 0); }
static long do_rename32(char **a) { return call32(38, low_address(0, a[0]), low_address(1, a[1]), 0); }

static long do_openat2(char **a)
{
        struct open_how how = { .flags = O_RDONLY };
        return syscall(SYS_openat2, AT_FDCWD, a[0], &how, sizeof(how));
}

static int connected(const char *port)
{
        struct sockaddr_in to = { .sin_family = AF_INET,
                                  .sin_port = htons((unsigned short)strtoul(port, NULL, 10)),
                                  .sin_addr = { htonl(INADDR_LOOPBACK) } };
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        return connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? -1 : fd;
}

static long do_connect(char **a) { return connected(a[0]); }
static long do_dup2(char **a) { return dup2(connected(a[0]), 0); }

/* i386's call for all of sockets: socket(AF_UNIX, SOCK_STREAM, 0). */
static long do_socket32(char **a)
{
        static unsigned arguments[3] = { AF_UNIX, SOCK_STREAM, 0 };
        return call32(102, 1, (long)arguments, 0);
}

static long do_connect_unix(char **a)
{
        struct sockaddr_un to = { .sun_family = AF_UNIX };
        snprintf(to.sun_path, sizeof(to.sun_path), "%s", a[0]);
        return connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&to, sizeof(to));
}

/* Eight bytes go through a pair of sockets and are taken out by read, recvfrom or recvmsg; a[1] is what they end with.
 */
static long do_receive(char **a)
{
        int pair[2];
        char bytes[8] = "\0\1\2\3", got[64] = "";
        memcpy(bytes + 4, a[1], strnlen(a[1], 4));
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || write(pair[0], bytes, sizeof(bytes)) < 0)
                return -1;
        struct iovec piece = { got, sizeof(got) };
        struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
        if (strcmp(a[0], "recvfrom") == 0)
                return recvfrom(pair[1], got, sizeof(got), 0, NULL, NULL);
        return strcmp(a[0], "recvmsg") == 0 ? recvmsg(pair[1], &message, 0) : read(pair[1], got, sizeof(got));
}

/* Many files are opened: a flood. */
static long do_flood(char **a)
{
        for (long i = strtol(a[1], NULL, 10); i > 0; i--)
                close(opened(a[0], O_RDONLY));
        return 0;
}

static const struct deed {
        const char *name;
        int n; /* arguments */
        long (*act)(char **a);
} deeds[] = {
        { "bpf", 0, do_bpf },
        { "chdir", 1, do_chdir },
        { "chmod", 2, do_chmod },
        { "close", 1, do_close },
        { "connect", 1, do_connect },
        { "connect-unix", 1, do_connect_unix },
        { "creat", 1, do_creat },
        { "dup2", 1, do_dup2 },
        { "execve", 1, do_execve },
        { "fchmodat2", 2, do_fchmodat2 },
        { "flood", 2, do_flood },
        { "ftruncate", 1, do_ftruncate },
        { "io_uring_setup", 0, do_io_uring_setup },
        { "link", 2, do_link },
        { "memfd_create", 1, do_memfd_create },
        { "mount", 1, do_mount },
        { "open", 1, do_open },
        { "open-write", 1, do_open_write },
        { "open32", 1, do_open32 },
        { "openat", 2, do_openat },
        { "openat2", 1, do_openat2 },
        { "ptrace", 1, do_ptrace },
        { "receive", 2, do_receive },
        { "rename", 2, do_rename },
        { "rename32", 2, do_rename32 },
        { "renameat2", 2, do_renameat2 },
        { "setns", 0, do_setns },
        { "socket32", 0, do_socket32 },
        { "symlink", 2, do_symlink },
        { "truncate", 1, do_truncate },
        { "unlink", 1, do_unlink },
        { "unlink32", 1, do_unlink32 },
        { "unlinkat", 2, do_unlinkat },
        { "unshare", 0, do_unshare },
};

/* What stands behind a deed's arguments is a mark for the test's eyes. */
static int do_deed(int argc, char **argv)
{
        for (size_t i = 0; i < sizeof(deeds) / sizeof(*deeds); i++)
                if (strcmp(deeds[i].name, argv[0]) == 0 && argc > deeds[i].n)
                        return deeds[i].act(argv + 1) < 0 ? errno : 0;
        fprintf(stderr, "no such deed: %s\n", argv[0]);
        return 98;
}
