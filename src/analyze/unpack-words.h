/*
 * Text looked at a word at a time: eight bytes of any alignment, the first one lowest. A set of its bytes is a word
 * with the highest bit of each of them, so that sets are joined with | and &, and the first byte of one is found by its
 * lowest bit. Bytes of 0x80 and more are in no set. For the decoders of text, which look at nearly all of it and find
 * hardly anything.
 */
#ifndef SEKISHO_ANALYZE_UNPACK_WORDS_H
#define SEKISHO_ANALYZE_UNPACK_WORDS_H

#include "base/macros.h"

#include <endian.h>
#include <string.h>

#define WORD_BYTES 8u
#define EACH_BYTE  UINT64_C(0x0101010101010101) /* times a byte: a word of it */
#define ALL_BYTES  (EACH_BYTE * 0x80)           /* the set of all */

static inline uint64_t load_word(const char *p)
{
        uint64_t word;
        memcpy(&word, p, sizeof(word));
        return le64toh(word);
}

static inline uint64_t load_last(const char *p, size_t n) /* fewer bytes, and zeros behind them */
{
        uint64_t word = 0;
        memcpy(&word, p, n);
        return le64toh(word);
}

/* Those from first to last, which are below 0x80. */
static inline uint64_t bytes_within(uint64_t word, uint8_t first, uint8_t last)
{
        uint64_t low = word & EACH_BYTE * 0x7f;
        return (low + EACH_BYTE * (0x80u - first)) & ~(low + EACH_BYTE * (0x7fu - last)) & ~word & ALL_BYTES;
}

static inline uint64_t bytes_equal(uint64_t word, char c) { return bytes_within(word, (uint8_t)c, (uint8_t)c); }
static inline uint64_t digit_bytes(uint64_t word) { return bytes_within(word, '0', '9'); }

static inline uint64_t letter_bytes(uint64_t word) /* of either case, which differ in one bit */
{
        return bytes_within(word | EACH_BYTE * 0x20, 'a', 'z');
}

static inline unsigned count_bytes(uint64_t set) { return (unsigned)((set >> 7) * EACH_BYTE >> 56); }

/* How many bytes stand before the first of a set, and behind the last; the set is not empty. */
static inline size_t bytes_before(uint64_t set) { return (size_t)__builtin_ctzll(set) / 8; }
static inline size_t bytes_behind(uint64_t set) { return (size_t)__builtin_clzll(set) / 8; }

#endif
