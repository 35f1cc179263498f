/* serve/bursts.c: what is counted, of whom, and for how long. */
#include "serve/bursts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)

static int64_t connect_to(struct bursts *b, uint64_t now_ns, uint32_t sid, const char *address, uint16_t port,
                          enum burst what)
{
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
        struct process p = { .sid = sid };
        struct str paths[2] = { STR_NONE, STR_NONE };
        inet_pton(AF_INET, address, &to.sin_addr);
        struct event e = { .kind = OBSERVE_CALL,
                           .head = { .time_ns = now_ns },
                           .call = { .call = CALL_connect, .result = -EINPROGRESS },
                           .data = str_span(&to, sizeof(to)) };
        bursts_note(b, &e, &p, paths);
        return b->now[what];
}

static int64_t call(struct bursts *b, enum observe_call_id call, int64_t result, const char *first, const char *second,
                    enum burst what)
{
        struct str paths[2] = { str_of(first), str_of(second) };
        struct event e = { .kind = OBSERVE_CALL, .call = { .call = (uint16_t)call, .result = result } };
        if (call == CALL_open)
                e.call.args[1] = O_CREAT | O_WRONLY;
        bursts_note(b, &e, NULL, paths);
        return b->now[what];
}

static void scans(void **state)
{
        struct bursts b = { .is_wanted = true };
        for (uint16_t port = 1; port <= 30; port++)
                assert_int_equal(connect_to(&b, SECOND, 7, "10.0.0.1", port, BURST_PORTS), port);
        assert_int_equal(connect_to(&b, SECOND, 7, "10.0.0.1", 30, BURST_PORTS), 0);      /* the same again */
        assert_int_equal(connect_to(&b, SECOND, 7, "10.0.0.2", 1, BURST_PORTS), 1);       /* another host */
        assert_int_equal(connect_to(&b, SECOND, 8, "10.0.0.1", 99, BURST_PORTS), 1);      /* another session */
        assert_int_equal(connect_to(&b, SECOND, 7, "10.0.0.3", 0, BURST_PORTS), 0);       /* no port */
        assert_int_equal(connect_to(&b, 12 * SECOND, 7, "10.0.0.1", 1, BURST_PORTS), 1);  /* another window */
        assert_int_equal(connect_to(&b, 12 * SECOND, 7, "10.0.0.4", 80, BURST_HOSTS), 2); /* 10.0.0.1 and this */
        assert_int_equal(connect_to(&b, 12 * SECOND, 7, "10.0.1.4", 80, BURST_HOSTS), 1); /* another network */
        bursts_done(&b);
        struct bursts unwanted = { .is_wanted = false };
        assert_int_equal(connect_to(&unwanted, SECOND, 7, "10.0.0.1", 1, BURST_PORTS), 0);
        assert_null(unwanted.counters.v);
        bursts_done(&unwanted);
}

static void files(void **state)
{
        struct bursts b = { .is_wanted = true };
        assert_int_equal(call(&b, CALL_unlink, 0, "/a", NULL, BURST_REMOVED), 1);
        assert_int_equal(call(&b, CALL_unlinkat, -ENOENT, "/a", NULL, BURST_REMOVED), 0); /* nothing was removed */
        assert_int_equal(call(&b, CALL_rmdir, 0, "/d", NULL, BURST_REMOVED), 2);
        assert_int_equal(call(&b, CALL_rename, 0, "/x/a.doc", "/x/a.doc.locked", BURST_SUFFIXED), 1);
        assert_int_equal(call(&b, CALL_rename, 0, "/x/b.doc", "/x/b.doc.gz", BURST_SUFFIXED), 0); /* as logrotate */
        assert_int_equal(call(&b, CALL_rename, 0, "/x/b.dpkg-new", "/x/b", BURST_SUFFIXED), 0);   /* as dpkg */
        assert_int_equal(call(&b, CALL_rename, 0, "/x/c", "/y/c.enc", BURST_SUFFIXED), 0);        /* elsewhere */
        assert_int_equal(call(&b, CALL_rename, 0, "/x/", "/x/.enc", BURST_SUFFIXED), 0);
        assert_int_equal(call(&b, CALL_open, 5, "/x/d.txt.enc", NULL, BURST_SUFFIXED), 0);
        assert_int_equal(call(&b, CALL_unlink, 0, "/x/d.txt", NULL, BURST_SUFFIXED), 2); /* made, then removed */
        assert_int_equal(call(&b, CALL_unlink, 0, "/x/e.txt", NULL, BURST_SUFFIXED), 0);
        assert_int_equal(call(&b, CALL_open, 5, "/x/e.txt.enc", NULL, BURST_SUFFIXED), 3); /* removed, then made */
        assert_int_equal(call(&b, CALL_open, 5, "/x/e.txt.gz", NULL, BURST_SUFFIXED), 0);
        bursts_done(&b);
}

/* More counters than there is room for: all begin anew, none is written past the end. */
static void many(void **state)
{
        struct bursts b = { .is_wanted = true };
        for (uint32_t i = 0; i < 3 * BURST_KEYS_MAX; i++) {
                char address[32];
                snprintf(address, sizeof(address), "10.%u.%u.1", i >> 8 & 255, i & 255);
                assert_int_equal(connect_to(&b, SECOND, i, address, 1, BURST_PORTS), 1);
                assert_true(b.counters.n <= BURST_KEYS_MAX);
        }
        for (uint32_t port = 1; port <= BURST_THINGS_MAX + 100; port++)
                connect_to(&b, SECOND, 1, "10.0.0.1", (uint16_t)port, BURST_PORTS);
        assert_int_equal(b.now[BURST_PORTS], 0); /* so many are not told apart any more */
        bursts_done(&b);
}

/* Windows that are over take no memory; those that are not go on counting. */
static void rest(void **state)
{
        struct bursts b = { .is_wanted = true };
        for (uint32_t i = 0; i < 1000; i++)
                connect_to(&b, SECOND, i, "10.0.0.1", 1, BURST_PORTS);
        for (uint16_t port = 1; port <= 5; port++)
                connect_to(&b, 9 * SECOND, 2000, "10.0.0.1", port, BURST_PORTS);
        bursts_rest(&b, 11 * SECOND);
        assert_int_equal(b.counters.n, 2002);
        bursts_rest(&b, 12 * SECOND);
        assert_int_equal(b.counters.n, 2);
        assert_true(b.counters.size < 100);
        assert_int_equal(connect_to(&b, 12 * SECOND, 2000, "10.0.0.1", 6, BURST_PORTS), 6);
        assert_int_equal(connect_to(&b, 12 * SECOND, 7, "10.0.0.1", 6, BURST_PORTS), 1);
        bursts_rest(&b, 100 * SECOND);
        assert_int_equal(b.counters.n + b.index.n, 0);
        bursts_done(&b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(scans),
                cmocka_unit_test(files),
                cmocka_unit_test(many),
                cmocka_unit_test(rest),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
