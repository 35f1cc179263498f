/* See journal.h. */
#include "act/journal.h"

#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Bytes that are no UTF-8 (a container's name is its engine's to choose) are left out. */
static json_t *text(const char *s)
{
        json_t *j = json_string(s);
        return j ? j : json_string("");
}

static char *line_of(const struct act_action *a, const struct act_target *t, const struct act_order *o, int r,
                     const char *failure)
{
        static const char *const outcomes[] = { "done", "already", "would" };
        char now[64], day[32], undo[ACT_NAME_MAX + 64] = "";
        struct timespec clock;
        struct tm tm;
        clock_gettime(CLOCK_REALTIME, &clock);
        gmtime_r(&clock.tv_sec, &tm);
        strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(now, sizeof(now), "%s.%09ldZ", day, clock.tv_nsec);
        if (a->undo && r == ACT_DONE)
                snprintf(undo, sizeof(undo), "sekisho contain %s %s", a->undo, t->id);
        json_t *container = json_pack("{s:o, s:o, s:o, s:o, s:I}", "id", text(t->id), "name", text(t->name), "image",
                                      text(t->image), "cgroup", text(t->cgroup), "cgroup_id", (json_int_t)t->cgroup_id);
        json_t *root = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:I, s:o*, s:o*}", "time", now, "action", a->name,
                                 "outcome", r < 0 ? "failed" : outcomes[r], "container", container, "by", text(o->by),
                                 "why", text(o->why), "uid", (json_int_t)getuid(), "undo", undo[0] ? text(undo) : NULL,
                                 "words", r < 0 ? text(failure) : NULL);
        char *line = json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII);
        json_decref(root);
        return line;
}

int act_journal(const struct act_action *a, const struct act_target *t, const struct act_order *o, int r,
                const char *failure, struct error *err)
{
        if (!o->journal)
                return 0;
        _cleanup_(freep) char *line = line_of(a, t, o, r, failure);
        _cleanup_(buf_done) struct buf b = BUF_INIT((size_t)1 << 20);
        char dir[ACT_PATH_MAX];
        snprintf(dir, sizeof(dir), "%s", o->journal);
        char *slash = strrchr(dir, '/');
        if (slash && slash != dir) {
                *slash = '\0';
                (void)make_dirs(dir, 0700); /* open() says what is wrong */
        }
        _cleanup_(closep) int fd = open(o->journal, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        buf_puts(&b, line ? line : "{}");
        buf_putc(&b, '\n');
        int w = fd < 0 ? -errno : write_all(fd, b.p, b.n);
        if (w == 0 && fdatasync(fd) < 0 && errno != EINVAL) /* of a pipe or a device */
                w = -errno;
        return w < 0 ? error_errno(err, w, "the action is not written down in %s", o->journal) : 0;
}
