/*
 * Who may have downloaded what he writes: the groups of processes (setpgid(2): a job of a shell, a service) that opened
 * a TCP connection within the last half minute or the one before. Bounded; what finds no room takes the place of the
 * older ones.
 */
#ifndef SEKISHO_SERVE_DOWNLOADS_H
#define SEKISHO_SERVE_DOWNLOADS_H

#include "base/map.h"
#include "serve/record.h"

#include <sys/stat.h>

#define DOWNLOADS_GENERATION_NS UINT64_C(30000000000)
#define DOWNLOADS_MAX           4096u /* groups of a generation */
#define DOWNLOAD_HEAD           4u    /* bytes of a file that tell what it is */

struct downloads {
        struct set64 connected[2]; /* the younger first */
        uint64_t since_ns;         /* the younger generation's beginning, since boot */
};

void downloads_done(struct downloads *d);

/* Remembers a connection by TCP that was not refused; other events are nothing to it. */
void downloads_on_event(struct downloads *d, const struct event_record *r);

/* Has the process's group opened one of late? */
bool downloads_has(const struct downloads *d, const struct process *p);

/*
 * The first bytes of a file below the directory `dir` of the host, and what stat says of it; how many. 0: it is empty,
 * or gone, or no regular file: who owns it may exchange it meanwhile, and nothing else is opened.
 */
size_t download_head(struct str dir, struct str inside, struct stat *ret, uint8_t head[static DOWNLOAD_HEAD]);

/* "elf", "script" (#!) or NULL, by the first bytes of a file. */
const char *download_format(const uint8_t *head, size_t n);

#endif
