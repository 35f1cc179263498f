/* What the commands that use the ledger share: opening it, who and when, and how they write. */
#ifndef SEKISHO_CLI_BOOK_H
#define SEKISHO_CLI_BOOK_H

#include "cli/command.h"
#include "report/document.h"
#include "report/screen.h"
#include "store/store.h"

#define LEDGER_OPTION                                                                                                  \
        {                                                                                                              \
                "ledger", 0, "FILE",                                                                                   \
                        "the ledger (default: $SEKISHO_LEDGER, else the usual place: sekisho help recording)"          \
        }
#define FORMAT_OPTION                                                                                                  \
        {                                                                                                              \
                "output", 'o', "FORMAT", "table or json (default: table)"                                              \
        }

struct book_settings { /* of all these commands; filled in by book_option */
        const char *ledger, *db, *id, *checkpoint;
        bool json, quiet;
        bool only_loaded, only_running;
};

int book_option(void *state, const struct option_spec *o, const char *value, struct error *err);

/* Opens the ledger: 0, or the exit code after it was told why not. */
int book_open_or_tell(const char *path, enum book_mode mode, struct book **ret);

/* $SEKISHO_ACTOR, else who called sudo, else the user: "alice"; and now. */
struct book_stamp stamp_now(struct arena *arena);
struct str host_name(struct arena *arena);

/* For the terminal or pipe on standard output. */
struct screen screen_on_stdout(struct arena *arena);

/* "2026-11-26 12:04" in local time; "never" for 0. zone: "+0100 (CET)". Both live in the arena. */
struct str moment_words(struct arena *arena, int64_t t);
struct str zone_words(struct arena *arena, int64_t t);

/* "6 findings: 1 critical, 2 high"; "no findings". */
struct str counts_words(struct arena *arena, const uint64_t counts[static SEVERITY_COUNTS]);

/* Writes the document to standard output and frees it. The exit code is as given, or EXIT_INCOMPLETE. */
int put_document(json_t *document, int exit_code);

#endif
