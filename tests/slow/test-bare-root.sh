#!/bin/bash
# The README's two commands on a machine on which nobody ever installed anything: a bare Debian 12 made by mmdebstrap,
# with a clean clone of HEAD in it, entered by chroot. What is not committed is not tested.
#
# Mounts and processes live in namespaces of their own, so that they end with this script, however it ends. The times of
# the promise (5 minutes fresh, 5 seconds after that) are printed; twice of them fails, as the machine may be shared.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
FRESH_SECONDS=300
AGAIN_SECONDS=5

skip() { echo "1..0 # SKIP $*"; exit 0; }
[ "$(id -u)" = 0 ] || skip "making a root file system needs root"
for program in mmdebstrap git unshare chroot; do command -v $program >/dev/null || skip "$program is not installed"; done
unshare --mount --pid --fork true 2>/dev/null || skip "no namespaces here"

work=$(mktemp -d)
bare=$work/root
# Nothing is mounted below it out here; --one-file-system all the same, because what would be removed is /dev.
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM HUP
n=0
failed=0

result() { # status, name, log
        n=$((n + 1))
        if [ "$1" = 0 ]; then
                echo "ok $n - $2"
        else
                echo "not ok $n - $2"
                failed=1
                tail -n 100 "$3" | sed 's/^\(not \)\?ok /# &/; s/^/# /'
        fi
}

inside() { # command...: in the bare root, with its own mounts and processes
        # shellcheck disable=SC2016
        unshare --mount --pid --fork --kill-child sh -c '
                bare=$1
                shift
                # A chroot on a plain directory cannot run containers: its root is no mount.
                mount --bind "$bare" "$bare" || exit 99
                mount -t proc proc "$bare/proc" && mount --rbind /sys "$bare/sys" && mount -t tmpfs -o mode=755 dev "$bare/dev" || exit 99
                # Devices of its own: what goes wrong with them goes wrong in there.
                while read -r name major minor; do mknod -m 666 "$bare/dev/$name" c "$major" "$minor" || exit 99; done <<-NODES
			null 1 3
			zero 1 5
			full 1 7
			random 1 8
			urandom 1 9
			tty 5 0
			fuse 10 229
		NODES
                ln -s /proc/self/fd "$bare/dev/fd"
                ln -s pts/ptmx "$bare/dev/ptmx"
                mkdir "$bare/dev/pts" "$bare/dev/shm"
                mount -t devpts -o newinstance,ptmxmode=666 devpts "$bare/dev/pts" && mount -t tmpfs shm "$bare/dev/shm" || exit 99
                exec chroot "$bare" /usr/bin/env -i HOME=/root TERM=dumb PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
                        sh -c "cd /root/sekisho && exec \"\$@\"" sh "$@"' sh "$bare" "$@" </dev/null
}

timed() { # log, command...: sets seconds
        local log=$1 started
        shift
        started=$(date +%s%N)
        inside "$@" >"$log" 2>&1
        local status=$?
        seconds=$((($(date +%s%N) - started) / 1000000))
        seconds=$((seconds / 1000)).$(printf %03d $((seconds % 1000)))
        return $status
}

within() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a <= b) }'; }

# The archive that this machine uses, through the proxy that it uses.
mirror=http://deb.debian.org/debian
proxy=$(apt-config dump Acquire::http::Proxy | sed -n 's/^Acquire::http::Proxy "\(.*\)";/\1/p')
mmdebstrap --mode=root --variant=minbase ${proxy:+--aptopt="Acquire::http::Proxy \"$proxy\""} bookworm "$bare" \
        "deb $mirror bookworm main" "deb $mirror bookworm-updates main" "deb $mirror-security bookworm-security main" >"$work/make" 2>&1
result $? "a bare Debian 12" "$work/make"
cp /etc/resolv.conf "$bare/etc/resolv.conf"
git -c safe.directory='*' clone --quiet --no-hardlinks --branch "$(git -C "$root" rev-parse --abbrev-ref HEAD)" "$root" "$bare/root/sekisho" >"$work/clone" 2>&1 ||
        { git -c safe.directory='*' clone --quiet --no-hardlinks "$root" "$bare/root/sekisho" >>"$work/clone" 2>&1; }
result $? "a clean clone of $(git -C "$root" log -1 --format=%h)" "$work/clone"
[ $failed = 0 ] || { echo "1..$n"; exit 1; }

timed "$work/demo" ./dev demo
status=$?
grep '^==>' "$work/demo" | sed 's/^/# /'
echo "# fresh: $seconds s, load $(cut -d' ' -f1-3 /proc/loadavg)"
result $status "./dev demo, fresh" "$work/demo"
[ -s "$bare/root/sekisho/demo/report.html" ]
result $? "it wrote demo/report.html" "$work/demo"
grep -q 'CVE-' "$work/demo" || grep -q 'findings' "$work/demo"
result $? "it told findings" "$work/demo"
within "$seconds" $((FRESH_SECONDS * 2))
result $? "it took $seconds s; $FRESH_SECONDS are promised" "$work/demo"

timed "$work/again" ./dev demo
result $? "./dev demo, again" "$work/again"
within "$seconds" $((AGAIN_SECONDS * 2))
result $? "it took $seconds s; $AGAIN_SECONDS are promised" "$work/again"

timed "$work/test" ./dev test
status=$?
grep -E '^(not ok|\[[0-9/]+\] FAILED|  +\|)' "$work/test" >"$work/failures" || tail -n 40 "$work/test" >"$work/failures"
result $status "./dev test" "$work/failures"
echo "# ./dev test took $seconds s and skipped:"
grep 'skipped: ' "$work/test" | sort | uniq -c | sed 's/^/# /'
tail -n 1 "$work/test" | sed 's/^/# /'
tail -n 1 "$work/test" | grep -q '^[1-9][0-9]* passed, 0 failed$'
result $? "its last line says that none failed" /dev/null

echo "1..$n"
exit $failed
