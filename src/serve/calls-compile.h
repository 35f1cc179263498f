/*
 * What the kernel must send for rules to be decided: rules in, recipes for full mode out. Sound: no call is filtered
 * out that one of the rules could match; what cannot be proven is sent.
 *
 * A rule that does not say which evt.type it is about is asked of what comes, and brings nothing along itself.
 */
#ifndef SEKISHO_SERVE_CALLS_COMPILE_H
#define SEKISHO_SERVE_CALLS_COMPILE_H

#include "rule/rule.h"
#include "sense/sensor.h"

/* Texts live in the arena. */
void calls_compile(const struct rule_set *set, struct arena *arena, struct sensor_recipes *ret);

/* How much of a rule is seen in lean mode. */
enum calls_need { CALLS_NOT_NEEDED, CALLS_PARTLY, CALLS_ALL };

/* What is told in lean mode beside programs, children and the hooks' events; bits. */
enum {
        CALLS_HAS_FILES = 1,  /* what happens to some files (the part `watch`) */
        CALLS_HAS_READS = 2,  /* who reads some (the same) */
        CALLS_HAS_RIGHTS = 4, /* calls that ask for a right (sensor_go_lean()) */
        CALLS_HAS_CODE = 8,   /* what is mapped to be executed (the part `mapped-code`) */
};

/* Of a rule's needs: are all of its events those of lean mode, some, or none? */
enum calls_need calls_need_of(const struct rule_needs *needs, unsigned has);

#endif
