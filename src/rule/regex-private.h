/* The parts of a regular expression on its way from pattern (regex-parse.c) to program (regex.c). */
#ifndef SEKISHO_RULE_REGEX_PRIVATE_H
#define SEKISHO_RULE_REGEX_PRIVATE_H

#include "rule/regex.h"

#define REGEX_DEPTH_MAX  200  /* parentheses in each other */
#define REGEX_REPEAT_MAX 1000 /* as RE2 */
#define CODE_POINT_MAX   0x10ffff

struct range {
        uint32_t low, high; /* code points */
};

enum regex_kind { REGEX_EMPTY, REGEX_CLASS, REGEX_ALL, REGEX_ANY, REGEX_REPEAT, REGEX_LINE_START, REGEX_LINE_END };

struct regex_node {
        enum regex_kind kind;
        struct regex_node **children; /* of ALL in order, of ANY; of REPEAT one */
        size_t n;
        const struct range *ranges; /* of CLASS: sorted, without overlaps; none: matches nothing */
        size_t n_ranges;
        unsigned least, most; /* of REPEAT; most UINT_MAX: no end */
};

struct regex_node *rule_regex_parse(struct arena *arena, struct str pattern, char words[160], size_t *ret_at);

#endif
