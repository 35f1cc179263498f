/* Fuzzes what is made of clamd's answers: whatever they say, only "...: OK" is clean. */
#include "analyze/clamd.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str text = str_span(data, size);
        struct clamd_answer a = clamd_understand(text);
        if ((a.verdict == CLAMD_CLEAN && !str_ends(text, STR(": OK"))) ||
            (a.verdict == CLAMD_FOUND && (!a.words.n || !str_ends(text, STR(" FOUND")))) ||
            ((a.verdict == CLAMD_INCOMPLETE || a.verdict == CLAMD_SILENT) && !a.code))
                abort();
        return 0;
}
