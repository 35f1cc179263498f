/*
 * Dockerfile rules: rows of tables, each a check and the function that looks for it. The tables are in the files
 * dockerfile-*.c; dockerfile.c reads the file, and calls each rule for the file, each instruction and each command.
 */
#ifndef SEKISHO_ANALYZE_DOCKERFILE_LINT_H
#define SEKISHO_ANALYZE_DOCKERFILE_LINT_H

#include "analyze/check.h"
#include "read/dockerfile.h"
#include "read/shell-words.h"

/* A shell script of an instruction: its command in shell form, the body of a heredoc, the argument of sh -c. */
struct script {
        const struct dockerfile_instruction *in;
        const struct dockerfile_text *text; /* places: the script's byte k is text's byte at + k */
        size_t at;
        struct shell_script shell;
        bool has_pipefail; /* its shell was started with -o pipefail */
        bool is_editable;  /* its bytes are those of the source: a place to edit */
};

/* A simple command, without what only wraps it: sudo, env, exec, time, nice... */
struct command {
        const struct script *script;
        const struct shell_command *shell;
        size_t number;                 /* in the script */
        const struct shell_word *argv; /* argv[0] is the command; argc > 0 */
        size_t argc;
        struct str name; /* argv[0] without its directory; empty if it is not literal */
};

struct stage_facts {
        bool ships; /* its files are in the final image: the last stage, and its parents */
        const struct dockerfile_instruction *user; /* the last USER, its own or a parent's; or NULL */
        bool has_workdir;                          /* its own or a parent's */
        bool has_healthcheck;
};

struct lint {
        const struct dockerfile *d;
        struct check_page *page;
        const struct check_settings *settings;
        struct arena *arena;
        VEC(struct script) scripts; /* in the order of the file */
        VEC(struct command) commands;
        size_t *first_command; /* of each instruction, and one more: an index into commands */
        struct stage_facts *stages;
        size_t skipped_shells; /* RUN instructions for another shell, which nobody looked into */
};

struct lint_rule {
        struct check check;
        void (*on_file)(struct lint *l, const struct lint_rule *r);
        void (*on_instruction)(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i);
        void (*on_command)(struct lint *l, const struct lint_rule *r, const struct command *c);
        const void *data; /* of the function */
};

struct lint_table {
        const struct lint_rule *v;
        size_t n;
};

extern const struct lint_table dockerfile_rules_stages, dockerfile_rules_instructions, dockerfile_rules_packages,
        dockerfile_rules_commands, dockerfile_rules_labels, dockerfile_rules_danger, dockerfile_rules_secrets;

/* A finding at this place of the source, about the instruction. False: it is not reported, and takes no edits. */
bool lint_hit(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i, size_t offset,
              const char *fmt, ...) _printf_(5, 6);

/* The same at a word of a command. */
bool lint_hit_command(struct lint *l, const struct lint_rule *r, const struct command *c, const struct shell_word *at,
                      const char *fmt, ...) _printf_(5, 6);

/* Where a byte of the script stands in the source. */
size_t lint_offset(const struct script *s, size_t at);

/* The stage that the instruction stands in; NULL before the first FROM. */
const struct stage_facts *lint_stage(const struct lint *l, const struct dockerfile_instruction *i);
bool lint_is_final(const struct lint *l, const struct dockerfile_instruction *i);

/* The commands of an instruction, of all its scripts. */
const struct command *lint_commands(const struct lint *l, const struct dockerfile_instruction *i, size_t *ret_n);

/* Whether RUN has --mount=type=cache (or tmpfs) whose target is `path` or above it. */
bool lint_has_cache(const struct dockerfile_instruction *i, const char *path);

/* --- commands --- */

bool command_is(const struct command *c, const char *names);   /* one of these, separated by spaces */
bool word_is_one_of(struct str word, const char *words);       /* exactly one of them */
bool command_has(const struct command *c, const char *words);  /* an argument that is one of these, or one=value */
bool command_has_letter(const struct command *c, char letter); /* in a cluster of short options: -qy */

/*
 * The subcommand (the first operand), if it is one of `names`: its index in argv, else 0. Options in `valued` take the
 * word after them.
 */
size_t command_subcommand(const struct command *c, const char *valued, const char *names);

/* The operand after argv[k]: its index, or 0. */
size_t command_next_operand(const struct command *c, const char *valued, size_t k);

/* --- images --- */

struct image_name {
        struct str registry; /* "docker.io" where it is not said */
        struct str name, tag, digest;
};

struct image_name image_name_of(struct str reference);

/* Whether the word names an image from outside: no stage, not scratch, and known as far as its name goes. */
bool is_external_image(const struct lint *l, const struct dockerfile_word *w, size_t before_stage);

#endif
