/* Incidents: which alerts belong together, what is bounded, and the log that they are read back from. */
#include "base/buf.h"
#include "base/fs.h"
#include "intel/framework.h"
#include "serve/incident-story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)
#define START  (INT64_C(1764158400) * SECOND)

static struct incident_process lineages[8][INCIDENT_LINEAGE_MAX];

/* An alert of process `pid`, child of `parent`, in `session`; container NULL: the host. */
static struct incident_entry alert(int64_t second, const char *container, uint32_t pid, uint32_t parent,
                                   uint32_t session)
{
        static size_t next;
        struct incident_process *l = lineages[next++ % 8];
        l[0] = (struct incident_process){ pid, session, pid * UINT64_C(1000), STR("/bin/x"), STR("x -v") };
        l[1] = (struct incident_process){ parent, session, parent * UINT64_C(1000), STR("/bin/sh"), STR("sh") };
        return (struct incident_entry){ .time_ns = START + second * SECOND,
                                        .boot = STR("boot"),
                                        .priority = PRIORITY_CRITICAL,
                                        .rule = STR("Dropped program executed"),
                                        .output = STR("a program"),
                                        .action = STR("none"),
                                        .container_id = str_of(container),
                                        .lineage = l,
                                        .n_lineage = parent > 0 ? 2 : 1 };
}

static size_t n_ended;
static void count_end(void *arg, struct incident *i) { n_ended++; }

static uint64_t join(struct incident_table *t, struct incident_entry e)
{
        struct incident *i = incident_join(t, &e);
        return i ? i->number : 0;
}

static void one_container_is_one_incident(void **state)
{
        struct incident_table t;
        incident_table_init(&t, count_end, NULL);
        assert_int_equal(join(&t, alert(0, "a", 10, 1, 10)), 1);
        assert_int_equal(join(&t, alert(5, "a", 20, 2, 20)), 1); /* of another descent */
        assert_int_equal(join(&t, alert(5, "b", 30, 1, 30)), 2);
        assert_int_equal(join(&t, alert(5 + 599, "a", 40, 1, 40)), 1);
        assert_int_equal(join(&t, alert(5 + 599 + 600, "a", 50, 1, 50)), 3); /* it was quiet for ten minutes */
        assert_int_equal(incident_open_in(&t, STR("a")), 2);
        for (size_t i = 0; i < t.n; i++) /* the id says enough: nothing is kept of their processes */
                assert_true(t.open[i].members.n == 0 && t.open[i].n_sessions == 0);
        incident_table_done(&t);
}

static void the_host_is_joined_by_descent_and_session(void **state)
{
        struct incident_table t;
        incident_table_init(&t, count_end, NULL);
        assert_int_equal(join(&t, alert(0, NULL, 10, 1, 10)), 1);
        assert_int_equal(join(&t, alert(1, NULL, 11, 10, 99)), 1); /* its parent had one */
        assert_int_equal(join(&t, alert(2, NULL, 12, 1, 99)), 1);  /* the same session as that child */
        assert_int_equal(join(&t, alert(3, NULL, 13, 1, 13)), 2);  /* init is everybody's ancestor, and had none */
        assert_int_equal(join(&t, alert(4, NULL, 14, 0, 0)), 3);   /* no session is no common session */
        assert_int_equal(join(&t, alert(4, NULL, 15, 0, 0)), 4);
        struct incident_entry again = alert(5, NULL, 16, 10, 16);
        ((struct incident_process *)again.lineage)[1].started_ns++; /* the number was used again */
        assert_int_equal(join(&t, again), 5);
        incident_table_done(&t);
}

static void less_than_a_warning_opens_none(void **state)
{
        struct incident_table t;
        struct incident_entry notice = alert(0, "a", 10, 1, 10), nobody = alert(0, NULL, 10, 1, 10);
        incident_table_init(&t, count_end, NULL);
        notice.priority = PRIORITY_NOTICE;
        nobody.n_lineage = 0;
        assert_int_equal(join(&t, notice), 0);
        assert_int_equal(join(&t, nobody), 0);
        assert_int_equal(join(&t, alert(0, "a", 10, 1, 10)), 1);
        assert_int_equal(join(&t, notice), 1); /* but it joins */
        assert_int_equal(t.open[0].priority, PRIORITY_CRITICAL);
        incident_table_done(&t);
}

static void the_table_is_bounded(void **state)
{
        struct incident_table t;
        n_ended = 0;
        incident_table_init(&t, count_end, NULL);
        for (unsigned i = 0; i < 2 * INCIDENTS_OPEN_MAX; i++) {
                char name[16];
                snprintf(name, sizeof(name), "c%u", i);
                assert_int_equal(join(&t, alert(i, name, 10, 1, 10)), i + 1);
        }
        assert_int_equal(t.n, INCIDENTS_OPEN_MAX);
        assert_int_equal(n_ended, INCIDENTS_OPEN_MAX);        /* who gives way is shown, too */
        assert_int_equal(incident_open_in(&t, STR("c0")), 0); /* the quietest gave way */
        assert_int_equal(incident_open_in(&t, STR("c511")), 1);
        for (unsigned i = 0; i < 10 * INCIDENT_MEMBERS_MAX; i++)
                assert_int_equal(join(&t, alert(600, "c511", 100 + i, 1, 100 + i)), 512);
        incident_end_idle(&t, START + (511 + 599) * SECOND);
        assert_int_equal(n_ended, 2 * INCIDENTS_OPEN_MAX - 1);
        assert_int_equal(t.n, 1);
        incident_table_done(&t);
}

static void a_restart_goes_on(void **state)
{
        struct incident_table t;
        struct incident_entry old = alert(0, "a", 10, 1, 10), host = alert(0, NULL, 20, 1, 20);
        incident_table_init(&t, count_end, NULL);
        old.incident = 41;
        host.incident = 42;
        incident_replay(&t, &old);
        incident_replay(&t, &host);
        assert_int_equal(join(&t, alert(9, "a", 30, 1, 30)), 41);
        assert_int_equal(join(&t, alert(9, NULL, 31, 20, 31)), 42);
        assert_int_equal(join(&t, alert(9, "b", 32, 1, 32)), 43);
        incident_table_done(&t);
}

/* ---------------------------------------------------------------------------------------------------- log ---- */

static void lines_come_back(void **state)
{
        struct arena arena = ARENA_INIT;
        _cleanup_(buf_done) struct buf b = BUF_INIT(INCIDENT_LINE_MAX);
        struct incident_entry e = alert(1, "abc", 10, 7, 3), back;
        struct str tags[] = { STR("T1105"), STR("drift") }, previous;
        e.incident = 42;
        e.container_name = STR("shop");
        e.output = STR("odd \xff \x1b[2J \"bytes\"");
        e.tags = (struct str_list){ tags, 2 };
        incident_line(&e, "00ff", &b);
        assert_true(incident_parse(buf_str(&b), &arena, &back, &previous));
        assert_int_equal(back.incident, 42);
        assert_int_equal(back.time_ns, e.time_ns);
        assert_int_equal(back.priority, PRIORITY_CRITICAL);
        assert_int_equal(back.n_lineage, 2);
        assert_int_equal(back.lineage[1].pid, 7);
        assert_int_equal(back.lineage[1].started_ns, 7000);
        assert_true(str_is(back.lineage[0].command, "x -v"));
        assert_true(str_is(back.container_name, "shop"));
        assert_int_equal(back.tags.n, 2);
        assert_true(str_is(back.tags.v[0], "T1105"));
        assert_true(str_is(previous, "00ff"));
        assert_true(str_find(back.output, STR("\"bytes\"")) > 0);
        for (size_t n = 0; n < b.n; n++) /* every beginning of it is malformed */
                assert_false(incident_parse(str_upto(buf_str(&b), n), &arena, &back, &previous));
        for (size_t n = 0; n < b.n; n++) /* no flipped bit does harm */
                for (int bit = 0; bit < 8; bit++) {
                        b.p[n] = (char)(b.p[n] ^ 1 << bit);
                        (void)incident_parse(buf_str(&b), &arena, &back, &previous);
                        b.p[n] = (char)(b.p[n] ^ 1 << bit);
                }
        arena_done(&arena);
}

static void nonsense_is_no_line(void **state)
{
        static const char *const lines[] = {
                "",
                "{}",
                "[]",
                "{\"incident\":0,\"time\":\"2026-11-26T12:00:00.000000000Z\",\"priority\":\"Error\",\"more\":1}",
                "{\"incident\":-1,\"time\":\"2026-11-26T12:00:00.000000000Z\",\"priority\":\"Error\",\"more\":1}",
                "{\"incident\":1,\"time\":\"yesterday\",\"priority\":\"Error\",\"more\":1}",
                "{\"incident\":1,\"time\":\"2026-11-26T12:00:00.000000000Z\",\"priority\":\"Odd\",\"more\":1}",
                "{\"incident\":1,\"time\":\"2026-11-26T12:00:00.000000000Z\",\"priority\":\"Error\",\"more\":0}",
                "{\"incident\":1,\"time\":\"2026-11-26T12:00:00.000000000Z\",\"priority\":\"Error\"}",
                ("{\"incident\":1,\"time\":\"2026-11-26T12:00:00.000000000Z\",\"priority\":\"Error\",\"rule\":\"x\","
                 "\"lineage\":[{\"pid\":4294967296,\"session\":0,\"started\":0}]}"),
        };
        struct arena arena = ARENA_INIT;
        struct incident_entry e;
        struct str previous;
        for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
                if (incident_parse(str_of(lines[i]), &arena, &e, &previous))
                        fail_msg("taken: %s", lines[i]);
        arena_done(&arena);
}

struct log_file {
        char path[64];
        char digest[INCIDENT_DIGEST_BYTES];
        FILE *f;
};

static void log_open(struct log_file *l)
{
        snprintf(l->path, sizeof(l->path), "incidents-XXXXXX");
        l->digest[0] = '\0';
        l->f = fdopen(mkstemp(l->path), "w");
        assert_non_null(l->f);
}

static void log_add(struct log_file *l, uint64_t incident, struct incident_entry e)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(INCIDENT_LINE_MAX);
        e.incident = incident;
        incident_line(&e, l->digest, &b);
        incident_digest(buf_str(&b), l->digest);
        fprintf(l->f, "%s\n", b.p);
        fflush(l->f);
}

static void stories_are_told(void **state)
{
        struct log_file l;
        struct stories all;
        struct str late[] = { STR("T1496") }, early[] = { STR("T1190"), STR("T1059.004") };
        struct incident_entry first = alert(0, "a", 10, 7, 3), second = alert(2, "a", 12, 10, 3);
        struct incident_entry more = { .time_ns = START + 3 * SECOND, .container_id = STR("a"), .more = 1000 };
        log_open(&l);
        first.tags = (struct str_list){ late, 1 };
        second.tags = (struct str_list){ early, 2 };
        second.action = STR("killed");
        more.priority = PRIORITY_WARNING;
        log_add(&l, 3, first);
        log_add(&l, 4, alert(1, "b", 20, 1, 20));
        log_add(&l, 3, second);
        log_add(&l, 3, more);
        assert_int_equal(stories_read(l.path, 0, &all, NULL), 0);
        assert_int_equal(all.n, 2);
        assert_int_equal(all.flaws.first, 0);
        assert_int_equal(all.v[0].number, 3);
        assert_int_equal(all.v[0].alerts, 1002);
        assert_int_equal(all.v[0].enforced, 1);
        stories_done(&all);
        assert_int_equal(stories_read(l.path, 3, &all, NULL), 0);
        assert_int_equal(all.n, 1);
        const struct story *s = &all.v[0];
        assert_int_equal(s->n_entries, 2);
        assert_int_equal(s->n_processes, 3); /* 7, 10, 12, each below the one before */
        assert_int_equal(s->processes[2].process->pid, 12);
        assert_int_equal(s->processes[2].depth, 2);
        assert_int_equal(s->n_techniques, 3); /* by tactic: initial access, execution, impact */
        assert_string_equal(s->techniques[0].technique->id, "T1190");
        assert_string_equal(s->techniques[1].technique->id, "T1059.004");
        assert_string_equal(s->techniques[2].technique->id, "T1496");
        stories_done(&all);
        assert_int_equal(stories_read(l.path, 5, &all, NULL), 0);
        assert_int_equal(all.n, 0);
        stories_done(&all);
        fclose(l.f);
        unlink(l.path);
}

static void what_was_changed_shows(void **state)
{
        struct log_file l;
        struct stories all;
        log_open(&l);
        log_add(&l, 1, alert(0, "a", 10, 1, 3));
        log_add(&l, 1, alert(1, "a", 11, 1, 3));
        fprintf(l.f, "{\"torn");
        fprintf(l.f, "\n");
        incident_digest(STR("{\"torn"), l.digest);
        log_add(&l, 1, alert(2, "a", 12, 1, 3)); /* goes on after what was torn */
        snprintf(l.digest, sizeof(l.digest), "%064d", 0);
        log_add(&l, 1, alert(3, "a", 13, 1, 3)); /* a line before it was taken out */
        assert_int_equal(stories_read(l.path, 0, &all, NULL), 0);
        assert_int_equal(all.flaws.malformed, 1);
        assert_int_equal(all.flaws.breaks, 1);
        assert_int_equal(all.flaws.first, 3);
        assert_int_equal(all.v[0].alerts, 4);
        stories_done(&all);
        fclose(l.f);
        unlink(l.path);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_container_is_one_incident),
                cmocka_unit_test(the_host_is_joined_by_descent_and_session),
                cmocka_unit_test(less_than_a_warning_opens_none),
                cmocka_unit_test(the_table_is_bounded),
                cmocka_unit_test(a_restart_goes_on),
                cmocka_unit_test(lines_come_back),
                cmocka_unit_test(nonsense_is_no_line),
                cmocka_unit_test(stories_are_told),
                cmocka_unit_test(what_was_changed_shows),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
