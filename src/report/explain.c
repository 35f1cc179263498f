/*
 * `sekisho explain ID`: everything that is known about a finding, in words: what was compared with what, which layer
 * and which line of which file show it, who decided, and what to do.
 */
#include "report/report.h"
#include "report/screen.h"
#include "report/text.h"
#include "report/view.h"

#include <errno.h>

#define LABEL_WIDTH 11u /* "affected" and its gap */
#define INDENT      2u

struct page {
        struct screen s;
        const struct report *r;
        struct arena arena;
};

/* A label and text that goes on below itself, broken between words; a word that is too long stays whole to be copied.
 */
static void line(struct page *p, const char *label, enum paint paint, struct str text)
{
        unsigned at = INDENT + LABEL_WIDTH, room = p->s.width > at ? p->s.width - at : UINT32_MAX;
        if (!text.n)
                return;
        fprintf(p->s.to, "%*s", (int)INDENT, "");
        screen_put(&p->s, PAINT_FAINT, str_of(label));
        fprintf(p->s.to, "%*s", (int)(LABEL_WIDTH - MIN(LABEL_WIDTH - 1, (unsigned)strlen(label))), "");
        for (size_t n; (n = text_break(text, room)) < text.n; text = str_from(text, n + 1)) {
                screen_put(&p->s, paint, str_upto(text, n));
                fprintf(p->s.to, "\n%*s", (int)at, "");
        }
        screen_put(&p->s, paint, text);
        screen_newline(&p->s);
}

static struct str versions_of_packages(struct page *p, const struct finding *f)
{
        struct buf b = BUF_INIT((size_t)1 << 20);
        for (size_t i = 0; i < f->n_packages; i++) {
                const struct fact_package *q = &p->r->packages[f->packages[i]].p;
                if (i)
                        buf_puts(&b, ", ");
                buf_add_str(&b, text_clean(&p->arena, q->name));
                buf_putc(&b, ' ');
                buf_add_str(&b, text_clean(&p->arena, q->version));
        }
        return text_take(&p->arena, &b);
}

static void title(struct page *p, const struct finding *f)
{
        struct arena *a = &p->arena;
        const struct fact_vulnerability *v = f->vulnerability;
        struct str subject = finding_subject(p->r, a, f), packages = versions_of_packages(p, f), epss = STR_NONE;
        if (v && v->epss)
                epss = arena_printf(a, "EPSS %.*s (%.*s)", STR_FMT(text_probability(a, v->epss)),
                                    STR_FMT(text_percent(a, v->epss_percentile)));
        bool by_source = f->n_packages && !str_is(p->r->packages[f->packages[0]].p.name, "") &&
                         !str_eq(text_clean(a, p->r->packages[f->packages[0]].p.name), subject);
        struct str of = !packages.n ? text_clean(a, f->title)
                        : by_source ? arena_printf(a, "in %.*s (source %.*s)", STR_FMT(packages), STR_FMT(subject))
                                    : arena_printf(a, "in %.*s", STR_FMT(packages));
        struct cell cells[] = {
                { text_clean(a, f->id), PAINT_STRONG },
                { of, PAINT_PLAIN },
                { arena_printf(a, "%s%s%.*s%s%s", severity_name(f->severity), epss.n ? ", " : "", STR_FMT(epss),
                               v ? v->kev ? ", known exploited (KEV)" : ", not in KEV" : "",
                               v && v->ransomware ? ", by ransomware too" : ""),
                  f->severity >= SEVERITY_HIGH ? PAINT_BAD : PAINT_WARN },
        };
        screen_flow(&p->s, cells, ARRAY_SIZE(cells), "  ", 0, INDENT);
}

static void advisory(struct page *p, const struct fact_vulnerability *v)
{
        struct arena *a = &p->arena;
        struct buf names = BUF_INIT((size_t)1 << 16);
        line(p, "about", PAINT_PLAIN, text_clean(a, v->summary));
        line(p, "affected", PAINT_PLAIN,
             arena_printf(a, "%.*s, by %.*s of %.*s (feed %.*s)", STR_FMT(text_clean(a, v->comparison)),
                          STR_FMT(text_clean(a, v->id)), STR_FMT(text_clean(a, v->ecosystem)),
                          STR_FMT(text_clean(a, v->feed))));
        for (size_t i = 0; i < v->aliases.n; i++)
                buf_printf(&names, "%s%.*s", i ? ", " : "", STR_FMT(text_clean(a, v->aliases.v[i])));
        line(p, "also named", PAINT_PLAIN, text_take(a, &names));
        if (v->malicious)
                line(p, "malicious", PAINT_BAD, STR("the package itself is known to be malicious: remove it"));
        if (v->kev)
                line(p, "exploited", PAINT_BAD,
                     arena_printf(a, "in CISA's list of known exploited vulnerabilities since %.*s%s",
                                  STR_FMT(text_day(a, v->kev, "")), v->ransomware ? ", used by ransomware" : ""));
        if (v->cvss_vector.n && v->cvss_score)
                line(p, "score", PAINT_PLAIN,
                     arena_printf(a, "%u.%u by %.*s, %.*s", (unsigned)(v->cvss_score / 10),
                                  (unsigned)(v->cvss_score % 10), STR_FMT(text_clean(a, v->severity_source)),
                                  STR_FMT(text_clean(a, v->cvss_vector))));
        line(p, "published", PAINT_PLAIN, text_day(a, v->published, ""));
}

static void seen_in(struct page *p, size_t layer)
{
        struct arena *a = &p->arena;
        struct str in = layer_name(p->r, a, layer);
        if (!in.n)
                return;
        struct str step = str_trim(text_clean(a, p->r->layers[layer].created_by));
        line(p, "seen in", PAINT_PLAIN, step.n ? arena_printf(a, "%.*s \"%.*s\"", STR_FMT(in), STR_FMT(step)) : in);
}

static struct str place(struct page *p, struct str path, uint64_t number)
{
        struct arena *a = &p->arena;
        struct str file = shown_path(a, path);
        if (!file.n || !number)
                return file;
        return arena_printf(a, "%.*s line %.*s", STR_FMT(file), STR_FMT(text_number(a, number)));
}

static struct str files_of(struct page *p, const struct report_package *q)
{
        struct arena *a = &p->arena;
        struct buf b = BUF_INIT(4096);
        if (!q->files)
                return STR_NONE;
        buf_printf(&b, ", %.*s", STR_FMT(text_count(a, q->files, "file", "files")));
        if (q->files_modified)
                buf_printf(&b, ", %.*s not as shipped", STR_FMT(text_number(a, q->files_modified)));
        if (q->files_missing)
                buf_printf(&b, ", %.*s missing", STR_FMT(text_number(a, q->files_missing)));
        if (!q->files_modified && !q->files_missing)
                buf_puts(&b, ", none changed or missing");
        return text_take(a, &b);
}

/* The stanzas of the installed packages, and before them the layer, where it is another than before. */
static void use(struct page *p, const struct report_package *q)
{
        static const char *const words[PACKAGE_USES] = {
                [USE_ABSENT] = "no: its files are not in the container any more",
                [USE_PRESENT] = "no process was seen with any of its files",
        };
        if (q->use == USE_LOADED)
                line(p, "loaded", PAINT_WARN, text_clean(&p->arena, q->use_why));
        else if (q->use)
                line(p, "loaded", PAINT_PLAIN, str_of(words[q->use]));
}

static void listed(struct page *p, const struct finding *f)
{
        struct arena *a = &p->arena;
        size_t layer = NONE;
        for (size_t i = 0; i < f->n_packages; i++) {
                const struct report_package *q = &p->r->packages[f->packages[i]];
                if (q->layer != layer)
                        seen_in(p, q->layer);
                layer = q->layer;
                line(p, "listed", q->files_modified ? PAINT_WARN : PAINT_PLAIN,
                     arena_printf(a, "%.*s: %.*s%.*s", STR_FMT(place(p, q->p.database, q->p.line)),
                                  STR_FMT(text_clean(a, q->p.name)), STR_FMT(files_of(p, q))));
                use(p, q);
        }
}

/* Who said what of it: the author's own words, whatever came of them. */
static void statement(struct page *p, const struct finding *f)
{
        struct arena *a = &p->arena;
        const struct fact_vex *s = f->vex;
        if (s) {
                line(p, "stated", PAINT_PLAIN, vex_origin(a, s));
                line(p, "because", PAINT_PLAIN, text_clean(a, s->impact));
                line(p, "action", PAINT_PLAIN, text_clean(a, s->action));
                line(p, "remark", PAINT_PLAIN, text_clean(a, s->detail));
        } else if (f->set_aside && !f->waiver) {
                line(p, "because", PAINT_PLAIN, text_clean(a, f->set_aside_why));
        }
        line(p, "in doubt", PAINT_WARN, text_clean(a, f->vex_doubt));
}

static void waiver(struct page *p, const struct report_waiver *w)
{
        struct arena *a = &p->arena;
        line(p, "waiver", PAINT_WARN,
             arena_printf(a, "%.*s (%.*s), %.*s%s%.*s, until %.*s", STR_FMT(text_clean(a, w->id)),
                          STR_FMT(text_clean(a, w->place)), STR_FMT(text_clean(a, w->response)),
                          w->control.n ? " by " : "", STR_FMT(text_clean(a, w->control)), STR_FMT(w->until)));
        line(p, "scope", PAINT_PLAIN, text_clean(a, w->scope));
        line(p, "reason", PAINT_PLAIN, text_clean(a, w->reason));
        line(p, "owner", PAINT_PLAIN,
             w->approver.n ? arena_printf(a, "%.*s, approved by %.*s", STR_FMT(text_clean(a, w->owner)),
                                          STR_FMT(text_clean(a, w->approver)))
                           : text_clean(a, w->owner));
}

/* What each part of the condition came to: "vuln.severity >= high (critical)"; a part that is false has a cross. */
static void parts(struct page *p, const struct finding_reason *x)
{
        struct arena *a = &p->arena;
        for (size_t i = 0; i < x->n_parts; i++) {
                const struct reason_part *part = &x->parts[i];
                struct str seen = text_cut(a, text_clean(a, part->seen), 60);
                line(p, "", part->is_true ? PAINT_PLAIN : PAINT_FAINT,
                     arena_printf(a, "%*s%s %.*s%s%.*s%s", (int)(2 * MIN(part->depth, 10u)), "",
                                  part->is_true ? "✓" : "✗", STR_FMT(text_clean(a, part->text)), seen.n ? " (" : "",
                                  STR_FMT(seen), seen.n ? ")" : ""));
        }
}

/* Every rule that hits it, the one that decides first: its line stands there already unless a waiver covers it. */
static void reasons(struct page *p, const struct finding *f)
{
        struct arena *a = &p->arena;
        for (size_t i = 0; i < 2 * f->n_reasons; i++) {
                const struct finding_reason *x = &f->reasons[i % f->n_reasons];
                if (x->decides != (i < f->n_reasons))
                        continue;
                if (!x->decides || f->set_aside)
                        line(p, x->decides ? "else" : "also", PAINT_PLAIN,
                             arena_printf(a, "%.*s: rule \"%.*s\" (%.*s)", STR_FMT(text_clean(a, x->action)),
                                          STR_FMT(text_clean(a, x->name)), STR_FMT(text_clean(a, x->place))));
                parts(p, x);
        }
}

/* The frameworks' names for it, as the rule says: "NIST-800-190:4.1.1, T1190". */
static void tags(struct page *p, const struct rule_hit *h)
{
        struct arena *a = &p->arena;
        struct buf b = BUF_INIT((size_t)1 << 16);
        for (size_t i = 0; i < h->tags.n; i++)
                buf_printf(&b, "%s%.*s", i ? ", " : "", STR_FMT(text_clean(a, h->tags.v[i])));
        line(p, "tagged", PAINT_PLAIN, text_take(a, &b));
}

static void to_accept(struct page *p, const struct finding *f)
{
        struct arena *a = &p->arena;
        if (f->rule && f->rule->denies && f->kind != FINDING_WAIVER)
                line(p, "to accept", PAINT_PLAIN,
                     arena_printf(a, "sekisho accept %.*s %.*s --until … --reason …",
                                  STR_FMT(text_clean(a, text_shell(a, f->id))),
                                  STR_FMT(text_clean(a, text_shell(a, p->r->target)))));
}

static void decision(struct page *p, const struct finding *f)
{
        struct arena *a = &p->arena;
        statement(p, f);
        if (f->waiver)
                waiver(p, f->waiver);
        if (f->doubtful)
                line(p, "waiver", PAINT_WARN,
                     arena_printf(a, "%.*s (%.*s) does not hold: %.*s", STR_FMT(text_clean(a, f->doubtful->id)),
                                  STR_FMT(text_clean(a, f->doubtful->place)), STR_FMT(f->doubt)));
        if (f->waiver)
                line(p, "decided", PAINT_WARN,
                     arena_printf(a, "accepted by %.*s until %.*s: it does not count",
                                  STR_FMT(text_clean(a, f->waiver->owner)), STR_FMT(f->waiver->until)));
        else if (f->set_aside)
                line(p, "decided", PAINT_WARN,
                     arena_printf(a, "set aside by %s of %.*s: no rule judges it",
                                  f->set_aside == SET_ASIDE_BY_WAIVER ? "a waiver" : "VEX",
                                  STR_FMT(text_clean(a, f->set_aside_by))));
        else if (f->rule)
                line(p, "decided", f->rule->denies ? PAINT_BAD : PAINT_WARN,
                     arena_printf(a, "%s: rule \"%.*s\" (%.*s)", f->rule->denies ? "deny" : "warn",
                                  STR_FMT(text_clean(a, f->rule->name)), STR_FMT(text_clean(a, f->rule->place))));
        else
                line(p, "decided", PAINT_PLAIN, STR("no rule denies it"));
        reasons(p, f);
        if (f->rule) {
                line(p, "why", PAINT_PLAIN, text_clean(a, f->rule->why));
                tags(p, f->rule);
        }
        line(p, "to do", PAINT_STRONG, finding_advice(p->r, a, f));
        to_accept(p, f);
        line(p, "read more", PAINT_PLAIN, advisory_url(a, f->id));
}

static void check(struct page *p, const struct fact_check *c)
{
        struct buf tags = BUF_INIT(1024);
        for (size_t i = 0; i < c->tags.n; i++)
                buf_printf(&tags, "%s%.*s", i ? ", " : "", STR_FMT(c->tags.v[i]));
        line(p, "why", PAINT_PLAIN, c->why);
        line(p, "covered by", PAINT_PLAIN, text_take(&p->arena, &tags));
}

static void about_secret(struct page *p, const struct finding *f)
{
        const struct fact_secret *s = f->secret;
        struct arena *a = &p->arena;
        line(p, "value", PAINT_PLAIN, arena_printf(a, "%.*s; it is never shown", STR_FMT(text_clean(a, s->redacted))));
        line(p, "certain", PAINT_PLAIN,
             arena_printf(a, "%.*s confidence; %s", STR_FMT(text_clean(a, s->confidence)),
                          str_is(s->validity, "valid")    ? "its own checksum or form is right"
                          : str_is(s->validity, "failed") ? "its own checksum is wrong"
                                                          : "its form has nothing to check"));
        line(p, "detail", PAINT_PLAIN, text_clean(a, s->detail));
        line(p, "same as", PAINT_PLAIN,
             arena_printf(a, "every find with the fingerprint %.*s", STR_FMT(text_clean(a, s->fingerprint))));
        if (f->deleted_by != NONE)
                line(p, "deleted", PAINT_WARN,
                     arena_printf(a, "in layer %zu; whoever can pull the image can read it", f->deleted_by + 1));
        struct buf tags = BUF_INIT(4096);
        for (size_t i = 0; i < s->tags.n; i++)
                buf_printf(&tags, "%s%.*s", i ? ", " : "", STR_FMT(text_clean(a, s->tags.v[i])));
        line(p, "covered by", PAINT_PLAIN, text_take(a, &tags));
}

static void malware(struct page *p, const struct finding *f)
{
        struct arena *a = &p->arena;
        const struct fact_malware *m = f->malware;
        struct buf tags = BUF_INIT((size_t)1 << 16);
        for (size_t i = 0; i < m->tags.n; i++)
                buf_printf(&tags, "%s%.*s", i ? ", " : "", STR_FMT(text_clean(a, m->tags.v[i])));
        line(p, "kind", PAINT_PLAIN,
             arena_printf(a, "%.*s, confidence %.*s", STR_FMT(text_clean(a, m->family)), STR_FMT(m->confidence)));
        line(p, "proof", PAINT_PLAIN, text_clean(a, f->proof));
        line(p, "ATT&CK", PAINT_PLAIN, text_take(a, &tags));
        line(p, "deleted", PAINT_WARN, deleted_words(p->r, a, f));
}

static void explain(struct page *p, const struct finding *f)
{
        title(p, f);
        if (f->vulnerability)
                advisory(p, f->vulnerability);
        else if (f->secret)
                about_secret(p, f);
        else if (f->malware)
                malware(p, f);
        else
                line(p, "proof", PAINT_PLAIN, text_clean(&p->arena, f->proof));
        if (f->vulnerability && f->n_packages) {
                listed(p, f);
        } else {
                seen_in(p, f->layer);
                line(p, "where", PAINT_PLAIN, place(p, f->path, f->line));
        }
        if (f->check)
                check(p, f->check);
        decision(p, f);
}

int report_explain(const struct report *r, struct str id, const struct report_options *o, FILE *to)
{
        struct page p = { .r = r };
        size_t found = 0;
        p.s = (struct screen){ to, &p.arena, o->colour, o->width };
        for (size_t i = 0; id.n && i < r->n_findings; i++) {
                if (!finding_answers_to(&r->findings[i], id))
                        continue;
                if (found++)
                        screen_newline(&p.s);
                explain(&p, &r->findings[i]);
        }
        arena_done(&p.arena);
        int result = stream_result(to);
        return result < 0 ? result : found ? 0 : -ENOENT;
}
