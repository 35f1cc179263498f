/* From a finished scan to a record in the ledger (store/store.h). */
#ifndef SEKISHO_FLOW_REMEMBER_H
#define SEKISHO_FLOW_REMEMBER_H

#include "report/report.h"
#include "store/store.h"

/*
 * Appends the scan that the report tells of, in one transaction. host: the machine that it was made on, where that is
 * where the artefact is; the host of what a registry keeps is left out, because it is on all of them.
 */
int remember_scan(struct book *b, const struct book_stamp *stamp, const struct report *r, struct str host,
                  struct book_scan_outcome *ret, struct error *err);

/* How a scan names a finding, so that a later scan of the same artefact names the same finding alike. */
struct str finding_key(const struct finding *f, struct arena *arena);

#endif
