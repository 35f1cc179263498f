/* What a file of the system says it is. The texts are those of real releases, shortened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "collect.h"

extern const struct analyzer analyzer_os_release;

static void test_files(void **state)
{
        static const struct {
                const char *path, *text, *id, *version, *codename, *name, *cpe;
        } cases[] = {
                { "etc/os-release",
                  "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n"
                  "VERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n",
                  "debian", "12", "bookworm", "Debian GNU/Linux 12 (bookworm)", "" },
                { "usr/lib/os-release",
                  "PRETTY_NAME=\"Debian GNU/Linux trixie/sid\"\nVERSION_CODENAME=trixie\nID=debian\n", "debian", "",
                  "trixie", "Debian GNU/Linux trixie/sid", "" },
                { "etc/os-release",
                  "PRETTY_NAME=\"Debian GNU/Linux 8 (jessie)\"\nVERSION_ID=\"8\"\nVERSION=\"8 (jessie)\"\nID=Debian\n",
                  "debian", "8", "jessie", "Debian GNU/Linux 8 (jessie)", "" },
                { "usr/lib/os-release",
                  "NAME=\"Red Hat Enterprise Linux\"\nID=\"rhel\"\nVERSION_ID=\"9.4\"\nVERSION=\"9.4 (Plow)\"\n"
                  "CPE_NAME=\"cpe:/o:redhat:enterprise_linux:9::baseos\"\n",
                  "rhel", "9.4", "plow", "Red Hat Enterprise Linux", "cpe:/o:redhat:enterprise_linux:9::baseos" },
                { "etc/os-release", "NAME=x\nno assignment here\nVERSION_ID=1\n", "linux", "1", "", "x", "" },
                { "etc/debian_version", "11.7\n", "debian", "11.7", "", "", "" },
                { "etc/debian_version", "trixie/sid\n", "debian", "", "trixie", "", "" },
                { "etc/alpine-release", "3.18.4\n", "alpine", "3.18.4", "", "", "" },
                { "etc/lsb-release",
                  "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=14.04\nDISTRIB_CODENAME=trusty\n"
                  "DISTRIB_DESCRIPTION=\"Ubuntu 14.04.6 LTS\"\n",
                  "ubuntu", "14.04", "trusty", "Ubuntu 14.04.6 LTS", "" },
                { "etc/redhat-release", "CentOS release 6.10 (Final)\n", "centos", "6.10", "final",
                  "CentOS release 6.10 (Final)", "" },
                { "etc/centos-release", "CentOS Linux release 7.9.2009 (Core)\n", "centos", "7.9.2009", "core",
                  "CentOS Linux release 7.9.2009 (Core)", "" },
                { "etc/oracle-release", "Oracle Linux Server release 8.9\n", "ol", "8.9", "",
                  "Oracle Linux Server release 8.9", "" },
                { "etc/SuSE-release", "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\n", "sles", "11", "",
                  "SUSE Linux Enterprise Server 11 (x86_64)", "" },
                { "etc/system-release", "Amazon Linux release 2 (Karoo)\n", "amzn", "2", "karoo",
                  "Amazon Linux release 2 (Karoo)", "" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct collect c = { 0 };
                collect_run(&c, &analyzer_os_release, cases[i].path, str_of(cases[i].text));
                assert_int_equal(c.os.n, 1);
                assert_int_equal(c.unread.n, i == 4);
                assert_str(c.os.v[0].id, cases[i].id);
                assert_str(c.os.v[0].version, cases[i].version);
                assert_str(c.os.v[0].codename, cases[i].codename);
                assert_str(c.os.v[0].name, cases[i].name);
                assert_str(c.os.v[0].cpe, cases[i].cpe);
                assert_str(c.os.v[0].path, cases[i].path);
                collect_done(&c);
        }
}

static void test_id_like(void **state)
{
        struct collect c = { 0 };
        collect_run(&c, &analyzer_os_release, "etc/os-release", STR("ID=rocky\nID_LIKE=\"rhel  CentOS fedora\"\n"));
        assert_int_equal(c.os.v[0].id_like.n, 3);
        assert_str(c.os.v[0].id_like.v[0], "rhel");
        assert_str(c.os.v[0].id_like.v[1], "centos");
        assert_str(c.os.v[0].id_like.v[2], "fedora");
        collect_done(&c);
}

static void test_nothing(void **state)
{
        static const struct {
                const char *path, *text;
        } cases[] = {
                { "etc/os-release", "" },           { "etc/os-release", "# nothing\n" }, { "etc/debian_version", "\n" },
                { "etc/alpine-release", "edge\n" }, { "etc/redhat-release", "Mine\n" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct collect c = { 0 };
                collect_run(&c, &analyzer_os_release, cases[i].path, str_of(cases[i].text));
                assert_int_equal(c.os.n, 0);
                assert_int_equal(c.unread.n, 1);
                assert_str(c.unread.v[0].code, "corrupt");
                collect_done(&c);
        }
}

static void test_torture(void **state)
{
        collect_torture(&analyzer_os_release, "etc/os-release",
                        STR("# x\nID='debian'\nVERSION_ID=\"12\\\"\"\nVERSION=\"12 (bookworm)\"\nID_LIKE=a b\n"));
        collect_torture(&analyzer_os_release, "etc/redhat-release", STR("CentOS Linux release 7.9.2009 (Core)\n"));
        collect_torture(&analyzer_os_release, "etc/debian_version", STR("trixie/sid\n"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_files),
                cmocka_unit_test(test_id_like),
                cmocka_unit_test(test_nothing),
                cmocka_unit_test(test_torture),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
