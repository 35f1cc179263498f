/* `sekisho rematch`: which of what we have is affected, by new advisories or by one, without scanning again. */
#include "flow/rematch.h"

#include "base/clock.h"
#include "base/fs.h"
#include "cli/running.h"
#include "intel/db-locate.h"
#include "report/text.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define HITS_SHOWN  40 /* rows of the table; JSON has all */
#define NAMES_SHOWN 3  /* artefacts named in a row */

extern const struct command command_rematch;

struct answer {
        const struct book_settings *settings;
        struct arena *arena;
        struct stock stock;
        struct rematch rematch;
        struct book_data data;
        uint64_t record, elapsed_ms;
        struct running_set running;   /* --running: what runs here, and how many of it */
        size_t n_hit, n_not_compared; /* are affected; are of no artefact */
};

/* --- JSON --- */

static bool affects(const struct answer *x, const struct rematch_hit *h, const struct running *c)
{
        for (size_t i = 0; i < h->n_artefacts && c->item; i++)
                if (str_eq(x->stock.artefacts[h->artefacts[i]].key, c->item->key))
                        return true;
        return false;
}

static bool is_affected(const struct answer *x, const struct running *c)
{
        for (size_t i = 0; i < x->rematch.n_hits; i++)
                if (affects(x, &x->rematch.hits[i], c))
                        return true;
        return false;
}

static json_t *running_hit_document(const struct rematch_hit *h, const struct running_use *use)
{
        json_t *o = doc_object();
        doc_set(o, "id", doc_text(h->id));
        doc_set(o, "package", doc_text(h->package));
        doc_set(o, "use", doc_cstr(package_use_name(use->use)));
        doc_set(o, "use_proof", doc_str(use->why));
        return o;
}

static json_t *container_document(const struct answer *x, const struct running *c)
{
        json_t *o = doc_object(), *found = doc_array();
        doc_set(o, "container", doc_text(c->c.id));
        doc_set(o, "name", doc_str(c->c.name));
        doc_set(o, "artefact", doc_str(c->item ? c->item->key : STR_NONE));
        doc_set(o, "not_known", doc_str(running_doubt(x->arena, c)));
        for (enum package_use use = PACKAGE_USES; use-- > 0;)
                for (size_t i = 0; i < x->rematch.n_hits; i++) {
                        struct running_use its = running_use_of(c, x->rematch.hits[i].package);
                        if (its.use == use && affects(x, &x->rematch.hits[i], c))
                                doc_add(found, running_hit_document(&x->rematch.hits[i], &its));
                }
        doc_set(o, "found", found);
        return o;
}

static json_t *hit_document(const struct answer *x, const struct rematch_hit *h)
{
        json_t *o = doc_object(), *artefacts = doc_array();
        doc_set(o, "id", doc_text(h->id));
        doc_set(o, "package", doc_text(h->package));
        doc_set(o, "version", doc_text(h->version));
        doc_set(o, "fix", doc_str(h->fix));
        doc_set(o, "severity", doc_cstr(severity_name(h->severity)));
        doc_set(o, "exploited", doc_bool(h->is_exploited));
        doc_set(o, "summary", doc_str(h->summary));
        for (size_t i = 0; i < h->n_artefacts; i++)
                doc_add(artefacts, doc_text(x->stock.artefacts[h->artefacts[i]].key));
        doc_set(o, "artefacts", artefacts);
        return o;
}

static int put_json(const struct answer *x)
{
        struct doc_stream s = { .to = stdout };
        json_t *advisories = doc_object(), *looked = doc_object();
        doc_set(advisories, "source", doc_str(x->data.source));
        doc_set(advisories, "digest", doc_str(x->data.digest));
        doc_set(advisories, "date", doc_time(x->data.date));
        doc_set(looked, "artefacts", doc_number(x->stock.n_artefacts));
        doc_set(looked, "packages", doc_number(x->stock.n_packages));
        doc_set(looked, "blind", doc_number(x->rematch.n_blind));
        doc_open(&s, NULL, '{');
        doc_put(&s, "asked", doc_cstr(x->settings->id));
        doc_put(&s, "advisories", advisories);
        doc_put(&s, "looked_at", looked);
        doc_put(&s, "affected", doc_number(x->rematch.n_affected));
        doc_put(&s, "record", doc_number(x->record));
        doc_open(&s, "found", '[');
        for (size_t i = 0; i < x->rematch.n_hits; i++)
                doc_put(&s, NULL, hit_document(x, &x->rematch.hits[i]));
        doc_close(&s, ']');
        if (x->settings->only_running) {
                doc_open(&s, "running", '[');
                for (size_t i = 0; i < x->running.n; i++)
                        doc_put(&s, NULL, container_document(x, &x->running.v[i]));
                doc_close(&s, ']');
        }
        doc_close(&s, '}');
        return doc_end(&s);
}

/* --- for a person --- */

static struct str version_words(const struct answer *x, const struct rematch_hit *h)
{
        struct str version = text_clean(x->arena, h->version);
        return h->fix.n ? arena_printf(x->arena, "%.*s → %.*s", STR_FMT(version), STR_FMT(text_clean(x->arena, h->fix)))
                        : arena_printf(x->arena, "%.*s, no fix known", STR_FMT(version));
}

static void put_hit(const struct answer *x, struct screen *s, struct grid *g, const struct rematch_hit *h,
                    struct str last)
{
        bool is_bad = h->is_exploited || h->severity == SEVERITY_CRITICAL;
        grid_add(s, g, is_bad ? PAINT_BAD : PAINT_PLAIN,
                 h->is_exploited ? STR("exploited") : str_of(severity_name(h->severity)));
        grid_add(s, g, PAINT_STRONG, text_clean(x->arena, h->id));
        grid_add(s, g, PAINT_NAME, text_clean(x->arena, h->package));
        grid_add(s, g, PAINT_PLAIN, version_words(x, h));
        grid_add(s, g, PAINT_PLAIN, last);
}

/* One container: what is loaded first, then by the order of the hits. */
static void put_container(const struct answer *x, const struct running *c)
{
        struct screen s = screen_on_stdout(x->arena);
        struct grid g = { .columns = 5, .indent = 2, .flexible = 4, .most = { 0, 24, 32, 64, 0 } };
        struct str name = text_clean(x->arena, running_name(c)), doubt = running_doubt(x->arena, c);
        printf("Container %.*s%s%.*s\n", STR_FMT(name), doubt.n ? ": not known what it has loaded: " : "",
               STR_FMT(doubt));
        for (enum package_use use = PACKAGE_USES; use-- > 0;)
                for (size_t i = 0; i < x->rematch.n_hits; i++) {
                        struct running_use its = running_use_of(c, x->rematch.hits[i].package);
                        if (its.use == use && affects(x, &x->rematch.hits[i], c))
                                put_hit(x, &s, &g, &x->rematch.hits[i],
                                        its.why.n ? text_clean(x->arena, its.why) : str_of(package_use_name(its.use)));
                }
        grid_print(&s, &g);
}

static void put_running(const struct answer *x)
{
        struct screen s = screen_on_stdout(x->arena);
        const char *by = x->settings->id ? x->settings->id : "advisories that the last scans did not have";
        screen_printf(&s, x->n_hit ? PAINT_BAD : PAINT_GOOD, "%.*s of %.*s", STR_FMT(text_number(x->arena, x->n_hit)),
                      STR_FMT(text_count(x->arena, x->running.n, "running container", "running containers")));
        printf(" %s affected by %s\n", x->n_hit == 1 ? "is" : "are", by);
        for (size_t i = 0; i < x->running.n; i++) {
                const struct running *c = &x->running.v[i];
                if (is_affected(x, c))
                        put_container(x, c);
                else if (!c->item)
                        printf("Container %.*s was not compared: %.*s\n",
                               STR_FMT(text_clean(x->arena, running_name(c))), STR_FMT(running_doubt(x->arena, c)));
        }
}

static struct str names_words(const struct answer *x, const struct rematch_hit *h)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(4096);
        buf_add_str(&b, text_count(x->arena, h->n_artefacts, "artefact", "artefacts"));
        for (size_t i = 0; i < h->n_artefacts && i < NAMES_SHOWN; i++) {
                const struct stock_artefact *a = &x->stock.artefacts[h->artefacts[i]];
                struct str name = text_clean(x->arena, a->name.n ? a->name : a->key);
                buf_printf(&b, "%s%.*s", i ? ", " : ": ", STR_FMT(str_upto(name, 500)));
        }
        if (h->n_artefacts > NAMES_SHOWN)
                buf_puts(&b, ", ...");
        return text_take(x->arena, &b);
}

static void put_hits(const struct answer *x)
{
        struct screen s = screen_on_stdout(x->arena);
        struct grid g = { .columns = 5, .indent = 2, .flexible = 4, .most = { 0, 24, 32, 64, 0 } };
        for (size_t i = 0; i < x->rematch.n_hits && i < HITS_SHOWN; i++) {
                const struct rematch_hit *h = &x->rematch.hits[i];
                put_hit(x, &s, &g, h, names_words(x, h));
        }
        grid_print(&s, &g);
        if (x->rematch.n_hits > HITS_SHOWN)
                printf("  and %zu more: -o json has all\n", x->rematch.n_hits - HITS_SHOWN);
}

static void put_artefacts(const struct answer *x)
{
        struct screen s = screen_on_stdout(x->arena);
        const struct rematch *m = &x->rematch;
        const char *by = x->settings->id ? x->settings->id : "advisories that their last scan did not have";
        screen_printf(&s, m->n_affected ? PAINT_BAD : PAINT_GOOD, "%.*s of %.*s",
                      STR_FMT(text_number(x->arena, m->n_affected)),
                      STR_FMT(text_count(x->arena, x->stock.n_artefacts, "artefact", "artefacts")));
        printf(" %s affected by %s\n", m->n_affected == 1 ? "is" : "are", by);
        put_hits(x);
}

static void put_table(const struct answer *x)
{
        const struct rematch *m = &x->rematch;
        if (x->settings->only_running)
                put_running(x);
        else
                put_artefacts(x);
        if (m->n_blind)
                printf("%.*s compared with nothing: there are no advisories for their systems in this data\n",
                       STR_FMT(text_count(x->arena, m->n_blind, "artefact was", "artefacts were")));
        printf("Compared %.*s with advisories of %.*s (%.*s); record %llu",
               STR_FMT(text_count(x->arena, x->stock.n_packages, "different package", "different packages")),
               STR_FMT(text_day(x->arena, x->data.date, "unknown age")), STR_FMT(text_clean(x->arena, x->data.source)),
               (unsigned long long)x->record);
        if (screen_on_stdout(x->arena).width)
                printf("; %.*s", STR_FMT(text_elapsed(x->arena, x->elapsed_ms)));
        putchar('\n');
}

/* --- the work --- */

/* What runs here, and of the stock only what of it runs. */
static int keep_running(struct answer *x, struct book *b, struct error *err)
{
        struct book_inventory inventory;
        size_t kept = 0;
        int r = book_inventory(b, x->arena, &inventory, err);
        if (r == 0)
                r = running_find(b, &inventory, env_or("SEKISHO_LOADED", NULL), x->arena, &x->running, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < x->stock.n_artefacts; i++) {
                bool runs = false;
                for (size_t k = 0; k < x->running.n && !runs; k++)
                        runs = x->running.v[k].item && str_eq(x->running.v[k].item->key, x->stock.artefacts[i].key);
                if (runs)
                        x->stock.artefacts[kept++] = x->stock.artefacts[i];
        }
        x->stock.n_artefacts = kept;
        return 0;
}

static void count_running(struct answer *x)
{
        for (size_t i = 0; i < x->running.n; i++) {
                x->n_hit += is_affected(x, &x->running.v[i]);
                x->n_not_compared += !x->running.v[i].item;
        }
}

static int answer(struct answer *x, struct book *b, const struct db *db, struct error *err)
{
        struct str id = str_of(x->settings->id);
        int r = book_stock(b, x->arena, &x->stock, err);
        if (r == 0 && x->settings->only_running)
                r = keep_running(x, b, err);
        if (r == 0)
                r = rematch_run(&x->stock, db, id, x->arena, &x->rematch, err);
        if (r == 0 && id.n && !x->rematch.is_known)
                return error_set(err, -ENOENT,
                                 "the advisories (%.*s) do not know %s, so nobody can say who is affected: sekisho db "
                                 "update",
                                 STR_FMT(x->data.source), x->settings->id);
        struct book_stamp stamp = stamp_now(x->arena);
        return r < 0 ? r : rematch_record(b, &stamp, &x->stock, &x->rematch, &x->data, id, &x->record, err);
}

static int put(const struct answer *x, struct error *err)
{
        if (!x->settings->json) {
                put_table(x);
                return 0;
        }
        int r = put_json(x);
        return r < 0 ? error_errno(err, r, "cannot write to standard output") : 0;
}

static int run(void *state, int argc, char **argv)
{
        const struct book_settings *c = state;
        struct error err = ERROR_NONE;
        struct arena arena = ARENA_INIT;
        struct answer x = { .settings = c, .arena = &arena };
        _cleanup_(book_closep) struct book *b = NULL;
        _cleanup_(db_closep) struct db *db = NULL;
        uint64_t started = (uint64_t)monotonic_ms();
        if (argc)
                return fail_usage(&command_rematch, "takes no argument \"%s\"; use --id ID", argv[0]);
        int code = book_open_or_tell(c->ledger, BOOK_WRITE, &b);
        if (code)
                return code;
        int r = db_locate(c->db, &db, &x.data.source, &err);
        if (r == 0) {
                x.data.digest = db_digest(db);
                x.data.date = db_date(db);
                r = answer(&x, b, db, &err);
                count_running(&x);
        }
        x.elapsed_ms = (uint64_t)monotonic_ms() - started;
        if (r == 0)
                r = put(&x, &err);
        running_done(&x.running);
        arena_done(&arena);
        return r < 0                  ? fail(EXIT_INCOMPLETE, &err)
               : x.rematch.n_affected ? EXIT_DENIED
               : x.n_not_compared     ? EXIT_INCOMPLETE
                                      : EXIT_CLEAN;
}

static const struct option_spec options[] = {
        { "running", 0, NULL, "only what containers of this host run, by container: what is loaded first" },
        { "id", 0, "ID", "who is affected by this one: a CVE or another name of an advisory" },
        ADVISORIES_OPTION,
        LEDGER_OPTION,
        FORMAT_OPTION,
        { NULL, 0, NULL, NULL },
};

const struct command command_rematch = {
        .name = "rematch",
        .usage = "rematch [OPTIONS]",
        .summary = "Compare everything in the ledger with today's advisories, without scanning again",
        .help = "Answers which artefacts are affected by what their last scan did not know yet; with --id, by that one "
                "advisory, known or not. The answer is recorded in the ledger. With --running the artefacts are those "
                "that this host's containers run; a container whose image is not in the ledger is told. Exit status: 0 "
                "nothing is affected, 1 something is, 2 usage, 3 could not be told (with --running: nothing is, but a "
                "container could not be compared).\n",
        .examples = "  sekisho db update && sekisho rematch --running\n  sekisho rematch --id CVE-2024-5535 -o json\n",
        .options = options,
        .option = book_option,
        .state_size = sizeof(struct book_settings),
        .run = run,
};
