/*
 * The tar reader on archives built here, header by header: each form of name, number and sparse map, what other readers
 * see differently, hostile values, every cut and every flipped bit. tests/cli/test-tar.sh has GNU tar, bsdtar and
 * Python as oracles.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "read/tar.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* What a header says; all else is zero. */
struct h {
        const char *name;
        char type;
        uint64_t size;
        const char *link, *prefix, *magic; /* magic: 8 bytes, default ustar */
        const char *size_text, *mtime_text;
};

static char *put_header(struct buf *b, struct h h)
{
        char block[512] = { 0 };
        strncpy(block, h.name, 100);
        memcpy(block + 100, "0000644", 7);
        memcpy(block + 108, "0001750", 7);
        memcpy(block + 116, " 1751 ", 6);
        snprintf(block + 124, 12, "%011llo", (unsigned long long)h.size);
        if (h.size_text)
                memcpy(block + 124, h.size_text, 12);
        memcpy(block + 136, h.mtime_text ? h.mtime_text : "00000000017\0", 12);
        block[156] = h.type;
        if (h.link)
                strncpy(block + 157, h.link, 100);
        memcpy(block + 257,
               h.magic ? h.magic
                       : "ustar\0"
                         "00",
               8);
        memcpy(block + 329, "0000011", 7);
        memcpy(block + 337, "0000012", 7);
        if (h.prefix)
                strncpy(block + 345, h.prefix, 155);
        buf_add(b, block, 512);
        return b->p + b->n - 512;
}

static void sign(char *block)
{
        unsigned sum = 0;
        memset(block + 148, ' ', 8);
        for (int i = 0; i < 512; i++)
                sum += (uint8_t)block[i];
        snprintf(block + 148, 8, "%06o", sum);
        block[155] = ' ';
}

static void put_content(struct buf *b, struct str content)
{
        static const char zeros[512];
        buf_add_str(b, content);
        buf_add(b, zeros, -content.n % 512);
}

static void put(struct buf *b, struct h h, struct str content)
{
        if (!h.size_text)
                h.size = h.size ? h.size : content.n;
        sign(put_header(b, h));
        put_content(b, content);
}

static void put_end(struct buf *b)
{
        static const char zeros[1024];
        buf_add(b, zeros, 1024);
}

/* A pax record with its own length in front. */
static void record(struct buf *b, const char *key, struct str value)
{
        size_t n = strlen(key) + value.n + 3, length = n;
        for (size_t before = 0; before != length;) {
                before = length;
                length = n + (size_t)snprintf(NULL, 0, "%zu", before);
        }
        buf_printf(b, "%zu %s=", length, key);
        buf_add_str(b, value);
        buf_putc(b, '\n');
}

static void put_pax(struct buf *b, char type, const char *const *pairs)
{
        struct buf body = BUF_INIT(2u << 20);
        for (; *pairs; pairs += 2)
                record(&body, pairs[0], str_of(pairs[1]));
        put(b, (struct h){ .name = "pax", .type = type }, buf_str(&body));
        buf_done(&body);
}

#define PAX(b, type, ...) put_pax((b), (type), (const char *const[]){ __VA_ARGS__, NULL })

struct input {
        struct str rest;
        size_t piece;
        int error; /* at the end, instead of the end */
};

static ssize_t pull(void *arg, void *p, size_t n)
{
        struct input *in = arg;
        n = MIN(n, MIN(in->rest.n, in->piece));
        if (n)
                memcpy(p, in->rest.p, n);
        in->rest = str_from(in->rest, n);
        return n ? (ssize_t)n : in->error;
}

static ssize_t pull_piece(void *arg, const void **ret_p)
{
        struct input *in = arg;
        size_t n = MIN(in->rest.n, in->piece);
        *ret_p = in->rest.p;
        in->rest = str_from(in->rest, n);
        return n ? (ssize_t)n : in->error;
}

/* Writes a line for each entry, so that a whole archive is one comparison. Content up to 200 bytes, printable. */
static void list(struct str archive, size_t piece, bool copy, struct buf *to)
{
        struct input in = { archive, piece, 0 };
        _cleanup_(tar_freep) struct tar *t = copy ? tar_new(pull, &in) : tar_new_pieces(pull_piece, &in);
        struct tar_entry e;
        int r;
        while ((r = tar_next(t, &e)) == TAR_ENTRY) {
                buf_printf(to, "%c%s%s%s ", "fhlcbdpo"[e.type], e.is_unsafe ? "!" : "", e.is_ambiguous ? "?" : "",
                           e.is_sparse ? "s" : "");
                buf_add_str(to, e.name);
                if (e.link.n) {
                        buf_puts(to, ">");
                        buf_add_str(to, e.link);
                }
                buf_printf(to, " %o %u %u %lld %llu/%llu", e.mode, e.uid, e.gid, (long long)e.mtime,
                           (unsigned long long)e.size, (unsigned long long)e.stored);
                if (e.type == TAR_CHAR || e.type == TAR_BLOCK)
                        buf_printf(to, " %u:%u", e.dev_major, e.dev_minor);
                if (e.opaque_xattr.n)
                        buf_printf(to, " opaque=%.*s", STR_FMT(e.opaque_xattr));
                if (e.unread.n)
                        buf_printf(to, " unread=%.*s", STR_FMT(e.unread));
                if (e.is_literal)
                        buf_puts(to, " literal");
                buf_puts(to, " [");
                if (e.size < 200) {
                        char byte;
                        const void *p;
                        ssize_t n;
                        if (copy)
                                while ((n = tar_read(t, &byte, 1)) > 0)
                                        buf_putc(to, byte ? byte : '.');
                        else
                                while ((n = tar_peek(t, &p)) > 0)
                                        for (ssize_t i = 0; i < n; i++)
                                                buf_putc(to, ((const char *)p)[i] ? ((const char *)p)[i] : '.');
                        if (n < 0)
                                buf_printf(to, "%s", n == -EBADMSG ? " cut" : " failed");
                }
                buf_puts(to, "]\n");
        }
        if (r == TAR_END)
                buf_printf(to, "end%s\n", tar_ended_cleanly(t) ? "" : " cut");
        else
                buf_printf(to, "malformed: %.*s\n", (int)strcspn(tar_where(t), "("), tar_where(t));
        assert_int_equal(tar_next(t, &e), r);
}

static void check(struct buf *b, const char *want)
{
        static const size_t pieces[] = { 1u << 20, 512, 511, 1 };
        for (size_t i = 0; i < 2 * ARRAY_SIZE(pieces); i++) {
                struct buf got = BUF_INIT(16u << 20);
                list(buf_str(b), pieces[i / 2], i % 2, &got);
                assert_string_equal(got.p, want);
                buf_done(&got);
        }
        buf_done(b);
}

#define NEW(b) struct buf b = BUF_INIT(64u << 20)

static void test_types(void **state)
{
        NEW(b);
        put(&b, (struct h){ "./dir/", '5' }, STR_NONE);
        put(&b, (struct h){ "/dir//./file", '0' }, STR("hello"));
        put(&b, (struct h){ "hard", '1', .link = "./dir/file" }, STR_NONE);
        put(&b, (struct h){ "soft", '2', .link = "./dir//file" }, STR_NONE);
        put(&b, (struct h){ "char", '3' }, STR_NONE);
        put(&b, (struct h){ "block", '4' }, STR_NONE);
        put(&b, (struct h){ "fifo", '6' }, STR_NONE);
        put(&b, (struct h){ "contiguous", '7' }, STR("x"));
        put(&b, (struct h){ "volume", 'V' }, STR("skipped"));
        put(&b, (struct h){ "./", '5' }, STR_NONE);
        put(&b, (struct h){ "old/", 0, .magic = "\0\0\0\0\0\0\0\0" }, STR_NONE);
        put(&b, (struct h){ "old/file", 0, .magic = "\0\0\0\0\0\0\0\0", .prefix = "no" }, STR("y"));
        put_end(&b);
        check(&b, "d dir 644 1000 1001 15 0/0 []\n"
                  "f dir/file 644 1000 1001 15 5/5 [hello]\n"
                  "h hard>dir/file 644 1000 1001 15 0/0 []\n"
                  "l soft>./dir//file 644 1000 1001 15 0/0 []\n"
                  "c char 644 1000 1001 15 0/0 9:10 []\n"
                  "b block 644 1000 1001 15 0/0 9:10 []\n"
                  "p fifo 644 1000 1001 15 0/0 []\n"
                  "f contiguous 644 1000 1001 15 1/1 [x]\n"
                  "o volume 644 1000 1001 15 7/7 [skipped]\n"
                  "d  644 1000 1001 15 0/0 []\n"
                  "d old 644 1000 1001 15 0/0 []\n"
                  "f old/file 644 1000 1001 15 1/1 [y]\n"
                  "end\n");
}

static void test_names(void **state)
{
        char hundred[101], want[1000];
        memset(hundred, 'n', 100);
        hundred[100] = 0;
        NEW(b);
        put(&b, (struct h){ hundred, '0', .prefix = "some/prefix" }, STR_NONE);
        put(&b, (struct h){ "gnu", '0', .prefix = "12345670", .magic = "ustar  \0" }, STR_NONE);
        put(&b, (struct h){ "././@LongLink", 'L' }, STR("./long/name\0ignored"));
        put(&b, (struct h){ "././@LongLink", 'K' }, STR("long/target"));
        put(&b, (struct h){ "short", '2', .link = "short" }, STR_NONE);
        put(&b, (struct h){ "after", '0' }, STR_NONE);
        put(&b, (struct h){ "../evil", '0' }, STR_NONE);
        put(&b, (struct h){ "a/../../evil", '5' }, STR_NONE);
        put(&b, (struct h){ "a/..", '5' }, STR_NONE);
        put(&b, (struct h){ "a..b/...", '0' }, STR_NONE);
        put(&b, (struct h){ "link", '1', .link = "../../etc/shadow" }, STR_NONE);
        put(&b, (struct h){ "link", '2', .link = "../../etc/shadow" }, STR_NONE);
        put_end(&b);
        snprintf(want, sizeof(want),
                 "f some/prefix/%s 644 1000 1001 15 0/0 []\n"
                 "f gnu 644 1000 1001 15 0/0 []\n"
                 "l long/name>long/target 644 1000 1001 15 0/0 []\n"
                 "f after 644 1000 1001 15 0/0 []\n"
                 "f! ../evil 644 1000 1001 15 0/0 []\n"
                 "d! a/../../evil 644 1000 1001 15 0/0 []\n"
                 "d! a/.. 644 1000 1001 15 0/0 []\n"
                 "f a..b/... 644 1000 1001 15 0/0 []\n"
                 "h! link>../../etc/shadow 644 1000 1001 15 0/0 []\n"
                 "l link>../../etc/shadow 644 1000 1001 15 0/0 []\n"
                 "end\n",
                 hundred);
        check(&b, want);
}

static void test_pax(void **state)
{
        NEW(b);
        PAX(&b, 'x', "path", "/pax/name", "size", "3", "mtime", "1234567890.75", "uid", "4000000000", "gid", "5",
            "comment", "a=b\nc", "SCHILY.xattr.trusted.overlay.opaque", "y");
        put(&b, (struct h){ "x", '0', .size = 77 }, STR("abc"));
        PAX(&b, 'x', "linkpath", "pax/target", "mtime", "-1.5", "uid", "99999999999999999999");
        put(&b, (struct h){ "x", '1', .link = "y" }, STR_NONE);
        PAX(&b, 'x', "SEKISHO.unread", "denied no right to read", "SEKISHO.literal", "1");
        put(&b, (struct h){ ".wh.x", '0' }, STR_NONE);
        PAX(&b, 'x', "path", "first");
        PAX(&b, 'x', "path", "", "mtime", "-3");
        put(&b, (struct h){ "last", '0' }, STR_NONE);
        PAX(&b, 'g', "mtime", "42", "uid", "7");
        PAX(&b, 'x', "uid", "8");
        put(&b, (struct h){ "global", '0' }, STR_NONE);
        put(&b, (struct h){ "global2", '0' }, STR_NONE);
        PAX(&b, 'g', "path", "other", "gid", "9");
        put(&b, (struct h){ "global3", '0' }, STR("z"));
        put_end(&b);
        check(&b, "f pax/name 644 4000000000 5 1234567890 3/3 opaque=y [abc]\n"
                  "h x>pax/target 644 4294967295 1001 -2 0/0 []\n"
                  "f .wh.x 644 1000 1001 15 0/0 unread=denied no right to read literal []\n"
                  "f last 644 1000 1001 -3 0/0 []\n"
                  "f global 644 8 1001 42 0/0 []\n"
                  "f global2 644 7 1001 42 0/0 []\n"
                  "f? global3 644 7 9 42 1/1 [z]\n"
                  "end\n");
}

static void test_pax_nul(void **state)
{
        NEW(b);
        NEW(body);
        record(&body, "path", STR("a\0b"));
        put(&b, (struct h){ "pax", 'x' }, buf_str(&body));
        put(&b, (struct h){ "x", '0' }, STR_NONE);
        struct input in = { buf_str(&b), 100, 0 };
        _cleanup_(tar_freep) struct tar *t = tar_new(pull, &in);
        struct tar_entry e;
        assert_int_equal(tar_next(t, &e), TAR_ENTRY);
        assert_true(e.is_unsafe);
        assert_true(str_eq(e.name, STR("a\0b")));
        buf_done(&b);
        buf_done(&body);
}

static void test_pax_malformed(void **state)
{
        static const struct {
                const char *body, *why;
        } cases[] = {
                { "path=x\n", "pax record without a length " },
                { "99 path=x\n", "pax record with a wrong length " },
                { "3 a=b\n", "pax record with a wrong length " },
                { "7 path=xyz\n", "pax record that does not end in a newline " },
                { "9 path=xy", "pax record that does not end in a newline " },
                { "5 =x\n", "pax record without a key " },
                { "5 xy\n", "pax record without a key " },
                { "-5 a=b\n", "pax record without a length " },
                { "18446744073709551620 a=b\n", "pax record without a length " },
                { "9 size=x\n", "pax size that is not a number " },
                { "28 size=9223372036854775807\n", "size that is too large " },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                NEW(b);
                char want[200];
                put(&b, (struct h){ "pax", 'x' }, str_of(cases[i].body));
                put(&b, (struct h){ "file", '0' }, STR_NONE);
                put_end(&b);
                snprintf(want, sizeof(want), "malformed: %s\n", cases[i].why);
                check(&b, want);
        }
}

static void test_numbers(void **state)
{
        NEW(b);
        put(&b,
            (struct h){ "base256", '0', .size_text = "\x80\0\0\0\0\0\0\0\0\0\0\x03",
                        .mtime_text = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe" },
            STR("abc"));
        put(&b, (struct h){ "spaces", '0', .size_text = "          3 ", .mtime_text = "7\0zzzzzzzzzz" }, STR("abc"));
        put(&b, (struct h){ "nuls", '0', .size_text = "\0\0\0\0\0\0\0\0\0\0\0\0", .mtime_text = "777777777777" },
            STR_NONE);
        put(&b, (struct h){ "odd time", '0', .mtime_text = "not a number" }, STR_NONE);
        put(&b, (struct h){ "large time", '0', .mtime_text = "\x9f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" },
            STR_NONE);
        put_end(&b);
        check(&b, "f base256 644 1000 1001 -2 3/3 [abc]\n"
                  "f spaces 644 1000 1001 7 3/3 [abc]\n"
                  "f nuls 644 1000 1001 68719476735 0/0 []\n"
                  "f odd time 644 1000 1001 0 0/0 []\n"
                  "f large time 644 1000 1001 0 0/0 []\n"
                  "end\n");
        static const char *const bad[] = { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "abcdefghijkl",
                                           "00000000009\0" };
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                NEW(m);
                put(&m, (struct h){ "x", '0', .size_text = bad[i] }, STR_NONE);
                check(&m, "malformed: size that is not a number \n");
        }
        NEW(m);
        put(&m, (struct h){ "x", '0', .size_text = "\x80\0\0\0\x80\0\0\0\0\0\0\0" }, STR_NONE);
        check(&m, "malformed: size that is not a number \n");
}

static void test_ambiguous(void **state)
{
        NEW(b);
        put(&b, (struct h){ "slash/", '0' }, STR("file"));
        sign(put_header(&b, (struct h){ "dir", '5', .size = 512 }));
        sign(put_header(&b, (struct h){ "link", '1', .size = 1024, .link = "slash" }));
        PAX(&b, 'x', "size", "512");
        put(&b, (struct h){ "soft", '2', .link = "slash" }, STR_NONE);
        put(&b, (struct h){ "plain", '0' }, STR_NONE);
        put_end(&b);
        check(&b, "f? slash 644 1000 1001 15 4/4 [file]\n"
                  "d? dir 644 1000 1001 15 0/0 []\n"
                  "h? link>slash 644 1000 1001 15 0/0 []\n"
                  "l? soft>slash 644 1000 1001 15 0/0 []\n"
                  "f plain 644 1000 1001 15 0/0 []\n"
                  "end\n");
}

static void test_signed_checksum(void **state)
{
        NEW(b);
        char *block = put_header(&b, (struct h){ "caf\xc3\xa9", '0' });
        int sum = 0;
        memset(block + 148, ' ', 8);
        for (int i = 0; i < 512; i++)
                sum += (signed char)block[i];
        snprintf(block + 148, 8, "%06o", (unsigned)sum);
        check(&b, "f caf\xc3\xa9 644 1000 1001 15 0/0 []\nend\n");
}

static void test_ends(void **state)
{
        static const char zeros[512];
        NEW(empty);
        check(&empty, "end\n");
        NEW(no_zeros);
        put(&no_zeros, (struct h){ "x", '0' }, STR("1"));
        check(&no_zeros, "f x 644 1000 1001 15 1/1 [1]\nend\n");
        NEW(one_zero);
        put(&one_zero, (struct h){ "x", '0' }, STR("1"));
        buf_add(&one_zero, zeros, 512);
        check(&one_zero, "f x 644 1000 1001 15 1/1 [1]\nend\n");
        NEW(data_after);
        buf_add(&data_after, zeros, 512);
        put(&data_after, (struct h){ "x", '0' }, STR_NONE);
        check(&data_after, "malformed: data after a single zero block \n");
        NEW(hidden);
        put_end(&hidden);
        put(&hidden, (struct h){ "x", '0' }, STR_NONE);
        check(&hidden, "end\n");
        NEW(no_padding);
        sign(put_header(&no_padding, (struct h){ "x", '0', .size = 3 }));
        buf_puts(&no_padding, "abc");
        check(&no_padding, "f x 644 1000 1001 15 3/3 [abc]\nend cut\n");
        NEW(cut);
        sign(put_header(&cut, (struct h){ "x", '0', .size = 4 }));
        buf_puts(&cut, "abc");
        check(&cut, "f x 644 1000 1001 15 4/4 [abc cut]\nmalformed: truncated in the content of an entry \n");
        NEW(cut_header);
        put(&cut_header, (struct h){ "x", '0' }, STR_NONE);
        buf_puts(&cut_header, "abc");
        check(&cut_header, "f x 644 1000 1001 15 0/0 []\nmalformed: truncated in a header \n");
        NEW(alone);
        PAX(&alone, 'x', "path", "x");
        put_end(&alone);
        check(&alone, "malformed: extension header without an entry \n");
        NEW(garbage);
        buf_printf(&garbage, "%01024d", 7);
        check(&garbage, "malformed: wrong header checksum \n");
}

static void test_pull_error(void **state)
{
        NEW(b);
        put(&b, (struct h){ "x", '0', .size = 600 }, STR("abc"));
        struct input in = { buf_str(&b), 100, -EIO };
        _cleanup_(tar_freep) struct tar *t = tar_new(pull, &in);
        struct tar_entry e;
        char p[600];
        ssize_t r;
        assert_int_equal(tar_next(t, &e), TAR_ENTRY);
        while ((r = tar_read(t, p, sizeof(p))) > 0)
                ;
        assert_int_equal(r, -EIO);
        assert_int_equal(tar_next(t, &e), -EIO);
        buf_done(&b);
}

static void test_long_names(void **state)
{
        NEW(b);
        NEW(name);
        while (name.n < TAR_NAME_MAX)
                buf_puts(&name, "0123456/");
        put(&b, (struct h){ "L", 'L' }, buf_str(&name));
        put(&b, (struct h){ "x", '0' }, STR_NONE);
        struct input in = { buf_str(&b), 1000, 0 };
        _cleanup_(tar_freep) struct tar *t = tar_new(pull, &in);
        struct tar_entry e;
        assert_int_equal(tar_next(t, &e), TAR_ENTRY);
        assert_int_equal(e.name.n, TAR_NAME_MAX - 1);
        buf_done(&b);

        NEW(too_long);
        buf_puts(&name, "x");
        put(&too_long, (struct h){ "L", 'L' }, buf_str(&name));
        put(&too_long, (struct h){ "x", '0' }, STR_NONE);
        check(&too_long, "malformed: extension header that is too long \n");
        NEW(pax_long);
        PAX(&pax_long, 'x', "path", name.p);
        put(&pax_long, (struct h){ "x", '0' }, STR_NONE);
        check(&pax_long, "malformed: name that is too long \n");
        NEW(lie);
        put(&lie, (struct h){ "L", 'x', .size_text = "77777777777\0" }, STR_NONE);
        check(&lie, "malformed: extension header that is too long \n");
        buf_done(&name);
}

/* The same file in all forms: 3 bytes at 2, 2 bytes at 10, 20 in all. */
static void test_sparse(void **state)
{
        NEW(b);
        char *block = put_header(&b, (struct h){ "old", 'S', .size = 5, .magic = "ustar  \0" });
        memcpy(block + 386, "00000000002\00000000000003\0", 24);
        memcpy(block + 410, "00000000012\00000000000002\0", 24);
        memcpy(block + 483, "00000000024\0", 12);
        sign(block);
        put_content(&b, STR("abcde"));
        PAX(&b, 'x', "GNU.sparse.size", "20", "GNU.sparse.numblocks", "2", "GNU.sparse.offset", "2",
            "GNU.sparse.numbytes", "3", "GNU.sparse.offset", "10", "GNU.sparse.numbytes", "2");
        put(&b, (struct h){ "pax00", '0' }, STR("abcde"));
        PAX(&b, 'x', "GNU.sparse.size", "20", "GNU.sparse.map", "2,3,10,2,20,0", "GNU.sparse.name", "pax01",
            "GNU.sparse.major", "0", "GNU.sparse.minor", "1");
        put(&b, (struct h){ "x", '0' }, STR("abcde"));
        PAX(&b, 'x', "GNU.sparse.realsize", "20", "GNU.sparse.name", "pax10", "GNU.sparse.major", "1",
            "GNU.sparse.minor", "0");
        char content[517] = "3\n2\n3\n10\n2\n20\n0\n";
        memcpy(content + 512, "abcde", 5);
        put(&b, (struct h){ "x", '0' }, str_span(content, 517));
        put(&b, (struct h){ "after", '0' }, STR("z"));
        put_end(&b);
        check(&b, "fs old 644 1000 1001 15 20/5 [..abc.....de........]\n"
                  "fs pax00 644 1000 1001 15 20/5 [..abc.....de........]\n"
                  "fs pax01 644 1000 1001 15 20/5 [..abc.....de........]\n"
                  "fs pax10 644 1000 1001 15 20/5 [..abc.....de........]\n"
                  "f after 644 1000 1001 15 1/1 [z]\n"
                  "end\n");
}

/* Holes are passed over where they stand, if they are long enough; what is data is read all the same. */
static void test_pass_hole(void **state)
{
        NEW(b);
        PAX(&b, 'x', "GNU.sparse.size", "20", "GNU.sparse.map", "2,3,10,2,20,0");
        put(&b, (struct h){ "x", '0' }, STR("abcde"));
        struct input in = { buf_str(&b), 1u << 20, 0 };
        _cleanup_(tar_freep) struct tar *t = tar_new_pieces(pull_piece, &in);
        struct tar_entry e;
        const void *p;
        assert_int_equal(tar_next(t, &e), TAR_ENTRY);
        assert_int_equal(tar_pass_hole(t, 3), 0);
        assert_int_equal(tar_pass_hole(t, 2), 2);
        assert_int_equal(tar_pass_hole(t, 1), 0);
        assert_int_equal(tar_peek(t, &p), 3);
        assert_int_equal(tar_peek(t, &p), 5); /* read as zeros */
        assert_int_equal(tar_peek(t, &p), 2);
        assert_int_equal(tar_pass_hole(t, 1), 8);
        assert_int_equal(tar_peek(t, &p), 0);
        assert_int_equal(tar_next(t, &e), TAR_END);
        buf_done(&b);
}

static void test_sparse_old_extended(void **state)
{
        NEW(b);
        char *block = put_header(&b, (struct h){ "old", 'S', .size = 40, .magic = "ustar  \0" });
        unsigned at = 0;
        for (int i = 0; i < 4; i++, at += 3)
                snprintf(block + 386 + 24 * i, 24, "%011o%c%011o", at, 0, 1);
        block[482] = 1;
        memcpy(block + 483, "00000000170\0", 12);
        sign(block);
        for (int extension = 0; extension < 2; extension++) {
                char more[512] = { 0 };
                for (int i = 0; i < (extension ? 15 : 21); i++, at += 3)
                        snprintf(more + 24 * i, 24, "%011o%c%011o", at, 0, 1);
                more[504] = extension == 0;
                buf_add(&b, more, 512);
        }
        put_content(&b, STR("0123456789012345678901234567890123456789"));
        check(&b, "fs old 644 1000 1001 15 120/40 [0..1..2..3..4..5..6..7..8..9..0..1..2..3..4..5..6..7..8..9.."
                  "0..1..2..3..4..5..6..7..8..9..0..1..2..3..4..5..6..7..8..9..]\nend\n");
}

static void test_sparse_hostile(void **state)
{
        static const struct {
                const char *size, *map, *why;
        } cases[] = {
                { "20", "10,2,2,3", "sparse map that goes backwards " },
                { "20", "2,3,4,2", "sparse map that goes backwards " },
                { "20", "2,3,19,2", "sparse map that leaves the file " },
                { "20", "2,3,18446744073709551615,2", "sparse map that leaves the file " },
                { "20", "2,18446744073709551615,3,4", "sparse map that leaves the file " },
                { "20", "2,3,10,3", "sparse map that does not fit the stored size " },
                { "20", "2,3", "sparse map that does not fit the stored size " },
                { "20", "2,3,10", "sparse map that is not a list of numbers " },
                { "20", "2,3,,", "sparse map that is not a list of numbers " },
                { "18446744073709551615", "2,3,10,2", "sparse file that is too large " },
                { "-1", "2,3,10,2", "sparse record that is not a number " },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                NEW(b);
                char want[200];
                PAX(&b, 'x', "GNU.sparse.map", cases[i].map, "GNU.sparse.size", cases[i].size);
                put(&b, (struct h){ "x", '0' }, STR("abcde"));
                snprintf(want, sizeof(want), "malformed: %s\n", cases[i].why);
                check(&b, want);
        }
        static const char *const maps[] = { "999999999999\n", "2\n2\n3\n", "x\n", "1\n000000000000000000000002\n3\n",
                                            "" };
        for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
                NEW(b);
                NEW(got);
                char content[512] = { 0 };
                memcpy(content, maps[i], strlen(maps[i]));
                PAX(&b, 'x', "GNU.sparse.realsize", "20", "GNU.sparse.major", "1", "GNU.sparse.minor", "0");
                put(&b, (struct h){ "x", '0' }, str_span(content, 512));
                list(buf_str(&b), 512, true, &got);
                assert_int_equal(strncmp(got.p, "malformed: sparse map", 21), 0);
                buf_done(&b);
                buf_done(&got);
        }
}

/* A hole of nearly 2^63 bytes costs nothing to skip. */
static void test_huge_hole(void **state)
{
        NEW(b);
        PAX(&b, 'x', "GNU.sparse.map", "9223372036854770000,5", "GNU.sparse.size", "9223372036854770005");
        put(&b, (struct h){ "huge", '0' }, STR("abcde"));
        put(&b, (struct h){ "after", '0' }, STR("z"));
        check(&b, "fs huge 644 1000 1001 15 9223372036854770005/5 []\nf after 644 1000 1001 15 1/1 [z]\nend\n");
}

static void test_huge_sizes(void **state)
{
        NEW(b);
        put(&b, (struct h){ "x", '0', .size_text = "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xfb\xff" }, STR("abc"));
        check(&b, "f x 644 1000 1001 15 9223372036854774783/9223372036854774783 []\n"
                  "malformed: truncated in the content of an entry \n");
        NEW(larger);
        put(&larger, (struct h){ "x", '0', .size_text = "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xfc\x00" }, STR("abc"));
        check(&larger, "malformed: size that is not a number \n");
}

/* A small archive with something of everything. */
static struct buf sampler(void)
{
        NEW(b);
        put(&b, (struct h){ "dir/", '5' }, STR_NONE);
        put(&b, (struct h){ "././@LongLink", 'L' }, STR("long/name"));
        put(&b, (struct h){ "x", '0' }, STR("hello"));
        PAX(&b, 'x', "GNU.sparse.size", "20", "GNU.sparse.map", "2,3,10,2", "GNU.sparse.name", "sparse");
        put(&b, (struct h){ "x", '0' }, STR("abcde"));
        put(&b, (struct h){ "last", '0' }, STR("end"));
        put_end(&b);
        return b;
}

static void test_every_cut(void **state)
{
        struct buf b = sampler();
        NEW(whole);
        list(buf_str(&b), 4096, true, &whole);
        for (size_t n = 0; n < b.n; n++) {
                NEW(got);
                char *copy = malloc(n + 1); /* so that a sanitizer sees a read past the end */
                memcpy(copy, b.p, n);
                list(str_span(copy, n), 4096, n % 2, &got);
                free(copy);
                assert_int_equal(got.p[got.n - 1], '\n');
                buf_done(&got);
        }
        buf_done(&whole);
        buf_done(&b);
}

/* The checksum finds each flipped bit of a header, but for those that its own field does not count. */
static void test_every_flip(void **state)
{
        struct buf b = sampler();
        for (size_t bit = 0; bit < b.n * 8; bit++) {
                NEW(got);
                size_t in_block = bit / 8 % 512;
                b.p[bit / 8] ^= (char)(1 << bit % 8);
                list(buf_str(&b), 4096, bit % 2, &got);
                if (bit / 8 < 512 && (in_block < 148 || in_block >= 156))
                        assert_string_equal(got.p, "malformed: wrong header checksum \n");
                b.p[bit / 8] ^= (char)(1 << bit % 8);
                buf_done(&got);
        }
        buf_done(&b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_types),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_pax),
                cmocka_unit_test(test_pax_nul),
                cmocka_unit_test(test_pax_malformed),
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_ambiguous),
                cmocka_unit_test(test_signed_checksum),
                cmocka_unit_test(test_ends),
                cmocka_unit_test(test_pull_error),
                cmocka_unit_test(test_long_names),
                cmocka_unit_test(test_sparse),
                cmocka_unit_test(test_pass_hole),
                cmocka_unit_test(test_sparse_old_extended),
                cmocka_unit_test(test_sparse_hostile),
                cmocka_unit_test(test_huge_hole),
                cmocka_unit_test(test_huge_sizes),
                cmocka_unit_test(test_every_cut),
                cmocka_unit_test(test_every_flip),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
