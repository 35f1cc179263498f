/* decide/record.c: every field of fields-policy.def has an answer or says why not, and the answers are right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "decide-fixture.h"

static void test_every_field_has_an_answer(void **state)
{
        for (size_t i = 0; i < FIELDS; i++) {
                const struct field *f = &fields[i];
                if (f->stages & STAGES_POLICY && !f->missing && !field_has_getter(f->id))
                        fail_msg("%s is said to be delivered, and nobody does", f->name);
                if (!(f->stages & STAGES_POLICY) && field_has_getter(f->id))
                        fail_msg("%s is of another source", f->name);
                bool is_of_artefact = !strncmp(f->name, "image.", 6) || !strncmp(f->name, "os.", 3) ||
                                      !strncmp(f->name, "data.", 5) ||
                                      (!strncmp(f->name, "coverage.", 9) && f->id != FIELD_coverage_reason);
                if (field_has_getter(f->id) && field_is_of_artefact(f->id) != is_of_artefact)
                        fail_msg("%s: whose is it?", f->name);
        }
}

/* Whether a condition is true of a finding of this artefact. */
static bool is_true(const char *condition, const struct subject_artefact *a, const struct subject_finding *f)
{
        char text[1024];
        snprintf(text, sizeof(text), "- rule: R\n  desc: x\n  condition: >\n    %s\n  action: deny\n", condition);
        struct policy *p = policy_of_text(text);
        struct subject s;
        const uint32_t *hits;
        subject_init(&s, a);
        struct rule_eval *e = rule_eval_new(policy_rules(p));
        struct record r = subject_record(&s, f);
        size_t n = rule_eval(e, &r, STAGE_SCAN, &hits);
        rule_eval_free(e);
        subject_done(&s);
        policy_free(p);
        return n == 1;
}

struct answers {
        const char *condition;
        bool is_true;
};

static void check_all(const struct answers *v, size_t n, const struct subject_artefact *a,
                      const struct subject_finding *f)
{
        for (size_t i = 0; i < n; i++)
                if (is_true(v[i].condition, a, f) != v[i].is_true)
                        fail_msg("%s is %s", v[i].condition, v[i].is_true ? "false" : "true");
}

static struct str list_of(struct str_list *l, struct str *v, size_t n)
{
        *l = (struct str_list){ v, n };
        return v[0];
}

static void test_artefact(void **state)
{
        struct str labels[] = { STR("a=1"), STR("a.b/c=x=y"), STR("empty=") };
        struct str env[] = { STR("PATH=/bin"), STR("TOKEN=x"), STR("LONE") },
                   ports[] = { STR("22/tcp"), STR("80/tcp") };
        struct fact_image image = { .user = STR("0:1000"), .arch = STR("arm64"), .created = TODAY - 200 * DAY };
        struct fact_os os = { .id = STR("debian"), .version = STR("11"), .codename = STR("bullseye") };
        list_of(&image.labels, labels, 3);
        list_of(&image.env, env, 3);
        list_of(&image.ports, ports, 2);
        struct subject_artefact a = { .now = TODAY,
                                      .image = &image,
                                      .os = &os,
                                      .os_order = by_bytes,
                                      .eol = TODAY + DAY,
                                      .tag = STR("latest"),
                                      .is_reference = true,
                                      .n_layers = 3,
                                      .size = 12,
                                      .data_date = TODAY - 3 * DAY,
                                      .kev_date = TODAY - 9 * DAY,
                                      .is_complete = true };
        static const struct answers answers[] = {
                { "image.labels[a] = 1", true },
                { "image.labels[a.b/c] = \"x=y\"", true },
                { "image.labels[empty] = \"\"", true },
                { "image.labels[none] exists", false },
                { "image.env[PATH] = /bin", true },
                { "image.env[LONE] exists", false },
                { "image.env_names intersects (LONE, NONE)", true },
                { "image.ports intersects (22/tcp)", true },
                { "image.ports intersects (443/tcp)", false },
                { "image.runs_as_root = true", true },
                { "image.user = \"0:1000\"", true },
                { "image.age > 199d and image.age < 201d", true },
                { "image.healthcheck = false", true },
                { "image.by_digest = false", true },
                { "image.signed exists", false },
                { "image.registry exists", false },
                { "os.is_eol = false and os.eol_in > 23h and os.eol_in <= 1d", true },
                { "os.version >= 10", true },
                { "data.age >= 3d and data.age < 4d", true },
                { "data.kev_age > 8d", true },
                { "coverage.complete = true", true },
                { "finding.kind exists", false },
                { "not finding.severity = high", true },
                { "vuln.id exists or package.name exists or file.path exists or layer.number exists", false },
        };
        check_all(answers, ARRAY_SIZE(answers), &a, NULL);
        static const struct {
                const char *user;
                bool root;
        } users[] = { { "", true },      { "root", true }, { "root:adm", true }, { "0", true },      { "00", true },
                      { "1000", false }, { "app", false }, { "rooty", false },   { "1000:0", false } };
        for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
                image.user = str_of(users[i].user);
                assert_int_equal(is_true("image.runs_as_root = true", &a, NULL), users[i].root);
        }
        a.image = NULL; /* a directory: nothing is known of an image */
        assert_false(is_true("image.runs_as_root exists or image.age exists or image.ports exists", &a, NULL));
        a.eol = TODAY;
        assert_true(is_true("os.is_eol = true and os.eol_in <= 0s", &a, NULL));
}

static void test_vulnerability(void **state)
{
        struct str aliases[] = { STR("GHSA-1"), STR("DSA-2") };
        struct fact_vulnerability v = { .id = STR("DSA-2"),
                                        .cve = STR("CVE-1"),
                                        .severity = SEVERITY_HIGH,
                                        .cvss_score = 75,
                                        .cvss_vector = STR("CVSS:3.1/AV:N/AC:H/PR:L/UI:R/S:C/C:H/I:L/A:N"),
                                        .epss = 12345,
                                        .kev = TODAY - DAY,
                                        .published = TODAY - 40 * DAY,
                                        .fixed = STR("2.0"),
                                        .installed = STR("1.0"),
                                        .matched_name = STR("openssl") };
        struct fact_package one = { .name = STR("libssl3"),
                                    .type = STR("deb"),
                                    .version = STR("1.0"),
                                    .source = STR("openssl") },
                            two = { .name = STR("openssl"), .type = STR("deb"), .version = STR("1.0") };
        struct subject_layer base = { .number = 1, .in_base = ANSWER_YES }, own = { .number = 4, .in_base = ANSWER_NO };
        struct subject_package packages[] = { { &one, STR("pkg:deb/a"), &base }, { &two, STR("pkg:deb/b"), &base } };
        struct subject_finding f = { .kind = STR("vulnerability"),
                                     .id = STR("CVE-1"),
                                     .severity = SEVERITY_HIGH,
                                     .fix = STR("2.0"),
                                     .path = STR("var/lib/dpkg/status"),
                                     .vulnerability = &v,
                                     .order = by_bytes,
                                     .packages = packages,
                                     .n_packages = 2,
                                     .layer = &own,
                                     .first_seen = TODAY - 5 * DAY };
        struct subject_artefact a = { .now = TODAY };
        list_of(&f.aliases, aliases, 2);
        static const struct answers answers[] = {
                { "vuln.id = CVE-1 and finding.id = CVE-1", true },
                { "vuln.aliases intersects (GHSA-1) and finding.aliases intersects (DSA-2)", true },
                { "vuln.severity >= high and vuln.severity < critical", true },
                { "vuln.cvss.av = N and vuln.cvss.ac = H and vuln.cvss.pr = L and vuln.cvss.ui = R", true },
                { "vuln.cvss.s = C and vuln.cvss.c = H and vuln.cvss.i = L and vuln.cvss.a = N", true },
                { "vuln.cvss.version = 3.1", true },
                { "vuln.cvss.at exists", false },
                { "vuln.cvss.score >= 7.5 and vuln.cvss.score < 7.6", true },
                { "vuln.epss > 0.1234 and vuln.epss < 0.1235", true },
                { "vuln.epss_percentile exists", false },
                { "vuln.kev = true and vuln.kev_date exists", true },
                { "vuln.malicious = false and vuln.ransomware = false", true },
                { "vuln.published_age > 30d and vuln.published_age <= 40d", true },
                { "finding.first_seen_age = 5d", true },
                { "vuln.fixable = true and finding.fixable = true", true },
                { "vuln.fixed_version > 1.9", true },
                { "package.name = libssl3", true },
                { "package.name = openssl", true },
                { "package.name != libssl3", false },
                { "package.name in (curl, openssl)", true },
                { "package.purl = \"pkg:deb/b\"", true },
                { "package.source = openssl", true },
                { "package.in_base = true and package.layer = 1", true },
                { "layer.in_base = false and layer.number = 4", true },
                { "finding.path = /var/lib/dpkg/status", true },
                { "file.path exists or secret.type exists or package.loaded exists", false },
        };
        check_all(answers, ARRAY_SIZE(answers), &a, &f);
        v.cvss_vector = STR("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:N/SC:N/SI:N/SA:N");
        assert_true(is_true("vuln.cvss.at = P and vuln.cvss.c = H and vuln.cvss.i = L and vuln.cvss.a = N", &a, &f));
        v.cvss_vector = STR("AV:N/AC:M/Au:N/C:P/I:P/A:C");
        assert_true(is_true("vuln.cvss.version = 2.0 and vuln.cvss.ac = M and vuln.cvss.a = C", &a, &f));
        v.cvss_vector = STR("////:::/AV");
        assert_false(is_true("vuln.cvss.av = N", &a, &f));
        v.severity = SEVERITY_UNKNOWN;
        assert_true(is_true("vuln.severity = unknown and vuln.severity < none", &a, &f));
        base.in_base = ANSWER_UNKNOWN;
        assert_false(is_true("package.in_base exists", &a, &f));
        v.published = INT64_MIN; /* dates that nobody means */
        assert_true(is_true("vuln.published_age > 30d", &a, &f));
}

static void test_file(void **state)
{
        struct subject_file file = { .path = STR("usr/bin/sudo"),
                                     .format = STR("elf"),
                                     .state = STR("modified"),
                                     .size = 9,
                                     .mode = 04755,
                                     .is_executable = true,
                                     .has_attributes = true };
        struct subject_finding f = { .kind = STR("modified"), .id = STR("modified"), .path = file.path, .file = &file };
        struct subject_artefact a = { .now = TODAY };
        assert_true(is_true("file.path = /usr/bin/sudo and file.name = sudo and file.size = 9 and file.setuid = true",
                            &a, &f));
        assert_true(is_true("file.setgid = false and file.uid = 0 and file.executable = true and file.format = elf", &a,
                            &f));
        file.has_attributes = false;
        assert_false(is_true("file.setuid exists or file.mode exists or file.uid exists", &a, &f));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_field_has_an_answer),
                cmocka_unit_test(test_artefact),
                cmocka_unit_test(test_vulnerability),
                cmocka_unit_test(test_file),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
