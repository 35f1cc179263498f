/* See check.h: the worker that parses the files, what the parent keeps of its facts, and edits. */
#include "flow/check.h"

#include "base/map.h"
#include "proc/worker.h"

#include <errno.h>
#include <stdlib.h>

struct reading {
        struct check_run *run;
        const struct check_settings *settings;
        struct map_str by_path; /* to struct check_file */
        size_t n_facts;
        bool has_lied, last_is_kept;
        int r;
        struct error why;
};

/* Each file goes to the first checker that recognises it; each checker gets all of its files at once. */
static int parse_all(void *arg, int fd, struct sink *out, struct error *err)
{
        const struct reading *r = arg;
        const struct check_file *files = r->run->files.v;
        size_t n = r->run->files.n;
        bool *taken = xcalloc(n + 1, sizeof(*taken));
        struct check_file *own = xcalloc(n + 1, sizeof(*own));
        for (size_t k = 0; checkers[k]; k++) {
                size_t n_own = 0;
                for (size_t i = 0; i < n; i++)
                        if (!taken[i] && checkers[k]->recognises(files[i].path, files[i].bytes)) {
                                taken[i] = true;
                                own[n_own++] = files[i];
                        }
                if (n_own)
                        checkers[k]->run(own, n_own, r->settings, out);
        }
        for (size_t i = 0; i < n; i++)
                if (!taken[i] && files[i].is_named)
                        sink_unread(out, files[i].path, "unsupported", "no checker knows this kind of file");
        free(taken);
        free(own);
        return 0;
}

static void take_check(struct reading *r, const struct fact_check *f)
{
        const struct check *c = check_find(f->id);
        r->last_is_kept = c && map_str_get(&r->by_path, f->file);
        if (!r->last_is_kept) {
                r->has_lied = true;
                return;
        }
        struct fact_check *kept = vec_push(&r->run->findings);
        fact_copy(FACT_check, &r->run->arena, f, kept);
        check_describe(c, &r->run->arena, kept);
}

static void take_edit(struct reading *r, const struct fact_edit *f)
{
        struct check_run *run = r->run;
        const struct check_file *file = map_str_get(&r->by_path, f->file);
        if (!r->last_is_kept || !file || f->offset > file->bytes.n || f->length > file->bytes.n - f->offset ||
            !str_eq(f->file, run->findings.v[run->findings.n - 1].file)) {
                r->has_lied = true;
                return;
        }
        fact_copy(FACT_edit, &run->arena, f, vec_push(&run->edits));
        *vec_push(&run->edit_of) = run->findings.n - 1;
}

static void on_fact(void *arg, enum fact_kind kind, const void *fact)
{
        struct reading *r = arg;
        if (++r->n_facts > CHECK_RESULTS_MAX)
                r->has_lied = true;
        else if (kind == FACT_check)
                take_check(r, fact);
        else if (kind == FACT_edit)
                take_edit(r, fact);
        else if (kind == FACT_unread)
                fact_copy(kind, &r->run->arena, fact, vec_push(&r->run->unread));
        else
                r->has_lied = true;
}

static void on_end(void *arg, int result, const char *why)
{
        struct reading *r = arg;
        r->r = result;
        if (result < 0)
                (void)error_set(&r->why, result, "%s", why);
}

/* Numbers that keep the order of the worker within a file, since edits point to findings: an index is sorted. */
struct ordered {
        const struct fact_check *f;
        size_t index;
};

static int by_place(const void *a, const void *b)
{
        const struct ordered *x = a, *y = b;
        int r = str_cmp(x->f->file, y->f->file);
        if (r)
                return r;
        if (x->f->line != y->f->line)
                return x->f->line < y->f->line ? -1 : 1;
        return (x->index > y->index) - (x->index < y->index);
}

static void sort(struct check_run *run)
{
        size_t n = run->findings.n;
        struct ordered *order = xcalloc(n + 1, sizeof(*order));
        struct fact_check *sorted = xcalloc(n + 1, sizeof(*sorted));
        size_t *now_at = xcalloc(n + 1, sizeof(*now_at));
        for (size_t i = 0; i < n; i++)
                order[i] = (struct ordered){ &run->findings.v[i], i };
        if (n)
                qsort(order, n, sizeof(*order), by_place);
        for (size_t i = 0; i < n; i++) {
                sorted[i] = *order[i].f;
                now_at[order[i].index] = i;
        }
        if (n)
                memcpy(run->findings.v, sorted, n * sizeof(*sorted));
        for (size_t i = 0; i < run->edits.n; i++)
                run->edit_of.v[i] = now_at[run->edit_of.v[i]];
        free(order);
        free(sorted);
        free(now_at);
}

int check_run(struct check_run *run, const struct check_settings *settings, struct error *err)
{
        struct reading reading = { .run = run, .settings = settings };
        struct job job = { .name = "check",
                           .run = parse_all,
                           .on_fact = on_fact,
                           .on_end = on_end,
                           .arg = &reading,
                           .memory_max = UINT64_C(2) << 30,
                           .stall_seconds = 60 };
        for (size_t i = 0; i < run->files.n; i++)
                *map_str_put(&reading.by_path, run->files.v[i].path, NULL) = &run->files.v[i];
        int r = run->files.n ? workers_run(&job, 1, 1, err) : 0;
        if (r == 0 && reading.r < 0)
                r = error_set(err, reading.r, "%s", reading.why.text);
        if (r == 0 && reading.has_lied)
                r = error_set(err, -EBADMSG, "the worker sent facts that it could not have found");
        map_str_done(&reading.by_path);
        if (r == 0)
                sort(run);
        return r;
}

/* --- edits --- */

static int by_offset(const void *a, const void *b)
{
        const struct fact_edit *x = *(const struct fact_edit *const *)a, *y = *(const struct fact_edit *const *)b;
        if (x->offset != y->offset)
                return x->offset < y->offset ? -1 : 1;
        return (x > y) - (x < y); /* as the worker sent them */
}

struct str check_fixed(struct check_run *run, size_t i, size_t *ret_n_fixed)
{
        const struct check_file *file = &run->files.v[i];
        const struct fact_edit **edits = xcalloc(run->edits.n + 1, sizeof(*edits));
        size_t n = 0, at = 0, last_finding = SIZE_MAX;
        *ret_n_fixed = 0;
        for (size_t k = 0; k < run->edits.n; k++)
                if (str_eq(run->edits.v[k].file, file->path) && !run->findings.v[run->edit_of.v[k]].waived)
                        edits[n++] = &run->edits.v[k];
        if (n)
                qsort(edits, n, sizeof(*edits), by_offset);
        struct buf out = BUF_INIT(SIZE_MAX / 2);
        for (size_t k = 0; k < n; k++) {
                const struct fact_edit *e = edits[k];
                size_t finding = run->edit_of.v[e - run->edits.v];
                if (e->offset < at)
                        continue;
                buf_add(&out, file->bytes.p + at, e->offset - at);
                buf_add_str(&out, e->text);
                at = e->offset + e->length;
                *ret_n_fixed += finding != last_finding;
                last_finding = finding;
        }
        buf_add_str(&out, str_from(file->bytes, at));
        struct str ret = n ? arena_str(&run->arena, buf_str(&out)) : STR_NONE;
        buf_done(&out);
        free(edits);
        return ret;
}

void check_run_done(struct check_run *run)
{
        vec_done(&run->files);
        vec_done(&run->findings);
        vec_done(&run->edits);
        vec_done(&run->edit_of);
        vec_done(&run->unread);
        arena_done(&run->arena);
}
