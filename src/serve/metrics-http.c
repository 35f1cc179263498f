/*
 * See metrics-http.h. One thread: libmicrohttpd's sockets and the agent's are waited for together. Its parser meets
 * strangers' bytes here, in a process without rights (child.h).
 */
#include "serve/metrics-http.h"

#include "base/arena.h"
#include "base/clock.h"
#include "serve/child.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TEXT_TYPE   "text/plain; version=0.0.4; charset=utf-8" /* Prometheus' text format */
#define WAIT_MAX_MS 1000
#define DRAINED_MAX 64 /* answers that came too late, thrown away before a question */
#define ALLOW       "GET, HEAD"

struct server {
        int fd;     /* the agent */
        char *text; /* of CHILD_MESSAGE_MAX bytes, the last answer; n == 0: none came */
        size_t n;
        int64_t asked_ms; /* when it was true; 0: never */
        bool is_over;     /* the agent is gone */
};

/* One message within the time. False: none came, or the agent is gone. */
static bool receive(struct server *s, int timeout_ms)
{
        struct pollfd p = { .fd = s->fd, .events = POLLIN };
        if (poll(&p, 1, timeout_ms) <= 0)
                return false;
        ssize_t n = recv(s->fd, s->text, CHILD_MESSAGE_MAX, MSG_DONTWAIT);
        s->is_over = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
        s->n = n > 0 ? (size_t)n : 0;
        return n > 0;
}

/* The metrics as they are now, or were a moment ago. False: the agent does not answer. */
static bool refresh(struct server *s)
{
        static const char ask = METRICS_ASK;
        if (s->asked_ms > 0 && monotonic_ms() - s->asked_ms < METRICS_FRESH_MS)
                return s->n > 0;
        for (int i = 0; i < DRAINED_MAX && receive(s, 0); i++)
                ;
        s->n = 0;
        s->asked_ms = monotonic_ms(); /* a question without an answer is not asked again at once either */
        return !s->is_over && send(s->fd, &ask, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 && receive(s, METRICS_ANSWER_MS);
}

static enum MHD_Result reply(struct MHD_Connection *to, unsigned status, struct str text, const char *header,
                             const char *value)
{
        struct MHD_Response *r = MHD_create_response_from_buffer(text.n, (void *)text.p, MHD_RESPMEM_MUST_COPY);
        if (!r)
                return MHD_NO;
        enum MHD_Result done = MHD_add_response_header(r, header, value);
        if (done == MHD_YES)
                done = MHD_queue_response(to, status, r);
        MHD_destroy_response(r);
        return done;
}

static enum MHD_Result complain(struct MHD_Connection *to, unsigned status, const char *words)
{
        return reply(to, status, str_of(words), MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
}

/* Called with the head of a request: *state is NULL, and again when all of its body was there. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *to, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_bytes, void **state)
{
        struct server *s = arg;
        (void)version;
        (void)upload;
        (void)state;
        *upload_bytes = 0;
        if (strcmp(url, METRICS_PATH) != 0)
                return complain(to, MHD_HTTP_NOT_FOUND, "Nothing is here but " METRICS_PATH ".\n");
        if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
                return reply(to, MHD_HTTP_METHOD_NOT_ALLOWED, STR("Only GET and HEAD.\n"), MHD_HTTP_HEADER_ALLOW,
                             ALLOW);
        if (!refresh(s))
                return complain(to, MHD_HTTP_SERVICE_UNAVAILABLE, "The agent does not answer.\n");
        return reply(to, MHD_HTTP_OK, str_span(s->text, s->n), MHD_HTTP_HEADER_CONTENT_TYPE, TEXT_TYPE);
}

/*
 * How long libmicrohttpd may be left alone. Not for longer than a second, whatever it says: at its limit it takes the
 * listening socket out of its set, and puts it back in the run after the one that closed connections only.
 */
static int patience_ms(struct MHD_Daemon *d)
{
        MHD_UNSIGNED_LONG_LONG ms;
        return MHD_get_timeout(d, &ms) == MHD_YES ? (int)MIN(ms, WAIT_MAX_MS) : WAIT_MAX_MS;
}

static void serve(struct server *s, struct MHD_Daemon *d)
{
        const union MHD_DaemonInfo *info = MHD_get_daemon_info(d, MHD_DAEMON_INFO_EPOLL_FD);
        while (info && !s->is_over) {
                struct pollfd p[] = { { .fd = s->fd, .events = POLLIN }, { .fd = info->epoll_fd, .events = POLLIN } };
                if (poll(p, 2, patience_ms(d)) < 0 && errno != EINTR)
                        return;
                if (p[0].revents && receive(s, 0)) /* an answer that nobody waited for any more; or the agent's end */
                        s->asked_ms = monotonic_ms();
                if (!s->is_over && MHD_run(d) != MHD_YES)
                        return;
        }
}

void metrics_serve(void *arg, int fd)
{
        struct server s = { .fd = fd, .text = xcalloc(1, CHILD_MESSAGE_MAX) };
        struct MHD_Daemon *d = MHD_start_daemon(
                MHD_USE_EPOLL, 0, NULL, NULL, on_request, &s, MHD_OPTION_LISTEN_SOCKET, *(const int *)arg,
                MHD_OPTION_CONNECTION_LIMIT, METRICS_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                METRICS_IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, METRICS_REQUEST_BYTES, MHD_OPTION_END);
        if (!d)
                return; /* the agent hears of its end, and says so */
        serve(&s, d);
        MHD_stop_daemon(d);
        free(s.text);
}
