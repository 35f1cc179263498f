/*
 * YAML out of untrusted bytes, read with libyaml: all documents of a stream as trees of nodes in an arena. (YAML 1.1,
 * which is what libyaml, go-yaml and with them Kubernetes and Compose read; JSON is a subset, but for surrogate pairs
 * written as two \u escapes, which libyaml refuses.) UTF-8 or UTF-16 with its mark.
 *
 * - A node that is aliased is shared, not copied. All the same an alias is charged with everything below its anchor, so
 *   that whoever walks the tree visits at most YAML_NODES_MAX nodes: a "billion laughs" is refused where it is written.
 * - Merge keys ("<<") are already merged: the mapping holds the merged pairs in the place of the merge key, without
 *   those whose key it has itself.
 * - Keys that a mapping holds twice stay in it and are listed, for readers disagree about them. Callers that guard
 *   something refuse them.
 * - What is malformed is refused as a whole: a part of it, judged as if it were all, would be a lie.
 *
 * libyaml takes linear time for whatever is bounded here: nesting is (it looks at most 1024 characters ahead of the
 * events that it gives), and so is the number of tag directives, which it compares with each other.
 */
#ifndef SEKISHO_READ_YAML_H
#define SEKISHO_READ_YAML_H

#include "base/arena.h"
#include "base/error.h"

#define YAML_BYTES_MAX          (16u << 20) /* of a stream */
#define YAML_EXPANDED_BYTES_MAX (64u << 20) /* of all texts and tags, those of aliases each time */
#define YAML_NODES_MAX          1000000u    /* of a stream, those below aliases each time */
#define YAML_DEPTH_MAX          100         /* collections in each other */
#define YAML_TAG_DIRECTIVES_MAX 1000u
#define YAML_DUPLICATES_MAX     100u

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml_pair {
        const struct yaml_node *key, *value;
};

struct yaml_node {
        enum yaml_kind kind;
        bool plain;      /* of a scalar: written without quotes, not as a block, and without a tag */
        struct str text; /* of a scalar: UTF-8, with a NUL after it */
        size_t n;        /* items or pairs */
        union {
                const struct yaml_node *const *items; /* of a sequence */
                const struct yaml_pair *pairs;        /* of a mapping, in the order of the document */
        };
        const char *tag;       /* as written and resolved ("tag:yaml.org,2002:str", "!x"); NULL without one */
        uint32_t line, column; /* of its first character, from 1; of an aliased node: there where its anchor is */
        uint32_t end_line;     /* the line of its last character */
};

struct yaml_duplicate {
        struct str key;
        uint32_t line, column; /* of the second one */
        uint32_t first_line;
        bool is_merged; /* the second one comes from a merge key after the first: some readers let it win */
};

struct yaml {
        const struct yaml_node *const *documents;
        size_t n;
        const struct yaml_duplicate *duplicates; /* at most YAML_DUPLICATES_MAX: more is malformed */
        size_t n_duplicates;
        /*
         * The first scalar with the tag !!binary, or NULL. Readers decode such a text, keys too, so that what it says
         * is another thing than what it looks like; here it is as written. Callers that guard something refuse it.
         */
        const struct yaml_node *binary;
};

/*
 * All of a stream; nodes and texts live in the arena. An empty document is an empty scalar; a stream of nothing but
 * comments has no document. -EBADMSG: malformed, or past a limit; -EFBIG: longer than YAML_BYTES_MAX; -ENOMEM. The
 * words of malformed input begin with "line N, column N: ".
 */
int yaml_read(struct str bytes, struct arena *arena, struct yaml *ret, struct error *err);

/*
 * The getters take NULL and nodes of another kind as "not there", so that a reader can go down a path without asking
 * at each step.
 */

/* The value of that key, of the last one if it stands there twice (as go-yaml takes it); NULL if there is none. */
const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key);

struct str yaml_text(const struct yaml_node *n); /* of a scalar, also of a number or null; else STR_NONE */

bool yaml_is_null(const struct yaml_node *n); /* no node at all, or null as go-yaml reads it: ~, null, or nothing */

/*
 * What go-yaml v2 makes of plain scalars, by way of sigs.k8s.io/yaml: true, yes, on, y and their opposites, each in
 * lower case, upper case, or with a capital. A quoted "true" is text. False if it is no boolean.
 */
bool yaml_bool(const struct yaml_node *n, bool *ret);

/*
 * Likewise integers: decimal, 0x, 0o, 0b, 0777 (octal), "_" between digits, and floats without a fraction (80.0, 1e3),
 * which become integers on their way through JSON. False if it is none, or does not fit.
 */
bool yaml_int(const struct yaml_node *n, int64_t *ret);

#endif
