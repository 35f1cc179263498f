/*
 * Secrets in a git repository's objects: every blob of every pack and every loose object is looked at once, whether a
 * commit has it or not; then the trees are walked to say which commit brought it, under which path, and whether it is
 * still there at HEAD.
 *
 * Runs in a worker. Packs are views of memory that the parent mapped; loose objects, references and the configuration
 * come as a stream of records (history_put): what a hostile repository says is parsed nowhere else.
 */
#ifndef SEKISHO_ANALYZE_HISTORY_H
#define SEKISHO_ANALYZE_HISTORY_H

#include "analyze/secrets.h"

#define HISTORY_PACKS_MAX   1024
#define HISTORY_OBJECTS_MAX 20000000u
#define HISTORY_LOOSE_MAX   (512u << 20) /* bytes of loose objects that are kept, as they are stored */
#define HISTORY_CHAIN_MAX   10000        /* deltas on each other (git makes 50 by default, 4,095 at most) */
#define HISTORY_DEPTH_MAX   512          /* trees in each other */
#define HISTORY_FOUND_MAX   20000        /* secrets that are told */
#define HISTORY_NAME_MAX    4096         /* bytes of a record's name, of a path */

/* A file of the .git directory in the stream: its name relative to it, and its bytes. */
struct history_record {
        uint32_t name_bytes;
        uint32_t bytes;
};

struct history_pack {
        struct str name, bytes;
};

struct history_input {
        const struct history_pack *packs;
        size_t n_packs;
        int records_fd; /* history_record, name, bytes; until the end */
};

/*
 * Emits `secret` facts whose path is that in the repository (or "(object ID)"), and `unread` facts. < 0 only where the
 * records could not be read.
 */
int history_scan(const struct history_input *in, const struct secret_set *set, struct sink *out, struct error *err);

#endif
