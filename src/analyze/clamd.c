/* See clamd.h. */
#include "analyze/clamd.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/fs.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* --- the helper's side --- */

struct asking {
        const struct clamd *clamd;
        char answer[CLAMD_ANSWER_MAX]; /* for the worker */
};

static _printf_(2, 3) void no_answer(struct asking *a, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        a->answer[0] = '!';
        vsnprintf(a->answer + 1, sizeof(a->answer) - 1, fmt, ap);
        va_end(ap);
}

static void out_of_patience(struct asking *a)
{
        no_answer(a, "budget clamd did not answer within %d s", (a->clamd->patience_ms + 999) / 1000);
}

/* Connects; what is sent then takes as long as patience lasts, at most. -1: there is no connection, as was told. */
static int connect_to_clamd(struct asking *a)
{
        struct sockaddr_un to = { .sun_family = AF_UNIX };
        struct timeval patience = { .tv_sec = a->clamd->patience_ms / 1000,
                                    .tv_usec = a->clamd->patience_ms % 1000 * 1000L };
        if ((size_t)snprintf(to.sun_path, sizeof(to.sun_path), "%s", a->clamd->path) >= sizeof(to.sun_path)) {
                no_answer(a, "denied cannot connect to clamd: the name of its socket is too long");
                return -1;
        }
        int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (s >= 0 && setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 &&
            connect(s, (const struct sockaddr *)&to, sizeof(to)) == 0)
                return s;
        if (errno == EAGAIN) /* its queue is full: it accepts nobody */
                out_of_patience(a);
        else
                no_answer(a, "denied cannot connect to clamd at %s: %s", a->clamd->path, strerror(errno));
        return close_fd(s);
}

/* The command; then, with one byte that says nothing, the descriptor. */
static bool hand_over(int s, int fd)
{
        static const char command[] = "zFILDES"; /* its NUL ends it */
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(sizeof(int))];
        } control = { .room = { 0 } };
        struct iovec byte = { .iov_base = (char[]){ 0 }, .iov_len = 1 };
        struct msghdr message = {
                .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control.room)
        };
        control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
                                           .cmsg_level = SOL_SOCKET,
                                           .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        return write_all(s, command, sizeof(command)) == 0 && sendmsg(s, &message, MSG_NOSIGNAL) == 1;
}

/* What clamd says up to its NUL, within the patience that is left. */
static void take_answer(struct asking *a, int s, int64_t until_ms)
{
        for (size_t n = 0; n < sizeof(a->answer);) {
                struct pollfd p = { .fd = s, .events = POLLIN };
                int64_t left = until_ms - monotonic_ms();
                int r = left <= 0 ? 0 : poll(&p, 1, (int)left);
                if (r < 0 && errno == EINTR)
                        continue;
                if (r == 0) {
                        out_of_patience(a);
                        return;
                }
                ssize_t got = r < 0 ? -1 : read(s, a->answer + n, sizeof(a->answer) - n);
                if (got <= 0) {
                        no_answer(a, "denied clamd closed the connection without an answer");
                        return;
                }
                if (memchr(a->answer + n, 0, (size_t)got))
                        return;
                n += (size_t)got;
        }
        no_answer(a, "unsupported clamd's answer is longer than %u bytes", CLAMD_ANSWER_MAX);
}

static void ask(struct asking *a, int fd)
{
        int64_t until_ms = monotonic_ms() + a->clamd->patience_ms;
        _cleanup_(closep) int s = connect_to_clamd(a);
        if (s < 0)
                return;
        /* Who hangs up before all was handed over may have said why. */
        if (!hand_over(s, fd) && errno == EAGAIN)
                out_of_patience(a);
        else
                take_answer(a, s, until_ms);
}

static bool read_exactly(int fd, void *p, size_t n)
{
        uint8_t *at = p;
        while (n) {
                ssize_t got = read(fd, at, n);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0)
                        return false;
                at += got;
                n -= (size_t)got;
        }
        return true;
}

/* Gathers one file. False: the worker is done, or not to be trusted. *ret_r: of keeping it; *ret_is_due: an answer. */
static bool gather(int from, int to, uint8_t *chunk, int *ret_r, bool *ret_is_due)
{
        uint64_t total = 0;
        *ret_r = to < 0 ? -errno : 0;
        for (;;) {
                uint8_t head[4];
                if (!read_exactly(from, head, sizeof(head)))
                        return false;
                struct cursor c = cursor_from(str_span(head, sizeof(head)));
                uint32_t n = cursor_le32(&c);
                *ret_is_due = n == CLAMD_END;
                if (n == CLAMD_END || n == CLAMD_FORGET)
                        return true;
                total += n;
                if (n > CLAMD_CHUNK_MAX || total > CLAMD_FILE_MAX || !read_exactly(from, chunk, n))
                        return false;
                if (*ret_r == 0)
                        *ret_r = write_all(to, chunk, n);
        }
}

static bool serve_file(struct asking *a, int worker, uint8_t *chunk)
{
        _cleanup_(closep) int file = memfd_create("sekisho", MFD_CLOEXEC);
        int r;
        bool is_due;
        if (!gather(worker, file, chunk, &r, &is_due))
                return false;
        if (!is_due)
                return true;
        a->answer[0] = 0;
        if (r == 0 && lseek(file, 0, SEEK_SET) < 0)
                r = -errno;
        if (r < 0)
                no_answer(a, "budget cannot keep a file for clamd: %s", strerror(-r));
        else
                ask(a, file);
        return write_all(worker, a->answer, strnlen(a->answer, sizeof(a->answer) - 1) + 1) == 0;
}

void clamd_serve(void *arg, int fd)
{
        struct asking a = { .clamd = arg };
        uint8_t *chunk = xmalloc(CLAMD_CHUNK_MAX);
        while (serve_file(&a, fd, chunk))
                ;
        free(chunk);
}

/* --- what an answer means --- */

/* Names under which clamd says that it did not look. */
static const struct {
        const char *prefix, *code;
} not_looked[] = {
        { "Heuristics.Limits.Exceeded.MaxFileSize", "too-large" },
        { "Heuristics.Limits.Exceeded.MaxScanSize", "too-large" },
        { "Heuristics.Limits.Exceeded.MaxRecursion", "too-deep" },
        { "Heuristics.Limits.Exceeded", "budget" },
        { "Heuristics.Encrypted.", "encrypted" },
};

static struct clamd_answer silent(const char *code, struct str words)
{
        return (struct clamd_answer){ .verdict = CLAMD_SILENT, .code = code, .words = words };
}

/* "code words" of the helper. */
static struct clamd_answer understand_helper(struct str text)
{
        static const char *const codes[] = { "budget", "denied", "unsupported" };
        struct str rest = text, code = str_cut(&rest, ' ');
        for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
                if (str_is(code, codes[i]))
                        return silent(codes[i], rest);
        return silent("unsupported", text);
}

static bool is_plain(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if ((uint8_t)s.p[i] < ' ' || (uint8_t)s.p[i] > '~')
                        return false;
        return true;
}

/* Cuts a last word off. */
static bool ends_in(struct str *s, struct str word)
{
        if (!str_ends(*s, word))
                return false;
        *s = str_trim(str_upto(*s, s->n - word.n));
        return true;
}

struct clamd_answer clamd_understand(struct str text)
{
        struct clamd_answer a = { .verdict = CLAMD_FOUND };
        if (str_starts(text, STR("!")))
                return understand_helper(str_from(text, 1));
        if (!is_plain(text))
                return silent("unsupported", STR("clamd's answer is none that clamd gives"));
        ptrdiff_t colon = str_find(text, STR(": ")); /* after "fd[7]" */
        a.words = colon < 0 ? text : str_from(text, (size_t)colon + 2);
        if (str_is(a.words, "OK") && colon > 0)
                return (struct clamd_answer){ .verdict = CLAMD_CLEAN };
        if (ends_in(&a.words, STR(" ERROR")) && a.words.n)
                return (struct clamd_answer){ .verdict = CLAMD_INCOMPLETE, .code = "unsupported", .words = a.words };
        if (colon <= 0 || !ends_in(&a.words, STR(" FOUND")) || !a.words.n)
                return silent("unsupported", STR("clamd's answer is none that clamd gives"));
        for (size_t i = 0; i < ARRAY_SIZE(not_looked); i++)
                if (str_starts(a.words, str_of(not_looked[i].prefix)))
                        return (struct clamd_answer){ .verdict = CLAMD_INCOMPLETE,
                                                      .code = not_looked[i].code,
                                                      .words = a.words };
        return a;
}
