#!/bin/bash
# Running containers of podman, docker and plain runc, found without their daemons and read from outside.
. "$(dirname "$0")/source-lib.sh"
need podman runc busybox umoci skopeo python3 jq
[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP running containers needs root"; rmdir "$work"; exit 0; }
daemons=()
engine=(podman --root "$work/pods" --runroot "$work/run" --storage-driver overlay --cgroup-manager cgroupfs --runtime runc)
cleanup() {
        "${engine[@]}" rm -f -t 0 -a >/dev/null 2>&1
        [ -z "$runc_id" ] || runc delete -f "$runc_id" >/dev/null 2>&1
        [ ${#daemons[@]} = 0 ] || docker -H "$host" rm -f "$docker_name" >/dev/null 2>&1
        for pid in "${daemons[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; done
        "${engine[@]}" system reset -f >/dev/null 2>&1
        grep -o " $work/[^ ]*" /proc/mounts | sort -r | while read -r m; do umount -l "$m"; done
        rm -rf "$work"
}
trap cleanup EXIT
cd "$work" || exit 1
export TMPDIR=$work HOME=$work
limits=(--ulimit nofile=20000:20000 --ulimit nproc=20000:20000)

make_layout oci v1
skopeo copy -q oci:oci:v1 docker-archive:image.tar:localhost/web:v1
mkdir volume && echo private >volume/file
# What runs inside: makes some files of all sorts, says so, waits to be killed.
work_inside='echo made >/made; ln -s /etc/shadow /link; ln /made /hard; : >/.wh.hello; mkdir -p /d/e; rm /hello; echo >/vol/ready; exec sleep 600'
await() { # file
        for ((i = 0; i < 300; i++)); do
                [ -e "$1" ] && return 0
                read -rt 0.1 <> <(:)
        done
        return 1
}
right_content() { # container, options...
        list --layer 0 "$@" >layer.tar || return 1
        tar -tf layer.tar 2>/dev/null >names
        tar -xOf layer.tar hard 2>/dev/null | grep -q made || { echo "no /made"; return 1; }
        tar -tvf layer.tar 2>/dev/null | grep -q 'link -> /etc/shadow' || { echo "/link was followed"; return 1; }
        tar -tvf layer.tar 2>/dev/null | grep -qE 'link to (made|hard)' || { echo "no hard link"; return 1; }
        grep -qx hello names && { echo "/hello was deleted"; return 1; }
        grep -q vol/file names && { echo "the volume was entered"; return 1; }
        grep -aq 'SEKISHO.literal=1' layer.tar || { echo "the name like a whiteout is not marked"; return 1; }
        grep -aq 'SEKISHO.unread=mount' layer.tar || { echo "the volume is not noted"; return 1; }
        ! grep -aq 'SEKISHO.unread=mount.*proc$' layer.tar || { echo "the kernel's /proc is noted"; return 1; }
}

name=sekisho-test-$$
"${engine[@]}" load -q -i image.tar >/dev/null 2>&1
if "${engine[@]}" run -d --name "$name" --user 0 --network none "${limits[@]}" -v "$work/volume:/vol" localhost/web:v1 \
        /bin/sh -c "$work_inside" >id 2>log && await volume/ready; then
        id=$(cat id)
        ok "podman: found by name" prints "container: $id" list --root pods "container:$name"
        ok "podman: found by the start of its id" prints "name: $name" list --root pods "container:${id:0:12}"
        ok "podman: found without a prefix" prints "source: container" list --root pods "$name"
        ok "podman: its image is known" prints "tag: localhost/web:v1" list --root pods "$name"
        ok "podman: and what that is to run" prints "env: A=b" list --root pods "$name"
        ok "podman: the content is right" right_content --root pods "$name"
        ok "podman: exports it" "${engine[@]}" export -o export.tar "$name"
        # As podman sees it, but for what is mounted.
        python3 "$here/merge-layers.py" export.tar | grep -vE '^(proc|sys|dev|vol|run/.containerenv|etc/(hosts|hostname|resolv.conf))( |/)' | sed 's/^.wh/wh/' >want
        python3 - layer.tar <<'P' >plain.tar
import sys, tarfile
source = tarfile.open(sys.argv[1])
out = tarfile.open(fileobj=sys.stdout.buffer, mode="w|")
for m in source:
    if m.type != b"U":
        out.addfile(m, source.extractfile(m) if m.isreg() else None)
out.close()
P
        python3 "$here/merge-layers.py" plain.tar | grep -vE '^(proc|sys|dev|vol|run/.containerenv|etc/(hosts|hostname|resolv.conf))( |/)' >got
        ok "podman: the tree is the one that podman exports" diff want got
        ok "podman: a start of an id that is too short is none" says "no container is called" list --root pods "container:${id:0:3}"
        "${engine[@]}" kill "$name" >/dev/null 2>&1
        "${engine[@]}" wait "$name" >/dev/null 2>&1
        ok "podman: one that has ended says so" says "$name" list --root pods "container:$name"
else
        n=$((n + 1))
        echo "ok $n - podman # SKIP podman cannot run a container here: $(tail -1 log)"
fi

# runc alone.
runc_id=sekisho-runc-$$
mkdir -p bundle/rootfs/bin bundle/rootfs/proc bundle/rootfs/vol
cp "$(command -v busybox)" bundle/rootfs/bin/busybox
for a in sh sleep mkdir ln rm; do ln -s busybox bundle/rootfs/bin/$a; done
: >bundle/rootfs/hello
rm -f volume/ready
runc spec -b bundle
jq --arg v "$work/volume" --arg c "$work_inside" '.process.terminal = false | .root.readonly = false | del(.process.rlimits)
        | .process.args = ["/bin/sh", "-c", $c] | .process.env = ["PATH=/bin"]
        | .mounts = [.mounts[] | select(.destination == "/proc")] + [{destination: "/vol", type: "bind", source: $v, options: ["rbind", "rw"]}]
        | .process.capabilities[] += ["CAP_DAC_OVERRIDE"]' bundle/config.json >c.json && mv c.json bundle/config.json
if runc run -d -b bundle "$runc_id" >log 2>&1 </dev/null && await volume/ready; then
        ok "runc: found by id" prints "container: $runc_id" list "container:$runc_id"
        ok "runc: the content is right" right_content "container:$runc_id"
        pid=$(jq .init_process_pid "/run/runc/$runc_id/state.json")
        jq '.init_process_start += 1' "/run/runc/$runc_id/state.json" >state
        cp "/run/runc/$runc_id/state.json" kept
        cat state >"/run/runc/$runc_id/state.json"
        ok "runc: another process with the same number is not taken for it" says "has ended" list "container:$runc_id"
        cat kept >"/run/runc/$runc_id/state.json"
        kill -9 "$pid"
        while [ -e "/proc/$pid/exe" ]; do read -rt 0.1 <> <(:); done
        ok "runc: one that has ended says so" says "has ended" list "container:$runc_id"
else
        n=$((n + 1))
        echo "ok $n - runc # SKIP runc cannot run a container here: $(tail -1 log)"
fi

# containerd alone, in a mount namespace of its own, since its state lies in /run.
cat >containerd.sh <<'X'
mount -t tmpfs none /run || exit 3
printf 'version = 2\nroot = "%s/containerd"\nstate = "/run/containerd"\n[grpc]\n  address = "/run/containerd/containerd.sock"\n' "$work" >c.toml
containerd -c c.toml >clog 2>&1 &
daemon=$!
trap 'ctr task kill -s KILL webctr; ctr task rm webctr; ctr c rm webctr; kill $daemon; wait $daemon' EXIT
for ((i = 0; i < 100; i++)); do
        ctr version >/dev/null 2>&1 && break
        read -rt 0.1 <> <(:)
done
ctr run -d --rootfs --annotation io.kubernetes.cri.container-name=web --annotation io.kubernetes.cri.image-name=a.example/web:1 \
        --mount "type=bind,src=$work/volume,dst=/vol,options=rbind:rw" "$work/bundle/rootfs" webctr /bin/sh -c "$work_inside" || exit 3
for ((i = 0; i < 300; i++)); do
        [ -e volume/ready ] && break
        read -rt 0.1 <> <(:)
done
"$SOURCE_LIST" container:webctr >listed && "$SOURCE_LIST" container:web >listed && "$SOURCE_LIST" --layer 0 container:web >layer.tar
X
rm -rf volume/ready bundle/rootfs/{made,hard,link,d,.wh.hello}
: >bundle/rootfs/hello
if command -v containerd ctr >/dev/null && work=$work SOURCE_LIST=$SOURCE_LIST work_inside=$work_inside unshare -m bash containerd.sh >log 2>&1; then
        ok "containerd: found by id, and by the name that Kubernetes gave it" grep -qx "container: webctr" listed
        ok "containerd: its image is known" grep -qx "tag: a.example/web:1" listed
        ok "containerd: the content is right" sh -c "tar -tf layer.tar 2>/dev/null | grep -qx hard && ! tar -tf layer.tar 2>/dev/null | grep -qx hello"
else
        n=$((n + 1))
        echo "ok $n - containerd # SKIP containerd cannot run a container here: $(tail -1 log)"
fi

# A stale record of Docker, whose process is one of the host by now.
stale=$(printf 'ab%.0s' {1..32})
mkdir -p "fake/containers/$stale"
echo "{\"ID\":\"$stale\",\"Name\":\"/stale\",\"State\":{\"Running\":true,\"Pid\":$$}}" >"fake/containers/$stale/config.v2.json"
ok "a host's process is never taken for a container's" says "has ended" list --root fake container:stale
echo "{\"ID\":\"$stale\",\"Name\":\"/stale\",\"State\":{\"Running\":false,\"Pid\":0},\"Config\":{\"Image\":\"web:9\"}}" >"fake/containers/$stale/config.v2.json"
ok "a stopped container leads to its image" says "web:9" list --root fake container:stale

if command -v dockerd docker >/dev/null; then
        host=unix://$work/docker.sock
        docker_name=sekisho-docker-$$
        rm -f volume/ready
        dockerd --data-root "$work/docker" --exec-root "$work/exec" -p "$work/pid" -H "$host" --iptables=false --bridge=none \
                -s vfs --default-ulimit nofile=20000:20000 >dlog 2>&1 &
        daemons=($!)
        for ((i = 0; i < 300; i++)); do
                docker -H "$host" version >/dev/null 2>&1 && break
                kill -0 "${daemons[0]}" 2>/dev/null || break
                read -rt 0.1 <> <(:)
        done
        if docker -H "$host" load -q -i image.tar >/dev/null 2>log &&
                docker -H "$host" run -d --name "$docker_name" --user 0 --network none -v "$work/volume:/vol" localhost/web:v1 \
                        /bin/sh -c "$work_inside" >id 2>log && await volume/ready; then
                ok "docker: found by name" prints "container: $(cat id)" list --root docker "container:$docker_name"
                ok "docker: its image is known" prints "env: A=b" list --root docker "container:$docker_name"
                ok "docker: the content is right" right_content --root docker "container:$docker_name"
        else
                n=$((n + 1))
                echo "ok $n - docker # SKIP dockerd cannot run a container here: $(tail -1 log)"
        fi
else
        n=$((n + 1))
        echo "ok $n - docker # SKIP dockerd is not installed"
fi
finish
