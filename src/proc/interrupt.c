/* The wish to stop: set by a signal handler, seen by every loop that waits. See worker.h. */
#include "proc/worker.h"

#include <signal.h>

static volatile sig_atomic_t interrupted;

void workers_interrupt(void) { interrupted = 1; }

bool workers_interrupted(void) { return interrupted; }
