/*
 * The files that a container's processes have had, kept by the agent for whoever scans that container: one small file
 * for each container, named after its id, written anew as a whole.
 *
 *         sekisho.loaded/1
 *         since 1700000000                          when watching began, seconds since 1970
 *         runs 0 311 nginx\tusr/sbin/nginx          how, replaced, pid, name, a tab, path
 *
 * Backslash, tab and newline in names and paths are written \134, \011 and \012.
 */
#ifndef SEKISHO_SENSE_MAPPED_FILE_H
#define SEKISHO_SENSE_MAPPED_FILE_H

#include "base/error.h"
#include "sense/mapped.h"

#define MAPPED_DIR      "/run/sekisho/loaded"
#define MAPPED_FILE_MAX ((size_t)32 << 20)

/* Writes `path`: a reader sees the old one or the whole new one. 0, or < 0 with words. */
int mapped_write(const struct mapped *m, int64_t since, const char *path, struct error *err);

/*
 * Adds what the text of such a file says. False if it is none, or not to its end (what came before is there then);
 * *ret_since is set if it is one.
 */
bool mapped_parse_file(struct mapped *m, struct str text, int64_t *ret_since);

#endif
