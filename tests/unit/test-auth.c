/* source/auth: what files, helpers' names and WWW-Authenticate headers say; source/http-header: lines of a header. */
#include "base/arena.h"
#include "source/auth.h"
#include "source/http-header.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_challenges(void **state)
{
        static const struct {
                const char *header;
                int r;
                enum challenge_scheme scheme;
                const char *realm, *service, *scope, *other;
        } rows[] = {
                { "Basic", 0, CHALLENGE_BASIC, "", "", "", "" },
                { "basic realm=\"x\"", 0, CHALLENGE_BASIC, "x", "", "", "" },
                { "Basic realm=\"a, \\\"b\\\"\", charset=\"UTF-8\"", 0, CHALLENGE_BASIC, "a, \"b\"", "", "", "" },
                { "Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:a/b:pull,push\"", 0, CHALLENGE_BEARER,
                  "https://a/t", "s", "repository:a/b:pull,push", "" },
                { "BEARER Realm = https://a , SERVICE=\"\"", -EBADMSG, 0, "", "", "", "" }, /* ":" is no token */
                { "Bearer realm = \"https://a\" , SERVICE=x", 0, CHALLENGE_BEARER, "https://a", "x", "", "" },
                { "Basic realm=\"x\", Bearer realm=\"https://a\"", 0, CHALLENGE_BEARER, "https://a", "", "", "" },
                { "Bearer realm=\"https://a\", Basic realm=\"x\"", 0, CHALLENGE_BEARER, "https://a", "", "", "" },
                { "Negotiate", 0, CHALLENGE_NONE, "", "", "", "Negotiate" },
                { "Negotiate YIIB/+==, NTLM", 0, CHALLENGE_NONE, "", "", "", "Negotiate, NTLM" },
                { "Negotiate, Basic realm=x", 0, CHALLENGE_BASIC, "x", "", "", "Negotiate" },
                { ", ,Basic realm=x,,", 0, CHALLENGE_BASIC, "x", "", "", "" },
                { "Digest realm=\"r\", nonce=\"n\", Basic realm=\"x\"", 0, CHALLENGE_BASIC, "x", "", "", "Digest" },
                { "", -EBADMSG, 0, "", "", "", "" },
                { "Bearer", -EBADMSG, 0, "", "", "", "" },
                { "Bearer realm=", -EBADMSG, 0, "", "", "", "" },
                { "Bearer realm=\"x", -EBADMSG, 0, "", "", "", "" },
                { "Bearer realm=\"x\\", -EBADMSG, 0, "", "", "", "" },
                { "Bearer realm=\"a\nb\"", -EBADMSG, 0, "", "", "", "" },
                { "Bearer realm=\"a\", realm=\"b\"", -EBADMSG, 0, "", "", "", "" },
                { "Bearer realm=\"a\" service=\"b\"", -EBADMSG, 0, "", "", "", "" },
                { "\"quoted\" realm=x", -EBADMSG, 0, "", "", "", "" },
                { "Basic realm=x, Bearer realm=\"y", 0, CHALLENGE_BASIC, "x", "", "", "" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct challenge c = { 0 };
                int r = challenge_parse(str_of(rows[i].header), &c);
                if (r != rows[i].r)
                        fail_msg("%s: %d", rows[i].header, r);
                if (r < 0)
                        continue;
                assert_int_equal(c.scheme, rows[i].scheme);
                assert_string_equal(c.realm, rows[i].realm);
                assert_string_equal(c.service, rows[i].service);
                assert_string_equal(c.scope, rows[i].scope);
                assert_string_equal(c.other, rows[i].other);
        }
        (void)state;
}

/* Every cut of a good header parses to something or is refused; the sanitizer sees a read past its end. */
static void test_challenge_cut(void **state)
{
        static const char header[] = "Negotiate YII==, Bearer realm=\"https://a\\\"b\",service=\"s\", Basic realm=x";
        for (size_t n = 0; n < sizeof(header); n++) {
                char *exact = str_dup(str_span(header, n));
                struct challenge c;
                (void)challenge_parse(str_span(exact, n), &c);
                free(exact);
        }
        (void)state;
}

static void check(const char *text, const char *name, int r, const char *user, const char *password, const char *token,
                  const char *helper)
{
        struct registry_name parsed;
        struct credential c = { 0 };
        char found[AUTH_HELPER_MAX];
        struct error err = ERROR_NONE;
        assert_int_equal(registry_name_parse(str_of(name), &parsed, NULL), 0);
        int got = auth_file_find(str_of(text), &parsed, &c, found, &err);
        if (got != r)
                fail_msg("%s: %d %s", text, got, err.text);
        if (r == 0) {
                assert_string_equal(c.username ? c.username : "-", user);
                assert_string_equal(c.password ? c.password : "-", password);
                assert_string_equal(c.identity_token ? c.identity_token : "-", token);
                assert_string_equal(found, helper);
        }
        credential_done(&c);
}

static void test_files(void **state)
{
        static const char keys[] = "{\"auths\":{\"r.example\":{\"auth\":\"aG9zdDox\"},\"r.example/team\":{\"auth\":"
                                   "\"dGVhbToy\"},\"r.example/team/app\":{\"auth\":\"YXBwOjM=\"},"
                                   "\"http://other.example/v2/x\":{\"auth\":\"bzo0\"},"
                                   "\"https://index.docker.io/v1/\":{\"auth\":\"aHViOjU=\"}}}";
        check(keys, "r.example/web", 0, "host", "1", "-", "");
        check(keys, "r.example/team/web", 0, "team", "2", "-", "");
        check(keys, "r.example/teams/web", 0, "host", "1", "-", "");
        check(keys, "r.example/team/app", 0, "app", "3", "-", "");
        check(keys, "r.example/team/app/x", 0, "app", "3", "-", "");
        check(keys, "r.example:443/web", 0, "-", "-", "-", "");
        check(keys, "other.example/y", 0, "o", "4", "-", "");
        check(keys, "nginx", 0, "hub", "5", "-", "");
        check("{\"auths\":{\"docker.io\":{\"auth\":\"aHViOjU=\"}}}", "docker.io/a/b", 0, "hub", "5", "-", "");
        check("", "nginx", 0, "-", "-", "-", "");
        check("{}", "nginx", 0, "-", "-", "-", "");
        check("{\"auths\":[]}", "nginx", 0, "-", "-", "-", "");
        check("{\"auths\":{\"r.e\":{\"auth\":\"dTpwOnE=\"}}}", "r.e/a", 0, "u", "p:q", "-", "");
        check("{\"auths\":{\"r.e\":{\"auth\":\"dTo=\"}}}", "r.e/a", 0, "u", "", "-", "");
        check("{\"auths\":{\"r.e\":{\"auth\":\"dTpw\",\"identitytoken\":\"t\"}}}", "r.e/a", 0, "-", "-", "t", "");
        check("{\"credHelpers\":{\"r.e\":\"a-b\"},\"credsStore\":\"c\",\"auths\":{\"r.e\":{\"auth\":\"dTpw\"}}}",
              "r.e/a", 0, "-", "-", "-", "a-b");
        check("{\"credsStore\":\"c\",\"auths\":{\"r.e\":{}}}", "r.e/a", 0, "-", "-", "-", "c");
        check("{\"credsStore\":\"../c\"}", "r.e/a", -EBADMSG, "", "", "", "");
        check("{\"credsStore\":\"a b\"}", "r.e/a", -EBADMSG, "", "", "", "");
        check("{\"credsStore\":\"-c\"}", "r.e/a", -EBADMSG, "", "", "", "");
        check("{\"auths\":{\"r.e\":{\"auth\":\"dXA=\"}}}", "r.e/a", -EBADMSG, "", "", "", "");
        check("{\"auths\":{\"r.e\":{\"auth\":\"dQA6cA==\"}}}", "r.e/a", -EBADMSG, "", "", "", "");
        check("{\"auths\":{\"r.e\":{\"auth\":\"%%%%\"}}}", "r.e/a", -EBADMSG, "", "", "", "");
        check("{\"auths\":", "r.e/a", -EBADMSG, "", "", "", "");
        (void)state;
}

static void test_basic(void **state)
{
        struct credential c = { .username = (char *)"Aladdin", .password = (char *)"open sesame" };
        char *text = basic_authorization(&c);
        assert_string_equal(text, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="); /* the example of RFC 7617 */
        secret_freep(&text);
        assert_null(text);
        (void)state;
}

static void test_header_lines(void **state)
{
        struct http_response r = { .content_length = UINT64_MAX };
        char location[HTTP_URL_MAX] = "";
        http_header_take(STR("content-length: 12\r\n"), &r, location);
        http_header_take(STR("Content-Length: 1x\r\n"), &r, location);
        assert_int_equal(r.content_length, 12);
        http_header_take(STR("Content-Type: Application/JSON; charset=x\r\n"), &r, location);
        assert_string_equal(r.content_type, "application/json");
        http_header_take(STR("WWW-Authenticate: Basic\r\n"), &r, location);
        http_header_take(STR("www-authenticate: Negotiate\r\n"), &r, location);
        assert_string_equal(r.challenge, "Basic, Negotiate");
        http_header_take(STR("Location: /x?y\r\n"), &r, location);
        assert_string_equal(location, "/x?y");
        static const char *const bad[] = { "Content-Range: bytes 9-5/10",
                                           "Content-Range: bytes 5-10/10",
                                           "Content-Range: bytes 5-/10",
                                           "Content-Range: lines 5-9/10",
                                           "Content-Range: bytes */10",
                                           "Content-Range",
                                           "Content-Range: bytes 18446744073709551616-18446744073709551617/*" };
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                http_header_take(str_of(bad[i]), &r, location);
        assert_false(r.has_range);
        http_header_take(STR("Content-Range: bytes 5-9/10"), &r, location);
        assert_true(r.has_range && r.range_start == 5 && r.range_total == 10);
        (void)state;
}

static void test_urls(void **state)
{
        char text[512];
        assert_string_equal(http_url_print("https://u:p@h.example:8443/a/b?secret=1#x", text),
                            "https://h.example:8443/a/b");
        assert_string_equal(http_url_print("http://h.example:80/a", text), "http://h.example/a");
        assert_string_equal(http_url_print("http://[", text), "(not a URL)");
        assert_true(http_url_is("https://h.example/a", "https"));
        assert_false(http_url_is("http://h.example/a", "https"));
        assert_false(http_url_is("https://u@h.example/a", "https"));
        assert_false(http_url_is("file:///etc/passwd", "https"));
        _cleanup_(buf_done) struct buf b = BUF_INIT(100);
        http_escape(&b, STR("a/b c&d=\xff\0:"), "/");
        assert_string_equal(b.p, "a/b%20c%26d%3D%FF%00%3A");
        (void)state;
}

int main(void)
{
        cmocka_set_message_output(CM_OUTPUT_TAP);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_challenges), cmocka_unit_test(test_challenge_cut), cmocka_unit_test(test_files),
                cmocka_unit_test(test_basic),      cmocka_unit_test(test_header_lines),  cmocka_unit_test(test_urls),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
