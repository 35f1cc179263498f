/*
 * The compiled form of a set of literals: see literals.h, and literals.c for how it works.
 *
 *     literals.c        what is built for literals of WINDOW bytes and more
 *     literals-short.c  what is built for the others
 *     literals-scan.c   the scan: probes, filters, lookups
 *     literals-probe.c  the two probing loops, for each kind of processor
 */
#ifndef SEKISHO_INTEL_LITERALS_PRIVATE_H
#define SEKISHO_INTEL_LITERALS_PRIVATE_H

#include "intel/literals.h"

#include <endian.h>

#define STRIDE      4    /* every 4th position is probed */
#define WINDOW      7    /* bytes of a literal that hold a probed gram wherever it stands */
#define BLOCK_BYTES 4096 /* probed before the hits are looked at */
#define HIT_SLACK   16   /* a vector of hits is stored whole, or a few more than there are */

/* Bit 5 of every byte set: upper and lower case letters become the same. */
#define FOLD  UINT32_C(0x20202020)
#define FOLD8 UINT64_C(0x2020202020202020)

#define HASH_FACTOR UINT32_C(0x9e3779b1)

struct literal_info {
        uint32_t at; /* in bytes */
        uint16_t n;
        bool nocase; /* then it lies there in lower case */
};

/* Where a gram lies in a literal. Those of one key stand together. */
struct place {
        uint64_t head; /* the literal's first 8 bytes that can be, folded; of 7 bytes: with a zero */
        uint32_t literal;
        uint16_t n;   /* bytes of it */
        uint8_t back; /* from the gram's first byte back to the literal's start */
        bool is_last; /* of this key's */
};

struct slot {
        uint32_t key;   /* key_both, key_after or key_before of its places; 0: free */
        uint32_t first; /* of its places */
};

#define SHORT_PLACES   4   /* bytes of a short literal that its heap knows */
#define SHORT_HEAPS    8   /* in a group: bits of a byte */
#define SHORT_GROUPS   2   /* at most */
#define SHORT_ONE_MAX  128 /* literals for which one group of heaps is enough */
#define BEGINNING_BITS 16
#define LIST_BITS      13

/* A literal shorter than WINDOW: it stands where the 8 bytes of the text, masked, are these. */
struct short_one {
        uint64_t bytes, mask;
        uint32_t literal;
        uint32_t n;
};

/*
 * Which heaps of a group may have a literal with this byte at this place, one bit each. The highest bit of bytes does
 * not count. The same again by the low and by the high half of a byte: what both allow is allowed by the byte.
 */
struct short_table {
        uint8_t by_byte[128];
        uint8_t by_low[16], by_high[16];
};

struct short_set {
        struct short_table tables[SHORT_GROUPS][SHORT_PLACES];
        size_t groups;                                    /* of heaps */
        uint32_t beginnings[(1u << BEGINNING_BITS) / 32]; /* bitmap by beginning_hash: what they begin with */
        uint32_t first[(1u << LIST_BITS) + 1];            /* in ones, by list_hash; one more at the end */
        bool has_pairs;                                   /* literals of two bytes */
        struct short_one *ones;
        size_t n;
};

struct literals {
        struct literal_info *info;
        uint8_t *bytes;
        size_t n, n_bytes, longest;

        /* WINDOW bytes and more */
        uint32_t *grams;    /* by gram_hash, a word: for each of its grams the two bits of gram_mask; NULL if there are
                               none */
        unsigned gram_bits; /* of the number of words */
        uint32_t *longer;   /* bitmap by longer_bit: grams with the two bytes after, or before */
        struct slot *slots;
        unsigned longer_bits, slot_bits;
        struct place *places;
        size_t n_places;

        struct short_set *shorts; /* the others; NULL if there are none */
};

/* Of the literals that are shorter than WINDOW; NULL if there are none. For literals.c. */
struct short_set *short_set_new(const struct literals *l);
void short_set_free(struct short_set *s);
size_t short_set_memory(const struct short_set *s);

static inline uint8_t ascii_lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : c; }

static inline uint32_t load32(const uint8_t *p)
{
        uint32_t v;
        memcpy(&v, p, sizeof(v));
        return le32toh(v);
}

static inline uint16_t load16(const uint8_t *p)
{
        uint16_t v;
        memcpy(&v, p, sizeof(v));
        return le16toh(v);
}

static inline uint64_t load64(const uint8_t *p)
{
        uint64_t v;
        memcpy(&v, p, sizeof(v));
        return le64toh(v);
}

static inline uint32_t gram_hash(uint32_t gram, unsigned bits) { return (gram * HASH_FACTOR) >> (32 - bits); }

/* One bit is told by the hash below those bits that tell the word, the other by the second and the last byte. */
static inline uint32_t gram_mask(uint32_t gram, unsigned bits)
{
        return UINT32_C(1) << (gram * HASH_FACTOR >> (27 - bits) & 31) | UINT32_C(1) << ((gram >> 8 ^ gram >> 24) & 31);
}

/*
 * Of a gram with the two bytes before it and the two after, or with those of them that the literal has: one of WINDOW
 * bytes has two at least on one side of each of its grams. around: all eight bytes, folded. Never 0.
 */
static inline uint32_t key_both(uint64_t around) { return (uint32_t)(around * UINT64_C(0xd6e8feb86659fd93) >> 32) | 1; }

static inline uint32_t key_after(uint64_t around)
{
        return (uint32_t)((around >> 16) * UINT64_C(0x9e3779b97f4a7c15) >> 32) | 1;
}

static inline uint32_t key_before(uint64_t around)
{
        return (uint32_t)((around << 16) * UINT64_C(0xc2b2ae3d27d4eb4f) >> 32) | 1;
}

static inline uint32_t longer_bit(const struct literals *l, uint32_t key) { return key >> (32 - l->longer_bits); }

/* Of the first three bytes in a row. */
static inline uint32_t beginning_hash(uint32_t bytes) { return gram_hash((bytes | FOLD) << 8, BEGINNING_BITS); }

/* Of the first n bytes, 2 or 3. */
static inline uint32_t list_hash(uint32_t bytes, size_t n)
{
        return gram_hash((bytes | FOLD) << (n == 2 ? 16 : 8), LIST_BITS);
}

static inline uint32_t bitmap_has(const uint32_t *bitmap, uint32_t bit) { return bitmap[bit / 32] >> (bit % 32) & 1; }

static inline void bitmap_set(uint32_t *bitmap, uint32_t bit) { bitmap[bit / 32] |= UINT32_C(1) << (bit % 32); }

/*
 * Probes the grams at text, text + 4, ... below text + n (n a multiple of 4, at most BLOCK_BYTES; all n bytes are
 * there). Stores the offsets of those in the bitmap, in order, and returns how many: at most n / 4. Room for HIT_SLACK
 * more is needed.
 */
typedef size_t (*gram_prober)(const struct literals *l, const uint8_t *text, size_t n, uint32_t *ret);

/*
 * Stores the offsets below n at which a short literal may begin, in order, and returns how many. n: at most
 * BLOCK_BYTES; the SHORT_PLACES - 1 bytes after text + n are there too. Room for HIT_SLACK more is needed.
 */
typedef size_t (*short_prober)(const struct short_set *s, const uint8_t *text, size_t n, uint32_t *ret);

struct probers {
        gram_prober grams;
        short_prober shorts;
};

struct probers probers_portable(void);
struct probers probers_fastest(void); /* for this processor */

#endif
