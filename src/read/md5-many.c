/*
 * MD5 of many files at once: one file a lane of a vector (RFC 1321; section numbers below are its own).
 *
 * Files are copied in with their padding (3.1, 3.2), so the kernel sees whole blocks only. When the memory is full or a
 * flush asks for it, they are digested, longest first; a lane that ends gets the next file at once, so that lanes stay
 * busy whatever the lengths. An idle lane digests the first block of the memory over and over.
 */
#include "read/digest.h"

#include "base/arena.h"

#include <stdlib.h>

#define LANES         16
#define BLOCK_BYTES   64
#define MEMORY_BYTES  (4u << 20)
#define MEMORY_BLOCKS (MEMORY_BYTES / BLOCK_BYTES)
#define PADDING_MIN   9 /* 0x80 and the length */
#define BLOCKS_MAX    ((MD5_MANY_FILE_MAX + PADDING_MIN + BLOCK_BYTES - 1) / BLOCK_BYTES)

#define NO_FILE UINT32_MAX

typedef uint32_t lanes __attribute__((vector_size(4 * LANES)));

struct file {
        uint64_t cookie;
        uint32_t block; /* where it starts in memory */
        uint32_t blocks;
        uint32_t next; /* of the same length, or NO_FILE */
};

struct md5_many {
        md5_many_result result;
        void *arg;
        uint8_t *memory;
        struct file *files;
        uint32_t n_files, used; /* used: blocks */
        uint32_t by_blocks[BLOCKS_MAX + 1];
};

/* One group of files being digested. */
struct group {
        lanes state[4];
        const uint8_t *at[LANES];
        uint32_t step[LANES]; /* bytes to the next block: BLOCK_BYTES, 0 for an idle lane */
};

typedef void (*kernel)(struct group *g, size_t blocks);

#define ALWAYS_INLINE static inline __attribute__((always_inline))

#define ROTATE(x, n) ((x) << (n) | (x) >> (32 - (n)))
#define F(x, y, z)   ((z) ^ ((x) & ((y) ^ (z))))
#define G(x, y, z)   ((y) ^ ((z) & ((x) ^ (y))))
#define H(x, y, z)   ((x) ^ (y) ^ (z))
#define I(x, y, z)   ((y) ^ ((x) | ~(z)))

#define STEP(f, a, b, c, d, k, s, t)                                                                                   \
        do {                                                                                                           \
                a += f(b, c, d) + w[k] + (t);                                                                          \
                a = ROTATE(a, s) + b;                                                                                  \
        } while (0)

/* Four steps, after which a, b, c, d have their old roles again. k goes on by `by` (mod 16). */
#define STEPS(f, k, by, s1, s2, s3, s4, t1, t2, t3, t4)                                                                \
        do {                                                                                                           \
                STEP(f, a, b, c, d, (k)&15, s1, t1);                                                                   \
                STEP(f, d, a, b, c, ((k) + (by)) & 15, s2, t2);                                                        \
                STEP(f, c, d, a, b, ((k) + 2 * (by)) & 15, s3, t3);                                                    \
                STEP(f, b, c, d, a, ((k) + 3 * (by)) & 15, s4, t4);                                                    \
        } while (0)

/*
 * The transposition of 16 rows of 16 words: w[k] gets word k of all lanes. Each of the four rounds is a perfect shuffle
 * of all 256 words: it rotates the 8 bits of a word's place (row, column) by one, so four exchange row and column.
 */
ALWAYS_INLINE void transpose(lanes w[16])
{
        for (unsigned round = 0; round < 4; round++) {
                lanes t[16];
                for (unsigned i = 0; i < 8; i++) {
                        t[2 * i] = __builtin_shufflevector(w[i], w[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6,
                                                           22, 7, 23);
                        t[2 * i + 1] = __builtin_shufflevector(w[i], w[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13,
                                                               29, 14, 30, 15, 31);
                }
                memcpy(w, t, sizeof(t));
        }
}

ALWAYS_INLINE void digest_blocks(struct group *g, size_t blocks)
{
        lanes a = g->state[0], b = g->state[1], c = g->state[2], d = g->state[3];
        for (; blocks > 0; blocks--) {
                lanes w[16], a0 = a, b0 = b, c0 = c, d0 = d;
                for (unsigned i = 0; i < LANES; i++) {
                        memcpy(&w[i], g->at[i], BLOCK_BYTES);
                        g->at[i] += g->step[i];
                }
                transpose(w);
                STEPS(F, 0, 1, 7, 12, 17, 22, 0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee);
                STEPS(F, 4, 1, 7, 12, 17, 22, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501);
                STEPS(F, 8, 1, 7, 12, 17, 22, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be);
                STEPS(F, 12, 1, 7, 12, 17, 22, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821);
                STEPS(G, 1, 5, 5, 9, 14, 20, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa);
                STEPS(G, 5, 5, 5, 9, 14, 20, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8);
                STEPS(G, 9, 5, 5, 9, 14, 20, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed);
                STEPS(G, 13, 5, 5, 9, 14, 20, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a);
                STEPS(H, 5, 3, 4, 11, 16, 23, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c);
                STEPS(H, 1, 3, 4, 11, 16, 23, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70);
                STEPS(H, 13, 3, 4, 11, 16, 23, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05);
                STEPS(H, 9, 3, 4, 11, 16, 23, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665);
                STEPS(I, 0, 7, 6, 10, 15, 21, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039);
                STEPS(I, 12, 7, 6, 10, 15, 21, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1);
                STEPS(I, 8, 7, 6, 10, 15, 21, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1);
                STEPS(I, 4, 7, 6, 10, 15, 21, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391);
                a += a0;
                b += b0;
                c += c0;
                d += d0;
        }
        g->state[0] = a;
        g->state[1] = b;
        g->state[2] = c;
        g->state[3] = d;
}

static void kernel_default(struct group *g, size_t blocks) { digest_blocks(g, blocks); }

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void kernel_avx2(struct group *g, size_t blocks) { digest_blocks(g, blocks); }

__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq"))) static void kernel_avx512(struct group *g, size_t blocks)
{
        digest_blocks(g, blocks);
}
#endif

static kernel best_kernel(void)
{
#if defined(__x86_64__)
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
            __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"))
                return kernel_avx512;
        if (__builtin_cpu_supports("avx2"))
                return kernel_avx2;
#endif
        return kernel_default;
}

struct md5_many *md5_many_new(md5_many_result result, void *arg)
{
        struct md5_many *m = xcalloc(1, sizeof(*m));
        m->result = result;
        m->arg = arg;
        m->memory = xmalloc(MEMORY_BYTES);
        m->files = xreallocarray(NULL, MEMORY_BLOCKS, sizeof(*m->files)); /* a file has at least one block */
        return m;
}

void md5_many_free(struct md5_many *m)
{
        if (!m)
                return;
        free(m->memory);
        free(m->files);
        free(m);
}

static uint32_t blocks_of(size_t n) { return (uint32_t)((n + PADDING_MIN + BLOCK_BYTES - 1) / BLOCK_BYTES); }

uint8_t *md5_many_room(struct md5_many *m, size_t n)
{
        if (n > MD5_MANY_FILE_MAX)
                abort(); /* the caller's mistake, never the input's */
        if (m->used + blocks_of(n) > MEMORY_BLOCKS)
                md5_many_flush(m);
        return m->memory + (size_t)m->used * BLOCK_BYTES;
}

void md5_many_put(struct md5_many *m, uint64_t cookie, size_t n)
{
        uint32_t blocks = blocks_of(n);
        uint8_t *p = m->memory + (size_t)m->used * BLOCK_BYTES, *end = p + (size_t)blocks * BLOCK_BYTES;
        uint64_t bits = (uint64_t)n * 8;
        p[n] = 0x80;
        memset(p + n + 1, 0, (size_t)(end - 8 - (p + n + 1)));
        for (unsigned i = 0; i < 8; i++)
                end[(int)i - 8] = (uint8_t)(bits >> 8 * i);
        m->files[m->n_files++] = (struct file){ .cookie = cookie, .block = m->used, .blocks = blocks };
        m->used += blocks;
}

void md5_many_add(struct md5_many *m, uint64_t cookie, struct str content)
{
        uint8_t *p = md5_many_room(m, content.n);
        if (content.n)
                memcpy(p, content.p, content.n);
        md5_many_put(m, cookie, content.n);
}

/* The files in lists by length. Returns the greatest length. */
static uint32_t sort_files(struct md5_many *m)
{
        uint32_t longest = 0;
        for (uint32_t i = 0; i < m->n_files; i++)
                longest = MAX(longest, m->files[i].blocks);
        memset(m->by_blocks, 0xff, (longest + 1) * sizeof(m->by_blocks[0]));
        for (uint32_t i = m->n_files; i-- > 0;) {
                m->files[i].next = m->by_blocks[m->files[i].blocks];
                m->by_blocks[m->files[i].blocks] = i;
        }
        return longest;
}

static void give_result(struct md5_many *m, const struct group *g, unsigned lane, uint64_t cookie)
{
        uint8_t digest[MD5_BYTES];
        for (unsigned i = 0; i < MD5_BYTES; i++)
                digest[i] = (uint8_t)(g->state[i / 4][lane] >> 8 * (i % 4));
        m->result(m->arg, cookie, digest);
}

void md5_many_flush(struct md5_many *m)
{
        static const uint32_t start[4] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 }; /* 3.3 */
        kernel run = best_kernel();
        struct group g;
        uint32_t left[LANES] = { 0 }, file[LANES], length = sort_files(m), active = LANES;
        memset(&g, 0, sizeof(g));
        while (active > 0) {
                uint32_t blocks = UINT32_MAX;
                active = 0;
                for (unsigned i = 0; i < LANES; i++) {
                        if (left[i] == 0) { /* the next longest file */
                                while (length > 0 && m->by_blocks[length] == NO_FILE)
                                        length--;
                                file[i] = length > 0 ? m->by_blocks[length] : NO_FILE;
                                g.at[i] = m->memory;
                                g.step[i] = 0;
                                if (file[i] == NO_FILE)
                                        continue;
                                const struct file *f = &m->files[file[i]];
                                m->by_blocks[length] = f->next;
                                g.at[i] = m->memory + (size_t)f->block * BLOCK_BYTES;
                                g.step[i] = BLOCK_BYTES;
                                left[i] = f->blocks;
                                for (unsigned k = 0; k < 4; k++)
                                        g.state[k][i] = start[k];
                        }
                        blocks = MIN(blocks, left[i]);
                        active++;
                }
                if (active == 0)
                        break;
                run(&g, blocks);
                for (unsigned i = 0; i < LANES; i++) {
                        if (left[i] == 0)
                                continue;
                        left[i] -= blocks;
                        if (left[i] == 0)
                                give_result(m, &g, i, m->files[file[i]].cookie);
                }
        }
        m->n_files = 0;
        m->used = 0;
}
