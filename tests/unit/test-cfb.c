/* Compound files and the VBA source in them: a small file made here by [MS-CFB]'s figures, and its damage. */
#include "read/cfb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECTOR     512u
#define SECTORS    16u
#define LONG_BYTES (8u * SECTOR) /* not below the cutoff: in sectors of its own */
#define END        0xfffffffeu
#define SOURCE     "Attribute VB_Name = \"Module1\"\r\nSub AutoOpen()\r\n  Shell \"x\"\r\nEnd Sub\r\nEnd Sub\r\nEnd Sub\r\n"

static void put16(uint8_t *p, uint16_t v)
{
        p[0] = (uint8_t)v;
        p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, uint32_t v)
{
        put16(p, (uint16_t)v);
        put16(p + 2, (uint16_t)(v >> 16));
}

/*
 * SOURCE, compressed: a container, one chunk, literals only but for a copy at the end, which repeats "End Sub\r\n".
 */
static size_t compress(uint8_t *to)
{
        static const char source[] = SOURCE;
        size_t n = sizeof(source) - 1 - 9, at = 3;
        to[0] = 1;
        for (size_t i = 0; i < n; i += 8) {
                to[at++] = 0;
                for (size_t k = i; k < i + 8 && k < n; k++)
                        to[at++] = (uint8_t)source[k];
        }
        /* The last group of flags has room: mark the token behind its literals as a copy. 7 bits of offset there. */
        size_t in_group = n % 8;
        assert_true(in_group != 0 && n > 64 && n < 128);
        to[at - in_group - 1] = (uint8_t)(1u << in_group);
        put16(to + at, (uint16_t)((9 - 1) << 9 | (9 - 3)));
        at += 2;
        put16(to + 1, (uint16_t)(0xb000u | (at - 3 - 1)));
        return at;
}

static void put_entry(uint8_t *p, const char *name, uint8_t type, uint32_t first, uint32_t size)
{
        size_t n = strlen(name);
        for (size_t i = 0; i < n; i++)
                p[2 * i] = (uint8_t)name[i];
        put16(p + 64, (uint16_t)(2 * n + 2));
        p[66] = type;
        put32(p + 116, first);
        put32(p + 120, size);
}

/* Sectors: 0 FAT, 1 directory, 2 mini FAT, 3 mini stream, 4 to 11 the long stream. */
static size_t make_file(uint8_t *f)
{
        uint8_t *fat = f + SECTOR, *directory = f + 2 * SECTOR, *mini_fat = f + 3 * SECTOR, *mini = f + 4 * SECTOR;
        memset(f, 0, SECTORS * SECTOR);
        memcpy(f, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
        put16(f + 26, 3);
        put16(f + 28, 0xfffe);
        put16(f + 30, 9);
        put16(f + 32, 6);
        put32(f + 44, 1);
        put32(f + 48, 1);
        put32(f + 56, 4096);
        put32(f + 60, 2);
        put32(f + 64, 1);
        put32(f + 68, END);
        for (size_t i = 0; i < 109; i++)
                put32(f + 76 + 4 * i, i ? UINT32_MAX : 0);
        for (uint32_t i = 0; i < SECTOR / 4; i++) {
                put32(fat + 4 * i, i == 0 ? 0xfffffffd : i < 4 || i == 11 ? END : i < 11 ? i + 1 : UINT32_MAX);
                put32(mini_fat + 4 * i, i < 1 ? 1 : i == 1 ? END : UINT32_MAX);
        }
        size_t n = compress(mini);
        assert_in_range(n, 65, 128);
        put_entry(directory, "Root Entry", 5, 3, 128);
        put_entry(directory + 128, "Module1", 2, 0, (uint32_t)n);
        put_entry(directory + 256, "Workbook", 2, 4, LONG_BYTES);
        memset(f + 5 * SECTOR, 'w', LONG_BYTES);
        return 13 * SECTOR;
}

static void test_streams(void **state)
{
        static uint8_t f[SECTORS * SECTOR];
        struct cfb c;
        struct cfb_stream s;
        size_t n = make_file(f);
        assert_int_equal(cfb_init(&c, str_span(f, n)), CFB_STREAM);
        assert_int_equal(cfb_next(&c, &s), CFB_STREAM);
        assert_string_equal(s.name, "Module1");
        _cleanup_(buf_done) struct buf source = BUF_INIT(1 << 16);
        assert_int_equal(ovba_inflate(s.bytes, &source), sizeof(SOURCE) - 1);
        assert_true(str_is(buf_str(&source), SOURCE));
        assert_int_equal(cfb_next(&c, &s), CFB_STREAM);
        assert_string_equal(s.name, "Workbook");
        assert_int_equal(s.bytes.n, LONG_BYTES);
        assert_int_equal(s.bytes.p[LONG_BYTES - 1], 'w');
        assert_int_equal(cfb_next(&c, &s), CFB_END);
        cfb_done(&c);
}

static void look(struct str file)
{
        struct cfb c;
        struct cfb_stream s;
        int r = cfb_init(&c, file);
        _cleanup_(buf_done) struct buf source = BUF_INIT(1 << 16);
        while (r == CFB_STREAM && (r = cfb_next(&c, &s)) != CFB_END) {
                if (r == CFB_STREAM)
                        ovba_inflate(s.bytes, &source);
                r = CFB_STREAM;
        }
        cfb_done(&c);
}

static void test_damage(void **state)
{
        static uint8_t f[SECTORS * SECTOR];
        size_t n = make_file(f);
        for (size_t i = 0; i < n; i++)
                look(str_span(f, i));
        for (size_t i = 0; i < 5 * SECTOR; i++)
                for (unsigned bit = 0; bit < 8; bit++) {
                        f[i] ^= (uint8_t)(1u << bit);
                        look(str_span(f, n));
                        f[i] ^= (uint8_t)(1u << bit);
                }
}

static void test_chain_in_a_circle(void **state)
{
        static uint8_t f[SECTORS * SECTOR];
        struct cfb c;
        struct cfb_stream s;
        size_t n = make_file(f);
        put32(f + SECTOR + 4 * 11, 4);                /* the last sector of the long stream leads to its first */
        put32(f + 2 * SECTOR + 256 + 120, 100 << 20); /* and it says that it is long */
        assert_int_equal(cfb_init(&c, str_span(f, n)), CFB_STREAM);
        assert_int_equal(cfb_next(&c, &s), CFB_STREAM);
        assert_int_equal(cfb_next(&c, &s), CFB_TOO_LARGE);
        assert_int_equal(cfb_next(&c, &s), CFB_END);
        cfb_done(&c);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_streams),
                cmocka_unit_test(test_damage),
                cmocka_unit_test(test_chain_in_a_circle),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("cfb", tests, NULL, NULL);
}
