/*
 * Any bytes as one column of a line: '\\' and controls stand as a backslash and three octal digits, as in
 * /proc/self/mountinfo (proc_pid_mountinfo(5)), so that neither tab nor newline can come from a name.
 */
#ifndef SEKISHO_BASE_OCTAL_H
#define SEKISHO_BASE_OCTAL_H

#include "base/arena.h"
#include "base/str.h"

#include <stdio.h>

void octal_print(FILE *to, struct str s);

/* What it was printed from, in the arena. False: a backslash is not followed by the three digits of a byte. */
bool octal_read(struct str s, struct arena *arena, struct str *ret);

#endif
