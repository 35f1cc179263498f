/* See syntax.h: constants and terms as canonical text, which parses to what it was printed from. */
#include "rule/syntax.h"

void constant_print(struct str text, bool quote, struct buf *to)
{
        static const char from[] = "\b\f\n\r\t\\\"", as[] = "bfnrt\\\"";
        if (!quote && constant_is_bare(text)) {
                buf_add_str(to, text);
                return;
        }
        buf_putc(to, '"');
        for (size_t i = 0; i < text.n; i++) {
                char c = text.p[i];
                const char *found = c ? strchr(from, c) : NULL;
                if (found)
                        buf_printf(to, "\\%c", as[found - from]);
                else if ((unsigned char)c < ' ' || c == 0x7f)
                        buf_printf(to, "\\x%02x", (unsigned char)c);
                else
                        buf_putc(to, c);
        }
        buf_putc(to, '"');
}

void term_print(const struct term *t, struct buf *to)
{
        switch (t->kind) {
        case TERM_CONSTANT:
                constant_print(t->name, true, to);
                break;
        case TERM_FIELD:
                buf_add_str(to, t->name);
                if (t->has_argument) {
                        bool bare = constant_is_bare(t->argument) && str_find_char(t->argument, '[') < 0 &&
                                    str_find_char(t->argument, ']') < 0;
                        buf_putc(to, '[');
                        constant_print(t->argument, !bare, to);
                        buf_putc(to, ']');
                }
                break;
        case TERM_CALL:
                buf_printf(to, "%s(", t->call->name);
                for (size_t i = 0; i < t->n_arguments; i++) {
                        if (i > 0)
                                buf_puts(to, ", ");
                        term_print(t->arguments[i], to);
                }
                buf_putc(to, ')');
                break;
        }
}
