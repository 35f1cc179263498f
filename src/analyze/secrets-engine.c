/* Secrets as an engine of the content pass; see secrets.h. */
#include "analyze/secrets.h"

static void *open_worker(const struct content_engine *e) { return secret_scanner_new(e->config); }

static void close_worker(void *worker) { secret_scanner_free(worker); }

static void on_found(void *arg, const struct secret_found *found)
{
        const struct content_call *c = arg;
        const struct secret_file *f = c->state;
        struct secret_words words;
        if (f->found > SECRETS_FILE_MAX)
                return;
        struct fact_secret fact = secret_fact(found, c->file->path, c->file->members, c->file->mode, &words);
        sink_put(c->out, FACT_secret, &fact);
}

/* Whether the file is what the unpacker decoded in this way: the last part of its name says it. */
static bool is_decoded_as(const struct content_call *c, struct str how)
{
        struct str members = c->file->members;
        return str_starts(str_from(members, (size_t)(str_rfind_char(members, '!') + 1)), how);
}

static void begin_file(const struct content_call *c)
{
        struct secret_file *f = c->state;
        f->path = c->file->path;
        f->is_decoded = is_decoded_as(c, STR("base64@"));
}

/* The unpacker's bytes of what is UTF-16: the search reads that itself, and tells where it stands in the file. */
static bool is_wide_again(const struct content_call *c) { return is_decoded_as(c, STR("utf-16@")); }

static void look_at_window(const struct content_call *c, const struct content_window *w)
{
        if (is_wide_again(c))
                return;
        secrets_scan(c->worker, c->state, w, on_found, (void *)c);
}

/* Where systems keep the certificates of authorities, whose keys are elsewhere for sure. */
static bool is_of_authorities(struct str path)
{
        return str_starts(path, STR("etc/ssl/certs/")) || str_starts(path, STR("usr/share/ca-certificates/")) ||
               str_starts(path, STR("etc/pki/ca-trust/")) || str_starts(path, STR("usr/share/pki/"));
}

static void end_file(const struct content_call *c, const struct content_digests *d, bool is_whole)
{
        const struct secret_file *f = c->state;
        for (size_t i = 0; i < f->n_certificates && f->n_certificates <= SECRETS_CERTIFICATES_MAX; i++) {
                struct fact_certificate x = { .path = c->file->path,
                                              .subject = str_of(f->certificates[i].subject),
                                              .public_key = str_span(f->certificates[i].public_key, 32) };
                if (!is_of_authorities(c->file->path))
                        sink_put(c->out, FACT_certificate, &x);
        }
        if (f->limits)
                content_incomplete(c->open, "budget", "secrets: %llu patterns took too many steps and were given up%s",
                                   (unsigned long long)f->limits, f->has_given_up ? ", and the search with them" : "");
        if (f->found > SECRETS_FILE_MAX)
                content_incomplete(c->open, "budget", "%llu secrets, of which the first %d are listed",
                                   (unsigned long long)f->found, SECRETS_FILE_MAX);
}

void secrets_engine_init(struct content_engine *ret, const struct secret_set *s)
{
        *ret = (struct content_engine){ .name = "secrets",
                                        .config = s,
                                        .literals = s->literals,
                                        .n_literals = s->n_literals,
                                        .file_bytes = sizeof(struct secret_file),
                                        .every_window = true, /* to count lines */
                                        .open = open_worker,
                                        .close = close_worker,
                                        .begin = begin_file,
                                        .window = look_at_window,
                                        .end = end_file };
}
