/* Digests over streams, with OpenSSL. See digest.h. Running out of memory, the only failure there is, ends the process.
 */
#include "read/digest.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

static const struct {
        const char *name, *openssl_name;
        size_t size;
} kinds[] = {
        [DIGEST_MD5] = { "md5", "MD5", 16 },
        [DIGEST_SHA1] = { "sha1", "SHA1", 20 },
        [DIGEST_SHA256] = { "sha256", "SHA256", 32 },
};

/* Fetched once, and never freed: a fetch costs more than a small digest. */
static EVP_MD *algorithms[ARRAY_SIZE(kinds)];
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void fetch(void)
{
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                algorithms[i] = EVP_MD_fetch(NULL, kinds[i].openssl_name, NULL);
                if (!algorithms[i])
                        abort();
        }
}

const char *digest_name(enum digest_kind kind) { return kinds[kind].name; }

size_t digest_size(enum digest_kind kind) { return kinds[kind].size; }

void digest_init(struct digest *d, enum digest_kind kind)
{
        pthread_once(&fetched, fetch);
        d->kind = kind;
        d->ctx = EVP_MD_CTX_new();
        if (!d->ctx || EVP_DigestInit_ex2(d->ctx, algorithms[kind], NULL) != 1)
                abort();
}

void digest_done(struct digest *d)
{
        EVP_MD_CTX_free(d->ctx);
        d->ctx = NULL;
}

void digest_add(struct digest *d, const void *p, size_t n)
{
        if (EVP_DigestUpdate(d->ctx, p, n) != 1)
                abort();
}

void digest_end(struct digest *d, uint8_t *ret)
{
        if (EVP_DigestFinal_ex(d->ctx, ret, NULL) != 1 || EVP_DigestInit_ex2(d->ctx, algorithms[d->kind], NULL) != 1)
                abort();
}

void digest_of(enum digest_kind kind, struct str content, uint8_t *ret)
{
        struct digest d;
        digest_init(&d, kind);
        digest_add(&d, content.p, content.n);
        if (EVP_DigestFinal_ex(d.ctx, ret, NULL) != 1)
                abort();
        digest_done(&d);
}
