/*
 * The compiled form of a set of literals: see literals.h, and literals.c for how it works.
 *
 *     literals.c        what is built
 *     literals-scan.c   the scan: probes, filters, lookups
 *     literals-probe.c  the probing loop, for each kind of processor
 */
#ifndef SEKISHO_INTEL_LITERALS_PRIVATE_H
#define SEKISHO_INTEL_LITERALS_PRIVATE_H

#include "intel/literals.h"

#include <endian.h>

#define STRIDE      4 /* every 4th position is probed */
#define WINDOW      7 /* bytes of a literal that hold a probed gram wherever it stands */
#define SMALL_PAIRS (1u << 16)
#define BLOCK_BYTES 4096 /* probed before the hits are looked at */
#define BLOCK_HITS  (BLOCK_BYTES / STRIDE)
#define HIT_SLACK   16 /* a vector of hits is stored whole */

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
        uint8_t back; /* from the gram's first byte back to the literal's start */
        bool is_last; /* of this key's */
};

struct slot {
        uint32_t key;   /* key_after or key_before of its places; 0: free */
        uint32_t first; /* of its places */
};

struct literals {
        struct literal_info *info;
        uint8_t *bytes;
        size_t n, n_bytes, longest;

        /* WINDOW bytes and more */
        uint32_t *grams; /* bitmap by gram_hash */
        unsigned gram_bits;
        uint32_t *longer; /* bitmap by longer_bit: grams with the two bytes after, or before */
        struct slot *slots;
        unsigned slot_bits;
        struct place *places;
        size_t n_places;

        /* the others; all NULL if there are none */
        uint32_t *pairs;       /* by a gram's first two bytes: 32 bits for what its last two may be */
        uint32_t *beginnings;  /* bitmap by beginning_hash: the first gram of a literal */
        uint32_t *small;       /* indexes of the literals, those of one pair_hash together */
        uint32_t *small_first; /* in small, by pair_hash; one more at the end */
        size_t n_small;
};

#define LONGER_BITS    18
#define BEGINNING_BITS 18
#define PAIR_BITS      12

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

/*
 * Of a gram with the two bytes that follow it, or with the two before it. A literal of WINDOW bytes has those or these
 * of each of its grams. around: the two bytes before, the gram, the two after, folded. Never 0.
 */
static inline uint32_t key_after(uint64_t around)
{
        return (uint32_t)((around >> 16) * UINT64_C(0x9e3779b97f4a7c15) >> 32) | 1;
}

static inline uint32_t key_before(uint64_t around)
{
        return (uint32_t)((around << 16) * UINT64_C(0xc2b2ae3d27d4eb4f) >> 32) | 1;
}

static inline uint32_t longer_bit(uint32_t key) { return key >> (32 - LONGER_BITS); }

/* The bit of pairs[gram & 0xffff] that stands for a gram's last two bytes: 8 kinds of the third, 4 of the fourth. */
static inline unsigned pair_bit(uint32_t gram) { return (gram >> 16 & 7) | (gram >> 21 & 0x18); }

/*
 * A literal of n bytes, fewer than WINDOW, is found from a gram that begins where the literal does, or up to 3 bytes
 * later or 2 earlier: the least of 4 starts in a row, seen from the gram.
 */
#define START_MIN (-3)
#define STARTS    6

static inline int small_start(size_t n) { return n >= 5 ? -3 : n >= 3 ? -2 : -1; }

static inline uint32_t beginning_hash(uint32_t gram) { return gram_hash(gram, BEGINNING_BITS); }

static inline uint32_t pair_hash(uint8_t a, uint8_t b)
{
        return ((uint32_t)(a | 0x20) | (uint32_t)(b | 0x20) << 8) * HASH_FACTOR >> (32 - PAIR_BITS);
}

static inline uint32_t bitmap_has(const uint32_t *bitmap, uint32_t bit) { return bitmap[bit / 32] >> (bit % 32) & 1; }

static inline void bitmap_set(uint32_t *bitmap, uint32_t bit) { bitmap[bit / 32] |= UINT32_C(1) << (bit % 32); }

/* What a block of text gave: offsets in it, in order. */
struct probed {
        uint32_t gram[BLOCK_HITS + HIT_SLACK], pair[BLOCK_HITS + HIT_SLACK];
        size_t n_gram, n_pair;
};

/*
 * Probes the grams at text, text + 4, ... below text + n (n a multiple of 4, at most BLOCK_BYTES; all n bytes are
 * there). Either table may be NULL.
 */
typedef void (*prober)(const struct literals *l, const uint8_t *text, size_t n, struct probed *ret);

void probe_portable(const struct literals *l, const uint8_t *text, size_t n, struct probed *ret);
prober probe_fastest(void); /* for this processor */

#endif
