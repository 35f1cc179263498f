/* source/container-find.c, by id alone: the files of every engine, made here in a directory that stands for the host.
 */
#include "source/container-find.h"

#include "base/fs.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define DOCKER       "d0000000000000000000000000000000000000000000000000000000000000d0"
#define POD          "c0000000000000000000000000000000000000000000000000000000000000c0"
#define PODMAN       "b0000000000000000000000000000000000000000000000000000000000000b0"
#define CRIO         "a0000000000000000000000000000000000000000000000000000000000000a0"
#define CHECKED      "90000000000000000000000000000000000000000000000000000000000000c9"
#define TEN          "\"A\",\"B\",\"C\",\"D\",\"E\",\"F\",\"G\",\"H\",\"I\",\"J\""
#define CAPABILITIES TEN "," TEN "," TEN "," TEN
#define HOSTILE      "e0000000000000000000000000000000000000000000000000000000000000e0"
#define TASKS        "run/containerd/io.containerd.runtime.v2.task/"
#define STORAGE      "/containers/storage/overlay-containers/"

static struct document_servant servant;
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
        put("var/lib/docker/containers/" CHECKED "/config.v2.json",
            "{\"ID\":\"" CHECKED
            "\",\"State\":{\"Running\":false},\"Config\":{\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"curl "
            "-f x\"]}},\"MountPoints\":{\"/data\":{\"Source\":\"/srv/a:b\",\"Destination\":\"/"
            "data\",\"RW\":false,\"Propagation\":\"rprivate\"},\"/x\":{\"Source\":\"/s\",\"Destination\":\"/"
            "x\",\"RW\":true}},"
            "\"NetworkSettings\":{\"Networks\":{\"bridge\":{\"IPAddress\":\"172.17.0.2\"}}}}");
        put(TASKS "default/privileged/config.json",
            "{\"process\":{\"capabilities\":{\"bounding\":[" CAPABILITIES
            "]}},\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{"
            "\"type\":\"network\"}]},\"mounts\":[{\"source\":\"/dev\",\"destination\":\"/"
            "host\",\"options\":[\"rbind\",\"ro\","
            "\"rslave\"]},{\"source\":\"proc\",\"destination\":\"/proc\",\"type\":\"proc\"}]}");
        put("run/runc/strong/state.json",
            "{\"id\":\"strong\",\"init_process_pid\":1,\"config\":{\"capabilities\":{\"Bounding\":[" CAPABILITIES
            "]},\"mask_paths\":[],\"namespaces\":[{\"type\":\"NEWPID\"},{\"type\":\"NEWNS\"}],\"mounts\":[{\"source\":"
            "\"/v\","
            "\"destination\":\"/w\",\"device\":\"bind\",\"flags\":20480}]}}");
        put("run/runc/masked/state.json",
            "{\"id\":\"masked\",\"init_process_pid\":1,\"config\":{\"capabilities\":{\"Bounding\":[" CAPABILITIES
            "]},\"mask_paths\":[\"/proc/kcore\"],\"mounts\":{\"no\":\"list\"},\"namespaces\":7}}");
        put("run/runc/broken/state.json", "{\"id\":");
        put(TASKS "default/" HOSTILE "/config.json", "[[[[[[[[[[[[[[");
        return 0;
}

static int remove_host(void **state)
{
        char command[128];
        snprintf(command, sizeof(command), "rm -rf %s", host);
        document_servant_end(&servant);
        return system(command);
}

static bool has_label(const struct container *c, const char *label)
{
        for (size_t i = 0; i < c->labels.n; i++)
                if (str_is(c->labels.v[i], label))
                        return true;
        return false;
}

static bool is_same_list(const struct str_list *a, const struct str_list *b)
{
        for (size_t i = 0; i < a->n && a->n == b->n; i++)
                if (!str_eq(a->v[i], b->v[i]))
                        return false;
        return a->n == b->n;
}

/* By workers and by a servant: both must say the same. */
static int find(const char *on, struct str id, struct arena *arena, struct container *ret)
{
        struct container asked = { 0 };
        int r = container_find_id(on, id, arena, ret);
        assert_int_equal(container_ask_id(&servant, on, id, arena, &asked), r);
        if (r < 0)
                return r;
        assert_true(str_eq(asked.id, ret->id) && str_eq(asked.name, ret->name) && str_eq(asked.image, ret->image));
        assert_true(str_eq(asked.image_id, ret->image_id) && asked.pid == ret->pid && asked.started == ret->started);
        assert_true(is_same_list(&asked.labels, &ret->labels) && is_same_list(&asked.settings, &ret->settings));
        return r;
}

static void each_engine(void **state)
{
        struct arena arena = ARENA_INIT;
        struct container c;
        assert_int_equal(find(host, STR(DOCKER), &arena, &c), 0);
        assert_true(str_is(c.name, "web") && str_is(c.image, "nginx:1") && str_is(c.image_id, "12") && c.pid == 77);
        assert_string_equal(c.engine, "docker");
        assert_true(c.labels.n == 1 && has_label(&c, "a=b"));

        assert_int_equal(find(host, STR(POD), &arena, &c), 0);
        assert_true(str_is(c.name, "app") && str_is(c.image, "r.example/app:2") && c.pid == 123);
        assert_string_equal(c.engine, "containerd");
        assert_true(has_label(&c, "io.kubernetes.cri.sandbox-name=app-7") &&
                    has_label(&c, "io.kubernetes.cri.sandbox-namespace=prod"));

        assert_int_equal(find(host, STR(PODMAN), &arena, &c), 0);
        assert_true(str_is(c.name, "db") && c.pid == 88);
        assert_string_equal(c.engine, "podman");
        assert_int_equal(find(host, STR(CRIO), &arena, &c), 0);
        assert_true(has_label(&c, "io.kubernetes.pod.name=pod-c"));

        assert_int_equal(find(host, STR("plain"), &arena, &c), 0);
        assert_true(c.pid == 99 && c.started == 5);
        arena_done(&arena);
}

/* How it runs, of each engine in its own words. */
static void settings(void **state)
{
        static const struct {
                const char *id, *settings[8];
        } cases[] = {
                { CHECKED,
                  { "mount=/srv/a:b:/data::false:rprivate", "mount=/s:/x::true:", "healthcheck=curl -f x",
                    "ip=172.17.0.2" } },
                { "privileged",
                  { "privileged=true", "host_pid=true", "host_ipc=true", "mount=/dev:/host::false:rslave" } },
                { "strong", { "privileged=true", "host_network=true", "host_ipc=true", "mount=/v:/w::true:" } },
                { "masked", { NULL } },
                { "plain", { NULL } },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct arena arena = ARENA_INIT;
                struct container c;
                size_t n = 0;
                assert_int_equal(find(host, str_of(cases[i].id), &arena, &c), 0);
                for (; cases[i].settings[n]; n++)
                        if (n >= c.settings.n || !str_is(c.settings.v[n], cases[i].settings[n]))
                                fail_msg("%s: no %s", cases[i].id, cases[i].settings[n]);
                assert_int_equal(c.settings.n, n);
                arena_done(&arena);
        }
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
                assert_int_equal(find(host, str_of(names[i]), &arena, &c), -ENOENT);
        assert_int_equal(find(host, STR("plain\0x"), &arena, &c), -ENOENT);
        assert_int_equal(find("/nonexistent", STR(DOCKER), &arena, &c), -ENOENT);
        arena_done(&arena);
}

/* Files that are no JSON, or cut off: the container is there, and nothing is known of it. */
static void malformed(void **state)
{
        struct arena arena = ARENA_INIT;
        struct container c;
        assert_int_equal(find(host, STR("broken"), &arena, &c), 0);
        assert_true(str_is(c.id, "broken") && c.pid == 0 && c.name.n == 0);
        assert_int_equal(find(host, STR(HOSTILE), &arena, &c), 0);
        assert_true(c.name.n == 0 && c.labels.n == 0);
        arena_done(&arena);
}

/* More labels than a message holds: a worker tells them. */
static void long_entry(void **state)
{
        struct arena arena = ARENA_INIT;
        struct container c;
        FILE *f;
        char path[512];
        put(TASKS "default/long/config.json", "");
        snprintf(path, sizeof(path), "%s/" TASKS "default/long/config.json", host);
        assert_non_null(f = fopen(path, "w"));
        fputs("{\"annotations\":{", f);
        for (int i = 0; i < 3000; i++)
                fprintf(f, "%s\"label-%d\":\"some thirty characters of value\"", i ? "," : "", i);
        fputs("}}", f);
        fclose(f);
        assert_int_equal(find(host, STR("long"), &arena, &c), 0);
        assert_int_equal(c.labels.n, 3000);
        arena_done(&arena);
}

/* A servant that is gone costs what it was asked, and only that. */
static void servant_killed(void **state)
{
        struct arena arena = ARENA_INIT;
        struct container c;
        assert_int_equal(document_servant_start(&servant, NULL), 0);
        kill(servant.servant.pid, SIGKILL);
        assert_int_equal(container_ask_id(&servant, host, STR("plain"), &arena, &c), 0);
        assert_int_equal(c.pid, 0);
        assert_int_equal(find(host, STR("plain"), &arena, &c), 0);
        assert_int_equal(c.pid, 99);
        for (unsigned i = 0; i < 2 * DOCUMENT_SERVANT_ASKS; i++) /* and it is replaced on the way */
                assert_int_equal(container_ask_id(&servant, host, STR(DOCKER), &arena, &c), 0);
        arena_done(&arena);
}

/* Questions that nobody asks, and a question about no file. */
static void odd_questions(void **state)
{
        static const char *const questions[] = { "", "\x01", "\xff", "\x08xyz" };
        for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
                _cleanup_(buf_done) struct buf reply = BUF_INIT(MESSAGE_MAX);
                document_answer(NULL, str_of(questions[i]), (int[MESSAGE_FDS_MAX]){ -1, -1 }, &reply);
                assert_int_equal(reply.n, 1);
                assert_int_not_equal(reply.p[0], 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_engine),   cmocka_unit_test(settings),   cmocka_unit_test(none),
                cmocka_unit_test(malformed),     cmocka_unit_test(long_entry), cmocka_unit_test(servant_killed),
                cmocka_unit_test(odd_questions),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, make_host, remove_host);
}
