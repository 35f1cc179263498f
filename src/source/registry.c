/*
 * Images in a registry: registry:HOST[:PORT]/REPOSITORY[:TAG][@DIGEST], over the OCI distribution API.
 *
 * Manifests and configurations are fetched whole, checked against their digests (of what came, not of what a header
 * says) and parsed by a worker. A layer is fetched by a producer that writes its stored bytes into the worker's pipe;
 * the worker checks the digest while it reads. What breaks off is taken up again where it ended.
 */
#include "base/fs.h"
#include "proc/worker.h"
#include "read/oci.h"
#include "source/digest.h"
#include "source/image.h"
#include "source/registry-client.h"
#include "source/sources.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#define RESUMES_MAX      5
#define DOCUMENT_SECONDS 300u

static const char *const manifest_headers[] = {
        "Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
        "application/vnd.docker.distribution.manifest.list.v2+json, "
        "application/vnd.docker.distribution.manifest.v2+json",
        NULL,
};

/* --- documents --- */

static int get_document(struct registry *r, const char *kind, const char *what, struct buf *ret, struct error *err)
{
        struct http_response response;
        struct http_request request = { .headers = strcmp(kind, "manifests") == 0 ? manifest_headers : NULL,
                                        .max_bytes = OCI_DOCUMENT_MAX,
                                        .max_seconds = DOCUMENT_SECONDS,
                                        .body = ret };
        int e = registry_get(r, kind, what, &request, &response, err);
        if (e != 0)
                return e < 0 ? e : -EIO;
        return 0;
}

static int read_document(void *arg, const struct fact_descriptor *d, struct buf *ret, struct error *err)
{
        char digest[DIGEST_TEXT_MAX];
        if (!digest_is_valid(d->digest))
                return error_set(err, -EBADMSG, "\"%.*s\" is not a digest", STR_FMT(str_upto(d->digest, 150)));
        snprintf(digest, sizeof(digest), "%.*s", STR_FMT(d->digest));
        return get_document(arg, str_is(d->role, "config") ? "blobs" : "manifests", digest, ret, err);
}

static void tell(const struct source_options *o, const char *host, const char *name)
{
        char line[REGISTRY_TEXT_MAX + 300];
        snprintf(line, sizeof(line), "asking registry %s for %s", host, name);
        if (o->progress)
                o->progress(o->progress_arg, line);
}

static int load(struct registry *r, const struct registry_name *name, const struct source_options *o,
                struct artefact *a, struct error *err)
{
        _cleanup_(buf_done) struct buf bytes = BUF_INIT(OCI_DOCUMENT_MAX);
        char text[REGISTRY_TEXT_MAX];
        struct image_fetch fetch = { .read = read_document, .arg = r };
        a->name = arena_str(&a->arena, str_of(registry_name_print(name, text)));
        tell(o, name->host, name->repository);
        int e = get_document(r, "manifests", name->digest[0] ? name->digest : name->tag, &bytes, err);
        if (e == 0 && name->digest[0])
                e = digest_check(str_of(name->digest), buf_str(&bytes), err);
        if (e == 0)
                e = image_from_bytes(a, buf_str(&bytes), o->platform, &fetch, err);
        if (e == 0 && name->tag[0]) {
                a->tags = (struct str_list){ .v = arena_new(&a->arena, struct str), .n = 1 };
                a->tags.v[0] = arena_printf(&a->arena, "%s/%s:%s", name->host, name->repository, name->tag);
        }
        return e;
}

/* --- layers --- */

struct blob {
        struct registry *registry;
        char digest[DIGEST_TEXT_MAX];
        uint64_t size;

        /* In the producer: */
        int out_fd;
        uint64_t got;  /* bytes of the blob that were written */
        uint64_t skip; /* of this answer, still to be passed over: the server began at the start again */
        bool is_begun; /* this answer's header was looked at */
};

static int wrong_size(const struct blob *b, uint64_t says, struct error *err)
{
        return error_set(err, -EBADMSG, "registry %s says that blob %s has %llu bytes; the manifest says %llu",
                         registry_host(b->registry), b->digest, (unsigned long long)says, (unsigned long long)b->size);
}

static int begin_answer(struct blob *b, const struct http_response *response, struct error *err)
{
        b->is_begun = true;
        b->skip = 0;
        if (response->status == 206) {
                if (!response->has_range || response->range_start != b->got)
                        return error_set(err, -EBADMSG,
                                         "registry %s continues blob %s at another place than was asked for",
                                         registry_host(b->registry), b->digest);
                if (response->range_total != UINT64_MAX && response->range_total != b->size)
                        return wrong_size(b, response->range_total, err);
                return 0;
        }
        if (response->content_length != UINT64_MAX && response->content_length != b->size)
                return wrong_size(b, response->content_length, err);
        b->skip = b->got;
        return 0;
}

static int on_blob(void *arg, const struct http_response *response, const void *p, size_t n, struct error *err)
{
        struct blob *b = arg;
        struct str bytes = str_span(p, n);
        int e = b->is_begun ? 0 : begin_answer(b, response, err);
        if (e < 0)
                return e;
        uint64_t skipped = MIN(b->skip, bytes.n);
        b->skip -= skipped;
        bytes = str_from(bytes, (size_t)skipped);
        if (bytes.n > b->size - b->got)
                return error_set(err, -EBADMSG,
                                 "registry %s sends more bytes for blob %s than the %llu of the manifest",
                                 registry_host(b->registry), b->digest, (unsigned long long)b->size);
        e = bytes.n ? write_all(b->out_fd, bytes.p, bytes.n) : 0;
        if (e < 0)
                return error_errno(err, e, "cannot hand on blob %s", b->digest);
        b->got += bytes.n;
        return 0;
}

/* The producer: the blob's bytes, from however many answers it takes, as long as each brings something. */
static int fetch_blob(void *arg, int out_fd, struct error *err)
{
        struct blob *b = arg;
        b->out_fd = out_fd;
        int e = registry_after_fork(b->registry, err);
        for (int resumes = 0; e == 0 && b->got < b->size; resumes++) {
                struct http_response response;
                struct http_request request = {
                        .offset = b->got, .max_bytes = UINT64_MAX, .on_body = on_blob, .arg = b
                };
                struct error why = ERROR_NONE;
                uint64_t before = b->got;
                b->is_begun = false;
                e = registry_get(b->registry, "blobs", b->digest, &request, &response, &why);
                if (e < 0)
                        return error_set(err, e, "%s", why.text);
                if (b->got == b->size)
                        break;
                if (b->got == before || resumes == RESUMES_MAX)
                        return error_set(err, -EIO, "registry %s gave only %llu of the %llu bytes of blob %s%s%s",
                                         registry_host(b->registry), (unsigned long long)b->got,
                                         (unsigned long long)b->size, b->digest, why.text[0] ? ": " : "", why.text);
                e = 0;
        }
        return e < 0 ? e : 0;
}

/* --- the source --- */

static int registry_recognise(const char *target)
{
        struct registry_name name;
        struct stat st;
        struct str text = str_of(target);
        if (!registry_name_has_host(text) || stat(target, &st) == 0 || registry_name_parse(text, &name, NULL) < 0)
                return 0;
        return 30;
}

static int registry_open(const char *target, const struct source_options *o, struct artefact *ret, struct error *err)
{
        struct registry_name name;
        struct registry *r;
        int e = registry_name_parse(str_of(target), &name, err);
        if (e == 0)
                e = registry_new(&name, o, &r, err);
        if (e < 0)
                return e;
        e = load(r, &name, o, ret, err);
        if (e < 0) {
                registry_free(r);
                return e;
        }
        ret->state = r;
        return 0;
}

static int registry_open_layer(struct artefact *a, size_t i, struct layer_input *ret, struct error *err)
{
        const struct layer *layer = &a->layers[i];
        if (layer->is_foreign)
                return error_set(err, -ENOTSUP, "a foreign layer: it lies somewhere else and is not fetched");
        if (!digest_is_valid(layer->digest))
                return error_set(err, -EBADMSG, "\"%.*s\" is not a digest", STR_FMT(str_upto(layer->digest, 150)));
        if (!layer->size)
                return error_set(err, -EBADMSG, "the manifest gives no size for layer %.*s", STR_FMT(layer->digest));
        struct blob *b = arena_new(&a->arena, struct blob);
        b->registry = a->state;
        b->size = layer->size;
        snprintf(b->digest, sizeof(b->digest), "%.*s", STR_FMT(layer->digest));
        struct layer_input in = { .fd = -1, .size = UINT64_MAX };
        int e = producer_start(fetch_blob, b, &in.fd, &in.producer, err);
        if (e < 0)
                return e;
        *ret = in;
        return 0;
}

static void registry_close(struct artefact *a) { registry_free(a->state); }

const struct source source_registry = {
        .name = "registry",
        .prefix = "registry:",
        .summary = "an image in a registry: HOST[:PORT]/REPOSITORY[:TAG][@DIGEST], or a name on docker.io",
        .example = "registry:localhost:5000/web:1.2",
        .recognise = registry_recognise,
        .open = registry_open,
        .open_layer = registry_open_layer,
        .close = registry_close,
};
