/*
 * See literals.h. States are rows of a table over classes of bytes: bytes that no literal holds are one class. State 0
 * is the start; FOUND ends the search. For literals anywhere the table is that of the automaton with its failures
 * resolved.
 */
#include "rule/literals.h"

#include "base/vec.h"

#define FOUND UINT32_MAX
#define NONE  0u /* at the start of a text: no literal can follow any more */

struct rule_literals {
        const uint32_t *table; /* by state and class */
        uint32_t n_classes;
        uint8_t class_of[256];
        bool at_start, matches_all;
};

VEC_TYPE(cell_vec, uint32_t);

static unsigned char lower(unsigned char c) { return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); }

static void find_classes(struct rule_literals *l, const struct value *texts, size_t n, bool any_case)
{
        bool used[256] = { false };
        uint32_t next = 1;
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < texts[i].text.n; k++) {
                        unsigned char c = (unsigned char)texts[i].text.p[k];
                        used[any_case ? lower(c) : c] = true;
                }
        for (unsigned c = 0; c < 256; c++)
                if (used[c] && next < 256)
                        l->class_of[c] = (uint8_t)next++;
        l->n_classes = next;
        for (unsigned c = 'A'; any_case && c <= 'Z'; c++)
                l->class_of[c] = l->class_of[lower((unsigned char)c)];
}

/* The tree of the literals: state 0 is its root in a search, of prefixes state 1 (for 0 is the dead end). */
static bool grow_tree(const struct rule_literals *l, const struct value *texts, size_t n, struct cell_vec *cells)
{
        size_t root = l->at_start ? 1 : 0;
        for (size_t i = 0; i < (root + 1) * l->n_classes; i++)
                *vec_push(cells) = 0;
        for (size_t i = 0; i < n; i++) {
                size_t state = root;
                for (size_t k = 0; k < texts[i].text.n; k++) {
                        size_t at = state * l->n_classes + l->class_of[(unsigned char)texts[i].text.p[k]];
                        if (cells->v[at] == FOUND)
                                break; /* a shorter literal is found first */
                        if (k + 1 == texts[i].text.n) {
                                cells->v[at] = FOUND;
                                break;
                        }
                        if (cells->v[at] == 0) {
                                cells->v[at] = (uint32_t)(cells->n / l->n_classes);
                                for (uint32_t c = 0; c < l->n_classes; c++)
                                        *vec_push(cells) = 0;
                                if (cells->n > LITERALS_CELLS_MAX)
                                        return false;
                        }
                        state = cells->v[at];
                }
        }
        return true;
}

/* Where the tree ends, the search goes on with the longest literal that may have begun meanwhile. Breadth first. */
static void resolve_failures(const struct rule_literals *l, uint32_t *cells, size_t n_states)
{
        uint32_t *failure = xcalloc(n_states, sizeof(*failure)), *queue = xcalloc(n_states, sizeof(*queue));
        size_t head = 0, tail = 0;
        for (uint32_t c = 0; c < l->n_classes; c++)
                if (cells[c] != 0 && cells[c] != FOUND)
                        queue[tail++] = cells[c];
        while (head < tail) {
                uint32_t state = queue[head++];
                for (uint32_t c = 0; c < l->n_classes; c++) {
                        uint32_t *cell = &cells[(size_t)state * l->n_classes + c];
                        uint32_t instead = cells[(size_t)failure[state] * l->n_classes + c];
                        if (*cell == 0 || instead == FOUND) {
                                *cell = instead;
                        } else if (*cell != FOUND) {
                                failure[*cell] = instead;
                                queue[tail++] = *cell;
                        }
                }
        }
        free(failure);
        free(queue);
}

struct rule_literals *rule_literals_new(struct arena *arena, const struct value *texts, size_t n,
                                        enum rule_literals_kind kind)
{
        struct rule_literals *l = arena_new(arena, struct rule_literals);
        struct cell_vec cells = { 0 };
        l->at_start = kind == LITERALS_AT_START;
        for (size_t i = 0; i < n; i++)
                l->matches_all |= texts[i].text.n == 0;
        find_classes(l, texts, n, kind == LITERALS_ANYWHERE_ANY_CASE);
        bool ok = grow_tree(l, texts, n, &cells);
        if (ok) {
                if (!l->at_start)
                        resolve_failures(l, cells.v, cells.n / l->n_classes);
                uint32_t *table = arena_array(arena, cells.n, sizeof(*table));
                memcpy(table, cells.v, cells.n * sizeof(*table));
                l->table = table;
        }
        vec_done(&cells);
        return ok ? l : NULL;
}

bool rule_literals_match(const struct rule_literals *l, struct str text)
{
        uint32_t state = l->at_start ? 1 : 0;
        if (l->matches_all)
                return true;
        for (size_t i = 0; i < text.n; i++) {
                state = l->table[(size_t)state * l->n_classes + l->class_of[(unsigned char)text.p[i]]];
                if (state == FOUND)
                        return true;
                if (state == NONE && l->at_start)
                        return false;
        }
        return false;
}
