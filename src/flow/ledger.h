/* The ledger of files as JSON lines: docs/format/ledger.md. */
#ifndef SEKISHO_FLOW_LEDGER_H
#define SEKISHO_FLOW_LEDGER_H

#include "flow/view.h"

#include <stdio.h>

/* A ledger that writes one line for each entry of each layer. Errors of the stream end the scan. */
struct ledger ledger_to_json_lines(FILE *to);

#endif
