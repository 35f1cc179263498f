/* Who types: for records that say by whom they were made. */
#ifndef SEKISHO_CLI_ACTOR_H
#define SEKISHO_CLI_ACTOR_H

#include "base/arena.h"
#include "store/store.h"

/* $SEKISHO_ACTOR, else the name of the user that runs this; "uid 1000" if it has none. */
struct str actor_name(struct arena *arena);

/* The stamp of a record that is written now. SEKISHO_TODAY, where it is set, is also the day of records. */
struct book_stamp actor_stamp(struct str actor);

#endif
