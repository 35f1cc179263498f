/* The findings of checks for programs: our own JSON ("sekisho.check/1"), and SARIF 2.1.0 for code scanning services. */
#include "report/check.h"
#include "report/document.h"
#include "report/text.h"

#include "base/map.h"

#define SCHEMA "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

size_t check_report_counts(const struct check_report *r, size_t ret[static SEVERITY_CRITICAL + 1])
{
        size_t n_waived = 0;
        memset(ret, 0, (SEVERITY_CRITICAL + 1) * sizeof(*ret));
        for (size_t i = 0; i < r->n_findings; i++)
                if (r->findings[i].waived)
                        n_waived++;
                else
                        ret[MIN(r->findings[i].severity, SEVERITY_CRITICAL)]++;
        return n_waived;
}

static json_t *json_finding(const struct fact_check *f)
{
        json_t *o = doc_fact(FACT_check, f);
        doc_set(o, "until", doc_day(f->until)); /* days are what a comment names */
        return o;
}

static json_t *json_summary(const struct check_report *r)
{
        size_t counts[SEVERITY_CRITICAL + 1], n_waived = check_report_counts(r, counts);
        json_t *o = doc_object();
        for (size_t s = SEVERITY_CRITICAL + 1; s-- > 0;)
                doc_set(o, severity_name((enum severity)s), doc_number(counts[s]));
        doc_set(o, "waived", doc_number(n_waived));
        doc_set(o, "files", doc_number(r->n_files));
        return o;
}

static int write_json(const struct check_report *r, const struct report_options *o, FILE *to)
{
        struct doc_stream s = { to };
        json_t *tool = doc_object();
        doc_set(tool, "name", doc_cstr("sekisho"));
        doc_set(tool, "version", doc_str(r->tool_version));
        doc_open(&s, NULL, '{');
        doc_put(&s, "schema", doc_cstr("sekisho.check/1"));
        doc_put(&s, "tool", tool);
        doc_put(&s, "today", doc_day(r->today));
        doc_put(&s, "decision", doc_cstr(r->denied ? "deny" : "allow"));
        doc_put(&s, "complete", doc_bool(r->complete));
        doc_put(&s, "fail_on", doc_cstr(severity_name(r->fail_on)));
        doc_put(&s, "counts", json_summary(r));
        doc_open(&s, "findings", '[');
        for (size_t i = 0; i < r->n_findings; i++)
                doc_put(&s, NULL, json_finding(&r->findings[i]));
        doc_close(&s, ']');
        doc_open(&s, "unread", '[');
        for (size_t i = 0; i < r->n_unread; i++)
                doc_put(&s, NULL, doc_fact(FACT_unread, &r->unread[i]));
        doc_close(&s, ']');
        doc_close(&s, '}');
        return doc_end(&s);
}

/* --- SARIF --- */

static const char *level(enum severity s)
{
        return s >= SEVERITY_HIGH ? "error" : s == SEVERITY_MEDIUM ? "warning" : "note";
}

static const char *security_severity(enum severity s)
{
        static const char *const bands[] = {
                [SEVERITY_UNKNOWN] = "0.0", [SEVERITY_NONE] = "0.0", [SEVERITY_LOW] = "2.0",
                [SEVERITY_MEDIUM] = "5.5",  [SEVERITY_HIGH] = "8.0", [SEVERITY_CRITICAL] = "9.5",
        };
        return bands[MIN(s, SEVERITY_CRITICAL)];
}

static json_t *message(struct str text)
{
        json_t *o = doc_object();
        doc_set(o, "text", doc_text(text));
        return o;
}

static json_t *rule(const struct fact_check *f)
{
        json_t *o = doc_object(), *properties = doc_object(), *configuration = doc_object(), *tags = doc_list(f->tags);
        doc_add(tags, doc_cstr("security"));
        doc_set(o, "id", doc_text(f->id));
        doc_set(o, "shortDescription", message(f->title));
        doc_set(o, "fullDescription", message(f->why));
        doc_set(o, "help", message(f->remedy));
        doc_set(configuration, "level", doc_cstr(level(f->severity)));
        doc_set(o, "defaultConfiguration", configuration);
        doc_set(properties, "tags", tags);
        doc_set(properties, "security-severity", doc_cstr(security_severity(f->severity)));
        doc_set(properties, "aliases", doc_list(f->aliases));
        doc_set(o, "properties", properties);
        return o;
}

static json_t *locations(struct arena *a, const struct fact_check *f)
{
        json_t *array = doc_array(), *o = doc_object(), *physical = doc_object(), *artifact = doc_object();
        doc_set(artifact, "uri", doc_text(text_uri_path(a, f->file)));
        doc_set(physical, "artifactLocation", artifact);
        if (f->line) {
                json_t *region = doc_object();
                doc_set(region, "startLine", doc_number(f->line));
                if (f->column)
                        doc_set(region, "startColumn", doc_number(f->column));
                if (f->end_line > f->line)
                        doc_set(region, "endLine", doc_number(f->end_line));
                doc_set(physical, "region", region);
        }
        doc_set(o, "physicalLocation", physical);
        doc_add(array, o);
        return array;
}

static json_t *suppressions(const struct fact_check *f)
{
        json_t *array = doc_array(), *o = doc_object();
        doc_set(o, "kind", doc_cstr("inSource"));
        doc_set(o, "status", doc_cstr("accepted"));
        if (f->reason.n)
                doc_set(o, "justification", doc_text(f->reason));
        doc_add(array, o);
        return array;
}

/* The same finding keeps its fingerprint when lines above it come or go. */
static struct str fingerprint(struct arena *a, const struct fact_check *f, size_t number)
{
        return arena_printf(a, "%.*s:%.*s:%.*s:%zu", STR_FMT(f->id), STR_FMT(text_uri_path(a, f->file)),
                            STR_FMT(text_clean(a, f->detail)), number);
}

static json_t *result(struct arena *a, const struct fact_check *f, size_t rule_index, size_t number)
{
        json_t *o = doc_object(), *fingerprints = doc_object();
        struct str detail = text_clean(a, f->detail);
        doc_set(o, "ruleId", doc_text(f->id));
        doc_set(o, "ruleIndex", doc_number(rule_index));
        doc_set(o, "level", doc_cstr(level(f->severity)));
        doc_set(o, "message",
                message(arena_printf(a, "%.*s%s%.*s. %.*s.", STR_FMT(f->title), detail.n ? ": " : "", STR_FMT(detail),
                                     STR_FMT(f->remedy))));
        doc_set(o, "locations", locations(a, f));
        doc_set(fingerprints, "sekishoCheck/v1", doc_text(fingerprint(a, f, number)));
        doc_set(o, "partialFingerprints", fingerprints);
        if (f->waived)
                doc_set(o, "suppressions", suppressions(f));
        return o;
}

static json_t *invocations(const struct check_report *r)
{
        struct arena a = ARENA_INIT;
        json_t *array = doc_array(), *o = doc_object(), *notifications = doc_array();
        for (size_t i = 0; i < r->n_unread; i++) {
                const struct fact_unread *u = &r->unread[i];
                json_t *n = doc_object();
                doc_set(n, "level", doc_cstr("warning"));
                doc_set(n, "message",
                        message(arena_printf(&a, "not read: %.*s: %.*s", STR_FMT(text_clean(&a, u->path)),
                                             STR_FMT(text_clean(&a, u->detail)))));
                doc_add(notifications, n);
        }
        doc_set(o, "executionSuccessful", doc_bool(r->complete));
        doc_set(o, "toolExecutionNotifications", notifications);
        doc_add(array, o);
        arena_done(&a);
        return array;
}

/* One rule for each id. For each finding: the index of its rule, and how many of its kind came before it in its file.
 */
static void put_rules(struct doc_stream *s, const struct check_report *r, struct arena *a, size_t *rules,
                      size_t *numbers)
{
        struct map_str known = { 0 }, same = { 0 };
        size_t n = 0;
        doc_open(s, "rules", '[');
        for (size_t i = 0; i < r->n_findings; i++) {
                const struct fact_check *f = &r->findings[i];
                bool is_new;
                void **slot = map_str_put(&known, f->id, &is_new);
                if (is_new) {
                        rules[i] = n++;
                        *slot = &rules[i];
                        doc_put(s, NULL, rule(f));
                }
                rules[i] = *(const size_t *)*slot;
                slot = map_str_put(&same, fingerprint(a, f, 0), &is_new);
                size_t *count = is_new ? arena_new(a, size_t) : *slot;
                *slot = count;
                numbers[i] = (*count)++;
        }
        doc_close(s, ']');
        map_str_done(&known);
        map_str_done(&same);
}

static int write_sarif(const struct check_report *r, const struct report_options *o, FILE *to)
{
        struct arena arena = ARENA_INIT, one = ARENA_INIT;
        struct doc_stream s = { to };
        size_t *rules = arena_array(&arena, r->n_findings + 1, sizeof(*rules));
        size_t *numbers = arena_array(&arena, r->n_findings + 1, sizeof(*numbers));
        doc_open(&s, NULL, '{');
        doc_put(&s, "$schema", doc_cstr(SCHEMA));
        doc_put(&s, "version", doc_cstr("2.1.0"));
        doc_open(&s, "runs", '[');
        doc_open(&s, NULL, '{');
        doc_open(&s, "tool", '{');
        doc_open(&s, "driver", '{');
        doc_put(&s, "name", doc_cstr("sekisho"));
        if (r->tool_version.n)
                doc_put(&s, "version", doc_text(r->tool_version));
        put_rules(&s, r, &arena, rules, numbers);
        doc_close(&s, '}');
        doc_close(&s, '}');
        doc_put(&s, "invocations", invocations(r));
        doc_put(&s, "columnKind", doc_cstr("unicodeCodePoints"));
        doc_open(&s, "results", '[');
        for (size_t i = 0; i < r->n_findings; i++, arena_done(&one))
                doc_put(&s, NULL, result(&one, &r->findings[i], rules[i], numbers[i]));
        doc_close(&s, ']');
        doc_close(&s, '}');
        doc_close(&s, ']');
        doc_close(&s, '}');
        arena_done(&arena);
        return doc_end(&s);
}

static const struct check_reporter check_reporter_json = {
        .name = "json",
        .summary = "everything, for programs",
        .write = write_json,
};

static const struct check_reporter check_reporter_sarif = {
        .name = "sarif",
        .summary = "SARIF 2.1.0, for code scanning services",
        .write = write_sarif,
};

extern const struct check_reporter check_reporter_table;

const struct check_reporter *const check_reporters[] = {
        &check_reporter_table,
        &check_reporter_json,
        &check_reporter_sarif,
        NULL,
};
