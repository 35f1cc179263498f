/*
 * The part that shows the metrics to Prometheus: it binds the socket that the operator asked for, has a child without
 * rights answer there (metrics-http.h), and prints the numbers whenever that child asks. Anybody who reaches the socket
 * can read them, names of rules and sinks among them, so it is on loopback unless the operator says otherwise.
 */
#include "serve/child.h"
#include "serve/control-private.h"
#include "serve/metrics-http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define ASKED_AT_ONCE 16 /* questions that are read in one go: the child asks one by one */

struct metrics_face {
        struct agent *agent;
        struct child child;
        uint64_t *asked, *failed;
        bool has_failed; /* told once in a row */
};

static bool is_loopback(const struct addrinfo *found)
{
        struct sockaddr_in four = { 0 };
        struct sockaddr_in6 six = { 0 };
        if (found->ai_family == AF_INET) {
                memcpy(&four, found->ai_addr, MIN(found->ai_addrlen, sizeof(four)));
                return ntohl(four.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
        }
        memcpy(&six, found->ai_addr, MIN(found->ai_addrlen, sizeof(six)));
        return IN6_IS_ADDR_LOOPBACK(&six.sin6_addr);
}

/* "127.0.0.1:9309", "[::1]:9309": numbers, since a name may mean something else tomorrow. */
static int parse_address(const char *spec, struct addrinfo **ret, struct error *err)
{
        struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                  .ai_socktype = SOCK_STREAM };
        struct str all = str_of(spec);
        ptrdiff_t colon = str_rfind_char(all, ':');
        struct str host = colon > 0 ? str_upto(all, (size_t)colon) : STR_NONE;
        if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
                host = str_span(host.p + 1, host.n - 2);
        else if (str_find_char(host, ':') >= 0)
                host = STR_NONE; /* an IPv6 address without brackets: where it ends is a guess */
        _cleanup_(freep) char *name = host.n > 0 ? str_dup(host) : NULL;
        if (!name || !spec[colon + 1] || getaddrinfo(name, spec + colon + 1, &hints, ret) != 0)
                return error_set(
                        err, -EINVAL,
                        "--metrics: takes ADDRESS:PORT in numbers, as 127.0.0.1:9309 or [::1]:9309, not \"%s\"", spec);
        return 0;
}

/* A listening socket, or < 0 with words. */
static int bind_address(const struct agent *a, const char *spec, struct error *err)
{
        struct addrinfo *found = NULL;
        int one = 1, r = parse_address(spec, &found, err);
        if (r < 0)
                return r;
        if (!is_loopback(found) && !a->o->faces.is_metrics_anywhere) {
                freeaddrinfo(found);
                return error_set(err, -EPERM,
                                 "--metrics: %s is not on loopback, and whoever reaches it reads the metrics; give "
                                 "--metrics-anywhere too if that is meant",
                                 spec);
        }
        int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
            bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, METRICS_CONNECTIONS_MAX) < 0)
                r = -errno;
        freeaddrinfo(found);
        if (r == 0)
                return fd;
        close_fd(fd);
        return error_errno(err, r, "--metrics: %s", spec);
}

/* With the port that the kernel chose, if none was given (0). */
static void tell_where(struct agent *a, int fd)
{
        struct sockaddr_storage own;
        socklen_t n = sizeof(own);
        char host[NI_MAXHOST], port[NI_MAXSERV];
        if (getsockname(fd, (struct sockaddr *)&own, &n) < 0 ||
            getnameinfo((const struct sockaddr *)&own, n, host, sizeof(host), port, sizeof(port),
                        NI_NUMERICHOST | NI_NUMERICSERV) != 0)
                return;
        bool is_six = own.ss_family == AF_INET6;
        agent_tell(a, "metrics at http://%s%s%s:%s" METRICS_PATH, is_six ? "[" : "", host, is_six ? "]" : "", port);
}

static void answer(struct metrics_face *m)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(CHILD_MESSAGE_MAX);
        ++*m->asked;
        agent_metrics(m->agent, &text);
        bool is_sent = !buf_is_full(&text) &&
                       send(m->child.fd, text.p, text.n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)text.n;
        *m->failed += !is_sent;
        if (!is_sent && !m->has_failed)
                agent_tell(m->agent, "metrics: %zu bytes of them were not taken by the process that serves them",
                           text.n);
        m->has_failed = !is_sent;
}

static void on_question(void *arg)
{
        struct metrics_face *m = arg;
        char question;
        ssize_t n = 1;
        bool is_asked = false;
        for (int i = 0; i < ASKED_AT_ONCE && n > 0; i++) {
                n = recv(m->child.fd, &question, 1, MSG_DONTWAIT);
                is_asked |= n == 1 && question == METRICS_ASK;
        }
        if (is_asked)
                answer(m);
        if (n != 0)
                return;
        agent_remove_source(m->agent, m->child.fd);
        child_end(&m->child, NULL, NULL);
        agent_tell(m->agent, "metrics: the process that serves them ended; nothing answers there any more");
}

static void stop(void *state)
{
        struct metrics_face *m = state;
        if (m->child.pid > 0)
                agent_remove_source(m->agent, m->child.fd);
        child_end(&m->child, NULL, NULL);
        free(m);
}

static int start(struct agent *a, void **ret, struct error *err)
{
        const char *spec = a->o->faces.metrics;
        if (!spec)
                return 0;
        _cleanup_(closep) int fd = bind_address(a, spec, err);
        if (fd < 0)
                return fd;
        struct metrics_face *m = xcalloc(1, sizeof(*m));
        *m = (struct metrics_face){ .agent = a, .child = { .fd = -1 } };
        *ret = m;
        m->asked = agent_counter(a, STATS_COUNTER, "sekisho_agent_metrics_asked_total",
                                 "Times that the process that serves metrics asked for them.", "");
        m->failed = agent_counter(a, STATS_COUNTER, "sekisho_agent_metrics_untaken_total",
                                  "Answers that the process that serves metrics did not take.", "");
        int r = child_start("sekisho-metrics", metrics_serve, &fd, fd, &m->child, err);
        if (r == 0 && agent_add_source(a, m->child.fd, on_question, m) < 0)
                r = error_set(err, -E2BIG, "--metrics: no more descriptors can be watched");
        if (r == 0)
                tell_where(a, fd);
        return r;
}

const struct agent_part part_metrics = { .name = "metrics", .is_early = true, .start = start, .stop = stop };
