/* See sink.h. */
#include "fact/sink.h"

#include <stdarg.h>
#include <stdio.h>

void sink_unread(struct sink *s, struct str path, const char *code, const char *fmt, ...)
{
        char detail[512];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(detail, sizeof(detail), fmt, ap);
        va_end(ap);
        struct fact_unread f = { .path = path, .code = str_of(code), .detail = str_of(detail) };
        sink_put(s, FACT_unread, &f);
}
