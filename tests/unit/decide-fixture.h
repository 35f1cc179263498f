/* Random artefacts, findings and waivers, and policies out of text, for the tests of the decision flow. */
#ifndef TESTS_DECIDE_FIXTURE_H
#define TESTS_DECIDE_FIXTURE_H

#include "decide/decide.h"

#include <stdlib.h>

#define TODAY    (INT64_C(20600) * 86400)
#define DAY      INT64_C(86400)
#define N_RANDOM 24

struct dice {
        uint64_t state;
};

static inline uint64_t roll(struct dice *d, uint64_t n) /* 0 .. n-1 */
{
        d->state = d->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (d->state >> 33) % n;
}

static inline int by_bytes(struct str a, struct str b) { return str_cmp(a, b); }

/* A finding with all that it points to. Filled in place: its parts point at each other. */
struct random_finding {
        struct subject_finding f;
        struct fact_vulnerability v;
        struct fact_package package;
        struct subject_package packages[1];
        struct subject_layer layer;
        struct subject_file file;
        char id[32];
};

static inline struct str one_of(struct dice *d, const char *const *words, size_t n)
{
        return str_of(words[roll(d, n)]);
}
#define ONE_OF(d, ...)                                                                                                 \
        one_of(d, (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static inline void random_finding(struct dice *d, struct random_finding *x)
{
        *x = (struct random_finding){ 0 };
        struct subject_finding *f = &x->f;
        snprintf(x->id, sizeof(x->id), "CVE-2024-%u", (unsigned)roll(d, 12));
        f->kind = ONE_OF(d, "vulnerability", "vulnerability", "vulnerability", "end-of-life", "unsupported", "unread",
                         "modified", "mismatch", "malware", "secret", "misconfiguration", "stale-data");
        f->severity = (enum severity)roll(d, SEVERITY_CRITICAL + 1);
        f->id = f->kind;
        f->path = ONE_OF(d, "var/lib/dpkg/status", "opt/app/x", "opt/app/lib/y", "");
        x->layer = (struct subject_layer){ .number = 1 + roll(d, 3), .in_base = (enum answer)roll(d, 3) };
        f->layer = &x->layer;
        if (str_is(f->kind, "secret"))
                f->secret_confidence = ONE_OF(d, "low", "medium", "high");
        if (str_is(f->kind, "modified")) {
                x->file.is_executable = roll(d, 2);
                f->file = &x->file;
        }
        if (!str_is(f->kind, "vulnerability"))
                return;
        x->v = (struct fact_vulnerability){ .id = str_of(x->id),
                                            .cve = str_of(x->id),
                                            .severity = f->severity,
                                            .kev = roll(d, 8) ? 0 : TODAY,
                                            .epss = roll(d, 3) ? roll(d, 100001) : 0,
                                            .malicious = roll(d, 16) == 0,
                                            .published = TODAY - (int64_t)roll(d, 1000) * DAY,
                                            .cvss_vector = ONE_OF(d, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                                                                  "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H",
                                                                  "AV:N/AC:L/Au:N/C:P/I:P/A:P", ""),
                                            .fixed = ONE_OF(d, "", "2.0", "3.0"),
                                            .installed = STR("1.0"),
                                            .matched_name = ONE_OF(d, "openssl", "curl", "zlib") };
        f->id = str_of(x->id);
        f->fix = x->v.fixed;
        f->vulnerability = &x->v;
        f->order = by_bytes;
        x->package = (struct fact_package){ .type = STR("deb"),
                                            .name = ONE_OF(d, "libssl3", "curl", "zlib1g"),
                                            .version = STR("1.0"),
                                            .source = x->v.matched_name };
        x->packages[0] = (struct subject_package){ &x->package, STR("pkg:deb/debian/x@1.0"), &x->layer };
        f->packages = x->packages;
        f->n_packages = 1;
}

static inline struct subject_artefact random_artefact(struct dice *d)
{
        return (struct subject_artefact){ .now = TODAY,
                                          .name = STR("shop/web:1.2"),
                                          .registry = STR("docker.io"),
                                          .repository = STR("shop/web"),
                                          .tag = ONE_OF(d, "latest", "1.2"),
                                          .digest = STR("sha256:aa"),
                                          .image_id = STR("sha256:bb"),
                                          .is_reference = true,
                                          .by_digest = roll(d, 2),
                                          .eol = roll(d, 2) ? TODAY - DAY : TODAY + 40 * DAY,
                                          .is_complete = true,
                                          .unknown_executables = roll(d, 30),
                                          .data_date = TODAY - (int64_t)roll(d, 60) * DAY };
}

/* Compiles, or fails the test with the problems. */
static inline struct policy *policy_of(const struct policy_file *files, size_t n, const struct waiver *waivers,
                                       size_t n_waivers)
{
        struct policy_input in = { STR("test"), files, n, waivers, n_waivers };
        struct policy *p = NULL;
        struct problems problems = { 0 };
        if (policy_compile(&in, &p, &problems) != 0) {
                struct buf text = BUF_INIT(1 << 20);
                for (size_t i = 0; i < problems.n; i++) {
                        problem_print(&problems.v[i], &text);
                        buf_putc(&text, '\n');
                }
                print_error("%s", text.p ? text.p : "no problem was told");
                buf_done(&text);
                fail();
        }
        problems_done(&problems);
        return p;
}

static inline struct policy *policy_of_text(const char *text)
{
        const struct policy_file file = { STR("test.yaml"), str_of(text) };
        return policy_of(&file, 1, NULL, 0);
}

struct outcome {
        enum rule_action action;
        size_t rule, waiver, doubtful;
        enum waiver_doubt doubt;
        size_t n_hits;
};

/* Decides all; order[i] is the finding that comes as the i-th. True if denied. */
static inline bool decide_all(const struct policy *p, const struct subject_artefact *a, enum stage stage,
                              const struct random_finding *v, const size_t *order, size_t n, struct outcome *ret)
{
        static struct str controls[] = { STR("waf:1") };
        struct decider *d = decider_new(p, a, stage, (struct str_list){ controls, 1 });
        const uint32_t *rules;
        bool denied = false;
        size_t n_rules = decider_artefact(d, &rules);
        for (size_t i = 0; i < n_rules; i++) {
                struct subject_finding f = { .kind = STR("artefact"),
                                             .id = STR("some-rule"),
                                             .severity = SEVERITY_LOW };
                struct decision x;
                decider_finding(d, &f, rules[i], &x);
                denied = denied || (action_denies(x.action) && x.waiver == DECIDE_NONE);
        }
        for (size_t i = 0; i < n; i++) {
                size_t k = order ? order[i] : i;
                struct decision x;
                decider_finding(d, &v[k].f, DECIDE_NONE, &x);
                ret[k] = (struct outcome){ x.action, x.rule, x.waiver, x.doubtful, x.doubt, x.n_hits };
                denied = denied || (action_denies(x.action) && x.waiver == DECIDE_NONE);
        }
        decider_free(d);
        return denied;
}

static inline void shuffle(struct dice *d, size_t *order, size_t n)
{
        for (size_t i = 0; i < n; i++)
                order[i] = i;
        for (size_t i = n; i > 1; i--) {
                size_t k = roll(d, i), x = order[i - 1];
                order[i - 1] = order[k];
                order[k] = x;
        }
}

static inline struct waiver random_waiver(struct dice *d, unsigned number, char id[static 32])
{
        snprintf(id, 32, "W-%u", number);
        struct waiver w = {
                .id = str_of(id),
                .finding = roll(d, 2) ? ONE_OF(d, "CVE-2024-1", "cve-2024-2", "CVE-2024-3", "malware") : STR_NONE,
                .owner = ONE_OF(d, "alice", "it's bob"),
                .requester = ONE_OF(d, "alice", "carol"),
                .approver = ONE_OF(d, "", "Alice", "bob"),
                .reason = ONE_OF(d, "not reachable", "it's: \"quoted\" # not a comment", "- {a: b}", "äöü"),
                .response = ONE_OF(d, "accept", "mitigate", "replace"),
                .control = ONE_OF(d, "waf:1", "waf:2"),
                .scope = { .digest = ONE_OF(d, "", "", "sha256:aa", "sha256:cc"),
                           .repository = ONE_OF(d, "", "", "shop/web", "docker.io/shop/web", "web"),
                           .package = ONE_OF(d, "", "", "openssl", "curl"),
                           .path = ONE_OF(d, "", "", "", "/opt/app/", "opt/app/x") },
                .ends_on = { .fix = roll(d, 3) == 0,
                             .kev = roll(d, 3) == 0,
                             .exposed = roll(d, 4) == 0,
                             .control_gone = roll(d, 4) == 0,
                             .epss = roll(d, 3) ? 0 : 1 + roll(d, 100000) },
                .created = TODAY - (int64_t)roll(d, 40) * DAY,
                .expires = TODAY + ((int64_t)roll(d, 60) - 10) * DAY + (int64_t)(roll(d, 2) ? 0 : roll(d, 86400)),
                .place = { .file = STR("w.yaml"), .line = 1 },
                .condition_place = { .file = STR("w.yaml"), .line = 1, .column = 1 },
                .is_from_file = true,
        };
        if (!w.finding.n || roll(d, 3) == 0)
                w.condition = ONE_OF(d, "vuln.severity <= medium", "package.name in (curl, libssl3)",
                                     "not vuln.kev = true", "finding.kind = \"secret\" or finding.kind = 'modified'",
                                     "vuln.published_age > 30d and vuln.epss < 0.3");
        return w;
}

#endif
