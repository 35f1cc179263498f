/*
 * A bounds-checked cursor over bytes that cannot be trusted. A read past the end fails the cursor for good: it and
 * every later read return zeros or empty views, and cursor_ok() says so at the end. No other code does pointer
 * arithmetic on input.
 */
#ifndef SEKISHO_BASE_CURSOR_H
#define SEKISHO_BASE_CURSOR_H

#include "base/str.h"

struct cursor {
        const uint8_t *start, *at, *end;
        bool failed;
};

struct cursor cursor_from(struct str bytes);

uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_le16(struct cursor *c);
uint16_t cursor_be16(struct cursor *c);
uint32_t cursor_le32(struct cursor *c);
uint32_t cursor_be32(struct cursor *c);
uint64_t cursor_le64(struct cursor *c);
uint64_t cursor_varint(struct cursor *c); /* LEB128 of buf_varint, at most 64 bits */

struct str cursor_bytes(struct cursor *c, size_t n);  /* the next n bytes, as a view into the input */
struct cursor cursor_sub(struct cursor *c, size_t n); /* the same as a cursor; failed if c is */
void cursor_skip(struct cursor *c, size_t n);
void cursor_seek(struct cursor *c, size_t offset); /* from the start; fails past the end */

static inline bool cursor_ok(const struct cursor *c) { return !c->failed; }
static inline size_t cursor_left(const struct cursor *c) { return (size_t)(c->end - c->at); }
static inline bool cursor_at_end(const struct cursor *c) { return c->at == c->end; }
static inline size_t cursor_where(const struct cursor *c) { return (size_t)(c->at - c->start); }
static inline size_t cursor_size(const struct cursor *c) { return (size_t)(c->end - c->start); }

#endif
