/*
 * See layers.h. The parent's side: starts the workers, spools the facts. Everything that a worker sends is bounded
 * here as well, since a worker may have been taken over by what it read.
 */
#include "flow/layers.h"

#include "base/map.h"
#include "flow/job.h"
#include "proc/worker.h"

#include <errno.h>
#include <stdlib.h>

#define SPOOL_MEMORY     (2u << 20)
#define PACKAGES_MAX     200000
#define OS_MAX           16
#define SECRETS_MAX      20000
#define CERTIFICATES_MAX 2000
#define MEMBERS_MAX      100000
#define MEMBER_BYTES_MAX (64u << 20) /* of documents in a stream archive */
#define STALL_SECONDS    900         /* a daemon may write an image to its disk first; sources watch their own stalls */
#define LAYER_MEMORY     (UINT64_C(1) << 30) /* of a worker: package databases are captured whole */

static void layer_facts_init(struct layer_facts *l, struct layers_budget *budget)
{
        *l = (struct layer_facts){ .arena = ARENA_INIT, .budget = budget, .record = BUF_INIT(SPOOL_RECORD_MAX) };
        spool_init(&l->files, SPOOL_MEMORY);
        spool_init(&l->owned, SPOOL_MEMORY);
}

static void layer_facts_done(struct layer_facts *l)
{
        arena_done(&l->arena);
        spool_done(&l->files);
        spool_done(&l->owned);
        buf_done(&l->record);
        vec_done(&l->databases);
        vec_done(&l->packages);
        vec_done(&l->os);
        vec_done(&l->certificates);
        vec_done(&l->secrets);
        vec_done(&l->unread);
        vec_done(&l->malware);
}

static void add_unread(struct layer_facts *l, struct str path, const char *code, const char *detail)
{
        struct fact_unread u = { .path = path, .code = str_of(code), .detail = str_of(detail) };
        if (l->unread.n < UNREAD_MAX)
                fact_copy(FACT_unread, &l->arena, &u, vec_push(&l->unread));
        else
                l->unread_more++;
}

/* Some facts of the layer are dropped: said once, for the first reason. */
static void cut(struct layer_facts *l, const char *why)
{
        if (!l->is_cut)
                add_unread(l, STR("(layer)"), "limit", why);
        l->is_cut = true;
}

/* A copy into a vector's new element, paid for with memory. */
static void keep(struct layer_facts *l, enum fact_kind kind, const void *fact, void *to)
{
        size_t before = l->arena.used_bytes;
        fact_copy(kind, &l->arena, fact, to);
        (void)budget_bytes(&l->budget->memory, fact_infos[kind].size + l->arena.used_bytes - before);
}

static bool has_room(struct layer_facts *l)
{
        if (l->budget->memory.over)
                cut(l, "the facts of this artefact take more memory than the limit: the rest was dropped");
        return !l->budget->memory.over;
}

static void spool_fact(struct layer_facts *l, struct spool *to, enum fact_kind kind, const void *fact)
{
        struct buf *b = &l->record;
        buf_clear(b);
        fact_encode(kind, fact, b);
        if (!budget_bytes(&l->budget->lists, b->n)) {
                cut(l, "the lists of files are longer than the limit: the rest was dropped");
                return;
        }
        int r = buf_is_full(b) ? -EMSGSIZE : spool_add(to, buf_str(b));
        if (r < 0)
                cut(l, r == -EMSGSIZE ? "an entry is too large for the list of files: it was dropped"
                       : r == -ENOSPC
                               ? "the list of files does not fit on the disk for temporary files ($TMPDIR)"
                               : "the list of files cannot be written to the disk for temporary files ($TMPDIR)");
}

/* The files that claim others, each once where its claims come in a row, as they do. */
static void note_database(struct layer_facts *l, struct str path)
{
        if (l->databases.n && str_eq(l->databases.v[l->databases.n - 1], path))
                return;
        if (!has_room(l))
                return;
        *vec_push(&l->databases) = arena_str(&l->arena, path);
        (void)budget_bytes(&l->budget->memory, sizeof(path) + path.n);
}

static void take_fact(struct layer_facts *l, enum fact_kind kind, const void *fact)
{
        switch (kind) {
        case FACT_file:
                spool_fact(l, &l->files, kind, fact);
                break;
        case FACT_owned:
                note_database(l, ((const struct fact_owned *)fact)->database);
                spool_fact(l, &l->owned, kind, fact);
                break;
        case FACT_package:
                if (l->packages.n == PACKAGES_MAX)
                        cut(l, "more packages than the limit: the rest was dropped");
                else if (has_room(l))
                        keep(l, kind, fact, vec_push(&l->packages));
                break;
        case FACT_os:
                if (l->os.n == OS_MAX)
                        cut(l, "more files that name the system than the limit: the rest was dropped");
                else if (has_room(l))
                        keep(l, kind, fact, vec_push(&l->os));
                break;
        case FACT_certificate:
                if (l->certificates.n < CERTIFICATES_MAX && has_room(l))
                        keep(l, kind, fact, vec_push(&l->certificates));
                break;
        case FACT_secret:
                if (l->secrets.n == SECRETS_MAX)
                        cut(l, "more secrets than the limit: the rest was dropped");
                else if (has_room(l))
                        keep(l, kind, fact, vec_push(&l->secrets));
                break;
        case FACT_unread:
                if (l->unread.n < UNREAD_MAX && has_room(l))
                        keep(l, kind, fact, vec_push(&l->unread));
                else
                        l->unread_more++;
                break;
        case FACT_malware:
                if (l->malware.n == MALWARE_MAX)
                        cut(l, "more malware than the limit: the rest was dropped");
                else if (has_room(l))
                        keep(l, kind, fact, vec_push(&l->malware));
                break;
        case FACT_layer:
                if (l->has_end) /* there is one: another is a lie */
                        break;
                keep(l, kind, fact, &l->end);
                l->has_end = true;
                break;
        default: /* no other kind is a layer's: ignored */
                break;
        }
}

static void take_progress(const struct layers_progress *p, enum fact_kind kind, const void *fact)
{
        if (kind == FACT_progress && p && p->read)
                p->read(p->arg, ((const struct fact_progress *)fact)->stored);
}

static const char *failure_code(int r)
{
        switch (r) {
        case -ECHILD:
        case -EPROTO:
                return "crashed";
        case -ETIMEDOUT:
                return "stalled";
        case -EBADMSG:
                return "corrupt";
        default:
                return "denied";
        }
}

/* A job that failed as a whole: what it had sent stays, and the rest is said to be missing. */
static void take_failure(struct layer_facts *l, int r, const char *why)
{
        l->is_broken = true;
        add_unread(l, STR("(layer)"), failure_code(r), why);
}

/* --- one job a layer --- */

/* What the base layer tells the others: whose packages the image has, and so which digests its files need. */
struct base {
        enum family family;
        bool is_known; /* it was said, or the base layer is at its end */
};

struct layer_job {
        struct artefact *artefact;
        struct base *base;
        size_t index;
        struct layer_input input;
        struct layer_facts *facts;
        const struct content_plan *content;
        const struct layers_progress *progress;
};

static int open_layer(void *arg, int *ret_fd, pid_t *ret_producer, struct error *err)
{
        struct layer_job *j = arg;
        j->input = (struct layer_input){ .fd = -1, .size = UINT64_MAX };
        int r = j->artefact->source->open_layer(j->artefact, j->index, &j->input, err);
        if (r < 0)
                return r;
        *ret_fd = j->input.fd;
        *ret_producer = j->input.producer;
        return 0;
}

static int run_layer(void *arg, int fd, struct sink *out, struct error *err)
{
        struct layer_job *j = arg;
        struct walk_options o = { .content = j->content,
                                  .family = j->base->family,
                                  .is_packed = j->artefact->layers[j->index].is_packed };
        return job_layer(&j->input, &o, out, err);
}

static void on_layer_fact(void *arg, enum fact_kind kind, const void *fact)
{
        struct layer_job *j = arg;
        take_progress(j->progress, kind, fact);
        take_fact(j->facts, kind, fact);
        if (kind == FACT_os && j->index == 0 && !j->base->is_known)
                *j->base = (struct base){ family_of(fact), true };
}

/* The first system that the base layer names decides, so that the outcome does not hang on who is faster. */
static bool layer_is_ready(void *arg)
{
        const struct layer_job *j = arg;
        return j->index == 0 || j->base->is_known;
}

static void on_layer_end(void *arg, int r, const char *why)
{
        struct layer_job *j = arg;
        if (j->index == 0)
                j->base->is_known = true;
        if (r < 0)
                take_failure(j->facts, r, why);
}

static int read_each(struct artefact *a, const struct layers_search *search, const struct layers_progress *p,
                     struct layers *ret, struct error *err)
{
        struct layer_job *own = xcalloc(a->n_layers, sizeof(*own));
        struct job *jobs = xcalloc(a->n_layers, sizeof(*jobs));
        struct base base = { .is_known = !a->n_layers || a->layers[0].is_foreign };
        size_t n = 0;
        for (size_t i = 0; i < a->n_layers; i++) {
                if (a->layers[i].is_foreign) {
                        add_unread(&ret->v[i], STR("(layer)"), "unsupported",
                                   "a foreign layer, which the registry does not hold");
                        continue;
                }
                own[i] = (struct layer_job){ .artefact = a,
                                             .base = &base,
                                             .index = i,
                                             .facts = &ret->v[i],
                                             .content = search->content,
                                             .progress = p };
                jobs[n++] = (struct job){ .name = "layer",
                                          .ready = layer_is_ready,
                                          .open = open_layer,
                                          .run = run_layer,
                                          .on_fact = on_layer_fact,
                                          .on_end = on_layer_end,
                                          .arg = &own[i],
                                          .helper = search->helper,
                                          .memory_max = LAYER_MEMORY,
                                          .stall_seconds = STALL_SECONDS };
        }
        int r = workers_run(jobs, n, 0, err);
        free(jobs);
        free(own);
        return r;
}

/* --- one job for a stream archive --- */

struct stream_job {
        struct artefact *artefact;
        struct layer_input input;
        const struct content_plan *content;
        const struct layers_progress *progress;
        struct arena arena; /* of members */
        VEC(struct fact_member) members;
        VEC(struct layer_facts) layers; /* of the members that are layers, in order */
        struct unread_vec unread;       /* of the archive itself */
        struct layers_budget *budget;
        bool too_many;
        int r;
        struct error why;
};

static int open_stream(void *arg, int *ret_fd, pid_t *ret_producer, struct error *err)
{
        struct stream_job *j = arg;
        j->input = (struct layer_input){ .fd = -1, .size = UINT64_MAX };
        int r = j->artefact->source->open_layer(j->artefact, 0, &j->input, err);
        if (r < 0)
                return r;
        *ret_fd = j->input.fd;
        *ret_producer = j->input.producer;
        return 0;
}

static int run_stream(void *arg, int fd, struct sink *out, struct error *err)
{
        struct stream_job *j = arg;
        return job_archive(&j->input, j->content, out, err);
}

static void on_stream_fact(void *arg, enum fact_kind kind, const void *fact)
{
        struct stream_job *j = arg;
        take_progress(j->progress, kind, fact);
        if (kind == FACT_member) {
                const struct fact_member *m = fact;
                if (j->members.n >= MEMBERS_MAX || j->arena.used_bytes > MEMBER_BYTES_MAX) {
                        j->too_many = true;
                        return;
                }
                fact_copy(kind, &j->arena, m, vec_push(&j->members));
                if (m->is_layer) {
                        struct layer_facts *l = vec_push(&j->layers);
                        layer_facts_init(l, j->budget);
                        l->member = arena_str(&l->arena, m->name);
                }
        } else if (j->layers.n && !j->layers.v[j->layers.n - 1].has_end) {
                take_fact(&j->layers.v[j->layers.n - 1], kind, fact);
        } else if (kind == FACT_unread && j->unread.n < UNREAD_MAX) {
                fact_copy(kind, &j->arena, fact, vec_push(&j->unread));
        }
}

static void on_stream_end(void *arg, int r, const char *why)
{
        struct stream_job *j = arg;
        j->r = r;
        (void)error_set(&j->why, r, "%s", why);
}

/* Member names that are links lead to the member that holds the bytes, in a few steps at most. */
static struct str follow(const struct map_str *members, struct str name)
{
        for (int steps = 0; steps < 8; steps++) {
                const struct fact_member *found = map_str_get(members, name);
                if (!found || !found->link.n)
                        return name;
                name = found->link;
        }
        return name;
}

/* Gives each layer of the image what was read of its member. An image may have one layer several times. */
static void place_layers(struct stream_job *j, struct artefact *a, struct layers *ret)
{
        size_t *owner = xcalloc(j->layers.n + 1, sizeof(*owner)); /* 1 + the layer that has it, 0: nobody yet */
        struct map_str members = { 0 }, first = { 0 };            /* name -> the last member, the first layer of it */
        for (size_t i = 0; i < j->members.n; i++)
                *map_str_put(&members, j->members.v[i].name, NULL) = &j->members.v[i];
        for (size_t k = j->layers.n; k-- > 0;)
                *map_str_put(&first, j->layers.v[k].member, NULL) = &j->layers.v[k];
        ret->n = a->n_layers;
        ret->v = xcalloc(a->n_layers + 1, sizeof(*ret->v));
        for (size_t i = 0; i < a->n_layers; i++) {
                const struct layer_facts *found = map_str_get(&first, follow(&members, a->layers[i].member));
                size_t k = found ? (size_t)(found - j->layers.v) : j->layers.n;
                if (!found) {
                        layer_facts_init(&ret->v[i], &ret->budget);
                        add_unread(&ret->v[i], STR("(layer)"), "missing",
                                   j->r < 0 ? j->why.text : "the archive does not hold this layer");
                } else if (owner[k]) {
                        ret->v[i] = ret->v[owner[k] - 1];
                        ret->v[i].is_borrowed = true;
                        ret->v[i].unread.n = ret->v[i].malware.n = 0;
                } else {
                        owner[k] = i + 1;
                        ret->v[i] = j->layers.v[k];
                        if (j->r < 0 && !ret->v[i].has_end)
                                take_failure(&ret->v[i], j->r, j->why.text);
                }
        }
        for (size_t k = 0; k < j->layers.n; k++)
                if (!owner[k])
                        layer_facts_done(&j->layers.v[k]);
        j->layers.n = 0;
        map_str_done(&members);
        map_str_done(&first);
        free(owner);
}

static int read_stream(struct artefact *a, const struct layers_search *search, const struct layers_progress *p,
                       struct layers *ret, struct error *err)
{
        struct stream_job j = {
                .artefact = a, .content = search->content, .progress = p, .arena = ARENA_INIT, .budget = &ret->budget
        };
        struct job job = { .name = "archive",
                           .open = open_stream,
                           .run = run_stream,
                           .on_fact = on_stream_fact,
                           .on_end = on_stream_end,
                           .arg = &j,
                           .helper = search->helper,
                           .memory_max = LAYER_MEMORY,
                           .stall_seconds = STALL_SECONDS };
        int r = workers_run(&job, 1, 1, err);
        if (r == 0) {
                struct stream_members members = { .v = j.members.v, .n = j.members.n };
                r = a->source->resolve(a, &members, err);
                if (r < 0 && j.r < 0)
                        (void)error_prefix(err, r, "%s", j.why.text); /* the archive broke off: that is the cause */
        }
        if (r == 0) {
                if (j.r < 0) /* even if all layers had come before: its checksum was not reached, or is wrong */
                        artefact_note(a, STR("archive"), failure_code(j.r), "%s", j.why.text);
                if (j.too_many)
                        artefact_note(a, a->name, "limit", "more members than are read");
                for (size_t i = 0; i < j.unread.n; i++)
                        artefact_note(a, j.unread.v[i].path, "corrupt", "%.*s", STR_FMT(j.unread.v[i].detail));
                place_layers(&j, a, ret);
        }
        for (size_t i = 0; i < j.layers.n; i++)
                layer_facts_done(&j.layers.v[i]);
        vec_done(&j.layers);
        vec_done(&j.members);
        vec_done(&j.unread);
        arena_done(&j.arena);
        return r;
}

/* Some tools leave out the end mark. Where the digest is as promised nothing was cut off; elsewhere nobody can tell. */
static void judge_ends(const struct artefact *a, struct layers *l)
{
        for (size_t i = 0; i < l->n; i++) {
                struct layer_facts *f = &l->v[i];
                if (!f->end.no_end_mark || (a->layers[i].diff_id.n && str_eq(f->end.diff_id, a->layers[i].diff_id)))
                        continue;
                f->end.complete = false;
                if (f->is_borrowed) /* its lists are the first one's, which says it */
                        continue;
                add_unread(f, STR("(layer)"), "truncated",
                           "the archive stops without its end mark: it may have been cut off");
        }
}

static int read_layers(struct artefact *a, const struct layers_search *search, const struct layers_progress *p,
                       struct layers *ret, struct error *err)
{
        if (a->is_stream)
                return read_stream(a, search, p, ret, err);
        ret->n = a->n_layers;
        ret->v = xcalloc(a->n_layers + 1, sizeof(*ret->v));
        for (size_t i = 0; i < ret->n; i++)
                layer_facts_init(&ret->v[i], &ret->budget);
        return read_each(a, search, p, ret, err);
}

int layers_read(struct artefact *a, const struct layers_search *search, const struct layers_progress *p,
                struct layers *ret, struct error *err)
{
        *ret = (struct layers){ .budget = { .memory = { .bytes = LAYERS_MEMORY_MAX },
                                            .lists = { .bytes = LAYERS_LISTS_MAX } } };
        int r = read_layers(a, search, p, ret, err);
        if (r == 0)
                judge_ends(a, ret);
        for (size_t i = 0; i < ret->n; i++)
                if (ret->v[i].is_cut || ret->v[i].is_broken)
                        ret->v[i].end.complete = false;
        return r;
}

void layers_done(struct layers *l)
{
        for (size_t i = 0; i < l->n; i++)
                if (!l->v[i].is_borrowed)
                        layer_facts_done(&l->v[i]);
        free(l->v);
        *l = (struct layers){ 0 };
}

int layer_each_file(struct spool *files, int (*each)(void *arg, uint64_t i, const struct fact_file *f), void *arg)
{
        struct spool_reader r;
        struct str record;
        int e;
        uint64_t i = 0;
        spool_read_init(&r, files);
        while ((e = spool_read(&r, &record)) > 0) {
                struct fact_file f;
                struct cursor c = cursor_from(record);
                e = fact_decode(FACT_file, &c, NULL, &f) ? each(arg, i++, &f) : -EBADMSG;
                if (e)
                        break;
        }
        spool_read_done(&r);
        return e;
}
