/* `sekisho explain`: all that is known about one finding of an artefact, in words. */
#include "cli/session.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct option_spec options[] = {
        ADVISORIES_OPTION,
        JUDGING_OPTIONS,
        { "vex", 0, "FILE", "set findings aside that this OpenVEX, CycloneDX or CSAF document answers; repeatable" },
        SESSION_MALWARE_OPTIONS,
        SESSION_SOURCE_OPTIONS,
        { "output", 'o', "FORMAT", "text (the default) or json: as the report has it (docs/format/report.md)" },
        { "quiet", 'q', NULL, "no progress" },
        { NULL, 0, NULL, NULL },
};

extern const struct command command_explain;

struct explain_state {
        struct session_settings session;
        bool as_json;
};

static int explain_option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct explain_state *x = state;
        return strcmp(o->name, "output") == 0 ? option_format(value, "text", &x->as_json, err)
                                              : session_option(&x->session, o, value, err);
}

static int explain_main(void *state, int argc, char **argv)
{
        struct session session;
        struct error err = ERROR_NONE;
        if (argc != 2)
                return fail_usage(&command_explain, "needs the id of a finding and the target it was found in");
        struct explain_state *x = state;
        struct session_settings *s = &x->session;
        s->explain = str_of(argv[0]);
        int code = session_run(s, argv[1], &session);
        if (code != 0)
                return code;
        struct report_options o = { .colour = may_colour(STDOUT_FILENO), .width = terminal_width(STDOUT_FILENO) };
        int r = x->as_json ? report_explain_json(&session.scan.report, s->explain, stdout)
                           : report_explain(&session.scan.report, s->explain, &o, stdout);
        if (r == -ENOENT)
                (void)error_set(&err, r, "%s is not among the %zu findings of %s: sekisho scan -v %s lists them",
                                argv[0], session.scan.report.n_findings, argv[1], argv[1]);
        else if (r < 0)
                (void)error_errno(&err, r, "cannot write");
        session_done(&session);
        return r < 0 ? fail(EXIT_INCOMPLETE, &err) : EXIT_CLEAN;
}

const struct command command_explain = {
        .name = "explain",
        .usage = "explain [OPTIONS] ID TARGET",
        .summary = "Tell all about one finding: proof, decision, what to do",
        .help = "ID is a CVE or another name of the advisory, or the kind of a finding (end-of-life, modified, ...).\n",
        .examples = "  sekisho explain CVE-2024-5535 nginx-app.tar\n"
                    "  sekisho explain end-of-life registry:localhost:5000/web:1.2\n",
        .options = options,
        .option = explain_option,
        .state_size = sizeof(struct explain_state),
        .run = explain_main,
};
