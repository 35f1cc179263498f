/*
 * What runs on this host, by what the ledger knows of its images: which container is of which artefact, and what its
 * processes have loaded of the packages that the artefact's last scan found. Nothing is scanned: the ledger has the
 * programs of packages, the agent keeps what it saw processes run, map and open (serve/loaded.c).
 *
 * Where no agent looked, nothing is said of what is loaded. What is absent is looked up in the container's root now.
 */
#ifndef SEKISHO_FLOW_RUNNING_H
#define SEKISHO_FLOW_RUNNING_H

#include "base/map.h"
#include "report/report.h"
#include "source/container-find.h"
#include "store/store.h"

struct running_use {
        enum package_use use;
        struct str why; /* "nginx (pid 311) maps /usr/lib/libssl.so.3"; empty unless loaded */
};

struct running {
        struct container c;
        const struct book_item *item;  /* of the inventory; NULL: its image was never scanned into this ledger */
        bool is_watched, has_programs; /* by an agent; the ledger has the programs: both are needed to tell a use */
        int64_t since;                 /* watched since then */
        struct map_str by_name;        /* names of packages and of their sources -> struct running_use */
};

struct running_set {
        struct running *v; /* by name, then id */
        size_t n;
};

/* `dir`: where the agent keeps what is loaded; NULL: MAPPED_DIR. All but the maps lives in the arena. 0 or < 0. */
int running_find(struct book *b, const struct book_inventory *inventory, const char *dir, struct arena *arena,
                 struct running_set *ret, struct error *err);
void running_done(struct running_set *s);

/* The use of what an advisory calls by this name: a package, or the source of several. */
struct running_use running_use_of(const struct running *r, struct str package);

/* Its name, or what stands for it. */
struct str running_name(const struct running *r);

#endif
