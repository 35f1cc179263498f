/* Writes the database file: header and sections (db-format.h) out of what builder_arrange has put in order. */
#include "base/cursor.h"
#include "intel/db-build-private.h"
#include "intel/ecosystem.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

struct writer {
        struct db_builder *b;
        struct buf sections[DB_SECTIONS]; /* DB_STRINGS: unused, the pool is written */
};

static void put_row(struct writer *w, enum db_section s, const uint32_t *words)
{
        for (unsigned i = 0; i < db_row_words[s]; i++)
                buf_le32(&w->sections[s], words[i]);
}

static uint32_t rows_of(const struct writer *w, enum db_section s)
{
        return (uint32_t)(w->sections[s].n / 4 / db_row_words[s]);
}

struct order_arg {
        const struct db_builder *b;
        const struct version_scheme *scheme;
};

static int order_of_versions(const void *px, const void *py, void *arg)
{
        const struct order_arg *o = arg;
        struct str x = builder_text(o->b, *(const uint32_t *)px), y = builder_text(o->b, *(const uint32_t *)py);
        int order = o->scheme ? o->scheme->compare(x, y) : 0;
        return order ? order : str_cmp(x, y);
}

static int order_of_intervals(const void *px, const void *py, void *arg)
{
        const struct order_arg *o = arg;
        const struct build_interval *x = px, *y = py;
        int order = x->start && y->start && o->scheme
                            ? o->scheme->compare(builder_text(o->b, x->start), builder_text(o->b, y->start))
                            : (x->start != 0) - (y->start != 0);
        if (!order)
                order = str_cmp(builder_text(o->b, x->start), builder_text(o->b, y->start));
        if (!order)
                order = (x->kind > y->kind) - (x->kind < y->kind);
        return order ? order : str_cmp(builder_text(o->b, x->end), builder_text(o->b, y->end));
}

/* The texts in order, each once; returns the first row. */
static uint32_t put_list(struct writer *w, struct build_words *texts, const struct order_arg *order, uint32_t *ret_n)
{
        uint32_t first = rows_of(w, DB_LISTS);
        if (texts->n > 1)
                qsort_r(texts->v, texts->n, sizeof(*texts->v), order_of_versions, (void *)order);
        for (size_t i = 0; i < texts->n; i++)
                if (i == 0 || texts->v[i] != texts->v[i - 1])
                        buf_le32(&w->sections[DB_LISTS], texts->v[i]);
        *ret_n = rows_of(w, DB_LISTS) - first;
        return first;
}

/* One row for rows from..to - 1 of affected_order, which are the same package and advisory. */
static void put_affected(struct writer *w, size_t from, size_t to, uint32_t package)
{
        struct db_builder *b = w->b;
        const struct build_affected *head = &b->affected.v[b->affected_order.v[from]];
        struct order_arg order = { b, b->ecosystems.v[b->ecosystem_order.v[head->ecosystem]].scheme };
        VEC(struct build_interval) intervals = { 0 };
        struct build_words versions = { 0 };
        for (size_t i = from; i < to; i++) {
                const struct build_affected *a = &b->affected.v[b->affected_order.v[i]];
                for (uint32_t k = 0; k < a->intervals.n; k++)
                        *vec_push(&intervals) = b->intervals.v[a->intervals.first + k];
                for (uint32_t k = 0; k < a->versions.n; k++)
                        *vec_push(&versions) = b->versions.v[a->versions.first + k];
        }
        uint32_t row[AFFECTED_WORDS] = { [AFFECTED_PACKAGE] = package };
        row[AFFECTED_ADVISORY] = b->advisories.v[head->advisory].rank;
        row[AFFECTED_INTERVALS] = rows_of(w, DB_INTERVALS);
        if (intervals.n > 1)
                qsort_r(intervals.v, intervals.n, sizeof(*intervals.v), order_of_intervals, &order);
        for (size_t i = 0; i < intervals.n; i++) {
                const struct build_interval *v = &intervals.v[i];
                if (i && memcmp(v, v - 1, sizeof(*v)) == 0)
                        continue;
                put_row(w, DB_INTERVALS, (uint32_t[INTERVAL_WORDS]){ v->start, v->end, v->kind });
        }
        row[AFFECTED_INTERVALS_N] = rows_of(w, DB_INTERVALS) - row[AFFECTED_INTERVALS];
        row[AFFECTED_VERSIONS] = put_list(w, &versions, &order, &row[AFFECTED_VERSIONS_N]);
        put_row(w, DB_AFFECTED, row);
        vec_done(&intervals);
        vec_done(&versions);
}

static bool is_same_package(const struct build_affected *x, const struct build_affected *y)
{
        return x->ecosystem == y->ecosystem && x->name == y->name;
}

static void put_packages(struct writer *w)
{
        struct db_builder *b = w->b;
        size_t i = 0;
        for (uint32_t e = 0; e < b->ecosystem_order.n; e++) {
                uint32_t first_package = rows_of(w, DB_PACKAGES);
                while (i < b->affected_order.n) {
                        const struct build_affected *head = &b->affected.v[b->affected_order.v[i]], *next = head;
                        if (head->ecosystem != e)
                                break;
                        uint32_t package = rows_of(w, DB_PACKAGES), first = rows_of(w, DB_AFFECTED);
                        while (next && is_same_package(head, next)) {
                                size_t end = i;
                                uint32_t advisory = next->advisory;
                                while (next && is_same_package(head, next) && next->advisory == advisory) {
                                        end++;
                                        next = end < b->affected_order.n ? &b->affected.v[b->affected_order.v[end]]
                                                                         : NULL;
                                }
                                put_affected(w, i, end, package);
                                i = end;
                        }
                        put_row(w, DB_PACKAGES,
                                (uint32_t[PACKAGE_WORDS]){ head->name, e, first, rows_of(w, DB_AFFECTED) - first });
                }
                put_row(w, DB_ECOSYSTEMS,
                        (uint32_t[ECOSYSTEM_WORDS]){ b->ecosystems.v[b->ecosystem_order.v[e]].name, first_package,
                                                     rows_of(w, DB_PACKAGES) - first_package });
        }
}

static int order_of_score(const void *pkey, const void *prow)
{
        const uint64_t *key = pkey;
        const struct build_score *s = prow;
        uint64_t at = (uint64_t)s->year << 32 | s->number;
        return (*key > at) - (*key < at);
}

static uint32_t score_row(const struct db_builder *b, uint32_t cve)
{
        uint32_t year, number;
        if (!cve || !b->scores.n || !cve_parse(builder_text(b, cve), &year, &number))
                return DB_NONE;
        uint64_t key = (uint64_t)year << 32 | number;
        const struct build_score *s = bsearch(&key, b->scores.v, b->scores.n, sizeof(*s), order_of_score);
        return s ? (uint32_t)(s - b->scores.v) : DB_NONE;
}

/* DB_REACHED: the rows of DB_AFFECTED of each advisory. Returns where each advisory's begin; one more than advisories.
 */
static uint32_t *put_reached(struct writer *w)
{
        size_t advisories = w->b->advisory_order.n, rows = rows_of(w, DB_AFFECTED);
        const uint8_t *affected = (const uint8_t *)w->sections[DB_AFFECTED].p;
        uint32_t *first = xcalloc(advisories + 2, sizeof(*first)), *reached = xcalloc(rows + 1, sizeof(*reached));
        for (int pass = 0; pass < 2; pass++) {
                struct cursor c = cursor_from(str_span(affected, rows * AFFECTED_WORDS * 4));
                for (uint32_t i = 0; i < rows; i++) {
                        cursor_seek(&c, ((size_t)i * AFFECTED_WORDS + AFFECTED_ADVISORY) * 4);
                        uint32_t advisory = cursor_le32(&c);
                        if (pass == 0)
                                first[advisory + 2]++;
                        else
                                reached[first[advisory + 1]++] = i;
                }
                for (size_t i = 2; pass == 0 && i < advisories + 2; i++)
                        first[i] += first[i - 1];
        }
        for (size_t i = 0; i < rows; i++)
                buf_le32(&w->sections[DB_REACHED], reached[i]);
        free(reached);
        return first;
}

static void put_advisories(struct writer *w)
{
        struct db_builder *b = w->b;
        struct order_arg by_bytes = { b, NULL };
        struct build_words aliases = { 0 };
        _cleanup_(freep) uint32_t *reached = put_reached(w);
        size_t vuln = 0;
        for (uint32_t rank = 0; rank < b->advisory_order.n; rank++) {
                const struct build_advisory *a = &b->advisories.v[b->advisory_order.v[rank]];
                uint32_t row[ADVISORY_WORDS] = {
                        [ADVISORY_ID] = a->id,
                        [ADVISORY_FEED] = a->feed,
                        [ADVISORY_VULNS] = (uint32_t)vuln,
                        [ADVISORY_REACHED] = reached[rank],
                        [ADVISORY_REACHED_N] = reached[rank + 1] - reached[rank],
                        [ADVISORY_RATING] = a->rating,
                        [ADVISORY_CVSS] = a->cvss,
                        [ADVISORY_VENDOR] = a->vendor,
                        [ADVISORY_SUMMARY] = a->summary,
                        [ADVISORY_PUBLISHED] = (uint32_t)a->published,
                        [ADVISORY_PUBLISHED_HIGH] = (uint32_t)((uint64_t)a->published >> 32),
                        [ADVISORY_MODIFIED] = (uint32_t)a->modified,
                        [ADVISORY_MODIFIED_HIGH] = (uint32_t)((uint64_t)a->modified >> 32),
                };
                for (; vuln < b->vulns.n && b->vulns.v[vuln].advisory == rank; vuln++) {
                        const struct build_vuln *v = &b->vulns.v[vuln];
                        put_row(w, DB_VULNS, (uint32_t[VULN_WORDS]){ rank, v->cve, score_row(b, v->cve), v->group });
                }
                row[ADVISORY_VULNS_N] = (uint32_t)vuln - row[ADVISORY_VULNS];
                vec_clear(&aliases);
                for (uint32_t i = 0; i < a->aliases.n; i++)
                        if (b->names.v[a->aliases.first + i] != a->id)
                                *vec_push(&aliases) = b->names.v[a->aliases.first + i];
                row[ADVISORY_ALIASES] = put_list(w, &aliases, &by_bytes, &row[ADVISORY_ALIASES_N]);
                put_row(w, DB_ADVISORIES, row);
        }
        vec_done(&aliases);
}

struct named {
        uint32_t text, advisory;
};

static int order_of_named(const void *px, const void *py, void *arg)
{
        const struct named *x = px, *y = py;
        int order = x->text == y->text ? 0 : str_cmp(builder_text(arg, x->text), builder_text(arg, y->text));
        return order ? order : (x->advisory > y->advisory) - (x->advisory < y->advisory);
}

static void put_names(struct writer *w)
{
        struct db_builder *b = w->b;
        VEC(struct named) names = { 0 };
        for (uint32_t rank = 0; rank < b->advisory_order.n; rank++) {
                const struct build_advisory *a = &b->advisories.v[b->advisory_order.v[rank]];
                *vec_push(&names) = (struct named){ a->id, rank };
                for (uint32_t i = 0; i < a->aliases.n; i++)
                        *vec_push(&names) = (struct named){ b->names.v[a->aliases.first + i], rank };
        }
        for (size_t i = 0; i < b->vulns.n; i++)
                if (b->vulns.v[i].cve)
                        *vec_push(&names) = (struct named){ b->vulns.v[i].cve, b->vulns.v[i].advisory };
        if (names.n > 1)
                qsort_r(names.v, names.n, sizeof(*names.v), order_of_named, b);
        for (size_t i = 0; i < names.n; i++)
                if (i == 0 || memcmp(&names.v[i], &names.v[i - 1], sizeof(*names.v)) != 0)
                        put_row(w, DB_NAMES, (uint32_t[NAME_WORDS]){ names.v[i].text, names.v[i].advisory });
        vec_done(&names);
}

static void put_scores(struct writer *w)
{
        for (size_t i = 0; i < w->b->scores.n; i++) {
                const struct build_score *s = &w->b->scores.v[i];
                uint32_t row[CVE_WORDS] = {
                        [CVE_YEAR] = s->year,       [CVE_NUMBER] = s->number,
                        [CVE_EPSS] = s->epss,       [CVE_EPSS_PERCENTILE] = s->epss_percentile,
                        [CVE_KEV_DAY] = s->kev_day, [CVE_RATING] = s->rating,
                        [CVE_CVSS] = s->cvss,       [CVE_VENDOR] = s->vendor,
                };
                put_row(w, DB_CVES, row);
        }
}

static void put_feeds(struct writer *w)
{
        for (size_t i = 0; i < w->b->feeds.n; i++) {
                const struct build_feed *f = &w->b->feeds.v[i];
                const uint64_t wide[] = { (uint64_t)f->date, (uint64_t)f->fetched, f->records, f->skipped };
                uint32_t row[FEED_WORDS] = { f->name, f->source, f->licence, f->why };
                for (size_t k = 0; k < ARRAY_SIZE(wide); k++) {
                        row[FEED_DATE + 2 * k] = (uint32_t)wide[k];
                        row[FEED_DATE + 2 * k + 1] = (uint32_t)(wide[k] >> 32);
                }
                put_row(w, DB_FEEDS, row);
        }
}

static int64_t newest_date(const struct db_builder *b)
{
        int64_t date = 0;
        for (size_t i = 0; i < b->feeds.n; i++)
                date = MAX(date, b->feeds.v[i].date);
        return date;
}

static const char padding[8];

static size_t padding_after(size_t n) { return (8 - n % 8) % 8; }

static bool digest_of(const struct buf *const *sections, uint8_t ret[static 32])
{
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
        for (unsigned s = 0; ok && s < DB_SECTIONS; s++)
                ok = EVP_DigestUpdate(ctx, sections[s]->n ? sections[s]->p : "", sections[s]->n) &&
                     EVP_DigestUpdate(ctx, padding, padding_after(sections[s]->n));
        ok = ok && EVP_DigestFinal_ex(ctx, ret, NULL);
        EVP_MD_CTX_free(ctx);
        return ok;
}

static int write_file(const struct writer *w, FILE *to, struct error *err)
{
        const struct buf *sections[DB_SECTIONS];
        _cleanup_(buf_done) struct buf header = BUF_INIT(DB_HEADER_SIZE), table = BUF_INIT(DB_HEADER_SIZE);
        uint8_t digest[32];
        uint64_t size = DB_HEADER_SIZE;
        for (unsigned s = 0; s < DB_SECTIONS; s++) {
                sections[s] = s == DB_STRINGS ? &w->b->pool.bytes : &w->sections[s];
                uint64_t rows = db_row_words[s] ? sections[s]->n / 4 / db_row_words[s] : sections[s]->n;
                if (w->b->is_too_large || buf_is_full(sections[s]) || rows >= DB_NONE)
                        return error_set(err, -EFBIG,
                                         "the advisories do not fit into one database (4 GiB of text, 2^32 rows)");
                buf_le64(&table, size);
                buf_le64(&table, rows);
                size += sections[s]->n + padding_after(sections[s]->n);
        }
        if (!digest_of(sections, digest))
                return error_set(err, -EIO, "libcrypto cannot compute SHA-256");
        buf_puts(&header, DB_MAGIC);
        buf_le32(&header, DB_VERSION);
        buf_le32(&header, DB_SECTIONS);
        buf_le64(&header, size);
        buf_le64(&header, (uint64_t)newest_date(w->b));
        buf_add(&header, digest, sizeof(digest));
        buf_add_str(&header, buf_str(&table));
        buf_le64(&header, XXH64(header.p, header.n, 0));

        bool ok = fwrite(header.p, 1, header.n, to) == header.n;
        for (unsigned s = 0; ok && s < DB_SECTIONS; s++)
                ok = fwrite(sections[s]->n ? sections[s]->p : "", 1, sections[s]->n, to) == sections[s]->n &&
                     fwrite(padding, 1, padding_after(sections[s]->n), to) == padding_after(sections[s]->n);
        if (!ok || fflush(to) != 0)
                return error_errno(err, errno ? -errno : -EIO, "cannot write the database");
        return 0;
}

int db_builder_write(struct db_builder *b, FILE *to, struct error *err)
{
        struct writer w = { .b = b };
        for (unsigned s = 0; s < DB_SECTIONS; s++)
                w.sections[s] = BUF_INIT(SIZE_MAX / 4);
        builder_arrange(b);
        put_packages(&w);
        put_advisories(&w);
        put_names(&w);
        put_scores(&w);
        put_feeds(&w);
        int r = write_file(&w, to, err);
        for (unsigned s = 0; s < DB_SECTIONS; s++)
                buf_done(&w.sections[s]);
        return r;
}
