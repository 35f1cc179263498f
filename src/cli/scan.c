/* `sekisho scan`: what is in an artefact, what is wrong with it, what to do about it. */
#include "cli/session.h"

#include <string.h>
#include <unistd.h>

static const struct option_spec options[] = {
        { "output", 'o', "FORMAT[=FILE]", "table, json, sarif...: sekisho help formats; repeatable (default: table)" },
        JUDGING_OPTIONS,
        { "vex", 0, "FILE", "set findings aside that this OpenVEX, CycloneDX or CSAF document answers; repeatable" },
        { "author", 0, "NAME", "author of the VEX documents that -o writes (default: sekisho)" },
        ADVISORIES_OPTION,
        { "ledger", 0, "FILE", "write what became of every file of every layer, as JSON lines" },
        { "manifest", 0, "FILE", "write what of it can run, for sekisho agent --drift" },
        { "packages-only", 0, NULL, "leave out malware, secrets and files in files (the report says so)" },
        { "history", 0, NULL, "repo: look for secrets in every object of the git repository" },
        { "secret-rules", 0, "FILE", "further kinds of secrets, in the format of gitleaks' configuration" },
        SESSION_MALWARE_OPTIONS,
        { "record", 0, NULL, "keep what was found in the ledger, and begin one where there is none" },
        { "ledger-db", 0, "FILE", "keep it in this ledger instead (sekisho help recording)" },
        { "no-record", 0, NULL, "do not, though there is a ledger" },
        SESSION_SOURCE_OPTIONS,
        { "verbose", 'v', NULL, "the table shows all findings, not only what to do" },
        { "quiet", 'q', NULL, "no table on standard output, no progress: the exit code tells" },
        { NULL, 0, NULL, NULL },
};

static int write_output(const struct reporter *r, const char *path, const struct report *report,
                        struct report_options o, struct error *err)
{
        struct output out;
        int fd = strcmp(path, "-") == 0 ? STDOUT_FILENO : -1;
        o.colour = fd >= 0 && may_colour(fd);
        o.width = fd >= 0 ? terminal_width(fd) : 0;
        if (!o.width)
                o.elapsed_ms = 0; /* the same bytes for the same image and data */
        int e = output_open(&out, path, err);
        if (e < 0)
                return e;
        e = r->write(report, &o, out.stream);
        if (e < 0) {
                (void)error_errno(err, e, "cannot write %s to %s", r->name, path);
                output_abort(&out);
                return e;
        }
        return output_commit(&out, err);
}

static int verdict(const struct report *r)
{
        return r->denied ? EXIT_DENIED : r->complete ? EXIT_CLEAN : EXIT_INCOMPLETE;
}

extern const struct command command_scan;

static int scan_main(void *state, int argc, char **argv)
{
        struct session_settings *s = state;
        struct session session;
        struct error err = ERROR_NONE;
        if (argc == 0)
                return fail_usage(&command_scan, "what should be scanned?");
        if (argc > 1)
                return fail_usage(&command_scan, "one target at a time; \"%s\" is one too many", argv[1]);
        if (!s->n_outputs && !s->quiet)
                (void)session_add_output(s, "table", &err);
        if (s->record && s->no_record)
                return fail_usage(&command_scan, "--no-record and --record exclude each other");
        if (s->manifest && s->packages_only)
                return fail_usage(&command_scan, "--manifest needs the content of files: not with --packages-only");
        s->may_record = true;
        int code = session_run(s, argv[0], &session);
        if (code != 0)
                return code;
        const struct report *report = &session.scan.report;
        struct report_options o = { .verbose = s->verbose,
                                    .elapsed_ms = session_elapsed_ms(&session),
                                    .author = s->author };
        code = verdict(report);
        for (size_t i = 0; i < s->n_outputs; i++)
                if (write_output(s->outputs[i].reporter, s->outputs[i].path, report, o, &err) < 0)
                        code = fail(EXIT_INCOMPLETE, &err);
        int recorded = session_record(s, &session);
        session_done(&session);
        return recorded ? recorded : code;
}

const struct command command_scan = {
        .name = "scan",
        .usage = "scan [OPTIONS] TARGET",
        .summary = "Tell what is in an image, what is wrong with it and what to do",
        .help = "TARGET is an archive, an OCI layout, a directory, a registry reference, an image of podman or docker, "
                "or a running container. A prefix forces the kind: sekisho help sources.\nExit status: 0 clean by the "
                "policy, 1 denied, 2 usage, 3 could not complete.\nSee also: sekisho help policy, sekisho help "
                "formats.\n",
        .examples = "  sekisho scan nginx-app.tar\n"
                    "  sekisho scan registry:localhost:5000/web:1.2 --fail-on high,fixable --fail-on kev -o "
                    "html=report.html\n",
        .options = options,
        .option = session_option,
        .state_size = sizeof(struct session_settings),
        .run = scan_main,
};
