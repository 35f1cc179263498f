/* See screen.h. */
#include "report/screen.h"

#include "report/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#define GAP          2u  /* spaces between columns */
#define PIPE_COLUMN  64u /* in a pipe a longer cell stands out of its column instead of widening it for all */
#define COLUMN_LEAST 10u

static const char *const paints[] = {
        [PAINT_PLAIN] = "",        [PAINT_STRONG] = "\033[1m",  [PAINT_FAINT] = "\033[2m", [PAINT_BAD] = "\033[1;31m",
        [PAINT_WARN] = "\033[33m", [PAINT_GOOD] = "\033[1;32m", [PAINT_NAME] = "\033[36m",
};

void screen_put(struct screen *s, enum paint paint, struct str text)
{
        bool colour = s->colour && paint != PAINT_PLAIN && text.n;
        if (colour)
                fputs(paints[paint], s->to);
        if (text.n)
                fwrite(text.p, 1, text.n, s->to);
        if (colour)
                fputs("\033[0m", s->to);
}

void screen_printf(struct screen *s, enum paint paint, const char *fmt, ...)
{
        char *text = NULL;
        va_list ap;
        va_start(ap, fmt);
        int n = vasprintf(&text, fmt, ap);
        va_end(ap);
        if (n >= 0)
                screen_put(s, paint, str_span(text, (size_t)n));
        free(text);
}

void screen_newline(struct screen *s) { fputc('\n', s->to); }

static void spaces(struct screen *s, unsigned n) { fprintf(s->to, "%*s", (int)n, ""); }

void screen_flow(struct screen *s, const struct cell *items, size_t n, const char *separator, unsigned at,
                 unsigned indent)
{
        unsigned used = at, gap = (unsigned)strlen(separator), mark = *separator == ' ' ? 0 : 1;
        size_t last = n;
        while (last && !items[last - 1].text.n)
                last--;
        for (size_t i = 0, shown = 0; i < last; i++) {
                struct str text = items[i].text;
                unsigned width = text_width(text), after = i + 1 < last ? mark : 0; /* "," stays on the line */
                if (!text.n)
                        continue;
                if (shown++ && s->width && used + gap + width + after > s->width) {
                        fprintf(s->to, "%.*s\n", (int)mark, separator);
                        spaces(s, indent);
                        used = indent;
                } else if (shown > 1) {
                        fputs(separator, s->to);
                        used += gap;
                }
                if (s->width > used + after && used + width + after > s->width) {
                        text = text_cut(s->arena, text, s->width - used - after);
                        width = text_width(text);
                }
                screen_put(s, items[i].paint, text);
                used += width;
        }
        screen_newline(s);
}

void grid_add(struct screen *s, struct grid *g, enum paint paint, struct str text)
{
        if (g->n == g->size) {
                size_t size = g->size ? g->size * 2 : 64;
                struct cell *cells = arena_array(s->arena, size, sizeof(*cells));
                if (g->n)
                        memcpy(cells, g->cells, g->n * sizeof(*cells));
                g->cells = cells;
                g->size = size;
        }
        g->cells[g->n++] = (struct cell){ text, paint };
}

/* The width of each column, and of all with indent and gaps. */
static unsigned measure(const struct screen *s, const struct grid *g, unsigned widths[static GRID_COLUMNS])
{
        memset(widths, 0, GRID_COLUMNS * sizeof(*widths));
        for (size_t i = 0; i < g->n; i++) {
                unsigned w = text_width(g->cells[i].text);
                unsigned *column = &widths[i % g->columns];
                unsigned most = g->most[i % g->columns];
                if (!most && !s->width)
                        most = PIPE_COLUMN;
                *column = MAX(*column, most ? MIN(w, most) : w);
        }
        for (size_t c = 0; c < g->columns; c++)
                if (widths[c])
                        widths[c] = MAX(widths[c], g->least[c]);
        unsigned all = g->indent;
        for (size_t c = 0, seen = 0; c < g->columns; c++)
                if (widths[c])
                        all += widths[c] + (seen++ ? GAP : 0);
        return all;
}

bool grid_fits(const struct screen *s, const struct grid *g)
{
        unsigned widths[GRID_COLUMNS];
        return measure(s, g, widths) <= s->width || !s->width;
}

static void shrink(unsigned *width, unsigned *over)
{
        unsigned give = *width > COLUMN_LEAST ? MIN(*over, *width - COLUMN_LEAST) : 0;
        *width -= give;
        *over -= give;
}

void grid_print(struct screen *s, const struct grid *g)
{
        unsigned widths[GRID_COLUMNS], all = measure(s, g, widths);
        unsigned over = s->width && all > s->width ? all - s->width : 0;
        shrink(&widths[g->flexible], &over);
        for (size_t c = g->columns; over && c-- > 0;)
                shrink(&widths[c], &over);
        for (size_t row = 0; row + g->columns <= g->n; row += g->columns) {
                unsigned pending = g->indent; /* spaces before the next text, so that no line ends in spaces */
                bool first = true;
                for (size_t c = 0; c < g->columns; c++) {
                        if (!widths[c])
                                continue;
                        struct str text = g->cells[row + c].text;
                        if (s->width)
                                text = text_cut(s->arena, text, widths[c]);
                        if (!first)
                                pending += GAP;
                        first = false;
                        unsigned w = text_width(text), fill = w < widths[c] ? widths[c] - w : 0;
                        if (w) {
                                spaces(s, pending);
                                screen_put(s, g->cells[row + c].paint, text);
                                pending = 0;
                        }
                        pending += fill;
                }
                screen_newline(s);
        }
}

int stream_result(FILE *to)
{
        errno = 0;
        if (fflush(to) == 0 && !ferror(to))
                return 0;
        if (!errno) {
                /* An earlier write failed, and its errno is gone. One more byte fails for the same reason; what was
                 * written is of no use any more. */
                fputc('\n', to);
                fflush(to);
        }
        return errno ? -errno : -EIO;
}
