/*
 * See flow/vex.h. The facts of one statement (one for each product) follow each other; statements are found by the ids
 * of their vulnerability, through an index, so that many findings and many statements do not multiply.
 */
#include "flow/vex.h"

#include "base/fs.h"
#include "base/map.h"
#include "intel/vex-match.h"
#include "intel/vex.h"
#include "proc/worker.h"
#include "read/json.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WORKER_MEMORY_BYTES (UINT64_C(1) << 30)
#define WORKER_STALL        60
#define REFERENCES_MAX      64
#define UNREAD_MAX_BYTES    2000 /* of what a worker says of one statement */

/* --- reading --- */

struct reading {
        struct vex_set *set;
        struct report_vex *file;
        const char *path;
        uint64_t facts, text_bytes;
        int result;
        char why[ERROR_TEXT_MAX];
};

static int on_open(void *arg, int *ret_fd, pid_t *ret_producer, struct error *err)
{
        const struct reading *r = arg;
        *ret_fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        return *ret_fd < 0 ? error_errno(err, -errno, "cannot open %s", r->path) : 0;
}

static int run(void *arg, int fd, struct sink *out, struct error *err)
{
        _cleanup_(buf_done) struct buf bytes = BUF_INIT(VEX_DOCUMENT_MAX_BYTES);
        int r = read_all(fd, &bytes);
        if (r == -EFBIG)
                return error_set(err, r, "it has more than %u MiB", VEX_DOCUMENT_MAX_BYTES >> 20);
        if (r < 0)
                return error_errno(err, r, "it cannot be read");
        return vex_read(NULL, buf_str(&bytes), out, err);
}

static void add_unread(struct vex_set *set, struct str path, const struct fact_unread *u)
{
        struct str where = str_is(u->path, "document") || !u->path.n
                                   ? arena_str(&set->arena, path)
                                   : arena_printf(&set->arena, "%.*s: %.*s", STR_FMT(path), STR_FMT(u->path));
        *vec_push(&set->unread) =
                (struct fact_unread){ .path = where,
                                      .code = arena_str(&set->arena, str_upto(u->code, 32)),
                                      .detail = arena_str(&set->arena, str_upto(u->detail, UNREAD_MAX_BYTES)) };
}

static void take_statement(struct reading *r, const struct fact_vex *f)
{
        struct report_vex *file = r->file;
        struct vex_set *set = r->set;
        size_t before = set->arena.used_bytes;
        const struct fact_vex *last = r->facts ? &set->statements.v[set->statements.n - 1] : NULL;
        bool is_new = !last || last->position != f->position;
        if (r->facts == VEX_FACTS_MAX || r->text_bytes > 2 * (uint64_t)VEX_TEXT_MAX_BYTES)
                return; /* only a worker that was taken over sends more than its own limits */
        struct fact_vex *copy = vec_push(&set->statements);
        fact_copy(FACT_vex, &set->arena, f, copy);
        copy->file = file->path;
        r->facts++;
        r->text_bytes += set->arena.used_bytes - before;
        file->statements += is_new;
        file->format = copy->format;
        file->document = copy->document;
        file->author = copy->author;
        file->timestamp = MAX(file->timestamp, copy->timestamp);
}

static void on_fact(void *arg, enum fact_kind kind, const void *fact)
{
        struct reading *r = arg;
        if (kind == FACT_vex)
                take_statement(r, fact);
        else if (kind == FACT_unread && r->file->skipped++ <= VEX_UNREAD_MAX + 1)
                add_unread(r->set, r->file->path, fact);
}

static void on_end(void *arg, int result, const char *why)
{
        struct reading *r = arg;
        r->result = result;
        if (result < 0)
                snprintf(r->why, sizeof(r->why), "%s", why);
}

static int read_one(struct vex_set *set, struct report_vex *file, const char *path, struct error *err)
{
        struct reading r = { .set = set, .file = file, .path = path };
        size_t before = set->statements.n;
        struct job job = { .name = path,
                           .open = on_open,
                           .run = run,
                           .on_fact = on_fact,
                           .on_end = on_end,
                           .arg = &r,
                           .memory_max = WORKER_MEMORY_BYTES,
                           .stall_seconds = WORKER_STALL };
        int e = workers_run(&job, 1, 1, err);
        if (e < 0)
                return e;
        if (r.result < 0) { /* what came may have been taken back in what did not */
                set->statements.n = before;
                *file = (struct report_vex){ .path = file->path };
                file->why = arena_str(&set->arena, str_of(r.why));
                struct fact_unread u = { .code = r.result == -EFBIG ? STR("too-large") : STR("corrupt"),
                                         .detail = arena_printf(&set->arena, "no VEX was taken from it: %s", r.why) };
                add_unread(set, file->path, &u);
        }
        return 0;
}

int vex_set_read(struct vex_set *set, const char *const *paths, size_t n, struct error *err)
{
        int r = 0;
        *set = (struct vex_set){ 0 };
        if (n > VEX_FILES_MAX)
                return error_set(err, -EINVAL, "more than %d VEX documents", VEX_FILES_MAX);
        set->files = arena_array(&set->arena, n, sizeof(*set->files));
        json_prepare();
        for (size_t i = 0; i < n && r >= 0; i++) {
                struct report_vex *file = &set->files[set->n_files++];
                file->path = arena_str(&set->arena, str_of(paths[i]));
                if (access(paths[i], R_OK) < 0)
                        r = error_errno(err, -errno, "cannot read the VEX document %s", paths[i]);
                else
                        r = read_one(set, file, paths[i], err);
        }
        return r;
}

void vex_set_done(struct vex_set *set)
{
        vec_done(&set->statements);
        vec_done(&set->unread);
        arena_done(&set->arena);
}

/* --- applying --- */

/* What became of a statement: of the facts from `first` to `end`. */
struct statement {
        size_t first, end;
        bool matched, vague;
        size_t seen_by; /* the finding that looked at it last, plus one */
};

struct link {
        size_t statement, next; /* next: index + 1; 0 ends */
};

struct applier {
        const struct vex_set *set;
        struct report *r;
        struct arena *arena;
        VEC(struct statement) statements;
        VEC(struct link) links;
        struct map64 by_id; /* hash of the id in lower case -> link + 1 */
        struct vex_artefact artefact;
};

static uint64_t hash_id(struct str id)
{
        char lower[256];
        size_t n = MIN(id.n, sizeof(lower));
        for (size_t i = 0; i < n; i++)
                lower[i] = (char)tolower((unsigned char)id.p[i]);
        return hash_str(str_span(lower, n));
}

static void index_id(struct applier *a, struct str id, size_t statement)
{
        uint64_t *head = map64_put(&a->by_id, hash_id(id), NULL);
        *vec_push(&a->links) = (struct link){ statement, (size_t)*head };
        *head = a->links.n;
}

static void index_statements(struct applier *a)
{
        const struct fact_vex *v = a->set->statements.v;
        for (size_t i = 0, end; i < a->set->statements.n; i = end) {
                for (end = i + 1;
                     end < a->set->statements.n && v[end].position == v[i].position && v[end].file.p == v[i].file.p;
                     end++)
                        ;
                *vec_push(&a->statements) = (struct statement){ .first = i, .end = end };
                index_id(a, v[i].vulnerability, a->statements.n - 1);
                for (size_t k = 0; k < v[i].aliases.n; k++)
                        index_id(a, v[i].aliases.v[k], a->statements.n - 1);
        }
}

static void add_text(struct str_list *list, struct str s)
{
        if (s.n && list->n < REFERENCES_MAX)
                list->v[list->n++] = s;
}

/* Sources whose name for an artefact is an image's; that of the others is a path or a container's. */
static bool has_image_name(struct str kind)
{
        static const char *const kinds[] = { "registry", "docker", "podman", "docker-api", "podman-api" };
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (str_is(kind, kinds[i]))
                        return true;
        return false;
}

static struct vex_artefact artefact_of(const struct report *r, struct arena *arena)
{
        struct vex_artefact a = { .arch = r->has_image ? r->image.arch : STR_NONE, .os_cpe = r->os.cpe };
        a.digests.v = arena_array(arena, REFERENCES_MAX, sizeof(*a.digests.v));
        a.references.v = arena_array(arena, REFERENCES_MAX, sizeof(*a.references.v));
        add_text(&a.digests, r->digest);
        add_text(&a.digests, r->image_id);
        if (has_image_name(r->kind))
                add_text(&a.references, r->name);
        for (size_t i = 0; i < r->tags.n; i++)
                add_text(&a.references, r->tags.v[i]);
        return a;
}

/* What applies to one package of a finding: the newest of the statements that do, and why one that might does not. */
struct applied {
        const struct fact_vex *newest;
        struct str doubt;
};

static void try_statement(struct applier *a, struct statement *s, const struct vex_package *p, struct applied *to)
{
        for (size_t i = s->first; i < s->end; i++) {
                const struct fact_vex *f = &a->set->statements.v[i];
                struct str why = STR_NONE;
                enum vex_match match = vex_applies(f, &a->artefact, p, &why);
                s->matched |= match == VEX_MATCH;
                s->vague |= match == VEX_VAGUE;
                if (match == VEX_VAGUE && !to->doubt.n)
                        to->doubt = arena_printf(a->arena, "%.*s, statement %llu, was not applied: %.*s",
                                                 STR_FMT(f->file), (unsigned long long)f->position, STR_FMT(why));
                if (match != VEX_MATCH)
                        continue;
                /* Facts come in the order of files and statements: on a tie the later one wins. */
                bool wins = !to->newest || f->timestamp > to->newest->timestamp ||
                            (f->timestamp == to->newest->timestamp && f > to->newest);
                to->newest = wins ? f : to->newest;
        }
}

/* Each statement that has one of the vulnerability's ids, once. Returns them as a list of indexes. */
static size_t candidates(struct applier *a, const struct vex_vulnerability *v, size_t finding, size_t **ret)
{
        VEC(size_t) found = { 0 };
        for (size_t i = 0; i < v->aliases.n + 2; i++) {
                struct str id = i == 0 ? v->id : i == 1 ? v->cve : v->aliases.v[i - 2];
                const uint64_t *head = map64_get(&a->by_id, hash_id(id));
                for (size_t at = head ? (size_t)*head : 0; at; at = a->links.v[at - 1].next) {
                        struct statement *s = &a->statements.v[a->links.v[at - 1].statement];
                        if (s->seen_by == finding + 1)
                                continue;
                        s->seen_by = finding + 1;
                        if (vex_same_vulnerability(&a->set->statements.v[s->first], v))
                                *vec_push(&found) = a->links.v[at - 1].statement;
                }
        }
        *ret = found.v;
        return found.n;
}

static struct str words_of(const struct fact_vex *s)
{
        return s->impact.n ? s->impact : s->detail.n ? s->detail : s->action;
}

/*
 * A finding is about one or more packages. It is set aside if that is said of each of them; else a statement that keeps
 * it open is shown before one that does not, and what is said of a part of the packages only is a doubt.
 */
static void conclude(struct applier *a, struct finding *f, const struct applied *of)
{
        const struct fact_vex *open = NULL, *aside = NULL;
        size_t n_aside = 0;
        for (size_t i = 0; i < f->n_packages; i++) {
                const struct fact_vex *s = of[i].newest;
                bool sets_aside = s && vex_sets_aside(s);
                n_aside += sets_aside;
                aside = sets_aside && !aside ? s : aside;
                open = s && !sets_aside && !open ? s : open;
                f->vex_doubt = f->vex_doubt.n ? f->vex_doubt : of[i].doubt;
        }
        f->vex = open ? open : n_aside == f->n_packages ? aside : NULL;
        if (n_aside && n_aside == f->n_packages) {
                f->set_aside = SET_ASIDE_BY_VEX;
                f->set_aside_by = aside->author.n ? aside->author : aside->file;
                f->set_aside_why = words_of(aside);
                f->vex_doubt = STR_NONE;
        } else if (n_aside) {
                f->vex_doubt = arena_printf(a->arena, "%.*s, statement %llu, says %.*s of %zu of its %zu packages only",
                                            STR_FMT(aside->file), (unsigned long long)aside->position,
                                            STR_FMT(aside->status), n_aside, f->n_packages);
        }
}

static void apply_to(struct applier *a, struct finding *f, size_t index)
{
        const struct fact_vulnerability *v = f->vulnerability;
        struct vex_vulnerability named = { v->id, v->cve, v->aliases };
        size_t *which, n = candidates(a, &named, index, &which);
        struct applied *of = xcalloc(f->n_packages + 1, sizeof(*of));
        for (size_t i = 0; n && i < f->n_packages; i++) {
                const struct report_package *p = &a->r->packages[f->packages[i]];
                struct vex_package package = { p->purl, p->p.source, p->p.source_version };
                for (size_t k = 0; k < n; k++)
                        try_statement(a, &a->statements.v[which[k]], &package, &of[i]);
        }
        if (n)
                conclude(a, f, of);
        free(of);
        free(which);
}

static void count(struct applier *a)
{
        for (size_t i = 0; i < a->statements.n; i++) {
                const struct statement *s = &a->statements.v[i];
                const struct fact_vex *f = &a->set->statements.v[s->first];
                struct report_vex *file = NULL;
                for (size_t k = 0; k < a->set->n_files; k++)
                        if (a->set->files[k].path.p == f->file.p)
                                file = &a->set->files[k];
                if (!file)
                        continue;
                file->matched += s->matched;
                file->vague += s->vague && !s->matched;
                file->unmatched += !s->vague && !s->matched;
        }
}

void vex_apply(const struct vex_set *set, struct report *r, struct arena *arena, struct finding *findings, size_t n)
{
        struct applier a = { .set = set, .r = r, .arena = arena, .artefact = artefact_of(r, arena) };
        index_statements(&a);
        for (size_t i = 0; a.statements.n && i < n; i++)
                if (findings[i].vulnerability && findings[i].n_packages)
                        apply_to(&a, &findings[i], i);
        count(&a);
        r->vex = set->files;
        r->n_vex = set->n_files;
        vec_done(&a.statements);
        vec_done(&a.links);
        map64_done(&a.by_id);
}
