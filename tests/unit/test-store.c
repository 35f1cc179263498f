/* The files of engines' stores. */
#include "read/store.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define is(s, text) assert_true(str_is((s), (text)))

static const struct {
        enum store_kind kind;
        const char *text;
        size_t n;
} documents[] = {
        { STORE_PODMAN_IMAGES,
          "[{\"id\":\"ab\",\"digest\":\"sha256:1\",\"names\":[\"localhost/"
          "web:1\",\"web:2\"],\"layer\":\"cd\",\"big-data-names\":[\"manifest\"]},{\"id\":\"ef\"}]",
          2 },
        { STORE_PODMAN_LAYERS,
          "[{\"id\":\"cd\",\"parent\":\"ba\",\"diff-digest\":\"sha256:2\",\"compressed-diff-digest\":\"sha256:3\","
          "\"diff-size\":9}]",
          1 },
        { STORE_PODMAN_CONTAINERS,
          "[{\"id\":\"c1\",\"names\":[\"web\"],\"image\":\"ab\",\"metadata\":\"{\\\"image-name\\\":\\\"localhost/"
          "web:1\\\"}\"},{\"id\":\"c2\",\"metadata\":\"{\"}]",
          2 },
        { STORE_DOCKER_REPOSITORIES,
          "{\"Repositories\":{\"web\":{\"web:2\":\"sha256:b\",\"web:1\":\"sha256:a\"},\"other\":{\"other:1\":\"sha256:"
          "a\",\"bad\":7},\"none\":8}}",
          2 },
        { STORE_DOCKER_CONTAINER,
          "{\"ID\":\"c3\",\"Name\":\"/"
          "web\",\"Image\":\"sha256:a\",\"State\":{\"Running\":true,\"Pid\":77},\"Config\":{\"Image\":\"web:1\"}}",
          1 },
        { STORE_RUNTIME_STATE,
          "{\"id\":\"c4\",\"init_process_pid\":78,\"init_process_start\":123,\"config\":{\"rootfs\":\"/r\"}}", 1 },
        { STORE_BUNDLE,
          "{\"annotations\":{\"io.kubernetes.cri.container-name\":\"web\",\"io.kubernetes.cri.image-name\":\"web:1\"}}",
          1 },
};

static int read_bytes(enum store_kind kind, struct str bytes, struct arena *arena, struct store_entry **ret,
                      size_t *ret_n)
{
        char *copy = xmalloc(bytes.n ? bytes.n : 1);
        if (bytes.n)
                memcpy(copy, bytes.p, bytes.n);
        struct error err = ERROR_NONE;
        int r = store_read(kind, str_span(copy, bytes.n), arena, ret, ret_n, &err);
        assert_true(r == 0 || err.text[0]);
        free(copy);
        return r;
}

static void test_good(void **state)
{
        struct arena arena = ARENA_INIT;
        struct store_entry *v[ARRAY_SIZE(documents)];
        for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
                size_t n = 0;
                assert_int_equal(read_bytes(documents[i].kind, str_of(documents[i].text), &arena, &v[i], &n), 0);
                assert_int_equal(n, documents[i].n);
        }
        is(v[0][0].names.v[1], "web:2");
        is(v[0][0].parent, "cd");
        is(v[0][0].parts.v[0], "manifest");
        is(v[1][0].blob_digest, "sha256:3");
        is(v[1][0].digest, "sha256:2");
        assert_int_equal(v[1][0].size, 9);
        is(v[2][0].image, "localhost/web:1");
        assert_int_equal(v[2][1].image.n, 0);
        is(v[3][0].id, "sha256:a");
        assert_int_equal(v[3][0].names.n, 2);
        is(v[3][0].names.v[0], "other:1");
        is(v[3][0].names.v[1], "web:1");
        is(v[4][0].names.v[0], "web");
        assert_int_equal(v[4][0].pid, 77);
        assert_int_equal(v[5][0].pid, 78);
        assert_int_equal(v[5][0].started, 123);
        is(v[6][0].names.v[0], "web");
        arena_done(&arena);
}

static void test_runtimes(void **state)
{
        struct arena arena = ARENA_INIT;
        struct store_entry *v = NULL;
        size_t n = 0;
        assert_int_equal(read_bytes(STORE_RUNTIME_STATE, STR("{\"pid\":5,\"process-start-time\":6,\"rootfs\":\"/c\"}"),
                                    &arena, &v, &n),
                         0);
        assert_int_equal(v[0].pid, 5);
        assert_int_equal(v[0].started, 6);
        is(v[0].path, "/c");
        assert_int_equal(read_bytes(STORE_DOCKER_CONTAINER,
                                    STR("{\"ID\":\"a\",\"State\":{\"Running\":false,\"Pid\":9}}"), &arena, &v, &n),
                         0);
        assert_int_equal(v[0].pid, 0);
        arena_done(&arena);
}

static void test_bad(void **state)
{
        struct arena arena = ARENA_INIT;
        struct store_entry *v = NULL;
        size_t n = 0;
        assert_int_equal(read_bytes(STORE_PODMAN_IMAGES, STR("{}"), &arena, &v, &n), -EBADMSG);
        assert_int_equal(read_bytes(STORE_DOCKER_REPOSITORIES, STR("[]"), &arena, &v, &n), -EBADMSG);
        assert_int_equal(read_bytes(STORE_PODMAN_IMAGES, STR("[7,null,[],{\"names\":7}]"), &arena, &v, &n), 0);
        assert_int_equal(n, 4);
        for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
                struct str bytes = str_of(documents[i].text);
                char *copy = xmalloc(bytes.n);
                for (size_t at = 0; at < bytes.n; at++)
                        assert_true(read_bytes(documents[i].kind, str_upto(bytes, at), &arena, &v, &n) < 0);
                for (size_t bit = 0; bit < bytes.n * 8; bit++) {
                        memcpy(copy, bytes.p, bytes.n);
                        copy[bit / 8] ^= (char)(1 << bit % 8);
                        (void)read_bytes(documents[i].kind, str_span(copy, bytes.n), &arena, &v, &n);
                }
                free(copy);
                arena_done(&arena);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_runtimes),
                cmocka_unit_test(test_bad),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
