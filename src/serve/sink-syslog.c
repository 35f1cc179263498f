/*
 * `--sink syslog[=unix:PATH|udp://HOST[:PORT]|tcp://HOST[:PORT]]`: alerts as syslog messages of RFC 5424, facility
 * authpriv, the severity that of the priority, MSGID "alert", the alert's JSON as the message. Over TCP with the octet
 * counting of RFC 6587. A datagram that would be too long holds the alert's words alone.
 */
#include "serve/sink.h"

#include "base/arena.h"
#include "base/fs.h"
#include "intel/json.h"
#include "rule/rule.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define DATAGRAM_MAX     8192u /* RFC 5426: what receivers should take is less, what they do take is more */
#define WORDS_MAX        1024u
#define FACILITY         10 /* authpriv */
#define PATIENCE_SECONDS 10
#define HOST_MAX         256u

enum transport { TO_UNIX, TO_UDP, TO_TCP };

struct syslog {
        enum transport transport;
        char host[HOST_MAX]; /* or the path */
        char port[8];
        int fd; /* -1: not connected */
};

/* "host", "host:port", "[::1]:port". */
static int parse_host(struct str s, struct syslog *ret, struct error *err)
{
        struct str host = s, port = STR("514");
        uint64_t number;
        if (s.n > 0 && s.p[0] == '[') {
                ptrdiff_t end = str_find_char(s, ']');
                if (end < 0)
                        return error_set(err, -EINVAL, "an address in [ has no ]");
                host = str_upto(str_from(s, 1), (size_t)end - 1);
                s = str_from(s, (size_t)end + 1);
                if (s.n > 0)
                        port = s.p[0] == ':' ? str_from(s, 1) : STR_NONE;
        } else if (str_find_char(s, ':') >= 0) {
                host = str_cut(&s, ':');
                port = s;
        }
        if (host.n == 0 || host.n >= HOST_MAX || !str_u64(port, &number) || number == 0 || number > 65535)
                return error_set(err, -EINVAL, "takes a host, and a port from 1 to 65535 behind a colon");
        snprintf(ret->host, sizeof(ret->host), "%.*s", STR_FMT(host));
        snprintf(ret->port, sizeof(ret->port), "%llu", (unsigned long long)number);
        return 0;
}

static int parse_target(const char *target, struct syslog *ret, struct error *err)
{
        static const struct {
                const char *prefix;
                enum transport transport;
        } table[] = { { "udp://", TO_UDP }, { "tcp://", TO_TCP }, { "unix:", TO_UNIX } };
        struct str s = str_of(target ? target : "unix:/dev/log");
        *ret = (struct syslog){ .fd = -1 };
        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                if (!str_starts(s, str_of(table[i].prefix)))
                        continue;
                struct str rest = str_from(s, strlen(table[i].prefix));
                ret->transport = table[i].transport;
                if (table[i].transport != TO_UNIX)
                        return parse_host(rest, ret, err);
                if (rest.n == 0 || rest.p[0] != '/' || rest.n >= sizeof(((struct sockaddr_un *)0)->sun_path))
                        return error_set(err, -EINVAL, "takes the absolute path of a socket behind unix:");
                snprintf(ret->host, sizeof(ret->host), "%.*s", STR_FMT(rest));
                return 0;
        }
        return error_set(err, -EINVAL, "takes unix:PATH, udp://HOST:PORT or tcp://HOST:PORT, or nothing");
}

static int open_target(const char *target, int *ret_fd, char ret_name[static 256], struct error *err)
{
        struct syslog s;
        *ret_fd = -1;
        int r = parse_target(target, &s, err);
        if (r == 0)
                snprintf(ret_name, 256, "%s%.200s%s%s",
                         s.transport == TO_UDP   ? "udp://"
                         : s.transport == TO_TCP ? "tcp://"
                                                 : "",
                         s.host, s.port[0] ? ":" : "", s.port);
        return r;
}

static void *begin(const char *target, int fd, struct error *err)
{
        struct syslog *s = xcalloc(1, sizeof(*s));
        if (parse_target(target, s, err) == 0)
                return s;
        free(s);
        return NULL;
}

/* ------------------------------------------------------------------------------------------------- connecting ---- */

static int connect_unix(struct syslog *s)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        memcpy(address.sun_path, s->host, strlen(s->host) + 1);
        s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (s->fd < 0 || connect(s->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        return 0;
}

static int connect_host(struct syslog *s)
{
        struct addrinfo hints = { .ai_socktype = s->transport == TO_UDP ? SOCK_DGRAM : SOCK_STREAM }, *all;
        struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
        int r = getaddrinfo(s->host, s->port, &hints, &all) == 0 ? -EHOSTUNREACH : -ENOENT;
        if (r == -ENOENT)
                return r;
        for (const struct addrinfo *a = all; a && r < 0; a = a->ai_next) {
                close_fd(s->fd);
                s->fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
                if (s->fd >= 0)
                        (void)setsockopt(s->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
                r = s->fd >= 0 && connect(s->fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : -errno;
        }
        freeaddrinfo(all);
        return r;
}

/* A TCP connection that the other side has closed takes one more message without a word: ask first. */
static bool is_closed(const struct syslog *s)
{
        char byte;
        return s->transport == TO_TCP && s->fd >= 0 && recv(s->fd, &byte, 1, MSG_DONTWAIT) == 0;
}

static int be_connected(struct syslog *s, struct error *err)
{
        if (is_closed(s))
                s->fd = close_fd(s->fd);
        if (s->fd >= 0)
                return 0;
        int r = s->transport == TO_UNIX ? connect_unix(s) : connect_host(s);
        if (r == 0)
                return 0;
        s->fd = close_fd(s->fd);
        return r == -ENOENT && s->transport != TO_UNIX ? error_set(err, -EIO, "%s: no such host", s->host)
                                                       : error_errno(err, r, "%s", s->host);
}

/* ------------------------------------------------------------------------------------------------- the message ---- */

static int severity(struct str priority)
{
        for (int i = 0; i < PRIORITIES; i++) /* Falco's priorities are those of syslog */
                if (str_is(priority, rule_priority_names[i]))
                        return i;
        return PRIORITY_INFORMATIONAL;
}

/* A field of the header: printable ASCII without blanks, or "-". */
static void put_name(struct buf *to, struct str s)
{
        size_t before = to->n;
        for (size_t i = 0; i < MIN(s.n, (size_t)255); i++)
                if (s.p[i] > ' ' && s.p[i] < 0x7f)
                        buf_putc(to, s.p[i]);
        if (to->n == before)
                buf_putc(to, '-');
}

/* RFC 5424 has room for six digits of a second, the alert has nine. */
static void put_time(struct buf *to, struct str time)
{
        if (time.n == 30) {
                buf_add_str(to, str_upto(time, 26));
                buf_putc(to, 'Z');
        } else {
                put_name(to, time);
        }
}

static void put_message(struct buf *to, struct str line, const json_t *alert, bool is_short)
{
        buf_printf(to, "<%d>1 ", FACILITY * 8 + severity(json_member(alert, "priority")));
        put_time(to, json_member(alert, "time"));
        buf_putc(to, ' ');
        put_name(to, json_member(alert, "hostname"));
        buf_printf(to, " sekisho %d alert - ", (int)getppid());
        buf_add_str(to, is_short ? str_upto(json_member(alert, "output"), WORDS_MAX) : line);
}

static int send_one(struct syslog *s, struct str line, struct error *err)
{
        _cleanup_(json_freep) json_t *alert = json_parse(line, NULL);
        _cleanup_(buf_done) struct buf b = BUF_INIT(SINK_BATCH_BYTES + 65536);
        if (!json_is_object(alert))
                return error_set(err, SINK_REFUSED, "an alert that is no JSON");
        put_message(&b, line, alert, s->transport != TO_TCP && line.n > DATAGRAM_MAX);
        if (s->transport == TO_TCP) {
                char count[32];
                _cleanup_(buf_done) struct buf framed = BUF_INIT(SINK_BATCH_BYTES + 65536 + sizeof(count));
                buf_printf(&framed, "%zu ", b.n);
                buf_add_str(&framed, buf_str(&b));
                int r = write_all(s->fd, framed.p, framed.n);
                return r < 0 ? error_errno(err, r, "%s", s->host) : 0;
        }
        return send(s->fd, b.p, b.n, MSG_NOSIGNAL) < 0 ? error_errno(err, -errno, "%s", s->host) : 0;
}

static int deliver(void *state, const struct str *lines, size_t n, struct error *err)
{
        struct syslog *s = state;
        int r = be_connected(s, err);
        if (r == 0)
                r = send_one(s, lines[0], err);
        if (r < 0)
                s->fd = close_fd(s->fd);
        return r;
}

const struct sink_kind sink_syslog = {
        .kind = "syslog",
        .target = "unix:PATH|udp://HOST:PORT|tcp://HOST:PORT",
        .doc = "RFC 5424; without a target to /dev/log",
        .batch = 1,
        .open = open_target,
        .begin = begin,
        .deliver = deliver,
};
