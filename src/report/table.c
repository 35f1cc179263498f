/*
 * The report on a terminal: the answer first (what it is, may it be used), then what to do, then what else was seen and
 * how far one can trust it. At most MOVES_SHOWN lines of work and ITEMS_SHOWN examples of anything; --verbose shows
 * all.
 */
#include "report/report.h"
#include "report/screen.h"
#include "report/text.h"
#include "report/view.h"

#define MOVES_SHOWN 10
#define ITEMS_SHOWN 3
#define LABEL_WIDTH 10u /* "mitigate" and its gap */
#define INDENT      2u

struct table {
        struct screen s;
        const struct report *r;
        const struct report_options *o;
        struct arena arena;
};

static enum paint severity_paint(enum severity s)
{
        return s >= SEVERITY_HIGH ? PAINT_BAD : s == SEVERITY_MEDIUM ? PAINT_WARN : PAINT_PLAIN;
}

static void heading(struct table *t, const char *words)
{
        screen_newline(&t->s);
        screen_put(&t->s, PAINT_STRONG, str_of(words));
        screen_newline(&t->s);
}

/* A label in its column; the text that follows starts at INDENT + LABEL_WIDTH. */
static void label(struct table *t, enum paint paint, const char *words)
{
        fprintf(t->s.to, "%*s", (int)INDENT, "");
        screen_put(&t->s, paint, str_of(words));
        unsigned w = text_width(str_of(words));
        fprintf(t->s.to, "%*s", (int)(w < LABEL_WIDTH ? LABEL_WIDTH - w : 1), "");
}

/* label, "3 without a fix:", and the first of n items, made by item(), with how many more there are. */
static void list(struct table *t, enum paint paint, const char *words, struct str lead, uint64_t total, size_t n,
                 struct str (*item)(struct table *t, const void *arg, size_t i), const void *arg)
{
        size_t shown = t->o->verbose ? n : MIN(n, (size_t)ITEMS_SHOWN);
        struct cell *cells = arena_array(&t->arena, shown + 2, sizeof(*cells));
        size_t k = 0;
        label(t, paint, words);
        unsigned at = INDENT + LABEL_WIDTH;
        if (shown) {
                lead = arena_printf(&t->arena, "%.*s: ", STR_FMT(lead));
                screen_put(&t->s, PAINT_PLAIN, lead);
                at += text_width(lead);
        } else {
                cells[k++].text = lead;
        }
        for (size_t i = 0; i < shown; i++)
                cells[k++].text = item(t, arg, i);
        if (shown && total > shown)
                cells[k++] = (struct cell){ arena_printf(&t->arena, "…%.*s more",
                                                         STR_FMT(text_number(&t->arena, total - shown))),
                                            PAINT_FAINT };
        screen_flow(&t->s, cells, k, ", ", at, INDENT + LABEL_WIDTH);
}

static void target(struct table *t)
{
        const struct report *r = t->r;
        struct arena *a = &t->arena;
        uint64_t size = 0;
        for (size_t i = 0; i < r->n_layers; i++)
                size += r->layers[i].size;
        struct str digest = text_clean(a, r->digest.n ? r->digest : r->image_id);
        struct str files = text_count(a, r->coverage.total, "file", "files");
        struct cell cells[] = {
                { text_clean(a, r->target), PAINT_STRONG },
                { text_clean(a, other_name(r)), PAINT_PLAIN },
                { str_eq(r->container, r->name) ? STR_NONE : text_clean(a, r->container), PAINT_PLAIN },
                { text_clean(a, r->kind), PAINT_PLAIN },
                { t->s.width && !t->o->verbose ? text_short_digest(a, digest) : digest, PAINT_FAINT },
                { platform_words(r, a), PAINT_PLAIN },
                { r->n_layers
                          ? arena_printf(a, "%.*s, %.*s, %.*s", STR_FMT(text_count(a, r->n_layers, "layer", "layers")),
                                         STR_FMT(text_size(a, size)), STR_FMT(files))
                          : files,
                  PAINT_PLAIN },
        };
        screen_flow(&t->s, cells, ARRAY_SIZE(cells), "  ", 0, INDENT);

        struct str elapsed = STR_NONE;
        if (t->s.width && t->o->elapsed_ms)
                elapsed = arena_printf(a, "scanned in %.*s", STR_FMT(text_elapsed(a, t->o->elapsed_ms)));
        struct cell system[] = {
                { os_words(r, a), r->has_os ? PAINT_PLAIN : PAINT_WARN },
                { eol_words(r, a), is_past_eol(r) ? PAINT_BAD : PAINT_PLAIN },
                { text_count(a, r->n_packages, "package", "packages"), PAINT_PLAIN },
                { elapsed, PAINT_FAINT },
        };
        screen_flow(&t->s, system, ARRAY_SIZE(system), ", ", 0, INDENT);

        struct str items[VULNERABILITY_ITEMS];
        struct cell vulnerabilities[VULNERABILITY_ITEMS];
        size_t n = vulnerability_items(r, a, items);
        for (size_t i = 0; i < n; i++)
                vulnerabilities[i] = (struct cell){ items[i], PAINT_PLAIN };
        screen_put(&t->s, PAINT_PLAIN, STR("Vulnerabilities: "));
        screen_flow(&t->s, vulnerabilities, n, ", ", 17, INDENT);
}

/* Each part stays whole: that something was not read must not be what a narrow screen cuts off. */
static void search(struct table *t)
{
        struct str words = search_words(t->r, &t->arena);
        struct cell cells[3];
        size_t n = 0;
        while (n < ARRAY_SIZE(cells) - 1 && str_find(words, STR(", ")) >= 0) {
                size_t at = (size_t)str_find(words, STR(", "));
                cells[n++] = (struct cell){ str_upto(words, at), PAINT_PLAIN };
                words = str_from(words, at + 2);
        }
        cells[n++] = (struct cell){ words, PAINT_PLAIN };
        cells[0].paint = t->r->search.found ? PAINT_BAD : PAINT_PLAIN;
        screen_put(&t->s, PAINT_PLAIN, STR("Malware: "));
        screen_flow(&t->s, cells, n, ", ", 9, INDENT);
}

static void verdict(struct table *t)
{
        const struct report *r = t->r;
        struct arena *a = &t->arena;
        screen_newline(&t->s);
        screen_put(&t->s, r->denied ? PAINT_BAD : PAINT_GOOD, verdict_words(r, a));
        struct cell by = { arena_printf(a, " %.*s", STR_FMT(policy_words(r, a))), PAINT_PLAIN };
        screen_flow(&t->s, &by, 1, "", r->denied ? 6 : 7, 0);
        if (r->n_rules) {
                struct grid wide = { .columns = 4, .indent = INDENT, .flexible = 1 }, narrow = wide;
                narrow.columns = 3;
                for (size_t i = 0; i < r->n_rules; i++) {
                        const struct rule_hit *h = &r->rules[i];
                        struct str place = text_clean(a, h->place);
                        for (size_t k = 0; k < 2; k++) {
                                struct grid *g = k ? &narrow : &wide;
                                grid_add(&t->s, g, h->denies ? PAINT_BAD : PAINT_WARN, h->denies ? STR("✗") : STR("!"));
                                grid_add(&t->s, g, PAINT_PLAIN, text_clean(a, h->name));
                                grid_add(&t->s, g, PAINT_PLAIN, rule_effect(r, a, h));
                        }
                        grid_add(&t->s, &wide, PAINT_FAINT, str_eq(place, text_clean(a, r->policy)) ? STR_NONE : place);
                }
                grid_print(&t->s, grid_fits(&t->s, &wide) ? &wide : &narrow);
        }
        if (!r->complete) {
                screen_put(&t->s, PAINT_WARN, STR("INCOMPLETE"));
                struct cell why = { STR(": a part of it could not be read, see \"not read\" below"), PAINT_PLAIN };
                screen_flow(&t->s, &why, 1, "", 10, 0);
        }
}

/* Ways to show the moves, the richest first; the first that fits into the screen is taken. */
struct moves_layout {
        unsigned subject_width;
        bool from, worst, brief;
};

static const struct moves_layout moves_layouts[] = {
        { 0, true, true, false },  { 40, true, true, false }, { 32, true, true, true },   { 24, true, false, true },
        { 32, false, true, true }, { 24, false, true, true }, { 18, false, false, true },
};

static struct str move_versions(struct table *t, const struct move *m, bool with_from)
{
        struct str from = text_clean(&t->arena, m->from), to = text_clean(&t->arena, m->to);
        if (!to.n)
                return from;
        return arena_printf(&t->arena, "%.*s%s→ %.*s", STR_FMT(with_from ? from : STR_NONE),
                            with_from && from.n ? " " : "", STR_FMT(to));
}

static bool is_listed(const struct move *m)
{
        return m->response == RESPONSE_UPDATE || m->response == RESPONSE_REPLACE;
}

static struct grid moves_grid(struct table *t, const struct moves_layout *l, size_t at_most)
{
        struct arena *a = &t->arena;
        struct grid g = { .columns = 5, .indent = INDENT, .flexible = 1, .least = { LABEL_WIDTH - 2 } };
        size_t shown = 0;
        for (size_t i = 0; i < t->r->n_moves && shown < at_most; i++) {
                const struct move *m = &t->r->moves[i];
                if (!is_listed(m))
                        continue;
                grid_add(&t->s, &g, PAINT_NAME, str_of(response_name(m->response)));
                grid_add(&t->s, &g, PAINT_STRONG, move_subject(a, m, l->subject_width));
                grid_add(&t->s, &g, PAINT_PLAIN, move_versions(t, m, l->from));
                grid_add(&t->s, &g, severity_paint(m->worst), l->worst ? str_of(severity_name(m->worst)) : STR_NONE);
                grid_add(&t->s, &g, m->n_kev ? PAINT_BAD : PAINT_PLAIN, move_effect(t->r, a, m, l->brief));
                shown++;
        }
        return g;
}

static struct str leftover_item(struct table *t, const void *arg, size_t i)
{
        const struct leftover *l = arg;
        return finding_item(t->r, &t->arena, &t->r->findings[l->findings[i]]);
}

static void what_to_do(struct table *t)
{
        const struct report *r = t->r;
        struct leftover leftovers[RESPONSES];
        report_leftovers(r, &t->arena, leftovers);
        size_t moves = 0, left = 0;
        for (size_t i = 0; i < r->n_moves; i++)
                moves += is_listed(&r->moves[i]);
        for (size_t i = 0; i < RESPONSES; i++)
                left += leftovers[i].n;
        heading(t, "What to do");
        if (!moves && !left) {
                label(t, PAINT_NAME, is_blind(r) && !has_no_system(r) && !r->search.found ? "first" : "nothing");
                struct cell why = { r->search.found
                                            ? STR("is known to update; remove the malware below, and find out how "
                                                  "it came there")
                                    : has_no_system(r) ? STR("to update: no package was found")
                                    : is_blind(r) ? STR("advisories for this system (sekisho db update): without them "
                                                        "nothing can be judged")
                                    : is_any_set_aside(r) ? STR("every known vulnerability is set aside, see below")
                                                          : STR("there is no known vulnerability to close"),
                                    PAINT_PLAIN };
                screen_flow(&t->s, &why, 1, "", INDENT + LABEL_WIDTH, INDENT + LABEL_WIDTH);
                return;
        }
        size_t shown = t->o->verbose ? moves : MIN(moves, (size_t)MOVES_SHOWN);
        struct grid g = { 0 };
        for (size_t i = t->o->verbose ? 0 : 1; i < ARRAY_SIZE(moves_layouts); i++) {
                g = moves_grid(t, &moves_layouts[i], shown);
                if (grid_fits(&t->s, &g))
                        break;
        }
        if (shown)
                grid_print(&t->s, &g);
        if (moves > shown)
                screen_printf(&t->s, PAINT_FAINT, "  …%zu more (-v shows all)\n", moves - shown);
        for (enum response i = 0; i < RESPONSES; i++)
                if (leftovers[i].n)
                        list(t, PAINT_NAME, response_name(i), leftover_words(&t->arena, i, leftovers[i].n),
                             leftovers[i].n, leftovers[i].n, leftover_item, &leftovers[i]);
}

static struct str modified_item(struct table *t, const void *arg, size_t i)
{
        return file_item(t->r, &t->arena, &((const struct report_file *)arg)[i]);
}

static struct str malware_list_item(struct table *t, const void *arg, size_t i)
{
        return malware_item(t->r, &t->arena, &t->r->findings[((const size_t *)arg)[i]]);
}

/* The findings of malware, as indexes in the report's order. */
static void malware(struct table *t)
{
        const struct report *r = t->r;
        size_t *which = arena_array(&t->arena, r->n_findings + 1, sizeof(*which)), n = 0;
        for (size_t i = 0; i < r->n_findings; i++)
                if (r->findings[i].kind == FINDING_MALWARE)
                        which[n++] = i;
        if (n)
                list(t, PAINT_BAD, "malware", text_count(&t->arena, n, "finding", "findings"), n, n, malware_list_item,
                     which);
}

static struct str unread_list_item(struct table *t, const void *arg, size_t i)
{
        return unread_item(&t->arena, &((const struct fact_unread *)arg)[i]);
}

/* Kinds of findings that neither a line above nor a list below tells about. */
static bool is_seen_as_title(enum finding_kind k)
{
        return k == FINDING_UNSUPPORTED || k == FINDING_STALE_DATA || k == FINDING_MISMATCH || k == FINDING_WAIVER ||
               k == FINDING_ARTEFACT;
}

/* Findings by what was said of them, each group one line of "Also seen". */
struct chosen {
        size_t *findings, n;
};

static struct chosen choose(struct table *t, bool (*is_one)(const struct finding *f))
{
        struct chosen c = { arena_array(&t->arena, t->r->n_findings + 1, sizeof(size_t)), 0 };
        for (size_t i = 0; i < t->r->n_findings; i++)
                if (is_one(&t->r->findings[i]))
                        c.findings[c.n++] = i;
        return c;
}

static bool is_aside_by_vex(const struct finding *f) { return f->set_aside == SET_ASIDE_BY_VEX; }
static bool is_aside_by_waiver(const struct finding *f) { return f->set_aside == SET_ASIDE_BY_WAIVER; }
static bool is_stated_open(const struct finding *f) { return f->vex && !f->set_aside; }
static bool is_doubtful(const struct finding *f) { return f->vex_doubt.n && !f->set_aside; }

static const struct finding *chosen_finding(struct table *t, const void *arg, size_t i)
{
        return &t->r->findings[((const struct chosen *)arg)->findings[i]];
}

#define WORDS_SHOWN 60 /* columns of an author's words in a list; explain has them whole */

static struct str set_aside_item(struct table *t, const void *arg, size_t i)
{
        const struct finding *f = chosen_finding(t, arg, i);
        struct arena *a = &t->arena;
        struct str why = f->vex && f->vex->justification.n ? f->vex->justification
                         : f->set_aside_why.n              ? f->set_aside_why
                         : f->vex                          ? f->vex->status
                                                           : STR_NONE;
        return arena_printf(a, "%.*s by %.*s: %.*s", STR_FMT(finding_item(t->r, a, f)),
                            STR_FMT(text_clean(a, f->set_aside_by)),
                            STR_FMT(text_cut(a, text_clean(a, why), WORDS_SHOWN)));
}

static struct str stated_item(struct table *t, const void *arg, size_t i)
{
        const struct finding *f = chosen_finding(t, arg, i);
        struct str words = text_cut(&t->arena, vex_words(&t->arena, f->vex), WORDS_SHOWN);
        return arena_printf(&t->arena, "%.*s %.*s%s%.*s", STR_FMT(text_clean(&t->arena, f->id)),
                            STR_FMT(text_clean(&t->arena, f->vex->status)), words.n ? ": " : "", STR_FMT(words));
}

static struct str doubtful_item(struct table *t, const void *arg, size_t i)
{
        const struct finding *f = chosen_finding(t, arg, i);
        return arena_printf(&t->arena, "%.*s (%.*s)", STR_FMT(text_clean(&t->arena, f->id)),
                            STR_FMT(text_clean(&t->arena, f->vex_doubt)));
}

/* Waivers that were made for something here and do not cover it. */
static struct chosen choose_unheld(struct table *t)
{
        struct chosen c = { arena_array(&t->arena, t->r->n_waivers + 1, sizeof(size_t)), 0 };
        for (size_t i = 0; i < t->r->n_waivers; i++)
                if (t->r->waivers[i].n_doubtful)
                        c.findings[c.n++] = i;
        return c;
}

static struct str unheld_item(struct table *t, const void *arg, size_t i)
{
        const struct report_waiver *w = &t->r->waivers[((const struct chosen *)arg)->findings[i]];
        return arena_printf(&t->arena, "%.*s for %.*s (%.*s)", STR_FMT(text_clean(&t->arena, w->id)),
                            STR_FMT(text_cut(&t->arena, text_clean(&t->arena, w->covers), WORDS_SHOWN)),
                            STR_FMT(w->doubt));
}

static void stated(struct table *t)
{
        struct arena *a = &t->arena;
        struct chosen vex = choose(t, is_aside_by_vex), waived = choose(t, is_aside_by_waiver);
        struct chosen open = choose(t, is_stated_open), doubtful = choose(t, is_doubtful);
        struct chosen unheld = choose_unheld(t);
        if (vex.n)
                list(t, PAINT_WARN, "set aside", set_aside_count(a, SET_ASIDE_BY_VEX, vex.n), vex.n, vex.n,
                     set_aside_item, &vex);
        if (waived.n)
                list(t, PAINT_WARN, "set aside", set_aside_count(a, SET_ASIDE_BY_WAIVER, waived.n), waived.n, waived.n,
                     set_aside_item, &waived);
        if (unheld.n)
                list(t, PAINT_WARN, "waivers",
                     text_count(a, unheld.n, "waiver that does not hold", "waivers that do not hold"), unheld.n,
                     unheld.n, unheld_item, &unheld);
        if (open.n)
                list(t, PAINT_WARN, "stated", text_count(a, open.n, "finding left open", "findings left open"), open.n,
                     open.n, stated_item, &open);
        if (doubtful.n)
                list(t, PAINT_WARN, "in doubt",
                     text_count(a, doubtful.n, "finding with VEX that was not applied",
                                "findings with VEX that was not applied"),
                     doubtful.n, doubtful.n, doubtful_item, &doubtful);
}

static struct str misconfig_item(struct table *t, const void *arg, size_t i)
{
        const struct finding *f = ((const struct finding *const *)arg)[i];
        return arena_printf(&t->arena, "%.*s (%.*s)", STR_FMT(f->check->title), STR_FMT(f->id));
}

/* All of them in one entry, worst first. The one without a severity is what the image needs for a read-only root. */
static void misconfigurations(struct table *t)
{
        const struct report *r = t->r;
        const struct finding **v = arena_array(&t->arena, r->n_findings, sizeof(*v));
        size_t n = 0;
        for (size_t i = 0; i < r->n_findings; i++)
                if (r->findings[i].kind == FINDING_MISCONFIG && r->findings[i].severity > SEVERITY_NONE)
                        v[n++] = &r->findings[i];
        if (n)
                list(t, v[0]->severity >= SEVERITY_HIGH ? PAINT_BAD : PAINT_WARN, "settings",
                     text_count(&t->arena, n, "misconfiguration", "misconfigurations"), n, n, misconfig_item, v);
        for (size_t i = 0; i < r->n_findings; i++) {
                const struct finding *f = &r->findings[i];
                if (f->kind != FINDING_MISCONFIG || f->severity > SEVERITY_NONE)
                        continue;
                label(t, PAINT_NAME, "read-only");
                struct cell title = { text_clean(&t->arena, f->check->detail), PAINT_PLAIN };
                screen_flow(&t->s, &title, 1, "", INDENT + LABEL_WIDTH, INDENT + LABEL_WIDTH);
        }
}

#define SECRETS_SHOWN 5

static void secrets_seen(struct table *t)
{
        const struct report *r = t->r;
        struct arena *a = &t->arena;
        size_t likely = 0, others = 0;
        for (size_t i = 0; i < r->n_findings; i++) {
                const struct finding *f = &r->findings[i];
                if (!secret_is_likely(f)) {
                        others += f->kind == FINDING_SECRET;
                        continue;
                }
                if (likely++ >= SECRETS_SHOWN && !t->o->verbose)
                        continue;
                label(t, str_is(f->secret->confidence, "high") ? PAINT_BAD : PAINT_WARN, "secret");
                struct cell words = { secret_words(r, a, f), PAINT_PLAIN };
                screen_flow(&t->s, &words, 1, "", INDENT + LABEL_WIDTH, INDENT + LABEL_WIDTH);
        }
        if (likely > SECRETS_SHOWN && !t->o->verbose)
                screen_printf(&t->s, PAINT_FAINT, "  …%zu more secrets (-v shows all)\n", likely - SECRETS_SHOWN);
        if (others)
                list(t, PAINT_FAINT, "maybe",
                     text_count(a, others, "value that sounds like a secret", "values that sound like secrets"), others,
                     0, NULL, NULL);
}

static void also_seen(struct table *t)
{
        const struct report *r = t->r;
        const struct coverage *c = &r->coverage;
        struct arena *a = &t->arena;
        bool any = r->search.found || c->total_modified || c->total_unknown_executables || c->n_unread || c->deleted;
        for (size_t i = 0; i < r->n_findings; i++)
                any |= is_seen_as_title(r->findings[i].kind) || r->findings[i].kind == FINDING_MISCONFIG ||
                       r->findings[i].kind == FINDING_SECRET || r->findings[i].set_aside || r->findings[i].vex ||
                       r->findings[i].vex_doubt.n;
        if (!any)
                return;
        heading(t, "Also seen");
        malware(t);
        for (size_t i = 0; i < r->n_findings; i++) {
                const struct finding *f = &r->findings[i];
                if (!is_seen_as_title(f->kind))
                        continue;
                label(t, PAINT_WARN,
                      f->kind == FINDING_UNSUPPORTED  ? "blind"
                      : f->kind == FINDING_STALE_DATA ? "stale"
                                                      : finding_kind_name(f->kind));
                struct cell title = { text_clean(a, f->title), PAINT_PLAIN };
                screen_flow(&t->s, &title, 1, "", INDENT + LABEL_WIDTH, INDENT + LABEL_WIDTH);
        }
        secrets_seen(t);
        stated(t);
        misconfigurations(t);
        if (c->total_modified)
                list(t, PAINT_WARN, "modified",
                     arena_printf(a, "%.*s not as shipped",
                                  STR_FMT(text_count(a, c->total_modified, "file of a package", "files of packages"))),
                     c->total_modified, c->n_modified, modified_item, c->modified);
        if (c->total_unknown_executables)
                list(t, PAINT_WARN, "unknown",
                     text_count(a, c->total_unknown_executables, "executable of no package",
                                "executables of no package"),
                     c->total_unknown_executables, c->n_unknown_executables, modified_item, c->unknown_executables);
        if (c->n_unread)
                list(t, PAINT_WARN, "not read", text_count(a, c->n_unread, "part", "parts"), c->n_unread, c->n_unread,
                     unread_list_item, c->unread);
        if (c->deleted)
                list(t, PAINT_FAINT, "deleted",
                     arena_printf(a, "%.*s of lower layers, still pullable",
                                  STR_FMT(text_count(a, c->deleted, "file", "files"))),
                     c->deleted, 0, NULL, NULL);
}

static void vex_files(struct table *t)
{
        const struct report *r = t->r;
        struct arena *a = &t->arena;
        struct cell *cells = arena_array(a, r->n_vex + 1, sizeof(*cells));
        for (size_t i = 0; i < r->n_vex; i++)
                cells[i] = (struct cell){ arena_printf(a, "%.*s (%.*s)", STR_FMT(text_clean(a, r->vex[i].path)),
                                                       STR_FMT(vex_file_words(a, &r->vex[i]))),
                                          r->vex[i].why.n ? PAINT_WARN : PAINT_PLAIN };
        if (!r->n_vex)
                return;
        screen_put(&t->s, PAINT_PLAIN, STR("VEX: "));
        screen_flow(&t->s, cells, r->n_vex, ", ", 5, INDENT);
}

static void provenance(struct table *t)
{
        const struct report *r = t->r;
        struct arena *a = &t->arena;
        struct str states[FILE_STATES];
        struct cell cells[FILE_STATES];
        size_t n = coverage_items(r, a, states);
        screen_newline(&t->s);
        for (size_t i = 0; i < n; i++)
                cells[i] = (struct cell){ states[i], PAINT_PLAIN };
        struct str total = text_count(a, r->coverage.total, "file", "files");
        total = arena_printf(a, "%.*s%s", STR_FMT(total), n ? ": " : "");
        screen_put(&t->s, PAINT_PLAIN, total);
        screen_flow(&t->s, cells, n, ", ", text_width(total), INDENT);

        struct cell *feeds = arena_array(a, r->n_feeds + 1, sizeof(*feeds));
        size_t k = 0;
        if (r->data_source.n)
                feeds[k++] = (struct cell){ arena_printf(a, "%.*s %.*s", STR_FMT(text_clean(a, r->data_source)),
                                                         STR_FMT(text_age(a, r->data_date, r->today))),
                                            PAINT_PLAIN };
        else
                feeds[k++] = (struct cell){ STR("none"), PAINT_WARN };
        for (size_t i = 0; i < r->n_feeds; i++)
                feeds[k++] =
                        (struct cell){ arena_printf(a, "%.*s %.*s (%.*s)", STR_FMT(text_clean(a, r->feeds[i].name)),
                                                    STR_FMT(text_day(a, r->feeds[i].date, "undated")),
                                                    STR_FMT(text_number(a, r->feeds[i].records))),
                                       PAINT_PLAIN };
        screen_put(&t->s, PAINT_PLAIN, STR("Advisories: "));
        screen_flow(&t->s, feeds, k, ", ", 12, INDENT);
        vex_files(t);
}

/* Ways to show every finding, the richest first. */
struct findings_layout {
        bool version, layer, brief;
};

static const struct findings_layout findings_layouts[] = {
        { true, true, false },
        { true, true, true },
        { true, false, true },
        { false, false, true },
};

static struct str finding_effect(struct table *t, const struct finding *f, bool brief)
{
        const struct fact_vulnerability *v = f->vulnerability;
        if (!v)
                return brief ? STR_NONE : text_clean(&t->arena, f->proof);
        if (v->malicious)
                return STR("malicious");
        if (v->kev)
                return brief           ? STR("exploited")
                       : v->ransomware ? STR("known exploited, by ransomware too")
                                       : STR("known exploited");
        if (!v->epss)
                return STR_NONE;
        return arena_printf(&t->arena, "EPSS %.*s", STR_FMT(text_probability(&t->arena, v->epss)));
}

static struct grid findings_grid(struct table *t, const struct findings_layout *l)
{
        const struct report *r = t->r;
        struct arena *a = &t->arena;
        struct grid g = { .columns = 6, .indent = INDENT, .flexible = 2, .most = { 0, 20, 48, 34, 40, 0 } };
        for (size_t i = 0; i < r->n_findings; i++) {
                const struct finding *f = &r->findings[i];
                struct str what = finding_subject(r, a, f), version = finding_version(r, a, f);
                if (f->kind != FINDING_VULNERABILITY)
                        what = text_clean(a, f->title);
                else if (l->version)
                        what = arena_printf(a, "%.*s %.*s", STR_FMT(what), STR_FMT(version));
                struct str fix = text_clean(a, f->fix);
                grid_add(&t->s, &g, severity_paint(f->severity), str_of(severity_name(f->severity)));
                grid_add(&t->s, &g, PAINT_STRONG, text_clean(a, f->id));
                grid_add(&t->s, &g, PAINT_PLAIN, what);
                grid_add(&t->s, &g, PAINT_PLAIN,
                         f->set_aside ? STR("set aside")
                         : fix.n      ? arena_printf(a, "→ %.*s", STR_FMT(fix))
                                      : str_of(response_name(f->response)));
                grid_add(&t->s, &g, f->vulnerability && f->vulnerability->kev ? PAINT_BAD : PAINT_PLAIN,
                         finding_effect(t, f, l->brief));
                grid_add(&t->s, &g, PAINT_FAINT, l->layer ? layer_name(r, a, f->layer) : STR_NONE);
        }
        return g;
}

static void all_findings(struct table *t)
{
        struct grid g = { 0 };
        if (!t->r->n_findings)
                return;
        heading(t, "All findings");
        for (size_t i = 0; i < ARRAY_SIZE(findings_layouts); i++) {
                g = findings_grid(t, &findings_layouts[i]);
                if (grid_fits(&t->s, &g))
                        break;
        }
        grid_print(&t->s, &g);
}

static void next_commands(struct table *t)
{
        const struct report *r = t->r;
        struct arena *a = &t->arena;
        if (!r->n_findings)
                return;
        struct str where = text_clean(a, text_shell(a, r->target));
        struct str id = text_clean(a, text_shell(a, r->findings[0].id));
        struct cell cells[] = {
                { r->denied ? arena_printf(a, "sekisho plan %.*s", STR_FMT(where)) : STR_NONE, PAINT_STRONG },
                { arena_printf(a, "sekisho explain %.*s %.*s", STR_FMT(id), STR_FMT(where)), PAINT_STRONG },
                { t->o->verbose ? STR_NONE : STR("-v for every finding"), PAINT_PLAIN },
                { STR("-o html=report.html for a page to show"), PAINT_PLAIN },
        };
        screen_put(&t->s, PAINT_PLAIN, STR("Next: "));
        screen_flow(&t->s, cells, ARRAY_SIZE(cells), ", ", 6, INDENT);
}

static int table_write(const struct report *r, const struct report_options *o, FILE *to)
{
        struct table t = { .r = r, .o = o };
        t.s = (struct screen){ to, &t.arena, o->colour, o->width };
        target(&t);
        search(&t);
        verdict(&t);
        what_to_do(&t);
        also_seen(&t);
        if (o->verbose)
                all_findings(&t);
        provenance(&t);
        next_commands(&t);
        arena_done(&t.arena);
        return stream_result(to);
}

const struct reporter reporter_table = {
        .name = "table",
        .summary = "what to do, for a person at a terminal",
        .file_name = "report.txt",
        .write = table_write,
};
