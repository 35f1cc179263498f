/*
 * See regex.h. The tree becomes a program over bytes (Thompson's construction), the program a table of states where
 * that stays small, and otherwise all its threads run side by side: linear in the text either way.
 */
#include "rule/regex-private.h"

#include "base/map.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "rule/rule.h"

#include <limits.h>
#include <stdio.h>

#define STEPS_MAX      (20 * RULE_REGEX_STATES_MAX) /* of writing a program, that of empty repetitions too */
#define TABLE_MAX      1000u                        /* states of a table */
#define TABLE_WORK_MAX 400000u                      /* threads in all states together */

enum instruction_kind { I_BYTES, I_SPLIT, I_LINE_START, I_LINE_END, I_MATCH };

struct instruction {
        uint8_t kind, low, high; /* bytes low to high */
        uint32_t next, other;
};

VEC_TYPE(program, struct instruction);
VEC_TYPE(id_vec, uint32_t);

struct rule_regex {
        const struct instruction *program;
        uint32_t n, start;
        /* The table, if there is one: next state = table[state * n_classes + class_of[byte]]; state 0 is dead. */
        const uint16_t *table;
        const bool *accepts;
        uint32_t n_classes;
        uint8_t class_of[256];
};

struct compiler {
        struct program program;
        size_t steps;
        bool too_large;
};

#define NOWHERE UINT32_MAX

static uint32_t emit(struct compiler *c, struct instruction i)
{
        if (c->program.n >= RULE_REGEX_STATES_MAX) {
                c->too_large = true;
                return 0;
        }
        *vec_push(&c->program) = i;
        return (uint32_t)c->program.n - 1;
}

static uint32_t emit_bytes(struct compiler *c, unsigned low, unsigned high, uint32_t next)
{
        return emit(c, (struct instruction){ I_BYTES, (uint8_t)low, (uint8_t)high, next, 0 });
}

/* `first`, or if that is NOWHERE only `second`. */
static uint32_t either(struct compiler *c, uint32_t first, uint32_t second)
{
        if (first == NOWHERE)
                return second;
        return emit(c, (struct instruction){ I_SPLIT, 0, 0, first, second });
}

static unsigned encode(uint32_t c, uint8_t bytes[static 4])
{
        if (c < 0x80) {
                bytes[0] = (uint8_t)c;
                return 1;
        }
        unsigned n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        for (unsigned i = n; i-- > 1; c >>= 6)
                bytes[i] = 0x80 | (c & 0x3f);
        bytes[0] = (uint8_t)(0xf00 >> n) | (uint8_t)c;
        return n;
}

/* Bytes of a range whose ends have encodings of equal length that differ only where everything behind is full. */
static uint32_t emit_sequence(struct compiler *c, const uint8_t *low, const uint8_t *high, unsigned n, uint32_t next)
{
        for (unsigned i = n; i-- > 0;)
                next = emit_bytes(c, low[i], high[i], next);
        return next;
}

/* A range of code points, cut where encodings change their length or their leading bytes. */
static uint32_t emit_range(struct compiler *c, uint32_t low, uint32_t high, uint32_t next, uint32_t sofar)
{
        static const uint32_t lengths[] = { 0x7f, 0x7ff, 0xffff };
        uint8_t a[4], b[4];
        for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
                if (low <= lengths[i] && high > lengths[i]) {
                        sofar = emit_range(c, low, lengths[i], next, sofar);
                        return emit_range(c, lengths[i] + 1, high, next, sofar);
                }
        for (unsigned bits = 6; bits <= 18 && low >= 0x80; bits += 6) {
                uint32_t mask = (1u << bits) - 1;
                if ((low & ~mask) == (high & ~mask))
                        break;
                if (low & mask) {
                        sofar = emit_range(c, low, low | mask, next, sofar);
                        return emit_range(c, (low | mask) + 1, high, next, sofar);
                }
                if ((high & mask) != mask) {
                        sofar = emit_range(c, low, (high & ~mask) - 1, next, sofar);
                        return emit_range(c, high & ~mask, high, next, sofar);
                }
        }
        unsigned n = encode(low, a);
        encode(high, b);
        return either(c, sofar, emit_sequence(c, a, b, n, next));
}

static uint32_t emit_node(struct compiler *c, const struct regex_node *n, uint32_t next);

static uint32_t emit_class(struct compiler *c, const struct regex_node *n, uint32_t next)
{
        uint32_t start = NOWHERE;
        for (size_t i = 0; i < n->n_ranges; i++) {
                uint32_t low = n->ranges[i].low, high = n->ranges[i].high;
                if (low < 0xd800 && high > 0xdfff) { /* surrogates have no encoding */
                        start = emit_range(c, low, 0xd7ff, next, start);
                        low = 0xe000;
                }
                start = emit_range(c, low, high, next, start);
        }
        return start == NOWHERE ? emit_bytes(c, 1, 0, next) : start;
}

static uint32_t emit_repeat(struct compiler *c, const struct regex_node *n, uint32_t next)
{
        if (n->most == UINT_MAX) {
                uint32_t loop = emit(c, (struct instruction){ I_SPLIT, 0, 0, 0, next });
                uint32_t body = emit_node(c, n->children[0], loop);
                if (!c->too_large)
                        c->program.v[loop].next = body;
                next = loop;
        } else {
                uint32_t end = next;
                for (unsigned i = n->least; i < n->most && !c->too_large; i++)
                        next = emit(c, (struct instruction){ I_SPLIT, 0, 0, emit_node(c, n->children[0], next), end });
        }
        for (unsigned i = 0; i < n->least && !c->too_large; i++)
                next = emit_node(c, n->children[0], next);
        return next;
}

/* Writes the program of a node that goes on at `next`; returns where it begins. */
static uint32_t emit_node(struct compiler *c, const struct regex_node *n, uint32_t next)
{
        uint32_t start = NOWHERE;
        if (c->too_large || ++c->steps > STEPS_MAX) {
                c->too_large = true;
                return 0;
        }
        switch (n->kind) {
        case REGEX_EMPTY:
                return next;
        case REGEX_CLASS:
                return emit_class(c, n, next);
        case REGEX_ALL:
                for (size_t i = n->n; i-- > 0;)
                        next = emit_node(c, n->children[i], next);
                return next;
        case REGEX_ANY:
                for (size_t i = 0; i < n->n; i++)
                        start = either(c, start, emit_node(c, n->children[i], next));
                return start;
        case REGEX_REPEAT:
                return emit_repeat(c, n, next);
        case REGEX_LINE_START:
                return emit(c, (struct instruction){ I_LINE_START, 0, 0, next, 0 });
        case REGEX_LINE_END:
                return emit(c, (struct instruction){ I_LINE_END, 0, 0, next, 0 });
        }
        return next;
}

/* At the ends of the whole expression ^ and $ say nothing, for it matches the whole text anyway. */
static void drop_outer_anchors(struct regex_node *n)
{
        if (n->kind == REGEX_ANY) {
                for (size_t i = 0; i < n->n; i++)
                        drop_outer_anchors(n->children[i]);
        } else if (n->kind == REGEX_LINE_START || n->kind == REGEX_LINE_END) {
                n->kind = REGEX_EMPTY;
        } else if (n->kind == REGEX_ALL) {
                struct regex_node *first = n->children[0], *last = n->children[n->n - 1];
                if (first->kind == REGEX_LINE_START)
                        first->kind = REGEX_EMPTY;
                if (last->kind == REGEX_LINE_END)
                        last->kind = REGEX_EMPTY;
        }
}

/* ------------------------------------------------------------------------------------------------- threads ---- */

/* A set of program places, in the order in which they were added, with membership in constant time. */
struct threads {
        uint32_t *list, *where;
        uint32_t n;
};

static bool threads_has(const struct threads *t, uint32_t at)
{
        return t->where[at] < t->n && t->list[t->where[at]] == at;
}

/* What is true between two characters. */
struct between {
        bool line_start, line_end;
};

/* Adds a place and all that follows without a byte; `stack` holds a place for each instruction, twice. */
static void threads_add(const struct rule_regex *re, struct threads *t, uint32_t *stack, uint32_t at, struct between b)
{
        uint32_t n = 0;
        stack[n++] = at;
        while (n > 0) {
                at = stack[--n];
                if (threads_has(t, at))
                        continue;
                t->where[at] = t->n;
                t->list[t->n++] = at;
                const struct instruction *i = &re->program[at];
                if (i->kind == I_SPLIT) {
                        stack[n++] = i->other;
                        stack[n++] = i->next;
                } else if ((i->kind == I_LINE_START && b.line_start) || (i->kind == I_LINE_END && b.line_end)) {
                        stack[n++] = i->next;
                }
        }
}

static bool threads_accept(const struct rule_regex *re, const struct threads *t)
{
        for (uint32_t i = 0; i < t->n; i++)
                if (re->program[t->list[i]].kind == I_MATCH)
                        return true;
        return false;
}

size_t rule_regex_scratch_size(const struct rule_regex *re)
{
        return re->table ? 0 : (size_t)re->n * 6 * sizeof(uint32_t);
}

static void step(const struct rule_regex *re, const struct threads *from, struct threads *to, uint32_t *stack,
                 uint8_t byte, struct between b)
{
        to->n = 0;
        for (uint32_t i = 0; i < from->n; i++) {
                const struct instruction *in = &re->program[from->list[i]];
                if (in->kind == I_BYTES && byte >= in->low && byte <= in->high)
                        threads_add(re, to, stack, in->next, b);
        }
}

/* The bytes of the character at `at`: those of the text, or U+FFFD for a byte that begins none. */
static struct str character_at(struct str text, size_t at, size_t *ret_n)
{
        uint32_t c;
        size_t n = (unsigned char)text.p[at] < 0x80 ? 1 : utf8_decode(str_from(text, at), &c);
        *ret_n = MAX(n, 1u);
        return n > 0 ? str_span(text.p + at, n) : STR("\xef\xbf\xbd");
}

static bool match_threads(const struct rule_regex *re, struct str text, uint32_t *memory)
{
        struct threads a = { memory, memory + re->n, 0 }, b = { memory + 2 * re->n, memory + 3 * re->n, 0 };
        struct threads *now = &a, *then = &b;
        uint32_t *stack = memory + 4 * re->n;
        threads_add(re, now, stack, re->start, (struct between){ true, text.n == 0 || text.p[0] == '\n' });
        for (size_t at = 0, n; at < text.n && now->n > 0; at += n) {
                struct str c = character_at(text, at, &n);
                for (size_t i = 0; i < c.n; i++) {
                        bool whole = i + 1 == c.n;
                        struct between between = { whole && text.p[at] == '\n',
                                                   whole && (at + n == text.n || text.p[at + n] == '\n') };
                        step(re, now, then, stack, (uint8_t)c.p[i], between);
                        struct threads *swap = now;
                        now = then;
                        then = swap;
                }
        }
        return threads_accept(re, now);
}

static bool match_table(const struct rule_regex *re, struct str text)
{
        uint32_t state = 1;
        for (size_t at = 0, n; at < text.n && state != 0; at += n) {
                struct str c = character_at(text, at, &n);
                for (size_t i = 0; i < c.n; i++)
                        state = re->table[state * re->n_classes + re->class_of[(uint8_t)c.p[i]]];
        }
        return re->accepts[state];
}

bool rule_regex_match(const struct rule_regex *re, struct str text, void *scratch)
{
        return re->table ? match_table(re, text) : match_threads(re, text, scratch);
}

/* --------------------------------------------------------------------------------------------------- table ---- */

/* Bytes that no instruction tells apart are of one class. */
static void find_classes(struct rule_regex *re)
{
        bool begins[257] = { true };
        for (uint32_t i = 0; i < re->n; i++)
                if (re->program[i].kind == I_BYTES && re->program[i].low <= re->program[i].high) {
                        begins[re->program[i].low] = true;
                        begins[re->program[i].high + 1] = true;
                }
        unsigned class = 0;
        for (unsigned byte = 0; byte < 256; byte++) {
                class += byte > 0 && begins[byte];
                re->class_of[byte] = (uint8_t) class;
        }
        re->n_classes = class + 1;
}

struct table_maker {
        const struct rule_regex *re;
        struct id_vec sets;   /* of all states, one after the other */
        struct id_vec starts; /* of each state in sets; one more than states */
        struct map64 by_hash;
        VEC(uint16_t) next;
};

static int compare_ids(const void *a, const void *b)
{
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
        return x < y ? -1 : x > y;
}

/* Only what takes a byte or ends counts, in any order: else equal states would not be seen to be equal. */
static void reduce(const struct rule_regex *re, struct threads *t)
{
        uint32_t n = 0;
        for (uint32_t i = 0; i < t->n; i++)
                if (re->program[t->list[i]].kind == I_BYTES || re->program[t->list[i]].kind == I_MATCH)
                        t->list[n++] = t->list[i];
        t->n = n;
        qsort(t->list, n, sizeof(*t->list), compare_ids);
}

/* The number of the state with these threads; new ones are added. UINT32_MAX: too many, or two of one hash. */
static uint32_t state_of(struct table_maker *m, struct threads *t)
{
        reduce(m->re, t);
        struct str key = str_span(t->list, t->n * sizeof(*t->list));
        bool is_new;
        uint64_t *slot = map64_put(&m->by_hash, hash_str(key), &is_new);
        if (!is_new) {
                uint32_t state = (uint32_t)*slot, start = m->starts.v[state];
                bool same = m->starts.v[state + 1] - start == t->n &&
                            (t->n == 0 || memcmp(m->sets.v + start, t->list, t->n * sizeof(*t->list)) == 0);
                return same ? state : UINT32_MAX;
        }
        uint32_t state = (uint32_t)m->starts.n - 1;
        if (state >= TABLE_MAX || m->sets.n + t->n > TABLE_WORK_MAX)
                return UINT32_MAX;
        *slot = state;
        for (uint32_t i = 0; i < t->n; i++)
                *vec_push(&m->sets) = t->list[i];
        *vec_push(&m->starts) = (uint32_t)m->sets.n;
        for (uint32_t i = 0; i < m->re->n_classes; i++)
                *vec_push(&m->next) = 0;
        return state;
}

static bool fill_state(struct table_maker *m, uint32_t state, struct threads *t, uint32_t *stack)
{
        for (unsigned byte = 0; byte < 256; byte++) {
                unsigned class = m->re->class_of[byte];
                if (byte > 0 && class == m->re->class_of[byte - 1])
                        continue;
                t->n = 0;
                for (uint32_t i = m->starts.v[state]; i < m->starts.v[state + 1]; i++) {
                        const struct instruction *in = &m->re->program[m->sets.v[i]];
                        if (in->kind == I_BYTES && byte >= in->low && byte <= in->high)
                                threads_add(m->re, t, stack, in->next, (struct between){ false, false });
                }
                uint32_t next = state_of(m, t);
                if (next == UINT32_MAX)
                        return false;
                m->next.v[state * m->re->n_classes + class] = (uint16_t)next;
        }
        return true;
}

static void keep_table(struct arena *arena, struct rule_regex *re, const struct table_maker *m)
{
        uint32_t n = (uint32_t)m->starts.n - 1;
        uint16_t *table = arena_array(arena, m->next.n, sizeof(*table));
        bool *accepts = arena_array(arena, n, sizeof(*accepts));
        memcpy(table, m->next.v, m->next.n * sizeof(*table));
        for (uint32_t state = 0; state < n; state++)
                for (uint32_t i = m->starts.v[state]; i < m->starts.v[state + 1]; i++)
                        accepts[state] |= re->program[m->sets.v[i]].kind == I_MATCH;
        re->accepts = accepts;
        re->table = table;
}

/* A table of states, unless ^ or $ stand inside, or it would grow large. State 0 has no threads, state 1 is the start.
 */
static void make_table(struct arena *arena, struct rule_regex *re)
{
        struct table_maker m = { .re = re };
        for (uint32_t i = 0; i < re->n; i++)
                if (re->program[i].kind == I_LINE_START || re->program[i].kind == I_LINE_END)
                        return;
        uint32_t *memory = xcalloc((size_t)re->n * 4, sizeof(*memory)), *stack = memory + 2 * re->n;
        struct threads t = { memory, memory + re->n, 0 };
        bool ok = true;
        find_classes(re);
        *vec_push(&m.starts) = 0;
        state_of(&m, &t);
        threads_add(re, &t, stack, re->start, (struct between){ false, false });
        ok = state_of(&m, &t) == 1;
        for (uint32_t state = 1; ok && state + 1 < m.starts.n; state++)
                ok = fill_state(&m, state, &t, stack);
        if (ok)
                keep_table(arena, re, &m);
        free(memory);
        vec_done(&m.sets);
        vec_done(&m.starts);
        vec_done(&m.next);
        map64_done(&m.by_hash);
}

struct rule_regex *rule_regex_new(struct arena *arena, struct str pattern, char words[160], size_t *ret_at)
{
        struct compiler c = { 0 };
        *ret_at = 0;
        if (pattern.n > RULE_REGEX_BYTES_MAX) {
                snprintf(words, 160, "the expression is longer than %u bytes", RULE_REGEX_BYTES_MAX);
                return NULL;
        }
        struct regex_node *n = rule_regex_parse(arena, pattern, words, ret_at);
        if (!n)
                return NULL;
        drop_outer_anchors(n);
        uint32_t match = emit(&c, (struct instruction){ .kind = I_MATCH }), start = emit_node(&c, n, match);
        if (c.too_large) {
                vec_done(&c.program);
                snprintf(words, 160,
                         "the expression is too large: its repetitions written out take more than %u states",
                         RULE_REGEX_STATES_MAX);
                *ret_at = 0;
                return NULL;
        }
        struct rule_regex *re = arena_new(arena, struct rule_regex);
        struct instruction *program = arena_array(arena, c.program.n, sizeof(*program));
        memcpy(program, c.program.v, c.program.n * sizeof(*program));
        re->program = program;
        re->n = (uint32_t)c.program.n;
        re->start = start;
        vec_done(&c.program);
        make_table(arena, re);
        return re;
}
