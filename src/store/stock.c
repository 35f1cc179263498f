/*
 * The stock: the packages of all artefacts as last scanned, each different one once, read at one go. Rows of contents
 * are never deleted, so their numbers have no gaps, and a row's index is its number less one.
 */
#include "store/internal.h"

#include <errno.h>
#include <stdlib.h>

VEC_TYPE(os_vec, struct fact_os);
VEC_TYPE(package_vec, struct fact_package);
VEC_TYPE(finding_vec, struct stock_finding);
VEC_TYPE(list_vec, struct stock_list);
VEC_TYPE(finding_list_vec, struct stock_finding_list);
VEC_TYPE(artefact_vec, struct stock_artefact);

struct reading {
        struct book *b;
        struct arena *arena;
        struct os_vec oses;
        struct package_vec packages;
        struct finding_vec findings;
        struct list_vec lists;
        struct finding_list_vec finding_lists;
        struct artefact_vec artefacts;
        struct map64 list_of, finding_list_of; /* from row number to index */
};

/* A row's number against the place that it gets. */
static int check_row(struct reading *x, int64_t row, size_t n, const char *table, struct error *err)
{
        return row == (int64_t)n ? 0 : sql_damaged(x->b, err, "the table %s has no row %zu", table, n);
}

static int read_oses(struct reading *x, struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(x->b, "SELECT " OS_COLUMNS ", os FROM os ORDER BY os");
        int r;
        while ((r = query_next(&q, err)) > 0) {
                os_read(&q, x->arena, vec_push(&x->oses));
                r = check_row(x, column_number(&q), x->oses.n, "os", err);
                if (r < 0)
                        return r;
        }
        return r;
}

static int read_packages(struct reading *x, struct error *err)
{
        _cleanup_(query_end) struct query q =
                query_of(x->b, "SELECT " PACKAGE_COLUMNS ", package FROM package ORDER BY package");
        int r;
        while ((r = query_next(&q, err)) > 0) {
                struct book_package p;
                package_read(&q, x->arena, &p);
                *vec_push(&x->packages) = p.p;
                r = check_row(x, column_number(&q), x->packages.n, "package", err);
                if (r < 0)
                        return r;
        }
        return r;
}

static int read_findings(struct reading *x, struct error *err)
{
        _cleanup_(query_end) struct query q =
                query_of(x->b, "SELECT key, kind, id, package, finding FROM finding ORDER BY finding");
        int r;
        while ((r = query_next(&q, err)) > 0) {
                struct stock_finding *f = vec_push(&x->findings);
                f->key = column_text(&q, x->arena);
                f->kind = column_text(&q, x->arena);
                f->id = column_text(&q, x->arena);
                f->package = column_text(&q, x->arena);
                r = check_row(x, column_number(&q), x->findings.n, "finding", err);
                if (r < 0)
                        return r;
        }
        return r;
}

/* Members as indexes below limit. */
static int read_members(struct reading *x, struct query *q, size_t limit, const uint32_t **ret, size_t *ret_n,
                        struct error *err)
{
        uint32_t *rows = NULL;
        *ret_n = (size_t)column_number(q);
        int r = members_decode(x->b, column_bytes(q, NULL), *ret_n, x->arena, &rows, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < *ret_n; i++)
                rows[i]--;
        if (*ret_n && rows[*ret_n - 1] >= limit)
                return sql_damaged(x->b, err, "a list names row %u, which is not there", rows[*ret_n - 1] + 1);
        *ret = rows;
        return 0;
}

static int read_lists(struct reading *x, struct error *err)
{
        _cleanup_(query_end) struct query q =
                query_of(x->b, "SELECT list, coalesce(os, 0), n, members FROM package_list WHERE list IN (SELECT "
                               "package_list FROM artefact)");
        int r;
        while ((r = query_next(&q, err)) > 0) {
                struct stock_list l = { 0 };
                uint64_t row = (uint64_t)column_number(&q), os = (uint64_t)column_number(&q);
                if (os > x->oses.n)
                        return sql_damaged(x->b, err, "the table os has no row %llu", (unsigned long long)os);
                l.os = os ? (size_t)os - 1 : SIZE_MAX;
                r = read_members(x, &q, x->packages.n, &l.packages, &l.n, err);
                if (r < 0)
                        return r;
                *vec_push(&x->lists) = l;
                *map64_put(&x->list_of, row, NULL) = x->lists.n - 1;
        }
        return r;
}

static int read_finding_lists(struct reading *x, struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(
                x->b, "SELECT list, n, members FROM finding_list WHERE list IN (SELECT finding_list FROM artefact)");
        int r;
        while ((r = query_next(&q, err)) > 0) {
                struct stock_finding_list l = { 0 };
                uint64_t row = (uint64_t)column_number(&q);
                r = read_members(x, &q, x->findings.n, &l.findings, &l.n, err);
                if (r < 0)
                        return r;
                *vec_push(&x->finding_lists) = l;
                *map64_put(&x->finding_list_of, row, NULL) = x->finding_lists.n - 1;
        }
        return r;
}

static int read_artefacts(struct reading *x, struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(
                x->b, "SELECT key, name, package_list, finding_list, scanned, data_source, data_digest, data_date FROM "
                      "artefact WHERE package_list IS NOT NULL AND finding_list IS NOT NULL ORDER BY key");
        int r;
        while ((r = query_next(&q, err)) > 0) {
                struct stock_artefact *a = vec_push(&x->artefacts);
                a->key = column_text(&q, x->arena);
                a->name = column_text(&q, x->arena);
                const uint64_t *list = map64_get(&x->list_of, (uint64_t)column_number(&q));
                const uint64_t *findings = map64_get(&x->finding_list_of, (uint64_t)column_number(&q));
                if (!list || !findings)
                        return sql_damaged(x->b, err, "the lists of %.*s are not there", STR_FMT(a->key));
                a->list = (size_t)*list;
                a->findings = (size_t)*findings;
                a->scanned = column_number(&q);
                a->data.source = column_text(&q, x->arena);
                a->data.digest = column_text(&q, x->arena);
                a->data.date = column_number(&q);
        }
        return r;
}

/* A vector's elements, moved into the arena. */
#define KEEP(to, to_n, vec, arena)                                                                                     \
        do {                                                                                                           \
                (to_n) = (vec)->n;                                                                                     \
                (to) = arena_array((arena), (vec)->n, sizeof(*(vec)->v));                                              \
                if ((vec)->n)                                                                                          \
                        memcpy((to), (vec)->v, (vec)->n * sizeof(*(vec)->v));                                          \
        } while (false)

static void keep(struct reading *x, struct stock *ret)
{
        KEEP(ret->oses, ret->n_oses, &x->oses, x->arena);
        KEEP(ret->packages, ret->n_packages, &x->packages, x->arena);
        KEEP(ret->findings, ret->n_findings, &x->findings, x->arena);
        KEEP(ret->lists, ret->n_lists, &x->lists, x->arena);
        KEEP(ret->finding_lists, ret->n_finding_lists, &x->finding_lists, x->arena);
        KEEP(ret->artefacts, ret->n_artefacts, &x->artefacts, x->arena);
}

static void reading_done(struct reading *x)
{
        vec_done(&x->oses);
        vec_done(&x->packages);
        vec_done(&x->findings);
        vec_done(&x->lists);
        vec_done(&x->finding_lists);
        vec_done(&x->artefacts);
        map64_done(&x->list_of);
        map64_done(&x->finding_list_of);
}

int book_stock(struct book *b, struct arena *arena, struct stock *ret, struct error *err)
{
        static int (*const parts[])(struct reading * x, struct error * err) = {
                read_oses, read_packages, read_findings, read_lists, read_finding_lists, read_artefacts,
        };
        struct reading x = { .b = b, .arena = arena };
        *ret = (struct stock){ 0 };
        int r = snapshot_begin(b, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(parts) && r == 0; i++)
                r = parts[i](&x, err);
        if (r == 0)
                keep(&x, ret);
        reading_done(&x);
        return snapshot_end(b, r);
}

/* --- one artefact --- */

static int read_package(struct book *b, uint32_t row, struct arena *arena, struct fact_package *ret, struct error *err)
{
        struct book_package p;
        _cleanup_(query_end) struct query q = query_of(b, "SELECT " PACKAGE_COLUMNS " FROM package WHERE package = ?");
        query_number(&q, row);
        int r = query_next(&q, err);
        if (r == 0)
                return sql_damaged(b, err, "package %u is not there", row);
        if (r < 0)
                return r;
        package_read(&q, arena, &p);
        *ret = p.p;
        return 0;
}

static int packages_of(struct book *b, struct str key, struct arena *arena, struct fact_os *ret_os,
                       struct fact_package **ret, size_t *ret_n, struct error *err)
{
        uint32_t *rows;
        _cleanup_(query_end) struct query q = query_of(
                b, "SELECT n, members, o.id, o.id_like, o.version, o.codename, o.name, o.cpe FROM artefact a JOIN "
                   "package_list l ON l.list = a.package_list LEFT JOIN os o ON o.os = l.os WHERE key = ?");
        query_text(&q, key);
        int r = query_next(&q, err);
        if (r == 0)
                return error_set(err, -ENOENT, "ledger %s knows no packages of %.*s", b->path, STR_FMT(key));
        if (r < 0)
                return r;
        *ret_n = (size_t)column_number(&q);
        r = members_decode(b, column_bytes(&q, NULL), *ret_n, arena, &rows, err);
        os_read(&q, arena, ret_os);
        if (r == 0)
                *ret = arena_array(arena, *ret_n, sizeof(**ret));
        for (size_t i = 0; i < *ret_n && r == 0; i++)
                r = read_package(b, rows[i], arena, &(*ret)[i], err);
        return r;
}

int book_packages(struct book *b, struct str key, struct arena *arena, struct fact_os *ret_os,
                  struct fact_package **ret, size_t *ret_n, struct error *err)
{
        int r = snapshot_begin(b, err);
        return r < 0 ? r : snapshot_end(b, packages_of(b, key, arena, ret_os, ret, ret_n, err));
}
