/* See grams.h. */
#include "intel/grams.h"

static const char powers[GRAM_PLACES + 1] = /* logarithms to base 2, as hexadecimal digits */
#include "intel/grams.inc"
        ;

uint32_t gram_frequency(uint32_t folded)
{
        char digit = powers[gram_place(folded)];
        return UINT32_C(1) << (digit <= '9' ? digit - '0' : digit - 'A' + 10);
}
