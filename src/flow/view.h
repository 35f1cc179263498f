/*
 * The view: the layers of an artefact merged as a container would see them. Who brought each file, who deleted it, who
 * owns it, and whether it is what its package shipped.
 *
 * A fact that a file states (a package, an owner, an os-release) counts if that very file is in the merged view: one
 * rule for databases that a layer rewrote, deleted or brought back.
 */
#ifndef SEKISHO_FLOW_VIEW_H
#define SEKISHO_FLOW_VIEW_H

#include "flow/layers.h"
#include "flow/loaded.h"
#include "report/report.h"

/* An entry of some layer, with what became of it. Directories and whiteouts are not among them. */
struct ledger_entry {
        const struct fact_file *file;
        size_t layer;
        size_t deleted_by;     /* the layer that deleted or replaced it, or NONE: it is in the view */
        enum file_state state; /* of entries in the view */
        struct str package;    /* the owner; empty if none */
        struct str why;        /* what differs; empty if nothing */
};

struct ledger {
        int (*entry)(void *arg, const struct ledger_entry *e); /* < 0 ends the walk with that error */
        /* Directories of the view, each as often as a layer has it, the one that counts last; may be NULL. */
        void (*directory)(void *arg, const struct fact_file *f, size_t layer);
        void *arg;
};

/* A secret, with what became of the file that it is in. */
struct view_secret {
        struct fact_secret secret;
        size_t layer;
        size_t deleted_by;      /* the layer that deleted or replaced the file, or NONE: it is in the view */
        struct str package;     /* that owns the file; empty if none */
        bool is_verified;       /* the file is what its package shipped */
        struct str certificate; /* "/etc/tls/x.crt (www.example.org)": of a private key, if one is in the artefact */
};

/* Malware, with what became of the file that holds it. */
struct view_malware {
        struct fact_malware fact;
        size_t layer;
        size_t deleted_by; /* the layer that deleted or replaced it, or NONE: it is in the view */
};

struct view {
        bool has_os;
        struct fact_os os;
        size_t os_layer;
        struct report_package *packages; /* without purl; in no particular order */
        size_t n_packages;
        size_t databases;            /* package database files in the view */
        struct view_secret *secrets; /* of all layers, base first */
        size_t n_secrets;
        bool is_partial; /* a part of a layer, or of a package database in the view, could not be read */
        struct coverage coverage;
        struct view_malware *malware; /* by layer, in the order in which it was found */
        size_t n_malware;
        struct report_program *programs; /* that packages own, in no particular order */
        size_t n_programs;
        bool has_programs; /* all of them: they are no more than VIEW_PROGRAMS_MAX */
};

/* A file that lists packages: what it hides, nobody compares with advisories. */
bool is_package_list(struct str path);

#define VIEW_PROGRAMS_MAX 262144u
#define VIEW_SAMPLE_MAX   1000 /* files named one by one in the coverage; the counts are exact */

/*
 * Merges the layers (base first). All of *ret lives in the arena. The ledger, if not NULL, is told of every entry of
 * every layer: base layer first, each layer in its own order. `loaded`, if not NULL, is what its processes have.
 */
int view_make(const struct layers *l, struct arena *arena, const struct ledger *ledger, const struct loaded *loaded,
              struct view *ret, struct error *err);

#endif
