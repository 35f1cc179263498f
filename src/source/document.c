/* See document.h. */
#include "source/document.h"

#include "base/date.h"
#include "base/vec.h"
#include "proc/worker.h"
#include "read/oci.h"
#include "read/store.h"

#include <errno.h>

static struct str_list list_of(struct json_list l) { return (struct str_list){ l.v, l.n }; }

static int64_t time_of(struct str s)
{
        int64_t t = 0;
        return date_parse(s, &t) ? t : 0;
}

static void put_descriptor(struct sink *out, const struct oci_descriptor *d)
{
        struct fact_descriptor f = {
                .role = str_of(d->role),
                .media_type = d->media_type,
                .digest = d->digest,
                .size = d->size,
                .path = d->path,
                .os = d->os,
                .arch = d->arch,
                .variant = d->variant,
                .ref = d->ref,
                .group = d->group,
        };
        sink_put(out, FACT_descriptor, &f);
}

static void put_config(struct sink *out, const struct oci_document *d)
{
        const struct oci_config *c = &d->config;
        struct fact_image f = {
                .os = c->os,
                .arch = c->arch,
                .variant = c->variant,
                .created = time_of(c->created),
                .user = c->user,
                .entrypoint = list_of(c->entrypoint),
                .cmd = list_of(c->cmd),
                .env = list_of(c->env),
                .ports = list_of(c->ports),
                .volumes = list_of(c->volumes),
                .labels = list_of(c->labels),
                .healthcheck = c->healthcheck,
                .diff_ids = list_of(c->diff_ids),
        };
        sink_put(out, FACT_image, &f);
        for (size_t i = 0; i < d->n_steps; i++) {
                struct fact_step step = { .created_by = d->steps[i].created_by,
                                          .created = time_of(d->steps[i].created),
                                          .empty_layer = d->steps[i].empty_layer };
                sink_put(out, FACT_step, &step);
        }
}

/* The kind travels first, as a descriptor whose role is its name: the wire carries facts only. */
static const struct {
        const char *role;
        enum document_kind kind;
} kinds[] = {
        [OCI_INDEX] = { "is-index", DOCUMENT_INDEX },
        [OCI_MANIFEST] = { "is-manifest", DOCUMENT_MANIFEST },
        [OCI_CONFIG] = { "is-config", DOCUMENT_CONFIG },
        [OCI_ARCHIVE] = { "is-archive", DOCUMENT_ARCHIVE },
};

static int parse_store(enum document_kind kind, struct str bytes, struct sink *out, struct error *err)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct store_entry *v = NULL;
        size_t n = 0;
        int r = store_read((enum store_kind)(kind - DOCUMENT_PODMAN_IMAGES), bytes, &arena, &v, &n, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct fact_stored f = { .role = str_of(v[i].role),
                                         .id = v[i].id,
                                         .names = list_of(v[i].names),
                                         .digest = v[i].digest,
                                         .blob_digest = v[i].blob_digest,
                                         .parent = v[i].parent,
                                         .image = v[i].image,
                                         .path = v[i].path,
                                         .pid = v[i].pid,
                                         .started = v[i].started,
                                         .size = v[i].size,
                                         .parts = list_of(v[i].parts),
                                         .labels = list_of(v[i].labels),
                                         .settings = list_of(v[i].settings) };
                sink_put(out, FACT_stored, &f);
        }
        return r;
}

int document_parse(enum document_kind kind, struct str bytes, struct sink *out, struct error *err)
{
        if (kind > DOCUMENT_ANY)
                return parse_store(kind, bytes, out, err);
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct oci_document d;
        int r = oci_read(bytes, &arena, &d, err);
        if (r < 0)
                return r;
        struct fact_descriptor found = { .role = str_of(kinds[d.kind].role) };
        sink_put(out, FACT_descriptor, &found);
        for (size_t i = 0; i < d.n_descriptors; i++)
                put_descriptor(out, &d.descriptors[i]);
        if (d.kind == OCI_CONFIG)
                put_config(out, &d);
        return 0;
}

_Static_assert(DOCUMENT_BUNDLE - DOCUMENT_PODMAN_IMAGES == (int)STORE_BUNDLE, "the kinds of store_read, in its order");

struct reading {
        enum document_kind kind;
        struct str bytes;
        struct arena *arena;
        struct document document;
        VEC(struct fact_descriptor) descriptors;
        VEC(struct fact_step) steps;
        VEC(struct fact_stored) stored;
        bool has_kind, has_image, is_flooded;
        int r;
        struct error why;
};

static int run(void *arg, int fd, struct sink *out, struct error *err)
{
        const struct reading *reading = arg;
        return document_parse(reading->kind, reading->bytes, out, err);
}

static void take_descriptor(struct reading *r, const struct fact_descriptor *f)
{
        if (!r->has_kind) {
                for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                        if (str_is(f->role, kinds[i].role)) {
                                r->document.kind = kinds[i].kind;
                                r->has_kind = true;
                        }
                return;
        }
        if (r->descriptors.n == OCI_DESCRIPTORS_MAX) {
                r->is_flooded = true;
                return;
        }
        fact_copy(FACT_descriptor, r->arena, f, vec_push(&r->descriptors));
}

/* A worker that was taken over may send anything: what does not fit the limits of read/oci.h is not kept. */
static void on_fact(void *arg, enum fact_kind kind, const void *fact)
{
        struct reading *r = arg;
        if (kind == FACT_descriptor) {
                take_descriptor(r, fact);
        } else if (kind == FACT_image && !r->has_image) {
                fact_copy(FACT_image, r->arena, fact, &r->document.image);
                r->has_image = true;
        } else if (kind == FACT_step && r->steps.n < OCI_STEPS_MAX) {
                fact_copy(FACT_step, r->arena, fact, vec_push(&r->steps));
        } else if (kind == FACT_stored && r->stored.n < STORE_ENTRIES_MAX) {
                fact_copy(FACT_stored, r->arena, fact, vec_push(&r->stored));
        } else {
                r->is_flooded = true;
        }
}

static void on_end(void *arg, int r, const char *why)
{
        struct reading *reading = arg;
        reading->r = r;
        if (r < 0)
                (void)error_set(&reading->why, r, "%s", why);
}

static const char *kind_name(enum document_kind kind)
{
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (kinds[i].kind == kind)
                        return oci_kind_name((enum oci_kind)i);
        return "document";
}

static void *keep(struct arena *arena, const void *v, size_t n, size_t size)
{
        void *kept = arena_array(arena, n, size);
        return n ? memcpy(kept, v, n * size) : kept;
}

static int finish(struct reading *reading, enum document_kind kind, struct document *ret, struct error *err)
{
        if (reading->r < 0)
                return error_set(err, reading->r, "%s", reading->why.text);
        bool is_store = kind > DOCUMENT_ANY;
        if (is_store == reading->has_kind || reading->is_flooded)
                return error_set(err, -EBADMSG, "the worker that read it sent facts that it could not have found");
        struct document *d = &reading->document;
        if (kind != DOCUMENT_ANY && !is_store && d->kind != kind)
                return error_set(err, -EBADMSG, "expected an %s, found an %s", kind_name(kind), kind_name(d->kind));
        if (is_store)
                d->kind = kind;
        d->n_descriptors = reading->descriptors.n;
        d->descriptors = keep(reading->arena, reading->descriptors.v, d->n_descriptors, sizeof(*d->descriptors));
        d->n_steps = reading->steps.n;
        d->steps = keep(reading->arena, reading->steps.v, d->n_steps, sizeof(*d->steps));
        d->n_stored = reading->stored.n;
        d->stored = keep(reading->arena, reading->stored.v, d->n_stored, sizeof(*d->stored));
        *ret = *d;
        return 0;
}

int document_read(enum document_kind kind, struct str bytes, struct arena *arena, struct document *ret,
                  struct error *err)
{
        struct reading reading = { .kind = kind, .bytes = bytes, .arena = arena };
        struct job job = { .name = "document",
                           .run = run,
                           .on_fact = on_fact,
                           .on_end = on_end,
                           .arg = &reading,
                           .memory_max = 512u << 20,
                           .stall_seconds = 20 };
        json_prepare();
        int r = workers_run(&job, 1, 1, err);
        if (r == 0)
                r = finish(&reading, kind, ret, err);
        vec_done(&reading.descriptors);
        vec_done(&reading.steps);
        vec_done(&reading.stored);
        return r;
}
