/* See drift-look.h. */
#include "serve/drift-look.h"

#include "base/cursor.h"
#include "base/fs.h"
#include "proc/companion.h"
#include "read/digest.h"
#include "serve/overlay-layers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND_NS    UINT64_C(1000000000)
#define READ_BYTES   65536u
#define NAMES_BYTES  ((size_t)48 << 10) /* of the paths of one question */
#define SHA256_BYTES 32u

enum question { ASK_ROOT, ASK_FILES, ASK_CONTENT };

_Static_assert(NAMES_BYTES + PATH_MAX + 64 < MESSAGE_MAX, "a question fits into a message");
_Static_assert(DRIFT_LOOK_FILES * 25 < MESSAGE_MAX, "an answer fits into a message");

/* ------------------------------------------------------------------------------------------------- questions ---- */

static void put_text(struct buf *to, struct str s)
{
        buf_le32(to, (uint32_t)s.n);
        buf_add_str(to, s);
}

static struct str take_text(struct cursor *c)
{
        uint32_t n = cursor_le32(c);
        return cursor_bytes(c, n);
}

void drift_ask_root(struct buf *to, uint32_t pid, struct str lower, struct str exe_path, uint64_t exe_ino)
{
        buf_u8(to, ASK_ROOT);
        buf_le32(to, pid);
        buf_le64(to, exe_ino);
        put_text(to, lower.n <= DRIFT_LOWER_MAX ? lower : STR_NONE);
        put_text(to, exe_path);
}

size_t drift_ask_files(struct buf *to, const struct manifest_file *files, size_t n)
{
        size_t i = 0;
        buf_u8(to, ASK_FILES);
        for (; i < MIN(n, (size_t)DRIFT_LOOK_FILES) && to->n < NAMES_BYTES; i++)
                put_text(to, files[i].path.n < PATH_MAX ? files[i].path : STR_NONE);
        return i;
}

void drift_ask_content(struct buf *to, const struct manifest_file *file, uint64_t ino, const struct guard_file *as)
{
        buf_u8(to, ASK_CONTENT);
        buf_le64(to, ino);
        buf_le64(to, as->size);
        buf_le64(to, as->ctime_ns);
        buf_add(to, file->sha256, SHA256_BYTES);
        put_text(to, file->path);
}

/* --------------------------------------------------------------------------------------------------- answers ---- */

int drift_told_root(struct str reply, bool *ret_is_layers)
{
        struct cursor c = cursor_from(reply);
        bool is_layers = cursor_u8(&c);
        uint32_t number = cursor_le32(&c);
        if (!cursor_ok(&c) || !cursor_at_end(&c) || number > INT16_MAX)
                return -EPROTO;
        *ret_is_layers = is_layers;
        return -(int)number;
}

bool drift_told_files(struct str reply, size_t n, struct drift_seen *ret)
{
        struct cursor c = cursor_from(reply);
        for (size_t i = 0; i < n; i++) {
                ret[i].is_there = cursor_u8(&c);
                ret[i].ino = cursor_le64(&c);
                ret[i].file.size = cursor_le64(&c);
                ret[i].file.ctime_ns = cursor_le64(&c);
        }
        return cursor_ok(&c) && cursor_at_end(&c);
}

enum drift_content drift_told_content(struct str reply)
{
        bool is_one = reply.n == 1 && (unsigned char)reply.p[0] <= DRIFT_CONTENT_GONE;
        return is_one ? (enum drift_content)reply.p[0] : DRIFT_CONTENT_GONE;
}

/* --------------------------------------------------------------------------------------------------- looking ---- */

static struct guard_file attributes(const struct stat *st)
{
        return (struct guard_file){ .size = (uint64_t)st->st_size,
                                    .ctime_ns =
                                            (uint64_t)st->st_ctim.tv_sec * SECOND_NS + (uint64_t)st->st_ctim.tv_nsec };
}

static bool find_file(int root, struct str path, struct stat *ret)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        _cleanup_(closep) int fd = open_in_root(root, arena_cstr(&arena, path), O_PATH | O_NOFOLLOW);
        return fd >= 0 && fstat(fd, ret) == 0 && S_ISREG(ret->st_mode);
}

/* Do the numbers that the layers' root shows mean what the container's root means by them? */
static bool agrees(int root, struct str exe_path, uint64_t exe_ino)
{
        struct stat st;
        if (exe_path.n < 2 || exe_path.p[0] != '/')
                return true;
        return find_file(root, str_from(exe_path, 1), &st) && st.st_ino == exe_ino;
}

static int open_root(uint32_t pid, struct str lower, struct str exe_path, uint64_t exe_ino, bool *ret_is_layers)
{
        char path[64];
        int root = lower.n ? overlay_layers_open(lower, NULL) : -1;
        *ret_is_layers = root >= 0 && agrees(root, exe_path, exe_ino);
        if (*ret_is_layers)
                return root;
        close_fd(root);
        snprintf(path, sizeof(path), "/proc/%u/root/", pid);
        root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return root < 0 ? -errno : root;
}

static void answer_root(struct cursor *c, struct buf *reply, int *ret_fd)
{
        uint32_t pid = cursor_le32(c);
        uint64_t exe_ino = cursor_le64(c);
        struct str lower = take_text(c), exe_path = take_text(c);
        bool is_layers = false;
        int root = cursor_ok(c) ? open_root(pid, lower, exe_path, exe_ino, &is_layers) : -EPROTO;
        buf_u8(reply, is_layers);
        buf_le32(reply, root < 0 ? (uint32_t)-root : 0);
        *ret_fd = MAX(root, -1);
}

static void answer_files(struct cursor *c, int root, struct buf *reply)
{
        while (!cursor_at_end(c) && cursor_ok(c)) {
                struct str path = take_text(c);
                struct stat st;
                struct guard_file now = { 0 };
                bool is_there = path.n && find_file(root, path, &st);
                if (is_there)
                        now = attributes(&st);
                buf_u8(reply, is_there);
                buf_le64(reply, is_there ? st.st_ino : 0);
                buf_le64(reply, now.size);
                buf_le64(reply, now.ctime_ns);
        }
}

static bool is_as(int fd, uint64_t ino, const struct guard_file *as)
{
        struct stat st;
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_ino != ino)
                return false;
        struct guard_file now = attributes(&st);
        return now.size == as->size && now.ctime_ns == as->ctime_ns;
}

/* The digest of a file that is as it was found, before and after it was read. */
static enum drift_content compare(int root, struct str path, uint64_t ino, const struct guard_file *as,
                                  struct str wanted)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        uint8_t found[DIGEST_MAX], *buffer = arena_alloc(&arena, READ_BYTES);
        struct digest d;
        ssize_t n;
        _cleanup_(closep) int fd =
                open_in_root(root, arena_cstr(&arena, path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 || !is_as(fd, ino, as))
                return DRIFT_CONTENT_GONE;
        digest_init(&d, DIGEST_SHA256);
        while ((n = read(fd, buffer, READ_BYTES)) > 0)
                digest_add(&d, buffer, (size_t)n);
        digest_end(&d, found);
        digest_done(&d);
        if (n < 0 || !is_as(fd, ino, as))
                return DRIFT_CONTENT_GONE;
        return memcmp(found, wanted.p, SHA256_BYTES) == 0 ? DRIFT_CONTENT_SAME : DRIFT_CONTENT_OTHER;
}

static void answer_content(struct cursor *c, int root, struct buf *reply)
{
        uint64_t ino = cursor_le64(c);
        struct guard_file as = { .size = cursor_le64(c) };
        as.ctime_ns = cursor_le64(c);
        struct str wanted = cursor_bytes(c, SHA256_BYTES), path = take_text(c);
        buf_u8(reply, cursor_ok(c) ? compare(root, path, ino, &as, wanted) : DRIFT_CONTENT_GONE);
}

void drift_look_answer(struct str question, int root, struct buf *reply, int *ret_fd)
{
        struct cursor c = cursor_from(question);
        *ret_fd = -1;
        switch ((enum question)cursor_u8(&c)) {
        case ASK_ROOT:
                answer_root(&c, reply, ret_fd);
                break;
        case ASK_FILES:
                answer_files(&c, root, reply);
                break;
        case ASK_CONTENT:
                answer_content(&c, root, reply);
                break;
        }
}

/* ------------------------------------------------------------------------------------------------- companion ---- */

static void run(void *arg, int fd)
{
        char question[MESSAGE_MAX];
        int fds[MESSAGE_FDS_MAX];
        ssize_t n;
        struct buf reply = BUF_INIT(MESSAGE_MAX);
        (void)prctl(PR_SET_NAME, "sekisho-drift"); /* for who looks at a list of processes */
        if (nice(*(const int *)arg) < 0)
                errno = 0; /* then it is not */
        while ((n = message_take(fd, question, sizeof(question), fds)) > 0) {
                int root = -1;
                buf_clear(&reply);
                drift_look_answer(str_span(question, (size_t)n), fds[0], &reply, &root);
                if (message_send(fd, reply.n ? reply.p : "", MAX(reply.n, (size_t)1), &root, root >= 0) < 0)
                        break;
                close_fd(root);
                for (size_t i = 0; i < MESSAGE_FDS_MAX; i++)
                        close_fd(fds[i]);
        }
        _exit(0);
}

int drift_companion_start(struct drift_companion *c, int niceness, struct error *err)
{
        static const int keep[COMPANION_KEEPS] = { -1, -1 };
        return companion_start(run, &niceness, keep, true, &c->fd, &c->pid, err);
}

int drift_companion_ask(const struct drift_companion *c, const struct buf *question, int root)
{
        return buf_is_full(question) ? -EMSGSIZE : message_send(c->fd, question->p, question->n, &root, root >= 0);
}

int drift_companion_take(const struct drift_companion *c, struct buf *reply, int *ret_fd)
{
        char bytes[MESSAGE_MAX];
        int fds[MESSAGE_FDS_MAX];
        ssize_t n = message_take(c->fd, bytes, sizeof(bytes), fds);
        if (n <= 0)
                return n == -EAGAIN ? 0 : n < 0 ? (int)n : -EPIPE;
        for (size_t i = 1; i < MESSAGE_FDS_MAX; i++) /* it sends one at most */
                close_fd(fds[i]);
        *ret_fd = fds[0];
        buf_clear(reply);
        buf_add(reply, bytes, (size_t)n);
        return 1;
}

void drift_companion_end(struct drift_companion *c)
{
        if (!c->pid)
                return;
        c->fd = close_fd(c->fd);
        kill(c->pid, SIGKILL);
        while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
                ;
        c->pid = 0;
}
