# A virtual machine with Debian's cloud kernel and this program in an initramfs; sourced by the tests that need another kernel than
# the one they run on. qemu without KVM: a start takes some seconds, so a test starts one and does all of its work there.
#
#   vm_begin            makes a directory with the parts, or skips the test and says why; the test is in it then ($work/root: the initramfs)
#   vm_run APPEND       starts it with these words on the kernel's command line (VM_MEMORY: its MiB, VM_SECONDS: how long it may run); what /init printed as "told ..." is in the file `told`
#   ok NAME PATTERN     a line of TAP: was that told?     none NAME PATTERN: was it not?
#   vm_end              the plan and the exit code
#
# The kernel comes from Debian's archive and is kept in the user's cache, so that it is fetched once a version.
vm_tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

skip() { echo "1..0 # SKIP $*"; exit 0; }

# Where vmlinuz and overlay.ko are: $vm_kernel.
vm_get_kernel() {
        local package part cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/sekisho/kernel
        package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | grep -oE 'linux-image-[0-9][^ ]*cloud-amd64$' | head -1)
        [ -n "$package" ] || skip "the package linux-image-cloud-amd64 is not known here"
        vm_kernel=$cache/$package
        [ -e "$vm_kernel/overlay.ko" ] && return
        mkdir -p "$cache" get && chmod 755 get
        (cd get && timeout 300 apt-get download "$package" >log 2>&1 && dpkg-deb -x "$package"*.deb .) ||
                skip "Debian's cloud kernel cannot be had: $(tail -1 get/log 2>/dev/null)"
        part=$(mktemp -d "$cache/part.XXXXXX")
        cp get/boot/vmlinuz-* "$part/vmlinuz"
        cp get/lib/modules/*/kernel/fs/overlayfs/overlay.ko "$part/"
        mv -T "$part" "$vm_kernel" 2>/dev/null || rm -rf "$part" # another test was faster
        rm -rf get
}

vm_begin() {
        local program=${SEKISHO_BUILD:-$vm_tools/../../build}/sekisho p
        program=$(realpath "$program")
        for p in qemu-system-x86_64 busybox cc ldd apt-get apt-cache dpkg-deb; do
                command -v $p >/dev/null || skip "$p is not installed"
        done
        [ "$(uname -m)" = x86_64 ] || skip "the kernel is one for x86_64"
        work=$(mktemp -d)
        trap 'rm -rf "$work"' EXIT
        cd "$work" || exit 1
        chmod 755 .
        vm_get_kernel
        mkdir -p root/{bin,proc,sys,dev,tmp}
        cp "$(command -v busybox)" root/bin/busybox
        cp "$program" root/bin/sekisho
        cp "$vm_kernel/overlay.ko" root/
        cc -D_GNU_SOURCE -O1 -static -o root/bin/actor "$vm_tools/actor.c" || skip "no static program can be built"
        vm_add_libraries "$program"
}

# The libraries that a program needs, where it looks for them.
vm_add_libraries() {
        local library
        ldd "$1" | grep -oE '/[^ ]+' | while read -r library; do
                mkdir -p "root/$(dirname "$library")"
                cp -L "$library" "root/$library"
        done
}

# How /init begins.
vm_init() {
        cat <<'I'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmpfs /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
insmod /overlay.ko
echo "told kernel $(uname -r)"
I
}

vm_run() {
        chmod +x root/init
        (cd root && find . | busybox cpio -o -H newc 2>/dev/null) >initramfs
        timeout "${VM_SECONDS:-300}" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -m "${VM_MEMORY:-2500}" -smp 2 -nographic -no-reboot -nodefaults -serial stdio \
                -kernel "$vm_kernel/vmlinuz" -initrd initramfs -append "console=ttyS0 quiet panic=1 $*" </dev/null >log 2>&1
        tr -d '\r' <log | grep -o 'told .*' >told || skip "the virtual machine did not start: $(tail -1 log | tr -d '\r')"
}

vm_n=0
vm_failed=0
ok() {
        vm_n=$((vm_n + 1))
        if grep -qE -- "$2" told; then
                echo "ok $vm_n - $1"
        else
                echo "not ok $vm_n - $1"
                [ $vm_failed = 1 ] || sed 's/^/# /' told | cut -c1-400 # once
                vm_failed=1
        fi
}

# Not told.
none() {
        if grep -qE -- "$2" told; then
                vm_n=$((vm_n + 1))
                echo "not ok $vm_n - $1"
                grep -E -- "$2" told | sed 's/^/# /' | cut -c1-400
                vm_failed=1
        else
                ok "$1" ''
        fi
}

vm_end() {
        echo "1..$vm_n"
        exit $vm_failed
}
