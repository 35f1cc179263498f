#!/bin/bash
# The source the-sample: what it opens, and what it says where it cannot.
. "$(dirname "$0")/source-lib.sh"
need tar
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

mkdir -p good/rootfs/etc empty
echo hello >good/rootfs/etc/hello
ok "opens it" prints "source: the-sample" list the-sample:good
ok "its layer has the files" sh -c "'$SOURCE_LIST' --layer 0 the-sample:good | tar -t | grep -q etc/hello"
ok "nothing there" says "cannot open" list the-sample:none
ok "nothing in it" says "has no root file system" list the-sample:empty
finish
