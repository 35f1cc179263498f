/* See tandem.h. One kernel, made three times: SHA-256 alone, MD5 alone, and both with their steps interleaved. */
#include "read/tandem.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define HAS_KERNEL    1
#define ALWAYS_INLINE static inline __attribute__((always_inline, target("sha,sse4.1,ssse3")))
#define TARGET        __attribute__((target("sha,sse4.1,ssse3")))
#else
#define HAS_KERNEL 0
#endif

static const uint32_t sha256_start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                          0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
static const uint32_t md5_start[8] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 };

static void restart(struct tandem_half *h, const uint32_t start[8])
{
        memcpy(h->state, start, sizeof(h->state));
        h->bytes = 0;
}

#if HAS_KERNEL

static const uint32_t sha256_k[64] __attribute__((aligned(
        16))) = { 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
                  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
                  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
                  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
                  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
                  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
                  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
                  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2 };

static const uint32_t md5_t[64] = { 0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613,
                                    0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193,
                                    0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d,
                                    0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
                                    0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122,
                                    0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
                                    0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244,
                                    0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
                                    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb,
                                    0xeb86d391 };

/* One step of MD5. The functions are written so that the newest value, b, enters last. */
ALWAYS_INLINE uint32_t md5_step(uint32_t a, uint32_t b, uint32_t c, uint32_t d, const uint32_t w[16],
                                const unsigned step, const unsigned n)
{
        static const unsigned first[4] = { 0, 1, 5, 0 }, stride[4] = { 1, 5, 3, 7 };
        const unsigned round = step / 16;
        uint32_t sum = a + w[(first[round] + stride[round] * (step % 16)) % 16] + md5_t[step];
        if (round == 0)
                sum += d ^ (b & (c ^ d));
        else if (round == 1) /* the two parts have no bit in common, so they may be added, and only one waits for b */
                sum = sum + (~d & c) + (d & b);
        else if (round == 2)
                sum += (c ^ d) ^ b;
        else
                sum += c ^ (b | ~d);
        return (sum << n | sum >> (32 - n)) + b;
}

/* Four steps, numbers 4*g to 4*g+3, after which all have their old roles again. */
ALWAYS_INLINE void md5_steps(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d, const uint32_t w[16], const unsigned g)
{
        static const unsigned shifts[4][4] = {
                { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 }
        };
        const unsigned *n = shifts[g / 4];
        *a = md5_step(*a, *b, *c, *d, w, 4 * g, n[0]);
        *d = md5_step(*d, *a, *b, *c, w, 4 * g + 1, n[1]);
        *c = md5_step(*c, *d, *a, *b, w, 4 * g + 2, n[2]);
        *b = md5_step(*b, *c, *d, *a, w, 4 * g + 3, n[3]);
}

/* Four rounds of SHA-256, numbers 4*g to 4*g+3, and the words of the schedule that they make room for. */
ALWAYS_INLINE void sha256_rounds(__m128i *abef, __m128i *cdgh, __m128i w[4], const unsigned g)
{
        __m128i wk = _mm_add_epi32(w[g % 4], _mm_load_si128((const __m128i *)(const void *)&sha256_k[4 * g]));
        *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, wk);
        *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(wk, 0x0e));
        if (g < 12) { /* words 16+4g.. replace words 4g.. */
                __m128i next = _mm_sha256msg1_epu32(w[g % 4], w[(g + 1) % 4]);
                next = _mm_add_epi32(next, _mm_alignr_epi8(w[(g + 3) % 4], w[(g + 2) % 4], 4));
                w[g % 4] = _mm_sha256msg2_epu32(next, w[(g + 3) % 4]);
        }
}

ALWAYS_INLINE void kernel(uint32_t *sha, uint32_t *md5, const uint8_t *p, size_t blocks, const bool with_sha,
                          const bool with_md5)
{
        const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
        __m128i abef = _mm_setzero_si128(), cdgh = _mm_setzero_si128();
        uint32_t a = 0, b = 0, c = 0, d = 0;
        if (with_sha) {
                __m128i dcba = _mm_loadu_si128((const __m128i *)(const void *)sha),
                        hgfe = _mm_loadu_si128((const __m128i *)(const void *)(sha + 4));
                __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
                abef = _mm_alignr_epi8(cdab, efgh, 8);
                cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
        }
        if (with_md5) {
                a = md5[0];
                b = md5[1];
                c = md5[2];
                d = md5[3];
        }
        for (; blocks; blocks--, p += TANDEM_BLOCK) {
                __m128i w[4], abef_0 = abef, cdgh_0 = cdgh;
                uint32_t x[16], a_0 = a, b_0 = b, c_0 = c, d_0 = d;
                if (with_sha)
                        for (unsigned i = 0; i < 4; i++)
                                w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i)),
                                                        big_endian);
                if (with_md5)
                        memcpy(x, p, sizeof(x));
#define GROUP(g)                                                                                                       \
        do {                                                                                                           \
                if (with_md5)                                                                                          \
                        md5_steps(&a, &b, &c, &d, x, (g));                                                             \
                if (with_sha)                                                                                          \
                        sha256_rounds(&abef, &cdgh, w, (g));                                                           \
        } while (0)
                GROUP(0);
                GROUP(1);
                GROUP(2);
                GROUP(3);
                GROUP(4);
                GROUP(5);
                GROUP(6);
                GROUP(7);
                GROUP(8);
                GROUP(9);
                GROUP(10);
                GROUP(11);
                GROUP(12);
                GROUP(13);
                GROUP(14);
                GROUP(15);
#undef GROUP
                abef = _mm_add_epi32(abef, abef_0);
                cdgh = _mm_add_epi32(cdgh, cdgh_0);
                a += a_0;
                b += b_0;
                c += c_0;
                d += d_0;
        }
        if (with_sha) {
                __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
                _mm_storeu_si128((__m128i *)(void *)sha, _mm_blend_epi16(feba, dchg, 0xf0));
                _mm_storeu_si128((__m128i *)(void *)(sha + 4), _mm_alignr_epi8(dchg, feba, 8));
        }
        if (with_md5) {
                md5[0] = a;
                md5[1] = b;
                md5[2] = c;
                md5[3] = d;
        }
}

TARGET static void sha256_blocks(uint32_t *sha, const uint8_t *p, size_t n) { kernel(sha, NULL, p, n, true, false); }
TARGET static void md5_blocks(uint32_t *md5, const uint8_t *p, size_t n) { kernel(NULL, md5, p, n, false, true); }
TARGET static void both_blocks(uint32_t *sha, uint32_t *md5, const uint8_t *p, size_t n)
{
        kernel(sha, md5, p, n, true, true);
}

static bool has_sha_extensions(void)
{
        uint32_t a = 7, b = 0, c = 0, d = 0;
        __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
        return (b & (1u << 29)) && __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("ssse3");
}

#else

static void sha256_blocks(uint32_t *sha, const uint8_t *p, size_t n) { (void)sha, (void)p, (void)n; }
static void md5_blocks(uint32_t *md5, const uint8_t *p, size_t n) { (void)md5, (void)p, (void)n; }
static void both_blocks(uint32_t *sha, uint32_t *md5, const uint8_t *p, size_t n)
{
        (void)sha, (void)md5, (void)p, (void)n;
}
static bool has_sha_extensions(void) { return false; }

#endif

typedef void (*blocks_function)(uint32_t *state, const uint8_t *p, size_t blocks);

static void half_add(struct tandem_half *h, blocks_function blocks, const uint8_t *p, size_t n)
{
        size_t used = h->bytes % TANDEM_BLOCK;
        h->bytes += n;
        if (used) {
                size_t part = MIN(n, TANDEM_BLOCK - used);
                memcpy(h->partial + used, p, part);
                if (used + part < TANDEM_BLOCK)
                        return;
                blocks(h->state, h->partial, 1);
                p += part;
                n -= part;
        }
        blocks(h->state, p, n / TANDEM_BLOCK);
        memcpy(h->partial, p + n / TANDEM_BLOCK * TANDEM_BLOCK, n % TANDEM_BLOCK);
}

/* The padding of both: a one bit, zeros, and the length in bits in the last eight bytes. */
static void half_end(struct tandem_half *h, blocks_function blocks, bool big_endian)
{
        uint64_t bits = h->bytes * 8;
        size_t used = h->bytes % TANDEM_BLOCK, zeros = (used < 56 ? 55 : 119) - used;
        uint8_t tail[2 * TANDEM_BLOCK] = { 0x80 };
        for (unsigned i = 0; i < 8; i++)
                tail[1 + zeros + i] = (uint8_t)(bits >> (big_endian ? 56 - 8 * i : 8 * i));
        half_add(h, blocks, tail, 1 + zeros + 8);
}

void tandem_init(struct tandem *t)
{
        *t = (struct tandem){ .is_fast = has_sha_extensions() };
        restart(&t->sha256, sha256_start);
        restart(&t->md5, md5_start);
        if (!t->is_fast) {
                digest_init(&t->slow_sha256, DIGEST_SHA256);
                digest_init(&t->slow_md5, DIGEST_MD5);
        }
}

void tandem_done(struct tandem *t)
{
        if (!t->is_fast) {
                digest_done(&t->slow_sha256);
                digest_done(&t->slow_md5);
        }
}

void tandem_add(struct tandem *t, const void *p, size_t n)
{
        if (!t->is_fast)
                digest_add(&t->slow_sha256, p, n);
        else if (n)
                half_add(&t->sha256, sha256_blocks, p, n);
}

void tandem_add_md5(struct tandem *t, const void *p, size_t n)
{
        if (!t->is_fast)
                digest_add(&t->slow_md5, p, n);
        else if (n)
                half_add(&t->md5, md5_blocks, p, n);
}

void tandem_add_part(struct tandem *t, const void *p, size_t n)
{
        if (!t->is_fast) {
                digest_add(&t->slow_sha256, p, n);
                digest_add(&t->slow_md5, p, n);
                return;
        }
        size_t whole = n / TANDEM_BLOCK * TANDEM_BLOCK;
        if (whole && t->sha256.bytes % TANDEM_BLOCK == 0 && t->md5.bytes % TANDEM_BLOCK == 0) {
                both_blocks(t->sha256.state, t->md5.state, p, whole / TANDEM_BLOCK);
                t->sha256.bytes += whole;
                t->md5.bytes += whole;
                p = (const uint8_t *)p + whole;
                n -= whole;
        }
        if (n) {
                half_add(&t->sha256, sha256_blocks, p, n);
                half_add(&t->md5, md5_blocks, p, n);
        }
}

void tandem_end_part(struct tandem *t, uint8_t ret_md5[static MD5_BYTES])
{
        if (!t->is_fast) {
                digest_end(&t->slow_md5, ret_md5);
                return;
        }
        half_end(&t->md5, md5_blocks, false);
        for (unsigned i = 0; i < MD5_BYTES; i++)
                ret_md5[i] = (uint8_t)(t->md5.state[i / 4] >> (8 * (i % 4)));
        restart(&t->md5, md5_start);
}

void tandem_end(struct tandem *t, uint8_t ret_sha256[static 32])
{
        if (!t->is_fast) {
                digest_end(&t->slow_sha256, ret_sha256);
                return;
        }
        half_end(&t->sha256, sha256_blocks, true);
        for (unsigned i = 0; i < 32; i++)
                ret_sha256[i] = (uint8_t)(t->sha256.state[i / 4] >> (24 - 8 * (i % 4)));
        restart(&t->sha256, sha256_start);
}
