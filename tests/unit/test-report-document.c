/* JSON on its way out: the same bytes as the library writes, whatever a value holds. */
#include "report/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOW (JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6))

static void assert_same(json_t *value)
{
        char *want = json_dumps(value, HOW), *got = NULL;
        size_t n;
        struct doc_stream s = { open_memstream(&got, &n) };
        assert_non_null(s.to);
        assert_non_null(want);
        doc_put(&s, NULL, value);
        assert_int_equal(doc_end(&s), 0);
        fclose(s.to);
        assert_true(n > 0 && got[n - 1] == '\n');
        got[n - 1] = 0;
        assert_string_equal(got, want);
        free(got);
        free(want);
}

static json_t *texts(void)
{
        json_t *array = doc_array();
        for (unsigned c = 0; c < 256; c++) {
                char text[] = { 'a', (char)c, 'b' };
                doc_add(array, doc_text(str_span(text, sizeof(text))));
        }
        doc_add(array, doc_text(STR("")));
        doc_add(array, doc_text(STR("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \"quoted\" back\\slash </script>")));
        return array;
}

static void writes_what_the_library_writes(void **state)
{
        json_t *o = doc_object(), *inner = doc_object(), *list = doc_array();
        doc_set(inner, "nothing", doc_object());
        doc_set(inner, "none", doc_array());
        doc_set(inner, "a \"key\"\n with \xc3\xa9", doc_bool(true));
        doc_add(list, doc_number(0));
        doc_add(list, doc_number(UINT64_MAX));
        doc_add(list, json_integer(INT64_MIN));
        doc_add(list, doc_real(9.8));
        doc_add(list, doc_real(1e300));
        doc_add(list, doc_real(0.00001));
        doc_add(list, doc_bool(false));
        doc_add(list, doc_null());
        doc_add(list, inner);
        doc_set(o, "z", list);
        doc_set(o, "a", texts());
        doc_set(o, "day", doc_day(1));
        assert_same(o);
        assert_same(doc_array());
        assert_same(doc_text(STR("alone")));
        assert_same(doc_null());
}

/* What is opened on the stream and what is put there make one document, indented as one. */
static void joins_what_is_put(void **state)
{
        char *got = NULL;
        size_t n;
        struct doc_stream s = { open_memstream(&got, &n) };
        assert_non_null(s.to);
        doc_open(&s, NULL, '{');
        doc_put(&s, "first", doc_number(1));
        doc_open(&s, "list", '[');
        for (uint64_t i = 0; i < 2; i++) {
                json_t *o = doc_object();
                doc_set(o, "i", doc_number(i));
                doc_put(&s, NULL, o);
        }
        doc_close(&s, ']');
        doc_open(&s, "empty", '[');
        doc_close(&s, ']');
        doc_close(&s, '}');
        assert_int_equal(doc_end(&s), 0);
        fclose(s.to);
        json_t *whole = json_loads(got, 0, NULL);
        assert_non_null(whole);
        got[n - 1] = 0;
        char *want = json_dumps(whole, HOW);
        assert_string_equal(got, want);
        json_decref(whole);
        free(want);
        free(got);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(writes_what_the_library_writes),
                cmocka_unit_test(joins_what_is_put),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("report-document", tests, NULL, NULL);
}
