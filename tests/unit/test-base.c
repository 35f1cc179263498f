/* base: what others rest on and do not test by themselves: words of errors, hashes of directories, lists of facts. */
#include "base/buf.h"
#include "base/cursor.h"
#include "base/error.h"
#include "base/map.h"
#include "fact/fact.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void errors_obey_no_terminal(void **state)
{
        static const struct {
                const char *found, *said;
        } cases[] = {
                { "na\xc3\xafve \xe9\x96\xa2", "na\xc3\xafve \xe9\x96\xa2" },
                { "a\x1b[2Jb\n", "a?[2Jb?" },
                { "a\xc2\x9b[2J", "a??[2J" },        /* CSI as one character */
                { "a\xe2\x80\xae.txt", "a???.txt" }, /* turns the direction */
                { "a\x9b\xff\xc3", "a???" },         /* not UTF-8 */
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct error err = ERROR_NONE;
                assert_int_equal(error_set(&err, -EIO, "%s", cases[i].found), -EIO);
                assert_string_equal(err.text, cases[i].said);
        }
}

struct hashes {
        uint64_t v[64];
        size_t n;
};

static void take_hash(void *arg, uint64_t hash)
{
        struct hashes *h = arg;
        assert_true(h->n < ARRAY_SIZE(h->v));
        h->v[h->n++] = hash;
}

static void directories_hash_as_their_names(void **state)
{
        struct hashes found = { 0 };
        struct buf path = BUF_INIT(1 << 16);
        for (int i = 0; i < 40; i++) /* beyond the 240 bytes from which XXH3 goes another way */
                buf_printf(&path, "%sdirectory%02d", i ? "/" : "", i);
        hash_directories(buf_str(&path), take_hash, &found);
        assert_int_equal(found.n, 40);
        assert_true(found.v[0] == hash_str(STR("")));
        for (size_t i = 1; i < found.n; i++)
                assert_true(found.v[i] == hash_str(str_upto(buf_str(&path), i * 12 - 1)));
        buf_done(&path);
        found.n = 0;
        hash_directories(STR("file"), take_hash, &found);
        assert_int_equal(found.n, 1);
}

static void lists_are_bounded(void **state)
{
        struct arena arena = ARENA_INIT;
        struct buf wire = BUF_INIT(64 << 20);
        struct fact_os os = { .id_like = { .n = FACT_LIST_MAX + 1 } }, got;
        os.id_like.v = arena_array(&arena, os.id_like.n, sizeof(*os.id_like.v));
        fact_encode(FACT_os, &os, &wire);
        assert_true(buf_is_full(&wire));
        buf_clear(&wire);
        os.id_like.n--;
        fact_encode(FACT_os, &os, &wire);
        assert_false(buf_is_full(&wire));
        struct cursor c = cursor_from(buf_str(&wire));
        assert_true(fact_decode(FACT_os, &c, &arena, &got));
        assert_int_equal(got.id_like.n, FACT_LIST_MAX);
        buf_done(&wire);
        arena_done(&arena);
}

/* Against an array: keys that collide (multiples of a power of two), put and taken away in an order of no meaning. */
static void what_is_removed_is_gone(void **state)
{
        enum { KEYS = 3000 };
        static bool is_there[KEYS];
        struct map64 m = { 0 };
        size_t n = 0;
        uint32_t x = 1;
        for (unsigned round = 0; round < 60000; round++) {
                x = x * 1664525 + 1013904223;
                uint64_t i = (x >> 8) % KEYS, key = i << (i % 3 * 20);
                bool is_new = false, goes = (x >> 4) % 100 < (round < 30000 ? 40 : 60);
                if (goes) {
                        assert_int_equal(map64_remove(&m, key), is_there[i]);
                } else {
                        *map64_put(&m, key, &is_new) = i;
                        assert_int_equal(is_new, !is_there[i]);
                }
                n = n - is_there[i] + !goes;
                is_there[i] = !goes;
                assert_int_equal(m.n + m.has_zero, n);
        }
        for (uint64_t i = 0; i < KEYS; i++) {
                const uint64_t *value = map64_get(&m, i << (i % 3 * 20));
                assert_int_equal(value != NULL, is_there[i]);
                assert_true(!value || *value == i);
                assert_int_equal(map64_remove(&m, i << (i % 3 * 20)), is_there[i]);
        }
        assert_int_equal(m.n, 0);
        assert_true(m.size <= 16);
        map64_done(&m);
}

/* Byte by byte up to each maximum, and not one more; a NUL behind what is there. */
static void buffers_end_at_their_maximum(void **state)
{
        for (size_t max = 0; max < 200; max++) {
                _cleanup_(buf_done) struct buf b = BUF_INIT(max);
                for (size_t i = 0; i < max; i++) {
                        buf_putc(&b, (char)('a' + i % 26));
                        assert_int_equal(b.n, i + 1);
                        assert_int_equal(b.p[i + 1], 0);
                }
                assert_false(buf_is_full(&b));
                buf_u8(&b, 'x');
                buf_u8(&b, 'y');
                assert_true(buf_is_full(&b));
                assert_int_equal(b.n, max);
                for (size_t i = 0; i < max; i++)
                        assert_int_equal(b.p[i], 'a' + i % 26);
        }
}

static void numbers_keep_their_value(void **state)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(1 << 12);
        for (unsigned bit = 0; bit < 64; bit++)
                for (uint64_t less = 0; less < 2; less++)
                        buf_varint(&b, (UINT64_C(1) << bit) - less);
        buf_varint(&b, UINT64_MAX);
        struct cursor c = cursor_from(buf_str(&b));
        for (unsigned bit = 0; bit < 64; bit++)
                for (uint64_t less = 0; less < 2; less++)
                        assert_true(cursor_varint(&c) == (UINT64_C(1) << bit) - less);
        assert_true(cursor_varint(&c) == UINT64_MAX);
        assert_true(cursor_ok(&c) && cursor_at_end(&c));
}

static void digits_name_their_bytes(void **state)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(1 << 10);
        uint8_t bytes[256], back[256];
        for (unsigned i = 0; i < 256; i++)
                bytes[i] = (uint8_t)i;
        buf_hex(&text, str_span(bytes, sizeof(bytes)));
        assert_int_equal(text.n, 512);
        assert_true(str_starts(buf_str(&text), STR("000102")) && str_ends(buf_str(&text), STR("fdfeff")));
        assert_true(str_hex(buf_str(&text), sizeof(back), back));
        assert_memory_equal(bytes, back, sizeof(back));
        for (int c = 0; c < 256; c++) {
                static const char digits[] = "0123456789abcdef";
                const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c) : NULL;
                assert_int_equal(hex_digit((char)c), at ? (int)(at - digits) : -1);
        }
}

static void least_and_most_look_once(void **state)
{
        int a = 1, b = 5;
        assert_int_equal(MIN(a++, b--), 1);
        assert_int_equal(MAX(a++, b--), 4);
        assert_int_equal(a, 3);
        assert_int_equal(b, 3);
        assert_int_equal(MIN(MAX(a, 7), MIN(b, 9)), 3);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(least_and_most_look_once),        cmocka_unit_test(errors_obey_no_terminal),
                cmocka_unit_test(directories_hash_as_their_names), cmocka_unit_test(lists_are_bounded),
                cmocka_unit_test(what_is_removed_is_gone),         cmocka_unit_test(buffers_end_at_their_maximum),
                cmocka_unit_test(numbers_keep_their_value),        cmocka_unit_test(digits_name_their_bytes),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
