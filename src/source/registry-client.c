/* See registry-client.h. */
#include "source/registry-client.h"

#include "base/arena.h"
#include "source/auth.h"
#include "source/json-fields.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define TOKEN_MAX      AUTH_SECRET_MAX
#define ANSWER_MAX     (256u << 10) /* of a token server, or of /v2/ */
#define SMALL_SECONDS  120u         /* for such an answer as a whole */
#define DOCKER_IO_HOST "registry-1.docker.io"

struct registry {
        struct http *http;
        struct http_options http_options;
        struct registry_name name;
        struct credential credential;
        char *ca_file;
        char base[300];      /* "https://HOST"; "" until it is known */
        char *authorization; /* secret; NULL until the registry asked */
        bool is_loopback;
};

const char *registry_host(const struct registry *r) { return r->name.host; }

int registry_new(const struct registry_name *name, const struct source_options *o, struct registry **ret,
                 struct error *err)
{
        struct registry *r = xcalloc(1, sizeof(*r));
        r->name = *name;
        r->ca_file = o->ca_file ? xstrdup(o->ca_file) : NULL;
        r->is_loopback = host_is_loopback(str_of(name->host));
        r->http_options = (struct http_options){ .ca_file = r->ca_file,
                                                 .plain_http = o->plain_http,
                                                 .tls_skip_verify = o->tls_skip_verify };
        int e = http_new(&r->http_options, &r->http, err);
        if (e == 0)
                e = credential_find(o->auth_file, name, &r->credential, err);
        if (e < 0) {
                registry_free(r);
                return e;
        }
        *ret = r;
        return 0;
}

void registry_free(struct registry *r)
{
        if (!r)
                return;
        http_free(r->http);
        credential_done(&r->credential);
        secret_freep(&r->authorization);
        free(r->ca_file);
        free(r);
}

int registry_after_fork(struct registry *r, struct error *err)
{
        /* The old handle is left as it is: to end its TLS connections would end the parent's. */
        return http_new(&r->http_options, &r->http, err);
}

/* --- which scheme --- */

/* Whether something that may be a registry answers there. < 0: nothing; words in err. */
static int probe(struct registry *r, const char *base, struct error *err)
{
        char url[320];
        struct http_response response;
        struct http_request request = { .url = url, .max_bytes = ANSWER_MAX, .max_seconds = SMALL_SECONDS };
        snprintf(url, sizeof(url), "%s/v2/", base);
        int e = http_get(r->http, &request, &response, err);
        if (e != 0)
                return e < 0 ? e : -EIO;
        /* What a TLS server says to plain http. */
        return response.status == 400 ? error_set(err, -EPROTO, "%s: answered 400", url) : 0;
}

static bool may_try_other_scheme(int e) { return e == -EPROTO || e == -ECONNREFUSED || e == -EIO || e == -ETIMEDOUT; }

/*
 * https, except: a loopback registry is asked with http first and https after that (the other way round where the
 * caller has something to say about TLS); where unencrypted http was asked for, it comes after https.
 */
static int find_base(struct registry *r, struct error *err)
{
        const char *host = strcmp(r->name.host, "docker.io") == 0 ? DOCKER_IO_HOST : r->name.host;
        bool may_http = r->is_loopback || r->http_options.plain_http;
        bool http_first = r->is_loopback && !r->ca_file && !r->http_options.tls_skip_verify;
        struct error first = ERROR_NONE, second = ERROR_NONE;
        char one[300], two[300];
        snprintf(one, sizeof(one), "%s://%s", http_first ? "http" : "https", host);
        snprintf(two, sizeof(two), "%s://%s", http_first ? "https" : "http", host);
        if (may_http) {
                int e = probe(r, one, &first);
                if (e < 0 && !may_try_other_scheme(e))
                        return error_set(err, e, "%s", first.text);
                if (e < 0) {
                        int e2 = probe(r, two, &second);
                        if (e2 == -EKEYREJECTED || e2 == -EINTR)
                                return error_set(err, e2, "%s", second.text);
                        if (e2 < 0)
                                return error_set(err, e, "%s", first.text);
                        snprintf(one, sizeof(one), "%s", two);
                }
        }
        snprintf(r->base, sizeof(r->base), "%s", one);
        return 0;
}

/* --- logging in --- */

static const char *tried_credentials(const struct registry *r, char text[static 860])
{
        if (credential_is_set(&r->credential))
                snprintf(text, 860, "the credentials of %s", r->credential.from);
        else
                snprintf(text, 860, "no credentials for %s in %s", r->name.host, r->credential.looked);
        return text;
}

static int refused(const struct registry *r, const char *what, const char *who, struct error *err)
{
        char tried[860];
        tried_credentials(r, tried);
        return error_set(err, -EACCES, "%s answered 401 for %s: %s%s: log in with podman login %s", who, what, tried,
                         credential_is_set(&r->credential) ? " were refused" : "", r->name.host);
}

static bool token_is_valid(struct str token)
{
        for (size_t i = 0; i < token.n; i++)
                if (token.p[i] <= 0x20 || token.p[i] >= 0x7f)
                        return false;
        return token.n > 0 && token.n <= TOKEN_MAX;
}

static int take_token(struct registry *r, struct str answer, const char *who, struct error *err)
{
        static const char *const keys[] = { "token", "access_token", NULL };
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct json_field *fields;
        size_t n;
        int e = json_fields_read(answer, keys, &arena, &fields, &n, err);
        if (e < 0)
                return error_prefix(err, e, "the answer of %s", who);
        for (size_t i = 0; i < n; i++) {
                if (!token_is_valid(fields[i].text))
                        continue;
                secret_freep(&r->authorization);
                r->authorization = xmalloc(fields[i].text.n + 8);
                snprintf(r->authorization, fields[i].text.n + 8, "Bearer %.*s", STR_FMT(fields[i].text));
                explicit_bzero((char *)fields[i].text.p, fields[i].text.n);
                return 0;
        }
        return error_set(err, -EBADMSG, "%s gave no token that can be used", who);
}

static void add_parameter(struct buf *b, const char *name, const char *value)
{
        if (!value[0])
                return;
        buf_puts(b, b->n && b->p[b->n - 1] != '?' ? "&" : "");
        buf_printf(b, "%s=", name);
        http_escape(b, str_of(value), "");
}

static bool realm_is_allowed(const struct registry *r, const char *realm)
{
        if (strchr(realm, '#'))
                return false;
        return http_url_is(realm, "https") ||
               (http_url_is(realm, "http") && (r->is_loopback || r->http_options.plain_http));
}

/* GET with Basic, or without anything; with an identity token: POST, as OAuth2 has it. */
static int fetch_token(struct registry *r, const struct challenge *c, const char *what, struct error *err)
{
        _cleanup_(buf_done) struct buf url = BUF_INIT(HTTP_URL_MAX - 1);
        _cleanup_(buf_done) struct buf form = BUF_INIT(2 * AUTH_SECRET_MAX * 3);
        _cleanup_(buf_done) struct buf answer = BUF_INIT(ANSWER_MAX);
        _cleanup_(secret_freep) char *basic = NULL;
        char scope[REGISTRY_NAME_MAX + 32], realm[512], who[640];
        struct http_response response;
        if (!realm_is_allowed(r, c->realm))
                return error_set(err, -EPERM,
                                 "registry %s sends us to a token server that is not an https URL: refused",
                                 r->name.host);
        http_url_print(c->realm, realm);
        snprintf(who, sizeof(who), "token server %s", realm);
        snprintf(scope, sizeof(scope), "repository:%s:pull", r->name.repository);
        bool with_form = r->credential.identity_token != NULL;
        buf_puts(&url, c->realm);
        struct buf *parameters = with_form ? &form : &url;
        if (with_form)
                add_parameter(&form, "grant_type", "refresh_token");
        else
                buf_puts(&url, strchr(c->realm, '?') ? "&" : "?");
        if (!with_form && strchr(c->realm, '?'))
                url.n--, url.p[url.n] = 0; /* add_parameter puts the "&" */
        add_parameter(parameters, "service", c->service);
        add_parameter(parameters, "scope", c->scope[0] ? c->scope : scope);
        if (with_form) {
                add_parameter(&form, "client_id", "sekisho");
                add_parameter(&form, "refresh_token", r->credential.identity_token);
        } else if (r->credential.password) {
                add_parameter(&url, "account", r->credential.username);
                basic = basic_authorization(&r->credential);
        }
        if (buf_is_full(&url) || buf_is_full(&form))
                return error_set(err, -E2BIG, "the address of %s is too long", who);
        struct http_request request = { .url = url.p,
                                        .authorization = basic,
                                        .form = buf_str(&form),
                                        .max_bytes = ANSWER_MAX,
                                        .max_seconds = SMALL_SECONDS,
                                        .body = &answer };
        int e = http_get(r->http, &request, &response, err);
        if (form.p)
                explicit_bzero(form.p, form.n);
        if (e == 0 && (response.status == 401 || response.status == 403))
                e = refused(r, what, who, err);
        else if (e == 0 && response.status / 100 != 2)
                e = error_set(err, -EIO, "%s answered %ld", who, response.status);
        if (e == 0)
                e = take_token(r, buf_str(&answer), who, err);
        if (answer.p)
                explicit_bzero(answer.p, answer.n);
        return e > 0 ? -EIO : e;
}

/* Answers the registry's 401, so that the request can be sent again. */
static int log_in(struct registry *r, const struct http_response *response, const char *what, struct error *err)
{
        struct challenge c;
        char who[REGISTRY_NAME_MAX + 16];
        snprintf(who, sizeof(who), "registry %s", r->name.host);
        if (!response->challenge[0])
                return error_set(err, -EACCES,
                                 "%s answered 401 for %s and does not say how to log in (no WWW-Authenticate header)",
                                 who, what);
        if (challenge_parse(str_of(response->challenge), &c) < 0)
                return error_set(err, -EACCES,
                                 "%s answered 401 for %s with a WWW-Authenticate header that makes no sense", who,
                                 what);
        if (c.scheme == CHALLENGE_NONE)
                return error_set(err, -EACCES,
                                 "%s answered 401 for %s: it wants a login by %s; Basic and Bearer can be had", who,
                                 what, c.other);
        if (c.scheme == CHALLENGE_BEARER)
                return fetch_token(r, &c, what, err);
        if (!r->credential.password)
                return refused(r, what, who, err);
        secret_freep(&r->authorization);
        r->authorization = basic_authorization(&r->credential);
        return 0;
}

/* --- requests --- */

static int describe(const struct registry *r, const struct http_response *response, const char *what, struct error *err)
{
        char tried[860], who[REGISTRY_NAME_MAX + 16];
        snprintf(who, sizeof(who), "registry %s", r->name.host);
        switch (response->status) {
        case 401:
                return refused(r, what, who, err);
        case 403:
                return error_set(err, -EACCES, "%s answered 403 for %s: not allowed (%s)", who, what,
                                 tried_credentials(r, tried));
        case 404:
                return error_set(err, -ENOENT, "%s has no %s (it answered 404)", who, what);
        case 429:
                return error_set(err, -EBUSY, "%s answered 429 for %s: too many requests; try again later", who, what);
        default:
                return error_set(err, -EIO, "%s answered %ld for %s", who, response->status, what);
        }
}

int registry_get(struct registry *r, const char *kind, const char *what, struct http_request *request,
                 struct http_response *ret, struct error *err)
{
        char url[1024], name[REGISTRY_TEXT_MAX + 32];
        bool is_tag = strcmp(kind, "manifests") == 0 && !strchr(what, ':');
        int e = r->base[0] ? 0 : find_base(r, err);
        if (e < 0)
                return e;
        snprintf(url, sizeof(url), "%s/v2/%s/%s/%s", r->base, r->name.repository, kind, what);
        snprintf(name, sizeof(name), "%s%s%s", r->name.repository, is_tag ? ":" : "@", what);
        request->url = url;
        for (int tries = 0;; tries++) {
                request->authorization = r->authorization;
                e = http_get(r->http, request, ret, err);
                if (e != 0)
                        return e;
                if (ret->status / 100 == 2)
                        return 0;
                if (ret->status == 401 && ret->is_elsewhere)
                        return error_set(err, -EACCES,
                                         "registry %s redirects %s to another server, which answered 401; it gets "
                                         "no credentials of ours",
                                         r->name.host, name);
                if (ret->status != 401 || tries)
                        return describe(r, ret, name, err);
                e = log_in(r, ret, name, err);
                if (e < 0)
                        return e;
        }
}
