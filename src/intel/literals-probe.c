/* The probing loop of the literal matcher (literals.c), which all bytes pass: portable, and with vectors. */
#include "intel/literals-private.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

/* No branch hangs on the text: every offset is stored, and the place moves on only if it hit. */
void probe_portable(const struct literals *l, const uint8_t *text, size_t n, struct probed *ret)
{
        size_t n_gram = 0, n_pair = 0;
        for (size_t i = 0; l->grams && i < n; i += STRIDE) {
                uint32_t gram = load32(text + i) | FOLD;
                ret->gram[n_gram] = (uint32_t)i;
                n_gram += bitmap_has(l->grams, gram_hash(gram, l->gram_bits));
        }
        for (size_t i = 0; l->pairs && i < n; i += STRIDE) {
                uint32_t gram = load32(text + i) | FOLD;
                ret->pair[n_pair] = (uint32_t)i;
                n_pair += l->pairs[gram & 0xffff] >> pair_bit(gram) & 1;
        }
        ret->n_gram = n_gram;
        ret->n_pair = n_pair;
}

#ifdef __x86_64__

#define LANES8  32 /* bytes of a vector of 8 grams */
#define LANES16 64

/* Moves on what the vectors left over. */
static void probe_rest(const struct literals *l, const uint8_t *text, size_t at, size_t n, struct probed *ret)
{
        struct probed rest;
        if (at == n)
                return;
        probe_portable(l, text + at, n - at, &rest);
        for (size_t i = 0; i < rest.n_gram; i++)
                ret->gram[ret->n_gram++] = rest.gram[i] + (uint32_t)at;
        for (size_t i = 0; i < rest.n_pair; i++)
                ret->pair[ret->n_pair++] = rest.pair[i] + (uint32_t)at;
}

/* Which of 16 grams hit, one bit each. */
__attribute__((target("avx512f"), always_inline)) static inline __mmask16 hits_of_grams(__m512i grams,
                                                                                        const struct literals *l)
{
        const __m512i one = _mm512_set1_epi32(1), low = _mm512_set1_epi32(31);
        __m512i hash = _mm512_srl_epi32(_mm512_mullo_epi32(grams, _mm512_set1_epi32((int)HASH_FACTOR)),
                                        _mm_cvtsi32_si128((int)(32 - l->gram_bits)));
        __m512i words = _mm512_i32gather_epi32(_mm512_srli_epi32(hash, 5), l->grams, 4);
        return _mm512_test_epi32_mask(words, _mm512_sllv_epi32(one, _mm512_and_si512(hash, low)));
}

__attribute__((target("avx512f"), always_inline)) static inline __mmask16 hits_of_pairs(__m512i grams,
                                                                                        const struct literals *l)
{
        const __m512i one = _mm512_set1_epi32(1), pair = _mm512_set1_epi32(0xffff);
        __m512i words = _mm512_i32gather_epi32(_mm512_and_si512(grams, pair), l->pairs, 4);
        __m512i third = _mm512_and_si512(_mm512_srli_epi32(grams, 16), _mm512_set1_epi32(7));
        __m512i fourth = _mm512_and_si512(_mm512_srli_epi32(grams, 21), _mm512_set1_epi32(0x18));
        return _mm512_test_epi32_mask(words, _mm512_sllv_epi32(one, _mm512_or_si512(third, fourth)));
}

__attribute__((target("avx512f,popcnt"))) static void probe_avx512(const struct literals *l, const uint8_t *text,
                                                                   size_t n, struct probed *ret)
{
        const __m512i fold = _mm512_set1_epi32((int)FOLD), next = _mm512_set1_epi32(LANES16);
        __m512i offsets = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60);
        size_t at = 0, n_gram = 0, n_pair = 0;
        for (; at + LANES16 <= n; at += LANES16) {
                __m512i grams = _mm512_or_si512(_mm512_loadu_si512(text + at), fold);
                if (l->grams) {
                        __mmask16 hit = hits_of_grams(grams, l);
                        _mm512_storeu_si512(ret->gram + n_gram, _mm512_maskz_compress_epi32(hit, offsets));
                        n_gram += (size_t)__builtin_popcount(hit);
                }
                if (l->pairs) {
                        __mmask16 hit = hits_of_pairs(grams, l);
                        _mm512_storeu_si512(ret->pair + n_pair, _mm512_maskz_compress_epi32(hit, offsets));
                        n_pair += (size_t)__builtin_popcount(hit);
                }
                offsets = _mm512_add_epi32(offsets, next);
        }
        ret->n_gram = n_gram;
        ret->n_pair = n_pair;
        probe_rest(l, text, at, n, ret);
}

/* Stores the offsets at + 4 * i of the bits that are set. */
__attribute__((target("avx2,bmi,popcnt"), always_inline)) static inline size_t store_hits(uint32_t hits, size_t at,
                                                                                          uint32_t *to)
{
        size_t n = (size_t)__builtin_popcount(hits);
        for (size_t i = 0; i < n; i++, hits &= hits - 1)
                to[i] = (uint32_t)at + STRIDE * (uint32_t)__builtin_ctz(hits);
        return n;
}

__attribute__((target("avx2,bmi,popcnt"))) static void probe_avx2(const struct literals *l, const uint8_t *text,
                                                                  size_t n, struct probed *ret)
{
        const __m256i fold = _mm256_set1_epi32((int)FOLD), factor = _mm256_set1_epi32((int)HASH_FACTOR);
        const __m256i low = _mm256_set1_epi32(31), top = low;
        const __m128i shift = _mm_cvtsi32_si128((int)(32 - l->gram_bits));
        size_t at = 0, n_gram = 0, n_pair = 0;
        for (; at + LANES8 <= n; at += LANES8) {
                __m256i grams = _mm256_or_si256(_mm256_loadu_si256((const void *)(text + at)), fold);
                if (l->grams) {
                        __m256i hash = _mm256_srl_epi32(_mm256_mullo_epi32(grams, factor), shift);
                        __m256i words = _mm256_i32gather_epi32((const void *)l->grams, _mm256_srli_epi32(hash, 5), 4);
                        __m256i bit = _mm256_sub_epi32(top, _mm256_and_si256(hash, low)); /* to the sign's place */
                        uint32_t hit = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_sllv_epi32(words, bit)));
                        n_gram += store_hits(hit, at, ret->gram + n_gram);
                }
                if (l->pairs) {
                        __m256i words = _mm256_i32gather_epi32((const void *)l->pairs,
                                                               _mm256_and_si256(grams, _mm256_set1_epi32(0xffff)), 4);
                        __m256i third = _mm256_and_si256(_mm256_srli_epi32(grams, 16), _mm256_set1_epi32(7));
                        __m256i fourth = _mm256_and_si256(_mm256_srli_epi32(grams, 21), _mm256_set1_epi32(0x18));
                        __m256i bit = _mm256_sub_epi32(top, _mm256_or_si256(third, fourth));
                        uint32_t hit = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_sllv_epi32(words, bit)));
                        n_pair += store_hits(hit, at, ret->pair + n_pair);
                }
        }
        ret->n_gram = n_gram;
        ret->n_pair = n_pair;
        probe_rest(l, text, at, n, ret);
}

prober probe_fastest(void)
{
        if (__builtin_cpu_supports("avx512f"))
                return probe_avx512;
        return __builtin_cpu_supports("avx2") ? probe_avx2 : probe_portable;
}

#else

prober probe_fastest(void) { return probe_portable; }

#endif
