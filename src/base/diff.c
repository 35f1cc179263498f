/*
 * See diff.h. E. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), the greedy one: for each number of
 * edits the furthest place that is reached on each diagonal, kept, so that the way can be walked back. Lines that both
 * texts have at their beginning and end are set aside first. Places past the end of a text can be reached, but no way
 * leads back from there.
 */
#include "base/diff.h"

#include "base/map.h"
#include "base/vec.h"

#define DIAGONALS (2 * DIFF_EDITS_MAX + 1)

struct line {
        struct str text, shown; /* without the line end */
        uint64_t hash;
        bool has_end;
};

VEC_TYPE(line_vec, struct line);

/* One line of the diff: of one of the texts, or of both. */
struct edit {
        char sign; /* ' ', '-', '+' */
        const struct line *line;
};

VEC_TYPE(edit_vec, struct edit);

static void split(struct diff_text t, struct line_vec *to)
{
        while (t.text.n) {
                struct line *l = vec_push(to);
                ptrdiff_t end = str_find_char(t.text, '\n');
                l->has_end = end >= 0;
                l->text = str_cut(&t.text, '\n');
                l->shown = str_cut(&t.shown, '\n');
                l->hash = hash_str(l->text);
        }
}

static bool is_same(const struct line *a, const struct line *b)
{
        return a->hash == b->hash && a->has_end == b->has_end && str_eq(a->text, b->text);
}

/* The middle of the two texts, where they differ. */
struct middle {
        const struct line *a, *b;
        int n, m;
};

/*
 * Finds the shortest way through the middle: *ret_edits is how many lines it takes away and adds. rows[d] is what was
 * reached with d edits before the last was made. False: it takes more than DIFF_EDITS_MAX.
 */
static bool search(const struct middle *x, int (*rows)[DIAGONALS], int *ret_edits)
{
        int reached[DIAGONALS + 1] = { 0 };
        int *v = reached + DIFF_EDITS_MAX;
        for (int d = 0; d <= DIFF_EDITS_MAX; d++) {
                memcpy(rows[d], reached, sizeof(*rows));
                for (int k = -d; k <= d; k += 2) {
                        bool is_down = k == -d || (k != d && v[k - 1] < v[k + 1]);
                        int i = d == 0 ? 0 : is_down ? v[k + 1] : v[k - 1] + 1;
                        while (i < x->n && i - k < x->m && is_same(&x->a[i], &x->b[i - k]))
                                i++;
                        v[k] = i;
                        if (i == x->n && i - k == x->m) {
                                *ret_edits = d;
                                return true;
                        }
                }
        }
        return false;
}

/* From the end of the middle back to its beginning. */
static void walk_back(const struct middle *x, int (*rows)[DIAGONALS], int edits, struct edit_vec *to)
{
        int i = x->n, j = x->m;
        for (int d = edits; d > 0; d--) {
                const int *v = rows[d] + DIFF_EDITS_MAX;
                int k = i - j;
                bool is_down = k == -d || (k != d && v[k - 1] < v[k + 1]);
                int from_i = is_down ? v[k + 1] : v[k - 1], from_j = from_i - (is_down ? k + 1 : k - 1);
                while (i > from_i && j > from_j) {
                        *vec_push(to) = (struct edit){ ' ', &x->a[--i] };
                        j--;
                }
                if (is_down)
                        *vec_push(to) = (struct edit){ '+', &x->b[--j] };
                else
                        *vec_push(to) = (struct edit){ '-', &x->a[--i] };
        }
        while (i > 0) /* what was alike before the first edit: i and j are the same */
                *vec_push(to) = (struct edit){ ' ', &x->a[--i] };
}

static void exchange(const struct middle *x, struct edit_vec *to)
{
        for (int i = 0; i < x->n; i++)
                *vec_push(to) = (struct edit){ '-', &x->a[i] };
        for (int j = 0; j < x->m; j++)
                *vec_push(to) = (struct edit){ '+', &x->b[j] };
}

static void compare_middle(const struct middle *x, struct edit_vec *to)
{
        int(*rows)[DIAGONALS] = xcalloc(DIFF_EDITS_MAX + 1, sizeof(*rows)), edits = 0;
        size_t from = to->n;
        if (search(x, rows, &edits)) {
                walk_back(x, rows, edits, to);
                for (size_t i = from, k = to->n; i + 1 < k; i++) { /* it was walked backwards */
                        struct edit swapped = to->v[i];
                        to->v[i] = to->v[--k];
                        to->v[k] = swapped;
                }
        } else {
                exchange(x, to);
        }
        free(rows);
}

static void compare(const struct line_vec *a, const struct line_vec *b, struct edit_vec *to)
{
        size_t head = 0, tail = 0;
        while (head < a->n && head < b->n && is_same(&a->v[head], &b->v[head]))
                head++;
        while (head + tail < a->n && head + tail < b->n && is_same(&a->v[a->n - 1 - tail], &b->v[b->n - 1 - tail]))
                tail++;
        for (size_t i = 0; i < head; i++)
                *vec_push(to) = (struct edit){ ' ', &a->v[i] };
        const struct middle x = { a->v ? a->v + head : NULL, b->v ? b->v + head : NULL, (int)(a->n - head - tail),
                                  (int)(b->n - head - tail) };
        if (x.n || x.m)
                compare_middle(&x, to);
        for (size_t i = a->n - tail; i < a->n; i++)
                *vec_push(to) = (struct edit){ ' ', &a->v[i] };
}

/* ------------------------------------------------------------------------------------------------------ output ---- */

/* Where the next hunk begins, from `at` on, and ends: edits no further apart than twice the context are one. */
static bool next_hunk(const struct edit_vec *e, size_t at, size_t *ret_from, size_t *ret_to)
{
        while (at < e->n && e->v[at].sign == ' ')
                at++;
        if (at == e->n)
                return false;
        size_t last = at;
        for (size_t i = at; i < e->n && i - last <= 2 * DIFF_CONTEXT + 1; i++)
                if (e->v[i].sign != ' ')
                        last = i;
        *ret_from = at - MIN(at, (size_t)DIFF_CONTEXT);
        *ret_to = MIN(last + 1 + DIFF_CONTEXT, e->n);
        return true;
}

static size_t count_without(const struct edit_vec *e, size_t from, size_t to, char sign)
{
        size_t n = 0;
        for (size_t i = from; i < to; i++)
                n += e->v[i].sign != sign;
        return n;
}

static bool put(struct buf *to, struct buf *line)
{
        bool fits = !line->full && to->n + line->n <= to->max;
        if (fits)
                buf_add_str(to, buf_str(line));
        buf_clear(line);
        return fits;
}

/* An empty side is told by the line before it. */
static void put_head(struct buf *line, size_t line_a, size_t n_a, size_t line_b, size_t n_b)
{
        buf_printf(line, "@@ -%zu,%zu +%zu,%zu @@\n", line_a + (n_a > 0), n_a, line_b + (n_b > 0), n_b);
}

static bool print(const struct edit_vec *e, struct buf *ret)
{
        _cleanup_(buf_done) struct buf line = BUF_INIT(ret->max + 64);
        size_t at = 0, from, to;
        while (next_hunk(e, at, &from, &to)) {
                put_head(&line, count_without(e, 0, from, '+'), count_without(e, from, to, '+'),
                         count_without(e, 0, from, '-'), count_without(e, from, to, '-'));
                if (!put(ret, &line))
                        return false;
                for (size_t i = from; i < to; i++) {
                        buf_putc(&line, e->v[i].sign);
                        buf_add_str(&line, e->v[i].line->shown);
                        buf_puts(&line, e->v[i].line->has_end ? "\n" : "\n\\ No newline at end of file\n");
                        if (!put(ret, &line))
                                return false;
                }
                at = to;
        }
        return true;
}

bool diff_unified(struct diff_text before, struct diff_text after, struct buf *ret)
{
        struct line_vec a = { 0 }, b = { 0 };
        struct edit_vec edits = { 0 };
        split(before, &a);
        split(after, &b);
        compare(&a, &b, &edits);
        bool is_whole = print(&edits, ret);
        vec_done(&a);
        vec_done(&b);
        vec_done(&edits);
        return is_whole;
}
