/*
 * What a test makes a container do, as one static program: each verb is a way to begin a program that an attacker or an
 * honest server would use. Harmless: what is run in the end is this program again, or a shell that does nothing.
 *
 *         actor noop [ANYTHING]...                      ends at once
 *         actor wait                                    until it is killed
 *         actor fork PROGRAM ARGS...                    runs it as a child, and waits
 *         actor call NAME VERB ARGS...                  takes a name (prctl) before it does the rest
 *         actor as TITLE PROGRAM ARGS...                runs it with that argv[0]
 *         actor memfd NAME FILE ARGS...                 runs a copy in memory, by its descriptor
 *         actor memfd-path NAME FILE ARGS...            the same by /proc/self/fd
 *         actor deleted PLACE ARGS...                   copies itself to PLACE, deletes it, runs it
 *         actor tmpfile DIRECTORY ARGS...               runs a copy that never had a name
 *         actor fexec FILE ARGS...                      runs it by its descriptor
 *         actor contain CGROUP ROOT PROGRAM ARGS...     runs it as a runtime would: cgroup, mounts, process ids and
 * root of its own
 *
 *  and what ends with the number of the error, or 0 if it was let through:
 *
 *         actor map FILE                                maps it as code
 *         actor protect FILE                            maps it to be read, and makes code of that
 *         actor dial ADDRESS PORT                       connects (IPv4)
 *         actor trace                                   attaches to a child
 *         actor bpf                                     makes a BPF map
 *         actor unappend FILE                           opens it to append, and takes that back
 *
 *         actor unlink FILE                             deletes it
 *         actor connect PORT FDS PROGRAM ARGS...        with a connection to loopback as each descriptor of FDS ("012")
 *         actor write FILE                              makes it
 *         actor do NAME ARGS...                         one system call (deeds.h)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void die(const char *what)
{
        perror(what);
        _exit(99);
}

static void copy(const char *from, int to)
{
        static char chunk[1 << 16];
        int fd = open(from, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                die(from);
        for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0;)
                if (write(to, chunk, (size_t)n) != n)
                        die("write");
        close(fd);
}

static void run(char **argv)
{
        execv(argv[0], argv);
        die(argv[0]);
}

/* argv[0] becomes the title of a program that is run by its descriptor, with "noop" as its verb unless there is one. */
static void run_fd(int fd, char **argv)
{
        fexecve(fd, argv, environ);
        die("fexecve");
}

static void run_memfd(const char *name, char **argv, int by_path)
{
        char path[64];
        int fd = memfd_create(name, 0);
        if (fd < 0)
                die("memfd_create");
        copy(argv[0], fd);
        if (!by_path)
                run_fd(fd, argv);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        execv(path, argv);
        die(path);
}

static void run_unnamed(int writable, char **argv)
{
        char path[64];
        snprintf(path, sizeof(path), "/proc/self/fd/%d", writable);
        int fd = open(path, O_RDONLY);
        if (fd < 0)
                die(path);
        close(writable);
        run_fd(fd, argv);
}

static void run_deleted(char **argv)
{
        int fd = open(argv[0], O_WRONLY | O_CREAT | O_TRUNC, 0755);
        if (fd < 0)
                die(argv[0]);
        copy("/proc/self/exe", fd);
        close(fd);
        fd = open(argv[0], O_RDONLY);
        unlink(argv[0]);
        run_fd(fd, argv);
}

static void run_tmpfile(char **argv)
{
        int fd = open(argv[0], O_TMPFILE | O_RDWR, 0755);
        if (fd < 0)
                die(argv[0]);
        copy("/proc/self/exe", fd);
        run_unnamed(fd, argv);
}

static void run_connected(const char *port, const char *fds, char **argv)
{
        struct sockaddr_in to = { .sin_family = AF_INET,
                                  .sin_port = htons((unsigned short)strtoul(port, NULL, 10)),
                                  .sin_addr = { htonl(INADDR_LOOPBACK) } };
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
                die("connect");
        for (; *fds; fds++)
                dup2(fd, *fds - '0');
        run(argv);
}

static void run_child(char **argv)
{
        int status = 0;
        pid_t pid = fork();
        if (pid == 0)
                run(argv);
        waitpid(pid, &status, 0);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

#include "deeds.h"

/* cgroup, mounts, process ids and root of its own, and no exec between them. */
static void contain(const char *cgroup, const char *root, char **argv)
{
        char path[4096];
        int status = 0;
        snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, "0", 1) != 1)
                die(path);
        if (unshare(CLONE_NEWNS | CLONE_NEWPID) < 0)
                die("unshare");
        pid_t pid = fork();
        if (pid == 0) {
                if (chroot(root) < 0 || chdir("/") < 0)
                        die(root);
                run(argv);
        }
        waitpid(pid, &status, 0);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static int map_as_code(const char *file, int is_late)
{
        int fd = open(file, O_RDONLY | O_CLOEXEC);
        void *p = mmap(NULL, 4096, is_late ? PROT_READ : PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED || (is_late && mprotect(p, 4096, PROT_READ | PROT_EXEC) < 0))
                return errno;
        return 0;
}

static int dial(const char *address, const char *port)
{
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };
        inet_pton(AF_INET, address, &to.sin_addr);
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        return connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? errno : 0;
}

static int trace_child(void)
{
        pid_t pid = fork();
        if (pid == 0) {
                pause();
                _exit(0);
        }
        int r = ptrace(PTRACE_ATTACH, pid, NULL, NULL) < 0 ? errno : 0;
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return r;
}

static int make_bpf_map(void)
{
        union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1 };
        return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)) < 0 ? errno : 0;
}

static int unappend(const char *file)
{
        int fd = open(file, O_WRONLY | O_APPEND | O_CLOEXEC);
        return fd < 0 || fcntl(fd, F_SETFL, 0) < 0 ? errno : 0;
}

static int act(int argc, char **argv)
{
        const char *verb = argc > 1 ? argv[1] : "noop";
        if (strcmp(verb, "wait") == 0) {
                pause();
        } else if (strcmp(verb, "fork") == 0 && argc > 2) {
                run_child(argv + 2);
        } else if (strcmp(verb, "call") == 0 && argc > 3) {
                prctl(PR_SET_NAME, argv[2]);
                return act(argc - 2, argv + 2);
        } else if (strcmp(verb, "as") == 0 && argc > 3) {
                const char *program = argv[3];
                argv[3] = argv[2];
                execv(program, argv + 3);
                die(program);
        } else if (strncmp(verb, "memfd", 5) == 0 && argc > 3) {
                run_memfd(argv[2], argv + 3, strcmp(verb, "memfd-path") == 0);
        } else if (strcmp(verb, "deleted") == 0 && argc > 2) {
                run_deleted(argv + 2);
        } else if (strcmp(verb, "tmpfile") == 0 && argc > 2) {
                run_tmpfile(argv + 2);
        } else if (strcmp(verb, "fexec") == 0 && argc > 2) {
                run_fd(open(argv[2], O_RDONLY), argv + 2);
        } else if (strcmp(verb, "contain") == 0 && argc > 4) {
                contain(argv[2], argv[3], argv + 4);
        } else if (strcmp(verb, "map") == 0 && argc > 2) {
                return map_as_code(argv[2], 0);
        } else if (strcmp(verb, "protect") == 0 && argc > 2) {
                return map_as_code(argv[2], 1);
        } else if (strcmp(verb, "dial") == 0 && argc > 3) {
                return dial(argv[2], argv[3]);
        } else if (strcmp(verb, "trace") == 0) {
                return trace_child();
        } else if (strcmp(verb, "bpf") == 0) {
                return make_bpf_map();
        } else if (strcmp(verb, "unappend") == 0 && argc > 2) {
                return unappend(argv[2]);
        } else if (strcmp(verb, "unlink") == 0 && argc > 2) {
                return unlink(argv[2]) < 0;
        } else if (strcmp(verb, "connect") == 0 && argc > 4) {
                run_connected(argv[2], argv[3], argv + 4);
        } else if (strcmp(verb, "write") == 0 && argc > 2) {
                return open(argv[2], O_WRONLY | O_CREAT, 0644) < 0;
        } else if (strcmp(verb, "do") == 0 && argc > 2) {
                return do_deed(argc - 2, argv + 2);
        }
        return 0; /* whatever else: a program of another name, that takes any argument */
}

int main(int argc, char **argv) { return act(argc, argv); }
