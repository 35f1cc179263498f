/*
 * The list of sources, and which of them a target is for.
 *
 * A prefix decides. Without one all sources are asked (see source.h): a file or directory of that name comes first,
 * then whoever may know it as a name is tried, best first; whoever fits equally well must agree.
 */
#include "source/sources.h"

#include "base/nearest.h"
#include "source/image.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* clang-format off */
const struct source *const sources[] = {
        &source_oci_dir,
        &source_docker_archive,
        &source_oci_archive,
        &source_dir,
        &source_repo,
        &source_podman,
        &source_docker,
        &source_container,
        &source_registry,
        &source_docker_api,
        &source_podman_api,
        NULL,
};
/* clang-format on */

#define FITS_FOR_CERTAIN 50

/* `target` as the user gave it, `name` what follows the prefix. */
static int try_open(const struct source *s, const char *target, const char *name, const struct source_options *o,
                    struct artefact *ret, struct error *err)
{
        struct artefact a = { .source = s };
        a.target = arena_str(&a.arena, str_of(target));
        int r = s->open(name, o, &a, err);
        if (r < 0) {
                arena_done(&a.arena);
                return r;
        }
        *ret = a;
        return 0;
}

static bool is_same_image(const struct artefact *a, const struct artefact *b)
{
        return a->image_id.n && str_eq(a->image_id, b->image_id);
}

/* What was tried for a bare name, for the words of a refusal. */
struct tried {
        struct error absent; /* who has nothing of that name, and where they looked */
        struct error failed; /* who has it, or would have to be asked, and why that did not work */
        int r;               /* of the last that failed; else -ENOENT */
};

static void tried_add(struct tried *t, int r, const char *words)
{
        struct error *all = r == -ENOENT ? &t->absent : &t->failed;
        size_t n = strlen(all->text);
        snprintf(all->text + n, sizeof(all->text) - n, "%s%.*s", n ? "; " : "", (int)(sizeof(all->text) - n), words);
        t->r = r == -ENOENT ? t->r : r;
}

static int ambiguous(const char *target, const struct source *a, const struct source *b, struct error *err)
{
        return error_set(err, -EINVAL, "\"%s\" could be two things: say %s%s or %s%s", target, a->prefix, target,
                         b->prefix, target);
}

/* All sources that give the target this score. 1: one opened it; 0: none has it (words were added); < 0: fatal. */
static int try_score(int score, const char *target, const struct source_options *o, struct artefact *ret,
                     struct tried *tried, struct error *err)
{
        const struct source *found = NULL;
        for (size_t i = 0; sources[i]; i++) {
                if (sources[i]->recognise(target) != score)
                        continue;
                if (found && score >= FITS_FOR_CERTAIN) {
                        artefact_close(ret);
                        return ambiguous(target, found, sources[i], err);
                }
                struct artefact a;
                struct error why = ERROR_NONE;
                int r = try_open(sources[i], target, target, o, &a, &why);
                if (r == -EINTR || (r < 0 && score >= FITS_FOR_CERTAIN)) {
                        if (found)
                                artefact_close(ret);
                        return error_set(err, r, "%s", why.text);
                }
                if (r < 0) {
                        tried_add(tried, r, why.text);
                } else if (!found) {
                        found = sources[i];
                        *ret = a;
                } else {
                        bool is_same = is_same_image(ret, &a);
                        artefact_close(&a);
                        if (is_same)
                                continue;
                        artefact_close(ret);
                        return ambiguous(target, found, sources[i], err);
                }
        }
        return found != NULL;
}

/* "docker-archve:web.tar": the prefix that was meant, or NULL. */
static const char *prefix_meant(const char *target)
{
        const char *prefixes[ARRAY_SIZE(sources)] = { 0 }, *colon = strchr(target, ':');
        char word[32];
        if (!colon || (size_t)(colon - target) + 2 > sizeof(word))
                return NULL;
        snprintf(word, sizeof(word), "%.*s", (int)(colon - target + 1), target);
        for (size_t i = 0; sources[i]; i++)
                prefixes[i] = sources[i]->prefix;
        return nearest(word, prefixes);
}

static int refuse(const char *target, const struct tried *t, struct error *err)
{
        const char *meant = prefix_meant(target);
        if (t->failed.text[0])
                return error_set(err, t->r, "%s; nothing else is called \"%.200s\"", t->failed.text, target);
        if (access(target, F_OK) == 0)
                return error_set(
                        err, t->r,
                        "%.200s is neither an image archive (a tar, compressed or not), nor an OCI layout, nor "
                        "a directory%s: of a single file scan the directory it lies in. All kinds of targets: sekisho "
                        "help "
                        "sources",
                        target, t->absent.text[0] ? ", and no image or container is called so" : "");
        if (meant)
                return error_set(err, t->r, "nothing is called \"%.200s\"; did you mean %s%.200s?", target, meant,
                                 strchr(target, ':') + 1);
        return error_set(err, t->r,
                         "there is no file or directory \"%.200s\"%s%s. All kinds of targets: sekisho help sources",
                         target, t->absent.text[0] ? "; " : ", and it is no name of an image", t->absent.text);
}

int artefact_check_platform(const struct artefact *a, struct str platform, struct error *err)
{
        const struct fact_image *c = &a->config;
        if (!platform.n || a->is_for_platform || !c->os.n || !c->arch.n ||
            platform_fits(platform, c->os, c->arch, c->variant))
                return 0;
        return error_set(err, -ENOENT, "the image is for %.*s/%.*s, not for %.*s (--platform)",
                         STR_FMT(str_upto(c->os, 40)), STR_FMT(str_upto(c->arch, 40)), STR_FMT(platform));
}

static int open_any(const char *target, const struct source_options *o, struct artefact *ret, struct error *err)
{
        struct tried tried = { .r = -ENOENT };
        for (int above = 101;;) {
                int best = 0;
                for (size_t i = 0; sources[i]; i++) {
                        int score = sources[i]->recognise(target);
                        best = score < above && score > best ? score : best;
                }
                if (!best)
                        return refuse(target, &tried, err);
                int r = try_score(best, target, o, ret, &tried, err);
                if (r)
                        return r < 0 ? r : 0;
                above = best;
        }
}

static int open_by_prefix(const struct source *s, const char *target, const struct source_options *o,
                          struct artefact *ret, struct error *err)
{
        const char *name = target + strlen(s->prefix);
        if (!*name)
                return error_set(err, -EINVAL, "%s wants something after it, like %s", s->prefix, s->example);
        return try_open(s, target, name, o, ret, err);
}

int artefact_open(const char *target, const struct source_options *o, struct artefact *ret, struct error *err)
{
        const struct source *forced = NULL;
        for (size_t i = 0; sources[i] && !forced; i++)
                if (strncmp(target, sources[i]->prefix, strlen(sources[i]->prefix)) == 0)
                        forced = sources[i];
        if (!*target)
                return error_set(err, -EINVAL, "the target is empty");
        int r = forced ? open_by_prefix(forced, target, o, ret, err) : open_any(target, o, ret, err);
        if (r == 0 && (r = artefact_check_platform(ret, o->platform, err)) < 0)
                artefact_close(ret);
        return r;
}

void artefact_close(struct artefact *a)
{
        if (a->source && a->source->close && a->state)
                a->source->close(a);
        arena_done(&a->arena);
        *a = (struct artefact){ 0 };
}
