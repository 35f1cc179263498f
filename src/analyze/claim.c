/* See claim.h. */
#include "analyze/claim.h"

bool claim_path(struct str raw, struct str *ret)
{
        while (raw.n && (raw.p[0] == '/' || str_starts(raw, STR("./"))))
                raw = str_from(raw, 1);
        if (raw.n == 0 || str_is(raw, ".") || str_find_char(raw, 0) >= 0)
                return false;
        for (struct str rest = raw; rest.p;)
                if (str_is(str_cut(&rest, '/'), ".."))
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
