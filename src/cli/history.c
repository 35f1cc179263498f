/* `sekisho history`: the story of an artefact or a waiver, record by record, oldest first. */
#include "base/vec.h"
#include "cli/book.h"
#include "report/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAMED_MAX 4 /* findings named in a line of the story */

extern const struct command command_history;

struct story {
        struct book *b;
        struct arena *arena;
        struct screen screen;
        const struct book_found *found;
        struct { /* of each key: its last scan so far */
                struct str key;
                struct book_finding *findings;
                size_t n;
                bool is_known;
        } * before;
};

static struct str member(const json_t *o, const char *name)
{
        const json_t *j = json_object_get(o, name);
        return json_is_string(j) ? str_span(json_string_value(j), json_string_length(j)) : STR_NONE;
}

/* The text of a member, clean and in the arena: the body is freed before the page is written. */
static struct str clean(struct story *s, const json_t *o, const char *name)
{
        return text_clean(s->arena, arena_str(s->arena, member(o, name)));
}

static int64_t number(const json_t *o, const char *name) { return json_integer_value(json_object_get(o, name)); }

/* --- what became of the findings --- */

/* "CVE-1 (openssl)" of what is in a and not in b, by key; returns how many. Both are sorted by key. */
static size_t only_in(struct arena *arena, const struct book_finding *a, size_t n, const struct book_finding *b,
                      size_t m, struct buf *names)
{
        size_t count = 0;
        for (size_t i = 0, k = 0; i < n; i++) {
                if (i && str_eq(a[i].key, a[i - 1].key))
                        continue;
                while (k < m && str_cmp(b[k].key, a[i].key) < 0)
                        k++;
                if (k < m && str_eq(b[k].key, a[i].key))
                        continue;
                if (count++ < NAMED_MAX)
                        buf_printf(names, "%s%.*s", count > 1 ? ", " : "", STR_FMT(text_clean(arena, a[i].key)));
        }
        if (count > NAMED_MAX)
                buf_printf(names, " and %zu more", count - NAMED_MAX);
        return count;
}

static void put_change(struct story *s, const char *word, size_t n, struct buf *names)
{
        if (n)
                printf("%19s%zu %s: %.*s\n", "", n, word, STR_FMT(buf_str(names)));
        buf_clear(names);
}

static int tell_findings(struct story *s, const struct book_record *r, struct error *err)
{
        struct book_finding *now;
        size_t n, at = 0;
        _cleanup_(buf_done) struct buf names = BUF_INIT(1 << 16);
        int e = book_findings_of(s->b, r, s->arena, &now, &n, err);
        if (e < 0)
                return e;
        uint64_t counts[SEVERITY_COUNTS] = { 0 };
        for (size_t i = 0; i < n; i++)
                counts[now[i].severity]++;
        printf("%.*s\n", STR_FMT(counts_words(s->arena, counts)));
        while (at < s->found->n && !str_eq(s->before[at].key, r->subject))
                at++;
        if (at == s->found->n)
                return 0;
        if (s->before[at].is_known) {
                size_t more = only_in(s->arena, now, n, s->before[at].findings, s->before[at].n, &names);
                put_change(s, "new", more, &names);
                size_t less = only_in(s->arena, s->before[at].findings, s->before[at].n, now, n, &names);
                put_change(s, "gone", less, &names);
        }
        s->before[at].findings = now;
        s->before[at].n = n;
        s->before[at].is_known = true;
        return 0;
}

/* --- one line or two for each kind of record --- */

static int tell_scan(struct story *s, const struct book_record *r, const json_t *body, struct error *err)
{
        bool denied = str_is(member(body, "verdict"), "deny");
        const json_t *data = json_object_get(body, "data");
        screen_put(&s->screen, denied ? PAINT_BAD : PAINT_GOOD, denied ? STR("DENIED") : STR("ALLOWED"));
        printf(" by \"%.*s\"", STR_FMT(clean(s, body, "policy")));
        printf(" with advisories of %.*s", STR_FMT(text_day(s->arena, number(data, "date"), "unknown age")));
        printf("%s: ", json_is_true(json_object_get(body, "complete")) ? "" : ", not all of it could be read");
        return tell_findings(s, r, err);
}

static int tell_decision(struct story *s, const struct book_record *r, const json_t *body, struct error *err)
{
        const json_t *waivers = json_object_get(body, "waivers"), *w;
        size_t i;
        (void)r, (void)err;
        printf("%.*s at %.*s by \"%.*s\"", STR_FMT(text_capital(s->arena, clean(s, body, "verdict"))),
               STR_FMT(clean(s, body, "stage")), STR_FMT(clean(s, body, "policy")));
        if (member(body, "reason").n)
                printf(": %.*s", STR_FMT(clean(s, body, "reason")));
        json_array_foreach(waivers, i, w)
        {
                struct str id = str_of(json_string_value(w));
                printf("%s%.*s", i ? ", " : "; waivers ", STR_FMT(text_clean(s->arena, arena_str(s->arena, id))));
        }
        putchar('\n');
        return 0;
}

static int tell_request(struct story *s, const struct book_record *r, const json_t *body, struct error *err)
{
        const json_t *scope = json_object_get(body, "scope");
        static const char *const scopes[] = { "digest", "repository", "package", "path" };
        struct str what = clean(s, body, member(body, "finding").n ? "finding" : "condition");
        (void)err;
        printf("asks for waiver %.*s of %.*s", STR_FMT(text_clean(s->arena, r->subject)), STR_FMT(what));
        for (size_t i = 0; i < ARRAY_SIZE(scopes); i++)
                if (member(scope, scopes[i]).n)
                        printf(", %s %.*s", scopes[i], STR_FMT(clean(s, scope, scopes[i])));
        printf("\n%19s%.*s until %.*s, owner %.*s: %.*s\n", "", STR_FMT(clean(s, body, "response")),
               STR_FMT(moment_words(s->arena, number(body, "expires"))), STR_FMT(clean(s, body, "owner")),
               STR_FMT(clean(s, body, "reason")));
        if (member(body, "control").n)
                printf("%19swhile %.*s is live\n", "", STR_FMT(clean(s, body, "control")));
        return 0;
}

static int tell_approval(struct story *s, const struct book_record *r, const json_t *body, struct error *err)
{
        (void)s, (void)body, (void)err;
        printf("approves waiver %.*s\n", STR_FMT(text_clean(s->arena, r->subject)));
        return 0;
}

static int tell_end(struct story *s, const struct book_record *r, const json_t *body, struct error *err)
{
        (void)err;
        printf("ends waiver %.*s: %.*s\n", STR_FMT(text_clean(s->arena, r->subject)), STR_FMT(clean(s, body, "why")));
        return 0;
}

static int tell_observation(struct story *s, const struct book_record *r, const json_t *body, struct error *err)
{
        const json_t *a = json_object_get(body, "artefact"), *tags = json_object_get(a, "tags"), *t;
        size_t i;
        (void)r, (void)err;
        printf("sees it");
        if (member(a, "container").n)
                printf(" in container %.*s", STR_FMT(clean(s, a, "container")));
        if (member(a, "host").n)
                printf(" on %.*s", STR_FMT(clean(s, a, "host")));
        json_array_foreach(tags, i, t)
        {
                struct str tag = str_of(json_string_value(t));
                printf("%s%.*s", i ? ", " : " as ", STR_FMT(text_clean(s->arena, arena_str(s->arena, tag))));
        }
        putchar('\n');
        return 0;
}

static int tell_rematch(struct story *s, const struct book_record *r, const json_t *body, struct error *err)
{
        const json_t *found = json_object_get(body, "found"), *affected = json_object_get(body, "affected");
        _cleanup_(buf_done) struct buf names = BUF_INIT(1 << 16);
        size_t n = 0;
        (void)r, (void)err;
        for (size_t k = 0; k < s->found->n; k++) {
                const json_t *numbers = json_object_get(affected, arena_cstr(s->arena, s->found->keys[k])), *j;
                size_t i;
                json_array_foreach(numbers, i, j)
                {
                        const json_t *f = json_array_get(found, (size_t)json_integer_value(j));
                        if (n++ < NAMED_MAX)
                                buf_printf(&names, "%s%.*s %.*s", n > 1 ? ", " : "", STR_FMT(clean(s, f, "id")),
                                           STR_FMT(clean(s, f, "package")));
                }
        }
        if (n > NAMED_MAX)
                buf_printf(&names, " and %zu more", n - NAMED_MAX);
        printf("new advisories affect it: %.*s\n", STR_FMT(buf_str(&names)));
        return 0;
}

static const struct telling {
        const char *kind, *verb; /* what its actor did; "": the line says it */
        int (*tell)(struct story *s, const struct book_record *r, const json_t *body, struct error *err);
} tellings[] = {
        { "scan", "scans: ", tell_scan },
        { "decision", "decides: ", tell_decision },
        { "waiver-requested", "", tell_request },
        { "waiver-approved", "", tell_approval },
        { "waiver-ended", "", tell_end },
        { "observation", "", tell_observation },
        { "rematch", "compares again: ", tell_rematch },
};

static int tell_record(struct story *s, const struct book_record *r, struct error *err)
{
        json_t *body = json_loadb(r->body.p ? r->body.p : "", r->body.n, 0, NULL);
        int e = 0;
        screen_put(&s->screen, PAINT_FAINT, moment_words(s->arena, r->time));
        printf("  ");
        screen_put(&s->screen, PAINT_NAME, text_clean(s->arena, r->actor));
        putchar(' ');
        if (s->found->n > 1) /* of which of them */
                printf("[%.*s] ", STR_FMT(text_short_digest(s->arena, text_clean(s->arena, r->subject))));
        for (size_t i = 0; i < ARRAY_SIZE(tellings); i++)
                if (str_is(r->kind, tellings[i].kind)) {
                        fputs(tellings[i].verb, stdout);
                        e = tellings[i].tell(s, r, body, err);
                }
        if (r->behind)
                printf("%19sits clock was %lld s behind that of an earlier record\n", "", (long long)r->behind);
        json_decref(body);
        return e;
}

/* --- the whole --- */

static int tell_head(struct story *s, struct error *err)
{
        struct book_inventory inventory;
        struct arena *a = s->arena;
        int r = book_inventory(s->b, a, &inventory, err);
        for (size_t i = 0; r == 0 && i < inventory.n; i++)
                for (size_t k = 0; k < s->found->n; k++) {
                        const struct book_item *item = &inventory.v[i];
                        if (!str_eq(item->key, s->found->keys[k]))
                                continue;
                        screen_put(&s->screen, PAINT_STRONG, text_clean(a, item->artefact.name));
                        printf("  %.*s  %.*s\n", STR_FMT(text_clean(a, item->key)), STR_FMT(text_clean(a, item->os)));
                        for (size_t t = 0; t < item->n_tags; t++)
                                if (!item->tags[t].is_current)
                                        printf("  %.*s pointed at it until %.*s; it has moved\n",
                                               STR_FMT(text_clean(a, item->tags[t].reference)),
                                               STR_FMT(moment_words(a, item->tags[t].last)));
                }
        return r;
}

static int put_story(struct story *s, const struct book_history *h, struct error *err)
{
        int r = tell_head(s, err);
        s->before = arena_array(s->arena, s->found->n, sizeof(*s->before));
        for (size_t i = 0; i < s->found->n; i++)
                s->before[i].key = s->found->keys[i];
        if (r == 0 && h->n)
                printf("%.*s, times are %.*s\n", STR_FMT(text_count(s->arena, h->n, "record", "records")),
                       STR_FMT(zone_words(s->arena, h->v[h->n - 1].time)));
        for (size_t i = 0; i < h->n && r == 0; i++)
                r = tell_record(s, &h->v[i], err);
        return r;
}

static int put_json(const struct book_history *h)
{
        struct doc_stream s = { .to = stdout };
        doc_open(&s, NULL, '{');
        doc_open(&s, "records", '[');
        for (size_t i = 0; i < h->n; i++) {
                const struct book_record *r = &h->v[i];
                json_t *o = doc_object(), *body = json_loadb(r->body.p ? r->body.p : "", r->body.n, 0, NULL);
                doc_set(o, "sequence", doc_number(r->sequence));
                doc_set(o, "time", doc_time(r->time));
                doc_set(o, "behind", doc_number((uint64_t)MAX(r->behind, 0)));
                doc_set(o, "kind", doc_text(r->kind));
                doc_set(o, "subject", doc_text(r->subject));
                doc_set(o, "actor", doc_text(r->actor));
                doc_set(o, "body", body ? body : doc_null());
                doc_put(&s, NULL, o);
        }
        doc_close(&s, ']');
        doc_close(&s, '}');
        return doc_end(&s);
}

static int unknown(struct book *b, const char *what, struct arena *arena)
{
        struct error err = ERROR_NONE;
        struct book_inventory inventory;
        VEC(const char *) names = { 0 };
        if (book_inventory(b, arena, &inventory, &err) < 0)
                return fail(EXIT_INCOMPLETE, &err);
        for (size_t i = 0; i < inventory.n; i++) {
                const struct book_item *item = &inventory.v[i];
                *vec_push(&names) = arena_cstr(arena, text_clean(arena, item->artefact.name));
                for (size_t k = 0; k < item->n_tags; k++)
                        *vec_push(&names) = arena_cstr(arena, text_clean(arena, item->tags[k].reference));
        }
        (void)vec_push(&names);
        const char *near = nearest(what, names.v);
        (void)error_set(&err, -ENOENT, "ledger %s knows no artefact \"%s\"%s%s%s; sekisho inventory lists all",
                        book_path(b), what, near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
        vec_done(&names);
        return fail(EXIT_USAGE, &err);
}

static int tell(const struct book_settings *c, struct book *b, const char *what, struct arena *arena)
{
        struct error err = ERROR_NONE;
        struct book_found found;
        struct book_history history;
        int r = book_find(b, str_of(what), arena, &found, &err);
        if (r == -EEXIST)
                return fail(EXIT_USAGE, &err);
        if (r == 0 && found.n == 0)
                return unknown(b, what, arena);
        if (r == 0)
                r = book_history(b, found.keys, found.n, arena, &history, &err);
        struct story s = { .b = b, .arena = arena, .screen = screen_on_stdout(arena), .found = &found };
        if (r == 0 && c->json && (r = put_json(&history)) < 0)
                (void)error_errno(&err, r, "cannot write to standard output");
        else if (r == 0 && !c->json)
                r = put_story(&s, &history, &err);
        return r < 0 ? fail(EXIT_INCOMPLETE, &err) : EXIT_CLEAN;
}

static int run(void *state, int argc, char **argv)
{
        const struct book_settings *c = state;
        struct arena arena = ARENA_INIT;
        _cleanup_(book_closep) struct book *b = NULL;
        if (argc == 0)
                return fail_usage(&command_history, "of what? A digest, a name or a waiver's id");
        if (argc > 1)
                return fail_usage(&command_history, "one artefact at a time; \"%s\" is one too many", argv[1]);
        int code = book_open_or_tell(c->ledger, BOOK_READ, &b);
        if (code == 0)
                code = tell(c, b, argv[0], &arena);
        arena_done(&arena);
        return code;
}

static const struct option_spec options[] = {
        LEDGER_OPTION,
        FORMAT_OPTION,
        { NULL, 0, NULL, NULL },
};

const struct command command_history = {
        .name = "history",
        .usage = "history [OPTIONS] DIGEST|NAME|WAIVER",
        .summary = "Tell the story of an artefact: scans, decisions, waivers, sightings",
        .help = "DIGEST may be its beginning, from 4 digits on. NAME is a reference or path, with or without its tag "
                "and "
                "host.\n",
        .examples = "  sekisho history nginx-app\n  sekisho history 3f1c29a0 -o json\n",
        .options = options,
        .option = book_option,
        .state_size = sizeof(struct book_settings),
        .run = run,
};
