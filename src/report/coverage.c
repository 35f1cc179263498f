/* See coverage.h. */
#include "report/coverage.h"

#include "report/document.h"
#include "report/screen.h"
#include "report/text.h"

#define RULES_SHOWN 3

static size_t counted(const struct framework_coverage *c, enum coverage_state at_least)
{
        size_t n = 0;
        for (size_t i = 0; i < c->n_rows; i++)
                n += c->rows[i].is_counted && c->rows[i].state >= at_least;
        return n;
}

static struct str rule_names(const struct framework_coverage *c, struct arena *a, const struct coverage_row *row,
                             bool all)
{
        struct buf b = BUF_INIT(64u << 10);
        size_t shown = all ? row->n_rules : MIN(row->n_rules, (size_t)RULES_SHOWN);
        for (size_t i = 0; i < shown; i++)
                buf_printf(&b, "%s%.*s", i ? ", " : "", STR_FMT(text_clean(a, c->rules[row->rules[i]].name)));
        if (shown < row->n_rules)
                buf_printf(&b, ", …%zu more", row->n_rules - shown);
        if (row->state == COVERAGE_IN_PART)
                buf_puts(&b, " (in part)");
        return row->state == COVERAGE_OPEN ? STR("no rule") : text_take(a, &b);
}

static void put_rows(struct screen *s, const struct framework_coverage *c, const struct report_options *o,
                     bool are_counted)
{
        struct grid g = { .columns = 5, .indent = 2, .flexible = 3, .most = { 0, 0, 60, 0, 0 } };
        for (size_t i = 0; i < c->n_rows; i++) {
                const struct coverage_row *row = &c->rows[i];
                if (row->is_counted != are_counted)
                        continue;
                bool open = row->state == COVERAGE_OPEN;
                grid_add(s, &g, row->state == COVERAGE_COVERED ? PAINT_GOOD : PAINT_WARN,
                         open                             ? STR("-")
                         : row->state == COVERAGE_IN_PART ? STR("~")
                                                          : STR("✓"));
                grid_add(s, &g, PAINT_STRONG, row->id);
                grid_add(s, &g, PAINT_PLAIN, row->title);
                grid_add(s, &g, open ? PAINT_WARN : PAINT_PLAIN, rule_names(c, s->arena, row, o->verbose));
                grid_add(s, &g, PAINT_FAINT, o->verbose ? row->note : STR_NONE);
        }
        if (g.n)
                grid_print(s, &g);
}

int coverage_write_table(const struct framework_coverage *c, const struct report_options *o, FILE *to)
{
        struct arena arena = ARENA_INIT;
        struct screen s = { to, &arena, o->colour, o->width };
        size_t others = c->n_rows - counted(c, COVERAGE_OPEN), in_part = counted(c, COVERAGE_IN_PART);
        size_t covered = counted(c, COVERAGE_COVERED);
        screen_put(&s, PAINT_STRONG, c->framework);
        screen_printf(&s, PAINT_PLAIN, ": %zu of %zu %.*s covered", covered, counted(c, COVERAGE_OPEN),
                      STR_FMT(c->measure));
        if (in_part > covered)
                screen_printf(&s, PAINT_PLAIN, ", %zu more in part", in_part - covered);
        screen_printf(&s, PAINT_PLAIN, ", by %.*s\n\n", STR_FMT(text_count(&arena, c->n_rules, "rule", "rules")));
        put_rows(&s, c, o, true);
        if (others) {
                screen_printf(&s, PAINT_PLAIN, "\nAlso named by rules\n");
                put_rows(&s, c, o, false);
        }
        if (c->n_remarks)
                screen_printf(&s, PAINT_PLAIN, "\nTags to look at\n");
        for (size_t i = 0; i < c->n_remarks; i++) {
                const struct coverage_remark *m = &c->remarks[i];
                screen_printf(&s, PAINT_WARN, "  %.*s", STR_FMT(text_clean(&arena, m->tag)));
                screen_printf(&s, PAINT_PLAIN, "  %.*s: \"%.*s\" (%.*s)\n", STR_FMT(text_clean(&arena, m->words)),
                              STR_FMT(text_clean(&arena, c->rules[m->rule].name)),
                              STR_FMT(text_clean(&arena, c->rules[m->rule].place)));
        }
        arena_done(&arena);
        return stream_result(to);
}

static json_t *rule_reference(const struct framework_coverage *c, size_t i)
{
        json_t *o = doc_object();
        doc_set(o, "name", doc_text(c->rules[i].name));
        doc_set(o, "place", doc_str(c->rules[i].place));
        return o;
}

static json_t *row_object(const struct framework_coverage *c, const struct coverage_row *row)
{
        static const char *const states[] = {
                [COVERAGE_OPEN] = "open", [COVERAGE_IN_PART] = "in_part", [COVERAGE_COVERED] = "covered"
        };
        json_t *o = doc_object(), *rules = doc_array();
        for (size_t i = 0; i < row->n_rules; i++)
                doc_add(rules, rule_reference(c, row->rules[i]));
        doc_set(o, "id", doc_text(row->id));
        doc_set(o, "title", doc_text(row->title));
        doc_set(o, "note", doc_str(row->note));
        doc_set(o, "counted", doc_bool(row->is_counted));
        doc_set(o, "state", doc_cstr(states[row->state]));
        doc_set(o, "rules", rules);
        return o;
}

int coverage_write_json(const struct framework_coverage *c, FILE *to)
{
        struct doc_stream s = { to };
        size_t covered = counted(c, COVERAGE_COVERED);
        doc_open(&s, NULL, '{');
        doc_put(&s, "schema", doc_cstr("sekisho.coverage/1"));
        doc_put(&s, "framework", doc_text(c->framework));
        doc_put(&s, "measure", doc_text(c->measure));
        doc_put(&s, "rules", doc_number(c->n_rules));
        doc_put(&s, "total", doc_number(counted(c, COVERAGE_OPEN)));
        doc_put(&s, "covered", doc_number(covered));
        doc_put(&s, "in_part", doc_number(counted(c, COVERAGE_IN_PART) - covered));
        doc_open(&s, "rows", '[');
        for (size_t i = 0; i < c->n_rows; i++)
                doc_put(&s, NULL, row_object(c, &c->rows[i]));
        doc_close(&s, ']');
        doc_open(&s, "remarks", '[');
        for (size_t i = 0; i < c->n_remarks; i++) {
                json_t *o = doc_object();
                doc_set(o, "tag", doc_text(c->remarks[i].tag));
                doc_set(o, "words", doc_text(c->remarks[i].words));
                doc_set(o, "rule", rule_reference(c, c->remarks[i].rule));
                doc_put(&s, NULL, o);
        }
        doc_close(&s, ']');
        doc_close(&s, '}');
        return doc_end(&s);
}
