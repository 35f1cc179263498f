#!/bin/bash
# A directory as a tar stream: GNU tar must make the same tree of it.
. "$(dirname "$0")/source-lib.sh"
need tar truncate
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

long=$(printf 'n%.0s' {1..200})
mkdir -p tree/a/b "tree/$long/$long" tree/z x
echo 1 >tree/a/one
ln tree/a/one tree/z/two
ln tree/a/one "tree/$long/three"
ln -s ../../../../etc/passwd tree/a/b/out
ln -s "$long/$long/$long" tree/z/longlink
echo l >"tree/$long/$long/$long"
printf x >"tree/z/na
me"
head -c 300000 /dev/urandom >tree/z/random
: >tree/z/empty
mkfifo tree/z/fifo
chmod 4755 tree/a/one
chmod 1777 tree/z
touch -d 2001-02-03 tree/z/empty
truncate -s 1T tree/huge
printf x | dd of=tree/huge bs=1 seek=500G conv=notrunc status=none
truncate -s 3M tree/tail && printf y | dd of=tree/tail bs=1 seek=2M conv=notrunc status=none

tree_of() { (cd "$1" && find . -mindepth 1 -printf '%P|%y|%m|%U|%G|%s|%l|%n\n' | sed 's/|d|\([0-9]*\)|\(.*\)|[0-9]*||[0-9]*$/|d|\1|\2/' | sort); }

ok "packs" sh -c "'$SOURCE_LIST' --layer 0 dir:tree >t.tar"
ok "a file of 1 TB with one byte costs nothing" sh -c '[ $(stat -c %s t.tar) -lt 1000000 ]'
ok "GNU tar unpacks it" sh -c 'tar -C x -xpf t.tar 2>err && [ ! -s err ]'
ok "the same content" diff -r --no-dereference --exclude=huge --exclude=fifo tree x
ok "the same types, modes, owners, sizes, links" diff <(tree_of tree) <(tree_of x)
ok "the huge file is as it was" sh -c 'dd if=x/huge bs=1 skip=500G count=1 status=none | grep -q x && [ $(stat -c %s x/huge) = $(stat -c %s tree/huge) ]'
ok "holes stay holes" sh -c '[ $(stat -c %b x/huge) -lt 100 ]'
ok "hard links stay links" sh -c '[ $(stat -c %i x/a/one) = $(stat -c %i x/z/two) ]'
ok "the same tree gives the same bytes" sh -c "'$SOURCE_LIST' --layer 0 tree | cmp - t.tar"
ok "a bare directory is recognised" prints "source: dir" list tree
ok "a directory that is not there" says "cannot open" list dir:nothing

# A name that looks like a whiteout is a file here, and says so to our own reader.
: >tree/.wh.real
ok "a name like a whiteout is marked" sh -c "'$SOURCE_LIST' --layer 0 tree | grep -aq 'SEKISHO.literal=1'"

# As somebody who may not read all of it.
chmod 755 "$work"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && cp "$SOURCE_LIST" lister 2>/dev/null; then
        mkdir -p secret/closed secret/open && echo 1 >secret/shadow && echo 2 >secret/open/f && echo 3 >secret/closed/f
        chmod 600 secret/shadow && chmod 700 secret/closed
        as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups ./lister --layer 0 dir:secret; }
        as_nobody >secret.tar
        ok "what may not be read is noted" sh -c '[ $(grep -ac "SEKISHO.unread=denied" secret.tar) = 2 ]'
        ok "the rest is there" sh -c 'tar -xOf secret.tar open/f 2>/dev/null | grep -q 2'
        ok "and what is there is listed" sh -c 'tar -tf secret.tar 2>/dev/null | grep -q shadow'
else
        for what in "what may not be read is noted" "the rest is there" "and what is there is listed"; do
                n=$((n + 1))
                echo "ok $n - $what # SKIP becoming nobody needs root and setpriv"
        done
fi

# Depth: no recursion, few descriptors.
ok "3000 directories, one in the other" python3 - "$SOURCE_LIST" <<'P'
import os, subprocess, sys, io, tarfile
os.mkdir("deep"); at = os.open("deep", os.O_RDONLY)
for i in range(3000):
    os.mkdir("d", dir_fd=at)
    os.close(os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=at))
    os.close(os.open("z", os.O_CREAT | os.O_WRONLY, dir_fd=at))
    below = os.open("d", os.O_RDONLY, dir_fd=at)
    os.close(at)
    at = below
out = subprocess.run(["bash", "-c", "ulimit -n 128; exec \"$0\" --layer 0 deep", sys.argv[1]], stdout=subprocess.PIPE, check=True).stdout
names = [m.name for m in tarfile.open(fileobj=io.BytesIO(out))]
assert len(names) == 9000, len(names)
assert sum(n.endswith("z") for n in names) == 3000
P
rm -rf deep

if [ "$(id -u)" = 0 ] && mkdir tree/m && mount -t tmpfs none tree/m 2>/dev/null; then
        trap 'umount -l "$work/tree/m"; rm -rf "$work"' EXIT
        echo secret >tree/m/file
        mknod tree/z/null c 1 3
        ok "another file system is not entered" sh -c "! '$SOURCE_LIST' --layer 0 tree | tar -t 2>/dev/null | grep m/file"
        ok "and that is noted" sh -c "'$SOURCE_LIST' --layer 0 tree | grep -aq 'SEKISHO.unread=mount'"
        ok "a device stays a device" sh -c "'$SOURCE_LIST' --layer 0 tree | tar -tv 2>/dev/null | grep -q '^c.* 1,3 .*z/null'"
else
        for what in "another file system is not entered" "and that is noted" "a device stays a device"; do
                n=$((n + 1))
                echo "ok $n - $what # SKIP mounting needs root"
        done
fi
finish
