/* `sekisho pod-security`: judges Kubernetes manifests by the Pod Security Standards. */
#include "flow/pod-security.h"
#include "cli/command.h"
#include "report/text.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define SCHEMA "sekisho.pod-security/1"

extern const struct command command_pod_security;

struct state {
        bool json;
};

static const char *const verdict_names[] = { [POD_PASS] = "pass", [POD_FAIL] = "fail", [POD_ERROR] = "error" };

static const struct option_spec options[] = {
        { "output", 'o', "FORMAT", "text (default): a line for each file; json: with the reasons, for each container" },
        { NULL, 0, NULL, NULL },
};

static int take_option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct state *s = state;
        return option_format(value, "text", &s->json, err);
}

static void print_text(const struct pod_file *files, size_t n, struct arena *arena)
{
        for (size_t i = 0; i < n; i++) {
                const struct pod_file *f = &files[i];
                struct str path = text_clean(arena, str_of(f->path)), error = text_clean(arena, f->error);
                printf("%.*s %s", STR_FMT(path), verdict_names[f->verdict]);
                if (f->verdict == POD_ERROR)
                        printf(" %.*s", STR_FMT(error));
                const char *between = " ";
                for (size_t k = 0; f->verdict == POD_FAIL && k < n_pod_checks; k++)
                        if (pod_file_fails(f, &pod_checks[k])) {
                                printf("%s%s", between, pod_checks[k].about.id);
                                between = ",";
                        }
                printf("\n");
        }
}

static json_t *json_text(struct arena *arena, struct str s)
{
        struct str text = text_utf8(arena, s);
        return json_stringn(text.n ? text.p : "", text.n);
}

static json_t *json_reason(const struct pod_reason *r, struct arena *arena)
{
        json_t *o = json_object();
        json_object_set_new(o, "check", json_string(r->check->about.id));
        json_object_set_new(o, "severity", json_string(severity_name(r->check->about.severity)));
        json_object_set_new(o, "object", json_text(arena, r->object));
        json_object_set_new(o, "line", json_integer((json_int_t)r->line));
        json_object_set_new(o, "column", json_integer((json_int_t)r->column));
        json_object_set_new(o, "reason", json_text(arena, r->words));
        return o;
}

static json_t *json_check(const struct pod_check *c)
{
        json_t *o = json_object(), *tags = json_array();
        for (struct str rest = str_of(c->about.tags); rest.p;) {
                struct str tag = str_cut(&rest, ' ');
                json_array_append_new(tags, json_stringn(tag.p, tag.n));
        }
        json_object_set_new(o, "id", json_string(c->about.id));
        json_object_set_new(o, "title", json_string(c->about.title));
        json_object_set_new(o, "why", json_string(c->about.why));
        json_object_set_new(o, "fix", json_string(c->about.fix));
        json_object_set_new(o, "tags", tags);
        return o;
}

static json_t *json_file(const struct pod_file *f, bool fails[], struct arena *arena)
{
        json_t *o = json_object(), *reasons = json_array(), *checks = json_array();
        for (size_t i = 0; i < f->n; i++)
                json_array_append_new(reasons, json_reason(&f->reasons[i], arena));
        for (size_t i = 0; f->verdict == POD_FAIL && i < n_pod_checks; i++)
                if (pod_file_fails(f, &pod_checks[i])) {
                        json_array_append_new(checks, json_string(pod_checks[i].about.id));
                        fails[i] = true;
                }
        json_object_set_new(o, "file", json_text(arena, str_of(f->path)));
        json_object_set_new(o, "verdict", json_string(verdict_names[f->verdict]));
        json_object_set_new(o, "pods", json_integer((json_int_t)f->pods));
        json_object_set_new(o, "checks", checks);
        json_object_set_new(o, "reasons", reasons);
        json_object_set_new(o, "reasons_omitted", json_integer((json_int_t)f->omitted));
        json_object_set_new(o, "error", f->verdict == POD_ERROR ? json_text(arena, f->error) : json_null());
        return o;
}

/* The checks that denied something are explained once, behind the files. */
static void print_json(const struct pod_file *files, size_t n, const char *level, unsigned minor, struct arena *arena)
{
        bool fails[POD_CHECKS_MAX] = { false };
        char version[16];
        snprintf(version, sizeof(version), "v1.%u", minor);
        json_t *root = json_object(), *list = json_array(), *checks = json_array();
        for (size_t i = 0; i < n; i++)
                json_array_append_new(list, json_file(&files[i], fails, arena));
        for (size_t i = 0; i < n_pod_checks; i++)
                if (fails[i])
                        json_array_append_new(checks, json_check(&pod_checks[i]));
        json_object_set_new(root, "schema", json_string(SCHEMA));
        json_object_set_new(root, "level", json_string(level));
        json_object_set_new(root, "version", json_string(version));
        json_object_set_new(root, "files", list);
        json_object_set_new(root, "checks", checks);
        json_dumpf(root, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        printf("\n");
        json_decref(root);
}

static int pod_security_run(void *state, int argc, char **argv)
{
        const struct state *s = state;
        enum pod_level level;
        unsigned minor;
        if (argc < 3)
                return fail_usage(&command_pod_security, "needs a level, a version and at least one file");
        if (!pod_level_parse(str_of(argv[0]), &level))
                return fail_usage(&command_pod_security,
                                  "the levels are privileged, baseline and restricted, not \"%s\"", argv[0]);
        if (!pod_version_parse(str_of(argv[1]), &minor))
                return fail_usage(&command_pod_security, "the versions are v1.0 to v1.%u and latest, not \"%s\"",
                                  POD_SECURITY_MINOR_MAX, argv[1]);
        char judged_as[16];
        snprintf(judged_as, sizeof(judged_as), "v1.%u", minor);
        if (strcmp(argv[1], "latest") != 0 && strcmp(argv[1], judged_as) != 0)
                fprintf(stderr, "sekisho: %s is newer than what is known here: judged by the checks of %s\n", argv[1],
                        judged_as);
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        size_t n = (size_t)argc - 2;
        struct pod_file *files = arena_array(&arena, n, sizeof(*files));
        for (size_t i = 0; i < n; i++)
                files[i].path = argv[i + 2];
        struct error err = ERROR_NONE;
        int r = pod_security_files(files, n, level, minor, &arena, &err);
        if (r < 0)
                return r == -EINTR ? EXIT_INCOMPLETE : fail(EXIT_INCOMPLETE, &err);
        if (s->json)
                print_json(files, n, argv[0], minor, &arena);
        else
                print_text(files, n, &arena);
        enum pod_verdict worst = POD_PASS;
        for (size_t i = 0; i < n; i++)
                worst = MAX(worst, files[i].verdict);
        return worst == POD_ERROR ? EXIT_INCOMPLETE : worst == POD_FAIL ? EXIT_DENIED : EXIT_CLEAN;
}

const struct command command_pod_security = {
        .name = "pod-security",
        .usage = "pod-security [OPTIONS] LEVEL VERSION FILE...",
        .summary = "Judge Kubernetes manifests by the Pod Security Standards",
        .help = "LEVEL: privileged, baseline or restricted. VERSION: v1.0 to v1.37, or latest. FILE: YAML or JSON, - "
                "for standard input; pods and whatever makes them (Deployment, CronJob, List...), as many as it "
                "holds.\n\nPrints \"FILE pass\", \"FILE fail CHECK[,CHECK...]\" with the names that Kubernetes gives "
                "its checks, or \"FILE error WORDS\" where it cannot be judged: malformed, without a pod, a key twice. "
                "Ends with 0 if all pass, 1 if one fails, 3 if one could not be judged.\n",
        .examples = "  sekisho pod-security restricted latest deploy/*.yaml\n"
                    "  kubectl get deploy -A -o yaml | sekisho pod-security baseline v1.30 -o json -\n",
        .options = options,
        .option = take_option,
        .state_size = sizeof(struct state),
        .run = pod_security_run,
};
