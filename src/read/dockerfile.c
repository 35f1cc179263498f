/*
 * Dockerfiles, the lines: directives, comments, continuations, keywords, flags, heredocs. See dockerfile.h.
 *
 * A line is joined from physical lines as BuildKit does it: the escape character ends a line that goes on, unless
 * another one stands before it; within, comment lines and empty lines vanish; the first line loses its indentation.
 */
#include "read/dockerfile-internal.h"

#include "base/utf8.h"

static const char *const keyword_names[] = {
        [DOCKERFILE_UNKNOWN] = "",        [DOCKERFILE_ADD] = "ADD",
        [DOCKERFILE_ARG] = "ARG",         [DOCKERFILE_CMD] = "CMD",
        [DOCKERFILE_COPY] = "COPY",       [DOCKERFILE_ENTRYPOINT] = "ENTRYPOINT",
        [DOCKERFILE_ENV] = "ENV",         [DOCKERFILE_EXPOSE] = "EXPOSE",
        [DOCKERFILE_FROM] = "FROM",       [DOCKERFILE_HEALTHCHECK] = "HEALTHCHECK",
        [DOCKERFILE_LABEL] = "LABEL",     [DOCKERFILE_MAINTAINER] = "MAINTAINER",
        [DOCKERFILE_ONBUILD] = "ONBUILD", [DOCKERFILE_RUN] = "RUN",
        [DOCKERFILE_SHELL] = "SHELL",     [DOCKERFILE_STOPSIGNAL] = "STOPSIGNAL",
        [DOCKERFILE_USER] = "USER",       [DOCKERFILE_VOLUME] = "VOLUME",
        [DOCKERFILE_WORKDIR] = "WORKDIR",
};

const char *dockerfile_keyword_name(enum dockerfile_keyword k) { return keyword_names[k]; }

void dockerfile_problem(struct dockerfile_reader *r, size_t offset, const char *why)
{
        struct dockerfile *d = r->d;
        if (d->n_problems < DOCKERFILE_PROBLEMS_MAX)
                d->problems[d->n_problems++] = (struct dockerfile_problem){ why, offset };
}

/* --- places --- */

static void find_lines(struct dockerfile *d, struct arena *arena)
{
        size_t n = 1, k = 0;
        for (size_t i = 0; i < d->bytes.n; i++)
                n += d->bytes.p[i] == '\n';
        size_t *starts = arena_array(arena, n, sizeof(*starts));
        starts[k++] = 0;
        for (size_t i = 0; i < d->bytes.n; i++)
                if (d->bytes.p[i] == '\n')
                        starts[k++] = i + 1;
        d->line_starts = starts;
        d->n_lines = n;
        d->mark = arena_new(arena, struct dockerfile_mark);
}

void dockerfile_place(const struct dockerfile *d, size_t offset, uint32_t *ret_line, uint32_t *ret_column)
{
        size_t low = 0, high = d->n_lines;
        offset = MIN(offset, d->bytes.n);
        while (high - low > 1) {
                size_t middle = low + (high - low) / 2;
                if (d->line_starts[middle] <= offset)
                        low = middle;
                else
                        high = middle;
        }
        bool goes_on = d->mark->line == low + 1 && d->mark->offset <= offset;
        uint32_t column = goes_on ? d->mark->column : 1, c;
        for (size_t at = goes_on ? d->mark->offset : d->line_starts[low]; at < offset; column++) {
                size_t n = utf8_decode(str_from(d->bytes, at), &c);
                at += n ? n : 1;
        }
        *d->mark = (struct dockerfile_mark){ offset, (uint32_t)low + 1, column };
        *ret_line = (uint32_t)low + 1;
        *ret_column = column;
}

size_t dockerfile_offset(const struct dockerfile_text *t, size_t at)
{
        size_t low = 0, high = t->n_parts;
        if (!high)
                return 0;
        bool is_end = at >= t->text.n && at; /* the end lies behind the last byte, not before what follows it */
        at -= is_end;
        while (high - low > 1) {
                size_t middle = low + (high - low) / 2;
                if (t->parts[middle].at <= at)
                        low = middle;
                else
                        high = middle;
        }
        return t->parts[low].offset + (at - t->parts[low].at) + is_end;
}

struct dockerfile_word dockerfile_word_at(const struct dockerfile_instruction *i, size_t from, size_t to)
{
        const struct dockerfile_text *t = &i->line_text;
        struct str text = str_from(str_upto(t->text, to), from);
        size_t offset = dockerfile_offset(t, from);
        return (struct dockerfile_word){ .text = text,
                                         .value = text,
                                         .is_known = true,
                                         .offset = offset,
                                         .end = text.n ? dockerfile_offset(t, to - 1) + 1 : offset };
}

/* --- lines --- */

struct physical {
        size_t from, to; /* without the newline */
};

static bool next_line(struct dockerfile_reader *r, struct physical *ret)
{
        struct str bytes = r->d->bytes;
        if (r->at >= bytes.n)
                return false;
        ptrdiff_t n = str_find_char(str_from(bytes, r->at), '\n');
        ret->from = r->at;
        ret->to = n < 0 ? bytes.n : r->at + (size_t)n;
        r->at = n < 0 ? bytes.n : ret->to + 1;
        r->line++;
        while (ret->to > ret->from && bytes.p[ret->to - 1] == '\r')
                ret->to--;
        return true;
}

static size_t skip_blanks(struct str s, size_t at, size_t end)
{
        while (at < end && dockerfile_is_blank(s.p[at]))
                at++;
        return at;
}

static bool is_comment(const struct dockerfile *d, const struct physical *l)
{
        size_t at = skip_blanks(d->bytes, l->from, l->to);
        return at < l->to && d->bytes.p[at] == '#';
}

static void add_comment(struct dockerfile_reader *r, const struct physical *l, bool is_inside)
{
        size_t at = skip_blanks(r->d->bytes, l->from, l->to);
        *vec_push(&r->comments) = (struct dockerfile_comment){ .text = str_from(str_upto(r->d->bytes, l->to), at),
                                                               .offset = at,
                                                               .line = r->line - 1,
                                                               .is_inside = is_inside };
}

/* Without its continuation mark; true if it has one: an escape at the end that no other escape stands before. */
static bool cut_continuation(const struct dockerfile *d, struct physical *l)
{
        size_t end = l->to;
        while (end > l->from && (d->bytes.p[end - 1] == ' ' || d->bytes.p[end - 1] == '\t'))
                end--;
        if (end == l->from || d->bytes.p[end - 1] != d->escape)
                return false;
        if (end - 1 > l->from && d->bytes.p[end - 2] == d->escape)
                return false;
        l->to = end - 1;
        return true;
}

static void join(struct dockerfile_reader *r, size_t from, size_t to)
{
        if (from == to)
                return;
        *vec_push(&r->parts) = (struct dockerfile_part){ r->joined.n, from };
        buf_add(&r->joined, r->d->bytes.p + from, to - from);
}

/* Joins the lines that the first one goes on in. Returns the end of the last one that belongs to it. */
static size_t join_lines(struct dockerfile_reader *r, struct physical first, uint32_t *ret_line)
{
        buf_clear(&r->joined);
        vec_clear(&r->parts);
        size_t end = first.to;
        *ret_line = r->line - 1;
        bool more = cut_continuation(r->d, &first);
        join(r, skip_blanks(r->d->bytes, first.from, first.to), first.to);
        struct physical l;
        while (more && next_line(r, &l)) {
                if (is_comment(r->d, &l)) {
                        add_comment(r, &l, true);
                        continue;
                }
                if (skip_blanks(r->d->bytes, l.from, l.to) == l.to)
                        continue;
                end = l.to;
                *ret_line = r->line - 1;
                more = cut_continuation(r->d, &l);
                join(r, l.from, l.to);
        }
        return end;
}

/* --- directives --- */

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* "# key = value" as one of the first lines. False: it is none, and so are all that follow. */
static bool read_directive(struct dockerfile_reader *r, const struct physical *l)
{
        struct str rest = str_trim(str_from(str_upto(r->d->bytes, l->to), l->from));
        if (!str_starts(rest, STR("#")) || str_find_char(rest, '=') < 0)
                return false;
        struct str value = str_from(rest, 1), key = str_trim(str_cut(&value, '='));
        value = str_trim(value);
        if (!key.n || !is_letter(key.p[0]) || !value.n)
                return false;
        for (size_t i = 0; i < key.n; i++)
                if (!is_letter(key.p[i]) && !(key.p[i] >= '0' && key.p[i] <= '9'))
                        return false;
        if (str_eq_nocase(key, STR("syntax"))) {
                r->d->syntax = value;
        } else if (str_eq_nocase(key, STR("escape"))) {
                if (str_is(value, "`") || str_is(value, "\\"))
                        r->d->escape = value.p[0];
                else
                        dockerfile_problem(r, l->from, "the escape directive allows only ` and \\");
        } else if (!str_eq_nocase(key, STR("check"))) {
                return false;
        }
        return true;
}

/* --- one instruction --- */

static enum dockerfile_keyword keyword_find(struct str name)
{
        for (size_t k = 1; k < ARRAY_SIZE(keyword_names); k++)
                if (str_eq_nocase(name, str_of(keyword_names[k])))
                        return (enum dockerfile_keyword)k;
        return DOCKERFILE_UNKNOWN;
}

static size_t word_end(struct str s, size_t at)
{
        while (at < s.n && !dockerfile_is_blank(s.p[at]))
                at++;
        return at;
}

/* The keyword at `at` in the joined line; returns where its arguments begin. */
static size_t read_keyword(struct dockerfile_instruction *i, size_t at)
{
        struct str text = i->line_text.text;
        size_t end = word_end(text, at);
        i->name = dockerfile_word_at(i, at, end);
        i->keyword = keyword_find(i->name.text);
        return skip_blanks(text, end, text.n);
}

/* The end of a flag, which may have quotes and escapes in it; *ret_value is its text without them. */
static size_t flag_end(struct dockerfile_reader *r, struct str s, size_t at, struct str *ret_text)
{
        struct buf text = BUF_INIT(DOCKERFILE_MAX);
        char quote = 0;
        for (; at < s.n; at++) {
                char c = s.p[at];
                if (!quote && dockerfile_is_blank(c))
                        break;
                if (c == r->d->escape && at + 1 < s.n) {
                        buf_putc(&text, s.p[++at]);
                } else if (quote ? c == quote : c == '"' || c == '\'') {
                        quote = quote ? 0 : c;
                } else {
                        buf_putc(&text, c);
                }
        }
        *ret_text = arena_str(r->arena, buf_str(&text));
        buf_done(&text);
        return at;
}

static void read_flags(struct dockerfile_reader *r, struct dockerfile_instruction *i)
{
        struct str s = i->line_text.text;
        VEC(struct dockerfile_flag) flags = { 0 };
        while (str_starts(str_from(s, i->arguments_at), STR("--")) && budget_items(&r->words, 1)) {
                size_t from = i->arguments_at, end;
                struct str text;
                end = flag_end(r, s, from, &text);
                i->arguments_at = skip_blanks(s, end, s.n);
                if (text.n == 2) /* "--" ends them */
                        break;
                struct dockerfile_flag *f = vec_push(&flags);
                ptrdiff_t raw_equals = str_find_char(str_from(str_upto(s, end), from), '=');
                size_t name_end = raw_equals < 0 ? end : from + (size_t)raw_equals;
                struct str value = str_from(text, 2), name = str_cut(&value, '=');
                f->has_value = raw_equals >= 0;
                f->name = dockerfile_word_at(i, from, name_end);
                f->name.value = name;
                f->value = dockerfile_word_at(i, f->has_value ? name_end + 1 : end, end);
                f->value.value = value;
        }
        i->flags = arena_array(r->arena, flags.n, sizeof(*flags.v));
        i->n_flags = flags.n;
        if (flags.n)
                memcpy(i->flags, flags.v, flags.n * sizeof(*flags.v));
        vec_done(&flags);
}

/* The lines of a heredoc, up to its name. */
static void read_heredoc(struct dockerfile_reader *r, struct dockerfile_instruction *i, struct dockerfile_heredoc *h)
{
        size_t from = r->at, to = r->at;
        struct physical l;
        while (next_line(r, &l)) {
                struct str text = str_from(str_upto(r->d->bytes, l.to), l.from);
                while (h->strips_tabs && text.n && text.p[0] == '\t')
                        text = str_from(text, 1);
                i->end = l.to;
                i->end_line = r->line - 1;
                if (str_eq(text, h->name)) {
                        struct dockerfile_part *part = arena_new(r->arena, struct dockerfile_part);
                        part->offset = from;
                        h->body = (struct dockerfile_text){ str_from(str_upto(r->d->bytes, to), from), part, 1 };
                        return;
                }
                to = r->at;
        }
        dockerfile_problem(r, h->offset, "the heredoc that begins here has no end");
        struct dockerfile_part *part = arena_new(r->arena, struct dockerfile_part);
        part->offset = from;
        h->body = (struct dockerfile_text){ str_from(str_upto(r->d->bytes, to), from), part, 1 };
}

static void read_trigger(struct dockerfile_reader *r, struct dockerfile_instruction *i)
{
        if (i->keyword != DOCKERFILE_ONBUILD)
                return;
        i->is_onbuild = true;
        if (i->arguments_at == i->line_text.text.n)
                dockerfile_problem(r, i->offset, "ONBUILD without an instruction");
        else
                i->arguments_at = read_keyword(i, i->arguments_at);
}

static void read_instruction(struct dockerfile_reader *r, struct physical first)
{
        struct dockerfile_instruction *i = vec_push(&r->instructions);
        *i = (struct dockerfile_instruction){ .line = r->line - 1,
                                              .command_at = DOCKERFILE_NONE,
                                              .stage = r->stages.n ? r->stages.n - 1 : DOCKERFILE_NONE };
        i->offset = skip_blanks(r->d->bytes, first.from, first.to);
        uint32_t last_line;
        i->end = join_lines(r, first, &last_line);
        struct dockerfile_part *parts = arena_array(r->arena, r->parts.n, sizeof(*parts));
        if (r->parts.n)
                memcpy(parts, r->parts.v, r->parts.n * sizeof(*parts));
        i->line_text = (struct dockerfile_text){ arena_str(r->arena, buf_str(&r->joined)), parts, r->parts.n };
        i->end_line = last_line;
        i->arguments_at = read_keyword(i, 0);
        read_trigger(r, i);
        if (i->keyword == DOCKERFILE_UNKNOWN) {
                dockerfile_problem(r, i->name.offset, "this is no instruction");
                return;
        }
        read_flags(r, i);
        if (i->keyword == DOCKERFILE_RUN || i->keyword == DOCKERFILE_COPY || i->keyword == DOCKERFILE_ADD) {
                dockerfile_find_heredocs(r, i);
                for (size_t k = 0; k < i->n_heredocs; k++)
                        read_heredoc(r, i, &i->heredocs[k]);
        }
        dockerfile_read_arguments(r, i);
        dockerfile_evaluate(r, i);
}

/* --- the whole --- */

static void cut(struct dockerfile_reader *r, const char *why)
{
        dockerfile_problem(r, r->at, why);
        r->d->is_cut = true;
        r->at = r->d->bytes.n;
}

static void read_lines(struct dockerfile_reader *r)
{
        struct physical l;
        bool may_direct = true;
        if (str_starts(r->d->bytes, STR("\xef\xbb\xbf")))
                r->at = 3;
        while (next_line(r, &l)) {
                may_direct = may_direct && read_directive(r, &l);
                if (is_comment(r->d, &l)) {
                        if (!may_direct)
                                add_comment(r, &l, false);
                        continue;
                }
                struct physical one = l;
                if (skip_blanks(r->d->bytes, l.from, l.to) == l.to)
                        continue;
                /* A line of nothing but a continuation mark is no line. */
                if (cut_continuation(r->d, &one) && skip_blanks(r->d->bytes, one.from, one.to) == one.to)
                        continue;
                if (r->instructions.n == DOCKERFILE_INSTRUCTIONS_MAX) {
                        cut(r, "more than 20,000 instructions: the rest was not read");
                        return;
                }
                read_instruction(r, l);
                if (r->words.over) {
                        cut(r, "more than 200,000 words: the rest was not read");
                        return;
                }
                if (r->stages.n > DOCKERFILE_STAGES_MAX) {
                        cut(r, "more than 1,000 stages: the rest was not read");
                        return;
                }
        }
}

static void *keep(struct arena *arena, const void *v, size_t n, size_t size)
{
        void *kept = arena_array(arena, n, size);
        return n ? memcpy(kept, v, n * size) : kept;
}

void dockerfile_read(struct str bytes, struct arena *arena, struct dockerfile *ret)
{
        *ret = (struct dockerfile){ .bytes = bytes, .escape = '\\' };
        struct dockerfile_reader r = { .d = ret,
                                       .arena = arena,
                                       .line = 1,
                                       .joined = BUF_INIT(DOCKERFILE_MAX),
                                       .words = { .items = DOCKERFILE_WORDS_MAX },
                                       .expanded = { .bytes = DOCKERFILE_EXPANDED_MAX },
                                       .steps = { .items = 50000000 },
                                       .globals = { .is_complete = true } };
        if (bytes.n > DOCKERFILE_MAX) {
                ret->bytes = STR_NONE;
                cut(&r, "larger than 4 MiB: not read");
        }
        find_lines(ret, arena);
        read_lines(&r);
        if (!r.stages.n && !ret->is_cut)
                dockerfile_problem(&r, 0, "there is no FROM");
        ret->n_instructions = r.instructions.n;
        ret->instructions = keep(arena, r.instructions.v, r.instructions.n, sizeof(*r.instructions.v));
        ret->n_stages = r.stages.n;
        ret->stages = keep(arena, r.stages.v, r.stages.n, sizeof(*r.stages.v));
        ret->n_comments = r.comments.n;
        ret->comments = keep(arena, r.comments.v, r.comments.n, sizeof(*r.comments.v));
        dockerfile_scopes_done(&r);
        vec_done(&r.instructions);
        vec_done(&r.stages);
        vec_done(&r.comments);
        vec_done(&r.parts);
        buf_done(&r.joined);
}

const struct dockerfile_flag *dockerfile_flag(const struct dockerfile_instruction *i, const char *name)
{
        for (size_t k = i->n_flags; k-- > 0;)
                if (str_is(i->flags[k].name.value, name))
                        return &i->flags[k];
        return NULL;
}

size_t dockerfile_stage_named(const struct dockerfile *d, struct str name, size_t before)
{
        for (size_t k = MIN(before, d->n_stages); k-- > 0;)
                if (d->stages[k].name.text.n && str_eq_nocase(d->stages[k].name.text, name))
                        return k;
        return DOCKERFILE_NONE;
}

size_t dockerfile_stage_of_copy(const struct dockerfile *d, struct str name, size_t before)
{
        uint64_t n;
        size_t named = dockerfile_stage_named(d, name, before);
        if (named != DOCKERFILE_NONE || !str_u64(name, &n))
                return named;
        return n < MIN(before, d->n_stages) ? (size_t)n : DOCKERFILE_NONE;
}
