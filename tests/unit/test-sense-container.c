/* sense/container.c: ids in cgroup paths, what is known of them, mounts; sense/script.c: what an interpreter runs. */
#include "sense/container.h"
#include "sense/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ID  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID2 "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static void ids(void **state)
{
        static const struct {
                const char *name, *id; /* NULL: none */
                bool is_sure;
        } cases[] = {
                { ID, ID, true },
                { "docker-" ID ".scope", ID, true },
                { "cri-containerd-" ID ".scope", ID, true },
                { "crio-" ID ".scope", ID, true },
                { "libpod-" ID ".scope", ID, true },
                { "libpod-" ID, ID, true },
                { "crio-conmon-" ID ".scope", NULL, false },
                { "libpod-conmon-" ID ".scope", NULL, false },
                { "x" ID, "x" ID, false }, /* 65 letters are no id of an engine */
                { "web-1", "web-1", false },
                { "session-1.scope", "session-1", false },
                { "ssh.service", NULL, false },
                { "user.slice", NULL, false },
                { "", NULL, false },
                { "..", NULL, false },
                { ".scope", NULL, false },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                bool is_sure = true;
                struct str id = container_id_in(str_of(cases[i].name), &is_sure);
                if (!str_eq(id, str_of(cases[i].id)) || is_sure != cases[i].is_sure)
                        fail_msg("%s: %.*s %d", cases[i].name, STR_FMT(id), is_sure);
        }
}

/* A host with the containers ID, web and later. */
struct host {
        unsigned asked;
        bool is_late; /* "later" is known now */
        unsigned marks, unmarks;
        const struct container_table *table;
};

static bool look_up(void *arg, struct str id, struct arena *arena, struct container_facts *ret)
{
        static struct str labels[] = { { "io.kubernetes.pod.name=pod-1", 28 },
                                       { "io.kubernetes.pod.namespace=ns", 30 },
                                       { "odd", 3 } };
        struct host *h = arg;
        h->asked++;
        if (str_is(id, "early")) {
                *ret = (struct container_facts){ .name = STR("early"), .pid = h->is_late ? 7 : 0 };
                return true;
        }
        if (!str_is(id, ID) && !str_is(id, "web") && !(h->is_late && str_is(id, "later")))
                return false;
        *ret = (struct container_facts){ .name = arena_str(arena, id),
                                         .engine = "runc",
                                         .labels = { labels, ARRAY_SIZE(labels) } };
        return true;
}

static void mark(void *arg, uint64_t cgroup_id, bool is_container)
{
        struct host *h = arg;
        h->marks += is_container;
        h->unmarks += !is_container;
        if (!is_container) /* whoever is told of its end may want to know which one it was */
                assert_non_null(container_known(h->table, cgroup_id));
}

static void finding(void **state)
{
        struct container_table t;
        struct host h = { .table = &t };
        container_table_init(&t);
        t.lookup = look_up;
        t.lookup_arg = t.mark_arg = &h;
        t.mark = mark;
        assert_null(container_of_cgroup(&t, 1, STR("/"), CONTAINER_UNLIKELY));
        assert_null(container_of_cgroup(&t, 2, STR("/system.slice/ssh.service"), CONTAINER_UNLIKELY));
        struct container_entry *c =
                container_of_cgroup(&t, 3, STR("/kubepods/pod7/cri-containerd-" ID ".scope"), CONTAINER_LIKELY);
        assert_non_null(c);
        assert_true(str_is(c->id, ID) && str_is(c->pod, "pod-1") && str_is(c->pod_namespace, "ns"));
        assert_int_equal(container_label(c, STR("odd")).n, 0);
        /* A container cannot become another by the name of a cgroup that it makes inside of its own. */
        assert_true(str_is(container_of_cgroup(&t, 4, STR("/web/" ID), CONTAINER_LIKELY)->id, "web"));
        /* An id that nobody knows is still one. */
        c = container_of_cgroup(&t, 5, STR("/docker/" ID2), CONTAINER_LIKELY);
        assert_true(str_is(c->id, ID2) && !c->is_described);
        assert_int_equal(h.marks, 3);
        assert_ptr_equal(container_known(&t, 5), c);
        assert_null(container_known(&t, 2));
        assert_null(container_known(&t, 99));

        /* Not known yet when a runtime is on its way in; looked for again when somebody is inside, but not for ever. */
        assert_null(container_of_cgroup(&t, 6, STR("/later"), CONTAINER_UNLIKELY));
        h.asked = 0;
        assert_null(container_of_cgroup(&t, 6, STR("/later"), CONTAINER_UNLIKELY));
        assert_int_equal(h.asked, 0);
        h.is_late = true;
        assert_true(str_is(container_of_cgroup(&t, 6, STR("/later"), CONTAINER_LIKELY)->id, "later"));
        h.asked = 0;
        for (int i = 0; i < 100; i++)
                container_of_cgroup(&t, 5, STR("/docker/" ID2), CONTAINER_LIKELY);
        assert_int_equal(h.asked, 2 * (CONTAINER_TRIES_MAX - 1)); /* "docker" and the id, each time */
        /* Ended before anybody looked: the path is the id, but not of what systemd made. */
        assert_true(str_is(container_of_cgroup(&t, 20, STR("/default/short"), CONTAINER_SURE)->id, "default/short"));
        assert_null(container_of_cgroup(&t, 21, STR("/user.slice/session-1.scope"), CONTAINER_SURE));
        assert_null(container_of_cgroup(&t, 1, STR("/"), CONTAINER_SURE));
        assert_null(container_of_cgroup(&t, 22, STR("/default/short"), CONTAINER_LIKELY));
        assert_true(
                str_is(container_of_cgroup(&t, 23, STR("/system.slice/runc-web.scope"), CONTAINER_SURE)->id, "web"));
        container_table_done(&t);
        assert_int_equal(h.unmarks, h.marks);
}

/* Its engine knows it, its first process is not there yet: it is looked for again. */
static void not_started_yet(void **state)
{
        struct host h = { 0 };
        struct container_table t;
        container_table_init(&t);
        t.lookup = look_up;
        t.lookup_arg = &h;
        struct container_entry *c = container_of_cgroup(&t, 3, STR("/early"), CONTAINER_UNLIKELY);
        assert_true(c && c->is_described && c->facts.pid == 0);
        container_look_again(&t);
        assert_int_equal(h.asked, 2);
        h.is_late = true;
        assert_ptr_equal(container_of_cgroup(&t, 3, STR("/early"), CONTAINER_SURE), c);
        assert_int_equal(c->facts.pid, 7);
        container_look_again(&t); /* all is known */
        assert_int_equal(h.asked, 3);
        container_table_done(&t);
        container_table_init(&t);
        t.lookup = look_up;
        t.lookup_arg = &h;
        h = (struct host){ 0 };
        (void)container_of_cgroup(&t, 3, STR("/early"), CONTAINER_SURE);
        for (int i = 0; i < 100; i++)
                container_look_again(&t);
        assert_int_equal(h.asked, CONTAINER_TRIES_MAX); /* not for ever */
        container_table_done(&t);
}

static void forgetting(void **state)
{
        char root[] = "/tmp/sekisho-cgroup-XXXXXX", path[128];
        struct stat st;
        struct container_table t;
        container_table_init(&t);
        assert_non_null(mkdtemp(root));
        snprintf(path, sizeof(path), "%s/" ID, root);
        assert_int_equal(mkdir(path, 0755), 0);
        assert_int_equal(stat(path, &st), 0);
        container_of_cgroup(&t, st.st_ino, STR("/" ID), CONTAINER_LIKELY);
        container_of_cgroup(&t, st.st_ino + 1, STR("/" ID), CONTAINER_LIKELY); /* one before it, of the same name */
        container_of_cgroup(&t, 7, STR("/gone"), CONTAINER_LIKELY);
        container_forget_gone(&t, root);
        assert_int_equal(t.n, 1);
        assert_non_null(container_known(&t, st.st_ino));
        assert_int_equal(rmdir(path), 0);
        container_forget_gone(&t, root);
        assert_int_equal(t.n, 0);
        assert_int_equal(rmdir(root), 0);
        for (uint64_t id = 1; id <= CONTAINER_CGROUPS_MAX + 5; id++)
                container_of_cgroup(&t, id, STR("/a"), CONTAINER_UNLIKELY);
        assert_true(t.n <= CONTAINER_CGROUPS_MAX);
        container_table_done(&t);
}

static void mounts(void **state)
{
        struct container_entry e = { .arena = ARENA_INIT };
        container_parse_mounts(&e,
                               STR("1 0 0:1 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/up\\040per,workdir=/w\n"
                                   "2 1 0:2 / /dev/shm rw shared:1 - tmpfs shm rw\n"
                                   "3 1 8:1 /v /data rw - ext4 /dev/sda1 rw\n"
                                   "nonsense\n"
                                   "4 1 0:3 / /data\\\n"
                                   "5 2 0:4 / /dev/shm/x rw - overlay o rw,lowerdir=/l\n"));
        assert_int_equal(e.n_mounts, 4);
        assert_true(str_is(container_mount_of(&e, STR("/usr/bin/x"))->upper, "/up per"));
        assert_true(str_is(container_mount_of(&e, STR("/dev/shm"))->type, "tmpfs"));
        assert_true(str_is(container_mount_of(&e, STR("/dev/shmx"))->type, "overlay"));
        assert_true(str_is(container_mount_of(&e, STR("/data/a"))->type, "ext4"));
        assert_true(str_is(container_mount_of(&e, STR("/data/a"))->dir, "/v"));
        assert_true(str_is(container_mount_of(&e, STR("/data/a"))->device, "8:1"));
        assert_int_equal(container_mount_of(&e, STR("/dev/shm/x/y"))->upper.n, 0);
        /* Room for those that there are, not for as many as there may be. */
        assert_true(e.arena.used_bytes < CONTAINER_MOUNTS_MAX / 8 * sizeof(*e.mounts));
        arena_done(&e.arena);
        _cleanup_(buf_done) struct buf many = BUF_INIT(1 << 20);
        for (unsigned i = 0; i < 2 * CONTAINER_MOUNTS_MAX; i++)
                buf_printf(&many, "%u 0 0:1 / /m%u rw - tmpfs t rw\n", i, i);
        struct container_entry full = { .arena = ARENA_INIT };
        container_parse_mounts(&full, buf_str(&many));
        assert_int_equal(full.n_mounts, CONTAINER_MOUNTS_MAX);
        arena_done(&full.arena);
}

#define ARGS(literal)                                                                                                  \
        {                                                                                                              \
                literal "\0", sizeof(literal)                                                                          \
        }

static void scripts(void **state)
{
        static const struct {
                const char *exe;
                struct str args;
                const char *script; /* NULL: none */
        } cases[] = {
                { "/bin/sh", ARGS("sh\0/x.sh\0a"), "/x.sh" },
                { "/bin/sh", ARGS("sh\0-c\0/x.sh"), NULL },
                { "/bin/bash", ARGS("bash\0-ec\0true"), NULL },
                { "/bin/bash", ARGS("bash\0-eo\0pipefail\0x.sh"), "x.sh" },
                { "/bin/bash", ARGS("bash\0+x\0--norc\0--rcfile\0r\0x.sh"), "x.sh" },
                { "/bin/dash", ARGS("-dash\0--\0-x"), "-x" },
                { "/bin/sh", ARGS("sh\0-s"), NULL },
                { "/bin/sh", ARGS("sh"), NULL },
                { "/bin/busybox", ARGS("busybox\0sh\0x"), "x" },
                { "/bin/busybox", ARGS("/bin/ash\0x"), "x" },
                { "/bin/busybox", ARGS("cat\0x"), NULL },
                { "/usr/bin/sha256sum", ARGS("sh\0x"), NULL }, /* the title is chosen by the process */
                { "/usr/bin/python3.11", ARGS("sh\0-W\0ignore\0-u\0x.py"), "x.py" },
                { "/usr/bin/python3", ARGS("python3\0-Wignore\0x.py"), "x.py" },
                { "/usr/bin/python3", ARGS("python3\0-m\0http.server"), NULL },
                { "/usr/bin/python3", ARGS("python3\0-Bc\0pass"), NULL },
                { "/usr/bin/python3", ARGS("python3\0-"), NULL },
                { "/usr/bin/perl", ARGS("perl\0-MPOSIX=ceil\0-w\0x.pl"), "x.pl" },
                { "/usr/bin/perl", ARGS("perl\0-ne\0print"), NULL },
                { "/usr/bin/node", ARGS("node\0--require\0m\0x.js"), "x.js" },
                { "/usr/bin/php8.2", ARGS("php\0-d\0a=b\0-f\0x.php"), "x.php" },
                { "/usr/bin/mawk", ARGS("awk\0-f\0x.awk\0data"), "x.awk" },
                { "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", ARGS("ld\0--library-path\0/l\0--argv0\0t\0./x\0a"),
                  "./x" },
                { "/lib/ld-musl-x86_64.so.1", ARGS("ld\0x"), "x" },
                { "/usr/bin/ls", ARGS("ls\0x"), NULL },
                { "", ARGS("sh\0x"), NULL },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct str found = script_of(str_of(cases[i].exe), cases[i].args);
                if (!str_eq(found, str_of(cases[i].script)))
                        fail_msg("%zu: %s: %.*s", i, cases[i].exe, STR_FMT(found));
        }
}

static void absolute(void **state)
{
        static const struct {
                const char *path, *cwd, *want;
        } cases[] = {
                { "x", "/a", "/a/x" },        { "./x", "/", "/x" },
                { "../x", "/a/b", "/a/x" },   { "/a//b/./c/..", "/z", "/a/b" },
                { "../../../x", "/a", "/x" }, { "", "/a", "/a" },
                { "/..", "/", "/" },          { "x", "", "/x" },
        };
        struct arena arena = ARENA_INIT;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                if (!str_is(script_absolute(str_of(cases[i].path), str_of(cases[i].cwd), &arena), cases[i].want))
                        fail_msg("%s in %s", cases[i].path, cases[i].cwd);
        arena_done(&arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ids),        cmocka_unit_test(finding), cmocka_unit_test(not_started_yet),
                cmocka_unit_test(forgetting), cmocka_unit_test(mounts),  cmocka_unit_test(scripts),
                cmocka_unit_test(absolute),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
