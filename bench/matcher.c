/*
 * Measures the literal matcher against Vectorscan: the same literals, the same bytes, the same hits counted, in turns.
 *
 *         matcher WORDS SIZES-IN-MB DIRECTORY...
 *
 * The literals are made from the text of WORDS (/var/lib/dpkg/status: package descriptions): words and pairs of words
 * in an order that hashing gives, in the lengths that rules have. The bytes are the files of the directories, in
 * windows of 1 MiB, each copied to one buffer first, as a scan has just inflated it there; copying is not counted. Both
 * scan a window before the next one comes. Times are of the processor.
 */
#include "base/arena.h"
#include "base/fs.h"
#include "base/map.h"
#include "base/vec.h"
#include "intel/literals.h"

#include <dirent.h>
#include <fcntl.h>
#include <hs/hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WINDOW    (1u << 20)
#define ROUNDS    5
#define TEXT_MAX  (64u << 20)
#define NOCASE_OF 8 /* every 8th literal */

VEC_TYPE(literal_vec, struct literal);
VEC_TYPE(str_vec, struct str);

static double now(void)
{
        struct timespec t;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- literals --- */

static bool is_word_byte(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '/' || c == '.';
}

static uint64_t mix(struct str s)
{
        uint64_t h = 1469598103934665603u;
        for (size_t i = 0; i < s.n; i++)
                h = (h ^ (uint8_t)s.p[i]) * 1099511628211u;
        return h ^ h >> 29;
}

static int by_mix(const void *a, const void *b)
{
        uint64_t x = mix(*(const struct str *)a), y = mix(*(const struct str *)b);
        return x < y ? -1 : x > y;
}

/* Words, and words with the next one, each once. */
static void collect(struct str text, struct str_vec *ret)
{
        struct map_str seen = { 0 };
        for (size_t i = 0, end; i < text.n; i = end + 1) {
                for (end = i; end < text.n && is_word_byte(text.p[end]); end++)
                        ;
                for (int words = 1; words <= 2; words++) {
                        bool is_new = false;
                        size_t stop = end;
                        if (words == 2)
                                for (stop = MIN(end + 1, text.n); stop < text.n && is_word_byte(text.p[stop]); stop++)
                                        ;
                        struct str s = { text.p + i, stop - i };
                        if (s.n < 4 || s.n > 24 || memchr(s.p, '\n', s.n))
                                continue;
                        map_str_put(&seen, s, &is_new);
                        if (is_new)
                                *vec_push(ret) = s;
                }
        }
        map_str_done(&seen);
}

/* n of them: 5 % of 4 to 6 bytes, the rest longer. */
static void choose(struct str_vec *words, size_t n, struct literal_vec *ret)
{
        size_t small = 0;
        vec_clear(ret);
        qsort(words->v, words->n, sizeof(*words->v), by_mix);
        for (size_t i = 0; i < words->n && ret->n < n; i++) {
                struct str s = words->v[i];
                if (s.n < 7 && small * 20 >= n)
                        continue;
                small += s.n < 7;
                struct literal *l = vec_push(ret);
                *l = (struct literal){ .bytes = s, .nocase = ret->n % NOCASE_OF == 0 };
        }
}

/* --- bytes --- */

static void load(const char *directory, size_t most, struct str_vec *files, size_t *total)
{
        DIR *d = opendir(directory);
        if (!d)
                return;
        for (struct dirent *e; (e = readdir(d)) && *total < most;) {
                char path[4096];
                struct stat st;
                snprintf(path, sizeof(path), "%s/%s", directory, e->d_name);
                if (e->d_name[0] == '.' || lstat(path, &st) < 0)
                        continue;
                if (S_ISDIR(st.st_mode))
                        load(path, most, files, total);
                struct buf b = BUF_INIT(TEXT_MAX);
                if (!S_ISREG(st.st_mode) || read_file(path, &b, NULL) < 0 || !b.n) {
                        buf_done(&b);
                        continue;
                }
                *vec_push(files) = buf_str(&b);
                *total += b.n;
        }
        closedir(d);
}

/* --- the two --- */

static void on_found(void *arg, uint32_t index, size_t start) { ++*(uint64_t *)arg; }

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *arg)
{
        ++*(uint64_t *)arg;
        return 0;
}

struct contest {
        const struct literals *ours;
        const hs_database_t *theirs;
        hs_scratch_t *scratch;
        char *window;
        uint64_t our_hits, their_hits;
        double our_seconds, their_seconds;
};

static void scan_ours(struct contest *c, size_t n)
{
        double started = now();
        literals_scan(c->ours, str_span(c->window, n), 0, SIZE_MAX, on_found, &c->our_hits);
        c->our_seconds += now() - started;
}

static void scan_theirs(struct contest *c, size_t n)
{
        double started = now();
        hs_scan(c->theirs, c->window, (unsigned)n, 0, c->scratch, on_match, &c->their_hits);
        c->their_seconds += now() - started;
}

/* All files once. Who begins changes with each window, so that nobody always has the warmer cache. */
static void scan_all(struct contest *c, const struct str_vec *files)
{
        bool turn = false;
        c->our_hits = c->their_hits = 0;
        c->our_seconds = c->their_seconds = 0;
        for (size_t i = 0; i < files->n; i++) {
                for (size_t at = 0; at < files->v[i].n; at += WINDOW) {
                        struct str s = str_upto(str_from(files->v[i], at), WINDOW);
                        memcpy(c->window, s.p, s.n);
                        (turn ? scan_ours : scan_theirs)(c, s.n);
                        (turn ? scan_theirs : scan_ours)(c, s.n);
                        turn = !turn;
                }
        }
}

static hs_database_t *compile_theirs(const struct literal_vec *v, struct arena *arena)
{
        const char **patterns = arena_array(arena, v->n, sizeof(*patterns));
        unsigned *flags = arena_array(arena, v->n, sizeof(*flags)), *ids = arena_array(arena, v->n, sizeof(*ids));
        for (size_t i = 0; i < v->n; i++) {
                struct buf b = BUF_INIT(4 * LITERAL_BYTES_MAX + 1);
                for (size_t k = 0; k < v->v[i].bytes.n; k++)
                        buf_printf(&b, "\\x%02x", (uint8_t)v->v[i].bytes.p[k]);
                patterns[i] = arena_cstr(arena, buf_str(&b));
                buf_done(&b);
                flags[i] = v->v[i].nocase ? HS_FLAG_CASELESS : 0;
                ids[i] = (unsigned)i;
        }
        hs_database_t *db = NULL;
        hs_compile_error_t *e = NULL;
        if (hs_compile_multi(patterns, flags, ids, (unsigned)v->n, HS_MODE_BLOCK, NULL, &db, &e) != HS_SUCCESS) {
                fprintf(stderr, "Vectorscan: %s\n", e->message);
                exit(1);
        }
        return db;
}

static int by_value(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;
        return x < y ? -1 : x > y;
}

static void measure(const struct literal_vec *v, const struct str_vec *files, size_t total)
{
        struct arena arena = ARENA_INIT;
        struct literals *ours;
        struct contest c = { .window = xmalloc(WINDOW) };
        double build = now(), build_theirs, a[ROUNDS], b[ROUNDS], ratio[ROUNDS];
        if (literals_new(v->v, v->n, &ours, NULL) < 0)
                exit(1);
        build = now() - build;
        build_theirs = now();
        hs_database_t *theirs = compile_theirs(v, &arena);
        build_theirs = now() - build_theirs;
        hs_alloc_scratch(theirs, &c.scratch);
        c.ours = ours;
        c.theirs = theirs;
        for (int i = 0; i < ROUNDS; i++) {
                scan_all(&c, files);
                a[i] = c.our_seconds;
                b[i] = c.their_seconds;
                ratio[i] = b[i] / a[i];
        }
        qsort(a, ROUNDS, sizeof(*a), by_value);
        qsort(b, ROUNDS, sizeof(*b), by_value);
        qsort(ratio, ROUNDS, sizeof(*ratio), by_value);
        printf("%6zu literals: ours %.2f GB/s, Vectorscan %.2f GB/s, %.2f times as fast (%.2f to %.2f); hits %llu and "
               "%llu%s; built in %.1f ms and %.0f ms; %.1f MB\n",
               v->n, (double)total / a[ROUNDS / 2] / 1e9, (double)total / b[ROUNDS / 2] / 1e9, ratio[ROUNDS / 2],
               ratio[0], ratio[ROUNDS - 1], (unsigned long long)c.our_hits, (unsigned long long)c.their_hits,
               c.our_hits == c.their_hits ? "" : ": DIFFERENT", build * 1e3, build_theirs * 1e3,
               (double)literals_memory(ours) / 1e6);
        hs_free_scratch(c.scratch);
        hs_free_database(theirs);
        literals_free(ours);
        free(c.window);
        arena_done(&arena);
        if (c.our_hits != c.their_hits)
                exit(1);
}

int main(int argc, char **argv)
{
        static const size_t counts[] = { 100, 1000, 2000, 5000, 30000 };
        struct buf text = BUF_INIT(TEXT_MAX);
        struct str_vec words = { 0 }, files = { 0 };
        struct literal_vec literals = { 0 };
        struct error err = ERROR_NONE;
        size_t total = 0;
        if (argc < 4 || read_file(argv[1], &text, &err) < 0) {
                fprintf(stderr, "usage: matcher WORDS MEGABYTES DIRECTORY...\n%s\n", err.text);
                return 2;
        }
        collect(buf_str(&text), &words);
        for (int i = 3; i < argc; i++)
                load(argv[i], total + strtoul(argv[2], NULL, 10) * 1000000, &files, &total);
        printf("%zu files, %.0f MB\n", files.n, (double)total / 1e6);
        for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
                choose(&words, counts[i], &literals);
                measure(&literals, &files, total);
        }
        return 0;
}
