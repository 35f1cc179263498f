/* See field.h. The tables are made of the .def files; names are found by a sorted index that is made once. */
#include "fact/field.h"

#include <pthread.h>
#include <stdlib.h>

/* Of every field of the syscall table until the sensor exists; then lines lose it one by one. */
#define SENSOR "the run-time sensor does not deliver it"

#define FIELD(id, name, type, argument, traits, stages, missing, doc)                                                  \
        [FIELD_##id] = { name, FIELD_##id, type, argument, traits, stages, missing, doc },
const struct field fields[FIELDS] = {
#include "fact/fields-check.def"
#include "fact/fields-policy.def"
#include "fact/fields-syscall.def"
};
#undef FIELD

static const struct field *by_name[FIELDS];
static pthread_once_t by_name_once = PTHREAD_ONCE_INIT;

static int compare_names(const void *a, const void *b)
{
        return strcmp((*(const struct field *const *)a)->name, (*(const struct field *const *)b)->name);
}

static void sort_names(void)
{
        for (size_t i = 0; i < FIELDS; i++)
                by_name[i] = &fields[i];
        qsort(by_name, FIELDS, sizeof(by_name[0]), compare_names);
}

static const struct field *find_exactly(struct str name)
{
        size_t low = 0, high = FIELDS;
        pthread_once(&by_name_once, sort_names);
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int c = str_cmp(name, str_of(by_name[middle]->name));
                if (c == 0)
                        return by_name[middle];
                if (c < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return NULL;
}

const struct field *field_find(struct str name, struct str *ret_rest)
{
        const struct field *f = find_exactly(name);
        *ret_rest = STR_NONE;
        if (f)
                return f;
        for (size_t end = name.n; end-- > 0;) {
                if (name.p[end] != '.')
                        continue;
                f = find_exactly(str_upto(name, end));
                if (!f)
                        continue;
                if (f->argument != ARGUMENT_KEY && f->argument != ARGUMENT_KEY_REQUIRED)
                        return NULL;
                *ret_rest = str_from(name, end + 1);
                return ret_rest->n > 0 ? f : NULL;
        }
        return NULL;
}

#define DISTANCE_LETTERS_MAX 64

static unsigned char lower(char c) { return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); }

unsigned word_distance(struct str a, struct str b, unsigned most)
{
        /* Optimal string alignment, three rows of it at a time. */
        unsigned rows[3][DISTANCE_LETTERS_MAX + 1];
        if (a.n > DISTANCE_LETTERS_MAX || b.n > DISTANCE_LETTERS_MAX || a.n > b.n + most || b.n > a.n + most)
                return most + 1;
        for (size_t j = 0; j <= b.n; j++)
                rows[0][j] = (unsigned)j;
        for (size_t i = 1; i <= a.n; i++) {
                unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
                unsigned least = row[0] = (unsigned)i;
                for (size_t j = 1; j <= b.n; j++) {
                        bool same = lower(a.p[i - 1]) == lower(b.p[j - 1]);
                        row[j] = MIN(MIN(above[j], row[j - 1]) + 1, above[j - 1] + !same);
                        if (i > 1 && j > 1 && lower(a.p[i - 1]) == lower(b.p[j - 2]) &&
                            lower(a.p[i - 2]) == lower(b.p[j - 1]))
                                row[j] = MIN(row[j], above2[j - 2] + 1);
                        least = MIN(least, row[j]);
                }
                if (least > most + 1)
                        return most + 1;
        }
        return MIN(rows[a.n % 3][b.n], most + 1);
}

static unsigned tolerance(struct str word) { return word.n < 4 ? 1 : word.n < 8 ? 2 : 3; }

const char *field_nearest(struct str name, unsigned stages)
{
        unsigned least = tolerance(name) + 1;
        const char *best = NULL;
        for (size_t i = 0; i < FIELDS; i++) {
                if ((fields[i].stages & stages) != stages)
                        continue;
                unsigned d = word_distance(name, str_of(fields[i].name), least - 1);
                if (d < least) {
                        least = d;
                        best = fields[i].name;
                }
        }
        return best;
}

const char *words_nearest(struct str word, const char *const *words)
{
        unsigned least = tolerance(word) + 1;
        const char *best = NULL;
        for (; *words; words++) {
                unsigned d = word_distance(word, str_of(*words), least - 1);
                if (d < least) {
                        least = d;
                        best = *words;
                }
        }
        return best;
}

static const struct {
        enum stage stage;
        const char *name;
} stages[] = {
        { STAGE_BUILD, "build" }, { STAGE_SCAN, "scan" },       { STAGE_ADMIT, "admit" },
        { STAGE_RUN, "run" },     { STAGE_SYSCALL, "syscall" }, { STAGE_CHECK, "check" },
};

const char *stage_name(enum stage s)
{
        for (size_t i = 0; i < ARRAY_SIZE(stages); i++)
                if (stages[i].stage == s)
                        return stages[i].name;
        return NULL;
}

enum stage stage_parse(struct str name)
{
        for (size_t i = 0; i < ARRAY_SIZE(stages); i++)
                if (str_is(name, stages[i].name))
                        return stages[i].stage;
        return 0;
}
