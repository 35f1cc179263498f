/*
 * The list of sources, and which of them a target is for.
 *
 * A prefix decides. Without one all sources are asked (see source.h): a file or directory of that name comes first,
 * then whoever may know it as a name is tried, best first; whoever fits equally well must agree.
 */
#include "source/sources.h"

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

static void add_words(struct error *all, const char *words)
{
        size_t n = strlen(all->text);
        snprintf(all->text + n, sizeof(all->text) - n, "%s%.*s", n ? "; " : "", (int)(sizeof(all->text) - n), words);
}

static int ambiguous(const char *target, const struct source *a, const struct source *b, struct error *err)
{
        return error_set(err, -EINVAL, "\"%s\" could be two things: say %s%s or %s%s", target, a->prefix, target,
                         b->prefix, target);
}

/* All sources that give the target this score. 1: one opened it; 0: none has it (words were added); < 0: fatal. */
static int try_score(int score, const char *target, const struct source_options *o, struct artefact *ret,
                     struct error *looked, int *worst, struct error *err)
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
                        add_words(looked, why.text);
                        *worst = r == -ENOENT ? *worst : r;
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

static int refuse(const char *target, const struct error *looked, int r, struct error *err)
{
        char prefixes[512] = "";
        size_t n = 0;
        for (size_t i = 0; sources[i] && n < sizeof(prefixes); i++)
                n += (size_t)snprintf(prefixes + n, sizeof(prefixes) - n, "%s%s", i ? " " : "", sources[i]->prefix);
        if (looked->text[0])
                return error_set(err, r,
                                 "no file, directory, image or container is called \"%s\": %s. To name the kind, put "
                                 "one of these before it: %s",
                                 target, looked->text, prefixes);
        if (access(target, F_OK) == 0)
                return error_set(err, r,
                                 "%s is neither an image archive, nor an OCI layout, nor a directory with a root file "
                                 "system. To force a kind, put one of these before it: %s",
                                 target, prefixes);
        return error_set(err, r,
                         "there is no file or directory \"%s\", and it is no name of an image. To name the kind, put "
                         "one of these before it: %s",
                         target, prefixes);
}

int artefact_open(const char *target, const struct source_options *o, struct artefact *ret, struct error *err)
{
        for (size_t i = 0; sources[i]; i++) {
                size_t n = strlen(sources[i]->prefix);
                if (strncmp(target, sources[i]->prefix, n) == 0)
                        return try_open(sources[i], target, target + n, o, ret, err);
        }
        if (!*target)
                return error_set(err, -EINVAL, "the target is empty");
        struct error looked = ERROR_NONE;
        int worst = -ENOENT, above = 101;
        for (;;) {
                int best = 0;
                for (size_t i = 0; sources[i]; i++) {
                        int score = sources[i]->recognise(target);
                        best = score < above && score > best ? score : best;
                }
                if (!best)
                        return refuse(target, &looked, worst, err);
                int r = try_score(best, target, o, ret, &looked, &worst, err);
                if (r)
                        return r < 0 ? r : 0;
                above = best;
        }
}

void artefact_close(struct artefact *a)
{
        if (a->source && a->source->close && a->state)
                a->source->close(a);
        arena_done(&a->arena);
        *a = (struct artefact){ 0 };
}
