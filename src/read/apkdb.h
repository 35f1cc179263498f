/*
 * A reader of apk's database of installed packages (lib/apk/db/installed of apk-tools 2 and 3; apk-package(5)): lines
 * of a letter, a colon and a value; an empty line ends a package. It gives line after line, so that a package with a
 * hundred thousand files costs nothing; values are views into the input.
 */
#ifndef SEKISHO_READ_APKDB_H
#define SEKISHO_READ_APKDB_H

#include "base/str.h"

enum {
        APKDB_END = 0,
        APKDB_FIELD = 1,
        APKDB_MALFORMED = 2, /* a line that is no field; go on with the next call */
        APKDB_PACKAGE = 3,   /* the package that the fields before belong to is complete */
};

struct apkdb {
        struct str rest;
        size_t offset; /* of the next line */
        uint64_t line; /* of the line that was given last, from 1 */
        bool is_open;  /* fields were given since the last APKDB_PACKAGE */
        bool is_cut;   /* the input ended inside a line */
};

struct apkdb_field {
        char letter; /* P name, V version, A architecture, o origin, L licence, F directory, R file, Z checksum... */
        struct str value;
        size_t offset; /* of its line */
};

struct apkdb apkdb_from(struct str bytes);
int apkdb_next(struct apkdb *a, struct apkdb_field *ret);

/*
 * A checksum as apk writes it: "Q1" and base64 of SHA-1, "Q2" and base64 of SHA-256, "X1" and hexadecimal SHA-1, or 32
 * hexadecimal digits of MD5. Gives the algorithm's name and the bytes (their number returned), or 0 if it is none.
 */
size_t apkdb_checksum(struct str text, const char **ret_algorithm, uint8_t ret[static 32]);

#endif
