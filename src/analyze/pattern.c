/* See pattern.h. */
#include "analyze/pattern.h"

/* One part of a path against one part of a pattern; "*" takes as little as it can and more when what follows fails. */
static bool part_matches(struct str pattern, struct str part)
{
        size_t p = 0, s = 0, star = SIZE_MAX, retry = 0;
        while (s < part.n) {
                if (p < pattern.n && pattern.p[p] == '*') {
                        star = p++;
                        retry = s;
                } else if (p < pattern.n && pattern.p[p] == part.p[s]) {
                        p++;
                        s++;
                } else if (star != SIZE_MAX) {
                        p = star + 1;
                        s = ++retry;
                } else {
                        return false;
                }
        }
        while (p < pattern.n && pattern.p[p] == '*')
                p++;
        return p == pattern.n;
}

/* Without the first parts of the path, so that as many are left as the pattern has; false if it has fewer. */
static bool keep_last_parts(struct str pattern, struct str *path)
{
        size_t slashes = 0, at = path->n;
        for (size_t i = 0; i < pattern.n; i++)
                slashes += pattern.p[i] == '/';
        for (;;) {
                ptrdiff_t slash = str_rfind_char(str_upto(*path, at), '/');
                if (slash < 0)
                        return slashes == 0;
                if (slashes-- == 0) {
                        *path = str_from(*path, (size_t)slash + 1);
                        return true;
                }
                at = (size_t)slash;
        }
}

bool pattern_matches(struct str pattern, struct str path)
{
        if (str_starts(pattern, STR("**/"))) {
                pattern = str_from(pattern, 3);
                if (!keep_last_parts(pattern, &path))
                        return false;
        }
        while (pattern.p && path.p)
                if (!part_matches(str_cut(&pattern, '/'), str_cut(&path, '/')))
                        return false;
        return !pattern.p && !path.p;
}

struct str pattern_tail(struct str pattern)
{
        if (str_starts(pattern, STR("**/")))
                pattern = str_from(pattern, 3);
        ptrdiff_t star = str_rfind_char(pattern, '*');
        return str_from(pattern, (size_t)(star + 1));
}
