/* Packing directories: what overlay and vfs layers become, notes, and the way through GNU tar and back. */
#include "source/treepack.h"

#include "base/fs.h"
#include "base/vec.h"
#include "read/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

static char work[128];

/* A shell command in the directory of the tests; anything but 0 fails. */
static void sh(const char *fmt, ...) _printf_(1, 2);
static void sh(const char *fmt, ...)
{
        char command[2048];
        int n = snprintf(command, sizeof(command), "cd %s && ", work);
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(command + n, sizeof(command) - (size_t)n, fmt, ap);
        va_end(ap);
        if (system(command) != 0) /* NOLINT: a fixed text */
                fail_msg("%s", command);
}

static int open_dir(const char *name)
{
        char path[256];
        snprintf(path, sizeof(path), "%s/%s", work, name);
        int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_true(fd >= 0);
        return fd;
}

/* Packs work/NAME into work/NAME.tar. */
static void pack(const char *name, const char *below, enum treepack_mode mode)
{
        struct treepack what = {
                .root_fd = open_dir(name), .below_fd = below ? open_dir(below) : -1, .mode = mode, .process_fd = -1
        };
        char path[256];
        struct error err = ERROR_NONE;
        snprintf(path, sizeof(path), "%s/%s.tar", work, name);
        int out = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (treepack_write(&what, out, &err) < 0)
                fail_msg("%s", err.text);
        close(out);
        close(what.root_fd);
        (void)close_fd(what.below_fd);
}

static ssize_t pull(void *arg, void *p, size_t n) { return read(*(int *)arg, p, n); }

/* The entries of work/NAME.tar, one a line: "TYPE NAME[ -> LINK][ literal][ ! UNREAD]". */
static struct str entries(const char *name, struct buf *b)
{
        static const char types[] = "fhlcbdp?";
        char path[256];
        snprintf(path, sizeof(path), "%s/%s.tar", work, name);
        int fd = open(path, O_RDONLY | O_CLOEXEC), r;
        struct tar *t = tar_new(pull, &fd);
        struct tar_entry e;
        buf_clear(b);
        while ((r = tar_next(t, &e)) == TAR_ENTRY) {
                buf_printf(b, "%c %.*s", types[e.type], STR_FMT(e.name));
                if (e.link.n)
                        buf_printf(b, " -> %.*s", STR_FMT(e.link));
                buf_printf(b, "%s%s%.*s\n", e.is_literal ? " literal" : "", e.unread.n ? " ! " : "", STR_FMT(e.unread));
        }
        assert_int_equal(r, TAR_END);
        assert_true(tar_ended_cleanly(t));
        tar_free(t);
        close(fd);
        return buf_str(b);
}

static void assert_entries(const char *name, const char *want)
{
        struct buf b = BUF_INIT(1u << 20);
        struct str got = entries(name, &b);
        if (!str_is(got, want))
                fail_msg("%s holds\n%.*s\ninstead of\n%s", name, STR_FMT(got), want);
        buf_done(&b);
}

static void test_round_trip(void **state)
{
        sh("mkdir -p rt/a/b/c && cd rt && echo x >a/x && ln a/x a/b/y && ln -s ../x a/b/l && mkfifo p && : >empty"
           " && head -c 3000000 /dev/zero | tr '\\0' q >big && truncate -s 9G sparse && echo end >>sparse"
           " && mkdir $(printf 'd%%.0s' $(seq 120)) && echo y >$(printf 'd%%.0s' $(seq 120))/$(printf 'f%%.0s' $(seq "
           "250))"
           " && ln -s $(printf 'f%%.0s' $(seq 250)) longlink && touch -d @-100 old && chmod 2751 a && : >.wh.file");
        pack("rt", NULL, TREEPACK_PLAIN);
        sh("mkdir out && tar -C out -xpf rt.tar 2>/dev/null && diff -r --no-dereference --exclude=p --exclude=sparse "
           "rt out && test -p "
           "out/p"
           " && test $(stat -c %%i out/a/x) = $(stat -c %%i out/a/b/y) && test $(stat -c %%s rt.tar) -lt 4000000"
           " && test $(stat -c %%b out/sparse) -lt 100 && test $(tail -c 4 out/sparse) = end && test $(stat -c %%s "
           "out/sparse) = $((9 * 1024 * 1024 * 1024 + 4)) && test $(stat -c %%a out/a) = 2751 && test $(stat -c %%Y "
           "out/old) = -100");
}

static void test_order_and_marks(void **state)
{
        sh("mkdir -p om/b om/a && : >om/b/.wh..wh..opq && : >om/.wh.a && echo >om/c && ln om/c om/d && ln -s "
           "/etc/shadow om/s");
        pack("om", NULL, TREEPACK_PLAIN);
        assert_entries("om",
                       "f .wh.a literal\nd a\nd b\nf b/.wh..wh..opq literal\nf c\nh d -> c\nl s -> /etc/shadow\n");
}

static void test_overlay(void **state)
{
        sh("mkdir -p ov/opaque ov/d && echo new >ov/opaque/new && echo x >ov/d/x && : >ov/.wh.fuse");
        struct buf path = BUF_INIT(256);
        buf_printf(&path, "%s/ov/gone", work);
        if (mknod(path.p, S_IFCHR | 0600, makedev(0, 0)) < 0)
                skip();
        buf_clear(&path);
        buf_printf(&path, "%s/ov/opaque", work);
        if (setxattr(path.p, "trusted.overlay.opaque", "y", 1, 0) < 0)
                skip();
        buf_clear(&path);
        buf_printf(&path, "%s/ov/d/x", work);
        assert_return_code(setxattr(path.p, "trusted.overlay.metacopy", "", 0, 0), errno);
        buf_done(&path);
        pack("ov", NULL, TREEPACK_OVERLAY);
        assert_entries(
                "ov", "f .wh.fuse\nd d\nf d/x ! unsupported overlay metacopy: only the owner or mode changed here, the "
                      "content lies in a layer below\nf .wh.gone\nd opaque\nf opaque/.wh..wh..opq\nf opaque/new\n");
}

static void test_changes(void **state)
{
        sh("mkdir -p lo/same/deep lo/gone lo/kind lo/mode && cd lo && echo 1 >same/deep/f && echo 1 >gone/f && echo 1 "
           ">kind/f"
           " && echo 1 >content && echo 1 >touched && ln -s a link && echo 1 >mode/f && cd .. && cp -a lo up && cd up"
           " && rm -r gone kind && echo now >kind && touch -r ../lo/content ../stamp && echo 2 >content && touch -r "
           "../stamp content"
           " && touch -d @5 touched && ln -sf b link && chmod 600 mode/f && echo 3 >same/deep/more && touch -r "
           "../lo/same/deep same/deep");
        pack("up", "lo", TREEPACK_CHANGES);
        /* "content" has its old size and time: only its bytes differ */
        assert_entries("up", "f .wh.gone\nf content\nf kind\nl link -> b\nf mode/f\nf same/deep/more\nf touched\n");
        sh("mkdir -p first/d && echo >first/d/f");
        pack("first", NULL, TREEPACK_CHANGES);
        assert_entries("first", "d d\nf d/f\n");
}

/* Files that promise more than they give: sysfs says 4096 bytes for all of them. */
static void test_short_files(void **state)
{
        static const char dir[] = "/sys/kernel/mm/transparent_hugepage/khugepaged";
        struct treepack what = { .root_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC),
                                 .below_fd = -1,
                                 .process_fd = -1 };
        if (what.root_fd < 0)
                skip();
        struct buf b = BUF_INIT(1u << 20);
        char path[256];
        snprintf(path, sizeof(path), "%s/short.tar", work);
        int out = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(treepack_write(&what, out, NULL), 0);
        close(out);
        close(what.root_fd);
        struct str got = entries("short", &b);
        assert_true(str_find(got, STR("f defrag\n? defrag ! changed ")) >= 0);
        buf_done(&b);
}

static void test_reader_gone(void **state)
{
        int fds[2];
        sh("mkdir -p gonebig && head -c 1000000 /dev/zero >gonebig/f");
        struct treepack what = { .root_fd = open_dir("gonebig"), .below_fd = -1, .process_fd = -1 };
        assert_int_equal(pipe(fds), 0);
        close(fds[0]);
        assert_int_equal(treepack_write(&what, fds[1], NULL), -EPIPE);
        close(fds[1]);
        close(what.root_fd);
}

/* Deeper than any path can name: no recursion, few descriptors, and the cut is told. */
static void test_depth(void **state)
{
        char name[201];
        memset(name, 'n', 200);
        name[200] = 0;
        sh("mkdir deep");
        int at = open_dir("deep");
        for (int i = 0; i < 400; i++) {
                assert_return_code(mkdirat(at, name, 0700), errno);
                int f = openat(at, "z", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
                assert_return_code(f, errno);
                close(f);
                int next = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
                assert_return_code(next, errno);
                close(at);
                at = next;
        }
        close(at);
        pack("deep", NULL, TREEPACK_PLAIN);
        struct buf b = BUF_INIT(256u << 20);
        struct str got = entries("deep", &b);
        size_t files = 0;
        for (size_t i = 0; i + 2 < got.n; i++)
                files += memcmp(got.p + i, "/z\n", 3) == 0;
        assert_true(files > 300 && files < 400);
        assert_true(str_find(got, STR(" ! limit the path is too long")) >= 0);
        buf_done(&b);
}

static int set_up(void **state)
{
        signal(SIGPIPE, SIG_IGN);
        snprintf(work, sizeof(work), "%s/treepack-XXXXXX", env_or("TMPDIR", "/tmp"));
        return mkdtemp(work) ? 0 : -1;
}

static int tear_down(void **state)
{
        char command[256];
        snprintf(command, sizeof(command), "rm -rf %s", work);
        return system(command); /* NOLINT: a fixed text */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),  cmocka_unit_test(test_order_and_marks),
                cmocka_unit_test(test_overlay),     cmocka_unit_test(test_changes),
                cmocka_unit_test(test_short_files), cmocka_unit_test(test_reader_gone),
                cmocka_unit_test(test_depth),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, set_up, tear_down);
}
