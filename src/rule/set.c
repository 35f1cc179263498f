/* See rule.h: the loader, and what can be asked of a set. */
#include "rule/set.h"

#include "rule/compile.h"
#include "rule/load.h"
#include "rule/merge.h"

#include <errno.h>
#include <stdlib.h>

VEC_TYPE(file_vec, struct source_file *);

struct rule_loader {
        struct rule_options options;
        struct rule_set *set; /* in the making */
        struct file_vec files;
        struct problems problems;
        size_t total_bytes;
};

struct rule_loader *rule_loader_new(const struct rule_options *o)
{
        struct rule_loader *l = xcalloc(1, sizeof(*l));
        if (o)
                l->options = *o;
        l->set = xcalloc(1, sizeof(*l->set));
        l->set->library.arena = &l->set->arena;
        return l;
}

void rule_loader_free(struct rule_loader *l)
{
        if (!l)
                return;
        rule_set_free(l->set);
        vec_done(&l->files);
        problems_done(&l->problems);
        free(l);
}

/* The bytes of the line break at `at` as YAML 1.1 knows them (CR, LF, CR LF, NEL, LS, PS); 0 if there is none. */
static size_t line_break(struct str bytes, size_t at)
{
        struct str rest = str_from(bytes, at);
        if (str_starts(rest, STR("\r\n")) || str_starts(rest, STR("\xc2\x85")))
                return 2;
        if (str_starts(rest, STR("\xe2\x80\xa8")) || str_starts(rest, STR("\xe2\x80\xa9")))
                return 3;
        return rest.n > 0 && (rest.p[0] == '\n' || rest.p[0] == '\r');
}

static void find_lines(struct source_file *f, struct arena *arena)
{
        VEC(uint32_t) lines = { 0 };
        *vec_push(&lines) = 0;
        for (size_t at = 0, n; at < f->bytes.n; at += MAX(n, 1u)) {
                /* Most bytes are letters: they need no closer look. */
                n = (unsigned char)f->bytes.p[at] > '\r' && (unsigned char)f->bytes.p[at] < 0xc2
                            ? 0
                            : line_break(f->bytes, at);
                if (n > 0)
                        *vec_push(&lines) = (uint32_t)(at + n);
        }
        uint32_t *all = arena_array(arena, lines.n, sizeof(*all));
        memcpy(all, lines.v, lines.n * sizeof(*all));
        f->lines = all;
        f->n_lines = lines.n;
        vec_done(&lines);
}

/* "line 3, column 7: words", as read/yaml.h begins its errors, into a place. */
static void report_yaml(struct rule_loader *l, const struct source_file *f, const struct error *err)
{
        struct problem p = { PROBLEM_ERROR, "yaml", { f->name, 0, 0 }, STR_NONE, str_of(err->text), STR_NONE };
        struct str rest = str_of(err->text);
        uint64_t line, column;
        if (str_starts(rest, STR("line "))) {
                struct str head = str_cut(&rest, ':');
                struct str a = str_from(str_cut(&head, ','), 5), b = str_from(head, 8);
                if (str_u64(a, &line) && str_u64(b, &column)) {
                        p.place.line = (uint32_t)line;
                        p.place.column = (uint32_t)column;
                        p.words = str_trim(rest);
                }
        }
        problems_add(&l->problems, &p);
}

void rule_loader_add_file(struct rule_loader *l, struct str name, struct str bytes)
{
        struct arena *arena = &l->set->arena;
        struct source_file *f = arena_new(arena, struct source_file);
        struct error err = ERROR_NONE;
        f->name = arena_str(arena, name);
        *vec_push(&l->files) = f;
        l->set->library.n_files++;
        if (bytes.n > RULE_FILE_BYTES_MAX) {
                error_set(&err, -E2BIG, "the file is longer than %u bytes", RULE_FILE_BYTES_MAX);
                report_yaml(l, f, &err);
                return;
        }
        f->bytes = arena_str(arena, bytes);
        find_lines(f, arena);
        if (yaml_read(f->bytes, arena, &f->yaml, &err) < 0) {
                report_yaml(l, f, &err);
                return;
        }
        struct loading loading = { &l->set->library, arena, &l->problems, &l->options, f, STR_NONE };
        load_file(&loading);
}

size_t rule_loader_add_condition(struct rule_loader *l, struct str name, struct str condition, struct place place,
                                 unsigned stages)
{
        struct library *library = &l->set->library;
        struct arena *arena = &l->set->arena;
        struct rule_def *r = arena_new(arena, struct rule_def);
        place.file = arena_str(arena, place.file);
        r->rule.name = arena_str(arena, name);
        r->rule.place = place;
        r->rule.stages = stages;
        r->rule.enabled = true;
        r->rule.priority = PRIORITY_WARNING;
        r->is_condition = true;
        *vec_push(&r->pieces) =
                (struct piece){ .kind = PIECE_TEXT, .text = arena_str(arena, condition), .place = place };
        *vec_push(&library->rules) = r;
        return library->rules.n - 1;
}

/* ----------------------------------------------------------------------------------------------- finishing ---- */

static void compile(struct rule_loader *l)
{
        struct rule_set *s = l->set;
        struct loading loading = { &s->library, &s->arena, &l->problems, &l->options, NULL, STR_NONE };
        for (size_t i = 0; i < s->library.rules.n; i++)
                exceptions_apply(&loading, s->library.rules.v[i]);
        size_t n = s->library.rules.n;
        struct output_template **outputs = arena_array(&s->arena, n, sizeof(struct output_template *));
        struct compiler c = { .library = &s->library,
                              .graph = &s->graph,
                              .arena = &s->arena,
                              .problems = &l->problems,
                              .options = &l->options,
                              .about_kind = "rule" };
        graph_init(&s->graph, &s->arena);
        compile_library(&c, outputs);
        uint32_t *gates = arena_array(&s->arena, n, sizeof(*gates));
        for (size_t i = 0; i < n; i++)
                gates[i] = s->library.rules.v[i]->gate;
        if (l->problems.n_errors == 0)
                graph_merge(&s->graph, gates, n);
        s->codes = arena_array(&s->arena, n, sizeof(*s->codes));
        for (size_t i = 0; i < n; i++)
                s->codes[i] = (struct rule_code){ .gate = gates[i], .output = outputs[i] };
}

static void index_refs(struct rule_set *s)
{
        s->refs = arena_array(&s->arena, s->graph.exprs.n, sizeof(struct field_ref *));
        for (size_t i = 0; i < s->graph.exprs.n; i++) {
                struct expr *e = s->graph.exprs.v[i];
                if (e->kind != EXPR_FIELD)
                        continue;
                e->ref.slot = (uint32_t)s->n_refs;
                s->refs[s->n_refs++] = &e->ref;
                if (e->ref.field->id == FIELD_evt_type)
                        s->event = e;
        }
        for (size_t i = 0; i < s->graph.checks.n; i++)
                if (s->graph.checks.v[i]->matcher)
                        s->scratch_size = MAX(s->scratch_size, matcher_scratch_size(s->graph.checks.v[i]->matcher));
}

/* Of every event a rule of the host can hit: Falco warns of it too, for it has to look at all events. */
static void warn_of_all_events(struct rule_loader *l)
{
        const struct rule_set *s = l->set;
        for (size_t i = 0; i < s->library.rules.n; i++) {
                const struct rule_def *d = s->library.rules.v[i];
                if (d->no_event_warning || d->is_condition || d->rule.unsupported || d->rule.stages != STAGE_SYSCALL ||
                    event_set_count(&s->codes[i].events) <= events_count())
                        continue;
                struct problem p = {
                        PROBLEM_WARNING,
                        "no-event-type",
                        d->rule.place,
                        STR_NONE,
                        STR("the rule does not say which evt.type it is about: it is asked of every event"),
                        STR("add evt.type in (...), or warn_evttypes: false")
                };
                p.about = arena_printf(&l->set->arena, "rule \"%.*s\"", STR_FMT(str_upto(d->rule.name, 150)));
                problems_add(&l->problems, &p);
        }
}

struct sorting {
        const struct file_vec *files;
};

static size_t file_number(const struct file_vec *files, struct str name)
{
        size_t i = 0;
        while (i < files->n && !str_eq(files->v[i]->name, name))
                i++;
        return i;
}

static int compare_problems(const void *pa, const void *pb, void *arg)
{
        const struct problem *a = pa, *b = pb;
        const struct sorting *s = arg;
        size_t fa = file_number(s->files, a->place.file), fb = file_number(s->files, b->place.file);
        if (fa != fb)
                return fa < fb ? -1 : 1;
        if (a->place.line != b->place.line)
                return a->place.line < b->place.line ? -1 : 1;
        if (a->place.column != b->place.column)
                return a->place.column < b->place.column ? -1 : 1;
        if (a->level != b->level)
                return a->level > b->level ? -1 : 1;
        int by_about = str_cmp(a->about, b->about);
        return by_about ? by_about : str_cmp(a->words, b->words);
}

/* In the order of files and lines, and what was said twice once: of a macro whose text two rules repeat. */
static void sort_problems(struct problems *p, const struct file_vec *files)
{
        struct sorting s = { files };
        size_t n = 0;
        if (p->n > 1)
                qsort_r(p->v, p->n, sizeof(*p->v), compare_problems, &s);
        for (size_t i = 0; i < p->n; i++) {
                if (n > 0 && compare_problems(&p->v[n - 1], &p->v[i], &s) == 0) {
                        *(p->v[i].level == PROBLEM_ERROR ? &p->n_errors : &p->n_warnings) -= 1;
                        continue;
                }
                p->v[n++] = p->v[i];
        }
        p->n = n;
}

int rule_loader_finish(struct rule_loader *l, struct rule_set **ret, struct problems *ret_problems)
{
        struct rule_set *s = l->set;
        compile(l);
        index_refs(s);
        index_events(s);
        s->counts =
                (struct rule_counts){ s->library.n_files, s->library.rules.n, s->library.macros.n, s->library.lists.n };
        if (l->problems.n_errors == 0)
                warn_of_all_events(l);
        sort_problems(&l->problems, &l->files);
        *ret_problems = l->problems;
        l->problems = (struct problems){ 0 };
        if (ret_problems->n_errors > 0)
                return RULES_WRONG;
        *ret = s;
        l->set = NULL;
        return 0;
}

/* --------------------------------------------------------------------------------------------------- asking ---- */

void rule_set_free(struct rule_set *s)
{
        if (!s)
                return;
        for (size_t i = 0; i < ARRAY_SIZE(s->by_stage); i++)
                selection_done(&s->by_stage[i]);
        for (size_t i = 0; i < s->n_groups; i++)
                selection_done(&s->by_events[i]);
        map_str_done(&s->event_ids);
        graph_done(&s->graph);
        library_done(&s->library);
        arena_done(&s->arena);
        free(s);
}

size_t rule_set_n(const struct rule_set *s) { return s->library.rules.n; }

const struct rule *rule_set_rule(const struct rule_set *s, size_t index) { return &s->library.rules.v[index]->rule; }

size_t rule_set_find(const struct rule_set *s, struct str name)
{
        for (size_t i = 0; i < s->library.rules.n; i++)
                if (str_eq(s->library.rules.v[i]->rule.name, name))
                        return i;
        return SIZE_MAX;
}

struct rule_counts rule_set_counts(const struct rule_set *s) { return s->counts; }

size_t rule_set_n_refs(const struct rule_set *s) { return s->n_refs; }

const struct field_ref *rule_set_ref(const struct rule_set *s, size_t slot) { return s->refs[slot]; }
