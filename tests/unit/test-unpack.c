/* The unpacking engine on content that is made here: what hides in text, what is appended, what is damaged. */
#include "unpack-marker.h"

/* --- text --- */

static void test_base64(void **state)
{
        static const size_t lines[] = { 0, 40, 64, 76 };
        for (size_t before = 0; before < 90; before++)
                for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                        _cleanup_(buf_done) struct buf text = BUF_INIT(1 << 16);
                        char name[64];
                        for (size_t k = 0; k < before; k++)
                                buf_putc(&text, k % 7 ? 'w' : ' ');
                        buf_putc(&text, '"');
                        encode_base64(&text, STR("some words before, " MARKER ", and some after it"), lines[i]);
                        buf_puts(&text, "\"; the rest of the text\n");
                        show_all("etc/x", buf_str(&text));
                        snprintf(name, sizeof(name), "etc/x!base64@%zu", before + 1);
                        if (!was_found(name))
                                fail_msg("%zu bytes before, lines of %zu: found in \"%s\"", before, lines[i],
                                         words(&found));
                }
}

/* A run that is much longer than a window, with the marker where windows meet. */
static void test_long_base64(void **state)
{
        for (size_t at = CONTENT_WINDOW_MAX * 3 / 4 - 200; at < CONTENT_WINDOW_MAX * 3 / 4 + 200; at += 37) {
                size_t n = 3u << 20;
                char *plain = xmalloc(n);
                for (size_t i = 0; i < n; i++)
                        plain[i] = (char)(i * 31 % 127);
                memcpy(plain + at, MARKER, sizeof(MARKER) - 1);
                _cleanup_(buf_done) struct buf text = BUF_INIT(8u << 20);
                buf_puts(&text, "x = '");
                encode_base64(&text, str_span(plain, n), 0);
                buf_puts(&text, "'\n");
                show("x", buf_str(&text), 100000);
                assert_true(was_found("x!base64@5"));
                free(plain);
        }
}

/* A thousand times as many small letters before it, in the same run, and behind it. */
static void test_base64_behind_letters(void **state)
{
        for (unsigned behind = 0; behind < 2; behind++) {
                _cleanup_(buf_done) struct buf text = BUF_INIT(1u << 20);
                for (size_t i = 0; i < 64000; i++)
                        buf_putc(&text, "abcd"[i % 4]);
                encode_base64(&text, STR("some words before, " MARKER ", and some after it, and more"), 0);
                for (size_t i = 0; behind && i < 64000; i++)
                        buf_putc(&text, "abcd"[i % 4]);
                show("x", buf_str(&text), 100000);
                assert_true(was_found("x!base64@0"));
        }
}

/* Without a capital letter: decoded where it stands for text, which names do not. */
static void test_base64_without_capitals(void **state)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(1u << 16);
        buf_puts(&text, "echo '");
        encode_base64(&text, STR(SMALL_MARKER "job" SMALL_MARKER), 0);
        buf_puts(&text, "' | base64 -d | sh\n");
        for (const char *p = text.p + 6; *p != '\''; p++)
                assert_false(*p >= 'A' && *p <= 'Z');
        show_all("x", buf_str(&text));
        assert_true(was_found("x!base64@6"));
        buf_clear(&text);
        for (size_t i = 0; i < 100; i++)
                buf_puts(&text, "usr/lib/x86/some/long/path/of/small/letters/and/nothing/else "
                                "nix-store-path-of-some-hash/0123456789 ");
        show_all("x", buf_str(&text));
        assert_int_equal(n_members, 0);
}

static void test_no_base64(void **state)
{
        show_all("x", STR("short words only, of no more than a dozen letters each, and numbers like 1234567890\n"));
        assert_string_equal(words(&found), "");
        assert_string_equal(words(&unread), "");
}

static void test_hex_and_escapes(void **state)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(1 << 16);
        static const char plain[] = "this is long enough to be no digest at all, and " MARKER;
        buf_puts(&text, "x=");
        for (size_t i = 0; i + 1 < sizeof(plain); i++)
                buf_printf(&text, "%02x", (unsigned char)plain[i]);
        buf_puts(&text, "\ny=\"");
        size_t at = text.n;
        for (size_t i = 0; i + 1 < sizeof(plain); i++)
                buf_printf(&text, "\\x%02X", (unsigned char)plain[i]);
        buf_puts(&text, "\"\n");
        show_all("x", buf_str(&text));
        char name[64];
        snprintf(name, sizeof(name), "x!escapes@%zu", at);
        assert_true(was_found("x!hex@2"));
        assert_true(was_found(name));
}

static void test_reversed_and_xor(void **state)
{
        static const char plain[] = "#!/bin/sh\n# " MARKER "\n";
        char text[256] = "exec(strrev('", xored[sizeof(plain)];
        size_t n = strlen(text);
        for (size_t i = sizeof(plain) - 1; i--;)
                text[n++] = plain[i];
        show_all("x", str_span(text, n));
        assert_true(was_found("x!reversed@0"));
        for (unsigned key = 1; key < 256; key++) {
                char name[32];
                for (size_t i = 0; i + 1 < sizeof(plain); i++)
                        xored[i] = (char)(plain[i] ^ (int)key);
                show_all("x", str_span(xored, sizeof(plain) - 1));
                snprintf(name, sizeof(name), "x!xor-%02x@0", key);
                if (!was_found(name))
                        fail_msg("key %02x", key);
        }
}

static void test_utf16(void **state)
{
        static const char plain[] = "some text, " MARKER "\r\n";
        for (int is_big_endian = 0; is_big_endian < 2; is_big_endian++) {
                char wide[2 * sizeof(plain)] = { 0 };
                for (size_t i = 0; i + 1 < sizeof(plain); i++)
                        wide[2 * i + (size_t)is_big_endian] = plain[i];
                show_all("x", str_span(wide, 2 * (sizeof(plain) - 1)));
                assert_true(was_found("x!utf-16@0"));
        }
}

/* --- formats that need no tool to be made --- */

/* A gzip member with one stored block. */
static void add_gzip(struct buf *to, struct str plain)
{
        uint32_t crc = 0xffffffff;
        for (size_t i = 0; i < plain.n; i++) {
                crc ^= (uint8_t)plain.p[i];
                for (unsigned k = 0; k < 8; k++)
                        crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        }
        assert_true(plain.n < 65536);
        buf_add(to, "\x1f\x8b\x08\0\0\0\0\0\0\xff\x01", 11);
        buf_u8(to, (uint8_t)plain.n);
        buf_u8(to, (uint8_t)(plain.n >> 8));
        buf_u8(to, (uint8_t)~plain.n);
        buf_u8(to, (uint8_t)(~plain.n >> 8));
        buf_add_str(to, plain);
        buf_le32(to, ~crc);
        buf_le32(to, (uint32_t)plain.n);
}

static void test_gzip_everywhere(void **state)
{
        static const char plain[] = "a small file with " MARKER " in it";
        for (size_t before = 0; before < 3u << 20; before = before * 3 + 1) {
                _cleanup_(buf_done) struct buf b = BUF_INIT(8u << 20);
                for (size_t i = 0; i < before; i++)
                        buf_u8(&b, (uint8_t)(i * 7 % 250 | 1));
                add_gzip(&b, str_of(plain));
                if (before)
                        add_gzip(&b, str_of("another one"));
                show("a/x.gz", buf_str(&b), 65536);
                if (!was_found("a/x.gz!x"))
                        fail_msg("%zu bytes before: found in \"%s\", unread \"%s\"", before, words(&found),
                                 words(&unread));
                assert_string_equal(words(&unread), "");
        }
}

static void test_nested(void **state)
{
        _cleanup_(buf_done) struct buf inner = BUF_INIT(1 << 20);
        buf_puts(&inner, MARKER);
        for (unsigned depth = 1; depth <= CONTENT_DEPTH_MAX + 1; depth++) {
                _cleanup_(buf_done) struct buf outer = BUF_INIT(1 << 20);
                add_gzip(&outer, buf_str(&inner));
                show_all("x", buf_str(&outer));
                if (depth <= CONTENT_DEPTH_MAX)
                        assert_true(found.n > 0 && !unread.n);
                else
                        assert_true(str_find(buf_str(&unread), STR(": too-deep\n")) >= 0);
                buf_clear(&inner);
                buf_add_str(&inner, buf_str(&outer));
        }
}

static void test_damage(void **state)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(1 << 16);
        add_gzip(&b, STR("a text that is not there whole: " MARKER));
        b.p[b.n - 5] ^= 1; /* its checksum */
        show_all("x.gz", buf_str(&b));
        assert_true(was_found("x.gz!x"));
        assert_string_equal(words(&unread), "x.gz: corrupt\n");
        show_all("x.zip", STR("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\0\0\0\xff\0\0\0\1\0\0\0x"));
        assert_string_equal(words(&unread), "x.zip: corrupt\n");
        show_all("disk", STR("LUKS\xba\xbe\0\1"));
        assert_string_equal(words(&unread), "disk: encrypted\n");
        show_all("x", STR("xy that only looks like zlib: 0123456789"));
        assert_string_equal(words(&unread), "");
}

/* The magic numbers of what can be appended stand among the literals: one for each such format. */
static void test_carved(void **state)
{
        size_t n = 0;
        for (const struct unpack_format *f = unpack_formats; f->name; f++) {
                if (!f->may_be_appended)
                        continue;
                size_t i = 0;
                while (i < unpack_engine.n_literals && !str_eq(unpack_engine.literals[i].bytes, f->magic))
                        i++;
                assert_true(i < 20);
                n++;
        }
        assert_int_equal(n, 20);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_base64),
                cmocka_unit_test(test_long_base64),
                cmocka_unit_test(test_base64_behind_letters),
                cmocka_unit_test(test_base64_without_capitals),
                cmocka_unit_test(test_no_base64),
                cmocka_unit_test(test_hex_and_escapes),
                cmocka_unit_test(test_reversed_and_xor),
                cmocka_unit_test(test_utf16),
                cmocka_unit_test(test_gzip_everywhere),
                cmocka_unit_test(test_nested),
                cmocka_unit_test(test_damage),
                cmocka_unit_test(test_carved),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("unpack", tests, NULL, tear_down);
}
