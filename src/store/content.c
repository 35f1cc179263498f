/*
 * What records name by digest and many of them share: operating systems, packages, findings, the programs of a package,
 * each different one a row; and the lists of a scan, each different one a row with its members' row numbers. Ten
 * thousand images of a few hundred packages have some ten thousand lists, but no more packages than their distributions
 * offer.
 *
 * A row's digest is SHA-256 over a domain word and its cells; a list's over a domain word, its operating system's
 * digest (or zeros), the number of members and their digests in ascending order. A list is a set: the order in which a
 * scan found things does not matter. Row numbers are this file's own business and are in no digest.
 */
#include "store/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CELLS_MAX 14

struct cell {
        bool is_number;
        struct str text;
        int64_t number;
};

/* A table of such rows. */
struct content_table {
        const char *name, *domain;
        const char *find, *insert; /* by digest; digest and cells */
        const char *all;           /* row number, digest, cells */
        const char *types;         /* of the cells: t or n */
};

#define COLUMNS_OF_11 "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
#define TABLE(n, row, columns, marks, cell_types)                                                                      \
        {                                                                                                              \
                .name = n, .domain = "sekisho ledger " n " 1", .find = "SELECT " row " FROM " n " WHERE digest = ?",   \
                .insert = "INSERT INTO " n "(digest, " columns ") VALUES (?, " marks ")",                              \
                .all = "SELECT " row ", digest, " columns " FROM " n " ORDER BY " row, .types = cell_types             \
        }

static const struct content_table table_os = TABLE("os", "os", OS_COLUMNS, "?, ?, ?, ?, ?, ?", "tttttt"),
                                  table_package =
                                          TABLE("package", "package", PACKAGE_COLUMNS, COLUMNS_OF_11, "ttttttttttt"),
                                  table_finding = TABLE("finding", "finding", FINDING_COLUMNS,
                                                        COLUMNS_OF_11 ", ?, ?, ?", "tttttttnnntttt"),
                                  table_program = TABLE("program", "program", PROGRAM_COLUMNS, "?, ?", "tt");

static void sum_cells(const char *domain, const struct cell *cells, size_t n, uint8_t ret[static BOOK_HASH_BYTES])
{
        struct sum s;
        sum_begin(&s, domain);
        for (size_t i = 0; i < n; i++) {
                if (cells[i].is_number)
                        sum_number(&s, cells[i].number);
                else
                        sum_text(&s, cells[i].text);
        }
        sum_end(&s, ret);
}

static int find_row(struct book *b, const char *find, const uint8_t digest[static BOOK_HASH_BYTES], int64_t *ret,
                    struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(b, find);
        query_bytes(&q, str_span(digest, BOOK_HASH_BYTES));
        int r = query_next(&q, err);
        if (r > 0)
                *ret = column_number(&q);
        return r;
}

/* The row that holds these cells; made if there is none yet. */
static int put_row(struct book *b, const struct content_table *t, const struct cell *cells, int64_t *ret_row,
                   uint8_t ret_digest[static BOOK_HASH_BYTES], struct error *err)
{
        size_t n = strlen(t->types);
        sum_cells(t->domain, cells, n, ret_digest);
        int r = find_row(b, t->find, ret_digest, ret_row, err);
        if (r != 0)
                return r < 0 ? r : 0;
        struct query q = query_of(b, t->insert);
        query_bytes(&q, str_span(ret_digest, BOOK_HASH_BYTES));
        for (size_t i = 0; i < n; i++) {
                if (cells[i].is_number)
                        query_number(&q, cells[i].number);
                else
                        query_text(&q, cells[i].text);
        }
        r = query_run(&q, err);
        *ret_row = sqlite3_last_insert_rowid(b->db);
        return r;
}

/* --- lists --- */

struct member {
        int64_t row;
        uint8_t digest[BOOK_HASH_BYTES];
};

VEC_TYPE(member_vec, struct member);

static int by_digest(const void *a, const void *b)
{
        return memcmp(((const struct member *)a)->digest, ((const struct member *)b)->digest, BOOK_HASH_BYTES);
}

static int by_row(const void *a, const void *b)
{
        int64_t x = ((const struct member *)a)->row, y = ((const struct member *)b)->row;
        return (x > y) - (x < y);
}

static void sort_members(struct member_vec *m)
{
        if (m->n)
                qsort(m->v, m->n, sizeof(*m->v), by_digest);
        size_t kept = 0;
        for (size_t i = 0; i < m->n; i++)
                if (i == 0 || by_digest(&m->v[i], &m->v[kept - 1]) != 0)
                        m->v[kept++] = m->v[i];
        m->n = kept;
}

static void sum_list(const char *domain, const uint8_t os[static BOOK_HASH_BYTES], const struct member_vec *sorted,
                     uint8_t ret[static BOOK_HASH_BYTES])
{
        struct sum s;
        sum_begin(&s, domain);
        sum_hash(&s, os);
        sum_number(&s, (int64_t)sorted->n);
        for (size_t i = 0; i < sorted->n; i++)
                sum_hash(&s, sorted->v[i].digest);
        sum_end(&s, ret);
}

/* Row numbers ascending, each as its distance from the one before, as LEB128. */
static void encode_members(struct member_vec *m, struct buf *to)
{
        int64_t before = 0;
        if (m->n)
                qsort(m->v, m->n, sizeof(*m->v), by_row);
        for (size_t i = 0; i < m->n; before = m->v[i++].row)
                buf_varint(to, (uint64_t)(m->v[i].row - before));
}

int members_decode(struct book *b, struct str blob, uint64_t n, struct arena *arena, uint32_t **ret, struct error *err)
{
        struct cursor c = cursor_from(blob);
        uint64_t at = 0;
        if (n > BOOK_LIST_MAX || n > blob.n)
                return sql_damaged(b, err, "a list says that it has %llu members", (unsigned long long)n);
        uint32_t *rows = arena_array(arena, n, sizeof(*rows));
        for (uint64_t i = 0; i < n; i++) {
                uint64_t step = cursor_varint(&c);
                if (step == 0 || step > UINT32_MAX - at)
                        return sql_damaged(b, err, "the members of a list are not in order");
                at += step;
                rows[i] = (uint32_t)at;
        }
        if (!cursor_ok(&c) || !cursor_at_end(&c))
                return sql_damaged(b, err, "a list does not have as many members as it says");
        *ret = rows;
        return 0;
}

/* A table of lists; `os` stands in the insert and in `all` where lists have one. */
struct list_table {
        const char *name, *domain;
        const char *find, *insert;
        const char *all; /* list, digest, n, members, row of the operating system or 0 */
};

static const struct list_table list_packages = { "package_list", "sekisho ledger package_list 1",
                                                 "SELECT list FROM package_list WHERE digest = ?",
                                                 "INSERT INTO package_list(digest, n, members, os) VALUES (?, ?, ?, ?)",
                                                 "SELECT list, digest, n, members, coalesce(os, 0) FROM package_list" },
                               list_findings = { "finding_list", "sekisho ledger finding_list 1",
                                                 "SELECT list FROM finding_list WHERE digest = ?",
                                                 "INSERT INTO finding_list(digest, n, members) VALUES (?, ?, ?)",
                                                 "SELECT list, digest, n, members, 0 FROM finding_list" },
                               list_programs = { "program_list", "sekisho ledger program_list 1",
                                                 "SELECT list FROM program_list WHERE digest = ?",
                                                 "INSERT INTO program_list(digest, n, members) VALUES (?, ?, ?)",
                                                 "SELECT list, digest, n, members, 0 FROM program_list" };

static const uint8_t nothing[BOOK_HASH_BYTES];

static int put_list(struct book *b, const struct list_table *t, int64_t os, const uint8_t *os_digest,
                    struct member_vec *m, uint8_t ret[static BOOK_HASH_BYTES], struct error *err)
{
        int64_t row;
        sort_members(m);
        sum_list(t->domain, os_digest, m, ret);
        int r = find_row(b, t->find, ret, &row, err);
        if (r != 0)
                return r < 0 ? r : 0;
        _cleanup_(buf_done) struct buf blob = BUF_INIT((size_t)BOOK_LIST_MAX * 10);
        encode_members(m, &blob);
        struct query q = query_of(b, t->insert);
        query_bytes(&q, str_span(ret, BOOK_HASH_BYTES));
        query_number(&q, (int64_t)m->n);
        query_bytes(&q, buf_str(&blob));
        if (os)
                query_number(&q, os);
        return query_run(&q, err);
}

static int too_many(struct book *b, const char *what, size_t n, struct error *err)
{
        return error_set(err, -EFBIG, "ledger %s: %zu %s are beyond its limit of %u in one scan", b->path, n, what,
                         BOOK_LIST_MAX);
}

/* --- packages --- */

static struct cell cell_of(struct str s, struct arena *arena) { return (struct cell){ .text = body_clean(s, arena) }; }

static struct cell cell_number(int64_t v) { return (struct cell){ .is_number = true, .number = v }; }

/* 0: it says nothing. 1: a row. */
static int put_os(struct book *b, const struct fact_os *os, int64_t *ret_row, uint8_t ret[static BOOK_HASH_BYTES],
                  struct error *err)
{
        struct arena arena = ARENA_INIT;
        _cleanup_(buf_done) struct buf like = BUF_INIT(BOOK_TEXT_MAX);
        memset(ret, 0, BOOK_HASH_BYTES);
        *ret_row = 0;
        if (!os->id.n && !os->version.n && !os->name.n)
                return 0;
        for (size_t i = 0; i < os->id_like.n; i++) {
                buf_puts(&like, i ? " " : "");
                buf_add_str(&like, os->id_like.v[i]);
        }
        const struct cell cells[] = { cell_of(os->id, &arena),      cell_of(buf_str(&like), &arena),
                                      cell_of(os->version, &arena), cell_of(os->codename, &arena),
                                      cell_of(os->name, &arena),    cell_of(os->cpe, &arena) };
        int r = put_row(b, &table_os, cells, ret_row, ret, err);
        arena_done(&arena);
        return r;
}

static int put_package(struct book *b, const struct book_package *p, struct arena *arena, struct member *ret,
                       struct error *err)
{
        const struct fact_package *f = &p->p;
        const struct cell cells[] = { cell_of(f->type, arena),    cell_of(f->name, arena),
                                      cell_of(f->version, arena), cell_of(f->arch, arena),
                                      cell_of(f->source, arena),  cell_of(f->source_version, arena),
                                      cell_of(f->vendor, arena),  cell_of(f->module, arena),
                                      cell_of(f->licence, arena), cell_of(f->database, arena),
                                      cell_of(p->origin, arena) };
        return put_row(b, &table_package, cells, &ret->row, ret->digest, err);
}

int content_put_packages(struct book *b, const struct fact_os *os, const struct book_package *p, size_t n,
                         uint8_t ret[static BOOK_HASH_BYTES], struct error *err)
{
        struct member_vec members = { 0 };
        struct arena arena = ARENA_INIT;
        uint8_t os_digest[BOOK_HASH_BYTES];
        int64_t os_row;
        if (n > BOOK_LIST_MAX)
                return too_many(b, "packages", n, err);
        int r = put_os(b, os, &os_row, os_digest, err);
        for (size_t i = 0; i < n && r == 0; i++)
                r = put_package(b, &p[i], &arena, vec_push(&members), err);
        if (r == 0)
                r = put_list(b, &list_packages, os_row, os_digest, &members, ret, err);
        vec_done(&members);
        arena_done(&arena);
        return r;
}

void package_read(struct query *q, struct arena *arena, struct book_package *ret)
{
        *ret = (struct book_package){ .p.type = column_text(q, arena) };
        struct fact_package *p = &ret->p;
        struct str *const texts[] = { &p->name,   &p->version, &p->arch,    &p->source,   &p->source_version,
                                      &p->vendor, &p->module,  &p->licence, &p->database, &ret->origin };
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                *texts[i] = column_text(q, arena);
}

void os_read(struct query *q, struct arena *arena, struct fact_os *ret)
{
        *ret = (struct fact_os){ .id = column_text(q, arena) };
        struct str like = column_text(q, arena);
        ret->version = column_text(q, arena);
        ret->codename = column_text(q, arena);
        ret->name = column_text(q, arena);
        ret->cpe = column_text(q, arena);
        ret->id_like.v = arena_array(arena, like.n / 2 + 1, sizeof(*ret->id_like.v));
        while (like.n) {
                struct str word = str_cut(&like, ' ');
                if (word.n)
                        ret->id_like.v[ret->id_like.n++] = word;
        }
}

/* --- findings --- */

static int put_finding(struct book *b, const struct book_finding *f, struct arena *arena, struct member *ret,
                       struct error *err)
{
        const struct cell cells[] = {
                cell_of(f->key, arena),       cell_of(f->kind, arena),           cell_of(f->id, arena),
                cell_of(f->package, arena),   cell_of(f->version, arena),        cell_of(f->fix, arena),
                cell_of(f->path, arena),      cell_number((int64_t)f->severity), cell_number(f->is_fixable),
                cell_number(f->is_exploited), cell_of(f->response, arena),       cell_of(f->state, arena),
                cell_of(f->waiver, arena),    cell_of(f->rule, arena),
        };
        return put_row(b, &table_finding, cells, &ret->row, ret->digest, err);
}

int content_put_findings(struct book *b, const struct book_finding *f, size_t n, uint8_t ret[static BOOK_HASH_BYTES],
                         struct error *err)
{
        struct member_vec members = { 0 };
        struct arena arena = ARENA_INIT;
        int r = n > BOOK_LIST_MAX ? too_many(b, "findings", n, err) : 0;
        for (size_t i = 0; i < n && r == 0; i++)
                r = put_finding(b, &f[i], &arena, vec_push(&members), err);
        if (r == 0)
                r = put_list(b, &list_findings, 0, nothing, &members, ret, err);
        vec_done(&members);
        arena_done(&arena);
        return r;
}

void finding_read(struct query *q, struct arena *arena, struct book_finding *ret)
{
        *ret = (struct book_finding){ .key = column_text(q, arena) };
        struct str *const before[] = { &ret->kind, &ret->id, &ret->package, &ret->version, &ret->fix, &ret->path };
        struct str *const after[] = { &ret->response, &ret->state, &ret->waiver, &ret->rule };
        for (size_t i = 0; i < ARRAY_SIZE(before); i++)
                *before[i] = column_text(q, arena);
        int64_t severity = column_number(q);
        ret->severity = severity >= 0 && severity <= SEVERITY_CRITICAL ? (enum severity)severity : SEVERITY_UNKNOWN;
        ret->is_fixable = column_number(q) != 0;
        ret->is_exploited = column_number(q) != 0;
        for (size_t i = 0; i < ARRAY_SIZE(after); i++)
                *after[i] = column_text(q, arena);
}

int content_finding(struct book *b, uint32_t row, struct arena *arena, struct book_finding *ret, struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(b, "SELECT " FINDING_COLUMNS " FROM finding WHERE finding = ?");
        query_number(&q, row);
        int r = query_next(&q, err);
        if (r == 0)
                return sql_damaged(b, err, "finding %u is not there", row);
        if (r > 0)
                finding_read(&q, arena, ret);
        return r < 0 ? r : 0;
}

int content_list_members(struct book *b, int64_t list, struct arena *arena, uint32_t **ret, size_t *ret_n,
                         struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(b, "SELECT n, members FROM finding_list WHERE list = ?");
        query_number(&q, list);
        int r = query_next(&q, err);
        if (r <= 0)
                return r < 0 ? r : sql_damaged(b, err, "list %lld of findings is not there", (long long)list);
        *ret_n = (size_t)column_number(&q);
        return members_decode(b, column_bytes(&q, NULL), *ret_n, arena, ret, err);
}

/* --- programs --- */

static int by_package(const void *pa, const void *pb)
{
        const struct book_program *a = *(const struct book_program *const *)pa;
        const struct book_program *b = *(const struct book_program *const *)pb;
        int r = str_cmp(a->package, b->package);
        return r ? r : str_cmp(a->path, b->path);
}

/* A path that cannot stand on a line as it is would be another one when it is read. */
static bool is_plain(struct str path, struct arena *arena)
{
        return path.n > 0 && str_find_char(path, '\n') < 0 && str_eq(body_clean(path, arena), path);
}

static int put_programs(struct book *b, struct str package, struct buf *paths, struct arena *arena,
                        struct member_vec *members, struct error *err)
{
        const struct cell cells[] = { cell_of(package, arena), { .text = buf_str(paths) } };
        struct member *m = vec_push(members);
        int r = paths->n ? put_row(b, &table_program, cells, &m->row, m->digest, err) : 0;
        members->n -= paths->n == 0;
        buf_clear(paths);
        return r;
}

int content_put_programs(struct book *b, const struct book_program *p, size_t n, uint8_t ret[static BOOK_HASH_BYTES],
                         struct error *err)
{
        struct member_vec members = { 0 };
        struct arena arena = ARENA_INIT;
        _cleanup_(buf_done) struct buf paths = BUF_INIT(2 * (size_t)BOOK_TEXT_MAX);
        const struct book_program **sorted = arena_array(&arena, n + 1, sizeof(*sorted));
        int r = n > BOOK_LIST_MAX ? too_many(b, "programs", n, err) : 0;
        for (size_t i = 0; i < n; i++)
                sorted[i] = &p[i];
        if (n)
                qsort(sorted, n, sizeof(*sorted), by_package);
        for (size_t i = 0; i < n && r == 0; i++) {
                bool is_next = i > 0 && !str_eq(sorted[i]->package, sorted[i - 1]->package);
                if (is_next || paths.n + sorted[i]->path.n >= BOOK_TEXT_MAX) /* a text is no longer than that */
                        r = put_programs(b, sorted[MAX(i, 1) - 1]->package, &paths, &arena, &members, err);
                if (is_plain(sorted[i]->path, &arena) && sorted[i]->path.n < BOOK_TEXT_MAX)
                        buf_printf(&paths, "%s%.*s", paths.n ? "\n" : "", STR_FMT(sorted[i]->path));
        }
        if (r == 0 && n)
                r = put_programs(b, sorted[n - 1]->package, &paths, &arena, &members, err);
        if (r == 0)
                r = put_list(b, &list_programs, 0, nothing, &members, ret, err);
        vec_done(&members);
        arena_done(&arena);
        return r;
}

/* --- checking --- */

struct digest_of_row {
        uint8_t digest[BOOK_HASH_BYTES];
};

VEC_TYPE(digest_vec, struct digest_of_row); /* by row number; [0] is of no row */

static int flaw(char words[static ERROR_TEXT_MAX], const char *table, int64_t row)
{
        snprintf(words, ERROR_TEXT_MAX,
                 "row %lld of the table %s is not what its digest says, or rows before it are missing", (long long)row,
                 table);
        return 1;
}

/* Each row against its digest. Rows are never deleted, so their numbers have no gaps. */
static int verify_rows(struct book *b, const struct content_table *t, struct digest_vec *digests,
                       char words[static ERROR_TEXT_MAX], struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(b, t->all);
        size_t n = strlen(t->types);
        int r;
        (void)vec_push(digests);
        while ((r = query_next(&q, err)) > 0) {
                struct cell cells[CELLS_MAX];
                struct digest_of_row *found = vec_push(digests);
                uint8_t computed[BOOK_HASH_BYTES];
                int64_t row = column_number(&q);
                bool is_hash = column_hash(&q, found->digest);
                for (size_t i = 0; i < n; i++)
                        cells[i] = t->types[i] == 'n' ? cell_number(column_number(&q))
                                                      : (struct cell){ .text = column_text(&q, NULL) };
                sum_cells(t->domain, cells, n, computed);
                if (!is_hash || memcmp(computed, found->digest, BOOK_HASH_BYTES) != 0 || row != (int64_t)digests->n - 1)
                        return flaw(words, t->name, row);
        }
        return r;
}

static bool collect(const struct digest_vec *digests, const uint32_t *rows, size_t n, struct member_vec *ret)
{
        vec_clear(ret);
        for (size_t i = 0; i < n; i++) {
                if (rows[i] >= digests->n)
                        return false;
                struct member *m = vec_push(ret);
                m->row = rows[i];
                memcpy(m->digest, digests->v[rows[i]].digest, BOOK_HASH_BYTES);
        }
        return true;
}

static int verify_lists(struct book *b, const struct list_table *t, const struct digest_vec *oses,
                        const struct digest_vec *digests, char words[static ERROR_TEXT_MAX], struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(b, t->all);
        struct member_vec members = { 0 };
        struct arena arena = ARENA_INIT;
        int r;
        while ((r = query_next(&q, err)) > 0) {
                uint8_t digest[BOOK_HASH_BYTES], computed[BOOK_HASH_BYTES];
                uint32_t *rows = NULL;
                int64_t list = column_number(&q);
                bool is_hash = column_hash(&q, digest);
                uint64_t n = (uint64_t)column_number(&q);
                struct str blob = column_bytes(&q, NULL);
                uint64_t os = (uint64_t)column_number(&q);
                bool fits = is_hash && os < MAX(oses->n, 1) && members_decode(b, blob, n, &arena, &rows, NULL) == 0 &&
                            collect(digests, rows, n, &members);
                if (fits) {
                        if (members.n)
                                qsort(members.v, members.n, sizeof(*members.v), by_digest);
                        sum_list(t->domain, os ? oses->v[os].digest : nothing, &members, computed);
                        fits = memcmp(computed, digest, BOOK_HASH_BYTES) == 0;
                }
                arena_done(&arena);
                if (!fits) {
                        r = flaw(words, t->name, list);
                        break;
                }
        }
        vec_done(&members);
        return r;
}

int content_verify(struct book *b, char words[static ERROR_TEXT_MAX], struct error *err)
{
        struct digest_vec oses = { 0 }, packages = { 0 }, findings = { 0 }, programs = { 0 };
        int r = verify_rows(b, &table_os, &oses, words, err);
        if (r == 0)
                r = verify_rows(b, &table_package, &packages, words, err);
        if (r == 0)
                r = verify_rows(b, &table_finding, &findings, words, err);
        if (r == 0)
                r = verify_rows(b, &table_program, &programs, words, err);
        if (r == 0)
                r = verify_lists(b, &list_packages, &oses, &packages, words, err);
        if (r == 0)
                r = verify_lists(b, &list_findings, &oses, &findings, words, err);
        if (r == 0)
                r = verify_lists(b, &list_programs, &oses, &programs, words, err);
        vec_done(&oses);
        vec_done(&packages);
        vec_done(&findings);
        vec_done(&programs);
        return r;
}
