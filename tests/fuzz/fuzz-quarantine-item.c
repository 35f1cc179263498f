/* Descriptions of quarantined files: any bytes; what is accepted is printed and read again as the same. */
#include "act/quarantine.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena arena = ARENA_INIT;
        struct fact_quarantined item, again;
        if (quarantine_item_parse(str_span(data, size), &arena, &item, NULL) == 0) {
                char *text = quarantine_item_print(&item);
                if (!text || quarantine_item_parse(str_of(text), &arena, &again, NULL) < 0 ||
                    !str_eq(item.path, again.path) || item.xattrs.n != again.xattrs.n)
                        abort();
                free(text);
        }
        arena_done(&arena);
        return 0;
}
