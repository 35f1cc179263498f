/* Makes secrets from their recipes (secret-samples.h): random parts, checksums, keys. */
#ifndef SEKISHO_TESTS_SECRET_MAKE_H
#define SEKISHO_TESTS_SECRET_MAKE_H

#include "base/arena.h"
#include "base/buf.h"
#include "read/digest.h"

#include <isa-l/crc.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>

#define SAMPLE_MAX (64u << 10)

static uint64_t random_state;

static unsigned random_below(unsigned n)
{
        random_state ^= random_state << 13;
        random_state ^= random_state >> 7;
        random_state ^= random_state << 17;
        return (unsigned)(random_state >> 11) % n;
}

enum how { WHOLE, HALF, MASKED }; /* random parts: as they should be, half as long, all the same character */

static const char *letters_of(char class)
{
        switch (class) {
        case 'a':
                return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        case 'L':
                return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        case 'l':
                return "abcdefghijklmnopqrstuvwxyz0123456789";
        case 'U':
                return "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        case 'h':
                return "0123456789abcdef";
        case 'H':
                return "0123456789ABCDEF";
        case 'd':
                return "0123456789";
        case 'u':
                return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        case 'b':
                return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        case 'c':
                return "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        case '2':
                return "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        case 's':
                return "abcdefghijklmnopqrstuvwxyz234567";
        default:
                fail_msg("no class of letters %c", class);
                return NULL;
        }
}

static void put_random(struct buf *to, char class, size_t n, enum how how)
{
        const char *letters = letters_of(class);
        size_t count = strlen(letters);
        for (size_t i = 0; i < (how == HALF ? n / 2 : n); i++)
                buf_putc(to, letters[how == MASKED ? count - 1 : random_below((unsigned)count)]);
}

static void put_base64(struct buf *to, struct str bytes, bool for_urls)
{
        char *text = xmalloc(bytes.n * 4 / 3 + 8);
        int n = EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes.p, (int)bytes.n);
        for (int i = 0; i < n; i++) {
                char c = text[i];
                if (!for_urls)
                        buf_putc(to, c);
                else if (c != '=')
                        buf_putc(to, c == '+' ? '-' : c == '/' ? '_' : c);
        }
        free(text);
}

static void random_bytes(uint8_t *p, size_t n)
{
        for (size_t i = 0; i < n; i++)
                p[i] = (uint8_t)random_below(256);
}

static void put_pem(struct buf *to, EVP_PKEY *key, bool is_traditional, const EVP_CIPHER *cipher)
{
        BIO *bio = BIO_new(BIO_s_mem());
        char *p;
        if (is_traditional)
                assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, key, cipher, (unsigned char *)"12345678", 8,
                                                                      NULL, NULL),
                                 1);
        else
                assert_int_equal(PEM_write_bio_PrivateKey(bio, key, cipher, (unsigned char *)"12345678", 8, NULL, NULL),
                                 1);
        long n = BIO_get_mem_data(bio, &p);
        buf_add(to, p, (size_t)n);
        BIO_free(bio);
        EVP_PKEY_free(key);
}

static void put_der(struct buf *to, EVP_PKEY *key)
{
        PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
        unsigned char *p = NULL;
        int n = i2d_PKCS8_PRIV_KEY_INFO(info, &p);
        assert_true(n > 0);
        buf_add(to, p, (size_t)n);
        OPENSSL_free(p);
        PKCS8_PRIV_KEY_INFO_free(info);
        EVP_PKEY_free(key);
}

static void put_pkcs12(struct buf *to)
{
        EVP_PKEY *key = EVP_EC_gen("P-256");
        PKCS12 *store = PKCS12_create("12345678", "me", key, NULL, NULL, 0, 0, 0, 0, 0);
        unsigned char *p = NULL;
        int n = i2d_PKCS12(store, &p);
        assert_true(n > 0);
        buf_add(to, p, (size_t)n);
        OPENSSL_free(p);
        PKCS12_free(store);
        EVP_PKEY_free(key);
}

static EVP_PKEY *dsa_key(void)
{
        EVP_PKEY *parameters = NULL, *key = NULL;
        EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
        EVP_PKEY_paramgen_init(c);
        EVP_PKEY_CTX_ctrl_str(c, "dsa_paramgen_bits", "1024");
        assert_int_equal(EVP_PKEY_paramgen(c, &parameters), 1);
        EVP_PKEY_CTX_free(c);
        c = EVP_PKEY_CTX_new(parameters, NULL);
        EVP_PKEY_keygen_init(c);
        assert_int_equal(EVP_PKEY_keygen(c, &key), 1);
        EVP_PKEY_CTX_free(c);
        EVP_PKEY_free(parameters);
        return key;
}

static void put_lines(struct buf *to, struct str bytes)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(SAMPLE_MAX);
        put_base64(&text, bytes, false);
        for (struct str rest = buf_str(&text); rest.n; rest = str_from(rest, 64)) {
                buf_add_str(to, str_upto(rest, 64));
                buf_putc(to, '\n');
        }
}

static void put_openssh(struct buf *to, const char *cipher)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(1024);
        uint8_t body[200];
        random_bytes(body, sizeof(body));
        buf_add(&b, "openssh-key-v1", 15);
        buf_add(&b, "\0\0\0", 3);
        buf_putc(&b, (char)strlen(cipher));
        buf_puts(&b, cipher);
        buf_add(&b, body, sizeof(body));
        buf_printf(to, "-----BEGIN %s PRIVATE KEY-----\n", "OPENSSH");
        put_lines(to, buf_str(&b));
        buf_printf(to, "-----END %s PRIVATE KEY-----\n", "OPENSSH");
}

static void put_pgp(struct buf *to, unsigned damage)
{
        uint8_t body[201] = { 0x95, 0, 198, 4 };
        uint32_t crc = 0xb704ce;
        random_bytes(body + 4, sizeof(body) - 4);
        for (size_t i = 0; i < sizeof(body); i++) {
                crc ^= (uint32_t)body[i] << 16;
                for (int bit = 0; bit < 8; bit++) {
                        crc <<= 1;
                        if (crc & 0x1000000)
                                crc ^= 0x1864cfb;
                }
        }
        crc ^= damage;
        uint8_t sum[3] = { (uint8_t)(crc >> 16), (uint8_t)(crc >> 8), (uint8_t)crc };
        buf_printf(to, "-----BEGIN %s PRIVATE KEY BLOCK-----\nComment: x\n\n", "PGP");
        put_lines(to, str_span(body, sizeof(body)));
        buf_putc(to, '=');
        put_base64(to, str_span(sum, 3), false);
        buf_printf(to, "\n-----END %s PRIVATE KEY BLOCK-----\n", "PGP");
}

/* pypi.org's macaroons: version 2, location, identifier, one caveat, signature. */
static void put_macaroon(struct buf *to)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(512);
        uint8_t random[68];
        random_bytes(random, sizeof(random));
        buf_add(&b, "\2\1\10pypi.org\2\44", 13);
        buf_add(&b, random, 36);
        buf_add(&b, "\0\0\6\40", 4);
        buf_add(&b, random + 36, 32);
        put_base64(to, buf_str(&b), true);
}

static uint32_t bech32_step(uint32_t sum, unsigned v)
{
        static const uint32_t g[] = { 0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3 };
        uint32_t top = sum >> 25;
        sum = (sum & 0x1ffffff) << 5 ^ v;
        for (int i = 0; i < 5; i++)
                sum ^= (top >> i & 1) ? g[i] : 0;
        return sum;
}

static void put_bech32(struct buf *to)
{
        static const char letters[] = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", prefix[] = "AGE-SECRET-KEY-";
        uint32_t sum = 1;
        unsigned v[52];
        for (size_t i = 0; prefix[i]; i++)
                sum = bech32_step(sum, (unsigned)(prefix[i] | 32) >> 5);
        sum = bech32_step(sum, 0);
        for (size_t i = 0; prefix[i]; i++)
                sum = bech32_step(sum, (unsigned)(prefix[i] | 32) & 31);
        buf_printf(to, "%s1", prefix);
        for (size_t i = 0; i < 52; i++) {
                v[i] = random_below(32);
                sum = bech32_step(sum, v[i]);
                buf_putc(to, letters[v[i]]);
        }
        for (int i = 0; i < 6; i++)
                sum = bech32_step(sum, 0);
        sum ^= 1;
        for (int i = 5; i >= 0; i--)
                buf_putc(to, letters[sum >> (5 * i) & 31]);
}

static void put_base58(struct buf *to)
{
        static const char digits[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
        uint8_t number[82] = { 0x04, 0x88, 0xad, 0xe4 }, sum[32];
        char text[120] = { 0 };
        size_t n = 0;
        random_bytes(number + 13, 65);
        number[45] = 0;
        digest_of(DIGEST_SHA256, str_span(number, 78), sum);
        digest_of(DIGEST_SHA256, str_span(sum, 32), sum);
        memcpy(number + 78, sum, 4);
        for (bool more = true; more; n++) {
                unsigned rest = 0;
                more = false;
                for (size_t i = 0; i < sizeof(number); i++) {
                        rest = rest << 8 | number[i];
                        number[i] = (uint8_t)(rest / 58);
                        more = more || number[i];
                        rest %= 58;
                }
                text[n] = digits[rest];
        }
        while (n)
                buf_putc(to, text[--n]);
}

static void put_crc62(struct buf *to)
{
        static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        struct str s = buf_str(to);
        s = str_from(s, (size_t)str_rfind_char(s, '_') + 1);
        uint32_t crc = crc32_gzip_refl(0, (const unsigned char *)s.p, s.n);
        char text[7] = { 0 };
        for (int i = 5; i >= 0; i--, crc /= 62)
                text[i] = digits[crc % 62];
        buf_puts(to, text);
}

static void put_crcle(struct buf *to)
{
        struct str s = buf_str(to);
        s = str_from(s, (size_t)str_rfind_char(s, '\n') + 1);
        uint32_t crc = crc32_gzip_refl(0, (const unsigned char *)s.p, s.n - 1);
        buf_printf(to, "%02x%02x%02x%02x", crc & 255, crc >> 8 & 255, crc >> 16 & 255, crc >> 24);
}

static void put_recipe(struct buf *to, struct str recipe, enum how how);

static void put_random_base64(struct buf *to, size_t n, enum how how)
{
        uint8_t bytes[64] = { 0 };
        if (how != MASKED)
                random_bytes(bytes, n);
        put_base64(to, str_span(bytes, how == HALF ? n / 2 : n), false);
}

static void make_special(struct buf *to, struct str what, enum how how)
{
        if (str_starts(what, STR("64:")) || str_starts(what, STR("65:"))) {
                _cleanup_(buf_done) struct buf b = BUF_INIT(SAMPLE_MAX);
                put_recipe(&b, str_from(what, 3), how);
                put_base64(to, buf_str(&b), what.p[1] == '5');
        } else if (str_is(what, "uuid")) {
                put_recipe(to, STR("[h:8]-[h:4]-[h:4]-[h:4]-[h:12]"), how);
        } else if (str_is(what, "aws")) {
                put_random(to, '2', 16, how);
        } else if (str_is(what, "crc62")) {
                put_crc62(to);
        } else if (str_is(what, "crcle")) {
                put_crcle(to);
        } else if (str_is(what, "r32") || str_is(what, "r64")) {
                put_random_base64(to, what.p[1] == '3' ? 32 : 64, how);
        } else if (str_is(what, "bech32")) {
                put_bech32(to);
        } else if (str_is(what, "base58")) {
                put_base58(to);
        } else if (str_is(what, "macaroon")) {
                put_macaroon(to);
        } else if (str_is(what, "snowflake")) {
                put_base64(to, STR("1098765432109876543"), true);
        } else if (str_is(what, "openssh")) {
                put_openssh(to, "none");
        } else if (str_is(what, "der-rsa")) {
                put_der(to, EVP_RSA_gen(2048));
        } else if (str_is(what, "der-ec")) {
                put_der(to, EVP_EC_gen("P-256"));
        } else if (str_is(what, "p12")) {
                put_pkcs12(to);
        } else if (str_is(what, "jks")) { /* version 2, one entry, which is a key, named a; then its time and length */
                buf_add(to, "\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1\0\0\0\1\0\1a\0\0\1\x90\1\2\3\4\0\0\5\2\x30\x82", 33);
        } else if (str_is(what, "pgp")) {
                put_pgp(to, 0);
        } else if (str_is(what, "pem64")) {
                _cleanup_(buf_done) struct buf b = BUF_INIT(SAMPLE_MAX);
                put_pem(&b, EVP_EC_gen("P-256"), false, NULL);
                put_base64(to, buf_str(&b), false);
        } else if (str_is(what, "pkcs8-encrypted")) {
                put_pem(to, EVP_EC_gen("P-256"), false, EVP_aes_128_cbc());
        } else {
                EVP_PKEY *key = str_is(what, "rsa")   ? EVP_RSA_gen(1024)
                                : str_is(what, "dsa") ? dsa_key()
                                                      : EVP_EC_gen("P-256");
                put_pem(to, key, !str_is(what, "pkcs8"), NULL);
        }
}

/* The part of the recipe up to the bracket that closes the first. */
static struct str cut_bracket(struct str *recipe, char open, char close)
{
        size_t depth = 0;
        for (size_t i = 0; i < recipe->n; i++) {
                depth += recipe->p[i] == open;
                depth -= recipe->p[i] == close;
                if (!depth) {
                        struct str inner = str_upto(str_from(*recipe, 1), i - 1);
                        *recipe = str_from(*recipe, i + 1);
                        return inner;
                }
        }
        fail_msg("unbalanced: %.*s", STR_FMT(*recipe));
        return STR_NONE;
}

static bool is_special(struct str s)
{
        static const char *const names[] = { "{uuid}",
                                             "{aws}",
                                             "{crc62}",
                                             "{crcle}",
                                             "{64:",
                                             "{65:",
                                             "{r32}",
                                             "{r64}",
                                             "{bech32}",
                                             "{base58}",
                                             "{macaroon}",
                                             "{snowflake}",
                                             "{rsa}",
                                             "{ec}",
                                             "{dsa}",
                                             "{openssh}",
                                             "{pgp}",
                                             "{pkcs8}",
                                             "{pkcs8-encrypted}",
                                             "{pem64}",
                                             "{der-rsa}",
                                             "{der-ec}",
                                             "{p12}",
                                             "{jks}" };
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (str_starts(s, str_of(names[i])))
                        return true;
        return false;
}

static void put_recipe(struct buf *to, struct str recipe, enum how how)
{
        while (recipe.n) {
                if (recipe.p[0] == '[' && recipe.n > 3 && recipe.p[2] == ':') {
                        struct str part = cut_bracket(&recipe, '[', ']');
                        uint64_t n;
                        assert_true(str_u64(str_from(part, 2), &n));
                        put_random(to, part.p[0], (size_t)n, how);
                } else if (is_special(recipe)) {
                        make_special(to, cut_bracket(&recipe, '{', '}'), how);
                } else {
                        buf_putc(to, recipe.p[0]);
                        recipe = str_from(recipe, 1);
                }
        }
}

#endif
