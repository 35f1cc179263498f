/* See session.h. */
#include "cli/session.h"

#include "cli/book.h"
#include "flow/ledger.h"
#include "flow/remember.h"
#include "intel/db-locate.h"
#include "proc/worker.h"
#include "source/image.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct reporter *reporter_find(struct str name)
{
        for (size_t i = 0; reporters[i]; i++)
                if (str_is(name, reporters[i]->name))
                        return reporters[i];
        return NULL;
}

static int no_format(struct str name, struct error *err)
{
        _cleanup_(buf_done) struct buf names = BUF_INIT(512);
        for (size_t i = 0; reporters[i]; i++)
                buf_printf(&names, "%s%s", i ? ", " : "", reporters[i]->name);
        return error_set(err, -EINVAL, "no format \"%.*s\"; there are %s", STR_FMT(name), names.p);
}

int session_add_output(struct session_settings *s, const char *value, struct error *err)
{
        struct str rest = str_of(value);
        struct str name = str_cut(&rest, '=');
        const struct reporter *r = reporter_find(name);
        if (!r)
                return no_format(name, err);
        if (s->n_outputs == OUTPUTS_MAX)
                return error_set(err, -EINVAL, "more than %d outputs", OUTPUTS_MAX);
        if (rest.p && !rest.n)
                return error_set(err, -EINVAL, "no file after \"=\"; try -o %s=%s", r->name, r->file_name);
        s->outputs[s->n_outputs].reporter = r;
        s->outputs[s->n_outputs++].path = rest.p ? rest.p : "-";
        return 0;
}

int session_option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct session_settings *s = state;
        if (strcmp(o->name, "output") == 0)
                return session_add_output(s, value, err);
        if (strcmp(o->name, "fail-on") == 0)
                return policy_add_fail_on(&s->policy, value, err);
        if (strcmp(o->name, "platform") == 0) {
                s->source.platform = str_of(value);
                if (!platform_is_valid(s->source.platform))
                        return error_set(err, -EINVAL, "\"%s\" is not of the form OS/ARCH, like linux/arm64", value);
        } else if (strcmp(o->name, "db") == 0)
                s->db = value;
        else if (strcmp(o->name, "ledger") == 0)
                s->ledger = value;
        else if (strcmp(o->name, "vex") == 0) {
                if (s->n_vex == VEX_FILES_MAX)
                        return error_set(err, -EINVAL, "given more than %d times", VEX_FILES_MAX);
                s->vex[s->n_vex++] = value;
        } else if (strcmp(o->name, "author") == 0)
                s->author = value;
        else if (strcmp(o->name, "authfile") == 0)
                s->source.auth_file = value;
        else if (strcmp(o->name, "ca-file") == 0)
                s->source.ca_file = value;
        else if (strcmp(o->name, "plain-http") == 0)
                s->source.plain_http = true;
        else if (strcmp(o->name, "tls-skip-verify") == 0)
                s->source.tls_skip_verify = true;
        else if (strcmp(o->name, "root") == 0)
                s->source.root = value;
        else if (strcmp(o->name, "socket") == 0)
                s->source.socket = value;
        else if (strcmp(o->name, "ledger-db") == 0 && !*value)
                return error_set(err, -EINVAL, "is empty");
        else if (strcmp(o->name, "ledger-db") == 0) {
                s->ledger_db = value;
                s->record = true;
        } else if (strcmp(o->name, "record") == 0)
                s->record = true;
        else if (strcmp(o->name, "no-record") == 0)
                s->no_record = true;
        else if (strcmp(o->name, "verbose") == 0)
                s->verbose = true;
        else if (strcmp(o->name, "quiet") == 0)
                s->quiet = true;
        return 0;
}

static uint64_t now_ms(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/*
 * A scan is recorded when that was asked for, and once there is a ledger at the usual place: a memory with gaps is
 * none. *ret NULL: it is not recorded.
 */
static int open_book(const struct session_settings *s, struct book **ret, struct error *err)
{
        _cleanup_(buf_done) struct buf path = BUF_INIT(PATH_MAX);
        *ret = NULL;
        if (s->no_record || !s->may_record)
                return 0;
        if (s->record)
                return book_open(s->ledger_db, BOOK_CREATE, ret, err);
        if (!book_default_path(&path) || (access(path.p, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR)))
                return 0;
        int r = book_open(path.p, BOOK_WRITE, ret, err);
        if (r < 0 && err) {
                size_t n = strlen(err->text);
                snprintf(err->text + n, sizeof(err->text) - n, "; --no-record scans without it");
        }
        return r;
}

/*
 * Before the scan, so that nobody waits for one that then cannot be recorded. It is not left open: workers are forked
 * from here, and what parses hostile bytes shall not have the ledger's memory.
 */
static int try_book(const struct session_settings *s, struct error *err)
{
        _cleanup_(book_closep) struct book *b = NULL;
        return open_book(s, &b, err);
}

int session_record(const struct session_settings *settings, const struct session *s)
{
        struct arena arena = ARENA_INIT;
        struct error err = ERROR_NONE;
        struct book_scan_outcome outcome;
        _cleanup_(book_closep) struct book *b = NULL;
        int r = open_book(settings, &b, &err);
        if (r == 0 && b) {
                struct book_stamp stamp = stamp_now(&arena);
                r = remember_scan(b, &stamp, &s->scan.report, host_name(&arena), &outcome, &err);
        }
        arena_done(&arena);
        return r < 0 ? fail(EXIT_INCOMPLETE, &err) : 0;
}

int session_run(const struct session_settings *s, const char *target, struct session *ret)
{
        struct error err = ERROR_NONE;
        struct output file = { 0 };
        struct ledger ledger;
        struct str db_source;
        *ret = (struct session){ .started_ms = now_ms() };
        if (db_locate(s->db, &ret->db, &db_source, &err) < 0)
                return fail(EXIT_INCOMPLETE, &err);
        if (try_book(s, &err) < 0) {
                db_close(ret->db);
                return fail(EXIT_INCOMPLETE, &err);
        }
        if (vex_set_read(&ret->vex, s->vex, s->n_vex, &err) < 0) {
                vex_set_done(&ret->vex);
                db_close(ret->db);
                return workers_interrupted() ? EXIT_INCOMPLETE : fail(EXIT_INCOMPLETE, &err);
        }
        progress_start(&ret->progress, !s->quiet && stream_is_terminal(STDERR_FILENO));
        struct scan_options o = {
                .source = s->source,
                .db = ret->db,
                .db_source = db_source,
                .policy = s->policy.n_rules ? &s->policy : &policy_default,
                .vex = s->n_vex ? &ret->vex : NULL,
                .today = today(),
                .progress = &ret->progress.layers,
                .opened = progress_opened,
                .opened_arg = &ret->progress,
        };
        o.source.progress = progress_say;
        o.source.progress_arg = &ret->progress;
        if (s->ledger) {
                if (output_open(&file, s->ledger, &err) < 0) {
                        progress_end(&ret->progress);
                        vex_set_done(&ret->vex);
                        db_close(ret->db);
                        return fail(EXIT_INCOMPLETE, &err);
                }
                ledger = ledger_to_json_lines(file.stream);
                o.ledger = &ledger;
        }
        int r = scan_run(target, &o, &ret->scan, &err);
        progress_end(&ret->progress);
        if (r == 0 && s->ledger && output_commit(&file, &err) < 0) {
                scan_done(&ret->scan);
                r = -EIO;
        }
        if (r == 0)
                return 0;
        if (s->ledger)
                output_abort(&file);
        vex_set_done(&ret->vex);
        db_close(ret->db);
        return workers_interrupted() ? EXIT_INCOMPLETE : fail(EXIT_INCOMPLETE, &err);
}

void session_done(struct session *s)
{
        scan_done(&s->scan);
        vex_set_done(&s->vex);
        db_close(s->db);
}

uint64_t session_elapsed_ms(const struct session *s) { return now_ms() - s->started_ms; }
