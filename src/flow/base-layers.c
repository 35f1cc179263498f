/*
 * See base-layers.h. Images that are made to be built on end with the step that says what to start (CMD or ENTRYPOINT):
 * what stands above the last such step that has further layers above it was added. Without such a step, an image whose
 * lowest layer is a root file system that was put in whole (ADD or COPY of one archive as the first step) has that
 * layer as its base. Else nobody knows.
 */
#include "flow/base-layers.h"

static bool has_word(struct str step, const char *word)
{
        ptrdiff_t at = str_find(step, str_of(word));
        if (at < 0)
                return false;
        struct str before = str_trim(str_upto(step, (size_t)at));
        return !before.n || str_ends(before, STR("#(nop)")); /* not an argument of something else */
}

static bool says_what_to_start(const struct fact_step *s)
{
        return s->empty_layer && (has_word(s->created_by, "CMD ") || has_word(s->created_by, "ENTRYPOINT "));
}

static bool is_root_file_system(const struct fact_step *s)
{
        return !s->empty_layer && (has_word(s->created_by, "ADD ") || has_word(s->created_by, "COPY ")) &&
               (str_ends(str_trim(s->created_by), STR(" in /")) || str_find(s->created_by, STR(" / ")) >= 0 ||
                str_ends(str_trim(s->created_by), STR(" /")));
}

size_t base_layers(const struct fact_step *steps, size_t n_steps, size_t n_layers)
{
        size_t below = 0, base = 0, all = 0;
        for (size_t i = 0; i < n_steps; i++)
                all += !steps[i].empty_layer;
        if (all != n_layers || !n_layers)
                return 0; /* the history is not of these layers */
        for (size_t i = 0; i < n_steps; i++) {
                if (says_what_to_start(&steps[i]) && below && below < n_layers)
                        base = below;
                below += !steps[i].empty_layer;
        }
        if (base)
                return base;
        for (size_t i = 0; i < n_steps; i++)
                if (!steps[i].empty_layer)
                        return is_root_file_system(&steps[i]) ? 1 : 0;
        return 0;
}
