/*
 * What is derived of a record: from its JSON alone, and from what it names by digest. Called right after a record is
 * appended, in the same transaction, and for the whole log when the derived tables are made anew; so both give the
 * same.
 *
 * Names of tables have no schema before them: while derived.c compares, they mean its temporary tables.
 */
#include "store/internal.h"

#include <errno.h>

struct projection {
        struct book *b;
        const struct book_record *record;
        const json_t *body;
        struct book_scan_outcome *outcome; /* never NULL */
};

static int unfit(const struct projection *p, struct error *err, const char *what)
{
        return sql_damaged(p->b, err, "record %llu (%.*s) has no usable %s", (unsigned long long)p->record->sequence,
                           STR_FMT(p->record->kind), what);
}

static int concern(const struct projection *p, struct str subject, struct error *err)
{
        struct query q = query_of(p->b, "INSERT OR IGNORE INTO concern(subject, sequence) VALUES (?, ?)");
        query_text(&q, subject);
        query_number(&q, (int64_t)p->record->sequence);
        return query_run(&q, err);
}

/* --- artefacts --- */

static int find_artefact(struct book *b, struct str key, int64_t *ret, struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(b, "SELECT artefact FROM artefact WHERE key = ?");
        query_text(&q, key);
        int r = query_next(&q, err);
        if (r > 0)
                *ret = column_number(&q);
        return r;
}

static int see_tag(const struct projection *p, int64_t artefact, struct str reference, struct str host,
                   struct error *err)
{
        struct query q =
                query_of(p->b, "UPDATE tag SET current = 0 WHERE reference = ? AND host = ? AND artefact <> ?");
        query_text(&q, reference);
        query_text(&q, host);
        query_number(&q, artefact);
        int r = query_run(&q, err);
        if (r < 0)
                return r;
        q = query_of(p->b,
                     "INSERT INTO tag(reference, host, artefact, first, last, current) VALUES (?1, ?2, ?3, ?4, ?4, 1) "
                     "ON CONFLICT DO UPDATE SET current = 1, last = max(last, ?4)");
        query_text(&q, reference);
        query_text(&q, host);
        query_number(&q, artefact);
        query_number(&q, p->record->time);
        return query_run(&q, err);
}

static int see_place(const struct projection *p, int64_t artefact, const json_t *a, struct error *err)
{
        if (!body_get(a, "host").n && !body_get(a, "container").n)
                return 0;
        struct query q = query_of(p->b, "INSERT INTO place(artefact, host, container, first, last) "
                                        "VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT DO UPDATE SET last = max(last, ?4)");
        query_number(&q, artefact);
        query_text(&q, body_get(a, "host"));
        query_text(&q, body_get(a, "container"));
        query_number(&q, p->record->time);
        return query_run(&q, err);
}

/* A sighting that does not say what the artefact is called, or which image it is, takes nothing away. */
static int put_artefact(const struct projection *p, const json_t *a, struct error *err)
{
        struct query q = query_of(
                p->b, "INSERT INTO artefact(key, digest, image_id, kind, name, target, container, host, first, last) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9) ON CONFLICT DO UPDATE SET "
                      "image_id = coalesce(nullif(?3, ''), image_id), kind = coalesce(nullif(?4, ''), kind), "
                      "name = coalesce(nullif(?5, ''), name), target = coalesce(nullif(?6, ''), target), "
                      "container = ?7, host = ?8, last = max(last, ?9)");
        static const char *const names[] = {
                "key", "digest", "image_id", "kind", "name", "target", "container", "host"
        };
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                query_text(&q, body_get(a, names[i]));
        query_number(&q, p->record->time);
        return query_run(&q, err);
}

/* The artefact was seen: it, where it is, and what points at it. */
static int see_artefact(const struct projection *p, int64_t *ret, struct error *err)
{
        const json_t *a = json_object_get(p->body, "artefact"), *tags = json_object_get(a, "tags"), *tag;
        struct str key = body_get(a, "key");
        size_t i;
        if (!key.n)
                return unfit(p, err, "artefact");
        int r = put_artefact(p, a, err);
        if (r == 0)
                r = find_artefact(p->b, key, ret, err);
        if (r >= 0)
                r = see_place(p, *ret, a, err);
        if (r == 0)
                r = concern(p, key, err);
        json_array_foreach(tags, i, tag)
        {
                if (r == 0 && json_is_string(tag))
                        r = see_tag(p, *ret, str_span(json_string_value(tag), json_string_length(tag)),
                                    body_get(a, "host"), err);
        }
        return r;
}

static int project_observation(struct projection *p, struct error *err)
{
        int64_t artefact;
        return see_artefact(p, &artefact, err);
}

/* --- scans --- */

/* What is known from the artefact's scan before. */
struct before {
        int64_t scans, scanned, package_list, finding_list;
        bool is_same_verdict;
};

static int read_before(const struct projection *p, int64_t artefact, struct before *ret, struct error *err)
{
        _cleanup_(query_end) struct query q =
                query_of(p->b, "SELECT scans, scanned, coalesce(package_list, 0), coalesce(finding_list, 0), "
                               "policy = ? AND verdict = ? AND complete = ? FROM artefact WHERE artefact = ?");
        query_text(&q, body_get(p->body, "policy"));
        query_text(&q, body_get(p->body, "verdict"));
        query_number(&q, json_is_true(json_object_get(p->body, "complete")));
        query_number(&q, artefact);
        int r = query_next(&q, err);
        if (r <= 0)
                return r < 0 ? r : unfit(p, err, "artefact");
        *ret = (struct before){ .scans = column_number(&q), .scanned = column_number(&q) };
        ret->package_list = column_number(&q);
        ret->finding_list = column_number(&q);
        ret->is_same_verdict = column_number(&q) != 0;
        return 0;
}

static int find_list(const struct projection *p, const char *name, const char *text, int64_t *ret, struct error *err)
{
        uint8_t digest[BOOK_HASH_BYTES];
        if (!body_get_digest(p->body, name, digest))
                return unfit(p, err, name);
        _cleanup_(query_end) struct query q = query_of(p->b, text);
        query_bytes(&q, str_span(digest, BOOK_HASH_BYTES));
        int r = query_next(&q, err);
        if (r == 0)
                return sql_damaged(p->b, err, "the %s that record %llu names are not there", name,
                                   (unsigned long long)p->record->sequence);
        if (r > 0)
                *ret = column_number(&q);
        return r < 0 ? r : 0;
}

/* Of scans before schema 3 nobody wrote down the programs: 0. */
static int find_programs(const struct projection *p, int64_t *ret, struct error *err)
{
        *ret = 0;
        return json_object_get(p->body, "programs")
                       ? find_list(p, "programs", "SELECT list FROM program_list WHERE digest = ?", ret, err)
                       : 0;
}

static int set_scan(const struct projection *p, int64_t artefact, int64_t package_list, int64_t finding_list,
                    int64_t program_list, struct error *err)
{
        const json_t *data = json_object_get(p->body, "data");
        struct query q = query_of(
                p->b, "UPDATE artefact SET os = ?, scanned = max(scanned, ?), scans = scans + 1, data_source = ?, "
                      "data_digest = ?, data_date = ?, policy = ?, verdict = ?, complete = ?, package_list = ?, "
                      "finding_list = ?, program_list = nullif(?, 0) WHERE artefact = ?");
        query_text(&q, body_get(p->body, "os"));
        query_number(&q, p->record->time);
        query_text(&q, body_get(data, "source"));
        query_text(&q, body_get(data, "digest"));
        query_number(&q, body_get_number(data, "date"));
        query_text(&q, body_get(p->body, "policy"));
        query_text(&q, body_get(p->body, "verdict"));
        query_number(&q, json_is_true(json_object_get(p->body, "complete")));
        query_number(&q, package_list);
        query_number(&q, finding_list);
        query_number(&q, program_list);
        query_number(&q, artefact);
        return query_run(&q, err);
}

struct counts {
        int64_t by_severity[SEVERITY_COUNTS], fixable, exploited, waived;
};

static int set_counts(const struct projection *p, int64_t artefact, const struct counts *c, struct error *err)
{
        struct query q = query_of(p->b, "UPDATE artefact SET unknown = ?, none = ?, low = ?, medium = ?, high = ?, "
                                        "critical = ?, fixable = ?, exploited = ?, waived = ? WHERE artefact = ?");
        for (size_t i = 0; i < SEVERITY_COUNTS; i++)
                query_number(&q, c->by_severity[i]);
        query_number(&q, c->fixable);
        query_number(&q, c->exploited);
        query_number(&q, c->waived);
        query_number(&q, artefact);
        return query_run(&q, err);
}

/* The number under which a finding's key is known in the whole ledger. */
static int put_problem(const struct projection *p, const struct book_finding *f, int64_t *ret, struct error *err)
{
        for (int tries = 0; tries < 2; tries++) {
                struct query q = query_of(p->b, "SELECT problem FROM problem WHERE key = ?");
                query_text(&q, f->key);
                int r = query_next(&q, err);
                if (r > 0)
                        *ret = column_number(&q);
                query_end(&q);
                if (r != 0)
                        return r < 0 ? r : 0;
                q = query_of(p->b, "INSERT OR IGNORE INTO problem(key, id, first) VALUES (?, ?, ?)");
                query_text(&q, f->key);
                query_text(&q, f->id);
                query_number(&q, p->record->time);
                r = query_run(&q, err);
                if (r < 0)
                        return r;
        }
        return unfit(p, err, "findings");
}

/*
 * Seen in this scan. A finding that was gone and is back keeps its first time. Two findings of one scan can have one
 * key (two versions of a package side by side): one sighting.
 */
static int see_problem(const struct projection *p, int64_t artefact, int64_t problem, int64_t finding,
                       struct error *err)
{
        struct query q = query_of(p->b, "SELECT gone IS NULL FROM sighting WHERE artefact = ? AND problem = ?");
        query_number(&q, artefact);
        query_number(&q, problem);
        int r = query_next(&q, err);
        bool is_open = r > 0 && column_number(&q) != 0;
        query_end(&q);
        if (r < 0)
                return r;
        p->outcome->n_new += !is_open;
        q = query_of(p->b, "INSERT INTO sighting(artefact, problem, finding, scan, first) VALUES (?1, ?2, ?3, ?4, ?5) "
                           "ON CONFLICT DO UPDATE SET finding = ?3, scan = ?4, gone = NULL");
        query_number(&q, artefact);
        query_number(&q, problem);
        query_number(&q, finding);
        query_number(&q, (int64_t)p->record->sequence);
        query_number(&q, p->record->time);
        return query_run(&q, err);
}

/* What the scan before had and this one has not: last seen when that one was made. */
static int end_sightings(const struct projection *p, int64_t artefact, int64_t scanned_before, struct error *err)
{
        struct query q =
                query_of(p->b, "UPDATE sighting SET gone = ? WHERE artefact = ? AND gone IS NULL AND scan <> ?");
        query_number(&q, scanned_before);
        query_number(&q, artefact);
        query_number(&q, (int64_t)p->record->sequence);
        int r = query_run(&q, err);
        if (r == 0)
                p->outcome->n_gone = (size_t)sqlite3_changes64(p->b->db);
        return r;
}

static int see_findings(const struct projection *p, int64_t artefact, int64_t list, int64_t scanned_before,
                        struct error *err)
{
        struct arena arena = ARENA_INIT;
        struct counts counts = { 0 };
        uint32_t *rows = NULL;
        size_t n = 0;
        int r = content_list_members(p->b, list, &arena, &rows, &n, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct book_finding f;
                int64_t problem = 0;
                r = content_finding(p->b, rows[i], &arena, &f, err);
                if (r == 0)
                        r = put_problem(p, &f, &problem, err);
                if (r == 0)
                        r = see_problem(p, artefact, problem, rows[i], err);
                if (r < 0)
                        break;
                counts.by_severity[f.severity]++;
                counts.fixable += f.is_fixable;
                counts.exploited += f.is_exploited;
                counts.waived += str_is(f.state, "waived");
        }
        arena_done(&arena);
        if (r == 0)
                r = end_sightings(p, artefact, scanned_before, err);
        return r < 0 ? r : set_counts(p, artefact, &counts, err);
}

static int project_scan(struct projection *p, struct error *err)
{
        int64_t artefact = 0, packages = 0, findings = 0, programs = 0;
        struct before before = { 0 };
        int r = see_artefact(p, &artefact, err);
        if (r == 0)
                r = find_list(p, "packages", "SELECT list FROM package_list WHERE digest = ?", &packages, err);
        if (r == 0)
                r = find_list(p, "findings", "SELECT list FROM finding_list WHERE digest = ?", &findings, err);
        if (r == 0)
                r = find_programs(p, &programs, err);
        if (r == 0)
                r = read_before(p, artefact, &before, err);
        if (r < 0)
                return r;
        p->outcome->is_known = before.scans > 0;
        p->outcome->is_same =
                before.is_same_verdict && before.package_list == packages && before.finding_list == findings;
        if (before.finding_list != findings)
                r = see_findings(p, artefact, findings, before.scanned, err);
        return r < 0 ? r : set_scan(p, artefact, packages, findings, programs, err);
}

/* --- decisions and rematches --- */

static int project_decision(struct projection *p, struct error *err)
{
        const json_t *waivers = json_object_get(p->body, "waivers"), *w;
        size_t i;
        int r = concern(p, p->record->subject, err);
        json_array_foreach(waivers, i, w)
        {
                if (r == 0 && json_is_string(w))
                        r = concern(p, str_of(json_string_value(w)), err);
        }
        return r;
}

static int project_rematch(struct projection *p, struct error *err)
{
        json_t *affected = json_object_get(p->body, "affected"), *of;
        const char *key;
        int r = 0;
        json_object_foreach(affected, key, of)
        {
                if (r == 0)
                        r = concern(p, str_of(key), err);
        }
        return r;
}

/* --- waivers --- */

static int project_request(struct projection *p, struct error *err)
{
        static const char *const texts[] = { "condition", "finding", "owner", "reason", "response", "control" };
        static const char *const scopes[] = { "digest", "repository", "package", "path" };
        static const char *const ends[] = { "fix", "kev", "control_gone", "exposed" };
        const json_t *scope = json_object_get(p->body, "scope"), *ends_on = json_object_get(p->body, "ends_on");
        uint64_t number;
        if (!book_waiver_number(p->record->subject, &number))
                return unfit(p, err, "waiver");
        struct query q = query_of(
                p->b, "INSERT INTO waiver(waiver, condition, finding, owner, reason, response, control, digest, "
                      "repository, package, path, on_fix, on_kev, on_control_gone, on_exposed, on_epss, requester, "
                      "created, expires, approver, approved, state, ended, ended_by, ended_why) "
                      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0, 0, 0, '', '')");
        query_number(&q, (int64_t)number);
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                query_text(&q, body_get(p->body, texts[i]));
        for (size_t i = 0; i < ARRAY_SIZE(scopes); i++)
                query_text(&q, body_get(scope, scopes[i]));
        for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
                query_number(&q, json_is_true(json_object_get(ends_on, ends[i])));
        query_number(&q, body_get_number(ends_on, "epss"));
        query_text(&q, p->record->actor);
        query_number(&q, p->record->time);
        query_number(&q, body_get_number(p->body, "expires"));
        int r = query_run(&q, err);
        return r < 0 ? r : concern(p, p->record->subject, err);
}

static int project_approval(struct projection *p, struct error *err)
{
        uint64_t number;
        if (!book_waiver_number(p->record->subject, &number))
                return unfit(p, err, "waiver");
        struct query q = query_of(p->b, "UPDATE waiver SET state = 1, approver = ?, approved = ? WHERE waiver = ?");
        query_text(&q, p->record->actor);
        query_number(&q, p->record->time);
        query_number(&q, (int64_t)number);
        int r = query_run(&q, err);
        return r < 0 ? r : concern(p, p->record->subject, err);
}

static int project_end(struct projection *p, struct error *err)
{
        uint64_t number;
        if (!book_waiver_number(p->record->subject, &number))
                return unfit(p, err, "waiver");
        struct query q =
                query_of(p->b, "UPDATE waiver SET state = 2, ended = ?, ended_by = ?, ended_why = ? WHERE waiver = ?");
        query_number(&q, p->record->time);
        query_text(&q, p->record->actor);
        query_text(&q, body_get(p->body, "why"));
        query_number(&q, (int64_t)number);
        int r = query_run(&q, err);
        return r < 0 ? r : concern(p, p->record->subject, err);
}

static int (*const projections[RECORD_KINDS])(struct projection *p, struct error *err) = {
        [RECORD_SCAN] = project_scan,
        [RECORD_DECISION] = project_decision,
        [RECORD_WAIVER_REQUESTED] = project_request,
        [RECORD_WAIVER_APPROVED] = project_approval,
        [RECORD_WAIVER_ENDED] = project_end,
        [RECORD_OBSERVATION] = project_observation,
        [RECORD_REMATCH] = project_rematch,
};

int project_record(struct book *b, const struct book_record *r, struct book_scan_outcome *scan, struct error *err)
{
        struct book_scan_outcome unused = { 0 };
        _cleanup_(body_freep) json_t *body = body_parse(r->body);
        struct projection p = { b, r, body, scan ? scan : &unused };
        if (!body)
                return unfit(&p, err, "body");
        for (size_t k = 0; k < RECORD_KINDS; k++)
                if (str_is(r->kind, record_kind_name(k)))
                        return projections[k](&p, err);
        return unfit(&p, err, "kind");
}

int project_all(struct book *b, struct error *err)
{
        struct arena arena = ARENA_INIT;
        _cleanup_(query_end) struct query q = query_of(b, "SELECT " RECORD_COLUMNS " FROM record ORDER BY sequence");
        int r;
        while ((r = query_next(&q, err)) > 0) {
                struct book_record record;
                record_read(&q, &arena, &record);
                r = project_record(b, &record, NULL, err);
                arena_done(&arena);
                if (r < 0)
                        break;
        }
        arena_done(&arena);
        return r;
}
