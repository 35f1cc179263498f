/* The version orders over any bytes: two versions between NULs, an antisymmetric answer, and the CVSS vectors beside.
 */
#include "intel/cvss.h"
#include "intel/version.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str b = str_span(data, size), a = str_cut(&b, 0);
        for (size_t i = 0; version_schemes[i]; i++) {
                int r = version_schemes[i]->compare(a, b), back = version_schemes[i]->compare(b, a);
                if ((r < 0) != (back > 0) || (r > 0) != (back < 0) || version_schemes[i]->compare(a, a) != 0)
                        abort();
                (void)version_schemes[i]->is_valid(a);
        }
        struct cvss c;
        if (cvss_parse(a, &c) && c.score > 100)
                abort();
        return 0;
}
