/*
 * For tests of the unpacking engine: it runs on content that a test makes, beside an engine that looks for a marker and
 * says in which member it found it.
 */
#ifndef SEKISHO_TESTS_UNPACK_MARKER_H
#define SEKISHO_TESTS_UNPACK_MARKER_H

#include "analyze/unpack-private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MARKER "a-marker-that-is-no-malware-0123456789"

static struct buf found;  /* members in which the marker was, one a line */
static struct buf unread; /* "name: code", one a line */
static uint64_t n_members;

static void marker_window(const struct content_call *c, const struct content_window *w)
{
        struct arena arena = ARENA_INIT;
        if (w->n_hits) {
                buf_add_str(&found, content_name(&arena, c->file));
                buf_putc(&found, '\n');
        }
        arena_done(&arena);
}

#define SMALL_MARKER                                                                                                   \
        "no jo zoonowso knoknowo " /* its base64 has no capital letter, if it stands at a multiple of 3                \
                                    */

static const struct literal marker_literals[] = { { STR(MARKER), false }, { STR(SMALL_MARKER), false } };
static const struct content_engine marker_engine = {
        .name = "marker", .literals = marker_literals, .n_literals = 2, .window = marker_window
};

static void on_fact(struct sink *s, enum fact_kind kind, const void *fact)
{
        const struct fact_unread *u = fact;
        if (kind == FACT_unread)
                buf_printf(&unread, "%.*s: %.*s\n", STR_FMT(u->path), STR_FMT(u->code));
}

/* Shows content under a name, in pieces of that size. */
static void show(const char *name, struct str content, size_t piece)
{
        const struct content_engine *const engines[] = { &marker_engine, &unpack_engine };
        struct content_plan *plan;
        struct sink sink = { on_fact };
        buf_done(&found);
        buf_done(&unread);
        found = unread = BUF_INIT(1 << 20);
        buf_puts(&found, "");
        assert_int_equal(content_plan_new(engines, ARRAY_SIZE(engines), &plan, NULL), 0);
        struct content *c = content_new(plan, &sink);
        struct content_file f = { .path = str_of(name), .size = content.n };
        struct content_open *o = content_begin(c, NULL, &f);
        while (content.n) {
                content_add(o, content.p, MIN(piece, content.n));
                content = str_from(content, MIN(piece, content.n));
        }
        content_end(o, NULL, true);
        n_members = content_totals(c).members;
        content_free(c);
        content_plan_free(plan);
}

static inline void show_all(const char *name, struct str content) { show(name, content, content.n ? content.n : 1); }

static bool was_found(const char *name)
{
        _cleanup_(buf_done) struct buf line = BUF_INIT(4096);
        buf_printf(&line, "%s\n", name);
        return str_find(buf_str(&found), buf_str(&line)) >= 0;
}

static const char *words(const struct buf *b) { return b->n ? b->p : ""; }

static void encode_base64(struct buf *to, struct str from, size_t line)
{
        static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for (size_t i = 0, column = 0; i < from.n; i += 3) {
                uint32_t v = 0;
                for (size_t k = 0; k < 3; k++)
                        v = v << 8 | (i + k < from.n ? (uint8_t)from.p[i + k] : 0);
                for (size_t k = 0; k < 4; k++) {
                        buf_putc(to, i + k > from.n ? '=' : alphabet[v >> (18 - 6 * k) & 63]);
                        if (line && ++column % line == 0)
                                buf_putc(to, '\n');
                }
        }
}

static int tear_down(void **state)
{
        buf_done(&found);
        buf_done(&unread);
        return 0;
}

#endif
