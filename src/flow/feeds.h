/* Feeds on their way into a database: each is read by an importer in a sandboxed worker, one after the other. */
#ifndef SEKISHO_FLOW_FEEDS_H
#define SEKISHO_FLOW_FEEDS_H

#include "intel/db-build.h"
#include "intel/import.h"

struct feed_input {
        struct db_feed feed; /* name, source, fetched, and the date for feeds that do not say theirs; views that stay */
        const char *path;    /* a file, or a directory whose feed files are read in the order of their names */
        const struct importer *importer; /* NULL: recognised */
        bool may_be_other;               /* it lay in a directory of feeds: what no importer recognises is left out */

        /* set by feeds_import */
        int result; /* 0, or < 0 and words in why */
        char why[ERROR_TEXT_MAX];
        uint64_t records, skipped;
};

struct feeds_watch { /* either may be NULL */
        void (*reading)(void *arg, const struct feed_input *in, uint64_t facts);
        void (*malformed)(void *arg, const struct feed_input *in, struct str where, struct str why);
        void *arg;
};

/*
 * Reads all inputs, in their order, into the builder. 0: each has its result; one that failed may have brought a part
 * of its facts. -EINTR when interrupted.
 */
int feeds_import(struct feed_input *inputs, size_t n, struct db_builder *b, const struct feeds_watch *watch,
                 struct error *err);

/*
 * The files of a directory that holds feeds as they are published, packed ones among them, sorted by name: each is a
 * feed of its own. None if no file of it is packed: then the directory is one feed, of loose records. What is no feed
 * by its name (a README) is left out. The paths live in the arena.
 */
int feeds_in_directory(const char *directory, struct arena *arena, struct str_list *ret, struct error *err);

/* "osv-go" of "/x/osv-go.jsonl.xz": the usual name of a feed. The result is a view of path. */
struct str feed_name_of(const char *path);

#endif
