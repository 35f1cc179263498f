/* See session.h. */
#include "cli/session.h"

#include "base/clock.h"

#include "analyze/clamd.h"
#include "analyze/unpack.h"
#include "cli/book.h"
#include "flow/ledger.h"
#include "flow/manifest.h"
#include "flow/register.h"
#include "flow/remember.h"
#include "intel/db-locate.h"
#include "source/image.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
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
        const char *path = rest.p ? rest.p : "-";
        for (size_t i = 0; i < s->n_outputs; i++)
                if (strcmp(s->outputs[i].path, path) == 0)
                        return error_set(
                                err, -EINVAL, "%s already gets %s; write one of them to another file: -o %s=%s",
                                rest.p ? path : "standard output", s->outputs[i].reporter->name, r->name, r->file_name);
        s->outputs[s->n_outputs].reporter = r;
        s->outputs[s->n_outputs++].path = path;
        return 0;
}

int session_option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct session_settings *s = state;
        if (strcmp(o->name, "output") == 0)
                return session_add_output(s, value, err);
        int r = judging_option(&s->judging, o, value, err);
        if (r != OPTION_OTHER)
                return r;
        if (strcmp(o->name, "hashes") == 0)
                return option_append(s->malware.hashes, &s->malware.n_hashes, MALWARE_LISTS_MAX, value, err);
        if (strcmp(o->name, "allow-hashes") == 0)
                return option_append(s->malware.allowed, &s->malware.n_allowed, MALWARE_LISTS_MAX, value, err);
        if (strcmp(o->name, "yara") == 0)
                return option_append(s->malware.yara, &s->malware.n_yara, MALWARE_LISTS_MAX, value, err);
        if (strcmp(o->name, "clamd") == 0) {
                if (!*value)
                        return error_set(err, -EINVAL, "is empty");
                s->malware.clamd = value;
        } else if (strcmp(o->name, "platform") == 0) {
                s->source.platform = str_of(value);
                if (!platform_is_valid(s->source.platform))
                        return error_set(err, -EINVAL, "\"%s\" is not of the form OS/ARCH, like linux/arm64", value);
        } else if (strcmp(o->name, "db") == 0)
                s->db = value;
        else if (strcmp(o->name, "manifest") == 0)
                s->manifest = value;
        else if (strcmp(o->name, "ledger") == 0)
                s->ledger = value;
        else if (strcmp(o->name, "vex") == 0)
                return option_append(s->vex, &s->n_vex, VEX_FILES_MAX, value, err);
        else if (strcmp(o->name, "author") == 0)
                s->author = value;
        else if (strcmp(o->name, "history") == 0)
                s->history = true;
        else if (strcmp(o->name, "packages-only") == 0)
                s->packages_only = true;
        else if (strcmp(o->name, "secret-rules") == 0)
                s->secret_rules = value;
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

/*
 * A scan is recorded when that was asked for, and once there is a ledger at the usual place: a memory with gaps is
 * none. A home that may not even be looked into (sudo -u nobody keeps root's) is no place of this user's. *ret NULL: it
 * is not recorded.
 */
static int open_book(const struct session_settings *s, struct book **ret, struct error *err)
{
        _cleanup_(buf_done) struct buf path = BUF_INIT(PATH_MAX);
        *ret = NULL;
        if (s->no_record || !s->may_record)
                return 0;
        if (s->record)
                return book_open(s->ledger_db, BOOK_CREATE, ret, err);
        if (!book_default_path(&path))
                return 0;
        if (access(path.p, F_OK) < 0 &&
            (errno == ENOENT || errno == ENOTDIR || (errno == EACCES && !env_or("SEKISHO_LEDGER", NULL))))
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

/* What data has ended is put on record after the scan that saw it. */
int session_record(const struct session_settings *settings, const struct session *s)
{
        struct arena arena = ARENA_INIT;
        struct error err = ERROR_NONE;
        struct book_scan_outcome outcome;
        size_t n_ended;
        _cleanup_(book_closep) struct book *b = NULL;
        int r = open_book(settings, &b, &err);
        if (r == 0 && b) {
                struct book_stamp stamp = stamp_now(&arena);
                r = remember_scan(b, &stamp, &s->scan.report, host_name(&arena), &outcome, &err);
                if (r == 0)
                        r = register_end(b, &stamp, &s->scan.report, &n_ended, &err);
        }
        arena_done(&arena);
        return r < 0 ? fail(EXIT_INCOMPLETE, &err) : 0;
}

/* Reads the user's kinds of secrets; what is wrong with them is told line by line. */
static int load_secrets(const char *path, struct session *s)
{
        struct error err = ERROR_NONE;
        if (path) {
                _cleanup_(buf_done) struct buf text = BUF_INIT(SECRET_CONFIG_BYTES_MAX);
                int r = read_file(path, &text, &err);
                if (r == 0)
                        r = secret_config_parse(buf_str(&text), &s->secret_config, &err);
                if (r < 0) {
                        (void)error_prefix(&err, r, "--secret-rules %s", path);
                        return fail(EXIT_USAGE, &err);
                }
                const struct str_list *problems = &s->secret_config->problems;
                for (size_t i = 0; i < problems->n; i++) {
                        (void)error_set(&err, -EINVAL, "--secret-rules %s: %.*s", path, STR_FMT(problems->v[i]));
                        (void)fail(EXIT_USAGE, &err);
                }
                if (problems->n)
                        return EXIT_USAGE;
        }
        s->secrets = secret_set_new(s->secret_config);
        return 0;
}

/* Everything that content is searched for, in one plan. */
static int plan_content(const struct malware_options *o, bool wants_programs, struct session *s, struct error *err)
{
        const struct content_engine *engines[CONTENT_ENGINES_MAX];
        _cleanup_(buf_done) struct buf cache = BUF_INIT(PATH_MAX);
        struct malware_options with_cache = *o;
        with_cache.yara_cache = cache_path("yara", &cache) ? cache.p : NULL;
        int r = malware_new(&with_cache, &s->malware, err);
        if (r < 0)
                return r;
        struct clamd *clamd = malware_clamd(s->malware);
        if (clamd)
                s->clamd = (struct job_helper){ .serve = clamd_serve, .arg = clamd, .worker_fd = &clamd->fd };
        size_t n = malware_engines(s->malware, engines);
        engines[n++] = &unpack_engine;
        secrets_engine_init(&s->secrets_engine, s->secrets);
        engines[n++] = &s->secrets_engine;
        if (wants_programs)
                engines[n++] = &programs_engine;
        return content_plan_new(engines, n, &s->content, err);
}

/* Asked for after the last worker has ended, and only by policies that ask for it: then the ledger is opened. */
static int64_t first_seen(void *arg, struct str id)
{
        struct session *s = arg;
        int64_t t = 0;
        if (!s->has_tried_memory && book_open(s->ledger_path, BOOK_READ, &s->memory, NULL) < 0)
                s->memory = NULL;
        s->has_tried_memory = true;
        return s->memory && book_first_seen(s->memory, id, &t, NULL) == 0 ? t : 0;
}

/* What a scan needs, opened. 0 or the exit code; either way close_all is due. */
static int open_all(const struct session_settings *s, struct session *ret)
{
        struct error err = ERROR_NONE;
        struct str db_source;
        struct judging judging = s->judging;
        if (s->ledger_db)
                judging.ledger = s->ledger_db;
        judging.may_miss = s->no_record;
        ret->ledger_path = judging.ledger;
        if (try_book(s, &err) < 0)
                return fail(EXIT_INCOMPLETE, &err);
        int code = judging_open(&judging, &ret->judgement);
        if (code == 0)
                code = load_secrets(s->secret_rules, ret);
        if (code != 0)
                return code;
        if (db_locate(s->db, &ret->db, &db_source, &err) < 0)
                return fail(EXIT_INCOMPLETE, &err);
        if (!s->packages_only && plan_content(&s->malware, s->manifest, ret, &err) < 0)
                return fail(EXIT_INCOMPLETE, &err);
        if (s->verbose && s->malware.n_yara && !s->packages_only)
                fprintf(stderr, "sekisho: YARA rules: %s\n", malware_yara_origin(ret->malware));
        if (vex_set_read(&ret->vex, s->vex, s->n_vex, &err) < 0)
                return workers_interrupted() ? EXIT_INCOMPLETE : fail(EXIT_INCOMPLETE, &err);
        ret->options = (struct scan_options){
                .source = s->source,
                .db = ret->db,
                .db_source = db_source,
                .history = s->history,
                .secrets = s->packages_only ? NULL : ret->secrets,
                .content = ret->content,
                .malware_rules = ret->malware ? malware_rules_total(ret->malware) : 0,
                .malware_hashes = ret->malware ? malware_hashes_total(ret->malware) : 0,
                .clamd = ret->malware && malware_clamd(ret->malware) ? &ret->clamd : NULL,
                .policy = ret->judgement.policy,
                .stage = ret->judgement.stage,
                .controls = ret->judgement.controls,
                .explain = s->explain,
                .vex = s->n_vex ? &ret->vex : NULL,
                .first_seen = first_seen,
                .first_seen_arg = ret,
                .loaded = env_or("SEKISHO_LOADED", NULL),
                .today = ret->judgement.today,
        };
        return 0;
}

static void close_all(struct session *s)
{
        content_plan_free(s->content);
        malware_free(s->malware);
        vex_set_done(&s->vex);
        secret_set_free(s->secrets);
        secret_config_free(s->secret_config);
        book_close(s->memory);
        db_close(s->db);
        judgement_done(&s->judgement);
}

/* The files that a scan may write beside its reports: whole, or not at all. */
struct side_files {
        struct output ledger_file, manifest_file;
        struct ledger ledger;
        struct manifest_writer manifest;
};

static int open_side_files(const struct session_settings *s, struct side_files *f, const struct ledger **ret,
                           struct error *err)
{
        int r = s->ledger ? output_open(&f->ledger_file, s->ledger, err) : 0;
        if (r == 0 && s->manifest)
                r = output_open(&f->manifest_file, s->manifest, err);
        if (r < 0 && s->manifest && s->ledger)
                output_abort(&f->ledger_file);
        if (r < 0)
                return r;
        *ret = NULL;
        if (s->ledger) {
                f->ledger = ledger_to_json_lines(f->ledger_file.stream);
                *ret = &f->ledger;
        }
        if (s->manifest) {
                manifest_begin(&f->manifest, *ret);
                *ret = &f->manifest.ledger;
        }
        return 0;
}

static int close_side_files(const struct session_settings *s, struct side_files *f, const struct scan *scan,
                            struct error *err)
{
        int r = s->manifest ? manifest_write(&f->manifest, scan, f->manifest_file.stream, err) : 0;
        if (r < 0)
                (void)error_prefix(err, r, "--manifest %s", s->manifest);
        else if (s->manifest && f->manifest.undigested)
                fprintf(stderr, "sekisho: %s: %zu files that can run could not be read whole and are not in it\n",
                        s->manifest, f->manifest.undigested);
        if (r == 0 && s->ledger)
                r = output_commit(&f->ledger_file, err);
        if (r == 0 && s->manifest)
                r = output_commit(&f->manifest_file, err);
        return r < 0 ? -EIO : 0;
}

/* The scan itself, with its progress and the lists of files that it may write. */
static int scan(const struct session_settings *s, const char *target, struct session *ret, struct error *err)
{
        struct scan_options o = ret->options;
        struct side_files files = { 0 };
        int r = open_side_files(s, &files, &o.ledger, err);
        if (r < 0)
                return r;
        progress_start(&ret->progress, !s->quiet && stream_is_terminal(STDERR_FILENO));
        o.progress = &ret->progress.layers;
        o.opened = progress_opened;
        o.opened_arg = &ret->progress;
        o.source.progress = progress_say;
        o.source.progress_arg = &ret->progress;
        r = scan_run(target, &o, &ret->scan, err);
        progress_end(&ret->progress);
        if (r == 0) {
                r = close_side_files(s, &files, &ret->scan, err);
                if (r < 0)
                        scan_done(&ret->scan);
        }
        if (r < 0 && s->ledger)
                output_abort(&files.ledger_file);
        if (r < 0 && s->manifest)
                output_abort(&files.manifest_file);
        if (s->manifest)
                manifest_done(&files.manifest);
        return r;
}

int session_run(const struct session_settings *s, const char *target, struct session *ret)
{
        struct error err = ERROR_NONE;
        *ret = (struct session){ .started_ms = (uint64_t)monotonic_ms() };
        int code = open_all(s, ret);
        if (code == 0 && scan(s, target, ret, &err) < 0)
                code = workers_interrupted() ? EXIT_INCOMPLETE : fail(EXIT_INCOMPLETE, &err);
        if (code != 0)
                close_all(ret);
        return code;
}

void session_done(struct session *s)
{
        scan_done(&s->scan);
        close_all(s);
}

uint64_t session_elapsed_ms(const struct session *s) { return (uint64_t)monotonic_ms() - s->started_ms; }
