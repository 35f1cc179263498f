/*
 * Checking files: what `sekisho check` does between the command line and the report. Files are found and read here, by
 * the parent; what is in them is parsed by one worker in the sandbox, whose facts are believed in nothing: the words of
 * a check come from the parent's own table, edits are held against the bytes that were read.
 */
#ifndef SEKISHO_FLOW_CHECK_H
#define SEKISHO_FLOW_CHECK_H

#include "analyze/check.h"
#include "base/error.h"
#include "report/check.h"

#define CHECK_FILES_MAX   50000u       /* files that are read */
#define CHECK_ENTRIES_MAX 1000000u     /* of directories, looked at */
#define CHECK_DEPTH_MAX   64u          /* directories in directories */
#define CHECK_BYTES_MAX   (512u << 20) /* of all files together */
#define CHECK_RESULTS_MAX 500000u      /* facts of the worker */

struct check_run {
        struct arena arena;
        VEC(struct check_file) files; /* read; path as given, or below a directory that was given */
        VEC(struct fact_check) findings;
        VEC(struct fact_edit) edits; /* of finding edit_of[i] */
        VEC(size_t) edit_of;
        VEC(struct fact_unread) unread;
        size_t n_ignored_names; /* files of directories that no checker wants */
        uint64_t bytes;
};

/*
 * Adds a file, whatever it is called, or the files of a directory that some checker wants by their name. Symbolic links
 * in a directory are not followed; .git is passed over, and said. What cannot be read is in `unread`. "-": standard
 * input. < 0 only where the path itself cannot be opened; words in err.
 */
int check_add_path(struct check_run *run, const char *path, struct error *err);

/* Runs the worker. < 0: it failed as a whole, or was interrupted. Findings are sorted by file, then place. */
int check_run(struct check_run *run, const struct check_settings *settings, struct error *err);

/*
 * The bytes of file i with the edits of all findings that are not waived; NULL in ret->p if there are none. Edits that
 * overlap an earlier one are left out: their findings are found again by the next run.
 */
struct str check_fixed(struct check_run *run, size_t i, size_t *ret_n_fixed);

void check_run_done(struct check_run *run);

#endif
