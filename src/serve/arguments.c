/* See arguments.h. The words are in arguments-words.c. */
#include "serve/arguments.h"

#include "base/buf.h"
#include "serve/arguments-words.h"

#include <fcntl.h>
#include <linux/openat2.h>

const char *const call_class_names[CLASSES] = {
        [CLASS_OTHER] = "other",       [CLASS_FILE] = "file",         [CLASS_NET] = "net",
        [CLASS_IPC] = "IPC",           [CLASS_MEMORY] = "memory",     [CLASS_PROCESS] = "process",
        [CLASS_SLEEP] = "sleep",       [CLASS_SYSTEM] = "system",     [CLASS_SIGNAL] = "signal",
        [CLASS_USER] = "user",         [CLASS_TIME] = "time",         [CLASS_IO_READ] = "IO-read",
        [CLASS_IO_WRITE] = "IO-write", [CLASS_IO_OTHER] = "IO-other", [CLASS_WAIT] = "wait",
};

#define NONE   AT_NONE
#define RESULT AT_RESULT
const struct call_columns call_columns[OBSERVE_CALLS] = {
#define CALL(name, x86_64, i386, arm64, fd, dir1, path1, dir2, path2, data)                                            \
        { fd, { dir1, dir2 }, { path1, path2 }, data },
#include "bpf/shared/calls.def"
#undef CALL
};
#undef NONE
#undef RESULT

bool call_open_flags(const struct event *e, uint64_t *ret_flags, uint64_t *ret_mode)
{
        struct open_how how = { 0 };
        if (e->kind != OBSERVE_CALL)
                return false;
        switch (e->call.call) {
        case CALL_open:
                *ret_flags = e->call.args[1];
                *ret_mode = e->call.args[2];
                break;
        case CALL_openat:
        case CALL_open_by_handle_at:
                *ret_flags = e->call.args[2];
                *ret_mode = e->call.call == CALL_openat ? e->call.args[3] : 0;
                break;
        case CALL_openat2:
                memcpy(&how, e->data.p ? e->data.p : "", MIN(e->data.n, sizeof(how)));
                *ret_flags = how.flags;
                *ret_mode = how.mode;
                break;
        case CALL_creat:
                *ret_flags = O_CREAT | O_WRONLY | O_TRUNC;
                *ret_mode = e->call.args[1];
                break;
        default:
                return false;
        }
        *ret_flags &= UINT32_MAX;
        *ret_mode &= 07777;
        return true;
}

struct str argument_words(const struct argument_word *words, uint64_t value, bool is_one, struct arena *arena)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(4096);
        for (; words && words->name; words++) {
                if ((value & words->mask) != words->value)
                        continue;
                buf_printf(&b, "%s%s", b.n ? "|" : "", words->name);
                if (is_one)
                        break;
        }
        if (b.n == 0)
                buf_printf(&b, "%llu", (unsigned long long)value);
        return arena_str(arena, buf_str(&b));
}

/* --- the table --- */

#define ARGUMENT(...)                                                                                                  \
        {                                                                                                              \
                __VA_ARGS__                                                                                            \
        }

#define RES                   ARGUMENT("res", FROM_RESULT, FORM_ERROR, NULL)
#define FD                    ARGUMENT("fd", FROM_RESULT, FORM_FD, NULL)
#define DIR(name, i)          ARGUMENT(name, FROM_##i, FORM_DIR, NULL)
#define ON(name, i)           ARGUMENT(name, FROM_##i, FORM_FD, NULL)
#define PATH(name, i)         ARGUMENT(name, FROM_PATH##i, FORM_PATH, NULL)
#define NUMBER(name, i)       ARGUMENT(name, FROM_##i, FORM_NUMBER, NULL)
#define SIZE(name, i)         ARGUMENT(name, FROM_##i, FORM_UNSIGNED, NULL)
#define HEX(name, i)          ARGUMENT(name, FROM_##i, FORM_HEX, NULL)
#define OCTAL(name, i)        ARGUMENT(name, FROM_##i, FORM_OCTAL, NULL)
#define FLAGS(name, i, words) ARGUMENT(name, FROM_##i, FORM_FLAGS, words)
#define WORD(name, i, words)  ARGUMENT(name, FROM_##i, FORM_WORD, words)
#define UID(name, i)          ARGUMENT(name, FROM_##i, FORM_UID, NULL)
#define GID(name, i)          ARGUMENT(name, FROM_##i, FORM_GID, NULL)
#define SIGNAL(name, i)       ARGUMENT(name, FROM_##i, FORM_SIGNAL, NULL)
#define NAME(name)            ARGUMENT(name, FROM_DATA, FORM_TEXT, NULL)
#define ADDRESS               ARGUMENT("addr", FROM_DATA, FORM_ADDRESS, NULL)
#define TUPLE                 ARGUMENT("tuple", FROM_TUPLE, FORM_TUPLE, NULL)
#define OPEN_FLAGS            ARGUMENT("flags", FROM_FLAGS, FORM_FLAGS, words_open)
#define OPEN_MODE             ARGUMENT("mode", FROM_MODE, FORM_OCTAL, NULL)
#define PLACE                 ARGUMENT("dev", FROM_DEVICE, FORM_HEX, NULL), ARGUMENT("ino", FROM_INODE, FORM_UNSIGNED, NULL)
#define LINK_PATHS            PATH("oldpath", 1), PATH("newpath", 2)
#define OWNER(u, g)           UID("uid", u), GID("gid", g)

#define ROW(call, class, traits, ...) [CALL_##call] = { CLASS_##class, traits, { __VA_ARGS__ } }

const struct call_form call_forms[OBSERVE_CALLS] = {
        ROW(open, FILE, CALL_OPENS | CALL_FOLLOWS, FD, PATH("name", 1), OPEN_FLAGS, OPEN_MODE, PLACE),
        ROW(openat, FILE, CALL_OPENS | CALL_FOLLOWS, FD, DIR("dirfd", 0), PATH("name", 1), OPEN_FLAGS, OPEN_MODE,
            PLACE),
        ROW(openat2, FILE, CALL_OPENS | CALL_FOLLOWS, FD, DIR("dirfd", 0), PATH("name", 1), OPEN_FLAGS, OPEN_MODE,
            { "resolve", FROM_RESOLVE, FORM_FLAGS, words_resolve }, PLACE),
        ROW(creat, FILE, CALL_OPENS | CALL_FOLLOWS, FD, PATH("name", 1), OPEN_MODE, OPEN_FLAGS, PLACE),
        ROW(open_by_handle_at, FILE, 0, FD, ON("mountfd", 0), OPEN_FLAGS, PLACE),
        ROW(unlink, FILE, 0, RES, PATH("path", 1)),
        ROW(unlinkat, FILE, 0, RES, DIR("dirfd", 0), PATH("name", 1), FLAGS("flags", 2, words_unlink)),
        ROW(rmdir, FILE, 0, RES, PATH("path", 1)),
        ROW(mkdir, FILE, 0, RES, PATH("path", 1), OCTAL("mode", 1)),
        ROW(mkdirat, FILE, 0, RES, DIR("dirfd", 0), PATH("path", 1), OCTAL("mode", 2)),
        ROW(mknod, FILE, 0, RES, PATH("path", 1), FLAGS("mode", 1, words_mknod), HEX("dev", 2)),
        ROW(mknodat, FILE, 0, RES, DIR("dirfd", 0), PATH("path", 1), FLAGS("mode", 2, words_mknod), HEX("dev", 3)),
        ROW(rename, FILE, CALL_TWO_PATHS, RES, LINK_PATHS),
        ROW(renameat, FILE, CALL_TWO_PATHS, RES, DIR("olddirfd", 0), PATH("oldpath", 1), DIR("newdirfd", 2),
            PATH("newpath", 2)),
        ROW(renameat2, FILE, CALL_TWO_PATHS, RES, DIR("olddirfd", 0), PATH("oldpath", 1), DIR("newdirfd", 2),
            PATH("newpath", 2), FLAGS("flags", 4, words_rename)),
        ROW(link, FILE, CALL_TWO_PATHS, RES, LINK_PATHS),
        ROW(linkat, FILE, CALL_TWO_PATHS, RES, DIR("olddir", 0), PATH("oldpath", 1), DIR("newdir", 2),
            PATH("newpath", 2), FLAGS("flags", 4, words_linkat)),
        ROW(symlink, FILE, CALL_TWO_PATHS | CALL_TARGET_IS_TEXT, RES, { "target", FROM_PATH1, FORM_TEXT, NULL },
            PATH("linkpath", 2)),
        ROW(symlinkat, FILE, CALL_TWO_PATHS | CALL_TARGET_IS_TEXT, RES, { "target", FROM_PATH1, FORM_TEXT, NULL },
            DIR("linkdirfd", 1), PATH("linkpath", 2)),
        ROW(chmod, FILE, CALL_FOLLOWS, RES, PATH("filename", 1), FLAGS("mode", 1, words_mode)),
        ROW(fchmod, FILE, 0, RES, ON("fd", 0), FLAGS("mode", 1, words_mode)),
        ROW(fchmodat, FILE, CALL_FOLLOWS, RES, DIR("dirfd", 0), PATH("filename", 1), FLAGS("mode", 2, words_mode)),
        ROW(fchmodat2, FILE, CALL_FOLLOWS, RES, DIR("dirfd", 0), PATH("filename", 1), FLAGS("mode", 2, words_mode),
            FLAGS("flags", 3, words_linkat)),
        ROW(chown, FILE, CALL_FOLLOWS, RES, PATH("path", 1), OWNER(1, 2)),
        ROW(lchown, FILE, 0, RES, PATH("path", 1), OWNER(1, 2)),
        ROW(fchown, FILE, 0, RES, ON("fd", 0), OWNER(1, 2)),
        ROW(fchownat, FILE, CALL_FOLLOWS, RES, DIR("dirfd", 0), PATH("pathname", 1), OWNER(2, 3),
            FLAGS("flags", 4, words_linkat)),
        ROW(truncate, FILE, CALL_FOLLOWS, RES, PATH("path", 1), NUMBER("length", 1)),
        ROW(ftruncate, FILE, 0, RES, ON("fd", 0), NUMBER("length", 1)),
        ROW(fallocate, FILE, 0, RES, ON("fd", 0), FLAGS("mode", 1, words_fallocate), NUMBER("offset", 2),
            NUMBER("len", 3)),
        ROW(utime, FILE, CALL_FOLLOWS, RES, PATH("path", 1), HEX("times", 1)),
        ROW(utimes, FILE, CALL_FOLLOWS, RES, PATH("path", 1), HEX("times", 1)),
        ROW(futimesat, FILE, CALL_FOLLOWS, RES, DIR("dirfd", 0), PATH("path", 1), HEX("times", 2)),
        ROW(utimensat, FILE, CALL_FOLLOWS, RES, DIR("dirfd", 0), PATH("path", 1), HEX("times", 2),
            FLAGS("flags", 3, words_linkat)),
        ROW(setxattr, FILE, CALL_FOLLOWS, RES, PATH("path", 1), NAME("name"), SIZE("size", 3)),
        ROW(lsetxattr, FILE, 0, RES, PATH("path", 1), NAME("name"), SIZE("size", 3)),
        ROW(fsetxattr, FILE, 0, RES, ON("fd", 0), NAME("name"), SIZE("size", 3)),
        ROW(removexattr, FILE, CALL_FOLLOWS, RES, PATH("path", 1), NAME("name")),
        ROW(file_setattr, FILE, CALL_FOLLOWS, RES, DIR("dfd", 0), PATH("filename", 1),
            FLAGS("at_flags", 4, words_linkat)),
        ROW(read, IO_READ, 0, RES, ON("fd", 0), SIZE("size", 2)),
        ROW(write, IO_WRITE, 0, RES, ON("fd", 0), SIZE("size", 2)),
        ROW(sendfile, IO_WRITE, 0, RES, ON("out_fd", 0), NUMBER("in_fd", 1), HEX("offset", 2), SIZE("size", 3)),
        ROW(splice, IO_OTHER, 0, RES, NUMBER("fd_in", 0), ON("fd_out", 2), SIZE("size", 4)),
        ROW(copy_file_range, FILE, 0, RES, NUMBER("fdin", 0), ON("fdout", 2), SIZE("len", 4)),
        ROW(dup, IO_OTHER, 0, RES, ON("oldfd", 0)),
        ROW(dup2, IO_OTHER, 0, RES, ON("oldfd", 0), ON("newfd", 1)),
        ROW(dup3, IO_OTHER, 0, RES, ON("oldfd", 0), ON("newfd", 1), FLAGS("flags", 2, words_open)),
        ROW(fcntl, IO_OTHER, 0, RES, ON("fd", 0), WORD("cmd", 1, words_fcntl), HEX("argument", 2)),
        ROW(ioctl, IO_OTHER, 0, RES, ON("fd", 0), HEX("request", 1), HEX("argument", 2), WORD("name", 1, words_ioctl)),
        ROW(close, IO_OTHER, 0, RES, ON("fd", 0)),
        ROW(chdir, FILE, CALL_FOLLOWS, RES, PATH("path", 1)),
        ROW(fchdir, FILE, 0, RES, ON("fd", 0)),
        ROW(chroot, FILE, CALL_FOLLOWS, RES, PATH("path", 1)),
        ROW(pivot_root, SYSTEM, CALL_TWO_PATHS, RES, PATH("new_root", 1), PATH("put_old", 2)),
        ROW(mount, FILE, CALL_TWO_PATHS, RES, { "dev", FROM_PATH1, FORM_TEXT, NULL }, PATH("dir", 2), NAME("type"),
            FLAGS("flags", 3, words_mount)),
        ROW(umount2, FILE, CALL_FOLLOWS, RES, PATH("name", 1), FLAGS("flags", 1, words_umount)),
        ROW(fsopen, SYSTEM, 0, FD, NAME("fsname"), HEX("flags", 1)),
        ROW(fsconfig, SYSTEM, 0, RES, ON("fd", 0), WORD("cmd", 1, words_fsconfig), NAME("key")),
        ROW(fsmount, SYSTEM, 0, FD, ON("fs_fd", 0), HEX("flags", 1), HEX("attr_flags", 2)),
        ROW(open_tree, SYSTEM, CALL_FOLLOWS, FD, DIR("dirfd", 0), PATH("path", 1), HEX("flags", 2)),
        ROW(move_mount, SYSTEM, CALL_TWO_PATHS, RES, DIR("from_dirfd", 0), PATH("from_path", 1), DIR("to_dirfd", 2),
            PATH("to_path", 2), HEX("flags", 4)),
        ROW(mount_setattr, SYSTEM, CALL_FOLLOWS, RES, DIR("dirfd", 0), PATH("path", 1), HEX("flags", 2)),
        ROW(socket, NET, 0, FD, WORD("domain", 0, words_family), NUMBER("type", 1), NUMBER("proto", 2)),
        ROW(socketpair, IPC, 0, RES, WORD("domain", 0, words_family), NUMBER("type", 1), NUMBER("proto", 2)),
        ROW(connect, NET, 0, RES, TUPLE, ON("fd", 0), ADDRESS),
        ROW(bind, NET, 0, RES, ADDRESS, ON("fd", 0)),
        ROW(listen, NET, 0, RES, ON("fd", 0), NUMBER("backlog", 1)),
        ROW(accept, NET, 0, FD, TUPLE),
        ROW(accept4, NET, 0, FD, TUPLE, HEX("flags", 3)),
        ROW(sendto, IO_WRITE, 0, RES, ON("fd", 0), SIZE("size", 2), TUPLE, ADDRESS),
        ROW(sendmsg, IO_WRITE, 0, RES, ON("fd", 0), TUPLE),
        ROW(sendmmsg, IO_WRITE, 0, RES, ON("fd", 0), TUPLE),
        ROW(recvfrom, IO_READ, 0, RES, ON("fd", 0), SIZE("size", 2), TUPLE),
        ROW(recvmsg, IO_READ, 0, RES, ON("fd", 0), TUPLE),
        ROW(recvmmsg, IO_READ, 0, RES, ON("fd", 0), TUPLE),
        ROW(shutdown, NET, 0, RES, ON("fd", 0), WORD("how", 1, words_shutdown)),
        ROW(setsockopt, NET, 0, RES, ON("fd", 0), NUMBER("level", 1), NUMBER("optname", 2)),
        ROW(setuid, USER, 0, RES, UID("uid", 0)),
        ROW(setgid, USER, 0, RES, GID("gid", 0)),
        ROW(setreuid, USER, 0, RES, UID("ruid", 0), UID("euid", 1)),
        ROW(setregid, USER, 0, RES, GID("rgid", 0), GID("egid", 1)),
        ROW(setresuid, USER, 0, RES, UID("ruid", 0), UID("euid", 1), UID("suid", 2)),
        ROW(setresgid, USER, 0, RES, GID("rgid", 0), GID("egid", 1), GID("sgid", 2)),
        ROW(setfsuid, USER, 0, RES, UID("uid", 0)),
        ROW(setfsgid, USER, 0, RES, GID("gid", 0)),
        ROW(setgroups, USER, 0, RES, NUMBER("size", 0)),
        ROW(capset, PROCESS, 0, RES),
        ROW(prctl, PROCESS, 0, RES, WORD("option", 0, words_prctl), HEX("arg2", 1)),
        ROW(setns, PROCESS, 0, RES, ON("fd", 0), FLAGS("nstype", 1, words_clone)),
        ROW(unshare, PROCESS, 0, RES, FLAGS("flags", 0, words_clone)),
        ROW(setsid, PROCESS, 0, RES),
        ROW(sethostname, SYSTEM, 0, RES, NAME("name")),
        ROW(setdomainname, SYSTEM, 0, RES, NAME("name")),
        ROW(ptrace, PROCESS, 0, RES, WORD("request", 0, words_ptrace), NUMBER("pid", 1), HEX("addr", 2),
            HEX("data", 3)),
        ROW(process_vm_readv, PROCESS, 0, RES, NUMBER("pid", 0)),
        ROW(process_vm_writev, PROCESS, 0, RES, NUMBER("pid", 0)),
        ROW(kill, SIGNAL, 0, RES, NUMBER("pid", 0), SIGNAL("sig", 1)),
        ROW(tkill, SIGNAL, 0, RES, NUMBER("tid", 0), SIGNAL("sig", 1)),
        ROW(tgkill, SIGNAL, 0, RES, NUMBER("pid", 0), NUMBER("tid", 1), SIGNAL("sig", 2)),
        ROW(pidfd_open, PROCESS, 0, FD, NUMBER("pid", 0), HEX("flags", 1)),
        ROW(pidfd_getfd, PROCESS, 0, FD, NUMBER("pid_fd", 0), NUMBER("target_fd", 1), HEX("flags", 2)),
        ROW(pidfd_send_signal, SIGNAL, 0, RES, ON("fd", 0), SIGNAL("sig", 1)),
        ROW(bpf, OTHER, 0, { "fd", FROM_RESULT, FORM_ERROR, NULL }, WORD("cmd", 0, words_bpf)),
        ROW(perf_event_open, OTHER, 0, FD, NUMBER("pid", 1), NUMBER("cpu", 2)),
        ROW(userfaultfd, FILE, 0, { "res", FROM_RESULT, FORM_ERROR, NULL }, FLAGS("flags", 0, words_open)),
        ROW(memfd_create, MEMORY, 0, FD, NAME("name"), FLAGS("flags", 1, words_memfd)),
        ROW(memfd_secret, MEMORY, 0, FD, HEX("flags", 0)),
        ROW(io_uring_setup, IO_OTHER, 0, { "res", FROM_RESULT, FORM_ERROR, NULL }, SIZE("entries", 0)),
        ROW(io_uring_enter, IO_OTHER, 0, RES, NUMBER("fd", 0), SIZE("to_submit", 1), SIZE("min_complete", 2)),
        ROW(io_uring_register, IO_OTHER, 0, RES, NUMBER("fd", 0), NUMBER("opcode", 1)),
        ROW(init_module, OTHER, 0, RES, HEX("img", 0), SIZE("length", 1), NAME("uargs")),
        ROW(finit_module, OTHER, 0, RES, ON("fd", 0), NAME("uargs"), HEX("flags", 2)),
        ROW(delete_module, OTHER, 0, RES, NAME("name"), FLAGS("flags", 1, words_open)),
        ROW(kexec_load, SYSTEM, 0, RES, HEX("entry", 0), SIZE("nr_segments", 1)),
        ROW(kexec_file_load, SYSTEM, 0, RES, ON("fd", 0)),
        ROW(add_key, SYSTEM, 0, RES, NAME("type")),
        ROW(request_key, SYSTEM, 0, RES, NAME("type")),
        ROW(keyctl, SYSTEM, 0, RES, NUMBER("operation", 0)),
        ROW(mmap, MEMORY, 0, { "res", FROM_RESULT, FORM_HEX, NULL }, HEX("addr", 0), SIZE("length", 1),
            FLAGS("prot", 2, words_prot), FLAGS("flags", 3, words_mmap), ON("fd", 4), SIZE("offset", 5)),
        ROW(mprotect, MEMORY, 0, RES, HEX("addr", 0), SIZE("length", 1), FLAGS("prot", 2, words_prot)),
        ROW(mremap, MEMORY, 0, { "res", FROM_RESULT, FORM_HEX, NULL }, HEX("addr", 0)),
        ROW(remap_file_pages, MEMORY, 0, RES, HEX("addr", 0)),
        ROW(reboot, SYSTEM, 0, RES, HEX("cmd", 2)),
        ROW(settimeofday, TIME, 0, RES),
        ROW(clock_settime, TIME, 0, RES, NUMBER("clockid", 0)),
        ROW(adjtimex, TIME, 0, RES),
        ROW(swapon, SYSTEM, CALL_FOLLOWS, RES, PATH("path", 1)),
        ROW(swapoff, SYSTEM, CALL_FOLLOWS, RES, PATH("path", 1)),
        ROW(acct, SYSTEM, CALL_FOLLOWS, RES, PATH("filename", 1)),
        ROW(quotactl, SYSTEM, 0, RES, HEX("cmd", 0)),
        ROW(syslog, SYSTEM, 0, RES, NUMBER("type", 0)),
        ROW(iopl, SYSTEM, 0, RES, NUMBER("level", 0)),
        ROW(ioperm, SYSTEM, 0, RES, HEX("from", 0), SIZE("num", 1)),
        ROW(personality, PROCESS, 0, RES, HEX("persona", 0)),
        ROW(seccomp, OTHER, 0, RES, SIZE("op", 0), SIZE("flags", 1)),
        ROW(fanotify_init, SYSTEM, 0, { "res", FROM_RESULT, FORM_ERROR, NULL }, HEX("flags", 0)),
        ROW(fanotify_mark, SYSTEM, CALL_FOLLOWS, RES, ON("fd", 0), HEX("flags", 1), PATH("path", 1)),
        ROW(inotify_add_watch, FILE, CALL_FOLLOWS, RES, PATH("path", 1), HEX("mask", 2)),
        ROW(name_to_handle_at, FILE, 0, RES, DIR("dirfd", 0), PATH("path", 1)),
        ROW(execve, PROCESS, CALL_FOLLOWS, RES, PATH("filename", 1)),
        ROW(execveat, PROCESS, CALL_FOLLOWS, RES, DIR("dirfd", 0), PATH("pathname", 1),
            FLAGS("flags", 4, words_linkat)),
        ROW(clone, PROCESS, 0, RES, FLAGS("flags", 0, words_clone)),
        ROW(clone3, PROCESS, 0, RES, FLAGS("flags", DATA, words_clone)),
        ROW(fork, PROCESS, 0, RES),
        ROW(vfork, PROCESS, 0, RES),
        ROW(access, FILE, CALL_FOLLOWS, RES, PATH("name", 1), FLAGS("mode", 1, words_access)),
        ROW(faccessat, FILE, CALL_FOLLOWS, RES, DIR("dirfd", 0), PATH("name", 1), FLAGS("mode", 2, words_access)),
        ROW(faccessat2, FILE, CALL_FOLLOWS, RES, DIR("dirfd", 0), PATH("name", 1), FLAGS("mode", 2, words_access)),
        ROW(stat, FILE, CALL_FOLLOWS, RES, PATH("path", 1)),
        ROW(lstat, FILE, 0, RES, PATH("path", 1)),
        ROW(newfstatat, FILE, CALL_FOLLOWS, RES, DIR("dirfd", 0), PATH("path", 1)),
        ROW(statx, FILE, CALL_FOLLOWS, RES, DIR("dirfd", 0), PATH("path", 1)),
        ROW(readlink, FILE, 0, RES, PATH("path", 1)),
        ROW(readlinkat, FILE, 0, RES, DIR("dirfd", 0), PATH("path", 1)),
        ROW(getdents64, FILE, 0, RES, ON("fd", 0)),
        ROW(sched_setaffinity, PROCESS, 0, RES, NUMBER("pid", 0)),
        ROW(setrlimit, PROCESS, 0, RES, NUMBER("resource", 0)),
        ROW(prlimit64, PROCESS, 0, RES, NUMBER("pid", 0), NUMBER("resource", 1)),
        ROW(mlockall, MEMORY, 0, RES, HEX("flags", 0)),
        ROW(nanosleep, SLEEP, 0, RES),
        ROW(capability, PROCESS, 0, RES, NUMBER("cap", 0)),
        ROW(io_uring, OTHER, 0, RES, NUMBER("op", 0)),
        ROW(title, PROCESS, 0, RES, NAME("name")),
        ROW(lookup, NET, 0, TUPLE, SIZE("size", 1)),
        ROW(mining, NET, 0, TUPLE),
        ROW(download, FILE, 0, RES, NAME("format")),
};
