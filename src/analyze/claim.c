/* See claim.h. */
#include "analyze/claim.h"

static bool has_parent(struct str path) /* a part that is ".." */
{
        for (struct str rest = path; rest.n; rest = str_from(rest, 1)) {
                ptrdiff_t dot = str_find_char(rest, '.');
                if (dot < 0)
                        return false;
                rest = str_from(rest, (size_t)dot);
                bool begins = rest.p == path.p || rest.p[-1] == '/';
                if (begins && (str_is(rest, "..") || str_starts(rest, STR("../"))))
                        return true;
        }
        return false;
}

bool claim_path(struct str raw, struct str *ret)
{
        while (raw.n && (raw.p[0] == '/' || str_starts(raw, STR("./"))))
                raw = str_from(raw, 1);
        if (raw.n == 0 || str_is(raw, ".") || str_find_char(raw, 0) >= 0 || has_parent(raw))
                return false;
        *ret = raw;
        return true;
}

bool claim_is_word(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] < '!' || s.p[i] > '~')
                        return false;
        return s.n > 0;
}
