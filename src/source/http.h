/*
 * HTTP, the careful way: one thin layer over libcurl for the registries, the engines' API sockets and downloads.
 *
 * - Only https; http only to loopback addresses (judged by the address that is really dialled, with no proxy between)
 *   or where the caller allows it. TLS is verified. No cookies, no .netrc; proxies by libcurl's environment rules.
 * - A connection must open within 15 s and then move at least 64 bytes a second over any window of 30 s
 *   ($SEKISHO_HTTP_STALL_SECONDS); the time that the receiver of the body takes does not count.
 * - At most 5 redirects, followed here: never from https to http, and the Authorization header goes along only while
 *   scheme, host and port stay the same. A request with a form or JSON is not redirected.
 * - 429 and 503 are tried again, at most 3 times and 60 s in all, as Retry-After says.
 * - Header and body are bounded. Only the body of a 2xx answer is handed on.
 * - Words of errors name scheme, host, port and path: never a query, a user, a password or a token.
 * - A pending workers_interrupt() ends a transfer with -EINTR.
 */
#ifndef SEKISHO_SOURCE_HTTP_H
#define SEKISHO_SOURCE_HTTP_H

#include "base/buf.h"
#include "base/error.h"

#define HTTP_URL_MAX       8192
#define HTTP_CHALLENGE_MAX 8192

struct http_options {
        const char *ca_file;     /* PEM; NULL: the system's */
        const char *unix_socket; /* NULL, or where to connect whatever the URL's host; never redirected */
        unsigned stall_seconds;  /* patience with a server from which nothing comes; 0: the usual */
        bool plain_http;         /* http:// to other than loopback addresses, too */
        bool tls_skip_verify;
};

struct http_response {
        long status;             /* of the last answer */
        uint64_t content_length; /* UINT64_MAX: not said */
        bool is_elsewhere;       /* it came, after redirects, from another scheme, host or port than was asked */
        bool has_range;          /* a Content-Range that could be read */
        uint64_t range_start, range_total;  /* total UINT64_MAX: not said */
        char content_type[128];             /* without parameters, in lower case; "" if not said */
        char etag[256], last_modified[64];  /* as they were said; "" if not, or if too long */
        char challenge[HTTP_CHALLENGE_MAX]; /* all WWW-Authenticate headers, joined by ", " */
};

struct http_request {
        const char *url;
        const char *const *headers; /* "Accept: ...", NULL-terminated; NULL: none */
        const char *authorization;  /* secret: value of the Authorization header; NULL: none */
        struct str form;            /* secret: where not empty, POSTed as application/x-www-form-urlencoded */
        struct str json;            /* where not empty, POSTed as application/json; not with a form */
        uint64_t offset;            /* > 0: asks for the bytes from there on (Range) */
        uint64_t max_bytes;         /* of the body; more is -EFBIG */
        unsigned max_seconds;       /* for each answer as a whole; 0: as long as bytes flow */

        /* Gets a 2xx body in pieces; < 0 ends the transfer with that. NULL: the body is added to `body`. */
        int (*on_body)(void *arg, const struct http_response *response, const void *p, size_t n, struct error *err);
        void *arg;
        struct buf *body; /* may be NULL: thrown away */
};

struct http;

/* One user of connections; not for several threads, and not usable in a child of fork. */
int http_new(const struct http_options *options, struct http **ret, struct error *err);
void http_free(struct http *h);
void http_freep(struct http **h);

/*
 * 0: an answer came, of any status. HTTP_BROKEN: it began (a 2xx), and then broke off or stalled; words in err. < 0: no
 * answer; words in err: -ECONNREFUSED (nobody there), -EPROTO (it does not speak TLS or HTTP), -EKEYREJECTED (its
 * certificate), -ETIMEDOUT, -EFBIG, -ELOOP (redirects), -EPERM (refused by the rules above), -EINTR, -EIO; or what
 * on_body returned.
 */
enum { HTTP_BROKEN = 1 };
int http_get(struct http *h, const struct http_request *request, struct http_response *ret, struct error *err);

/* Scheme, host, port and path of a URL, for people. Returns text. */
const char *http_url_print(const char *url, char text[static 512]);

/* True if the URL's scheme is https / http, it has a host and no user or password. */
bool http_url_is(const char *url, const char *scheme);

/* Adds s to b, with everything but unreserved characters (RFC 3986) and those in `keep` as %XX. */
void http_escape(struct buf *b, struct str s, const char *keep);

#endif
