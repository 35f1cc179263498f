/*
 * The list of analyzers and the question that is asked for every entry of every layer: who wants this path?
 *
 * Nearly all answers are "nobody" and must cost a few nanoseconds. A pattern whose tail (what follows its last star)
 * has two bytes or more stands in the chain of those two bytes; a path is tried against its own chain only, and there
 * first against the tail. The few patterns that end otherwise are tried always, by what precedes their first star.
 */
#include "analyze/analyzer.h"
#include "analyze/pattern.h"

#include <pthread.h>

extern const struct analyzer analyzer_apk_installed, analyzer_dpkg_files, analyzer_dpkg_status, analyzer_os_release;
extern const struct analyzer analyzer_rpm_database, analyzer_rpm_manifest;

const struct analyzer *const analyzers[] = {
        &analyzer_os_release,
        &analyzer_dpkg_status,
        &analyzer_dpkg_files,
        &analyzer_apk_installed,
        &analyzer_rpm_database,
        &analyzer_rpm_manifest,
        NULL,
};

_Static_assert(ARRAY_SIZE(analyzers) - 1 <= 64, "analyzers_for answers with a set of 64 bits");

#define CHAINS 1024u
#define ALWAYS CHAINS /* the chain that every path is tried against */

struct wanted {
        struct str pattern, head, tail; /* head: before the first star; tail: after the last */
        uint64_t bit;
        struct wanted *next;
};

static struct wanted *chains[CHAINS + 1];
static pthread_once_t chains_once = PTHREAD_ONCE_INIT;

/* Of the last two bytes; s has them. */
static size_t chain_of(struct str s)
{
        unsigned last = (unsigned char)s.p[s.n - 1], before = (unsigned char)s.p[s.n - 2];
        return (last * 33u + before * 7u) % CHAINS;
}

static void add_pattern(struct str pattern, uint64_t bit)
{
        struct wanted *w = xcalloc(1, sizeof(*w));
        ptrdiff_t star = str_find_char(pattern, '*');
        *w = (struct wanted){
                .pattern = pattern,
                .head = star < 0 ? STR_NONE : str_upto(pattern, (size_t)star),
                .tail = pattern_tail(pattern),
                .bit = bit,
        };
        struct wanted **chain = &chains[w->tail.n >= 2 ? chain_of(w->tail) : ALWAYS];
        w->next = *chain;
        *chain = w;
}

/* Made once and kept: it is part of the program's tables, only their order in memory is found at run time. */
static void make_chains(void)
{
        for (size_t i = 0; analyzers[i]; i++)
                for (const char *const *w = analyzers[i]->wants; *w; w++)
                        add_pattern(str_of(*w), UINT64_C(1) << i);
}

static uint64_t chain_matches(const struct wanted *w, struct str path)
{
        uint64_t bits = 0;
        for (; w; w = w->next)
                if (str_ends(path, w->tail) && str_starts(path, w->head) && pattern_matches(w->pattern, path))
                        bits |= w->bit;
        return bits;
}

uint64_t analyzers_for(struct str path)
{
        pthread_once(&chains_once, make_chains);
        uint64_t bits = chain_matches(chains[ALWAYS], path);
        if (path.n >= 2)
                bits |= chain_matches(chains[chain_of(path)], path);
        return bits;
}
