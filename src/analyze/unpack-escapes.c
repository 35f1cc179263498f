/*
 * Text that spells other content byte by byte: escapes of strings (\xNN, \NNN, \uNNNN, %NN, =NN as RFC 2045 has it),
 * lists of numbers in hexadecimal or decimal digits (arrays, chr(35), &#35;, dumps of od, hexdump and xxd), and what
 * uuencode makes (POSIX.1-2001). See unpack-private.h.
 *
 * A text is looked at once for each way, and what is found is given as a member. Nothing here crosses a window.
 */
#include "analyze/unpack-private.h"
#include "analyze/unpack-words.h"

#include "base/utf8.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define ESCAPES_MIN   16u
#define ESCAPES_APART 64u /* characters that stand for themselves, between two escapes */
#define GLUE_MAX      32u /* between the pieces of a string: quotes, operators, a variable's name */
#define NUMBERS_MIN   24u
#define NUMBERS_APART 12u /* characters between two numbers, */
#define NUMBER_MAX    4u  /* characters of a number: 0x23, 2321 */
#define WORD_MAX      8u  /* and letters of a word there: chr, char, byte */
#define OFFSET_MIN    6u  /* digits of the offset that begins a line of a dump */
#define OFFSET_MAX    8u
#define DUMP_LINE_MAX 64u /* its characters, to the end of the line */
#define UU_LINE_MAX   45u

/* The value of n hexadecimal digits at s[i]; -1 if they are not there. */
static long hex_number(struct str s, size_t i, size_t n)
{
        long v = 0;
        if (i > s.n || s.n - i < n)
                return -1;
        for (size_t k = 0; k < n; k++) {
                int digit = hex_digit(s.p[i + k]);
                if (digit < 0)
                        return -1;
                v = v * 16 + digit;
        }
        return v;
}

static void give(struct unpacking *u, const char *how, uint64_t at, const struct buf *b)
{
        char name[64];
        snprintf(name, sizeof(name), "%s@%llu", how, (unsigned long long)at);
        if (b->n)
                member_whole(u, str_of(name), buf_str(b));
}

/* --- escapes --- */

struct escape {
        size_t length; /* 0: it is none */
        long value;
};

static struct escape octal_at(struct str s, size_t i)
{
        struct escape e = { 1, 0 };
        size_t most = i + 1 < s.n && s.p[i + 1] == '0' ? 5 : 4; /* \0NNN of echo */
        while (e.length < most && i + e.length < s.n && s.p[i + e.length] >= '0' && s.p[i + e.length] <= '7')
                e.value = e.value * 8 + (s.p[i + e.length++] - '0');
        return e.length > 2 && e.value < 256 ? e : (struct escape){ 0, 0 };
}

static struct escape braces_at(struct str s, size_t i) /* \u{N...} */
{
        struct escape e = { 3, 0 };
        while (e.length < 9 && i + e.length < s.n && hex_digit(s.p[i + e.length]) >= 0)
                e.value = e.value * 16 + hex_digit(s.p[i + e.length++]);
        bool is_closed = e.length > 3 && i + e.length < s.n && s.p[i + e.length] == '}';
        return is_closed ? (struct escape){ e.length + 1, e.value } : (struct escape){ 0, 0 };
}

static struct escape escape_at(struct str s, size_t i, char intro)
{
        size_t first = i + 1;
        long v = -1;
        if (i >= s.n || s.p[i] != intro || first >= s.n)
                return (struct escape){ 0, 0 };
        if (intro != '\\') {
                v = hex_number(s, first, 2);
                return (struct escape){ v < 0 ? 0 : 3, v };
        }
        if (s.p[first] == 'x' && (v = hex_number(s, first + 1, 2)) >= 0)
                return (struct escape){ 4, v };
        if (s.p[first] == 'u' && (v = hex_number(s, first + 1, 4)) >= 0)
                return (struct escape){ 6, v };
        if (s.p[first] == 'u' && first + 1 < s.n && s.p[first + 1] == '{')
                return braces_at(s, i);
        return octal_at(s, i);
}

/* \n and the like: how many bytes are used. */
static size_t add_simple(struct buf *to, struct str s, size_t i, char intro)
{
        static const char letters[] = "ntrabfve", values[] = "\n\t\r\a\b\f\v\033";
        const char *letter;
        if (intro != '\\' || s.p[i] != '\\' || i + 1 >= s.n) {
                buf_putc(to, s.p[i]);
                return 1;
        }
        letter = memchr(letters, s.p[i + 1], sizeof(letters) - 1);
        buf_putc(to, letter ? values[letter - letters] : s.p[i + 1]);
        return 2;
}

static bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }

/* Where the string that holds s[i] begins: behind a quote not far before it on its line, else at i itself. */
static size_t string_start(struct str s, size_t from, size_t i)
{
        for (size_t k = i; k > from && i - k < ESCAPES_APART && s.p[k - 1] != '\n'; k--)
                if (is_quote(s.p[k - 1]))
                        return k;
        return i;
}

/* Behind the end of a piece of a string at s[i]: where the next piece begins, or 0. */
static size_t next_piece(struct str s, size_t i, char quote, char intro)
{
        for (size_t k = i + 1; k < s.n && k - i <= GLUE_MAX; k++) {
                if (quote && s.p[k] == quote)
                        return k + 1;
                if (!quote && escape_at(s, k, intro).length)
                        return k;
        }
        return 0;
}

/* The string whose first escape stands at s[first]. Returns where it ends. */
static size_t read_escapes(struct unpacking *u, struct str s, size_t from, size_t first, char intro, uint64_t offset)
{
        _cleanup_(buf_done) struct buf to = BUF_INIT(s.n);
        size_t at = string_start(s, from, first), start = at, last = at, n = 0;
        char quote = at > from && is_quote(s.p[at - 1]) ? s.p[at - 1] : 0;
        while (at < s.n && at - last <= ESCAPES_APART) {
                struct escape e = escape_at(s, at, intro);
                if (e.length) {
                        buf_u8(&to, e.value < 256 ? (uint8_t)e.value : '?');
                        last = at += e.length;
                        n++;
                } else if (intro == '=' && s.p[at] == '=' && at + 1 < s.n && s.p[at + 1] == '\n') {
                        at += 2; /* a soft line break; with CR below */
                } else if (intro == '=' && s.p[at] == '=' && at + 2 < s.n && s.p[at + 1] == '\r') {
                        at += 3;
                } else if ((quote && s.p[at] == quote) || (!quote && s.p[at] == '\n' && intro == '\\')) {
                        size_t next = next_piece(s, at, quote, intro);
                        if (!next)
                                break;
                        last = at = next;
                } else {
                        at += add_simple(&to, s, at, intro);
                }
        }
        if (n >= ESCAPES_MIN)
                give(u, intro == '\\' ? "escapes" : intro == '%' ? "percent" : "quoted-printable", offset + start, &to);
        return MAX(at, first + 1);
}

static void find_escapes(struct unpacking *u, struct str s, uint64_t offset, char intro)
{
        for (size_t i = 0, from = 0; i < s.n;) {
                const char *next = memchr(s.p + i, intro, s.n - i);
                if (!next)
                        return;
                i = (size_t)(next - s.p);
                /* Of what is no string most has one escape: nothing is copied before there are two close together. */
                struct escape e = escape_at(s, i, intro);
                size_t behind = i + e.length;
                const char *second = e.length ? memchr(s.p + behind, intro, MIN(s.n - behind, (size_t)GLUE_MAX)) : NULL;
                if (second)
                        i = from = read_escapes(u, s, from, i, intro, offset);
                else
                        i += e.length ? e.length : intro == '\\' ? 2 : 1;
        }
}

/* --- lists of numbers --- */

enum { OTHER, LETTER, HEX_LETTER, DIGIT };

static const uint8_t kinds[256] = { ['0' ... '9'] = DIGIT,
                                    ['A' ... 'F'] = HEX_LETTER,
                                    ['G' ... 'Z'] = LETTER,
                                    ['a' ... 'f'] = HEX_LETTER,
                                    ['g' ... 'z'] = LETTER };

static uint8_t kind_of(char c) { return kinds[(unsigned char)c]; }
static bool is_digit(char c) { return kind_of(c) == DIGIT; }
static bool is_hex(char c) { return kind_of(c) >= HEX_LETTER; }
static bool is_letter(char c) { return kind_of(c) == LETTER || kind_of(c) == HEX_LETTER; }

/* A number as a word of letters and digits: what it is in either way of reading, -1 where it is none. */
struct number {
        long hex, decimal;
        size_t bytes; /* that hex stands for */
};

static struct number number_of(struct str word)
{
        struct number v = { -1, -1, 1 };
        struct str digits = word;
        bool is_marked = false;
        if (word.n > NUMBER_MAX)
                return v;
        if (digits.n > 2 && digits.p[0] == '0' && (digits.p[1] | 0x20) == 'x')
                is_marked = true, digits = str_from(digits, 2);
        else if (digits.n > 1 && (digits.p[0] | 0x20) == 'x') /* &#x23; */
                is_marked = true, digits = str_from(digits, 1);
        if (digits.n == 2 || (digits.n == 1 && is_marked))
                v.hex = hex_number(digits, 0, digits.n);
        if (digits.n == 4 && !is_marked && (v.hex = hex_number(digits, 0, 4)) >= 0)
                v.bytes = 2;
        if (!is_marked && word.n <= 3) {
                v.decimal = 0;
                for (size_t i = 0; i < word.n && v.decimal >= 0; i++)
                        v.decimal = is_digit(word.p[i]) ? v.decimal * 10 + (word.p[i] - '0') : -1;
                if (v.decimal > 255)
                        v.decimal = -1;
        }
        return v;
}

/* What was read of a list so far, and the bytes that it stands for in either way, where they are asked for. */
struct numbers {
        bool may_be_hex, may_be_decimal;
        size_t n, start;
        struct buf *hex, *decimal; /* or NULL */
};

/* Of a word that is longer than WORD_MAX so much that this can be seen. */
static struct str word_at(struct str s, size_t i)
{
        size_t end = i;
        static_assert(WORD_MAX == WORD_BYTES, "a word of letters is a word of the processor");
        if (s.n - i > WORD_MAX) {
                uint64_t word = load_word(s.p + i), others = (letter_bytes(word) | digit_bytes(word)) ^ ALL_BYTES;
                size_t n = others ? bytes_before(others) : WORD_MAX + (kind_of(s.p[i + WORD_MAX]) != OTHER);
                return str_span(s.p + i, n);
        }
        while (end < s.n && end - i <= WORD_MAX && kind_of(s.p[end]))
                end++;
        return str_span(s.p + i, end - i);
}

/* Behind the bytes as characters, which end a line of a dump; s.n if there is no such end. */
static size_t pass_characters(struct str s, size_t i)
{
        const char *end = memchr(s.p + i, '\n', MIN(s.n - i, (size_t)DUMP_LINE_MAX));
        return end ? (size_t)(end - s.p) : s.n;
}

/* dump: the character behind the offset that began this line of a dump, or 0. */
static bool ends_dump(char dump, struct str s, size_t i)
{
        if (dump == ':') /* xxd */
                return i > 0 && s.p[i] == ' ' && s.p[i - 1] == ' ';
        return dump == ' ' && (s.p[i] == '|' || s.p[i] == '>'); /* hexdump -C, od -t x1z */
}

/* What stands between two numbers, from s[i] on: where the next word begins; s.n if none belongs to the list. */
static size_t pass_between(struct str s, size_t i, char *dump)
{
        bool is_new_line = i == 0 || s.p[i - 1] == '\n';
        for (size_t from = i; i < s.n && i - from <= NUMBERS_APART;) {
                if (kind_of(s.p[i])) {
                        struct str word = word_at(s, i);
                        size_t behind = i + word.n;
                        bool is_offset = is_new_line && word.n >= OFFSET_MIN && word.n <= OFFSET_MAX && behind < s.n &&
                                         hex_number(word, 0, word.n) >= 0 && (s.p[behind] == ' ' || s.p[behind] == ':');
                        if (!is_offset)
                                return i;
                        *dump = s.p[behind];
                        is_new_line = false;
                        from = i = behind + 1;
                } else if (ends_dump(*dump, s, i)) {
                        from = i = pass_characters(s, i);
                } else if (s.p[i++] == '\n') {
                        is_new_line = true;
                        *dump = 0;
                }
        }
        return s.n;
}

/*
 * Whether small numbers may be a script or a program: most lists of them are coordinates and indices. Text is; and what
 * begins as programs and compressed files do.
 */
static bool may_be_content(struct str s)
{
        static const struct str magics[] = { STR("\x7f"
                                                 "ELF"),
                                             STR("MZ"),
                                             STR("PK\3\4"),
                                             STR("\x1f\x8b\x08"),
                                             STR("BZh"),
                                             STR("\x78\x9c"),
                                             STR("\x78\xda"),
                                             STR("\xfd"
                                                 "7zXZ"),
                                             STR("\xca\xfe\xba\xbe") };
        size_t n_text = 0;
        for (size_t i = 0; i < s.n; i++)
                n_text += (s.p[i] >= ' ' && s.p[i] < 0x7f) || s.p[i] == '\t' || s.p[i] == '\n' || s.p[i] == '\r';
        for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
                if (str_starts(s, magics[i]))
                        return true;
        return n_text >= s.n - s.n / 16;
}

/* chr(, [char], (byte): a word of letters, and a bracket behind it. */
static bool is_function(struct str s, struct str word, size_t end)
{
        bool is_short = word.n >= 3 && word.n <= WORD_MAX && end < s.n;
        return is_short && (s.p[end] == '(' || s.p[end] == ']' || s.p[end] == ')') && is_letter(word.p[0]) &&
               is_letter(word.p[word.n - 1]);
}

static void take_number(struct numbers *v, const struct number *k, size_t at)
{
        v->may_be_hex = v->may_be_hex && k->hex >= 0;
        v->may_be_decimal = v->may_be_decimal && k->decimal >= 0;
        if (!v->n++)
                v->start = at;
        if (v->hex && v->may_be_hex && k->bytes == 2)
                buf_u8(v->hex, (uint8_t)(k->hex >> 8));
        if (v->hex && v->may_be_hex)
                buf_u8(v->hex, (uint8_t)k->hex);
        if (v->decimal && v->may_be_decimal)
                buf_u8(v->decimal, (uint8_t)k->decimal);
}

/* The list whose first word stands at s[at]. Returns where it ends. */
static size_t walk_numbers(struct str s, size_t at, char dump, struct numbers *v)
{
        size_t end = at;
        bool has_word = false; /* before the number: chr( */
        for (; at < s.n; at = pass_between(s, end, &dump)) {
                struct str word = word_at(s, at);
                struct number k = number_of(word);
                end = at + word.n;
                if ((v->may_be_hex && k.hex >= 0) || (v->may_be_decimal && k.decimal >= 0)) {
                        take_number(v, &k, at);
                        has_word = false;
                } else if (!has_word && is_function(s, word, end)) {
                        has_word = true;
                } else {
                        break;
                }
        }
        return end;
}

/* The list that begins at s[i]. Returns where it ends, or could not begin. */
static size_t read_numbers(struct unpacking *u, struct str s, size_t i, uint64_t offset)
{
        char dump = 0;
        struct numbers v = { true, true, 0, s.n, NULL, NULL };
        size_t at = pass_between(s, i, &dump), end = at < s.n ? walk_numbers(s, at, dump, &v) : i;
        if (v.n < NUMBERS_MIN) /* nearly all of them; nothing is made for these */
                return end;
        struct buf hex = BUF_INIT(s.n), decimal = BUF_INIT(s.n);
        v = (struct numbers){ true, true, 0, s.n, &hex, &decimal };
        (void)walk_numbers(s, at, dump, &v);
        if (v.may_be_hex)
                give(u, "numbers-hex", offset + v.start, &hex);
        if (v.may_be_decimal && may_be_content(buf_str(&decimal)))
                give(u, "numbers", offset + v.start, &decimal);
        buf_done(&hex);
        buf_done(&decimal);
        return end;
}

/*
 * A list of NUMBERS_MIN numbers is much longer than a step and what is looked at together, and has a digit or two in
 * every PROBE_PART bytes.
 */
#define PROBE_PART  16u
#define PROBE_BYTES 40u
#define PROBE_STEP  32u

static bool has_two_digits(const char *p)
{
        static_assert(PROBE_PART == 2 * WORD_BYTES, "a part is two words, whose sets fit into one");
        uint64_t digits = digit_bytes(load_word(p)) | digit_bytes(load_word(p + WORD_BYTES)) >> 1;
        return digits & (digits - 1);
}

static bool may_be_numbers(const char *p)
{
        static const size_t parts[] = { 0, PROBE_PART, PROBE_BYTES - PROBE_PART };
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                if (!has_two_digits(p + parts[i]))
                        return false;
        return true;
}

/* Whether the word of n characters at s[at] is, as nearly all are, no number, no function, and no offset of a dump. */
static bool is_other_word(struct str s, size_t at, size_t n)
{
        char first = s.p[at], last = s.p[at + n - 1], behind = at + n < s.n ? s.p[at + n] : 0;
        bool may_be_number = n <= NUMBER_MAX && is_hex(last) && (is_hex(first) || (first | 0x20) == 'x');
        bool may_be_offset = n >= OFFSET_MIN && is_hex(first) && (behind == ' ' || behind == ':');
        return !may_be_number && !may_be_offset && behind != '(' && behind != ')' && behind != ']';
}

/* From s[at] on: behind what begins no list, or the list. */
static size_t pass_or_read(struct unpacking *u, struct str s, size_t at, uint64_t offset)
{
        size_t word = at;
        while (word < s.n && word - at <= NUMBERS_APART && !kind_of(s.p[word]))
                word++;
        if (word == s.n || word - at > NUMBERS_APART)
                return at + 1;
        size_t n = word_at(s, word).n;
        if (is_other_word(s, word, n))
                return word + n;
        size_t end = read_numbers(u, s, at, offset);
        return MAX(end, at + 1);
}

static void find_numbers(struct unpacking *u, struct str s, uint64_t offset)
{
        for (size_t i = 0, done = 0; i + PROBE_BYTES <= s.n;) {
                if (!may_be_numbers(s.p + i)) {
                        i += PROBE_STEP;
                        continue;
                }
                size_t at = MAX(done, i > PROBE_STEP + PROBE_PART ? i - PROBE_STEP - PROBE_PART : 0);
                while (at < i + PROBE_PART && at < s.n) {
                        while (at > done && at < s.n && kind_of(s.p[at - 1]))
                                at++; /* not from within a word */
                        at = at < s.n ? pass_or_read(u, s, at, offset) : at + 1;
                }
                done = at;
                i = MAX(at, i + PROBE_STEP);
        }
}

/* --- uuencode --- */

/* One line, behind its line end; 0 where it is none. */
static size_t uu_line(struct str s, size_t i, struct buf *to)
{
        size_t bytes = i < s.n ? (unsigned char)(s.p[i] - ' ') & 0x3f : 0, groups = (bytes + 2) / 3;
        if (i >= s.n || s.p[i] <= ' ' || s.p[i] > '`' || bytes > UU_LINE_MAX || s.n - i <= 4 * groups || !bytes)
                return 0;
        for (size_t k = 0; k < groups; k++) {
                uint32_t v = 0;
                for (size_t c = 0; c < 4; c++) {
                        char digit = s.p[i + 1 + 4 * k + c];
                        if (digit < ' ' || digit > '`')
                                return 0;
                        v = v << 6 | ((uint32_t)(digit - ' ') & 0x3f);
                }
                for (size_t c = 0; c < 3 && 3 * k + c < bytes; c++)
                        buf_u8(to, (uint8_t)(v >> (16 - 8 * c)));
        }
        const char *end = memchr(s.p + i, '\n', s.n - i);
        return end ? (size_t)(end - s.p) + 1 : s.n;
}

void decode_uu(struct unpacking *u, const struct content_window *w, size_t at)
{
        struct str s = w->bytes;
        _cleanup_(buf_done) struct buf to = BUF_INIT(s.n);
        const char *end = memchr(s.p + at, '\n', MIN(s.n - at, (size_t)ESCAPES_APART * 4));
        size_t i = end ? (size_t)(end - s.p) + 1 : s.n, next;
        while ((next = uu_line(s, i, &to)))
                i = next;
        give(u, "uuencode", w->offset + at, &to);
        if (i == s.n && !w->is_last)
                content_incomplete(u->open, "too-large", "uuencode: only its beginning was decoded");
}

void decode_escapes(struct unpacking *u, struct str s, uint64_t offset)
{
        find_escapes(u, s, offset, '\\');
        find_escapes(u, s, offset, '%');
        find_escapes(u, s, offset, '=');
        find_numbers(u, s, offset);
}
