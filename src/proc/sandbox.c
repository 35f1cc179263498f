/*
 * The worker sandbox, in four layers that do not depend on each other: no new privileges and no capabilities; rlimits;
 * Landlock with an empty rule set (no file, no TCP port); seccomp with a list of what a reader of bytes needs.
 *
 * Opening is refused with EACCES, since libraries may try and must go on; what no reader ever does (exec, sockets,
 * ptrace, mount, ...) kills the process. Everything else is refused with EPERM.
 */
#include "proc/worker.h"

#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <malloc.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0 /* a sanitizer's shadow memory does not fit an address space limit */
#endif

/* Lowers a limit; EPERM and the like are shrugged off, since a lower one may be in force already. */
static void limit(int resource, uint64_t to)
{
        struct rlimit r;
        if (getrlimit((__rlimit_resource_t)resource, &r) < 0)
                return;
        r.rlim_max = MIN(r.rlim_max, (rlim_t)to);
        r.rlim_cur = MIN(r.rlim_cur, r.rlim_max);
        (void)setrlimit((__rlimit_resource_t)resource, &r);
}

static uint64_t address_space_in_use(void)
{
        char text[64] = { 0 };
        unsigned long pages = 0;
        int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return 0;
        if (read(fd, text, sizeof(text) - 1) > 0)
                (void)sscanf(text, "%lu", &pages);
        close(fd);
        return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void limits(uint64_t memory_max)
{
        mallopt(M_ARENA_MAX, 1); /* each arena reserves 64 MiB of address space */
        if (!SANITIZED)
                limit(RLIMIT_AS, address_space_in_use() + memory_max);
        limit(RLIMIT_CORE, 0);
        limit(RLIMIT_FSIZE, 0);
}

static void drop_capabilities(void)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
        (void)syscall(SYS_capset, &header, none);
}

/* Handles every right that this kernel's Landlock knows and allows none. 0, or -errno where there is no Landlock. */
static int landlock(void)
{
        struct {
                uint64_t handled_access_fs, handled_access_net, scoped;
        } ruleset = { 0 };
        long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
        if (abi < 1)
                return -errno;
        /* Rights by ABI: 13 at first, refer, truncate, (net), ioctl; see landlock(7). */
        unsigned fs_rights = abi == 1 ? 13 : abi == 2 ? 14 : abi < 5 ? 15 : 16;
        ruleset.handled_access_fs = (UINT64_C(1) << fs_rights) - 1;
        size_t size = sizeof(uint64_t);
        if (abi >= 4) {
                ruleset.handled_access_net = 3; /* bind and connect TCP */
                size = 2 * sizeof(uint64_t);
        }
        if (abi >= 6) {
                ruleset.scoped = 3; /* abstract unix sockets, signals */
                size = 3 * sizeof(uint64_t);
        }
        int fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
        if (fd < 0)
                return -errno;
        int r = syscall(SYS_landlock_restrict_self, fd, 0) < 0 ? -errno : 0;
        close(fd);
        return r;
}

static const int allowed[] = {
        SCMP_SYS(read),
        SCMP_SYS(pread64),
        SCMP_SYS(readv),
        SCMP_SYS(write),
        SCMP_SYS(writev),
        SCMP_SYS(lseek),
        SCMP_SYS(close),
        SCMP_SYS(fstat),
        SCMP_SYS(poll),
        SCMP_SYS(ppoll),
        SCMP_SYS(brk),
        SCMP_SYS(munmap),
        SCMP_SYS(mremap),
        SCMP_SYS(madvise),
        SCMP_SYS(futex),
        SCMP_SYS(set_robust_list),
        SCMP_SYS(rseq),
        SCMP_SYS(sched_yield),
        SCMP_SYS(sched_getaffinity),
        SCMP_SYS(rt_sigreturn),
        SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(rt_sigaction),
        SCMP_SYS(sigaltstack),
        SCMP_SYS(getpid),
        SCMP_SYS(gettid),
        SCMP_SYS(getrandom),
        SCMP_SYS(restart_syscall),
        SCMP_SYS(clock_gettime),
        SCMP_SYS(gettimeofday),
        SCMP_SYS(nanosleep),
        SCMP_SYS(clock_nanosleep),
        SCMP_SYS(exit),
        SCMP_SYS(exit_group),
};

static const int refused_open[] = {
        SCMP_SYS(open),       SCMP_SYS(openat),     SCMP_SYS(openat2),    SCMP_SYS(creat),  SCMP_SYS(stat),
        SCMP_SYS(lstat),      SCMP_SYS(newfstatat), SCMP_SYS(statx),      SCMP_SYS(access), SCMP_SYS(faccessat),
        SCMP_SYS(faccessat2), SCMP_SYS(readlink),   SCMP_SYS(readlinkat),
};

static const int fatal[] = {
        SCMP_SYS(execve),
        SCMP_SYS(execveat),
        SCMP_SYS(fork),
        SCMP_SYS(vfork),
        SCMP_SYS(socket),
        SCMP_SYS(socketpair),
        SCMP_SYS(connect),
        SCMP_SYS(bind),
        SCMP_SYS(listen),
        SCMP_SYS(accept),
        SCMP_SYS(accept4),
        SCMP_SYS(sendto),
        SCMP_SYS(sendmsg),
        SCMP_SYS(ptrace),
        SCMP_SYS(process_vm_readv),
        SCMP_SYS(process_vm_writev),
        SCMP_SYS(mount),
        SCMP_SYS(umount2),
        SCMP_SYS(pivot_root),
        SCMP_SYS(chroot),
        SCMP_SYS(unshare),
        SCMP_SYS(setns),
        SCMP_SYS(bpf),
        SCMP_SYS(io_uring_setup),
        SCMP_SYS(init_module),
        SCMP_SYS(finit_module),
        SCMP_SYS(kexec_load),
        SCMP_SYS(memfd_create),
        SCMP_SYS(unlink),
        SCMP_SYS(unlinkat),
        SCMP_SYS(rename),
        SCMP_SYS(renameat2),
        SCMP_SYS(chmod),
        SCMP_SYS(fchmodat),
        SCMP_SYS(setuid),
        SCMP_SYS(setresuid),
        SCMP_SYS(kill),
        SCMP_SYS(pidfd_open),
        SCMP_SYS(pidfd_getfd),
        SCMP_SYS(userfaultfd),
        SCMP_SYS(keyctl),
        SCMP_SYS(add_key),
        SCMP_SYS(perf_event_open),
};

static int add_all(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t n)
{
        int r = 0;
        for (size_t i = 0; i < n && r == 0; i++)
                r = seccomp_rule_add(filter, action, calls[i], 0);
        return r;
}

/* receive_fd >= 0: of all sockets, messages may be taken from this one. */
static int seccomp(int receive_fd)
{
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        if (!filter)
                return -ENOMEM;
        int r = add_all(filter, SCMP_ACT_ALLOW, allowed, ARRAY_SIZE(allowed));
        if (r == 0)
                r = add_all(filter, SCMP_ACT_ERRNO(EACCES), refused_open, ARRAY_SIZE(refused_open));
        if (r == 0)
                r = add_all(filter, SCMP_ACT_KILL_PROCESS, fatal, ARRAY_SIZE(fatal));
        if (r == 0 && receive_fd < 0)
                r = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(recvmsg), 0);
        if (r == 0 && receive_fd >= 0)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(recvmsg), 1,
                                     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)receive_fd));
        if (r == 0 && receive_fd >= 0)
                r = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(recvmsg), 1,
                                     SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)receive_fd));
        /* Memory that is never executable; threads, but no processes. glibc falls back from clone3 to clone. */
        if (r == 0)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                                     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
        if (r == 0)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                                     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
        if (r == 0)
                r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
        if (r == 0)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM));
        /* abort() signals the process itself; nobody else may be, and who shares our user could be. */
        if (r == 0)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
        if (r == 0) /* calls of another ABI (i386, x32) end the process, not only the thread */
                r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
        if (r == 0)
                r = seccomp_load(filter);
        seccomp_release(filter);
        return r;
}

int sandbox_enter(uint64_t memory_max, char ret_missing[64], struct error *err)
{
        return sandbox_enter_receiving(memory_max, -1, ret_missing, err);
}

int sandbox_enter_receiving(uint64_t memory_max, int receive_fd, char ret_missing[64], struct error *err)
{
        limits(memory_max);
        drop_capabilities();
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return error_errno(err, -errno, "cannot give up privileges");
        int no_landlock = landlock();
        int no_seccomp = seccomp(receive_fd);
        snprintf(ret_missing, 64, "%s%s%s", no_landlock < 0 ? "Landlock" : "",
                 no_landlock < 0 && no_seccomp < 0 ? ", " : "", no_seccomp < 0 ? "seccomp" : "");
        if (no_landlock < 0 && no_seccomp < 0)
                return error_set(err, -EPERM,
                                 "this kernel offers neither seccomp (%s) nor Landlock (%s): not reading untrusted "
                                 "bytes without a sandbox",
                                 strerror(-no_seccomp), strerror(-no_landlock));
        return 0;
}

/* What the probing child sends back. */
struct probe {
        int r;
        char missing[64];
        struct error err;
};

int sandbox_probe(char ret_missing[64], struct error *err)
{
        struct probe p = { .r = -EIO };
        int fds[2];
        if (pipe2(fds, O_CLOEXEC) < 0)
                return error_errno(err, -errno, "cannot make a pipe");
        pid_t pid = fork();
        if (pid == 0) {
                p.r = sandbox_enter(UINT64_C(64) << 20, p.missing, &p.err);
                _exit(write_all(fds[1], &p, sizeof(p)) < 0);
        }
        close(fds[1]);
        ssize_t n = pid < 0 ? -1 : read(fds[0], &p, sizeof(p));
        close(fds[0]);
        if (pid > 0)
                while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                        ;
        if (n != (ssize_t)sizeof(p))
                return error_set(err, -EIO, "the sandbox could not be tried");
        snprintf(ret_missing, 64, "%.63s", p.missing);
        return p.r < 0 ? error_set(err, p.r, "%s", p.err.text) : 0;
}
