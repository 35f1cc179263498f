/*
 * rpm's order: rpm-version(7), rpmvercmp. [epoch:]version[-release].
 *
 * A version is a list of segments: runs of digits, runs of letters, and the marks "~" and "^"; all other bytes only
 * separate. At each place "~" is below the end, the end below "^", that below letters, those below digits. A missing
 * release is below any release. What stands before a colon is an epoch only if it is a number.
 */
#include "intel/version-parts.h"
#include "intel/version-schemes.h"

enum segment { TILDE, END, CARET, LETTERS, DIGITS };

struct redhat {
        struct str epoch, version, release;
        bool has_release;
};

static struct redhat redhat_parse(struct str s)
{
        struct redhat v = { .version = s };
        ptrdiff_t colon = str_find_char(s, ':');
        if (colon > 0 && part_is_number(str_upto(s, (size_t)colon))) {
                v.epoch = str_upto(s, (size_t)colon);
                v.version = str_from(s, (size_t)colon + 1);
        }
        ptrdiff_t dash = str_find_char(v.version, '-');
        if (dash >= 0) {
                v.release = str_from(v.version, (size_t)dash + 1);
                v.version = str_upto(v.version, (size_t)dash);
                v.has_release = true;
        }
        return v;
}

static enum segment redhat_next(struct str *s, struct str *ret)
{
        while (s->n && !is_digit(s->p[0]) && !is_letter(s->p[0]) && s->p[0] != '~' && s->p[0] != '^')
                *s = str_from(*s, 1);
        if (!s->n)
                return END;
        if (part_take(s, "~"))
                return TILDE;
        if (part_take(s, "^"))
                return CARET;
        *ret = part_take_digits(s);
        if (ret->n)
                return DIGITS;
        *ret = part_take_letters(s);
        return LETTERS;
}

static int redhat_compare_part(struct str a, struct str b)
{
        for (;;) {
                struct str x = STR_NONE, y = STR_NONE;
                enum segment m = redhat_next(&a, &x), n = redhat_next(&b, &y);
                if (m != n)
                        return m < n ? -1 : 1;
                if (m == END)
                        return 0;
                int r = m == DIGITS ? part_compare_numbers(x, y) : sign_of(str_cmp(x, y));
                if (r)
                        return r;
        }
}

static int redhat_compare(struct str a, struct str b)
{
        struct redhat x = redhat_parse(a), y = redhat_parse(b);
        int r = part_compare_numbers(x.epoch, y.epoch);
        if (!r)
                r = redhat_compare_part(x.version, y.version);
        if (!r)
                r = x.has_release - y.has_release;
        return r ? r : redhat_compare_part(x.release, y.release);
}

static bool redhat_is_valid(struct str s)
{
        struct redhat v = redhat_parse(s);
        for (size_t i = 0; i < s.n; i++)
                if (!is_digit(s.p[i]) && !is_letter(s.p[i]) && !memchr("._+~^-:", s.p[i], 7))
                        return false;
        return v.version.n && (!v.has_release || (v.release.n && str_find_char(v.release, '-') < 0)) &&
               str_find_char(v.version, ':') < 0;
}

const struct version_scheme version_scheme_redhat = {
        .name = "redhat",
        .summary = "rpm-version(7)",
        .ecosystems =
                (const char *const[]){ "Red Hat", "AlmaLinux", "Rocky Linux", "SUSE", "openSUSE", "openEuler", "Mageia",
                                       "Photon OS", "Azure Linux", "Amazon Linux", "Oracle Linux", "Fedora", NULL },
        .aliases = (const char *const[]){ "rpm", "rhel", NULL },
        .compare = redhat_compare,
        .is_valid = redhat_is_valid,
};
