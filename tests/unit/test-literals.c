/* The literal matcher against a naive search: at every offset, at every border, on texts written against it. */
#include "base/arena.h"
#include "base/vec.h"
#include "intel/literals.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct hit {
        size_t start;
        uint32_t index;
};

VEC_TYPE(hit_vec, struct hit);

static uint64_t random_state = 88172645463325252;

static uint64_t next_random(void)
{
        random_state ^= random_state << 13;
        random_state ^= random_state >> 7;
        random_state ^= random_state << 17;
        return random_state;
}

static void on_found(void *arg, uint32_t index, size_t start)
{
        struct hit_vec *hits = arg;
        *vec_push(hits) = (struct hit){ start, index };
}

static int by_place(const void *a, const void *b)
{
        const struct hit *x = a, *y = b;
        if (x->start != y->start)
                return x->start < y->start ? -1 : 1;
        return (x->index > y->index) - (x->index < y->index);
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }

static bool stands(const struct literal *l, struct str text, size_t at)
{
        if (text.n - at < l->bytes.n)
                return false;
        for (size_t i = 0; i < l->bytes.n; i++)
                if (l->nocase ? lower(text.p[at + i]) != lower(l->bytes.p[i]) : text.p[at + i] != l->bytes.p[i])
                        return false;
        return true;
}

static void search_naively(const struct literal *v, size_t n, struct str text, size_t from, size_t to,
                           struct hit_vec *hits)
{
        for (size_t at = from; at < to && at < text.n; at++)
                for (size_t i = 0; i < n; i++)
                        if (stands(&v[i], text, at))
                                *vec_push(hits) = (struct hit){ at, (uint32_t)i };
}

static void check_same(struct hit_vec *found, const struct hit_vec *expected)
{
        if (found->n)
                qsort(found->v, found->n, sizeof(*found->v), by_place);
        assert_int_equal(found->n, expected->n);
        for (size_t i = 0; i < found->n; i++) {
                assert_int_equal(found->v[i].start, expected->v[i].start);
                assert_int_equal(found->v[i].index, expected->v[i].index);
        }
}

/* The text lies at the very end of its memory, so that the sanitizer sees a read past it. */
static size_t check_range(const struct literals *l, const struct literal *v, size_t n, struct str text, size_t from,
                          size_t to)
{
        struct hit_vec fast = { 0 }, portable = { 0 }, expected = { 0 };
        char *copy = malloc(text.n ? text.n : 1);
        memcpy(copy, text.p ? text.p : "", text.n);
        struct str exact = { copy, text.n };
        search_naively(v, n, exact, from, to, &expected);
        literals_scan(l, exact, from, to, on_found, &fast);
        literals_scan_portable(l, exact, from, to, on_found, &portable);
        check_same(&fast, &expected);
        check_same(&portable, &expected);
        size_t count = expected.n;
        free(copy);
        vec_done(&fast);
        vec_done(&portable);
        vec_done(&expected);
        return count;
}

static struct literals *compile(const struct literal *v, size_t n)
{
        struct literals *l;
        struct error err = ERROR_NONE;
        assert_int_equal(literals_new(v, n, &l, &err), 0);
        return l;
}

/* Each length from 2 to 40, at each offset of a small text, in the case it has and in the other. */
static void test_every_offset(void **state)
{
        char bytes[40], text[96];
        for (size_t n = LITERAL_BYTES_MIN; n <= sizeof(bytes); n++) {
                for (size_t i = 0; i < n; i++)
                        bytes[i] = (char)("qZj7Xv\0kW9"[i % 10] + (char)(i / 10));
                struct literal v[2] = { { { bytes, n }, false }, { { bytes, n }, true } };
                struct literals *l = compile(v, 2);
                assert_int_equal(literals_longest(l), n);
                for (size_t at = 0; at + n <= sizeof(text); at++) {
                        memset(text, '-', sizeof(text));
                        memcpy(text + at, bytes, n);
                        assert_int_equal(check_range(l, v, 2, str_span(text, sizeof(text)), 0, SIZE_MAX), 2);
                        assert_int_equal(check_range(l, v, 2, str_span(text + at, n), 0, SIZE_MAX), 2);
                        assert_int_equal(check_range(l, v, 2, str_span(text, at + n), 0, SIZE_MAX), 2);
                        assert_int_equal(check_range(l, v, 2, str_span(text, at + n), at, at + 1), 2);
                        assert_int_equal(check_range(l, v, 2, str_span(text, sizeof(text)), at + 1, SIZE_MAX), 0);
                        assert_int_equal(check_range(l, v, 2, str_span(text, at + n - 1), 0, SIZE_MAX), 0);
                        for (size_t i = 0; i < n; i++) /* the other case: only the second one */
                                if ((text[at + i] >= 'a' && text[at + i] <= 'z') ||
                                    (text[at + i] >= 'A' && text[at + i] <= 'Z'))
                                        text[at + i] ^= 0x20;
                        assert_int_equal(check_range(l, v, 2, str_span(text, sizeof(text)), 0, SIZE_MAX), 1);
                }
                literals_free(l);
        }
}

/* Small alphabets make overlaps, shared grams and bytes that differ in bit 5 only. */
static void test_random(void **state)
{
        static const struct str alphabets[] = { { "ab", 2 },
                                                { "aAbB\0 @`", 8 },
                                                { "\x00\x20\xff\xdf", 4 },
                                                { "abcdefghijklmnopqrstuvwxyzABCXYZ0189_./", 39 } };
        char text[700];
        for (int round = 0; round < 300; round++) {
                struct str alphabet = alphabets[round % 4];
                size_t n = next_random() % (round % 7 == 0 ? 700 : 40);
                struct arena arena = ARENA_INIT;
                struct literal *v = arena_array(&arena, n + 1, sizeof(*v));
                for (size_t i = 0; i < n; i++) {
                        size_t length = LITERAL_BYTES_MIN + next_random() % (next_random() % 4 ? 8 : 60);
                        char *p = arena_alloc(&arena, length);
                        for (size_t k = 0; k < length; k++)
                                p[k] = alphabet.p[next_random() % alphabet.n];
                        v[i] = (struct literal){ { p, length }, next_random() % 3 == 0 };
                }
                struct literals *l = compile(v, n);
                size_t size = next_random() % sizeof(text);
                for (size_t i = 0; i < size; i++)
                        text[i] = alphabet.p[next_random() % alphabet.n];
                for (int plant = 0; n && plant < 4; plant++) {
                        const struct literal *one = &v[next_random() % n];
                        if (one->bytes.n <= size)
                                memcpy(text + next_random() % (size - one->bytes.n + 1), one->bytes.p, one->bytes.n);
                }
                check_range(l, v, n, str_span(text, size), 0, SIZE_MAX);
                size_t from = next_random() % (size + 2), to = next_random() % (size + 2);
                check_range(l, v, n, str_span(text, size), from, to);
                literals_free(l);
                arena_done(&arena);
        }
}

/* Windows that overlap give each hit once, whatever their size. */
static void test_windows(void **state)
{
        struct literal v[] = { { STR("needle"), false },
                               { STR("in a haystack"), false },
                               { STR("ab"), true },
                               { STR("haystackneedle-and-more"), false } };
        struct literals *l = compile(v, 4);
        char text[3000];
        for (size_t i = 0; i < sizeof(text); i++)
                text[i] = "needle in a haystackneedle-and-more AB"[(i * 7 / 5) % 38];
        for (size_t i = 0; i + 40 < sizeof(text); i += 97)
                memcpy(text + i, "haystackneedle-and-more", 23);
        struct hit_vec expected = { 0 };
        search_naively(v, 4, str_span(text, sizeof(text)), 0, SIZE_MAX, &expected);
        assert_true(expected.n > 30);
        size_t overlap = literals_longest(l) - 1;
        for (size_t window = overlap + 1; window < 200; window += 3) {
                struct hit_vec found = { 0 };
                for (size_t at = 0; at < sizeof(text);) {
                        size_t n = MIN(window, sizeof(text) - at);
                        bool is_last = at + n == sizeof(text);
                        size_t to = is_last ? n : n - overlap, first = found.n;
                        literals_scan(l, str_span(text + at, n), 0, to, on_found, &found);
                        for (size_t i = first; i < found.n; i++)
                                found.v[i].start += at;
                        at += to;
                }
                check_same(&found, &expected);
                vec_done(&found);
        }
        vec_done(&expected);
        literals_free(l);
}

/* 30,000 literals of which many share what is rare, and a text that consists of just that. */
static void test_many_alike(void **state)
{
        enum { N = 30000 };
        struct arena arena = ARENA_INIT;
        struct literal *v = arena_array(&arena, N, sizeof(*v));
        for (size_t i = 0; i < N; i++)
                v[i].bytes = i % 2 ? arena_printf(&arena, "qzqzqz%05zu", i) : arena_printf(&arena, "%05zuqzqzqz", i);
        struct literals *l = compile(v, N);
        assert_true(literals_memory(l) < 16u << 20);
        char text[64];
        for (size_t i = 0; i < N; i += 487) {
                size_t n = (size_t)snprintf(text, sizeof(text), "qzqz%.*sqzqz", STR_FMT(v[i].bytes));
                struct hit_vec found = { 0 };
                literals_scan(l, str_span(text, n), 0, SIZE_MAX, on_found, &found);
                assert_int_equal(found.n, 1);
                assert_int_equal(found.v[0].index, i);
                assert_int_equal(found.v[0].start, 4);
                vec_done(&found);
        }
        literals_free(l);
        arena_done(&arena);
}

static void test_refused(void **state)
{
        static const char long_one[LITERAL_BYTES_MAX + 1];
        struct literals *l = NULL;
        struct error err = ERROR_NONE;
        struct literal v[] = { { STR("good"), false }, { STR("x"), false } };
        assert_int_equal(literals_new(v, 2, &l, &err), -EINVAL);
        assert_string_equal(err.text, "literal 1 has 1 bytes: 2 to 256 are taken");
        v[1].bytes = str_span(long_one, sizeof(long_one));
        assert_int_equal(literals_new(v, 2, &l, &err), -EINVAL);
        assert_int_equal(literals_new(v, LITERALS_MAX + 1, &l, &err), -E2BIG);
        assert_null(l);
        l = compile(v, 0);
        assert_int_equal(check_range(l, v, 0, STR("anything"), 0, SIZE_MAX), 0);
        literals_free(l);
        v[1].bytes.n = LITERAL_BYTES_MAX;
        l = compile(v, 2);
        assert_int_equal(check_range(l, v, 2, str_span(long_one, LITERAL_BYTES_MAX), 0, SIZE_MAX), 1);
        assert_int_equal(check_range(l, v, 2, STR_NONE, 0, SIZE_MAX), 0);
        literals_free(l);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_offset), cmocka_unit_test(test_random),  cmocka_unit_test(test_windows),
                cmocka_unit_test(test_many_alike),   cmocka_unit_test(test_refused),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("literals", tests, NULL, NULL);
}
