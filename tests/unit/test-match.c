/* Under which ecosystem, name and version a feed knows an installed package. */
#include "intel/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_ecosystems(void **state)
{
        static const struct {
                const char *id, *version, *name, *ecosystem;
        } cases[] = {
                { "debian", "11", "", "Debian:11" },
                { "debian", "11.7", "", "Debian:11" },
                { "debian", "", "Debian GNU/Linux trixie/sid", "" },
                { "raspbian", "11", "", "" },
                { "kali", "2024.1", "", "" },
                { "ubuntu", "22.04", "", "Ubuntu:22.04:LTS" },
                { "ubuntu", "23.04", "", "Ubuntu:23.04" },
                { "ubuntu", "23.10", "", "Ubuntu:23.10" },
                { "ubuntu", "14.04.6", "", "Ubuntu:14.04:LTS" },
                { "ubuntu", "22", "", "" },
                { "alpine", "3.18.4", "", "Alpine:v3.18" },
                { "alpine", "3.21_alpha20240807", "Alpine Linux edge", "" },
                { "almalinux", "9.4", "", "AlmaLinux:9" },
                { "rocky", "8.10", "", "Rocky Linux:8" },
                { "rhel", "9.4", "", "Red Hat:enterprise_linux:9" },
                { "centos", "7", "", "" },
                { "sles", "15.5", "SUSE Linux Enterprise Server 15 SP5", "SUSE:Linux Enterprise Server 15 SP5" },
                { "opensuse-leap", "15.5", "openSUSE Leap 15.5", "openSUSE:Leap 15.5" },
                { "opensuse-tumbleweed", "20240101", "openSUSE Tumbleweed", "openSUSE:Tumbleweed" },
                { "sles", "15.5", "", "" },
                { "photon", "5.0", "", "Photon OS:5.0" },
                { "azurelinux", "3.0", "", "Azure Linux:3" },
                { "mariner", "2.0", "", "Azure Linux:2" },
                { "wolfi", "20230201", "", "Wolfi" },
                { "chainguard", "20230201", "", "Chainguard" },
                { "amzn", "2023", "", "Amazon Linux:2023" },
                { "amzn", "2018.03", "", "Amazon Linux:2018.03" },
                { "ol", "8.9", "", "Oracle Linux:8" },
                { "", "", "", "" },
                { "debian", "x", "", "" },
                { "debian", "11x", "", "" },
                { "debian", "99999999999999999999999", "", "" },
                { "ubuntu", ".", "", "" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct arena arena = ARENA_INIT;
                struct fact_os os = { .id = str_of(cases[i].id),
                                      .version = str_of(cases[i].version),
                                      .name = str_of(cases[i].name) };
                struct str got = os_ecosystem(&os, &arena);
                if (!str_is(got, cases[i].ecosystem))
                        fail_msg("%s %s: \"%.*s\"", cases[i].id, cases[i].version, STR_FMT(got));
                arena_done(&arena);
        }
}

/* A derivative's packages are not its parent's. */
static void test_id_like(void **state)
{
        struct arena arena = ARENA_INIT;
        struct str like[] = { STR("debian") };
        struct fact_os os = { .id = STR("mylinux"), .id_like = { like, 1 }, .version = STR("12") };
        assert_int_equal(os_ecosystem(&os, &arena).n, 0);
        arena_done(&arena);
}

static void test_queries(void **state)
{
        static const struct {
                const char *id, *version, *type, *name, *package_version, *source, *source_version;
                const char *asked_name, *asked_version; /* NULL: nothing can be asked */
        } cases[] = {
                { "debian", "12", "deb", "libssl3", "3.0.11-1+b1", "openssl", "3.0.11-1", "openssl", "3.0.11-1" },
                { "debian", "12", "deb", "bash", "5.2", "", "", "bash", "5.2" },
                { "debian", "12", "deb", "linux-image-6.1.0-21-amd64", "6.1.90-1", "linux-signed-amd64", "6.1.90+1",
                  "linux", "6.1.90-1" },
                { "debian", "11", "deb", "linux-image-6.1-amd64", "6.1.90-1~deb11u1", "linux-signed-6.1-amd64",
                  "6.1.90+1~deb11u1", "linux-6.1", "6.1.90-1~deb11u1" },
                { "debian", "12", "rpm", "bash", "5.2", "", "", NULL, NULL },
                { "debian", "", "deb", "bash", "5.2", "", "", NULL, NULL },
                { "debian", "12", "deb", "bash", "", "", "", NULL, NULL },
                { "alpine", "3.18.4", "apk", "libcrypto3", "3.1.4-r5", "openssl", "3.1.4-r5", "openssl", "3.1.4-r5" },
                { "rhel", "9.4", "rpm", "openssl-libs", "1:3.0.7-27.el9", "openssl", "3.0.7-27.el9", "openssl-libs",
                  "1:3.0.7-27.el9" },
                { "rocky", "9.4", "rpm", "openssl-libs", "1:3.0.7-27.el9", "openssl", "3.0.7-27.el9", "openssl",
                  "1:3.0.7-27.el9" },
                { "rocky", "9.4", "rpm", "bash", "5.1-1.el9", "bash", "5.1-1.el9", "bash", "5.1-1.el9" },
                { "centos", "7", "rpm", "bash", "5.1-1.el9", "bash", "5.1-1.el9", NULL, NULL },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct arena arena = ARENA_INIT;
                struct fact_os os = { .id = str_of(cases[i].id), .version = str_of(cases[i].version) };
                struct fact_package p = {
                        .type = str_of(cases[i].type),
                        .name = str_of(cases[i].name),
                        .version = str_of(cases[i].package_version),
                        .source = str_of(cases[i].source),
                        .source_version = str_of(cases[i].source_version),
                };
                struct db_query q = { 0 };
                assert_int_equal(package_query(&os, &p, &arena, &q), cases[i].asked_name != NULL);
                if (cases[i].asked_name) {
                        assert_true(str_is(q.name, cases[i].asked_name));
                        assert_true(str_is(q.version, cases[i].asked_version));
                        assert_true(str_eq(q.ecosystem, os_ecosystem(&os, &arena)));
                }
                arena_done(&arena);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ecosystems),
                cmocka_unit_test(test_id_like),
                cmocka_unit_test(test_queries),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
