/* `sekisho quarantine`: what the guard took out of containers, and the way back. */
#include "act/quarantine.h"

#include "base/date.h"
#include "cli/book.h"
#include "report/text.h"
#include "source/container-find.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct settings {
        const char *directory, *to, *root;
        bool json, force, all, quiet;
};

extern const struct command command_quarantine;

static const struct option_spec options[] = {
        { "quarantine", 0, "DIR", "the store (default: " QUARANTINE_DIRECTORY ")" },
        { "to", 0, "PATH", "restore: write it to this path of the host instead of its old place" },
        { "root", 0, "DIR", "restore: where podman or docker keep the container, if not at the usual place" },
        { "force", 'f', NULL, "restore: replace what is there" },
        { "all", 0, NULL, "delete: every item" },
        { "output", 'o', "FORMAT", "list, show: table or json (default: table)" },
        { "quiet", 'q', NULL, "say nothing when it went well" },
        { NULL, 0, NULL, NULL },
};

static int take_option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct settings *s = state;
        const struct {
                const char *name;
                const char **place;
        } texts[] = { { "quarantine", &s->directory }, { "to", &s->to }, { "root", &s->root } };
        const struct {
                const char *name;
                bool *place;
        } flags[] = { { "force", &s->force }, { "all", &s->all }, { "quiet", &s->quiet } };
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                if (strcmp(o->name, texts[i].name) == 0) {
                        if (!*value)
                                return error_set(err, -EINVAL, "is empty");
                        *texts[i].place = value;
                }
        for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
                if (strcmp(o->name, flags[i].name) == 0)
                        *flags[i].place = true;
        if (strcmp(o->name, "output") == 0)
                return option_format(value, "table", &s->json, err);
        return 0;
}

/* ------------------------------------------------------------------------------------------------------- listing -- */

static struct str place_words(struct arena *a, const struct fact_quarantined *q)
{
        struct str id = q->container_id.n == 64 ? str_upto(q->container_id, 12) : q->container_id;
        struct str name = q->container_name.n ? q->container_name : id;
        return name.n ? text_clean(a, name) : STR("the host");
}

static int list(const struct settings *s, const struct quarantine *store, const struct fact_quarantined *item,
                struct arena *a)
{
        struct error err = ERROR_NONE;
        struct fact_quarantined *items;
        struct str_list bad;
        size_t n;
        int r = quarantine_list(store, a, &items, &n, &bad, &err);
        if (r < 0)
                return fail(EXIT_INCOMPLETE, &err);
        for (size_t i = 0; i < bad.n; i++) {
                (void)error_set(&err, -EBADMSG, "%.*s", STR_FMT(bad.v[i]));
                (void)fail(EXIT_INCOMPLETE, &err);
        }
        int code = bad.n ? EXIT_INCOMPLETE : EXIT_CLEAN;
        if (s->json) {
                json_t *document = doc_object(), *array = doc_array();
                for (size_t i = 0; i < n; i++)
                        doc_add(array, doc_fact(FACT_quarantined, &items[i]));
                doc_set(document, "items", array);
                return put_document(document, code);
        }
        printf("%.*s in %s\n", STR_FMT(text_count(a, n, "item", "items")), s->directory);
        if (!n)
                return code;
        static const char *const heads[] = { "ITEM", "FILE", "WHAT", "CONTAINER", "SIZE", "TAKEN", "" };
        struct screen screen = screen_on_stdout(a);
        struct grid g = { .columns = ARRAY_SIZE(heads), .flexible = 1, .most = { 0, 60, 40, 30 } };
        for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
                grid_add(&screen, &g, PAINT_FAINT, str_of(heads[i]));
        for (size_t i = 0; i < n; i++) {
                grid_add(&screen, &g, PAINT_NAME, items[i].id);
                grid_add(&screen, &g, PAINT_PLAIN, text_clean(a, items[i].path));
                grid_add(&screen, &g, PAINT_BAD, text_clean(a, items[i].rule));
                grid_add(&screen, &g, PAINT_PLAIN, place_words(a, &items[i]));
                grid_add(&screen, &g, PAINT_PLAIN, text_size(a, items[i].size));
                grid_add(&screen, &g, PAINT_PLAIN, moment_words(a, items[i].taken));
                grid_add(&screen, &g, PAINT_WARN, items[i].removed ? STR_NONE : STR("still there"));
        }
        grid_print(&screen, &g);
        printf("All of one: sekisho quarantine show ITEM. Back to its place: sekisho quarantine restore ITEM\n");
        return code;
}

static void put_row(const char *name, struct str value)
{
        if (value.n)
                printf("  %-12s %.*s\n", name, STR_FMT(value));
}

static int show(const struct settings *s, const struct quarantine *store, const struct fact_quarantined *q,
                struct arena *a)
{
        char digest[QUARANTINE_DIGEST];
        if (s->json)
                return put_document(doc_fact(FACT_quarantined, q), EXIT_CLEAN);
        quarantine_hex(q->sha256, digest);
        printf("%.*s  %.*s\n", STR_FMT(q->id), STR_FMT(text_clean(a, q->path)));
        put_row("found by", text_clean(a, q->rule));
        put_row("what", text_clean(a, q->description.n ? q->description : q->family));
        put_row("sha256", str_of(digest));
        put_row("size", text_size(a, q->size));
        put_row("owner, mode", arena_printf(a, "%llu:%llu %04llo", (unsigned long long)q->uid,
                                            (unsigned long long)q->gid, (unsigned long long)q->mode));
        put_row("modified", moment_words(a, q->mtime));
        put_row("container", text_clean(a, q->container_name.n ? q->container_name : q->container_id));
        put_row("image", text_clean(a, q->image));
        put_row("on the host", text_clean(a, q->host_path));
        if (q->process.n)
                put_row("wanted by", arena_printf(a, "%.*s, pid %llu", STR_FMT(text_clean(a, q->process)),
                                                  (unsigned long long)q->pid));
        put_row("taken", moment_words(a, q->taken));
        put_row("not removed", text_clean(a, q->not_removed));
        for (size_t i = 0; i < q->xattrs.n; i++)
                put_row("attribute", text_clean(a, q->xattrs.v[i]));
        return EXIT_CLEAN;
}

/* ----------------------------------------------------------------------------------------------------- restoring -- */

/* The root that the item's path is below: that of its container, which must be running, or the host's. */
static int open_root(const struct settings *s, const struct fact_quarantined *q, struct arena *a, int *ret,
                     struct error *err)
{
        char path[64] = "/";
        struct container c;
        if (!s->to && q->container_id.n) {
                int r = container_find(arena_cstr(a, q->container_id), s->root, a, &c, err);
                if (r < 0)
                        return error_prefix(err, r, "its container; --to PATH restores it elsewhere");
                if (!c.pid)
                        return error_set(err, -ESRCH,
                                         "its container %.*s does not run: start it, or restore it elsewhere with "
                                         "--to PATH",
                                         STR_FMT(c.name.n ? c.name : c.id));
                snprintf(path, sizeof(path), "/proc/%llu/root", (unsigned long long)c.pid);
        }
        int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_errno(err, -errno, "%s", path);
        *ret = fd;
        return 0;
}

static int absolute(const char *path, struct arena *a, const char **ret, struct error *err)
{
        _cleanup_(freep) char *here = path[0] == '/' ? NULL : getcwd(NULL, 0);
        if (path[0] != '/' && !here)
                return error_errno(err, -errno, "the working directory");
        *ret = here ? arena_printf(a, "%s/%s", here, path).p : path;
        return 0;
}

/* It is cleared first: the guard would take it again as soon as it is there. */
static int restore(const struct settings *s, const struct quarantine *store, const struct fact_quarantined *q,
                   struct arena *a)
{
        struct error err = ERROR_NONE;
        _cleanup_(closep) int root = -1;
        const char *path = arena_cstr(a, q->path);
        int r = s->to ? absolute(s->to, a, &path, &err) : 0;
        if (r == 0)
                r = open_root(s, q, a, &root, &err);
        if (r == 0)
                r = quarantine_clear(store, q->sha256, &err);
        if (r == 0)
                r = quarantine_restore(store, q, root, path, s->force, &err);
        if (r < 0) {
                (void)error_prefix(&err, r, "%.*s not restored", STR_FMT(q->id));
                return fail(EXIT_INCOMPLETE, &err);
        }
        if (!s->quiet)
                printf("%.*s restored to %.*s%s%.*s; its content is not taken again, and the item stays until it is "
                       "deleted\n",
                       STR_FMT(q->id), STR_FMT(text_clean(a, str_of(path))),
                       !s->to && q->container_id.n ? " in container " : "",
                       STR_FMT(!s->to && q->container_id.n ? place_words(a, q) : STR_NONE));
        return EXIT_CLEAN;
}

static int delete_all(const struct settings *s, const struct quarantine *store, const struct fact_quarantined *item,
                      struct arena *a)
{
        struct error err = ERROR_NONE;
        struct fact_quarantined *items;
        struct str_list bad;
        size_t n, done = 0;
        int r = quarantine_list(store, a, &items, &n, &bad, &err);
        while (r == 0 && done < n && (r = quarantine_delete(store, items[done].id, &err)) == 0)
                done++;
        if (!s->quiet)
                printf("%.*s deleted\n", STR_FMT(text_count(a, done, "item", "items")));
        return r < 0 ? fail(EXIT_INCOMPLETE, &err) : EXIT_CLEAN;
}

static int delete_one(const struct settings *s, const struct quarantine *store, const struct fact_quarantined *q,
                      struct arena *a)
{
        struct error err = ERROR_NONE;
        if (quarantine_delete(store, q->id, &err) < 0)
                return fail(EXIT_INCOMPLETE, &err);
        if (!s->quiet)
                printf("%.*s deleted\n", STR_FMT(q->id));
        return EXIT_CLEAN;
}

/* ---- verbs ---- */

/* What a verb does with the open store; item: NULL for all of it. */
typedef int on_store(const struct settings *s, const struct quarantine *store, const struct fact_quarantined *item,
                     struct arena *a);

static int open_store(struct settings *s, const char *id, on_store *run)
{
        struct error err = ERROR_NONE;
        struct arena arena = ARENA_INIT;
        struct quarantine store;
        struct fact_quarantined item;
        int code;
        if (!s->directory)
                s->directory = QUARANTINE_DIRECTORY;
        if (quarantine_open(s->directory, false, &store, &err) < 0)
                return fail(EXIT_INCOMPLETE, &err);
        if (id && quarantine_get(&store, str_of(id), &arena, &item, &err) < 0)
                code = fail(EXIT_INCOMPLETE, &err);
        else
                code = run(s, &store, id ? &item : NULL, &arena);
        quarantine_close(&store);
        arena_done(&arena);
        return code;
}

/* One item, by its id. */
static int on_item(struct settings *s, const char *verb, int argc, char **argv, on_store *run)
{
        if (argc > 1)
                return fail_usage(&command_quarantine, "one item at a time: not \"%s\"", argv[1]);
        if (argc < 1)
                return fail_usage(&command_quarantine,
                                  "%s needs an item: sekisho quarantine list tells which there are%s", verb,
                                  strcmp(verb, "delete") == 0 ? "; --all deletes every one" : "");
        return open_store(s, argv[0], run);
}

static int run_list(void *state, int argc, char **argv)
{
        if (argc)
                return fail_usage(&command_quarantine, "list takes no item: sekisho quarantine show %s", argv[0]);
        return open_store(state, NULL, list);
}

static int run_show(void *state, int argc, char **argv) { return on_item(state, "show", argc, argv, show); }

static int run_restore(void *state, int argc, char **argv) { return on_item(state, "restore", argc, argv, restore); }

static int run_delete(void *state, int argc, char **argv)
{
        struct settings *s = state;
        if (s->all && argc)
                return fail_usage(&command_quarantine, "either --all or an item");
        return s->all ? open_store(s, NULL, delete_all) : on_item(s, "delete", argc, argv, delete_one);
}

static const struct verb verbs[] = {
        { "list", run_list, "quarantine output" },
        { "show", run_show, "quarantine output" },
        { "restore", run_restore, "quarantine to root force quiet" },
        { "delete", run_delete, "quarantine all quiet" },
        { NULL, NULL, NULL },
};

const struct command command_quarantine = {
        .name = "quarantine",
        .usage = "quarantine list | show ITEM | restore ITEM | delete ITEM | delete --all",
        .summary = "Look at what the guard took out of containers; put it back or delete it",
        .help = "Restoring brings back content, mode, owner, attributes and times, to its place in the running "
                "container or "
                "to --to PATH. Nothing is replaced without --force.\n",
        .examples = "  sekisho quarantine list -o json\n"
                    "  sekisho quarantine restore q-19\n",
        .options = options,
        .option = take_option,
        .state_size = sizeof(struct settings),
        .verbs = verbs,
};
