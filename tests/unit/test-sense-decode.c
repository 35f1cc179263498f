/* sense/decode.c: records of the ring, good and hostile; bpf/shared/exe.h: the decisions that the kernel makes, case by
 * case. */
#include "sense/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bpf/shared/exe.h"

static struct str texts_of(struct str v[OBSERVE_TEXTS], struct observe_exec *e, char *to)
{
        size_t n = 0;
        for (size_t i = 0; i < OBSERVE_TEXTS; i++) {
                e->text_size[i] = (uint16_t)v[i].n;
                memcpy(to + n, v[i].p, v[i].n);
                n += v[i].n;
        }
        return str_span(to, n);
}

static struct str make_exec(char *to, struct str exe, uint32_t flags, uint32_t magic)
{
        struct observe_exec e = { .head = { .kind = OBSERVE_EXEC, .pid = 7, .time_ns = 9, .started = 8 },
                                  .ppid = 6,
                                  .flags = flags,
                                  .exe_magic = magic,
                                  .comm = "sixteen letters!" };
        struct str v[OBSERVE_TEXTS] = { exe,          STR("tmp\0"),    STR("c1\0docker\0"),
                                        STR("./x\0"), STR("x\0a b\0"), STR("HOME=/\0") };
        struct str texts = texts_of(v, &e, to + sizeof(e));
        memcpy(to, &e, sizeof(e));
        return str_span(to, sizeof(e) + texts.n);
}

static void exec_is_decoded(void **state)
{
        char bytes[1024];
        struct arena arena = ARENA_INIT;
        struct event e;
        assert_true(event_decode(make_exec(bytes, STR("x\0bin\0usr\0"),
                                           OBSERVE_EXE_UPPER | OBSERVE_OTHER_MOUNTS | OBSERVE_OTHER_PIDS,
                                           EXE_MAGIC_OVERLAY),
                                 &arena, &e));
        assert_int_equal(e.kind, OBSERVE_EXEC);
        assert_int_equal(e.head.pid, 7);
        assert_true(str_is(e.exe_path, "/usr/bin/x"));
        assert_true(str_is(e.cwd, "/tmp"));
        assert_true(str_is(e.cgroup, "/docker/c1"));
        assert_true(str_is(e.filename, "./x"));
        assert_true(str_eq(e.args, STR("x\0a b\0")));
        assert_true(str_eq(e.env, STR("HOME=/\0")));
        assert_true(str_is(event_comm(e.exec.comm), "sixteen letters!"));
        assert_int_equal(e.layer, EXE_LAYER_UPPER);
        assert_true(e.in_container);

        assert_true(
                event_decode(make_exec(bytes, STR("memfd:x\0"), OBSERVE_EXE_ROOTLESS, EXE_MAGIC_TMPFS), &arena, &e));
        assert_true(str_is(e.exe_path, "memfd:x"));
        assert_int_equal(e.layer, EXE_LAYER_MEMFD);
        assert_false(e.in_container);
        arena_done(&arena);
}

static void paths(void **state)
{
        struct arena arena = ARENA_INIT;
        assert_true(str_is(event_path(STR(""), false, &arena), "/"));
        assert_true(str_is(event_path(STR("a\0"), false, &arena), "/a"));
        assert_true(str_is(event_path(STR("a\0b\0"), true, &arena), ".../b/a"));
        assert_true(str_is(event_path(STR("a"), false, &arena), "/a")); /* not ended */
        assert_true(
                str_is(event_path(STR("\0\0"), false, &arena), "//")); /* empty names mean nothing, and harm nothing */
        assert_true(str_is(event_path(STR("\xff\n\0d\0"), false, &arena), "/d/\xff\n"));
        arena_done(&arena);
}

/* Each record cut off anywhere, and each with any byte changed: refused or decoded, never read past. */
static void hostile_records(void **state)
{
        char good[1024];
        struct str record = make_exec(good, STR("x\0bin\0"), 0, EXE_MAGIC_OVERLAY);
        struct event e;
        for (size_t n = 0; n < record.n; n++) {
                struct arena arena = ARENA_INIT;
                char *copy = malloc(n ? n : 1); /* of just that size: a sanitizer sees a byte too far */
                memcpy(copy, record.p, n);
                assert_false(event_decode(str_span(copy, n), &arena, &e));
                free(copy);
                arena_done(&arena);
        }
        for (size_t i = 0; i < record.n; i++)
                for (unsigned bit = 0; bit < 8; bit++) {
                        struct arena arena = ARENA_INIT;
                        char *copy = malloc(record.n);
                        memcpy(copy, record.p, record.n);
                        copy[i] ^= (char)(1u << bit);
                        (void)event_decode(str_span(copy, record.n), &arena, &e);
                        free(copy);
                        arena_done(&arena);
                }
        struct observe_exec huge = { .head = { .kind = OBSERVE_EXEC } };
        struct arena arena = ARENA_INIT;
        memset(huge.text_size, 0xff, sizeof(huge.text_size));
        assert_false(event_decode(str_span(&huge, sizeof(huge)), &arena, &e));
        struct observe_head unknown = { .kind = OBSERVE_KINDS };
        assert_false(event_decode(str_span(&unknown, sizeof(unknown)), &arena, &e));
        assert_false(event_decode(STR(""), &arena, &e));
        arena_done(&arena);
}

static void forks_and_exits(void **state)
{
        struct arena arena = ARENA_INIT;
        struct event e;
        struct observe_fork f = { .head = { .kind = OBSERVE_FORK, .pid = 3 }, .ppid = 2 };
        struct observe_exit x = { .head = { .kind = OBSERVE_EXIT, .pid = 3 }, .status = 256 };
        assert_true(event_decode(str_span(&f, sizeof(f)), &arena, &e));
        assert_int_equal(e.fork.ppid, 2);
        assert_true(event_decode(str_span(&x, sizeof(x)), &arena, &e));
        assert_int_equal(e.exit.status, 256);
        assert_false(event_decode(str_span(&f, sizeof(f) - 1), &arena, &e));
        assert_false(event_decode(str_span(&x, sizeof(x) - 1), &arena, &e));
        arena_done(&arena);
}

static const struct {
        const char *what;
        struct exe_facts facts;
        enum exe_layer layer;
        bool in_container;
} cases[] = {
        { "a program of the image",
          { .magic = EXE_MAGIC_OVERLAY, .is_on_root = 1, .in_other_mounts = 1, .in_other_pids = 1 },
          EXE_LAYER_LOWER,
          true },
        { "a dropped one",
          { .magic = EXE_MAGIC_OVERLAY, .has_upper = 1, .is_on_root = 1, .in_other_mounts = 1, .in_other_pids = 1 },
          EXE_LAYER_UPPER,
          true },
        { "a memfd",
          { .magic = EXE_MAGIC_TMPFS,
            .is_rootless = 1,
            .is_deleted = 1,
            .in_other_mounts = 1,
            .in_container_cgroup = 1 },
          EXE_LAYER_MEMFD,
          true },
        { "a memfd of huge pages", { .magic = EXE_MAGIC_HUGETLBFS, .is_rootless = 1 }, EXE_LAYER_MEMFD, false },
        { "/dev/shm", { .magic = EXE_MAGIC_TMPFS, .in_other_mounts = 1, .in_other_pids = 1 }, EXE_LAYER_TMPFS, true },
        { "a root that is a tmpfs", { .magic = EXE_MAGIC_TMPFS, .is_on_root = 1 }, EXE_LAYER_TMPFS, false },
        { "a root that is no overlay", { .magic = 0xef53, .is_on_root = 1 }, EXE_LAYER_ROOT, false },
        { "a volume", { .magic = 0xef53, .in_other_mounts = 1, .in_other_pids = 1 }, EXE_LAYER_MOUNT, true },
        { "a file whose entry is its own parent, but not in memory",
          { .magic = 0xef53, .is_rootless = 1 },
          EXE_LAYER_MOUNT,
          false },
        { "runc on its way in",
          { .magic = EXE_MAGIC_TMPFS, .is_rootless = 1, .in_container_cgroup = 1 },
          EXE_LAYER_MEMFD,
          false },
        { "a service with mounts of its own",
          { .magic = 0xef53, .is_on_root = 1, .in_other_mounts = 1 },
          EXE_LAYER_ROOT,
          false },
};

static void layers(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                if (exe_layer(&cases[i].facts) != cases[i].layer ||
                    exe_in_container(&cases[i].facts) != cases[i].in_container)
                        fail_msg("%s", cases[i].what);
                uint32_t own = UINT32_C(1)
                               << exe_case(cases[i].layer, cases[i].facts.is_deleted, cases[i].in_container);
                assert_true(exe_must_die(own, &cases[i].facts));
                assert_false(exe_must_die(~own, &cases[i].facts));
                assert_false(exe_must_die(0, &cases[i].facts));
        }
        assert_true(EXE_CASES <= 32);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(exec_is_decoded), cmocka_unit_test(paths),  cmocka_unit_test(hostile_records),
                cmocka_unit_test(forks_and_exits), cmocka_unit_test(layers),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
