/*
 * Files of waivers: a YAML list, one item a waiver. Strict: an unknown key, a key given twice, a text that is no text
 * is an error, for a waiver that is misread may waive too much.
 */
#include "base/date.h"
#include "decide/waiver.h"
#include "read/yaml.h"

#include <errno.h>

struct reading {
        struct str file;
        struct arena *arena;
        struct problems *problems;
        size_t n_errors;
};

static void complain(struct reading *r, const struct yaml_node *at, struct str about, const char *code,
                     struct str words)
{
        struct problem p = { .level = PROBLEM_ERROR,
                             .code = code,
                             .place = { r->file, at ? at->line : 0, at ? at->column : 0 },
                             .about = about,
                             .words = words };
        problems_add(r->problems, &p);
        r->n_errors++;
}

/* --- one waiver --- */

enum key_form { KEY_TEXT, KEY_DAY, KEY_UNTIL, KEY_ENDS, KEY_SCOPE };

struct key {
        const char *name;
        enum key_form form;
        size_t offset;
};

#define KEY(name_, form_, member_)                                                                                     \
        {                                                                                                              \
                name_, KEY_##form_, offsetof(struct waiver, member_)                                                   \
        }

static const struct key keys[] = {
        KEY("waiver", TEXT, id),       KEY("finding", TEXT, finding),     KEY("condition", TEXT, condition),
        KEY("owner", TEXT, owner),     KEY("requester", TEXT, requester), KEY("approver", TEXT, approver),
        KEY("reason", TEXT, reason),   KEY("response", TEXT, response),   KEY("control", TEXT, control),
        KEY("created", DAY, created),  KEY("until", UNTIL, expires),      KEY("scope", SCOPE, scope),
        KEY("ends_on", ENDS, ends_on),
};

static const struct key *key_find(struct str name)
{
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                if (str_is(name, keys[i].name))
                        return &keys[i];
        return NULL;
}

static const char *key_nearest(struct str name)
{
        const char *names[ARRAY_SIZE(keys) + 1] = { 0 };
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                names[i] = keys[i].name;
        return words_nearest(name, names);
}

/* One line of text: what breaks lines, here or for YAML (which folds them), would not come back as it was. */
static bool is_text(struct str s)
{
        static const char *const breaks[] = { "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf" };
        for (size_t i = 0; i < s.n; i++)
                if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
                        return false;
        for (size_t i = 0; i < ARRAY_SIZE(breaks); i++)
                if (str_find(s, str_of(breaks[i])) >= 0)
                        return false;
        return s.n <= WAIVER_TEXT_MAX;
}

static bool read_text(struct reading *r, const struct yaml_node *n, struct str about, const char *name, struct str *ret)
{
        struct str text = str_trim(yaml_text(n));
        if (n->kind != YAML_SCALAR || yaml_is_null(n) || !text.n)
                complain(r, n, about, "no-text", arena_printf(r->arena, "%s has no text", name));
        else if (!is_text(text))
                complain(r, n, about, "no-text",
                         arena_printf(r->arena, "%s is not one line of at most %u bytes", name, WAIVER_TEXT_MAX));
        else {
                *ret = text;
                return true;
        }
        return false;
}

static void read_scope(struct reading *r, const struct yaml_node *n, struct str about, struct waiver_scope *ret)
{
        if (n->kind != YAML_MAPPING || !n->n) {
                complain(r, n, about, "no-scope", STR("scope is a mapping of digest, repository, package, path"));
                return;
        }
        for (size_t i = 0; i < n->n; i++) {
                struct str name = yaml_text(n->pairs[i].key), text = STR_NONE;
                char word[16] = "";
                if (name.n < sizeof(word))
                        memcpy(word, name.p ? name.p : "", name.n);
                struct str whole = STR_NONE;
                if (read_text(r, n->pairs[i].value, about, "a part of the scope", &text))
                        whole = arena_printf(r->arena, "%s:%.*s", word, STR_FMT(text));
                if (whole.n && !waiver_scope_parse(whole, ret))
                        complain(r, n->pairs[i].key, about, "unknown-key",
                                 arena_printf(r->arena,
                                              "scope has no part \"%.*s\"; there are digest, repository, "
                                              "package, path",
                                              STR_FMT(name)));
        }
}

/* A list, or the same words in one text. */
static void read_ends(struct reading *r, const struct yaml_node *n, struct str about, struct waiver_end *ret)
{
        _cleanup_(buf_done) struct buf words = BUF_INIT(WAIVER_TEXT_MAX);
        if (n->kind == YAML_SEQUENCE)
                for (size_t i = 0; i < n->n; i++)
                        buf_printf(&words, "%s%.*s", i ? "," : "", STR_FMT(yaml_text(n->items[i])));
        else
                buf_add_str(&words, yaml_text(n));
        if (buf_is_full(&words) || !waiver_end_parse(buf_str(&words), ret))
                complain(r, n, about, "no-end",
                         STR("ends_on takes fix, kev, control, exposed, epss=0.5 (more than 0, at most 1), or none"));
}

static void read_key(struct reading *r, const struct key *k, const struct yaml_node *n, struct waiver *w)
{
        void *at = (char *)w + k->offset;
        struct str text = STR_NONE;
        switch (k->form) {
        case KEY_TEXT:
                if (read_text(r, n, w->id, k->name, at) && at == &w->condition)
                        w->condition_place = (struct place){ r->file, n->line, n->column };
                break;
        case KEY_DAY:
                if (read_text(r, n, w->id, k->name, &text) && !date_parse(text, at))
                        complain(r, n, w->id, "no-date",
                                 arena_printf(r->arena, "%s is no date like 2026-11-20", k->name));
                break;
        case KEY_UNTIL:
                if (read_text(r, n, w->id, k->name, &text) && !waiver_until_parse(text, at))
                        complain(r, n, w->id, "no-date",
                                 arena_printf(r->arena, "%s is no date like 2026-12-31", k->name));
                break;
        case KEY_ENDS:
                read_ends(r, n, w->id, at);
                break;
        case KEY_SCOPE:
                read_scope(r, n, w->id, at);
                break;
        }
}

static bool read_waiver(struct reading *r, const struct yaml_node *n, struct waiver *w)
{
        size_t before = r->n_errors;
        *w = (struct waiver){ .place = { r->file, n->line, n->column }, .is_from_file = true };
        if (n->kind != YAML_MAPPING) {
                complain(r, n, STR_NONE, "no-waiver", STR("is no waiver: an item begins with \"- waiver: ID\""));
                return false;
        }
        w->id = yaml_text(yaml_get(n, "waiver")); /* first, for it stands in the words of all other mistakes */
        for (size_t i = 0; i < n->n; i++) {
                struct str name = yaml_text(n->pairs[i].key);
                const struct key *k = key_find(name);
                if (k) {
                        read_key(r, k, n->pairs[i].value, w);
                        continue;
                }
                const char *near = key_nearest(name);
                complain(r, n->pairs[i].key, w->id, "unknown-key",
                         arena_printf(r->arena, "a waiver has no \"%.*s\"%s%s%s", STR_FMT(name),
                                      near ? "; did you mean " : "", near ? near : "", near ? "?" : ""));
        }
        if (!w->response.n)
                w->response = w->control.n ? STR("mitigate") : STR("accept");
        if (!w->requester.n)
                w->requester = w->owner;
        const char *flaw = r->n_errors == before ? waiver_flaw(w) : NULL;
        if (flaw)
                complain(r, n, w->id, "incomplete", arena_printf(r->arena, "the waiver %s", flaw));
        return r->n_errors == before;
}

/* --- the file --- */

static void refuse_duplicates(struct reading *r, const struct yaml *y)
{
        for (size_t i = 0; i < y->n_duplicates; i++) {
                const struct yaml_duplicate *d = &y->duplicates[i];
                struct yaml_node at = { .line = d->line, .column = d->column };
                complain(r, &at, STR_NONE, "duplicate-key",
                         arena_printf(r->arena, "\"%.*s\" was given in line %u already", STR_FMT(d->key),
                                      d->first_line));
        }
}

static bool is_taken(struct reading *r, const struct waiver *w, const struct waiver *before, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (!str_eq_nocase(before[i].id, w->id))
                        continue;
                struct yaml_node at = { .line = w->place.line, .column = w->place.column };
                complain(r, &at, w->id, "duplicate-id",
                         arena_printf(r->arena, "the id \"%.*s\" is that of the waiver in line %u", STR_FMT(w->id),
                                      before[i].place.line));
                return true;
        }
        return false;
}

static void read_items(struct reading *r, const struct yaml_node *list, struct waiver *to, size_t *n)
{
        for (size_t i = 0; i < list->n; i++)
                if (read_waiver(r, list->items[i], &to[*n]) && !is_taken(r, &to[*n], to, *n))
                        ++*n;
}

void waivers_read(struct str name, struct str bytes, struct arena *arena, struct waiver **ret, size_t *ret_n,
                  struct problems *problems)
{
        struct reading r = { arena_str(arena, name), arena, problems, 0 };
        struct error err = ERROR_NONE;
        struct yaml y;
        size_t most = 0, n = 0;
        *ret = NULL;
        *ret_n = 0;
        if (yaml_read(bytes, arena, &y, &err) < 0) {
                complain(&r, NULL, STR_NONE, "no-yaml", arena_str(arena, str_of(err.text)));
                return;
        }
        refuse_duplicates(&r, &y);
        for (size_t i = 0; i < y.n; i++) {
                if (yaml_is_null(y.documents[i]))
                        continue;
                if (y.documents[i]->kind != YAML_SEQUENCE)
                        complain(&r, y.documents[i], STR_NONE, "no-list",
                                 STR("a file of waivers is a list: \"- waiver: ID\""));
                else
                        most += y.documents[i]->n;
        }
        if (most > WAIVERS_MAX) {
                complain(&r, NULL, STR_NONE, "limit",
                         arena_printf(arena, "has %zu waivers; the limit is %u", most, WAIVERS_MAX));
                return;
        }
        struct waiver *v = arena_array(arena, most + 1, sizeof(*v));
        for (size_t i = 0; i < y.n; i++)
                if (y.documents[i]->kind == YAML_SEQUENCE)
                        read_items(&r, y.documents[i], v, &n);
        *ret = v;
        *ret_n = n;
}

/* --- writing --- */

/* In single quotes, where the only character that means anything is the quote. Texts have no line breaks. */
static void put(struct buf *to, const char *before, const char *name, struct str text)
{
        if (!text.n)
                return;
        buf_printf(to, "%s%s: '", before, name);
        for (size_t i = 0; i < text.n; i++) {
                if (text.p[i] == '\'')
                        buf_putc(to, '\'');
                buf_putc(to, text.p[i]);
        }
        buf_puts(to, "'\n");
}

void waiver_print(const struct waiver *w, struct buf *to)
{
        char day[DATE_TEXT_MAX];
        put(to, "- ", "waiver", w->id);
        put(to, "  ", "finding", w->finding);
        put(to, "  ", "condition", w->condition);
        put(to, "  ", "owner", w->owner);
        put(to, "  ", "requester", w->requester);
        put(to, "  ", "approver", w->approver);
        put(to, "  ", "reason", w->reason);
        put(to, "  ", "response", w->response);
        put(to, "  ", "control", w->control);
        if (!waiver_scope_is_empty(&w->scope))
                buf_puts(to, "  scope:\n");
        put(to, "    ", "digest", w->scope.digest);
        put(to, "    ", "repository", w->scope.repository);
        put(to, "    ", "package", w->scope.package);
        put(to, "    ", "path", w->scope.path);
        buf_puts(to, "  ends_on: ");
        waiver_end_print(&w->ends_on, to);
        if (w->created)
                buf_printf(to, "\n  created: %s", date_iso(w->created, day));
        buf_printf(to, "\n  until: %s\n", waiver_until_print(w->expires, day));
}
