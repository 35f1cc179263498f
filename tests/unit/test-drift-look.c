/* serve/drift-look.c and drift-list.c: files that are there, changed, gone; questions and answers that are none. */
#include "serve/drift-list.h"

#include "base/fs.h"
#include "proc/companion.h"
#include "read/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/sekisho-drift-look-XXXXXX";

static struct manifest_file files[] = {
        { .path = { "gone", 4 }, .size = 3 },
        { .path = { "link", 4 }, .size = 3 },
        { .path = { "program", 7 }, .size = 3 },
        { .path = { "short", 5 }, .size = 9 },
};
static const struct manifest manifest = { .name = { "image", 5 }, .files = files, .n_files = ARRAY_SIZE(files) };
static const struct container_entry here = { .cgroup_id = 7 };

static void write_file(const char *name, const char *text)
{
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
        assert_true(fd >= 0 && write_all(fd, text, strlen(text)) == 0);
        close(fd);
}

static void sha256(const char *text, uint8_t ret[static 32])
{
        uint8_t all[DIGEST_MAX];
        struct digest d;
        digest_init(&d, DIGEST_SHA256);
        digest_add(&d, text, strlen(text));
        digest_end(&d, all);
        digest_done(&d);
        memcpy(ret, all, 32);
}

static int setup(void **state)
{
        char path[128];
        assert_non_null(mkdtemp(folder));
        write_file("program", "abc");
        write_file("short", "abc");
        snprintf(path, sizeof(path), "%s/link", folder);
        assert_int_equal(symlink("program", path), 0);
        sha256("abc", files[2].sha256);
        return 0;
}

static int teardown(void **state)
{
        static const char *const names[] = { "program", "short", "link", "" };
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                char path[128];
                snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
                (void)remove(path);
        }
        return 0;
}

/* The question to the answer, without a process between. */
static int answered(struct drift_list *l, struct error *err)
{
        _cleanup_(buf_done) struct buf question = BUF_INIT(MESSAGE_MAX), reply = BUF_INIT(MESSAGE_MAX);
        int fd;
        drift_list_ask(l, &question);
        drift_look_answer(buf_str(&question), l->root, &reply, &fd);
        return drift_list_take(l, buf_str(&reply), fd, err);
}

static struct drift_list *found(void)
{
        struct error err = ERROR_NONE;
        struct drift_list *l = drift_list_new(&manifest, &here, (uint32_t)getpid(), STR_NONE, 0);
        assert_false(drift_list_is_found(l));
        assert_int_equal(answered(l, &err), 0);
        close(l->root); /* that of this process is the host's */
        l->root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_false(drift_list_is_found(l));
        assert_int_equal(answered(l, &err), 0);
        assert_true(drift_list_is_found(l));
        return l;
}

static enum drift_state content(struct drift_list *l, size_t i)
{
        _cleanup_(buf_done) struct buf question = BUF_INIT(MESSAGE_MAX), reply = BUF_INIT(MESSAGE_MAX);
        int fd;
        drift_list_ask_content(l, i, &question);
        drift_look_answer(buf_str(&question), l->root, &reply, &fd);
        assert_int_equal(fd, -1);
        return drift_list_take_content(l, i, buf_str(&reply));
}

static void lists_are_found(void **state)
{
        struct drift_list *l = found();
        struct stat st;
        char path[128];
        snprintf(path, sizeof(path), "%s/program", folder);
        assert_int_equal(stat(path, &st), 0);
        assert_true(l->is_own);
        assert_int_equal(l->present, 2);
        assert_int_equal(l->files[0].state, DRIFT_ABSENT);
        assert_int_equal(l->files[1].state, DRIFT_ABSENT); /* a link is no file */
        assert_int_equal(l->files[2].state, DRIFT_UNVERIFIED);
        assert_int_equal(l->files[3].state, DRIFT_DIFFERENT); /* of another size */
        assert_int_equal(drift_list_by_ino(l, st.st_ino), 2);
        assert_int_equal(drift_list_by_path(l, STR("/program")), 2);
        assert_int_equal(drift_list_by_path(l, STR("/other")), SIZE_MAX);
        drift_list_free(l);
}

static void contents_are_compared(void **state)
{
        struct drift_list *l = found();
        assert_int_equal(content(l, 2), DRIFT_VERIFIED);
        write_file("program", "xyz"); /* it has another change time now: it is not what was found */
        l->files[2].state = DRIFT_UNVERIFIED;
        assert_int_equal(content(l, 2), DRIFT_HIDDEN);
        drift_list_free(l);
        l = found();
        assert_int_equal(content(l, 2), DRIFT_DIFFERENT); /* what was found has another digest */
        l->layers = STR("/a:/b");
        write_file("program", "abc");
        assert_int_equal(content(l, 2), DRIFT_DIFFERENT); /* in layers nobody may change what was found */
        drift_list_free(l);
}

/* Every piece of a question and of an answer does no harm, and is not taken for one. */
static void pieces_are_nothing(void **state)
{
        struct buf questions[3] = { BUF_INIT(MESSAGE_MAX), BUF_INIT(MESSAGE_MAX), BUF_INIT(MESSAGE_MAX) };
        struct guard_file as = { .size = 3 };
        struct drift_seen seen[ARRAY_SIZE(files)];
        int root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        drift_ask_root(&questions[0], (uint32_t)getpid(), STR("/nonexistent/a:/nonexistent/b"), STR("/program"), 1);
        assert_int_equal(drift_ask_files(&questions[1], files, ARRAY_SIZE(files)), ARRAY_SIZE(files));
        drift_ask_content(&questions[2], &files[2], 1, &as);
        for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
                for (size_t n = 0; n <= questions[i].n; n++) {
                        _cleanup_(buf_done) struct buf reply = BUF_INIT(MESSAGE_MAX);
                        bool is_layers, is_whole = n == questions[i].n;
                        int fd;
                        drift_look_answer(str_upto(buf_str(&questions[i]), n), root, &reply, &fd);
                        int r = drift_told_root(buf_str(&reply), &is_layers);
                        assert_int_equal(r == 0, i == 0 && is_whole);
                        assert_int_equal(fd >= 0, r == 0);
                        close_fd(fd);
                        assert_int_equal(drift_told_files(buf_str(&reply), ARRAY_SIZE(files), seen),
                                         i == 1 && reply.n == ARRAY_SIZE(files) * 25);
                        assert_int_equal(drift_told_content(buf_str(&reply)), DRIFT_CONTENT_GONE);
                        for (size_t k = 0; k < reply.n; k++)
                                assert_false(drift_told_files(str_upto(buf_str(&reply), k), ARRAY_SIZE(files), seen));
                }
        for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
                buf_done(&questions[i]);
        close(root);
}

/* No question is longer than a message, whatever the paths are. */
static void questions_fit(void **state)
{
        static char path[5000];
        static struct manifest_file many[3000];
        memset(path, 'x', sizeof(path));
        for (size_t length = 1; length <= sizeof(path); length = length * 5 / 4 + 1) {
                for (size_t i = 0; i < ARRAY_SIZE(many); i++)
                        many[i].path = str_span(path, length);
                _cleanup_(buf_done) struct buf question = BUF_INIT(MESSAGE_MAX);
                size_t n = drift_ask_files(&question, many, ARRAY_SIZE(many));
                assert_in_range(n, 1, DRIFT_LOOK_FILES);
                assert_false(buf_is_full(&question));
        }
}

static void a_companion_answers(void **state)
{
        struct error err = ERROR_NONE;
        struct drift_companion c = { 0 };
        struct drift_list *l = drift_list_new(&manifest, &here, (uint32_t)getpid(), STR_NONE, 0);
        assert_int_equal(drift_companion_start(&c, 0, &err), 0);
        for (int rounds = 0; !drift_list_is_found(l); rounds++) {
                _cleanup_(buf_done) struct buf question = BUF_INIT(MESSAGE_MAX), reply = BUF_INIT(MESSAGE_MAX);
                struct pollfd p = { .fd = c.fd, .events = POLLIN };
                int fd = -1;
                assert_true(rounds < 2);
                drift_list_ask(l, &question);
                assert_int_equal(drift_companion_ask(&c, &question, l->root), 0);
                assert_int_equal(poll(&p, 1, 60000), 1);
                assert_int_equal(drift_companion_take(&c, &reply, &fd), 1);
                assert_int_equal(drift_list_take(l, buf_str(&reply), fd, &err), 0);
        }
        drift_companion_end(&c);
        assert_int_equal(c.pid, 0);
        drift_companion_end(&c);
        drift_list_free(l);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lists_are_found),     cmocka_unit_test(contents_are_compared),
                cmocka_unit_test(pieces_are_nothing),  cmocka_unit_test(questions_fit),
                cmocka_unit_test(a_companion_answers),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("drift-look", tests, setup, teardown);
}
