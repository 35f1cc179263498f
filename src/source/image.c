/* See image.h. */
#include "source/image.h"

#include "read/oci.h"
#include "source/digest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

void artefact_note(struct artefact *a, struct str path, const char *code, const char *fmt, ...)
{
        char detail[512];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(detail, sizeof(detail), fmt, ap);
        va_end(ap);
        struct fact_unread *notes = a->notes;
        if ((a->n_notes & (a->n_notes - 1)) == 0) { /* full: room is for powers of two */
                notes = arena_array(&a->arena, MAX(a->n_notes * 2, (size_t)1), sizeof(*notes));
                if (a->n_notes)
                        memcpy(notes, a->notes, a->n_notes * sizeof(*notes));
        }
        notes[a->n_notes] = (struct fact_unread){ .path = arena_str(&a->arena, path),
                                                  .code = str_of(code),
                                                  .detail = arena_str(&a->arena, str_of(detail)) };
        a->notes = notes;
        a->n_notes++;
}

/* --- layers --- */

static bool is_foreign(struct str media_type)
{
        return str_find(media_type, STR("nondistributable")) >= 0 || str_find(media_type, STR(".foreign.")) >= 0;
}

static void copy_config(struct artefact *a, const struct document *config)
{
        a->has_config = true;
        fact_copy(FACT_image, &a->arena, &config->image, &a->config);
        a->n_steps = config->n_steps;
        a->steps = arena_array(&a->arena, config->n_steps, sizeof(*a->steps));
        for (size_t i = 0; i < config->n_steps; i++)
                fact_copy(FACT_step, &a->arena, &config->steps[i], &a->steps[i]);
}

static void join_diff_ids(struct artefact *a)
{
        if (a->config.diff_ids.n == a->n_layers) {
                for (size_t i = 0; i < a->n_layers; i++)
                        a->layers[i].diff_id = a->config.diff_ids.v[i];
        } else {
                artefact_note(a, STR("configuration"), "corrupt", "it promises %zu layers, the manifest has %zu",
                              a->config.diff_ids.n, a->n_layers);
        }
}

/* Some builders write no history, or one that counts otherwise: then no step is any layer's. */
static void join_steps(struct artefact *a)
{
        size_t n = 0;
        for (size_t i = 0; i < a->n_steps; i++)
                n += !a->steps[i].empty_layer;
        if (n != a->n_layers)
                return;
        for (size_t i = 0, layer = 0; i < a->n_steps; i++)
                if (!a->steps[i].empty_layer)
                        a->layers[layer++].created_by = a->steps[i].created_by;
}

void image_fill(struct artefact *a, const struct fact_descriptor *layers, size_t n_layers,
                const struct document *config)
{
        a->layers = arena_array(&a->arena, n_layers, sizeof(*a->layers));
        a->n_layers = n_layers;
        for (size_t i = 0; i < n_layers; i++) {
                a->layers[i] = (struct layer){
                        .digest = arena_str(&a->arena, layers[i].digest),
                        .media_type = arena_str(&a->arena, layers[i].media_type),
                        .size = layers[i].size,
                        .member = arena_str(&a->arena, layers[i].path),
                        .is_foreign = is_foreign(layers[i].media_type),
                };
        }
        if (!config)
                return;
        copy_config(a, config);
        join_diff_ids(a);
        join_steps(a);
}

/* --- documents --- */

static int fetch_document(struct artefact *a, const struct fact_descriptor *d, enum document_kind kind,
                          const struct image_fetch *fetch, struct document *ret, struct error *err)
{
        _cleanup_(buf_done) struct buf bytes = BUF_INIT(OCI_DOCUMENT_MAX);
        int r = fetch->read(fetch->arg, d, &bytes, err);
        if (r == 0 && d->digest.n)
                r = digest_check(d->digest, buf_str(&bytes), err);
        if (r == 0)
                r = document_read(kind, buf_str(&bytes), &a->arena, ret, err);
        if (r < 0 && d->digest.n)
                return error_prefix(err, r, "%s %.*s", kind == DOCUMENT_CONFIG ? "configuration" : "manifest",
                                    STR_FMT(str_upto(d->digest, 150)));
        return r;
}

static bool is_image_config(struct str media_type)
{
        return !media_type.n || str_is(media_type, "application/vnd.oci.image.config.v1+json") ||
               str_is(media_type, "application/vnd.docker.container.image.v1+json");
}

/* A manifest whose document was read: its configuration, then all of it into the artefact. */
static int take_manifest(struct artefact *a, const struct document *manifest, const struct image_fetch *fetch,
                         struct error *err)
{
        const struct fact_descriptor *config = &manifest->descriptors[0];
        if (!manifest->n_descriptors || !str_is(config->role, "config"))
                return error_set(err, -EBADMSG, "a manifest without a configuration");
        a->image_id = arena_str(&a->arena, config->digest);
        if (!is_image_config(config->media_type)) {
                artefact_note(a, STR("configuration"), "unsupported",
                              "not a container image but an artifact of type %.*s",
                              STR_FMT(str_upto(config->media_type, 200)));
                image_fill(a, manifest->descriptors + 1, manifest->n_descriptors - 1, NULL);
                return 0;
        }
        struct document document;
        int r = fetch_document(a, config, DOCUMENT_CONFIG, fetch, &document, err);
        if (r < 0)
                return r;
        image_fill(a, manifest->descriptors + 1, manifest->n_descriptors - 1, &document);
        return 0;
}

/* --- indexes --- */

/* Things that lie in an index beside images: attestations of BuildKit are for "unknown/unknown". */
static bool is_image(const struct fact_descriptor *d) { return !str_is(d->os, "unknown"); }

static void list_choices(const struct document *index, struct buf *text)
{
        for (size_t i = 0; i < index->n_descriptors && text->n < 400; i++) {
                const struct fact_descriptor *d = &index->descriptors[i];
                if (!is_image(d))
                        continue;
                if (text->n)
                        buf_puts(text, ", ");
                if (d->ref.n)
                        buf_printf(text, "%.*s", STR_FMT(str_upto(d->ref, 100)));
                else
                        buf_printf(text, "%.*s", STR_FMT(str_upto(d->digest, 19)));
                if (d->os.n)
                        buf_printf(text, " (%.*s/%.*s%s%.*s)", STR_FMT(str_upto(d->os, 40)),
                                   STR_FMT(str_upto(d->arch, 40)), d->variant.n ? "/" : "",
                                   STR_FMT(str_upto(d->variant, 40)));
        }
        if (!text->n)
                buf_puts(text, "nothing");
}

/* The best fit; a descriptor that does not say its platform may be the one if it is the only one that is left. */
static int choose(const struct document *index, struct str ref, struct str platform, size_t *ret_i, struct error *err)
{
        size_t best = 0, n_with_ref = 0, n_silent = 0, silent = 0;
        int best_fit = 0;
        bool is_tie = false, silent_differ = false;
        for (size_t i = 0; i < index->n_descriptors; i++) {
                const struct fact_descriptor *d = &index->descriptors[i];
                if (!is_image(d) || (ref.n && !str_eq(d->ref, ref)))
                        continue;
                n_with_ref++;
                if (!d->os.n && !d->arch.n) {
                        silent_differ |= n_silent && !str_eq(d->digest, index->descriptors[silent].digest);
                        silent = n_silent++ ? silent : i;
                        continue;
                }
                int fit = platform_fits(platform, d->os, d->arch, d->variant);
                if (fit > best_fit) {
                        best_fit = fit;
                        best = i;
                        is_tie = false;
                } else if (fit && fit == best_fit && !str_eq(d->digest, index->descriptors[best].digest)) {
                        /* Variants that nobody asked to tell apart: the first is taken, as containerd does. */
                        is_tie |= str_eq(d->variant, index->descriptors[best].variant);
                }
        }
        _cleanup_(buf_done) struct buf there = BUF_INIT(1024);
        list_choices(index, &there);
        struct str wanted = platform.n ? platform : str_of(platform_here());
        if (!n_with_ref)
                return ref.n ? error_set(err, -ENOENT, "no image is called \"%.*s\" here; there is: %s", STR_FMT(ref),
                                         there.p)
                             : error_set(err, -ENOENT, "the index lists no image");
        if (is_tie || (!best_fit && silent_differ))
                return error_set(err, -EINVAL, "several images are here; name one of: %s", there.p);
        if (!best_fit && !n_silent)
                return error_set(err, -ENOENT, "no image for %.*s (see --platform); there is: %s", STR_FMT(wanted),
                                 there.p);
        *ret_i = best_fit ? best : silent;
        return 0;
}

static int follow(struct artefact *a, const struct document *start, struct str ref, struct str platform,
                  const struct image_fetch *fetch, struct error *err)
{
        struct document document = *start;
        for (int depth = 0; document.kind == DOCUMENT_INDEX; depth++) {
                if (depth == IMAGE_INDEX_DEPTH_MAX)
                        return error_set(err, -ELOOP, "indexes that point to indexes, more than %d deep",
                                         IMAGE_INDEX_DEPTH_MAX);
                size_t i = 0;
                int r = choose(&document, ref, platform, &i, err);
                if (r < 0)
                        return r;
                const struct fact_descriptor d = document.descriptors[i];
                a->is_for_platform |= d.os.n && platform_fits(platform, d.os, d.arch, d.variant);
                ref = STR_NONE; /* refs name what lies in the outermost index */
                r = fetch_document(a, &d, DOCUMENT_ANY, fetch, &document, err);
                if (r < 0)
                        return r;
                a->digest = arena_str(&a->arena, d.digest);
        }
        if (document.kind != DOCUMENT_MANIFEST)
                return error_set(err, -EBADMSG, "a descriptor of an image leads to what is no image manifest");
        return take_manifest(a, &document, fetch, err);
}

int image_from_index(struct artefact *a, const struct document *index, struct str ref, struct str platform,
                     const struct image_fetch *fetch, struct error *err)
{
        return follow(a, index, ref, platform, fetch, err);
}

int image_from_bytes(struct artefact *a, struct str bytes, struct str platform, const struct image_fetch *fetch,
                     struct error *err)
{
        struct document document;
        int r = document_read(DOCUMENT_ANY, bytes, &a->arena, &document, err);
        if (r < 0)
                return r;
        char digest[DIGEST_TEXT_MAX];
        digest_sha256(bytes, digest);
        a->digest = arena_str(&a->arena, str_of(digest));
        return follow(a, &document, STR_NONE, platform, fetch, err);
}
