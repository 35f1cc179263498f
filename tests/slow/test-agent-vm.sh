#!/bin/bash
# The sensor on another kernel: Debian's cloud kernel (6.1) in a virtual machine, with this program in an initramfs. What the BPF
# programs read has another shape there, so this is where their relocation by name (CO-RE) shows. One start, under a minute.
program=${SEKISHO_BUILD:-$(dirname "$0")/../../build}/sekisho
case $program in /*) ;; *) program=$PWD/$program ;; esac
actor=$(cd "$(dirname "$0")/../tools" && pwd)/actor.c
skip() { echo "1..0 # SKIP $*"; exit 0; }
for p in qemu-system-x86_64 busybox cc ldd apt-get dpkg-deb; do
        command -v $p >/dev/null || skip "$p is not installed"
done
[ "$(uname -m)" = x86_64 ] || skip "the kernel is one for x86_64"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
chmod 755 .

kernel=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | grep -oE 'linux-image-[0-9][^ ]*cloud-amd64$' | head -1)
[ -n "$kernel" ] && timeout 300 apt-get download "$kernel" >apt.log 2>&1 && dpkg-deb -x "$kernel"*.deb kernel ||
        skip "Debian's cloud kernel cannot be had: $(tail -1 apt.log 2>/dev/null)"
mkdir -p root/{bin,proc,sys,dev,tmp}
cp "$(command -v busybox)" root/bin/busybox
cp "$program" root/bin/sekisho
cc -D_GNU_SOURCE -O1 -static -o root/bin/actor "$actor" || skip "no static program can be built"
ldd "$program" | grep -oE '/[^ ]+' | while read -r library; do
        mkdir -p "root/$(dirname "$library")"
        cp -L "$library" "root/$library"
done
cp kernel/lib/modules/*/kernel/fs/overlayfs/overlay.ko root/
cat >root/rules.yaml <<'R'
- rule: seen
  desc: of the test
  condition: evt.type in (execve, execveat) and proc.args contains mark-
  output: "%proc.args exe=%proc.exepath layer=%proc.exe.layer deleted=%proc.exe.deleted inside=%proc.in_container cgroup=%proc.cgroup vpid=%proc.vpid parent=%proc.pexepath uid=%user.uid cwd=%proc.cwd caps=%thread.cap_effective"
  priority: WARNING
- rule: killed
  desc: of the test
  condition: evt.type in (execve, execveat) and proc.in_container = true and proc.exe.layer = memfd
  output: killed
  priority: CRITICAL
  action: kill
R
cat >root/init <<'I'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmpfs /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
insmod /overlay.ko
mkdir /tmp/l /tmp/u /tmp/w /tmp/m
cp /bin/actor /tmp/l/image
mount -t overlay overlay -o lowerdir=/tmp/l,upperdir=/tmp/u,workdir=/tmp/w /tmp/m
echo "told kernel $(uname -r)"
sekisho doctor | sed 's/^/told doctor /'
sekisho agent --foreground -r /rules.yaml >/tmp/out 2>/tmp/err &
agent=$!
while kill -0 $agent && ! grep -q watching /tmp/err; do sleep 0.1; done
mkdir -p /sys/fs/cgroup/outer/inner
echo $$ >/sys/fs/cgroup/outer/inner/cgroup.procs
cp /bin/actor /tmp/m/dropped
cd /tmp/m
/tmp/m/image noop mark-lower
/tmp/m/dropped noop mark-upper
actor memfd x /bin/actor noop mark-memfd
actor deleted /tmp/m/gone noop mark-deleted
unshare -m -p -f /tmp/m/dropped noop mark-inside
unshare -m -p -f actor memfd x /bin/actor write /tmp/made
echo "told killed $? $(ls /tmp/made 2>/dev/null)"
kill $agent
wait $agent
sed 's/^/told /' /tmp/out /tmp/err
poweroff -f
I
chmod +x root/init
(cd root && find . | busybox cpio -o -H newc 2>/dev/null) >initramfs
timeout 300 qemu-system-x86_64 -accel tcg,thread=multi -cpu max -m 2500 -smp 2 -nographic -no-reboot -nodefaults -serial stdio \
        -kernel kernel/boot/vmlinuz-* -initrd initramfs -append "console=ttyS0 quiet panic=1" </dev/null >log 2>&1
tr -d '\r' <log | grep -o 'told .*' >told || { echo "1..0 # SKIP the virtual machine did not start: $(tail -1 log | tr -d '\r')"; exit 0; }

n=0
failed=0
ok() { # name, pattern
        n=$((n + 1))
        if grep -qE -- "$2" told; then
                echo "ok $n - $1"
        else
                echo "not ok $n - $1"
                sed 's/^/# /' told | cut -c1-300
                failed=1
        fi
}
ok "it is another kernel" 'kernel 6\.1\.'
ok "exec is seen" 'doctor observe *✓ *exec'
ok "fork is seen" 'doctor *✓ *fork'
ok "exit is seen" 'doctor *✓ *exit'
ok "an image's program" 'noop mark-lower exe=/tmp/m/image layer=lower deleted=false inside=false'
ok "a dropped program, with its cgroup, parent, directory" \
        'mark-upper exe=/tmp/m/dropped layer=upper deleted=false inside=false cgroup=/outer/inner vpid=[0-9]+ parent=/bin/busybox uid=0 cwd=/tmp/m/'
ok "its capabilities" 'mark-upper .*caps=CAP_CHOWN .*CAP_SYS_ADMIN'
ok "a memfd" 'mark-memfd exe=memfd:x layer=memfd deleted=true'
ok "a deleted program" 'mark-deleted exe=/tmp/m/gone layer=upper deleted=true'
ok "namespaces of its own" 'mark-inside exe=/tmp/m/dropped layer=upper deleted=false inside=true .* vpid=1 '
ok "a memfd in namespaces is killed before it does anything" 'told killed 137 $'
ok "it ended, and lost nothing" 'agent: ended: .*lost: 0 exec, 0 fork, 0 exit, 0 call; 0 records malformed'
echo "1..$n"
exit $failed
