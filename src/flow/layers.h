/*
 * Reading the layers of an artefact: one sandboxed worker a layer (or one for a whole stream archive), and what came
 * of each, kept apart until the view merges them.
 */
#ifndef SEKISHO_FLOW_LAYERS_H
#define SEKISHO_FLOW_LAYERS_H

#include "analyze/content.h"
#include "base/budget.h"
#include "base/spool.h"
#include "base/vec.h"
#include "source/source.h"

VEC_TYPE(path_vec, struct str);
VEC_TYPE(package_vec, struct fact_package);
VEC_TYPE(os_vec, struct fact_os);
VEC_TYPE(certificate_vec, struct fact_certificate);
VEC_TYPE(secret_vec, struct fact_secret);
VEC_TYPE(unread_vec, struct fact_unread);
VEC_TYPE(malware_vec, struct fact_malware);

struct layer_facts {
        struct arena arena;        /* of the vectors' text */
        struct spool files;        /* wire form of `file` facts, in the layer's order */
        struct spool owned;        /* wire form of `owned` facts */
        struct buf record;         /* room for one of them */
        struct path_vec databases; /* that `owned` facts came out of; some more than once */
        struct package_vec packages;
        struct os_vec os;
        struct certificate_vec certificates; /* at most CERTIFICATES_MAX: they only add words */
        struct secret_vec secrets;
        struct unread_vec unread;
        struct malware_vec malware;
        uint64_t unread_more;  /* beyond UNREAD_MAX, only counted */
        struct fact_layer end; /* zero if the worker never got there */
        bool has_end;
        struct str member; /* stream archives: the archive's member that it came from */
        bool is_borrowed;  /* the same layer once more: all it has belongs to the first */
        bool is_cut;       /* a limit dropped some of its facts (an `unread` says so): it is not complete */
        bool is_broken;    /* its worker or its producer failed: its digests are of what came until then */
        struct layers_budget *budget;
};

#define UNREAD_MAX  10000
#define MALWARE_MAX 10000 /* of a layer */

/* What the facts of all layers together may take: a worker that was taken over sends as many as it likes. */
#define LAYERS_MEMORY_MAX (UINT64_C(1) << 30)  /* packages, systems, unread */
#define LAYERS_LISTS_MAX  (UINT64_C(32) << 30) /* files and owners, which are on disk */

struct layers_budget {
        struct budget memory, lists;
};

struct layers {
        struct layer_facts *v; /* one for each of the artefact's layers, base first */
        size_t n;
        struct layers_budget budget;
};

struct layers_progress {
        void (*read)(void *arg, uint64_t stored_bytes); /* so many more were read; may be NULL */
        void *arg;
};

struct layers_search {
        const struct content_plan *content; /* what files are searched for; NULL: nothing */
        const struct job_helper *helper;    /* of the workers, for engines that need one; may be NULL */
};

/*
 * Reads all layers of the artefact, and searches their files as told; for stream archives
 * also resolves them. What could not be read is in `unread`. < 0 only for an interrupt, or a stream archive that holds
 * no image.
 */
int layers_read(struct artefact *a, const struct layers_search *search, const struct layers_progress *p,
                struct layers *ret, struct error *err);
void layers_done(struct layers *l);

/* Calls each for every entry of a layer's list, in order; stops at the first result other than 0 and returns it. */
int layer_each_file(struct spool *files, int (*each)(void *arg, uint64_t i, const struct fact_file *f), void *arg);

#endif
