/* Diffs: the first byte is how much room there is, then two texts with a NUL between them. */
#include "base/diff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0)
                return 0;
        struct str after = str_span(data + 1, size - 1), before = str_cut(&after, '\0');
        _cleanup_(buf_done) struct buf b = BUF_INIT((size_t)data[0] * 16 + 1);
        (void)diff_unified((struct diff_text){ before, before }, (struct diff_text){ after, after }, &b);
        return 0;
}
