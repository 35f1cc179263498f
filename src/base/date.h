/* Dates as facts carry them: seconds since 1970 in UTC, 0 for "not known". No clock is read here. */
#ifndef SEKISHO_BASE_DATE_H
#define SEKISHO_BASE_DATE_H

#include "base/str.h"

#define DATE_TEXT_MAX 32

/* RFC 3339 ("2026-11-20T10:00:00.123Z", "+01:00" too) or a bare "2026-11-20". False if it is neither. */
bool date_parse(struct str s, int64_t *ret);

/* "2026-11-20" / "2026-11-20T10:00:00Z"; "" for 0. Returns text. */
const char *date_day(int64_t t, char text[static DATE_TEXT_MAX]);
const char *date_iso(int64_t t, char text[static DATE_TEXT_MAX]);

#endif
