/* What must be seen whole: squashfs, qcow2 and compound files, told by their magic numbers as the unpacker does. */
#include "read/cfb.h"
#include "read/qcow2.h"
#include "read/squashfs.h"

#define OUT_MAX (32u << 20) /* bytes of content: the unpacker has a budget too */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool count(void *arg, struct str bytes)
{
        size_t *left = arg;
        *left -= MIN(*left, bytes.n);
        return *left > 0;
}

static void fuzz_squashfs(struct str bytes)
{
        struct squashfs *q;
        struct squashfs_file f;
        const char *why;
        size_t left = OUT_MAX;
        int r;
        if (squashfs_open(bytes, &q, &why) != SQUASHFS_ENTRY)
                return;
        while (left && (r = squashfs_next(q, &f, &why)) != SQUASHFS_END)
                if (r == SQUASHFS_ENTRY)
                        (void)squashfs_read(q, &f, count, &left, &why);
        squashfs_free(q);
}

static void fuzz_qcow2(struct str bytes)
{
        struct qcow2 q;
        struct qcow2_cluster c;
        size_t left = OUT_MAX;
        int r = qcow2_init(&q, bytes);
        for (bool is_open = r == QCOW2_CLUSTER; is_open && left && (r = qcow2_next(&q, &c)) != QCOW2_END;)
                if (r == QCOW2_CLUSTER)
                        (void)count(&left, c.bytes);
        qcow2_done(&q);
}

static void fuzz_cfb(struct str bytes)
{
        struct cfb c;
        struct cfb_stream s;
        _cleanup_(buf_done) struct buf source = BUF_INIT(1u << 20);
        int r;
        if (cfb_init(&c, bytes) == CFB_STREAM)
                while ((r = cfb_next(&c, &s)) != CFB_END)
                        if (r == CFB_STREAM)
                                (void)ovba_inflate(s.bytes, &source);
        cfb_done(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str bytes = str_span(data, size);
        if (squashfs_is(bytes))
                fuzz_squashfs(bytes);
        else if (qcow2_is(bytes))
                fuzz_qcow2(bytes);
        else
                fuzz_cfb(bytes);
        return 0;
}
