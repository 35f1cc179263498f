/* The quarantine's store: round trips, descriptions that are damaged, paths that lead out. */
#include "act/quarantine.h"

#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char work[] = "/tmp/sekisho-quarantine-XXXXXX";
static char store_path[64], root_path[64];

static int set_up(void **state)
{
        (void)state;
        snprintf(work, sizeof(work), "/tmp/sekisho-quarantine-XXXXXX");
        if (!mkdtemp(work))
                return -1;
        snprintf(store_path, sizeof(store_path), "%s/store", work);
        snprintf(root_path, sizeof(root_path), "%s/root", work);
        return mkdir(root_path, 0755);
}

static int tear_down(void **state)
{
        (void)state;
        char command[128];
        snprintf(command, sizeof(command), "rm -rf %s", work);
        return system(command);
}

static int write_file(const char *name, const char *content)
{
        char path[256];
        snprintf(path, sizeof(path), "%s/%s", root_path, name);
        int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
        assert_true(fd >= 0);
        assert_int_equal(write_all(fd, content, strlen(content)), 0);
        return fd;
}

static void expect_content(const char *name, const char *content)
{
        char path[256];
        struct buf b = BUF_INIT(4096);
        snprintf(path, sizeof(path), "%s/%s", root_path, name);
        assert_int_equal(read_file(path, &b, NULL), 0);
        assert_true(str_is(buf_str(&b), content));
        buf_done(&b);
}

static void test_round_trip(void **state)
{
        (void)state;
        struct arena arena = ARENA_INIT;
        struct quarantine q;
        struct fact_quarantined item = { .path = STR("/a \\ \xff\n\"b"), .rule = STR("rule") }, got;
        struct error err = ERROR_NONE;
        struct stat st;
        assert_int_equal(quarantine_open(store_path, false, &q, &err), -ENOENT);
        assert_int_equal(quarantine_open(store_path, true, &q, &err), 0);
        int fd = write_file("bad", "content that is bad");
        assert_int_equal(quarantine_put(&q, fd, &item, &arena, &err), 0);
        assert_true(str_is(item.id, "q-1"));
        assert_int_equal(item.size, 19);
        assert_int_equal(quarantine_get(&q, STR("q-1"), &arena, &got, &err), 0);
        assert_true(str_eq(got.path, item.path));
        assert_true(str_eq(got.sha256, item.sha256));
        assert_int_equal(got.mode, 0640);

        int root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(quarantine_remove(root, "/../bad", &st, &err), 0); /* ".." stays inside */
        assert_int_equal(quarantine_remove(root, "/bad", &st, &err), -ENOENT);
        assert_int_equal(quarantine_restore(&q, &got, root, "/again", false, &err), 0);
        expect_content("again", "content that is bad");
        assert_int_equal(quarantine_restore(&q, &got, root, "/again", false, &err), -EEXIST);
        assert_int_equal(quarantine_restore(&q, &got, root, "/again", true, &err), 0);
        assert_int_equal(quarantine_restore(&q, &got, root, "/none/again", false, &err), -ENOENT);
        assert_int_equal(quarantine_restore(&q, &got, root, "/..", false, &err), -EINVAL);
        assert_int_equal(quarantine_restore(&q, &got, root, "/", false, &err), -EINVAL);

        assert_false(quarantine_is_cleared(&q, item.sha256));
        assert_int_equal(quarantine_clear(&q, item.sha256, &err), 0);
        assert_true(quarantine_is_cleared(&q, item.sha256));
        close(fd);
        close(root);
        quarantine_close(&q);
        arena_done(&arena);
}

/* The same content twice is one object, which goes with the second item. */
static void test_same_content(void **state)
{
        (void)state;
        struct arena arena = ARENA_INIT;
        struct quarantine q;
        struct fact_quarantined first = { .path = STR("/1") }, second = { .path = STR("/2") }, *all;
        struct str_list bad;
        struct error err = ERROR_NONE;
        size_t n;
        char digest[QUARANTINE_DIGEST];
        assert_int_equal(quarantine_open(store_path, true, &q, &err), 0);
        int fd = write_file("same", "same");
        assert_int_equal(quarantine_put(&q, fd, &first, &arena, &err), 0);
        assert_int_equal(quarantine_put(&q, fd, &second, &arena, &err), 0);
        quarantine_hex(first.sha256, digest);
        assert_int_equal(quarantine_list(&q, &arena, &all, &n, &bad, &err), 0);
        assert_int_equal(n, 2);
        assert_true(str_is(all[1].path, "/2"));
        assert_int_equal(quarantine_delete(&q, STR("q-1"), &err), 0);
        assert_int_equal(faccessat(q.objects, digest, F_OK, 0), 0);
        assert_int_equal(quarantine_delete(&q, STR("q-1"), &err), -ENOENT);
        assert_int_equal(quarantine_delete(&q, STR("q-2"), &err), 0);
        assert_int_equal(faccessat(q.objects, digest, F_OK, 0), -1);
        close(fd);
        quarantine_close(&q);
        arena_done(&arena);
}

/* A file that took the place of the one that was found, and links that lead out of the root. */
static void test_removing(void **state)
{
        (void)state;
        struct error err = ERROR_NONE;
        struct stat st;
        int fd = write_file("found", "found");
        assert_int_equal(fstat(fd, &st), 0);
        close(write_file("other", "another one"));
        int root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(renameat(root, "other", root, "found"), 0);
        assert_int_equal(quarantine_remove(root, "/found", &st, &err), -ESTALE);
        assert_int_equal(symlinkat(work, root, "out"), 0);
        assert_int_equal(quarantine_remove(root, "/out/root/found", &st, &err), -ENOENT);
        assert_int_equal(symlinkat("found", root, "link"), 0);
        assert_int_equal(quarantine_remove(root, "/link", &st, &err), -ESTALE);
        expect_content("found", "another one");
        close(fd);
        close(root);
}

static void test_damaged(void **state)
{
        (void)state;
        struct arena arena = ARENA_INIT;
        struct quarantine q;
        struct fact_quarantined item = { .path = STR("/x") }, *all;
        struct str_list bad;
        struct error err = ERROR_NONE;
        size_t n;
        assert_int_equal(quarantine_open(store_path, true, &q, &err), 0);
        int fd = write_file("x", "x");
        assert_int_equal(quarantine_put(&q, fd, &item, &arena, &err), 0);
        close(openat(q.items, "q-7.json", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));  /* empty: a crash of old */
        close(openat(q.items, "q-07.json", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)); /* not a name of ours */
        assert_int_equal(quarantine_list(&q, &arena, &all, &n, &bad, &err), 0);
        assert_int_equal(n, 1);
        assert_int_equal(bad.n, 1);
        assert_true(str_starts(bad.v[0], STR("items/q-7.json: ")));
        assert_int_equal(quarantine_put(&q, fd, &item, &arena, &err), 0);
        assert_true(str_is(item.id, "q-8"));
        assert_int_equal(ftruncate(openat(q.dir, "key", O_WRONLY | O_CLOEXEC), 5), 0);
        quarantine_close(&q);
        assert_int_equal(quarantine_open(store_path, true, &q, &err), -EBADMSG);
        close(fd);
        arena_done(&arena);
}

/* Descriptions: what was printed is read again; cut anywhere, it is refused and nothing is read past its end. */
static void test_items(void **state)
{
        (void)state;
        struct arena arena = ARENA_INIT;
        struct error err = ERROR_NONE;
        struct str xattrs[] = { STR("user.a=00ff") };
        char digest[32] = "0123456789abcdef0123456789abcde";
        struct fact_quarantined item = { .id = STR("q-1"),
                                         .sha256 = str_span(digest, 32),
                                         .path = STR("/\xc3\xa9\x80\\x41"),
                                         .xattrs = { xattrs, 1 },
                                         .mtime = -5,
                                         .removed = true };
        struct fact_quarantined got;
        char *text = quarantine_item_print(&item);
        assert_int_equal(quarantine_item_parse(str_of(text), &arena, &got, &err), 0);
        assert_true(str_eq(got.path, item.path) && got.removed && got.mtime == -5 && got.xattrs.n == 1);
        for (size_t n = 0; n < strlen(text); n++) {
                char *cut = xmalloc(n + 1);
                memcpy(cut, text, n);
                assert_int_equal(quarantine_item_parse(str_span(cut, n), &arena, &got, &err), -EBADMSG);
                free(cut);
        }
        free(text);
        static const char *const wrong[] = {
                "[]",
                "{}",
                "{\"sha256\": 5}",
                "{\"sha256\": \"00\"}",
                "{\"size\": -1}",
                "{\"path\": \"\\\\q\"}",
                "{\"xattrs\": [1]}",
        };
        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
                assert_int_equal(quarantine_item_parse(str_of(wrong[i]), &arena, &got, &err), -EBADMSG);
        arena_done(&arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_same_content, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_removing, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_damaged, set_up, tear_down),
                cmocka_unit_test(test_items),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
