/*
 * The guard: what containers execute and open is looked at for malware before they may. Design: docs/adr/0008;
 * processes:
 *
 *         agent       holds the group, writes the alerts; starts the guardian, and starts it anew
 *         guardian    reads the events and answers them, out of its table of verdicts where it can; holds the leases.
 *                     Opens nothing, parses nothing. Starts the scanner, and starts it anew: what it was asked is asked
 *                     again, since the guardian still has the files
 *         walker      goes through the storages and hands files to the guardian, before anybody asks for them
 *         scanner     hands files to workers, and says what they said; on malware it starts a responder
 *         workers     sandboxed; read one file after the other
 *         responder   one a find: ends processes, quarantines, tells
 */
#ifndef SEKISHO_SERVE_GUARD_H
#define SEKISHO_SERVE_GUARD_H

#include "analyze/malware.h"

#define GUARD_STORAGES_MAX 16
#define GUARD_DEADLINE_MAX 600000         /* ms */
#define GUARD_RESCAN_MAX   (365u * 86400) /* s */

enum guard_level {
        GUARD_BALANCED, /* asks at exec, and at each open of what was written until it was found clean; the usual one */
        GUARD_LIGHT,    /* asks at exec; looks at what was written, afterwards */
        GUARD_STRICT,   /* asks at each open */
        GUARD_MODES
};

enum guard_choice { GUARD_USUAL, GUARD_ALLOW, GUARD_DENY }; /* GUARD_USUAL: as the mode has it */
enum guard_response { GUARD_KILL, GUARD_FREEZE, GUARD_NOTHING, GUARD_RESPONSES };

extern const char *const guard_level_names[GUARD_MODES];
extern const char *const guard_response_names[GUARD_RESPONSES];

struct guard_options {
        const char *storages[GUARD_STORAGES_MAX]; /* directories: the superblocks that they lie on are guarded */
        size_t n_storages;                        /* 0: no guard */
        bool may_be_root;
        enum guard_level mode;
        unsigned deadline_ms;         /* 0: 250 light, 1000 balanced, 2000 strict */
        enum guard_choice late;       /* what was not looked at by then: strict denies, the others allow */
        enum guard_choice incomplete; /* what could not be looked at in full: allowed, unless GUARD_DENY */
        enum guard_choice writable;   /* executing what somebody may write meanwhile: denied, unless GUARD_ALLOW */
        enum guard_response response;
        const char *quarantine; /* the store's directory; NULL: QUARANTINE_DIRECTORY; "": files stay where they are */
        bool dry_run;           /* everything is allowed and left, and told */
        bool no_ahead;          /* files are not looked at before somebody wants them */
        uint64_t rescan_s;      /* the walk through the storages is repeated so often; 0: never */
        struct malware_options malware;
};

#endif
