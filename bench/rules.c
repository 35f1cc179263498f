/*
 * The rule language alone, in one process and on one core, in processor time:
 *
 *         bench/rules FILE...     compile the files; 100 rules over a million events; a policy over 5,000 findings
 *
 * The hundred rules are those of the files, and as many more of their kind as are missing, written from a pattern. The
 * events are synthetic: what a busy host does most (opens, execs, connections, closes...), with names that the rules
 * ask for here and there. A record is a table by field, as the sensor's is to be.
 */
#include "base/fs.h"
#include "rule/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define COMPILE_ROUNDS 20
#define RULES_WANTED   100
#define EVENTS         1000000
#define KINDS          256 /* different events, taken in turn */
#define FINDINGS       5000
#define FILES_MAX      16

static double seconds(void)
{
        struct timespec t;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct event {
        struct value by_field[FIELDS];
        struct value ancestors[3];
};

static struct value value_of(const struct event *e, const struct field_ref *ref)
{
        if (!ref->has_index || ref->field->id != FIELD_proc_aname)
                return e->by_field[ref->field->id];
        return ref->index >= 1 && ref->index <= 3 ? e->ancestors[ref->index - 1] : value_absent();
}

/* A record as the sensor's will be: what the rules of this set can ask for, by slot. */
static void get_slot(void *ctx, const struct field_ref *ref, struct value *ret)
{
        *ret = ((const struct value *)ctx)[ref->slot];
}

static const char *one_of(unsigned *seed, const char *const *words)
{
        size_t n = 0;
        while (words[n])
                n++;
        return words[(unsigned)rand_r(seed) % n];
}

static void set(struct event *e, enum field_id id, const char *text)
{
        struct value v;
        if (value_parse(fields[id].type, str_of(text), &v))
                e->by_field[id] = v;
}

/* In the proportions of a host that serves files and runs scripts: most events are opens, reads and closes. */
static void make_event(struct event *e, unsigned *seed)
{
        static const char *const types[] = { "openat", "openat",   "openat",  "openat",  "close",  "close",
                                             "read",   "read",     "connect", "connect", "execve", "execve",
                                             "setuid", "unlinkat", "dup2",    "sendto",  NULL };
        static const char *const names[] = { "nginx",        "postgres", "bash", "sh",   "python3", "java",
                                             "node",         "cron",     "sshd", "curl", "systemd", "apt-get",
                                             "redis-server", "runc",     "cat",  "grep", NULL };
        static const char *const paths[] = { "/etc/passwd",
                                             "/etc/shadow",
                                             "/usr/lib/x86_64-linux-gnu/libc.so.6",
                                             "/var/log/syslog",
                                             "/home/user/.ssh/id_rsa",
                                             "/proc/self/status",
                                             "/tmp/x",
                                             "/srv/www/index.html",
                                             "/usr/bin/env",
                                             "/dev/null",
                                             "/etc/nginx/nginx.conf",
                                             "/var/lib/postgresql/base/1",
                                             NULL };
        static const char *const lines[] = { "-g daemon off;",
                                             "-c echo hello",
                                             "-m http.server 8080",
                                             "--config /etc/x.conf -v",
                                             "-D /var/lib/postgresql",
                                             "",
                                             NULL };
        static const char *const addresses[] = { "10.0.0.8", "192.168.1.20", "93.184.216.34", "127.0.0.1", NULL };
        const char *type = one_of(seed, types);
        set(e, FIELD_evt_type, type);
        set(e, FIELD_syscall_type, type);
        set(e, FIELD_evt_res, "SUCCESS");
        set(e, FIELD_evt_rawres, "3");
        set(e, FIELD_evt_num, "17");
        set(e, FIELD_proc_name, one_of(seed, names));
        set(e, FIELD_proc_pname, one_of(seed, names));
        set(e, FIELD_proc_exe, one_of(seed, names));
        set(e, FIELD_proc_args, one_of(seed, lines));
        set(e, FIELD_proc_cmdline, one_of(seed, lines));
        set(e, FIELD_proc_pcmdline, one_of(seed, lines));
        set(e, FIELD_proc_exepath, one_of(seed, paths));
        set(e, FIELD_proc_tty, "0");
        set(e, FIELD_proc_duration, "100s");
        set(e, FIELD_user_name, rand_r(seed) % 4 ? "root" : "www-data");
        set(e, FIELD_user_uid, "0");
        set(e, FIELD_user_loginuid, "-1");
        set(e, FIELD_container_id, rand_r(seed) % 3 ? "3ad7b26ded6d" : "host");
        set(e, FIELD_container_image_repository, "docker.io/library/nginx");
        set(e, FIELD_fd_num, "3");
        for (int i = 0; i < 3; i++)
                e->ancestors[i] = value_string(str_of(one_of(seed, names)));
        e->by_field[FIELD_proc_aname] = value_list(e->ancestors, 3);
        if (type[0] == 'o' || type[0] == 'c' || type[0] == 'r') {
                const char *path = one_of(seed, paths);
                set(e, FIELD_fd_name, path);
                set(e, FIELD_fd_nameraw, path);
                set(e, FIELD_fd_directory, "/etc");
                set(e, FIELD_fd_typechar, "f");
                set(e, FIELD_evt_is_open_read, "true");
                set(e, FIELD_evt_is_open_write, rand_r(seed) % 8 ? "false" : "true");
        }
        if (str_is(str_of(type), "connect") || str_is(str_of(type), "sendto")) {
                set(e, FIELD_fd_typechar, "4");
                set(e, FIELD_fd_sip, one_of(seed, addresses));
                set(e, FIELD_fd_rip, one_of(seed, addresses));
                set(e, FIELD_fd_snet, one_of(seed, addresses));
                set(e, FIELD_fd_sport, "443");
                set(e, FIELD_fd_l4proto, "tcp");
        }
}

static int load(int n, char **paths, struct buf *bytes, const char *more, struct rule_set **ret)
{
        struct problems p;
        struct rule_loader *l = rule_loader_new(NULL);
        for (int i = 0; i < n; i++)
                rule_loader_add_file(l, str_of(paths[i]), buf_str(&bytes[i]));
        if (more)
                rule_loader_add_file(l, STR("more"), str_of(more));
        int r = rule_loader_finish(l, ret, &p);
        for (size_t i = 0; r && i < p.n; i++) {
                struct buf b = BUF_INIT(10000);
                problem_print(&p.v[i], &b);
                fprintf(stderr, "%s\n", b.p);
                buf_done(&b);
        }
        problems_done(&p);
        rule_loader_free(l);
        return r;
}

static int bench_compile(int n, char **paths, struct buf *bytes)
{
        double best = 1e9;
        for (int i = 0; i < COMPILE_ROUNDS; i++) {
                struct rule_set *s;
                double start = seconds();
                if (load(n, paths, bytes, NULL, &s))
                        return 1;
                best = MIN(best, seconds() - start);
                rule_set_free(s);
        }
        printf("  compile %d files                      %8.2f ms (best of %d; the aim is under 20)\n", n, best * 1e3,
               COMPILE_ROUNDS);
        return 0;
}

/* Rules of the kind that the files hold, so many that there are RULES_WANTED. */
static void write_more(struct buf *to, size_t have)
{
        for (size_t i = have; i < RULES_WANTED; i++) {
                buf_printf(to, "- rule: more %zu\n  desc: d\n  output: o\n  priority: INFO\n  condition: ", i);
                if (i % 4 == 0)
                        buf_printf(to,
                                   "spawned_process and container and proc.name in (tool%zu, nc%zu) and not proc.pname "
                                   "in (cron%zu)\n",
                                   i, i, i);
                else if (i % 4 == 1)
                        buf_printf(to,
                                   "open_write and fd.name startswith /opt/app%zu/ and not proc.name in (app%zu, "
                                   "setup) and container\n",
                                   i, i);
                else if (i % 4 == 2)
                        buf_printf(to,
                                   "evt.type in (connect, sendto) and fd.sport in (4%zu, 5%zu) and not proc.aname in "
                                   "(agent%zu)\n",
                                   i, i, i);
                else
                        buf_printf(to,
                                   "open_read and fd.name pmatch (/secret%zu, /keys%zu) and not proc.cmdline contains "
                                   "x%zu\n",
                                   i, i, i);
        }
}

static int bench_events(int n, char **paths, struct buf *bytes)
{
        struct rule_set *s;
        struct buf more = BUF_INIT(1 << 20);
        if (load(n, paths, bytes, NULL, &s))
                return 1;
        write_more(&more, rule_set_n(s));
        rule_set_free(s);
        if (load(n, paths, bytes, more.n ? more.p : NULL, &s))
                return 1;
        struct event *events = xcalloc(KINDS, sizeof(*events));
        struct rule_eval *e = rule_eval_new(s);
        unsigned seed = 1;
        size_t hits = 0;
        size_t n_slots = rule_set_n_refs(s);
        struct value *values = xcalloc(KINDS * n_slots, sizeof(*values));
        for (size_t i = 0; i < KINDS; i++) {
                make_event(&events[i], &seed);
                for (size_t slot = 0; slot < n_slots; slot++)
                        values[i * n_slots + slot] = value_of(&events[i], rule_set_ref(s, slot));
        }
        double start = seconds();
        for (size_t i = 0; i < EVENTS; i++) {
                struct record record = { get_slot, values + i % KINDS * n_slots };
                const uint32_t *ids;
                hits += rule_eval(e, &record, STAGE_SYSCALL, &ids);
        }
        double took = seconds() - start;
        printf("  %zu rules over %d events          %8.0f events a second a core (%zu hits; the aim is 1,000,000)\n",
               rule_set_n(s), EVENTS, EVENTS / took, hits);
        rule_eval_free(e);
        rule_set_free(s);
        free(values);
        free(events);
        buf_done(&more);
        return 0;
}

/* --------------------------------------------------------------------------------------------------- findings ---- */

static void get_finding(void *ctx, const struct field_ref *ref, struct value *ret)
{
        *ret = ((struct value *)ctx)[ref->field->id];
}

static int bench_findings(void)
{
        static const char policy[] =
                "- rule: fixable\n  stage: scan\n  condition: vuln.severity >= high and vuln.fixed_version exists\n  "
                "action: deny\n"
                "- rule: exploited\n  stage: scan\n  condition: vuln.kev = true or vuln.epss >= 0.5\n  action: deny\n"
                "- rule: old\n  stage: scan\n  condition: vuln.published_age > 90d and vuln.severity >= medium and not "
                "package.in_base = true\n  action: warn\n"
                "- rule: secret\n  stage: scan\n  condition: finding.kind = secret and not file.path pmatch "
                "(/usr/share/doc, /usr/share/man)\n  action: deny\n"
                "- rule: packages\n  stage: scan\n  condition: package.name in (openssl, libssl1.1, curl, libcurl4, "
                "bash, busybox) and vuln.severity >= low\n  action: warn\n"
                "- rule: tag\n  stage: scan\n  condition: image.tag = latest\n  action: warn\n";
        struct problems p;
        struct rule_set *s;
        struct rule_loader *l = rule_loader_new(NULL);
        rule_loader_add_file(l, STR("policy"), str_of(policy));
        int r = rule_loader_finish(l, &s, &p);
        problems_done(&p);
        rule_loader_free(l);
        if (r)
                return 1;
        struct value(*findings)[FIELDS] = xcalloc(FINDINGS, sizeof(*findings));
        for (size_t i = 0; i < FINDINGS; i++) {
                findings[i][FIELD_finding_kind] = value_string(STR("vulnerability"));
                findings[i][FIELD_vuln_severity] = value_severity((enum severity)(1 + i % 5));
                findings[i][FIELD_vuln_epss] = value_decimal((int64_t)(i * 7919 % 600000));
                findings[i][FIELD_vuln_published_age] = value_duration((int64_t)(i % 400) * VALUE_DAY);
                findings[i][FIELD_package_name] = value_string(i % 20 ? STR("libxml2") : STR("openssl"));
                findings[i][FIELD_image_tag] = value_string(STR("1.25"));
        }
        struct rule_eval *e = rule_eval_new(s);
        size_t hits = 0;
        double start = seconds();
        for (size_t i = 0; i < FINDINGS; i++) {
                struct record record = { get_finding, findings[i] };
                const uint32_t *ids;
                hits += rule_eval(e, &record, STAGE_SCAN, &ids);
        }
        printf("  %zu policy rules over %d findings    %8.2f ms (%zu hits; the aim is under 10)\n", rule_set_n(s),
               FINDINGS, (seconds() - start) * 1e3, hits);
        rule_eval_free(e);
        rule_set_free(s);
        free(findings);
        return 0;
}

int main(int argc, char **argv)
{
        struct buf bytes[FILES_MAX];
        struct error err = ERROR_NONE;
        int n = argc - 1;
        if (n < 1 || n > FILES_MAX) {
                fprintf(stderr, "usage: bench/rules FILE...\n");
                return 2;
        }
        for (int i = 0; i < n; i++) {
                bytes[i] = BUF_INIT(RULE_FILE_BYTES_MAX);
                if (read_file(argv[i + 1], &bytes[i], &err) < 0) {
                        fprintf(stderr, "%s\n", err.text);
                        return 2;
                }
        }
        int r = bench_compile(n, argv + 1, bytes) || bench_events(n, argv + 1, bytes) || bench_findings();
        for (int i = 0; i < n; i++)
                buf_done(&bytes[i]);
        return r;
}
