/* Compiled lists of hashes: they answer as the text does, and damaged ones are refused, or said to be out of order. */
#include "intel/hash-map.h"

#include "base/arena.h"
#include "read/digest.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MD5    "900150983cd24fb0d6963f7d28e17f72" /* of "abc" */
#define SHA1   "a9993e364706816aba3e25717850c26c9cd0d89d"
#define SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static struct str digest(enum digest_kind kind, struct str text)
{
        static uint8_t d[DIGEST_MAX];
        digest_of(kind, text, d);
        return str_span(d, digest_size(kind));
}

/* The compiled form of a text, in memory that is free()d. */
static struct str compile(struct str text)
{
        char *p = NULL;
        size_t n = 0;
        FILE *f = open_memstream(&p, &n);
        struct hash_list *l = hash_list_new();
        assert_int_equal(hash_list_add(l, text, "f", NULL), 0);
        hash_list_seal(l);
        assert_int_equal(hash_list_write(l, f, NULL), 0);
        fclose(f);
        hash_list_free(l);
        return str_span(p, n);
}

static struct hash_map *map_of(struct str bytes)
{
        struct hash_map *m = NULL;
        struct error err = ERROR_NONE;
        if (hash_map_open_memory(bytes, &m, &err) < 0)
                fail_msg("%s", err.text);
        return m;
}

static void all_kinds_with_sizes_and_names(void **state)
{
        struct str bytes =
                compile(STR(MD5 ":4:Other\n" MD5 ":3:This\n" SHA1 "\n" SHA256 "  some/file\n" MD5 ":*:Any\n"));
        struct hash_map *m = map_of(bytes);
        struct str name;
        assert_int_equal(bytes.n, HASH_MAP_HEADER + 3 * 28 + 32 + 44 + 1 + 6 + 5 + 4 + 10);
        assert_int_equal(hash_map_count(m, HASH_MD5), 3);
        assert_int_equal(hash_map_find(m, HASH_MD5, digest(DIGEST_MD5, STR("abc")), 3, &name), 1);
        assert_true(str_is(name, "This"));
        assert_int_equal(hash_map_find(m, HASH_MD5, digest(DIGEST_MD5, STR("abc")), 9, &name), 1);
        assert_true(str_is(name, "Any"));
        assert_int_equal(hash_map_find(m, HASH_SHA1, digest(DIGEST_SHA1, STR("abc")), 3, &name), 1);
        assert_true(str_is(name, ""));
        assert_int_equal(hash_map_find(m, HASH_SHA256, digest(DIGEST_SHA256, STR("abc")), 3, &name), 1);
        assert_true(str_is(name, "some/file"));
        assert_int_equal(hash_map_find(m, HASH_SHA256, digest(DIGEST_SHA256, STR("abd")), 3, &name), 0);
        assert_int_equal(hash_map_find(m, HASH_SHA256, STR("short"), 3, &name), 0);
        hash_map_close(m);
        free((void *)bytes.p);
}

static void none_is_a_list_too(void **state)
{
        struct str bytes = compile(STR("# nothing\n")), name;
        struct hash_map *m = map_of(bytes);
        assert_int_equal(hash_map_find(m, HASH_MD5, digest(DIGEST_MD5, STR("abc")), 3, &name), 0);
        hash_map_close(m);
        free((void *)bytes.p);
}

enum { MANY = 20000 };

static struct str compile_many(void)
{
        struct buf text = BUF_INIT((size_t)MANY * 100);
        for (unsigned i = 0; i < MANY; i++) {
                struct str d = digest(DIGEST_SHA256, str_span(&i, sizeof(i)));
                for (size_t k = 0; k < d.n; k++)
                        buf_printf(&text, "%02x", (uint8_t)d.p[k]);
                buf_printf(&text, "  n%u\n", i);
        }
        /* digests that differ in their last bytes only, the later one first */
        buf_puts(&text, "0123456789abcdef00000000000000000000000000000000000000000000000b  b\n"
                        "0123456789abcdef00000000000000000000000000000000000000000000000a  a\n");
        struct str bytes = compile(buf_str(&text));
        buf_done(&text);
        return bytes;
}

static void many_are_found(void **state)
{
        struct str bytes = compile_many(), name;
        struct hash_map *m = map_of(bytes);
        for (unsigned i = 0; i < 2 * MANY; i++) {
                char wanted[32];
                snprintf(wanted, sizeof(wanted), "n%u", i);
                int r = hash_map_find(m, HASH_SHA256, digest(DIGEST_SHA256, str_span(&i, sizeof(i))), 1, &name);
                assert_int_equal(r, i < MANY);
                assert_true(r == 0 || str_is(name, wanted));
        }
        for (char c = 'a'; c <= 'b'; c++) {
                uint8_t d[32] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, [31] = (uint8_t)(c - 'a' + 10) };
                assert_int_equal(hash_map_find(m, HASH_SHA256, str_span(d, 32), 1, &name), 1);
                assert_true(str_eq(name, str_span(&c, 1)));
        }
        hash_map_close(m);
        free((void *)bytes.p);
}

static void disorder_is_not_a_miss(void **state)
{
        struct str bytes = compile_many(), name;
        uint8_t *rows = (uint8_t *)bytes.p + HASH_MAP_HEADER, row[44];
        struct hash_map *m = map_of(bytes);
        unsigned misses = 0, said = 0;
        for (size_t i = 0; i + 1 < MANY; i += 2) { /* every row is where its neighbour was */
                memcpy(row, rows + i * 44, 44);
                memmove(rows + i * 44, rows + (i + 1) * 44, 44);
                memcpy(rows + (i + 1) * 44, row, 44);
        }
        for (unsigned i = 0; i < MANY; i++) {
                int r = hash_map_find(m, HASH_SHA256, digest(DIGEST_SHA256, str_span(&i, sizeof(i))), 1, &name);
                misses += r == 0;
                said += r == -EBADMSG;
        }
        assert_int_equal(misses, 0);
        assert_true(said > MANY / 4);
        hash_map_close(m);
        free((void *)bytes.p);
}

static void damage_is_refused(void **state)
{
        struct str bytes = compile(STR(MD5 ":3:This\n" SHA1 "\n" SHA256 "  some/file\n")), name;
        struct hash_map *m;
        struct error err = ERROR_NONE;
        for (size_t n = 0; n < bytes.n; n++) { /* in a block of its own, for the sanitizer */
                char *cut = malloc(n + 1);
                memcpy(cut, bytes.p, n);
                assert_int_not_equal(hash_map_open_memory(str_span(cut, n), &m, NULL), 0);
                free(cut);
        }
        for (size_t bit = 0; bit < 8 * bytes.n; bit++) {
                uint8_t *p = (uint8_t *)bytes.p + bit / 8;
                *p ^= (uint8_t)(1 << bit % 8);
                int r = hash_map_open_memory(bytes, &m, NULL);
                assert_int_equal(r < 0, bit / 8 < HASH_MAP_HEADER);
                if (r == 0) {
                        (void)hash_map_find(m, HASH_MD5, digest(DIGEST_MD5, STR("abc")), 3, &name);
                        (void)hash_map_find(m, HASH_SHA256, digest(DIGEST_SHA256, STR("abc")), 3, &name);
                        hash_map_close(m);
                }
                *p ^= (uint8_t)(1 << bit % 8);
        }
        ((uint8_t *)bytes.p)[16] = 2;
        assert_int_equal(hash_map_open_memory(bytes, &m, &err), -EPROTO);
        assert_non_null(strstr(err.text, "make it again"));
        free((void *)bytes.p);
        assert_int_equal(hash_map_open("/nonexistent/list", &m, NULL), -ENOENT);
        assert_int_equal(hash_map_open("/dev/null", &m, NULL), -EBADMSG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_kinds_with_sizes_and_names),
                cmocka_unit_test(none_is_a_list_too),
                cmocka_unit_test(many_are_found),
                cmocka_unit_test(disorder_is_not_a_miss),
                cmocka_unit_test(damage_is_refused),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("hash-map", tests, NULL, NULL);
}
