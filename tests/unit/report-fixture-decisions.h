/* What was decided about the findings of report-fixture.h, which includes this and has the hostile words. */
#ifndef TESTS_REPORT_FIXTURE_DECISIONS_H
#define TESTS_REPORT_FIXTURE_DECISIONS_H

#include "report/report.h"

static const struct reason_part fixture_parts[] = {
        { 0, true, STR("all of"), { NULL, 0 } },
        { 1, true, STR("vuln.severity >= high"), STR("critical") },
        { 1, true, STR("vuln.fixable = true"), STR("true") },
        { 1, false, STR("image.labels[" HOSTILE_HTML "] exists"), STR(HOSTILE_LINES) },
};

static const struct finding_reason fixture_reasons[] = {
        { STR("Serious vulnerability with a fix"), STR("default.yaml:24"), STR("deny"), true, fixture_parts, 4 },
        { STR("Anything at all " HOSTILE_ESCAPE), STR("mine.yaml:9"), STR("warn"), false, NULL, 0 },
};

static const struct report_waiver fixture_waivers[] = {
        { .id = STR("W-7"),
          .place = STR("ledger"),
          .covers = STR("CVE-2023-0465"),
          .scope = STR("repo:shop/web package:openssl"),
          .owner = STR("web team"),
          .approver = STR("bob"),
          .reason = STR("Policy checks are off " HOSTILE_HTML),
          .response = STR("mitigate"),
          .control = STR("waf:9301"),
          .until = STR("2026-12-31"),
          .n_covered = 1 },
        { .id = STR("W-2026-1"),
          .place = STR("waivers.yaml:3"),
          .covers = STR("CVE-2023-38545"),
          .owner = STR(HOSTILE_ESCAPE),
          .reason = STR(HOSTILE_BIDI),
          .response = STR("accept"),
          .until = STR("2026-12-31"),
          .n_doubtful = 1,
          .doubt = STR("a fix has been published"),
          .ended_by = STR("fix") },
};

static const size_t fixture_hits_fixable[] = { 0, 1, 2, 3, 4, 5 }, fixture_hits_eol[] = { 7 },
                    fixture_hits_modified[] = { 11 };

static struct str fixture_tags_fixable[] = { STR("NIST-800-190:4.1.1"), STR("T1190") };

const struct rule_hit fixture_rules[3] = {
        { .name = STR("Serious vulnerability with a fix"),
          .place = STR("default.yaml:24"),
          .action = STR("deny"),
          .response = STR("update"),
          .why = STR("It is serious and costs no more than an update."),
          .fix = STR("Update the package and build the image again."),
          .tags = { fixture_tags_fixable, 2 },
          .denies = true,
          .findings = fixture_hits_fixable,
          .n_findings = ARRAY_SIZE(fixture_hits_fixable) },
        { .name = STR("Operating system without support"),
          .place = STR("default.yaml:60"),
          .action = STR("deny"),
          .denies = true,
          .findings = fixture_hits_eol,
          .n_findings = 1 },
        { .name = STR("Changed files of packages"),
          .place = STR("mine.yaml:3"),
          .action = STR("warn"),
          .why = STR(HOSTILE_HTML),
          .findings = fixture_hits_modified,
          .n_findings = 1 },
};

#endif
