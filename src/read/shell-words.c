/*
 * Shell scripts into simple commands; see shell-words.h. One pass over the text. Only substitutions recurse, to a fixed
 * depth; what they took is not read again. The first thing that cannot be understood ends the reading.
 */
#include "read/shell-words.h"

#include "base/buf.h"
#include "base/vec.h"

struct building { /* the simple command that is being read */
        VEC(struct shell_word) words;
        VEC(struct shell_word) assignments;
        VEC(struct shell_redirect) redirects;
        size_t offset;
};

struct parser {
        struct str s;
        struct arena *arena;
        struct shell_script *script;
        VEC(struct shell_command) commands;
        size_t at, n_words;
        uint32_t pipelines;
        struct shell_redirect *pending[SHELL_HEREDOCS_MAX]; /* heredocs whose bodies follow the line */
        size_t n_pending;
};

struct list { /* commands up to an end or a closing parenthesis */
        struct building b;
        size_t end, last; /* last: index of the command before, or SIZE_MAX */
        bool has_closer;
        unsigned depth, open; /* open: parentheses of subshells */
        unsigned cases;
        bool expects_pattern, is_after_compound;
        enum shell_join join;
        uint32_t pipeline, position;
};

static void fail(struct parser *p, size_t at, const char *why)
{
        if (p->script->why)
                return;
        p->script->why = why;
        p->script->why_offset = at;
}

static char peek(const struct parser *p, size_t at) { return at < p->s.n ? p->s.p[at] : 0; }

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

static bool ends_word(char c)
{
        return is_blank(c) || c == '\n' || c == ';' || c == '&' || c == '|' || c == '<' || c == '>' || c == '(' ||
               c == ')';
}

static void read_list(struct parser *p, size_t end, bool has_closer, unsigned depth);

/* --- words --- */

static void substitution(struct parser *p, size_t from, size_t end, unsigned depth)
{
        if (depth >= SHELL_DEPTH_MAX) {
                fail(p, from, "substitutions nested deeper than 24");
                return;
        }
        p->at = from;
        read_list(p, end, true, depth + 1);
        if (peek(p, p->at) != ')' || p->at >= end)
                fail(p, from, "a substitution without its closing parenthesis");
        else
                p->at++;
}

/* `...`: up to the next backtick that no backslash stands before. */
static void backticks(struct parser *p, size_t end, unsigned depth)
{
        size_t from = p->at + 1, to = from;
        while (to < end && p->s.p[to] != '`')
                to += p->s.p[to] == '\\' ? 2 : 1;
        if (to >= end) {
                fail(p, p->at, "a backtick without its partner");
                return;
        }
        if (depth >= SHELL_DEPTH_MAX)
                fail(p, from, "substitutions nested deeper than 24");
        p->at = from;
        if (!p->script->why)
                read_list(p, to, false, depth + 1);
        p->at = to + 1;
}

/* ${...} and $((...)): skipped up to the closing bytes; quotes and nesting count. */
static void skip_nested(struct parser *p, size_t end, char open, char close)
{
        size_t start = p->at, depth = 0;
        char quote = 0;
        for (; p->at < end; p->at++) {
                char c = p->s.p[p->at];
                if (c == '\\' && quote != '\'')
                        p->at++;
                else if (quote)
                        quote = c == quote ? 0 : quote;
                else if (c == '"' || (c == '\'' && open != '{'))
                        quote = c;
                else if (c == open)
                        depth++;
                else if (c == close && --depth == 0) {
                        p->at++;
                        return;
                }
        }
        fail(p, start, "an expansion without its end");
}

/* What begins with a $ that stands at p->at. False: it is an ordinary dollar. */
static bool dollar(struct parser *p, size_t end, unsigned depth)
{
        char next = p->at + 1 < end ? p->s.p[p->at + 1] : 0;
        if (next == '(' && peek(p, p->at + 2) == '(') {
                p->at++;
                skip_nested(p, end, '(', ')');
        } else if (next == '(') {
                substitution(p, p->at + 2, end, depth);
        } else if (next == '{') {
                p->at++;
                skip_nested(p, end, '{', '}');
        } else if (next == '_' || (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z')) {
                for (p->at += 2; p->at < end; p->at++) {
                        char c = p->s.p[p->at];
                        if (c != '_' && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z'))
                                break;
                }
        } else if (next && strchr("0123456789@*#?$!-", next)) {
                p->at += 2;
        } else {
                return false;
        }
        return true;
}

static void expansion(struct parser *p, struct shell_word *w, struct buf *value, size_t end, unsigned depth)
{
        size_t from = p->at;
        if (p->s.p[from] == '`')
                backticks(p, end, depth);
        else if (!dollar(p, end, depth)) {
                buf_putc(value, '$');
                p->at++;
                return;
        }
        w->is_literal = false;
        buf_add(value, p->s.p + from, MIN(p->at, end) - from);
}

static void double_quoted(struct parser *p, struct shell_word *w, struct buf *value, size_t end, unsigned depth)
{
        size_t start = p->at++;
        while (p->at < end && !p->script->why) {
                char c = p->s.p[p->at];
                if (c == '"') {
                        p->at++;
                        return;
                }
                if (c == '\\' && p->at + 1 < end) {
                        char next = p->s.p[p->at + 1];
                        if (!strchr("$`\"\\\n", next))
                                buf_putc(value, c);
                        if (next != '\n')
                                buf_putc(value, next);
                        p->at += 2;
                } else if (c == '$' || c == '`') {
                        expansion(p, w, value, end, depth);
                } else {
                        buf_putc(value, c);
                        p->at++;
                }
        }
        fail(p, start, "a double quote without its partner");
}

static void single_quoted(struct parser *p, struct buf *value, size_t end, bool has_escapes)
{
        size_t start = p->at++;
        for (; p->at < end; p->at++) {
                char c = p->s.p[p->at];
                if (c == '\'') {
                        p->at++;
                        return;
                }
                if (c == '\\' && has_escapes && p->at + 1 < end) {
                        p->at++;
                        if (!strchr("'\"\\", p->s.p[p->at])) /* \n and the like stay as written */
                                buf_putc(value, c);
                }
                buf_putc(value, p->s.p[p->at]);
        }
        fail(p, start, "a single quote without its partner");
}

static struct shell_word read_word(struct parser *p, size_t end, unsigned depth)
{
        struct shell_word w = { .is_literal = true, .offset = p->at };
        struct buf value = BUF_INIT(p->s.n + 1);
        while (p->at < end && !p->script->why) {
                char c = p->s.p[p->at];
                if ((c == '<' || c == '>') && p->at == w.offset && peek(p, p->at + 1) == '(') {
                        w.is_literal = false;
                        substitution(p, p->at + 2, end, depth);
                        buf_add(&value, p->s.p + w.offset, MIN(p->at, end) - w.offset);
                } else if (ends_word(c)) {
                        break;
                } else if (c == '\\') {
                        if (p->at + 1 < end && p->s.p[p->at + 1] != '\n')
                                buf_putc(&value, p->s.p[p->at + 1]);
                        w.is_quoted = true;
                        p->at = MIN(p->at + 2, end);
                } else if (c == '\'' || (c == '$' && peek(p, p->at + 1) == '\'')) {
                        p->at += c == '$';
                        w.is_quoted = true;
                        single_quoted(p, &value, end, c == '$');
                } else if (c == '"' || (c == '$' && peek(p, p->at + 1) == '"')) {
                        p->at += c == '$';
                        w.is_quoted = true;
                        double_quoted(p, &w, &value, end, depth);
                } else if (c == '$' || c == '`') {
                        expansion(p, &w, &value, end, depth);
                } else {
                        buf_putc(&value, c);
                        p->at++;
                }
        }
        w.end = MIN(p->at, end);
        w.text = str_from(str_upto(p->s, w.end), w.offset);
        w.value = arena_str(p->arena, buf_str(&value));
        buf_done(&value);
        if (++p->n_words > SHELL_WORDS_MAX)
                fail(p, w.offset, "more than 100,000 words");
        return w;
}

/* --- simple commands --- */

static bool is_empty(const struct building *b) { return !b->words.n && !b->assignments.n && !b->redirects.n; }

static void *keep(struct parser *p, const void *v, size_t n, size_t size)
{
        void *kept = arena_array(p->arena, n, size);
        return n ? memcpy(kept, v, n * size) : kept;
}

/* The body of a heredoc follows the line that its operator stands on. */
static void note_heredoc(struct parser *p, struct shell_redirect *r)
{
        if (strcmp(r->op, "<<") != 0 && strcmp(r->op, "<<-") != 0)
                return;
        if (p->n_pending == SHELL_HEREDOCS_MAX)
                fail(p, r->target.offset, "more than 64 heredocs in one line");
        else
                p->pending[p->n_pending++] = r;
}

static void finish_command(struct parser *p, struct list *l)
{
        struct building *b = &l->b;
        if (is_empty(b))
                return;
        struct shell_redirect *redirects = keep(p, b->redirects.v, b->redirects.n, sizeof(*redirects));
        for (size_t i = 0; i < b->redirects.n; i++)
                note_heredoc(p, &redirects[i]);
        struct shell_command *c = vec_push(&p->commands);
        *c = (struct shell_command){ .assignments =
                                             keep(p, b->assignments.v, b->assignments.n, sizeof(*c->assignments)),
                                     .n_assignments = b->assignments.n,
                                     .words = keep(p, b->words.v, b->words.n, sizeof(*c->words)),
                                     .n_words = b->words.n,
                                     .redirects = redirects,
                                     .n_redirects = b->redirects.n,
                                     .join = l->join,
                                     .pipeline = l->pipeline,
                                     .position = l->position,
                                     .depth = l->depth,
                                     .offset = b->offset,
                                     .end = p->at };
        l->last = p->commands.n - 1;
        vec_clear(&b->words);
        vec_clear(&b->assignments);
        vec_clear(&b->redirects);
        l->join = SHELL_THEN;
}

static void separate(struct parser *p, struct list *l, enum shell_join join)
{
        finish_command(p, l);
        l->is_after_compound = false;
        l->join = join;
        if (join != SHELL_PIPE) {
                l->pipeline = ++p->pipelines;
                l->position = 0;
                return;
        }
        l->position++;
        if (l->last != SIZE_MAX)
                p->commands.v[l->last].feeds_pipe = true;
        if (!p->script->has_pipe) {
                p->script->has_pipe = true;
                p->script->pipe_offset = p->at;
        }
}

static bool is_assignment(const struct shell_word *w)
{
        size_t n = 0;
        while (n < w->text.n &&
               (w->text.p[n] == '_' || (w->text.p[n] >= 'a' && w->text.p[n] <= 'z') ||
                (w->text.p[n] >= 'A' && w->text.p[n] <= 'Z') || (n && w->text.p[n] >= '0' && w->text.p[n] <= '9')))
                n++;
        n += n && n < w->text.n && w->text.p[n] == '+';
        return n && n < w->text.n && w->text.p[n] == '=';
}

static void begin(struct list *l, size_t at)
{
        if (is_empty(&l->b))
                l->b.offset = at;
}

/* A redirection whose operator stands at p->at. */
static void read_redirect(struct parser *p, struct list *l)
{
        static const char *const operators[] = {
                "<<<", "<<-", "&>>", "<<", "<&", "<>", ">>", ">&", ">|", "&>", "<", ">"
        };
        struct str rest = str_from(str_upto(p->s, l->end), p->at);
        const char *op = "";
        for (size_t i = 0; i < ARRAY_SIZE(operators) && !*op; i++)
                if (str_starts(rest, str_of(operators[i])))
                        op = operators[i];
        begin(l, p->at);
        p->at += strlen(op);
        while (p->at < l->end && is_blank(p->s.p[p->at]))
                p->at++;
        struct shell_word target = read_word(p, l->end, l->depth);
        if (!target.text.n) {
                fail(p, p->at, "a redirection to nowhere");
                return;
        }
        struct shell_redirect *r =
                l->is_after_compound ? arena_new(p->arena, struct shell_redirect) : vec_push(&l->b.redirects);
        memcpy(r->op, op, strlen(op) + 1);
        r->target = target;
        if (l->is_after_compound) /* it is the compound command's: only its body must not be taken for commands */
                note_heredoc(p, r);
}

/* --- lines --- */

static void read_heredocs(struct parser *p, size_t end)
{
        for (size_t i = 0; i < p->n_pending; i++) {
                struct shell_redirect *r = p->pending[i];
                bool strips = strcmp(r->op, "<<-") == 0, found = false;
                size_t from = p->at, to = p->at;
                while (p->at < end && !found) {
                        to = p->at;
                        ptrdiff_t n = str_find_char(str_from(str_upto(p->s, end), p->at), '\n');
                        struct str line = str_from(str_upto(p->s, n < 0 ? end : p->at + (size_t)n), p->at);
                        p->at = n < 0 ? end : p->at + (size_t)n + 1;
                        while (strips && line.n && line.p[0] == '\t')
                                line = str_from(line, 1);
                        found = str_eq(line, r->target.value);
                }
                r->body = str_from(str_upto(p->s, found ? to : p->at), from);
        }
        p->n_pending = 0;
}

static void newline(struct parser *p, struct list *l)
{
        separate(p, l, SHELL_THEN);
        p->at++;
        read_heredocs(p, l->end);
}

static void skip_line(struct parser *p, size_t end)
{
        while (p->at < end && p->s.p[p->at] != '\n')
                p->at++;
}

static void skip_blanks_and_lines(struct parser *p, size_t end)
{
        while (p->at < end) {
                char c = p->s.p[p->at];
                if (c == '#')
                        skip_line(p, end);
                else if (is_blank(c) || c == '\n')
                        p->at++;
                else if (c == '\\' && peek(p, p->at + 1) == '\n')
                        p->at += 2;
                else
                        break;
        }
}

/* --- compound commands --- */

/* A pattern of case, up to its parenthesis, or the esac that ends it. */
static void read_pattern(struct parser *p, struct list *l)
{
        skip_blanks_and_lines(p, l->end);
        if (peek(p, p->at) == '(')
                p->at++;
        while (p->at < l->end && !p->script->why) {
                skip_blanks_and_lines(p, l->end);
                char c = peek(p, p->at);
                if (c == ')' || p->at >= l->end)
                        break;
                if (c == '|') {
                        p->at++;
                        continue;
                }
                size_t before = p->at;
                struct shell_word w = read_word(p, l->end, l->depth);
                if (str_is(w.text, "esac")) {
                        l->cases--;
                        l->expects_pattern = false;
                        l->is_after_compound = true;
                        return;
                }
                if (p->at == before) {
                        fail(p, before, "a pattern of case that cannot be understood");
                        return;
                }
        }
        p->at = MIN(p->at + 1, l->end);
        l->expects_pattern = false;
}

/* The words of a line that are no command's: of for and select, and what case is about. */
static void read_case_or_for(struct parser *p, struct list *l, bool is_case)
{
        while (p->at < l->end && !p->script->why) {
                while (p->at < l->end && is_blank(p->s.p[p->at]))
                        p->at++;
                if (peek(p, p->at) == '(' && !is_case) { /* for ((;;)) */
                        skip_nested(p, l->end, '(', ')');
                        continue;
                }
                if (p->at >= l->end || (!is_case && ends_word(p->s.p[p->at])))
                        return;
                if (is_case)
                        skip_blanks_and_lines(p, l->end);
                size_t before = p->at;
                struct shell_word w = read_word(p, l->end, l->depth);
                if (p->at == before)
                        return;
                if (is_case && str_is(w.text, "in") && !w.is_quoted) {
                        if (++l->cases > SHELL_CASES_MAX)
                                fail(p, before, "case nested deeper than 64");
                        l->expects_pattern = true;
                        return;
                }
        }
}

/* A word that stands for a part of a compound command, where a command may begin. False: it is an ordinary word. */
static bool reserved(struct parser *p, struct list *l, const struct shell_word *w)
{
        static const char *const opening[] = { "if", "then", "elif", "else", "while", "until", "do", "time", "!", "{" };
        static const char *const closing[] = { "fi", "done", "}" };
        if (w->is_quoted || !w->is_literal)
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(opening); i++)
                if (str_is(w->text, opening[i]))
                        return true;
        for (size_t i = 0; i < ARRAY_SIZE(closing); i++)
                if (str_is(w->text, closing[i]))
                        return l->is_after_compound = true;
        if (str_is(w->text, "esac") && l->cases) {
                l->cases--;
                return l->is_after_compound = true;
        }
        if (str_is(w->text, "function")) { /* NAME, with () or without; the body follows */
                while (p->at < l->end && is_blank(p->s.p[p->at]))
                        p->at++;
                (void)read_word(p, l->end, l->depth);
                return true;
        }
        if (str_is(w->text, "for") || str_is(w->text, "select") || str_is(w->text, "case")) {
                read_case_or_for(p, l, str_is(w->text, "case"));
                return true;
        }
        return false;
}

/* [[ ... ]]: its operators are words. */
static void read_test(struct parser *p, struct list *l)
{
        while (p->at < l->end && !p->script->why) {
                skip_blanks_and_lines(p, l->end);
                if (p->at >= l->end)
                        break;
                size_t before = p->at;
                struct shell_word w = read_word(p, l->end, l->depth);
                if (p->at == before)
                        p->at++;
                else
                        *vec_push(&l->b.words) = w;
                if (str_is(w.text, "]]"))
                        return;
        }
        fail(p, l->b.offset, "a [[ without its ]]");
}

static void read_command_word(struct parser *p, struct list *l)
{
        struct building *b = &l->b;
        bool is_first = !b->words.n && !b->assignments.n && !b->redirects.n;
        begin(l, p->at);
        struct shell_word w = read_word(p, l->end, l->depth);
        if (p->script->why)
                return;
        if (is_first && reserved(p, l, &w))
                return;
        l->is_after_compound = false;
        if (!b->words.n && is_assignment(&w)) {
                if (peek(p, p->at) == '(' && p->at < l->end && str_ends(w.text, STR("="))) /* an array */
                        skip_nested(p, l->end, '(', ')');
                *vec_push(&b->assignments) = w;
                return;
        }
        *vec_push(&b->words) = w;
        if (b->words.n == 1 && str_is(w.text, "[["))
                read_test(p, l);
}

static void open_parenthesis(struct parser *p, struct list *l)
{
        size_t close = p->at + 1;
        while (close < l->end && is_blank(p->s.p[close]))
                close++;
        if (l->b.words.n <= 1 && peek(p, close) == ')' && close < l->end) { /* name(): the body follows */
                vec_clear(&l->b.words);
                p->at = close + 1;
        } else if (!is_empty(&l->b)) {
                fail(p, p->at, "an opening parenthesis where none can stand");
        } else if (peek(p, p->at + 1) == '(') {
                skip_nested(p, l->end, '(', ')');
                l->is_after_compound = true;
        } else {
                l->open++;
                p->at++;
        }
}

/* False: it closes the list itself. */
static bool close_parenthesis(struct parser *p, struct list *l)
{
        finish_command(p, l);
        if (!l->open) {
                if (!l->has_closer)
                        fail(p, p->at, "a closing parenthesis that nothing opened");
                return false;
        }
        l->open--;
        l->is_after_compound = true;
        p->at++;
        return true;
}

static void read_operator(struct parser *p, struct list *l)
{
        char c = p->s.p[p->at], next = p->at + 1 < l->end ? p->s.p[p->at + 1] : 0;
        if (c == ';' && (next == ';' || next == '&')) {
                separate(p, l, SHELL_THEN);
                p->at += 2;
                l->expects_pattern = l->cases > 0;
        } else if (c == ';') {
                separate(p, l, SHELL_THEN);
                p->at++;
        } else if (c == '&' && next == '>') {
                read_redirect(p, l);
        } else if (c == '&') {
                separate(p, l, next == '&' ? SHELL_AND : SHELL_THEN);
                p->at += next == '&' ? 2 : 1;
        } else {
                separate(p, l, next == '|' ? SHELL_OR : SHELL_PIPE);
                p->at += next == '|' || next == '&' ? 2 : 1;
        }
}

/* The number of a descriptor right before a redirection is part of it. */
static bool skip_descriptor(struct parser *p, size_t end)
{
        size_t at = p->at;
        while (at < end && p->s.p[at] >= '0' && p->s.p[at] <= '9')
                at++;
        bool is_one = at > p->at && at < end && (p->s.p[at] == '<' || p->s.p[at] == '>');
        p->at = is_one ? at : p->at;
        return is_one;
}

/* One step. False: the list ended at a closing parenthesis. */
static bool read_some(struct parser *p, struct list *l)
{
        char c = p->s.p[p->at];
        bool is_substitution = (c == '<' || c == '>') && p->at + 1 < l->end && p->s.p[p->at + 1] == '(';
        if (l->expects_pattern)
                read_pattern(p, l);
        else if (is_blank(c))
                p->at++;
        else if (c == '\\' && p->at + 1 < l->end && p->s.p[p->at + 1] == '\n')
                p->at += 2;
        else if (c == '\n')
                newline(p, l);
        else if (c == '#')
                skip_line(p, l->end);
        else if (c == ';' || c == '&' || c == '|')
                read_operator(p, l);
        else if (c == '(')
                open_parenthesis(p, l);
        else if (c == ')')
                return close_parenthesis(p, l);
        else if (!is_substitution && (c == '<' || c == '>' || skip_descriptor(p, l->end)))
                read_redirect(p, l);
        else
                read_command_word(p, l);
        return true;
}

static void read_list(struct parser *p, size_t end, bool has_closer, unsigned depth)
{
        struct list l = { .end = end, .last = SIZE_MAX, .has_closer = has_closer, .depth = depth };
        l.pipeline = ++p->pipelines;
        while (p->at < end && !p->script->why)
                if (!read_some(p, &l))
                        break;
        if (!p->script->why) /* else it is not whole */
                finish_command(p, &l);
        vec_done(&l.b.words);
        vec_done(&l.b.assignments);
        vec_done(&l.b.redirects);
}

void shell_read(struct str text, struct arena *arena, struct shell_script *ret)
{
        *ret = (struct shell_script){ 0 };
        struct parser p = { .s = text, .arena = arena, .script = ret };
        read_list(&p, text.n, false, 0);
        ret->n = p.commands.n;
        ret->commands = keep(&p, p.commands.v, p.commands.n, sizeof(*ret->commands));
        vec_done(&p.commands);
}
