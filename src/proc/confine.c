/*
 * See confine.h; capabilities(7), seccomp(2). A deny-list, other than the workers' sandbox: what libbpf, fanotify and
 * /proc need differs by kernel, and a call that was forgotten would be a hole in the watch. What stands here is what
 * none of them needs. fsopen(2), fsmount(2) and open_tree(2) are left: layers of an overlay are read through a mount
 * that is nowhere (serve/overlay-layers.c), storages are walked through a copy of theirs (serve/guard-walker.c), and
 * without move_mount(2) both stay there.
 */
#include "proc/confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAPABILITIES_MAX 64
#define WORD_BITS        32

#ifdef __SANITIZE_ADDRESS__
/* LeakSanitizer looks for leaks by ptrace(2), and ends the process where it may not. It asks before. */
static bool is_confined;
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) { return is_confined; }
#define TELL_SANITIZER() (is_confined = true)
#else
#define TELL_SANITIZER() ((void)0)
#endif

static const int forbidden[] = {
        SCMP_SYS(execve),
        SCMP_SYS(execveat),
        SCMP_SYS(ptrace),
        SCMP_SYS(process_vm_readv),
        SCMP_SYS(process_vm_writev),
        SCMP_SYS(pidfd_getfd),
        SCMP_SYS(kcmp),
        SCMP_SYS(init_module),
        SCMP_SYS(finit_module),
        SCMP_SYS(delete_module),
        SCMP_SYS(kexec_load),
        SCMP_SYS(kexec_file_load),
        SCMP_SYS(reboot),
        SCMP_SYS(swapon),
        SCMP_SYS(swapoff),
        SCMP_SYS(acct),
        SCMP_SYS(syslog),
        SCMP_SYS(settimeofday),
        SCMP_SYS(clock_settime),
        SCMP_SYS(clock_adjtime),
        SCMP_SYS(adjtimex),
        SCMP_SYS(sethostname),
        SCMP_SYS(setdomainname),
        SCMP_SYS(iopl),
        SCMP_SYS(ioperm),
        SCMP_SYS(umount2),
        SCMP_SYS(pivot_root),
        SCMP_SYS(chroot),
        SCMP_SYS(setns),
        SCMP_SYS(unshare),
        SCMP_SYS(move_mount),
        SCMP_SYS(mount_setattr),
        SCMP_SYS(keyctl),
        SCMP_SYS(add_key),
        SCMP_SYS(request_key),
        SCMP_SYS(userfaultfd),
        SCMP_SYS(io_uring_setup),
        SCMP_SYS(perf_event_open),
        SCMP_SYS(personality),
        SCMP_SYS(modify_ldt),
        SCMP_SYS(vhangup),
        SCMP_SYS(quotactl),
        SCMP_SYS(lookup_dcookie),
};

int confine_capabilities(uint64_t keep, struct error *err)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct words[_LINUX_CAPABILITY_U32S_3];
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
                return error_errno(err, -errno, "cannot give up privileges");
        /* Without CAP_SETPCAP the bounding set stays; it bounds what an exec could bring, which now brings nothing. */
        for (int i = 0; i < CAPABILITIES_MAX; i++)
                if (!(keep >> i & 1) && prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
                        (void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
        if (syscall(SYS_capget, &header, words) < 0)
                return error_errno(err, -errno, "cannot read own capabilities");
        for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
                uint32_t mask = (uint32_t)(keep >> (i * WORD_BITS));
                words[i].permitted &= mask;
                words[i].effective &= mask;
                words[i].inheritable = 0;
        }
        if (syscall(SYS_capset, &header, words) < 0)
                return error_errno(err, -errno, "cannot give up capabilities");
        return 0;
}

int confine_calls(bool may_mount, struct error *err)
{
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
        int r = filter ? 0 : -ENOMEM;
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(forbidden); i++)
                r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), forbidden[i], 0);
        if (r == 0 && !may_mount)
                r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(mount), 0);
        if (r == 0) /* calls of another ABI (i386, x32), by which the list could be gone round */
                r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
        if (r == 0)
                r = seccomp_load(filter);
        seccomp_release(filter);
        TELL_SANITIZER();
        return r < 0 ? error_errno(err, r, "system calls cannot be filtered (seccomp)") : 0;
}
