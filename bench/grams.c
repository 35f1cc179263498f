/*
 * Makes src/intel/grams.inc: how often 4-grams are met in ordinary files, by which the literal matcher chooses what it
 * looks for. Reads names of files from standard input; see the command in that file's first line.
 */
#include "intel/grams.h"
#include "base/arena.h"
#include "base/fs.h"

#include <math.h>
#include <stdio.h>

#define FILE_MAX  (30u << 20)
#define STEP      3 /* every third position is enough */
#define TABLE     (UINT32_C(1) << 28)
#define LINE      112
#define GRAMS_MAX (UINT64_C(400) * 1000 * 1000)

static void count(uint32_t *counts, uint32_t *keys, uint32_t gram)
{
        uint32_t i = (gram * UINT32_C(0x9e3779b1)) >> 4;
        while (counts[i] && keys[i] != gram)
                i = (i + 1) % TABLE;
        keys[i] = gram;
        counts[i]++;
}

static uint64_t count_file(const char *path, uint32_t *counts, uint32_t *keys)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(FILE_MAX);
        if (read_file(path, &b, NULL) < 0)
                return 0;
        for (size_t i = 0; i + 4 <= b.n; i += STEP) {
                const uint8_t *p = (const uint8_t *)b.p + i;
                uint32_t gram = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
                count(counts, keys, gram | UINT32_C(0x20202020));
        }
        return b.n / STEP;
}

/* Of all grams that share a place in the table the most frequent one counts. */
static void print(const uint32_t *counts, const uint32_t *keys, uint64_t total)
{
        static uint32_t most[GRAM_PLACES];
        for (uint32_t i = 0; i < TABLE; i++)
                if (counts[i])
                        most[gram_place(keys[i])] = MAX(most[gram_place(keys[i])], counts[i]);
        printf("/* find /usr/bin /usr/sbin /usr/lib /usr/share -type f -size -30M | shuf "
               "--random-source=/usr/bin/python3.11 | "
               "build/bench/grams */\n");
        for (uint32_t i = 0; i < GRAM_PLACES; i++) {
                double power = most[i] ? log2((double)most[i] / (double)total) + GRAM_LEAST_POWER : 0;
                printf("%s%X%s", i % LINE == 0 ? "\"" : "", (unsigned)fmin(15, fmax(0, power)),
                       i % LINE == LINE - 1 || i == GRAM_PLACES - 1 ? "\"\n" : "");
        }
}

int main(void)
{
        uint32_t *counts = xcalloc(TABLE, sizeof(*counts)), *keys = xcalloc(TABLE, sizeof(*keys));
        char path[4096];
        uint64_t total = 0;
        while (total < GRAMS_MAX && fgets(path, sizeof(path), stdin)) {
                path[strcspn(path, "\n")] = 0;
                total += count_file(path, counts, keys);
        }
        print(counts, keys, total);
        return 0;
}
