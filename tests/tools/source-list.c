/*
 * For tests of the sources: opens an artefact and prints what is known of it, one field a line, or writes the bytes of
 * one layer as they are stored (a producer's stream likewise), so that other tools can look at them.
 *
 *         source-list [--platform P] [--root DIR] [--layer N] TARGET
 */
#include "base/fs.h"
#include "proc/worker.h"
#include "read/stream.h"
#include "read/tar.h"
#include "source/members.h"
#include "source/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void print(const char *name, struct str value)
{
        if (value.n)
                printf("%s: %.*s\n", name, STR_FMT(value));
}

static void print_list(const char *name, struct str_list l)
{
        for (size_t i = 0; i < l.n; i++)
                print(name, l.v[i]);
}

static void print_artefact(const struct artefact *a)
{
        printf("source: %s\n", a->source->name);
        print("name", a->name);
        print("digest", a->digest);
        print("image-id", a->image_id);
        print_list("tag", a->tags);
        print("container", a->container);
        if (a->has_config) {
                printf("platform: %.*s/%.*s\n", STR_FMT(a->config.os), STR_FMT(a->config.arch));
                print("user", a->config.user);
                print_list("env", a->config.env);
                print_list("entrypoint", a->config.entrypoint);
                print_list("cmd", a->config.cmd);
                print_list("label", a->config.labels);
        }
        for (size_t i = 0; i < a->n_layers; i++) {
                const struct layer *l = &a->layers[i];
                printf("layer: %zu size=%llu%s%s\n", i, (unsigned long long)l->size, l->is_packed ? " packed" : "",
                       l->is_foreign ? " foreign" : "");
                print("  digest", l->digest);
                print("  diff-id", l->diff_id);
                print("  created-by", l->created_by);
                print("  member", l->member);
        }
        for (size_t i = 0; i < a->n_notes; i++)
                printf("note: %.*s: %.*s: %.*s\n", STR_FMT(a->notes[i].path), STR_FMT(a->notes[i].code),
                       STR_FMT(a->notes[i].detail));
}

static int write_layer(struct artefact *a, size_t i, struct error *err)
{
        struct layer_input in;
        char chunk[64 << 10];
        int r = a->source->open_layer(a, i, &in, err);
        if (r < 0)
                return r;
        for (uint64_t at = 0; at < in.size;) {
                size_t want = (size_t)MIN(in.size - at, sizeof(chunk));
                ssize_t n =
                        in.is_seekable ? pread(in.fd, chunk, want, (off_t)(in.offset + at)) : read(in.fd, chunk, want);
                if (n <= 0)
                        break;
                if (write_all(STDOUT_FILENO, chunk, (size_t)n) < 0)
                        break;
                at += (uint64_t)n;
        }
        close(in.fd);
        int status = 0;
        if (in.producer && (waitpid(in.producer, &status, 0) < 0 || status != 0))
                return error_set(err, -EIO, "the producer failed");
        return 0;
}

struct reading {
        struct stream *stream;
        struct error err;
};

static ssize_t pull(void *arg, void *p, size_t n)
{
        struct reading *r = arg;
        return stream_read(r->stream, p, n, &r->err);
}

/* What the job that reads a stream does, without a worker: all small members that look like JSON, whole. */
static int resolve_stream(struct artefact *a, struct error *err)
{
        struct layer_input in;
        int r = a->source->open_layer(a, 0, &in, err);
        if (r < 0)
                return r;
        struct stream_source from = {
                .fd = in.fd, .is_seekable = in.is_seekable, .offset = in.offset, .size = in.size
        };
        struct reading reading = { .stream = stream_new(&from) };
        struct tar *tar = tar_new(pull, &reading);
        VEC(struct fact_member) members = { 0 };
        struct tar_entry e;
        while ((r = tar_next(tar, &e)) == TAR_ENTRY) {
                struct fact_member f;
                if (!member_from_entry(&e, &a->arena, &f))
                        continue;
                if (e.type == TAR_REGULAR && e.size < 4 << 20) {
                        char *p = xmalloc(e.size + 1);
                        size_t n = 0;
                        ssize_t got;
                        while (n < e.size && (got = tar_read(tar, p + n, e.size - n)) > 0)
                                n += (size_t)got;
                        if (n && (p[0] == '{' || p[0] == '['))
                                f.content = str_span(p, n);
                        fact_copy(FACT_member, &a->arena, &f, vec_push(&members));
                        free(p);
                } else {
                        fact_copy(FACT_member, &a->arena, &f, vec_push(&members));
                }
        }
        if (r != TAR_END)
                r = error_set(err, -EBADMSG, "stream: %s%s", r == TAR_MALFORMED ? tar_where(tar) : "",
                              reading.err.text);
        tar_free(tar);
        stream_free(reading.stream);
        close(in.fd);
        struct stream_members m = { members.v, members.n };
        if (r == 0)
                r = a->source->resolve(a, &m, err);
        vec_done(&members);
        return r;
}

int main(int argc, char **argv)
{
        struct source_options o = { 0 };
        long layer = -1;
        int i = 1;
        for (; i + 1 < argc; i += 2) {
                if (strcmp(argv[i], "--platform") == 0)
                        o.platform = str_of(argv[i + 1]);
                else if (strcmp(argv[i], "--root") == 0)
                        o.root = argv[i + 1];
                else if (strcmp(argv[i], "--layer") == 0)
                        layer = strtol(argv[i + 1], NULL, 10);
                else
                        break;
        }
        if (i + 1 != argc) {
                fprintf(stderr, "usage: source-list [--platform P] [--root DIR] [--layer N] TARGET\n");
                return 2;
        }
        struct error err = ERROR_NONE;
        struct artefact a;
        int r = artefact_open(argv[i], &o, &a, &err);
        if (r < 0) {
                fprintf(stderr, "source-list: %s\n", err.text);
                return 1;
        }
        if (a.is_stream)
                r = resolve_stream(&a, &err);
        if (r == 0 && layer >= 0 && (size_t)layer < a.n_layers)
                r = write_layer(&a, (size_t)layer, &err);
        else if (r == 0)
                print_artefact(&a);
        if (r < 0)
                fprintf(stderr, "source-list: %s\n", err.text);
        artefact_close(&a);
        return r < 0;
}
