/*
 * The ledger at size, in one process:
 *
 *         bench/rematch FACTS DIRECTORY [IMAGES]     record so many images (default 10,000), then ask about all of them
 *
 * FACTS is data/advisories/debian.tsv: real names and versions of Debian 11 to 13, and as many names again that no
 * advisory knows. An image is a base that others share, one of some stacks that others share, and packages of its own:
 * 300 to 500 in all. Its findings are those of the embedded advisories but every tenth: those are new when it is
 * compared again.
 */
#include "flow/rematch.h"
#include "base/fs.h"
#include "base/map.h"
#include "base/vec.h"
#include "intel/import.h"
#include "intel/match.h"
#include "intel/version.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define RELEASES 3
#define BASES    12 /* of each release */
#define STACKS   60
#define VERSIONS 6 /* of each package */
#define NOW      INT64_C(1780000000)

struct named {
        struct str name, version;
};

VEC_TYPE(named_vec, struct named);
VEC_TYPE(finding_vec, struct book_finding);

struct world {
        struct sink sink; /* first: takes the facts */
        struct arena arena;
        struct named_vec pool[RELEASES];
        struct db *db;
        struct map64 found; /* of a query: its findings, from once to once + n */
        struct finding_vec findings;
        unsigned seed;
};

static double seconds_of(clockid_t clock)
{
        struct timespec t;
        clock_gettime(clock, &t);
        return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct watch {
        double wall, cpu;
};

static struct watch watch_start(void)
{
        return (struct watch){ seconds_of(CLOCK_MONOTONIC), seconds_of(CLOCK_PROCESS_CPUTIME_ID) };
}

/* "5.22 s (3.10 s CPU)" since the start or the last call. */
static const char *lap(struct watch *w)
{
        static char texts[4][48];
        static unsigned turn;
        char *text = texts[turn++ % ARRAY_SIZE(texts)];
        struct watch now = watch_start();
        snprintf(text, sizeof(texts[0]), "%.2f s (%.2f s CPU)", now.wall - w->wall, now.cpu - w->cpu);
        *w = now;
        return text;
}

/* Each version that a fact mentions is a package that somebody may have. */
static void put(struct sink *s, enum fact_kind kind, const void *fact)
{
        struct world *w = (struct world *)s;
        const struct fact_affected *a = fact;
        if (kind != FACT_affected || !str_starts(a->ecosystem, STR("Debian:1")) || a->ecosystem.n != 9)
                return;
        unsigned release = (unsigned)(a->ecosystem.p[8] - '1');
        for (size_t i = 0; i < a->events.n && release < RELEASES; i++) {
                struct str version = a->events.v[i];
                (void)str_cut(&version, ' ');
                if (version.n > 1)
                        *vec_push(&w->pool[release]) =
                                (struct named){ arena_str(&w->arena, a->name), arena_str(&w->arena, version) };
        }
}

static int by_name_newest_first(const void *pa, const void *pb)
{
        const struct named *a = pa, *b = pb;
        int r = str_cmp(a->name, b->name);
        return r ? r : -version_scheme_find(STR("debian"))->compare(a->version, b->version);
}

/* Of each name the newest few versions: nobody runs what was current ten years ago. */
static void keep_newest(struct named_vec *pool)
{
        size_t kept = 0, run = 0;
        qsort(pool->v, pool->n, sizeof(*pool->v), by_name_newest_first);
        for (size_t i = 0; i < pool->n; i++) {
                run = kept && str_eq(pool->v[i].name, pool->v[kept - 1].name) ? run + 1 : 0;
                if (run < VERSIONS)
                        pool->v[kept++] = pool->v[i];
        }
        pool->n = kept;
}

static int read_facts(struct world *w, const char *path, struct error *err)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return error_errno(err, -errno, "%s", path);
        int r = import_run(NULL, fd, path, &w->sink, err);
        for (unsigned i = 0; i < RELEASES && r == 0; i++) {
                if (w->pool[i].n == 0)
                        return error_set(err, -ENODATA, "no package of Debian %u in %s", 11 + i, path);
                keep_newest(&w->pool[i]);
                for (size_t n = w->pool[i].n, k = 0; k < n; k++)
                        *vec_push(&w->pool[i]) =
                                (struct named){ arena_printf(&w->arena, "unknown-%zu", k), STR("1.0-1") };
        }
        return r;
}

static unsigned random_below(unsigned *seed, size_t n) { return (unsigned)rand_r(seed) % (unsigned)n; }

static void add_packages(struct world *w, unsigned release, unsigned seed, size_t n, struct book_package *to,
                         size_t *ret_n)
{
        for (size_t i = 0; i < n; i++) {
                const struct named *p = &w->pool[release].v[random_below(&seed, w->pool[release].n)];
                to[(*ret_n)++].p = (struct fact_package){
                        .type = STR("deb"),
                        .name = i % 2 ? p->name : arena_printf(&w->arena, "lib%.*s1", STR_FMT(p->name)),
                        .version = p->version,
                        .arch = STR("amd64"),
                        .source = p->name,
                        .source_version = p->version,
                        .database = STR("var/lib/dpkg/status"),
                };
        }
}

static void on_found(void *arg, const struct fact_vulnerability *v)
{
        struct world *w = arg;
        struct str id = v->cve.n ? v->cve : v->id;
        if (id.p[id.n - 1] == '7')
                return; /* nobody knew of it yet */
        *vec_push(&w->findings) = (struct book_finding){
                .key = arena_printf(&w->arena, "%.*s %.*s", STR_FMT(id), STR_FMT(v->matched_name)),
                .kind = STR("vulnerability"),
                .id = arena_str(&w->arena, id),
                .package = arena_str(&w->arena, v->matched_name),
                .version = arena_str(&w->arena, v->installed),
                .fix = arena_str(&w->arena, v->fixed),
                .severity = v->severity,
                .response = STR("update"),
                .state = STR("denied"),
        };
}

/* What the embedded advisories say of a package, asked once for each name and version. */
static int findings_of(struct world *w, const struct fact_os *os, const struct fact_package *p, struct finding_vec *to)
{
        struct arena arena = ARENA_INIT;
        struct db_query q;
        bool is_new;
        if (!package_query(os, p, &arena, &q))
                return 0;
        uint64_t hash = hash_str_more(hash_str_more(hash_str(q.ecosystem), q.name), q.version);
        uint64_t *place = map64_put(&w->found, hash, &is_new);
        if (is_new) {
                size_t before = w->findings.n;
                int r = db_match(w->db, &q, &arena, on_found, w);
                if (r < 0)
                        return r;
                *place = (uint64_t)before << 32 | (w->findings.n - before);
        }
        for (uint64_t i = 0; i < (*place & UINT32_MAX); i++)
                *vec_push(to) = w->findings.v[(*place >> 32) + i];
        arena_done(&arena);
        return 0;
}

static int add_image(struct world *w, struct book *b, unsigned image, uint64_t *ret_packages, uint64_t *ret_findings,
                     struct error *err)
{
        static const char *const versions[] = { "11", "12", "13" };
        struct book_package packages[512];
        struct finding_vec findings = { 0 };
        struct book_scan_outcome outcome;
        char digest[80], name[40];
        size_t n = 0;
        int r = 0;
        unsigned release = image % RELEASES;
        memset(packages, 0, sizeof(packages));
        add_packages(w, release, 1000 + random_below(&w->seed, BASES), 100, packages, &n);
        add_packages(w, release, 2000 + random_below(&w->seed, STACKS), 180, packages, &n);
        add_packages(w, release, 5000 + image, 20 + random_below(&w->seed, 200), packages, &n);
        struct fact_os os = { .id = STR("debian"),
                              .version = str_of(versions[release]),
                              .name = STR("Debian GNU/Linux") };
        for (size_t i = 0; i < n && r == 0; i++)
                r = findings_of(w, &os, &packages[i].p, &findings);
        snprintf(digest, sizeof(digest), "sha256:%064x", image);
        snprintf(name, sizeof(name), "registry.example/app-%u:1.0", image);
        struct str tag = str_of(name);
        const struct book_scan scan = {
                .artefact = { .digest = str_of(digest),
                              .kind = STR("registry"),
                              .name = tag,
                              .target = tag,
                              .tags = { &tag, 1 } },
                .os = os,
                .data = { .source = STR("embedded"), .date = NOW },
                .policy = STR("default"),
                .verdict = STR("deny"),
                .is_complete = true,
                .packages = packages,
                .n_packages = n,
                .findings = findings.v,
                .n_findings = findings.n,
        };
        struct book_stamp stamp = { NOW + image, STR("bench") };
        if (r == 0)
                r = book_add_scan(b, &stamp, &scan, &outcome, err);
        *ret_packages += n;
        *ret_findings += findings.n;
        vec_done(&findings);
        return r;
}

static int record_all(struct world *w, struct book *b, unsigned images, struct error *err)
{
        uint64_t packages = 0, findings = 0;
        struct book_status status;
        struct watch watch = watch_start();
        int r = 0;
        for (unsigned i = 0; i < images && r == 0; i++)
                r = add_image(w, b, i, &packages, &findings, err);
        const char *took = lap(&watch);
        if (r == 0)
                r = book_status(b, &status, err);
        if (r == 0)
                printf("record: %u images of %.0f packages and %.0f findings in %s; ledger of %.1f MB, %llu different "
                       "packages\n",
                       images, (double)packages / images, (double)findings / images, took,
                       (double)status.size_bytes / 1e6, (unsigned long long)status.packages);
        return r;
}

/* id: one advisory, or NULL; *ret_worst: the first one of the answer, in the world's arena. */
static int ask(struct world *w, const char *path, const char *id, const char **ret_worst, struct error *err)
{
        struct arena arena = ARENA_INIT;
        struct stock stock;
        struct rematch m;
        struct book_data data = { .source = STR("embedded"), .date = NOW };
        struct book_stamp stamp = { NOW, STR("bench") };
        struct book *b;
        uint64_t sequence;
        struct watch watch = watch_start();
        const char *read, *compared;
        int r = book_open(path, BOOK_WRITE, &b, err);
        if (r < 0)
                return r;
        r = book_stock(b, &arena, &stock, err);
        read = lap(&watch);
        if (r == 0)
                r = rematch_run(&stock, w->db, str_of(id), &arena, &m, err);
        compared = lap(&watch);
        if (r == 0)
                r = rematch_record(b, &stamp, &stock, &m, &data, str_of(id), &sequence, err);
        if (r == 0)
                printf("rematch%s%s: reading %s, comparing %s, recording %s: %zu questions, %zu advisories affect %zu "
                       "artefacts\n",
                       id ? " --id " : "", id ? id : "", read, compared, lap(&watch), m.n_queries, m.n_hits,
                       m.n_affected);
        if (r == 0 && m.n_hits)
                *ret_worst = arena_cstr(&w->arena, m.hits[0].id);
        book_close(b);
        arena_done(&arena);
        return r;
}

static int look_after(const char *path, struct error *err)
{
        struct arena arena = ARENA_INIT;
        struct book_inventory inventory;
        struct book_flaw flaw;
        struct book *b;
        bool changed;
        int r = book_open(path, BOOK_WRITE, &b, err);
        if (r < 0)
                return r;
        struct watch watch = watch_start();
        r = book_inventory(b, &arena, &inventory, err);
        printf("inventory: %s\n", lap(&watch));
        if (r == 0)
                r = book_verify(b, NULL, &arena, &flaw, err);
        printf("verify: %s, %s\n", lap(&watch), r == 0 ? "whole" : "BROKEN");
        if (r == 0)
                r = book_rebuild(b, &changed, err);
        printf("rebuild, where nothing is to be changed: %s\n", lap(&watch));
        book_close(b);
        arena_done(&arena);
        return r;
}

static void remove_ledger(const char *path)
{
        static const char *const ends[] = { "", "-wal", "-shm" };
        for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
                char name[4096];
                snprintf(name, sizeof(name), "%s%s", path, ends[i]);
                (void)unlink(name);
        }
}

int main(int argc, char **argv)
{
        struct world w = { .sink = { put }, .seed = 1 };
        struct error err = ERROR_NONE;
        struct book *b = NULL;
        struct rusage usage;
        const char *worst = NULL;
        char path[4096];
        unsigned images = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 10000;
        if (argc < 3 || !images) {
                fprintf(stderr, "usage: rematch FACTS DIRECTORY [IMAGES]\n");
                return 2;
        }
        snprintf(path, sizeof(path), "%s/rematch.db", argv[2]);
        remove_ledger(path);
        int r = db_open_embedded(&w.db, &err);
        if (r == 0)
                r = read_facts(&w, argv[1], &err);
        if (r == 0)
                r = book_open(path, BOOK_CREATE, &b, &err);
        if (r == 0)
                r = record_all(&w, b, images, &err);
        book_close(b);
        if (r == 0)
                r = ask(&w, path, NULL, &worst, &err);
        if (r == 0 && worst)
                r = ask(&w, path, worst, &worst, &err);
        if (r == 0)
                r = look_after(path, &err);
        getrusage(RUSAGE_SELF, &usage);
        printf("peak memory, with the making of the images: %.0f MB\n", (double)usage.ru_maxrss / 1e3);
        remove_ledger(path);
        for (unsigned i = 0; i < RELEASES; i++)
                vec_done(&w.pool[i]);
        vec_done(&w.findings);
        map64_done(&w.found);
        arena_done(&w.arena);
        db_close(w.db);
        if (r != 0)
                fprintf(stderr, "rematch: %s\n", err.text);
        return r != 0;
}
