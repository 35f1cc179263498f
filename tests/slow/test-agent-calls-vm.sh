#!/bin/bash
# Full mode on another kernel: Debian's cloud kernel (6.1) in a virtual machine. Its verifier is an older one, its calls and structs have
# other shapes, and modes change there while it runs. One start, under a minute.
. "$(dirname "$0")/../tools/vm.sh"
vm_begin
cat >root/rules.yaml <<'R'
- rule: opened
  desc: of the test
  condition: evt.type in (open, openat, openat2, creat) and fd.name startswith /tmp/m/watched/ and evt.rawres >= 0
  output: "open %evt.type name=%fd.name raw=%fd.nameraw layer=%fd.layer write=%evt.is_open_write 32bit=%evt.is_32bit proc=%proc.name"
  priority: WARNING
- rule: changed
  desc: of the test
  condition: evt.type in (unlink, unlinkat, rename, chmod, truncate, memfd_create, unshare, ptrace, bpf, connect, close, execve) and proc.args contains mark- and evt.rawres < 1000
  output: "call %evt.type res=%evt.res args=%evt.args %proc.args"
  priority: WARNING
R
{
        vm_init
        cat <<'I'
mkdir -p /tmp/l/watched /tmp/u /tmp/w /tmp/m
echo x >/tmp/l/watched/lower
mount -t overlay overlay -o lowerdir=/tmp/l,upperdir=/tmp/u,workdir=/tmp/w /tmp/m
ln -s /tmp/m/watched /tmp/link
: >/tmp/m/near
ip link set lo up
sekisho agent --foreground --mode full -r /rules.yaml >/tmp/out 2>/tmp/err &
agent=$!
while kill -0 $agent && ! grep -q watching /tmp/err; do sleep 0.1; done
actor do open /tmp/m/watched/lower x
actor do openat2 /tmp/link/../watched/lower x
actor do openat /tmp/m/watched lower x
actor do open-write /tmp/link/upper x
actor do open32 /tmp/m/watched/lower x
actor do open /tmp/m/near x
actor do unlink /tmp/m/watched/upper mark-
actor do unlink32 /tmp/m/none mark-
actor do chmod /tmp/m/near 4755 mark-
actor do memfd_create hidden mark-
actor do unshare mark-
actor do ptrace 2 mark-
actor do bpf mark-
actor do connect 9 mark-
actor do close /tmp/m/near mark-
actor do execve /tmp/m/none mark-
kill -USR2 $agent
while kill -0 $agent && ! grep -q 'agent: lean mode' /tmp/err; do sleep 0.1; done
actor do unlink /tmp/m/none mark-lean
kill -USR1 $agent
while kill -0 $agent && ! grep -q 'agent: full mode' /tmp/err; do sleep 0.1; done
actor do unlink /tmp/m/none mark-again
kill $agent
wait $agent
sed 's/^/told /' /tmp/out /tmp/err
poweroff -f
I
} >root/init
vm_run

ok "it is another kernel" 'kernel 6\.1\.'
ok "it starts in full mode" 'watching: .* full mode'
ok "an open of a lower file" 'open open name=/tmp/m/watched/lower raw=/tmp/m/watched/lower layer=lower write=false 32bit=false proc=actor'
ok "by a link and .. with openat2" 'open openat2 name=/tmp/m/watched/lower raw=/tmp/link/\.\./watched/lower'
ok "by the descriptor of a directory" 'open openat name=/tmp/m/watched/lower raw=lower'
ok "a file that is made" 'open openat name=/tmp/m/watched/upper raw=/tmp/link/upper layer=upper write=true'
ok "a 32-bit open" 'open open name=/tmp/m/watched/lower .* 32bit=true'
ok "an unlink" 'call unlink res=SUCCESS args=res=0 path=/tmp/m/watched/upper'
ok "a 32-bit unlink that fails" 'call unlink res=ENOENT args=res=-2\(ENOENT\) path=/tmp/m/none|call unlink res=ENOENT .*do unlink32'
ok "a chmod" 'call chmod res=SUCCESS .*S_ISUID'
ok "a memfd" 'call memfd_create res=SUCCESS|call memfd_create .*name=hidden'
ok "an unshare" 'call unshare .*CLONE_NEWUSER'
ok "a ptrace" 'call ptrace .*PTRACE_ATTACH'
ok "bpf" 'call bpf '
ok "a connection, with its address" 'call connect res=ECONNREFUSED .*127\.0\.0\.1:9'
ok "a close, with what was closed" 'call close res=SUCCESS .*/tmp/m/near'
ok "a program that is not there" 'call execve res=ENOENT'
ok "full mode again" 'call unlink .*mark-again'
none "no call in lean mode" 'call unlink .*mark-lean'
none "nothing beside the watched directory" 'open .*name=/tmp/m/near'
ok "it ended, and lost nothing" 'agent: ended: .*lost: 0 exec, 0 fork, 0 exit, 0 call; 0 records malformed'
vm_end
