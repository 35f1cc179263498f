/*
 * For the tests of sources: opens an artefact, reads each of its layers (or the stream) in a worker, and prints what
 * came, one fact a line:
 *
 *         source-pull [--platform P] [--auth-file F] [--ca-file F] [--plain-http] [--socket S] TARGET
 *
 * "digest D", "image-id D", "platform OS/ARCH", "tag T", "layer I ok DIGEST SIZE" or "layer I failed WORDS",
 * "stream ok SIZE" or "stream failed WORDS", "note PATH CODE DETAIL". Exit codes: 0; 1 a layer failed; 3 not opened.
 */
#include "base/arena.h"
#include "proc/worker.h"
#include "source/digest.h"
#include "source/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>

struct pull {
        struct artefact *artefact;
        size_t i;
        bool failed;
        struct fact_layer layer;
        char digest[DIGEST_TEXT_MAX];
};

static int open_input(void *arg, int *ret_fd, pid_t *ret_producer, struct error *err)
{
        struct pull *p = arg;
        struct layer_input in;
        int r = p->artefact->source->open_layer(p->artefact, p->i, &in, err);
        if (r < 0)
                return r;
        if (in.is_seekable && lseek(in.fd, (off_t)in.offset, SEEK_SET) < 0)
                return -errno;
        *ret_fd = in.fd;
        *ret_producer = in.producer;
        return 0;
}

static int run(void *arg, int fd, struct sink *out, struct error *err)
{
        const struct pull *p = arg;
        unsigned char chunk[64 << 10], sum[EVP_MAX_MD_SIZE];
        unsigned n_sum = 0;
        char digest[DIGEST_TEXT_MAX] = "sha256:";
        uint64_t size = 0;
        ssize_t n;
        EVP_MD_CTX *md = EVP_MD_CTX_new();
        if (!md || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
                return error_set(err, -ENOMEM, "no sha256");
        while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
                EVP_DigestUpdate(md, chunk, (size_t)n);
                size += (uint64_t)n;
        }
        EVP_DigestFinal_ex(md, sum, &n_sum);
        EVP_MD_CTX_free(md);
        for (unsigned i = 0; i < n_sum; i++)
                snprintf(digest + 7 + 2 * (size_t)i, 3, "%02x", sum[i]);
        struct fact_layer f = { .digest = str_of(digest), .stored_size = size, .complete = n == 0 };
        sink_put(out, FACT_layer, &f);
        const struct layer *l = p->artefact->is_stream ? NULL : &p->artefact->layers[p->i];
        if (n < 0)
                return error_errno(err, -errno, "cannot read");
        if (l && l->digest.n && !str_is(l->digest, digest))
                return error_set(err, -EBADMSG, "its digest is %s", digest);
        return 0;
}

static void on_fact(void *arg, enum fact_kind kind, const void *fact)
{
        struct pull *p = arg;
        if (kind != FACT_layer)
                return;
        p->layer = *(const struct fact_layer *)fact;
        snprintf(p->digest, sizeof(p->digest), "%.*s", STR_FMT(p->layer.digest));
}

static void on_end(void *arg, int r, const char *why)
{
        struct pull *p = arg;
        char what[32];
        snprintf(what, sizeof(what), p->artefact->is_stream ? "stream" : "layer %zu", p->i + 1);
        p->failed = r < 0;
        if (r < 0)
                printf("%s failed %s\n", what, why);
        else
                printf("%s ok %s %llu\n", what, p->digest, (unsigned long long)p->layer.stored_size);
}

static int pull(struct artefact *a)
{
        size_t n = a->is_stream ? 1 : a->n_layers;
        struct pull *pulls = xcalloc(n + 1, sizeof(*pulls));
        struct job *jobs = xcalloc(n + 1, sizeof(*jobs));
        for (size_t i = 0; i < n; i++) {
                pulls[i] = (struct pull){ .artefact = a, .i = i };
                jobs[i] = (struct job){ .name = "layer",
                                        .open = open_input,
                                        .run = run,
                                        .on_fact = on_fact,
                                        .on_end = on_end,
                                        .arg = &pulls[i] };
        }
        int code = workers_run(jobs, n, 1, NULL) < 0;
        for (size_t i = 0; i < n; i++)
                code |= pulls[i].failed;
        free(pulls);
        free(jobs);
        return code;
}

static void describe(const struct artefact *a)
{
        printf("name %.*s\ndigest %.*s\nimage-id %.*s\n", STR_FMT(a->name), STR_FMT(a->digest), STR_FMT(a->image_id));
        if (a->has_config)
                printf("platform %.*s/%.*s\n", STR_FMT(a->config.os), STR_FMT(a->config.arch));
        for (size_t i = 0; i < a->tags.n; i++)
                printf("tag %.*s\n", STR_FMT(a->tags.v[i]));
        for (size_t i = 0; i < a->n_notes; i++)
                printf("note %.*s %.*s %.*s\n", STR_FMT(a->notes[i].path), STR_FMT(a->notes[i].code),
                       STR_FMT(a->notes[i].detail));
        fflush(stdout);
}

int main(int argc, char **argv)
{
        struct source_options o = { 0 };
        const char *target = NULL;
        for (int i = 1; i < argc; i++) {
                const char *value = i + 1 < argc ? argv[i + 1] : "";
                if (strcmp(argv[i], "--plain-http") == 0)
                        o.plain_http = true;
                else if (argv[i][0] != '-')
                        target = argv[i];
                else if (strcmp(argv[i], "--platform") == 0)
                        o.platform = str_of(value), i++;
                else if (strcmp(argv[i], "--auth-file") == 0)
                        o.auth_file = value, i++;
                else if (strcmp(argv[i], "--ca-file") == 0)
                        o.ca_file = value, i++;
                else if (strcmp(argv[i], "--socket") == 0)
                        o.socket = value, i++;
        }
        if (!target)
                return 2;
        struct artefact a;
        struct error err = ERROR_NONE;
        if (artefact_open(target, &o, &a, &err) < 0) {
                printf("error %s\n", err.text);
                return 3;
        }
        describe(&a);
        int code = pull(&a);
        artefact_close(&a);
        return code;
}
