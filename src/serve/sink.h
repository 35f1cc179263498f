/*
 * Sinks: where alerts go beside the file, `--sink KIND=TARGET`. Each is a const struct in a file of its own. A sink
 * runs in a child of its own (serve/child.h), which gets each alert as the line of JSON that the file has, keeps what
 * it has not delivered yet in a bounded queue, in order, and tries again while the target is away. The agent hands over
 * what the socket to the child takes at once and never waits; what finds no room anywhere is counted, and told.
 *
 * Targets may hold secrets (tokens in URLs): nothing but scheme, host and port of one is ever printed.
 */
#ifndef SEKISHO_SERVE_SINK_H
#define SEKISHO_SERVE_SINK_H

#include "base/buf.h"
#include "base/error.h"

#include <jansson.h>

#define SINK_QUEUE_MAX    10000u /* alerts that wait */
#define SINK_QUEUE_BYTES  ((size_t)32 << 20)
#define SINK_BATCH_MAX    100u
#define SINK_BATCH_BYTES  ((size_t)4 << 20)
#define SINK_RETRY_MS     250 /* the first time, twice as long from then on */
#define SINK_RETRY_MAX_MS 30000
#define SINK_DRAIN_MS     4000 /* for what is left when the agent ends */
#define SINK_REFUSED      1    /* deliver: the target will never take it; words in err */

struct sink_kind {
        const char *kind, *target; /* what its `=` holds, for help */
        const char *doc;
        size_t batch; /* alerts at once */

        /*
         * In the agent, with its rights: checks the target (NULL: none was given), opens what needs rights: 0, and
         * *ret_fd is a descriptor for the child or -1. < 0: words. `ret_name`: the target without its secrets.
         */
        int (*open)(const char *target, int *ret_fd, char ret_name[static 256], struct error *err);

        /* In the child. The state, or NULL with words. */
        void *(*begin)(const char *target, int fd, struct error *err);

        /* In the child: n alerts (lines without ends), in order. 0; SINK_REFUSED; < 0: to be tried again; words. */
        int (*deliver)(void *state, const struct str *lines, size_t n, struct error *err);
};

/* NULL-terminated. */
extern const struct sink_kind *const sinks[];

/* What a child tells the agent. */
struct sink_report {
        uint64_t delivered, lost, refused; /* since the last one */
        char words[200];                   /* of a change for better or worse; "" */
};

/* The body of a child: until its socket ends, and at most SINK_DRAIN_MS longer. */
struct sink_job {
        const struct sink_kind *kind;
        const char *target;
        int fd;
};
void sink_run(void *job, int fd);

/* ---- what sinks share ---- */

/* The alert in Falco's shape, as falcosidekick reads it / as an OCSF Detection Finding: new references, or NULL. */
json_t *sink_falco(struct str line);
json_t *sink_ocsf(struct str line);

/* Compact, ASCII, without an end of line. Takes the value over. */
void sink_print(json_t *o, struct buf *to);

/* POSTs JSON. As deliver(). */
struct sink_http;
int sink_http_check(const char *url, char ret_name[static 256], struct error *err);
struct sink_http *sink_http_new(const char *url, struct error *err);
int sink_http_post(struct sink_http *h, struct str body, struct error *err);

#endif
