/* `sekisho doctor`: what this host offers, what the program can use of it, and how old its data are. */
#include "act/actions.h"
#include "act/process-tree.h"
#include "base/date.h"
#include "base/fs.h"
#include "cli/command.h"
#include "intel/db-locate.h"
#include "proc/worker.h"
#include "sense/barrier.h"
#include "sense/mappings.h"
#include "sense/sensor.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define DAY        INT64_C(86400)
#define CHECKS_MAX 64

struct doctor_state {
        bool json;
        const char *db;
};

static const struct option_spec options[] = {
        ADVISORIES_OPTION,
        { "output", 'o', "FORMAT", "table (the default) or json" },
        { NULL, 0, NULL, NULL },
};

static int doctor_option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct doctor_state *s = state;
        if (strcmp(o->name, "db") == 0) {
                s->db = value;
                return 0;
        }
        return option_format(value, "table", &s->json, err);
}

/* One line of the answer. */
struct check {
        const char *area, *name;
        bool good;
        char words[256];
};

static void check_sandbox(struct check *c)
{
        char missing[64];
        struct error err = ERROR_NONE;
        int r = sandbox_probe(missing, &err);
        *c = (struct check){ "workers", "sandbox", r == 0 && !missing[0], "" };
        if (r < 0)
                snprintf(c->words, sizeof(c->words), "%.200s", err.text);
        else if (missing[0])
                snprintf(c->words, sizeof(c->words), "works, but this kernel does not offer %s", missing);
        else
                snprintf(c->words, sizeof(c->words), "seccomp, Landlock, rlimits, no capabilities");
}

static void check_openat2(struct check *c)
{
        _cleanup_(closep) int root = open_in_root(AT_FDCWD, "/", O_PATH);
        *c = (struct check){ "sources", "directories and containers", root >= 0, "" };
        snprintf(c->words, sizeof(c->words), "%s",
                 root >= 0 ? "paths are resolved below their root (openat2)"
                           : "this kernel has no openat2 (Linux 5.6)");
}

static void check_path(struct check *c, const char *name, const char *path, const char *good)
{
        struct stat st;
        bool there = stat(path, &st) == 0, readable = there && access(path, R_OK) == 0;
        *c = (struct check){ "sources", name, readable, "" };
        snprintf(c->words, sizeof(c->words), "%s: %s", path,
                 readable ? good
                 : there  ? "no permission to read it"
                          : "not there");
}

static void check_data(struct check *c, const char *file)
{
        struct db *db;
        struct str source;
        struct error err = ERROR_NONE;
        char day[DATE_TEXT_MAX];
        *c = (struct check){ "data", "advisories", false, "" };
        if (db_locate(file, &db, &source, &err) < 0) {
                snprintf(c->words, sizeof(c->words), "%.200s", err.text);
                return;
        }
        long long age = (today() - (db_date(db) - db_date(db) % DAY)) / DAY;
        c->good = age <= 30;
        snprintf(c->words, sizeof(c->words), "%.*s: %llu, of %s (%lld days old)%s", STR_FMT(source),
                 (unsigned long long)db_advisories(db), date_day(db_date(db), day), age,
                 c->good ? "" : ": sekisho db update");
        db_close(db);
}

static void check_mappings(struct check *c)
{
        struct mappings *m = NULL;
        struct error err = ERROR_NONE;
        *c = (struct check){ "observe", "code that is mapped", mappings_new(&m, &err) == 0, "" };
        snprintf(c->words, sizeof(c->words), "%.200s", c->good ? "by the kernel's records for profilers" : err.text);
        mappings_free(m);
}

/* Each program really loaded and attached, alone. Without them images are scanned all the same. */
static size_t check_sensor(struct check *c)
{
        struct sensor_probe probes[SENSOR_PROGRAMS];
        sensor_probe(probes);
        for (size_t i = 0; i < SENSOR_PROGRAMS; i++) {
                c[i] = (struct check){ "observe", probes[i].gives, probes[i].r == 0, "" };
                snprintf(c[i].words, sizeof(c[i].words), "%s%s", probes[i].r == 0 ? "by the kernel's tracepoint " : "",
                         probes[i].r == 0 ? probes[i].name : probes[i].words);
        }
        check_mappings(&c[SENSOR_PROGRAMS]);
        struct check *kill = &c[SENSOR_PROGRAMS + 1];
        *kill = (struct check){ "enforce", "kill at exec", probes[0].r == 0, "" };
        snprintf(kill->words, sizeof(kill->words), "%s",
                 probes[0].r == 0 ? "before the first instruction, for where the program lies (rules with action kill)"
                                  : "needs the events of exec");
        return SENSOR_PROGRAMS + 2;
}

static void check_action(struct check *c, const char *name, const char *does, const char *how,
                         int (*probe)(struct error *err))
{
        struct error err = ERROR_NONE;
        *c = (struct check){ "enforce", name, probe(&err) == 0, "" };
        snprintf(c->words, sizeof(c->words), "%s%s%.200s", c->good ? does : "", c->good ? ": " : "",
                 c->good ? how : err.text);
}

/* Each action of the table that is no mere undoing, really tried. */
static size_t check_actions(struct check *c)
{
        size_t n = 0;
        for (const struct act_action *a = act_actions; a->name; a++)
                if (a->probe)
                        check_action(&c[n++], a->name, a->does, a->how, a->probe);
        check_action(&c[n++], "kill", "end a process with all its descendants, after the event", "SIGKILL by pidfd",
                     act_kill_tree_probe);
        return n;
}

/* What the guard of containers can do here. No host is worse for having one of them only. */
static size_t check_barrier(struct check *c)
{
        struct barrier_probe probes[BARRIER_PROBES];
        barrier_probe(probes);
        for (size_t i = 0; i < BARRIER_PROBES; i++) {
                c[i] = (struct check){ "enforce", probes[i].gives, probes[i].r == 0, "" };
                snprintf(c[i].words, sizeof(c[i].words), "%s", probes[i].words);
        }
        return BARRIER_PROBES;
}

static void print_text(const struct utsname *kernel, const struct check *checks, size_t n)
{
        printf("sekisho %s on %s %s\n", SEKISHO_VERSION, kernel->sysname, kernel->release);
        for (size_t i = 0; i < n; i++)
                printf("%-8s  %s  %-26s  %s\n",
                       i && strcmp(checks[i - 1].area, checks[i].area) == 0 ? "" : checks[i].area,
                       checks[i].good ? "✓" : "✗", checks[i].name, checks[i].words);
}

static void print_json(const struct utsname *kernel, const struct check *checks, size_t n)
{
        json_t *list = json_array();
        for (size_t i = 0; i < n; i++)
                json_array_append_new(list,
                                      json_pack("{s:s, s:s, s:b, s:s}", "area", checks[i].area, "name", checks[i].name,
                                                "good", checks[i].good, "words", checks[i].words));
        json_t *root =
                json_pack("{s:s, s:s, s:o}", "version", SEKISHO_VERSION, "kernel", kernel->release, "checks", list);
        json_dumpf(root, stdout, JSON_INDENT(2));
        printf("\n");
        json_decref(root);
}

static int doctor_main(void *state, int argc, char **argv)
{
        extern const struct command command_doctor;
        struct doctor_state *s = state;
        struct check checks[CHECKS_MAX];
        struct utsname kernel;
        size_t n = 0;
        if (argc)
                return fail_usage(&command_doctor, "takes no argument, not \"%s\"", argv[0]);
        uname(&kernel);
        check_sandbox(&checks[n++]);
        check_openat2(&checks[n++]);
        check_path(&checks[n++], "podman's store", "/var/lib/containers/storage", "can be read");
        check_path(&checks[n++], "podman's socket", "/run/podman/podman.sock", "can be reached");
        check_path(&checks[n++], "docker's store", "/var/lib/docker", "can be read");
        check_path(&checks[n++], "docker's socket", "/var/run/docker.sock", "can be reached");
        n += check_sensor(&checks[n]);
        n += check_barrier(&checks[n]);
        n += check_actions(&checks[n]);
        check_data(&checks[n++], s->db);
        if (s->json)
                print_json(&kernel, checks, n);
        else
                print_text(&kernel, checks, n);
        return checks[0].good && checks[n - 1].good ? EXIT_CLEAN : EXIT_INCOMPLETE;
}

const struct command command_doctor = {
        .name = "doctor",
        .usage = "doctor [OPTIONS]",
        .summary = "Tell what this host offers and how old the data are",
        .help = "Exit status 3 if the sandbox is not whole or the advisories are old; a store that is not there is no "
                "fault.\n",
        .examples = "  sekisho doctor\n"
                    "  sekisho doctor --json\n",
        .options = options,
        .option = doctor_option,
        .state_size = sizeof(struct doctor_state),
        .run = doctor_main,
};
