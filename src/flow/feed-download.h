/*
 * One feed's file in the cache directory, brought up to date:
 *
 *         NAME.data, NAME.meta    the last download that proved good, and what is known of it
 *         NAME.new, NAME.new.meta one that is whole but not yet proven; feed_accept or feed_reject decides, in a later
 * run perhaps NAME.part, NAME.part.meta one that broke off; the next try goes on from there
 */
#ifndef SEKISHO_FLOW_FEED_DOWNLOAD_H
#define SEKISHO_FLOW_FEED_DOWNLOAD_H

#include "flow/feed-config.h"
#include "source/http.h"

struct feed_file { /* what NAME.meta holds */
        char url[HTTP_URL_MAX];
        char etag[256], last_modified[64]; /* as the server said */
        char sha256[65];
        uint64_t size;
        int64_t fetched; /* when the server last said that this is what it has */
};

struct feed_place {
        const char *directory;
        const struct feed_config *feed;
};

/* 0: the file stands in NAME.new; FEED_UNCHANGED: NAME.data is what the server has; < 0: neither, words in err. */
enum { FEED_UNCHANGED = 1 };
int feed_download(struct http *http, const struct feed_place *place, int64_t now,
                  void (*got)(void *arg, const struct feed_config *feed, uint64_t bytes, uint64_t total), void *arg,
                  struct error *err);

/* "directory/NAME.suffix"; the suffix is "data", "new". */
bool feed_path(const struct feed_place *place, const char *suffix, struct buf *ret);

/* What is known of NAME.data ("meta") or NAME.new ("new.meta"). False if there is none. */
bool feed_file_read(const struct feed_place *place, const char *suffix, struct feed_file *ret);

int feed_accept(const struct feed_place *place, struct error *err); /* NAME.new becomes NAME.data */
void feed_reject(const struct feed_place *place);                   /* NAME.new is removed */

#endif
