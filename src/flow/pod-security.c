/* See pod-security.h. A batch is as many files as fit into memory; usually it is all of them. */
#include "flow/pod-security.h"

#include "base/fs.h"
#include "base/vec.h"
#include "proc/worker.h"

#include <errno.h>
#include <unistd.h>

struct batch {
        enum pod_level level;
        unsigned minor;
        struct arena *arena;
        struct pod_file *files;
        struct buf *contents;           /* of each file; of those that are errors already, nothing */
        size_t next, end;               /* files of this run; next is the one that the worker is at */
        VEC(struct pod_reason) reasons; /* of that one */
        bool is_lying;
        int r; /* of the last worker */
};

/* --- in the worker --- */

struct judging {
        struct sink *out;
        const struct k8s_pod *pod;
        size_t told[POD_CHECKS_MAX]; /* reasons, by check */
        uint64_t omitted;
};

static void tell(void *arg, const struct pod_check *c, const struct yaml_node *at, struct str reason)
{
        struct judging *j = arg;
        if (j->told[c - pod_checks]++ >= POD_REASONS_MAX) {
                j->omitted++;
                return;
        }
        struct fact_pod_denied f = { .check = str_of(c->about.id),
                                     .object = j->pod->object,
                                     .line = at->line,
                                     .column = at->column,
                                     .reason = reason };
        sink_put(j->out, FACT_pod_denied, &f);
}

static int parse(struct str bytes, struct arena *arena, struct k8s_pods *ret, struct error *err)
{
        struct yaml y;
        int r = yaml_read(bytes, arena, &y, err);
        if (r < 0)
                return r;
        if (y.n_duplicates) {
                const struct yaml_duplicate *d = &y.duplicates[0];
                return error_set(err, -EBADMSG,
                                 "line %u, column %u: %s \"%.*s\", which line %u has too: readers "
                                 "disagree about which of them counts",
                                 d->line, d->column, d->is_merged ? "a merge brings the key" : "the key",
                                 STR_FMT(d->key), d->first_line);
        }
        if (y.binary)
                return error_set(err, -EBADMSG,
                                 "line %u, column %u: a text with the tag !!binary: what it says after "
                                 "decoding cannot be judged",
                                 y.binary->line, y.binary->column);
        r = kubernetes_pods(&y, arena, ret, err);
        if (r == 0 && ret->n == 0)
                return error_set(err, -ENODATA, "holds no pod, and nothing that makes pods");
        return r;
}

static void judge(const struct batch *b, size_t i, struct sink *out)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct error err = ERROR_NONE;
        struct k8s_pods pods = { 0 };
        struct judging j = { .out = out };
        if (parse(buf_str(&b->contents[i]), &arena, &pods, &err) < 0)
                sink_unread(out, str_of(b->files[i].path), "corrupt", "%s", err.text);
        else
                for (size_t k = 0; k < pods.n; k++) {
                        j.pod = &pods.v[k];
                        (void)pod_security_admits(j.pod, b->level, b->minor, tell, &j);
                }
        struct fact_manifest end = { .pods = pods.n, .omitted = j.omitted };
        sink_put(out, FACT_manifest, &end);
}

static int run(void *arg, int fd, struct sink *out, struct error *err)
{
        const struct batch *b = arg;
        for (size_t i = b->next; i < b->end; i++)
                if (b->files[i].verdict != POD_ERROR)
                        judge(b, i, out);
        return 0;
}

/* --- in the parent --- */

static void skip_errors(struct batch *b)
{
        while (b->next < b->end && b->files[b->next].verdict == POD_ERROR)
                b->next++;
}

static void fail(struct batch *b, const char *why)
{
        struct pod_file *f = &b->files[b->next];
        f->verdict = POD_ERROR;
        f->error = arena_str(b->arena, str_of(why));
}

static void finish(struct batch *b, const struct fact_manifest *end)
{
        struct pod_file *f = &b->files[b->next];
        f->pods = end->pods;
        f->omitted = end->omitted;
        f->n = b->reasons.n;
        f->reasons = arena_array(b->arena, f->n, sizeof(*f->reasons));
        if (f->n)
                memcpy(f->reasons, b->reasons.v, f->n * sizeof(*f->reasons));
        if (f->n && f->verdict != POD_ERROR)
                f->verdict = POD_FAIL;
        vec_clear(&b->reasons);
        b->next++;
        skip_errors(b);
}

/* What a worker that was taken over may send is bounded. */
static void on_fact(void *arg, enum fact_kind kind, const void *fact)
{
        struct batch *b = arg;
        const struct fact_pod_denied *f = fact;
        const struct pod_check *c = kind == FACT_pod_denied ? pod_check_find(f->check) : NULL;
        if (b->next == b->end || b->is_lying) {
                b->is_lying = true;
        } else if (kind == FACT_manifest) {
                finish(b, fact);
        } else if (kind == FACT_unread) {
                struct error why = ERROR_NONE;
                (void)error_set(&why, -EBADMSG, "%.*s", STR_FMT(((const struct fact_unread *)fact)->detail));
                fail(b, why.text);
        } else if (c && b->reasons.n < n_pod_checks * POD_REASONS_MAX) {
                *vec_push(&b->reasons) = (struct pod_reason){ .check = c,
                                                              .object = arena_str(b->arena, f->object),
                                                              .words = arena_str(b->arena, f->reason),
                                                              .line = f->line,
                                                              .column = f->column };
        } else {
                b->is_lying = true;
        }
}

static void on_end(void *arg, int r, const char *why)
{
        struct batch *b = arg;
        b->r = r;
        vec_clear(&b->reasons);
        if (b->next == b->end)
                return;
        fail(b, r < 0         ? why
                : b->is_lying ? "the worker that read it sent facts that it could not have found"
                              : "the worker that read it ended early");
        b->next++;
        skip_errors(b);
}

static void load(struct pod_file *f, struct buf *content, struct arena *arena)
{
        struct error why = ERROR_NONE;
        bool is_input = strcmp(f->path, "-") == 0;
        *content = BUF_INIT(YAML_BYTES_MAX);
        int r = is_input ? read_all(STDIN_FILENO, content) : read_file(f->path, content, &why);
        if (r == 0)
                return;
        buf_done(content);
        if (!why.text[0])
                (void)error_errno(&why, r, "cannot read it");
        f->verdict = POD_ERROR;
        f->error = arena_str(arena, str_of(why.text));
}

/* All that is left of a batch; a worker that fails costs the file that it was at. */
static int run_batch(struct batch *b, struct error *err)
{
        struct job job = {
                .name = "manifests", .run = run, .on_fact = on_fact, .on_end = on_end, .arg = b, .stall_seconds = 30
        };
        skip_errors(b);
        while (b->next < b->end) {
                b->is_lying = false;
                int r = workers_run(&job, 1, 1, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int pod_security_files(struct pod_file *files, size_t n, enum pod_level level, unsigned minor, struct arena *arena,
                       struct error *err)
{
        struct batch b = { .level = level, .minor = minor, .arena = arena, .files = files };
        b.contents = xcalloc(n ? n : 1, sizeof(*b.contents));
        int r = 0;
        for (size_t from = 0, bytes = 0; from < n && r == 0; from = b.end, bytes = 0) {
                b.next = from;
                for (b.end = from; b.end < n && bytes < POD_BATCH_BYTES; b.end++) {
                        load(&files[b.end], &b.contents[b.end], arena);
                        bytes += b.contents[b.end].n;
                }
                r = run_batch(&b, err);
                for (size_t i = from; i < b.end; i++)
                        buf_done(&b.contents[i]);
        }
        free(b.contents);
        vec_done(&b.reasons);
        return r;
}

bool pod_file_fails(const struct pod_file *f, const struct pod_check *c)
{
        for (size_t i = 0; i < f->n; i++)
                if (f->reasons[i].check == c)
                        return true;
        return false;
}
