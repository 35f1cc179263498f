/* See agent-client.h. */
#include "cli/agent-client.h"

#include "base/buf.h"
#include "base/fs.h"
#include "intel/json.h"
#include "report/document.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

int agent_connect(const char *path, int *ret_fd, struct error *err)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct timeval patience = { .tv_sec = AGENT_PATIENCE_S };
        path = path ? path : CONTROL_SOCKET_DEFAULT;
        if (strlen(path) >= sizeof(address.sun_path))
                return error_set(err, -ENAMETOOLONG, "%s: the path of a socket is too long", path);
        memcpy(address.sun_path, path, strlen(path) + 1);
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return error_errno(err, -errno, "no socket");
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
                int r = errno == ECONNREFUSED ? -ENOENT : -errno;
                return r == -ENOENT ? error_set(err, r, "no agent runs here: nothing answers at %s", path)
                                    : error_errno(err, r, "%s", path);
        }
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int agent_send(int fd, json_t *request, struct error *err)
{
        char *line = json_dumps(request, JSON_COMPACT | JSON_ENSURE_ASCII);
        json_decref(request);
        _cleanup_(buf_done) struct buf b = BUF_INIT(CONTROL_REQUEST_MAX);
        buf_puts(&b, line ? line : "");
        buf_putc(&b, '\n');
        free(line);
        if (buf_is_full(&b))
                return error_set(err, -EFBIG, "the request is longer than %u bytes", CONTROL_REQUEST_MAX);
        int r = write_all(fd, b.p, b.n);
        return r < 0 ? error_errno(err, r, "the agent does not listen") : 0;
}

json_t *agent_next(FILE *from)
{
        _cleanup_(buf_done) struct buf line = BUF_INIT(CONTROL_ANSWER_MAX);
        int c;
        while ((c = getc_unlocked(from)) != EOF && c != '\n')
                buf_putc(&line, (char)c);
        return c == EOF || buf_is_full(&line) ? NULL : json_parse(buf_str(&line), NULL);
}

int agent_ask(const char *path, const char *verb, json_t **ret, struct error *err)
{
        struct timeval patience = { .tv_sec = AGENT_PATIENCE_S };
        int fd = -1, r = agent_connect(path, &fd, err);
        if (r < 0)
                return r;
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        FILE *f = fdopen(fd, "r");
        json_t *o = doc_object();
        doc_set(o, "request", doc_cstr(verb));
        r = agent_send(fd, o, err);
        json_t *answer = r == 0 ? agent_next(f) : NULL;
        fclose(f);
        if (r < 0)
                return r;
        struct str refusal = json_member(answer, "error");
        if (json_is_object(answer) && refusal.n == 0) {
                *ret = answer;
                return 0;
        }
        r = refusal.n > 0 ? error_set(err, -EBADMSG, "the agent refused: %.*s", STR_FMT(refusal))
                          : error_set(err, -EBADMSG, "the agent did not answer");
        json_decref(answer);
        return r;
}
