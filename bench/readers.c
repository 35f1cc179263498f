/*
 * Each reader of the hot path alone, on one core, in CPU time, so that a busy machine disturbs little:
 *
 *         bench/readers inflate FILE...     a stream read to its end, and nothing done with it
 *         bench/readers walk [ENTRIES]      tar headers of tiny files (default 3 million), made in memory
 *         bench/readers md5                 MD5 of files of several sizes: one at a time (OpenSSL), and many at once
 */
#include "base/arena.h"
#include "read/digest.h"
#include "read/stream.h"
#include "read/tar.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PIECE_BYTES (512u << 10)

static double cpu_seconds(void)
{
        struct timespec t;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int bench_inflate(const char *path)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct stream_source from = { .fd = fd, .size = UINT64_MAX };
        _cleanup_(stream_freep) struct stream *s = stream_new(&from);
        _cleanup_(freep) uint8_t *p = xmalloc(PIECE_BYTES);
        struct error err = ERROR_NONE;
        double started = cpu_seconds();
        uint64_t bytes = 0;
        ssize_t r;
        while ((r = stream_read(s, p, PIECE_BYTES, &err)) > 0)
                bytes += (uint64_t)r;
        double seconds = cpu_seconds() - started;
        if (r < 0) {
                fprintf(stderr, "readers: %s: %s\n", path, err.text);
                return 1;
        }
        printf("inflate %s (%s): %llu bytes, %.2f s, %.0f MB/s\n", path, compression_name(stream_compression(s)),
               (unsigned long long)bytes, seconds, (double)bytes / seconds / 1e6);
        return 0;
}

/* An endless archive: a header and a block of content for each entry, the same piece over and over. */
struct endless {
        uint8_t *piece;
        uint64_t entries;
};

static ssize_t pull_endless(void *arg, const void **ret_p)
{
        struct endless *e = arg;
        uint64_t n = MIN(e->entries, (uint64_t)PIECE_BYTES / 1024);
        e->entries -= n;
        *ret_p = e->piece;
        return (ssize_t)(n * 1024);
}

static void make_entry(uint8_t *block, unsigned i)
{
        unsigned sum = 0;
        char *h = (char *)block;
        memset(block, 0, 1024);
        snprintf(h, 100, "usr/lib/python3/dist-packages/package/directory-%u/module-%u.py", i % 50, i);
        memcpy(h + 100, "0000644\0000000000\0000000000\00000000000012\00014700000000\000        0", 57);
        memcpy(h + 257, "ustar\00000", 8);
        for (unsigned k = 0; k < 512; k++)
                sum += block[k];
        snprintf(h + 148, 8, "%06o", sum);
        memcpy(block + 512, "0123456789", 10);
}

static int bench_walk(uint64_t entries)
{
        struct endless endless = { .piece = xmalloc(PIECE_BYTES), .entries = entries };
        for (unsigned i = 0; i < PIECE_BYTES / 1024; i++)
                make_entry(endless.piece + (size_t)i * 1024, i);
        _cleanup_(tar_freep) struct tar *t = tar_new_pieces(pull_endless, &endless);
        struct tar_entry e;
        const void *content;
        uint64_t n = 0, bytes = 0;
        ssize_t r;
        double started = cpu_seconds();
        while (tar_next(t, &e) == TAR_ENTRY) {
                n++;
                while ((r = tar_peek(t, &content)) > 0)
                        bytes += (uint64_t)r;
        }
        double seconds = cpu_seconds() - started;
        printf("walk: %llu entries with %llu bytes, %.2f s, %.0f ns an entry%s%s\n", (unsigned long long)n,
               (unsigned long long)bytes, seconds, seconds * 1e9 / (double)n,
               n == entries ? "" : ", ended early: ", tar_where(t));
        free(endless.piece);
        return n == entries ? 0 : 1;
}

static void on_result(void *arg, uint64_t cookie, const uint8_t digest[static MD5_BYTES])
{
        *(uint8_t *)arg ^= digest[0];
}

static void bench_md5_size(const uint8_t *bytes, size_t total, size_t size)
{
        uint8_t many_sum = 0, one_sum = 0, md5[DIGEST_MAX];
        struct md5_many *m = md5_many_new(on_result, &many_sum);
        size_t n = MIN(total / size, (size_t)500000);
        double started = cpu_seconds();
        for (size_t i = 0; i < n; i++)
                md5_many_add(m, i, str_span(bytes + i * size, size));
        md5_many_flush(m);
        double many = cpu_seconds() - started;
        md5_many_free(m);
        struct digest d;
        digest_init(&d, DIGEST_MD5);
        started = cpu_seconds();
        for (size_t i = 0; i < n; i++) {
                digest_add(&d, bytes + i * size, size);
                digest_end(&d, md5);
                one_sum ^= md5[0];
        }
        double one = cpu_seconds() - started;
        digest_done(&d);
        printf("md5 of files of %6zu bytes: one at a time %4.0f MB/s, many at once %4.0f MB/s, %.1f times%s\n", size,
               (double)(n * size) / one / 1e6, (double)(n * size) / many / 1e6, one / many,
               one_sum == many_sum ? "" : ", DIFFERENT");
}

static int bench_md5(void)
{
        static const size_t sizes[] = { 60, 300, 1500, 4096, 10000, 50000, 200000, 500000 };
        size_t total = 64u << 20;
        uint8_t *bytes = xmalloc(total);
        for (size_t i = 0; i < total; i++)
                bytes[i] = (uint8_t)(i * 2654435761u >> 13);
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
                bench_md5_size(bytes, total, sizes[i]);
        free(bytes);
        return 0;
}

int main(int argc, char **argv)
{
        const char *what = argc > 1 ? argv[1] : "";
        int status = 0;
        if (str_is(str_of(what), "inflate"))
                for (int i = 2; i < argc; i++)
                        status |= bench_inflate(argv[i]);
        else if (str_is(str_of(what), "walk"))
                status = bench_walk(argc > 2 ? strtoull(argv[2], NULL, 10) : 3000000);
        else if (str_is(str_of(what), "md5"))
                status = bench_md5();
        else
                return fprintf(stderr, "usage: readers inflate FILE... | walk [ENTRIES] | md5\n"), 2;
        return status;
}
