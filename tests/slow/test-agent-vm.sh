#!/bin/bash
# The sensor on another kernel: Debian's cloud kernel (6.1) in a virtual machine, with this program in an initramfs. What the BPF
# programs read has another shape there, so this is where their relocation by name (CO-RE) shows. One start, under a minute.
. "$(dirname "$0")/../tools/vm.sh"
vm_begin
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
- rule: titled
  desc: of the test
  condition: evt.type = title
  output: "titled %evt.arg.name was %proc.name"
  priority: WARNING
R
{
        vm_init
        cat <<'I'
mkdir /tmp/l /tmp/u /tmp/w /tmp/m
cp /bin/actor /tmp/l/image
mount -t overlay overlay -o lowerdir=/tmp/l,upperdir=/tmp/u,workdir=/tmp/w /tmp/m
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
sh -c 'echo kworker/9:1 >/proc/self/comm'
kill $agent
wait $agent
sed 's/^/told /' /tmp/out /tmp/err
poweroff -f
I
} >root/init
vm_run

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
ok "a title of a thread of the kernel, in lean mode" 'titled kworker/9:1'
ok "of lean mode's hooks this kernel has that of packets" 'does not tell of capabilities [^p]*$'
ok "it ended, and lost nothing" 'agent: ended: .*lost: 0 exec, 0 fork, 0 exit, 0 call; 0 records malformed'
vm_end
