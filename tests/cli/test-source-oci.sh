#!/bin/bash
# OCI layouts and image archives as umoci and skopeo make them: what is chosen, what the layers hold, what is refused.
. "$(dirname "$0")/source-lib.sh"
need umoci skopeo jq busybox gzip zstd
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

make_layout oci v1
skopeo copy -q oci:oci:v1 docker-archive:one.tar:localhost/web:v1
tar -C oci -cf oci.tar .
manifest=$(jq -r '.manifests[0].digest' oci/index.json)
config=$(jq -r .config.digest "oci/blobs/${manifest/://}")

layers_are_right() { # target: each layer's stream, inflated, has the promised diff_id
        local i=0 diff_id got
        for diff_id in $(jq -r '.rootfs.diff_ids[]' "oci/blobs/${config/://}"); do
                got=$(list --layer $i "$1" | { gzip -dcf 2>/dev/null || cat; } | sha256sum)
                [ "sha256:${got%% *}" = "$diff_id" ] || { echo "layer $i: $got"; return 1; }
                i=$((i + 1))
        done
        [ $i = 2 ]
}

for target in oci oci:v1 oci-dir:oci oci-dir:oci:v1 oci.tar oci-archive:oci.tar:v1; do
        ok "$target is recognised by its digest" prints "digest: $manifest" list $target
        ok "$target has the configuration" prints "image-id: $config" list $target
        ok "$target has the build step" prints "created-by: COPY bin /bin" list $target
        ok "$target gives the layers' bytes" layers_are_right $target
done
for target in one.tar docker-archive:one.tar one.tar:localhost/web:v1 docker-archive:one.tar:web:v1; do
        ok "$target has the image id" prints "image-id: $config" list $target
        ok "$target has its tag" prints "tag: localhost/web:v1" list $target
        ok "$target gives the layers' bytes" layers_are_right $target
done
ok "user and environment are known" prints "env: A=b" list oci

# Compressed archives are streams.
for c in gzip zstd xz; do
        $c -c <one.tar >one.tar.$c
        $c -c <oci.tar >oci.tar.$c
        ok "$c'd docker archive resolves" prints "image-id: $config" list one.tar.$c
        ok "$c'd OCI archive resolves" prints "digest: $manifest" list oci.tar.$c
done

# Old docker save: ID/layer.tar, with equal layers as links to the first.
mkdir -p old/aaa old/bbb
tar -xf one.tar -C old
cp old/"$(jq -r '.[0].Layers[0]' old/manifest.json)" old/aaa/layer.tar
ln -s ../aaa/layer.tar old/bbb/layer.tar
jq -c '.[0].Layers = ["aaa/layer.tar", "bbb/layer.tar"]' old/manifest.json >old/m && mv old/m old/manifest.json
tar -C old -cf old.tar aaa bbb manifest.json "${config#sha256:}.json"
ok "a layer that is a link is the linked member" prints "member: aaa/layer.tar" list --layer 9 old.tar
ok "a layer that is a link can be read" sh -c "'$SOURCE_LIST' --layer 1 old.tar | tar -t | grep -q busybox"

# Several images.
make_layout oci v2
ok "two images, no name: refused with their names" says "name one of: v1, v2" list oci
ok "two images, a name: taken" prints "label: tag=v2" list oci:v2
ok "a name that is not there lists what is" says "there is: v1" list oci:v3
skopeo copy -q oci:oci:v2 docker-archive:two.tar:localhost/web:v2
mkdir two && tar -xf one.tar -C two && tar -xOf one.tar manifest.json >m1 && tar -xf two.tar -C two && tar -xOf two.tar manifest.json >m2
jq -s -c add m1 m2 >two/manifest.json && tar -C two -cf both.tar .
ok "an archive of two, no name: refused" says "localhost/web:v1, localhost/web:v2" list both.tar
ok "an archive of two, a name: taken" prints "label: tag=v2" list both.tar:web:v2

# Platforms.
index() { jq -n -c "{schemaVersion: 2, manifests: [$1]}"; }
entry() { echo "{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"$1\",\"size\":1,\"platform\":{\"os\":\"$2\",\"architecture\":\"$3\"}}"; }
cp -r oci platforms
v1=$(jq -r '.manifests[0].digest' oci/index.json) v2=$(jq -r '.manifests[1].digest' oci/index.json)
index "$(entry "$v1" linux amd64), $(entry "$v2" linux s390x), $(entry "$v2" unknown unknown)" >platforms/index.json
ok "--platform chooses" prints "digest: $v2" list --platform linux/s390x platforms
ok "--platform that is not there lists what is" says "linux/amd64" list --platform windows/amd64 platforms

# Damage.
cp -r platforms broken
blob=broken/blobs/${v1/://}
cp "$blob" whole
sed -i 's/layers/Layers/' "$blob"
ok "a manifest that was changed" says "does not match its digest" list --platform linux/amd64 broken
rm "$blob"
ok "a manifest that is missing is named" says "has no blobs/${v1/://}" list --platform linux/amd64 broken
cp whole "$blob"
layer=$(jq -r '.layers[0].digest' whole)
rm "broken/blobs/${layer/://}"
ok "a missing layer does not hide the image" prints "digest: $v1" list --platform linux/amd64 broken
ok "a missing layer is named when it is opened" says "has no blobs/${layer/://}" list --platform linux/amd64 --layer 0 broken
ok "the other layer can be read" list --platform linux/amd64 --layer 1 broken
head -c 700 one.tar >short.tar
ok "an archive cut short" says "cut short" list short.tar
echo '{' >broken/index.json
ok "an index that is not JSON" says "index.json: malformed JSON in line" list oci-dir:broken
head -c 100000 /dev/zero | tr '\0' '[' >broken/index.json
ok "an index of brackets" says "nested deeper" list oci-dir:broken
mkfifo pipe
ok "a FIFO is no archive, and nobody waits for it" says "pipe" list docker-archive:pipe
ok "nothing of that name: where the kinds are told" says "sekisho help sources" list ./nothing
ok "an empty target" says "empty" list ""
tar -cf plain.tar content
ok "a tar that is no image" says "neither manifest.json" list plain.tar
# Targets that are something else: what they are not, and what to say instead.
echo hello >text
mkfifo fifo
mkdir nothing
ok "a file that is no archive is not denied to be there" says "text is neither an image archive" list text
ok "a prefix with a letter wrong" says "did you mean docker-archive:one.tar?" list docker-archve:one.tar
ok "a prefix with nothing behind it" says "docker-archive: wants something after it" list docker-archive:
ok "a FIFO as an archive" says "is no regular file" list docker-archive:fifo
ok "a directory without an index" says "it has no index.json" list oci-dir:nothing
ok "an image for another platform is not taken for it" says "not for linux/arm64" list --platform linux/arm64 one.tar
ok "an image for the platform is" list --platform linux/amd64 one.tar

finish
