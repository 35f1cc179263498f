/* See integrity-child.h. Messages are whole lines; the last one begins with a dot. */
#include "serve/integrity-child.h"

#include "base/fs.h"
#include "proc/companion.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCH_BYTES 24576u /* a line is shorter than what is left of a message then */
#define NICENESS    10
#define AT_ONCE     16u /* messages that are taken between two events */
#define LAST        ". "

/* --------------------------------------------------------------------------------------------------- the child ---- */

static void send(int fd, const char *p, size_t n)
{
        if (n > 0 && write(fd, p, n) < 0)
                _exit(1); /* nobody waits for it any more */
}

/* As many of them as fit into a message; where the next one begins. */
static size_t send_some(int fd, const struct integrity_set *s, size_t from)
{
        char *text = NULL;
        size_t size = 0;
        FILE *lines = open_memstream(&text, &size);
        while (lines && from < s->v.n && ftell(lines) < (long)BATCH_BYTES)
                integrity_entry_print(lines, &s->v.v[from++]);
        if (!lines || fclose(lines) != 0)
                _exit(1);
        send(fd, text, size);
        free(text);
        return from;
}

static void look(const struct integrity_task *t, struct integrity_set *to)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct integrity_entry one;
        if (t->path.n == 0)
                integrity_look(t->config, t->scope, t->root_fd, t->known, to);
        else if (integrity_look_at(t->config, t->scope, t->root_fd, t->path, &arena, &one))
                integrity_put(to, &one);
}

static void run(void *arg, int fd)
{
        const struct integrity_task *t = arg;
        struct integrity_set found = { 0 };
        struct error err = ERROR_NONE;
        char last[ERROR_TEXT_MAX + 64];
        if (nice(NICENESS) < 0)
                errno = 0; /* then it is not */
        if (t->set)
                (void)integrity_set_write(t->set, t->to, &err);
        else
                look(t, &found);
        for (size_t i = 0; i < found.v.n;)
                i = send_some(fd, &found, i);
        int n = snprintf(last, sizeof(last), LAST "%zu %zu %s", found.unread, found.dropped, err.text);
        send(fd, last, MIN((size_t)n, sizeof(last) - 1));
        _exit(0);
}

/* --------------------------------------------------------------------------------------------------- the agent ---- */

int integrity_child_start(struct integrity_child *c, const struct integrity_task *task, struct error *err)
{
        const int keep[COMPANION_KEEPS] = { task->root_fd, task->config->keep ? task->config->keep->dir : -1 };
        *c = (struct integrity_child){ .fd = -1 };
        return companion_start(run, (void *)task, keep, true, &c->fd, &c->pid, err);
}

static bool take_last(struct integrity_child *c, struct str line)
{
        uint64_t unread, dropped;
        struct str first = str_cut(&line, ' '), second = str_cut(&line, ' ');
        if (!str_u64(first, &unread) || !str_u64(second, &dropped))
                return false;
        c->found.unread = (size_t)unread;
        c->found.dropped = (size_t)dropped;
        if (line.n)
                (void)error_set(&c->failure, -EIO, "%.*s", STR_FMT(line));
        c->is_whole = true;
        return true;
}

static bool take_lines(struct integrity_child *c, struct str text)
{
        if (str_starts(text, STR(LAST)))
                return take_last(c, str_from(text, strlen(LAST)));
        while (text.n) {
                _cleanup_(arena_done) struct arena arena = ARENA_INIT;
                struct integrity_entry e;
                if (!integrity_entry_read(str_cut(&text, '\n'), &arena, &e))
                        return false;
                integrity_put(&c->found, &e);
        }
        return true;
}

int integrity_child_take(struct integrity_child *c, struct error *err)
{
        for (unsigned i = 0; i < AT_ONCE && !c->is_whole; i++) {
                char bytes[MESSAGE_MAX];
                int fds[MESSAGE_FDS_MAX];
                ssize_t n = message_take(c->fd, bytes, sizeof(bytes), fds);
                if (n == -EAGAIN)
                        return 0;
                if (n <= 0 || !take_lines(c, str_span(bytes, (size_t)n)))
                        return error_set(err, -EPIPE,
                                         "the process that looks ended before it had looked at everything");
        }
        return c->is_whole;
}

void integrity_child_end(struct integrity_child *c)
{
        if (c->pid) {
                kill(c->pid, SIGKILL);
                while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
                        ;
                c->fd = close_fd(c->fd);
        }
        c->pid = 0;
        integrity_set_done(&c->found);
}
