/*
 * Checks of tokens against what their own format promises: checksums, numbers and documents inside. No check needs
 * anybody to be asked. See secret-rule.h; checks of keys stand in secret-check-key.c, of passwords in
 * secret-check-password.c.
 */
#include "intel/secret-rule.h"
#include "read/base64.h"
#include "read/digest.h"
#include "read/json.h"

#include <isa-l/crc.h>
#include <stdio.h>

#define DECODED_MAX (16u << 10)

static void verdict(struct secret_match *m, bool is_valid)
{
        m->validity = is_valid ? VALIDITY_VALID : VALIDITY_FAILED;
}

static uint32_t crc_of(struct str s) { return crc32_gzip_refl(0, (const unsigned char *)s.p, s.n); }

/* GitHub ("Behind GitHub's new authentication token formats", 2021) and npm, which took the format over. */
void secret_check_base62_crc(struct secret_match *m)
{
        static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        ptrdiff_t prefix = str_find_char(m->value, '_');
        struct str body = str_from(m->value, (size_t)(prefix + 1));
        if (body.n <= 6) {
                verdict(m, false);
                return;
        }
        uint32_t crc = crc_of(str_upto(body, body.n - 6));
        bool same = true;
        for (size_t i = 1; i <= 6; i++, crc /= 62)
                same = same && body.p[body.n - i] == digits[crc % 62];
        verdict(m, same);
}

void secret_check_grafana(struct secret_match *m)
{
        size_t n = m->value.n - 9; /* "_" and eight digits */
        uint32_t crc = crc_of(str_upto(m->value, n));
        uint8_t found[4];
        verdict(m, str_hex(str_from(m->value, n + 1), 4, found) && found[0] == (crc & 0xff) &&
                           found[1] == (crc >> 8 & 0xff) && found[2] == (crc >> 16 & 0xff) && found[3] == crc >> 24);
}

/*
 * The 16 letters after the prefix are ten bytes in base 32 (RFC 4648); bits 1 to 40 of them are the account's number.
 * Ids of before 2019 hold no number; nothing tells them apart, so a number out of range is no failure.
 */
void secret_check_aws_id(struct secret_match *m)
{
        uint64_t bits = 0;
        for (size_t i = 4; i < 14; i++) { /* ten letters: 50 bits, of which the first 48 are six bytes */
                char c = m->value.p[i];
                bits = bits << 5 | (uint64_t)(c >= 'A' ? c - 'A' : c - '2' + 26);
        }
        uint64_t account = bits >> 2 >> 7 & UINT64_C(0xffffffffff);
        if (account <= UINT64_C(999999999999))
                snprintf(m->detail, sizeof(m->detail), "account %012llu, if the key is of 2019 or later",
                         (unsigned long long)account);
}

/* A macaroon of version 2 (libmacaroons' binary format): location, identifier, caveats, a signature of 32 bytes. */
void secret_check_macaroon(struct secret_match *m)
{
        static const char end[] = { 0, 0, 6, 32 };
        _cleanup_(buf_done) struct buf b = BUF_INIT(DECODED_MAX);
        struct str group = m->value;
        bool ok = base64_decode(group, &b) && b.n > 48 && memcmp(b.p, "\2\1", 2) == 0;
        if (ok) {
                struct str location = str_span(b.p + 3, MIN((size_t)(uint8_t)b.p[2], b.n - 3));
                ok = str_is(location, "pypi.org") || str_is(location, "test.pypi.org");
                ok = ok && memcmp(b.p + b.n - 36, end, sizeof(end)) == 0;
                if (ok)
                        snprintf(m->detail, sizeof(m->detail), "for %.*s", STR_FMT(location));
        }
        verdict(m, ok);
}

/* Whether the part is JSON, an object, in base 64. */
static json_t *json_in_base64(struct str part)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(DECODED_MAX);
        json_t *j = NULL;
        if (!base64_decode(part, &b) || json_document(buf_str(&b), DECODED_MAX, &j, NULL) < 0)
                return NULL;
        if (!json_is_object(j)) {
                json_decref(j);
                return NULL;
        }
        return j;
}

void secret_check_base64_json(struct secret_match *m)
{
        _cleanup_(json_dropp) json_t *j = json_in_base64(m->value);
        if (j)
                m->validity = VALIDITY_VALID;
        else
                m->is_none = true;
}

/* RFC 7519. Tokens that only name their bearer are no secrets; those without a signature prove nothing to anybody. */
void secret_check_jwt(struct secret_match *m)
{
        struct str rest = m->value;
        _cleanup_(json_dropp) json_t *header = json_in_base64(str_cut(&rest, '.'));
        _cleanup_(json_dropp) json_t *claims = json_in_base64(str_cut(&rest, '.'));
        const char *algorithm = json_string_value(json_object_get(header, "alg"));
        if (!header || !claims || !algorithm) {
                m->is_none = true;
                return;
        }
        m->validity = VALIDITY_VALID;
        const char *issuer = json_string_value(json_object_get(claims, "iss"));
        bool is_cluster = issuer && str_starts(str_of(issuer), STR("kubernetes/serviceaccount"));
        json_int_t expires = json_integer_value(json_object_get(claims, "exp"));
        int n = snprintf(m->detail, sizeof(m->detail), "%s", is_cluster ? "Kubernetes service account, " : "");
        if (expires > 0)
                snprintf(m->detail + n, sizeof(m->detail) - (size_t)n, "expires at %lld s since 1970",
                         (long long)expires);
        else
                snprintf(m->detail + n, sizeof(m->detail) - (size_t)n, "does not expire");
}

static void check_size(struct secret_match *m, size_t bytes)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(DECODED_MAX);
        if (base64_decode(m->value, &b) && b.n == bytes && secret_entropy(buf_str(&b)) >= (bytes > 32 ? 45 : 35))
                m->validity = VALIDITY_VALID;
        else
                m->is_none = true;
}

void secret_check_base64_32(struct secret_match *m) { check_size(m, 32); }
void secret_check_base64_64(struct secret_match *m) { check_size(m, 64); }

/* The first part of a bot's token is its number, in base 64. */
void secret_check_discord(struct secret_match *m)
{
        struct str rest = m->value;
        _cleanup_(buf_done) struct buf b = BUF_INIT(64);
        uint64_t id;
        if (base64_decode(str_cut(&rest, '.'), &b) && str_u64(buf_str(&b), &id) && b.n >= 17)
                m->validity = VALIDITY_VALID;
        else
                m->is_none = true;
}

/* BIP 173, section "Bech32", of the whole text in lower case. */
void secret_check_bech32(struct secret_match *m)
{
        static const char letters[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
        static const uint32_t generator[] = { 0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3 };
        ptrdiff_t one = str_rfind_char(m->value, '1');
        uint8_t v[256];
        size_t n = 0, prefix = (size_t)one;
        if (one < 1 || m->value.n + prefix + 1 > sizeof(v)) {
                verdict(m, false);
                return;
        }
        for (size_t i = 0; i < prefix; i++)
                v[n++] = (uint8_t)((m->value.p[i] | 32) >> 5);
        v[n++] = 0;
        for (size_t i = 0; i < prefix; i++)
                v[n++] = (uint8_t)((m->value.p[i] | 32) & 31);
        for (size_t i = prefix + 1; i < m->value.n; i++) {
                char c = m->value.p[i];
                const char *at = strchr(letters, c >= 'A' && c <= 'Z' ? c + 32 : c);
                v[n++] = at ? (uint8_t)(at - letters) : 0;
        }
        uint32_t sum = 1;
        for (size_t i = 0; i < n; i++) {
                uint32_t top = sum >> 25;
                sum = (sum & 0x1ffffff) << 5 ^ v[i];
                for (size_t k = 0; k < ARRAY_SIZE(generator); k++)
                        sum ^= top >> k & 1 ? generator[k] : 0;
        }
        verdict(m, sum == 1);
}

/* BIP 32, section "Serialization format": 78 bytes and the first four of their SHA-256 taken twice, in base 58. */
void secret_check_base58(struct secret_match *m)
{
        static const char digits[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
        uint8_t number[82] = { 0 }, sum[32];
        bool fits = true;
        for (size_t i = 0; i < m->value.n; i++) {
                const char *at = strchr(digits, m->value.p[i]);
                unsigned carry = at ? (unsigned)(at - digits) : 0;
                for (size_t k = sizeof(number); k-- > 0;) {
                        carry += 58u * number[k];
                        number[k] = (uint8_t)carry;
                        carry >>= 8;
                }
                fits = fits && !carry;
        }
        digest_of(DIGEST_SHA256, str_span(number, 78), sum);
        digest_of(DIGEST_SHA256, str_span(sum, 32), sum);
        verdict(m, fits && memcmp(sum, number + 78, 4) == 0);
}
