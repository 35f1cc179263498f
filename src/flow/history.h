/* The history of a git repository, read by a worker (analyze/history.h). */
#ifndef SEKISHO_FLOW_HISTORY_H
#define SEKISHO_FLOW_HISTORY_H

#include "analyze/secrets.h"
#include "flow/view.h"
#include "source/source.h"

/*
 * Looks for secrets in all objects of the artefact's repository, if it is one (source repo:); else a note says that
 * there is no history. Finds join the view's secrets. What could not be read becomes a note. < 0 only for an interrupt.
 */
int history_of_artefact(struct artefact *a, const struct secret_set *set, struct arena *arena, struct view *to,
                        struct error *err);

#endif
