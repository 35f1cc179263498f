/* Integrity monitoring: the first byte chooses a baseline or a configuration; the rest is the input. */
#include "flow/integrity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0)
                return 0;
        struct str input = str_span(data + 1, size - 1);
        if (data[0] & 1) {
                struct integrity_set s;
                (void)integrity_set_parse(&s, input, NULL);
                integrity_set_done(&s);
        } else {
                struct integrity_config c;
                if (integrity_config_parse(&c, input, NULL) == 0)
                        (void)integrity_rule_of(&c, STR("/etc/passwd"), true);
                integrity_config_done(&c);
        }
        return 0;
}
