/*
 * The form of our own tables (docs/format/facts-tsv.md): comment lines `# key: value` first, then rows of columns
 * separated by tabs, `-` for none.
 */
#ifndef SEKISHO_INTEL_IMPORT_TSV_H
#define SEKISHO_INTEL_IMPORT_TSV_H

#include "intel/import.h"

#define TSV_MAX_COLUMNS 8

/*
 * The next row's columns. 1: a row of exactly n columns; 0: the end; < 0: a read error, or the file says that its
 * columns are others than `columns`. Rows with another number of columns are counted as malformed. The keys generated
 * and licence are taken from the comments.
 */
int tsv_row(struct import *in, const char *columns, size_t n, struct str ret[static TSV_MAX_COLUMNS],
            struct error *err);

/* "0.00604" as hundred-thousandths; further digits are cut. False if it is not a number from 0 to 1. */
bool fraction_parse(struct str s, uint64_t *ret);

#endif
