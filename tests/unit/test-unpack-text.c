/* The unpacking engine on text that hides content in the ways that scripts and documents do, and on PDF. */
#include "unpack-marker.h"

/* --- base64 in pieces of strings, and in short lines --- */

static void test_base64_pieces(void **state)
{
        static const struct {
                const char *before, *between, *behind;
        } ways[] = {
                { "x: |\n    ", "\n    ", "\n" }, { "s = (\"", "\"\n     \"", "\")\n" },
                { "s = '", "'\ns += '", "'\n" },  { "{\"d\":\"", "\\n", "\"}" },
                { "x=\"", "\\\n", "\"\n" },       { "PHOTO:", "\r\n ", "\r\n" },
                { "{\"d\":\"", "\\r\\n", "\"}" },
        };
        static const size_t lines[] = { 40, 48, 60, 64, 76 };
        for (size_t k = 0; k < ARRAY_SIZE(ways); k++)
                for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                        _cleanup_(buf_done) struct buf one = BUF_INIT(1 << 16), text = BUF_INIT(1 << 16);
                        char name[64];
                        encode_base64(&one, STR("some words before it, some more of them, " MARKER ", and others"), 0);
                        buf_puts(&text, ways[k].before);
                        size_t at = text.n;
                        for (size_t from = 0; from < one.n; from += lines[i]) {
                                buf_puts(&text, from ? ways[k].between : "");
                                buf_add_str(&text, str_upto(str_from(buf_str(&one), from), lines[i]));
                        }
                        buf_puts(&text, ways[k].behind);
                        show_all("x", buf_str(&text));
                        snprintf(name, sizeof(name), "x!base64@%zu", at);
                        if (!was_found(name))
                                fail_msg("way %zu, lines of %zu: found in \"%s\"", k, lines[i], words(&found));
                }
}

/* Lines too short to be told by themselves, wherever they stand, if there are enough of them. */
static void test_base64_short_lines(void **state)
{
        static const char *const between[] = { "\n", "\"\n  \"", "\\n" };
        for (size_t line = 20; line < 40; line++)
                for (size_t before = 0; before < 60; before++) {
                        _cleanup_(buf_done) struct buf one = BUF_INIT(1 << 16), text = BUF_INIT(1 << 16);
                        encode_base64(&one,
                                      STR(MARKER
                                          " which is followed by a good deal of other words, so that there "
                                          "are lines enough, and more words, and again some, and others, until "
                                          "nobody reads them any more, and a few for good measure, and then some more"),
                                      0);
                        for (size_t k = 0; k < before; k++)
                                buf_putc(&text, k % 7 ? 'w' : ' ');
                        buf_puts(&text, "\n\"");
                        for (size_t from = 0; from < one.n; from += line) {
                                buf_puts(&text, from ? between[before % ARRAY_SIZE(between)] : "");
                                buf_add_str(&text, str_upto(str_from(buf_str(&one), from), line));
                        }
                        buf_puts(&text, "\"\n");
                        show_all("x", buf_str(&text));
                        if (!found.n)
                                fail_msg("lines of %zu, %zu bytes before: %s", line, before, text.p);
                }
}

/* Each value of a list is looked at by itself, too: its length need not be a multiple of four. */
static void test_base64_values(void **state)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(1 << 16);
        buf_puts(&text, "[\"c29tZSB0aGluZyBlbHNlIHRoYXQgaXMgb2Ygbm8gaW50ZXJlc3Q\", \"");
        encode_base64(&text, STR("some words before it, some more of them, " MARKER ", and others"), 0);
        buf_puts(&text, "\"]\n");
        show_all("x", buf_str(&text));
        assert_true(found.n > 0);
}

/* In a program, wherever it stands to a window's end; in lines, too. */
static void test_base64_in_program(void **state)
{
        static char bytes[CONTENT_WINDOW_MAX + 900];
        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (char)(i % 7 ? i % 5 : i % 3 * 40);
        const size_t border = CONTENT_WINDOW_MAX - 300;
        for (unsigned line = 0; line <= 76; line += 76)
                for (size_t at = 5000; at < sizeof(bytes) - 300;
                     at = at < border ? MIN(border, at + 170001) : at + 31) {
                        _cleanup_(buf_done) struct buf all = BUF_INIT(sizeof(bytes) + 4096);
                        _cleanup_(buf_done) struct buf text = BUF_INIT(4096);
                        buf_add(&all, bytes, at);
                        encode_base64(&text, STR("#!/bin/sh\n# some words before it, " MARKER ", and others\n"), line);
                        buf_putc(&all, 0);
                        buf_add_str(&all, buf_str(&text));
                        buf_putc(&all, 0);
                        buf_add(&all, bytes + at, sizeof(bytes) - at);
                        show("x", buf_str(&all), 64 << 10);
                        if (!found.n)
                                fail_msg("at %zu, lines of %u", at, line);
                }
}

/* In either alphabet, and whatever byte was XORed over it before: it has letters of both cases then, too. */
static void test_base64_of_xored(void **state)
{
        static const char plain[] = "#!/bin/sh\n# " MARKER "\n";
        for (unsigned key = 1; key < 256; key++)
                for (unsigned of_urls = 0; of_urls < 2; of_urls++) {
                        _cleanup_(buf_done) struct buf text = BUF_INIT(1 << 10);
                        char bytes[sizeof(plain) - 1];
                        for (size_t i = 0; i < sizeof(bytes); i++)
                                bytes[i] = (char)(plain[i] ^ (char)key);
                        encode_base64(&text, str_span(bytes, sizeof(bytes)), 0);
                        for (size_t i = 0; of_urls && i < text.n; i++)
                                text.p[i] = text.p[i] == '+' ? '-' : text.p[i] == '/' ? '_' : text.p[i];
                        show_all("x", buf_str(&text));
                        if (!found.n)
                                fail_msg("key %02x: %s", key, text.p);
                }
}

/* What has the characters of base64, and is none: nothing is made of it. */
static void test_base64_names(void **state)
{
        static const char *const names[] = {
                "usr/share/locale/iso-codes/with/some/more/directories",
                "V4L2_CID_MPEG_VIDEO_H264_HIERARCHICAL_CODING_LAYER_QP",
                "usr/lib/cmake-3/Help/Module/CheckFortranSourceCompiles",
                "----------------------------------------------------",
        };
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                show_all("x", str_of(names[i]));
                if (n_members)
                        fail_msg("%s: %llu members", names[i], (unsigned long long)n_members);
        }
}

/* Without a frame, as PHP's gzinflate() and .NET's DeflateStream take it. */
static void test_deflate_in_base64(void **state)
{
        show_all("x", STR("eval(gzinflate(base64_decode('"
                          "S1QoTi7KLCjRUUjUzU0syk4t0i3JSCzRzSzWzcsHiuSUJxal6hoYGhmbmJqZW1gC1eWlKBTn56Yq5OYXpSrkpylklmAV"
                          "BAA=')));"));
        if (!found.n)
                fail_msg("nothing found");
        show_all("x", STR("SHVuZHJlZHMgb2Ygd29yZHMgdGhhdCBhcmUgbm8gZGVmbGF0ZWQgZGF0YSBidXQgdGV4dA=="));
        assert_int_equal(n_members, 1);
}

/* --- content that is spelled byte by byte --- */

/* Each byte in a form, H: two hexadecimal digits, O: three octal ones, D: decimal; with something between them. */
static void spell(struct buf *to, const char *before, const char *form, const char *between, const char *behind)
{
        static const char plain[] = "#!/bin/sh\n# " MARKER "\n";
        buf_clear(to);
        buf_puts(to, before);
        for (size_t i = 0; i + 1 < sizeof(plain); i++) {
                unsigned c = (unsigned char)plain[i];
                buf_puts(to, i ? between : "");
                for (const char *p = form; *p; p++)
                        if (*p == 'H')
                                buf_printf(to, "%02x", c);
                        else if (*p == 'O')
                                buf_printf(to, "%03o", c);
                        else if (*p == 'D')
                                buf_printf(to, "%u", c);
                        else
                                buf_putc(to, *p);
        }
        buf_puts(to, behind);
}

static void test_spelled(void **state)
{
        static const struct {
                const char *before, *form, *between, *behind, *found;
        } ways[] = {
                { "printf '", "\\xH", "", "' | sh\n", "x!escapes@8" },
                { "printf '", "\\O", "", "' | sh\n", "x!escapes@8" },
                { "echo -e '", "\\0O", "", "' | sh\n", "x!escapes@9" },
                { "eval(\"", "\\u00H", "", "\")\n", "x!escapes@6" },
                { "eval(\"", "\\u{H}", "", "\")\n", "x!escapes@6" },
                { "s = '", "\\xH", "'\ns += '", "'\n", "x!escapes@5" },
                { "u='", "%H", "", "'\n", "x!percent@3" },
                { "to: x\n\n", "=H", "", "\n", "x!quoted-printable@7" },
                { "to: x\n\n", "=H", "=\n", "\n", "x!quoted-printable@7" },
                { "to: x\n\n", "=H", "=\r\n", "\n", "x!quoted-printable@7" },
                { "p[] = { ", "0xH", ", ", " };\n", "x!numbers-hex@8" },
                { "p[] = { ", "0xH", ",\n        ", " };\n", "x!numbers-hex@8" },
                { "$b = ", "H", "-", "\n", "x!numbers-hex@5" },
                { "", "H", " ", "\n", "x!numbers-hex@0" },
                { "", "H", "\n", "\n", "x!numbers-hex@0" },
                { "exec(bytes([", "D", ", ", "]))\n", "x!numbers@12" },
                { "Execute ", "Chr(D)", " & ", "\n", "x!numbers@12" },
                { "iex(", "[char]D", "+", ")\n", "x!numbers@10" },
                { "<a>", "&#D;", "", "</a>\n", "x!numbers@5" },
                { "<a>", "&#xH;", "", "</a>\n", "x!numbers-hex@5" },
        };
        _cleanup_(buf_done) struct buf text = BUF_INIT(1 << 16);
        for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
                spell(&text, ways[i].before, ways[i].form, ways[i].between, ways[i].behind);
                show_all("x", buf_str(&text));
                if (!was_found(ways[i].found))
                        fail_msg("%.60s: found in \"%s\"", text.p, words(&found));
        }
}

/* What stands for itself between escapes stays, as Python's repr() of bytes has it. */
static void test_escapes_apart(void **state)
{
        show_all("x", STR("exec(b'BZh91\\x01 a-marker-that\\x2dis-no\\x2dmalware\\x2d0123\\x34\\x35\\x36\\x37\\x38\\x39"
                          "\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\n')"));
        assert_true(was_found("x!escapes@7"));
        show_all("x", STR("a path C:\\x86 and \\x41, a format %02x, a = b, 100%25, \\u0041 and \\101: no news at all"));
        assert_int_equal(n_members, 0);
        show_all("x", STR("2026-11-26 21:30:00 10.0.0.1 12 34 56 78 90, version 1.2.3.4, and 7 of 9 are numbers\n"));
        assert_int_equal(n_members, 0);
}

/* od, hexdump and xxd, with their offsets and the characters beside the bytes. */
static void test_dumps(void **state)
{
        static const char *const dumps[] = {
                "0000000 61 2d 6d 61 72 6b 65 72 2d 74 68 61 74 2d 69 73\n"
                "0000020 2d 6e 6f 2d 6d 61 6c 77 61 72 65 2d 30 31 32 33\n"
                "0000040 34 35 36 37 38 39 0a\n0000047\n",
                "00000000  61 2d 6d 61 72 6b 65 72  2d 74 68 61 74 2d 69 73  |a-mark r-that-is|\n"
                "00000010  2d 6e 6f 2d 6d 61 6c 77  61 72 65 2d 30 31 32 33  |-no-malware-0123|\n"
                "00000020  34 35 36 37 38 39 0a                              |456789.|\n",
                "00000000: 612d 6d61 726b 6572 2d74 6861 742d 6973  a-marker-that-is\n"
                "00000010: 2d6e 6f2d 6d61 6c77 6172 652d 3031 3233  -no-malware-0123\n"
                "00000020: 3435 3637 3839 0a00 3435 3637 3839 0a00  456789..456789..\n"
                "00000030: 3435 3637 3839 0a00 3435 3637 3839 0a00  456789..456789..\n",
        };
        for (size_t i = 0; i < ARRAY_SIZE(dumps); i++) {
                show_all("x", str_of(dumps[i]));
                if (!found.n)
                        fail_msg("dump %zu", i);
        }
}

static void test_uuencode(void **state)
{
        static const char encoded[] = "begin 644 x\nF82UM87)K97(M=&AA=\"UI<RUN;RUM86QW87)E+3`Q,C,T-38W.#D*\n`\nend\n";
        show_all("x", str_of(encoded));
        assert_true(was_found("x!uuencode@0"));
        show_all("x", STR("begin 644 words, and nothing that is encoded\nbegin 6"));
        assert_string_equal(words(&found), "");
        for (size_t n = 0; n < sizeof(encoded) - 1; n++)
                show_all("x", str_span(encoded, n));
}

static void test_utf16_marked(void **state)
{
        static const char plain[] = "some text, " MARKER "\r\n";
        for (int is_big_endian = 0; is_big_endian < 2; is_big_endian++) {
                _cleanup_(buf_done) struct buf wide = BUF_INIT(1 << 16);
                buf_puts(&wide, is_big_endian ? "\xfe\xff" : "\xff\xfe");
                for (size_t i = 0; i < 4000; i++) /* of another script: no zeros */
                        buf_puts(&wide, "\x65\x67");
                for (size_t i = 0; i + 1 < sizeof(plain); i++) {
                        buf_u8(&wide, is_big_endian ? 0 : (uint8_t)plain[i]);
                        buf_u8(&wide, is_big_endian ? (uint8_t)plain[i] : 0);
                }
                show_all("x", buf_str(&wide));
                assert_true(was_found("x!utf-16@0"));
        }
}

static void test_utf32(void **state)
{
        static const char plain[] = "some text, " MARKER "\r\n";
        for (int is_big_endian = 0; is_big_endian < 2; is_big_endian++) {
                _cleanup_(buf_done) struct buf wide = BUF_INIT(1 << 16);
                for (size_t i = 0; i + 1 < sizeof(plain); i++) {
                        buf_add(&wide, "\0\0", is_big_endian ? 3 : 0);
                        buf_u8(&wide, (uint8_t)plain[i]);
                        buf_add(&wide, "\0\0", is_big_endian ? 0 : 3);
                }
                show_all("x", buf_str(&wide));
                assert_true(was_found("x!utf-16@0!utf-16@0"));
        }
}

/* --- PDF --- */

static void show_pdf(const char *dictionary, const char *content, size_t n)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(1 << 18);
        buf_printf(&b, "%%PDF-1.4\n1 0 obj\n<< /Length %zu %s >>\nstream\n", n, dictionary);
        buf_add(&b, content, n);
        buf_puts(&b, "\nendstream\nendobj\n");
        show_all("x.pdf", buf_str(&b));
}

static void test_pdf(void **state)
{
        static const char hex[] = "612d6d61726b65722d746861742d69732d6e6f2d\n6d616c776172652d303132333435363738 39>";
        static const char ascii85[] = "@4c>)Ebf6,/TbZ7F=h3J/T,JYD..7)@<,p20JP==1c70M3&p~>";
        char runs[64] = { 9 };
        memcpy(runs + 1, MARKER, 10);
        runs[11] = sizeof(MARKER) - 1 - 10 - 1;
        memcpy(runs + 12, &MARKER[10], sizeof(MARKER) - 1 - 10);
        runs[12 + sizeof(MARKER) - 1 - 10] = (char)128;
        show_pdf("/Filter /ASCIIHexDecode", hex, sizeof(hex) - 1);
        assert_true(was_found("x.pdf!stream"));
        assert_int_equal(found.n, strlen("x.pdf!stream\n")); /* once */
        show_pdf("/Filter [ /A#48x ]", hex, sizeof(hex) - 1);
        assert_true(was_found("x.pdf!stream"));
        show_pdf("/Filter /ASCII85Decode", ascii85, sizeof(ascii85) - 1);
        assert_true(was_found("x.pdf!stream"));
        show_pdf("/Filter /RunLengthDecode", runs, sizeof(MARKER) + 2);
        assert_true(was_found("x.pdf!stream"));
        show_pdf("/Filter /LZWDecode", "\x80\x0b\x60", 3);
        assert_string_equal(words(&unread), "x.pdf: unsupported\n");
        show_pdf("/Filter /DCTDecode", "\xff\xd8\xff", 3);
        assert_string_equal(words(&unread), "");
        for (size_t n = 0; n < sizeof(ascii85); n++)
                show_pdf("/Filter [/ASCII85Decode /RunLengthDecode /Fl /AHx] /Predictor 12 /Columns 3", ascii85, n);
}

/* As what writes samples of three colors has it: each byte but the first three of a row less the one of its color. */
static void test_pdf_predictors(void **state)
{
        enum { COLORS = 3, ROW = 2 * COLORS };
        _cleanup_(buf_done) struct buf png = BUF_INIT(1 << 12), tiff = BUF_INIT(1 << 12), hex = BUF_INIT(1 << 14);
        char plain[(sizeof(MARKER) / ROW + 1) * ROW] = MARKER;
        for (size_t i = 0; i < sizeof(plain); i++) {
                uint8_t less = (uint8_t)(plain[i] - (i % ROW >= COLORS ? plain[i - COLORS] : 0));
                if (i % ROW == 0)
                        buf_u8(&png, 1); /* Sub */
                buf_u8(&png, less);
                buf_u8(&tiff, less);
        }
        for (int is_tiff = 0; is_tiff < 2; is_tiff++) {
                char dictionary[100];
                struct str s = buf_str(is_tiff ? &tiff : &png);
                buf_clear(&hex);
                for (size_t i = 0; i < s.n; i++)
                        buf_printf(&hex, "%02x", (uint8_t)s.p[i]);
                snprintf(dictionary, sizeof(dictionary), "/Filter /AHx /Predictor %d /Columns 2 /Colors 3",
                         is_tiff ? 2 : 11);
                show_pdf(dictionary, hex.p, hex.n);
                assert_true(was_found("x.pdf!stream"));
        }
}

static void test_pdf_limits(void **state)
{
        static const char hex[] = "612d6d61726b65722d746861742d69732d6e6f2d6d616c776172652d30313233343536373839>";
        static char dictionary[100 << 10];
        const size_t lengths[] = { 5000, sizeof(dictionary) - 1 };
        for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
                snprintf(dictionary, sizeof(dictionary), "%-*s", (int)lengths[i], "/Filter /AHx");
                show_pdf(dictionary, hex, sizeof(hex) - 1);
                assert_string_equal(words(&unread), i ? "x.pdf: budget\n" : "");
                assert_true(i || was_found("x.pdf!stream"));
        }
        show_pdf("/Filter [/AHx /AHx /AHx /AHx /AHx /AHx /AHx /AHx /AHx]", "33>", 3);
        assert_string_equal(words(&unread), "x.pdf: budget\n");
}

/* --- what is known and not read --- */

static void test_refused(void **state)
{
        static const struct {
                const char *bytes;
                size_t n;
        } refused[] = {
                { "\x89LZO\0\r\n\x1a\n and more", 17 },
                { "RZIP\2\1 and more", 14 },
                { "LRZI\0\6 and more", 14 },
                { "7kSt\xa0 and more", 13 },
                { "ITSF\3\0\0\0 and more", 16 },
                { "UBI#\1\0\0\0 and more", 16 },
                { "\x45\x3d\xcd\x28 and more", 12 },
                { "KDMV\1\0\0\0\3\0\1\0", 12 },
                { "MSWIM\0\0\0\xd0\0\0\0\0\x0d\1\0\2\0\4\0", 20 },
                { "CWS\x08\xff\0\0\0 and much more content", 30 },
                { "\x60\xea\x1e\x00\x1e\x0b\x01\x03\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
                  "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x99\xe4\x12\xa1",
                  38 },
        };
        static const char dmg[512 + 27] = "a disk, and at its end koly\0\0\0\4\0\0\2\0\0\0\0\1";
        for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
                show_all("x", str_span(refused[i].bytes, refused[i].n));
                if (strcmp(words(&unread), "x: unsupported\n") != 0)
                        fail_msg("%zu: \"%s\"", i, words(&unread));
        }
        show_all("x", str_span(dmg, 23 + 512));
        assert_string_equal(words(&unread), "x: unsupported\n");
        show_all("x", str_span(dmg, 23 + 64)); /* the words alone, as programs have them that read it */
        assert_string_equal(words(&unread), "");
        show_all("x", STR("KDMV\1\0\0\0\3\0\0\0 a disk whose content is there as it is"));
        assert_string_equal(words(&unread), "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_base64_pieces),
                cmocka_unit_test(test_base64_short_lines),
                cmocka_unit_test(test_base64_values),
                cmocka_unit_test(test_deflate_in_base64),
                cmocka_unit_test(test_base64_in_program),
                cmocka_unit_test(test_base64_of_xored),
                cmocka_unit_test(test_base64_names),
                cmocka_unit_test(test_spelled),
                cmocka_unit_test(test_escapes_apart),
                cmocka_unit_test(test_dumps),
                cmocka_unit_test(test_uuencode),
                cmocka_unit_test(test_utf16_marked),
                cmocka_unit_test(test_utf32),
                cmocka_unit_test(test_pdf),
                cmocka_unit_test(test_pdf_predictors),
                cmocka_unit_test(test_pdf_limits),
                cmocka_unit_test(test_refused),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("unpack-text", tests, NULL, tear_down);
}
