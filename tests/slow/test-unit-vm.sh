#!/bin/bash
# The unit is started by systemd itself: Debian 12 with its systemd, made of its packages, in a virtual machine, with this program and
# data/service/sekisho-agent.service as they are. It starts, answers, reloads, is started anew and killed, and no program that ran in
# the meantime goes untold; what systemd was asked for is looked at in /proc. Some minutes: qemu without KVM.
. "$(dirname "$0")/../tools/vm.sh"
command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed"
[ "$(id -u)" = 0 ] || skip "making a root file system needs root"
vm_begin
unit=$vm_tools/../../data/service/sekisho-agent.service
recipe=$vm_tools/../../data/service/Containerfile
# The libraries are those that the image's recipe installs: a package that is missing there is missing here.
libraries=$(sed -n '/^FROM \${DEBIAN}$/,$p' "$recipe" | tr -d '\\' | tr ' ' '\n' | grep -E '^lib[a-z0-9.+-]+$' | paste -sd,)
mkdir bare
timeout 400 mmdebstrap --mode=root --variant=minbase --include="kmod,systemd,systemd-sysv,dbus,util-linux,$libraries" bookworm bare/root.tar \
        http://deb.debian.org/debian >made 2>&1 || skip "Debian's packages cannot be fetched: $(tail -1 made)"
mv root/bin/actor root/bin/sekisho root/overlay.ko .
rm -rf root
mkdir root
tar -xf bare/root.tar -C root --exclude='./dev/*' --exclude='./usr/share/doc/*' --exclude='./usr/share/locale/*' --exclude='./var/cache/*' \
        --exclude='./var/lib/apt/*'
rm -rf bare
mv actor sekisho root/usr/bin/
mv overlay.ko root/
cp "$unit" root/etc/systemd/system/
cat >root/init <<'I'
#!/bin/sh
exec /lib/systemd/systemd
I

cat >root/etc/systemd/system/story.service <<'U'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
StandardOutput=file:/dev/ttyS0
ExecStart=/story
U
mkdir -p root/etc/systemd/system/story.target.wants
cat >root/etc/systemd/system/story.target <<'U'
[Unit]
Requires=multi-user.target
Wants=story.service
U
mkdir -p root/etc/systemd/system/multi-user.target.wants
ln -s ../sekisho-agent.service root/etc/systemd/system/multi-user.target.wants/
cat >root/story <<'S'
#!/bin/bash
# What happens in there.
exec 2>&1
trap 'systemctl poweroff -ff' EXIT
echo "told kernel $(uname -r) systemd $(systemctl --version | head -1)"
insmod /overlay.ko
mkdir -p /tmp/l /tmp/u /tmp/w /tmp/m
mount -t overlay overlay -o lowerdir=/tmp/l,upperdir=/tmp/u,workdir=/tmp/w /tmp/m
cp /usr/bin/actor /tmp/m/dropped

watches() { # until an agent watches that is not $1
        for i in $(seq 600); do
                pid=$(systemctl show -p MainPID --value sekisho-agent)
                [ "$pid" != 0 ] && [ "$pid" != "$1" ] && sekisho agent status >/dev/null 2>&1 && return 0
                sleep 0.1
        done
        echo "told no agent watches: $(systemctl status --no-pager sekisho-agent | tr '\n' '|')"
        return 1
}

run() { unshare -m -p -f /tmp/m/dropped noop "mark-$1" </dev/null; }

# Runs programs while something is done to the agent, until one watches again that is not $2.
during() { # name, number of the agent that goes or "", command...
        name=$1 before=$2
        shift 2
        touch /tmp/go
        (n=0; while [ -e /tmp/go ] && [ $n -lt 60 ]; do run "$name-$n-end"; n=$((n + 1)); done; echo $n >/tmp/n) &
        sleep 0.5
        "$@"
        echo "told $name: systemctl said $?"
        watches "$before"
        sleep 1
        rm -f /tmp/go
        wait $!
        run "$name-last-end"
        for i in $(seq 300); do grep -q "mark-$name-last-end" /var/log/sekisho/alerts.jsonl && break; sleep 0.1; done
        n=$(cat /tmp/n)
        missing=
        for i in $(seq 0 $((n - 1))); do grep -q "mark-$name-$i-end" /var/log/sekisho/alerts.jsonl || missing="$missing $i"; done
        echo "told $name: $n programs, missing:${missing:- none}"
}

watches 0 && echo "told active: $(systemctl is-active sekisho-agent)"
grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/$pid/status | tr '\t\n' '  ' | sed 's/^/told status /'
echo
echo "told nice $(ps -o ni= -p $pid 2>/dev/null || awk '{print $19}' /proc/$pid/stat) oom $(cat /proc/$pid/oom_score_adj)"
echo "told modes $(stat -c '%a %n' /var/lib/sekisho /var/log/sekisho /run/sekisho /var/log/sekisho/alerts.jsonl | tr '\n' ' ')"
during reload '' systemctl reload sekisho-agent
during restart "$pid" systemctl restart sekisho-agent
during killed "$pid" systemctl kill -s KILL sekisho-agent
journalctl --no-pager -o cat -u sekisho-agent | grep -m1 'rules loaded' | sed 's/^/told log /'
echo "told restarts $(systemctl show -p NRestarts --value sekisho-agent)"
systemctl stop sekisho-agent
echo "told stopped: $(systemctl show -p Result --value sekisho-agent) $(systemctl is-active sekisho-agent)"
echo "told kept: $(ls /sys/fs/bpf/sekisho-agent | wc -l)"
sekisho agent --forget /sys/fs/bpf/sekisho-agent
echo "told forgotten: $(ls /sys/fs/bpf/sekisho-agent 2>/dev/null | wc -l)"
systemd-analyze verify --man=no /etc/systemd/system/sekisho-agent.service 2>&1 | sed 's/^/told verify /'
S
chmod +x root/story
VM_MEMORY=3500 VM_SECONDS=900
vm_run "systemd.unit=story.target systemd.show_status=0 lsm=landlock,lockdown,bpf"

again() { # name of what was done, words
        ok "$2: systemctl is content" "told $1: systemctl said 0"
        ok "$2: no program goes untold" "told $1: [1-9][0-9]* programs, missing: none"
}
ok "it is another kernel, with systemd" 'kernel 6\.1\..*systemd 252'
ok "systemd has it started with the machine" 'active: active'
ok "with no new privileges, under a filter" 'status .*NoNewPrivs: 1 Seccomp: 2'
ok "at the priority that the unit asks for, and the last to be killed for memory" 'nice +-10 oom -900'
ok "its directories are its own" 'modes 700 /var/lib/sekisho 700 /var/log/sekisho 755 /run/sekisho 600 /var/log/sekisho/alerts.jsonl'
again reload "rules loaded anew"
again restart "started anew"
again killed "killed"
ok "systemd started it again by itself, once" 'restarts 1$'
ok "it is stopped in order" 'stopped: success inactive'
ok "what watches stays behind it" 'kept: [1-9]'
ok "until it is taken away" 'forgotten: 0'
none "no complaint about the unit" 'verify .*sekisho'
vm_end
