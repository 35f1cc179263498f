/* See tandem.h. One kernel, made once for each set of digests, with their steps interleaved. */
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

struct sha256_state {
        __m128i abef, cdgh;
};

/* Four rounds of SHA-256; wk: words of the schedule with their constants added. */
ALWAYS_INLINE void sha256_rounds(struct sha256_state *s, __m128i wk)
{
        s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, wk);
        s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_shuffle_epi32(wk, 0x0e));
}

/* The words of rounds 4*g to 4*g+3, for sha256_rounds; and makes those that will follow in their place. */
ALWAYS_INLINE __m128i sha256_words(__m128i w[4], const unsigned g)
{
        __m128i wk = _mm_add_epi32(w[g % 4], _mm_load_si128((const __m128i *)(const void *)&sha256_k[4 * g]));
        if (g < 12) { /* words 16+4g.. replace words 4g.. */
                __m128i next = _mm_sha256msg1_epu32(w[g % 4], w[(g + 1) % 4]);
                next = _mm_add_epi32(next, _mm_alignr_epi8(w[(g + 3) % 4], w[(g + 2) % 4], 4));
                w[g % 4] = _mm_sha256msg2_epu32(next, w[(g + 3) % 4]);
        }
        return wk;
}

ALWAYS_INLINE struct sha256_state sha256_load(const uint32_t *state)
{
        __m128i dcba = _mm_loadu_si128((const __m128i *)(const void *)state),
                hgfe = _mm_loadu_si128((const __m128i *)(const void *)(state + 4));
        __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
        return (struct sha256_state){ _mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xf0) };
}

ALWAYS_INLINE void sha256_store(struct sha256_state s, uint32_t *state)
{
        __m128i feba = _mm_shuffle_epi32(s.abef, 0x1b), dchg = _mm_shuffle_epi32(s.cdgh, 0xb1);
        _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(feba, dchg, 0xf0));
        _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

ALWAYS_INLINE struct sha256_state sha256_sum(struct sha256_state x, struct sha256_state y)
{
        return (struct sha256_state){ _mm_add_epi32(x.abef, y.abef), _mm_add_epi32(x.cdgh, y.cdgh) };
}

/* The states of two digests of SHA-256 and one of MD5, in this order: shas is how many of the first there are. */
ALWAYS_INLINE void kernel(uint32_t *sha_0, uint32_t *sha_1, uint32_t *md5, const uint8_t *p, size_t blocks,
                          const unsigned shas, const bool with_md5)
{
        const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
        struct sha256_state s = { _mm_setzero_si128(), _mm_setzero_si128() }, r = s;
        uint32_t a = 0, b = 0, c = 0, d = 0;
        if (shas > 0)
                s = sha256_load(sha_0);
        if (shas > 1)
                r = sha256_load(sha_1);
        if (with_md5) {
                a = md5[0];
                b = md5[1];
                c = md5[2];
                d = md5[3];
        }
        for (; blocks; blocks--, p += TANDEM_BLOCK) {
                struct sha256_state s_0 = s, r_0 = r;
                __m128i w[4];
                uint32_t x[16], a_0 = a, b_0 = b, c_0 = c, d_0 = d;
                if (shas > 0)
                        for (unsigned i = 0; i < 4; i++)
                                w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i)),
                                                        big_endian);
                if (with_md5)
                        memcpy(x, p, sizeof(x));
#define GROUP(g)                                                                                                       \
        do {                                                                                                           \
                if (with_md5)                                                                                          \
                        md5_steps(&a, &b, &c, &d, x, (g));                                                             \
                if (shas > 0) {                                                                                        \
                        __m128i wk = sha256_words(w, (g));                                                             \
                        sha256_rounds(&s, wk);                                                                         \
                        if (shas > 1)                                                                                  \
                                sha256_rounds(&r, wk);                                                                 \
                }                                                                                                      \
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
                s = sha256_sum(s, s_0);
                r = sha256_sum(r, r_0);
                a += a_0;
                b += b_0;
                c += c_0;
                d += d_0;
        }
        if (shas > 0)
                sha256_store(s, sha_0);
        if (shas > 1)
                sha256_store(r, sha_1);
        if (with_md5) {
                md5[0] = a;
                md5[1] = b;
                md5[2] = c;
                md5[3] = d;
        }
}

TARGET static void sha256_blocks(uint32_t *sha, const uint8_t *p, size_t n) { kernel(sha, NULL, NULL, p, n, 1, false); }
TARGET static void md5_blocks(uint32_t *md5, const uint8_t *p, size_t n) { kernel(NULL, NULL, md5, p, n, 0, true); }
TARGET static void sha256_md5_blocks(uint32_t *sha, uint32_t *md5, const uint8_t *p, size_t n)
{
        kernel(sha, NULL, md5, p, n, 1, true);
}
TARGET static void two_sha256_blocks(uint32_t *sha_0, uint32_t *sha_1, const uint8_t *p, size_t n)
{
        kernel(sha_0, sha_1, NULL, p, n, 2, false);
}
TARGET static void all_blocks(uint32_t *sha_0, uint32_t *sha_1, uint32_t *md5, const uint8_t *p, size_t n)
{
        kernel(sha_0, sha_1, md5, p, n, 2, true);
}

static bool has_sha_extensions(void)
{
        uint32_t a = 7, b = 0, c = 0, d = 0;
        __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
        return (b & (1u << 29)) && __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("ssse3");
}

#else

/* Never called: tandem.is_fast is false. */
static void sha256_blocks(uint32_t *sha, const uint8_t *p, size_t n) { (void)sha, (void)p, (void)n; }
static void md5_blocks(uint32_t *md5, const uint8_t *p, size_t n) { (void)md5, (void)p, (void)n; }
static void sha256_md5_blocks(uint32_t *sha, uint32_t *md5, const uint8_t *p, size_t n)
{
        (void)sha, (void)md5, (void)p, (void)n;
}
static void two_sha256_blocks(uint32_t *sha_0, uint32_t *sha_1, const uint8_t *p, size_t n)
{
        (void)sha_0, (void)sha_1, (void)p, (void)n;
}
static void all_blocks(uint32_t *sha_0, uint32_t *sha_1, uint32_t *md5, const uint8_t *p, size_t n)
{
        (void)sha_0, (void)sha_1, (void)md5, (void)p, (void)n;
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
        restart(&t->stream, sha256_start);
        restart(&t->md5, md5_start);
        restart(&t->sha256, sha256_start);
        if (!t->is_fast) {
                digest_init(&t->slow_stream, DIGEST_SHA256);
                digest_init(&t->slow_md5, DIGEST_MD5);
                digest_init(&t->slow_sha256, DIGEST_SHA256);
        }
}

void tandem_done(struct tandem *t)
{
        if (!t->is_fast) {
                digest_done(&t->slow_stream);
                digest_done(&t->slow_md5);
                digest_done(&t->slow_sha256);
        }
}

void tandem_add(struct tandem *t, const void *p, size_t n)
{
        if (!t->is_fast)
                digest_add(&t->slow_stream, p, n);
        else if (n)
                half_add(&t->stream, sha256_blocks, p, n);
}

/* Whether all that take these bytes stand at the beginning of a block. */
static bool is_aligned(const struct tandem *t, unsigned digests, bool with_stream)
{
        return (!with_stream || t->stream.bytes % TANDEM_BLOCK == 0) &&
               (!(digests & TANDEM_MD5) || t->md5.bytes % TANDEM_BLOCK == 0) &&
               (!(digests & TANDEM_SHA256) || t->sha256.bytes % TANDEM_BLOCK == 0);
}

/* Whole blocks, to two or three digests at once. */
static void add_blocks(struct tandem *t, unsigned digests, bool with_stream, const uint8_t *p, size_t blocks)
{
        if (with_stream && digests == (TANDEM_MD5 | TANDEM_SHA256))
                all_blocks(t->stream.state, t->sha256.state, t->md5.state, p, blocks);
        else if (with_stream && digests == TANDEM_SHA256)
                two_sha256_blocks(t->stream.state, t->sha256.state, p, blocks);
        else
                sha256_md5_blocks(with_stream ? t->stream.state : t->sha256.state, t->md5.state, p, blocks);
        t->stream.bytes += with_stream ? blocks * TANDEM_BLOCK : 0;
        t->md5.bytes += digests & TANDEM_MD5 ? blocks * TANDEM_BLOCK : 0;
        t->sha256.bytes += digests & TANDEM_SHA256 ? blocks * TANDEM_BLOCK : 0;
}

static void add(struct tandem *t, unsigned digests, bool with_stream, const void *bytes, size_t n)
{
        const uint8_t *p = bytes;
        if (!t->is_fast) {
                if (with_stream)
                        digest_add(&t->slow_stream, p, n);
                if (digests & TANDEM_MD5)
                        digest_add(&t->slow_md5, p, n);
                if (digests & TANDEM_SHA256)
                        digest_add(&t->slow_sha256, p, n);
                return;
        }
        size_t blocks = n / TANDEM_BLOCK;
        bool is_for_many = with_stream ? digests != 0 : digests == (TANDEM_MD5 | TANDEM_SHA256);
        if (blocks && is_for_many && is_aligned(t, digests, with_stream)) {
                add_blocks(t, digests, with_stream, p, blocks);
                p += blocks * TANDEM_BLOCK;
                n -= blocks * TANDEM_BLOCK;
        }
        if (!n)
                return;
        if (with_stream)
                half_add(&t->stream, sha256_blocks, p, n);
        if (digests & TANDEM_MD5)
                half_add(&t->md5, md5_blocks, p, n);
        if (digests & TANDEM_SHA256)
                half_add(&t->sha256, sha256_blocks, p, n);
}

void tandem_add_part(struct tandem *t, unsigned digests, const void *p, size_t n) { add(t, digests, true, p, n); }

void tandem_add_alone(struct tandem *t, unsigned digests, const void *p, size_t n) { add(t, digests, false, p, n); }

static void end_sha256(struct tandem_half *h, uint8_t ret[static 32])
{
        half_end(h, sha256_blocks, true);
        for (unsigned i = 0; i < 32; i++)
                ret[i] = (uint8_t)(h->state[i / 4] >> (24 - 8 * (i % 4)));
        restart(h, sha256_start);
}

static void end_md5(struct tandem_half *h, uint8_t ret[static MD5_BYTES])
{
        half_end(h, md5_blocks, false);
        for (unsigned i = 0; i < MD5_BYTES; i++)
                ret[i] = (uint8_t)(h->state[i / 4] >> (8 * (i % 4)));
        restart(h, md5_start);
}

void tandem_end_part(struct tandem *t, unsigned digests, uint8_t *ret_md5, uint8_t *ret_sha256)
{
        if (digests & TANDEM_MD5 && t->is_fast)
                end_md5(&t->md5, ret_md5);
        else if (digests & TANDEM_MD5)
                digest_end(&t->slow_md5, ret_md5);
        if (digests & TANDEM_SHA256 && t->is_fast)
                end_sha256(&t->sha256, ret_sha256);
        else if (digests & TANDEM_SHA256)
                digest_end(&t->slow_sha256, ret_sha256);
}

void tandem_end(struct tandem *t, uint8_t ret_sha256[static 32])
{
        if (t->is_fast)
                end_sha256(&t->stream, ret_sha256);
        else
                digest_end(&t->slow_stream, ret_sha256);
}
