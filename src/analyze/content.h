/*
 * The content pass: every file of a layer (and every member that an unpacker finds in one) is shown to the content
 * engines in windows, while the walk reads it anyway. The literals that all engines look for are searched together,
 * once; each engine is told of its own hits and confirms them on the window: the rules for malware, the kinds of
 * secrets.
 *
 *         parent    plan = content_plan_new(engines)             immutable, inherited by the workers' fork
 *         worker    c = content_new(plan, sink)
 *                   f = content_begin(c, NULL, &file); content_add(f, bytes)...; content_end(f, &digests, true);
 *                   content_free(c)
 *
 * Files nest: an engine that unpacks begins a member with the open file as its parent, and adds to it and ends it when
 * it likes, but before the parent has ended; several members may be open at once. Engines keep nothing about a file but
 * what lies in their file_bytes of memory, so each open file has its own.
 *
 * Whatever is not looked at in full is an `unread` fact (content_incomplete) and is counted: the three answers are
 * clean, a finding, and incomplete.
 */
#ifndef SEKISHO_ANALYZE_CONTENT_H
#define SEKISHO_ANALYZE_CONTENT_H

#include "base/error.h"
#include "fact/sink.h"
#include "intel/literals.h"

#define CONTENT_WINDOW_MAX    (1u << 20)   /* bytes of a window; a file up to this size comes whole, in one */
#define CONTENT_CONTEXT       (4u << 10)   /* bytes around a hit that its window has, where the content has them */
#define CONTENT_MEMBER_WINDOW (256u << 10) /* the same as CONTENT_WINDOW_MAX for members, at depth 1 and more */
#define CONTENT_HITS_MAX      (16u << 10)  /* hits in one window, of all engines together */
#define CONTENT_DEPTH_MAX     40           /* members in members; deeper ones are incomplete */
#define CONTENT_OPEN_MAX      64           /* files and members at once */
#define CONTENT_ENGINES_MAX   8
#define CONTENT_NAME_MAX      (64u << 10) /* bytes of path and members */

/* What is known of a file before its bytes come. Views must live until content_end. */
struct content_file {
        struct str path;    /* of the file in the layer */
        struct str members; /* from the file down to the member, joined by '!'; empty for the file itself */
        uint64_t size;      /* UINT64_MAX where an unpacker does not know it yet */
        uint32_t mode, uid, gid;
        unsigned depth; /* 0: the file in the layer; set by content_begin */
};

/* Digests of the content that are known when it ends; empty views where they were not computed. Binary. */
struct content_digests {
        struct str md5, sha1, sha256;
};

struct content_hit {
        uint32_t literal; /* index in the engine's literals */
        uint32_t start;   /* of its first byte, in the window's bytes */
};

/*
 * A window: a piece of the content. Windows of one file overlap, and each hit is told in one of them only: in one that
 * holds CONTENT_CONTEXT bytes before its start and from its start on, as far as the content has them.
 */
struct content_window {
        struct str bytes;
        uint64_t offset;                /* of bytes.p[0] in the content */
        size_t fresh;                   /* bytes at the beginning that the window before had too */
        uint64_t hole;                  /* zeros between that window and the fresh bytes, which no window shows */
        bool is_first, is_last;         /* both: the content is here whole. An empty file has one empty window */
        const struct content_hit *hits; /* of this engine, sorted by start, then by literal */
        size_t n_hits;
        bool is_cut; /* there are more than CONTENT_HITS_MAX: others were dropped, which is said in an `unread` fact */
};

struct content;
struct content_open; /* a file or member between its begin and its end */

/* What an engine's functions are called with. */
struct content_call {
        struct content *content;   /* to feed members to */
        struct content_open *open; /* the file that the engine is called for: the members' parent */
        const struct content_engine *engine;
        const struct content_file *file;
        void *worker;     /* what open made */
        void *state;      /* file_bytes, zeroed before begin: for this file alone */
        uint8_t kind;     /* enum sniffed (read/sniff.h) of its first bytes; known from the first window on */
        uint64_t bytes;   /* of content so far; at the end: all */
        struct sink *out; /* where findings go */
};

struct content_engine {
        const char *name;
        const void *config; /* the engine's own: compiled rules. Immutable, shared by all workers */
        const struct literal *literals;
        size_t n_literals;
        size_t file_bytes;                        /* memory for one open file; 0: none, state is then NULL */
        bool every_window;                        /* call window for those without a hit too */
        bool wants_md5, wants_sha1, wants_sha256; /* for end */
        bool wants_programs;                      /* the facts of files that can run shall have their SHA-256 */
        /* All of these may be NULL. wants_digests: whether it does for a file of this size; digests that are not wanted
         * may be missing at its end. open and close: once a worker, within its sandbox. */
        bool (*wants_digests)(const struct content_engine *e, uint64_t size);
        void *(*open)(const struct content_engine *e);
        void (*close)(void *worker);
        void (*begin)(const struct content_call *c);
        void (*window)(const struct content_call *c, const struct content_window *w);
        /* Once for every file. is_whole: all its bytes came; false: it broke off, which the walk has said already. */
        void (*end)(const struct content_call *c, const struct content_digests *d, bool is_whole);
};

/* --- parent --- */

struct content_plan;

/* The engines must outlive the plan. */
int content_plan_new(const struct content_engine *const *engines, size_t n, struct content_plan **ret,
                     struct error *err);
void content_plan_free(struct content_plan *p);

/* Which digests some engine asks for, of a file of this size (UINT64_MAX: not known). */
struct content_wants {
        bool md5, sha1, sha256;
        bool programs; /* SHA-256 in the facts of files that can run */
};
struct content_wants content_plan_wants(const struct content_plan *p, uint64_t size); /* p may be NULL */

/* --- worker --- */

struct content_totals {
        uint64_t files;      /* files of the layer whose content was begun */
        uint64_t members;    /* members in them */
        uint64_t bytes;      /* of both */
        uint64_t incomplete; /* files of the layer with at least one part that was not looked at */
};

struct content *content_new(const struct content_plan *p, struct sink *out);
void content_free(struct content *c);
struct content_totals content_totals(const struct content *c);

/*
 * One file (parent: NULL) or member. begin refuses a member that lies too deep: NULL, it has said so. A file that is
 * added in one piece, up to the size of a window, is looked at in place; the bytes need to be valid during the call
 * only. end frees. digests of NULL: content computed those that the engines want itself (as it does for members; for
 * files of the layer the walk does).
 */
struct content_open *content_begin(struct content *c, struct content_open *parent, const struct content_file *f);
void content_add(struct content_open *o, const void *p, size_t n);
void content_add_hole(struct content_open *o, uint64_t n); /* of zeros; of files of the layer, not of members */
void content_end(struct content_open *o, const struct content_digests *d, bool is_whole);

/*
 * Says that this file (or member) was not looked at in full, as an `unread` fact whose path is that of the file with
 * its members after '!'. Codes: encrypted, too-deep, too-large, corrupt, unsupported, budget, denied.
 */
void content_incomplete(struct content_open *o, const char *code, const char *fmt, ...) _printf_(3, 4);

/* The same, but for its words: whoever calls says why, once for many files. */
void content_unseen(struct content_open *o);

/* Counts a file of the layer that was not even begun: whoever calls has said why. */
void content_skipped(struct content *c);

/* "path" or "path!member!member", in the arena. */
struct str content_name(struct arena *a, const struct content_file *f);

#endif
