/* A regular expression up to the first NUL, and a text behind it: an answer, and the same one twice. */
#include "rule/regex.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str text = str_span(data, size), pattern = str_cut(&text, '\0');
        struct arena arena = ARENA_INIT;
        char words[160];
        size_t at;
        struct rule_regex *re = rule_regex_new(&arena, pattern, words, &at);
        if (re) {
                void *scratch = calloc(1, rule_regex_scratch_size(re) + 1);
                if (rule_regex_match(re, text, scratch) != rule_regex_match(re, text, scratch))
                        abort();
                free(scratch);
        } else if (!words[0]) {
                abort();
        }
        arena_done(&arena);
        return 0;
}
