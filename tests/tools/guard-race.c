/*
 * Tries to run what was changed after it was looked at. Runs in a container that is guarded, static:
 *
 *         guard-race METHOD ROUNDS DIRECTORY PROGRAM
 *
 * PROGRAM ends with 7; with one byte of it changed, at the end of a marker that a malware rule looks for, with 42
 * (guard-victim.S). In each round a file is executed while it is clean, changed by METHOD, and executed again: that
 * must not end with 42. Methods that begin with "race-" change it while it is executed. Prints one line: "rounds R
 * clean C denied D escaped E failed F".
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MARKER                                                                                                         \
        "donate.v2."                                                                                                   \
        "xmri"
#define CLEAN_CODE  7
#define BAD_CODE    42
#define DENIED_CODE 126
#define RACES_MAX   64 /* executions in one round of a race */

static char program[1 << 20];
static size_t program_n, flip_at;
static char path[256], other[300], spare[300];
static unsigned counts[5]; /* by enum result */
enum result { ROUNDS, CLEAN, DENIED, ESCAPED, FAILED };

static void load(const char *from)
{
        int fd = open(from, O_RDONLY);
        ssize_t n = fd < 0 ? -1 : read(fd, program, sizeof(program));
        char *marker = n > 0 ? memmem(program, (size_t)n, MARKER, strlen(MARKER)) : NULL;
        if (!marker) {
                fprintf(stderr, "guard-race: %s is not the program\n", from);
                exit(2);
        }
        program_n = (size_t)n;
        flip_at = (size_t)(marker - program) + strlen(MARKER);
        close(fd);
}

static bool put(const char *to, char byte)
{
        unlink(to);
        int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
        program[flip_at] = byte;
        bool good = fd >= 0 && write(fd, program, program_n) == (ssize_t)program_n;
        close(fd);
        return good;
}

/* What executing it gives; vfork, so that no child inherits what is being written for longer than it must. */
static int execute(const char *what)
{
        char *const args[] = { (char *)what, NULL };
        char *const none[] = { NULL };
        pid_t pid = vfork();
        int status;
        if (pid == 0) {
                execve(what, args, none);
                _exit(errno == EPERM || errno == EACCES || errno == ENOENT || errno == ETXTBSY ? DENIED_CODE : 1);
        }
        if (pid < 0 || waitpid(pid, &status, 0) < 0)
                return -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void count(int code, bool may_be_clean)
{
        counts[code == BAD_CODE                     ? ESCAPED
               : code == DENIED_CODE                ? DENIED
               : code == CLEAN_CODE && may_be_clean ? CLEAN
                                                    : FAILED]++;
}

/* --- how a file is changed: false where it could not be --- */

static bool change_write(char byte)
{
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        bool good = fd >= 0 && pwrite(fd, &byte, 1, (off_t)flip_at) == 1;
        close(fd);
        return good;
}

static bool change_mmap(char byte)
{
        int fd = open(path, O_RDWR | O_CLOEXEC);
        char *p = fd < 0 ? MAP_FAILED : mmap(NULL, program_n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
        if (p == MAP_FAILED)
                return false;
        p[flip_at] = byte;
        return munmap(p, program_n) == 0;
}

static bool change_truncate(char byte)
{
        int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
        program[flip_at] = byte;
        bool good = fd >= 0 && write(fd, program, program_n) == (ssize_t)program_n;
        close(fd);
        return good;
}

static bool change_rename(char byte) { return put(other, byte) && rename(other, path) == 0; }

static bool change_hardlink(char byte)
{
        unlink(spare);
        return put(spare, byte) && unlink(path) == 0 && link(spare, path) == 0;
}

/* Out of a file that is nothing by itself. */
static bool change_copy_range(char byte)
{
        loff_t from = 0, to = (loff_t)flip_at;
        int in = open(spare, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), out = open(path, O_WRONLY | O_CLOEXEC);
        bool good = in >= 0 && out >= 0 && write(in, &byte, 1) == 1 && copy_file_range(in, &from, out, &to, 1, 0) == 1;
        close(in);
        close(out);
        return good;
}

/* io_uring by its system calls: one write. */
static bool change_uring(char byte)
{
        struct io_uring_params p = { .flags = 0 };
        int ring = (int)syscall(SYS_io_uring_setup, 4, &p), fd = open(path, O_WRONLY | O_CLOEXEC);
        bool good = false;
        if (ring < 0 || fd < 0)
                goto out;
        size_t size = p.sq_off.array + p.sq_entries * sizeof(uint32_t);
        char *sq = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
        struct io_uring_sqe *sqe =
                mmap(NULL, p.sq_entries * sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
        if (sq == MAP_FAILED || sqe == MAP_FAILED)
                goto out;
        sqe[0] = (struct io_uring_sqe){
                .opcode = IORING_OP_WRITE, .fd = fd, .addr = (uintptr_t)&byte, .len = 1, .off = flip_at
        };
        *(uint32_t *)(sq + p.sq_off.array) = 0;
        atomic_fetch_add((_Atomic uint32_t *)(sq + p.sq_off.tail), 1);
        good = syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1;
        munmap(sq, size);
        munmap(sqe, p.sq_entries * sizeof(*sqe));
out:
        close(ring);
        close(fd);
        return good;
}

/* --- rounds --- */

static void sequential(bool (*change)(char))
{
        if (!put(path, 'G'))
                counts[FAILED]++;
        count(execute(path), true);
        if (!change('g'))
                counts[FAILED]++;
        count(execute(path), false);
}

/* A writable mapping that is held: nothing may run while it is there, whatever it holds at the moment. */
static void hold(void)
{
        if (!put(path, 'G'))
                counts[FAILED]++;
        int fd = open(path, O_RDWR | O_CLOEXEC);
        char *p = fd < 0 ? MAP_FAILED : mmap(NULL, program_n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
        if (p == MAP_FAILED) {
                counts[FAILED]++;
                return;
        }
        count(execute(path), false);
        p[flip_at] = 'g';
        count(execute(path), false);
        munmap(p, program_n);
        count(execute(path), false);
}

/* A file of a lower layer, named DIRECTORY/lower-N by who made the image. */
static void copy_up(const char *directory, unsigned round)
{
        snprintf(path, sizeof(path), "%s/lower-%u", directory, round);
        count(execute(path), true);
        if (!change_write('g'))
                counts[FAILED]++;
        count(execute(path), false);
}

static _Atomic bool is_over;
static bool (*racing)(char);

static void *flip_again_and_again(void *arg)
{
        for (unsigned i = 0; !is_over; i++)
                (void)racing(i % 2 ? 'g' : 'G');
        return arg;
}

static void race(bool (*change)(char))
{
        pthread_t thread;
        is_over = false;
        racing = change;
        if (!put(path, 'G') || pthread_create(&thread, NULL, flip_again_and_again, NULL) != 0) {
                counts[FAILED]++;
                return;
        }
        for (unsigned i = 0; i < RACES_MAX; i++)
                count(execute(path), true);
        is_over = true;
        pthread_join(thread, NULL);
}

static const struct {
        const char *name;
        bool (*change)(char);
        bool races;
} methods[] = {
        { "write", change_write, false },
        { "mmap", change_mmap, false },
        { "truncate", change_truncate, false },
        { "rename", change_rename, false },
        { "hardlink", change_hardlink, false },
        { "copy-range", change_copy_range, false },
        { "uring", change_uring, false },
        { "race-write", change_write, true },
        { "race-mmap", change_mmap, true },
        { "race-rename", change_rename, true },
        { "race-uring", change_uring, true },
        { "hold", NULL, false },
        { "copy-up", NULL, false },
};

int main(int argc, char **argv)
{
        unsigned rounds = argc == 5 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
        size_t m = 0;
        while (argc == 5 && m < sizeof(methods) / sizeof(*methods) && strcmp(methods[m].name, argv[1]) != 0)
                m++;
        if (argc != 5 || m == sizeof(methods) / sizeof(*methods)) {
                fprintf(stderr, "guard-race METHOD ROUNDS DIRECTORY PROGRAM\n");
                return 2;
        }
        load(argv[4]);
        for (unsigned i = 0; i < rounds; i++) {
                snprintf(path, sizeof(path), "%s/%s-%d", argv[3], argv[1], getpid());
                snprintf(other, sizeof(other), "%s.new", path);
                snprintf(spare, sizeof(spare), "%s.spare", path);
                counts[ROUNDS]++;
                if (methods[m].races)
                        race(methods[m].change);
                else if (methods[m].change)
                        sequential(methods[m].change);
                else if (strcmp(argv[1], "hold") == 0)
                        hold();
                else
                        copy_up(argv[3], i);
        }
        printf("rounds %u clean %u denied %u escaped %u failed %u\n", counts[ROUNDS], counts[CLEAN], counts[DENIED],
               counts[ESCAPED], counts[FAILED]);
        return counts[ESCAPED] ? 1 : 0;
}
