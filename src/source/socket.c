/*
 * See socket.h. Docker's Engine API, which podman's service speaks too: GET /images/NAME/json tells whether the image
 * is there and its id; GET /images/ID/get is what `docker save` writes. (https://docs.docker.com/engine/api/)
 *
 * The socket's directory is trusted, the daemon's JSON is not: a worker reads it.
 */
#include "source/socket.h"

#include "base/fs.h"
#include "proc/worker.h"
#include "source/archive.h"
#include "source/digest.h"
#include "source/http.h"
#include "source/json-fields.h"
#include "source/registry-name.h"
#include "source/sources.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define INSPECT_SECONDS 60u
#define SAVE_STALL      600u /* docker writes the whole archive to its disk before the first byte comes */

static const struct {
        const char *name, *variable; /* of the environment, "unix://PATH" */
} engines[] = {
        [ENGINE_DOCKER] = { "docker", "DOCKER_HOST" },
        [ENGINE_PODMAN] = { "podman", "CONTAINER_HOST" },
};

struct socket_image {
        enum engine engine;
        const char *socket, *id;
        struct str_list tags;
};

/* --- where the socket is --- */

static bool is_socket(const char *path)
{
        struct stat st;
        return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

static int find_socket(enum engine engine, const struct source_options *o, struct arena *arena, const char **ret,
                       struct error *err)
{
        const char *name = engines[engine].name, *host = env_or(engines[engine].variable, NULL);
        const char *runtime = env_or("XDG_RUNTIME_DIR", NULL), *places[3] = { 0 };
        size_t n = 0;
        if (o->socket) {
                places[n++] = o->socket;
        } else if (host) {
                if (strncmp(host, "unix://", 7) != 0)
                        return error_set(err, -ENOENT, "$%s is \"%.200s\": only unix:// sockets are spoken to",
                                         engines[engine].variable, host);
                places[n++] = host + 7;
        } else if (engine == ENGINE_DOCKER) {
                places[n++] = "/var/run/docker.sock";
        } else {
                if (runtime)
                        places[n++] = arena_printf(arena, "%s/podman/podman.sock", runtime).p;
                places[n++] = "/run/podman/podman.sock";
        }
        for (size_t i = 0; i < n; i++) {
                if (!is_socket(places[i]))
                        continue;
                if (access(places[i], R_OK | W_OK) < 0)
                        return error_errno(err, -errno, "cannot speak to %s at %s", name, places[i]);
                *ret = arena_cstr(arena, str_of(places[i]));
                return 0;
        }
        return error_set(err, -ENOENT, "%s has no API socket at %s%s%s", name, places[0], n > 1 ? " or " : "",
                         n > 1 ? places[1] : "");
}

static int connect_engine(const char *socket, unsigned stall_seconds, struct http **ret, struct error *err)
{
        struct http_options options = { .unix_socket = socket, .stall_seconds = stall_seconds };
        return http_new(&options, ret, err);
}

/* --- what the image is --- */

/* A name goes into the path of a URL: only a reference or an id may. */
static bool name_is_valid(struct str name)
{
        struct registry_name parsed;
        return registry_name_parse(name, &parsed, NULL) == 0 || digest_is_valid(name);
}

static int take_inspection(struct socket_image *image, struct str answer, struct artefact *a, struct error *err)
{
        static const char *const keys[] = { "Id", "RepoTags", NULL };
        struct json_field *fields;
        size_t n;
        int r = json_fields_read(answer, keys, &a->arena, &fields, &n, err);
        if (r < 0)
                return error_prefix(err, r, "the answer of %s", engines[image->engine].name);
        struct str *tags = arena_array(&a->arena, n, sizeof(*tags));
        for (size_t i = 0; i < n; i++) {
                if (str_is(fields[i].key, "RepoTags"))
                        tags[image->tags.n++] = fields[i].text;
                else
                        image->id = arena_cstr(&a->arena, fields[i].text);
        }
        image->tags.v = tags;
        struct str id = str_of(image->id ? image->id : "");
        if (id.n == 64) /* podman of old */
                id = arena_printf(&a->arena, "sha256:%s", image->id);
        if (!digest_is_valid(id))
                return error_set(err, -EBADMSG, "%s answered with an image that has no id",
                                 engines[image->engine].name);
        image->id = arena_cstr(&a->arena, id);
        return 0;
}

static int inspect(struct socket_image *image, const char *name, struct artefact *a, struct error *err)
{
        _cleanup_(http_freep) struct http *http = NULL;
        _cleanup_(buf_done) struct buf answer = BUF_INIT(JSON_FIELDS_BYTES_MAX);
        const char *engine = engines[image->engine].name;
        struct http_response response;
        struct http_request request = { .url = arena_printf(&a->arena, "http://localhost/images/%s/json", name).p,
                                        .max_bytes = JSON_FIELDS_BYTES_MAX,
                                        .max_seconds = INSPECT_SECONDS,
                                        .body = &answer };
        int r = connect_engine(image->socket, 0, &http, err);
        if (r == 0)
                r = http_get(http, &request, &response, err);
        if (r != 0)
                return error_prefix(err, r == HTTP_BROKEN ? -EIO : r, "%s at %s", engine, image->socket);
        if (response.status == 404)
                return error_set(err, -ENOENT, "%s at %s has no image %s", engine, image->socket, name);
        if (response.status / 100 != 2)
                return error_set(err, -EIO, "%s at %s answered %ld for image %s", engine, image->socket,
                                 response.status, name);
        return take_inspection(image, buf_str(&answer), a, err);
}

int socket_open(enum engine engine, const char *name, const struct source_options *o, struct artefact *ret,
                struct error *err)
{
        struct socket_image *image = arena_new(&ret->arena, struct socket_image);
        image->engine = engine;
        if (!name_is_valid(str_of(name)))
                return error_set(err, -EINVAL, "\"%.200s\" is neither the name nor the id of an image", name);
        int r = find_socket(engine, o, &ret->arena, &image->socket, err);
        if (r == 0)
                r = inspect(image, name, ret, err);
        if (r < 0)
                return r;
        ret->source = engine == ENGINE_DOCKER ? &source_docker_api : &source_podman_api;
        ret->name = arena_str(&ret->arena, str_of(name));
        ret->image_id = str_of(image->id);
        ret->tags = image->tags;
        ret->is_stream = true;
        ret->state = image;
        return 0;
}

int socket_fallback(enum engine engine, const char *name, const struct source_options *o, struct artefact *ret, int r,
                    struct error *err)
{
        struct error why = ERROR_NONE;
        if (o->root)
                return r;
        int asked = socket_open(engine, name, o, ret, &why);
        if (asked == 0 || asked == -EINTR)
                return error_set(err, asked, "%s", why.text);
        struct error store = err ? *err : ERROR_NONE;
        return error_set(err, r, "%s; %s", store.text, why.text);
}

/* --- its bytes --- */

static int hand_on(void *arg, const struct http_response *response, const void *p, size_t n, struct error *err)
{
        int r = write_all(*(const int *)arg, p, n);
        (void)response;
        return r < 0 ? error_errno(err, r, "cannot hand on the image") : 0;
}

/* The producer. */
static int fetch(void *arg, int out_fd, struct error *err)
{
        const struct socket_image *image = arg;
        const char *engine = engines[image->engine].name;
        char url[256];
        struct http *http; /* ends with the process */
        struct http_response response;
        struct http_request request = { .url = url, .max_bytes = UINT64_MAX, .on_body = hand_on, .arg = &out_fd };
        snprintf(url, sizeof(url), "http://localhost/images/%s/get", image->id);
        int r = connect_engine(image->socket, SAVE_STALL, &http, err);
        if (r == 0)
                r = http_get(http, &request, &response, err);
        if (r == -EPIPE)
                return r;
        if (r != 0)
                return error_prefix(err, r == HTTP_BROKEN ? -EIO : r, "%s at %s", engine, image->socket);
        if (response.status / 100 != 2)
                return error_set(err, -EIO, "%s at %s answered %ld for the archive of image %s", engine, image->socket,
                                 response.status, image->id);
        return 0;
}

static int socket_open_layer(struct artefact *a, size_t i, struct layer_input *ret, struct error *err)
{
        struct layer_input in = { .fd = -1, .size = UINT64_MAX };
        (void)i;
        int r = producer_start(fetch, a->state, &in.fd, &in.producer, err);
        if (r == 0)
                *ret = in;
        return r;
}

static int socket_resolve(struct artefact *a, const struct stream_members *m, struct error *err)
{
        const struct socket_image *image = a->state;
        int r = archive_resolve_stream(a, m, err);
        if (r == 0 && image->tags.n)
                a->tags = image->tags; /* an archive that was asked for by id names none */
        return r;
}

static int docker_api_open(const char *target, const struct source_options *o, struct artefact *ret, struct error *err)
{
        return socket_open(ENGINE_DOCKER, target, o, ret, err);
}

static int podman_api_open(const char *target, const struct source_options *o, struct artefact *ret, struct error *err)
{
        return socket_open(ENGINE_PODMAN, target, o, ret, err);
}

/* Bare names are asked of the stores, which come here by themselves. */
static int never(const char *target)
{
        (void)target;
        return 0;
}

const struct source source_docker_api = {
        .name = "docker-api",
        .prefix = "docker-api:",
        .summary = "an image by name or id, through docker's API socket",
        .example = "docker-api:web:1.2",
        .recognise = never,
        .open = docker_api_open,
        .open_layer = socket_open_layer,
        .resolve = socket_resolve,
};

const struct source source_podman_api = {
        .name = "podman-api",
        .prefix = "podman-api:",
        .summary = "an image by name or id, through podman's API socket",
        .example = "podman-api:localhost/web:1.2",
        .recognise = never,
        .open = podman_api_open,
        .open_layer = socket_open_layer,
        .resolve = socket_resolve,
};
