/* An advisory by its id or any other of its names, for `explain`. Input: a database, perhaps damaged. */
#include "intel/db-private.h"
#include "intel/ecosystem.h"

#include <errno.h>

/* What a damaged database could make of one lookup by repeating itself; real ones stay far below. */
#define LOOKUP_MAX_RESULTS (1 << 20)

struct lookup {
        const struct db *db;
        struct arena *arena;
        struct str name;
        void (*found)(void *arg, const struct fact_vulnerability *v);
        void *arg;
        int n;
};

static int tell(struct lookup *l, const struct db_proof *proof, const struct db_subject *about)
{
        struct fact_vulnerability v;
        if (l->n == LOOKUP_MAX_RESULTS)
                return -EBADMSG;
        int r = db_describe(l->db, proof, about, l->arena, &v);
        if (r < 0)
                return r;
        db_describe_end(&v);
        l->found(l->arg, &v);
        l->n++;
        return 0;
}

/* A fact for each interval of the affected package, or one if there is only a list. */
static int tell_affected(struct lookup *l, uint32_t advisory, uint32_t vuln, uint32_t affected_row)
{
        uint32_t affected[AFFECTED_WORDS], package[PACKAGE_WORDS], ecosystem[ECOSYSTEM_WORDS];
        struct db_subject about = { 0 };
        if (!db_row(l->db, DB_AFFECTED, affected_row, AFFECTED_WORDS, affected) ||
            !db_row(l->db, DB_PACKAGES, affected[AFFECTED_PACKAGE], PACKAGE_WORDS, package) ||
            !db_row(l->db, DB_ECOSYSTEMS, package[PACKAGE_ECOSYSTEM], ECOSYSTEM_WORDS, ecosystem) ||
            !db_text(l->db, package[PACKAGE_NAME], &about.name) ||
            !db_text(l->db, ecosystem[ECOSYSTEM_NAME], &about.ecosystem))
                return -EBADMSG;
        struct db_proof proof = { .advisory = advisory, .vuln = vuln, .is_listed = true };
        if (affected[AFFECTED_INTERVALS_N] == 0)
                return tell(l, &proof, &about);
        for (uint32_t i = 0; i < affected[AFFECTED_INTERVALS_N]; i++) {
                if (!db_interval(l->db, (uint64_t)affected[AFFECTED_INTERVALS] + i, &proof))
                        return -EBADMSG;
                proof.advisory = advisory;
                proof.vuln = vuln;
                int r = tell(l, &proof, &about);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int tell_advisory(struct lookup *l, uint32_t row)
{
        uint32_t advisory[ADVISORY_WORDS], vuln[VULN_WORDS], affected;
        if (!db_row(l->db, DB_ADVISORIES, row, ADVISORY_WORDS, advisory))
                return -EBADMSG;
        uint32_t year, number;
        bool is_cve = cve_parse(l->name, &year, &number);
        for (uint32_t v = 0; v < advisory[ADVISORY_VULNS_N]; v++) {
                uint32_t vuln_row = advisory[ADVISORY_VULNS] + v;
                struct str cve;
                if (!db_row(l->db, DB_VULNS, vuln_row, VULN_WORDS, vuln) || !db_text(l->db, vuln[VULN_CVE], &cve))
                        return -EBADMSG;
                /* An erratum asked for by one of its CVEs tells of that one only. */
                if (is_cve && advisory[ADVISORY_VULNS_N] > 1 && !str_eq(cve, l->name))
                        continue;
                for (uint32_t i = 0; i < advisory[ADVISORY_REACHED_N]; i++) {
                        if (!db_row(l->db, DB_REACHED, (uint64_t)advisory[ADVISORY_REACHED] + i, 1, &affected))
                                return -EBADMSG;
                        int r = tell_affected(l, row, vuln_row, affected);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

/* The first row of DB_NAMES whose text is not below the name. False: damaged. */
static bool first_name(const struct lookup *l, uint64_t *ret)
{
        uint64_t low = 0, high = l->db->parts[DB_NAMES].n;
        while (low < high) {
                uint64_t mid = low + (high - low) / 2;
                uint32_t row[NAME_WORDS];
                struct str text;
                if (!db_row(l->db, DB_NAMES, mid, NAME_WORDS, row) || !db_text(l->db, row[NAME_TEXT], &text))
                        return false;
                if (str_cmp(text, l->name) < 0)
                        low = mid + 1;
                else
                        high = mid;
        }
        *ret = low;
        return true;
}

int db_lookup(const struct db *db, struct str id, struct arena *arena,
              void (*found)(void *arg, const struct fact_vulnerability *v), void *arg)
{
        struct lookup l = { .db = db, .arena = arena, .name = id, .found = found, .arg = arg };
        uint32_t row[NAME_WORDS];
        uint64_t at;
        if (!first_name(&l, &at))
                return -EBADMSG;
        for (; db_row(db, DB_NAMES, at, NAME_WORDS, row); at++) {
                struct str text;
                if (!db_text(db, row[NAME_TEXT], &text))
                        return -EBADMSG;
                if (!str_eq(text, id))
                        break;
                int r = tell_advisory(&l, row[NAME_ADVISORY]);
                if (r < 0)
                        return r;
        }
        return l.n;
}
