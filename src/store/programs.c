/* The programs of an artefact's packages, as its last scan found them. */
#include "store/internal.h"

#include <errno.h>

VEC_TYPE(program_vec, struct book_program);

static int read_row(struct book *b, uint32_t row, struct arena *arena, struct program_vec *to, struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(b, "SELECT " PROGRAM_COLUMNS " FROM program WHERE program = ?");
        query_number(&q, row);
        int r = query_next(&q, err);
        if (r == 0)
                return sql_damaged(b, err, "program %u is not there", row);
        if (r < 0)
                return r;
        struct str package = column_text(&q, arena), paths = column_text(&q, arena);
        while (paths.n)
                *vec_push(to) = (struct book_program){ package, str_cut(&paths, '\n') };
        return 0;
}

static int by_package(const void *pa, const void *pb)
{
        const struct book_program *a = pa, *b = pb;
        int r = str_cmp(a->package, b->package);
        return r ? r : str_cmp(a->path, b->path);
}

static int programs_of(struct book *b, struct str key, struct arena *arena, struct program_vec *to, struct error *err)
{
        uint32_t *rows;
        _cleanup_(query_end) struct query q = query_of(
                b, "SELECT n, members FROM artefact a JOIN program_list l ON l.list = a.program_list WHERE key = ?");
        query_text(&q, key);
        int r = query_next(&q, err);
        if (r == 0)
                return error_set(err, -ENOENT, "ledger %s knows no programs of %.*s", b->path, STR_FMT(key));
        if (r < 0)
                return r;
        size_t n = (size_t)column_number(&q);
        r = members_decode(b, column_bytes(&q, NULL), n, arena, &rows, err);
        for (size_t i = 0; i < n && r == 0; i++)
                r = read_row(b, rows[i], arena, to, err);
        return r;
}

int book_programs(struct book *b, struct str key, struct arena *arena, struct book_program **ret, size_t *ret_n,
                  struct error *err)
{
        struct program_vec found = { 0 };
        int r = snapshot_begin(b, err);
        if (r == 0)
                r = snapshot_end(b, programs_of(b, key, arena, &found, err));
        if (r == 0) {
                if (found.n)
                        qsort(found.v, found.n, sizeof(*found.v), by_package);
                *ret_n = found.n;
                *ret = arena_array(arena, found.n, sizeof(**ret));
                if (found.n)
                        memcpy(*ret, found.v, found.n * sizeof(**ret));
        }
        vec_done(&found);
        return r;
}
