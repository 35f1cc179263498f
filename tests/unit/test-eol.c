/* Until when releases are supported: the rows that are read by rules of their own, and the sense of the whole table. */
#include "base/date.h"
#include "intel/eol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct fact_os system_of(const char *id, const char *version, const char *name)
{
        return (struct fact_os){ .id = str_of(id), .version = str_of(version), .name = str_of(name) };
}

static void assert_day(int64_t t, const char *day)
{
        char text[DATE_TEXT_MAX];
        assert_string_equal(date_day(t, text), day);
}

static void test_rows(void **state)
{
        static const struct {
                const char *id, *version, *name, *release, *ends, *standard, *paid;
        } cases[] = {
                { "debian", "11", "", "Debian 11 (bullseye)", "2026-08-31", "2024-08-14", "2031-06-30" },
                { "debian", "11.7", "", "Debian 11 (bullseye)", "2026-08-31", "2024-08-14", "2031-06-30" },
                { "debian", "", "Debian GNU/Linux trixie/sid", "Debian testing or unstable", "", "", "" },
                { "ubuntu", "22.04", "", "Ubuntu 22.04 LTS (jammy)", "2027-06-01", "2027-06-01", "2034-04-25" },
                { "ubuntu", "23.10", "", "Ubuntu 23.10 (mantic)", "2024-07-11", "2024-07-11", "" },
                { "alpine", "3.18.4", "", "Alpine 3.18", "2025-05-09", "2025-05-09", "" },
                { "alpine", "3.21_alpha20240807", "Alpine Linux edge", "Alpine edge", "", "", "" },
                { "rhel", "8.9", "", "Red Hat Enterprise Linux 8", "2029-05-31", "2029-05-31", "2032-05-31" },
                { "centos", "8", "CentOS Linux 8", "CentOS Linux 8", "2021-12-31", "2021-12-31", "" },
                { "centos", "8", "CentOS Stream 8", "CentOS Stream 8", "2024-05-31", "2024-05-31", "" },
                { "amzn", "2", "", "Amazon Linux 2", "2026-06-30", "2026-06-30", "" },
                { "amzn", "2023", "", "Amazon Linux 2023", "2029-06-30", "2029-06-30", "" },
                { "wolfi", "20230201", "", "Wolfi", "", "", "" },
                { "arch", "", "", "Arch Linux", "", "", "" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct fact_os os = system_of(cases[i].id, cases[i].version, cases[i].name);
                struct eol e;
                assert_true(eol_find(&os, &e));
                assert_true(str_is(e.release, cases[i].release));
                assert_day(e.ends, cases[i].ends);
                assert_day(e.ends_standard, cases[i].standard);
                assert_day(e.ends_paid, cases[i].paid);
        }
}

static void test_successors(void **state)
{
        static const struct {
                const char *id, *version, *successor;
        } cases[] = {
                { "debian", "11", "Debian 13 (trixie)" }, { "debian", "13", "" }, { "centos", "7", "CentOS Stream 10" },
                { "mariner", "2.0", "Azure Linux 3.0" },  { "debian", "", "" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct fact_os os = system_of(cases[i].id, cases[i].version, "");
                struct eol e;
                assert_true(eol_find(&os, &e));
                assert_true(str_is(e.successor, cases[i].successor));
        }
}

static void test_unknown(void **state)
{
        static const char *const cases[][2] = { { "debian", "99" },  { "debian", "1" }, { "debian", "111" },
                                                { "debian", "11x" }, { "", "" },        { "linux", "" },
                                                { "ubuntu", "22" },  { "ubuntu", "" },  { "Debian", "11" },
                                                { "alpine", "" },    { "amzn", "20" } };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct fact_os os = system_of(cases[i][0], cases[i][1], "");
                struct eol e;
                assert_false(eol_find(&os, &e));
        }
}

/* True if this machine's distro-info-data is the one that the table was made from. */
static bool has_same_distro_info(void)
{
        char version[128] = "";
        FILE *f = popen("dpkg-query -W -f '${Version}' distro-info-data 2>/dev/null", "r");
        assert_non_null(f);
        size_t n = fread(version, 1, sizeof(version) - 1, f);
        pclose(f);
        return n > 0 && strstr(eol_table_source(), version);
}

/* Every release of distro-info's own table, read here a second time, has the days that it says. */
static void test_distro_info(void **state)
{
        FILE *f = has_same_distro_info() ? fopen("/usr/share/distro-info/debian.csv", "r") : NULL;
        char line[512];
        unsigned n = 0;
        if (!f)
                skip();
        while (fgets(line, sizeof(line), f)) {
                struct str rest = str_trim(str_of(line)), column[8] = { 0 };
                for (size_t i = 0; i < ARRAY_SIZE(column) && rest.p; i++)
                        column[i] = str_cut(&rest, ',');
                struct fact_os os = { .id = STR("debian"), .version = column[0] };
                struct eol e;
                int64_t lts;
                if (column[0].n == 0 || !date_parse(column[6], &lts) || !eol_find(&os, &e))
                        continue;
                assert_true(e.ends == lts);
                n++;
        }
        fclose(f);
        assert_true(n >= 6);
}

static void test_date(void **state)
{
        int64_t t;
        assert_true(date_parse(STR("2026-01-01"), &t));
        assert_true(eol_table_date() > t);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),        cmocka_unit_test(test_successors), cmocka_unit_test(test_unknown),
                cmocka_unit_test(test_distro_info), cmocka_unit_test(test_date),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
