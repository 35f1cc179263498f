/*
 * What a program was started to run: `sh x.sh`, `python3 -u x.py`, `/lib/ld-linux.so.2 ./x` execute a file that no exec
 * names. Which one it is, by the program's own name on disk (not by its title, which it chooses) and its arguments.
 *
 * Not seen: what a program reads from standard input, `sh -c '. ./x'`, modules that a script imports. Those are other
 * programs' arguments or no argument at all.
 */
#ifndef SEKISHO_SENSE_SCRIPT_H
#define SEKISHO_SENSE_SCRIPT_H

#include "base/arena.h"

/*
 * The path as it was given, or STR_NONE: the program is no interpreter or loader, or runs no file. exe_path: of the
 * program, links resolved; args: argv, each ended by NUL.
 */
struct str script_of(struct str exe_path, struct str args);

/* Options of the programs that run scripts, as letters. Names are beginnings of names on disk; a version may follow. */
struct script_letters {
        const char *no_file;  /* after which no file is run: -c COMMAND */
        const char *takes;    /* whose word, the rest or the next one, is theirs */
        const char *attached; /* whose rest of the word is theirs */
        const char *file;     /* whose next word is the file */
        bool is_shell;        /* options begin with + too, and letters with words stand among others */
};

/* Calls each for every name of a program that runs scripts (loaders of programs are not among them). */
void script_interpreters(void (*each)(void *arg, struct str name, const struct script_letters *letters), void *arg);

/* A path made absolute: against cwd, "." and ".." and doubled slashes resolved by name alone. */
struct str script_absolute(struct str path, struct str cwd, struct arena *arena);

#endif
