/* Shell scripts: every word is where it says that it is. */
#include "read/shell-words.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_words(struct str text, const struct shell_word *w, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (w[i].end > text.n || w[i].end < w[i].offset ||
                    !str_eq(w[i].text, str_from(str_upto(text, w[i].end), w[i].offset)))
                        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena arena = ARENA_INIT;
        struct shell_script s;
        struct str text = str_span(data, size);
        shell_read(text, &arena, &s);
        for (size_t i = 0; i < s.n; i++) {
                check_words(text, s.commands[i].words, s.commands[i].n_words);
                check_words(text, s.commands[i].assignments, s.commands[i].n_assignments);
                if (s.commands[i].end < s.commands[i].offset || s.commands[i].end > text.n)
                        abort();
        }
        arena_done(&arena);
        return 0;
}
