/*
 * Output templates: text with fields in it, as Falco writes them. %field, %field[argument], %field.argument,
 * %tolower(field) and the other transformers, %% for a percent sign, %10field for a field cut or filled to ten
 * characters. A "*" at the start means that fields may be absent, which they may anyway. %container.info stands for the
 * container's id and name.
 */
#ifndef SEKISHO_RULE_OUTPUT_H
#define SEKISHO_RULE_OUTPUT_H

#include "read/yaml.h"
#include "rule/graph.h"

struct compiler;
struct source_file;

struct output_part {
        struct str text;         /* before the field */
        const struct expr *expr; /* NULL: no field behind the text */
        uint32_t width;          /* 0: as it is */
};

struct output_template {
        const struct output_part *parts;
        size_t n;
};

/*
 * Compiles a template for rules of those stages; mistakes are problems at its node (or the rule's place). Never NULL.
 */
struct output_template *output_compile(struct compiler *c, struct str text, unsigned stages,
                                       const struct source_file *file, const struct yaml_node *node,
                                       struct place rule_place);

#endif
