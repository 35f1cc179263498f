/*
 * The advisory database on all feeds of a directory, in one process and without workers:
 *
 *         bench/match FEEDS [PACKAGES]     build, open, and match so many packages (default 100,000)
 *
 * The packages are those that the feeds name, taken evenly over all feeds, each with a version that its advisory
 * mentions; every second one a little later than that, so that many are affected and many are not.
 */
#include "base/fs.h"
#include "base/vec.h"
#include "intel/db-build.h"
#include "intel/import.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define OPENINGS 100

VEC_TYPE(query_vec, struct db_query);

struct taking {
        struct sink sink;
        struct sink *to;
        struct arena arena;
        struct query_vec queries;
};

static double seconds_of(clockid_t clock)
{
        struct timespec t;
        clock_gettime(clock, &t);
        return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* A version that the fact mentions; "" if it mentions none. */
static struct str version_of(const struct fact_affected *a, size_t salt)
{
        if (a->versions.n)
                return a->versions.v[salt % a->versions.n];
        if (!a->events.n)
                return STR_NONE;
        struct str event = a->events.v[salt % a->events.n];
        (void)str_cut(&event, ' ');
        return event;
}

static void put(struct sink *s, enum fact_kind kind, const void *fact)
{
        struct taking *t = (struct taking *)s;
        if (kind == FACT_affected) {
                const struct fact_affected *a = fact;
                struct str version = version_of(a, t->queries.n);
                *vec_push(&t->queries) =
                        (struct db_query){ arena_str(&t->arena, a->ecosystem), arena_str(&t->arena, a->name),
                                           t->queries.n % 2 ? arena_printf(&t->arena, "%.*s.1", STR_FMT(version))
                                                            : arena_str(&t->arena, version) };
        }
        sink_put(t->to, kind, fact);
}

static int is_feed(const struct dirent *d)
{
        return strncmp(d->d_name, "osv-", 4) == 0 || strncmp(d->d_name, "epss", 4) == 0 ||
               strncmp(d->d_name, "known", 5) == 0;
}

static int build(const char *directory, const char *to, struct taking *t, struct error *err)
{
        struct dirent **names;
        struct output o;
        int n = scandir(directory, &names, is_feed, alphasort), r = 0;
        _cleanup_(db_builder_freep) struct db_builder *b = db_builder_new(true);
        t->to = db_builder_sink(b);
        for (int i = 0; i < n; i++) {
                char path[4096];
                snprintf(path, sizeof(path), "%s/%s", directory, names[i]->d_name);
                _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
                struct db_feed feed = { .name = str_of(names[i]->d_name) };
                db_builder_feed(b, &feed);
                if (r == 0)
                        r = import_run(NULL, fd, path, &t->sink, err);
                free(names[i]);
        }
        if (n >= 0)
                free(names);
        if (r < 0 || n <= 0)
                return r < 0 ? r : error_set(err, -1, "no feeds in %s", directory);
        double arranging = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
        r = output_open(&o, to, err);
        if (r == 0)
                r = db_builder_write(b, o.stream, err);
        printf("  of it arranging and writing: %.2f s\n", seconds_of(CLOCK_PROCESS_CPUTIME_ID) - arranging);
        return r < 0 ? r : output_commit(&o, err);
}

static void on_found(void *arg, const struct fact_vulnerability *v)
{
        uint64_t *found = arg;
        (*found)++;
        (void)v;
}

static int open_time(const char *path, struct error *err)
{
        double worst = 0, sum = 0;
        for (int i = 0; i < OPENINGS; i++) {
                struct db *db;
                double started = seconds_of(CLOCK_MONOTONIC);
                int r = db_open(path, &db, err);
                double took = seconds_of(CLOCK_MONOTONIC) - started;
                if (r < 0)
                        return r;
                worst = MAX(worst, took);
                sum += took;
                db_close(db);
        }
        printf("open: %.3f ms in the mean of %d, %.3f ms at worst\n", sum / OPENINGS * 1e3, OPENINGS, worst * 1e3);
        return 0;
}

static int by_package(const void *pa, const void *pb)
{
        const struct db_query *a = pa, *b = pb;
        int order = str_cmp(a->ecosystem, b->ecosystem);
        if (!order)
                order = str_cmp(a->name, b->name);
        return order ? order : str_cmp(a->version, b->version);
}

/* One query for each package, then a further one for each that has more, and so on, until there are n. */
static void spread(const struct query_vec *all, size_t n, struct query_vec *to)
{
        VEC(size_t) first = { 0 };
        for (size_t i = 0; i < all->n; i++)
                if (i == 0 || !str_eq(all->v[i].name, all->v[i - 1].name) ||
                    !str_eq(all->v[i].ecosystem, all->v[i - 1].ecosystem))
                        *vec_push(&first) = i;
        for (size_t round = 0; to->n < n; round++)
                for (size_t k = 0; k < first.n && to->n < n; k++) {
                        size_t end = k + 1 < first.n ? first.v[k + 1] : all->n;
                        *vec_push(to) = all->v[first.v[k] + round * 7919 % (end - first.v[k])];
                }
        printf("%zu different packages in the feeds\n", first.n);
        vec_done(&first);
}

static int match(const char *what, const char *path, const struct query_vec *queries, size_t n, struct error *err)
{
        struct db *db;
        struct arena arena = ARENA_INIT;
        uint64_t found = 0;
        size_t affected = 0;
        int r = db_open(path, &db, err);
        if (r < 0)
                return r;
        double started = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
        for (size_t i = 0; i < n && r >= 0; i++) {
                r = db_match(db, &queries->v[(size_t)((double)i * (double)queries->n / (double)n)], &arena, on_found,
                             &found);
                affected += r > 0;
                arena_done(&arena);
        }
        printf("match, %s: %zu packages in %.3f s (%.3f s CPU): %llu findings in %zu packages\n", what, n,
               seconds_of(CLOCK_MONOTONIC) - started, seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu,
               (unsigned long long)found, affected);
        db_close(db);
        return r < 0 ? error_set(err, r, "the database is damaged") : 0;
}

int main(int argc, char **argv)
{
        char path[] = "/tmp/sekisho-bench-XXXXXX";
        struct taking t = { .sink = { put } };
        struct error err = ERROR_NONE;
        struct stat st = { 0 };
        size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 100000;
        _cleanup_(closep) int fd = argc > 1 ? mkstemp(path) : -1;
        if (fd < 0) {
                fprintf(stderr, "usage: match FEEDS [PACKAGES]\n");
                return 2;
        }
        double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
        int r = build(argv[1], path, &t, &err);
        if (r == 0 && stat(path, &st) == 0)
                printf("build: %.2f s CPU, %.1f MB, %zu affected packages in the feeds\n",
                       seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu, (double)st.st_size / 1e6, t.queries.n);
        if (r == 0)
                r = open_time(path, &err);
        struct query_vec even = { 0 };
        if (r == 0 && t.queries.n) {
                qsort(t.queries.v, t.queries.n, sizeof(*t.queries.v), by_package);
                spread(&t.queries, n, &even);
                r = match("evenly over packages", path, &even, n, &err);
                if (r == 0)
                        r = match("evenly over advisories", path, &t.queries, n, &err);
        }
        (void)unlink(path);
        vec_done(&t.queries);
        vec_done(&even);
        arena_done(&t.arena);
        if (r < 0)
                fprintf(stderr, "match: %s\n", err.text);
        return r < 0;
}
