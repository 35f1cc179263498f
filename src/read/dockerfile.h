/*
 * A reader of Dockerfiles and Containerfiles: bytes in, instructions and stages out, as BuildKit's own frontend reads
 * them (docs.docker.com/reference/dockerfile): parser directives, comments, continuations with comments and empty lines
 * inside, heredocs, exec form with the fall back to shell form, flags, ONBUILD, stages, expansion of ARG and ENV.
 *
 * Every word knows where it stands: an offset in the source, of which dockerfile_place makes line and column. What is
 * malformed is a problem in a list, and reading goes on. Nothing recurses with the input; whatever it controls has a
 * limit below, and passing one is a problem too.
 */
#ifndef SEKISHO_READ_DOCKERFILE_H
#define SEKISHO_READ_DOCKERFILE_H

#include "base/arena.h"

#define DOCKERFILE_MAX              (4u << 20) /* bytes; of a longer file nothing is read */
#define DOCKERFILE_INSTRUCTIONS_MAX 20000u     /* what follows is not read */
#define DOCKERFILE_STAGES_MAX       1000u
#define DOCKERFILE_WORDS_MAX        200000u     /* of all instructions */
#define DOCKERFILE_HEREDOCS_MAX     64u         /* of one instruction */
#define DOCKERFILE_VALUE_MAX        (64u << 10) /* of a word after expansion; a longer one counts as not known */
#define DOCKERFILE_EXPANDED_MAX     (16u << 20) /* of all words after expansion; further ones count as not known */
#define DOCKERFILE_PROBLEMS_MAX     100u

#define DOCKERFILE_NONE SIZE_MAX

enum dockerfile_keyword {
        DOCKERFILE_UNKNOWN,
        DOCKERFILE_ADD,
        DOCKERFILE_ARG,
        DOCKERFILE_CMD,
        DOCKERFILE_COPY,
        DOCKERFILE_ENTRYPOINT,
        DOCKERFILE_ENV,
        DOCKERFILE_EXPOSE,
        DOCKERFILE_FROM,
        DOCKERFILE_HEALTHCHECK,
        DOCKERFILE_LABEL,
        DOCKERFILE_MAINTAINER,
        DOCKERFILE_ONBUILD, /* only an ONBUILD that holds nothing, or another ONBUILD */
        DOCKERFILE_RUN,
        DOCKERFILE_SHELL,
        DOCKERFILE_STOPSIGNAL,
        DOCKERFILE_USER,
        DOCKERFILE_VOLUME,
        DOCKERFILE_WORKDIR,
};

/* Text that was joined from parts of the source: the parts, each of which begins at `at` in text. */
struct dockerfile_part {
        size_t at, offset;
};

struct dockerfile_text {
        struct str text;
        const struct dockerfile_part *parts; /* sorted; the first one's `at` is 0 */
        size_t n_parts;
};

struct dockerfile_word {
        struct str text;    /* as written, continuations joined */
        struct str value;   /* expanded and without quotes where the instruction does that, else text */
        bool is_known;      /* false: a variable whose value nobody can know here stands in `value` as written */
        size_t offset, end; /* in the source */
};

struct dockerfile_flag { /* --name=value or --name */
        struct dockerfile_word name, value;
        bool has_value;
};

struct dockerfile_pair { /* of ENV, LABEL and ARG */
        struct dockerfile_word name, value;
        bool has_value; /* false: ARG name */
};

struct dockerfile_heredoc {
        struct str name;
        bool strips_tabs; /* <<-NAME */
        bool is_quoted;   /* <<"NAME": nothing in it is expanded */
        struct dockerfile_text body;
        size_t offset; /* of the word in the source */
};

struct dockerfile_instruction {
        enum dockerfile_keyword keyword; /* with is_onbuild: of the trigger */
        bool is_onbuild;
        struct dockerfile_word name; /* the keyword as written; with is_onbuild: the trigger's */
        size_t offset, end; /* in the source, heredocs and all; end is that of the last line, without its newline */
        uint32_t line, end_line; /* from 1 */
        size_t stage;            /* index, or DOCKERFILE_NONE before the first FROM */

        struct dockerfile_text line_text; /* the joined line, keyword and all */
        size_t arguments_at;              /* where in line_text what follows keyword and flags begins */
        struct dockerfile_flag *flags;
        size_t n_flags;
        bool is_exec; /* the JSON form; words are its elements, unexpanded */
        struct dockerfile_word *words;
        size_t n_words; /* RUN, CMD, ENTRYPOINT in shell form: none; HEALTHCHECK: NONE or CMD; USER and the like: one */
        struct dockerfile_pair *pairs;
        size_t n_pairs;
        size_t command_at; /* where in line_text a shell-form command begins, or DOCKERFILE_NONE */
        struct dockerfile_heredoc *heredocs;
        size_t n_heredocs;
};

struct dockerfile_stage {
        size_t instruction;           /* its FROM */
        struct dockerfile_word image; /* value: with global ARGs expanded */
        struct dockerfile_word name;  /* empty without AS */
        size_t parent;                /* the earlier stage that it is FROM, or DOCKERFILE_NONE */
};

struct dockerfile_comment {
        struct str text; /* from "#" on */
        size_t offset;
        uint32_t line;
        bool is_inside; /* among the lines of an instruction */
};

struct dockerfile_problem {
        const char *why;
        size_t offset;
};

struct dockerfile_mark { /* the place that was asked for last: the next one is mostly right behind it */
        size_t offset;
        uint32_t line, column;
};

struct dockerfile {
        struct str bytes;
        char escape;       /* '\\' or '`' */
        struct str syntax; /* of "# syntax=", or empty */
        struct dockerfile_instruction *instructions;
        size_t n_instructions;
        struct dockerfile_stage *stages;
        size_t n_stages;
        struct dockerfile_comment *comments;
        size_t n_comments;
        struct dockerfile_problem problems[DOCKERFILE_PROBLEMS_MAX];
        size_t n_problems;
        bool is_cut; /* a limit was passed: there is more than was read */
        const size_t *line_starts;
        size_t n_lines;
        struct dockerfile_mark *mark;
};

/* Reads all of bytes, which must outlive *ret; the rest of it lives in the arena. */
void dockerfile_read(struct str bytes, struct arena *arena, struct dockerfile *ret);

/* Line and column from 1; columns count characters (UTF-8; a byte that is none counts as one). */
void dockerfile_place(const struct dockerfile *d, size_t offset, uint32_t *ret_line, uint32_t *ret_column);

/* Where in the source the byte `at` of the text stands (at == its length: right after the last one). */
size_t dockerfile_offset(const struct dockerfile_text *t, size_t at);

/* The flag of that name, or NULL; the last one counts. */
const struct dockerfile_flag *dockerfile_flag(const struct dockerfile_instruction *i, const char *name);

/* The stage before number `before` of that name (in any case), or DOCKERFILE_NONE. A number names a stage for COPY. */
size_t dockerfile_stage_named(const struct dockerfile *d, struct str name, size_t before);
size_t dockerfile_stage_of_copy(const struct dockerfile *d, struct str name, size_t before);

const char *dockerfile_keyword_name(enum dockerfile_keyword k); /* "RUN"; "" for DOCKERFILE_UNKNOWN */

#endif
