/*
 * Facts: what every stage observes, in one vocabulary. The kinds and their fields stand in kinds.def; this header makes
 * of them `enum fact_kind`, one `struct fact_KIND` each, and a table that knows each field's name, type, offset and
 * meaning, from which the wire form, JSON and the rules' fields are made.
 *
 * The views inside a fact belong to whoever made it: an arena, or the message that it was decoded from.
 */
#ifndef SEKISHO_FACT_FACT_H
#define SEKISHO_FACT_FACT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"

struct str_list {
        struct str *v;
        size_t n;
};

enum severity { SEVERITY_UNKNOWN, SEVERITY_NONE, SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL };

/* "unknown", "none", "low", "medium", "high", "critical"; parse knows "negligible", "moderate", "important" too. */
const char *severity_name(enum severity s);
bool severity_parse(struct str s, enum severity *ret);

enum file_type {
        FILE_REGULAR,
        FILE_DIRECTORY,
        FILE_SYMLINK,
        FILE_HARDLINK,
        FILE_CHAR,
        FILE_BLOCK,
        FILE_FIFO,
        FILE_WHITEOUT, /* deletes path and all below it from the layers under this one */
        FILE_OPAQUE,   /* hides what the layers under this one have below the directory path */
};

enum file_format { FORMAT_OTHER, FORMAT_EMPTY, FORMAT_ELF, FORMAT_SCRIPT, FORMAT_PE };

typedef struct str fact_STR, fact_VERSION, fact_BYTES;
typedef struct str_list fact_LIST;
typedef uint64_t fact_NUM;
typedef int64_t fact_TIME;
typedef bool fact_FLAG;
typedef enum severity fact_SEVERITY;

enum fact_type { TYPE_STR, TYPE_NUM, TYPE_FLAG, TYPE_LIST, TYPE_TIME, TYPE_VERSION, TYPE_SEVERITY, TYPE_BYTES };

#define KIND(kind, doc) FACT_##kind,
#define FIELD(kind, type, name, doc)
#define END(kind)
enum fact_kind {
#include "fact/kinds.def"
        FACT_KINDS
};
#undef KIND
#undef FIELD
#undef END

#define KIND(kind, doc)              struct fact_##kind {
#define FIELD(kind, type, name, doc) fact_##type name;
#define END(kind)                                                                                                      \
        }                                                                                                              \
        ;
#include "fact/kinds.def"
#undef KIND
#undef FIELD
#undef END

struct fact_field {
        const char *name, *doc;
        enum fact_type type;
        size_t offset;
};

struct fact_info {
        const char *name, *doc;
        size_t size; /* of the struct */
        const struct fact_field *fields;
        size_t n_fields;
};

extern const struct fact_info fact_infos[FACT_KINDS];

#define FACT_LIST_MAX (1u << 20) /* texts of one list: more are not decoded */

/* Appends the wire form of a fact (struct fact_KIND of that kind). The buffer is full after a list beyond
 * FACT_LIST_MAX. */
void fact_encode(enum fact_kind kind, const void *fact, struct buf *to);

/*
 * Reads one fact's wire form into ret (zeroed first). Text and bytes are views into the cursor's bytes; lists are
 * allocated in the arena. False if the bytes are not such a fact; nothing is read past the cursor's end.
 */
bool fact_decode(enum fact_kind kind, struct cursor *from, struct arena *arena, void *ret);

/* A copy that lives in the arena with all its text. */
void fact_copy(enum fact_kind kind, struct arena *arena, const void *fact, void *ret);

#endif
