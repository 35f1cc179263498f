/* What the operator says of drift: whom a pattern means, which mode counts, what is refused; an overlay's layers. */
#include "serve/drift-options.h"
#include "serve/overlay-layers.h"

#include "base/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct container_entry web = { .id = { ID, 64 },
                                            .facts = { .name = { "web-1", 5 }, .image = { "localhost/web:1", 15 } } };
static const struct container_entry bare = { .id = { "c1", 2 } };

static void test_meant(void **state)
{
        static const struct {
                const char *pattern;
                bool web, bare;
        } cases[] = {
                { "", true, true },       { "web-1", true, false },
                { "web-*", true, false }, { "localhost/*", true, false },
                { "*:1", true, false },   { "0123456789ab", true, false }, /* the start of an id, as engines print it */
                { "0123", false, false },                                  /* too short to mean one */
                { ID, true, false },      { "c1", false, true },
                { "c?", false, true },    { "*", true, true },
                { "web", false, false },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                assert_int_equal(drift_is_meant(&web, str_of(cases[i].pattern)), cases[i].web);
                assert_int_equal(drift_is_meant(&bare, str_of(cases[i].pattern)), cases[i].bare);
        }
}

static void test_modes(void **state)
{
        struct drift_options none = { .n_modes = 0 };
        struct drift_options list = { .manifests = { "m" }, .n_manifests = 1 };
        struct drift_options some = { .modes = { "enforce", "web-*=log", "web-1=alert" }, .n_modes = 3 };
        struct drift_options one = { .modes = { "c1=enforce" }, .n_modes = 1 };
        struct drift_options strict = { .modes = { "enforce", "c1=enforce" }, .n_modes = 2 };
        assert_int_equal(drift_mode_of(&none, &web), GUARD_OFF);
        assert_int_equal(drift_mode_of(&list, &web), GUARD_ALERT);
        assert_int_equal(drift_mode_of(&some, &web), GUARD_ALERT); /* the last that means it */
        assert_int_equal(drift_mode_of(&some, &bare), GUARD_ENFORCE);
        assert_int_equal(drift_mode_of(&one, &web), GUARD_OFF);
        assert_int_equal(drift_mode_of(&one, &bare), GUARD_ENFORCE);
        /* A container that nobody has looked at is any of them: nothing is done to it that could be too much. */
        assert_int_equal(drift_mode_of_unknown(&none), GUARD_OFF);
        assert_int_equal(drift_mode_of_unknown(&list), GUARD_ALERT);
        assert_int_equal(drift_mode_of_unknown(&some), GUARD_LOG);
        assert_int_equal(drift_mode_of_unknown(&one), GUARD_OFF);
        assert_int_equal(drift_mode_of_unknown(&strict), GUARD_ENFORCE);
}

static void test_flags(void **state)
{
        struct drift_options o = { .forbidden = { "connect", "web-1=ptrace,bpf" },
                                   .n_forbidden = 2,
                                   .append_only = { "c1=/var/log" },
                                   .n_append_only = 1 };
        assert_int_equal(drift_flags_of(&o, &web), GUARD_NO_CONNECT | GUARD_NO_PTRACE | GUARD_NO_BPF);
        assert_int_equal(drift_flags_of(&o, &bare), GUARD_NO_CONNECT | GUARD_APPEND_ONLY);
        assert_true(drift_is_asked_for(&o));
        assert_false(drift_is_asked_for(&(struct drift_options){ .n_modes = 0 }));
}

static void test_refused(void **state)
{
        struct error err = ERROR_NONE;
        struct drift_options modes = { .modes = { "enforce", "x=strict" }, .n_modes = 2 };
        struct drift_options forbidden = { .forbidden = { "x=connect,fork" }, .n_forbidden = 1 };
        struct drift_options empty = { .forbidden = { "x=" }, .n_forbidden = 1 };
        struct drift_options folder = { .append_only = { "x=var/log" }, .n_append_only = 1 };
        assert_int_equal(drift_options_check(&modes, &err), -EINVAL);
        assert_non_null(strstr(err.text, "x=strict"));
        assert_int_equal(drift_options_check(&forbidden, &err), -EINVAL);
        assert_int_equal(drift_options_check(&empty, &err), -EINVAL);
        assert_int_equal(drift_options_check(&folder, &err), -EINVAL);
}

/* Relative layers are nobody's here; a list of none, or with a gap, is not opened. */
static void test_layers(void **state)
{
        static const char *const lists[] = { "", "l/A:l/B", "/tmp:l/B", "/tmp::/usr", ":/tmp" };
        struct error err = ERROR_NONE;
        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                assert_int_equal(overlay_layers_open(str_of(lists[i]), &err), -EINVAL);
        assert_int_equal(overlay_layers_open(STR("/nonexistent"), &err), -ENOENT);
        int fd = overlay_layers_open(STR("/"), &err);
        assert_true(fd >= 0);
        close_fd(fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_meant),   cmocka_unit_test(test_modes),  cmocka_unit_test(test_flags),
                cmocka_unit_test(test_refused), cmocka_unit_test(test_layers),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("drift", tests, NULL, NULL);
}
