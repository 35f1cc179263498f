/* Git's objects and packs, made here byte by byte; tests/cli/test-history.py has git itself as the oracle. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "read/gitobject.h"

#include <isa-l/igzip_lib.h>

/* A zlib stream: isa-l's deflate with the checksum of RFC 1950. */
static void put_zlib(struct buf *to, struct str content)
{
        struct isal_zstream z;
        uint8_t *out = xmalloc(content.n + 1024);
        isal_deflate_stateless_init(&z);
        z.gzip_flag = IGZIP_ZLIB;
        z.flush = NO_FLUSH;
        z.next_in = (uint8_t *)(uintptr_t)content.p;
        z.avail_in = (uint32_t)content.n;
        z.end_of_stream = 1;
        z.next_out = out;
        z.avail_out = (uint32_t)content.n + 1024;
        assert_int_equal(isal_deflate_stateless(&z), COMP_OK);
        buf_add(to, out, z.total_out);
        free(out);
}

static void test_names(void **state)
{
        struct git_id id, parsed;
        char text[2 * GIT_ID_MAX + 1];
        git_id_of(GIT_SHA1, GIT_BLOB, STR("hello\n"), &id); /* echo hello | git hash-object --stdin */
        git_id_text(GIT_SHA1, &id, text);
        assert_string_equal(text, "ce013625030ba8dba906f756967f9e9ca394464a");
        assert_true(git_id_parse(GIT_SHA1, str_of(text), &parsed));
        assert_memory_equal(&id, &parsed, sizeof(id));
        git_id_of(GIT_SHA1, GIT_TREE, STR(""), &id);
        git_id_text(GIT_SHA1, &id, text);
        assert_string_equal(text, "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
        git_id_of(GIT_SHA256, GIT_BLOB, STR("hello\n"), &id);
        git_id_text(GIT_SHA256, &id, text);
        assert_string_equal(text, "2cf8d83d9ee29543b34a87727421fdecb7e3f3a183d337639025de576db9ebb4");
        assert_false(git_id_parse(GIT_SHA1, STR("ce01"), &parsed));
}

static void test_loose(void **state)
{
        struct buf stored = BUF_INIT(4096), content = { 0 };
        enum git_type type;
        put_zlib(&stored, str_span("blob 6\0hello\n", 13));
        assert_int_equal(git_loose(buf_str(&stored), &type, &content), 0);
        assert_int_equal(type, GIT_BLOB);
        assert_int_equal(content.n, 6);
        for (size_t n = 0; n < stored.n; n++)
                assert_true(git_loose(str_upto(buf_str(&stored), n), &type, &content) < 0);
        for (size_t bit = 0; bit < stored.n * 8; bit++) {
                stored.p[bit / 8] ^= (char)(1 << bit % 8);
                (void)git_loose(buf_str(&stored), &type, &content);
                stored.p[bit / 8] ^= (char)(1 << bit % 8);
        }
        static const char *const bad[] = { "blob 7 hello\n", "blob x hello\n", "blob hello", "bolb 6 hello\n", "" };
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                char copy[32];
                size_t n = strlen(bad[i]);
                memcpy(copy, bad[i], n);
                if (n > 6)
                        copy[6] = 0;
                buf_clear(&stored);
                put_zlib(&stored, str_span(copy, n));
                assert_int_equal(git_loose(buf_str(&stored), &type, &content), -EBADMSG);
        }
        buf_done(&stored);
        buf_done(&content);
}

static void test_inflate(void **state)
{
        struct buf stored = BUF_INIT(1u << 20), content = { 0 };
        char *zeros = xcalloc(1, 600000);
        size_t used;
        put_zlib(&stored, str_span(zeros, 600000));
        size_t n = stored.n;
        buf_puts(&stored, "what follows");
        assert_int_equal(git_inflate(buf_str(&stored), 600000, &content, &used), 0);
        assert_int_equal(content.n, 600000);
        assert_int_equal(used, n);
        assert_int_equal(git_inflate(buf_str(&stored), 599999, &content, &used), -EBADMSG); /* it has more */
        assert_int_equal(git_inflate(buf_str(&stored), 600001, &content, &used), -EBADMSG);
        assert_int_equal(git_inflate(buf_str(&stored), 1, &content, &used), -EBADMSG);
        assert_int_equal(git_inflate(buf_str(&stored), GIT_OBJECT_MAX + 1u, &content, &used), -EFBIG);
        buf_clear(&stored);
        put_zlib(&stored, STR(""));
        n = stored.n;
        assert_int_equal(git_inflate(buf_str(&stored), 0, &content, &used), 0);
        assert_int_equal(used, n);
        free(zeros);
        buf_done(&stored);
        buf_done(&content);
}

static void test_delta(void **state)
{
        struct buf to = { 0 };
        /* base "hello world": copy 6..11, insert "!", copy 0..5 */
        static const char delta[] = { 11, 11, (char)0x91, 6, 5, 1, '!', (char)0x90, 5 };
        struct str base = STR("hello world"), d = str_span(delta, sizeof(delta));
        assert_int_equal(git_delta(base, d, &to), 0);
        assert_true(str_is(buf_str(&to), "world!hello"));
        assert_int_equal(git_delta(STR("another base"), d, &to), -EBADMSG);
        for (size_t n = 0; n < d.n; n++)
                assert_int_equal(git_delta(base, str_upto(d, n), &to), -EBADMSG);
        for (size_t bit = 0; bit < d.n * 8; bit++) {
                char copy[sizeof(delta)];
                memcpy(copy, delta, sizeof(copy));
                copy[bit / 8] ^= (char)(1 << bit % 8);
                (void)git_delta(base, str_span(copy, sizeof(copy)), &to);
        }
        static const char past[] = { 11, 3, (char)0x91, 9, 3 }, reserved[] = { 11, 1, 0 };
        assert_int_equal(git_delta(base, str_span(past, sizeof(past)), &to), -EBADMSG);
        assert_int_equal(git_delta(base, str_span(reserved, sizeof(reserved)), &to), -EBADMSG);
        buf_done(&to);
}

static void test_pack_headers(void **state)
{
        struct git_packed p;
        uint32_t n;
        char pack[64] = "PACK\0\0\0\2\0\0\0\3";
        pack[12] = (char)0xb5; /* blob, size 5 and more */
        pack[13] = 0x01;
        pack[14] = 0x65; /* delta with an offset */
        pack[15] = 2;
        pack[16] = 0x61;
        pack[17] = 17; /* more than there is before it */
        pack[18] = 0x75;
        struct str s = str_span(pack, sizeof(pack));
        assert_int_equal(git_pack_open(s, GIT_SHA1, &n, NULL), 0);
        assert_int_equal(n, 3);
        assert_false(git_pack_is_whole(s, GIT_SHA1));
        assert_true(git_packed_at(s, GIT_SHA1, 12, &p));
        assert_int_equal(p.type, GIT_BLOB);
        assert_int_equal(p.size, 5 + 16);
        assert_int_equal(p.data, 14);
        assert_true(git_packed_at(s, GIT_SHA1, 14, &p));
        assert_int_equal(p.base_offset, 12);
        assert_false(git_packed_at(s, GIT_SHA1, 16, &p));
        assert_true(git_packed_at(s, GIT_SHA1, 18, &p));
        assert_int_equal(p.type, GIT_ID_DELTA);
        assert_int_equal(p.data, 39);
        assert_false(git_packed_at(s, GIT_SHA1, 0, &p));
        assert_false(git_packed_at(s, GIT_SHA1, 44, &p)); /* the digest at the end */
        assert_false(git_packed_at(s, GIT_SHA1, UINT64_MAX, &p));
        assert_true(git_pack_open(STR("PACK"), GIT_SHA1, &n, NULL) < 0);
        pack[7] = 4;
        assert_true(git_pack_open(s, GIT_SHA1, &n, NULL) < 0);
}

static void test_commits_and_trees(void **state)
{
        struct git_commit c;
        struct git_entry e;
        assert_true(git_commit_parse(GIT_SHA1,
                                     STR("tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n"
                                         "parent ce013625030ba8dba906f756967f9e9ca394464a\n"
                                         "author A <a@x> 1700000000 +0100\ncommitter C <c@x> 1700000060 -0500\n\n"
                                         "parent in the message\n"),
                                     &c));
        assert_int_equal(c.n_parents, 1);
        assert_int_equal(c.authored, 1700000000);
        assert_int_equal(c.committed, 1700000060);
        assert_false(git_commit_parse(GIT_SHA1, STR("author A <a@x> 1 +0000\n"), &c));
        assert_true(
                git_commit_parse(GIT_SHA1, STR("tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor no time\n"), &c));
        assert_int_equal(c.authored, 0);

        struct str tree = str_span("100644 a\0aaaaaaaaaaaaaaaaaaaa40000 b\0bbbbbbbbbbbbbbbbbbbb", 57);
        struct cursor at = cursor_from(tree);
        assert_int_equal(git_tree_next(GIT_SHA1, &at, &e), 1);
        assert_int_equal(e.mode, 0100644);
        assert_true(str_is(e.name, "a"));
        assert_int_equal(git_tree_next(GIT_SHA1, &at, &e), 1);
        assert_int_equal(e.mode, 040000);
        assert_int_equal(git_tree_next(GIT_SHA1, &at, &e), 0);
        for (size_t n = 0; n < tree.n; n++) {
                at = cursor_from(str_upto(tree, n));
                while (git_tree_next(GIT_SHA1, &at, &e) > 0)
                        ;
        }
        assert_true(git_name_is_unsafe(STR("..")));
        assert_true(git_name_is_unsafe(STR(".GIT")));
        assert_true(git_name_is_unsafe(STR("a/b")));
        assert_true(git_name_is_unsafe(STR("")));
        assert_false(git_name_is_unsafe(STR(".gitignore")));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),        cmocka_unit_test(test_loose),
                cmocka_unit_test(test_inflate),      cmocka_unit_test(test_delta),
                cmocka_unit_test(test_pack_headers), cmocka_unit_test(test_commits_and_trees),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
