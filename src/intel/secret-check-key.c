/*
 * Checks of private keys: whether there is one behind the words that begin it, and whether it can be used without a
 * passphrase. PEM is RFC 7468 (and RFC 1421 headers), OpenSSH's container is PROTOCOL.key of OpenSSH, OpenPGP's armour
 * and its CRC-24 are RFC 4880, section 6. What is parsed are the keys' own bytes, so this belongs into a worker.
 */
#include "base/cursor.h"
#include "intel/secret-rule.h"
#include "read/base64.h"
#include "read/digest.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>

#define KEY_STORE_BYTES 512u /* of a key store, behind the beginning of its key */

#define BODY_MAX   (24u << 10) /* bytes of a key; an RSA key of 16,384 bits has 9,300 */
#define HEADER_MAX 400         /* of a header in the armour */
#define KEY_MIN    32          /* fewer bytes are no key, but a string of some program */

static const char openssh_magic[] = "openssh-key-v1"; /* with its NUL */

static void say(struct secret_match *m, const char *words) { snprintf(m->detail, sizeof(m->detail), "%s", words); }

/* Past white space, and past line ends written as letters. */
static struct str skip_space(struct str s)
{
        for (;;) {
                struct str t = str_trim(s);
                s = str_from(s, t.n ? (size_t)(t.p - s.p) : s.n);
                if (!str_starts(s, STR("\\n")) && !str_starts(s, STR("\\r")))
                        return s;
                s = str_from(s, 2);
        }
}

/* Cuts RFC 1421 (or OpenPGP) headers off the armour's text; true if one of them says that it is encrypted. */
static bool cut_headers(struct str *s)
{
        bool is_encrypted = false;
        for (;;) {
                *s = skip_space(*s);
                struct str line = *s, rest = *s;
                line = str_upto(str_line(&rest), HEADER_MAX);
                ptrdiff_t escaped = str_find(line, STR("\\n"));
                if (escaped >= 0)
                        line = str_upto(line, (size_t)escaped);
                if (str_find(line, STR(": ")) < 0)
                        return is_encrypted;
                is_encrypted = is_encrypted || str_find(line, STR("ENCRYPTED")) >= 0;
                *s = str_from(*s, line.n);
        }
}

/* The key's bytes between the lines. False if what follows is no key. */
static bool body_of(struct secret_match *m, struct buf *to, bool *ret_is_encrypted)
{
        struct str s = str_from(m->text, m->match.n);
        *ret_is_encrypted = cut_headers(&s);
        size_t used = base64_decode_armour(s, to);
        if (to->n < KEY_MIN)
                return false;
        m->value = str_span(m->text.p, (size_t)(s.p - m->text.p) + used);
        return true;
}

static void note_public_key(struct secret_match *m, EVP_PKEY *key)
{
        unsigned char *der = NULL;
        int n = i2d_PUBKEY(key, &der);
        if (n > 0) {
                digest_of(DIGEST_SHA256, str_span(der, (size_t)n), m->public_key);
                m->has_public_key = true;
        }
        OPENSSL_free(der);
}

static void check_der(struct secret_match *m, struct str der)
{
        const unsigned char *p = (const unsigned char *)der.p;
        EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)der.n);
        if (!key) {
                if (der.p[0] != 0x30)
                        m->is_none = true; /* not even the beginning of a structure */
                else
                        say(m, "its content cannot be parsed: cut off, or of a kind that OpenSSL does not know");
                return;
        }
        m->validity = VALIDITY_VALID;
        const char *name = EVP_PKEY_get0_type_name(key);
        snprintf(m->detail, sizeof(m->detail), "%s, %d bits, usable without a passphrase", name ? name : "key",
                 EVP_PKEY_get_bits(key));
        note_public_key(m, key);
        EVP_PKEY_free(key);
}

/* A file in DER: only what parses is one, and where it ends is known then. */
void secret_check_der(struct secret_match *m)
{
        const unsigned char *p = (const unsigned char *)m->text.p;
        EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)m->text.n);
        EVP_PKEY_free(key);
        m->is_none = !key;
        if (!key)
                return;
        m->value = str_upto(m->text, (size_t)((const char *)p - m->text.p));
        check_der(m, m->value);
}

/* Its content is not opened: what tells one from another are the bytes behind its frame. */
void secret_check_key_store(struct secret_match *m)
{
        m->value = str_upto(m->text, KEY_STORE_BYTES);
        say(m, "needs its password, which often is changeit");
}

/* PROTOCOL.key: magic, ciphername, kdfname, ... */
static void check_openssh(struct secret_match *m, struct str body)
{
        if (!str_starts(body, str_span(openssh_magic, sizeof(openssh_magic)))) {
                m->is_none = true;
                return;
        }
        struct cursor c = cursor_from(str_from(body, sizeof(openssh_magic)));
        struct str cipher = cursor_bytes(&c, cursor_be32(&c));
        if (!cursor_ok(&c) || !cipher.n) {
                m->is_none = true;
                return;
        }
        m->validity = VALIDITY_VALID;
        m->is_lesser = !str_is(cipher, "none");
        say(m, m->is_lesser ? "needs a passphrase" : "usable without a passphrase");
}

/* RFC 4880, section 6.1, with the sum that follows the body as "=" and four letters. */
static void check_pgp(struct secret_match *m, struct str body)
{
        uint32_t crc = 0xb704ce;
        for (size_t i = 0; i < body.n; i++) {
                crc ^= (uint32_t)(uint8_t)body.p[i] << 16;
                for (int bit = 0; bit < 8; bit++)
                        crc = crc & 0x800000 ? (crc << 1 ^ 0x864cfb) & 0xffffff : crc << 1;
        }
        _cleanup_(buf_done) struct buf sum = BUF_INIT(4);
        struct str after = skip_space(str_from(m->text, m->value.n));
        struct str before = str_trim(m->value);
        /* The armour reader took the padding and the sign of the sum for one. */
        if (before.n && before.p[before.n - 1] == '=' && after.n >= 4 && base64_decode(str_upto(after, 4), &sum) &&
            sum.n == 3)
                m->validity = (crc == ((uint32_t)(uint8_t)sum.p[0] << 16 | (uint32_t)(uint8_t)sum.p[1] << 8 |
                                       (uint8_t)sum.p[2]))
                                      ? VALIDITY_VALID
                                      : VALIDITY_FAILED;
        if ((body.p[0] & 0x80) == 0)
                m->is_none = true; /* no packet begins so */
}

void secret_check_pem(struct secret_match *m)
{
        _cleanup_(buf_done) struct buf body = BUF_INIT(BODY_MAX);
        bool is_encrypted;
        if (!body_of(m, &body, &is_encrypted)) {
                m->is_none = true;
                return;
        }
        struct str name = m->match;
        if (str_find(name, STR("OPENSSH")) >= 0) {
                check_openssh(m, buf_str(&body));
        } else if (str_find(name, STR("PGP")) >= 0) {
                check_pgp(m, buf_str(&body));
        } else if (is_encrypted || str_find(name, STR("ENCRYPTED")) >= 0) {
                m->is_lesser = is_encrypted && str_find(name, STR("ENCRYPTED")) < 0; /* the others' titles say it */
                say(m, "needs a passphrase");
        } else {
                check_der(m, buf_str(&body));
        }
}

#define DER_INTEGER  0x02
#define DER_SEQUENCE 0x30
#define DER_VERSION  0xa0

/* The next element of DER (X.690, 8.1 and 10.1), with its head; its content too. False: it is none of that tag. */
static bool der_take(struct cursor *c, uint8_t tag, struct str *ret_whole, struct cursor *ret_content)
{
        struct cursor at = *c;
        if (cursor_u8(&at) != tag)
                return false;
        size_t n = cursor_u8(&at);
        if (n >= 0x80) {
                size_t bytes = n - 0x80;
                if (!bytes || bytes > 3) /* without an end, or longer than anything here */
                        return false;
                for (n = 0; bytes--;)
                        n = n << 8 | cursor_u8(&at);
        }
        *ret_content = cursor_sub(&at, n);
        if (!cursor_ok(&at))
                return false;
        *ret_whole = cursor_bytes(c, cursor_where(&at) - cursor_where(c));
        return true;
}

/*
 * The owner's name and the public key of a certificate (RFC 5280, 4.1), each as it stands there. The library would also
 * decode the key, which takes longer than all else that is done about a bundle of authorities.
 */
static bool read_certificate(struct str der, struct str *ret_name, struct str *ret_key)
{
        /* The serial number, the algorithm, the issuer, the validity. */
        static const uint8_t before[] = { DER_INTEGER, DER_SEQUENCE, DER_SEQUENCE, DER_SEQUENCE };
        struct cursor file = cursor_from(der), whole, c, part;
        struct str ignored;
        if (!der_take(&file, DER_SEQUENCE, &ignored, &whole) || !der_take(&whole, DER_SEQUENCE, &ignored, &c))
                return false;
        (void)der_take(&c, DER_VERSION, &ignored, &part); /* the first version has none */
        for (size_t i = 0; i < ARRAY_SIZE(before); i++)
                if (!der_take(&c, before[i], &ignored, &part))
                        return false;
        return der_take(&c, DER_SEQUENCE, ret_name, &part) && der_take(&c, DER_SEQUENCE, ret_key, &part);
}

void secret_check_certificate(struct secret_match *m)
{
        _cleanup_(buf_done) struct buf body = BUF_INIT(BODY_MAX);
        struct str name, key;
        bool is_encrypted;
        m->is_certificate = m->is_none = true;
        if (!body_of(m, &body, &is_encrypted) || !read_certificate(buf_str(&body), &name, &key))
                return;
        digest_of(DIGEST_SHA256, key, m->public_key);
        m->has_public_key = true;
        const unsigned char *p = (const unsigned char *)name.p;
        X509_NAME *owner = d2i_X509_NAME(NULL, &p, (long)name.n);
        if (owner)
                (void)X509_NAME_get_text_by_NID(owner, NID_commonName, m->detail, sizeof(m->detail));
        X509_NAME_free(owner);
}

/* PuTTY's own format: "Encryption: none" stands in its second line. */
void secret_check_putty(struct secret_match *m)
{
        struct str head = str_upto(m->text, 600);
        if (str_find(head, STR("Private-Lines: ")) < 0 && str_find(head, STR("Public-Lines: ")) < 0) {
                m->is_none = true;
                return;
        }
        m->is_lesser = str_find(head, STR("Encryption: none")) < 0;
        say(m, m->is_lesser ? "needs a passphrase" : "usable without a passphrase");
}

/* What kubeconfig files hold: the PEM once more in base 64. */
void secret_check_base64_pem(struct secret_match *m)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(BODY_MAX);
        struct secret_match inner = { 0 };
        if (base64_decode(m->value, &b)) {
                ptrdiff_t begin = str_find(buf_str(&b), STR("-----BEGIN "));
                inner.text = begin < 0 ? STR_NONE : str_from(buf_str(&b), (size_t)begin);
                ptrdiff_t end = str_find(inner.text, STR("PRIVATE KEY-----"));
                if (end > 0) {
                        inner.match = str_upto(inner.text, (size_t)end + strlen("PRIVATE KEY-----"));
                        secret_check_pem(&inner);
                        m->validity = inner.validity;
                        m->is_none = inner.is_none;
                        m->is_lesser = inner.is_lesser;
                        say(m, inner.detail);
                        return;
                }
        }
        m->is_none = true;
}
