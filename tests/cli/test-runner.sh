#!/bin/bash
# tests/run, in a tree of its own: it sums up TAP, and what a test leaves behind is that test's failure.
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0
failed=0

result() { # status, name
        n=$((n + 1))
        if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; failed=1; sed 's/^/# /' "$work/out"; fi
}

runs() { # name, last line, words, then the program on standard input
        local name=$1 last=$2 words=$3
        cat >"$work/tree/tests/cli/test-one.sh"
        "$work/tree/tests/run" >"$work/out" 2>&1
        local status=$?
        { [ "$(tail -n 1 "$work/out")" = "$last" ] && grep -qF -- "$words" "$work/out" &&
                case $last in *' 0 failed') [ $status = 0 ] ;; *) [ $status = 1 ] ;; esac; }
        result $? "$name"
}

mkdir -p "$work/tree/tests/cli"
cp "$root/tests/run" "$work/tree/tests/run"
touch "$work/tree/tests/cli/test-one.sh"
chmod +x "$work/tree/tests/cli/test-one.sh"

runs "sums up" "2 passed, 0 failed" "skipped: c: no c here" <<'P'
#!/bin/sh
printf 'ok 1 - a\nok 2 - b\nok 3 - c # SKIP no c here\n1..3\n'
P
runs "counts what was skipped" "2 passed, 0 failed" "1 skipped, for the reasons above" <<'P'
#!/bin/sh
printf 'ok 1 - a\nok 2 - b\nok 3 - c # SKIP no c here\n1..3\n'
P
runs "a test that fails" "1 passed, 1 failed" "| not ok 2 - b" <<'P'
#!/bin/sh
printf 'ok 1 - a\nnot ok 2 - b\n1..2\n'
exit 1
P
runs "a whole program that is skipped" "0 passed, 0 failed" "skipped: not today" <<'P'
#!/bin/sh
echo '1..0 # SKIP not today'
P
runs "a program that stops before its plan" "1 passed, 1 failed" "only 1 of 3 planned tests ran" <<'P'
#!/bin/sh
printf '1..3\nok 1 - a\n'
P
runs "a status that nothing explains" "1 passed, 1 failed" "it ended with status 7" <<'P'
#!/bin/sh
printf 'ok 1 - a\n1..1\n'
exit 7
P
runs "a program that tests nothing" "0 passed, 1 failed" "it ran no test" <<'P'
#!/bin/sh
exit 0
P
runs "a file left behind" "1 passed, 1 failed" "left a temporary file behind: rest" <<'P'
#!/bin/sh
touch "$TMPDIR/rest"
printf 'ok 1 - a\n1..1\n'
P
runs "a process left behind" "1 passed, 1 failed" "left a process behind: " <<'P'
#!/bin/sh
setsid sleep 1000 >/dev/null 2>&1 &
echo $! >"$SEKISHO_ROOT/pid"
printf 'ok 1 - a\n1..1\n'
P
# Gone, or dead and waiting for whoever reaps orphans here.
! grep -v ') Z ' "/proc/$(cat "$work/tree/pid")/stat" >"$work/out" 2>/dev/null
result $? "and ended"
if [ "$(id -u)" = 0 ] && mkdir "$work/point" && mount -t tmpfs none "$work/point" 2>/dev/null; then
        umount "$work/point"
        runs "a mount left behind" "1 passed, 2 failed" "left a mount behind: " <<'P'
#!/bin/sh
mkdir "$TMPDIR/point"
mount -t tmpfs none "$TMPDIR/point"
printf 'ok 1 - a\n1..1\n'
P
        ! grep -q "$work\|/tmp/skt.*/point" /proc/self/mounts
        result $? "and unmounted"
else
        n=$((n + 1))
        echo "ok $n - a mount left behind # SKIP mounting needs root"
fi
"$work/tree/tests/run" --slwo >"$work/out" 2>&1
[ $? = 2 ] && grep -q -e "no option --slwo" "$work/out"
result $? "an option that there is not is refused, and nothing is run"
echo "1..$n"
exit $failed
