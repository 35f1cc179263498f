/* source/container-find.c, by id alone: the files of every engine, made here in a directory that stands for the host.
 */
#include "source/container-find.h"

#include "base/fs.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define DOCKER  "d0000000000000000000000000000000000000000000000000000000000000d0"
#define POD     "c0000000000000000000000000000000000000000000000000000000000000c0"
#define PODMAN  "b0000000000000000000000000000000000000000000000000000000000000b0"
#define CRIO    "a0000000000000000000000000000000000000000000000000000000000000a0"
#define HOSTILE "e0000000000000000000000000000000000000000000000000000000000000e0"
#define TASKS   "run/containerd/io.containerd.runtime.v2.task/"
#define STORAGE "/containers/storage/overlay-containers/"

static char host[] = "/tmp/sekisho-host-XXXXXX";

static void put(const char *name, const char *text)
{
        char path[512], *slash;
        snprintf(path, sizeof(path), "%s/%s", host, name);
        slash = strrchr(path, '/');
        *slash = '\0';
        assert_int_equal(make_dirs(path, 0755), 0);
        *slash = '/';
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs(text, f);
        fclose(f);
}

static int make_host(void **state)
{
        if (!mkdtemp(host))
                return -1;
        put("var/lib/docker/containers/" DOCKER "/config.v2.json",
            "{\"ID\":\"" DOCKER "\",\"Name\":\"/web\",\"Image\":\"sha256:12\",\"State\":{\"Running\":true,\"Pid\":77},"
            "\"Config\":{\"Image\":\"nginx:1\",\"Labels\":{\"a\":\"b\",\"n\":5}}}");
        put(TASKS "k8s.io/" POD "/config.json",
            "{\"annotations\":{\"io.kubernetes.cri.container-name\":\"app\",\"io.kubernetes.cri.image-name\":\"r."
            "example/app:2\","
            "\"io.kubernetes.cri.sandbox-name\":\"app-7\",\"io.kubernetes.cri.sandbox-namespace\":\"prod\"}}");
        put(TASKS "k8s.io/" POD "/init.pid", "123\n");
        put("var/lib" STORAGE "containers.json",
            "[{\"id\":\"" PODMAN "\",\"names\":[\"db\"],\"image\":\"34\",\"metadata\":\"{}\"},{\"id\":\"" CRIO
            "\",\"names\":[\"k8s_x\"],\"image\":\"56\"}]");
        put("run" STORAGE PODMAN "/userdata/pidfile", "88");
        put("run" STORAGE CRIO "/userdata/config.json", "{\"annotations\":{\"io.kubernetes.pod.name\":\"pod-c\"}}");
        put("run/runc/plain/state.json", "{\"id\":\"plain\",\"init_process_pid\":99,\"init_process_start\":5}");
        put("run/runc/broken/state.json", "{\"id\":");
        put(TASKS "default/" HOSTILE "/config.json", "[[[[[[[[[[[[[[");
        return 0;
}

static int remove_host(void **state)
{
        char command[128];
        snprintf(command, sizeof(command), "rm -rf %s", host);
        return system(command);
}

static bool has_label(const struct container *c, const char *label)
{
        for (size_t i = 0; i < c->labels.n; i++)
                if (str_is(c->labels.v[i], label))
                        return true;
        return false;
}

static void each_engine(void **state)
{
        struct arena arena = ARENA_INIT;
        struct container c;
        assert_int_equal(container_find_id(host, STR(DOCKER), &arena, &c), 0);
        assert_true(str_is(c.name, "web") && str_is(c.image, "nginx:1") && str_is(c.image_id, "12") && c.pid == 77);
        assert_string_equal(c.engine, "docker");
        assert_true(c.labels.n == 1 && has_label(&c, "a=b"));

        assert_int_equal(container_find_id(host, STR(POD), &arena, &c), 0);
        assert_true(str_is(c.name, "app") && str_is(c.image, "r.example/app:2") && c.pid == 123);
        assert_string_equal(c.engine, "containerd");
        assert_true(has_label(&c, "io.kubernetes.cri.sandbox-name=app-7") &&
                    has_label(&c, "io.kubernetes.cri.sandbox-namespace=prod"));

        assert_int_equal(container_find_id(host, STR(PODMAN), &arena, &c), 0);
        assert_true(str_is(c.name, "db") && c.pid == 88);
        assert_string_equal(c.engine, "podman");
        assert_int_equal(container_find_id(host, STR(CRIO), &arena, &c), 0);
        assert_true(has_label(&c, "io.kubernetes.pod.name=pod-c"));

        assert_int_equal(container_find_id(host, STR("plain"), &arena, &c), 0);
        assert_true(c.pid == 99 && c.started == 5);
        arena_done(&arena);
}

static void none(void **state)
{
        static const char *const names[] = {
                "",       ".",      "..",  "../runc/plain",
                "absent", "k8s.io", "pla", "f0000000000000000000000000000000000000000000000000000000000000f0"
        };
        struct arena arena = ARENA_INIT;
        struct container c;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                assert_int_equal(container_find_id(host, str_of(names[i]), &arena, &c), -ENOENT);
        assert_int_equal(container_find_id(host, STR("plain\0x"), &arena, &c), -ENOENT);
        assert_int_equal(container_find_id("/nonexistent", STR(DOCKER), &arena, &c), -ENOENT);
        arena_done(&arena);
}

/* Files that are no JSON, or cut off: the container is there, and nothing is known of it. */
static void malformed(void **state)
{
        struct arena arena = ARENA_INIT;
        struct container c;
        assert_int_equal(container_find_id(host, STR("broken"), &arena, &c), 0);
        assert_true(str_is(c.id, "broken") && c.pid == 0 && c.name.n == 0);
        assert_int_equal(container_find_id(host, STR(HOSTILE), &arena, &c), 0);
        assert_true(c.name.n == 0 && c.labels.n == 0);
        arena_done(&arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_engine),
                cmocka_unit_test(none),
                cmocka_unit_test(malformed),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, make_host, remove_host);
}
