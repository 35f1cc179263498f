/*
 * The programs of bpf/network/network.bpf.c, loaded and attached: what processes do that no system call needs to be
 * watched for. Records (OBSERVE_CALL with OBSERVE_CALL_HOOK) come out of a ring of their own. Nothing is pinned.
 */
#ifndef SEKISHO_SENSE_HOOKS_H
#define SEKISHO_SENSE_HOOKS_H

#include "base/error.h"
#include "base/str.h"

struct hooks;

/*
 * Attaches what this kernel has; what it has not is left out. -EOPNOTSUPP: nothing of it works here, or the build
 * cannot; with words.
 */
int hooks_open(struct hooks **ret, struct error *err);
void hooks_close(struct hooks *h); /* NULL is fine */

/* What was left out, "capabilities (6.14), io_uring (6.0)"; empty: nothing. Of the hooks: valid until they are closed.
 */
struct str hooks_missing(const struct hooks *h);

/* Readable when records wait. */
int hooks_fd(const struct hooks *h);

/* Hands over what waits and is not younger than that (nanoseconds since boot). The view is valid during the call. */
void hooks_read(struct hooks *h, uint64_t until_ns, void (*each)(void *arg, struct str record), void *arg);

/* Records lost so far for want of room. */
uint64_t hooks_drops(const struct hooks *h);

#endif
