/*
 * The unpacking engine on content that is made here: what hides in text, what is appended, what is refused, and what
 * the budget ends. An engine beside it looks for a marker and says in which member it found it.
 */
#include "analyze/unpack-private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MARKER "a-marker-that-is-no-malware-0123456789"

static struct buf found;  /* members in which the marker was, one a line */
static struct buf unread; /* "name: code", one a line */
static uint64_t n_members;

static void marker_window(const struct content_call *c, const struct content_window *w)
{
        struct arena arena = ARENA_INIT;
        if (w->n_hits) {
                buf_add_str(&found, content_name(&arena, c->file));
                buf_putc(&found, '\n');
        }
        arena_done(&arena);
}

#define SMALL_MARKER                                                                                                   \
        "no jo zoonowso knoknowo " /* its base64 has no capital letter, if it stands at a multiple of 3                \
                                    */

static const struct literal marker_literals[] = { { STR(MARKER), false }, { STR(SMALL_MARKER), false } };
static const struct content_engine marker_engine = {
        .name = "marker", .literals = marker_literals, .n_literals = 2, .window = marker_window
};

static void on_fact(struct sink *s, enum fact_kind kind, const void *fact)
{
        const struct fact_unread *u = fact;
        if (kind == FACT_unread)
                buf_printf(&unread, "%.*s: %.*s\n", STR_FMT(u->path), STR_FMT(u->code));
}

/* Shows content under a name, in pieces of that size. */
static void show(const char *name, struct str content, size_t piece)
{
        const struct content_engine *const engines[] = { &marker_engine, &unpack_engine };
        struct content_plan *plan;
        struct sink sink = { on_fact };
        buf_done(&found);
        buf_done(&unread);
        found = unread = BUF_INIT(1 << 20);
        buf_puts(&found, "");
        assert_int_equal(content_plan_new(engines, ARRAY_SIZE(engines), &plan, NULL), 0);
        struct content *c = content_new(plan, &sink);
        struct content_file f = { .path = str_of(name), .size = content.n };
        struct content_open *o = content_begin(c, NULL, &f);
        while (content.n) {
                content_add(o, content.p, MIN(piece, content.n));
                content = str_from(content, MIN(piece, content.n));
        }
        content_end(o, NULL, true);
        n_members = content_totals(c).members;
        content_free(c);
        content_plan_free(plan);
}

static void show_all(const char *name, struct str content) { show(name, content, content.n ? content.n : 1); }

static bool was_found(const char *name)
{
        _cleanup_(buf_done) struct buf line = BUF_INIT(4096);
        buf_printf(&line, "%s\n", name);
        return str_find(buf_str(&found), buf_str(&line)) >= 0;
}

static const char *words(const struct buf *b) { return b->n ? b->p : ""; }

/* --- text --- */

static void encode_base64(struct buf *to, struct str from, size_t line)
{
        static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for (size_t i = 0, column = 0; i < from.n; i += 3) {
                uint32_t v = 0;
                for (size_t k = 0; k < 3; k++)
                        v = v << 8 | (i + k < from.n ? (uint8_t)from.p[i + k] : 0);
                for (size_t k = 0; k < 4; k++) {
                        buf_putc(to, i + k > from.n ? '=' : alphabet[v >> (18 - 6 * k) & 63]);
                        if (line && ++column % line == 0)
                                buf_putc(to, '\n');
                }
        }
}

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

/* The first literals are the magic numbers of what can be appended: one for each such format. */
static void test_carved(void **state)
{
        size_t n = 0;
        for (const struct unpack_format *f = unpack_formats; f->name; f++) {
                if (!f->may_be_appended)
                        continue;
                size_t i = 0;
                while (i < unpack_engine.n_literals && !str_eq(unpack_engine.literals[i].bytes, f->magic))
                        i++;
                assert_true(i < 12);
                n++;
        }
        assert_int_equal(n, 12);
}

static int tear_down(void **state)
{
        buf_done(&found);
        buf_done(&unread);
        return 0;
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
