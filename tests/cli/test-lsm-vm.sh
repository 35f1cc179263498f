#!/bin/bash
# BPF LSM: what may not run is denied and not only killed, in a virtual machine with Debian's cloud kernel (6.1, lsm=...,bpf), because
# the machine that this runs on may refuse such programs. Two containers of one image, as a runtime would make them: one is guarded
# by its manifest, may not connect, trace or use BPF, and its logs only grow; of the other nothing is asked. Each step ends with the
# number of its error, 0 if it was let through.
. "$(dirname "$0")/../tools/vm.sh"
vm_begin
image=root/image
mkdir -p $image/{bin,dev,opt,proc,var/log/old,lib64,lib/x86_64-linux-gnu,root} root/drop
cp root/bin/busybox root/bin/actor $image/bin/
for name in sh cat cp mv rm ln sed dd truncate touch chmod test mkdir; do ln -s busybox $image/bin/$name; done
cp /bin/true $image/bin/dynamic
cp -L /lib64/ld-linux-x86-64.so.2 $image/lib64/
cp -L /lib/x86_64-linux-gnu/libc.so.6 $image/lib/x86_64-linux-gnu/
printf 'read x < "$1"; exit 8\n' >$image/app.sh
printf '#!/bin/sh\nexit 7\n' >$image/bin/tool
chmod 755 $image/bin/tool
: >$image/dev/null
echo line >$image/var/log/app.log
echo line >$image/var/log/old/app.log
echo 'void __attribute__((constructor)) f(void); int creat(const char *, unsigned); void f(void) { creat("/root/preloaded", 0600); }' >a.c
cc -shared -fPIC -o root/drop/a.so a.c || skip "no library can be built"
cat >$image/steps.sh <<'S'
t() { name=$1; shift; "$@" >/dev/null 2>&1; echo "told $c $name $?"; }
c=$1
echo x >/opt/data
cp /bin/actor /opt/x; cp /bin/dynamic /opt/d
printf '#!/bin/sh\n:>/root/ran-hashbang\n' >/opt/s; chmod 755 /opt/s
echo ':>/root/ran-script' >/opt/s.sh
t image actor noop
t image-script tool
t image-script-by-sh sh /app.sh /opt/data
t image-by-ldso /lib64/ld-linux-x86-64.so.2 /bin/dynamic
t read cat /opt/x
t dropped /opt/x noop
t memfd actor memfd x /bin/actor noop
t hashbang /opt/s
t script sh /opt/s.sh
t script-options sh -e -u /opt/s.sh
t ldso /lib64/ld-linux-x86-64.so.2 /opt/d
t preload env LD_PRELOAD=/opt/a.so /bin/dynamic
t map actor map /opt/a.so
t map-image actor map /lib64/ld-linux-x86-64.so.2
t protect actor protect /opt/a.so
t protect-image actor protect /lib64/ld-linux-x86-64.so.2
for f in ran-hashbang ran-script preloaded; do test -e /root/$f && echo "told $c $f"; done
t connect actor dial 192.0.2.1 80
t connect-loopback actor dial 127.0.0.1 80
t trace actor trace
t bpf actor bpf
t log-append sh -c 'echo more >>/var/log/app.log'
t log-new sh -c 'echo new >/var/log/new.log'
t log-shorten sh -c ': >/var/log/app.log'
t log-overwrite dd if=/bin/busybox of=/var/log/app.log bs=4 count=1 conv=notrunc
t log-truncate truncate -s 1 /var/log/app.log
t log-unappend actor unappend /var/log/app.log
t log-edit sed -i /line/d /var/log/app.log
t log-copy cp /dev/null /var/log/app.log
t log-below rm /var/log/old/app.log
t log-link ln /var/log/app.log /opt/second
t log-rename mv /var/log/app.log /var/log/app.log.1
t log-replace mv /opt/data /var/log/app.log
t log-remove rm -f /var/log/app.log /var/log/app.log.1
t other-remove rm /opt/x
S
"$work/root/bin/sekisho" scan "dir:$image" -q --no-record --manifest root/manifest >scan.log 2>&1
[ -s root/manifest ] || { echo "1..1"; echo "not ok 1 - a manifest is written"; sed 's/^/# /' scan.log; exit 1; }
{
        vm_init
        cat <<'I'
mkdir /tmp/second
cp -a /image /tmp/image
for c in guarded free early; do
        mkdir -p /tmp/$c/upper /tmp/$c/work /tmp/$c/root /sys/fs/cgroup/$c
        mount -t overlay overlay -o lowerdir=/tmp/second:/tmp/image,upperdir=/tmp/$c/upper,workdir=/tmp/$c/work /tmp/$c/root
        cp /drop/a.so /tmp/$c/root/opt/a.so
done
sekisho agent --foreground --alerts /tmp/alerts -o none --least informational --drift guarded=/manifest --drift-mode enforce \
        --drift-mode free=off --forbid guarded=connect,ptrace,bpf --append-only guarded=/var/log >/tmp/out 2>/tmp/err &
agent=$!
while kill -0 $agent && ! grep -q watching /tmp/err; do sleep 0.1; done
for c in guarded free; do
        actor contain /sys/fs/cgroup/$c /tmp/$c/root /bin/sh -c 'until test -e /begin; do :; done; exec sh /steps.sh '$c &
        contained=$!
        while [ $c = guarded ] && kill -0 $agent && ! grep -q "container guarded" /tmp/err; do sleep 0.1; done
        : >/tmp/$c/root/begin
        wait $contained
done
kill $agent
wait $agent
echo "told ended $?"
sed 's/^/told /' /tmp/err

# The first program of a container, before anybody can have looked at it.
cp /bin/actor /tmp/early/root/opt/x
sekisho agent --foreground -o none --drift-mode enforce >/tmp/out 2>/tmp/err.early &
agent=$!
while kill -0 $agent && ! grep -q watching /tmp/err.early; do sleep 0.1; done
actor contain /sys/fs/cgroup/early /tmp/early/root /opt/x noop
echo "told early dropped $?"
actor contain /sys/fs/cgroup/early /tmp/early/root /bin/actor noop
echo "told early image $?"
kill $agent
wait $agent
sed -E 's/^.*"rule":"([^"]*)","priority":"([^"]*)".*"action":"([^"]*)".*"output":"([^"]*)".*$/told alert \3 \2 \1: \4/' /tmp/alerts
poweroff -f
I
} >root/init
vm_run lsm=landlock,lockdown,bpf

ok "it is another kernel" 'kernel 6\.1\.'
none "this kernel takes the programs of lean mode" 'no events of the network'
ok "the agent says that it denies" 'what may not run is denied \(BPF LSM\)'
ok "the container is guarded by its manifest" 'container guarded: drift enforce, by the manifest of'
# Step, and how it ends where nothing is asked and in the guarded container.
while read -r step free guarded; do
        ok "free: $step" "^told free $step $free\$"
        ok "guarded: $step" "^told guarded $step $guarded\$"
done <<'T'
image 0 0
image-script 7 7
image-script-by-sh 8 8
image-by-ldso 0 0
map-image 0 0
protect-image 0 0
read 0 0
dropped 0 126
memfd 0 99
hashbang 0 126
script 0 [1-9][0-9]*
script-options 0 [1-9][0-9]*
ldso 0 127
preload 0 0
map 0 1
protect 0 1
connect 101 1
connect-loopback 101 101
trace 0 1
bpf 0 1
log-append 0 0
log-new 0 0
log-shorten 0 1
log-overwrite 0 1
log-truncate 0 1
log-unappend 0 1
log-edit 0 1
log-copy 0 1
log-below 0 1
log-link 0 1
log-rename 0 1
log-replace 0 1
log-remove 0 1
other-remove 0 0
T
for what in ran-hashbang ran-script preloaded; do
        ok "free: $what" "^told free $what\$"
        none "guarded: not $what" "^told guarded $what\$"
done
ok "a container's first program is denied if it is not the image's" 'told early dropped 99'
ok "and runs if it is" 'told early image 0'
ok "a denied program is told" 'alert denied Critical Drift: program is not of the image: /opt/x is not in the image: .*; it was denied \(program .*container guarded'
ok "a denied script is told" 'alert denied Critical Drift: script is not of the image: /opt/s\.sh'
ok "denied code is told" 'alert denied Critical Drift: code is not of the image: /opt/a\.so'
ok "a denied connection is told" 'alert denied Critical Connection forbidden: connection to 192\.0\.2\.1:80'
ok "denied tracing is told" 'alert denied Critical Tracing forbidden'
ok "denied BPF is told" 'alert denied Critical BPF forbidden'
ok "tampering with a log is told" 'alert denied Critical Guarded log tampered with: remove of /var/log/app\.log, which may only grow'
none "nothing is told of the free container" 'alert .*container free'
ok "the agent ends" 'told ended 0'
vm_end
