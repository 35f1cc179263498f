/* See the-sample.h. */
#include "read/the-sample.h"

struct sample sample_from(struct str bytes) { return (struct sample){ .rest = bytes }; }

int sample_next(struct sample *r, struct sample_record *ret)
{
        while (r->rest.n) {
                struct str value = str_trim(str_line(&r->rest)), name = str_cut(&value, '=');
                r->line++;
                if (!name.n && !value.p)
                        continue;
                if (!name.n || !value.p)
                        return SAMPLE_MALFORMED;
                *ret = (struct sample_record){ .name = name, .value = value };
                return SAMPLE_RECORD;
        }
        return SAMPLE_END;
}
