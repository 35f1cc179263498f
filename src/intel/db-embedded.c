/* The advisory set that is compiled into the program: data/advisories, made into a database when the program is built.
 */
#include "intel/db.h"

extern const char sekisho_advisories[], sekisho_advisories_end[];

int db_open_embedded(struct db **ret, struct error *err)
{
        struct str bytes = str_span(sekisho_advisories, (size_t)(sekisho_advisories_end - sekisho_advisories));
        int r = db_open_memory(bytes, ret, err);
        return r < 0 ? error_prefix(err, r, "the embedded advisories") : 0;
}
