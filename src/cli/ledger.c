/* `sekisho ledger`: whether the system's memory is whole, what is in it, and making anew what is derived from it. */
#include "cli/book.h"
#include "report/text.h"

#include <errno.h>
#include <string.h>

extern const struct command command_ledger;

static struct str checkpoint_words(struct arena *arena, const struct book_status *s)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(128);
        buf_printf(&b, "%llu:", (unsigned long long)s->head_sequence);
        for (size_t i = 0; i < BOOK_HASH_BYTES; i++)
                buf_printf(&b, "%02x", s->head_hash[i]);
        return text_take(arena, &b);
}

/* --- verify --- */

static json_t *record_document(const struct book_record *r)
{
        json_t *o = doc_object();
        doc_set(o, "sequence", doc_number(r->sequence));
        doc_set(o, "time", doc_time(r->time));
        doc_set(o, "kind", doc_text(r->kind));
        doc_set(o, "subject", doc_text(r->subject));
        doc_set(o, "actor", doc_text(r->actor));
        return o;
}

static int tell_flaw(const struct book_settings *c, const char *path, const struct book_flaw *f, struct arena *a)
{
        if (c->json) {
                json_t *o = doc_object();
                doc_set(o, "ledger", doc_cstr(path));
                doc_set(o, "whole", doc_bool(false));
                doc_set(o, "record", f->has_record ? record_document(&f->record) : doc_null());
                doc_set(o, "flaw", doc_cstr(f->words));
                return put_document(o, EXIT_DENIED);
        }
        struct screen s = screen_on_stdout(a);
        screen_put(&s, PAINT_BAD, STR("BROKEN"));
        if (f->has_record)
                printf(" at record %llu: %.*s of %.*s by %.*s, %.*s", (unsigned long long)f->record.sequence,
                       STR_FMT(text_clean(a, f->record.kind)), STR_FMT(text_clean(a, f->record.subject)),
                       STR_FMT(text_clean(a, f->record.actor)), STR_FMT(moment_words(a, f->record.time)));
        printf("\n  %.*s\n", STR_FMT(text_clean(a, str_of(f->words))));
        if (f->has_record && f->record.sequence > 1)
                printf("The records before it fit together.\n");
        printf("Keep %s as it is, and put a backup in its place.\n", path);
        return EXIT_DENIED;
}

static int tell_whole(const struct book_settings *c, struct book *b, struct arena *a)
{
        struct error err = ERROR_NONE;
        struct book_status s;
        if (book_status(b, &s, &err) < 0)
                return fail(EXIT_INCOMPLETE, &err);
        struct str checkpoint = s.records ? checkpoint_words(a, &s) : STR_NONE;
        if (c->json) {
                json_t *o = doc_object();
                doc_set(o, "ledger", doc_cstr(book_path(b)));
                doc_set(o, "whole", doc_bool(true));
                doc_set(o, "records", doc_number(s.records));
                doc_set(o, "checkpoint", doc_str(checkpoint));
                return put_document(o, EXIT_CLEAN);
        }
        if (c->quiet)
                return EXIT_CLEAN;
        struct screen screen = screen_on_stdout(a);
        screen_put(&screen, PAINT_GOOD, STR("whole"));
        printf("  %s, %.*s\n", book_path(b), STR_FMT(text_count(a, s.records, "record", "records")));
        if (checkpoint.n)
                printf("checkpoint %.*s\n", STR_FMT(checkpoint));
        return EXIT_CLEAN;
}

static int no_argument(const char *word)
{
        return fail_usage(&command_ledger, "takes no argument \"%s\"; use --ledger FILE", word);
}

static int run_verify(void *state, int argc, char **argv)
{
        const struct book_settings *c = state;
        if (argc)
                return no_argument(argv[0]);
        struct error err = ERROR_NONE;
        struct arena arena = ARENA_INIT;
        _cleanup_(book_closep) struct book *b = NULL;
        struct book_checkpoint checkpoint = { 0 };
        struct book_flaw flaw = { 0 };
        if (c->checkpoint && !book_checkpoint_parse(str_of(c->checkpoint), &checkpoint))
                return fail_usage(&command_ledger,
                                  "--checkpoint: \"%s\" is not of the form NUMBER:HASH, as ledger status prints it",
                                  c->checkpoint);
        int r = book_open(c->ledger, BOOK_CHECK, &b, &err);
        if (r == 0)
                r = book_verify(b, &checkpoint, &arena, &flaw, &err);
        int code = r < 0    ? fail(r == -EBADMSG ? EXIT_DENIED : EXIT_INCOMPLETE, &err)
                   : r == 0 ? tell_whole(c, b, &arena)
                            : tell_flaw(c, book_path(b), &flaw, &arena);
        arena_done(&arena);
        return code;
}

/* --- status --- */

static json_t *status_document(const struct book *b, const struct book_status *s, struct str checkpoint)
{
        json_t *o = doc_object();
        doc_set(o, "ledger", doc_cstr(book_path(b)));
        doc_set(o, "schema", doc_number(s->schema));
        doc_set(o, "records", doc_number(s->records));
        doc_set(o, "first", doc_time(s->first));
        doc_set(o, "last", doc_time(s->last));
        doc_set(o, "behind", doc_number(s->behind));
        doc_set(o, "artefacts", doc_number(s->artefacts));
        doc_set(o, "packages", doc_number(s->packages));
        doc_set(o, "package_lists", doc_number(s->package_lists));
        doc_set(o, "findings", doc_number(s->findings));
        doc_set(o, "waivers", doc_number(s->waivers));
        doc_set(o, "size", doc_number(s->size_bytes));
        doc_set(o, "checkpoint", doc_str(checkpoint));
        return o;
}

static void print_status(const struct book *b, const struct book_status *s, struct str checkpoint, struct arena *a)
{
        printf("%s  %.*s, %.*s, schema %u\n", book_path(b), STR_FMT(text_count(a, s->records, "record", "records")),
               STR_FMT(text_size(a, s->size_bytes)), s->schema);
        if (!s->records) {
                printf("Nothing is in it yet: sekisho scan --record\n");
                return;
        }
        printf("from %.*s to %.*s %.*s\n", STR_FMT(moment_words(a, s->first)), STR_FMT(moment_words(a, s->last)),
               STR_FMT(zone_words(a, s->last)));
        printf("%.*s, %.*s in %.*s, %.*s, %.*s\n", STR_FMT(text_count(a, s->artefacts, "artefact", "artefacts")),
               STR_FMT(text_count(a, s->packages, "different package", "different packages")),
               STR_FMT(text_count(a, s->package_lists, "list", "lists")),
               STR_FMT(text_count(a, s->findings, "different finding", "different findings")),
               STR_FMT(text_count(a, s->waivers, "waiver", "waivers")));
        if (s->behind)
                printf("%.*s a time before that of an earlier one: a clock was set back, or two differ\n",
                       STR_FMT(text_count(a, s->behind, "record has", "records have")));
        printf("checkpoint %.*s\n"
               "Kept somewhere else, it proves later that nothing up to here was changed: sekisho ledger verify "
               "--checkpoint\n",
               STR_FMT(checkpoint));
}

static int run_status(void *state, int argc, char **argv)
{
        const struct book_settings *c = state;
        if (argc)
                return no_argument(argv[0]);
        struct error err = ERROR_NONE;
        struct arena arena = ARENA_INIT;
        _cleanup_(book_closep) struct book *b = NULL;
        struct book_status s;
        int code = book_open_or_tell(c->ledger, BOOK_READ, &b);
        if (code)
                return code;
        if (book_status(b, &s, &err) < 0)
                return fail(EXIT_INCOMPLETE, &err);
        struct str checkpoint = s.records ? checkpoint_words(&arena, &s) : STR_NONE;
        if (c->json)
                code = put_document(status_document(b, &s, checkpoint), EXIT_CLEAN);
        else if (!c->quiet)
                print_status(b, &s, checkpoint, &arena);
        arena_done(&arena);
        return code;
}

/* --- rebuild --- */

static int run_rebuild(void *state, int argc, char **argv)
{
        const struct book_settings *c = state;
        if (argc)
                return no_argument(argv[0]);
        struct error err = ERROR_NONE;
        _cleanup_(book_closep) struct book *b = NULL;
        bool changed = false;
        int code = book_open_or_tell(c->ledger, BOOK_WRITE, &b);
        if (code)
                return code;
        int r = book_rebuild(b, &changed, &err);
        if (r < 0)
                return fail(r == -EBADMSG ? EXIT_DENIED : EXIT_INCOMPLETE, &err);
        if (c->json) {
                json_t *o = doc_object();
                doc_set(o, "ledger", doc_cstr(book_path(b)));
                doc_set(o, "changed", doc_bool(changed));
                return put_document(o, EXIT_CLEAN);
        }
        if (!c->quiet)
                printf("%s  %s\n", book_path(b),
                       changed ? "what is derived from the log was made anew"
                               : "what is derived from the log was right");
        return EXIT_CLEAN;
}

static const struct verb verbs[] = {
        { "verify", run_verify, "ledger checkpoint output quiet" },
        { "status", run_status, "ledger output quiet" },
        { "rebuild", run_rebuild, "ledger output quiet" },
        { NULL, NULL, NULL },
};

static const struct option_spec options[] = {
        LEDGER_OPTION,
        { "checkpoint", 0, "NUMBER:HASH", "verify: the log must hold this record, as status printed it once" },
        FORMAT_OPTION,
        { "quiet", 'q', NULL, "print only what is wrong" },
        { NULL, 0, NULL, NULL },
};

const struct command command_ledger = {
        .name = "ledger",
        .usage = "ledger verify [OPTIONS] | ledger status [OPTIONS] | ledger rebuild [OPTIONS]",
        .summary = "Check and look after the record of scans, decisions and waivers",
        .help = "  verify   check every record and all that follows from them; names the first that does not fit\n"
                "  status   what is in it, and a checkpoint to keep elsewhere\n"
                "  rebuild  make everything that is derived from the log anew\n\n"
                "Exit status: 0 whole, 1 broken, 2 usage, 3 could not be read. See also: sekisho help recording.\n",
        .examples = "  sekisho ledger verify\n  sekisho ledger verify --checkpoint 42:9f0c... --ledger "
                    "/mnt/backup/ledger.db\n",
        .options = options,
        .option = book_option,
        .state_size = sizeof(struct book_settings),
        .verbs = verbs,
};
