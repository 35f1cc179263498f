/* flow/base-layers.c: which layers came with the base image, by histories as builders write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "flow/base-layers.h"

/* Steps separated by "|"; those that made no layer begin with "-". */
static size_t base(const char *history, size_t n_layers)
{
        struct fact_step steps[32] = { 0 };
        size_t n = 0;
        struct str rest = str_of(history);
        while (rest.p && rest.n) {
                struct str step = str_cut(&rest, '|');
                bool empty = str_starts(step, STR("-"));
                steps[n++] = (struct fact_step){ .created_by = str_from(step, empty), .empty_layer = empty };
        }
        return base_layers(steps, n, n_layers);
}

static void test_histories(void **state)
{
        /* docker build, classic: debian, then ours */
        assert_int_equal(
                base("/bin/sh -c #(nop) ADD file:1 in / |-/bin/sh -c #(nop)  CMD [\"bash\"]|/bin/sh -c apt-get update|"
                     "/bin/sh -c #(nop) COPY dir:2 in /app |-/bin/sh -c #(nop)  CMD [\"app\"]",
                     3),
                1);
        /* BuildKit, two levels: the upper one is the base */
        assert_int_equal(base("# debian.sh --arch 'amd64' out/|RUN /bin/sh -c apt-get install python # buildkit|-CMD "
                              "[\"python3\"]|"
                              "WORKDIR /app|COPY . . # buildkit|-ENTRYPOINT [\"python\"]",
                              4),
                         2);
        /* nothing was added to the base */
        assert_int_equal(base("ADD rootfs.tar.xz / # buildkit|-CMD [\"bash\"]", 1), 1);
        /* a root file system without a command */
        assert_int_equal(base("ADD alpine-minirootfs-3.20.tar.gz / # buildkit|RUN apk add curl", 2), 1);
        /* nobody can tell */
        assert_int_equal(base("COPY app /app # buildkit|RUN /bin/sh -c x", 2), 0);
        assert_int_equal(base("RUN a|RUN b", 2), 0);
        assert_int_equal(base("", 2), 0);
        assert_int_equal(base("ADD x / |-CMD x|RUN y", 5), 0); /* not the history of these layers */
        assert_int_equal(base("-CMD x", 0), 0);
        /* a word in an argument is no step */
        assert_int_equal(base("RUN a|-LABEL run=CMD [\"x\"]|RUN b", 2), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_histories) };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
