/* Documents of images and of engines' stores: the first byte says which, the rest is the document. */
#include "source/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(struct sink *s, enum fact_kind kind, const void *fact)
{
        struct buf b = BUF_INIT(16u << 20);
        fact_encode(kind, fact, &b); /* touches all that the fact points to */
        buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct sink s = { .put = put };
        if (size)
                (void)document_parse((enum document_kind)(DOCUMENT_ANY + data[0] % 8), str_span(data + 1, size - 1), &s,
                                     NULL);
        return 0;
}
