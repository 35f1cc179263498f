/* `sekisho agent`: watches the containers of this host. */
#include "serve/agent.h"

#include "base/vec.h"
#include "cli/agent-config.h"
#include "cli/agent-faces.h"
#include "cli/agent-files.h"
#include "cli/agent-guard.h"
#include "cli/agent-status.h"
#include "cli/command.h"
#include "cli/rule.h"
#include "sense/sensor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RULE_FILES_MAX 64u

struct agent_command {
        bool foreground;
        const char *rules[RULE_FILES_MAX];
        size_t n_rules;
        struct faces_options faces;
        const char *alerts, *incidents, *output, *least, *keep, *forget;
        struct respond_options respond;
        bool is_full;
        uint64_t ring_kb;
        struct drift_options drift;
        struct files_options files;
        struct guard_options guard;
};

static const struct option_spec options[] = {
        { "config", 0, "FILE",
          "these options by their names, in YAML; what stands behind it on the command line wins" },
        { "foreground", 0, NULL, "stay in the foreground: the one way it runs; a service manager does the rest" },
        { "rules", 'r', "FILE", "rules instead of the embedded ones; may be given several times" },
        { "alerts", 0, "FILE", "append each alert to FILE, as a line of JSON" },
        { "incidents", 0, "FILE", "append what belongs to each incident to FILE, for sekisho incident" },
        { "drift", 0, "[PATTERN=]FILE",
          "what may run in containers: a manifest of sekisho scan --manifest; repeatable" },
        { "drift-mode", 0, "[PATTERN=]MODE", "off, log, alert (the default with --drift) or enforce; repeatable" },
        { "forbid", 0, "[PATTERN=]WHAT", "connect, ptrace, bpf in containers (BPF LSM); repeatable" },
        { "append-only", 0, "[PATTERN=]DIR", "files below DIR of containers only grow (BPF LSM); repeatable" },
        { "output", 'o', "FORMAT", "of alerts on standard output: text (the default), json or none" },
        { "least", 0, "PRIORITY", "least urgent priority that is told (default: warning)" },
        { "respond", 0, "MODE", "to rules with an action: enforce (the default), alert or log" },
        { "responses", 0, "FILE", "modes for workloads and rules" },
        { "actions", 0, "FILE", "journal of what was done (default: actions.jsonl beside the alerts)" },
        { "pins", 0, "DIR", "where what cuts containers off is kept (default: /sys/fs/bpf/sekisho)" },
        AGENT_FACES_OPTIONS,
        AGENT_FILES_OPTIONS,
        GUARD_OPTIONS,
        { "mode", 0, "MODE", "lean (the default): no system call is slowed down; full: rules see system calls too" },
        { "keep", 0, "DIR",
          "what watches and kills stays when the agent ends, in DIR below /sys/fs/bpf; the next one takes it over" },
        { "forget", 0, "DIR", "take away what an agent kept in DIR, and end" },
        { "ring", 0, "KIB", "size of each ring of events: a power of two (default: 4096)" },
        { NULL, 0, NULL, NULL },
};

/* Options whose value is kept as it is, and lists of such values. */
static const struct {
        const char *name;
        size_t place;
} texts[] = {
        { "alerts", offsetof(struct agent_command, alerts) },
        { "incidents", offsetof(struct agent_command, incidents) },
        { "responses", offsetof(struct agent_command, respond.responses) },
        { "actions", offsetof(struct agent_command, respond.actions) },
        { "pins", offsetof(struct agent_command, respond.pins) },
        { "least", offsetof(struct agent_command, least) },
        { "keep", offsetof(struct agent_command, keep) },
        { "forget", offsetof(struct agent_command, forget) },
};

static const struct {
        const char *name;
        size_t place, n, most;
} lists[] = {
        { "rules", offsetof(struct agent_command, rules), offsetof(struct agent_command, n_rules), RULE_FILES_MAX },
        { "drift", offsetof(struct agent_command, drift.manifests), offsetof(struct agent_command, drift.n_manifests),
          DRIFT_WORDS_MAX },
        { "drift-mode", offsetof(struct agent_command, drift.modes), offsetof(struct agent_command, drift.n_modes),
          DRIFT_WORDS_MAX },
        { "forbid", offsetof(struct agent_command, drift.forbidden), offsetof(struct agent_command, drift.n_forbidden),
          DRIFT_WORDS_MAX },
        { "append-only", offsetof(struct agent_command, drift.append_only),
          offsetof(struct agent_command, drift.n_append_only), DRIFT_WORDS_MAX },
};

static void *at(struct agent_command *c, size_t place) { return (char *)c + place; }

static int keep_value(struct agent_command *c, const char *name, const char *value, struct error *err)
{
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                if (strcmp(name, texts[i].name) == 0) {
                        *(const char **)at(c, texts[i].place) = value;
                        return 0;
                }
        for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
                if (strcmp(name, lists[i].name) == 0)
                        return option_append(at(c, lists[i].place), at(c, lists[i].n), lists[i].most, value, err);
        }
        return OPTION_OTHER;
}

/* Each of those who know some of the options is asked; what nobody knows is here. */
static int agent_option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        static struct arena values; /* of a configuration: they are used as long as the agent runs */
        struct agent_command *c = state;
        int r = guard_option(&c->guard, o, value, err);
        if (r == OPTION_OTHER)
                r = agent_files_option(&c->files, o, value, err);
        if (r == OPTION_OTHER)
                r = agent_faces_option(&c->faces, o, value, err);
        if (r == OPTION_OTHER)
                r = keep_value(c, o->name, value, err);
        if (r != OPTION_OTHER)
                return r;
        if (strcmp(o->name, "config") == 0)
                return agent_config_load(value, options, agent_option, c, &values, err);
        if (strcmp(o->name, "respond") == 0)
                return respond_mode_parse(str_of(value), &c->respond.mode)
                               ? 0
                               : error_set(err, -EINVAL, "takes enforce, alert or log");
        if (strcmp(o->name, "ring") == 0)
                return str_u64(str_of(value), &c->ring_kb) && c->ring_kb > 0 && c->ring_kb <= UINT32_MAX / 1024
                               ? 0
                               : error_set(err, -EINVAL, "takes a number of KiB, not \"%s\"", value);
        if (strcmp(o->name, "mode") == 0) {
                c->is_full = strcmp(value, "full") == 0;
                return c->is_full || strcmp(value, "lean") == 0
                               ? 0
                               : error_set(err, -EINVAL, "takes lean or full, not \"%s\"", value);
        }
        if (strcmp(o->name, "output") == 0) {
                c->output = value;
                bool is_known = strcmp(value, "text") == 0 || strcmp(value, "json") == 0 || strcmp(value, "none") == 0;
                return is_known ? 0 : error_set(err, -EINVAL, "takes text, json or none");
        }
        c->foreground = true;
        return 0;
}

static void say(void *arg, const char *words) { fprintf(stderr, "sekisho: agent: %s\n", words); }

static void say_problems(void *arg, const struct problems *p) { rule_print_problems(p, false); }

static int parse_priority(const char *name, enum rule_priority *ret)
{
        for (unsigned i = 0; i < PRIORITIES; i++)
                if (str_eq_nocase(str_of(name), str_of(rule_priority_names[i]))) {
                        *ret = (enum rule_priority)i;
                        return 0;
                }
        return -EINVAL;
}

static int undo(const struct files_options *f)
{
        struct error err = ERROR_NONE;
        int n = guard_undo(f->guard_journal ? f->guard_journal : LOG_GUARD_JOURNAL, &err);
        if (n < 0)
                return fail(EXIT_INCOMPLETE, &err);
        printf("%d %s guarded any more\n", n, n == 1 ? "log is not" : "logs are not");
        return EXIT_CLEAN;
}

static int agent_main(void *state, int argc, char **argv)
{
        extern const struct command command_agent;
        struct agent_command *c = state;
        struct agent_options o = { .rules = c->rules,
                                   .n_rules = c->n_rules,
                                   .alerts = c->alerts,
                                   .incidents = c->incidents,
                                   .faces = c->faces,
                                   .least = PRIORITY_WARNING,
                                   .files = c->files,
                                   .ring_bytes = (uint32_t)(c->ring_kb * 1024),
                                   .respond = c->respond,
                                   .drift = c->drift,
                                   .is_full = c->is_full,
                                   .keep = c->keep,
                                   .guard = c->guard,
                                   .tell = say,
                                   .tell_problems = say_problems };
        if (argc == 1 && strcmp(argv[0], "status") == 0)
                return agent_status(c->faces.socket, c->output && strcmp(c->output, "json") == 0);
        if (argc == 1 && strcmp(argv[0], "reload") == 0)
                return agent_tell_reload(c->faces.socket);
        if (argc == 1 && strcmp(argv[0], "metrics") == 0)
                return agent_print_metrics(c->faces.socket);
        if (argc)
                return fail_usage(&command_agent, "takes status, reload, metrics, or no argument, not \"%s\"", argv[0]);
        struct error err = ERROR_NONE;
        if (c->forget)
                return sensor_forget(c->forget, &err) < 0 ? fail(EXIT_INCOMPLETE, &err) : EXIT_CLEAN;
        if (c->files.undo)
                return undo(&c->files);
        if (!c->foreground)
                return fail_usage(&command_agent, "runs in the foreground only: give --foreground");
        if (c->least && parse_priority(c->least, &o.least) < 0)
                return fail_usage(&command_agent,
                                  "no priority is called \"%s\": emergency, alert, critical, error, "
                                  "warning, notice, informational or debug",
                                  c->least);
        if (!c->output || strcmp(c->output, "none") != 0)
                o.stream = stdout;
        o.is_json = c->output && strcmp(c->output, "json") == 0;
        struct agent_counts n;
        int r = agent_run(&o, &n, &err);
        if (r < 0)
                return fail(EXIT_INCOMPLETE, &err);
        if (r > 0)
                return EXIT_USAGE;
        fprintf(stderr,
                "sekisho: agent: ended: %llu events, %llu alerts, %llu programs killed; lost: %llu exec, %llu "
                "fork, %llu exit, %llu call; %llu records malformed, %llu alerts held back, %llu not written\n",
                (unsigned long long)n.events, (unsigned long long)n.alerts, (unsigned long long)n.killed,
                (unsigned long long)n.lost[0], (unsigned long long)n.lost[1], (unsigned long long)n.lost[2],
                (unsigned long long)n.lost[3], (unsigned long long)n.malformed, (unsigned long long)n.held,
                (unsigned long long)n.unwritten);
        return n.unwritten ? EXIT_INCOMPLETE : EXIT_CLEAN;
}

const struct command command_agent = {
        .name = "agent",
        .usage = "agent --foreground [OPTIONS] | agent status|reload|metrics",
        .summary = "Watch what runs in the containers of this host, and tell or stop it",
        .help = "Programs that begin are seen by the kernel's own objects, without slowing down system calls; rules "
                "say which "
                "are told. Full mode shows rules the system calls that they ask for, and filters them in the kernel; "
                "SIGUSR1 changes to it, SIGUSR2 back to lean mode. SIGHUP loads the rules anew, SIGTERM ends it; "
                "nothing "
                "stays in the kernel. A rule with \"action: kill\" stops a program before its first instruction.\n",
        .examples = "  sekisho agent --foreground --alerts /var/log/sekisho/alerts.jsonl\n"
                    "  sekisho agent --foreground --mode full -r falco_rules.yaml -r mine.yaml -o json\n",
        .options = options,
        .option = agent_option,
        .state_size = sizeof(struct agent_command),
        .run = agent_main,
};
