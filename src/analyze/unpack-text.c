/*
 * Text that hides other content: runs of base64 (RFC 4648, both alphabets) and of hexadecimal digits, in lines as
 * RFC 2045 makes them, in pieces of strings, or in programs; UTF-16; text in whose file something is reversed; binary
 * data that one byte was XORed over. What is spelled byte by byte is in unpack-escapes.c. See unpack-private.h.
 *
 * Runs are found without looking at every byte: a run has RUN_MIN characters in a line, so it is enough to look at a
 * few of them, and around those that could belong to one.
 */
#include "analyze/unpack-private.h"
#include "analyze/unpack-words.h"

#include "base/utf8.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define RUN_MIN      40u  /* characters of base64: 30 bytes */
#define LINE_MIN     16u  /* the same in a line that is followed by others of its length */
#define GLUE_MAX     64u  /* bytes between two lines: a line end and blanks, quotes and an operator */
#define RUN_CAPITALS 16u  /* one of so many is a capital letter, or it is no base64 but a path, or a line of dashes */
#define RUN_PART     64   /* characters that are asked for them together */
#define HEX_MIN      130u /* more digits than any digest has */
#define RUN_MAX      (1u << 20) /* characters decoded at once; the next part begins RUN_OVERLAP before */
#define RUN_OVERLAP  4096u      /* a multiple of 4 */
#define HEAD_LOOK    4096u
#define HEAD_STEP    128u
#define REVERSED_MAX (256u << 10)
#define XOR_MIN      16u
#define XOR_HEAD     64u
#define XOR_CHUNK    8192u

/* Values of base64's characters; NOT_BASE64 for all others. */
#define NOT_BASE64 64
static uint8_t base64_values[256];
#define NOT_HEX 16
static uint8_t hex_values[256];

__attribute__((constructor)) static void fill_tables(void)
{
        static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        memset(base64_values, NOT_BASE64, sizeof(base64_values));
        memset(hex_values, NOT_HEX, sizeof(hex_values));
        for (unsigned i = 0; i < 64; i++)
                base64_values[(unsigned char)alphabet[i]] = (uint8_t)i;
        base64_values['-'] = 62;
        base64_values['_'] = 63;
        for (unsigned i = 0; i < 10; i++)
                hex_values['0' + i] = (uint8_t)i;
        for (unsigned i = 0; i < 6; i++)
                hex_values['a' + i] = hex_values['A' + i] = (uint8_t)(10 + i);
}

static bool is_text_byte(uint32_t bits)
{
        uint8_t c = (uint8_t)bits;
        return (c >= ' ' && c < 0x7f) || c == '\t' || c == '\n' || c == '\r';
}

static bool is_base64(char c) { return base64_values[(unsigned char)c] != NOT_BASE64; }
static uint8_t hex_value(char c) { return hex_values[(unsigned char)c]; }

/* The same for the bytes of a word: letters, and + - / 0 to 9, which is a range but for , and . */
static inline uint64_t base64_bytes(uint64_t word)
{
        uint64_t comma_or_dot = bytes_equal(word & ~(EACH_BYTE * ('.' ^ ',')), ',');
        return letter_bytes(word) | bytes_equal(word, '_') | (bytes_within(word, '+', '9') & ~comma_or_dot);
}

/* How many characters of base64 stand from s[i] on, and before it down to s[from]. */
static size_t base64_from(struct str s, size_t i)
{
        size_t end = i;
        for (; s.n - end >= WORD_BYTES; end += WORD_BYTES) {
                uint64_t others = base64_bytes(load_word(s.p + end)) ^ ALL_BYTES;
                if (others)
                        return end + bytes_before(others) - i;
        }
        while (end < s.n && is_base64(s.p[end]))
                end++;
        return end - i;
}

static size_t base64_before(struct str s, size_t from, size_t i)
{
        size_t first = i;
        for (; first - from >= WORD_BYTES; first -= WORD_BYTES) {
                uint64_t others = base64_bytes(load_word(s.p + first - WORD_BYTES)) ^ ALL_BYTES;
                if (others)
                        return i - (first - bytes_behind(others));
        }
        while (first > from && is_base64(s.p[first - 1]))
                first--;
        return i - first;
}

static void give(struct unpacking *u, const char *how, uint64_t at, struct str bytes)
{
        char name[64];
        snprintf(name, sizeof(name), "%s@%llu", how, (unsigned long long)at);
        if (bytes.n)
                member_whole(u, str_of(name), bytes);
}

/* --- runs of base64 and of hexadecimal digits --- */

static bool is_all_hex(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (hex_value(s.p[i]) == NOT_HEX)
                        return false;
        return true;
}

/*
 * Of what has the alphabet of base64 most are names: paths, identifiers, constants. Base64 of anything is rich in
 * capital letters: 26 of its 64 characters are, and of text they make up a third. It has small ones, and is written in
 * one of the two alphabets: names may have none, and both a slash and a dash.
 */
static bool is_like_base64(struct str s)
{
        size_t capitals = 0, letters = 0;
        uint64_t of_urls = 0, of_mail = 0;
        for (size_t i = 0; i < s.n; i += WORD_BYTES) {
                uint64_t word = s.n - i >= WORD_BYTES ? load_word(s.p + i) : load_last(s.p + i, s.n - i);
                capitals += count_bytes(bytes_within(word, 'A', 'Z'));
                letters += count_bytes(letter_bytes(word));
                of_urls |= bytes_equal(word, '-') | bytes_equal(word, '_');
                of_mail |= bytes_equal(word, '+') | bytes_equal(word, '/');
        }
        return capitals * RUN_CAPITALS >= s.n && letters > capitals && !(of_urls && of_mail);
}

/* In some part of it: what stands before the content must not hide it. */
static bool has_base64(struct str s)
{
        while (s.n) {
                size_t part = s.n < 2 * RUN_PART ? s.n : RUN_PART;
                if (is_like_base64(str_upto(s, part)))
                        return true;
                s = str_from(s, part);
        }
        return false;
}

/* Whether all that they stand for is text in ASCII; n is a multiple of 4. */
static bool stand_for_text(const char *p, size_t n)
{
        uint32_t bits = 0;
        for (size_t i = 0; i < n; i++) {
                bits = bits << 6 | base64_values[(unsigned char)p[i]];
                if (i % 4 == 0 && bits & 0x20)
                        return false; /* the first bit of a byte that is not ASCII: nearly all names end here */
                if (i % 4 == 3 && !(is_text_byte(bits >> 16) && is_text_byte(bits >> 8) && is_text_byte(bits)))
                        return false;
        }
        return true;
}

/* Text can be chosen so that its base64 has hardly a capital letter; but names hardly ever stand for text. */
static bool has_text(struct str s)
{
        while (s.n >= RUN_MIN) { /* in some part of it, as above */
                size_t part = MIN(s.n / 4 * 4, (size_t)RUN_PART);
                if (stand_for_text(s.p, part))
                        return true;
                s = str_from(s, part);
        }
        return false;
}

static void decode_hex(struct unpacking *u, uint64_t at, struct str digits)
{
        char *to = xmalloc(digits.n / 2 + 1);
        for (size_t i = 0; i < digits.n / 2; i++)
                to[i] = (char)(hex_value(digits.p[2 * i]) << 4 | hex_value(digits.p[2 * i + 1]));
        give(u, "hex", at, str_span(to, digits.n / 2));
        free(to);
}

static void decode_base64(struct unpacking *u, uint64_t at, struct str text)
{
        char *to = xmalloc(text.n / 4 * 3 + 3);
        size_t n = 0;
        uint32_t bits = 0;
        for (size_t i = 0; i < text.n; i++) {
                bits = bits << 6 | base64_values[(unsigned char)text.p[i]];
                if (i % 4 == 3) {
                        to[n++] = (char)(bits >> 16);
                        to[n++] = (char)(bits >> 8);
                        to[n++] = (char)bits;
                }
        }
        if (text.n % 4 == 2)
                to[n++] = (char)(bits >> 4);
        if (text.n % 4 == 3) {
                to[n++] = (char)(bits >> 10);
                to[n++] = (char)(bits >> 2);
        }
        give(u, "base64", at, str_span(to, n));
        free(to);
}

/* What stands in a piece of a string may be something of its own: a value of a list. */
static void piece_decode(struct unpacking *u, const struct decoders *d)
{
        size_t from = d->run.n - MIN(d->line, d->run.n);
        if (d->line >= RUN_MIN && from)
                decode_base64(u, d->run_at + from, str_from(buf_str(&d->run), from));
}

/*
 * The run is over, or has grown to its limit: then its end begins the next part, at the same place in a group of four.
 * What stands in the last line of a run may be of the text behind it.
 */
static void run_decode(struct unpacking *u, struct decoders *d, bool is_over)
{
        if (is_over && d->has_pieces)
                piece_decode(u, d);
        struct str text = buf_str(&d->run), lines = str_upto(text, text.n - MIN(d->line, text.n));
        bool is_hex = is_all_hex(text);
        struct str digits = is_hex ? text : lines;
        if (digits.n >= HEX_MIN && (is_hex || is_all_hex(digits)))
                decode_hex(u, d->run_at, digits);
        else if (text.n >= RUN_MIN && !is_hex && (has_base64(text) || has_text(text)))
                decode_base64(u, d->run_at, text);
        if (is_over) {
                buf_clear(&d->run);
                d->run_is_open = false;
                return;
        }
        size_t keep = RUN_OVERLAP + text.n % 4;
        memmove(d->run.p, d->run.p + text.n - keep, keep);
        d->run.n = keep;
}

static void run_begin(struct decoders *d, uint64_t at)
{
        if (!d->run.max)
                d->run = BUF_INIT(RUN_MAX);
        d->run_is_open = true;
        d->run_at = at;
        d->line = d->line_before = 0;
        d->has_pieces = false;
}

static bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }

/*
 * What stands between two lines of one run, from s[i] on: a line end and blanks (YAML, mail), one in a string ("\n",
 * or a backslash before it), or the end of a string and the beginning of the next. 0: the run is over.
 */
static size_t glue_at(struct str s, size_t i)
{
        size_t k = i, most = MIN(s.n, i + GLUE_MAX);
        bool has_end = false;
        if (is_quote(s.p[i])) {
                while (++k < most)
                        if (s.p[k] == s.p[i])
                                return k + 1 - i;
                return 0;
        }
        for (;; k++) {
                if (k + 1 < most && s.p[k] == '\\' && (s.p[k + 1] == 'n' || s.p[k + 1] == 'r'))
                        k++, has_end = true;
                else if (k < most && (s.p[k] == '\n' || s.p[k] == '\r'))
                        has_end = true;
                else if (!(k < most && (s.p[k] == ' ' || s.p[k] == '\t' || s.p[k] == '\\')))
                        break;
        }
        return has_end ? k - i : 0;
}

/* Whether the n or r of "\n" in a string stands before s[i]. */
static bool is_line_end_before(struct str s, size_t i)
{
        return i >= 2 && s.p[i - 2] == '\\' && (s.p[i - 1] == 'n' || s.p[i - 1] == 'r');
}

/* Whether a line of so many characters goes on behind its end: it is long, or as long as the one before. */
static bool line_goes_on(const struct decoders *d)
{
        return d->line >= RUN_MIN || !d->line ||
               (d->line >= LINE_MIN && (d->line == d->line_before || !d->line_before));
}

/*
 * Takes what belongs to the open run, from s[i] on; returns where it stopped. The run stays open at the end of s.
 */
static size_t run_extend(struct unpacking *u, struct decoders *d, struct str s, size_t i)
{
        while (i < s.n) {
                size_t from = i;
                i += base64_from(str_upto(s, i + MIN(s.n - i, (size_t)RUN_MAX / 4)), i);
                if (d->run.n + (i - from) > RUN_MAX)
                        run_decode(u, d, false);
                buf_add(&d->run, s.p + from, i - from);
                d->line += i - from;
                if (i == s.n || is_base64(s.p[i]))
                        continue;
                if (s.p[i] == '\\' && i + 1 < s.n && s.p[i + 1] == '/') { /* JSON may write it so */
                        i++;
                        continue;
                }
                size_t glue = line_goes_on(d) ? glue_at(s, i) : 0;
                if (!glue) {
                        run_decode(u, d, true);
                        return i;
                }
                if (is_quote(s.p[i])) {
                        piece_decode(u, d);
                        d->has_pieces = true;
                }
                if (d->line)
                        d->line_before = d->line;
                d->line = 0;
                i += glue;
        }
        return i;
}

/* Whether n characters of base64 begin at s[i]. */
static bool is_line(struct str s, size_t i, size_t n)
{
        return s.n - i >= n && base64_from(str_upto(s, i + n), i) == n;
}

/*
 * Lines that are too short to be told by themselves: s[first] to s[end] is one, and the one before or behind it has its
 * length (the last may be shorter). Sets first to where the first of them begins: the same stands between all of them.
 */
static bool find_lines(struct str s, size_t from, size_t *first, size_t end)
{
        size_t n = end - *first, at = *first;
        size_t glue = n >= LINE_MIN && end < s.n ? glue_at(s, end) : 0;
        if (!glue)
                return false;
        bool is_one_of_many = is_line(s, end + glue, n);
        struct str between = str_upto(str_from(s, end), glue);
        while (at >= from + glue && str_eq(str_upto(str_from(s, at - glue), glue), between)) {
                size_t last = at - glue, before = last;
                while (before > from && last - before < RUN_MIN && is_base64(s.p[before - 1]) &&
                       !is_line_end_before(s, before))
                        before--;
                if (before == last)
                        break;
                is_one_of_many = is_one_of_many || last - before >= n;
                at = before;
        }
        *first = is_one_of_many ? at : *first;
        return is_one_of_many;
}

/*
 * Wherever a run of RUN_MIN stands, a probe of RUN_PROBE bytes lies in it: they are RUN_STEP apart at most. Every
 * second step is smaller, so that they do not keep pace with short lines and always fall on their ends.
 */
#define RUN_PROBE      8u
#define RUN_STEP       30u
#define RUN_STEP_SMALL 17u
static_assert(RUN_STEP + RUN_PROBE <= RUN_MIN, "no run escapes the probes");

/* Nearly all that is no base64 has a byte below '+' in it (blanks, line ends, quotes), or is not ASCII. */
static inline bool may_be_run(const char *p)
{
        uint64_t word = load_word(p);
        static_assert(RUN_PROBE == WORD_BYTES, "a probe is a word");
        return !((word | (word - EACH_BYTE * '+')) & ALL_BYTES) && base64_bytes(word) == ALL_BYTES;
}

/* A run at the end is too short to be told, but the next window may go on with it. */
static void keep_tail(struct unpacking *u, struct decoders *d, struct str s, size_t from, uint64_t offset)
{
        size_t tail = s.n - base64_before(s, from, s.n);
        if (d->run_is_open || tail == s.n)
                return;
        run_begin(d, offset + tail);
        (void)run_extend(u, d, s, tail);
}

static void find_runs(struct unpacking *u, struct decoders *d, struct str s, uint64_t offset)
{
        size_t from = d->run_is_open ? run_extend(u, d, s, 0) : 0; /* no run goes on from before it */
        size_t step = RUN_STEP;
        for (size_t i = from; i + RUN_PROBE <= s.n;) {
                size_t first = i, end = i + RUN_PROBE;
                if (!may_be_run(s.p + i)) {
                        i += step;
                        step = step == RUN_STEP ? RUN_STEP_SMALL : RUN_STEP;
                        continue;
                }
                first -= base64_before(s, from, first);
                first += is_line_end_before(s, first + 1); /* it began with the n of it */
                end += base64_from(str_upto(s, MAX(end, first + RUN_MIN)), end);
                if (end - first >= RUN_MIN || end == s.n || find_lines(s, from, &first, end)) {
                        run_begin(d, offset + first);
                        end = run_extend(u, d, s, first);
                }
                i = from = end;
        }
        keep_tail(u, d, s, from, offset);
}

/* Programs have thousands of words of base64's alphabet, but hardly any that is so long without '_' or '-'. */
#define BINARY_RUN_MIN 64u

static void find_runs_in_binary(struct unpacking *u, struct decoders *d, struct str s, uint64_t offset)
{
        size_t from = d->run_is_open ? run_extend(u, d, s, 0) : 0;
        for (size_t i = from; i + RUN_PROBE <= s.n;) {
                if (!may_be_run(s.p + i)) {
                        i += BINARY_RUN_MIN - RUN_PROBE;
                        continue;
                }
                size_t first = i - base64_before(s, from, i), end = i + base64_from(s, i), n = end - first;
                bool is_name = memchr(s.p + first, '_', n) || memchr(s.p + first, '-', n);
                if (!is_name && n >= BINARY_RUN_MIN) {
                        run_begin(d, offset + first);
                        end = run_extend(u, d, s, first);
                } else if (end == s.n) {
                        break;
                }
                i = from = end;
        }
        keep_tail(u, d, s, from, offset);
}

/* --- the whole of a window --- */

/*
 * UTF-16 as bytes: what is not Latin-1 becomes '?'. The window before ended where this one's second half begins. The
 * mark of the byte order is no part of the text: what must stand at its start stands behind the mark.
 */
static void give_utf16(struct unpacking *u, bool is_big_endian, const struct content_window *w)
{
        size_t from = w->offset % 2, n = (w->bytes.n - from) / 2;
        char *to = xmalloc(n + 1);
        for (size_t i = 0; i < n; i++) {
                char low = w->bytes.p[from + 2 * i + is_big_endian], high = w->bytes.p[from + 2 * i + !is_big_endian];
                to[i] = high ? '?' : low;
        }
        bool is_marked =
                w->is_first && (str_starts(w->bytes, STR("\xff\xfe")) || str_starts(w->bytes, STR("\xfe\xff")));
        give(u, "utf-16", w->offset, str_from(str_span(to, n), is_marked));
        free(to);
}

static void give_reversed(struct unpacking *u, struct str s)
{
        if (s.n > REVERSED_MAX || str_find(u->file->members, STR("reversed@")) >= 0)
                return;
        char *to = xmalloc(s.n + 1);
        size_t i = 0;
        for (; s.n - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
                uint64_t word = htobe64(load_word(s.p + s.n - i - sizeof(word)));
                memcpy(to + i, &word, sizeof(word));
        }
        for (; i < s.n; i++)
                to[i] = s.p[s.n - 1 - i];
        give(u, "reversed", 0, str_span(to, s.n));
        free(to);
}

/*
 * One byte XORed over everything leaves the differences of neighbours as they were. They are searched for those of
 * texts that programs and scripts nearly always have.
 */
static const char *const known_texts[] = { "X5O!P%@AP[4", /* EICAR's test file */
                                           "#!/bin/",
                                           "#!/usr/",
                                           "\x7f"
                                           "ELF\x02\x01\x01",
                                           "\x7f"
                                           "ELF\x01\x01\x01",
                                           "This program cannot",
                                           "<?php",
                                           "http://",
                                           "https://",
                                           "/bin/sh" };

#define KNOWN_MAX 32 /* bytes of one */

struct literals *decode_xored(void)
{
        char differences[ARRAY_SIZE(known_texts)][KNOWN_MAX];
        struct literal v[ARRAY_SIZE(known_texts)];
        struct literals *ret = NULL;
        for (size_t k = 0; k < ARRAY_SIZE(known_texts); k++) {
                size_t n = strlen(known_texts[k]) - 1;
                for (size_t i = 0; i < n; i++)
                        differences[k][i] = known_texts[k][i] ^ known_texts[k][i + 1];
                v[k] = (struct literal){ str_span(differences[k], n), false };
        }
        (void)literals_new(v, ARRAY_SIZE(v), &ret, NULL); /* a constant set, which the tests compile */
        return ret;
}

struct keys {
        struct str text;
        uint64_t used[256 / 64]; /* a bit a key */
};

static void on_difference(void *arg, uint32_t index, size_t start)
{
        struct keys *k = arg;
        uint8_t key = (uint8_t)(k->text.p[start] ^ known_texts[index][0]);
        k->used[key / 64] |= UINT64_C(1) << key % 64;
}

/* Each byte XORed with the next one; n of them, of n + 1 bytes. */
static void differ(const char *bytes, size_t n, char *ret)
{
        size_t i = 0;
        for (; i + sizeof(uint64_t) <= n; i += sizeof(uint64_t)) {
                uint64_t word = htole64(load_word(bytes + i) ^ load_word(bytes + i + 1));
                memcpy(ret + i, &word, sizeof(word));
        }
        for (; i < n; i++)
                ret[i] = bytes[i] ^ bytes[i + 1];
}

/* In chunks that stay in the processor's cache. They overlap, so that a text that a border cuts is whole in one. */
static void find_keys(const struct literals *xored, struct str s, struct keys *ret)
{
        char differences[XOR_CHUNK];
        size_t overlap = literals_longest(xored) - 1;
        for (size_t at = 0; at + 1 < s.n; at += XOR_CHUNK - overlap) {
                size_t n = MIN(s.n - 1 - at, (size_t)XOR_CHUNK);
                ret->text = str_from(s, at);
                differ(ret->text.p, n, differences);
                literals_scan(xored, str_span(differences, n), 0, n, on_difference, ret);
                if (at + n + 1 == s.n)
                        return;
        }
}

static void give_xored(struct unpacking *u, struct str s, uint8_t key, char *copy)
{
        char how[16];
        for (size_t i = 0; i < s.n; i++)
                copy[i] = (char)(s.p[i] ^ (char)key);
        snprintf(how, sizeof(how), "xor-%02x", key);
        give(u, how, 0, str_span(copy, s.n));
}

static void find_xor(struct unpacking *u, struct str s, bool is_text)
{
        struct keys keys = { .text = s };
        if (s.n < XOR_MIN || str_find(u->file->members, STR("xor-")) >= 0)
                return;
        /* Text may be text that was XORed, but is then only looked at where files begin. */
        find_keys(u->worker->xored, is_text ? str_upto(s, XOR_HEAD) : s, &keys);
        keys.used[0] &= ~UINT64_C(1); /* as it is */
        char *copy = NULL;
        for (unsigned i = 0; i < ARRAY_SIZE(keys.used); i++)
                for (uint64_t left = keys.used[i]; left; left &= left - 1) {
                        copy = copy ? copy : xmalloc(s.n);
                        give_xored(u, s, (uint8_t)(64 * i + (unsigned)__builtin_ctzll(left)), copy);
                }
        free(copy);
}

/* Bytes that are not of well-formed UTF-8: text in an older encoding has some, encrypted text many. */
static size_t count_malformed(struct str s)
{
        size_t n = 0;
        for (size_t i = 0; i < s.n;) {
                uint32_t ignored;
                if (s.n - i >= sizeof(uint64_t) && !(load_word(s.p + i) & ALL_BYTES)) { /* all ASCII */
                        i += sizeof(uint64_t);
                        continue;
                }
                size_t length = (unsigned char)s.p[i] < 0x80 ? 1 : utf8_decode(str_from(s, i), &ignored);
                n += length == 0;
                i += length ? length : 1;
        }
        return n;
}

#define EVEN_BYTES UINT64_C(0x0080008000800080)
#define BLANKS     (EACH_BYTE * ' ') /* no bytes that are looked for */

struct bytes_seen {
        size_t zeros[2], controls; /* at even and at odd offsets */
};

/* Eight bytes, of which the first stands at an even offset. */
static void see_word(struct bytes_seen *seen, uint64_t word)
{
        uint64_t controls = bytes_within(word, 0, 0x1f);
        if (!controls)
                return;
        uint64_t zeros = bytes_equal(word, 0), even = zeros & EVEN_BYTES;
        uint64_t of_text = (bytes_within(word, '\t', '\r') & ~bytes_equal(word, '\v')) | bytes_equal(word, '\x1b');
        seen->zeros[0] += count_bytes(even);
        seen->zeros[1] += count_bytes(zeros ^ even);
        seen->controls += count_bytes(controls & ~of_text);
}

static void see(struct str head, size_t from, size_t to, struct bytes_seen *seen)
{
        size_t i = from;
        for (; to - i >= WORD_BYTES; i += WORD_BYTES)
                see_word(seen, load_word(head.p + i));
        if (i < to)
                see_word(seen, load_last(head.p + i, to - i) | BLANKS << 8 * (to - i));
}

/*
 * Zeros among n bytes, at the places where UTF-16 of mostly Latin text has them, and at the others, where it has none.
 * UTF-32 has half as many there; read as UTF-16 it becomes UTF-16.
 */
static bool are_of_utf(size_t high, size_t low, size_t n)
{
        return high > n / 3 && (low <= n / 64 || (high > n * 7 / 16 && low > n / 5 && low < n / 3));
}

static int looks_of(struct str s)
{
        struct str head = str_upto(s, HEAD_LOOK);
        struct bytes_seen seen = { .controls = 0 };
        if (str_starts(s, STR("\xff\xfe")) || str_starts(s, STR("\xfe\xff"))) /* the mark of the byte order */
                return *s.p == '\xff' ? LOOKS_UTF16LE : LOOKS_UTF16BE;
        for (size_t i = 0; i < head.n; i += HEAD_STEP) {
                size_t end = MIN(i + HEAD_STEP, head.n);
                see(head, i, end, &seen);
                /* Most files are decided early: they cannot be text any more, nor UTF-16. */
                size_t even = seen.zeros[0], odd = seen.zeros[1], more = (head.n - end) / 2 + 1;
                bool may_be_utf = (odd + more > head.n / 3 && even <= head.n / 3) ||
                                  (even + more > head.n / 3 && odd <= head.n / 3);
                if (seen.controls > head.n / 64 && !may_be_utf)
                        return LOOKS_BINARY;
        }
        if (head.n >= 8 && are_of_utf(seen.zeros[1], seen.zeros[0], head.n))
                return LOOKS_UTF16LE;
        if (head.n >= 8 && are_of_utf(seen.zeros[0], seen.zeros[1], head.n))
                return LOOKS_UTF16BE;
        return seen.controls <= head.n / 64 && count_malformed(head) <= head.n / 4 ? LOOKS_TEXT : LOOKS_BINARY;
}

void decode_window(struct unpacking *u, struct decoders *d, const struct content_window *w, bool reverses)
{
        bool is_whole = w->is_first && w->is_last;
        if (w->is_first)
                d->looks = looks_of(w->bytes);
        switch (d->looks) {
        case LOOKS_TEXT:
                find_runs(u, d, str_from(w->bytes, w->fresh), w->offset + w->fresh);
                decode_escapes(u, w->bytes, w->offset);
                if (is_whole) {
                        if (reverses)
                                give_reversed(u, w->bytes);
                        find_xor(u, w->bytes, true);
                }
                break;
        case LOOKS_UTF16LE:
        case LOOKS_UTF16BE:
                give_utf16(u, d->looks == LOOKS_UTF16BE, w);
                break;
        case LOOKS_BINARY:
                find_runs_in_binary(u, d, str_from(w->bytes, w->fresh), w->offset + w->fresh);
                if (is_whole)
                        find_xor(u, w->bytes, false);
                break;
        }
}

void decode_end(struct unpacking *u, struct decoders *d)
{
        if (d->run_is_open)
                run_decode(u, d, true);
        buf_done(&d->run);
}
