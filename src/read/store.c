/* See store.h. */
#include "read/store.h"

#include "read/store-settings.h"

#include <errno.h>
#include <stdlib.h>

struct reading {
        struct arena *arena;
        struct store_entry *v;
        size_t n, size;
        bool is_cut;
};

static struct store_entry *add(struct reading *r)
{
        if (r->n == r->size) {
                r->is_cut = true;
                return NULL;
        }
        return &r->v[r->n++];
}

static void room_for(struct reading *r, size_t n)
{
        r->size = MIN(n, STORE_ENTRIES_MAX);
        r->v = arena_array(r->arena, r->size, sizeof(*r->v));
        r->is_cut = n > r->size;
}

static struct str text(struct reading *r, const json_t *j, const char *key) { return json_text_of(j, key, r->arena); }

static struct json_list texts(struct reading *r, const json_t *j, const char *key)
{
        return json_texts(json_object_get(j, key), r->arena, STORE_NAMES_MAX, &r->is_cut);
}

static struct json_list one_text(struct reading *r, struct str s)
{
        struct json_list l = { .v = arena_new(r->arena, struct str), .n = s.n > 0 };
        l.v[0] = s;
        return l;
}

/* --- containers/storage: images.go, layers.go, containers.go --- */

static void podman_image(struct reading *r, const json_t *j, struct store_entry *e)
{
        *e = (struct store_entry){ .role = "image",
                                   .id = text(r, j, "id"),
                                   .names = texts(r, j, "names"),
                                   .digest = text(r, j, "digest"),
                                   .parent = text(r, j, "layer"),
                                   .parts = texts(r, j, "big-data-names") };
}

static void podman_layer(struct reading *r, const json_t *j, struct store_entry *e)
{
        *e = (struct store_entry){ .role = "layer",
                                   .id = text(r, j, "id"),
                                   .digest = text(r, j, "diff-digest"),
                                   .blob_digest = text(r, j, "compressed-diff-digest"),
                                   .parent = text(r, j, "parent"),
                                   .size = json_number_of(j, "diff-size") };
}

/* What podman and CRI-O know of a container stands in a JSON text of its own, as a member. */
static void podman_container(struct reading *r, const json_t *j, struct store_entry *e)
{
        *e = (struct store_entry){ .role = "container",
                                   .id = text(r, j, "id"),
                                   .names = texts(r, j, "names"),
                                   .parent = text(r, j, "image") };
        _cleanup_(json_dropp) json_t *inner = NULL;
        if (json_document(text(r, j, "metadata"), STORE_DOCUMENT_MAX, &inner, NULL) == 0)
                e->image = text(r, inner, "image-name");
}

static void read_list(struct reading *r, const json_t *list,
                      void (*one)(struct reading *, const json_t *, struct store_entry *))
{
        room_for(r, json_array_size(list));
        for (size_t i = 0; i < r->size; i++)
                one(r, json_array_get(list, i), add(r));
}

/* --- Docker --- */

struct tag {
        struct str id, name;
};

static int by_id_and_name(const void *a, const void *b)
{
        const struct tag *x = a, *y = b;
        int r = str_cmp(x->id, y->id);
        return r ? r : str_cmp(x->name, y->name);
}

/* {"Repositories": {"web": {"web:1": "sha256:ID", "web@sha256:...": "sha256:ID"}}}: an image for each ID. */
static void docker_repositories(struct reading *r, const json_t *j)
{
        const json_t *all = json_object_get(j, "Repositories");
        const char *key, *name;
        json_t *repository, *id;
        size_t n = 0, k = 0;
        json_object_foreach((json_t *)all, key, repository) n += json_object_size(repository);
        struct tag *tags = arena_array(r->arena, MIN(n, STORE_ENTRIES_MAX), sizeof(*tags));
        room_for(r, n);
        json_object_foreach((json_t *)all, key, repository)
                json_object_foreach(repository, name, id) if (json_is_string(id) && k < r->size) tags[k++] =
                        (struct tag){ json_text(id, r->arena), arena_str(r->arena, str_of(name)) };
        if (k)
                qsort(tags, k, sizeof(*tags), by_id_and_name);
        for (size_t i = 0, end; i < k; i = end) {
                for (end = i; end < k && str_eq(tags[end].id, tags[i].id);)
                        end++;
                struct store_entry *e = add(r);
                *e = (struct store_entry){ .role = "image", .id = tags[i].id };
                e->names = (struct json_list){ .v = arena_array(r->arena, end - i, sizeof(struct str)), .n = end - i };
                for (size_t t = i; t < end; t++)
                        e->names.v[t - i] = tags[t].name;
        }
}

/* The texts of an object as "key=value". */
static struct json_list pairs(struct reading *r, const json_t *j)
{
        struct json_list l = { .v = arena_array(r->arena, MIN(json_object_size(j), STORE_NAMES_MAX),
                                                sizeof(struct str)) };
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)j, key, value)
        {
                if (!json_is_string(value))
                        continue;
                if (l.n == STORE_NAMES_MAX) {
                        r->is_cut = true;
                        break;
                }
                struct str text = json_text(value, r->arena);
                l.v[l.n++] = arena_printf(r->arena, "%s=%.*s", key, STR_FMT(text));
        }
        return l;
}

static void docker_container(struct reading *r, const json_t *j)
{
        room_for(r, 1);
        const json_t *state = json_object_get(j, "State");
        struct str name = text(r, j, "Name");
        if (name.n && name.p[0] == '/')
                name = str_from(name, 1);
        *add(r) = (struct store_entry){ .role = "container",
                                        .id = text(r, j, "ID"),
                                        .names = one_text(r, name),
                                        .parent = text(r, j, "Image"),
                                        .image = text(r, json_object_get(j, "Config"), "Image"),
                                        .labels = pairs(r, json_object_get(json_object_get(j, "Config"), "Labels")),
                                        .settings = settings_of_docker(j, r->arena),
                                        .pid = json_is_true(json_object_get(state, "Running"))
                                                       ? json_number_of(state, "Pid")
                                                       : 0 };
}

/* --- runtimes --- */

/* runc's and crun's states say the same under other names. */
static void runtime_state(struct reading *r, const json_t *j)
{
        bool is_runc = json_object_get(j, "init_process_pid") != NULL;
        room_for(r, 1);
        *add(r) = (struct store_entry){
                .role = "container",
                .id = text(r, j, "id"),
                .pid = json_number_of(j, is_runc ? "init_process_pid" : "pid"),
                .settings = settings_of_runtime(j, r->arena),
                .started = json_number_of(j, is_runc ? "init_process_start" : "process-start-time"),
                .path = is_runc ? text(r, json_object_get(j, "config"), "rootfs") : text(r, j, "rootfs")
        };
}

static struct str first_text(struct reading *r, const json_t *j, const char *const *keys)
{
        for (; *keys; keys++) {
                struct str s = text(r, j, *keys);
                if (s.n)
                        return s;
        }
        return STR_NONE;
}

/* Annotations of containerd's CRI plugin, of CRI-O and of nerdctl. */
static void bundle(struct reading *r, const json_t *j)
{
        static const char *const names[] = { "io.kubernetes.cri.container-name", "io.kubernetes.cri-o.Name",
                                             "io.kubernetes.container.name", "nerdctl/name", NULL };
        static const char *const images[] = { "io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName",
                                              "nerdctl/image-name", NULL };
        const json_t *annotations = json_object_get(j, "annotations");
        room_for(r, 1);
        *add(r) = (struct store_entry){ .role = "container",
                                        .names = one_text(r, first_text(r, annotations, names)),
                                        .image = first_text(r, annotations, images),
                                        .labels = pairs(r, annotations),
                                        .settings = settings_of_bundle(j, r->arena),
                                        .path = text(r, json_object_get(j, "root"), "path") };
}

int store_read(enum store_kind kind, struct str bytes, struct arena *arena, struct store_entry **ret, size_t *ret_n,
               struct error *err)
{
        _cleanup_(json_dropp) json_t *j = NULL;
        int r = json_document(bytes, STORE_DOCUMENT_MAX, &j, err);
        if (r < 0)
                return r;
        bool is_list = kind <= STORE_PODMAN_CONTAINERS;
        if (is_list ? !json_is_array(j) && !json_is_null(j) : !json_is_object(j))
                return error_set(err, -EBADMSG, "expected a JSON %s", is_list ? "list" : "object");
        struct reading reading = { .arena = arena };
        switch (kind) {
        case STORE_PODMAN_IMAGES:
                read_list(&reading, j, podman_image);
                break;
        case STORE_PODMAN_LAYERS:
                read_list(&reading, j, podman_layer);
                break;
        case STORE_PODMAN_CONTAINERS:
                read_list(&reading, j, podman_container);
                break;
        case STORE_DOCKER_REPOSITORIES:
                docker_repositories(&reading, j);
                break;
        case STORE_DOCKER_CONTAINER:
                docker_container(&reading, j);
                break;
        case STORE_RUNTIME_STATE:
                runtime_state(&reading, j);
                break;
        case STORE_BUNDLE:
                bundle(&reading, j);
                break;
        }
        if (reading.is_cut)
                return error_set(err, -EFBIG, "more than %u entries, or %u names of one", STORE_ENTRIES_MAX,
                                 STORE_NAMES_MAX);
        *ret = reading.v;
        *ret_n = reading.n;
        return 0;
}
