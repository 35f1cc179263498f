/* See http.h. One easy handle a user; every option is set anew for each exchange, so nothing is left over. */
#include "source/http.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/fs.h"
#include "proc/worker.h"
#include "source/http-header.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#define CONNECT_SECONDS     15L
#define STALL_SECONDS       30u
#define STALL_BYTES_SECOND  64u
#define HEADER_BYTES_MAX    (256u << 10)
#define REDIRECTS_MAX       5
#define TRIES_MAX           3
#define RETRIES_SECONDS_MAX 60

struct http {
        CURL *curl;
        CURLU *url;
        struct http_options options;
        char *ca_file, *unix_socket;
        unsigned stall_seconds;
};

/* One request on the wire and its answer. */
struct exchange {
        struct http *h;
        const struct http_request *request;
        struct http_response *response;
        struct error *err;
        bool is_plain;      /* http, and only loopback is allowed */
        bool is_elsewhere;  /* a redirect led to another origin: no authorization goes there */
        bool refused_plain; /* that rule spoke */
        bool stalled, too_large, header_too_large;
        int sink_error; /* what on_body returned */
        size_t header_bytes;
        uint64_t body_bytes;
        double started, window_start;
        uint64_t window_bytes;
        char location[HTTP_URL_MAX];
        char peer[INET6_ADDRSTRLEN];
};

static double now(void) { return (double)monotonic_ns() / 1e9; }

static unsigned stall_limit(const struct http_options *options)
{
        uint64_t seconds;
        const char *text = env_or("SEKISHO_HTTP_STALL_SECONDS", NULL);
        if (text && str_u64(str_of(text), &seconds) && seconds > 0 && seconds <= 3600)
                return (unsigned)seconds;
        return options->stall_seconds ? options->stall_seconds : STALL_SECONDS;
}

/* --- URLs --- */

static bool url_parts(const char *url, struct http_url *ret)
{
        CURLU *u = curl_url();
        bool ok = u && strlen(url) < HTTP_URL_MAX && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK;
        char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL, *user = NULL;
        *ret = (struct http_url){ 0 };
        if (ok) {
                (void)curl_url_get(u, CURLUPART_USER, &user, 0);
                ok = curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                     curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                     curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                     curl_url_get(u, CURLUPART_PATH, &path, 0) == CURLUE_OK && strlen(host) < sizeof(ret->host);
        }
        if (ok) {
                snprintf(ret->scheme, sizeof(ret->scheme), "%.15s", scheme);
                snprintf(ret->host, sizeof(ret->host), "%s", host);
                snprintf(ret->port, sizeof(ret->port), "%.7s", port);
                snprintf(ret->path, sizeof(ret->path), "%.*s", (int)sizeof(ret->path) - 1, path);
                ret->has_user = user != NULL;
        }
        curl_free(scheme);
        curl_free(host);
        curl_free(port);
        curl_free(path);
        curl_free(user);
        curl_url_cleanup(u);
        return ok;
}

const char *http_url_print(const char *url, char text[static 512])
{
        struct http_url u;
        if (!url_parts(url, &u)) {
                snprintf(text, 512, "(not a URL)");
                return text;
        }
        bool is_usual = strcmp(u.port, strcmp(u.scheme, "http") == 0 ? "80" : "443") == 0;
        snprintf(text, 512, "%s://%.200s%s%s%.200s", u.scheme, u.host, is_usual ? "" : ":", is_usual ? "" : u.port,
                 u.path);
        return text;
}

bool http_url_is(const char *url, const char *scheme)
{
        struct http_url u;
        return url_parts(url, &u) && strcmp(u.scheme, scheme) == 0 && u.host[0] && !u.has_user;
}

void http_escape(struct buf *b, struct str s, const char *keep)
{
        for (size_t i = 0; i < s.n; i++) {
                unsigned char c = (unsigned char)s.p[i];
                bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                (c && (strchr("-._~", c) || strchr(keep, c)));
                if (is_plain)
                        buf_putc(b, (char)c);
                else
                        buf_printf(b, "%%%02X", c);
        }
}

/* --- what libcurl calls --- */

static bool address_is_loopback(const struct sockaddr *a)
{
        if (a->sa_family == AF_INET) {
                struct sockaddr_in v4;
                memcpy(&v4, a, sizeof(v4));
                return (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
        }
        if (a->sa_family == AF_INET6) {
                struct sockaddr_in6 v6;
                memcpy(&v6, a, sizeof(v6));
                return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) ||
                       (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) && v6.sin6_addr.s6_addr[12] == 127);
        }
        return false;
}

static void note_peer(struct exchange *x, const struct sockaddr *a)
{
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        if (a->sa_family == AF_INET) {
                memcpy(&v4, a, sizeof(v4));
                inet_ntop(AF_INET, &v4.sin_addr, x->peer, sizeof(x->peer));
        } else if (a->sa_family == AF_INET6) {
                memcpy(&v6, a, sizeof(v6));
                inet_ntop(AF_INET6, &v6.sin6_addr, x->peer, sizeof(x->peer));
        }
}

static curl_socket_t on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
        struct exchange *x = arg;
        (void)purpose;
        if (x->is_plain && !address_is_loopback(&a->addr)) {
                x->refused_plain = true;
                note_peer(x, &a->addr);
                return CURL_SOCKET_BAD;
        }
        return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static struct http_response empty_response(const struct exchange *x)
{
        return (struct http_response){ .content_length = UINT64_MAX, .is_elsewhere = x->is_elsewhere };
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
        struct exchange *x = arg;
        size_t bytes = size * n;
        x->header_bytes += bytes;
        x->window_bytes += bytes;
        if (x->header_bytes > HEADER_BYTES_MAX) {
                x->header_too_large = true;
                return 0;
        }
        if (http_header_is_status(str_span(p, bytes))) {
                *x->response = empty_response(x);
                x->location[0] = 0;
        } else {
                http_header_take(str_span(p, bytes), x->response, x->location);
        }
        return bytes;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
        struct exchange *x = arg;
        const struct http_request *q = x->request;
        size_t bytes = size * n;
        x->window_bytes += bytes;
        (void)curl_easy_getinfo(x->h->curl, CURLINFO_RESPONSE_CODE, &x->response->status);
        bool is_wanted = x->response->status / 100 == 2;
        x->body_bytes += bytes;
        if (x->body_bytes > (is_wanted ? q->max_bytes : HEADER_BYTES_MAX)) {
                x->too_large = is_wanted;
                return 0; /* the rest of an error's body is of no interest */
        }
        if (!is_wanted)
                return bytes;
        if (q->on_body) {
                double before = now();
                x->sink_error = q->on_body(q->arg, x->response, p, bytes, x->err);
                x->window_start += now() - before;
                return x->sink_error < 0 ? 0 : bytes;
        }
        if (q->body)
                buf_add(q->body, p, bytes);
        return bytes;
}

static int on_progress(void *arg, curl_off_t dt, curl_off_t dn, curl_off_t ut, curl_off_t un)
{
        struct exchange *x = arg;
        double t = now();
        (void)dt, (void)dn, (void)ut, (void)un;
        if (workers_interrupted())
                return 1;
        if (x->request->max_seconds && t - x->started > x->request->max_seconds)
                x->stalled = true;
        if (t - x->window_start >= x->h->stall_seconds) {
                if (x->window_bytes < (uint64_t)STALL_BYTES_SECOND * x->h->stall_seconds)
                        x->stalled = true;
                x->window_start = t;
                x->window_bytes = 0;
        }
        return x->stalled;
}

/* --- one exchange --- */

static void set_transport(struct http *h, struct exchange *x)
{
        CURL *c = h->curl;
        curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
        curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        curl_easy_setopt(c, CURLOPT_HTTP09_ALLOWED, 0L);
        curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        curl_easy_setopt(c, CURLOPT_USERAGENT, "sekisho/" SEKISHO_VERSION);
        curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, MIN(CONNECT_SECONDS, (long)h->stall_seconds));
        curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, h->options.tls_skip_verify ? 0L : 1L);
        curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, h->options.tls_skip_verify ? 0L : 2L);
        curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
        if (h->ca_file)
                curl_easy_setopt(c, CURLOPT_CAINFO, h->ca_file);
        if (h->unix_socket)
                curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, h->unix_socket);
        if (h->unix_socket || x->is_plain)
                curl_easy_setopt(c, CURLOPT_PROXY, "");
        curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
        curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, x);
        curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
        curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
        curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
        curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
        curl_easy_setopt(c, CURLOPT_XFERINFODATA, x);
}

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
        _cleanup_(buf_done) struct buf line = BUF_INIT(64u << 10);
        buf_puts(&line, name);
        buf_puts(&line, value);
        struct curl_slist *longer = buf_is_full(&line) ? NULL : curl_slist_append(list, line.p);
        if (line.p)
                explicit_bzero(line.p, line.n); /* it may hold a token */
        return longer ? longer : list;
}

static int explain(struct exchange *x, CURLcode code, const char *detail, const char *url)
{
        char where[512];
        struct error *err = x->err;
        http_url_print(url, where);
        if (x->sink_error < 0)
                return x->sink_error;
        if (workers_interrupted())
                return error_set(err, -EINTR, "interrupted");
        if (x->refused_plain)
                return error_set(err, -EPERM,
                                 "%s: refused to speak unencrypted http to %s, which is not a loopback address "
                                 "(--plain-http allows it)",
                                 where, x->peer);
        if (x->header_too_large)
                return error_set(err, -EFBIG, "%s: the header of the answer has more than %u KiB", where,
                                 HEADER_BYTES_MAX >> 10);
        if (x->too_large)
                return error_set(err, -EFBIG, "%s: the answer has more than the %llu bytes allowed here", where,
                                 (unsigned long long)x->request->max_bytes);
        bool has_begun = x->response->status / 100 == 2;
        if (x->stalled)
                return error_set(err, has_begun ? HTTP_BROKEN : -ETIMEDOUT, "%s: stalled (%s)", where,
                                 has_begun ? "the answer began, then next to nothing came" : "no answer came");
        switch (code) {
        case CURLE_COULDNT_RESOLVE_PROXY: /* detail may quote the proxy's password */
                return error_set(err, -ECONNREFUSED, "%s: could not resolve the proxy", where);
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT:
                return error_set(err, -ECONNREFUSED, "%s: could not connect: %s", where, detail);
        case CURLE_OPERATION_TIMEDOUT:
                return error_set(err, has_begun ? HTTP_BROKEN : -ETIMEDOUT, "%s: %s", where, detail);
        case CURLE_PEER_FAILED_VERIFICATION:
                return error_set(err, -EKEYREJECTED,
                                 "%s: its certificate is not trusted: %s (--ca-file names another authority)", where,
                                 detail);
        case CURLE_SSL_CACERT_BADFILE:
                return error_set(err, -EKEYREJECTED, "cannot use the certificates of %s: %s",
                                 x->h->ca_file ? x->h->ca_file : "the system", detail);
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_WEIRD_SERVER_REPLY:
                return error_set(err, -EPROTO, "%s: %s", where, detail);
        case CURLE_OUT_OF_MEMORY:
                return error_set(err, -ENOMEM, "%s: out of memory", where);
        default:
                return error_set(err, has_begun ? HTTP_BROKEN : -EIO, "%s: the connection broke: %s", where, detail);
        }
}

/* Sends the request to url and takes its answer; redirects are handed back in x->location. */
static int exchange(struct http *h, const struct http_request *q, const char *url, bool with_authorization,
                    struct exchange *x)
{
        char detail[CURL_ERROR_SIZE] = "";
        struct curl_slist *headers = NULL;
        if (!http_url_is(url, "https") && !http_url_is(url, "http"))
                return error_set(x->err, -EPERM, "refused a URL that is not a plain http or https one");
        curl_easy_reset(h->curl);
        x->is_plain = !h->unix_socket && !h->options.plain_http && http_url_is(url, "http");
        x->started = x->window_start = now();
        *x->response = empty_response(x);
        set_transport(h, x);
        curl_easy_setopt(h->curl, CURLOPT_URL, url);
        curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, detail);
        for (size_t i = 0; q->headers && q->headers[i]; i++)
                headers = add_header(headers, q->headers[i], "");
        if (with_authorization && q->authorization)
                headers = add_header(headers, "Authorization: ", q->authorization);
        if (q->offset) {
                char range[64];
                snprintf(range, sizeof(range), "Range: bytes=%llu-", (unsigned long long)q->offset);
                headers = add_header(headers, range, "");
        }
        struct str body = q->json.n ? q->json : q->form;
        if (q->json.n)
                headers = add_header(headers, "Content-Type: application/json", "");
        curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, headers);
        if (body.n) {
                curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
                curl_easy_setopt(h->curl, CURLOPT_COPYPOSTFIELDS, body.p);
        }
        CURLcode code = curl_easy_perform(h->curl);
        (void)curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &x->response->status);
        curl_slist_free_all(headers);
        bool is_cut_error = code == CURLE_WRITE_ERROR && x->response->status / 100 != 2 && !x->header_too_large;
        if (code == CURLE_OK || is_cut_error)
                return 0;
        return explain(x, code, detail[0] ? detail : curl_easy_strerror(code), url);
}

/* --- redirects and retries --- */

static bool is_redirect(const struct exchange *x)
{
        long s = x->response->status;
        return (s == 301 || s == 302 || s == 303 || s == 307 || s == 308) && x->location[0];
}

/* Turns x->location, which may be relative, into the next URL. */
static int next_url(struct http *h, const char *url, const struct exchange *x, char ret[static HTTP_URL_MAX],
                    bool *ret_same_origin, struct error *err)
{
        char where[512], to[512], *full = NULL;
        struct http_url from, next;
        http_url_print(url, where);
        if (curl_url_set(h->url, CURLUPART_URL, url, 0) != CURLUE_OK ||
            curl_url_set(h->url, CURLUPART_URL, x->location, 0) != CURLUE_OK ||
            curl_url_get(h->url, CURLUPART_URL, &full, 0) != CURLUE_OK || strlen(full) >= HTTP_URL_MAX ||
            !url_parts(url, &from) || !url_parts(full, &next)) {
                curl_free(full);
                return error_set(err, -EPERM, "%s: redirects to what is not a usable URL", where);
        }
        snprintf(ret, HTTP_URL_MAX, "%s", full);
        curl_free(full);
        http_url_print(ret, to);
        if (next.has_user || (strcmp(next.scheme, "https") != 0 && strcmp(next.scheme, "http") != 0))
                return error_set(err, -EPERM, "%s: redirects to a URL with a password or of an unknown kind", where);
        if (strcmp(from.scheme, "https") == 0 && strcmp(next.scheme, "https") != 0)
                return error_set(err, -EPERM, "%s: redirects from https to unencrypted %s: refused", where, to);
        *ret_same_origin = strcmp(from.scheme, next.scheme) == 0 && strcasecmp(from.host, next.host) == 0 &&
                           strcmp(from.port, next.port) == 0;
        return 0;
}

static int follow(struct http *h, const struct http_request *q, struct http_response *response, struct error *err)
{
        char url[HTTP_URL_MAX], where[512];
        bool with_authorization = true, same_origin = false;
        if (strlen(q->url) >= sizeof(url))
                return error_set(err, -E2BIG, "a URL of more than %d characters", HTTP_URL_MAX - 1);
        snprintf(url, sizeof(url), "%s", q->url);
        struct exchange *x = xmalloc(sizeof(*x));
        int r = 0;
        for (int redirects = 0; r == 0; redirects++) {
                *x = (struct exchange){ .h = h, .request = q, .response = response, .err = err };
                x->is_elsewhere = !with_authorization;
                r = exchange(h, q, url, with_authorization, x);
                if (r != 0 || !is_redirect(x))
                        break;
                http_url_print(q->url, where);
                if (redirects == REDIRECTS_MAX)
                        r = error_set(err, -ELOOP, "%s: more than %d redirects", where, REDIRECTS_MAX);
                else if (q->form.n || q->json.n || h->unix_socket)
                        r = error_set(err, -EPERM, "%s: redirects, which is refused for this request", where);
                else
                        r = next_url(h, url, x, url, &same_origin, err);
                with_authorization &= same_origin;
        }
        free(x);
        return r;
}

/* How long to wait before the next try, in seconds, or -1 to give up. */
static long retry_pause(struct http *h, int tried, double started)
{
        curl_off_t wait = 0;
        (void)curl_easy_getinfo(h->curl, CURLINFO_RETRY_AFTER, &wait);
        if (wait <= 0)
                wait = tried; /* none given: one second, then two */
        if (tried >= TRIES_MAX || wait > RETRIES_SECONDS_MAX || now() - started + (double)wait > RETRIES_SECONDS_MAX)
                return -1;
        return (long)wait;
}

static void pause_seconds(long seconds)
{
        double end = now() + (double)seconds;
        while (now() < end && !workers_interrupted()) {
                struct timespec t = { .tv_nsec = 50 * 1000 * 1000 };
                nanosleep(&t, NULL);
        }
}

int http_get(struct http *h, const struct http_request *request, struct http_response *ret, struct error *err)
{
        double started = now();
        for (int tried = 1;; tried++) {
                int r = follow(h, request, ret, err);
                if (r != 0 || (ret->status != 429 && ret->status != 503))
                        return r;
                long wait = retry_pause(h, tried, started);
                if (wait < 0)
                        return 0;
                pause_seconds(wait);
                if (workers_interrupted())
                        return error_set(err, -EINTR, "interrupted");
        }
}

/* --- life --- */

int http_new(const struct http_options *options, struct http **ret, struct error *err)
{
        struct http *h = xcalloc(1, sizeof(*h));
        if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) { /* counts; only the first one does anything */
                h->curl = curl_easy_init();
                h->url = curl_url();
        }
        h->options = *options;
        h->ca_file = options->ca_file ? xstrdup(options->ca_file) : NULL;
        h->unix_socket = options->unix_socket ? xstrdup(options->unix_socket) : NULL;
        h->stall_seconds = stall_limit(options);
        if (h->ca_file && access(h->ca_file, R_OK) < 0) {
                int r = error_errno(err, -errno, "cannot read the certificates in %s", h->ca_file);
                http_free(h);
                return r;
        }
        if (!h->curl || !h->url) {
                http_free(h);
                return error_set(err, -ENOMEM, "libcurl could not be started");
        }
        *ret = h;
        return 0;
}

void http_free(struct http *h)
{
        if (!h)
                return;
        curl_easy_cleanup(h->curl);
        curl_url_cleanup(h->url);
        free(h->ca_file);
        free(h->unix_socket);
        free(h);
}

void http_freep(struct http **h) { http_free(*h); }
