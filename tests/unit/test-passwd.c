/* read/passwd.c: lines good and odd; serve/users.c over the host's own files, against the C library's answer. */
#include "serve/users.h"

#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void users(void **state)
{
        static const struct {
                const char *text;
                uint32_t uid;
                const char *name; /* NULL: nobody */
        } cases[] = {
                { "root:x:0:0:root:/root:/bin/sh\nwww:x:33:33::/var/www:/usr/sbin/nologin\n", 33, "www" },
                { "www:x:33:33::/var/www:/usr/sbin/nologin", 33, "www" }, /* no end of line */
                { "a:x:5:5::/:/s\nb:x:5:5::/:/s\n", 5, "a" },             /* the first counts */
                { "#a:x:1\n\n:x:5:5::/:/s\nb:x:5:5::/:/s\n", 5, "b" },    /* no name is no user */
                { "a:x:5:5::/:/s:more\nb:x:5:5:::\n", 5, "b" },           /* too many fields; empty ones */
                { "a:x:5:5::/\nb:x:5::x:/:/s\n", 5, NULL },               /* too few; no group */
                { "a:x:-5:5::/:/s\na:x:5x:5::/:/s\na:x:4294967301:5::/:/s\n", 5, NULL },
                { "a:x:5:4294967296::/:/s\n", 5, NULL },
                { "", 0, NULL },
                { "\n\n::::::\n", 0, NULL },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct passwd_user u = { .name = STR_NONE };
                bool found = passwd_user_of(str_of(cases[i].text), cases[i].uid, &u);
                if (found != (cases[i].name != NULL) || (found && !str_is(u.name, cases[i].name)))
                        fail_msg("case %zu: %d %.*s", i, found, STR_FMT(u.name));
        }
        struct passwd_user u;
        assert_true(passwd_user_of(STR("w:x:33:34:Web,,:/var/www:/bin/false\r\n"), 33, &u));
        assert_int_equal(u.gid, 34);
        assert_true(str_is(u.home, "/var/www"));
        assert_true(str_is(u.shell, "/bin/false"));
}

static void groups(void **state)
{
        struct str name = STR_NONE;
        assert_true(passwd_group_of(STR("root:x:0:\nadm:x:4:a,b\n"), 4, &name));
        assert_true(str_is(name, "adm"));
        assert_false(passwd_group_of(STR("root:x:0:\nadm:x:4\n:x:4:\n"), 4, &name));
}

static void hosts_own(void **state)
{
        struct users u = { 0 };
        struct passwd_user user;
        struct str name;
        const struct passwd *p = getpwuid(0);
        const struct group *g = getgrgid(0);
        assert_true(p && users_user(&u, NULL, 0, 1, 0, &user));
        assert_true(str_is(user.name, p->pw_name) && str_is(user.shell, p->pw_shell) && str_is(user.home, p->pw_dir));
        assert_true(g && users_group(&u, NULL, 0, 1, 0, &name) && str_is(name, g->gr_name));
        assert_false(users_user(&u, NULL, 0, 1, 4000000000u, &user));
        /* Containers that are gone have no users, and the oldest of too many makes room. */
        for (uint64_t i = 1; i < USERS_CONTAINERS_MAX + 10; i++) {
                struct container_entry c = { .cgroup_id = i };
                assert_false(users_user(&u, &c, UINT32_MAX, i, 0, &user));
        }
        assert_int_equal(u.n, USERS_CONTAINERS_MAX);
        struct container_entry here = { .cgroup_id = 7 };
        assert_true(users_user(&u, &here, (uint32_t)getpid(), 9, 0, &user));
        users_forget(&u, 7);
        assert_int_equal(u.n, USERS_CONTAINERS_MAX - 1);
        for (uint64_t i = 0; i < USERS_CONTAINERS_MAX + 20; i++)
                users_forget(&u, i);
        assert_true(u.n == 0 && u.size < 8);
        users_done(&u);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(users),
                cmocka_unit_test(groups),
                cmocka_unit_test(hosts_own),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
