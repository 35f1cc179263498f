/*
 * The lines of an HTTP answer's header, as libcurl hands them over one by one: what we use of them goes into the
 * response. Pure. RFC 9110.
 */
#ifndef SEKISHO_SOURCE_HTTP_HEADER_H
#define SEKISHO_SOURCE_HTTP_HEADER_H

#include "source/http.h"

/* The parts of a URL that decide where a secret may go. */
struct http_url {
        char scheme[16], host[256], port[8], path[1024];
        bool has_user;
};

bool http_header_is_status(struct str line); /* "HTTP/1.1 200 OK": another answer begins */

/* Takes one "Name: value" line. What is too long or makes no sense is left out. */
void http_header_take(struct str line, struct http_response *response, char location[static HTTP_URL_MAX]);

#endif
