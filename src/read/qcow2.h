/*
 * A reader of qcow2 disk images (QEMU's docs/interop/qcow2.txt, versions 2 and 3): the allocated clusters of the active
 * disk, in the order of the guest, inflated where they are compressed. The whole image lies in memory. Clusters of a
 * backing file are not here, and neither are snapshots.
 */
#ifndef SEKISHO_READ_QCOW2_H
#define SEKISHO_READ_QCOW2_H

#include "base/buf.h"

#define QCOW2_CLUSTER_BITS_MAX 21u        /* 2 MiB, as QEMU has it */
#define QCOW2_L1_ENTRIES_MAX   (1u << 22) /* QEMU's own limit: 32 MiB of table */

enum { QCOW2_END = 0, QCOW2_CLUSTER = 1, QCOW2_MALFORMED = 2, QCOW2_UNSUPPORTED = 3, QCOW2_ENCRYPTED = 4 };

struct qcow2 {
        struct str image;
        unsigned version, cluster_bits;
        bool is_zstd; /* compression_type of compressed clusters; else deflate */
        bool has_backing_file;
        uint64_t size; /* of the guest's disk */
        uint64_t l1_offset, l1_entries;
        uint64_t at;        /* the next guest cluster to look at */
        uint64_t looked_at; /* second-level entries so far */
        uint64_t end;       /* of the tables and clusters that they named: what follows is no part of the image */
        struct buf inflated;
        const char *why; /* after an outcome that is bad news: in words */
};

struct qcow2_cluster {
        uint64_t offset;  /* in the guest's disk */
        struct str bytes; /* valid until the next call */
};

bool qcow2_is(struct str first); /* has it the magic number? 4 bytes are enough */

/* QCOW2_CLUSTER: clusters can be asked for; else an outcome, with `why`. qcow2_done is due in any case. */
int qcow2_init(struct qcow2 *q, struct str image);
void qcow2_done(struct qcow2 *q);

/*
 * The next allocated cluster; a damaged one is QCOW2_MALFORMED once, and the next call goes on behind it. The caller
 * bounds how many bytes it takes: many entries can name one compressed cluster. No more entries are looked at than the
 * image has room for.
 */
int qcow2_next(struct qcow2 *q, struct qcow2_cluster *ret);

#endif
