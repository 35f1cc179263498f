/*
 * Kinds of secrets: each one made from its recipe is found as that kind; what is nearly one is not. Nothing that looks
 * like a secret stands in this file or in secret-samples.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "secret-make.h"
#include "secret-samples.h"
#include "secret-scan.h"

/* --- what was found --- */

struct seen {
        size_t n;
        struct secret_found v[32];
        char ids[32][64], values[32][200], details[32][SECRET_DETAIL_MAX];
};

static void on_found(void *arg, const struct secret_found *found)
{
        struct seen *s = arg;
        assert_true(s->n < ARRAY_SIZE(s->v));
        s->v[s->n] = *found;
        snprintf(s->ids[s->n], sizeof(s->ids[0]), "%s", found->rule->id);
        snprintf(s->values[s->n], sizeof(s->values[0]), "%.*s", STR_FMT(str_upto(found->value, 199)));
        snprintf(s->details[s->n], sizeof(s->details[0]), "%s", found->detail);
        s->n++;
}

static struct scan_bench bench;

/* In a copy of its exact size, so that a sanitizer sees a read past the end. */
static void look(struct str text, struct seen *ret)
{
        *ret = (struct seen){ 0 };
        char *copy = xmalloc(text.n ? text.n : 1);
        if (text.n)
                memcpy(copy, text.p, text.n);
        scan_bench_run(&bench, STR("app/x"), str_span(copy, text.n), on_found, ret);
        free(copy);
}

static const struct secret_found *seen_of(const struct seen *s, const char *id)
{
        for (size_t i = 0; i < s->n; i++)
                if (strcmp(s->ids[i], id) == 0)
                        return &s->v[i];
        return NULL;
}

static void list_seen(const char *what, const struct seen *s)
{
        for (size_t i = 0; i < s->n; i++)
                print_error("%s: found %s %s: %s\n", what, s->ids[i], secret_confidence_name(s->v[i].confidence),
                            s->values[i]);
}

static const struct sample *sample_of(const char *id)
{
        for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
                if (strcmp(samples[i].id, id) == 0)
                        return &samples[i];
        return NULL;
}

/* --- tests --- */

static void test_tables(void **state)
{
        assert_true(secret_rules_count() >= 150);
        for (size_t i = 0; i < secret_rules_count(); i++) {
                const struct secret_rule *r = secret_rule_at(i);
                struct error err = ERROR_NONE;
                struct regex *x = NULL;
                if (regex_new(str_of(r->regex), REGEX_ANCHORED, &x, &err) < 0)
                        fail_msg("%s: %s", r->id, err.text);
                assert_true(regex_groups(x) <= 2);
                regex_free(x);
                if (!sample_of(r->id))
                        fail_msg("%s has no sample", r->id);
                for (size_t k = 0; k < i; k++)
                        assert_string_not_equal(secret_rule_at(k)->id, r->id);
        }
        for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
                bool is_rule = false;
                for (size_t k = 0; k < secret_rules_count(); k++)
                        is_rule = is_rule || strcmp(secret_rule_at(k)->id, samples[i].id) == 0;
                if (!is_rule)
                        fail_msg("%s is a sample of no rule", samples[i].id);
        }
}

static void make(const struct sample *s, enum how how, struct buf *to)
{
        buf_clear(to);
        buf_puts(to, s->begins ? "" : "# settings\n");
        put_recipe(to, str_of(s->recipe), how);
        buf_puts(to, "\n# end\n");
}

/* Each kind is found as what it is, and as nothing else that is as certain. */
static void test_found(void **state)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(SAMPLE_MAX);
        size_t missed = 0, others = 0;
        for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
                for (uint64_t round = 0; round < 5; round++) {
                        struct seen seen;
                        random_state = 0x9e3779b97f4a7c15u * (i * 8 + round + 1);
                        make(&samples[i], WHOLE, &b);
                        look(buf_str(&b), &seen);
                        const struct secret_found *f = seen_of(&seen, samples[i].id);
                        if (!f || f->validity == VALIDITY_FAILED || f->confidence != f->rule->confidence) {
                                print_error("%s round %llu: missed%s\n", samples[i].id, (unsigned long long)round,
                                            f ? " (doubted)" : "");
                                list_seen(samples[i].id, &seen);
                                missed++;
                        } else if (seen.n > 1) {
                                list_seen(samples[i].id, &seen);
                                others++;
                        }
                }
        printf("# %zu samples of %zu kinds, %zu missed, %zu found as another kind too\n", 5 * ARRAY_SIZE(samples),
               secret_rules_count(), missed, others);
        assert_int_equal(missed, 0);
        assert_true(others == 0);
}

static size_t certain(const struct seen *s)
{
        size_t n = 0;
        for (size_t i = 0; i < s->n; i++)
                n += s->v[i].confidence > CONFIDENCE_LOW;
        return n;
}

/* Half as long, masked, or within a longer word: nothing that anybody should act on. */
static void test_near_misses(void **state)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(SAMPLE_MAX);
        size_t wrong = 0;
        for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
                for (enum how how = HALF; how <= MASKED; how++) {
                        struct seen seen;
                        if (how == HALF ? samples[i].stays : samples[i].frame || !strchr(samples[i].recipe, '['))
                                continue;
                        random_state = 0x9e3779b97f4a7c15u * (i * 8 + how);
                        if (strstr(samples[i].recipe, "{bech32}") || strstr(samples[i].recipe, "{base58}") ||
                            strstr(samples[i].recipe, "{macaroon}"))
                                continue; /* see test_checks */
                        make(&samples[i], how, &b);
                        look(buf_str(&b), &seen);
                        if (certain(&seen)) {
                                list_seen(how == HALF ? "half" : "masked", &seen);
                                wrong++;
                        }
                }
        assert_int_equal(wrong, 0);
}

/* A checksum that is wrong by one character takes the certainty away. */
static void test_checks(void **state)
{
        static const char *const ids[] = { "github-pat",
                                           "github-oauth-token",
                                           "github-user-token",
                                           "github-server-token",
                                           "github-refresh-token",
                                           "npm-token",
                                           "grafana-service-account-token",
                                           "pypi-token",
                                           "age-secret-key",
                                           "bip32-private-key" };
        _cleanup_(buf_done) struct buf b = BUF_INIT(SAMPLE_MAX);
        for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
                struct seen seen;
                random_state = 77 + i;
                buf_clear(&b);
                put_recipe(&b, str_of(sample_of(ids[i])->recipe), WHOLE);
                look(buf_str(&b), &seen);
                assert_int_equal(seen.n, 1);
                assert_int_equal(seen.v[0].validity, VALIDITY_VALID);
                assert_int_equal(seen.v[0].confidence, CONFIDENCE_HIGH);
                size_t at = strcmp(ids[i], "pypi-token") == 0 ? b.n - 47 : b.n - 1; /* the macaroon: its frame */
                b.p[at] = b.p[at] == 'Q' ? 'P' : 'Q';
                if (strcmp(ids[i], "grafana-service-account-token") == 0)
                        b.p[at] = '0', b.p[at - 1] = '0', b.p[at - 2] = '0';
                look(buf_str(&b), &seen);
                assert_int_equal(seen.n, 1);
                assert_int_equal(seen.v[0].validity, VALIDITY_FAILED);
                assert_int_equal(seen.v[0].confidence, CONFIDENCE_LOW);
        }
}

/* What documentation shows, and what programs hold that write keys. */
static void test_no_secrets(void **state)
{
        static const char *const texts[] = {
                "aws_access_key_id = AKIAIOSFODNN7EXAMPLE",
                "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                "printf(\"-----BEGIN RSA PRIVATE KEY-----\\n\"); printf(\"-----END RSA PRIVATE KEY-----\\n\");",
                "-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----\n",
                "-----BEGIN PRIVATE KEY-----\n<your key here>\n-----END PRIVATE KEY-----\n",
                ("password = \"password\"\npassword: "
                 "\"${DB_PASSWORD}\"\nPASSWORD=$1\nPASSWORD=changeme\nTOKEN=<token>\n"),
                "token = \"{{ vault_token }}\"\napi_key: \"your_api_key_goes_here\"\n",
                "postgres://user:password@localhost/db postgres://u:${PW}@db postgres://user:secret@example.com/x",
                "https://github.com:443/a@b https://example.com/?x=a:b@c http://[::1]:80/",
                "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx ghp_ ghp_short glpat-xxxxxxxxxxxxxxxxxxxx",
                "const tokenType = \"AuthorizationCodeGrant\"; secretName: \"my-app-secret-name-1\"",
                "eyJhbGciOiJub3RoaW5n eyJ.eyJ.x",
                "machine host login user password $PASSWORD",
                "Nz\x08machine z\x07 login z\n password )\x08r\xb2", /* strings of compiled Python */
                "\"auth\": \"YmFzZTY0IG9mIG5vdGhpbmc=\"",
        };
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct seen seen;
                look(str_of(texts[i]), &seen);
                if (seen.n)
                        list_seen(texts[i], &seen);
                assert_int_equal(seen.n, 0);
        }
}

static const struct secret_found *find_one(struct str text, struct seen *seen)
{
        look(text, seen);
        if (seen->n != 1)
                list_seen("not one", seen);
        assert_int_equal(seen->n, 1);
        return &seen->v[0];
}

static void test_places(void **state)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(SAMPLE_MAX);
        struct seen seen;
        buf_puts(&b, "a\nbb\n  x: \"");
        put_recipe(&b, STR("ghp_[a:30]"), WHOLE);
        /* the checksum is of what follows the last underscore, which is the token's */
        put_crc62(&b);
        buf_puts(&b, "\"\n");
        const struct secret_found *f = find_one(buf_str(&b), &seen);
        assert_int_equal(f->line, 3);
        assert_int_equal(f->column, 7);
        assert_int_equal(f->offset, 11);
        assert_int_equal(f->value.n, 40);
        buf_putc(&b, 0); /* a binary has no lines */
        f = find_one(buf_str(&b), &seen);
        assert_int_equal(f->line, 0);
        assert_int_equal(f->offset, 11);
}

/* A NUL ends a string of a program or an environment, and so what might be a password in it. */
static void test_strings(void **state)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(SAMPLE_MAX);
        struct seen seen;
        look(STR("userPWD=\"\0user7Kq9PWD=\"(\0"), &seen);
        assert_int_equal(seen.n, 0);
        random_state = 5;
        put_recipe(&b, STR("MY_PASSWORD=[a:12]7x"), WHOLE);
        buf_add_str(&b, STR("\0NEXT=value\0"));
        assert_int_equal(find_one(buf_str(&b), &seen)->value.n, 14);
}

/* UTF-16 as Windows writes it, and within binaries. */
static void test_wide(void **state)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(SAMPLE_MAX), wide = BUF_INIT(SAMPLE_MAX);
        struct seen seen;
        put_recipe(&b, STR("PAD sk_live_[a:99] end "), WHOLE);
        for (size_t i = 0; i < b.n; i++) {
                buf_putc(&wide, b.p[i]);
                buf_putc(&wide, 0);
        }
        const struct secret_found *f = find_one(buf_str(&wide), &seen);
        assert_string_equal(seen.ids[0], "stripe-secret-key");
        assert_int_equal(f->offset, 8);
        assert_int_equal(f->value.n, 107);
        assert_memory_equal(seen.values[0], b.p + 4, 107);
        buf_clear(&b);
        buf_clear(&wide);
        put_recipe(&b, STR("[a:3]8Q~[a:34] "), WHOLE); /* begins before its keyword */
        for (size_t i = 0; i < b.n; i++) {
                buf_putc(&wide, b.p[i]);
                buf_putc(&wide, 0);
        }
        f = find_one(buf_str(&wide), &seen);
        assert_string_equal(seen.ids[0], "azure-client-secret");
        assert_int_equal(f->offset, 0);
}

static void test_keys(void **state)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(SAMPLE_MAX), json = BUF_INIT(SAMPLE_MAX);
        struct seen seen;
        put_recipe(&b, STR("{rsa}"), WHOLE);
        const struct secret_found *f = find_one(buf_str(&b), &seen);
        assert_int_equal(f->validity, VALIDITY_VALID);
        assert_string_equal(seen.details[0], "RSA, 1024 bits, usable without a passphrase");
        /* the same in a line of JSON */
        for (size_t i = 0; i < b.n; i++)
                if (b.p[i] == '\n')
                        buf_puts(&json, "\\n");
                else
                        buf_putc(&json, b.p[i]);
        f = find_one(buf_str(&json), &seen);
        assert_int_equal(f->validity, VALIDITY_VALID);
        /* with a passphrase: lesser */
        buf_clear(&b);
        put_pem(&b, EVP_EC_gen("P-256"), true, EVP_aes_128_cbc());
        f = find_one(buf_str(&b), &seen);
        assert_int_equal(f->severity, SEVERITY_HIGH);
        assert_string_equal(seen.details[0], "needs a passphrase");
        buf_clear(&b);
        put_openssh(&b, "aes256-ctr");
        f = find_one(buf_str(&b), &seen);
        assert_int_equal(f->severity, SEVERITY_HIGH);
        buf_clear(&b);
        put_openssh(&b, "none");
        f = find_one(buf_str(&b), &seen);
        assert_int_equal(f->severity, SEVERITY_CRITICAL);
        assert_string_equal(seen.details[0], "usable without a passphrase");
        buf_clear(&b);
        put_pgp(&b, 0);
        assert_int_equal(find_one(buf_str(&b), &seen)->validity, VALIDITY_VALID);
        buf_clear(&b);
        put_pgp(&b, 1);
        assert_int_equal(find_one(buf_str(&b), &seen)->validity, VALIDITY_FAILED);
}

/* Programs carry keys of their own tests; in DER only a file that begins with one is one. */
static void test_keys_in_programs(void **state)
{
        static const char *const ids[] = { "private-key-der", "private-key-der-ec", "key-store-java" };
        for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
                _cleanup_(buf_done) struct buf b = BUF_INIT(SAMPLE_MAX);
                struct seen seen;
                buf_puts(&b, "\x7f"
                             "ELF and more ");
                put_recipe(&b, str_of(sample_of(ids[i])->recipe), WHOLE);
                look(buf_str(&b), &seen);
                assert_null(seen_of(&seen, ids[i]));
        }
}

/* In windows, as large files come: lines go on, what lies over a border is found once. */
static void test_windows(void **state)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(SAMPLE_MAX);
        for (int i = 0; i < 1000; i++)
                buf_puts(&b, "some line of text\n");
        size_t token = b.n;
        put_recipe(&b, STR("sk_live_[a:99]"), WHOLE);
        buf_puts(&b, "\nmore\n");
        struct secret_file file = { 0 };
        struct seen seen = { 0 };
        size_t window = 4096, step = 3000;
        for (size_t at = 0;; at += step) {
                struct str bytes = str_upto(str_from(buf_str(&b), at), window);
                bool is_last = at + bytes.n == b.n;
                vec_clear(&bench.hits);
                literals_scan(bench.literals, bytes, 0, is_last ? bytes.n : step, scan_bench_hit, &bench);
                struct content_window w = { .bytes = bytes,
                                            .offset = at,
                                            .fresh = at ? window - step : 0,
                                            .is_first = at == 0,
                                            .is_last = is_last,
                                            .hits = bench.hits.v,
                                            .n_hits = bench.hits.n };
                secrets_scan(bench.scanner, &file, &w, on_found, &seen);
                if (is_last)
                        break;
        }
        assert_int_equal(seen.n, 1);
        assert_int_equal(seen.v[0].line, 1001);
        assert_int_equal(seen.v[0].offset, token);
        assert_int_equal(seen.v[0].column, 1);
        assert_int_equal(file.lines, 1002);
}

/* No output of ours holds more of a secret than this. */
static void test_redaction(void **state)
{
        struct secret_rule token = { .id = "x" }, password = { .id = "x", .flags = SECRET_PASSWORD };
        char redacted[SECRET_REDACTED_MAX], one[SECRET_FINGERPRINT_MAX], two[SECRET_FINGERPRINT_MAX];
        secret_redact(&token, STR("abcdefghijklmnopqrstuvwxyz"), redacted);
        assert_string_equal(redacted, "abcd…yz (26 characters)");
        secret_redact(&token, STR("abcdefghijklmno"), redacted);
        assert_string_equal(redacted, "… (15 characters)");
        secret_redact(&password, STR("abcdefghijklmnopqrstuvwxyz"), redacted);
        assert_string_equal(redacted, "… (26 characters)");
        secret_redact(&token, STR("ab\x1b[31mfghijklmnopqrstuvwxyz"), redacted);
        assert_string_equal(redacted, "… (28 characters)");
        secret_redact(&token, STR("-----BEGIN X\nabcdefghijklmnop"), redacted);
        assert_string_equal(redacted, "… (29 characters)");
        secret_fingerprint(&token, STR("abcdefghijklmnopqrstuvwxyz"), one);
        assert_int_equal(strlen(one), 32);
        secret_fingerprint(&password, STR("abcdefghijklmnopqrstuvwxyz"), two);
        assert_int_equal(strlen(two), 4);
        assert_memory_equal(one, two, 4);
}

static void test_paths(void **state)
{
        static const char *const doubted[] = { "usr/share/doc/x/README", "app/tests/x.pem", "a/x_test.go", "README.md",
                                               "site/app.min.js",        "etc/example.conf" };
        static const char *const plain[] = { "app/.env", "usr/lib/x.so", "root/.ssh/id_rsa", "contest/x",
                                             "etc/latest.conf" };
        for (size_t i = 0; i < ARRAY_SIZE(doubted); i++)
                assert_true(secret_path_doubt(str_of(doubted[i])));
        for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
                assert_false(secret_path_doubt(str_of(plain[i])));
}

/* Text written against the patterns ends soon, and what was given up is counted. */
static void test_hostile(void **state)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(4u << 20);
        struct seen seen;
        for (int i = 0; i < 20000; i++)
                buf_puts(&b, "password passwd secret_ token=\"");
        look(buf_str(&b), &seen);
        buf_clear(&b);
        for (int i = 0; i < 20000; i++)
                buf_puts(&b, "eyJeyJeyJ.eyJ<server><user machine  \"kty\":");
        look(buf_str(&b), &seen);
        buf_clear(&b);
        for (int i = 0; i < 2000; i++)
                buf_printf(&b, "-----BEGIN %s KEY-----Q", "RSA PRIVATE");
        look(buf_str(&b), &seen);
        assert_int_equal(seen.n, 0);
}

static void test_entropy(void **state)
{
        assert_int_equal(secret_entropy(STR("")), 0);
        assert_int_equal(secret_entropy(STR("aaaa")), 0);
        assert_int_equal(secret_entropy(STR("abab")), 10);
        assert_int_equal(secret_entropy(STR("abcdefghijklmnop")), 40);
}

/* Every cut and every flipped bit of a text with several kinds in it does no harm. */
static void test_torture(void **state)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(SAMPLE_MAX);
        struct seen seen;
        static const char *const ids[] = { "github-pat", "private-key-openssh", "jwt", "pypi-token",
                                           "docker-registry-auth" };
        for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
                buf_clear(&b);
                put_recipe(&b, str_of(sample_of(ids[i])->recipe), WHOLE);
                for (size_t n = 0; n <= b.n; n++)
                        look(str_upto(buf_str(&b), n), &seen);
                for (size_t bit = 0; bit < MIN(b.n, 160) * 8; bit++) {
                        b.p[bit / 8] ^= (char)(1 << bit % 8);
                        look(buf_str(&b), &seen);
                        b.p[bit / 8] ^= (char)(1 << bit % 8);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_tables),      cmocka_unit_test(test_found),
                cmocka_unit_test(test_near_misses), cmocka_unit_test(test_checks),
                cmocka_unit_test(test_no_secrets),  cmocka_unit_test(test_places),
                cmocka_unit_test(test_strings),     cmocka_unit_test(test_wide),
                cmocka_unit_test(test_keys),        cmocka_unit_test(test_keys_in_programs),
                cmocka_unit_test(test_windows),     cmocka_unit_test(test_redaction),
                cmocka_unit_test(test_paths),       cmocka_unit_test(test_hostile),
                cmocka_unit_test(test_entropy),     cmocka_unit_test(test_torture),
        };
        scan_bench_init(&bench);
        cmocka_set_message_output(CM_OUTPUT_TAP);
        int r = cmocka_run_group_tests(tests, NULL, NULL);
        scan_bench_done(&bench);
        return r;
}
