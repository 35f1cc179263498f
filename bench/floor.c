/*
 * The floor that the scanner is measured against: what a verifying puller must do with the layers of an image, and
 * nothing else. Each blob is read, inflated, and both its stored and its inflated bytes are hashed with SHA-256.
 *
 *         bench/floor LAYER...        prints a line for each: stored and inflated bytes, digest and diff_id
 *
 * A layer has three stages, each a thread, joined by pumps: read and hash what is stored; inflate; hash what came out.
 * As many layers as there are processors run at once, the largest first, so that no processor waits for the last one.
 */
#include "base/arena.h"
#include "read/digest.h"
#include "read/pump.h"
#include "read/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct layer {
        const char *path;
        uint64_t stored, inflated;
        uint8_t digest[DIGEST_MAX], diff_id[DIGEST_MAX];
        int r;
        struct error err;
};

struct work {
        struct layer *layers;
        size_t n, next;
        pthread_mutex_t lock;
};

static void on_stored(void *arg, const void *p, size_t n) { digest_add(arg, p, n); }

/* Hashes all that the pump gives. A layer that is stored plain has one digest, which the first stage makes. 0 or
 * -errno. */
static int hash_content(struct layer *l, const struct stream *inflated, struct pump *p)
{
        struct digest d;
        const void *piece;
        ssize_t r;
        digest_init(&d, DIGEST_SHA256);
        while ((r = pump_pull(p, &piece)) > 0) {
                if (stream_compression(inflated) != COMPRESSION_NONE)
                        digest_add(&d, piece, (size_t)r);
                l->inflated += (uint64_t)r;
        }
        digest_end(&d, l->diff_id);
        digest_done(&d);
        return r < 0 ? pump_error(p, &l->err) : 0;
}

static int run_layer(struct layer *l)
{
        _cleanup_(closep) int fd = open(l->path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return error_errno(&l->err, -errno, "cannot open");
        struct digest stored_digest;
        digest_init(&stored_digest, DIGEST_SHA256);
        struct stream_source blob = {
                .fd = fd, .size = UINT64_MAX, .is_raw = true, .on_stored = on_stored, .arg = &stored_digest
        };
        struct stream *stored = stream_new(&blob);
        struct pump *reader = pump_start(stored);
        struct stream_source inner = { .fd = -1, .size = UINT64_MAX, .pull = pump_pull, .pull_arg = reader };
        struct stream *inflated = stream_new(&inner);
        struct pump *inflater = pump_start(inflated);

        int r = hash_content(l, inflated, inflater);
        pump_stop(inflater);
        pump_stop(reader);
        l->stored = stream_stored_bytes(stored);
        digest_end(&stored_digest, l->digest);
        digest_done(&stored_digest);
        if (stream_compression(inflated) == COMPRESSION_NONE)
                memcpy(l->diff_id, l->digest, sizeof(l->diff_id));
        stream_free(inflated);
        stream_free(stored);
        return r;
}

static void *run(void *arg)
{
        struct work *w = arg;
        for (;;) {
                pthread_mutex_lock(&w->lock);
                struct layer *l = w->next < w->n ? &w->layers[w->next++] : NULL;
                pthread_mutex_unlock(&w->lock);
                if (!l)
                        return NULL;
                l->r = run_layer(l);
        }
}

static int largest_first(const void *a, const void *b)
{
        const struct layer *x = a, *y = b;
        return x->stored < y->stored ? 1 : x->stored > y->stored ? -1 : 0;
}

static void print_hex(const uint8_t *p, size_t n)
{
        for (size_t i = 0; i < n; i++)
                printf("%02x", p[i]);
}

int main(int argc, char **argv)
{
        struct work w = { .layers = xcalloc((size_t)argc, sizeof(struct layer)), .n = (size_t)argc - 1 };
        pthread_t threads[64];
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        size_t n_threads = MIN(MIN((size_t)MAX(processors, 1), w.n), ARRAY_SIZE(threads)), started = 0;
        int status = 0;
        pthread_mutex_init(&w.lock, NULL);
        for (size_t i = 0; i < w.n; i++) {
                struct stat st;
                w.layers[i].path = argv[i + 1];
                w.layers[i].stored = stat(argv[i + 1], &st) == 0 ? (uint64_t)st.st_size : 0;
        }
        qsort(w.layers, w.n, sizeof(w.layers[0]), largest_first);
        while (started < n_threads && pthread_create(&threads[started], NULL, run, &w) == 0)
                started++;
        if (started == 0)
                run(&w);
        while (started > 0)
                pthread_join(threads[--started], NULL);
        for (size_t i = 0; i < w.n; i++) {
                const struct layer *l = &w.layers[i];
                if (l->r < 0) {
                        fprintf(stderr, "floor: %s: %s\n", l->path, l->err.text);
                        status = 1;
                        continue;
                }
                printf("%llu %llu ", (unsigned long long)l->stored, (unsigned long long)l->inflated);
                print_hex(l->digest, 32);
                printf(" ");
                print_hex(l->diff_id, 32);
                printf(" %s\n", l->path);
        }
        free(w.layers);
        return status;
}
