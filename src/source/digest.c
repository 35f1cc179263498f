/* See digest.h. */
#include "source/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

struct str digest_algorithm(struct str digest) { return str_cut(&digest, ':'); }

struct str digest_hex(struct str digest)
{
        (void)str_cut(&digest, ':');
        return digest;
}

bool digest_is_valid(struct str digest)
{
        struct str algorithm = digest_algorithm(digest), hex = digest_hex(digest);
        size_t want = str_is(algorithm, "sha256") ? 64 : str_is(algorithm, "sha512") ? 128 : 0;
        if (!want || hex.n != want)
                return false;
        for (size_t i = 0; i < hex.n; i++)
                if (!(hex.p[i] >= '0' && hex.p[i] <= '9') && !(hex.p[i] >= 'a' && hex.p[i] <= 'f'))
                        return false;
        return true;
}

static void digest_text(const EVP_MD *md, const char *name, struct str bytes, char ret[static DIGEST_TEXT_MAX])
{
        unsigned char raw[EVP_MAX_MD_SIZE];
        unsigned n = 0;
        EVP_Digest(bytes.p ? bytes.p : "", bytes.n, raw, &n, md, NULL);
        int at = snprintf(ret, DIGEST_TEXT_MAX, "%s:", name);
        for (unsigned i = 0; i < n; i++)
                at += snprintf(ret + at, DIGEST_TEXT_MAX - (size_t)at, "%02x", raw[i]);
}

void digest_sha256(struct str bytes, char ret[static DIGEST_TEXT_MAX])
{
        digest_text(EVP_sha256(), "sha256", bytes, ret);
}

int digest_check(struct str digest, struct str bytes, struct error *err)
{
        if (!digest_is_valid(digest))
                return error_set(err, -EINVAL, "\"%.*s\" is not a digest (sha256 or sha512)",
                                 STR_FMT(str_upto(digest, 200)));
        char text[DIGEST_TEXT_MAX];
        if (str_is(digest_algorithm(digest), "sha512"))
                digest_text(EVP_sha512(), "sha512", bytes, text);
        else
                digest_sha256(bytes, text);
        if (!str_is(digest, text))
                return error_set(err, -EBADMSG,
                                 "the content does not match its digest: %.*s was promised, %s was found",
                                 STR_FMT(digest), text);
        return 0;
}
