/* What the tests of the ledger share: a directory of their own, ledgers in it, scans that can be told apart. */
#ifndef SEKISHO_TESTS_BOOK_FIXTURE_H
#define SEKISHO_TESTS_BOOK_FIXTURE_H

#include "base/fs.h"
#include "store/internal.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define T0  INT64_C(1780000000)
#define DAY INT64_C(86400)

struct shelf { /* the directory and the ledger in it */
        char directory[PATH_MAX], path[PATH_MAX];
        struct book *b;
        struct arena arena;
        struct error err;
};

static inline void shelf_make(struct shelf *s)
{
        *s = (struct shelf){ 0 };
        snprintf(s->directory, sizeof(s->directory), "%s/sekisho-book-XXXXXX", env_or("TMPDIR", "/tmp"));
        assert_non_null(mkdtemp(s->directory));
        assert_true((size_t)snprintf(s->path, sizeof(s->path), "%s/ledger.db", s->directory) < sizeof(s->path));
}

static inline void shelf_open(struct shelf *s, enum book_mode mode)
{
        s->err = ERROR_NONE;
        if (book_open(s->path, mode, &s->b, &s->err) < 0)
                fail_msg("%s", s->err.text);
}

static inline void shelf_close(struct shelf *s)
{
        book_close(s->b);
        s->b = NULL;
}

static inline void shelf_begin(struct shelf *s)
{
        shelf_make(s);
        shelf_open(s, BOOK_CREATE);
}

static inline void shelf_end(struct shelf *s)
{
        shelf_close(s);
        arena_done(&s->arena);
        DIR *d = opendir(s->directory);
        for (struct dirent *e; d && (e = readdir(d));)
                (void)unlinkat(dirfd(d), e->d_name, 0);
        if (d)
                closedir(d);
        assert_int_equal(rmdir(s->directory), 0);
}

static inline struct book_stamp stamp_of(const char *actor, int64_t now)
{
        return (struct book_stamp){ .now = now, .actor = str_of(actor) };
}

#define STAMP(actor, now) (&(struct book_stamp){ (now), STR(actor) })

/* assert that r is 0, with the words of the error */
#define ok(s, r)                                                                                                       \
        do {                                                                                                           \
                (s)->err = ERROR_NONE;                                                                                 \
                int ok_r = (r);                                                                                        \
                if (ok_r != 0)                                                                                         \
                        fail_msg("%s: %d: %s", #r, ok_r, (s)->err.text);                                               \
        } while (false)

#define says(s, words)                                                                                                 \
        do {                                                                                                           \
                if (!strstr((s)->err.text, words))                                                                     \
                        fail_msg("\"%s\" does not say \"%s\"", (s)->err.text, words);                                  \
        } while (false)

/* An image number `image`: packages 0 to n_packages - 1 of a distribution, findings first to first + n - 1. */
static inline int scan_numbered(struct shelf *s, unsigned image, size_t n_packages, unsigned first, size_t n,
                                int64_t now, struct book_scan_outcome *ret)
{
        struct arena a = ARENA_INIT;
        struct book_package *packages = arena_array(&a, n_packages, sizeof(*packages));
        struct book_finding *findings = arena_array(&a, n, sizeof(*findings));
        struct book_program *programs = arena_array(&a, n_packages, sizeof(*programs));
        struct str tag = arena_printf(&a, "registry.example/app-%u:1", image);
        for (size_t i = 0; i < n_packages; i++)
                packages[i].p = (struct fact_package){ .type = STR("deb"),
                                                       .name = arena_printf(&a, "package-%zu", i),
                                                       .version = STR("1.0-1"),
                                                       .arch = STR("amd64"),
                                                       .source = arena_printf(&a, "source-%zu", i / 2),
                                                       .source_version = STR("1.0-1"),
                                                       .database = STR("var/lib/dpkg/status") };
        for (size_t i = 0; i < n_packages; i++)
                programs[i] = (struct book_program){ packages[i].p.name, arena_printf(&a, "usr/bin/program-%zu", i) };
        for (size_t i = 0; i < n; i++)
                findings[i] = (struct book_finding){
                        .key = arena_printf(&a, "CVE-2026-%04zu source-%zu", first + i, i),
                        .kind = STR("vulnerability"),
                        .id = arena_printf(&a, "CVE-2026-%04zu", first + i),
                        .package = arena_printf(&a, "source-%zu", i),
                        .version = STR("1.0-1"),
                        .severity = (enum severity)((first + i) % SEVERITY_COUNTS),
                        .is_fixable = i % 2,
                        .response = STR("update"),
                        .state = STR("denied"),
                };
        struct book_scan scan = {
                .artefact = { .digest = arena_printf(&a, "sha256:%064x", 0xabc000 + image),
                              .kind = STR("registry"),
                              .name = tag,
                              .target = tag,
                              .host = STR("build-1"),
                              .tags = { &tag, 1 } },
                .os = { .id = STR("debian"), .version = STR("12"), .name = STR("Debian GNU/Linux 12 (bookworm)") },
                .data = { .source = STR("embedded"), .digest = STR("sha256:dada"), .date = T0 - DAY },
                .policy = STR("default"),
                .verdict = n ? STR("deny") : STR("allow"),
                .is_complete = true,
                .packages = packages,
                .n_packages = n_packages,
                .findings = findings,
                .n_findings = n,
                .programs = programs,
                .n_programs = n_packages,
                .has_programs = true,
        };
        struct book_scan_outcome unused;
        struct book_stamp stamp = stamp_of("ci", now);
        int r = book_add_scan(s->b, &stamp, &scan, ret ? ret : &unused, &s->err);
        arena_done(&a);
        return r;
}

static inline struct str digest_numbered(struct shelf *s, unsigned image)
{
        return arena_printf(&s->arena, "sha256:%064x", 0xabc000 + image);
}

static inline struct book_waiver waiver_for(const char *finding)
{
        return (struct book_waiver){
                .finding = str_of(finding),
                .owner = STR("alice"),
                .reason = STR("not reachable"),
                .response = STR("accept"),
                .expires = T0 + 30 * DAY,
                .scope = { .repository = STR("registry.example/app-1") },
                .ends_on = { .fix = true, .kev = true, .epss = 10000 },
        };
}

/* A ledger in which each kind of record stands. */
static inline void fill(struct shelf *s)
{
        char id[WAIVER_ID_MAX];
        struct book_waiver w = waiver_for("CVE-2026-0001");
        struct str ids[] = { STR("W-1") };
        struct book_decision d = { .artefact = digest_numbered(s, 1),
                                   .name = STR("registry.example/app-1:1"),
                                   .stage = STR("admit"),
                                   .verdict = STR("allow"),
                                   .policy = STR("default"),
                                   .reason = STR("all findings are waived"),
                                   .waivers = { ids, 1 } };
        struct book_artefact seen = { .digest = digest_numbered(s, 2),
                                      .kind = STR("podman"),
                                      .name = STR("app-2"),
                                      .host = STR("web-1"),
                                      .container = STR("c0ffee") };
        struct book_affected affected[] = {
                { digest_numbered(s, 1), STR("CVE-2026-0900"), STR("source-0"), STR("1.0-1"), STR("1.0-2"),
                  SEVERITY_HIGH, true },
                { digest_numbered(s, 2), STR("CVE-2026-0900"), STR("source-0"), STR("1.0-1"), STR("1.0-2"),
                  SEVERITY_HIGH, true },
        };
        struct book_rematch m = { .data = { .source = STR("embedded"), .date = T0 },
                                  .artefacts = 2,
                                  .packages = 20,
                                  .affected = affected,
                                  .n_affected = 2 };
        ok(s, scan_numbered(s, 1, 20, 1, 6, T0, NULL));
        ok(s, scan_numbered(s, 2, 20, 3, 4, T0 + 10, NULL));
        ok(s, book_waiver_request(s->b, STAMP("bob", T0 + 20), &w, id, &s->err));
        ok(s, book_waiver_approve(s->b, STAMP("alice", T0 + 30), STR("W-1"), true, &s->err));
        ok(s, book_add_decision(s->b, STAMP("gate@web-1", T0 + 40), &d, NULL, &s->err));
        ok(s, book_add_observation(s->b, STAMP("agent@web-1", T0 + 50), &seen, NULL, &s->err));
        ok(s, book_add_rematch(s->b, STAMP("ci", T0 + 60), &m, NULL, &s->err));
        ok(s, scan_numbered(s, 1, 20, 2, 6, T0 + 70, NULL));
        ok(s, book_waiver_end(s->b, STAMP("sweep", T0 + 80), STR("W-1"), STR("fix 1.0-2"), &s->err));
        ok(s, scan_numbered(s, 1, 20, 2, 6, T0 + 5, NULL)); /* by a clock that was set back */
}

#define FILLED 10 /* records */

/* 0 or 1 and the flaw. */
static inline int verified(struct shelf *s, struct book_flaw *ret)
{
        s->err = ERROR_NONE;
        int r = book_verify(s->b, NULL, &s->arena, ret, &s->err);
        if (r < 0)
                fail_msg("%s", s->err.text);
        return r;
}

#define whole(s)                                                                                                       \
        do {                                                                                                           \
                struct book_flaw whole_flaw;                                                                           \
                if (verified((s), &whole_flaw) != 0)                                                                   \
                        fail_msg("%s", whole_flaw.words);                                                              \
        } while (false)

#endif
