/* See rules.h. */
#include "serve/rules.h"

#include "base/clock.h"
#include "base/fs.h"
#include "bpf/shared/exe.h"
#include "proc/companion.h"
#include "serve/record.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define TRIAL_LOOK_MS 100

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

struct rules_trial {
        struct rule_texts texts;
        struct servant servant; /* none runs for the embedded rules, which are ours */
        int64_t until_ns;
};

/* What comes of it is of no interest, only that there is an end. */
static void try_in_servant(void *arg, struct str question, const int fds[static MESSAGE_FDS_MAX], struct buf *reply)
{
        struct problems problems = { 0 };
        struct agent_rules rules = { 0 };
        if (parse(arg, &rules, &problems) == 0)
                agent_rules_done(&rules);
        problems_done(&problems);
}

int rules_trial_begin(const char *const *files, size_t n, struct rules_trial **ret, struct error *err)
{
        struct rules_trial *t = xcalloc(1, sizeof(*t));
        const struct servant_work work = { .answer = try_in_servant,
                                           .arg = &t->texts,
                                           .memory_max = RULES_TRIAL_BYTES };
        t->servant.fd = -1;
        t->until_ns = monotonic_ns() + RULES_TRIAL_SECONDS * INT64_C(1000000000);
        int r = texts_read(&t->texts, files, n, err);
        if (r == 0 && n > 0)
                r = servant_start(&work, &t->servant, err);
        if (r == 0 && n > 0)
                (void)servant_ask(&t->servant, STR("try"), NULL, 0); /* if it is gone, rules_trial_take says so */
        if (r < 0) {
                rules_trial_end(t);
                return r;
        }
        *ret = t;
        return 0;
}

int rules_trial_fd(const struct rules_trial *t) { return t->servant.fd; }

int rules_trial_take(struct rules_trial *t, struct error *err)
{
        _cleanup_(buf_done) struct buf reply = BUF_INIT(MESSAGE_MAX);
        char words[SERVANT_WORDS_MAX];
        if (!t->servant.pid)
                return 1;
        int r = servant_take(&t->servant, &reply);
        bool is_late = r == 0 && monotonic_ns() >= t->until_ns;
        if (r >= 0 && !is_late)
                return r;
        servant_end(&t->servant, words);
        if (is_late)
                snprintf(words, sizeof(words), "it had not ended after %u s", RULES_TRIAL_SECONDS);
        else if (!words[0])
                snprintf(words, sizeof(words), "somebody killed it (signal 9)");
        return error_set(err, is_late ? -ETIMEDOUT : -EPIPE,
                         "the rules were tried in a worker first, and it did not get through: %s", words);
}

int rules_trial_load(const struct rules_trial *t, struct agent_rules *ret, struct problems *ret_problems)
{
        return parse(&t->texts, ret, ret_problems);
}

void rules_trial_end(struct rules_trial *t)
{
        char words[SERVANT_WORDS_MAX];
        if (!t)
                return;
        servant_end(&t->servant, words);
        texts_done(&t->texts);
        free(t);
}

int agent_rules_load(const char *const *files, size_t n, struct agent_rules *ret, struct problems *ret_problems,
                     struct error *err)
{
        struct rules_trial *t;
        int r = rules_trial_begin(files, n, &t, err);
        if (r < 0)
                return r;
        struct pollfd p = { .fd = rules_trial_fd(t), .events = POLLIN };
        while ((r = rules_trial_take(t, err)) == 0)
                (void)poll(&p, 1, TRIAL_LOOK_MS);
        r = r < 0 ? r : rules_trial_load(t, ret, ret_problems);
        rules_trial_end(t);
        return r;
}

void agent_rules_done(struct agent_rules *r)
{
        rule_eval_free(r->eval);
        rule_set_free(r->set);
        free(r->kill_masks);
        *r = (struct agent_rules){ 0 };
}
