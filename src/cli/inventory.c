/* `sekisho inventory`: every artefact that was ever scanned or seen; of what runs now, what it has loaded. */
#include "base/fs.h"
#include "cli/running.h"
#include "report/text.h"

#include <string.h>

/* What is shown: the items, and beside each what runs of it. */
struct shown {
        struct book_inventory inventory;
        struct running_set running;
        struct running_item *of;
        bool is_loaded_only;
};

static bool is_shown(const struct shown *x, size_t i) { return !x->is_loaded_only || x->of[i].counts[USE_LOADED] > 0; }

static json_t *tags_document(const struct book_item *item)
{
        json_t *array = doc_array();
        for (size_t i = 0; i < item->n_tags; i++) {
                const struct book_tag *t = &item->tags[i];
                json_t *o = doc_object();
                doc_set(o, "reference", doc_text(t->reference));
                doc_set(o, "host", doc_str(t->host));
                doc_set(o, "first", doc_time(t->first));
                doc_set(o, "last", doc_time(t->last));
                doc_set(o, "current", doc_bool(t->is_current));
                doc_add(array, o);
        }
        return array;
}

static json_t *places_document(const struct book_item *item)
{
        json_t *array = doc_array();
        for (size_t i = 0; i < item->n_places; i++) {
                const struct book_place *p = &item->places[i];
                json_t *o = doc_object();
                doc_set(o, "host", doc_str(p->host));
                doc_set(o, "container", doc_str(p->container));
                doc_set(o, "first", doc_time(p->first));
                doc_set(o, "last", doc_time(p->last));
                doc_add(array, o);
        }
        return array;
}

static json_t *counts_document(const struct book_item *item)
{
        json_t *o = doc_object();
        for (size_t i = SEVERITY_COUNTS; i-- > 0;)
                doc_set(o, severity_name((enum severity)i), doc_number(item->counts[i]));
        doc_set(o, "fixable", doc_number(item->n_fixable));
        doc_set(o, "exploited", doc_number(item->n_exploited));
        doc_set(o, "waived", doc_number(item->n_waived));
        return o;
}

static json_t *item_document(const struct book_item *item)
{
        json_t *o = doc_object();
        doc_set(o, "key", doc_text(item->key));
        doc_set(o, "digest", doc_str(item->artefact.digest));
        doc_set(o, "image_id", doc_str(item->artefact.image_id));
        doc_set(o, "kind", doc_str(item->artefact.kind));
        doc_set(o, "name", doc_str(item->artefact.name));
        doc_set(o, "target", doc_str(item->artefact.target));
        doc_set(o, "os", doc_str(item->os));
        doc_set(o, "first_seen", doc_time(item->first));
        doc_set(o, "last_seen", doc_time(item->last));
        doc_set(o, "last_scan", doc_time(item->scanned));
        doc_set(o, "scans", doc_number(item->n_scans));
        doc_set(o, "verdict", doc_str(item->verdict));
        doc_set(o, "policy", doc_str(item->policy));
        doc_set(o, "complete", doc_bool(item->is_complete));
        doc_set(o, "advisories", doc_time(item->data.date));
        doc_set(o, "packages", doc_number(item->n_packages));
        doc_set(o, "findings", doc_number(item->n_findings));
        doc_set(o, "counts", counts_document(item));
        doc_set(o, "tags", tags_document(item));
        doc_set(o, "places", places_document(item));
        return o;
}

static int put_json(const struct shown *x, struct arena *arena)
{
        struct doc_stream s = { .to = stdout };
        doc_open(&s, NULL, '{');
        doc_open(&s, "artefacts", '[');
        for (size_t i = 0; i < x->inventory.n; i++) {
                if (!is_shown(x, i))
                        continue;
                json_t *o = item_document(&x->inventory.v[i]);
                doc_set(o, "running", running_document(&x->running, &x->inventory.v[i], &x->of[i], arena));
                doc_put(&s, NULL, o);
        }
        doc_close(&s, ']');
        doc_close(&s, '}');
        return doc_end(&s);
}

/* --- for a person --- */

static struct str verdict_cell(const struct book_item *item, enum paint *ret)
{
        bool denied = str_is(item->verdict, "deny");
        *ret = !item->n_scans ? PAINT_FAINT : denied ? PAINT_BAD : PAINT_GOOD;
        return !item->n_scans ? STR("not scanned") : denied ? STR("DENIED") : STR("ALLOWED");
}

/* "58, 16 high": how many, and how many of the worst. */
static struct str found_words(struct arena *a, const struct book_item *item)
{
        size_t worst = SEVERITY_COUNTS;
        if (!item->n_scans || !item->n_findings)
                return item->n_scans ? STR("nothing") : STR_NONE;
        while (worst > 1 && !item->counts[worst - 1])
                worst--;
        struct str words =
                arena_printf(a, "%.*s, %llu %s", STR_FMT(text_number(a, item->n_findings)),
                             (unsigned long long)item->counts[worst - 1], severity_name((enum severity)(worst - 1)));
        return item->n_exploited
                       ? arena_printf(a, "%.*s, %llu exploited", STR_FMT(words), (unsigned long long)item->n_exploited)
                       : words;
}

static struct str places_words(struct arena *a, const struct book_item *item)
{
        if (!item->n_places)
                return STR_NONE;
        struct str first = text_clean(a, item->places[0].host);
        if (item->n_places == 1)
                return first;
        return arena_printf(a, "%.*s +%zu", STR_FMT(first), item->n_places - 1);
}

static void put_heading(const struct shown *x, const char *path, struct arena *a)
{
        size_t denied = 0, unscanned = 0, n = 0;
        for (size_t i = 0; i < x->inventory.n; i++) {
                n += is_shown(x, i);
                denied += is_shown(x, i) && str_is(x->inventory.v[i].verdict, "deny");
                unscanned += is_shown(x, i) && x->inventory.v[i].n_scans == 0;
        }
        printf("%.*s%s, %zu denied by their last scan", STR_FMT(text_count(a, n, "artefact", "artefacts")),
               x->is_loaded_only ? " with a vulnerability that a container has loaded" : "", denied);
        if (unscanned)
                printf(", %zu never scanned", unscanned);
        printf("    %s\n", path);
}

static void put_row(struct screen *s, struct grid *g, const struct book_item *item, struct str loaded, bool has_loaded)
{
        struct arena *a = s->arena;
        enum paint paint;
        struct str verdict = verdict_cell(item, &paint);
        grid_add(s, g, PAINT_NAME, text_clean(a, item->artefact.name));
        grid_add(s, g, PAINT_PLAIN, text_short_digest(a, text_clean(a, item->artefact.digest)));
        grid_add(s, g, PAINT_PLAIN, text_clean(a, item->os));
        grid_add(s, g, paint, verdict);
        grid_add(s, g, PAINT_PLAIN, found_words(a, item));
        if (has_loaded)
                grid_add(s, g, PAINT_PLAIN, loaded);
        grid_add(s, g, PAINT_PLAIN, moment_words(a, item->last));
        grid_add(s, g, PAINT_PLAIN, places_words(a, item));
}

/* The column of what is loaded stands there if any container runs. */
static void put_items(const struct shown *x, struct arena *a)
{
        struct screen s = screen_on_stdout(a);
        bool has_loaded = x->running.n > 0;
        struct grid g = { .columns = has_loaded ? 8 : 7,
                          .flexible = 0,
                          .most = { 48, 0, 24, 0, 44, 0, has_loaded ? 0 : 24, 24 } };
        static const char *const heads[] = { "ARTEFACT", "DIGEST", "SYSTEM",    "VERDICT",
                                             "FOUND",    "LOADED", "LAST SEEN", "WHERE" };
        for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
                if (has_loaded || i != 5)
                        grid_add(&s, &g, PAINT_FAINT, str_of(heads[i]));
        for (size_t i = 0; i < x->inventory.n; i++)
                if (is_shown(x, i))
                        put_row(&s, &g, &x->inventory.v[i], running_words(a, &x->of[i]), has_loaded);
        grid_print(&s, &g);
}

/* Of which containers nothing can be told, and why. */
static void put_doubts(const struct shown *x, struct arena *a)
{
        for (size_t i = 0; i < x->running.n; i++) {
                const struct running *c = &x->running.v[i];
                struct str doubt = running_doubt(a, c);
                if (doubt.n)
                        printf("Container %.*s: not known what it has loaded: %.*s\n",
                               STR_FMT(text_clean(a, running_name(c))), STR_FMT(doubt));
        }
}

static void put_table(const struct shown *x, const char *path, struct arena *a)
{
        put_heading(x, path, a);
        if (x->inventory.n)
                put_items(x, a);
        for (size_t i = 0; i < x->inventory.n; i++)
                if (x->is_loaded_only && is_shown(x, i))
                        running_print(a, &x->of[i]);
        put_doubts(x, a);
        if (x->inventory.n)
                printf("The story of one: sekisho history NAME or DIGEST\n");
}

extern const struct command command_inventory;

static int read_all_of_it(struct book *b, struct arena *arena, struct shown *x, struct error *err)
{
        int r = book_inventory(b, arena, &x->inventory, err);
        if (r == 0)
                r = running_find(b, &x->inventory, env_or("SEKISHO_LOADED", NULL), arena, &x->running, err);
        if (r == 0)
                x->of = arena_array(arena, x->inventory.n, sizeof(*x->of));
        for (size_t i = 0; i < x->inventory.n && r == 0; i++)
                r = running_item_read(b, &x->running, &x->inventory.v[i], arena, &x->of[i], err);
        return r;
}

static int run(void *state, int argc, char **argv)
{
        const struct book_settings *c = state;
        struct error err = ERROR_NONE;
        struct arena arena = ARENA_INIT;
        struct shown shown = { .is_loaded_only = c->only_loaded };
        _cleanup_(book_closep) struct book *b = NULL;
        if (argc)
                return fail_usage(&command_inventory,
                                  "takes no argument \"%s\"; sekisho history %s tells of one artefact", argv[0],
                                  argv[0]);
        int code = book_open_or_tell(c->ledger, BOOK_READ, &b);
        if (code)
                return code;
        int r = read_all_of_it(b, &arena, &shown, &err);
        if (r == 0 && c->json && (r = put_json(&shown, &arena)) < 0)
                (void)error_errno(&err, r, "cannot write to standard output");
        else if (r == 0 && !c->json)
                put_table(&shown, book_path(b), &arena);
        running_done(&shown.running);
        arena_done(&arena);
        return r < 0 ? fail(EXIT_INCOMPLETE, &err) : EXIT_CLEAN;
}

static const struct option_spec options[] = {
        { "loaded", 0, NULL, "only artefacts of which a running container has a vulnerability loaded, and which" },
        LEDGER_OPTION,
        FORMAT_OPTION,
        { NULL, 0, NULL, NULL },
};

const struct command command_inventory = {
        .name = "inventory",
        .usage = "inventory [OPTIONS]",
        .summary = "List every artefact that was scanned or seen, with its last verdict",
        .help = "Reads the ledger, which sekisho scan --record begins; see sekisho help recording. Of artefacts that "
                "run in containers of this host it says how many of their vulnerabilities a process has loaded, if an "
                "agent watches them: sekisho agent --loaded DIR.\n",
        .examples = "  sekisho inventory\n  sekisho inventory --loaded\n  sekisho inventory -o json | jq '.artefacts[] "
                    "| select(.verdict == "
                    "\"deny\") | .name'\n",
        .options = options,
        .option = book_option,
        .state_size = sizeof(struct book_settings),
        .run = run,
};
