/* Time that only goes on (CLOCK_MONOTONIC): for waiting and measuring. What stands in records is base/date.h. */
#ifndef SEKISHO_BASE_CLOCK_H
#define SEKISHO_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t monotonic_ns(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static inline int64_t monotonic_ms(void) { return monotonic_ns() / 1000000; }

#endif
