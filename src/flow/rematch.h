/*
 * The stored package lists against today's advisories, without scanning anything again: which of what we have is
 * affected, by what is new since each artefact's last scan or by one advisory that somebody asks for.
 */
#ifndef SEKISHO_FLOW_REMATCH_H
#define SEKISHO_FLOW_REMATCH_H

#include "intel/db.h"
#include "store/store.h"

struct rematch_hit { /* an advisory that affects a package in some version */
        struct str id, package, version, fix, summary;
        enum severity severity;
        bool is_exploited;
        uint64_t epss;     /* as in the fact `vulnerability` */
        size_t *artefacts; /* indexes in the stock's artefacts, ascending */
        size_t n_artefacts;
};

struct rematch {
        struct rematch_hit *hits; /* worst first: known exploited, severity, EPSS; then id, package, version */
        size_t n_hits;
        size_t n_affected; /* different artefacts */
        size_t n_queries;  /* different questions that were put to the database */
        size_t n_blind;    /* artefacts with packages, about none of which anything can be asked */
        bool is_known;     /* the id that was asked for is in the database */
};

/*
 * id: one advisory (by any of its names); empty: all that an artefact's last scan did not have. All of *ret lives in
 * the arena. < 0 if the database is damaged.
 */
int rematch_run(const struct stock *s, const struct db *db, struct str id, struct arena *arena, struct rematch *ret,
                struct error *err);

/* Appends what was found to the ledger. */
int rematch_record(struct book *b, const struct book_stamp *stamp, const struct stock *s, const struct rematch *m,
                   const struct book_data *data, struct str id, uint64_t *ret_sequence, struct error *err);

#endif
