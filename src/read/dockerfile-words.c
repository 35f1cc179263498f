/*
 * Dockerfiles, the arguments of one instruction: the JSON form, words between blanks, NAME=VALUE pairs, plain text, and
 * the <<NAME words of heredocs. See dockerfile.h. What begins like JSON but is none is no mistake to BuildKit: it is
 * the other form.
 */
#include "read/dockerfile-internal.h"

enum form {
        FORM_NONE,
        FORM_WORDS,         /* between blanks, no quotes */
        FORM_PLAIN,         /* all of it is one word */
        FORM_PAIRS,         /* NAME=VALUE with quotes, or the old NAME VALUE */
        FORM_NAMES,         /* NAME or NAME=VALUE */
        FORM_JSON_OR_SHELL, /* a command */
        FORM_JSON_OR_WORDS,
        FORM_JSON,
        FORM_HEALTH, /* NONE, or CMD and a command */
};

static const enum form forms[] = {
        [DOCKERFILE_ADD] = FORM_JSON_OR_WORDS,
        [DOCKERFILE_ARG] = FORM_NAMES,
        [DOCKERFILE_CMD] = FORM_JSON_OR_SHELL,
        [DOCKERFILE_COPY] = FORM_JSON_OR_WORDS,
        [DOCKERFILE_ENTRYPOINT] = FORM_JSON_OR_SHELL,
        [DOCKERFILE_ENV] = FORM_PAIRS,
        [DOCKERFILE_EXPOSE] = FORM_WORDS,
        [DOCKERFILE_FROM] = FORM_WORDS,
        [DOCKERFILE_HEALTHCHECK] = FORM_HEALTH,
        [DOCKERFILE_LABEL] = FORM_PAIRS,
        [DOCKERFILE_MAINTAINER] = FORM_PLAIN,
        [DOCKERFILE_ONBUILD] = FORM_NONE,
        [DOCKERFILE_RUN] = FORM_JSON_OR_SHELL,
        [DOCKERFILE_SHELL] = FORM_JSON,
        [DOCKERFILE_STOPSIGNAL] = FORM_PLAIN,
        [DOCKERFILE_USER] = FORM_PLAIN,
        [DOCKERFILE_VOLUME] = FORM_JSON_OR_WORDS,
        [DOCKERFILE_WORKDIR] = FORM_PLAIN,
};

VEC_TYPE(words, struct dockerfile_word);

static void add_word(struct dockerfile_reader *r, struct words *words, struct dockerfile_word w)
{
        if (budget_items(&r->words, 1))
                *vec_push(words) = w;
}

/* The words move into the arena. */
static void keep_words(struct dockerfile_reader *r, struct dockerfile_instruction *i, struct words *words)
{
        i->words = arena_array(r->arena, words->n, sizeof(*words->v));
        i->n_words = words->n;
        if (words->n)
                memcpy(i->words, words->v, words->n * sizeof(*words->v));
        vec_done(words);
}

static size_t skip(struct str s, size_t at)
{
        while (at < s.n && dockerfile_is_blank(s.p[at]))
                at++;
        return at;
}

static size_t skip_word(struct str s, size_t at)
{
        while (at < s.n && !dockerfile_is_blank(s.p[at]))
                at++;
        return at;
}

/* --- JSON --- */

static void put_utf8(struct buf *b, uint32_t c)
{
        if (c < 0x80) {
                buf_u8(b, (uint8_t)c);
        } else if (c < 0x800) {
                buf_u8(b, (uint8_t)(0xc0 | c >> 6));
                buf_u8(b, (uint8_t)(0x80 | (c & 0x3f)));
        } else {
                buf_u8(b, (uint8_t)(0xe0 | c >> 12));
                buf_u8(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
                buf_u8(b, (uint8_t)(0x80 | (c & 0x3f)));
        }
}

/* One escape, whose letter stands at *at. Surrogates are kept as U+FFFD: no command has them. */
static bool json_escape(struct str s, size_t *at, struct buf *ret)
{
        static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
        uint8_t two[2];
        const char *known = s.p[*at] ? strchr(from, s.p[*at]) : NULL;
        if (known) {
                buf_putc(ret, to[known - from]);
                return true;
        }
        if (s.p[*at] != 'u' || s.n - *at < 5 || !str_hex(str_upto(str_from(s, *at + 1), 4), 2, two))
                return false;
        uint32_t c = (uint32_t)two[0] << 8 | two[1];
        put_utf8(ret, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
        *at += 4;
        return true;
}

/* A string whose first quote stands at *at; *at becomes what follows its last one. */
static bool json_string(struct dockerfile_reader *r, struct str s, size_t *at, struct str *ret)
{
        struct buf text = BUF_INIT(DOCKERFILE_MAX);
        for (size_t k = *at + 1; k < s.n; k++) {
                if (s.p[k] == '"') {
                        *at = k + 1;
                        *ret = arena_str(r->arena, buf_str(&text));
                        buf_done(&text);
                        return true;
                }
                if ((uint8_t)s.p[k] < 0x20)
                        break;
                if (s.p[k] != '\\')
                        buf_putc(&text, s.p[k]);
                else if (++k >= s.n || !json_escape(s, &k, &text))
                        break;
        }
        buf_done(&text);
        return false;
}

/* ["a", "b"] and nothing else, from `at` to the end of the line. False: it is not that. */
static bool read_json(struct dockerfile_reader *r, struct dockerfile_instruction *i, size_t at)
{
        struct str s = i->line_text.text;
        struct words words = { 0 };
        bool good = false, expects_string = false;
        if (at >= s.n || s.p[at] != '[')
                return false;
        for (at = skip(s, at + 1); at < s.n; at = skip(s, at)) {
                if (s.p[at] == ']' && !expects_string) {
                        good = skip(s, at + 1) == s.n;
                        break;
                }
                size_t from = at;
                struct str value;
                if (s.p[at] != '"' || !json_string(r, s, &at, &value))
                        break;
                struct dockerfile_word w = dockerfile_word_at(i, from, at);
                w.value = value;
                add_word(r, &words, w);
                at = skip(s, at);
                expects_string = at < s.n && s.p[at] == ',';
                if (expects_string)
                        at++;
                else if (at < s.n && s.p[at] != ']')
                        break;
        }
        if (good)
                keep_words(r, i, &words);
        vec_done(&words);
        i->is_exec = good;
        return good;
}

/* --- words --- */

static void read_words(struct dockerfile_reader *r, struct dockerfile_instruction *i)
{
        struct str s = i->line_text.text;
        struct words words = { 0 };
        for (size_t at = skip(s, i->arguments_at), end; at < s.n && !r->words.over; at = skip(s, end)) {
                end = skip_word(s, at);
                add_word(r, &words, dockerfile_word_at(i, at, end));
        }
        keep_words(r, i, &words);
}

static size_t trimmed_end(struct str s)
{
        while (s.n && dockerfile_is_blank(s.p[s.n - 1]))
                s.n--;
        return s.n;
}

static void read_plain(struct dockerfile_reader *r, struct dockerfile_instruction *i)
{
        struct words words = { 0 };
        size_t end = trimmed_end(i->line_text.text);
        if (end > i->arguments_at)
                add_word(r, &words, dockerfile_word_at(i, i->arguments_at, end));
        keep_words(r, i, &words);
}

/* The end of a word in which quotes and escapes hide blanks. */
static size_t quoted_end(struct dockerfile_reader *r, struct str s, size_t at)
{
        char quote = 0;
        for (; at < s.n; at++) {
                char c = s.p[at];
                if (c == r->d->escape && quote != '\'')
                        at++;
                else if (quote)
                        quote = c == quote ? 0 : quote;
                else if (c == '"' || c == '\'')
                        quote = c;
                else if (dockerfile_is_blank(c))
                        return at;
        }
        return s.n;
}

VEC_TYPE(pairs, struct dockerfile_pair);

static struct dockerfile_pair pair_of(const struct dockerfile_instruction *i, size_t from, size_t to)
{
        struct str text = str_from(str_upto(i->line_text.text, to), from);
        ptrdiff_t equals = str_find_char(text, '=');
        size_t name_end = equals < 0 ? to : from + (size_t)equals;
        return (struct dockerfile_pair){ .name = dockerfile_word_at(i, from, name_end),
                                         .value = dockerfile_word_at(i, equals < 0 ? to : name_end + 1, to),
                                         .has_value = equals >= 0 };
}

static void read_pairs(struct dockerfile_reader *r, struct dockerfile_instruction *i)
{
        struct str s = i->line_text.text;
        struct pairs pairs = { 0 };
        bool is_arg = i->keyword == DOCKERFILE_ARG;
        for (size_t at = skip(s, i->arguments_at), end; at < s.n && budget_items(&r->words, 1); at = skip(s, end)) {
                end = quoted_end(r, s, at);
                struct dockerfile_pair p = pair_of(i, at, end);
                if (!is_arg && !p.has_value && !pairs.n) { /* the old form: one name, all of the rest is its value */
                        size_t value = skip(s, end);
                        end = MAX(trimmed_end(s), value);
                        p.value = dockerfile_word_at(i, value, end);
                        p.has_value = value < end;
                        if (!p.has_value)
                                dockerfile_problem(r, p.name.offset, "a name without a value");
                        end = s.n;
                } else if (!is_arg && !p.has_value) {
                        dockerfile_problem(r, p.name.offset, "this is not NAME=VALUE");
                }
                *vec_push(&pairs) = p;
        }
        i->pairs = arena_array(r->arena, pairs.n, sizeof(*pairs.v));
        i->n_pairs = pairs.n;
        if (pairs.n)
                memcpy(i->pairs, pairs.v, pairs.n * sizeof(*pairs.v));
        vec_done(&pairs);
}

static void read_health(struct dockerfile_reader *r, struct dockerfile_instruction *i)
{
        struct str s = i->line_text.text;
        size_t end = skip_word(s, i->arguments_at);
        struct dockerfile_word type = dockerfile_word_at(i, i->arguments_at, end);
        bool is_command = str_eq_nocase(type.text, STR("CMD"));
        if (is_command && !read_json(r, i, skip(s, end)))
                i->command_at = skip(s, end);
        if (!is_command && !str_eq_nocase(type.text, STR("NONE")) && type.text.n)
                dockerfile_problem(r, type.offset, "HEALTHCHECK takes NONE, or CMD and a command");
        if (i->is_exec) /* the command's words, as with CMD */
                return;
        struct words words = { 0 };
        if (type.text.n)
                add_word(r, &words, type);
        keep_words(r, i, &words);
}

void dockerfile_read_arguments(struct dockerfile_reader *r, struct dockerfile_instruction *i)
{
        enum form form = forms[i->keyword];
        bool may_be_json = form == FORM_JSON || form == FORM_JSON_OR_SHELL || form == FORM_JSON_OR_WORDS;
        if (skip(i->line_text.text, i->arguments_at) == i->line_text.text.n) {
                if (form != FORM_NONE)
                        dockerfile_problem(r, i->offset, "an instruction without arguments");
                return;
        }
        if (may_be_json && read_json(r, i, i->arguments_at))
                return;
        switch (form) {
        case FORM_WORDS:
        case FORM_JSON_OR_WORDS:
                read_words(r, i);
                break;
        case FORM_PLAIN:
                read_plain(r, i);
                break;
        case FORM_PAIRS:
        case FORM_NAMES:
                read_pairs(r, i);
                break;
        case FORM_JSON_OR_SHELL:
                i->command_at = i->arguments_at;
                break;
        case FORM_HEALTH:
                read_health(r, i);
                break;
        case FORM_JSON:
                dockerfile_problem(r, i->offset, "SHELL takes a JSON list of strings");
                break;
        case FORM_NONE:
                break;
        }
}

/* --- heredocs --- */

/* [fd]<<[-]NAME, where quotes around any part of NAME turn expansion off. */
static bool heredoc_of(struct dockerfile_reader *r, struct str word, struct dockerfile_heredoc *ret)
{
        while (word.n && word.p[0] >= '0' && word.p[0] <= '9')
                word = str_from(word, 1);
        if (!str_starts(word, STR("<<")))
                return false;
        word = str_from(word, 2);
        *ret = (struct dockerfile_heredoc){ .strips_tabs = str_starts(word, STR("-")) };
        word = str_from(word, ret->strips_tabs);
        if (!word.n || str_find_char(word, '<') >= 0)
                return false;
        struct buf name = BUF_INIT(DOCKERFILE_MAX);
        char quote = 0;
        for (size_t k = 0; k < word.n; k++) {
                char c = word.p[k];
                if (c == r->d->escape && quote != '\'' && k + 1 < word.n) {
                        buf_putc(&name, word.p[++k]);
                        ret->is_quoted = true;
                } else if (quote ? c == quote : c == '"' || c == '\'') {
                        quote = quote ? 0 : c;
                        ret->is_quoted = true;
                } else {
                        buf_putc(&name, c);
                }
        }
        ret->name = arena_str(r->arena, buf_str(&name));
        buf_done(&name);
        return ret->name.n && !quote;
}

void dockerfile_find_heredocs(struct dockerfile_reader *r, struct dockerfile_instruction *i)
{
        struct str s = i->line_text.text;
        struct dockerfile_heredoc found[DOCKERFILE_HEREDOCS_MAX];
        size_t n = 0;
        if (str_find(s, STR("<<")) < 0)
                return;
        for (size_t at = skip(s, i->arguments_at), end; at < s.n; at = skip(s, end)) {
                struct dockerfile_heredoc h;
                end = quoted_end(r, s, at);
                if (!heredoc_of(r, str_from(str_upto(s, end), at), &h))
                        continue;
                h.offset = dockerfile_offset(&i->line_text, at);
                if (n == DOCKERFILE_HEREDOCS_MAX) {
                        dockerfile_problem(r, h.offset, "more than 64 heredocs in one instruction");
                        break;
                }
                found[n++] = h;
        }
        i->heredocs = arena_array(r->arena, n, sizeof(*found));
        i->n_heredocs = n;
        if (n)
                memcpy(i->heredocs, found, n * sizeof(*found));
}
