/* See osrelease.h. */
#include "read/osrelease.h"

struct osrelease osrelease_from(struct str bytes) { return (struct osrelease){ .rest = bytes }; }

static bool is_name(struct str s)
{
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];
                bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
                if (!is_letter && (i == 0 || c < '0' || c > '9'))
                        return false;
        }
        return s.n > 0;
}

/*
 * Takes the quotes away. In double quotes a backslash quotes only $ ` " \ and stands for itself before anything else;
 * in single quotes it has no meaning; outside it quotes what follows. False if a quote or a backslash is left open, or
 * if something follows the end of the word.
 */
static bool unquote(struct str s, struct arena *arena, struct str *ret)
{
        char *out = arena_alloc(arena, s.n + 1), quote = 0;
        size_t n = 0, i = 0;
        for (; i < s.n; i++) {
                char c = s.p[i];
                if (quote == '\'' || (c != '\\' && c != '"' && c != '\'')) {
                        if (c == quote && quote)
                                quote = 0;
                        else if (!quote && (c == ' ' || c == '\t'))
                                break;
                        else
                                out[n++] = c;
                } else if (c == '\\') {
                        if (++i == s.n)
                                return false;
                        if (quote && !memchr("$`\"\\", s.p[i], 4))
                                out[n++] = '\\';
                        out[n++] = s.p[i];
                } else if (!quote) {
                        quote = c;
                } else if (c == quote) {
                        quote = 0;
                } else {
                        out[n++] = c;
                }
        }
        struct str left = str_trim(str_from(s, i));
        *ret = str_span(out, n);
        return !quote && (left.n == 0 || left.p[0] == '#');
}

int osrelease_next(struct osrelease *r, struct arena *arena, struct str *ret_name, struct str *ret_value)
{
        while (r->rest.n) {
                struct str line = str_trim(str_line(&r->rest));
                r->line++;
                if (line.n == 0 || line.p[0] == '#')
                        continue;
                ptrdiff_t at = str_find_char(line, '=');
                struct str name = str_upto(line, at < 0 ? 0 : (size_t)at), value;
                if (!is_name(name) || !unquote(str_from(line, (size_t)at + 1), arena, &value))
                        return OSRELEASE_MALFORMED;
                *ret_name = name;
                *ret_value = value;
                return OSRELEASE_FIELD;
        }
        return OSRELEASE_END;
}
