/* Package URLs: the parts, the spellings of the types, and what covers what. */
#include "intel/purl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct arena arena;

static void test_parts(void **state)
{
        static const struct {
                const char *purl, *type, *namespace, *name, *version, *subpath;
        } cases[] = {
                { "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie", "deb", "debian", "curl", "7.50.3-1", "" },
                { "pkg:npm/%40angular/animation@12.3.1", "npm", "@angular", "animation", "12.3.1", "" },
                { "pkg:npm/@angular/animation", "npm", "@angular", "animation", "", "" },
                { "pkg:golang/google.golang.org/genproto#googleapis/api/annotations", "golang", "google.golang.org",
                  "genproto", "", "googleapis/api/annotations" },
                { "PKG:deb/x", "", "", "", "", "" },
                { "pkg:GitHub/Package-URL/purl-Spec@244fd47e#/a//./../b/", "github", "package-url", "purl-spec",
                  "244fd47e", "a/b" },
                { "pkg://PyPI/Django_allauth@1.0", "pypi", "", "django-allauth", "1.0", "" },
                { "pkg:oci/Debian@sha256%3A244f?repository_url=ghcr.io%2Fdebian", "oci", "", "debian", "sha256:244f",
                  "" },
                { "pkg:maven/org.apache/Commons@1.0", "maven", "org.apache", "Commons", "1.0", "" },
                { "pkg:rpm/redhat/Openssl@1:3.0-2?arch=src", "rpm", "rhel", "Openssl", "3.0-2", "" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct purl p = { 0 };
                if (purl_parse(str_of(cases[i].purl), &arena, &p) != (*cases[i].type != 0))
                        fail_msg("%s", cases[i].purl);
                if (!str_is(p.type, cases[i].type) || !str_is(p.namespace, cases[i].namespace) ||
                    !str_is(p.name, cases[i].name) || !str_is(p.version, cases[i].version) ||
                    !str_is(p.subpath, cases[i].subpath))
                        fail_msg("%s: %.*s %.*s %.*s %.*s %.*s", cases[i].purl, STR_FMT(p.type), STR_FMT(p.namespace),
                                 STR_FMT(p.name), STR_FMT(p.version), STR_FMT(p.subpath));
        }
        arena_done(&arena);
}

static void test_malformed(void **state)
{
        static const char *const cases[] = {
                "",
                "pkg:",
                "pkg:deb",
                "pkg:deb/",
                "pkg:/x",
                "pkg:1deb/x",
                "pkg:d eb/x",
                "deb/debian/curl",
                "pkg:deb/debian/curl@1%",
                "pkg:deb/debian/curl@1%4",
                "pkg:deb/debian/curl@%zz",
                "pkg:deb/debian/curl?arch=a&arch=b",
                "pkg:deb/debian/curl?a!=b",
                "pkg:rpm/x/y@1:2?epoch=2",
        };
        struct purl p;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                if (purl_parse(str_of(cases[i]), &arena, &p))
                        fail_msg("%s", cases[i]);
        char many[1024] = "pkg:deb/x?";
        for (char c = 'a'; c <= 'z'; c++)
                snprintf(many + strlen(many), sizeof(many) - strlen(many), "%c=1&%c%c=1&", c, c, c);
        assert_false(purl_parse(str_of(many), &arena, &p));
        arena_done(&arena);
}

static void test_covers(void **state)
{
        static const struct {
                const char *wanted, *found;
                bool covers;
        } cases[] = {
                { "pkg:deb/debian/curl", "pkg:deb/debian/curl@1?arch=amd64&distro=debian-11", true },
                { "pkg:deb/debian/curl@1", "pkg:deb/debian/curl@1?arch=amd64", true },
                { "pkg:deb/debian/curl@1", "pkg:deb/debian/curl@1-1", false },
                { "pkg:deb/debian/curl@1%2B1", "pkg:deb/debian/curl@1+1", true },
                { "pkg:deb/debian/CURL", "pkg:deb/debian/curl@1", true },
                { "pkg:deb/curl", "pkg:deb/debian/curl@1", false },
                { "pkg:deb/ubuntu/curl", "pkg:deb/debian/curl@1", false },
                { "pkg:apk/debian/curl", "pkg:deb/debian/curl@1", false },
                { "pkg:deb/debian/curl?arch=arm64", "pkg:deb/debian/curl@1?arch=amd64", false },
                { "pkg:deb/debian/curl?ARCH=amd64", "pkg:deb/debian/curl@1?arch=amd64", true },
                { "pkg:deb/debian/curl?distro=debian-11&arch=amd64",
                  "pkg:deb/debian/curl@1?arch=amd64&distro=debian-11", true },
                { "pkg:deb/debian/curl?arch=amd64&x=y", "pkg:deb/debian/curl@1?arch=amd64", false },
                { "pkg:deb/debian/curl?x=", "pkg:deb/debian/curl@1", true },
                { "pkg:deb/debian/curl@1", "pkg:deb/debian/curl", false },
                { "pkg:maven/a/B", "pkg:maven/a/b", false },
                { "pkg:pypi/a_b", "pkg:pypi/A-B@1", true },
                { "pkg:golang/x/y#z", "pkg:golang/x/y", false },
                { "pkg:golang/x/y", "pkg:golang/x/y@1#z", true },
                { "pkg:rpm/redhat/a@1-1", "pkg:rpm/rhel/a@1-1?arch=x86_64", true },
                { "pkg:rpm/rhel/a@1-1", "pkg:rpm/rhel/a@1-1?epoch=1", false },
                { "pkg:rpm/rhel/a@0:1-1", "pkg:rpm/rhel/a@1-1", true },
                { "pkg:rpm/rhel/a@1-1?epoch=0", "pkg:rpm/rhel/a@1-1", true },
                { "pkg:rpm/rhel/a@1:1-1", "pkg:rpm/rhel/a@1-1?epoch=1&arch=noarch", true },
                { "pkg:rpm/rhel/a", "pkg:rpm/rhel/a@1-1?epoch=1", true },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct purl wanted, found;
                assert_true(purl_parse(str_of(cases[i].wanted), &arena, &wanted));
                assert_true(purl_parse(str_of(cases[i].found), &arena, &found));
                if (purl_covers(&wanted, &found) != cases[i].covers)
                        fail_msg("%s %s %s", cases[i].wanted, cases[i].covers ? "must cover" : "covers",
                                 cases[i].found);
                assert_true(purl_covers(&wanted, &wanted) && purl_covers(&found, &found));
        }
        arena_done(&arena);
}

static void test_with_version(void **state)
{
        static const struct {
                const char *purl, *version, *wanted;
        } cases[] = {
                { "pkg:deb/debian/a", "1:2+3", "pkg:deb/debian/a@1:2%2B3" },
                { "pkg:deb/debian/a@9?arch=amd64#x", "1", "pkg:deb/debian/a@1?arch=amd64#x" },
                { "pkg:npm/@scope/a?x=@", "1", "pkg:npm/@scope/a@1?x=@" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct str got = purl_with_version(str_of(cases[i].purl), str_of(cases[i].version), &arena);
                if (!str_is(got, cases[i].wanted))
                        fail_msg("%.*s", STR_FMT(got));
        }
        arena_done(&arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parts),
                cmocka_unit_test(test_malformed),
                cmocka_unit_test(test_covers),
                cmocka_unit_test(test_with_version),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
