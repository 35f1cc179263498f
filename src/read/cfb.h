/*
 * A reader of compound files ([MS-CFB], versions 3 and 4): what Office documents before 2007, MSI packages and the
 * macros inside newer documents (vbaProject.bin) are stored as. The whole file lies in memory. Streams come in the
 * order of the directory's sectors, by name alone: which storage holds them does not matter to whoever looks into all.
 */
#ifndef SEKISHO_READ_CFB_H
#define SEKISHO_READ_CFB_H

#include "base/arena.h"
#include "base/buf.h"

#define CFB_STREAM_MAX  (16u << 20) /* bytes; a longer one is CFB_TOO_LARGE */
#define CFB_NAME_MAX    32u         /* UTF-16 units */
#define CFB_SECTORS_MAX (1u << 22)

enum { CFB_END = 0, CFB_STREAM = 1, CFB_MALFORMED = 2, CFB_TOO_LARGE = 3 };

struct cfb {
        struct str file;
        unsigned sector_bits, mini_bits;
        uint32_t mini_cutoff, first_mini_fat, first_directory;
        uint32_t *fat; /* in the arena */
        size_t n_fat;
        uint32_t *mini_fat;
        size_t n_mini_fat;
        struct str directory, mini; /* their streams, whole; in the arena */
        size_t at;                  /* the next directory entry */
        struct arena arena;
        const char *why;
};

struct cfb_stream {
        char name[CFB_NAME_MAX + 1]; /* what is not printable ASCII is '.' */
        struct str bytes;            /* valid until cfb_done */
};

bool cfb_is(struct str first); /* 8 bytes are enough */

/* CFB_STREAM: streams can be asked for; CFB_MALFORMED with `why`. cfb_done is due in any case. */
int cfb_init(struct cfb *c, struct str file);
void cfb_done(struct cfb *c);

/* The next stream that has a byte, or an outcome that concerns this one only; CFB_END. */
int cfb_next(struct cfb *c, struct cfb_stream *ret);

/*
 * Inflates the VBA source in a module's stream ([MS-OVBA] 2.4.1): every compressed container that begins like source
 * code does ("Attribute VB_..."), one after the other. The bytes appended to `to`, which bounds them; 0: none found.
 */
size_t ovba_inflate(struct str stream, struct buf *to);

#endif
