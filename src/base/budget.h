/*
 * A budget: what one unit of work may still spend. Everything whose growth the input controls is charged to one, so
 * that zip bombs, fan-out and deep nesting are one mechanism. Once overdrawn a budget stays so, and names what ran out.
 */
#ifndef SEKISHO_BASE_BUDGET_H
#define SEKISHO_BASE_BUDGET_H

#include "base/macros.h"

struct budget {
        uint64_t bytes;   /* of output (inflated, captured, allocated) still allowed */
        uint64_t items;   /* entries, records, packages still allowed */
        const char *over; /* NULL, or what ran out: "bytes", "items" */
};

/* True if the charge fits; false, now and ever after, if not. */
static inline bool budget_bytes(struct budget *b, uint64_t n)
{
        if (!b->over && n <= b->bytes) {
                b->bytes -= n;
                return true;
        }
        if (!b->over)
                b->over = "bytes";
        return false;
}

static inline bool budget_items(struct budget *b, uint64_t n)
{
        if (!b->over && n <= b->items) {
                b->items -= n;
                return true;
        }
        if (!b->over)
                b->over = "items";
        return false;
}

#endif
