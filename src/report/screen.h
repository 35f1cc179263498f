/*
 * A terminal, or a pipe, to print on in columns. In a pipe (width 0) the words are the same, nothing is coloured and
 * nothing is cut. On a terminal no line is longer than its width: columns are cut with "…", and a list goes on in a new
 * line only between its items. All text must be clean (text_clean) already.
 */
#ifndef SEKISHO_REPORT_SCREEN_H
#define SEKISHO_REPORT_SCREEN_H

#include "base/arena.h"
#include "report/report.h"

enum paint { PAINT_PLAIN, PAINT_STRONG, PAINT_FAINT, PAINT_BAD, PAINT_WARN, PAINT_GOOD, PAINT_NAME };

struct screen {
        FILE *to;
        struct arena *arena;
        bool colour;
        unsigned width; /* 0: a pipe */
};

struct cell {
        struct str text;
        enum paint paint;
};

#define GRID_COLUMNS 8 /* at most */

/* Rows of cells, aligned. Cells are added row by row; a row has `columns` of them. A column without text vanishes. */
struct grid {
        size_t columns, n, size;
        struct cell *cells; /* in the arena */
        unsigned indent;
        size_t flexible; /* the column that gives way first when the screen is too narrow */
        unsigned least[GRID_COLUMNS], most[GRID_COLUMNS]; /* widths; 0: as wide as the text is */
};

void screen_put(struct screen *s, enum paint paint, struct str text);
void screen_printf(struct screen *s, enum paint paint, const char *fmt, ...) _printf_(3, 4);
void screen_newline(struct screen *s);

/*
 * Prints the items one after another with the separator between them, from column `at`; where the next does not fit
 * into the line, it starts a new one, indented. Ends the line.
 */
void screen_flow(struct screen *s, const struct cell *items, size_t n, const char *separator, unsigned at,
                 unsigned indent);

void grid_add(struct screen *s, struct grid *g, enum paint paint, struct str text);
bool grid_fits(const struct screen *s, const struct grid *g); /* always true in a pipe */
void grid_print(struct screen *s, const struct grid *g);

/* 0, or -errno if something could not be written to the stream. */
int stream_result(FILE *to);

#endif
