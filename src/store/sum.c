/*
 * SHA-256 (FIPS 180-4) over fields: a domain word with its NUL first, so that a digest of one thing is never one of
 * another; each text with its length, so that no two different lists of fields give the same bytes.
 */
#include "store/internal.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

static void check(int ok)
{
        if (ok == 1)
                return;
        /* Only memory or a broken libcrypto: as with arenas, there is no useful way to go on. */
        fputs("sekisho: SHA-256 cannot be computed\n", stderr);
        abort();
}

void sum_begin(struct sum *s, const char *domain)
{
        s->ctx = EVP_MD_CTX_new();
        check(s->ctx != NULL);
        check(EVP_DigestInit_ex(s->ctx, EVP_sha256(), NULL));
        check(EVP_DigestUpdate(s->ctx, domain, strlen(domain) + 1));
}

void sum_number(struct sum *s, int64_t v)
{
        uint8_t bytes[8];
        for (int i = 0; i < 8; i++)
                bytes[i] = (uint8_t)((uint64_t)v >> (56 - 8 * i));
        check(EVP_DigestUpdate(s->ctx, bytes, sizeof(bytes)));
}

void sum_text(struct sum *s, struct str t)
{
        sum_number(s, (int64_t)t.n);
        if (t.n)
                check(EVP_DigestUpdate(s->ctx, t.p, t.n));
}

void sum_hash(struct sum *s, const uint8_t h[static BOOK_HASH_BYTES])
{
        check(EVP_DigestUpdate(s->ctx, h, BOOK_HASH_BYTES));
}

void sum_end(struct sum *s, uint8_t ret[static BOOK_HASH_BYTES])
{
        check(EVP_DigestFinal_ex(s->ctx, ret, NULL));
        EVP_MD_CTX_free(s->ctx);
        s->ctx = NULL;
}
