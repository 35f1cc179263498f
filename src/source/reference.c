/* See reference.h. */
#include "source/reference.h"

#include <ctype.h>

void reference_split(struct str ref, struct str *ret_name, struct str *ret_tag, struct str *ret_digest)
{
        *ret_tag = *ret_digest = STR_NONE;
        ptrdiff_t at = str_find_char(ref, '@');
        if (at >= 0) {
                *ret_digest = str_from(ref, (size_t)at + 1);
                ref = str_upto(ref, (size_t)at);
        }
        ptrdiff_t colon = str_rfind_char(ref, ':');
        if (colon >= 0 && colon > str_rfind_char(ref, '/')) { /* a colon before a slash is a port */
                *ret_tag = str_from(ref, (size_t)colon + 1);
                ref = str_upto(ref, (size_t)colon);
        }
        *ret_name = ref;
}

bool reference_is_plausible(struct str ref)
{
        if (!ref.n || ref.n > 512 || ref.p[0] == '/' || ref.p[0] == '.' || ref.p[0] == '-')
                return false;
        for (size_t i = 0; i < ref.n; i++) {
                unsigned char c = (unsigned char)ref.p[i];
                if (!isalnum(c) && !strchr("._-/:@+", c))
                        return false;
        }
        for (struct str rest = ref; rest.p;) {
                struct str part = str_cut(&rest, '/');
                if (!part.n || str_is(part, "..") || str_is(part, "."))
                        return false;
        }
        return true;
}

bool reference_matches(struct str asked, struct str stored)
{
        struct str name, tag, digest, stored_name, stored_tag, stored_digest;
        reference_split(asked, &name, &tag, &digest);
        reference_split(stored, &stored_name, &stored_tag, &stored_digest);
        if (digest.n && !str_eq(digest, stored_digest))
                return false;
        if (!digest.n || tag.n) {
                struct str latest = STR("latest");
                if (!str_eq(tag.n ? tag : latest, stored_tag.n ? stored_tag : latest))
                        return false;
        }
        if (!str_ends(stored_name, name))
                return false;
        return stored_name.n == name.n || stored_name.p[stored_name.n - name.n - 1] == '/';
}
