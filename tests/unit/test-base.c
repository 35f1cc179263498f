/* base: what others rest on and do not test by themselves: words of errors, hashes of directories, lists of facts. */
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(errors_obey_no_terminal),
                cmocka_unit_test(directories_hash_as_their_names),
                cmocka_unit_test(lists_are_bounded),
                cmocka_unit_test(what_is_removed_is_gone),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
