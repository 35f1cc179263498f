/* How the ledger's commands show what running containers have loaded. */
#ifndef SEKISHO_CLI_RUNNING_H
#define SEKISHO_CLI_RUNNING_H

#include "cli/book.h"
#include "flow/running.h"

/* A vulnerability of an artefact, and what a container of it does with it. */
struct running_finding {
        const struct running *container;
        const struct book_finding *finding;
        struct running_use use;
};

/* An artefact's vulnerabilities in all containers of it. */
struct running_item {
        size_t n_containers, n_known;  /* that run; of which a use can be told */
        uint64_t counts[PACKAGE_USES]; /* different vulnerabilities, by the most that any container does with them */
        struct running_finding *v;     /* of each container: loaded first, then worst severity, then key */
        size_t n;
};

/* Reads what an item's containers do with its open findings. Lives in the arena. */
int running_item_read(struct book *b, const struct running_set *set, const struct book_item *item, struct arena *arena,
                      struct running_item *ret, struct error *err);

/* "2 of 14 loaded", "14, not known which", or nothing if no container of it runs. */
struct str running_words(struct arena *arena, const struct running_item *r);

/* Why nothing is said of a container's uses; empty if it is known. */
struct str running_doubt(struct arena *arena, const struct running *r);

/* Its containers, each with its findings. */
json_t *running_document(const struct running_set *set, const struct book_item *item, const struct running_item *r,
                         struct arena *arena);

/* The rows of what is loaded, for a person. */
void running_print(struct arena *arena, const struct running_item *r);

#endif
