/* flow/view: layers merged as a container sees them. Layers are made here as the facts that workers send. */
#include "flow/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct fixture {
        struct layers layers;
        struct arena arena;
        struct view view;
        char log[8192]; /* one line an entry: layer path state[ deleted_by] */
};

static void begin(struct fixture *x, size_t n)
{
        *x = (struct fixture){ .layers = { .v = xcalloc(n, sizeof(struct layer_facts)), .n = n } };
        for (size_t i = 0; i < n; i++) {
                spool_init(&x->layers.v[i].files, 128); /* so small that it spills */
                spool_init(&x->layers.v[i].owned, 128);
        }
}

static void end(struct fixture *x)
{
        layers_done(&x->layers);
        arena_done(&x->arena);
}

static void put(struct spool *to, enum fact_kind kind, const void *fact)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(SPOOL_RECORD_MAX);
        fact_encode(kind, fact, &b);
        assert_int_equal(spool_add(to, buf_str(&b)), 0);
}

static void file(struct fixture *x, size_t layer, enum file_type type, const char *path, const char *md5)
{
        struct fact_file f = { .path = str_of(path), .type = type, .md5 = str_of(md5), .mode = 0644 };
        put(&x->layers.v[layer].files, FACT_file, &f);
}

static void linked(struct fixture *x, size_t layer, enum file_type type, const char *path, const char *to)
{
        struct fact_file f = { .path = str_of(path), .type = type, .link = str_of(to) };
        put(&x->layers.v[layer].files, FACT_file, &f);
}

static void package(struct fixture *x, size_t layer, const char *database, const char *name, const char *version)
{
        *vec_push(&x->layers.v[layer].packages) = (struct fact_package){
                .type = STR("deb"), .name = str_of(name), .version = str_of(version), .database = str_of(database)
        };
}

static void owned(struct fixture *x, size_t layer, const char *package_name, const char *path, const char *md5,
                  bool config)
{
        char database[128];
        snprintf(database, sizeof(database), "var/lib/dpkg/info/%s.md5sums", package_name);
        struct fact_owned o = { .package = str_of(package_name),
                                .path = str_of(path),
                                .algorithm = STR("md5"),
                                .digest = str_of(md5),
                                .config = config,
                                .database = str_of(database) };
        struct layer_facts *l = &x->layers.v[layer];
        *vec_push(&l->databases) = arena_str(&l->arena, o.database);
        put(&l->owned, FACT_owned, &o);
}

static int log_entry(void *arg, const struct ledger_entry *e)
{
        struct fixture *x = arg;
        size_t n = strlen(x->log);
        if (e->deleted_by == NONE)
                snprintf(x->log + n, sizeof(x->log) - n, "%zu %.*s %s\n", e->layer, STR_FMT(e->file->path),
                         file_state_name(e->state));
        else
                snprintf(x->log + n, sizeof(x->log) - n, "%zu %.*s deleted by %zu\n", e->layer, STR_FMT(e->file->path),
                         e->deleted_by);
        return 0;
}

static const char *merged(struct fixture *x)
{
        struct ledger ledger = { .entry = log_entry, .arg = x };
        struct error err = ERROR_NONE;
        assert_int_equal(view_make(&x->layers, &x->arena, &ledger, NULL, &x->view, &err), 0);
        return x->log;
}

static void a_whiteout_deletes_from_below_only(void **state)
{
        struct fixture x;
        begin(&x, 3);
        file(&x, 0, FILE_REGULAR, "etc/motd", "");
        file(&x, 0, FILE_REGULAR, "etc/issue", "");
        file(&x, 1, FILE_WHITEOUT, "etc/motd", "");
        file(&x, 2, FILE_REGULAR, "etc/motd", "");
        assert_string_equal(merged(&x), "0 etc/motd deleted by 1\n0 etc/issue unknown\n2 etc/motd unknown\n");
        assert_int_equal(x.view.coverage.deleted, 1);
        assert_int_equal(x.view.coverage.total, 2);
        end(&x);
}

static void a_whiteout_beside_its_own_file_keeps_the_file(void **state)
{
        struct fixture x;
        begin(&x, 2);
        file(&x, 0, FILE_REGULAR, "a/x", "");
        file(&x, 1, FILE_WHITEOUT, "a/x", "");
        file(&x, 1, FILE_REGULAR, "a/x", "");
        assert_string_equal(merged(&x), "0 a/x deleted by 1\n1 a/x unknown\n");
        end(&x);
}

static void a_directory_goes_with_all_that_is_below(void **state)
{
        struct fixture x;
        begin(&x, 2);
        file(&x, 0, FILE_REGULAR, "srv/app/deep/er/file", "");
        file(&x, 0, FILE_REGULAR, "srv/app2", "");
        file(&x, 1, FILE_WHITEOUT, "srv/app", "");
        assert_string_equal(merged(&x), "0 srv/app/deep/er/file deleted by 1\n0 srv/app2 unknown\n");
        end(&x);
}

static void an_opaque_directory_hides_older_content_but_not_its_own(void **state)
{
        struct fixture x;
        begin(&x, 3);
        file(&x, 0, FILE_REGULAR, "d/old", "");
        file(&x, 1, FILE_DIRECTORY, "d", "");
        file(&x, 1, FILE_OPAQUE, "d", "");
        file(&x, 1, FILE_REGULAR, "d/new", "");
        file(&x, 2, FILE_REGULAR, "d/newer", "");
        assert_string_equal(merged(&x), "0 d/old deleted by 1\n1 d/new unknown\n2 d/newer unknown\n");
        end(&x);
}

static void an_opaque_root_hides_everything(void **state)
{
        struct fixture x;
        begin(&x, 2);
        file(&x, 0, FILE_REGULAR, "a", "");
        file(&x, 0, FILE_REGULAR, "b/c", "");
        file(&x, 1, FILE_OPAQUE, "", "");
        assert_string_equal(merged(&x), "0 a deleted by 1\n0 b/c deleted by 1\n");
        end(&x);
}

static void a_cover_above_holds_over_one_between(void **state)
{
        struct fixture x;
        begin(&x, 4);
        file(&x, 0, FILE_REGULAR, "d/x", "");
        file(&x, 1, FILE_OPAQUE, "d", "");
        file(&x, 1, FILE_REGULAR, "d/y", "");
        file(&x, 3, FILE_WHITEOUT, "d", "");
        assert_string_equal(merged(&x), "0 d/x deleted by 1\n1 d/y deleted by 3\n");
        end(&x);
}

static void a_file_replaces_a_directory(void **state)
{
        struct fixture x;
        begin(&x, 2);
        file(&x, 0, FILE_DIRECTORY, "opt/thing", "");
        file(&x, 0, FILE_REGULAR, "opt/thing/inside", "");
        linked(&x, 1, FILE_SYMLINK, "opt/thing", "/srv");
        assert_string_equal(merged(&x), "0 opt/thing/inside deleted by 1\n1 opt/thing unknown\n");
        end(&x);
}

static void the_last_of_equal_names_in_a_layer_stays(void **state)
{
        for (size_t layer = 0; layer < 2; layer++) {
                struct fixture x;
                begin(&x, 2);
                file(&x, layer, FILE_REGULAR, "bin/sh", "first");
                file(&x, layer, FILE_REGULAR, "bin/ls", "");
                file(&x, layer, FILE_REGULAR, "bin/sh", "last");
                const char *expected[] = { "0 bin/sh deleted by 0\n0 bin/ls unknown\n0 bin/sh unknown\n",
                                           "1 bin/sh deleted by 1\n1 bin/ls unknown\n1 bin/sh unknown\n" };
                assert_string_equal(merged(&x), expected[layer]);
                end(&x);
        }
}

static void files_are_verified_modified_or_configured(void **state)
{
        struct fixture x;
        begin(&x, 1);
        file(&x, 0, FILE_REGULAR, "var/lib/dpkg/status", "");
        file(&x, 0, FILE_REGULAR, "var/lib/dpkg/info/dash.md5sums", "");
        package(&x, 0, "var/lib/dpkg/status", "dash", "1");
        linked(&x, 0, FILE_SYMLINK, "bin", "usr/bin");
        owned(&x, 0, "dash", "bin/dash", "0123456789abcdef", false);
        owned(&x, 0, "dash", "usr/bin/other", "0123456789abcdef", false);
        owned(&x, 0, "dash", "etc/dash.conf", "0123456789abcdef", true);
        owned(&x, 0, "dash", "usr/share/doc/gone", "0123456789abcdef", false);
        owned(&x, 0, "dash", "usr/bin/twin", "0123456789abcdef", false);
        file(&x, 0, FILE_REGULAR, "usr/bin/dash", "0123456789abcdef");
        file(&x, 0, FILE_REGULAR, "usr/bin/other", "fedcba9876543210");
        file(&x, 0, FILE_REGULAR, "etc/dash.conf", "fedcba9876543210");
        linked(&x, 0, FILE_HARDLINK, "usr/bin/twin", "usr/bin/dash");
        assert_string_equal(merged(&x), "0 var/lib/dpkg/status database\n0 var/lib/dpkg/info/dash.md5sums database\n"
                                        "0 bin unknown\n0 usr/bin/dash verified\n0 usr/bin/other modified\n"
                                        "0 etc/dash.conf owned\n0 usr/bin/twin verified\n");
        assert_int_equal(x.view.n_packages, 1);
        assert_int_equal(x.view.packages[0].files, 4);
        assert_int_equal(x.view.packages[0].files_modified, 1);
        assert_int_equal(x.view.packages[0].files_missing, 1);
        assert_int_equal(x.view.coverage.n_modified, 1);
        end(&x);
}

static void a_rewritten_database_counts_and_layers_keep_their_packages(void **state)
{
        struct fixture x;
        begin(&x, 3);
        for (size_t k = 0; k < 3; k++)
                file(&x, k, FILE_REGULAR, "var/lib/dpkg/status", "");
        package(&x, 0, "var/lib/dpkg/status", "libc6", "1");
        package(&x, 0, "var/lib/dpkg/status", "removed", "1");
        package(&x, 1, "var/lib/dpkg/status", "libc6", "1");
        package(&x, 1, "var/lib/dpkg/status", "nginx", "1");
        package(&x, 2, "var/lib/dpkg/status", "libc6", "2");
        package(&x, 2, "var/lib/dpkg/status", "nginx", "1");
        (void)merged(&x);
        assert_int_equal(x.view.n_packages, 2);
        for (size_t i = 0; i < 2; i++)
                assert_int_equal(x.view.packages[i].layer, str_is(x.view.packages[i].p.name, "libc6") ? 2 : 1);
        end(&x);
}

static void a_deleted_database_says_nothing(void **state)
{
        struct fixture x;
        begin(&x, 2);
        file(&x, 0, FILE_REGULAR, "var/lib/dpkg/status", "");
        package(&x, 0, "var/lib/dpkg/status", "libc6", "1");
        *vec_push(&x.layers.v[0].os) = (struct fact_os){ .id = STR("debian"), .path = STR("etc/os-release") };
        file(&x, 0, FILE_REGULAR, "etc/os-release", "");
        file(&x, 1, FILE_WHITEOUT, "var", "");
        (void)merged(&x);
        assert_int_equal(x.view.n_packages, 0);
        assert_true(x.view.has_os);
        end(&x);
}

static void samples_are_the_first_by_path_and_counts_are_exact(void **state)
{
        struct fixture x;
        begin(&x, 1);
        for (int i = 9999; i >= 0; i--) {
                char path[32];
                snprintf(path, sizeof(path), "opt/x%04d", i);
                struct fact_file f = { .path = str_of(path), .type = FILE_REGULAR, .format = FORMAT_ELF, .mode = 0755 };
                put(&x.layers.v[0].files, FACT_file, &f);
        }
        assert_int_equal(view_make(&x.layers, &x.arena, NULL, NULL, &x.view, NULL), 0);
        assert_int_equal(x.view.coverage.total_unknown_executables, 10000);
        assert_int_equal(x.view.coverage.n_unknown_executables, VIEW_SAMPLE_MAX);
        assert_true(str_is(x.view.coverage.unknown_executables[0].path, "opt/x0000"));
        assert_true(str_is(x.view.coverage.unknown_executables[VIEW_SAMPLE_MAX - 1].path, "opt/x0999"));
        end(&x);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_whiteout_deletes_from_below_only),
                cmocka_unit_test(a_whiteout_beside_its_own_file_keeps_the_file),
                cmocka_unit_test(a_directory_goes_with_all_that_is_below),
                cmocka_unit_test(an_opaque_directory_hides_older_content_but_not_its_own),
                cmocka_unit_test(an_opaque_root_hides_everything),
                cmocka_unit_test(a_cover_above_holds_over_one_between),
                cmocka_unit_test(a_file_replaces_a_directory),
                cmocka_unit_test(the_last_of_equal_names_in_a_layer_stays),
                cmocka_unit_test(files_are_verified_modified_or_configured),
                cmocka_unit_test(a_rewritten_database_counts_and_layers_keep_their_packages),
                cmocka_unit_test(a_deleted_database_says_nothing),
                cmocka_unit_test(samples_are_the_first_by_path_and_counts_are_exact),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
