/*
 * `sekisho db update`: gets the feeds, builds a new database beside the old one, proves it, and puts it in place.
 * Whatever goes wrong, there is a whole database afterwards if there was one before.
 */
#ifndef SEKISHO_FLOW_DB_UPDATE_H
#define SEKISHO_FLOW_DB_UPDATE_H

#include "flow/feed-download.h"
#include "flow/feeds.h"

enum feed_outcome {
        FEED_OUT_NEW,       /* downloaded and used */
        FEED_OUT_UNCHANGED, /* the server has nothing newer */
        FEED_OUT_KEPT,      /* failed: the last good download is used */
        FEED_OUT_FAILED,    /* failed, and there is no earlier one */
};

struct feed_report {
        const struct feed_config *feed;
        enum feed_outcome outcome;
        char why[ERROR_TEXT_MAX]; /* of KEPT and FAILED */
        uint64_t size, records, skipped;
        int64_t fetched; /* of what is used */
};

struct update_watch { /* all may be NULL */
        void (*downloading)(void *arg, const struct feed_config *feed, uint64_t bytes, uint64_t total);
        void (*downloaded)(void *arg, const struct feed_report *r); /* after each feed's download */
        struct feeds_watch feeds;
        void *arg;
};

struct update_options {
        const struct feed_list *list;
        const char *database;  /* file to replace */
        const char *directory; /* of the downloads; made if need be */
        int64_t now;
        bool force; /* also if much less is in it than before, or nothing has changed */
        bool keep_summaries;
        const char *ca_file; /* NULL: the system's */
        struct update_watch watch;
};

/*
 * reports: one for each feed of the list. 0: the database was replaced; UPDATE_NOT_NEEDED: it is what the feeds give
 * already; < 0: it was not touched, words in err.
 */
enum { UPDATE_NOT_NEEDED = 1 };
int db_update(const struct update_options *o, struct feed_report *reports, struct error *err);

/*
 * Writes the builder's database to a file beside `path`, opens and verifies it, and replaces `path` by it. Unless
 * force, refuses (-ESTALE) one with less than half of the advisories of what is there. builder can only be freed
 * afterwards.
 */
int database_replace(struct db_builder *b, const char *path, bool force, struct error *err);

#endif
