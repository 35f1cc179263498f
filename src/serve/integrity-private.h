/* What the files of integrity share: its state, who changed a file, and the looks that a child takes. */
#ifndef SEKISHO_SERVE_INTEGRITY_PRIVATE_H
#define SEKISHO_SERVE_INTEGRITY_PRIVATE_H

#include "base/vec.h"
#include "flow/integrity-diff.h"
#include "serve/agent-private.h"
#include "serve/integrity-child.h"

#define INTEGRITY_SECOND INT64_C(1000000000)

struct checked_container {
        uint64_t cgroup_id;
        char *id;
        uint32_t pid; /* that has its root */
        dev_t root_dev;
        ino_t root_ino;
};

struct integrity_who {
        bool is_known;     /* exe and uid are */
        uint32_t pid, uid; /* 0: nobody saw */
        struct str exe;
        const char *when;              /* of what nobody saw */
        int64_t time_ns;               /* since 1970; 0: now */
        const struct process *process; /* NULL: it is gone */
};

enum look_kind {
        LOOK_FIRST, /* at everything of a scope: compared with its baseline, or that is taken */
        LOOK_AGAIN, /* the same later, for what no event told */
        LOOK_ONE,   /* at one file, for an event */
        LOOK_SAVE,  /* none: the baseline is written */
};

struct look {
        enum look_kind kind;
        char *scope, *path, *exe; /* path, exe: of LOOK_ONE; on the heap */
        struct integrity_who who;
        bool is_held; /* it waited for the first look at its scope */
};

struct integrity {
        struct agent *a;
        const char *path; /* of the baseline */
        struct integrity_config config;
        struct integrity_set approved, current;
        struct integrity_contents contents;
        struct integrity_differ differ;
        VEC(struct checked_container) v;
        int64_t next_ns;
        unsigned losses;     /* that were followed by a look at everything */
        size_t told, silent; /* of one look */

        struct integrity_child child; /* takes the first of the looks */
        VEC(struct look) looks;       /* in their order */
        struct set64 fresh;           /* scopes whose baseline was taken by this agent */
        struct set64 touched;         /* paths of its scope that events told of meanwhile: they know better */
        bool has_failed;              /* to write the baseline: told once */
};

/* A scope's root, or -1: it is gone. */
int integrity_open_root(struct integrity *g, struct str scope);

bool integrity_has_rules_for(const struct integrity *g, bool in_containers);

/* An alert of a change, unless there are too many of one look; at the end of it how many were not told. */
void integrity_tell(struct integrity *g, struct str scope, const struct integrity_change *x,
                    const struct integrity_who *who);
void integrity_end_of_look(struct integrity *g, struct str scope);

/* A path is like this now (NULL: it is not there): told if that differs, and kept. */
void integrity_found(struct integrity *g, struct str scope, struct str path, const struct integrity_entry *now,
                     const struct integrity_who *who);

/* ----------------------------------------------------------------------------------------- integrity-looks.c ---- */

/* Has its scope not been looked at for the first time yet? */
bool integrity_is_waiting(const struct integrity *g, struct str scope);

/* To be done when those before it are. What stands in the row already is not put there twice. */
void integrity_look_later(struct integrity *g, struct str scope, enum look_kind kind);
void integrity_look_at_later(struct integrity *g, struct str scope, struct str path, const struct integrity_who *who);

/* An event told of this path: a look that is under way saw it before that, or after. */
void integrity_touched(struct integrity *g, struct str scope, struct str path);

/* Begins the next look, if none is under way. */
void integrity_next_look(struct integrity *g);

/* A scope is gone; all are, at the end: what had to be written is written now. */
void integrity_forget_looks(struct integrity *g, struct str scope);
void integrity_end_looks(struct integrity *g);

#endif
