#!/bin/bash
# tools/check-rooms and tools/check-style: the tree passes, and each rule is seen to fail on a tree that breaks it.
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0
failed=0

result() { # status, name
        n=$((n + 1))
        if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; failed=1; sed 's/^/# /' "$work/out"; fi
}

says() { # name, checker, words: the checker must fail on the small tree and say the words
        "$root/tools/$2" "$work/tree" >"$work/out" 2>&1
        [ $? = 1 ] && grep -qF -- "$3" "$work/out"
        result $? "$1"
}

small_tree() { # a tree that passes
        rm -rf "$work/tree"
        mkdir -p "$work/tree/src/base" "$work/tree/src/read"
        cp "$root/.clang-format" "$work/tree"
        echo '# base' >"$work/tree/src/base/README.md"
        echo '# read' >"$work/tree/src/read/README.md"
        printf '/* A. */\nint a(void);\n' >"$work/tree/src/base/a.h"
        printf '/* B. */\n#include "base/a.h"\n\nint b(void) { return a(); }\n' >"$work/tree/src/read/b.c"
        printf '#!/bin/sh\nexit 0\n' >"$work/tree/run"
        git -C "$work/tree" init -q 2>/dev/null
}

command -v clang-format >/dev/null || { echo "1..0 # SKIP clang-format is not installed"; exit 0; }

"$root/tools/check-rooms" >"$work/out" 2>&1
result $? "the rooms of this tree"
"$root/tools/check-style" >"$work/out" 2>&1
result $? "the style of this tree"

small_tree
"$root/tools/check-rooms" "$work/tree" >"$work/out" 2>&1 && "$root/tools/check-style" "$work/tree" >>"$work/out" 2>&1
result $? "a small tree passes"

printf '/* A. */\n#include "read/b.h"\n' >"$work/tree/src/base/c.c"
says "an include against the flow" check-rooms 'src/base/c.c:2: room base may not include "read/b.h"'
printf '/* A. */\n#include "a.h"\n' >"$work/tree/src/base/c.c"
says "an include without its room" check-rooms 'src/base/c.c:2: "a.h": name headers with their room'
printf '/* A. */\n#include "base/none.h"\n' >"$work/tree/src/base/c.c"
says "a header that is not there" check-rooms 'src/base/c.c:2: "base/none.h": there is no such header'
printf 'int c;\n' >"$work/tree/src/base/c.c"
says "a file that does not say what it is for" check-rooms 'src/base/c.c:1: the file does not begin with a comment'
small_tree
seq 41 >"$work/tree/src/read/README.md"
says "a room explained at length" check-rooms 'src/read/README.md:41: 41 lines'
rm "$work/tree/src/read/README.md"
says "a room not explained" check-rooms 'src/read/README.md:1: every room has a README.md'
mkdir "$work/tree/src/attic"
says "a room without a place in the flow" check-rooms 'no room is called "attic"'

for word in strcpy strcat sprintf gets strtok atoi alloca; do
        small_tree
        printf '/* B. */\nint b(char *s);\nint b(char *s) { return !%s(s); }\n' "$word" >"$work/tree/src/read/b.c"
        says "$word is banned" check-style "src/read/b.c:3: $word() is banned"
done
small_tree
printf '/* B: strcpy(a, b) in words. */\nconst char *b = "gets(s)";\n' >"$work/tree/src/read/b.c"
"$root/tools/check-style" "$work/tree" >"$work/out" 2>&1
result $? "a banned word in a comment or a string is none"
printf '/* B. */\nint   b;\n' >"$work/tree/src/read/b.c"
says "a file that clang-format would change" check-style 'src/read/b.c:2: not formatted'
printf '/* B. */\nint b; \n' >"$work/tree/src/read/b.c"
says "white space at the end of a line" check-style 'src/read/b.c:2: trailing white space'
printf '/* B. TO''DO: more */\n' >"$work/tree/src/read/b.c"
says "a note to oneself" check-style 'src/read/b.c:1: a note to oneself'
{ echo '/* B. */'; seq -f 'int b%g;' 700; } >"$work/tree/src/read/b.c"
says "a file that is too long" check-style 'src/read/b.c:701: 701 lines'
small_tree
printf '#!/bin/sh\nif true; then\n' >"$work/tree/run"
says "a shell script that cannot be parsed" check-style 'run:1: '
printf '#!/usr/bin/env python3\nprint(\n' >"$work/tree/run"
says "a Python script that cannot be parsed" check-style 'run:2: '
printf '#!/bin/sh\nexit 0' >"$work/tree/run"
says "a last line without an end" check-style 'run:2: the last line has no end'

echo "1..$n"
exit $failed
