/* The guard's table of verdicts: what is believed, what is forgotten, which descriptors are let go. */
#include "serve/guard-verdicts.h"

#include "base/vec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NOW INT64_C(2000000000000000000)

VEC_TYPE(fds, int);

static void on_release(void *arg, int fd)
{
        struct fds *released = arg;
        *vec_push(released) = fd;
}

static struct file_key key(uint64_t ino)
{
        return (struct file_key){ .dev = 7, .ino = ino, .ctime_ns = NOW - 2 * VERDICTS_COARSE, .size = 100 };
}

static void test_finding(void **state)
{
        (void)state;
        struct fds released = { 0 };
        struct verdicts *v = verdicts_new(4, on_release, &released);
        assert_null(verdicts_find(v, 7, 1));
        struct file_key k = key(1);
        verdicts_put(v, &k, VERDICT_CLEAN, -1, NOW);
        struct verdict_row *r = verdicts_find(v, 7, 1);
        assert_non_null(r);
        assert_null(verdicts_find(v, 8, 1));
        assert_null(verdicts_find(v, 7, 2));
        assert_true(verdicts_fits(r, &k, true));
        assert_false(verdicts_fits(r, &k, false)); /* somebody may be writing */
        struct file_key other = k;
        other.ctime_ns++;
        assert_false(verdicts_fits(r, &other, true));
        other = k;
        other.size++;
        assert_false(verdicts_fits(r, &other, true));
        verdicts_drop(v, r);
        assert_null(verdicts_find(v, 7, 1));
        assert_int_equal(verdicts_rows(v), 0);
        verdicts_free(v);
        vec_done(&released);
}

/* A change that may be followed by another one of the same time is believed with the lease alone. */
static void test_young_changes(void **state)
{
        (void)state;
        struct fds released = { 0 };
        struct verdicts *v = verdicts_new(4, on_release, &released);
        struct file_key k = key(1);
        k.ctime_ns = NOW - VERDICTS_COARSE;
        struct verdict_row *r = verdicts_put(v, &k, VERDICT_CLEAN, -1, NOW);
        assert_false(verdicts_fits(r, &k, true));
        r = verdicts_put(v, &k, VERDICT_CLEAN, 5, NOW);
        assert_true(verdicts_fits(r, &k, false)); /* held: nobody can have changed it */
        assert_int_equal(verdicts_rows(v), 1);
        verdicts_free(v);
        vec_done(&released);
}

static void test_descriptors(void **state)
{
        (void)state;
        struct fds released = { 0 };
        struct verdicts *v = verdicts_new(3, on_release, &released);
        for (int i = 1; i <= 3; i++) {
                struct file_key k = key((uint64_t)i);
                verdicts_put(v, &k, VERDICT_CLEAN, 10 * i, NOW);
        }
        assert_int_equal(verdicts_held(v), 3);
        assert_int_equal(verdicts_holding(v, 20)->key.ino, 2);
        assert_null(verdicts_holding(v, 21));
        assert_null(verdicts_holding(v, 100000));
        verdicts_use(v, verdicts_find(v, 7, 1));
        struct file_key k = key(4);
        verdicts_put(v, &k, VERDICT_CLEAN, 40, NOW); /* the one that was not asked for the longest lets go */
        assert_int_equal(released.n, 1);
        assert_int_equal(released.v[0], 20);
        struct file_key second = key(2);
        assert_int_equal(verdicts_find(v, 7, 2)->fd, -1);
        assert_true(verdicts_fits(verdicts_find(v, 7, 2), &second, true)); /* but is still known */
        verdicts_put(v, &k, VERDICT_MALWARE, -1, NOW);                     /* anew: what the old row held is let go */
        assert_int_equal(released.n, 2);
        assert_int_equal(released.v[1], 40);
        assert_int_equal(verdicts_held(v), 2);
        verdicts_free(v);
        assert_int_equal(released.n, 4);
        vec_done(&released);
}

static void count(void *arg, struct verdict_row *r)
{
        unsigned *seen = arg;
        seen[r->key.ino]++;
}

static void drop(void *arg, struct verdict_row *r) { verdicts_drop(arg, r); }

static void test_visiting(void **state)
{
        (void)state;
        struct fds released = { 0 };
        unsigned seen[11] = { 0 };
        struct verdicts *v = verdicts_new(16, on_release, &released);
        verdicts_visit(v, 100, count, seen); /* of none */
        for (int i = 1; i <= 10; i++) {
                struct file_key k = key((uint64_t)i);
                verdicts_put(v, &k, VERDICT_CLEAN, i, NOW);
        }
        for (int i = 0; i < 5; i++)
                verdicts_visit(v, 2, count, seen);
        for (int i = 1; i <= 10; i++)
                assert_int_equal(seen[i], 1);
        verdicts_visit(v, 10, drop, v);
        assert_int_equal(verdicts_rows(v), 0);
        assert_int_equal(released.n, 10);
        verdicts_free(v);
        vec_done(&released);
}

/* More than there is room for: the oldest are forgotten, the newest are there, and all chains hold. */
static void test_overflow(void **state)
{
        (void)state;
        struct fds released = { 0 };
        struct verdicts *v = verdicts_new(4, on_release, &released);
        for (uint64_t i = 1; i <= VERDICTS_ROWS_MAX + 1000; i++) {
                struct file_key k = key(i);
                verdicts_put(v, &k, VERDICT_CLEAN, i % 8 ? -1 : (int)(i / 8 % 100) + 10, NOW);
        }
        assert_int_equal(verdicts_rows(v), VERDICTS_ROWS_MAX);
        assert_true(verdicts_held(v) <= 4);
        size_t known = 0;
        for (uint64_t i = 1; i <= VERDICTS_ROWS_MAX + 1000; i++)
                known += verdicts_find(v, 7, i) != NULL;
        assert_int_equal(known, VERDICTS_ROWS_MAX);
        assert_null(verdicts_find(v, 7, 1));
        assert_non_null(verdicts_find(v, 7, VERDICTS_ROWS_MAX + 1000));
        verdicts_free(v);
        vec_done(&released);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_finding), cmocka_unit_test(test_young_changes),
                                            cmocka_unit_test(test_descriptors), cmocka_unit_test(test_visiting),
                                            cmocka_unit_test(test_overflow) };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
