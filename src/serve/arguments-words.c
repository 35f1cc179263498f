/*
 * The words of arguments.c, in the order in which Falco joins them. Of Linux's headers, or their numbers where Debian
 * 12's are too old.
 */
#include "serve/arguments-words.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/memfd.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE_BITS  0x000c0000u /* of a request to ioctl: where the sizes of an int and a long differ */
#define LARGE_FILE 0100000     /* O_LARGEFILE, which is 0 for 64-bit programs, as the kernel sees it of others */

const struct argument_word words_open[] = {
        { "O_LARGEFILE", LARGE_FILE, LARGE_FILE },
        { "O_DIRECTORY", O_DIRECTORY, O_DIRECTORY },
        { "O_DIRECT", O_DIRECT, O_DIRECT },
        { "O_TRUNC", O_TRUNC, O_TRUNC },
        { "O_SYNC", O_SYNC, O_SYNC },
        { "O_NONBLOCK", O_NONBLOCK, O_NONBLOCK },
        { "O_EXCL", O_EXCL, O_EXCL },
        { "O_DSYNC", O_SYNC, O_DSYNC },
        { "O_APPEND", O_APPEND, O_APPEND },
        { "O_CREAT", O_CREAT, O_CREAT },
        { "O_RDWR", O_ACCMODE, O_RDWR },
        { "O_WRONLY", O_ACCMODE, O_WRONLY },
        { "O_RDONLY", O_ACCMODE, O_RDONLY },
        { "O_CLOEXEC", O_CLOEXEC, O_CLOEXEC },
        { "O_TMPFILE", O_TMPFILE, O_TMPFILE },
        { "O_NOFOLLOW", O_NOFOLLOW, O_NOFOLLOW },
        { "O_PATH", O_PATH, O_PATH },
        { 0 },
};

const struct argument_word words_resolve[] = {
        { "RESOLVE_BENEATH", RESOLVE_BENEATH, RESOLVE_BENEATH },
        { "RESOLVE_IN_ROOT", RESOLVE_IN_ROOT, RESOLVE_IN_ROOT },
        { "RESOLVE_NO_MAGICLINKS", RESOLVE_NO_MAGICLINKS, RESOLVE_NO_MAGICLINKS },
        { "RESOLVE_NO_SYMLINKS", RESOLVE_NO_SYMLINKS, RESOLVE_NO_SYMLINKS },
        { "RESOLVE_NO_XDEV", RESOLVE_NO_XDEV, RESOLVE_NO_XDEV },
        { "RESOLVE_CACHED", RESOLVE_CACHED, RESOLVE_CACHED },
        { 0 },
};

const struct argument_word words_unlink[] = {
        { "AT_REMOVEDIR", AT_REMOVEDIR, AT_REMOVEDIR },
        { 0 },
};

#define WORD(...)                                                                                                      \
        {                                                                                                              \
                __VA_ARGS__                                                                                            \
        }
#define BITS(bits) WORD(#bits, bits, bits)
#define KIND(kind) WORD(#kind, S_IFMT, kind)
#define PERMISSIONS                                                                                                    \
        BITS(S_IXOTH), BITS(S_IWOTH), BITS(S_IROTH), BITS(S_IXGRP), BITS(S_IWGRP), BITS(S_IRGRP), BITS(S_IXUSR),       \
                BITS(S_IWUSR), BITS(S_IRUSR), BITS(S_ISVTX), BITS(S_ISGID), BITS(S_ISUID)

const struct argument_word words_mode[] = { PERMISSIONS, { 0 } };
const struct argument_word words_mknod[] = { PERMISSIONS,   KIND(S_IFREG),  KIND(S_IFBLK), KIND(S_IFCHR),
                                             KIND(S_IFIFO), KIND(S_IFSOCK), { 0 } };

const struct argument_word words_rename[] = {
        { "RENAME_NOREPLACE", RENAME_NOREPLACE, RENAME_NOREPLACE },
        { "RENAME_EXCHANGE", RENAME_EXCHANGE, RENAME_EXCHANGE },
        { "RENAME_WHITEOUT", RENAME_WHITEOUT, RENAME_WHITEOUT },
        { 0 },
};

const struct argument_word words_linkat[] = {
        { "AT_SYMLINK_FOLLOW", AT_SYMLINK_FOLLOW, AT_SYMLINK_FOLLOW },
        { "AT_SYMLINK_NOFOLLOW", AT_SYMLINK_NOFOLLOW, AT_SYMLINK_NOFOLLOW },
        { "AT_EMPTY_PATH", AT_EMPTY_PATH, AT_EMPTY_PATH },
        { 0 },
};

const struct argument_word words_fallocate[] = {
        { "FALLOC_FL_KEEP_SIZE", FALLOC_FL_KEEP_SIZE, FALLOC_FL_KEEP_SIZE },
        { "FALLOC_FL_PUNCH_HOLE", FALLOC_FL_PUNCH_HOLE, FALLOC_FL_PUNCH_HOLE },
        { "FALLOC_FL_COLLAPSE_RANGE", FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_COLLAPSE_RANGE },
        { "FALLOC_FL_ZERO_RANGE", FALLOC_FL_ZERO_RANGE, FALLOC_FL_ZERO_RANGE },
        { "FALLOC_FL_INSERT_RANGE", FALLOC_FL_INSERT_RANGE, FALLOC_FL_INSERT_RANGE },
        { "FALLOC_FL_UNSHARE_RANGE", FALLOC_FL_UNSHARE_RANGE, FALLOC_FL_UNSHARE_RANGE },
        { 0 },
};

/* Requests that rules ask for. The number holds the size of the argument's type, which 32-bit programs have another of.
 */
const struct argument_word words_ioctl[] = {
        { "FS_IOC_SETFLAGS", ~SIZE_BITS, FS_IOC_SETFLAGS & ~SIZE_BITS },
        { "FS_IOC_FSSETXATTR", UINT32_MAX, FS_IOC_FSSETXATTR },
        { 0 },
};

const struct argument_word words_fcntl[] = {
        { "F_DUPFD", UINT32_MAX, F_DUPFD },
        { "F_GETFD", UINT32_MAX, F_GETFD },
        { "F_SETFD", UINT32_MAX, F_SETFD },
        { "F_GETFL", UINT32_MAX, F_GETFL },
        { "F_SETFL", UINT32_MAX, F_SETFL },
        { "F_GETLK", UINT32_MAX, F_GETLK },
        { "F_SETLK", UINT32_MAX, F_SETLK },
        { "F_SETLKW", UINT32_MAX, F_SETLKW },
        { "F_SETOWN", UINT32_MAX, F_SETOWN },
        { "F_GETOWN", UINT32_MAX, F_GETOWN },
        { "F_SETSIG", UINT32_MAX, F_SETSIG },
        { "F_GETSIG", UINT32_MAX, F_GETSIG },
        { "F_SETLEASE", UINT32_MAX, F_SETLEASE },
        { "F_GETLEASE", UINT32_MAX, F_GETLEASE },
        { "F_NOTIFY", UINT32_MAX, F_NOTIFY },
        { "F_DUPFD_CLOEXEC", UINT32_MAX, F_DUPFD_CLOEXEC },
        { "F_SETPIPE_SZ", UINT32_MAX, F_SETPIPE_SZ },
        { "F_GETPIPE_SZ", UINT32_MAX, F_GETPIPE_SZ },
        { "F_ADD_SEALS", UINT32_MAX, F_ADD_SEALS },
        { "F_GET_SEALS", UINT32_MAX, F_GET_SEALS },
        { 0 },
};

const struct argument_word words_mount[] = {
        { "RDONLY", MS_RDONLY, MS_RDONLY },
        { "NOSUID", MS_NOSUID, MS_NOSUID },
        { "NODEV", MS_NODEV, MS_NODEV },
        { "NOEXEC", MS_NOEXEC, MS_NOEXEC },
        { "SYNCHRONOUS", MS_SYNCHRONOUS, MS_SYNCHRONOUS },
        { "REMOUNT", MS_REMOUNT, MS_REMOUNT },
        { "MANDLOCK", MS_MANDLOCK, MS_MANDLOCK },
        { "DIRSYNC", MS_DIRSYNC, MS_DIRSYNC },
        { "NOATIME", MS_NOATIME, MS_NOATIME },
        { "NODIRATIME", MS_NODIRATIME, MS_NODIRATIME },
        { "BIND", MS_BIND, MS_BIND },
        { "MOVE", MS_MOVE, MS_MOVE },
        { "REC", MS_REC, MS_REC },
        { "SILENT", MS_SILENT, MS_SILENT },
        { "POSIXACL", MS_POSIXACL, MS_POSIXACL },
        { "UNBINDABLE", MS_UNBINDABLE, MS_UNBINDABLE },
        { "PRIVATE", MS_PRIVATE, MS_PRIVATE },
        { "SLAVE", MS_SLAVE, MS_SLAVE },
        { "SHARED", MS_SHARED, MS_SHARED },
        { "RELATIME", MS_RELATIME, MS_RELATIME },
        { "I_VERSION", MS_I_VERSION, MS_I_VERSION },
        { "STRICTATIME", MS_STRICTATIME, MS_STRICTATIME },
        { "LAZYTIME", MS_LAZYTIME, MS_LAZYTIME },
        { 0 },
};

const struct argument_word words_umount[] = {
        { "FORCE", MNT_FORCE, MNT_FORCE },
        { "DETACH", MNT_DETACH, MNT_DETACH },
        { "EXPIRE", MNT_EXPIRE, MNT_EXPIRE },
        { "NOFOLLOW", UMOUNT_NOFOLLOW, UMOUNT_NOFOLLOW },
        { 0 },
};

const struct argument_word words_fsconfig[] = {
        { "FSCONFIG_SET_FLAG", UINT32_MAX, 0 },
        { "FSCONFIG_SET_STRING", UINT32_MAX, 1 },
        { "FSCONFIG_SET_BINARY", UINT32_MAX, 2 },
        { "FSCONFIG_SET_PATH", UINT32_MAX, 3 },
        { "FSCONFIG_SET_PATH_EMPTY", UINT32_MAX, 4 },
        { "FSCONFIG_SET_FD", UINT32_MAX, 5 },
        { "FSCONFIG_CMD_CREATE", UINT32_MAX, 6 },
        { "FSCONFIG_CMD_RECONFIGURE", UINT32_MAX, 7 },
        { 0 },
};

const struct argument_word words_family[] = {
        { "AF_UNSPEC", UINT32_MAX, AF_UNSPEC },
        { "AF_UNIX", UINT32_MAX, AF_UNIX },
        { "AF_INET", UINT32_MAX, AF_INET },
        { "AF_AX25", UINT32_MAX, AF_AX25 },
        { "AF_IPX", UINT32_MAX, AF_IPX },
        { "AF_APPLETALK", UINT32_MAX, AF_APPLETALK },
        { "AF_NETROM", UINT32_MAX, AF_NETROM },
        { "AF_BRIDGE", UINT32_MAX, AF_BRIDGE },
        { "AF_ATMPVC", UINT32_MAX, AF_ATMPVC },
        { "AF_X25", UINT32_MAX, AF_X25 },
        { "AF_INET6", UINT32_MAX, AF_INET6 },
        { "AF_ROSE", UINT32_MAX, AF_ROSE },
        { "AF_NETLINK", UINT32_MAX, AF_NETLINK },
        { "AF_PACKET", UINT32_MAX, AF_PACKET },
        { "AF_KEY", UINT32_MAX, AF_KEY },
        { "AF_LLC", UINT32_MAX, AF_LLC },
        { "AF_CAN", UINT32_MAX, AF_CAN },
        { "AF_TIPC", UINT32_MAX, AF_TIPC },
        { "AF_BLUETOOTH", UINT32_MAX, AF_BLUETOOTH },
        { "AF_RXRPC", UINT32_MAX, AF_RXRPC },
        { "AF_PHONET", UINT32_MAX, AF_PHONET },
        { "AF_IEEE802154", UINT32_MAX, AF_IEEE802154 },
        { "AF_ALG", UINT32_MAX, AF_ALG },
        { "AF_NFC", UINT32_MAX, AF_NFC },
        { "AF_VSOCK", UINT32_MAX, AF_VSOCK },
        { "AF_QIPCRTR", UINT32_MAX, AF_QIPCRTR },
        { "AF_XDP", UINT32_MAX, AF_XDP },
        { 0 },
};

const struct argument_word words_shutdown[] = {
        { "SHUT_RD", UINT32_MAX, SHUT_RD },
        { "SHUT_WR", UINT32_MAX, SHUT_WR },
        { "SHUT_RDWR", UINT32_MAX, SHUT_RDWR },
        { 0 },
};

const struct argument_word words_prctl[] = {
        { "PR_SET_PDEATHSIG", UINT32_MAX, PR_SET_PDEATHSIG },
        { "PR_GET_PDEATHSIG", UINT32_MAX, PR_GET_PDEATHSIG },
        { "PR_GET_DUMPABLE", UINT32_MAX, PR_GET_DUMPABLE },
        { "PR_SET_DUMPABLE", UINT32_MAX, PR_SET_DUMPABLE },
        { "PR_SET_KEEPCAPS", UINT32_MAX, PR_SET_KEEPCAPS },
        { "PR_SET_NAME", UINT32_MAX, PR_SET_NAME },
        { "PR_GET_NAME", UINT32_MAX, PR_GET_NAME },
        { "PR_GET_SECCOMP", UINT32_MAX, PR_GET_SECCOMP },
        { "PR_SET_SECCOMP", UINT32_MAX, PR_SET_SECCOMP },
        { "PR_CAPBSET_READ", UINT32_MAX, PR_CAPBSET_READ },
        { "PR_CAPBSET_DROP", UINT32_MAX, PR_CAPBSET_DROP },
        { "PR_SET_SECUREBITS", UINT32_MAX, PR_SET_SECUREBITS },
        { "PR_SET_MM", UINT32_MAX, PR_SET_MM },
        { "PR_SET_PTRACER", UINT32_MAX, PR_SET_PTRACER },
        { "PR_SET_CHILD_SUBREAPER", UINT32_MAX, PR_SET_CHILD_SUBREAPER },
        { "PR_SET_NO_NEW_PRIVS", UINT32_MAX, PR_SET_NO_NEW_PRIVS },
        { "PR_CAP_AMBIENT", UINT32_MAX, PR_CAP_AMBIENT },
        { 0 },
};

const struct argument_word words_clone[] = {
        { "CLONE_FILES", CLONE_FILES, CLONE_FILES },
        { "CLONE_FS", CLONE_FS, CLONE_FS },
        { "CLONE_IO", CLONE_IO, CLONE_IO },
        { "CLONE_NEWIPC", CLONE_NEWIPC, CLONE_NEWIPC },
        { "CLONE_NEWNET", CLONE_NEWNET, CLONE_NEWNET },
        { "CLONE_NEWNS", CLONE_NEWNS, CLONE_NEWNS },
        { "CLONE_NEWPID", CLONE_NEWPID, CLONE_NEWPID },
        { "CLONE_NEWUTS", CLONE_NEWUTS, CLONE_NEWUTS },
        { "CLONE_PARENT", CLONE_PARENT, CLONE_PARENT },
        { "CLONE_PARENT_SETTID", CLONE_PARENT_SETTID, CLONE_PARENT_SETTID },
        { "CLONE_PTRACE", CLONE_PTRACE, CLONE_PTRACE },
        { "CLONE_SIGHAND", CLONE_SIGHAND, CLONE_SIGHAND },
        { "CLONE_SYSVSEM", CLONE_SYSVSEM, CLONE_SYSVSEM },
        { "CLONE_THREAD", CLONE_THREAD, CLONE_THREAD },
        { "CLONE_UNTRACED", CLONE_UNTRACED, CLONE_UNTRACED },
        { "CLONE_VM", CLONE_VM, CLONE_VM },
        { "CLONE_NEWUSER", CLONE_NEWUSER, CLONE_NEWUSER },
        { "CLONE_CHILD_CLEARTID", CLONE_CHILD_CLEARTID, CLONE_CHILD_CLEARTID },
        { "CLONE_CHILD_SETTID", CLONE_CHILD_SETTID, CLONE_CHILD_SETTID },
        { "CLONE_SETTLS", CLONE_SETTLS, CLONE_SETTLS },
        { "CLONE_VFORK", CLONE_VFORK, CLONE_VFORK },
        { "CLONE_NEWCGROUP", CLONE_NEWCGROUP, CLONE_NEWCGROUP },
        { 0 },
};

/* Not of the header: its names are an enum of glibc's, where some are called otherwise. */
const struct argument_word words_ptrace[] = {
        { "PTRACE_TRACEME", UINT32_MAX, 0x0 },
        { "PTRACE_PEEKTEXT", UINT32_MAX, 0x1 },
        { "PTRACE_PEEKDATA", UINT32_MAX, 0x2 },
        { "PTRACE_PEEKUSR", UINT32_MAX, 0x3 },
        { "PTRACE_POKETEXT", UINT32_MAX, 0x4 },
        { "PTRACE_POKEDATA", UINT32_MAX, 0x5 },
        { "PTRACE_POKEUSR", UINT32_MAX, 0x6 },
        { "PTRACE_CONT", UINT32_MAX, 0x7 },
        { "PTRACE_KILL", UINT32_MAX, 0x8 },
        { "PTRACE_SINGLESTEP", UINT32_MAX, 0x9 },
        { "PTRACE_GETREGS", UINT32_MAX, 0xc },
        { "PTRACE_SETREGS", UINT32_MAX, 0xd },
        { "PTRACE_GETFPREGS", UINT32_MAX, 0xe },
        { "PTRACE_SETFPREGS", UINT32_MAX, 0xf },
        { "PTRACE_ATTACH", UINT32_MAX, 0x10 },
        { "PTRACE_DETACH", UINT32_MAX, 0x11 },
        { "PTRACE_GETFPXREGS", UINT32_MAX, 0x12 },
        { "PTRACE_SETFPXREGS", UINT32_MAX, 0x13 },
        { "PTRACE_OLDSETOPTIONS", UINT32_MAX, 0x15 },
        { "PTRACE_SYSCALL", UINT32_MAX, 0x18 },
        { "PTRACE_GET_THREAD_AREA", UINT32_MAX, 0x19 },
        { "PTRACE_SET_THREAD_AREA", UINT32_MAX, 0x1a },
        { "PTRACE_ARCH_PRCTL", UINT32_MAX, 0x1e },
        { "PTRACE_SYSEMU", UINT32_MAX, 0x1f },
        { "PTRACE_SYSEMU_SINGLESTEP", UINT32_MAX, 0x20 },
        { "PTRACE_SINGLEBLOCK", UINT32_MAX, 0x21 },
        { "PTRACE_SETOPTIONS", UINT32_MAX, 0x4200 },
        { "PTRACE_GETEVENTMSG", UINT32_MAX, 0x4201 },
        { "PTRACE_GETSIGINFO", UINT32_MAX, 0x4202 },
        { "PTRACE_SETSIGINFO", UINT32_MAX, 0x4203 },
        { "PTRACE_GETREGSET", UINT32_MAX, 0x4204 },
        { "PTRACE_SETREGSET", UINT32_MAX, 0x4205 },
        { "PTRACE_SEIZE", UINT32_MAX, 0x4206 },
        { "PTRACE_INTERRUPT", UINT32_MAX, 0x4207 },
        { "PTRACE_LISTEN", UINT32_MAX, 0x4208 },
        { "PTRACE_PEEKSIGINFO", UINT32_MAX, 0x4209 },
        { "PTRACE_GETSIGMASK", UINT32_MAX, 0x420a },
        { "PTRACE_SETSIGMASK", UINT32_MAX, 0x420b },
        { 0 },
};

const struct argument_word words_bpf[] = {
        { "BPF_MAP_CREATE", UINT32_MAX, BPF_MAP_CREATE },
        { "BPF_MAP_LOOKUP_ELEM", UINT32_MAX, BPF_MAP_LOOKUP_ELEM },
        { "BPF_MAP_UPDATE_ELEM", UINT32_MAX, BPF_MAP_UPDATE_ELEM },
        { "BPF_MAP_DELETE_ELEM", UINT32_MAX, BPF_MAP_DELETE_ELEM },
        { "BPF_MAP_GET_NEXT_KEY", UINT32_MAX, BPF_MAP_GET_NEXT_KEY },
        { "BPF_PROG_LOAD", UINT32_MAX, BPF_PROG_LOAD },
        { "BPF_OBJ_PIN", UINT32_MAX, BPF_OBJ_PIN },
        { "BPF_OBJ_GET", UINT32_MAX, BPF_OBJ_GET },
        { "BPF_PROG_ATTACH", UINT32_MAX, BPF_PROG_ATTACH },
        { "BPF_PROG_DETACH", UINT32_MAX, BPF_PROG_DETACH },
        { "BPF_PROG_TEST_RUN", UINT32_MAX, BPF_PROG_TEST_RUN },
        { "BPF_PROG_GET_NEXT_ID", UINT32_MAX, BPF_PROG_GET_NEXT_ID },
        { "BPF_MAP_GET_NEXT_ID", UINT32_MAX, BPF_MAP_GET_NEXT_ID },
        { "BPF_PROG_GET_FD_BY_ID", UINT32_MAX, BPF_PROG_GET_FD_BY_ID },
        { "BPF_MAP_GET_FD_BY_ID", UINT32_MAX, BPF_MAP_GET_FD_BY_ID },
        { "BPF_OBJ_GET_INFO_BY_FD", UINT32_MAX, BPF_OBJ_GET_INFO_BY_FD },
        { "BPF_PROG_QUERY", UINT32_MAX, BPF_PROG_QUERY },
        { "BPF_RAW_TRACEPOINT_OPEN", UINT32_MAX, BPF_RAW_TRACEPOINT_OPEN },
        { "BPF_BTF_LOAD", UINT32_MAX, BPF_BTF_LOAD },
        { "BPF_BTF_GET_FD_BY_ID", UINT32_MAX, BPF_BTF_GET_FD_BY_ID },
        { "BPF_TASK_FD_QUERY", UINT32_MAX, BPF_TASK_FD_QUERY },
        { "BPF_MAP_LOOKUP_AND_DELETE_ELEM", UINT32_MAX, BPF_MAP_LOOKUP_AND_DELETE_ELEM },
        { "BPF_MAP_FREEZE", UINT32_MAX, BPF_MAP_FREEZE },
        { "BPF_BTF_GET_NEXT_ID", UINT32_MAX, BPF_BTF_GET_NEXT_ID },
        { "BPF_MAP_LOOKUP_BATCH", UINT32_MAX, BPF_MAP_LOOKUP_BATCH },
        { "BPF_MAP_LOOKUP_AND_DELETE_BATCH", UINT32_MAX, BPF_MAP_LOOKUP_AND_DELETE_BATCH },
        { "BPF_MAP_UPDATE_BATCH", UINT32_MAX, BPF_MAP_UPDATE_BATCH },
        { "BPF_MAP_DELETE_BATCH", UINT32_MAX, BPF_MAP_DELETE_BATCH },
        { "BPF_LINK_CREATE", UINT32_MAX, BPF_LINK_CREATE },
        { "BPF_LINK_UPDATE", UINT32_MAX, BPF_LINK_UPDATE },
        { "BPF_LINK_GET_FD_BY_ID", UINT32_MAX, BPF_LINK_GET_FD_BY_ID },
        { "BPF_LINK_GET_NEXT_ID", UINT32_MAX, BPF_LINK_GET_NEXT_ID },
        { "BPF_ENABLE_STATS", UINT32_MAX, BPF_ENABLE_STATS },
        { "BPF_ITER_CREATE", UINT32_MAX, BPF_ITER_CREATE },
        { "BPF_LINK_DETACH", UINT32_MAX, BPF_LINK_DETACH },
        { "BPF_PROG_BIND_MAP", UINT32_MAX, BPF_PROG_BIND_MAP },
        { 0 },
};

const struct argument_word words_memfd[] = {
        { "MFD_CLOEXEC", MFD_CLOEXEC, MFD_CLOEXEC },
        { "MFD_ALLOW_SEALING", MFD_ALLOW_SEALING, MFD_ALLOW_SEALING },
        { "MFD_HUGETLB", MFD_HUGETLB, MFD_HUGETLB },
        { 0 },
};

const struct argument_word words_prot[] = {
        { "PROT_READ", PROT_READ, PROT_READ },
        { "PROT_WRITE", PROT_WRITE, PROT_WRITE },
        { "PROT_EXEC", PROT_EXEC, PROT_EXEC },
        { "PROT_GROWSDOWN", PROT_GROWSDOWN, PROT_GROWSDOWN },
        { "PROT_GROWSUP", PROT_GROWSUP, PROT_GROWSUP },
        { "PROT_NONE", UINT32_MAX, PROT_NONE },
        { 0 },
};

const struct argument_word words_mmap[] = {
        { "MAP_SHARED", MAP_TYPE, MAP_SHARED },
        { "MAP_PRIVATE", MAP_TYPE, MAP_PRIVATE },
        { "MAP_FIXED", MAP_FIXED, MAP_FIXED },
        { "MAP_ANONYMOUS", MAP_ANONYMOUS, MAP_ANONYMOUS },
        { "MAP_NORESERVE", MAP_NORESERVE, MAP_NORESERVE },
        { "MAP_POPULATE", MAP_POPULATE, MAP_POPULATE },
        { "MAP_NONBLOCK", MAP_NONBLOCK, MAP_NONBLOCK },
        { "MAP_GROWSDOWN", MAP_GROWSDOWN, MAP_GROWSDOWN },
        { "MAP_DENYWRITE", MAP_DENYWRITE, MAP_DENYWRITE },
        { "MAP_EXECUTABLE", MAP_EXECUTABLE, MAP_EXECUTABLE },
        { "MAP_LOCKED", MAP_LOCKED, MAP_LOCKED },
        { 0 },
};

const struct argument_word words_access[] = {
        { "R_OK", R_OK, R_OK }, { "W_OK", W_OK, W_OK }, { "X_OK", X_OK, X_OK }, { "F_OK", UINT32_MAX, F_OK }, { 0 },
};
