/* Digests against OpenSSL's one-shot interface and the vectors of RFC 1321; sniffing, which is as small. */
#include "base/buf.h"
#include "read/digest.h"
#include "read/sniff.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static uint8_t random_bytes[4u << 20];

static int setup(void **state)
{
        uint32_t x = 1;
        for (size_t i = 0; i < sizeof(random_bytes); i++) {
                x = x * 1664525 + 1013904223;
                random_bytes[i] = (uint8_t)(x >> 24);
        }
        return 0;
}

static void oracle(const char *name, struct str content, uint8_t *ret)
{
        unsigned n;
        assert_int_equal(EVP_Digest(content.p, content.n, ret, &n, EVP_get_digestbyname(name), NULL), 1);
}

static void test_streaming(void **state)
{
        for (int kind = DIGEST_MD5; kind <= DIGEST_SHA256; kind++) {
                struct digest d;
                digest_init(&d, kind);
                for (size_t n = 0; n < 3000; n = n * 3 / 2 + 1) {
                        uint8_t want[DIGEST_MAX], got[DIGEST_MAX];
                        oracle(digest_name(kind), str_span(random_bytes, n), want);
                        for (size_t at = 0, step = 1; at < n; at += step, step = MIN(step * 2, n - at))
                                digest_add(&d, random_bytes + at, step);
                        digest_end(&d, got);
                        assert_memory_equal(got, want, digest_size(kind));
                        digest_of(kind, str_span(random_bytes, n), got);
                        assert_memory_equal(got, want, digest_size(kind));
                }
                digest_done(&d);
        }
}

#define FILES 5000

struct files {
        struct str content[FILES];
        bool seen[FILES];
        size_t n_seen;
};

static void on_result(void *arg, uint64_t cookie, const uint8_t digest[static MD5_BYTES])
{
        struct files *f = arg;
        uint8_t want[DIGEST_MAX];
        assert_in_range(cookie, 0, FILES - 1);
        assert_false(f->seen[cookie]);
        oracle("md5", f->content[cookie], want);
        assert_memory_equal(digest, want, MD5_BYTES);
        f->seen[cookie] = true;
        f->n_seen++;
}

static void add(struct md5_many *m, struct files *f, size_t i, size_t offset, size_t n)
{
        f->content[i] = str_span(random_bytes + offset, n);
        md5_many_add(m, i, f->content[i]);
}

static void test_every_length(void **state)
{
        struct files *f = calloc(1, sizeof(*f));
        struct md5_many *m = md5_many_new(on_result, f);
        for (size_t n = 0; n <= 300; n++)
                add(m, f, n, n * 7, n);
        assert_int_equal(f->n_seen, 0);
        md5_many_flush(m);
        assert_int_equal(f->n_seen, 301);
        md5_many_flush(m);
        /* Alone, and at the limits of a file. */
        for (size_t n = 0; n <= 300; n++) {
                add(m, f, 301 + n, 5, n);
                md5_many_flush(m);
        }
        add(m, f, 1000, 3, MD5_MANY_FILE_MAX);
        add(m, f, 1001, 9, MD5_MANY_FILE_MAX - 1);
        add(m, f, 1002, 9, 0);
        md5_many_flush(m);
        assert_int_equal(f->n_seen, 605);
        md5_many_free(m);
        free(f);
}

static void test_random_batches(void **state)
{
        struct files *f = calloc(1, sizeof(*f));
        struct md5_many *m = md5_many_new(on_result, f);
        uint32_t x = 7;
        for (size_t i = 0; i < FILES; i++) {
                x = x * 1664525 + 1013904223;
                size_t n = (x >> 8) % 3000;
                if (x >> 29 == 0)
                        n *= 50;
                add(m, f, i, (x >> 4) % 1000, n);
                if (x % 701 == 0) {
                        md5_many_flush(m);
                        assert_int_equal(f->n_seen, i + 1);
                }
        }
        md5_many_flush(m);
        assert_int_equal(f->n_seen, FILES);
        md5_many_free(m);
        free(f);
}

/* Room that is asked for and not used, or used in part, in a memory that is nearly full. */
static void test_room(void **state)
{
        struct files *f = calloc(1, sizeof(*f));
        struct md5_many *m = md5_many_new(on_result, f);
        for (size_t i = 0; i < 40; i++) {
                size_t n = 300000 + i;
                (void)md5_many_room(m, MD5_MANY_FILE_MAX);
                uint8_t *p = md5_many_room(m, MD5_MANY_FILE_MAX);
                memcpy(p, random_bytes + i, n);
                f->content[i] = str_span(random_bytes + i, n);
                md5_many_put(m, i, n);
        }
        md5_many_flush(m);
        assert_int_equal(f->n_seen, 40);
        md5_many_free(m);
        free(f);
}

static void test_sniff(void **state)
{
        assert_int_equal(sniff(STR_NONE), SNIFFED_EMPTY);
        assert_int_equal(sniff(STR("\x7f"
                                   "ELF\2\1\1")),
                         SNIFFED_ELF);
        assert_int_equal(sniff(STR("\x7f"
                                   "EL")),
                         SNIFFED_OTHER);
        assert_int_equal(sniff(STR("#!/bin/sh\n")), SNIFFED_SCRIPT);
        assert_int_equal(sniff(STR("#")), SNIFFED_OTHER);
        assert_int_equal(sniff(STR("MZ\x90\0")), SNIFFED_PE);
        assert_int_equal(sniff(STR("hello")), SNIFFED_OTHER);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_streaming),      cmocka_unit_test(test_every_length),
                cmocka_unit_test(test_random_batches), cmocka_unit_test(test_room),
                cmocka_unit_test(test_sniff),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, setup, NULL);
}
