/*
 * The members of an image archive: where each lies, by name. The table is made from `member` facts, of a worker that
 * walked the archive (members_index) or of the job that read a stream.
 */
#ifndef SEKISHO_SOURCE_MEMBERS_H
#define SEKISHO_SOURCE_MEMBERS_H

#include "base/error.h"
#include "base/map.h"
#include "base/vec.h"
#include "fact/fact.h"
#include "fact/sink.h"
#include "read/tar.h"

#define MEMBERS_MAX       200000u
#define MEMBERS_TEXT_MAX  (64u << 20) /* bytes of names, links and content */
#define MEMBERS_LINKS_MAX 8           /* links that lead to links */

struct members {
        VEC(struct fact_member) v;
        struct map_str by_name;  /* to the index + 1 in v */
        struct set64 twice;      /* hashes of names that occur more than once */
        struct error incomplete; /* why the archive could not be walked to its end; "" if it could */
        uint64_t text_bytes;
};

void members_done(struct members *m);

/* Adds one; text is copied into the arena. False if that is past the limits. */
bool members_add(struct members *m, struct arena *arena, const struct fact_member *f);

/*
 * The member of that name, through links between members. -ENOENT: there is none; -ELOOP; -EBADMSG: there are two of
 * that name, so that nobody can say which is meant. Words in err.
 */
int members_find(const struct members *m, struct str name, const struct fact_member **ret, struct error *err);

/*
 * Walks an uncompressed archive in a sandboxed worker, content skipped. < 0 only where nothing can follow (no worker,
 * an interrupt); an archive that is cut short or corrupt gives the members before that, and `incomplete`.
 */
int members_index(int fd, uint64_t size, struct arena *arena, struct members *ret, struct error *err);

/*
 * What an entry of the outer tar is as a member: name, offset, size, and for links the full name of the member that is
 * meant, made in the arena. False for what is no member: directories, devices, sparse files, unsafe names.
 */
bool member_from_entry(const struct tar_entry *e, struct arena *arena, struct fact_member *ret);

#endif
