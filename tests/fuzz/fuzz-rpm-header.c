/* Package headers of rpm: every value and every file is read to its last byte. */
#include "read/rpmdb.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t seen;

static void look(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                seen ^= (uint8_t)s.p[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct rpm_header h;
        struct str name, version;
        if (!rpm_header_parse(str_span(data, size), &h))
                return 0;
        for (int i = 0; i < RPM_TAGS; i++) {
                uint32_t number;
                look(h.values[i]);
                look(rpm_header_text(&h, (enum rpm_tag)i));
                if (rpm_header_number(&h, (enum rpm_tag)i, &number))
                        seen ^= (uint8_t)number;
        }
        if (rpm_source_parse(rpm_header_text(&h, RPM_SOURCERPM), &name, &version) && (!name.n || !version.n))
                abort();
        struct rpm_files files = rpm_files_from(&h);
        for (struct rpm_file f; rpm_files_next(&files, &f);) {
                look(f.directory);
                look(f.name);
                look(f.digest);
        }
        rpm_files_done(&files);
        return 0;
}
