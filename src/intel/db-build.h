/*
 * Compiles advisories into a database file: takes the facts of importers, in any number of feeds, and writes one file.
 * The same facts in the same order give the same bytes.
 */
#ifndef SEKISHO_INTEL_DB_BUILD_H
#define SEKISHO_INTEL_DB_BUILD_H

#include "fact/sink.h"
#include "intel/db.h"

#include <stdio.h>

struct db_builder;

struct db_builder *db_builder_new(bool keep_summaries);
void db_builder_free(struct db_builder *b);
void db_builder_freep(struct db_builder **b);

/*
 * Starts a feed: its name, source, fetched, and the date for a feed whose records say an older one or none, are taken;
 * the rest comes with its `feed` fact. Facts that follow belong to it. An advisory whose id occurs twice in a feed: the
 * one modified last counts; of the same age, both together.
 */
void db_builder_feed(struct db_builder *b, const struct db_feed *feed);

/* Takes the last db_builder_feed back: it was no feed, and brought no fact. */
void db_builder_drop_feed(struct db_builder *b);

/* Takes the kinds advisory, affected, score and feed; others are ignored. It trusts none of them to be sensible. */
struct sink *db_builder_sink(struct db_builder *b);

/* Writes the database. Afterwards the builder can only be freed. -EFBIG if it does not fit the format; -errno of `to`.
 */
int db_builder_write(struct db_builder *b, FILE *to, struct error *err);

#endif
