/*
 * serve/calls-compile.c: rules into filters. The filters must be sound: random events go through the rules themselves
 * and through the filters, and none that a rule hits may be dropped. The atoms are computed here once more, out of the
 * event, as the kernel's side (bpf/calls/filter.h) does it out of its objects.
 */
#include "base/fs.h"
#include "bpf/shared/filter.h"
#include "sense/container.h"
#include "serve/arguments.h"
#include "serve/calls-compile.h"
#include "serve/record.h"
#include "serve/rules.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#define EVENTS 30000

/* ------------------------------------------------------------------------------------------------- sets ---- */

static struct rule_set *load(struct str *texts, size_t n)
{
        struct rule_loader *l = rule_loader_new(NULL);
        struct rule_set *set = NULL;
        struct problems problems = { 0 };
        for (size_t i = 0; i < n; i++)
                rule_loader_add_file(l, STR("test.yaml"), texts[i]);
        int r = rule_loader_finish(l, &set, &problems);
        for (size_t i = 0; r && i < problems.n; i++)
                printf("# %.*s\n", STR_FMT(problems.v[i].words));
        assert_int_equal(r, 0);
        problems_done(&problems);
        rule_loader_free(l);
        return set;
}

/* One rule for each condition, behind one another. */
static struct rule_set *load_conditions(const char *const *conditions, size_t n)
{
        struct buf text = BUF_INIT(1 << 20);
        for (size_t i = 0; i < n; i++)
                buf_printf(&text, "- rule: r%zu\n  desc: d\n  condition: >\n    %s\n  output: o\n  priority: WARNING\n",
                           i, conditions[i]);
        struct str s = buf_str(&text);
        struct rule_set *set = load(&s, 1);
        buf_done(&text);
        return set;
}

/* ------------------------------------------------------------------------------------------------- atoms ---- */

static uint64_t lookup(const struct sensor_text *texts, size_t n, struct str text)
{
        for (size_t i = 0; i < n; i++)
                if (str_eq(texts[i].text, text))
                        return texts[i].atoms;
        return 0;
}

static uint64_t longest_prefix(const struct sensor_recipes *r, struct str path)
{
        size_t best = 0;
        uint64_t atoms = 0;
        for (size_t i = 0; i < r->n_prefixes; i++)
                if (r->prefixes[i].text.n >= best && str_starts(path, r->prefixes[i].text)) {
                        best = r->prefixes[i].text.n;
                        atoms = r->prefixes[i].atoms;
                }
        return atoms;
}

static uint64_t path_atoms(const struct sensor_recipes *r, struct str path)
{
        char whole[256];
        struct str name = str_from(path, (size_t)(str_rfind_char(path, '/') + 1));
        struct str tail = name.n > CALL_SUFFIX_BYTES ? str_from(name, name.n - CALL_SUFFIX_BYTES) : name;
        assert_true(path.n < sizeof(whole));
        memcpy(whole, path.p, path.n);
        whole[path.n] = '\0';
        return longest_prefix(r, str_upto((struct str){ whole, path.n + 1 }, CALL_PREFIX_BYTES)) |
               lookup(r->suffixes, r->n_suffixes, tail);
}

static uint64_t fd_atoms(const struct observe_fd *fd)
{
        bool is_ip = fd->family == AF_INET || fd->family == AF_INET6;
        if (!S_ISSOCK(fd->mode))
                return ATOM_FD_PLAIN | ATOM_FD_NO_TCP;
        return (is_ip ? ATOM_FD_IP : ATOM_FD_UNIX) | (is_ip && fd->type == SOCK_STREAM ? 0 : ATOM_FD_NO_TCP);
}

static uint64_t atoms_of(const struct sensor_recipes *r, const struct event *e, bool is_inside)
{
        const struct observe_call *c = &e->call;
        const struct call_filter *f = &r->filters[c->call];
        uint64_t flags = 0, mode = 0, atoms = c->result >= 0 ? ATOM_SUCCESS : ATOM_FAILURE;
        (void)call_open_flags(e, &flags, &mode);
        for (uint32_t i = 0; i < f->n_tests; i++) {
                uint32_t source = f->tests[i].source;
                uint64_t number = source == CALL_TEST_RESULT       ? (uint64_t)c->result
                                  : source == CALL_TEST_OPEN_FLAGS ? flags
                                                                   : c->args[source];
                if (call_test_holds(&f->tests[i], number))
                        atoms |= CALL_ATOM(CALL_TEST_FIRST + i);
        }
        atoms |= is_inside ? ATOM_CONTAINER : 0;
        atoms |= c->fd.mode && c->result >= 0 ? fd_atoms(&c->fd) : ATOMS_FD;
        atoms |= lookup(r->comms, r->n_comms, event_comm(c->comm));
        atoms |= !e->path[0].n || str_find(e->path[0], STR("..")) >= 0 ? ATOM_RAW_DOTS : 0;
        atoms |= e->file.n && c->result >= 0 ? path_atoms(r, e->file) : ATOMS_PATH;
        return atoms;
}

/* ------------------------------------------------------------------------------------------------- events ---- */

static uint64_t state = 88172645463325252u;

static uint64_t any(uint64_t n)
{
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state % n;
}

#define ONE_OF(array) (array)[any(ARRAY_SIZE(array))]

static const char *const paths[] = {
        "/etc/shadow",
        "/etc/passwd",
        "/etc/pam.d/su",
        "/etc/sudoers.d/x",
        "/etc/sudoers",
        "/etc",
        "/",
        "/root/.ssh/id_rsa",
        "/root/.ssh",
        "/root/.bashrc",
        "/home/u/.ssh/known_hosts",
        "/home/u/.x",
        "/var/log/auth.log",
        "/var/log/syslog",
        "/var/log/nginx/access_log",
        "/tmp/syslog",
        "/proc/1/environ",
        "/proc/1/cgroup",
        "/proc/self/environ",
        "/dev/null",
        "/dev/shm/x",
        "/dev/foo",
        "/sys/fs/cgroup/release_agent",
        "/tmp/release_agent",
        "/etc/cron.d/x",
        "/etc/crontab",
        "/etc/ld.so.preload",
        "/usr/lib/liblzma.so.5.4.0",
        "/opt/app/conf",
        "/opt/app",
        "/opt/apple/x",
        "/a",
        "/a/b",
        "/a/bc/.profile",
        "/run/docker.sock",
        "/very/long/path/that/has/more/than/sixty-four/bytes/in/all/of/its/names/x.conf",
        "/very/long/path/that/has/more/than/sixty-four/bytes/in/all/of/its/names/y",
};
static const char *const raw_paths[] = {
        "", "x", "../../etc/shadow", "/var/www/../../etc/shadow", "a..b", "/etc/shadow", "./y"
};
static const char *const comms[] = { "cat", "tar", "sh", "bash", "nginx", "runc", "nc", "exactly15bytes_" };
static const uint64_t open_flags[] = { O_RDONLY,
                                       O_WRONLY,
                                       O_RDWR,
                                       O_WRONLY | O_CREAT,
                                       O_WRONLY | O_TRUNC | O_CREAT,
                                       O_RDONLY | O_DIRECTORY,
                                       O_RDWR | O_APPEND,
                                       O_TMPFILE | O_RDWR,
                                       O_ACCMODE };
static const int64_t results[] = { 0, 0, 1, 2, 3, 5, 7, 40, -2, -13, -1, -115, -11, -9 };
static const uint64_t numbers[] = { 0,
                                    1,
                                    2,
                                    3,
                                    4,
                                    5,
                                    16,
                                    17,
                                    100,
                                    0x10000000,
                                    0x20000,
                                    04755,
                                    0644,
                                    0x4206,
                                    0xffffff9c,
                                    0x40046602,
                                    0x40086602,
                                    0x401c5820,
                                    0x5413,
                                    UINT64_C(0x7f0000000000),
                                    UINT64_C(0xdead00000005),
                                    UINT64_MAX };

struct random_event {
        struct event event;
        struct open_how how;
        struct sockaddr_in address;
        bool is_inside;
};

static void make_fd(struct random_event *x)
{
        struct observe_fd *fd = &x->event.call.fd;
        static const uint32_t modes[] = { S_IFREG | 0644, S_IFREG | 0755, S_IFDIR | 0755, S_IFIFO, S_IFCHR };
        static const uint16_t families[] = { AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_PACKET };
        static const uint16_t types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW };
        enum observe_call_id call = (enum observe_call_id)x->event.call.call;
        bool is_net = observe_call_class(call) == CALL_CLASS_NET || any(4) == 0;
        if (call_columns[call].fd == AT_NONE || (call_columns[call].fd == AT_RESULT && x->event.call.result < 0))
                return;
        if (!is_net || call_forms[call].traits & CALL_OPENS) {
                fd->mode = ONE_OF(modes);
                x->event.file = str_of(ONE_OF(paths));
                x->event.call.file_magic = 0xef53;
                x->event.layer = (enum exe_layer)any(EXE_LAYERS);
                return;
        }
        fd->mode = S_IFSOCK | 0777;
        fd->family = ONE_OF(families);
        fd->type = ONE_OF(types);
        fd->protocol = fd->type == SOCK_STREAM ? IPPROTO_TCP : any(2) ? IPPROTO_UDP : IPPROTO_TCP;
        fd->local_port = (uint16_t)any(3) * 53;
        fd->remote_port = (uint16_t)any(3) * 443;
        fd->remote[0] = any(2) ? 127 : 8;
        fd->remote[3] = 1;
        /* An address of another family than the socket's is refused. */
        if (fd->family == AF_INET && any(2)) {
                x->address = (struct sockaddr_in){ .sin_family = AF_INET,
                                                   .sin_port = htons(53),
                                                   .sin_addr = { 0x08080808 } };
                x->event.data = (struct str){ (const char *)&x->address, sizeof(x->address) };
        }
}

static void make_event(struct random_event *x, const struct sensor_recipes *r)
{
        *x = (struct random_event){ 0 };
        struct event *e = &x->event;
        struct observe_call *c = &e->call;
        e->kind = e->head.kind = OBSERVE_CALL;
        e->head.pid = 7;
        do
                c->call = (uint16_t)any(OBSERVE_CALLS);
        while (!r->wanted[c->call] && any(20));
        c->result = ONE_OF(results);
        for (size_t i = 0; i < 6; i++)
                c->args[i] = ONE_OF(numbers);
        uint64_t flags = ONE_OF(open_flags);
        c->args[call_forms[c->call].traits & CALL_OPENS && c->call == CALL_open ? 1 : 2] = flags;
        if (c->call == CALL_openat2) {
                x->how.flags = flags;
                e->data = (struct str){ (const char *)&x->how, sizeof(x->how) };
        }
        snprintf(c->comm, sizeof(c->comm), "%s", ONE_OF(comms));
        if (call_columns[c->call].path[0] != AT_NONE) {
                e->path[0] = str_of(ONE_OF(raw_paths));
                e->dir[0] = STR("/etc");
        }
        if (call_columns[c->call].path[1] != AT_NONE)
                e->path[1] = str_of(ONE_OF(paths));
        x->is_inside = e->in_container = any(2);
        make_fd(x);
}

/* ------------------------------------------------------------------------------------------------- the test ---- */

struct tally {
        size_t hits, hit_events, sent, wanted;
};

/* A rule that says of which events it is: the others are asked of what comes. */
static bool counts(const struct rule_set *set, uint32_t rule, struct arena *arena)
{
        struct rule_needs needs;
        rule_set_needs(set, rule, arena, &needs);
        return !needs.all_events;
}

/* What a program that begins answers already, unless the rule asks how it went. */
static bool is_lean_call(uint32_t call) { return call == CALL_execve || call == CALL_execveat || call == CALL_clone; }

static struct tally check_soundness(struct rule_set *set)
{
        struct arena recipes_arena = ARENA_INIT, arena = ARENA_INIT;
        struct sensor_recipes *r = xcalloc(1, sizeof(*r));
        struct rule_eval *eval = rule_eval_new(set);
        struct tally t = { 0 };
        struct container_entry container = { .id = STR("0123456789abcdef"),
                                             .facts = { .name = STR("c"), .image = STR("i") } };
        calls_compile(set, &recipes_arena, r);
        for (size_t i = 0; i < EVENTS; i++) {
                struct random_event x;
                struct process_table processes;
                const uint32_t *hits;
                make_event(&x, r);
                process_table_init(&processes);
                struct event born = { .kind = OBSERVE_EXEC,
                                      .head = { .kind = OBSERVE_EXEC, .pid = 7, .started = 5 },
                                      .facts = { .in_other_mounts = x.is_inside },
                                      .exe_path = STR("/bin/cat"),
                                      .args = { "cat\0x", 6 },
                                      .cwd = STR("/") };
                (void)process_apply(&processes, &born);
                struct process *p = process_apply(&processes, &x.event);
                struct event_record er = { .event = &x.event,
                                           .process = p,
                                           .processes = &processes,
                                           .container = x.is_inside ? &container : NULL,
                                           .arena = &arena };
                struct record record = event_record(&er);
                size_t n = rule_eval(eval, &record, STAGE_SYSCALL, &hits), n_counted = 0;
                uint32_t call = x.event.call.call;
                for (size_t k = 0; k < n; k++)
                        n_counted += !is_lean_call(call) && counts(set, hits[k], &arena);
                bool is_sent =
                        r->wanted[call] && call_filter_passes(&r->filters[call], atoms_of(r, &x.event, x.is_inside));
                for (size_t k = 0; k < n && n_counted && !is_sent; k++)
                        fail_msg("event %zu (%s, result %lld, file %.*s): rule \"%.*s\" hits it, and it was not sent",
                                 i, event_call_name((enum observe_call_id)call), (long long)x.event.call.result,
                                 STR_FMT(x.event.file), STR_FMT(rule_set_rule(set, hits[k])->name));
                t.hits += n_counted;
                t.hit_events += n_counted > 0;
                t.wanted += r->wanted[call];
                t.sent += is_sent;
                process_table_done(&processes);
                arena_done(&arena);
        }
        printf("# %zu events of calls that are wanted, %zu of them sent, %zu with a hit, %zu hits\n", t.wanted, t.sent,
               t.hit_events, t.hits);
        rule_eval_free(eval);
        free(r);
        arena_done(&recipes_arena);
        rule_set_free(set);
        return t;
}

static void sound_of_conditions(void **s)
{
        static const char *const conditions[] = {
                "evt.type in (open, openat, openat2) and fd.name = /etc/shadow",
                "evt.type = openat and fd.name in (/etc/shadow, /etc/passwd, /) and evt.is_open_read = true",
                "evt.type in (open, openat) and fd.name startswith /etc and not fd.name startswith /etc/pam.d",
                "evt.type in (openat) and fd.directory in (/etc, /etc/pam.d, /root) and evt.is_open_write=true",
                "evt.type in (openat) and fd.directory = /",
                "evt.type in (openat) and fd.filename in (.bashrc, .profile, b, a)",
                "evt.type in (openat, openat2, creat) and fd.name endswith release_agent and evt.failed = false",
                "evt.type in (openat) and fd.name glob /proc/*/environ",
                "evt.type in (open) and fd.name glob '/home/*/.ssh/*'",
                "evt.type in (open) and fd.name pmatch (/opt/app/, /dev)",
                "evt.type in (open) and fd.name contains /.ssh/ and proc.name in (cat, tar)",
                "evt.type = openat2 and fd.nameraw contains ../ and evt.rawres >= 0",
                "evt.type = openat and evt.arg.flags contains O_TRUNC and fd.filename endswith .log",
                "evt.type = openat and evt.arg.flags contains O_T",
                "evt.type = openat and (fd.num < 0 or not evt.failed = true) and not container.id = host",
                "evt.type in (dup, dup2, dup3) and evt.rawres in (0, 1, 2) and fd.type in (ipv4, ipv6)",
                "evt.type = connect and fd.typechar = 4 and fd.sport != 443 and (evt.rawres >= 0 or evt.res = "
                "EINPROGRESS)",
                "evt.type in (sendto, sendmsg) and fd.l4proto != tcp and fd.connected = false",
                "evt.type = sendto and fd.l4proto = udp and container.id != host",
                "evt.type in (sendto, recvfrom) and fd.sockfamily = ip and fd.net != 127.0.0.0/8",
                "evt.type in (sendto, recvfrom) and fd.type = unix",
                "evt.type = socket and evt.arg.domain contains AF_PACKET and proc.in_container = true",
                "evt.type = socket and evt.arg[0] = AF_INET",
                "evt.type in (chmod, fchmod, fchmodat, fchmodat2) and evt.arg.mode contains S_ISUID",
                "evt.type = unshare and evt.arg.flags contains CLONE_NEWUSER and evt.res = SUCCESS",
                "evt.type in (mmap, mprotect) and evt.arg.prot contains PROT_EXEC and evt.arg.prot contains PROT_WRITE",
                "evt.type = ptrace and (evt.arg.request contains PTRACE_SETREGS or evt.arg.request = PTRACE_ATTACH)",
                "evt.type = ioctl and evt.arg.name = FS_IOC_SETFLAGS and fs.attributes in (immutable, none)",
                "evt.type = ioctl and (evt.arg.name = FS_IOC_FSSETXATTR or evt.arg.name contains SETFLAGS)",
                "evt.type = kill and evt.rawarg.pid in (5, 16) and evt.rawres != 0",
                "evt.type in (ftruncate, fallocate) and fd.name startswith /var/log/",
                "evt.type in (openat) and fd.name startswith "
                "/very/long/path/that/has/more/than/sixty-four/bytes/in/all/of/its/names/x",
                "evt.type in (openat) and fd.name = "
                "/very/long/path/that/has/more/than/sixty-four/bytes/in/all/of/its/names/y",
                "evt.type in (unlink, unlinkat, rename) and not (evt.rawres < 0) and proc.name = exactly15bytes_",
                "evt.type in (unlink) and not (evt.res = SUCCESS and proc.name = cat)",
                "evt.type in (openat) and toupper(fd.name) = /ETC/SHADOW",
                "evt.type in (openat) and fd.name = val(fs.path.name)",
        };
        (void)s;
        struct tally t = check_soundness(load_conditions(conditions, ARRAY_SIZE(conditions)));
        assert_true(t.hit_events > EVENTS / 50);
        assert_true(t.sent < t.wanted * 2 / 3);
}

/* More kinds of paths, names and tests than there are atoms: some are shared, none is lost. */
static void sound_of_many(void **s)
{
        enum { MANY = 120 };
        char texts[MANY][200];
        const char *conditions[MANY];
        (void)s;
        for (size_t i = 0; i < MANY; i++) {
                const char *path = paths[i % ARRAY_SIZE(paths)];
                snprintf(texts[i], sizeof(texts[i]),
                         "evt.type in (open, openat) and %s = %s%s and evt.rawres %s %zu and proc.name in (%s, x%zu)",
                         i % 3 ? "fd.name" : "fd.filename", i % 3 ? "" : "x", i % 3 ? path : strrchr(path, '/') + 1,
                         i % 2 ? ">=" : "<=", i % 9, comms[i % ARRAY_SIZE(comms)], i);
                conditions[i] = texts[i];
        }
        struct tally t = check_soundness(load_conditions(conditions, MANY));
        assert_true(t.hit_events > 0);
}

static void sound_of_ours(void **s)
{
        struct str text = rules_embedded();
        (void)s;
        assert_true(check_soundness(load(&text, 1)).hit_events > 0);
}

static void sound_of_falco(void **s)
{
        const char *shared = getenv("SEKISHO_SHARED");
        static const char *const names[] = { "falco_rules.yaml", "falco-incubating_rules.yaml" };
        struct buf bytes[2] = { BUF_INIT(1 << 20), BUF_INIT(1 << 20) };
        struct str texts[2];
        (void)s;
        for (size_t i = 0; i < 2; i++) {
                char path[4096];
                snprintf(path, sizeof(path), "%s/fixtures/falco-rules/%s", shared ? shared : "/nonexistent", names[i]);
                if (read_file(path, &bytes[i], NULL) < 0) {
                        printf("# SEKISHO_SHARED has no fixtures/falco-rules\n");
                        skip();
                }
                texts[i] = buf_str(&bytes[i]);
        }
        struct tally t = check_soundness(load(texts, 2));
        assert_true(t.hit_events > 0);
        assert_true(t.sent < t.wanted);
        buf_done(&bytes[0]);
        buf_done(&bytes[1]);
}

/* ------------------------------------------------------------------------------------------------- details ---- */

static void compiles(void **s)
{
        static const char *const conditions[] = {
                "evt.type = openat and fd.name startswith /etc/ and evt.is_open_write = true and container.id != host",
                "evt.type = openat and fd.name = /etc/ld.so.preload and evt.is_open_write = true",
                "evt.type in (execve, execveat) and proc.name = x",
                "proc.name = everything",
                "evt.type = setns",
        };
        struct arena arena = ARENA_INIT;
        struct sensor_recipes *r = xcalloc(1, sizeof(*r));
        struct rule_set *set = load_conditions(conditions, ARRAY_SIZE(conditions));
        (void)s;
        calls_compile(set, &arena, r);
        size_t n = 0;
        for (size_t i = 0; i < OBSERVE_CALLS; i++)
                n += r->wanted[i];
        assert_int_equal(n, 2);
        assert_true(r->wanted[CALL_openat] && r->wanted[CALL_setns]);
        assert_int_equal(r->filters[CALL_setns].n_clauses, 1);
        assert_int_equal(r->filters[CALL_setns].clauses[0], 0);
        const struct call_filter *f = &r->filters[CALL_openat];
        assert_int_equal(f->n_clauses, 2);
        assert_int_equal(f->n_tests, 1); /* both ask the same of the flags */
        assert_int_equal(r->n_prefixes, 2);
        assert_true(str_is(r->prefixes[0].text, "/etc/"));
        assert_int_equal(r->prefixes[1].text.n, strlen("/etc/ld.so.preload") + 1);
        assert_true((r->prefixes[1].atoms & r->prefixes[0].atoms) == r->prefixes[0].atoms);
        assert_true(r->prefixes[1].atoms != r->prefixes[0].atoms);
        rule_set_free(set);
        free(r);
        arena_done(&arena);
}

/* A program that could not be run is a call of its own, for rules that ask how it went. */
static void failed_exec(void **s)
{
        static const char *const conditions[] = { "evt.type = execve and evt.res = ENOENT" };
        struct arena arena = ARENA_INIT;
        struct sensor_recipes *r = xcalloc(1, sizeof(*r));
        struct rule_set *set = load_conditions(conditions, 1);
        (void)s;
        calls_compile(set, &arena, r);
        assert_true(r->wanted[CALL_execve]);
        assert_true(r->filters[CALL_execve].uses & ATOM_FAILURE);
        rule_set_free(set);
        free(r);
        arena_done(&arena);
}

static void needs(void **s)
{
        static const char *const conditions[] = {
                "evt.type in (execve, execveat)",
                "evt.type in (execve, openat)",
                "evt.type = openat",
                "proc.name = x",
                "evt.type in (open, openat) and evt.is_open_read = true",
                "evt.type in (open, openat) and (evt.is_open_read = true or evt.is_open_write = true)",
                "evt.type in (unlink, unlinkat)",
                "evt.type = dup2",
                "evt.type in (mount, umount2)",
                "evt.type = ptrace",
                "evt.type in (mount, dup2)",
        };
        static const struct {
                enum calls_need bare, with_files, with_reads, with_rights;
        } wanted[] = {
                { CALLS_NOT_NEEDED, CALLS_NOT_NEEDED, CALLS_NOT_NEEDED, CALLS_NOT_NEEDED },
                { CALLS_PARTLY, CALLS_PARTLY, CALLS_PARTLY, CALLS_PARTLY },
                { CALLS_ALL, CALLS_PARTLY, CALLS_ALL, CALLS_ALL },
                { CALLS_NOT_NEEDED, CALLS_NOT_NEEDED, CALLS_NOT_NEEDED, CALLS_NOT_NEEDED },
                { CALLS_ALL, CALLS_ALL, CALLS_PARTLY, CALLS_ALL },
                { CALLS_ALL, CALLS_PARTLY, CALLS_ALL, CALLS_ALL },
                { CALLS_ALL, CALLS_PARTLY, CALLS_ALL, CALLS_ALL },
                { CALLS_ALL, CALLS_ALL, CALLS_ALL, CALLS_ALL },
                { CALLS_ALL, CALLS_ALL, CALLS_ALL, CALLS_NOT_NEEDED },
                { CALLS_ALL, CALLS_ALL, CALLS_ALL, CALLS_PARTLY },
                { CALLS_ALL, CALLS_ALL, CALLS_ALL, CALLS_PARTLY },
        };
        struct arena arena = ARENA_INIT;
        struct rule_set *set = load_conditions(conditions, ARRAY_SIZE(conditions));
        (void)s;
        for (size_t i = 0; i < ARRAY_SIZE(conditions); i++) {
                struct rule_needs n;
                rule_set_needs(set, i, &arena, &n);
                assert_int_equal(calls_need_of(&n, 0), wanted[i].bare);
                assert_int_equal(calls_need_of(&n, CALLS_HAS_FILES), wanted[i].with_files);
                assert_int_equal(calls_need_of(&n, CALLS_HAS_READS), wanted[i].with_reads);
                assert_int_equal(calls_need_of(&n, CALLS_HAS_RIGHTS), wanted[i].with_rights);
        }
        rule_set_free(set);
        arena_done(&arena);
}

/* Past their room clauses become weaker, and none of them is lost. */
static void clauses(void **s)
{
        struct rule_clauses c = { 0 };
        (void)s;
        rule_clauses_add(&c, 7);
        rule_clauses_add(&c, 3); /* asks for less */
        assert_int_equal(c.n, 1);
        assert_int_equal(c.v[0], 3);
        rule_clauses_add(&c, 11); /* asks for more */
        assert_int_equal(c.n, 1);
        c.n = 0;
        uint64_t added[200];
        for (size_t i = 0; i < ARRAY_SIZE(added); i++) {
                added[i] = UINT64_C(1) << any(64) | UINT64_C(1) << any(64) | UINT64_C(1) << any(64);
                rule_clauses_add(&c, added[i]);
                assert_true(c.n <= RULE_CLAUSES_MAX);
                for (size_t k = 0; k <= i; k++) { /* what fits one that was added fits one that is there */
                        bool fits = false;
                        for (size_t m = 0; m < c.n; m++)
                                fits |= (added[k] & c.v[m]) == c.v[m];
                        assert_true(fits);
                }
        }
        rule_clauses_add(&c, 0);
        assert_int_equal(c.n, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(compiles),      cmocka_unit_test(failed_exec),         cmocka_unit_test(needs),
                cmocka_unit_test(clauses),       cmocka_unit_test(sound_of_conditions), cmocka_unit_test(sound_of_many),
                cmocka_unit_test(sound_of_ours), cmocka_unit_test(sound_of_falco),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
