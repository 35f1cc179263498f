/*
 * Collects what importers found. Input: facts from a worker that read hostile bytes, so nothing about them is certain
 * but their types. Invariant: every index stored is valid when it is stored.
 */
#include "base/date.h"
#include "intel/cvss.h"
#include "intel/db-build-private.h"
#include "intel/ecosystem.h"

#include <stdlib.h>

/* Longer ones occur in no feed; they would only make comparing slow. */
#define VERSION_MAX_BYTES 512
#define NAME_MAX_BYTES    1024
#define SUMMARY_MAX_BYTES 200
/* Indices are 32-bit words in the file. */
#define ROWS_MAX (UINT32_MAX - 1)

static uint32_t intern(struct db_builder *b, struct str s)
{
        uint32_t at = strpool_add(&b->pool, s.n <= NAME_MAX_BYTES ? s : str_upto(s, NAME_MAX_BYTES));
        b->is_too_large |= buf_is_full(&b->pool.bytes);
        return at;
}

/* Whether one more row fits; once one does not, the database is too large for the format. */
static bool has_room(struct db_builder *b, size_t n)
{
        b->is_too_large |= n >= ROWS_MAX;
        return !b->is_too_large;
}

/* One line, cut at a character's start; the rest of UTF-8 is left as it is. */
static uint32_t intern_summary(struct db_builder *b, struct str s)
{
        char line[SUMMARY_MAX_BYTES];
        s = str_trim(s);
        if (!b->keep_summaries || !s.n)
                return 0;
        size_t n = MIN(s.n, sizeof(line));
        while (n < s.n && n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
                n--;
        for (size_t i = 0; i < n; i++)
                line[i] = (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f ? ' ' : s.p[i];
        return intern(b, str_trim(str_span(line, n)));
}

static uint32_t rating_of(const struct cvss *cvss, enum severity word, bool flag)
{
        return (cvss->score & 0xff) | (uint32_t)cvss->severity << 8 | (uint32_t)word << 12 | (cvss->major & 0xf) << 16 |
               (cvss->minor & 0xf) << 20 | (uint32_t)flag << 24;
}

/* CVSS 3 before 4 before 2: nearly every feed has 3, so its scores compare across feeds. False if none is well-formed.
 */
static bool choose_cvss(struct str_list vectors, struct str *ret_vector, struct cvss *ret)
{
        static const unsigned preference[] = { 3, 4, 2 };
        for (size_t p = 0; p < ARRAY_SIZE(preference); p++)
                for (size_t i = 0; i < vectors.n; i++) {
                        struct cvss c;
                        if (cvss_parse(vectors.v[i], &c) && c.major == preference[p]) {
                                *ret_vector = vectors.v[i];
                                *ret = c;
                                return true;
                        }
                }
        return false;
}

static struct build_slice add_names(struct db_builder *b, struct str_list names)
{
        struct build_slice slice = { (uint32_t)b->names.n, 0 };
        for (size_t i = 0; i < names.n && has_room(b, b->names.n); i++)
                if (names.v[i].n && names.v[i].n <= NAME_MAX_BYTES) {
                        *vec_push(&b->names) = intern(b, names.v[i]);
                        slice.n++;
                }
        return slice;
}

static void take_advisory(struct db_builder *b, const struct fact_advisory *a)
{
        bool is_new;
        b->current = DB_NONE;
        if (!a->id.n || a->id.n > NAME_MAX_BYTES || !b->feeds.n || !has_room(b, b->advisories.n))
                return;
        uint32_t id = intern(b, a->id), feed = (uint32_t)b->feeds.n - 1;
        uint64_t *known = map64_put(&b->advisory_by_id, (uint64_t)feed << 32 | id, &is_new);
        if (is_new) {
                *known = b->advisories.n;
                *vec_push(&b->advisories) = (struct build_advisory){ .id = id, .feed = feed };
        }
        struct build_advisory *to = &b->advisories.v[*known];
        if (!is_new && a->modified < to->modified)
                return;
        b->current = (uint32_t)*known;
        if (!is_new && a->modified == to->modified && !a->aliases.n && !a->upstream.n)
                return; /* a further row of a table that repeats the id for each package */
        if (!is_new && a->modified > to->modified)
                to->edition++;
        struct str vector = STR_NONE;
        struct cvss cvss = { 0 };
        (void)choose_cvss(a->cvss, &vector, &cvss);
        to->cvss = intern(b, vector);
        to->rating = rating_of(&cvss, a->severity, a->malicious);
        to->vendor = a->severity ? intern(b, a->vendor) : 0;
        to->summary = intern_summary(b, a->summary);
        to->published = a->published;
        to->modified = a->modified;
        to->aliases = add_names(b, a->aliases);
        to->upstream = add_names(b, a->upstream);
}

static uint32_t ecosystem_index(struct db_builder *b, struct str name)
{
        bool is_new;
        struct arena arena = ARENA_INIT;
        char *lower = arena_cstr(&arena, name);
        for (char *c = lower; *c; c++)
                *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
        uint64_t *known = map64_put(&b->ecosystem_by_name, hash_str(str_of(lower)), &is_new);
        arena_done(&arena);
        if (is_new) {
                *known = b->ecosystems.n;
                *vec_push(&b->ecosystems) = (struct build_ecosystem){ intern(b, name), version_scheme_find(name) };
        }
        return (uint32_t)*known;
}

static void put_interval(void *arg, struct str start, struct str end, enum db_interval_kind kind)
{
        struct db_builder *b = arg;
        /* fixed "0" is how feeds write "never affected". */
        if ((kind == INTERVAL_FIXED && str_is(end, "0")) || !has_room(b, b->intervals.n))
                return;
        *vec_push(&b->intervals) = (struct build_interval){ intern(b, start), intern(b, end), kind };
}

static bool are_sane(struct str_list texts)
{
        for (size_t i = 0; i < texts.n; i++)
                if (texts.v[i].n > VERSION_MAX_BYTES)
                        return false;
        return true;
}

static void take_affected(struct db_builder *b, const struct fact_affected *a)
{
        if (b->current == DB_NONE || !a->ecosystem.n || !a->name.n || a->ecosystem.n > NAME_MAX_BYTES ||
            a->name.n > NAME_MAX_BYTES || !are_sane(a->events) || !are_sane(a->versions) || !has_room(b, b->affected.n))
                return;
        struct build_affected row = { .advisory = b->current, .edition = b->advisories.v[b->current].edition };
        row.ecosystem = ecosystem_index(b, a->ecosystem);
        row.name = intern(b, ecosystem_normalise_name(a->ecosystem, a->name, &b->scratch));
        arena_done(&b->scratch);
        row.intervals.first = (uint32_t)b->intervals.n;
        row.versions.first = (uint32_t)b->versions.n;
        const struct version_scheme *scheme = b->ecosystems.v[row.ecosystem].scheme;
        if (scheme)
                intervals_of_events(scheme, a->events, put_interval, b);
        for (size_t i = 0; i < a->versions.n && has_room(b, b->versions.n); i++)
                *vec_push(&b->versions) = intern(b, a->versions.v[i]);
        row.intervals.n = (uint32_t)b->intervals.n - row.intervals.first;
        row.versions.n = (uint32_t)b->versions.n - row.versions.first;
        if (row.intervals.n || row.versions.n)
                *vec_push(&b->affected) = row;
}

struct build_score *builder_score(struct db_builder *b, struct str cve)
{
        uint32_t year, number;
        bool is_new;
        if (!cve_parse(cve, &year, &number) || !has_room(b, b->scores.n))
                return NULL;
        uint64_t *known = map64_put(&b->score_by_cve, (uint64_t)year << 32 | number, &is_new);
        if (is_new) {
                *known = b->scores.n;
                *vec_push(&b->scores) = (struct build_score){ .year = year, .number = number };
        }
        return &b->scores.v[*known];
}

/* A feed that says something overrides an earlier one; one that says nothing leaves it. */
static void take_score(struct db_builder *b, const struct fact_score *s)
{
        struct build_score *to = builder_score(b, s->cve);
        struct cvss cvss;
        if (!to)
                return;
        if (s->epss || s->epss_percentile) {
                to->epss = (uint32_t)MIN(s->epss, 100000u);
                to->epss_percentile = (uint32_t)MIN(s->epss_percentile, 100000u);
        }
        if (s->kev > 0) {
                to->kev_day = (uint32_t)MIN((uint64_t)s->kev / 86400, (uint64_t)UINT32_MAX);
                to->rating = (to->rating & ~(1u << 24)) | (uint32_t)s->ransomware << 24;
        }
        if (s->cvss.n && cvss_parse(s->cvss, &cvss)) {
                to->cvss = intern(b, s->cvss);
                to->rating = rating_of(&cvss, RATING_WORD_SEVERITY(to->rating), RATING_FLAG(to->rating));
        }
        if (s->severity) {
                to->vendor = intern(b, s->vendor);
                to->rating = (to->rating & ~(0xfu << 12)) | (uint32_t)s->severity << 12;
        }
}

static void take_feed(struct db_builder *b, const struct fact_feed *f)
{
        if (!b->feeds.n)
                return;
        struct build_feed *to = &b->feeds.v[b->feeds.n - 1];
        if (f->source.n)
                to->source = intern(b, f->source);
        to->licence = intern(b, f->licence);
        to->why = intern(b, f->skipped_why);
        to->date = MAX(f->date, to->date);
        if (to->fetched)
                to->date = MIN(to->date, to->fetched); /* it cannot be newer than the day it was fetched */
        to->records = f->records;
        to->skipped = f->skipped;
}

static void put(struct sink *s, enum fact_kind kind, const void *fact)
{
        struct db_builder *b = (struct db_builder *)s; /* its first member */
        if (kind == FACT_advisory)
                take_advisory(b, fact);
        else if (kind == FACT_affected)
                take_affected(b, fact);
        else if (kind == FACT_score)
                take_score(b, fact);
        else if (kind == FACT_feed)
                take_feed(b, fact);
}

struct db_builder *db_builder_new(bool keep_summaries)
{
        struct db_builder *b = xcalloc(1, sizeof(*b));
        b->sink.put = put;
        b->keep_summaries = keep_summaries;
        b->current = DB_NONE;
        strpool_init(&b->pool);
        return b;
}

void db_builder_free(struct db_builder *b)
{
        if (!b)
                return;
        strpool_done(&b->pool);
        arena_done(&b->scratch);
        vec_done(&b->feeds);
        vec_done(&b->ecosystems);
        vec_done(&b->advisories);
        vec_done(&b->affected);
        vec_done(&b->intervals);
        vec_done(&b->scores);
        vec_done(&b->names);
        vec_done(&b->versions);
        vec_done(&b->advisory_order);
        vec_done(&b->ecosystem_order);
        vec_done(&b->affected_order);
        vec_done(&b->vulns);
        map64_done(&b->ecosystem_by_name);
        map64_done(&b->advisory_by_id);
        map64_done(&b->score_by_cve);
        free(b);
}

void db_builder_freep(struct db_builder **b)
{
        db_builder_free(*b);
        *b = NULL;
}

void db_builder_feed(struct db_builder *b, const struct db_feed *feed)
{
        struct build_feed *to = vec_push(&b->feeds);
        to->name = intern(b, feed->name);
        to->source = intern(b, feed->source);
        to->fetched = feed->fetched;
        to->date = feed->date;
        b->current = DB_NONE;
}

void db_builder_drop_feed(struct db_builder *b)
{
        if (b->feeds.n)
                b->feeds.n--;
        b->current = DB_NONE;
}

struct sink *db_builder_sink(struct db_builder *b) { return &b->sink; }
