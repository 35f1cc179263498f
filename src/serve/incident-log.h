/*
 * The log of incidents: one JSON object a line (docs/format/incidents.md), appended by one write each before
 * anybody else hears of the alert. Each line names the SHA-256 of the line before it, so that a line that was changed,
 * removed or put in between shows. (Whoever may write the file can make all of it anew: keep the last digest elsewhere,
 * or send alerts to a sink.)
 *
 * A reader takes the file as untrusted: what is malformed or breaks the chain is counted and told, and the rest read.
 */
#ifndef SEKISHO_SERVE_INCIDENT_LOG_H
#define SEKISHO_SERVE_INCIDENT_LOG_H

#include "serve/incident.h"

#define INCIDENT_LINE_MAX     (256u << 10)
#define INCIDENT_DIGEST_BYTES 65u /* hexadecimal, with NUL */
#define INCIDENT_LOG_DEFAULT  "/var/lib/sekisho/incidents.jsonl"
#define INCIDENT_TAGS_MAX     64u
#define INCIDENT_TEXT_MAX     1024u /* bytes of one text of an entry; longer ones are cut */

/* The line of an entry without its end; `previous` is what incident_digest() gave for the line before it ("": first).
 */
void incident_line(const struct incident_entry *e, const char *previous, struct buf *to);

void incident_digest(struct str line, char ret[static INCIDENT_DIGEST_BYTES]);

/* False if the line is none. Texts live in the arena. *ret_previous: as incident_line() had it. */
bool incident_parse(struct str line, struct arena *arena, struct incident_entry *ret, struct str *ret_previous);

struct incident_flaws {
        uint64_t malformed; /* lines */
        uint64_t breaks;    /* of the chain: lines that do not name the one before them */
        uint64_t first;     /* number of the first line with either, from 1; 0: none */
};

/*
 * Shows each entry of the file in order; views are valid during the call. ret_digest: of the last line. 0, or -errno
 * with words (-ENOENT: there is no such file).
 */
int incident_read(const char *path, void (*each)(void *arg, const struct incident_entry *e), void *arg,
                  struct incident_flaws *ret, char ret_digest[static INCIDENT_DIGEST_BYTES], struct error *err);

#endif
