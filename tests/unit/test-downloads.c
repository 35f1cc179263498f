/* Who may have downloaded what he writes (serve/downloads.h). */
#include "serve/downloads.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

static void connects(struct downloads *d, const struct process *p, struct observe_fd fd, int result, uint64_t time_ns)
{
        struct event e = { .kind = OBSERVE_CALL };
        e.head.time_ns = time_ns;
        e.call.call = CALL_connect;
        e.call.result = result;
        e.call.fd = fd;
        const struct event_record r = { .event = &e, .process = p };
        downloads_on_event(d, &r);
}

static const struct observe_fd tcp = { .family = AF_INET, .type = SOCK_STREAM };

static void connections_of_groups(void **state)
{
        struct downloads d = { .since_ns = 0 };
        struct process p = { .pid = 10, .pgid = 9, .cgroup_id = 1 }, child = { .pid = 11, .pgid = 9, .cgroup_id = 1 };
        struct process other = { .pid = 12, .pgid = 12, .cgroup_id = 1 }, elsewhere = { .pgid = 9, .cgroup_id = 2 };
        assert_false(downloads_has(&d, &p));
        connects(&d, &p, tcp, -ECONNREFUSED, 1);
        connects(&d, &p, (struct observe_fd){ .family = AF_INET, .type = SOCK_DGRAM }, 0, 1);
        connects(&d, &p, (struct observe_fd){ .family = AF_UNIX, .type = SOCK_STREAM }, 0, 1);
        connects(&d, NULL, tcp, 0, 1);
        assert_false(downloads_has(&d, &p));
        connects(&d, &p, tcp, -EINPROGRESS, 1);
        assert_true(downloads_has(&d, &p));
        assert_true(downloads_has(&d, &child));
        assert_false(downloads_has(&d, &other));
        assert_false(downloads_has(&d, &elsewhere));
        downloads_done(&d);
}

static void they_are_forgotten(void **state)
{
        struct downloads d = { .since_ns = 0 };
        struct process p = { .pgid = 1, .cgroup_id = 1 }, q = { .pgid = 2, .cgroup_id = 1 };
        connects(&d, &p, tcp, 0, 1);
        connects(&d, &q, tcp, 0, DOWNLOADS_GENERATION_NS);
        assert_true(downloads_has(&d, &p));
        connects(&d, &q, tcp, 0, 2 * DOWNLOADS_GENERATION_NS);
        assert_false(downloads_has(&d, &p));
        for (uint32_t i = 0; i < 3 * DOWNLOADS_MAX; i++) {
                struct process one = { .pgid = 100 + i, .cgroup_id = 1 };
                connects(&d, &one, tcp, 0, 2 * DOWNLOADS_GENERATION_NS);
                assert_true(d.connected[0].n + d.connected[1].n <= 2 * DOWNLOADS_MAX);
                assert_true(downloads_has(&d, &one));
        }
        downloads_done(&d);
}

static void formats(void **state)
{
        static const struct {
                const char *head, *format;
        } cases[] = { { "\177ELF", "elf" }, { "#!/b", "script" }, { "#!x", "script" }, { "#!", NULL },
                      { "\177EL", NULL },   { "<htm", NULL },     { "", NULL } };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const char *is = download_format((const uint8_t *)cases[i].head, strlen(cases[i].head));
                assert_true(is == cases[i].format || (is && cases[i].format && strcmp(is, cases[i].format) == 0));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(connections_of_groups),
                cmocka_unit_test(they_are_forgotten),
                cmocka_unit_test(formats),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
