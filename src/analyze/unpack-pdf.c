/*
 * Unpacking of PDF (ISO 32000-1, 7.3.8 and 7.4): the streams, through the filters that their dictionaries name, in
 * their order. Pictures are left as they are (DCTDecode and the like end a chain); a filter that is not undone here is
 * said, and so is encryption. Streams are found by their keyword, not by the table of objects: readers repair that in
 * many ways. See unpack-private.h.
 */
#include "analyze/unpack-private.h"

#include <isa-l.h>
#include <stdlib.h>

#define DICTIONARY_MAX (64u << 10) /* bytes before "stream" in which filters are looked for */
#define STREAMS_MAX    100000u
#define FILTERS_MAX    8u
#define STREAM_MAX     (8u << 20)  /* of one that is decoded before it is inflated */
#define WORK_MAX       (64u << 20) /* bytes of one file that such filters read: streams overlap in a hostile file */
#define COLUMNS_MAX    65536u
#define COLORS_MAX     32u

enum filter { FLATE, HEX, ASCII85, RUN_LENGTH, UNREAD };

static const struct {
        const char *name;
        enum filter filter;
} filters[] = {
        { "FlateDecode", FLATE },     { "Fl", FLATE },    { "ASCIIHexDecode", HEX },         { "AHx", HEX },
        { "ASCII85Decode", ASCII85 }, { "A85", ASCII85 }, { "RunLengthDecode", RUN_LENGTH }, { "RL", RUN_LENGTH },
        { "LZWDecode", UNREAD },      { "LZW", UNREAD },
};

struct pdf_stream {
        enum filter filters[FILTERS_MAX];
        size_t n_filters;
        unsigned predictor, columns, colors; /* of the parameters; 0: none */
        bool is_cut;                         /* there is more than is looked at */
};

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == 0; }

/*
 * --- filters that are undone in memory: how many bytes they have read. The end of texts is marked, so what follows is
 * not looked at. ---
 */

static size_t undo_hex(struct str s, struct buf *to)
{
        int high = -1;
        size_t i = 0;
        for (; i < s.n && s.p[i] != '>' && !buf_is_full(to); i++) {
                int digit = hex_digit(s.p[i]);
                if (digit < 0 && !is_blank(s.p[i]))
                        return i;
                if (digit < 0)
                        continue;
                if (high >= 0)
                        buf_u8(to, (uint8_t)(high << 4 | digit));
                high = high >= 0 ? -1 : digit;
        }
        if (high >= 0)
                buf_u8(to, (uint8_t)(high << 4));
        return i;
}

static size_t undo_ascii85(struct str s, struct buf *to)
{
        uint32_t v = 0;
        unsigned n = 0;
        size_t i = 0;
        for (; i < s.n && s.p[i] != '~' && !buf_is_full(to); i++) {
                if (s.p[i] == 'z' && n == 0) {
                        buf_le32(to, 0);
                        continue;
                }
                if (is_blank(s.p[i]))
                        continue;
                if (s.p[i] < '!' || s.p[i] > 'u')
                        return i;
                v = v * 85 + (uint32_t)(s.p[i] - '!');
                if (++n < 5)
                        continue;
                for (unsigned k = 0; k < 4; k++)
                        buf_u8(to, (uint8_t)(v >> (24 - 8 * k)));
                v = n = 0;
        }
        for (unsigned k = n; n >= 2 && k < 5; k++)
                v = v * 85 + 84;
        for (unsigned k = 0; k + 1 < n; k++)
                buf_u8(to, (uint8_t)(v >> (24 - 8 * k)));
        return i;
}

static size_t undo_run_length(struct str s, struct buf *to)
{
        size_t before = s.n;
        while (s.n > 1 && (uint8_t)*s.p != 128 && !buf_is_full(to)) {
                size_t n = (uint8_t)*s.p;
                if (n < 128) {
                        buf_add_str(to, str_upto(str_from(s, 1), n + 1));
                        s = str_from(s, n + 2);
                } else {
                        char run[128];
                        memset(run, s.p[1], 257 - n);
                        buf_add(to, run, 257 - n);
                        s = str_from(s, 2);
                }
        }
        return before - s.n;
}

/* --- predictors (7.4.4.4), of samples of 8 bits --- */

static uint8_t paeth(int left, int up, int corner)
{
        int p = left + up - corner, by_left = abs(p - left), by_up = abs(p - up), by_corner = abs(p - corner);
        return (uint8_t)(by_left <= by_up && by_left <= by_corner ? left : by_up <= by_corner ? up : corner);
}

/* Those of PNG: each row has a byte before it that names the function. pixel: bytes of one. */
static void undo_png(struct str s, size_t columns, size_t pixel, struct buf *to)
{
        for (; s.n > 1; s = str_from(s, columns + 1)) {
                size_t row = to->n, n = MIN(columns, s.n - 1);
                for (size_t i = 0; i < n && !buf_is_full(to); i++) {
                        int left = i >= pixel ? (uint8_t)to->p[row + i - pixel] : 0;
                        int up = row >= columns ? (uint8_t)to->p[row - columns + i] : 0;
                        int corner = i >= pixel && row >= columns ? (uint8_t)to->p[row - columns + i - pixel] : 0;
                        const int add[] = { 0, left, up, (left + up) / 2, paeth(left, up, corner) };
                        unsigned function = (uint8_t)*s.p < ARRAY_SIZE(add) ? (uint8_t)*s.p : 0;
                        buf_u8(to, (uint8_t)((uint8_t)s.p[1 + i] + add[function]));
                }
        }
}

static void undo_tiff(struct str s, size_t columns, size_t pixel, struct buf *to)
{
        for (size_t i = 0; i < s.n && !buf_is_full(to); i++)
                buf_u8(to, (uint8_t)(s.p[i] + (i % columns >= pixel ? to->p[i - pixel] : 0)));
}

static void undo_predictor(const struct pdf_stream *p, struct str s, struct buf *to)
{
        size_t pixel = p->colors ? MIN(p->colors, COLORS_MAX) : 1;
        if (p->predictor == 2)
                undo_tiff(s, p->columns * pixel, pixel, to);
        else
                undo_png(s, p->columns * pixel, pixel, to);
}

/* --- dictionaries --- */

/* Adds the name that begins behind the slash, with its #NN undone, if it is a filter's. False: it ends the chain. */
static bool add_filter(struct pdf_stream *p, struct str s)
{
        char name[32];
        size_t n = 0;
        for (size_t i = 0; i < s.n && n < sizeof(name); i++) {
                int high = s.p[i] == '#' && s.n - i > 2 ? hex_digit(s.p[i + 1]) : -1;
                int low = high >= 0 ? hex_digit(s.p[i + 2]) : -1;
                if (low < 0 && !(s.p[i] >= '0' && s.p[i] <= '9') && !((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z'))
                        break;
                name[n++] = low >= 0 ? (char)(high << 4 | low) : s.p[i];
                i += low >= 0 ? 2 : 0;
        }
        for (size_t k = 0; k < ARRAY_SIZE(filters); k++)
                if (str_eq(str_span(name, n), str_of(filters[k].name))) {
                        p->is_cut = p->is_cut || p->n_filters == FILTERS_MAX;
                        if (!p->is_cut)
                                p->filters[p->n_filters++] = filters[k].filter;
                        return true;
                }
        return false;
}

static unsigned number_behind(struct str dictionary, const char *key)
{
        ptrdiff_t at = str_find(dictionary, str_of(key));
        unsigned v = 0;
        if (at < 0)
                return 0;
        dictionary = str_from(dictionary, (size_t)at + strlen(key));
        while (dictionary.n && is_blank(*dictionary.p))
                dictionary = str_from(dictionary, 1);
        for (; dictionary.n && *dictionary.p >= '0' && *dictionary.p <= '9' && v < COLUMNS_MAX;
             dictionary = str_from(dictionary, 1))
                v = v * 10 + (unsigned)(*dictionary.p - '0');
        return v;
}

/* What the dictionary before the stream at `at` says. Any name of a filter counts, wherever it stands in it. */
static struct pdf_stream stream_at(struct str all, size_t at)
{
        struct pdf_stream p = { .n_filters = 0 };
        size_t from = at > DICTIONARY_MAX ? at - DICTIONARY_MAX : 0;
        struct str before = str_upto(str_from(all, from), at - from);
        ptrdiff_t object = -1, next;
        for (size_t i = 0; (next = str_find(str_from(before, i), STR(" obj"))) >= 0; i = (size_t)object + 4)
                object = (ptrdiff_t)i + next;
        p.is_cut = object < 0 && from && str_ends(str_trim(before), STR(">>"));
        before = str_from(before, (size_t)(object + 1));
        for (size_t i = 0; i < before.n; i++)
                if (before.p[i] == '/')
                        (void)add_filter(&p, str_from(before, i + 1));
        p.predictor = number_behind(before, "/Predictor");
        p.columns = number_behind(before, "/Columns");
        p.colors = number_behind(before, "/Colors");
        return p;
}

/* --- streams --- */

static void run_zlib(void *arg, struct feeder *from) { unpack_zlib(arg, from); }

/* Inflates in memory what is not the end of its chain. */
static size_t undo_flate(struct str s, struct buf *to)
{
        struct inflate_state *state = xcalloc(1, sizeof(*state));
        int r = ISAL_DECOMP_OK;
        char piece[8192];
        isal_inflate_init(state);
        state->crc_flag = ISAL_ZLIB;
        state->next_in = (uint8_t *)s.p;
        state->avail_in = (uint32_t)MIN(s.n, (size_t)UINT32_MAX);
        while (r == ISAL_DECOMP_OK && state->block_state != ISAL_BLOCK_FINISH && to->n < STREAM_MAX) {
                state->next_out = (uint8_t *)piece;
                state->avail_out = sizeof(piece);
                r = isal_inflate(state);
                buf_add(to, piece, sizeof(piece) - state->avail_out);
                if (state->avail_out)
                        break;
        }
        size_t left = state->avail_in;
        free(state);
        return MIN(s.n, (size_t)UINT32_MAX) - left;
}

static size_t undo_one(enum filter filter, struct str content, struct buf *to)
{
        return filter == FLATE     ? undo_flate(content, to)
               : filter == HEX     ? undo_hex(content, to)
               : filter == ASCII85 ? undo_ascii85(content, to)
                                   : undo_run_length(content, to);
}

/* The last filter gives a member, a piece at a time. */
static void inflate_member(struct unpacking *u, struct str content)
{
        bool was_guess = u->is_guess;
        u->is_guess = true; /* a stream that is damaged is no news: readers repair PDF in many ways */
        feeder_over(content, run_zlib, u);
        u->is_guess = was_guess;
}

/* *work: bytes that may still be read in memory. */
static void undo(struct unpacking *u, const struct feeder *from, const struct pdf_stream *p, struct str content,
                 size_t *work)
{
        struct buf now = BUF_INIT(STREAM_MAX), next = BUF_INIT(STREAM_MAX);
        bool has_rows = (p->predictor >= 10 || p->predictor == 2) && p->columns, is_cut = p->is_cut;
        for (size_t i = 0; i < p->n_filters && content.n && *work > 0; i++) {
                bool is_last = i + 1 == p->n_filters;
                if (p->filters[i] == UNREAD) {
                        unpack_incomplete(u, from, "unsupported", "PDF: a stream is compressed with LZW");
                        break;
                }
                if (p->filters[i] == FLATE && is_last && !has_rows) {
                        inflate_member(u, content);
                        break;
                }
                buf_clear(&next);
                size_t used = undo_one(p->filters[i], content, &next) + 1;
                *work -= MIN(*work, used);
                if (!unpack_charge(u, used + next.n))
                        break;
                is_cut = is_cut || buf_is_full(&next);
                struct buf other = now;
                now = next;
                next = other;
                content = buf_str(&now);
                if (is_last && has_rows) {
                        buf_clear(&next);
                        undo_predictor(p, content, &next);
                        content = buf_str(&next);
                }
                if (is_last && content.n)
                        member_whole(u, STR("stream"), content);
        }
        if (is_cut)
                unpack_incomplete(u, from, "budget",
                                  "PDF: a stream has a longer dictionary, more filters or more content than are read");
        buf_done(&now);
        buf_done(&next);
}

/* Behind the keyword "stream": its line end, which must be there. Readers also take a CR alone. */
static bool pass_line_end(struct str *s)
{
        if (str_starts(*s, STR("\r\n")))
                *s = str_from(*s, 2);
        else if (str_starts(*s, STR("\n")) || str_starts(*s, STR("\r")))
                *s = str_from(*s, 1);
        else
                return false;
        return true;
}

void unpack_pdf(struct unpacking *u, struct feeder *from)
{
        struct whole w;
        u->used = UINT64_MAX;
        if (!whole_gather(u, from, &w))
                unpack_incomplete(u, from, "too-large",
                                  "PDF: larger than %u bytes, which is what may lie in memory whole", UNPACK_WHOLE_MAX);
        if (str_find(w.bytes, STR("/Encrypt")) >= 0)
                unpack_incomplete(u, from, "encrypted", "PDF: its streams are encrypted");
        size_t n = 0, work = WORK_MAX;
        for (size_t at = 0; n < STREAMS_MAX && work > 0 && !u->worker->is_over; n++) {
                ptrdiff_t next = str_find(str_from(w.bytes, at), STR("stream"));
                if (next < 0)
                        break;
                size_t word = at + (size_t)next;
                struct str content = str_from(w.bytes, word + 6);
                at = word + 6;
                bool ends = word >= 3 && memcmp(w.bytes.p + word - 3, "end", 3) == 0;
                if (ends || !pass_line_end(&content))
                        continue;
                struct pdf_stream p = stream_at(w.bytes, word);
                undo(u, from, &p, content, &work);
        }
        if (n == STREAMS_MAX || work == 0)
                unpack_incomplete(u, from, "budget", "PDF: more streams, or more in them, than are decoded");
        whole_release(u, &w);
}
