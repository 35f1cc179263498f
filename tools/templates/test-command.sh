#!/bin/bash
# `sekisho the-sample`: its answers, its help and its exit codes.
SEKISHO=${SEKISHO:-$(dirname "$0")/../../build/sekisho}
n=0
failed=0

expect() { # name, exit code, text, arguments...
        local name=$1 code=$2 text=$3 said status
        shift 3
        said=$("$SEKISHO" the-sample "$@" 2>&1)
        status=$?
        n=$((n + 1))
        if [ $status = "$code" ] && grep -qF -- "$text" <<<"$said"; then
                echo "ok $n - $name"
        else
                echo "not ok $n - $name"
                echo "# status $status: $said"
                failed=1
        fi
}

expect "says it" 0 "hello" hello
expect "says it louder" 0 "hello!" --loud hello
expect "needs a word" 2 "needs one argument"
expect "knows its options" 2 "unknown option --lout" --lout hello
expect "explains itself" 0 "sekisho the-sample" --help
echo "1..$n"
exit $failed
