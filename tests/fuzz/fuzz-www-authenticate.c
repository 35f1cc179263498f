/* WWW-Authenticate headers, and the other lines of a header that source/http-header.c takes. */
#include "source/auth.h"
#include "source/http-header.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str text = str_span(data, size), rest = text;
        struct challenge c;
        struct http_response response = { 0 };
        char location[HTTP_URL_MAX] = "";
        int r = challenge_parse(text, &c);
        if (r == 0 && c.scheme == CHALLENGE_BEARER && !c.realm[0])
                abort();
        while (rest.n)
                http_header_take(str_line(&rest), &response, location);
        if (response.has_range && response.range_start > response.range_total)
                abort();
        return 0;
}
