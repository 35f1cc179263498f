/*
 * Two reports made by hand: a Debian 11 image with everything that a report can hold, hostile text included, and a
 * report of a scan that found nothing at all. The facts are real in kind; ids, digests and numbers are made up where
 * nothing depends on them.
 */
#ifndef TEST_REPORT_FIXTURE_H
#define TEST_REPORT_FIXTURE_H

#include "report/report.h"

#define DAY(days) ((int64_t)(days)*86400)
#define TODAY     DAY(20780) /* 2026-11-23 */

/* Text that tries to leave its place: terminal escapes, markup, a break of line, bytes that are no UTF-8, direction. */
#define HOSTILE_ESCAPE "evil\033[2J\033]0;owned\007tool"
#define HOSTILE_HTML   "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"
#define HOSTILE_BYTES  "caf\xe9-\xff\xfe\xc0\xaf"
#define HOSTILE_LINES                                                                                                  \
        "first\r\nsecond\x9b"                                                                                          \
        "31m\tthird"
#define HOSTILE_BIDI                                                                                                   \
        "gpj.\xe2\x80\xae"                                                                                             \
        "exe\xc2\x9b"                                                                                                  \
        "31m"

/* clang-format off */

static const struct report_layer fixture_layers[] = {
        { .digest = STR("sha256:1f0a6e5d2c3b4a5968778695a4b3c2d1e0f00112233445566778899aabbccdd1"),
          .diff_id = STR("sha256:a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f91"),
          .created_by = STR("/bin/sh -c #(nop) ADD file:1f0a6e5d2c in / "),
          .media_type = STR("application/vnd.oci.image.layer.v1.tar+gzip"),
          .created = DAY(20500) + 3600,
          .stored_size = 31420771,
          .size = 84123648,
          .files = 6121,
          .complete = true },
        { .digest = STR("sha256:2f0a6e5d2c3b4a5968778695a4b3c2d1e0f00112233445566778899aabbccdd2"),
          .diff_id = STR("sha256:b1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f92"),
          .created_by =
                  STR("RUN apt-get update && apt-get install -y --no-install-recommends nginx curl openssl git sudo "
                      "ca-certificates && rm -rf /var/lib/apt/lists/*"),
          .media_type = STR("application/vnd.oci.image.layer.v1.tar+gzip"),
          .created = DAY(20501) + 7200,
          .stored_size = 70123456,
          .size = 198754304,
          .files = 3270,
          .complete = true },
        { .digest = STR("sha256:3f0a6e5d2c3b4a5968778695a4b3c2d1e0f00112233445566778899aabbccdd3"),
          .diff_id = STR("sha256:c1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f93"),
          .created_by = STR("COPY " HOSTILE_HTML " /app # buildkit"),
          .media_type = STR("application/vnd.oci.image.layer.v1.tar+gzip"),
          .created = DAY(20502),
          .stored_size = 102400,
          .size = 307200,
          .files = 21,
          .complete = false },
};

#define FIXTURE_DEB(n, v, s, sv, ln)                                                                                   \
        {                                                                                                              \
                .p = { .type = STR("deb"),                                                                             \
                       .name = STR(n),                                                                                 \
                       .version = STR(v),                                                                              \
                       .arch = STR("amd64"),                                                                           \
                       .source = STR(s),                                                                               \
                       .source_version = STR(sv),                                                                      \
                       .database = STR("var/lib/dpkg/status"),                                                         \
                       .line = ln,                                                                                     \
                       .offset = ln * 40 },                                                                            \
                .purl = STR("pkg:deb/debian/" n "@" v "?arch=amd64&distro=debian-11"), .layer = 1, .files = 12         \
        }

static const struct report_package fixture_packages[] = {
        FIXTURE_DEB("curl", "7.74.0-1.3+deb11u7", "curl", "7.74.0-1.3+deb11u7", 310),
        FIXTURE_DEB("libc6", "2.31-13+deb11u6", "glibc", "2.31-13+deb11u6", 1204),
        FIXTURE_DEB("libcurl4", "7.74.0-1.3+deb11u7", "curl", "7.74.0-1.3+deb11u7", 1480),
        FIXTURE_DEB("libssl1.1", "1.1.1n-0+deb11u4", "openssl", "1.1.1n-0+deb11u4", 4112),
        FIXTURE_DEB("libxml2", "2.9.10+dfsg-6.7+deb11u4", "libxml2", "2.9.10+dfsg-6.7+deb11u4", 4560),
        FIXTURE_DEB("nginx-core", "1.18.0-6.1+deb11u3", "nginx", "1.18.0-6.1+deb11u3", 5120),
        FIXTURE_DEB("openssl", "1.1.1n-0+deb11u4", "openssl", "1.1.1n-0+deb11u4", 5377),
        { .p = { .type = STR("deb"),
                 .name = STR("sudo"),
                 .version = STR("1.9.5p2-3+deb11u1"),
                 .arch = STR("amd64"),
                 .source = STR("sudo"),
                 .source_version = STR("1.9.5p2-3+deb11u1"),
                 .database = STR("var/lib/dpkg/status"),
                 .line = 6012,
                 .offset = 240480 },
          .purl = STR("pkg:deb/debian/sudo@1.9.5p2-3+deb11u1?arch=amd64&distro=debian-11"),
          .licence = STR("ISC"),
          .layer = 1,
          .files = 214,
          .files_modified = 1 },
        FIXTURE_DEB("zlib1g", "1:1.2.11.dfsg-2+deb11u1", "zlib", "1:1.2.11.dfsg-2+deb11u1", 6800),
        { .p = { .type = STR("deb"),
                 .name = STR(HOSTILE_ESCAPE),
                 .version = STR(HOSTILE_BYTES),
                 .arch = STR(HOSTILE_BIDI),
                 .source = STR(HOSTILE_HTML),
                 .source_version = STR(HOSTILE_LINES),
                 .vendor = STR(HOSTILE_HTML),
                 .licence = STR(HOSTILE_HTML),
                 .database = STR("var/lib/dpkg/status.d/" HOSTILE_HTML),
                 .line = 1 },
          .purl = STR("pkg:deb/debian/openssl@1.1.1n-0+deb11u4?arch=amd64&distro=debian-11"), /* as another has */

          .licence = STR(HOSTILE_HTML),
          .layer = 2,
          .files = 3,
          .files_missing = 1,
          .files_modified = 1 },
};

static struct str fixture_aliases[] = { STR("DLA-3942-1"), STR("GHSA-4fc7-mvrr-wv2c") };

#define FIXTURE_VULN(cve_, sev, score, vec, ep, pct, name, from, to)                                                   \
        {                                                                                                              \
                .id = STR("DEBIAN-" cve_), .cve = STR(cve_), .severity = sev, .severity_source = STR("cvss-3.1"),      \
                .cvss_score = score, .cvss_vector = STR(vec), .epss = ep, .epss_percentile = pct,                      \
                .published = DAY(19900), .installed = STR(from), .fixed = STR(to), .introduced = STR("0"),             \
                .matched_name = STR(name), .ecosystem = STR("Debian:11"), .comparison = STR(from " < " to),            \
                .feed = STR("debian")                                                                                  \
        }

static const struct fact_vulnerability fixture_vulnerabilities[] = {
        { .id = STR("DEBIAN-CVE-2023-44487"),
          .cve = STR("CVE-2023-44487"),
          .severity = SEVERITY_HIGH,
          .severity_source = STR("cvss-3.1"),
          .cvss_score = 75,
          .cvss_vector = STR("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"),
          .epss = 94423,
          .epss_percentile = 99931,
          .kev = DAY(19640),
          .ransomware = false,
          .published = DAY(19640),
          .summary = STR("The HTTP/2 protocol lets a client reset many streams quickly (Rapid Reset)."),
          .installed = STR("1.18.0-6.1+deb11u3"),
          .introduced = STR("0"),
          .matched_name = STR("nginx"),
          .fixed = STR("1.18.0-6.1+deb11u4"),
          .ecosystem = STR("Debian:11"),
          .comparison = STR("1.18.0-6.1+deb11u3 < 1.18.0-6.1+deb11u4"),
          .feed = STR("debian") },
        { .id = STR("DEBIAN-CVE-2021-3156"),
          .cve = STR("CVE-2021-3156"),
          .severity = SEVERITY_HIGH,
          .severity_source = STR("cvss-3.1"),
          .cvss_score = 78,
          .cvss_vector = STR("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"),
          .epss = 92315,
          .epss_percentile = 99712,
          .kev = DAY(19088),
          .ransomware = true,
          .published = DAY(18653),
          .installed = STR("1.9.5p2-3+deb11u1"),
          .introduced = STR("0"),
          .matched_name = STR("sudo"),
          .fixed = STR("1.9.5p2-3+deb11u2"),
          .ecosystem = STR("Debian:11"),
          .comparison = STR("1.9.5p2-3+deb11u1 < 1.9.5p2-3+deb11u2"),
          .feed = STR("debian") },
        { .id = STR("DEBIAN-CVE-2024-5535"),
          .cve = STR("CVE-2024-5535"),
          .aliases = { fixture_aliases, ARRAY_SIZE(fixture_aliases) },
          .severity = SEVERITY_CRITICAL,
          .severity_source = STR("cvss-3.1"),
          .cvss_score = 91,
          .cvss_vector = STR("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:H"),
          .epss = 12345,
          .epss_percentile = 94123,
          .published = DAY(19901),
          .summary = STR("SSL_select_next_proto may read past the end of a buffer."),
          .installed = STR("1.1.1n-0+deb11u4"),
          .introduced = STR("0"),
          .matched_name = STR("openssl"),
          .fixed = STR("1.1.1w-0+deb11u2"),
          .ecosystem = STR("Debian:11"),
          .comparison = STR("1.1.1n-0+deb11u4 < 1.1.1w-0+deb11u2"),
          .feed = STR("debian") },
        FIXTURE_VULN("CVE-2023-38545", SEVERITY_CRITICAL, 98, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 26871,
                     96322, "curl", "7.74.0-1.3+deb11u7", "7.74.0-1.3+deb11u10"),
        FIXTURE_VULN("CVE-2023-4911", SEVERITY_HIGH, 78, "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 72210, 98771,
                     "glibc", "2.31-13+deb11u6", "2.31-13+deb11u7"),
        FIXTURE_VULN("CVE-2023-0286", SEVERITY_HIGH, 74, "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:H", 89023, 99410,
                     "openssl", "1.1.1n-0+deb11u4", "1.1.1w-0+deb11u1"),
        { .id = STR("DEBIAN-CVE-2024-25062"),
          .cve = STR("CVE-2024-25062"),
          .severity = SEVERITY_HIGH,
          .severity_source = STR("cvss-3.1"),
          .cvss_score = 75,
          .cvss_vector = STR("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"),
          .epss = 154,
          .epss_percentile = 31020,
          .published = DAY(19757),
          .installed = STR("2.9.10+dfsg-6.7+deb11u4"),
          .introduced = STR("0"),
          .matched_name = STR("libxml2"),
          .ecosystem = STR("Debian:11"),
          .comparison = STR("2.9.10+dfsg-6.7+deb11u4 >= 0, no fixed version is known"),
          .feed = STR("debian") },
        FIXTURE_VULN("CVE-2023-27535", SEVERITY_MEDIUM, 59, "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N", 402, 61200,
                     "curl", "7.74.0-1.3+deb11u7", "7.74.0-1.3+deb11u8"),
        FIXTURE_VULN("CVE-2023-5678", SEVERITY_MEDIUM, 53, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L", 2210, 84111,
                     "openssl", "1.1.1n-0+deb11u4", "1.1.1w-0+deb11u2"),
        FIXTURE_VULN("CVE-2022-37434", SEVERITY_LOW, 33, "AV:L/AC:M/Au:N/C:P/I:N/A:P", 0, 0, "zlib",
                     "1:1.2.11.dfsg-2+deb11u1", "1:1.2.11.dfsg-2+deb11u2"),
        { .id = STR("DEBIAN-CVE-2026-10001"),
          .cve = STR("CVE-2026-10001"),
          .severity = SEVERITY_UNKNOWN,
          .published = DAY(20770),
          .installed = STR("2.31-13+deb11u6"),
          .introduced = STR("0"),
          .matched_name = STR("glibc"),
          .ecosystem = STR("Debian:11"),
          .comparison = STR("2.31-13+deb11u6 >= 0, no fixed version is known"),
          .feed = STR("debian") },
        { .id = STR("MAL-2026-" HOSTILE_HTML),
          .cve = STR("MAL-2026-" HOSTILE_HTML),
          .severity = SEVERITY_UNKNOWN,
          .malicious = true,
          .summary = STR(HOSTILE_LINES),
          .installed = STR(HOSTILE_BYTES),
          .matched_name = STR(HOSTILE_ESCAPE),
          .ecosystem = STR(HOSTILE_BIDI),
          .comparison = STR(HOSTILE_LINES),
          .feed = STR(HOSTILE_HTML),
          .cvss_vector = STR(HOSTILE_ESCAPE),
          .severity_source = STR(HOSTILE_BYTES) },
        FIXTURE_VULN("CVE-2024-2961", SEVERITY_HIGH, 73, "CVSS:3.1/AV:L/AC:L/PR:L/UI:R/S:U/C:H/I:H/A:H", 91210, 99101,
                     "glibc", "2.31-13+deb11u6", "2.31-13+deb11u10"),
        FIXTURE_VULN("CVE-2023-0465", SEVERITY_MEDIUM, 53, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:N", 512, 64001,
                     "openssl", "1.1.1n-0+deb11u4", "1.1.1n-0+deb11u5"),
};

/* Two VEX documents: one states three things, the other is no VEX at all. */
static struct str fixture_image_names[] = {
        STR("pkg:oci/nginx-app@sha256%3A3f1c29a0b4de5566778899aabbccddeeff00112233445566778899aabbccddee") };
static struct str fixture_glibc_names[] = { STR("pkg:deb/debian/libc6"), STR(HOSTILE_ESCAPE) };
static struct str fixture_curl_names[] = { STR("pkg:deb/debian/curl?arch=source") };
static struct str fixture_responses[] = { STR("will_not_fix"), STR("workaround_available") };

static const struct fact_vex fixture_statements[] = {
        { .format = STR("openvex"),
          .document = STR("https://example.org/vex/2026-7"),
          .author = STR("Example Images Ltd."),
          .timestamp = DAY(20750) + 36000,
          .file = STR("vendor.openvex.json"),
          .position = 1,
          .vulnerability = STR("CVE-2024-2961"),
          .product = { fixture_image_names, 1 },
          .subcomponent = { fixture_glibc_names, 2 },
          .status = STR("not_affected"),
          .justification = STR("vulnerable_code_not_in_execute_path"),
          .justification_word = STR("code_not_reachable"),
          .impact = STR("Nothing in the image converts to ISO-2022-CN-EXT; the gconv module was removed."),
          .responses = { fixture_responses, 2 } },
        { .format = STR("openvex"),
          .document = STR("https://example.org/vex/2026-7"),
          .author = STR("Example Images Ltd."),
          .timestamp = DAY(20751),
          .file = STR("vendor.openvex.json"),
          .position = 2,
          .vulnerability = STR("CVE-2023-38545"),
          .product = { fixture_image_names, 1 },
          .subcomponent = { fixture_curl_names, 1 },
          .status = STR("affected"),
          .action = STR("Do not set ALL_PROXY to a socks5h:// address until the image of week 48."),
          .detail = STR(HOSTILE_LINES) },
};

static const struct report_vex fixture_vex[] = {
        { .path = STR("vendor.openvex.json"),
          .format = STR("openvex"),
          .document = STR("https://example.org/vex/2026-7"),
          .author = STR("Example Images Ltd."),
          .timestamp = DAY(20751),
          .statements = 5,
          .matched = 2,
          .vague = 1,
          .unmatched = 2,
          .skipped = 1 },
        { .path = STR("other-" HOSTILE_HTML ".json"), .why = STR("malformed JSON in line 1: " HOSTILE_ESCAPE) },
};

static const size_t fixture_curl[] = { 0, 2 }, fixture_glibc[] = { 1 }, fixture_openssl[] = { 3, 6 },
                    fixture_libxml2[] = { 4 }, fixture_nginx[] = { 5 }, fixture_sudo[] = { 7 }, fixture_zlib[] = { 8 },
                    fixture_evil[] = { 9 };

extern const struct rule_hit fixture_rules[3];

#define FIXTURE_FINDING(i, id_, sev, pkgs, ln, resp, fix_, rule_)                                                      \
        {                                                                                                              \
                .kind = FINDING_VULNERABILITY, .id = STR(id_), .title = STR(id_ " in a package"), .severity = sev,     \
                .vulnerability = &fixture_vulnerabilities[i], .packages = pkgs, .n_packages = ARRAY_SIZE(pkgs),        \
                .layer = 1, .path = STR("var/lib/dpkg/status"), .line = ln, .proof = STR("see the comparison"),        \
                .response = resp, .fix = STR(fix_), .rule = rule_                                                      \
        }

#include "report-fixture-decisions.h"

static struct str fixture_check_tags[] = { STR("NIST-800-190:4.1.2"), STR("CWE-732"), STR("T1548.001") };

static const struct fact_check fixture_checks[] = {
        { .id = STR("SK-IMAGE-002"),
          .severity = SEVERITY_HIGH,
          .title = STR("Setuid or setgid files of no package"),
          .why = STR("Whoever runs one has its owner's rights."),
          .remedy = STR("remove the bit or the file: chmod a-s"),
          .tags = { fixture_check_tags, ARRAY_SIZE(fixture_check_tags) },
          .file = STR("opt/" HOSTILE_ESCAPE),
          .detail = STR("/opt/" HOSTILE_ESCAPE) },
        { .id = STR("SK-IMAGE-020"),
          .severity = SEVERITY_NONE,
          .title = STR("Read-only root"),
          .why = STR("On a read-only root nothing can be changed or installed."),
          .remedy = STR("start it with --read-only and these mounts, and try whether it works"),
          .detail = STR("can run read-only with 2 mounts: /run, /tmp") },
};

static struct str fixture_malware_tags[] = { STR("T1505.003"), STR("T1059") };

static const struct fact_malware fixture_malware = {
        .path = STR("srv/www/" HOSTILE_ESCAPE ".war"), .members = STR("WEB-INF/" HOSTILE_HTML ".jsp"), .engine = STR("rules"),
        .rule = STR("jsp-shell-command"), .family = STR("web-shell"), .severity = SEVERITY_CRITICAL, .confidence = STR("high"),
        .description = STR("JSP that runs a command out of a request"), .tags = { fixture_malware_tags, 2 }, .offset = 412,
        .sha256 = STR("\x01\x23\x45\x67\x89\xab\xcd\xef"),
};

static const struct finding fixture_findings[] = {
        FIXTURE_FINDING(0, "CVE-2023-44487", SEVERITY_HIGH, fixture_nginx, 5120, RESPONSE_UPDATE, "1.18.0-6.1+deb11u4",
                        &fixture_rules[0]),
        FIXTURE_FINDING(1, "CVE-2021-3156", SEVERITY_HIGH, fixture_sudo, 6012, RESPONSE_UPDATE, "1.9.5p2-3+deb11u2",
                        &fixture_rules[0]),
        { .kind = FINDING_VULNERABILITY,
          .id = STR("CVE-2023-38545"),
          .title = STR("CVE-2023-38545 in a package"),
          .severity = SEVERITY_CRITICAL,
          .vulnerability = &fixture_vulnerabilities[3],
          .packages = fixture_curl,
          .n_packages = 2,
          .layer = 1,
          .path = STR("var/lib/dpkg/status"),
          .line = 310,
          .proof = STR("see the comparison"),
          .response = RESPONSE_UPDATE,
          .fix = STR("7.74.0-1.3+deb11u10"),
          .rule = &fixture_rules[0],
          .doubtful = &fixture_waivers[1],
          .doubt = STR("a fix has been published"),
          .reasons = fixture_reasons,
          .n_reasons = 2,
          .vex = &fixture_statements[1] },
        FIXTURE_FINDING(2, "CVE-2024-5535", SEVERITY_CRITICAL, fixture_openssl, 4112, RESPONSE_UPDATE,
                        "1.1.1w-0+deb11u2", &fixture_rules[0]),
        FIXTURE_FINDING(5, "CVE-2023-0286", SEVERITY_HIGH, fixture_openssl, 4112, RESPONSE_UPDATE, "1.1.1w-0+deb11u1",
                        &fixture_rules[0]),
        FIXTURE_FINDING(4, "CVE-2023-4911", SEVERITY_HIGH, fixture_glibc, 1204, RESPONSE_UPDATE, "2.31-13+deb11u7",
                        &fixture_rules[0]),
        { .kind = FINDING_VULNERABILITY,
          .id = STR("CVE-2024-25062"),
          .title = STR("CVE-2024-25062 in a package"),
          .severity = SEVERITY_HIGH,
          .vulnerability = &fixture_vulnerabilities[6],
          .packages = fixture_libxml2,
          .n_packages = 1,
          .layer = 1,
          .path = STR("var/lib/dpkg/status"),
          .line = 4560,
          .proof = STR("see the comparison"),
          .response = RESPONSE_DECIDE,
          .vex_doubt = STR("vendor.openvex.json, statement 3, was not applied: it names the product in words, without "
                           "a purl or a digest") },
        { .kind = FINDING_END_OF_LIFE,
          .id = STR("end-of-life"),
          .title = STR("Debian 11 (bullseye) is past its end of life"),
          .severity = SEVERITY_HIGH,
          .layer = 0,
          .path = STR("etc/os-release"),
          .line = 1,
          .proof = STR("2026-08-31 is before 2026-11-23"),
          .response = RESPONSE_REPLACE,
          .fix = STR("Debian 12"),
          .rule = &fixture_rules[1] },
        { .kind = FINDING_MISMATCH,
          .id = STR("mismatch"),
          .title = STR("layer 3: its diff_id is not what the configuration promises"),
          .severity = SEVERITY_HIGH,
          .layer = 2,
          .path = STR("layer 3"),
          .proof = STR("sha256:c1b2… instead of sha256:d1b2…"),
          .response = RESPONSE_DECIDE },
        FIXTURE_FINDING(8, "CVE-2023-5678", SEVERITY_MEDIUM, fixture_openssl, 4112, RESPONSE_UPDATE, "1.1.1w-0+deb11u2",
                        NULL),
        FIXTURE_FINDING(7, "CVE-2023-27535", SEVERITY_MEDIUM, fixture_curl, 310, RESPONSE_UPDATE, "7.74.0-1.3+deb11u8",
                        NULL),
        { .kind = FINDING_MODIFIED,
          .id = STR("modified"),
          .title = STR("2 files of packages are not as shipped"),
          .severity = SEVERITY_MEDIUM,
          .packages = fixture_sudo,
          .n_packages = 1,
          .layer = 2,
          .path = STR("usr/bin/sudo"),
          .proof = STR("md5 0cc175b9c0f1b6a831c399e269772661 instead of "
                       "92eb5ffee6ae2fec3ad71c777531578f"),
          .response = RESPONSE_DECIDE,
          .rule = &fixture_rules[2] },
        { .kind = FINDING_UNREAD,
          .id = STR("unread"),
          .title = STR("2 files were not read"),
          .severity = SEVERITY_LOW,
          .layer = 2,
          .path = STR("opt/data/backup.zip"),
          .proof = STR("encrypted"),
          .response = RESPONSE_DECIDE },
        { .kind = FINDING_STALE_DATA,
          .id = STR("stale-data"),
          .title = STR("the EPSS scores are 40 days old"),
          .severity = SEVERITY_LOW,
          .layer = NONE,
          .proof = STR("2026-10-14 is 40 days before 2026-11-23"),
          .response = RESPONSE_UPDATE,
          .fix = STR("sekisho db update") },
        FIXTURE_FINDING(9, "CVE-2022-37434", SEVERITY_LOW, fixture_zlib, 6800, RESPONSE_UPDATE,
                        "1:1.2.11.dfsg-2+deb11u2", NULL),
        FIXTURE_FINDING(10, "CVE-2026-10001", SEVERITY_UNKNOWN, fixture_glibc, 1204, RESPONSE_DECIDE, "", NULL),
        { .kind = FINDING_VULNERABILITY,
          .id = STR("MAL-2026-" HOSTILE_HTML),
          .title = STR(HOSTILE_LINES),
          .severity = SEVERITY_UNKNOWN,
          .vulnerability = &fixture_vulnerabilities[11],
          .packages = fixture_evil,
          .n_packages = 1,
          .layer = 2,
          .path = STR("var/lib/dpkg/status.d/" HOSTILE_HTML),
          .line = 1,
          .proof = STR(HOSTILE_BIDI),
          .response = RESPONSE_MITIGATE,
          .fix = STR(HOSTILE_ESCAPE) },
        { .kind = FINDING_VULNERABILITY,
          .id = STR("CVE-2024-2961"),
          .title = STR("CVE-2024-2961 in a package"),
          .severity = SEVERITY_HIGH,
          .vulnerability = &fixture_vulnerabilities[12],
          .packages = fixture_glibc,
          .n_packages = 1,
          .layer = 1,
          .path = STR("var/lib/dpkg/status"),
          .line = 1204,
          .proof = STR("see the comparison"),
          .response = RESPONSE_UPDATE,
          .fix = STR("2.31-13+deb11u10"),
          .set_aside = SET_ASIDE_BY_VEX,
          .set_aside_by = STR("Example Images Ltd."),
          .set_aside_why = STR("Nothing in the image converts to ISO-2022-CN-EXT; the gconv module was removed."),
          .vex = &fixture_statements[0] },
        { .kind = FINDING_VULNERABILITY,
          .id = STR("CVE-2023-0465"),
          .title = STR("CVE-2023-0465 in a package"),
          .severity = SEVERITY_MEDIUM,
          .vulnerability = &fixture_vulnerabilities[13],
          .packages = fixture_openssl,
          .n_packages = 2,
          .layer = 1,
          .path = STR("var/lib/dpkg/status"),
          .line = 4112,
          .proof = STR("see the comparison"),
          .response = RESPONSE_UPDATE,
          .fix = STR("1.1.1n-0+deb11u5"),
          .set_aside = SET_ASIDE_BY_WAIVER,
          .waiver = &fixture_waivers[0],
          .reasons = fixture_reasons,
          .n_reasons = 2,
          .set_aside_by = STR("web team"),
          .set_aside_why = STR("Policy checks are off " HOSTILE_HTML) },
        { .kind = FINDING_MISCONFIG,
          .id = STR("SK-IMAGE-002"),
          .title = STR("Setuid or setgid files of no package: /opt/" HOSTILE_ESCAPE),
          .severity = SEVERITY_HIGH,
          .check = &fixture_checks[0],
          .layer = NONE,
          .path = STR("opt/" HOSTILE_ESCAPE),
          .proof = STR("/opt/" HOSTILE_ESCAPE),
          .response = RESPONSE_DECIDE },
        { .kind = FINDING_MISCONFIG,
          .id = STR("SK-IMAGE-020"),
          .title = STR("Read-only root: can run read-only with 2 mounts: /run, /tmp"),
          .severity = SEVERITY_NONE,
          .check = &fixture_checks[1],
          .layer = NONE,
          .proof = STR("can run read-only with 2 mounts: /run, /tmp"),
          .response = RESPONSE_DECIDE },
        { .kind = FINDING_MALWARE,
          .id = STR("jsp-shell-command"),
          .title = STR("JSP that runs a command out of a request in /srv/www/" HOSTILE_ESCAPE ".war!WEB-INF/" HOSTILE_HTML ".jsp"),
          .severity = SEVERITY_CRITICAL,
          .malware = &fixture_malware,
          .layer = 1,
          .deleted_by = 2,
          .path = STR("srv/www/" HOSTILE_ESCAPE ".war!WEB-INF/" HOSTILE_HTML ".jsp"),
          .proof = STR("rules: jsp-shell-command, first found at byte 412"),
          .response = RESPONSE_DECIDE },
};

static const size_t fixture_move_openssl[] = { 3, 4, 9 }, fixture_move_curl[] = { 2, 10 }, fixture_move_nginx[] = { 0 },
                    fixture_move_sudo[] = { 1 }, fixture_move_glibc[] = { 5 }, fixture_move_zlib[] = { 14 },
                    fixture_move_base[] = { 0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 14 };

#define FIXTURE_MOVE(n, pkgs, from_, to_, list, kev, sev)                                                              \
        {                                                                                                              \
                .response = RESPONSE_UPDATE, .name = STR(n), .packages = STR(pkgs), .from = STR(from_),                \
                .to = STR(to_), .findings = list, .n_findings = ARRAY_SIZE(list), .n_kev = kev, .worst = sev           \
        }

static const struct move fixture_moves[] = {
        FIXTURE_MOVE("nginx", "nginx-core", "1.18.0-6.1+deb11u3", "1.18.0-6.1+deb11u4", fixture_move_nginx, 1,
                     SEVERITY_HIGH),
        FIXTURE_MOVE("sudo", "sudo", "1.9.5p2-3+deb11u1", "1.9.5p2-3+deb11u2", fixture_move_sudo, 1, SEVERITY_HIGH),
        FIXTURE_MOVE("openssl", "libssl1.1 openssl", "1.1.1n-0+deb11u4", "1.1.1w-0+deb11u2", fixture_move_openssl, 0,
                     SEVERITY_CRITICAL),
        FIXTURE_MOVE("curl", "curl libcurl4", "7.74.0-1.3+deb11u7", "7.74.0-1.3+deb11u10", fixture_move_curl, 0,
                     SEVERITY_CRITICAL),
        FIXTURE_MOVE("glibc", "libc6", "2.31-13+deb11u6", "2.31-13+deb11u7", fixture_move_glibc, 0, SEVERITY_HIGH),
        FIXTURE_MOVE("zlib", "zlib1g", "1:1.2.11.dfsg-2+deb11u1", "1:1.2.11.dfsg-2+deb11u2", fixture_move_zlib, 0,
                     SEVERITY_LOW),
        { .response = RESPONSE_REPLACE,
          .name = STR("base image"),
          .packages = STR(""),
          .from = STR("Debian 11"),
          .to = STR("Debian 12"),
          .findings = fixture_move_base,
          .n_findings = ARRAY_SIZE(fixture_move_base),
          .n_kev = 2,
          .worst = SEVERITY_CRITICAL },
};

static const struct report_file fixture_modified[] = {
        { .path = STR("usr/bin/sudo"),
          .layer = 2,
          .state = STATE_MODIFIED,
          .size = 182600,
          .format = FORMAT_ELF,
          .sha256 = STR("6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"),
          .package = STR("sudo"),
          .why = STR("md5 0cc175b9c0f1b6a831c399e269772661 instead of 92eb5ffee6ae2fec3ad71c777531578f") },
        { .path = STR("usr/share/" HOSTILE_ESCAPE "/" HOSTILE_BYTES),
          .layer = 2,
          .state = STATE_MODIFIED,
          .size = 12,
          .format = FORMAT_OTHER,
          .package = STR(HOSTILE_HTML),
          .why = STR(HOSTILE_LINES) },
};

static const struct report_file fixture_unknown[] = {
        { .path = STR("app/bin/server"),
          .layer = 2,
          .state = STATE_UNKNOWN,
          .size = 8123904,
          .format = FORMAT_ELF,
          .sha256 = STR("d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35") },
        { .path = STR("app/entrypoint.sh"),
          .layer = 2,
          .state = STATE_UNKNOWN,
          .size = 311,
          .format = FORMAT_SCRIPT,
          .sha256 = STR("4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce") },
        { .path = STR("opt/" HOSTILE_BIDI), .layer = 2, .state = STATE_UNKNOWN, .size = 1, .format = FORMAT_OTHER },
        { .path = STR("usr/local/bin/" HOSTILE_HTML),
          .layer = 2,
          .state = STATE_UNKNOWN,
          .size = 99,
          .format = FORMAT_SCRIPT },
};

static const struct fact_unread fixture_unread[] = {
        { .path = STR("layer 3"),
          .code = STR("truncated"),
          .detail = STR("ends after 307,200 of 409,600 bytes, in the entry opt/" HOSTILE_LINES) },
        { .path = STR("opt/data/backup.zip"),
          .code = STR("encrypted"),
          .detail = STR("its 12 members need a password") },
};

static const struct report_feed fixture_feeds[] = {
        { STR("debian"), STR("Debian's archive, changelogs"), DAY(20777), 12400 },
        { STR("kev"), STR("CISA"), DAY(20776), 1321 },
        { STR("epss"), STR("FIRST"), DAY(20740), 298112 },
};

static struct str fixture_tags[] = { STR("nginx-app:latest") };
static struct str fixture_entrypoint[] = { STR("/app/entrypoint.sh"), STR("--name=" HOSTILE_HTML) };
static struct str fixture_env[] = { STR("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") };
static struct str fixture_ports[] = { STR("80/tcp") };

static const struct report fixture_full = {
        .tool_version = STR("0.1.0"),
        .today = TODAY,
        .target = STR("nginx-app.tar"),
        .kind = STR("docker-archive"),
        .name = STR("nginx-app:latest"),
        .digest = STR("sha256:3f1c29a0b4de5566778899aabbccddeeff00112233445566778899aabbccddee"),
        .image_id = STR("sha256:77aa29a0b4de5566778899aabbccddeeff00112233445566778899aabbccddaa"),
        .tags = { fixture_tags, 1 },
        .has_image = true,
        .image = { .os = STR("linux"),
                   .arch = STR("amd64"),
                   .created = DAY(20502),
                   .user = STR(""),
                   .entrypoint = { fixture_entrypoint, 2 },
                   .env = { fixture_env, 1 },
                   .ports = { fixture_ports, 1 } },
        .has_os = true,
        .os = { .id = STR("debian"),
                .version = STR("11"),
                .codename = STR("bullseye"),
                .name = STR("Debian GNU/Linux 11 (bullseye)"),
                .path = STR("usr/lib/os-release") },
        .os_release = STR("Debian 11 (bullseye)"),
        .eol = DAY(20696),
        .layers = fixture_layers,
        .n_layers = ARRAY_SIZE(fixture_layers),
        .packages = fixture_packages,
        .n_packages = ARRAY_SIZE(fixture_packages),
        .findings = fixture_findings,
        .n_findings = ARRAY_SIZE(fixture_findings),
        .moves = fixture_moves,
        .n_moves = ARRAY_SIZE(fixture_moves),
        .search = { .rules = 98, .hashes = 30000, .files = 9412, .members = 63, .incomplete = 2, .found = 1 },
        .coverage = { .files = { 9120, 214, 2, 61, 14, 1 },
                      .total = 9412,
                      .deleted = 1203,
                      .modified = fixture_modified,
                      .n_modified = 2,
                      .total_modified = 2,
                      .unknown_executables = fixture_unknown,
                      .n_unknown_executables = 4,
                      .total_unknown_executables = 4,
                      .unread = fixture_unread,
                      .n_unread = 2 },
        .policy = STR("default"),
        .stage = STR("scan"),
        .waivers = fixture_waivers,
        .n_waivers = 2,
        .denied = true,
        .complete = false,
        .rules = fixture_rules,
        .n_rules = 3,
        .n_rules_total = 9,
        .data_source = STR("embedded"),
        .data_digest = STR("sha256:dada29a0b4de5566778899aabbccddeeff00112233445566778899aabbccdada"),
        .data_date = DAY(20777),
        .feeds = fixture_feeds,
        .n_feeds = 3,
        .vex = fixture_vex,
        .n_vex = 2,
};

/* An empty directory, and not one advisory. */
static const struct report fixture_empty = {
        .tool_version = STR("0.1.0"),
        .today = TODAY,
        .target = STR("./empty dir"),
        .kind = STR("rootfs"),
        .policy = STR("--fail-on high,fixable"),
        .complete = true,
        .n_rules_total = 1,
};

/* clang-format on */

#endif
