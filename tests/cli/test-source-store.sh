#!/bin/bash
# The stores of podman and docker on disk, overlay and vfs: merged, their layers must be the tree that the image's own
# layers make, whiteouts and opaque directories included.
. "$(dirname "$0")/source-lib.sh"
need umoci skopeo podman jq busybox python3
daemons=()
cleanup() {
        for pid in "${daemons[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; done
        podman --root "$work/vfs" --runroot "$work/run" --storage-driver vfs system reset -f >/dev/null 2>&1
        podman --root "$work/overlay" --runroot "$work/run" --storage-driver overlay system reset -f >/dev/null 2>&1
        grep -o " $work/[^ ]*" /proc/mounts | sort -r | while read -r m; do umount -l "$m"; done
        rm -rf "$work"
}
trap cleanup EXIT
cd "$work" || exit 1
export TMPDIR=$work HOME=$work

# An image of layers that add, replace, delete and hide.
mkdir -p c/dir/sub c/dir2 one
echo 1 >c/dir/a && echo 2 >c/dir/b && echo 3 >c/dir/sub/c && ln -s a c/dir/link && ln c/dir/a c/dir/hard
head -c 100000 /dev/urandom >c/dir2/big && echo new >one/new && chmod 4755 c/dir/b
echo other >changed
{
        umoci init --layout oci && umoci new --image oci:v1
        umoci insert --image oci:v1 c/dir /dir
        umoci insert --image oci:v1 c/dir2 /dir2
        umoci insert --image oci:v1 --whiteout /dir/b
        umoci insert --image oci:v1 --opaque one /dir2
        umoci insert --image oci:v1 changed /dir/sub/c
        umoci insert --image oci:v1 changed /dir/link
} >/dev/null 2>&1
skopeo copy -q oci:oci:v1 docker-archive:image.tar:localhost/web:v1
config=$(list oci | sed -n 's/^image-id: //p')
layers=$(list oci | grep -c ^layer:)
merged() { # target...: the tree that its layers make
        local i dir
        dir=$(mktemp -d -p "$work")
        for ((i = 0; i < layers; i++)); do
                list --layer $i "$@" >"$dir/$(printf %03d $i)" || return 1
        done
        python3 "$here/merge-layers.py" "$dir"/*
}
merged oci >want
ok "the image is as it should be" sh -c 'grep -q ^dir2/new want && ! grep -q -e ^dir/b -e dir2/big want'
same() { merged "$@" >got && diff want got; }

for driver in overlay vfs; do
        if ! podman --root "$work/$driver" --runroot "$work/run" --storage-driver $driver load -q -i image.tar >log 2>&1; then
                n=$((n + 1))
                echo "ok $n - podman's $driver store # SKIP podman cannot use it here: $(grep -m1 -o "Apply.*\|remount.*\|rror.*" log || tail -1 log)"
                continue
        fi
        ok "podman $driver: found by name" prints "image-id: $config" list --root $driver podman:localhost/web:v1
        ok "podman $driver: found by short name" prints "tag: localhost/web:v1" list --root $driver podman:web:v1
        ok "podman $driver: found by id" prints "image-id: $config" list --root $driver "podman:${config:7:12}"
        ok "podman $driver: found without a prefix" prints "source: podman" list --root $driver web:v1
        ok "podman $driver: the layers make the same tree" same --root $driver podman:web:v1
        ok "podman $driver: a name that is not there" says "not in it" list --root $driver podman:nothing
        layer=$(list --root $driver web:v1 | sed -n 's/^  member: //p' | tail -1)
        mv $driver/"$layer" hidden
        ok "podman $driver: a layer that is gone is named" says "cannot give $layer" list --root $driver --layer $((layers - 1)) podman:web:v1
        mv hidden $driver/"$layer"
done
save=(podman --root "$work/overlay" --runroot "$work/run" --storage-driver overlay save -q)
for format in docker-archive oci-archive; do
        if "${save[@]}" --format $format -o podman-$format.tar localhost/web:v1 >log 2>&1; then
                ok "podman save, $format: recognised" prints "source: $format" list podman-$format.tar
                ok "podman save, $format: the layers make the same tree" same podman-$format.tar
        fi
done
# A name that two stores know.
if "${save[@]}" -o kept.tar localhost/web:v1 >log 2>&1; then
        mkdir -p both/image/overlay2/imagedb/content/sha256
        cp -a overlay/overlay-images overlay/overlay-layers both/
        printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}' >other.json
        other=$(sha256sum <other.json)
        cp other.json "both/image/overlay2/imagedb/content/sha256/${other%% *}"
        echo "{\"Repositories\":{\"web\":{\"localhost/web:v1\":\"sha256:${other%% *}\"}}}" >both/image/overlay2/repositories.json
        ok "two stores that know different images by the name: refused" says "say podman:web:v1 or docker:web:v1" list --root both web:v1
        ok "a prefix decides" prints "image-id: sha256:${other%% *}" list --root both docker:web:v1
        echo '[{"id":"../../etc","names":["localhost/evil:latest"],"layer":"../../etc"}]' >overlay/overlay-images/images.json
        ok "an id that is a path is refused" says "the image's id in the store is none" list --root overlay podman:evil
        echo '[{"id":' >overlay/overlay-images/images.json
        ok "a store that is not JSON is named" says "overlay-images/images.json: malformed JSON" list --root overlay podman:evil
else
        n=$((n + 1))
        echo "ok $n - two stores, and stores that lie # SKIP podman made no overlay store here"
fi

if [ "$(id -u)" = 0 ] && command -v dockerd docker >/dev/null; then
        for driver in overlay2 vfs; do
                host=unix://$work/docker.sock
                dockerd --data-root "$work/docker-$driver" --exec-root "$work/exec" -p "$work/pid" -H "$host" --iptables=false \
                        --bridge=none -s $driver --default-ulimit nofile=20000:20000 >log 2>&1 &
                daemons=($!)
                for ((i = 0; i < 300; i++)); do
                        docker -H "$host" version >/dev/null 2>&1 && break
                        kill -0 "${daemons[0]}" 2>/dev/null || break
                        read -rt 0.1 <> <(:)
                done
                if docker -H "$host" load -q -i image.tar >/dev/null 2>>log; then
                        root="docker-$driver"
                        ok "docker $driver: found by name" prints "image-id: $config" list --root "$root" docker:localhost/web:v1
                        ok "docker $driver: found by id" prints "image-id: $config" list --root "$root" "docker:${config:7:12}"
                        ok "docker $driver: the layers make the same tree" same --root "$root" docker:localhost/web:v1
                        ok "docker $driver: a name that is not there" says "not in it" list --root "$root" docker:nothing
                        docker -H "$host" tag localhost/web:v1 localhost/other:v2
                        docker -H "$host" save localhost/web:v1 localhost/other:v2 >saved.tar
                        ok "docker save: recognised, with both tags" prints "tag: localhost/other:v2" list saved.tar
                        ok "docker save: the layers make the same tree" same saved.tar
                        gzip -k saved.tar
                        ok "docker save, gzip'd: resolves" prints "image-id: $config" list saved.tar.gz
                        rm saved.tar.gz
                        docker -H "$host" rmi --no-prune localhost/web:v1 >/dev/null 2>&1
                else
                        n=$((n + 1))
                        echo "ok $n - docker's $driver store # SKIP dockerd does not run here: $(tail -1 log)"
                fi
                kill "${daemons[0]}" && wait "${daemons[0]}" 2>/dev/null
                daemons=()
        done
else
        n=$((n + 1))
        echo "ok $n - docker's store # SKIP dockerd is not installed, or not root"
fi
finish
