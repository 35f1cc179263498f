/* flow/register.c: a waiver that goes through the ledger decides the same as before; what data ends stays ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "decide-fixture.h"

#include "base/fs.h"
#include "flow/register.h"

#include <unistd.h>

#define WAIVERS 6

static char directory[256], path[300];

static void remove_ledger(void)
{
        static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
        for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
                char name[320];
                snprintf(name, sizeof(name), "%s%s", path, ends[i]);
                (void)unlink(name);
        }
}

static int make_directory(void **state)
{
        snprintf(directory, sizeof(directory), "%s/register-XXXXXX", env_or("TMPDIR", "/tmp"));
        if (!mkdtemp(directory))
                return -1;
        snprintf(path, sizeof(path), "%s/ledger.db", directory);
        return 0;
}

static int remove_directory(void **state)
{
        remove_ledger();
        return rmdir(directory);
}

struct world {
        struct subject_artefact artefact;
        struct random_finding v[N_RANDOM];
        struct outcome one[N_RANDOM], two[N_RANDOM];
};

static void decide_with(const struct waiver *w, size_t n, const struct world *x, struct outcome *ret)
{
        const struct policy_file file = { STR("default"), profile_find(STR("default"))->text };
        struct policy *p = policy_of(&file, 1, w, n);
        (void)decide_all(p, &x->artefact, STAGE_SCAN, x->v, NULL, N_RANDOM, ret);
        policy_free(p);
}

static void test_through_the_ledger(void **state)
{
        struct dice d = { 6 };
        static struct world w;
        size_t covered = 0;
        for (unsigned round = 0; round < 40; round++) {
                char ids[WAIVERS][32], id[WAIVER_ID_MAX];
                struct waiver out[WAIVERS], *in;
                struct arena arena = ARENA_INIT;
                struct book *b;
                struct error err = ERROR_NONE;
                const struct book_stamp stamp = { TODAY - 20 * DAY, STR("carol") };
                size_t n;
                w.artefact = random_artefact(&d);
                for (size_t i = 0; i < N_RANDOM; i++)
                        random_finding(&d, &w.v[i]);
                assert_int_equal(book_open(path, BOOK_CREATE, &b, &err), 0);
                for (unsigned i = 0; i < WAIVERS; i++) {
                        out[i] = random_waiver(&d, i, ids[i]);
                        out[i].created = stamp.now;
                        out[i].requester = out[i].approver = stamp.actor;
                        const struct book_waiver asked = book_of_waiver(&out[i]);
                        if (book_waiver_accept(b, &stamp, &asked, id, &err) < 0)
                                fail_msg("%s", err.text);
                }
                assert_int_equal(register_read(b, &arena, &in, &n, &err), 0);
                assert_int_equal(n, WAIVERS);
                decide_with(out, WAIVERS, &w, w.one);
                decide_with(in, n, &w, w.two);
                for (size_t i = 0; i < N_RANDOM; i++) {
                        covered += w.one[i].waiver != DECIDE_NONE;
                        assert_memory_equal(&w.one[i], &w.two[i], sizeof(w.one[i]));
                }
                book_close(b);
                arena_done(&arena);
                remove_ledger();
        }
        assert_true(covered > 30);
}

static void test_ended_by_data(void **state)
{
        struct arena arena = ARENA_INIT;
        struct book *b;
        struct error err = ERROR_NONE;
        const struct book_stamp stamp = { TODAY, STR("carol") };
        const struct book_waiver asked = { .finding = STR("CVE-1"),
                                           .owner = STR("carol"),
                                           .reason = STR("x"),
                                           .response = STR("accept"),
                                           .expires = TODAY + DAY };
        char id[WAIVER_ID_MAX];
        assert_int_equal(book_open(path, BOOK_CREATE, &b, &err), 0);
        assert_int_equal(book_waiver_accept(b, &stamp, &asked, id, &err), 0);
        const struct report_waiver used[] = {
                { .id = str_of(id),
                  .place = STR("ledger"),
                  .doubt = STR("a fix has been published"),
                  .ended_by = STR("fix") },
                { .id = STR("W-99"),
                  .place = STR("w.yaml:1"),
                  .ended_by = STR("fix") }, /* of a file: not ours to end */
        };
        const struct report r = { .target = STR("x.tar"), .waivers = used, .n_waivers = 2 };
        struct waiver *in;
        size_t n, ended;
        assert_int_equal(register_end(b, &stamp, &r, &ended, &err), 0);
        assert_int_equal(ended, 1);
        assert_int_equal(register_end(b, &stamp, &r, &ended, &err), 0); /* again: it has ended already */
        assert_int_equal(ended, 0);
        assert_int_equal(register_read(b, &arena, &in, &n, &err), 0);
        assert_int_equal(n, 0);
        book_close(b);
        arena_done(&arena);
        remove_ledger();
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_through_the_ledger),
                                            cmocka_unit_test(test_ended_by_data) };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
