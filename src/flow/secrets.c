/* See secrets.h. */
#include "flow/secrets.h"

#include "base/date.h"
#include "base/fs.h"
#include "base/vec.h"
#include "proc/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FACTS_MAX 5000

VEC_TYPE(found_vec, struct view_secret);

struct texts_job {
        struct artefact *artefact;
        const struct secret_set *set;
        struct arena *arena;
        struct found_vec found;
        uint64_t more; /* beyond FACTS_MAX */
};

/* --- in the worker --- */

/* A sink that gives what it is given to another, with the number of the text as the line. */
struct numbered {
        struct sink sink; /* first: put casts back */
        struct sink *to;
        uint64_t number;
};

static void put_numbered(struct sink *s, enum fact_kind kind, const void *fact)
{
        struct numbered *n = (struct numbered *)s;
        struct fact_secret f = *(const struct fact_secret *)fact;
        f.line = n->number;
        f.column = 0;
        sink_put(n->to, kind, &f);
}

static void look(struct secret_texts *t, const char *where, uint64_t number, struct str text, struct sink *out)
{
        struct numbered n = { .sink = { put_numbered }, .to = out, .number = number };
        if (text.n > SECRETS_TEXTS_MAX) {
                sink_unread(out, str_of(where), "too-large", "%zu bytes; secrets are looked for in the first %u",
                            text.n, SECRETS_TEXTS_MAX);
                text = str_upto(text, SECRETS_TEXTS_MAX);
        }
        secret_texts_look(t, str_of(where), text, &n.sink);
}

static void look_at_list(struct secret_texts *t, const char *where, struct str_list list, struct sink *out)
{
        for (size_t i = 0; i < list.n; i++)
                look(t, where, i + 1, list.v[i], out);
}

/* Variables of a process, each ended by a NUL (proc(5)). */
static void look_at_environment(struct secret_texts *t, int fd, struct sink *out)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(SECRETS_TEXTS_MAX);
        int r = read_all(fd, &b);
        if (r < 0)
                sink_unread(out, STR("(environment)"), r == -EFBIG ? "too-large" : "denied", "%s", strerror(-r));
        struct str rest = buf_str(&b);
        for (uint64_t i = 1; rest.n; i++)
                look(t, "(environment)", i, str_cut(&rest, 0), out);
}

static int run_texts(void *arg, int fd, struct sink *out, struct error *err)
{
        const struct texts_job *j = arg;
        const struct artefact *a = j->artefact;
        struct secret_texts *t = secret_texts_new(j->set);
        if (a->has_config) {
                look_at_list(t, "(config) Env", a->config.env, out);
                look_at_list(t, "(config) Labels", a->config.labels, out);
                look_at_list(t, "(config) Entrypoint", a->config.entrypoint, out);
                look_at_list(t, "(config) Cmd", a->config.cmd, out);
        }
        for (size_t i = 0; i < a->n_steps; i++)
                look(t, "(history)", i + 1, a->steps[i].created_by, out);
        if (fd >= 0)
                look_at_environment(t, fd, out);
        secret_texts_free(t);
        return 0;
}

/* --- in the parent --- */

static int open_texts(void *arg, int *ret_fd, pid_t *ret_producer, struct error *err)
{
        struct artefact *a = ((struct texts_job *)arg)->artefact;
        *ret_producer = 0;
        *ret_fd = a->source->open_environment ? a->source->open_environment(a) : -1;
        if (a->source->open_environment && *ret_fd < 0)
                artefact_note(a, STR("(environment)"), "denied", "the environment of its process: %s",
                              strerror(-*ret_fd));
        *ret_fd = MAX(*ret_fd, -1);
        return 0;
}

/* The layer that a step of the history made; NONE of those that made none. */
static size_t layer_of_step(const struct artefact *a, uint64_t step)
{
        size_t layer = 0;
        for (size_t i = 0; i + 1 < step && i < a->n_steps; i++)
                layer += !a->steps[i].empty_layer;
        return step && step <= a->n_steps && !a->steps[step - 1].empty_layer && layer < a->n_layers ? layer : NONE;
}

/* --- what the report shows of these texts: everything but the secrets --- */

static void mask(struct arena *a, struct str *text, uint64_t offset, uint64_t length)
{
        if (offset >= text->n)
                return;
        char *copy = arena_cstr(a, *text);
        memset(copy + offset, '*', (size_t)MIN(length, text->n - offset));
        *text = str_span(copy, text->n);
}

static void mask_in_list(struct arena *a, struct str_list *list, const struct fact_secret *s)
{
        if (s->line >= 1 && s->line <= list->n)
                mask(a, &list->v[s->line - 1], s->offset, s->length);
}

static void mask_secret(struct artefact *a, const struct fact_secret *s)
{
        const struct {
                const char *where;
                struct str_list *list;
        } lists[] = {
                { "(config) Env", &a->config.env },
                { "(config) Labels", &a->config.labels },
                { "(config) Entrypoint", &a->config.entrypoint },
                { "(config) Cmd", &a->config.cmd },
        };
        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                if (str_is(s->path, lists[i].where))
                        mask_in_list(&a->arena, lists[i].list, s);
        if (!str_is(s->path, "(history)") || !s->line || s->line > a->n_steps)
                return;
        struct str *step = &a->steps[s->line - 1].created_by;
        struct str value = s->offset < step->n ? str_upto(str_from(*step, s->offset), s->length) : STR_NONE;
        for (size_t i = 0; value.n && i < a->n_layers; i++) { /* the layers repeat their steps */
                ptrdiff_t at = str_find(a->layers[i].created_by, value);
                if (at >= 0)
                        mask(&a->arena, &a->layers[i].created_by, (uint64_t)at, value.n);
        }
        mask(&a->arena, step, s->offset, s->length);
}

static void take_text_fact(void *arg, enum fact_kind kind, const void *fact)
{
        struct texts_job *j = arg;
        if (kind == FACT_unread) {
                const struct fact_unread *u = fact;
                artefact_note(j->artefact, arena_str(j->arena, u->path), arena_cstr(j->arena, u->code), "%.*s",
                              STR_FMT(u->detail));
        }
        if (kind != FACT_secret)
                return;
        mask_secret(j->artefact, fact);
        if (j->found.n >= FACTS_MAX) {
                j->more++;
                return;
        }
        struct view_secret *s = vec_push(&j->found);
        *s = (struct view_secret){ .layer = NONE, .deleted_by = NONE };
        fact_copy(FACT_secret, j->arena, fact, &s->secret);
        if (str_is(s->secret.path, "(history)"))
                s->layer = layer_of_step(j->artefact, s->secret.line);
        /* A variable of an image is given to every process of it: what its name says weighs more than in a file. */
        if (str_is(s->secret.rule, "generic-variable") && !str_is(s->secret.path, "(history)"))
                s->secret.confidence = STR("medium");
}

static void end_texts(void *arg, int r, const char *why)
{
        struct texts_job *j = arg;
        if (r < 0)
                artefact_note(j->artefact, STR("(config)"), "crashed", "secrets were not looked for in it: %s", why);
}

int secrets_in_artefact(struct artefact *a, const struct secret_set *set, struct arena *arena, struct view *to,
                        struct error *err)
{
        struct texts_job j = { .artefact = a, .set = set, .arena = arena };
        struct job job = { .name = "configuration",
                           .open = open_texts,
                           .run = run_texts,
                           .on_fact = take_text_fact,
                           .on_end = end_texts,
                           .arg = &j };
        if (!a->has_config && !a->n_steps && !a->source->open_environment)
                return 0;
        int r = workers_run(&job, 1, 1, err);
        if (j.more)
                artefact_note(a, STR("(config)"), "limit", "%llu more secrets, which are not listed",
                              (unsigned long long)j.more);
        struct view_secret *all = arena_array(arena, to->n_secrets + j.found.n, sizeof(*all));
        if (to->n_secrets)
                memcpy(all, to->secrets, to->n_secrets * sizeof(*all));
        if (j.found.n)
                memcpy(all + to->n_secrets, j.found.v, j.found.n * sizeof(*all));
        to->secrets = all;
        to->n_secrets += j.found.n;
        vec_done(&j.found);
        return r;
}

/* --- words --- */

/* "/app/.env!member", "variable 3 of the image's configuration" */
static struct str place_of(struct arena *a, const struct fact_secret *s)
{
        if (str_is(s->path, "(history)"))
                return arena_printf(a, "step %llu of the build history", (unsigned long long)s->line);
        if (str_is(s->path, "(environment)"))
                return STR("the environment of its process");
        if (str_starts(s->path, STR("(config) ")))
                return arena_printf(a, "the configuration's %.*s", STR_FMT(str_from(s->path, 9)));
        return arena_printf(a, "/%.*s%s%.*s", STR_FMT(s->path), s->members.n ? "!" : "", STR_FMT(s->members));
}

/* "/app/.env of commit 1a2b3c4d5e6f (2024-05-01), gone from HEAD" */
static struct str place_in_history(struct arena *a, const struct fact_secret *s)
{
        char day[DATE_TEXT_MAX];
        if (!s->commit.n)
                return arena_printf(a, "%.*s, which no commit has", STR_FMT(s->path));
        const char *presence = str_is(s->presence, "head")      ? "still at HEAD"
                               : str_is(s->presence, "history") ? "gone from HEAD, still in the history"
                                                                : "in no branch or tag, still in the repository";
        return arena_printf(a, "/%.*s of commit %.*s (%s), %s", STR_FMT(s->path), STR_FMT(str_upto(s->commit, 12)),
                            date_day(s->committed, day), presence);
}

void secret_describe(struct arena *arena, const struct view_secret *s, struct finding *ret)
{
        struct fact_secret *f = arena_new(arena, struct fact_secret);
        *f = s->secret;
        if (s->is_verified) {
                /* The world has it already; whoever ships such packages to others should look all the same. */
                f->confidence = str_is(f->confidence, "high") ? STR("medium") : STR("low");
                f->detail = arena_printf(arena, "%.*s%sas package %.*s ships it", STR_FMT(f->detail),
                                         f->detail.n ? "; " : "", STR_FMT(s->package));
        }
        if (s->certificate.n)
                f->detail = arena_printf(arena, "%.*s%sits certificate is %.*s", STR_FMT(f->detail),
                                         f->detail.n ? "; " : "", STR_FMT(s->certificate));
        struct str deleted = STR_NONE, where = place_of(arena, f);
        if (f->presence.n)
                where = place_in_history(arena, f);
        if (s->deleted_by != NONE)
                deleted = arena_printf(arena, ", %s in layer %zu, still pullable",
                                       s->deleted_by == s->layer ? "replaced" : "deleted", s->deleted_by + 1);
        ret->secret = f;
        ret->deleted_by = s->deleted_by;
        ret->id = f->rule;
        ret->title = arena_printf(arena, "%.*s in %.*s%.*s", STR_FMT(f->title), STR_FMT(where), STR_FMT(deleted));
        ret->layer = s->layer;
        ret->path = f->path;
        ret->line = f->line;
        ret->proof =
                arena_printf(arena, "%.*s, %.*s confidence, %s%s%.*s", STR_FMT(f->redacted), STR_FMT(f->confidence),
                             str_is(f->validity, "valid")    ? "checked: valid"
                             : str_is(f->validity, "failed") ? "its checksum is wrong"
                                                             : "not checked",
                             f->detail.n ? ", " : "", STR_FMT(f->detail));
}
