/*
 * Makes facts of what a lookup found. Input: rows of a database, perhaps damaged. The severity is the first of: the
 * advisory's own CVSS, the CVE's CVSS, the word of the advisory's vendor, the word that another vendor has for the CVE.
 */
#include "intel/db-private.h"

#include <errno.h>
#include <stdlib.h>

/* More names than any real vulnerability has; what a damaged database says beyond that is not shown. */
#define ALIASES_MAX 1024

bool db_interval(const struct db *db, uint64_t at, struct db_proof *ret)
{
        uint32_t row[INTERVAL_WORDS];
        if (!db_row(db, DB_INTERVALS, at, INTERVAL_WORDS, row) || row[INTERVAL_KIND] >= INTERVAL_KINDS)
                return false;
        *ret = (struct db_proof){ .kind = row[INTERVAL_KIND] };
        return db_text(db, row[INTERVAL_START], &ret->start) && db_text(db, row[INTERVAL_END], &ret->end);
}

static struct str name_of_cvss(uint32_t rating, struct arena *arena)
{
        switch (RATING_CVSS_MAJOR(rating) << 4 | RATING_CVSS_MINOR(rating)) {
        case 0x20:
                return STR("cvss-2.0");
        case 0x30:
                return STR("cvss-3.0");
        case 0x31:
                return STR("cvss-3.1");
        case 0x40:
                return STR("cvss-4.0");
        default:
                return arena_printf(arena, "cvss-%u.%u", RATING_CVSS_MAJOR(rating), RATING_CVSS_MINOR(rating));
        }
}

static void rate_by_cvss(uint32_t rating, struct str vector, struct arena *arena, struct fact_vulnerability *v)
{
        v->cvss_vector = vector;
        v->cvss_score = RATING_SCORE(rating);
        v->severity = (enum severity)MIN(RATING_CVSS_SEVERITY(rating), (uint32_t)SEVERITY_CRITICAL);
        v->severity_source = name_of_cvss(rating, arena);
}

static void rate_by_word(uint32_t rating, struct str vendor, struct fact_vulnerability *v)
{
        v->severity = (enum severity)MIN(RATING_WORD_SEVERITY(rating), (uint32_t)SEVERITY_CRITICAL);
        v->severity_source = vendor;
}

/* `score` is a row of DB_CVES, or zeros. An erratum's own CVSS is not that of each of its vulnerabilities. */
static bool rate(const struct db *db, const uint32_t *advisory, const uint32_t *score, struct arena *arena,
                 struct fact_vulnerability *v)
{
        struct str own, of_cve, vendor, vendor_of_cve;
        if (!db_text(db, advisory[ADVISORY_CVSS], &own) || !db_text(db, score[CVE_CVSS], &of_cve) ||
            !db_text(db, advisory[ADVISORY_VENDOR], &vendor) || !db_text(db, score[CVE_VENDOR], &vendor_of_cve))
                return false;
        if (own.n && advisory[ADVISORY_VULNS_N] == 1)
                rate_by_cvss(advisory[ADVISORY_RATING], own, arena, v);
        else if (of_cve.n)
                rate_by_cvss(score[CVE_RATING], of_cve, arena, v);
        else if (RATING_WORD_SEVERITY(advisory[ADVISORY_RATING]))
                rate_by_word(advisory[ADVISORY_RATING], vendor, v);
        else if (RATING_WORD_SEVERITY(score[CVE_RATING]))
                rate_by_word(score[CVE_RATING], vendor_of_cve, v);
        v->epss = score[CVE_EPSS];
        v->epss_percentile = score[CVE_EPSS_PERCENTILE];
        v->kev = (int64_t)score[CVE_KEV_DAY] * 86400;
        v->ransomware = RATING_FLAG(score[CVE_RATING]);
        return true;
}

/* The parts, one after the other. (printf would be a third of the time that matching takes.) */
static struct str join(struct arena *arena, const struct str *parts, size_t n)
{
        size_t size = 0;
        for (size_t i = 0; i < n; i++)
                size += parts[i].n;
        char *text = arena_alloc(arena, size + 1), *at = text;
        for (size_t i = 0; i < n; i++) {
                if (parts[i].n)
                        memcpy(at, parts[i].p, parts[i].n);
                at += parts[i].n;
        }
        return str_span(text, size);
}

#define JOIN(arena, ...)                                                                                               \
        join(arena, (const struct str[]){ __VA_ARGS__ },                                                               \
             sizeof((const struct str[]){ __VA_ARGS__ }) / sizeof(struct str))

static void describe_proof(const struct db_proof *p, const struct db_subject *about, struct arena *arena,
                           struct fact_vulnerability *v)
{
        struct str version = about->version;
        v->installed = version;
        if (p->is_listed) {
                if (version.n)
                        v->comparison = JOIN(arena, version, STR(" is in the advisory's list of affected versions"));
                return;
        }
        v->introduced = p->start.n ? p->start : STR("0");
        if (p->kind == INTERVAL_FIXED)
                v->fixed = p->end;
        else if (p->kind == INTERVAL_LAST_AFFECTED)
                v->last_affected = p->end;
        if (!version.n)
                return;
        struct str sign = p->kind == INTERVAL_LAST_AFFECTED ? STR(" <= ") : STR(" < ");
        if (p->kind == INTERVAL_OPEN && !p->start.n)
                v->comparison = JOIN(arena, STR("every version is affected, "), version, STR(" too"));
        else if (p->kind == INTERVAL_OPEN)
                v->comparison = JOIN(arena, p->start, STR(" <= "), version);
        else if (!p->start.n)
                v->comparison = JOIN(arena, version, sign, p->end);
        else
                v->comparison = JOIN(arena, p->start, STR(" <= "), version, sign, p->end);
}

static void add_alias(struct arena *arena, struct str name, struct fact_vulnerability *v)
{
        if (!name.n || str_eq(name, v->id) || str_eq(name, v->cve) || v->aliases.n == ALIASES_MAX)
                return;
        /* Grown in powers of two, whose sizes the count alone tells. */
        if ((v->aliases.n & (v->aliases.n - 1)) == 0) {
                struct str *larger = arena_array(arena, v->aliases.n ? v->aliases.n * 2 : 1, sizeof(*larger));
                if (v->aliases.n)
                        memcpy(larger, v->aliases.v, v->aliases.n * sizeof(*larger));
                v->aliases.v = larger;
        }
        v->aliases.v[v->aliases.n++] = name;
}

static bool add_aliases(const struct db *db, const uint32_t *advisory, struct arena *arena,
                        struct fact_vulnerability *v)
{
        struct str name;
        for (uint32_t i = 0; i < MIN(advisory[ADVISORY_ALIASES_N], (uint32_t)ALIASES_MAX); i++) {
                if (!db_list_text(db, (uint64_t)advisory[ADVISORY_ALIASES] + i, &name))
                        return false;
                add_alias(arena, name, v);
        }
        return true;
}

int db_describe(const struct db *db, const struct db_proof *proof, const struct db_subject *about, struct arena *arena,
                struct fact_vulnerability *ret)
{
        uint32_t advisory[ADVISORY_WORDS], vuln[VULN_WORDS], score[CVE_WORDS] = { 0 }, feed[FEED_WORDS];
        struct fact_vulnerability v = { .ecosystem = about->ecosystem, .matched_name = about->name };
        if (!db_row(db, DB_ADVISORIES, proof->advisory, ADVISORY_WORDS, advisory) ||
            !db_row(db, DB_VULNS, proof->vuln, VULN_WORDS, vuln) ||
            (vuln[VULN_SCORE] != DB_NONE && !db_row(db, DB_CVES, vuln[VULN_SCORE], CVE_WORDS, score)) ||
            !db_row(db, DB_FEEDS, advisory[ADVISORY_FEED], FEED_WORDS, feed) ||
            !db_text(db, advisory[ADVISORY_ID], &v.id) || !db_text(db, vuln[VULN_CVE], &v.cve) ||
            !db_text(db, advisory[ADVISORY_SUMMARY], &v.summary) || !db_text(db, feed[FEED_NAME], &v.feed))
                return -EBADMSG;
        if (!v.cve.n)
                v.cve = v.id;
        v.malicious = RATING_FLAG(advisory[ADVISORY_RATING]);
        v.published = (int64_t)db_wide(&advisory[ADVISORY_PUBLISHED]);
        if (!rate(db, advisory, score, arena, &v) || !add_aliases(db, advisory, arena, &v))
                return -EBADMSG;
        describe_proof(proof, about, arena, &v);
        *ret = v;
        return 0;
}

int db_describe_also(const struct db *db, uint32_t advisory_row, struct arena *arena, struct fact_vulnerability *v)
{
        uint32_t advisory[ADVISORY_WORDS], nothing[CVE_WORDS] = { 0 };
        struct fact_vulnerability other = { 0 };
        struct str id;
        if (!db_row(db, DB_ADVISORIES, advisory_row, ADVISORY_WORDS, advisory) ||
            !db_text(db, advisory[ADVISORY_ID], &id) || !add_aliases(db, advisory, arena, v) ||
            !rate(db, advisory, nothing, arena, &other) || !db_text(db, advisory[ADVISORY_SUMMARY], &other.summary))
                return -EBADMSG;
        add_alias(arena, id, v);
        bool is_better = other.cvss_vector.n ? !v->cvss_vector.n : !v->severity;
        if (is_better && other.severity) {
                v->severity = other.severity;
                v->severity_source = other.severity_source;
                v->cvss_vector = other.cvss_vector;
                v->cvss_score = other.cvss_score;
        }
        if (!v->summary.n)
                v->summary = other.summary;
        v->malicious |= RATING_FLAG(advisory[ADVISORY_RATING]);
        return 0;
}

static int order_of_names(const void *a, const void *b)
{
        return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

void db_describe_end(struct fact_vulnerability *v)
{
        size_t kept = 0;
        if (v->aliases.n > 1)
                qsort(v->aliases.v, v->aliases.n, sizeof(*v->aliases.v), order_of_names);
        for (size_t i = 0; i < v->aliases.n; i++)
                if (kept == 0 || !str_eq(v->aliases.v[i], v->aliases.v[kept - 1]))
                        v->aliases.v[kept++] = v->aliases.v[i];
        v->aliases.n = kept;
}
