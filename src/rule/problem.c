/* The list of what is wrong with rule files: see rule.h. */
#include "rule/rule.h"

#include <stdlib.h>

void problems_done(struct problems *p)
{
        free(p->v);
        arena_done(&p->arena);
        *p = (struct problems){ 0 };
}

void problems_add(struct problems *p, const struct problem *problem)
{
        if (problem->level == PROBLEM_ERROR)
                p->n_errors++;
        else
                p->n_warnings++;
        size_t at = p->n;
        if (p->n == RULE_PROBLEMS_MAX) { /* an error takes the place of the last warning */
                p->n_dropped++;
                while (at > 0 && (problem->level != PROBLEM_ERROR || p->v[at - 1].level == PROBLEM_ERROR))
                        at--;
                if (at-- == 0)
                        return;
        } else if (p->n++ % 16 == 0) {
                p->v = xreallocarray(p->v, p->n + 15, sizeof(*p->v));
        }
        struct problem copy = *problem;
        copy.place.file = arena_str(&p->arena, problem->place.file);
        copy.about = arena_str(&p->arena, problem->about);
        copy.words = arena_str(&p->arena, problem->words);
        copy.suggestion = arena_str(&p->arena, problem->suggestion);
        p->v[at] = copy;
}

void problem_print(const struct problem *p, struct buf *to)
{
        buf_add_str(to, p->place.file);
        if (p->place.line > 0)
                buf_printf(to, ":%u:%u", p->place.line, p->place.column);
        buf_printf(to, ": %s: ", p->level == PROBLEM_ERROR ? "error" : "warning");
        if (p->about.n > 0) {
                buf_add_str(to, p->about);
                buf_puts(to, ": ");
        }
        buf_add_str(to, p->words);
        if (p->suggestion.n > 0) {
                buf_puts(to, "; ");
                buf_add_str(to, p->suggestion);
        }
}
