/*
 * Shell scripts, read well enough to judge them: which simple commands there are, with which words, and how they are
 * joined. POSIX sh (XCU 2) with what bash adds and Dockerfiles use: [[ ]], (( )), $'..', <(..), |&, &>, <<<.
 *
 * Nothing is executed or expanded. A word is literal if the shell takes it as it stands; else its value holds the
 * expansions as written. Compound commands (if, while, for, case, {}, (), functions) are not kept as such: the simple
 * commands in them are, in the order in which they stand; so are those of $(..), `..` and <(..), deeper by one.
 */
#ifndef SEKISHO_READ_SHELL_WORDS_H
#define SEKISHO_READ_SHELL_WORDS_H

#include "base/arena.h"

#define SHELL_WORDS_MAX    100000u /* of a script, with its redirections: more is not read */
#define SHELL_DEPTH_MAX    24u     /* substitutions in substitutions */
#define SHELL_CASES_MAX    64u     /* case in case */
#define SHELL_HEREDOCS_MAX 64u     /* begun on one line */

enum shell_join {             /* what stands between a command and the one before it */
                  SHELL_THEN, /* ; newline, &, a keyword, or nothing */
                  SHELL_AND,
                  SHELL_OR,
                  SHELL_PIPE,
};

struct shell_word {
        struct str text;    /* as written */
        struct str value;   /* without quotes */
        bool is_literal;    /* holds no expansion */
        bool is_quoted;     /* a part of it was */
        size_t offset, end; /* in the script */
};

struct shell_redirect {
        char op[4]; /* "<", ">", ">>", "<<", "<<-", "<<<", "<&", ">&", "<>", ">|", "&>" */
        struct shell_word target;
        struct str body; /* of a heredoc */
};

struct shell_command {
        struct shell_word *assignments; /* NAME=value before the words */
        size_t n_assignments;
        struct shell_word *words; /* may be none */
        size_t n_words;
        struct shell_redirect *redirects;
        size_t n_redirects;
        enum shell_join join;
        uint32_t pipeline; /* a number: the same for commands that pipes join */
        uint32_t position; /* in it, from 0 */
        bool feeds_pipe;   /* its output goes into a pipe */
        unsigned depth;    /* of substitutions around it */
        size_t offset, end;
};

struct shell_script {
        struct shell_command *commands;
        size_t n;
        bool has_pipe;
        size_t pipe_offset; /* of the first | */
        const char *why;    /* NULL, or why reading ended before the end of the script */
        size_t why_offset;
};

/* Reads a script. The views point into text and the arena. */
void shell_read(struct str text, struct arena *arena, struct shell_script *ret);

#endif
