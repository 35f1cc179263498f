/*
 * The report as one HTML file that asks nobody for anything: style and a small script (to filter the findings) are in
 * it, allowed by their hashes alone, and everything can be read without the script. The order is the table's: the
 * answer, what to do, what else was seen, and then all the evidence (html-details.c).
 */
#include "report/page.h"
#include "report/report.h"
#include "report/screen.h"
#include "report/text.h"
#include "report/view.h"

#define MOVES_SHOWN 10
#define ITEMS_SHOWN 5

static void head(struct page *p)
{
        const struct report *r = p->r;
        struct arena *a = &p->arena;
        page_raw(p, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        page_put(p,
                 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '@'; "
                 "script-src '@'; base-uri 'none'; form-action 'none'\">\n",
                 page_hash(a, page_style), page_hash(a, page_script));
        page_raw(p, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<meta name=\"referrer\" content=\"no-referrer\">\n");
        page_put(p, "<meta name=\"generator\" content=\"sekisho @\">\n<title>@: @</title>\n<style>", r->tool_version,
                 r->target, verdict_words(r, a));
        page_raw(p, page_style);
        page_raw(p, "</style>\n</head>\n<body>\n");
}

static void fact(struct page *p, const char *class, struct str text)
{
        if (text.n)
                page_put(p, "<li class=\"@\">@</li>\n", str_of(class), text);
}

static void title(struct page *p)
{
        const struct report *r = p->r;
        struct arena *a = &p->arena;
        uint64_t size = 0;
        for (size_t i = 0; i < r->n_layers; i++)
                size += r->layers[i].size;
        page_put(p, "<header class=\"wrap\">\n<p class=\"brand\">sekisho · report as of @</p>\n<h1>@</h1>\n",
                 text_day(a, r->today, "an unknown day"), r->target);
        page_raw(p, "<ul class=\"facts\">\n");
        fact(p, "", other_name(r));
        fact(p, "", str_eq(r->container, r->name) ? STR_NONE : r->container);
        fact(p, "", r->kind);
        fact(p, "", platform_words(r, a));
        if (r->n_layers)
                fact(p, "",
                     arena_printf(a, "%.*s, %.*s", STR_FMT(text_count(a, r->n_layers, "layer", "layers")),
                                  STR_FMT(text_size(a, size))));
        fact(p, "", text_count(a, r->coverage.total, "file", "files"));
        fact(p, "", text_count(a, r->n_packages, "package", "packages"));
        page_raw(p, "</ul>\n<ul class=\"facts\">\n");
        page_put(p, "<li>@", os_words(r, a));
        if (r->has_os)
                page_put(p, ", <span class=\"@\">@</span>", is_past_eol(r) ? STR("bad") : STR(""), eol_words(r, a));
        page_raw(p, "</li>\n");
        fact(p, "mono soft", r->digest.n ? r->digest : r->image_id);
        page_raw(p, "</ul>\n</header>\n");
}

static void verdict(struct page *p)
{
        const struct report *r = p->r;
        struct arena *a = &p->arena;
        page_put(p, "<section class=\"verdict @\" aria-label=\"Verdict\">\n<h2>@ <span>@</span></h2>\n",
                 r->denied ? STR("denied") : STR("allowed"), verdict_words(r, a), policy_words(r, a));
        if (r->n_rules)
                page_raw(p, "<ul class=\"rules\">\n");
        for (size_t i = 0; i < r->n_rules; i++) {
                const struct rule_hit *h = &r->rules[i];
                page_put(p, "<li class=\"@\"><span class=\"mark\">@</span><b>@</b><span>@</span>",
                         h->denies ? STR("denies") : STR("warns"), h->denies ? STR("✗") : STR("!"), h->name,
                         rule_effect(r, a, h));
                page_put(p, "<span class=\"soft\">@</span></li>\n", str_eq(h->place, r->policy) ? STR_NONE : h->place);
        }
        if (r->n_rules)
                page_raw(p, "</ul>\n");
        if (!r->complete)
                page_raw(p, "<p class=\"note\"><strong>Incomplete:</strong> a part of it could not be read. "
                            "<a href=\"#files\">See what</a></p>\n");
        page_raw(p, "</section>\n");
}

static void tile(struct page *p, const char *class, uint64_t n, struct str words)
{
        page_put(p, "<li class=\"@\"><b>@</b><span>", n ? STR("") : STR("none"), text_number(&p->arena, n));
        if (*class)
                page_put(p, "<i class=\"@\"></i>", str_of(class));
        page_put(p, "@</span></li>\n", words);
}

static void numbers(struct page *p)
{
        struct counts c = report_counts(p->r);
        page_raw(p, "<h2 class=\"hide\">Vulnerabilities</h2>\n");
        if (!c.vulnerabilities && !c.set_aside[SET_ASIDE_BY_VEX] && !c.set_aside[SET_ASIDE_BY_WAIVER]) {
                page_put(p, "<ul class=\"tiles\"><li><b>@</b><span>vulnerabilities: @</span></li></ul>\n",
                         is_blind(p->r) ? STR("?") : STR("0"), nothing_words(p->r, &p->arena));
                return;
        }
        page_raw(p, "<ul class=\"tiles\">\n");
        for (enum severity s = SEVERITY_CRITICAL; s > SEVERITY_NONE; s--)
                tile(p, severity_name(s), c.by_severity[s], str_of(severity_name(s)));
        tile(p, "unknown", c.by_severity[SEVERITY_UNKNOWN] + c.by_severity[SEVERITY_NONE], STR("unknown"));
        tile(p, "", c.exploited, STR("known exploited"));
        tile(p, "", c.fixable,
             arena_printf(&p->arena, "of %.*s with a fix", STR_FMT(text_number(&p->arena, c.vulnerabilities))));
        for (enum set_aside by = SET_ASIDE_BY_VEX; by < SET_ASIDES; by++)
                if (c.set_aside[by])
                        tile(p, "", c.set_aside[by],
                             by == SET_ASIDE_BY_WAIVER ? STR("set aside by waivers") : STR("set aside by VEX"));
        page_raw(p, "</ul>\n");
}

static bool is_listed(const struct move *m)
{
        return m->response == RESPONSE_UPDATE || m->response == RESPONSE_REPLACE;
}

static void move_rows(struct page *p, size_t from, size_t to)
{
        struct arena *a = &p->arena;
        size_t seen = 0;
        page_raw(p,
                 "<table>\n<thead><tr><th scope=\"col\">Do</th><th scope=\"col\">What</th><th scope=\"col\">From</th>"
                 "<th scope=\"col\">To</th><th scope=\"col\">Worst</th><th scope=\"col\">Closes</th></tr></thead>\n"
                 "<tbody>\n");
        for (size_t i = 0; i < p->r->n_moves; i++) {
                const struct move *m = &p->r->moves[i];
                if (!is_listed(m) || seen++ < from || seen > to)
                        continue;
                struct str subject = move_subject(a, m, 0), name = text_clean(a, m->name);
                page_put(p, "<tr><td>@</td><th scope=\"row\">@ <span class=\"soft\">@</span></th>",
                         str_of(response_name(m->response)), name, str_from(subject, name.n));
                page_put(p, "<td class=\"@\">@</td><td class=\"@\" data-l=\"→\">@</td>", page_version_class(m->from),
                         m->from, page_version_class(m->to), m->to);
                page_put(p, "<td><span class=\"sev @\">@</span></td>", str_of(severity_name(m->worst)),
                         str_of(severity_name(m->worst)));
                struct str effect = move_effect(p->r, a, m, m->response != RESPONSE_REPLACE);
                if (str_starts(effect, STR("closes ")))
                        effect = str_from(effect, strlen("closes "));
                page_put(p, "<td class=\"@\">@</td></tr>\n", m->n_kev ? STR("bad") : STR_NONE, effect);
        }
        page_raw(p, "</tbody>\n</table>\n");
}

static void leftover(struct page *p, enum response response, const struct leftover *l)
{
        struct arena *a = &p->arena;
        page_put(p, "<dt>@</dt><dd>@: ", str_of(response_name(response)), leftover_words(a, response, l->n));
        for (size_t i = 0; i < l->n && i < ITEMS_SHOWN; i++)
                page_put(p, i ? ", @" : "@", finding_item(p->r, a, &p->r->findings[l->findings[i]]));
        if (l->n > ITEMS_SHOWN)
                page_put(p, ", <a href=\"#findings\">…@ more</a>", text_number(a, l->n - ITEMS_SHOWN));
        page_raw(p, "</dd>\n");
}

static void what_to_do(struct page *p)
{
        const struct report *r = p->r;
        struct leftover leftovers[RESPONSES];
        size_t moves = 0, left = 0;
        report_leftovers(r, &p->arena, leftovers);
        for (size_t i = 0; i < r->n_moves; i++)
                moves += is_listed(&r->moves[i]);
        for (size_t i = 0; i < RESPONSES; i++)
                left += leftovers[i].n;
        page_raw(p, "<section id=\"todo\">\n<h2>What to do</h2>\n");
        if (!moves && !left)
                page_put(p, "<p>@</p>\n",
                         has_no_system(r) ? STR("Nothing to update: no package was found.")
                         : is_blind(r) ? STR("First get advisories for this system (sekisho db update): without them "
                                             "nothing can be judged.")
                         : is_any_set_aside(r) ? STR("Nothing: every known vulnerability is set aside.")
                                               : STR("Nothing: there is no known vulnerability to close."));
        if (moves)
                move_rows(p, 0, MOVES_SHOWN);
        if (moves > MOVES_SHOWN) {
                page_put(p, "<details class=\"more\"><summary>@ more</summary>\n",
                         text_number(&p->arena, moves - MOVES_SHOWN));
                move_rows(p, MOVES_SHOWN, moves);
                page_raw(p, "</details>\n");
        }
        if (left) {
                page_raw(p, "<dl class=\"left\">\n");
                for (enum response i = 0; i < RESPONSES; i++)
                        if (leftovers[i].n)
                                leftover(p, i, &leftovers[i]);
                page_raw(p, "</dl>\n");
        }
        page_raw(p, "</section>\n");
}

static void seen(struct page *p, struct str words, struct str lead) { page_put(p, "<dt>@</dt><dd>@", words, lead); }

/* The first of n items, and a way to all of them. */
static void seen_files(struct page *p, const struct report_file *files, size_t n, uint64_t total)
{
        for (size_t i = 0; i < n && i < ITEMS_SHOWN; i++)
                page_put(p, i ? ", @" : ": @", file_item(p->r, &p->arena, &files[i]));
        if (total > ITEMS_SHOWN)
                page_put(p, ", <a href=\"#files\">…@ more</a>", text_number(&p->arena, total - ITEMS_SHOWN));
        page_raw(p, "</dd>\n");
}

/* Like the table: those with a severity in one entry, and what the image needs for a read-only root in one of its own.
 */
static void misconfigurations(struct page *p)
{
        const struct report *r = p->r;
        const struct finding *readonly = NULL;
        size_t n = 0, shown = 0;
        for (size_t i = 0; i < r->n_findings; i++) {
                const struct finding *f = &r->findings[i];
                if (f->kind == FINDING_MISCONFIG && f->severity > SEVERITY_NONE)
                        n++;
                else if (f->kind == FINDING_MISCONFIG)
                        readonly = f;
        }
        if (n)
                seen(p, STR("Settings"), text_count(&p->arena, n, "misconfiguration", "misconfigurations"));
        for (size_t i = 0; i < r->n_findings && shown < MIN(n, ITEMS_SHOWN); i++) {
                const struct finding *f = &r->findings[i];
                if (f->kind == FINDING_MISCONFIG && f->severity > SEVERITY_NONE)
                        page_put(p, shown++ ? ", @ (@)" : ": @ (@)", f->check->title, f->id);
        }
        if (n > shown)
                page_put(p, ", <a href=\"#findings\">…@ more</a>", text_number(&p->arena, n - shown));
        if (n)
                page_raw(p, "</dd>\n");
        if (readonly) {
                seen(p, STR("Read-only"), readonly->check->detail);
                page_raw(p, "</dd>\n");
        }
}

static void also_seen(struct page *p)
{
        const struct report *r = p->r;
        const struct coverage *c = &r->coverage;
        struct arena *a = &p->arena;
        page_raw(p, "<section id=\"seen\">\n<h2>Also seen</h2>\n<dl class=\"seen\">\n");
        seen(p, STR("Malware"), search_words(r, a));
        for (size_t i = 0; i < r->n_findings; i++)
                if (r->findings[i].kind == FINDING_MALWARE)
                        page_put(p, ", @", malware_item(r, a, &r->findings[i]));
        page_raw(p, "</dd>\n");
        for (size_t i = 0; i < r->n_findings; i++) {
                const struct finding *f = &r->findings[i];
                if (f->kind != FINDING_UNSUPPORTED && f->kind != FINDING_STALE_DATA && f->kind != FINDING_MISMATCH &&
                    f->kind != FINDING_WAIVER && f->kind != FINDING_ARTEFACT)
                        continue;
                seen(p,
                     f->kind == FINDING_UNSUPPORTED  ? STR("Blind")
                     : f->kind == FINDING_STALE_DATA ? STR("Old data")
                                                     : text_capital(a, str_of(finding_kind_name(f->kind))),
                     text_capital(a, f->title));
                page_raw(p, "</dd>\n");
        }
        size_t others = 0;
        for (size_t i = 0; i < r->n_findings; i++) {
                if (!secret_is_likely(&r->findings[i])) {
                        others += r->findings[i].kind == FINDING_SECRET;
                        continue;
                }
                seen(p, STR("Secret"), secret_words(r, a, &r->findings[i]));
                page_raw(p, "</dd>\n");
        }
        if (others) {
                seen(p, STR("Maybe"),
                     text_count(a, others, "value that sounds like a secret", "values that sound like secrets"));
                page_raw(p, "</dd>\n");
        }
        misconfigurations(p);
        if (c->total_modified) {
                seen(p, STR("Modified"),
                     arena_printf(a, "%.*s not as shipped",
                                  STR_FMT(text_count(a, c->total_modified, "file of a package", "files of packages"))));
                seen_files(p, c->modified, c->n_modified, c->total_modified);
        }
        if (c->total_unknown_executables) {
                seen(p, STR("Unknown"),
                     text_count(a, c->total_unknown_executables, "executable of no package",
                                "executables of no package"));
                seen_files(p, c->unknown_executables, c->n_unknown_executables, c->total_unknown_executables);
        }
        if (c->n_unread) {
                seen(p, STR("Not read"), text_count(a, c->n_unread, "part", "parts"));
                for (size_t i = 0; i < c->n_unread && i < ITEMS_SHOWN; i++)
                        page_put(p, i ? ", @" : ": @", unread_item(a, &c->unread[i]));
                if (c->n_unread > ITEMS_SHOWN)
                        page_put(p, ", <a href=\"#files\">…@ more</a>", text_number(a, c->n_unread - ITEMS_SHOWN));
                page_raw(p, "</dd>\n");
        }
        if (c->deleted) {
                seen(p, STR("Deleted"),
                     arena_printf(a, "%.*s of lower layers, still pullable",
                                  STR_FMT(text_count(a, c->deleted, "file", "files"))));
                page_raw(p, "</dd>\n");
        }
        page_raw(p, "</dl>\n</section>\n");
}

static int html_write(const struct report *r, const struct report_options *o, FILE *to)
{
        struct page p = { .to = to, .r = r };
        head(&p);
        title(&p);
        page_raw(&p, "<main class=\"wrap\">\n");
        verdict(&p);
        numbers(&p);
        page_raw(&p, "<div class=\"two\">\n");
        what_to_do(&p);
        also_seen(&p);
        page_raw(&p, "</div>\n");
        page_findings(&p);
        page_packages(&p);
        page_layers(&p);
        page_files(&p);
        page_provenance(&p);
        page_raw(&p, "</main>\n<script>");
        page_raw(&p, page_script);
        page_raw(&p, "</script>\n</body>\n</html>\n");
        arena_done(&p.arena);
        return stream_result(to);
}

const struct reporter reporter_html = {
        .name = "html",
        .summary = "one self-contained page, to show and to print",
        .file_name = "report.html",
        .write = html_write,
};
