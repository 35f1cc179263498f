/* The part that answers on the control socket. See control.h. */
#include "serve/control.h"

#include "base/fs.h"
#include "report/document.h"
#include "serve/control-private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_BYTES 4096u
#define SECOND_NS  INT64_C(1000000000)

struct control;

struct client {
        struct control *control;
        int fd;
        struct buf in, out;
        bool is_ending; /* closed once `out` is read */
        struct event_stream *stream;
        bool waits_for_reload;
        int64_t until_ns; /* patience; 0: without end */
};

struct control {
        struct agent *agent;
        char *path;
        int fd;
        struct client *clients[CONTROL_CLIENTS_MAX];
        size_t n, n_streams;
        uint64_t *refused, *cut;
};

/* --------------------------------------------------------------------------------------------------- clients ---- */

static void client_close(struct client *c)
{
        struct control *s = c->control;
        for (size_t i = 0; i < s->n; i++)
                if (s->clients[i] == c)
                        s->clients[i] = s->clients[--s->n];
        s->n_streams -= c->stream != NULL;
        agent_remove_source(s->agent, c->fd);
        event_stream_free(c->stream);
        buf_done(&c->in);
        buf_done(&c->out);
        close_fd(c->fd);
        free(c);
}

static void be_patient(struct client *c)
{
        c->until_ns = agent_now_ns(CLOCK_MONOTONIC) + CONTROL_PATIENCE_S * SECOND_NS;
}

/* Sends what the socket takes. False: the client is gone. */
static bool client_flush(struct client *c)
{
        while (c->out.n > 0) {
                ssize_t n = send(c->fd, c->out.p, c->out.n, MSG_DONTWAIT | MSG_NOSIGNAL);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno != EAGAIN) {
                        client_close(c);
                        return false;
                }
                if (n < 0)
                        break;
                memmove(c->out.p, c->out.p + n, c->out.n - (size_t)n);
                c->out.n -= (size_t)n;
        }
        if (c->out.n == 0 && c->is_ending) {
                client_close(c);
                return false;
        }
        agent_watch_source(c->control->agent, c->fd, c->out.n > 0);
        return true;
}

/* Takes the answer over. */
static void say(struct client *c, json_t *answer)
{
        char *line = json_dumps(answer, JSON_COMPACT | JSON_ENSURE_ASCII);
        json_decref(answer);
        if (line && strlen(line) < CONTROL_ANSWER_MAX - 1) {
                buf_puts(&c->out, line);
                buf_putc(&c->out, '\n');
        } else {
                buf_puts(&c->out, "{\"error\":\"the answer is too long\"}\n");
        }
        free(line);
}

static void end_with(struct client *c, json_t *answer)
{
        say(c, answer);
        c->is_ending = true;
        be_patient(c);
        (void)client_flush(c);
}

static void begin_stream(struct client *c, const struct control_request *r)
{
        struct error err = ERROR_NONE;
        if (c->control->n_streams == CONTROL_STREAMS_MAX) {
                end_with(c, control_refusal("as many streams as there may be are open already"));
        } else if (event_stream_new(r, &c->stream, &err) < 0) {
                end_with(c, control_refusal(err.text));
        } else {
                json_t *o = doc_object();
                c->control->n_streams++;
                c->until_ns = 0;
                doc_set(o, "streaming", doc_bool(true)); /* from here on nothing is missed */
                say(c, o);
                (void)client_flush(c);
        }
}

/* A trial of rules ends in a bounded time. */
static void begin_reload(struct client *c)
{
        c->waits_for_reload = true;
        c->until_ns = 0;
        agent_reload(c->control->agent);
}

static void take_request(struct client *c, struct str line)
{
        struct arena arena = ARENA_INIT;
        struct control_request r;
        struct error err = ERROR_NONE;
        if (control_parse(line, &arena, &r, &err) < 0)
                end_with(c, control_refusal(err.text));
        else if (r.verb == CONTROL_EVENTS)
                begin_stream(c, &r);
        else if (r.verb == CONTROL_RELOAD)
                begin_reload(c);
        else
                end_with(c, control_answer(c->control->agent, &r));
        arena_done(&arena);
}

static void on_client(void *arg)
{
        struct client *c = arg;
        char bytes[READ_BYTES];
        ssize_t n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
                client_close(c);
                return;
        }
        if (!client_flush(c) || n < 0 || c->is_ending || c->stream ||
            c->waits_for_reload) /* one request a connection: more is not heard */
                return;
        buf_add(&c->in, bytes, (size_t)n);
        ptrdiff_t end = str_find_char(buf_str(&c->in), '\n');
        if (end >= 0)
                take_request(c, str_upto(buf_str(&c->in), (size_t)end));
        else if (buf_is_full(&c->in) || c->in.n == CONTROL_REQUEST_MAX)
                end_with(c, control_refusal("a request is one line, of at most 8192 bytes"));
}

/* ---------------------------------------------------------------------------------------------- connections ---- */

static bool may_connect(int fd)
{
        struct ucred peer;
        socklen_t size = sizeof(peer);
        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == 0 || peer.uid == geteuid());
}

static void refuse(struct control *s, int fd, const char *line)
{
        ++*s->refused;
        (void)send(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
        close_fd(fd);
}

static void take_connection(struct control *s, int fd)
{
        if (!may_connect(fd)) {
                refuse(s, fd, "{\"error\":\"only root and the agent's own user may ask\"}\n");
                return;
        }
        struct client *c = xcalloc(1, sizeof(*c));
        *c = (struct client){ .control = s,
                              .fd = fd,
                              .in = BUF_INIT(CONTROL_REQUEST_MAX),
                              .out = BUF_INIT(CONTROL_ANSWER_MAX + CONTROL_STREAM_MAX) };
        if (s->n == CONTROL_CLIENTS_MAX || agent_add_source(s->agent, fd, on_client, c) < 0) {
                free(c);
                refuse(s, fd, "{\"error\":\"too many clients are connected\"}\n");
                return;
        }
        be_patient(c);
        s->clients[s->n++] = c;
}

/* Those that wait, but not for ever. */
static void on_connection(void *arg)
{
        struct control *s = arg;
        for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
                int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
                if (fd < 0)
                        return;
                take_connection(s, fd);
        }
}

/* ------------------------------------------------------------------------------------------------- the part ---- */

/* A reader that is too slow is told so behind what waits for it already, and that is the last that it hears. */
static void cut_off(struct client *c)
{
        ++*c->control->cut;
        c->control->n_streams--;
        event_stream_free(c->stream);
        c->stream = NULL;
        end_with(c, control_refusal("cut off: events came faster than they were read; give a filter"));
}

static void on_event(void *state, const struct event_record *r)
{
        struct control *s = state;
        for (size_t i = s->n; i-- > 0;) {
                struct client *c = s->clients[i];
                if (!c->stream)
                        continue;
                event_stream_show(c->stream, r, &c->out);
                if (c->out.n > CONTROL_STREAM_MAX)
                        cut_off(c);
                else if (c->out.n > 0)
                        (void)client_flush(c);
        }
}

static void on_reloaded(void *state, bool is_loaded)
{
        struct control *s = state;
        for (size_t i = s->n; i-- > 0;)
                if (s->clients[i]->waits_for_reload && !s->clients[i]->is_ending)
                        end_with(s->clients[i], control_reloaded(s->agent, is_loaded));
}

static void tick(void *state, int64_t now_ns)
{
        struct control *s = state;
        for (size_t i = s->n; i-- > 0;)
                if (s->clients[i]->until_ns > 0 && now_ns >= s->clients[i]->until_ns)
                        client_close(s->clients[i]);
}

static void stop(void *state)
{
        struct control *s = state;
        while (s->n > 0)
                client_close(s->clients[s->n - 1]);
        if (s->fd >= 0) {
                agent_remove_source(s->agent, s->fd);
                close_fd(s->fd);
                unlink(s->path);
        }
        free(s->path);
        free(s);
}

/* Does anybody answer there? A socket of an agent that was killed is in the way, and nobody's. */
static bool is_answered(const struct sockaddr_un *address)
{
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        return fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN);
}

static int bind_socket(struct control *s, struct error *err)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct stat st;
        if (strlen(s->path) >= sizeof(address.sun_path))
                return error_set(err, -ENAMETOOLONG, "%s: the path of a socket is too long", s->path);
        memcpy(address.sun_path, s->path, strlen(s->path) + 1);
        if (lstat(s->path, &st) == 0 && !S_ISSOCK(st.st_mode))
                return error_set(err, -EEXIST, "%s: is there, and no socket", s->path);
        if (is_answered(&address))
                return error_set(err, -EADDRINUSE, "%s: another agent answers there; give --socket PATH", s->path);
        unlink(s->path);
        s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (s->fd < 0)
                return error_errno(err, -errno, "%s", s->path);
        mode_t old = umask(0177);
        int r = bind(s->fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
        umask(old);
        if (r == 0 && listen(s->fd, CONTROL_CLIENTS_MAX) < 0)
                r = -errno;
        if (r < 0)
                s->fd = close_fd(s->fd);
        return r < 0 ? error_errno(err, r, "%s", s->path) : 0;
}

static void make_folder(const char *path)
{
        struct str p = str_of(path);
        ptrdiff_t slash = str_rfind_char(p, '/');
        _cleanup_(freep) char *folder = slash > 0 ? str_dup(str_upto(p, (size_t)slash)) : NULL;
        if (folder)
                (void)make_dirs(folder, 0755); /* bind() says what is wrong with it */
}

/* A socket that was asked for must come about; without the one of the default place the agent does its work all the
 * same. */
static int start(struct agent *a, void **ret, struct error *err)
{
        const char *path = a->o->faces.socket ? a->o->faces.socket : CONTROL_SOCKET_DEFAULT;
        if (strcmp(path, "none") == 0)
                return 0;
        struct control *s = xcalloc(1, sizeof(*s));
        *s = (struct control){ .agent = a, .path = xstrdup(path), .fd = -1 };
        struct error words = ERROR_NONE;
        make_folder(path);
        int r = bind_socket(s, &words);
        if (r == 0 && agent_add_source(a, s->fd, on_connection, s) < 0)
                r = error_set(&words, -E2BIG, "%s: no more descriptors can be watched", path);
        s->refused = agent_counter(a, STATS_COUNTER, "sekisho_agent_control_refused_total",
                                   "Connections to the control socket that were refused.", "");
        s->cut = agent_counter(a, STATS_COUNTER, "sekisho_agent_control_cut_total",
                               "Streams that were cut off because nobody read them.", "");
        if (r < 0 && a->o->faces.socket) {
                stop(s);
                return error_set(err, r, "%s", words.text);
        }
        if (r < 0) {
                agent_tell(a, "no control socket: %s", words.text);
                stop(s);
                return 0;
        }
        *ret = s;
        return 0;
}

const struct agent_part part_control = {
        .name = "control", .start = start, .on_event = on_event, .on_reloaded = on_reloaded, .tick = tick, .stop = stop
};
