"""Makes a small OCI layout of real images for the tests of sources: two gzip layers, amd64 and arm64, one index."""
import gzip
import hashlib
import io
import json
import os
import tarfile

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def descriptor(media_type, data, **more):
    return {"mediaType": media_type, "digest": digest(data), "size": len(data), **more}


def layer_tar(name, content):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def noise(n, seed):
    """n bytes that do not compress, the same each time."""
    out = b""
    while len(out) < n:
        seed = hashlib.sha512(seed).digest()
        out += seed
    return out[:n]


class Images:
    """blobs: digest -> bytes; manifests, layers: by "amd64" and "arm64"; index: bytes."""

    def __init__(self, layer_bytes=200_000, compressed=True, salt=b""):
        self.blobs, self.manifests, self.layers = {}, {}, {}
        entries = []
        for arch in ("amd64", "arm64"):
            tars = [layer_tar("etc/base", b"base\n" + salt),
                    layer_tar("app/" + arch, noise(layer_bytes, arch.encode() + salt))]
            layers = [gzip.compress(t, 1, mtime=0) for t in tars] if compressed else tars
            layer_type = LAYER + ("+gzip" if compressed else "")
            config = self.json({"architecture": arch, "os": "linux", "config": {"User": "app"},
                                "rootfs": {"type": "layers", "diff_ids": [digest(t) for t in tars]},
                                "history": [{"created_by": "ADD base"}, {"created_by": "COPY app"}]})
            manifest = self.json({"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(CONFIG, config),
                                  "layers": [descriptor(layer_type, x) for x in layers]})
            for blob in [config, manifest] + layers:
                self.blobs[digest(blob)] = blob
            self.manifests[arch], self.layers[arch] = manifest, layers
            entries.append(descriptor(MANIFEST, manifest, platform={"os": "linux", "architecture": arch}))
        self.index = self.json({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})
        self.blobs[digest(self.index)] = self.index

    @staticmethod
    def json(value):
        return json.dumps(value, separators=(",", ":")).encode()

    def write(self, path, tag="latest"):
        """As a layout directory."""
        os.makedirs(os.path.join(path, "blobs/sha256"))
        for name, data in self.blobs.items():
            with open(os.path.join(path, "blobs/sha256", name.split(":")[1]), "wb") as f:
                f.write(data)
        with open(os.path.join(path, "oci-layout"), "w") as f:
            f.write('{"imageLayoutVersion":"1.0.0"}')
        top = descriptor(INDEX, self.index, annotations={"org.opencontainers.image.ref.name": tag})
        with open(os.path.join(path, "index.json"), "wb") as f:
            f.write(self.json({"schemaVersion": 2, "mediaType": INDEX, "manifests": [top]}))
