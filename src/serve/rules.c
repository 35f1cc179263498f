/* See rules.h. */
#include "serve/rules.h"

#include "base/fs.h"
#include "bpf/shared/exe.h"
#include "proc/worker.h"
#include "serve/record.h"

#include <errno.h>
#include <stdlib.h>

/* What the kernel knows when it decides, and the first field that it does not. */
struct kernel_view {
        const char *type;
        enum exe_layer layer;
        bool is_deleted, in_container;
        struct arena *arena;
        struct str unknown;
};

static void get(void *ctx, const struct field_ref *ref, struct value *ret)
{
        struct kernel_view *v = ctx;
        switch (ref->field->id) {
        case FIELD_evt_type:
        case FIELD_syscall_type:
                *ret = value_string(str_of(v->type));
                return;
        case FIELD_evt_dir:
                *ret = value_string(STR("<"));
                return;
        case FIELD_proc_in_container:
                *ret = value_flag(v->in_container);
                return;
        case FIELD_proc_exe_layer:
                *ret = value_string(str_of(event_layer_name(v->layer)));
                return;
        case FIELD_proc_exe_deleted:
                *ret = value_flag(v->is_deleted);
                return;
        case FIELD_proc_is_exe_upper_layer:
                *ret = value_flag(v->layer == EXE_LAYER_UPPER);
                return;
        case FIELD_proc_is_exe_lower_layer:
                *ret = value_flag(v->layer == EXE_LAYER_LOWER);
                return;
        case FIELD_proc_is_exe_from_memfd:
                *ret = value_flag(v->layer == EXE_LAYER_MEMFD);
                return;
        default:
                if (!v->unknown.n)
                        v->unknown = arena_str(v->arena, ref->text);
        }
}

/* True if it hits this case, by either of the calls that begin a program: the kernel does not tell them apart. */
static bool hits_case(struct rule_eval *eval, struct kernel_view *v)
{
        static const char *const types[] = { "execve", "execveat" };
        struct record record = { get, v };
        const uint32_t *hits;
        bool hit = false;
        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
                v->type = types[i];
                hit |= rule_eval(eval, &record, STAGE_SYSCALL, &hits) > 0;
        }
        return hit;
}

int kill_mask_of(struct str condition, uint32_t *ret_mask, struct arena *arena, struct str *ret_field)
{
        struct rule_loader *l = rule_loader_new(NULL);
        struct rule_set *set = NULL;
        struct problems problems = { 0 };
        struct kernel_view v = { .arena = arena };
        uint32_t mask = 0;
        rule_loader_add_condition(l, STR("kill"), condition, (struct place){ 0 }, STAGE_SYSCALL);
        int r = rule_loader_finish(l, &set, &problems);
        rule_loader_free(l);
        problems_done(&problems);
        if (r != 0) {
                *ret_field = STR("what is no condition");
                return RULES_WRONG;
        }
        struct rule_eval *eval = rule_eval_new(set);
        for (unsigned layer = 0; layer < EXE_LAYERS; layer++)
                for (unsigned bits = 0; bits < 4; bits++) {
                        v.layer = (enum exe_layer)layer;
                        v.is_deleted = bits & 2;
                        v.in_container = bits & 1;
                        if (hits_case(eval, &v))
                                mask |= UINT32_C(1) << exe_case(v.layer, v.is_deleted, v.in_container);
                }
        rule_eval_free(eval);
        rule_set_free(set);
        *ret_mask = mask;
        *ret_field = v.unknown;
        return v.unknown.n ? RULES_WRONG : 0;
}

static void refuse(const struct rule *rule, const char *code, struct str words, const char *suggestion,
                   struct problems *p)
{
        problems_add(p, &(struct problem){ .level = PROBLEM_ERROR,
                                           .code = code,
                                           .place = rule->condition_place,
                                           .about = rule->name,
                                           .words = words,
                                           .suggestion = str_of(suggestion) });
}

/* The cases outside of containers. A rule that kills there could end the host, and every runtime on its way in. */
static uint32_t host_cases(void)
{
        uint32_t mask = 0;
        for (unsigned layer = 0; layer < EXE_LAYERS; layer++)
                mask |= UINT32_C(1) << exe_case((enum exe_layer)layer, 0, 0) |
                        UINT32_C(1) << exe_case((enum exe_layer)layer, 1, 0);
        return mask;
}

/* The mask of the rule's cases, or why there is none. */
static bool compile_kill(const struct rule_set *set, size_t i, uint32_t *mask, struct problems *p)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        _cleanup_(buf_done) struct buf text = BUF_INIT(RULE_PRINT_BYTES_MAX);
        const struct rule *rule = rule_set_rule(set, i);
        uint32_t own = 0;
        struct str field;
        rule_print_condition(set, i, true, &text);
        if (kill_mask_of(buf_str(&text), &own, &arena, &field) != 0) {
                refuse(rule, "kill-undecidable",
                       arena_printf(&arena,
                                    "the kernel decides action kill before the program runs, and does not know %.*s",
                                    STR_FMT(field)),
                       "ask only evt.type, proc.in_container, proc.exe.layer, proc.exe.deleted, or add \"when: after\"",
                       p);
                return false;
        }
        if (own & host_cases()) {
                refuse(rule, "kill-host", STR("action kill would kill programs of the host too"),
                       "add \"and proc.in_container = true\"", p);
                return false;
        }
        *mask = own;
        return true;
}

static int compile_kills(struct agent_rules *r, struct problems *p)
{
        bool is_wrong = false;
        r->kill_masks = xcalloc(rule_set_n(r->set) + 1, sizeof(*r->kill_masks));
        for (size_t i = 0; i < rule_set_n(r->set); i++) {
                const struct rule *rule = rule_set_rule(r->set, i);
                if (rule->action != ACTION_KILL || rule->acts_after || !rule->enabled ||
                    !(rule->stages & STAGE_SYSCALL))
                        continue;
                if (compile_kill(r->set, i, &r->kill_masks[i], p))
                        r->n_kill++;
                else
                        is_wrong = true;
        }
        return is_wrong ? RULES_WRONG : 0;
}

/* A file's name and bytes. */
struct rule_text {
        struct str name;
        struct buf bytes;
};

struct rule_texts {
        struct rule_text *v;
        size_t n;
};

static void texts_done(struct rule_texts *t)
{
        for (size_t i = 0; i < t->n; i++)
                buf_done(&t->v[i].bytes);
        free(t->v);
}

static int texts_read(struct rule_texts *t, const char *const *files, size_t n, struct error *err)
{
        t->v = xcalloc(n + 1, sizeof(*t->v));
        for (; t->n < n; t->n++) {
                t->v[t->n] = (struct rule_text){ str_of(files[t->n]), BUF_INIT(RULE_FILE_BYTES_MAX + 1) };
                int r = read_file(files[t->n], &t->v[t->n].bytes, err);
                if (r < 0) {
                        buf_done(&t->v[t->n].bytes);
                        return r;
                }
        }
        return 0;
}

static int parse(const struct rule_texts *t, struct agent_rules *ret, struct problems *problems)
{
        struct rule_loader *l = rule_loader_new(NULL);
        struct agent_rules loaded = { 0 };
        if (t->n == 0)
                rule_loader_add_file(l, STR("(embedded) data/rules"), rules_embedded());
        for (size_t i = 0; i < t->n; i++)
                rule_loader_add_file(l, t->v[i].name, buf_str(&t->v[i].bytes));
        int r = rule_loader_finish(l, &loaded.set, problems);
        rule_loader_free(l);
        if (r != 0)
                return r;
        r = compile_kills(&loaded, problems);
        if (r != 0) {
                agent_rules_done(&loaded);
                return r;
        }
        loaded.eval = rule_eval_new(loaded.set);
        *ret = loaded;
        return 0;
}

/* ----------------------------------------------------------------------------------------------------- trial ---- */

struct trial {
        const struct rule_texts *texts;
        struct error *err;
        int r;
};

/* The outcome is of no interest, only that there is one. */
static int try_in_worker(void *arg, int fd, struct sink *out, struct error *err)
{
        struct problems problems = { 0 };
        struct agent_rules rules = { 0 };
        (void)fd;
        (void)out;
        (void)err;
        if (parse(((struct trial *)arg)->texts, &rules, &problems) == 0)
                agent_rules_done(&rules);
        problems_done(&problems);
        return 0;
}

static void on_trial_fact(void *arg, enum fact_kind kind, const void *fact)
{
        (void)arg;
        (void)kind;
        (void)fact;
}

static void on_trial_end(void *arg, int r, const char *why)
{
        struct trial *t = arg;
        t->r = r < 0 ? error_set(t->err, r, "the rules were tried in a worker first, and it did not get through: %s",
                                 why)
                     : 0;
}

/* A file that crashes the parser, hangs it or has it take memory without end does so to a process that nobody misses.
 */
static int try_rules(const struct rule_texts *texts, struct error *err)
{
        struct trial t = { .texts = texts, .err = err, .r = -EIO };
        struct job job = { .name = "rules",
                           .run = try_in_worker,
                           .on_fact = on_trial_fact,
                           .on_end = on_trial_end,
                           .arg = &t,
                           .memory_max = RULES_TRIAL_BYTES,
                           .stall_seconds = RULES_TRIAL_SECONDS };
        int r = workers_run(&job, 1, 1, err);
        return r < 0 ? r : t.r;
}

int agent_rules_load(const char *const *files, size_t n, struct agent_rules *ret, struct problems *ret_problems,
                     struct error *err)
{
        _cleanup_(texts_done) struct rule_texts texts = { 0 };
        int r = texts_read(&texts, files, n, err);
        if (r == 0 && n > 0) /* the embedded ones are ours */
                r = try_rules(&texts, err);
        return r < 0 ? r : parse(&texts, ret, ret_problems);
}

void agent_rules_done(struct agent_rules *r)
{
        rule_eval_free(r->eval);
        rule_set_free(r->set);
        free(r->kill_masks);
        *r = (struct agent_rules){ 0 };
}
