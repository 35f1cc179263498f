/*
 * A growing byte buffer that is given its maximum at birth. Once an append would pass the maximum, the buffer is
 * "full": that append and every later one add nothing, and buf_is_full() says so. Check it once, at the end.
 */
#ifndef SEKISHO_BASE_BUF_H
#define SEKISHO_BASE_BUF_H

#include "base/str.h"

struct buf {
        char *p;     /* owned; always NUL-terminated once anything was appended */
        size_t n;    /* bytes in use */
        size_t size; /* bytes allocated */
        size_t max;
        bool full;
};

#define BUF_INIT(max_bytes) ((struct buf){ .max = (max_bytes) })

void buf_done(struct buf *b);  /* frees; for _cleanup_(buf_done) */
void buf_clear(struct buf *b); /* keeps the memory */

void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_str(struct buf *b, struct str s);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) _printf_(2, 3);
void buf_hex(struct buf *b, struct str bytes); /* two hexadecimal digits a byte, in lower case */

/* Little-endian integers and LEB128, for our own frames and files. */
void buf_u8(struct buf *b, uint8_t v);
void buf_le32(struct buf *b, uint32_t v);
void buf_le64(struct buf *b, uint64_t v);
void buf_varint(struct buf *b, uint64_t v);

static inline bool buf_is_full(const struct buf *b) { return b->full; }

static inline struct str buf_str(const struct buf *b) /* valid until the next append */ { return str_span(b->p, b->n); }

#endif
