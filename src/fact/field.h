/*
 * Rule fields: what a condition may ask, stage by stage. Three tables, one line a field: fields-syscall.def (Falco's
 * syscall source), fields-policy.def (findings and artefacts), fields-check.def (configuration files). The language,
 * its checks, `sekisho rule fields` and the documentation are made from them.
 *
 *         FIELD(id, "name", TYPE, ARGUMENT, TRAITS, STAGES, MISSING, "what it is, with its unit")
 *
 * id is the name with '_' for '.', and gives FIELD_id. TYPE is a VALUE_ of value.h. MISSING is NULL, or what stands
 * between the field and being delivered, as the end of the sentence "not delivered yet: ...".
 */
#ifndef SEKISHO_FACT_FIELD_H
#define SEKISHO_FACT_FIELD_H

#include "fact/value.h"

#define FIELD(id, name, type, argument, traits, stages, missing, doc) FIELD_##id,
enum field_id {
#include "fact/fields-check.def"
#include "fact/fields-policy.def"
#include "fact/fields-syscall.def"
        FIELDS
};
#undef FIELD

enum field_argument {
        ARGUMENT_NONE,
        ARGUMENT_INDEX,        /* may have [number] */
        ARGUMENT_KEY,          /* may have [text] or [number], or a further part of its name: image.labels[a.b/c] */
        ARGUMENT_KEY_REQUIRED, /* must have one: evt.arg.flags, evt.arg[0] */
};

enum field_traits {
        FIELD_LIST = 1,        /* holds several values: only in, intersects and exists compare it */
        FIELD_EITHER = 2,      /* holds several values as if one (fd.ip): true if one of them is; != if none is equal */
        FIELD_MANY = 4,        /* the same (proc.aname), but != is true if one of them differs */
        FIELD_OUTPUT_ONLY = 8, /* for output templates, not for conditions */
        FIELD_CONDITION_ONLY = 16, /* the other way round */
        FIELD_DEPRECATED = 32,     /* still understood; the doc says what to use instead */
        FIELD_VARIANT = 64,        /* evt.rawarg: a number or a text, as the value comes */
};

/* Where a rule is evaluated. The values are bits of a set. */
enum stage {
        STAGE_BUILD = 1,    /* while an image is built */
        STAGE_SCAN = 2,     /* sekisho scan */
        STAGE_ADMIT = 4,    /* before something is started: engine, registry, cluster */
        STAGE_RUN = 8,      /* what is known of running containers' artefacts */
        STAGE_SYSCALL = 16, /* events of the running host: Falco's source "syscall" */
        STAGE_CHECK = 32,   /* parts of configuration files: sekisho check */
};
#define STAGE_LAST    STAGE_CHECK
#define STAGES_POLICY (STAGE_BUILD | STAGE_SCAN | STAGE_ADMIT | STAGE_RUN)
#define STAGES_ALL    (STAGES_POLICY | STAGE_SYSCALL | STAGE_CHECK)

/* "build", "scan", "admit", "run", "syscall", "check"; NULL of anything else. Parse returns 0 for an unknown name. */
const char *stage_name(enum stage s);
enum stage stage_parse(struct str name);

struct field {
        const char *name;
        enum field_id id;
        enum value_type type;
        enum field_argument argument;
        unsigned traits;     /* of enum field_traits */
        unsigned stages;     /* of enum stage */
        const char *missing; /* NULL: delivered */
        const char *doc;
};

extern const struct field fields[FIELDS]; /* by id */

/*
 * The field of that name, without what stands in brackets ("proc.aname", "evt.arg.flags"), or NULL. What stands behind
 * the name of a field with a key ("flags") is *ret_rest, else STR_NONE. The longest name wins.
 */
const struct field *field_find(struct str name, struct str *ret_rest);

/* The name nearest to a wrong one among those that exist in all of the stages, or NULL. */
const char *field_nearest(struct str name, unsigned stages);

/* The closed set of values that a field can have, NULL-terminated, or NULL if it is open. Values outside are mistakes.
 */
const char *const *field_words(enum field_id id);

/* How many words evt.type has. */
size_t field_n_events(void);

/*
 * For "did you mean": the number of letters to add, drop, change or swap in order to make b of a (in any case), or
 * more than `most` as soon as that is sure.
 */
unsigned word_distance(struct str a, struct str b, unsigned most);

/* The nearest of NULL-terminated words to a wrong one, or NULL if none is near. */
const char *words_nearest(struct str word, const char *const *words);

#endif
