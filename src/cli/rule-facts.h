/*
 * Facts for `sekisho rule test`: a JSON object as a record. Keys are field names, whole ("proc.name", "proc.aname[2]",
 * "evt.arg.flags") or nested ({"proc": {"name": ...}}); lists are arrays, and null is an absent field.
 */
#ifndef SEKISHO_CLI_RULE_FACTS_H
#define SEKISHO_CLI_RULE_FACTS_H

#include "rule/rule.h"

struct facts;

/*
 * Reads one object. NULL and words: it is no JSON object, or it names a field that does not exist, or a value does not
 * fit its field's type.
 */
struct facts *facts_read(struct str json, struct error *err);
void facts_free(struct facts *f);

/* The facts as a record; valid as long as they are. */
struct record facts_record(struct facts *f);

#endif
