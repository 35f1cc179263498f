#!/bin/sh
# Makes the corpora of fuzz-osv, fuzz-secdb, fuzz-facts and, out of them with the program $SEKISHO, of fuzz-db.
set -eu
cd "$(dirname "$0")"
mkdir -p osv secdb facts db
cat > osv/ranges.jsonl <<'END'
{"id":"GHSA-1","modified":"2024-01-02T00:00:00Z","published":"2024-01-01T00:00:00Z","aliases":["CVE-2024-1111"],"summary":"A thing","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"affected":[{"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"SEMVER","events":[{"fixed":"2.0.0"},{"introduced":"0"},{"introduced":"3.0.0"},{"last_affected":"3.1.0"},{"limit":"9.0.0"}]}]}]}
{"id":"PYSEC-1","modified":"2024-01-02T00:00:00Z","aliases":["GHSA-1"],"affected":[{"package":{"ecosystem":"PyPI","name":"Q.q"},"versions":["1.0","1.1rc1"]},{"package":{"ecosystem":"npm","name":"p"},"versions":["1.0.0"]}]}
{"id":"ALSA-2024:1","modified":"2024-01-02T00:00:00Z","summary":"Important: r","related":["CVE-2024-1111","CVE-2024-2222"],"affected":[{"package":{"ecosystem":"AlmaLinux:9","name":"r"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2-1.module_el9"}]}]}]}
{"id":"MAL-1","withdrawn":"2024-01-02T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]}]}
END
printf '{\n "id": "X-1",\n "affected": [{"package": {"ecosystem": "Debian:11", "name": "p"}, "versions": ["1.0-1"]}]\n}\n' > osv/document.json
head -n 1 osv/ranges.jsonl | gzip -9n > osv/ranges.gz
head -n 2 osv/ranges.jsonl | xz -9 > osv/ranges.xz
printf '{"distroversion":"v3.20","reponame":"main","packages":[{"pkg":{"name":"p","secfixes":{"1.0-r0":["CVE-2024-1111 XSA-1"],"0":["CVE-2024-2222"]}}}]}' > secdb/alpine.json
printf '{"p": {"CVE-2024-1111": {"releases": {"bullseye": {"status": "resolved", "fixed_version": "1.1-1", "urgency": "high**"}, "trixie": {"status": "open"}}}, "TEMP-1": {"releases": {"bullseye": {"status": "undetermined"}}}}, "q": {}}' > secdb/debian.json
printf '{"catalogVersion":"1","dateReleased":"2024-01-01","vulnerabilities":[{"cveID":"CVE-2024-1111","dateAdded":"2024-01-01","knownRansomwareCampaignUse":"Known"}]}' > secdb/kev.json
printf '#model_version:v1,score_date:2024-01-02T00:00:00+0000\ncve,epss,percentile\nCVE-2024-1111,0.12345,0.9\n' > secdb/epss.csv
printf '# generated: 2024-01-01\n# licence: none\n# columns: ecosystem package introduced fixed last_affected ids\nDebian:11\tp\t0\t1.1-1\t-\tCVE-2024-1111 CVE-2024-2222\nnpm\tp\t1.0.0\t-\t1.5.0\tGHSA-1=CVE-2024-3333=X\n' > facts/facts.tsv
printf '# columns: cve cvss_vector severity severity_source epss epss_percentile kev_date kev_ransomware\nCVE-2024-1111\tAV:N/AC:L/Au:N/C:P/I:P/A:P\thigh\tX\t0.5\t0.9\t2024-01-01\tknown\n' > facts/scores.tsv
${SEKISHO:-../../../build/sekisho} db build --quiet --out db/osv.db osv/ranges.jsonl osv/document.json secdb/kev.json facts/scores.tsv
${SEKISHO:-../../../build/sekisho} db build --quiet --out db/facts.db facts/facts.tsv secdb/alpine.json secdb/debian.json secdb/epss.csv
