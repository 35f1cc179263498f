/*
 * The way back: reads the whole ledger and says whether it is what was written, or names the first record that is not.
 *
 * Order: SQLite's own structure; the tables and triggers; the chain from the ledger's id to the head; a checkpoint that
 * was written down elsewhere; everything that records name by digest; what is derived. All of it in one snapshot.
 */
#include "store/internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

bool book_checkpoint_parse(struct str s, struct book_checkpoint *ret)
{
        struct book_checkpoint c;
        struct str hash = s, number = str_cut(&hash, ':');
        if (!str_u64(number, &c.sequence) || !c.sequence || !str_hex(hash, BOOK_HASH_BYTES, c.hash))
                return false;
        *ret = c;
        return true;
}

static int flaw_of(struct book_flaw *ret, const struct book_record *record, const char *fmt, ...) _printf_(3, 4);

static int flaw_of(struct book_flaw *ret, const struct book_record *record, const char *fmt, ...)
{
        va_list args;
        va_start(args, fmt);
        vsnprintf(ret->words, sizeof(ret->words), fmt, args);
        va_end(args);
        ret->has_record = record != NULL;
        if (record)
                ret->record = *record;
        return 1;
}

/* --- the file --- */

static int check_structure(struct book *b, struct book_flaw *ret, struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(b, "PRAGMA integrity_check(1)");
        int r = query_next(&q, err);
        if (r <= 0)
                return r;
        struct str words = column_text(&q, NULL);
        return str_is(words, "ok") ? 0 : flaw_of(ret, NULL, "the file's structure is damaged: %.*s", STR_FMT(words));
}

#define SCHEMA_QUERY "SELECT type, name, coalesce(sql, '') FROM main.sqlite_schema ORDER BY type, name"

static int read_schema(struct book *b, struct buf *to, struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(b, SCHEMA_QUERY);
        int r;
        while ((r = query_next(&q, err)) > 0) {
                for (int i = 0; i < 3; i++) {
                        buf_add_str(to, column_text(&q, NULL));
                        buf_putc(to, 0);
                }
        }
        return r;
}

/* Tables and triggers as this program makes them: one trigger less, and the log does not only grow. */
static int check_tables(struct book *b, struct book_flaw *ret, struct error *err)
{
        _cleanup_(buf_done) struct buf here = BUF_INIT(1 << 20), wanted = BUF_INIT(1 << 20);
        struct book fresh = { .path = b->path };
        int result = sqlite3_open_v2(":memory:", &fresh.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
        int r = result == SQLITE_OK ? schema_migrate(&fresh, 0, SCHEMA_NOW, err) : sql_fail(&fresh, result, err);
        if (r == 0)
                r = read_schema(&fresh, &wanted, err);
        sql_forget(&fresh);
        sqlite3_close(fresh.db);
        if (r == 0)
                r = read_schema(b, &here, err);
        if (r == 0 && !str_eq(buf_str(&here), buf_str(&wanted)))
                return flaw_of(ret, NULL,
                               "its tables or triggers are not those that sekisho makes: somebody else changed them");
        return r;
}

/* --- the chain --- */

struct walk {
        struct arena arena; /* of the record before */
        struct book_record before;
        bool is_broken; /* before's content does not give its hash; the record after it tells why */
        uint8_t computed[BOOK_HASH_BYTES];
        int64_t newest;
        struct book_checkpoint checkpoint;
        bool has_checkpoint;
};

/* before does not give its hash: was it the content that was changed, or the hash? The next record knows the hash. */
static int tell_broken(const struct walk *w, const struct book_record *next, struct book_flaw *ret)
{
        if (next && memcmp(next->previous, w->computed, BOOK_HASH_BYTES) == 0)
                return flaw_of(ret, &w->before,
                               "its hash was changed; the record after it still names the one that its content gives");
        if (next && memcmp(next->previous, w->before.hash, BOOK_HASH_BYTES) == 0)
                return flaw_of(
                        ret, &w->before,
                        "its content was changed: it does not give the hash that is written beside it and in the "
                        "record after it");
        return flaw_of(ret, &w->before, "its content does not give the hash that is written beside it");
}

static int check_link(struct walk *w, const struct book_record *r, struct book_flaw *ret)
{
        if (r->sequence != w->before.sequence + 1)
                return flaw_of(ret, r, "it follows record %llu: %llu records between them are missing",
                               (unsigned long long)w->before.sequence,
                               (unsigned long long)(r->sequence - w->before.sequence - 1));
        if (w->is_broken)
                return tell_broken(w, r, ret);
        record_hash(r, w->computed);
        w->is_broken = memcmp(w->computed, r->hash, BOOK_HASH_BYTES) != 0;
        if (memcmp(r->previous, w->before.hash, BOOK_HASH_BYTES) != 0)
                return flaw_of(ret, r,
                               w->is_broken ? "it names another record than %llu as the one before it, and does not "
                                              "give its own hash: it was changed"
                                            : "it names another record than %llu as the one before it: records were "
                                              "exchanged, or written anew from here on",
                               (unsigned long long)w->before.sequence);
        int64_t behind = r->sequence > 1 && w->newest > r->time ? w->newest - r->time : 0;
        if (!w->is_broken && r->behind != behind)
                return flaw_of(ret, r, "it says that its time is %lld s behind, and it is %lld s", (long long)r->behind,
                               (long long)behind);
        if (w->has_checkpoint && r->sequence == w->checkpoint.sequence &&
            memcmp(r->hash, w->checkpoint.hash, BOOK_HASH_BYTES) != 0)
                return flaw_of(ret, r, "it is not the record of the checkpoint: the log was written anew");
        return 0;
}

static int read_head(struct book *b, struct book_status *ret, int64_t *ret_newest, struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(b, "SELECT id, sequence, hash, newest FROM head");
        int r = query_next(&q, err);
        if (r <= 0)
                return r < 0 ? r : sql_damaged(b, err, "it has no head");
        (void)column_hash(&q, ret->id);
        ret->head_sequence = (uint64_t)column_number(&q);
        (void)column_hash(&q, ret->head_hash);
        *ret_newest = column_number(&q);
        return 0;
}

/* The last record against the head, which was written in the same transaction. */
static int check_end(const struct walk *w, const struct book_status *head, int64_t newest, struct book_flaw *ret)
{
        const struct book_record *last = w->before.sequence ? &w->before : NULL;
        if (w->is_broken)
                return tell_broken(w, NULL, ret);
        if (head->head_sequence != w->before.sequence)
                return flaw_of(ret, last, "the log ends here, and its head says that it ends with record %llu: %s",
                               (unsigned long long)head->head_sequence,
                               head->head_sequence > w->before.sequence ? "the records after it were cut off"
                                                                        : "the head was set back");
        if (memcmp(head->head_hash, w->before.hash, BOOK_HASH_BYTES) != 0 || newest != w->newest)
                return flaw_of(ret, last, "the head of the log is not of this record");
        if (w->has_checkpoint && w->checkpoint.sequence > w->before.sequence)
                return flaw_of(ret, last, "the log ends here, before record %llu of the checkpoint: it was cut off",
                               (unsigned long long)w->checkpoint.sequence);
        return 0;
}

static int walk_log(struct book *b, struct walk *w, struct book_flaw *ret, struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(b, "SELECT " RECORD_COLUMNS " FROM record ORDER BY sequence");
        int r;
        while ((r = query_next(&q, err)) > 0) {
                struct arena arena = ARENA_INIT;
                struct book_record record;
                record_read(&q, &arena, &record);
                r = check_link(w, &record, ret);
                if (r != 0) {
                        if (ret->record.sequence == record.sequence) { /* else it is the record before */
                                arena_done(&w->arena);
                                w->arena = arena;
                        } else {
                                arena_done(&arena);
                        }
                        return r;
                }
                arena_done(&w->arena);
                w->arena = arena;
                w->before = record;
                w->newest = record.sequence == 1 ? record.time : MAX(w->newest, record.time);
        }
        return r;
}

static int check_chain(struct book *b, const struct book_checkpoint *checkpoint, struct arena *arena,
                       struct book_flaw *ret, struct error *err)
{
        struct book_status head = { 0 };
        struct walk w = { .has_checkpoint = checkpoint && checkpoint->sequence };
        int64_t newest = 0;
        if (checkpoint)
                w.checkpoint = *checkpoint;
        int r = read_head(b, &head, &newest, err);
        memcpy(w.before.hash, head.id, BOOK_HASH_BYTES);
        if (r == 0)
                r = walk_log(b, &w, ret, err);
        if (r == 0)
                r = check_end(&w, &head, newest, ret);
        if (r > 0 && ret->has_record) {
                ret->record.kind = arena_str(arena, ret->record.kind);
                ret->record.subject = arena_str(arena, ret->record.subject);
                ret->record.actor = arena_str(arena, ret->record.actor);
                ret->record.body = STR_NONE;
        }
        arena_done(&w.arena);
        return r;
}

static int verify(struct book *b, const struct book_checkpoint *checkpoint, struct arena *arena, struct book_flaw *ret,
                  struct error *err)
{
        int r = check_structure(b, ret, err);
        if (r == 0)
                r = check_chain(b, checkpoint, arena, ret, err);
        if (r == 0)
                r = check_tables(b, ret, err);
        if (r == 0)
                r = content_verify(b, ret->words, err);
        return r ? r : derived_compare(b, ret->words, err);
}

int book_verify(struct book *b, const struct book_checkpoint *checkpoint, struct arena *arena, struct book_flaw *ret,
                struct error *err)
{
        struct error words = ERROR_NONE;
        *ret = (struct book_flaw){ 0 };
        int r = snapshot_begin(b, err);
        if (r < 0)
                return r;
        r = snapshot_end(b, verify(b, checkpoint, arena, ret, &words));
        sql_forget(b);
        if (r == -EBADMSG) /* what cannot be read is the answer, not a failure to answer */
                return flaw_of(ret, NULL, "%s", words.text);
        if (r < 0 && err)
                *err = words;
        return r;
}

int book_rebuild(struct book *b, bool *ret_changed, struct error *err)
{
        struct arena arena = ARENA_INIT;
        struct book_flaw flaw = { 0 };
        int r = write_begin(b, err);
        if (r < 0)
                return r;
        r = check_chain(b, NULL, &arena, &flaw, err);
        if (r > 0)
                r = sql_damaged(b, err, "record %llu: %s", (unsigned long long)flaw.record.sequence, flaw.words);
        arena_done(&arena);
        if (r == 0)
                r = content_verify(b, flaw.words, err);
        if (r > 0)
                r = sql_damaged(b, err, "%s", flaw.words);
        if (r == 0)
                r = derived_compare(b, flaw.words, err);
        *ret_changed = r > 0;
        if (r > 0)
                r = derived_rebuild(b, err);
        return write_end(b, r, err);
}

/* --- status --- */

int book_status(struct book *b, struct book_status *ret, struct error *err)
{
        int64_t newest;
        *ret = (struct book_status){ .schema = SCHEMA_NOW };
        int r = snapshot_begin(b, err);
        if (r < 0)
                return r;
        r = read_head(b, ret, &newest, err);
        if (r == 0) {
                _cleanup_(query_end) struct query q =
                        query_of(b, "SELECT (SELECT count(*) FROM record), (SELECT count(*) FROM artefact), "
                                    "(SELECT count(*) FROM package), (SELECT count(*) FROM package_list), "
                                    "(SELECT count(*) FROM problem), (SELECT count(*) FROM waiver), "
                                    "(SELECT count(*) FROM record WHERE behind > 0), "
                                    "coalesce((SELECT time FROM record ORDER BY sequence LIMIT 1), 0), "
                                    "coalesce((SELECT time FROM record ORDER BY sequence DESC LIMIT 1), 0), "
                                    "(SELECT page_count * page_size FROM pragma_page_count, pragma_page_size)");
                uint64_t *const numbers[] = { &ret->records,  &ret->artefacts, &ret->packages, &ret->package_lists,
                                              &ret->findings, &ret->waivers,   &ret->behind };
                r = query_next(&q, err);
                for (size_t i = 0; r > 0 && i < ARRAY_SIZE(numbers); i++)
                        *numbers[i] = (uint64_t)column_number(&q);
                if (r > 0) {
                        ret->first = column_number(&q);
                        ret->last = column_number(&q);
                        ret->size_bytes = (uint64_t)column_number(&q);
                }
        }
        return snapshot_end(b, r < 0 ? r : 0);
}
