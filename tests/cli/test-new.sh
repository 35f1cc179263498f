#!/bin/bash
# ./dev new: in a copy of the tree, each kind is made; what was made builds, passes its test and the checks.
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0
failed=0

result() { # status, name
        n=$((n + 1))
        if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; failed=1; tail -n 30 "$work/out" | sed 's/^/# /'; fi
}

for program in meson ninja clang-format; do
        command -v $program >/dev/null || { echo "1..0 # SKIP $program is not installed"; exit 0; }
done

mkdir "$work/tree"
tar -C "$root" -c --exclude=./build* --exclude=./demo --exclude=./.git --exclude=./bench/cache . | tar -C "$work/tree" -x
cd "$work/tree" || exit 1

for kind in analyzer reader reporter source command; do
        tools/new $kind tried-$kind >"$work/out" 2>&1
        result $? "new $kind"
done
tools/new reader tried-reader >"$work/out" 2>&1
[ $? = 2 ] && grep -q 'there already' "$work/out"
result $? "a name that is taken"
tools/new reader Tried_it >"$work/out" 2>&1
[ $? = 2 ] && grep -q 'no name for a file' "$work/out"
result $? "a name that is none"
tools/new gadget tried >"$work/out" 2>&1
[ $? = 2 ] && grep -q 'usage: ' "$work/out"
result $? "a kind that is none"
tools/check-rooms >"$work/out" 2>&1
result $? "what was made keeps to the rooms"
tools/check-style >"$work/out" 2>&1
result $? "what was made keeps to the style"

# Without optimisation: this is about whether it builds.
{ meson setup build -Dbuildtype=debug -Doptimization=0 --werror && ninja -C build sekisho tests/test-tried-analyzer \
        tests/test-tried-reader tests/test-report-tried-reporter tests/fuzz-tried-reader tests/source-list; } >"$work/out" 2>&1
result $? "what was made builds without a warning"
export SEKISHO_BUILD=$work/tree/build SEKISHO=$work/tree/build/sekisho
for test in test-tried-analyzer test-tried-reader test-report-tried-reporter; do
        build/tests/$test >"$work/out" 2>&1
        result $? "$test"
done
build/tests/fuzz-tried-reader tests/fuzz/corpus/tried-reader >"$work/out" 2>&1
result $? "fuzz-tried-reader"
for test in test-tried-command.sh test-source-tried-source.sh; do
        tests/cli/$test >"$work/out" 2>&1
        result $? "$test"
done
"$SEKISHO" help >"$work/out" 2>&1 && grep -q tried-command "$work/out"
result $? "help lists the command"

echo "1..$n"
exit $failed
