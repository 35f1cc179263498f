/*
 * The log: what of a record is hashed and in which form, and how one is appended.
 *
 * hash = SHA-256("sekisho ledger record 1" NUL, sequence, time, behind, kind, subject, actor, body, previous): numbers
 * as 8 bytes big-endian, texts with their length before them as such a number, `previous` as 32 bytes. The first
 * record's `previous` is the ledger's id, which is drawn at birth: no piece of another ledger fits into this one.
 */
#include "store/internal.h"

#include <errno.h>
#include <stdlib.h>

#define DOMAIN "sekisho ledger record 1"

static const char *const kind_names[RECORD_KINDS] = {
        [RECORD_SCAN] = "scan",
        [RECORD_DECISION] = "decision",
        [RECORD_WAIVER_REQUESTED] = "waiver-requested",
        [RECORD_WAIVER_APPROVED] = "waiver-approved",
        [RECORD_WAIVER_ENDED] = "waiver-ended",
        [RECORD_OBSERVATION] = "observation",
        [RECORD_REMATCH] = "rematch",
};

const char *record_kind_name(enum record_kind k) { return kind_names[k]; }

void record_hash(const struct book_record *r, uint8_t ret[static BOOK_HASH_BYTES])
{
        struct sum s;
        sum_begin(&s, DOMAIN);
        sum_number(&s, (int64_t)r->sequence);
        sum_number(&s, r->time);
        sum_number(&s, r->behind);
        sum_text(&s, r->kind);
        sum_text(&s, r->subject);
        sum_text(&s, r->actor);
        sum_text(&s, r->body);
        sum_hash(&s, r->previous);
        sum_end(&s, ret);
}

void record_read(struct query *q, struct arena *arena, struct book_record *ret)
{
        *ret = (struct book_record){ .sequence = (uint64_t)column_number(q) };
        ret->time = column_number(q);
        ret->behind = column_number(q);
        ret->kind = column_text(q, arena);
        ret->subject = column_text(q, arena);
        ret->actor = column_text(q, arena);
        ret->body = column_text(q, arena);
        (void)column_hash(q, ret->previous); /* zeros if it is none: then the chain does not fit */
        (void)column_hash(q, ret->hash);
}

int book_record(struct book *b, uint64_t sequence, struct arena *arena, struct book_record *ret, struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(b, "SELECT " RECORD_COLUMNS " FROM record WHERE sequence = ?");
        query_number(&q, (int64_t)sequence);
        int r = query_next(&q, err);
        if (r == 0)
                return error_set(err, -ENOENT, "ledger %s has no record %llu", b->path, (unsigned long long)sequence);
        if (r > 0)
                record_read(&q, arena, ret);
        return r < 0 ? r : 0;
}

int book_newest_time(struct book *b, int64_t *ret, struct error *err)
{
        return sql_number(b, "SELECT newest FROM head", ret, err);
}

/* Where the chain ends now. A log that does not end at its head is not continued: that would bury the damage. */
static int read_head(struct book *b, struct book_record *next, int64_t *ret_newest, struct error *err)
{
        uint8_t last[BOOK_HASH_BYTES];
        _cleanup_(query_end) struct query q =
                query_of(b, "SELECT sequence, hash, newest, coalesce((SELECT hash FROM record ORDER BY sequence DESC "
                            "LIMIT 1), id), (SELECT coalesce(max(sequence), 0) FROM record) FROM head");
        int r = query_next(&q, err);
        if (r < 0)
                return r;
        uint64_t sequence = (uint64_t)column_number(&q);
        bool is_hash = column_hash(&q, next->previous);
        *ret_newest = column_number(&q);
        if (r == 0 || !is_hash || !column_hash(&q, last) || memcmp(last, next->previous, BOOK_HASH_BYTES) != 0 ||
            (uint64_t)column_number(&q) != sequence)
                return sql_damaged(b, err, "its last record is not the one that was written last");
        next->sequence = sequence + 1;
        return 0;
}

static int insert(struct book *b, const struct book_record *r, struct error *err)
{
        struct query q = query_of(b, "INSERT INTO record(" RECORD_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
        query_number(&q, (int64_t)r->sequence);
        query_number(&q, r->time);
        query_number(&q, r->behind);
        query_text(&q, r->kind);
        query_text(&q, r->subject);
        query_text(&q, r->actor);
        query_text(&q, r->body);
        query_bytes(&q, str_span(r->previous, BOOK_HASH_BYTES));
        query_bytes(&q, str_span(r->hash, BOOK_HASH_BYTES));
        return query_run(&q, err);
}

static int move_head(struct book *b, const struct book_record *r, int64_t newest, struct error *err)
{
        struct query q = query_of(b, "UPDATE head SET sequence = ?, hash = ?, newest = ?");
        query_number(&q, (int64_t)r->sequence);
        query_bytes(&q, str_span(r->hash, BOOK_HASH_BYTES));
        query_number(&q, newest);
        return query_run(&q, err);
}

int record_append(struct book *b, const struct book_stamp *stamp, enum record_kind kind, struct str subject,
                  json_t *body, struct book_scan_outcome *scan, uint64_t *ret_sequence, struct error *err)
{
        struct arena arena = ARENA_INIT;
        struct book_record record = { .time = stamp->now,
                                      .kind = str_of(kind_names[kind]),
                                      .subject = body_clean(subject, &arena),
                                      .actor = body_clean(stamp->actor, &arena) };
        _cleanup_(freep) char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
        int64_t newest = 0;
        json_decref(body);
        record.body = str_of(text);
        int r = 0;
        if (!text || stamp->actor.n == 0)
                r = error_set(err, -EINVAL, "ledger %s: a record needs %s", b->path,
                              text ? "somebody who made it" : "a body");
        else if (record.subject.n > BOOK_TEXT_MAX || record.actor.n > BOOK_TEXT_MAX || record.body.n > BOOK_BODY_MAX)
                r = error_set(err, -EFBIG, "ledger %s: a record of %zu bytes is beyond the limit of %u", b->path,
                              record.body.n, BOOK_BODY_MAX);
        if (r == 0)
                r = read_head(b, &record, &newest, err);
        if (r == 0) {
                record.behind = record.sequence > 1 && newest > record.time ? newest - record.time : 0;
                record_hash(&record, record.hash);
                r = insert(b, &record, err);
        }
        if (r == 0)
                r = move_head(b, &record, record.sequence > 1 ? MAX(newest, record.time) : record.time, err);
        if (r == 0)
                r = project_record(b, &record, scan, err);
        if (r == 0 && ret_sequence)
                *ret_sequence = record.sequence;
        arena_done(&arena);
        return r;
}

int record_append_alone(struct book *b, const struct book_stamp *stamp, enum record_kind kind, struct str subject,
                        json_t *body, uint64_t *ret_sequence, struct error *err)
{
        int r = write_begin(b, err);
        if (r < 0) {
                json_decref(body);
                return r;
        }
        return write_end(b, record_append(b, stamp, kind, subject, body, NULL, ret_sequence, err), err);
}
