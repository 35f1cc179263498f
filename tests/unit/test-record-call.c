/* serve/record-call.c, record-fd.c, arguments.c: system calls made by hand, and what rules may ask of them. Words and
 * forms are Falco's. */
#include "serve/arguments.h"
#include "serve/record.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* The printed value of a field, "absent" without one. Lives until the arena ends. */
static struct str ask(struct event_record *r, const char *text)
{
        struct str key = STR_NONE, name = str_of(text), inside = STR_NONE;
        ptrdiff_t bracket = str_find_char(name, '[');
        if (bracket >= 0) {
                inside = str_from(name, (size_t)bracket + 1);
                inside.n--;
                name = str_upto(name, (size_t)bracket);
        }
        const struct field *f = field_find(name, &key);
        assert_non_null(f);
        uint64_t index = 0;
        bool is_index = str_u64(inside, &index);
        struct field_ref ref = { .field = f,
                                 .has_index = is_index,
                                 .index = (uint32_t)index,
                                 .key = inside.n && !is_index ? inside : key,
                                 .text = str_of(text) };
        struct record record = event_record(r);
        struct value v = value_absent();
        record.get(record.ctx, &ref, &v);
        if (v.type == VALUE_ABSENT)
                return STR("absent");
        struct buf b = BUF_INIT(4096);
        value_print(&v, &b);
        struct str s = arena_str(r->arena, buf_str(&b));
        buf_done(&b);
        return s;
}

static void expect(struct event_record *r, const char *field, const char *wanted)
{
        struct str s = ask(r, field);
        if (!str_is(s, wanted))
                fail_msg("%s is \"%.*s\", wanted \"%s\"", field, STR_FMT(s), wanted);
}

struct fixture {
        struct arena arena;
        struct process_table processes;
        struct event event;
        struct event_record r;
};

static void begin(struct fixture *f, enum observe_call_id call, int64_t result)
{
        *f = (struct fixture){ 0 };
        f->event = (struct event){ .kind = OBSERVE_CALL, .head = { .kind = OBSERVE_CALL, .pid = 42 } };
        f->event.call = (struct observe_call){ .thread = 43, .call = (uint16_t)call, .result = result };
        process_table_init(&f->processes);
        f->r = (struct event_record){ .event = &f->event, .processes = &f->processes, .arena = &f->arena };
}

static void end(struct fixture *f)
{
        process_table_done(&f->processes);
        arena_done(&f->arena);
}

static void opens(void **state)
{
        struct fixture f;
        begin(&f, CALL_openat, 5);
        f.event.call.args[0] = (uint64_t)(int64_t)AT_FDCWD;
        f.event.call.args[2] = O_WRONLY | O_CREAT | O_TRUNC;
        f.event.call.args[3] = 0750;
        f.event.call.fd = (struct observe_fd){ .mode = S_IFREG | 0644, .ino = 77 };
        f.event.call.file_dev = 8u << 20 | 1;
        f.event.file = STR("/var/log/auth.log");
        f.event.path[0] = STR("../run/../log/./auth.log");
        f.event.dir[0] = STR("/var/x");
        f.event.layer = EXE_LAYER_UPPER;
        expect(&f.r, "evt.type", "openat");
        expect(&f.r, "syscall.type", "openat");
        expect(&f.r, "evt.category", "file");
        expect(&f.r, "evt.res", "SUCCESS");
        expect(&f.r, "evt.rawres", "5");
        expect(&f.r, "evt.failed", "false");
        expect(&f.r, "evt.is_open_write", "true");
        expect(&f.r, "evt.is_open_read", "false");
        expect(&f.r, "evt.is_open_exec", "true");
        expect(&f.r, "evt.is_open_create", "true");
        expect(&f.r, "evt.arg.flags", "O_TRUNC|O_CREAT|O_WRONLY");
        expect(&f.r, "evt.rawarg.flags", "577");
        expect(&f.r, "evt.arg.mode", "0750");
        expect(&f.r, "evt.arg.name", "/var/log/auth.log");
        expect(&f.r, "evt.rawarg.name", "../run/../log/./auth.log");
        expect(&f.r, "evt.arg.dirfd", "AT_FDCWD");
        expect(&f.r, "evt.arg.fd", "<f>/var/log/auth.log");
        expect(&f.r, "evt.arg[0]", "<f>/var/log/auth.log");
        expect(&f.r, "evt.arg[1]", "AT_FDCWD");
        expect(&f.r, "evt.arg.ino", "77");
        expect(&f.r, "evt.arg.nonsense", "absent");
        expect(&f.r, "evt.arg[99]", "absent");
        expect(&f.r, "evt.abspath", "/var/log/auth.log");
        expect(&f.r, "evt.args",
               "fd=5(<f>/var/log/auth.log) dirfd=-100(AT_FDCWD) name=/var/log/auth.log "
               "flags=577(O_TRUNC|O_CREAT|O_WRONLY) mode=0750 dev=0x801 ino=77");
        expect(&f.r, "fd.num", "5");
        expect(&f.r, "fd.name", "/var/log/auth.log");
        expect(&f.r, "fd.nameraw", "../run/../log/./auth.log");
        expect(&f.r, "fd.directory", "/var/log");
        expect(&f.r, "fd.filename", "auth.log");
        expect(&f.r, "fd.type", "file");
        expect(&f.r, "fd.typechar", "f");
        expect(&f.r, "fd.dev", "2049");
        expect(&f.r, "fd.dev.major", "8");
        expect(&f.r, "fd.dev.minor", "1");
        expect(&f.r, "fd.ino", "77");
        expect(&f.r, "fd.uid", "435");
        expect(&f.r, "fd.layer", "upper");
        expect(&f.r, "fd.is_upper_layer", "true");
        expect(&f.r, "fd.is_lower_layer", "false");
        expect(&f.r, "fd.containername", "host:/var/log/auth.log");
        expect(&f.r, "fd.containerdirectory", "host:/var/log");
        expect(&f.r, "fd.sip", "absent");
        expect(&f.r, "fd.l4proto", "absent");
        expect(&f.r, "fs.path.name", "/var/log/auth.log");
        expect(&f.r, "fs.path.source", "absent");
        end(&f);
}

/* What could not be opened has the name that was asked for; a file in the root directory has one. */
static void failures(void **state)
{
        struct fixture f;
        begin(&f, CALL_open, -EACCES);
        f.event.call.args[1] = O_RDWR | O_APPEND | O_CLOEXEC;
        f.event.path[0] = STR("/etc/../etc/shadow");
        expect(&f.r, "evt.res", "EACCES");
        expect(&f.r, "evt.rawres", "-13");
        expect(&f.r, "evt.failed", "true");
        expect(&f.r, "evt.count.error", "1");
        expect(&f.r, "evt.count.error.file", "1");
        expect(&f.r, "evt.count.error.net", "absent");
        expect(&f.r, "evt.arg.fd", "EACCES");
        expect(&f.r, "evt.arg.res", "EACCES");
        expect(&f.r, "evt.arg.flags", "O_APPEND|O_RDWR|O_CLOEXEC");
        expect(&f.r, "fd.num", "-1");
        expect(&f.r, "fd.name", "/etc/shadow");
        expect(&f.r, "fd.typechar", "f");
        expect(&f.r, "fd.ino", "absent");
        expect(&f.r, "evt.is_open_read", "true");
        expect(&f.r, "evt.is_open_write", "true");
        expect(&f.r, "evt.is_open_exec", "false");
        f.event.path[0] = STR("/x");
        expect(&f.r, "fd.directory", "/");
        expect(&f.r, "fd.filename", "x");
        f.event.call.result = -99999; /* no error of Linux */
        expect(&f.r, "evt.res", "UNKNOWN");
        end(&f);
        begin(&f, CALL_openat2, 3);
        struct open_how how = { .flags = O_RDONLY | O_TMPFILE, .mode = 0711, .resolve = RESOLVE_IN_ROOT };
        f.event.data = str_span(&how, sizeof(how));
        expect(&f.r, "evt.arg.resolve", "RESOLVE_IN_ROOT");
        expect(&f.r, "evt.is_open_exec", "true");
        expect(&f.r, "evt.arg.mode", "0711");
        f.event.data = str_span(&how, 3); /* cut: what is missing is zero */
        expect(&f.r, "evt.arg.resolve", "0");
        expect(&f.r, "evt.arg.mode", "0");
        end(&f);
        begin(&f, CALL_creat, 3);
        f.event.call.args[1] = 0600;
        expect(&f.r, "evt.arg.flags", "O_TRUNC|O_CREAT|O_WRONLY");
        expect(&f.r, "evt.is_open_write", "true");
        end(&f);
}

static void two_paths(void **state)
{
        struct fixture f;
        begin(&f, CALL_renameat2, 0);
        f.event.path[0] = STR("a");
        f.event.dir[0] = STR("/tmp");
        f.event.path[1] = STR("/b/../c");
        expect(&f.r, "evt.arg.oldpath", "/tmp/a");
        expect(&f.r, "evt.arg.newpath", "/c");
        expect(&f.r, "fs.path.source", "/tmp/a");
        expect(&f.r, "fs.path.sourceraw", "a");
        expect(&f.r, "fs.path.target", "/c");
        expect(&f.r, "fs.path.targetraw", "/b/../c");
        expect(&f.r, "fs.path.name", "absent");
        expect(&f.r, "evt.abspath.src", "/tmp/a");
        expect(&f.r, "evt.abspath.dst", "/c");
        expect(&f.r, "evt.abspath", "absent");
        expect(&f.r, "fd.name", "absent");
        expect(&f.r, "fd.num", "absent");
        expect(&f.r, "evt.arg.res", "SUCCESS");
        end(&f);
        begin(&f, CALL_symlinkat, 0);
        f.event.path[0] = STR("../etc/shadow");
        f.event.path[1] = STR("x");
        f.event.dir[1] = STR("/opt");
        expect(&f.r, "evt.arg.target", "../etc/shadow");
        expect(&f.r, "evt.arg.linkpath", "/opt/x");
        expect(&f.r, "fs.path.source", "../etc/shadow");
        end(&f);
        begin(&f, CALL_ftruncate, 0); /* no path but a file */
        f.event.call.args[0] = 9;
        f.event.call.fd.mode = S_IFREG;
        f.event.file = STR("/var/log/x");
        expect(&f.r, "fs.path.name", "/var/log/x");
        expect(&f.r, "fs.path.real", "/var/log/x");
        expect(&f.r, "fd.num", "9");
        expect(&f.r, "evt.arg.fd", "<f>/var/log/x");
        end(&f);
        begin(&f, CALL_unlink, 0); /* relative to nobody knows what */
        f.event.path[0] = STR("x");
        expect(&f.r, "fs.path.name", "x");
        end(&f);
}

/* Links are resolved as the process sees them: here those of this test. */
static void real_paths(void **state)
{
        char dir[] = "/tmp/sekisho-paths-XXXXXX", path[128], real[128];
        assert_non_null(mkdtemp(dir));
        snprintf(path, sizeof(path), "%s/link", dir);
        snprintf(real, sizeof(real), "%s/there", dir);
        assert_int_equal(mkdir(real, 0755), 0);
        assert_int_equal(symlink("there", path), 0);
        snprintf(path, sizeof(path), "%s/link/gone", dir);
        snprintf(real, sizeof(real), "%s/there/gone", dir);
        struct fixture f;
        begin(&f, CALL_unlink, 0);
        f.event.head.pid = (uint32_t)getpid();
        f.event.path[0] = str_of(path);
        expect(&f.r, "fs.path.name", path);
        expect(&f.r, "fs.path.real", real);
        end(&f);
        snprintf(path, sizeof(path), "%s/link", dir);
        snprintf(real, sizeof(real), "%s/there", dir);
        begin(&f, CALL_unlink, 0); /* the link itself is meant */
        f.event.head.pid = (uint32_t)getpid();
        f.event.path[0] = str_of(path);
        expect(&f.r, "fs.path.real", path);
        f.event.call.call = CALL_chmod; /* which follows it */
        expect(&f.r, "fs.path.real", real);
        f.event.path[0] = STR("/");
        expect(&f.r, "fs.path.real", "/");
        end(&f);
        unlink(path);
        rmdir(real);
        rmdir(dir);
}

static void words(void **state)
{
        static const struct {
                enum observe_call_id call;
                unsigned arg;
                uint64_t value;
                const char *field, *text;
        } cases[] = {
                { CALL_unshare, 0, CLONE_NEWUSER | CLONE_NEWNS, "evt.arg.flags", "CLONE_NEWNS|CLONE_NEWUSER" },
                { CALL_clone, 0, CLONE_NEWUSER | 17, "evt.arg.flags", "CLONE_NEWUSER" },
                { CALL_setns, 1, CLONE_NEWPID, "evt.arg.nstype", "CLONE_NEWPID" },
                { CALL_ptrace, 0, 16, "evt.arg.request", "PTRACE_ATTACH" },
                { CALL_ptrace, 0, 0, "evt.arg.request", "PTRACE_TRACEME" },
                { CALL_ptrace, 0, 0x4206, "evt.arg.request", "PTRACE_SEIZE" },
                { CALL_ptrace, 0, 999, "evt.arg.request", "999" },
                { CALL_socket, 0, AF_PACKET, "evt.arg.domain", "AF_PACKET" },
                { CALL_socket, 0, AF_INET6, "evt.arg.domain", "AF_INET6" },
                { CALL_bpf, 0, 5, "evt.arg.cmd", "BPF_PROG_LOAD" },
                { CALL_bpf, 0, 5, "evt.rawarg.cmd", "5" },
                { CALL_chmod, 1, 04755, "evt.arg.mode",
                  "S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID" },
                { CALL_fchmodat2, 2, 02000, "evt.arg.mode", "S_ISGID" },
                { CALL_chmod, 1, 0, "evt.arg.mode", "0" },
                { CALL_mount, 3, 4096 | 16384, "evt.arg.flags", "BIND|REC" },
                { CALL_mmap, 2, PROT_READ | PROT_EXEC, "evt.arg.prot", "PROT_READ|PROT_EXEC" },
                { CALL_mmap, 2, 0, "evt.arg.prot", "PROT_NONE" },
                { CALL_mprotect, 2, PROT_WRITE | PROT_EXEC, "evt.arg.prot", "PROT_WRITE|PROT_EXEC" },
                { CALL_kill, 1, 9, "evt.arg.sig", "SIGKILL" },
                { CALL_kill, 1, 0, "evt.arg.sig", "0" },
                { CALL_setuid, 0, 1000, "evt.arg.uid", "1000" },
                { CALL_setresuid, 1, UINT32_MAX, "evt.arg.euid", "-1" },
                { CALL_fallocate, 1, 3, "evt.arg.mode", "FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE" },
                { CALL_unlinkat, 2, AT_REMOVEDIR, "evt.arg.flags", "AT_REMOVEDIR" },
                { CALL_ioctl, 1, FS_IOC_SETFLAGS, "evt.arg.name", "FS_IOC_SETFLAGS" },
                { CALL_ioctl, 1, FS_IOC32_SETFLAGS, "evt.arg.name", "FS_IOC_SETFLAGS" },
                { CALL_ioctl, 1, 0x5413, "evt.arg.name", "21523" },
                { CALL_ioctl, 1, 0x5413, "evt.arg.request", "0x5413" },
                { CALL_prctl, 0, 15, "evt.arg.option", "PR_SET_NAME" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct fixture f;
                begin(&f, cases[i].call, 0);
                f.event.call.args[cases[i].arg] = cases[i].value;
                expect(&f.r, cases[i].field, cases[i].text);
                end(&f);
        }
        struct fixture f;
        uint64_t flags = CLONE_NEWUSER;
        begin(&f, CALL_clone3, 7);
        f.event.data = str_span(&flags, sizeof(flags));
        expect(&f.r, "evt.arg.flags", "CLONE_NEWUSER");
        end(&f);
        begin(&f, CALL_memfd_create, 4);
        f.event.data = STR("jit\0behind");
        expect(&f.r, "evt.arg.name", "jit");
        end(&f);
}

/* What chattr does, by whatever call; flags that are cut, and other requests, say nothing. */
static void attributes(void **state)
{
        static const struct {
                enum observe_call_id call;
                uint64_t request, flags;
                size_t size;
                const char *text;
        } cases[] = {
                { CALL_ioctl, FS_IOC_SETFLAGS, FS_IMMUTABLE_FL | FS_NODUMP_FL, 4, "immutable" },
                { CALL_ioctl, FS_IOC32_SETFLAGS, FS_APPEND_FL, 4, "append" },
                { CALL_ioctl, FS_IOC_SETFLAGS, FS_IMMUTABLE_FL | FS_APPEND_FL, 4, "immutable append" },
                { CALL_ioctl, FS_IOC_SETFLAGS, FS_NODUMP_FL, 4, "none" },
                { CALL_ioctl, UINT64_C(0x7fff00000000) | FS_IOC_SETFLAGS, FS_APPEND_FL, 4, "append" },
                { CALL_ioctl, FS_IOC_FSSETXATTR, FS_XFLAG_IMMUTABLE, 4, "immutable" },
                { CALL_ioctl, FS_IOC_FSSETXATTR, FS_XFLAG_APPEND, 4, "append" },
                { CALL_file_setattr, AT_FDCWD, FS_XFLAG_IMMUTABLE, 8, "immutable" },
                { CALL_file_setattr, AT_FDCWD, 0, 8, "none" },
                { CALL_file_setattr, AT_FDCWD, FS_XFLAG_IMMUTABLE, 7, "absent" },
                { CALL_ioctl, FS_IOC_SETFLAGS, FS_IMMUTABLE_FL, 3, "absent" },
                { CALL_ioctl, FS_IOC_GETFLAGS, FS_IMMUTABLE_FL, 4, "absent" },
                { CALL_fcntl, FS_IOC_SETFLAGS, FS_IMMUTABLE_FL, 4, "absent" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct fixture f;
                begin(&f, cases[i].call, -EPERM);
                f.event.call.args[1] = cases[i].request;
                f.event.data = str_span(&cases[i].flags, cases[i].size);
                expect(&f.r, "fs.attributes", cases[i].text);
                end(&f);
        }
}

static void put_four(struct fixture *f, const char *local, uint16_t lport, const char *remote, uint16_t rport)
{
        f->event.call.fd = (struct observe_fd){ .mode = S_IFSOCK,
                                                .family = AF_INET,
                                                .type = SOCK_STREAM,
                                                .protocol = IPPROTO_TCP,
                                                .local_port = lport,
                                                .remote_port = rport };
        inet_pton(AF_INET, local, f->event.call.fd.local);
        inet_pton(AF_INET, remote, f->event.call.fd.remote);
}

static void sockets(void **state)
{
        struct fixture f;
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(80) };
        inet_pton(AF_INET, "169.254.169.254", &to.sin_addr);
        begin(&f, CALL_connect, -EINPROGRESS); /* the address counts, whatever has become of the connection */
        put_four(&f, "10.0.0.2", 40000, "0.0.0.0", 0);
        f.event.call.args[0] = 3;
        f.event.data = str_span(&to, sizeof(to));
        expect(&f.r, "evt.category", "net");
        expect(&f.r, "evt.res", "EINPROGRESS");
        expect(&f.r, "fd.type", "ipv4");
        expect(&f.r, "fd.typechar", "4");
        expect(&f.r, "fd.name", "10.0.0.2:40000->169.254.169.254:80");
        expect(&f.r, "evt.arg.addr", "169.254.169.254:80");
        expect(&f.r, "evt.arg.tuple", "10.0.0.2:40000->169.254.169.254:80");
        expect(&f.r, "fd.sip", "169.254.169.254");
        expect(&f.r, "fd.sport", "80");
        expect(&f.r, "fd.rip", "169.254.169.254");
        expect(&f.r, "fd.cip", "10.0.0.2");
        expect(&f.r, "fd.lport", "40000");
        expect(&f.r, "fd.ip", "(10.0.0.2,169.254.169.254)");
        expect(&f.r, "fd.l4proto", "tcp");
        expect(&f.r, "fd.sockfamily", "ip");
        expect(&f.r, "fd.is_server", "false");
        expect(&f.r, "fd.connected", "false");
        expect(&f.r, "fd.name_changed", "true");
        expect(&f.r, "fd.num", "3");
        expect(&f.r, "fd.directory", "absent");
        f.event.data = str_span(&to, 5); /* cut */
        expect(&f.r, "evt.arg.addr", "");
        end(&f);
        begin(&f, CALL_accept4, 6);
        put_four(&f, "10.0.0.2", 8080, "10.9.9.9", 51000);
        expect(&f.r, "fd.is_server", "true");
        expect(&f.r, "fd.name", "10.9.9.9:51000->10.0.0.2:8080");
        expect(&f.r, "fd.sport", "8080");
        expect(&f.r, "fd.cip", "10.9.9.9");
        expect(&f.r, "fd.lip", "10.0.0.2");
        end(&f);
        begin(&f, CALL_listen, 0);
        put_four(&f, "0.0.0.0", 8080, "0.0.0.0", 0);
        expect(&f.r, "fd.name", "0.0.0.0:8080");
        expect(&f.r, "fd.rip", "absent");
        expect(&f.r, "fd.sport", "8080");
        end(&f);
        begin(&f, CALL_dup2, 1);
        put_four(&f, "10.0.0.2", 45000, "10.9.9.9", 4444);
        f.event.call.args[0] = 3;
        f.event.call.args[1] = 1;
        expect(&f.r, "evt.rawres", "1");
        expect(&f.r, "fd.type", "ipv4");
        expect(&f.r, "fd.connected", "true");
        expect(&f.r, "evt.arg.oldfd", "<4>10.0.0.2:45000->10.9.9.9:4444");
        expect(&f.r, "evt.arg.newfd", "1"); /* not what was collected: a number */
        end(&f);
        begin(&f, CALL_connect, 0); /* IPv4 through an IPv6 socket */
        struct sockaddr_in6 mapped = { .sin6_family = AF_INET6, .sin6_port = htons(443) };
        inet_pton(AF_INET6, "::ffff:1.2.3.4", &mapped.sin6_addr);
        f.event.call.fd = (struct observe_fd){ .mode = S_IFSOCK, .family = AF_INET6, .type = SOCK_STREAM };
        f.event.data = str_span(&mapped, sizeof(mapped));
        expect(&f.r, "fd.rip", "1.2.3.4");
        expect(&f.r, "fd.type", "ipv4");
        expect(&f.r, "fd.rnet", "1.2.3.4");
        end(&f);
        begin(&f, CALL_connect, 0);
        struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/run/docker.sock" };
        f.event.call.fd = (struct observe_fd){ .mode = S_IFSOCK, .family = AF_UNIX, .type = SOCK_STREAM };
        f.event.data = str_span(&un, offsetof(struct sockaddr_un, sun_path) + 17);
        expect(&f.r, "fd.type", "unix");
        expect(&f.r, "fd.name", "/run/docker.sock");
        expect(&f.r, "fd.sockfamily", "unix");
        expect(&f.r, "fd.l4proto", "absent");
        memcpy(un.sun_path, "\0hidden", 7);
        f.event.data = str_span(&un, offsetof(struct sockaddr_un, sun_path) + 7);
        expect(&f.r, "fd.name", "@hidden");
        end(&f);
}

static void other_descriptors(void **state)
{
        static const struct {
                uint32_t mode, magic;
                const char *file;
                enum exe_layer layer;
                const char *type, *letter, *name;
        } cases[] = {
                { S_IFDIR, 0, "/etc", EXE_LAYER_LOWER, "directory", "d", "/etc" },
                { S_IFIFO, 0, "/run/f", EXE_LAYER_TMPFS, "pipe", "p", "/run/f" },
                { S_IFCHR, 0, "/dev/null", EXE_LAYER_TMPFS, "file", "f", "/dev/null" },
                { S_IFREG, EXE_MAGIC_TMPFS, "/memfd:x", EXE_LAYER_MEMFD, "memfd", "m", "memfd:x" },
                { 0600, 0x09041934, "/[eventpoll]", EXE_LAYER_MOUNT, "eventpoll", "l", "/[eventpoll]" },
                { 0600, 0x09041934, "/[io_uring]", EXE_LAYER_MOUNT, "io_uring", "r", "/[io_uring]" },
                { 0600, 0x09041934, "/[strange]", EXE_LAYER_MOUNT, "unknown", "o", "/[strange]" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct fixture f;
                begin(&f, CALL_close, 0);
                f.event.call.fd.mode = cases[i].mode;
                f.event.call.file_magic = cases[i].magic;
                f.event.file = str_of(cases[i].file);
                f.event.layer = cases[i].layer;
                expect(&f.r, "fd.type", cases[i].type);
                expect(&f.r, "fd.typechar", cases[i].letter);
                expect(&f.r, "fd.name", cases[i].name);
                end(&f);
        }
}

/* What the engine's files say of the container; of the host nothing. */
static void containers(void **state)
{
        struct str settings[] = { STR("privileged=true"), STR("mount=/srv/a:b:/data:z:false:rprivate"),
                                  STR("mount=/:/host::true:"), STR("healthcheck=curl -f x"), STR("mount=broken") };
        struct container_entry c = { .id = STR("0123456789abcdef"),
                                     .is_described = true,
                                     .facts.settings = { settings, ARRAY_SIZE(settings) } };
        struct fixture f;
        begin(&f, CALL_unlink, 0);
        expect(&f.r, "container.privileged", "absent");
        f.r.container = &c;
        expect(&f.r, "container.privileged", "true");
        expect(&f.r, "container.host_pid", "false");
        expect(&f.r, "container.mounts", "/srv/a:b:/data:z:false:rprivate,/:/host::true:,broken");
        expect(&f.r, "container.mount[1]", "/:/host::true:");
        expect(&f.r, "container.mount[9]", "absent");
        expect(&f.r, "container.mount[/srv*]", "/srv/a:b:/data:z:false:rprivate");
        expect(&f.r, "container.mount.dest[/]", "/host");
        expect(&f.r, "container.mount.source[/da*]", "/srv/a:b");
        expect(&f.r, "container.mount.rdwr[0]", "false");
        expect(&f.r, "container.mount.mode[0]", "z");
        expect(&f.r, "container.mount.propagation[/srv*]", "rprivate");
        expect(&f.r, "container.mount.rdwr[2]", "absent"); /* what does not say so */
        expect(&f.r, "container.healthcheck", "curl -f x");
        struct process *shell = process_get(&f.processes, 41), *check = process_get(&f.processes, 42);
        process_set_program(shell, &(struct program){ .args = STR("/bin/sh\0-c\0curl -f x\0") });
        process_set_program(check, &(struct program){ .args = STR("curl\0-f\0y\0") });
        f.r.process = check;
        expect(&f.r, "proc.is_container_healthcheck", "false");
        check->ppid = 41;
        expect(&f.r, "proc.is_container_healthcheck", "true"); /* its parent is */
        end(&f);
}

/* Each call has a class and, unless it takes none, arguments; names of a call differ; what the kernel's side collects
 * is what the table names. */
static void table(void **state)
{
        for (unsigned call = 0; call < OBSERVE_CALLS; call++) {
                const struct call_form *form = &call_forms[call];
                const struct call_columns *c = &call_columns[call];
                bool has_path[2] = { 0 };
                struct event event = { .kind = OBSERVE_CALL, .call = { .call = (uint16_t)call } };
                assert_non_null(form->arguments[0].name);
                assert_non_null(call_class_names[form->class]);
                assert_int_equal(form->arguments[0].from == FROM_RESULT || form->arguments[0].from == FROM_TUPLE, 1);
                for (size_t i = 0; form->arguments[i].name; i++) {
                        const struct argument *a = &form->arguments[i];
                        bool has_words = a->form == FORM_FLAGS || a->form == FORM_WORD;
                        if (has_words != (a->words != NULL))
                                fail_msg("%s.%s", event_type_name(&event), a->name);
                        for (size_t k = 0; k < i; k++)
                                assert_string_not_equal(a->name, form->arguments[k].name);
                        if (a->from == FROM_PATH1 || a->from == FROM_PATH2)
                                has_path[a->from - FROM_PATH1] = true;
                        if (a->from == FROM_DATA && c->data == AT_NONE)
                                fail_msg("%s.%s is not collected", event_type_name(&event), a->name);
                }
                for (unsigned i = 0; i < 2; i++)
                        if (has_path[i] != (c->path[i] != AT_NONE))
                                fail_msg("%s: path %u", event_type_name(&event), i + 1);
                assert_int_equal(c->path[1] != AT_NONE, !!(form->traits & CALL_TWO_PATHS));
        }
}

/* Every field of every call, with random numbers and odd texts: an answer or none, and no harm. */
static void anything_goes(void **state)
{
        srandom(1);
        struct field_ref refs[] = { { .key = STR("flags") }, { .key = STR("fd") }, { .has_index = true, .index = 2 } };
        for (unsigned n_times = 0; n_times < 20 * OBSERVE_CALLS; n_times++) {
                struct fixture f;
                begin(&f, (enum observe_call_id)(n_times % OBSERVE_CALLS), random() % 2 ? -(random() % 140) : random());
                for (unsigned i = 0; i < FIELDS; i++) {
                        uint8_t noise[40];
                        for (size_t n = 0; n < sizeof(noise); n++)
                                noise[n] = (uint8_t)random();
                        noise[0] = (uint8_t)(random() % 3 == 0 ? AF_INET : random() % 2 ? AF_INET6 : AF_UNIX);
                        noise[1] = 0;
                        for (size_t n = 0; n < 6; n++)
                                f.event.call.args[n] = (uint64_t)random() << (random() % 33);
                        f.event.call.fd.mode = (uint32_t)random();
                        f.event.call.fd.family = noise[0];
                        f.event.data = str_span(noise, (size_t)random() % sizeof(noise));
                        f.event.path[0] = random() % 2 ? STR("\xff/..//") : STR_NONE;
                        f.event.path[1] = random() % 2 ? STR("/") : STR_NONE;
                        f.event.file = random() % 2 ? STR("...") : STR_NONE;
                        struct field_ref ref = refs[random() % ARRAY_SIZE(refs)];
                        ref.field = &fields[i];
                        ref.text = str_of(fields[i].name);
                        struct record record = event_record(&f.r);
                        struct value v = value_absent();
                        record.get(record.ctx, &ref, &v);
                        bool is_wrong = v.type != VALUE_ABSENT && v.type != VALUE_LIST && v.type != fields[i].type &&
                                        !(fields[i].traits & FIELD_VARIANT);
                        if (is_wrong)
                                fail_msg("%s is a %s", fields[i].name, value_type_name(v.type));
                }
                end(&f);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(opens),         cmocka_unit_test(failures),
                cmocka_unit_test(two_paths),     cmocka_unit_test(real_paths),
                cmocka_unit_test(words),         cmocka_unit_test(attributes),
                cmocka_unit_test(sockets),       cmocka_unit_test(other_descriptors),
                cmocka_unit_test(containers),    cmocka_unit_test(table),
                cmocka_unit_test(anything_goes),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
