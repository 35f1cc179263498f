/* The evidence of the HTML report: every finding with its proof, packages, layers, files, and where it all came from.
 */
#include "report/page.h"
#include "report/text.h"
#include "report/view.h"

static void term(struct page *p, const char *name, struct str text)
{
        if (text.n)
                page_put(p, "<dt>@</dt><dd>@</dd>\n", str_of(name), text);
}

#define ID_IN_ONE_LINE 24 /* CVE-2024-1234567, GHSA-xxxx-xxxx-xxxx */

static void link_to(struct page *p, struct str id)
{
        struct str url = advisory_url(&p->arena, id);
        if (url.n)
                page_put(p, "<a href=\"@\" rel=\"noopener noreferrer\">@</a>", url, id);
        else
                page_put(p, "@", id);
}

static struct str place(struct page *p, struct str path, uint64_t line)
{
        struct arena *a = &p->arena;
        struct str file = shown_path(a, path);
        return line ? arena_printf(a, "%.*s line %.*s", STR_FMT(file), STR_FMT(text_number(a, line))) : file;
}

static void advisory(struct page *p, const struct fact_vulnerability *v)
{
        struct arena *a = &p->arena;
        struct buf names = BUF_INIT((size_t)1 << 20);
        for (size_t i = 0; i < v->aliases.n; i++)
                buf_printf(&names, "%s%.*s", i ? ", " : "", STR_FMT(text_clean(a, v->aliases.v[i])));
        term(p, "About", v->summary);
        term(p, "Compared", v->comparison);
        term(p, "Advisory",
             arena_printf(a, "%.*s of %.*s, feed %.*s", STR_FMT(text_clean(a, v->id)),
                          STR_FMT(text_clean(a, v->ecosystem)), STR_FMT(text_clean(a, v->feed))));
        term(p, "Also named", text_take(a, &names));
        if (v->kev)
                term(p, "Exploited",
                     arena_printf(a, "in CISA's KEV since %.*s%s", STR_FMT(text_day(a, v->kev, "")),
                                  v->ransomware ? ", used by ransomware" : ""));
        if (v->malicious)
                term(p, "Malicious", STR("the package itself is known to be malicious"));
        if (v->cvss_score)
                term(p, "Score",
                     arena_printf(a, "%u.%u (%.*s) %.*s", (unsigned)(v->cvss_score / 10),
                                  (unsigned)(v->cvss_score % 10), STR_FMT(text_clean(a, v->severity_source)),
                                  STR_FMT(text_clean(a, v->cvss_vector))));
        if (v->epss)
                term(p, "EPSS",
                     arena_printf(a, "%.*s, higher than %.*s of all", STR_FMT(text_probability(a, v->epss)),
                                  STR_FMT(text_percent(a, v->epss_percentile))));
        term(p, "Published", text_day(a, v->published, ""));
}

/* Who said what of it, and whether that sets it aside. */
static void stated(struct page *p, const struct finding *f)
{
        struct arena *a = &p->arena;
        if (f->vex) {
                term(p, "Stated", vex_origin(a, f->vex));
                term(p, "Because", f->vex->impact);
                term(p, "Action", f->vex->action);
                term(p, "Remark", f->vex->detail);
        } else if (f->set_aside) {
                term(p, "Because", f->set_aside_why);
        }
        term(p, "In doubt", f->vex_doubt);
        if (f->set_aside)
                term(p, "Set aside",
                     arena_printf(a, "by %s of %.*s: no rule judges it",
                                  f->set_aside == SET_ASIDE_BY_WAIVER ? "a waiver" : "VEX",
                                  STR_FMT(text_clean(a, f->set_aside_by))));
}

static void proof(struct page *p, const struct finding *f)
{
        const struct report *r = p->r;
        struct arena *a = &p->arena;
        const struct fact_vulnerability *v = f->vulnerability;
        struct str short_proof = v && v->comparison.n ? v->comparison : f->proof;
        page_put(p, "<tr class=\"proof\"><td></td><td colspan=\"6\"><details><summary>@</summary>\n<dl>\n",
                 short_proof.n ? short_proof : STR("proof"));
        if (v)
                advisory(p, v);
        else
                term(p, "Proof", f->proof);
        for (size_t i = 0; i < f->n_packages; i++) {
                const struct report_package *q = &r->packages[f->packages[i]];
                term(p, "Installed",
                     arena_printf(a, "%.*s %.*s, listed in %.*s", STR_FMT(text_clean(a, q->p.name)),
                                  STR_FMT(text_clean(a, q->p.version)), STR_FMT(place(p, q->p.database, q->p.line))));
        }
        if (f->malware) {
                term(p, "Kind", f->malware->family);
                term(p, "Deleted", deleted_words(r, a, f));
        }
        if (!v)
                term(p, "Where", place(p, f->path, f->line));
        if (f->layer != NONE && f->layer < r->n_layers)
                term(p, "Layer",
                     arena_printf(
                             a, "%zu, %.*s", f->layer + 1,
                             STR_FMT(text_clean(a, r->layers[f->layer].created_by.n ? r->layers[f->layer].created_by
                                                                                    : r->layers[f->layer].digest))));
        stated(p, f);
        if (f->waiver)
                term(p, "Waiver",
                     arena_printf(a, "%.*s (%.*s), until %.*s", STR_FMT(text_clean(a, f->waiver->id)),
                                  STR_FMT(text_clean(a, f->waiver->place)), STR_FMT(f->waiver->until)));
        if (f->doubtful)
                term(p, "Waiver",
                     arena_printf(a, "%.*s does not hold: %.*s", STR_FMT(text_clean(a, f->doubtful->id)),
                                  STR_FMT(f->doubt)));
        if (f->rule)
                term(p, f->rule->denies ? "Denied by" : "Warned by",
                     arena_printf(a, "%.*s (%.*s)", STR_FMT(text_clean(a, f->rule->name)),
                                  STR_FMT(text_clean(a, f->rule->place))));
        if (f->rule && f->rule->why.n)
                term(p, "Why", text_clean(a, f->rule->why));
        term(p, "To do", text_capital(a, finding_advice(r, a, f)));
        page_raw(p, "</dl></details></td></tr>\n");
}

static void finding(struct page *p, const struct finding *f)
{
        const struct report *r = p->r;
        struct arena *a = &p->arena;
        const struct fact_vulnerability *v = f->vulnerability;
        struct str severity = str_of(severity_name(f->severity));
        /* An id that may break anywhere is squeezed to one letter a line where the table is narrow, as on paper. */
        page_put(p,
                 "<tbody class=\"f\" data-s=\"@\">\n<tr><td><span class=\"sev @\">@</span></td>"
                 "<th scope=\"row\" class=\"@\">",
                 severity, severity, severity, f->id.n <= ID_IN_ONE_LINE ? STR("nowrap") : STR_NONE);
        link_to(p, f->id);
        page_raw(p, "</th>");
        if (f->kind == FINDING_VULNERABILITY)
                page_put(p, "<td>@ <span class=\"soft @\">@</span></td>", finding_subject(r, a, f),
                         page_version_class(finding_version(r, a, f)), finding_version(r, a, f));
        else
                page_put(p, "<td>@</td>", f->title);
        if (f->fix.n)
                page_put(p, "<td class=\"@\">@ → <span class=\"mono\">@</span></td><td>",
                         f->fix.n <= 40 ? STR("nowrap") : STR_NONE, str_of(response_name(f->response)), f->fix);
        else
                page_put(p, "<td>@</td><td>", str_of(response_name(f->response)));
        if (f->set_aside)
                page_put(p, "<span class=\"soft nowrap\">set aside by @</span> ",
                         f->set_aside == SET_ASIDE_BY_WAIVER ? STR("waiver") : STR("VEX"));
        if (v && v->kev)
                page_put(p, "<span class=\"tag\">@</span>", v->ransomware ? STR("ransomware") : STR("exploited"));
        else if (v && v->malicious)
                page_raw(p, "<span class=\"tag\">malicious</span>");
        if (v && v->epss)
                page_put(p, "</td><td class=\"num\" data-l=\"EPSS\">@</td>", text_probability(a, v->epss));
        else
                page_raw(p, "</td><td></td>");
        page_put(p, "<td class=\"soft nowrap\">@</td></tr>\n", layer_name(r, a, f->layer));
        proof(p, f);
        page_raw(p, "</tbody>\n");
}

void page_findings(struct page *p)
{
        const struct report *r = p->r;
        if (!r->n_findings)
                return;
        page_put(p, "<section id=\"findings\">\n<h2>@</h2>\n",
                 text_count(&p->arena, r->n_findings, "finding", "findings"));
        page_raw(p,
                 "<form class=\"filter\" id=\"filter\" hidden><input type=\"search\" "
                 "aria-label=\"Filter findings\" placeholder=\"Filter: package, id, layer…\">"
                 "<select aria-label=\"Least severity\"><option value=\"unknown\">any severity</option>"
                 "<option value=\"low\">low and worse</option><option value=\"medium\">medium and worse</option>"
                 "<option value=\"high\">high and worse</option><option value=\"critical\">critical</option></select>"
                 "<output class=\"soft\"></output></form>\n");
        page_raw(p, "<table>\n<caption class=\"hide\">Worst first; open a line for its proof</caption>\n<thead><tr>"
                    "<th scope=\"col\">Severity</th><th scope=\"col\">Id</th><th scope=\"col\">What</th>"
                    "<th scope=\"col\">To do</th><th scope=\"col\"><span class=\"hide\">Exploited</span></th>"
                    "<th scope=\"col\" class=\"num\">EPSS</th><th scope=\"col\">Layer</th></tr></thead>\n");
        for (size_t i = 0; i < r->n_findings; i++)
                finding(p, &r->findings[i]);
        page_raw(p, "</table>\n</section>\n");
}

static void begin_big(struct page *p, const char *id, const char *title, struct str note)
{
        page_put(p, "<section id=\"@\">\n<details class=\"big\"><summary>@ <span>@</span></summary>\n", str_of(id),
                 str_of(title), note);
}

void page_packages(struct page *p)
{
        const struct report *r = p->r;
        struct arena *a = &p->arena;
        if (!r->n_packages)
                return;
        size_t *known = arena_array(a, r->n_packages, sizeof(*known));
        for (size_t i = 0; i < r->n_findings; i++)
                for (size_t j = 0; j < r->findings[i].n_packages; j++)
                        known[r->findings[i].packages[j]]++;
        begin_big(p, "packages", "Packages", text_number(a, r->n_packages));
        page_raw(p, "<table>\n<thead><tr><th scope=\"col\">Package</th><th scope=\"col\">Version</th>"
                    "<th scope=\"col\">Source</th><th scope=\"col\">Arch</th><th scope=\"col\">Licence</th>"
                    "<th scope=\"col\">Layer</th><th scope=\"col\" class=\"num\">Files</th>"
                    "<th scope=\"col\" class=\"num\">Findings</th></tr></thead>\n<tbody>\n");
        for (size_t i = 0; i < r->n_packages; i++) {
                const struct report_package *q = &r->packages[i];
                struct str changed = STR_NONE;
                if (q->files_modified || q->files_missing)
                        changed = arena_printf(a, " (%.*s changed, %.*s missing)",
                                               STR_FMT(text_number(a, q->files_modified)),
                                               STR_FMT(text_number(a, q->files_missing)));
                page_put(p, "<tr><th scope=\"row\">@</th><td class=\"@\">@</td><td class=\"soft\">@</td>", q->p.name,
                         page_version_class(q->p.version), q->p.version,
                         str_eq(q->p.source, q->p.name) ? STR_NONE : q->p.source);
                page_put(p, "<td class=\"soft\">@</td><td class=\"soft\">@</td><td class=\"soft nowrap\">@</td>",
                         q->p.arch, q->licence.n ? q->licence : q->p.licence, layer_name(r, a, q->layer));
                page_put(p, "<td class=\"num\" data-l=\"files\">@<span class=\"bad\">@</span></td>",
                         text_number(a, q->files), changed);
                if (known[i])
                        page_put(p, "<td class=\"num\" data-l=\"findings\">@</td></tr>\n", text_number(a, known[i]));
                else
                        page_raw(p, "<td></td></tr>\n");
        }
        page_raw(p, "</tbody>\n</table>\n</details>\n</section>\n");
}

void page_layers(struct page *p)
{
        const struct report *r = p->r;
        struct arena *a = &p->arena;
        if (!r->n_layers)
                return;
        begin_big(p, "layers", "Layers", text_number(a, r->n_layers));
        page_raw(p, "<table>\n<thead><tr><th scope=\"col\">Layer</th><th scope=\"col\">Made by</th>"
                    "<th scope=\"col\">Digest</th><th scope=\"col\" class=\"num\">Stored</th>"
                    "<th scope=\"col\" class=\"num\">Size</th><th scope=\"col\" class=\"num\">Entries</th>"
                    "</tr></thead>\n<tbody>\n");
        for (size_t i = 0; i < r->n_layers; i++) {
                const struct report_layer *l = &r->layers[i];
                page_put(p, "<tr><th scope=\"row\">@</th><td class=\"mono wide\">@@</td>", text_number(a, i + 1),
                         l->created_by, l->complete ? STR_NONE : STR(" (not read to its end)"));
                page_put(p, "<td class=\"mono soft wide\">@</td>", l->digest.n ? l->digest : l->diff_id);
                page_put(p,
                         "<td class=\"num\" data-l=\"stored\">@</td><td class=\"num\" data-l=\"size\">@</td>"
                         "<td class=\"num\" data-l=\"entries\">@</td></tr>\n",
                         text_size(a, l->stored_size), text_size(a, l->size), text_number(a, l->files));
        }
        page_raw(p, "</tbody>\n</table>\n</details>\n</section>\n");
}

static const char *state_class(size_t state)
{
        return state == STATE_UNKNOWN ? "stray" : file_state_name((enum file_state)state);
}

/* A bar of the states of all files; what is there at all is at least half a percent wide. */
static void bar(struct page *p)
{
        const struct coverage *c = &p->r->coverage;
        uint64_t widths[FILE_STATES], sum = 0, at = 0;
        for (size_t s = 0; s < FILE_STATES; s++) {
                widths[s] = (uint64_t)((double)c->files[s] / (double)c->total * 1000);
                widths[s] = c->files[s] ? MAX(widths[s], 5u) : 0;
                sum += widths[s];
        }
        page_raw(p, "<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
        for (size_t s = 0; s < FILE_STATES && sum; s++) {
                uint64_t from = at * 1000 / sum, to = (at += widths[s]) * 1000 / sum;
                if (widths[s])
                        page_put(p, "<rect class=\"@\" x=\"@\" y=\"0\" width=\"@\" height=\"10\"/>",
                                 str_of(state_class(s)), arena_printf(&p->arena, "%llu", (unsigned long long)from),
                                 arena_printf(&p->arena, "%llu", (unsigned long long)(to - from)));
        }
        page_raw(p, "</svg>\n");
}

static void file_table(struct page *p, const char *title, const struct report_file *files, size_t n, uint64_t total)
{
        struct arena *a = &p->arena;
        if (!n)
                return;
        page_put(p,
                 "<details class=\"more\"><summary>@: @</summary>\n<table>\n<thead><tr><th scope=\"col\">File</th>"
                 "<th scope=\"col\">What</th><th scope=\"col\">Why</th><th scope=\"col\">Layer</th>"
                 "<th scope=\"col\" class=\"num\">Size</th></tr></thead>\n<tbody>\n",
                 str_of(title), text_number(a, total));
        for (size_t i = 0; i < n; i++) {
                const struct report_file *f = &files[i];
                page_put(p, "<tr><th scope=\"row\" class=\"mono\">@</th><td>@</td><td class=\"mono soft wide\">@</td>",
                         shown_path(a, f->path), f->package.n ? f->package : str_of(file_format_name(f->format)),
                         f->why.n ? f->why : f->sha256);
                page_put(p, "<td class=\"soft nowrap\">@</td><td class=\"num\">@</td></tr>\n",
                         layer_name(p->r, a, f->layer), text_size(a, f->size));
        }
        page_raw(p, "</tbody>\n</table>\n");
        if (total > n)
                page_put(p, "<p class=\"soft\">…and @ more</p>\n", text_number(a, total - n));
        page_raw(p, "</details>\n");
}

void page_files(struct page *p)
{
        const struct coverage *c = &p->r->coverage;
        struct arena *a = &p->arena;
        struct str states[FILE_STATES];
        size_t k = 0, n = coverage_items(p->r, a, states);
        if (!c->total && !c->n_unread)
                return;
        page_put(p, "<section id=\"files\">\n<h2>@</h2>\n",
                 arena_printf(a, "Where %.*s ended", STR_FMT(text_count(a, c->total, "file", "files"))));
        if (c->total)
                bar(p);
        page_raw(p, "<ul class=\"legend\">\n");
        for (size_t s = 0; s < FILE_STATES && k < n; s++)
                if (c->files[s])
                        page_put(p, "<li><i class=\"@\"></i>@</li>\n", str_of(state_class(s)), states[k++]);
        page_raw(p, "</ul>\n");
        if (c->n_unread) {
                page_raw(p,
                         "<h3>Not read</h3>\n<table>\n<thead><tr><th scope=\"col\">What</th><th scope=\"col\">Why</th>"
                         "<th scope=\"col\">Details</th></tr></thead>\n<tbody>\n");
                for (size_t i = 0; i < c->n_unread; i++)
                        page_put(p,
                                 "<tr><th scope=\"row\" class=\"mono\">@</th><td>@</td><td class=\"soft "
                                 "wide\">@</td></tr>\n",
                                 shown_path(a, c->unread[i].path), c->unread[i].code, c->unread[i].detail);
                page_raw(p, "</tbody>\n</table>\n");
        }
        file_table(p, "Files of packages that are not as shipped", c->modified, c->n_modified, c->total_modified);
        file_table(p, "Executables of no package", c->unknown_executables, c->n_unknown_executables,
                   c->total_unknown_executables);
        page_raw(p, "</section>\n");
}

void page_provenance(struct page *p)
{
        const struct report *r = p->r;
        struct arena *a = &p->arena;
        page_raw(p, "<section id=\"data\">\n<h2>Where this comes from</h2>\n<dl>\n");
        term(p, "Advisories",
             r->data_source.n ? arena_printf(a, "%.*s, %.*s", STR_FMT(text_clean(a, r->data_source)),
                                             STR_FMT(text_age(a, r->data_date, r->today)))
                              : STR("none"));
        term(p, "Their digest", r->data_digest);
        for (size_t i = 0; i < r->n_feeds; i++) {
                const struct report_feed *f = &r->feeds[i];
                struct str source = text_clean(a, f->source);
                term(p, "Feed",
                     arena_printf(a, "%.*s, %.*s: %.*s%s%.*s", STR_FMT(text_clean(a, f->name)),
                                  STR_FMT(text_age(a, f->date, r->today)),
                                  STR_FMT(text_count(a, f->records, "record", "records")), source.n ? ", from " : "",
                                  STR_FMT(source)));
        }
        for (size_t i = 0; i < r->n_vex; i++) {
                struct str author = text_clean(a, r->vex[i].author);
                term(p, "VEX",
                     arena_printf(a, "%.*s%s%.*s, %.*s", STR_FMT(text_clean(a, r->vex[i].path)), author.n ? " by " : "",
                                  STR_FMT(author), STR_FMT(vex_file_words(a, &r->vex[i]))));
        }
        term(p, "Policy", r->policy);
        term(p, "Judged as of", text_day(a, r->today, ""));
        term(p, "Image id", r->image_id);
        for (size_t i = 0; i < r->tags.n; i++)
                term(p, "Tag", r->tags.v[i]);
        if (r->has_image && r->image.created)
                term(p, "Image made",
                     arena_printf(a, "%.*s, as it says itself", STR_FMT(text_day(a, r->image.created, ""))));
        if (r->has_image)
                term(p, "Runs as", r->image.user.n ? r->image.user : STR("root (no user is set)"));
        term(p, "Made by", arena_printf(a, "sekisho %.*s", STR_FMT(text_clean(a, r->tool_version))));
        page_raw(p, "</dl>\n</section>\n<footer><p>The same artefact, advisories and policy give this page again, byte "
                    "by byte. It "
                    "loads nothing from anywhere.</p></footer>\n");
}
