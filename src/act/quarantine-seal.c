/*
 * Sealing: AES-256 in counter mode (NIST SP 800-38A) under the store's key with a random start, so that nothing of the
 * content can be recognised or run. It is no secret from who has the store: the key lies beside it. That content comes
 * back as it was is shown by its SHA-256, which is its name.
 */
#include "act/quarantine-private.h"

#include "base/fs.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define MAGIC   "SEKISHOQ\x01\n\x1a\0\0\0\0\0" /* 16 bytes; no text tool reads past the 0x1a */
#define CHUNK   (64u << 10)
#define CIPHER  EVP_aes_256_ctr()
#define BLOCK_N 16

void temporary_name(char text[static TEMPORARY_NAME])
{
        uint64_t r = 0;
        while (getrandom(&r, sizeof(r), 0) != sizeof(r)) /* interrupted */
                ;
        snprintf(text, TEMPORARY_NAME, ".new-%016llx", (unsigned long long)r);
}

struct both {
        EVP_CIPHER_CTX *cipher;
        EVP_MD_CTX *digest;
};

static void both_done(struct both *b)
{
        EVP_CIPHER_CTX_free(b->cipher);
        EVP_MD_CTX_free(b->digest);
}

static int both_begin(struct both *b, const uint8_t key[static 32], const uint8_t start[static BLOCK_N],
                      struct error *err)
{
        *b = (struct both){ EVP_CIPHER_CTX_new(), EVP_MD_CTX_new() };
        if (b->cipher && b->digest && EVP_EncryptInit_ex(b->cipher, CIPHER, NULL, key, start) == 1 &&
            EVP_DigestInit_ex(b->digest, EVP_sha256(), NULL) == 1)
                return 0;
        both_done(b);
        return error_set(err, -ENOMEM, "libcrypto has no AES-256 or SHA-256");
}

int seal_content(const uint8_t key[static 32], int from, int to, uint64_t max, uint8_t ret_sha256[static 32],
                 uint64_t *ret_size, struct error *err)
{
        static uint8_t plain[CHUNK], sealed[CHUNK];
        uint8_t start[BLOCK_N];
        struct both b;
        uint64_t at = 0;
        ssize_t n;
        if (getrandom(start, sizeof(start), 0) != sizeof(start))
                return error_errno(err, -errno, "no random bytes");
        int length, r = both_begin(&b, key, start, err);
        if (r < 0)
                return r;
        r = write_all(to, MAGIC, BLOCK_N);
        if (r == 0)
                r = write_all(to, start, sizeof(start));
        while (r == 0 && (n = pread(from, plain, CHUNK, (off_t)at)) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0) {
                        r = error_errno(err, -errno, "the file cannot be read");
                        break;
                }
                at += (uint64_t)n;
                if (at > max)
                        r = error_set(err, -EFBIG, "the file is larger than the %llu bytes that there is room for",
                                      (unsigned long long)max);
                EVP_DigestUpdate(b.digest, plain, (size_t)n);
                EVP_EncryptUpdate(b.cipher, sealed, &length, plain, (int)n);
                if (r == 0)
                        r = write_all(to, sealed, (size_t)n);
        }
        EVP_DigestFinal_ex(b.digest, ret_sha256, NULL);
        both_done(&b);
        *ret_size = at;
        return r < 0 && err && !err->text[0] ? error_errno(err, r, "cannot be written") : r;
}

int unseal_content(const uint8_t key[static 32], int from, int to, const uint8_t sha256[static 32], struct error *err)
{
        static uint8_t plain[CHUNK], sealed[CHUNK];
        uint8_t head[2 * BLOCK_N], digest[32];
        struct both b;
        ssize_t n = pread(from, head, sizeof(head), 0);
        if (n != sizeof(head) || memcmp(head, MAGIC, BLOCK_N) != 0)
                return error_set(err, -EBADMSG, "the sealed content does not begin as one does");
        int length, r = both_begin(&b, key, head + BLOCK_N, err);
        if (r < 0)
                return r;
        for (off_t at = sizeof(head); r == 0 && (n = pread(from, sealed, CHUNK, at)) != 0;) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0) {
                        r = error_errno(err, -errno, "the sealed content cannot be read");
                        break;
                }
                at += n;
                EVP_EncryptUpdate(b.cipher, plain, &length, sealed, (int)n); /* counter mode: the same both ways */
                EVP_DigestUpdate(b.digest, plain, (size_t)n);
                r = write_all(to, plain, (size_t)n);
                if (r < 0)
                        (void)error_errno(err, r, "cannot be written");
        }
        EVP_DigestFinal_ex(b.digest, digest, NULL);
        both_done(&b);
        if (r == 0 && memcmp(digest, sha256, sizeof(digest)) != 0)
                r = error_set(err, -EBADMSG, "the sealed content is not what was put there: its digest differs");
        return r;
}
