/*
 * The feeds that `db update` gets: a list in a file, or the one that is compiled in. A line of the file is
 *
 *         NAME KIND URL [max-mib=N] [plain-http]
 *
 * separated by blanks; "#" starts a comment line. The names are also those of files in the cache.
 */
#ifndef SEKISHO_FLOW_FEED_CONFIG_H
#define SEKISHO_FLOW_FEED_CONFIG_H

#include "base/vec.h"
#include "intel/import.h"

#include <stdio.h>

#define FEEDS_MAX 256

struct feed_config {
        const char *name, *url;
        const struct importer *importer;
        uint64_t max_bytes;
        bool plain_http; /* http to other than loopback addresses is allowed */
};

struct feed_list {
        struct arena arena;
        VEC(struct feed_config) feeds;
};

/* Reads a list. -EINVAL names the line that is wrong and why. */
int feed_list_read(const char *path, struct feed_list *ret, struct error *err);
int feed_list_parse(struct str text, const char *path, struct feed_list *ret, struct error *err);
void feed_list_default(struct feed_list *ret);
void feed_list_done(struct feed_list *l);

/* In the form that feed_list_read takes. */
void feed_list_print(const struct feed_list *l, FILE *to);

#endif
