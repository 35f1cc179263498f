/*
 * Values that lie in every copy of a well-known program: finding one says nothing about who built the image. They are
 * told with low confidence and these words. Only fingerprints stand here; tests/tools/find-secrets prints them.
 */
#include "intel/secret-rule.h"

static const struct {
        const char *fingerprint, *whose;
} known[] = {
        { "07ab303f0abbf8f1725c58cd3537f22e", "public: a key of GnuTLS's self-tests, in every copy of the library" },
        { "0961871d072ba7629b6bb3fd6c2a26c0", "public: a key of GnuTLS's self-tests, in every copy of the library" },
        { "1574f4ab8decbb25251af2ca35d5ed79", "public: a key of GnuTLS's self-tests, in every copy of the library" },
        { "1f0eb5cc84d9eb0247fa04d53bd12c5f", "public: a key of GnuTLS's self-tests, in every copy of the library" },
        { "2d2618053f13c858c58a5c410e52d9aa", "public: a key of GnuTLS's self-tests, in every copy of the library" },
        { "31cf6ddaa31ecaeb2fa837d7c7476674", "public: a key of GnuTLS's self-tests, in every copy of the library" },
        { "515cfb864671311dd91e1cc20da4432b", "public: a key of GnuTLS's self-tests, in every copy of the library" },
        { "8fcb9aa751852402488577285c328eaa", "public: a key of GnuTLS's self-tests, in every copy of the library" },
        { "d98e58745b52437b8b4d01ed54b8b340", "public: the example in PyJWT's documentation" },
        { "f02189f1d244afd6e376e6f7cb86bac9", "public: a key of GnuTLS's self-tests, in every copy of the library" },
        { "fd8570a833526c56983ea3765e039422", "public: a key of GnuTLS's self-tests, in every copy of the library" },
};

const char *secret_known(struct str fingerprint)
{
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (str_is(fingerprint, known[i].fingerprint))
                        return known[i].whose;
        return NULL;
}
