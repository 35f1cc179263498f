/* Kinds of secrets: private keys and tokens in standard formats, whoever issued them. See secret-rule.h. */
#include "intel/secret-rule.h"

#define PRIVATE_KEY(i, t, s, begin)                                                                                    \
        {                                                                                                              \
                .id = (i), .title = (t), .severity = SEVERITY_##s, .confidence = CONFIDENCE_HIGH, .keywords = (begin), \
                .regex = "\\Q" begin "\\E", .check = secret_check_pem,                                                 \
                .flags = SECRET_LOOSE | SECRET_PLAIN | SECRET_PRIVATE                                                  \
        }

static const struct secret_rule rules[] = {
        PRIVATE_KEY("private-key", "Private key (PKCS #8)", CRITICAL, "-----BEGIN PRIVATE KEY-----"),
        PRIVATE_KEY("private-key-encrypted", "Private key with a passphrase (PKCS #8)", MEDIUM, "-----BEGIN ENCRYPTED PRIVATE KEY-----"),
        PRIVATE_KEY("private-key-rsa", "RSA private key", CRITICAL, "-----BEGIN RSA PRIVATE KEY-----"),
        PRIVATE_KEY("private-key-ec", "Elliptic curve private key", CRITICAL, "-----BEGIN EC PRIVATE KEY-----"),
        PRIVATE_KEY("private-key-dsa", "DSA private key", CRITICAL, "-----BEGIN DSA PRIVATE KEY-----"),
        PRIVATE_KEY("private-key-openssh", "OpenSSH private key", CRITICAL, "-----BEGIN OPENSSH PRIVATE KEY-----"),
        PRIVATE_KEY("private-key-pgp", "OpenPGP private key", CRITICAL, "-----BEGIN PGP PRIVATE KEY BLOCK-----"),
        PRIVATE_KEY("private-key-ssh2", "SSH private key (RFC 4716 style)", HIGH, "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----"),
        { .id = "private-key-putty", .title = "PuTTY private key", .severity = SEVERITY_CRITICAL, .confidence = CONFIDENCE_HIGH,
          .keywords = "PuTTY-User-Key-File-", .regex = "PuTTY-User-Key-File-[23]: [a-z0-9-]{5,40}", .check = secret_check_putty,
          .flags = SECRET_LOOSE | SECRET_PLAIN | SECRET_PRIVATE },
        SECRET_PROVEN("age-secret-key", "age secret key", CRITICAL, "AGE-SECRET-KEY-1", "AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}", secret_check_bech32),
        { .id = "wireguard-private-key", .title = "WireGuard private key", .severity = SEVERITY_HIGH, .confidence = CONFIDENCE_HIGH, .keywords = "PrivateKey",
          .regex = "PrivateKey\\s{0,4}=\\s{0,4}(" S_B64 "{43}=)", .check = secret_check_base64_32, .flags = SECRET_LOOSE, .entropy = 35 },
        { .id = "minisign-secret-key", .title = "minisign or signify secret key", .severity = SEVERITY_HIGH, .confidence = CONFIDENCE_HIGH,
          .keywords = "untrusted comment: ", .regex = "untrusted comment: [^\\n]{0,200}secret key[^\\n]{0,100}\\n(RW[A-Za-z0-9+/]{100,300}={0,2})", .flags = SECRET_LOOSE },
        { .id = "jwt", .title = "JSON web token", .severity = SEVERITY_MEDIUM, .confidence = CONFIDENCE_MEDIUM, .keywords = "eyJ",
          .regex = "eyJ" S_URL "{10,1000}\\.eyJ" S_URL "{8,3000}\\." S_URL "{10,1000}", .check = secret_check_jwt, .entropy = 35 },
        { .id = "jwk-private", .title = "Private key as JSON web key", .severity = SEVERITY_HIGH, .confidence = CONFIDENCE_HIGH, .keywords = "\"kty\"",
          .regex = "\"kty\"\\s{0,4}:\\s{0,4}\"(?:RSA|EC|OKP)\"[^{}]{0,2500}?\"d\"\\s{0,4}:\\s{0,4}\"(" S_URL "{40,800})\"", .flags = SECRET_LOOSE, .entropy = 35 },
        { .id = "jwk-symmetric", .title = "Symmetric key as JSON web key", .severity = SEVERITY_HIGH, .confidence = CONFIDENCE_HIGH, .keywords = "\"kty\"",
          .regex = "\"kty\"\\s{0,4}:\\s{0,4}\"oct\"[^{}]{0,1000}?\"k\"\\s{0,4}:\\s{0,4}\"(" S_URL "{20,800})\"", .flags = SECRET_LOOSE, .entropy = 35 },
        { .id = "bearer-token", .title = "Bearer token", .severity = SEVERITY_MEDIUM, .confidence = CONFIDENCE_LOW, .keywords = "authorization",
          .regex = "(?i:authorization[\"']?\\s{0,4}[:=,]\\s{0,4}[\"']?bearer )([A-Za-z0-9_.~+/=-]{20,1000})", .flags = SECRET_NEAR, .entropy = 35 },
        { .id = "basic-authorization", .title = "User and password in a basic authorization header", .severity = SEVERITY_MEDIUM, .confidence = CONFIDENCE_MEDIUM,
          .keywords = "authorization", .regex = "(?i:authorization[\"']?\\s{0,4}[:=,]\\s{0,4}[\"']?basic )([A-Za-z0-9+/]{8,400}={0,2})", .check = secret_check_user_colon,
          .flags = SECRET_NEAR | SECRET_PASSWORD | SECRET_LOOSE },
};

const struct secret_table secret_rules_keys = { rules, ARRAY_SIZE(rules) };
