/* The content pass: windows, their overlap, every hit once, members, limits, digests. */
#include "analyze/content.h"

#include "base/vec.h"
#include "read/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define LONG_FILE (3u * CONTENT_WINDOW_MAX + 12345)

static uint64_t offsets[1000];
static size_t n_offsets, n_windows, n_ends, n_begun;
static uint64_t seen_bytes;
static bool saw_first, saw_last, saw_cut;
static char last_name[256], last_sha256[65];
static struct content_open *outer;

struct notes {
        struct sink sink;
        size_t n;
        char code[32], path[256];
};

static void put(struct sink *s, enum fact_kind kind, const void *fact)
{
        struct notes *n = (struct notes *)s;
        assert_int_equal(kind, FACT_unread);
        const struct fact_unread *u = fact;
        n->n++;
        snprintf(n->code, sizeof(n->code), "%.*s", STR_FMT(u->code));
        snprintf(n->path, sizeof(n->path), "%.*s", STR_FMT(u->path));
}

static void on_begin(const struct content_call *c)
{
        n_begun++;
        assert_int_equal(*(const uint64_t *)c->state, 0);
        *(uint64_t *)c->state = 1;
}

static void on_window(const struct content_call *c, const struct content_window *w)
{
        n_windows++;
        assert_int_equal(w->is_first, n_windows == 1);
        saw_first |= w->is_first;
        saw_last |= w->is_last;
        saw_cut |= w->is_cut;
        assert_true(w->bytes.n <= CONTENT_WINDOW_MAX);
        assert_int_equal(w->offset + w->fresh, seen_bytes + w->hole); /* nothing is left out */
        seen_bytes = w->offset + w->bytes.n;
        for (size_t i = 0; i < w->n_hits; i++) {
                const struct content_hit *h = &w->hits[i];
                assert_true(h->start >= CONTENT_CONTEXT || !w->fresh);
                assert_true(w->bytes.n - h->start >= CONTENT_CONTEXT || w->is_last);
                assert_memory_equal(w->bytes.p + h->start, c->engine->literals[h->literal].bytes.p,
                                    c->engine->literals[h->literal].bytes.n);
                if (n_offsets < ARRAY_SIZE(offsets))
                        offsets[n_offsets++] = w->offset + h->start;
        }
}

static void on_end(const struct content_call *c, const struct content_digests *d, bool is_whole)
{
        struct arena arena = ARENA_INIT;
        n_ends++;
        assert_int_equal(*(const uint64_t *)c->state, 1);
        snprintf(last_name, sizeof(last_name), "%.*s", STR_FMT(content_name(&arena, c->file)));
        for (size_t i = 0; i < d->sha256.n; i++)
                snprintf(last_sha256 + 2 * i, 3, "%02x", (uint8_t)d->sha256.p[i]);
        arena_done(&arena);
}

static const struct literal literals[] = { { STR("needle"), false }, { STR("longer needle"), false } };

static const struct content_engine engine = { .name = "test",
                                              .literals = literals,
                                              .n_literals = 2,
                                              .file_bytes = sizeof(uint64_t),
                                              .every_window = true,
                                              .wants_sha256 = true,
                                              .begin = on_begin,
                                              .window = on_window,
                                              .end = on_end };
static const struct content_engine other = { .name = "other", .literals = literals + 1, .n_literals = 1 };

static struct content_plan *plan(void)
{
        const struct content_engine *engines[] = { &other, &engine };
        struct content_plan *p;
        struct error err = ERROR_NONE;
        assert_int_equal(content_plan_new(engines, 2, &p, &err), 0);
        assert_true(content_plan_wants(p, 10).sha256);
        assert_false(content_plan_wants(p, 10).md5);
        return p;
}

static void forget(void)
{
        n_offsets = n_windows = n_ends = n_begun = 0;
        seen_bytes = 0;
        saw_first = saw_last = saw_cut = false;
        last_sha256[0] = 0;
}

/* The same hits, whatever the pieces are. */
static void test_pieces(void **state)
{
        static const size_t at[] = { 0,
                                     100,
                                     CONTENT_WINDOW_MAX - CONTENT_CONTEXT - 7,
                                     CONTENT_WINDOW_MAX - CONTENT_CONTEXT,
                                     CONTENT_WINDOW_MAX - 4,
                                     CONTENT_WINDOW_MAX + 3,
                                     2 * CONTENT_WINDOW_MAX - 9000,
                                     LONG_FILE - 6 };
        static const size_t sizes[] = { LONG_FILE, 1, 100003, CONTENT_WINDOW_MAX };
        struct content_plan *p = plan();
        struct notes notes = { .sink = { put } };
        struct content *c = content_new(p, &notes.sink);
        char *text = xcalloc(1, LONG_FILE);
        for (size_t i = 0; i < ARRAY_SIZE(at); i++)
                memcpy(text + at[i], "needle", 6);
        for (size_t k = 0; k < ARRAY_SIZE(sizes); k++) {
                forget();
                struct content_file f = { .path = STR("a/file"), .size = LONG_FILE };
                struct content_open *o = content_begin(c, NULL, &f);
                for (size_t i = 0; i < LONG_FILE; i += sizes[k])
                        content_add(o, text + i, MIN(sizes[k], LONG_FILE - i));
                content_end(o, NULL, true);
                assert_true(saw_first && saw_last);
                assert_int_equal(seen_bytes, LONG_FILE);
                assert_int_equal(n_offsets, ARRAY_SIZE(at));
                for (size_t i = 0; i < ARRAY_SIZE(at); i++)
                        assert_int_equal(offsets[i], at[i]);
        }
        assert_int_equal(notes.n, 0);
        assert_int_equal(content_totals(c).files, ARRAY_SIZE(sizes));
        assert_int_equal(content_totals(c).incomplete, 0);
        content_free(c);
        content_plan_free(p);
        free(text);
}

static void test_small_and_empty(void **state)
{
        struct content_plan *p = plan();
        struct notes notes = { .sink = { put } };
        struct content *c = content_new(p, &notes.sink);
        struct content_file f = { .path = STR("x"), .size = 13 };
        forget();
        struct content_open *o = content_begin(c, NULL, &f);
        content_add(o, "longer needle", 13);
        content_end(o, NULL, true);
        assert_int_equal(n_windows, 1);
        assert_int_equal(n_offsets, 2);
        assert_int_equal(offsets[0], 0);
        assert_int_equal(offsets[1], 7);
        forget();
        f.size = 0;
        content_end(content_begin(c, NULL, &f), NULL, true);
        assert_int_equal(n_windows, 1);
        assert_true(saw_first && saw_last);
        content_free(c);
        content_plan_free(p);
}

/* Two members of one file open at once, with digests of their own, and one that is too deep. */
static void test_members(void **state)
{
        struct content_plan *p = plan();
        struct notes notes = { .sink = { put } };
        struct content *c = content_new(p, &notes.sink);
        struct content_file f = { .path = STR("a.zip"), .size = 4 }, m = { .path = STR("a.zip"), .size = UINT64_MAX };
        forget();
        outer = content_begin(c, NULL, &f);
        m.members = STR("one");
        struct content_open *one = content_begin(c, outer, &m);
        m.members = STR("two!three");
        struct content_open *two = content_begin(c, outer, &m);
        content_add(one, "ab", 2);
        content_add(one, "c", 1);
        content_end(one, NULL, true);
        assert_string_equal(last_name, "a.zip!one");
        assert_string_equal(last_sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        forget();
        content_end(two, NULL, true);
        assert_string_equal(last_name, "a.zip!two!three");
        struct content_open *chain[CONTENT_DEPTH_MAX + 1] = { outer };
        for (size_t i = 1; i <= CONTENT_DEPTH_MAX; i++)
                assert_non_null(chain[i] = content_begin(c, chain[i - 1], &m));
        assert_null(content_begin(c, chain[CONTENT_DEPTH_MAX], &m));
        assert_string_equal(notes.code, "too-deep");
        assert_string_equal(notes.path, "a.zip!two!three");
        for (size_t i = CONTENT_DEPTH_MAX; i > 0; i--) {
                forget();
                content_end(chain[i], NULL, true);
        }
        content_incomplete(outer, "encrypted", "a password is needed");
        assert_string_equal(notes.path, "a.zip");
        forget();
        content_end(outer, NULL, true);
        assert_int_equal(content_totals(c).files, 1);
        assert_int_equal(content_totals(c).members, 2 + CONTENT_DEPTH_MAX);
        assert_int_equal(content_totals(c).incomplete, 1);
        content_free(c);
        content_plan_free(p);
}

/* A member that is longer than its archive says hides nothing. */
static void test_lying_size(void **state)
{
        struct content_plan *p = plan();
        struct notes notes = { .sink = { put } };
        struct content *c = content_new(p, &notes.sink);
        struct content_file f = { .path = STR("liar"), .size = 6 };
        forget();
        struct content_open *o = content_begin(c, NULL, &f);
        content_add(o, "abcdef", 6);
        content_add(o, "12needle", 8);
        content_end(o, NULL, true);
        assert_int_equal(n_offsets, 1);
        assert_int_equal(offsets[0], 8);
        assert_int_equal(notes.n, 1);
        assert_string_equal(notes.code, "corrupt");
        content_free(c);
        content_plan_free(p);
}

/* Windows jump over holes: what stands around one is told once, at its place, and what is left out is counted. */
static void test_holes(void **state)
{
        static const uint64_t holes[] = { 1, 2 * CONTENT_CONTEXT, 2 * CONTENT_CONTEXT + 1, UINT64_C(5) << 30 };
        static const size_t before[] = { 0, 6, CONTENT_WINDOW_MAX - 3, CONTENT_WINDOW_MAX, CONTENT_WINDOW_MAX + 1 };
        struct content_plan *p = plan();
        struct notes notes = { .sink = { put } };
        struct content *c = content_new(p, &notes.sink);
        char *text = xcalloc(1, LONG_FILE);
        uint64_t total = 0;
        for (size_t k = 0; k < ARRAY_SIZE(holes) * ARRAY_SIZE(before); k++) {
                uint64_t hole = holes[k / ARRAY_SIZE(before)];
                size_t n = before[k % ARRAY_SIZE(before)];
                forget();
                struct content_file f = { .path = STR("holes"), .size = 2 * (n + 6) + 2 * hole };
                struct content_open *o = content_begin(c, NULL, &f);
                for (size_t i = 0; i < 2; i++) {
                        content_add(o, text, n);
                        content_add(o, "needle", 6);
                        content_add_hole(o, hole);
                }
                content_end(o, NULL, true);
                total += f.size;
                assert_true(saw_first && saw_last);
                assert_int_equal(seen_bytes, f.size);
                assert_int_equal(n_offsets, 2);
                assert_int_equal(offsets[0], n);
                assert_int_equal(offsets[1], n + 6 + hole + n);
        }
        assert_int_equal(notes.n, 0);
        assert_int_equal(content_totals(c).bytes, total);
        content_free(c);
        content_plan_free(p);
        free(text);
}

/* More hits than are followed: said, and bounded. */
static void test_too_many_hits(void **state)
{
        enum { N = CONTENT_HITS_MAX + 10 };
        struct content_plan *p = plan();
        struct notes notes = { .sink = { put } };
        struct content *c = content_new(p, &notes.sink);
        char *text = xcalloc(N, 6);
        for (size_t i = 0; i < N; i++)
                memcpy(text + 6 * i, "needle", 6);
        struct content_file f = { .path = STR("many"), .size = 6 * N };
        forget();
        struct content_open *o = content_begin(c, NULL, &f);
        content_add(o, text, 6 * N);
        content_end(o, NULL, true);
        assert_true(saw_cut);
        assert_int_equal(notes.n, 1);
        assert_string_equal(notes.code, "budget");
        content_free(c);
        content_plan_free(p);
        free(text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pieces),        cmocka_unit_test(test_small_and_empty),
                cmocka_unit_test(test_members),       cmocka_unit_test(test_lying_size),
                cmocka_unit_test(test_too_many_hits), cmocka_unit_test(test_holes),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("content", tests, NULL, NULL);
}
