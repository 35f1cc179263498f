/*
 * Checks a whole database: the checksum of its contents, that every offset leads to where it should, and every order
 * that lookups rely on. Slow; for `db status --verify` and before an update replaces what is there.
 */
#include "intel/db-private.h"
#include "intel/version.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

static bool digest_is_right(const struct db *db)
{
        uint8_t digest[32];
        char text[65];
        if (!EVP_Digest(db->bytes + DB_HEADER_SIZE, db->size - DB_HEADER_SIZE, digest, NULL, EVP_sha256(), NULL))
                return false;
        for (size_t i = 0; i < sizeof(digest); i++)
                snprintf(text + 2 * i, 3, "%02x", digest[i]);
        return strcmp(text, db->digest + 7) == 0;
}

/* Which words of a row are texts, and which are a slice (first, number) of a section. */
struct row_rule {
        enum db_section section;
        uint32_t texts; /* bit per word */
        struct {
                unsigned first, into;
        } slices[3];
        unsigned n_slices;
        struct {
                unsigned word, into;
                bool may_be_none;
        } rows[2];
        unsigned n_rows;
};

#define BIT(word) (1u << (word))

static const struct row_rule rules[] = {
        { DB_ECOSYSTEMS, BIT(ECOSYSTEM_NAME), { { ECOSYSTEM_PACKAGES, DB_PACKAGES } }, 1, { { 0 } }, 0 },
        { DB_PACKAGES,
          BIT(PACKAGE_NAME),
          { { PACKAGE_AFFECTED, DB_AFFECTED } },
          1,
          { { PACKAGE_ECOSYSTEM, DB_ECOSYSTEMS, false } },
          1 },
        { DB_AFFECTED,
          0,
          { { AFFECTED_INTERVALS, DB_INTERVALS }, { AFFECTED_VERSIONS, DB_LISTS } },
          2,
          { { AFFECTED_PACKAGE, DB_PACKAGES, false }, { AFFECTED_ADVISORY, DB_ADVISORIES, false } },
          2 },
        { DB_INTERVALS, BIT(INTERVAL_START) | BIT(INTERVAL_END), { { 0 } }, 0, { { 0 } }, 0 },
        { DB_LISTS, BIT(0), { { 0 } }, 0, { { 0 } }, 0 },
        { DB_ADVISORIES,
          BIT(ADVISORY_ID) | BIT(ADVISORY_CVSS) | BIT(ADVISORY_VENDOR) | BIT(ADVISORY_SUMMARY),
          { { ADVISORY_VULNS, DB_VULNS }, { ADVISORY_ALIASES, DB_LISTS }, { ADVISORY_REACHED, DB_REACHED } },
          3,
          { { ADVISORY_FEED, DB_FEEDS, false } },
          1 },
        { DB_VULNS,
          BIT(VULN_CVE),
          { { 0 } },
          0,
          { { VULN_ADVISORY, DB_ADVISORIES, false }, { VULN_SCORE, DB_CVES, true } },
          2 },
        { DB_CVES, BIT(CVE_CVSS) | BIT(CVE_VENDOR), { { 0 } }, 0, { { 0 } }, 0 },
        { DB_NAMES, BIT(NAME_TEXT), { { 0 } }, 0, { { NAME_ADVISORY, DB_ADVISORIES, false } }, 1 },
        { DB_REACHED, 0, { { 0 } }, 0, { { 0, DB_AFFECTED, false } }, 1 },
        { DB_FEEDS, BIT(FEED_NAME) | BIT(FEED_SOURCE) | BIT(FEED_LICENCE) | BIT(FEED_WHY), { { 0 } }, 0, { { 0 } }, 0 },
};

static bool row_is_right(const struct db *db, const struct row_rule *rule, const uint32_t *row)
{
        struct str text;
        for (unsigned w = 0; w < db_row_words[rule->section]; w++)
                if (rule->texts & BIT(w) && !db_text(db, row[w], &text))
                        return false;
        for (unsigned i = 0; i < rule->n_slices; i++)
                if (!db_has(db, rule->slices[i].into, row[rule->slices[i].first], row[rule->slices[i].first + 1]))
                        return false;
        for (unsigned i = 0; i < rule->n_rows; i++) {
                uint32_t to = row[rule->rows[i].word];
                if (to >= db->parts[rule->rows[i].into].n && !(rule->rows[i].may_be_none && to == DB_NONE))
                        return false;
        }
        return rule->section != DB_INTERVALS || row[INTERVAL_KIND] < INTERVAL_KINDS;
}

static int check_rows(const struct db *db, struct error *err)
{
        for (size_t r = 0; r < ARRAY_SIZE(rules); r++)
                for (uint64_t i = 0; i < db->parts[rules[r].section].n; i++) {
                        uint32_t row[FEED_WORDS + ADVISORY_WORDS];
                        if (!db_row(db, rules[r].section, i, db_row_words[rules[r].section], row) ||
                            !row_is_right(db, &rules[r], row))
                                return error_set(err, -EBADMSG,
                                                 "damaged: row %llu of section %u leads outside the file",
                                                 (unsigned long long)i, rules[r].section);
                }
        return 0;
}

/* Strictly rising by bytes in (section, word) from row `first` on; ecosystems without case. */
static bool is_rising(const struct db *db, enum db_section s, unsigned word, uint64_t first, uint64_t n,
                      bool may_repeat)
{
        struct str before = STR_NONE, text;
        for (uint64_t i = 0; i < n; i++, before = text) {
                uint32_t row[FEED_WORDS + ADVISORY_WORDS];
                if (!db_row(db, s, first + i, db_row_words[s], row) || !db_text(db, row[word], &text))
                        return false;
                int order = i == 0 ? -1 : s == DB_ECOSYSTEMS ? ecosystem_order(before, text) : str_cmp(before, text);
                if (order > 0 || (order == 0 && !may_repeat))
                        return false;
        }
        return true;
}

static bool are_versions_rising(const struct db *db, const struct version_scheme *scheme, const uint32_t *affected)
{
        struct str before = STR_NONE, text;
        for (uint32_t i = 0; i < affected[AFFECTED_VERSIONS_N]; i++, before = text)
                if (!db_list_text(db, (uint64_t)affected[AFFECTED_VERSIONS] + i, &text) ||
                    (i && (scheme ? scheme->compare(before, text) : str_cmp(before, text)) > 0))
                        return false;
        return true;
}

static bool are_packages_in_order(const struct db *db, const uint32_t *ecosystem)
{
        struct str name;
        if (!db_text(db, ecosystem[ECOSYSTEM_NAME], &name) ||
            !is_rising(db, DB_PACKAGES, PACKAGE_NAME, ecosystem[ECOSYSTEM_PACKAGES], ecosystem[ECOSYSTEM_PACKAGES_N],
                       false))
                return false;
        const struct version_scheme *scheme = version_scheme_find(name);
        for (uint32_t i = 0; i < ecosystem[ECOSYSTEM_PACKAGES_N]; i++) {
                uint32_t package[PACKAGE_WORDS], affected[AFFECTED_WORDS];
                if (!db_row(db, DB_PACKAGES, (uint64_t)ecosystem[ECOSYSTEM_PACKAGES] + i, PACKAGE_WORDS, package))
                        return false;
                for (uint32_t k = 0; k < package[PACKAGE_AFFECTED_N]; k++)
                        if (!db_row(db, DB_AFFECTED, (uint64_t)package[PACKAGE_AFFECTED] + k, AFFECTED_WORDS,
                                    affected) ||
                            !are_versions_rising(db, scheme, affected))
                                return false;
        }
        return true;
}

static int check_orders(const struct db *db, struct error *err)
{
        bool ok = is_rising(db, DB_ECOSYSTEMS, ECOSYSTEM_NAME, 0, db->parts[DB_ECOSYSTEMS].n, false) &&
                  is_rising(db, DB_NAMES, NAME_TEXT, 0, db->parts[DB_NAMES].n, true);
        for (uint64_t i = 0; ok && i < db->parts[DB_ECOSYSTEMS].n; i++) {
                uint32_t ecosystem[ECOSYSTEM_WORDS];
                ok = db_row(db, DB_ECOSYSTEMS, i, ECOSYSTEM_WORDS, ecosystem) && are_packages_in_order(db, ecosystem);
        }
        return ok ? 0 : error_set(err, -EBADMSG, "out of order: made by another version of sekisho, make it again");
}

int db_verify(const struct db *db, struct error *err)
{
        if (!digest_is_right(db))
                return error_set(err, -EBADMSG, "damaged: the contents do not have the checksum %s", db->digest);
        int r = check_rows(db, err);
        return r < 0 ? r : check_orders(db, err);
}
