/* How often pieces of 4 bytes ("grams") are met in ordinary files: a small table, measured (bench/grams.c). */
#ifndef SEKISHO_INTEL_GRAMS_H
#define SEKISHO_INTEL_GRAMS_H

#include "base/macros.h"

#define GRAM_PLACE_BITS  14
#define GRAM_PLACES      (UINT32_C(1) << GRAM_PLACE_BITS)
#define GRAM_LEAST_POWER 23 /* rarer than 2^-22 is all the same */

/* Where a gram is in the table: little-endian, every byte with bit 5 set. Grams that share a place are taken for the
 * most frequent of them. */
static inline uint32_t gram_place(uint32_t folded) { return (folded * UINT32_C(0x9e3779b1)) >> (32 - GRAM_PLACE_BITS); }

/* About how often the gram is met among 2^23, at least 1. */
uint32_t gram_frequency(uint32_t folded);

#endif
