/* read/tandem: all digests equal OpenSSL's for all lengths and alignments of parts within a stream. */
#include "read/tandem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static uint8_t content[8192];

static uint64_t random_state = 88172645463325252;

static uint64_t next_random(void)
{
        random_state ^= random_state << 13;
        random_state ^= random_state >> 7;
        random_state ^= random_state << 17;
        return random_state;
}

#define BOTH (TANDEM_MD5 | TANDEM_SHA256)

static void check_part(struct tandem *t, unsigned digests, size_t from, size_t n)
{
        uint8_t md5[MD5_BYTES], sha256[32], expected[32];
        tandem_end_part(t, digests, md5, sha256);
        digest_of(DIGEST_MD5, str_span(content + from, n), expected);
        if (digests & TANDEM_MD5)
                assert_memory_equal(md5, expected, MD5_BYTES);
        digest_of(DIGEST_SHA256, str_span(content + from, n), expected);
        if (digests & TANDEM_SHA256)
                assert_memory_equal(sha256, expected, 32);
}

static void check_stream(struct tandem *t, size_t n)
{
        uint8_t sha256[32], expected[32];
        tandem_end(t, sha256);
        digest_of(DIGEST_SHA256, str_span(content, n), expected);
        assert_memory_equal(sha256, expected, 32);
}

static void all_lengths(void **state)
{
        struct tandem t;
        tandem_init(&t);
        for (size_t n = 0; n <= 600; n++) {
                for (unsigned digests = 0; digests <= BOTH; digests++) {
                        tandem_add_part(&t, digests, content, n);
                        check_part(&t, digests, 0, n);
                        check_stream(&t, n);
                        tandem_add_alone(&t, digests, content, n);
                        check_part(&t, digests, 0, n);
                        check_stream(&t, 0);
                }
                tandem_add(&t, content, n);
                check_stream(&t, n);
        }
        tandem_done(&t);
}

static void random_parts_and_pieces(void **state)
{
        struct tandem t;
        tandem_init(&t);
        for (unsigned round = 0; round < 2000; round++) {
                size_t at = 0;
                while (at < sizeof(content)) {
                        size_t start = at, left = sizeof(content) - at;
                        bool is_part = next_random() % 2;
                        unsigned digests = (unsigned)next_random() % (BOTH + 1);
                        size_t len = next_random() % 2 ? 64 * (next_random() % 40) : next_random() % 3000;
                        len = MIN(len, left);
                        for (size_t done = 0; done < len;) {
                                size_t piece = 1 + next_random() % 1000;
                                piece = MIN(piece, len - done);
                                if (is_part)
                                        tandem_add_part(&t, digests, content + at, piece);
                                else
                                        tandem_add(&t, content + at, piece);
                                at += piece;
                                done += piece;
                        }
                        if (is_part)
                                check_part(&t, digests, start, len);
                        if (!len && next_random() % 8 == 0)
                                break;
                }
                check_stream(&t, at);
        }
        tandem_done(&t);
}

static void without_the_extensions(void **state)
{
        struct tandem t;
        tandem_init(&t);
        tandem_done(&t);
        t = (struct tandem){ .is_fast = false };
        digest_init(&t.slow_stream, DIGEST_SHA256);
        digest_init(&t.slow_md5, DIGEST_MD5);
        digest_init(&t.slow_sha256, DIGEST_SHA256);
        for (unsigned digests = 0; digests <= BOTH; digests++) {
                tandem_add(&t, content, 100);
                tandem_add_part(&t, digests, content + 100, 1000);
                check_part(&t, digests, 100, 1000);
                check_stream(&t, 1100);
                tandem_add_alone(&t, digests, content, 77);
                check_part(&t, digests, 0, 77);
                check_stream(&t, 0);
        }
        tandem_done(&t);
}

int main(void)
{
        for (size_t i = 0; i < sizeof(content); i++)
                content[i] = (uint8_t)next_random();
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_lengths),
                cmocka_unit_test(random_parts_and_pieces),
                cmocka_unit_test(without_the_extensions),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("tandem", tests, NULL, NULL);
}
