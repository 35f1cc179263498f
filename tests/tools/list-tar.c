/*
 * Lists an archive (plain or compressed) from standard input, a line of JSON for each entry, for tests that compare
 * with other readers of tar: type, name, link, mode, uid, gid, mtime, size and SHA-256 of the content. Names must be
 * UTF-8 without control characters. Exit status: 0; 1 malformed, with words on standard error.
 */
#include "read/digest.h"
#include "read/pump.h"
#include "read/stream.h"
#include "read/tar.h"

#include <stdio.h>

static void print_string(const char *key, struct str s)
{
        printf("\"%s\": \"", key);
        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] == '"' || s.p[i] == '\\')
                        putchar('\\');
                putchar(s.p[i]);
        }
        printf("\", ");
}

static ssize_t print_digest(struct tar *t, struct digest *d)
{
        uint8_t digest[DIGEST_MAX];
        const void *p;
        ssize_t n;
        while ((n = tar_peek(t, &p)) > 0)
                digest_add(d, p, (size_t)n);
        digest_end(d, digest);
        printf("\"sha256\": \"");
        for (size_t i = 0; i < digest_size(DIGEST_SHA256); i++)
                printf("%02x", digest[i]);
        printf("\"}\n");
        return n;
}

int main(void)
{
        struct stream_source from = { .fd = 0, .size = UINT64_MAX };
        _cleanup_(stream_freep) struct stream *s = stream_new(&from);
        _cleanup_(pump_stopp) struct pump *p = pump_start(s);
        _cleanup_(tar_freep) struct tar *t = tar_new_pieces(pump_pull, p);
        struct digest d;
        struct error err = ERROR_NONE;
        struct tar_entry e;
        const void *rest;
        int r, status = 0;
        digest_init(&d, DIGEST_SHA256);
        while ((r = tar_next(t, &e)) == TAR_ENTRY) {
                static const char types[] = "file\0hard\0link\0char\0bloc\0dir \0fifo\0othr";
                printf("{\"type\": \"%s\", ", types + 5 * e.type);
                print_string("name", e.name);
                print_string("link", e.link);
                printf("\"mode\": %u, \"uid\": %u, \"gid\": %u, \"mtime\": %lld, \"size\": %llu, \"sparse\": %s, "
                       "\"unsafe\": %s, ",
                       e.mode, e.uid, e.gid, (long long)e.mtime, (unsigned long long)e.size,
                       e.is_sparse ? "true" : "false", e.is_unsafe ? "true" : "false");
                if (print_digest(t, &d) < 0)
                        break;
        }
        digest_done(&d);
        if (r == TAR_END)
                while (pump_pull(p, &rest) > 0)
                        ;
        if (r == TAR_MALFORMED || r == TAR_ENTRY) {
                fprintf(stderr, "malformed: %s\n", tar_where(t));
                status = 1;
        }
        if (pump_error(p, &err) < 0) {
                fprintf(stderr, "stream: %s\n", err.text);
                status = 1;
        }
        return status;
}
