/*
 * The database against a naive evaluation of real feeds: for sampled packages, every version that a feed mentions is
 * asked, and the answer must be what walking the OSV records as the schema's pseudo-code says gives. The feeds are not
 * in the repository ($SEKISHO_SHARED/feeds); without them these tests are skipped.
 */
#include "base/vec.h"
#include "intel/ecosystem.h"
#include "intel/json.h"
#include "intel/version.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "db-fixture.h"

#define PACKAGES_SAMPLED 25
#define VERSIONS_MAX     12

VEC_TYPE(json_vec, json_t *);

static bool feed_path(const char *name, char path[static 4096])
{
        const char *shared = env_or("SEKISHO_SHARED", TESTS_DIR "/../../shared");
        snprintf(path, 4096, "%s/feeds/osv-%s.jsonl.xz", shared, name);
        return access(path, R_OK) == 0;
}

static void load_records(const char *path, struct json_vec *to)
{
        char command[4200];
        snprintf(command, sizeof(command), "xz -dc '%s'", path);
        FILE *from = popen(command, "r");
        assert_non_null(from);
        char *line = NULL;
        size_t size = 0;
        ssize_t n;
        while ((n = getline(&line, &size, from)) > 0) {
                json_t *j = json_loadb(line, (size_t)n, 0, NULL);
                assert_non_null(j);
                *vec_push(to) = j;
        }
        free(line);
        assert_int_equal(pclose(from), 0);
}

static bool is_package(const json_t *affected, struct str ecosystem, struct str name)
{
        static struct arena arena;
        const json_t *package = json_object_get(affected, "package");
        bool same = str_eq(json_member(package, "ecosystem"), ecosystem) &&
                    str_eq(ecosystem_normalise_name(ecosystem, json_member(package, "name"), &arena),
                           ecosystem_normalise_name(ecosystem, name, &arena));
        arena_done(&arena);
        return same;
}

struct naive_event {
        int kind; /* 0 introduced, 1 fixed, 2 last_affected, 3 limit */
        struct str version;
};

/* The schema's pseudo-code, sorted by insertion, which keeps equal versions in the feed's order. */
static bool naive_range(const struct version_scheme *scheme, const json_t *range, struct str version)
{
        static const char *const kinds[] = { "introduced", "fixed", "last_affected", "limit" };
        VEC(struct naive_event) events = { 0 };
        const json_t *list = json_object_get(range, "events");
        bool affected = false, has_limit = false, below_limit = false;
        for (size_t i = 0; i < json_array_size(list); i++)
                for (int k = 0; k < 4; k++) {
                        struct str v = json_member(json_array_get(list, i), kinds[k]);
                        if (v.n)
                                *vec_push(&events) = (struct naive_event){ k, v };
                }
        for (size_t i = 1; i < events.n; i++)
                for (size_t k = i; k > 0; k--) {
                        struct naive_event *a = &events.v[k - 1], *b = &events.v[k], t = *a;
                        bool b_first = b->kind == 0 && str_is(b->version, "0");
                        bool a_first = a->kind == 0 && str_is(a->version, "0");
                        if (a_first || (!b_first && scheme->compare(a->version, b->version) <= 0))
                                break;
                        *a = *b;
                        *b = t;
                }
        for (size_t i = 0; i < events.n; i++) {
                struct naive_event *e = &events.v[i];
                bool from_start = e->kind == 0 && str_is(e->version, "0");
                int order = from_start ? 1 : scheme->compare(version, e->version);
                if (e->kind == 0 && order >= 0)
                        affected = true;
                if ((e->kind == 1 && order >= 0) || (e->kind == 2 && order > 0))
                        affected = false;
                has_limit |= e->kind == 3;
                below_limit |= e->kind == 3 && order < 0;
        }
        vec_done(&events);
        return affected && (!has_limit || below_limit);
}

static bool naive_affected(const struct version_scheme *scheme, const json_t *affected, struct str version)
{
        const json_t *versions = json_object_get(affected, "versions"), *ranges = json_object_get(affected, "ranges");
        for (size_t i = 0; i < json_array_size(versions); i++)
                if (scheme->compare(json_str(json_array_get(versions, i)), version) == 0)
                        return true;
        for (size_t i = 0; i < json_array_size(ranges); i++)
                if (!str_is(json_member(json_array_get(ranges, i), "type"), "GIT") &&
                    naive_range(scheme, json_array_get(ranges, i), version))
                        return true;
        return false;
}

static bool is_named(const struct fact_vulnerability *v, struct str id)
{
        if (str_eq(v->id, id) || str_eq(v->cve, id))
                return true;
        for (size_t i = 0; i < v->aliases.n; i++)
                if (str_eq(v->aliases.v[i], id))
                        return true;
        return false;
}

struct asked {
        struct fact_vulnerability v[4096];
        size_t n;
};

static void keep_found(void *arg, const struct fact_vulnerability *v)
{
        struct asked *a = arg;
        assert_true(a->n < ARRAY_SIZE(a->v));
        a->v[a->n++] = *v;
}

/* Returns how many records affect the version. */
static size_t check_version(struct fixture *f, const struct json_vec *records, struct str ecosystem, struct str name,
                            struct str version)
{
        static struct asked asked;
        const struct version_scheme *scheme = version_scheme_find(ecosystem);
        struct db_query q = { ecosystem, name, version };
        size_t n = 0;
        asked.n = 0;
        int r = db_match(f->db, &q, &f->arena, keep_found, &asked);
        assert_int_equal(r, asked.n);
        bool expected[4096] = { false };
        for (size_t i = 0; i < records->n; i++) {
                const json_t *affected = json_object_get(records->v[i], "affected");
                struct str id = json_member(records->v[i], "id");
                bool is_affected = false, is_found = false;
                for (size_t k = 0; k < json_array_size(affected) && !json_member(records->v[i], "withdrawn").n; k++)
                        is_affected |= is_package(json_array_get(affected, k), ecosystem, name) &&
                                       naive_affected(scheme, json_array_get(affected, k), version);
                if (!is_affected)
                        continue;
                n++;
                for (size_t k = 0; k < asked.n; k++)
                        if (is_named(&asked.v[k], id)) {
                                is_found = true;
                                expected[k] = expected[k] || str_eq(asked.v[k].id, id);
                        }
                if (!is_found)
                        fail_msg("%.*s does not find %.*s %.*s", STR_FMT(id), STR_FMT(name), STR_FMT(version));
        }
        for (size_t k = 0; k < asked.n; k++)
                if (!expected[k])
                        fail_msg("%.*s finds %.*s %.*s: %.*s", STR_FMT(asked.v[k].id), STR_FMT(name), STR_FMT(version),
                                 STR_FMT(asked.v[k].comparison));
        arena_done(&f->arena);
        return n;
}

/* Every version that the records mention for the package, up to a number of them, spread over all. */
static size_t check_package(struct fixture *f, const struct json_vec *records, struct str ecosystem, struct str name,
                            size_t *ret_asked)
{
        static const char *const kinds[] = { "introduced", "fixed", "last_affected" };
        VEC(struct str) versions = { 0 };
        size_t found = 0;
        for (size_t i = 0; i < records->n; i++) {
                const json_t *affected = json_object_get(records->v[i], "affected");
                for (size_t k = 0; k < json_array_size(affected); k++) {
                        const json_t *one = json_array_get(affected, k), *ranges = json_object_get(one, "ranges");
                        const json_t *listed = json_object_get(one, "versions");
                        for (size_t m = 0; m < json_array_size(listed); m += 7)
                                *vec_push(&versions) = json_str(json_array_get(listed, m));
                        for (size_t r = 0; r < json_array_size(ranges); r++) {
                                const json_t *events = json_object_get(json_array_get(ranges, r), "events");
                                for (size_t e = 0; e < json_array_size(events); e++)
                                        for (size_t m = 0; m < ARRAY_SIZE(kinds); m++)
                                                if (json_member(json_array_get(events, e), kinds[m]).n)
                                                        *vec_push(&versions) =
                                                                json_member(json_array_get(events, e), kinds[m]);
                        }
                }
        }
        size_t step = versions.n / VERSIONS_MAX + 1;
        for (size_t i = 0; i < versions.n; i += step) {
                char more[1024];
                found += check_version(f, records, ecosystem, name, versions.v[i]);
                snprintf(more, sizeof(more), "%.*s.1", STR_FMT(versions.v[i]));
                found += check_version(f, records, ecosystem, name, str_of(more));
                *ret_asked += 2;
        }
        vec_done(&versions);
        return found;
}

static void check_feed(const char *feed)
{
        char path[4096];
        struct error err = ERROR_NONE;
        struct fixture f = { 0 };
        struct json_vec records = { 0 };
        if (!feed_path(feed, path)) {
                print_message("# no %s\n", path);
                skip();
        }
        struct fixture_sink sink = { { fixture_put }, &f, NULL };
        struct db_feed name = { .name = str_of(feed) };
        struct db_builder *b = db_builder_new(true);
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        sink.to = db_builder_sink(b);
        db_builder_feed(b, &name);
        if (import_run(NULL, fd, feed, &sink.sink, &err) < 0)
                fail_msg("%s", err.text);
        fixture_open(&f, b);
        db_builder_free(b);
        load_records(path, &records);
        assert_int_equal(f.feed.records + f.feed.skipped, records.n);

        size_t asked = 0, found = 0, packages = 0;
        for (size_t i = 0; i < records.n; i += records.n / PACKAGES_SAMPLED + 1) {
                const json_t *package =
                        json_object_get(json_array_get(json_object_get(records.v[i], "affected"), 0), "package");
                struct str ecosystem = json_member(package, "ecosystem"), what = json_member(package, "name");
                struct json_vec about = { 0 };
                for (size_t k = 0; k < records.n && what.n; k++) {
                        const json_t *affected = json_object_get(records.v[k], "affected");
                        for (size_t m = 0; m < json_array_size(affected); m++)
                                if (is_package(json_array_get(affected, m), ecosystem, what)) {
                                        *vec_push(&about) = records.v[k];
                                        break;
                                }
                }
                if (about.n && version_scheme_find(ecosystem)) {
                        found += check_package(&f, &about, ecosystem, what, &asked);
                        packages++;
                }
                vec_done(&about);
        }
        print_message("# %s: %zu packages, %zu versions asked, %zu matches\n", feed, packages, asked, found);
        assert_true(packages > 15 && found > asked / 20);
        for (size_t i = 0; i < records.n; i++)
                json_decref(records.v[i]);
        vec_done(&records);
        fixture_done(&f);
}

static void test_go(void **state) { check_feed("go"); }
static void test_pypi(void **state) { check_feed("pypi"); }
static void test_npm(void **state) { check_feed("npm"); }
static void test_maven(void **state) { check_feed("maven"); }
static void test_crates(void **state) { check_feed("crates"); }
static void test_bitnami(void **state) { check_feed("bitnami"); }

int main(void)
{
        cmocka_set_message_output(CM_OUTPUT_TAP);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_go),    cmocka_unit_test(test_pypi),   cmocka_unit_test(test_npm),
                cmocka_unit_test(test_maven), cmocka_unit_test(test_crates), cmocka_unit_test(test_bitnami),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
