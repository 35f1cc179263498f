/*
 * Reports of the guard's processes to the agent. None of those that answer events ever waits for the agent: what does
 * not fit into the socket is kept, up to a bound, and counted beyond it; the next report that is taken says how many.
 */
#include "serve/guard-private.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

const char *guard_access_name(uint64_t mask)
{
        return mask & FAN_OPEN_EXEC_PERM ? "exec"
               : mask & FAN_OPEN_PERM    ? "open"
               : mask & ACCESS_AHEAD     ? "ahead"
                                         : "written";
}

bool report_wants_to_write(const struct reporter *r) { return r->n > 0; }

static void forget_first(struct reporter *r)
{
        buf_done(r->kept[r->first]);
        free(r->kept[r->first]);
        r->first = (r->first + 1) % REPORTS_KEPT_MAX;
        r->n--;
}

void report_flush(struct reporter *r)
{
        while (r->n) {
                const struct buf *b = r->kept[r->first];
                if (message_send(r->fd, b->p, b->n, NULL, 0) == -EAGAIN)
                        return;
                forget_first(r); /* sent; or there is nobody any more who would read it */
        }
}

void report_send(struct reporter *r, const struct fact_guarded *f)
{
        struct fact_guarded copy = *f;
        if (r->n == REPORTS_KEPT_MAX)
                report_flush(r);
        if (r->n == REPORTS_KEPT_MAX) {
                r->lost++;
                return;
        }
        if (r->lost && !copy.count)
                copy.count = 1;
        copy.count += r->lost;
        r->lost = 0;
        struct buf *b = xmalloc(sizeof(*b));
        *b = BUF_INIT(MESSAGE_MAX);
        fact_encode(FACT_guarded, &copy, b);
        if (buf_is_full(b)) { /* arguments and names are what can be long */
                copy.cmdline = copy.exe = copy.detail = copy.description = copy.members = STR_NONE;
                copy.path = str_upto(copy.path, 4096);
                copy.host_path = str_upto(copy.host_path, 4096);
                buf_done(b);
                *b = BUF_INIT(MESSAGE_MAX);
                fact_encode(FACT_guarded, &copy, b);
        }
        r->kept[(r->first + r->n++) % REPORTS_KEPT_MAX] = b;
        report_flush(r);
}

void report_finish(struct reporter *r, int patience_ms)
{
        int64_t end = guard_now_ns(CLOCK_MONOTONIC) + patience_ms * MS_NS;
        for (report_flush(r); r->n;) {
                struct pollfd p = { .fd = r->fd, .events = POLLOUT };
                int64_t left = (end - guard_now_ns(CLOCK_MONOTONIC)) / MS_NS;
                if (left <= 0 || poll(&p, 1, (int)left) <= 0)
                        break;
                report_flush(r);
        }
        while (r->n)
                forget_first(r);
}
