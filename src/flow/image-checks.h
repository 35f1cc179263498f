/*
 * Checks of an image as a whole: how it is configured, how it was built, and what in its files should not be there. The
 * files are noted while the layers are merged; nothing here reads the image again.
 */
#ifndef SEKISHO_FLOW_IMAGE_CHECKS_H
#define SEKISHO_FLOW_IMAGE_CHECKS_H

#include "analyze/check.h"
#include "base/map.h"
#include "flow/view.h"

#define IMAGE_AGE_DAYS   180  /* an older image is a finding */
#define IMAGE_NOTED_MAX  2000 /* files of a kind that are noted one by one; the counts are exact */
#define IMAGE_LISTED_MAX 5    /* of them in the words of a finding */

enum image_list {                      /* lists of files */
                  IMAGE_SETID_UNKNOWN, /* setuid or setgid, of no package */
                  IMAGE_SETID_OWNED,
                  IMAGE_WRITABLE_FILES, /* by anybody */
                  IMAGE_WRITABLE_DIRECTORIES,
                  IMAGE_CAPABLE, /* with file capabilities; the words say which */
                  IMAGE_MANAGERS,
                  IMAGE_COMPILERS,
                  IMAGE_SHELLS,
                  IMAGE_TOOLS, /* that talk to the network or look into processes */
                  IMAGE_LISTS
};

struct image_file {
        struct str path, words;
};

struct image_files {
        struct ledger ledger; /* give it to view_make; hands on to another one */
        const struct ledger *next;
        struct arena *arena;
        VEC(struct image_file) lists[IMAGE_LISTS];
        uint64_t counts[IMAGE_LISTS];
        struct map_str directories; /* writable by anybody, or a user's: to struct image_directory */
        VEC(struct image_directory *) in_order;
        bool has_tmp, has_run;
};

struct image_directory {
        struct str path;
        uint64_t mode, uid;
};

void image_files_begin(struct image_files *f, struct arena *arena, const struct ledger *next);
void image_files_done(struct image_files *f);

/* All checks that the image fails, at most one fact for each: `check` facts with their words, in the arena. */
const struct fact_check *image_checks(const struct report *r, struct image_files *f, struct arena *arena,
                                      size_t *ret_n);

/* The i-th check of images, NULL past the last. */
const struct check *image_check_at(size_t i);

/*
 * Whether the image can run with a read-only root: "can run read-only with 2 mounts: /run, /tmp", or what prevents it.
 * An estimate from its entry point, its volumes and the owners of its directories. False: nothing can be said.
 */
bool image_read_only_advice(const struct report *r, const struct image_files *f, struct arena *arena, struct str *ret);

#endif
