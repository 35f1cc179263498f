/* See http-header.h. */
#include "source/http-header.h"

#include <stdio.h>

bool http_header_is_status(struct str line) { return str_starts(line, STR("HTTP/")); }

/* bytes 100-199/2000, or .../\*; RFC 9110 section 14.4 */
static void take_range(struct str value, struct http_response *r)
{
        uint64_t start, end, total = UINT64_MAX;
        struct str unit = str_cut(&value, ' ');
        struct str first = str_cut(&value, '-');
        struct str last = str_cut(&value, '/');
        if (!str_eq_nocase(unit, STR("bytes")) || !str_u64(first, &start) || !str_u64(last, &end) || end < start)
                return;
        if (!str_eq(value, STR("*")) && (!str_u64(value, &total) || end >= total))
                return;
        r->has_range = true;
        r->range_start = start;
        r->range_total = total;
}

/* Printable text that fits, or nothing. */
static void take_text(struct str value, char *to, size_t size)
{
        bool is_usable = value.n < size;
        for (size_t i = 0; i < value.n; i++)
                is_usable &= value.p[i] >= ' ' && value.p[i] < 0x7f;
        snprintf(to, size, "%.*s", is_usable ? (int)value.n : 0, value.p ? value.p : "");
}

void http_header_take(struct str line, struct http_response *r, char location[static HTTP_URL_MAX])
{
        struct str value = str_trim(line), name = str_cut(&value, ':');
        value = str_trim(value);
        if (str_eq_nocase(name, STR("Content-Length"))) {
                uint64_t n;
                if (str_u64(value, &n))
                        r->content_length = n;
        } else if (str_eq_nocase(name, STR("Content-Range"))) {
                take_range(value, r);
        } else if (str_eq_nocase(name, STR("Content-Type"))) {
                struct str type = str_trim(str_cut(&value, ';'));
                if (type.n >= sizeof(r->content_type))
                        return;
                snprintf(r->content_type, sizeof(r->content_type), "%.*s", STR_FMT(type));
                for (char *c = r->content_type; *c; c++)
                        if (*c >= 'A' && *c <= 'Z')
                                *c = (char)(*c + 32);
        } else if (str_eq_nocase(name, STR("ETag"))) {
                take_text(value, r->etag, sizeof(r->etag));
        } else if (str_eq_nocase(name, STR("Last-Modified"))) {
                take_text(value, r->last_modified, sizeof(r->last_modified));
        } else if (str_eq_nocase(name, STR("WWW-Authenticate"))) {
                size_t n = strlen(r->challenge);
                if (n + 2 + value.n < sizeof(r->challenge) && !memchr(value.p ? value.p : "", 0, value.n))
                        snprintf(r->challenge + n, sizeof(r->challenge) - n, "%s%.*s", n ? ", " : "", STR_FMT(value));
        } else if (str_eq_nocase(name, STR("Location"))) {
                if (value.n < HTTP_URL_MAX)
                        snprintf(location, HTTP_URL_MAX, "%.*s", STR_FMT(value));
        }
}
