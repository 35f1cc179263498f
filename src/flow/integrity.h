/*
 * Integrity of chosen files: how they were when somebody said that this is right (the baseline), and what differs.
 * Files of the host, and of containers through their root; what they hold is digested, never parsed.
 *
 * The configuration is YAML, a list:
 *
 *         - path: /etc                        # or container:/etc
 *           exclude: [/etc/mtab, "*.swp"]     # paths, or ends of names with a star before
 *           compare: [content, mode, owner]   # default: all but mtime
 *           recursive: true                   # the default
 *
 * What cannot be read of a file is an entry that says so, and a change when it could be read before.
 */
#ifndef SEKISHO_FLOW_INTEGRITY_H
#define SEKISHO_FLOW_INTEGRITY_H

#include "base/error.h"
#include "base/map.h"
#include "base/vec.h"
#include "fact/fact.h"

#include <stdio.h>
#include <sys/stat.h>

#define INTEGRITY_BASELINE    "/var/lib/sekisho/integrity"
#define INTEGRITY_RULES_MAX   256u
#define INTEGRITY_ENTRIES_MAX 500000u
#define INTEGRITY_DEPTH_MAX   32u
#define INTEGRITY_FILE_MAX    ((uint64_t)1 << 30) /* larger files are compared by size and time */
#define INTEGRITY_HOST        "host"              /* the scope of the host's own files; others are ids of containers */

/* What is compared: bits, and their words in the configuration. */
enum {
        COMPARE_CONTENT = 1, /* digest, of links the target; size with it */
        COMPARE_MODE = 2,
        COMPARE_OWNER = 4,
        COMPARE_XATTRS = 8, /* but those that overlays keep for themselves */
        COMPARE_MTIME = 16,
        COMPARE_DEFAULT = COMPARE_CONTENT | COMPARE_MODE | COMPARE_OWNER | COMPARE_XATTRS,
};

struct integrity_rule {
        struct str path; /* without a slash at its end; "/" is empty */
        bool in_containers, recursive;
        unsigned compare;
        struct str_list exclude;
};

struct integrity_contents;

struct integrity_config {
        struct arena arena;
        VEC(struct integrity_rule) rules;
        struct integrity_contents *keep; /* where looking keeps what small texts hold; NULL: nowhere */
};

/* -EINVAL with words: a mistake, with its line. */
int integrity_config_read(struct integrity_config *c, const char *path, struct error *err);
int integrity_config_parse(struct integrity_config *c, struct str text, struct error *err);
void integrity_config_done(struct integrity_config *c);

/* The first rule that the path belongs to, or NULL. */
const struct integrity_rule *integrity_rule_of(const struct integrity_config *c, struct str path, bool in_container);

struct integrity_entry {
        struct str scope, path;
        uint32_t mode; /* with the type, as st_mode */
        uint32_t uid, gid;
        uint64_t size;
        int64_t mtime;
        struct str content; /* SHA-256 in hex; of links their target; "-": too large; "!": could not be read */
        struct str xattrs;  /* SHA-256 of names and values, empty without any */

        /* Not compared: whether it needs to be read again. */
        uint64_t ino;
        int64_t ctime_ns;
};

struct integrity_set {
        struct arena arena;
        VEC(struct integrity_entry) v; /* removed ones have no path */
        struct map64 by_path;          /* hash of scope and path -> 1 + index */
        int64_t made;                  /* seconds since 1970 */
        size_t unread, dropped;        /* files and directories that could not be read; entries beyond the limit */
};

void integrity_set_done(struct integrity_set *s);
const struct integrity_entry *integrity_find(const struct integrity_set *s, struct str scope, struct str path);
void integrity_put(struct integrity_set *s, const struct integrity_entry *e); /* copies; replaces one that is there */
void integrity_remove(struct integrity_set *s, struct str scope, struct str path);
void integrity_remove_scope(struct integrity_set *s, struct str scope);

/* An entry as a line of the file, with its end; and out of a line without it (texts in the arena, or views). */
void integrity_entry_print(FILE *to, const struct integrity_entry *e);
bool integrity_entry_read(struct str line, struct arena *arena, struct integrity_entry *ret);

/* No file is -ENOENT. */
int integrity_set_read(struct integrity_set *s, const char *path, struct error *err);
int integrity_set_parse(struct integrity_set *s, struct str text, struct error *err);
int integrity_set_write(const struct integrity_set *s, const char *path, struct error *err);

/*
 * Looks at everything of a scope below its root and puts it into *to. `known`, if not NULL: a file whose inode, size
 * and times are as they were there is not read again.
 */
void integrity_look(const struct integrity_config *c, struct str scope, int root_fd, const struct integrity_set *known,
                    struct integrity_set *to);

/* Looks at one path. False: it is not there, or not to be looked at. Texts live in the arena. */
bool integrity_look_at(const struct integrity_config *c, struct str scope, int root_fd, struct str path,
                       struct arena *arena, struct integrity_entry *ret);

/* What differs, in words: "mode 0644 -> 0666, owner 0:0 -> 5:5"; empty: nothing that the rule compares. */
struct str integrity_difference(const struct integrity_rule *rule, const struct integrity_entry *before,
                                const struct integrity_entry *after, struct arena *arena);

struct integrity_change {
        const struct integrity_entry *before, *after; /* NULL: it was added, removed */
        struct str words;                             /* "added", "removed", or what differs */
};

/* All changes of a scope, in order of path. How many. */
size_t integrity_compare(const struct integrity_config *c, struct str scope, const struct integrity_set *before,
                         const struct integrity_set *after, struct arena *arena, struct integrity_change **ret);

#endif
