/* See oci.h. */
#include "read/oci.h"

#include <errno.h>

const char *oci_kind_name(enum oci_kind kind)
{
        static const char *const names[] = { "image index", "image manifest", "image configuration", "manifest.json" };
        return names[kind];
}

static struct oci_descriptor *add(struct oci_document *d) { return &d->descriptors[d->n_descriptors++]; }

static int room_for(struct oci_document *d, size_t n, struct arena *arena, struct error *err)
{
        if (n > OCI_DESCRIPTORS_MAX)
                return error_set(err, -EFBIG, "more than %u descriptors", OCI_DESCRIPTORS_MAX);
        d->descriptors = arena_array(arena, n, sizeof(*d->descriptors));
        return 0;
}

/* image-spec, descriptor.md: mediaType, digest and size; platform and annotations where an index needs them. */
static int read_descriptor(const json_t *j, const char *role, struct oci_document *d, struct arena *arena,
                           struct error *err)
{
        struct oci_descriptor *one = add(d);
        one->role = role;
        one->digest = json_text_of(j, "digest", arena);
        if (!one->digest.n)
                return error_set(err, -EBADMSG, "a %s without a digest", role);
        one->media_type = json_text_of(j, "mediaType", arena);
        const json_t *size = json_object_get(j, "size");
        if (json_is_integer(size) && json_integer_value(size) < 0)
                return error_set(err, -EBADMSG, "a %s with a negative size", role);
        one->size = json_number_of(j, "size");
        const json_t *platform = json_object_get(j, "platform");
        one->os = json_text_of(platform, "os", arena);
        one->arch = json_text_of(platform, "architecture", arena);
        one->variant = json_text_of(platform, "variant", arena);
        const json_t *annotations = json_object_get(j, "annotations");
        one->ref = json_text_of(annotations, "org.opencontainers.image.ref.name", arena);
        return 0;
}

static int read_index(const json_t *j, struct oci_document *d, struct arena *arena, struct error *err)
{
        const json_t *manifests = json_object_get(j, "manifests");
        if (!json_is_array(manifests))
                return error_set(err, -EBADMSG, "\"manifests\" of an image index is not a list");
        size_t n = json_array_size(manifests);
        int r = room_for(d, n, arena, err);
        for (size_t i = 0; r == 0 && i < n; i++)
                r = read_descriptor(json_array_get(manifests, i), "manifest", d, arena, err);
        return r;
}

static int read_manifest(const json_t *j, struct oci_document *d, struct arena *arena, struct error *err)
{
        const json_t *layers = json_object_get(j, "layers"), *config = json_object_get(j, "config");
        if (!json_is_array(layers) || !json_is_object(config))
                return error_set(err, -EBADMSG, "an image manifest without \"layers\" or \"config\"");
        size_t n = json_array_size(layers);
        int r = room_for(d, n + 1, arena, err);
        if (r == 0)
                r = read_descriptor(config, "config", d, arena, err);
        for (size_t i = 0; r == 0 && i < n; i++)
                r = read_descriptor(json_array_get(layers, i), "layer", d, arena, err);
        return r;
}

static struct json_list read_labels(const json_t *labels, struct arena *arena, bool *ret_cut)
{
        struct json_list list = json_keys(labels, arena, OCI_LIST_MAX, ret_cut);
        for (size_t i = 0; i < list.n; i++) {
                struct str value = json_text_of(labels, list.v[i].p, arena);
                list.v[i] = arena_printf(arena, "%.*s=%.*s", STR_FMT(list.v[i]), STR_FMT(value));
        }
        return list;
}

/* An entry point or command is a list; old Docker configurations have a single text. */
static struct json_list read_command(const json_t *j, struct arena *arena, bool *ret_cut)
{
        if (!json_is_string(j))
                return json_texts(j, arena, OCI_LIST_MAX, ret_cut);
        struct json_list one = { .v = arena_new(arena, struct str), .n = 1 };
        one.v[0] = json_text(j, arena);
        return one;
}

/* image-spec, config.md. Docker's configuration has the same shape, and "Healthcheck" beside it. */
static int read_config(const json_t *j, struct oci_document *d, struct arena *arena, struct error *err)
{
        struct oci_config *c = &d->config;
        bool cut = false;
        c->os = json_text_of(j, "os", arena);
        c->arch = json_text_of(j, "architecture", arena);
        c->variant = json_text_of(j, "variant", arena);
        c->created = json_text_of(j, "created", arena);
        const json_t *run = json_object_get(j, "config");
        c->user = json_text_of(run, "User", arena);
        c->entrypoint = read_command(json_object_get(run, "Entrypoint"), arena, &cut);
        c->cmd = read_command(json_object_get(run, "Cmd"), arena, &cut);
        c->env = json_texts(json_object_get(run, "Env"), arena, OCI_LIST_MAX, &cut);
        c->ports = json_keys(json_object_get(run, "ExposedPorts"), arena, OCI_LIST_MAX, &cut);
        c->volumes = json_keys(json_object_get(run, "Volumes"), arena, OCI_LIST_MAX, &cut);
        c->labels = read_labels(json_object_get(run, "Labels"), arena, &cut);
        const json_t *test = json_object_get(json_object_get(run, "Healthcheck"), "Test");
        const char *first = json_string_value(json_array_get(test, 0));
        c->healthcheck = first && strcmp(first, "NONE") != 0;
        c->diff_ids = json_texts(json_object_get(json_object_get(j, "rootfs"), "diff_ids"), arena, OCI_LIST_MAX, &cut);
        if (cut)
                return error_set(err, -EFBIG, "a list in the image configuration has more than %u entries",
                                 OCI_LIST_MAX);
        const json_t *history = json_object_get(j, "history");
        size_t n = json_array_size(history);
        if (n > OCI_STEPS_MAX)
                return error_set(err, -EFBIG, "a history of more than %u steps", OCI_STEPS_MAX);
        d->steps = arena_array(arena, n, sizeof(*d->steps));
        for (d->n_steps = 0; d->n_steps < n; d->n_steps++) {
                const json_t *one = json_array_get(history, d->n_steps);
                d->steps[d->n_steps] = (struct oci_step){
                        .created_by = json_text_of(one, "created_by", arena),
                        .created = json_text_of(one, "created", arena),
                        .empty_layer = json_is_true(json_object_get(one, "empty_layer")),
                };
        }
        return 0;
}

/* Docker's image specification 1.2, "combined image JSON + filesystem changeset format": Config, RepoTags, Layers. */
static int read_archive(const json_t *j, struct oci_document *d, struct arena *arena, struct error *err)
{
        size_t n = json_array_size(j), total = 0;
        for (size_t i = 0; i < n; i++) {
                const json_t *one = json_array_get(j, i);
                const json_t *layers = json_object_get(one, "Layers"), *config = json_object_get(one, "Config");
                if (!json_is_string(config) || (layers && !json_is_array(layers) && !json_is_null(layers)))
                        return error_set(err, -EBADMSG, "image %zu of manifest.json has no Config or no Layers", i + 1);
                total += 1 + json_array_size(json_object_get(one, "RepoTags")) + json_array_size(layers);
        }
        int r = room_for(d, total, arena, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                const json_t *image = json_array_get(j, i);
                const json_t *tags = json_object_get(image, "RepoTags"), *layers = json_object_get(image, "Layers");
                *add(d) = (struct oci_descriptor){ .role = "config",
                                                   .path = json_text_of(image, "Config", arena),
                                                   .group = i };
                for (size_t k = 0; k < json_array_size(tags); k++) {
                        struct str tag = json_text(json_array_get(tags, k), arena);
                        if (tag.n)
                                *add(d) = (struct oci_descriptor){ .role = "manifest", .ref = tag, .group = i };
                }
                for (size_t k = 0; k < json_array_size(layers); k++) {
                        struct str path = json_text(json_array_get(layers, k), arena);
                        if (!path.n)
                                return error_set(err, -EBADMSG, "layer %zu of image %zu of manifest.json has no name",
                                                 k + 1, i + 1);
                        *add(d) = (struct oci_descriptor){ .role = "layer", .path = path, .group = i };
                }
        }
        return 0;
}

static bool has(const json_t *j, const char *key) { return json_object_get(j, key) != NULL; }

/* What a document holds decides what it is. */
static int recognise(const json_t *j, enum oci_kind *ret, struct error *err)
{
        if (json_is_array(j)) {
                *ret = OCI_ARCHIVE;
                return 0;
        }
        bool is_index = has(j, "manifests"), is_manifest = has(j, "layers");
        bool is_config = has(j, "rootfs") || has(j, "architecture");
        if (is_index + is_manifest + is_config > 1)
                return error_set(err, -EBADMSG, "a document that is an index, a manifest or a configuration at once");
        if (has(j, "fsLayers"))
                return error_set(err, -ENOTSUP,
                                 "a manifest of Docker's schema 1, which was withdrawn; convert it to OCI");
        if (is_index)
                *ret = OCI_INDEX;
        else if (is_manifest)
                *ret = OCI_MANIFEST;
        else if (is_config)
                *ret = OCI_CONFIG;
        else
                return error_set(err, -EBADMSG, "neither an image index, nor a manifest, nor a configuration");
        return 0;
}

int oci_read(struct str bytes, struct arena *arena, struct oci_document *ret, struct error *err)
{
        _cleanup_(json_dropp) json_t *j = NULL;
        int r = json_document(bytes, OCI_DOCUMENT_MAX, &j, err);
        if (r < 0)
                return r;
        struct oci_document d = { 0 };
        r = recognise(j, &d.kind, err);
        if (r < 0)
                return r;
        switch (d.kind) {
        case OCI_INDEX:
                r = read_index(j, &d, arena, err);
                break;
        case OCI_MANIFEST:
                r = read_manifest(j, &d, arena, err);
                break;
        case OCI_CONFIG:
                r = read_config(j, &d, arena, err);
                break;
        case OCI_ARCHIVE:
                r = read_archive(j, &d, arena, err);
                break;
        }
        if (r < 0)
                return r;
        *ret = d;
        return 0;
}
