/*
 * The walk over one layer: each entry of its tar becomes a `file` fact, with its digests and what its first bytes say,
 * and the files that analyzers want are captured and analysed on the way. One pass, constant memory, nothing on disk.
 *
 * A file gets the digest that its system's packages promise: MD5 for dpkg, SHA-1 for apk, SHA-256 for rpm; all three as
 * long as nobody knows the system. Executables where packages do not put theirs get SHA-256 in any case. Which digests
 * a file gets depends on nothing but the bytes and the family that was given, so that the same image gives the same
 * facts.
 */
#ifndef SEKISHO_ANALYZE_WALK_H
#define SEKISHO_ANALYZE_WALK_H

#include "analyze/content.h"
#include "base/error.h"
#include "fact/sink.h"
#include "read/tandem.h"
#include "read/tar.h"

#define WALK_DIGEST_MAX (UINT64_C(4) << 30) /* files of more bytes, holes aside, are not read: an `unread` fact */
#define WALK_HOLES_MAX                                                                                                 \
        (UINT64_C(16) << 30)         /* of all sparse files of a layer together; beyond that they are not read         \
                                      */
#define WALK_HOLE_MIN    (1u << 20)  /* a hole is passed over, and not read as zeros, from this size on */
#define WALK_HOLES_KNOWN (64u << 20) /* no package has a file with more holes: then MD5 and SHA-1 are not computed */
#define WALK_ENTRIES_MAX UINT64_C(50000000)

enum family { FAMILY_UNKNOWN, FAMILY_DPKG, FAMILY_APK, FAMILY_RPM };

/* Whose packages a system installs, by ID and ID_LIKE of os-release. */
enum family family_of(const struct fact_os *os);

/*
 * Digests of files (sets of TANDEM_MD5 and TANDEM_SHA256) by whoever feeds the walk, who can compute them
 * together with a digest of the whole. See read/tandem.h.
 */
struct walk_digester {
        void (*add)(void *arg, unsigned digests, const void *p, size_t n); /* p: as tar_peek gave it */
        void (*end)(void *arg, unsigned digests, uint8_t *ret_md5, uint8_t *ret_sha256);
        void *arg;
};

struct walk_options {
        const struct walk_digester *digester; /* NULL: the walk computes them itself */
        const struct content_plan *content;   /* what files are searched for; NULL: nothing */
        enum family family; /* known from a layer below; else the layer's own files tell as they come */
        bool is_packed;     /* our own tar of a directory: its SEKISHO.* pax records are believed (source/README.md) */
};

struct walk_totals {
        uint64_t entries;
        bool complete; /* the archive was read to its end */
        struct content_totals content;
        bool no_end_mark; /* it stops after a whole entry, without end blocks: complete, if its digest is the promised
                             one */
};

/*
 * Walks to the end of the archive. Corrupt input is an `unread` fact and complete == false. < 0 only where the archive
 * could not be read further for a reason outside it (the pull failed): what came before was emitted.
 */
int walk_layer(struct tar *t, const struct walk_options *o, struct sink *out, struct walk_totals *ret,
               struct error *err);

#endif
