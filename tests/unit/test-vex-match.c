/* Which VEX statement applies to what: a table of cases, each as exact as the next. */
#include "intel/vex-match.h"
#include "intel/vex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define D1    "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2    "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define D9    "sha256:9999999999999999999999999999999999999999999999999999999999999999"
#define IMAGE "pkg:oci/web@sha256%3A1111111111111111111111111111111111111111111111111111111111111111"
#define OTHER "pkg:oci/web@sha256%3A9999999999999999999999999999999999999999999999999999999999999999"
#define CURL  "pkg:deb/debian/libcurl4@7.74.0-1?arch=amd64&distro=debian-11&upstream=curl"

static struct str_list list_of(const char *const *texts, struct str *v)
{
        size_t n = 0;
        for (; texts[n]; n++)
                v[n] = str_of(texts[n]);
        return (struct str_list){ v, n };
}

static const struct vex_artefact *artefact(void)
{
        static struct str digests[] = { STR(D1), STR(D2) };
        static struct str references[] = { STR("registry.example:5000/team/web:1.2"), STR("nginx:1.27") };
        static const struct vex_artefact a = { .digests = { digests, 2 },
                                               .references = { references, 2 },
                                               .arch = STR("amd64"),
                                               .os_cpe = STR("cpe:/o:redhat:enterprise_linux:9.4") };
        return &a;
}

struct match_case {
        const char *product[4], *subcomponent[4], *status, *vague;
        enum vex_match match;
};

#define NOT "not_affected"

static const struct match_case cases[] = {
        /* the package alone */
        { { CURL }, { 0 }, NOT, "", VEX_MATCH },
        { { "pkg:deb/debian/libcurl4" }, { 0 }, NOT, "", VEX_MATCH },
        { { "pkg:deb/debian/libcurl4@7.74.0-1" }, { 0 }, "fixed", "", VEX_MATCH },
        { { "pkg:deb/debian/libcurl4" }, { 0 }, "fixed", "", VEX_VAGUE },
        { { "pkg:deb/debian/libcurl4@7.74.0-2" }, { 0 }, NOT, "", VEX_NO_MATCH },
        { { "pkg:deb/debian/curl" }, { 0 }, NOT, "", VEX_NO_MATCH },
        { { "pkg:deb/debian/curl?arch=source" }, { 0 }, NOT, "", VEX_MATCH },
        { { "pkg:deb/debian/curl@7.74.0-1+b1?arch=source" }, { 0 }, NOT, "", VEX_MATCH },
        { { "pkg:deb/debian/curl@7.74.0-1?arch=source" }, { 0 }, NOT, "", VEX_NO_MATCH },
        { { "pkg:deb/debian/curl?arch=source&distro=debian-12" }, { 0 }, NOT, "", VEX_NO_MATCH },
        { { "pkg:deb/debian/curl?arch=src" }, { 0 }, NOT, "", VEX_NO_MATCH },
        { { "pkg:deb/debian/nothing", "pkg:deb/debian/libcurl4" }, { 0 }, NOT, "", VEX_MATCH },
        { { "pkg:deb/debian/libcurl4", D9 }, { 0 }, NOT, "", VEX_MATCH }, /* the digest is that of its file */
        { { "libcurl4" }, { 0 }, NOT, "", VEX_VAGUE },
        { { "pkg:deb/debian/libcurl4" }, { 0 }, NOT, "a range", VEX_VAGUE },
        { { "pkg:deb/debian/other" }, { 0 }, NOT, "a range", VEX_NO_MATCH },
        { { "pkg:deb/debian/libcurl4%" }, { 0 }, NOT, "", VEX_NO_MATCH },
        { { 0 }, { 0 }, NOT, "", VEX_NO_MATCH },
        /* the image alone */
        { { IMAGE }, { 0 }, NOT, "", VEX_MATCH },
        { { IMAGE }, { 0 }, "fixed", "", VEX_MATCH },
        { { OTHER }, { 0 }, NOT, "", VEX_NO_MATCH },
        { { D2 }, { 0 }, NOT, "", VEX_MATCH },
        { { D9 }, { 0 }, NOT, "", VEX_NO_MATCH },
        { { D9, D1 }, { 0 }, NOT, "", VEX_MATCH },
        { { "registry.example:5000/team/web@" D1 }, { 0 }, NOT, "", VEX_MATCH },
        { { "registry.example:5000/team/web:1.2@" D9 }, { 0 }, NOT, "", VEX_NO_MATCH },
        /* the image and the package */
        { { IMAGE }, { CURL }, NOT, "", VEX_MATCH },
        { { IMAGE }, { "pkg:deb/debian/libcurl4" }, "fixed", "", VEX_MATCH },
        { { IMAGE }, { "pkg:deb/debian/curl?arch=source" }, NOT, "", VEX_MATCH },
        { { IMAGE }, { "pkg:deb/debian/openssl" }, NOT, "", VEX_NO_MATCH },
        { { OTHER }, { CURL }, NOT, "", VEX_NO_MATCH },
        { { IMAGE, "My web" }, { CURL }, NOT, "", VEX_MATCH },
        { { OTHER, "nginx:1.27" }, { CURL }, NOT, "", VEX_NO_MATCH }, /* a digest decides */
        { { IMAGE }, { "libcurl4" }, NOT, "", VEX_VAGUE },
        { { "pkg:deb/debian/nginx" }, { CURL }, NOT, "", VEX_NO_MATCH }, /* about nginx, not about curl */
        { { "My web" }, { CURL }, NOT, "", VEX_VAGUE },
        { { "My web" }, { "pkg:deb/debian/openssl" }, NOT, "", VEX_NO_MATCH },
        { { 0 }, { CURL }, NOT, "", VEX_NO_MATCH },
        /* images by name */
        { { "pkg:oci/web" }, { CURL }, NOT, "", VEX_VAGUE },
        { { "pkg:oci/web?repository_url=registry.example:5000/team/web" }, { CURL }, NOT, "", VEX_MATCH },
        { { "pkg:oci/web?repository_url=registry.example:5000/team" }, { CURL }, NOT, "", VEX_MATCH },
        { { "pkg:oci/web?repository_url=registry.example:5000/team/web&tag=1.2" }, { CURL }, NOT, "", VEX_MATCH },
        { { "pkg:oci/web?repository_url=registry.example:5000/team/web&tag=1.3" }, { CURL }, NOT, "", VEX_NO_MATCH },
        { { "pkg:oci/web?repository_url=registry.example:5000/team/web&arch=arm64" }, { 0 }, NOT, "", VEX_NO_MATCH },
        { { "pkg:oci/web?repository_url=other.example/team/web" }, { CURL }, NOT, "", VEX_NO_MATCH },
        { { "pkg:docker/nginx@1.27" }, { CURL }, NOT, "", VEX_MATCH },
        { { "pkg:docker/library/nginx" }, { CURL }, NOT, "", VEX_MATCH },
        { { "pkg:docker/nginx@1.28" }, { CURL }, NOT, "", VEX_NO_MATCH },
        { { "pkg:docker/team/web@1.2?repository_url=registry.example:5000" }, { CURL }, NOT, "", VEX_MATCH },
        { { "docker.io/library/nginx" }, { CURL }, NOT, "", VEX_MATCH },
        { { "index.docker.io/library/nginx:1.27" }, { CURL }, NOT, "", VEX_MATCH },
        { { "nginx:1.26" }, { CURL }, NOT, "", VEX_VAGUE },
        /* systems */
        { { "cpe:/o:redhat:enterprise_linux:9" }, { CURL }, NOT, "", VEX_MATCH },
        { { "cpe:/a:redhat:enterprise_linux:9::appstream" }, { CURL }, NOT, "", VEX_MATCH },
        { { "cpe:2.3:o:redhat:enterprise_linux:9.4:*:*:*:*:*:*:*" }, { CURL }, NOT, "", VEX_MATCH },
        { { "cpe:2.3:o:redhat:enterprise_linux:*:*:*:*:*:*:*:*" }, { CURL }, NOT, "", VEX_MATCH },
        { { "cpe:/o:redhat:enterprise_linux:8" }, { CURL }, NOT, "", VEX_NO_MATCH },
        { { "cpe:/o:redhat:enterprise_linux:9.40" }, { CURL }, NOT, "", VEX_NO_MATCH },
        { { "cpe:/o:redhat:rhel_eus:9.4" }, { CURL }, NOT, "", VEX_NO_MATCH },
        { { "cpe:/o:redhat:enterprise_linux:9" }, { "pkg:deb/debian/libcurl4" }, "fixed", "", VEX_VAGUE },
        { { "cpe:/o:redhat:enterprise_linux:9" }, { CURL }, "fixed", "", VEX_MATCH },
};

static void test_applies(void **state)
{
        const struct vex_package p = { STR(CURL), STR("curl"), STR("7.74.0-1+b1") };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct str product[4], subcomponent[4], why = STR_NONE;
                struct fact_vex s = { .status = str_of(cases[i].status),
                                      .product = list_of(cases[i].product, product),
                                      .subcomponent = list_of(cases[i].subcomponent, subcomponent),
                                      .vague = str_of(cases[i].vague) };
                enum vex_match match = vex_applies(&s, artefact(), &p, &why);
                if (match != cases[i].match)
                        fail_msg("case %zu: %s [%s] %s: %d instead of %d (%.*s)", i, cases[i].product[0],
                                 cases[i].subcomponent[0], cases[i].status, match, cases[i].match, STR_FMT(why));
                assert_true(match != VEX_VAGUE || why.n);
        }
}

/* An attestation binds a statement to its subjects, whatever the statement itself names. */
static void test_subjects(void **state)
{
        const struct vex_package p = { STR(CURL), STR("curl"), STR("7.74.0-1") };
        struct str product[] = { STR("pkg:deb/debian/libcurl4") }, subjects[] = { STR(D9), STR(D2) }, why = STR_NONE;
        struct fact_vex s = { .status = STR("not_affected"), .product = { product, 1 }, .subjects = { subjects, 2 } };
        assert_int_equal(vex_applies(&s, artefact(), &p, &why), VEX_MATCH);
        s.subjects.n = 1;
        assert_int_equal(vex_applies(&s, artefact(), &p, &why), VEX_NO_MATCH);
}

static void test_same_vulnerability(void **state)
{
        static const struct {
                const char *id, *aliases[3], *own_id, *cve, *own_aliases[3];
                bool same;
        } names[] = {
                { "CVE-2024-1", { 0 }, "CVE-2024-1", "CVE-2024-1", { 0 }, true },
                { "cve-2024-1", { 0 }, "DEBIAN-CVE-2024-1", "CVE-2024-1", { 0 }, true },
                { "CVE-2024-1", { 0 }, "CVE-2024-10", "CVE-2024-10", { 0 }, false },
                { "GHSA-aaaa", { 0 }, "GO-2024-1", "CVE-2024-1", { "GHSA-aaaa" }, true },
                { "GO-2024-1", { "CVE-2024-1" }, "GHSA-aaaa", "CVE-2024-1", { 0 }, true },
                { "GO-2024-1", { "GHSA-aaaa" }, "X", "CVE-2024-1", { "GHSA-aaaa" }, true },
                { "CVE-2024-2", { "GHSA-aaaa" }, "X", "CVE-2024-1", { "GHSA-aaaa" }, false },
                { "CVE-2024-2", { "CVE-2024-1" }, "X", "CVE-2024-1", { 0 }, true },
                { "CVE-2024-2", { "DLA-1-1" }, "X", "CVE-2024-1", { "DLA-1-1" }, false },
                { "GO-2024-1", { "DLA-1-1" }, "X", "CVE-2024-1", { "DLA-1-1" }, false },
                { "DLA-1-1", { 0 }, "X", "CVE-2024-1", { "DLA-1-1" }, true },
                { "", { 0 }, "", "", { 0 }, false },
        };
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct str aliases[3], own[3];
                struct fact_vex s = { .vulnerability = str_of(names[i].id),
                                      .aliases = list_of(names[i].aliases, aliases) };
                struct vex_vulnerability v = { str_of(names[i].own_id), str_of(names[i].cve),
                                               list_of(names[i].own_aliases, own) };
                if (vex_same_vulnerability(&s, &v) != names[i].same)
                        fail_msg("case %zu: %s and %s", i, names[i].id, names[i].own_id);
        }
}

static void test_sets_aside(void **state)
{
        static const bool aside[VEX_STATUSES] = { [VEX_NOT_AFFECTED] = true, [VEX_FIXED] = true };
        for (size_t i = 0; i < VEX_STATUSES; i++) {
                struct fact_vex s = { .status = str_of(vex_status_name((enum vex_status)i)) };
                assert_int_equal(vex_sets_aside(&s), aside[i]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_applies),
                cmocka_unit_test(test_subjects),
                cmocka_unit_test(test_same_vulnerability),
                cmocka_unit_test(test_sets_aside),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
