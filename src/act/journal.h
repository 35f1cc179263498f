/*
 * The evidence of what was done: a line of JSON for each action (docs/format/actions.md), appended by one write and
 * forced to the disk before the action counts as told.
 */
#ifndef SEKISHO_ACT_JOURNAL_H
#define SEKISHO_ACT_JOURNAL_H

#include "act/actions.h"

#define ACT_JOURNAL_DEFAULT "/var/lib/sekisho/actions.jsonl"

/* r is act_do's; `failure` its words if r < 0. 0, also without a journal; -errno, words. */
int act_journal(const struct act_action *a, const struct act_target *t, const struct act_order *o, int r,
                const char *failure, struct error *err);

#endif
