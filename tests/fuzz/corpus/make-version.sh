#!/bin/sh
# Makes the corpus of fuzz-version: pairs of versions with a NUL between them, one file each.
set -eu
cd "$(dirname "$0")/version"
n=0
while read -r a b; do
        n=$((n + 1))
        printf '%s\000%s' "$a" "$b" > "pair-$n"
done <<'PAIRS'
1:2.3-4~deb12u1 1:2.3-4+b1
1.0~rc1^git2-3.el9 1.0^20240101-1.el9
1.2.03b_rc1_p2~abc-r4 1.2.3_alpha-r0
v1.2.3-rc.1+build.5 1.2
1!2.0rc1.post2.dev3+local.1 1.0-foo-0.dev
1.0.0-beta-1.SNAPSHOT 1-ga-1-sp
1.0.0.rc1.0-2 1.a.0
v2.0.0-RC1#p 2.0-dev
CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:L/VA:N/SC:H/SI:L/SA:N x
CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N AV:N/AC:L/Au:N/C:N/I:P/A:C
PAIRS
