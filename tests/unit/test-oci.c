/* Image documents: what each kind gives, which are refused, and that no bytes can do harm. */
#include "read/oci.h"

#include "base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define is(s, text) assert_true(str_is((s), (text)))
#define DIGEST      "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const char index_text[] =
        "{\"schemaVersion\":2,\"manifests\":["
        "{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"" DIGEST "\",\"size\":7,"
        "\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\"},"
        "\"annotations\":{\"org.opencontainers.image.ref.name\":\"1.2\"}},"
        "{\"digest\":\"" DIGEST "\",\"size\":9007199254740993}]}";

static const char manifest_text[] = "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/"
                                    "vnd.docker.container.image.v1+json\",\"digest\":\"" DIGEST
                                    "\",\"size\":3},\"layers\":[{\"mediaType\":\"application/"
                                    "vnd.docker.image.rootfs.foreign.diff.tar.gzip\",\"digest\":\"" DIGEST
                                    "\",\"size\":1,\"urls\":[\"https://a.example/x\"]},{\"digest\":\"" DIGEST "\"}]}";

static const char config_text[] =
        "{\"os\":\"linux\",\"architecture\":\"amd64\",\"created\":\"2026-01-02T03:04:05Z\",\"config\":{\"User\":"
        "\"web\","
        "\"Env\":[\"A=b\",\"NUL=\\u0000!\",7],\"Entrypoint\":\"/one\",\"Cmd\":[\"a\",\"b\"],\"ExposedPorts\":{\"80/"
        "tcp\":{},\"443/tcp\":{}},"
        "\"Volumes\":{\"/v\":{}},\"Labels\":{\"b\":\"2\",\"a\":\"1\"},\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"]}},"
        "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" DIGEST "\"]},"
        "\"history\":[{\"created_by\":\"COPY\"},{\"created_by\":\"ENV\",\"empty_layer\":true}]}";

static const char archive_text[] =
        "[{\"Config\":\"c.json\",\"RepoTags\":[\"web:1\",\"web:2\"],\"Layers\":[\"a/layer.tar\",\"b/layer.tar\"]},"
        "{\"Config\":\"d.json\",\"RepoTags\":null,\"Layers\":[\"a/layer.tar\"]}]";

struct result {
        struct arena arena;
        struct oci_document d;
        struct error err;
        int r;
};

static struct result read_bytes(struct str bytes)
{
        struct result x = { 0 };
        char *copy = xmalloc(bytes.n ? bytes.n : 1); /* of the exact size, for the sanitizers */
        if (bytes.n)
                memcpy(copy, bytes.p, bytes.n);
        x.r = oci_read(str_span(copy, bytes.n), &x.arena, &x.d, &x.err);
        free(copy);
        return x;
}

static struct result read_text(const char *text) { return read_bytes(str_of(text)); }

static void test_index(void **state)
{
        struct result x = read_text(index_text);
        assert_int_equal(x.r, 0);
        assert_int_equal(x.d.kind, OCI_INDEX);
        assert_int_equal(x.d.n_descriptors, 2);
        const struct oci_descriptor *d = x.d.descriptors;
        assert_string_equal(d[0].role, "manifest");
        is(d[0].digest, DIGEST);
        is(d[0].os, "linux");
        is(d[0].arch, "arm");
        is(d[0].variant, "v7");
        is(d[0].ref, "1.2");
        assert_int_equal(d[0].size, 7);
        assert_true(d[1].size == UINT64_C(9007199254740993));
        assert_int_equal(d[1].os.n, 0);
        arena_done(&x.arena);
}

static void test_manifest(void **state)
{
        struct result x = read_text(manifest_text);
        assert_int_equal(x.r, 0);
        assert_int_equal(x.d.kind, OCI_MANIFEST);
        assert_int_equal(x.d.n_descriptors, 3);
        assert_string_equal(x.d.descriptors[0].role, "config");
        assert_string_equal(x.d.descriptors[1].role, "layer");
        is(x.d.descriptors[1].media_type, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
        arena_done(&x.arena);
}

static void test_config(void **state)
{
        struct result x = read_text(config_text);
        const struct oci_config *c = &x.d.config;
        assert_int_equal(x.r, 0);
        assert_int_equal(x.d.kind, OCI_CONFIG);
        is(c->user, "web");
        assert_int_equal(c->env.n, 2);
        assert_int_equal(c->env.v[1].n, 6);
        assert_memory_equal(c->env.v[1].p, "NUL=\0!", 6);
        assert_int_equal(c->entrypoint.n, 1);
        assert_int_equal(c->cmd.n, 2);
        is(c->ports.v[0], "443/tcp");
        is(c->labels.v[0], "a=1");
        is(c->labels.v[1], "b=2");
        is(c->volumes.v[0], "/v");
        is(c->diff_ids.v[0], DIGEST);
        assert_true(c->healthcheck);
        assert_int_equal(x.d.n_steps, 2);
        is(x.d.steps[0].created_by, "COPY");
        assert_false(x.d.steps[0].empty_layer);
        assert_true(x.d.steps[1].empty_layer);
        arena_done(&x.arena);
}

static void test_archive(void **state)
{
        static const struct {
                const char *role;
                uint64_t group;
        } want[] = { { "config", 0 }, { "manifest", 0 }, { "manifest", 0 }, { "layer", 0 },
                     { "layer", 0 },  { "config", 1 },   { "layer", 1 } };
        struct result x = read_text(archive_text);
        assert_int_equal(x.r, 0);
        assert_int_equal(x.d.kind, OCI_ARCHIVE);
        assert_int_equal(x.d.n_descriptors, ARRAY_SIZE(want));
        for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
                assert_string_equal(x.d.descriptors[i].role, want[i].role);
                assert_int_equal(x.d.descriptors[i].group, want[i].group);
        }
        is(x.d.descriptors[2].ref, "web:2");
        is(x.d.descriptors[4].path, "b/layer.tar");
        arena_done(&x.arena);
}

static void test_refused(void **state)
{
        static const struct {
                const char *text;
                int r;
        } cases[] = {
                { "", -EBADMSG },
                { "{", -EBADMSG },
                { "{}", -EBADMSG },
                { "7", -EBADMSG },
                { "{\"manifests\":[],\"layers\":[]}", -EBADMSG },
                { "{\"manifests\":[],\"rootfs\":{}}", -EBADMSG },
                { "{\"layers\":[],\"config\":{\"digest\":\"a\"},\"layers\":[]}", -EBADMSG },
                { "{\"manifests\":{}}", -EBADMSG },
                { "{\"manifests\":[7]}", -EBADMSG },
                { "{\"manifests\":[{\"digest\":\"a\",\"size\":-1}]}", -EBADMSG },
                { "{\"layers\":[]}", -EBADMSG },
                { "{\"schemaVersion\":1,\"fsLayers\":[]}", -ENOTSUP },
                { "[{\"Layers\":[]}]", -EBADMSG },
                { "[{\"Config\":\"c\",\"Layers\":[7]}]", -EBADMSG },
                { "[{\"Config\":\"c\",\"Layers\":\"a\"}]", -EBADMSG },
                { "{\"manifests\":[]} {}", -EBADMSG },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct result x = read_text(cases[i].text);
                if (x.r != cases[i].r)
                        fail_msg("%s: %d", cases[i].text, x.r);
                assert_true(x.err.text[0]);
                arena_done(&x.arena);
        }
}

static void test_limits(void **state)
{
        struct buf b = BUF_INIT(16u << 20);
        buf_puts(&b, "{\"manifests\":[");
        for (unsigned i = 0; i <= OCI_DESCRIPTORS_MAX; i++)
                buf_printf(&b, "%s{\"digest\":\"a\"}", i ? "," : "");
        buf_puts(&b, "]}");
        struct result x = read_bytes(buf_str(&b));
        assert_int_equal(x.r, -EFBIG);
        arena_done(&x.arena);

        buf_clear(&b);
        while (b.n <= OCI_DOCUMENT_MAX)
                buf_puts(&b, "                                                                ");
        x = read_bytes(buf_str(&b));
        assert_int_equal(x.r, -EFBIG);
        arena_done(&x.arena);

        buf_clear(&b);
        buf_puts(&b, "{\"rootfs\":");
        for (int i = 0; i < 100000; i++)
                buf_putc(&b, '[');
        x = read_bytes(buf_str(&b));
        assert_int_equal(x.r, -EBADMSG);
        assert_non_null(strstr(x.err.text, "deeper"));
        arena_done(&x.arena);

        /* Brackets in a text are no depth. */
        buf_clear(&b);
        buf_puts(&b, "{\"architecture\":\"\\\"");
        for (int i = 0; i < 1000; i++)
                buf_putc(&b, '[');
        buf_puts(&b, "\"}");
        x = read_bytes(buf_str(&b));
        assert_int_equal(x.r, 0);
        arena_done(&x.arena);
        buf_done(&b);
}

static void test_torture(void **state)
{
        static const char *const texts[] = { index_text, manifest_text, config_text, archive_text };
        for (size_t t = 0; t < ARRAY_SIZE(texts); t++) {
                struct str bytes = str_of(texts[t]);
                for (size_t n = 0; n < bytes.n; n++) {
                        struct result x = read_bytes(str_upto(bytes, n));
                        assert_true(x.r < 0);
                        arena_done(&x.arena);
                }
                char *copy = xmalloc(bytes.n);
                for (size_t bit = 0; bit < bytes.n * 8; bit++) {
                        memcpy(copy, bytes.p, bytes.n);
                        copy[bit / 8] ^= (char)(1 << bit % 8);
                        struct result x = read_bytes(str_span(copy, bytes.n));
                        assert_true(x.r == 0 || x.err.text[0]);
                        arena_done(&x.arena);
                }
                free(copy);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_index),   cmocka_unit_test(test_manifest), cmocka_unit_test(test_config),
                cmocka_unit_test(test_archive), cmocka_unit_test(test_refused),  cmocka_unit_test(test_limits),
                cmocka_unit_test(test_torture),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
