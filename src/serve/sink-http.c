/*
 * POSTing JSON for the sinks that speak HTTP, over source/http.h. In the sink's child only. http:// to other than
 * loopback is spoken because the operator wrote it so: falcosidekick in a cluster has no certificate.
 */
#include "base/arena.h"
#include "serve/sink.h"
#include "source/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define ANSWER_BYTES_MAX 65536u /* read and thrown away */
#define ANSWER_SECONDS   20u

struct sink_http {
        struct http *http;
        char *url;
        char name[256];
};

/* Scheme, host and port: paths of hooks are tokens. A user in the URL is one, too. */
int sink_http_check(const char *url, char ret_name[static 256], struct error *err)
{
        char text[512];
        if (!url || (!http_url_is(url, "https") && !http_url_is(url, "http")))
                return error_set(err, -EINVAL, "takes an http:// or https:// URL with a host and without a user");
        struct str name = str_of(http_url_print(url, text));
        ptrdiff_t host = str_find(name, STR("://")), path = -1;
        if (host >= 0)
                path = str_find_char(str_from(name, (size_t)host + 3), '/');
        if (path >= 0)
                name.n = (size_t)(host + 3 + path);
        snprintf(ret_name, 256, "%.*s", STR_FMT(name));
        return 0;
}

struct sink_http *sink_http_new(const char *url, struct error *err)
{
        struct sink_http h = { 0 };
        struct http_options o = { .plain_http = true };
        if (sink_http_check(url, h.name, err) < 0 || http_new(&o, &h.http, err) < 0)
                return NULL;
        h.url = xstrdup(url);
        struct sink_http *ret = xmalloc(sizeof(*ret));
        *ret = h;
        return ret;
}

/* What went wrong without the URL that the words of http.h begin with. */
static struct str reason(const struct error *err)
{
        struct str words = str_of(err->text);
        ptrdiff_t end = str_find(words, STR(": "));
        return end >= 0 ? str_from(words, (size_t)end + 2) : words;
}

int sink_http_post(struct sink_http *h, struct str body, struct error *err)
{
        struct http_response response = { 0 };
        struct error why = ERROR_NONE;
        struct http_request request = {
                .url = h->url, .json = body, .max_bytes = ANSWER_BYTES_MAX, .max_seconds = ANSWER_SECONDS
        };
        int r = http_get(h->http, &request, &response, &why);
        long status = response.status;
        if (r != 0 && status / 100 != 2) /* an answer that breaks off after its 2xx was an answer */
                return error_set(err, -EIO, "%s: %.*s", h->name, STR_FMT(reason(&why)));
        if (status / 100 == 2)
                return 0;
        bool is_for_good = status / 100 == 4 && status != 408 && status != 425 && status != 429;
        return error_set(err, is_for_good ? SINK_REFUSED : -EIO, "%s: answered with status %ld", h->name, status);
}
