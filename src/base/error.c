/* See error.h. All text is cut to ERROR_TEXT_MAX and what a terminal would obey becomes "?", since input reaches it. */
#include "base/error.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void make_printable(char *s)
{
        size_t size = strlen(s);
        for (size_t at = 0, n; at < size; at += n) {
                uint32_t c;
                n = utf8_decode(str_span(s + at, size - at), &c);
                bool is_safe = n && !utf8_is_unsafe(c);
                n = MAX(n, (size_t)1);
                if (!is_safe)
                        memset(s + at, '?', n);
        }
}

int error_set(struct error *err, int r, const char *fmt, ...)
{
        if (!err)
                return r;
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(err->text, sizeof(err->text), fmt, ap);
        va_end(ap);
        make_printable(err->text);
        return r;
}

int error_errno(struct error *err, int r, const char *fmt, ...)
{
        if (!err)
                return r;
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(err->text, sizeof(err->text), fmt, ap);
        va_end(ap);
        size_t n = strlen(err->text);
        snprintf(err->text + n, sizeof(err->text) - n, ": %s", strerror(-r));
        make_printable(err->text);
        return r;
}

int error_prefix(struct error *err, int r, const char *fmt, ...)
{
        if (!err)
                return r;
        char cause[ERROR_TEXT_MAX];
        snprintf(cause, sizeof(cause), "%s", err->text[0] ? err->text : strerror(-r));
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(err->text, sizeof(err->text), fmt, ap);
        va_end(ap);
        size_t n = strlen(err->text);
        snprintf(err->text + n, sizeof(err->text) - n, ": %s", cause);
        make_printable(err->text);
        return r;
}
