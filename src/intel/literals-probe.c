/* The two probing loops of the literal matcher, which all bytes pass: portable, and with vectors. */
#include "intel/literals-private.h"

#include <assert.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

static inline bool gram_is_in(uint32_t word, uint32_t mask) { return (word & mask) == mask; }

/* No branch hangs on the text: every offset is stored, and the place moves on only if it hit. */
static size_t grams_portable(const struct literals *l, const uint8_t *text, size_t n, uint32_t *ret)
{
        size_t hits = 0;
        for (size_t i = 0; i < n; i += STRIDE) {
                uint32_t gram = load32(text + i) | FOLD;
                ret[hits] = (uint32_t)i;
                hits += gram_is_in(l->grams[gram_hash(gram, l->gram_bits)], gram_mask(gram, l->gram_bits));
        }
        return hits;
}

static inline unsigned heaps_at(const struct short_table t[static SHORT_PLACES], const uint8_t *text)
{
        unsigned heaps = 0xff;
        for (size_t i = 0; i < SHORT_PLACES; i++)
                heaps &= t[i].by_byte[text[i] % sizeof(t->by_byte)];
        return heaps;
}

static size_t shorts_portable(const struct short_set *s, const uint8_t *text, size_t n, uint32_t *ret)
{
        size_t hits = 0;
        for (size_t i = 0; i < n; i++) {
                unsigned heaps = heaps_at(s->tables[0], text + i);
                if (s->groups > 1)
                        heaps |= heaps_at(s->tables[1], text + i);
                ret[hits] = (uint32_t)i;
                hits += heaps != 0;
        }
        return hits;
}

struct probers probers_portable(void) { return (struct probers){ grams_portable, shorts_portable }; }

#ifdef __x86_64__

#define LANES8  32 /* bytes of a vector of 8 grams */
#define LANES16 64

#define STORED_ALWAYS 4 /* offsets, whether there are so many or not */

/* Goes on from at, where a vector does not fit any more. */
static size_t grams_rest(const struct literals *l, const uint8_t *text, size_t at, size_t n, uint32_t *ret, size_t hits)
{
        size_t more = grams_portable(l, text + at, n - at, ret + hits);
        for (size_t i = hits; i < hits + more; i++)
                ret[i] += (uint32_t)at;
        return hits + more;
}

static size_t shorts_rest(const struct short_set *s, const uint8_t *text, size_t at, size_t n, uint32_t *ret,
                          size_t hits)
{
        size_t more = shorts_portable(s, text + at, n - at, ret + hits);
        for (size_t i = hits; i < hits + more; i++)
                ret[i] += (uint32_t)at;
        return hits + more;
}

/* Which of 16 grams hit, one bit each. */
__attribute__((target("avx512f"), always_inline)) static inline __mmask16 hits_of_grams(__m512i grams,
                                                                                        const struct literals *l)
{
        const __m512i one = _mm512_set1_epi32(1);
        __m512i hash = _mm512_mullo_epi32(grams, _mm512_set1_epi32((int)HASH_FACTOR));
        __m512i words = _mm512_i32gather_epi32(_mm512_srl_epi32(hash, _mm_cvtsi32_si128((int)(32 - l->gram_bits))),
                                               l->grams, 4);
        __m512i first = _mm512_srl_epi32(hash, _mm_cvtsi32_si128((int)(27 - l->gram_bits)));
        __m512i second = _mm512_xor_si512(_mm512_srli_epi32(grams, 8), _mm512_srli_epi32(grams, 24));
        __m512i mask = _mm512_or_si512(_mm512_rolv_epi32(one, first), _mm512_rolv_epi32(one, second));
        return _mm512_cmpeq_epi32_mask(_mm512_and_si512(words, mask), mask);
}

/* The vectors' upper halves are left zero (everywhere here): older instructions are slow where they are not. */
__attribute__((target("avx512f,popcnt"))) static size_t grams_avx512(const struct literals *l, const uint8_t *text,
                                                                     size_t n, uint32_t *ret)
{
        const __m512i fold = _mm512_set1_epi32((int)FOLD), next = _mm512_set1_epi32(LANES16);
        __m512i offsets = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60);
        size_t hits = 0;
        for (size_t at = 0; at < n; at += LANES16) {
                __mmask16 there = (__mmask16)(n - at >= LANES16 ? 0xffff : (1u << (n - at) / STRIDE) - 1);
                __m512i grams = _mm512_or_si512(_mm512_maskz_loadu_epi32(there, text + at), fold);
                __mmask16 hit = (__mmask16)(hits_of_grams(grams, l) & there);
                _mm512_storeu_si512(ret + hits, _mm512_maskz_compress_epi32(hit, offsets));
                hits += (size_t)__builtin_popcount(hit);
                offsets = _mm512_add_epi32(offsets, next);
        }
        _mm256_zeroupper();
        return hits;
}

/*
 * Stores the offsets at + stride * i of the bits that are set. Mostly there are none to three of them, which no
 * processor can foretell: so a few are always stored, and no branch hangs on the text.
 */
__attribute__((target("bmi,popcnt"), always_inline)) static inline size_t store_hits(uint64_t hits, size_t at,
                                                                                     uint32_t stride, uint32_t *to)
{
        size_t n = (size_t)__builtin_popcountll(hits);
        static_assert(STORED_ALWAYS <= HIT_SLACK, "there is room for them");
        for (size_t i = 0; i < STORED_ALWAYS; i++, hits = _blsr_u64(hits))
                to[i] = (uint32_t)at + stride * (uint32_t)_tzcnt_u64(hits);
        for (size_t i = STORED_ALWAYS; i < n; i++, hits = _blsr_u64(hits))
                to[i] = (uint32_t)at + stride * (uint32_t)_tzcnt_u64(hits);
        return n;
}

__attribute__((target("avx2,bmi,popcnt"))) static size_t grams_avx2(const struct literals *l, const uint8_t *text,
                                                                    size_t n, uint32_t *ret)
{
        const __m256i fold = _mm256_set1_epi32((int)FOLD), factor = _mm256_set1_epi32((int)HASH_FACTOR);
        const __m256i one = _mm256_set1_epi32(1), low = _mm256_set1_epi32(31);
        const __m128i to_word = _mm_cvtsi32_si128((int)(32 - l->gram_bits)),
                      to_bit = _mm_cvtsi32_si128((int)(27 - l->gram_bits));
        size_t at = 0, hits = 0;
        for (; at + LANES8 <= n; at += LANES8) {
                __m256i grams = _mm256_or_si256(_mm256_loadu_si256((const void *)(text + at)), fold);
                __m256i hash = _mm256_mullo_epi32(grams, factor);
                __m256i words = _mm256_i32gather_epi32((const void *)l->grams, _mm256_srl_epi32(hash, to_word), 4);
                __m256i first = _mm256_and_si256(_mm256_srl_epi32(hash, to_bit), low);
                __m256i second = _mm256_xor_si256(_mm256_srli_epi32(grams, 8), _mm256_srli_epi32(grams, 24));
                __m256i mask = _mm256_or_si256(_mm256_sllv_epi32(one, first),
                                               _mm256_sllv_epi32(one, _mm256_and_si256(second, low)));
                __m256i is_in = _mm256_cmpeq_epi32(_mm256_and_si256(words, mask), mask);
                hits += store_hits((uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(is_in)), at, STRIDE, ret + hits);
        }
        _mm256_zeroupper();
        return grams_rest(l, text, at, n, ret, hits);
}

/* The tables of one place. */
struct place512 {
        __m512i low[SHORT_GROUPS], high[SHORT_GROUPS]; /* for bytes below 64, and from there on */
};

#define VBMI_TARGET "avx512f,avx512bw,avx512vbmi,bmi,popcnt"

/* What a place says of positions whose bytes there begin at text. */
__attribute__((target(VBMI_TARGET), always_inline)) static inline void heaps_vbmi(const struct place512 *place,
                                                                                  __mmask64 there, const uint8_t *text,
                                                                                  const size_t groups,
                                                                                  __m512i heaps[SHORT_GROUPS])
{
        __m512i bytes = _mm512_maskz_loadu_epi8(there, text);
        for (size_t g = 0; g < groups; g++)
                heaps[g] = _mm512_and_si512(heaps[g], _mm512_permutex2var_epi8(place->low[g], bytes, place->high[g]));
}

__attribute__((target(VBMI_TARGET), always_inline)) static inline size_t
shorts_vbmi(const struct short_set *s, const uint8_t *text, size_t n, uint32_t *ret, const size_t groups)
{
        struct place512 places[SHORT_PLACES];
        size_t hits = 0;
        for (size_t i = 0; i < SHORT_PLACES; i++) {
                for (size_t g = 0; g < groups; g++) {
                        places[i].low[g] = _mm512_loadu_si512(s->tables[g][i].by_byte);
                        places[i].high[g] = _mm512_loadu_si512(s->tables[g][i].by_byte + 64);
                }
        }
        for (size_t at = 0; at < n; at += LANES16) {
                __mmask64 there = n - at >= LANES16 ? ~UINT64_C(0) : (UINT64_C(1) << (n - at)) - 1;
                __m512i heaps[SHORT_GROUPS] = { _mm512_set1_epi8(-1), _mm512_set1_epi8(-1) };
                static_assert(SHORT_PLACES == 4, "written out, so that the tables stay in registers");
                heaps_vbmi(&places[0], there, text + at, groups, heaps);
                heaps_vbmi(&places[1], there, text + at + 1, groups, heaps);
                heaps_vbmi(&places[2], there, text + at + 2, groups, heaps);
                heaps_vbmi(&places[3], there, text + at + 3, groups, heaps);
                __m512i any = groups > 1 ? _mm512_or_si512(heaps[0], heaps[1]) : heaps[0];
                hits += store_hits(_mm512_mask_test_epi8_mask(there, any, any), at, 1, ret + hits);
        }
        _mm256_zeroupper();
        return hits;
}

__attribute__((target(VBMI_TARGET))) static size_t shorts_avx512(const struct short_set *s, const uint8_t *text,
                                                                 size_t n, uint32_t *ret)
{
        return s->groups > 1 ? shorts_vbmi(s, text, n, ret, SHORT_GROUPS) : shorts_vbmi(s, text, n, ret, 1);
}

/* As above, by the halves of a byte: a little more passes. */
__attribute__((target("avx2"), always_inline)) static inline __m256i heaps_avx2(const struct short_table *t,
                                                                                const uint8_t *text)
{
        const __m256i half = _mm256_set1_epi8(0x0f);
        __m256i heaps = _mm256_set1_epi8(-1);
        for (size_t i = 0; i < SHORT_PLACES; i++) {
                __m256i bytes = _mm256_loadu_si256((const void *)(text + i));
                __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)t[i].by_low));
                __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)t[i].by_high));
                low = _mm256_shuffle_epi8(low, _mm256_and_si256(bytes, half));
                high = _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half));
                heaps = _mm256_and_si256(heaps, _mm256_and_si256(low, high));
        }
        return heaps;
}

__attribute__((target("avx2,bmi,popcnt"))) static size_t shorts_avx2(const struct short_set *s, const uint8_t *text,
                                                                     size_t n, uint32_t *ret)
{
        size_t at = 0, hits = 0;
        for (; at + LANES8 <= n; at += LANES8) {
                __m256i any = heaps_avx2(s->tables[0], text + at);
                if (s->groups > 1)
                        any = _mm256_or_si256(any, heaps_avx2(s->tables[1], text + at));
                __m256i none = _mm256_cmpeq_epi8(any, _mm256_setzero_si256());
                hits += store_hits(~(uint32_t)_mm256_movemask_epi8(none), at, 1, ret + hits);
        }
        _mm256_zeroupper();
        return shorts_rest(s, text, at, n, ret, hits);
}

struct probers probers_fastest(void)
{
        struct probers p = probers_portable();
        if (__builtin_cpu_supports("avx2"))
                p = (struct probers){ grams_avx2, shorts_avx2 };
        if (__builtin_cpu_supports("avx512f"))
                p.grams = grams_avx512;
        if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi"))
                p.shorts = shorts_avx512;
        return p;
}

#else

struct probers probers_fastest(void) { return probers_portable(); }

#endif
