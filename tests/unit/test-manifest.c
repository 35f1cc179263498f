/* Manifests: what is read out of one, every cut and every flipped bit, each line that is refused, and the search. */
#include "read/manifest.h"

#include "base/buf.h"
#include "read/digest.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define HEAD                                                                                                           \
        "{\"sekisho_manifest\":1,\"target\":\"a.tar\",\"name\":\"web:1\",\"digest\":\"sha256:aa\",\"image_id\":"       \
        "\"sha256:bb\",\"tags\":[\"web:1\"],\"layers\":[\"sha256:cc\"]}\n"
#define SHA "\"sha256\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""
#define FILES                                                                                                          \
        "{\"path\":\"bin/a\",\"kind\":\"elf\",\"size\":3,\"layer\":1,\"package\":\"coreutils\"," SHA "}\n"             \
        "{\"path_hex\":\"62696eff\",\"kind\":\"script\",\"size\":3,\"layer\":2," SHA "}\n"

/* With the last line that belongs to it. */
static struct str whole(struct arena *arena, const char *body, int n)
{
        uint8_t d[DIGEST_MAX];
        struct buf b = BUF_INIT(SIZE_MAX);
        buf_puts(&b, body);
        digest_of(DIGEST_SHA256, buf_str(&b), d);
        buf_printf(&b, "{\"end\":%d,\"sha256\":\"", n);
        for (size_t i = 0; i < 32; i++)
                buf_printf(&b, "%02x", d[i]);
        buf_puts(&b, "\"}\n");
        struct str ret = arena_str(arena, buf_str(&b));
        buf_done(&b);
        return ret;
}

static void test_read(void **state)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct error err = ERROR_NONE;
        struct manifest m;
        if (manifest_parse(whole(&arena, HEAD FILES, 2), &arena, &m, &err) < 0)
                fail_msg("%s", err.text);
        assert_true(str_is(m.name, "web:1") && str_is(m.image_id, "sha256:bb") && str_is(m.digest, "sha256:aa"));
        assert_int_equal(m.n_tags, 1);
        assert_int_equal(m.n_layers, 1);
        assert_int_equal(m.n_files, 2);
        const struct manifest_file *f = manifest_find(&m, STR("bin/a"));
        assert_non_null(f);
        assert_true(str_is(f->package, "coreutils") && str_is(f->kind, "elf"));
        assert_int_equal(f->size, 3);
        assert_int_equal(f->layer, 1);
        assert_int_equal(f->sha256[0], 0xba);
        assert_ptr_equal(manifest_find(&m, STR("bin\xff")), &m.files[1]);
        assert_null(manifest_find(&m, STR("bin/b")));
        assert_null(manifest_find(&m, STR("")));
}

static void test_nothing_runs(void **state)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct manifest m;
        assert_int_equal(manifest_parse(whole(&arena, HEAD, 0), &arena, &m, NULL), 0);
        assert_int_equal(m.n_files, 0);
        assert_null(manifest_find(&m, STR("bin/a")));
}

/* Half a list would stop the other half: no cut and no flip is taken for a manifest. */
static void test_damaged(void **state)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct str good = whole(&arena, HEAD FILES, 2);
        for (size_t n = 0; n + 1 < good.n; n++) { /* without its last newline it is still whole */
                struct manifest m;
                assert_true(manifest_parse(str_upto(good, n), &arena, &m, NULL) < 0);
        }
        for (size_t i = 0; i + 1 < good.n; i++)
                for (unsigned bit = 0; bit < 8; bit++) {
                        struct manifest m;
                        char *p = arena_cstr(&arena, good);
                        p[i] = (char)(p[i] ^ (1 << bit));
                        /* A hexadecimal digit of the end may be written in another case. */
                        if (manifest_parse(str_span(p, good.n), &arena, &m, NULL) == 0)
                                assert_true(bit == 5 && strchr("abcdef", good.p[i]) != NULL);
                }
}

static void test_refused(void **state)
{
        static const struct {
                const char *body;
                int n, r;
                const char *words;
        } cases[] = {
                { "[]\n", 0, -EBADMSG, "line 1: no JSON object" },
                { "{\"path\":\"a\"}\n", 0, -EBADMSG, "line 1: this is no manifest" },
                { "{\"sekisho_manifest\":2}\n", 0, -EBADMSG, "its version is 2, this program reads 1" },
                { "{\"sekisho_manifest\":1,\"tags\":3}\n", 0, -EBADMSG, "line 1: not a list" },
                { HEAD "{\"path\":\"/bin/a\"," SHA "}\n", 1, -EBADMSG, "line 2: no path" },
                { HEAD "{\"path\":\"a/../b\"," SHA "}\n", 1, -EBADMSG, "line 2: no path" },
                { HEAD "{\"path\":\"a//b\"," SHA "}\n", 1, -EBADMSG, "line 2: no path" },
                { HEAD "{\"path\":\"\"," SHA "}\n", 1, -EBADMSG, "line 2: no path" },
                { HEAD "{\"path\":\"a\",\"path_hex\":\"61\"," SHA "}\n", 1, -EBADMSG, "line 2: no path" },
                { HEAD "{\"path_hex\":\"6\"," SHA "}\n", 1, -EBADMSG, "line 2: no path" },
                { HEAD "{\"path_hex\":\"6100\"," SHA "}\n", 1, -EBADMSG, "line 2: no path" },
                { HEAD "{\"path\":\"b\"," SHA "}\n{\"path\":\"a\"," SHA "}\n", 2, -EBADMSG, "line 3: the paths" },
                { HEAD "{\"path\":\"a\"," SHA "}\n{\"path\":\"a\"," SHA "}\n", 2, -EBADMSG, "line 3: the paths" },
                { HEAD "{\"path\":\"a\"}\n", 1, -EBADMSG, "line 2: no SHA-256" },
                { HEAD "{\"path\":\"a\",\"size\":-1," SHA "}\n", 1, -EBADMSG, "line 2: a number" },
                { HEAD "{\"path\":\"a\",\"path\":\"b\"," SHA "}\n", 1, -EBADMSG, "line 2: " },
                { HEAD FILES, 3, -EBADMSG, "line 4: it says that there are 3 files, and has 2" },
                { HEAD "\n", 0, -EBADMSG, "line 2: " },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(arena_done) struct arena arena = ARENA_INIT;
                struct error err = ERROR_NONE;
                struct manifest m;
                assert_int_equal(manifest_parse(whole(&arena, cases[i].body, cases[i].n), &arena, &m, &err),
                                 cases[i].r);
                if (!strstr(err.text, cases[i].words))
                        fail_msg("%zu: \"%s\", not \"%s\"", i, err.text, cases[i].words);
        }
}

static void test_behind_the_end(void **state)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct error err = ERROR_NONE;
        struct manifest m;
        struct str good = whole(&arena, HEAD FILES, 2);
        struct str more = arena_printf(&arena, "%.*s{}\n", STR_FMT(good));
        assert_int_equal(manifest_parse(more, &arena, &m, &err), -EBADMSG);
        assert_non_null(strstr(err.text, "behind the last line"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_read),    cmocka_unit_test(test_nothing_runs),   cmocka_unit_test(test_damaged),
                cmocka_unit_test(test_refused), cmocka_unit_test(test_behind_the_end),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
