/*
 * See secrets.h. A keyword's rule is tried at the keyword's place alone, on at most SECRETS_TEXT_MAX bytes, so the work
 * is bounded by the number of hits. Of several finds at one place the most certain stays.
 */
#include "analyze/secrets.h"

#include "base/vec.h"
#include "read/digest.h"
#include "read/json.h"

#include <stdio.h>
#include <stdlib.h>

#define WIDE_BYTES_MAX 256 /* a literal's limit: longer keywords have no UTF-16 form */

struct candidate {
        const struct secret_rule *rule;
        struct secret_match m; /* views into the window, or into the scanner's arena (wide) */
        size_t start, end;     /* of the value, in the window's bytes */
        bool is_wide;
        enum secret_confidence confidence;
};

struct secret_scanner {
        const struct secret_set *set;
        struct regex **compiled; /* NULL until it is needed */
        struct regex_matcher *matcher;
        VEC(struct candidate) candidates;
        struct arena arena; /* of one window */
};

/* --- the set --- */

static void add_literal(struct secret_set *s, struct str bytes, bool nocase, uint32_t owner)
{
        s->literals[s->n_literals] = (struct literal){ .bytes = bytes, .nocase = nocase };
        s->owners[s->n_literals++] = owner;
}

static struct str widened(struct arena *a, struct str s)
{
        char *p = arena_alloc(a, 2 * s.n);
        for (size_t i = 0; i < s.n; i++)
                p[2 * i] = s.p[i];
        return str_span(p, 2 * s.n);
}

static void add_keywords(struct secret_set *s, const struct secret_rule *rule, uint32_t index)
{
        struct str rest = str_of(rule->keywords);
        while (rest.n) {
                struct str word = str_cut(&rest, '|');
                bool nocase = rule->flags & SECRET_NEAR;
                add_literal(s, word, nocase, index * 2);
                if (2 * word.n <= WIDE_BYTES_MAX && !rule->custom && rule->confidence != CONFIDENCE_LOW)
                        add_literal(s, widened(&s->arena, word), nocase, index * 2 + 1);
        }
}

static size_t count_keywords(const struct secret_rule *rule)
{
        size_t n = 1;
        for (const char *p = rule->keywords; *p; p++)
                n += *p == '|';
        return n;
}

/* Among the rules for its keyword's sake: it never makes a find. */
static const struct secret_rule certificate_rule = {
        .id = "certificate",
        .title = "Certificate",
        .keywords = "-----BEGIN CERTIFICATE-----",
        .regex = "-----BEGIN CERTIFICATE-----",
        .check = secret_check_certificate,
        .flags = SECRET_LOOSE | SECRET_PLAIN,
};

static bool is_disabled(const struct secret_config *c, const struct secret_rule *rule)
{
        for (size_t i = 0; c && i < c->disabled.n; i++)
                if (str_is(c->disabled.v[i], rule->id))
                        return true;
        return false;
}

struct secret_set *secret_set_new(const struct secret_config *config)
{
        struct secret_set *s = xcalloc(1, sizeof(*s));
        size_t n = 0;
        json_prepare();
        s->config = config;
        s->rules = arena_array(&s->arena, secret_rules_count() + 1 + (config ? config->n_rules : 0), sizeof(*s->rules));
        for (size_t i = 0; i < secret_rules_count(); i++)
                if (!is_disabled(config, secret_rule_at(i)))
                        s->rules[s->n_rules++] = secret_rule_at(i);
        s->rules[s->n_rules++] = &certificate_rule;
        s->first_custom = s->n_rules;
        for (size_t i = 0; config && i < config->n_rules; i++)
                s->rules[s->n_rules++] = &config->rules[i];
        for (size_t i = 0; i < s->n_rules; i++)
                n += 2 * count_keywords(s->rules[i]);
        s->literals = arena_array(&s->arena, n, sizeof(*s->literals));
        s->owners = arena_array(&s->arena, n, sizeof(*s->owners));
        for (size_t i = 0; i < s->n_rules; i++)
                add_keywords(s, s->rules[i], (uint32_t)i);
        return s;
}

void secret_set_free(struct secret_set *s)
{
        if (!s)
                return;
        arena_done(&s->arena);
        free(s);
}

/* --- the scanner --- */

struct secret_scanner *secret_scanner_new(const struct secret_set *set)
{
        struct secret_scanner *s = xcalloc(1, sizeof(*s));
        s->set = set;
        s->compiled = xcalloc(set->n_rules, sizeof(*s->compiled));
        s->matcher = regex_matcher_new();
        return s;
}

void secret_scanner_free(struct secret_scanner *s)
{
        if (!s)
                return;
        for (size_t i = 0; i < s->set->n_rules; i++)
                regex_free(s->compiled[i]);
        free(s->compiled);
        regex_matcher_free(s->matcher);
        vec_done(&s->candidates);
        arena_done(&s->arena);
        free(s);
}

static const struct regex *compiled(struct secret_scanner *s, size_t rule)
{
        struct error why = ERROR_NONE;
        if (!s->compiled[rule] &&
            regex_new(str_of(s->set->rules[rule]->regex), REGEX_ANCHORED, &s->compiled[rule], &why) < 0) {
                fprintf(stderr, "sekisho: rule %s: %s\n", s->set->rules[rule]->id, why.text);
                abort(); /* a rule of ours: tests/unit/test-secrets.c compiles them all */
        }
        return s->compiled[rule];
}

static bool is_word(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Whether a token may begin here: what precedes is no part of a word, or ends an escape (\n, %20). */
static bool begins_word(struct str text, size_t at)
{
        if (at == 0 || !(is_word(text.p[at - 1]) || text.p[at - 1] == '-'))
                return true;
        if (at >= 2 && text.p[at - 2] == '\\')
                return true;
        return at >= 3 && text.p[at - 3] == '%';
}

static bool ends_word(struct str text, size_t at)
{
        return at >= text.n || !(is_word(text.p[at]) || text.p[at] == '-');
}

/* One rule at one place of the text: 0, 1, REGEX_LIMIT or TRY_CERTIFICATE. The candidate's offsets are those in the
 * text.
 */
#define TRY_CERTIFICATE 3
static int try_rule(struct secret_scanner *s, size_t index, struct str text, size_t at, struct candidate *ret)
{
        const struct secret_rule *rule = s->set->rules[index];
        struct str groups[3];
        if (at < rule->back)
                return 0;
        at -= rule->back;
        struct str part = str_upto(str_from(text, at), SECRETS_TEXT_MAX);
        if (!(rule->flags & (SECRET_NEAR | SECRET_LOOSE)) && !begins_word(text, at))
                return 0;
        int r = regex_find(s->matcher, compiled(s, index), part, 0, groups, ARRAY_SIZE(groups));
        if (r != 1)
                return r;
        struct str value = groups[1].p ? groups[1] : groups[2].p ? groups[2] : groups[0];
        size_t end = (size_t)(groups[0].p + groups[0].n - text.p);
        if (!(rule->flags & SECRET_LOOSE) && !ends_word(text, end))
                return 0;
        if (secret_entropy(value) < rule->entropy)
                return 0;
        if (!(rule->flags & SECRET_PLAIN) && secret_is_placeholder(value))
                return 0;
        *ret = (struct candidate){ .rule = rule, .m = { .text = part, .match = groups[0], .value = value } };
        if (rule->check)
                rule->check(&ret->m);
        if (ret->m.is_certificate && ret->m.has_public_key)
                return TRY_CERTIFICATE;
        if (ret->m.is_none)
                return 0;
        ret->start = (size_t)(ret->m.value.p - text.p);
        ret->end = ret->start + ret->m.value.n;
        ret->confidence = rule->confidence;
        if (ret->m.validity == VALIDITY_FAILED)
                ret->confidence = CONFIDENCE_LOW;
        return 1;
}

/* Text in UTF-16LE from the hit on, as far as it is Latin; with the few characters that may precede the keyword. */
static struct str narrowed(struct arena *a, struct str bytes, size_t from)
{
        size_t n = MIN((bytes.n - from) / 2, (size_t)SECRETS_TEXT_MAX);
        char *p = arena_alloc(a, n + 1);
        size_t i = 0;
        for (; i < n && bytes.p[from + 2 * i + 1] == 0; i++)
                p[i] = bytes.p[from + 2 * i];
        return str_span(p, i);
}

static int try_wide(struct secret_scanner *s, size_t index, struct str bytes, size_t at, struct candidate *ret)
{
        size_t before = s->set->rules[index]->back;
        if (at < 2 * before)
                return 0;
        size_t from = at - 2 * before;
        int r = try_rule(s, index, narrowed(&s->arena, bytes, from), before, ret);
        if (r == 1) {
                ret->is_wide = true;
                ret->start = from + 2 * ret->start;
                ret->end = from + 2 * ret->end;
        }
        return r;
}

/* The line that the byte stands in, as far as it is in the text. */
static struct str line_at(struct str text, size_t at)
{
        size_t start = (size_t)(str_rfind_char(str_upto(text, at), '\n') + 1);
        ptrdiff_t n = str_find_char(str_from(text, start), '\n');
        return n < 0 ? str_from(text, start) : str_upto(str_from(text, start), (size_t)n);
}

static bool is_allowed(struct secret_scanner *s, const struct secret_file *f, const struct content_window *w,
                       const struct candidate *c)
{
        const struct secret_config *config = s->set->config;
        if (!config)
                return false;
        struct str line = line_at(w->bytes, c->start);
        return secret_is_allowed(&config->allows, s->matcher, f->path, c->m.value, c->m.match, line) ||
               (c->rule->custom &&
                secret_is_allowed(&c->rule->custom->allows, s->matcher, f->path, c->m.value, c->m.match, line));
}

/* --- users' rules: searched for in the whole window, once one of their keywords is in the file --- */

#define CUSTOM_FINDS_MAX 1000 /* of one rule in one window */

static struct str secret_of(const struct secret_custom *custom, const struct str *groups)
{
        if (custom->group)
                return groups[custom->group];
        for (size_t i = 1; i < REGEX_GROUPS_MAX; i++)
                if (groups[i].n)
                        return groups[i];
        return groups[0];
}

/* Shannon's entropy in bits a byte must be more than the rule says. */
static bool has_entropy(const struct secret_custom *custom, struct str secret)
{
        return !custom->has_entropy || secret_entropy(secret) / 10.0 > custom->entropy;
}

static void add_custom(struct secret_scanner *s, const struct secret_rule *rule, const struct content_window *w,
                       const struct str *groups)
{
        struct str secret = secret_of(rule->custom, groups);
        size_t start = (size_t)(groups[0].p - w->bytes.p), match_end = start + groups[0].n;
        if (!secret.n || !has_entropy(rule->custom, secret) || (!w->is_first && match_end <= w->fresh))
                return;
        size_t at = (size_t)(secret.p - w->bytes.p);
        *vec_push(&s->candidates) = (struct candidate){
                .rule = rule,
                .m = { .text = str_from(w->bytes, start), .match = groups[0], .value = secret, .detail = "" },
                .start = at,
                .end = at + secret.n,
                .confidence = rule->confidence,
        };
}

static void add_certificate(struct secret_file *f, const struct secret_match *m)
{
        if (f->n_certificates++ >= SECRETS_CERTIFICATES_MAX)
                return;
        struct secret_certificate *c = &f->certificates[f->n_certificates - 1];
        memcpy(c->public_key, m->public_key, sizeof(c->public_key));
        memcpy(c->subject, m->detail, sizeof(c->subject));
}

static void search_custom(struct secret_scanner *s, struct secret_file *f, const struct content_window *w,
                          const struct secret_rule *rule)
{
        const struct secret_custom *custom = rule->custom;
        struct str groups[REGEX_GROUPS_MAX];
        bool is_active = !*rule->keywords || f->custom[custom->index / 8] >> custom->index % 8 & 1;
        if (!is_active || (custom->path && regex_find(s->matcher, custom->path, f->path, 0, groups, 1) != 1))
                return;
        if (!custom->regex) { /* the file as such: its first byte stands for it */
                if (w->is_first && w->bytes.n) {
                        memset(groups, 0, sizeof(groups));
                        groups[0] = str_upto(w->bytes, 1);
                        add_custom(s, rule, w, groups);
                }
                return;
        }
        size_t at = 0;
        for (size_t finds = 0; finds < CUSTOM_FINDS_MAX; finds++) {
                int r = regex_find(s->matcher, custom->regex, w->bytes, at, groups, REGEX_GROUPS_MAX);
                if (r == REGEX_LIMIT)
                        f->has_given_up = ++f->limits >= SECRETS_LIMITS_MAX;
                if (r != 1)
                        return;
                add_custom(s, rule, w, groups);
                at = (size_t)(groups[0].p - w->bytes.p) + MAX(groups[0].n, (size_t)1);
        }
        f->limits++; /* so many that the rest was not looked at */
}

/* By place; at one place the most certain first, then the most severe, then the longer, then the rules' order. */
static int by_place(const void *a, const void *b)
{
        const struct candidate *x = a, *y = b;
        if (x->start != y->start)
                return x->start < y->start ? -1 : 1;
        if (x->confidence != y->confidence)
                return x->confidence > y->confidence ? -1 : 1;
        if (x->rule->severity != y->rule->severity)
                return x->rule->severity > y->rule->severity ? -1 : 1;
        if (x->end != y->end)
                return x->end > y->end ? -1 : 1;
        return strcmp(x->rule->id, y->rule->id);
}

static uint64_t count_lines(struct str s)
{
        uint64_t n = 0;
        for (size_t i = 0; i < s.n; i++)
                n += s.p[i] == '\n';
        return n;
}

struct place {
        size_t at; /* in the window */
        uint64_t lines;
};

static void tell(struct secret_file *f, const struct content_window *w, const struct candidate *c, struct place *last,
                 secret_emit emit, void *arg)
{
        struct secret_found found = { .rule = c->rule,
                                      .severity = c->rule->severity,
                                      .confidence = c->confidence,
                                      .validity = c->m.validity,
                                      .offset = w->offset + c->start,
                                      .value = c->m.value,
                                      .detail = c->m.detail,
                                      .public_key = c->m.has_public_key ? str_span(c->m.public_key, 32) : STR_NONE };
        if (c->m.is_lesser && found.severity > SEVERITY_LOW)
                found.severity--;
        if (c->m.is_lesser && found.confidence > CONFIDENCE_LOW)
                found.confidence--;
        if (!f->is_binary) {
                struct str before = str_upto(w->bytes, c->start);
                last->lines += count_lines(str_from(before, last->at));
                last->at = c->start;
                ptrdiff_t line_end = str_rfind_char(before, '\n');
                found.line = last->lines + 1;
                if (line_end >= 0 || w->offset == 0)
                        found.column = c->start - (size_t)(line_end + 1) + 1;
        }
        f->found++;
        secret_fingerprint(c->rule, c->m.value, found.fingerprint);
        const char *known = secret_known(str_of(found.fingerprint));
        if (known) {
                found.confidence = CONFIDENCE_LOW;
                found.detail = known;
        }
        emit(arg, &found);
}

/* Of candidates that overlap the more certain stays. */
static void tell_all(struct secret_scanner *s, struct secret_file *f, const struct content_window *w,
                     uint64_t lines_before, secret_emit emit, void *arg)
{
        struct place last = { .lines = lines_before };
        struct candidate *v = s->candidates.v;
        size_t n = s->candidates.n;
        if (n)
                qsort(v, n, sizeof(*v), by_place);
        for (size_t i = 0; i < n;) {
                size_t best = i, next = i + 1;
                for (; next < n && v[next].start < v[best].end; next++)
                        if (v[next].confidence > v[best].confidence)
                                best = next;
                tell(f, w, &v[best], &last, emit, arg);
                i = next;
        }
}

/* A first window with a NUL in it is a binary, unless it says that it is UTF-16. */
static bool is_binary(struct str first)
{
        return !str_starts(first, STR("\xff\xfe")) && str_find_char(str_upto(first, 8192), 0) >= 0;
}

void secrets_scan(struct secret_scanner *s, struct secret_file *f, const struct content_window *w, secret_emit emit,
                  void *arg)
{
        uint64_t lines_before = 0;
        if (w->is_first)
                f->is_binary = is_binary(w->bytes);
        bool counts = !f->is_binary && !(w->is_first && w->is_last);
        if (counts)
                lines_before = f->lines - count_lines(str_upto(w->bytes, w->fresh));
        vec_clear(&s->candidates);
        for (size_t i = 0; i < w->n_hits && !f->has_given_up; i++) {
                uint32_t owner = s->set->owners[w->hits[i].literal];
                const struct secret_rule *rule = s->set->rules[owner / 2];
                struct candidate c = { .start = 0 };
                if (rule->custom) {
                        f->custom[rule->custom->index / 8] |= (uint8_t)(1u << rule->custom->index % 8);
                        continue;
                }
                int r = owner & 1 ? try_wide(s, owner / 2, w->bytes, w->hits[i].start, &c)
                                  : try_rule(s, owner / 2, w->bytes, w->hits[i].start, &c);
                bool is_inside = rule->flags & SECRET_START && (f->is_decoded || w->offset + c.start != 0);
                if (r == 1 && !is_inside && !is_allowed(s, f, w, &c))
                        *vec_push(&s->candidates) = c;
                else if (r == TRY_CERTIFICATE)
                        add_certificate(f, &c.m);
                else if (r == REGEX_LIMIT)
                        f->has_given_up = ++f->limits >= SECRETS_LIMITS_MAX;
        }
        for (size_t i = s->set->first_custom; i < s->set->n_rules && !f->has_given_up; i++) {
                size_t before = s->candidates.n, kept = before;
                search_custom(s, f, w, s->set->rules[i]);
                for (size_t k = before; k < s->candidates.n; k++)
                        if (!is_allowed(s, f, w, &s->candidates.v[k]))
                                s->candidates.v[kept++] = s->candidates.v[k];
                s->candidates.n = kept;
        }
        tell_all(s, f, w, lines_before, emit, arg);
        arena_done(&s->arena);
        if (counts)
                f->lines = lines_before + count_lines(w->bytes);
}

/* --- what may be said of a value --- */

#define SHOWN_MIN 16 /* a shorter value shows nothing of itself */

void secret_redact(const struct secret_rule *rule, struct str value, char ret[static SECRET_REDACTED_MAX])
{
        bool is_block = value.n && (value.p[0] == '-' || memchr(value.p, '\n', value.n));
        bool is_shown = value.n >= SHOWN_MIN && !(rule->flags & SECRET_PASSWORD) && !is_block;
        for (size_t i = 0; is_shown && i < 6; i++) {
                unsigned char c = (unsigned char)(i < 4 ? value.p[i] : value.p[value.n - 6 + i]);
                is_shown = c > ' ' && c < 0x7f;
        }
        if (is_shown)
                snprintf(ret, SECRET_REDACTED_MAX, "%.4s…%.2s (%zu characters)", value.p, value.p + value.n - 2,
                         value.n);
        else
                snprintf(ret, SECRET_REDACTED_MAX, "… (%zu characters)", value.n);
}

void secret_fingerprint(const struct secret_rule *rule, struct str value, char ret[static SECRET_FINGERPRINT_MAX])
{
        static const char prefix[] = "sekisho secret 1";
        struct digest d;
        uint8_t sum[DIGEST_MAX];
        digest_init(&d, DIGEST_SHA256);
        digest_add(&d, prefix, sizeof(prefix));
        digest_add(&d, rule->id, strlen(rule->id) + 1);
        digest_add(&d, value.p, value.n);
        digest_end(&d, sum);
        digest_done(&d);
        size_t bytes = rule->flags & SECRET_PASSWORD || value.n < SHOWN_MIN ? 2 : 16;
        for (size_t i = 0; i < bytes; i++)
                snprintf(ret + 2 * i, 3, "%02x", sum[i]);
}

bool secret_path_doubt(struct str path)
{
        static const char *const parts[] = { "test",      "tests",   "testing",  "testdata", "test-data", "fixtures",
                                             "fixture",   "example", "examples", "sample",   "samples",   "doc",
                                             "docs",      "man",     "mock",     "mocks",    "spec",      "specs",
                                             "__tests__", "i18n",    "locale",   "demo",     "demos",     "benchmark" };
        static const char *const endings[] = {
                ".md", ".rst", ".po", ".mo", ".pot", ".min.js", ".map", ".html", ".adoc"
        };
        struct str rest = path;
        while (rest.p) {
                struct str part = str_cut(&rest, '/');
                for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                        if (str_eq_nocase(part, str_of(parts[i])))
                                return true;
                if (part.n == 4 && str_starts(part, STR("man")) && part.p[3] >= '1' && part.p[3] <= '9')
                        return true; /* a section of the manual */
                if (!rest.p && (str_starts(part, STR("test_")) || str_starts(part, STR("test.")) ||
                                str_find(part, STR("_test.")) >= 0 || str_find(part, STR("example")) >= 0))
                        return true;
        }
        for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
                if (str_ends(path, str_of(endings[i])))
                        return true;
        return false;
}
