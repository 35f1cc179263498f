/*
 * Owners: which package claims a file, and what it should hold. Files are found under their real names: dpkg may still
 * call a file bin/x where bin is a link to usr/bin.
 */
#ifndef SEKISHO_FLOW_OWNERS_H
#define SEKISHO_FLOW_OWNERS_H

#include "base/map.h"
#include "base/vec.h"
#include "fact/fact.h"

#define OWNERS_ALIASES_MAX 64

struct owner {
        uint32_t package;     /* index, as given to owners_add */
        uint32_t digest;      /* where the promised digest stands in `digests` */
        uint8_t digest_bytes; /* 0: none promised; 16 MD5, 20 SHA-1, 32 SHA-256 */
        bool is_config;
        bool is_found; /* for the caller: the file was met */
};

struct owner_alias {
        struct str from, to;
};

struct owners {
        struct arena arena;
        struct map64 by_path; /* hash of the path -> 1 + index in list */
        VEC(struct owner) list;
        struct buf digests;
        VEC(struct owner_alias) aliases;
};

void owners_init(struct owners *o);
void owners_done(struct owners *o);

/* A link at the root of the view, "bin" to "usr/bin"; others are ignored. All must come before the first owners_add. */
void owners_alias(struct owners *o, const struct fact_file *link);

/* Adds a claim. The first package that promises a digest for a path owns it. */
void owners_add(struct owners *o, const struct fact_owned *claim, uint32_t package);

struct owner *owners_find(struct owners *o, uint64_t path_hash);   /* NULL: nobody claims it */
struct owner *owners_find_path(struct owners *o, struct str path); /* the same, links at the root followed */
struct str owner_digest(const struct owners *o, const struct owner *owner);

#endif
