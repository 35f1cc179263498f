/* `sekisho integrity`: approve how files are, and see what differs from that. */
#include "flow/integrity-diff.h"

#include "base/fs.h"
#include "cli/book.h"
#include "cli/command.h"
#include "report/document.h"
#include "report/text.h"
#include "source/container-find.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct integrity_command {
        const char *config, *baseline;
        bool is_json;
};

extern const struct command command_integrity;

static const struct option_spec options[] = {
        { "config", 0, "FILE", "which files, and what of them is compared (YAML; docs/files.md)" },
        { "baseline", 0, "FILE", "how they should be (default: " INTEGRITY_BASELINE ")" },
        FORMAT_OPTION,
        { NULL, 0, NULL, NULL },
};

static int integrity_option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct integrity_command *c = state;
        if (strcmp(o->name, "config") == 0)
                c->config = value;
        else if (strcmp(o->name, "baseline") == 0)
                c->baseline = value;
        else
                return option_format(value, "table", &c->is_json, err);
        return 0;
}

/* Config and baseline, and the scopes that are asked for. */
struct work {
        struct integrity_config config;
        struct integrity_set baseline;
        const char *path;
        bool has_baseline;
        struct integrity_contents contents;
        struct integrity_differ differ;
};

static int open_work(const struct integrity_command *c, struct work *w, struct error *err)
{
        *w = (struct work){ .path = c->baseline ? c->baseline : INTEGRITY_BASELINE, .contents.dir = -1 };
        int r = c->config ? integrity_config_read(&w->config, c->config, err) : 0;
        if (r < 0)
                return r;
        r = integrity_set_read(&w->baseline, w->path, err);
        w->has_baseline = r == 0;
        return r == -ENOENT ? 0 : r;
}

static void close_work(struct work *w)
{
        integrity_config_done(&w->config);
        integrity_set_done(&w->baseline);
        integrity_contents_close(&w->contents);
        integrity_differ_end(&w->differ);
}

/* "container:NAME" or nothing: its scope, and a descriptor of its root. */
static int open_scope(const char *target, struct arena *arena, struct str *ret_scope, struct error *err)
{
        struct container c;
        *ret_scope = STR(INTEGRITY_HOST);
        if (!target) {
                int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
                return fd < 0 ? error_errno(err, -errno, "cannot look at /") : fd;
        }
        struct str name = str_of(target);
        if (str_starts(name, STR("container:")))
                name = str_from(name, strlen("container:"));
        int r = container_find(arena_cstr(arena, name), NULL, arena, &c, err);
        if (r < 0)
                return r;
        if (!c.pid)
                return error_set(err, -ESRCH, "container %.*s is not running", STR_FMT(name));
        *ret_scope = c.id;
        int fd = open(arena_printf(arena, "/proc/%llu/root", (unsigned long long)c.pid).p,
                      O_PATH | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? error_errno(err, -errno, "cannot look into container %.*s", STR_FMT(name)) : fd;
}

static void put_lines(struct str text, struct arena *arena)
{
        while (text.n) {
                struct str line = text_clean(arena, str_cut(&text, '\n'));
                printf("         %.*s\n", STR_FMT(line));
        }
}

static void put_change(struct work *w, int root, const struct integrity_change *x, struct str scope,
                       struct doc_stream *s, struct arena *arena)
{
        struct str path = x->after ? x->after->path : x->before->path, diff = STR_NONE;
        const char *why = NULL;
        if (x->before && x->after)
                integrity_diff(&w->differ, &w->contents, root, x->before, x->after, arena, &diff, &why);
        if (!s) {
                printf("%-8s %.*s  %.*s\n",
                       !x->before ? "added"
                       : x->after ? "changed"
                                  : "removed",
                       STR_FMT(text_clean(arena, path)),
                       STR_FMT(x->before && x->after ? text_clean(arena, x->words) : STR_NONE));
                put_lines(why ? arena_printf(arena, "(no diff: %s)", why) : diff, arena);
                return;
        }
        json_t *o = doc_object();
        doc_set(o, "scope", doc_str(scope));
        doc_set(o, "path", doc_text(path));
        doc_set(o, "change", doc_cstr(!x->before ? "added" : x->after ? "changed" : "removed"));
        doc_set(o, "words", doc_str(x->words));
        doc_set(o, "diff", doc_str(diff));
        doc_set(o, "no_diff", doc_cstr(why));
        doc_put(s, NULL, o);
}

/* One scope against its baseline. How many changes, or < 0. */
static int check_scope(struct work *w, const char *target, struct doc_stream *s, size_t *unread, struct error *err)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct integrity_set now = { 0 };
        struct integrity_change *changes;
        struct str scope;
        _cleanup_(closep) int root = open_scope(target, &arena, &scope, err);
        if (root < 0)
                return root;
        integrity_look(&w->config, scope, root, NULL, &now);
        size_t n = integrity_compare(&w->config, scope, &w->baseline, &now, &arena, &changes);
        for (size_t i = 0; i < n; i++)
                put_change(w, root, &changes[i], scope, s, &arena);
        *unread += now.unread + now.dropped;
        integrity_set_done(&now);
        return (int)MIN(n, (size_t)INT32_MAX);
}

static int check(void *state, int argc, char **argv)
{
        const struct integrity_command *c = state;
        struct error err = ERROR_NONE;
        struct work w;
        struct doc_stream s = { .to = stdout };
        size_t unread = 0;
        int64_t changes = 0;
        if (!c->config)
                return fail_usage(&command_integrity, "check needs --config FILE");
        int r = open_work(c, &w, &err);
        if (r == 0 && !w.has_baseline)
                r = error_set(&err, -ENOENT, "there is no baseline %s: sekisho integrity baseline --config %s", w.path,
                              c->config);
        if (r == 0)
                (void)integrity_contents_open_to_read(&w.contents,
                                                      w.path); /* without it each diff says that there is none */
        if (r == 0 && c->is_json)
                doc_open(&s, NULL, '[');
        for (int i = 0; i < MAX(argc, 1) && r >= 0; i++) {
                r = check_scope(&w, argc ? argv[i] : NULL, c->is_json ? &s : NULL, &unread, &err);
                changes += MAX(r, 0);
        }
        if (c->is_json && w.has_baseline) {
                doc_close(&s, ']');
                (void)doc_end(&s);
        }
        close_work(&w);
        if (r < 0)
                return fail(EXIT_INCOMPLETE, &err);
        if (!c->is_json)
                printf("%lld %s since the baseline\n", (long long)changes, changes == 1 ? "change" : "changes");
        if (unread)
                fprintf(stderr, "sekisho: integrity: %zu files or directories could not be read\n", unread);
        return changes ? EXIT_DENIED : unread ? EXIT_INCOMPLETE : EXIT_CLEAN;
}

static int baseline(void *state, int argc, char **argv)
{
        const struct integrity_command *c = state;
        struct error err = ERROR_NONE;
        struct work w;
        size_t unread = 0;
        if (!c->config)
                return fail_usage(&command_integrity, "baseline needs --config FILE");
        int r = open_work(c, &w, &err);
        if (r == 0 && integrity_contents_open(&w.contents, w.path, &err) < 0)
                fprintf(stderr, "sekisho: integrity: there will be no diffs: %s\n", err.text);
        w.config.keep = &w.contents;
        for (int i = 0; i < MAX(argc, 1) && r == 0; i++) {
                _cleanup_(arena_done) struct arena arena = ARENA_INIT;
                struct str scope;
                _cleanup_(closep) int root = open_scope(argc ? argv[i] : NULL, &arena, &scope, &err);
                if (root < 0) {
                        r = root;
                        break;
                }
                integrity_remove_scope(&w.baseline, scope);
                integrity_look(&w.config, scope, root, NULL, &w.baseline);
        }
        w.baseline.made = now_seconds();
        unread = w.baseline.unread + w.baseline.dropped;
        if (r == 0)
                r = integrity_set_write(&w.baseline, w.path, &err);
        if (r == 0) {
                const struct integrity_set *set = &w.baseline;
                integrity_contents_prune(&w.contents, &set, 1);
        }
        if (r == 0)
                printf("%zu files stand in %s\n", w.baseline.v.n, w.path);
        close_work(&w);
        if (r < 0)
                return fail(EXIT_INCOMPLETE, &err);
        if (unread)
                fprintf(stderr, "sekisho: integrity: %zu files or directories could not be read\n", unread);
        return unread ? EXIT_INCOMPLETE : EXIT_CLEAN;
}

static int list(void *state, int argc, char **argv)
{
        const struct integrity_command *c = state;
        struct error err = ERROR_NONE;
        struct work w;
        struct doc_stream s = { .to = stdout };
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        if (argc)
                return fail_usage(&command_integrity, "list takes no argument, not \"%s\"", argv[0]);
        int r = open_work(c, &w, &err);
        if (r == 0 && !w.has_baseline)
                r = error_set(&err, -ENOENT, "there is no baseline %s", w.path);
        if (r == 0 && c->is_json)
                doc_open(&s, NULL, '[');
        for (size_t i = 0; i < w.baseline.v.n && r == 0; i++) {
                const struct integrity_entry *e = &w.baseline.v.v[i];
                if (!c->is_json) {
                        printf("%.*s  %06o %u:%u %llu %.*s  %.*s\n", STR_FMT(str_upto(e->scope, 12)), e->mode, e->uid,
                               e->gid, (unsigned long long)e->size,
                               STR_FMT(str_upto(text_clean(&arena, e->content), 16)),
                               STR_FMT(text_clean(&arena, e->path)));
                        continue;
                }
                json_t *o = doc_object();
                doc_set(o, "scope", doc_str(e->scope));
                doc_set(o, "path", doc_text(e->path));
                doc_set(o, "mode", doc_number(e->mode & 07777));
                doc_set(o, "uid", doc_number(e->uid));
                doc_set(o, "gid", doc_number(e->gid));
                doc_set(o, "size", doc_number(e->size));
                doc_set(o, "content", doc_str(e->content));
                doc_set(o, "xattrs", doc_str(e->xattrs));
                doc_put(&s, NULL, o);
        }
        if (r == 0 && c->is_json) {
                doc_close(&s, ']');
                r = doc_end(&s);
        }
        close_work(&w);
        return r < 0 ? fail(EXIT_INCOMPLETE, &err) : EXIT_CLEAN;
}

static const struct verb verbs[] = {
        { "baseline", baseline, "config baseline" },
        { "check", check, "config baseline output" },
        { "list", list, "baseline output" },
        { NULL, NULL, NULL },
};

const struct command command_integrity = {
        .name = "integrity",
        .usage = "integrity baseline|check|list [OPTIONS] [container:ID...]",
        .summary = "Compare files of this host and of containers with how they should be",
        .help = "baseline writes down how the files are; check tells what differs; list shows what stands there. "
                "Without a container they are those of this host. `sekisho agent --integrity FILE` does it all the "
                "time, and says who changed what.\nExit status of check: 0 nothing differs, 1 something does, 2 usage, "
                "3 could not be told.\n",
        .examples = "  sekisho integrity baseline --config files.yaml\n"
                    "  sekisho integrity check --config files.yaml container:web-1 -o json\n",
        .options = options,
        .option = integrity_option,
        .state_size = sizeof(struct integrity_command),
        .verbs = verbs,
};
