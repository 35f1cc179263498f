/*
 * Which advisories affect a package. Input: a database (perhaps damaged) and a query. Evaluation follows the OSV
 * schema, "Evaluation"; the writer has already made disjoint intervals of each range's events, so that here a version
 * is affected if it lies in one of them or is listed.
 *
 * Advisories that are aliases of each other become one result: the writer gave them the same group.
 */
#include "base/budget.h"
#include "base/vec.h"
#include "intel/db-private.h"
#include "intel/ecosystem.h"
#include "intel/version.h"

#include <errno.h>

/* One vulnerability of one advisory that affects the package. */
struct hit {
        struct db_proof proof;
        uint32_t group;
        unsigned facts; /* how much its advisory tells */
        struct str id;
};
VEC_TYPE(hit_vec, struct hit);

struct matching {
        const struct db *db;
        const struct version_scheme *scheme; /* NULL: versions are only equal or not */
        struct str version;
        struct budget budget;
        struct hit_vec hits;
};

static int damaged(void) { return -EBADMSG; }

static int compare_versions(const struct version_scheme *scheme, struct str a, struct str b)
{
        return scheme ? scheme->compare(a, b) : str_cmp(a, b);
}

static bool find_ecosystem(const struct db *db, struct str name, uint32_t row[static ECOSYSTEM_WORDS])
{
        uint64_t low = 0, high = db->parts[DB_ECOSYSTEMS].n;
        while (low < high) {
                uint64_t mid = low + (high - low) / 2;
                struct str text;
                if (!db_row(db, DB_ECOSYSTEMS, mid, ECOSYSTEM_WORDS, row) || !db_text(db, row[ECOSYSTEM_NAME], &text))
                        return false;
                int order = ecosystem_order(text, name);
                if (order == 0)
                        return true;
                if (order < 0)
                        low = mid + 1;
                else
                        high = mid;
        }
        return false;
}

bool db_knows_ecosystem(const struct db *db, struct str ecosystem)
{
        uint32_t row[ECOSYSTEM_WORDS];
        return (find_ecosystem(db, ecosystem, row) || find_ecosystem(db, ecosystem_base(ecosystem), row)) &&
               row[ECOSYSTEM_PACKAGES_N] > 0;
}

static bool is_exploited(const struct db *db, uint32_t advisory_row)
{
        uint32_t advisory[ADVISORY_WORDS], vuln[VULN_WORDS], cve[CVE_WORDS];
        if (!db_row(db, DB_ADVISORIES, advisory_row, ADVISORY_WORDS, advisory))
                return false;
        for (uint32_t i = 0; i < advisory[ADVISORY_VULNS_N]; i++)
                if (db_row(db, DB_VULNS, (uint64_t)advisory[ADVISORY_VULNS] + i, VULN_WORDS, vuln) &&
                    db_row(db, DB_CVES, vuln[VULN_SCORE], CVE_WORDS, cve) && cve[CVE_KEV_DAY])
                        return true;
        return false;
}

/* Ends at the first advisory about something else, so it is only long where the answer is yes. */
static bool has_only_exploited(const struct db *db, const uint32_t *ecosystem)
{
        uint32_t package[PACKAGE_WORDS], affected[AFFECTED_WORDS];
        for (uint32_t i = 0; i < ecosystem[ECOSYSTEM_PACKAGES_N]; i++) {
                if (!db_row(db, DB_PACKAGES, (uint64_t)ecosystem[ECOSYSTEM_PACKAGES] + i, PACKAGE_WORDS, package))
                        return false;
                for (uint32_t k = 0; k < package[PACKAGE_AFFECTED_N]; k++)
                        if (!db_row(db, DB_AFFECTED, (uint64_t)package[PACKAGE_AFFECTED] + k, AFFECTED_WORDS,
                                    affected) ||
                            !is_exploited(db, affected[AFFECTED_ADVISORY]))
                                return false;
        }
        return true;
}

bool db_knows_only_exploited(const struct db *db, struct str ecosystem)
{
        uint32_t row[ECOSYSTEM_WORDS];
        struct str base = ecosystem_base(ecosystem);
        return db_knows_ecosystem(db, ecosystem) &&
               (!find_ecosystem(db, ecosystem, row) || has_only_exploited(db, row)) &&
               (!find_ecosystem(db, base, row) || has_only_exploited(db, row));
}

/* 1: found; 0: not there; < 0: damaged. */
static int find_package(const struct db *db, const uint32_t *ecosystem, struct str name,
                        uint32_t row[static PACKAGE_WORDS])
{
        uint64_t low = ecosystem[ECOSYSTEM_PACKAGES], high = low + ecosystem[ECOSYSTEM_PACKAGES_N];
        while (low < high) {
                uint64_t mid = low + (high - low) / 2;
                struct str text;
                if (!db_row(db, DB_PACKAGES, mid, PACKAGE_WORDS, row) || !db_text(db, row[PACKAGE_NAME], &text))
                        return damaged();
                int order = str_cmp(text, name);
                if (order == 0)
                        return 1;
                if (order < 0)
                        low = mid + 1;
                else
                        high = mid;
        }
        return 0;
}

/* 1: listed; 0: not; < 0: damaged. */
static int is_listed(const struct matching *m, const uint32_t *affected)
{
        uint64_t low = affected[AFFECTED_VERSIONS], high = low + affected[AFFECTED_VERSIONS_N];
        while (low < high) {
                uint64_t mid = low + (high - low) / 2;
                struct str text;
                if (!db_list_text(m->db, mid, &text))
                        return damaged();
                int order = compare_versions(m->scheme, text, m->version);
                if (order == 0)
                        return 1;
                if (order < 0)
                        low = mid + 1;
                else
                        high = mid;
        }
        return 0;
}

/* "20" of "1:20.19.2-1.module_el9": epoch left out. */
static struct str major_of(struct str version)
{
        struct str rest = str_from(version, (size_t)(str_find_char(version, ':') + 1));
        return str_cut(&rest, '.');
}

/*
 * Red Hat's modules keep several lines of a package beside each other, and their errata do not name the line. A version
 * out of a module and one that is none cannot be compared, nor two of different major versions.
 */
static bool is_other_module(struct str installed, struct str end)
{
        bool a = str_find(installed, STR(".module")) >= 0, b = str_find(end, STR(".module")) >= 0;
        return a != b || (a && !str_eq(major_of(installed), major_of(end)));
}

static bool is_inside(const struct matching *m, const struct db_proof *p)
{
        if (p->start.n && compare_versions(m->scheme, m->version, p->start) < 0)
                return false;
        if (p->kind == INTERVAL_OPEN)
                return true;
        int order = compare_versions(m->scheme, m->version, p->end);
        if (p->kind == INTERVAL_LAST_AFFECTED ? order > 0 : order >= 0)
                return false;
        return !is_other_module(m->version, p->end);
}

/* A fix beats its absence, a later fix an earlier one: an update to the version named must end all that was found. */
static int order_of_proofs(const struct version_scheme *scheme, const struct db_proof *a, const struct db_proof *b)
{
        bool a_fixed = !a->is_listed && a->kind == INTERVAL_FIXED, b_fixed = !b->is_listed && b->kind == INTERVAL_FIXED;
        if (a_fixed != b_fixed)
                return a_fixed ? -1 : 1;
        if (a_fixed) {
                int order = compare_versions(scheme, b->end, a->end);
                if (order)
                        return order;
        }
        return a->is_listed - b->is_listed;
}

/* 1: the package's version is affected, ret says by what; 0: it is not; < 0: damaged. */
static int evaluate(struct matching *m, const uint32_t *affected, struct db_proof *ret)
{
        int listed = is_listed(m, affected);
        if (listed < 0)
                return listed;
        bool found = listed;
        *ret = (struct db_proof){ .is_listed = listed };
        if (!m->scheme)
                return found;
        if (!budget_items(&m->budget, affected[AFFECTED_INTERVALS_N]))
                return damaged();
        for (uint32_t i = 0; i < affected[AFFECTED_INTERVALS_N]; i++) {
                struct db_proof p;
                if (!db_interval(m->db, (uint64_t)affected[AFFECTED_INTERVALS] + i, &p))
                        return damaged();
                if (!is_inside(m, &p) || (found && order_of_proofs(m->scheme, &p, ret) >= 0))
                        continue;
                *ret = p;
                found = true;
        }
        return found;
}

/* Adds a hit for each vulnerability that the advisory is about. */
static int add_hits(struct matching *m, uint32_t advisory_row, const struct db_proof *proof)
{
        uint32_t advisory[ADVISORY_WORDS], vuln[VULN_WORDS];
        struct hit h = { .proof = *proof };
        if (!db_row(m->db, DB_ADVISORIES, advisory_row, ADVISORY_WORDS, advisory) ||
            !db_text(m->db, advisory[ADVISORY_ID], &h.id) || !budget_items(&m->budget, advisory[ADVISORY_VULNS_N]))
                return damaged();
        h.proof.advisory = advisory_row;
        h.facts = (advisory[ADVISORY_CVSS] != 0) * 4 + (advisory[ADVISORY_SUMMARY] != 0) * 2 +
                  (advisory[ADVISORY_VENDOR] != 0);
        for (uint32_t i = 0; i < advisory[ADVISORY_VULNS_N]; i++) {
                h.proof.vuln = advisory[ADVISORY_VULNS] + i;
                if (!db_row(m->db, DB_VULNS, h.proof.vuln, VULN_WORDS, vuln))
                        return damaged();
                h.group = vuln[VULN_GROUP];
                *vec_push(&m->hits) = h;
        }
        return 0;
}

static int match_package(struct matching *m, const uint32_t *package)
{
        uint32_t affected[AFFECTED_WORDS];
        if (!budget_items(&m->budget, package[PACKAGE_AFFECTED_N]))
                return damaged();
        for (uint32_t i = 0; i < package[PACKAGE_AFFECTED_N]; i++) {
                struct db_proof proof;
                if (!db_row(m->db, DB_AFFECTED, (uint64_t)package[PACKAGE_AFFECTED] + i, AFFECTED_WORDS, affected))
                        return damaged();
                int r = evaluate(m, affected, &proof);
                if (r > 0)
                        r = add_hits(m, affected[AFFECTED_ADVISORY], &proof);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* By group; in it the hit to be shown comes first. A total order, so that the result does not depend on the sort. */
static int order_of_hits(const void *pa, const void *pb, void *arg)
{
        const struct matching *m = arg;
        const struct hit *a = pa, *b = pb;
        if (a->group != b->group)
                return a->group < b->group ? -1 : 1;
        int order = order_of_proofs(m->scheme, &a->proof, &b->proof);
        if (order)
                return order;
        if (a->facts != b->facts)
                return a->facts > b->facts ? -1 : 1;
        order = str_cmp(a->id, b->id);
        if (order)
                return order;
        return (a->proof.vuln > b->proof.vuln) - (a->proof.vuln < b->proof.vuln);
}

static int order_of_results(const void *pa, const void *pb)
{
        const struct fact_vulnerability *a = *(const struct fact_vulnerability *const *)pa;
        const struct fact_vulnerability *b = *(const struct fact_vulnerability *const *)pb;
        int order = str_cmp(a->id, b->id);
        return order ? order : str_cmp(a->cve, b->cve);
}

int db_match(const struct db *db, const struct db_query *q, struct arena *arena,
             void (*found)(void *arg, const struct fact_vulnerability *v), void *arg)
{
        struct matching m = { .db = db, .scheme = version_scheme_find(q->ecosystem), .version = q->version };
        struct str name = ecosystem_normalise_name(q->ecosystem, q->name, arena);
        struct str places[] = { q->ecosystem, ecosystem_base(q->ecosystem) };
        int r = 0;
        /* Rows of one package belong to it alone, so more than all of them is a database that repeats itself. */
        m.budget.items = 2 * (db->parts[DB_AFFECTED].n + db->parts[DB_INTERVALS].n + db->parts[DB_VULNS].n);
        for (size_t i = 0; r >= 0 && i < (places[0].n == places[1].n ? 1 : 2); i++) {
                uint32_t ecosystem[ECOSYSTEM_WORDS], package[PACKAGE_WORDS];
                if (!find_ecosystem(db, places[i], ecosystem))
                        continue;
                r = find_package(db, ecosystem, name, package);
                if (r > 0)
                        r = match_package(&m, package);
        }
        if (m.hits.n > 1)
                qsort_r(m.hits.v, m.hits.n, sizeof(*m.hits.v), order_of_hits, &m);

        VEC(struct fact_vulnerability *) results = { 0 };
        for (size_t i = 0, next; r >= 0 && i < m.hits.n; i = next) {
                struct db_subject subject = { q->ecosystem, name, q->version };
                struct fact_vulnerability *v = *vec_push(&results) = arena_new(arena, struct fact_vulnerability);
                r = db_describe(db, &m.hits.v[i].proof, &subject, arena, v);
                for (next = i + 1; r >= 0 && next < m.hits.n && m.hits.v[next].group == m.hits.v[i].group; next++)
                        r = db_describe_also(db, m.hits.v[next].proof.advisory, arena, v);
                if (r >= 0)
                        db_describe_end(v);
        }
        if (results.n > 1)
                qsort(results.v, results.n, sizeof(*results.v), order_of_results);
        for (size_t i = 0; r >= 0 && i < results.n; i++)
                found(arg, results.v[i]);
        if (r >= 0)
                r = (int)results.n;
        vec_done(&results);
        vec_done(&m.hits);
        return r;
}
