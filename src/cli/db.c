/* `sekisho db`: build, update, status, feeds. */
#include "base/clock.h"
#include "base/date.h"
#include "base/fs.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "flow/db-update.h"
#include "intel/db-locate.h"
#include "intel/hash-list.h"
#include "proc/worker.h"
#include "report/text.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FEED_COLUMN_MAX 40
#define MALFORMED_SHOWN 5 /* of each feed */

extern const struct command command_db;

struct db_command {
        const char *out, *config, *cache, *db, *ca_file;
        bool no_summaries, force, json, verify, quiet;
};

static int option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct db_command *c = state;
        const struct {
                const char *name;
                const char **text;
                bool *flag;
        } places[] = {
                { "out", &c->out, NULL },         { "config", &c->config, NULL },
                { "cache", &c->cache, NULL },     { "db", &c->db, NULL },
                { "ca-file", &c->ca_file, NULL }, { "no-summaries", NULL, &c->no_summaries },
                { "force", NULL, &c->force },     { "json", NULL, &c->json },
                { "verify", NULL, &c->verify },   { "quiet", NULL, &c->quiet },
        };
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                if (strcmp(o->name, places[i].name) != 0)
                        continue;
                if (places[i].text && !*value)
                        return error_set(err, -EINVAL, "is empty");
                if (places[i].text)
                        *places[i].text = value;
                else
                        *places[i].flag = true;
        }
        return 0;
}

/* --- what is seen while it works --- */

struct show {
        struct progress progress;
        bool quiet;
        const struct feed_input *malformed_of;
        uint64_t malformed;
        int64_t last_ms;
};

static bool is_time(struct show *s)
{
        int64_t now = monotonic_ms();
        if (!s->progress.shown || now - s->last_ms < 100)
                return false;
        s->last_ms = now;
        return true;
}

static void on_reading(void *arg, const struct feed_input *in, uint64_t facts)
{
        struct show *s = arg;
        char line[256];
        if (!is_time(s))
                return;
        snprintf(line, sizeof(line), "reading %.*s  %llu facts", STR_FMT(in->feed.name), (unsigned long long)facts);
        progress_say(&s->progress, line);
}

static void on_malformed(void *arg, const struct feed_input *in, struct str where, struct str why)
{
        struct show *s = arg;
        if (s->malformed_of != in) {
                s->malformed_of = in;
                s->malformed = 0;
        }
        if (s->quiet || s->malformed++ > MALFORMED_SHOWN)
                return;
        progress_end(&s->progress);
        if (s->malformed > MALFORMED_SHOWN)
                fprintf(stderr, "sekisho: %.*s: more records like that are skipped and counted\n",
                        STR_FMT(in->feed.name));
        else
                fprintf(stderr, "sekisho: skipped %.*s: %.*s\n", STR_FMT(where), STR_FMT(why));
}

static void on_downloading(void *arg, const struct feed_config *feed, uint64_t bytes, uint64_t total)
{
        struct show *s = arg;
        char line[256], of[64] = "";
        if (!is_time(s))
                return;
        if (total)
                snprintf(of, sizeof(of), " of %.1f", (double)total / 1e6);
        snprintf(line, sizeof(line), "getting %s  %.1f%s MB", feed->name, (double)bytes / 1e6, of);
        progress_say(&s->progress, line);
}

static struct feeds_watch watch_of(struct show *s)
{
        return (struct feeds_watch){ .reading = on_reading, .malformed = on_malformed, .arg = s };
}

static void show_start(struct show *s, const struct db_command *c)
{
        *s = (struct show){ .quiet = c->quiet };
        progress_start(&s->progress, !c->quiet && stream_is_terminal(STDERR_FILENO));
}

/* --- build --- */

/* "KIND:PATH" or "PATH"; a path that exists is a path. */
static int take_input(const char *word, struct feed_input *ret, struct error *err)
{
        struct str path = str_of(word), kind = str_cut(&path, ':');
        _cleanup_(freep) char *name = str_dup(kind);
        *ret = (struct feed_input){ .path = word };
        if (path.p && access(word, F_OK) < 0 && name) {
                ret->importer = importer_find(name);
                ret->path = path.p;
                if (!ret->importer && access(path.p, F_OK) == 0)
                        return error_set(err, -EINVAL, "no kind of feed \"%s\"; sekisho help feeds lists them", name);
        }
        if (access(ret->path, R_OK) < 0)
                return error_errno(err, -errno, "cannot read %s", ret->path);
        ret->feed.name = feed_name_of(ret->path);
        ret->feed.source = str_of(ret->path);
        return 0;
}

/* The file to write; its directory is made where it is the usual place. */
static int output_path(const char *given, struct buf *ret, struct error *err)
{
        if (given) {
                buf_puts(ret, given);
                return buf_is_full(ret) ? error_set(err, -ENAMETOOLONG, "the name of the database is too long") : 0;
        }
        if (!db_path_to_write(ret))
                return error_set(err, -EINVAL,
                                 "no place to write to: neither HOME nor XDG_CACHE_HOME is set; use --out FILE");
        const char *slash = strrchr(ret->p, '/');
        _cleanup_(freep) char *parent =
                slash && slash != ret->p ? str_dup(str_span(ret->p, (size_t)(slash - ret->p))) : NULL;
        int r = parent ? make_dirs(parent, 0755) : 0;
        return r < 0 ? error_errno(err, r, "cannot make %s", parent) : 0;
}

static void print_json(json_t *j)
{
        json_dumpf(j, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(j);
}

static json_t *json_text(struct str s) { return json_stringn_nocheck(s.n ? s.p : "", s.n); }

static json_t *json_day(int64_t t)
{
        char text[DATE_TEXT_MAX];
        return t ? json_string(date_iso(t, text)) : json_null();
}

/* What the finished file is. */
static int tell_database(const char *path, bool json, bool quiet, json_t *more)
{
        struct error err = ERROR_NONE;
        struct stat st = { 0 };
        _cleanup_(db_closep) struct db *db = NULL;
        if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
                json_decref(more);
                return EXIT_CLEAN; /* it went through a pipe or a device */
        }
        if (db_open(path, &db, &err) < 0) {
                json_decref(more);
                return fail(EXIT_INCOMPLETE, &err);
        }
        if (json) {
                json_t *j = json_pack("{s:s, s:o, s:I, s:I, s:o}", "database", path, "digest", json_text(db_digest(db)),
                                      "advisories", (json_int_t)db_advisories(db), "size", (json_int_t)st.st_size,
                                      "date", json_day(db_date(db)));
                if (more)
                        json_object_update(j, more);
                print_json(j);
        } else if (!quiet) {
                char day[DATE_TEXT_MAX];
                _cleanup_(arena_done) struct arena arena = ARENA_INIT;
                printf("%s  %llu advisories of %zu feed%s, %.*s, newest %s\n", path,
                       (unsigned long long)db_advisories(db), db_feeds(db), db_feeds(db) == 1 ? "" : "s",
                       STR_FMT(text_size(&arena, (uint64_t)st.st_size)),
                       db_date(db) ? date_day(db_date(db), day) : "unknown");
        }
        json_decref(more);
        return EXIT_CLEAN;
}

static int build_inputs(const struct db_command *c, struct feed_input *inputs, size_t n, const char *out,
                        struct error *err)
{
        struct show show;
        show_start(&show, c);
        struct feeds_watch watch = watch_of(&show);
        _cleanup_(db_builder_freep) struct db_builder *b = db_builder_new(!c->no_summaries);
        int r = feeds_import(inputs, n, b, &watch, err);
        progress_end(&show.progress);
        size_t used = 0;
        for (size_t i = 0; r == 0 && i < n; i++) {
                if (inputs[i].may_be_other && inputs[i].result == -ENOMSG) {
                        fprintf(stderr, "sekisho: left out %s: it is no feed of a known kind\n", inputs[i].path);
                        continue;
                }
                used++;
                if (inputs[i].result < 0)
                        r = error_set(err, inputs[i].result, "%s", inputs[i].why);
                else if (inputs[i].records == 0)
                        r = error_set(err, -ENODATA, "%s: not one usable record (%llu skipped)", inputs[i].path,
                                      (unsigned long long)inputs[i].skipped);
                if (r < 0)
                        return error_prefix(err, r, "no database written");
        }
        if (r == 0 && !used)
                r = error_set(err, -ENODATA, "no database written: no feed among the inputs");
        return r < 0 ? r : database_replace(b, out, true, err);
}

VEC_TYPE(feed_inputs, struct feed_input);

/* One argument: a feed, or a directory of published feeds, which is one input for each. */
static int take_argument(const char *word, struct arena *arena, struct feed_inputs *inputs, struct error *err)
{
        struct stat st;
        struct str_list files = { 0 };
        if (stat(word, &st) == 0 && S_ISDIR(st.st_mode)) {
                int r = feeds_in_directory(word, arena, &files, err);
                if (r < 0)
                        return r;
        }
        if (!files.n)
                return take_input(word, vec_push(inputs), err);
        for (size_t i = 0; i < files.n; i++) {
                struct feed_input *in = vec_push(inputs);
                int r = take_input(files.v[i].p, in, err);
                if (r < 0)
                        return r;
                in->may_be_other = true;
        }
        return 0;
}

static int build_arguments(const struct db_command *c, int argc, char **argv, struct arena *arena,
                           struct feed_inputs *inputs)
{
        struct error err = ERROR_NONE;
        _cleanup_(buf_done) struct buf out = BUF_INIT(PATH_MAX);
        for (int i = 0; i < argc; i++) {
                int r = take_argument(argv[i], arena, inputs, &err);
                if (r < 0)
                        return fail(r == -EINVAL ? EXIT_USAGE : EXIT_INCOMPLETE, &err);
        }
        if (output_path(c->out, &out, &err) < 0 || build_inputs(c, inputs->v, inputs->n, out.p, &err) < 0)
                return workers_interrupted() ? EXIT_INCOMPLETE : fail(EXIT_INCOMPLETE, &err);
        for (size_t i = 0; i < inputs->n && !c->json && !c->quiet; i++)
                if (inputs->v[i].skipped)
                        printf("%.*s  %llu records used, %llu not\n", STR_FMT(inputs->v[i].feed.name),
                               (unsigned long long)inputs->v[i].records, (unsigned long long)inputs->v[i].skipped);
        return tell_database(out.p, c->json, c->quiet, NULL);
}

static int run_build(void *state, int argc, char **argv)
{
        const struct db_command *c = state;
        struct feed_inputs inputs = { 0 };
        struct arena arena = ARENA_INIT;
        if (argc == 0)
                return fail_usage(&command_db, "build needs at least one INPUT");
        int code = build_arguments(c, argc, argv, &arena, &inputs);
        vec_done(&inputs);
        arena_done(&arena);
        return code;
}

/* --- update --- */

static const char *const outcome_words[] = {
        [FEED_OUT_NEW] = "new",
        [FEED_OUT_UNCHANGED] = "unchanged",
        [FEED_OUT_KEPT] = "kept",
        [FEED_OUT_FAILED] = "failed",
};

static void on_downloaded(void *arg, const struct feed_report *r)
{
        struct show *s = arg;
        progress_end(&s->progress);
        if (s->quiet || r->outcome == FEED_OUT_KEPT || r->outcome == FEED_OUT_FAILED)
                return; /* told at the end, when all is known */
        if (r->outcome == FEED_OUT_NEW)
                fprintf(stderr, "%-24s new, %.1f MB\n", r->feed->name, (double)r->size / 1e6);
        else
                fprintf(stderr, "%-24s unchanged\n", r->feed->name);
}

/* Returns how many feeds are not as new as they should be. */
static size_t tell_failures(const struct feed_report *reports, size_t n)
{
        size_t failed = 0;
        for (size_t i = 0; i < n; i++) {
                char day[DATE_TEXT_MAX];
                const struct feed_report *r = &reports[i];
                if (r->outcome != FEED_OUT_KEPT && r->outcome != FEED_OUT_FAILED)
                        continue;
                failed++;
                fprintf(stderr, "sekisho: %s: %s\n", r->feed->name, r->why);
                if (r->outcome == FEED_OUT_KEPT)
                        fprintf(stderr, "sekisho: %s: kept its last good download%s%s\n", r->feed->name,
                                r->fetched ? " of " : "", date_day(r->fetched, day));
                else
                        fprintf(stderr, "sekisho: %s: there is no earlier download: nothing of it is in the database\n",
                                r->feed->name);
        }
        return failed;
}

static json_t *reports_json(const struct feed_report *reports, size_t n)
{
        json_t *list = json_array();
        for (size_t i = 0; i < n; i++) {
                const struct feed_report *r = &reports[i];
                json_t *j = json_pack("{s:s, s:s, s:s, s:I, s:I, s:o}", "name", r->feed->name, "url", r->feed->url,
                                      "outcome", outcome_words[r->outcome], "records", (json_int_t)r->records,
                                      "skipped", (json_int_t)r->skipped, "fetched", json_day(r->fetched));
                if (r->why[0])
                        json_object_set_new(j, "why", json_string(r->why));
                json_array_append_new(list, j);
        }
        return json_pack("{s:o}", "feeds", list);
}

/* --config, else the user's or the system's feeds.conf, else the list that is compiled in. */
static int load_list(const struct db_command *c, struct feed_list *ret, struct error *err)
{
        _cleanup_(buf_done) struct buf user = BUF_INIT(PATH_MAX);
        const char *config = env_or("XDG_CONFIG_HOME", NULL), *home = env_or("HOME", "");
        if (c->config)
                return feed_list_read(c->config, ret, err);
        buf_printf(&user, "%s%s/sekisho/feeds.conf", config ? config : home, config ? "" : "/.config");
        const char *usual[] = { user.p, "/etc/sekisho/feeds.conf" };
        for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
                if (usual[i] && access(usual[i], F_OK) == 0)
                        return feed_list_read(usual[i], ret, err);
        feed_list_default(ret);
        return 0;
}

static int update_list(const struct db_command *c, const struct feed_list *list, const char *out)
{
        struct error err = ERROR_NONE;
        struct show show;
        _cleanup_(buf_done) struct buf cache = BUF_INIT(PATH_MAX);
        _cleanup_(freep) struct feed_report *reports = xcalloc(list->feeds.n + 1, sizeof(*reports));
        const char *slash = strrchr(out, '/');
        if (c->cache)
                buf_puts(&cache, c->cache);
        else
                buf_printf(&cache, "%.*sfeeds", slash ? (int)(slash - out + 1) : 0, out);
        show_start(&show, c);
        struct update_options o = {
                .list = list,
                .database = out,
                .directory = cache.p,
                .now = time(NULL),
                .force = c->force,
                .keep_summaries = !c->no_summaries,
                .ca_file = c->ca_file,
                .watch = { .downloading = on_downloading,
                           .downloaded = on_downloaded,
                           .feeds = watch_of(&show),
                           .arg = &show },
        };
        int r = db_update(&o, reports, &err);
        progress_end(&show.progress);
        if (workers_interrupted())
                return EXIT_INCOMPLETE;
        size_t failed = r == -EWOULDBLOCK ? 0 : tell_failures(reports, list->feeds.n);
        if (r < 0)
                return fail(EXIT_INCOMPLETE, &err);
        if (r == UPDATE_NOT_NEEDED && !c->quiet && !c->json)
                printf("nothing newer: the database stays as it is\n");
        int code = tell_database(out, c->json, c->quiet, reports_json(reports, list->feeds.n));
        return failed ? EXIT_INCOMPLETE : code;
}

static int run_update(void *state, int argc, char **argv)
{
        const struct db_command *c = state;
        struct error err = ERROR_NONE;
        struct feed_list list = { 0 };
        _cleanup_(buf_done) struct buf out = BUF_INIT(PATH_MAX);
        if (argc)
                return fail_usage(&command_db, "update takes no argument \"%s\"; the feeds come from --config FILE",
                                  argv[0]);
        if (load_list(c, &list, &err) < 0)
                return fail(EXIT_USAGE, &err);
        int code = EXIT_INCOMPLETE;
        if (output_path(c->out, &out, &err) < 0)
                code = fail(EXIT_INCOMPLETE, &err);
        else
                code = update_list(c, &list, out.p);
        feed_list_done(&list);
        return code;
}

/* --- status --- */

static const char *age_words(int64_t date, char text[static 32])
{
        int64_t days = date ? (today() - (date - date % 86400)) / 86400 : -1;
        if (!date)
                snprintf(text, 32, "unknown");
        else if (days <= 0)
                snprintf(text, 32, "today");
        else
                snprintf(text, 32, "%lld day%s", (long long)days, days == 1 ? "" : "s");
        return text;
}

static json_t *status_json(const struct db *db, struct str source, bool verified)
{
        json_t *feeds = json_array();
        for (size_t i = 0; i < db_feeds(db); i++) {
                struct db_feed f;
                if (!db_feed(db, i, &f))
                        continue;
                json_array_append_new(feeds, json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o}", "name",
                                                       json_text(f.name), "source", json_text(f.source), "licence",
                                                       json_text(f.licence), "date", json_day(f.date), "fetched",
                                                       json_day(f.fetched), "records", (json_int_t)f.records, "skipped",
                                                       (json_int_t)f.skipped, "skipped_why", json_text(f.skipped_why)));
        }
        return json_pack("{s:o, s:o, s:I, s:o, s:b, s:o}", "database", json_text(source), "digest",
                         json_text(db_digest(db)), "advisories", (json_int_t)db_advisories(db), "date",
                         json_day(db_date(db)), "verified", verified, "feeds", feeds);
}

static void print_status(const struct db *db, struct str source, bool verified)
{
        char day[DATE_TEXT_MAX], age[32];
        int width = 22;
        for (size_t i = 0; i < db_feeds(db); i++) {
                struct db_feed f;
                if (db_feed(db, i, &f))
                        width = MAX(width, (int)MIN(f.name.n, (size_t)FEED_COLUMN_MAX));
        }
        printf("%.*s  %llu advisories, newest %s (%s)%s\n%.*s\n\n", STR_FMT(source),
               (unsigned long long)db_advisories(db), db_date(db) ? date_day(db_date(db), day) : "unknown",
               age_words(db_date(db), age), verified ? ", verified: whole and in order" : "", STR_FMT(db_digest(db)));
        printf("%-*s %-10s %10s %9s %8s  %s\n", width, "FEED", "DATE", "AGE", "RECORDS", "SKIPPED", "SOURCE");
        for (size_t i = 0; i < db_feeds(db); i++) {
                struct db_feed f;
                if (!db_feed(db, i, &f))
                        continue;
                printf("%-*.*s %-10s %10s %9llu %8llu  %.*s\n", width, STR_FMT(f.name),
                       f.date ? date_day(f.date, day) : "-", age_words(f.date, age), (unsigned long long)f.records,
                       (unsigned long long)f.skipped, STR_FMT(f.source));
                if (f.skipped_why.n)
                        printf("%-*s not used: %.*s\n", width, "", STR_FMT(f.skipped_why));
        }
}

static int run_status(void *state, int argc, char **argv)
{
        const struct db_command *c = state;
        struct error err = ERROR_NONE;
        _cleanup_(db_closep) struct db *db = NULL;
        struct str source;
        if (argc)
                return fail_usage(&command_db, "status takes no argument \"%s\"; use --db FILE", argv[0]);
        if (db_locate(c->db, &db, &source, &err) < 0)
                return fail(EXIT_INCOMPLETE, &err);
        if (c->verify && db_verify(db, &err) < 0) {
                (void)error_prefix(&err, -EBADMSG, "advisory database %.*s", STR_FMT(source));
                return fail(EXIT_INCOMPLETE, &err);
        }
        if (c->json)
                print_json(status_json(db, source, c->verify));
        else if (!c->quiet)
                print_status(db, source, c->verify);
        return EXIT_CLEAN;
}

/* --- feeds --- */

static int run_feeds(void *state, int argc, char **argv)
{
        const struct db_command *c = state;
        struct error err = ERROR_NONE;
        struct feed_list list = { 0 };
        if (argc)
                return fail_usage(&command_db, "feeds takes no argument \"%s\"", argv[0]);
        if (load_list(c, &list, &err) < 0)
                return fail(EXIT_USAGE, &err);
        if (!c->json) {
                feed_list_print(&list, stdout);
        } else {
                json_t *j = json_array();
                for (size_t i = 0; i < list.feeds.n; i++)
                        json_array_append_new(j, json_pack("{s:s, s:s, s:s}", "name", list.feeds.v[i].name, "kind",
                                                           list.feeds.v[i].importer->name, "url", list.feeds.v[i].url));
                print_json(j);
        }
        feed_list_done(&list);
        return EXIT_CLEAN;
}

/* --- hashes --- */

static int compile_hashes(const char *out, struct hash_list *l, char **lists, int n, struct error *err)
{
        struct output file;
        for (int i = 0; i < n; i++) {
                int r = hash_list_add_file(l, lists[i], err);
                if (r < 0)
                        return error_prefix(err, r, "list of hashes");
                if (hash_list_is_compiled(l))
                        return error_set(err, -EINVAL, "list of hashes: %s: is compiled already", lists[i]);
        }
        hash_list_seal(l);
        int r = output_open(&file, out, err);
        if (r < 0)
                return r;
        r = hash_list_write(l, file.stream, err);
        if (r < 0) {
                output_abort(&file);
                return error_prefix(err, r, "%s", out);
        }
        return output_commit(&file, err);
}

static int run_hashes(void *state, int argc, char **argv)
{
        const struct db_command *c = state;
        struct error err = ERROR_NONE;
        if (argc == 0 || !c->out)
                return fail_usage(&command_db, "hashes needs --out FILE and at least one LIST");
        struct hash_list *l = hash_list_new();
        int r = compile_hashes(c->out, l, argv, argc, &err);
        size_t n = 0;
        for (size_t k = 0; k < HASH_KINDS; k++)
                n += hash_list_count(l, (enum hash_kind)k);
        hash_list_free(l);
        if (r < 0)
                return fail(EXIT_INCOMPLETE, &err);
        if (!c->quiet && strcmp(c->out, "-") != 0)
                printf("%s  %zu hashes\n", c->out, n);
        return EXIT_CLEAN;
}

/* --- the command --- */

static const struct verb verbs[] = {
        { "build", run_build, "out no-summaries json quiet" },
        { "update", run_update, "out config cache force no-summaries ca-file json quiet" },
        { "status", run_status, "db json verify quiet" },
        { "feeds", run_feeds, "config json" },
        { "hashes", run_hashes, "out quiet" },
        { NULL, NULL, NULL },
};

static const struct option_spec options[] = {
        { "out", 'o', "FILE", "build, update: the database to write (else the usual place); hashes: the list" },
        { "no-summaries", 0, NULL, "build, update: leave out the one-line summaries" },
        { "config", 0, "FILE", "update, feeds: the list of feeds" },
        { "cache", 0, "DIR", "update: where downloads are kept (else beside the database)" },
        { "force", 0, NULL, "update: replace the database even by one of less than half its size" },
        { "ca-file", 0, "FILE", "update: PEM file of the certificate authorities to trust" },
        { "db", 0, "FILE", "status: this database, or \"embedded\"" },
        { "verify", 0, NULL, "status: check the whole file" },
        { "json", 0, NULL, "print JSON" },
        { "quiet", 'q', NULL, "print only what is wrong" },
        { NULL, 0, NULL, NULL },
};

const struct command command_db = {
        .name = "db",
        .usage = "db build [OPTIONS] INPUT... | db update [OPTIONS] | db status [OPTIONS] | db feeds |\n"
                 "       db hashes -o FILE LIST...",
        .summary = "Build, update and look at the advisory database",
        .help = "  build    compile feeds into a database; INPUT is a feed, a directory of feeds or of records, or "
                "KIND:PATH\n  update   download the feeds of the list, then build\n  status   which database scans "
                "use, how old it is, what is in it\n  feeds    print the list of feeds, in the form that --config "
                "takes\n  hashes   compile lists of hashes into one file for scan --hashes and --allow-hashes, which "
                "opens at once however many there are\n\nScans use --db FILE, else $SEKISHO_DB, else "
                "~/.cache/sekisho/advisories.db, else /var/lib/sekisho/advisories.db, else the advisories in the "
                "program.\nsekisho help feeds lists the kinds of feeds.\n",
        .examples = "  sekisho db update\n  sekisho db build --out advisories.db osv-go.jsonl.xz "
                    "debian-tracker:data.json\n",
        .options = options,
        .option = option,
        .state_size = sizeof(struct db_command),
        .verbs = verbs,
};
