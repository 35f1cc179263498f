/*
 * Sources: where artefacts come from. Each source recognises its targets and opens them as one shape: a configuration
 * and layers, base first, each of which can be had as a stream of tar bytes (compressed or not).
 *
 * Add one: a file source/<name>.c that ends in one `const struct source`, and a line in sources[] of source/sources.c.
 */
#ifndef SEKISHO_SOURCE_SOURCE_H
#define SEKISHO_SOURCE_SOURCE_H

#include "base/arena.h"
#include "base/error.h"
#include "fact/fact.h"

#include <sys/types.h>

struct source_options {
        struct str platform;   /* "linux/amd64"; empty: this machine's, linux */
        const char *auth_file; /* NULL: where docker and podman keep theirs */
        const char *ca_file;   /* NULL: the system's */
        bool plain_http;       /* allow http:// to a registry that is not on loopback */
        bool tls_skip_verify;
        const char *root;                              /* storage root of podman or docker, NULL: their defaults */
        const char *socket;                            /* API socket, NULL: their defaults */
        void (*progress)(void *arg, const char *what); /* a line for the terminal: "resolving ..."; may be NULL */
        void *progress_arg;
};

struct layer {
        struct str digest;  /* of the blob as stored; empty if not known before it is read */
        struct str diff_id; /* as the image's config promises; empty if not known */
        struct str media_type;
        uint64_t size;         /* stored bytes; 0 not known */
        struct str created_by; /* the build step; empty if not known */
        struct str member;     /* archives: name of its member; stores: its directory */
        bool is_foreign;       /* not distributable: nothing to read; the scan says so */
        bool is_packed;        /* made from a directory on the way: its digests are known but cannot be checked */
};

struct artefact {
        struct arena arena; /* holds all views below */
        const struct source *source;
        struct str target;   /* as the user named it */
        struct str name;     /* reference or path that can be copied: "localhost:5000/web:1.2", "/srv/root" */
        struct str digest;   /* of the manifest (or image id where there is none); empty for directories */
        struct str image_id; /* digest of the configuration; may be empty */
        struct str_list tags;
        struct str container;   /* running containers: its id */
        uint64_t container_pid; /* and its first process as the host counts; 0: none */
        bool is_for_platform;   /* an index says so, which counts more than the configuration */
        bool has_config;
        struct fact_image config;
        struct fact_step *steps; /* the history, in order */
        size_t n_steps;
        struct layer *layers; /* base first */
        size_t n_layers;
        struct fact_unread *notes; /* what the source itself could not read or had to ignore */
        size_t n_notes;

        /*
         * True: the image can only be read once, from front to back (compressed archive, API socket); layers are not
         * known yet. The stream is read by one job, and the source's `resolve` then fills in config and layers.
         */
        bool is_stream;
        void *state; /* the source's own */
};

/* Adds a note: what, why as one word, why for a person (codes as in the fact `unread`). */
void artefact_note(struct artefact *a, struct str path, const char *code, const char *fmt, ...) _printf_(4, 5);

/* Where the bytes of a layer (or of a stream) are. */
struct layer_input {
        int fd;                /* the receiver closes it */
        bool is_seekable;      /* read with pread at offset; else from a pipe, to its end */
        uint64_t offset, size; /* size UINT64_MAX: until end of file */
        pid_t producer;        /* 0: none; else a process that writes the pipe (see proc/worker.h) */
};

/* What one read of a stream archive found: members in order, small JSON documents with their content. */
struct stream_members {
        const struct fact_member *v;
        size_t n;
};

struct source {
        const char *name;    /* docker-archive, oci-dir, oci-archive, registry, podman, docker, dir, container */
        const char *prefix;  /* "registry:"; forces the source */
        const char *summary; /* one line for help */
        const char *example;
        /*
         * How well the bare target (no prefix) fits: 0 not at all; from 50 to 100 for certain, because a file or
         * directory of that name looks right; from 1 to 49: it may be a name that this source knows, which open tells.
         * No parsing beyond magic bytes, no network.
         */
        int (*recognise)(const char *target);
        /*
         * Target without the prefix; ret->arena and ret->target are set, the rest is zero. -ENOENT: there is no such
         * artefact here (words in err say where was looked); other errors: it is there but cannot be used. On error
         * nothing is left open; artefact_open frees the arena.
         */
        int (*open)(const char *target, const struct source_options *o, struct artefact *ret, struct error *err);
        /*
         * Opens layer i (or, for is_stream, the whole: i is 0). Called in the parent, right before the worker starts. A
         * layer that is not there fails with words that name it; the other layers can still be read.
         */
        int (*open_layer)(struct artefact *a, size_t i, struct layer_input *ret, struct error *err);
        /* Streams only: makes config and layers from the members; layers[].member names the member. */
        int (*resolve)(struct artefact *a, const struct stream_members *m, struct error *err);
        void (*close)(struct artefact *a); /* what state holds; NULL: nothing */
        /* Running containers: a descriptor of the first process's environment (proc(5)), or -errno. NULL: there is
         * none. */
        int (*open_environment)(struct artefact *a);
        /* Repositories: a descriptor of the .git directory, which the caller closes, or -errno. NULL: there is none. */
        int (*open_git)(struct artefact *a);
};

extern const struct source *const sources[]; /* NULL-terminated */

/*
 * Finds the source by prefix or by asking all of them, and opens the target. A target that nobody recognises, or that
 * two fit equally, is refused with words that name the prefixes to use.
 */
int artefact_open(const char *target, const struct source_options *o, struct artefact *ret, struct error *err);
void artefact_close(struct artefact *a);

/*
 * Whether an image is what --platform asked for (empty: anything is). Of streams artefact_open cannot tell; after
 * `resolve` this does. 0, or -ENOENT and words.
 */
int artefact_check_platform(const struct artefact *a, struct str platform, struct error *err);

#endif
