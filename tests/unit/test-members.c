/* Members of archives: links between them, names that occur twice, archives that end early, references and digests. */
#include "source/members.h"

#include "base/fs.h"
#include "source/digest.h"
#include "source/reference.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void add(struct members *m, struct arena *a, const char *name, const char *link)
{
        struct fact_member f = { .name = str_of(name), .link = str_of(link), .size = 1 };
        assert_true(members_add(m, a, &f));
}

static int find(const struct members *m, const char *name, const char **ret)
{
        const struct fact_member *f = NULL;
        struct error err = ERROR_NONE;
        int r = members_find(m, str_of(name), &f, &err);
        assert_true(r == 0 || err.text[0]);
        if (r == 0)
                *ret = f->name.p;
        return r;
}

static void test_find(void **state)
{
        struct members m = { 0 };
        struct arena a = ARENA_INIT;
        const char *got = NULL;
        add(&m, &a, "a/layer.tar", NULL);
        add(&m, &a, "b/layer.tar", "a/layer.tar");
        add(&m, &a, "loop", "pool");
        add(&m, &a, "pool", "loop");
        add(&m, &a, "twice", NULL);
        add(&m, &a, "twice", NULL);
        assert_int_equal(find(&m, "./b/layer.tar", &got), 0);
        assert_string_equal(got, "a/layer.tar");
        assert_int_equal(find(&m, "loop", &got), -ELOOP);
        assert_int_equal(find(&m, "twice", &got), -EBADMSG);
        assert_int_equal(find(&m, "c", &got), -ENOENT);
        members_done(&m);
        arena_done(&a);
}

static void test_links(void **state)
{
        static const struct {
                const char *name, *link, *want; /* NULL: no member */
        } cases[] = {
                { "a/layer.tar", "../b/layer.tar", "b/layer.tar" },
                { "a/layer.tar", "x.tar", "a/x.tar" },
                { "layer.tar", "./b/./x", "b/x" },
                { "a/layer.tar", "../../etc/passwd", NULL },
                { "a/layer.tar", "/etc/passwd", NULL },
                { "a", "..", NULL },
                { "a", "", NULL },
        };
        struct arena a = ARENA_INIT;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct tar_entry e = { .name = str_of(cases[i].name),
                                       .link = str_of(cases[i].link),
                                       .type = TAR_SYMLINK };
                struct fact_member f;
                bool is_member = member_from_entry(&e, &a, &f);
                assert_int_equal(is_member, cases[i].want != NULL);
                if (cases[i].want && !str_is(f.link, cases[i].want))
                        fail_msg("%s: %.*s", cases[i].link, STR_FMT(f.link));
        }
        struct tar_entry device = { .name = STR("x"), .type = TAR_CHAR },
                         unsafe = { .name = STR("../x"), .is_unsafe = true };
        struct fact_member f;
        assert_false(member_from_entry(&device, &a, &f));
        assert_false(member_from_entry(&unsafe, &a, &f));
        arena_done(&a);
}

static void test_index(void **state)
{
        char path[128], command[512];
        snprintf(path, sizeof(path), "%s/members-XXXXXX", env_or("TMPDIR", "/tmp"));
        int fd = mkstemp(path);
        snprintf(command, sizeof(command),
                 "cd $(mktemp -d) && head -c 3000000 /dev/zero >big && echo '[]' >manifest.json && mkdir d && ln -s "
                 "../big d/l"
                 " && tar -cf %s big d manifest.json; rm -r \"$PWD\"",
                 path);
        assert_int_equal(system(command), 0); /* NOLINT: a fixed text */
        struct arena a = ARENA_INIT;
        struct members m;
        uint64_t size = (uint64_t)lseek(fd, 0, SEEK_END);
        const char *got = NULL;
        assert_int_equal(members_index(fd, size, &a, &m, NULL), 0);
        assert_string_equal(m.incomplete.text, "");
        assert_int_equal(find(&m, "d/l", &got), 0);
        assert_string_equal(got, "big");
        assert_int_equal(find(&m, "manifest.json", &got), 0);
        members_done(&m);
        /* cut in the middle of a content, and in a header */
        for (int i = 0; i < 2; i++) {
                size = i ? 700 : 2000000;
                assert_return_code(ftruncate(fd, (off_t)size), errno);
                assert_int_equal(members_index(fd, size, &a, &m, NULL), 0);
                assert_true(m.incomplete.text[0]);
                assert_int_equal(find(&m, "manifest.json", &got), -ENOENT);
                members_done(&m);
        }
        arena_done(&a);
        close(fd);
        unlink(path);
}

static void test_references(void **state)
{
        static const struct {
                const char *asked, *stored;
                bool want;
        } cases[] = {
                { "web", "docker.io/library/web:latest", true },
                { "web:1", "localhost/web:1", true },
                { "web:1", "localhost/web:2", false },
                { "web", "localhost/web:1", false },
                { "eb:1", "localhost/web:1", false },
                { "localhost:5000/web:1", "localhost:5000/web:1", true },
                { "localhost:5000/web", "localhost:5000/web:latest", true },
                { "a/web:1", "docker.io/a/web:1", true },
                { "web@sha256:aa", "docker.io/library/web@sha256:aa", true },
                { "web@sha256:aa", "docker.io/library/web@sha256:bb", false },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                if (reference_matches(str_of(cases[i].asked), str_of(cases[i].stored)) != cases[i].want)
                        fail_msg("%s, %s", cases[i].asked, cases[i].stored);
        assert_true(reference_is_plausible(STR("localhost:5000/a/b:1.2@sha256:00")));
        assert_false(reference_is_plausible(STR("../x")));
        assert_false(reference_is_plausible(STR("a/../x")));
        assert_false(reference_is_plausible(STR("/x")));
        assert_false(reference_is_plausible(STR("a b")));
        assert_false(reference_is_plausible(STR("a//b")));
}

#define EMPTY_256 "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define EMPTY_512                                                                                                      \
        "sha512:"                                                                                                      \
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd4"    \
        "7417a81a538327af927da3e"

static void test_digests(void **state)
{
        assert_true(digest_is_valid(STR(EMPTY_256)));
        assert_true(digest_is_valid(STR(EMPTY_512)));
        assert_false(
                digest_is_valid(STR("sha256:../../../../../../../../../../../../../../../../../../../../../etc/pas")));
        assert_false(digest_is_valid(STR("sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")));
        assert_false(digest_is_valid(STR("md5:d41d8cd98f00b204e9800998ecf8427e")));
        assert_false(digest_is_valid(STR("")));
        assert_int_equal(digest_check(STR(EMPTY_256), STR_NONE, NULL), 0);
        assert_int_equal(digest_check(STR(EMPTY_512), STR_NONE, NULL), 0);
        assert_int_equal(digest_check(STR(EMPTY_512), STR("x"), NULL), -EBADMSG);
        assert_int_equal(digest_check(STR("sha256:"), STR("x"), NULL), -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_find),       cmocka_unit_test(test_links),   cmocka_unit_test(test_index),
                cmocka_unit_test(test_references), cmocka_unit_test(test_digests),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
