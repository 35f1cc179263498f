/* What the files of the Dockerfile reader share: the reader's state, words, and the variables in scope. */
#ifndef SEKISHO_READ_DOCKERFILE_INTERNAL_H
#define SEKISHO_READ_DOCKERFILE_INTERNAL_H

#include "base/budget.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "read/dockerfile.h"

/* The variables of a stage. What a parent stage has set is in force too, unless it was set again. */
struct dockerfile_scope {
        struct map_str variables; /* to struct dockerfile_variable */
        const struct dockerfile_scope *parent;
        unsigned depth;   /* parents above it; those past SCOPE_DEPTH_MAX are not asked */
        bool is_complete; /* what is not set has no value: before the first FROM, and in stages FROM scratch */
};

#define SCOPE_DEPTH_MAX 64

struct dockerfile_variable {
        struct str value;
        bool is_known, is_env;
        bool is_unset; /* an ARG without a default: not known, unless the reference brings one */
};

struct dockerfile_reader {
        struct dockerfile *d;
        struct arena *arena;
        size_t at;     /* in the source: the next line */
        uint32_t line; /* its number, from 1 */
        VEC(struct dockerfile_instruction) instructions;
        VEC(struct dockerfile_stage) stages;
        VEC(struct dockerfile_comment) comments;
        VEC(struct dockerfile_part) parts; /* of the line that is being joined */
        struct buf joined;
        struct budget words, expanded, steps;
        struct dockerfile_scope globals, *scope; /* of ARGs before the first FROM; of the stage, or NULL */
        VEC(struct dockerfile_scope *) scopes;   /* one a stage */
};

void dockerfile_problem(struct dockerfile_reader *r, size_t offset, const char *why);

/* A word [from, to) of the instruction's joined line, unexpanded. */
struct dockerfile_word dockerfile_word_at(const struct dockerfile_instruction *i, size_t from, size_t to);

/* Splits what stands in line_text from arguments_at on, by the form that the keyword asks for. */
void dockerfile_read_arguments(struct dockerfile_reader *r, struct dockerfile_instruction *i);

/* Finds the <<NAME words of the joined line (their bodies are not read yet). */
void dockerfile_find_heredocs(struct dockerfile_reader *r, struct dockerfile_instruction *i);

/* Expands a word in place: by the scope of its stage, or by the global ARGs for FROM. */
void dockerfile_expand(struct dockerfile_reader *r, const struct dockerfile_scope *scope, struct dockerfile_word *w);

/* Expands what the instruction expands, then makes the stage, the ARG or the ENV that it defines. */
void dockerfile_evaluate(struct dockerfile_reader *r, struct dockerfile_instruction *i);

void dockerfile_scopes_done(struct dockerfile_reader *r);

static inline bool dockerfile_is_blank(char c) { return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r'; }

#endif
