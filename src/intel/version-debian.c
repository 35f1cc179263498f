/*
 * Debian's order: deb-version(7), Debian policy 5.6.12. [epoch:]upstream[-revision].
 *
 * What is no version is ordered too: an "epoch" that is not a number belongs to the upstream part, and any byte is
 * allowed there. A missing revision equals "0", as dpkg says.
 */
#include "intel/version-parts.h"
#include "intel/version-schemes.h"

struct debian {
        struct str epoch, upstream, revision;
};

static struct debian debian_parse(struct str s)
{
        struct debian v = { .upstream = str_trim(s) };
        ptrdiff_t colon = str_find_char(v.upstream, ':');
        if (colon > 0 && part_is_number(str_upto(v.upstream, (size_t)colon))) {
                v.epoch = str_upto(v.upstream, (size_t)colon);
                v.upstream = str_from(v.upstream, (size_t)colon + 1);
        }
        ptrdiff_t dash = str_rfind_char(v.upstream, '-');
        if (dash >= 0) {
                v.revision = str_from(v.upstream, (size_t)dash + 1);
                v.upstream = str_upto(v.upstream, (size_t)dash);
        }
        return v;
}

/* A tilde is below the end, letters are above it, everything else is above letters. */
static int debian_weight(struct str s)
{
        if (!s.n || is_digit(s.p[0]))
                return 0;
        if (s.p[0] == '~')
                return -1;
        return (unsigned char)s.p[0] + (is_letter(s.p[0]) ? 0 : 256);
}

static int debian_compare_part(struct str a, struct str b)
{
        while (a.n || b.n) {
                int x, y;
                while ((x = debian_weight(a)) | (y = debian_weight(b))) {
                        if (x != y)
                                return x < y ? -1 : 1;
                        a = str_from(a, 1);
                        b = str_from(b, 1);
                }
                struct str m = part_take_digits(&a), n = part_take_digits(&b);
                int r = part_compare_numbers(m, n);
                if (r)
                        return r;
        }
        return 0;
}

static int debian_compare(struct str a, struct str b)
{
        struct debian x = debian_parse(a), y = debian_parse(b);
        int r = part_compare_numbers(x.epoch, y.epoch);
        if (!r)
                r = debian_compare_part(x.upstream, y.upstream);
        return r ? r : debian_compare_part(x.revision, y.revision);
}

static bool debian_is_valid(struct str s)
{
        struct debian v = debian_parse(s);
        if (!v.upstream.n || !is_digit(v.upstream.p[0]))
                return false;
        for (size_t i = 0; i < s.n; i++)
                if (!is_digit(s.p[i]) && !is_letter(s.p[i]) && !memchr(".+-~:", s.p[i], 5))
                        return false;
        return true;
}

const struct version_scheme version_scheme_debian = {
        .name = "debian",
        .summary = "deb-version(7)",
        .ecosystems = (const char *const[]){ "Debian", "Ubuntu", "Echo", NULL },
        .aliases = (const char *const[]){ "deb", "dpkg", NULL },
        .compare = debian_compare,
        .is_valid = debian_is_valid,
};
