/* Paths that name an open descriptor of a process, as /dev/fd/3 does. */
#ifndef SEKISHO_SERVE_NAMED_DESCRIPTOR_H
#define SEKISHO_SERVE_NAMED_DESCRIPTOR_H

#include "base/str.h"

#include <stdint.h>

/*
 * Opens (O_PATH) what the path means to the process: a descriptor of its own (/dev/fd/3, /proc/self/fd/3,
 * /proc/thread-self/fd/3) or of another process in its container (/proc/9/fd/3). It is followed as no other name is, to
 * the file itself, whatever that is called. -1: it is not named so, or it is gone.
 */
int open_named_descriptor(uint32_t pid, struct str path);

#endif
