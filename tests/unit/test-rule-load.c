/* Rule files: what they define, what later items change, what is said of mistakes and where, and what hostile ones
 * cost. */
#include "rule-case.h"

#include "rule/set.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HEAD "desc: d\n  output: o\n  priority: INFO\n"

struct loaded {
        struct rule_set *set;
        struct problems problems;
};

static struct loaded load(const char *a, const char *b, const struct rule_options *options)
{
        struct loaded l = { 0 };
        struct rule_loader *loader = rule_loader_new(options);
        rule_loader_add_file(loader, STR("a.yaml"), str_of(a));
        if (b)
                rule_loader_add_file(loader, STR("b.yaml"), str_of(b));
        rule_loader_finish(loader, &l.set, &l.problems);
        rule_loader_free(loader);
        return l;
}

static void done(struct loaded *l)
{
        rule_set_free(l->set);
        problems_done(&l->problems);
}

static void show(const struct problems *p)
{
        for (size_t i = 0; i < p->n; i++) {
                struct buf b = BUF_INIT(4096);
                problem_print(&p->v[i], &b);
                print_message("# %s\n", b.p);
                buf_done(&b);
        }
}

/* The condition of rule `rule`, expanded, is the text. */
static void expect_condition(const char *a, const char *b, size_t rule, const char *text)
{
        struct loaded l = load(a, b, NULL);
        struct buf printed = BUF_INIT(10000);
        if (!l.set) {
                show(&l.problems);
                fail_msg("does not load");
        }
        rule_print_condition(l.set, rule, true, &printed);
        assert_string_equal(printed.p, text);
        buf_done(&printed);
        done(&l);
}

static void test_macros_and_lists(void **state)
{
        expect_condition("- list: a\n  items: [x, 'y z', '\"(q)\"', 5]\n"
                         "- list: b\n  items: [a, w]\n"
                         "- list: c\n  items: [b, \"'k'\"]\n"
                         "- macro: m\n  condition: proc.name in (c) or proc.pid=1\n"
                         "- rule: r\n  condition: evt.type=open and m\n  " HEAD,
                         NULL, 0, "evt.type = open and (proc.name in (x, \"y z\", \"(q)\", 5, w, k) or proc.pid = 1)");
        /* A quoted name is no list. */
        expect_condition(
                "- list: a\n  items: [x]\n- rule: r\n  condition: evt.type=open and proc.name in ('a', a)\n  " HEAD,
                NULL, 0, "evt.type = open and proc.name in (\"a\", x)");
        /* in NAME without parentheses; items with commas are several, as Falco reads them. */
        expect_condition(
                "- list: a\n  items: ['x,y']\n- rule: r\n  condition: evt.type=open and proc.name in a\n  " HEAD, NULL,
                0, "evt.type = open and proc.name in (x, y)");
}

static void test_append_and_override(void **state)
{
        const char *base = "- list: l\n  items: [a]\n- macro: m\n  condition: proc.name in (l)\n"
                           "- rule: r\n  condition: evt.type=open and m\n  tags: [t1]\n  " HEAD;
        expect_condition(base, "- list: l\n  items: [b]\n  append: true\n", 0,
                         "evt.type = open and proc.name in (a, b)");
        expect_condition(base, "- list: l\n  items: [b]\n  override:\n    items: append\n", 0,
                         "evt.type = open and proc.name in (a, b)");
        expect_condition(base, "- list: l\n  items: [b]\n", 0, "evt.type = open and proc.name in (b)");
        expect_condition(base, "- macro: m\n  condition: or proc.pid=1\n  append: true\n", 0,
                         "evt.type = open and (proc.name in (a) or proc.pid = 1)");
        expect_condition(base, "- macro: m\n  condition: proc.pid=1\n  override: {condition: replace}\n", 0,
                         "evt.type = open and proc.pid = 1");
        expect_condition(base, "- rule: r\n  condition: and not proc.pid=1\n  append: true\n", 0,
                         "evt.type = open and proc.name in (a) and not proc.pid = 1");
        expect_condition(base, "- rule: r\n  condition: evt.type=close\n  override: {condition: replace}\n", 0,
                         "evt.type = close");
        struct loaded l = load(base,
                               "- rule: r\n  enabled: false\n"
                               "- rule: r\n  tags: [t2, t1]\n  desc: more\n  priority: ERROR\n  output: other\n"
                               "  override: {tags: append, desc: append, priority: replace, output: replace}\n",
                               NULL);
        assert_non_null(l.set);
        const struct rule *r = rule_set_rule(l.set, 0);
        assert_false(r->enabled);
        assert_int_equal(r->tags.n, 2);
        assert_true(str_is(r->tags.v[1], "t2"));
        assert_true(str_is(r->desc, "d more"));
        assert_true(str_is(r->output, "other"));
        assert_int_equal(r->priority, PRIORITY_ERROR);
        assert_false(case_hits(l.set, "evt.type=open; proc.name=a", STAGE_SYSCALL));
        done(&l);
}

static void test_exceptions(void **state)
{
        const char *base = "- rule: r\n  condition: evt.type=open\n  exceptions:\n"
                           "  - name: one\n    fields: proc.name\n    values: [a, b c]\n"
                           "  - name: pair\n    fields: [proc.name, fd.name]\n    comps: [in, startswith]\n"
                           "    values:\n    - [[x, y], /etc]\n    - [z, /usr]\n"
                           "  - name: none\n    fields: [proc.pid]\n  " HEAD;
        expect_condition(base, NULL, 0,
                         "evt.type = open and not proc.name in (a, \"b c\") and not ((proc.name in (x, y) and fd.name "
                         "startswith "
                         "/etc) or (proc.name in (z) and fd.name startswith /usr))");
        expect_condition(
                base,
                "- rule: r\n  exceptions:\n  - name: none\n    values: [[5]]\n  - name: new\n    fields: [user.name]\n"
                "    values: [[root]]\n  append: true\n",
                0,
                "evt.type = open and not proc.name in (a, \"b c\") and not ((proc.name in (x, y) and fd.name "
                "startswith "
                "/etc) or (proc.name in (z) and fd.name startswith /usr)) and not proc.pid = 5 and not user.name = "
                "root");
}

/* What is said of a file, and where: "line:column code" of each problem. */
static const struct {
        const char *file, *problems;
} mistakes[] = {
        { "- rule: r\n  condition: evt.type=open and proc.nmae=x\n  " HEAD, "2:32 unknown-field" },
        { "- rule: r\n  condition: >\n    evt.type=open\n    and proc.pid contains x\n  " HEAD, "4:9 wrong-type" },
        { "- rule: r\n  condition: |\n\n    evt.type=opeen\n  " HEAD, "4:14 unknown-value" },
        { "- rule: r\n  condition: 'evt.type=open and proc.name=''x'' and y'\n  " HEAD, "2:53 unknown-macro" },
        { "- rule: r\n  condition: \"evt.type=open and proc.name=\\\"x\\\" and y\"\n  " HEAD, "2:53 unknown-macro" },
        { "- rule: r\n  condition: evt.type=open and proc.name=a\n    and proc.name startswth b\n  " HEAD,
          "3:19 syntax" },
        { "- rule: r\n  condition: evt.type=open and (proc.name=a\n  " HEAD, "2:44 syntax" },
        { "- rule: r\n  condition: evt.type=open and proc.pid=x\n  " HEAD, "2:41 wrong-type" },
        { "- rule: r\n  condition: evt.type=open and fd.sip=10.0.0\n  " HEAD, "2:39 wrong-type" },
        { "- rule: r\n  condition: evt.type=open and proc.name regex '('\n  " HEAD, "2:48 bad-regex" },
        { "- rule: r\n  condition: evt.type=open and evt.buffer bcontains abc\n  " HEAD, "2:53 bad-hex" },
        { "- rule: r\n  condition: evt.type=open and proc.name bcontains ab\n  " HEAD, "2:32 wrong-type" },
        { "- rule: r\n  condition: evt.type=open and fd.types = file\n  " HEAD, "2:32 wrong-type" },
        { "- rule: r\n  condition: evt.type=open and evt.arg=1\n  " HEAD, "2:32 bad-argument" },
        { "- rule: r\n  condition: evt.type=open and proc.name[1]=1\n  " HEAD, "2:32 bad-argument" },
        { "- rule: r\n  condition: evt.type=open and proc.aname[x]=1\n  " HEAD, "2:32 bad-argument" },
        { "- rule: r\n  " HEAD, "1:3 missing-key" },
        { "- list: a b\n  items: [x]\n", "1:3 bad-name" },
        { "- rule: r\n  condition: evt.type=open\n  capture: true\n  " HEAD
          "- rule: r\n  capture: false\n  override: {capture: replace}\n",
          "" },
        { "- rule: r\n  condition: evt.type=open and proc.name in ()\n  " HEAD, "2:14 never-true 2:32 never-true" },
        { "- rule: r\n  condition: evt.type=open and proc.name=a and proc.name=b\n  " HEAD, "2:14 never-true" },
        { "- rule: r\n  condition: evt.type=open and fd.sport>5 and fd.sport<3\n  " HEAD, "2:14 never-true" },
        { "- rule: r\n  condition: evt.type=open and (proc.name=a or not proc.name=a)\n  " HEAD, "2:33 always-true" },
        { "- rule: r\n  condition: evt.type=open and (not proc.name=a or not proc.name=b)\n  " HEAD,
          "2:33 always-true" },
        { "- rule: r\n  condition: evt.type=open and evt.type=close\n  " HEAD, "2:14 never-true" },
        { "- rule: r\n  condition: proc.name=a\n  " HEAD, "1:3 no-event-type" },
        { "- rule: r\n  condition: proc.name=a\n  warn_evttypes: false\n  " HEAD, "" },
        { "- rule: r\n  condition: not evt.type=open and proc.name=a\n  " HEAD, "" },
        { "- rule: r\n  condition: evt.type=open and evt.dir = <\n  " HEAD, "2:32 deprecated-field" },
        { "- rule: r\n  condition: evt.type=open\n  desc: d\n  priority: INFO\n  output: a %proc.nme b\n",
          "5:13 unknown-field" },
        { "- rule: r\n  condition: evt.type=open\n  desc: d\n  priority: INFO\n  output: 100% sure\n",
          "5:14 unknown-field" },
        { "- rule: r\n  condition: evt.type=open\n  " HEAD "  prority: x\n", "6:3 unknown-key" },
        { "- rule: r\n  condition: evt.type=open\n  desc: d\n  output: o\n  priority: HIGH\n", "5:13 bad-value" },
        { "- rule: r\n  condition: evt.type=open\n", "1:3 missing-key 1:3 missing-key 1:3 missing-key" },
        { "- rule: r\n  enabled: false\n", "1:3 nothing-to-change" },
        { "- rule: r\n  condition: and x\n  append: true\n", "1:3 nothing-to-change" },
        { "- macro: a\n  condition: b\n- macro: b\n  condition: proc.pid=1\n", "2:14 unknown-macro" },
        { "- macro: a\n  condition: proc.pid=1\n- macro: a\n  condition: a or proc.pid=2\n",
          "3:3 redefined 4:14 loop" },
        { "- list: l\n  items: [a]\n- list: l\n  items: [l]\n", "3:3 loop 3:3 redefined" },
        { "- list: l\n  items: [a, 'b(']\n", "2:14 syntax" },
        { "- macro: m\n  condition: proc.name=x\n- rule: r\n  condition: evt.type=open and mm\n  " HEAD,
          "4:32 unknown-macro" },
        { "- required_engine_version: 99\n", "1:28 engine-version" },
        { "- required_engine_version: 1.0.0\n", "1:28 engine-version" },
        { "- required_engine_version: soon\n", "1:28 bad-value" },
        { "- required_engine_version: 15\n- required_engine_version: 0.57.0\n", "" },
        { "- required_plugin_versions:\n  - name: k8saudit\n    version: 0.1.0\n    alternatives: [{name: json, "
          "version: 1}]\n",
          "2:5 plugin" },
        { "- rule: r\n  source: k8s_audit\n  condition: ka.verb=get and jevt.x.y in (a)\n  " HEAD,
          "2:11 unknown-source" },
        { "- rule: r\n  condition: evt.type=open and ka.verb=x\n  skip-if-unknown-filter: true\n  " HEAD,
          "2:32 unknown-field" },
        { "- rule: r\n  stage: [scan, syscal]\n  condition: vuln.severity = high\n  action: deny\n", "2:17 bad-value" },
        { "- rule: r\n  stage: scan\n  condition: proc.name = x\n  action: deny\n", "3:14 wrong-stage" },
        { "- rule: r\n  stage: scan\n  condition: vuln.severity > hihg\n  action: deny\n", "3:30 wrong-type" },
        { "- rule: r\n  stage: scan\n  condition: finding.kind = secrt\n  action: deny\n", "3:29 unknown-value" },
        { "- rule: r\n  stage: scan\n  condition: finding.kind = secret\n", "1:3 missing-key" },
        { "- rule: r\n  condition: evt.type=open\n  action: terminate\n  " HEAD, "" },
        { "- rule: r\n  condition: evt.type=open\n  action: log\n  " HEAD, "" },
        { "- rule: r\n  condition: evt.type=open\n  action: kill\n  when: after\n  " HEAD, "" },
        { "- rule: r\n  condition: evt.type=open\n  action: kill\n  when: now\n  " HEAD, "4:9 bad-value" },
        { "- rule: r\n  condition: evt.type=open\n  when: after\n  " HEAD, "3:9 bad-value" },
        { "- rule: r\n  condition: evt.type=open\n  action: freeze\n  when: after\n  " HEAD, "4:9 bad-value" },
        { "- rule: r\n  rule: s\n  condition: evt.type=open\n  " HEAD, "2:3 duplicate-key" },
        { "- [1]\n", "1:3 bad-value" },
        { "a: b\n", "1:1 bad-value" },
        { "- rle: x\n", "1:3 unknown-item" },
        { "- rule: [\n", "2:1 yaml" },
        { "", "" },
        { "# nothing\n", "" },
};

static void test_mistakes(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
                struct loaded l = load(mistakes[i].file, NULL, NULL);
                char got[1000] = "";
                size_t n = 0;
                for (size_t k = 0; k < l.problems.n; k++)
                        n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%u:%u %s", k ? " " : "",
                                              l.problems.v[k].place.line, l.problems.v[k].place.column,
                                              l.problems.v[k].code);
                if (strcmp(got, mistakes[i].problems) != 0) {
                        show(&l.problems);
                        fail_msg("%s\nshould give \"%s\", gave \"%s\"", mistakes[i].file, mistakes[i].problems, got);
                }
                assert_int_equal(l.set == NULL, l.problems.n_errors > 0);
                done(&l);
        }
}

/* However many warnings there are, the errors are listed. */
static void test_many_problems(void **state)
{
        struct buf b = BUF_INIT((size_t)1 << 20);
        for (int i = 0; i < 1500; i++)
                buf_printf(&b, "- nothing%d: x\n", i);
        buf_puts(&b, "- rule: r\n  condition: evt.type=open and x\n  " HEAD);
        struct loaded l = load(b.p, NULL, NULL);
        assert_int_equal(l.problems.n, RULE_PROBLEMS_MAX);
        assert_int_equal(l.problems.n_errors, 1);
        assert_int_equal(l.problems.n_warnings, 1500);
        assert_int_equal(l.problems.n_dropped, 501);
        assert_int_equal(l.problems.v[l.problems.n - 1].level, PROBLEM_ERROR);
        done(&l);
        buf_done(&b);
}

static void test_unused(void **state)
{
        struct rule_options options = { .warn_unused = true };
        const char *file = "- list: l\n  items: [a]\n- macro: m\n  condition: proc.name=a\n";
        struct loaded l = load(file, NULL, &options);
        assert_int_equal(l.problems.n_warnings, 2);
        done(&l);
        l = load(file, NULL, NULL);
        assert_int_equal(l.problems.n, 0);
        done(&l);
}

static void test_rendering(void **state)
{
        struct loaded l =
                load("- rule: r\n  condition: evt.type=open\n  desc: d\n  priority: INFO\n  output: \"*%proc.name. %%1 "
                     "%tolower(proc.exe)%proc.pid;%proc.aname[2]|%5proc.cwd|%container.info|%evt.arg.flags|%proc."
                     "duration\"\n",
                     NULL, NULL);
        struct case_record r;
        const uint32_t *hits;
        show(&l.problems);
        case_parse(
                "evt.type=open; proc.name=a; proc.exe=ABC; proc.pid=7; proc.cwd=/; container.id=host; proc.duration=5s",
                &r);
        struct record record = { case_get, &r };
        struct rule_eval *e = rule_eval_new(l.set);
        struct buf b = BUF_INIT(1000);
        assert_int_equal(rule_eval(e, &record, STAGE_SYSCALL, &hits), 1);
        rule_render(e, 0, &record, &b);
        assert_string_equal(b.p, "a. %1 abc7;<NA>|/    |container_id=host container_name=<NA>|<NA>|5000000000");
        buf_done(&b);
        rule_eval_free(e);
        done(&l);
}

static void test_needs(void **state)
{
        struct loaded l = load("- rule: r\n  condition: evt.type in (open, close) and fd.name startswith /etc/ and "
                               "tolower(proc.name)=a\n  desc: d\n"
                               "  priority: INFO\n  output: \"%user.name\"\n",
                               NULL, NULL);
        struct arena arena = ARENA_INIT;
        struct rule_needs needs;
        rule_set_needs(l.set, SIZE_MAX, &arena, &needs);
        assert_int_equal(needs.n_events, 2);
        assert_string_equal(needs.events[0], "close");
        assert_int_equal(needs.n_fields, 4);
        assert_true(str_is(needs.fields[2]->text, "proc.name"));
        assert_int_equal(needs.n_prefixes, 1);
        assert_true(str_is(needs.prefixes[0], "/etc/"));
        arena_done(&arena);
        done(&l);
}

/* The order of independent rules changes the order of hits only. */
static void test_order(void **state)
{
        const char *one = "- rule: a\n  condition: evt.type=open and proc.name in (x, y)\n  " HEAD;
        const char *two = "- rule: b\n  condition: evt.type=open and proc.name=x\n  " HEAD;
        struct loaded l = load(one, two, NULL), m = load(two, one, NULL);
        struct case_record r;
        const uint32_t *hits;
        case_parse("evt.type=open; proc.name=x", &r);
        struct record record = { case_get, &r };
        struct rule_eval *e = rule_eval_new(l.set), *f = rule_eval_new(m.set);
        assert_int_equal(rule_eval(e, &record, STAGE_SYSCALL, &hits), 2);
        assert_int_equal(hits[0], 0);
        assert_true(str_is(rule_set_rule(l.set, hits[0])->name, "a"));
        assert_int_equal(rule_eval(f, &record, STAGE_SYSCALL, &hits), 2);
        assert_true(str_is(rule_set_rule(m.set, hits[0])->name, "b"));
        rule_eval_free(e);
        rule_eval_free(f);
        done(&l);
        done(&m);
}

/* Equal parts of conditions are one gate. */
static void test_sharing(void **state)
{
        struct loaded l = load("- macro: m\n  condition: (proc.name=a or proc.name=b)\n"
                               "- rule: r\n  condition: evt.type=open and m\n  " HEAD
                               "- rule: s\n  condition: evt.type=close and (proc.name = a or proc.name = 'b')\n  " HEAD,
                               NULL, NULL);
        assert_int_equal(l.set->graph.checks.n, 4);
        assert_int_equal(l.set->graph.gates.n, 2 + 4 + 1 + 2);
        assert_true(events_count() < 8 * sizeof(struct event_set));
        done(&l);
}

/* -------------------------------------------------------------------------------------------- hostile files ---- */

static void expect_refusal(struct buf *file, const char *code)
{
        struct loaded l = load(file->p, NULL, NULL);
        if (!code) {
                show(&l.problems);
                assert_non_null(l.set);
        } else {
                assert_null(l.set);
                assert_true(l.problems.n > 0);
                assert_string_equal(l.problems.v[0].code, code);
        }
        done(&l);
        buf_done(file);
}

static void test_deep(void **state)
{
        struct buf b = BUF_INIT((size_t)4 << 20);
        buf_puts(&b, "- rule: r\n  condition: evt.type=open and ");
        for (int i = 0; i < 10000; i++)
                buf_puts(&b, "(");
        buf_puts(&b, "proc.pid=1");
        for (int i = 0; i < 10000; i++)
                buf_puts(&b, ")");
        buf_puts(&b, "\n  " HEAD);
        expect_refusal(&b, "syntax");
}

static void test_deep_macros(void **state)
{
        struct buf b = BUF_INIT((size_t)16 << 20);
        for (int i = 0; i < 20000; i++) {
                if (i == 0)
                        buf_puts(&b, "- macro: m0\n  condition: proc.pid=1\n");
                else
                        buf_printf(&b, "- macro: m%d\n  condition: not (m%d and proc.ppid=%d)\n", i, i - 1, i);
        }
        buf_puts(&b, "- rule: r\n  condition: evt.type=open and m19999\n  " HEAD);
        expect_refusal(&b, "too-large");
}

static void test_doubling_macros(void **state)
{
        struct buf b = BUF_INIT((size_t)1 << 20);
        buf_puts(&b, "- macro: m0\n  condition: (proc.pid=1)\n");
        for (int i = 1; i <= 40; i++)
                buf_printf(&b, "- macro: m%d\n  condition: ((m%d and proc.ppid=%d) or (proc.sid=%d and m%d))\n", i,
                           i - 1, i, i, i - 1);
        buf_puts(&b, "- rule: r\n  condition: evt.type=open and m40\n  " HEAD);
        struct loaded l = load(b.p, NULL, NULL);
        struct buf printed = BUF_INIT(RULE_PRINT_BYTES_MAX);
        assert_non_null(l.set);
        assert_true(l.set->graph.gates.n < 500);
        rule_print_condition(l.set, 0, true, &printed);
        assert_true(buf_is_full(&printed));
        assert_false(case_hits(l.set, "evt.type=open; proc.pid=1", STAGE_SYSCALL));
        struct case_record r;
        struct arena arena = ARENA_INIT;
        const struct rule_step *steps;
        const uint32_t *hits;
        case_parse("evt.type=open; proc.pid=1", &r);
        struct record record = { case_get, &r };
        struct rule_eval *e = rule_eval_new(l.set);
        rule_eval(e, &record, STAGE_SYSCALL, &hits);
        assert_int_equal(rule_explain(e, 0, &record, &arena, &steps), RULE_STEPS_MAX);
        rule_eval_free(e);
        arena_done(&arena);
        buf_done(&printed);
        buf_done(&b);
        done(&l);
}

static void test_long_lists(void **state)
{
        struct buf b = BUF_INIT((size_t)16 << 20);
        buf_puts(&b, "- list: l\n  items: [");
        for (int i = 0; i < 100000; i++)
                buf_printf(&b, "%sitem%d", i ? ", " : "", i);
        buf_puts(&b, "]\n- rule: r\n  condition: evt.type=open and proc.name in (l)\n  " HEAD);
        struct loaded l = load(b.p, NULL, NULL);
        assert_non_null(l.set);
        assert_true(case_hits(l.set, "evt.type=open; proc.name=item99999", STAGE_SYSCALL));
        assert_false(case_hits(l.set, "evt.type=open; proc.name=item100000", STAGE_SYSCALL));
        buf_done(&b);
        done(&l);
}

/* Lists of lists of lists, ten of each: ten million items. */
static void test_list_bomb(void **state)
{
        struct buf b = BUF_INIT((size_t)1 << 20);
        buf_puts(&b, "- list: l0\n  items: [a, b, c, d, e, f, g, h, i, j]\n");
        for (int i = 1; i <= 7; i++) {
                buf_printf(&b, "- list: l%d\n  items: [", i);
                for (int k = 0; k < 10; k++)
                        buf_printf(&b, "%sl%d", k ? ", " : "", i - 1);
                buf_puts(&b, "]\n");
        }
        buf_puts(&b, "- rule: r\n  condition: evt.type=open and proc.name in (l7)\n  " HEAD);
        expect_refusal(&b, "too-large");
}

/* Lists that are not too long each, but all together are: a thousand of a hundred thousand items. */
static void test_many_long_lists(void **state)
{
        struct buf b = BUF_INIT((size_t)16 << 20);
        buf_puts(&b, "- list: l\n  items: [");
        for (int i = 0; i < 100000; i++)
                buf_printf(&b, "%si%d", i ? ", " : "", i);
        buf_puts(&b, "]\n");
        for (int i = 0; i < 1000; i++)
                buf_printf(&b, "- list: l%d\n  items: [l]\n", i);
        expect_refusal(&b, "too-large");
}

static void test_long_condition(void **state)
{
        struct buf b = BUF_INIT((size_t)4 << 20);
        buf_puts(&b, "- rule: r\n  condition: evt.type=open and (proc.pid=0");
        for (int i = 1; b.n < 900000; i++)
                buf_printf(&b, " or proc.pid=%d", i);
        buf_puts(&b, ")\n  " HEAD);
        expect_refusal(&b, NULL);
        b = BUF_INIT((size_t)4 << 20);
        buf_puts(&b, "- rule: r\n  condition: evt.type=open and (proc.pid=0");
        for (int i = 1; b.n < 1100000; i++)
                buf_printf(&b, " or proc.pid=%d", i);
        buf_puts(&b, ")\n  " HEAD);
        expect_refusal(&b, "syntax");
}

/*
 * What is filed, simplified, merged and put in another order for speed hits what the conditions as they were written
 * say (which is what explanations evaluate): over records made of words that the rules ask for.
 */
struct random_record {
        const struct rule_set *set;
        unsigned seed;
        struct value *values; /* by slot */
        struct value lists[64][3];
};

static struct value random_value(struct random_record *r, const struct field *f)
{
        const struct graph *g = &r->set->graph;
        for (int tries = 0; tries < 50; tries++) {
                const struct check *c = g->checks.v[(unsigned)rand_r(&r->seed) % g->checks.n];
                if (c->n > 0 && c->left->type == f->type &&
                    (c->left->kind != EXPR_FIELD || c->left->ref.field == f || tries > 25))
                        return c->constants[(unsigned)rand_r(&r->seed) % c->n];
        }
        return f->type == VALUE_STRING ? value_string(STR("x")) : value_absent();
}

static void fill_record(struct random_record *r)
{
        size_t list = 0;
        for (size_t slot = 0; slot < rule_set_n_refs(r->set); slot++) {
                const struct field *f = rule_set_ref(r->set, slot)->field;
                bool may_be_list =
                        f->traits & (FIELD_LIST | FIELD_MANY | FIELD_EITHER) && !rule_set_ref(r->set, slot)->has_index;
                r->values[slot] = rand_r(&r->seed) % 5 ? random_value(r, f) : value_absent();
                if (may_be_list && r->values[slot].type != VALUE_ABSENT && list < 64) {
                        for (size_t i = 0; i < 3; i++)
                                r->lists[list][i] = i > 0 ? r->lists[list][0] : r->values[slot];
                        r->values[slot] = value_list(r->lists[list++], 3);
                }
        }
}

static void get_random(void *ctx, const struct field_ref *ref, struct value *ret)
{
        *ret = ((struct random_record *)ctx)->values[ref->slot];
}

static void compare_with_explanations(const struct rule_set *s, unsigned seed, int rounds)
{
        struct random_record r = { .set = s, .seed = seed };
        struct record record = { get_random, &r };
        struct rule_eval *e = rule_eval_new(s);
        r.values = calloc(rule_set_n_refs(s) + 1, sizeof(*r.values));
        size_t all_hits = 0;
        for (int round = 0; round < rounds; round++) {
                const uint32_t *hits;
                fill_record(&r);
                size_t n = rule_eval(e, &record, STAGE_SYSCALL, &hits), at = 0;
                all_hits += n;
                for (size_t rule = 0; rule < rule_set_n(s); rule++) {
                        struct arena arena = ARENA_INIT;
                        const struct rule_step *steps;
                        bool hit = at < n && hits[at] == rule;
                        at += hit;
                        rule_explain(e, rule, &record, &arena, &steps);
                        if (rule_set_rule(s, rule)->enabled && steps[0].is_true != hit)
                                fail_msg("rule %zu, round %d: %s", rule, round, hit ? "should not hit" : "should hit");
                        arena_done(&arena);
                }
                assert_int_equal(at, n); /* ascending, and each rule once */
        }
        assert_true(all_hits > 0);
        free(r.values);
        rule_eval_free(e);
}

/* Falco's own files, unmodified. */
static void test_falco(void **state)
{
        const char *shared = getenv("SEKISHO_SHARED");
        static const char *const names[] = { "falco_rules.yaml", "falco-incubating_rules.yaml" };
        struct rule_loader *loader = rule_loader_new(NULL);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                char path[400];
                snprintf(path, sizeof(path), "%s/fixtures/falco-rules/%s", shared ? shared : "/nonexistent", names[i]);
                FILE *f = fopen(path, "r");
                if (!f) {
                        rule_loader_free(loader);
                        print_message("# SEKISHO_SHARED has no Falco rules\n");
                        skip();
                }
                static char bytes[1 << 20];
                size_t n = fread(bytes, 1, sizeof(bytes), f);
                fclose(f);
                rule_loader_add_file(loader, str_of(names[i]), str_span(bytes, n));
        }
        struct loaded l = { 0 };
        assert_int_equal(rule_loader_finish(loader, &l.set, &l.problems), 0);
        rule_loader_free(loader);
        assert_int_equal(l.problems.n_errors, 0);
        assert_true(case_hits(
                l.set,
                "evt.type=execve; proc.name=bash; proc.tty=34816; container.id=abc; container.image.repository=x; "
                "proc.is_exe_upper_layer=false; proc.pname=runc; proc.pcmdline=runc; proc.cmdline=bash; "
                "proc.exepath=/bin/bash; proc.args=",
                STAGE_SYSCALL));
        compare_with_explanations(l.set, 1, 400);
        /* Every condition as printed loads again, and prints the same. */
        for (size_t i = 0; i < rule_set_n(l.set); i++) {
                struct buf once = BUF_INIT(RULE_PRINT_BYTES_MAX), twice = BUF_INIT(RULE_PRINT_BYTES_MAX);
                rule_print_condition(l.set, i, true, &once);
                struct rule_set *again = case_set(once.p, STAGE_SYSCALL, false);
                if (!again)
                        fail_msg("%s", once.p);
                rule_print_condition(again, 0, true, &twice);
                assert_string_equal(once.p, twice.p);
                rule_set_free(again);
                buf_done(&once);
                buf_done(&twice);
        }
        done(&l);
}

static void test_speed_changes_nothing(void **state)
{
        static const char *const parts[] = {
                "evt.type=open",
                "evt.type in (open, close)",
                "not evt.type=close",
                "proc.name in (a, b, c)",
                "proc.name=a",
                "proc.name != b",
                "proc.pname = a",
                "proc.cmdline contains ab",
                "proc.cmdline contains b",
                "proc.cmdline contains cd",
                "proc.cmdline contains a",
                "fd.name startswith /etc",
                "fd.name startswith /usr",
                "fd.name startswith /e",
                "fd.name startswith /v",
                "proc.pid > 5",
                "proc.pid = 7",
                "proc.aname in (a, b)",
                "user.name exists",
                "m1",
                "m2",
                "evt.is_open_write=true",
                "container.id != host",
        };
        unsigned seed = 3;
        for (int round = 0; round < 40; round++) {
                struct buf b = BUF_INIT((size_t)1 << 20);
                buf_puts(
                        &b,
                        "- macro: m1\n  condition: (proc.name=a or proc.name=b or proc.name=c or proc.name in (d, e))\n"
                        "- macro: m2\n  condition: (evt.type=read or not m1)\n");
                for (int rule = 0; rule < 30; rule++) {
                        buf_printf(&b, "- rule: r%d\n  desc: d\n  output: o\n  priority: INFO\n  condition: ", rule);
                        int n = 1 + rand_r(&seed) % 6;
                        for (int i = 0; i < n; i++)
                                buf_printf(&b, "%s%s(%s or %s)", i ? " and " : "", rand_r(&seed) % 3 ? "" : "not ",
                                           parts[(unsigned)rand_r(&seed) % ARRAY_SIZE(parts)],
                                           parts[(unsigned)rand_r(&seed) % ARRAY_SIZE(parts)]);
                        for (int i = 0; i < rand_r(&seed) % 4; i++)
                                buf_printf(&b, " and %s", parts[(unsigned)rand_r(&seed) % ARRAY_SIZE(parts)]);
                        buf_puts(&b, rand_r(&seed) % 4 ? "\n"
                                                       : " or (proc.cmdline contains x or proc.cmdline contains y or "
                                                         "proc.cmdline contains ab or proc.cmdline contains z)\n");
                }
                struct loaded l = load(b.p, NULL, NULL);
                assert_non_null(l.set);
                compare_with_explanations(l.set, seed, 30);
                done(&l);
                buf_done(&b);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_macros_and_lists),
                cmocka_unit_test(test_append_and_override),
                cmocka_unit_test(test_exceptions),
                cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_many_problems),
                cmocka_unit_test(test_unused),
                cmocka_unit_test(test_rendering),
                cmocka_unit_test(test_needs),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_sharing),
                cmocka_unit_test(test_deep),
                cmocka_unit_test(test_deep_macros),
                cmocka_unit_test(test_doubling_macros),
                cmocka_unit_test(test_long_lists),
                cmocka_unit_test(test_list_bomb),
                cmocka_unit_test(test_many_long_lists),
                cmocka_unit_test(test_long_condition),
                cmocka_unit_test(test_falco),
                cmocka_unit_test(test_speed_changes_nothing),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
