/* See framework-coverage.h. */
#include "flow/framework-coverage.h"

#include "base/vec.h"
#include "intel/framework.h"

VEC_TYPE(row_vec, struct coverage_row);
VEC_TYPE(remark_vec, struct coverage_remark);

/* The rules with a tag that `is_it` accepts for this row. */
static void find_rules(const struct coverage_rule *rules, size_t n, struct arena *arena, struct coverage_row *row,
                       bool (*is_it)(const struct framework_tag *tag, const void *what), const void *what)
{
        size_t *found = arena_array(arena, n, sizeof(*found));
        for (size_t i = 0; i < n; i++) {
                bool is = false;
                for (size_t k = 0; k < rules[i].tags.n && !is; k++) {
                        struct framework_tag tag = framework_tag_parse(rules[i].tags.v[k]);
                        is = is_it(&tag, what);
                }
                if (is)
                        found[row->n_rules++] = i;
        }
        row->rules = found;
        row->state = row->n_rules ? COVERAGE_COVERED : COVERAGE_OPEN;
}

/* The first tag that says so is enough: a tag twice in a rule is one remark. */
static void find_remarks(const struct coverage_rule *rules, size_t n, struct arena *arena, bool of_mitre,
                         struct remark_vec *remarks)
{
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < rules[i].tags.n; k++) {
                        struct str text = rules[i].tags.v[k];
                        struct framework_tag tag = framework_tag_parse(text);
                        bool is_nist = str_eq_nocase(str_upto(text, 4), STR("NIST"));
                        struct str words = STR_NONE;
                        if (tag.kind == TAG_UNKNOWN && is_nist != of_mitre)
                                words = STR("there is no such section, technique or tactic");
                        else if (tag.kind == TAG_TECHNIQUE && of_mitre && tag.is_renumbered)
                                words = arena_printf(arena, "is now %s (%s)", tag.technique->id, tag.technique->name);
                        else if (tag.kind == TAG_TECHNIQUE && of_mitre && strcmp(tag.technique->status, "active") != 0)
                                words = arena_printf(arena, "was %s by ATT&CK and replaced by nothing",
                                                     tag.technique->status);
                        if (words.n)
                                *vec_push(remarks) = (struct coverage_remark){ i, text, words };
                }
}

static void finish(struct row_vec *rows, struct remark_vec *remarks, struct arena *arena, struct framework_coverage *c)
{
        struct coverage_row *r = arena_array(arena, rows->n, sizeof(*r));
        struct coverage_remark *m = arena_array(arena, remarks->n, sizeof(*m));
        if (rows->n)
                memcpy(r, rows->v, rows->n * sizeof(*r));
        if (remarks->n)
                memcpy(m, remarks->v, remarks->n * sizeof(*m));
        c->rows = r;
        c->n_rows = rows->n;
        c->remarks = m;
        c->n_remarks = remarks->n;
        vec_done(rows);
        vec_done(remarks);
}

/* --- NIST SP 800-190 --- */

static bool is_section(const struct framework_tag *tag, const void *what)
{
        const struct nist_section *s = what;
        return tag->kind == TAG_NIST && (tag->nist == s || strcmp(tag->nist->id, s->answers) == 0);
}

static void cover_nist(const struct coverage_rule *rules, size_t n, struct arena *arena, struct framework_coverage *ret)
{
        struct row_vec rows = { 0 };
        struct remark_vec remarks = { 0 };
        size_t n_sections;
        const struct nist_section *sections = nist_all(&n_sections);
        *ret = (struct framework_coverage){
                .framework = STR("NIST SP 800-190"), .measure = STR("countermeasures"), .rules = rules, .n_rules = n
        };
        for (size_t i = 0; i < n_sections; i++) {
                const struct nist_section *s = &sections[i];
                if (s->id[0] != '4')
                        continue;
                struct coverage_row *row = vec_push(&rows);
                *row = (struct coverage_row){ .id = str_of(s->id), .title = str_of(s->title), .is_counted = true };
                if (*s->answers)
                        row->note = arena_printf(arena, "answers %s", s->answers);
                find_rules(rules, n, arena, row, is_section, s);
        }
        find_remarks(rules, n, arena, false, &remarks);
        finish(&rows, &remarks, arena, ret);
}

/* --- MITRE ATT&CK --- */

static bool is_technique(const struct framework_tag *tag, const void *what)
{
        return tag->kind == TAG_TECHNIQUE && tag->technique == what;
}

static bool is_below(const struct framework_tag *tag, const void *what)
{
        return tag->kind == TAG_TECHNIQUE && technique_parent(tag->technique) == what;
}

static bool is_tactic(const struct framework_tag *tag, const void *what)
{
        return tag->kind == TAG_TACTIC && tag->tactic == what;
}

static struct str full_name(const struct technique *t, struct arena *arena)
{
        const struct technique *parent = technique_parent(t);
        return parent ? arena_printf(arena, "%s: %s", parent->name, t->name) : str_of(t->name);
}

static void add_technique(const struct coverage_rule *rules, size_t n, struct arena *arena, const struct technique *t,
                          struct row_vec *rows)
{
        struct coverage_row row = { .id = str_of(t->id),
                                    .title = full_name(t, arena),
                                    .note = str_of(t->tactics),
                                    .is_counted =
                                            strcmp(t->status, "active") == 0 && technique_runs_on(t, "Containers") };
        find_rules(rules, n, arena, &row, is_technique, t);
        if (!row.n_rules) {
                find_rules(rules, n, arena, &row, is_below, t);
                row.state = row.n_rules ? COVERAGE_IN_PART : COVERAGE_OPEN;
        }
        if (row.is_counted || row.state == COVERAGE_COVERED)
                *vec_push(rows) = row;
}

static void cover_attack(const struct coverage_rule *rules, size_t n, struct arena *arena,
                         struct framework_coverage *ret)
{
        struct row_vec rows = { 0 };
        struct remark_vec remarks = { 0 };
        size_t n_techniques;
        const struct technique *techniques = technique_all(&n_techniques);
        *ret = (struct framework_coverage){ .framework = STR("MITRE ATT&CK"),
                                            .measure = STR("techniques for containers"),
                                            .rules = rules,
                                            .n_rules = n };
        for (size_t i = 0; i < n_techniques; i++)
                add_technique(rules, n, arena, &techniques[i], &rows);
        for (size_t i = 0; i < n_tactics; i++) {
                struct coverage_row row = { .id = str_of(tactics[i].id),
                                            .title = arena_printf(arena, "tactic %s", tactics[i].name) };
                find_rules(rules, n, arena, &row, is_tactic, &tactics[i]);
                if (row.n_rules)
                        *vec_push(&rows) = row;
        }
        find_remarks(rules, n, arena, true, &remarks);
        finish(&rows, &remarks, arena, ret);
}

static const struct framework framework_nist = { "nist", "NIST SP 800-190, countermeasures and the risks they answer",
                                                 cover_nist };
static const struct framework framework_attack = { "attack", "MITRE ATT&CK, techniques for containers", cover_attack };

const struct framework *const frameworks[] = { &framework_nist, &framework_attack, NULL };
