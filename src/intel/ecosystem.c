/* See ecosystem.h. Specifications: the OSV schema's list of ecosystems, PEP 503 for names on PyPI. */
#include "intel/ecosystem.h"

struct str ecosystem_base(struct str ecosystem)
{
        ptrdiff_t colon = str_find_char(ecosystem, ':');
        return colon < 0 ? ecosystem : str_upto(ecosystem, (size_t)colon);
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static struct str lower_case(struct str name, struct arena *arena)
{
        char *to = arena_alloc(arena, name.n + 1);
        for (size_t i = 0; i < name.n; i++)
                to[i] = lower(name.p[i]);
        return str_span(to, name.n);
}

static struct str pep503(struct str name, struct arena *arena)
{
        char *to = arena_alloc(arena, name.n + 1);
        size_t n = 0;
        for (size_t i = 0; i < name.n; i++) {
                char c = lower(name.p[i]);
                if (c != '-' && c != '_' && c != '.')
                        to[n++] = c;
                else if (n == 0 || to[n - 1] != '-')
                        to[n++] = '-';
        }
        return str_span(to, n);
}

struct str ecosystem_normalise_name(struct str ecosystem, struct str name, struct arena *arena)
{
        static const char *const caseless[] = { "Packagist", "NuGet", "GitHub Actions", "VSCode" };
        struct str base = ecosystem_base(ecosystem);
        if (str_eq_nocase(base, STR("PyPI")))
                return pep503(name, arena);
        for (size_t i = 0; i < ARRAY_SIZE(caseless); i++)
                if (str_eq_nocase(base, str_of(caseless[i])))
                        return lower_case(name, arena);
        return name;
}

bool is_erratum_id(struct str id)
{
        static const char *const prefixes[] = {
                "ALSA-", "ALBA-", "ALEA-", "RLSA-", "RXSA-", "RHSA-", "RHBA-",     "RHEA-",  "ELSA-", "ALAS",
                "DSA-",  "DLA-",  "USN-",  "LSN-",  "SUSE-", "SSA-",  "openSUSE-", "MGASA-", "OESA-", "PHSA-",
        };
        for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
                if (str_starts(id, str_of(prefixes[i])))
                        return true;
        return false;
}

bool cve_parse(struct str id, uint32_t *ret_year, uint32_t *ret_number)
{
        uint64_t year, number;
        if (!str_starts(id, STR("CVE-")) || id.n < 10 || id.p[8] != '-')
                return false;
        struct str digits = str_from(id, 9);
        if (!str_u64(str_upto(str_from(id, 4), 4), &year) || !str_u64(digits, &number) || number > UINT32_MAX)
                return false;
        /* Four digits at least and no further leading zeros, so that an id has one spelling only. */
        if (digits.n < 4 || (digits.n > 4 && digits.p[0] == '0'))
                return false;
        *ret_year = (uint32_t)year;
        *ret_number = (uint32_t)number;
        return true;
}
