/* What the parts of the unpacking engine share: one unpacking of one file, and the table of formats. See unpack.h. */
#ifndef SEKISHO_ANALYZE_UNPACK_PRIVATE_H
#define SEKISHO_ANALYZE_UNPACK_PRIVATE_H

#include "analyze/feeder.h"
#include "analyze/unpack.h"
#include "base/buf.h"
#include "read/piece.h"

/* Of a worker: what the file of the layer, and all that is in it, may still cost. */
struct unpack_worker {
        uint64_t bytes, members; /* left */
        bool is_over;            /* one of them ran out, and that was said */
        size_t whole_bytes;      /* in memory now */
        struct buf small;        /* where small compressed files are inflated to */
        bool small_is_used;      /* by a file that this one lies in */
        struct literals *xored;  /* what find_xor looks for */
};

struct unpack_format;

/* One file being unpacked. */
struct unpacking {
        struct content *content;
        struct unpack_worker *worker;
        struct content_open *open;       /* the file that is unpacked, */
        const struct content_file *file; /* and what is known of it */
        const struct unpack_format *format;
        bool is_guess;  /* it may be something else: failing at once is no news */
        bool is_silent; /* what is wrong with it is no news in any case */
        size_t n_members;
        uint64_t used; /* for what covers: the bytes from its beginning on that its run has been through */
        struct content_open *member; /* that is open, */
        struct content_file member_file;
        struct buf names; /* and its chain */
};

struct archive;

/* Formats whose run looks through all that stands in what it reads: beginnings of the same format there are its own. */
enum unpack_cover { COVERS_NOTHING, COVERS_ZIP, COVERS_TAR, COVERS_PDF, COVERS };

struct unpack_format {
        const char *name;
        struct str magic;        /* empty: told by the end of the file's name alone */
        size_t magic_at;         /* offset of the magic number */
        const char *name_starts; /* NULL, or what the last part of the file's name must begin with */
        const char *name_end;    /* NULL, or what the file's name must end in */
        bool is_shy;             /* the magic number is so weak that failing at once is no news */
        bool may_be_appended;    /* its magic number is looked for inside other files */
        bool has_tail;           /* what is appended to it is looked for */
        enum unpack_cover covers;
        /* Whether bytes that begin with the magic number are likely to be it. NULL: always. */
        bool (*is)(struct str bytes);
        bool (*is_inside)(struct str bytes); /* and this too, where it stands inside another file; NULL: always */
        void (*run)(struct unpacking *u, struct feeder *from);
        int (*reader)(struct archive *); /* libarchive's format or filter, for runs that use it */
        const char *why;                 /* unpack_refused: the code; and what is said is its name */
};

extern const struct unpack_format unpack_formats[]; /* ends with name == NULL */

/* The format of content with these first bytes, or NULL. More than the first 32 KiB are not needed. */
const struct unpack_format *unpack_format_of(struct str first, struct str name);
bool unpack_format_fits(const struct unpack_format *f, struct str first, struct str name); /* but for is_inside */

/*
 * A member: begin, add, end. begin is false where it must not be looked at (too deep, or the budget is spent, which was
 * said). add is false once the budget is spent: the rest need not be made, and end is due all the same. size:
 * UINT64_MAX if not known.
 */
bool member_begin(struct unpacking *u, struct str name, uint64_t size, uint32_t mode);
bool member_add(struct unpacking *u, struct str bytes);
void member_end(struct unpacking *u, bool is_whole);

/* Takes bytes that are made on the way to a member off the budget. False: there are not so many left, which was said.
 */
bool unpack_charge(struct unpacking *u, uint64_t bytes);

/* A member that lies in memory. */
void member_whole(struct unpacking *u, struct str name, struct str bytes);

/*
 * Gathers the content in memory, for formats that must be seen whole. True: all of it is in *ret. False: it is larger
 * than what may lie in memory, and *ret holds its beginning. whole_release is due in either case.
 */
struct whole {
        struct str bytes;
        struct buf copy; /* where the content came in pieces */
        size_t charged;
};
bool whole_gather(struct unpacking *u, struct feeder *from, struct whole *ret);
void whole_release(struct unpacking *u, struct whole *w);

/* What is left of a file: the bytes at hand, those behind them, then what its feeder gives (NULL: nothing). */
struct pieces {
        struct str piece, next;
        struct feeder *from;
};
ssize_t pieces_pull(void *pieces, const void **ret_p);  /* a piece_pull */
bool pieces_take(struct pieces *s, void *to, size_t n); /* to NULL: skips them; false: there are not so many */

/*
 * What follows the end of what was unpacked, beyond zeros, is a member: no reader of the format sees it, and something
 * may be hidden. Not for guesses: what they stand in is looked through in any case.
 */
void unpack_behind(struct unpacking *u, piece_pull pull, void *arg);
void unpack_behind_bytes(struct unpacking *u, struct str rest); /* of what lies in memory */

/*
 * Says why the file could not be unpacked, or not to its end; not for a guess that brought nothing, and not where the
 * content itself broke off.
 */
void unpack_incomplete(struct unpacking *u, const struct feeder *from, const char *code, const char *fmt, ...)
        _printf_(4, 5);

/* Runs of the formats, each in the file that says so. */
void unpack_compressed(struct unpacking *u, struct feeder *from); /* unpack-stream.c */
void unpack_zlib(struct unpacking *u, struct feeder *from);
void unpack_deflate(struct unpacking *u, struct feeder *from);
void unpack_brotli(struct unpacking *u, struct feeder *from);
void unpack_tar(struct unpacking *u, struct feeder *from);
void unpack_rpm(struct unpacking *u, struct feeder *from);
void unpack_archive(struct unpacking *u, struct feeder *from); /* unpack-archive.c: through libarchive */
void unpack_filtered(struct unpacking *u, struct feeder *from);
void unpack_zip(struct unpacking *u, struct feeder *from);
void unpack_7zip(struct unpacking *u, struct feeder *from);
void unpack_squashfs(struct unpacking *u, struct feeder *from); /* unpack-image.c */
void unpack_qcow2(struct unpacking *u, struct feeder *from);
void unpack_cfb(struct unpacking *u, struct feeder *from);
void unpack_pdf(struct unpacking *u, struct feeder *from);     /* unpack-pdf.c */
void unpack_refused(struct unpacking *u, struct feeder *from); /* unpack.c: known, and not read here */

/* Text that hides content: unpack-text.c. A state for each open file; zeros to begin with. */
struct decoders {
        enum { LOOKS_BINARY, LOOKS_TEXT, LOOKS_UTF16LE, LOOKS_UTF16BE } looks; /* told by the first window */
        struct buf run;     /* characters of a run of base64 that the window before ended in, without line breaks */
        size_t line;        /* of them in its last line, */
        size_t line_before; /* and in the line before that */
        uint64_t run_at;    /* where it began */
        bool run_is_open;
        bool has_pieces; /* of strings */
};

/* reverses: the window has a word of scripts that reverse text. */
void decode_window(struct unpacking *u, struct decoders *d, const struct content_window *w, bool reverses);
void decode_end(struct unpacking *u, struct decoders *d);
struct literals *decode_xored(void); /* for unpack_worker */

/* Text that spells content byte by byte: unpack-escapes.c. */
void decode_escapes(struct unpacking *u, struct str s, uint64_t offset);
void decode_uu(struct unpacking *u, const struct content_window *w, size_t at); /* of the word "begin" */

#endif
