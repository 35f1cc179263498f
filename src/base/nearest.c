/* See nearest.h. Edit distance of Levenshtein with transpositions (optimal string alignment). */
#include "base/nearest.h"

#include "base/macros.h"

#include <stdint.h>
#include <string.h>

/* Bounded to short words: longer ones are like nothing. */
static size_t distance(const char *a, const char *b)
{
        enum { MAX_WORD = 24 };
        size_t n = strlen(a), m = strlen(b), d[MAX_WORD + 1][MAX_WORD + 1];
        if (n > MAX_WORD || m > MAX_WORD)
                return SIZE_MAX;
        for (size_t i = 0; i <= n; i++)
                d[i][0] = i;
        for (size_t k = 0; k <= m; k++)
                d[0][k] = k;
        for (size_t i = 1; i <= n; i++)
                for (size_t k = 1; k <= m; k++) {
                        size_t best = d[i - 1][k - 1] + (a[i - 1] != b[k - 1]);
                        best = MIN(best, MIN(d[i - 1][k], d[i][k - 1]) + 1);
                        if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                                best = MIN(best, d[i - 2][k - 2] + 1);
                        d[i][k] = best;
                }
        return d[n][m];
}

const char *nearest(const char *word, const char *const *candidates)
{
        const char *best = NULL;
        size_t best_distance = strlen(word) / 3 + 2;
        for (; *candidates; candidates++) {
                size_t d = distance(word, *candidates);
                if (d < best_distance) {
                        best = *candidates;
                        best_distance = d;
                }
        }
        return best;
}
