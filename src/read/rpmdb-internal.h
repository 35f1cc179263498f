/* What the readers of rpm's databases share. Private to read/rpmdb*.c. */
#ifndef SEKISHO_READ_RPMDB_INTERNAL_H
#define SEKISHO_READ_RPMDB_INTERNAL_H

#include "read/rpmdb.h"

struct rpmdb_walk {
        struct str bytes;
        struct rpmdb_visitor *visitor;
        struct budget budget; /* headers, and their bytes: no more in all than the file has */
        size_t given, defects;
};

struct rpmdb_walk rpmdb_walk_from(struct str bytes, struct rpmdb_visitor *v);

/* Hands a header on. False: the walk must end, and why was told. */
bool rpmdb_give(struct rpmdb_walk *w, struct str header, uint64_t offset);
void rpmdb_defect(struct rpmdb_walk *w, const char *code, const char *why, uint64_t offset);

#endif
