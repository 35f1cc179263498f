/* The risk register: waivers of the ledger (store/store.h) as the decision flow sees them, and back. */
#ifndef SEKISHO_FLOW_REGISTER_H
#define SEKISHO_FLOW_REGISTER_H

#include "decide/waiver.h"
#include "report/report.h"
#include "store/store.h"

/* All waivers of the ledger that have not ended: approved ones, and those that are only asked for. */
int register_read(struct book *b, struct arena *arena, struct waiver **ret, size_t *ret_n, struct error *err);

/* The same waiver in the other form; texts are views. What the other form does not have is left out. */
struct waiver waiver_of_book(const struct book_waiver *w);
struct book_waiver book_of_waiver(const struct waiver *w);

/*
 * Ends, on record, each waiver of the ledger that data has ended (report_waiver.ended_by) in this report. *ret_n: how
 * many. One that somebody else has ended meanwhile is no error.
 */
int register_end(struct book *b, const struct book_stamp *stamp, const struct report *r, size_t *ret_n,
                 struct error *err);

#endif
