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

#endif
