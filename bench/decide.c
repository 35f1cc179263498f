/*
 * The decision flow, without scanning anything:
 *
 *         bench/decide [FINDINGS [WAIVERS]]     compile each policy that ships, and decide so many findings (5,000) by
 * it, with so many waivers (100)
 *
 * Findings are vulnerabilities of all severities in packages of 300 sources, as a large image has them. Every time is
 * the median of RUNS runs of processor time.
 */
#include "decide/decide.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RUNS  21
#define TODAY (INT64_C(20600) * 86400)

struct made {
        struct subject_finding f;
        struct fact_vulnerability v;
        struct fact_package p;
        struct subject_package packages[1];
        char id[40], source[40];
};

static int by_bytes(struct str a, struct str b) { return str_cmp(a, b); }

static double seconds(void)
{
        struct timespec t;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_time(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;
        return (x > y) - (x < y);
}

static double median(double *v)
{
        qsort(v, RUNS, sizeof(*v), by_time);
        return v[RUNS / 2];
}

static void make(struct made *m, size_t i)
{
        snprintf(m->id, sizeof(m->id), "CVE-2024-%zu", 1000 + i);
        snprintf(m->source, sizeof(m->source), "source%zu", i % 300);
        m->v = (struct fact_vulnerability){ .id = str_of(m->id),
                                            .cve = str_of(m->id),
                                            .severity = (enum severity)(i % 6),
                                            .epss = i * 37 % 100000,
                                            .kev = i % 211 ? 0 : TODAY,
                                            .published = TODAY - (int64_t)i * 3600,
                                            .cvss_vector = STR("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
                                            .fixed = i % 3 ? STR("2.0") : STR_NONE,
                                            .installed = STR("1.0"),
                                            .matched_name = str_of(m->source) };
        m->p = (struct fact_package){
                .name = str_of(m->source), .source = str_of(m->source), .version = STR("1.0"), .type = STR("deb")
        };
        m->packages[0] = (struct subject_package){ .p = &m->p, .purl = STR("pkg:deb/debian/x@1.0") };
        m->f = (struct subject_finding){ .kind = STR("vulnerability"),
                                         .id = str_of(m->id),
                                         .severity = m->v.severity,
                                         .fix = m->v.fixed,
                                         .path = STR("var/lib/dpkg/status"),
                                         .vulnerability = &m->v,
                                         .order = by_bytes,
                                         .packages = m->packages,
                                         .n_packages = 1 };
}

/* Half of them name a finding, half have a condition and a scope. */
static struct waiver *make_waivers(size_t n, struct arena *arena)
{
        struct waiver *v = arena_array(arena, n, sizeof(*v));
        for (size_t i = 0; i < n; i++) {
                v[i] = (struct waiver){ .id = arena_printf(arena, "W-%zu", i),
                                        .owner = STR("a"),
                                        .requester = STR("a"),
                                        .reason = STR("r"),
                                        .response = STR("accept"),
                                        .created = TODAY,
                                        .expires = TODAY + 86400 };
                v[i].condition_place = v[i].place = (struct place){ .file = STR("w.yaml"), .line = 1 };
                if (i % 2)
                        v[i].finding = arena_printf(arena, "CVE-2024-%zu", 1000 + 7 * i);
                else
                        v[i].condition = arena_printf(
                                arena, "package.source = source%zu and vuln.severity < high and vuln.kev = false",
                                i % 300);
        }
        return v;
}

static bool decide_all(const struct policy *p, const struct made *v, size_t n)
{
        const struct subject_artefact a = {
                .now = TODAY, .name = STR("shop/web:1.2"), .tag = STR("1.2"), .is_reference = true
        };
        struct decider *d = decider_new(p, &a, STAGE_SCAN, (struct str_list){ 0 });
        const uint32_t *rules;
        bool denied = decider_artefact(d, &rules) > 100;
        for (size_t i = 0; i < n; i++) {
                struct decision x;
                decider_finding(d, &v[i].f, DECIDE_NONE, &x);
                denied = denied || (action_denies(x.action) && x.waiver == DECIDE_NONE);
        }
        decider_free(d);
        return denied;
}

static int measure(const struct profile *x, const struct made *v, size_t n, const struct waiver *waivers,
                   size_t n_waivers)
{
        const struct policy_file file = { str_of(x->name), x->text };
        const struct policy_input in = { str_of(x->name), &file, 1, waivers, n_waivers };
        double compiling[RUNS], deciding[RUNS];
        bool denied = false;
        for (size_t i = 0; i < RUNS; i++) {
                struct policy *p;
                struct problems problems = { 0 };
                double start = seconds();
                int r = policy_compile(&in, &p, &problems);
                compiling[i] = seconds() - start;
                problems_done(&problems);
                if (r != 0)
                        return fprintf(stderr, "bench/decide: %s does not compile\n", x->name), 1;
                start = seconds();
                denied = decide_all(p, v, n);
                deciding[i] = seconds() - start;
                policy_free(p);
        }
        printf("%s with %zu waivers: compile %.2f ms, decide %zu findings %.2f ms (%s)\n", x->name, n_waivers,
               median(compiling) * 1e3, n, median(deciding) * 1e3, denied ? "denied" : "allowed");
        return 0;
}

int main(int argc, char **argv)
{
        size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 5000,
               n_waivers = argc > 2 ? strtoul(argv[2], NULL, 10) : 100;
        struct arena arena = ARENA_INIT;
        struct made *v = arena_array(&arena, n, sizeof(*v));
        const struct waiver *waivers = make_waivers(n_waivers, &arena);
        int result = 0;
        for (size_t i = 0; i < n; i++)
                make(&v[i], i);
        for (size_t i = 0; i < n_profiles && result == 0; i++) {
                result = measure(&profiles[i], v, n, NULL, 0);
                if (result == 0 && n_waivers)
                        result = measure(&profiles[i], v, n, waivers, n_waivers);
        }
        arena_done(&arena);
        return result;
}
